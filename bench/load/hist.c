// SPDX-License-Identifier: Apache-2.0
#include "bench/load/hist.h"

#include <string.h>

#define SUB_BITS 6

static unsigned bucket_of(uint64_t value)
{
    if (value < HIST_SUB) return (unsigned)value;
    unsigned shift = 63 - SUB_BITS - (unsigned)__builtin_clzll(value);
    return (shift + 1) * HIST_SUB + (unsigned)(value >> shift) - HIST_SUB;
}

static uint64_t bucket_top(unsigned bucket)
{
    if (bucket < HIST_SUB) return bucket;
    unsigned shift = bucket / HIST_SUB - 1;
    uint64_t sub = bucket % HIST_SUB + HIST_SUB;
    return ((sub + 1) << shift) - 1;
}

void hist_reset(struct hist *h)
{
    memset(h, 0, sizeof *h);
}

void hist_add(struct hist *h, int64_t value_ns, uint64_t times)
{
    uint64_t value = value_ns > 0 ? (uint64_t)value_ns : 0;
    h->bucket[bucket_of(value)] += times;
    h->count += times;
    if (value > h->max_ns) h->max_ns = value;
}

uint64_t hist_quantile(const struct hist *h, double quantile)
{
    uint64_t rank = (uint64_t)(quantile * (double)h->count);
    uint64_t seen = 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen > rank) return bucket_top(i) < h->max_ns ? bucket_top(i) : h->max_ns;
    }
    return h->max_ns;
}
