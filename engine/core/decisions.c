// SPDX-License-Identifier: Apache-2.0
//
// Batches: many records a request, decided in slices so that a batch never delays a dialer's
// question by more than LIMIT_BATCH_SLICE decisions, and answered in pieces so that its size costs
// no memory. A JSON batch is whole in memory before it starts; NDJSON is read as it comes.
#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/core/consult.h"
#include "engine/core/engine.h"
#include "engine/core/routes.h"
#include "engine/core/stream.h"

#define AT_BYTES_MAX 128 // an instant, every byte of it percent-encoded
// Instants looked at to find when a blocked record may be asked again. Each costs as much as a
// decision and counts as one against LIMIT_BATCH_SLICE.
#define RETRY_STEPS 64

struct batch {
    struct stream_owner owner;
    struct json cursor; // JSON: inside "records"
    struct question_frame frame;
    int64_t at_s;  // instant asked about; 0 = now
    unsigned cost; // of a record lately, in decisions; at least 1
    unsigned left; // decisions that this turn may still take
    bool started;  // a result was written
    bool skipping; // NDJSON: inside a line that is too long
};
static_assert(sizeof(struct batch) <= CONN_USER_BYTES, "a batch lives in its connection");

// How many results may be written now.
static unsigned slice_size(struct worker *w, const struct conn *conn, const struct batch *b)
{
    size_t fit = conn_stream_room(conn) / view_result_bytes_max(worker_view(w));
    unsigned afford = (b->left + b->cost - 1) / b->cost;

    if (fit > afford) fit = afford;
    return fit < LIMIT_TURN_QUESTIONS ? (unsigned)fit : LIMIT_TURN_QUESTIONS;
}

// The record just read, or why there is none, into `q`.
static void ask(struct worker *w, const struct batch *b, enum reason reason, struct question *q)
{
    const struct view *view = worker_view(w);

    if (reason != REASON_ALLOWED) {
        question_from_reason(q, reason);
        return;
    }
    rulebook_alias(view->book, &w->record);
    question_from_record(q, &w->record, &b->frame, view, w->engine->set);
}

// A result with what stands between it and the one before or behind it.
static void put_result(struct buf *out, const struct view *view, const struct verdict *v,
                       bool lines, bool first)
{
    const struct view_result *ready = view_result(view, v);
    unsigned skip = lines || first;

    if (LIKELY(ready)) {
        buf_put(out, ready->text + skip, ready->size_bytes - skip - !lines);
        return;
    }
    if (!skip) buf_char(out, ',');
    verdict_write_result(out, v);
    if (lines) buf_char(out, '\n');
}

static struct verdict decide_one(struct worker *w, const struct question *q, unsigned *cost)
{
    const struct view *view = worker_view(w);
    struct consult_need need = {.count = 0};
    struct verdict v;
    unsigned steps;
    int rule;

    if (UNLIKELY(q->text.size)) consult_look(w, q, &need);
    v = decide(&w->decider, view, q, &rule);
    consult_ahead(w, q, &need);
    worker_count(w, &v);
    *cost += 1;
    if (rule < 0 || v.type == VERDICT_EXTERNAL) return v;
    v.retry_at_s = decide_retry(&w->decider, view, q, q->now_s, RETRY_STEPS, &steps);
    *cost += steps;
    return v;
}

// Decides the first `count` questions of the worker's array and writes their results.
static void write_slice(struct worker *w, struct conn *conn, struct batch *b, unsigned count,
                        bool lines)
{
    const struct view *view = worker_view(w);
    unsigned cost = 0;
    struct buf out;

    if (count == 0) return;
    buf_wrap(&out, conn_stream_space(conn), conn_stream_room(conn));
    worker_fetch(w, count);
    for (unsigned i = 0; i < count; i++) {
        struct verdict v = decide_one(w, &w->pending[i].question, &cost);

        put_result(&out, view, &v, lines, !b->started);
        b->started = true;
    }
    CHECK(!out.failed);
    conn_stream_commit(conn, out.size_bytes);
    b->left -= cost < b->left ? cost : b->left;
    b->cost = (cost + count - 1) / count;
}

static void begin_slice(struct worker *w, struct batch *b)
{
    const struct view *view = worker_hold(w);

    b->frame.now_s = (uint32_t)(b->at_s ? b->at_s : w->decider.wall_s);
    b->left = LIMIT_BATCH_SLICE;
    // what the first records cost is not known before they are decided
    if (!b->cost) b->cost = view->ruled ? LIMIT_BATCH_SLICE / 16 : 1;
}

