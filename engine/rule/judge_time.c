// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/judge_part.h"

#define DAY_S 86400
// No clock is further ahead of UTC: no place enters a date sooner than this before UTC does.
#define AHEAD_S 57600

// Most rules ask for the same sources, one after the other.
const struct judge_zones *judge_zones(const struct judge_case *c)
{
    const struct facts *f = c->j->facts;
    struct judge_zones *zones = c->zones;

    if (zones->from == c->op->zone_from) return zones;
    *zones = (struct judge_zones){.from = c->op->zone_from};
    for (unsigned s = 0; s < ZONE_SOURCES; s++) {
        if (!(c->op->zone_from >> s & 1) || !f->zones[s]) continue;
        zones->set[zones->set_count++] = f->zones[s];
        if (UNLIKELY(f->zones_also[s])) zones->set[zones->set_count++] = f->zones_also[s];
    }
    if (zones->set_count) return zones;
    zones->unknown = true;
    zones->set[0] = c->j->plan->zone_default ? c->j->plan->zone_default : f->zones_else;
    zones->set_count = zones->set[0] ? 1 : 0;
    return zones;
}

static int64_t at_most(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t at_least(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// The zone is sure not to reach local date `day`, which is to come, before then.
static int64_t before_day(const struct zone_local *l, int32_t day)
{
    return at_least((int64_t)day * DAY_S - AHEAD_S, l->day_end_s);
}

// -- days in force -----------------------------------------------------------------------------

static int64_t force_until(const struct rule *rule, const struct zone_local *l, bool in_force)
{
    if (!in_force && l->day < rule->from_day) return before_day(l, rule->from_day);
    // over and done with, unless the clock goes back over midnight
    if (!in_force) return l->day - 1 > rule->until_day ? INT64_MAX : l->day_end_s;
    if (l->day == rule->from_day) return l->day_end_s;
    return rule->until_day == RULE_DAY_LAST ? INT64_MAX : before_day(l, rule->until_day + 1);
}

// In force when it is one of its days in any zone that counts.
bool judge_in_force(const struct judge_case *c)
{
    const struct rule *rule = c->rule;
    const struct judge_zones *zones;
    int64_t in_until_s = INT64_MIN, out_until_s = INT64_MAX;
    bool in_force = false;

    if (rule->from_day == RULE_DAY_FIRST && rule->until_day == RULE_DAY_LAST) return true;
    zones = judge_zones(c);
    if (zones->set_count == 0) return true;
    JUDGE_EACH_ZONE(zones, s, i)
    {
        const struct zone_local *l = zone_clock_at(c->j->clock, zones->set[s]->zone[i]);
        bool here = rule->from_day <= l->day && l->day <= rule->until_day;

        if (here && !c->j->foresee) return true;
        in_force = in_force || here;
        if (!c->j->foresee) continue;
        if (here)
            in_until_s = at_least(in_until_s, force_until(rule, l, true));
        else
            out_until_s = at_most(out_until_s, force_until(rule, l, false));
    }
    if (c->j->foresee) judge_until(c, in_force ? in_until_s : out_until_s);
    return in_force;
}

// -- contact_times -----------------------------------------------------------------------------

static bool is_good(const struct rule_window *window, unsigned count, const struct zone_local *l)
{
    for (unsigned i = 0; i < count; i++)
        if (window[i].days >> l->weekday & 1 && window[i].from <= l->minute &&
            l->minute < window[i].till)
            return true;
    return false;
}

// The zone's next edge of a window, change of offset or end of day, whatever comes first.
static int64_t edge_until(const struct rule_window *window, unsigned count,
                          const struct zone_local *l, int64_t now_s)
{
    int64_t second = (now_s + l->offset_s) % DAY_S;
    unsigned edge = DAY_S / 60;

    if (count == 0) return INT64_MAX;
    if (second < 0) second += DAY_S;
    for (unsigned i = 0; i < count; i++) {
        if (!(window[i].days >> l->weekday & 1)) continue;
        if (window[i].from > l->minute && window[i].from < edge) edge = window[i].from;
        if (window[i].till > l->minute && window[i].till < edge) edge = window[i].till;
    }
    return at_most(now_s + (int64_t)edge * 60 - second, l->until_s);
}

void judge_times(const struct judge_case *c)
{
    const struct rule_window *window = &c->j->plan->set->window[c->op->hot_first];
    unsigned count = c->op->hot_count;
    struct zone_clock *clock = c->j->clock;
    const struct judge_zones *zones = judge_zones(c);
    int64_t good_until_s = INT64_MAX, bad_until_s = INT64_MIN;

    c->finding->zones_unknown = zones->unknown;
    if (zones->set_count == 0) judge_block(c, REASON_OUTSIDE_HOURS);
    JUDGE_EACH_ZONE(zones, s, i)
    {
        uint16_t zone = zones->set[s]->zone[i];
        const struct zone_local *l = zone_clock_at(clock, zone);
        bool good = is_good(window, count, l);

        if (!good && !c->finding->blocks) {
            judge_block(c, REASON_OUTSIDE_HOURS);
            c->finding->zone = zone;
        }
        if (!c->j->foresee) {
            if (!good) return;
            continue;
        }
        if (good)
            good_until_s = at_most(good_until_s, edge_until(window, count, l, clock->now_s));
        else
            bad_until_s = at_least(bad_until_s, edge_until(window, count, l, clock->now_s));
    }
    if (c->j->foresee && zones->set_count)
        judge_until(c, c->finding->blocks ? bad_until_s : good_until_s);
}

// -- contact_dates -----------------------------------------------------------------------------

static bool is_date(const struct calendar_spec *date, unsigned count, int32_t day)
{
    const struct calendar_today today = calendar_today(day);

    for (unsigned i = 0; i < count; i++)
        if (calendar_spec_is_today(&date[i], &today)) return true;
    return false;
}

void judge_dates(const struct judge_case *c)
{
    const struct calendar_spec *date = &c->j->plan->set->date[c->op->hot_first];
    struct zone_clock *clock = c->j->clock;
    const struct judge_zones *zones = judge_zones(c);
    int64_t good_until_s = INT64_MAX, bad_until_s = INT64_MIN;
    int32_t day = 0;
    bool bad = false, any = false;

    c->finding->zones_unknown = zones->unknown;
    if (zones->set_count == 0) judge_block(c, REASON_BANNED_DATE);
    JUDGE_EACH_ZONE(zones, s, i)
    {
        uint16_t zone = zones->set[s]->zone[i];
        const struct zone_local *l = zone_clock_at(clock, zone);

        // zones next to each other mostly have the same day
        if (!any || l->day != day) bad = is_date(date, c->op->hot_count, l->day);
        any = true;
        day = l->day;
        if (bad && !c->finding->blocks) {
            judge_block(c, REASON_BANNED_DATE);
            c->finding->zone = zone;
        }
        if (bad && !c->j->foresee) return;
        if (bad)
            bad_until_s = at_least(bad_until_s, l->day_end_s);
        else
            good_until_s = at_most(good_until_s, l->day_end_s);
    }
    if (c->j->foresee && zones->set_count)
        judge_until(c, c->finding->blocks ? bad_until_s : good_until_s);
}
