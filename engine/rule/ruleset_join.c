// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/rule/ruleset_read.h"

static int compare_names(struct str a, struct str b)
{
    size_t both = a.size < b.size ? a.size : b.size;
    int order = both ? memcmp(a.ptr, b.ptr, both) : 0;

    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_rules(const void *a, const void *b, void *rules)
{
    const struct rule *x = (const struct rule *)rules + *(const uint16_t *)a;
    const struct rule *y = (const struct rule *)rules + *(const uint16_t *)b;

    if (x->priority != y->priority) return x->priority < y->priority ? -1 : 1;
    return compare_names(x->name, y->name);
}

static int compare_plans(const void *a, const void *b)
{
    return compare_names(((const struct ruleset_plan *)a)->campaign_group,
                         ((const struct ruleset_plan *)b)->campaign_group);
}

// Puts the rules in their order; rule_names gives their new numbers.
static int sort_rules(struct ruleset_reader *r)
{
    unsigned n = r->set->rule_count;
    uint16_t *order = calloc(2 * (size_t)n + 1, sizeof *order), *place = order + n;
    struct rule *rules = calloc(n ? n : 1, sizeof *rules);
    struct ruleset_origin *origins = calloc(n ? n : 1, sizeof *origins);
    struct ruleset_names *names = &r->own->rule_names;

    if (!order || !rules || !origins) {
        free(order);
        free(rules);
        free(origins);
        return ERR_NOMEM;
    }
    for (unsigned i = 0; i < n; i++) order[i] = (uint16_t)i;
    qsort_r(order, n, sizeof *order, compare_rules, r->set->rule);
    for (unsigned i = 0; i < n; i++) {
        rules[i] = r->set->rule[order[i]];
        origins[i] = r->rule_origin[order[i]];
        place[order[i]] = (uint16_t)i;
    }
    for (unsigned i = 0; i < names->room; i++)
        if (names->slot[i].name.ptr) names->slot[i].number = place[names->slot[i].number];
    free(order);
    free(r->set->rule);
    free(r->rule_origin);
    r->set->rule = rules;
    r->rule_origin = origins;
    return 0;
}

// Steps to a key of a rule, where it was written.
static void enter_rule(struct ruleset_reader *r, const struct ruleset_origin *origin,
                       struct str pack, struct str key)
{
    if (origin->pack != RULESET_SOURCE && !r->alone) {
        ruleset_key_push(r, STR("packs"));
        ruleset_index_push(r, origin->pack);
        ruleset_leave(r, "pack", pack);
    }
    ruleset_key_push(r, STR("rules"));
    ruleset_index_push(r, origin->index);
    ruleset_key_push(r, key);
}

static void leave_rule(struct ruleset_reader *r)
{
    r->depth = r->leaves = 0;
}

// The number of a list that is declared, or that the engine has (it is given one then).
static int list_number(struct ruleset_reader *r, struct str name)
{
    int number = ruleset_names_find(&r->list_names, name);
    struct str *row;

    if (number >= 0) return number;
    if (!ruleset_list_name(name) || !r->has_list || !r->has_list(r->has_list_ctx, name)) {
        ruleset_fail(r, "no list \"%.*s\"; declare it in \"lists\" or with --list",
                     RULESET_CLIP(name));
        return -1;
    }
    row = ruleset_push(r, &r->set->list_name, &r->set->list_name_count, sizeof *row, "lists");
    if (!row) return -1;
    *row = name;
    number = (int)r->set->list_name_count - 1;
    if (ruleset_names_add(&r->list_names, name, (unsigned)number) == ERR_NOMEM) r->err = ERR_NOMEM;
    return number;
}

static void join_plans(struct ruleset_reader *r)
{
    struct ruleset *set = r->set;

    for (unsigned i = 0; i < r->list_use_count; i++) {
        int number;

        ruleset_key_push(r, STR("plans"));
        ruleset_index_push(r, r->list_use[i].plan);
        ruleset_key_push(r, STR("lists"));
        ruleset_index_push(r, r->list_use[i].index);
        number = list_number(r, r->list_use[i].name);
        if (number >= 0 && i < set->named_list_count) set->named_list[i] = (uint16_t)number;
        r->depth = 0;
    }
    for (unsigned i = 0; i < r->rule_use_count; i++) {
        int number = ruleset_names_find(&r->own->rule_names, r->rule_use[i].name);

        if (number >= 0 && i < set->named_rule_count) set->named_rule[i] = (uint16_t)number;
        if (number >= 0) continue;
        ruleset_key_push(r, STR("plans"));
        ruleset_index_push(r, r->rule_use[i].plan);
        ruleset_key_push(r, STR("rules"));
        ruleset_index_push(r, r->rule_use[i].index);
        ruleset_fail(r, "no rule \"%.*s\" in the document or its packs",
                     RULESET_CLIP(r->rule_use[i].name));
        r->depth = 0;
    }
    if (set->plan_count) qsort(set->plan, set->plan_count, sizeof *set->plan, compare_plans);
}

// A day of the called party's may be 25 hours long, and the zones of one number some hours apart.
static uint32_t window_of(const struct rule *rule)
{
    const struct rule_attempts *a = &rule->attempts;

    if (rule->type != VERDICT_ATTEMPTS) return 0;
    return a->period_kind == PERIOD_SLIDING ? a->period : (a->period + 1) * 86400 + 7200;
}

static void join_rules(struct ruleset_reader *r)
{
    struct ruleset *set = r->set;
    struct ruleset_origin *origin = r->rule_origin;

    for (unsigned i = 0; i < set->rule_count; i++) {
        struct rule *rule = &set->rule[i];
        int number;

        if (window_of(rule) > set->window_max_s) set->window_max_s = window_of(rule);
        if (origin[i].list.ptr) {
            enter_rule(r, &origin[i], rule->pack, STR("list"));
            number = list_number(r, origin[i].list);
            if (number >= 0) rule->of_list.list = (uint16_t)number;
            leave_rule(r);
        }
        if (rule->type != VERDICT_ATTEMPTS || !rule->attempts.subject_only ||
            set->subject_field.size)
            continue;
        rule->attempts.subject_only = false;
        if (rule->pack.ptr) continue;
        enter_rule(r, &origin[i], rule->pack, STR("per_subject"));
        ruleset_fail(r, "needs \"subject_field\" in \"tenant\", the field that names the subject");
        leave_rule(r);
    }
    for (unsigned i = 0; i < set->expr.count_count; i++)
        if (set->expr.count[i].period_s > set->window_max_s)
            set->window_max_s = set->expr.count[i].period_s;
}

bool ruleset_expr_full(const struct ruleset *set)
{
    return set->expr.field_count > RULESET_FIELDS_MAX || set->expr.count_count > RULESET_COUNTS_MAX;
}

void ruleset_join(struct ruleset_reader *r)
{
    if (sort_rules(r) < 0) {
        r->err = ERR_NOMEM;
        return;
    }
    join_rules(r);
    join_plans(r);
    if (!ruleset_expr_full(r->set)) return;
    ruleset_key_push(r, STR("rules"));
    ruleset_fail(r,
                 "the expressions, with those of packs, name more than %d fields or %d different "
                 "counts of attempts",
                 RULESET_FIELDS_MAX, RULESET_COUNTS_MAX);
    ruleset_pop(r);
}
