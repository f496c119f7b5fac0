// SPDX-License-Identifier: Apache-2.0
#include "engine/base/check.h"
#include "tests/unit/rule/rig.h"

#define DAY_S 86400

static struct rig r;

static int tear_down(void **state)
{
    (void)state;
    rig_close(&r);
    r = (struct rig){0};
    return 0;
}

static struct judge_finding found(void)
{
    struct judge_finding f = {0};

    judge_rule(&r.judge, 0, &f);
    return f;
}

static void open_rule(const char *rule)
{
    rig_open(&r, "'default_country': 'US'", rule, NULL);
}

// -- attempts ------------------------------------------------------------------------------------

static void test_sliding(void **state)
{
    int64_t now_s;

    (void)state;
    open_rule("{'name': 'a', 'type': 'attempts', 'required': true, 'max': 2, 'period': '24h', "
              "'results': ['Busy', 33], 'count_by': 'both', 'scope': 'group', 'channels': "
              "['voice']}");
    rig_place(&r, "US");
    now_s = rig_clock.now_s;
    rig_allows(&r);
    assert_int_equal(r.query.by, COUNT_BY_BOTH);
    assert_true(r.query.group_only && !r.query.subject_only && !r.query.placed);
    assert_int_equal(r.query.channels, 1 << CHANNEL_VOICE);
    assert_true(r.query.results == (call_result_bit(6) | call_result_bit(33)));
    assert_int_equal(r.query.disposition_count, 0);
    assert_int_equal(r.query.enough, 2);
    assert_int_equal(r.query.since_s, now_s - DAY_S + 1);
    assert_true(r.query.before_s == INT64_MAX);
    r.attempt_count = 2;
    r.attempt_s[0] = now_s - DAY_S; // exactly a day ago: no more
    r.attempt_s[1] = now_s;
    rig_allows(&r);
    r.attempt_s[0] = now_s - DAY_S + 1;
    rig_blocks(&r, REASON_ATTEMPTS_USED);
    assert_int_equal(found().count.count, 2);
    assert_int_equal(found().count.oldest_s, r.attempt_s[0]);
    assert_int_equal(found().since_s, r.query.since_s);
    r.judge.counts_before_s = now_s; // what began now does not count for this question
    rig_allows(&r);
    assert_int_equal(r.query.before_s, now_s);
    r.counts_unknown = true;
    rig_blocks(&r, REASON_ATTEMPTS_UNKNOWN);
    r.judge.counts_before_s = INT64_MAX;
    rig_blocks(&r, REASON_ATTEMPTS_USED); // enough are known
}

static void test_attempt_words(void **state)
{
    (void)state;
    rig_open(&r, "'subject_field': 'DEBT'",
             "{'name': 'a', 'type': 'attempts', 'required': true, 'max': 7, 'period': '7d', "
             "'dispositions': ['Refused', 'PTP'], 'per_subject': true, 'counted_where': "
             "{'country': ['CA'], 'area_code': ['867', '905']}}",
             NULL);
    rig_place(&r, "US");
    rig_allows(&r);
    assert_int_equal(r.query.disposition_count, 2);
    assert_int_equal(r.query.dispositions[0], attempt_word(STR("refused")));
    assert_int_equal(r.query.dispositions[1], attempt_word(STR("PTP")));
    assert_true(r.query.subject_only && r.query.placed && !r.query.group_only);
    assert_int_equal(r.query.channels, RULE_ANY);
    assert_int_equal(r.query.area_code_count, 2);
    assert_int_equal(r.area_codes[0], 867);
    assert_int_equal(r.area_codes[1], 905);
    assert_true(places_has(r.query.countries, places_country(rig_places, STR("CA"))));
    assert_false(places_has(r.query.countries, places_country(rig_places, STR("US"))));
    assert_true(r.query.regions[0] == UINT64_MAX && r.query.regions[1] == UINT64_MAX);
}

