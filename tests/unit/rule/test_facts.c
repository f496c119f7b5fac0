// SPDX-License-Identifier: Apache-2.0
//
// What a record says: precedence, union and narrowing of evidence, with the public examples that
// this must meet:
//   Regulation F, comment 6(b)(1)-2, conflicting locations: a phone number with an Eastern area
//   code and an address in Pacific time: both count (law.md: us.regf.times).
//   Genesys Cloud, "Automatic time zone mapping examples"
//   (help.mypurecloud.com/articles/automatic-time-zone-mapping-examples), a row a test.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/rule/facts.h"
#include "engine/wire/number.h"

#define DEVICE  (1u << ZONE_DEVICE)
#define POSTAL  (1u << ZONE_POSTAL_CODE)
#define STATE   (1u << ZONE_STATE)
#define CONTACT (1u << ZONE_CONTACT)
#define ALL     (DEVICE | POSTAL | STATE | CONTACT)
#define US_ZONES                                                                                   \
    "America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles "         \
    "America/Anchorage America/Adak Pacific/Honolulu"
#define EASTERN  12125550100
#define CENTRAL  13125550100
#define MOUNTAIN 13035550100
#define PACIFIC  14155550100
#define UNKNOWN  13705550100 // no area code yet
#define TOLLFREE 18005550100

static struct zones *zones;
static struct places *places;
static struct record_keys *keys;
static struct record record;
static struct ruleset set;
static struct rule_plan plan;
static struct facts f;

static int set_up(void **state)
{
    struct err_info info;

    (void)state;
    keys = record_keys_new(FIELD_COUNT);
    if (keys && zones_load(&zones, ZONES_DEFAULT, &info) == 0 &&
        places_new(&places, zones, &info) == 0)
        return 0;
    fprintf(stderr, "%s\n", info.text);
    return -1;
}

static int tear_down(void **state)
{
    (void)state;
    expr_pool_done(&set.expr);
    record_keys_free(keys);
    places_free(places);
    zones_free(zones);
    return 0;
}

static void read_record(const char *text)
{
    enum reason reason;

    memset(&record, 0xaa, sizeof record); // what an earlier record left
    if (!record_parse(&record, str_of(text), keys, &reason)) fail_msg("no record: %s", text);
}

static void look_from(const char *home, uint64_t device, const char *text)
{
    plan.set = &set;
    plan.places = places;
    plan.zones = zones;
    plan.default_country = (uint16_t)places_country(places, str_of(home));
    plan.subject_slot = plan.disposition_slot = -1;
    read_record(text);
    memset(&f, 0xaa, sizeof f);
    facts_from_record(&f, &plan, &record, device);
}

static void look(uint64_t device, const char *text)
{
    plan.test_count = 0;
    look_from("US", device, text);
}

// The zones that count for these sources, each once, in the order of tzdata.
static const char *zones_of(unsigned from)
{
    static char text[2048];
    bool counts[ZONES_MAX] = {false};
    const struct zone_set *of;
    struct buf b;

    for (unsigned i = 0; (of = facts_zones(&f, from, &i));)
        for (unsigned k = 0; k < of->count; k++) counts[of->zone[k]] = true;
    buf_wrap(&b, text, sizeof text - 1);
    for (unsigned i = 0; i < zones_count(zones); i++)
        if (counts[i]) buf_printf(&b, "%s%s", b.size_bytes ? " " : "", zones_name(zones, i));
    assert_false(b.failed);
    text[b.size_bytes] = 0;
    return text;
}

static unsigned count_of(const uint64_t *bits, unsigned words)
{
    unsigned count = 0;

    for (unsigned i = 0; i < words; i++) count += (unsigned)__builtin_popcountll(bits[i]);
    return count;
}

