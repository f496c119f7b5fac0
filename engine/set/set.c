// SPDX-License-Identifier: Apache-2.0
#include "engine/set/set.h"

#include <stdlib.h>
#include <string.h>

#include "engine/set/set_state.h"

static_assert(PAGES_PLANES == LIMIT_SET_PLANES, "a descriptor has a bit for every plane");

int set_new(struct set **ret, uint64_t seed, const struct set_limits *limits, struct qsbr *q,
            struct err_info *info)
{
    struct set *s = aligned_alloc(64, sizeof *s);
    struct pages *pages = pages_new(limits->pages_bytes, q);

    CHECK(limits->planes_max <= PAGES_PLANES);
    if (s) {
        memset(s, 0, sizeof *s);
        s->seed = seed;
        s->limits = *limits;
        s->q = q;
        memset(s->plane_of, -1, sizeof s->plane_of);
    }
    if (!s || !pages || set_state_swap(s, pages, NULL)) {
        pages_free(pages);
        free(s);
        return err_set(info, ERR_NOMEM,
                       "The kernel refuses 1 GiB of address space for phone numbers; "
                       "try: ulimit -v unlimited, or sysctl vm.overcommit_memory=0.");
    }
    set_state_settle(s);
    *ret = s;
    return 0;
}

void set_free(struct set *s)
{
    struct view *view;

    if (!s) return;
    view = (struct view *)set_state_view(s);
    pages_flush(view->pages);
    qsbr_wait(s->q);
    pages_free(view->pages);
    keys_free(view->keys);
    free(view);
    free(s);
}

uint64_t set_seed(const struct set *s)
{
    return s->seed;
}

struct set_key set_key_device(const struct set *s, uint64_t device)
{
    struct set_key key = {.hash = set_state_hash(s->seed, device)};

    if (device > 10000000000 && pages_nanp_ok(device - 10000000000))
        key.nanp = device - 10000000000;
    return key;
}

struct set_key set_key_text(const struct set *s, enum set_kind kind, const char *text, size_t size)
{
    // kinds are apart, so that a client id that reads like an address is another key
    uint64_t hash = hash_keyed(s->seed ^ (uint64_t)kind << 56, text, size);

    return (struct set_key){.hash = hash ? hash : 1};
}

// -- state -----------------------------------------------------------------------------------
void set_state_moved(struct set *s)
{
    uint64_t moves = atomic_load_explicit(&s->moves, memory_order_relaxed);

    atomic_store_explicit(&s->moves, moves + 1, memory_order_release);
}

int set_state_swap(struct set *s, struct pages *pages, struct keys *keys)
{
    struct view *new = malloc(sizeof *new), *old = (struct view *)set_state_view(s);

    if (!new) return ERR_NOMEM;
    *new = (struct view){pages, keys};
    atomic_store_explicit(&s->view, new, memory_order_release);
    if (!old) return 0;
    if (old->pages != pages) {
        pages_flush(old->pages);
        qsbr_retire(s->q, pages_free, old->pages);
    }
    if (old->keys != keys) qsbr_retire(s->q, keys_free, old->keys);
    qsbr_retire(s->q, free, old);
    return 0;
}

int set_state_grow(struct set *s, uint64_t capacity)
{
    const struct view *view = set_state_view(s);
    struct keys *old = view->keys, *new;
    int rc;

    new = old ? keys_rebuilt(old, capacity) : keys_new(capacity, s->q);
    if (!new) return ERR_NOMEM;
    rc = set_state_swap(s, view->pages, new);
    if (rc) {
        new->spans_lent = true;
        if (old) old->spans_lent = false;
        keys_free(new);
        return rc;
    }
    set_state_settle(s);
    return 0;
}

int set_state_put(struct set *s, uint64_t hash, unsigned id, struct set_span span)
{
    struct keys *k = set_state_view(s)->keys;
    int rc = k ? keys_put(k, hash, id, span) : ERR_FULL;

    if (rc != ERR_FULL) return rc;
    if (k && !keys_crowded(k)) return ERR_FULL;
    rc = set_state_grow(s, k ? keys_grown_capacity(k) : 0);
    return rc ? rc : keys_put(set_state_view(s)->keys, hash, id, span);
}

void set_state_count(struct set *s, unsigned id, uint64_t page_count, uint64_t key_count)
{
    uint64_t pages = s->page_entries - s->page_count[id] + page_count;
    uint64_t keys = s->key_entries - s->key_count[id] + key_count;

    atomic_store_explicit(&s->page_count[id], page_count, memory_order_relaxed);
    atomic_store_explicit(&s->key_count[id], key_count, memory_order_relaxed);
    atomic_store_explicit(&s->page_entries, pages, memory_order_relaxed);
    atomic_store_explicit(&s->key_entries, keys, memory_order_relaxed);
}

