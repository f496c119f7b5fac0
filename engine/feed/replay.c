// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/log.h"

// One segment, mapped.
struct segment {
    char path[PATH_MAX];
    int fd;
    struct str bytes;
    uint64_t first_lsn, end_lsn; // end: the next segment's first; 0 = this is the last
};

static int damaged(const struct segment *s, size_t at, uint64_t lsn, const char *what,
                   struct err_info *info)
{
    return err_set(info, ERR_CORRUPT,
                   "%s is damaged at offset %zu (%s); changes from record %llu on would be lost; "
                   "try: restore the data directory from a backup, or, to go on without them: "
                   "truncate -s %zu that file and move later log-*.dgl files away",
                   s->path, at, what, (unsigned long long)lsn, at);
}

static int segment_open(struct segment *s, const char *dir, struct err_info *info)
{
    struct stat st;
    void *map;

    wal_path(s->path, sizeof s->path, dir, s->first_lsn);
    s->fd = open(s->path, O_RDWR | O_CLOEXEC);
    if (s->fd < 0 || fstat(s->fd, &st) < 0)
        return err_set(info, ERR_IO, "cannot open %s: %s; try: ls -l %s", s->path, strerror(errno),
                       s->path);
    s->bytes = (struct str){NULL, 0};
    if (st.st_size == 0) return 0;
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, s->fd, 0);
    if (map == MAP_FAILED)
        return err_set(info, ERR_IO, "cannot map %s: %s", s->path, strerror(errno));
    s->bytes = str_make(map, (size_t)st.st_size);
    return 0;
}

static void segment_close(struct segment *s)
{
    if (s->bytes.ptr) munmap((void *)(uintptr_t)s->bytes.ptr, s->bytes.size);
    if (s->fd >= 0) close(s->fd);
}

static int read_head(const struct segment *s, uint64_t seed, struct err_info *info)
{
    uint64_t lsn = 0;
    int n = logrec_head_get(s->bytes, seed, &lsn);

    if (n == ERR_VERSION)
        return err_set(info, n, "%s was written by another version of dialgate; try: that version",
                       s->path);
    if (n == ERR_CONFLICT)
        return err_set(info, n,
                       "%s belongs to another data directory (another seed); try: restore the "
                       "seed file it was written under",
                       s->path);
    // a segment gets its name only with its header in it, so this is no torn write
    if (n <= 0)
        return err_set(info, ERR_CORRUPT,
                       "%s has no sound header; changes from record %llu on would be lost; try: "
                       "restore the data directory from a backup, or start with an empty --data "
                       "directory",
                       s->path, (unsigned long long)s->first_lsn);
    if (lsn != s->first_lsn)
        return err_set(info, ERR_CORRUPT,
                       "%s begins with record %llu, not with the one it is named after; try: "
                       "restore the data directory from a backup",
                       s->path, (unsigned long long)lsn);
    return 0;
}

// What stands at `at` of the last segment is no sound frame: torn, or damage?
static int cut_tail(struct replay *r, struct segment *s, size_t at, uint64_t lsn, int why,
                    struct err_info *info)
{
    struct str rest = str_make(s->bytes.ptr + at, s->bytes.size - at);
    size_t found = logrec_scan(rest, lsn);

    if (why == ERR_VERSION)
        return err_set(info, why,
                       "%s has a record at offset %zu that this version does not know; try: the "
                       "version that wrote it",
                       s->path, at);
    if (found != LOGREC_NO_FRAME)
        return damaged(s, at, lsn, "sound records follow behind it", info);
    r->cut_bytes = rest.size;
    r->cut_at = at;
    str_copy(r->cut_path, sizeof r->cut_path, str_of(s->path));
    if (ftruncate(s->fd, (off_t)at) < 0 || fsync(s->fd) < 0)
        return err_set(info, ERR_IO, "cannot cut the torn end of %s: %s", s->path, strerror(errno));
    return 0;
}

// Records of one segment up to the next one's first. *lsn: the next record expected.
static int replay_segment(struct replay *r, struct segment *s, uint64_t *lsn, size_t *ret_end,
                          struct err_info *info)
{
    size_t at = LOGREC_HEAD_BYTES;
    struct logrec rec;
    int n = 0, err;

