// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "engine/set/set.h"
#include "engine/set/set_state.h"

// One probe's view of what it found; `fn` sees each hit and says whether to go on.
struct scan {
    const struct set *s;
    const struct set_probe *p;
    bool (*fn)(void *ctx, struct set_hit hit);
    void *ctx;
    bool stale; // an entry changed under the probe: look again
};

void set_probe_start(const struct set *s, struct set_probe *p, struct set_key key)
{
    const struct view *view;
    uint32_t line;

    p->key = key;
    p->line = 0;
    p->moves = atomic_load_explicit(&s->moves, memory_order_acquire);
    view = set_state_view(s);
    p->pages = view->pages;
    p->keys = view->keys;
    if (key.nanp) {
        p->exchange = pages_exchange(key.nanp, &line);
        p->line = (uint16_t)line;
        __builtin_prefetch(&p->pages->desc[p->exchange]);
    }
    p->count = 0;
    p->bucket = NULL;
    if (p->keys) __builtin_prefetch(keys_block(p->keys, key.hash));
}

void set_probe_fetch(const struct set *s, struct set_probe *p)
{
    (void)s;
    if (p->key.nanp) {
        uint64_t desc = pages_load(p->pages, p->exchange);
        const _Atomic uint64_t *row = pages_block(p->pages, desc);

        p->count = pages_desc_count(desc);
        p->planes = (uint16_t)pages_desc_planes(desc);
        row += (unsigned)(p->line >> 6) * p->count;
        p->row = row;
        __builtin_prefetch(row);
        if (UNLIKELY(p->count > 8)) __builtin_prefetch(row + 8);
    }
    if (p->keys && keys_maybe(p->keys, p->key.hash)) {
        p->bucket = keys_home(p->keys, p->key.hash);
        __builtin_prefetch(p->bucket);
        // a fifth of the buckets is full and passes the chain on
        __builtin_prefetch((const char *)p->bucket + 64);
    }
}

static inline __attribute__((always_inline)) bool on_entry(void *ctx, uint64_t entry)
{
    struct scan *c = ctx;
    struct set_hit hit = {.id = (uint16_t)keys_id(entry), .span = SET_ALWAYS};

    if (UNLIKELY(keys_dated(entry))) {
        const struct keys *k = c->p->keys;
        const struct spans *spans = atomic_load_explicit(&k->spans, memory_order_acquire);

        if (!spans_get(spans, spans_tag(c->p->key.hash, hit.id), &hit.span)) {
            c->stale = true;
            return false;
        }
    }
    return c->fn(c->ctx, hit);
}

// The words of all planes in one; 0 when the exchange has none.
static inline uint64_t row_any(const struct set_probe *p)
{
    const _Atomic uint64_t *row = p->row;
    uint64_t any = 0;

    for (unsigned r = 0; r < p->count; r++)
        any |= atomic_load_explicit(&row[r], memory_order_acquire);
    return any;
}

static inline __attribute__((always_inline)) void row_scan(struct scan *c)
{
    const struct set_probe *p = c->p;
    const _Atomic uint64_t *row = p->row;
    unsigned bit = p->line & 63, planes = p->planes;

    if (!(row_any(p) >> bit & 1)) return;
    for (; planes; planes &= planes - 1, row++) {
        unsigned plane = (unsigned)__builtin_ctz(planes);
        struct set_hit hit = {.span = SET_ALWAYS};

        if (!(atomic_load_explicit(row, memory_order_acquire) >> bit & 1)) continue;
        hit.id = atomic_load_explicit(&c->s->plane_id[plane], memory_order_acquire);
        if (hit.id && !c->fn(c->ctx, hit)) return;
    }
}

// False when the probe must be made again.
static inline __attribute__((always_inline)) bool scan_once(struct scan *c)
{
    const struct set_probe *p = c->p;

    c->stale = false;
    if (p->count) row_scan(c);
    if (p->bucket) keys_each(p->bucket, p->key.hash, on_entry, c);
    return LIKELY(!c->stale) &&
           LIKELY(atomic_load_explicit(&c->s->moves, memory_order_acquire) == p->moves);
}

