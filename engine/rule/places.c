// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/places.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/rule/places_part.h"
#include "engine/wire/number.h"

int places_new(struct places **ret, const struct zones *zones, struct err_info *info)
{
    return places_read(ret, zones, builtin_files, info);
}

void places_free(struct places *p)
{
    if (!p) return;
    for (unsigned i = 0; i < COUNT_OF(p->exchange); i++) free(p->exchange[i]);
    free(p);
}

const struct zones *places_zones(const struct places *p)
{
    return p->zones;
}

const char *places_version(void)
{
    return "2026-11-22 (numbers: libphonenumber 9.0.34 with nanp.in; postal codes: "
           "zipcode-to-timezone 0.0.9, zipcodes 8.0.0, tz-lookup 11.7.0)";
}

// -- numbers ------------------------------------------------------------------------------------

static const struct place *of_nanp(const struct places *p, uint64_t national)
{
    unsigned area = (unsigned)(national / 10000000), exchange = (unsigned)(national / 10000 % 1000);
    const struct place *const *narrow = p->exchange[PLACES_AREA(area)];

    if (UNLIKELY(narrow) && exchange >= 200 && narrow[PLACES_AREA(exchange)])
        return narrow[PLACES_AREA(exchange)];
    return p->area[PLACES_AREA(area)];
}

static const struct place *of_prefix(const struct places *p, uint64_t device)
{
    const struct place *found = NULL;
    uint64_t unit = 1;
    unsigned node = 0;

    while (device / unit >= 10) unit *= 10;
    for (; unit; unit /= 10) {
        node = p->node[node].next[device / unit % 10];
        if (node == 0) break;
        if (p->node[node].place) found = p->node[node].place;
    }
    return found;
}

const struct place *places_of_device(const struct places *p, uint64_t device)
{
    uint64_t national = number_nanp(device);

    if (LIKELY(national)) return of_nanp(p, national);
    return device >= 1000000 && device < 1000000000000000 ? of_prefix(p, device) : NULL;
}

// -- postal codes -------------------------------------------------------------------------------

static bool is_letter(char c)
{
    return (unsigned char)(str_lower(c) - 'a') < 26;
}

// "75001", "75001-1234", "75001 1234", "750011234"; UINT32_MAX when it is no ZIP.
static uint32_t zip_of(struct str code)
{
    uint32_t zip = 0;
    unsigned digits = 0;

    for (size_t i = 0; i < code.size; i++) {
        char c = code.ptr[i];

        if (str_is_digit(c)) {
            if (digits++ < 5) zip = zip * 10 + (uint32_t)(c - '0');
        } else if (digits != 5 || code.size != 10 || (c != '-' && c != ' ')) {
            return UINT32_MAX;
        }
    }
    return digits == 5 || digits == 9 ? zip : UINT32_MAX;
}

static const struct place *of_zip(const struct places *p, uint32_t zip)
{
    unsigned low = 0, high = p->zip_count; // the first range that ends at or behind it

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (p->zip[middle].last < zip)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < p->zip_count && p->zip[low].first <= zip) return p->zip[low].place;
    return p->zip_prefix[zip / 100];
}

// "K1A", "K1A0B1", "K1A 0B1".
static const struct place *of_canada(const struct places *p, struct str code)
{
    unsigned letter, last;
    const struct place *area;

    if (code.size != 3 && code.size != 6 && code.size != 7) return NULL;
    if (!is_letter(code.ptr[0]) || !str_is_digit(code.ptr[1]) || !is_letter(code.ptr[2]))
        return NULL;
    if (code.size > 3) {
        const char *unit = code.ptr + code.size - 3;

        if (code.size == 7 && code.ptr[3] != ' ' && code.ptr[3] != '-') return NULL;
        if (!str_is_digit(unit[0]) || !is_letter(unit[1]) || !str_is_digit(unit[2])) return NULL;
    }
    letter = (unsigned)(str_lower(code.ptr[0]) - 'a');
    last = (unsigned)(str_lower(code.ptr[2]) - 'a');
    area = p->fsa[letter][code.ptr[1] - '0'][last];
    return area ? area : p->canada[letter];
}

