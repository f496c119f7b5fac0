// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/rule_plan.h"
#include "engine/wire/record.h"
#include "tests/unit/rule/fixture.h"

// Fields in the order in which they were asked for, slots from 40 on.
static struct {
    char name[64][32];
    int count, max;
} fields;

static int slot_of(void *ctx, struct str field)
{
    assert_ptr_equal(ctx, &fields);
    for (int i = 0; i < fields.count; i++)
        if (str_eq(str_of(fields.name[i]), field)) return 40 + i;
    if (fields.count == fields.max) return ERR_FULL;
    str_copy(fields.name[fields.count], sizeof fields.name[0], field);
    return 40 + fields.count++;
}

static struct ruleset *parsed(const char *text)
{
    struct ruleset *set = NULL;

    if (fixture_parse(&set, text) < 0)
        fail_msg("%s: %s", fixture.errors.error[0].pointer, fixture.errors.error[0].text);
    return set;
}

// The plan of a group, the only reference to its set.
static struct rule_plan *planned(struct ruleset *set, unsigned plan)
{
    struct rule_plan *p = NULL;
    struct err_info info = {0};

    memset(&fields, 0, sizeof fields);
    fields.max = 64;
    if (rule_plan_new(&p, set, plan, fixture.places, slot_of, &fields, &info) < 0)
        fail_msg("%s", info.text);
    return p;
}

static void has_ops(const struct rule_plan *p, const char *names)
{
    char found[256] = "";

    for (unsigned i = 0; i < p->op_count; i++) {
        size_t used = strlen(found);

        snprintf(found + used, sizeof found - used, "%s%.*s", i ? " " : "",
                 STR_ARG(p->set->rule[p->op[i].rule].name));
    }
    assert_string_equal(found, names);
}

#define NEVER "'type':'contact_times','windows':[]"

static void test_choice(void **state)
{
    struct ruleset *set = parsed(
        "{'version':'1','tenant':{'default_country':'US'},'rules':["
        "{'name':'late','required':true,'priority':500," NEVER "},"
        "{'name':'named'," NEVER "},{'name':'other'," NEVER "},"
        "{'name':'sales','required':true,'purposes':['solicitation']," NEVER "},"
        "{'name':'debts','required':true,'purposes':['collection','informational']," NEVER "},"
        "{'name':'by hand','required':true,'dialing':['manual']," NEVER "}],"
        "'plans':[{'campaign_group':'a','rules':['named']},"
        "{'campaign_group':'b','purpose':'collection','dialing':'prerecorded'},"
        "{'campaign_group':'c','rules':['sales','other','other','late'],'dialing':'manual'}]}");
    struct rule_plan *p = planned(set, RULE_PLAN_NONE);

    (void)state;
    has_ops(p, "by hand debts sales late");
    assert_int_equal(p->purposes, RULE_ANY);
    assert_int_equal(p->default_country, places_country(fixture.places, STR("US")));
    assert_ptr_equal(p->zones, fixture.zones);
    assert_null(p->zone_default);
    rule_plan_free(p);
    p = planned(set, 0);
    has_ops(p, "by hand debts named sales late");
    rule_plan_free(p);
    p = planned(set, 1);
    has_ops(p, "debts late");
    assert_int_equal(p->purposes, PURPOSE_COLLECTION);
    assert_int_equal(p->dialing, DIALING_PRERECORDED);
    rule_plan_free(p);
    p = planned(set, 2);
    has_ops(p, "by hand debts other sales late");
    rule_plan_free(p);
    rule_plan_free(NULL);
    ruleset_unref(set);
}

