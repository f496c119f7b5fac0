// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/set/fixture.h"

#define SIZE_BYTES ((size_t)64 << 20)

static void exchanges_and_back(void **state)
{
    uint32_t line;

    (void)state;
    assert_int_equal(pages_exchange(2002000000, &line), 0);
    assert_int_equal(line, 0);
    assert_int_equal(pages_exchange(9999999999, &line), PAGES_EXCHANGES - 1);
    assert_int_equal(line, 9999);
    for (uint32_t x = 0; x < PAGES_EXCHANGES; x += 7) {
        uint64_t nanp = pages_nanp(x, x % 10000);

        assert_true(pages_nanp_ok(nanp));
        assert_int_equal(pages_exchange(nanp, &line), x);
        assert_int_equal(line, x % 10000);
    }
}

static void only_nanp_is_nanp(void **state)
{
    uint64_t bad[] = {0,          1,           1999999999, 2000000000, 2001999999,
                      2121999999, 10000000000, UINT64_MAX, 2120000000};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(bad); i++) assert_false(pages_nanp_ok(bad[i]));
    assert_true(pages_nanp_ok(2002000000) && pages_nanp_ok(9999999999));
}

static void planes_come_and_go(void **state)
{
    struct pages *p = pages_new(SIZE_BYTES, NULL);
    uint64_t base = 2125550000;
    uint32_t line, x = pages_exchange(base, &line);
    unsigned order[] = {5, 15, 0, 9, 1};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(order); i++) {
        assert_false(pages_has(p, base, order[i]));
        assert_int_equal(pages_plane_add(p, x, order[i]), 0);
        for (unsigned n = order[i]; n < 10000; n += 37)
            assert_true(pages_set(p, base + n, order[i]));
    }
    assert_false(pages_set(p, base + 9, 9));
    pages_plane_drop(p, x, 0);
    for (unsigned i = 0; i < COUNT_OF(order); i++)
        for (unsigned n = 0; n < 10000; n++)
            assert_int_equal(pages_test(p, base + n, order[i]),
                             order[i] && n >= order[i] && (n - order[i]) % 37 == 0);
    assert_true(pages_clear(p, base + 5, 5));
    assert_false(pages_clear(p, base + 5, 5));
    for (unsigned k = 0; k < 16; k++) pages_plane_drop(p, x, k);
    assert_int_equal(pages_load(p, x), 0);
    assert_int_equal(p->blocks, 0);
    pages_free(p);
}

static void blocks_are_used_again(void **state)
{
    struct pages *p = pages_new(SIZE_BYTES, NULL);
    size_t before = 0;

    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        assert_int_equal(pages_plane_add(p, 5, 0), 0);
        assert_int_equal(pages_plane_add(p, 5, 1), 0);
        assert_true(pages_set(p, pages_nanp(5, 9999), 1));
        pages_plane_drop(p, 5, 0);
        assert_true(pages_test(p, pages_nanp(5, 9999), 1));
        pages_plane_drop(p, 5, 1);
        if (i == 0) before = pages_bytes(p);
    }
    assert_true(pages_bytes(p) <= before);
    pages_free(p);
}

static void full_is_said(void **state)
{
    struct pages *p = pages_new(sizeof(struct pages) + 100 * 1256, NULL);
    unsigned n = 0;

    (void)state;
    while (n < 1000 && pages_plane_add(p, n, 0) == 0) n++;
    assert_in_range(n, 98, 100);
    assert_int_equal(pages_plane_add(p, n, 0), ERR_NOMEM);
    assert_int_equal(pages_load(p, n), 0);
    // no room for one plane less: the bits go all the same
    assert_true(pages_set(p, pages_nanp(0, 3), 0));
    pages_plane_drop(p, 0, 0);
    assert_false(pages_test(p, pages_nanp(0, 3), 0));
    assert_int_equal(pages_plane_add(p, n, 0), 0);
    pages_free(p);
}

static void rebuilt_is_the_same_without_holes(void **state)
{
    struct pages *p = pages_new(SIZE_BYTES, NULL), *b = pages_new(SIZE_BYTES, NULL), *r;

    (void)state;
    for (unsigned x = 0; x < 100; x++) {
        assert_int_equal(pages_plane_add(p, x, 3), 0);
        assert_int_equal(pages_plane_add(p, x, 7), 0);
        pages_set(p, pages_nanp(x, x), 3);
        pages_set(p, pages_nanp(x, x + 1), 7);
        assert_int_equal(pages_plane_add(b, x + 50, 0), 0);
        pages_set(b, pages_nanp(x + 50, 9000 + x), 0);
    }
    r = pages_rebuilt(p, 1 << 3, b, 1);
    assert_non_null(r);
    for (unsigned x = 0; x < 150; x++) {
        assert_false(pages_has(r, pages_nanp(x, 0), 3));
        assert_int_equal(pages_test(r, pages_nanp(x, x + 1), 7), x < 100);
        assert_int_equal(pages_has(r, pages_nanp(x, 0), 1), x >= 50);
        if (x >= 50) assert_true(pages_test(r, pages_nanp(x, 8950 + x), 1));
    }
    assert_true(pages_bytes(r) < pages_bytes(p));
    pages_free(p);
    pages_free(b);
    pages_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchanges_and_back), cmocka_unit_test(only_nanp_is_nanp),
        cmocka_unit_test(planes_come_and_go), cmocka_unit_test(blocks_are_used_again),
        cmocka_unit_test(full_is_said),       cmocka_unit_test(rebuilt_is_the_same_without_holes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
