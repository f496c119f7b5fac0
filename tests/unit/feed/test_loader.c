// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/feed/fixture.h"

#include "engine/base/buf.h"
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/feed/loader.h"
#include "engine/wire/number.h"

#define LINES 2000000 // every second one is bad

struct bench {
    struct rig rig;
    struct load load;
    struct qsbr *q;
    struct qsbr_reader *me;
    struct set *set;
};

static void bench_init(struct bench *b, enum set_kind kind)
{
    struct set_limits limits = {(size_t)512 << 20, 16};

    memset(b, 0, sizeof *b);
    rig_init(&b->rig);
    b->q = qsbr_new();
    b->me = qsbr_join(b->q);
    assert_int_equal(set_new(&b->set, 1, &limits, b->q, NULL), 0);
    b->load = (struct load){.base_id = 1,
                            .lifted_id = 3,
                            .kind = kind,
                            .home = {"US", true},
                            .subject = "list n",
                            .name = "n"};
    snprintf(b->load.path, sizeof b->load.path, "%s/f", b->rig.dir);
    snprintf(b->load.report, sizeof b->load.report, "%s/report.csv", b->rig.dir);
}

static void bench_done(struct bench *b)
{
    qsbr_leave(b->me);
    set_free(b->set);
    qsbr_free(b->q);
    rig_done(&b->rig);
}

static int read_list(struct bench *b)
{
    return loader_read(&b->load, b->set, b->me, false, NULL);
}

// Good and bad lines in turn: each bad one is in the report with its line and reason, each good one
// is in the set.
static void test_million_bad_lines(void **state)
{
    static const char *const bad[] = {"112,5551234\n", "212,1551234\n", "hello\n", "123\n"};
    static const char *const reason[] = {"bad_area_code", "bad_exchange", "bad_character",
                                         "too_short"};
    struct bench *b = malloc(sizeof *b);
    struct buf report;
    struct str rest, line;
    int64_t begin_ns;
    uint64_t n = 1;
    FILE *to;

    (void)state;
    bench_init(b, SET_DEVICE);
    to = fopen(b->load.path, "w");
    for (unsigned i = 0; i < LINES / 2; i++)
        fprintf(to, "%03u,%07u\n%s", 200 + i % 800, 2000000 + i, bad[i % 4]);
    fclose(to);
    begin_ns = clock_mono_ns();
    assert_int_equal(read_list(b), 0);
    printf("%.2f s\n", (double)(clock_mono_ns() - begin_ns) / 1e9);
    assert_int_equal(b->load.rows.rows, LINES);
    assert_int_equal(b->load.rows.accepted, LINES / 2);
    assert_int_equal(b->load.rows.invalid, LINES / 2);
    assert_int_equal(set_build_count(b->load.build), LINES / 2);
    buf_init(&report, (size_t)1 << 30);
    assert_int_equal(file_read_all(b->load.report, &report, NULL), 0);
    rest = buf_view(&report);
    line = str_cut(rest, '\n', &rest);
    assert_true(str_eq(line, STR("line,column,reason,value")));
    for (; rest.size > 0; n++) {
        char want[64];

        line = str_cut(rest, '\n', &rest);
        snprintf(want, sizeof want, "%llu,phone,%s,\"*", (unsigned long long)(2 * n),
                 reason[(n - 1) % 4]);
        if (!str_starts(line, str_of(want))) fail_msg("'%.*s', not '%s'", STR_ARG(line), want);
    }
    assert_int_equal(n - 1, LINES / 2);
    buf_done(&report);
    assert_int_equal(set_build_publish(b->set, b->load.build, NULL), 0);
    for (unsigned i = 0; i < LINES / 2; i++) {
        uint64_t device = 10000000000 + (200 + i % 800) * 10000000ull + 2000000 + i;

        if (!set_find(b->set, 1, set_key_device(b->set, device), NULL)) fail_msg("%u is not in", i);
    }
    bench_done(b);
    free(b);
}

static void test_reports(void **state)
{
    struct bench *b = malloc(sizeof *b);
    char text[64];
    struct stat st;

    (void)state;
    bench_init(b, SET_CLIENT);
    rig_write(&b->rig, "f", "client_id\n\x01\n");
    assert_int_equal(read_list(b), 0);
    assert_int_equal(stat(b->load.report, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    set_build_free(b->load.build);
    rig_write(&b->rig, "f", "client_id\n7\n"); // nothing rejected: the old report goes
    assert_int_equal(read_list(b), 0);
    assert_int_equal(access(b->load.report, F_OK), -1);
    set_build_free(b->load.build);
    rig_write(&b->rig, "f", "client_id\n\x01\n"); // a report that cannot be written
    snprintf(b->load.report, sizeof b->load.report, "%s/none/report.csv", b->rig.dir);
    assert_int_equal(read_list(b), 0);
    assert_int_equal(b->load.rows.invalid, 1);
    set_build_free(b->load.build);
    b->load.report[0] = '\0';
    assert_int_equal(read_list(b), 0);
    assert_true(b->load.report_fd >= 0);
    assert_int_equal(pread(b->load.report_fd, text, sizeof text, 0), 55);
    close(b->load.report_fd);
    set_build_free(b->load.build);
    bench_done(b);
    free(b);
}

static void test_identity(void **state)
{
    struct bench *b = malloc(sizeof *b);

    (void)state;
    bench_init(b, SET_EMAIL);
    rig_write(&b->rig, "f", "a@b.org\n");
    assert_int_equal(read_list(b), 0);
    assert_int_equal(b->load.id.size_bytes, 8);
    assert_int_equal(set_build_publish(b->set, b->load.build, NULL), 0);
    b->load.known = true;
    b->load.id_known = b->load.id;
    rig_write(&b->rig, "f", "a@b.org\n");
    assert_int_equal(read_list(b), 0);
    assert_true(b->load.untouched);
    assert_null(b->load.build);
    rig_write(&b->rig, "f", "a@c.org\n"); // same size, other content
    assert_int_equal(read_list(b), 0);
    assert_false(b->load.untouched);
    set_build_free(b->load.build);
    bench_done(b);
    free(b);
}

static void test_check(void **state)
{
    struct err_info info;
    struct file_id id;
    char path[200];
    struct rig r;

    (void)state;
    rig_init(&r);
    snprintf(path, sizeof path, "%s/f", r.dir);
    assert_int_equal(loader_check(path, SET_DEVICE, &id, &info), ERR_IO);
    assert_non_null(strstr(info.text, "try:"));
    assert_int_equal(loader_check(r.dir, SET_DEVICE, &id, &info), ERR_IO);
    assert_non_null(strstr(info.text, "a directory"));
    assert_int_equal(mkfifo(path, 0600), 0); // must not wait for a writer
    assert_int_equal(loader_check(path, SET_DEVICE, &id, &info), ERR_IO);
    assert_int_equal(unlink(path), 0);
    rig_write(&r, "f", "email\n");
    assert_int_equal(loader_check(path, SET_DEVICE, &id, &info), ERR_CONFIG);
    assert_non_null(strstr(info.text, path));
    assert_int_equal(loader_check(path, SET_EMAIL, &id, &info), 0);
    assert_int_equal(id.size_bytes, 6);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_million_bad_lines),
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_check),
    };

    if (number_start()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
