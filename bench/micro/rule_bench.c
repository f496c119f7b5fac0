// SPDX-License-Identifier: Apache-2.0
//
// rule_bench: what rules cost a decision, with the packs of the US and Canada, four attempts rules
// and two custom expressions of a tenant's own, all of them looked at.
//
//   rule_bench [WHAT [CONTACT [ROUNDS]]]   everything, or one of them, or it that many times (what
//                                          `valgrind --tool=callgrind` wants); one JSON object a
//                                          line, times are CPU time of the thread, the best of nine
//
// The clock stands still within a measurement, as it does for all of a turn. Records are read
// beforehand (wire_bench says what that costs); 64 take turns. Attempts are in a ledger, in the
// caches: ledger_bench says what they cost when they are not.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/ledger/ledger.h"
#include "engine/rule/judge.h"
#include "engine/wire/number.h"

#define TRIES    9
#define TRY_NS   20000000
#define RECORDS  64
#define ATTEMPTS 4                      // of each device
#define NOON     "2026-11-18T18:00:00Z" // a Wednesday, 13:00 in New York

static const char document[] =
    "{\"version\":\"1\",\"tenant\":{\"default_country\":\"US\",\"unverified_rules\":\"%s\","
    "\"purpose\":\"solicitation\",\"dialing\":\"manual\"},"
    "\"packs\":[\"us-federal\",\"us-states\",\"canada\"],"
    "\"rules\":["
    "{\"name\":\"seven in seven\",\"type\":\"attempts\",\"required\":true,\"max\":7,"
    "\"period\":\"7d\"},"
    "{\"name\":\"ten in thirty\",\"type\":\"attempts\",\"required\":true,\"max\":10,"
    "\"period\":\"30d\",\"count_by\":\"client\"},"
    "{\"name\":\"five today\",\"type\":\"attempts\",\"required\":true,\"max\":5,"
    "\"period\":\"today\",\"count_by\":\"both\"},"
    "{\"name\":\"nine in three days\",\"type\":\"attempts\",\"required\":true,\"max\":9,"
    "\"period\":\"3cd\",\"scope\":\"group\"},"
    "{\"name\":\"second try in California\",\"type\":\"custom\",\"required\":true,\"block_if\":"
    "\"$GSW_STATE_CODE == 'CA' and AttemptsOnDevice(24H, [Answer, Abandoned]) > 1\"},"
    "{\"name\":\"small debts\",\"type\":\"custom\",\"required\":true,\"block_if\":"
    "\"not ($balance >= 5 or $segment in ['gold', 'silver']) or AttemptsOnContact(90M) > 3\"}]}";

// Where its contacts are: one state, two that disagree, or an area code nobody knows.
static const struct {
    const char *name, *record;
} contacts[] = {
    {"state", "{\"GSW_PHONE\":\"2125550%03u\",\"GSW_STATE_CODE\":\"NY\",\"GSW_POSTAL_CODE\":"
              "\"10001\",\"GSW_TZ_NAME\":\"America/New_York\",\"line_type\":\"landline\","
              "\"balance\":120.50,\"segment\":\"gold\",\"GSW_PHONE_TYPE\":\"1\"}"},
    {"two", "{\"GSW_PHONE\":\"3055550%03u\",\"GSW_STATE_CODE\":\"CA\",\"GSW_POSTAL_CODE\":"
            "\"90001\",\"line_type\":\"landline\",\"balance\":7,\"segment\":\"lead\"}"},
    {"unknown", "{\"GSW_PHONE\":\"8005550%03u\",\"line_type\":\"landline\",\"balance\":7,"
                "\"segment\":\"lead\"}"},
};
#define CONTACTS COUNT_OF(contacts)

struct bench {
    struct zones *zones;
    struct places *places;
    struct packs *packs;
    struct record_keys *keys;
    struct ruleset *set[2]; // unverified rules in shadow, and enforced
    struct rule_plan *plan[2];
    struct record record[CONTACTS][RECORDS];
    uint64_t device[CONTACTS][RECORDS];
    struct facts facts[2][CONTACTS][RECORDS];
    struct zone_clock clock;
    struct qsbr *q;
    struct ledger *ledger;
    struct ledger_asker asker;
    unsigned contact, turn;
    uint64_t sum, queries, shadows; // of everything, so that nothing is left out
};

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void need(int err, const struct err_info *info)
{
    if (err == 0) return;
    fprintf(stderr, "rule_bench: %s\n", info->text);
    exit(1);
}

// -- the world -----------------------------------------------------------------------------------

static struct attempts_count count_none(void *ctx, const struct attempts_query *query)
{
    struct bench *b = ctx;

    b->queries++;
    b->sum += (uint64_t)query->since_s;
    return (struct attempts_count){0};
}

