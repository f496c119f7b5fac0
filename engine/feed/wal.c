// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/wire/logrec.h"

// Taken ahead: 10,000 reports a second fill it in some seconds.
#define ROOM_BYTES ((size_t)4 << 20)

void wal_path(char *dst, size_t size_bytes, const char *dir, uint64_t first_lsn)
{
    snprintf(dst, size_bytes, "%s/log-%020llu.dgl", dir, (unsigned long long)first_lsn);
}

// Creates under another name first, so that a segment never stands there without its header. One
// that begins at the same lsn held nothing acknowledged and is replaced. *ret_named: it has its
// name, also when it fails after that.
static int create(const struct wal *w, const char *temp, const char *path, int *ret_fd,
                  bool *ret_named, struct err_info *info)
{
    int fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), err;
    char head[LOGREC_HEAD_BYTES];
    struct buf b;

    if (fd < 0) return err_set(info, ERR_IO, "cannot create %s: %s", temp, strerror(errno));
    buf_wrap(&b, head, sizeof head);
    logrec_head_put(&b, w->next_lsn, w->seed);
    CHECK(!b.failed && b.size_bytes == sizeof head);
    err = file_write_all(fd, head, sizeof head, info);
    if (!err && fsync(fd) < 0)
        err = err_set(info, ERR_IO, "cannot sync %s: %s", temp, strerror(errno));
    if (!err && rename(temp, path) < 0)
        err = err_set(info, ERR_IO, "cannot rename %s: %s", temp, strerror(errno));
    *ret_named = !err;
    if (!err) err = file_sync_dir(w->dir, info);
    if (err) {
        close(fd);
        unlink(temp);
        return err;
    }
    *ret_fd = fd;
    return 0;
}

// Best effort: without room of its own each write allocates. The file's size says as before how far
// it was written.
static void take_room(struct wal *w, size_t size_bytes)
{
    if (w->good_bytes + size_bytes <= w->room_bytes) return;
    w->room_bytes = w->good_bytes + size_bytes + ROOM_BYTES;
    (void)fallocate(w->fd, FALLOC_FL_KEEP_SIZE, (off_t)w->good_bytes,
                    (off_t)(size_bytes + ROOM_BYTES));
}

// Best effort on a broken segment: a start right now would not replay what was refused. Room that
// was taken goes back.
static bool cut_back(struct wal *w)
{
    w->room_bytes = 0;
    return ftruncate(w->fd, (off_t)w->good_bytes) == 0 &&
           lseek(w->fd, (off_t)w->good_bytes, SEEK_SET) >= 0;
}

static void leave(struct wal *w)
{
    if (w->room_bytes) (void)cut_back(w);
    close(w->fd);
    w->fd = -1;
}

int wal_rotate(struct wal *w, struct err_info *info)
{
    char path[PATH_MAX], temp[PATH_MAX];
    bool named = false;
    int fd = -1, err;

    wal_path(path, sizeof path - 4, w->dir, w->next_lsn);
    snprintf(temp, sizeof temp, "%.*s.new", PATH_MAX - 5, path);
    err = create(w, temp, path, &fd, &named, info);
    if (err) {
        // a replay leaves the old segment where the new one begins, so nothing may follow there
        w->broken |= named;
        return err;
    }
    if (w->fd >= 0) {
        if (w->first_lsn != w->next_lsn) w->old_bytes += w->good_bytes;
        leave(w);
    }
    w->fd = fd;
    w->broken = false;
    w->first_lsn = w->next_lsn;
    w->good_bytes = LOGREC_HEAD_BYTES;
    return 0;
}

int wal_commit(struct wal *w, struct str frames, unsigned count, struct err_info *info)
{
    struct err_info why = {0};

    CHECK(frames.size > 0 && count > 0);
    if (w->broken && wal_rotate(w, &why))
        return err_set(info, ERR_STORAGE, "the log cannot be written: %s", why.text);
    take_room(w, frames.size);
    if (file_write_all(w->fd, frames.ptr, frames.size, &why)) {
        w->broken = !cut_back(w);
        return err_set(info, ERR_STORAGE, "the log in %s: %s; try: df %s", w->dir, why.text,
                       w->dir);
    }
    if (fdatasync(w->fd) < 0) {
        err_set(info, ERR_STORAGE, "the log in %s cannot be synced: %s; try: dmesg, df %s", w->dir,
                strerror(errno), w->dir);
        w->broken = true;
        (void)cut_back(w);
        return ERR_STORAGE;
    }
    w->good_bytes += frames.size;
    w->next_lsn += count;
    return 0;
}

uint64_t wal_bytes(const struct wal *w)
{
    return w->old_bytes + w->good_bytes;
}

void wal_close(struct wal *w)
{
    if (w->fd >= 0) leave(w);
}
