// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/base/rand.h"
#include "engine/rule/zones.h"
#include "tests/unit/rule/second.h"
#include "tests/unit/rule/tzif.h"

#define SEED    20260308u
#define HOUR_S  3600
#define WEEK_S  ((int64_t)7 * 86400)
#define FIRST_S INT64_C(-2145916800) // 1902
#define LAST_S  INT64_C(9214646400)  // 2262

static struct zones *real;

static int set_up(void **state)
{
    struct err_info info = {0};
    int64_t begin_ns = clock_mono_ns();

    (void)state;
    if (zones_load(&real, ZONES_DEFAULT, &info) < 0) {
        print_error("%s\n", info.text);
        return -1;
    }
    print_message("%u zones of %s in %lld us\n", zones_count(real), zones_version(real),
                  (long long)(clock_mono_ns() - begin_ns) / 1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    zones_free(real);
    return 0;
}

static uint16_t find(const struct zones *z, const char *name)
{
    uint16_t zone = zones_find(z, str_of(name));

    if (zone == ZONES_NONE) fail_msg("%s is not found", name);
    return zone;
}

static void test_names(void **state)
{
    static const char *const bad[] = {"",
                                      "America/New_Yor",
                                      "America/New_York ",
                                      "New_York",
                                      "America",
                                      "../etc/passwd",
                                      "UTC-07:10",
                                      "PST",
                                      "America/New_York\n"};
    char longest[400];

    (void)state;
    for (unsigned i = 0; i < zones_count(real); i++)
        assert_int_equal(find(real, zones_name(real, i)), i);
    assert_string_equal(zones_name(real, find(real, "america/NEW_york")), "America/New_York");
    // links keep their names and have the rules
    assert_string_equal(zones_name(real, find(real, "us/pacific")), "US/Pacific");
    assert_string_equal(zones_name(real, find(real, "Asia/Calcutta")), "Asia/Calcutta");
    assert_int_equal(zones_offset(real, find(real, "Asia/Calcutta"), 0).offset_s, 19800);
    assert_int_equal(zones_offset(real, find(real, "UTC"), 0).offset_s, 0);
    assert_int_equal(zones_offset(real, find(real, "Etc/GMT+12"), 0).offset_s, -12 * HOUR_S);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(zones_find(real, str_of(bad[i])), ZONES_NONE);
    memset(longest, 'a', sizeof longest);
    for (size_t size = 0; size < sizeof longest; size++)
        assert_int_equal(zones_find(real, str_make(longest, size)), ZONES_NONE);
    assert_string_equal(zones_name(real, zones_count(real)), "");
    assert_string_not_equal(zones_version(real), "unknown");
    assert_true(zones_count(real) > 418 + 100 + 105 && zones_count(real) <= ZONES_MAX);
    assert_false(zones_changed(real));
}

static void test_fixed(void **state)
{
    uint16_t first = zones_fixed(real, -12 * HOUR_S);

    (void)state;
    assert_int_equal(zones_count(real) - first, 105);
    for (int32_t s = -12 * HOUR_S; s <= 14 * HOUR_S; s += 900) {
        uint16_t zone = zones_fixed(real, s);
        struct zone_offset o = zones_offset(real, zone, 1234567890);

        assert_int_equal(o.offset_s, s);
        assert_true(o.from_s == INT64_MIN && o.until_s == INT64_MAX);
        assert_int_equal(zones_only(real, zone)->count, 1);
        assert_int_equal(zones_only(real, zone)->zone[0], zone);
        assert_int_equal(zones_fixed(real, s + 1), ZONES_NONE);
    }
    assert_string_equal(zones_name(real, zones_fixed(real, -7 * HOUR_S)), "UTC-07:00");
    assert_string_equal(zones_name(real, zones_fixed(real, 20700)), "UTC+05:45");
    assert_string_equal(zones_name(real, zones_fixed(real, -900)), "UTC-00:15");
    assert_string_equal(zones_name(real, zones_fixed(real, 0)), "UTC+00:00");
    assert_int_equal(zones_fixed(real, -12 * HOUR_S - 900), ZONES_NONE);
    assert_int_equal(zones_fixed(real, 14 * HOUR_S + 900), ZONES_NONE);
    assert_int_equal(zones_fixed(real, INT32_MIN), ZONES_NONE);
    assert_int_equal(zones_fixed(real, INT32_MAX), ZONES_NONE);
}

static bool has(const struct zone_set *set, const char *name)
{
    for (unsigned i = 0; i < set->count; i++)
        if (strcmp(zones_name(real, set->zone[i]), name) == 0) return true;
    return false;
}

static void test_countries(void **state)
{
    const struct zone_set *us = zones_of_country(real, STR("US"));
    const struct zone_set *ca = zones_of_country(real, STR("CA"));

    (void)state;
    assert_int_equal(us->count, 29);
    assert_true(has(us, "America/New_York") && has(us, "Pacific/Honolulu"));
    assert_true(has(us, "America/Adak") && !has(us, "America/Puerto_Rico"));
    assert_true(ca->count >= 20 && has(ca, "America/St_Johns") && has(ca, "America/Regina"));
    for (unsigned i = 1; i < us->count; i++) assert_true(us->zone[i - 1] < us->zone[i]);
    assert_int_equal(zones_of_country(real, STR("GB"))->count, 1);
    assert_null(zones_of_country(real, STR("us")));
    assert_null(zones_of_country(real, STR("XX")));
    assert_null(zones_of_country(real, STR("USA")));
    assert_null(zones_of_country(real, STR("U")));
    assert_null(zones_of_country(real, STR("")));
    assert_null(zones_of_country(real, (struct str){0}));
    assert_null(zones_of_country(real, STR("\xff\xff")));
}

static void same(unsigned zone, int64_t at_s)
{
    struct zone_offset o = zones_offset(real, zone, at_s);
    int32_t wanted = second_at(at_s).offset_s;

    if (o.offset_s != wanted)
        fail_msg("%s at %lld: %d, the C library says %d", zones_name(real, zone), (long long)at_s,
                 o.offset_s, wanted);
    if (o.from_s > at_s || o.until_s <= at_s)
        fail_msg("%s at %lld: from %lld until %lld", zones_name(real, zone), (long long)at_s,
                 (long long)o.from_s, (long long)o.until_s);
}

// Every named zone against the C library, 1902 … 2261: each change of ours a second before, at and
// behind it; each week, so that none of its changes is missed; and random instants.
static void test_second_opinion(void **state)
{
    uint16_t named = zones_fixed(real, -12 * HOUR_S);
    uint64_t tried = 0, changes = 0;
    struct rand r;

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&r, SEED);
    for (unsigned zone = 0; zone < named; zone++) {
        int64_t last_s = FIRST_S;

        second_zone(zones_name(real, zone));
        for (int64_t s = zones_offset(real, zone, FIRST_S).until_s; s < LAST_S; changes++) {
            struct zone_offset o = zones_offset(real, zone, s);

            assert_true(s > last_s && o.until_s > s);
            for (int64_t t = s - 1; t <= s + 1; t++, tried++) same(zone, t);
            last_s = s;
            s = o.until_s;
        }
        for (int64_t s = FIRST_S + (int64_t)rand_below(&r, WEEK_S); s < LAST_S;
             s += WEEK_S, tried++)
            same(zone, s);
        for (int i = 0; i < 400; i++, tried++)
            same(zone, FIRST_S + (int64_t)rand_below(&r, (uint64_t)(LAST_S - FIRST_S)));
    }
    print_message("%llu instants, %llu changes, %u zones\n", (unsigned long long)tried,
                  (unsigned long long)changes, named);
    assert_true(tried > 1000000 && changes > 30000);
}

