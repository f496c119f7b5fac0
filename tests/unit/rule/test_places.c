// SPDX-License-Identifier: Apache-2.0
//
// The traps of public data about numbers and postal codes (engine/packs/places/README.md), each
// one a test; that all tables agree with each other; and that damaged tables are refused.
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
#include "engine/rule/places_part.h"

#define NONE ((struct str){NULL, 0})

static struct zones *zones;
static struct places *places;

static int set_up(void **state)
{
    struct err_info info;

    (void)state;
    if (zones_load(&zones, ZONES_DEFAULT, &info) == 0 && places_new(&places, zones, &info) == 0)
        return 0;
    fprintf(stderr, "%s\n", info.text);
    return -1;
}

static int tear_down(void **state)
{
    (void)state;
    places_free(places);
    places_free(NULL);
    zones_free(zones);
    return 0;
}

// "US-IN: America/Chicago …", or "nothing".
static const char *words(const struct place *place)
{
    static char text[4096];
    struct buf b;

    buf_wrap(&b, text, sizeof text - 1);
    if (!place) buf_lit(&b, "nothing");
    for (unsigned i = 0; place && i < PLACES_COUNTRIES_MAX; i++)
        if (places_has(place->at.countries, i))
            buf_printf(&b, "%s ", places_country_code(places, i));
    for (unsigned i = 0; place && i < PLACES_REGIONS_MAX; i++)
        if (places_has(place->at.regions, i)) buf_printf(&b, "%s ", places_region_code(places, i));
    for (unsigned i = 0; place && place->zones && i < place->zones->count; i++)
        buf_printf(&b, "%s ", zones_name(zones, place->zones->zone[i]));
    while (b.size_bytes && text[b.size_bytes - 1] == ' ') b.size_bytes--;
    assert_false(b.failed);
    text[b.size_bytes] = 0;
    return text;
}

static const char *number(uint64_t device)
{
    return words(places_of_device(places, device));
}

static const char *postal(const char *country, const char *code)
{
    return words(places_of_postal_code(places, str_of(country), str_of(code)));
}

static const char *region(const char *country, const char *code)
{
    return words(places_of_region(places, str_of(country), str_of(code)));
}

static const char *country(const char *text)
{
    return words(places_of_country(places, str_of(text)));
}

// -- numbers ------------------------------------------------------------------------------------

static void an_area_code_in_one_zone(void **state)
{
    (void)state;
    assert_string_equal(number(12125550100), "US US-NY America/New_York");
    assert_string_equal(number(13125550100), "US US-IL America/Chicago");
    assert_string_equal(number(13035550100), "US US-CO America/Denver");
    assert_string_equal(number(14155550100), "US US-CA America/Los_Angeles");
    assert_string_equal(number(18085550100), "US US-HI Pacific/Honolulu");
    assert_string_equal(number(14165550100), "CA CA-ON America/Toronto");
    assert_string_equal(number(16045550100), "CA CA-BC America/Vancouver");
}

