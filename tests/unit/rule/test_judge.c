// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "engine/base/check.h"
#include "engine/base/rand.h"
#include "tests/unit/rule/rig.h"

#define DAY_S 86400
#define SEED  20261118u
#define MANY  150 // rules

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

// -- contact_times and the zones -----------------------------------------------------------------

static void test_windows(void **state)
{
    static const struct {
        const char *at; // New York is 5 hours behind
        bool blocks;
    } rows[] = {
        {"2026-11-18T13:59:59Z", true},  {"2026-11-18T14:00:00Z", false},
        {"2026-11-18T16:59:59Z", false}, {"2026-11-18T17:00:00Z", true},
        {"2026-11-18T17:59:59Z", true},  {"2026-11-18T18:00:00Z", false},
        {"2026-11-19T01:59:59Z", false}, {"2026-11-19T02:00:00Z", true},
        {"2026-11-22T17:00:00Z", true},  {"2026-11-22T17:30:00Z", false}, // a Sunday
        {"2026-11-23T04:59:59Z", false}, {"2026-11-23T05:00:00Z", true},  // and till midnight
    };

    (void)state;
    open_rule("{'name': 'a', 'type': 'contact_times', 'required': true, 'windows': [{'days': "
              "'mon-sat', 'from': '09:00', 'till': '12:00'}, {'days': 'mon-sat', 'from': '13:00', "
              "'till': '21:00'}, {'days': 'sun', 'from': '12:30', 'till': '24:00'}]}");
    rig_place(&r, "US-NY");
    r.facts.zones[ZONE_DEVICE] = rig_zone("America/New_York");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rig_at(rows[i].at);
        if (!rows[i].blocks) {
            rig_allows(&r);
            continue;
        }
        rig_blocks(&r, REASON_OUTSIDE_HOURS);
        assert_int_equal(found().zone, rig_zone("America/New_York")->zone[0]);
        assert_int_equal(found().call_result, 52);
        assert_false(found().zones_unknown);
    }
}

static void test_no_windows(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'contact_times', 'required': true, 'windows': [], "
              "'call_result': 7}");
    rig_place(&r, "US");
    rig_blocks(&r, REASON_OUTSIDE_HOURS);
    assert_int_equal(found().call_result, 7);
}

// Good only when good in every zone; the first that objects is named.
static void test_several_zones(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'contact_times', 'required': true, 'zone_from': ['device', "
              "'contact'], 'windows': [{'days': 'daily', 'from': '08:00', 'till': '21:00'}]}");
    rig_place(&r, "US");
    r.facts.zones[ZONE_DEVICE] = rig_zone("America/New_York");
    r.facts.zones[ZONE_CONTACT] = rig_zone("America/Los_Angeles");
    r.facts.zones[ZONE_STATE] = rig_zone("Asia/Tokyo"); // does not count
    rig_at("2026-11-18T15:59:59Z");
    rig_blocks(&r, REASON_OUTSIDE_HOURS);
    assert_int_equal(found().zone, rig_zone("America/Los_Angeles")->zone[0]);
    rig_at("2026-11-18T16:00:00Z");
    rig_allows(&r);
    rig_at("2026-11-19T02:00:00Z");
    rig_blocks(&r, REASON_OUTSIDE_HOURS);
    assert_int_equal(found().zone, rig_zone("America/New_York")->zone[0]);
}

// Each rule's own sources, and again those of the one before.
static void test_zone_from(void **state)
{
    static const char times[] =
        "{'name': '%s', 'type': 'contact_times', 'required': true, 'zone_from': ['%s'], 'windows': "
        "[{'days': 'daily', 'from': '12:00', 'till': '13:00'}], 'mode': 'shadow'}";
    char rules[2048];
    size_t size = 0;

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        const char name[2] = {(char)('a' + i), '\0'};

        if (i) rules[size++] = ',';
        size += (size_t)snprintf(rules + size, sizeof rules - size, times, name,
                                 i < 2 || i == 5 ? "device"
                                 : i < 4         ? "contact"
                                                 : "state");
    }
    open_rule(rules);
    rig_place(&r, "US-NY");
    r.facts.zones[ZONE_DEVICE] = rig_zone("America/New_York");
    r.facts.zones[ZONE_CONTACT] = rig_zone("America/Los_Angeles");
    r.facts.zones[ZONE_STATE] = rig_zone("America/New_York");
    assert_string_equal(rig_first(&r, &(struct judge_finding){0}), "");
    assert_int_equal(r.shadow_count, 2);
    assert_int_equal(r.shadow[0], 2);
    assert_int_equal(r.shadow[1], 3);
}

