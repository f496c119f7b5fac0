// SPDX-License-Identifier: Apache-2.0
#include "engine/base/metric.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

const struct metric_row metric_rows[METRIC_COUNT] = {
#define METRIC(name, kind, family, labels, help, when)                                             \
    {METRIC_KIND_##kind, family, labels, help, when},
#include "engine/base/metrics.def"
#undef METRIC
};

static struct metric_block *blocks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct metric_block *metric_block_new(void)
{
    struct metric_block *b = aligned_alloc(64, (sizeof *b + 63) & ~(size_t)63);

    if (!b) return NULL;
    memset(b, 0, sizeof *b);
    pthread_mutex_lock(&lock);
    b->next = blocks;
    blocks = b;
    pthread_mutex_unlock(&lock);
    return b;
}

uint64_t metric_sum(enum metric m)
{
    uint64_t sum = 0;

    pthread_mutex_lock(&lock);
    for (struct metric_block *b = blocks; b; b = b->next)
        sum += atomic_load_explicit(&b->value[m], memory_order_relaxed);
    pthread_mutex_unlock(&lock);
    return sum;
}

static uint64_t bucket_sum(int i)
{
    uint64_t sum = 0;

    pthread_mutex_lock(&lock);
    for (struct metric_block *b = blocks; b; b = b->next)
        sum += atomic_load_explicit(&b->bucket[i], memory_order_relaxed);
    pthread_mutex_unlock(&lock);
    return sum;
}

void metric_time(struct metric_block *b, uint64_t ns, uint64_t count)
{
    uint64_t us = (ns + 999) / 1000; // rounded up: 1.5 µs is not <= 1 µs
    int i = us <= 1 ? 0 : 64 - __builtin_clzll(us - 1);
    uint64_t now;

    if (i >= METRIC_BUCKETS) i = METRIC_BUCKETS - 1;
    now = atomic_load_explicit(&b->bucket[i], memory_order_relaxed);
    atomic_store_explicit(&b->bucket[i], now + count, memory_order_relaxed);
    metric_add(b, METRIC_REQUEST_SECONDS, ns * count);
}

static void write_histogram(struct buf *out, const struct metric_row *row, uint64_t sum_ns)
{
    uint64_t count = 0;

    for (int i = 0; i < METRIC_BUCKETS; i++) {
        count += bucket_sum(i);
        if (i == METRIC_BUCKETS - 1) break;
        buf_printf(out, "%s_bucket{le=\"%.6f\"} %llu\n", row->family, (double)(1u << i) / 1e6,
                   (unsigned long long)count);
    }
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.9f\n%s_count %llu\n", row->family,
               (unsigned long long)count, row->family, (double)sum_ns / 1e9, row->family,
               (unsigned long long)count);
}

void metric_write_head(struct buf *out, enum metric m)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram", "gauge", "counter"};
    const struct metric_row *row = &metric_rows[m];

    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->family, row->help, row->family,
               kinds[row->kind]);
}

void metric_write(struct buf *out)
{
    for (int m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = &metric_rows[m];
        uint64_t sum = metric_sum((enum metric)m);

        if (row->kind >= METRIC_KIND_NAMED) continue;
        if (m == 0 || strcmp(row->family, metric_rows[m - 1].family) != 0)
            metric_write_head(out, (enum metric)m);
        if (row->kind == METRIC_KIND_HISTOGRAM)
            write_histogram(out, row, sum);
        else
            buf_printf(out, "%s%s%s%s %llu\n", row->family, row->labels[0] ? "{" : "", row->labels,
                       row->labels[0] ? "}" : "", (unsigned long long)sum);
    }
}
