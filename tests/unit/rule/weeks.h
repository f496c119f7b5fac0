// SPDX-License-Identifier: Apache-2.0
//
// weeks: the weeks round the changes of the clock that are to come, minute by minute.
#pragma once

#include <stdint.h>

#define WEEKS_MINUTES (7 * 1440)
#define WEEKS_MARGIN  (2 * 1440) // looked at before and behind, to see where days begin and end

struct week {
    const char *name;
    int64_t from_s; // Thursday, 00:00Z; the change is on the Sunday in between
};

static const struct week weeks[] = {
    {"autumn 2026", 1793232000}, // 2026-10-29, change on 2026-11-01
    {"spring 2027", 1804723200}, // 2027-03-11, change on 2027-03-14
    {"autumn 2027", 1825286400}, // 2027-11-04, change on 2027-11-07
};