// -- JSON ------------------------------------------------------------------------------------

static void on_resume_json(struct worker *w, struct conn *conn)
{
    struct batch *b = conn_user(conn);
    unsigned most, count;
    bool more = true;

    worker_flush(w);
    begin_slice(w, b);
    while (more && (most = slice_size(w, conn, b)) > 0) {
        enum reason reason;

        for (count = 0; count < most; count++) {
            more = record_next(&w->record, &b->cursor, worker_view(w)->book->v1_keys, &reason);
            if (!more) break;
            ask(w, b, reason, &w->pending[count].question);
        }
        write_slice(w, conn, b, count, false);
    }
    worker_release(w);
    if (more) return;
    CHECK(!b->cursor.failed); // the whole text was checked before the first result
    if (conn_stream_room(conn) < 2) return;
    conn_stream_write(conn, STR("]}"));
    conn_stream_end(conn);
}

struct batch_head {
    struct str tenant, channel, at, group, records;
    bool reserves;
};

static const char *head_member(struct batch_head *head, struct str key, struct json_value value)
{
    struct str *to;
    enum json_type want = JSON_STRING;

    if (str_eq(key, STR("reserve"))) {
        head->reserves = str_eq(value.text, STR("true"));
        return value.type == JSON_BOOL ? NULL : "\"reserve\" must be true or false";
    }
    if (str_eq(key, STR("records"))) {
        to = &head->records;
        want = JSON_ARRAY;
    } else if (str_eq(key, STR("tenant"))) {
        to = &head->tenant;
    } else if (str_eq(key, STR("channel"))) {
        to = &head->channel;
    } else if (str_eq(key, STR("at"))) {
        to = &head->at;
    } else if (str_eq(key, STR("campaign_group"))) {
        to = &head->group;
    } else {
        return "unknown member: only at, tenant, campaign_group, channel, reserve and records may "
               "stand here";
    }
    if (value.type == JSON_NULL) return NULL;
    if (value.type != want)
        return want == JSON_ARRAY ? "\"records\" must be an array"
                                  : "at, tenant, campaign_group and channel must be strings";
    // the body is ours, and nobody reads this part of it again
    *to =
        want == JSON_STRING ? json_unescape(value, (char *)(uintptr_t)value.text.ptr) : value.text;
    return NULL;
}

// The sentence that says what is wrong with the body, or NULL.
static const char *read_head(struct batch_head *head, struct str body)
{
    struct json j = json_start(body, LIMIT_BATCH_DEPTH);
    struct json_value key, value;
    const char *wrong = NULL;

    if (json_enter(&j) != JSON_OBJECT) return "the body must be a JSON object with \"records\"";
    while (!wrong && json_member(&j, &key, &value)) wrong = head_member(head, key.text, value);
    if (wrong) return wrong;
    if (j.failed || !json_end(&j)) return "the body is not well-formed JSON";
    if (!head->records.ptr) return "\"records\" is missing";
    return NULL;
}

// Tenant, channel and instant of a request into `b`. 0 or ERR_* with *ret_why.
static int frame_init(struct worker *w, const struct http_request *req, struct batch *b,
                      const struct batch_head *head, const char **ret_why)
{
    const struct token *token = token_find(&worker_view(w)->settings.tokens, req->authorization);
    unsigned tenant;
    int64_t at_ns;
    int err;

    *ret_why = "no such tenant, or the token does not reach it";
    err = routes_tenant(w, req, head->tenant, &tenant);
    if (err) return err;
    // a request or token that names a tenant binds all its records
    if (head->tenant.size || (token && token->tenant >= 0))
        b->frame.bound = &w->engine->tenants.tenant[tenant];
    b->frame.channel = CHANNEL_VOICE;
    b->frame.group = head->group;
    b->frame.reserves = head->reserves;
    *ret_why = "\"channel\" must be voice, sms or email";
    if (head->channel.size && !channel_parse(head->channel, &b->frame.channel))
        return ERR_BAD_VALUE;
    *ret_why = "\"at\" must be RFC 3339 with an offset, like 2026-11-22T09:00:00-05:00";
    if (!head->at.size) return 0;
    if (!clock_parse(head->at, &at_ns) || at_ns < 1000000000) return ERR_BAD_INSTANT;
    if (at_ns / 1000000000 >= SET_FOREVER) return ERR_BAD_INSTANT; // it would wrap to another time
    b->at_s = at_ns / 1000000000;
    b->frame.dated = true;
    return 0;
}

