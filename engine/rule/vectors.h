// SPDX-License-Identifier: Apache-2.0
//
// vectors: the examples that a pack brings along ("vectors", docs/rules.md), judged through the
// very functions that answer questions, against attempts and lists that stand in the example.
// Slow path; one thread. number_start() must have been called.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/rule/places.h"
#include "engine/rule/ruleset.h"
#include "engine/wire/verdict.h"

#define VECTORS_ATTEMPTS_MAX 64 // of one vector

// Applies not; applies and lets pass; blocks.
enum vectors_answer { VECTORS_NONE, VECTORS_ALLOW, VECTORS_BLOCK };

struct vectors_outcome {
    unsigned index; // in "vectors"
    unsigned rule;  // of the ruleset
    enum vectors_answer expected, got;
    enum reason reason;    // of a block
    struct str at, source; // as written
};
typedef void vectors_fn(void *ctx, const struct vectors_outcome *outcome);

// Tells `fn` of every vector that can be judged, in their order; the others are errors with their
// JSON pointer. `pack` is as packs_load gave it, so its JSON is whole. `set` is the pack's
// (ruleset_of_pack) and nobody else's: its tenant is made up anew for each vector. 0, ERR_BAD_VALUE
// with `errors`, ERR_NOMEM.
int vectors_run(const struct pack *pack, struct ruleset *set, const struct places *places,
                vectors_fn *fn, void *ctx, struct ruleset_errors *errors);
// "block", "allow", "none"
const char *vectors_word(enum vectors_answer answer);
