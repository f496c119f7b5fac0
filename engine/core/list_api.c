// SPDX-License-Identifier: Apache-2.0
//
// /v1/lists: what lists there are, their entries, and changes to them. A change goes to feed, which
// makes it durable, applies it and hands the job back; only then is the request answered.
#include "engine/core/list_api.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/core/engine.h"
#include "engine/core/entry.h"
#include "engine/core/routes.h"
#include "engine/core/text.h"
#include "engine/wire/json.h"

// One change under way. Owned by its worker; lent to feed between feed_submit and on_done.
struct list_job {
    struct feed_job feed;
    struct worker_message message;
    struct worker *worker;
    struct list_job *next_free;
    struct conn_id conn;
};

static void on_arrival(struct worker *w, struct worker_message *message);

int list_api_jobs_init(struct worker *w)
{
    w->jobs = calloc(LIMIT_JOBS, sizeof *w->jobs);
    if (!w->jobs) return ERR_NOMEM;
    for (unsigned i = 0; i < LIMIT_JOBS; i++) {
        w->jobs[i].worker = w;
        w->jobs[i].message.on_arrival = on_arrival;
        w->jobs[i].next_free = w->free_jobs;
        w->free_jobs = &w->jobs[i];
    }
    return 0;
}

// In feed's thread: only pass it on.
static void on_done(struct feed_job *feed)
{
    struct list_job *job = (struct list_job *)feed;

    server_post(job->worker->server, &job->message.node);
}
static_assert(offsetof(struct list_job, feed) == 0, "a feed_job is the head of its list_job");

// NULL when too many changes are under way (the request is answered then).
static struct list_job *job_take(struct worker *w, struct conn *conn, enum feed_op op)
{
    struct list_job *job = w->free_jobs;

    if (!job) {
        conn_answer_error(conn, ERR_BUSY, STR("too many changes are under way; try again"));
        return NULL;
    }
    w->free_jobs = job->next_free;
    job->feed = (struct feed_job){.op = op, .on_done = on_done};
    return job;
}

static void job_submit(struct list_job *job, struct conn *conn)
{
    job->conn = conn_defer(conn);
    feed_submit(job->worker->engine->feed, &job->feed);
}

// -- entries ---------------------------------------------------------------------------------

// The entry that a request names; false when it is none (the request is answered then).
static bool find_entry(struct worker *w, struct conn *conn, const struct http_request *req,
                       const struct view_list *list, unsigned tenant, struct entry *entry)
{
    const struct engine *e = w->engine;
    const char *why;
    char memory[256];
    struct buf detail;
    int err = entry_parse(entry, req->param[1], list->list.kind, &e->tenants.tenant[tenant].home,
                          e->set, &why);

    if (!err) return true;
    buf_wrap(&detail, memory, sizeof memory);
    buf_printf(&detail, "the value %s", why);
    conn_answer_error(conn, err, buf_view(&detail));
    return false;
}

static void write_entry(struct buf *out, const struct list *list, struct set_span span)
{
    buf_printf(out, "{\"list\":\"%s\",\"tenant\":\"%s\",\"listed\":true,", list->name,
               list->tenant);
    entry_write_span(out, span);
}

void list_api_on_entry_get(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    const struct view_list *list;
    struct set_span file, api;
    struct entry entry;
    bool in_file, in_api;
    char memory[1024];
    struct buf out;
    unsigned tenant;

    worker_flush(w);
    list = routes_list(w, conn, req, &tenant);
    if (!list || !find_entry(w, conn, req, list, tenant, &entry)) return;
    in_file = set_find(w->engine->set, list_id_base(list->list.number), entry.key, &file);
    in_api = set_find(w->engine->set, list_id_added(list->list.number), entry.key, &api);
    if (!in_file && !in_api) {
        conn_answer_error(conn, ERR_NO_ENTRY, STR("the value is not on that list"));
        return;
    }
    buf_wrap(&out, memory, sizeof memory);
    write_entry(&out, &list->list, in_api ? api : file);
    buf_printf(&out, ",\"source\":\"%s\"}", !in_file ? "api" : in_api ? "both" : "file");
    conn_answer(conn, 200, STR("application/json"), buf_view(&out));
}

static void change_entry(struct worker *w, struct conn *conn, const struct http_request *req,
                         enum feed_op op)
{
    const struct view_list *list;
    struct set_span span = SET_ALWAYS;
    struct list_job *job;
    struct entry entry;
    const char *why;
    unsigned tenant;
    int err;

