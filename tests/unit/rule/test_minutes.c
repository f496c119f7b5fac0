// SPDX-License-Identifier: Apache-2.0
//
// Every minute of the weeks round the next changes of the clock, in every zone of the United States
// and Canada: what the zone clock shows against the C library.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/rule/zone_clock.h"
#include "tests/unit/rule/second.h"
#include "tests/unit/rule/weeks.h"

static struct zone_clock clock_a;
static struct second_minute second[WEEKS_MINUTES + 2 * WEEKS_MARGIN];

static bool is_same(const struct zone_local *l, const struct second_minute *m)
{
    return l->day == m->wall.day && l->minute == m->wall.minute && l->weekday == m->wall.weekday &&
           l->offset_s == m->wall.offset_s && l->day_begin_s == m->day_begin_s &&
           l->day_end_s == m->day_end_s;
}

static void compare(const struct zones *zones, uint16_t zone, const struct week *week)
{
    int64_t seen_from_s = week->from_s - WEEKS_MARGIN * 60;

    second_zone(zones_name(zones, zone));
    second_minutes(second, COUNT_OF(second), seen_from_s);
    for (unsigned i = 0; i < WEEKS_MINUTES; i++) {
        const struct second_minute *m = &second[i + WEEKS_MARGIN];
        int64_t at_s = week->from_s + (int64_t)i * 60;
        const struct zone_local *l;

        zone_clock_set(&clock_a, zones, at_s + i % 60);
        l = zone_clock_at(&clock_a, zone);
        if (!is_same(l, m))
            fail_msg("%s, %s, minute %u: day %d minute %u, not %lld %u", zones_name(zones, zone),
                     week->name, i, l->day, l->minute, (long long)m->wall.day, m->wall.minute);
    }
}

static void test_clocks(void **state)
{
    static const char *const countries[] = {"US", "CA"};
    uint64_t tried = 0;
    struct zones *zones;

    (void)state;
    assert_int_equal(zones_load(&zones, ZONES_DEFAULT, NULL), 0);
    for (size_t c = 0; c < COUNT_OF(countries); c++) {
        const struct zone_set *set = zones_of_country(zones, str_of(countries[c]));

        for (unsigned i = 0; i < set->count; i++)
            for (size_t w = 0; w < COUNT_OF(weeks); w++, tried += WEEKS_MINUTES)
                compare(zones, set->zone[i], &weeks[w]);
    }
    print_message("%llu instants\n", (unsigned long long)tried);
    assert_true(tried >= 3ull * WEEKS_MINUTES * (29 + 20));
    zones_free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clocks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
