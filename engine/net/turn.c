// SPDX-License-Identifier: Apache-2.0
#include "engine/net/turn.h"

#include <errno.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/net/conn.h"

#define ROUNDS_MAX      4 // of handing over and deciding in one turn
#define TIMERS_EVERY_MS 100
#define TICK_EVERY_MS   1000
#define ACCEPT_PAUSE_MS 50   // when descriptors have run out
#define DRAIN_GRACE_MS  1000 // for operations to come back after everything was closed
#define SPIN_CREDIT_MAX 16
#define MULTISHOT_FROM  9 // connections; below, single receives are quicker

// -- events ------------------------------------------------------------------------------------

static void on_accept(struct server *s, const struct poll_event *e)
{
    if (!e->more) s->accepting = false;
    if (e->result >= 0) {
        conn_open(s, e->result);
        return;
    }
    // out of descriptors or memory: trying again at once would only turn in circles
    if (e->result != -ECANCELED && e->result != -ECONNABORTED)
        s->accept_ms = s->now_ms + ACCEPT_PAUSE_MS;
}

static void receive(struct conn *c, const struct poll_event *e)
{
    struct server *s = c->server;

    metric_add(s->metrics, METRIC_BYTES_IN, (uint64_t)e->result);
    if (!conn_is_live(c)) {
        s->poll->ops->give(s->poll, e->buffer);
        return;
    }
    s->away++;
    conn_hold(c, e->buffer, (uint32_t)e->result);
    if (e->result == LIMIT_RECV_BYTES) c->bulk = true;
}

static void on_recv(struct server *s, const struct poll_event *e)
{
    struct conn *c = &s->conns[e->slot];

    if (c->state == CONN_FREE || (c->life & 0xffffff) != e->life) {
        if (e->result > 0) s->poll->ops->give(s->poll, e->buffer);
        return;
    }
    if (!e->more) c->recv_armed = c->recv_stopping = false;
    conn_touch(c);
    if (e->result > 0)
        receive(c, e);
    else if (e->result == 0)
        c->eof = true;
    else if (e->result != -ECANCELED && e->result != -ENOBUFS && e->result != -EINTR &&
             e->result != -EAGAIN)
        c->eof = c->broken = true;
}

static void on_send(struct server *s, const struct poll_event *e)
{
    struct conn *c = &s->conns[e->slot];

    if (c->state == CONN_FREE || (c->life & 0xffffff) != e->life) return;
    c->send_busy = false;
    if (c->state == CONN_CLOSING)
        conn_touch(c);
    else
        answer_sent(c, e->result);
}

static void on_wake(struct server *s)
{
    uint64_t count;

    while (read(s->wake_fd, &count, sizeof count) < 0 && errno == EINTR) continue;
    atomic_store(&s->wake_sent, false);
}

static void take_events(struct server *s, int count)
{
    for (int i = 0; i < count; i++) {
        const struct poll_event *e = &s->events[i];

        switch (e->kind) {
        case POLL_ACCEPT:
            on_accept(s, e);
            break;
        case POLL_RECV:
            on_recv(s, e);
            break;
        case POLL_SEND:
            on_send(s, e);
            break;
        case POLL_WAKE:
            on_wake(s);
            break;
        }
    }
}

// What the last turn left over, and sends that did not come back within a turn.
static void take_leftovers(struct server *s)
{
    unsigned sending = s->sending.count;

    for (unsigned i = 0; i < s->again.count; i++) conn_touch(s->again.at[i]);
    s->again.count = 0;
    for (unsigned i = 0; i < sending; i++)
        if (s->sending.at[i]->send_busy) conn_touch(s->sending.at[i]);
    s->sending.count = 0;
}

// -- requests ----------------------------------------------------------------------------------

static void take_messages(struct server *s)
{
    struct queue_node *message;

    while ((message = queue_pop(&s->messages))) s->handler.on_message(s->handler.ctx, message);
}

static bool wants_resume(const struct conn *c)
{
    return c->streaming && c->phase == CONN_HEAD && !c->send_busy && c->out_size == 0 &&
           conn_is_live(c) && !c->broken;
}

