// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/feed/bench.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "engine/base/check.h"

#define WRITERS 4
#define EACH    500

// A disk that can be held, and that can fail.
static atomic_uint syncs, writes_left = UINT_MAX, syncs_left = UINT_MAX;
static atomic_bool held;

static bool fails(atomic_uint *left)
{
    return atomic_load(left) != UINT_MAX && atomic_fetch_sub(left, 1) == 0;
}

int fdatasync(int fd)
{
    atomic_fetch_add(&syncs, 1);
    while (atomic_load(&held)) usleep(1000);
    if (fails(&syncs_left)) {
        atomic_store(&syncs_left, UINT_MAX);
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

ssize_t write(int fd, const void *data, size_t size)
{
    if (size >= LOGREC_ATTEMPT_BYTES && fails(&writes_left)) {
        size = (size_t)syscall(SYS_write, fd, data, size / 2); // half of it is there, then
        atomic_store(&writes_left, UINT_MAX);
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, data, size);
}

static off_t size_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

// -- one report ------------------------------------------------------------------------------

static void check_three(struct bench *b)
{
    struct attempt a;

    assert_int_equal(bench_in_memory(b), 3);
    assert_true(ledger_find(b->ledger, bench_key(1), &a));
    assert_true(a.ended && a.result == 33 && a.start_s == T0 - 5);
    assert_true(ledger_find(b->ledger, bench_key(2), &a) && !a.ended);
    assert_true(ledger_find(b->ledger, bench_key(101), &a) && a.ended);
    assert_int_equal(bench_count(b, 1001, T0 - DAY).count, 2);
    assert_false(bench_count(b, 1001, T0 - DAY).unknown);
    assert_int_equal(bench_count(b, 1002, T0 - DAY).count, 1);
}

static void test_starts_ends_repeats(void **state)
{
    struct bench b;
    char path[PATH_MAX];
    off_t size;

    (void)state;
    bench_init(&b);
    bench_open(&b);
    assert_int_equal(bench_put(&b, bench_attempt(1, T0 - 5, false)), LEDGER_NEW);
    assert_int_equal(bench_put(&b, bench_attempt(2, T0 - 4, false)), LEDGER_NEW);
    assert_int_equal(bench_put(&b, bench_attempt(1, T0 - 5, true)), LEDGER_ENDED);
    assert_int_equal(bench_put(&b, bench_attempt(101, T0 - 3, true)),
                     LEDGER_NEW); // an end without a start
    check_three(&b);
    bench_last_path(&b, path);
    size = size_of(path);
    assert_int_equal(size, LOGREC_HEAD_BYTES + 4 * LOGREC_ATTEMPT_BYTES);
    assert_int_equal(bench_put(&b, bench_attempt(1, T0 - 5, false)),
                     LEDGER_REPEATED); // and a late start
    assert_int_equal(bench_put(&b, bench_attempt(1, T0 - 5, true)), LEDGER_REPEATED);
    assert_int_equal(bench_put(&b, bench_attempt(101, T0 - 5, false)), LEDGER_REPEATED);
    assert_int_equal(bench_put(&b, bench_attempt(2, T0 - 4, false)), LEDGER_REPEATED);
    assert_int_equal(size_of(path), size); // a repeat costs no disk
    check_three(&b);
    for (int round = 0; round < 3; round++) { // a replay changes nothing either
        bench_reopen_at(&b, T0);
        check_three(&b);
        assert_int_equal(size_of(path), size);
    }
    bench_close(&b);
    bench_done(&b);
}

static void test_quarantine(void **state)
{
    static char big[LIMIT_REPORT_RAW_BYTES + 100];
    struct str rest, text[3] = {STR("{\"GSW_PHONE\":\"x"), {NULL, 0}, {big, sizeof big}};
    struct logrec rec;
    struct bench b;
    struct buf bytes;
    char path[PATH_MAX];

    (void)state;
    memset(big, '{', sizeof big);
    bench_init(&b);
    bench_open(&b);
    for (int i = 0; i < 3; i++) assert_int_equal(bench_put_raw(&b, text[i]), 0);
    assert_int_equal(bench_put(&b, bench_attempt(1, T0, false)), LEDGER_NEW);
    bench_reopen_at(&b, T0 + 10);
    assert_int_equal(bench_in_memory(&b), 1);
    bench_last_path(&b, path);
    buf_init(&bytes, 1 << 16);
    assert_int_equal(file_read_all(path, &bytes, NULL), 0);
    rest = str_make(bytes.ptr + LOGREC_HEAD_BYTES, bytes.size_bytes - LOGREC_HEAD_BYTES);
    for (int i = 0; i < 3; i++) {
        int n = logrec_get(rest, &rec);

        assert_true(n > 0 && rec.type == LOGREC_REPORT_RAW && rec.raw.received_s == T0);
        if (i == 2) text[i].size = LIMIT_REPORT_RAW_BYTES;
        assert_true(str_eq(rec.raw.text, text[i]));
        rest = str_make(rest.ptr + n, rest.size - (size_t)n);
    }
    buf_done(&bytes);
    bench_close(&b);
    bench_done(&b);
}

// Nonsense for ever: how it begins is kept, then only why.
static void test_quarantine_is_bounded(void **state)
{
    enum { SENT = 2000 };
    static char big[LIMIT_REPORT_RAW_BYTES] = "not JSON\n";
    struct bench b;
    char path[PATH_MAX];

    (void)state;
    memset(big + strlen(big), '{', sizeof big - strlen(big));
    bench_init(&b);
    bench_open(&b);
    for (int i = 0; i < SENT; i++)
        assert_int_equal(bench_put_raw(&b, str_make(big, sizeof big)), 0);
    bench_last_path(&b, path);
    // 341 whole ones, 64 bytes a frame of the others
    assert_in_range(size_of(path), 1 << 20, (1 << 20) + SENT * 64 + 20000);
    bench_reopen_at(&b, T0 + 10);
    bench_close(&b);
    bench_done(&b);
}

static void test_without_a_directory(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    b.config.data_dir = NULL;
    bench_open(&b);
    assert_int_equal(bench_put(&b, bench_attempt(1, T0, false)), ERR_NOT_DURABLE);
    assert_int_equal(bench_put_raw(&b, STR("x")), ERR_NOT_DURABLE);
    assert_int_equal(bench_in_memory(&b), 0);
    assert_true(bench_count(&b, 1001, T0 - 60).unknown);
    reports_set_window(b.reports, 7 * DAY);
    assert_true(bench_count(&b, 1001, T0 - 60).unknown);
    bench_close(&b);
    bench_done(&b);
}

// -- the disk --------------------------------------------------------------------------------

static void test_no_answer_before_the_disk(void **state)
{
    struct bench_one o = {.job = {.attempt = bench_attempt(7, T0, true)}};
    struct attempt a;
    struct bench b;

    (void)state;
    bench_init(&b);
    bench_open(&b);
    atomic_store(&held, true);
    bench_submit(&b, &o);
    usleep(100000);
    assert_int_equal(sem_trywait(&o.done), -1);
    assert_false(ledger_find(b.ledger, bench_key(7), &a));
    atomic_store(&held, false);
    assert_int_equal(bench_result(&o), 0);
    assert_true(ledger_find(b.ledger, bench_key(7), &a));
    bench_close(&b);
    bench_done(&b);
}

// What the disk refuses is neither counted nor there after a restart; what follows is.
static void test_failing_disk(void **state)
{
    struct attempt a;
    struct bench b;

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        bench_init(&b);
        bench_open(&b);
        assert_int_equal(bench_put(&b, bench_attempt(1, T0, false)), LEDGER_NEW);
        atomic_store(kind ? &syncs_left : &writes_left, 0);
        assert_int_equal(bench_put(&b, bench_attempt(2, T0, false)), ERR_STORAGE);
        assert_int_equal(bench_in_memory(&b), 1);
        assert_int_equal(bench_put(&b, bench_attempt(1, T0, true)), LEDGER_ENDED);
        atomic_store(kind ? &syncs_left : &writes_left, 0);
        assert_int_equal(
            bench_put_raw(&b, STR("0123456789012345678901234567890123456789012345678901234567890")),
            ERR_STORAGE);
        assert_int_equal(bench_put(&b, bench_attempt(1, T0, true)), LEDGER_REPEATED);
        assert_int_equal(bench_put(&b, bench_attempt(3, T0, false)), LEDGER_NEW);
        reports_set_window(b.reports, 40 * DAY); // the log is read past what the disk refused
        bench_wait_since(&b, T0 - 40 * DAY - HOUR);
        bench_reopen_at(&b, T0 + 1);
        assert_int_equal(bench_in_memory(&b), 2);
        assert_false(ledger_find(b.ledger, bench_key(2), &a));
        assert_true(ledger_find(b.ledger, bench_key(1), &a) && a.ended);
        assert_true(ledger_find(b.ledger, bench_key(3), &a));
        bench_close(&b);
        bench_done(&b);
    }
}

struct writer {
    struct bench *b;
    pthread_t thread;
    unsigned number, failed;
};

static void *write_on(void *arg)
{
    struct writer *w = arg;

    for (unsigned i = 0; i < EACH; i++) {
        uint64_t guid = 1 + w->number * EACH + i;
        int want[2] = {LEDGER_NEW, LEDGER_ENDED};

        for (int ended = 0; ended < 2; ended++)
            if (bench_put(w->b, bench_attempt(guid, T0 + i, ended)) != want[ended]) w->failed++;
    }
    return NULL;
}

static void test_many_writers(void **state)
{
    struct writer writers[WRITERS];
    struct attempt a;
    struct bench b;
    unsigned before;

    (void)state;
    bench_init(&b);
    bench_open(&b);
    before = atomic_load(&syncs);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.b = &b, .number = i};
        pthread_create(&writers[i].thread, NULL, write_on, &writers[i]);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        assert_int_equal(writers[i].failed, 0);
    }
    print_message("%u reports, %u syncs\n", 2 * WRITERS * EACH, atomic_load(&syncs) - before);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(bench_in_memory(&b), WRITERS * EACH);
        for (uint64_t guid = 1; guid <= WRITERS * EACH; guid++)
            assert_true(ledger_find(b.ledger, bench_key(guid), &a) && a.ended);
        bench_reopen_at(&b, T0);
    }
    bench_close(&b);
    bench_done(&b);
}