// Before 1970 and far ahead, by hand.
static void test_far(void **state)
{
    uint16_t york = find(real, "America/New_York"), dublin = find(real, "Europe/Dublin");

    (void)state;
    // New York's mean time until noon, 1883-11-18
    assert_int_equal(zones_offset(real, york, -2717650800 - 1).offset_s, -17762);
    assert_int_equal(zones_offset(real, york, -2717650800).offset_s, -5 * HOUR_S);
    // war time, 1942-02-09
    assert_int_equal(zones_offset(real, york, -880218000 - 1).offset_s, -5 * HOUR_S);
    assert_int_equal(zones_offset(real, york, -880218000).offset_s, -4 * HOUR_S);
    // 2199-07-01 and 2200-01-01 by the footer
    assert_int_equal(zones_offset(real, york, 7242350400).offset_s, -4 * HOUR_S);
    assert_int_equal(zones_offset(real, york, 7258118400).offset_s, -5 * HOUR_S);
    // winter time is the exception in Dublin's rules
    assert_int_equal(zones_offset(real, dublin, 7242350400).offset_s, HOUR_S);
    assert_int_equal(zones_offset(real, dublin, 7258118400).offset_s, 0);
}

// -- made-up directories -----------------------------------------------------------------------

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/test_zones_XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    static const char *const names[] = {"Here/East", "Here/West", "Here/Bad", "Old",
                                        "zone.tab",  "tzdata.zi", "Here",     ""};
    char path[128];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        if (unlink(path) < 0) rmdir(path);
    }
    return 0;
}

