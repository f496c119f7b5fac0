// SPDX-License-Identifier: Apache-2.0
//
// reserve: attempts kept free for a short time, by key. A lock-free table of a fixed size.
//
// A bucket is two lines of words, 15 entries and a mark, and as many guids aside. An entry is
//     until, epoch seconds (34 bits) | pending (1) | group (8) | tag of the key (21)
// and free when it is 0 or `until` has come. Who takes one swaps in a pending word, stores the
// guid, then the word; an entry that pends counts whosever it is. The mark is an instant: until
// then entries that found this bucket full stand in the next one of their key.
//
// An entry counts for each question of its key. That two keys share bucket and tag (one entry in
// two million), or two groups their bits, makes a count too high for some seconds, never too low.
// Each step on a word is sequentially consistent: of two that take, then count, one sees the other.
// Any thread.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reserve {
    _Atomic uint64_t *words; // buckets of RESERVE_BUCKET
    _Atomic uint64_t *guids;
    uint64_t bucket_mask;
    size_t size;
    _Atomic int64_t now_s; // the latest that a taker said; for reserve_usage
};

#define RESERVE_BUCKET 16

// One key's entry. guid and group 0: not named.
struct reserve_entry {
    uint64_t key, group, guid;
};

// `entries_max`: a power of two, 128 at least. 0 or ERR_NOMEM.
int reserve_init(struct reserve *r, size_t entries_max);
void reserve_free(struct reserve *r);
static inline void reserve_prefetch(const struct reserve *r, uint64_t key)
{
    uint64_t bucket = (key >> 24 & r->bucket_mask) * RESERVE_BUCKET;

    __builtin_prefetch((const void *)(r->words + bucket), 1);
    __builtin_prefetch((const void *)(r->words + bucket + 8));
    __builtin_prefetch((const void *)(r->guids + bucket), 1);
}

enum reserve_kept { RESERVE_FULL, RESERVE_TAKEN, RESERVE_PROLONGED };
// Takes an entry, or makes that of the same guid last longer.
enum reserve_kept reserve_keep(struct reserve *r, const struct reserve_entry *e, int64_t now_s,
                               int64_t until_s);
// Lets go of all entries of this key and guid (not 0). How many there were.
unsigned reserve_drop(struct reserve *r, const struct reserve_entry *e);
// Lets go of one entry of this key without a guid, of the same group where both say one.
bool reserve_drop_unnamed(struct reserve *r, const struct reserve_entry *e);
// Live entries of `e`'s key, and of its group if it has one; not those of its own guid, and not one
// without a guid when it `holds` one. Stops at `enough`.
unsigned reserve_count(const struct reserve *r, const struct reserve_entry *e, bool holds,
                       int64_t now_s, unsigned enough);
uint64_t reserve_usage(const struct reserve *r); // live entries, estimated; slow
