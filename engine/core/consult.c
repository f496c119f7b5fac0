// SPDX-License-Identifier: Apache-2.0
#include "engine/core/consult.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/core/engine.h"
#include "engine/core/routes.h"

#define URL_BYTES 2049
#define AHEAD_MAX (LIMIT_EXTERNAL_ASKS / 2)

struct consult_text {
    char url[URL_BYTES];
    char record[LIMIT_RECORD_BYTES];
};

// One ask under way. Owned by its worker; lent to external between submit and on_done.
struct consult {
    struct external_ask ask;
    struct worker_message message;
    struct worker *worker;
    struct consult *next_free;
    struct consult_text *text;
    bool waits; // `conn` does
    struct conn_id conn;
    uint16_t tenant;
    bool shadow; // of a shadow rule: its block is counted when the answer is there
    uint16_t tally;
    struct decide_known known; // what was answered before
};
static_assert(offsetof(struct consult, ask) == 0, "an ask is the head of its consult");

static void on_arrival(struct worker *w, struct worker_message *message);

int consult_init(struct worker *w)
{
    w->consults = calloc(LIMIT_EXTERNAL_ASKS, sizeof *w->consults);
    w->consult_texts = calloc(LIMIT_EXTERNAL_ASKS, sizeof *w->consult_texts);
    if (!w->consults || !w->consult_texts) return ERR_NOMEM;
    for (unsigned i = 0; i < LIMIT_EXTERNAL_ASKS; i++) {
        struct consult *it = &w->consults[i];

        it->worker = w;
        it->text = &w->consult_texts[i];
        it->message.on_arrival = on_arrival;
        it->next_free = w->free_consults;
        w->free_consults = it;
    }
    return 0;
}

void consult_done(struct worker *w)
{
    free(w->consults);
    free(w->consult_texts);
}

// -- there -------------------------------------------------------------------------------------

// NULL when too many are under way.
static struct consult *take(struct worker *w, const struct question *q, bool waits)
{
    struct consult *it = w->free_consults;

    if (!it || (!waits && w->consults_ahead == AHEAD_MAX)) {
        metric_add(w->metrics, METRIC_EXTERNAL_UNSENT, 1);
        return NULL;
    }
    w->free_consults = it->next_free;
    w->consults_ahead += !waits;
    metric_set(w->metrics, METRIC_EXTERNAL_ASKS, ++w->consults_busy);
    it->waits = waits;
    it->tenant = q->tenant;
    it->shadow = false;
    it->known.count = 0;
    CHECK(q->text.size <= sizeof it->text->record);
    memcpy(it->text->record, q->text.ptr, q->text.size);
    it->ask.body = str_make(it->text->record, q->text.size);
    return it;
}

static void give(struct worker *w, struct consult *it)
{
    w->consults_ahead -= !it->waits;
    metric_set(w->metrics, METRIC_EXTERNAL_ASKS, --w->consults_busy);
    it->next_free = w->free_consults;
    w->free_consults = it;
}

// In external's thread: only pass it on.
static void on_done(struct external_ask *ask)
{
    struct consult *it = (struct consult *)ask;

    server_post(it->worker->server, &it->message.node);
}

static void send(struct consult *it, const struct question *q, const struct decide_ask *ask)
{
    const struct rule *rule = &q->gate->plan->set->rule[ask->rule];

    CHECK(str_copy(it->text->url, sizeof it->text->url, rule->external.url));
    it->ask.url = it->text->url;
    it->ask.key = ask->key;
    it->ask.timeout_ms = rule->external.timeout_ms;
    it->ask.cache_s = rule->external.cache_s;
    it->ask.on_done = on_done;
    external_submit(it->worker->engine->external, &it->ask);
}

static void send_ahead(struct worker *w, const struct question *q, const struct decide_ask *ask)
{
    struct consult *it = take(w, q, false);

    if (!it) return;
    it->shadow = ask->shadow;
    it->tally = q->gate->rule[ask->rule].tally;
    send(it, q, ask);
}

