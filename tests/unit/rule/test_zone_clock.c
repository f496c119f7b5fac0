// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/base/rand.h"
#include "engine/rule/calendar.h"
#include "engine/rule/zone_clock.h"
#include "tests/unit/rule/second.h"

#define SEED    20111230u
#define DAY_S   86400
#define MINUTES (8 * 1440)
#define MARGIN  (2 * 1440) // of them at either end, where the second opinion does not see enough

static struct zones *zones;
static struct zone_clock clock_a;

static int set_up(void **state)
{
    (void)state;
    return zones_load(&zones, ZONES_DEFAULT, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    zones_free(zones);
    return 0;
}

static int64_t instant(const char *text)
{
    int64_t ns = 0;

    if (!clock_parse(str_of(text), &ns)) fail_msg("%s is no instant", text);
    return ns / 1000000000;
}

static int32_t day_of(const char *text)
{
    int32_t day = 0;

    if (!calendar_parse_day(str_of(text), &day)) fail_msg("%s is no day", text);
    return day;
}

static uint16_t find(const char *name)
{
    uint16_t zone = zones_find(zones, str_of(name));

    if (zone == ZONES_NONE) fail_msg("%s is not found", name);
    return zone;
}

// Where and when the day is not 00:00 to 24:00, by hand.
static void test_odd_days(void **state)
{
    static const struct {
        const char *zone, *at, *day, *begin, *end;
        unsigned minute;
    } rows[] = {
        // 23 and 25 hours
        {"America/New_York", "2027-03-14T06:59:59Z", "2027-03-14", "2027-03-14T05:00:00Z",
         "2027-03-15T04:00:00Z", 119},
        {"America/New_York", "2027-03-14T07:00:00Z", "2027-03-14", "2027-03-14T05:00:00Z",
         "2027-03-15T04:00:00Z", 180},
        {"America/New_York", "2026-11-01T05:30:00Z", "2026-11-01", "2026-11-01T04:00:00Z",
         "2026-11-02T05:00:00Z", 90},
        {"America/New_York", "2026-11-01T06:30:00Z", "2026-11-01", "2026-11-01T04:00:00Z",
         "2026-11-02T05:00:00Z", 90},
        // half an hour of summer time: 24.5 hours
        {"Australia/Lord_Howe", "2026-04-04T15:00:00Z", "2026-04-05", "2026-04-04T13:00:00Z",
         "2026-04-05T13:30:00Z", 90},
        {"Pacific/Chatham", "2026-07-01T11:14:59Z", "2026-07-01", "2026-06-30T11:15:00Z",
         "2026-07-01T11:15:00Z", 1439},
        {"America/St_Johns", "2026-11-22T03:30:00Z", "2026-11-22", "2026-11-22T03:30:00Z",
         "2026-11-23T03:30:00Z", 0},
        // no midnight
        {"America/Havana", "2026-03-08T05:00:00Z", "2026-03-08", "2026-03-08T05:00:00Z",
         "2026-03-09T04:00:00Z", 60},
        {"Asia/Beirut", "2026-03-28T22:00:00Z", "2026-03-29", "2026-03-28T22:00:00Z",
         "2026-03-29T21:00:00Z", 60},
        {"America/Asuncion", "2023-10-01T04:00:00Z", "2023-10-01", "2023-10-01T04:00:00Z",
         "2023-10-02T03:00:00Z", 60},
        // two midnights: the clock goes back at the second one
        {"America/Havana", "2026-11-01T05:30:00Z", "2026-11-01", "2026-11-01T04:00:00Z",
         "2026-11-02T05:00:00Z", 30},
        // at midnight back into the day before, which goes on
        {"Asia/Beirut", "2026-10-24T21:30:00Z", "2026-10-24", "2026-10-23T21:00:00Z",
         "2026-10-24T22:00:00Z", 1410},
        // one minute after midnight back into the day before: the date comes twice
        {"America/St_Johns", "2006-10-29T02:30:30Z", "2006-10-29", "2006-10-29T02:30:00Z",
         "2006-10-29T02:31:00Z", 0},
        {"America/St_Johns", "2006-10-29T02:31:00Z", "2006-10-28", "2006-10-28T02:30:00Z",
         "2006-10-29T03:30:00Z", 1381},
        {"America/St_Johns", "2006-10-29T15:30:00Z", "2006-10-29", "2006-10-29T02:30:00Z",
         "2006-10-30T03:30:00Z", 720},
        // 2011-12-30 never was
        {"Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29", "2011-12-29T10:00:00Z",
         "2011-12-30T10:00:00Z", 1439},
        {"Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31", "2011-12-30T10:00:00Z",
         "2011-12-31T10:00:00Z", 0},
        // 1993-08-21 never was
        {"Pacific/Kwajalein", "1993-08-21T12:00:00Z", "1993-08-22", "1993-08-21T12:00:00Z",
         "1993-08-22T12:00:00Z", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct zone_local *l;

        zone_clock_set(&clock_a, zones, instant(rows[i].at));
        l = zone_clock_at(&clock_a, find(rows[i].zone));
        if (l->day != day_of(rows[i].day) || l->minute != rows[i].minute ||
            l->day_begin_s != instant(rows[i].begin) || l->day_end_s != instant(rows[i].end) ||
            l->weekday != calendar_weekday(l->day))
            fail_msg("%s %s: day %+d minute %u begin %+lld end %+lld", rows[i].zone, rows[i].at,
                     l->day - day_of(rows[i].day), l->minute,
                     (long long)(l->day_begin_s - instant(rows[i].begin)),
                     (long long)(l->day_end_s - instant(rows[i].end)));
        assert_int_equal(zone_clock_day_begin(&clock_a, find(rows[i].zone), l->day),
                         l->day_begin_s);
    }
}

// Every minute of four days against the C library.
static uint64_t compare_minutes(uint16_t zone, int64_t from_s)
{
    static struct second_minute m[MINUTES];

    second_zone(zones_name(zones, zone));
    second_minutes(m, MINUTES, from_s);
    for (unsigned i = MARGIN; i < MINUTES - MARGIN; i++) {
        int64_t at_s = from_s + (int64_t)i * 60;
        const struct zone_local *l;

        zone_clock_set(&clock_a, zones, at_s + i % 60);
        l = zone_clock_at(&clock_a, zone);
        if (l->day != m[i].wall.day || l->minute != m[i].wall.minute ||
            l->weekday != m[i].wall.weekday || l->offset_s != m[i].wall.offset_s ||
            l->day_begin_s != m[i].day_begin_s || l->day_end_s != m[i].day_end_s)
            fail_msg("%s at %lld: day %d minute %u begin %lld end %lld, not %lld %u %lld %lld",
                     zones_name(zones, zone), (long long)at_s, l->day, l->minute,
                     (long long)l->day_begin_s, (long long)l->day_end_s, (long long)m[i].wall.day,
                     m[i].wall.minute, (long long)m[i].day_begin_s, (long long)m[i].day_end_s);
        assert_true(l->until_s > at_s + i % 60 && l->day_end_s > at_s + i % 60);
    }
    return MINUTES - MARGIN * 2;
}

// Around changes drawn from all that the zones have from 1973 (when the last of them came to
// whole minutes) to 2060.
static void test_minutes_around_changes(void **state)
{
    int64_t first_s = instant("1973-01-01T00:00:00Z"), span_s = (int64_t)87 * 365 * DAY_S;
    unsigned named = zones_fixed(zones, -12 * 3600);
    uint64_t tried = 0;
    struct rand r;

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&r, SEED);
    while (tried < 1500000) {
        uint16_t zone = (uint16_t)rand_below(&r, named);
        int64_t at_s = first_s + (int64_t)rand_below(&r, (uint64_t)span_s);
        int64_t change_s = zones_offset(zones, zone, at_s).until_s;

        if (change_s > first_s + span_s) continue;
        at_s = change_s - (int64_t)rand_below(&r, 4 * DAY_S) - 2 * DAY_S;
        tried += compare_minutes(zone, at_s - at_s % 60);
    }
    print_message("%llu minutes\n", (unsigned long long)tried);
}

// Days back to the first instant of theirs, looking at each minute from two days before.
static void test_day_begin(void **state)
{
    unsigned named = zones_fixed(zones, -12 * 3600);
    struct rand r;

    (void)state;
    rand_seed(&r, SEED + 1);
    for (int round = 0; round < 600; round++) {
        uint16_t zone = (uint16_t)rand_below(&r, named);
        int64_t at_s = instant("1974-06-01T00:00:00Z") + (int64_t)rand_below(&r, 2000000000);
        int64_t slow_s;
        int32_t day;

        zone_clock_set(&clock_a, zones, at_s);
        day = zone_clock_at(&clock_a, zone)->day - (int32_t)rand_below(&r, 367);
        second_zone(zones_name(zones, zone));
        for (slow_s = ((int64_t)day - 2) * DAY_S; second_at(slow_s).day < day;) slow_s += 60;
        if (zone_clock_day_begin(&clock_a, zone, day) != slow_s)
            fail_msg("%s day %d: %+lld", zones_name(zones, zone), day,
                     (long long)(zone_clock_day_begin(&clock_a, zone, day) - slow_s));
    }
}

// Entries are worked out once a minute, not once a look.
static void test_cache(void **state)
{
    int64_t at_s = instant("2026-11-22T13:47:00Z");
    uint16_t york = find("America/New_York"), paris = find("Europe/Paris");
    struct zones *other;
    uint64_t stamp;

    (void)state;
    zone_clock_set(&clock_a, zones, at_s);
    stamp = clock_a.stamp;
    zone_clock_at(&clock_a, york);
    for (int second = 0; second < 60; second++) {
        zone_clock_set(&clock_a, zones, at_s + second);
        assert_int_equal(clock_a.now_s, at_s + second);
        assert_int_equal(zone_clock_at(&clock_a, york)->minute, 8 * 60 + 47);
        assert_int_equal(zone_clock_at(&clock_a, paris)->minute, 14 * 60 + 47);
    }
    assert_int_equal(clock_a.stamp, stamp);
    zone_clock_set(&clock_a, zones, at_s + 60);
    assert_true(clock_a.stamp > stamp);
    assert_int_equal(zone_clock_at(&clock_a, york)->minute, 8 * 60 + 48);
    // backwards as well
    zone_clock_set(&clock_a, zones, at_s);
    assert_int_equal(zone_clock_at(&clock_a, york)->minute, 8 * 60 + 47);
    stamp = clock_a.stamp;
    assert_int_equal(zones_load(&other, ZONES_DEFAULT, NULL), 0);
    zone_clock_set(&clock_a, other, at_s);
    assert_true(clock_a.stamp > stamp);
    zone_clock_set(&clock_a, zones, at_s);
    zones_free(other);
    // before 1970
    zone_clock_set(&clock_a, zones, -1);
    assert_int_equal(zone_clock_at(&clock_a, york)->minute, 19 * 60 - 1);
    assert_int_equal(zone_clock_at(&clock_a, york)->day, -1);
    assert_int_equal(zone_clock_at(&clock_a, york)->weekday, 2);
}

// An allocator gives an address out again: what was kept of the zones before does not hold.
static void test_zones_come_and_go(void **state)
{
    const struct zones *before = NULL;
    unsigned again = 0;

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        struct zones *other;
        uint64_t stamp = clock_a.stamp;

        assert_int_equal(zones_load(&other, ZONES_DEFAULT, NULL), 0);
        again += other == before;
        zone_clock_set(&clock_a, other, 1000000000);
        assert_true(clock_a.stamp > stamp);
        before = other;
        zones_free(other);
    }
    print_message("%u of 7 came to the same address\n", again);
}

