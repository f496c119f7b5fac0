// SPDX-License-Identifier: Apache-2.0
#include "engine/base/check.h"
#include "engine/rule/ruleset_read.h"

#define WINDOWS_MAX   1024 // of one rule
#define DATES_MAX     1024
#define CALENDARS_MAX 32
#define OBSERVED_MAX  16 // members looked at; seven can be right

static const struct str day_names[7] = {{"mon", 3}, {"tue", 3}, {"wed", 3}, {"thu", 3},
                                        {"fri", 3}, {"sat", 3}, {"sun", 3}};

// -- windows -----------------------------------------------------------------------------------

struct window {
    int days, from, till; // -1 = no such or not good
};

// "09:00" in minutes, -1 when it is not that.
static int minute_of(struct str text)
{
    uint64_t hour, minute;

    if (text.size != 5 || text.ptr[2] != ':' || !str_to_u64(str_make(text.ptr, 2), &hour) ||
        !str_to_u64(str_make(text.ptr + 3, 2), &minute))
        return -1;
    if (minute > 59 || hour > 24 || (hour == 24 && minute)) return -1;
    return (int)(hour * 60 + minute);
}

static void take_minute(struct ruleset_reader *r, void *into, struct json_value v)
{
    int *minute = into;

    *minute = v.type == JSON_STRING ? minute_of(v.text) : -1;
    if (*minute < 0) ruleset_fail(r, "must be a time from \"00:00\" to \"24:00\", like \"09:00\"");
}

static bool day_bits(struct str word, unsigned *ret_bits)
{
    struct str last;
    struct str first = str_cut(word, '-', &last);
    unsigned from, till;

    if (str_eq_nocase(word, STR("daily"))) {
        *ret_bits = 0x7f;
        return true;
    }
    if (!calendar_parse_weekday(str_trim(first), &from)) return false;
    till = from;
    if (last.ptr && (!calendar_parse_weekday(str_trim(last), &till) || till <= from)) return false;
    *ret_bits = (0x7fu >> (6 - till)) & (0x7fu << from);
    return true;
}

static void take_days(struct ruleset_reader *r, void *into, struct json_value v)
{
    char scratch[RULESET_PEEK_BYTES];
    struct str rest = ruleset_peek(v, scratch, sizeof scratch), word;
    unsigned bits, all = 0;
    int *days = into;

    *days = -1;
    if (!ruleset_is(r, v, JSON_STRING, "days, like \"mon-fri,sun\" or \"daily\"")) return;
    do {
        word = str_trim(str_cut(rest, ',', &rest));
        if (!day_bits(word, &bits)) {
            ruleset_fail(r,
                         "\"%.*s\" is no day; write mon, tue, wed, thu, fri, sat, sun, ranges "
                         "from mon to sun, commas, or daily",
                         RULESET_CLIP(word));
            return;
        }
        if (bits & all) {
            ruleset_fail(r, "\"%.*s\" names a day that was named before", RULESET_CLIP(word));
            return;
        }
        all |= bits;
    } while (rest.ptr);
    *days = (int)all;
}

static const struct ruleset_key window_keys[] = {
    {.name = {"days", 4},
     .kind = RULESET_TAKE,
     .required = true,
     .take = take_days,
     RULESET_INTO(struct window, days)},
    {.name = {"from", 4},
     .kind = RULESET_TAKE,
     .required = true,
     .take = take_minute,
     RULESET_INTO(struct window, from)},
    {.name = {"till", 4},
     .kind = RULESET_TAKE,
     .required = true,
     .take = take_minute,
     RULESET_INTO(struct window, till)},
    {.name = {0}},
};

// Marks the minutes; the first weekday on which one was marked before, or -1. By marks and not by
// comparing windows, so that the cost does not grow with their square.
static int mark(struct ruleset_reader *r, const struct window *w)
{
    int clash = -1;

    for (int day = 0; day < 7; day++) {
        if (!(w->days >> day & 1)) continue;
        for (int m = w->from; m < w->till;) {
            int end = (m | 63) + 1 < w->till ? (m | 63) + 1 : w->till;
            uint64_t bits = (~UINT64_C(0) >> (64 - (end - m))) << (m & 63);

            if (r->busy[day][m / 64] & bits && clash < 0) clash = day;
            r->busy[day][m / 64] |= bits;
            m = end;
        }
    }
    return clash;
}

