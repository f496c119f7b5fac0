// SPDX-License-Identifier: Apache-2.0
//
// What a record says: precedence, union and narrowing of evidence, with the public examples that
// this must meet:
//   Regulation F, comment 6(b)(1)-2, conflicting locations: a phone number with an Eastern area
//   code and an address in Pacific time: both count (law.md: us.regf.times).
//   Genesys Cloud, "Automatic time zone mapping examples"
//   (help.mypurecloud.com/articles/automatic-time-zone-mapping-examples), a row a test.
#include "tests/unit/rule/facts_rig.h"

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
        {"{\"line_type\":\"landline\",\"GSW_PHONE_TYPE\":4}", LINE_UNKNOWN},
        {"{\"line_type\":\"landline\",\"GSW_PHONE_TYPE\":1}", LINE_LANDLINE},
        {"{\"line_type\":\"wireless\",\"GSW_PHONE_TYPE\":4}", LINE_WIRELESS},
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
        cmocka_unit_test(line_types),
        cmocka_unit_test(tests_and_subject),
        cmocka_unit_test(place_of_an_attempt),
        cmocka_unit_test(random_records_leave_something_possible),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
