// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/reportlog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/wire/logrec.h"

#define BATCH_BYTES ((size_t)LIMIT_COMMIT_JOBS * LOGREC_BYTES_MAX)

// -- segments --------------------------------------------------------------------------------

static int push_segment(struct reportlog *l, uint64_t first_lsn)
{
    if (l->count == l->capacity) {
        unsigned capacity = l->capacity ? 2 * l->capacity : 64;
        void *more = realloc(l->segment, capacity * sizeof *l->segment);

        if (!more) return ERR_NOMEM;
        l->segment = more;
        l->capacity = capacity;
    }
    l->segment[l->count++] = (struct reportlog_segment){first_lsn, INT64_MAX};
    return 0;
}

// Room for the next one first, so that a segment on disk is never missing here.
static int reserve_segment(struct reportlog *l)
{
    int err = push_segment(l, 0);

    if (!err) l->count--;
    return err;
}

// wal may have begun a segment.
static void note_segment(struct reportlog *l)
{
    if (l->wal.first_lsn != l->segment[l->count - 1].first_lsn)
        CHECK(push_segment(l, l->wal.first_lsn) == 0);
}

// The segment that holds (or will hold) that record.
static unsigned find_segment(const struct reportlog *l, uint64_t lsn)
{
    unsigned low = 0, high = l->count;

    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;

        if (l->segment[middle].first_lsn > lsn)
            high = middle;
        else
            low = middle;
    }
    return low;
}

// -- opening ---------------------------------------------------------------------------------

static int on_record(void *ctx, const struct logrec *rec, struct err_info *info)
{
    struct reportlog *l = ctx;
    struct reportlog_segment *s = &l->segment[find_segment(l, rec->lsn)];
    int64_t received_s;

    if (rec->type != LOGREC_ATTEMPT && rec->type != LOGREC_REPORT_RAW)
        return err_set(info, ERR_CORRUPT,
                       "record %llu in %s is no call report; try: restore the data directory from "
                       "a backup",
                       (unsigned long long)rec->lsn, l->dir);
    received_s = rec->type == LOGREC_ATTEMPT ? rec->attempt.received_s : rec->raw.received_s;
    if (received_s > l->last_s) l->last_s = received_s;
    if (s->first_s == INT64_MAX) s->first_s = l->last_s;
    if (rec->type == LOGREC_ATTEMPT) l->on_attempt(l->ctx, &rec->attempt.attempt);
    return 0;
}

// What an empty directory says is that the log is gone.
static int begin_without_past(struct reportlog *l, int64_t now_s, struct err_info *info)
{
    l->wal.next_lsn = 2;
    l->since_s = now_s + REPORTLOG_AHEAD_S;
    return wal_rotate(&l->wal, info);
}

static int read_segments(struct reportlog *l, struct replay *replay, int64_t now_s,
                         struct err_info *info)
{
    int err = replay_run(replay, &l->wal, info);

    if (err) return err;
    if (l->segment[0].first_lsn == 1)
        l->since_s = 0;
    else
        l->since_s = (l->segment[0].first_s != INT64_MAX ? l->segment[0].first_s : now_s) +
                     REPORTLOG_AHEAD_S;
    return 0;
}

static int check_dir(const struct reportlog *l, struct err_info *info)
{
    if (access(l->dir, F_OK) == 0) return 0;
    return err_set(info, ERR_CORRUPT,
                   "%s is missing, so call reports that were acknowledged are; try: restore it "
                   "from a backup, or, to go on without knowing of earlier attempts: mkdir %s",
                   l->dir, l->dir);
}

int reportlog_open(struct reportlog *l, const char *data_dir, uint64_t seed,
                   size_t segment_max_bytes, int64_t now_s, reportlog_fn *on_attempt, void *ctx,
                   struct replay *ret_replay, struct err_info *info)
{
    uint64_t *lsns = NULL;
    unsigned count = 0;
    int err;

    *l = (struct reportlog){.segment_max_bytes = segment_max_bytes,
                            .last_s = INT64_MIN,
                            .on_attempt = on_attempt,
                            .ctx = ctx};
    *ret_replay = (struct replay){.from_lsn = 1, .on_record = on_record, .ctx = l};
    buf_init(&l->batch, BATCH_BYTES);
    snprintf(l->dir, sizeof l->dir, "%s/" STORE_ATTEMPTS, data_dir);
    l->wal = (struct wal){.dir = l->dir, .seed = seed, .fd = -1};
    err = check_dir(l, info);
    if (!err) err = store_list(l->dir, "log-", ".dgl", &lsns, &count, info);
    if (err) return err;
    for (unsigned i = 0; i < count && !err; i++) err = push_segment(l, lsns[i]);
    if (count > 0) ret_replay->from_lsn = lsns[0];
    free(lsns);
    if (!err && count == 0) err = push_segment(l, 2);
    if (err) return err_set(info, err, "no memory for the log of call reports");
    return count == 0 ? begin_without_past(l, now_s, info)
                      : read_segments(l, ret_replay, now_s, info);
}

void reportlog_close(struct reportlog *l)
{
    wal_close(&l->wal);
    buf_done(&l->batch);
    free(l->segment);
    l->segment = NULL;
}

// -- writing ---------------------------------------------------------------------------------

static void add(struct reportlog *l, struct logrec *rec)
{
    rec->lsn = l->wal.next_lsn + l->added++;
    logrec_put(&l->batch, rec);
}

static int64_t received(struct reportlog *l, int64_t now_s)
{
    if (now_s > l->last_s) l->last_s = now_s;
    return l->last_s;
}

void reportlog_add(struct reportlog *l, const struct attempt *attempt, int64_t now_s)
{
    struct logrec rec = {.type = LOGREC_ATTEMPT, .attempt = {received(l, now_s), *attempt}};

    add(l, &rec);
}

