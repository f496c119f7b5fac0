// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/calendar.h"

#define CYCLE_DAYS 146097 // of 400 years
#define EPOCH_DAYS 719468 // from 0000-03-01 to 1970-01-01
#define NTH_LAST   6

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

// Years begin in March here, so that the leap day is the last of its year.
int32_t calendar_day(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t cycle = floor_div(y, 400), year_of_cycle = y - cycle * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_cycle =
        year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;

    return (int32_t)(cycle * CYCLE_DAYS + day_of_cycle - EPOCH_DAYS);
}

struct calendar_date calendar_of_day(int32_t day)
{
    int64_t n = (int64_t)day + EPOCH_DAYS;
    int64_t cycle = floor_div(n, CYCLE_DAYS);
    uint32_t of_cycle = (uint32_t)(n - cycle * CYCLE_DAYS);
    uint32_t year = (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
    uint32_t of_year = of_cycle - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * of_year + 2) / 153;
    struct calendar_date date = {
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(of_year - (153 * month + 2) / 5 + 1),
    };

    date.year = (int)(cycle * 400 + year) + (date.month <= 2);
    return date;
}

unsigned calendar_weekday(int32_t day)
{
    int64_t since_monday = (int64_t)day + 3;

    return (unsigned)(since_monday - floor_div(since_monday, 7) * 7);
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

unsigned calendar_month_days(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (unsigned)(month == 2 && is_leap(year));
}

bool calendar_is_date(int year, int month, int day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= (int)calendar_month_days(year, month);
}

// The anonymous Gregorian computus, with the names it is usually printed with.
int32_t calendar_easter(int year)
{
    int a = year % 19, b = year / 100, c = year % 100, d = b / 4, e = b % 4;
    int g = (8 * b + 13) / 25, h = (19 * a + b - d - g + 15) % 30;
    int j = c / 4, k = c % 4, m = (a + 11 * h) / 319;
    int r = (2 * e + 2 * j - k - h + m + 32) % 7;
    int month = (h - m + r + 90) / 25;

    return calendar_day(year, month, (h - m + r + month + 19) % 32);
}

static bool parse_digits(struct str text, size_t at, size_t count, int *ret)
{
    uint64_t value;

    if (at + count > text.size || !str_to_u64(str_make(text.ptr + at, count), &value)) return false;
    *ret = (int)value;
    return true;
}

bool calendar_parse_day(struct str text, int32_t *ret_day)
{
    int year, month, day;

    if (text.size != 10 || text.ptr[4] != '-' || text.ptr[7] != '-') return false;
    if (!parse_digits(text, 0, 4, &year) || !parse_digits(text, 5, 2, &month) ||
        !parse_digits(text, 8, 2, &day) || !calendar_is_date(year, month, day))
        return false;
    *ret_day = calendar_day(year, month, day);
    return true;
}

void calendar_write_day(struct buf *out, int32_t day)
{
    struct calendar_date date = calendar_of_day(day);

    buf_printf(out, "%04d-%02d-%02d", date.year, date.month, date.day);
}

bool calendar_parse_weekday(struct str text, unsigned *ret)
{
    static const char names[] = "montuewedthufrisatsun";

    for (unsigned i = 0; i < 7; i++) {
        if (str_eq_nocase(text, str_make(names + (size_t)i * 3, 3))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

// What stands behind "easter".
static bool parse_easter(struct str text, struct calendar_spec *spec)
{
    uint64_t days = 0;

    if (text.size > 0) {
        if (text.ptr[0] != '-' && text.ptr[0] != '+') return false;
        if (!str_to_u64(str_make(text.ptr + 1, text.size - 1), &days) || days > 366) return false;
        spec->offset_days = (int16_t)(text.ptr[0] == '-' ? -(int)days : (int)days);
    }
    spec->kind = CALENDAR_EASTER;
    return true;
}

// "2..8tue": the Tuesday among these seven days, which the nth of a month cannot name when the
// month's days before it count too (the Tuesday after the first Monday).
static bool parse_week(struct str text, struct calendar_spec *spec)
{
    struct str from, till, behind;
    uint64_t first, last;
    unsigned weekday;

    from = str_cut(text, '.', &behind);
    if (behind.size < 5 || behind.ptr[0] != '.') return false;
    till = str_make(behind.ptr + 1, behind.size - 4);
    if (!str_to_u64(from, &first) || !str_to_u64(till, &last) || last < 7 ||
        last > calendar_month_days(2000, spec->month) || first != last - 6)
        return false;
    if (!calendar_parse_weekday(str_make(till.ptr + till.size, 3), &weekday)) return false;
    spec->day = (uint8_t)first;
    spec->weekday = (uint8_t)weekday;
    spec->kind = CALENDAR_NTH;
    return true;
}

// "4thu", "lastmon": what stands behind the month.
static bool parse_nth(struct str text, struct calendar_spec *spec)
{
    struct str last = STR("last");
    size_t name_at = 1;
    unsigned weekday;

    if (text.size > last.size && str_eq_nocase(str_make(text.ptr, last.size), last)) {
        spec->nth = NTH_LAST;
        name_at = last.size;
    } else if (text.size > 0 && text.ptr[0] >= '1' && text.ptr[0] <= '5') {
        spec->nth = (uint8_t)(text.ptr[0] - '0');
    } else {
        return false;
    }
    if (!calendar_parse_weekday(str_make(text.ptr + name_at, text.size - name_at), &weekday))
        return false;
    spec->weekday = (uint8_t)weekday;
    spec->kind = CALENDAR_NTH;
    return true;
}

static bool parse_in_month(struct str text, struct calendar_spec *spec)
{
    int month, day;

    if (text.size < 4 || text.ptr[2] != '-' || !parse_digits(text, 0, 2, &month)) return false;
    if (month < 1 || month > 12) return false;
    spec->month = (uint8_t)month;
    if (text.size != 5 || !parse_digits(text, 3, 2, &day))
        return parse_nth(str_make(text.ptr + 3, text.size - 3), spec) ||
               parse_week(str_make(text.ptr + 3, text.size - 3), spec);
    // a leap year, so that 02-29 is a date
    if (!calendar_is_date(2000, month, day)) return false;
    spec->day = (uint8_t)day;
    spec->kind = CALENDAR_YEARLY;
    return true;
}

bool calendar_parse_spec(struct str text, struct calendar_spec *ret)
{
    struct calendar_spec spec = {0};
    struct str easter = STR("easter");

    if (calendar_parse_day(text, &spec.once)) {
        spec.kind = CALENDAR_ONCE;
    } else if (text.size >= easter.size && str_eq_nocase(str_make(text.ptr, easter.size), easter)) {
        if (!parse_easter(str_make(text.ptr + easter.size, text.size - easter.size), &spec))
            return false;
    } else if (!parse_in_month(text, &spec)) {
        return false;
    }
    *ret = spec;
    return true;
}

struct calendar_today calendar_today(int32_t day)
{
    return (struct calendar_today){day, calendar_of_day(day), calendar_weekday(day)};
}

static bool is_nth(const struct calendar_spec *spec, const struct calendar_today *today)
{
    const struct calendar_date *date = &today->date;

    if (today->weekday != spec->weekday || date->month != spec->month) return false;
    if (spec->day > 0) return date->day >= spec->day && date->day < spec->day + 7;
    if (spec->nth == NTH_LAST)
        return date->day + 7 > (int)calendar_month_days(date->year, date->month);
    return (date->day - 1) / 7 + 1 == spec->nth;
}

static bool is_date(const struct calendar_spec *spec, const struct calendar_today *today)
{
    int32_t day;

    switch (spec->kind) {
    case CALENDAR_YEARLY:
        return today->date.month == spec->month && today->date.day == spec->day;
    case CALENDAR_ONCE:
        return today->day == spec->once;
    case CALENDAR_NTH:
        return is_nth(spec, today);
    case CALENDAR_EASTER:
        day = today->day - spec->offset_days;
        return calendar_weekday(day) == 6 && day == calendar_easter(calendar_of_day(day).year);
    }
    return false;
}

bool calendar_spec_is_today(const struct calendar_spec *spec, const struct calendar_today *today)
{
    static const int8_t none[sizeof spec->shift_days];

    if (is_date(spec, today)) return true;
    if (memcmp(spec->shift_days, none, sizeof none) == 0) return false;
    for (unsigned weekday = 0; weekday < 7; weekday++) {
        int32_t date = today->day - spec->shift_days[weekday];
        struct calendar_today then;

        if (date == today->day || calendar_weekday(date) != weekday) continue;
        then = calendar_today(date);
        if (is_date(spec, &then)) return true;
    }
    return false;
}
