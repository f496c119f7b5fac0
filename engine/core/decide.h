// SPDX-License-Identifier: Apache-2.0
//
// decide: the verdict on one question: lists first, then the age of lists, then rules. The one
// function behind /ocs/validate, /v1/decisions, /v1/explain and /v1/when. No lock, no allocation,
// no system call. Wrong never becomes "allowed": what is not known blocks.
#pragma once

#include "engine/base/limits.h"
#include "engine/core/answers.h"
#include "engine/core/question.h"
#include "engine/core/tally.h"
#include "engine/core/view.h"
#include "engine/rule/judge.h"

// Answers that a question got itself: they hold for it, however short they are kept.
struct decide_known {
    unsigned count;
    struct {
        uint64_t key;
        struct answer answer;
    } at[LIMIT_EXTERNAL_RULES];
};

// What one thread decides with.
struct decider {
    const struct set *set;
    struct ledger *ledger; // NULL: how many attempts were made is never known
    struct zone_clock *clock;
    struct tally_row *tally;          // own row; NULL: rules that block are not counted
    int64_t wall_s;                   // now, which a dated question is not about
    int64_t mono_ns;                  // the same on the other clock
    const struct answers *answers;    // of services; NULL: none is ever known
    const struct decide_known *known; // or NULL
    // Seconds since the start, when reservations were lost by it, else UINT32_MAX: as long as one
    // may have been under way, every contact counts as having one.
    uint32_t settled_s;
};

// A question being decided at one instant; what explain looks into. Lives on the stack.
struct decide_case {
    const struct decider *d;
    const struct view *view;
    const struct question *q;
    int64_t at_s;
    const struct ledger_asker *who;
    struct judge_world world;
    struct judge judge;
    int unasked; // the last rule that a service's answer was missed for, or -1
};
// Sets the decider's clock to `at_s`. The question's input must be all right, its gate have a plan.
void decide_open(struct decide_case *c, const struct decider *d, const struct view *view,
                 const struct question *q, int64_t at_s, bool foresee);

// Second step of the look-up: prefetches what the keys' first lines point to. Call for all
// questions of a turn before anything else is called for any.
void decide_fetch(const struct decider *d, struct question *q);
// Third step, in rounds over all questions: one attempt further along their chains each, up to
// LEDGER_AHEAD rounds or until it is false for all.
bool decide_fetch_chains(const struct decider *d, struct question *q);

// What the service of a rule said about the question's contact; false = it was not asked (lately).
bool decide_answer(const struct decider *d, const struct view *view, const struct question *q,
                   unsigned rule, struct answer *ret);
// A rule whose service has to be asked.
struct decide_ask {
    uint64_t key; // of (rule, contact), for answers
    uint16_t rule;
    bool shadow;
};
// The services that were not asked before the question can be decided: those of shadow rules on the
// way, and last the one that blocks it, if one does. At most `max`; counts nothing.
unsigned decide_unasked(const struct decider *d, const struct view *view, const struct question *q,
                        struct decide_ask *ask, unsigned max);

// *ret_rule: index in the ruleset of the rule that blocks, or -1. Reserves when the question does.
struct verdict decide(const struct decider *d, const struct view *view, const struct question *q,
                      int *ret_rule);
// The same at another instant, without reserving or counting. *ret_until_s > at_s: the same answer
// (allowed or not) holds before then, as far as can be seen from here.
struct verdict decide_at(const struct decider *d, const struct view *view, const struct question *q,
                         int64_t at_s, int64_t *ret_until_s, int *ret_rule);
// The first instant after `from_s` at which a blocked question would be allowed, looking at most
// `steps` instants and 31 days ahead; 0 = none seen. *ret_steps: how many were looked at.
int64_t decide_retry(const struct decider *d, const struct view *view, const struct question *q,
                     int64_t from_s, unsigned steps, unsigned *ret_steps);
