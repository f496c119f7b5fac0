// SPDX-License-Identifier: Apache-2.0
//
// question: a record boiled down to what a decision needs: keys, tenant, gate, facts, instant.
// Pure function of bytes and a view; the keys' first lines are prefetched on the way. It points
// into the view, so it is good as long as that: one turn.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/core/tenant.h"
#include "engine/core/view.h"
#include "engine/ledger/ledger.h"
#include "engine/rule/facts.h"
#include "engine/set/set.h"
#include "engine/wire/record.h"
#include "engine/wire/verdict.h"

// PHONE is what stands where a number is expected: a device, or the address of an e-mail campaign.
enum question_key { QUESTION_PHONE, QUESTION_CLIENT, QUESTION_EMAIL, QUESTION_KEYS };

struct question {
    enum reason input; // REASON_ALLOWED, or what is wrong with the record
    bool has[QUESTION_KEYS];
    bool reserves; // an "allow" keeps an attempt free
    bool dated;    // it asks about an instant that it names
    uint16_t tenant;
    enum channel channel;
    uint32_t now_s;
    const struct gate *gate; // NULL when `input` blocks
    uint64_t device;         // E.164 integer; 0 = none
    struct set_probe probe[QUESTION_KEYS];
    struct str text; // the record, when a rule of its plan asks a service; as long as the request
    // Only when the gate has a plan:
    struct facts facts;
    struct ledger_asker who;
    struct ledger_ahead ahead; // how far the prefetch of its attempts is
};

// What the surroundings of a record say: the path, or the head of a batch.
struct question_frame {
    const struct tenant *bound; // whose records these are; NULL = by name
    struct str tenant;          // absent = the record's own
    struct str group;           // when the record names none
    enum channel channel;       // when the record names none
    uint32_t now_s;             // when the record names none
    bool dated;                 // now_s is no "now"
    bool reserves;
};

// Reads `record` (already parsed) into `q`. Everything wrong ends in q->input; never fails.
void question_from_record(struct question *q, const struct record *record,
                          const struct question_frame *frame, const struct view *view,
                          const struct set *set);
// A question that is blocked for `reason` without being looked at.
void question_from_reason(struct question *q, enum reason reason);

// The ledger's keys, the same for a question and for the report of its attempt. `hash` is the
// set_key.hash of the device (or address) and of the client id; 0 = absent.
struct ledger_asker question_asker(const struct view *view, unsigned tenant, uint64_t device_hash,
                                   uint64_t client_hash, struct str group, struct str guid);
