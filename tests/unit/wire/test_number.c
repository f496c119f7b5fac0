// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/check.h"
#include "engine/base/limits.h"
#include "engine/base/rand.h"
#include "engine/wire/number.h"

#define SEED 212555u

static struct number_home us, ca, gb, de, it, mx;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(number_start(), 0);
    assert_int_equal(number_home_init(&us, STR("us"), NULL), 0);
    assert_int_equal(number_home_init(&ca, STR("CA"), NULL), 0);
    assert_int_equal(number_home_init(&gb, STR("GB"), NULL), 0);
    assert_int_equal(number_home_init(&de, STR("de"), NULL), 0);
    assert_int_equal(number_home_init(&it, STR("It"), NULL), 0);
    assert_int_equal(number_home_init(&mx, STR("MX"), NULL), 0);
    return 0;
}

static void is(const char *text, const struct number_home *home, uint64_t device)
{
    enum number_error error;
    uint64_t got = 0;

    error = number_parse(str_of(text), home, &got);
    if (error != NUMBER_OK || got != device)
        fail_msg("'%s' at home in %s: %s %llu, not %llu", text, home->region,
                 number_error_code(error), (unsigned long long)got, (unsigned long long)device);
}

static void is_not(const char *text, const struct number_home *home, enum number_error why)
{
    enum number_error error;
    uint64_t got = 99;

    error = number_parse(str_of(text), home, &got);
    if (error != why || got != 99)
        fail_msg("'%s' at home in %s: %s, not %s", text, home->region, number_error_code(error),
                 number_error_code(why));
}

static void test_home(void **state)
{
    struct number_home home = {.region = "zz"};
    struct err_info info;

    (void)state;
    assert_string_equal(us.region, "US");
    assert_true(us.nanp && ca.nanp);
    assert_string_equal(de.region, "DE");
    assert_false(de.nanp);
    assert_int_equal(number_home_init(&home, STR("XX"), &info), ERR_CONFIG);
    assert_non_null(strstr(info.text, "'XX'"));
    assert_int_equal(number_home_init(&home, STR("USA"), NULL), ERR_CONFIG);
    assert_int_equal(number_home_init(&home, STR(""), NULL), ERR_CONFIG);
    assert_string_equal(home.region, "zz");
}

static void test_nanp_spellings(void **state)
{
    static const char *const anywhere[] = {"+1 212 555 1234", "+12125551234", " +1 (212) 555-1234 ",
                                           "+1.212.555.1234", "(+1) 212/555-1234"};
    static const char *const at_home[] = {
        "(212) 555-1234",      "12125551234",      "2125551234",        "212.555.1234",
        "1-212-555-1234",      "1 (212) 5551234",  "212 555 1234 ",     "\t2125551234",
        "011 1 212 555 1234",  "0012125551234",    "212-555-1234 x5",   "212-555-1234x12345",
        "212-555-1234 ext. 5", "2125551234;ext=7", "2125551234 EXT:99", "2125551234 extension 4",
        "2125551234, x 9",     "2125551234 #12",   "2125551234 extn 1#"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(anywhere); i++) {
        is(anywhere[i], &us, 12125551234);
        is(anywhere[i], &de, 12125551234);
        is(anywhere[i], &it, 12125551234);
    }
    for (size_t i = 0; i < COUNT_OF(at_home); i++) {
        is(at_home[i], &us, 12125551234);
        is(at_home[i], &ca, 12125551234);
    }
    is("\xc2\xa0(212)\xe2\x80\x91"
       "555\xe2\x80\x93"
       "1234",
       &us, 12125551234);
    is("\xe2\x80\xaa+1 212 555 1234\xe2\x80\xac", &us, 12125551234);
    is("\xef\xbc\x8b\xef\xbc\x91"
       "2125551234",
       &gb, 12125551234);
    is("\xd9\xa2\xd9\xa1\xd9\xa2"
       "5551234",
       &us, 12125551234); // Arabic-Indic 212
}