static const struct tzif east = {
    .version = '2', .type_count = 1, .type_offset_s = {HOUR_S}, .footer = "<+01>-1"};
static const struct tzif west = {.version = '2',
                                 .type_count = 1,
                                 .type_offset_s = {-5 * HOUR_S},
                                 .footer = "EST5EDT,M3.2.0,M11.1.0"};

static void put_tables(void)
{
    tzif_put_file(dir, "Here/East", &east);
    tzif_put_file(dir, "Here/West", &west);
    tzif_put_text(dir, "zone.tab",
                  "# comment\nHE\t+00+00\tHere/West\twords\nHE\t+00+00\tHere/East\n"
                  "AA\t+00+00\tHere/East\nHE\t+00+00\tHere/East\nAA\t+00+00\tHere/West\n");
}

static void test_made_up(void **state)
{
    const struct zone_set *set;
    struct zones *z;

    (void)state;
    put_tables();
    tzif_put_file(dir, "Old", &east);
    tzif_put_text(dir, "tzdata.zi",
                  "# version 2031x-dirty\nZ Here/West -5 U E%sT\nZ Old 1 - %z\nL Here/East Linked\n"
                  "L Here/East old\nZ Gone 1 - %z\nL Gone Lost\nL ../Here/East ../x\nL Here/../Old "
                  "Evil\nZ /etc 1\n"
                  "L Here/East a//b\nL Here/East a/\nL\nZ\nR U 1 2");
    assert_int_equal(zones_load(&z, dir, NULL), 0);
    assert_string_equal(zones_version(z), "2031x-dirty");
    // zone.tab's first, then the others in their order
    assert_string_equal(zones_name(z, 0), "Here/West");
    assert_string_equal(zones_name(z, 1), "Here/East");
    assert_string_equal(zones_name(z, 2), "Old");
    // the file of a link need not be installed
    assert_string_equal(zones_name(z, 3), "Linked");
    assert_int_equal(zones_offset(z, 3, 0).offset_s, HOUR_S);
    assert_int_equal(zones_count(z), 4 + 105);
    assert_int_equal(zones_find(z, STR("Gone")), ZONES_NONE);
    set = zones_of_country(z, STR("HE"));
    assert_int_equal(set->count, 2);
    assert_int_equal(set->zone[0], 0);
    assert_int_equal(set->zone[1], 1);
    // sorted, though the table has them the other way round
    set = zones_of_country(z, STR("AA"));
    assert_int_equal(set->count, 2);
    assert_int_equal(set->zone[0], 0);
    assert_int_equal(set->zone[1], 1);
    zones_free(z);
}

