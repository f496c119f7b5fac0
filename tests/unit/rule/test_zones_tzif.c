// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/rand.h"
#include "engine/rule/calendar.h"
#include "engine/rule/zones_tzif.h"
#include "tests/unit/rule/second.h"
#include "tests/unit/rule/tzif.h"

#define SEED   9636u
#define HOUR_S 3600
#define YEAR_S ((int64_t)31556952)

static void at(const struct zones_tzif *t, int64_t at_s, int32_t offset_s, int64_t from_s,
               int64_t until_s)
{
    struct zone_offset o = zones_tzif_at(t, at_s);

    if (o.offset_s != offset_s || o.from_s != from_s || o.until_s != until_s)
        fail_msg("at %lld: %d from %lld until %lld", (long long)at_s, o.offset_s,
                 (long long)o.from_s, (long long)o.until_s);
}

static int read_exact(struct zones_tzif *t, const char *data, size_t size)
{
    // of exactly this size, so that a sanitizer sees the first byte past it
    char *exact = malloc(size ? size : 1);
    struct err_info info = {0};
    int err;

    if (size) memcpy(exact, data, size);
    err = zones_tzif_read(t, str_make(exact, size), &info);
    assert_int_equal(err != 0, info.text[0] != 0);
    free(exact);
    return err;
}

static int read_made(struct zones_tzif *t, const struct tzif *made)
{
    struct buf out;
    int err;

    buf_init(&out, 4096);
    tzif_write(&out, made);
    err = read_exact(t, out.ptr, out.size_bytes);
    buf_done(&out);
    return err;
}

static void test_changes(void **state)
{
    struct tzif made = {
        .version = '2',
        .change_count = 4,
        .type_count = 3,
        // the third changes nothing but a name
        .change = {{-(INT64_C(1) << 40), 1}, {100, 2}, {200, 2}, {300, 1}},
        .type_offset_s = {-61, HOUR_S, -HOUR_S},
    };
    struct zones_tzif t;

    (void)state;
    assert_int_equal(read_made(&t, &made), 0);
    at(&t, INT64_MIN, -61, INT64_MIN, -(INT64_C(1) << 40));
    at(&t, -(INT64_C(1) << 40) - 1, -61, INT64_MIN, -(INT64_C(1) << 40));
    at(&t, -(INT64_C(1) << 40), HOUR_S, -(INT64_C(1) << 40), 100);
    at(&t, 99, HOUR_S, -(INT64_C(1) << 40), 100);
    at(&t, 100, -HOUR_S, 100, 300);
    at(&t, 250, -HOUR_S, 100, 300);
    // no footer: the last holds for ever
    at(&t, 300, HOUR_S, 300, INT64_MAX);
    at(&t, INT64_MAX, HOUR_S, 300, INT64_MAX);
    zones_tzif_done(&t);
}

static void test_first_version(void **state)
{
    struct tzif made = {
        .change_count = 2,
        .type_count = 2,
        .change = {{-5, 1}, {INT32_MAX, 0}},
        .type_offset_s = {0, 25 * HOUR_S},
    };
    struct zones_tzif t;

    (void)state;
    assert_int_equal(read_made(&t, &made), 0);
    at(&t, -6, 0, INT64_MIN, -5);
    at(&t, 0, 25 * HOUR_S, -5, INT32_MAX);
    at(&t, INT32_MAX, 0, INT32_MAX, INT64_MAX);
    zones_tzif_done(&t);
}

// The footer rules from the last change on: 2026-03-08 and 2026-11-01 in New York.
static void test_footer_behind(void **state)
{
    struct tzif made = {
        .version = '3',
        .change_count = 1,
        .type_count = 2,
        .change = {{1700000000, 1}},
        .type_offset_s = {0, -5 * HOUR_S},
        .footer = "EST5EDT,M3.2.0,M11.1.0",
    };
    struct zones_tzif t;

    (void)state;
    assert_int_equal(read_made(&t, &made), 0);
    at(&t, 1699999999, 0, INT64_MIN, 1700000000);
    at(&t, 1700000000, -5 * HOUR_S, 1700000000, 1710054000);
    at(&t, 1772953200 - 1, -5 * HOUR_S, 1762063200, 1772953200);
    at(&t, 1772953200, -4 * HOUR_S, 1772953200, 1793512800);
    at(&t, 1793512800, -5 * HOUR_S, 1793512800, 1805007600);
    // no change at all: the footer alone
    zones_tzif_done(&t);
    made.change_count = 0;
    assert_int_equal(read_made(&t, &made), 0);
    at(&t, 1793512799, -4 * HOUR_S, 1772953200, 1793512800);
    zones_tzif_done(&t);
    made.footer = "<+0545>-5:45";
    assert_int_equal(read_made(&t, &made), 0);
    at(&t, 0, 20700, INT64_MIN, INT64_MAX);
    zones_tzif_done(&t);
}

