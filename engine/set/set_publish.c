// SPDX-License-Identifier: Apache-2.0
#include "engine/set/set.h"
#include "engine/set/set_state.h"

// Entries per touched exchange from which a plane pays: a page of 1,256 B against 13 B a key.
#define DENSE_PER_EXCHANGE 100

// What happens to the shared pages, or keys: nothing; the builder's take their place, because no
// other id has any; or they are changed in place.
enum side { SIDE_KEEP, SIDE_ADOPT, SIDE_MERGE };

static uint64_t key_entries(const struct set_build *b)
{
    return b->keys ? b->keys->live : 0;
}

// The plane that the builder's pages go to, -1: none.
static int plane_for(const struct set *s, const struct set_build *b)
{
    if (!b->pages || !b->page_entries) return -1;
    if (b->page_entries < b->pages->blocks * DENSE_PER_EXCHANGE) return -1;
    if (s->plane_of[b->id] >= 0) return s->plane_of[b->id];
    return set_state_plane_free(s);
}

static enum side pages_side(const struct set *s, const struct set_build *b, int plane)
{
    if (plane < 0) return s->plane_of[b->id] < 0 ? SIDE_KEEP : SIDE_MERGE;
    return s->page_entries == s->page_count[b->id] ? SIDE_ADOPT : SIDE_MERGE;
}

static enum side keys_side(const struct set *s, const struct set_build *b)
{
    if (!key_entries(b) && !s->key_count[b->id]) return SIDE_KEEP;
    return s->key_entries == s->key_count[b->id] ? SIDE_ADOPT : SIDE_MERGE;
}

// A table that is too large for what it holds is rebuilt, if there is memory for that: a list of
// 100 million keys stays below 13 bytes each.
static void fit(struct set_build *b)
{
    struct keys *k = b->keys, *fitted;

    if (!k || k->buckets == KEYS_BUCKETS_MIN) return;
    if (k->capacity < k->live + k->live / 128) return;
    fitted = keys_rebuilt(k, k->live + k->live / 256);
    if (!fitted) return;
    keys_free(k);
    b->keys = fitted;
}

// Shows the builder's pages, keys or both at one moment, and leaves them to the set.
static int adopt(struct set *s, struct set_build *b, bool pages, bool keys, unsigned plane)
{
    const struct view *view = set_state_view(s);
    int rc;

    if (keys) fit(b);
    if (pages) pages_relabel(b->pages, plane);
    rc = set_state_swap(s, pages ? b->pages : view->pages, keys ? b->keys : view->keys);
    if (rc) return rc;
    if (pages) {
        b->pages->q = s->q;
        b->pages = NULL;
    }
    if (keys) {
        if (b->keys) b->keys->q = s->q;
        b->keys = NULL;
    }
    return 0;
}

// Adds the builder's keys to the shared ones.
static int keys_bring(struct set *s, const struct set_build *b)
{
    const struct keys *k = set_state_view(s)->keys;
    struct keys_walk w = {.k = b->keys};
    struct keys_entry e;
    uint64_t fresh = 0;
    int rc = 0;

    if (!key_entries(b)) return 0;
    if (!k || k->capacity - k->used < key_entries(b))
        rc = set_state_grow(s, (k ? k->live : 0) + key_entries(b) + key_entries(b) / 16);
    while (rc >= 0 && keys_walk_next(&w, &e)) {
        rc = set_state_put(s, e.hash, b->id, e.span);
        fresh += rc == 1;
    }
    set_state_count(s, b->id, s->page_count[b->id], s->key_count[b->id] + fresh);
    return rc < 0 ? rc : 0;
}

// Takes out of the shared keys what the builder's keys have not.
static void keys_sweep(struct set *s, const struct set_build *b)
{
    struct keys *k = set_state_view(s)->keys;
    struct keys_walk w = {.k = k};
    struct keys_entry e;

    if (s->key_count[b->id] == key_entries(b)) return;
    while (keys_walk_next(&w, &e))
        if (e.id == b->id && !keys_find(b->keys, e.hash, e.id, NULL)) keys_walk_take(&w, k, &e);
}

