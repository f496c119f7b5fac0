// SPDX-License-Identifier: Apache-2.0
//
// lists: the table of lists as the feed thread keeps it; the catalog is its copy for readers.
//
// A list's number is its place here; lists are never removed, so numbers stay for the life of the
// data directory. Changed by the feed thread only (by feed_open before there is one).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/feed/feed.h"
#include "engine/feed/loader.h"
#include "engine/wire/logrec.h"
#include "engine/wire/snapfile.h"

struct lists_entry {
    struct list pub;
    char region[3];
    bool configured; // named by --list, not only by the data directory
    unsigned order;  // place in the configuration

    bool has_content;       // `base` holds what a file said
    struct file_id content; // that file
    char content_region[3]; // home of its national numbers
    uint64_t lift_sum;      // the content that entries in `lifted` refer to
    bool mark_due;          // the log does not know `lift_sum` yet (see lists_mark)

    bool loading;     // a load is with the loader, or held until a snapshot is written
    bool again;       // look at the file again when that load is done
    int64_t retry_ns; // first load failed: try again then; 0 = no
    int report_fd;    // temporary report of rejected rows, -1 = none; under lists.lock
};

struct lists {
    unsigned count;
    struct lists_entry at[LIMIT_LISTS];
};

// By exact tenant; NULL when there is none.
struct lists_entry *lists_find(struct lists *l, const char *tenant, const char *name);
// New (number == count) or with new properties. ERR_CORRUPT when the number leaves a gap or the
// kind is another one.
int lists_define(struct lists *l, unsigned number, const struct logrec_define *define);
void lists_describe(const struct list_spec *spec, struct logrec_define *ret);
// "list national" or "list acme/internal"
void lists_subject(const struct lists_entry *e, char *dst, size_t size_bytes);

// `base` holds the content that was in force last, not an older one (after a crash between a reload
// and its snapshot, see lists_is_mark) that the file has to replace first.
static inline bool lists_is_current(const struct lists_entry *e)
{
    return e->has_content && (e->lift_sum == e->content.sum || !e->pub.file[0]);
}

// The snapshot's table of lists.
int lists_restore(struct lists *l, const struct snapfile *f);
struct snapfile_list *lists_save(const struct lists *l);

// A new catalog on the heap; NULL when memory is out.
struct catalog *lists_catalog(const struct lists *l, uint64_t version);

// The mark: a record ENTRY_DELETE of part LIFTED with hash 0, which no key has, and `device` the
// sum of a file's content. It says: this content is in force from here on; all of the list's lifted
// entries end here, those that follow refer to it. It is written before the content is put in
// force, because a crash may come before the next snapshot: then a start knows that the older
// content of its snapshot is not enough, and deletions made since are not forgotten. When it could
// not be written then, it is again before the first deletion.
static inline bool lists_is_mark(const struct logrec *rec)
{
    return rec->type == LOGREC_ENTRY_DELETE && rec->entry.part == LOGREC_LIFTED &&
           rec->entry.hash == 0;
}
