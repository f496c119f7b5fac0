// SPDX-License-Identifier: Apache-2.0
//
// decide_bench: what rules add to a decision: from the parsed record to the verdict, with the US
// packs enforced, four attempt rules and two custom expressions, over a ledger with reports.
//
//   decide_bench [NAME [ROUNDS]]   everything, or one of them, or it that many times (what
//                                  `valgrind --tool=callgrind` wants); one JSON object a line,
//                                  times are CPU time of the thread, the best of nine
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/check.h"
#include "engine/base/rand.h"
#include "engine/core/decide.h"

#define NOW_S     1795453200 // 2026-11-23T17:00:00Z
#define TRIES     9
#define TRY_NS    50000000
#define TURN      32
#define RECORDS   4096
#define DEVICES   1000000
#define ATTEMPTS  3000000
#define TEXT_SIZE 512

static const char document[] =
    "{\"version\":\"bench\",\"packs\":[\"us-federal\",\"us-states\"],"
    "\"tenant\":{\"unverified_rules\":\"enforce\",\"purpose\":\"solicitation\","
    "\"dialing\":\"manual\"},"
    "\"rules\":["
    "{\"name\":\"a\",\"type\":\"attempts\",\"required\":true,\"max\":50,\"period\":\"7d\"},"
    "{\"name\":\"b\",\"type\":\"attempts\",\"required\":true,\"max\":40,\"period\":\"today\"},"
    "{\"name\":\"c\",\"type\":\"attempts\",\"required\":true,\"max\":60,\"period\":\"7d\","
    "\"count_by\":\"client\"},"
    "{\"name\":\"d\",\"type\":\"attempts\",\"required\":true,\"max\":30,\"period\":\"24h\","
    "\"scope\":\"group\"},"
    "{\"name\":\"e\",\"type\":\"custom\",\"required\":true,"
    "\"block_if\":\"$balance < 10 and $GSW_STATE_CODE in [\\\"ZZ\\\", \\\"YY\\\"]\"},"
    "{\"name\":\"f\",\"type\":\"custom\",\"required\":true,"
    "\"block_if\":\"AttemptsOnDevice(24H, [Answer, Busy]) > 20 or $tier == \\\"none\\\"\"}]}";

struct bench {
    struct tenants tenants;
    struct qsbr *qsbr;
    struct set *set;
    struct catalog *catalog;
    struct atlas *atlas;
    struct tally tally;
    struct rulebook *bare_book, *book;
    struct view *bare, *ruled;
    struct ledger *ledger;
    struct decider decider;
    struct record record[RECORDS];
    char text[RECORDS][TEXT_SIZE];
    struct question question[TURN];
    unsigned at;
    uint64_t sum, allowed, asked;
};

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// Areas where it is noon or later on a Monday; every fourth has a state beside it.
static uint64_t device_of(uint64_t n)
{
    static const unsigned areas[] = {212, 312, 713, 404, 617, 305, 214, 215, 704, 612};

    return 10000000000 + areas[n % 10] * 10000000ull + 2000000 + n / 10 % 1000000 * 7 % 7999999;
}

static void init_records(struct bench *b)
{
    struct rand rand;

    rand_seed(&rand, 1);
    for (unsigned i = 0; i < RECORDS; i++) {
        uint64_t n = rand_below(&rand, DEVICES);
        enum reason reason;

        snprintf(b->text[i], TEXT_SIZE,
                 "{\"GSW_PHONE\":\"%llu\",\"GSW_CUSTOMER_ID\":\"c%llu\","
                 "\"GSW_CAMPAIGN_GROUP_NAME\":\"Spring@Agents\",\"GSW_CALL_ATTEMPT_GUID\":\"g%u\","
                 "\"GSW_POSTAL_CODE\":\"10001\",\"GSW_STATE_CODE\":\"NY\",\"balance\":\"250\","
                 "\"tier\":\"gold\",\"GSW_PHONE_TYPE\":\"1\",\"line_type\":\"landline\"}",
                 (unsigned long long)device_of(n) - 10000000000, (unsigned long long)n, i);
        CHECK(record_parse(&b->record[i], str_of(b->text[i]), b->book->v1_keys, &reason));
    }
}