static bool can_go_on(struct server *s)
{
    for (unsigned i = 0; i < s->touched.count; i++)
        if (s->touched.at[i]->again && !intake_blocked(s->touched.at[i])) return true;
    return false;
}

static void run_requests(struct server *s)
{
    for (unsigned i = 0; i < s->touched.count; i++)
        if (wants_resume(s->touched.at[i])) s->handler.on_resume(s->handler.ctx, s->touched.at[i]);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        s->round++;
        for (unsigned i = 0; i < s->touched.count; i++) {
            struct conn *c = s->touched.at[i];
            if (conn_is_live(c) && (round == 0 || c->again)) intake_run(c);
        }
        if (s->handler.on_turn) s->handler.on_turn(s->handler.ctx);
        for (unsigned i = 0; i < s->touched.count; i++) intake_settle(s->touched.at[i]);
        conn_give_back(s);
        if (!can_go_on(s)) break;
    }
    s->kept = s->away;
}

// -- the end of a turn -------------------------------------------------------------------------

static enum conn_state state_of(const struct conn *c)
{
    if (c->send_busy && c->send_turn != c->server->turns) return CONN_SEND;
    if (c->waiting && (c->phase != CONN_STREAM || http1_body_done(&c->body) || intake_blocked(c)))
        return CONN_WORK;
    return c->phase != CONN_HEAD || conn_has_input(c) ? CONN_READ : CONN_IDLE;
}

static void arm(struct conn *c)
{
    struct server *s = c->server;
    bool full = conn_has_input(c) && (c->again || intake_blocked(c));
    bool wanted = !c->eof && (c->state == CONN_LINGER || !full);

    if (wanted && !c->recv_armed) {
        c->recv_armed = true;
        s->poll->ops->recv(s->poll, c);
    } else if (!wanted && c->recv_armed && !c->recv_stopping && !c->eof) {
        c->recv_stopping = true;
        s->poll->ops->stop(s->poll, c);
    }
}

// Is there a reason to end the connection now? METRIC_COUNT when not.
static enum metric why_over(const struct conn *c)
{
    bool sent = c->out_size == 0 && !c->send_busy;
    bool cut = c->eof && c->phase != CONN_HEAD && !http1_body_done(&c->body) && !conn_has_input(c);

    if (c->broken || cut) return METRIC_CLOSED_PEER;
    if (c->waiting || !sent || c->phase == CONN_WHOLE || c->phase == CONN_STREAM)
        return METRIC_COUNT;
    if (c->eof && !c->again) return METRIC_CLOSED_PEER;
    if (c->server->draining && c->phase == CONN_HEAD && !conn_has_input(c))
        return METRIC_CLOSED_DRAIN;
    return METRIC_COUNT;
}

static void settle_open(struct conn *c)
{
    struct server *s = c->server;
    enum conn_state state;
    enum metric why;

    if (c->last && !c->waiting && !c->broken && c->out_size == 0 && !c->send_busy) {
        conn_finish(c);
        if (c->state == CONN_LINGER) arm(c);
        return;
    }
    why = why_over(c);
    if (why != METRIC_COUNT) {
        conn_close(c, why);
        return;
    }
    intake_store(c);
    if (!conn_is_live(c)) return;
    state = state_of(c);
    if (state != c->state || c->progress) conn_set_state(c, state);
    c->progress = false;
    if ((c->again && !intake_blocked(c)) || wants_resume(c)) s->again.at[s->again.count++] = c;
    arm(c);
}

static void settle(struct server *s)
{
    for (unsigned i = 0; i < s->touched.count; i++) {
        struct conn *c = s->touched.at[i];

        if (c->state == CONN_LINGER && (c->eof || c->broken)) conn_close(c, c->why);
        if (c->state == CONN_LINGER) arm(c);
        if (conn_is_live(c)) settle_open(c);
        conn_reap(c);
    }
    for (unsigned i = 0; i < s->touched.count; i++) s->touched.at[i]->touched = false;
    s->touched.count = 0;
    conn_give_back(s);
    s->kept = s->away;
}

