// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/when.h"

#include "engine/base/check.h"

// Asks once; *ret_until_s is inside the search and ahead of at_s whatever the answerer says.
static bool ask(when_fn *fn, void *ctx, int64_t at_s, int64_t end_s, int64_t *ret_until_s)
{
    int64_t until_s = at_s;
    bool allowed = fn(ctx, at_s, &until_s);

    DEBUG_CHECK(until_s > at_s);
    if (until_s <= at_s) until_s = at_s + 1;
    *ret_until_s = until_s < end_s ? until_s : end_s;
    return allowed;
}

struct when_answer when_search(when_fn *fn, void *ctx, int64_t from_s, int64_t until_s,
                               unsigned steps, struct when_interval *interval, unsigned max)
{
    struct when_answer answer = {.seen_until_s = from_s, .next_s = -1};
    bool was_allowed = false;

    for (unsigned step = 0; answer.seen_until_s < until_s; step++) {
        int64_t at_s = answer.seen_until_s, next_s;
        bool allowed;

        if (step == steps) {
            answer.cut = true;
            break;
        }
        allowed = ask(fn, ctx, at_s, until_s, &next_s);
        if (allowed && !was_allowed) {
            if (answer.next_s < 0) answer.next_s = at_s;
            if (answer.count == max) {
                answer.cut = true;
                break;
            }
            interval[answer.count++].from_s = at_s;
        }
        if (allowed) interval[answer.count - 1].until_s = next_s;
        was_allowed = allowed;
        answer.seen_until_s = next_s;
    }
    return answer;
}

int64_t when_next(when_fn *fn, void *ctx, int64_t from_s, int64_t until_s, unsigned steps)
{
    for (int64_t at_s = from_s; at_s < until_s && steps > 0; steps--) {
        int64_t next_s;

        if (ask(fn, ctx, at_s, until_s, &next_s)) return at_s;
        at_s = next_s;
    }
    return -1;
}
