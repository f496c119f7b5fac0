// SPDX-License-Identifier: Apache-2.0
//
// metric: counters that cost one store, and their Prometheus text.
//
// Each thread owns one `struct metric_block` and is its only writer; a scrape adds the blocks up.
// The rows, their help and what to do about them are in metrics.def and nowhere else.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "engine/base/buf.h"

enum metric {
#define METRIC(name, kind, family, labels, help, when) METRIC_##name,
#include "engine/base/metrics.def"
#undef METRIC
    METRIC_COUNT
};

enum metric_kind {
    METRIC_KIND_COUNTER,
    METRIC_KIND_GAUGE,
    METRIC_KIND_HISTOGRAM,
    METRIC_KIND_NAMED,
    METRIC_KIND_NAMED_COUNTER,
};

struct metric_row {
    enum metric_kind kind;
    const char *family, *labels, *help, *when;
};
extern const struct metric_row metric_rows[METRIC_COUNT];

// Bucket i counts durations <= 2^i µs (1 µs … 32 s); the last one takes the rest.
#define METRIC_BUCKETS 26

struct metric_block {
    _Alignas(64) _Atomic uint64_t value[METRIC_COUNT]; // a histogram keeps its sum (ns) here
    _Atomic uint64_t bucket[METRIC_BUCKETS];           // of REQUEST_SECONDS
    struct metric_block *next;                         // all blocks, for the scrape
};

// A zeroed block, linked into the process's chain for ever. NULL when memory is out. Any thread.
struct metric_block *metric_block_new(void);
// Sum over all blocks.
uint64_t metric_sum(enum metric m);
// Appends every family in the Prometheus text format 0.0.4, without the NAMED ones.
void metric_write(struct buf *out);
// The # HELP and # TYPE lines of a row's family.
void metric_write_head(struct buf *out, enum metric m);

// Own block only.
static inline void metric_add(struct metric_block *b, enum metric m, uint64_t n)
{
    uint64_t now = atomic_load_explicit(&b->value[m], memory_order_relaxed);

    atomic_store_explicit(&b->value[m], now + n, memory_order_relaxed);
}
static inline void metric_set(struct metric_block *b, enum metric m, uint64_t n)
{
    atomic_store_explicit(&b->value[m], n, memory_order_relaxed);
}
// `count` requests that took `ns` each.
void metric_time(struct metric_block *b, uint64_t ns, uint64_t count);
