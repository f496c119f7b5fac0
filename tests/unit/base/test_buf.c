// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/buf.h"
#include "engine/base/rand.h"
#include "engine/base/utf8.h"

#define SEED 31u

static void holds(const struct buf *b, const char *want)
{
    assert_false(b->failed);
    assert_int_equal(b->size_bytes, strlen(want));
    assert_memory_equal(b->ptr, want, b->size_bytes);
}

static void test_grows_to_max(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++) buf_char(&b, 'x');
    assert_false(b.failed);
    assert_true(b.cap_bytes <= 1000);
    buf_char(&b, 'x');
    assert_true(b.failed);
    assert_int_equal(b.size_bytes, 1000);
    buf_reset(&b);
    buf_lit(&b, "again");
    holds(&b, "again");
    assert_false(buf_reserve(&b, SIZE_MAX)); // no overflow of the sum
    assert_true(b.failed);
    buf_done(&b);
    buf_done(&b);
    assert_null(b.ptr);
}

static void test_wrapped(void **state)
{
    char bytes[8] = "########";
    struct buf b;

    (void)state;
    buf_wrap(&b, bytes, 6);
    buf_lit(&b, "1234");
    buf_lit(&b, "567"); // does not fit, and nothing of it is written
    assert_true(b.failed);
    assert_int_equal(b.size_bytes, 4);
    buf_lit(&b, "x"); // would fit, but failure is sticky
    assert_int_equal(b.size_bytes, 4);
    assert_memory_equal(bytes + 4, "####", 4);
    buf_done(&b); // not ours: must not be freed
    buf_wrap(&b, bytes, 0);
    buf_str(&b, (struct str){NULL, 0});
    assert_false(b.failed);
    buf_char(&b, 'x');
    assert_true(b.failed);
}

static void test_numbers(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    buf_u64(&b, 0);
    buf_char(&b, ' ');
    buf_u64(&b, UINT64_MAX);
    buf_char(&b, ' ');
    buf_i64(&b, INT64_MIN);
    buf_char(&b, ' ');
    buf_i64(&b, -1);
    buf_char(&b, ' ');
    buf_i64(&b, INT64_MAX);
    holds(&b, "0 18446744073709551615 -9223372036854775808 -1 9223372036854775807");
    buf_reset(&b);
    buf_printf(&b, "%s-%d", "a", 5);
    buf_printf(&b, "%s", "");
    holds(&b, "a-5");
    buf_done(&b);
}

static void writes_json(struct str s, const char *want)
{
    struct buf b;

    buf_init(&b, 4096);
    buf_json(&b, s);
    holds(&b, want);
    buf_done(&b);
}

static void test_json(void **state)
{
    (void)state;
    writes_json(STR(""), "\"\"");
    writes_json((struct str){NULL, 0}, "\"\"");
    writes_json(STR("plain 'text' / ~"), "\"plain 'text' / ~\"");
    writes_json(STR("a\"b\\c"), "\"a\\\"b\\\\c\"");
    writes_json(STR("\n\r\t\b\x1f\x7f"), "\"\\n\\r\\t\\u0008\\u001f\\u007f\"");
    writes_json(str_make("a\0b", 3), "\"a\\u0000b\"");
    writes_json(STR("\xc3\xa9\xf0\x9d\x84\x9e"), "\"\xc3\xa9\xf0\x9d\x84\x9e\"");
    writes_json(STR("a\xffz"), "\"a\xef\xbf\xbdz\"");
    writes_json(STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); // a surrogate
    writes_json(STR("\xc3"), "\"\xef\xbf\xbd\"");
}

// Whatever goes in, what comes out is UTF-8 without bare control characters.
static void test_json_random(void **state)
{
    struct rand r;
    struct buf b;

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&r, SEED);
    buf_init(&b, 4096);
    for (int round = 0; round < 20000; round++) {
        char text[40];
        size_t size = rand_below(&r, sizeof text), n;

        for (size_t i = 0; i < size; i++) text[i] = (char)(rand_u64(&r) >> (round % 2 ? 57 : 56));
        buf_reset(&b);
        buf_json(&b, str_make(text, size));
        assert_false(b.failed);
        assert_true(b.size_bytes >= 2 && b.ptr[0] == '"' && b.ptr[b.size_bytes - 1] == '"');
        for (size_t at = 1; at < b.size_bytes - 1; at += n) {
            n = utf8_size(b.ptr + at, b.size_bytes - at);
            assert_true(n > 0);
            assert_true((unsigned char)b.ptr[at] >= 0x20);
            if (b.ptr[at] == '\\') n = 2;
            assert_true(n == 2 || b.ptr[at] != '"');
        }
    }
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_to_max), cmocka_unit_test(test_wrapped),
        cmocka_unit_test(test_numbers),      cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
