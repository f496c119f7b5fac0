// SPDX-License-Identifier: Apache-2.0
#include "engine/ledger/reserve.h"

#include "engine/base/check.h"
#include "engine/base/err.h"
#include "engine/base/mem.h"

#define TAG_BITS    21
#define GROUP_BITS  8
#define PENDING     ((uint64_t)1 << (TAG_BITS + GROUP_BITS))
#define UNTIL_SHIFT (TAG_BITS + GROUP_BITS + 1)
#define UNTIL_MAX   (((int64_t)1 << (64 - UNTIL_SHIFT)) - 1)
#define TAG_MASK    (((uint64_t)1 << TAG_BITS) - 1)
#define GROUP_MASK  (((uint64_t)1 << GROUP_BITS) - 1)
// Buckets that a key's entries may stand in, the later ones only when those before are full: one in
// five is when three quarters of the table are taken. Each key has a stride of its own.
#define HOPS_MAX 8
// Beyond that many buckets a sample of them is counted.
#define SAMPLE_BUCKETS 4096

int reserve_init(struct reserve *r, size_t entries_max)
{
    CHECK(entries_max >= HOPS_MAX * RESERVE_BUCKET && (entries_max & (entries_max - 1)) == 0);
    *r = (struct reserve){.size = entries_max * sizeof(uint64_t)};
    r->bucket_mask = entries_max / RESERVE_BUCKET - 1;
    r->words = mem_map(r->size);
    r->guids = mem_map(r->size);
    if (r->words && r->guids) return 0;
    reserve_free(r);
    return ERR_NOMEM;
}

void reserve_free(struct reserve *r)
{
    mem_unmap((void *)r->words, r->size);
    mem_unmap((void *)r->guids, r->size);
    r->words = NULL;
    r->guids = NULL;
}

static inline uint64_t bucket_of(const struct reserve *r, uint64_t key, unsigned hop)
{
    uint64_t stride = key >> 48 | 1;

    return (((key >> 24) + hop * stride) & r->bucket_mask) * RESERVE_BUCKET;
}

// Never 0 for a group that is named.
static inline uint64_t group_bits(uint64_t group)
{
    uint64_t bits = group >> 8 & GROUP_MASK;

    return group && !bits ? 1 : bits;
}

static inline int64_t until_of(uint64_t word)
{
    return (int64_t)(word >> UNTIL_SHIFT);
}

static inline uint64_t word_of(const struct reserve_entry *e, int64_t until_s)
{
    uint64_t until = until_s < 0 ? 0 : (uint64_t)(until_s < UNTIL_MAX ? until_s : UNTIL_MAX);

    return until << UNTIL_SHIFT | group_bits(e->group) << TAG_BITS | (e->key & TAG_MASK);
}

static inline uint64_t load(const struct reserve *r, uint64_t place)
{
    return atomic_load_explicit(&r->words[place], memory_order_seq_cst);
}

static inline bool swap(struct reserve *r, uint64_t place, uint64_t *was, uint64_t word)
{
    return atomic_compare_exchange_strong_explicit(&r->words[place], was, word,
                                                   memory_order_seq_cst, memory_order_seq_cst);
}

static inline bool is_of(uint64_t word, const struct reserve_entry *e)
{
    return word && !((word ^ e->key) & TAG_MASK);
}

static inline bool fits_group(uint64_t word, uint64_t bits)
{
    uint64_t theirs = word >> TAG_BITS & GROUP_MASK;

    return !bits || !theirs || theirs == bits;
}

// From now until `until_s` who looks here looks in the next bucket as well.
static void mark(struct reserve *r, uint64_t bucket, int64_t until_s)
{
    uint64_t was = load(r, bucket);

    while ((int64_t)was < until_s && !swap(r, bucket, &was, (uint64_t)until_s)) continue;
}

static bool has_guid(const struct reserve *r, uint64_t place, uint64_t word, uint64_t guid)
{
    if (word & PENDING) return false;
    if (atomic_load_explicit(&r->guids[place], memory_order_acquire) != guid) return false;
    return load(r, place) == word; // else the guid may be another entry's
}

static bool prolong(struct reserve *r, const struct reserve_entry *e, int64_t now_s,
                    int64_t until_s)
{
    uint64_t later = word_of(e, until_s);

    for (unsigned hop = 0; hop < HOPS_MAX; hop++) {
        uint64_t bucket = bucket_of(r, e->key, hop);

        for (unsigned i = 1; i < RESERVE_BUCKET; i++) {
            uint64_t word = load(r, bucket + i);

            if (!is_of(word, e) || until_of(word) <= now_s) continue;
            if (!has_guid(r, bucket + i, word, e->guid)) continue;
            if (until_of(word) >= until_of(later)) return true;
            for (unsigned h = 0; h < hop; h++) mark(r, bucket_of(r, e->key, h), until_s);
            if (swap(r, bucket + i, &word, later)) return true;
        }
        if ((int64_t)load(r, bucket) <= now_s) break;
    }
    return false;
}

