// SPDX-License-Identifier: Apache-2.0
//
// ranks: which lists hold for which gate: what --list says, what the rule set declares, what a plan
// names. Feed thread; makes the tables of struct view.
//
//   not declared    counts once loaded; blocks while loading when --list says required
//   declared        holds when required, or where a plan names it; then it must exist, be of the
//                   kind that was declared, be loaded, and not be older than max_age
#pragma once

#include "engine/core/view.h"

// Fills v->tenant[tenant] but `book` and `hash`. 0 or ERR_NOMEM.
int ranks_make(struct view *v, unsigned tenant);
// Frees what ranks_make made.
void ranks_done(struct view_tenant *t);