static void flush(struct server *s)
{
    for (unsigned i = 0; i < s->touched.count; i++)
        if (conn_is_live(s->touched.at[i])) answer_flush(s->touched.at[i]);
    if (s->answered == 0) return;
    metric_time(s->metrics, (uint64_t)(clock_mono_ns() - s->now_ns), s->answered);
    s->answered = 0;
}

// -- time --------------------------------------------------------------------------------------

static unsigned timeout_of(const struct server *s, enum conn_state state)
{
    switch (state) {
    case CONN_IDLE:
        return s->config.idle_timeout_ms;
    case CONN_READ:
        return s->config.request_timeout_ms;
    case CONN_SEND:
        return s->config.send_timeout_ms;
    case CONN_LINGER:
        return CONN_LINGER_MS;
    default:
        return 0;
    }
}

static void expire(struct conn *c)
{
    switch (c->state) {
    case CONN_IDLE:
        conn_close(c, METRIC_CLOSED_IDLE);
        break;
    case CONN_READ:
        if (c->waiting || c->phase == CONN_DRAIN || c->last) {
            c->reset = c->waiting > 0;
            conn_close(c, METRIC_CLOSED_SLOW);
            break;
        }
        c->phase = CONN_HEAD;
        answer_refuse(c, ERR_TIMEOUT, (struct str){0}, true);
        conn_set_state(c, CONN_SEND);
        break;
    case CONN_SEND:
        c->reset = true; // what it does not read shall not stay in the kernel either
        conn_close(c, METRIC_CLOSED_SLOW);
        break;
    default:
        conn_close(c, c->why);
    }
}

static void expire_all(struct server *s)
{
    static const enum conn_state timed[] = {CONN_IDLE, CONN_READ, CONN_SEND, CONN_LINGER};

    for (size_t i = 0; i < COUNT_OF(timed); i++) {
        struct conn_list *list = &s->lists[timed[i]];
        int64_t oldest = s->now_ms - timeout_of(s, timed[i]);

        while (list->first && list->first->since_ms <= oldest) expire(list->first);
    }
}

// Receive buffers run short: whoever keeps some and gets nowhere gives way. Those that read their
// answers give them back by themselves.
static void expire_hoarders(struct server *s)
{
    static const enum conn_state keepers[] = {CONN_SEND, CONN_WORK, CONN_READ};
    int64_t oldest = s->now_ms - CONN_HOARD_MS;

    for (size_t i = 0; i < COUNT_OF(keepers) && s->kept > CONN_KEPT_MAX; i++) {
        struct conn *c = s->lists[keepers[i]].first, *next;

        for (; c && c->since_ms <= oldest; c = next) {
            next = c->next;
            if (c->held_first == CONN_NO_BUFFER && c->pinned == CONN_NO_BUFFER) continue;
            c->reset = true;
            conn_close(c, METRIC_CLOSED_SLOW);
        }
    }
}

static void start_drain(struct server *s)
{
    s->draining = true;
    s->drain_ms = s->now_ms + s->config.drain_timeout_ms;
    s->poll->ops->accept(s->poll, false);
    close(s->listen_fd);
    s->listen_fd = -1;
    for (int state = CONN_IDLE; state < CONN_STATES; state++)
        for (struct conn *c = s->lists[state].first; c; c = c->next) conn_touch(c);
}

static void close_all(struct server *s)
{
    for (int state = CONN_IDLE; state < CONN_CLOSING; state++)
        while (s->lists[state].first) {
            s->lists[state].first->reset = true;
            conn_close(s->lists[state].first, METRIC_CLOSED_DRAIN);
        }
}

