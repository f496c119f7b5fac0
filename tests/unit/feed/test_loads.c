// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/feed/fixture.h"

#define A UINT64_C(12125550001)
#define B UINT64_C(12125550002)

static void reload(struct rig *r, const struct list_spec *spec)
{
    if (feed_reload(r->feed, spec, 1, &r->info)) fail_msg("%s", r->info.text);
    rig_wait(r, 0);
}

static void wait_metric(enum metric metric, uint64_t want)
{
    struct timespec pause = {.tv_nsec = 1000000};

    for (int i = 0; i < 20000; i++) {
        if (metric_sum(metric) >= want) return;
        nanosleep(&pause, NULL);
    }
    fail_msg("the metric stays at %llu", (unsigned long long)metric_sum(metric));
}

// A file of which no row is an entry is no empty list: at first the list goes on blocking, later it
// keeps what it has, whatever shrinking is allowed.
static void test_rubbish(void **state)
{
    struct list_spec spec;
    struct rig r;
    int fd = -1;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t failed = metric_sum(METRIC_RELOADS_FAILED);

        rig_init(&r);
        r.volatile_ = i;
        r.shrink_percent = 100;
        rig_write(&r, "f", "a@b.org\n\nc@d.org\n");
        spec = rig_spec(&r, "n", "f");
        rig_open(&r, &spec, 1);
        wait_metric(METRIC_RELOADS_FAILED, failed + 1);
        assert_int_equal(rig_list(&r, 0).state, LIST_LOADING);
        assert_int_equal(feed_rejected(r.feed, 0, &fd), 0);
        close(fd);
        rig_write(&r, "f", "212,5550001\n");
        reload(&r, &spec);
        assert_true(rig_has(&r, 0, A));
        rig_write(&r, "f", "a@b.org\n\nc@d.org\n");
        reload(&r, &spec);
        assert_true(rig_has(&r, 0, A));
        assert_int_equal(rig_list(&r, 0).rows.accepted, 1);
        rig_write(&r, "f", "\n"); // this one says that nobody is on it
        reload(&r, &spec);
        assert_false(rig_has(&r, 0, A));
        rig_close(&r);
        rig_done(&r);
    }
}

// A list that had no file and nothing from one is not ready because its new file is missing; one
// that waits for its file stops waiting when the file is taken away from it.
static void test_files_come_and_go(void **state)
{
    struct list_spec spec, none, missing;
    struct rig r;

    (void)state;
    rig_init(&r);
    none = rig_spec(&r, "n", NULL);
    missing = rig_spec(&r, "n", "missing");
    rig_open(&r, &none, 1);
    assert_int_equal(feed_reload(r.feed, &missing, 1, &r.info), ERR_IO);
    assert_non_null(strstr(r.info.text, "missing"));
    assert_int_equal(rig_list(&r, 0).state, LIST_EMPTY);
    assert_string_equal(rig_list(&r, 0).file, "");
    rig_close(&r);

    rig_write(&r, "f", "rubbish\n");
    spec = rig_spec(&r, "n", "f");
    rig_open(&r, &spec, 1);
    assert_int_equal(rig_list(&r, 0).state, LIST_LOADING);
    assert_int_equal(feed_reload(r.feed, &missing, 1, &r.info), 0); // it waits anyway
    assert_int_equal(rig_list(&r, 0).state, LIST_LOADING);
    reload(&r, &none);
    assert_int_equal(rig_list(&r, 0).state, LIST_EMPTY);
    rig_close(&r);
    rig_done(&r);
}

#define BLOCKERS 40

// While they stand, no snapshot can be written.
static void block_snapshots(const struct rig *r, bool block)
{
    char path[PATH_MAX];

    for (unsigned lsn = 1; lsn < BLOCKERS; lsn++) {
        snprintf(path, sizeof path, "%s/snapshot-%020u.dg.new", r->data, lsn);
        assert_int_equal(block ? mkdir(path, 0700) : rmdir(path), 0);
    }
}

// The same crash, and then another list is loaded: its snapshot must wait, because it would take
// the old content for the newest and forget that there was any other.
static void test_no_snapshot_forgets(void **state)
{
    struct list_spec specs[2];
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_write(&r, "f", "212,5550001\n");
    specs[0] = rig_spec(&r, "n", "f");
    rig_open(&r, specs, 1);
    rig_wait(&r, 0);
    rig_close(&r); // with a snapshot
    rig_open(&r, specs, 1);
    block_snapshots(&r, true);
    rig_write(&r, "f", "212,5550001\n212,5550002\n");
    reload(&r, &specs[0]);
    rig_close(&r); // as good as killed: what is in force stands in no snapshot
    block_snapshots(&r, false);
    rig_write(&r, "f", "rubbish\n");
    rig_write(&r, "g", "212,5559999\n");
    specs[1] = rig_spec(&r, "m", "g");
    rig_open(&r, specs, 2);
    rig_wait(&r, 1); // which makes a snapshot due
    assert_int_equal(rig_list(&r, 0).state, LIST_LOADING);
    rig_close(&r);
    rig_open(&r, specs, 2);
    assert_int_equal(rig_list(&r, 0).state, LIST_LOADING);
    rig_close(&r);
    rig_done(&r);
}

