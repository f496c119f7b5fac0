// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/feed/fixture.h"

#include "engine/wire/number.h"

#define A 12125550001ULL
#define B 12125550002ULL
#define C 12125550003ULL

static void test_changes(void **state)
{
    struct set_span span = {100, 200};
    struct list_spec spec;
    struct rig r;

    (void)state;
    rig_init(&r);
    spec = rig_spec(&r, "mine", NULL);
    rig_open(&r, &spec, 1);
    assert_int_equal(rig_list(&r, 0).state, LIST_EMPTY);
    assert_int_equal(rig_put(&r, 0, A), 1);
    assert_int_equal(rig_put(&r, 0, A), 0);
    assert_int_equal(rig_put_span(&r, 0, B, &span), 1);
    span = (struct set_span){150, 300};
    assert_int_equal(rig_put_span(&r, 0, B, &span), 0); // hull, never shorter
    assert_int_equal(span.from_s, 100);
    assert_int_equal(span.till_s, 300);
    assert_int_equal(rig_delete(&r, 0, C), ERR_NO_ENTRY);
    assert_int_equal(rig_delete(&r, 0, A), 0);
    assert_int_equal(rig_delete(&r, 0, A), ERR_NO_ENTRY);
    assert_int_equal(rig_put(&r, 7, A), ERR_NO_LIST);
    rig_close(&r);
    rig_open(&r, &spec, 1); // all of it again from the log
    assert_false(rig_has(&r, 0, A));
    assert_true(rig_has(&r, 0, B));
    span = (struct set_span){150, 160};
    assert_int_equal(rig_put_span(&r, 0, B, &span), 0);
    assert_int_equal(span.till_s, 300);
    rig_close(&r);
    rig_done(&r);
}

// Several jobs on one key in one batch act as one after the other.
static void test_batch_order(void **state)
{
    struct rig_job jobs[600];
    struct list_spec spec;
    struct rig r;

    (void)state;
    rig_init(&r);
    spec = rig_spec(&r, "mine", NULL);
    rig_open(&r, &spec, 1);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 600; i += 3) {
            rig_submit(&r, &jobs[i], FEED_ENTRY_SET, 0, A, SET_ALWAYS);
            rig_submit(&r, &jobs[i + 1], FEED_ENTRY_DELETE, 0, A, SET_ALWAYS);
            rig_submit(&r, &jobs[i + 2], FEED_ENTRY_DELETE, 0, A, SET_ALWAYS);
        }
        for (unsigned i = 0; i < 600; i += 3) {
            assert_int_equal(rig_result(&jobs[i]), 0);
            assert_true(jobs[i].feed.created);
            assert_int_equal(rig_result(&jobs[i + 1]), 0);
            assert_int_equal(rig_result(&jobs[i + 2]), ERR_NO_ENTRY);
        }
        assert_false(rig_has(&r, 0, A));
    }
    rig_close(&r);
    rig_done(&r);
}

static int define(struct rig *r, const char *name, enum set_kind kind, struct rig_job *j)
{
    memset(j, 0, sizeof *j);
    sem_init(&j->done, 0, 0);
    j->feed.op = FEED_LIST_DEFINE;
    j->feed.spec = rig_spec(r, name, NULL);
    j->feed.spec.kind = kind;
    j->feed.on_done = rig_on_done_;
    feed_submit(r->feed, &j->feed);
    return rig_result(j);
}

static void test_lists(void **state)
{
    struct list_spec specs[2];
    struct rig_job j;
    struct rig r;

    (void)state;
    rig_init(&r);
    specs[0] = rig_spec(&r, "one", NULL);
    specs[1] = rig_spec(&r, "two", NULL);
    rig_open(&r, specs, 1);
    assert_int_equal(define(&r, "api", SET_DEVICE, &j), 0);
    assert_true(j.feed.created);
    assert_int_equal(j.feed.list, 1);
    assert_int_equal(define(&r, "api", SET_DEVICE, &j), 0);
    assert_false(j.feed.created);
    assert_int_equal(define(&r, "api", SET_EMAIL, &j), ERR_CONFLICT);
    assert_int_equal(rig_put(&r, 1, A), 1);
    assert_int_equal(feed_reload(r.feed, specs, 2, &r.info), 0); // a new list appears
    assert_string_equal(rig_list(&r, 2).name, "two");
    rig_close(&r);

    rig_open(&r, &specs[1], 1); // numbers stay, and what is not configured stays in force
    assert_string_equal(rig_list(&r, 0).name, "one");
    assert_string_equal(rig_list(&r, 1).name, "api");
    assert_true(rig_list(&r, 1).required);
    assert_true(rig_has(&r, 1, A));
    qsbr_wake(r.me);
    assert_string_equal(feed_catalog(r.feed)->list[0].name, "two"); // the configured one first
    qsbr_sleep(r.me);
    specs[1].kind = SET_CLIENT;
    assert_int_equal(feed_reload(r.feed, specs, 2, &r.info), ERR_CONFIG);
    rig_close(&r);
    assert_int_equal(rig_try_open(&r, specs, 2), ERR_CONFIG);
    assert_non_null(strstr(r.info.text, "kind"));
    rig_done(&r);
}

