// SPDX-License-Identifier: Apache-2.0
//
// wire_bench: what reading a request and writing its answer cost, piece by piece.
//
//   wire_bench [NAME [ROUNDS]]     everything, or one of them, or it that many times (what
//                                  `valgrind --tool=callgrind` wants); one JSON object a line,
//                                  times are CPU time of the thread, the best of nine
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/data/bodies.h"
#include "engine/base/check.h"
#include "engine/core/decide.h"
#include "engine/net/http1.h"

#define NOW_S         1800000000
#define TRIES         9
#define TRY_NS        20000000
#define BATCH_RECORDS 1024
#define TURN          32
#define OUT_BYTES     32768

static const char head_text[] = "POST /ocs/validate HTTP/1.1\r\n"
                                "Host: compliance.example:8443\r\n"
                                "User-Agent: OCServer/8.1.5\r\n"
                                "Accept: */*\r\n"
                                "Content-Type: application/json; charset=utf-8\r\n"
                                "Content-Length: 483\r\n"
                                "Connection: keep-alive\r\n"
                                "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n"
                                "X-Request-Id: 01AJ7BMDBGANF1AABGHAHG5A\r\n\r\n";

struct bench {
    struct buf small, full, batch;
    struct tally tally;
    struct rulebook *book;
    struct record_keys *ocs_keys, *v1_keys; // the book's
    struct record record;
    struct tenants tenants;
    struct qsbr *qsbr;
    struct set *set;
    struct catalog *catalog;
    struct view *view;
    struct verdict allowed, blocked;
    struct question question[TURN];
    char out[OUT_BYTES];
    uint64_t sum; // of everything, so that nothing is left out
};

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void init_bodies(struct bench *b)
{
    struct body_slots slots;

    buf_init(&b->small, 4096);
    buf_init(&b->full, 4096);
    buf_init(&b->batch, BATCH_RECORDS * 64);
    body_write(&b->small, BODY_SMALL, &slots);
    memcpy(b->small.ptr + slots.phone_at, "2125551234", 10);
    body_write(&b->full, BODY_FULL, &slots);
    memcpy(b->full.ptr + slots.phone_at, "2125551234", 10);
    buf_lit(&b->batch, "{\"records\":[");
    for (unsigned i = 0; i < BATCH_RECORDS; i++)
        buf_printf(&b->batch, "%s{\"phone\":\"212555%04u\"}", i ? "," : "", i * 7 % 10000);
    buf_lit(&b->batch, "]}");
    CHECK(!b->batch.failed);
}

static void init(struct bench *b)
{
    static char *argv[] = {"wire_bench"};
    const struct set_limits limits = {.pages_bytes = (size_t)1 << 30, .planes_max = 16};
    const struct view_settings settings = {.ocs_body = OCS_BODY_FULL};
    struct ruleset *none[LIMIT_TENANTS + 1] = {NULL};
    struct conf conf;

    init_bodies(b);
    CHECK(number_start() == 0);
    CHECK(conf_load(&conf, 1, argv, NULL) == 0);
    CHECK(tenant_table_init(&b->tenants, &conf, NULL) == 0);
    conf_done(&conf);
    tally_init(&b->tally);
    CHECK(rulebook_new(&b->book, &b->tenants, none, NULL, &b->tally, NULL) == 0);
    b->ocs_keys = b->book->ocs_keys;
    b->v1_keys = b->book->v1_keys;
    b->qsbr = qsbr_new();
    CHECK(b->qsbr && set_new(&b->set, 1, &limits, b->qsbr, NULL) == 0);
    b->catalog = calloc(1, sizeof *b->catalog + sizeof(struct list));
    CHECK(b->catalog);
    b->catalog->count = 1;
    b->catalog->list[0] = (struct list){.kind = SET_DEVICE, .channel = CHANNEL_ANY};
    snprintf(b->catalog->list[0].tenant, sizeof b->catalog->list[0].tenant, "default");
    snprintf(b->catalog->list[0].name, sizeof b->catalog->list[0].name, "national");
    for (uint64_t i = 0; i < 10000; i += 10)
        CHECK(set_insert(b->set, list_id_added(0), set_key_device(b->set, 12125550000 + i),
                         SET_ALWAYS) == 1);
    b->view = view_new(&b->tenants, b->catalog, b->book, &settings, 1);
    CHECK(b->view != NULL);
    b->allowed = verdict_allow();
    b->blocked = verdict_block(REASON_DEVICE_LISTED, STR("national"));
}