void reportlog_add_raw(struct reportlog *l, struct str text, int64_t now_s)
{
    struct logrec rec = {.type = LOGREC_REPORT_RAW, .raw = {received(l, now_s), text}};

    if (text.size > LIMIT_REPORT_RAW_BYTES) rec.raw.text.size = LIMIT_REPORT_RAW_BYTES;
    add(l, &rec);
}

int reportlog_commit(struct reportlog *l, struct err_info *info)
{
    struct reportlog_segment *s;
    int err = 0;

    if (l->added == 0) return 0;
    if (l->batch.failed || reserve_segment(l) < 0)
        err = err_set(info, ERR_STORAGE, "no memory for the records of call reports");
    if (!err) err = wal_commit(&l->wal, buf_view(&l->batch), l->added, info);
    buf_reset(&l->batch);
    l->added = 0;
    note_segment(l);
    s = &l->segment[l->count - 1];
    if (!err && s->first_s == INT64_MAX) s->first_s = l->last_s;
    return err;
}

int reportlog_rotate(struct reportlog *l, int64_t now_s, struct err_info *info)
{
    const struct reportlog_segment *s = &l->segment[l->count - 1];
    int err;

    if (s->first_s == INT64_MAX) return 0; // nothing in it
    if (l->wal.good_bytes < l->segment_max_bytes && now_s - s->first_s < REPORTLOG_SEGMENT_S)
        return 0;
    if (reserve_segment(l) < 0) return err_set(info, ERR_NOMEM, "no memory for a segment");
    err = wal_rotate(&l->wal, info);
    note_segment(l);
    return err;
}

void reportlog_trim(struct reportlog *l, int64_t before_s)
{
    unsigned gone = 0;
    char path[PATH_MAX];
    struct stat st;

    // all of a segment came before the next one's first record did
    while (gone + 1 < l->count && l->segment[gone + 1].first_s != INT64_MAX &&
           l->segment[gone + 1].first_s + REPORTLOG_AHEAD_S <= before_s) {
        wal_path(path, sizeof path, l->dir, l->segment[gone].first_lsn);
        if (stat(path, &st) == 0 && (uint64_t)st.st_size <= l->wal.old_bytes)
            l->wal.old_bytes -= (uint64_t)st.st_size;
        if (unlink(path) < 0 && errno != ENOENT) break;
        gone++;
        // one after the other on disk too: a hole would be damage
        if (file_sync_dir(l->dir, NULL)) break;
    }
    if (gone == 0) return;
    l->count -= gone;
    memmove(l->segment, l->segment + gone, l->count * sizeof *l->segment);
    l->since_s = l->segment[0].first_s + REPORTLOG_AHEAD_S;
}

// -- reading again ---------------------------------------------------------------------------

int reportlog_walk_begin(struct reportlog *l, struct reportlog_walk *w, int64_t from_s)
{
    unsigned i = 0;

    while (i + 1 < l->count && l->segment[i + 1].first_s != INT64_MAX &&
           l->segment[i + 1].first_s + REPORTLOG_AHEAD_S < from_s)
        i++;
    *w = (struct reportlog_walk){.fd = -1,
                                 .lsn = l->segment[i].first_lsn,
                                 .end = l->wal.next_lsn,
                                 .from_s = from_s,
                                 .piece = malloc(REPORTLOG_PIECE_BYTES)};
    return w->piece ? 0 : ERR_NOMEM;
}

static int walk_open(const struct reportlog *l, struct reportlog_walk *w, struct err_info *info)
{
    char path[PATH_MAX];

    wal_path(path, sizeof path, l->dir, w->lsn);
    w->fd = open(path, O_RDONLY | O_CLOEXEC);
    w->at = LOGREC_HEAD_BYTES;
    if (w->fd < 0) return err_set(info, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    posix_fadvise(w->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

int reportlog_walk_step(struct reportlog *l, struct reportlog_walk *w, struct err_info *info)
{
    unsigned at = find_segment(l, w->lsn);
    uint64_t stop = at + 1 < l->count ? l->segment[at + 1].first_lsn : w->end;
    struct logrec rec;
    struct str rest;
    ssize_t got;
    int n = 0, err;

    if (w->lsn >= w->end) return 0;
    if (stop > w->end) stop = w->end;
    err = w->fd < 0 ? walk_open(l, w, info) : 0;
    if (err) return err;
    got = pread(w->fd, w->piece, REPORTLOG_PIECE_BYTES, (off_t)w->at);
    rest = str_make(w->piece, got > 0 ? (size_t)got : 0);
    while (w->lsn < stop && (n = logrec_get(rest, &rec)) > 0) {
        if (rec.lsn != w->lsn) n = ERR_CORRUPT;
        if (n < 0) break;
        if (rec.type == LOGREC_ATTEMPT && rec.attempt.attempt.start_s >= w->from_s)
            l->on_attempt(l->ctx, &rec.attempt.attempt);
        rest = str_make(rest.ptr + n, rest.size - (size_t)n);
        w->lsn++;
        w->at += (uint64_t)n;
    }
    if (w->lsn < stop && (n < 0 || rest.ptr == w->piece))
        return err_set(info, ERR_CORRUPT, "record %llu in %s cannot be read any more",
                       (unsigned long long)w->lsn, l->dir);
    if (w->lsn == stop) {
        close(w->fd);
        w->fd = -1;
    }
    return w->lsn < w->end;
}

void reportlog_walk_end(struct reportlog_walk *w)
{
    if (w->fd >= 0) close(w->fd);
    free(w->piece);
    *w = (struct reportlog_walk){.fd = -1};
}
