// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/feed/fixture.h"

#include <errno.h>
#include <sys/syscall.h>

#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/feed/replay.h"
#include "engine/feed/store.h"

#define WAL_SEED 0x1234567890abcdef
#define RECORDS  40

// A directory with one segment of RECORDS records in commits of 1 to 4.
struct log {
    struct rig rig;
    struct wal wal;
    char path[PATH_MAX];
    char bytes[8192];
    size_t size;
    size_t end[RECORDS + 1]; // where record i + 1 ends; [0] = the header
};

// A disk that fails: so many calls succeed, then one does not.
static unsigned syncs, syncs_left = UINT_MAX;

static int sync_by(long call, int fd)
{
    syncs++;
    if (syncs_left != UINT_MAX && syncs_left-- == 0) {
        syncs_left = UINT_MAX;
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

// What the rooms call in this program.
int fsync(int fd)
{
    return sync_by(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return sync_by(SYS_fdatasync, fd);
}

static uint64_t device_of(uint64_t lsn)
{
    return 12120000000 + hash_keyed_u64(3, lsn) % 10000000;
}

static void append(struct wal *w, unsigned count, int want)
{
    struct buf b;

    buf_init(&b, 65536);
    for (unsigned i = 0; i < count; i++) {
        struct logrec rec = {.type = LOGREC_ENTRY_SET,
                             .list = 1,
                             .lsn = w->next_lsn + i,
                             .entry = {LOGREC_ADDED, 7, device_of(w->next_lsn + i), 0, 9}};
        logrec_put(&b, &rec);
    }
    assert_int_equal(wal_commit(w, buf_view(&b), count, NULL), want);
    buf_done(&b);
}

static struct wal new_wal(struct log *l)
{
    return (struct wal){.dir = l->rig.data, .seed = WAL_SEED, .fd = -1, .next_lsn = 1};
}

static void log_init(struct log *l)
{
    struct buf b;
    unsigned n = 0;

    memset(l, 0, sizeof *l);
    rig_init(&l->rig);
    assert_int_equal(file_make_dir(l->rig.data, NULL), 0);
    l->wal = new_wal(l);
    assert_int_equal(wal_rotate(&l->wal, NULL), 0);
    l->end[0] = LOGREC_HEAD_BYTES;
    while (n < RECORDS) {
        unsigned count = 1 + n % 4 < RECORDS - n ? 1 + n % 4 : RECORDS - n;

        append(&l->wal, count, 0);
        for (unsigned i = 0; i < count; i++, n++) l->end[n + 1] = l->end[n] + LOGREC_ENTRY_BYTES;
    }
    wal_path(l->path, sizeof l->path, l->rig.data, 1);
    buf_init(&b, sizeof l->bytes);
    assert_int_equal(file_read_all(l->path, &b, NULL), 0);
    l->size = b.size_bytes;
    memcpy(l->bytes, b.ptr, b.size_bytes);
    buf_done(&b);
    assert_int_equal(l->size, l->end[RECORDS]);
    assert_int_equal(l->wal.next_lsn, RECORDS + 1);
    wal_close(&l->wal);
}

static void put_file(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

static int on_record(void *ctx, const struct logrec *rec, struct err_info *info)
{
    uint64_t *next = ctx;

    (void)info;
    assert_int_equal(rec->lsn, *next);
    assert_int_equal(rec->type, LOGREC_ENTRY_SET);
    assert_int_equal(rec->entry.device, device_of(rec->lsn));
    assert_int_equal(rec->entry.till_s, 9);
    (*next)++;
    return 0;
}

// Replays from `from`; *ret_next: behind the last record given.
static int replay(struct log *l, uint64_t from, uint64_t *ret_next, struct replay *r,
                  struct err_info *info)
{
    *ret_next = from;
    *r = (struct replay){.from_lsn = from, .on_record = on_record, .ctx = ret_next};
    l->wal = new_wal(l);
    return replay_run(r, &l->wal, info);
}

static void test_every_cut(void **state)
{
    struct log *l = malloc(sizeof *l);
    struct err_info info;
    struct replay r;
    uint64_t next;

    (void)state;
    log_init(l);
    for (size_t size = 0; size <= l->size; size++) {
        unsigned whole = 0;
        struct stat st;

        put_file(l->path, l->bytes, size);
        if (size < LOGREC_HEAD_BYTES) { // a segment never stands there without its header
            assert_int_equal(replay(l, 1, &next, &r, &info), ERR_CORRUPT);
            continue;
        }
        while (whole < RECORDS && l->end[whole + 1] <= size) whole++;
        assert_int_equal(replay(l, 1, &next, &r, &info), 0);
        assert_int_equal(next, whole + 1);
        assert_int_equal(r.records, whole);
        assert_int_equal(r.cut_bytes, size - l->end[whole]);
        if (r.cut_bytes) assert_int_equal(r.cut_at, l->end[whole]);
        assert_int_equal(stat(l->path, &st), 0);
        assert_int_equal(st.st_size, l->end[whole]);
        if (size % 16 == 1) { // and it goes on from there
            append(&l->wal, 2, 0);
            wal_close(&l->wal);
            assert_int_equal(replay(l, 1, &next, &r, &info), 0);
            assert_int_equal(next, whole + 3);
            assert_int_equal(r.cut_bytes, 0);
        }
        wal_close(&l->wal);
    }
    rig_done(&l->rig);
    free(l);
}

static void test_every_flip(void **state)
{
    struct log *l = malloc(sizeof *l);
    struct err_info info;
    struct replay r;
    uint64_t next;

    (void)state;
    log_init(l);
    for (size_t at = 0; at < l->size; at++) {
        int err;

        l->bytes[at] ^= 0x20;
        put_file(l->path, l->bytes, l->size);
        l->bytes[at] ^= 0x20;
        err = replay(l, 1, &next, &r, &info);
        if (at >= l->end[RECORDS - 1]) { // the last record: like a torn one
            assert_int_equal(err, 0);
            assert_int_equal(next, RECORDS);
            assert_int_equal(r.cut_bytes, LOGREC_ENTRY_BYTES);
            wal_close(&l->wal);
            continue;
        }
        assert_true(err == ERR_CORRUPT || err == ERR_VERSION || err == ERR_CONFLICT);
        assert_non_null(strstr(info.text, "try:"));
        assert_non_null(strstr(info.text, "log-"));
        if (at < LOGREC_HEAD_BYTES) continue;
        assert_true(next <= 1 + (at - LOGREC_HEAD_BYTES) / LOGREC_ENTRY_BYTES);
    }
    rig_done(&l->rig);
    free(l);
}

static void test_segments(void **state)
{
    struct log *l = malloc(sizeof *l);
    char path[PATH_MAX], away[PATH_MAX];
    struct err_info info;
    struct replay r;
    uint64_t next;

    (void)state;
    log_init(l);
    assert_int_equal(replay(l, 1, &next, &r, &info), 0);
    assert_int_equal(wal_rotate(&l->wal, &info), 0);
    append(&l->wal, 3, 0);
    assert_int_equal(wal_rotate(&l->wal, &info), 0);
    append(&l->wal, 2, 0);
    wal_close(&l->wal);
    assert_int_equal(replay(l, 1, &next, &r, &info), 0);
    assert_int_equal(next, RECORDS + 6);
    assert_int_equal(wal_bytes(&l->wal), 3 * LOGREC_HEAD_BYTES + 45 * LOGREC_ENTRY_BYTES);
    wal_close(&l->wal);
    assert_int_equal(replay(l, RECORDS + 4, &next, &r, &info), 0); // from the third one on
    assert_int_equal(r.records, 2);
    wal_close(&l->wal);
    assert_int_equal(replay(l, RECORDS + 3, &next, &r, &info), 0); // from inside the second
    assert_int_equal(r.records, 3);
    wal_close(&l->wal);
    assert_int_equal(replay(l, RECORDS + 7, &next, &r, &info), ERR_CORRUPT); // past the end

    wal_path(path, sizeof path, l->rig.data, RECORDS + 1); // a hole
    snprintf(away, sizeof away, "%s/away", l->rig.dir);
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(replay(l, 1, &next, &r, &info), ERR_CORRUPT);
    assert_int_equal(rename(away, path), 0);
    put_file(l->path, l->bytes, l->size - 1); // a torn end where another segment follows
    assert_int_equal(replay(l, 1, &next, &r, &info), ERR_CORRUPT);
    assert_int_equal(unlink(l->path), 0); // the first one is gone
    assert_int_equal(replay(l, 1, &next, &r, &info), ERR_CORRUPT);
    assert_int_equal(replay(l, RECORDS + 1, &next, &r, &info), 0);
    wal_close(&l->wal);
    rig_done(&l->rig);
    free(l);
}

// After a failed fdatasync the old segment may hold anything behind its good end.
static void test_broken_segment(void **state)
{
    struct log *l = malloc(sizeof *l);
    struct err_info info;
    struct replay r;
    uint64_t next;
    int fd;

    (void)state;
    log_init(l);
    assert_int_equal(replay(l, 1, &next, &r, &info), 0);
    fd = open(l->path, O_WRONLY | O_APPEND); // records that were refused, and rubbish
    assert_int_equal(write(fd, l->bytes + LOGREC_HEAD_BYTES, 100), 100);
    close(fd);
    l->wal.broken = true;
    append(&l->wal, 2, 0);
    assert_int_equal(l->wal.first_lsn, RECORDS + 1);
    l->wal.broken = true; // again, before anything else was written there
    append(&l->wal, 1, 0);
    wal_close(&l->wal);
    assert_int_equal(replay(l, 1, &next, &r, &info), 0);
    assert_int_equal(next, RECORDS + 4);
    assert_int_equal(r.cut_bytes, 0);
    wal_close(&l->wal);
    rig_done(&l->rig);
    free(l);
}

// A rotation whose segment got its name, but the directory could not be synced: what is committed
// afterwards must not go where a replay no longer looks.
static void test_half_rotated(void **state)
{
    struct log *l = malloc(sizeof *l);
    struct err_info info;
    struct replay r;
    uint64_t next;

    (void)state;
    log_init(l);
    for (unsigned at = 0; at < 2; at++) { // 0: the segment's own sync, 1: the directory's
        uint64_t before;

        assert_int_equal(replay(l, 1, &next, &r, &info), 0);
        before = l->wal.next_lsn;
        append(&l->wal, 1, 0);
        syncs_left = at;
        assert_int_equal(wal_rotate(&l->wal, &info), ERR_IO);
        append(&l->wal, 3, 0);
        assert_int_equal(l->wal.first_lsn, at ? before + 1 : 1);
        wal_close(&l->wal);
        assert_int_equal(replay(l, 1, &next, &r, &info), 0);
        assert_int_equal(next, before + 4);
        wal_close(&l->wal);
    }
    rig_done(&l->rig);
    free(l);
}

// A commit that cannot be synced is refused, and is not there after a restart.
static void test_failed_sync(void **state)
{
    struct log *l = malloc(sizeof *l);
    struct err_info info;
    struct replay r;
    uint64_t next;

    (void)state;
    log_init(l);
    assert_int_equal(replay(l, 1, &next, &r, &info), 0);
    syncs_left = 0;
    append(&l->wal, 4, ERR_STORAGE);
    assert_int_equal(l->wal.next_lsn, next);
    wal_close(&l->wal);
    assert_int_equal(replay(l, 1, &next, &r, &info), 0);
    assert_int_equal(next, RECORDS + 1);
    syncs_left = 0;
    append(&l->wal, 4, ERR_STORAGE);
    append(&l->wal, 2, 0);
    wal_close(&l->wal);
    assert_int_equal(replay(l, 1, &next, &r, &info), 0);
    assert_int_equal(next, RECORDS + 3);
    wal_close(&l->wal);
    rig_done(&l->rig);
    free(l);
}

// A replayed record may be in the page cache only; it counts as durable afterwards, so it has to
// be.
static void test_replay_syncs(void **state)
{
    struct log *l = malloc(sizeof *l);
    struct err_info info;
    struct replay r;
    uint64_t next;

    (void)state;
    log_init(l);
    syncs = 0;
    assert_int_equal(replay(l, 1, &next, &r, &info), 0);
    assert_int_equal(syncs, 2); // the directory and the segment
    wal_close(&l->wal);
    for (unsigned i = 0; i < 2; i++) {
        syncs_left = i;
        assert_int_equal(replay(l, 1, &next, &r, &info), ERR_IO);
    }
    rig_done(&l->rig);
    free(l);
}

static off_t on_disk(const struct log *l)
{
    struct stat st;

    assert_int_equal(stat(l->path, &st), 0);
    assert_true(st.st_size < 65536); // the size says what was written
    return st.st_blocks * 512;
}

// Room is taken ahead, and given back when a segment is left, or cut.
static void test_room(void **state)
{
    struct log *l = malloc(sizeof *l);
    struct err_info info;
    struct replay r;
    uint64_t next;

    (void)state;
    log_init(l);
    for (int way = 0; way < 3; way++) {
        assert_int_equal(replay(l, 1, &next, &r, &info), 0);
        append(&l->wal, 1, 0);
        if (on_disk(l) < 1 << 20) // not every file system can
            print_message("no room taken: %lld bytes\n", (long long)on_disk(l));
        if (way == 1) assert_int_equal(wal_rotate(&l->wal, &info), 0);
        if (way == 2) {
            syncs_left = 0;
            append(&l->wal, 1, ERR_STORAGE);
        }
        if (way) assert_true(on_disk(l) < 1 << 20);
        wal_close(&l->wal);
        assert_true(on_disk(l) < 1 << 20);
        if (way == 1) wal_path(l->path, sizeof l->path, l->rig.data, next + 1);
    }
    assert_int_equal(replay(l, 1, &next, &r, &info), 0);
    assert_int_equal(r.cut_bytes, 0);
    wal_close(&l->wal);
    rig_done(&l->rig);
    free(l);
}

static void test_another_seed(void **state)
{
    struct log *l = malloc(sizeof *l);
    struct err_info info;
    struct replay r = {.from_lsn = 1, .on_record = on_record};

    (void)state;
    log_init(l);
    l->wal = new_wal(l);
    l->wal.seed++;
    assert_int_equal(replay_run(&r, &l->wal, &info), ERR_CONFLICT);
    assert_non_null(strstr(info.text, "seed"));
    rig_done(&l->rig);
    free(l);
}

// A first start that was interrupted is taken up; anything else without a seed is not.
static void test_store(void **state)
{
    char path[PATH_MAX], text[64] = "";
    struct err_info info;
    struct store s;
    struct rig r;
    uint64_t seed;
    int fd;

    (void)state;
    rig_init(&r);
    assert_int_equal(store_open(&s, r.data, &info), 0);
    assert_true(s.fresh);
    seed = s.seed;
    store_close(&s);
    assert_int_equal(store_open(&s, r.data, &info), 0);
    assert_false(s.fresh);
    assert_int_equal(s.seed, seed);
    store_close(&s);
    snprintf(path, sizeof path, "%s/log-00000000000000000009.dgl.new", r.data);
    put_file(path, "x", 1);
    snprintf(path, sizeof path, "%s/seed", r.data);
    fd = open(path, O_RDWR);
    assert_int_equal(read(fd, text, sizeof text), 33);
    assert_int_equal(unlink(path), 0); // before the seed came
    assert_int_equal(store_open(&s, r.data, &info), 0);
    assert_true(s.fresh);
    assert_int_not_equal(s.seed, seed);
    store_close(&s);
    text[5] ^= 1;
    put_file(path, text, 33);
    assert_int_equal(store_open(&s, r.data, &info), ERR_CORRUPT);
    put_file(path, text, 0);
    assert_int_equal(store_open(&s, r.data, &info), ERR_CORRUPT);
    snprintf(path, sizeof path, "%s/log-00000000000000000009.dgl.new", r.data);
    assert_int_not_equal(access(path, F_OK), 0);
    close(fd);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut),    cmocka_unit_test(test_every_flip),
        cmocka_unit_test(test_segments),     cmocka_unit_test(test_broken_segment),
        cmocka_unit_test(test_half_rotated), cmocka_unit_test(test_failed_sync),
        cmocka_unit_test(test_replay_syncs), cmocka_unit_test(test_room),
        cmocka_unit_test(test_another_seed), cmocka_unit_test(test_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
