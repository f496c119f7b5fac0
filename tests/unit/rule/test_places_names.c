// SPDX-License-Identifier: Apache-2.0
//
// Names of regions, countries and zones, and the algebra of clocks.
#include "tests/unit/rule/places_rig.h"

// -- names --------------------------------------------------------------------------------------

static void regions(void **state)
{
    (void)state;
    assert_string_equal(region("US", "TX"), "US US-TX America/Chicago America/Denver");
    assert_string_equal(region("us", " tx "), "US US-TX America/Chicago America/Denver");
    assert_string_equal(region("USA", "Texas"), "US US-TX America/Chicago America/Denver");
    assert_string_equal(region("1", "TX"), "US US-TX America/Chicago America/Denver");
    assert_string_equal(region("1", "WA"), "US US-WA America/Los_Angeles"); // not Australia's
    assert_string_equal(region("", "US-TX"), "US US-TX America/Chicago America/Denver");
    assert_string_equal(region("CA", "new brunswick"), "CA CA-NB America/Moncton");
    assert_string_equal(region("AU", "NSW"),
                        "AU AU-NSW Australia/Lord_Howe Australia/Sydney Australia/Broken_Hill");
    assert_string_equal(region("US", "WA"), "US US-WA America/Los_Angeles");
    assert_non_null(strstr(region("AU", "WA"), "Australia/Perth"));
    assert_non_null(strstr(region("", "WA"), "America/Los_Angeles")); // any country that has one
    assert_non_null(strstr(region("", "WA"), "Australia/Perth"));
    assert_string_equal(region("US", "PR"), "PR US US-PR America/Puerto_Rico");
    assert_string_equal(region("PR", "PR"), "PR US US-PR America/Puerto_Rico");
    assert_string_equal(region("US", "ON"), "nothing");
    assert_string_equal(region("GB", "TX"), "nothing");
    assert_string_equal(region("US", ""), "nothing");
    assert_string_equal(region("US", "ZZ"), "nothing");
    assert_string_equal(region("ZZ", "TX"), "nothing");
    assert_string_equal(region("US", "a name that is much longer than any region of the world has, "
                                     "and longer than the table takes"),
                        "nothing");
}

static void countries(void **state)
{
    (void)state;
    assert_string_equal(country("US"),
                        "US America/New_York America/Chicago America/Denver America/Phoenix "
                        "America/Los_Angeles America/Anchorage America/Adak Pacific/Honolulu");
    assert_string_equal(country("gb"), "GB Europe/London");
    assert_string_equal(country("GBR"), "GB Europe/London");
    assert_string_equal(country("United Kingdom"), "GB Europe/London");
    assert_string_equal(country("uk"), "GB Europe/London");
    assert_string_equal(country("+44"), "GB GG IM JE Europe/London");
    assert_string_equal(country("44"), "GB GG IM JE Europe/London");
    assert_string_equal(country("PR"), "PR US US-PR America/Puerto_Rico");
    assert_string_equal(country("France"), "FR Europe/Paris");
    assert_non_null(strstr(country("1"), "CA US America/St_Johns"));
    assert_string_equal(country("+"), "nothing");
    assert_string_equal(country(""), "nothing");
    assert_string_equal(country("XX"), "nothing");
    assert_string_equal(country("840"), "nothing");
}

// The log of attempts holds these numbers: they never change.
static void numbers_are_for_ever(void **state)
{
    static const struct {
        unsigned number;
        const char *code;
    } fixed[] = {{1, "AD"},   {13, "AU"},  {38, "CA"},  {75, "FR"}, {77, "GB"},
                 {182, "PR"}, {233, "US"}, {249, "ZW"}, {250, "XK"}};
    static const struct {
        unsigned number;
        const char *code;
    } regions_fixed[] = {{1, "US-AL"},  {44, "US-TX"}, {51, "US-WY"},  {52, "US-PR"}, {56, "US-MP"},
                         {57, "CA-AB"}, {69, "CA-YT"}, {70, "AU-NSW"}, {77, "AU-ACT"}};
    uint64_t bits[ATTEMPT_REGION_WORDS];

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(fixed); i++) {
        assert_int_equal(places_country(places, str_of(fixed[i].code)), fixed[i].number);
        assert_string_equal(places_country_code(places, fixed[i].number), fixed[i].code);
    }
    for (unsigned i = 0; i < COUNT_OF(regions_fixed); i++) {
        assert_string_equal(places_region_code(places, regions_fixed[i].number),
                            regions_fixed[i].code);
        assert_true(places_regions(places, 0, str_of(regions_fixed[i].code), bits));
        assert_true(places_has(bits, regions_fixed[i].number));
    }
    assert_int_equal(places_country(places, STR("us")), 233);
    assert_int_equal(places_country(places, STR("USA")), 0);
    assert_int_equal(places_country(places, STR("")), 0);
    assert_string_equal(places_country_code(places, 0), "");
    assert_string_equal(places_region_code(places, 0), "");
    assert_string_equal(places_region_code(places, 100), "");
    assert_string_equal(places_region_code(places, 9999), "");
}