static void test_nanp_rule(void **state)
{
    (void)state;
    is("9999999999", &us, 19999999999);
    is("2002000000", &us, 12002000000);
    is("7409990000", &us, 17409990000); // assigned or not is not asked
    is_not("1125551234", &us, NUMBER_BAD_AREA_CODE);
    is_not("0125551234", &us, NUMBER_BAD_AREA_CODE);
    is_not("11125551234", &us, NUMBER_BAD_AREA_CODE);
    is_not("+11125551234", &de, NUMBER_BAD_AREA_CODE);
    is_not("2121551234", &us, NUMBER_BAD_EXCHANGE);
    is_not("+12120551234", &gb, NUMBER_BAD_EXCHANGE);
    is_not("5551234", &us, NUMBER_TOO_SHORT);
    is_not("911", &us, NUMBER_TOO_SHORT);
    is_not("125551234", &us, NUMBER_TOO_SHORT);
    is_not("1212555123", &us, NUMBER_BAD_AREA_CODE);
    is_not("+1212555123", &us, NUMBER_TOO_SHORT);
    is_not("+121255512345", &us, NUMBER_TOO_LONG);
    is_not("121255512345", &us, NUMBER_TOO_LONG);
    is_not("21255512345", &us, NUMBER_TOO_LONG);
    is_not("61755512345", &us, NUMBER_TOO_LONG); // would be Australian with +
}

static void test_refused(void **state)
{
    char bytes[LIMIT_NUMBER_BYTES + 1];
    uint64_t got = 99;

    (void)state;
    is_not("", &us, NUMBER_EMPTY);
    is_not("   ", &us, NUMBER_EMPTY);
    is_not("()-", &us, NUMBER_EMPTY);
    is_not("n/a", &us, NUMBER_BAD_CHARACTER);
    is_not("someone@example.com", &us, NUMBER_BAD_CHARACTER);
    is_not("1-800-FLOWERS", &us, NUMBER_BAD_CHARACTER);
    is_not("1-800-FLOWERS", &de, NUMBER_BAD_CHARACTER);
    is_not("1.2125551234E+10", &us, NUMBER_BAD_CHARACTER);
    is_not("2125551234.0", &us, NUMBER_BAD_CHARACTER);
    is_not("212+5551234", &us, NUMBER_BAD_CHARACTER);
    is_not("++12125551234", &us, NUMBER_BAD_CHARACTER);
    is_not("212-555-1234 x", &us, NUMBER_BAD_CHARACTER);
    is_not("212-555-1234 x12345678", &us, NUMBER_BAD_CHARACTER);
    is_not("212-555-1234 x12 y", &us, NUMBER_BAD_CHARACTER);
    is_not("212-555-1234 or 5", &us, NUMBER_BAD_CHARACTER);
    is_not("2125551234\n", &us, NUMBER_BAD_CHARACTER);
    is_not("212555123\xff", &us, NUMBER_BAD_CHARACTER);
    is_not("212555123\xc3\xa9", &us, NUMBER_BAD_CHARACTER);
    is_not("{\"a\":1}", &us, NUMBER_BAD_CHARACTER);
    is_not("x5", &us, NUMBER_EMPTY);
    assert_int_equal(number_parse(str_make("212555\0001234", 11), &us, &got), NUMBER_BAD_CHARACTER);
    memset(bytes, ' ', sizeof bytes);
    memcpy(bytes, "2125551234", 10);
    assert_int_equal(number_parse(str_make(bytes, sizeof bytes), &us, &got), NUMBER_TOO_LONG);
    assert_int_equal(got, 99);
    assert_int_equal(number_parse(str_make(bytes, sizeof bytes - 1), &us, &got), NUMBER_OK);
    memset(bytes, '9', sizeof bytes);
    got = 99;
    assert_int_equal(number_parse(str_make(bytes, sizeof bytes - 1), &us, &got), NUMBER_TOO_LONG);
    assert_int_equal(number_parse(str_make(bytes, sizeof bytes - 1), &de, &got), NUMBER_TOO_LONG);
    assert_int_equal(number_parse(str_make(NULL, 0), &us, &got), NUMBER_EMPTY);
    assert_int_equal(got, 99);
}

static void test_international(void **state)
{
    static const char *const london[] = {"+44 20 7946 0958", "+44 (0) 20 7946 0958",
                                         "011 44 20 7946 0958", "00442079460958"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(london); i++) is(london[i], &us, 442079460958);
    is("+390612345678", &us, 390612345678); // Italy keeps its zero
    is("+49 30 123456", &us, 4930123456);
    is("+8613812345678", &us, 8613812345678);
    is("+44 20 7946 0958 x5", &us, 442079460958);
    is_not("+999 12345678", &us, NUMBER_BAD_COUNTRY);
    is_not("+0 12345678", &us, NUMBER_BAD_COUNTRY);
    is_not("+44 20", &us, NUMBER_TOO_SHORT);
    is_not("+44", &us, NUMBER_TOO_SHORT);
    is_not("+442079460958123456", &us, NUMBER_TOO_LONG);
}