static void take_window(struct ruleset_reader *r, unsigned index, const struct ruleset_members *m)
{
    struct window w = {-1, -1, -1};
    struct rule_window *row;
    int clash;

    (void)index;
    ruleset_take(r, window_keys, m, &w, VERDICT_NONE);
    if (w.days < 0 || w.from < 0 || w.till < 0) return;
    if (w.from == w.till) {
        ruleset_fail(r, "is empty; \"till\" must be later than \"from\" (an empty array of windows "
                        "means never)");
        return;
    }
    if (w.from > w.till) {
        ruleset_fail(r, "runs over midnight; write two windows, one until \"24:00\" and one from "
                        "\"00:00\"");
        return;
    }
    clash = mark(r, &w);
    if (clash >= 0)
        ruleset_fail(r, "overlaps another window of this rule on %.*s", STR_ARG(day_names[clash]));
    row = ruleset_push(r, &r->set->window, &r->set->window_count, sizeof *row, "windows");
    if (!row) return;
    *row = (struct rule_window){(uint16_t)w.from, (uint16_t)w.till, (uint8_t)w.days};
    r->set->rule[r->rule].windows.count++;
}

void ruleset_windows(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct rule_slice *windows = into;

    *windows = (struct rule_slice){(uint16_t)r->set->window_count, 0};
    memset(r->busy, 0, sizeof r->busy);
    ruleset_each_object(r, v, WINDOWS_MAX, window_keys, take_window);
}

// -- dates -------------------------------------------------------------------------------------

static void take_spec(struct ruleset_reader *r, void *into, struct json_value v)
{
    char scratch[RULESET_PEEK_BYTES];
    struct calendar_spec spec;

    if (v.type == JSON_STRING &&
        calendar_parse_spec(ruleset_peek(v, scratch, sizeof scratch), &spec))
        memcpy(into, &spec, sizeof spec);
    else
        ruleset_fail(r, "must be a date that exists: \"12-25\", \"2026-11-26\", \"11-4thu\", "
                        "\"05-lastmon\", \"easter-47\"");
}

static void take_observed(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct calendar_spec *spec = into;
    struct json j = json_start(v.text, RULESET_DEPTH);
    struct json_value key, shift;
    unsigned weekday, seen = 0, members = 0;
    int64_t days;

    if (!ruleset_is(r, v, JSON_OBJECT, "an object, {\"sat\": -1, \"sun\": 1}")) return;
    json_enter(&j);
    while (members++ < OBSERVED_MAX && json_member(&j, &key, &shift)) {
        ruleset_key_push(r, key.text);
        if (!calendar_parse_weekday(key.text, &weekday))
            ruleset_fail(r, "unknown key; it must be a weekday, mon … sun");
        else if (seen >> weekday & 1)
            ruleset_fail(r, "this day comes twice; keep one");
        else if (shift.type != JSON_NUMBER || !json_to_i64(shift, &days) || days < -6 || days > 6 ||
                 !days)
            ruleset_fail(r, "must be the days to shift by, -6 … 6 and not 0");
        else
            spec->shift_days[weekday] = (int8_t)days;
        if (calendar_parse_weekday(key.text, &weekday)) seen |= 1u << weekday;
        ruleset_pop(r);
    }
}

struct date {
    struct calendar_spec spec, observed;
    struct str name;
};

static const struct ruleset_key date_keys[] = {
    {.name = {"date", 4},
     .kind = RULESET_TAKE,
     .required = true,
     .take = take_spec,
     RULESET_INTO(struct date, spec)},
    {.name = {"name", 4},
     .kind = RULESET_TEXT,
     .min = 1,
     .max = 256,
     RULESET_INTO(struct date, name)},
    {.name = {"observed", 8},
     .kind = RULESET_TAKE,
     .take = take_observed,
     RULESET_INTO(struct date, observed)},
    {.name = {0}},
};