// libphonenumber's own default for 1219 and 1850 is New York; for 1208 it has none and falls to all
// of +1.
static void an_exchange_that_is_not_listed_has_all_zones(void **state)
{
    (void)state;
    assert_string_equal(number(12192110100),
                        "US US-IN America/Indiana/Indianapolis America/Chicago");
    assert_string_equal(number(12193260100), "US US-IN America/Chicago"); // La Porte
    assert_string_equal(number(18502110100), "US US-FL America/New_York America/Chicago");
    assert_string_equal(number(18504440100), "US US-FL America/Chicago");  // Pensacola
    assert_string_equal(number(18505740100), "US US-FL America/New_York"); // Tallahassee
    assert_string_equal(number(12082110100), "US US-ID America/Boise America/Los_Angeles");
    assert_string_equal(number(19862110100), "US US-ID America/Boise America/Los_Angeles");
    assert_string_equal(number(12083420100), "US US-ID America/Boise");
    assert_string_equal(number(12087430100), "US US-ID America/Los_Angeles"); // Lewiston
    assert_string_equal(number(16052110100), "US US-SD America/Chicago America/Denver");
    assert_string_equal(number(17012110100), "US US-ND America/Chicago America/Denver");
    assert_string_equal(number(18122110100),
                        "US US-IN America/Indiana/Indianapolis America/Chicago");
    assert_string_equal(number(19062110100), "US US-MI America/Detroit America/Menominee");
    assert_string_equal(number(15412110100), "US US-OR America/Boise America/Los_Angeles");
    assert_string_equal(number(15418810100), "US US-OR America/Boise"); // Ontario, OR
    assert_string_equal(number(13082110100), "US US-NE America/Chicago America/Denver");
    assert_string_equal(number(16202110100), "US US-KS America/Chicago America/Denver");
    assert_string_equal(number(17852110100), "US US-KS America/Chicago America/Denver");
    assert_string_equal(number(18072110100),
                        "CA CA-ON America/Toronto America/Atikokan America/Winnipeg");
    // exchanges begin with 2 to 9; nothing else narrows
    assert_string_equal(number(12191000100),
                        "US US-IN America/Indiana/Indianapolis America/Chicago");
}

// Debian's 8.12.57 lists Denver beside Phoenix for 480, 520 and 602 as well.
static void arizona(void **state)
{
    (void)state;
    assert_string_equal(number(14805550100), "US US-AZ America/Phoenix");
    assert_string_equal(number(15205550100), "US US-AZ America/Phoenix");
    assert_string_equal(number(16025550100), "US US-AZ America/Phoenix");
    assert_string_equal(number(16235550100), "US US-AZ America/Phoenix");
    assert_string_equal(number(19285550100), "US US-AZ America/Denver America/Phoenix");
    assert_string_equal(number(19286740100), "US US-AZ America/Denver America/Phoenix"); // Chinle
    assert_string_equal(number(19287790100), "US US-AZ America/Phoenix"); // Flagstaff
}

// One of each overlay must not know more, or other, zones than what it lies over.
static void what_packages_have_wrongly(void **state)
{
    (void)state;
    assert_string_equal(number(15345550100), "US US-WI America/Chicago");  // issue 667: Los Angeles
    assert_string_equal(number(14375550100), "CA CA-ON America/Toronto");  // 8.12.57: Winnipeg
    assert_string_equal(number(16895550100), "US US-FL America/New_York"); // Chicago
    assert_string_equal(number(14745550100),                               // Winnipeg
                        "CA CA-SK America/Regina America/Edmonton");
    assert_string_equal(number(14232110100), "US US-TN America/New_York America/Chicago");
    assert_string_equal(number(12702110100), "US US-KY America/New_York America/Chicago");
    assert_string_equal(number(13645550100), "US US-KY America/New_York America/Chicago");
    assert_string_equal(number(17092110100), "CA CA-NL America/St_Johns America/Goose_Bay");
    assert_string_equal(number(18792110100), "CA CA-NL America/St_Johns America/Goose_Bay");
    // Dawson Creek is on Edmonton's time in libphonenumber, Whitehorse on Vancouver's
    assert_non_null(strstr(number(12507820100), "America/Creston"));
    assert_non_null(strstr(number(18676670100), "America/Whitehorse"));
    assert_non_null(strstr(number(18676670100), "America/Iqaluit"));
}

static void toll_free_and_unassigned_codes_say_nothing(void **state)
{
    static const unsigned codes[] = {800, 833, 844, 855, 866, 877, 888, 900, 500, 533, 600,
                                     700, 710, 211, 911, 999, 370, 222, 456, 822, 622};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(codes); i++)
        if (places_of_device(places, (1000ull + codes[i]) * 10000000 + 5550100))
            fail_msg("%u says something", codes[i]);
    assert_null(places_of_device(places, 0));
    assert_null(places_of_device(places, 1));
    assert_null(places_of_device(places, UINT64_MAX));
    assert_null(places_of_device(places, 80012345678));  // +800, international toll-free
    assert_null(places_of_device(places, 881612345678)); // satellites
}

