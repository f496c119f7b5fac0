// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/rand.h"
#include "engine/base/str.h"
#include "engine/feed/snapshot.h"
#include "engine/feed/wal.h"
#include "engine/wire/logrec.h"

#define LSN_DIGITS 20
#define SEED_BYTES 33 // 32 digits and a line end
#define SEED_CHECK 0x646961676174655eu

static int lock_dir(struct store *s, struct err_info *info)
{
    char path[PATH_MAX], pid[24] = "";
    ssize_t n;

    snprintf(path, sizeof path, "%s/lock", s->dir);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return err_set(info, ERR_IO, "cannot open %s: %s; try: ls -ld %s", path, strerror(errno),
                       s->dir);
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        n = read(s->lock_fd, pid, sizeof pid - 1);
        pid[n > 0 ? n : 0] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        return err_set(info, ERR_LOCKED,
                       "data directory %s is in use by process %s; try: another --data, or stop "
                       "that process",
                       s->dir, pid[0] ? pid : "?");
    }
    n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(s->lock_fd, 0) < 0 || pwrite(s->lock_fd, pid, (size_t)n, 0) != n)
        return err_set(info, ERR_IO, "cannot write %s: %s; try: df %s", path, strerror(errno),
                       s->dir);
    return 0;
}

// The number in `name` when it is <prefix><20 digits><suffix>.
static bool lsn_of(struct str name, struct str prefix, struct str suffix, uint64_t *ret)
{
    struct str digits;

    if (name.size != prefix.size + LSN_DIGITS + suffix.size || !str_starts(name, prefix))
        return false;
    digits = str_make(name.ptr + prefix.size, LSN_DIGITS);
    return str_eq(str_make(digits.ptr + LSN_DIGITS, suffix.size), suffix) &&
           str_to_u64(digits, ret);
}

static int by_lsn(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

int store_list(const char *dir, const char *prefix, const char *suffix, uint64_t **ret_lsns,
               unsigned *ret_count, struct err_info *info)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    uint64_t *lsns = NULL, lsn;
    unsigned count = 0;

    if (!d) return err_set(info, ERR_IO, "cannot list %s: %s", dir, strerror(errno));
    while ((entry = readdir(d))) {
        uint64_t *more;

        if (!lsn_of(str_of(entry->d_name), str_of(prefix), str_of(suffix), &lsn)) continue;
        more = realloc(lsns, (count + 1) * sizeof *lsns);
        if (!more) {
            free(lsns);
            closedir(d);
            return err_set(info, ERR_NOMEM, "no memory to list %s", dir);
        }
        lsns = more;
        lsns[count++] = lsn;
    }
    closedir(d);
    if (count > 1) qsort(lsns, count, sizeof *lsns, by_lsn);
    *ret_lsns = lsns;
    *ret_count = count;
    return 0;
}

// Files that were being written when the engine went.
static void clear_unfinished(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *entry;

    while (d && (entry = readdir(d))) {
        size_t n = strlen(entry->d_name);

        if (n > 4 && strcmp(entry->d_name + n - 4, ".new") == 0)
            unlinkat(dirfd(d), entry->d_name, 0);
    }
    if (d) closedir(d);
}

void store_clear_before(const char *dir, uint64_t lsn)
{
    uint64_t *lsns = NULL;
    unsigned count = 0;
    char path[PATH_MAX];

    if (store_list(dir, SNAPSHOT_PREFIX, SNAPSHOT_SUFFIX, &lsns, &count, NULL)) return;
    for (unsigned i = 0; i < count && lsns[i] < lsn; i++) {
        snapshot_path(path, sizeof path, dir, lsns[i]);
        unlink(path);
    }
    free(lsns);
    lsns = NULL;
    if (store_list(dir, "log-", ".dgl", &lsns, &count, NULL)) return;
    for (unsigned i = 0; i + 1 < count && lsns[i + 1] <= lsn; i++) {
        wal_path(path, sizeof path, dir, lsns[i]);
        unlink(path);
    }
    free(lsns);
}

static uint64_t seed_check(uint64_t seed)
{
    return hash_keyed_u64(seed, SEED_CHECK);
}

static bool seed_parse(struct str text, uint64_t *ret)
{
    uint64_t half[2] = {0, 0};

    if (text.size != SEED_BYTES || text.ptr[SEED_BYTES - 1] != '\n') return false;
    for (int i = 0; i < SEED_BYTES - 1; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = text.ptr[i] ? strchr(digits, text.ptr[i]) : NULL;

        if (!digit) return false;
        half[i / 16] = half[i / 16] << 4 | (uint64_t)(digit - digits);
    }
    *ret = half[0];
    return half[1] == seed_check(half[0]);
}

static int read_seed(struct store *s, const char *path, struct err_info *info)
{
    struct buf text;
    int err;

    buf_init(&text, 4096);
    err = file_read_all(path, &text, info);
    if (!err && !seed_parse(buf_view(&text), &s->seed))
        err = err_set(info, ERR_CORRUPT,
                      "%s is damaged; without it nothing in %s can be read; try: restore it from a "
                      "backup",
                      path, s->dir);
    buf_done(&text);
    return err;
}