// No chosen source says anything: every zone of the country, Hawaii (and Guam) among them.
static void test_unknown_zone(void **state)
{
    static const char rule[] =
        "{'name': 'a', 'type': 'contact_times', 'required': true, 'windows': "
        "[{'days': 'daily', 'from': '08:00', 'till': '21:00'}]}";

    (void)state;
    open_rule(rule);
    rig_place(&r, "US");
    rig_blocks(&r, REASON_OUTSIDE_HOURS); // 07:00 in Honolulu
    assert_true(found().zones_unknown);
    rig_at("2026-11-18T18:59:00Z");
    rig_allows(&r); // 08:59 there, 13:59 in New York
    r.facts.zones[ZONE_POSTAL_CODE] = rig_zone("America/New_York");
    rig_at("2026-11-18T17:00:00Z");
    rig_allows(&r);
    assert_false(found().zones_unknown);
    rig_close(&r);
    rig_open(&r, "'default_zone': 'America/Chicago', 'zone_unknown': 'default'", rule, NULL);
    rig_place(&r, "US");
    rig_allows(&r);
    assert_true(found().zones_unknown);
    rig_at("2026-11-18T13:59:59Z");
    rig_blocks(&r, REASON_OUTSIDE_HOURS);
    assert_int_equal(found().zone, rig_zone("America/Chicago")->zone[0]);
}

// Where not even the country has a zone nothing is good.
static void test_no_zone(void **state)
{
    (void)state;
    rig_open(&r, "",
             "{'name': 'a', 'type': 'contact_times', 'required': true, 'windows': "
             "[{'days': 'daily', 'from': '00:00', 'till': '24:00'}]}",
             NULL);
    r.facts.at.countries[0] = 2;
    rig_blocks(&r, REASON_OUTSIDE_HOURS);
    assert_int_equal(found().zone, ZONES_NONE);
    r.facts.zones[ZONE_STATE] = rig_zone("UTC");
    rig_allows(&r);
}

// New York 2026: 02:00 becomes 03:00 on March 8, 02:00 becomes 01:00 on November 1.
static void test_daylight_saving(void **state)
{
    static const struct {
        const char *at;
        bool blocks;
    } rows[] = {
        {"2026-03-08T06:59:59Z", true},  // 01:59:59
        {"2026-03-08T07:00:00Z", true},  // 03:00:00, so the window 02:00-03:00 never is
        {"2026-11-01T05:29:59Z", true},  // 01:29:59, summer time
        {"2026-11-01T05:30:00Z", false}, // 01:30:00
        {"2026-11-01T05:59:59Z", false}, // 01:59:59
        {"2026-11-01T06:00:00Z", true},  // 01:00:00 again, winter time
        {"2026-11-01T06:30:00Z", false}, // 01:30:00 again
        {"2026-11-01T07:00:00Z", false}, // 02:00:00
        {"2026-11-01T08:00:00Z", true},  // 03:00:00
    };

    (void)state;
    open_rule("{'name': 'a', 'type': 'contact_times', 'required': true, 'windows': [{'days': "
              "'sun', 'from': '01:30', 'till': '03:00'}], 'effective_from': '2026-11-01'}, {'name':"
              " 'b', 'type': 'contact_times', 'required': true, 'windows': [{'days': 'sun', 'from':"
              " '02:00', 'till': '03:00'}], 'effective_until': '2026-10-31'}");
    rig_place(&r, "US-NY");
    r.facts.zones[ZONE_DEVICE] = rig_zone("America/New_York");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct judge_finding f = {0};

        rig_at(rows[i].at);
        assert_string_equal(rig_first(&r, &f), rows[i].blocks ? (i < 2 ? "b" : "a") : "");
    }
}

// -- days ----------------------------------------------------------------------------------------

static void test_dates(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'contact_dates', 'required': true, 'dates': ['12-25', "
              "'2026-11-18', '11-4thu', {'date': '07-04', 'observed': {'sat': -1}}]}");
    rig_place(&r, "US");
    r.facts.zones[ZONE_DEVICE] = rig_zone("America/New_York");
    rig_blocks(&r, REASON_BANNED_DATE);
    assert_int_equal(found().zone, rig_zone("America/New_York")->zone[0]);
    rig_at("2027-11-18T17:00:00Z");
    rig_allows(&r);
    rig_at("2026-12-25T04:59:59Z"); // still the 24th
    rig_allows(&r);
    rig_at("2026-12-25T05:00:00Z");
    rig_blocks(&r, REASON_BANNED_DATE);
    rig_at("2026-12-26T05:00:00Z");
    rig_allows(&r);
    r.facts.zones[ZONE_CONTACT] = rig_zone("America/Los_Angeles"); // where it is the 25th still
    rig_blocks(&r, REASON_BANNED_DATE);
    assert_int_equal(found().zone, rig_zone("America/Los_Angeles")->zone[0]);
    rig_at("2026-11-26T17:00:00Z");
    rig_blocks(&r, REASON_BANNED_DATE);
    rig_at("2026-07-03T17:00:00Z"); // the 4th is a Saturday
    rig_blocks(&r, REASON_BANNED_DATE);
}

