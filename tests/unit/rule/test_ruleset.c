// SPDX-License-Identifier: Apache-2.0
#include "engine/base/clock.h"
#include "engine/wire/record.h"
#include "tests/unit/rule/fixture.h"

// -- whole documents ---------------------------------------------------------------------------

static void test_contract(void **state)
{
    struct ruleset *set = good(fixture_contract);
    const struct rule *rule = &set->rule[0]; // priority 10
    struct str when = STR("2026-09-01T00:00:00-05:00");
    int64_t ns;

    (void)state;
    is_text(set->version, "2026-11-22.1");
    is_text(set->tenant_name, "Acme");
    assert_int_equal(set->default_country, places_country(fixture.places, STR("US")));
    assert_string_equal(zones_name(fixture.zones, set->default_zone), "America/New_York");
    assert_false(set->unknown_is_default);
    assert_int_equal(set->rule_count, 8);
    is_text(rule->name, "weekday hours");
    assert_true(rule->required);
    assert_int_equal(rule->zone_from, 1 << ZONE_DEVICE | 1 << ZONE_POSTAL_CODE | 1 << ZONE_CONTACT);
    assert_int_equal(rule->windows.count, 2);
    assert_int_equal(set->window[rule->windows.first].days, 0x3f);
    assert_int_equal(set->window[rule->windows.first].from, 540);
    assert_int_equal(set->window[rule->windows.first].till, 1260);
    assert_int_equal(set->window[rule->windows.first + 1].days, 0x40);
    assert_int_equal(set->window[rule->windows.first + 1].till, 1440);
    assert_int_equal(rule->from_day, calendar_day(2025, 9, 1));
    assert_int_equal(rule->until_day, RULE_DAY_LAST);
    assert_int_equal(rule->call_result, 52);
    is_text(rule->cite, "Tex. Bus. & Com. Code 301.051");
    is_text(rule->verified, "2026-09-30");

    rule = rule_named(set, "seven in seven");
    assert_int_equal(rule->attempts.results,
                     1ull << 6 | 1ull << 7 | 1ull << 9 | 1ull << 33 | 1ull << 21);
    assert_int_equal(rule->attempts.period, 7 * 86400);
    assert_int_equal(rule->attempts.period_kind, PERIOD_SLIDING);
    rule = rule_named(set, "three today");
    assert_int_equal(rule->attempts.results, call_result_default_set());
    assert_int_equal(rule->attempts.period_kind, PERIOD_DAYS);
    assert_int_equal(rule->attempts.period, 1);
    assert_int_equal(rule->attempts.count_by, COUNT_BY_CLIENT);
    assert_true(rule->attempts.group_only);
    assert_int_equal(rule_named(set, "no wireless there")->line_types, 1 << LINE_WIRELESS);
    assert_true(clock_parse(when, &ns));
    assert_int_equal(rule_named(set, "storm")->emergency.from_s, ns / 1000000000);
    rule = rule_named(set, "never there");
    assert_int_equal(set->prefix[rule->where.area_codes.first].value, 867);
    assert_int_equal(set->prefix[rule->where.area_codes.first].digits, 3);
    assert_int_equal(rule_named(set, "second try")->block_if, 0);
    assert_int_equal(set->window_max_s, 7 * 86400);
    assert_int_equal(set->plan_count, 1);
    is_text(set->plan[0].campaign_group, "Spring@Agents");
    assert_int_equal(set->plan[0].zone_from, 1 << ZONE_DEVICE);
    assert_int_equal(set->named_rule[set->plan[0].rules.first],
                     ruleset_find(set, STR("three today")));
    is_text(set->list_name[set->named_list[set->plan[0].lists.first]], "internal");
    ruleset_unref(set);
}

static void test_defaults(void **state)
{
    struct ruleset *set = good("{'version':'1'}");

    (void)state;
    assert_int_equal(set->default_country, 0);
    assert_int_equal(set->default_zone, ZONES_NONE);
    assert_int_equal(set->zone_from, 15);
    assert_int_equal(set->purposes, RULE_ANY);
    assert_int_equal(set->dialing, RULE_ANY);
    assert_int_equal(set->reserve_s, 10);
    assert_int_equal(set->subject_field.size, 0);
    is_text(set->disposition_field, "DispositionCode");
    assert_int_equal(set->rule_count + set->list_count + set->plan_count, 0);
    assert_int_equal(ruleset_find(set, STR("a")), -1);
    ruleset_unref(set);
    set = good("{'version':'1','tenant':{'zone_unknown':'default','default_zone':'utc',"
               "'purpose':'collection','dialing':'manual','subject_field':'debt_id',"
               "'disposition_field':'Result_2','reserve':'10m','zone_from':['state']}}");
    assert_true(set->unknown_is_default);
    assert_int_equal(set->purposes, PURPOSE_COLLECTION);
    assert_int_equal(set->dialing, DIALING_MANUAL);
    assert_int_equal(set->reserve_s, 600);
    assert_int_equal(set->zone_from, 1 << ZONE_STATE);
    is_text(set->subject_field, "debt_id");
    ruleset_unref(set);
}

