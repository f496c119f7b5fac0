// SPDX-License-Identifier: Apache-2.0
//
// attempt: one try to reach somebody, as the ledger counts it, and the question "how many". Shared
// words of the rooms rule (asks), ledger (counts) and core (introduces them). Pure data.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"

// -- call results (call_result.def) ----------------------------------------------------------
// A set of results: bit n = result n for 0 … 62, bit 63 = every other number.
#define CALL_RESULT_OTHER 63
// The set's bit for a number, negative ones included.
static inline uint64_t call_result_bit(int64_t number)
{
    return 1ull << (number >= 0 && number < CALL_RESULT_OTHER ? number : CALL_RESULT_OTHER);
}
// By name ("No Answer", any case, "NoAnswer" too). False when there is none.
bool call_result_find(struct str name, unsigned *ret_number);
// "No Answer"; absent for a number without a name.
struct str call_result_name(unsigned number);
// The twelve that count when a rule names none.
uint64_t call_result_default_set(void);

// -- places, as small numbers ----------------------------------------------------------------
// Regions and countries are numbers of rule/places.h, stable between versions of its tables (they
// are written into the ledger's log). 0 = not known.
#define ATTEMPT_REGION_WORDS  2 // regions 1 … 127 as bits
#define ATTEMPT_COUNTRY_WORDS 4 // countries 1 … 255 as bits

// -- the question -----------------------------------------------------------------------------
enum count_by { COUNT_BY_DEVICE, COUNT_BY_CLIENT, COUNT_BY_BOTH };

// An attempt counts when since_s <= start < before_s, and its result is in `results` or it has none
// yet, or (dispositions given) its disposition is one of them or it has none yet; and the scope,
// subject, channel and place fit. What an attempt does not say (subject, place) fits every
// question.
struct attempts_query {
    enum count_by by;
    bool group_only;              // only attempts of the same campaign group
    bool subject_only;            // only attempts about the same subject (a debt)
    uint8_t channels;             // bit of enum channel
    uint64_t results;             // call_result_bit
    const uint32_t *dispositions; // attempt_word() of each; by result when there are none
    unsigned disposition_count;
    bool placed;                               // only attempts to these places:
    uint64_t regions[ATTEMPT_REGION_WORDS];    // all ones = any
    uint64_t countries[ATTEMPT_COUNTRY_WORDS]; // all ones = any
    uint16_t area_code_count;                  // 0 = any
    const uint16_t *area_codes;                // NANP
    int64_t since_s, before_s;
    unsigned enough; // counting may stop here; at least 1
};

struct attempts_count {
    unsigned count;    // never more than query.enough
    int64_t oldest_s;  // start of the oldest attempt that was counted; 0 = none. While `count` has
                       // reached query.enough it cannot fall below that before this one is too old.
    unsigned reserved; // how many of `count` are reservations, not attempts
    bool unknown;      // history of that time is not known: the count may be too low
};

// -- what a report says ------------------------------------------------------------------------
// Keys are keyed hashes with the tenant mixed in (never 0; 0 = absent), see ledger/ledger.h.
#define ATTEMPT_NO_RESULT 255
struct attempt {
    uint64_t device, client; // at least one is there
    uint64_t guid;           // of the attempt; never 0
    uint64_t group;          // campaign group; 0 = none named
    int64_t start_s;
    uint32_t subject;     // attempt_word of what it was about; 0 = not said
    uint32_t disposition; // attempt_word; 0 = not said
    uint16_t area_code;   // NANP; 0 = not known
    uint8_t region, country;
    uint8_t channel; // enum channel
    uint8_t result;  // 0 … 63 (63 = another number), ATTEMPT_NO_RESULT = not ended yet
    bool ended;      // report 1 (or a report that carries a result)
};
// A word (disposition, subject) as a number: a hash of its folded text, never 0 unless absent.
uint32_t attempt_word(struct str text);
