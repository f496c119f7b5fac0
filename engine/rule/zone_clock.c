// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/zone_clock.h"

#include "engine/rule/calendar.h"

#define DAY_S 86400
// No zone is further from UTC.
#define FAR_S ((int64_t)27 * 3600)

static int64_t floor_to(int64_t value, int64_t unit)
{
    int64_t rest = value % unit;

    return value - rest - (rest < 0 ? unit : 0);
}

void zone_clock_set(struct zone_clock *c, const struct zones *zones, int64_t now_s)
{
    uint64_t serial = zones_serial(zones);

    if (c->serial != serial || now_s < c->good_from_s || now_s >= c->good_until_s) {
        c->zones = zones;
        c->serial = serial;
        c->stamp++;
        c->good_from_s = floor_to(now_s, 60);
        c->good_until_s = c->good_from_s + 60;
    }
    c->now_s = now_s;
}

// The first instant at which the wall clock shows local second `local_s` (counted as if the local
// date and time were UTC), or one behind it, where it is skipped.
static int64_t first_instant(const struct zones *z, unsigned zone, int64_t local_s)
{
    int64_t at_s = local_s - FAR_S;

    for (;;) {
        struct zone_offset o = zones_offset(z, zone, at_s);

        if (local_s - o.offset_s > at_s) at_s = local_s - o.offset_s;
        if (at_s < o.until_s) return at_s;
        at_s = o.until_s;
    }
}

// The first instant behind `at_s` at which the local date is another.
static int64_t next_date(const struct zones *z, unsigned zone, int64_t at_s, struct zone_offset o)
{
    int64_t midnight_s = floor_to(at_s + o.offset_s, DAY_S), next_s;

    for (;;) {
        next_s = midnight_s + DAY_S - o.offset_s;
        if (next_s < o.until_s) return next_s;
        next_s = o.until_s;
        o = zones_offset(z, zone, next_s);
        if (floor_to(next_s + o.offset_s, DAY_S) != midnight_s) return next_s;
    }
}

// Offsets of former times have seconds: their minutes do not begin with those of UTC.
static void narrow(struct zone_clock *c, struct zone_offset o)
{
    int64_t minute_s = floor_to(c->now_s + o.offset_s, 60) - o.offset_s;
    int64_t from_s = o.from_s > minute_s ? o.from_s : minute_s;
    int64_t until_s = o.until_s < minute_s + 60 ? o.until_s : minute_s + 60;

    if (from_s > c->good_from_s) c->good_from_s = from_s;
    if (until_s < c->good_until_s) c->good_until_s = until_s;
}

const struct zone_local *zone_clock_work_out(struct zone_clock *c, unsigned zone)
{
    struct zone_offset o = zones_offset(c->zones, zone, c->now_s);
    int64_t local_s = c->now_s + o.offset_s, midnight_s = floor_to(local_s, DAY_S);
    struct zone_local *l = &c->local[zone];

    l->day = (int32_t)(midnight_s / DAY_S);
    l->minute = (uint16_t)((local_s - midnight_s) / 60);
    l->weekday = (uint8_t)calendar_weekday(l->day);
    l->offset_s = o.offset_s;
    l->day_begin_s = first_instant(c->zones, zone, midnight_s);
    l->day_end_s = next_date(c->zones, zone, c->now_s, o);
    l->until_s = o.until_s;
    l->stamp = c->stamp;
    narrow(c, o);
    return l;
}

int64_t zone_clock_day_begin(const struct zone_clock *c, unsigned zone, int32_t day)
{
    const struct zone_local *l = &c->local[zone];

    if (l->stamp == c->stamp && l->day == day) return l->day_begin_s;
    return first_instant(c->zones, zone, (int64_t)day * DAY_S);
}