// A plan says more than its tenant.
static void test_tenant_and_plan(void **state)
{
    struct ruleset *set =
        parsed("{'version':'1','tenant':{'purpose':'solicitation','zone_from':['contact','state'],"
               "'default_zone':'Europe/Paris','zone_unknown':'default'},"
               "'rules':[{'name':'debts','required':true,'purposes':['collection']," NEVER "},"
               "{'name':'own','required':true,'zone_from':['postal_code']," NEVER "}],"
               "'plans':[{'campaign_group':'a','purpose':'collection','zone_from':['device']}]}");
    struct rule_plan *p = planned(set, RULE_PLAN_NONE);

    (void)state;
    has_ops(p, "own");
    assert_int_equal(p->zone_from, 1 << ZONE_CONTACT | 1 << ZONE_STATE);
    assert_int_equal(p->op[0].zone_from, 1 << ZONE_POSTAL_CODE);
    assert_int_equal(p->zone_default->count, 1);
    assert_string_equal(zones_name(fixture.zones, p->zone_default->zone[0]), "Europe/Paris");
    rule_plan_free(p);
    p = planned(set, 0);
    has_ops(p, "debts own");
    assert_int_equal(p->op[0].zone_from, 1 << ZONE_DEVICE);
    assert_int_equal(p->op[1].zone_from, 1 << ZONE_POSTAL_CODE);
    ruleset_unref(set); // the plan keeps its own
    assert_true(str_eq(p->set->rule[p->op[0].rule].name, STR("debts")));
    rule_plan_free(p);
}

static void test_ops(void **state)
{
    struct ruleset *set = parsed(
        "{'version':'1','packs':['t-one'],'rules':["
        "{'name':'a','required':true,'type':'location','where':{'state':['TX']},"
        "'channels':['sms']},"
        "{'name':'b','required':true,'type':'location','where':{'area_code':['867']}},"
        "{'name':'c','required':true,'mode':'shadow','effective_until':'2026-01-01'," NEVER "},"
        "{'name':'d','required':true,'type':'contact_dates','dates':['01-01','02-02']}]}");
    struct rule_plan *p = planned(set, RULE_PLAN_NONE);
    const struct rule_op *op = p->op;

    (void)state;
    has_ops(p, "a b c d t.debt t.hours t.unverified");
    assert_int_equal(op[0].type, VERDICT_LOCATION);
    assert_int_equal(op[0].channels, 1 << CHANNEL_SMS);
    assert_memory_equal(&op[0].at, &set->rule[op[0].rule].where.at, sizeof op[0].at);
    assert_true(op[0].plain && !op[0].shadow);
    assert_false(op[1].plain);
    assert_true(!op[2].plain && op[2].shadow);
    assert_int_equal(op[3].hot_count, 2);
    assert_int_equal(set->date[op[3].hot_first + 1].month, 2);
    assert_int_equal(op[5].hot_count, 1);
    assert_int_equal(set->window[op[5].hot_first].till, 1260);
    assert_true(op[6].shadow);
    assert_int_equal(op[6].hot_count, 2);
    assert_true(p->counts && p->zoned && !p->external);
    rule_plan_free(p);
    ruleset_unref(set);
}

