// SPDX-License-Identifier: Apache-2.0
//
// answers: what customers' services said about contacts, for as long as their rules keep it. One
// table for all threads, so that a service is asked once however many connections ask the engine.
//
// Eight answers share a bucket; the ninth takes the place of the one that ends first, which is then
// asked for again. No lock: a slot is two words, and halves of two answers give no answer.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/rule/judge.h"

struct answer {
    enum judge_external said;
    int call_result;  // of a refusal, 1 … 999; 0 = it named none
    int64_t until_ns; // monotonic; kept in whole milliseconds
};

struct answers;
// NULL without memory.
struct answers *answers_new(void);
void answers_free(struct answers *a); // NULL is fine
// Any thread. `key` is not 0.
void answers_keep(struct answers *a, uint64_t key, const struct answer *answer);
// Any thread. False when none is known (any more).
bool answers_find(const struct answers *a, uint64_t key, int64_t now_ns, struct answer *ret);
