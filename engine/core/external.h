// SPDX-License-Identifier: Apache-2.0
//
// external: customers' own services, which rules of type "external" ask.
//
// One thread runs libcurl; whoever asks hands an ask over, never waits, and gets it back. Answers
// are kept in a struct answers for as long as the ask says. No answer in time, a broken one, or too
// many asks at once: silent, which blocks.
//
// The record goes out by POST as it came in. 200 allows, 409 refuses (with its GSW_CALL_RESULT);
// either only when it is whole, and its body at most EXTERNAL_BODY_MAX. Redirects are not followed,
// no proxy is asked, nothing but http and https is spoken, certificates are checked.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/queue.h"
#include "engine/base/str.h"
#include "engine/core/answers.h"

#define EXTERNAL_BODY_MAX 4096 // bytes of an answer; {"GSW_CALL_RESULT":51} is looked for
// Silence is kept so long, so that a dead service is not asked by every question.
#define EXTERNAL_SILENCE_MS 1000

// Lent from external_submit until on_done; owned by who submits.
struct external_ask {
    struct queue_node node;
    const char *url; // lent
    struct str body; // lent
    uint64_t key;    // of (rule, contact), for answers_keep
    uint32_t timeout_ms;
    uint32_t cache_s; // how long an answer is kept; 0 = not at all
    // Results:
    struct answer answer;
    bool sent; // false: too many were under way, or it is time to stop
    // In external's thread, or in external_submit's caller; must only pass it on.
    void (*on_done)(struct external_ask *ask);
};

struct external;
// Starts the thread. `asks_max` at once; more are silent at once. `answers` stays the caller's.
// ERR_NOMEM, ERR_SYSTEM.
int external_start(struct external **ret, struct answers *answers, unsigned asks_max,
                   struct err_info *info);
// Any thread, until external_stop.
void external_submit(struct external *e, struct external_ask *ask);
// From now on nobody waits: what is under way and what comes ends as silent. Any thread.
void external_hurry(struct external *e);
// Hurries, and ends the thread; nobody submits any more. NULL is fine.
void external_stop(struct external *e);