// "US US-NY US-TX"; more than six regions are "US …56".
static const char *at(void)
{
    static char text[512];
    unsigned regions = count_of(f.at.regions, ATTEMPT_REGION_WORDS);
    struct buf b;

    buf_wrap(&b, text, sizeof text - 1);
    for (unsigned i = 0; i < PLACES_COUNTRIES_MAX; i++)
        if (places_has(f.at.countries, i))
            buf_printf(&b, "%s%s", b.size_bytes ? " " : "", places_country_code(places, i));
    if (regions > 6) buf_printf(&b, " …%u", regions);
    for (unsigned i = 0; regions <= 6 && i < PLACES_REGIONS_MAX; i++)
        if (places_has(f.at.regions, i)) buf_printf(&b, " %s", places_region_code(places, i));
    assert_false(b.failed);
    text[b.size_bytes] = 0;
    return text;
}

// -- the public examples ------------------------------------------------------------------------

// An Eastern phone and a Pacific address: only times fine in both (11:00 to 21:00 Eastern).
static void regulation_f_conflicting_locations(void **state)
{
    (void)state;
    look(EASTERN, "{\"postal_code\":\"90001\"}");
    assert_string_equal(zones_of(ALL), "America/New_York America/Los_Angeles");
    assert_string_equal(at(), "US US-CA US-NY");
    look(EASTERN, "{\"state\":\"CA\"}");
    assert_string_equal(zones_of(ALL), "America/New_York America/Los_Angeles");
    assert_string_equal(at(), "US US-CA US-NY");
    // Eastern and Mountain (10:00 to 21:00 Eastern)
    look(EASTERN, "{\"GSW_STATE_CODE\":\"CO\",\"GSW_POSTAL_CODE\":\"80202\"}");
    assert_string_equal(zones_of(ALL), "America/New_York America/Denver");
}

// Columns: ZIP code, the number asked about. "Could not map" makes theirs fall to 14:00 to 20:00
// Eastern; ours to every zone of the country, which is 14:00 Eastern and later, too.
static void genesys_automatic_time_zone_mapping(void **state)
{
    (void)state;
    look(UNKNOWN, "{\"postal_code\":\"00000\"}"); // could not map, could not map
    assert_string_equal(zones_of(ALL), US_ZONES);
    look(EASTERN, "{\"postal_code\":\"00000\"}"); // could not map, Eastern
    assert_string_equal(zones_of(ALL), US_ZONES);
    look(CENTRAL, "{}"); // not available, Central
    assert_string_equal(zones_of(ALL), "America/Chicago");
    look(EASTERN, "{\"postal_code\":\"\"}"); // not available, Eastern
    assert_string_equal(zones_of(ALL), "America/New_York");
    look(EASTERN, "{\"postal_code\":\"80202\"}"); // Mountain, Eastern
    assert_string_equal(zones_of(ALL), "America/New_York America/Denver");
    look(CENTRAL, "{\"postal_code\":\"80202\"}"); // Mountain, Central
    assert_string_equal(zones_of(ALL), "America/Chicago America/Denver");
    look(CENTRAL, "{\"postal_code\":\"60601\"}"); // Central, Central
    assert_string_equal(zones_of(ALL), "America/Chicago");
    look(UNKNOWN, "{\"postal_code\":\"60601\"}"); // Central, could not map: the default
    assert_string_equal(zones_of(ALL), US_ZONES);
    // "Canadian area codes are fully supported", Newfoundland with its half hour
    look(17095790100, "{}");
    assert_string_equal(zones_of(ALL), "America/St_Johns");
}

// -- sources ------------------------------------------------------------------------------------

