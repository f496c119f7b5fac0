// SPDX-License-Identifier: Apache-2.0
//
// decide_bench: a whole decision without its HTTP: from the record's text to the verdict, with the
// US packs enforced, four attempt rules and two custom expressions, over a ledger of many attempts,
// an "allow" reserving its attempt.
//
//   decide_bench [--quick] [WHAT [ROUNDS]]   everything, or one of them, or that many turns of it
//                                            (what `valgrind --tool=callgrind` wants); one JSON
//                                            object a line; --quick: 1 M attempts, else 50 M
//
// Times are CPU time of the thread, the best of nine; `allocations` are those of all nine. Turns
// of 16 questions, as a busy worker has them, and of one. `warm`: contacts of which all is in the
// caches; `spread`: over the whole ledger. Numbers of ten states, the record's state and postal
// code beside each. The clock goes three seconds further each time round the records, so that every
// reservation is a new one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/check.h"
#include "engine/base/limits.h"
#include "engine/base/rand.h"
#include "engine/core/decide.h"

#define NOW_S          1795453200 // 2026-11-23T17:00:00Z, a Monday
#define TRIES          9
#define TRY_NS         50000000
#define TURN_MAX       16
#define WARM           256
#define SPREAD         (1 << 18)
#define ATTEMPTS_EACH  3 // of a device, on average
#define ATTEMPTS_QUICK 1000000
#define TEXT_SIZE      384
#define STEP_S         3 // longer than a reservation of 1s

static const char document[] =
    "{\"version\":\"bench\",\"packs\":[\"us-federal\",\"us-states\"],"
    "\"tenant\":{\"unverified_rules\":\"enforce\",\"purpose\":\"solicitation\","
    "\"dialing\":\"manual\",\"reserve\":\"1s\"},"
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

// It is noon or late in the morning there.
static const struct {
    unsigned area;
    const char *state, *postal;
} homes[] = {{212, "NY", "10001"}, {312, "IL", "60601"}, {713, "TX", "77002"}, {404, "GA", "30303"},
             {617, "MA", "02108"}, {305, "FL", "33130"}, {214, "TX", "75201"}, {215, "PA", "19107"},
             {704, "NC", "28202"}, {612, "MN", "55401"}};

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
    uint64_t attempts;
    struct decider decider;
    char (*text)[TEXT_SIZE];
    struct str record_text[SPREAD];
    struct record record;
    struct question question[TURN_MAX];
    unsigned turn, records, at;
    uint64_t sum, allowed, asked;
};

// -- allocations ---------------------------------------------------------------------------------
// The linker gives every call here (--wrap).

static uint64_t allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

// -- making it -----------------------------------------------------------------------------------

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static uint64_t device_of(uint64_t n)
{
    return 10000000000 + homes[n % COUNT_OF(homes)].area * 10000000ull + 2000000 +
           n / COUNT_OF(homes) * 7 % 7999999;
}

static uint64_t device_count(const struct bench *b)
{
    return b->attempts / ATTEMPTS_EACH;
}

static void init_records(struct bench *b)
{
    struct rand rand;

    rand_seed(&rand, 1);
    b->text = malloc(sizeof *b->text * SPREAD);
    CHECK(b->text);
    for (unsigned i = 0; i < SPREAD; i++) {
        uint64_t n = rand_below(&rand, device_count(b));
        int size = snprintf(b->text[i], TEXT_SIZE,
                            "{\"GSW_PHONE\":\"%llu\",\"GSW_CUSTOMER_ID\":\"c%llu\","
                            "\"GSW_CAMPAIGN_GROUP_NAME\":\"Spring@Agents\","
                            "\"GSW_CALL_ATTEMPT_GUID\":\"01AJ7BMDBGANF1AABGHAHG5A%08X\","
                            "\"GSW_POSTAL_CODE\":\"%s\",\"GSW_STATE_CODE\":\"%s\","
                            "\"balance\":\"250\",\"tier\":\"gold\",\"line_type\":\"landline\"}",
                            (unsigned long long)device_of(n) - 10000000000, (unsigned long long)n,
                            i, homes[n % COUNT_OF(homes)].postal, homes[n % COUNT_OF(homes)].state);

        CHECK(size > 0 && size < TEXT_SIZE);
        b->record_text[i] = str_make(b->text[i], (size_t)size);
    }
}

