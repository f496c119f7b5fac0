// SPDX-License-Identifier: Apache-2.0
#include "engine/set/keys.h"

#include <stdlib.h>

#include "engine/base/limits.h"
#include "engine/base/mem.h"

#define FILTER_BITS_PER_KEY 12
#define FILTER_BLOCK_BITS   256
// Load 0.70: at 0.85 a quarter of the inserts leave their home and negatives cost four times.
#define LOAD_NUM 7
#define LOAD_DEN 10

static_assert(LIMIT_SET_IDS == 1024, "an id has 10 bits in an entry");
static_assert(KEYS_REST_BITS + 7 + KEYS_TAIL_BITS == 64, "an entry is one word");
static_assert(1 << (64 - KEYS_REST_BITS) <= KEYS_BUCKETS_MIN, "a home and 46 bits give the hash");

static size_t slots_bytes(const struct keys *k)
{
    return (k->buckets + KEYS_CHAIN) * KEYS_SLOTS * sizeof(uint64_t);
}

static size_t filter_bytes(const struct keys *k)
{
    return k->blocks * FILTER_BLOCK_BITS / 8;
}

struct keys *keys_new(uint64_t capacity, struct qsbr *q)
{
    struct keys *k = calloc(1, sizeof *k);

    if (!k) return NULL;
    k->buckets = capacity * LOAD_DEN / LOAD_NUM / KEYS_SLOTS + 1;
    if (k->buckets < KEYS_BUCKETS_MIN) k->buckets = KEYS_BUCKETS_MIN;
    CHECK(k->buckets < UINT32_MAX);
    k->capacity = k->buckets * KEYS_SLOTS * LOAD_NUM / LOAD_DEN;
    k->blocks = k->capacity * FILTER_BITS_PER_KEY / FILTER_BLOCK_BITS + 1;
    k->q = q;
    k->slots = mem_map(slots_bytes(k));
    k->filter = mem_map(filter_bytes(k));
    if (k->slots && k->filter) return k;
    keys_free(k);
    return NULL;
}

void keys_free(void *keys)
{
    struct keys *k = keys;

    if (!k) return;
    if (!k->spans_lent) spans_free(atomic_load_explicit(&k->spans, memory_order_relaxed));
    mem_unmap(k->slots, slots_bytes(k));
    mem_unmap(k->filter, filter_bytes(k));
    free(k);
}

size_t keys_bytes(const struct keys *k)
{
    return k ? slots_bytes(k) + filter_bytes(k) : 0;
}

// Where (hash, id) stands, and where it would go.
struct place {
    _Atomic uint64_t *there; // NULL: nowhere
    _Atomic uint64_t *vacant;
    uint64_t vacant_word; // the entry without id and dated, for that slot
};

static struct place place_of(const struct keys *k, uint64_t hash, unsigned id)
{
    _Atomic uint64_t *slot = (_Atomic uint64_t *)keys_home(k, hash);
    uint64_t want = hash << (64 - KEYS_REST_BITS);
    struct place p = {0};

    for (unsigned d = 0; d < KEYS_CHAIN; d++, slot += KEYS_SLOTS) {
        for (unsigned i = 0; i < KEYS_SLOTS; i++) {
            uint64_t e = atomic_load_explicit(&slot[i], memory_order_relaxed);

            if (!keys_id(e)) {
                if (!p.vacant) {
                    p.vacant = &slot[i];
                    p.vacant_word = want;
                }
                if (!e) return p;
            } else if ((e ^ want) >> 1 == id) {
                p.there = &slot[i];
                return p;
            }
        }
        want += (uint64_t)1 << KEYS_TAIL_BITS;
    }
    return p;
}

uint64_t keys_find(const struct keys *k, uint64_t hash, unsigned id, struct set_span *ret_span)
{
    struct place p;
    uint64_t e;

    if (!k || !keys_maybe(k, hash)) return 0;
    p = place_of(k, hash, id);
    if (!p.there) return 0;
    e = atomic_load_explicit(p.there, memory_order_relaxed);
    if (ret_span) {
        *ret_span = SET_ALWAYS;
        if (keys_dated(e)) CHECK(spans_get(k->spans, spans_tag(hash, id), ret_span));
    }
    return e;
}

static void filter_mark(struct keys *k, uint64_t hash)
{
    _Atomic uint64_t *block = keys_block(k, hash);

    for (unsigned i = 0; i < 4; i++) {
        uint64_t old = atomic_load_explicit(&block[i], memory_order_relaxed);
        uint64_t new = old | keys_bits(hash, i);

        if (new != old) atomic_store_explicit(&block[i], new, memory_order_release);
    }
}

static int span_put(struct keys *k, uint64_t tag, struct set_span span)
{
    struct spans *old = atomic_load_explicit(&k->spans, memory_order_relaxed), *grown;

    if (old && spans_put(old, tag, span) == 0) return 0;
    grown = old ? spans_grown(old) : spans_new(0);
    if (!grown) return ERR_NOMEM;
    CHECK(spans_put(grown, tag, span) == 0);
    atomic_store_explicit(&k->spans, grown, memory_order_release);
    if (k->q)
        qsbr_retire(k->q, spans_free, old);
    else
        spans_free(old);
    return 0;
}