static void each_source_is_kept_by_itself(void **state)
{
    (void)state;
    look(EASTERN,
         "{\"GSW_POSTAL_CODE\":\"60601\",\"GSW_STATE_CODE\":\"CO\",\"GSW_TZ_NAME\":\"PST\"}");
    assert_string_equal(zones_of(DEVICE), "America/New_York");
    assert_string_equal(zones_of(POSTAL), "America/Chicago");
    assert_string_equal(zones_of(STATE), "America/Denver");
    assert_string_equal(zones_of(CONTACT), "America/Los_Angeles");
    assert_string_equal(zones_of(DEVICE | CONTACT), "America/New_York America/Los_Angeles");
    assert_string_equal(zones_of(ALL),
                        "America/New_York America/Chicago America/Denver America/Los_Angeles");
    assert_string_equal(at(), "US US-CO US-IL US-NY"); // a zone is no place
    // sources that say nothing leave the country's zones, only when none of the chosen speaks
    look(EASTERN, "{}");
    assert_string_equal(zones_of(CONTACT), US_ZONES);
    assert_string_equal(zones_of(CONTACT | DEVICE), "America/New_York");
}

static void the_v1_names_mean_the_same(void **state)
{
    (void)state;
    look(EASTERN, "{\"postal_code\":\"60601\",\"state\":\"CO\",\"zone\":\"America/Los_Angeles\"}");
    assert_string_equal(zones_of(ALL),
                        "America/New_York America/Chicago America/Denver America/Los_Angeles");
    // the OCS names come first
    look(0,
         "{\"state\":\"CO\",\"GSW_STATE_CODE\":\"NY\",\"zone\":\"PST\",\"GSW_TZ_NAME\":\"CST\"}");
    assert_string_equal(zones_of(STATE), "America/New_York");
    assert_string_equal(zones_of(CONTACT), "America/Chicago");
    look(0, "{\"GSW_REGION_CODE\":\"TX\"}");
    assert_string_equal(zones_of(STATE), "America/Chicago America/Denver");
}

static void without_any_evidence_it_is_the_tenants_country(void **state)
{
    (void)state;
    look(0, "{}");
    assert_string_equal(at(), "US …56");
    assert_string_equal(zones_of(ALL), US_ZONES);
    assert_null(f.zones[ZONE_DEVICE]);
    assert_int_equal(f.national, 0);
    look_from("GB", 0, "{\"email\":\"a@example.org\"}");
    assert_string_equal(at(), "GB");
    assert_string_equal(zones_of(ALL), "Europe/London");
    look_from("", 0, "{}"); // no country at all: +1
    assert_string_equal(at(), "CA US …69");
}

// -- the number ---------------------------------------------------------------------------------

static void toll_free_says_nothing(void **state)
{
    (void)state;
    look(TOLLFREE, "{}");
    assert_string_equal(at(), "US …56");
    assert_null(f.zones[ZONE_DEVICE]);
    assert_string_equal(zones_of(ALL), US_ZONES);
    look(TOLLFREE, "{\"state\":\"NY\"}");
    assert_string_equal(at(), "US US-NY");
    assert_string_equal(zones_of(ALL), "America/New_York");
    // a tenant elsewhere: +1 is not there
    look_from("GB", TOLLFREE, "{}");
    assert_string_equal(at(), "CA US …69");
    look_from("CA", TOLLFREE, "{}");
    assert_string_equal(at(), "CA …13");
}

static void an_area_code_that_nobody_knows_is_anywhere(void **state)
{
    (void)state;
    look(UNKNOWN, "{}");
    assert_string_equal(at(), "US …56");
    assert_string_equal(zones_of(DEVICE), US_ZONES);
    look(UNKNOWN, "{\"state\":\"NY\"}");
    assert_string_equal(at(), "US …56");
    assert_string_equal(zones_of(ALL), US_ZONES);
    look_from("GB", UNKNOWN, "{}");
    assert_string_equal(at(), "CA US …69");
    look(UNKNOWN, "{\"GSW_COUNTRY_CODE\":\"CA\"}");
    assert_string_equal(at(), "CA …13");
    look(UNKNOWN, "{\"GSW_COUNTRY_CODE\":\"GB\"}"); // a number in +1 is not
    assert_string_equal(at(), "GB US …56");
}

