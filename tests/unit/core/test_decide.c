// SPDX-License-Identifier: Apache-2.0
//
// The decision over a real set and a catalog made by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine/core/decide.h"
#include "engine/core/entry.h"

#define NOW 1800000000u

struct world {
    struct tenants tenants;
    struct qsbr *qsbr;
    struct set *set;
    struct catalog *catalog;
    struct view *view;
    struct tally tally;
    struct rulebook *book;
    struct decider decider;
    struct record_keys *ocs_keys, *v1_keys;
    struct record record;
};

static void add_list(struct world *w, const char *tenant, const char *name, enum set_kind kind,
                     enum channel channel, enum list_state state, bool required)
{
    struct list *l = &w->catalog->list[w->catalog->count];

    *l = (struct list){.number = (uint16_t)w->catalog->count++,
                       .kind = kind,
                       .channel = channel,
                       .state = state,
                       .required = required};
    snprintf(l->tenant, sizeof l->tenant, "%s", tenant);
    snprintf(l->name, sizeof l->name, "%s", name);
}

static void see(struct world *w)
{
    const struct view_settings settings = {.ocs_body = OCS_BODY_FULL};

    view_free(w->view);
    w->view = view_new(&w->tenants, w->catalog, w->book, &settings, set_seed(w->set));
    assert_non_null(w->view);
}

static void put(struct world *w, unsigned list, struct set_key key, struct set_span span)
{
    assert_int_equal(set_insert(w->set, list_id_added(list), key, span), 1);
}

static struct verdict ask_as(struct world *w, const char *json, struct record_keys *keys,
                             struct str tenant, enum channel channel)
{
    const struct question_frame frame = {.tenant = tenant, .channel = channel, .now_s = NOW};
    struct question q;
    enum reason reason;
    struct verdict v;
    int rule = 0;

    if (!record_parse(&w->record, str_of(json), keys, &reason))
        question_from_reason(&q, reason);
    else
        question_from_record(&q, &w->record, &frame, w->view, w->set);
    decide_fetch(&w->decider, &q);
    decide_fetch_chains(&w->decider, &q);
    v = decide(&w->decider, w->view, &q, &rule);
    assert_int_equal(rule, -1);
    return v;
}

static struct verdict ask(struct world *w, const char *json)
{
    return ask_as(w, json, w->v1_keys, (struct str){NULL, 0}, CHANNEL_VOICE);
}