static void test_in_force(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'location', 'required': true, 'where': {'country': ['US']}, "
              "'effective_from': '2026-09-01', 'effective_until': '2026-09-02'}");
    rig_place(&r, "US");
    r.facts.zones[ZONE_DEVICE] = rig_zone("America/New_York");
    r.facts.zones[ZONE_STATE] = rig_zone("America/Los_Angeles");
    rig_at("2026-09-01T03:59:59Z");
    rig_applies_not(&r);
    rig_at("2026-09-01T04:00:00Z"); // the 1st in New York
    rig_blocks(&r, REASON_BANNED_PLACE);
    rig_at("2026-09-03T06:59:59Z"); // still the 2nd in Los Angeles
    rig_blocks(&r, REASON_BANNED_PLACE);
    rig_at("2026-09-03T07:00:00Z");
    rig_applies_not(&r);
}

// -- where, channels, purposes -------------------------------------------------------------------

static void test_where(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'location', 'required': true, 'where': {'country': ['US'], "
              "'state': ['TX', 'NV']}}, {'name': 'b', 'type': 'location', 'required': true, "
              "'where': {'country': ['CA']}}");
    r.facts.at = (struct places_bits){0};
    rig_place(&r, "US-NY");
    rig_applies_not(&r);
    rig_place(&r, "US-TX"); // or there
    rig_blocks(&r, REASON_BANNED_PLACE);
    r.facts.at = (struct places_bits){0};
    rig_place(&r, "US"); // its states are open
    rig_blocks(&r, REASON_BANNED_PLACE);
    r.facts.at = (struct places_bits){0};
    rig_place(&r, "DE");
    rig_applies_not(&r);
    rig_place(&r, "US-NY"); // a state is known: the others are not open
    rig_applies_not(&r);
    rig_place(&r, "CA"); // nor by Canada's provinces
    assert_false(found().applies);
    assert_string_equal(rig_first(&r, &(struct judge_finding){0}), "b");
}

static void test_codes(void **state)
{
    const uint64_t k1a = 0x4b31410000000000, k1a0b1 = 0x4b31413042310000, m5v = 0x4d35560000000000;

    (void)state;
    open_rule("{'name': 'a', 'type': 'location', 'required': true, 'where': {'area_code': ['867', "
              "'90']}, 'mode': 'enforce'}");
    rig_place(&r, "CA");
    rig_blocks(&r, REASON_BANNED_PLACE); // no number: open
    r.facts.national = 8675551234;
    r.facts.national_digits = 10;
    rig_blocks(&r, REASON_BANNED_PLACE);
    r.facts.national = 9055551234;
    rig_blocks(&r, REASON_BANNED_PLACE);
    r.facts.national = 4168679090;
    rig_applies_not(&r);
    r.facts.national = 86755512341234; // E.164 has no longer ones
    r.facts.national_digits = 14;
    rig_blocks(&r, REASON_BANNED_PLACE);
    r.facts.national = 9;
    r.facts.national_digits = 1;
    rig_applies_not(&r);
    r.facts.national = 867;
    r.facts.national_digits = 3;
    rig_blocks(&r, REASON_BANNED_PLACE);
    rig_close(&r);

    open_rule("{'name': 'a', 'type': 'location', 'required': true, 'where': {'postal_code': "
              "['K1A 0', 'H']}}");
    rig_place(&r, "CA");
    rig_blocks(&r, REASON_BANNED_PLACE); // no code: open
    r.facts.postal = k1a0b1;
    rig_blocks(&r, REASON_BANNED_PLACE);
    r.facts.postal = k1a; // may be K1A 0
    rig_blocks(&r, REASON_BANNED_PLACE);
    r.facts.postal = m5v;
    rig_applies_not(&r);
    r.facts.postal = k1a0b1 ^ (uint64_t)('0' ^ '1') << 32; // K1A 1B1
    rig_applies_not(&r);
}