static void the_digits_of_a_number(void **state)
{
    static const struct {
        uint64_t device, national;
        unsigned digits, area;
    } rows[] = {
        {12125550100, 2125550100, 10, 212},
        {442071234567, 2071234567, 10, 0},
        {33123456789, 123456789, 9, 0},
        {79161234567, 9161234567, 10, 0},
        {353861234567, 861234567, 9, 0},
        {4930901820, 30901820, 8, 0},
        {8613812345678, 13812345678, 11, 0},
        {85212345678, 12345678, 8, 0},
        {390612345678, 612345678, 10, 0},
        {0, 0, 0, 0},
        {6832, 2, 1, 0},
    };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        look(rows[i].device, "{}");
        assert_int_equal(f.national, rows[i].national);
        assert_int_equal(f.national_digits, rows[i].digits);
        assert_int_equal(f.area_code, rows[i].area);
    }
}

static void the_devices_own_evidence_narrows(void **state)
{
    (void)state;
    // 219 lies in two zones; OCS knows better
    look(12192110100, "{}");
    assert_string_equal(zones_of(DEVICE), "America/Indiana/Indianapolis America/Chicago");
    look(12192110100, "{\"GSW_D_TZ_JAVA_NAME\":\"America/Chicago\"}");
    assert_string_equal(zones_of(DEVICE), "America/Chicago");
    assert_string_equal(at(), "US US-IN");
    // the same clock by another name
    look(12192110100, "{\"GSW_D_TZ_JAVA_NAME\":\"America/New_York\"}");
    assert_string_equal(zones_of(DEVICE), "America/New_York");
    look(18672110100, "{\"GSW_D_STATE_CODE\":\"YT\"}");
    assert_string_equal(zones_of(DEVICE), "America/Whitehorse");
    assert_string_equal(at(), "CA CA-YT");
    look(19022110100, "{\"GSW_D_REGION_CODE\":\"NS\",\"GSW_D_COUNTRY_CODE\":\"CA\"}");
    assert_string_equal(at(), "CA CA-NS");
    // what they say of a number that nobody knows is all there is
    look(UNKNOWN, "{\"GSW_D_STATE_CODE\":\"NY\"}");
    assert_string_equal(zones_of(DEVICE), "America/New_York");
    assert_string_equal(at(), "US US-NY");
    look(TOLLFREE, "{\"GSW_D_TZ_JAVA_NAME\":\"US/Pacific\"}");
    assert_string_equal(zones_of(DEVICE), "US/Pacific");
    // what nobody knows narrows nothing
    look(EASTERN, "{\"GSW_D_TZ_JAVA_NAME\":\"Mars/Olympus\",\"GSW_D_STATE_CODE\":\"ZZ\"}");
    assert_string_equal(zones_of(DEVICE), "America/New_York");
    assert_string_equal(at(), "US US-NY");
    look(EASTERN, "{\"GSW_D_COUNTRY_CODE\":\"1\"}");
    assert_string_equal(at(), "US US-NY");
    look(0, "{\"GSW_D_COUNTRY_CODE\":\"BV\"}"); // a country without a clock
    assert_string_equal(at(), "BV");
}

