// SPDX-License-Identifier: Apache-2.0
//
// ledger_bench: what a count, a reservation and a report cost with a full ledger.
//
//   ledger_bench [ATTEMPTS]   default 50000000; one JSON object a line on standard output; times
//   are
//                             CPU time of the thread
//
// Attempts lie over 30 days in the order they came; a device has four on average, a contact five.
// Questions ask for 7 days and stop at 7. The limit: random reads of one line each over as many
// bytes as the attempts use, prefetched in the same batches.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/clock.h"
#include "engine/base/limits.h"
#include "engine/base/mem.h"
#include "engine/base/rand.h"
#include "engine/base/str.h"
#include "engine/ledger/ledger.h"

#define NOW       INT64_C(1760000000)
#define DAY       86400
#define QUESTIONS (1 << 20)
#define ROUNDS    5
#define BATCH_MAX 16
#define RULES     4

struct bench {
    struct qsbr *q;
    struct ledger *l;
    uint64_t attempts, devices, clients;
    struct ledger_asker *who; // QUESTIONS of them
    char *lines;              // the limit's memory
    uint64_t line_count;
};

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static double median(double *v)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        for (unsigned j = i + 1; j < ROUNDS; j++)
            if (v[j] < v[i]) {
                double t = v[i];

                v[i] = v[j];
                v[j] = t;
            }
    return v[ROUNDS / 2];
}

static struct attempt attempt_of(const struct bench *b, uint64_t i, struct rand *r)
{
    return (struct attempt){.device = ledger_key(rand_below(r, b->devices), 1),
                            .client = ledger_key(rand_below(r, b->clients), 2),
                            .guid = ledger_key(i, 3),
                            .start_s = NOW - 30 * DAY + (int64_t)(i * 30 * DAY / b->attempts),
                            .result = (uint8_t)(i % 30),
                            .ended = true};
}

// Each report alone is timed on the clock: the longest is what a report may have to wait.
static void bench_apply(struct bench *b)
{
    int64_t begin = cpu_ns(), longest = 0, last, now;
    uint64_t over_1ms = 0, refused = 0;
    struct ledger_usage usage;
    struct rand r;

    rand_seed(&r, 1);
    last = clock_mono_ns();
    for (uint64_t i = 0; i < b->attempts; i++) {
        struct attempt a = attempt_of(b, i, &r);

        refused += ledger_apply(b->l, &a) != LEDGER_NEW;
        now = clock_mono_ns();
        if (now - last > longest) longest = now - last;
        over_1ms += now - last > 1000000;
        last = now;
    }
    begin = cpu_ns() - begin;
    ledger_usage(b->l, &usage);
    printf("{\"bench\":\"apply\",\"attempts\":%llu,\"ns\":%.1f,\"per_s\":%.0f,\"longest_us\":%.0f,"
           "\"over_1ms\":%llu,\"right\":%s}\n",
           (unsigned long long)b->attempts, (double)begin / (double)b->attempts,
           1e9 * (double)b->attempts / (double)begin, (double)longest / 1e3,
           (unsigned long long)over_1ms,
           !refused && usage.attempts == b->attempts ? "true" : "false");
    printf("{\"bench\":\"memory\",\"attempts\":%llu,\"bytes\":%zu,\"bytes_per_attempt\":%.1f,"
           "\"resident_mb\":%zu}\n",
           (unsigned long long)b->attempts, usage.bytes, (double)usage.bytes / (double)b->attempts,
           mem_resident_bytes() >> 20);
    fflush(stdout);
}

static struct attempts_query query_of(enum count_by by)
{
    return (struct attempts_query){.by = by,
                                   .channels = 1,
                                   .results = UINT64_MAX,
                                   .since_s = NOW - 7 * DAY,
                                   .before_s = INT64_MAX,
                                   .enough = 7};
}

static void fetch(const struct ledger *l, const struct ledger_asker *who, unsigned batch)
{
    struct ledger_ahead ahead[BATCH_MAX] = {0};
    bool more = true;

    for (unsigned i = 0; i < batch; i++) ledger_fetch_index(l, &who[i]);
    for (unsigned round = 0; round < LEDGER_AHEAD && more; round++) {
        more = false;
        for (unsigned i = 0; i < batch; i++) more |= ledger_fetch_further(l, &who[i], &ahead[i]);
    }
}

static double pass(struct bench *b, unsigned batch, const struct attempts_query *queries,
                   unsigned query_count, uint64_t *ret_counted)
{
    int64_t begin = cpu_ns();

    for (unsigned at = 0; at < QUESTIONS; at += batch) {
        const struct ledger_asker *who = &b->who[at];

        if (batch > 1) fetch(b->l, who, batch);
        for (unsigned i = 0; i < batch; i++)
            for (unsigned k = 0; k < query_count; k++)
                *ret_counted += ledger_count(b->l, &who[i], &queries[k], NOW).count;
    }
    return (double)(cpu_ns() - begin) / QUESTIONS;
}

static double pass_limit(struct bench *b, unsigned batch)
{
    int64_t begin = cpu_ns();
    uint64_t sum = 0;

    for (unsigned at = 0; at < QUESTIONS; at += batch) {
        const volatile char *line[BATCH_MAX];

        for (unsigned i = 0; i < batch; i++) {
            uint64_t n = (uint64_t)((unsigned __int128)b->who[at + i].device * b->line_count >> 64);

            // alone, each read waits for the one before, as a question alone does
            if (batch == 1) n = (n + (sum & 1)) % b->line_count;
            line[i] = b->lines + n * 64;
            __builtin_prefetch((const void *)line[i]);
        }
        for (unsigned i = 0; i < batch; i++) sum += (unsigned char)*line[i];
    }
    if (sum == 42) fputc(' ', stderr);
    return (double)(cpu_ns() - begin) / QUESTIONS;
}

