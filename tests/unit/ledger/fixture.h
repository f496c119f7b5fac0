// SPDX-License-Identifier: Apache-2.0
// A ledger that is ready, and the words to ask it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/limits.h"
#include "engine/ledger/ledger.h"
#include "engine/wire/record.h"

#define NOW INT64_C(1700000000)
#define DAY 86400

struct fixture {
    struct qsbr *q;
    struct ledger *l;
};

static inline struct fixture fixture_new(size_t attempts_max, size_t reservations_max)
{
    struct ledger_limits limits = {attempts_max, reservations_max};
    struct fixture f = {.q = qsbr_new()};
    struct err_info info;

    assert_non_null(f.q);
    assert_int_equal(ledger_new(&f.l, &limits, f.q, &info), 0);
    ledger_set_since(f.l, NOW - 100 * DAY);
    return f;
}

static inline void fixture_free(struct fixture *f)
{
    ledger_free(f->l);
    qsbr_free(f->q);
}

// Keys like those of sets: spread over 64 bits.
static inline uint64_t fixture_key(uint64_t n)
{
    return ledger_key(n, 77);
}

static inline struct attempt fixture_attempt(uint64_t device, uint64_t client, uint64_t guid)
{
    return (struct attempt){.device = device ? fixture_key(device) : 0,
                            .client = client ? fixture_key(1000000 + client) : 0,
                            .guid = fixture_key(2000000000 + guid),
                            .start_s = NOW,
                            .result = ATTEMPT_NO_RESULT};
}

static inline struct attempt fixture_end(uint64_t device, uint64_t client, uint64_t guid,
                                         uint8_t result)
{
    struct attempt a = fixture_attempt(device, client, guid);

    a.result = result;
    a.ended = true;
    return a;
}

static inline struct ledger_asker fixture_asker(uint64_t device, uint64_t client, uint64_t guid)
{
    struct attempt a = fixture_attempt(device, client, guid);

    return (struct ledger_asker){.device = a.device, .client = a.client, .guid = guid ? a.guid : 0};
}

static inline struct attempts_query fixture_query(enum count_by by)
{
    return (struct attempts_query){.by = by,
                                   .channels = 7,
                                   .results = UINT64_MAX,
                                   .since_s = NOW - 7 * DAY,
                                   .before_s = INT64_MAX,
                                   .enough = 1000000};
}

static inline unsigned fixture_count(const struct fixture *f, enum count_by by, uint64_t device,
                                     uint64_t client)
{
    struct ledger_asker who = fixture_asker(device, client, 0);
    struct attempts_query query = fixture_query(by);
    struct attempts_count c = ledger_count(f->l, &who, &query, NOW);

    assert_false(c.unknown);
    return c.count;
}

static inline unsigned fixture_on_device(const struct fixture *f, uint64_t device)
{
    return fixture_count(f, COUNT_BY_DEVICE, device, 0);
}
