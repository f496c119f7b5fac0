// SPDX-License-Identifier: Apache-2.0
#include "engine/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_write_all(int fd, const void *data, size_t size_bytes, struct err_info *info)
{
    const char *at = data;

    while (size_bytes > 0) {
        ssize_t n = write(fd, at, size_bytes);

        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return err_set(info, ERR_IO, "write failed: %s", strerror(n ? errno : ENOSPC));
        at += n;
        size_bytes -= (size_t)n;
    }
    return 0;
}

int file_read_all(const char *path, struct buf *b, struct err_info *info)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

    if (fd < 0)
        return err_set(info, ERR_IO, "cannot open %s: %s; try: ls -l %s", path, strerror(errno),
                       path);
    for (;;) {
        char piece[16384];
        ssize_t n = read(fd, piece, sizeof piece);

        if (n < 0 && errno == EINTR) continue;
        if (n < 0) err = err_set(info, ERR_IO, "cannot read %s: %s", path, strerror(errno));
        if (n <= 0) break;
        buf_put(b, piece, (size_t)n);
    }
    if (!err && b->failed)
        err = err_set(info, ERR_FULL, "%s is larger than %zu bytes", path, b->max_bytes);
    close(fd);
    return err;
}

int file_sync_dir(const char *dir, struct err_info *info)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

    if (fd < 0 || fsync(fd) < 0)
        err = err_set(info, ERR_IO, "cannot sync directory %s: %s", dir, strerror(errno));
    if (fd >= 0) close(fd);
    return err;
}

static int write_synced(const char *path, const void *data, size_t size_bytes,
                        struct err_info *info)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), err;

    if (fd < 0)
        return err_set(info, ERR_IO, "cannot create %s: %s; try: ls -ld its directory", path,
                       strerror(errno));
    err = file_write_all(fd, data, size_bytes, info);
    if (!err && fsync(fd) < 0)
        err = err_set(info, ERR_IO, "cannot sync %s: %s", path, strerror(errno));
    close(fd);
    return err;
}

int file_replace(const char *path, const void *data, size_t size_bytes, struct err_info *info)
{
    char temp[PATH_MAX], dir[PATH_MAX];
    char *slash;
    int err;

    if (snprintf(temp, sizeof temp, "%s.new", path) >= (int)sizeof temp)
        return err_set(info, ERR_IO, "path too long: %s", path);
    err = write_synced(temp, data, size_bytes, info);
    if (!err && rename(temp, path) < 0)
        err = err_set(info, ERR_IO, "cannot rename %s: %s", temp, strerror(errno));
    if (err) {
        unlink(temp);
        return err;
    }
    snprintf(dir, sizeof dir, "%s", path);
    slash = strrchr(dir, '/');
    if (slash)
        *slash = '\0';
    else
        snprintf(dir, sizeof dir, ".");
    return file_sync_dir(dir[0] ? dir : "/", info);
}

// After a failed mkdir, whose errno goes to *ret_cause: whether a directory is there all the same.
static bool is_dir(const char *path, int *ret_cause)
{
    struct stat st;

    *ret_cause = errno;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int file_make_dir(const char *dir, struct err_info *info)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s", dir[0] ? dir : ".") >= (int)sizeof path)
        return err_set(info, ERR_IO, "path too long: %s", dir);
    for (char *at = path + 1;; at++) {
        char saved = *at;
        int cause;

        if (saved != '/' && saved != '\0') continue;
        *at = '\0';
        if (mkdir(path, 0700) < 0 && !is_dir(path, &cause))
            return err_set(info, ERR_IO, "cannot create directory %s: %s; try: ls -ld its parent",
                           path, strerror(cause));
        *at = saved;
        if (saved == '\0') return 0;
    }
}