static void attempts_dir(const struct store *s, char *dst, size_t size_bytes)
{
    snprintf(dst, size_bytes, "%s/" STORE_ATTEMPTS, s->dir);
}

static int make_segment(const char *dir, uint64_t seed, struct err_info *info)
{
    struct wal wal = {.dir = dir, .seed = seed, .fd = -1, .next_lsn = 1};
    int err = wal_rotate(&wal, info);

    wal_close(&wal);
    return err;
}

// First start: the segments are there before the seed, so that a seed without them is damage.
static int make_fresh(struct store *s, const char *seed_path, struct err_info *info)
{
    char text[SEED_BYTES + 1], attempts[PATH_MAX];
    int err;

    if (rand_secret(&s->seed, sizeof s->seed))
        return err_set(info, ERR_SYSTEM, "the kernel gives no random numbers");
    attempts_dir(s, attempts, sizeof attempts);
    err = file_make_dir(attempts, info);
    if (!err) err = make_segment(attempts, s->seed, info);
    if (!err) err = make_segment(s->dir, s->seed, info);
    if (err) return err;
    s->fresh = true;
    snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64 "\n", s->seed, seed_check(s->seed));
    return file_replace(seed_path, text, SEED_BYTES, info);
}

static bool has_no_records(const char *dir, const uint64_t *segments, unsigned segment_count)
{
    char path[PATH_MAX];
    struct stat st;

    if (segment_count != 1) return segment_count == 0;
    wal_path(path, sizeof path, dir, segments[0]);
    return segments[0] == 1 && stat(path, &st) == 0 && st.st_size <= LOGREC_HEAD_BYTES;
}

// Without a seed: nothing at all here, or the empty first segments of a first start that was
// interrupted.
static bool is_untouched(const struct store *s, unsigned snapshots, const uint64_t *segments,
                         unsigned segment_count)
{
    char attempts[PATH_MAX];
    uint64_t *lsns = NULL;
    unsigned count = 0;
    bool untouched;

    if (snapshots > 0 || !has_no_records(s->dir, segments, segment_count)) return false;
    attempts_dir(s, attempts, sizeof attempts);
    if (store_list(attempts, "log-", ".dgl", &lsns, &count, NULL)) return errno == ENOENT;
    untouched = has_no_records(attempts, lsns, count);
    free(lsns);
    return untouched;
}

static int open_seed(struct store *s, struct err_info *info)
{
    uint64_t *snapshots = NULL, *segments = NULL;
    unsigned snapshot_count = 0, segment_count = 0;
    char path[PATH_MAX];
    int err;

    snprintf(path, sizeof path, "%s/seed", s->dir);
    err = store_list(s->dir, SNAPSHOT_PREFIX, SNAPSHOT_SUFFIX, &snapshots, &snapshot_count, info);
    if (!err) err = store_list(s->dir, "log-", ".dgl", &segments, &segment_count, info);
    if (err) goto out;
    if (access(path, F_OK) == 0) {
        err = read_seed(s, path, info);
        if (!err && segment_count == 0)
            err = err_set(info, ERR_CORRUPT,
                          "%s has a seed but no log-*.dgl: changes that were acknowledged may be "
                          "missing; try: restore it from a backup, or start with an empty --data "
                          "directory",
                          s->dir);
    } else if (is_untouched(s, snapshot_count, segments, segment_count)) {
        err = make_fresh(s, path, info);
    } else {
        err = err_set(info, ERR_CORRUPT,
                      "%s is missing, and without it the log and snapshot in %s cannot be read; "
                      "try: restore it from a backup",
                      path, s->dir);
    }
out:
    free(snapshots);
    free(segments);
    return err;
}

int store_open(struct store *s, const char *dir, struct err_info *info)
{
    char rejected[PATH_MAX], attempts[PATH_MAX];
    int err;

    *s = (struct store){.lock_fd = -1};
    if (!str_copy(s->dir, sizeof s->dir, str_of(dir)))
        return err_set(info, ERR_CONFIG, "the data directory's path is longer than %d bytes",
                       STORE_DIR_BYTES - 1);
    snprintf(rejected, sizeof rejected, "%s/rejected", s->dir);
    err = file_make_dir(s->dir, info);
    if (!err) err = lock_dir(s, info);
    if (!err) err = file_make_dir(rejected, info);
    if (!err) {
        clear_unfinished(s->dir);
        clear_unfinished(rejected);
        attempts_dir(s, attempts, sizeof attempts);
        clear_unfinished(attempts);
        err = open_seed(s, info);
    }
    if (err) store_close(s);
    return err;
}

void store_close(struct store *s)
{
    if (s->lock_fd >= 0) close(s->lock_fd);
    s->lock_fd = -1;
}