static void plane_clear(struct set *s, unsigned plane)
{
    struct pages *pages = set_state_view(s)->pages;

    for (uint32_t x = 0; x < PAGES_EXCHANGES; x++) pages_plane_drop(pages, x, plane);
}

// Copies the shared pages without the planes in `dropped` and with the builder's, and shows the
// copy. Adding a plane in place would leave a hole behind for every block.
static int pages_renew(struct set *s, unsigned dropped, const struct pages *added, unsigned plane)
{
    const struct view *view = set_state_view(s);
    struct pages *pages = pages_rebuilt(view->pages, dropped, added, plane);
    int rc;

    if (!pages) return ERR_NOMEM;
    rc = set_state_swap(s, pages, view->keys);
    if (rc) pages_free(pages);
    return rc;
}

// Makes room in every page first, so that what can fail has not taken anything away.
static int pages_merge(struct set *s, const struct set_build *b, unsigned plane)
{
    struct pages *pages = set_state_view(s)->pages;
    uint64_t words[PAGES_WORDS];

    for (uint32_t x = 0; x < PAGES_EXCHANGES; x++)
        if (pages_load(b->pages, x) && pages_plane_add(pages, x, plane)) return ERR_NOMEM;
    for (uint32_t x = 0; x < PAGES_EXCHANGES; x++) {
        if (pages_load(b->pages, x)) {
            pages_plane_read(b->pages, x, 0, words);
            pages_plane_store(pages, x, plane, words);
        } else {
            pages_plane_drop(pages, x, plane);
        }
    }
    return 0;
}

// Keys first, pages second, removals of keys last: with `moves` counted in between, an entry that
// changes places is always in one of them.
static int change(struct set *s, struct set_build *b, bool fresh, enum side pages, enum side keys)
{
    unsigned own = (unsigned)s->plane_of[b->id];
    int rc = 0;

    if (keys != SIDE_KEEP) rc = keys_bring(s, b);
    if (rc) return rc;
    set_state_moved(s);
    if (pages == SIDE_ADOPT)
        rc = adopt(s, b, true, false, own);
    else if (pages == SIDE_MERGE && fresh)
        rc = pages_renew(s, 0, b->pages, own);
    else if (pages == SIDE_MERGE && b->page_entries)
        rc = pages_merge(s, b, own);
    else if (pages == SIDE_MERGE && pages_renew(s, 1u << own, NULL, 0))
        plane_clear(s, own);
    if (rc) return rc;
    set_state_moved(s);
    keys_sweep(s, b);
    return 0;
}

static int replace(struct set *s, struct set_build *b)
{
    uint64_t page_entries = b->page_entries, key_live = key_entries(b);
    int plane = plane_for(s, b), own = s->plane_of[b->id], rc;
    enum side pages = pages_side(s, b, plane), keys = keys_side(s, b);
    bool fresh = plane >= 0 && own < 0;

    if (fresh) set_state_plane_own(s, b->id, (unsigned)plane);
    if (pages != SIDE_MERGE && keys != SIDE_MERGE)
        rc = adopt(s, b, pages == SIDE_ADOPT, keys == SIDE_ADOPT, (unsigned)plane);
    else
        rc = change(s, b, fresh, pages, keys);
    if (!rc) {
        set_state_count(s, b->id, page_entries, key_live);
        if (plane < 0 && own >= 0) set_state_plane_disown(s, b->id);
    } else if (fresh) {
        plane_clear(s, (unsigned)plane);
        set_state_plane_disown(s, b->id);
    }
    set_state_settle(s);
    return rc;
}

int set_build_publish(struct set *s, struct set_build *b, struct err_info *info)
{
    int rc = 0;

    CHECK(b->seed == s->seed);
    atomic_fetch_add(&s->publishes, 1);
    if (plane_for(s, b) < 0) rc = set_build_spread(b);
    if (!rc) rc = replace(s, b);
    atomic_fetch_add(&s->publishes, 1);
    set_build_free(b);
    if (rc == ERR_FULL)
        return err_set(info, rc,
                       "One key would be on more lists than its chain can hold; "
                       "try: fewer lists with the same content.");
    if (rc)
        return err_set(info, rc,
                       "Not enough memory to put the new content beside the old one; "
                       "try: more memory, or a smaller list.");
    return 0;
}
