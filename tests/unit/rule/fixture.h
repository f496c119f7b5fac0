// SPDX-License-Identifier: Apache-2.0
//
// fixture: documents for the tests of rule sets, with ' for ", and packs of the tests' own beside
// the built-in ones. Static: each test program has its own.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
static char *fixture_json(const char *text)
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
    "'verified':'2026-09-30','max':7,'period':'7d','per_subject':true}],"
    "'calendars':{'t-days':['12-25',{'date':'07-04','name':'I','observed':{'sat':-1,'sun':1}}],"
    "'t-bad':['02-30']},'vectors':[{}]}",
    "{'pack':'t-two','version':'1','lists':[{'name':'national','max_age':'28d','required':true}],"
    "'rules':[{'name':'t.short','type':'location','where':{'state':['TX']}}]}",
    "{'pack':'t-three','version':'1','rules':[{'name':'t.hours','type':'custom','title':'x',"
    "'cite':'c','url':'u','verified':null,'block_if':'$A == 1'}]}",
};

static int fixture_start(void **state)
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

static int fixture_stop(void **state)
{
    (void)state;
    packs_free(fixture.packs);
    places_free(fixture.places);
    zones_free(fixture.zones);
    return 0;
}

static bool fixture_has_list(void *ctx, struct str name)
{
    (void)ctx;
    return str_eq(name, STR("internal")) || str_eq(name, STR("extra"));
}

static int fixture_parse(struct ruleset **ret, const char *text)
{
    char *json = fixture_json(text);
    int err;

    memset(&fixture.errors, 0, sizeof fixture.errors);
    err = ruleset_parse(ret, str_of(json), fixture.places, fixture.packs, fixture_has_list, NULL,
                        &fixture.errors);
    free(json);
    return err;
}