static void begin_json(struct worker *w, struct conn *conn, const struct http_request *req)
{
    struct batch *b = conn_user(conn);
    struct batch_head head = {0};
    const char *wrong = read_head(&head, req->body);
    int err = wrong ? ERR_BAD_JSON : frame_init(w, req, b, &head, &wrong);

    if (err) {
        conn_answer_error(conn, err, str_of(wrong));
        return;
    }
    b->owner.on_resume = on_resume_json;
    b->cursor = json_start(head.records, LIMIT_BATCH_DEPTH);
    CHECK(json_enter(&b->cursor) == JSON_ARRAY);
    conn_stream_begin(conn, 200, STR("application/json"));
    conn_stream_write(conn, STR("{\"results\":["));
}

// -- NDJSON ----------------------------------------------------------------------------------

static void on_resume_lines(struct worker *w, struct conn *conn)
{
    // pieces arrive by themselves: there is nothing else to resume
    (void)w;
    (void)conn;
}

static void begin_lines(struct worker *w, struct conn *conn, const struct http_request *req)
{
    struct batch *b = conn_user(conn);
    struct batch_head head = {
        .tenant = http_query(req->query, STR("tenant")),
        .channel = http_query(req->query, STR("channel")),
        .reserves = str_eq(http_query(req->query, STR("reserve")), STR("true")),
    };
    struct str at = http_query(req->query, STR("at"));
    char memory[AT_BYTES_MAX];
    const char *wrong;
    int err;

    // an offset's '+' comes as %2B
    if (at.size > sizeof memory || !http_unescape(at, memory, &head.at)) head.at = at;
    err = frame_init(w, req, b, &head, &wrong);
    if (err) {
        conn_answer_error(conn, err, str_of(wrong));
        return;
    }
    b->owner.on_resume = on_resume_lines;
    conn_stream_begin(conn, 200, STR("application/x-ndjson"));
}

// Takes one line off `rest`. False when none is complete.
static bool take_line(struct batch *b, struct str *rest, bool last, struct str *ret_line,
                      bool *ret_too_long)
{
    const char *end = rest->size ? memchr(rest->ptr, '\n', rest->size) : NULL;
    size_t size = end ? (size_t)(end - rest->ptr) : rest->size;

    if (!end && !(last && rest->size > 0) && rest->size < LIMIT_RECORD_BYTES) return false;
    *ret_line = str_trim(str_make(rest->ptr, size));
    *ret_too_long = !end && !last;
    size += end != NULL;
    rest->ptr += size;
    rest->size -= size;
    if (b->skipping) { // the tail of a line that already has its result
        b->skipping = *ret_too_long;
        *ret_too_long = false;
        ret_line->size = 0;
    }
    return true;
}

// Reads up to `most` lines into the worker's questions.
static unsigned read_lines(struct worker *w, struct batch *b, struct str *rest, bool last,
                           unsigned most)
{
    unsigned count = 0;
    struct str line;
    bool too_long;

    while (count < most && take_line(b, rest, last, &line, &too_long)) {
        enum reason reason = REASON_ALLOWED;

        if (too_long) {
            reason = REASON_TOO_LARGE;
            b->skipping = true;
        } else if (line.size == 0) {
            continue; // a blank line asks nothing
        } else {
            record_parse(&w->record, line, worker_view(w)->book->v1_keys, &reason);
        }
        ask(w, b, reason, &w->pending[count++].question);
    }
    return count;
}

size_t decisions_on_piece(void *ctx, struct conn *conn, struct str piece, bool last)
{
    struct worker *w = ctx;
    struct batch *b = conn_user(conn);
    struct str rest = piece;
    unsigned most;

    worker_flush(w);
    begin_slice(w, b);
    while ((most = slice_size(w, conn, b)) > 0) {
        unsigned count = read_lines(w, b, &rest, last, most);

        if (count == 0) break;
        write_slice(w, conn, b, count, true);
    }
    worker_release(w);
    if (last && rest.size == 0) conn_stream_end(conn);
    return piece.size - rest.size;
}

void decisions_on_request(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;

    worker_flush(w);
    if (req->streamed)
        begin_lines(w, conn, req);
    else
        begin_json(w, conn, req);
}
