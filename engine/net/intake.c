// SPDX-License-Identifier: Apache-2.0
#include "engine/net/conn.h"

#define TAKE_MORE   0    // what is there is no whole head
#define TAKE_WAIT   (-1) // on_turn has to come first
#define BORROW_STEP 1024
#define PIECE_MAX   (LIMIT_SMALL_BODY_BYTES + 4096)
// A handler that takes nothing of a piece has seen an unfinished part, never a lack of room.
#define PIECE_ROOM  (LIMIT_SEND_BYTES / 4)
#define ALLOW_BYTES 96

static_assert(CONN_IN_BYTES >= LIMIT_HEADER_BYTES + PIECE_MAX, "a head and its body fit a slot");
static_assert(CONN_IN_BYTES >= 2 * LIMIT_HEADER_BYTES + LIMIT_SMALL_BODY_BYTES, "and a head more");

struct arrival {
    struct http1_head head;
    struct http_request req;
    size_t head_size;
    int buffer; // that it lies in, or CONN_NO_BUFFER
    bool stream;
};

static bool is_in_slot(const struct conn *c, struct str in)
{
    return in.ptr >= c->in && in.ptr < c->in + CONN_IN_BYTES;
}

// Does anything follow the first `size` bytes of `in`?
static bool is_followed(const struct conn *c, struct str in, size_t size)
{
    if (size < in.size) return true;
    if (is_in_slot(c, in)) return c->held_first != CONN_NO_BUFFER;
    return c->server->held_next[c->held_first] != CONN_NO_BUFFER;
}

// Where leftovers may lie without harm to views and to a body being collected.
static uint32_t free_from(const struct conn *c)
{
    if (c->phase == CONN_STREAM) return c->keep + PIECE_MAX;
    return c->phase == CONN_WHOLE ? c->keep + LIMIT_SMALL_BODY_BYTES : c->keep;
}

bool intake_blocked(const struct conn *c)
{
    if (!conn_is_live(c) || c->broken) return true;
    switch (c->phase) {
    case CONN_HEAD:
        if (c->last || !answer_has_room(c)) return true;
        if (c->waiting == 0) return false;
        return c->deferred || c->streaming || c->round != c->server->round ||
               c->waiting >= CONN_WAITING;
    case CONN_STREAM:
        return c->deferred || (c->streaming && conn_stream_room(c) < PIECE_ROOM);
    default:
        return false;
    }
}

void intake_skip_body(struct conn *c)
{
    bool drain = !http1_body_chunked(&c->body) && c->body.left_bytes <= LIMIT_DRAIN_BYTES &&
                 !c->continue_due && !c->last;

    c->phase = CONN_HEAD;
    c->piece_size = 0;
    if (http1_body_done(&c->body)) return;
    if (drain)
        c->phase = CONN_DRAIN;
    else
        c->last = c->unread = true;
}

static void refuse(struct conn *c, const struct http1_head *h, int err, struct str headers)
{
    CHECK(c->waiting == 0);
    c->minors = h->minor;
    c->head_only = h->head_only;
    if (!h->keep_alive) c->last = true;
    intake_skip_body(c);
    conn_drop_body(c);
    answer_refuse(c, err, headers, false);
}

static void refuse_broken(struct conn *c, int err)
{
    c->phase = CONN_HEAD;
    if (c->waiting) { // a stream has begun: only breaking off tells the client
        c->reset = true;
        conn_close(c, METRIC_CLOSED_BROKEN);
        return;
    }
    answer_refuse(c, err, (struct str){0}, true);
}

static void hand_over(struct conn *c, const struct http_request *req, bool keep_alive)
{
    struct server *s = c->server;

    c->minors |= (uint64_t)req->minor << c->waiting;
    c->waiting++;
    c->route = req->route;
    c->round = s->round;
    c->arrived_ns = s->now_ns;
    c->progress = true;
    if (!keep_alive) c->last = true;
    if (c->user_used) memset(c->user, 0, sizeof c->user);
    c->user_used = false;
    req->route->on_request(s->handler.ctx, c, req);
}

static size_t body_max(const struct route *route)
{
    return route->body == ROUTE_NO_BODY ? LIMIT_SMALL_BODY_BYTES : route->body_max_bytes;
}

