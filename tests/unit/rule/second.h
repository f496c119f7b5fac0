// SPDX-License-Identifier: Apache-2.0
//
// second: the C library's time zones, as a second opinion on ours. One zone at a time, one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/check.h"

struct second_wall {
    int64_t day;                      // days since 1970-01-01
    unsigned minute, second, weekday; // 0 = Monday
    int32_t offset_s;
};

static inline void second_zone(const char *name)
{
    CHECK(setenv("TZ", name, 1) == 0);
    tzset();
}

static inline struct second_wall second_at(int64_t at_s)
{
    time_t at = (time_t)at_s;
    struct tm tm;

    CHECK(localtime_r(&at, &tm) != NULL);
    // the day by counting, not by our calendar: years since 1970 and their leap days
    return (struct second_wall){
        .day = (int64_t)(tm.tm_year - 70) * 365 + (tm.tm_year - 69) / 4 - (tm.tm_year - 1) / 100 +
               (tm.tm_year + 299) / 400 + tm.tm_yday,
        .minute = (unsigned)(tm.tm_hour * 60 + tm.tm_min),
        .second = (unsigned)tm.tm_sec,
        .weekday = (unsigned)(tm.tm_wday + 6) % 7,
        .offset_s = (int32_t)tm.tm_gmtoff,
    };
}

// -- minute by minute --------------------------------------------------------------------------

#define SECOND_DAYS_MAX 32

struct second_minute {
    struct second_wall wall;
    int64_t day_begin_s; // the first minute of that date in the stretch
    int64_t day_end_s;   // the first one ahead of another date
};

// `count` minutes from `from_s`, a whole one. What the first and the last two days say of the
// beginning and the end of theirs is not all of it.
static inline void second_minutes(struct second_minute *m, unsigned count, int64_t from_s)
{
    int64_t begin_s[SECOND_DAYS_MAX];
    int64_t first_day = second_at(from_s).day - 1;

    for (unsigned i = 0; i < SECOND_DAYS_MAX; i++) begin_s[i] = INT64_MIN;
    for (unsigned i = 0; i < count; i++) {
        int64_t at_s = from_s + (int64_t)i * 60, at;

        m[i].wall = second_at(at_s);
        at = m[i].wall.day - first_day;
        CHECK(at >= 0 && at < SECOND_DAYS_MAX);
        if (begin_s[at] == INT64_MIN) begin_s[at] = at_s;
        m[i].day_begin_s = begin_s[at];
    }
    for (unsigned i = count; i-- > 0;) {
        bool last = i + 1 == count || m[i + 1].wall.day != m[i].wall.day;

        m[i].day_end_s = last ? from_s + ((int64_t)i + 1) * 60 : m[i + 1].day_end_s;
    }
}
