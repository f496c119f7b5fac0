// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/rand.h"
#include "engine/rule/vectors.h"
#include "engine/wire/number.h"

#define OUTCOMES_MAX 2048
#define TEXT_MAX     ((size_t)1 << 20)
#define SEED         20261122u
#define ROUNDS       300u

static struct {
    struct zones *zones;
    struct places *places;
    struct packs *packs, *made;
    char dir[64];
    struct ruleset *set;
    struct ruleset_errors errors;
    unsigned count, wrong;
    struct vectors_outcome outcome[OUTCOMES_MAX];
} t;

static int set_up(void **state)
{
    struct err_info info = {0};

    (void)state;
    snprintf(t.dir, sizeof t.dir, "/tmp/dialgate-vectors-XXXXXX");
    if (!mkdtemp(t.dir)) return -1;
    if (number_start() || zones_load(&t.zones, ZONES_DEFAULT, &info) ||
        places_new(&t.places, t.zones, &info) || packs_load(&t.packs, NULL, &info)) {
        print_error("%s\n", info.text);
        return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/pack.json", t.dir);
    unlink(path);
    rmdir(t.dir);
    ruleset_unref(t.set);
    packs_free(t.made);
    packs_free(t.packs);
    places_free(t.places);
    zones_free(t.zones);
    return 0;
}

static void took(void *ctx, const struct vectors_outcome *o)
{
    (void)ctx;
    assert_true(t.count < OUTCOMES_MAX);
    t.wrong += o->expected != o->got;
    t.outcome[t.count++] = *o;
}

static void print_errors(void)
{
    for (unsigned i = 0; i < t.errors.shown; i++)
        print_error("%s: %s\n", t.errors.error[i].pointer, t.errors.error[i].text);
}

static int run(const struct pack *pack, const struct packs *packs)
{
    int err;

    ruleset_unref(t.set);
    t.set = NULL;
    t.count = t.wrong = 0;
    t.errors = (struct ruleset_errors){0};
    err = ruleset_of_pack(&t.set, pack, t.places, packs, &t.errors);
    if (err) {
        print_errors();
        fail_msg("the rules of %.*s are not good", STR_ARG(pack->name));
    }
    return vectors_run(pack, t.set, t.places, took, NULL, &t.errors);
}

// A pack that is not built in comes from a directory.
static int run_text(struct str name, struct str text)
{
    char path[128];
    struct err_info info = {0};

    snprintf(path, sizeof path, "%s/pack.json", t.dir);
    packs_free(t.made);
    t.made = NULL;
    if (file_replace(path, text.ptr, text.size, &info) || packs_load(&t.made, t.dir, &info))
        fail_msg("%s", info.text);
    return run(packs_find(t.made, name), t.made);
}

// -- the shipped packs --------------------------------------------------------------------------

static void test_shipped_packs_pass(void **state)
{
    unsigned vectors = 0;

    (void)state;
    assert_true(packs_count(t.packs) >= 7);
    for (unsigned i = 0; i < packs_count(t.packs); i++) {
        const struct pack *pack = packs_at(t.packs, i);
        int err = run(pack, t.packs);

        print_errors();
        assert_int_equal(err, 0);
        for (unsigned k = 0; k < t.count; k++) {
            const struct vectors_outcome *o = &t.outcome[k];

            if (o->expected != o->got)
                print_error("%.*s /vectors/%u: %.*s at %.*s: expected %s, got %s (%.*s)\n",
                            STR_ARG(pack->name), o->index, STR_ARG(t.set->rule[o->rule].name),
                            STR_ARG(o->at), vectors_word(o->expected), vectors_word(o->got),
                            STR_ARG(o->source));
        }
        assert_int_equal(t.wrong, 0);
        vectors += t.count;
    }
    print_message("%u vectors\n", vectors);
    assert_true(vectors > 400);
}

static void test_shipped_rules_have_vectors_on_both_sides(void **state)
{
    (void)state;
    for (unsigned i = 0; i < packs_count(t.packs); i++) {
        const struct pack *pack = packs_at(t.packs, i);

        assert_int_equal(run(pack, t.packs), 0);
        for (unsigned r = 0; r < t.set->rule_count; r++) {
            unsigned blocks = 0, others = 0;

            for (unsigned k = 0; k < t.count; k++) {
                if (t.outcome[k].rule != r) continue;
                blocks += t.outcome[k].expected == VECTORS_BLOCK;
                others += t.outcome[k].expected != VECTORS_BLOCK;
            }
            if (!blocks || !others)
                fail_msg("%.*s: %u vectors block, %u do not", STR_ARG(t.set->rule[r].name), blocks,
                         others);
        }
    }
}

// As a tenant has them: rules that nobody has verified are in shadow, the others hold.
static void test_all_packs_in_one_document(void **state)
{
    struct ruleset *set = NULL;
    unsigned shadows = 0;
    struct buf text;

    (void)state;
    buf_init(&text, TEXT_MAX);
    buf_lit(&text, "{\"version\": \"1\", \"packs\": [");
    for (unsigned i = 0; i < packs_count(t.packs); i++)
        buf_printf(&text, "%s\"%.*s\"", i ? ", " : "", STR_ARG(packs_at(t.packs, i)->name));
    buf_lit(&text, "]}");
    t.errors = (struct ruleset_errors){0};
    if (ruleset_parse(&set, buf_view(&text), t.places, t.packs, NULL, NULL, &t.errors)) {
        print_errors();
        fail_msg("the packs do not go together");
    }
    assert_true(set->rule_count > 80);
    for (unsigned i = 0; i < set->rule_count; i++) {
        assert_int_equal(set->rule[i].shadow, !set->rule[i].verified.ptr);
        shadows += set->rule[i].shadow;
    }
    assert_true(shadows > 50 && shadows < set->rule_count - 20);
    ruleset_unref(set);
    buf_done(&text);
}

// Each answer replaced by another one.
static struct str turn_answers(struct str text, struct buf *out)
{
    static const struct {
        struct str from, to;
    } turns[] = {
        {{"\"expect\": \"block\"", 17}, {"\"expect\": \"allow\"", 17}},
        {{"\"expect\": \"allow\"", 17}, {"\"expect\": \"none\"", 16}},
        {{"\"expect\": \"none\"", 16}, {"\"expect\": \"block\"", 17}},
    };

    while (text.size > 0) {
        unsigned i = 0;

        while (i < COUNT_OF(turns) && !str_starts(text, turns[i].from)) i++;
        if (i < COUNT_OF(turns))
            buf_str(out, turns[i].to);
        else
            buf_char(out, text.ptr[0]);
        text.ptr += i < COUNT_OF(turns) ? turns[i].from.size : 1;
        text.size -= i < COUNT_OF(turns) ? turns[i].from.size : 1;
    }
    assert_false(out->failed);
    return buf_view(out);
}

static void test_a_turned_answer_fails(void **state)
{
    (void)state;
    for (unsigned i = 0; i < packs_count(t.packs); i++) {
        const struct pack *pack = packs_at(t.packs, i);
        struct buf turned;

        buf_init(&turned, TEXT_MAX);
        assert_int_equal(run_text(pack->name, turn_answers(pack->text, &turned)), 0);
        for (unsigned k = 0; k < t.count; k++)
            if (t.outcome[k].expected == t.outcome[k].got)
                fail_msg("%.*s /vectors/%u passes with another answer", STR_ARG(pack->name),
                         t.outcome[k].index);
        assert_int_equal(t.wrong, t.count);
        buf_done(&turned);
    }
}

// -- packs made for the test --------------------------------------------------------------------

#define RULE(name, more)                                                                           \
    "{\"name\": \"" name "\", \"title\": \"x\", \"required\": true, \"cite\": \"c\", "             \
    "\"url\": \"https://example.com/\", \"verified\": null, " more "}"
#define HOURS                                                                                      \
    RULE("hours",                                                                                  \
         "\"type\": \"contact_times\", \"where\": {\"state\": [\"NY\"]}, "                         \
         "\"purposes\": [\"collection\"], \"dialing\": [\"manual\"], "                             \
         "\"windows\": [{\"days\": \"daily\", \"from\": \"09:00\", \"till\": \"17:00\"}]")
#define CAP                                                                                        \
    RULE("cap", "\"type\": \"attempts\", \"max\": 2, \"period\": \"24h\", \"per_subject\": true")
#define GROUP_CAP                                                                                  \
    RULE("group cap", "\"type\": \"attempts\", \"max\": 1, \"period\": \"1d\", "                   \
                      "\"scope\": \"group\", \"dispositions\": [\"No\"]")
#define PERSON                                                                                     \
    RULE("person", "\"type\": \"attempts\", \"max\": 1, \"period\": \"1d\", "                      \
                   "\"count_by\": \"client\"")
#define PAIR                                                                                       \
    RULE("pair", "\"type\": \"attempts\", \"max\": 1, \"period\": \"1d\", "                        \
                 "\"count_by\": \"both\"")
#define FRESH  RULE("fresh", "\"type\": \"freshness\", \"list\": \"mine\", \"max_age\": \"1d\"")
#define LISTED RULE("listed", "\"type\": \"suppression\", \"list\": \"mine\"")
#define PACK(vectors)                                                                              \
    "{\"pack\": \"p\", \"version\": \"1\", \"title\": \"t\", \"jurisdiction\": \"j\", "            \
    "\"lists\": [{\"name\": \"mine\"}], \"rules\": [" HOURS ", " CAP ", " GROUP_CAP ", " PERSON    \
    ", " PAIR ", " FRESH ", " LISTED "], \"vectors\": " vectors "}"
#define NOON "\"at\": \"2026-11-23T12:00:00-05:00\", "
#define NY   "\"record\": {\"phone\": \"+12125550100\"}, "
#define END  "\"source\": \"s\"}"

static void answers(const char *text, const enum vectors_answer *got, unsigned count)
{
    if (run_text(STR("p"), str_of(text))) {
        print_errors();
        fail_msg("the vectors are not good");
    }
    assert_int_equal(t.count, count);
    for (unsigned i = 0; i < count; i++) {
        if (t.outcome[i].got != got[i])
            fail_msg("vector %u: %s, not %s", i, vectors_word(t.outcome[i].got),
                     vectors_word(got[i]));
        assert_int_equal(t.outcome[i].index, i);
    }
}

static void test_what_narrows_a_rule(void **state)
{
    static const enum vectors_answer got[] = {VECTORS_ALLOW, VECTORS_ALLOW, VECTORS_NONE,
                                              VECTORS_NONE,  VECTORS_NONE,  VECTORS_BLOCK};

    (void)state;
    answers(PACK("[{\"rule\": \"hours\", " NOON NY "\"expect\": \"allow\", " END
                 ", {\"rule\": \"hours\", " NOON NY
                 "\"purpose\": \"collection\", \"dialing\": \"manual\", \"expect\": \"allow\", " END
                 ", {\"rule\": \"hours\", " NOON NY
                 "\"purpose\": \"solicitation\", \"expect\": \"none\", " END
                 ", {\"rule\": \"hours\", " NOON NY
                 "\"dialing\": \"prerecorded\", \"expect\": \"none\", " END
                 ", {\"rule\": \"hours\", " NOON
                 "\"record\": {\"phone\": \"+12145550100\"}, \"expect\": \"none\", " END
                 ", {\"rule\": \"hours\", \"at\": \"2026-11-23T17:00:00-05:00\", " NY
                 "\"expect\": \"allow\", " END "]"),
            got, COUNT_OF(got));
    assert_int_equal(t.wrong, 1);
    assert_int_equal(t.outcome[5].reason, REASON_OUTSIDE_HOURS);
    assert_int_equal(t.outcome[5].rule, (unsigned)ruleset_find(t.set, STR("hours")));
}

#define TRY(hour, more) "{\"at\": \"2026-11-23T" hour ":00:00-05:00\"" more "}"
#define TWO                                                                                        \
    TRY("09", ", \"result\": 7, \"subject\": \"a\"") ", " TRY("10", ", \"result\": \"Busy\"")
#define ABOUT(what) "\"record\": {\"phone\": \"+12125550100\", \"subject\": \"" what "\"}, "

static void test_attempts_of_a_vector(void **state)
{
    static const enum vectors_answer got[] = {VECTORS_BLOCK, VECTORS_ALLOW, VECTORS_BLOCK,
                                              VECTORS_ALLOW, VECTORS_ALLOW, VECTORS_BLOCK};

    (void)state;
    answers(
        PACK("[{\"rule\": \"cap\", " NOON ABOUT(
            "a") "\"attempts\": [" TWO "], \"expect\": \"block\", " END
                 // one is about something else
                 ", {\"rule\": \"cap\", " NOON ABOUT(
                     "b") "\"attempts\": [" TWO "], \"expect\": \"allow\", " END
                          // a record about nothing counts all
                          ", {\"rule\": \"cap\", " NOON NY "\"attempts\": [" TWO
                          "], \"expect\": \"block\", " END
                          // "Ok" is none of the results that count when a rule names none
                          ", {\"rule\": \"cap\", " NOON NY
                          "\"attempts\": [" TRY("09", ", \"result\": 7") ", " TRY(
                              "10",
                              ", \"result\": 0") "], \"expect\": \"allow\", " END
                                                 ", {\"rule\": \"group cap\", " NOON NY
                                                 "\"group\": \"g\", \"attempts\": [" TRY(
                                                     "10",
                                                     ", \"result\": 33, \"disposition\": \"no\", "
                                                     "\"group\": \"h\"") "], \"expect\": "
                                                                         "\"allow\", " END
                                                                         ", {\"rule\": \"group "
                                                                         "cap\", " NOON NY
                                                                         "\"group\": \"g\", "
                                                                         "\"attempts\": [" TRY(
                                                                             "10",
                                                                             ", \"result\": 33, "
                                                                             "\"disposition\": "
                                                                             "\"no\"") "], "
                                                                                       "\"expect\":"
                                                                                       " \"block\","
                                                                                       " " END "]"),
        got, COUNT_OF(got));
    assert_int_equal(t.wrong, 0);
}

static void test_whose_attempts_count(void **state)
{
#define ONE(rule, record, attempt)                                                                 \
    "{\"rule\": \"" rule "\", " NOON record                                                        \
    "\"attempts\": [" TRY("10", attempt) "], \"expect\": \"allow\", " END
#define ANN   "\"record\": {\"phone\": \"+12125550100\", \"client_id\": \"ann\"}, "
#define OTHER ", \"phone\": \"+12125550101\""
#define BOB   ", \"client_id\": \"bob\""
    static const enum vectors_answer got[] = {VECTORS_BLOCK, VECTORS_BLOCK, VECTORS_ALLOW,
                                              VECTORS_ALLOW, VECTORS_BLOCK, VECTORS_ALLOW,
                                              VECTORS_ALLOW, VECTORS_ALLOW};

    (void)state;
    answers(
        PACK("[" ONE("person", ANN, "") ", " ONE("person", ANN, OTHER) ", " ONE(
            "person", ANN,
            BOB) ", " ONE("person", NY,
                          "") ", " ONE("pair", ANN,
                                       "") ", " ONE("pair", ANN,
                                                    OTHER) ", " ONE("pair", ANN,
                                                                    BOB) ", " ONE("group cap", ANN,
                                                                                  OTHER
                                                                                  ", "
                                                                                  "\"disposition\":"
                                                                                  " \"yes\"") "]"),
        got, COUNT_OF(got));
}

static void test_lists_of_a_vector(void **state)
{
    static const enum vectors_answer got[] = {VECTORS_BLOCK, VECTORS_ALLOW, VECTORS_ALLOW,
                                              VECTORS_BLOCK, VECTORS_BLOCK, VECTORS_ALLOW};

    (void)state;
    answers(
        PACK("[{\"rule\": \"listed\", " NOON NY
             "\"lists\": [\"x\", \"mine\"], \"expect\": \"block\", " END
             ", {\"rule\": \"listed\", " NOON NY "\"lists\": [\"x\"], \"expect\": \"allow\", " END
             ", {\"rule\": \"fresh\", " NOON NY "\"expect\": \"allow\", " END
             ", {\"rule\": \"fresh\", " NOON NY
             "\"obtained\": {\"mine\": null}, \"expect\": \"block\", " END
             ", {\"rule\": \"fresh\", " NOON NY
             "\"obtained\": {\"mine\": \"2026-11-22T16:59:00Z\"}, \"expect\": \"block\", " END
             ", {\"rule\": \"fresh\", " NOON NY
             "\"obtained\": {\"mine\": \"2026-11-22T17:01:00Z\"}, \"expect\": \"allow\", " END "]"),
        got, COUNT_OF(got));
    assert_int_equal(t.wrong, 0);
}

// Vectors that cannot be judged: where, and a word of why. The good one beside them still is.
static void test_errors_have_a_place(void **state)
{
#define GOOD         "{\"rule\": \"hours\", " NOON NY "\"expect\": \"allow\", " END
#define BAD(members) PACK("[" GOOD ", {" members "]")
    static const struct {
        const char *text, *pointer, *word;
    } bad[] = {
        {BAD("\"rule\": \"none\", " NOON NY "\"expect\": \"allow\", " END), "/vectors/1/rule",
         "no rule"},
        {BAD("\"rule\": \"hours\", " NY "\"expect\": \"allow\", " END), "/vectors/1/at", "missing"},
        {BAD("\"rule\": \"hours\", " NOON NY END), "/vectors/1/expect", "missing"},
        {BAD("\"rule\": \"hours\", " NOON NY "\"expect\": \"allow\"}"), "/vectors/1/source",
         "missing"},
        {BAD("\"rule\": \"hours\", " NOON NY "\"expect\": \"yes\", " END), "/vectors/1/expect",
         "block"},
        {BAD("\"rule\": \"hours\", \"at\": \"noon\", " NY "\"expect\": \"allow\", " END),
         "/vectors/1/at", "instant"},
        {BAD("\"rule\": \"hours\", " NOON NY "\"hour\": 1, \"expect\": \"allow\", " END),
         "/vectors/1/hour", "unknown"},
        {BAD("\"rule\": \"hours\", " NOON NY NOON "\"expect\": \"allow\", " END), "/vectors/1/at",
         "twice"},
        {BAD("\"rule\": \"hours\", " NOON NY "\"channel\": \"fax\", \"expect\": \"allow\", " END),
         "/vectors/1/channel", "voice"},
        {BAD("\"rule\": \"hours\", " NOON NY "\"purpose\": \"fun\", \"expect\": \"allow\", " END),
         "/vectors/1/purpose", "solicitation"},
        {BAD("\"rule\": \"hours\", " NOON NY "\"dialing\": 1, \"expect\": \"allow\", " END),
         "/vectors/1/dialing", "manual"},
        {BAD("\"rule\": \"hours\", " NOON "\"record\": [], \"expect\": \"allow\", " END),
         "/vectors/1/record", "object"},
        {BAD("\"rule\": \"hours\", " NOON
             "\"record\": {\"phone\": \"12\"}, \"expect\": \"allow\", " END),
         "/vectors/1/record", "number"},
        {BAD("\"rule\": \"cap\", " NOON NY
             "\"attempts\": [" TRY("12", "") "], \"expect\": \"allow\", " END),
         "/vectors/1/attempts/0", "before"},
        {BAD("\"rule\": \"cap\", " NOON NY "\"attempts\": [" TRY("11", "") ", " TRY(
             "10", ", \"result\": \"Bored\"") "], \"expect\": \"allow\", " END),
         "/vectors/1/attempts/1", "result"},
        {BAD("\"rule\": \"cap\", " NOON NY
             "\"attempts\": [" TRY("11", ", \"when\": 1") "], \"expect\": \"allow\", " END),
         "/vectors/1/attempts/0", "unknown"},
        {BAD("\"rule\": \"cap\", " NOON NY "\"attempts\": 3, \"expect\": \"allow\", " END),
         "/vectors/1/attempts", "array"},
        {BAD("\"rule\": \"fresh\", " NOON NY
             "\"obtained\": {\"yours\": null}, \"expect\": \"allow\", " END),
         "/vectors/1/obtained", "list"},
        {PACK("[" GOOD ", 7]"), "/vectors/1", "object"},
    };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(run_text(STR("p"), str_of(bad[i].text)), ERR_BAD_VALUE);
        if (t.errors.count != 1) print_errors();
        assert_int_equal(t.errors.count, 1);
        assert_string_equal(t.errors.error[0].pointer, bad[i].pointer);
        if (!strstr(t.errors.error[0].text, bad[i].word))
            fail_msg("%s: \"%s\" lacks \"%s\"", bad[i].pointer, t.errors.error[0].text,
                     bad[i].word);
        assert_int_equal(t.count, 1);
        assert_int_equal(t.wrong, 0);
    }
}

