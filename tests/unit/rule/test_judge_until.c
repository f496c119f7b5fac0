// SPDX-License-Identifier: Apache-2.0
//
// How long an answer holds: at every instant tried before `until_s` it is the same.
#include <stdio.h>

#include "engine/base/check.h"
#include "engine/base/rand.h"
#include "tests/unit/rule/rig.h"

#define SEED     20261122u
#define HOUR_S   3600
#define DAY_S    86400
#define INSTANTS 400 // of each rule and pair of zones
#define WITHIN   8   // instants tried within one answer
#define SOON_S   600

static struct rig r;

static int tear_down(void **state)
{
    (void)state;
    rig_close(&r);
    r = (struct rig){0};
    return 0;
}

static struct judge_finding found_at(int64_t at_s)
{
    struct judge_finding f = {0};

    zone_clock_set(&rig_clock, rig_zones, at_s);
    judge_rule(&r.judge, 0, &f);
    return f;
}

static void open_rule(const char *rule)
{
    rig_open(&r, "'default_country': 'US'", rule, NULL);
    r.judge.foresee = true;
    rig_place(&r, "US");
    r.facts.zones[ZONE_DEVICE] = rig_zone("America/New_York");
}

// The answer at `at` holds until exactly `until`; NULL: as far as can be seen.
static void holds(const char *at, bool blocks, const char *until)
{
    struct judge_finding f = found_at(rig_instant(at));

    assert_true(f.applies);
    if (f.blocks != blocks || f.until_s != (until ? rig_instant(until) : INT64_MAX))
        fail_msg("%s: blocks %d until %lld, want %d until %s", at, f.blocks, (long long)f.until_s,
                 blocks, until ? until : "for ever");
}

static void test_times(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'contact_times', 'required': true, 'windows': [{'days': "
              "'mon-fri', 'from': '09:00', 'till': '21:00'}]}");
    holds("2026-11-18T13:59:59Z", true, "2026-11-18T14:00:00Z");
    holds("2026-11-18T14:00:00Z", false, "2026-11-19T02:00:00Z");
    holds("2026-11-18T14:00:59Z", false, "2026-11-19T02:00:00Z");
    holds("2026-11-21T02:00:00Z", true, "2026-11-21T05:00:00Z"); // the day ends
    // the change of the clocks is an edge of its own
    holds("2026-03-08T05:30:00Z", true, "2026-03-08T07:00:00Z");
    // good until the first of them objects, bad until the last of them is good
    r.facts.zones[ZONE_CONTACT] = rig_zone("America/Los_Angeles");
    holds("2026-11-18T17:30:00Z", false, "2026-11-19T02:00:00Z");
    holds("2026-11-18T13:00:00Z", true, "2026-11-18T17:00:00Z");
    // as it always was: not looked for
    r.judge.foresee = false;
    holds("2026-11-18T13:00:00Z", true, NULL);
}

static void test_days(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'contact_dates', 'required': true, 'dates': ['11-19'], "
              "'effective_until': '2026-12-01'}");
    holds("2026-11-18T14:00:00Z", false, "2026-11-19T05:00:00Z");
    holds("2026-11-19T05:00:00Z", true, "2026-11-20T05:00:00Z");
    assert_true(found_at(rig_instant("2026-12-02T05:00:00Z")).until_s > 0);
    assert_false(found_at(rig_instant("2026-12-02T05:00:00Z")).applies);
    assert_true(found_at(rig_instant("2026-12-05T00:00:00Z")).until_s == INT64_MAX);
}

static void test_attempts(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'attempts', 'required': true, 'max': 2, 'period': '24h'}");
    r.attempt_count = 3;
    r.attempt_s[0] = rig_instant("2026-11-18T10:00:00Z");
    r.attempt_s[1] = rig_instant("2026-11-18T11:00:00Z");
    r.attempt_s[2] = rig_instant("2026-11-18T12:00:00Z");
    holds("2026-11-18T14:00:00Z", true, "2026-11-19T11:00:00Z");
    holds("2026-11-19T11:00:00Z", false, NULL);
    r.reserved = 1;
    holds("2026-11-19T11:30:00Z", true, "2026-11-19T11:30:01Z");
    r.reserved = 0;
    r.counts_unknown = true;
    holds("2026-11-19T12:00:00Z", true, "2026-11-19T12:01:00Z");
    r.counts_unknown = false;
    rig_close(&r);

    open_rule("{'name': 'a', 'type': 'attempts', 'required': true, 'max': 1, 'period': 'today'}");
    r.attempt_count = 1;
    r.attempt_s[0] = rig_instant("2026-11-18T10:00:00Z");
    holds("2026-11-18T14:00:00Z", true, "2026-11-19T05:00:00Z");
    r.facts.zones[ZONE_CONTACT] = rig_zone("America/Los_Angeles");
    holds("2026-11-19T05:00:00Z", true, "2026-11-19T08:00:00Z");
}