// Debian's 8.12.57 of 2022 misses all of these; libphonenumber of July 2026 those that are new.
static void the_newest_area_codes(void **state)
{
    static const struct {
        unsigned code;
        const char *want;
    } rows[] = {
        {227, "US US-MD America/New_York"},
        {235, "US US-MO America/Chicago"},
        {274, "US US-WI America/Chicago"},
        {324, "US US-FL America/New_York"},
        {327, "US US-AR America/Chicago"},
        {329, "US US-NY America/New_York"},
        {350, "US US-CA America/Los_Angeles"},
        {353, "US US-WI America/Chicago"},
        {354, "CA CA-QC America/Toronto"},
        {357, "US US-CA America/Los_Angeles"},
        {363, "US US-NY America/New_York"},
        {369, "US US-CA America/Los_Angeles"},
        {428, "CA CA-NB America/Moncton"},
        {436, "US US-OH America/New_York"},
        {457, "US US-LA America/Chicago"},
        {472, "US US-NC America/New_York"},
        {557, "US US-MO America/Chicago"},
        {621, "US US-TX America/Chicago"},
        {645, "US US-FL America/New_York"},
        {679, "US US-MI America/Detroit"},
        {686, "US US-VA America/New_York"},
        {728, "US US-FL America/New_York"},
        {729, "US US-TN America/New_York America/Chicago"},
        {730, "US US-IL America/Chicago"},
        {738, "US US-CA America/Los_Angeles"},
        {748, "US US-CO America/Denver"},
        {821, "US US-SC America/New_York"},
        {835, "US US-PA America/New_York"},
        {837, "US US-CA America/Los_Angeles"},
        {861, "US US-IL America/Chicago"},
        {924, "US US-MN America/Chicago"},
        {975, "US US-MO America/Chicago"},
        {983, "US US-CO America/Denver"},
    };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(number((1000ull + rows[i].code) * 10000000 + 5550100), rows[i].want);
}

static void islands_in_plus_one(void **state)
{
    (void)state;
    assert_string_equal(number(18765550100), "JM America/Jamaica");
    assert_string_equal(number(16585550100), "JM America/Jamaica");
    assert_string_equal(number(18095550100), "DO America/Santo_Domingo");
    assert_string_equal(number(14415550100), "BM Atlantic/Bermuda");
    // territories are regions of the US, and countries as well
    assert_string_equal(number(17875550100), "PR US US-PR America/Puerto_Rico");
    assert_string_equal(number(13405550100), "US VI US-VI America/St_Thomas");
    assert_string_equal(number(16715550100), "GU US US-GU Pacific/Guam");
    assert_string_equal(number(16705550100), "MP US US-MP Pacific/Saipan");
    assert_string_equal(number(16845550100), "AS US US-AS Pacific/Pago_Pago");
}

static void the_rest_of_the_world(void **state)
{
    (void)state;
    assert_string_equal(number(442071234567), "GB Europe/London");
    assert_string_equal(number(441534123456), "JE Europe/Jersey");
    assert_string_equal(number(447700900123), "GB GG IM Europe/London"); // one clock
    assert_string_equal(number(33123456789), "FR Europe/Paris");
    assert_string_equal(number(34922123456), "ES Atlantic/Canary");
    assert_string_equal(number(34912345678), "ES Europe/Madrid");
    assert_string_equal(number(351295123456), "PT Atlantic/Azores");
    assert_string_equal(number(61291234567), "AU Australia/Sydney");
    assert_string_equal(number(61391234567), "AU Australia/Hobart");
    assert_string_equal(number(74951234567), "RU Europe/Moscow");
    assert_string_equal(number(912212345678), "IN Asia/Kolkata"); // Asia/Calcutta
    assert_string_equal(number(9771234567), "NP Asia/Kathmandu"); // Asia/Katmandu
    assert_string_equal(number(84281234567), "VN Asia/Ho_Chi_Minh");
    assert_string_equal(number(38344123456), "XK"); // tzdata has no zone of Kosovo
}