static void again(const struct set *s, struct set_probe *p, struct set_key key)
{
    set_probe_start(s, p, key);
    set_probe_fetch(s, p);
}

struct best {
    const uint16_t *rank;
    uint32_t now_s;
    uint16_t found;
    uint16_t id;
    struct set_span span;
};

static inline __attribute__((always_inline)) bool on_best(void *ctx, struct set_hit hit)
{
    struct best *b = ctx;
    bool active = hit.span.from_s <= b->now_s &&
                  (b->now_s < hit.span.till_s || hit.span.till_s == SET_FOREVER);

    if (active && b->rank[hit.id] < b->found) {
        b->found = b->rank[hit.id];
        b->id = hit.id;
        b->span = hit.span;
    }
    return true;
}

static __attribute__((noinline)) uint16_t best_of_hits(const struct set *s,
                                                       const struct set_probe *p,
                                                       const uint16_t *rank, uint32_t now_s,
                                                       struct set_hit *ret_hit)
{
    struct best best = {.rank = rank, .now_s = now_s, .found = SET_NO_RANK};
    struct scan scan = {.s = s, .p = p, .fn = on_best, .ctx = &best};
    struct set_probe fresh;

    while (!scan_once(&scan)) {
        again(s, &fresh, p->key);
        scan.p = &fresh;
        best.found = SET_NO_RANK;
    }
    if (best.found != SET_NO_RANK) {
        ret_hit->id = best.id;
        ret_hit->span = best.span;
    }
    return best.found;
}

uint16_t set_probe_best(const struct set *s, const struct set_probe *p, const uint16_t *rank,
                        uint32_t now_s, struct set_hit *ret_hit)
{
    // most keys are on no list: that answer is found without a stack frame
    if (!p->bucket && !(row_any(p) >> (p->line & 63) & 1) &&
        atomic_load_explicit(&s->moves, memory_order_acquire) == p->moves)
        return SET_NO_RANK;
    return best_of_hits(s, p, rank, now_s, ret_hit);
}

struct all {
    unsigned count;
    uint64_t seen[LIMIT_SET_IDS / 64];
    struct set_hit hits[LIMIT_SET_IDS];
};

static bool on_any(void *ctx, struct set_hit hit)
{
    struct all *a = ctx;
    uint64_t bit = (uint64_t)1 << (hit.id & 63);

    // an entry between its two places is one hit
    if (a->seen[hit.id >> 6] & bit) return true;
    a->seen[hit.id >> 6] |= bit;
    a->hits[a->count++] = hit;
    return true;
}

static void collect(const struct set *s, const struct set_probe *p, struct all *ret)
{
    struct scan scan = {.s = s, .p = p, .fn = on_any, .ctx = ret};
    struct set_probe fresh;

    ret->count = 0;
    memset(ret->seen, 0, sizeof ret->seen);
    while (!scan_once(&scan)) {
        again(s, &fresh, p->key);
        scan.p = &fresh;
        ret->count = 0;
        memset(ret->seen, 0, sizeof ret->seen);
    }
}

void set_probe_each(const struct set *s, const struct set_probe *p,
                    void (*fn)(void *ctx, const struct set_hit *hit), void *ctx)
{
    struct all all;

    collect(s, p, &all);
    for (unsigned i = 0; i < all.count; i++) fn(ctx, &all.hits[i]);
}

struct one {
    unsigned id;
    bool found;
    struct set_span span;
};

static inline __attribute__((always_inline)) bool on_one(void *ctx, struct set_hit hit)
{
    struct one *o = ctx;

    if (hit.id != o->id) return true;
    o->found = true;
    o->span = hit.span;
    return false;
}

bool set_find(const struct set *s, unsigned id, struct set_key key, struct set_span *ret_span)
{
    struct one one = {.id = id};
    struct set_probe p;
    struct scan scan = {.s = s, .p = &p, .fn = on_one, .ctx = &one};

    CHECK(id > 0 && id < LIMIT_SET_IDS);
    do {
        one.found = false;
        again(s, &p, key);
    } while (!scan_once(&scan));
    if (one.found && ret_span) *ret_span = one.span;
    return one.found;
}
