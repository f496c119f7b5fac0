// SPDX-License-Identifier: Apache-2.0
//
// world: what a decision needs, small and in memory: tenants, sets, a ledger, a rule set.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine/core/decide.h"

#define NOW 1795453200u // 2026-11-23T17:00:00Z, Monday, 12:00 in New York
#define DAY 86400

struct world {
    struct tenants tenants;
    struct qsbr *qsbr;
    struct set *set;
    struct catalog *catalog;
    struct tally tally;
    struct rulebook *book;
    struct view *view;
    struct ledger *ledger;
    struct decider decider;
    struct record record;
    struct question question;
    int rule; // that blocked, or -1
};

static struct atlas *atlas; // one for all tests of a program

static inline void add_list(struct world *w, const char *name, enum set_kind kind,
                            enum list_state state, bool required, int64_t obtained_at_s)
{
    struct list *l = &w->catalog->list[w->catalog->count];

    *l = (struct list){.number = (uint16_t)w->catalog->count++,
                       .kind = kind,
                       .channel = CHANNEL_ANY,
                       .state = state,
                       .required = required,
                       .obtained_at_s = obtained_at_s};
    snprintf(l->tenant, sizeof l->tenant, "default");
    snprintf(l->name, sizeof l->name, "%s", name);
}

static inline bool has_list(void *ctx, struct str name)
{
    const struct world *w = ctx;

    for (unsigned i = 0; i < w->catalog->count; i++)
        if (str_eq(str_of(w->catalog->list[i].name), name)) return true;
    return false;
}

// Compiles a document; ' stands for ".
static inline int compile(struct world *w, const char *text, struct rulebook **ret,
                          struct err_info *info)
{
    struct ruleset_errors *errors = calloc(1, sizeof *errors);
    struct ruleset *sets[LIMIT_TENANTS + 1] = {NULL};
    char *copy = strdup(text);
    int err;

    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    if (ruleset_parse(&sets[0], str_of(copy), atlas->places, atlas->packs, has_list, w, errors))
        fail_msg("%s: %s", errors->error[0].pointer, errors->error[0].text);
    err = rulebook_new(ret, &w->tenants, sets, atlas, &w->tally, info);
    ruleset_unref(sets[0]);
    free(copy);
    free(errors);
    return err;
}

// Puts a document in force.
static inline void rule_by(struct world *w, const char *text)
{
    const struct view_settings settings = {.ocs_body = OCS_BODY_FULL};
    struct err_info info = {0};

    view_free(w->view);
    rulebook_unref(w->book);
    if (compile(w, text, &w->book, &info)) fail_msg("%s", info.text);
    w->view = view_new(&w->tenants, w->catalog, w->book, &settings, 7);
    assert_non_null(w->view);
}

static inline void read_question(struct world *w, const char *text, bool reserves)
{
    const struct question_frame frame = {
        .channel = CHANNEL_VOICE, .now_s = (uint32_t)w->decider.wall_s, .reserves = reserves};
    char *copy = strdup(text);
    enum reason reason;

    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    assert_true(record_parse(&w->record, str_of(copy), w->book->v1_keys, &reason));
    rulebook_alias(w->book, &w->record);
    question_from_record(&w->question, &w->record, &frame, w->view, w->set);
    free(copy);
    decide_fetch(&w->decider, &w->question);
    for (int i = 0; i < LEDGER_AHEAD && decide_fetch_chains(&w->decider, &w->question); i++)
        continue;
}

static inline struct verdict ask(struct world *w, const char *text)
{
    read_question(w, text, false);
    return decide(&w->decider, w->view, &w->question, &w->rule);
}

// As /ocs/validate asks.
static inline struct verdict dial(struct world *w, const char *text)
{
    read_question(w, text, true);
    return decide(&w->decider, w->view, &w->question, &w->rule);
}

static inline int world_open(void **state)
{
    static char *argv[] = {"x"};
    const struct set_limits limits = {.pages_bytes = (size_t)1 << 30, .planes_max = 16};
    const struct ledger_limits room = {.attempts_max = 10000, .reservations_max = 512};
    struct world *w = calloc(1, sizeof *w);
    struct conf conf;

    assert_int_equal(conf_load(&conf, 1, argv, NULL), 0);
    assert_int_equal(tenant_table_init(&w->tenants, &conf, NULL), 0);
    conf_done(&conf);
    w->qsbr = qsbr_new();
    assert_int_equal(set_new(&w->set, 42, &limits, w->qsbr, NULL), 0);
    assert_int_equal(ledger_new(&w->ledger, &room, w->qsbr, NULL), 0);
    ledger_set_since(w->ledger, 0);
    w->catalog = calloc(1, sizeof *w->catalog + 16 * sizeof(struct list));
    tally_init(&w->tally);
    w->decider = (struct decider){.set = w->set,
                                  .ledger = w->ledger,
                                  .clock = calloc(1, sizeof(struct zone_clock)),
                                  .tally = tally_row_new(&w->tally),
                                  .wall_s = NOW,
                                  .settled_s = UINT32_MAX};
    *state = w;
    return 0;
}

static inline int world_close(void **state)
{
    struct world *w = *state;

    view_free(w->view);
    rulebook_unref(w->book);
    ledger_free(w->ledger);
    set_free(w->set);
    qsbr_free(w->qsbr);
    tally_done(&w->tally);
    free(w->decider.clock);
    free(w->catalog);
    free(w);
    return 0;
}