static void test_channels(void **state)
{
    struct judge_finding f = {0};

    (void)state;
    open_rule("{'name': 'a', 'type': 'location', 'required': true, 'where': {'country': ['US']}, "
              "'channels': ['sms', 'email']}");
    rig_place(&r, "US");
    rig_applies_not(&r);
    r.judge.channel = CHANNEL_SMS;
    rig_blocks(&r, REASON_BANNED_PLACE);
    r.judge.channel = CHANNEL_EMAIL;
    rig_blocks(&r, REASON_BANNED_PLACE);
    r.judge.channel = CHANNEL_ANY; // a medium that is none of ours: every rule
    rig_blocks(&r, REASON_BANNED_PLACE);
    rig_close(&r);

    rig_open(&r, "'purpose': 'collection'",
             "{'name': 'a', 'type': 'location', 'required': true, 'where': {'country': ['US']}, "
             "'purposes': ['solicitation']}, {'name': 'b', 'type': 'location', 'required': true, "
             "'where': {'country': ['US']}, 'purposes': ['collection']}",
             NULL);
    rig_place(&r, "US");
    assert_string_equal(rig_first(&r, &f), "b");
}

// -- the other types -----------------------------------------------------------------------------

static void test_line_type(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'line_type', 'required': true, 'block': ['wireless', "
              "'voip']}");
    rig_place(&r, "US");
    rig_blocks(&r, REASON_LINE_TYPE_UNKNOWN);
    r.facts.line_type = LINE_LANDLINE;
    rig_allows(&r);
    r.facts.line_type = LINE_WIRELESS;
    rig_blocks(&r, REASON_BANNED_LINE_TYPE);
    r.facts.line_type = LINE_VOIP;
    rig_blocks(&r, REASON_BANNED_LINE_TYPE);
}

static void test_emergency(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'emergency', 'required': true, 'from': "
              "'2026-09-01T00:00:00-05:00', 'till': '2026-09-04T00:00:00-05:00'}");
    rig_place(&r, "US");
    rig_at("2026-09-01T04:59:59Z");
    rig_allows(&r);
    rig_at("2026-09-01T05:00:00Z");
    rig_blocks(&r, REASON_EMERGENCY_HERE);
    rig_at("2026-09-04T04:59:59Z");
    rig_blocks(&r, REASON_EMERGENCY_HERE);
    rig_at("2026-09-04T05:00:00Z");
    rig_allows(&r);
}

static void test_lists(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'freshness', 'required': true, 'list': 'listed', 'max_age': "
              "'31d'}");
    rig_place(&r, "US");
    rig_blocks(&r, REASON_LIST_STALE);
    r.obtained_s = rig_clock.now_s - INT64_C(31) * DAY_S;
    rig_blocks(&r, REASON_LIST_STALE);
    r.obtained_s++;
    rig_allows(&r);
    rig_close(&r);

    open_rule("{'name': 'a', 'type': 'suppression', 'required': true, 'list': 'listed'}");
    rig_place(&r, "US");
    rig_allows(&r);
    r.listed = 1;
    rig_blocks(&r, REASON_RULE_LISTED);
    assert_int_equal(found().call_result, 51);
    r.list_missing = true;
    rig_blocks(&r, REASON_LIST_LOADING);
    assert_int_equal(found().call_result, 52);
}

static void test_external(void **state)
{
    (void)state;
    open_rule("{'name': 'a', 'type': 'external', 'required': true, 'url': 'http://127.0.0.1/'}");
    rig_place(&r, "US");
    r.external = JUDGE_EXTERNAL_SILENT;
    rig_blocks(&r, REASON_EXTERNAL_SILENT);
    assert_int_equal(found().call_result, 52);
    r.external = JUDGE_EXTERNAL_ALLOWS;
    rig_allows(&r);
    r.external = JUDGE_EXTERNAL_REFUSES;
    rig_blocks(&r, REASON_EXTERNAL_NO);
    r.external_result = 51;
    rig_blocks(&r, REASON_EXTERNAL_NO);
    assert_int_equal(found().call_result, 51);
}

// -- order and shadow ----------------------------------------------------------------------------

