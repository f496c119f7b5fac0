// SPDX-License-Identifier: Apache-2.0
//
// index: from a key to the newest node of its chain. One for each of enum chunks_key.
//
// INDEX_SHARDS tables with open addressing, chosen by the top bits of the key, so that one that
// must grow keeps the writer busy for some hundred microseconds only. A slot is 32 bits: the node's
// number, and as many bits of the key as are left, so that a node is rarely looked at in vain. The
// key itself stands in the node. A slot whose node is gone is free to be used again.
//
// Threads: one writer; a grown table is published aside and the old one retired.
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/ledger/chunks.h"

#define INDEX_SHARD_BITS 12
#define INDEX_SHARDS     (1u << INDEX_SHARD_BITS)
#define INDEX_SIZE_MASK  ((uint64_t)63) // in a shard's word: log2 of the slots, below the address

struct index {
    const struct chunks *chunks;
    enum chunks_key key;
    _Atomic uint64_t shard[INDEX_SHARDS]; // address | log2 of slots; 0 = empty
    uint32_t used[INDEX_SHARDS];          // slots that are not 0; writer's
    _Atomic size_t bytes;
};

void index_init(struct index *ix, const struct chunks *chunks, enum chunks_key key);
void index_free(struct index *ix);

struct index_place {
    _Atomic uint32_t *slots;
    uint32_t mask, at, want;
};
// Where the search for `key` begins; slots NULL: nowhere.
static inline struct index_place index_home(const struct index *ix, uint64_t key)
{
    uint64_t word =
        atomic_load_explicit(&ix->shard[key >> (64 - INDEX_SHARD_BITS)], memory_order_acquire);
    struct index_place p = {.slots = (_Atomic uint32_t *)(word & ~INDEX_SIZE_MASK)};

    p.mask = ((uint32_t)1 << (word & INDEX_SIZE_MASK)) - 1;
    p.at = (uint32_t)(key >> 20) & p.mask;
    p.want = (uint32_t)key << ix->chunks->number_bits;
    return p;
}
static inline void index_prefetch(const struct index *ix, uint64_t key)
{
    struct index_place p = index_home(ix, key);

    if (p.slots) __builtin_prefetch((const void *)(p.slots + p.at));
}
// What index_find will look at first, most probably the key's; 0 = none.
uint32_t index_guess(const struct index *ix, uint64_t key, uint64_t head);
// The newest live node of `key`, 0 = none.
uint32_t index_find(const struct index *ix, uint64_t key, uint64_t head);

// Makes room for one more key beside `key`'s; before index_put. 0 or ERR_NOMEM. (W)
int index_room(struct index *ix, uint64_t key);
// `number` is now the newest node of `key`. (W)
void index_put(struct index *ix, uint64_t key, uint32_t number);
// Forgets the numbers of `shard` whose nodes are gone, before numbers come round again. (W)
void index_sweep(struct index *ix, uint32_t shard);