static void test_marks(void **state)
{
    static const struct {
        const char *rule;
        bool counts, external, zoned;
    } rows[] = {
        {"'type':'location','where':{'state':['TX']}", false, false, false},
        {"'type':'location','where':{'state':['TX']},'effective_from':'2026-01-01'", false, false,
         true},
        {"'type':'external','url':'http://127.0.0.1/'", false, true, false},
        {"'type':'attempts','max':1,'period':'1d'", true, false, false},
        {"'type':'attempts','max':1,'period':'1cd'", true, false, true},
        {"'type':'custom','block_if':'AttemptsOnDevice(24H, [Answer]) > 1'", true, false, false},
        {"'type':'location','where':{'state':['TX']},"
         "'unless':'AttemptsOnContact(24H, [Answer]) > 1'",
         true, false, false},
        {"'type':'custom','block_if':'$A == 1'", false, false, false},
        {"'type':'contact_dates','dates':['12-25']", false, false, true},
        {NEVER, false, false, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[512];
        struct ruleset *set;
        struct rule_plan *p;

        snprintf(text, sizeof text, "{'version':'1','rules':[{'name':'a','required':true,%s}]}",
                 rows[i].rule);
        set = parsed(text);
        p = planned(set, RULE_PLAN_NONE);
        assert_int_equal(p->counts, rows[i].counts);
        assert_int_equal(p->external, rows[i].external);
        assert_int_equal(p->zoned, rows[i].zoned);
        rule_plan_free(p);
        ruleset_unref(set);
    }
}

static void is_test(const struct rule_plan *p, unsigned i, const char *field)
{
    const struct expr_pool *pool = &p->set->expr;

    assert_true(i < p->test_count);
    assert_string_equal(fields.name[p->test[i].slot - 40], field);
    assert_true(str_eq(pool->field[pool->test[p->test[i].test].field], str_of(field)));
}

static void test_field_tests(void **state)
{
    struct ruleset *set =
        parsed("{'version':'1','tenant':{'subject_field':'debt_id'},'rules':["
               "{'name':'a','required':true,'type':'custom','unless':'$U == 1',"
               "'block_if':'$B == 1 or AttemptsOnDevice(24H, [Answer]) > 1 or $C == 2'},"
               "{'name':'b','required':true,'type':'custom','block_if':'$C == 3 or $B > 4'},"
               "{'name':'unused','type':'custom','block_if':'$D == 3'}]}");
    struct rule_plan *p = planned(set, RULE_PLAN_NONE);
    const struct rule_op *op = p->op;

    (void)state;
    has_ops(p, "a b");
    assert_int_equal(p->test_count, 5);
    is_test(p, op[0].unless_test_first, "U");
    is_test(p, op[0].test_first, "B");
    is_test(p, op[0].test_first + 1, "C");
    is_test(p, op[1].test_first, "C");
    is_test(p, op[1].test_first + 1, "B");
    assert_true(p->counts);
    assert_string_equal(fields.name[p->subject_slot - 40], "debt_id");
    assert_string_equal(fields.name[p->disposition_slot - 40], "DispositionCode");
    rule_plan_free(p);
    ruleset_unref(set);
    set = parsed("{'version':'1'}");
    p = planned(set, RULE_PLAN_NONE);
    assert_int_equal(p->op_count, 0);
    assert_int_equal(p->subject_slot, -1);
    rule_plan_free(p);
    ruleset_unref(set);
}

static void test_full(void **state)
{
    char text[16384] = "{'version':'1','rules':[";
    struct ruleset *set;
    struct rule_plan *p = NULL;
    struct err_info info = {0};

    (void)state;
    for (int i = 0; i < 5; i++) { // five times 32 tests are more than a plan can hold
        size_t used = strlen(text);

        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%s{'name':'r%d','required':%s,'type':'custom','block_if':'",
                                 i ? "," : "", i, i < 4 ? "true" : "false");
        for (int k = 0; k < 32; k++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s$F%d == %d",
                                     k ? " or " : "", i, k);
        snprintf(text + used, sizeof text - used, "'}");
    }
    snprintf(text + strlen(text), sizeof text - strlen(text),
             "],'plans':[{'campaign_group':'g','rules':['r4']}]}");
    set = parsed(text);
    p = planned(set, RULE_PLAN_NONE);
    assert_int_equal(p->test_count, 128);
    rule_plan_free(p);
    p = NULL;
    assert_int_equal(rule_plan_new(&p, set, 0, fixture.places, slot_of, &fields, &info), ERR_FULL);
    assert_non_null(strstr(info.text, "more than 128 times"));
    assert_null(p);
    memset(&fields, 0, sizeof fields);
    fields.max = 3; // the records have no more room
    assert_int_equal(
        rule_plan_new(&p, set, RULE_PLAN_NONE, fixture.places, slot_of, &fields, &info), ERR_FULL);
    assert_non_null(strstr(info.text, "more fields than a record can hold"));
    assert_null(p);
    ruleset_unref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),      cmocka_unit_test(test_tenant_and_plan),
        cmocka_unit_test(test_ops),         cmocka_unit_test(test_marks),
        cmocka_unit_test(test_field_tests), cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