// libphonenumber has Australia's mobile numbers and Queensland on Sydney's time, no Darwin at all,
// and Spain's mobile numbers in Madrid.
static void what_is_not_told_apart_abroad_is_open(void **state)
{
    static const char *const clocks[] = {"Australia/Perth", "Australia/Darwin",
                                         "Australia/Adelaide", "Australia/Brisbane",
                                         "Australia/Sydney"};
    const struct zone_set *mobile = places_of_device(places, 61412345678)->zones;

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(clocks); i++)
        if (!places_zones_both(places, mobile, places_of_zone(places, str_of(clocks[i]))))
            fail_msg("not in %s", clocks[i]);
    assert_string_equal(number(61712345678), "AU Australia/Sydney Australia/Brisbane");
    assert_non_null(strstr(number(61889123456), "Darwin"));
    assert_non_null(strstr(number(61889123456), "Perth"));
    assert_non_null(strstr(number(61255053123), "Australia/Lord_Howe"));
    assert_string_equal(number(34612345678), "ES Europe/Madrid Atlantic/Canary");
    assert_string_equal(number(64211234567), "NZ Pacific/Auckland Pacific/Chatham");
    assert_true(places_of_device(places, 79161234567)->zones->count > 8);
}

// Each country that has a calling code of its own is found by it, whatever digits follow.
static void every_calling_code_has_a_country(void **state)
{
    unsigned found = 0;

    (void)state;
    for (unsigned i = 1; i < PLACES_COUNTRIES_MAX; i++) {
        for (unsigned code = 20; code < 1000; code++) {
            char text[8];
            const struct place *named, *place;
            uint64_t device = code;

            snprintf(text, sizeof text, "%u", code);
            named = places_of_country(places, str_of(text));
            if (!named || !places_has(named->at.countries, i)) continue;
            while (device < 10000000000) device = device * 10;
            place = places_of_device(places, device);
            if (!place) fail_msg("+%u of %s is not known", code, places_country_code(places, i));
            found++;
        }
    }
    assert_in_range(found, 200, 260);
}

// -- postal codes -------------------------------------------------------------------------------

static void zip_codes(void **state)
{
    (void)state;
    assert_string_equal(postal("", "75001"), "US US-TX America/Chicago");
    assert_string_equal(postal("US", " 75001-1234 "), "US US-TX America/Chicago");
    assert_string_equal(postal("USA", "750011234"), "US US-TX America/Chicago");
    assert_string_equal(postal("1", "75001 1234"), "US US-TX America/Chicago");
    assert_string_equal(postal(NULL, "79901"), "US US-TX America/Denver"); // El Paso
    assert_string_equal(postal(NULL, "10001"), "US US-NY America/New_York");
    assert_string_equal(postal(NULL, "02108"), "US US-MA America/New_York");
    assert_string_equal(postal(NULL, "32501"), "US US-FL America/Chicago");
    assert_string_equal(postal(NULL, "33101"), "US US-FL America/New_York");
    assert_string_equal(postal(NULL, "99501"), "US US-AK America/Anchorage");
    assert_string_equal(postal(NULL, "96801"), "US US-HI Pacific/Honolulu");
    assert_string_equal(postal("US", "00901"), "PR US US-PR America/Puerto_Rico");
    assert_string_equal(postal("PR", "00901"), "PR US US-PR America/Puerto_Rico");
    assert_string_equal(postal("US", "96910"), "GU US US-GU Pacific/Guam");
    assert_string_equal(postal(NULL, "96940"), "PW Pacific/Palau");
    assert_string_equal(postal(NULL, "86515"), "US US-AZ America/Denver");
}

