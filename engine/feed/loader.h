// SPDX-License-Identifier: Apache-2.0
//
// loader: the thread that reads list files into set_builds, one file at a time.
//
// A load is owned by whoever made it, lent to the loader from loader_submit until on_done, which
// runs in the loader's thread. A file is read with read(2), not mapped, so that one that shrinks
// under us is an error and no SIGBUS; one that changes while it is read is read again.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/limits.h"
#include "engine/base/qsbr.h"
#include "engine/base/queue.h"
#include "engine/feed/catalog.h"
#include "engine/set/set.h"
#include "engine/wire/number.h"

// Which content: size and stamp tell at a glance, the sum (XXH3 of all bytes) for sure.
struct file_id {
    uint64_t size_bytes;
    uint64_t stamp; // made of inode, mtime and ctime, which nobody can set back; never 0
    bool settled; // a later change would have changed the stamp: it was older than the clock's step
    uint64_t sum;
    int64_t written_s; // its mtime, at most the time it was read; 0 = not known
};
// By size and stamp alone: is what was read as `a` what stands there as `b`?
static inline bool file_id_same_stat(const struct file_id *a, const struct file_id *b)
{
    return a->size_bytes == b->size_bytes && a->stamp == b->stamp;
}

struct load {
    struct queue_node node; // for the owner
    // What to read:
    unsigned list;
    unsigned lifted_id; // set id of the entries that the API lifted
    unsigned base_id;
    enum set_kind kind;
    struct number_home home;
    char subject[2 * LIMIT_NAME_BYTES + 16]; // for the log: "list national"
    char name[LIMIT_NAME_BYTES + 1];
    char path[512];
    char report[1280]; // where the report of rejected rows goes; "" = a temporary file
    bool again;        // a reload: content is in force
    bool known;        // `id_known` is what is in force
    bool lifts;        // entries are lifted, against the content `lift_sum`
    uint64_t lift_sum;
    struct file_id id_known;
    // Results:
    int err;
    struct err_info info;
    bool untouched;          // the content is the one in force; nothing was built
    bool same_content;       // the content is the one that lifted entries refer to
    struct set_build *build; // NULL when err or untouched
    struct file_id id;
    struct list_rows rows;
    uint64_t named_again; // lifted entries that the file names
    uint64_t load_ms;
    int report_fd; // the temporary report, -1 = none; the owner's
};

struct loader;
struct loader_config {
    struct set *set;
    struct qsbr *q;
    bool terminal;
    void (*on_done)(void *ctx, struct load *load);
    void *ctx;
};
// 0, ERR_NOMEM, ERR_SYSTEM.
int loader_new(struct loader **ret, const struct loader_config *config);
void loader_submit(struct loader *l, struct load *load);
// Stops in the middle of a file; loads not read come back through on_done with ERR_CLOSED.
void loader_free(struct loader *l);

// Opens a list file and looks at its beginning. Failures are sentences that name the path, the
// cause and what to type. *ret_id has no sum.
int loader_check(const char *path, enum set_kind kind, struct file_id *ret_id,
                 struct err_info *info);
// One load in the calling thread. `stop` may be NULL.
int loader_read(struct load *load, struct set *set, struct qsbr_reader *me, bool terminal,
                const atomic_bool *stop);
