// SPDX-License-Identifier: Apache-2.0
//
// set_bench: what a lookup, an insert, a build and a publish cost, beside what the memory allows.
//
//   set_bench [NUMBERS]     default 10000000; one JSON object a line on standard output; times are
//   CPU
//                         time of the thread
//
// The limit: random 8-byte reads over as many bytes as the set's pages use, prefetched in the same
// batches. Every line names its parameters; only figures of one run compare.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/clock.h"
#include "engine/base/limits.h"
#include "engine/base/mem.h"
#include "engine/base/rand.h"
#include "engine/base/str.h"
#include "engine/set/set.h"

#define AREA_CODES 335
#define LOOKUPS    (1 << 21)
#define ROUNDS     5
#define BATCH_MAX  32
#define KEYS       10000000
#define ID_PAGES   1
#define ID_KEYS    2

struct bench {
    struct qsbr *q;
    struct set *s;
    uint64_t numbers;
    struct set_key *keys; // LOOKUPS of them
    uint16_t rank[LIMIT_SET_IDS];
    uint64_t *words; // the limit's memory
    size_t words_count;
};

// Time of this thread on its core: what others run beside it counts only as far as it takes caches
// and memory away, and that it takes from the limit as well.
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

// Every other exchange number of 335 area codes spread evenly; number i of a fixed permutation, so
// that "is it in?" is i < numbers without a second table.
static uint64_t nanp_of(uint64_t i)
{
    uint64_t space = (uint64_t)AREA_CODES * 800 * 10000, x, npa;

    x = (i * 1640531527 + 12345) % space; // the factor is a prime that does not divide `space`
    npa = 201 + x / 8000000 * 797 / AREA_CODES;
    return (npa * 1000 + 200 + x / 10000 % 800) * 10000 + x % 10000;
}

static double pass_single(struct bench *b, uint64_t *ret_found)
{
    int64_t begin = cpu_ns();
    struct set_probe p;
    struct set_hit hit;

    for (unsigned i = 0; i < LOOKUPS; i++) {
        set_probe_start(b->s, &p, b->keys[i]);
        set_probe_fetch(b->s, &p);
        *ret_found += set_probe_best(b->s, &p, b->rank, 1000, &hit) != SET_NO_RANK;
    }
    return (double)(cpu_ns() - begin) / LOOKUPS;
}

static double pass_batch(struct bench *b, unsigned batch, uint64_t *ret_found)
{
    int64_t begin = cpu_ns();
    struct set_probe p[BATCH_MAX];
    struct set_hit hit;

    for (unsigned at = 0; at < LOOKUPS; at += batch) {
        for (unsigned i = 0; i < batch; i++) set_probe_start(b->s, &p[i], b->keys[at + i]);
        for (unsigned i = 0; i < batch; i++) set_probe_fetch(b->s, &p[i]);
        for (unsigned i = 0; i < batch; i++)
            *ret_found += set_probe_best(b->s, &p[i], b->rank, 1000, &hit) != SET_NO_RANK;
    }
    return (double)(cpu_ns() - begin) / LOOKUPS;
}

// The same number of reads at places known in advance, as a lookup knows them from its key.
static double pass_limit(struct bench *b, unsigned batch)
{
    int64_t begin = cpu_ns();
    uint64_t sum = 0;

    for (unsigned at = 0; at < LOOKUPS; at += batch) {
        const volatile uint64_t *w[BATCH_MAX];

        for (unsigned i = 0; i < batch; i++) {
            uint64_t place = ((unsigned __int128)b->keys[at + i].hash * b->words_count) >> 64;

            // alone, each read waits for the one before, as a question alone does
            w[i] = &b->words[batch == 1 ? (place + (sum & 1)) % b->words_count : place];
            __builtin_prefetch((const void *)w[i]);
        }
        for (unsigned i = 0; i < batch; i++) sum += *w[i];
    }
    if (sum == 42) fputc(' ', stderr);
    return (double)(cpu_ns() - begin) / LOOKUPS;
}

static void run_lookups(struct bench *b, const char *what, const char *mix, uint64_t want)
{
    static const unsigned batches[] = {1, 16, 32};

    for (unsigned n = 0; n < 3; n++) {
        double ns[ROUNDS], limit[ROUNDS];
        uint64_t found = 0;

        for (unsigned r = 0; r < ROUNDS; r++) {
            ns[r] = batches[n] == 1 ? pass_single(b, &found) : pass_batch(b, batches[n], &found);
            limit[r] = b->words ? pass_limit(b, batches[n]) : 0;
        }
        printf("{\"bench\":\"lookup\",\"in\":\"%s\",\"mix\":\"%s\",\"batch\":%u,\"ns\":%.2f", what,
               mix, batches[n], median(ns));
        if (b->words) printf(",\"limit_ns\":%.2f", median(limit));
        printf(",\"found\":%.4f,\"right\":%s}\n", (double)found / ROUNDS / LOOKUPS,
               found == want * ROUNDS ? "true" : "false");
        fflush(stdout);
    }
}