static void test_others(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'emergency', 'required': true, 'from': "
              "'2026-09-01T00:00:00Z', 'till': '2026-09-04T00:00:00Z'}");
    holds("2026-08-01T00:00:00Z", false, "2026-09-01T00:00:00Z");
    holds("2026-09-02T00:00:00Z", true, "2026-09-04T00:00:00Z");
    holds("2026-09-04T00:00:00Z", false, NULL);
    rig_close(&r);
    open_rule("{'name': 'a', 'type': 'freshness', 'required': true, 'list': 'listed', 'max_age': "
              "'1d'}");
    holds("2026-09-02T00:00:00Z", true, NULL);
    r.obtained_s = rig_instant("2026-09-01T12:00:00Z");
    holds("2026-09-02T00:00:00Z", false, "2026-09-02T12:00:00Z");
    rig_close(&r);
    open_rule("{'name': 'a', 'type': 'suppression', 'required': true, 'list': 'listed'}");
    r.listed_until_s = rig_instant("2026-09-02T12:00:00Z");
    holds("2026-09-02T00:00:00Z", false, "2026-09-02T12:00:00Z");
    r.listed = 1;
    holds("2026-09-02T00:00:00Z", true, "2026-09-02T12:00:00Z");
    rig_close(&r);
    open_rule("{'name': 'a', 'type': 'external', 'required': true, 'url': 'http://127.0.0.1/'}");
    holds("2026-09-02T00:00:00Z", true, "2026-09-02T00:01:00Z");
}

static void test_custom(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'custom', 'required': true, 'block_if': '$A == `1` and "
              "AttemptsOnDevice(1H) >= 2'}");
    rig_test(&r, 0, EXPR_FALSE);
    r.attempt_count = 2;
    r.attempt_s[0] = rig_instant("2026-09-02T00:00:00Z");
    r.attempt_s[1] = rig_instant("2026-09-02T00:10:00Z");
    holds("2026-09-02T00:30:00Z", false, NULL);
    rig_test(&r, 0, EXPR_TRUE);
    holds("2026-09-02T00:30:00Z", true, "2026-09-02T01:00:00Z");
    holds("2026-09-02T01:00:00Z", false, "2026-09-02T01:10:00Z");
    holds("2026-09-02T01:10:00Z", false, NULL);
}

// -- all of them, at random ----------------------------------------------------------------------

static const char *const rules[] = {
    "'type': 'contact_times', 'windows': [{'days': 'mon-fri', 'from': '08:00', 'till': '12:00'}, "
    "{'days': 'mon-sat', 'from': '12:00', 'till': '20:30'}, {'days': 'sun', 'from': '00:00', "
    "'till': '24:00'}]",
    "'type': 'contact_times', 'windows': [{'days': 'daily', 'from': '00:30', 'till': '02:30'}], "
    "'effective_from': '2026-03-29', 'effective_until': '2026-10-31'",
    "'type': 'contact_times', 'windows': [{'days': 'sat,sun', 'from': '23:30', 'till': '24:00'}, "
    "{'days': 'sun', 'from': '00:00', 'till': '00:15'}]",
    "'type': 'contact_dates', 'dates': ['03-08', '04-24', '10-29', '2026-11-01', '04-05', "
    "'easter-2', '12-lastsun']",
    "'type': 'contact_dates', 'dates': ['04-23'], 'effective_from': '2026-04-24'",
    "'type': 'location', 'where': {'country': ['US']}, 'effective_from': '2026-04-24', "
    "'effective_until': '2026-10-29'",
    "'type': 'attempts', 'max': 2, 'period': '30d'",
    "'type': 'attempts', 'max': 1, 'period': 'today'",
    "'type': 'contact_dates', 'dates': ['11-07'], 'effective_until': '2010-11-07'",
    "'type': 'location', 'where': {'country': ['US']}, 'effective_until': '2010-11-06'",
    "'type': 'location', 'where': {'country': ['US']}, 'effective_from': '2010-11-07'",
    "'type': 'attempts', 'max': 2, 'period': '40cd'",
    "'type': 'custom', 'block_if': 'AttemptsOnDevice(9D) == 2 or AttemptsOnContact(20D) < 1'",
    "'type': 'location', 'where': {'country': ['US']}, 'unless': 'AttemptsOnDevice(5D) > 0'",
};