static struct attempts_count count_ledger(void *ctx, const struct attempts_query *query)
{
    struct bench *b = ctx;

    b->queries++;
    return ledger_count(b->ledger, &b->asker, query, b->clock.now_s);
}

static enum judge_list listed(void *ctx, unsigned list, int64_t *ret_until_s)
{
    (void)ctx;
    (void)list;
    *ret_until_s = INT64_MAX;
    return JUDGE_NOT_LISTED;
}

static int64_t obtained_s(void *ctx, unsigned list)
{
    (void)list;
    return ((struct bench *)ctx)->clock.now_s - 3600;
}

static enum judge_external external(void *ctx, unsigned rule, int *ret_call_result)
{
    (void)ctx;
    (void)rule;
    (void)ret_call_result;
    return JUDGE_EXTERNAL_ALLOWS;
}

static void on_shadow(void *ctx, unsigned op)
{
    struct bench *b = ctx;

    b->shadows++;
    b->sum += op;
}

// -- making it -----------------------------------------------------------------------------------

static bool has_list(void *ctx, struct str name)
{
    (void)ctx;
    (void)name;
    return true;
}

static int slot_of(void *ctx, struct str field)
{
    return record_keys_add(ctx, field);
}

static void init_rules(struct bench *b, unsigned enforced)
{
    static struct ruleset_errors errors;
    struct err_info info = {0};
    char text[sizeof document + 16];

    snprintf(text, sizeof text, document, enforced ? "enforce" : "shadow");
    if (ruleset_parse(&b->set[enforced], str_of(text), b->places, b->packs, has_list, NULL,
                      &errors) < 0) {
        fprintf(stderr, "rule_bench: %s: %s\n", errors.error[0].pointer, errors.error[0].text);
        exit(1);
    }
    need(rule_plan_new(&b->plan[enforced], b->set[enforced], RULE_PLAN_NONE, b->places, slot_of,
                       b->keys, &info),
         &info);
}

static void init_records(struct bench *b)
{
    static char texts[CONTACTS][RECORDS][512];
    struct number_home home;
    struct err_info info = {0};
    enum reason reason;

    need(number_start(), &info);
    need(number_home_init(&home, STR("US"), &info), &info);
    for (unsigned c = 0; c < CONTACTS; c++)
        for (unsigned i = 0; i < RECORDS; i++) {
            snprintf(texts[c][i], sizeof texts[c][i], contacts[c].record, 100 + i);
            CHECK(record_parse(&b->record[c][i], str_of(texts[c][i]), b->keys, &reason));
            CHECK(number_parse(record_phone(&b->record[c][i]), &home, &b->device[c][i]) ==
                  NUMBER_OK);
        }
}

// All answers without attempts look at the same ones: what is counted is the same for all.
static void init_ledger(struct bench *b)
{
    const struct ledger_limits limits = {1 << 16, 1 << 10};
    struct err_info info = {0};

    CHECK(b->q = qsbr_new());
    need(ledger_new(&b->ledger, &limits, b->q, &info), &info);
    b->asker = (struct ledger_asker){.device = ledger_key(1, 1),
                                     .client = ledger_key(2, 1),
                                     .group = ledger_key(3, 1),
                                     .guid = ledger_key(4, 1)};
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        struct attempt a = {.device = b->asker.device,
                            .client = b->asker.client,
                            .group = b->asker.group,
                            .guid = ledger_key(100 + i, 1),
                            .start_s = b->clock.now_s - (ATTEMPTS - i) * 40000,
                            .channel = CHANNEL_VOICE,
                            .result = 7,
                            .ended = true};

        CHECK(ledger_apply(b->ledger, &a) == LEDGER_NEW);
    }
    ledger_set_since(b->ledger, 0);
}

static void init(struct bench *b)
{
    struct err_info info = {0};
    int64_t now_ns = 0;

    need(zones_load(&b->zones, ZONES_DEFAULT, &info), &info);
    need(places_new(&b->places, b->zones, &info), &info);
    need(packs_load(&b->packs, NULL, &info), &info);
    CHECK(b->keys = record_keys_new(FIELD_COUNT));
    CHECK(clock_parse(STR(NOON), &now_ns));
    zone_clock_set(&b->clock, b->zones, now_ns / 1000000000);
    init_rules(b, 0);
    init_rules(b, 1);
    init_records(b);
    init_ledger(b);
    for (unsigned e = 0; e < 2; e++)
        for (unsigned c = 0; c < CONTACTS; c++)
            for (unsigned i = 0; i < RECORDS; i++)
                facts_from_record(&b->facts[e][c][i], b->plan[e], &b->record[c][i],
                                  b->device[c][i]);
}