static void take_date(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct calendar_spec *row;
    struct ruleset_members m;
    struct date date = {0};

    (void)into;
    if (v.type == JSON_OBJECT) {
        if (!ruleset_collect_value(r, v, date_keys, &m)) return;
        ruleset_take(r, date_keys, &m, &date, VERDICT_NONE);
        memcpy(date.spec.shift_days, date.observed.shift_days, sizeof date.spec.shift_days);
    } else {
        take_spec(r, &date.spec, v);
    }
    row = ruleset_push(r, &r->set->date, &r->set->date_count, sizeof *row, "dates");
    if (row) *row = date.spec;
}

void ruleset_dates(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct rule_slice *dates = into;

    *dates = (struct rule_slice){(uint16_t)r->set->date_count, 0};
    ruleset_each(r, v, 0, DATES_MAX, take_date, NULL);
    dates = &r->set->rule[r->rule].dates;
    dates->count = (uint16_t)(r->set->date_count - dates->first);
}

// The dates of a calendar are read once a document and copied from there.
static const struct ruleset_calendar *calendar_of(struct ruleset_reader *r, struct str name)
{
    struct ruleset_calendar *c;
    struct str text;
    struct json_value v = {.type = JSON_ARRAY};

    for (unsigned i = 0; i < r->calendar_count; i++)
        if (str_eq(r->calendar[i].name, name)) return &r->calendar[i];
    text = packs_calendar(r->packs, name);
    if (!text.ptr) return NULL;
    if (r->calendar_count == COUNT_OF(r->calendar)) {
        ruleset_fail(r, "is one calendar more than a rule set can use (%zu)",
                     COUNT_OF(r->calendar));
        return NULL;
    }
    v.text = text;
    c = &r->calendar[r->calendar_count++];
    *c = (struct ruleset_calendar){.name = ruleset_keep(r, (struct json_value){.text = name}),
                                   .first = r->set->date_count};
    ruleset_leave(r, "calendar", c->name);
    ruleset_each(r, v, 0, DATES_MAX, take_date, NULL);
    c->count = r->set->date_count - c->first;
    return c;
}

static void take_calendar(struct ruleset_reader *r, void *into, struct json_value v)
{
    char scratch[RULESET_PEEK_BYTES];
    struct str name = ruleset_peek(v, scratch, sizeof scratch);
    const struct ruleset_calendar *c;
    unsigned errors = r->errors->count;

    (void)into;
    if (!ruleset_is(r, v, JSON_STRING, "the name of a calendar of the packs")) return;
    c = calendar_of(r, name);
    if (!c && r->errors->count == errors)
        ruleset_fail(r, "no pack has a calendar \"%.*s\"", RULESET_CLIP(name));
}

static void copy_calendar(struct ruleset_reader *r, void *into, struct json_value v)
{
    char scratch[RULESET_PEEK_BYTES];
    const struct ruleset_calendar *c = NULL;
    struct calendar_spec *row;

    (void)into;
    if (v.type == JSON_STRING) c = calendar_of(r, ruleset_peek(v, scratch, sizeof scratch));
    for (unsigned i = 0; c && i < c->count; i++) {
        row = ruleset_push(r, &r->set->date, &r->set->date_count, sizeof *row, "dates");
        if (!row) return;
        *row = r->set->date[c->first + i];
    }
}

void ruleset_calendars(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct rule_slice own = *(struct rule_slice *)into, *dates;
    unsigned errors = r->errors->count;
    struct calendar_spec *row;

    // all of them first, so that what the rule keeps is one piece behind them
    ruleset_each(r, v, 1, CALENDARS_MAX, take_calendar, NULL);
    if (r->errors->count > errors) return;
    dates = &r->set->rule[r->rule].dates;
    dates->first = (uint16_t)r->set->date_count;
    for (unsigned i = 0; i < own.count; i++) {
        row = ruleset_push(r, &r->set->date, &r->set->date_count, sizeof *row, "dates");
        if (row) *row = r->set->date[own.first + i];
    }
    ruleset_each(r, v, 1, CALENDARS_MAX, copy_calendar, NULL);
    dates->count = (uint16_t)(r->set->date_count - dates->first);
}
