// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/feed/bench.h"

#include "engine/base/check.h"

// -- damage ----------------------------------------------------------------------------------

static void write_file(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_TRUNC);

    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

static void test_torn_and_damaged(void **state)
{
    struct bench b;
    struct buf whole;
    char path[PATH_MAX];

    (void)state;
    bench_init(&b);
    bench_open(&b);
    for (uint64_t guid = 1; guid <= 5; guid++) bench_put(&b, bench_attempt(guid, T0, false));
    bench_close(&b);
    bench_last_path(&b, path);
    buf_init(&whole, 1 << 16);
    assert_int_equal(file_read_all(path, &whole, NULL), 0);
    for (size_t cut = 1; cut <= LOGREC_ATTEMPT_BYTES; cut += cut < 90 ? 7 : 1) {
        write_file(path, whole.ptr, whole.size_bytes - cut);
        bench_open(&b);
        assert_int_equal(bench_in_memory(&b), 4);
        assert_int_equal(bench_put(&b, bench_attempt(6, T0, false)), LEDGER_NEW);
        bench_reopen_at(&b, T0);
        assert_int_equal(bench_in_memory(&b), 5);
        bench_close(&b);
    }
    for (size_t at = 3; at < whole.size_bytes - LOGREC_ATTEMPT_BYTES; at += 11) {
        whole.ptr[at] ^= 4;
        write_file(path, whole.ptr, whole.size_bytes);
        assert_true(bench_try(&b) < 0);
        assert_non_null(strstr(b.info.text, "try:"));
        assert_non_null(strstr(b.info.text, "attempts/log-"));
        whole.ptr[at] ^= 4;
    }
    buf_done(&whole);
    bench_done(&b);
}

// A record of the other log, sound as it is.
static void test_a_list_entry_is_no_report(void **state)
{
    struct logrec rec = {.type = LOGREC_ENTRY_SET, .lsn = 1, .entry = {.hash = 5}};
    struct bench b;
    struct buf bytes;
    char path[PATH_MAX];

    (void)state;
    bench_init(&b);
    bench_last_path(&b, path);
    buf_init(&bytes, 4096);
    logrec_head_put(&bytes, 1, b.store.seed);
    logrec_put(&bytes, &rec);
    write_file(path, bytes.ptr, bytes.size_bytes);
    assert_int_equal(bench_try(&b), ERR_CORRUPT);
    assert_non_null(strstr(b.info.text, "no call report"));
    buf_done(&bytes);
    bench_done(&b);
}

// A log that is gone is not an empty one.
static void test_missing(void **state)
{
    char path[PATH_MAX], dir[PATH_MAX];
    struct bench b;

    (void)state;
    bench_init(&b);
    bench_last_path(&b, path);
    snprintf(dir, sizeof dir, "%s/" STORE_ATTEMPTS, b.rig.data);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(bench_try(&b), ERR_CORRUPT);
    assert_non_null(strstr(b.info.text, "mkdir"));
    assert_int_equal(mkdir(dir, 0700), 0);
    bench_open(&b);
    assert_int_equal(bench_put(&b, bench_attempt(1, T0, false)), LEDGER_NEW);
    assert_true(bench_count(&b, 1001, T0 - HOUR).unknown);
    for (int round = 0; round < 2; round++) { // and it stays so
        bench_reopen_at(&b, T0 + DAY);
        assert_true(bench_count(&b, 1001, T0 - HOUR).unknown);
        assert_int_equal(bench_since(&b), T0 + REPORTLOG_AHEAD_S);
        assert_false(bench_count(&b, 1001, T0 + HOUR).unknown);
    }
    bench_close(&b);
    bench_done(&b);
}

// -- time ------------------------------------------------------------------------------------