    while (!s->end_lsn || *lsn < s->end_lsn) {
        n = logrec_get(str_make(s->bytes.ptr + at, s->bytes.size - at), &rec);
        if (n <= 0) break;
        if (rec.lsn != *lsn) return damaged(s, at, *lsn, "a record out of order", info);
        err = rec.lsn >= r->from_lsn ? r->on_record(r->ctx, &rec, info) : 0;
        if (err) return err;
        r->records += rec.lsn >= r->from_lsn;
        (*lsn)++;
        at += (size_t)n;
    }
    *ret_end = at;
    if (s->end_lsn && *lsn < s->end_lsn)
        return damaged(s, at, *lsn, "it ends before the next segment begins", info);
    if (!s->end_lsn && at < s->bytes.size) return cut_tail(r, s, at, *lsn, n, info);
    return 0;
}

static int missing(const struct wal *w, uint64_t lsn, struct err_info *info)
{
    return err_set(info, ERR_CORRUPT,
                   "the log segment with record %llu is missing in %s, so changes that were "
                   "acknowledged are; try: restore the data directory from a backup",
                   (unsigned long long)lsn, w->dir);
}

static int replay_file(struct replay *r, struct wal *w, uint64_t first_lsn, uint64_t end_lsn,
                       struct err_info *info)
{
    struct segment s = {.fd = -1, .first_lsn = first_lsn, .end_lsn = end_lsn};
    uint64_t lsn = first_lsn;
    size_t end = 0;
    int err;

    err = segment_open(&s, w->dir, info);
    if (!err) err = read_head(&s, w->seed, info);
    if (!err) err = replay_segment(r, &s, &lsn, &end, info);
    if (!err && end_lsn) w->old_bytes += end;
    if (!err && !end_lsn) {
        if (lsn < r->from_lsn) {
            err = missing(w, lsn, info);
        } else if (fdatasync(s.fd) < 0 || lseek(s.fd, (off_t)end, SEEK_SET) < 0) {
            err = err_set(info, ERR_IO, "cannot sync %s: %s; try: dmesg", s.path, strerror(errno));
        } else {
            w->fd = fcntl(s.fd, F_DUPFD_CLOEXEC, 0);
            w->first_lsn = first_lsn;
            w->next_lsn = lsn;
            w->good_bytes = end;
            if (w->fd < 0) err = err_set(info, ERR_SYSTEM, "no more file descriptors");
        }
    }
    segment_close(&s);
    return err;
}

int replay_run(struct replay *r, struct wal *w, struct err_info *info)
{
    uint64_t *lsns = NULL;
    unsigned count = 0, i = 0;
    int err = store_list(w->dir, "log-", ".dgl", &lsns, &count, info);

    r->records = r->cut_bytes = r->cut_at = 0;
    r->cut_path[0] = '\0';
    w->fd = -1;
    w->broken = false;
    w->old_bytes = 0;
    if (err) return err;
    while (i + 1 < count && lsns[i + 1] <= r->from_lsn) i++;
    if (count == 0 || lsns[i] > r->from_lsn) err = missing(w, r->from_lsn, info);
    // A killed process may have left records and names in the page cache only. Once replayed they
    // count as durable, and what is there already is acknowledged without another write.
    if (!err) err = file_sync_dir(w->dir, info);
    for (; i < count && !err; i++)
        err = replay_file(r, w, lsns[i], i + 1 < count ? lsns[i + 1] : 0, info);
    free(lsns);
    if (err) wal_close(w);
    CHECK(err || (w->fd >= 0 && w->next_lsn >= r->from_lsn));
    return err;
}

void replay_tell(const struct replay *r)
{
    if (r->cut_bytes)
        log_warn("log",
                 "the last write to %s was torn: %llu bytes at offset %llu were cut; they were "
                 "never acknowledged",
                 r->cut_path, (unsigned long long)r->cut_bytes, (unsigned long long)r->cut_at);
}