static void test_without_directory(void **state)
{
    struct list_spec spec;
    struct rig r;
    int fd;

    (void)state;
    rig_init(&r);
    r.volatile_ = true;
    rig_write(&r, "f", "212,5550001\nbad\n");
    spec = rig_spec(&r, "n", "f");
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    assert_true(rig_has(&r, 0, A));
    assert_int_equal(rig_put(&r, 0, B), ERR_NOT_DURABLE);
    assert_int_equal(rig_delete(&r, 0, A), ERR_NOT_DURABLE);
    for (int i = 0; i < 2; i++) { // each descriptor begins at the top
        char text[128] = "";

        assert_int_equal(feed_rejected(r.feed, 0, &fd), 0);
        assert_true(read(fd, text, sizeof text - 1) > 0);
        assert_string_equal(text, "line,column,reason,value\n2,phone,bad_character,\"***\"\n");
        close(fd);
    }
    rig_close(&r);
    rig_done(&r);
}

static void test_refused_starts(void **state)
{
    char seed[PATH_MAX], log[PATH_MAX], other[PATH_MAX];
    struct list_spec spec;
    struct rig r, second;

    (void)state;
    rig_init(&r);
    spec = rig_spec(&r, "n", "missing");
    assert_int_equal(rig_try_open(&r, &spec, 1), ERR_IO);
    assert_non_null(strstr(r.info.text, "missing"));
    snprintf(spec.file, sizeof spec.file, "%s", r.dir);
    assert_int_equal(rig_try_open(&r, &spec, 1), ERR_IO);
    assert_non_null(strstr(r.info.text, "directory"));
    spec.file[0] = '\0';
    rig_open(&r, &spec, 1);
    second = r;
    assert_int_equal(rig_try_open(&second, &spec, 1), ERR_LOCKED);
    assert_int_equal(rig_put(&r, 0, A), 1);
    rig_close(&r);
    snprintf(seed, sizeof seed, "%s/seed", r.data);
    snprintf(other, sizeof other, "%s/away", r.dir);
    assert_int_equal(rename(seed, other), 0);
    assert_int_equal(rig_try_open(&r, &spec, 1), ERR_CORRUPT);
    assert_int_equal(rename(other, seed), 0);
    rig_find(&r, "log-", log);
    assert_int_equal(rename(log, other), 0);
    assert_int_equal(rig_try_open(&r, &spec, 1), ERR_CORRUPT);
    assert_int_equal(rename(other, log), 0);
    rig_open(&r, &spec, 1);
    assert_true(rig_has(&r, 0, A));
    rig_close(&r);
    rig_done(&r);
}

// -- reload ----------------------------------------------------------------------------------

static void reload(struct rig *r, const struct list_spec *spec)
{
    if (feed_reload(r->feed, spec, 1, &r->info)) fail_msg("%s", r->info.text);
    rig_wait(r, 0);
}

static void test_reload(void **state)
{
    struct list_spec spec;
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_write(&r, "f", "212,5550001\n212,5550002\n212,5550002\n\n212,5550009\n");
    spec = rig_spec(&r, "n", "f");
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    assert_int_equal(rig_list(&r, 0).rows.accepted, 3);
    assert_int_equal(rig_list(&r, 0).rows.duplicates, 1);
    assert_int_equal(rig_list(&r, 0).rows.skipped, 1);
    assert_int_equal(rig_put(&r, 0, C), 1);
    assert_int_equal(rig_put(&r, 0, B), 0); // in force by the file already
    assert_true(rig_in(&r, list_id_added(0), B));
    assert_int_equal(rig_delete(&r, 0, A), 0);
    assert_false(rig_has(&r, 0, A));
    assert_true(rig_in(&r, list_id_lifted(0), A));

    // the same content again: what was lifted stays lifted
    rig_write(&r, "f", "212,5550001\n212,5550002\n212,5550002\n\n212,5550009\n");
    reload(&r, &spec);
    assert_false(rig_has(&r, 0, A));
    assert_int_equal(rig_list(&r, 0).rows.suppressed, 1);
    assert_int_equal(rig_list(&r, 0).rows.accepted, 2);

    // added, then deleted again: the file still names it, and it stays away
    assert_int_equal(rig_put(&r, 0, A), 1);
    assert_false(rig_in(&r, list_id_lifted(0), A));
    assert_int_equal(rig_delete(&r, 0, A), 0);
    rig_write(&r, "f", "212,5550001\n212,5550002\n212,5550002\n\n212,5550009\n");
    reload(&r, &spec);
    assert_false(rig_has(&r, 0, A));

    // other content: the file wins over what was lifted, never over what was added
    rig_write(&r, "f", "212,5550001\n212,5550004\n");
    reload(&r, &spec);
    assert_true(rig_has(&r, 0, A));
    assert_false(rig_in(&r, list_id_lifted(0), A));
    assert_true(rig_has(&r, 0, B)); // only as added
    assert_true(rig_has(&r, 0, C));
    assert_false(rig_has(&r, 0, 12125550009ULL));
    assert_int_equal(rig_list(&r, 0).rows.suppressed, 0);

    // a file that cannot be read keeps the old content
    snprintf(spec.file, sizeof spec.file, "%s/none", r.dir);
    reload(&r, &spec);
    assert_true(rig_has(&r, 0, A));
    assert_int_equal(rig_list(&r, 0).state, LIST_READY);
    rig_close(&r);
    rig_done(&r);
}

