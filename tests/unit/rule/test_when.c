// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/check.h"
#include "engine/base/rand.h"
#include "engine/rule/when.h"

#define SEED  20261101u
#define SPAN  400
#define FIRST 1000

// Allowed or not for each second of [FIRST, FIRST + SPAN); an answer holds no longer than `stride`.
struct model {
    bool allowed[SPAN];
    unsigned asked;
    int64_t stride_s;
};

static bool ask(void *ctx, int64_t at_s, int64_t *ret_until_s)
{
    struct model *m = ctx;
    int64_t until_s = at_s;

    if (at_s < FIRST || at_s >= FIRST + SPAN) fail_msg("asked of %lld", (long long)at_s);
    while (until_s < FIRST + SPAN && m->allowed[until_s - FIRST] == m->allowed[at_s - FIRST] &&
           until_s < at_s + m->stride_s)
        until_s++;
    // the answer may well hold beyond the search
    *ret_until_s = until_s == FIRST + SPAN ? INT64_MAX : until_s;
    m->asked++;
    return m->allowed[at_s - FIRST];
}

static void allow(struct model *m, int from, int until)
{
    for (int i = from; i < until; i++) m->allowed[i] = true;
}

static void test_intervals(void **state)
{
    struct model m = {.stride_s = 7};
    struct when_interval interval[3];
    struct when_answer a;

    (void)state;
    allow(&m, 10, 40);
    allow(&m, 41, 42);
    allow(&m, 390, 400);
    a = when_search(ask, &m, FIRST, FIRST + SPAN, WHEN_STEPS_MAX, interval, 3);
    assert_int_equal(a.count, 3);
    assert_false(a.cut);
    assert_int_equal(a.seen_until_s, FIRST + SPAN);
    assert_int_equal(a.next_s, FIRST + 10);
    // joined over the answers of 7 seconds, ending where the search does
    assert_int_equal(interval[0].from_s, FIRST + 10);
    assert_int_equal(interval[0].until_s, FIRST + 40);
    assert_int_equal(interval[1].from_s, FIRST + 41);
    assert_int_equal(interval[1].until_s, FIRST + 42);
    assert_int_equal(interval[2].from_s, FIRST + 390);
    assert_int_equal(interval[2].until_s, FIRST + 400);

    a = when_search(ask, &m, FIRST + 20, FIRST + 30, WHEN_STEPS_MAX, interval, 3);
    assert_int_equal(a.count, 1);
    assert_int_equal(interval[0].from_s, FIRST + 20);
    assert_int_equal(interval[0].until_s, FIRST + 30);
    assert_int_equal(a.next_s, FIRST + 20);
}

static void test_nothing(void **state)
{
    struct model m = {.stride_s = 1000};
    struct when_interval interval[1];
    struct when_answer a = when_search(ask, &m, FIRST, FIRST + SPAN, WHEN_STEPS_MAX, interval, 1);

    (void)state;
    assert_int_equal(a.count, 0);
    assert_int_equal(a.next_s, -1);
    assert_false(a.cut);
    assert_int_equal(m.asked, 1);
    assert_int_equal(when_next(ask, &m, FIRST, FIRST + SPAN, 10), -1);
    // an empty search asks nothing
    m.asked = 0;
    a = when_search(ask, &m, FIRST + 5, FIRST + 5, WHEN_STEPS_MAX, interval, 1);
    assert_int_equal(a.count, 0);
    assert_int_equal(a.seen_until_s, FIRST + 5);
    assert_false(a.cut);
    assert_int_equal(when_next(ask, &m, FIRST + 5, FIRST + 5, 10), -1);
    assert_int_equal(m.asked, 0);
}