static void test_syntax(void **state)
{
    (void)state;
    bad("", "", "no JSON");
    bad("[]", "", "must be an object");
    bad("{'version':'1'", "", "line 1, column 15");
    bad("{'version':'1',\n 'rules':[}", "", "line 2");
    bad("{'version':'1'} x", "", "something follows the end");
    bad("{'version':'1','rules':[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}", "", "nested deeper than");
    bad("{'version':'1',\n 'packs':['\xe9']}", "", "is not UTF-8: line 2, column 12");
    bad("{}", "", "has no \"version\"");
    bad("{'version':1}", "/version", "must be text");
    bad("{'version':''}", "/version", "must not be empty");
    bad("{'version':'1','version':'2'}", "/version", "comes twice");
    bad("{'version':'1','rule':[]}", "/rule", "did you mean \"rules\"?");
    bad("{'version':'1','zzzzzz':[]}", "/zzzzzz", "unknown key");
    bad("{'version':'1','a/b~c':0}", "/a~1b~0c", "unknown key");
    bad("{'version':'1','rules':{}}", "/rules", "must be an array of objects");
    bad("{'version':'1','rules':[7]}", "/rules/0", "must be an object");
    bad("{'version':'12345678901234567890123456789012345678901234567890123456789012345'}",
        "/version", "has 65 bytes, at most 64");
}

static void test_tenant(void **state)
{
    (void)state;
    bad("{'version':'1','tenant':{'default_country':'XQ'}}", "/tenant/default_country", "ISO");
    bad("{'version':'1','tenant':{'default_country':'USA'}}", "/tenant/default_country", "ISO");
    bad("{'version':'1','tenant':{'default_zone':'Mars/Base'}}", "/tenant/default_zone",
        "America/New_York");
    bad("{'version':'1','tenant':{'zone_unknown':'default'}}", "/tenant", "no \"default_zone\"");
    bad("{'version':'1','tenant':{'zone_unknown':'newest'}}", "/tenant/zone_unknown",
        "\"intersect\" or \"default\"");
    bad("{'version':'1','tenant':{'zone_from':['phone']}}", "/tenant/zone_from/0",
        "\"device\", \"postal_code\", \"state\" or \"contact\"");
    bad("{'version':'1','tenant':{'zone_from':[]}}", "/tenant/zone_from", "is empty");
    bad("{'version':'1','tenant':{'purpose':['collection']}}", "/tenant/purpose", "must be");
    bad("{'version':'1','tenant':{'subject_field':'$debt'}}", "/tenant/subject_field",
        "without \"$\"");
    bad("{'version':'1','tenant':{'subject_field':''}}", "/tenant/subject_field", "field");
    bad("{'version':'1','tenant':{'disposition_field':'a b'}}", "/tenant/disposition_field",
        "field");
    bad("{'version':'1','tenant':{'reserve':'0s'}}", "/tenant/reserve", "from \"1s\" to \"600s\"");
    bad("{'version':'1','tenant':{'reserve':'11m'}}", "/tenant/reserve", "length of time");
    bad("{'version':'1','tenant':{'reserve':60}}", "/tenant/reserve", "length of time");
    bad("{'version':'1','tenant':null}", "/tenant", "must be an object");
}

// -- order, names, plans -----------------------------------------------------------------------

static void test_order(void **state)
{
    struct ruleset *set =
        good(RULES("{'name':'b','type':'contact_times','windows':[]},"
                   "{'name':'aa','type':'contact_times','windows':[]},"
                   "{'name':'a','type':'contact_times','windows':[]},"
                   "{'name':'Z','type':'contact_times','windows':[]},"
                   "{'name':'z','type':'contact_times','windows':[],'priority':0}"));
    static const char *const want[] = {"z", "Z", "a", "aa", "b"};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(want); i++) {
        is_text(set->rule[i].name, want[i]);
        assert_int_equal(ruleset_find(set, str_of(want[i])), i);
    }
    ruleset_unref(set);
}