// share_num of 4 lookups are for keys that are in.
static void bench_pages_mix(struct bench *b, const char *mix, unsigned share_num)
{
    uint64_t want = 0;
    struct rand r;

    rand_seed(&r, 7);
    for (unsigned i = 0; i < LOOKUPS; i++) {
        bool in = rand_below(&r, 4) < share_num;
        uint64_t n = rand_below(&r, b->numbers) + (in ? 0 : b->numbers);

        b->keys[i] = set_key_device(b->s, 10000000000 + nanp_of(n));
        want += in;
    }
    run_lookups(b, "numbers", mix, want);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void bench_build(struct bench *b)
{
    uint64_t *list = mem_map(b->numbers * sizeof *list), added = 0;
    struct set_usage usage;
    size_t bytes;

    for (uint64_t i = 0; i < b->numbers; i++) list[i] = nanp_of(i);
    for (unsigned sorted = 0; sorted < 2; sorted++) {
        struct set_build *build = set_build_new(b->s, ID_PAGES, 0);
        int64_t t0, t1, t2;

        if (sorted) qsort(list, b->numbers, sizeof *list, by_value);
        t0 = cpu_ns();
        for (uint64_t i = 0; i < b->numbers; i++) added += set_build_add_nanp(build, list[i]) == 1;
        t1 = cpu_ns();
        if (set_build_publish(b->s, build, NULL)) abort();
        t2 = cpu_ns();
        printf("{\"bench\":\"build\",\"in\":\"numbers\",\"order\":\"%s\",\"numbers\":%llu,"
               "\"ns_per_add\":%.2f,\"publish_ms\":%.3f}\n",
               sorted ? "sorted" : "random", (unsigned long long)b->numbers,
               (double)(t1 - t0) / (double)b->numbers, (double)(t2 - t1) / 1e6);
    }
    mem_unmap(list, b->numbers * sizeof *list);
    set_usage(b->s, &usage);
    // too few for their exchanges and they are kept as keys
    bytes = usage.pages_entries ? usage.pages_bytes : usage.keys_bytes;
    printf("{\"bench\":\"memory\",\"in\":\"%s\",\"entries\":%llu,\"distinct\":%s,"
           "\"bytes\":%zu,\"bits_per_entry\":%.3f}\n",
           usage.pages_entries ? "pages" : "keys", (unsigned long long)set_count(b->s, ID_PAGES),
           added == 2 * b->numbers ? "true" : "false", bytes,
           8.0 * (double)bytes / (double)b->numbers);
    fflush(stdout);
    b->words_count = bytes / 8;
    b->words = mem_map(bytes);
    memset(b->words, 1, bytes);
}

static struct set_key text_key(const struct bench *b, uint64_t i)
{
    char text[24];

    memcpy(text, &i, sizeof i);
    memcpy(text + 8, "@example.com", 12);
    return set_key_text(b->s, SET_EMAIL, text, 20);
}

static void bench_keys_build(struct bench *b)
{
    struct set_build *build = set_build_new(b->s, ID_KEYS, KEYS);
    int64_t t0 = cpu_ns(), t1, t2;
    struct set_usage usage;

    for (uint64_t i = 0; i < KEYS; i++)
        if (set_build_add(build, text_key(b, i), SET_ALWAYS) != 1) abort();
    t1 = cpu_ns();
    if (set_build_publish(b->s, build, NULL)) abort();
    t2 = cpu_ns();
    set_usage(b->s, &usage);
    printf("{\"bench\":\"build\",\"in\":\"keys\",\"order\":\"random\",\"numbers\":%d,"
           "\"ns_per_add\":%.2f,\"publish_ms\":%.3f}\n",
           KEYS, (double)(t1 - t0) / KEYS, (double)(t2 - t1) / 1e6);
    printf("{\"bench\":\"memory\",\"in\":\"keys\",\"entries\":%llu,\"bytes\":%zu,"
           "\"bytes_per_entry\":%.3f}\n",
           (unsigned long long)usage.keys_entries, usage.keys_bytes,
           (double)usage.keys_bytes / (double)usage.keys_entries);
}

static void bench_keys_mix(struct bench *b, const char *mix, unsigned share_num)
{
    uint64_t want = 0, maybe = 0;
    struct rand r;

    rand_seed(&r, 8);
    for (unsigned i = 0; i < LOOKUPS; i++) {
        bool in = rand_below(&r, 4) < share_num;
        struct set_probe p;

        b->keys[i] = text_key(b, rand_below(&r, KEYS) + (in ? 0 : KEYS));
        want += in;
        set_probe_start(b->s, &p, b->keys[i]);
        set_probe_fetch(b->s, &p);
        maybe += p.bucket && !in;
    }
    if (!share_num)
        printf("{\"bench\":\"filter\",\"false_positive_percent\":%.3f}\n", 100.0 * maybe / LOOKUPS);
    run_lookups(b, "keys", mix, want);
}

static void bench_single_changes(struct bench *b)
{
    struct set_key *keys = malloc(sizeof *keys << 20);
    unsigned count = 1 << 20;
    int64_t t[5];

    for (unsigned i = 0; i < count; i++)
        keys[i] = set_key_device(b->s, 10000000000 + nanp_of(b->numbers * 3 / 2 + i));
    t[0] = cpu_ns();
    for (unsigned i = 0; i < count; i++) set_insert(b->s, ID_PAGES, keys[i], SET_ALWAYS);
    t[1] = cpu_ns();
    for (unsigned i = 0; i < count; i++) set_remove(b->s, ID_PAGES, keys[i]);
    t[2] = cpu_ns();
    for (unsigned i = 0; i < count; i++) set_insert(b->s, ID_KEYS, keys[i], SET_ALWAYS);
    t[3] = cpu_ns();
    for (unsigned i = 0; i < count; i++) set_remove(b->s, ID_KEYS, keys[i]);
    t[4] = cpu_ns();
    printf("{\"bench\":\"change\",\"count\":%u,\"pages_insert_ns\":%.1f,\"pages_remove_ns\":%.1f,"
           "\"keys_insert_ns\":%.1f,\"keys_remove_ns\":%.1f}\n",
           count, (double)(t[1] - t[0]) / count, (double)(t[2] - t[1]) / count,
           (double)(t[3] - t[2]) / count, (double)(t[4] - t[3]) / count);
    free(keys);
}

struct beside {
    struct bench *b;
    _Atomic bool stop;
    double ns;
    uint64_t passes;
};

static void *on_reader(void *ctx)
{
    struct beside *x = ctx;
    struct qsbr_reader *me = qsbr_join(x->b->q);
    uint64_t found = 0;

    qsbr_wake(me);
    while (!x->stop) {
        x->ns += pass_batch(x->b, 32, &found);
        x->passes++;
        qsbr_quiet(me);
    }
    qsbr_leave(me);
    return NULL;
}

// Readers' time while this thread inserts and removes, and while it does nothing.
static void bench_beside(struct bench *b, bool writing)
{
    struct beside x = {.b = b};
    int64_t end = clock_mono_ns() + 1500000000;
    uint64_t changes = 0, n = 0;
    pthread_t t;

    pthread_create(&t, NULL, on_reader, &x);
    while (clock_mono_ns() < end)
        for (unsigned i = 0; i < 1000 && writing; i++, n++, changes += 2) {
            struct set_key key =
                set_key_device(b->s, 10000000000 + nanp_of(b->numbers * 3 / 2 + n));

            set_insert(b->s, n & 1 ? ID_PAGES : ID_KEYS, key, SET_ALWAYS);
            set_remove(b->s, n & 1 ? ID_PAGES : ID_KEYS, key);
        }
    x.stop = true;
    pthread_join(t, NULL);
    printf("{\"bench\":\"beside\",\"writing\":%s,\"batch\":32,\"reader_ns\":%.2f,"
           "\"changes_per_s\":%.0f}\n",
           writing ? "true" : "false", x.ns / (double)x.passes, (double)changes / 1.5);
}

int main(int argc, char **argv)
{
    struct bench b = {.numbers = 10000000};
    struct set_limits limits = {LIMIT_PAGES_BYTES, LIMIT_SET_PLANES};
    struct err_info info;

    if (argc > 1 && !str_to_u64(str_of(argv[1]), &b.numbers)) return 2;
    b.q = qsbr_new();
    b.keys = malloc(sizeof *b.keys * LOOKUPS);
    if (!b.q || !b.keys || set_new(&b.s, 99, &limits, b.q, &info)) return 1;
    for (unsigned id = 0; id < LIMIT_SET_IDS; id++) b.rank[id] = (uint16_t)id;
    bench_build(&b);
    bench_pages_mix(&b, "negative", 0);
    bench_pages_mix(&b, "half", 2);
    bench_pages_mix(&b, "positive", 4);
    bench_keys_build(&b);
    bench_pages_mix(&b, "negative, keys there too", 0);
    mem_unmap(b.words, b.words_count * 8);
    b.words = NULL;
    bench_keys_mix(&b, "negative", 0);
    bench_keys_mix(&b, "half", 2);
    bench_keys_mix(&b, "positive", 4);
    bench_single_changes(&b);
    bench_pages_mix(&b, "half", 2);
    bench_beside(&b, false);
    bench_beside(&b, true);
    set_free(b.s);
    qsbr_free(b.q);
    free(b.keys);
    return 0;
}
