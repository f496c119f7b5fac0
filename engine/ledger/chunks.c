// SPDX-License-Identifier: Apache-2.0
#include "engine/ledger/chunks.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/err.h"
#include "engine/base/mem.h"

// One chunk fills, one waits for readers, one is being swept from the index, one is spare.
#define CHUNKS_MIN 4

static_assert(sizeof(struct chunks_node) == 64, "a node is one line");

static uint64_t chunk_of(uint64_t sequence)
{
    return sequence / CHUNKS_NODES;
}

static struct chunks_mark *mark_of(const struct chunks *c, uint64_t sequence)
{
    return &c->marks[chunk_of(sequence) & (c->span / CHUNKS_NODES - 1)];
}

int chunks_init(struct chunks *c, size_t nodes_max, struct qsbr *q)
{
    uint64_t span = CHUNKS_MIN * CHUNKS_NODES;
    uint32_t chunk_count;

    // the chunk that fills and those that wait for readers take places beyond the maximum
    while (span < nodes_max + 2 * CHUNKS_NODES) span *= 2;
    if (span > (uint64_t)1 << 30) return ERR_NOMEM;
    chunk_count = (uint32_t)(span / CHUNKS_NODES);
    *c = (struct chunks){.span = (uint32_t)span, .tail = 1, .q = q};
    c->cycle_mask = (uint32_t)(2 * span - 1);
    c->number_bits = (unsigned)__builtin_popcount(c->cycle_mask);
    c->nodes = mem_map(span * sizeof *c->nodes);
    c->marks = calloc(chunk_count, sizeof *c->marks);
    if (!c->nodes || !c->marks) {
        chunks_free(c);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < chunk_count; i++) c->marks[i].home = c;
    return 0;
}

void chunks_free(struct chunks *c)
{
    mem_unmap(c->nodes, c->span * sizeof *c->nodes);
    free(c->marks);
    c->nodes = NULL;
    c->marks = NULL;
}

uint32_t chunks_next(struct chunks *c)
{
    if ((c->tail & c->cycle_mask) == 0) c->tail++;
    return c->tail - c->freed < c->span ? (uint32_t)c->tail & c->cycle_mask : 0;
}

void chunks_take(struct chunks *c, int64_t start_s)
{
    struct chunks_mark *mark = mark_of(c, c->tail);

    if (mark->count == 0) {
        mark->youngest_s = start_s;
        atomic_fetch_add_explicit(&c->taken, 1, memory_order_relaxed);
    }
    if (mark->youngest_s < start_s) mark->youngest_s = start_s;
    mark->count++;
    c->tail++;
    atomic_fetch_add_explicit(&c->live, 1, memory_order_relaxed);
}

bool chunks_is_old(const struct chunks *c, int64_t before_s, int64_t *ret_youngest_s)
{
    uint64_t head = atomic_load_explicit(&c->head, memory_order_relaxed);
    const struct chunks_mark *mark = mark_of(c, head);

    if (head >= c->tail || mark->count == 0 || mark->youngest_s >= before_s) return false;
    *ret_youngest_s = mark->youngest_s;
    return true;
}

// No reader holds a head from before: the places may be used again.
static void on_unseen(void *ptr)
{
    struct chunks_mark *mark = ptr;
    struct chunks *c = mark->home;

    mem_forget(c->nodes + (size_t)(mark - c->marks) * CHUNKS_NODES, CHUNKS_BYTES);
    mark->count = 0;
    c->freed += CHUNKS_NODES;
    atomic_fetch_sub_explicit(&c->taken, 1, memory_order_relaxed);
}

void chunks_drop(struct chunks *c)
{
    uint64_t head = atomic_load_explicit(&c->head, memory_order_relaxed);
    struct chunks_mark *mark = mark_of(c, head);

    head = (chunk_of(head) + 1) * CHUNKS_NODES;
    if (c->tail < head) c->tail = head;
    atomic_fetch_sub_explicit(&c->live, mark->count, memory_order_relaxed);
    atomic_store_explicit(&c->head, head, memory_order_release);
    qsbr_retire(c->q, on_unseen, mark);
}
