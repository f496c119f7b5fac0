// SPDX-License-Identifier: Apache-2.0
//
// explain: POST /v1/explain: one record, everything that was looked at, and the verdict that
// /ocs/validate would give. Shows what decide() sees, through the same functions; decides nothing
// itself.
#pragma once

#include "engine/core/decide.h"
#include "engine/net/route.h"

route_fn explain_on_request;

// -- parts of the answer, each a JSON value (pure functions)
// --------------------------------------- explain_place.c: where the contact may be, what says so,
// what time it is there. `record` is the one that the question was read from.
void explain_write_place(struct buf *out, const struct decide_case *c);
void explain_write_evidence(struct buf *out, const struct decide_case *c,
                            const struct record *record);
// "+1212***0100": a number as people may see it.
void explain_write_masked(struct buf *out, uint64_t device);
// {"zone":"America/New_York","local":"2026-11-22T09:00:00-05:00","weekday":"sun"}
void explain_write_zone(struct buf *out, const struct decide_case *c, unsigned zone);
// explain_list.c: every list of the tenant, whether it counts here, and what it holds.
void explain_write_lists(struct buf *out, const struct decider *d, const struct view *view,
                         const struct question *q);
// explain_rule.c: every rule of the plan, its inputs and its outcome.
void explain_write_rules(struct buf *out, const struct decide_case *c);
// The sentence that a supervisor reads. `c` NULL = no rule was looked at.
void explain_write_sentence(struct buf *out, const struct decide_case *c, const struct verdict *v,
                            int rule);