static void contradictions_count_both(void **state)
{
    (void)state;
    look(EASTERN, "{\"GSW_D_TZ_JAVA_NAME\":\"America/Los_Angeles\"}");
    assert_string_equal(zones_of(DEVICE), "America/New_York America/Los_Angeles");
    look(EASTERN, "{\"GSW_D_STATE_CODE\":\"CA\"}");
    assert_string_equal(zones_of(DEVICE), "America/New_York America/Los_Angeles");
    assert_string_equal(at(), "US US-CA US-NY");
    look(EASTERN, "{\"GSW_D_COUNTRY_CODE\":\"CA\"}");
    assert_non_null(strstr(at(), "CA US"));
    assert_int_equal(count_of(f.at.regions, ATTEMPT_REGION_WORDS), 14);
    assert_non_null(strstr(zones_of(DEVICE), "America/Vancouver"));
    assert_true(
        places_zones_both(places, f.zones[ZONE_DEVICE], places_of_device(places, EASTERN)->zones) ==
        places_of_device(places, EASTERN)->zones);
    look(0, "{\"GSW_STATE_CODE\":\"NY\",\"GSW_REGION_CODE\":\"CA\"}");
    assert_string_equal(zones_of(STATE), "America/New_York America/Los_Angeles");
    assert_string_equal(at(), "US US-CA US-NY");
    // a region that is none of ours may be anything beside a state
    look(0, "{\"GSW_STATE_CODE\":\"NY\",\"GSW_REGION_CODE\":\"EMEA\"}");
    assert_string_equal(zones_of(STATE), "America/New_York");
    // a country that nothing else is in
    look(EASTERN, "{\"country\":\"GB\"}");
    assert_string_equal(at(), "GB US US-NY");
    assert_string_equal(zones_of(ALL), "Europe/London America/New_York");
    look(EASTERN, "{\"country\":\"US\"}");
    assert_string_equal(at(), "US US-NY");
    assert_null(f.zones[ZONE_STATE]);
}

// -- the address --------------------------------------------------------------------------------

static void what_nobody_knows_is_any_place(void **state)
{
    (void)state;
    look(EASTERN, "{\"state\":\"ZZ\"}");
    assert_string_equal(at(), "US …56");
    assert_string_equal(zones_of(STATE), US_ZONES);
    look(EASTERN, "{\"postal_code\":\"00001\"}");
    assert_string_equal(at(), "US …56");
    look(EASTERN, "{\"GSW_TZ_NAME\":\"Mars\"}");
    assert_string_equal(at(), "US US-NY");
    assert_string_equal(zones_of(CONTACT), US_ZONES);
    look(442071234567, "{\"postal_code\":\"SW1A 1AA\",\"state\":\"London\"}");
    assert_string_equal(at(), "GB");
    assert_string_equal(zones_of(ALL), "Europe/London");
    // five digits are a ZIP code only where nothing points elsewhere
    look(4930901820, "{\"postal_code\":\"10115\"}");
    assert_string_equal(at(), "DE");
    look_from("DE", 0, "{\"postal_code\":\"10115\"}");
    assert_string_equal(at(), "DE");
    look_from("DE", 0, "{\"postal_code\":\"10115\",\"country\":\"US\"}");
    assert_string_equal(at(), "US US-NY");
    // a country that nobody knows says nothing
    look(EASTERN, "{\"country\":\"Atlantis\",\"state\":\"NY\"}");
    assert_string_equal(at(), "US US-NY");
}

static void a_country_that_is_guessed_hides_nothing(void **state)
{
    (void)state;
    look(EASTERN, "{\"state\":\"ON\",\"postal_code\":\"K1A 0B1\"}");
    assert_string_equal(at(), "CA US US-NY CA-ON");
    look(EASTERN, "{\"state\":\"WA\"}"); // not Western Australia
    assert_string_equal(at(), "US US-NY US-WA");
    look(61291234567, "{\"state\":\"WA\"}");
    assert_string_equal(at(), "AU …8"); // no table knows the states of Australian numbers
    assert_string_equal(zones_of(STATE), "Australia/Perth Australia/Eucla");
    look(EASTERN, "{\"state\":\"ON\",\"country\":\"US\"}"); // named: no such state
    assert_string_equal(at(), "US …56");
    look(17875550100, "{\"state\":\"PR\",\"postal_code\":\"00901\"}");
    assert_string_equal(at(), "PR US US-PR");
    assert_string_equal(zones_of(ALL), "America/Puerto_Rico");
}

static void postal_codes_are_packed_for_rules(void **state)
{
    (void)state;
    look(0, "{\"postal_code\":\"k1a 0b1\"}");
    assert_true(f.postal == 0x4b31413042310000);
    look(0, "{\"GSW_POSTAL_CODE\":\"75001-1234\"}");
    assert_true(f.postal == 0x3735303031313233); // the first eight
    look(0, "{}");
    assert_int_equal(f.postal, 0);
}

