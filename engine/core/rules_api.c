// SPDX-License-Identifier: Apache-2.0
#include "engine/core/rules_api.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/core/engine.h"
#include "engine/core/routes.h"
#include "engine/core/text.h"

#define ANSWER_BYTES_MAX ((size_t)8 << 20) // a whole document's words, and what stands round them

// One document on its way. Owned by its worker; lent to feed between feed_submit and on_done.
struct rules_job {
    struct feed_job feed;
    struct worker_message message;
    struct worker *worker;
    struct rules_job **place; // in its worker
    struct conn_id conn;
    unsigned tenant;
    char *text; // malloc'd
    size_t size;
    struct ruleset_errors errors;
    struct err_info info;
    struct buf answer; // of a document that is in force
};
static_assert(offsetof(struct rules_job, feed) == 0, "a job is the head of its rules_job");

// -- in feed's thread --------------------------------------------------------------------------

static void warn(struct buf *out, bool *first, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void warn(struct buf *out, bool *first, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!*first) buf_char(out, ',');
    *first = false;
    buf_json(out, str_of(text));
}

static void write_warnings(struct buf *out, const struct view *view, unsigned tenant)
{
    const struct ruleset *set = view->tenant[tenant].book->set;
    unsigned unverified = 0;
    bool first = true;

    for (unsigned i = 0; i < set->list_count; i++)
        if (!view_find(view, tenant, set->list[i].name))
            warn(out, &first,
                 "there is no list %.*s: it blocks where it holds; try: --list, or PUT "
                 "/v1/lists/{list}",
                 STR_ARG(set->list[i].name));
    for (unsigned i = 0; i < set->rule_count; i++)
        unverified += set->rule[i].pack.ptr && !set->rule[i].verified.ptr && set->rule[i].shadow;
    if (unverified)
        warn(out, &first,
             "%u rules of packs are not verified and run in shadow: GET /v1/rules/effective names "
             "them; \"unverified_rules\": \"enforce\" has them block",
             unverified);
}

static void write_done(struct buf *out, const struct view *view, unsigned tenant)
{
    const struct ruleset *set = view->tenant[tenant].book->set;
    unsigned shadow = 0;

    for (unsigned i = 0; i < set->rule_count; i++) shadow += set->rule[i].shadow;
    buf_lit(out, "{\"version\":");
    buf_json(out, set->version);
    buf_printf(out, ",\"rules\":%u,\"shadow\":%u,\"warnings\":[", set->rule_count, shadow);
    write_warnings(out, view, tenant);
    buf_lit(out, "]}");
}

static void run(struct feed_job *feed)
{
    struct rules_job *job = (struct rules_job *)feed;
    struct engine *e = job->worker->engine;

    feed->err =
        engine_put_rules(e, job->tenant, str_make(job->text, job->size), &job->errors, &job->info);
    // nobody but this thread replaces the view
    if (!feed->err) write_done(&job->answer, atomic_load(&e->view), job->tenant);
}

static void on_done(struct feed_job *feed)
{
    struct rules_job *job = (struct rules_job *)feed;

    server_post(job->worker->server, &job->message.node);
}

// -- coming back -------------------------------------------------------------------------------

static void job_free(struct rules_job *job)
{
    *job->place = NULL;
    buf_done(&job->answer);
    free(job->text);
    free(job);
}

static void answer_errors(struct conn *conn, const struct ruleset_errors *errors)
{
    char memory[128];
    struct buf out, detail;

    buf_wrap(&detail, memory, sizeof memory);
    buf_printf(&detail, "%u errors; nothing was changed", errors->count);
    buf_init(&out, ANSWER_BYTES_MAX);
    http_problem(&out, ERR_BAD_RULES, buf_view(&detail));
    out.size_bytes--; // the closing brace: more follows
    buf_lit(&out, ",\"errors\":[");
    for (unsigned i = 0; i < errors->shown; i++) {
        buf_printf(&out, "%s{\"pointer\":", i ? "," : "");
        buf_json(&out, str_of(errors->error[i].pointer));
        buf_lit(&out, ",\"detail\":");
        buf_json(&out, str_of(errors->error[i].text));
        buf_char(&out, '}');
    }
    buf_lit(&out, "]}");
    text_answer(conn, (unsigned)err_http_status(ERR_BAD_RULES), STR("application/problem+json"),
                &out);
}

// Paths are the operator's: the log has them.
static struct str why_failed(const struct rules_job *job)
{
    if (job->feed.err == ERR_STORAGE)
        return STR("the data directory cannot be written; the rules stay what they were");
    return str_of(job->info.text[0] ? job->info.text : err_text(job->feed.err));
}

