// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/mem.h"
#include "engine/net/conn.h"
#include "engine/net/userdata.h"

#define REAP_MAX    256
#define ACCEPTS_MAX 64 // a wait: others want to be served too

// Edge-triggered: each descriptor is registered once, and what the kernel said is remembered in
// the connection, so that a paused one costs no call.
struct epoll {
    struct poll poll;
    int fd;
    struct conn **listed; // want to receive and may
    unsigned listed_count, listed_max;
    int free_buffers[LIMIT_RECV_BUFFERS];
    unsigned free_count;
    bool accepting;
};

static struct epoll *epoll_of(struct poll *p)
{
    return (struct epoll *)p;
}

static void list(struct epoll *e, struct conn *c)
{
    if (c->listed || !c->recv_armed || !c->readable) return;
    CHECK(e->listed_count < e->listed_max);
    c->listed = true;
    e->listed[e->listed_count++] = c;
}

static int start(struct poll *p)
{
    struct epoll_event wake = {.events = EPOLLIN, .data.u64 = userdata_pack(USERDATA_WAKE, 0, 0)};

    return epoll_ctl(epoll_of(p)->fd, EPOLL_CTL_ADD, p->wake_fd, &wake) == 0 ? 0 : ERR_SYSTEM;
}

static void free_epoll(struct poll *p)
{
    struct epoll *e = epoll_of(p);

    if (e->fd >= 0) close(e->fd);
    mem_unmap(p->buffers, LIMIT_RECV_BUFFERS * POLL_BUFFER_STRIDE);
    free(e->listed);
    free(e);
}

static void accept_on(struct poll *p, bool on)
{
    struct epoll *e = epoll_of(p);
    struct epoll_event want = {.events = EPOLLIN, .data.u64 = userdata_pack(USERDATA_ACCEPT, 0, 0)};

    if (e->accepting == on) return;
    epoll_ctl(e->fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, p->listen_fd, &want);
    e->accepting = on;
}

static void receive(struct poll *p, struct conn *c)
{
    struct epoll *e = epoll_of(p);
    struct epoll_event want = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                               .data.u64 = userdata_pack(USERDATA_RECV, c->slot, c->life)};

    if (!c->registered) {
        c->registered = true;
        if (epoll_ctl(e->fd, EPOLL_CTL_ADD, c->fd, &want) != 0) c->broken = true;
        c->readable = false;
    }
    list(e, c);
}

static void stop(struct poll *p, struct conn *c)
{
    (void)p;
    c->recv_armed = c->recv_stopping = false;
}