static int set_up(void **state)
{
    static char *argv[] = {"x", "--tenant", "acme"};
    const struct set_limits limits = {.pages_bytes = (size_t)1 << 30, .planes_max = 16};
    struct world *w = calloc(1, sizeof *w);
    struct ruleset *none[LIMIT_TENANTS + 1] = {NULL};
    struct conf conf;

    assert_int_equal(conf_load(&conf, 3, argv, NULL), 0);
    assert_int_equal(tenant_table_init(&w->tenants, &conf, NULL), 0);
    conf_done(&conf);
    w->qsbr = qsbr_new();
    assert_int_equal(set_new(&w->set, 42, &limits, w->qsbr, NULL), 0);
    w->catalog = calloc(1, sizeof *w->catalog + 16 * sizeof(struct list));
    tally_init(&w->tally);
    assert_int_equal(rulebook_new(&w->book, &w->tenants, none, NULL, &w->tally, NULL), 0);
    w->ocs_keys = w->book->ocs_keys;
    w->v1_keys = w->book->v1_keys;
    w->decider = (struct decider){.set = w->set, .wall_s = NOW, .settled_s = UINT32_MAX};
    see(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    view_free(w->view);
    set_free(w->set);
    qsbr_free(w->qsbr);
    rulebook_unref(w->book);
    tally_done(&w->tally);
    free(w->catalog);
    free(w);
    return 0;
}

#define ALLOWED(v)      assert_int_equal((v).type, VERDICT_NONE)
#define BLOCKED(v, why) assert_int_equal((v).reason, REASON_##why)
#define BLOCKED_STR(s, name)                                                                       \
    do {                                                                                           \
        struct str got_ = (s);                                                                     \
        assert_int_equal(got_.size, strlen(name));                                                 \
        assert_memory_equal(got_.ptr, name, got_.size);                                            \
    } while (0)

static void nothing_loaded_blocks(void **state)
{
    struct world *w = *state;
    struct verdict v = ask(w, "{\"phone\":\"2125551234\"}");

    BLOCKED(v, NOTHING_LOADED);
    assert_int_equal(v.type, VERDICT_FRESHNESS);
    assert_false(w->view->ready);
}

static void a_required_list_that_loads_blocks(void **state)
{
    struct world *w = *state;

    add_list(w, "default", "internal", SET_DEVICE, CHANNEL_ANY, LIST_EMPTY, true);
    add_list(w, "default", "national", SET_DEVICE, CHANNEL_ANY, LIST_LOADING, true);
    see(w);
    BLOCKED(ask(w, "{\"phone\":\"2125551234\"}"), LIST_LOADING);
    BLOCKED_STR(ask(w, "{\"phone\":\"2125551234\"}").rule, "national");
    w->catalog->list[1].state = LIST_RELOADING; // the old content is in force
    see(w);
    ALLOWED(ask(w, "{\"phone\":\"2125551234\"}"));
    w->catalog->list[1].state = LIST_LOADING;
    w->catalog->list[1].required = false;
    see(w);
    ALLOWED(ask(w, "{\"phone\":\"2125551234\"}"));
}

static void three_spellings_are_one_device(void **state)
{
    static const char *const spellings[] = {"{\"phone\":\"(212) 555-1234\"}",
                                            "{\"phone\":\"+1 212 555 1234\"}",
                                            "{\"phone\":\"12125551234\"}",
                                            "{\"phone\":2125551234}",
                                            "{\"phone\":12125551234}",
                                            "{\"GSW_PHONE\":\"212.555.1234\"}",
                                            "{\"contact_info\":\"2125551234\"}",
                                            "{\"GSW_PHONE\":\"\",\"contact_info\":\"2125551234\"}"};
    struct world *w = *state;

    add_list(w, "default", "internal", SET_DEVICE, CHANNEL_ANY, LIST_EMPTY, true);
    see(w);
    for (unsigned i = 0; i < sizeof spellings / sizeof spellings[0]; i++)
        ALLOWED(ask(w, spellings[i]));
    put(w, 0, set_key_device(w->set, 12125551234), SET_ALWAYS);
    for (unsigned i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        BLOCKED(ask(w, spellings[i]), DEVICE_LISTED);
        assert_int_equal(ask(w, spellings[i]).call_result, 51);
    }
    ALLOWED(ask(w, "{\"phone\":\"2125551235\"}"));
}

static void what_is_no_record_blocks(void **state)
{
    static const struct {
        const char *json;
        enum reason reason;
    } bad[] = {
        {"", REASON_NOT_JSON},
        {"[]", REASON_NOT_JSON},
        {"{\"phone\":", REASON_NOT_JSON},
        {"{}", REASON_NO_CONTACT},
        {"{\"phone\":null,\"client_id\":\"\"}", REASON_NO_CONTACT},
        {"{\"phone\":\"911\"}", REASON_BAD_NUMBER},
        {"{\"phone\":\"hello\"}", REASON_BAD_NUMBER},
        {"{\"phone\":{\"a\":1}}", REASON_BAD_NUMBER},
        {"{\"phone\":\"hello\",\"client_id\":\"c1\"}", REASON_BAD_NUMBER},
        {"{\"email\":\"nobody\"}", REASON_BAD_EMAIL},
        {"{\"phone\":\"2125551234\",\"at\":\"yesterday\"}", REASON_BAD_INSTANT},
        {"{\"phone\":\"2125551234\",\"tenant\":\"initech\"}", REASON_BAD_TENANT},
    };
    struct world *w = *state;

    add_list(w, "default", "internal", SET_DEVICE, CHANNEL_ANY, LIST_EMPTY, true);
    see(w);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct verdict v = ask(w, bad[i].json);

        assert_int_equal(v.reason, bad[i].reason);
        assert_int_equal(v.type, VERDICT_INPUT);
        assert_int_equal(v.call_result, 3);
    }
}