static void init_ledger(struct bench *b)
{
    const struct ledger_limits limits = {ATTEMPTS * 2, 1 << 20};
    struct rand rand;

    CHECK(ledger_new(&b->ledger, &limits, b->qsbr, NULL) == 0);
    ledger_set_since(b->ledger, 0);
    rand_seed(&rand, 2);
    for (uint64_t i = 0; i < ATTEMPTS; i++) {
        uint64_t n = rand_below(&rand, DEVICES);
        char id[32];
        int size = snprintf(id, sizeof id, "c%llu", (unsigned long long)n);
        struct ledger_asker who = question_asker(
            b->ruled, 0, set_key_device(b->set, device_of(n)).hash,
            set_key_text(b->set, SET_CLIENT, id, (size_t)size).hash, STR("Spring@Agents"), STR(""));
        struct attempt a = {.device = who.device,
                            .client = who.client,
                            .group = who.group,
                            .guid = ledger_key(i, 1), // spread, as every key
                            .start_s = NOW_S - 20 * 86400 + (int64_t)(i * 19 * 86400 / ATTEMPTS),
                            .result = 9,
                            .ended = true};

        CHECK(ledger_apply(b->ledger, &a) >= 0);
    }
}

static bool has_list(void *ctx, struct str name)
{
    (void)ctx;
    (void)name;
    return true;
}

static void add_list(struct bench *b, const char *name)
{
    struct list *l = &b->catalog->list[b->catalog->count];

    *l = (struct list){.number = (uint16_t)b->catalog->count++,
                       .kind = SET_DEVICE,
                       .channel = CHANNEL_ANY,
                       .state = LIST_READY,
                       .obtained_at_s = NOW_S};
    snprintf(l->tenant, sizeof l->tenant, "default");
    snprintf(l->name, sizeof l->name, "%s", name);
    CHECK(set_insert(b->set, list_id_added(l->number), set_key_device(b->set, 12125550100),
                     SET_ALWAYS) == 1);
}

static struct rulebook *book_of(struct bench *b, bool ruled)
{
    struct ruleset *sets[LIMIT_TENANTS + 1] = {NULL};
    struct ruleset_errors *errors = calloc(1, sizeof *errors);
    struct err_info info = {0};
    struct rulebook *book = NULL;

    if (ruled && ruleset_parse(&sets[0], str_of(document), b->atlas->places, b->atlas->packs,
                               has_list, NULL, errors))
        fprintf(stderr, "%s: %s\n", errors->error[0].pointer, errors->error[0].text);
    CHECK(!ruled || sets[0]);
    CHECK(rulebook_new(&book, &b->tenants, sets, b->atlas, &b->tally, &info) == 0);
    if (sets[0]) ruleset_unref(sets[0]);
    free(errors);
    return book;
}

static void init(struct bench *b)
{
    static char *argv[] = {"decide_bench"};
    const struct set_limits limits = {.pages_bytes = (size_t)1 << 30, .planes_max = 16};
    const struct view_settings settings = {.ocs_body = OCS_BODY_FULL};
    struct conf conf;

    CHECK(number_start() == 0);
    CHECK(conf_load(&conf, 1, argv, NULL) == 0);
    CHECK(tenant_table_init(&b->tenants, &conf, NULL) == 0);
    conf_done(&conf);
    b->qsbr = qsbr_new();
    CHECK(b->qsbr && set_new(&b->set, 1, &limits, b->qsbr, NULL) == 0);
    CHECK(atlas_load(&b->atlas, ZONES_DEFAULT, NULL, NULL) == 0);
    b->catalog = calloc(1, sizeof *b->catalog + 8 * sizeof(struct list));
    CHECK(b->catalog);
    add_list(b, "national");
    add_list(b, "internal");
    tally_init(&b->tally);
    b->bare_book = book_of(b, false);
    b->book = book_of(b, true);
    b->bare = view_new(&b->tenants, b->catalog, b->bare_book, &settings, 1);
    b->ruled = view_new(&b->tenants, b->catalog, b->book, &settings, 1);
    CHECK(b->bare && b->ruled);
    init_ledger(b);
    init_records(b);
    b->decider = (struct decider){.set = b->set,
                                  .ledger = b->ledger,
                                  .clock = calloc(1, sizeof(struct zone_clock)),
                                  .tally = tally_row_new(&b->tally),
                                  .wall_s = NOW_S,
                                  .settled_s = UINT32_MAX};
    CHECK(b->decider.clock && b->decider.tally);
}