void consult_look(struct worker *w, const struct question *q, struct consult_need *need)
{
    need->count = decide_unasked(&w->decider, worker_view(w), q, need->ask, COUNT_OF(need->ask));
}

void consult_ahead(struct worker *w, const struct question *q, const struct consult_need *need)
{
    for (unsigned i = 0; i < need->count; i++) {
        const struct rule *rule = &q->gate->plan->set->rule[need->ask[i].rule];

        // an answer that is not kept is of use to nobody but a count
        if (need->ask[i].shadow || rule->external.cache_s) send_ahead(w, q, &need->ask[i]);
    }
}

// What the question cannot be decided without, or NULL.
static const struct decide_ask *first_needed(const struct consult_need *need)
{
    const struct decide_ask *last = need->count ? &need->ask[need->count - 1] : NULL;

    return last && !last->shadow ? last : NULL;
}

void consult_answer(struct worker *w, struct conn *conn, const struct question *q)
{
    const struct decide_ask *ask;
    struct consult_need need;
    struct consult *it;

    consult_look(w, q, &need);
    ask = first_needed(&need);
    it = ask ? take(w, q, true) : NULL;
    if (it) {
        it->conn = conn_defer(conn);
        send(it, q, ask);
        return;
    }
    ocs_answer(w, conn, q);
    if (!ask) consult_ahead(w, q, &need);
}

// -- and back ----------------------------------------------------------------------------------

static void count(struct worker *w, const struct consult *it)
{
    static const enum metric rows[] = {
        [JUDGE_EXTERNAL_SILENT] = METRIC_EXTERNAL_SILENT,
        [JUDGE_EXTERNAL_ALLOWS] = METRIC_EXTERNAL_ALLOWS,
        [JUDGE_EXTERNAL_REFUSES] = METRIC_EXTERNAL_REFUSES,
    };
    enum judge_external said = it->ask.answer.said;

    metric_add(w->metrics, it->ask.sent ? rows[said] : METRIC_EXTERNAL_UNSENT, 1);
    if (it->shadow && said != JUDGE_EXTERNAL_ALLOWS) tally_add(w->decider.tally, it->tally);
}

// The question once more, under the rules of now.
static void read_again(struct worker *w, const struct consult *it, struct question *q)
{
    const struct question_frame frame = {
        .bound = &w->engine->tenants.tenant[it->tenant],
        .channel = CHANNEL_VOICE,
        .now_s = (uint32_t)w->decider.wall_s,
        .reserves = true,
    };
    const struct view *view = worker_view(w);
    enum reason reason;

    if (record_parse(&w->record, it->ask.body, view->book->ocs_keys, &reason))
        question_from_record(q, &w->record, &frame, view, w->engine->set);
    else
        question_from_reason(q, reason);
}

// True: it is answered.
static bool decide_again(struct worker *w, struct consult *it, struct conn *conn)
{
    const struct decide_ask *ask;
    struct consult_need need;
    struct question q;

    read_again(w, it, &q);
    decide_fetch(&w->decider, &q);
    consult_look(w, &q, &need);
    ask = first_needed(&need);
    if (ask && it->known.count < COUNT_OF(it->known.at)) {
        send(it, &q, ask);
        return false;
    }
    ocs_answer(w, conn, &q);
    if (!ask) consult_ahead(w, &q, &need);
    return true;
}

static void on_arrival(struct worker *w, struct worker_message *message)
{
    struct consult *it = (struct consult *)((char *)message - offsetof(struct consult, message));
    struct conn *conn = it->waits ? conn_find(w->server, it->conn) : NULL;
    bool over = true;

    count(w, it);
    it->known.at[it->known.count].key = it->ask.key;
    it->known.at[it->known.count++].answer = it->ask.answer;
    if (conn) {
        CHECK(w->pending_count == 0); // messages come first in a turn
        worker_hold(w);
        w->decider.known = &it->known;
        over = decide_again(w, it, conn);
        w->decider.known = NULL;
        worker_release(w);
    }
    if (over) give(w, it);
}
