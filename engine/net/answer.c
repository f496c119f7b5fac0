// SPDX-License-Identifier: Apache-2.0
#include "engine/net/conn.h"

#include <stdio.h>
#include <stdlib.h>

// A chunk's head has a fixed width, so that it can be written before the size is known.
#define CHUNK_HEAD  6 // "7fff" CR LF
#define CHUNK_TAIL  2
#define STREAM_TAIL 5 // "0" CR LF CR LF
#define MORE_BYTES  ((size_t)1 << 30)

static_assert(LIMIT_SEND_BYTES <= 0xffff, "a chunk's size has four digits");
static_assert(LIMIT_SEND_BYTES >= CONN_WAITING * CONN_ANSWER, "waiting requests are sure of room");

// `size` bytes to fill at the end of what is to be sent; commit() says how many were used. NULL:
// out of memory, and the connection will be closed.
static char *reserve(struct conn *c, size_t size)
{
    conn_touch(c);
    if (c->more.size_bytes == 0 && c->out_cap - c->out_size >= size) return c->out + c->out_size;
    if (c->more.max_bytes == 0) buf_init(&c->more, MORE_BYTES);
    if (!buf_reserve(&c->more, size)) {
        c->broken = true;
        return NULL;
    }
    return c->more.ptr + c->more.size_bytes;
}

static void commit(struct conn *c, const char *at, size_t size)
{
    if (at == c->out + c->out_size)
        c->out_size += size;
    else
        c->more.size_bytes += size;
}

bool answer_has_room(const struct conn *c)
{
    return c->more.size_bytes == 0 &&
           c->out_size + (c->waiting + 1) * CONN_ANSWER <= LIMIT_SEND_BYTES && !c->out_heap;
}

// Which of the four heads: bit 0 close, bit 1 HTTP/1.0.
static unsigned variant_of(struct conn *c)
{
    bool alone = c->waiting == 1;

    if (alone && c->phase == CONN_STREAM) intake_skip_body(c);
    if (alone && c->server->draining && !conn_is_followed(c)) c->last = true;
    return (alone && c->last ? 1u : 0u) | (c->minors & 1 ? 0u : 2u);
}

static void count(struct conn *c, unsigned status)
{
    struct metric_block *m = c->server->metrics;

    metric_add(m, METRIC_HTTP_REQUESTS, 1);
    if (status < 300)
        metric_add(m, METRIC_HTTP_2XX, 1);
    else if (status >= 500)
        metric_add(m, METRIC_HTTP_5XX, 1);
    else if (status >= 400)
        metric_add(m, METRIC_HTTP_4XX, 1);
}

// The oldest waiting request has its whole answer.
static void answered(struct conn *c)
{
    struct server *s = c->server;

    CHECK(c->waiting > 0);
    c->waiting--;
    c->minors >>= 1;
    if (c->arrived_ns == s->now_ns || !c->arrived_ns)
        s->answered++;
    else
        metric_time(s->metrics, (uint64_t)(s->now_ns - c->arrived_ns), 1);
    if (c->waiting) return;
    c->deferred = c->streaming = c->head_only = false;
    c->ticket++;
    conn_drop_body(c);
}

static size_t put_head(char *at, unsigned variant, unsigned status, struct str content_type,
                       struct str headers, const char *framing)
{
    static const char *const connection[4] = {
        "", "Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: close\r\n"};
    struct buf b;

    buf_wrap(&b, at, 256 + content_type.size + headers.size);
    buf_lit(&b, "HTTP/1.1 ");
    buf_u64(&b, status);
    buf_char(&b, ' ');
    buf_str(&b, str_of(http_reason(status)));
    if (content_type.size) {
        buf_lit(&b, "\r\nContent-Type: ");
        buf_str(&b, content_type);
    }
    buf_lit(&b, "\r\n");
    buf_str(&b, headers);
    buf_str(&b, str_of(framing));
    buf_str(&b, str_of(connection[variant]));
    buf_lit(&b, "\r\n");
    CHECK(!b.failed);
    return b.size_bytes;
}

