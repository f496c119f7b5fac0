// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/base/rand.h"

#define SEED 3339u
#define NS   INT64_C(1000000000)

static void is(const char *text, int64_t ns)
{
    int64_t got = 7;

    if (!clock_parse(str_of(text), &got) || got != ns)
        fail_msg("%s: %lld, not %lld", text, (long long)got, (long long)ns);
}

static void test_good(void **state)
{
    (void)state;
    is("1970-01-01T00:00:00Z", 0);
    is("2026-11-22T13:47:55Z", 1795355275 * NS);
    is("2026-11-22t13:47:55z", 1795355275 * NS);
    is("2026-11-22 13:47:55Z", 1795355275 * NS);
    is("2026-11-22T08:47:55-05:00", 1795355275 * NS);
    is("2026-11-22T19:17:55+05:30", 1795355275 * NS);
    is("2026-11-22T13:47:55+00:00", 1795355275 * NS);
    is("2026-11-22T13:47:55-00:00", 1795355275 * NS);
    is("2026-11-22T13:47:55.5Z", 1795355275 * NS + 500000000);
    is("2026-11-22T13:47:55.000000001Z", 1795355275 * NS + 1);
    is("2026-11-22T13:47:55.12345678999999Z", 1795355275 * NS + 123456789);
    is("2016-12-31T23:59:60Z", 1483228799 * NS); // a leap second
    is("1969-12-31T23:59:59Z", -1 * NS);
    is("2000-02-29T00:00:00Z", 951782400 * NS);
    is("2262-04-11T23:47:16Z", 9223372036 * NS);
    is("1677-09-21T00:12:44Z", -9223372036 * NS);
}

static void test_bad(void **state)
{
    static const char *const rows[] = {
        "",
        "2026-11-22",
        "2026-11-22T13:47:55",
        "2026-11-22T13:47Z",
        "2026-11-22T13:47:55.Z",
        "2026-11-22T13:47:55,5Z",
        "2026-11-22T13:47:55Z ",
        " 2026-11-22T13:47:55Z",
        "2026-11-22T13:47:55ZZ",
        "2026-11-22T24:00:00Z",
        "2026-11-22T13:60:00Z",
        "2026-11-22T13:47:61Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-1-1T00:00:00Z",
        "26-01-01T00:00:00Z",
        "+2026-01-01T00:00:00Z",
        "2026-11-22T13:47:55+5",
        "2026-11-22T13:47:55+0530",
        "2026-11-22T13:47:55+24:00",
        "2026-11-22T13:47:55+05:60",
        "2026/11/22T13:47:55Z",
        "2026-11-22T13:47:5xZ",
        "2262-04-11T23:47:17Z", // past 2^63 ns
        "9999-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "1677-09-21T00:12:43Z",
        "2262-04-11T23:47:16.9Z",
        "1795355275",
    };
    int64_t got = 7;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (clock_parse(str_of(rows[i]), &got)) fail_msg("%s was taken", rows[i]);
    assert_false(clock_parse(str_make("2026-11-22T13:47:55\0Z", 21), &got));
    assert_false(clock_parse(str_make(NULL, 0), &got));
    assert_int_equal(got, 7);
}

// Random dates against the C library, and back.
static void test_against_timegm(void **state)
{
    struct rand r;

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&r, SEED);
    for (int round = 0; round < 200000; round++) {
        int64_t s = (int64_t)rand_below(&r, 2 * UINT64_C(9223372036)) - INT64_C(9223372036);
        char text[64], formatted[CLOCK_TEXT_SIZE];
        time_t t = (time_t)s;
        int64_t got;
        struct tm tm;

        assert_non_null(gmtime_r(&t, &tm));
        snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        assert_true(clock_parse(str_of(text), &got));
        assert_true(got == s * NS && got / NS == timegm(&tm));
        assert_true(str_eq(clock_format(formatted, s), str_of(text)));
    }
}

static void test_clocks(void **state)
{
    int64_t mono = clock_mono_ns(), wall = clock_wall_ns();

    (void)state;
    assert_true(clock_mono_ns() >= mono);
    assert_in_range(clock_wall_ns() - wall, 0, 60 * NS);
    assert_true(wall / NS > 1700000000);
    clock_freeze(42 * NS + 1);
    assert_true(clock_wall_ns() == 42 * NS + 1);
    assert_true(clock_wall_s() == 42);
    assert_true(clock_mono_ns() >= mono); // never frozen
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_against_timegm),
        cmocka_unit_test(test_clocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
