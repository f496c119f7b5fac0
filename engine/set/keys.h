// SPDX-License-Identifier: Apache-2.0
//
// keys: hashed entries (key, id) of all ids in one table: a Bloom filter in front, exact buckets
// behind it.
//
// A bucket is one line of 8 words. An entry's home is bucket hash * buckets / 2^64; it stands
// there or in one of the next buckets (its displacement), so that position and the low 46 bits of
// the hash that are stored give back the whole hash. A chain goes on behind a bucket only while
// that bucket has no never-used slot. An entry is
//     low 46 bits of the hash | displacement (7) | id (10) | dated (1)
// and 0 is a slot never used, id 0 one whose entry was removed. 46 bits suffice because there are
// at least 2^18 buckets; 7 bits of displacement let all 1,023 ids hold one and the same key.
//
// The filter: blocks of 256 bits, in each of its 8 halves-of-words one bit chosen by 5 bits of the
// hash; the block by the high bits, so that table and filter are walked in the same order. 12 bits
// a key: 0.5 % false positives, which cost one more line and change no answer.
//
// Threads: one writer changes single words; readers follow with acquire loads. Geometry never
// changes: a table grows by being rebuilt aside and swapped by its owner.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/check.h"
#include "engine/base/qsbr.h"
#include "engine/set/set.h"
#include "engine/set/spans.h"

#define KEYS_BUCKETS_MIN ((uint64_t)1 << 18)
#define KEYS_SLOTS       8
#define KEYS_REST_BITS   46
#define KEYS_CHAIN       128 // buckets that a chain may span
#define KEYS_TAIL_BITS   11  // id and dated, below what is compared
#define KEYS_REMOVED     1   // a word with id 0 that is not 0

struct keys {
    _Atomic uint64_t *slots;  // (buckets + KEYS_CHAIN) * KEYS_SLOTS
    _Atomic uint64_t *filter; // blocks * 4
    uint64_t buckets;
    uint64_t blocks;
    _Atomic(struct spans *) spans; // NULL until the first dated entry
    // writer's
    uint64_t capacity; // slots in use, removed ones included, at load 0.70
    uint64_t used;     // slots that are not never-used
    uint64_t live;     // entries
    uint64_t marked;   // keys that went into the filter
    struct qsbr *q;    // NULL: no readers
    bool spans_lent;   // a rebuilt table owns the spans now
};

static inline uint64_t keys_scaled(uint64_t hash, uint64_t range)
{
    return (uint64_t)(((unsigned __int128)hash * range) >> 64);
}
static inline unsigned keys_id(uint64_t entry)
{
    return entry >> 1 & 1023;
}
static inline bool keys_dated(uint64_t entry)
{
    return entry & 1;
}
static inline const _Atomic uint64_t *keys_home(const struct keys *k, uint64_t hash)
{
    return k->slots + keys_scaled(hash, k->buckets) * KEYS_SLOTS;
}
static inline _Atomic uint64_t *keys_block(const struct keys *k, uint64_t hash)
{
    return k->filter + keys_scaled(hash, k->blocks) * 4;
}
// For a keys_put that follows a little later.
static inline void keys_prefetch(const struct keys *k, uint64_t hash)
{
    __builtin_prefetch(keys_home(k, hash), 1);
    __builtin_prefetch(keys_block(k, hash), 1);
}
// The two bits of word `i` (0 … 3) of a filter block.
static inline uint64_t keys_bits(uint64_t hash, unsigned i)
{
    return (uint64_t)1 << (hash >> (10 * i) & 31) | (uint64_t)1
                                                        << (32 + (hash >> (10 * i + 5) & 31));
}
// False: no id holds the key. True: look.
static inline bool keys_maybe(const struct keys *k, uint64_t hash)
{
    const _Atomic uint64_t *block = keys_block(k, hash);
    uint64_t missing = 0;

    for (unsigned i = 0; i < 4; i++)
        missing |= keys_bits(hash, i) & ~atomic_load_explicit(&block[i], memory_order_acquire);
    return !missing;
}

// Calls fn(ctx, entry) for each entry of `hash` until it returns false; `slot` is keys_home.
static inline __attribute__((always_inline)) void keys_each(const _Atomic uint64_t *slot,
                                                            uint64_t hash,
                                                            bool (*fn)(void *ctx, uint64_t entry),
                                                            void *ctx)
{
    uint64_t want = hash << (64 - KEYS_REST_BITS);

    for (unsigned d = 0; d < KEYS_CHAIN; d++) {
        unsigned hits = 0;
        bool open = false;

#pragma GCC unroll 8
        for (unsigned i = 0; i < KEYS_SLOTS; i++) {
            uint64_t e = atomic_load_explicit(&slot[i], memory_order_acquire);

            open |= !e;
            hits |= (unsigned)((e ^ want) >> KEYS_TAIL_BITS == 0) << i;
        }
        for (; hits; hits &= hits - 1) {
            // read again: it may have been removed, and is then no entry of this key
            uint64_t e = atomic_load_explicit(&slot[__builtin_ctz(hits)], memory_order_acquire);

            if ((e ^ want) >> KEYS_TAIL_BITS == 0 && keys_id(e) && !fn(ctx, e)) return;
        }
        if (open) return;
        slot += KEYS_SLOTS;
        want += (uint64_t)1 << KEYS_TAIL_BITS;
    }
}

// Room for `capacity` entries (at least what KEYS_BUCKETS_MIN hold). NULL without memory.
struct keys *keys_new(uint64_t capacity, struct qsbr *q);
void keys_free(void *keys); // for qsbr_retire; NULL is fine. No reader is left.

// The entry of (hash, id), 0 when there is none. `ret_span` may be NULL. Writer, or no writer.
uint64_t keys_find(const struct keys *k, uint64_t hash, unsigned id, struct set_span *ret_span);
// 1 new, 0 was there (its span is `span` now), ERR_FULL (rebuild larger), ERR_NOMEM.
int keys_put(struct keys *k, uint64_t hash, unsigned id, struct set_span span);
bool keys_take(struct keys *k, uint64_t hash, unsigned id);
// A new table with all entries of `old` and room for `capacity`; it takes over the spans, and `old`
// serves its readers until it is retired. NULL without memory (or when a chain does not fit).
struct keys *keys_rebuilt(struct keys *old, uint64_t capacity);
// What keys_rebuilt should be asked for when `old` is full.
uint64_t keys_grown_capacity(const struct keys *old);
// Is ERR_FULL a matter of size, so that rebuilding helps?
bool keys_crowded(const struct keys *k);

// A walk over all entries in the order of their homes. Any thread that may read `k`; an entry that
// changes under the walk may be left out.
struct keys_walk {
    const struct keys *k;
    uint64_t next; // slot
};
struct keys_entry {
    uint64_t hash;
    unsigned id;
    bool dated;
    struct set_span span;
};
bool keys_walk_next(struct keys_walk *w, struct keys_entry *ret);
// Removes the entry that the walk just gave (writer).
void keys_walk_take(struct keys_walk *w, struct keys *k, const struct keys_entry *e);
size_t keys_bytes(const struct keys *k); // table and filter; 0 for NULL
