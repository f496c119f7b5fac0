// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/rule_plan.h"

#include <stdlib.h>

#include "engine/base/check.h"

struct maker {
    struct rule_plan *p;
    const struct ruleset *set;
    uint16_t *test_first; // by expression, RULE_PLAN_NONE = not used yet
    int (*slot_of)(void *ctx, struct str field);
    void *ctx;
    struct err_info *info;
};

// The field tests of an expression, one run for all rules that use it.
static int add_tests(struct maker *m, uint16_t expr, uint16_t *ret_first)
{
    const struct expr_pool *pool = &m->set->expr;
    struct rule_plan *p = m->p;
    const struct expr *e;

    if (expr == RULE_EXPR_NONE) return 0;
    e = &pool->expr[expr];
    if (m->test_first[expr] != RULE_PLAN_NONE) {
        *ret_first = m->test_first[expr];
        return 0;
    }
    m->test_first[expr] = *ret_first = (uint16_t)p->test_count;
    for (unsigned i = 0; i < e->test_count; i++) {
        unsigned test = e->test_first + i;
        int slot;

        if (pool->test[test].of_count) continue;
        if (p->test_count == RULE_PLAN_TESTS_MAX)
            return err_set(m->info, ERR_FULL,
                           "the expressions that hold for one campaign group look at fields more "
                           "than %d times; join some or give the group fewer rules",
                           RULE_PLAN_TESTS_MAX);
        slot = m->slot_of(m->ctx, pool->field[pool->test[test].field]);
        if (slot < 0)
            return err_set(m->info, ERR_FULL,
                           "the rule sets name more fields than a record can "
                           "hold; name fewer");
        p->test[p->test_count].test = (uint16_t)test;
        p->test[p->test_count++].slot = (uint16_t)slot;
    }
    return 0;
}

static bool is_plain(const struct rule *rule)
{
    return rule->where.area_codes.count == 0 && rule->where.postal_codes.count == 0 &&
           rule->unless == RULE_EXPR_NONE && rule->from_day == RULE_DAY_FIRST &&
           rule->until_day == RULE_DAY_LAST;
}

static bool is_dated(const struct rule *rule)
{
    return rule->from_day != RULE_DAY_FIRST || rule->until_day != RULE_DAY_LAST;
}

static bool expr_counts(const struct expr_pool *pool, uint16_t expr)
{
    if (expr == RULE_EXPR_NONE) return false;
    for (unsigned i = 0; i < pool->expr[expr].test_count; i++)
        if (pool->test[pool->expr[expr].test_first + i].of_count) return true;
    return false;
}

static bool rule_counts(const struct ruleset *set, const struct rule *rule)
{
    return rule->type == VERDICT_ATTEMPTS || expr_counts(&set->expr, rule->unless) ||
           (rule->type == VERDICT_CUSTOM && expr_counts(&set->expr, rule->block_if));
}

static int add_rule(struct maker *m, unsigned number)
{
    const struct rule *rule = &m->set->rule[number];
    struct rule_plan *p = m->p;
    struct rule_op *op = &p->op[p->op_count];
    struct rule_slice hot = {0};
    int err;

    if (!(rule->purposes & p->purposes) || !(rule->dialing & p->dialing)) return 0;
    if (rule->type == VERDICT_CONTACT_TIMES) hot = rule->windows;
    if (rule->type == VERDICT_CONTACT_DATES) hot = rule->dates;
    *op = (struct rule_op){
        .at = rule->where.at,
        .rule = (uint16_t)number,
        .type = rule->type,
        .channels = rule->channels,
        .purposes = rule->purposes,
        .dialing = rule->dialing,
        .zone_from = rule->zone_from ? rule->zone_from : p->zone_from,
        .shadow = rule->shadow,
        .plain = is_plain(rule),
        .hot_first = hot.first,
        .hot_count = hot.count,
    };
    err = add_tests(m, rule->unless, &op->unless_test_first);
    if (err == 0 && rule->type == VERDICT_CUSTOM)
        err = add_tests(m, rule->block_if, &op->test_first);
    if (err < 0) return err;
    p->op_count++;
    p->counts |= rule_counts(m->set, rule);
    p->external |= rule->type == VERDICT_EXTERNAL;
    p->zoned |= rule->type == VERDICT_CONTACT_TIMES || rule->type == VERDICT_CONTACT_DATES ||
                (rule->type == VERDICT_ATTEMPTS && rule->attempts.period_kind == PERIOD_DAYS) ||
                is_dated(rule);
    return 0;
}

