// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a rule set: it is refused with errors that name a place, or every slice and number
// of it lies where it may, its rules are in order and found by name, each is written as JSON, and
// plans can be made of it.
#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/rule/rule_plan.h"
#include "engine/wire/json.h"
#include "tests/fuzz/fuzz.h"

static struct places *places;
static struct packs *packs;

static void start(void)
{
    struct zones *zones = NULL;

    CHECK(zones_load(&zones, ZONES_DEFAULT, NULL) == 0);
    CHECK(places_new(&places, zones, NULL) == 0);
    CHECK(packs_load(&packs, NULL, NULL) == 0);
}

static bool has_list(void *ctx, struct str name)
{
    (void)ctx;
    return str_eq(name, STR("internal"));
}

static int slot_of(void *ctx, struct str field)
{
    (void)ctx;
    return field.size > 20 ? -1 : 3;
}

static void check_slice(struct rule_slice slice, unsigned count)
{
    CHECK(slice.count == 0 || (unsigned)slice.first + slice.count <= count);
}

static void check_where(const struct ruleset *set, const struct rule_where *where)
{
    check_slice(where->area_codes, set->prefix_count);
    check_slice(where->postal_codes, set->postal_count);
}

static void check_windows(const struct ruleset *set, struct rule_slice windows)
{
    for (unsigned i = 0; i < windows.count; i++) {
        const struct rule_window *a = &set->window[windows.first + i];

        CHECK(a->from < a->till && a->till <= 1440 && a->days && a->days < 0x80);
        for (unsigned k = 0; k < i; k++) {
            const struct rule_window *b = &set->window[windows.first + k];

            CHECK(!(a->days & b->days) || a->till <= b->from || b->till <= a->from);
        }
    }
}

static void check_expr(const struct ruleset *set, uint16_t expr)
{
    CHECK(expr == RULE_EXPR_NONE || expr < set->expr.expr_count);
}

static void check_of_type(const struct ruleset *set, const struct rule *rule)
{
    switch (rule->type) {
    case VERDICT_CONTACT_TIMES:
        check_slice(rule->windows, set->window_count);
        check_windows(set, rule->windows);
        break;
    case VERDICT_CONTACT_DATES:
        check_slice(rule->dates, set->date_count);
        CHECK(rule->dates.count > 0);
        break;
    case VERDICT_ATTEMPTS:
        CHECK(rule->attempts.max >= 1 && rule->attempts.max <= 1000 && rule->attempts.period);
        CHECK(rule->attempts.results || rule->attempts.dispositions.count);
        CHECK(!rule->attempts.subject_only || set->subject_field.size);
        check_slice(rule->attempts.dispositions, set->word_count);
        check_where(set, &rule->attempts.counted_where);
        CHECK(rule->attempts.period_kind == PERIOD_DAYS ||
              rule->attempts.period <= set->window_max_s);
        break;
    case VERDICT_LINE_TYPE:
        CHECK(rule->line_types);
        break;
    case VERDICT_CUSTOM:
        CHECK(rule->block_if < set->expr.expr_count);
        break;
    case VERDICT_EMERGENCY:
        CHECK(rule->emergency.from_s < rule->emergency.till_s);
        break;
    case VERDICT_FRESHNESS:
    case VERDICT_SUPPRESSION:
        CHECK(rule->of_list.list < set->list_name_count);
        break;
    default:
        CHECK(rule->type == VERDICT_LOCATION || rule->type == VERDICT_EXTERNAL);
    }
}

static bool in_order(const struct rule *a, const struct rule *b)
{
    size_t both = a->name.size < b->name.size ? a->name.size : b->name.size;
    int order = memcmp(a->name.ptr, b->name.ptr, both);

    if (a->priority != b->priority) return a->priority < b->priority;
    return order ? order < 0 : a->name.size < b->name.size;
}

static void check_written(const struct ruleset *set, unsigned rule)
{
    struct json_value v;
    struct json j;
    struct buf b;

    buf_init(&b, (size_t)1 << 20);
    ruleset_write_rule(&b, set, rule);
    CHECK(!b.failed);
    j = json_start(buf_view(&b), 2);
    CHECK(json_value(&j, &v) && v.type == JSON_OBJECT && json_end(&j));
    buf_done(&b);
}

static void check_plans(struct ruleset *set)
{
    for (unsigned i = 0; i <= set->plan_count && i < 8; i++) {
        unsigned plan = i == set->plan_count ? RULE_PLAN_NONE : i;
        struct rule_plan *p = NULL;
        int err = rule_plan_new(&p, set, plan, places, slot_of, NULL, NULL);

        CHECK(err == 0 || err == ERR_FULL);
        for (unsigned k = 0; p && k < p->op_count; k++) {
            CHECK(p->op[k].zone_from && p->op[k].rule < set->rule_count);
            CHECK(k == 0 || p->op[k - 1].rule < p->op[k].rule);
        }
        rule_plan_free(p);
    }
}

static void check_set(struct ruleset *set)
{
    for (unsigned i = 0; i < set->rule_count; i++) {
        const struct rule *rule = &set->rule[i];

        CHECK(rule->name.size && rule->name.size <= 128 && rule->priority <= 1000);
        CHECK(i == 0 || in_order(rule - 1, rule));
        CHECK(ruleset_find(set, rule->name) == (int)i);
        CHECK(rule->channels && rule->purposes && rule->dialing);
        check_where(set, &rule->where);
        check_expr(set, rule->unless);
        check_of_type(set, rule);
        check_written(set, i);
    }
    for (unsigned i = 0; i < set->list_count; i++)
        CHECK(str_eq(set->list[i].name, set->list_name[i]));
    for (unsigned i = 0; i < set->plan_count; i++) {
        check_slice(set->plan[i].lists, set->named_list_count);
        check_slice(set->plan[i].rules, set->named_rule_count);
    }
    for (unsigned i = 0; i < set->named_list_count; i++)
        CHECK(set->named_list[i] < set->list_name_count);
    for (unsigned i = 0; i < set->named_rule_count; i++)
        CHECK(set->named_rule[i] < set->rule_count);
    check_plans(set);
}

static void check_errors(const struct ruleset_errors *errors)
{
    CHECK(errors->count > 0 && errors->shown > 0 && errors->shown <= RULESET_ERRORS_MAX);
    for (unsigned i = 0; i < errors->shown; i++) {
        CHECK(errors->error[i].pointer[0] == '/' || !errors->error[i].pointer[0]);
        CHECK(errors->error[i].text[0]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ruleset_errors errors;
    struct ruleset *set = NULL;
    int err;

    if (!places) start();
    errors.count = errors.shown = 0;
    err = ruleset_parse(&set, str_make((const char *)data, size), places, packs, has_list, NULL,
                        &errors);
    CHECK(err == 0 ? set && errors.count == 0 : err == ERR_BAD_VALUE && !set);
    if (err < 0)
        check_errors(&errors);
    else
        check_set(set);
    ruleset_unref(set);
    return 0;
}
