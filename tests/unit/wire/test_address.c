// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/check.h"
#include "engine/base/limits.h"
#include "engine/wire/address.h"

static void test_email_taken(void **state)
{
    static const char *const pairs[][2] = {
        {"a@b.co", "a@b.co"},
        {" John.Doe@Example.COM\r\n", "john.doe@example.com"},
        {"o'brien+tag@mail.example.org", "o'brien+tag@mail.example.org"},
        {"!#$%&'*+-/=?^_`{|}~@x-y.example", "!#$%&'*+-/=?^_`{|}~@x-y.example"},
        {"1@2.3.io", "1@2.3.io"},
        {"a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
    };
    char dst[LIMIT_EMAIL_BYTES];
    struct str got;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        assert_true(address_email(str_of(pairs[i][0]), dst, &got));
        assert_true(str_eq(got, str_of(pairs[i][1])));
        assert_ptr_equal(got.ptr, dst);
    }
}

static void test_email_refused(void **state)
{
    static const char *const bad[] = {
        "",        "a",         "@b.co",      "a@",          "a@b",           "a@@b.co",
        "a@b@c.d", "a b@c.de",  ".a@b.co",    "a.@b.co",     "a..b@c.de",     "a@.b.co",
        "a@b..co", "a@b.co.",   "a@-b.co",    "a@b-.co",     "a@b_c.de",      "a@1.2.3.4",
        "a@b.1",   "a\n@b.co",  "\"a\"@b.co", "<a@b.co>",    "a@[1.2.3.4]",   "a@b.c\xc3\xa9",
        "a,b@c.d", "(x)a@b.co", "a\\b@c.de",  "mailto:a@b.", "a@b.co, c@d.e", "+12125551234",
    };
    char dst[LIMIT_EMAIL_BYTES];
    struct str got = {NULL, 7};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (address_email(str_of(bad[i]), dst, &got)) fail_msg("'%s' was taken", bad[i]);
    assert_false(address_email(str_make("a\0b@c.de", 8), dst, &got));
    assert_false(address_email(str_make("a@b\0.de", 7), dst, &got));
    assert_false(address_email(str_make(NULL, 0), dst, &got));
    assert_int_equal(got.size, 7);
}

static void test_email_limits(void **state)
{
    char text[300], dst[LIMIT_EMAIL_BYTES];
    struct str got;

    (void)state;
    memset(text, 'a', sizeof text);
    text[64] = '@';
    memcpy(text + 128, ".", 1); // label of 63
    memcpy(text + 192, ".", 1); // label of 63
    assert_true(address_email(str_make(text, 254), dst, &got));
    assert_int_equal(got.size, 254);
    assert_false(address_email(str_make(text, 255), dst, &got));
    text[128] = 'a'; // label of 127
    assert_false(address_email(str_make(text, 200), dst, &got));
    text[64] = 'a';
    text[65] = '@'; // local part of 65
    assert_false(address_email(str_make(text, 100), dst, &got));
}

static void test_client_id(void **state)
{
    char text[LIMIT_CLIENT_ID_BYTES + 1];
    struct str got = {NULL, 7};

    (void)state;
    assert_true(address_client_id(STR("  AbC 007 "), &got));
    assert_true(str_eq(got, STR("AbC 007")));
    assert_true(address_client_id(STR("\xc3\xa9"), &got));
    memset(text, 'x', sizeof text);
    assert_true(address_client_id(str_make(text, sizeof text - 1), &got));
    assert_int_equal(got.size, LIMIT_CLIENT_ID_BYTES);
    assert_false(address_client_id(str_make(text, sizeof text), &got));
    assert_false(address_client_id(STR(""), &got));
    assert_false(address_client_id(STR("   "), &got));
    assert_false(address_client_id(STR("a\tb"), &got));
    assert_false(address_client_id(STR("a\x7f"), &got));
    assert_false(address_client_id(str_make("a\0b", 3), &got));
    assert_false(address_client_id(str_make(NULL, 0), &got));
    assert_int_equal(got.size, LIMIT_CLIENT_ID_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_email_taken),
        cmocka_unit_test(test_email_refused),
        cmocka_unit_test(test_email_limits),
        cmocka_unit_test(test_client_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