static void nothing(void *ctx, const struct vectors_outcome *o)
{
    *(unsigned *)ctx += o->index + 1 > 0;
}

// Vectors with some bytes changed are judged or refused; either way the reader survives them.
static void test_changed_bytes(void **state)
{
    const struct pack *good = packs_find(t.packs, STR("us-federal"));
    struct pack pack = *good;
    struct ruleset *set = NULL;
    char *text = str_dup(good->text);
    size_t begin = (size_t)(strstr(text, "\"vectors\"") - text), size = good->text.size - begin;
    unsigned judged = 0, refused = 0;
    struct rand rand;

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&rand, SEED);
    pack.text.ptr = text;
    assert_int_equal(ruleset_of_pack(&set, &pack, t.places, t.packs, &t.errors), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        static const char bytes[] = "\"{}[],:\\0 9aZ-+";
        struct ruleset_errors errors = {0};

        memcpy(text + begin, good->text.ptr + begin, size);
        for (uint64_t n = 1 + rand_below(&rand, 4); n > 0; n--)
            text[begin + rand_below(&rand, size)] = bytes[rand_below(&rand, sizeof bytes)];
        refused += vectors_run(&pack, set, t.places, nothing, &judged, &errors) != 0;
    }
    print_message("%u vectors judged, %u of %u texts refused\n", judged, refused, ROUNDS);
    assert_true(judged > ROUNDS && refused > ROUNDS / 8 && refused < ROUNDS);
    ruleset_unref(set);
    free(text);
}

static void test_no_vectors_is_no_error(void **state)
{
    (void)state;
    assert_int_equal(run_text(STR("p"), STR(PACK("[]"))), 0);
    assert_int_equal(t.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_packs_pass),
        cmocka_unit_test(test_shipped_rules_have_vectors_on_both_sides),
        cmocka_unit_test(test_all_packs_in_one_document),
        cmocka_unit_test(test_a_turned_answer_fails),
        cmocka_unit_test(test_what_narrows_a_rule),
        cmocka_unit_test(test_attempts_of_a_vector),
        cmocka_unit_test(test_whose_attempts_count),
        cmocka_unit_test(test_lists_of_a_vector),
        cmocka_unit_test(test_errors_have_a_place),
        cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_no_vectors_is_no_error),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
