// SPDX-License-Identifier: Apache-2.0
#include "engine/base/check.h"
#include "engine/rule/judge_part.h"

// When it is not known when history will be known, or a reservation end: look again so soon.
#define UNKNOWN_AGAIN_S  60
#define RESERVED_AGAIN_S 1

// How long this count, or what it is compared with, is sure to hold. Time alone only makes counts
// smaller: attempts to come are not foreseen.
static int64_t count_until(const struct judge *j, const struct attempts_count *count,
                           int64_t period_s)
{
    if (count->unknown) return j->clock->now_s + UNKNOWN_AGAIN_S;
    if (count->reserved) return j->clock->now_s + RESERVED_AGAIN_S;
    return count->count ? count->oldest_s + period_s : INT64_MAX;
}

static void query_place(struct attempts_query *query, const struct ruleset *set,
                        const struct rule_where *where, uint16_t area_codes[RULE_COUNTED_CODES_MAX])
{
    // bit 0 stands for anywhere
    if (where->at.regions[0] & where->at.countries[0] & 1 && where->area_codes.count == 0) return;
    query->placed = true;
    for (unsigned i = 0; i < ATTEMPT_REGION_WORDS; i++) query->regions[i] = where->at.regions[i];
    for (unsigned i = 0; i < ATTEMPT_COUNTRY_WORDS; i++)
        query->countries[i] = where->at.countries[i];
    for (unsigned i = 0; i < where->area_codes.count; i++)
        area_codes[i] = (uint16_t)set->prefix[where->area_codes.first + i].value;
    query->area_codes = area_codes;
    query->area_code_count = where->area_codes.count;
}

// The earliest instant at which, in a zone that counts, the first of the days began. False when no
// zone is known.
static bool days_begin(const struct judge_case *c, const struct judge_zones *zones,
                       int64_t *ret_since_s)
{
    struct zone_clock *clock = c->j->clock;
    unsigned back = c->rule->attempts.period - 1;
    uint16_t last = ZONES_NONE;
    int64_t since_s = INT64_MAX;

    JUDGE_EACH_ZONE(zones, s, i)
    {
        uint16_t zone = zones->set[s]->zone[i];
        const struct zone_local *l;
        int64_t begin_s;

        if (zone == last) continue;
        last = zone;
        l = zone_clock_at(clock, zone);
        begin_s = back ? zone_clock_day_begin(clock, zone, l->day - (int32_t)back) : l->day_begin_s;
        if (begin_s < since_s) since_s = begin_s;
    }
    if (since_s == INT64_MAX) return false;
    *ret_since_s = since_s;
    return true;
}

// When the first of the zones turns to another day.
static int64_t days_until(const struct judge_case *c, const struct judge_zones *zones)
{
    int64_t until_s = INT64_MAX;

    JUDGE_EACH_ZONE(zones, s, i)
    {
        const struct zone_local *l = zone_clock_at(c->j->clock, zones->set[s]->zone[i]);

        if (l->day_end_s < until_s) until_s = l->day_end_s;
    }
    return until_s;
}

static void foresee_attempts(const struct judge_case *c, const struct judge_zones *zones)
{
    const struct rule_attempts *a = &c->rule->attempts;
    const struct attempts_count *count = &c->finding->count;

    if (a->period_kind == PERIOD_DAYS) {
        judge_until(c, days_until(c, zones));
        if (count->unknown || count->reserved) judge_until(c, count_until(c->j, count, 0));
    } else if (c->finding->blocks) {
        judge_until(c, count_until(c->j, count, a->period));
    }
}

void judge_attempts(const struct judge_case *c)
{
    const struct rule_attempts *a = &c->rule->attempts;
    const struct ruleset *set = c->j->plan->set;
    struct judge_finding *f = c->finding;
    uint16_t area_codes[RULE_COUNTED_CODES_MAX];
    const struct judge_zones *zones = NULL;
    struct attempts_query query = {
        .by = a->count_by,
        .group_only = a->group_only,
        .subject_only = a->subject_only,
        .channels = c->op->channels,
        .results = a->results,
        .dispositions = a->dispositions.count ? &set->word[a->dispositions.first] : NULL,
        .disposition_count = a->dispositions.count,
        .since_s = c->j->clock->now_s - a->period + 1,
        .before_s = c->j->counts_before_s,
        .enough = a->max,
    };

    if (a->period_kind == PERIOD_DAYS) {
        zones = judge_zones(c);
        f->zones_unknown = zones->unknown;
        if (!days_begin(c, zones, &query.since_s)) {
            f->count.unknown = true;
            judge_block(c, REASON_ATTEMPTS_UNKNOWN);
            return;
        }
    }
    query_place(&query, set, &a->counted_where, area_codes);
    f->count = c->j->world->count(c->j->world->ctx, &query);
    f->since_s = query.since_s;
    if (f->count.count >= a->max)
        judge_block(c, REASON_ATTEMPTS_USED);
    else if (f->count.unknown)
        judge_block(c, REASON_ATTEMPTS_UNKNOWN);
    if (c->j->foresee) foresee_attempts(c, zones);
}

// -- expressions -------------------------------------------------------------------------------

static enum expr_value count_test(const struct judge_case *c, const struct expr_test *test)
{
    const struct expr_count *what = &c->j->plan->set->expr.count[test->count];
    const struct attempts_query query = {
        .by = what->by,
        .channels = c->op->channels,
        .results = what->results,
        .since_s = c->j->clock->now_s - what->period_s + 1,
        .before_s = c->j->counts_before_s,
        .enough = test->number + 1, // decides every comparison
    };
    struct attempts_count count = c->j->world->count(c->j->world->ctx, &query);

    if (c->j->foresee) judge_until(c, count_until(c->j, &count, what->period_s));
    return expr_test_count(test, &count);
}

// Fills the values of tests on fields, and UNKNOWN for counts. True when there are counts.
static bool field_values(const struct judge_case *c, const struct expr *e, unsigned test_first,
                         enum expr_value *values)
{
    const struct expr_test *test = &c->j->plan->set->expr.test[e->test_first];
    const struct facts *f = c->j->facts;
    unsigned bit = test_first, i = 0;
    bool counts = false;

    do {
        values[i] = EXPR_UNKNOWN;
        if (test[i].of_count) {
            counts = true;
            continue;
        }
        if (!(f->test_unknown[bit / 64] >> bit % 64 & 1))
            values[i] = f->test_true[bit / 64] >> bit % 64 & 1 ? EXPR_TRUE : EXPR_FALSE;
        bit++;
    } while (++i < e->test_count);
    return counts;
}

enum expr_value judge_expr(const struct judge_case *c, unsigned expr, unsigned test_first,
                           bool *ret_counts_unknown)
{
    const struct expr_pool *pool = &c->j->plan->set->expr;
    const struct expr *e = &pool->expr[expr];
    enum expr_value values[EXPR_TESTS_MAX], result;
    bool counts = field_values(c, e, test_first, values);

    *ret_counts_unknown = false;
    result = expr_eval(pool, e, values);
    // what the record alone decides needs no counting
    for (unsigned i = 0; counts && i < e->test_count && result == EXPR_UNKNOWN; i++) {
        if (!pool->test[e->test_first + i].of_count) continue;
        values[i] = count_test(c, &pool->test[e->test_first + i]);
        if (values[i] == EXPR_UNKNOWN) {
            *ret_counts_unknown = true;
            continue;
        }
        result = expr_eval(pool, e, values);
    }
    return result;
}
