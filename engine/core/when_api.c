// SPDX-License-Identifier: Apache-2.0
#include "engine/core/when_api.h"

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/core/engine.h"
#include "engine/core/single.h"
#include "engine/core/text.h"
#include "engine/rule/when.h"

#define DAY_S            86400
#define ANSWER_BYTES_MAX ((size_t)1 << 20)

static bool is_allowed(void *ctx, int64_t at_s, int64_t *ret_until_s)
{
    const struct single *s = ctx;
    int rule;

    return decide_at(&s->decider, s->view, &s->question, at_s, ret_until_s, &rule).type ==
           VERDICT_NONE;
}

static int read_instant(struct json_value value, int64_t *ret_s)
{
    int64_t ns;

    if (value.type == JSON_NULL) return 0;
    if (value.type != JSON_STRING || !clock_parse(value.text, &ns)) return ERR_BAD_INSTANT;
    if (ns < 0 || ns / 1000000000 >= SET_FOREVER) return ERR_BAD_INSTANT;
    *ret_s = ns / 1000000000;
    return 0;
}

// 0, or ERR_* with *ret_why.
static int read_range(struct str body, int64_t now_s, int64_t *ret_from_s, int64_t *ret_until_s,
                      const char **ret_why)
{
    struct json j = json_start(body, LIMIT_BATCH_DEPTH);
    int64_t from_s = now_s, until_s = 0;
    struct json_value key, value;
    int err = 0;

    *ret_why = "the body must be a JSON object: the record's members or \"record\", \"from\", "
               "\"until\"";
    if (json_enter(&j) != JSON_OBJECT) return ERR_BAD_JSON;
    while (!err && json_member(&j, &key, &value)) {
        if (str_eq(key.text, STR("from"))) err = read_instant(value, &from_s);
        if (str_eq(key.text, STR("until"))) err = read_instant(value, &until_s);
    }
    if (!err && (j.failed || !json_end(&j))) return ERR_BAD_JSON;
    *ret_why = "\"from\" and \"until\" must be RFC 3339 with an offset, like "
               "2026-11-22T09:00:00-05:00";
    if (err) return err;
    if (!until_s) until_s = from_s + WHEN_API_DAYS * DAY_S;
    *ret_why = "\"until\" must lie behind \"from\", at most 31 days";
    if (until_s <= from_s || until_s - from_s > WHEN_API_DAYS_MAX * DAY_S) return ERR_BAD_VALUE;
    *ret_from_s = from_s;
    *ret_until_s = until_s;
    return 0;
}

static void answer(struct conn *conn, struct single *s, int64_t from_s, int64_t until_s)
{
    struct when_interval interval[WHEN_API_INTERVALS];
    const struct rule_plan *plan = s->question.gate->plan;
    struct when_answer found =
        when_search(is_allowed, s, from_s, until_s, when_steps(plan ? plan->op_count : 0), interval,
                    WHEN_API_INTERVALS);
    struct buf out;

    buf_init(&out, ANSWER_BYTES_MAX);
    buf_lit(&out, "{\"from\":");
    single_write_instant(&out, from_s);
    buf_lit(&out, ",\"until\":");
    single_write_instant(&out, until_s);
    buf_lit(&out, ",\"intervals\":[");
    for (unsigned i = 0; i < found.count; i++) {
        buf_printf(&out, "%s{\"from\":", i ? "," : "");
        single_write_instant(&out, interval[i].from_s);
        buf_lit(&out, ",\"until\":");
        single_write_instant(&out, interval[i].until_s);
        buf_char(&out, '}');
    }
    buf_lit(&out, "],\"next\":");
    single_write_instant(&out, found.next_s < 0 ? 0 : found.next_s);
    buf_printf(&out, ",\"cut\":%s", found.cut ? "true" : "false");
    if (found.cut) {
        buf_lit(&out, ",\"seen_until\":");
        single_write_instant(&out, found.seen_until_s);
    }
    buf_char(&out, '}');
    text_answer(conn, 200, STR("application/json"), &out);
}

void when_api_on_request(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    int64_t from_s, until_s;
    struct single s;
    const char *why;
    int err;

    if (!single_read(&s, w, conn, req)) return;
    err = read_range(req->body, s.decider.wall_s, &from_s, &until_s, &why);
    if (err)
        conn_answer_error(conn, err, str_of(why));
    else if (s.question.input != REASON_ALLOWED)
        conn_answer_error(conn, ERR_BAD_VALUE, reason_text(s.question.input));
    else
        answer(conn, &s, from_s, until_s);
    worker_release(w);
}
