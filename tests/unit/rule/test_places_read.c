// SPDX-License-Identifier: Apache-2.0
//
// All tables agree with each other; damaged ones are refused.
#include "tests/unit/rule/places_rig.h"

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
        cmocka_unit_test(no_table_contradicts_the_regions),
        cmocka_unit_test(every_zone_is_todays),
        cmocka_unit_test(the_version_is_the_tables),
        cmocka_unit_test(damaged_tables_are_refused),
        cmocka_unit_test(random_damage_is_refused_or_read),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