static void test_plans(void **state)
{
    struct ruleset *set =
        good("{'version':'1','rules':[{'name':'r1','type':'contact_times','windows':[]},"
             "{'name':'r0','type':'contact_times','windows':[]}],"
             "'plans':[{'campaign_group':'b','rules':['r1','r0'],'purpose':'collection'},"
             "{'campaign_group':'a','rules':['r1'],'lists':['extra','internal'],"
             "'dialing':'manual'}]}");

    (void)state;
    is_text(set->plan[0].campaign_group, "a");
    assert_int_equal(set->plan[0].rules.count, 1);
    assert_int_equal(set->named_rule[set->plan[0].rules.first], 1);
    assert_int_equal(set->plan[0].dialing, DIALING_MANUAL);
    assert_int_equal(set->plan[0].purposes, 0);
    is_text(set->list_name[set->named_list[set->plan[0].lists.first + 1]], "internal");
    assert_int_equal(set->plan[1].rules.count, 2);
    assert_int_equal(set->named_rule[set->plan[1].rules.first + 1], 0);
    assert_int_equal(set->plan[1].purposes, PURPOSE_COLLECTION);
    ruleset_unref(set);
    bad("{'version':'1','plans':[{}]}", "/plans/0", "has no \"campaign_group\"");
    bad("{'version':'1','plans':[{'campaign_group':' '}]}", "/plans/0/campaign_group", "name");
    bad("{'version':'1','plans':[{'campaign_group':'a'},{'campaign_group':'a'}]}",
        "/plans/1/campaign_group", "plan 0 is for this");
    bad("{'version':'1','plans':[{'campaign_group':'a','rules':['x']}]}", "/plans/0/rules/0",
        "no rule \"x\"");
    bad("{'version':'1','plans':[{'campaign_group':'a','lists':['extra',7]}]}", "/plans/0/lists/1",
        "the name of a list");
    bad("{'version':'1','plans':[{'campaign_group':'a','lists':['nobody']}]}", "/plans/0/lists/0",
        "no list \"nobody\"");
    bad("{'version':'1','plans':[{'campaign_group':'a','priority':1}]}", "/plans/0/priority",
        "unknown key");
}

static void test_lists(void **state)
{
    struct ruleset *set =
        good("{'version':'1','lists':[{'name':'l','kind':'email','channels':['email','sms'],"
             "'max_age':'2h','cite':'c','url':'u','note':'n','verified':'2026-01-31'}]}");

    (void)state;
    assert_int_equal(set->list[0].kind, 'e');
    assert_int_equal(set->list[0].channels, 1 << CHANNEL_EMAIL | 1 << CHANNEL_SMS);
    assert_int_equal(set->list[0].max_age_s, 7200);
    assert_false(set->list[0].required);
    is_text(set->list[0].verified, "2026-01-31");
    is_text(set->list_name[0], "l");
    ruleset_unref(set);
    bad("{'version':'1','lists':[{'kind':'email'}]}", "/lists/0", "has no \"name\"");
    bad("{'version':'1','lists':[{'name':'a b'}]}", "/lists/0/name", "the name of a list");
    bad("{'version':'1','lists':[{'name':'.a'}]}", "/lists/0/name", "the name of a list");
    bad("{'version':'1','lists':[{'name':'a','kind':'phone'}]}", "/lists/0/kind", "\"client\"");
    bad("{'version':'1','lists':[{'name':'a','max_age':'soon'}]}", "/lists/0/max_age", "length");
    bad("{'version':'1','lists':[{'name':'a'},{'name':'a'}]}", "/lists/1/name", "this name");
    bad("{'version':'1','lists':[{'name':'a','type':'x'}]}", "/lists/0/type", "unknown key");
}

// -- packs -------------------------------------------------------------------------------------

