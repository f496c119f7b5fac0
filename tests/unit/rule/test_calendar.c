// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/check.h"
#include "engine/base/rand.h"
#include "engine/rule/calendar.h"

#define SEED 19700101u

static int32_t day_of(const char *text)
{
    int32_t day = 0;

    if (!calendar_parse_day(str_of(text), &day)) fail_msg("%s is no day", text);
    return day;
}

static void test_known_days(void **state)
{
    (void)state;
    assert_int_equal(calendar_day(1970, 1, 1), 0);
    assert_int_equal(calendar_day(1969, 12, 31), -1);
    assert_int_equal(calendar_day(2000, 2, 29), 11016);
    assert_int_equal(calendar_day(2026, 11, 22), 20779);
    assert_int_equal(calendar_day(1, 1, 1), -719162);
    assert_int_equal(calendar_day(0, 3, 1), -719468);
    assert_int_equal(calendar_day(9999, 12, 31), 2932896);
    assert_int_equal(calendar_weekday(0), 3);
    assert_int_equal(calendar_weekday(-1), 2);
    assert_int_equal(calendar_weekday(-4), 6);
    assert_int_equal(calendar_weekday(day_of("2026-11-22")), 6);
    assert_int_equal(calendar_weekday(day_of("1900-03-01")), 3);
}

// Every day of ten thousand years, against plain counting.
static void test_counting(void **state)
{
    int32_t day = calendar_day(0, 1, 1);
    unsigned weekday = calendar_weekday(day);

    (void)state;
    for (int year = 0; year < 10000; year++) {
        for (int month = 1; month <= 12; month++) {
            int last = month == 2 ? 28 + (year % 4 == 0 && (year % 100 || year % 400 == 0))
                                  : 30 + ((month + month / 8) & 1);

            assert_int_equal(calendar_month_days(year, month), last);
            for (int d = 1; d <= last; d++, day++, weekday = (weekday + 1) % 7) {
                struct calendar_date date = calendar_of_day(day);

                if (calendar_day(year, month, d) != day || date.year != year ||
                    date.month != month || date.day != d || calendar_weekday(day) != weekday)
                    fail_msg("%04d-%02d-%02d is day %d", year, month, d, day);
            }
            assert_false(calendar_is_date(year, month, last + 1));
            assert_true(calendar_is_date(year, month, last));
        }
    }
    assert_false(calendar_is_date(2026, 0, 1));
    assert_false(calendar_is_date(2026, 13, 1));
    assert_false(calendar_is_date(2026, 1, 0));
    assert_false(calendar_is_date(2026, 1, -1));
}

// Dates of the tables of the churches; 1818 and 2285 are the earliest, 1943 and 2038 the latest.
static void test_easter(void **state)
{
    static const char *const rows[] = {
        "1818-03-22", "1886-04-25", "1943-04-25", "1954-04-18", "1981-04-19", "2000-04-23",
        "2008-03-23", "2011-04-24", "2016-03-27", "2019-04-21", "2023-04-09", "2024-03-31",
        "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2029-04-01", "2030-04-21",
        "2038-04-25", "2049-04-18", "2076-04-19", "2285-03-22",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int32_t day = day_of(rows[i]);

        assert_int_equal(calendar_easter(calendar_of_day(day).year), day);
        assert_int_equal(calendar_weekday(day), 6);
    }
}

static void test_day_text(void **state)
{
    static const char *const bad[] = {
        "",           "2026-11-2",   "2026-11-222", "2026-1-22",  "26-11-22",
        "2026-02-29", "2100-02-29",  "2026-13-01",  "2026-00-01", "2026-01-00",
        "2026-01-32", "2026/01/01",  "2026-01 01",  "+026-01-01", "2026-+1-01",
        "2026-01-0x", " 2026-01-01", "2026-01-01 ", "2026-04-31", "20260-01-01",
    };
    char memory[32];
    struct buf out;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int32_t day = 77;

        if (calendar_parse_day(str_of(bad[i]), &day)) fail_msg("'%s' is taken", bad[i]);
        assert_int_equal(day, 77);
    }
    for (int32_t day = day_of("0001-01-01"); day <= day_of("9999-12-31"); day += 97) {
        int32_t again = 0;

        buf_wrap(&out, memory, sizeof memory);
        calendar_write_day(&out, day);
        assert_true(calendar_parse_day(buf_view(&out), &again));
        assert_int_equal(again, day);
    }
}

