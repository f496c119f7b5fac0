// SPDX-License-Identifier: Apache-2.0
//
// OCS pre-dial validation: 200 "dial" or 409 "do not dial", nothing else is a verdict.
#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/core/engine.h"
#include "engine/core/routes.h"

static void read_question(struct worker *w, const struct http_request *req, struct question *q)
{
    struct question_frame frame = {
        .tenant = req->param[0], .channel = CHANNEL_VOICE, .reserves = true};
    enum reason reason;

    if (req->body_too_large) {
        question_from_reason(q, REASON_TOO_LARGE);
        return;
    }
    if (!record_parse(&w->record, req->body, worker_view(w)->book->ocs_keys, &reason)) {
        question_from_reason(q, reason);
        return;
    }
    if (w->record.duplicate_count)
        metric_add(w->metrics, METRIC_DUPLICATE_KEYS, w->record.duplicate_count);
    frame.now_s = (uint32_t)w->decider.wall_s; // one look at the clock for all that wait
    question_from_record(q, &w->record, &frame, worker_view(w), w->engine->set);
}

void ocs_on_validate(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    struct pending *p;

    if (w->pending_count == LIMIT_TURN_QUESTIONS) worker_flush(w);
    p = &w->pending[w->pending_count++];
    p->conn = conn;
    worker_hold(w);
    read_question(w, req, &p->question);
    // it may be deferred, so nothing of its connection may wait behind it
    if (UNLIKELY(p->question.text.size)) worker_flush(w);
}

// What the prebuilt 409 of a rule says; an external service may have said something else.
static int canned_result(const struct question *q, int rule)
{
    return q->gate->plan->set->rule[rule].call_result;
}

// A block whose 409 is not prebuilt: input, freshness, and rules with long names.
static void answer_block(struct worker *w, struct conn *conn, const struct verdict *v)
{
    char memory[1024];
    struct buf body;

    buf_wrap(&body, memory, sizeof memory);
    verdict_write_ocs(&body, v, worker_view(w)->settings.ocs_body);
    CHECK(!body.failed);
    conn_answer(conn, 409, STR("application/json"), buf_view(&body));
}

void ocs_answer(struct worker *w, struct conn *conn, const struct question *q)
{
    const struct view *view = worker_view(w);
    int rule;
    struct verdict v = decide(&w->decider, view, q, &rule);

    worker_count(w, &v);
    if (v.type == VERDICT_NONE)
        conn_answer_canned(conn, &w->engine->allowed);
    else if (v.list != VIEW_NO_LIST)
        conn_answer_canned(conn, &view->list[v.list].blocked);
    else if (rule >= 0 && q->gate->rule[rule].blocked && v.call_result == canned_result(q, rule) &&
             view->settings.ocs_body == OCS_BODY_FULL)
        conn_answer_canned(conn, q->gate->rule[rule].blocked);
    else
        answer_block(w, conn, &v);
}