static void user_fields_of_ocs_mean_nothing(void **state)
{
    struct world *w = *state;
    const char *json = "{\"GSW_PHONE\":\"2125551234\",\"at\":\"noon\",\"email\":\"n/a\","
                       "\"channel\":\"fax\",\"tenant\":\"initech\"}";

    add_list(w, "default", "internal", SET_DEVICE, CHANNEL_ANY, LIST_EMPTY, true);
    see(w);
    BLOCKED(ask(w, json), BAD_TENANT); // /v1 reads them
    ALLOWED(ask_as(w, json, w->ocs_keys, (struct str){NULL, 0}, CHANNEL_VOICE));
}

static void lists_of_a_tenant_are_its_own(void **state)
{
    struct world *w = *state;

    add_list(w, "default", "internal", SET_DEVICE, CHANNEL_ANY, LIST_EMPTY, true);
    add_list(w, "acme", "internal", SET_DEVICE, CHANNEL_ANY, LIST_EMPTY, true);
    add_list(w, "*", "national", SET_DEVICE, CHANNEL_ANY, LIST_EMPTY, true);
    see(w);
    put(w, 1, set_key_device(w->set, 12125551234), SET_ALWAYS);
    put(w, 2, set_key_device(w->set, 12125559999), SET_ALWAYS);
    ALLOWED(ask(w, "{\"phone\":\"2125551234\"}"));
    BLOCKED(ask(w, "{\"phone\":\"2125551234\",\"GSW_TENANT_NAME\":\"acme\"}"), DEVICE_LISTED);
    ALLOWED(ask(w, "{\"phone\":\"2125551234\",\"GSW_TENANT_NAME\":\"undefined\"}"));
    BLOCKED_STR(ask(w, "{\"phone\":\"2125559999\"}").rule, "national");
    BLOCKED_STR(ask(w, "{\"phone\":\"2125559999\",\"tenant\":\"acme\"}").rule, "national");
    assert_ptr_equal(view_find(w->view, 0, STR("internal")), &w->view->list[0]);
    assert_ptr_equal(view_find(w->view, 1, STR("internal")), &w->view->list[1]);
    assert_ptr_equal(view_find(w->view, 1, STR("national")), &w->view->list[2]);
    assert_null(view_find(w->view, 0, STR("nobody")));
}

static void the_first_list_names_the_block(void **state)
{
    struct world *w = *state;

    add_list(w, "default", "first", SET_CLIENT, CHANNEL_ANY, LIST_EMPTY, true);
    add_list(w, "default", "second", SET_DEVICE, CHANNEL_ANY, LIST_EMPTY, true);
    see(w);
    put(w, 1, set_key_device(w->set, 12125551234), SET_ALWAYS);
    BLOCKED_STR(ask(w, "{\"phone\":\"2125551234\",\"client_id\":\"c1\"}").rule, "second");
    put(w, 0, set_key_text(w->set, SET_CLIENT, "c1", 2), SET_ALWAYS);
    BLOCKED_STR(ask(w, "{\"phone\":\"2125551234\",\"client_id\":\"c1\"}").rule, "first");
    BLOCKED(ask(w, "{\"client_id\":\" c1 \"}"), CLIENT_LISTED);
    ALLOWED(ask(w, "{\"client_id\":\"C1\"}"));
    // the same text in another kind of list is another key
    put(w, 0, set_key_text(w->set, SET_CLIENT, "2125550000", 10), SET_ALWAYS);
    ALLOWED(ask(w, "{\"phone\":\"2125550000\"}"));
}

