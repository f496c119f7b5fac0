// SPDX-License-Identifier: Apache-2.0
//
// Every minute of the weeks round the next changes of the clock, in every zone of the United States
// and Canada, for every contact_times rule of their packs: the answer of judge against a slow one
// that has the pack's JSON and the C library's clock, and no code of ours but the JSON reader.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/rule/judge.h"
#include "engine/wire/number.h"
#include "tests/unit/rule/second.h"
#include "tests/unit/rule/weeks.h"

#define RULES_MAX 128

// What a pack says of one rule.
struct slow {
    struct str name;
    bool good[7][1440];
    char country[8], state[8], from_day[16], until_day[16];
    enum channel channel;
    int op;
    struct facts facts;
};

enum answer { NONE, ALLOW, BLOCK };

static const char *const pack_names[] = {"us-federal", "us-states", "canada"};
static struct slow slow[RULES_MAX];
static unsigned slow_count;
static struct second_minute second[WEEKS_MINUTES + 2 * WEEKS_MARGIN];
static char dates[WEEKS_MINUTES][16]; // the local date of each minute

static struct zones *zones;
static struct places *places;
static struct packs *packs;
static struct ruleset *set;
static struct rule_plan *plan;
static struct record_keys *keys;
static struct zone_clock clock_a;

// -- the pack, read slowly ---------------------------------------------------------------------

static struct str member(struct str object, const char *name)
{
    struct json j = json_start(object, 8);
    struct json_value key, value;
    struct str found = {0};

    json_enter(&j);
    while (json_member(&j, &key, &value))
        if (str_eq(key.text, str_of(name))) found = value.text;
    return found;
}

static struct str first_element(struct str array)
{
    struct json j = json_start(array, 8);
    struct json_value value;

    json_enter(&j);
    return json_element(&j, &value) ? value.text : (struct str){0};
}

static unsigned weekday_of(const char *name)
{
    for (unsigned i = 0; i < 7; i++)
        if (memcmp(name, &"montuewedthufrisatsun"[i * 3], 3) == 0) return i;
    fail_msg("no weekday: %.3s", name);
    return 0;
}

static bool has_day(struct str days, unsigned weekday)
{
    if (str_eq(days, STR("daily"))) return true;
    for (const char *at = days.ptr; at < days.ptr + days.size; at += 4) {
        unsigned first = weekday_of(at), last = first;

        if (at + 4 < days.ptr + days.size && at[3] == '-') last = weekday_of(at += 4);
        for (unsigned day = first;; day = (day + 1) % 7) {
            if (day == weekday) return true;
            if (day == last) break;
        }
    }
    return false;
}

static unsigned minute_of(struct str text)
{
    assert_int_equal(text.size, 5);
    return (unsigned)((text.ptr[0] - '0') * 600 + (text.ptr[1] - '0') * 60 +
                      (text.ptr[3] - '0') * 10 + text.ptr[4] - '0');
}

static void read_rule(struct str rule)
{
    struct json windows = json_start(member(rule, "windows"), 8);
    struct str where = member(rule, "where"), channels = member(rule, "channels");
    struct slow *s = &slow[slow_count++];
    struct json_value window;

    assert_true(slow_count < RULES_MAX);
    s->name = member(rule, "name");
    s->op = -1;
    str_copy(s->country, sizeof s->country, first_element(member(where, "country")));
    str_copy(s->state, sizeof s->state, first_element(member(where, "state")));
    str_copy(s->from_day, sizeof s->from_day, member(rule, "effective_from"));
    str_copy(s->until_day, sizeof s->until_day, member(rule, "effective_until"));
    if (channels.ptr) assert_true(channel_parse(first_element(channels), &s->channel));
    json_enter(&windows);
    while (json_element(&windows, &window)) {
        unsigned from = minute_of(member(window.text, "from"));
        unsigned till = minute_of(member(window.text, "till"));

        for (unsigned day = 0; day < 7; day++)
            for (unsigned minute = from; minute < till; minute++)
                if (has_day(member(window.text, "days"), day)) s->good[day][minute] = true;
    }
}

