// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/feed/store.h"

#define WRITE_BYTES ((size_t)1 << 20)

// A file under construction.
struct writer {
    struct snapshot *snapshot;
    int fd;
    struct snapfile_sum sum;
    struct buf out; // WRITE_BYTES
};

void snapshot_path(char *dst, size_t size_bytes, const char *dir, uint64_t lsn)
{
    snprintf(dst, size_bytes, "%s/" SNAPSHOT_PREFIX "%020llu" SNAPSHOT_SUFFIX, dir,
             (unsigned long long)lsn);
}

static int flush(struct writer *w)
{
    int err = file_write_all(w->fd, w->out.ptr, w->out.size_bytes, &w->snapshot->info);

    if (!err) w->snapshot->size_bytes += w->out.size_bytes;
    buf_reset(&w->out);
    return err;
}

static int on_body(void *ctx, const void *data, size_t size_bytes)
{
    struct writer *w = ctx;
    const char *at = data;

    if (w->snapshot->stop && atomic_load_explicit(w->snapshot->stop, memory_order_relaxed))
        return ERR_CLOSED;
    snapfile_sum_add(&w->sum, data, size_bytes);
    while (size_bytes > 0) {
        size_t part = WRITE_BYTES - w->out.size_bytes;
        int err;

        if (part > size_bytes) part = size_bytes;
        buf_put(&w->out, at, part);
        CHECK(!w->out.failed);
        at += part;
        size_bytes -= part;
        err = w->out.size_bytes == WRITE_BYTES ? flush(w) : 0;
        if (err) return err;
    }
    return 0;
}

static int write_tail(struct writer *w, const struct snapfile_head *head)
{
    struct buf tail;
    int err;

    buf_init(&tail, SIZE_MAX / 2);
    err = snapfile_tail_put(&tail, &w->sum, head);
    if (!err) err = flush(w);
    if (!err) err = file_write_all(w->fd, tail.ptr, tail.size_bytes, &w->snapshot->info);
    w->snapshot->size_bytes += tail.size_bytes;
    buf_done(&tail);
    return err;
}

static int write_all(struct writer *w, const struct set *set, struct qsbr_reader *me)
{
    struct snapshot *s = w->snapshot;
    struct snapfile_head head = {
        .list_count = s->list_count,
        .seed = set_seed(set),
        .lsn = s->lsn,
        .created_s = clock_wall_s(),
    };
    struct set_sink sink = {on_body, w};
    int err;

    snapfile_head_put(&w->out, &head, s->lists);
    CHECK(!w->out.failed);
    err = flush(w);
    if (!err) err = set_dump(set, me, &sink);
    if (!err) err = write_tail(w, &head);
    if (!err && fsync(w->fd) < 0)
        err = err_set(&s->info, ERR_IO, "cannot sync the snapshot: %s", strerror(errno));
    return err;
}

int snapshot_write(struct snapshot *s, const struct set *set, struct qsbr_reader *me)
{
    struct writer *w = aligned_alloc(64, (sizeof *w + 63) & ~(size_t)63);
    char path[PATH_MAX], temp[PATH_MAX];
    int err;

    s->size_bytes = 0;
    s->info = (struct err_info){0};
    if (!w) return s->err = err_set(&s->info, ERR_NOMEM, "no memory for a snapshot");
    snapshot_path(path, sizeof path, s->dir, s->lsn);
    snprintf(temp, sizeof temp, "%.*s.new", PATH_MAX - 5, path);
    w->snapshot = s;
    snapfile_sum_init(&w->sum);
    buf_init(&w->out, WRITE_BYTES);
    w->fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    err = w->fd < 0 ? err_set(&s->info, ERR_IO, "cannot create %s: %s", temp, strerror(errno)) : 0;
    if (!err && !buf_reserve(&w->out, WRITE_BYTES)) err = ERR_NOMEM;
    if (!err) err = write_all(w, set, me);
    if (w->fd >= 0) close(w->fd);
    if (!err && rename(temp, path) < 0)
        err = err_set(&s->info, ERR_IO, "cannot rename %s: %s", temp, strerror(errno));
    if (!err) err = file_sync_dir(s->dir, &s->info);
    if (err) unlink(temp);
    if (err && !s->info.err) err_set(&s->info, err, "%s", err_text(err));
    if (!err) store_clear_before(s->dir, s->lsn);
    buf_done(&w->out);
    snapfile_sum_done(&w->sum);
    free(w);
    return s->err = err;
}

