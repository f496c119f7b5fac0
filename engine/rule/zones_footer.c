// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/zones_footer.h"

#include "engine/rule/calendar.h"

#define DAY_S     86400
#define HOUR_S    3600
#define HOURS_MAX 167
// A date with its hours lies at most a week outside its year, so five years hold the change before
// any instant of the middle one, and the change behind it.
#define YEARS  5
#define EVENTS (YEARS * 2)
// Year 12000 or so: calendar's days would overflow far behind it.
#define HORIZON_S ((int64_t)10000 * 366 * DAY_S)

static bool is_name_char(char c, bool quoted)
{
    char lower = str_lower(c);

    if (lower >= 'a' && lower <= 'z') return true;
    return quoted && (str_is_digit(c) || c == '+' || c == '-');
}

// "EST", "<+0530>": at least three characters.
static bool skip_name(struct str *at)
{
    bool quoted = at->size > 0 && at->ptr[0] == '<';
    size_t n = quoted, count;

    while (n < at->size && is_name_char(at->ptr[n], quoted)) n++;
    count = n - quoted;
    if (quoted && (n == at->size || at->ptr[n++] != '>')) return false;
    at->ptr += n;
    at->size -= n;
    return count >= 3;
}

static bool take_char(struct str *at, char c)
{
    if (at->size == 0 || at->ptr[0] != c) return false;
    at->ptr++;
    at->size--;
    return true;
}

// Digits, at most `max`.
static bool take_number(struct str *at, unsigned max, unsigned *ret)
{
    unsigned value = 0;
    size_t n = 0;

    for (; n < at->size && str_is_digit(at->ptr[n]); n++) {
        value = value * 10 + (unsigned)(at->ptr[n] - '0');
        if (value > max) return false;
    }
    at->ptr += n;
    at->size -= n;
    *ret = value;
    return n > 0;
}

// [+-]hh[:mm[:ss]]
static bool take_time(struct str *at, unsigned hours_max, int32_t *ret_s)
{
    bool minus = take_char(at, '-');
    unsigned hours, minutes = 0, seconds = 0;
    int32_t total_s;

    if (!minus) take_char(at, '+');
    if (!take_number(at, hours_max, &hours)) return false;
    if (take_char(at, ':')) {
        if (!take_number(at, 59, &minutes)) return false;
        if (take_char(at, ':') && !take_number(at, 59, &seconds)) return false;
    }
    total_s = (int32_t)(hours * HOUR_S + minutes * 60 + seconds);
    *ret_s = minus ? -total_s : total_s;
    return true;
}

// ,date[/time]
static bool take_date(struct str *at, struct zones_footer_date *date)
{
    unsigned month, week, weekday, day;

    date->time_s = 2 * HOUR_S;
    if (!take_char(at, ',')) return false;
    if (take_char(at, 'M')) {
        if (!take_number(at, 12, &month) || !take_char(at, '.') || !take_number(at, 5, &week) ||
            !take_char(at, '.') || !take_number(at, 6, &weekday) || month == 0 || week == 0)
            return false;
        date->kind = ZONES_FOOTER_MONTH;
        date->month = (uint8_t)month;
        date->week = (uint8_t)week;
        date->weekday = (uint8_t)weekday;
    } else {
        date->kind = take_char(at, 'J') ? ZONES_FOOTER_JULIAN : ZONES_FOOTER_DAY;
        if (!take_number(at, 365, &day)) return false;
        if (date->kind == ZONES_FOOTER_JULIAN && day == 0) return false;
        date->day = (uint16_t)day;
    }
    return !take_char(at, '/') || take_time(at, HOURS_MAX, &date->time_s);
}

bool zones_footer_parse(struct str text, struct zones_footer *ret)
{
    struct zones_footer f = {0};
    int32_t west_s;

    // POSIX counts west of Greenwich as positive
    if (!skip_name(&text) || !take_time(&text, 24, &west_s)) return false;
    f.standard_s = f.summer_s = -west_s;
    if (text.size > 0) {
        if (!skip_name(&text)) return false;
        f.has_summer = true;
        f.summer_s = f.standard_s + HOUR_S;
        if (text.size > 0 && text.ptr[0] != ',') {
            if (!take_time(&text, 24, &west_s)) return false;
            f.summer_s = -west_s;
        }
        if (!take_date(&text, &f.start) || !take_date(&text, &f.end)) return false;
    }
    if (text.size > 0) return false;
    *ret = f;
    return true;
}

static int32_t day_of_month(const struct zones_footer_date *date, int year)
{
    int32_t first = calendar_day(year, date->month, 1);
    // 0 = Sunday in the string, 0 = Monday in calendar
    unsigned weekday = (date->weekday + 6) % 7;
    unsigned in = (weekday + 7 - calendar_weekday(first)) % 7 + (date->week - 1U) * 7;

    if (in >= calendar_month_days(year, date->month)) in -= 7;
    return first + (int32_t)in;
}

static int32_t day_of_year(const struct zones_footer_date *date, int year)
{
    int32_t first = calendar_day(year, 1, 1);

    switch (date->kind) {
    case ZONES_FOOTER_JULIAN:
        return first + date->day - 1 + (date->day > 59 && calendar_is_date(year, 2, 29));
    case ZONES_FOOTER_DAY:
        return first + date->day;
    case ZONES_FOOTER_MONTH:
        return day_of_month(date, year);
    }
    return first;
}

struct event {
    int64_t at_s;
    int32_t offset_s; // from then on
    bool is_start;
};

static bool is_before(const struct event *a, const struct event *b)
{
    // where summer time ends and begins at once (all the year round) it goes on
    return a->at_s != b->at_s ? a->at_s < b->at_s : !a->is_start && b->is_start;
}

static void add_event(struct event *events, unsigned count, struct event event)
{
    unsigned i = count;

    for (; i > 0 && is_before(&event, &events[i - 1]); i--) events[i] = events[i - 1];
    events[i] = event;
}

static void events_around(const struct zones_footer *f, int year, struct event events[EVENTS])
{
    unsigned count = 0;

    for (int y = year - YEARS / 2; y <= year + YEARS / 2; y++) {
        int64_t start_s = (int64_t)day_of_year(&f->start, y) * DAY_S + f->start.time_s;
        int64_t end_s = (int64_t)day_of_year(&f->end, y) * DAY_S + f->end.time_s;

        add_event(events, count++, (struct event){start_s - f->standard_s, f->summer_s, true});
        add_event(events, count++, (struct event){end_s - f->summer_s, f->standard_s, false});
    }
}

struct zone_offset zones_footer_at(const struct zones_footer *f, int64_t at_s)
{
    struct zone_offset offset = {f->standard_s, INT64_MIN, INT64_MAX};
    struct event events[EVENTS];
    unsigned i = 0;
    int64_t day;

    if (!f->has_summer) return offset;
    if (at_s >= HORIZON_S || at_s < -HORIZON_S) {
        if (at_s > 0)
            offset.from_s = HORIZON_S;
        else
            offset.until_s = -HORIZON_S;
        return offset;
    }
    day = at_s / DAY_S - (at_s % DAY_S < 0);
    events_around(f, calendar_of_day((int32_t)day).year, events);
    while (i < EVENTS && events[i].at_s <= at_s) i++;
    offset.offset_s = events[i - 1].offset_s;
    offset.from_s = events[i - 1].at_s;
    offset.until_s = events[i].at_s < HORIZON_S ? events[i].at_s : HORIZON_S;
    return offset;
}
