// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/rule/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"

#define RIG_TEXT_MAX 32768

struct zones *rig_zones;
struct places *rig_places;
struct zone_clock rig_clock;
static struct packs *packs;

int rig_group_setup(void **state)
{
    struct err_info info = {0};

    (void)state;
    if (zones_load(&rig_zones, ZONES_DEFAULT, &info) == 0 &&
        places_new(&rig_places, rig_zones, &info) == 0 && packs_load(&packs, NULL, &info) == 0)
        return 0;
    print_error("%s\n", info.text);
    return -1;
}

int rig_group_teardown(void **state)
{
    (void)state;
    packs_free(packs);
    places_free(rig_places);
    zones_free(rig_zones);
    return 0;
}

int64_t rig_instant(const char *text)
{
    int64_t ns = 0;

    if (!clock_parse(str_of(text), &ns)) fail_msg("%s is no instant", text);
    return ns / 1000000000;
}

const struct zone_set *rig_zone(const char *name)
{
    uint16_t zone = zones_find(rig_zones, str_of(name));

    if (zone == ZONES_NONE) fail_msg("%s is not found", name);
    return zones_only(rig_zones, zone);
}

// -- the world -----------------------------------------------------------------------------------

static struct attempts_count count_attempts(void *ctx, const struct attempts_query *query)
{
    struct rig *r = ctx;
    struct attempts_count count = {.unknown = r->counts_unknown};

    r->query = *query;
    r->query_count++;
    for (unsigned i = 0; i < query->area_code_count; i++) r->area_codes[i] = query->area_codes[i];
    count.reserved = r->reserved < query->enough ? r->reserved : query->enough;
    count.count = count.reserved;
    // newest first, as far as they are asked for
    for (int64_t below = INT64_MAX; count.count < query->enough;) {
        int64_t newest = INT64_MIN;

        for (unsigned i = 0; i < r->attempt_count; i++)
            if (r->attempt_s[i] < below && r->attempt_s[i] > newest) newest = r->attempt_s[i];
        if (newest == INT64_MIN) break;
        below = newest;
        if (newest < query->since_s || newest >= query->before_s) continue;
        count.count++;
        count.oldest_s = newest;
    }
    return count;
}

static enum judge_list listed(void *ctx, unsigned list, int64_t *ret_until_s)
{
    const struct rig *r = ctx;

    *ret_until_s = r->listed_until_s;
    if (r->list_missing) return JUDGE_LIST_MISSING;
    return r->listed >> list & 1 ? JUDGE_LISTED : JUDGE_NOT_LISTED;
}

static int64_t obtained_s(void *ctx, unsigned list)
{
    (void)list;
    return ((const struct rig *)ctx)->obtained_s;
}

static enum judge_external ask_external(void *ctx, unsigned rule, int *ret_call_result)
{
    const struct rig *r = ctx;

    assert_true(rule < r->set->rule_count);
    if (r->external_result) *ret_call_result = r->external_result;
    return r->external;
}

static bool has_list(void *ctx, struct str name)
{
    (void)ctx;
    return str_eq(name, STR("listed"));
}

// -- rules and facts -----------------------------------------------------------------------------

static int slot_of(void *ctx, struct str field)
{
    (void)ctx;
    return field.ptr[0] - 'A';
}

void rig_open(struct rig *r, const char *tenant, const char *rules, const char *plan)
{
    static char text[RIG_TEXT_MAX];
    static struct ruleset_errors errors;
    struct err_info info = {0};

    *r = (struct rig){.listed_until_s = INT64_MAX};
    snprintf(text, sizeof text, "{'version': '1', 'tenant': {%s}, 'rules': [%s]%s%s%s}", tenant,
             rules, plan ? ", 'plans': [{" : "", plan ? plan : "", plan ? "}]" : "");
    for (char *c = text; *c; c++) *c = *c == '\'' ? '"' : *c == '`' ? '\'' : *c;
    errors = (struct ruleset_errors){0};
    if (ruleset_parse(&r->set, str_of(text), rig_places, packs, has_list, NULL, &errors))
        fail_msg("%s: %s %s", text, errors.error[0].pointer, errors.error[0].text);
    if (rule_plan_new(&r->plan, r->set, plan ? 0 : RULE_PLAN_NONE, rig_places, slot_of, NULL,
                      &info))
        fail_msg("%s", info.text);
    r->world = (struct judge_world){.ctx = r,
                                    .count = count_attempts,
                                    .listed = listed,
                                    .obtained_s = obtained_s,
                                    .external = ask_external};
    r->judge = (struct judge){.plan = r->plan,
                              .facts = &r->facts,
                              .world = &r->world,
                              .clock = &rig_clock,
                              .channel = CHANNEL_VOICE,
                              .counts_before_s = INT64_MAX};
    zone_clock_set(&rig_clock, rig_zones, rig_instant("2026-11-18T17:00:00Z")); // a Wednesday
}