static void test_shrink_guard(void **state)
{
    struct list_spec spec;
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_write(&r, "f", "212,5550001\n212,5550002\n212,5550003\n212,5550004\n");
    spec = rig_spec(&r, "n", "f");
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    rig_write(&r, "f", "212,5550001\n");
    reload(&r, &spec);
    assert_true(rig_has(&r, 0, B)); // refused: three of four would go
    rig_write(&r, "f", "");
    reload(&r, &spec);
    assert_true(rig_has(&r, 0, A));
    rig_close(&r);
    rig_open(&r, &spec, 1); // the same at a warm start
    rig_wait(&r, 0);
    assert_true(rig_has(&r, 0, B));
    rig_write(&r, "f", "212,5550001\n212,5550002\n");
    reload(&r, &spec);
    assert_false(rig_has(&r, 0, C)); // half may go
    rig_close(&r);
    r.shrink_percent = 100;
    rig_write(&r, "f", "212,5550009\n");
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    assert_false(rig_has(&r, 0, A));
    rig_close(&r);
    rig_done(&r);
}

static void test_warm_start(void **state)
{
    char snapshot[PATH_MAX];
    struct list_spec spec;
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_write(&r, "f", "212,5550001\n212,5550002\n");
    spec = rig_spec(&r, "n", "f");
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    assert_false(rig_list(&r, 0).from_snapshot);
    rig_wait_snapshot(&r, snapshot);
    assert_int_equal(rig_delete(&r, 0, A), 0); // behind the snapshot, in the log
    rig_close(&r);
    rig_open(&r, &spec, 1);
    assert_int_equal(rig_list(&r, 0).state, LIST_READY); // at once
    assert_true(rig_list(&r, 0).from_snapshot);
    assert_int_equal(rig_list(&r, 0).rows.accepted, 2);
    assert_false(rig_has(&r, 0, A));
    assert_true(rig_has(&r, 0, B));
    rig_close(&r);

    rig_write(&r, "f", "212,5550001\n212,5550003\n"); // while it was down: the file wins
    rig_open(&r, &spec, 1);
    assert_true(rig_list(&r, 0).state == LIST_RELOADING || rig_list(&r, 0).state == LIST_READY);
    rig_wait(&r, 0);
    assert_true(rig_has(&r, 0, A));
    assert_true(rig_has(&r, 0, C));
    assert_false(rig_has(&r, 0, B));
    rig_close(&r);
    rig_done(&r);
}

// A deletion made after a reload outlives a crash that comes before the next snapshot, although
// the snapshot there is holds the file before.
static void test_deletion_after_reload(void **state)
{
    char snapshot[PATH_MAX], taken[PATH_MAX];
    struct list_spec spec;
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_write(&r, "f", "212,5550001\n212,5550002\n");
    spec = rig_spec(&r, "n", "f");
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    rig_wait_snapshot(&r, snapshot);
    assert_int_equal(rig_delete(&r, 0, A), 0);
    // from here on no snapshot succeeds: its temporary name is taken by a directory
    for (unsigned lsn = 1; lsn < 20; lsn++) {
        snprintf(taken, sizeof taken, "%s/snapshot-%020u.dg.new", r.data, lsn);
        assert_int_equal(mkdir(taken, 0700), 0);
    }
    rig_write(&r, "f", "212,5550001\n212,5550002\n212,5550003\n");
    reload(&r, &spec);
    assert_true(rig_has(&r, 0, A));
    assert_int_equal(rig_delete(&r, 0, C), 0);
    rig_close(&r);
    assert_int_equal(access(snapshot, F_OK), 0);
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    assert_true(rig_has(&r, 0, A));
    assert_false(rig_has(&r, 0, C));
    assert_int_equal(rig_list(&r, 0).rows.suppressed, 1);
    rig_close(&r);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_batch_order),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_without_directory),
        cmocka_unit_test(test_refused_starts),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_shrink_guard),
        cmocka_unit_test(test_warm_start),
        cmocka_unit_test(test_deletion_after_reload),
    };

    if (number_start()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
