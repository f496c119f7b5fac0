// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/utf8.h"

// RFC 3629 as it is written, for comparison: decodes and refuses what is not the shortest form.
static size_t plain_size(const unsigned char *p, size_t size)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code;
    size_t n;

    if (size == 0) return 0;
    if (p[0] < 0x80) return 1;
    n = (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (n == 0 || size < n) return 0;
    code = p[0] & (0x7f >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    if (code < lowest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
    return n;
}

static void test_every_code(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        unsigned char bytes[4];
        size_t n = utf8_put((char *)bytes, code);
        int surrogate = code >= 0xd800 && code <= 0xdfff;

        if (utf8_size((char *)bytes, n) != (surrogate ? 0 : n)) fail_msg("U+%X", code);
        if (!surrogate && plain_size(bytes, n) != n) fail_msg("U+%X", code);
        if (n > 1 && utf8_size((char *)bytes, n - 1) != 0) fail_msg("U+%X cut", code);
    }
}

// Every first three bytes, with a few fourth ones; and cut at every size.
static void test_every_prefix(void **state)
{
    static const unsigned char fourth[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};

    (void)state;
    for (uint32_t x = 0; x < 1u << 24; x++) {
        unsigned char bytes[4] = {x >> 16, x >> 8 & 0xff, x & 0xff, fourth[x % sizeof fourth]};
        size_t size = bytes[0] < 0xf0 && x % 7 ? 3 : 4;

        if (utf8_size((char *)bytes, size) != plain_size(bytes, size)) fail_msg("%06X", x);
    }
    for (uint32_t x = 0; x < 1u << 16; x++) {
        unsigned char bytes[2] = {x >> 8, x & 0xff};

        for (size_t size = 0; size <= 2; size++)
            if (utf8_size((char *)bytes, size) != plain_size(bytes, size)) fail_msg("%04X", x);
    }
}

// One bad byte at every place of a text, behind ASCII and behind longer characters.
static void test_good(void **state)
{
    static const char *const text[] = {"0123456789abcdefghij",
                                       "\xc3\xa9\xe2\x82\xac 0123456789 \xf0\x9f\x98\x80"};

    (void)state;
    assert_int_equal(utf8_good("", 0), 0);
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(text[i]);
        char copy[64];

        assert_int_equal(utf8_good(text[i], size), size);
        for (size_t at = 0, n; at < size; at += n) {
            n = utf8_size(text[i] + at, size - at);
            memcpy(copy, text[i], size);
            copy[at] = (char)0xff;
            assert_int_equal(utf8_good(copy, size), at);
            if (n > 1) assert_int_equal(utf8_good(text[i], at + n - 1), at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