static void refused(struct buf *out)
{
    struct zones_tzif t, before;

    memset(&t, 0x5a, sizeof t);
    before = t;
    assert_int_equal(read_exact(&t, out->ptr, out->size_bytes), ERR_CORRUPT);
    assert_memory_equal(&t, &before, sizeof t);
}

static void refused_made(const struct tzif *made)
{
    struct buf out;

    buf_init(&out, 4096);
    tzif_write(&out, made);
    refused(&out);
    buf_done(&out);
}

static void test_wrong_values(void **state)
{
    const struct tzif good = {
        .version = '2',
        .change_count = 2,
        .type_count = 2,
        .change = {{100, 1}, {200, 0}},
        .type_offset_s = {0, HOUR_S},
        .footer = "UTC0",
    };
    struct zones_tzif t;
    struct tzif bad;

    (void)state;
    assert_int_equal(read_made(&t, &good), 0);
    zones_tzif_done(&t);
    bad = good, bad.change[1].at_s = 100;
    refused_made(&bad);
    bad = good, bad.change[1].at_s = INT64_MIN;
    refused_made(&bad);
    bad = good, bad.change[0].type = 2;
    refused_made(&bad);
    bad = good, bad.change[1].type = 255;
    refused_made(&bad);
    bad = good, bad.type_offset_s[1] = 26 * HOUR_S;
    refused_made(&bad);
    bad = good, bad.type_offset_s[1] = INT32_MIN;
    refused_made(&bad);
    bad = good, bad.type_count = 0, bad.change_count = 0;
    refused_made(&bad);
    bad = good, bad.version = '1';
    refused_made(&bad);
    bad = good, bad.footer = "UTC";
    refused_made(&bad);
}

// Cut short anywhere; and each of its bytes another: an error or a zone, never more than that.
static void test_damage(void **state)
{
    struct tzif made = {
        .version = '2',
        .change_count = 3,
        .type_count = 2,
        .change = {{100, 1}, {200, 0}, {300, 1}},
        .type_offset_s = {0, HOUR_S},
        .footer = "EST5EDT,M3.2.0,M11.1.0",
    };
    unsigned taken = 0, tried = 0;
    struct zones_tzif t;
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    tzif_write(&out, &made);
    for (size_t size = 0; size < out.size_bytes; size++)
        assert_int_equal(read_exact(&t, out.ptr, size), ERR_CORRUPT);
    for (size_t i = 0; i < out.size_bytes; i++) {
        char old = out.ptr[i];

        for (unsigned byte = 0; byte < 256; byte++, tried++) {
            out.ptr[i] = (char)byte;
            if (read_exact(&t, out.ptr, out.size_bytes) != 0) continue;
            for (int64_t s = -400 * YEAR_S; s < 400 * YEAR_S; s += 37 * YEAR_S) {
                struct zone_offset o = zones_tzif_at(&t, s);

                assert_true(o.from_s <= s && s < o.until_s);
            }
            zones_tzif_done(&t);
            taken++;
        }
        out.ptr[i] = old;
    }
    assert_true(taken > 1000 && taken < tried);
    buf_done(&out);
}

// Counts that say more than there is: 2^32 - 1 of each in turn.
static void test_counts(void **state)
{
    struct tzif made = {.version = '2', .type_count = 1, .footer = "UTC0"};

    (void)state;
    for (size_t part = 0; part < 2; part++) {
        for (size_t count = 0; count < 6; count++) {
            struct buf out;
            // the second header stands behind the first one, its one type and four letters
            size_t header = part * (44 + 6 + 4);

            buf_init(&out, 4096);
            tzif_write(&out, &made);
            memset(out.ptr + header + 20 + count * 4, 0xff, 4);
            refused(&out);
            buf_done(&out);
        }
    }
}