// zipcode-to-timezone 0.0.9 has western Kentucky and north-western Indiana on Eastern time.
static void zip_codes_that_a_package_has_wrongly(void **state)
{
    (void)state;
    assert_string_equal(postal(NULL, "46402"), "US US-IN America/Chicago"); // Gary
    assert_string_equal(postal(NULL, "47708"), "US US-IN America/Chicago"); // Evansville
    assert_string_equal(postal(NULL, "42001"), "US US-KY America/Chicago"); // Paducah
    assert_string_equal(postal(NULL, "42101"), "US US-KY America/Chicago"); // Bowling Green
    assert_string_equal(postal(NULL, "40202"), "US US-KY America/Kentucky/Louisville");
    assert_string_equal(postal(NULL, "46204"), "US US-IN America/Indiana/Indianapolis");
}

// A ZIP that nobody listed is anywhere in its 3-digit prefix; a prefix that is not there: nowhere.
static void zip_codes_that_are_not_listed(void **state)
{
    unsigned gaps = 0;

    (void)state;
    for (unsigned zip = 0; zip < 100000; zip++) {
        const struct place *whole = places->zip_prefix[zip / 100], *place;
        char text[8];

        snprintf(text, sizeof text, "%05u", zip);
        place = places_of_postal_code(places, NONE, str_of(text));
        assert_int_equal(!place, !whole);
        if (!place || !whole->zones) continue;
        gaps += place == whole && whole->zones->count > 1;
        assert_true(places_zones_either(places, whole->zones, place->zones) == whole->zones);
        for (unsigned w = 0; w < ATTEMPT_REGION_WORDS; w++)
            assert_int_equal(place->at.regions[w] & ~whole->at.regions[w], 0);
    }
    assert_true(gaps > 100);
    assert_string_equal(postal(NULL, "00001"), "nothing");
    assert_string_equal(postal("US", "09012"), "nothing"); // the forces abroad are anywhere
    assert_string_equal(postal("US", "34001"), "nothing");
}

static void canadian_codes(void **state)
{
    (void)state;
    assert_string_equal(postal("CA", "K1A 0B1"), "CA CA-ON America/Toronto");
    assert_string_equal(postal("", "k1a0b1"), "CA CA-ON America/Toronto");
    assert_string_equal(postal("CAN", "K1A"), "CA CA-ON America/Toronto");
    assert_string_equal(postal(NULL, "H2X-1Y4"), "CA CA-QC America/Toronto");
    assert_string_equal(postal(NULL, "P9N 1A1"), "CA CA-ON America/Winnipeg"); // Kenora
    assert_string_equal(postal(NULL, "P7A 1A1"), "CA CA-ON America/Toronto");  // Thunder Bay
    assert_string_equal(postal(NULL, "S9V 1A1"), "CA CA-SK America/Edmonton"); // Lloydminster
    assert_string_equal(postal(NULL, "G4T 1A1"), "CA CA-QC America/Halifax");  // Magdalen Islands
    assert_string_equal(postal(NULL, "A1A 1A1"), "CA CA-NL America/St_Johns");
    assert_string_equal(postal(NULL, "A2V 1A1"), "CA CA-NL America/Goose_Bay"); // Labrador City
    assert_string_equal(postal(NULL, "P0T 1A1"),
                        "CA CA-ON America/Toronto America/Atikokan America/Winnipeg");
    assert_string_equal(postal(NULL, "X1A 1A1"), "CA CA-NT America/Edmonton");
}

static void what_is_no_postal_code(void **state)
{
    static const char *const codes[] = {
        "",        "7",       "7500",   "750011", "75001-",      "75001-123", "-75001",
        "abcde",   "K1",      "K11",    "KAA",    "K1A 0B",      "K1A0B1X",   "K1A_0B1",
        "D1A 1A1", "W1A 1AA", "75 001", "7500l",  "75001-12345", "7500112345"};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(codes); i++)
        assert_string_equal(postal(NULL, codes[i]), "nothing");
    // a code of another country than the record's says nothing
    assert_string_equal(postal("CA", "75001"), "nothing");
    assert_string_equal(postal("DE", "10115"), "nothing");
    assert_string_equal(postal("US", "K1A 0B1"), "nothing");
    assert_string_equal(postal("XX", "75001"), "nothing");
}

