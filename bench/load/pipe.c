// SPDX-License-Identifier: Apache-2.0
#include "bench/load/pipe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/err.h"

// Without `verify`, the verdicts of one batch out of this many are looked at.
#define SAMPLE 16

int pipe_shared_init(struct pipe_shared *s)
{
    size_t size = s->request->text.size_bytes;
    CHECK((s->depth_max & (s->depth_max - 1)) == 0 && s->frame_max <= s->depth_max);
    s->frames = malloc(s->frame_max * size);
    s->receive = malloc(PIPE_RECEIVE_BYTES);
    if (s->frames == NULL || s->receive == NULL) return ERR_NOMEM;
    for (uint32_t i = 0; i < s->frame_max; i++) {
        memcpy(s->frames + i * size, s->request->text.ptr, size);
    }
    return 0;
}

void pipe_shared_done(struct pipe_shared *s)
{
    free(s->frames);
    free(s->receive);
    s->frames = s->receive = NULL;
}

int pipe_open(struct pipe *p, struct pipe_shared *s, uint32_t address, uint16_t port,
              uint32_t index)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = address};
    int one = 1;
    *p = (struct pipe){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    p->flights = calloc(s->depth_max, sizeof *p->flights);
    if (p->flights == NULL) return ERR_NOMEM;
    if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&to, sizeof to) < 0) return ERR_SYSTEM;
    if (setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
        fcntl(p->fd, F_SETFL, O_NONBLOCK) < 0) {
        return ERR_SYSTEM;
    }
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = index};
    return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, p->fd, &e) < 0 ? ERR_SYSTEM : 0;
}

void pipe_close(struct pipe *p)
{
    if (p->fd >= 0) close(p->fd);
    free(p->flights);
    free(p->in);
    free(p->out);
    *p = (struct pipe){.fd = -1};
}

static bool grow(char **memory, size_t *cap, size_t need)
{
    if (need <= *cap) return true;
    size_t cap_new = need + need / 2;
    char *bigger = realloc(*memory, cap_new);
    if (bigger == NULL) return false;
    *memory = bigger;
    *cap = cap_new;
    return true;
}

static int keep_unsent(struct pipe *p, const char *data, size_t size)
{
    if (!grow(&p->out, &p->out_cap, p->out_size + size)) return ERR_NOMEM;
    memcpy(p->out + p->out_size, data, size);
    p->out_size += size;
    return 0;
}

static int send_some(struct pipe *p, const char *data, size_t size, size_t *ret_sent)
{
    ssize_t n = send(p->fd, data, size, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return ERR_IO;
    *ret_sent = n < 0 ? 0 : (size_t)n;
    return 0;
}

int pipe_flush(struct pipe *p)
{
    while (p->out_at < p->out_size) {
        size_t sent = 0;
        int err = send_some(p, p->out + p->out_at, p->out_size - p->out_at, &sent);
        if (err < 0) return err;
        if (sent == 0) return 0;
        p->out_at += sent;
    }
    p->out_at = p->out_size = 0;
    return 0;
}

int pipe_fire(struct pipe *p, struct pipe_shared *s, uint32_t n, int64_t due_ns)
{
    size_t size = s->request->text.size_bytes, sent = 0;
    CHECK(n <= s->frame_max && pipe_in_flight(p) + n <= s->depth_max);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t key = draw_take(s->draw, s->request->key_count);
        request_fill(s->request, s->frames + i * size, s->draw->pool + key, s->sequence++);
        p->flights[p->tail++ & (s->depth_max - 1)] = (struct flight){due_ns, key};
    }
    s->in_flight += n;
    if (p->out_size > 0) return keep_unsent(p, s->frames, n * size);
    int err = send_some(p, s->frames, n * size, &sent);
    if (err < 0) return err;
    return sent < n * size ? keep_unsent(p, s->frames + sent, n * size - sent) : 0;
}

static void verify(struct pipe_shared *s, const struct answer *a, uint32_t first_key)
{
    static signed char verdict[DRIVER_KEYS_MAX];
    unsigned count = s->request->key_count;
    if (s->driver->verdicts(a, verdict, count) != count) {
        s->errors++;
        return;
    }
    s->verified += count;
    for (unsigned i = 0; i < count; i++) {
        s->wrong += verdict[i] != s->draw->pool[first_key + i].listed;
    }
}

static int on_answer(struct pipe *p, struct pipe_shared *s, const struct answer *a, int64_t now_ns)
{
    if (pipe_in_flight(p) == 0) return ERR_IO; // nobody asked
    const struct flight *f = &p->flights[p->head++ & (s->depth_max - 1)];
    s->in_flight--;
    if (f->due_ns < s->begin_ns || f->due_ns >= s->end_ns) return 0;
    hist_add(s->latency, now_ns - f->due_ns, 1);
    s->answers++;
    unsigned count = s->request->key_count;
    if (a->status != 200 && a->status != 409)
        s->errors++;
    else if (count > 0 && (s->verify || count == 1 || s->answers % SAMPLE == 0)) {
        verify(s, a, f->key);
    }
    return 0;
}

static int consume(struct pipe *p, struct pipe_shared *s, char *data, size_t size, size_t *ret_used)
{
    int64_t now_ns = clock_mono_ns();
    size_t used = 0;
    int count = 0;
    p->in_need = 0;
    while (used < size) {
        struct answer a;
        int found = s->driver->read(data + used, size - used, &a, &p->in_need);
        if (found < 0) return ERR_IO;
        if (found == 0) break;
        int err = on_answer(p, s, &a, now_ns);
        if (err < 0) return err;
        used += a.size;
        count++;
    }
    *ret_used = used;
    return count;
}

// 0: nothing there now.
static ssize_t receive_raw(struct pipe *p, char *dst, size_t size)
{
    ssize_t n = recv(p->fd, dst, size, 0);
    p->more = n == (ssize_t)size;
    if (n > 0) return n;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : ERR_IO;
}

static int receive_more(struct pipe *p, struct pipe_shared *s)
{
    size_t room =
        p->in_need > p->in_size + PIPE_RECEIVE_BYTES ? p->in_need : p->in_size + PIPE_RECEIVE_BYTES;
    if (!grow(&p->in, &p->in_cap, room)) return ERR_NOMEM;
    ssize_t n = receive_raw(p, p->in + p->in_size, p->in_cap - p->in_size);
    if (n <= 0) return (int)n;
    p->in_size += (size_t)n;
    if (p->in_size < p->in_need) return 0;
    size_t used = 0;
    int count = consume(p, s, p->in, p->in_size, &used);
    if (count < 0) return count;
    memmove(p->in, p->in + used, p->in_size - used);
    p->in_size -= used;
    return count;
}

static int receive_first(struct pipe *p, struct pipe_shared *s)
{
    ssize_t n = receive_raw(p, s->receive, PIPE_RECEIVE_BYTES);
    if (n <= 0) return (int)n;
    size_t used = 0;
    int count = consume(p, s, s->receive, (size_t)n, &used);
    if (count < 0 || used == (size_t)n) return count;
    size_t rest = (size_t)n - used;
    if (!grow(&p->in, &p->in_cap, rest)) return ERR_NOMEM;
    memcpy(p->in, s->receive + used, rest);
    p->in_size = rest;
    return count;
}

int pipe_receive(struct pipe *p, struct pipe_shared *s)
{
    int count = 0;
    do { // the epoll is edge-triggered: read until there is no more
        int n = p->in_size > 0 ? receive_more(p, s) : receive_first(p, s);
        if (n < 0) return n;
        count += n;
    } while (p->more);
    return count;
}