void conn_answer_canned(struct conn *c, const struct http_canned *answer)
{
    unsigned variant;
    char *at;

    CHECK(c->waiting > 0 && !c->streaming);
    variant = variant_of(c);
    at = reserve(c, answer->size[variant]);
    if (at) {
        memcpy(at, answer->bytes[variant], answer->size[variant]);
        commit(c, at, answer->size[variant]);
    }
    count(c, answer->status);
    answered(c);
}

void conn_answer_with(struct conn *c, unsigned status, struct str content_type, struct str headers,
                      struct str body)
{
    char framing[48], *at;
    unsigned variant;

    CHECK(c->waiting > 0 && !c->streaming);
    variant = variant_of(c);
    at = reserve(c, 256 + content_type.size + headers.size + body.size);
    if (at) {
        framing[0] = '\0';
        if (status != 204) snprintf(framing, sizeof framing, "Content-Length: %zu\r\n", body.size);
        size_t size = put_head(at, variant, status, content_type, headers, framing);
        if (!c->head_only && body.size && status != 204) {
            memcpy(at + size, body.ptr, body.size);
            size += body.size;
        }
        commit(c, at, size);
    }
    count(c, status);
    answered(c);
}

void conn_answer(struct conn *c, unsigned status, struct str content_type, struct str body)
{
    conn_answer_with(c, status, content_type, (struct str){0}, body);
}

static void answer_problem(struct conn *c, int err, struct str headers, struct str detail)
{
    char memory[1024];
    struct buf b;

    buf_wrap(&b, memory, sizeof memory);
    http_problem(&b, err, detail);
    if (b.failed) { // a detail too long for a sentence
        buf_reset(&b);
        http_problem(&b, err, (struct str){0});
    }
    conn_answer_with(c, (unsigned)err_http_status(err), STR("application/problem+json"), headers,
                     buf_view(&b));
}

void conn_answer_error(struct conn *c, int err, struct str detail)
{
    struct str headers = {0};

    if (err == ERR_UNAUTHORIZED) headers = STR("WWW-Authenticate: Bearer\r\n");
    if (err == ERR_BUSY || err == ERR_FULL) headers = STR("Retry-After: 1\r\n");
    answer_problem(c, err, headers, detail);
}

void answer_refuse(struct conn *c, int err, struct str headers, bool broken)
{
    CHECK(c->waiting == 0);
    c->waiting = 1;
    c->arrived_ns = 0;
    if (broken) {
        c->minors = 1;
        c->last = c->unread = true;
        c->why = err == ERR_TIMEOUT ? METRIC_CLOSED_SLOW : METRIC_CLOSED_BROKEN;
        metric_add(c->server->metrics, METRIC_HTTP_BROKEN, 1);
    }
    if (headers.size)
        answer_problem(c, err, headers, (struct str){0});
    else
        conn_answer_error(c, err, (struct str){0});
}

void answer_continue(struct conn *c)
{
    struct str line = STR("HTTP/1.1 100 Continue\r\n\r\n");
    char *at = reserve(c, line.size);

    if (!at) return;
    memcpy(at, line.ptr, line.size);
    commit(c, at, line.size);
}

// -- streams ---------------------------------------------------------------------------------

void conn_stream_begin(struct conn *c, unsigned status, struct str content_type)
{
    conn_stream_begin_with(c, status, content_type, (struct str){0});
}

void conn_stream_begin_with(struct conn *c, unsigned status, struct str content_type,
                            struct str headers)
{
    unsigned variant;
    char *at;

    CHECK(c->waiting == 1 && !c->streaming);
    c->chunked = c->minors & 1;
    if (!c->chunked || (c->server->draining && !conn_is_followed(c) && c->phase == CONN_HEAD))
        c->last = true;
    variant = (c->last ? 1u : 0u) | (c->chunked ? 0u : 2u);
    at = reserve(c, 256 + content_type.size + headers.size);
    if (at)
        commit(c, at,
               put_head(at, variant, status, content_type, headers,
                        c->chunked ? "Transfer-Encoding: chunked\r\n" : ""));
    c->streaming = true;
    c->chunk_open = false;
    conn_pin(c);
    count(c, status);
}

static size_t overhead(const struct conn *c)
{
    if (!c->chunked) return 0;
    return (c->chunk_open ? 0 : CHUNK_HEAD) + CHUNK_TAIL + STREAM_TAIL;
}