// Clocks that change at midnight or over it, by half an hour, and not at all.
static const char *const zones[][2] = {
    {"America/New_York", NULL},
    {"America/New_York", "America/Los_Angeles"},
    {"Africa/Cairo", NULL},
    {"America/Santiago", "America/Havana"},
    {"Australia/Lord_Howe", NULL},
    {"Asia/Beirut", "Asia/Kolkata"},
    {"America/Nuuk", "Pacific/Chatham"},
    {"Atlantic/Azores", NULL},
    {"Pacific/Kiritimati", "Pacific/Pago_Pago"},
    {"America/St_Johns", NULL}, // in 2010 a minute after midnight
};

// Days around which clocks change or rules begin, and any.
static int64_t pick(struct rand *rand)
{
    static const char *const near[] = {
        "2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z", "2026-04-24T00:00:00Z",
        "2026-10-29T21:00:00Z", "2026-04-05T03:00:00Z", "2026-09-06T04:00:00Z",
        "2026-04-04T15:00:00Z", "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z",
        "2026-03-28T22:00:00Z", "2026-10-24T21:00:00Z", "2026-12-31T23:00:00Z",
        "2010-11-07T02:31:00Z",
    };

    uint64_t kind = rand_below(rand, 4);

    if (kind == 0)
        return rig_instant("2010-11-07T02:31:00Z") + (int64_t)rand_below(rand, 600) - 300;
    if (kind == 1)
        return rig_instant("2026-01-01T00:00:00Z") + (int64_t)rand_below(rand, 365 * DAY_S);
    return rig_instant(near[rand_below(rand, COUNT_OF(near))]) +
           (int64_t)rand_below(rand, 60 * HOUR_S) - 30 * HOUR_S;
}

static void same_within(int64_t at_s, const struct judge_finding *f, struct rand *rand,
                        unsigned long *tried)
{
    // what holds for ever is not followed beyond a year
    int64_t end_s = f->until_s < at_s + 365 * DAY_S ? f->until_s : at_s + 365 * DAY_S;

    if (f->until_s <= at_s)
        fail_msg("holds until %lld at %lld", (long long)f->until_s, (long long)at_s);
    for (unsigned i = 0; i < WITHIN; i++, (*tried)++) {
        // soon is when clocks go back
        uint64_t length_s = (uint64_t)(i % 2 && end_s - at_s > SOON_S ? SOON_S : end_s - at_s);
        int64_t then_s = i == 0 ? end_s - 1 : at_s + (int64_t)rand_below(rand, length_s);
        struct judge_finding then = found_at(then_s);

        if (then.applies != f->applies || then.blocks != f->blocks)
            fail_msg("%lld: applies %d blocks %d until %lld; at %lld: %d %d", (long long)at_s,
                     f->applies, f->blocks, (long long)f->until_s, (long long)then_s, then.applies,
                     then.blocks);
    }
}

static void test_random(void **state)
{
    struct rand rand = {0};
    unsigned long tried = 0;
    char rule[1024];

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&rand, SEED);
    for (size_t n = 0; n < COUNT_OF(rules); n++) {
        if (n) rig_close(&r);
        snprintf(rule, sizeof rule, "{'name': 'a', 'required': true, %s}", rules[n]);
        open_rule(rule);
        for (size_t z = 0; z < COUNT_OF(zones); z++) {
            r.facts.zones[ZONE_DEVICE] = rig_zone(zones[z][0]);
            r.facts.zones[ZONE_CONTACT] = zones[z][1] ? rig_zone(zones[z][1]) : NULL;
            for (unsigned i = 0; i < INSTANTS; i++) {
                int64_t at_s = pick(&rand);
                struct judge_finding f;

                r.attempt_count = (unsigned)rand_below(&rand, 5);
                for (unsigned k = 0; k < r.attempt_count; k++)
                    r.attempt_s[k] = at_s - (int64_t)rand_below(&rand, 45 * DAY_S);
                f = found_at(at_s);
                same_within(at_s, &f, &rand, &tried);
            }
        }
    }
    print_message("%lu instants within an answer\n", tried);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_times),  T(test_days),   T(test_attempts),
        T(test_others), T(test_custom), T(test_random),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
