// SPDX-License-Identifier: Apache-2.0
//
// feed: where data comes from, and the only writer of the sets.
//
// One thread applies, in order: entry changes from the API (group-committed to the write-ahead log,
// applied when durable, then acknowledged), content built by the loader thread from list files, and
// list definitions. A second thread parses files; a third writes snapshots. What each does when it
// is interrupted anywhere is in store.h.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/metric.h"
#include "engine/base/qsbr.h"
#include "engine/base/queue.h"
#include "engine/feed/catalog.h"
#include "engine/set/set.h"

struct feed;

// A list as configured (--list). Strings are copied.
struct list_spec {
    char tenant[LIMIT_NAME_BYTES + 1]; // "*" = shared
    char name[LIMIT_NAME_BYTES + 1];
    char file[512]; // "" = no file
    enum set_kind kind;
    enum channel channel;
    bool required;  // the engine is not ready, and blocks, before it is loaded
    char region[3]; // home of national numbers in its file
};
// NAME=FILE[,kind=device|client|email][,channel=voice|sms|email|any][,required][,optional]
// [,tenant=NAME|*][,country=US]; FILE may be empty. ERR_CONFIG with a sentence.
int list_spec_parse(struct list_spec *spec, struct str text, const char *default_tenant,
                    const char *default_region, struct err_info *info);

struct feed_config {
    const char *data_dir; // NULL = nothing is kept; changes by the API are refused
    unsigned pages_max_planes;
    unsigned shrink_max_percent; // a reload that would lose more of a list than this is refused
    bool terminal;               // progress by redrawing one line, else log lines
    // Runs in the feed thread (or in feed_open) whenever lists or their states changed. The catalog
    // stays valid until the next call has returned and a grace period has passed.
    void (*on_catalog)(void *ctx, const struct catalog *catalog);
    void *ctx;
};

// Opens the data directory, maps the newest snapshot, replays the log, checks that every file of
// `specs` can be read, then starts the threads; files whose content is not already there are parsed
// in the background. Failures are sentences that say what to do. *ret_set: the set, owned by feed.
int feed_open(struct feed **ret, const struct feed_config *config, const struct list_spec *specs,
              unsigned spec_count, struct qsbr *q, struct set **ret_set, struct err_info *info);
// Re-reads what changed (SIGHUP): new lists appear, files with another size or stamp (loader.h) are
// read again. A file that cannot be read, of which no row is an entry, or that lost too much leaves
// the list as it was; the log and the metric say so. When this returns 0, on_catalog has run once
// more.
int feed_reload(struct feed *f, const struct list_spec *specs, unsigned spec_count,
                struct err_info *info);
// Finishes what was taken, writes no more, frees everything but the set's readers' rights: no
// reader may be left.
void feed_close(struct feed *f);
// True when the data directory was made by this start, or there is none: nothing was ever
// acknowledged.
bool feed_is_fresh(const struct feed *f);
// The newest catalog; valid until the caller's next quiet point (a joined, awake reader).
const struct catalog *feed_catalog(const struct feed *f);

// -- changes by the API --------------------------------------------------------------------------
// FEED_CALL: `run` is called in the feed thread, which is the one publisher of views.
enum feed_op { FEED_ENTRY_SET, FEED_ENTRY_DELETE, FEED_LIST_DEFINE, FEED_CALL };

// Owned by the caller, lent to feed from feed_submit until on_done.
struct feed_job {
    struct queue_node node;
    enum feed_op op;
    uint16_t list; // entries: the list's number
    struct set_key key;
    uint64_t device;       // SET_DEVICE lists: the E.164 integer (stored); 0 otherwise
    struct set_span span;  // FEED_ENTRY_SET: wanted; afterwards: what is in force (see below)
    struct list_spec spec; // FEED_LIST_DEFINE
    void (*run)(struct feed_job *job); // FEED_CALL; leaves its result in `err`
    // Results, written before on_done:
    int err;      // 0, ERR_STORAGE, ERR_NOT_DURABLE, ERR_LOADING, ERR_NO_LIST, ERR_NO_ENTRY,
                  // ERR_CONFLICT, ERR_FULL, ERR_CLOSED
    bool created; // SET: it was not there; DEFINE: the list is new
    // In the feed thread (while feed is closing in the caller's); must only pass it on.
    void (*on_done)(struct feed_job *job);
};

// Any thread. on_done is called exactly once, also when feed is closing.
//   SET     the entry's span becomes the hull of what was in force and what is asked: an entry is
//           never shortened by a PUT; delete it first. Lifts a deletion of the same key.
//   DELETE  removes an added entry, and lifts a base entry until a newer file names it again.
//           While the list's file is being read: ERR_LOADING.
void feed_submit(struct feed *f, struct feed_job *job);

// -- rejected rows -------------------------------------------------------------------------------
// Opens the report of the list's last load: CSV "line,column,reason,value" with values masked.
// A new descriptor at offset 0, owned by the caller; ERR_NOT_FOUND when nothing was rejected,
// ERR_IO when it cannot be opened (too many files).
int feed_rejected(const struct feed *f, unsigned list, int *ret_fd);