// A government changes its mind: the directory is seen as changed, and read again it says so.
static void test_changed(void **state)
{
    const int64_t summer_s = 1783684800; // 2026-07-10
    struct tzif changed = west;
    struct zones *old, *new;
    char path[128];

    (void)state;
    put_tables();
    assert_int_equal(zones_load(&old, dir, NULL), 0);
    assert_string_equal(zones_version(old), "unknown");
    assert_false(zones_changed(old));
    assert_int_equal(zones_offset(old, 0, summer_s).offset_s, -4 * HOUR_S);
    changed.footer = "EST5";
    tzif_put_file(dir, "Here/West", &changed);
    tzif_put_text(dir, "tzdata.zi", "# version 2026zz\n");
    assert_true(zones_changed(old));
    assert_int_equal(zones_load(&new, dir, NULL), 0);
    assert_false(zones_changed(new));
    assert_string_equal(zones_version(new), "2026zz");
    assert_int_equal(zones_offset(new, 0, summer_s).offset_s, -5 * HOUR_S);
    assert_int_equal(zones_offset(old, 0, summer_s).offset_s, -4 * HOUR_S);
    // the same text again, another file
    tzif_put_text(dir, "tzdata.zi", "# version 2026zz\n");
    assert_true(zones_changed(new));
    // a directory that is gone is no newer one
    snprintf(path, sizeof path, "%s/tzdata.zi", dir);
    assert_int_equal(unlink(path), 0);
    assert_false(zones_changed(new));
    zones_free(old);
    zones_free(new);
}

static void fails(int err, const char *with)
{
    struct err_info info = {0};
    struct zones *z = (struct zones *)&info;

    assert_int_equal(zones_load(&z, dir, &info), err);
    if (!strstr(info.text, with)) fail_msg("'%s' is not in: %s", with, info.text);
    assert_ptr_equal(z, &info);
    assert_int_equal(zones_load(&z, dir, NULL), err);
}

static void test_refused(void **state)
{
    (void)state;
    fails(ERR_IO, "try: apt-get install tzdata");
    tzif_put_text(dir, "zone.tab", "# nothing\n\n");
    fails(ERR_CORRUPT, "names no time zone");
    tzif_put_text(dir, "zone.tab", "");
    fails(ERR_CORRUPT, "names no time zone");
    put_tables();
    tzif_put_text(dir, "Here/East", "TZif2");
    fails(ERR_CORRUPT, "Here/East");
    put_tables();
    tzif_put_text(dir, "zone.tab", "HE\t+00+00\tHere/Gone\n");
    fails(ERR_IO, "Here/Gone");
    tzif_put_text(dir, "zone.tab", "HE\t+00+00\tHere\n");
    fails(ERR_IO, "Here");
    tzif_put_text(dir, "zone.tab", "HE +00+00 Here/East\n");
    fails(ERR_CORRUPT, "none of it");
    tzif_put_text(dir, "zone.tab", "HE\t+00+00\n");
    fails(ERR_CORRUPT, "none of it");
    tzif_put_text(dir, "zone.tab", "he\t+00+00\tHere/East\n");
    fails(ERR_CORRUPT, "none of it");
    tzif_put_text(dir, "zone.tab", "HE\t+00+00\t../../etc/passwd\n");
    fails(ERR_CORRUPT, "none of it");
}

// Links beyond what there is room for cost only themselves.
static void test_too_many_names(void **state)
{
    char text[100000], *at = text;
    struct zones *z;

    (void)state;
    put_tables();
    for (int i = 0; i < 3000; i++) at += snprintf(at, 32, "L Here/East Name%d\n", i);
    tzif_put_text(dir, "tzdata.zi", text);
    assert_int_equal(zones_load(&z, dir, NULL), 0);
    assert_int_equal(zones_count(z), ZONES_MAX);
    assert_int_equal(zones_fixed(z, 14 * HOUR_S), ZONES_MAX - 1);
    assert_string_equal(zones_name(z, ZONES_MAX - 1), "UTC+14:00");
    assert_int_equal(zones_find(z, STR("Name2999")), ZONES_NONE);
    assert_int_equal(zones_find(z, STR("name7")), 2 + 7);
    zones_free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_countries),
        cmocka_unit_test(test_second_opinion),
        cmocka_unit_test(test_far),
        cmocka_unit_test_setup_teardown(test_made_up, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_changed, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_refused, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_too_many_names, make_dir, remove_dir),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
