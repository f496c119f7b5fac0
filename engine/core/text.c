// SPDX-License-Identifier: Apache-2.0
#include "engine/core/text.h"

#include "engine/base/check.h"
#include "engine/core/stream.h"

#define SMALL_BYTES 8192

struct text {
    struct stream_owner owner;
    struct buf body;
    size_t sent_bytes;
};
static_assert(sizeof(struct text) <= CONN_USER_BYTES, "a text lives in its connection");

static void on_gone(struct worker *w, struct conn *conn)
{
    struct text *t = conn_user(conn);

    (void)w;
    buf_done(&t->body);
}

static void on_resume(struct worker *w, struct conn *conn)
{
    struct text *t = conn_user(conn);
    size_t room = conn_stream_room(conn), left = t->body.size_bytes - t->sent_bytes;
    size_t n = left < room ? left : room;

    (void)w;
    if (n > 0) conn_stream_write(conn, str_make(t->body.ptr + t->sent_bytes, n));
    t->sent_bytes += n;
    if (t->sent_bytes < t->body.size_bytes) return;
    buf_done(&t->body);
    t->owner.on_gone = NULL;
    conn_stream_end(conn);
}

void text_answer(struct conn *conn, unsigned status, struct str content_type, struct buf *body)
{
    text_answer_with(conn, status, content_type, (struct str){0}, body);
}

void text_answer_with(struct conn *conn, unsigned status, struct str content_type,
                      struct str headers, struct buf *body)
{
    struct text *t = conn_user(conn);

    CHECK(body->owned);
    if (body->failed) {
        conn_answer_error(conn, ERR_NOMEM, STR("the answer did not fit in memory"));
        buf_done(body);
    } else if (body->size_bytes <= SMALL_BYTES) {
        conn_answer_with(conn, status, content_type, headers, buf_view(body));
        buf_done(body);
    } else {
        *t = (struct text){.owner = {on_resume, on_gone}, .body = *body};
        *body = (struct buf){0};
        conn_stream_begin_with(conn, status, content_type, headers);
    }
}
