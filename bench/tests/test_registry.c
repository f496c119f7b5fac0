// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench/data/registry.h"

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void every_number_is_distinct_valid_and_on_it(void **state)
{
    (void)state;
    enum { COUNT = 50021 };
    static uint64_t numbers[COUNT];
    static struct registry r;
    assert_true(registry_init(&r, 42, COUNT, 3));
    for (unsigned i = 0; i < COUNT; i++) {
        numbers[i] = registry_at(&r, i);
        unsigned npa = (unsigned)(numbers[i] / 10000000),
                 nxx = (unsigned)(numbers[i] / 10000 % 1000);
        assert_in_range(npa, 200, 989);
        assert_int_not_equal(npa % 100, 11);
        assert_int_not_equal(npa / 10 % 10, 9);
        assert_in_range(nxx, 200, 999);
        assert_true(registry_has(&r, numbers[i]));
    }
    qsort(numbers, COUNT, sizeof numbers[0], by_value);
    for (unsigned i = 1; i < COUNT; i++) assert_true(numbers[i - 1] < numbers[i]);
}

static void exactly_the_count_is_on_it(void **state)
{
    (void)state;
    static struct registry r;
    assert_true(registry_init(&r, 7, 123457, 1));
    uint64_t found = 0;
    for (uint64_t n = r.area[0] * UINT64_C(10000000); n < (r.area[0] + 1) * UINT64_C(10000000);
         n++) {
        found += registry_has(&r, n);
    }
    assert_int_equal(found, 123457);
}

static void ranks_are_a_bijection(void **state)
{
    (void)state;
    static struct registry r;
    static unsigned char seen[REGISTRY_SUBSCRIBERS];
    assert_true(registry_init(&r, 9, 1000, 2));
    for (unsigned rank = 0; rank < REGISTRY_SUBSCRIBERS; rank++) {
        unsigned subscriber = registry_subscriber(&r, 212555, rank);
        assert_in_range(subscriber, 0, REGISTRY_SUBSCRIBERS - 1);
        assert_int_equal(seen[subscriber]++, 0);
    }
}

static void shares_add_up(void **state)
{
    (void)state;
    static struct registry r;
    assert_true(registry_init(&r, 9, 258000000, 335));
    uint64_t sum = 0;
    for (uint64_t e = 0; e < r.exchange_count; e++) sum += registry_share(&r, r.count, e);
    assert_int_equal(sum, 258000000);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static struct registry r;
    assert_false(registry_init(&r, 1, 1, 0));
    assert_false(registry_init(&r, 1, 1, REGISTRY_AREAS_MAX + 1));
    assert_false(registry_init(&r, 1, 8000001, 1));
    assert_true(registry_init(&r, 1, 8000000, 1));
    assert_false(registry_has(&r, 1234567890));
    assert_false(registry_has(&r, 12125551234));
    assert_false(registry_has(&r, r.area[0] * UINT64_C(10000000) + 1990000));
}

static void seeds_differ(void **state)
{
    (void)state;
    static struct registry a, b;
    assert_true(registry_init(&a, 1, 1000000, 335));
    assert_true(registry_init(&b, 2, 1000000, 335));
    unsigned both = 0;
    for (unsigned i = 0; i < 10000; i++) both += registry_has(&b, registry_at(&a, i * 97));
    assert_in_range(both, 0, 40); // by chance one in 2,680
}

static void areas_may_be_named(void **state)
{
    (void)state;
    static struct registry r;
    assert_true(registry_init_codes(&r, 1, 100000, "312,212"));
    assert_int_equal(r.area_count, 2);
    assert_int_equal(r.exchange_count, 1600);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t number = registry_at(&r, i * 100);
        assert_true(number / 10000000 == 212 || number / 10000000 == 312);
        assert_true(registry_has(&r, number));
    }
    static const char *const refused[] = {"",     "212,",    "212 312", "21", "2125",
                                          "211",  "290",     "199",     "x",  ",212",
                                          "212x", "212,212", "212,,312"};
    for (unsigned i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_false(registry_init_codes(&r, 1, 1000, refused[i]));
    assert_false(registry_init_codes(&r, 1, 8000001, "212"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_is_distinct_valid_and_on_it),
        cmocka_unit_test(exactly_the_count_is_on_it),
        cmocka_unit_test(ranks_are_a_bijection),
        cmocka_unit_test(shares_add_up),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(areas_may_be_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