static void test_too_many(void **state)
{
    struct model m = {.stride_s = 1000};
    struct when_interval interval[2] = {{1, 1}, {2, 2}};
    struct when_answer a;

    (void)state;
    allow(&m, 10, 20);
    allow(&m, 30, 40);
    a = when_search(ask, &m, FIRST, FIRST + SPAN, WHEN_STEPS_MAX, interval, 1);
    assert_int_equal(a.count, 1);
    assert_true(a.cut);
    assert_int_equal(a.seen_until_s, FIRST + 30);
    assert_int_equal(interval[0].until_s, FIRST + 20);
    assert_int_equal(interval[1].from_s, 2);
    // no room at all: the next instant is seen all the same
    a = when_search(ask, &m, FIRST, FIRST + SPAN, WHEN_STEPS_MAX, NULL, 0);
    assert_int_equal(a.count, 0);
    assert_true(a.cut);
    assert_int_equal(a.next_s, FIRST + 10);
    // exactly enough room is no cut
    a = when_search(ask, &m, FIRST, FIRST + SPAN, WHEN_STEPS_MAX, interval, 2);
    assert_int_equal(a.count, 2);
    assert_false(a.cut);
}

static bool never_by_seconds(void *ctx, int64_t at_s, int64_t *ret_until_s)
{
    (void)ctx;
    *ret_until_s = at_s + 1;
    return false;
}

static bool always_by_seconds(void *ctx, int64_t at_s, int64_t *ret_until_s)
{
    never_by_seconds(ctx, at_s, ret_until_s);
    return true;
}

static void test_steps(void **state)
{
    struct when_interval interval[1];
    struct when_answer a;

    (void)state;
    a = when_search(never_by_seconds, NULL, 0, WHEN_STEPS_MAX + 1, WHEN_STEPS_MAX, interval, 1);
    assert_true(a.cut);
    assert_int_equal(a.seen_until_s, WHEN_STEPS_MAX);
    assert_int_equal(a.next_s, -1);
    a = when_search(never_by_seconds, NULL, 0, WHEN_STEPS_MAX, WHEN_STEPS_MAX, interval, 1);
    assert_false(a.cut);
    a = when_search(always_by_seconds, NULL, 0, WHEN_STEPS_MAX * 2, WHEN_STEPS_MAX, interval, 1);
    assert_true(a.cut);
    assert_int_equal(a.count, 1);
    assert_int_equal(interval[0].until_s, WHEN_STEPS_MAX);
    assert_int_equal(a.seen_until_s, WHEN_STEPS_MAX);
}

static void test_next(void **state)
{
    struct model m = {.stride_s = 1};

    (void)state;
    allow(&m, 10, 11);
    assert_int_equal(when_next(ask, &m, FIRST, FIRST + SPAN, 11), FIRST + 10);
    assert_int_equal(when_next(ask, &m, FIRST, FIRST + SPAN, 10), -1);
    assert_int_equal(when_next(ask, &m, FIRST, FIRST + 10, 100), -1);
    assert_int_equal(when_next(ask, &m, FIRST + 10, FIRST + SPAN, 1), FIRST + 10);
    assert_int_equal(when_next(ask, &m, FIRST + 10, FIRST + SPAN, 0), -1);
}

// Random models against looking at each second.
static void test_property(void **state)
{
    struct rand r;

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&r, SEED);
    for (int round = 0; round < 3000; round++) {
        struct model m = {.stride_s = 1 + (int64_t)rand_below(&r, 60)};
        struct when_interval interval[SPAN];
        int64_t from_s = FIRST + (int64_t)rand_below(&r, SPAN), next_s = -1;
        struct when_answer a;

        for (int i = 0; i < SPAN; i++)
            m.allowed[i] = rand_below(&r, 20) ? i > 0 && m.allowed[i - 1] : rand_below(&r, 2);
        a = when_search(ask, &m, from_s, FIRST + SPAN, WHEN_STEPS_MAX, interval, SPAN);
        assert_false(a.cut);
        for (int64_t at_s = from_s; at_s < FIRST + SPAN; at_s++) {
            bool in = false;

            for (unsigned i = 0; i < a.count; i++)
                in |= at_s >= interval[i].from_s && at_s < interval[i].until_s;
            assert_int_equal(in, m.allowed[at_s - FIRST]);
            if (in && next_s < 0) next_s = at_s;
        }
        for (unsigned i = 1; i < a.count; i++)
            assert_true(interval[i - 1].until_s < interval[i].from_s);
        assert_int_equal(a.next_s, next_s);
        assert_int_equal(when_next(ask, &m, from_s, FIRST + SPAN, SPAN), next_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intervals), cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_too_many),  cmocka_unit_test(test_steps),
        cmocka_unit_test(test_next),      cmocka_unit_test(test_property),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
