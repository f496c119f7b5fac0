// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "engine/set/set.h"
#include "engine/set/set_state.h"

#define SPREAD_AHEAD 32
// A hint beyond this (a sparse file's size, say) reserves no more; the table grows as it fills.
#define EXPECTED_MAX ((size_t)1 << 28)

struct set_build *set_build_new(const struct set *s, unsigned id, size_t expected)
{
    struct set_build *b = calloc(1, sizeof *b);

    CHECK(id > 0 && id < LIMIT_SET_IDS);
    if (!b) return NULL;
    b->seed = s->seed;
    b->limits = s->limits;
    b->id = id;
    b->expected = expected < EXPECTED_MAX ? expected : EXPECTED_MAX;
    return b;
}

void set_build_free(struct set_build *b)
{
    if (!b) return;
    pages_free(b->pages);
    keys_free(b->keys);
    free(b);
}

size_t set_build_count(const struct set_build *b)
{
    return b->page_entries + (b->keys ? b->keys->live : 0);
}

// Room for `capacity` keys.
static int reserve(struct set_build *b, uint64_t capacity)
{
    struct keys *old = b->keys, *new;

    new = old ? keys_rebuilt(old, capacity) : keys_new(capacity, NULL);
    if (!new) return ERR_NOMEM;
    keys_free(old);
    b->keys = new;
    return 0;
}

static int put(struct set_build *b, uint64_t hash, struct set_span span)
{
    int rc = b->keys ? keys_put(b->keys, hash, b->id, span) : ERR_FULL;

    if (rc != ERR_FULL) return rc;
    if (b->keys && !keys_crowded(b->keys)) return ERR_FULL;
    rc = reserve(b, b->keys ? keys_grown_capacity(b->keys) : b->expected);
    return rc ? rc : keys_put(b->keys, hash, b->id, span);
}

// The first device, a new exchange, or a device that may be here with dates.
static __attribute__((noinline)) int add_nanp_slow(struct set_build *b, uint64_t nanp)
{
    bool was_key = false;
    uint64_t hash, at;
    uint32_t line, exchange = pages_exchange(nanp, &line);

    if (!b->pages) b->pages = pages_new(b->limits.pages_bytes, NULL);
    if (!b->pages) return ERR_NOMEM;
    if (!pages_load(b->pages, exchange)) {
        // never-used memory of a mapping: it reads as zero
        if (!pages_block_new(b->pages, 1, &at)) return ERR_NOMEM;
        pages_publish(b->pages, exchange, at, 1);
    }
    if (!pages_set(b->pages, nanp, 0)) return 0;
    b->page_entries++;
    if (b->dated) {
        hash = set_state_hash_nanp(b->seed, nanp);
        was_key = keys_take(b->keys, hash, b->id);
        b->dated -= was_key;
    }
    return !was_key;
}

int set_build_add_nanp(struct set_build *b, uint64_t nanp)
{
    uint64_t desc = 0, old, bit;
    _Atomic uint64_t *word;
    uint32_t exchange, line;

    if (UNLIKELY(!pages_nanp_ok(nanp))) return ERR_BAD_VALUE;
    exchange = pages_exchange(nanp, &line);
    if (LIKELY(b->pages && !b->dated))
        desc = atomic_load_explicit(&b->pages->desc[exchange], memory_order_relaxed);
    if (UNLIKELY(!desc)) return add_nanp_slow(b, nanp);
    word = pages_block(b->pages, desc) + (line >> 6);
    bit = (uint64_t)1 << (line & 63);
    old = atomic_load_explicit(word, memory_order_relaxed);
    atomic_store_explicit(word, old | bit, memory_order_relaxed);
    b->page_entries += !(old & bit);
    return !(old & bit);
}

static struct set_span hull(struct set_span a, struct set_span b)
{
    return (struct set_span){
        .from_s = a.from_s < b.from_s ? a.from_s : b.from_s,
        .till_s = a.till_s > b.till_s ? a.till_s : b.till_s,
    };
}

int set_build_add(struct set_build *b, struct set_key key, struct set_span span)
{
    struct set_span old;
    int rc;

    CHECK(key.hash);
    if (key.nanp) {
        if (set_state_always(span)) return set_build_add_nanp(b, key.nanp);
        if (b->pages && pages_test(b->pages, key.nanp, 0)) return 0;
    }
    if (!keys_find(b->keys, key.hash, b->id, &old)) {
        rc = put(b, key.hash, span);
        b->dated += rc == 1 && key.nanp;
        return rc;
    }
    span = hull(old, span);
    if (key.nanp && set_state_always(span)) return set_build_add_nanp(b, key.nanp);
    return put(b, key.hash, span);
}

// Keys on their way to the table, so that their cache misses overlap.
struct crowd {
    uint64_t hash[SPREAD_AHEAD];
    unsigned count;
};

static int crowd_put(struct set_build *b, struct crowd *c)
{
    int rc = 0;

    for (unsigned i = 0; i < c->count && rc >= 0; i++) rc = put(b, c->hash[i], SET_ALWAYS);
    c->count = 0;
    return rc < 0 ? rc : 0;
}

static int spread_exchange(struct set_build *b, uint32_t exchange, struct crowd *c)
{
    uint64_t words[PAGES_WORDS];
    int rc = 0;

    pages_plane_read(b->pages, exchange, 0, words);
    for (unsigned w = 0; w < PAGES_WORDS; w++)
        for (uint64_t bits = words[w]; bits && !rc; bits &= bits - 1) {
            uint32_t line = w * 64 + (unsigned)__builtin_ctzll(bits);
            uint64_t hash = set_state_hash_nanp(b->seed, pages_nanp(exchange, line));

            keys_prefetch(b->keys, hash);
            c->hash[c->count++] = hash;
            if (c->count == SPREAD_AHEAD) rc = crowd_put(b, c);
        }
    return rc;
}

int set_build_spread(struct set_build *b)
{
    uint64_t want = set_build_count(b);
    struct crowd c = {.count = 0};
    int rc = 0;

    if (!b->pages) return 0;
    if (!b->keys || b->keys->capacity < want) rc = reserve(b, want);
    for (uint32_t x = 0; x < PAGES_EXCHANGES && !rc; x++)
        if (pages_load(b->pages, x)) rc = spread_exchange(b, x, &c);
    if (!rc) rc = crowd_put(b, &c);
    if (rc) return rc;
    pages_free(b->pages);
    b->pages = NULL;
    b->page_entries = 0;
    return 0;
}