    worker_flush(w);
    list = routes_list(w, conn, req, &tenant);
    if (!list || !find_entry(w, conn, req, list, tenant, &entry)) return;
    if (!routes_may_change(w, req, list)) {
        conn_answer_error(conn, ERR_FORBIDDEN,
                          STR("the list is shared by all tenants, the token is of one; try: a "
                              "token without tenant="));
        return;
    }
    err = op == FEED_ENTRY_SET ? entry_parse_span(&span, req->body, &why) : 0;
    if (err) {
        conn_answer_error(conn, err, str_of(why));
        return;
    }
    job = job_take(w, conn, op);
    if (!job) return;
    job->feed.list = list->list.number;
    job->feed.key = entry.key;
    job->feed.device = entry.device;
    job->feed.span = span;
    job_submit(job, conn);
}

void list_api_on_entry_put(void *ctx, struct conn *conn, const struct http_request *req)
{
    change_entry(ctx, conn, req, FEED_ENTRY_SET);
}

void list_api_on_entry_delete(void *ctx, struct conn *conn, const struct http_request *req)
{
    change_entry(ctx, conn, req, FEED_ENTRY_DELETE);
}

// -- lists -----------------------------------------------------------------------------------

static const char *kind_word(enum set_kind kind)
{
    switch (kind) {
    case SET_CLIENT:
        return "client";
    case SET_EMAIL:
        return "email";
    case SET_DEVICE:
        break;
    }
    return "device";
}

static void write_rows(struct buf *out, const struct list_rows *rows)
{
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {{"rows", rows->rows},
               {"accepted", rows->accepted},
               {"duplicates", rows->duplicates},
               {"invalid", rows->invalid},
               {"suppressed", rows->suppressed},
               {"skipped", rows->skipped}};

    buf_lit(out, "\"rows\":{");
    for (unsigned i = 0; i < COUNT_OF(all); i++)
        buf_printf(out, "%s\"%s\":%llu", i ? "," : "", all[i].name,
                   (unsigned long long)all[i].value);
    buf_char(out, '}');
}

static void write_list(struct buf *out, const struct list *list, const struct set *set)
{
    uint64_t file = set_count(set, list_id_base(list->number));
    uint64_t api = set_count(set, list_id_added(list->number));
    char when[CLOCK_TEXT_SIZE];

    buf_printf(out,
               "{\"name\":\"%s\",\"tenant\":\"%s\",\"kind\":\"%s\",\"channel\":\"%.*s\","
               "\"required\":%s,\"state\":\"%s\",\"entries\":%llu,\"entries_file\":%llu,"
               "\"entries_api\":%llu,\"entries_lifted\":%llu,\"file\":",
               list->name, list->tenant, kind_word(list->kind),
               STR_ARG(channel_word(list->channel)), list->required ? "true" : "false",
               list_state_word(list->state), (unsigned long long)(file + api),
               (unsigned long long)file, (unsigned long long)api,
               (unsigned long long)set_count(set, list_id_lifted(list->number)));
    if (list->file[0])
        buf_json(out, str_of(list->file));
    else
        buf_lit(out, "null");
    buf_lit(out, ",\"loaded_at\":");
    if (list->loaded_at_s)
        buf_json(out, clock_format(when, list->loaded_at_s));
    else
        buf_lit(out, "null");
    buf_lit(out, ",\"obtained_at\":");
    if (list->obtained_at_s)
        buf_json(out, clock_format(when, list->obtained_at_s));
    else
        buf_lit(out, "null");
    buf_printf(out, ",\"load_ms\":%llu,\"from_snapshot\":%s,", (unsigned long long)list->load_ms,
               list->from_snapshot ? "true" : "false");
    write_rows(out, &list->rows);
    buf_char(out, '}');
}

void list_api_on_index(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    const struct view *view;
    struct buf out;
    unsigned tenant;
    bool first = true;
    int err;

    worker_flush(w);
    err = routes_tenant(w, req, http_query(req->query, STR("tenant")), &tenant);
    if (err) {
        conn_answer_error(conn, err, STR("no such tenant, or the token does not reach it"));
        return;
    }
    view = worker_view(w);
    buf_init(&out, TEXT_BYTES_MAX);
    buf_lit(&out, "{\"lists\":[");
    for (unsigned i = 0; i < view->list_count; i++) {
        if (!view_list_is_of(view, &view->list[i], tenant)) continue;
        if (!first) buf_char(&out, ',');
        write_list(&out, &view->list[i].list, w->engine->set);
        first = false;
    }
    buf_lit(&out, "]}");
    text_answer(conn, 200, STR("application/json"), &out);
}

void list_api_on_list(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    const struct view_list *list;
    struct buf out;
    unsigned tenant;

    worker_flush(w);
    list = routes_list(w, conn, req, &tenant);
    if (!list) return;
    buf_init(&out, TEXT_BYTES_MAX);
    write_list(&out, &list->list, w->engine->set);
    text_answer(conn, 200, STR("application/json"), &out);
}

