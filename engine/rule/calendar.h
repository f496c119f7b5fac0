// SPDX-License-Identifier: Apache-2.0
//
// calendar: days as numbers, and the dates that rules name. Proleptic Gregorian, no time zones.
// Pure functions. A day is the count of days since 1970-01-01 (a Thursday).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/str.h"

struct calendar_date {
    int year, month, day; // 1 … 12, 1 … 31
};

int32_t calendar_day(int year, int month, int day);
struct calendar_date calendar_of_day(int32_t day);
// 0 = Monday … 6 = Sunday.
unsigned calendar_weekday(int32_t day);
bool calendar_is_date(int year, int month, int day);
unsigned calendar_month_days(int year, int month);
// Easter Sunday of the western churches (Gregorian computus).
int32_t calendar_easter(int year);

// "2026-11-22". False when it is no date; *ret is untouched then.
bool calendar_parse_day(struct str text, int32_t *ret_day);
void calendar_write_day(struct buf *out, int32_t day);
// "mon" … "sun" -> 0 … 6, any case.
bool calendar_parse_weekday(struct str text, unsigned *ret);

// -- the dates of a rule -----------------------------------------------------------------------
// As written: "12-25" every year; "2026-11-26" once; "11-4thu" the fourth Thursday of November;
// "05-lastmon" the last Monday of May; "11-2..8tue" the Tuesday among the 2nd to 8th of November
// (after the first Monday); "easter-47", "easter+1", "easter".
enum calendar_spec_kind { CALENDAR_YEARLY, CALENDAR_ONCE, CALENDAR_NTH, CALENDAR_EASTER };

struct calendar_spec {
    enum calendar_spec_kind kind;
    uint8_t month, day;   // YEARLY; NTH: its month, and the first of seven days (nth 0) or 0
    uint8_t nth, weekday; // NTH: 1 … 5, or 6 = the last; weekday 0 … 6
    int16_t offset_days;  // EASTER
    int32_t once;         // ONCE
    // Observed days: when the date falls on weekday w the day `date + shift_days[w]` is banned too
    // (the date itself stays banned). 0 = no shift.
    int8_t shift_days[7];
};
// False for anything that is not in the list above ("02-30" included; "02-29" is fine).
bool calendar_parse_spec(struct str text, struct calendar_spec *ret);
// A day as specs look at it, worked out once for all of them.
struct calendar_today {
    int32_t day;
    struct calendar_date date;
    unsigned weekday;
};
struct calendar_today calendar_today(int32_t day);
// Is today that date, or an observed day of it (which may lie in the year before or behind)?
bool calendar_spec_is_today(const struct calendar_spec *spec, const struct calendar_today *today);