// Hands over a request whose body is (or turned out) too large.
static void hand_over_too_large(struct conn *c, const struct http1_head *h,
                                struct http_request *req)
{
    if (!req->route->too_large_ok) {
        refuse(c, h, ERR_BODY_TOO_LARGE, (struct str){0});
        return;
    }
    req->body = (struct str){0};
    req->body_too_large = true;
    if (!h->keep_alive) c->last = true;
    intake_skip_body(c);
    conn_drop_body(c);
    c->request_buffer = CONN_NO_BUFFER;
    hand_over(c, req, h->keep_alive);
}

// The type without its parameters decides.
static bool is_stream(const struct route *route, struct str content_type)
{
    struct str rest;

    if (route->body == ROUTE_STREAM || !route->stream_type) return route->body == ROUTE_STREAM;
    return str_eq_nocase(str_trim(str_cut(content_type, ';', &rest)), str_of(route->stream_type));
}

// Member by member, for every request pays for it: what clears such a struct as a whole costs more
// than finding the route.
static void request_init(struct http_request *req, const struct http1_head *h)
{
    req->route = NULL;
    req->method = h->method;
    req->minor = h->minor;
    req->path = h->path;
    req->query = h->query;
    for (int i = 0; i < HTTP_PARAMS_MAX; i++) req->param[i] = (struct str){0};
    req->content_type = h->content_type;
    req->authorization = h->authorization;
    req->accept = h->accept;
    req->body = (struct str){0};
    req->streamed = req->body_too_large = false;
}

// May this head's request be taken at all? 0 or ERR_*.
static int admit(struct conn *c, struct arrival *a, struct buf *allow)
{
    struct server *s = c->server;
    struct http1_head *h = &a->head;
    int err = 0;

    request_init(&a->req, h);
    a->req.route = route_find(s->handler.routes, s->handler.route_count, h->method, h->path,
                              a->req.param, &err, allow);
    if (!a->req.route) return err;
    a->stream = is_stream(a->req.route, h->content_type);
    a->req.streamed = a->stream;
    if (!a->req.route->open && s->handler.on_auth) {
        err = s->handler.on_auth(s->handler.ctx, &a->req);
        if (err) return err;
    }
    // A PUT without a length has an empty body (the path says it all); no POST of ours can.
    if (a->req.route->body != ROUTE_NO_BODY && !h->has_length && !h->chunked &&
        h->method == HTTP_POST)
        return ERR_LENGTH_REQUIRED;
    return 0;
}

static void shift(struct str *s, const char *from, size_t size, char *to)
{
    if (s->ptr >= from && s->ptr <= from + size) s->ptr = to + (s->ptr - from);
}

// Moves the head into the slot, where it stays while the body comes. False: no room before
// on_turn.
static bool keep_head(struct conn *c, struct arrival *a, struct str in)
{
    struct http_request *req = &a->req;
    size_t size = a->head_size;
    char *to = c->in + c->keep;

    if (is_in_slot(c, in)) {
        if ((size_t)(in.ptr - c->in) + size + PIECE_MAX > CONN_IN_BYTES) return false;
        c->keep = (uint32_t)(in.ptr - c->in + (ptrdiff_t)size);
        return true;
    }
    if (c->keep + size + PIECE_MAX > CONN_IN_BYTES) return false;
    memcpy(to, in.ptr, size);
    shift(&req->path, in.ptr, size, to);
    shift(&req->query, in.ptr, size, to);
    shift(&req->content_type, in.ptr, size, to);
    shift(&req->authorization, in.ptr, size, to);
    shift(&req->accept, in.ptr, size, to);
    for (int i = 0; i < HTTP_PARAMS_MAX; i++) shift(&req->param[i], in.ptr, size, to);
    c->keep += (uint32_t)size;
    if (c->in_high < c->keep) c->in_high = c->keep;
    return true;
}

static bool get_batch(struct conn *c)
{
    struct server *s = c->server;

    if (s->batch_free_count == 0) return false;
    c->batch = (int)s->batch_free[--s->batch_free_count];
    c->whole = s->batches + (size_t)c->batch * s->batch_bytes;
    return true;
}