const struct place *places_of_postal_code(const struct places *p, struct str country,
                                          struct str code)
{
    const struct place *within = NULL, *found;
    uint32_t zip;

    code = str_trim(code);
    country = str_trim(country);
    if (code.size < 3 || (country.size && !(within = places_of_country(p, country)))) return NULL;
    zip = str_is_digit(code.ptr[0]) ? zip_of(code) : UINT32_MAX;
    found = zip != UINT32_MAX ? of_zip(p, zip) : of_canada(p, code);
    if (!found || !within) return found;
    for (unsigned i = 0; i < ATTEMPT_COUNTRY_WORDS; i++)
        if (found->at.countries[i] & within->at.countries[i]) return found;
    return NULL;
}

// -- names --------------------------------------------------------------------------------------

unsigned places_country(const struct places *p, struct str iso)
{
    if (iso.size != 2 || !is_letter(iso.ptr[0]) || !is_letter(iso.ptr[1])) return 0;
    return p->iso[(str_lower(iso.ptr[0]) - 'a') * 26 + (str_lower(iso.ptr[1]) - 'a')];
}

const struct place *places_of_country(const struct places *p, struct str text)
{
    unsigned country = places_country(p, text);

    if (LIKELY(country)) return p->country[country];
    text = str_trim(text);
    if (text.size > 1 && text.ptr[0] == '+') text = (struct str){text.ptr + 1, text.size - 1};
    return places_pool_find(p, PLACES_NAME_COUNTRY, text);
}

// The only country of a piece of evidence; 0 when there are several. A territory is its own.
static unsigned only_country(const struct place *place)
{
    unsigned found = 0, count = 0;

    for (unsigned w = 0; w < ATTEMPT_COUNTRY_WORDS; w++) {
        if (!place->at.countries[w]) continue;
        found = w * 64 + (unsigned)__builtin_ctzll(place->at.countries[w]);
        count += (unsigned)__builtin_popcountll(place->at.countries[w]);
    }
    return count == 1 ? found : 0;
}

const struct place *places_of_region(const struct places *p, struct str country, struct str code)
{
    const struct place *within, *found;

    country = str_trim(country);
    if (country.size == 0) return places_pool_find(p, PLACES_NAME_REGION, code);
    within = places_of_country(p, country);
    if (!within) return NULL;
    if (only_country(within))
        return places_pool_find(p, PLACES_NAME_REGION + only_country(within), code);
    // the US and Canada, which share a calling code, have no region's name in common
    for (unsigned c = 1; c < PLACES_COUNTRIES_MAX; c++) {
        if (!places_has(within->at.countries, c)) continue;
        found = places_pool_find(p, PLACES_NAME_REGION + c, code);
        if (found) return found;
    }
    return NULL;
}

const struct zone_set *places_of_zone(const struct places *p, struct str name)
{
    const struct zone_set *set = places_pool_find(p, PLACES_NAME_ZONE, name);
    uint16_t zone;

    if (set) return set;
    zone = zones_find(p->zones, str_trim(name));
    return zone == ZONES_NONE ? NULL : zones_only(p->zones, zone);
}

const char *places_country_code(const struct places *p, unsigned country)
{
    return country < PLACES_COUNTRIES_MAX ? p->country_code[country] : "";
}

bool places_regions(const struct places *p, unsigned country, struct str code,
                    uint64_t ret[ATTEMPT_REGION_WORDS])
{
    const struct place *found = places_pool_find(p, PLACES_NAME_REGION + country, code);

    if (!found) return false;
    memcpy(ret, found->at.regions, sizeof found->at.regions);
    return true;
}

const char *places_region_code(const struct places *p, unsigned region)
{
    return region < PLACES_REGIONS_MAX ? p->region_code[region] : "";
}

void places_regions_of(const struct places *p, unsigned country, uint64_t ret[ATTEMPT_REGION_WORDS])
{
    memcpy(ret, p->country_regions[country % PLACES_COUNTRIES_MAX],
           ATTEMPT_REGION_WORDS * sizeof *ret);
}

const struct place *places_at_country(const struct places *p, unsigned country)
{
    return country < PLACES_COUNTRIES_MAX ? p->country[country] : NULL;
}
