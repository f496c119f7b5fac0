// SPDX-License-Identifier: Apache-2.0
//
// The traps of public data about numbers and postal codes (engine/packs/places/README.md), each
// one a test.
#include "tests/unit/rule/places_rig.h"

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
    assert_string_equal(number(61391234567), "AU Australia/Melbourne");
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
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
