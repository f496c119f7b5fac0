// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/metric.h"

static struct metric_block *mine;

static int set_up(void **state)
{
    (void)state;
    mine = metric_block_new();
    return mine ? 0 : -1;
}

static void *count_100000(void *arg)
{
    struct metric_block *b = metric_block_new();

    (void)arg;
    for (int i = 0; i < 100000; i++) metric_add(b, METRIC_TURNS, 1);
    return b;
}

static void test_sum_of_threads(void **state)
{
    pthread_t threads[4];

    (void)state;
    metric_add(mine, METRIC_TURNS, 5);
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, count_100000, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_true(metric_sum(METRIC_TURNS) == 400005);
    metric_set(mine, METRIC_READY, 1);
    metric_set(mine, METRIC_READY, 0);
    assert_true(metric_sum(METRIC_READY) == 0);
}

// The number behind `key` in the text; fails when there is none or there are two.
static double value_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    if (!at) fail_msg("no %s", key);
    assert_null(strstr(at + 1, key));
    assert_true(at == text || at[-1] == '\n');
    return strtod(at + strlen(key), NULL);
}

static void test_histogram(void **state)
{
    static const uint64_t edges_ns[] = {0, 1000, 1001, 2000, 2001, 4000, 1000000, 40000000000000};
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof edges_ns / sizeof edges_ns[0]; i++)
        metric_time(mine, edges_ns[i], 1);
    metric_time(mine, 3000, 10);
    buf_init(&b, 1 << 20);
    metric_write(&b);
    buf_char(&b, '\0');
#define FAMILY "dialgate_request_duration_seconds"
    assert_true(value_of(b.ptr, FAMILY "_bucket{le=\"0.000001\"} ") == 2);
    assert_true(value_of(b.ptr, FAMILY "_bucket{le=\"0.000002\"} ") == 4);
    assert_true(value_of(b.ptr, FAMILY "_bucket{le=\"0.000004\"} ") == 16);
    assert_true(value_of(b.ptr, FAMILY "_bucket{le=\"0.001024\"} ") == 17);
    assert_true(value_of(b.ptr, FAMILY "_bucket{le=\"16.777216\"} ") == 17);
    assert_true(value_of(b.ptr, FAMILY "_bucket{le=\"+Inf\"} ") == 18);
    assert_true(value_of(b.ptr, FAMILY "_count ") == 18);
    assert_true(value_of(b.ptr, FAMILY "_sum ") > 40000.0);
    buf_done(&b);
}

// The text format: HELP and TYPE once a family, before its samples, samples of a family together.
static void test_text(void **state)
{
    char families[METRIC_COUNT][96];
    unsigned count = 0, samples = 0;
    struct str rest;
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    metric_write(&b);
    assert_false(b.failed);
    assert_int_equal(b.ptr[b.size_bytes - 1], '\n');
    rest = buf_view(&b);
    while (rest.size) {
        struct str line = str_cut(rest, '\n', &rest), word, value;

        if (str_starts(line, STR("# HELP "))) {
            word = str_cut(str_make(line.ptr + 7, line.size - 7), ' ', &value);
            assert_true(value.size > 0);
            for (unsigned i = 0; i < count; i++) assert_false(str_eq(word, str_of(families[i])));
            assert_true(str_copy(families[count++], sizeof families[0], word));
            line = str_cut(rest, '\n', &rest);
            assert_true(str_starts(line, STR("# TYPE ")));
            assert_true(str_starts(str_make(line.ptr + 7, line.size - 7), word));
            continue;
        }
        assert_true(count > 0);
        if (!str_starts(line, str_of(families[count - 1])))
            fail_msg("%.*s stands in family %s", STR_ARG(line), families[count - 1]);
        assert_non_null(memrchr(line.ptr, ' ', line.size));
        samples++;
    }
    assert_true(samples >= METRIC_COUNT);
    buf_done(&b);
}

static void test_table(void **state)
{
    (void)state;
    for (int m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = &metric_rows[m];

        assert_true(strncmp(row->family, "dialgate_", 9) == 0);
        assert_null(strpbrk(row->help, "\\\n"));
        if (row->kind == METRIC_KIND_COUNTER)
            assert_string_equal(row->family + strlen(row->family) - 6, "_total");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum_of_threads),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