// The body of PUT /v1/lists/{list} in the words of --list, so that one parser checks both.
static int write_spec(struct buf *text, struct str body)
{
    static const char *const keys[] = {"kind", "channel", "country"};
    struct json j = json_start(body, 2);
    struct json_value key, value;

    if (str_trim(body).size == 0) return 0;
    if (json_enter(&j) != JSON_OBJECT) return ERR_BAD_JSON;
    while (json_member(&j, &key, &value)) {
        bool known = false;

        if (str_eq(key.text, STR("required")) && value.type == JSON_BOOL) {
            buf_printf(text, ",%s", value.text.ptr[0] == 't' ? "required" : "optional");
            continue;
        }
        for (unsigned i = 0; i < COUNT_OF(keys); i++) known |= str_eq(key.text, str_of(keys[i]));
        if (!known || value.type != JSON_STRING || memchr(value.text.ptr, ',', value.text.size))
            return ERR_BAD_JSON;
        buf_printf(text, ",%.*s=%.*s", STR_ARG(key.text), STR_ARG(value.text));
    }
    return j.failed || !json_end(&j) ? ERR_BAD_JSON : 0;
}

void list_api_on_define(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    const struct tenant *owner;
    struct err_info info = {0};
    struct list_spec spec;
    struct list_job *job;
    char memory[512];
    struct buf text;
    unsigned tenant;
    int err;

    worker_flush(w);
    err = routes_tenant(w, req, http_query(req->query, STR("tenant")), &tenant);
    if (err) {
        conn_answer_error(conn, err, STR("no such tenant, or the token does not reach it"));
        return;
    }
    owner = &w->engine->tenants.tenant[tenant];
    if (!tenant_name_ok(req->param[0])) { // it must not bring options of its own
        conn_answer_error(conn, ERR_BAD_VALUE,
                          STR("a list's name has 1 to 64 letters, digits, . _ -"));
        return;
    }
    buf_wrap(&text, memory, sizeof memory);
    buf_printf(&text, "%.*s=", STR_ARG(req->param[0]));
    err = write_spec(&text, req->body);
    if (err || text.failed) {
        conn_answer_error(conn, ERR_BAD_JSON,
                          STR("the body may hold kind, channel, country (text) and required"));
        return;
    }
    if (list_spec_parse(&spec, buf_view(&text), owner->name, owner->home.region, &info) < 0) {
        conn_answer_error(conn, ERR_BAD_VALUE, str_of(info.text));
        return;
    }
    job = job_take(w, conn, FEED_LIST_DEFINE);
    if (!job) return;
    job->feed.spec = spec;
    job_submit(job, conn);
}

// -- coming back -----------------------------------------------------------------------------

static void answer_done(struct worker *w, struct conn *conn, const struct feed_job *job)
{
    const struct view *view = worker_view(w);
    const struct list *list = NULL;
    char memory[1024];
    struct buf out;

    for (unsigned i = 0; i < view->list_count && !list; i++)
        if (view->list[i].list.number == job->list) list = &view->list[i].list;
    buf_wrap(&out, memory, sizeof memory);
    if (job->op == FEED_LIST_DEFINE || !list) {
        buf_lit(&out, "{\"list\":");
        buf_json(&out, str_of(job->op == FEED_LIST_DEFINE ? job->spec.name : "?"));
    } else {
        write_entry(&out, list, job->span);
    }
    buf_char(&out, '}');
    conn_answer(conn, job->created ? 201 : 200, STR("application/json"), buf_view(&out));
}

static struct str why_failed(int err)
{
    switch (err) {
    case ERR_NOT_DURABLE:
        return STR("the engine keeps nothing; start it with --data DIR");
    case ERR_LOADING:
        return STR("the list's file is being read; try again when it is ready");
    case ERR_STORAGE:
        return STR("the data directory cannot be written; nothing was changed");
    case ERR_CONFLICT:
        return STR("a list of that name exists with another kind");
    default:
        return str_of(err_text(err));
    }
}

// Answers the request whose change feed has finished.
static void on_arrival(struct worker *w, struct worker_message *message)
{
    struct list_job *job =
        (struct list_job *)((char *)message - offsetof(struct list_job, message));
    struct conn *conn = conn_find(w->server, job->conn);

    CHECK(job->worker == w);
    if (conn && job->feed.err)
        conn_answer_error(conn, job->feed.err, why_failed(job->feed.err));
    else if (conn && job->feed.op == FEED_ENTRY_DELETE)
        conn_answer(conn, 204, (struct str){NULL, 0}, (struct str){NULL, 0});
    else if (conn)
        answer_done(w, conn, &job->feed);
    job->next_free = w->free_jobs;
    w->free_jobs = job;
}
