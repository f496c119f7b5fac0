// SPDX-License-Identifier: Apache-2.0
//
// reportlog: the log of call reports on disk: DIR/attempts/log-<lsn>.dgl (wal.h, wire/logrec.h).
//
// Segments are short, by size and by time, so that old ones can be deleted whole. Deleting leaves
// its trace: a log that does not begin with record 1 knows nothing of attempts before its first
// record came. A log that is missing where there should be one stops the start; an empty directory
// in its place begins a log that does not begin with record 1.
//
// Whether an attempt is old is told by when its report came: it may start at most
// REPORTLOG_AHEAD_S after that, and any time before. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/feed/replay.h"
#include "engine/feed/store.h"
#include "engine/feed/wal.h"

#define REPORTLOG_AHEAD_S   300 // what report_from_record lets pass
#define REPORTLOG_SEGMENT_S 3600

struct reportlog_segment {
    uint64_t first_lsn;
    int64_t first_s; // its first record came then; INT64_MAX = it has none
};

typedef void reportlog_fn(void *ctx, const struct attempt *attempt);

struct reportlog {
    char dir[STORE_DIR_BYTES + STORE_NAME_BYTES];
    struct wal wal;
    size_t segment_max_bytes;
    struct reportlog_segment *segment; // ascending, the one being written last
    unsigned count, capacity;
    int64_t last_s;   // when the newest record came; never goes back
    int64_t since_s;  // every attempt that started at or after it is in the log
    struct buf batch; // records that were added and not committed
    unsigned added;
    reportlog_fn *on_attempt;
    void *ctx;
};

// Opens DIR/attempts/ of a data directory and gives every attempt in it to on_attempt. *replay
// tells what was found. Failures are sentences that say what to do.
int reportlog_open(struct reportlog *l, const char *data_dir, uint64_t seed,
                   size_t segment_max_bytes, int64_t now_s, reportlog_fn *on_attempt, void *ctx,
                   struct replay *ret_replay, struct err_info *info);
void reportlog_close(struct reportlog *l);

void reportlog_add(struct reportlog *l, const struct attempt *attempt, int64_t now_s);
void reportlog_add_raw(struct reportlog *l, struct str text, int64_t now_s);
// Makes what was added durable, all or nothing of it. 0 or ERR_STORAGE.
int reportlog_commit(struct reportlog *l, struct err_info *info);
// Begins another segment when this one has become long enough.
int reportlog_rotate(struct reportlog *l, int64_t now_s, struct err_info *info);
// Deletes segments as long as every attempt that started at or after `before_s` stays.
void reportlog_trim(struct reportlog *l, int64_t before_s);

// Reading again what is in the log, a piece at a time, while it is being written. Not across
// reportlog_trim.
#define REPORTLOG_PIECE_BYTES ((size_t)256 << 10)
struct reportlog_walk {
    int fd;         // of the segment being read; -1 = none
    uint64_t lsn;   // next
    uint64_t end;   // the walk ends before it
    uint64_t at;    // offset
    int64_t from_s; // only attempts that started at or after it
    char *piece;
};

// ERR_NOMEM.
int reportlog_walk_begin(struct reportlog *l, struct reportlog_walk *w, int64_t from_s);
// One piece. 1 = there is more, 0 = that was all, ERR_IO, ERR_CORRUPT.
int reportlog_walk_step(struct reportlog *l, struct reportlog_walk *w, struct err_info *info);
void reportlog_walk_end(struct reportlog_walk *w);