// -- the contact's zone -------------------------------------------------------------------------

static void names_and_offsets(void **state)
{
    (void)state;
    look(EASTERN, "{\"GSW_TZ_NAME\":\"PST\",\"GSW_TZ_OFFSET\":-25200}");
    assert_string_equal(zones_of(CONTACT), "America/Los_Angeles");
    look(EASTERN, "{\"GSW_TZ_OFFSET\":-25200}");
    assert_string_equal(zones_of(CONTACT), "UTC-07:00");
    look(EASTERN, "{\"GSW_TZ_OFFSET\":\"19800\",\"GSW_TZ_NAME\":\"Office 7\"}");
    assert_string_equal(zones_of(CONTACT), "UTC+05:30");
    look(EASTERN, "{\"GSW_TZ_OFFSET\":1234}");
    assert_string_equal(zones_of(CONTACT), US_ZONES);
    look(EASTERN, "{\"GSW_TZ_OFFSET\":\"9999999999999\"}");
    assert_string_equal(zones_of(CONTACT), US_ZONES);
    look(EASTERN, "{\"GSW_TZ_OFFSET\":\"soon\"}");
    assert_string_equal(zones_of(CONTACT), US_ZONES);
}

static void names_of_several_zones(void **state)
{
    (void)state;
    look(912212345678, "{\"GSW_TZ_NAME\":\"IST\"}");
    assert_string_equal(zones_of(CONTACT), "Asia/Kolkata");
    look(EASTERN, "{\"GSW_TZ_NAME\":\"IST\"}");
    assert_string_equal(zones_of(CONTACT), "Europe/Dublin Asia/Jerusalem Asia/Kolkata");
    look(442071234567, "{\"GSW_TZ_NAME\":\"BST\"}");
    assert_string_equal(zones_of(CONTACT), "Europe/London");
    // Alaska in Java's list, the Atlantic elsewhere; Puerto Rico is the US as well
    look(EASTERN, "{\"GSW_TZ_NAME\":\"AST\"}");
    assert_string_equal(zones_of(CONTACT), "America/Halifax America/Puerto_Rico America/Anchorage");
    look(19025550100, "{\"GSW_TZ_NAME\":\"AST\"}");
    assert_string_equal(zones_of(CONTACT), "America/Halifax America/Blanc-Sablon");
}

// -- the rest -----------------------------------------------------------------------------------

static void line_types(void **state)
{
    static const struct {
        const char *text;
        enum line_type want;
    } rows[] = {
        {"{}", LINE_UNKNOWN},
        {"{\"line_type\":\"Wireless\"}", LINE_WIRELESS},
        {"{\"line_type\":\" mobile \"}", LINE_WIRELESS},
        {"{\"line_type\":\"LANDLINE\"}", LINE_LANDLINE},
        {"{\"line_type\":\"voip\"}", LINE_VOIP},
        {"{\"line_type\":\"pager\",\"GSW_PHONE_TYPE\":4}", LINE_UNKNOWN},
        {"{\"line_type\":\"landline\",\"GSW_PHONE_TYPE\":4}", LINE_LANDLINE},
        {"{\"line_type\":\"\",\"GSW_PHONE_TYPE\":\"4\"}", LINE_WIRELESS},
        {"{\"GSW_PHONE_TYPE\":4}", LINE_WIRELESS},
        {"{\"GSW_PHONE_TYPE\":1}", LINE_UNKNOWN}, // the column's default
        {"{\"GSW_PHONE_TYPE\":2}", LINE_UNKNOWN},
        {"{\"GSW_PHONE_TYPE\":\"four\"}", LINE_UNKNOWN},
    };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        look(EASTERN, rows[i].text);
        if (f.line_type != rows[i].want) fail_msg("%s is %d", rows[i].text, f.line_type);
    }
}

