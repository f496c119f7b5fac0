// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/wire/record.h"
#include "tests/unit/rule/fixture.h"

#define RULES(text) "{'version':'1','rules':[" text "]}"
#define RULE(text)  RULES("{'name':'a'," text "}")

static void show_errors(void)
{
    for (unsigned i = 0; i < fixture.errors.shown; i++)
        print_error("  %s: %s\n", fixture.errors.error[i].pointer, fixture.errors.error[i].text);
}

static struct ruleset *good(const char *text)
{
    struct ruleset *set = NULL;

    if (fixture_parse(&set, text) != 0) {
        show_errors();
        fail_msg("refused: %s", text);
    }
    assert_int_equal(fixture.errors.count, 0);
    return set;
}

static void has_error(const char *pointer, const char *sentence)
{
    for (unsigned i = 0; i < fixture.errors.shown; i++)
        if (strcmp(fixture.errors.error[i].pointer, pointer) == 0 &&
            strstr(fixture.errors.error[i].text, sentence))
            return;
    show_errors();
    fail_msg("no error at \"%s\" with \"%s\"", pointer, sentence);
}

// Exactly this one error.
static void bad(const char *text, const char *pointer, const char *sentence)
{
    struct ruleset *set = NULL;

    if (fixture_parse(&set, text) != ERR_BAD_VALUE) fail_msg("accepted: %s", text);
    assert_null(set);
    has_error(pointer, sentence);
    if (fixture.errors.count != 1) show_errors();
    assert_int_equal(fixture.errors.count, 1);
}

static void is_text(struct str s, const char *want)
{
    assert_int_equal(s.size, strlen(want));
    assert_memory_equal(s.ptr, want, s.size);
}

static const struct rule *rule_named(const struct ruleset *set, const char *name)
{
    int i = ruleset_find(set, str_of(name));

    assert_true(i >= 0);
    return &set->rule[i];
}

// -- whole documents ---------------------------------------------------------------------------

static const char contract[] =
    "{'version':'2026-11-22.1',"
    "'tenant':{'name':'Acme','default_country':'US','default_zone':'America/New_York',"
    "'zone_unknown':'intersect','unverified_rules':'shadow'},"
    "'lists':[{'name':'national','kind':'device','channels':['voice','sms'],'required':true,"
    "'max_age':'31d'},{'name':'internal','kind':'client','required':true}],"
    "'rules':[{'name':'weekday hours','type':'contact_times','required':true,'priority':10,"
    "'where':{'country':['US'],'state':['TX']},'zone_from':['device','postal_code','contact'],"
    "'windows':[{'days':'mon-sat','from':'09:00','till':'21:00'},"
    "{'days':'sun','from':'12:00','till':'24:00'}],'effective_from':'2025-09-01',"
    "'cite':'Tex. Bus. & Com. Code 301.051','url':'https://example.org','verified':'2026-09-30'},"
    "{'name':'no Christmas','type':'contact_dates','dates':['12-25','2026-11-26'],"
    "'where':{'country':['US']}},"
    "{'name':'seven in seven','type':'attempts','max':7,'period':'7d','count_by':'device',"
    "'scope':'tenant','results':['Busy','No Answer','Answering Machine','Answer',21]},"
    "{'name':'three today','type':'attempts','max':3,'period':'today','count_by':'client',"
    "'scope':'group'},"
    "{'name':'no wireless there','type':'line_type','where':{'state':['WY']},"
    "'block':['wireless']},"
    "{'name':'never there','type':'location','where':{'country':['CA'],'area_code':['867']}},"
    "{'name':'storm','type':'emergency','where':{'state':['LA']},"
    "'from':'2026-09-01T00:00:00-05:00','till':'2026-09-04T00:00:00-05:00'},"
    "{'name':'second try','type':'custom','block_if':"
    "'$GSW_STATE_CODE == \\'CA\\' and AttemptsOnDevice(24H, [Answer, Abandoned]) > 1'}],"
    "'plans':[{'campaign_group':'Spring@Agents','lists':['internal'],'rules':['three today'],"
    "'zone_from':['device']}]}";