static void test_leap_seconds(void **state)
{
    struct tzif made = {.version = '2', .type_count = 1, .footer = "UTC0"};
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    tzif_write(&out, &made);
    out.ptr[54 + 31] = 1;
    // the bytes of one leap second before the footer
    out.size_bytes -= 6;
    buf_put(&out, "\0\0\0\0\0\0\0\1\0\0\0\1\nUTC0\n", 18);
    refused(&out);
    buf_done(&out);
}

static void test_footer_text(void **state)
{
    static const char *const good[] = {
        "UTC0",
        "<-03>3",
        "<+0545>-5:45",
        "EST5EDT,M3.2.0,M11.1.0",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "AAA+24:59:59BBB-24:59:59,0/-167,J365/167:59:59",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "XXX3EDT4,0/0,J365/23",
        "abc0def,365,J1/+3",
    };
    static const char *const bad[] = {
        "",
        "0",
        "UTC",
        "UT0",
        "<UT>0",
        "<UTC0",
        "<UT C>0",
        "UTC25",
        "UTC0:60",
        "UTC0:00:60",
        "UTC0:",
        "UTC--1",
        "UTC+-1",
        "EST5EDT",
        "EST5EDT,",
        "EST5EDT,M3.2.0",
        "EST5EDT,M3.2.0,",
        "EST5EDT,M0.2.0,M11.1.0",
        "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M3.0.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0",
        "EST5EDT,M3.2,M11.1.0",
        "EST5EDT,M3.2.0/168,M11.1.0",
        "EST5EDT,M3.2.0/-168,M11.1.0",
        "EST5EDT,J0,M11.1.0",
        "EST5EDT,J366,M11.1.0",
        "EST5EDT,366,M11.1.0",
        "EST5EDT,-1,M11.1.0",
        "UTC0 ",
        " UTC0",
        "EST5EDT,M3.2.0,M11.1.0,",
        "EST5EDT,M3.2.0,M11.1.0/",
        "EST5EDT,M99999999999.2.0,M11.1.0",
        "EST5EDT4EST",
        "EST5EDT25,M3.2.0,M11.1.0",
        "UTC0\n",
        "EST5ED,M3.2.0,M11.1.0",
    };
    struct zones_footer f;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!zones_footer_parse(str_of(good[i]), &f)) fail_msg("'%s' is refused", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (zones_footer_parse(str_of(bad[i]), &f)) fail_msg("'%s' is taken", bad[i]);
    for (size_t i = 0; i < COUNT_OF(good); i++)
        for (size_t size = 0; size < strlen(good[i]); size++) {
            char *exact = malloc(size + 1);

            memcpy(exact, good[i], size);
            zones_footer_parse(str_make(exact, size), &f);
            free(exact);
        }
}

// Summer time all the year round (RFC 9636, 3.3.1): "XXX3EDT4,0/0,J365/23".
static void test_always_summer(void **state)
{
    struct zones_footer f;

    (void)state;
    assert_true(zones_footer_parse(STR("XXX3EDT4,0/0,J365/23"), &f));
    for (int64_t s = -200 * YEAR_S; s < 500 * YEAR_S; s += YEAR_S / 24) {
        struct zone_offset o = zones_footer_at(&f, s);

        assert_int_equal(o.offset_s, -4 * HOUR_S);
        assert_true(o.from_s <= s && s < o.until_s);
    }
    // its seams: each new year, standard 03:00Z
    for (int year = 1900; year < 2300; year++) {
        int64_t seam_s = (int64_t)calendar_day(year, 1, 1) * 86400 + 3 * HOUR_S;

        for (int64_t s = seam_s - 2; s <= seam_s + 2; s++)
            assert_int_equal(zones_footer_at(&f, s).offset_s, -4 * HOUR_S);
    }
}