static void done(struct bench *b)
{
    ledger_free(b->ledger);
    qsbr_free(b->q);
    for (unsigned e = 0; e < 2; e++) {
        rule_plan_free(b->plan[e]);
        ruleset_unref(b->set[e]);
    }
    record_keys_free(b->keys);
    packs_free(b->packs);
    places_free(b->places);
    zones_free(b->zones);
}

// -- what is measured ----------------------------------------------------------------------------

static int judge(struct bench *b, unsigned enforced, const struct facts *facts, bool real)
{
    const struct judge_world world = {b, real ? count_ledger : count_none, listed, obtained_s,
                                      external};
    const struct judge j = {.plan = b->plan[enforced],
                            .facts = facts,
                            .world = &world,
                            .clock = &b->clock,
                            .channel = CHANNEL_VOICE,
                            .counts_before_s = INT64_MAX};
    struct judge_finding finding;
    int op = judge_first(&j, &finding, on_shadow, b);

    b->sum += (uint64_t)op;
    return op;
}

static int run_nothing(struct bench *b, unsigned i)
{
    b->sum += i;
    return -1;
}

static int run_facts(struct bench *b, unsigned i)
{
    struct facts facts;

    facts_from_record(&facts, b->plan[1], &b->record[b->contact][i], b->device[b->contact][i]);
    b->sum += facts.at.regions[0] + facts.test_true[0];
    return -1;
}

static int run_shadow(struct bench *b, unsigned i)
{
    return judge(b, 0, &b->facts[0][b->contact][i], false);
}

static int run_enforced(struct bench *b, unsigned i)
{
    return judge(b, 1, &b->facts[1][b->contact][i], false);
}

static int run_counted(struct bench *b, unsigned i)
{
    return judge(b, 1, &b->facts[1][b->contact][i], true);
}

static int run_decision(struct bench *b, unsigned i)
{
    struct facts facts;

    facts_from_record(&facts, b->plan[1], &b->record[b->contact][i], b->device[b->contact][i]);
    return judge(b, 1, &facts, true);
}

static const struct {
    const char *name;
    int (*run)(struct bench *b, unsigned i);
} benches[] = {
    {"nothing", run_nothing}, {"facts", run_facts},          {"judge_shadow", run_shadow},
    {"judge", run_enforced},  {"judge_ledger", run_counted}, {"decision", run_decision},
};

static void measure(struct bench *b, unsigned which)
{
    double best_ns = 1e9;
    int op = benches[which].run(b, 0);

    b->queries = b->shadows = 0;
    benches[which].run(b, 0);
    printf("{\"bench\":\"rule\",\"what\":\"%s\",\"contact\":\"%s\",\"rules\":%u,\"queries\":%llu,"
           "\"shadow_blocks\":%llu,\"answer\":\"%.*s\",",
           benches[which].name, contacts[b->contact].name, b->plan[1]->op_count,
           (unsigned long long)b->queries, (unsigned long long)b->shadows,
           op < 0 ? 5 : (int)b->set[1]->rule[b->plan[1]->op[op].rule].name.size,
           op < 0 ? "allow" : b->set[1]->rule[b->plan[1]->op[op].rule].name.ptr);
    for (unsigned t = 0; t < TRIES; t++) {
        int64_t begin_ns = cpu_ns(), now_ns;
        uint64_t count = 0;
        double each_ns;

        do {
            for (unsigned i = 0; i < RECORDS * 4; i++) benches[which].run(b, i % RECORDS);
            count += RECORDS * 4;
            now_ns = cpu_ns();
        } while (now_ns - begin_ns < TRY_NS);
        each_ns = (double)(now_ns - begin_ns) / (double)count;
        if (each_ns < best_ns) best_ns = each_ns;
    }
    printf("\"ns\":%.1f}\n", best_ns);
}

int main(int argc, char **argv)
{
    static struct bench b;
    uint64_t rounds = 0;
    bool found = false;

    if (argc > 4 || (argc > 3 && !str_to_u64(str_of(argv[3]), &rounds))) {
        fputs("rule_bench [WHAT [CONTACT [ROUNDS]]]\n", stderr);
        return 2;
    }
    init(&b);
    for (unsigned i = 0; i < COUNT_OF(benches); i++) {
        if (argc > 1 && strcmp(argv[1], benches[i].name) != 0) continue;
        for (b.contact = 0; b.contact < CONTACTS; b.contact++) {
            if (argc > 2 && strcmp(argv[2], contacts[b.contact].name) != 0) continue;
            found = true;
            if (!rounds) measure(&b, i);
            for (uint64_t r = 0; r < rounds; r++) benches[i].run(&b, r % RECORDS);
        }
    }
    done(&b);
    if (!found) fputs("rule_bench: no such measurement\n", stderr);
    return found ? 0 : 2;
}