// -- reading ---------------------------------------------------------------------------------

static int damaged(const char *path, const char *why, uint64_t lsn, struct err_info *info)
{
    return err_set(info, ERR_CORRUPT,
                   "%s is damaged: %s; with it all changes before record %llu would be lost; try: "
                   "restore the data directory from a backup, or start with an empty --data "
                   "directory (the list files are read again, changes by the API are lost)",
                   path, why, (unsigned long long)lsn);
}

static int map_file(const char *path, struct str *ret, struct err_info *info)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st = {0};
    void *map = MAP_FAILED;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd < 0 || (map == MAP_FAILED && st.st_size > 0)) {
        int cause = errno;

        if (fd >= 0) close(fd);
        return err_set(info, ERR_IO, "cannot map %s: %s; try: ls -l %s", path, strerror(cause),
                       path);
    }
    close(fd);
    *ret = st.st_size ? str_make(map, (size_t)st.st_size) : (struct str){NULL, 0};
    if (ret->ptr) madvise(map, ret->size, MADV_SEQUENTIAL);
    return 0;
}

int snapshot_map(const char *dir, uint64_t seed, struct snapfile *ret, struct str *ret_bytes,
                 struct err_info *info)
{
    struct err_info why = {0};
    struct str bytes = {NULL, 0};
    uint64_t *lsns = NULL, lsn;
    unsigned count = 0;
    char path[PATH_MAX];
    int err = store_list(dir, SNAPSHOT_PREFIX, SNAPSHOT_SUFFIX, &lsns, &count, info);

    lsn = count ? lsns[count - 1] : 0;
    free(lsns);
    *ret_bytes = (struct str){NULL, 0};
    if (err || count == 0) return err;
    snapshot_path(path, sizeof path, dir, lsn);
    err = map_file(path, &bytes, info);
    if (err) return err;
    err = bytes.ptr ? snapfile_open(ret, bytes, &why)
                    : err_set(&why, ERR_CORRUPT, "the file is empty");
    if (err == ERR_VERSION)
        err_set(info, err, "%s: %s; try: the version of dialgate that wrote it", path, why.text);
    else if (err)
        err = damaged(path, why.text, lsn, info);
    else if (ret->head->seed != seed || ret->head->lsn != lsn)
        err = damaged(path, "it belongs to another data directory", lsn, info);
    if (err)
        snapshot_unmap(bytes);
    else
        *ret_bytes = bytes;
    return err;
}

int snapshot_load(struct snapfile *f, const char *dir, struct set *set, struct err_info *info)
{
    struct set_source source = {snapfile_read, f};
    struct err_info why = {0};
    char path[PATH_MAX];
    int err = set_load(set, &source, &why);

    if (!err && !snapfile_at_end(f)) err = err_set(&why, ERR_CORRUPT, "it goes on behind its end");
    if (!err) return 0;
    snapshot_path(path, sizeof path, dir, f->head->lsn);
    if (err != ERR_CORRUPT)
        return err_set(info, err, "cannot load %s: %s", path,
                       why.text[0] ? why.text : err_text(err));
    return damaged(path, why.text[0] ? why.text : err_text(err), f->head->lsn, info);
}

void snapshot_unmap(struct str bytes)
{
    if (bytes.ptr) munmap((void *)(uintptr_t)bytes.ptr, bytes.size);
}
