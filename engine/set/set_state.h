// SPDX-License-Identifier: Apache-2.0
//
// set_state: what the files of set share among themselves; nobody else includes this.
//
// An entry stands in the pages or in the keys. When it moves from one to the other the writer
// first writes the new place, then counts `moves` up, then clears the old one. A reader looks into
// both and then at `moves`: had the entry moved from the place it had not read yet to the one it
// had read already, the count changed in between, and it looks again.
//
// Pages and keys are replaced as a whole by swapping the one pointer to a view of both.
#pragma once

#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/set/keys.h"
#include "engine/set/pages.h"
#include "engine/set/set.h"

// Immutable; replaced through the qsbr.
struct view {
    struct pages *pages; // never NULL
    struct keys *keys;   // NULL until the first key
};

struct set {
    // read by every question, hardly ever written
    _Alignas(64) _Atomic(const struct view *) view;
    _Atomic uint64_t moves;
    uint64_t seed;
    struct qsbr *q;
    struct set_limits limits;
    _Atomic uint16_t plane_id[PAGES_PLANES]; // which id's bits stand in a plane; 0 = nobody's
    // writer's
    _Alignas(64) int8_t plane_of[LIMIT_SET_IDS]; // -1 = the id has none
    unsigned planes_taken;                       // owned, or waiting for readers to let go
    _Atomic unsigned planes_owned;
    _Atomic uint64_t publishes; // odd while one runs
    _Atomic uint64_t page_count[LIMIT_SET_IDS], key_count[LIMIT_SET_IDS];
    _Atomic uint64_t page_entries, key_entries;
    _Atomic size_t pages_bytes, keys_bytes, spans_bytes;
};

struct set_build {
    uint64_t seed;
    struct set_limits limits;
    unsigned id;
    size_t expected;
    struct pages *pages; // plane 0 only; NULL until needed
    struct keys *keys;   // NULL until needed
    uint64_t page_entries;
    uint64_t dated; // dated entries of NANP devices in keys, at most
};

static inline uint64_t set_state_hash(uint64_t seed, uint64_t device)
{
    uint64_t hash = hash_keyed_u64(seed, device);

    return hash ? hash : 1;
}
static inline uint64_t set_state_hash_nanp(uint64_t seed, uint64_t nanp)
{
    return set_state_hash(seed, 10000000000 + nanp);
}
static inline bool set_state_always(struct set_span span)
{
    return span.from_s == 0 && span.till_s == SET_FOREVER;
}
static inline const struct view *set_state_view(const struct set *s)
{
    return atomic_load_explicit(&s->view, memory_order_acquire);
}

// All of these: writer.
// Marks that what was written to an entry's new place comes before what is cleared in its old one.
void set_state_moved(struct set *s);
// Shows `pages` and `keys`; what they replace is retired. 0 or ERR_NOMEM.
int set_state_swap(struct set *s, struct pages *pages, struct keys *keys);
// Room for `capacity` keys. 0 or ERR_NOMEM.
int set_state_grow(struct set *s, uint64_t capacity);
// keys_put, growing as needed.
int set_state_put(struct set *s, uint64_t hash, unsigned id, struct set_span span);
void set_state_count(struct set *s, unsigned id, uint64_t page_count, uint64_t key_count);
// Refreshes what set_usage shows and lets the qsbr free what is due.
void set_state_settle(struct set *s);
// A plane that nobody owns, -1 when there is none.
int set_state_plane_free(const struct set *s);
void set_state_plane_own(struct set *s, unsigned id, unsigned plane);
// The id's bits are out of the pages; the plane is another's when no reader can see old blocks.
void set_state_plane_disown(struct set *s, unsigned id);

// Any thread: moves what the builder holds in pages to its keys. 0, ERR_NOMEM, ERR_FULL.
int set_build_spread(struct set_build *b);