static bool filter_worn(const struct keys *k)
{
    return k->marked >= k->capacity + k->capacity / 8;
}

bool keys_crowded(const struct keys *k)
{
    return k->used >= k->capacity / 4 || filter_worn(k);
}

uint64_t keys_grown_capacity(const struct keys *old)
{
    return old->live + old->live / 2;
}

int keys_put(struct keys *k, uint64_t hash, unsigned id, struct set_span span)
{
    bool dated = span.from_s != 0 || span.till_s != SET_FOREVER;
    struct place p = place_of(k, hash, id);
    uint64_t old = 0, tag = spans_tag(hash, id);

    CHECK(id > 0 && id < LIMIT_SET_IDS);
    if (p.there) {
        old = atomic_load_explicit(p.there, memory_order_relaxed);
    } else {
        if (!p.vacant || filter_worn(k)) return ERR_FULL;
        if (!atomic_load_explicit(p.vacant, memory_order_relaxed) && k->used >= k->capacity)
            return ERR_FULL;
    }
    if (dated && span_put(k, tag, span)) return ERR_NOMEM;
    filter_mark(k, hash);
    if (p.there) {
        // the span is there before the entry says so, and goes after it no longer does
        atomic_store_explicit(p.there, (old & ~(uint64_t)1) | dated, memory_order_release);
        if (keys_dated(old) && !dated) spans_take(k->spans, tag);
        return 0;
    }
    k->used += !atomic_load_explicit(p.vacant, memory_order_relaxed);
    k->live++;
    k->marked++;
    atomic_store_explicit(p.vacant, p.vacant_word | (uint64_t)id << 1 | dated,
                          memory_order_release);
    return 1;
}

static void slot_take(struct keys *k, _Atomic uint64_t *slot, uint64_t hash, unsigned id)
{
    uint64_t e = atomic_load_explicit(slot, memory_order_relaxed);

    atomic_store_explicit(slot, KEYS_REMOVED, memory_order_release);
    k->live--;
    if (keys_dated(e)) spans_take(k->spans, spans_tag(hash, id));
}

bool keys_take(struct keys *k, uint64_t hash, unsigned id)
{
    struct place p;

    if (!k || !keys_maybe(k, hash)) return false;
    p = place_of(k, hash, id);
    if (!p.there) return false;
    slot_take(k, p.there, hash, id);
    return true;
}

// The hash whose home is `bucket` and whose low 46 bits stand in `entry`.
static uint64_t hash_of(const struct keys *k, uint64_t bucket, uint64_t entry)
{
    // the home's first hash is ceil(bucket * 2^64 / buckets), taken apart to stay in 64 bits
    uint64_t whole = UINT64_MAX / k->buckets, part = 0 - whole * k->buckets;
    uint64_t low = bucket * whole + (bucket * part + k->buckets - 1) / k->buckets;
    uint64_t rest = entry >> (64 - KEYS_REST_BITS);

    return low + ((rest - low) & (((uint64_t)1 << KEYS_REST_BITS) - 1));
}

bool keys_walk_next(struct keys_walk *w, struct keys_entry *ret)
{
    const struct keys *k = w->k;
    uint64_t end = k ? (k->buckets + KEYS_CHAIN) * KEYS_SLOTS : 0;

    while (w->next < end) {
        _Atomic uint64_t *slot = &k->slots[w->next];
        uint64_t e = atomic_load_explicit(slot, memory_order_acquire);
        uint64_t bucket = w->next / KEYS_SLOTS, step = e >> KEYS_TAIL_BITS & (KEYS_CHAIN - 1);

        w->next++;
        if (!keys_id(e)) continue;
        *ret = (struct keys_entry){hash_of(k, bucket - step, e), keys_id(e), keys_dated(e),
                                   SET_ALWAYS};
        if (!ret->dated || spans_get(k->spans, spans_tag(ret->hash, ret->id), &ret->span))
            return true;
        // No span: the entry changed since it was read. Read it again, unless this table was
        // replaced and does not show the change.
        if (atomic_load_explicit(slot, memory_order_acquire) != e) w->next--;
    }
    return false;
}

void keys_walk_take(struct keys_walk *w, struct keys *k, const struct keys_entry *e)
{
    CHECK(w->k == k && w->next > 0);
    slot_take(k, &k->slots[w->next - 1], e->hash, e->id);
}

struct keys *keys_rebuilt(struct keys *old, uint64_t capacity)
{
    struct keys *k = keys_new(capacity > old->live ? capacity : old->live + 1, old->q);
    struct keys_walk w = {.k = old};
    struct keys_entry e;

    if (!k) return NULL;
    while (keys_walk_next(&w, &e)) {
        struct place p = place_of(k, e.hash, e.id);

        if (!p.vacant) {
            keys_free(k);
            return NULL;
        }
        filter_mark(k, e.hash);
        atomic_store_explicit(p.vacant, p.vacant_word | (uint64_t)e.id << 1 | e.dated,
                              memory_order_relaxed);
        k->used++;
        k->live++;
        k->marked++;
    }
    CHECK(k->live == old->live);
    atomic_store_explicit(&k->spans, old->spans, memory_order_relaxed);
    old->spans_lent = true;
    return k;
}
