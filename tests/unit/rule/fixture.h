// SPDX-License-Identifier: Apache-2.0
//
// fixture: documents for the tests of rule sets, with ' for ", and packs of the tests' own beside
// the built-in ones. Static: each test program has its own. What is wrong fails the test.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/rule/ruleset.h"

static struct fixture {
    struct zones *zones;
    struct places *places;
    struct packs *packs;
    struct ruleset_errors errors;
} fixture;

// Quotes made JSON's; the caller frees.
static inline char *fixture_json(const char *text)
{
    char *json = strdup(text);

    for (char *p = json; *p; p++)
        if (*p == '\'') *p = '"';
    return json;
}

static const char *const fixture_packs[] = {
    "{'pack':'t-one','version':'1','jurisdiction':'US','lists':["
    "{'name':'national','kind':'device','max_age':'31d','channels':['voice'],'cite':'the pack'},"
    "{'name':'t.list','required':true}],"
    "'rules':[{'name':'t.hours','type':'contact_times','title':'Hours','required':true,"
    "'cite':'c','url':'https://example.org/','verified':'2026-09-30',"
    "'windows':[{'days':'daily','from':'08:00','till':'21:00'}]},"
    "{'name':'t.unverified','type':'contact_dates','title':'Days','cite':'c','url':'u',"
    "'verified':null,'required':true,'calendars':['t-days']},"
    "{'name':'t.debt','type':'attempts','title':'Seven','cite':'c','url':'u','required':true,"
    "'verified':'2026-09-30','max':7,'period':'7d','per_subject':true},"
    "{'name':'t.watched','type':'contact_times','title':'Watched','cite':'c','url':'u',"
    "'verified':'2026-09-30','mode':'shadow','windows':[]}],"
    "'calendars':{'t-days':['12-25',{'date':'07-04','name':'I','observed':{'sat':-1,'sun':1}}],"
    "'t-bad':['02-30']},'vectors':[{}]}",
    "{'pack':'t-two','version':'1','lists':[{'name':'national','max_age':'28d','required':true}],"
    "'rules':[{'name':'t.short','type':'location','where':{'state':['TX']}}]}",
    "{'pack':'t-three','version':'1','rules':[{'name':'t.hours','type':'custom','title':'x',"
    "'cite':'c','url':'u','verified':null,'block_if':'$A == 1'}]}",
};

// The document of the contract, whose every part is used.
static const char fixture_contract[] __attribute__((unused)) =
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

static inline int fixture_start(void **state)
{
    char dir[] = "/tmp/dialgate-rules-XXXXXX", path[128];
    struct err_info info = {0};
    int err;

    (void)state;
    if (!mkdtemp(dir)) return -1;
    for (size_t i = 0; i < COUNT_OF(fixture_packs); i++) {
        char *json = fixture_json(fixture_packs[i]);

        snprintf(path, sizeof path, "%s/%zu.json", dir, i);
        if (file_replace(path, json, strlen(json), NULL) < 0) return -1;
        free(json);
    }
    err = zones_load(&fixture.zones, ZONES_DEFAULT, &info);
    if (err == 0) err = places_new(&fixture.places, fixture.zones, &info);
    if (err == 0) err = packs_load(&fixture.packs, dir, &info);
    for (size_t i = 0; i < COUNT_OF(fixture_packs); i++) {
        snprintf(path, sizeof path, "%s/%zu.json", dir, i);
        unlink(path);
    }
    rmdir(dir);
    if (err < 0) fprintf(stderr, "%s\n", info.text);
    return err;
}

static inline int fixture_stop(void **state)
{
    (void)state;
    packs_free(fixture.packs);
    places_free(fixture.places);
    zones_free(fixture.zones);
    return 0;
}

static inline bool fixture_has_list(void *ctx, struct str name)
{
    (void)ctx;
    return str_eq(name, STR("internal")) || str_eq(name, STR("extra"));
}

static inline int fixture_parse(struct ruleset **ret, const char *text)
{
    char *json = fixture_json(text);
    int err;

    memset(&fixture.errors, 0, sizeof fixture.errors);
    err = ruleset_parse(ret, str_of(json), fixture.places, fixture.packs, fixture_has_list, NULL,
                        &fixture.errors);
    free(json);
    return err;
}

#define RULES(text) "{'version':'1','rules':[" text "]}"
#define RULE(text)  RULES("{'name':'a'," text "}")

static inline void show_errors(void)
{
    for (unsigned i = 0; i < fixture.errors.shown; i++)
        print_error("  %s: %s\n", fixture.errors.error[i].pointer, fixture.errors.error[i].text);
}

static inline struct ruleset *good(const char *text)
{
    struct ruleset *set = NULL;

    if (fixture_parse(&set, text) != 0) {
        show_errors();
        fail_msg("refused: %s", text);
    }
    assert_int_equal(fixture.errors.count, 0);
    return set;
}

static inline void has_error(const char *pointer, const char *sentence)
{
    for (unsigned i = 0; i < fixture.errors.shown; i++)
        if (strcmp(fixture.errors.error[i].pointer, pointer) == 0 &&
            strstr(fixture.errors.error[i].text, sentence))
            return;
    show_errors();
    fail_msg("no error at \"%s\" with \"%s\"", pointer, sentence);
}

// Exactly this one error.
static inline void bad(const char *text, const char *pointer, const char *sentence)
{
    struct ruleset *set = NULL;

    if (fixture_parse(&set, text) != ERR_BAD_VALUE) fail_msg("accepted: %s", text);
    assert_null(set);
    has_error(pointer, sentence);
    if (fixture.errors.count != 1) show_errors();
    assert_int_equal(fixture.errors.count, 1);
}

static inline void is_text(struct str s, const char *want)
{
    assert_int_equal(s.size, strlen(want));
    assert_memory_equal(s.ptr, want, s.size);
}

static inline const struct rule *rule_named(const struct ruleset *set, const char *name)
{
    int i = ruleset_find(set, str_of(name));

    assert_true(i >= 0);
    return &set->rule[i];
}
