// SPDX-License-Identifier: Apache-2.0
//
// rule_plan: the rules of one campaign group, compiled for deciding: flat tables, no name compared.
// Immutable once made; any thread. Lives as long as its ruleset (it keeps a reference) and places.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/rule/ruleset.h"
#include "engine/wire/record.h"

#define RULE_PLAN_TESTS_MAX 128 // tests on fields in the expressions of one plan
#define RULE_PLAN_NONE      UINT16_MAX
#define RULE_PLAN_ROWS      (ATTEMPT_REGION_WORDS * 64)

// What is looked at first of a rule: does it apply at all? 72 bytes, in deciding order.
struct rule_op {
    struct places_bits at;
    uint16_t rule; // of ruleset.rule
    enum verdict_type type;
    uint8_t channels, purposes, dialing, zone_from; // zone_from: the rule's or the plan's, never 0
    bool shadow, plain;  // plain: no area or postal code, no unless, no effective dates
    uint16_t test_first; // first of its block_if's field tests in facts.test
    uint16_t unless_test_first;
    uint16_t hot_first, hot_count; // CONTACT_TIMES: windows; CONTACT_DATES: dates
};

struct rule_plan {
    struct ruleset *set;
    const struct places *places;
    const struct zones *zones;
    const struct zone_set *zone_default; // NULL = all zones of the country
    uint16_t default_country;
    uint8_t zone_from, purposes, dialing;
    bool counts;   // some rule counts attempts: an "allow" reserves
    bool external; // some rule asks a service
    bool zoned;    // some rule looks at local time
    unsigned op_count;
    struct rule_op *op;
    // Which ops name a region: a row of op_words words for each, bit n = op n. Row 0: which hold in
    // every region.
    unsigned op_words;
    uint64_t *region_row;
    uint64_t *counting_row; // which ops count attempts, in whatever they look at
    // Field tests of its expressions, and which record slot each looks at.
    unsigned test_count;
    struct {
        uint16_t test; // of ruleset.expr.test
        uint16_t slot; // of the record_keys the plan was made for
    } test[RULE_PLAN_TESTS_MAX];
    int subject_slot, disposition_slot; // -1 = none
};

// `plan`: index of ruleset.plan, RULE_PLAN_NONE = a campaign group that has none (what is
// required). `slot_of(ctx, name)`: the slot of a field in the records that will be asked.
// ERR_NOMEM, ERR_FULL (too many tests) with a sentence.
int rule_plan_new(struct rule_plan **ret, struct ruleset *set, unsigned plan,
                  const struct places *places, int (*slot_of)(void *ctx, struct str field),
                  void *ctx, struct err_info *info);
void rule_plan_free(struct rule_plan *p);