static int send_now(struct conn *c)
{
    ssize_t n;

    do {
        n = send(c->fd, c->out + c->out_sent, c->out_size - c->out_sent,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : (int)n;
}

static bool send_out(struct poll *p, struct conn *c, int *ret)
{
    (void)p;
    if (!c->writable) return true;
    *ret = send_now(c);
    if (*ret != -EAGAIN) return false;
    c->writable = false;
    return true;
}

static void forget(struct poll *p, struct conn *c)
{
    (void)p;
    c->recv_armed = c->recv_stopping = c->send_busy = false;
}

static void give(struct poll *p, int buffer)
{
    struct epoll *e = epoll_of(p);

    CHECK(e->free_count < LIMIT_RECV_BUFFERS);
    e->free_buffers[e->free_count++] = buffer;
}

// -- waiting -----------------------------------------------------------------------------------

static int accept_all(struct epoll *e, struct poll_event *events, int count)
{
    for (int i = 0; i < ACCEPTS_MAX && count < POLL_EVENTS_MAX; i++) {
        int fd = accept4(e->poll.listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        bool failed = fd < 0 && errno != EINTR && errno != ECONNABORTED;

        if (fd < 0 && errno == EAGAIN) break;
        if (fd < 0 && !failed) continue;
        events[count++] = (struct poll_event){
            .kind = POLL_ACCEPT, .result = fd < 0 ? -errno : fd, .more = !failed};
        if (!failed) continue;
        accept_on(&e->poll, false); // the server asks again when it is time
        break;
    }
    return count;
}

static int send_rest(struct conn *c, struct poll_event *events, int count)
{
    int result;

    if (!c->send_busy) return count;
    result = send_now(c);
    if (result == -EAGAIN) {
        c->writable = false;
        return count;
    }
    events[count++] = (struct poll_event){
        .kind = POLL_SEND, .slot = c->slot, .life = c->life & USERDATA_LIFE_MASK, .result = result};
    return count;
}

static int take_one(struct epoll *e, const struct epoll_event *from, struct poll_event *events,
                    int count)
{
    struct conn *c = &e->poll.conns[userdata_slot(from->data.u64)];

    switch (userdata_op(from->data.u64)) {
    case USERDATA_ACCEPT:
        return accept_all(e, events, count);
    case USERDATA_WAKE:
        events[count] = (struct poll_event){.kind = POLL_WAKE};
        return count + 1;
    default:
        break;
    }
    if (userdata_life(from->data.u64) != (c->life & USERDATA_LIFE_MASK)) return count;
    if (from->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) c->readable = true;
    if (from->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) c->hung_up = true;
    list(e, c);
    if (!(from->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))) return count;
    c->writable = true;
    return send_rest(c, events, count);
}

// One buffer of this connection. False when it has nothing more to read for now.
static bool read_one(struct epoll *e, struct conn *c, struct poll_event *event)
{
    int buffer = e->free_buffers[e->free_count - 1];
    ssize_t n;

    do {
        n = recv(c->fd, poll_buffer(&e->poll, buffer), LIMIT_RECV_BYTES, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    *event = (struct poll_event){.kind = POLL_RECV,
                                 .slot = c->slot,
                                 .life = c->life & USERDATA_LIFE_MASK,
                                 .result = n < 0 ? -errno : (int)n,
                                 .buffer = buffer,
                                 .more = n > 0 || (n < 0 && errno == EAGAIN)};
    if (n > 0) e->free_count--;
    // a short read emptied the socket, unless an end waits behind it
    c->readable = n == LIMIT_RECV_BYTES || (n > 0 && c->hung_up);
    return c->readable;
}

static int read_listed(struct epoll *e, struct poll_event *events, int count)
{
    unsigned kept = 0, i = 0;

    for (; i < e->listed_count && e->free_count > 0 && count < POLL_EVENTS_MAX; i++) {
        struct conn *c = e->listed[i];
        bool wanted = c->recv_armed && c->readable;

        if (wanted && read_one(e, c, &events[count++])) {
            e->listed[kept++] = c;
            continue;
        }
        c->listed = false;
    }
    while (i < e->listed_count) e->listed[kept++] = e->listed[i++];
    e->listed_count = kept;
    return count;
}

static int wait_events(struct poll *p, int64_t timeout_ns, struct poll_event *events)
{
    struct epoll *e = epoll_of(p);
    struct epoll_event found[REAP_MAX];
    int64_t timeout_ms = (timeout_ns + 999999) / 1000000;
    int count = 0, n;

    if (e->listed_count && e->free_count) timeout_ms = 0;
    n = epoll_wait(e->fd, found, REAP_MAX, (int)timeout_ms);
    if (n < 0 && errno != EINTR) return ERR_SYSTEM;
    for (int i = 0; i < n; i++) count = take_one(e, &found[i], events, count);
    return read_listed(e, events, count);
}

static bool ready(struct poll *p)
{
    struct pollfd look = {.fd = epoll_of(p)->fd, .events = POLLIN};

    return epoll_of(p)->listed_count > 0 || poll(&look, 1, 0) > 0;
}

int epoll_new(struct poll **ret, struct conn *conns, unsigned conn_count, int wake_fd)
{
    static const struct poll_ops ops = {start, wait_events, ready,  accept_on, receive,
                                        stop,  send_out,    forget, give,      free_epoll};
    struct epoll *e = calloc(1, sizeof *e);

    if (!e) return ERR_NOMEM;
    e->poll = (struct poll){.ops = &ops, .conns = conns, .wake_fd = wake_fd, .listen_fd = -1};
    e->fd = epoll_create1(EPOLL_CLOEXEC);
    e->listed_max = conn_count;
    e->listed = calloc(conn_count, sizeof *e->listed);
    e->poll.buffers = mem_map(LIMIT_RECV_BUFFERS * POLL_BUFFER_STRIDE);
    if (e->fd < 0 || !e->listed || !e->poll.buffers) {
        free_epoll(&e->poll);
        return ERR_SYSTEM;
    }
    for (int i = LIMIT_RECV_BUFFERS - 1; i >= 0; i--) e->free_buffers[e->free_count++] = i;
    *ret = &e->poll;
    return 0;
}