// Jn never counts 29 February, n does. The day on which summer time begins in 2027 and 2028.
static void test_days_of_the_year(void **state)
{
    static const struct {
        const char *text;
        int month, day, leap_month, leap_day;
    } rows[] = {
        {"AAA0BBB,J1/0,J300", 1, 1, 1, 1},       {"AAA0BBB,J59/0,J300", 2, 28, 2, 28},
        {"AAA0BBB,J60/0,J300", 3, 1, 3, 1},      {"AAA0BBB,J200/0,J300", 7, 19, 7, 19},
        {"AAA0BBB,J365/0,J300", 12, 31, 12, 31}, {"AAA0BBB,0/0,J300", 1, 1, 1, 1},
        {"AAA0BBB,58/0,J300", 2, 28, 2, 28},     {"AAA0BBB,59/0,J300", 3, 1, 2, 29},
        {"AAA0BBB,60/0,J300", 3, 2, 3, 1},       {"AAA0BBB,364/0,J300", 12, 31, 12, 30},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t day = calendar_day(2027, rows[i].month, rows[i].day);
        int64_t leap_day = calendar_day(2028, rows[i].leap_month, rows[i].leap_day);
        struct zones_footer f;

        assert_true(zones_footer_parse(str_of(rows[i].text), &f));
        if (zones_footer_at(&f, day * 86400).from_s != day * 86400 ||
            zones_footer_at(&f, leap_day * 86400).from_s != leap_day * 86400)
            fail_msg("%s begins on another day", rows[i].text);
        assert_int_equal(zones_footer_at(&f, day * 86400).offset_s, HOUR_S);
    }
}

static void test_far_away(void **state)
{
    static const int64_t rows[] = {INT64_MIN,     INT64_MIN + 1, -400000000000, -316224000001,
                                   -316224000000, 316223999999,  316224000000,  INT64_MAX - 1};
    struct zones_footer f;

    (void)state;
    assert_true(zones_footer_parse(STR("EST5EDT,M3.2.0,M11.1.0"), &f));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct zone_offset o = zones_footer_at(&f, rows[i]);

        assert_true(o.from_s <= rows[i] && rows[i] < o.until_s);
    }
}

static void random_date(struct rand *r, struct buf *out, unsigned month)
{
    unsigned day = (month - 1) * 30 + 1 + (unsigned)rand_below(r, 28);

    switch (rand_below(r, 3)) {
    case 0:
        buf_printf(out, ",J%u", day);
        break;
    case 1:
        buf_printf(out, ",%u", day);
        break;
    default:
        buf_printf(out, ",M%u.%u.%u", month, 1 + (unsigned)rand_below(r, 5),
                   (unsigned)rand_below(r, 7));
    }
    if (rand_below(r, 3))
        buf_printf(out, "/%d:%02u", (int)rand_below(r, 335) - 167, (unsigned)rand_below(r, 60));
}

// Random rules against the C library, which takes the same strings in TZ. The changes stay away
// from the turn of the year, where the C library looks at one year only.
static void test_random_footers(void **state)
{
    uint64_t tried = 0;
    struct rand r;

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&r, SEED);
    for (int round = 0; round < 1000; round++) {
        unsigned months[2] = {2 + (unsigned)rand_below(&r, 4), 7 + (unsigned)rand_below(&r, 4)};
        bool south = rand_below(&r, 2);
        struct zones_footer f;
        char text[128];
        struct buf out;

        buf_wrap(&out, text, sizeof text);
        buf_printf(&out, "<STD>%d:%02u<SUM>", (int)rand_below(&r, 25) - 12,
                   (unsigned)rand_below(&r, 60));
        if (rand_below(&r, 2))
            buf_printf(&out, "%d:%02u", (int)rand_below(&r, 25) - 12, (unsigned)rand_below(&r, 60));
        random_date(&r, &out, months[south]);
        random_date(&r, &out, months[!south]);
        buf_char(&out, '\0');
        assert_false(out.failed);
        if (!zones_footer_parse(str_of(text), &f)) fail_msg("'%s' is refused", text);
        second_zone(text);
        for (int64_t s = (int64_t)rand_below(&r, 100 * (uint64_t)YEAR_S); s < 130 * YEAR_S;) {
            struct zone_offset o = zones_footer_at(&f, s);

            for (int64_t t = o.until_s - 1; t <= o.until_s; t++, tried++)
                if (zones_footer_at(&f, t).offset_s != second_at(t).offset_s)
                    fail_msg("'%s' at %lld", text, (long long)t);
            s = o.until_s + (int64_t)rand_below(&r, 7 * (uint64_t)YEAR_S);
        }
    }
    print_message("%llu instants\n", (unsigned long long)tried);
    assert_true(tried > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),       cmocka_unit_test(test_first_version),
        cmocka_unit_test(test_footer_behind), cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_damage),        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_leap_seconds),  cmocka_unit_test(test_footer_text),
        cmocka_unit_test(test_always_summer), cmocka_unit_test(test_days_of_the_year),
        cmocka_unit_test(test_far_away),      cmocka_unit_test(test_random_footers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