static void test_weekday_text(void **state)
{
    static const char *const good[] = {"mon", "TUE", "Wed", "thu", "fRi", "sat", "sun"};
    static const char *const bad[] = {"", "m", "mo", "mond", "monday", "ont", "xxx", "mon "};
    unsigned weekday = 9;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(calendar_parse_weekday(str_of(bad[i]), &weekday));
    assert_int_equal(weekday, 9);
    for (unsigned i = 0; i < COUNT_OF(good); i++) {
        assert_true(calendar_parse_weekday(str_of(good[i]), &weekday));
        assert_int_equal(weekday, i);
    }
}

static bool is_on(const struct calendar_spec *spec, int32_t day)
{
    const struct calendar_today today = calendar_today(day);

    return calendar_spec_is_today(spec, &today);
}

// All days of 2024 … 2031 that a spec means.
static void means(const char *text, const int8_t shift[7], const char *const *days, size_t count)
{
    struct calendar_spec spec;
    size_t found = 0;

    if (!calendar_parse_spec(str_of(text), &spec)) fail_msg("'%s' is not taken", text);
    if (shift) memcpy(spec.shift_days, shift, sizeof spec.shift_days);
    for (int32_t day = day_of("2024-01-01"); day <= day_of("2031-12-31"); day++) {
        bool wanted = false;

        for (size_t i = 0; i < count; i++) wanted |= day_of(days[i]) == day;
        if (is_on(&spec, day) != wanted)
            fail_msg("'%s' on day %d: %d", text, day - day_of("2024-01-01"), !wanted);
        found += wanted;
    }
    assert_int_equal(found, count);
}

