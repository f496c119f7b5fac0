// SPDX-License-Identifier: Apache-2.0
//
// GET /v1/lists/{list}/rejected: the report of the rows that were no entries, streamed from its
// file.
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/core/engine.h"
#include "engine/core/routes.h"
#include "engine/core/stream.h"

#define PIECE_BYTES 16384

struct report {
    struct stream_owner owner;
    int fd;
};
static_assert(sizeof(struct report) <= CONN_USER_BYTES, "a report lives in its connection");

static void on_gone(struct worker *w, struct conn *conn)
{
    struct report *r = conn_user(conn);

    (void)w;
    close(r->fd);
}

static void on_resume(struct worker *w, struct conn *conn)
{
    struct report *r = conn_user(conn);
    size_t room = conn_stream_room(conn);
    char piece[PIECE_BYTES];
    ssize_t n;

    if (room == 0) return;
    n = read(r->fd, piece, room < sizeof piece ? room : sizeof piece);
    if (n > 0) {
        conn_stream_write(conn, str_make(piece, (size_t)n));
        return;
    }
    on_gone(w, conn);
    r->owner.on_gone = NULL;
    if (n < 0)
        conn_stream_abort(conn); // half a report must not look whole
    else
        conn_stream_end(conn);
}

void rejected_on_request(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    const struct view_list *list;
    struct report *r = conn_user(conn);
    unsigned tenant;
    int fd, err;

    worker_flush(w);
    list = routes_list(w, conn, req, &tenant);
    if (!list) return;
    err = feed_rejected(w->engine->feed, list->list.number, &fd);
    if (err) {
        conn_answer_error(conn, err, STR("no row was rejected at the last load of that list"));
        return;
    }
    *r = (struct report){.owner = {on_resume, on_gone}, .fd = fd};
    conn_stream_begin(conn, 200, STR("text/csv; charset=utf-8"));
}
