// SPDX-License-Identifier: Apache-2.0
//
// hist: a histogram of nanoseconds, log-linear: 64 buckets for each power of two, so a quantile is
// at most 1.6 % too high. Fixed memory, no allocation. One thread.
#pragma once

#include <stdint.h>

#define HIST_SUB     64
#define HIST_BUCKETS (HIST_SUB * 59)

struct hist {
    uint64_t count;
    uint64_t max_ns;
    uint64_t bucket[HIST_BUCKETS];
};

void hist_reset(struct hist *h);
// `times` equal values at once. Negative values count as 0.
void hist_add(struct hist *h, int64_t value_ns, uint64_t times);
// The upper edge of the bucket in which the quantile (0 … 1) lies, at most the maximum seen; 0 when
// empty.
uint64_t hist_quantile(const struct hist *h, double quantile);