// One attempt every two hours for 40 days: what is older than the retention goes, and a restart
// still knows that it went.
static void test_retention(void **state)
{
    int64_t now_s = T0, oldest;
    uint64_t *lsns = NULL;
    struct bench b;

    (void)state;
    bench_init(&b);
    b.config.retention_s = 2 * DAY;
    b.config.window_s = DAY;
    bench_open(&b);
    for (uint64_t i = 1; i <= 60; i++) {
        bench_reopen_at(&b, now_s);
        assert_int_equal(bench_put(&b, bench_attempt(2 * i, now_s, false)), LEDGER_NEW);
        assert_int_equal(bench_put(&b, bench_attempt(2 * i + 1, now_s, false)), LEDGER_NEW);
        now_s += 2 * HOUR;
    }
    now_s -= 2 * HOUR;
    reports_set_window(b.reports, 30 * DAY); // more than is left
    assert_true(bench_segments(&b, &lsns) > 0 && lsns[0] > 1);
    // two records in two hours
    bench_wait_since(&b, T0 + (int64_t)((lsns[0] - 1) / 2) * 2 * HOUR + REPORTLOG_AHEAD_S);
    free(lsns);
    lsns = NULL;
    // 25 segments are younger than two days and an hour; one more holds that instant
    assert_in_range(bench_segment_count(&b), 25, 27);
    assert_true(bench_segments(&b, &lsns) > 0 && lsns[0] > 1);
    free(lsns);
    bench_reopen_at(&b, now_s);
    oldest = now_s - 25 * HOUR;
    assert_int_equal(bench_since(&b), oldest);
    assert_int_equal(bench_in_memory(&b), 2 * 13);
    assert_false(bench_count(&b, 1002, now_s - DAY).unknown);
    assert_true(bench_count(&b, 1002, now_s - 26 * HOUR).unknown);
    b.config.window_s = 0; // all that is on disk
    bench_reopen_at(&b, now_s);
    assert_true(bench_count(&b, 1002, now_s - 3 * DAY).unknown);
    assert_false(bench_count(&b, 1002, now_s - 2 * DAY).unknown);
    bench_close(&b);
    bench_done(&b);
}

#define OLD_ATTEMPTS 100000

// A longer window reads older attempts again, while new ones come in.
static void test_window(void **state)
{
    struct bench_one *all = calloc(OLD_ATTEMPTS, sizeof *all);
    int64_t worst_ns = 0;
    uint64_t guid = OLD_ATTEMPTS + 10;
    struct bench b;

    (void)state;
    bench_init(&b);
    bench_open(&b);
    for (unsigned i = 0; i < OLD_ATTEMPTS; i++) { // from 10 days ago to 1 day ago
        all[i] = (struct bench_one){
            .job = {.attempt =
                        bench_attempt(1 + i, T0 - 10 * DAY + i * 9LL * DAY / OLD_ATTEMPTS, true)}};
        bench_submit(&b, &all[i]);
    }
    for (unsigned i = 0; i < OLD_ATTEMPTS; i++) assert_int_equal(bench_result(&all[i]), 0);
    b.config.window_s = DAY;
    bench_reopen_at(&b, T0);
    assert_int_equal(bench_since(&b), T0 - DAY - HOUR);
    assert_true(bench_in_memory(&b) < 1000);
    assert_true(bench_count(&b, 1001, T0 - 7 * DAY).unknown);
    reports_set_window(b.reports, 7 * DAY);
    while (bench_since(&b) != T0 - 7 * DAY - HOUR) {
        int64_t begin_ns = clock_mono_ns(), took_ns;

        assert_int_equal(bench_put(&b, bench_attempt(guid++, T0, true)), LEDGER_NEW);
        took_ns = clock_mono_ns() - begin_ns;
        if (took_ns > worst_ns) worst_ns = took_ns;
    }
    print_message("%llu reports while reading again, the slowest took %.1f ms\n",
                  (unsigned long long)guid - OLD_ATTEMPTS - 10, (double)worst_ns / 1e6);
    // 7 days less one, of 100 devices
    assert_in_range(bench_count(&b, 1001, T0 - 7 * DAY).count, 6 * OLD_ATTEMPTS / 9 / 100,
                    6 * OLD_ATTEMPTS / 9 / 100 + guid - OLD_ATTEMPTS);
    assert_false(bench_count(&b, 1001, T0 - 7 * DAY).unknown);
    assert_true(bench_count(&b, 1001, T0 - 8 * DAY).unknown);
    reports_set_window(b.reports, 60 * DAY); // longer than anything there is
    bench_wait_since(&b, T0 - 60 * DAY - HOUR);
    assert_int_equal(bench_in_memory(&b), OLD_ATTEMPTS + (guid - OLD_ATTEMPTS - 10));
    reports_set_window(b.reports, 2 * DAY);
    bench_wait_since(&b, T0 - 2 * DAY - HOUR);
    reports_set_window(b.reports, 3 * DAY);
    reports_set_window(b.reports, 9 * DAY); // overtakes the one before
    bench_wait_since(&b, T0 - 9 * DAY - HOUR);
    assert_false(bench_count(&b, 1001, T0 - 9 * DAY).unknown);
    free(all);
    bench_close(&b);
    bench_done(&b);
}

