// SPDX-License-Identifier: Apache-2.0
//
// OCS pre-dial validation: 200 "dial" or 409 "do not dial", nothing else is a verdict.
#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/core/engine.h"
#include "engine/core/routes.h"

static void read_question(struct worker *w, const struct http_request *req, struct question *q)
{
    struct engine *e = w->engine;
    struct question_frame frame = {.tenant = req->param[0], .channel = CHANNEL_VOICE};
    enum reason reason;

    if (req->body_too_large) {
        question_from_reason(q, REASON_TOO_LARGE);
        return;
    }
    if (!record_parse(&w->record, req->body, e->ocs_keys, &reason)) {
        question_from_reason(q, reason);
        return;
    }
    if (w->record.duplicate_count)
        metric_add(w->metrics, METRIC_DUPLICATE_KEYS, w->record.duplicate_count);
    if (!w->now_s) w->now_s = (uint32_t)clock_wall_s(); // one look at the clock a turn
    frame.now_s = w->now_s;
    question_from_record(q, &w->record, &frame, &e->tenants, e->set);
}

void ocs_on_validate(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    struct pending *p;

    if (w->pending_count == LIMIT_TURN_QUESTIONS) worker_flush(w);
    p = &w->pending[w->pending_count++];
    p->conn = conn;
    read_question(w, req, &p->question);
}

// A block whose 409 is not prebuilt: input and freshness.
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
    struct verdict v = decide(view, w->engine->set, q);

    worker_count(w, &v);
    if (v.type == VERDICT_NONE)
        conn_answer_canned(conn, &w->engine->allowed);
    else if (v.type == VERDICT_SUPPRESSION)
        conn_answer_canned(conn, &view->list[v.list].blocked);
    else
        answer_block(w, conn, &v);
}