static void test_contract(void **state)
{
    struct ruleset *set = good(contract);
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
    bad("{'version':'1','rules':[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}", "", "nested more than");
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

// -- rules -------------------------------------------------------------------------------------

static void test_rule_keys(void **state)
{
    (void)state;
    bad(RULES("{'type':'location','where':{'state':['TX']}}"), "/rules/0", "has no \"name\"");
    bad(RULE("'where':{'state':['TX']}"), "/rules/0", "has no \"type\"");
    bad(RULE("'type':'input'"), "/rules/0/type", "\"contact_times\"");
    bad(RULE("'type':'Location','where':{'state':['TX']}"), "/rules/0/type", "\"location\"");
    bad(RULE("'type':'location'"), "/rules/0", "has no \"where\"");
    bad(RULE("'type':'location','where':{}"), "/rules/0/where", "is empty");
    bad(RULE("'type':'location','where':{'state':['TX']},'windows':[]"), "/rules/0/windows",
        "is a key of contact_times rules; this one is of type location");
    bad(RULE("'type':'suppression','list':'extra','max_age':'1d'"), "/rules/0/max_age",
        "is a key of freshness rules");
    bad(RULE("'type':'contact_times'"), "/rules/0", "has no \"windows\"");
    bad(RULE("'type':'contact_times','windows':[],'tytle':[]"), "/rules/0/tytle",
        "mean \"title\"");
    bad(RULE("'type':'contact_times','windows':[],'priority':1001"), "/rules/0/priority",
        "from 0 to 1000");
    bad(RULE("'type':'contact_times','windows':[],'priority':'5'"), "/rules/0/priority", "number");
    bad(RULE("'type':'contact_times','windows':[],'priority':1.5"), "/rules/0/priority", "number");
    bad(RULE("'type':'contact_times','windows':[],'priority':-1"), "/rules/0/priority", "number");
    bad(RULE("'type':'contact_times','windows':[],'required':'yes'"), "/rules/0/required",
        "true or false");
    bad(RULE("'type':'contact_times','windows':[],'mode':'off'"), "/rules/0/mode",
        "\"enforce\" or \"shadow\"");
    bad(RULE("'type':'contact_times','windows':[],'channels':['fax']"), "/rules/0/channels/0",
        "\"voice\", \"sms\" or \"email\"");
    bad(RULE("'type':'contact_times','windows':[],'call_result':1000"), "/rules/0/call_result",
        "from 0 to 999");
    bad(RULE("'type':'contact_times','windows':[],'effective_from':'2026-02-30'"),
        "/rules/0/effective_from", "a day that exists");
    bad(RULE("'type':'contact_times','windows':[],'effective_from':'2026-03-02',"
             "'effective_until':'2026-03-01'"),
        "/rules/0", "never in force");
    bad(RULE("'type':'contact_times','windows':[],'verified':'yesterday'"), "/rules/0/verified",
        "or null");
    bad(RULE("'type':'contact_times','windows':[],'title':null"), "/rules/0/title", "text");
    bad(RULES("{'name':'a','type':'contact_times','windows':[]},"
              "{'name':'b','type':'contact_times','windows':[]},"
              "{'name':'a','type':'contact_times','windows':[]}"),
        "/rules/2/name", "rule 0 has this name");
    bad(RULE("'type':'contact_times','windows':[],'name':'b'"), "/rules/0/name", "comes twice");
}

static void test_windows(void **state)
{
    (void)state;
    ruleset_unref(good(RULE("'type':'contact_times','windows':[]")));
    ruleset_unref(good(RULE("'type':'contact_times','windows':["
                            "{'days':'daily','from':'00:00','till':'09:00'},"
                            "{'days':'Mon-Tue, sun','from':'09:00','till':'24:00'}]")));
#define WINDOW(text)      RULE("'type':'contact_times','windows':[{" text "}]")
#define DAYS(days)        WINDOW("'days':'" days "','from':'09:00','till':'21:00'")
#define TIMES(from, till) WINDOW("'days':'mon','from':'" from "','till':'" till "'")
    bad(TIMES("9:00", "21:00"), "/rules/0/windows/0/from", "like \"09:00\"");
    bad(TIMES("09:60", "21:00"), "/rules/0/windows/0/from", "\"00:00\" to \"24:00\"");
    bad(TIMES("09:00", "24:01"), "/rules/0/windows/0/till", "\"24:00\"");
    bad(TIMES("09:00", "25:00"), "/rules/0/windows/0/till", "\"24:00\"");
    bad(TIMES("+9:00", "21:00"), "/rules/0/windows/0/from", "09:00");
    bad(TIMES("09:00", "09:00"), "/rules/0/windows/0", "is empty");
    bad(TIMES("24:00", "24:00"), "/rules/0/windows/0", "is empty");
    bad(TIMES("21:00", "09:00"), "/rules/0/windows/0", "over midnight");
    bad(DAYS(""), "/rules/0/windows/0/days", "is no day");
    bad(DAYS("mon,"), "/rules/0/windows/0/days", "is no day");
    bad(DAYS("fri-mon"), "/rules/0/windows/0/days", "\"fri-mon\" is no day");
    bad(DAYS("mon-"), "/rules/0/windows/0/days", "is no day");
    bad(DAYS("monday"), "/rules/0/windows/0/days", "is no day");
    bad(DAYS("mon-wed,tue"), "/rules/0/windows/0/days", "named before");
    bad(WINDOW("'days':'mon','from':'09:00'"), "/rules/0/windows/0", "has no \"till\"");
    bad(WINDOW("'days':5,'from':'09:00','till':'10:00'"), "/rules/0/windows/0/days", "days, like");
    bad(RULE("'type':'contact_times','windows':[{'days':'mon-fri','from':'09:00','till':'12:00'},"
             "{'days':'sat','from':'09:00','till':'12:00'},"
             "{'days':'thu-sun','from':'11:59','till':'13:00'}]"),
        "/rules/0/windows/2", "overlaps another window of this rule on thu");
}

static void test_dates(void **state)
{
    struct ruleset *set = good(RULE(
        "'type':'contact_dates','dates':['12-25','02-29','2026-11-26','11-4thu',"
        "'05-lastmon','easter-47',{'date':'07-04','name':'x','observed':{'sat':-1,'Sun':1}}]"));
    const struct rule *rule = &set->rule[0];
    const struct calendar_spec *spec = &set->date[rule->dates.first];

    (void)state;
    assert_int_equal(rule->dates.count, 7);
    assert_int_equal(spec[0].kind, CALENDAR_YEARLY);
    assert_int_equal(spec[2].once, calendar_day(2026, 11, 26));
    assert_int_equal(spec[6].shift_days[5], -1);
    assert_int_equal(spec[6].shift_days[6], 1);
    assert_int_equal(spec[0].shift_days[6], 0);
    ruleset_unref(set);

    set = good(RULES("{'name':'a','type':'contact_dates','calendars':['t-days'],"
                     "'dates':['01-01']},{'name':'b','type':'contact_dates',"
                     "'calendars':['t-days']}"));
    rule = rule_named(set, "a");
    spec = &set->date[rule->dates.first];
    assert_int_equal(rule->dates.count, 3);
    assert_int_equal(spec[0].month, 1);
    assert_int_equal(spec[1].month, 12);
    assert_int_equal(spec[2].shift_days[5], -1);
    rule = rule_named(set, "b");
    assert_int_equal(rule->dates.count, 2);
    assert_int_equal(set->date[rule->dates.first].month, 12);
    ruleset_unref(set);

#define DATE(text) RULE("'type':'contact_dates','dates':[" text "]")
    bad(DATE("'02-30'"), "/rules/0/dates/0", "a date that exists");
    bad(DATE("'12-25','2026-13-01'"), "/rules/0/dates/1", "a date that exists");
    bad(DATE("7"), "/rules/0/dates/0", "a date that exists");
    bad(DATE("{'date':'06-31'}"), "/rules/0/dates/0/date", "a date that exists");
    bad(DATE("{'name':'x'}"), "/rules/0/dates/0", "has no \"date\"");
    bad(DATE("{'date':'07-04','observed':{'saturday':1}}"), "/rules/0/dates/0/observed/saturday",
        "weekday");
    bad(DATE("{'date':'07-04','observed':{'sat':0}}"), "/rules/0/dates/0/observed/sat", "-6");
    bad(DATE("{'date':'07-04','observed':{'sat':1,'SAT':1}}"), "/rules/0/dates/0/observed/SAT",
        "twice");
    bad(DATE(""), "/rules/0", "no date that could ever block");
    bad(RULE("'type':'contact_dates'"), "/rules/0", "neither \"dates\" nor \"calendars\"");
    bad(RULE("'type':'contact_dates','calendars':['mars']"), "/rules/0/calendars/0",
        "no pack has a calendar \"mars\"");
    bad(RULE("'type':'contact_dates','calendars':[]"), "/rules/0/calendars", "is empty");
    bad(RULE("'type':'contact_dates','calendars':['t-bad']"), "/rules/0/calendars/0",
        "calendar t-bad /0: must be a date that exists");
}

static bool names_region(const struct rule *rule, const char *code)
{
    for (unsigned i = 1; i < PLACES_REGIONS_MAX; i++)
        if (strcmp(places_region_code(fixture.places, i), code) == 0)
            return places_has(rule->where.at.regions, i);
    return false;
}

static void test_where(void **state)
{
    struct ruleset *set = good(
        RULES("{'name':'a','type':'location','where':{'state':['wa']}},"
              "{'name':'b','type':'location','where':{'state':['WA','TX'],'country':['US','CA']}},"
              "{'name':'c','type':'location','where':{'postal_code':['sw1a 1','750']}},"
              "{'name':'d','type':'location','where':{'country':['gb']}}"));
    const struct rule *rule = rule_named(set, "a");
    const struct rule_postal *postal;
    unsigned us = places_country(fixture.places, STR("US"));

    (void)state;
    assert_true(names_region(rule, "US-WA"));
    assert_false(names_region(rule, "US-TX"));
    assert_int_equal(rule->where.at.countries[0], UINT64_MAX);
    rule = rule_named(set, "b");
    assert_true(names_region(rule, "US-WA") && names_region(rule, "US-TX"));
    assert_false(names_region(rule, "AU-WA"));
    assert_true(places_has(rule->where.at.countries, us));
    assert_false(places_has(rule->where.at.countries, places_country(fixture.places, STR("GB"))));
    rule = rule_named(set, "c");
    assert_int_equal(rule->where.at.regions[0], UINT64_MAX);
    assert_int_equal(rule->where.postal_codes.count, 2);
    postal = &set->postal[rule->where.postal_codes.first];
    assert_int_equal(postal[0].text, 0x5357314131000000);
    assert_int_equal(postal[0].mask, 0xffffffffff000000);
    assert_int_equal(postal[1].text, 0x3735300000000000);
    rule = rule_named(set, "d");
    assert_int_equal(rule->where.at.regions[1], UINT64_MAX);
    ruleset_unref(set);

#define WHERE(text) RULE("'type':'location','where':{" text "}")
    bad(WHERE("'country':['XX']"), "/rules/0/where/country/0", "unknown country \"XX\"");
    bad(WHERE("'country':['USA']"), "/rules/0/where/country/0", "unknown country");
    bad(WHERE("'country':'US'"), "/rules/0/where/country", "must be an array");
    bad(WHERE("'country':[]"), "/rules/0/where/country", "is empty");
    bad(WHERE("'country':['US','US',3]"), "/rules/0/where/country/2", "two letters");
    bad(WHERE("'state':['ZZ']"), "/rules/0/where/state/0", "unknown state \"ZZ\"");
    bad(WHERE("'country':['CA'],'state':['ON','TX']"), "/rules/0/where/state/1",
        "in none of the countries");
    bad(WHERE("'states':['TX']"), "/rules/0/where/states", "mean \"state\"");
    bad(WHERE("'area_code':[867]"), "/rules/0/where/area_code/0", "in quotes");
    bad(WHERE("'area_code':['']"), "/rules/0/where/area_code/0", "first digits");
    bad(WHERE("'area_code':['020']"), "/rules/0/where/area_code/0", "without a leading 0");
    bad(WHERE("'area_code':['1234567890']"), "/rules/0/where/area_code/0", "first digits");
    bad(WHERE("'postal_code':['123456789']"), "/rules/0/where/postal_code/0", "1 to 8");
    bad(WHERE("'postal_code':[' ']"), "/rules/0/where/postal_code/0", "1 to 8");
    bad(WHERE("'postal_code':['75_']"), "/rules/0/where/postal_code/0", "1 to 8");
}

static void test_attempts(void **state)
{
    struct ruleset *set =
        good(RULE("'type':'attempts','max':1000,'period':'366cd','count_by':'both',"
                  "'dispositions':['Promise','promise to pay'],'counted_where':{'state':['TX'],"
                  "'area_code':['212']}"));
    const struct rule_attempts *a = &set->rule[0].attempts;

    (void)state;
    assert_int_equal(a->period_kind, PERIOD_DAYS);
    assert_int_equal(a->period, 366);
    assert_int_equal(a->count_by, COUNT_BY_BOTH);
    assert_int_equal(a->dispositions.count, 2);
    assert_int_equal(set->word[a->dispositions.first + 1], attempt_word(STR("Promise To Pay")));
    is_text(set->word_text[a->dispositions.first + 1], "promise to pay");
    assert_int_equal(a->counted_where.area_codes.count, 1);
    assert_int_equal(set->rule[0].where.at.regions[0], UINT64_MAX);
    assert_int_equal(set->window_max_s, 367 * 86400 + 7200);
    ruleset_unref(set);
    set = good(RULES("{'name':'a','type':'attempts','max':1,'period':'90m'},"
                     "{'name':'b','type':'custom','block_if':"
                     "'AttemptsOnDevice(3D, [Answer]) > 1'}"));
    assert_int_equal(set->window_max_s, 3 * 86400);
    ruleset_unref(set);

#define ATTEMPTS(text) RULE("'type':'attempts'," text)
    bad(ATTEMPTS("'max':0,'period':'1d'"), "/rules/0/max", "from 1 to 1000");
    bad(ATTEMPTS("'max':1001,'period':'1d'"), "/rules/0/max", "from 1 to 1000");
    bad(ATTEMPTS("'max':1"), "/rules/0", "has no \"period\"");
    bad(ATTEMPTS("'max':1,'period':'367d'"), "/rules/0/period", "at most 366 days");
    bad(ATTEMPTS("'max':1,'period':'367cd'"), "/rules/0/period", "at most 366 days");
    bad(ATTEMPTS("'max':1,'period':'0d'"), "/rules/0/period", "<n>cd");
    bad(ATTEMPTS("'max':1,'period':'30s'"), "/rules/0/period", "<n>cd");
    bad(ATTEMPTS("'max':1,'period':'cd'"), "/rules/0/period", "<n>cd");
    bad(ATTEMPTS("'max':1,'period':7"), "/rules/0/period", "<n>cd");
    bad(ATTEMPTS("'max':1,'period':'1d','results':['Bussy']"), "/rules/0/results/0",
        "unknown call result \"Bussy\"");
    bad(ATTEMPTS("'max':1,'period':'1d','results':[63]"), "/rules/0/results/0", "from 0 to 62");
    bad(ATTEMPTS("'max':1,'period':'1d','results':[]"), "/rules/0/results", "is empty");
    bad(ATTEMPTS("'max':1,'period':'1d','results':[1],'dispositions':['x']"), "/rules/0",
        "keep one");
    bad(ATTEMPTS("'max':1,'period':'1d','dispositions':[' ']"), "/rules/0/dispositions/0",
        "not empty");
    bad(ATTEMPTS("'max':1,'period':'1d','per_subject':true"), "/rules/0/per_subject",
        "needs \"subject_field\"");
    bad(ATTEMPTS("'max':1,'period':'1d','counted_where':{'postal_code':['750']}"),
        "/rules/0/counted_where/postal_code", "without their postal code");
    bad(ATTEMPTS("'max':1,'period':'1d','counted_where':{'area_code':['86']}"),
        "/rules/0/counted_where/area_code/0", "three digits");
}

static void test_other_types(void **state)
{
    struct ruleset *set =
        good(RULES("{'name':'a','type':'external','url':'https://x.example/ask'},"
                   "{'name':'b','type':'emergency','till':'2026-01-01T00:00:00Z'},"
                   "{'name':'c','type':'freshness','list':'internal','max_age':'36h'},"
                   "{'name':'d','type':'suppression','list':'extra','call_result':0}"));
    const struct rule *rule = rule_named(set, "a");

    (void)state;
    is_text(rule->external.url, "https://x.example/ask");
    assert_null(rule->url.ptr);
    assert_int_equal(rule->external.timeout_ms, 500);
    assert_int_equal(rule->external.cache_s, 60);
    assert_int_equal(rule_named(set, "b")->emergency.from_s, INT64_MIN);
    is_text(set->list_name[rule_named(set, "c")->of_list.list], "internal");
    assert_int_equal(rule_named(set, "c")->of_list.max_age_s, 36 * 3600);
    is_text(set->list_name[rule_named(set, "d")->of_list.list], "extra");
    assert_int_equal(rule_named(set, "d")->call_result, 0);
    ruleset_unref(set);
    set = good(RULE("'type':'suppression','list':'extra'"));
    assert_int_equal(set->rule[0].call_result, 51);
    ruleset_unref(set);

    bad(RULE("'type':'external'"), "/rules/0", "has no \"url\"");
    bad(RULE("'type':'external','url':'ftp://x'"), "/rules/0/url", "http:// or https://");
    bad(RULE("'type':'external','url':'http://'"), "/rules/0/url", "http:// or https://");
    bad(RULE("'type':'external','url':'http://a b'"), "/rules/0/url", "http:// or https://");
    bad(RULE("'type':'external','url':'http://a','timeout_ms':49"), "/rules/0/timeout_ms",
        "from 50 to 10000");
    bad(RULE("'type':'external','url':'http://a','cache':'25h'"), "/rules/0/cache",
        "from \"0s\" to \"1d\"");
    bad(RULE("'type':'emergency'"), "/rules/0", "neither \"from\" nor \"till\"");
    bad(RULE("'type':'emergency','from':'2026-01-02T00:00:00Z','till':'2026-01-02T00:00:00Z'"),
        "/rules/0", "ends before it begins");
    bad(RULE("'type':'emergency','from':'2026-01-02T00:00:00'"), "/rules/0/from", "its offset");
    bad(RULE("'type':'line_type','block':['mobile']"), "/rules/0/block/0", "\"voip\"");
    bad(RULE("'type':'line_type'"), "/rules/0", "has no \"block\"");
    bad(RULE("'type':'custom'"), "/rules/0", "has no \"block_if\"");
    bad(RULE("'type':'custom','block_if':'$A ='"), "/rules/0/block_if", "line 1, column ");
    bad(RULE("'type':'custom','block_if':'$A == 1','unless':7"), "/rules/0/unless", "in quotes");
    bad(RULE("'type':'suppression','list':'nobody'"), "/rules/0/list", "no list \"nobody\"");
    bad(RULE("'type':'suppression','list':''"), "/rules/0/list", "no list");
    bad(RULE("'type':'freshness','list':'extra'"), "/rules/0", "has no \"max_age\"");
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
    assert_int_equal(set->rule_count, 4);
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
               "'channels':['sms']}]}");
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

// -- hostile documents -------------------------------------------------------------------------

struct text {
    char *ptr;
    size_t size;
};

static struct text repeated(const char *head, const char *piece, const char *tail, size_t size)
{
    struct text t = {malloc(size + 64), 0};
    size_t piece_size = strlen(piece);

    t.size = strlen(head);
    memcpy(t.ptr, head, t.size);
    while (t.size + piece_size + strlen(tail) + 1 < size) {
        memcpy(t.ptr + t.size, piece, piece_size);
        t.size += piece_size;
    }
    t.size -= piece[piece_size - 1] == ',';
    memcpy(t.ptr + t.size, tail, strlen(tail) + 1);
    t.size += strlen(tail);
    for (size_t i = 0; i < t.size; i++)
        if (t.ptr[i] == '\'') t.ptr[i] = '"';
    return t;
}

// Refused within the time, which is generous because sanitizers are slow.
static void hostile(const char *head, const char *piece, const char *tail, unsigned errors_min)
{
    struct text t = repeated(head, piece, tail, RULESET_TEXT_MAX);
    struct ruleset *set = NULL;
    int64_t begin_ns = clock_mono_ns();
    int err;

    memset(&fixture.errors, 0, sizeof fixture.errors);
    err = ruleset_parse(&set, str_make(t.ptr, t.size), fixture.places, fixture.packs,
                        fixture_has_list, NULL, &fixture.errors);
    print_message("%6.1f ms, %u errors: %.20s… %.40s…\n",
                  (double)(clock_mono_ns() - begin_ns) / 1e6, fixture.errors.count, head, piece);
    free(t.ptr);
    ruleset_unref(set);
    if (errors_min) {
        assert_int_equal(err, ERR_BAD_VALUE);
        assert_true(fixture.errors.count >= errors_min);
        assert_true(fixture.errors.shown <= RULESET_ERRORS_MAX);
    }
    assert_true(clock_mono_ns() - begin_ns < 2000000000);
}

static void test_hostile(void **state)
{
    (void)state;
    hostile("", "[", "", 1);
    hostile("{'version':'1',", "'x':0,", "}", 100000);
    hostile("{'version':'1',", "'version':0,", "}", 100000);
    hostile("{'version':'", "aaaaaaaa", "'}", 1);
    hostile("{'version':'1','rules':[", "{},", "]}", 1000);
    hostile("{'version':'1','rules':[", "{'name':'a','type':'location'},", "]}", 1000);
    hostile("{'version':'1','rules':[{", "'verzion':0,", "}]}", 100000);
    hostile("{'version':'1','plans':[", "{'campaign_group':'a'},", "]}", 4000);
    hostile("{'version':'1','plans':[", "{'campaign_group':'a','rules':['a','b','c','d']},", "]}",
            1000);
    hostile("{'version':'1','lists':[", "{'name':'a'},", "]}", 300);
    hostile("{'version':'1','packs':[", "'us-federal',", "]}", 60);
    hostile("{'version':'1','rules':[{'name':'a','type':'location','where':{'state':[", "'ZZ',",
            "]}}]}", 100);
    hostile("{'version':'1','rules':[",
            "{'name':'a','type':'location','where':{'country':['US','US','US'],'state':['TX','TX',"
            "'CA','CA','CA','NV','NV']}},",
            "]}", 1000);
    hostile("{'version':'1','rules':[{'name':'a','type':'contact_times','windows':[",
            "{'days':'daily','from':'00:00','till':'24:00'},", "]}]}", 1000);
    hostile("{'version':'1','rules':[",
            "{'name':'a','type':'contact_dates','calendars':['us-federal','us-federal',"
            "'us-federal','us-federal','us-federal','us-federal','us-federal']},",
            "]}", 1000);
    hostile("{'version':'1','rules':[",
            "{'name':'a','type':'custom','block_if':'$A == 1 and $B == 2 and not ($C == 3)'},",
            "]}", 1000);
    hostile("{'version':'1','rules':[{'name':'a','type':'attempts','results':[", "'Bussy',", "]}]}",
            100);
    hostile("{'version':'1','rules':[{'name':'a','type':'contact_dates','dates':[", "'easter',",
            "]}]}", 1);
}

static void test_too_large(void **state)
{
    struct text t = repeated("{'version':'1'", "        ", "}", RULESET_TEXT_MAX + 100);
    struct ruleset *set = NULL;

    (void)state;
    memset(&fixture.errors, 0, sizeof fixture.errors);
    assert_int_equal(ruleset_parse(&set, str_make(t.ptr, t.size), fixture.places, fixture.packs,
                                   NULL, NULL, &fixture.errors),
                     ERR_BAD_VALUE);
    has_error("", "at most 4194304 are allowed");
    free(t.ptr);
}

// Every beginning of a document is refused, none of them crashes.
static void test_truncated(void **state)
{
    char *json = fixture_json(contract);
    size_t size = strlen(json);

    (void)state;
    for (size_t n = 0; n < size; n++) {
        struct ruleset *set = NULL;
        char *copy = malloc(n + 1); // exactly as long, so that a sanitizer sees a step beyond

        memcpy(copy, json, n);
        memset(&fixture.errors, 0, sizeof fixture.errors);
        assert_int_equal(ruleset_parse(&set, str_make(copy, n), fixture.places, fixture.packs,
                                       fixture_has_list, NULL, &fixture.errors),
                         ERR_BAD_VALUE);
        assert_int_equal(fixture.errors.count, 1);
        free(copy);
    }
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contract),      cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_syntax),        cmocka_unit_test(test_tenant),
        cmocka_unit_test(test_rule_keys),     cmocka_unit_test(test_windows),
        cmocka_unit_test(test_dates),         cmocka_unit_test(test_where),
        cmocka_unit_test(test_attempts),      cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_order),         cmocka_unit_test(test_plans),
        cmocka_unit_test(test_lists),         cmocka_unit_test(test_packs),
        cmocka_unit_test(test_packs_wrong),   cmocka_unit_test(test_pack_alone),
        cmocka_unit_test(test_shipped_packs), cmocka_unit_test(test_all_errors),
        cmocka_unit_test(test_escapes),       cmocka_unit_test(test_write),
        cmocka_unit_test(test_references),    cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_too_large),     cmocka_unit_test(test_truncated),
    };

    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