static void addresses_are_found_however_written(void **state)
{
    struct world *w = *state;

    add_list(w, "default", "mail", SET_EMAIL, CHANNEL_ANY, LIST_EMPTY, true);
    see(w);
    put(w, 0, set_key_text(w->set, SET_EMAIL, "ann@example.org", 15), SET_ALWAYS);
    BLOCKED(ask(w, "{\"email\":\" Ann@Example.ORG \"}"), EMAIL_LISTED);
    BLOCKED(ask(w, "{\"GSW_PHONE\":\"ann@example.org\"}"), EMAIL_LISTED);
    BLOCKED(ask(w, "{\"phone\":\"bob@example.org\",\"email\":\"ann@example.org\"}"), EMAIL_LISTED);
    ALLOWED(ask(w, "{\"email\":\"bob@example.org\"}"));
}

static void channels_choose_lists(void **state)
{
    struct world *w = *state;

    add_list(w, "default", "texts", SET_DEVICE, CHANNEL_SMS, LIST_EMPTY, true);
    see(w);
    put(w, 0, set_key_device(w->set, 12125551234), SET_ALWAYS);
    ALLOWED(ask(w, "{\"phone\":\"2125551234\"}"));
    BLOCKED(ask(w, "{\"phone\":\"2125551234\",\"channel\":\"sms\"}"), DEVICE_LISTED);
    BLOCKED(ask(w, "{\"phone\":\"2125551234\",\"GSW_CONTACT_MEDIA_TYPE\":\"SMS\"}"), DEVICE_LISTED);
    // a medium nobody knows is held against every list
    BLOCKED(ask(w, "{\"phone\":\"2125551234\",\"GSW_CONTACT_MEDIA_TYPE\":\"pigeon\"}"),
            DEVICE_LISTED);
}

static void dates_open_and_close(void **state)
{
    struct world *w = *state;
    struct verdict v;

    add_list(w, "default", "internal", SET_DEVICE, CHANNEL_ANY, LIST_EMPTY, true);
    see(w);
    put(w, 0, set_key_device(w->set, 12125551234), (struct set_span){NOW - 10, NOW + 10});
    v = ask(w, "{\"phone\":\"2125551234\"}");
    BLOCKED(v, DEVICE_LISTED);
    assert_int_equal(v.retry_at_s, NOW + 10);
    // 1800000000 is 2027-01-15T08:00:00Z
    ALLOWED(ask(w, "{\"phone\":\"2125551234\",\"at\":\"2027-01-15T08:00:10Z\"}"));
    BLOCKED(ask(w, "{\"phone\":\"2125551234\",\"at\":\"2027-01-15T08:00:09Z\"}"), DEVICE_LISTED);
    BLOCKED(ask(w, "{\"phone\":\"2125551234\",\"at\":\"2027-01-15T07:59:50Z\"}"), DEVICE_LISTED);
    ALLOWED(ask(w, "{\"phone\":\"2125551234\",\"at\":\"2027-01-15T07:59:49Z\"}"));
}

static void spans_are_read_strictly(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{\"from\":1}",
        "{\"till\":\"tomorrow\"}",
        "{\"til\":null}",
        "{\"from\":\"2027-01-02T00:00:00Z\",\"till\":\"2027-01-01T00:00:00Z\"}",
        "{} x",
        "{\"till\":\"1969-01-01T00:00:00Z\"}"};
    struct set_span span;
    const char *why = NULL;

    (void)state;
    assert_int_equal(entry_parse_span(&span, STR(""), &why), 0);
    assert_int_equal(span.till_s, SET_FOREVER);
    assert_int_equal(entry_parse_span(&span, STR("{\"till\":\"2027-01-15T08:00:00Z\"}"), &why), 0);
    assert_int_equal(span.from_s, 0);
    assert_int_equal(span.till_s, NOW);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        why = NULL;
        assert_true(entry_parse_span(&span, str_of(bad[i]), &why) < 0);
        assert_non_null(why);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_loaded_blocks),           TEST(a_required_list_that_loads_blocks),
        TEST(three_spellings_are_one_device),  TEST(what_is_no_record_blocks),
        TEST(user_fields_of_ocs_mean_nothing), TEST(lists_of_a_tenant_are_its_own),
        TEST(the_first_list_names_the_block),  TEST(addresses_are_found_however_written),
        TEST(channels_choose_lists),           TEST(dates_open_and_close),
        TEST(spans_are_read_strictly),
    };

    if (number_start() < 0) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