// The body is not here as a whole: collects it, or streams it on.
static ssize_t begin_body(struct conn *c, struct arrival *a, struct str in)
{
    struct http1_head *h = &a->head;
    if (!keep_head(c, a, in)) return TAKE_WAIT;
    c->whole = c->in + c->keep;
    c->whole_size = 0;
    c->piece_size = 0;
    c->whole_max = body_max(a->req.route);
    c->request_buffer = CONN_NO_BUFFER;
    c->phase = a->stream ? CONN_STREAM : CONN_WHOLE;
    c->req = a->req;
    if (!a->stream && h->length_bytes > LIMIT_SMALL_BODY_BYTES && !get_batch(c)) {
        refuse(c, h, ERR_BUSY, (struct str){0});
        return (ssize_t)a->head_size;
    }
    if (h->expect) answer_continue(c);
    c->continue_due = false;
    c->keep_alive = h->keep_alive;
    if (!a->stream) return (ssize_t)a->head_size;
    hand_over(c, &c->req, h->keep_alive);
    if (c->phase == CONN_STREAM && http1_body_done(&c->body)) c->again = true; // say `last`
    return (ssize_t)a->head_size;
}

static ssize_t hand_over_here(struct conn *c, struct arrival *a, struct str in)
{
    size_t size = a->head_size + (size_t)a->head.length_bytes;

    a->req.body = a->head.length_bytes && a->req.route->body != ROUTE_NO_BODY
                      ? str_make(in.ptr + a->head_size, (size_t)a->head.length_bytes)
                      : str_make(in.ptr + a->head_size, 0);
    c->request_buffer = a->head.length_bytes ? a->buffer : CONN_NO_BUFFER; // no body to keep
    if (is_in_slot(c, in)) c->keep = (uint32_t)(in.ptr - c->in + (ptrdiff_t)size);
    c->continue_due = false;
    c->head_only = a->head.head_only;
    hand_over(c, &a->req, a->head.keep_alive);
    return (ssize_t)size;
}

// A request that is wholly here and small, for a route that takes bodies whole?
static bool is_here(const struct conn *c, const struct arrival *a, struct str in)
{
    const struct http1_head *h = &a->head;

    return !h->chunked && !a->stream && h->length_bytes <= body_max(a->req.route) &&
           h->length_bytes <= in.size - a->head_size &&
           (a->buffer == CONN_NO_BUFFER || h->length_bytes == 0 ||
            c->server->kept <= CONN_KEPT_MAX);
}

static ssize_t take_head(struct conn *c, struct str in, int buffer)
{
    char allow_memory[ALLOW_BYTES];
    struct arrival a;
    struct buf allow;
    ssize_t size;
    int err;

    size = http1_parse_head(in, &a.head);
    if (size == 0) return TAKE_MORE;
    if (size < 0) {
        if (c->waiting) return TAKE_WAIT;
        refuse_broken(c, (int)size);
        return (ssize_t)in.size;
    }
    a.head_size = (size_t)size;
    a.buffer = buffer;
    a.stream = false;
    c->followed = is_followed(c, in, a.head_size + (size_t)a.head.length_bytes);
    buf_wrap(&allow, allow_memory, sizeof allow_memory);
    buf_lit(&allow, "Allow: ");
    err = admit(c, &a, &allow);
    if (!err && is_here(c, &a, in) && (c->waiting == 0 || a.req.route == c->route))
        return hand_over_here(c, &a, in);
    // anything but more of the same is answered at once, so it waits for what came before
    if (c->waiting) return TAKE_WAIT;
    http1_body_init(&c->body, &a.head);
    c->continue_due = a.head.expect && !http1_body_done(&c->body);
    if (err) {
        buf_lit(&allow, "\r\n");
        refuse(c, &a.head, err, err == ERR_METHOD ? buf_view(&allow) : (struct str){0});
        return size;
    }
    if (a.head.length_bytes > body_max(a.req.route) && !a.stream) {
        hand_over_too_large(c, &a.head, &a.req);
        return size;
    }
    return begin_body(c, &a, in);
}

// 0, ERR_BODY_TOO_LARGE or ERR_BUSY.
static int collect(struct conn *c, struct str data)
{
    size_t size = c->whole_size + data.size;
    char *small = c->whole;

    if (size > c->whole_max) return ERR_BODY_TOO_LARGE;
    if (c->batch < 0 && size > LIMIT_SMALL_BODY_BYTES) {
        if (!get_batch(c)) return ERR_BUSY;
        memcpy(c->whole, small, c->whole_size);
    }
    memmove(c->whole + c->whole_size, data.ptr, data.size); // chunks move down within the slot
    c->whole_size = size;
    if (c->batch < 0 && c->in_high < c->keep + size) c->in_high = (uint32_t)(c->keep + size);
    return 0;
}