static void init_ledger(struct bench *b)
{
    const struct ledger_limits limits = {LIMIT_ATTEMPTS, LIMIT_RESERVATIONS};
    struct rand rand;

    CHECK(ledger_new(&b->ledger, &limits, b->qsbr, NULL) == 0);
    ledger_set_since(b->ledger, 0);
    rand_seed(&rand, 2);
    for (uint64_t i = 0; i < b->attempts; i++) {
        uint64_t n = rand_below(&rand, device_count(b));
        char id[32];
        int size = snprintf(id, sizeof id, "c%llu", (unsigned long long)n);
        struct ledger_asker who = question_asker(
            b->ruled, 0, set_key_device(b->set, device_of(n)).hash,
            set_key_text(b->set, SET_CLIENT, id, (size_t)size).hash, STR("Spring@Agents"), STR(""));
        struct attempt a = {.device = who.device,
                            .client = who.client,
                            .group = who.group,
                            .guid = ledger_key(i, 1), // spread, as every key
                            .start_s = NOW_S - 20 * 86400 + (int64_t)(i * 19 * 86400 / b->attempts),
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

// -- what is measured ----------------------------------------------------------------------------

static void parse(struct bench *b, unsigned i)
{
    enum reason reason;

    CHECK(record_parse(&b->record, b->record_text[(b->at + i) % b->records], b->book->v1_keys,
                       &reason));
}

// One turn, as a worker does it.
static void decide_turn(struct bench *b, const struct view *view, bool reserves)
{
    const struct question_frame frame = {
        .channel = CHANNEL_VOICE, .now_s = (uint32_t)b->decider.wall_s, .reserves = reserves};
    bool more = view->ruled;

    for (unsigned i = 0; i < b->turn; i++) {
        parse(b, i);
        question_from_record(&b->question[i], &b->record, &frame, view, b->set);
    }
    for (unsigned i = 0; i < b->turn; i++) decide_fetch(&b->decider, &b->question[i]);
    for (unsigned round = 0; more && round < LEDGER_AHEAD; round++) {
        more = false;
        for (unsigned i = 0; i < b->turn; i++)
            more |= decide_fetch_chains(&b->decider, &b->question[i]);
    }
    for (unsigned i = 0; i < b->turn; i++) {
        int rule;
        struct verdict v = decide(&b->decider, view, &b->question[i], &rule);

        b->allowed += v.type == VERDICT_NONE;
        b->sum += (uint64_t)rule;
    }
}

static void run_nothing(struct bench *b)
{
    for (unsigned i = 0; i < b->turn; i++)
        b->sum += (uint8_t)b->record_text[(b->at + i) % b->records].ptr[0];
}

static void run_parse(struct bench *b)
{
    for (unsigned i = 0; i < b->turn; i++) {
        parse(b, i);
        b->sum += b->record.present;
    }
}

static void run_lists(struct bench *b)
{
    decide_turn(b, b->bare, true);
}

static void run_rules(struct bench *b)
{
    decide_turn(b, b->ruled, false);
}

static void run_decision(struct bench *b)
{
    decide_turn(b, b->ruled, true);
}

// `lists` and `rules`: the decision without rules, and with rules but without reserving.
static const struct {
    const char *name;
    void (*run)(struct bench *b);
} benches[] = {{"nothing", run_nothing},
               {"parse", run_parse},
               {"lists", run_lists},
               {"rules", run_rules},
               {"decision", run_decision}};

static void turn(struct bench *b, unsigned which)
{
    benches[which].run(b);
    b->asked += b->turn;
    b->at += b->turn;
    if (b->at < b->records) return;
    b->at = 0;
    b->decider.wall_s += STEP_S;
}

static double best_ns(struct bench *b, unsigned which)
{
    double best = 1e9;

    b->decider.wall_s = NOW_S;
    for (b->at = 0; b->decider.wall_s == NOW_S;) turn(b, which); // once round to warm up
    b->allowed = b->asked = allocations = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        int64_t begin_ns = cpu_ns(), now_ns;
        uint64_t asked = b->asked;
        double each_ns;

        do {
            for (unsigned n = 0; n < 256; n += b->turn) turn(b, which);
            now_ns = cpu_ns();
        } while (now_ns - begin_ns < TRY_NS);
        each_ns = (double)(now_ns - begin_ns) / (double)(b->asked - asked);
        if (each_ns < best) best = each_ns;
    }
    return best;
}

static void measure(struct bench *b, unsigned which)
{
    for (unsigned spread = 0; spread < 2; spread++)
        for (b->turn = 1; b->turn <= TURN_MAX; b->turn *= TURN_MAX) {
            double ns;

            b->records = spread ? SPREAD : WARM;
            ns = best_ns(b, which);
            printf("{\"bench\":\"decide\",\"what\":\"%s\",\"rules\":%u,\"attempts\":%llu,"
                   "\"contacts\":\"%s\",\"turn\":%u,\"ns\":%.1f,\"allowed\":%.3f,"
                   "\"allocations\":%llu}\n",
                   benches[which].name, b->book->tenant[0].plan[0]->op_count,
                   (unsigned long long)b->attempts, spread ? "spread" : "warm", b->turn, ns,
                   (double)b->allowed / (double)b->asked, (unsigned long long)allocations);
            fflush(stdout);
        }
}

int main(int argc, char **argv)
{
    static struct bench b = {.attempts = LIMIT_ATTEMPTS, .turn = TURN_MAX, .records = WARM};
    uint64_t rounds = 0;
    bool found = false;

    if (argc > 1 && strcmp(argv[1], "--quick") == 0) {
        b.attempts = ATTEMPTS_QUICK;
        argc--, argv++;
    }
    if (argc > 3 || (argc > 2 && !str_to_u64(str_of(argv[2]), &rounds))) {
        fputs("decide_bench [--quick] [WHAT [ROUNDS]]\n", stderr);
        return 2;
    }
    init(&b);
    CHECK(allocations > 0); // they are seen
    for (unsigned i = 0; i < COUNT_OF(benches); i++) {
        if (argc > 1 && strcmp(argv[1], benches[i].name) != 0) continue;
        found = true;
        if (!rounds) measure(&b, i);
        for (uint64_t r = 0; r < rounds; r++) turn(&b, i);
    }
    if (!found) fputs("decide_bench: no such measurement\n", stderr);
    return found ? 0 : 2;
}
