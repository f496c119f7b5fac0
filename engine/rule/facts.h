// SPDX-License-Identifier: Apache-2.0
//
// facts: what a record says that rules look at, boiled down so that the record's text need not be
// kept: places, zones and where each came from, line type, tests on its fields. Pure function of
// (plan, record, device); no allocation.
//
// Evidence of place is joined: a rule that is narrowed to a place holds when any piece of evidence
// leaves that place possible. Evidence of zones is kept by source, because `zone_from` chooses.
//   device       the number (area code, exchange, country code), and GSW_D_STATE_CODE,
//                GSW_D_REGION_CODE, GSW_D_COUNTRY_CODE: what they leave of what the number says;
//                both where they contradict it. GSW_D_TZ_JAVA_NAME counts beside it: the OCS makes
//                one zone of an area code that has two, and the tenant's default of what it does
//                not know; of toll-free numbers it says nothing. Where number, place and zone all
//                contradict each other, zones that none of them names may count as well
//   postal_code  GSW_POSTAL_CODE, postal_code
//   state        GSW_STATE_CODE, else state, else GSW_REGION_CODE; GSW_REGION_CODE beside one of
//                them adds its places when it is a region that we know
//   contact      GSW_TZ_NAME, else zone, else GSW_TZ_OFFSET; says nothing about the place
// Names that come first win where two say the same thing (GSW_COUNTRY_CODE before country).
// The country is GSW_COUNTRY_CODE or country, else the number's, else the tenant's. A country that
// the record names and that no other evidence is in counts beside it, all its regions and (as
// `state`, when there is none) all its zones.
// Evidence that says something nobody knows (an unknown zone name, state or area code) says "any":
// every region and zone of the country. Toll-free numbers say nothing, and neither does an unknown
// country. The type of the line is line_type, else GSW_PHONE_TYPE 4 (mobile); unknown where these
// two contradict each other.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/rule/rule_plan.h"

#define FACTS_TEST_WORDS (RULE_PLAN_TESTS_MAX / 64)

struct facts {
    // Everywhere the record may be; at least one country. A piece of evidence that names a country
    // and no region of it gives all its regions.
    struct places_bits at;
    const struct zone_set *zones[ZONE_SOURCES]; // NULL = that source says nothing
    // What it says beside that, where it contradicts itself: a number and the OCS's place or zone.
    const struct zone_set *zones_also[ZONE_SOURCES];
    const struct zone_set *zones_else; // when the chosen sources say nothing
    uint64_t national;  // digits behind the country code (NANP: ten digits), 0 = no device
    uint64_t postal;    // as struct rule_postal; 0 = none
    uint32_t subject;   // attempt_word; 0 = none
    uint16_t area_code; // NANP, 0 otherwise
    uint8_t national_digits;
    enum line_type line_type;
    // Values of plan->test[i]: bit i. A bit in both means nothing.
    uint64_t test_true[FACTS_TEST_WORDS], test_unknown[FACTS_TEST_WORDS];
};

// `device` is the record's E.164 integer, 0 when it has no phone.
void facts_from_record(struct facts *f, const struct rule_plan *plan, const struct record *record,
                       uint64_t device);
// Only the place of a call report, for counting by place: the one region and country when the
// evidence leaves exactly one (else 0), and the area code.
struct attempt;
void facts_place_attempt(struct attempt *a, const struct places *places, unsigned default_country,
                         const struct record *record, uint64_t device);
// The zones that count for these sources (bits of enum zone_source), one set after the other:
//   for (unsigned i = 0; (set = facts_zones(f, zone_from, &i)); ) …
const struct zone_set *facts_zones(const struct facts *f, unsigned zone_from, unsigned *at);