void set_state_settle(struct set *s)
{
    const struct view *view = set_state_view(s);

    pages_flush(view->pages);
    qsbr_poll(s->q);
    s->pages_bytes = pages_bytes(view->pages);
    s->keys_bytes = keys_bytes(view->keys);
    s->spans_bytes = view->keys ? spans_bytes(view->keys->spans) : 0;
}

int set_state_plane_free(const struct set *s)
{
    for (unsigned k = 0; k < s->limits.planes_max; k++)
        if (!(s->planes_taken >> k & 1)) return (int)k;
    return -1;
}

void set_state_plane_own(struct set *s, unsigned id, unsigned plane)
{
    CHECK(s->plane_of[id] < 0 && !(s->planes_taken >> plane & 1));
    s->plane_of[id] = (int8_t)plane;
    s->planes_taken |= 1u << plane;
    s->planes_owned |= 1u << plane;
    atomic_store_explicit(&s->plane_id[plane], (uint16_t)id, memory_order_release);
}

struct let_go {
    struct set *set;
    unsigned plane;
};

static void on_plane_grace(void *ptr)
{
    struct let_go *g = ptr;

    g->set->planes_taken &= ~(1u << g->plane);
    free(g);
}

void set_state_plane_disown(struct set *s, unsigned id)
{
    unsigned plane = (unsigned)s->plane_of[id];
    struct let_go *g = malloc(sizeof *g);

    CHECK(plane < PAGES_PLANES);
    s->plane_of[id] = -1;
    s->planes_owned &= ~(1u << plane);
    if (!g) { // no memory to remember it: wait for the readers here
        qsbr_wait(s->q);
        s->planes_taken &= ~(1u << plane);
        return;
    }
    *g = (struct let_go){s, plane};
    qsbr_retire(s->q, on_plane_grace, g);
}

// -- one entry -------------------------------------------------------------------------------
int set_insert(struct set *s, unsigned id, struct set_key key, struct set_span span)
{
    struct pages *pages = set_state_view(s)->pages;
    struct keys *keys = set_state_view(s)->keys;
    int plane = key.nanp ? s->plane_of[id] : -1, rc;
    bool was_page = plane >= 0 && pages_test(pages, key.nanp, (unsigned)plane);
    bool was_key, page;

    CHECK(id > 0 && id < LIMIT_SET_IDS && key.hash);
    page = plane >= 0 && set_state_always(span) && pages_has(pages, key.nanp, plane);
    if (page) {
        was_key = keys_find(keys, key.hash, id, NULL);
        pages_set(pages, key.nanp, (unsigned)plane);
        if (was_key) {
            set_state_moved(s);
            keys_take(keys, key.hash, id);
        }
    } else {
        rc = set_state_put(s, key.hash, id, span);
        if (rc < 0) return rc;
        was_key = !rc;
        if (was_page) {
            set_state_moved(s);
            pages_clear(pages, key.nanp, (unsigned)plane);
        }
    }
    set_state_count(s, id, s->page_count[id] - was_page + page, s->key_count[id] - was_key + !page);
    return !was_page && !was_key;
}

int set_remove(struct set *s, unsigned id, struct set_key key)
{
    const struct view *view = set_state_view(s);
    int plane = key.nanp ? s->plane_of[id] : -1;
    bool page, was_key;

    CHECK(id > 0 && id < LIMIT_SET_IDS && key.hash);
    page = plane >= 0 && pages_clear(view->pages, key.nanp, (unsigned)plane);
    was_key = keys_take(view->keys, key.hash, id);
    set_state_count(s, id, s->page_count[id] - page, s->key_count[id] - was_key);
    return page || was_key;
}

// -- counts ----------------------------------------------------------------------------------
uint64_t set_count(const struct set *s, unsigned id)
{
    CHECK(id > 0 && id < LIMIT_SET_IDS);
    return atomic_load_explicit(&s->page_count[id], memory_order_relaxed) +
           atomic_load_explicit(&s->key_count[id], memory_order_relaxed);
}

void set_usage(const struct set *s, struct set_usage *ret)
{
    *ret = (struct set_usage){
        .pages_bytes = s->pages_bytes,
        .keys_bytes = s->keys_bytes,
        .spans_bytes = s->spans_bytes,
        .pages_entries = s->page_entries,
        .keys_entries = s->key_entries,
    };
}