static void tests_and_subject(void **state)
{
    struct expr_error error;
    int slot = record_keys_add(keys, STR("debt_id"));

    (void)state;
    assert_true(slot > 0);
    assert_true(expr_compile(&set.expr, STR("$debt_id == \"A7\" or $debt_id > 5"), &error) >= 0);
    assert_int_equal(set.expr.test_count, 2);
    // in every 35th place, over both words
    plan.test_count = 71;
    for (unsigned i = 0; i < plan.test_count; i++) {
        plan.test[i].test = (uint16_t)(i % 35 != 0);
        plan.test[i].slot = (uint16_t)slot;
    }
    plan.subject_slot = slot;
    read_record("{\"debt_id\":\"A7\"}");
    facts_from_record(&f, &plan, &record, EASTERN);
    assert_int_equal(f.subject, attempt_word(STR("a7")));
    assert_true(f.test_true[0] == (1ull | 1ull << 35));
    assert_true(f.test_true[1] == 1ull << 6);
    read_record("{\"debt_id\":7}");
    facts_from_record(&f, &plan, &record, EASTERN);
    assert_int_equal(f.subject, attempt_word(STR("7")));
    assert_true(f.test_true[0] == ~(1ull | 1ull << 35));
    assert_true(f.test_true[1] == (0x7full & ~(1ull << 6)));
    assert_true((f.test_unknown[0] | f.test_unknown[1]) == 0);
    read_record("{}");
    facts_from_record(&f, &plan, &record, EASTERN);
    assert_int_equal(f.subject, 0);
    assert_true((f.test_true[0] | f.test_true[1]) == 0);
    assert_true(f.test_unknown[0] == UINT64_MAX);
    assert_true(f.test_unknown[1] == 0x7f);
}

static void place_of_an_attempt(void **state)
{
    struct attempt a = {0};

    (void)state;
    read_record("{\"GSW_STATE_CODE\":\"NY\"}");
    facts_place_attempt(&a, places, 233, &record, EASTERN);
    assert_int_equal(a.region, 33);
    assert_int_equal(a.country, 233);
    assert_int_equal(a.area_code, 212);
    read_record("{\"GSW_STATE_CODE\":\"CA\"}"); // two regions, one country
    facts_place_attempt(&a, places, 233, &record, EASTERN);
    assert_int_equal(a.region, 0);
    assert_int_equal(a.country, 233);
    read_record("{}");
    facts_place_attempt(&a, places, 233, &record, 442071234567);
    assert_int_equal(a.region, 0);
    assert_int_equal(a.country, 77);
    assert_int_equal(a.area_code, 0);
    // the tenant's country is no evidence
    facts_place_attempt(&a, places, 233, &record, TOLLFREE);
    assert_int_equal(a.region, 0);
    assert_int_equal(a.country, 0);
    assert_int_equal(a.area_code, 800);
    facts_place_attempt(&a, places, 233, &record, 0);
    assert_int_equal(a.country, 0);
    facts_place_attempt(&a, places, 233, &record, 17875550100); // Puerto Rico and the US
    assert_int_equal(a.region, 52);
    assert_int_equal(a.country, 0);
}

