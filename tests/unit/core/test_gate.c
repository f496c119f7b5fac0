// SPDX-License-Identifier: Apache-2.0
//
// Decisions under rule sets: which lists hold for which campaign group, attempts and reservations
// over a real ledger, other instants.
#include "tests/unit/core/world.h"

#define ALLOWED(v)      assert_int_equal((v).type, VERDICT_NONE)
#define BLOCKED(v, why) assert_int_equal((v).reason, REASON_##why)
#define NAMED(v, name)                                                                             \
    do {                                                                                           \
        struct str got_ = (v).rule;                                                                \
        if (!str_eq(got_, STR(name))) fail_msg("%.*s, not %s", STR_ARG(got_), name);               \
    } while (0)

#define PHONE "{'phone':'2125550100'}"
#define GROUP "{'phone':'2125550100','campaign_group':'g'}"

// -- lists ---------------------------------------------------------------------------------------

static void declared_lists_hold_where_they_are_named(void **state)
{
    struct world *w = *state;
    struct set_key key = set_key_device(w->set, 12125550100);

    add_list(w, "named", SET_DEVICE, LIST_READY, true, NOW);
    add_list(w, "free", SET_DEVICE, LIST_READY, false, NOW);
    rule_by(w, "{'version':'1','lists':[{'name':'named','kind':'device'}],"
               "'plans':[{'campaign_group':'g','lists':['named']}]}");
    ALLOWED(ask(w, PHONE));
    assert_int_equal(set_insert(w->set, list_id_added(0), key, SET_ALWAYS), 1);
    ALLOWED(ask(w, PHONE)); // the document overrides --list's required
    BLOCKED(ask(w, GROUP), DEVICE_LISTED);
    NAMED(ask(w, GROUP), "named");
    assert_int_equal(set_insert(w->set, list_id_added(1), key, SET_ALWAYS), 1);
    BLOCKED(ask(w, PHONE), DEVICE_LISTED); // not declared: as --list says
    NAMED(ask(w, PHONE), "free");
}

static void lists_that_hold_must_be_there(void **state)
{
    struct world *w = *state;

    add_list(w, "slow", SET_DEVICE, LIST_LOADING, false, 0);
    rule_by(w, "{'version':'1','lists':[{'name':'slow','kind':'device'},"
               "{'name':'none','kind':'device','channels':['sms']}],"
               "'plans':[{'campaign_group':'g','lists':['slow']},"
               "{'campaign_group':'h','lists':['none']}]}");
    ALLOWED(ask(w, PHONE));
    BLOCKED(ask(w, GROUP), LIST_LOADING);
    NAMED(ask(w, GROUP), "slow");
    ALLOWED(ask(w, "{'phone':'2125550100','campaign_group':'h'}"));
    NAMED(ask(w, "{'phone':'2125550100','campaign_group':'h','channel':'sms'}"), "none");
    assert_true(w->view->ready);
    rule_by(w, "{'version':'1','lists':[{'name':'none','required':true}]}");
    BLOCKED(ask(w, PHONE), LIST_LOADING);
    assert_false(w->view->ready);
}

static void a_list_of_another_kind_is_not_that_list(void **state)
{
    struct world *w = *state;

    add_list(w, "clients", SET_CLIENT, LIST_READY, false, NOW);
    rule_by(w, "{'version':'1','lists':[{'name':'clients','kind':'device','required':true}]}");
    BLOCKED(ask(w, PHONE), LIST_LOADING);
    NAMED(ask(w, PHONE), "clients");
}

static void lists_grow_old(void **state)
{
    struct world *w = *state;
    int64_t until_s;
    int rule;

    add_list(w, "old", SET_DEVICE, LIST_READY, false, NOW - 31 * DAY + 10);
    rule_by(w, "{'version':'1','lists':[{'name':'old','required':true,'max_age':'31d'}]}");
    ALLOWED(ask(w, PHONE));
    ALLOWED(decide_at(&w->decider, w->view, &w->question, NOW, &until_s, &rule));
    assert_int_equal(until_s, NOW + 10);
    BLOCKED(decide_at(&w->decider, w->view, &w->question, NOW + 10, &until_s, &rule), LIST_STALE);
    w->catalog->list[0].obtained_at_s = 0; // nobody knows
    rule_by(w, "{'version':'1','lists':[{'name':'old','required':true,'max_age':'31d'}]}");
    BLOCKED(ask(w, PHONE), LIST_STALE);
    NAMED(ask(w, PHONE), "old");
}

