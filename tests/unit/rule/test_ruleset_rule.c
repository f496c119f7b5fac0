// SPDX-License-Identifier: Apache-2.0
#include "engine/base/clock.h"
#include "engine/wire/record.h"
#include "tests/unit/rule/fixture.h"

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
    bad(RULE("'type':'contact_times','windows':[],'tytle':[]"), "/rules/0/tytle", "mean \"title\"");
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

// `count` rules, each with an expression of its own: `before`, a number, `behind`.
static void of_expressions(int count, const char *before, const char *behind, bool wanted)
{
    size_t size = (size_t)count * 128 + 64, used;
    char *text = malloc(size);
    struct ruleset *set = NULL;

    used = (size_t)snprintf(text, size, "{'version':'1','rules':[");
    for (int i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, size - used,
                                 "%s{'name':'%d','type':'custom','block_if':'%s%d%s'}",
                                 i ? "," : "", i, before, i + 1, behind);
    }
    snprintf(text + used, size - used, "]}");
    assert_int_equal(fixture_parse(&set, text), wanted ? 0 : ERR_BAD_VALUE);
    if (!wanted) {
        has_error("/rules", "more than 24 fields or 256 different counts");
        assert_int_equal(fixture.errors.count, 1);
    }
    ruleset_unref(set);
    free(text);
}

static void test_expression_limits(void **state)
{
    (void)state;
    of_expressions(24, "$F", " == 1", true);
    of_expressions(25, "$F", " == 1", false);
    of_expressions(1024, "$F", " == 1", false);
    of_expressions(256, "AttemptsOnDevice(", "M) > 1", true);
    of_expressions(257, "AttemptsOnDevice(", "M) > 1", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_keys),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_where),
        cmocka_unit_test(test_attempts),
        cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_expression_limits),
    };

    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