static bool take(struct reserve *r, uint64_t place, const struct reserve_entry *e, int64_t now_s,
                 uint64_t word)
{
    uint64_t was = load(r, place);

    while (until_of(was) <= now_s) {
        if (!swap(r, place, &was, word | PENDING)) continue;
        atomic_store_explicit(&r->guids[place], e->guid, memory_order_release);
        was = word | PENDING;
        // unless this thread was held up for so long that the entry is over and another's
        if (swap(r, place, &was, word)) return true;
    }
    return false;
}

enum reserve_kept reserve_keep(struct reserve *r, const struct reserve_entry *e, int64_t now_s,
                               int64_t until_s)
{
    uint64_t word = word_of(e, until_s);

    if (atomic_load_explicit(&r->now_s, memory_order_relaxed) != now_s)
        atomic_store_explicit(&r->now_s, now_s, memory_order_relaxed);
    if (e->guid && prolong(r, e, now_s, until_s)) return RESERVE_PROLONGED;
    for (unsigned hop = 0; hop < HOPS_MAX; hop++) {
        uint64_t bucket = bucket_of(r, e->key, hop);

        for (unsigned i = 1; i < RESERVE_BUCKET; i++)
            if (take(r, bucket + i, e, now_s, word)) return RESERVE_TAKEN;
        // before anything goes there
        if (hop + 1 < HOPS_MAX) mark(r, bucket, until_s);
    }
    return RESERVE_FULL;
}

unsigned reserve_drop(struct reserve *r, const struct reserve_entry *e)
{
    unsigned dropped = 0;

    for (unsigned hop = 0; hop < HOPS_MAX; hop++) {
        uint64_t bucket = bucket_of(r, e->key, hop);

        for (unsigned i = 1; i < RESERVE_BUCKET; i++) {
            uint64_t word = load(r, bucket + i);

            // one that was just made to last longer is the same entry still
            while (is_of(word, e) && has_guid(r, bucket + i, word, e->guid)) {
                if (!swap(r, bucket + i, &word, 0)) continue;
                dropped++;
                break;
            }
        }
        if (!load(r, bucket)) break;
    }
    return dropped;
}

bool reserve_drop_unnamed(struct reserve *r, const struct reserve_entry *e)
{
    uint64_t bits = group_bits(e->group);

    for (unsigned hop = 0; hop < HOPS_MAX; hop++) {
        uint64_t bucket = bucket_of(r, e->key, hop);

        for (unsigned i = 1; i < RESERVE_BUCKET; i++) {
            uint64_t word = load(r, bucket + i);

            if (is_of(word, e) && fits_group(word, bits) && has_guid(r, bucket + i, word, 0) &&
                swap(r, bucket + i, &word, 0))
                return true;
        }
        if (!load(r, bucket)) break;
    }
    return false;
}

// Whether the entry counts against `e`; *holds: one of its own without a guid is still to be met.
static bool counts(const struct reserve *r, uint64_t place, uint64_t word,
                   const struct reserve_entry *e, bool *holds)
{
    if (e->guid) return !has_guid(r, place, word, e->guid);
    if (!*holds || !has_guid(r, place, word, 0)) return true;
    *holds = false;
    return false;
}

unsigned reserve_count(const struct reserve *r, const struct reserve_entry *e, bool holds,
                       int64_t now_s, unsigned enough)
{
    uint64_t bits = group_bits(e->group);
    unsigned count = 0;

    for (unsigned hop = 0; hop < HOPS_MAX; hop++) {
        uint64_t bucket = bucket_of(r, e->key, hop);

        for (unsigned i = 1; i < RESERVE_BUCKET; i++) {
            uint64_t word = load(r, bucket + i);

            if (LIKELY(!is_of(word, e)) || until_of(word) <= now_s) continue;
            if (!fits_group(word, bits) || !counts(r, bucket + i, word, e, &holds)) continue;
            if (++count >= enough) return count;
        }
        if ((int64_t)load(r, bucket) <= now_s) break;
    }
    return count;
}

uint64_t reserve_usage(const struct reserve *r)
{
    int64_t now_s = atomic_load_explicit(&r->now_s, memory_order_relaxed);
    uint64_t buckets = r->bucket_mask + 1, count = 0;
    uint64_t each = buckets > SAMPLE_BUCKETS ? buckets / SAMPLE_BUCKETS : 1;

    for (uint64_t b = 0; b < buckets; b += each)
        for (unsigned i = 1; i < RESERVE_BUCKET; i++)
            count += until_of(load(r, b * RESERVE_BUCKET + i)) > now_s;
    return count * each;
}
