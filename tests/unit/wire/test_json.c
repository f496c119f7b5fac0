// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/check.h"
#include "engine/base/rand.h"
#include "engine/wire/json_scan.h"

#define SEED 8259u

// Reads a whole text as an object or array; its error, and how many members.
static enum json_error read_all(struct str text, unsigned depth_max, unsigned *ret_count)
{
    // an exact copy, so that a sanitizer sees a read past its end
    char *copy = malloc(text.size ? text.size : 1);
    struct json_value key, value;
    enum json_error error;
    struct json j;

    *ret_count = 0;
    memcpy(copy, text.ptr, text.size);
    j = json_start(str_make(copy, text.size), depth_max);
    switch (json_enter(&j)) {
    case JSON_OBJECT:
        while (json_member(&j, &key, &value)) (*ret_count)++;
        break;
    case JSON_ARRAY:
        while (json_element(&j, &value)) (*ret_count)++;
        break;
    default:
        free(copy);
        return JSON_SYNTAX;
    }
    json_end(&j);
    assert_int_equal(j.failed, j.error != JSON_OK);
    error = j.error;
    free(copy);
    return error;
}

static void test_good(void **state)
{
    static const struct {
        const char *text;
        unsigned count;
    } rows[] = {
        {"{}", 0},
        {" \t\r\n{ } \n", 0},
        {"[]", 0},
        {"\xef\xbb\xbf{\"a\":1}", 1},
        {"{\"a\":1,\"b\":\"x\" , \"c\" : null,\"d\":true,\"e\":false}", 5},
        {"[0,-0,1.5,-1.5e+10,1E-2,0.0,123456789012345678901234567890]", 7},
        {"{\"a\":{\"b\":[1,{\"c\":[]},[[]],{}]},\"d\":[]}", 2},
        {"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD834\\uDD1E\"]", 1},
        {"[\"\xff\xfe not utf-8 \x80\"]", 1},
        {"{\"\":\"\"}", 1},
        {"{\"a\":1,\"a\":2}", 2},
        {"[\"\x7f\"]", 1},
        {"[\"1234567\",\"12345678\",\"123456789\",\"1234567\\n\"]", 4},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned count;

        if (read_all(str_of(rows[i].text), 8, &count) != JSON_OK || count != rows[i].count)
            fail_msg("%s: %u members", rows[i].text, count);
    }
}

static const char *const bad_rows[] = {
    "",
    "{",
    "}",
    "[",
    "]",
    "{]",
    "[}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{\"a\" 1}",
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    "{\"a\":1 2}",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[01]",
    "[+1]",
    "[.5]",
    "[1.]",
    "[1e]",
    "[1e+]",
    "[-]",
    "[--1]",
    "[0x1]",
    "[NaN]",
    "[Infinity]",
    "[tru]",
    "[TRUE]",
    "[nul]",
    "[\"a]",
    "[\"\\x\"]",
    "[\"\\u12\"]",
    "[\"\\u12G4\"]",
    "[\"\\\"]",
    "[\"a\nb\"]",
    "[\"a\tb\"]",
    "[\"\x1f\"]",
    "1",
    "\"a\"",
    "null",
    "[[]",
    "[{]}]",
    "[{\"a\":[}]]",
    "[{\"a\",1}]",
    "[{1}]",
    "[[1,]]",
    "[{\"a\":1,}]",
    "[1]]x",
    "/**/[]",
    "[1//\n]",
    "[\"\\",
    "[\"\\u",
    "[\"\\u000",
    "{\"a\":[1,{\"b\":}]}",
    "[truex]",
    "[1a]",
    "[[1 2]]",
    "[[tru]]",
    "\xef\xbb[]",
    "[\"a\"\"b\"]",
    "{\"a\":1\"b\":2}",
};

static void test_bad(void **state)
{
    unsigned count;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad_rows); i++)
        if (read_all(str_of(bad_rows[i]), 8, &count) == JSON_OK)
            fail_msg("%s was taken", bad_rows[i]);
    assert_int_equal(read_all(str_make("[\"a\0b\"]", 7), 8, &count), JSON_SYNTAX);
    assert_int_equal(read_all(str_make("[1\0]", 4), 8, &count), JSON_SYNTAX);
    assert_int_equal(read_all(STR("{} x"), 8, &count), JSON_TRAILING);
    assert_int_equal(read_all(STR("{}{}"), 8, &count), JSON_TRAILING);
}

