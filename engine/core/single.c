// SPDX-License-Identifier: Apache-2.0
#include "engine/core/single.h"

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/core/engine.h"
#include "engine/core/routes.h"

// The latest instant that text has four digits of a year for.
#define LATEST_S ((int64_t)253402300799)

// A body that is not well-formed as a whole holds no record.
static struct str record_of(struct str body)
{
    struct json j = json_start(body, LIMIT_BATCH_DEPTH);
    struct json_value key, value;
    struct str record = body;

    if (json_enter(&j) != JSON_OBJECT) return body;
    while (json_member(&j, &key, &value))
        if (str_eq(key.text, STR("record")) && value.type == JSON_OBJECT) record = value.text;
    return j.failed || !json_end(&j) ? body : record;
}

bool single_read(struct single *s, struct worker *w, struct conn *conn,
                 const struct http_request *req)
{
    const struct token *token;
    struct question_frame frame = {.channel = CHANNEL_VOICE};
    enum reason reason;
    unsigned tenant;
    int err;

    worker_flush(w);
    s->view = worker_hold(w);
    token = token_find(&s->view->settings.tokens, req->authorization);
    frame.tenant = http_query(req->query, STR("tenant"));
    err = routes_tenant(w, req, frame.tenant, &tenant);
    if (err) {
        conn_answer_error(conn, err, STR("no such tenant, or the token does not reach it"));
        worker_release(w);
        return false;
    }
    // a request or token that names a tenant binds the record
    if (frame.tenant.size || (token && token->tenant >= 0))
        frame.bound = &w->engine->tenants.tenant[tenant];
    s->decider = w->decider;
    s->decider.tally = NULL;
    frame.now_s = (uint32_t)s->decider.wall_s;
    if (!record_parse(&w->record, record_of(req->body), s->view->book->v1_keys, &reason)) {
        question_from_reason(&s->question, reason);
        return true;
    }
    rulebook_alias(s->view->book, &w->record);
    question_from_record(&s->question, &w->record, &frame, s->view, w->engine->set);
    decide_fetch(&s->decider, &s->question);
    return true;
}

void single_write_instant(struct buf *out, int64_t at_s)
{
    char text[CLOCK_TEXT_SIZE];

    if (at_s == 0 || at_s > LATEST_S || at_s < -LATEST_S)
        buf_lit(out, "null");
    else
        buf_json(out, clock_format(text, at_s));
}
