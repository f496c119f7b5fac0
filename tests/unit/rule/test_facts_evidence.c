// SPDX-License-Identifier: Apache-2.0
//
// Each piece of evidence: the number and what OCS makes of it, the address, the contact's zone.
#include "tests/unit/rule/facts_rig.h"

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
    // 219 lies in two zones, and OCS makes one of it
    look(12192110100, "{}");
    assert_string_equal(zones_of(DEVICE), "America/Indiana/Indianapolis America/Chicago");
    look(12192110100, "{\"GSW_D_TZ_JAVA_NAME\":\"America/Chicago\"}");
    assert_string_equal(zones_of(DEVICE), "America/Indiana/Indianapolis America/Chicago");
    assert_string_equal(at(), "US US-IN");
    // the same clock by another name
    look(12192110100, "{\"GSW_D_TZ_JAVA_NAME\":\"America/New_York\"}");
    assert_string_equal(zones_of(DEVICE), "America/Indiana/Indianapolis America/Chicago");
    // the tenant's default, for want of a better one
    look(UNKNOWN, "{\"GSW_D_TZ_JAVA_NAME\":\"America/New_York\"}");
    assert_string_equal(zones_of(DEVICE), US_ZONES);
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
    assert_null(f.zones[ZONE_DEVICE]);
    assert_string_equal(zones_of(ALL), US_ZONES);
    look(0, "{\"GSW_D_TZ_JAVA_NAME\":\"US/Pacific\"}");
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
    look(EASTERN, "{\"GSW_D_TZ_JAVA_NAME\":\"Australia/Lord_Howe\"}"); // these two and no others
    assert_string_equal(zones_of(DEVICE), "Australia/Lord_Howe America/New_York");
    look(EASTERN, "{\"GSW_D_STATE_CODE\":\"CA\"}");
    assert_string_equal(zones_of(DEVICE), "America/New_York America/Los_Angeles");
    assert_string_equal(at(), "US US-CA US-NY");
    look(EASTERN, "{\"GSW_D_STATE_CODE\":\"CA\",\"GSW_D_TZ_JAVA_NAME\":\"US/Central\"}");
    assert_string_equal(zones_of(DEVICE), "America/New_York America/Chicago America/Los_Angeles");
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
    assert_string_equal(zones_of(ALL), US_ZONES); // the number alone would be too sure
    look(EASTERN, "{\"postal_code\":\"00001\"}");
    assert_string_equal(at(), "US …56");
    look(EASTERN, "{\"GSW_TZ_NAME\":\"Mars\"}");
    assert_string_equal(at(), "US US-NY");
    assert_string_equal(zones_of(CONTACT), US_ZONES);
    assert_string_equal(zones_of(ALL), US_ZONES);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