#define MEANS(text, shift, ...)                                                                    \
    means(text, shift, (const char *const[]){__VA_ARGS__},                                         \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void test_specs(void **state)
{
    (void)state;
    MEANS("12-25", NULL, "2024-12-25", "2025-12-25", "2026-12-25", "2027-12-25", "2028-12-25",
          "2029-12-25", "2030-12-25", "2031-12-25");
    MEANS("02-29", NULL, "2024-02-29", "2028-02-29");
    MEANS("2026-11-26", NULL, "2026-11-26");
    MEANS("11-4thu", NULL, "2024-11-28", "2025-11-27", "2026-11-26", "2027-11-25", "2028-11-23",
          "2029-11-22", "2030-11-28", "2031-11-27");
    MEANS("05-lastmon", NULL, "2024-05-27", "2025-05-26", "2026-05-25", "2027-05-31", "2028-05-29",
          "2029-05-28", "2030-05-27", "2031-05-26");
    MEANS("01-3MON", NULL, "2024-01-15", "2025-01-20", "2026-01-19", "2027-01-18", "2028-01-17",
          "2029-01-15", "2030-01-21", "2031-01-20");
    // not every year has one
    MEANS("02-5thu", NULL, "2024-02-29");
    MEANS("11-2..8tue", NULL, "2024-11-05", "2025-11-04", "2026-11-03", "2027-11-02", "2028-11-07",
          "2029-11-06", "2030-11-05", "2031-11-04");
    MEANS("05-18..24mon", NULL, "2024-05-20", "2025-05-19", "2026-05-18", "2027-05-24",
          "2028-05-22", "2029-05-21", "2030-05-20", "2031-05-19");
    MEANS("easter", NULL, "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16",
          "2029-04-01", "2030-04-21", "2031-04-13");
    MEANS("easter-47", NULL, "2024-02-13", "2025-03-04", "2026-02-17", "2027-02-09", "2028-02-29",
          "2029-02-13", "2030-03-05", "2031-02-25");
    MEANS("easter+1", NULL, "2024-04-01", "2025-04-21", "2026-04-06", "2027-03-29", "2028-04-17",
          "2029-04-02", "2030-04-22", "2031-04-14");
    // into another year, and back
    MEANS("easter+300", NULL, "2024-02-03", "2025-01-25", "2026-02-14", "2027-01-30", "2028-01-22",
          "2029-02-10", "2030-01-26", "2031-02-15");
}

static void test_observed(void **state)
{
    // Saturday: the Friday before; Sunday: the Monday behind
    static const int8_t us[7] = {[5] = -1, [6] = 1};
    // Christmas in Britain: on a Saturday or a Sunday the Monday or Tuesday behind
    static const int8_t uk[7] = {[5] = 2, [6] = 2};

    (void)state;
    MEANS("07-04", us, "2024-07-04", "2025-07-04", "2026-07-04", "2026-07-03", "2027-07-04",
          "2027-07-05", "2028-07-04", "2029-07-04", "2030-07-04", "2031-07-04");
    // new year's day of 2028 is a Saturday: observed in the year before
    MEANS("01-01", us, "2024-01-01", "2025-01-01", "2026-01-01", "2027-01-01", "2027-12-31",
          "2028-01-01", "2029-01-01", "2030-01-01", "2031-01-01");
    MEANS("12-31", uk, "2024-01-02", "2024-12-31", "2025-12-31", "2026-12-31", "2027-12-31",
          "2028-12-31", "2029-01-02", "2029-12-31", "2030-12-31", "2031-12-31");
    MEANS("2026-07-04", us, "2026-07-04", "2026-07-03");
}

static void test_bad_specs(void **state)
{
    static const char *const rows[] = {
        "",
        "-",
        "12",
        "12-",
        "12-32",
        "13-01",
        "00-10",
        "02-30",
        "04-31",
        "1-01",
        "12-1",
        "12-001",
        "12/25",
        "2026-02-29",
        "11-0thu",
        "11-6thu",
        "11-4",
        "11-4th",
        "11-4thur",
        "11-thu",
        "11-last",
        "11-lastxxx",
        "11-4 thu",
        "13-4thu",
        "00-lastmon",
        "easter-",
        "easter+",
        "easter1",
        "easter--1",
        "easter-1x",
        "eastern",
        "easter-367",
        "easte",
        "easter -1",
        " 12-25",
        "12-25 ",
        "11-2..9tue",
        "11-2..7tue",
        "11-0..6tue",
        "11-2.8tue",
        "11-2...8tue",
        "11-..8tue",
        "11-2..tue",
        "11-25..31tue",
        "02-24..30tue",
        "11-2..8",
        "11-2..8tues",
        "11-18446744073709551615..5tue",
        "easter-99999999999999999999",
        "11-\xc3\xbcmon",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct calendar_spec spec, before;

        memset(&spec, 0x5a, sizeof spec);
        before = spec;
        if (calendar_parse_spec(str_of(rows[i]), &spec)) fail_msg("'%s' is taken", rows[i]);
        assert_memory_equal(&spec, &before, sizeof spec);
    }
}

// Whatever bytes: an accepted spec can be asked about any day.
static void test_noise(void **state)
{
    static const char letters[] = "0123456789-.+easterlmonthufri";
    struct rand r;
    unsigned taken = 0;

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&r, SEED);
    for (int i = 0; i < 300000; i++) {
        struct calendar_spec spec;
        char text[16];
        size_t size = rand_below(&r, sizeof text);

        for (size_t k = 0; k < size; k++) text[k] = letters[rand_below(&r, sizeof letters - 1)];
        if (i % 2 && size > 3) memcpy(text, "12-", 3);
        if (!calendar_parse_spec(str_make(text, size), &spec)) continue;
        taken++;
        is_on(&spec, (int32_t)rand_below(&r, 100000));
    }
    assert_true(taken > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_days),   cmocka_unit_test(test_counting),
        cmocka_unit_test(test_easter),       cmocka_unit_test(test_day_text),
        cmocka_unit_test(test_weekday_text), cmocka_unit_test(test_specs),
        cmocka_unit_test(test_observed),     cmocka_unit_test(test_bad_specs),
        cmocka_unit_test(test_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
