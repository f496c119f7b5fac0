// SPDX-License-Identifier: Apache-2.0
#include "engine/net/conn.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/mem.h"

static void list_remove(struct conn_list *list, struct conn *c)
{
    *(c->prev ? &c->prev->next : &list->first) = c->next;
    *(c->next ? &c->next->prev : &list->last) = c->prev;
    list->count--;
}

static void list_append(struct conn_list *list, struct conn *c)
{
    c->prev = list->last;
    c->next = NULL;
    *(list->last ? &list->last->next : &list->first) = c;
    list->last = c;
    list->count++;
}

// Slots come back last in, first out: what was touched lately is used again.
static void list_prepend(struct conn_list *list, struct conn *c)
{
    c->prev = NULL;
    c->next = list->first;
    *(list->first ? &list->first->prev : &list->last) = c;
    list->first = c;
    list->count++;
}

void conn_set_state(struct conn *c, enum conn_state state)
{
    struct server *s = c->server;
    bool was_open = c->state != CONN_FREE && c->state != CONN_CLOSING;
    bool is_open = state != CONN_FREE && state != CONN_CLOSING;

    CHECK(state < CONN_STATES);
    DEBUG_CHECK(c->state != CONN_CLOSING || state == CONN_FREE);
    c->since_ms = s->now_ms;
    if (c->state == state && s->lists[state].last == c) return;
    list_remove(&s->lists[c->state], c);
    if (state == CONN_FREE)
        list_prepend(&s->lists[state], c);
    else
        list_append(&s->lists[state], c);
    c->state = state;
    if (was_open != is_open) {
        s->open += is_open ? 1u : -1u;
        metric_set(s->metrics, METRIC_CONNECTIONS_OPEN, s->open);
    }
}

void conn_touch(struct conn *c)
{
    struct server *s = c->server;

    if (c->touched) return;
    CHECK(s->touched.count < s->slots);
    c->touched = true;
    s->touched.at[s->touched.count++] = c;
}

// Everything of the last life is wiped but the slot's own memory and the two counters that make
// ids of earlier lives invalid.
static void reset(struct conn *c, int fd)
{
    struct server *s = c->server;

    c->fd = fd;
    c->phase = CONN_HEAD;
    c->again = c->progress = c->taking = c->followed = false;
    c->recv_armed = c->recv_stopping = c->bulk = c->send_busy = false;
    c->readable = c->writable = true;
    c->registered = c->hung_up = false;
    c->eof = c->last = c->unread = c->reset = c->broken = false;
    c->why = METRIC_CLOSED_DONE;
    c->keep = c->raw_start = c->raw_end = c->in_high = c->held_at = 0;
    c->held_first = c->held_last = c->pinned = c->request_buffer = CONN_NO_BUFFER;
    c->batch = -1;
    c->continue_due = false;
    c->piece_size = 0;
    c->minors = c->waiting = 0;
    c->deferred = c->streaming = c->chunked = c->head_only = c->chunk_open = false;
    c->user_used = true;
    c->out = s->out_memory + c->slot * CONN_OUT_STRIDE;
    c->out_cap = LIMIT_SEND_BYTES;
    c->out_size = c->out_sent = 0;
    c->out_heap = false;
}

// The longest idle one that has not just spoken.
static struct conn *idlest(struct server *s)
{
    unsigned looks = s->lists[CONN_IDLE].count;

    for (struct conn *c; looks > 0 && (c = s->lists[CONN_IDLE].first); looks--) {
        if (!c->touched) return c;
        conn_set_state(c, CONN_IDLE);
    }
    return NULL;
}

// Makes room. A request that trickles in for longer than the idlest has been idle gives way first:
// else many of them would push out exactly the dialers that ask and wait in turn.
static bool evict(struct server *s)
{
    struct conn *c = idlest(s), *slowest = s->lists[CONN_READ].first;

    if (slowest && !slowest->waiting && !slowest->touched &&
        (!c || slowest->since_ms < c->since_ms))
        c = slowest;
    if (!c) return false;
    conn_close(c, METRIC_CLOSED_FULL);
    return true;
}

// Nobody can give way: said in one go, with what has come read away so that no reset overtakes it.
static void turn_away(struct server *s, int fd)
{
    char sink[4096];

    send(fd, s->busy.bytes[1], s->busy.size[1], MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 8 && recv(fd, sink, sizeof sink, MSG_DONTWAIT) > 0; i++) continue;
    close(fd);
    metric_add(s->metrics, METRIC_CLOSED_FULL, 1);
    metric_add(s->metrics, METRIC_HTTP_5XX, 1);
}

