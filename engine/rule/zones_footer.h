// SPDX-License-Identifier: Apache-2.0
//
// zones_footer: the POSIX TZ string that ends a TZif file ("EST5EDT,M3.2.0,M11.1.0"), which rules
// beyond the file's last transition. Pure functions. For zones_*.c only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"
#include "engine/rule/zones.h"

enum zones_footer_kind {
    ZONES_FOOTER_JULIAN, // Jn: 1 … 365, 29 February is never counted
    ZONES_FOOTER_DAY,    // n: 0 … 365, 29 February is
    ZONES_FOOTER_MONTH,  // Mm.w.d: week 5 = the last
};

struct zones_footer_date {
    enum zones_footer_kind kind;
    uint16_t day;                 // JULIAN, DAY
    uint8_t month, week, weekday; // MONTH; weekday 0 = Sunday, as written
    int32_t time_s;               // behind that day's midnight, -167 h … 167 h
};

struct zones_footer {
    int32_t standard_s, summer_s; // seconds east
    bool has_summer;
    struct zones_footer_date start, end; // of summer time, in the time in force before
};

// False for what is no POSIX TZ string of RFC 9636 (3.3.1); *ret is untouched then.
bool zones_footer_parse(struct str text, struct zones_footer *ret);
struct zone_offset zones_footer_at(const struct zones_footer *f, int64_t at_s);