// The day of the called party, of 23 and of 25 hours, and the earliest of several zones.
static void test_today(void **state)
{
    static const struct {
        const char *at, *zone, *other, *since;
    } rows[] = {
        {"2026-11-18T17:00:00Z", "America/New_York", NULL, "2026-11-18T05:00:00Z"},
        {"2026-11-19T04:59:59Z", "America/New_York", NULL, "2026-11-18T05:00:00Z"},
        {"2026-11-19T05:00:00Z", "America/New_York", NULL, "2026-11-19T05:00:00Z"},
        {"2026-03-09T03:59:59Z", "America/New_York", NULL, "2026-03-08T05:00:00Z"}, // 23 hours
        {"2026-03-09T04:00:00Z", "America/New_York", NULL, "2026-03-09T04:00:00Z"},
        {"2026-11-02T04:59:59Z", "America/New_York", NULL, "2026-11-01T04:00:00Z"}, // 25 hours
        {"2026-11-02T05:00:00Z", "America/New_York", NULL, "2026-11-02T05:00:00Z"},
        {"2026-11-19T06:00:00Z", "America/New_York", "America/Los_Angeles",
         "2026-11-18T08:00:00Z"}, // yesterday still in Los Angeles
        {"2026-11-18T17:00:00Z", "America/Los_Angeles", "Asia/Tokyo", "2026-11-18T08:00:00Z"},
        {"2026-11-18T17:00:00Z", "Asia/Kolkata", NULL, "2026-11-17T18:30:00Z"},
    };

    (void)state;
    open_rule("{'name': 'a', 'type': 'attempts', 'required': true, 'max': 1, 'period': 'today'}");
    rig_place(&r, "US");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rig_at(rows[i].at);
        r.facts.zones[ZONE_DEVICE] = rig_zone(rows[i].zone);
        r.facts.zones[ZONE_CONTACT] = rows[i].other ? rig_zone(rows[i].other) : NULL;
        r.attempt_count = 1;
        r.attempt_s[0] = rig_instant(rows[i].since) - 1;
        rig_allows(&r);
        if (r.query.since_s != rig_instant(rows[i].since)) fail_msg("row %zu", i);
        r.attempt_s[0]++;
        rig_blocks(&r, REASON_ATTEMPTS_USED);
        assert_int_equal(found().since_s, rig_instant(rows[i].since));
    }
}

static void test_calendar_days(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'attempts', 'required': true, 'max': 1, 'period': '8cd'}");
    rig_place(&r, "US");
    rig_at("2026-11-02T17:00:00Z"); // eight days, the 1st with its 25 hours among them
    r.facts.zones[ZONE_DEVICE] = rig_zone("America/New_York");
    rig_allows(&r);
    assert_int_equal(r.query.since_s, rig_instant("2026-10-26T04:00:00Z"));
    r.facts.zones[ZONE_CONTACT] = rig_zone("America/Los_Angeles");
    rig_allows(&r);
    assert_int_equal(r.query.since_s, rig_instant("2026-10-26T04:00:00Z"));
    rig_at("2026-11-03T05:30:00Z"); // in Los Angeles it is the 2nd still
    rig_allows(&r);
    assert_int_equal(r.query.since_s, rig_instant("2026-10-26T07:00:00Z"));
    r.facts = (struct facts){0};
    r.facts.at.countries[0] = 2; // nobody knows what day it is there
    r.query_count = 0;
    rig_blocks(&r, REASON_ATTEMPTS_UNKNOWN);
    assert_int_equal(r.query_count, 0);
}

// -- expressions ---------------------------------------------------------------------------------

static void test_custom(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'custom', 'required': true, 'block_if': '$A == `CA` and "
              "AttemptsOnContact(24H, [Answer]) > 1 and $B < 5'}");
    rig_place(&r, "US");
    rig_test(&r, 0, EXPR_FALSE);
    rig_test(&r, 1, EXPR_TRUE);
    rig_allows(&r);
    assert_int_equal(r.query_count, 0); // the record decided
    rig_test(&r, 0, EXPR_TRUE);
    rig_allows(&r);
    assert_int_equal(r.query.by, COUNT_BY_CLIENT);
    assert_int_equal(r.query.enough, 2);
    assert_true(r.query.results == call_result_bit(33));
    assert_int_equal(r.query.since_s, rig_clock.now_s - DAY_S + 1);
    r.attempt_count = 2;
    r.attempt_s[0] = r.attempt_s[1] = rig_clock.now_s - 5;
    r.attempt_s[0]--;
    rig_blocks(&r, REASON_EXPRESSION_TRUE);
    rig_test(&r, 1, EXPR_UNKNOWN);
    rig_blocks(&r, REASON_EXPRESSION_UNKNOWN);
    r.attempt_count = 1;
    rig_allows(&r); // false whatever B is
    rig_test(&r, 1, EXPR_TRUE);
    r.counts_unknown = true;
    rig_blocks(&r, REASON_ATTEMPTS_UNKNOWN);
    r.attempt_count = 2;
    rig_blocks(&r, REASON_EXPRESSION_TRUE);
}