static const char *random_text(uint64_t seed, struct buf *b)
{
    static const char *const names[] = {"GSW_COUNTRY_CODE",
                                        "GSW_STATE_CODE",
                                        "GSW_REGION_CODE",
                                        "GSW_POSTAL_CODE",
                                        "GSW_TZ_NAME",
                                        "GSW_TZ_OFFSET",
                                        "GSW_D_STATE_CODE",
                                        "GSW_D_REGION_CODE",
                                        "GSW_D_COUNTRY_CODE",
                                        "GSW_D_TZ_JAVA_NAME",
                                        "country",
                                        "state",
                                        "postal_code",
                                        "zone",
                                        "line_type",
                                        "GSW_PHONE_TYPE"};
    static const char *const values[] = {
        "US",         "CA",  "1",  "GB", "BV",    "PR",      "AQ",        "+44", "NY",    "WA",
        "ON",         "ZZ",  "4",  "IN", "75001", "K1A 0B1", "IST",       "PST", "",      "0",
        "Asia/Tokyo", "AST", "-1", "é",  "X",     "42020",   "UTC+05:45", "GMT", "-3600", "86400"};
    unsigned count = (unsigned)(seed % 7);

    buf_reset(b);
    buf_char(b, '{');
    for (unsigned i = 0; i < count; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        buf_printf(b, "%s\"%s\":\"%s\"", i ? "," : "", names[seed >> 33 & 15],
                   values[(seed >> 40) % COUNT_OF(values)]);
    }
    buf_char(b, '}');
    return b->failed ? "{}" : b->ptr;
}

// Whatever a record says: a country at least, no empty set, each region within a country that is
// possible, and the number's own place and clocks are never lost unless its own evidence narrows.
static void random_records_leave_something_possible(void **state)
{
    static const uint64_t devices[] = {0,           EASTERN,    CENTRAL,      UNKNOWN,
                                       TOLLFREE,    MOUNTAIN,   442071234567, 881612345678,
                                       17875550100, 38344123456};
    char memory[1024];
    struct buf b;

    (void)state;
    print_message("seed 1 … 200000\n");
    for (uint64_t seed = 1; seed <= 200000; seed++) {
        uint64_t device = devices[seed % COUNT_OF(devices)];
        const struct place *number = places_of_device(places, device);

        buf_wrap(&b, memory, sizeof memory - 1);
        memset(memory, 0, sizeof memory);
        look(device, random_text(seed * 0x9e3779b97f4a7c15, &b));
        assert_true(count_of(f.at.countries, ATTEMPT_COUNTRY_WORDS) > 0);
        for (unsigned i = 0; i < ZONE_SOURCES; i++)
            assert_true(!f.zones[i] || f.zones[i]->count > 0);
        for (unsigned i = 1; i < PLACES_REGIONS_MAX; i++) {
            if (!places_has(f.at.regions, i)) continue;
            const char *code = places_region_code(places, i);

            assert_true(places_has(f.at.countries, places_country(places, str_make(code, 2))));
        }
        if (!number || record.present & (UINT64_C(15) << FIELD_D_COUNTRY_CODE)) continue;
        for (unsigned w = 0; w < ATTEMPT_REGION_WORDS; w++)
            assert_int_equal(number->at.regions[w] & ~f.at.regions[w], 0);
        assert_true(!number->zones || f.zones[ZONE_DEVICE] == number->zones);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regulation_f_conflicting_locations),
        cmocka_unit_test(genesys_automatic_time_zone_mapping),
        cmocka_unit_test(each_source_is_kept_by_itself),
        cmocka_unit_test(the_v1_names_mean_the_same),
        cmocka_unit_test(without_any_evidence_it_is_the_tenants_country),
        cmocka_unit_test(toll_free_says_nothing),
        cmocka_unit_test(an_area_code_that_nobody_knows_is_anywhere),
        cmocka_unit_test(the_digits_of_a_number),
        cmocka_unit_test(the_devices_own_evidence_narrows),
        cmocka_unit_test(contradictions_count_both),
        cmocka_unit_test(what_nobody_knows_is_any_place),
        cmocka_unit_test(a_country_that_is_guessed_hides_nothing),
        cmocka_unit_test(postal_codes_are_packed_for_rules),
        cmocka_unit_test(names_and_offsets),
        cmocka_unit_test(names_of_several_zones),
        cmocka_unit_test(line_types),
        cmocka_unit_test(tests_and_subject),
        cmocka_unit_test(place_of_an_attempt),
        cmocka_unit_test(random_records_leave_something_possible),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