static void test_order(void **state)
{
    struct judge_finding f = {0};

    (void)state;
    rig_open(&r, "",
             "{'name': 'd', 'type': 'location', 'required': true, 'where': {'country': ['US']}}, "
             "{'name': 'c', 'type': 'location', 'required': true, 'where': {'state': ['TX']}, "
             "'call_result': 9}, {'name': 'z', 'type': 'line_type', 'required': true, 'block': "
             "['voip'], 'priority': 1}, {'name': 'y', 'type': 'location', 'where': {'country': "
             "['US']}, 'priority': 0}, {'name': 'b', 'type': 'location', 'required': true, 'where':"
             " {'state': ['NV']}, 'mode': 'shadow'}, {'name': 'e', 'type': 'location', 'required': "
             "true, 'where': {'country': ['US']}, 'mode': 'shadow'}",
             NULL);
    rig_place(&r, "US-TX");
    r.facts.line_type = LINE_LANDLINE;
    assert_string_equal(rig_first(&r, &f), "c");
    assert_int_equal(f.call_result, 9);
    assert_int_equal(r.shadow_count, 0);
    r.facts.line_type = LINE_UNKNOWN;
    assert_string_equal(rig_first(&r, &f), "z");
    assert_int_equal(f.reason, REASON_LINE_TYPE_UNKNOWN);
    r.facts.line_type = LINE_LANDLINE;
    rig_place(&r, "US-NV");
    assert_string_equal(rig_first(&r, &f), "c");
    assert_int_equal(r.shadow_count, 1); // b would have come first; e is behind the answer
    assert_true(str_eq(r.set->rule[r.plan->op[r.shadow[0]].rule].name, STR("b")));
    assert_true(judge_first(&r.judge, &f, NULL, NULL) >= 0);
    rig_close(&r);

    rig_open(&r, "",
             "{'name': 'e', 'type': 'location', 'required': true, 'where': {'country': ['US']}, "
             "'mode': 'shadow'}, {'name': 'f', 'type': 'location', 'where': {'country': ['US']}, "
             "'mode': 'shadow'}, {'name': 'g', 'type': 'line_type', 'block': ['voip']}",
             "'campaign_group': 'x', 'rules': ['f', 'g']");
    rig_place(&r, "US");
    r.facts.line_type = LINE_WIRELESS;
    f = (struct judge_finding){.call_result = 77};
    assert_string_equal(rig_first(&r, &f), "");
    assert_int_equal(f.call_result, 77); // nothing is told when nothing blocks
    assert_int_equal(r.shadow_count, 2);
    r.facts.line_type = LINE_VOIP;
    assert_string_equal(rig_first(&r, &f), "g");
}

static const char *const many_places[] = {"US-TX", "US-NV", "US-NY", "CA-ON", "CA", "DE", "US"};

static void open_many(struct rand *rand)
{
    static char rules[MANY * 128];
    size_t size = 0;

    for (unsigned i = 0; i < MANY; i++) {
        const char *place = many_places[rand_below(rand, COUNT_OF(many_places))];

        size += (size_t)snprintf(
            rules + size, sizeof rules - size,
            "%s{'name': 'r%03u', 'type': 'line_type', 'block': ['%s'], 'required': true, 'where': "
            "{'%s': ['%s']}}",
            i ? "," : "", i, rand_below(rand, 20) ? "voip" : "landline",
            place[2] ? "state" : "country", place[2] ? place + 3 : place);
    }
    open_rule(rules);
}

// More rules than fit a word of the plan's rows: the first that blocks is the one that asking each
// in turn finds, wherever the contact may be.
static void test_many(void **state)
{
    struct judge_finding f = {0};
    struct rand rand = {0};
    unsigned late = 0;

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&rand, SEED);
    for (unsigned i = 0; i < 2000; i++) {
        int want = -1;

        if (i % 100 == 0) {
            if (i) rig_close(&r);
            open_many(&rand);
        }
        r.facts.at = (struct places_bits){0};
        for (uint64_t n = 1 + rand_below(&rand, 2); n; n--)
            rig_place(&r, many_places[rand_below(&rand, COUNT_OF(many_places))]);
        r.facts.line_type = rand_below(&rand, 8) ? LINE_LANDLINE : LINE_WIRELESS;
        for (unsigned op = 0; op < r.plan->op_count && want < 0; op++) {
            judge_rule(&r.judge, op, &f);
            if (f.blocks) want = (int)op;
        }
        assert_int_equal(judge_first(&r.judge, &f, NULL, NULL), want);
        late += want >= 64;
    }
    assert_true(late > 100);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_windows),      T(test_no_windows), T(test_several_zones),   T(test_zone_from),
        T(test_unknown_zone), T(test_no_zone),    T(test_daylight_saving), T(test_dates),
        T(test_in_force),     T(test_where),      T(test_codes),           T(test_channels),
        T(test_line_type),    T(test_emergency),  T(test_lists),           T(test_external),
        T(test_order),        T(test_many),
    };

    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