static void test_packs(void **state)
{
    struct ruleset *set =
        good("{'version':'1','packs':['t-one'],'lists':[{'name':'national','max_age':'40d',"
             "'cite':'own words','kind':'device'}],"
             "'rules':[{'name':'mine','type':'contact_times','windows':[],'priority':1}],"
             "'plans':[{'campaign_group':'g','rules':['t.hours'],'lists':['t.list']}]}");
    const struct ruleset_list *list = &set->list[0];

    (void)state;
    assert_int_equal(set->rule_count, 5);
    is_text(rule_named(set, "t.hours")->pack, "t-one");
    assert_null(rule_named(set, "mine")->pack.ptr);
    assert_false(rule_named(set, "t.hours")->shadow);
    assert_true(rule_named(set, "t.unverified")->shadow);
    assert_null(rule_named(set, "t.unverified")->verified.ptr);
    assert_int_equal(rule_named(set, "t.unverified")->dates.count, 2);
    // no subject_field: the key of a pack's rule has no effect
    assert_false(rule_named(set, "t.debt")->attempts.subject_only);
    assert_int_equal(set->list_count, 2);
    is_text(list->name, "national");
    is_text(list->pack, "t-one");
    is_text(list->cite, "own words");
    assert_int_equal(list->max_age_s, 31 * 86400);
    assert_int_equal(list->channels, RULE_ANY);
    assert_true(set->list[1].required);
    ruleset_unref(set);
    set = good("{'version':'1','packs':['t-one'],'tenant':{'unverified_rules':'enforce',"
               "'subject_field':'debt_id'},'lists':[{'name':'national','max_age':'1d',"
               "'channels':['sms']},{'name':'t.list','required':false}]}");
    assert_true(set->list[1].required);
    assert_true(rule_named(set, "t.watched")->shadow);
    assert_false(rule_named(set, "t.unverified")->shadow);
    assert_true(rule_named(set, "t.debt")->attempts.subject_only);
    assert_int_equal(set->list[0].max_age_s, 86400);
    assert_int_equal(set->list[0].channels, 1 << CHANNEL_SMS | 1 << CHANNEL_VOICE);
    assert_int_equal(set->list[0].kind, 'd');
    ruleset_unref(set);
}

static void test_packs_wrong(void **state)
{
    struct ruleset *set = NULL;

    (void)state;
    bad("{'version':'1','packs':['mars']}", "/packs/0", "no pack \"mars\"; there are: ");
    bad("{'version':'1','packs':['t-one','t-one']}", "/packs/1", "named twice");
    bad("{'version':'1','packs':['t-one'],'rules':[{'name':'t.hours','type':'contact_times',"
        "'windows':[]}]}",
        "/rules/0/name", "a rule of pack \"t-one\" has this name");
    bad("{'version':'1','packs':['t-one','t-three']}", "/packs/1",
        "pack t-three /rules/0/name: a rule of pack \"t-one\" has this name");
    bad("{'version':'1','packs':['t-one'],'lists':[{'name':'national','kind':'client'}]}",
        "/packs/0", "pack t-one /lists/0/kind: list \"national\" is declared with another kind");
    assert_int_equal(fixture_parse(&set, "{'version':'1','packs':['t-two']}"), ERR_BAD_VALUE);
    assert_int_equal(fixture.errors.count, 4);
    has_error("/packs/0", "pack t-two /rules/0: has no \"cite\", which a rule of a pack must have");
    has_error("/packs/0", "has no \"title\"");
    has_error("/packs/0", "has no \"url\"");
    has_error("/packs/0", "has no \"verified\"");
}

static void test_pack_alone(void **state)
{
    struct ruleset *set = NULL;
    const struct pack *pack = packs_find(fixture.packs, STR("t-one"));

    (void)state;
    memset(&fixture.errors, 0, sizeof fixture.errors);
    assert_int_equal(ruleset_of_pack(&set, pack, fixture.places, fixture.packs, &fixture.errors),
                     0);
    assert_false(rule_named(set, "t.unverified")->shadow);
    assert_false(rule_named(set, "t.watched")->shadow);
    assert_true(rule_named(set, "t.debt")->attempts.subject_only);
    assert_int_equal(set->default_country, places_country(fixture.places, STR("US")));
    assert_int_equal(set->sum, pack->sum);
    ruleset_unref(set);
    set = NULL;
    pack = packs_find(fixture.packs, STR("t-two"));
    assert_int_equal(ruleset_of_pack(&set, pack, fixture.places, fixture.packs, &fixture.errors),
                     ERR_BAD_VALUE);
    assert_null(set);
    has_error("/rules/0", "has no \"cite\"");
}