static void test_depth(void **state)
{
    char deep[200];
    unsigned count;

    (void)state;
    assert_int_equal(read_all(STR("{\"a\":[[1]]}"), 2, &count), JSON_OK);
    assert_int_equal(read_all(STR("{\"a\":[[[1]]]}"), 2, &count), JSON_DEPTH);
    assert_int_equal(read_all(STR("[{}]"), 0, &count), JSON_DEPTH);
    assert_int_equal(read_all(STR("[1,\"x\"]"), 0, &count), JSON_OK);
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    assert_int_equal(read_all(str_make(deep, 130), 64, &count), JSON_OK);
    memset(deep, '[', 66);
    memset(deep + 66, ']', 66);
    assert_int_equal(read_all(str_make(deep, 132), 64, &count), JSON_DEPTH);
}

static void test_views(void **state)
{
    struct json j =
        json_start(STR("{\"k\\n\": \"v\\t\", \"o\" : { \"x\":[1 ] } ,\"n\":-1.5e3}"), 8);
    struct json_value key, value;

    (void)state;
    assert_int_equal(json_enter(&j), JSON_OBJECT);
    assert_true(json_member(&j, &key, &value));
    assert_true(key.escaped && value.escaped);
    assert_true(str_eq(key.text, STR("k\\n")));
    assert_true(str_eq(value.text, STR("v\\t")));
    assert_true(json_member(&j, &key, &value));
    assert_false(key.escaped);
    assert_int_equal(value.type, JSON_OBJECT);
    assert_true(str_eq(value.text, STR("{ \"x\":[1 ] }")));
    assert_true(json_member(&j, &key, &value));
    assert_int_equal(value.type, JSON_NUMBER);
    assert_true(str_eq(value.text, STR("-1.5e3")));
    assert_false(json_member(&j, &key, &value));
    assert_true(json_end(&j));
}

static void unescapes(struct str raw, struct str want)
{
    struct json_value v = {JSON_STRING, true, raw};
    char *dst = malloc(raw.size ? raw.size : 1);
    struct str got = json_unescape(v, dst);

    assert_int_equal(got.size, want.size);
    assert_memory_equal(got.ptr, want.ptr, want.size);
    free(dst);
}

static void test_unescape(void **state)
{
    struct json_value plain = {JSON_STRING, false, STR("as it is")};

    (void)state;
    assert_ptr_equal(json_unescape(plain, NULL).ptr, plain.text.ptr);
    unescapes(STR("a\\\"\\\\\\/\\b\\f\\n\\r\\tz"), STR("a\"\\/\b\f\n\r\tz"));
    unescapes(STR("\\u0041\\u00e9\\u20AC"), STR("A\xc3\xa9\xe2\x82\xac"));
    unescapes(STR("\\uD834\\uDD1E"), STR("\xf0\x9d\x84\x9e"));
    unescapes(STR("\\uDBFF\\uDFFF"), STR("\xf4\x8f\xbf\xbf"));
    unescapes(STR("\\uD834"), STR("\xef\xbf\xbd"));
    unescapes(STR("\\uD834x"), STR("\xef\xbf\xbdx"));
    unescapes(STR("\\uDD1E\\uD834"), STR("\xef\xbf\xbd\xef\xbf\xbd"));
    unescapes(STR("\\uD834\\u0041"), STR("\xef\xbf\xbd"
                                         "A"));
    unescapes(STR("\\uD834\\n"), STR("\xef\xbf\xbd\n"));
    unescapes(STR("\\u0000"), str_make("\0", 1));
    unescapes(STR(""), STR(""));
}