// What is reserved while older attempts are read again is none of those.
static void test_window_leaves_reservations(void **state)
{
    struct ledger_asker who = {.device = bench_key(1001)};
    struct attempts_count c;
    struct bench b;

    (void)state;
    bench_init(&b);
    b.config.window_s = DAY;
    bench_open(&b);
    bench_put(&b, bench_attempt(1, T0 - 3 * DAY, true));
    bench_reopen_at(&b, T0);
    assert_true(ledger_reserve(b.ledger, &who, T0, T0 + 10));
    reports_set_window(b.reports, 7 * DAY);
    bench_wait_since(&b, T0 - 7 * DAY - HOUR);
    c = bench_count(&b, 1001, T0 - 7 * DAY);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.reserved, 1);
    bench_close(&b);
    bench_done(&b);
}

// A clock that goes ahead for a while lets everything go; it is there again when the clock is back.
static void test_clock_ahead(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    b.config.window_s = DAY;
    bench_open(&b);
    bench_put(&b, bench_attempt(1, T0 - 3 * HOUR, true));
    clock_freeze((int64_t)(T0 + 2 * DAY) * 1000000000);
    bench_wait_since(&b, T0 + 2 * DAY - DAY - HOUR);
    assert_int_equal(bench_in_memory(&b), 0);
    clock_freeze((int64_t)T0 * 1000000000);
    assert_true(bench_count(&b, 1001, T0 - DAY).unknown);
    bench_wait_since(&b, T0 - DAY - HOUR);
    assert_int_equal(bench_count(&b, 1001, T0 - DAY).count, 1);
    bench_close(&b);
    bench_done(&b);
}

// Rot that comes while the engine runs: what cannot be read again stays unknown.
static void test_damage_meanwhile(void **state)
{
    struct bench b;
    struct buf bytes;
    char path[PATH_MAX];

    (void)state;
    bench_init(&b);
    b.config.window_s = DAY;
    bench_open(&b);
    for (uint64_t guid = 1; guid <= 5; guid++)
        bench_put(&b, bench_attempt(guid, T0 - 3 * DAY, true));
    bench_last_path(&b, path);
    buf_init(&bytes, 1 << 16);
    assert_int_equal(file_read_all(path, &bytes, NULL), 0);
    bytes.ptr[LOGREC_HEAD_BYTES + 2 * LOGREC_ATTEMPT_BYTES + 50] ^= 1;
    write_file(path, bytes.ptr, bytes.size_bytes);
    reports_set_window(b.reports, 7 * DAY);
    usleep(200000);
    bench_put(&b, bench_attempt(6, T0, true));
    assert_true(bench_count(&b, 1001, T0 - 7 * DAY).unknown);
    assert_false(bench_count(&b, 1001, T0 - DAY).unknown);
    buf_done(&bytes);
    bench_close(&b);
    bench_done(&b);
}

// More attempts than memory may hold: durable, and known to be lacking.
static void test_full_memory(void **state)
{
    static struct bench_one all[200000];
    struct bench b;

    (void)state;
    bench_init(&b);
    b.config.limits.attempts_max = 65536;
    bench_open(&b);
    assert_int_equal(bench_put(&b, bench_attempt(1, T0 - HOUR, true)), LEDGER_NEW);
    assert_false(bench_count(&b, 1001, T0 - HOUR).unknown);
    for (unsigned i = 0; i < COUNT_OF(all); i++) {
        all[i] = (struct bench_one){.job = {.attempt = bench_attempt(2 + i, T0, true)}};
        bench_submit(&b, &all[i]);
    }
    for (unsigned i = 0; i < COUNT_OF(all); i++) assert_int_equal(bench_result(&all[i]), 0);
    assert_true(bench_in_memory(&b) <= 65536);
    assert_true(bench_count(&b, 1001, T0 - HOUR).unknown);
    assert_true(bench_count(&b, 1001, T0).unknown);
    b.config.limits.attempts_max = 1 << 20;
    bench_reopen_at(&b, T0);
    assert_int_equal(bench_in_memory(&b), COUNT_OF(all) + 1);
    assert_false(bench_count(&b, 1001, T0 - HOUR).unknown);
    bench_close(&b);
    bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torn_and_damaged), cmocka_unit_test(test_a_list_entry_is_no_report),
        cmocka_unit_test(test_missing),          cmocka_unit_test(test_retention),
        cmocka_unit_test(test_window),           cmocka_unit_test(test_window_leaves_reservations),
        cmocka_unit_test(test_clock_ahead),      cmocka_unit_test(test_damage_meanwhile),
        cmocka_unit_test(test_full_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