static void collect_failed(struct conn *c, int err)
{
    struct http1_head h = {.minor = c->req.minor, .keep_alive = c->keep_alive};

    if (err == ERR_BODY_TOO_LARGE)
        hand_over_too_large(c, &h, &c->req);
    else
        refuse(c, &h, err, (struct str){0});
}

static ssize_t take_whole(struct conn *c, struct str in)
{
    size_t at = 0;
    struct str data;

    while (at < in.size && !http1_body_done(&c->body)) {
        ssize_t n = http1_body_next(&c->body, str_make(in.ptr + at, in.size - at), &data);
        if (n < 0) {
            conn_drop_body(c);
            refuse_broken(c, (int)n);
            return (ssize_t)in.size;
        }
        at += (size_t)n;
        int err = data.size ? collect(c, data) : 0;
        if (err) {
            collect_failed(c, err);
            return (ssize_t)at;
        }
    }
    if (!http1_body_done(&c->body)) return (ssize_t)at;
    c->phase = CONN_HEAD;
    c->followed = is_followed(c, in, at);
    if (c->batch < 0) c->keep += (uint32_t)c->whole_size;
    c->req.body = str_make(c->whole, c->req.route->body == ROUTE_NO_BODY ? 0 : c->whole_size);
    hand_over(c, &c->req, c->keep_alive);
    return (ssize_t)at;
}

// Gives the handler what there is; the rest stays in front of what comes.
static void offer(struct conn *c, struct str data)
{
    struct server *s = c->server;
    bool last = http1_body_done(&c->body);
    size_t used = s->handler.on_piece(s->handler.ctx, c, data, last);

    CHECK(used <= data.size);
    if (c->phase != CONN_STREAM || !conn_is_live(c)) return;
    c->progress = true;
    c->piece_size = (uint32_t)(data.size - used);
    memmove(c->in + c->keep, data.ptr + used, c->piece_size);
    if (c->in_high < c->keep + c->piece_size) c->in_high = c->keep + c->piece_size;
    if (last && c->piece_size == 0)
        c->phase = CONN_HEAD;
    else if (last || (used && c->piece_size))
        c->again = true;
    else if (c->piece_size == PIECE_MAX)
        refuse_broken(c, ERR_BODY_TOO_LARGE);
}

static ssize_t take_stream(struct conn *c, struct str in)
{
    size_t at = 0;
    struct str data;
    ssize_t n;

    if (in.size > LIMIT_SMALL_BODY_BYTES) in.size = LIMIT_SMALL_BODY_BYTES;
    if (c->piece_size == 0 && c->body.step == HTTP1_PLAIN) {
        n = http1_body_next(&c->body, in, &data);
        offer(c, data);
        return n;
    }
    while (at < in.size && !http1_body_done(&c->body) && c->piece_size < PIECE_MAX) {
        size_t room = PIECE_MAX - c->piece_size;

        if (room > in.size - at) room = in.size - at;
        n = http1_body_next(&c->body, str_make(in.ptr + at, room), &data);
        if (n < 0) {
            refuse_broken(c, (int)n);
            return (ssize_t)in.size;
        }
        memmove(c->in + c->keep + c->piece_size, data.ptr, data.size);
        c->piece_size += (uint32_t)data.size;
        at += (size_t)n;
    }
    if (c->piece_size || http1_body_done(&c->body))
        offer(c, str_make(c->in + c->keep, c->piece_size));
    return at ? (ssize_t)at : TAKE_WAIT;
}

static ssize_t take_drain(struct conn *c, struct str in)
{
    struct str data;
    ssize_t n = http1_body_next(&c->body, in, &data);

    CHECK(n > 0);
    // no progress: what nobody wants has the time of a request, however it trickles
    if (http1_body_done(&c->body)) c->phase = CONN_HEAD;
    return n;
}

static ssize_t take_phase(struct conn *c, struct str in, int buffer)
{
    switch (c->phase) {
    case CONN_WHOLE:
        return take_whole(c, in);
    case CONN_STREAM:
        return take_stream(c, in);
    case CONN_DRAIN:
        return take_drain(c, in);
    default:
        return take_head(c, in, buffer);
    }
}

static ssize_t take(struct conn *c, struct str in, int buffer)
{
    ssize_t n;

    c->taking = c->followed = true;
    n = take_phase(c, in, buffer);
    c->taking = false;
    return n;
}

static struct str held(const struct conn *c)
{
    struct server *s = c->server;

