// SPDX-License-Identifier: Apache-2.0
#include "engine/ledger/index.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/base/err.h"

#define SLOTS_LOG2_MIN 4
#define AHEAD          16
// At most 4 of 5 slots are in use; a rebuilt table has at most 3 of 5.
#define LOAD_NUM    4
#define LOAD_DEN    5
#define REBUILT_NUM 3

void index_init(struct index *ix, const struct chunks *chunks, enum chunks_key key)
{
    memset(ix, 0, sizeof *ix);
    ix->chunks = chunks;
    ix->key = key;
}

void index_free(struct index *ix)
{
    for (uint32_t s = 0; s < INDEX_SHARDS; s++) {
        uint64_t word = atomic_load_explicit(&ix->shard[s], memory_order_relaxed);

        free((void *)(word & ~INDEX_SIZE_MASK));
    }
}

static inline uint32_t slot_at(const struct index_place *p)
{
    return atomic_load_explicit(&p->slots[p->at], memory_order_acquire);
}

static inline void step(struct index_place *p)
{
    p->at = (p->at + 1) & p->mask;
}

// Number 0 is no node's: a slot with nothing but a tag bit was used and is not any more.
static inline uint32_t tombstone(const struct index *ix)
{
    return (uint32_t)1 << ix->chunks->number_bits;
}

static inline uint32_t number_of(const struct index *ix, uint32_t slot)
{
    return slot & ix->chunks->cycle_mask;
}

static inline uint64_t key_at(const struct index *ix, uint32_t number)
{
    const struct chunks_node *node = chunks_at(ix->chunks, number);

    return atomic_load_explicit(&node->key[ix->key], memory_order_relaxed);
}

uint32_t index_guess(const struct index *ix, uint64_t key, uint64_t head)
{
    struct index_place p = index_home(ix, key);
    uint32_t slot;

    if (!p.slots) return 0;
    for (; (slot = slot_at(&p)); step(&p))
        if ((slot ^ p.want) <= ix->chunks->cycle_mask &&
            chunks_is_live(ix->chunks, number_of(ix, slot), head))
            return number_of(ix, slot);
    return 0;
}

uint32_t index_find(const struct index *ix, uint64_t key, uint64_t head)
{
    struct index_place p = index_home(ix, key);
    uint32_t slot, number;

    if (!p.slots) return 0;
    for (; (slot = slot_at(&p)); step(&p)) {
        if ((slot ^ p.want) > ix->chunks->cycle_mask) continue;
        number = number_of(ix, slot);
        if (chunks_is_live(ix->chunks, number, head) && key_at(ix, number) == key) return number;
    }
    return 0;
}

void index_put(struct index *ix, uint64_t key, uint32_t number)
{
    struct index_place p = index_home(ix, key);
    uint64_t head = chunks_head(ix->chunks);
    _Atomic uint32_t *vacant = NULL;
    uint32_t slot, there;

    // the first slot that is free again: a reader with an older head, to whom it is the key's old
    // node, must not meet one behind it before the new
    for (; (slot = slot_at(&p)); step(&p)) {
        there = number_of(ix, slot);
        if (!chunks_is_live(ix->chunks, there, head)) {
            if (!vacant) vacant = &p.slots[p.at];
        } else if ((slot ^ p.want) <= ix->chunks->cycle_mask && key_at(ix, there) == key) {
            vacant = &p.slots[p.at];
            break;
        }
    }
    if (!vacant) {
        vacant = &p.slots[p.at];
        ix->used[key >> (64 - INDEX_SHARD_BITS)]++;
    }
    atomic_store_explicit(vacant, p.want | number, memory_order_release);
}

static unsigned rebuilt_log2(uint32_t live)
{
    unsigned log2 = SLOTS_LOG2_MIN;

    while ((uint64_t)(live + 1) * LOAD_DEN > ((uint64_t)REBUILT_NUM << log2)) log2++;
    return log2;
}

// The live slots of `from`, into `to`, which is empty. All keys differ.
static void move_slots(const struct index *ix, const _Atomic uint32_t *from, uint32_t size,
                       _Atomic uint32_t *to, uint32_t to_mask, uint64_t head)
{
    for (uint32_t i = 0; i < size; i++) {
        uint32_t slot = atomic_load_explicit(&from[i], memory_order_relaxed), at;

        if (i + AHEAD < size) {
            uint32_t next = atomic_load_explicit(&from[i + AHEAD], memory_order_relaxed);

            __builtin_prefetch(chunks_at(ix->chunks, number_of(ix, next)));
        }
        if (!chunks_is_live(ix->chunks, number_of(ix, slot), head)) continue;
        at = (uint32_t)(key_at(ix, number_of(ix, slot)) >> 20) & to_mask;
        while (atomic_load_explicit(&to[at], memory_order_relaxed)) at = (at + 1) & to_mask;
        atomic_store_explicit(&to[at], slot, memory_order_relaxed);
    }
}

static int rebuild(struct index *ix, uint32_t shard)
{
    uint64_t word = atomic_load_explicit(&ix->shard[shard], memory_order_relaxed);
    uint64_t head = chunks_head(ix->chunks);
    _Atomic uint32_t *old = (_Atomic uint32_t *)(word & ~INDEX_SIZE_MASK), *slots;
    uint32_t size = old ? (uint32_t)1 << (word & INDEX_SIZE_MASK) : 0, live = 0;
    size_t bytes;
    unsigned log2;

    for (uint32_t i = 0; i < size; i++) {
        uint32_t slot = atomic_load_explicit(&old[i], memory_order_relaxed);

        live += chunks_is_live(ix->chunks, number_of(ix, slot), head);
    }
    log2 = rebuilt_log2(live);
    bytes = sizeof *slots << log2;
    slots = aligned_alloc(64, bytes);
    if (!slots) return ERR_NOMEM;
    memset((void *)slots, 0, bytes);
    if (old) move_slots(ix, old, size, slots, ((uint32_t)1 << log2) - 1, head);
    ix->used[shard] = live;
    atomic_store_explicit(&ix->shard[shard], (uint64_t)slots | log2, memory_order_release);
    atomic_fetch_add_explicit(&ix->bytes, bytes - size * sizeof *slots, memory_order_relaxed);
    qsbr_retire(ix->chunks->q, free, (void *)old);
    qsbr_poll(ix->chunks->q);
    return 0;
}

int index_room(struct index *ix, uint64_t key)
{
    uint32_t shard = (uint32_t)(key >> (64 - INDEX_SHARD_BITS));
    uint64_t word = atomic_load_explicit(&ix->shard[shard], memory_order_relaxed);
    uint64_t size = (uint64_t)1 << (word & INDEX_SIZE_MASK);

    if (word && (uint64_t)(ix->used[shard] + 1) * LOAD_DEN <= size * LOAD_NUM) return 0;
    return rebuild(ix, shard);
}

void index_sweep(struct index *ix, uint32_t shard)
{
    uint64_t word = atomic_load_explicit(&ix->shard[shard], memory_order_relaxed);
    _Atomic uint32_t *slots = (_Atomic uint32_t *)(word & ~INDEX_SIZE_MASK);
    uint32_t size = slots ? (uint32_t)1 << (word & INDEX_SIZE_MASK) : 0;
    uint64_t head = chunks_head(ix->chunks);

    for (uint32_t i = 0; i < size; i++) {
        uint32_t slot = atomic_load_explicit(&slots[i], memory_order_relaxed);

        if (slot && !chunks_is_live(ix->chunks, number_of(ix, slot), head))
            atomic_store_explicit(&slots[i], tombstone(ix), memory_order_release);
    }
}
