// SPDX-License-Identifier: Apache-2.0
//
// text-bench: the in-process text rate, what batches over HTTP are measured against. JSON records
// in memory become results in memory, on one thread, in turns of 32 as the engine does it: parse,
// key, probe, verdict, text. Prints one JSON line with the whole and its parts.
//
// text-bench [NUMBERS_ON_THE_LIST [SECONDS]]
#include <stdio.h>
#include <stdlib.h>

#include "bench/data/registry.h"
#include "bench/load/draw.h"
#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/limits.h"
#include "engine/set/set.h"
#include "engine/wire/number.h"
#include "engine/wire/record.h"

#define RECORDS      (1 << 20)
#define RECORD_BYTES 24 // {"phone":"2125551234"} and two spaces
#define TURN         32
#define LIST_ID      1
#define NOW_S        1800000000

struct bench {
    struct registry registry;
    struct qsbr *q;
    struct set *set;
    struct record_keys *keys;
    struct number_home home;
    char *text; // RECORDS x RECORD_BYTES
    struct buf out;
    struct buf result[2]; // of what is not listed and of what is, prebuilt as in the engine
    uint16_t rank[LIMIT_SET_IDS];
    uint64_t listed;
};

static void set_fill(struct bench *b)
{
    const struct set_limits limits = {LIMIT_PAGES_BYTES, LIMIT_SET_PLANES};
    CHECK(set_new(&b->set, 1, &limits, b->q, NULL) == 0);
    struct set_build *build = set_build_new(b->set, LIST_ID, b->registry.count);
    CHECK(build != NULL);
    for (uint64_t i = 0; i < b->registry.count; i++) {
        CHECK(set_build_add_nanp(build, registry_at(&b->registry, i)) >= 0);
    }
    CHECK(set_build_publish(b->set, build, NULL) == 0);
}

static void results_init(struct bench *b)
{
    const struct verdict verdict[2] = {verdict_allow(),
                                       verdict_block(REASON_DEVICE_LISTED, STR("national"))};
    for (int i = 0; i < 2; i++) {
        buf_init(&b->result[i], 1024);
        verdict_write_result(&b->result[i], &verdict[i]);
        CHECK(!b->result[i].failed);
    }
}

static void bench_init(struct bench *b, uint64_t count)
{
    struct draw draw = {0};
    CHECK(registry_init(&b->registry, 1, count, REGISTRY_AREAS_DEFAULT));
    CHECK(number_start() == 0 && number_home_init(&b->home, STR("US"), NULL) == 0);
    b->q = qsbr_new();
    CHECK(b->q != NULL);
    set_fill(b);
    b->keys = record_keys_new(FIELD_COUNT);
    b->text = malloc((size_t)RECORDS * RECORD_BYTES + 1);
    CHECK(b->keys != NULL && b->text != NULL);
    CHECK(draw_init(&draw, &b->registry, RECORDS, 10, 1) == 0);
    for (unsigned i = 0; i < RECORDS; i++) {
        snprintf(b->text + (size_t)i * RECORD_BYTES, RECORD_BYTES + 1, "{\"phone\":\"%.10s\"}  ",
                 draw.pool[i].digits);
    }
    draw_done(&draw);
    for (unsigned id = 0; id < LIMIT_SET_IDS; id++) b->rank[id] = id == LIST_ID ? 0 : SET_NO_RANK;
    buf_init(&b->out, 1 << 20);
    results_init(b);
}

static uint64_t device_of(const struct bench *b, unsigned index)
{
    static struct record record;
    enum reason reason;
    uint64_t device = 0;
    struct str text = str_make(b->text + (size_t)index * RECORD_BYTES, RECORD_BYTES);
    CHECK(record_parse(&record, text, b->keys, &reason));
    CHECK(number_parse(record_phone(&record), &b->home, &device) == NUMBER_OK);
    return device;
}

static void turn(struct bench *b, unsigned first)
{
    struct set_probe probe[TURN];
    struct set_hit hit;
    for (unsigned i = 0; i < TURN; i++) {
        set_probe_start(b->set, &probe[i], set_key_device(b->set, device_of(b, first + i)));
    }
    for (unsigned i = 0; i < TURN; i++) set_probe_fetch(b->set, &probe[i]);
    buf_reset(&b->out);
    for (unsigned i = 0; i < TURN; i++) {
        bool listed = set_probe_best(b->set, &probe[i], b->rank, NOW_S, &hit) != SET_NO_RANK;
        buf_str(&b->out, buf_view(&b->result[listed]));
        b->listed += listed;
    }
}

static void parse_only(struct bench *b, unsigned first)
{
    for (unsigned i = 0; i < TURN; i++) b->listed += device_of(b, first + i) & 1;
}

// Nanoseconds a record.
static double measure(struct bench *b, void (*fn)(struct bench *b, unsigned first), double seconds)
{
    int64_t begin_ns = clock_mono_ns(), end_ns = begin_ns + (int64_t)(seconds * 1e9), now_ns;
    uint64_t count = 0;
    do {
        unsigned first = (unsigned)(count % RECORDS);
        for (unsigned i = 0; i < 64; i++) fn(b, (first + i * TURN) % RECORDS);
        count += 64 * TURN;
    } while ((now_ns = clock_mono_ns()) < end_ns);
    return (double)(now_ns - begin_ns) / (double)count;
}

int main(int argc, char **argv)
{
    static struct bench b;
    uint64_t count = 10000000, seconds = 1;
    if ((argc > 1 && !str_to_u64(str_of(argv[1]), &count)) ||
        (argc > 2 && !str_to_u64(str_of(argv[2]), &seconds))) {
        fputs("text-bench [NUMBERS_ON_THE_LIST [SECONDS]]\n", stderr);
        return 2;
    }
    bench_init(&b, count);
    double parse_ns = measure(&b, parse_only, (double)seconds);
    double whole_ns = measure(&b, turn, (double)seconds);
    printf("{\"bench\":\"text\",\"count\":%lu,\"parse_ns\":%.1f,\"whole_ns\":%.1f,"
           "\"records_per_s\":%.0f}\n",
           count, parse_ns, whole_ns, 1e9 / whole_ns);
    record_keys_free(b.keys);
    buf_done(&b.out);
    for (int i = 0; i < 2; i++) buf_done(&b.result[i]);
    free(b.text);
    set_free(b.set);
    qsbr_free(b.q);
    return 0;
}