static void bench_count(struct bench *b, const char *what, const struct attempts_query *queries,
                        unsigned query_count)
{
    for (unsigned batch = 1; batch <= BATCH_MAX; batch *= BATCH_MAX) {
        double ns[ROUNDS], limit[ROUNDS];
        uint64_t counted = 0;

        for (unsigned r = 0; r < ROUNDS; r++) {
            ns[r] = pass(b, batch, queries, query_count, &counted);
            limit[r] = pass_limit(b, batch);
        }
        printf("{\"bench\":\"count\",\"what\":\"%s\",\"batch\":%u,\"ns\":%.1f,\"limit_ns\":%.1f,"
               "\"counted\":%.3f}\n",
               what, batch, median(ns), median(limit), (double)counted / ROUNDS / QUESTIONS);
        fflush(stdout);
    }
}

// Askers whose device and contact have attempts (`known`), or never had any.
static void make_askers(struct bench *b, bool known, uint64_t seed)
{
    struct rand r;

    rand_seed(&r, seed);
    for (unsigned i = 0; i < QUESTIONS; i++) {
        uint64_t d = rand_below(&r, b->devices), c = rand_below(&r, b->clients);

        b->who[i] = (struct ledger_asker){
            .device = ledger_key(known ? d : b->devices + d, 1),
            .client = ledger_key(known ? c : b->clients + c, 2),
            .guid = ledger_key(rand_u64(&r), 4),
        };
    }
}

// Reserve and count again, as an allowed question does; then all are released.
static void bench_reserve(struct bench *b, unsigned batch)
{
    struct attempts_query query = query_of(COUNT_BY_DEVICE);
    uint64_t counted = 0, refused = 0;
    int64_t begin = cpu_ns(), kept;

    for (unsigned at = 0; at < QUESTIONS; at += batch) {
        const struct ledger_asker *who = &b->who[at];

        for (unsigned i = 0; i < batch && batch > 1; i++) ledger_fetch_index(b->l, &who[i]);
        for (unsigned i = 0; i < batch; i++)
            refused += !ledger_reserve(b->l, &who[i], NOW, NOW + 10);
    }
    kept = cpu_ns();
    for (unsigned i = 0; i < QUESTIONS; i++)
        counted += ledger_count(b->l, &b->who[i], &query, NOW).reserved;
    begin = kept - begin;
    kept = cpu_ns();
    for (unsigned i = 0; i < QUESTIONS; i++) ledger_release(b->l, &b->who[i]);
    kept = cpu_ns() - kept;
    printf("{\"bench\":\"reserve\",\"batch\":%u,\"keys\":2,\"ns\":%.1f,\"release_ns\":%.1f,"
           "\"refused\":%llu,\"others\":%.3f}\n",
           batch, (double)begin / QUESTIONS, (double)kept / QUESTIONS, (unsigned long long)refused,
           (double)counted / QUESTIONS);
    fflush(stdout);
}

static void bench_expire(struct bench *b)
{
    int64_t longest = 0, begin = cpu_ns();
    struct ledger_usage usage;
    unsigned calls = 0;

    do {
        int64_t t = clock_mono_ns();

        ledger_expire(b->l, NOW + 1);
        t = clock_mono_ns() - t;
        if (t > longest) longest = t;
        calls++;
        ledger_usage(b->l, &usage);
    } while (usage.attempts);
    printf("{\"bench\":\"expire\",\"calls\":%u,\"ns_per_attempt\":%.2f,\"longest_ms\":%.2f}\n",
           calls, (double)(cpu_ns() - begin) / (double)b->attempts, (double)longest / 1e6);
}

int main(int argc, char **argv)
{
    struct attempts_query device = query_of(COUNT_BY_DEVICE), client = query_of(COUNT_BY_CLIENT);
    struct attempts_query four[RULES] = {device, device, client, client};
    struct bench b = {.attempts = 50000000};
    struct ledger_limits limits;
    struct err_info info;

    if (argc > 1 && !str_to_u64(str_of(argv[1]), &b.attempts)) return 2;
    limits = (struct ledger_limits){b.attempts, LIMIT_RESERVATIONS};
    b.devices = b.attempts / 4 + 1;
    b.clients = b.attempts / 5 + 1;
    b.q = qsbr_new();
    b.who = malloc(sizeof *b.who * QUESTIONS);
    if (!b.q || !b.who || ledger_new(&b.l, &limits, b.q, &info)) return 1;
    ledger_set_since(b.l, NOW - 30 * DAY);
    bench_apply(&b);
    b.line_count = b.attempts;
    b.lines = mem_map(b.line_count * 64);
    if (!b.lines) return 1;
    memset(b.lines, 1, b.line_count * 64);
    four[1].since_s = NOW - DAY;
    four[3].since_s = NOW - DAY;
    make_askers(&b, true, 7);
    bench_count(&b, "device, known", &device, 1);
    bench_count(&b, "client, known", &client, 1);
    bench_count(&b, "four rules, known", four, RULES);
    make_askers(&b, false, 8);
    bench_count(&b, "device, never called", &device, 1);
    bench_count(&b, "four rules, never called", four, RULES);
    mem_unmap(b.lines, b.line_count * 64);
    make_askers(&b, true, 9);
    bench_reserve(&b, 1);
    bench_reserve(&b, BATCH_MAX);
    bench_expire(&b);
    ledger_free(b.l);
    qsbr_free(b.q);
    free(b.who);
    return 0;
}