// Monrovia was 44 minutes and 30 seconds behind until 1972: its minutes begin at :30.
static void test_seconds_in_offsets(void **state)
{
    uint16_t monrovia = find("Africa/Monrovia"), york = find("America/New_York");
    int64_t change_s = instant("1972-01-07T00:44:30Z");

    (void)state;
    second_zone("Africa/Monrovia");
    for (int64_t s = change_s - 7300; s < change_s + 300; s++) {
        struct second_wall wall = second_at(s);
        const struct zone_local *l;

        zone_clock_set(&clock_a, zones, s);
        zone_clock_at(&clock_a, york);
        l = zone_clock_at(&clock_a, monrovia);
        if (l->minute != wall.minute || l->day != wall.day || l->offset_s != wall.offset_s)
            fail_msg("%+lld: minute %u, not %u", (long long)(s - change_s), l->minute, wall.minute);
    }
}

static void test_range(void **state)
{
    static const char *const rows[] = {"1901-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
                                       "2038-01-19T03:14:08Z", "2262-01-01T00:00:00Z"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        zone_clock_set(&clock_a, zones, instant(rows[i]));
        for (unsigned zone = 0; zone < zones_count(zones); zone++) {
            const struct zone_local *l = zone_clock_at(&clock_a, zone);

            assert_true(l->day_begin_s <= instant(rows[i]) && l->day_end_s > instant(rows[i]));
            assert_true(l->day_end_s - l->day_begin_s <= 50 * 3600);
            assert_true(l->minute < 1440 && l->weekday < 7);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_odd_days),
        cmocka_unit_test(test_minutes_around_changes),
        cmocka_unit_test(test_day_begin),
        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_zones_come_and_go),
        cmocka_unit_test(test_seconds_in_offsets),
        cmocka_unit_test(test_range),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