void conn_open(struct server *s, int fd)
{
    struct conn *c;

    metric_add(s->metrics, METRIC_CONNECTIONS_ACCEPTED, 1);
    if (s->draining) {
        close(fd);
        metric_add(s->metrics, METRIC_CLOSED_DRAIN, 1);
        return;
    }
    // nobody gives way for one that could not be taken: slots come back a turn after their end
    c = s->lists[CONN_FREE].first;
    if (!c || (s->open >= s->config.connections_max && !evict(s))) {
        turn_away(s, fd);
        return;
    }
    reset(c, fd);
    conn_set_state(c, CONN_IDLE);
    conn_touch(c);
}

bool conn_has_input(const struct conn *c)
{
    return c->raw_end > c->raw_start || c->held_first != CONN_NO_BUFFER;
}

bool conn_is_followed(const struct conn *c)
{
    return c->taking ? c->followed : conn_has_input(c);
}

void conn_hold(struct conn *c, int buffer, uint32_t size)
{
    struct server *s = c->server;

    CHECK(buffer >= 0 && buffer < LIMIT_RECV_BUFFERS);
    s->held_size[buffer] = size;
    s->held_refs[buffer] = 1;
    s->held_next[buffer] = CONN_NO_BUFFER;
    if (c->held_first == CONN_NO_BUFFER) {
        c->held_first = buffer;
        c->held_at = 0;
    } else {
        s->held_next[c->held_last] = buffer;
    }
    c->held_last = buffer;
}

static void unref(struct server *s, int buffer)
{
    CHECK(s->held_refs[buffer] > 0);
    if (--s->held_refs[buffer] || s->is_used[buffer]) return;
    CHECK(s->used_count < LIMIT_RECV_BUFFERS);
    s->is_used[buffer] = true;
    s->used[s->used_count++] = buffer;
}

void conn_unhold(struct conn *c)
{
    struct server *s = c->server;
    int first = c->held_first;

    CHECK(first != CONN_NO_BUFFER);
    c->held_first = s->held_next[first];
    c->held_at = 0;
    unref(s, first);
}

void conn_pin(struct conn *c)
{
    CHECK(c->pinned == CONN_NO_BUFFER);
    if (c->request_buffer == CONN_NO_BUFFER) return;
    c->pinned = c->request_buffer;
    c->server->held_refs[c->pinned]++;
}

void conn_give_back(struct server *s)
{
    for (unsigned i = 0; i < s->used_count; i++) {
        int buffer = s->used[i];

        s->is_used[buffer] = false;
        if (s->held_refs[buffer]) continue; // pinned meanwhile
        s->poll->ops->give(s->poll, buffer);
        s->away--;
    }
    s->used_count = 0;
}

void conn_drop_body(struct conn *c)
{
    struct server *s = c->server;

    if (c->pinned != CONN_NO_BUFFER) {
        unref(s, c->pinned);
        c->pinned = CONN_NO_BUFFER;
    }
    if (c->batch < 0) return;
    mem_forget(c->whole, s->batch_bytes);
    s->batch_free[s->batch_free_count++] = (unsigned)c->batch;
    c->batch = -1;
}

void conn_close(struct conn *c, enum metric why)
{
    struct server *s = c->server;
    bool gone = c->waiting > 0;

    if (c->state == CONN_CLOSING || c->state == CONN_FREE) return;
    metric_add(s->metrics, why, 1);
    conn_set_state(c, CONN_CLOSING);
    if (gone && s->handler.on_gone) s->handler.on_gone(s->handler.ctx, c);
    c->waiting = 0;
    c->deferred = c->streaming = false;
    c->ticket++;
    while (c->held_first != CONN_NO_BUFFER) conn_unhold(c);
    conn_drop_body(c);
    s->poll->ops->forget(s->poll, c);
    conn_touch(c);
}

void conn_finish(struct conn *c)
{
    if ((!c->unread && !conn_has_input(c)) || c->eof) {
        conn_close(c, c->why);
        return;
    }
    // a close with unread bytes would be a reset that can overtake the answer
    shutdown(c->fd, SHUT_WR);
    conn_set_state(c, CONN_LINGER);
    while (c->held_first != CONN_NO_BUFFER) conn_unhold(c);
}

static void drop_out(struct conn *c)
{
    if (c->out_heap) free(c->out);
    c->out_heap = false;
    buf_done(&c->more);
    // a page stays warm for the next life, the rest goes back
    if (c->in_high > 8192)
        madvise(c->in + (4096 - ((uintptr_t)c->in & 4095)), CONN_IN_BYTES - 4096, MADV_DONTNEED);
}

void conn_reap(struct conn *c)
{
    if (c->state != CONN_CLOSING || c->recv_armed || c->send_busy) return;
    if (c->reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(c->fd);
    c->fd = -1;
    drop_out(c);
    c->life++;
    conn_set_state(c, CONN_FREE);
}