// `unless` excepts only where it is sure, and its tests stand behind those of others.
static void test_unless(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'custom', 'required': true, 'block_if': '$A == `1`', "
              "'unless': '$B == `yes` or AttemptsOnDevice(1H) == 0'}");
    rig_place(&r, "US");
    r.attempt_count = 1;
    r.attempt_s[0] = rig_clock.now_s - 60;
    for (unsigned test = 0; test < 2; test++) {
        struct str name = r.set->expr.field[r.set->expr.test[r.plan->test[test].test].field];

        assert_int_equal(r.plan->test[test].slot, name.ptr[0] - 'A');
        rig_test(&r, test, name.ptr[0] == 'A' ? EXPR_TRUE : EXPR_UNKNOWN);
    }
    rig_blocks(&r, REASON_EXPRESSION_TRUE);
    for (unsigned test = 0; test < 2; test++)
        if (r.plan->test[test].slot == 1) rig_test(&r, test, EXPR_TRUE);
    rig_applies_not(&r);
    for (unsigned test = 0; test < 2; test++)
        if (r.plan->test[test].slot == 1) rig_test(&r, test, EXPR_FALSE);
    rig_blocks(&r, REASON_EXPRESSION_TRUE);
    r.attempt_count = 0;
    rig_applies_not(&r);
    r.counts_unknown = true;
    rig_blocks(&r, REASON_EXPRESSION_TRUE);
}

// -- only rules that count -----------------------------------------------------------------------

static void test_counting(void **state)
{
    struct judge_finding f = {0};

    (void)state;
    rig_open(&r, "'default_country': 'US'",
             "{'name': 'a', 'type': 'location', 'required': true, 'where': {'country': ['US']}, "
             "'priority': 1}, {'name': 'b', 'type': 'custom', 'required': true, 'block_if': "
             "'$A == `1`', 'priority': 2}, {'name': 'c', 'type': 'location', 'required': true, "
             "'where': {'country': ['US']}, 'unless': 'AttemptsOnDevice(1H) < 3', 'priority': 5}, "
             "{'name': 'd', 'type': 'custom', 'required': true, 'block_if': "
             "'AttemptsOnContact(1H) > 1 or $A == `2`', 'priority': 4}, {'name': 'e', 'type': "
             "'attempts', 'required': true, 'max': 1, 'period': '1h', 'priority': 6, 'where': "
             "{'state': ['TX']}}",
             NULL);
    rig_place(&r, "US-NV");
    rig_test(&r, 0, EXPR_TRUE);
    rig_test(&r, 1, EXPR_FALSE);
    for (unsigned i = 0; i < 3; i++) r.attempt_s[i] = rig_clock.now_s - 60 - i;
    r.attempt_count = 3;
    assert_string_equal(rig_first(&r, &f), "a");
    r.judge.counting = true;
    assert_string_equal(rig_first(&r, &f), "d");
    r.attempt_count = 1;
    assert_string_equal(rig_first(&r, &f), "");
    rig_place(&r, "US-TX");
    assert_string_equal(rig_first(&r, &f), "e");
    r.counts_unknown = true;
    assert_string_equal(rig_first(&r, &f), "d"); // it cannot be answered
    rig_close(&r);
    rig_open(&r, "'default_country': 'US'",
             "{'name': 'c', 'type': 'location', 'required': true, 'where': {'country': ['US']}, "
             "'unless': 'AttemptsOnDevice(1H) < 3'}",
             NULL);
    rig_place(&r, "US-NV");
    assert_true(r.plan->counts);
    r.judge.counting = true;
    r.counts_unknown = false;
    assert_string_equal(rig_first(&r, &f), "");
    for (unsigned i = 0; i < 3; i++) r.attempt_s[i] = rig_clock.now_s - 60 - i;
    r.attempt_count = 3;
    assert_string_equal(rig_first(&r, &f), "c"); // another's reservation takes the exception away
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_sliding), T(test_attempt_words), T(test_today),    T(test_calendar_days),
        T(test_custom),  T(test_unless),        T(test_counting),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