static void rules_over_lists(void **state)
{
    struct world *w = *state;
    struct set_span span = {NOW + 100, NOW + 200};
    int64_t until_s;
    int rule;

    add_list(w, "texans", SET_DEVICE, LIST_READY, false, NOW);
    rule_by(w, "{'version':'1','lists':[{'name':'texans'}],"
               "'rules':[{'name':'no','type':'suppression','required':true,'list':'texans'}]}");
    assert_int_equal(
        set_insert(w->set, list_id_added(0), set_key_device(w->set, 12125550100), span), 1);
    ALLOWED(ask(w, PHONE));
    ALLOWED(decide_at(&w->decider, w->view, &w->question, NOW, &until_s, &rule));
    assert_int_equal(until_s, NOW + 100);
    BLOCKED(decide_at(&w->decider, w->view, &w->question, NOW + 100, &until_s, &rule), RULE_LISTED);
    assert_int_equal(until_s, NOW + 200);
    assert_int_equal(rule, 0);
    w->catalog->list[0].state = LIST_LOADING; // not known, so it blocks
    rule_by(w, "{'version':'1','lists':[{'name':'texans'}],"
               "'rules':[{'name':'no','type':'suppression','required':true,'list':'texans'}]}");
    BLOCKED(ask(w, PHONE), LIST_LOADING);
}

// -- groups --------------------------------------------------------------------------------------

static void groups_find_their_plans(void **state)
{
    struct world *w = *state;
    char *text = malloc(1 << 20);
    size_t at;

    at = (size_t)snprintf(text, 1 << 20,
                          "{'version':'1','rules':[{'name':'us','type':'location','where':"
                          "{'country':['US']},'call_result':7}],'plans':[");
    for (int i = 0; i < 1000; i++)
        at += (size_t)snprintf(text + at, (1 << 20) - at, "%s{'campaign_group':'g%d','rules':[%s]}",
                               i ? "," : "", i, i % 2 ? "'us'" : "");
    snprintf(text + at, (1 << 20) - at, "]}");
    rule_by(w, text);
    for (int i = 0; i < 1002; i++) {
        char record[128];
        struct verdict v;

        snprintf(record, sizeof record, "{'phone':'2125550100','campaign_group':'g%d'}", i);
        v = ask(w, record);
        assert_int_equal(v.type, i < 1000 && i % 2 ? VERDICT_LOCATION : VERDICT_NONE);
        if (v.type) assert_int_equal(v.call_result, 7);
    }
    ALLOWED(ask(w, PHONE));
    // gates that say the same share their tables
    assert_int_equal(w->view->tenant[0].ranks_count, 1);
    assert_int_equal(w->book->tenant[0].by_rules.count, 2);
    free(text);
}

// What differs in one word shares nothing that depends on it.
static void only_plans_that_say_the_same_share(void **state)
{
    static const unsigned by_rules[] = {0, 0, 1, 2, 3, 4, 5, 0, 5, 6};
    static const unsigned by_lists[] = {0, 0, 0, 0, 0, 0, 0, 1, 2, 0};
    struct world *w = *state;
    const struct rulebook_tenant *t;

    rule_by(w, "{'version':'1','lists':[{'name':'l','kind':'device'},{'name':'m','kind':'device'}],"
               "'rules':[{'name':'r','type':'location','where':{'state':['TX']}},"
               "{'name':'s','type':'location','where':{'state':['CA']}}],'plans':["
               "{'campaign_group':'a'},"
               "{'campaign_group':'b','zone_from':['state']},"
               "{'campaign_group':'c','purpose':'collection'},"
               "{'campaign_group':'d','dialing':'manual'},"
               "{'campaign_group':'e','rules':['r']},"
               "{'campaign_group':'f','rules':['s']},"
               "{'campaign_group':'g','lists':['l']},"
               "{'campaign_group':'h','rules':['s'],'lists':['m']},"
               "{'campaign_group':'i','rules':['r','s']}]}");
    t = &w->book->tenant[0];
    assert_int_equal(t->plan_count, COUNT_OF(by_rules));
    assert_int_equal(t->by_rules.count, 7);
    assert_int_equal(t->by_lists.count, 3);
    for (unsigned i = 0; i < COUNT_OF(by_rules); i++) {
        assert_int_equal(t->by_rules.of[i], by_rules[i]);
        assert_int_equal(t->by_lists.of[i], by_lists[i]);
    }
}

