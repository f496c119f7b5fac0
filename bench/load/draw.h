// SPDX-License-Identifier: Apache-2.0
//
// draw: the numbers a run asks about, drawn before it so that drawing costs the run nothing.
// Uniform over the registry for `hit_percent` of them, uniform over its complement (same
// exchanges) for the rest. The pool is walked from its begin to its end and then again.
#pragma once

#include <stdint.h>

#include "bench/data/registry.h"

struct key {
    char digits[10];
    uint8_t listed; // is on the registry
};

struct draw {
    struct key *pool;
    uint32_t count;
    uint32_t next;
    uint64_t taken;
};

// 0 or ERR_NOMEM. draw_done frees; safe on a zeroed struct.
int draw_init(struct draw *k, const struct registry *r, uint32_t count, unsigned hit_percent,
              uint64_t seed);
void draw_done(struct draw *k);
// Index of the first of `n` neighbours, n <= count.
uint32_t draw_take(struct draw *k, uint32_t n);