// Many wait for one sync.
static void test_group_commit(void **state)
{
    static struct bench_one all[3000];
    struct bench b;
    unsigned before;

    (void)state;
    bench_init(&b);
    bench_open(&b);
    atomic_store(&held, true);
    before = atomic_load(&syncs);
    for (unsigned i = 0; i < COUNT_OF(all); i++) {
        all[i] = (struct bench_one){.job = {.attempt = bench_attempt(1 + i % 2000, T0, i >= 2000)}};
        bench_submit(&b, &all[i]);
    }
    atomic_store(&held, false);
    for (unsigned i = 0; i < COUNT_OF(all); i++) assert_int_equal(bench_result(&all[i]), 0);
    assert_in_range(atomic_load(&syncs) - before, 3, 6);
    assert_int_equal(bench_in_memory(&b), 2000);
    bench_reopen_at(&b, T0);
    assert_int_equal(bench_in_memory(&b), 2000);
    bench_close(&b);
    bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts_ends_repeats),
        cmocka_unit_test(test_quarantine),
        cmocka_unit_test(test_quarantine_is_bounded),
        cmocka_unit_test(test_without_a_directory),
        cmocka_unit_test(test_no_answer_before_the_disk),
        cmocka_unit_test(test_failing_disk),
        cmocka_unit_test(test_many_writers),
        cmocka_unit_test(test_group_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
