// SPDX-License-Identifier: Apache-2.0
//
// judge: does a rule block? The one function behind /ocs/validate, /v1/decisions, /v1/explain,
// /v1/when and pack vectors. Pure function of (plan, facts, world, clock): no lock, no allocation,
// no system call. What is not known blocks.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/rule/facts.h"
#include "engine/rule/zone_clock.h"
#include "engine/wire/attempt.h"

enum judge_list { JUDGE_NOT_LISTED, JUDGE_LISTED, JUDGE_LIST_MISSING };
enum judge_external { JUDGE_EXTERNAL_SILENT, JUDGE_EXTERNAL_ALLOWS, JUDGE_EXTERNAL_REFUSES };

// What rules ask beyond the record: who calls gives it (core: sets and ledger; tests: tables).
struct judge_world {
    void *ctx;
    // Attempts of this record's device, client or both.
    struct attempts_count (*count)(void *ctx, const struct attempts_query *query);
    // Is the contact on that list (ruleset.list_name)? *ret_until_s: the answer holds until then.
    // JUDGE_LIST_MISSING: the list is not loaded.
    enum judge_list (*listed)(void *ctx, unsigned list, int64_t *ret_until_s);
    // When the list's content was obtained, epoch seconds; 0 = not loaded.
    int64_t (*obtained_s)(void *ctx, unsigned list);
    enum judge_external (*external)(void *ctx, unsigned rule, int *ret_call_result);
};

struct judge {
    const struct rule_plan *plan;
    const struct facts *facts;
    const struct judge_world *world;
    struct zone_clock *clock; // set to the instant asked about
    enum channel channel;
    bool foresee;  // fill finding.until_s (costs more; /v1/when, retry_at and explain want it)
    bool counting; // judge_first: only rules that count attempts; the others let it pass already
    int64_t counts_before_s; // attempts from then on do not count (INT64_MAX: all do)
};

// One rule's answer, with what explain shows of it.
struct judge_finding {
    bool applies; // false: not here, not now, not for this channel …; only until_s is set then
    bool blocks;
    enum reason reason; // of a block
    int call_result;    // of a block
    // The same answer holds until then at least (exclusive); INT64_MAX = as far as can be seen.
    // Only with judge.foresee.
    int64_t until_s;
    uint16_t zone; // the zone that objects, or ZONES_NONE
    bool
        zones_unknown; // no chosen source said anything: every zone of the country (or the default)
    struct attempts_count count; // of ATTEMPTS
    int64_t since_s;             // the window that was counted began then
};

// Rule number `op` of the plan.
void judge_rule(const struct judge *j, unsigned op, struct judge_finding *ret);
// The first rule that blocks (not a shadow one): its op, with *ret_finding; -1 when none does.
// Shadow rules on the way that would block are told to `shadow` (may be NULL).
int judge_first(const struct judge *j, struct judge_finding *ret_finding,
                void (*shadow)(void *ctx, unsigned op), void *ctx);