static void regions_as_bits(void **state)
{
    uint64_t bits[ATTEMPT_REGION_WORDS] = {7, 7};

    (void)state;
    assert_false(places_regions(places, 233, STR("ON"), bits));
    assert_int_equal(bits[0], 7); // untouched
    assert_true(places_regions(places, 38, STR("on"), bits));
    assert_true(places_has(bits, 65));
    assert_int_equal(__builtin_popcountll(bits[0]) + __builtin_popcountll(bits[1]), 1);
    assert_true(places_regions(places, 0, STR("WA"), bits));
    assert_int_equal(__builtin_popcountll(bits[0]) + __builtin_popcountll(bits[1]), 2);
    places_regions_of(places, 233, bits);
    assert_int_equal(__builtin_popcountll(bits[0]) + __builtin_popcountll(bits[1]), 56);
    places_regions_of(places, 182, bits);
    assert_int_equal(__builtin_popcountll(bits[0]) + __builtin_popcountll(bits[1]), 1);
    places_regions_of(places, 75, bits);
    assert_int_equal(bits[0] | bits[1], 0);
    assert_null(places_at_country(places, 0));
    assert_int_equal(places_at_country(places, 233)->zones->count, 8);
}

static const char *zone(const char *name)
{
    const struct zone_set *set = places_of_zone(places, str_of(name));

    return !set || set->count > 1 ? "none" : zones_name(zones, set->zone[0]);
}

static unsigned zone_count(const char *name)
{
    const struct zone_set *set = places_of_zone(places, str_of(name));

    return set ? set->count : 0;
}

static void zone_names(void **state)
{
    (void)state;
    // tzdata's own EST and MST have no summer, and its HST and PST8PDT other names
    assert_string_equal(zone("EST"), "America/New_York");
    assert_string_equal(zone("edt"), "America/New_York");
    assert_string_equal(zone("CST"), "America/Chicago");
    assert_string_equal(zone("MST"), "America/Denver");
    assert_string_equal(zone("PST"), "America/Los_Angeles");
    assert_string_equal(zone("AKST"), "America/Anchorage");
    assert_string_equal(zone("HST"), "Pacific/Honolulu");
    assert_string_equal(zone("CET"), "Europe/Paris");
    assert_string_equal(zone("PNT"), "America/Phoenix");
    assert_string_equal(zone("america/chicago"), "America/Chicago");
    assert_string_equal(zone("US/Pacific"), "US/Pacific");
    assert_string_equal(zone("UTC"), "UTC");
    // several zones: none of them is meant more than another
    assert_string_equal(zone("IST"), "none");
    assert_string_equal(zone("AST"), "none");
    assert_int_equal(zone_count("IST"), 3);
    assert_int_equal(zone_count("BST"), 2);
    assert_int_equal(zone_count("PST"), 1);
    assert_int_equal(zone_count("Europe/London"), 1);
    assert_int_equal(zone_count("Mars/Olympus"), 0);
    assert_int_equal(zone_count(""), 0);
    assert_string_equal(zone(""), "none");
    assert_string_equal(zone("XYZ"), "none");
}

// -- sets of zones ------------------------------------------------------------------------------

static const struct zone_set *set_of(const char *name)
{
    return places_of_zone(places, str_of(name));
}

static void clocks_are_compared_not_names(void **state)
{
    const struct zone_set *ny = set_of("EST"), *chicago = set_of("CST"), *us, *both;

    (void)state;
    us = places_at_country(places, 233)->zones;
    assert_true(places_zones_both(places, us, set_of("America/Detroit")) ==
                set_of("America/Detroit"));
    assert_null(places_zones_both(places, ny, chicago));
    assert_null(places_zones_both(places, us, set_of("Europe/London")));
    assert_true(places_zones_both(places, us, ny) == ny);
    both = places_zones_either(places, ny, chicago);
    assert_int_equal(both->count, 2);
    assert_true(places_zones_both(places, both, ny) == ny);
    assert_true(places_zones_either(places, both, chicago) == both);
    assert_true(places_zones_either(places, ny, set_of("US/Eastern")) == ny);
    // nothing smaller holds London and Tokyo than the whole world
    both = places_zones_either(places, set_of("Europe/London"), set_of("Asia/Tokyo"));
    assert_true(both->count > 40);
    for (unsigned i = 0; i < us->count; i++) {
        for (unsigned k = 0; k < us->count; k++) {
            const struct zone_set *a = zones_only(zones, us->zone[i]),
                                  *b = zones_only(zones, us->zone[k]);

            assert_int_equal(places_zones_either(places, a, b)->count, 1 + (i != k));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions),
        cmocka_unit_test(countries),
        cmocka_unit_test(numbers_are_for_ever),
        cmocka_unit_test(regions_as_bits),
        cmocka_unit_test(zone_names),
        cmocka_unit_test(clocks_are_compared_not_names),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
