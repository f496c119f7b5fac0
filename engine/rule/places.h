// SPDX-License-Identifier: Apache-2.0
//
// places: what a number, a postal code or a state says about where somebody is. Dated tables with
// their provenance (engine/packs/places/, built into the program), joined with one `struct zones`.
// Immutable once made: any thread.
//
// All of it is evidence, not truth: it gives the regions and zones that stay possible. What the
// tables do not know says nothing (NULL), and the caller takes every zone of the country.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/rule/zones.h"
#include "engine/wire/attempt.h"

// Countries and regions are numbered by the tables (countries.tsv, regions.tsv) and keep their
// numbers for ever: the ledger's log holds them. 0 = none.
#define PLACES_COUNTRIES_MAX 256
#define PLACES_REGIONS_MAX   128

struct places_bits {
    uint64_t regions[ATTEMPT_REGION_WORDS];
    uint64_t countries[ATTEMPT_COUNTRY_WORDS];
};

// One piece of evidence. `zones` NULL = it does not say.
struct place {
    struct places_bits at; // no region bit = some region of the country, not known which
    const struct zone_set *zones;
};

struct places;
// `zones` must outlive it. ERR_CORRUPT, ERR_NOMEM with a sentence (a table with a zone that tzdata
// does not know is an error that names it).
int places_new(struct places **ret, const struct zones *zones, struct err_info *info);
void places_free(struct places *p);
const struct zones *places_zones(const struct places *p);
// Date and source of the tables, for /metrics and explain: "2026-11-22 (NANP: …; ZIP: …)".
const char *places_version(void);

// By E.164 integer (wire/number.h). NANP: the area code, narrowed by the exchange where an area
// code lies in two zones; toll-free and unassigned codes: NULL. Elsewhere: the longest prefix
// known.
const struct place *places_of_device(const struct places *p, uint64_t device);
// A ZIP ("75001", "75001-1234"), a Canadian code ("K1A 0B1", "K1A"); others NULL. `country` is the
// ISO code or absent (then the form of the code decides between the US and Canada).
const struct place *places_of_postal_code(const struct places *p, struct str country,
                                          struct str code);
// A region by its code ("TX", "ON", "NSW"; any case) or name ("Texas") within that country; absent
// country: every country that has such a region is possible.
const struct place *places_of_region(const struct places *p, struct str country, struct str code);
// A country by its ISO code ("US"), three letters ("USA"), calling code ("44", "+44") or name as
// the OCS sends it: every zone of it. "1" is the US and Canada.
const struct place *places_of_country(const struct places *p, struct str text);
// The same by its number; NULL for 0.
const struct place *places_at_country(const struct places *p, unsigned country);
// All zones that a name may mean: an IANA name, or one of the abbreviations that OCS sends ("PST"
// is America/Los_Angeles, winter and summer). One for most, several for an abbreviation that is
// used in more than one part of the world ("IST"). NULL when unknown.
const struct zone_set *places_of_zone(const struct places *p, struct str name);

// Sets of zones name one zone for each clock that is kept there (two zones keep one clock when they
// agree from 2020 to 2039, as tzdata has it): Michigan alone is America/Detroit, the US has no
// Detroit beside New_York. Answers about instants before 2020 go by the zone that is named. Set
// algebra over clocks, without allocation: what both leave possible (or a little more); NULL when
// they have no clock in common,
const struct zone_set *places_zones_both(const struct places *p, const struct zone_set *a,
                                         const struct zone_set *b);
// the smallest set there is that holds all of both: exactly both for any two clocks of the US and
// Canada. Some microseconds where more than two clocks meet.
const struct zone_set *places_zones_either(const struct places *p, const struct zone_set *a,
                                           const struct zone_set *b);

// For checking rules and for words in answers. 0 = unknown; "" for 0.
unsigned places_country(const struct places *p, struct str iso);
const char *places_country_code(const struct places *p, unsigned country);
// All regions with that code (one bit each) within `country` (0 = any); false when there is none.
bool places_regions(const struct places *p, unsigned country, struct str code,
                    uint64_t ret[ATTEMPT_REGION_WORDS]);
const char *places_region_code(const struct places *p, unsigned region); // "US-TX"
// All regions of a country. Puerto Rico, Guam and the like are regions of the US and countries as
// well; their zones are none of "US".
void places_regions_of(const struct places *p, unsigned country,
                       uint64_t ret[ATTEMPT_REGION_WORDS]);

static inline bool places_has(const uint64_t *bits, unsigned n)
{
    return bits[n / 64] >> (n % 64) & 1;
}