static void test_i64(void **state)
{
    static const struct {
        struct str text;
        bool good;
        int64_t want;
    } rows[] = {
        {STR("0"), true, 0},
        {STR("-25200"), true, -25200},
        {STR("  28 "), true, 28},
        {STR("9223372036854775807"), true, INT64_MAX},
        {STR("-9223372036854775808"), true, INT64_MIN},
        {STR("9223372036854775808"), false, 0},
        {STR("-9223372036854775809"), false, 0},
        {STR("1.5"), false, 0},
        {STR("1e3"), false, 0},
        {STR(""), false, 0},
        {STR("-"), false, 0},
        {STR("+5"), false, 0},
        {STR("--5"), false, 0},
        {STR("12 3"), false, 0},
        {STR("abc"), false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_value v = {JSON_STRING, false, rows[i].text};
        int64_t got = 77;

        assert_int_equal(json_to_i64(v, &got), rows[i].good);
        assert_true(got == (rows[i].good ? rows[i].want : 77));
        v.type = JSON_BOOL;
        assert_false(json_to_i64(v, &got));
    }
}

static void test_absent(void **state)
{
    (void)state;
    assert_true(json_is_absent((struct json_value){0}));
    assert_true(json_is_absent((struct json_value){JSON_NULL, false, STR("null")}));
    assert_true(json_is_absent((struct json_value){JSON_STRING, false, STR("")}));
    assert_true(json_is_absent((struct json_value){JSON_STRING, false, STR(" \t ")}));
    assert_false(json_is_absent((struct json_value){JSON_STRING, false, STR(" x ")}));
    assert_false(json_is_absent((struct json_value){JSON_STRING, true, STR("\\n")}));
    assert_false(json_is_absent((struct json_value){JSON_NUMBER, false, STR("0")}));
    assert_false(json_is_absent((struct json_value){JSON_BOOL, false, STR("false")}));
}

// A text with one byte changed never reads past its end (sanitizers), and ends.
static void test_mutated(void **state)
{
    static const char good[] = "{\"a\":[1,-2.5e3,{\"b\":\"x\\u00e9\\n\"}],\"c\":null,\"d\":true}";
    struct rand r;
    unsigned count;

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&r, SEED);
    for (int round = 0; round < 50000; round++) {
        char text[sizeof good];
        size_t size = 1 + rand_below(&r, sizeof good - 1);

        memcpy(text, good, sizeof good);
        text[rand_below(&r, size)] = "{}[]\",:\\u019ex\n"[rand_below(&r, 15)];
        read_all(str_make(text, size), 4, &count);
    }
}

// The vector scan and its plain twin agree wherever a text begins and ends, for any byte.
static void test_scan_twins(void **state)
{
    char text[70];
    struct rand rand;

    (void)state;
    rand_seed(&rand, SEED);
    for (int round = 0; round < 20000; round++) {
        unsigned size = (unsigned)rand_below(&rand, sizeof text + 1);
        char *copy = malloc(size ? size : 1); // its exact size, so that a sanitizer sees more
        const char *found = copy;

        for (unsigned i = 0; i < size; i++)
            copy[i] =
                (char)(rand_below(&rand, 24) ? 0x20 + rand_below(&rand, 224) : rand_u64(&rand));
        for (unsigned at = 0; at <= size; at++) {
            found = copy + at;
            while (found < copy + size && !json_scan_is_special(*found)) found++;
            assert_ptr_equal(json_scan_special(copy + at, copy, copy + size), found);
            assert_ptr_equal(json_scan_special_plain(copy + at, copy + size), found);
        }
        free(copy);
    }
}

// A number reads alike whether the vector step may look at it or not.
static void test_number_twins(void **state)
{
    static const char *const heads[] = {"0",
                                        "-0",
                                        "7",
                                        "-12",
                                        "01",
                                        "-",
                                        "",
                                        "123456789012345",
                                        "1234567890123456",
                                        "-123456789012345678901"};
    static const char *const tails[] = {"", ".5", ".", "e5", "E-2", "e", "x", "-", ".5e+"};

    (void)state;
    for (size_t h = 0; h < COUNT_OF(heads); h++)
        for (size_t t = 0; t < COUNT_OF(tails); t++) {
            struct json_value fast = {0}, plain = {0};
            char text[128];
            size_t size = (size_t)snprintf(text, sizeof text, "%s%s,%40s", heads[h], tails[t], "");
            const char *a = json_scan_digits(text, text + size, &fast);
            const char *b = json_scan_number(text, text + size, &plain);

            assert_ptr_equal(a, b);
            if (a) assert_true(str_eq(fast.text, plain.text) && fast.type == plain.type);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan_twins), cmocka_unit_test(test_number_twins),
        cmocka_unit_test(test_good),       cmocka_unit_test(test_bad),
        cmocka_unit_test(test_depth),      cmocka_unit_test(test_views),
        cmocka_unit_test(test_unescape),   cmocka_unit_test(test_i64),
        cmocka_unit_test(test_absent),     cmocka_unit_test(test_mutated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