// One turn of TURN questions, as a worker does it.
static void run(struct bench *b, const struct view *view, bool reserves)
{
    const struct question_frame frame = {
        .channel = CHANNEL_VOICE, .now_s = NOW_S, .reserves = reserves};
    bool more = view->ruled;

    for (unsigned i = 0; i < TURN; i++)
        question_from_record(&b->question[i], &b->record[(b->at + i) % RECORDS], &frame, view,
                             b->set);
    for (unsigned i = 0; i < TURN; i++) decide_fetch(&b->decider, &b->question[i]);
    for (unsigned round = 0; more && round < LEDGER_AHEAD; round++) {
        more = false;
        for (unsigned i = 0; i < TURN; i++)
            more |= decide_fetch_chains(&b->decider, &b->question[i]);
    }
    for (unsigned i = 0; i < TURN; i++) {
        int rule;
        struct verdict v = decide(&b->decider, view, &b->question[i], &rule);

        b->allowed += v.type == VERDICT_NONE;
        b->sum += (uint64_t)rule;
    }
    b->asked += TURN;
    b->at += TURN;
}

static void run_lists(struct bench *b)
{
    run(b, b->bare, false);
}

static void run_rules(struct bench *b)
{
    run(b, b->ruled, false);
}

static void run_reserving(struct bench *b)
{
    run(b, b->ruled, true);
}

static const struct {
    const char *name;
    void (*run)(struct bench *b);
} benches[] = {{"lists", run_lists}, {"rules", run_rules}, {"rules_reserving", run_reserving}};

static void measure(struct bench *b, unsigned which)
{
    double best_ns = 1e9;

    b->allowed = b->asked = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        int64_t begin_ns = cpu_ns(), now_ns;
        uint64_t count = 0;
        double each_ns;

        do {
            benches[which].run(b);
            count += TURN;
            now_ns = cpu_ns();
        } while (now_ns - begin_ns < TRY_NS);
        each_ns = (double)(now_ns - begin_ns) / (double)count;
        if (each_ns < best_ns) best_ns = each_ns;
    }
    printf("{\"bench\":\"decide\",\"what\":\"%s\",\"rules\":%u,\"ns\":%.1f,\"allowed\":%.3f}\n",
           benches[which].name, which ? b->book->tenant[0].plan[0]->op_count : 0, best_ns,
           (double)b->allowed / (double)b->asked);
}

int main(int argc, char **argv)
{
    static struct bench b;
    uint64_t rounds = 0;
    bool found = false;

    if (argc > 3 || (argc > 2 && !str_to_u64(str_of(argv[2]), &rounds))) {
        fputs("decide_bench [NAME [ROUNDS]]\n", stderr);
        return 2;
    }
    init(&b);
    for (unsigned i = 0; i < COUNT_OF(benches); i++) {
        if (argc > 1 && strcmp(argv[1], benches[i].name) != 0) continue;
        found = true;
        if (!rounds) measure(&b, i);
        for (uint64_t r = 0; r < rounds; r++) benches[i].run(&b);
    }
    return found ? 0 : 1;
}
