// SPDX-License-Identifier: Apache-2.0
//
// fixture: a set with its qsbr, and a plain model of what it should hold.
#pragma once

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/rand.h"
#include "engine/set/set.h"
#include "engine/set/set_state.h"

#define FIXTURE_SEED 0x5eedULL

struct fixture {
    struct qsbr *q;
    struct set *s;
};

static inline struct fixture fixture_new(unsigned planes_max)
{
    struct set_limits limits = {(size_t)512 << 20, planes_max};
    struct fixture f = {.q = qsbr_new()};
    struct err_info info;

    assert_non_null(f.q);
    assert_int_equal(set_new(&f.s, FIXTURE_SEED, &limits, f.q, &info), 0);
    return f;
}

static inline void fixture_free(struct fixture *f)
{
    set_free(f->s);
    qsbr_free(f->q);
}

static inline struct set_key fixture_nanp(const struct set *s, uint64_t nanp)
{
    struct set_key key = set_key_device(s, 10000000000 + nanp);

    assert_true(key.nanp == nanp);
    return key;
}

// Makes `id` dense: `lines` lines of each of `exchanges` exchanges of area code `npa`.
static inline void fixture_fill(struct set_build *b, unsigned npa, unsigned exchanges,
                                unsigned lines)
{
    for (unsigned x = 0; x < exchanges; x++)
        for (unsigned i = 0; i < lines; i++)
            assert_true(set_build_add_nanp(b, (npa * 1000ULL + 200 + x) * 10000 + i) >= 0);
}