static void test_other_homes(void **state)
{
    (void)state;
    is("020 7946 0958", &gb, 442079460958);
    is("(020) 7946-0958", &gb, 442079460958);
    is("+44 20 7946 0958", &gb, 442079460958);
    is("442079460958", &gb, 442079460958);
    is("00 49 30 123456", &gb, 4930123456);
    is("030 123456", &de, 4930123456);
    is("0049 30 123456", &de, 4930123456);
    is("06 1234 5678", &it, 390612345678);
    is("0012125551234", &de, 12125551234);
    is("12125551234", &de, 12125551234);
    is("12125551234", &gb, 12125551234);
    is_not("001 112 555 1234", &de, NUMBER_BAD_AREA_CODE);
    is_not("12", &de, NUMBER_TOO_SHORT);
    is_not("1", &gb, NUMBER_TOO_SHORT);
}

// Texts at random: whatever is accepted parses to itself as +digits, at home anywhere.
static void test_canonical(void **state)
{
    static const char alphabet[] = "0123456789012345678901234567890123456789+-(). /x";
    const struct number_home *homes[] = {&us, &gb, &de, &it, &mx};
    struct rand r;
    unsigned accepted = 0;

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&r, SEED);
    for (int round = 0; round < 20000; round++) {
        const struct number_home *home = homes[rand_below(&r, COUNT_OF(homes))];
        char text[24], plus[32];
        size_t size = 7 + rand_below(&r, 12);
        uint64_t device = 0, again = 0;

        for (size_t i = 0; i < size; i++) text[i] = alphabet[rand_below(&r, sizeof alphabet - 1)];
        if (round % 3 == 0) text[0] = '+';
        if (number_parse(str_make(text, size), home, &device) != NUMBER_OK) continue;
        accepted++;
        assert_in_range(device, 1000000, 999999999999999);
        snprintf(plus, sizeof plus, "+%llu", (unsigned long long)device);
        if (number_parse(str_of(plus), &us, &again) != NUMBER_OK || again != device)
            fail_msg("'%.*s' at home in %s gives %s, which gives %llu", (int)size, text,
                     home->region, plus, (unsigned long long)again);
    }
    assert_true(accepted > 1000);
}

// Ten bytes take a way of their own; a space in front sends them the general one.
static void test_ten_bytes(void **state)
{
    struct rand r;

    (void)state;
    rand_seed(&r, SEED);
    for (int round = 0; round < 200000; round++) {
        char text[11] = " ";
        uint64_t fast = 0, general = 0;
        enum number_error error;

        for (int i = 1; i < 11; i++) text[i] = (char)('0' + rand_below(&r, 10));
        if (round & 1) text[1 + rand_below(&r, 10)] = (char)rand_below(&r, 128);
        error = number_parse(str_make(text, 11), &us, &general);
        if (error != number_parse(str_make(text + 1, 10), &us, &fast) || fast != general)
            fail_msg("'%.11s': %llu, not %llu", text, (unsigned long long)fast,
                     (unsigned long long)general);
    }
}

static void test_words(void **state)
{
    (void)state;
    for (int i = 0; i < NUMBER_ERROR_COUNT; i++) {
        assert_true(number_error_code((enum number_error)i)[0]);
        assert_true(number_error_text((enum number_error)i)[0]);
    }
    assert_string_equal(number_error_code(NUMBER_TOO_SHORT), "too_short");
    assert_true(number_nanp(12125551234) == 2125551234);
    assert_true(number_nanp(442079460958) == 0);
    assert_true(number_nanp(11999999999) == 0);
    assert_true(number_nanp(19999999999) == 9999999999);
    assert_true(number_nanp(20000000000) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_home),          cmocka_unit_test(test_nanp_spellings),
        cmocka_unit_test(test_nanp_rule),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_international), cmocka_unit_test(test_other_homes),
        cmocka_unit_test(test_canonical),     cmocka_unit_test(test_words),
        cmocka_unit_test(test_ten_bytes),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