static void done(struct bench *b)
{
    view_free(b->view);
    free(b->catalog);
    set_free(b->set);
    qsbr_free(b->qsbr);
    rulebook_unref(b->book);
    tally_done(&b->tally);
    buf_done(&b->small);
    buf_done(&b->full);
    buf_done(&b->batch);
}

// Each runs once and says how many of its thing that was.
static unsigned run_head(struct bench *b)
{
    struct http1_head head;

    CHECK(http1_parse_head(str_make(head_text, sizeof head_text - 1), &head) > 0);
    b->sum += head.length_bytes;
    return 1;
}

static unsigned parse(struct bench *b, struct str text, const struct record_keys *keys)
{
    enum reason reason;

    CHECK(record_parse(&b->record, text, keys, &reason));
    b->sum += record_phone(&b->record).size;
    return 1;
}

static unsigned run_small(struct bench *b)
{
    return parse(b, buf_view(&b->small), b->ocs_keys);
}

static unsigned run_full(struct bench *b)
{
    return parse(b, buf_view(&b->full), b->ocs_keys);
}

static unsigned run_v1(struct bench *b)
{
    return parse(b, STR("{\"phone\":\"2125551234\"}"), b->v1_keys);
}

static unsigned run_number(struct bench *b)
{
    uint64_t device = 0;

    CHECK(number_parse(STR("2125551234"), &b->tenants.tenant[0].home, &device) == NUMBER_OK);
    b->sum += device;
    return 1;
}

static unsigned run_question(struct bench *b)
{
    const struct question_frame frame = {.channel = CHANNEL_VOICE, .now_s = NOW_S};

    question_from_record(&b->question[0], &b->record, &frame, b->view, b->set);
    b->sum += b->question[0].probe[0].line;
    return 1;
}

static unsigned write_result(struct bench *b, const struct verdict *v)
{
    struct buf out;

    buf_wrap(&out, b->out, sizeof b->out);
    verdict_write_result(&out, v);
    b->sum += out.size_bytes;
    return 1;
}

static unsigned run_allow(struct bench *b)
{
    return write_result(b, &b->allowed);
}

static unsigned run_block(struct bench *b)
{
    return write_result(b, &b->blocked);
}

// The first look at a batch: is it well-formed, and where are its records?
static unsigned run_walk(struct bench *b)
{
    struct json j = json_start(buf_view(&b->batch), LIMIT_RECORD_DEPTH + 2);
    struct json_value key, value;

    CHECK(json_enter(&j) == JSON_OBJECT);
    while (json_member(&j, &key, &value)) b->sum += value.text.size;
    CHECK(json_end(&j));
    return BATCH_RECORDS;
}

static const struct {
    const char *name;
    unsigned (*run)(struct bench *b);
} benches[] = {
    {"http1_head", run_head},    {"record_small", run_small}, {"record_full", run_full},
    {"record_v1", run_v1},       {"number", run_number},      {"question", run_question},
    {"result_allow", run_allow}, {"result_block", run_block}, {"batch_walk", run_walk},
};

static void measure(struct bench *b, unsigned which)
{
    double best_ns = 1e9;

    for (unsigned i = 0; i < TRIES; i++) {
        int64_t begin_ns = cpu_ns(), now_ns;
        uint64_t count = 0;
        double each_ns;

        do {
            for (unsigned k = 0; k < 256; k++) count += benches[which].run(b);
            now_ns = cpu_ns();
        } while (now_ns - begin_ns < TRY_NS);
        each_ns = (double)(now_ns - begin_ns) / (double)count;
        if (each_ns < best_ns) best_ns = each_ns;
    }
    printf("{\"bench\":\"wire\",\"what\":\"%s\",\"ns\":%.1f}\n", benches[which].name, best_ns);
}

int main(int argc, char **argv)
{
    static struct bench b;
    uint64_t rounds = 0;
    bool found = false;

    if (argc > 3 || (argc > 2 && !str_to_u64(str_of(argv[2]), &rounds))) {
        fputs("wire_bench [NAME [ROUNDS]]\n", stderr);
        return 2;
    }
    init(&b);
    run_v1(&b);
    for (unsigned i = 0; i < COUNT_OF(benches); i++) {
        if (argc > 1 && strcmp(argv[1], benches[i].name) != 0) continue;
        found = true;
        if (!rounds) measure(&b, i);
        for (uint64_t r = 0; r < rounds; r++) benches[i].run(&b);
    }
    done(&b);
    return found && b.sum ? 0 : 1;
}