// What the tenant says, and the plan where it says more.
static void set_defaults(struct rule_plan *p, const struct ruleset *set,
                         const struct ruleset_plan *own)
{
    p->default_country = set->default_country;
    p->zone_from = own && own->zone_from ? own->zone_from : set->zone_from;
    p->purposes = own && own->purposes ? own->purposes : set->purposes;
    p->dialing = own && own->dialing ? own->dialing : set->dialing;
    if (set->unknown_is_default) p->zone_default = zones_only(p->zones, set->default_zone);
}

static int slot_or_none(const struct maker *m, struct str field)
{
    int slot = field.size ? m->slot_of(m->ctx, field) : -1;

    return slot < 0 ? -1 : slot;
}

static int add_rules(struct maker *m, const struct ruleset_plan *own)
{
    const struct ruleset *set = m->set;
    uint8_t named[RULESET_RULES_MAX] = {0};
    int err = 0;

    for (unsigned i = 0; own && i < own->rules.count; i++)
        named[set->named_rule[own->rules.first + i]] = 1;
    for (unsigned i = 0; i < set->rule_count && err == 0; i++)
        if (set->rule[i].required || named[i]) err = add_rule(m, i);
    return err;
}

static int fill_rows(struct rule_plan *p, struct err_info *info)
{
    p->op_words = (p->op_count + 63) / 64;
    p->region_row = calloc((size_t)(RULE_PLAN_ROWS + 1) * p->op_words + 1, sizeof *p->region_row);
    if (!p->region_row)
        return err_set(info, ERR_NOMEM, "no memory for the rules of a campaign group");
    p->counting_row = p->region_row + (size_t)RULE_PLAN_ROWS * p->op_words;
    for (unsigned i = 0; i < p->op_count; i++) {
        const uint64_t *regions = p->op[i].at.regions;
        // region 0 is no region: who names it means all
        unsigned rows = places_has(regions, 0) ? 1 : RULE_PLAN_ROWS;

        if (rule_counts(p->set, &p->set->rule[p->op[i].rule]))
            p->counting_row[i / 64] |= 1ull << (i % 64);
        for (unsigned row = 0; row < rows; row++)
            if (places_has(regions, row))
                p->region_row[row * p->op_words + i / 64] |= 1ull << (i % 64);
    }
    return 0;
}

// There was room for every rule of the set; a tenant may have thousands of plans.
static void trim(struct rule_plan *p)
{
    struct rule_op *op = realloc(p->op, (p->op_count + 1) * sizeof *op);

    if (op) p->op = op;
}

int rule_plan_new(struct rule_plan **ret, struct ruleset *set, unsigned plan,
                  const struct places *places, int (*slot_of)(void *ctx, struct str field),
                  void *ctx, struct err_info *info)
{
    const struct ruleset_plan *own = plan == RULE_PLAN_NONE ? NULL : &set->plan[plan];
    struct maker m = {.set = set, .slot_of = slot_of, .ctx = ctx, .info = info};
    unsigned exprs = set->expr.expr_count;
    int err;

    CHECK(plan == RULE_PLAN_NONE || plan < set->plan_count);
    m.p = calloc(1, sizeof *m.p);
    if (m.p) m.p->op = calloc(set->rule_count + 1, sizeof *m.p->op);
    m.test_first = malloc((exprs + 1) * sizeof *m.test_first);
    if (!m.p || !m.p->op || !m.test_first) {
        err = err_set(info, ERR_NOMEM, "no memory for the rules of a campaign group");
        goto out;
    }
    memset(m.test_first, 0xff, exprs * sizeof *m.test_first);
    m.p->set = ruleset_ref(set);
    m.p->places = places;
    m.p->zones = places_zones(places);
    set_defaults(m.p, set, own);
    m.p->subject_slot = slot_or_none(&m, set->subject_field);
    m.p->disposition_slot = slot_or_none(&m, set->disposition_field);
    err = add_rules(&m, own);
    if (err == 0) err = fill_rows(m.p, info);
    if (err == 0) {
        trim(m.p);
        *ret = m.p;
        m.p = NULL;
    }
out:
    free(m.test_first);
    rule_plan_free(m.p);
    return err;
}

void rule_plan_free(struct rule_plan *p)
{
    if (!p) return;
    ruleset_unref(p->set);
    free(p->op);
    free(p->region_row);
    free(p);
}