// `plans` pairs of names, each another one.
static void write_pairs(struct buf *text, const char *member, char letter, unsigned plans)
{
    unsigned a = 0, b = 1;

    buf_lit(text, "],'plans':[");
    for (unsigned i = 0; i < plans; i++) {
        buf_printf(text, "%s{'campaign_group':'g%u','%s':['%c%u','%c%u']}", i ? "," : "", i, member,
                   letter, a, letter, b);
        if (++a == b) {
            a = 0;
            b++;
        }
    }
    buf_lit(text, "]}");
    buf_char(text, '\0');
    assert_false(text->failed);
}

// Memory of a tenant's plans is bounded: what differs too much is refused, in words.
static void plans_that_differ_too_much(void **state)
{
    struct world *w = *state;
    struct rulebook *book;
    struct err_info info;
    struct buf text;

    buf_init(&text, 1 << 20);
    for (unsigned plans = RULEBOOK_LISTS_MAX - 1; plans <= RULEBOOK_LISTS_MAX; plans++) {
        buf_reset(&text);
        buf_lit(&text, "{'version':'1','rules':[],'lists':[");
        for (int i = 0; i < 60; i++)
            buf_printf(&text, "%s{'name':'l%d','kind':'device'}", i ? "," : "", i);
        write_pairs(&text, "lists", 'l', plans);
        book = NULL;
        info = (struct err_info){0};
        // one more has no plan, and so names none
        assert_int_equal(compile(w, text.ptr, &book, &info),
                         plans < RULEBOOK_LISTS_MAX ? 0 : ERR_FULL);
        if (!book) assert_non_null(strstr(info.text, "1025 different selections of lists"));
        rulebook_unref(book);
    }
    for (unsigned plans = 200; plans <= 300; plans += 100) {
        buf_reset(&text);
        buf_lit(&text, "{'version':'1','rules':[");
        for (int i = 0; i < 1000; i++)
            buf_printf(&text,
                       "%s{'name':'r%d','type':'location','required':%s,'where':{'state':"
                       "['TX']}}",
                       i ? "," : "", i, i < 30 ? "false" : "true");
        write_pairs(&text, "rules", 'r', plans);
        book = NULL;
        info = (struct err_info){0};
        assert_int_equal(compile(w, text.ptr, &book, &info), plans == 200 ? 0 : ERR_FULL);
        if (!book) assert_non_null(strstr(info.text, "more than 262144 rules together"));
        rulebook_unref(book);
    }
    buf_done(&text);
}

// -- attempts ------------------------------------------------------------------------------------

#define LIMIT(max)                                                                                 \
    "{'version':'1','tenant':{'reserve':'10s'},'rules':[{'name':'limit','type':'attempts',"        \
    "'required':true,'max':" #max ",'period':'1d'}]}"

static void report(struct world *w, uint64_t guid, int64_t start_s)
{
    struct ledger_asker who =
        question_asker(w->view, 0, set_key_device(w->set, 12125550100).hash, 0, STR(""), STR(""));
    struct attempt a = {.device = who.device,
                        .guid = guid,
                        .start_s = start_s,
                        .result = 21,
                        .ended = true,
                        .channel = CHANNEL_VOICE};

    assert_int_equal(ledger_apply(w->ledger, &a), LEDGER_NEW);
}

static void attempts_are_counted_and_forgotten(void **state)
{
    struct world *w = *state;
    unsigned steps;

    rule_by(w, LIMIT(2));
    report(w, 1, NOW - DAY + 100);
    ALLOWED(ask(w, PHONE));
    report(w, 2, NOW - 50);
    BLOCKED(ask(w, PHONE), ATTEMPTS_USED);
    assert_int_equal(w->rule, 0);
    assert_int_equal(decide_retry(&w->decider, w->view, &w->question, NOW, 64, &steps), NOW + 100);
    assert_int_equal(decide_retry(&w->decider, w->view, &w->question, NOW, 1, &steps), 0);
    assert_int_equal(
        tally_sum(&w->tally, tally_slot(&w->tally, STR("default"), STR("limit"), false)), 1);
}

