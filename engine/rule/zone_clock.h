// SPDX-License-Identifier: Apache-2.0
//
// zone_clock: what the clocks on the wall show, in each zone, at one instant. A cache of one
// thread: a zone is worked out when it is first looked at in a minute, then costs one load.
#pragma once

#include "engine/base/check.h"
#include "engine/rule/zones.h"

struct zone_local {
    uint64_t stamp;  // of the clock when this was worked out
    int32_t day;     // local date, days since 1970-01-01
    uint16_t minute; // local minute of the day, 0 … 1439
    uint8_t weekday; // 0 = Monday
    int32_t offset_s;
    int64_t day_begin_s; // the first instant of this local date (not always 00:00)
    int64_t day_end_s;   // the first one ahead at which the date is another
    int64_t until_s;     // this offset holds until then
};

// Big (some 50 KiB): one a thread, made once, zeroed.
struct zone_clock {
    const struct zones *zones;
    uint64_t serial; // of zones
    int64_t now_s;
    uint64_t stamp;                    // grows whenever entries are out of date
    int64_t good_from_s, good_until_s; // the entries of this stamp hold in between
    struct zone_local local[ZONES_MAX];
};

// Any instant from 1901 to 2262. The entries stay good when only the second within the minute
// changes. Another `zones` forgets everything.
void zone_clock_set(struct zone_clock *c, const struct zones *zones, int64_t now_s);
const struct zone_local *zone_clock_work_out(struct zone_clock *c, unsigned zone);

static inline const struct zone_local *zone_clock_at(struct zone_clock *c, unsigned zone)
{
    const struct zone_local *l = &c->local[zone];

    return LIKELY(l->stamp == c->stamp) ? l : zone_clock_work_out(c, zone);
}
// The first instant of local date `day`, or of the next one there is where it is skipped.
int64_t zone_clock_day_begin(const struct zone_clock *c, unsigned zone, int32_t day);
