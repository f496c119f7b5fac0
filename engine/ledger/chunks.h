// SPDX-License-Identifier: Apache-2.0
//
// chunks: attempts in memory, in the order they came: a ring of places that goes round.
//
// A node is one line of 64 bytes; CHUNKS_NODES of them are a chunk of 2 MiB. A node's sequence
// never repeats; its number is the sequence modulo `cycle` (twice the ring), so that a number says
// whether its node is still there: live = not before head. Number 0 is never given: it means none.
//
// Chains: node.prev[k] is the next older node of the same key, always a lower sequence, so that a
// chain ends where it meets a node that is gone.
//
// Threads: one writer. Readers load head once and then follow numbers; places that head has passed
// are given back, and used again, only when no reader can hold an older head (qsbr).
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/qsbr.h"

#define CHUNKS_NODES ((uint32_t)1 << 15)
#define CHUNKS_BYTES (CHUNKS_NODES * sizeof(struct chunks_node))

enum chunks_key { CHUNKS_DEVICE, CHUNKS_CLIENT, CHUNKS_GUID, CHUNKS_KEYS };
#define CHUNKS_CHAINS 2 // device and client

// Atomic is what may change after readers have found the node. start_s and channel do not.
struct chunks_node {
    _Alignas(64) _Atomic uint64_t key[CHUNKS_KEYS];
    _Atomic uint64_t group;
    int64_t start_s;
    _Atomic uint32_t subject, disposition;
    _Atomic uint32_t prev[CHUNKS_CHAINS];
    _Atomic uint16_t area_code;
    _Atomic uint8_t region, country, result;
    _Atomic bool ended;
    uint8_t channel;
};

struct chunks_mark { // of a chunk
    struct chunks *home;
    int64_t youngest_s;
    uint32_t count; // nodes in it
};

struct chunks {
    struct chunks_node *nodes;
    uint32_t span, cycle_mask; // places; numbers are 0 … cycle_mask
    unsigned number_bits;
    _Atomic uint64_t head; // sequence of the first node that counts
    _Atomic uint64_t live;
    _Atomic uint64_t taken; // chunks that hold memory
    // writer's
    uint64_t tail, freed; // sequences: of the next node; of the first place not free again
    struct chunks_mark *marks;
    struct qsbr *q;
};

// Room for `nodes_max` and some. 0 or ERR_NOMEM. `q` has nothing of it waiting when it is freed.
int chunks_init(struct chunks *c, size_t nodes_max, struct qsbr *q);
void chunks_free(struct chunks *c);

static inline uint64_t chunks_head(const struct chunks *c)
{
    return atomic_load_explicit(&c->head, memory_order_acquire);
}
static inline bool chunks_is_live(const struct chunks *c, uint32_t number, uint64_t head)
{
    return number && ((number - (uint32_t)head) & c->cycle_mask) < c->span;
}
static inline struct chunks_node *chunks_at(const struct chunks *c, uint32_t number)
{
    return &c->nodes[number & (c->span - 1)];
}
// Of two live numbers: did `a` come after `b`?
static inline bool chunks_is_newer(const struct chunks *c, uint32_t a, uint32_t b)
{
    return a != b && ((a - b) & c->cycle_mask) < c->span;
}
// The next node of the chain; 0 at its end.
static inline uint32_t chunks_older(const struct chunks *c, const struct chunks_node *node,
                                    enum chunks_key chain, uint64_t head)
{
    uint32_t number = atomic_load_explicit(&node->prev[chain], memory_order_acquire);

    return chunks_is_live(c, number, head) ? number : 0;
}

// -- writer ------------------------------------------------------------------------------------
// The number of the node to fill next, 0 when the ring has no place (yet). It is in when taken.
uint32_t chunks_next(struct chunks *c);
void chunks_take(struct chunks *c, int64_t start_s);
// Is the oldest chunk's youngest attempt older than `before_s`? Then chunks_drop lets go of it.
bool chunks_is_old(const struct chunks *c, int64_t before_s, int64_t *ret_youngest_s);
void chunks_drop(struct chunks *c);