void rig_close(struct rig *r)
{
    rule_plan_free(r->plan);
    ruleset_unref(r->set);
}

void rig_at(const char *instant)
{
    zone_clock_set(&rig_clock, rig_zones, rig_instant(instant));
}

void rig_place(struct rig *r, const char *code)
{
    struct str whole = str_of(code), country = {code, 2};
    unsigned number = places_country(rig_places, country);
    uint64_t regions[ATTEMPT_REGION_WORDS];

    if (!number) fail_msg("no country %s", code);
    r->facts.at.countries[number / 64] |= 1ull << (number % 64);
    r->facts.zones_else = places_at_country(rig_places, number)->zones;
    if (whole.size == 2)
        places_regions_of(rig_places, number, regions);
    else if (!places_regions(rig_places, number, str_make(code + 3, whole.size - 3), regions))
        fail_msg("no region %s", code);
    for (unsigned i = 0; i < ATTEMPT_REGION_WORDS; i++) r->facts.at.regions[i] |= regions[i];
}

void rig_test(struct rig *r, unsigned test, enum expr_value value)
{
    uint64_t bit = 1ull << (test % 64);

    assert_true(test < r->plan->test_count);
    r->facts.test_true[test / 64] &= ~bit;
    r->facts.test_unknown[test / 64] &= ~bit;
    if (value == EXPR_TRUE) r->facts.test_true[test / 64] |= bit;
    if (value == EXPR_UNKNOWN) r->facts.test_unknown[test / 64] |= bit;
}

static void tell_shadow(void *ctx, unsigned op)
{
    struct rig *r = ctx;

    assert_true(r->shadow_count < RIG_OPS_MAX);
    r->shadow[r->shadow_count++] = op;
}

// -- answers -------------------------------------------------------------------------------------

static const char *name_of(const struct rig *r, int op)
{
    static char name[160];

    if (op < 0) return "";
    str_copy(name, sizeof name, r->set->rule[r->plan->op[op].rule].name);
    return name;
}

const char *rig_first(struct rig *r, struct judge_finding *ret)
{
    r->shadow_count = 0;
    return name_of(r, judge_first(&r->judge, ret, tell_shadow, r));
}

void rig_blocks(struct rig *r, enum reason reason)
{
    struct judge_finding f = {0}, first = {0};

    judge_rule(&r->judge, 0, &f);
    if (!f.applies || !f.blocks || f.reason != reason)
        fail_msg("applies %d, blocks %d: %s", f.applies, f.blocks, reason_text(f.reason).ptr);
    // one function, two ways in
    assert_int_equal(judge_first(&r->judge, &first, NULL, NULL), 0);
    assert_int_equal(first.reason, reason);
    assert_int_equal(first.call_result, f.call_result);
}

void rig_allows(struct rig *r)
{
    struct judge_finding f = {0};

    judge_rule(&r->judge, 0, &f);
    if (!f.applies || f.blocks)
        fail_msg("applies %d, blocks %d: %s", f.applies, f.blocks, reason_text(f.reason).ptr);
    assert_string_equal(rig_first(r, &f), "");
}

void rig_applies_not(struct rig *r)
{
    struct judge_finding f = {0};

    judge_rule(&r->judge, 0, &f);
    if (f.applies) fail_msg("applies, blocks %d: %s", f.blocks, reason_text(f.reason).ptr);
    assert_string_equal(rig_first(r, &f), "");
}