static void the_last_free_attempt_is_given_once(void **state)
{
    struct world *w = *state;

    rule_by(w, LIMIT(2));
    ALLOWED(dial(w, PHONE)); // without a guid it does not stand in its own way
    ALLOWED(dial(w, "{'phone':'2125550100','GSW_CALL_ATTEMPT_GUID':'a'}"));
    ALLOWED(dial(w, "{'phone':'2125550100','GSW_CALL_ATTEMPT_GUID':' a '}")); // as reports have it
    BLOCKED(dial(w, "{'phone':'2125550100','GSW_CALL_ATTEMPT_GUID':'b'}"), ATTEMPTS_USED);
    BLOCKED(dial(w, PHONE), ATTEMPTS_USED);
    w->decider.wall_s = NOW + 10; // 10 s later at the earliest, however late in a second it was
    BLOCKED(ask(w, PHONE), ATTEMPTS_USED);
    w->decider.wall_s = NOW + 11; // they have run out
    ALLOWED(ask(w, PHONE));
}

static void whoever_is_blocked_keeps_nothing_free(void **state)
{
    struct world *w = *state;
    struct ledger_usage usage;

    rule_by(w, LIMIT(1));
    report(w, 1, NOW - 50);
    for (int i = 0; i < 10; i++) BLOCKED(dial(w, PHONE), ATTEMPTS_USED);
    for (int i = 0; i < 10; i++) ALLOWED(ask(w, "{'phone':'3125550100'}"));
    ledger_usage(w->ledger, &usage);
    assert_int_equal(usage.reservations, 0);
}

static void no_room_for_reservations_blocks(void **state)
{
    struct world *w = *state;
    unsigned blocked = 0;

    rule_by(w, LIMIT(1));
    for (int i = 0; i < 1000; i++) {
        char record[64];
        struct verdict v;

        snprintf(record, sizeof record, "{'phone':'2125550%03d'}", i);
        v = dial(w, record);
        if (v.type == VERDICT_NONE) continue;
        BLOCKED(v, RESERVATIONS_FULL);
        NAMED(v, "attempt reservations");
        blocked++;
    }
    assert_in_range(blocked, 1000 - 512, 900);
}

static void a_start_may_have_lost_a_reservation(void **state)
{
    struct world *w = *state;

    rule_by(w, LIMIT(1));
    w->decider.settled_s = 9;
    BLOCKED(ask(w, PHONE), ATTEMPTS_USED);
    w->decider.settled_s = 10;
    ALLOWED(ask(w, PHONE));
    w->decider.settled_s = 0;
    rule_by(w, LIMIT(2));
    ALLOWED(dial(w, PHONE));
}

static void without_a_ledger_nothing_is_known(void **state)
{
    struct world *w = *state;

    rule_by(w, LIMIT(5));
    w->decider.ledger = NULL;
    BLOCKED(dial(w, PHONE), ATTEMPTS_UNKNOWN);
}

// -- time ----------------------------------------------------------------------------------------

static void dated_questions_have_their_own_clock(void **state)
{
    struct world *w = *state;

    rule_by(w, "{'version':'1','rules':[{'name':'hours','type':'contact_times','required':true,"
               "'windows':[{'days':'daily','from':'09:00','till':'13:00'}]}]}");
    ALLOWED(ask(w, PHONE));
    BLOCKED(ask(w, "{'phone':'2125550100','at':'2026-11-23T18:00:00Z'}"), OUTSIDE_HOURS);
    ALLOWED(ask(w, "{'phone':'2125550100','at':'2026-11-23T17:59:59Z'}"));
    ALLOWED(ask(w, PHONE));
    BLOCKED(ask(w, "{'phone':'2125550100','at':'2026-11-23T13:59:59Z'}"), OUTSIDE_HOURS);
    BLOCKED(ask(w, "{'phone':'2135550100','at':'2026-11-23T16:59:59Z'}"), OUTSIDE_HOURS);
    ALLOWED(ask(w, "{'phone':'2135550100','at':'2026-11-23T17:00:00Z'}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(declared_lists_hold_where_they_are_named),
        TEST(lists_that_hold_must_be_there),
        TEST(a_list_of_another_kind_is_not_that_list),
        TEST(lists_grow_old),
        TEST(rules_over_lists),
        TEST(groups_find_their_plans),
        TEST(only_plans_that_say_the_same_share),
        TEST(plans_that_differ_too_much),
        TEST(attempts_are_counted_and_forgotten),
        TEST(the_last_free_attempt_is_given_once),
        TEST(whoever_is_blocked_keeps_nothing_free),
        TEST(no_room_for_reservations_blocks),
        TEST(a_start_may_have_lost_a_reservation),
        TEST(without_a_ledger_nothing_is_known),
        TEST(dated_questions_have_their_own_clock),
    };
    int failed;

    if (number_start() < 0 || atlas_load(&atlas, ZONES_DEFAULT, NULL, NULL) < 0) return 2;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    atlas_unref(atlas);
    return failed;
}