static void run_timers(struct server *s)
{
    if (!s->draining && atomic_load_explicit(&s->drain_asked, memory_order_relaxed)) start_drain(s);
    if (!s->accepting && !s->draining && s->now_ms >= s->accept_ms) {
        s->accepting = true;
        s->poll->ops->accept(s->poll, true);
    }
    if (s->now_ms >= s->timers_ms) {
        s->timers_ms = s->now_ms + TIMERS_EVERY_MS;
        expire_all(s);
        expire_hoarders(s);
    }
    if (s->draining && s->now_ms >= s->drain_ms) close_all(s);
    if (s->now_ms < s->tick_ms) return;
    s->tick_ms = s->now_ms + TICK_EVERY_MS;
    if (s->handler.on_tick) s->handler.on_tick(s->handler.ctx);
}

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// How long nothing can become due.
static int64_t wait_ns(const struct server *s)
{
    int64_t due_ms = s->tick_ms, now_ms = clock_mono_ns() / 1000000;

    if (s->again.count) return 0;
    for (int state = CONN_IDLE; state < CONN_CLOSING; state++) {
        const struct conn *c = s->lists[state].first;
        unsigned timeout_ms = timeout_of(s, (enum conn_state)state);
        int64_t at = c ? c->since_ms + timeout_ms : 0;

        if (c && timeout_ms) due_ms = min_i64(due_ms, at > s->timers_ms ? at : s->timers_ms);
    }
    if (s->kept > CONN_KEPT_MAX) due_ms = min_i64(due_ms, s->timers_ms);
    if (!s->accepting && !s->draining) due_ms = min_i64(due_ms, s->accept_ms);
    if (s->draining) due_ms = min_i64(due_ms, s->drain_ms);
    return due_ms > now_ms ? (due_ms - now_ms) * 1000000 : 1000000;
}

// Looking costs a busy core, sleeping costs a wake-up; what paid lately is done again.
static bool spin(struct server *s)
{
    int64_t until = clock_mono_ns() + (int64_t)s->config.spin_us * 1000;

    if (s->spin_credit == 0) return false;
    do {
        for (int i = 0; i < 16; i++)
            if (s->poll->ops->ready(s->poll)) {
                s->spin_credit = SPIN_CREDIT_MAX;
                return true;
            }
    } while (clock_mono_ns() < until);
    s->spin_credit--;
    return false;
}

static int wait_for_events(struct server *s)
{
    const struct poll_ops *ops = s->poll->ops;
    int64_t timeout_ns = wait_ns(s), before = 0;
    int count = 0;

    if (s->config.spin_us || timeout_ns == 0) {
        count = ops->wait(s->poll, 0, s->events);
        if (count || timeout_ns == 0) return count;
        if (spin(s)) return ops->wait(s->poll, 0, s->events);
        before = clock_mono_ns();
    }
    qsbr_sleep(s->me);
    count = ops->wait(s->poll, timeout_ns, s->events);
    qsbr_wake(s->me);
    if (before && clock_mono_ns() - before < (int64_t)s->config.spin_us * 1000)
        s->spin_credit = SPIN_CREDIT_MAX / 4; // it would have been found
    return count;
}

static void read_clock(struct server *s)
{
    s->now_ns = clock_mono_ns();
    s->now_ms = s->now_ns / 1000000;
}

void turn_first(struct server *s)
{
    read_clock(s);
    s->tick_ms = s->timers_ms = s->accept_ms = s->now_ms;
    s->spin_credit = SPIN_CREDIT_MAX;
    run_timers(s);
}

int turn_once(struct server *s)
{
    int count = wait_for_events(s);

    if (count < 0) return count;
    read_clock(s);
    s->turns++;
    metric_add(s->metrics, METRIC_TURNS, 1);
    s->poll->multishot = s->open >= MULTISHOT_FROM;
    take_leftovers(s);
    take_events(s, count);
    take_messages(s);
    run_requests(s);
    run_timers(s);
    flush(s);
    settle(s);
    qsbr_quiet(s->me);
    return 0;
}

bool turn_is_over(const struct server *s)
{
    if (!s->draining) return false;
    if (s->open == 0 && s->lists[CONN_CLOSING].count == 0) return true;
    return s->now_ms > s->drain_ms + DRAIN_GRACE_MS;
}
