// SPDX-License-Identifier: Apache-2.0
//
// judge_part: what the files of judge share. Private to judge.
#pragma once

#include "engine/rule/judge.h"

// The zones that count for a rule, one after the other; a zone may come several times.
struct judge_zones {
    const struct zone_set *set[2 * ZONE_SOURCES];
    unsigned set_count;
    uint8_t from; // rule_op.zone_from that asks for them; 0 = not looked for yet
    bool unknown; // no chosen source says anything
};

// One rule being judged. The parts set `blocks`, `reason` and what explain shows, and with
// judge.foresee bring `until_s` down.
struct judge_case {
    const struct judge *j;
    const struct rule_op *op;
    const struct rule *rule;
    struct judge_finding *finding;
    struct judge_zones *zones; // those of the rule before
};

const struct judge_zones *judge_zones(const struct judge_case *c);
#define JUDGE_EACH_ZONE(zones, s, i)                                                               \
    for (unsigned s = 0; s < (zones)->set_count; s++)                                              \
        for (unsigned i = 0; i < (zones)->set[s]->count; i++)

static inline void judge_until(const struct judge_case *c, int64_t until_s)
{
    if (until_s < c->finding->until_s) c->finding->until_s = until_s;
}
static inline void judge_block(const struct judge_case *c, enum reason reason)
{
    c->finding->blocks = true;
    c->finding->reason = reason;
    c->finding->call_result = c->rule->call_result;
}

// judge_time.c: is the rule in force on this local day; may one contact now?
bool judge_in_force(const struct judge_case *c);
void judge_times(const struct judge_case *c);
void judge_dates(const struct judge_case *c);
// judge_count.c
void judge_attempts(const struct judge_case *c);
// *ret_counts_unknown: the expression could not be answered for want of attempts known.
enum expr_value judge_expr(const struct judge_case *c, unsigned expr, unsigned test_first,
                           bool *ret_counts_unknown);
