// SPDX-License-Identifier: Apache-2.0
//
// external: rules that ask a customer's own web service (rule type "external").
//
// One thread runs libcurl; workers hand asks over and never wait: the question is deferred, and
// decided again when the answer is there. Answers are kept in a cache of each worker for as long as
// the rule says. No answer in time, a broken one, or too many asks at once: silent, which blocks.
//
// The record goes out by POST as it came in. 200 allows, 409 refuses (with its GSW_CALL_RESULT).
// Redirects are not followed; nothing but http and https is spoken.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/queue.h"
#include "engine/base/str.h"
#include "engine/rule/judge.h"

// Lent to the thread from external_submit until on_done; owned by who submits.
struct external_ask {
    struct queue_node node;
    struct str url;  // lent
    struct str body; // lent
    uint32_t timeout_ms;
    // Results:
    enum judge_external answer;
    int call_result; // of a refusal; 0 = it named none
    // In external's thread (in external_stop's caller while it stops); must only pass it on.
    void (*on_done)(struct external_ask *ask);
};

struct external;
// Starts the thread. `asks_max` at once; more are silent at once. ERR_NOMEM, ERR_SYSTEM.
int external_start(struct external **ret, unsigned asks_max, struct err_info *info);
// Any thread.
void external_submit(struct external *e, struct external_ask *ask);
// Ends what is under way as silent, then the thread. NULL is fine.
void external_stop(struct external *e);

// -- answers of one worker, for one thread -------------------------------------------------------
// Direct-mapped: a newer answer takes the place of an older one with the same slot, which is then
// asked for again. Silence is kept a second, so that a dead service is not asked by every question.
#define EXTERNAL_SLOTS     4096
#define EXTERNAL_SILENCE_S 1

struct external_answer {
    uint64_t key;     // of (rule, contact); 0 = free
    int64_t until_ns; // monotonic
    enum judge_external answer;
    int call_result;
};
struct external_cache {
    struct external_answer slot[EXTERNAL_SLOTS];
};
// NULL when it is not known (any more).
const struct external_answer *external_find(const struct external_cache *c, uint64_t key,
                                            int64_t now_ns);
void external_keep(struct external_cache *c, uint64_t key, const struct external_ask *ask,
                   uint32_t cache_s, int64_t now_ns);
