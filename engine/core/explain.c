// SPDX-License-Identifier: Apache-2.0
#include "engine/core/explain.h"

#include "engine/base/check.h"
#include "engine/core/engine.h"
#include "engine/core/single.h"
#include "engine/core/text.h"
#include "engine/rule/when.h"

#define ANSWER_BYTES_MAX ((size_t)12 << 20) // a whole document's words, and what they came to

static void write_contact(struct buf *out, const struct question *q, const struct record *record)
{
    buf_lit(out, "\"contact\":{\"phone\":");
    if (q->device)
        explain_write_masked(out, q->device);
    else
        buf_lit(out, "null");
    buf_printf(out, ",\"client_id\":%s,\"email\":%s}",
               record_client_id(record).size ? "true" : "false",
               q->has[QUESTION_EMAIL] || (q->has[QUESTION_PHONE] && !q->device) ? "true" : "false");
}

static void write_head(struct buf *out, const struct single *s, const struct record *record)
{
    const struct question *q = &s->question;
    struct str group = record_group(record);
    const struct ruleset *set = s->view->tenant[q->tenant].book->set;
    unsigned plan = rulebook_plan(s->view->tenant[q->tenant].book, group);

    buf_lit(out, "{\"at\":");
    single_write_instant(out, q->now_s);
    buf_printf(out, ",\"dated\":%s,\"tenant\":", q->dated ? "true" : "false");
    buf_json(out, str_of(s->view->tenants->tenant[q->tenant].name));
    buf_lit(out, ",\"channel\":");
    buf_json(out, channel_word(q->channel));
    buf_lit(out, ",\"campaign_group\":");
    if (group.size)
        buf_json(out, group);
    else
        buf_lit(out, "null");
    // a group without a plan of its own gets what is required
    buf_printf(out, ",\"has_plan\":%s,\"rules_version\":", plan ? "true" : "false");
    if (set)
        buf_json(out, set->version);
    else
        buf_lit(out, "null");
    buf_char(out, ',');
    write_contact(out, q, record);
}

static void write_verdict(struct buf *out, const struct verdict *v)
{
    bool blocks = v->type != VERDICT_NONE;

    buf_printf(out, ",\"verdict\":\"%s\",\"rule\":", blocks ? "block" : "allow");
    buf_json(out, blocks ? v->rule : STR(""));
    buf_lit(out, ",\"type\":");
    buf_json(out, verdict_type_word(v->type));
    if (blocks)
        buf_printf(out, ",\"GSW_CALL_RESULT\":%d", v->call_result);
    else
        buf_lit(out, ",\"GSW_CALL_RESULT\":null");
    buf_lit(out, ",\"reason\":");
    buf_json(out, reason_text(v->reason));
    buf_lit(out, ",\"retry_at\":");
    single_write_instant(out, v->retry_at_s);
}

// What rules looked at; nothing when lists alone decide.
static void write_ruled(struct buf *out, const struct decide_case *c, const struct record *record)
{
    buf_lit(out, ",\"place\":");
    explain_write_place(out, c);
    buf_lit(out, ",\"evidence\":");
    explain_write_evidence(out, c, record);
    buf_lit(out, ",\"rules\":");
    explain_write_rules(out, c);
}

static void write_all(struct buf *out, const struct single *s, const struct record *record)
{
    const struct question *q = &s->question;
    bool ruled = q->gate && q->gate->plan;
    struct decide_case c;
    unsigned steps;
    int rule;
    struct verdict v = decide(&s->decider, s->view, q, &rule);

    if (rule >= 0 && v.type != VERDICT_EXTERNAL)
        v.retry_at_s = decide_retry(&s->decider, s->view, q, q->now_s,
                                    when_steps(q->gate->plan->op_count), &steps);
    write_head(out, s, record);
    if (q->gate) {
        buf_lit(out, ",\"lists\":");
        explain_write_lists(out, &s->decider, s->view, q);
    }
    if (ruled) {
        decide_open(&c, &s->decider, s->view, q, q->now_s, true);
        write_ruled(out, &c, record);
    }
    write_verdict(out, &v);
    buf_lit(out, ",\"sentence\":");
    explain_write_sentence(out, ruled ? &c : NULL, &v, rule);
    buf_char(out, '}');
}

// A record that is none: there is nothing to show but what is wrong with it.
static void write_input(struct buf *out, const struct single *s)
{
    int rule;
    struct verdict v = decide(&s->decider, s->view, &s->question, &rule);

    buf_lit(out, "{\"at\":");
    single_write_instant(out, s->decider.wall_s);
    write_verdict(out, &v);
    buf_lit(out, ",\"sentence\":");
    explain_write_sentence(out, NULL, &v, -1);
    buf_char(out, '}');
}

void explain_on_request(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    struct single s;
    struct buf out;

    if (!single_read(&s, w, conn, req)) return;
    buf_init(&out, ANSWER_BYTES_MAX);
    if (s.question.input == REASON_ALLOWED)
        write_all(&out, &s, &w->record);
    else
        write_input(&out, &s);
    text_answer(conn, 200, STR("application/json"), &out);
    worker_release(w);
}
