// SPDX-License-Identifier: Apache-2.0
//
// rule: one rule as it was read and checked. Immutable; all memory is its ruleset's or pack's.
// The document is described in docs/rules.md; words that are fixed stand in tables there.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"
#include "engine/rule/calendar.h"
#include "engine/rule/expr.h"
#include "engine/rule/places.h"
#include "engine/wire/attempt.h"
#include "engine/wire/verdict.h"

// What a plan (or the tenant) says about its calls. A rule that names some holds for those only; a
// plan that says nothing is held against every rule.
enum purpose { PURPOSE_SOLICITATION = 1, PURPOSE_INFORMATIONAL = 2, PURPOSE_COLLECTION = 4 };
enum dialing { DIALING_MANUAL = 1, DIALING_AUTODIALED = 2, DIALING_PRERECORDED = 4 };
#define RULE_ANY 0xff // bits of purposes, dialing, channels

enum zone_source { ZONE_DEVICE, ZONE_POSTAL_CODE, ZONE_STATE, ZONE_CONTACT, ZONE_SOURCES };

enum line_type { LINE_UNKNOWN, LINE_LANDLINE, LINE_WIRELESS, LINE_VOIP, LINE_TYPE_COUNT };

#define RULE_DAY_FIRST INT32_MIN
#define RULE_DAY_LAST  INT32_MAX
#define RULE_EXPR_NONE UINT16_MAX

// A slice of one of the ruleset's flat tables.
struct rule_slice {
    uint16_t first, count;
};

// Keys must all match, members are alternatives. What the record leaves open matches.
struct rule_where {
    struct places_bits at;          // all ones = any
    struct rule_slice area_codes;   // of `prefix`; count 0 = any
    struct rule_slice postal_codes; // of `postal`; count 0 = any
};

// Digits at the start of a national number: value 867, digits 3.
struct rule_prefix {
    uint32_t value;
    uint8_t digits;
};
// First characters of a postal code, upper case, without spaces, left-aligned in 8 bytes.
struct rule_postal {
    uint64_t text, mask;
};
// Good from minute `from` to before `till` on the weekdays of `days` (bit 0 = Monday).
struct rule_window {
    uint16_t from, till; // till <= 1440
    uint8_t days;
};

enum period_kind {
    PERIOD_SLIDING, // the last n seconds
    PERIOD_DAYS,    // n calendar days, today included, in the called party's zone ("today" = 1)
};

// Attempts keep the area code alone, and a count compares each attempt with each of these.
#define RULE_COUNTED_CODES_MAX 32

struct rule_attempts {
    struct rule_where counted_where; // of the attempts counted; area codes of three digits
    uint64_t results;                // used when there are no dispositions
    struct rule_slice dispositions;  // of `word`
    uint32_t period;                 // seconds, or days
    uint16_t max;                    // blocks when that many were made; at least 1
    enum period_kind period_kind;
    enum count_by count_by;
    bool group_only, subject_only;
};

struct rule {
    struct str name, title, pack;         // pack absent = the tenant's own
    struct str cite, url, note, verified; // verified: "2026-09-30", absent = nobody has
    enum verdict_type type;
    uint16_t priority; // 0 … 1000, lower first
    bool required;     // holds for every campaign group
    bool shadow;       // never blocks
    int call_result;   // GSW_CALL_RESULT of its block
    uint8_t channels;  // bits of enum channel; RULE_ANY
    uint8_t purposes, dialing;
    uint8_t zone_from;           // bits of enum zone_source; 0 = the plan's
    int32_t from_day, until_day; // first and last local day in force
    uint16_t unless;             // expression: the rule does not apply where it is true
    struct rule_where where;
    union {
        struct rule_slice windows; // CONTACT_TIMES, of `window`
        struct rule_slice dates;   // CONTACT_DATES, of `date`
        struct rule_attempts attempts;
        uint8_t line_types; // LINE_TYPE: bits of enum line_type that are banned
        uint16_t block_if;  // CUSTOM
        struct {
            int64_t from_s, till_s; // EMERGENCY; INT64_MIN, INT64_MAX = open
        } emergency;
        struct {
            uint16_t list;      // SUPPRESSION, FRESHNESS: of `list_name`
            uint32_t max_age_s; // FRESHNESS
        } of_list;
        struct {
            struct str url; // EXTERNAL
            uint32_t timeout_ms, cache_s;
        } external;
    };
};
