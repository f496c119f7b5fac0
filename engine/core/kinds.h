// SPDX-License-Identifier: Apache-2.0
//
// kinds: which campaign groups' plans say the same, so that they share what is made of it. Gates
// are numbered as in rulebook_tenant.plan: 0 = groups that have no plan, 1 + i = ruleset.plan[i].
#pragma once

#include "engine/rule/ruleset.h"

enum kinds_by {
    KINDS_BY_RULES, // rules, zone_from, purpose, dialing: what a rule_plan is made of
    KINDS_BY_LISTS,
};

struct kinds {
    unsigned count;  // different ones
    uint16_t *of;    // by gate: its kind
    uint16_t *first; // by kind: its first gate
};

// 0 or ERR_NOMEM; kinds_done in any case. Names in another order are another kind.
int kinds_find(struct kinds *k, const struct ruleset *set, enum kinds_by by);
void kinds_done(struct kinds *k); // zeroed is fine