    return str_make(poll_buffer(s->poll, c->held_first) + c->held_at,
                    s->held_size[c->held_first] - c->held_at);
}

static void held_used(struct conn *c, size_t size)
{
    c->held_at += (uint32_t)size;
    if (c->held_first != CONN_NO_BUFFER && c->held_at == c->server->held_size[c->held_first])
        conn_unhold(c);
}

// Copies from the first held buffer behind the leftovers. How many bytes there was room for.
static size_t append(struct conn *c, size_t size)
{
    struct str from = held(c);

    if (c->raw_start == c->raw_end) c->raw_start = c->raw_end = free_from(c);
    if (size > from.size) size = from.size;
    if (c->raw_end >= CONN_IN_BYTES) return 0;
    if (size > CONN_IN_BYTES - c->raw_end) size = CONN_IN_BYTES - c->raw_end;
    memcpy(c->in + c->raw_end, from.ptr, size);
    c->raw_end += (uint32_t)size;
    if (c->in_high < c->raw_end) c->in_high = c->raw_end;
    return size;
}

// Completes the request that lies in `raw` with a little of the next buffer; what is left of the
// bytes copied too many is read from the buffer itself.
static ssize_t run_borrowed(struct conn *c)
{
    uint32_t end = c->raw_end;
    size_t borrowed = append(c, BORROW_STEP);
    ssize_t n;

    if (borrowed == 0) return TAKE_WAIT;
    n = take(c, str_make(c->in + c->raw_start, c->raw_end - c->raw_start), CONN_NO_BUFFER);
    if (!conn_is_live(c)) return TAKE_WAIT;
    if (n <= 0 || c->raw_start + (uint32_t)n < end) {
        held_used(c, borrowed);
        if (n > 0) c->raw_start += (uint32_t)n;
        return n == TAKE_MORE ? 1 : n;
    }
    c->raw_start += (uint32_t)n;
    c->raw_end = c->raw_start;
    held_used(c, c->raw_start - end);
    return n;
}

static ssize_t run_raw(struct conn *c)
{
    ssize_t n = take(c, str_make(c->in + c->raw_start, c->raw_end - c->raw_start), CONN_NO_BUFFER);

    if (!conn_is_live(c)) return TAKE_WAIT;
    if (n > 0) c->raw_start += (uint32_t)n;
    if (n == TAKE_MORE && c->held_first != CONN_NO_BUFFER) return run_borrowed(c);
    return n;
}

static ssize_t run_held(struct conn *c)
{
    struct str in = held(c);
    ssize_t n = take(c, in, c->held_first);

    if (!conn_is_live(c)) return TAKE_WAIT;
    if (n > 0) held_used(c, (size_t)n);
    if (n != TAKE_MORE) return n;
    if (append(c, in.size) < in.size) {
        c->raw_end = c->raw_start; // no room for all of it before on_turn
        return TAKE_WAIT;
    }
    held_used(c, in.size);
    return c->held_first == CONN_NO_BUFFER ? TAKE_MORE : 1;
}

void intake_run(struct conn *c)
{
    bool offer_again =
        c->phase == CONN_STREAM && c->again && (c->piece_size || http1_body_done(&c->body));

    // what waits for room has nothing else to remember it: perhaps no input or event will follow
    c->again = offer_again && intake_blocked(c);
    if (offer_again && !c->again) offer(c, str_make(c->in + c->keep, c->piece_size));
    while (conn_is_live(c) && conn_has_input(c)) {
        ssize_t n = TAKE_WAIT;

        if (!intake_blocked(c)) n = c->raw_end > c->raw_start ? run_raw(c) : run_held(c);
        if (n == TAKE_WAIT) c->again = true;
        if (n <= 0) return;
    }
}

void intake_settle(struct conn *c)
{
    if (!conn_is_live(c)) return;
    c->request_buffer = CONN_NO_BUFFER;
    if (c->waiting == 0 && (c->phase == CONN_HEAD || c->phase == CONN_DRAIN)) {
        uint32_t size = c->raw_end - c->raw_start;

        c->keep = 0;
        if (size && c->raw_start) memmove(c->in, c->in + c->raw_start, size);
        c->raw_start = 0;
        c->raw_end = size;
    }
}

void intake_store(struct conn *c)
{
    while (c->held_first != CONN_NO_BUFFER) {
        size_t moved = append(c, LIMIT_RECV_BYTES);

        if (moved == 0) break;
        held_used(c, moved);
    }
}
