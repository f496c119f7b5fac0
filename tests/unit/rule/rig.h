// SPDX-License-Identifier: Apache-2.0
//
// rig: a rule set, a record's facts written by hand, and a world of tables, for tests of judge.
// One thread. Rule sets are JSON with ' for ", and ` for ' in expressions.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/rule/judge.h"

#define RIG_ATTEMPTS_MAX 32
#define RIG_OPS_MAX      64

struct rig {
    struct ruleset *set;
    struct rule_plan *plan;
    struct facts facts;
    struct judge judge;
    struct judge_world world;
    // what the world knows
    int64_t attempt_s[RIG_ATTEMPTS_MAX]; // starts, any order
    unsigned attempt_count, reserved;    // reserved: so many more, made now
    bool counts_unknown;
    uint64_t listed; // bits of ruleset.list_name
    bool list_missing;
    int64_t listed_until_s, obtained_s;
    enum judge_external external;
    int external_result; // kept when not 0
    // what it was asked
    struct attempts_query query;                 // the last
    uint16_t area_codes[RULE_COUNTED_CODES_MAX]; // of it
    unsigned query_count;
    // who would have blocked
    unsigned shadow[RIG_OPS_MAX], shadow_count;
};

extern struct zones *rig_zones;
extern struct places *rig_places;
extern struct zone_clock rig_clock;

int rig_group_setup(void **state);
int rig_group_teardown(void **state);
int64_t rig_instant(const char *text);
const struct zone_set *rig_zone(const char *name);
// `rules`: the members of "rules"; `tenant`: those of "tenant"; `plan`: those of a plan, or NULL.
// It is a Wednesday noon in New York then, by voice, and the contact is nowhere yet.
void rig_open(struct rig *r, const char *tenant, const char *rules, const char *plan);
void rig_close(struct rig *r);
// Sets the clock.
void rig_at(const char *instant);
// The contact may be there as well; "US" leaves its states open, "US-TX" does not.
void rig_place(struct rig *r, const char *code);
// The value of the plan's field test number `test`.
void rig_test(struct rig *r, unsigned test, enum expr_value value);
// The name of the first rule that blocks, "" when none does. Fills `shadow`.
const char *rig_first(struct rig *r, struct judge_finding *ret);
// What the first rule says.
void rig_blocks(struct rig *r, enum reason reason);
void rig_allows(struct rig *r);
void rig_applies_not(struct rig *r);