// New content was in force, but the engine died before a snapshot held it: the list blocks until
// that content is read again, rather than go on with the old one.
static void test_killed_after_reload(void **state)
{
    char text[32];
    struct list_spec spec;
    struct rig r;
    FILE *to;

    (void)state;
    rig_init(&r);
    rig_write(&r, "f", "212,5550001\n");
    spec = rig_spec(&r, "n", "f");
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    rig_close(&r); // with a snapshot
    rig_open(&r, &spec, 1);
    assert_int_equal(rig_list(&r, 0).state, LIST_READY);
    block_snapshots(&r, true);  // no other one succeeds
    to = fopen(spec.file, "w"); // enough to read that the start can be watched
    for (unsigned i = 0; i < 500000; i++) {
        snprintf(text, sizeof text, "212,%07u\n", 5550001 + i);
        fputs(text, to);
    }
    fclose(to);
    reload(&r, &spec);
    assert_true(rig_has(&r, 0, B));
    rig_close(&r);
    rig_open(&r, &spec, 1);
    assert_int_equal(rig_list(&r, 0).state, LIST_LOADING);
    rig_wait(&r, 0);
    assert_true(rig_has(&r, 0, B));
    rig_close(&r);
    rig_done(&r);
}

// Other content of the same size, with its time set back (cp -p, rsync -t): seen at a reload and at
// a warm start.
static void test_time_set_back(void **state)
{
    struct list_spec spec;
    struct timespec times[2];
    struct stat st;
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_write(&r, "f", "212,5550001\n");
    spec = rig_spec(&r, "n", "f");
    assert_int_equal(stat(spec.file, &st), 0);
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    for (unsigned i = 0; i < 4; i++) {
        int fd;

        if (i % 2) rig_close(&r);
        fd = open(spec.file, O_WRONLY);
        assert_int_equal(pwrite(fd, i % 2 ? "1" : "2", 1, 10), 1);
        assert_int_equal(futimens(fd, times), 0);
        close(fd);
        if (i % 2) rig_open(&r, &spec, 1);
        reload(&r, &spec);
        assert_int_equal(rig_has(&r, 0, A), i % 2);
        assert_int_equal(rig_has(&r, 0, B), !(i % 2));
    }
    rig_close(&r);
    rig_done(&r);
}

// What is written at once after the engine has read it, within one step of the clock.
static void test_changed_at_once(void **state)
{
    struct list_spec spec;
    struct rig r;

    (void)state;
    rig_init(&r);
    r.volatile_ = true; // quicker
    rig_write(&r, "f", "212,5550001\n");
    spec = rig_spec(&r, "n", "f");
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    for (unsigned i = 0; i < 60; i++) {
        int fd = open(spec.file, O_WRONLY);

        assert_int_equal(pwrite(fd, i % 2 ? "1" : "2", 1, 10), 1);
        close(fd);
        reload(&r, &spec);
        assert_int_equal(rig_has(&r, 0, A), i % 2);
    }
    rig_close(&r);
    rig_done(&r);
}

// Files that were never begun come back from a closing loader without a descriptor to close.
static void test_close_at_once(void **state)
{
    struct list_spec specs[20];
    struct rig r;
    char name[8];
    int fd;

    (void)state;
    rig_init(&r);
    rig_write(&r, "f", "212,5550001\n");
    for (unsigned i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "n%u", i);
        specs[i] = rig_spec(&r, name, "f");
    }
    fd = dup(0); // 0 is open here, whatever the runner gave us
    if (fd < 0) assert_int_equal(open("/dev/null", O_RDONLY), 0);
    for (unsigned i = 0; i < 10; i++) {
        rig_open(&r, specs, 20);
        rig_close(&r);
        assert_true(fcntl(0, F_GETFD) >= 0);
    }
    if (fd >= 0) close(fd);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rubbish),
        cmocka_unit_test(test_files_come_and_go),
        cmocka_unit_test(test_no_snapshot_forgets),
        cmocka_unit_test(test_killed_after_reload),
        cmocka_unit_test(test_time_set_back),
        cmocka_unit_test(test_changed_at_once),
        cmocka_unit_test(test_close_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
