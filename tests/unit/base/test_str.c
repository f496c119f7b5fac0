// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/str.h"

static void test_equality(void **state)
{
    (void)state;
    assert_true(str_eq(STR("a"), STR("a")));
    assert_false(str_eq(STR("a"), STR("A")));
    assert_false(str_eq(STR("a"), STR("ab")));
    assert_true(str_eq((struct str){NULL, 0}, STR("")));
    assert_true(str_eq_nocase(STR("GsW_[x]"), STR("gSw_[X]")));
    assert_false(str_eq_nocase(STR("["), STR("{"))); // 0x20 apart, but no letters
    assert_false(str_eq_nocase(STR("@"), STR("`")));
    assert_false(str_eq_nocase(STR("\xc3\x89"), STR("\xc3\xa9")));
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("abc"), STR("")));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_starts((struct str){NULL, 0}, (struct str){NULL, 0}));
    assert_int_equal(str_of(NULL).size, 0);
}

static void test_trim_and_cut(void **state)
{
    struct str rest;

    (void)state;
    assert_true(str_eq(str_trim(STR(" \t\r\na b\n ")), STR("a b")));
    assert_int_equal(str_trim(STR(" \t ")).size, 0);
    assert_int_equal(str_trim((struct str){NULL, 0}).size, 0);
    assert_true(str_eq(str_cut(STR("a,b,c"), ',', &rest), STR("a")));
    assert_true(str_eq(rest, STR("b,c")));
    assert_true(str_eq(str_cut(STR("a,"), ',', &rest), STR("a")));
    assert_non_null(rest.ptr); // empty, not absent
    assert_int_equal(rest.size, 0);
    assert_true(str_eq(str_cut(rest, ',', &rest), STR("")));
    assert_null(rest.ptr); // absent
    rest = STR("x,y");
    assert_true(str_eq(str_cut(rest, ',', &rest), STR("x"))); // may cut itself
    assert_true(str_eq(rest, STR("y")));
}

static void test_to_u64(void **state)
{
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "+1",
                                      "-1",
                                      "1.0",
                                      "0x",
                                      "1e",
                                      "a",
                                      "18446744073709551616",
                                      "99999999999999999999"};
    uint64_t n = 77;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(str_to_u64(str_of(bad[i]), &n));
        assert_int_equal(n, 77);
    }
    assert_true(str_to_u64(STR("18446744073709551615"), &n));
    assert_true(n == UINT64_MAX);
    assert_true(str_to_u64(STR("0000000000000000000000042"), &n));
    assert_int_equal(n, 42);
}

static void test_copies(void **state)
{
    char dst[4] = "###";
    char *copy;

    (void)state;
    assert_true(str_copy(dst, sizeof dst, STR("abc")));
    assert_string_equal(dst, "abc");
    assert_false(str_copy(dst, sizeof dst, STR("wxyz")));
    assert_string_equal(dst, "wxy");
    assert_true(str_copy(dst, sizeof dst, (struct str){NULL, 0}));
    assert_string_equal(dst, "");
    dst[0] = '#';
    assert_false(str_copy(dst, 0, STR("a")));
    assert_int_equal(dst[0], '#');
    copy = str_dup(STR("xyz"));
    assert_string_equal(copy, "xyz");
    free(copy);
    copy = str_dup((struct str){NULL, 0});
    assert_string_equal(copy, "");
    free(copy);
}

static void test_classes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        assert_int_equal(str_is_digit((char)c), c >= '0' && c <= '9');
        assert_int_equal(str_lower((char)c), (char)(c >= 'A' && c <= 'Z' ? c + 32 : c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality), cmocka_unit_test(test_trim_and_cut),
        cmocka_unit_test(test_to_u64),   cmocka_unit_test(test_copies),
        cmocka_unit_test(test_classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
