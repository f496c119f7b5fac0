// SPDX-License-Identifier: Apache-2.0
//
// second: the C library's time zones, as a second opinion on ours. One zone at a time, one thread.
#pragma once

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
