// SPDX-License-Identifier: Apache-2.0
#include "engine/core/text.h"

#include <stdatomic.h>

#include "engine/base/check.h"
#include "engine/core/stream.h"

#define SMALL_BYTES 8192

struct text {
    struct stream_owner owner;
    struct buf body;
    size_t sent_bytes;
};
static_assert(sizeof(struct text) <= CONN_USER_BYTES, "a text lives in its connection");

static void on_resume(struct worker *w, struct conn *conn);
static void on_gone(struct worker *w, struct conn *conn);

// Memory of bodies that wait.
static _Atomic size_t waiting_bytes;

// Takes the memory over; false when too much waits already.
static bool begin_waiting(struct text *t, struct buf *body)
{
    size_t before = atomic_fetch_add(&waiting_bytes, body->cap_bytes);
    // whoever hoards rule sets must not keep an operator from his metrics
    size_t most = body->cap_bytes <= TEXT_SHORT_BYTES ? 2 * TEXT_WAITING_MAX : TEXT_WAITING_MAX;

    if (before + body->cap_bytes > most) {
        atomic_fetch_sub(&waiting_bytes, body->cap_bytes);
        return false;
    }
    *t = (struct text){.owner = {on_resume, on_gone}, .body = *body};
    *body = (struct buf){0};
    return true;
}

static void end_waiting(struct text *t)
{
    atomic_fetch_sub(&waiting_bytes, t->body.cap_bytes);
    buf_done(&t->body);
}

static void on_gone(struct worker *w, struct conn *conn)
{
    (void)w;
    end_waiting(conn_user(conn));
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
    end_waiting(t);
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
    } else if (begin_waiting(t, body)) {
        conn_stream_begin_with(conn, status, content_type, headers);
    } else {
        conn_answer_error(conn, ERR_BUSY, STR("too many long answers wait to be read; try again"));
        buf_done(body);
    }
}