static void read_pack(struct str text)
{
    struct json rules = json_start(member(text, "rules"), 8);
    struct json_value rule;

    json_enter(&rules);
    while (json_element(&rules, &rule))
        if (str_eq(member(rule.text, "type"), STR("contact_times"))) read_rule(rule.text);
    assert_false(rules.failed);
}

static enum answer slow_answer(const struct slow *s, unsigned minute)
{
    const struct second_wall *wall = &second[minute + WEEKS_MARGIN].wall;

    if (s->from_day[0] && strcmp(dates[minute], s->from_day) < 0) return NONE;
    if (s->until_day[0] && strcmp(dates[minute], s->until_day) > 0) return NONE;
    return s->good[wall->weekday][wall->minute] ? ALLOW : BLOCK;
}

// -- the engine --------------------------------------------------------------------------------

static int slot_of(void *ctx, struct str field)
{
    (void)ctx;
    return record_keys_add(keys, field);
}

static int set_up(void **state)
{
    static const char document[] =
        "{\"version\":\"1\",\"tenant\":{\"default_country\":\"US\",\"zone_from\":[\"contact\"],"
        "\"unverified_rules\":\"enforce\"},\"packs\":[\"us-federal\",\"us-states\",\"canada\"]}";
    static struct ruleset_errors errors;
    struct err_info info = {0};

    (void)state;
    CHECK(number_start() == 0);
    keys = record_keys_new(FIELD_COUNT);
    if (zones_load(&zones, ZONES_DEFAULT, &info) < 0 || places_new(&places, zones, &info) < 0 ||
        packs_load(&packs, NULL, &info) < 0) {
        print_error("%s\n", info.text);
        return -1;
    }
    if (ruleset_parse(&set, str_of(document), places, packs, NULL, NULL, &errors) < 0) {
        print_error("%s: %s\n", errors.error[0].pointer, errors.error[0].text);
        return -1;
    }
    if (rule_plan_new(&plan, set, RULE_PLAN_NONE, places, slot_of, NULL, &info) < 0) return -1;
    for (size_t i = 0; i < COUNT_OF(pack_names); i++)
        read_pack(packs_find(packs, str_of(pack_names[i]))->text);
    for (unsigned op = 0; op < plan->op_count; op++)
        for (unsigned i = 0; i < slow_count; i++)
            if (str_eq(set->rule[plan->op[op].rule].name, slow[i].name)) slow[i].op = (int)op;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rule_plan_free(plan);
    ruleset_unref(set);
    packs_free(packs);
    places_free(places);
    zones_free(zones);
    record_keys_free(keys);
    return 0;
}

// A contact that says where it is and that its clock is that zone's.
static void make_facts(struct slow *s, const char *zone)
{
    static struct record record;
    enum reason reason;
    char text[256];
    struct buf b;

    buf_wrap(&b, text, sizeof text);
    buf_printf(&b, "{\"country\":\"%s\",\"zone\":\"%s\"", s->country, zone);
    if (s->state[0]) buf_printf(&b, ",\"state\":\"%s\"", s->state);
    buf_char(&b, '}');
    assert_false(b.failed);
    assert_true(record_parse(&record, buf_view(&b), keys, &reason));
    facts_from_record(&s->facts, plan, &record, 0);
}

static enum answer judge_answer(const struct slow *s, bool foresee, int64_t *ret_until_s)
{
    static const struct judge_world nothing;
    struct judge j = {.plan = plan,
                      .facts = &s->facts,
                      .world = &nothing,
                      .clock = &clock_a,
                      .channel = s->channel,
                      .foresee = foresee,
                      .counts_before_s = INT64_MAX};
    struct judge_finding finding;

    judge_rule(&j, (unsigned)s->op, &finding);
    if (foresee) *ret_until_s = finding.until_s;
    if (!finding.applies) return NONE;
    return finding.blocks ? BLOCK : ALLOW;
}

static void see_week(const char *zone, const struct week *week)
{
    second_zone(zone);
    second_minutes(second, COUNT_OF(second), week->from_s - WEEKS_MARGIN * 60);
    for (unsigned i = 0; i < WEEKS_MINUTES; i++) {
        time_t day_s = (time_t)second[i + WEEKS_MARGIN].wall.day * 86400;
        struct tm tm;

        gmtime_r(&day_s, &tm);
        strftime(dates[i], sizeof dates[i], "%Y-%m-%d", &tm);
    }
}