// -- names --------------------------------------------------------------------------------------

static void regions(void **state)
{
    (void)state;
    assert_string_equal(region("US", "TX"), "US US-TX America/Chicago America/Denver");
    assert_string_equal(region("us", " tx "), "US US-TX America/Chicago America/Denver");
    assert_string_equal(region("USA", "Texas"), "US US-TX America/Chicago America/Denver");
    assert_string_equal(region("1", "TX"), "US US-TX America/Chicago America/Denver");
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
    assert_null(places_country_zones(places, 0));
    assert_int_equal(places_country_zones(places, 233)->count, 8);
}

static const char *zone(const char *name)
{
    uint16_t found = places_find_zone(places, str_of(name));

    return found == ZONES_NONE ? "none" : zones_name(zones, found);
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
    us = places_country_zones(places, 233);
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

// -- the tables agree ---------------------------------------------------------------------------

static void within_its_regions(const struct place *place, const char *what, unsigned which)
{
    const struct zone_set *all = NULL;

    if (!place || !place->zones) return;
    for (unsigned i = 1; i < PLACES_REGIONS_MAX; i++) {
        const struct place *of = places->region[i];

        if (!of || !places_has(place->at.regions, i)) continue;
        all = all ? places_zones_either(places, all, of->zones) : of->zones;
    }
    if (all && places_zones_either(places, all, place->zones) != all)
        fail_msg("%s %u: %s", what, which, words(place));
}

static void no_table_contradicts_the_regions(void **state)
{
    unsigned narrowed = 0;

    (void)state;
    for (unsigned i = 0; i < 800; i++) {
        within_its_regions(places->area[i], "area code", i + 200);
        for (unsigned k = 0; places->exchange[i] && k < 800; k++) {
            const struct place *narrow = places->exchange[i][k], *area = places->area[i];

            if (!narrow) continue;
            narrowed++;
            assert_memory_equal(&narrow->at, &area->at, sizeof area->at);
            assert_true(narrow->zones->count < area->zones->count);
            assert_true(places_zones_either(places, area->zones, narrow->zones) == area->zones);
        }
    }
    assert_in_range(narrowed, 2000, 10000);
    for (unsigned i = 0; i < places->zip_count; i++)
        within_its_regions(places->zip[i].place, "ZIP", places->zip[i].first);
    for (unsigned i = 0; i < 26; i++) within_its_regions(places->canada[i], "letter", i);
}

// Old names stay valid in tzdata as links, but then a country's set and a number's would differ.
static void every_zone_is_todays(void **state)
{
    const struct zone_set *of;
    bool *todays = calloc(zones_count(zones), sizeof *todays);

    (void)state;
    assert_non_null(todays);
    for (unsigned i = 1; i < PLACES_COUNTRIES_MAX; i++) {
        of = zones_of_country(zones, str_of(places_country_code(places, i)));
        for (unsigned k = 0; of && k < of->count; k++) todays[of->zone[k]] = true;
    }
    for (unsigned i = 0; i < places->place_count; i++) {
        of = places->place[i].zones;
        for (unsigned k = 0; of && k < of->count; k++)
            if (!todays[of->zone[k]]) fail_msg("%s", zones_name(zones, of->zone[k]));
    }
    free(todays);
}

static void the_version_is_the_tables(void **state)
{
    (void)state;
    for (const struct builtin_file *f = builtin_files; f->name; f++) {
        char want[64];
        const char *name = strrchr(f->name, '.');

        if (!name || strcmp(name, ".tsv") != 0) continue;
        snprintf(want, sizeof want, "Made by `generate` on %.10s", places_version());
        if (!strstr(f->text, want)) fail_msg("%s is not of %.10s", f->name, places_version());
    }
}

// -- damaged tables -----------------------------------------------------------------------------

// The built-in tables with one of them replaced.
static int read_with(const char *name, const char *text, struct err_info *info)
{
    struct builtin_file files[32];
    struct places *made = NULL;
    unsigned count = 0;
    int err;

    for (const struct builtin_file *f = builtin_files; f->name; f++) {
        if (strcmp(f->name + strlen(f->name) - 4, ".tsv") != 0) continue;
        assert_true(count < COUNT_OF(files) - 1);
        files[count] = *f;
        if (strcmp(f->name, name) == 0 && !text) continue; // left out
        if (strcmp(f->name, name) == 0)
            files[count] = (struct builtin_file){f->name, text, strlen(text)};
        count++;
    }
    files[count] = (struct builtin_file){0};
    err = places_read(&made, zones, files, info);
    if (err == 0)
        places_free(made);
    else
        assert_null(made);
    return err;
}

static void refused(const char *name, const char *text, const char *sentence)
{
    struct err_info info = {0};

    assert_int_equal(read_with(name, text, &info), ERR_CORRUPT);
    if (!strstr(info.text, sentence)) fail_msg("'%s', not '%s'", info.text, sentence);
}

static void damaged_tables_are_refused(void **state)
{
    struct err_info info;

    (void)state;
    assert_int_equal(read_with("nanp-exchanges.tsv", "", &info), 0);
    assert_int_equal(read_with("zone-names.tsv", "# only a word\n\n", &info), 0);
    refused("prefixes.tsv", NULL, "there is no table prefixes.tsv");
    refused("zone-names.tsv", "# one\nXST\tAmerica/Nowhere\n", "zone-names.tsv line 2: tzdata");
    refused("zone-names.tsv", "XST\tAmerica/Nowhere\n",
            "has no zone \"America/Nowhere\"; try: apt");
    refused("zone-names.tsv", "XST\t-\n", "no zone: \"XST\"");
    refused("zone-names.tsv", "XST\n", "wrong number of columns");
    refused("zone-names.tsv", "XST\tAmerica/Chicago\tmore\n", "wrong number of columns");
    refused("nanp.tsv", "199\tUS\tUS-NY\tAmerica/New_York\t-\tx\n", "out of range: \"199\"");
    refused("nanp.tsv", "2l2\tUS\tUS-NY\tAmerica/New_York\t-\tx\n", "out of range: \"2l2\"");
    refused("nanp.tsv", "212\tUS\tUS-ZZ\tAmerica/New_York\t-\tx\n", "no such region: \"US-ZZ\"");
    refused("nanp.tsv", "212\tQQ\t-\tAmerica/New_York\t-\tx\n", "no such country: \"QQ\"");
    refused("nanp.tsv",
            "212\tUS\tUS-NY\tAmerica/New_York\t-\tx\n212\tUS\tUS-NY\tAmerica/New_York\t-\tx\n",
            "line 2: twice: \"212\"");
    refused("nanp-exchanges.tsv", "800\t222\tAmerica/Chicago\n", "not in nanp.tsv: \"800\"");
    refused("nanp-exchanges.tsv", "219\t222-1000\tAmerica/Chicago\n", "out of range: \"1000\"");
    refused("nanp-exchanges.tsv", "219\t300-299\tAmerica/Chicago\n", "out of range: \"299\"");
    refused("prefixes.tsv", "4a\tGB\tEurope/London\n", "no number: \"4a\"");
    refused("prefixes.tsv", "44\tGB\tEurope/London\n44\tGB\tEurope/London\n", "twice");
    refused("postal-us.tsv", "10002\t10001\tUS-NY\tAmerica/New_York\n", "out of range: \"10001\"");
    refused("postal-us.tsv", "100000\t100001\tUS-NY\tAmerica/New_York\n", "out of range");
    refused("postal-us.tsv",
            "10001\t10003\tUS-NY\tAmerica/New_York\n10003\t10004\tUS-NY\tAmerica/New_York\n",
            "line 2: not in order: \"10003\"");
    refused("postal-ca.tsv", "K1\tCA-ON\tAmerica/Toronto\n", "no postal code: \"K1\"");
    refused("postal-ca.tsv", "K1a\tCA-ON\tAmerica/Toronto\n", "no postal code: \"K1a\"");
    refused("countries.tsv", "0\tUS\tUSA\t1\tUnited States\t-\n", "out of range: \"0\"");
    refused("countries.tsv", "256\tUS\tUSA\t1\tUnited States\t-\n", "out of range: \"256\"");
    refused("countries.tsv", "1\tU\tUSA\t1\tUnited States\t-\n", "no code: \"U\"");
    refused("countries.tsv", "1\tus\tUSA\t1\tUnited States\t-\n", "no code: \"us\"");
    refused("regions.tsv", "128\tUS-XX\tNowhere\tAmerica/Chicago\t-\n", "out of range: \"128\"");
    refused("regions.tsv", "1\tQQ-XX\tNowhere\tAmerica/Chicago\t-\n", "no code: \"QQ-XX\"");
    refused("regions.tsv", "1\tUS-XXXXXX\tNowhere\tAmerica/Chicago\t-\n", "no code:");
}

// Any byte of any table changed: a table still, or a sentence. Nothing else.
static void random_damage_is_refused_or_read(void **state)
{
    uint64_t seed = 20261122, refusals = 0;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < 40; round++) {
        const struct builtin_file *f = builtin_files;
        struct err_info info = {0};
        char *text;

        do {
            f = f->name && f[1].name ? f + 1 : builtin_files;
            seed = hash_keyed_u64(seed, round);
        } while (strcmp(f->name + strlen(f->name) - 4, ".tsv") != 0 || seed % 5 != 0);
        text = malloc(f->size_bytes + 1);
        assert_non_null(text);
        memcpy(text, f->text, f->size_bytes + 1);
        for (unsigned i = 0; i < 1 + seed % 3; i++)
            text[hash_keyed_u64(seed, i) % f->size_bytes] =
                "\t\n,-09AZaz\x80"[hash_keyed_u64(seed, i + 100) % 11];
        if (read_with(f->name, text, &info) < 0) {
            assert_true(strlen(info.text) > 20);
            refusals++;
        }
        free(text);
    }
    assert_true(refusals > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_area_code_in_one_zone),
        cmocka_unit_test(an_exchange_that_is_not_listed_has_all_zones),
        cmocka_unit_test(arizona),
        cmocka_unit_test(what_packages_have_wrongly),
        cmocka_unit_test(toll_free_and_unassigned_codes_say_nothing),
        cmocka_unit_test(the_newest_area_codes),
        cmocka_unit_test(islands_in_plus_one),
        cmocka_unit_test(the_rest_of_the_world),
        cmocka_unit_test(what_is_not_told_apart_abroad_is_open),
        cmocka_unit_test(every_calling_code_has_a_country),
        cmocka_unit_test(zip_codes),
        cmocka_unit_test(zip_codes_that_a_package_has_wrongly),
        cmocka_unit_test(zip_codes_that_are_not_listed),
        cmocka_unit_test(canadian_codes),
        cmocka_unit_test(what_is_no_postal_code),
        cmocka_unit_test(regions),
        cmocka_unit_test(countries),
        cmocka_unit_test(numbers_are_for_ever),
        cmocka_unit_test(regions_as_bits),
        cmocka_unit_test(zone_names),
        cmocka_unit_test(clocks_are_compared_not_names),
        cmocka_unit_test(no_table_contradicts_the_regions),
        cmocka_unit_test(every_zone_is_todays),
        cmocka_unit_test(the_version_is_the_tables),
        cmocka_unit_test(damaged_tables_are_refused),
        cmocka_unit_test(random_damage_is_refused_or_read),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
