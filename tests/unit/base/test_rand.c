// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/rand.h"

static void test_same_seed(void **state)
{
    struct rand a, b, c;

    (void)state;
    rand_seed(&a, 1);
    rand_seed(&b, 1);
    rand_seed(&c, 2);
    for (int i = 0; i < 1000; i++) {
        uint64_t x = rand_u64(&a);

        assert_true(x == rand_u64(&b));
        assert_true(x != rand_u64(&c));
    }
}

// xoshiro256** from the state {1, 2, 3, 4}: the reference implementation's first outputs.
static void test_reference(void **state)
{
    static const uint64_t want[] = {11520, 0, 1509978240, 1215971899390074240};
    struct rand r = {{1, 2, 3, 4}};

    (void)state;
    for (int i = 0; i < 4; i++) assert_true(rand_u64(&r) == want[i]);
}

static void test_below(void **state)
{
    unsigned seen[10] = {0};
    struct rand r;

    (void)state;
    rand_seed(&r, 5);
    for (int i = 0; i < 100000; i++) seen[rand_below(&r, 10)]++;
    for (int i = 0; i < 10; i++) assert_in_range(seen[i], 9500, 10500);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(rand_below(&r, 1), 0);
        assert_true(rand_below(&r, UINT64_MAX) < UINT64_MAX);
    }
}

static void test_secret(void **state)
{
    unsigned char a[1000] = {0}, b[1000] = {0};

    (void)state;
    assert_int_equal(rand_secret(a, sizeof a), 0);
    assert_int_equal(rand_secret(b, sizeof b), 0);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a + 900, (char[100]){0}, 100);
    assert_int_equal(rand_secret(a, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