// What is shipped is good, alone and all together.
static void test_shipped_packs(void **state)
{
    char text[2048] = "{'version':'1','tenant':{'default_country':'US'},'packs':[";
    struct ruleset *set;

    (void)state;
    for (unsigned i = 0; i < packs_count(fixture.packs); i++) {
        const struct pack *pack = packs_at(fixture.packs, i);
        size_t used = strlen(text);

        if (str_starts(pack->name, STR("t-"))) continue;
        set = NULL;
        memset(&fixture.errors, 0, sizeof fixture.errors);
        if (ruleset_of_pack(&set, pack, fixture.places, fixture.packs, &fixture.errors) < 0) {
            show_errors();
            fail_msg("pack %.*s", STR_ARG(pack->name));
        }
        ruleset_unref(set);
        snprintf(text + used, sizeof text - used, "%s'%.*s'", text[used - 1] == '[' ? "" : ",",
                 STR_ARG(pack->name));
    }
    snprintf(text + strlen(text), sizeof text - strlen(text), "]}");
    ruleset_unref(good(text));
}

// -- all errors at once, memory, sharing -------------------------------------------------------

static void test_all_errors(void **state)
{
    struct ruleset *set = NULL;

    (void)state;
    assert_int_equal(fixture_parse(&set,
                                   "{'verzion':'1','tenant':{'reserve':'x'},'packs':['mars'],"
                                   "'rules':[{'type':'attempts','max':0,'periods':1},{'name':'a'}],"
                                   "'plans':[{'rules':['nobody']}]}"),
                     ERR_BAD_VALUE);
    assert_int_equal(fixture.errors.count, 11);
    has_error("", "has no \"version\"");
    has_error("/verzion", "mean \"version\"?");
    has_error("/tenant/reserve", "length");
    has_error("/packs/0", "no pack");
    has_error("/rules/0", "has no \"name\"");
    has_error("/rules/0/max", "from 1");
    has_error("/rules/0/periods", "mean \"period\"?");
    has_error("/rules/0", "has no \"period\"");
    has_error("/rules/1", "has no \"type\"");
    has_error("/plans/0", "has no \"campaign_group\"");
    has_error("/plans/0/rules/0", "no rule \"nobody\"");
}

static void test_escapes(void **state)
{
    struct ruleset *set =
        good(RULES("{'\\u006eame':'caf\\u00e9 \\'x\\'','type':'custom','title':'a\\tb',"
                   "'block_if':'$A == \\'\\u00fc\\''}"));
    struct buf b;

    (void)state;
    is_text(set->rule[0].name, "caf\xc3\xa9 \"x\"");
    is_text(set->rule[0].title, "a\tb");
    assert_int_equal(ruleset_find(set, STR("caf\xc3\xa9 \"x\"")), 0);
    buf_init(&b, 4096);
    ruleset_write_rule(&b, set, 0);
    assert_non_null(strstr((buf_char(&b, 0), b.ptr),
                           "{\"name\":\"caf\xc3\xa9 \\\"x\\\"\",\"type\":\"custom\","
                           "\"title\":\"a\\tb\",\"mode\":\"enforce\""));
    buf_done(&b);
    ruleset_unref(set);
}

static void test_write(void **state)
{
    struct ruleset *set = good("{'version':'1','packs':['t-one']}");
    static const char want[] =
        "{\"name\":\"t.unverified\",\"type\":\"contact_dates\",\"title\":\"Days\","
        "\"mode\":\"shadow\",\"required\":true,\"priority\":100,\"call_result\":52,"
        "\"pack\":\"t-one\",\"cite\":\"c\",\"url\":\"u\",\"verified\":null}";
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    ruleset_write_rule(&b, set, (unsigned)ruleset_find(set, STR("t.unverified")));
    is_text(buf_view(&b), want);
    buf_done(&b);
    ruleset_unref(set);
}

static void test_references(void **state)
{
    struct ruleset *set = good("{'version':'1'}"), *twin = ruleset_ref(set);

    (void)state;
    assert_ptr_equal(set, twin);
    ruleset_unref(set);
    is_text(twin->version, "1"); // still there; a sanitizer would say otherwise
    ruleset_unref(twin);
    ruleset_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contract),      cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_syntax),        cmocka_unit_test(test_tenant),
        cmocka_unit_test(test_order),         cmocka_unit_test(test_plans),
        cmocka_unit_test(test_lists),         cmocka_unit_test(test_packs),
        cmocka_unit_test(test_packs_wrong),   cmocka_unit_test(test_pack_alone),
        cmocka_unit_test(test_shipped_packs), cmocka_unit_test(test_all_errors),
        cmocka_unit_test(test_escapes),       cmocka_unit_test(test_write),
        cmocka_unit_test(test_references),
    };

    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