static void on_arrival(struct worker *w, struct worker_message *message)
{
    struct rules_job *job =
        (struct rules_job *)((char *)message - offsetof(struct rules_job, message));
    struct conn *conn = conn_find(w->server, job->conn);
    int err = job->feed.err;

    CHECK(job->worker == w && *job->place == job);
    metric_add(w->metrics, err ? METRIC_RULES_REFUSED : METRIC_RULES_REPLACED, 1);
    if (conn && err == ERR_BAD_RULES)
        answer_errors(conn, &job->errors);
    else if (conn && err)
        conn_answer_error(conn, err, why_failed(job));
    else if (conn)
        text_answer(conn, 200, STR("application/json"), &job->answer);
    job_free(job);
}

void rules_api_jobs_done(struct worker *w)
{
    for (unsigned i = 0; i < COUNT_OF(w->rules_jobs); i++)
        if (w->rules_jobs[i]) job_free(w->rules_jobs[i]);
}

// -- requests ----------------------------------------------------------------------------------

// The tenant that a request is about; false when it is answered already.
static bool find_tenant(struct worker *w, struct conn *conn, const struct http_request *req,
                        unsigned *ret_tenant)
{
    int err = routes_tenant(w, req, http_query(req->query, STR("tenant")), ret_tenant);

    if (err) conn_answer_error(conn, err, STR("no such tenant, or the token does not reach it"));
    return !err;
}

static struct rules_job **free_place(struct worker *w)
{
    for (unsigned i = 0; i < COUNT_OF(w->rules_jobs); i++)
        if (!w->rules_jobs[i]) return &w->rules_jobs[i];
    return NULL;
}

static struct rules_job *job_new(struct worker *w, struct rules_job **place, struct str body)
{
    struct rules_job *job = calloc(1, sizeof *job);

    if (!job) return NULL;
    job->text = malloc(body.size + 1);
    if (!job->text) {
        free(job);
        return NULL;
    }
    memcpy(job->text, body.ptr ? body.ptr : "", body.size);
    job->size = body.size;
    job->worker = w;
    job->place = place;
    job->message.on_arrival = on_arrival;
    job->feed = (struct feed_job){.op = FEED_CALL, .run = run, .on_done = on_done};
    buf_init(&job->answer, ANSWER_BYTES_MAX);
    *place = job;
    return job;
}

void rules_api_on_put(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    struct rules_job **place = free_place(w), *job;
    unsigned tenant;

    worker_flush(w);
    if (!find_tenant(w, conn, req, &tenant)) return;
    if (!w->engine->data_dir[0]) {
        conn_answer_error(conn, ERR_NOT_DURABLE,
                          STR("the engine keeps nothing; start it with --data DIR"));
        return;
    }
    if (!place) {
        conn_answer_error(conn, ERR_BUSY, STR("too many rule sets are under way; try again"));
        return;
    }
    job = job_new(w, place, req->body);
    if (!job) {
        conn_answer_error(conn, ERR_NOMEM, STR("no memory for the document"));
        return;
    }
    job->tenant = tenant;
    job->conn = conn_defer(conn);
    feed_submit(w->engine->feed, &job->feed);
}

// The rule set in force; NULL when there is none (the request is answered then).
static const struct rulebook_tenant *find_set(struct worker *w, struct conn *conn,
                                              const struct http_request *req)
{
    const struct rulebook_tenant *t;
    unsigned tenant;

    worker_flush(w);
    if (!find_tenant(w, conn, req, &tenant)) return NULL;
    t = worker_view(w)->tenant[tenant].book;
    if (t->set) return t;
    conn_answer_error(conn, ERR_NOT_FOUND,
                      STR("this tenant has no rule set; try: PUT /v1/rules, or --rules FILE"));
    return NULL;
}

void rules_api_on_get(void *ctx, struct conn *conn, const struct http_request *req)
{
    const struct rulebook_tenant *t = find_set(ctx, conn, req);
    char memory[64];
    struct buf out, tag;

    if (!t) return;
    buf_wrap(&tag, memory, sizeof memory);
    buf_printf(&tag, "ETag: \"%016" PRIx64 "\"\r\n", t->set->sum);
    buf_init(&out, RULESET_TEXT_MAX);
    buf_str(&out, t->set->text);
    text_answer_with(conn, 200, STR("application/json"), buf_view(&tag), &out);
}

void rules_api_on_effective(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    const struct rulebook_tenant *t = find_set(w, conn, req);
    struct buf out;

    if (!t) return;
    buf_init(&out, ANSWER_BYTES_MAX);
    buf_lit(&out, "{\"version\":");
    buf_json(&out, t->set->version);
    buf_lit(&out, ",\"rules\":[");
    for (unsigned i = 0; i < t->set->rule_count; i++) {
        if (i) buf_char(&out, ',');
        ruleset_write_rule(&out, t->set, i);
        if (!out.failed) out.size_bytes--;   // the closing brace: more follows
        if (t->rule[i].tally == TALLY_OTHER) // counted with other tenants' rules
            buf_lit(&out, ",\"blocks\":null}");
        else
            buf_printf(&out, ",\"blocks\":%" PRIu64 "}",
                       tally_sum(&w->engine->tally, t->rule[i].tally));
    }
    buf_lit(&out, "]}");
    text_answer(conn, 200, STR("application/json"), &out);
}