size_t conn_stream_room(const struct conn *c)
{
    size_t used = c->out_size + overhead(c);

    if (!c->streaming || c->more.size_bytes || c->out_heap || c->broken) return 0;
    return used < c->out_cap ? c->out_cap - used : 0;
}

char *conn_stream_space(struct conn *c)
{
    CHECK(c->streaming);
    return c->out + c->out_size + (c->chunked && !c->chunk_open ? CHUNK_HEAD : 0);
}

void conn_stream_commit(struct conn *c, size_t size_bytes)
{
    CHECK(c->streaming);
    if (size_bytes == 0 || c->broken) return;
    CHECK(size_bytes <= conn_stream_room(c));
    if (c->chunked && !c->chunk_open) {
        c->chunk_at = c->out_size;
        c->out_size += CHUNK_HEAD;
        c->chunk_open = true;
    }
    c->out_size += size_bytes;
    conn_touch(c);
}

void conn_stream_write(struct conn *c, struct str data)
{
    CHECK(c->streaming);
    if (data.size == 0 || c->broken) return;
    CHECK(data.size <= conn_stream_room(c));
    memcpy(conn_stream_space(c), data.ptr, data.size);
    conn_stream_commit(c, data.size);
}

static void close_chunk(struct conn *c)
{
    size_t size = c->out_size - c->chunk_at - CHUNK_HEAD;
    char head[CHUNK_HEAD + 1];

    if (!c->chunk_open) return;
    snprintf(head, sizeof head, "%04zx\r\n", size);
    memcpy(c->out + c->chunk_at, head, CHUNK_HEAD);
    memcpy(c->out + c->out_size, "\r\n", CHUNK_TAIL);
    c->out_size += CHUNK_TAIL;
    c->chunk_open = false;
}

void conn_stream_end(struct conn *c)
{
    char *at;

    CHECK(c->streaming && c->waiting == 1);
    close_chunk(c);
    if (c->chunked) {
        at = reserve(c, STREAM_TAIL);
        if (at) {
            memcpy(at, "0\r\n\r\n", STREAM_TAIL);
            commit(c, at, STREAM_TAIL);
        }
    }
    if (c->phase == CONN_STREAM) intake_skip_body(c);
    conn_touch(c);
    answered(c);
}

void conn_stream_abort(struct conn *c)
{
    CHECK(c->streaming);
    c->reset = true;
    c->waiting = 0; // the handler knows
    conn_close(c, METRIC_CLOSED_DONE);
}

// -- sending ---------------------------------------------------------------------------------

static void next_out(struct conn *c)
{
    if (c->out_heap) free(c->out);
    c->out_heap = c->more.size_bytes > 0;
    c->out_sent = 0;
    if (c->out_heap) {
        c->out = c->more.ptr;
        c->out_size = c->out_cap = c->more.size_bytes;
        memset(&c->more, 0, sizeof c->more);
        return;
    }
    c->out = c->server->out_memory + c->slot * CONN_OUT_STRIDE;
    c->out_cap = LIMIT_SEND_BYTES;
    c->out_size = 0;
}

void answer_sent(struct conn *c, int result)
{
    if (result < 0) {
        c->broken = true;
        conn_touch(c);
        return;
    }
    metric_add(c->server->metrics, METRIC_BYTES_OUT, (uint64_t)result);
    c->out_sent += (size_t)result;
    CHECK(c->out_sent <= c->out_size);
    if (c->out_sent == c->out_size) next_out(c);
    if (c->out_size || c->last || c->waiting || conn_has_input(c) || c->state == CONN_SEND) {
        c->progress = true;
        conn_touch(c);
    }
}

void answer_flush(struct conn *c)
{
    struct server *s = c->server;
    int result;

    close_chunk(c);
    if (c->out_size == 0 && c->more.size_bytes) next_out(c);
    while (!c->send_busy && !c->broken && c->out_size > c->out_sent) {
        c->send_busy = s->poll->ops->send(s->poll, c, &result);
        if (!c->send_busy) {
            answer_sent(c, result);
            continue;
        }
        c->send_turn = s->turns;
        CHECK(s->sending.count < s->slots);
        s->sending.at[s->sending.count++] = c;
    }
}
