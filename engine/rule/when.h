// SPDX-License-Identifier: Apache-2.0
//
// when: the intervals in which something is allowed, for anything that can say of an instant
// whether it is and how long that answer holds. Pure function.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WHEN_STEPS_MAX 4000   // instants looked at for one answer, and
#define WHEN_LOOKS_MAX 200000 // rules looked at at all of them: some 10 ms of a worker

struct when_interval {
    int64_t from_s, until_s; // from_s <= t < until_s
};

// How many instants may be looked at for one answer, with so many rules at each.
static inline unsigned when_steps(unsigned rules)
{
    unsigned steps = WHEN_LOOKS_MAX / (1 + rules);

    return steps < WHEN_STEPS_MAX ? steps : WHEN_STEPS_MAX;
}

// True when allowed at `at_s`; *ret_until_s > at_s: the same answer holds before then.
typedef bool when_fn(void *ctx, int64_t at_s, int64_t *ret_until_s);

struct when_answer {
    unsigned count; // of intervals, at most `max`
    bool cut;       // there were more intervals, or more steps, than allowed: `seen_until_s` counts
    int64_t seen_until_s;
    int64_t next_s; // first instant allowed in [from_s, until_s); -1 = none seen
};
// Fills `interval` (room for `max`, joined where they touch) for [from_s, until_s).
// Looks at no more than `steps` instants.
struct when_answer when_search(when_fn *fn, void *ctx, int64_t from_s, int64_t until_s,
                               unsigned steps, struct when_interval *interval, unsigned max);
// The first instant in [from_s, until_s) that is allowed, looking at no more than `steps` instants;
// -1 when none was seen.
int64_t when_next(when_fn *fn, void *ctx, int64_t from_s, int64_t until_s, unsigned steps);