static void wrong(const struct slow *s, const char *zone, const struct week *week, unsigned minute,
                  enum answer got)
{
    static const char *const words[] = {"none", "allow", "block"};

    fail_msg("%.*s, %s, minute %u of %s (%s): %s, not %s", STR_ARG(s->name), zone, minute,
             week->name, dates[minute], words[got], words[slow_answer(s, minute)]);
}

static void each_minute(const char *zone, const struct week *week)
{
    for (unsigned minute = 0; minute < WEEKS_MINUTES; minute++) {
        zone_clock_set(&clock_a, zones, week->from_s + (int64_t)minute * 60 + minute % 60);
        for (unsigned i = 0; i < slow_count; i++) {
            enum answer got = judge_answer(&slow[i], false, NULL);

            if (got != slow_answer(&slow[i], minute)) wrong(&slow[i], zone, week, minute, got);
        }
    }
}

// From one foreseen change to the next: what was foreseen holds in between.
static uint64_t each_promise(const char *zone, const struct week *week)
{
    uint64_t promises = 0;

    for (unsigned i = 0; i < slow_count; i++) {
        for (unsigned minute = 0; minute < WEEKS_MINUTES; promises++) {
            int64_t at_s = week->from_s + (int64_t)minute * 60, until_s;
            enum answer got;

            zone_clock_set(&clock_a, zones, at_s);
            got = judge_answer(&slow[i], true, &until_s);
            assert_true(until_s > at_s);
            for (; minute < WEEKS_MINUTES && week->from_s + (int64_t)minute * 60 < until_s;
                 minute++)
                if (slow_answer(&slow[i], minute) != got) wrong(&slow[i], zone, week, minute, got);
        }
    }
    return promises;
}

static void test_weeks(void **state)
{
    static const char *const countries[] = {"US", "CA"};
    uint64_t tried = 0, promises = 0;

    (void)state;
    for (size_t c = 0; c < COUNT_OF(countries); c++) {
        const struct zone_set *of = zones_of_country(zones, str_of(countries[c]));

        for (unsigned z = 0; z < of->count; z++) {
            const char *zone = zones_name(zones, of->zone[z]);

            for (unsigned i = 0; i < slow_count; i++) make_facts(&slow[i], zone);
            for (size_t w = 0; w < COUNT_OF(weeks); w++) {
                see_week(zone, &weeks[w]);
                each_minute(zone, &weeks[w]);
                promises += each_promise(zone, &weeks[w]);
                tried += (uint64_t)slow_count * WEEKS_MINUTES;
            }
        }
    }
    print_message("%llu instants of %u rules, %llu changes foreseen\n", (unsigned long long)tried,
                  slow_count, (unsigned long long)promises);
    // a foreseen change a minute would be none
    assert_true(promises < tried / 100);
}

// Pennsylvania's hours of 2019 end with 2026-10-17, its new ones begin the day after: by its clock.
static void test_effective_days(void **state)
{
    static const struct week week = {"Pennsylvania's change of rules", 1792022400}; // 2026-10-15
    unsigned changes = 0;

    (void)state;
    see_week("America/New_York", &week);
    for (unsigned i = 0; i < slow_count; i++) {
        make_facts(&slow[i], "America/New_York");
        changes += (slow_answer(&slow[i], 0) == NONE) != (slow_answer(&slow[i], 9000) == NONE);
    }
    assert_int_equal(changes, 3);
    each_minute("America/New_York", &week);
    each_promise("America/New_York", &week);
}

static void test_all_there(void **state)
{
    (void)state;
    assert_true(slow_count >= 30);
    for (unsigned i = 0; i < slow_count; i++)
        if (slow[i].op < 0) fail_msg("%.*s is in no plan", STR_ARG(slow[i].name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_there),
                                       cmocka_unit_test(test_effective_days),
                                       cmocka_unit_test(test_weeks)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
