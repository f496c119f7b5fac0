// SPDX-License-Identifier: Apache-2.0
//
// set: which keys are on which lists. Exact: a filter's false positive never blocks anyone, and a
// false negative cannot exist.
//
// An *id* (1 … 1023) names one collection of keys; what it means is the caller's business (feed
// gives each list three). Inside there are two structures:
//   pages  NANP devices of dense ids: per exchange (NPA-NXX) one block of 10,000 bits for each such
//          id present there, the ids' words side by side, so that one or two lines of memory answer
//          for all of them (about 11 bits an entry for a registry);
//   keys   everything else, and every entry with dates: 64-bit keyed hash, a Bloom filter of
//          256-bit blocks in front, 64-byte buckets behind (about 13 B an entry).
// The caller never sees which one holds an entry.
//
// Threads: one writer (functions marked W) changes entries in place with single-word atomic stores
// while any number of readers (marked R) look up without a lock; readers hold a qsbr_reader and are
// quiet at the end of each turn, because replaced blocks are freed through the qsbr. A `set_build`
// belongs to whichever thread fills it until it is published.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/qsbr.h"

enum set_kind { SET_DEVICE = 1, SET_CLIENT, SET_EMAIL };

// A key to look for. Make with set_key_device / set_key_text only.
struct set_key {
    uint64_t hash; // keyed, under the set's seed; never 0
    uint64_t nanp; // ten digits of a NANP device, 0 otherwise
};

// When an entry counts: from <= now < till, epoch seconds. {0, SET_FOREVER} is always.
#define SET_FOREVER UINT32_MAX
struct set_span {
    uint32_t from_s, till_s;
};
#define SET_ALWAYS ((struct set_span){0, SET_FOREVER})

struct set;

struct set_limits {
    size_t pages_bytes;  // address space for pages, LIMIT_PAGES_BYTES
    unsigned planes_max; // LIMIT_SET_PLANES
};

// Owner of the memory: the set, until set_free. `q` must outlive it. 0, ERR_NOMEM.
int set_new(struct set **ret, uint64_t seed, const struct set_limits *limits, struct qsbr *q,
            struct err_info *info);
void set_free(struct set *s);
uint64_t set_seed(const struct set *s);

// -- keys (any thread) -----------------------------------------------------------------------
// `device` is an E.164 integer (wire/number.h).
struct set_key set_key_device(const struct set *s, uint64_t device);
// `text` is already normalised (wire/address.h); kind SET_CLIENT or SET_EMAIL.
struct set_key set_key_text(const struct set *s, enum set_kind kind, const char *text, size_t size);

// -- looking up (R) --------------------------------------------------------------------------
// In three steps, so that the cache misses of many questions overlap:
//   for each q: set_probe_start    hashes are there; prefetches the first lines
//   for each q: set_probe_fetch    prefetches the lines that the first ones point to
//   for each q: set_probe_best / set_probe_each
// A probe is valid until the reader's next quiet point. All steps may also follow at once.
struct set_probe {
    struct set_key key;
    const struct pages *pages; // the pages and
    const struct keys *keys;   // the key table this probe began with (NULL: there is none)
    const void *row;           // words of all dense ids for this number
    const void *bucket;        // first bucket to look in, NULL when the filter said no
    uint64_t moves;            // of entries between pages and keys, when the probe began
    uint32_t exchange;         // of a NANP device
    uint16_t line;             // in that exchange
    uint16_t planes;           // which planes stand in that row, and
    unsigned count;            // how many
};
void set_probe_start(const struct set *s, struct set_probe *p, struct set_key key);
void set_probe_fetch(const struct set *s, struct set_probe *p);

struct set_hit {
    uint16_t id;
    struct set_span span;
};
#define SET_NO_RANK UINT16_MAX
// The active hit whose rank[id] is lowest (ranks: LIMIT_SET_IDS entries, SET_NO_RANK = does not
// count). Returns that rank, or SET_NO_RANK when no counted id holds the key at `now_s`.
uint16_t set_probe_best(const struct set *s, const struct set_probe *p, const uint16_t *rank,
                        uint32_t now_s, struct set_hit *ret_hit);
// Every id that holds the key, active or not. Slow path.
void set_probe_each(const struct set *s, const struct set_probe *p,
                    void (*fn)(void *ctx, const struct set_hit *hit), void *ctx);
// One id, all steps. False when the key is not in it; `ret_span` may be NULL.
bool set_find(const struct set *s, unsigned id, struct set_key key, struct set_span *ret_span);

// -- one entry (W) ---------------------------------------------------------------------------
// Afterwards `id` holds the key with exactly `span`. 1 when it was new, 0 when it was there,
// ERR_NOMEM, ERR_FULL (nothing changed).
int set_insert(struct set *s, unsigned id, struct set_key key, struct set_span span);
// 1 when it was there, 0 when not. Never fails.
int set_remove(struct set *s, unsigned id, struct set_key key);

// -- a whole id (W, with a builder from any one thread) --------------------------------------
struct set_build;
// `expected` is a hint (entries), 0 = unknown.
struct set_build *set_build_new(const struct set *s, unsigned id, size_t expected);
void set_build_free(struct set_build *b);
// 1 new, 0 a duplicate (its span becomes the hull of both: an entry is never shortened), ERR_*.
int set_build_add(struct set_build *b, struct set_key key, struct set_span span);
// The loader's fast path for undated NANP devices: ten digits. Same results.
int set_build_add_nanp(struct set_build *b, uint64_t nanp);
size_t set_build_count(const struct set_build *b);
// Makes `id` hold exactly what was built, in place, while readers read: a key that is in the old
// and in the new content is found at every moment. Takes `b` over, also on failure. Chooses pages
// or keys by density. 0, ERR_NOMEM, ERR_FULL (old content stays whole or grows, never shrinks).
int set_build_publish(struct set *s, struct set_build *b, struct err_info *info);

// -- counts (any thread) ---------------------------------------------------------------------
uint64_t set_count(const struct set *s, unsigned id);
struct set_usage {
    size_t pages_bytes, keys_bytes, spans_bytes;
    uint64_t pages_entries, keys_entries;
};
void set_usage(const struct set *s, struct set_usage *ret);

// -- dump and load (snapshots) ---------------------------------------------------------------
// A dump is fuzzy: it may run beside the writer, and holds for each entry its state at some moment
// during the dump. Who dumps replays the changes made since the dump began on top (inserts and
// removals of final states repeat without harm), and then the content is exact.
struct set_sink {
    int (*write)(void *ctx, const void *data, size_t size_bytes); // 0 or ERR_*, which ends the dump
    void *ctx;
};
struct set_source {
    int (*read)(void *ctx, void *dst, size_t size_bytes); // exactly that many bytes, or ERR_*
    void *ctx;
};
// R, in a thread of its own: `me` is awake only inside. 0, the sink's error, or ERR_BUSY when a
// set_build_publish ran beside it (its changes cannot be replayed entry by entry): dump again.
int set_dump(const struct set *s, struct qsbr_reader *me, const struct set_sink *sink);
// W, into an empty set with the seed it was dumped under, before readers. ERR_CORRUPT when the
// content contradicts itself (the source already checks sums); ERR_VERSION, ERR_NOMEM. After a
// failure the set holds a part and should be freed.
int set_load(struct set *s, const struct set_source *source, struct err_info *info);
