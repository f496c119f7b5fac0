// SPDX-License-Identifier: Apache-2.0
//
// question: a record boiled down to what a decision needs: keys, tenant, channel, instant.
// Pure function of bytes; the keys' first lines are prefetched on the way.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/core/tenant.h"
#include "engine/set/set.h"
#include "engine/wire/record.h"
#include "engine/wire/verdict.h"

// PHONE is what stands where a number is expected: a device, or the address of an e-mail campaign.
enum question_key { QUESTION_PHONE, QUESTION_CLIENT, QUESTION_EMAIL, QUESTION_KEYS };

struct question {
    enum reason input; // REASON_ALLOWED, or what is wrong with the record
    bool has[QUESTION_KEYS];
    uint16_t tenant;
    enum channel channel;
    uint32_t now_s;
    struct set_probe probe[QUESTION_KEYS];
};

// What the surroundings of a record say: the path, or the head of a batch.
struct question_frame {
    const struct tenant *bound; // whose records these are; NULL = by name
    struct str tenant;          // absent = the record's own
    enum channel channel;       // when the record names none
    uint32_t now_s;             // when the record names none
};

// Reads `record` (already parsed) into `q`. Everything wrong ends in q->input; never fails.
void question_from_record(struct question *q, const struct record *record,
                          const struct question_frame *frame, const struct tenants *tenants,
                          const struct set *set);
// A question that is blocked for `reason` without being looked at.
void question_from_reason(struct question *q, enum reason reason);
