// SPDX-License-Identifier: Apache-2.0
#include "engine/net/server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/net/conn.h"
#include "engine/net/listen.h"
#include "engine/net/turn.h"

static void *map_small_pages(size_t size)
{
    void *p = mem_map(size);

    // slots are touched a page here and there: huge pages would multiply resident memory
    if (p) madvise(p, size, MADV_NOHUGEPAGE);
    return p;
}

static bool make_vectors(struct server *s)
{
    struct conn_vector *all[] = {&s->touched, &s->again, &s->sending};

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        all[i]->at = calloc(s->slots, sizeof *all[i]->at);
        if (!all[i]->at) return false;
    }
    return true;
}

static bool make_batches(struct server *s)
{
    s->batch_bytes = 0;
    for (unsigned i = 0; i < s->handler.route_count; i++) {
        const struct route *r = &s->handler.routes[i];
        if (r->body == ROUTE_WHOLE && r->body_max_bytes > LIMIT_SMALL_BODY_BYTES &&
            r->body_max_bytes > s->batch_bytes)
            s->batch_bytes = r->body_max_bytes;
    }
    if (s->batch_bytes == 0 || s->config.batches_max == 0) return true;
    s->batch_bytes = (s->batch_bytes + 4095) & ~(size_t)4095;
    s->batches = mem_map(s->batch_bytes * s->config.batches_max);
    s->batch_free = calloc(s->config.batches_max, sizeof *s->batch_free);
    if (!s->batches || !s->batch_free) return false;
    while (s->batch_free_count < s->config.batches_max) {
        s->batch_free[s->batch_free_count] = s->batch_free_count;
        s->batch_free_count++;
    }
    return true;
}

static bool make_slots(struct server *s)
{
    struct conn_list *list = &s->lists[CONN_FREE];

    s->slots = s->config.connections_max + CONN_SPARES;
    s->conns = map_small_pages(s->slots * sizeof *s->conns);
    s->in_memory = map_small_pages(s->slots * CONN_IN_STRIDE);
    s->out_memory = map_small_pages(s->slots * CONN_OUT_STRIDE);
    if (!s->conns || !s->in_memory || !s->out_memory) return false;
    for (unsigned i = 0; i < s->slots; i++) {
        struct conn *c = &s->conns[i];

        c->server = s;
        c->slot = i;
        c->fd = -1;
        c->batch = -1;
        c->in = s->in_memory + i * CONN_IN_STRIDE;
        c->prev = i ? c - 1 : NULL;
        c->next = i + 1 < s->slots ? c + 1 : NULL;
    }
    *list = (struct conn_list){&s->conns[0], &s->conns[s->slots - 1], s->slots};
    return make_vectors(s) && make_batches(s);
}

static int make_poll(struct server *s, const char **ret_note)
{
    int err = ERR_SYSTEM;

    *ret_note = NULL;
    if (!s->config.epoll) err = uring_new(&s->poll, s->conns, s->wake_fd, ret_note);
    if (err) err = epoll_new(&s->poll, s->conns, s->slots, s->wake_fd);
    if (!err) s->poll->listen_fd = s->listen_fd;
    return err;
}

int server_new(struct server **ret, const struct server_config *config,
               const struct server_handler *handler, struct metric_block *metrics,
               struct qsbr_reader *me, const char **ret_note, struct err_info *info)
{
    struct server *s = aligned_alloc(64, (sizeof *s + 63) & ~(size_t)63);
    const char *note = NULL;
    int err = ERR_NOMEM;

    CHECK(config->connections_max > 0 && metrics && me);
    if (!s) return err_set(info, ERR_NOMEM, "not enough memory for a server thread");
    memset(s, 0, sizeof *s);
    s->config = *config;
    s->handler = *handler;
    s->metrics = metrics;
    s->me = me;
    s->listen_fd = s->wake_fd = -1;
    queue_init(&s->messages);
    if (!make_slots(s)) {
        err_set(info, err, "not enough memory for %u connections; try fewer (connections_max)",
                config->connections_max);
        goto out;
    }
    CHECK(http_canned_init(&s->busy, 503, STR("application/problem+json"),
                           STR("{\"type\":\"about:blank\",\"title\":\"Service Unavailable\","
                               "\"status\":503,\"code\":\"limit_reached\"}")));
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    err = s->wake_fd < 0 ? err_set(info, ERR_SYSTEM, "no descriptor is left; try: ulimit -n 65536")
                         : listen_open(config->host, config->port, &s->port, info);
    if (err < 0) goto out;
    s->listen_fd = err;
    err = make_poll(s, &note);
    if (err) err_set(info, err, "neither io_uring nor epoll can be had; try: ulimit -n 65536");
out:
    if (err < 0) {
        server_free(s);
        return err;
    }
    if (ret_note) *ret_note = note;
    *ret = s;
    return 0;
}

uint16_t server_port(const struct server *s)
{
    return s->port;
}

int server_run(struct server *s)
{
    int err = s->poll->ops->start(s->poll);

    if (err) return err;
    qsbr_wake(s->me);
    turn_first(s);
    do {
        err = turn_once(s);
    } while (!err && !turn_is_over(s));
    qsbr_sleep(s->me);
    return err;
}

static void wake(struct server *s)
{
    uint64_t one = 1;
    ssize_t n;

    do {
        n = write(s->wake_fd, &one, sizeof one);
    } while (n < 0 && errno == EINTR);
}

void server_drain(struct server *s)
{
    atomic_store(&s->drain_asked, true);
    wake(s);
}

void server_post(struct server *s, struct queue_node *message)
{
    queue_push(&s->messages, message);
    if (!atomic_exchange(&s->wake_sent, true)) wake(s);
}

void server_free(struct server *s)
{
    if (!s) return;
    if (s->poll) s->poll->ops->free(s->poll);
    for (unsigned i = 0; s->conns && i < s->slots; i++) {
        struct conn *c = &s->conns[i];
        if (c->fd >= 0) close(c->fd);
        if (c->out_heap) free(c->out);
        buf_done(&c->more);
    }
    if (s->listen_fd >= 0) close(s->listen_fd);
    if (s->wake_fd >= 0) close(s->wake_fd);
    mem_unmap(s->conns, s->slots * sizeof *s->conns);
    mem_unmap(s->in_memory, s->slots * CONN_IN_STRIDE);
    mem_unmap(s->out_memory, s->slots * CONN_OUT_STRIDE);
    mem_unmap(s->batches, s->batch_bytes * s->config.batches_max);
    free(s->batch_free);
    free(s->touched.at);
    free(s->again.at);
    free(s->sending.at);
    free(s);
}

struct conn_id conn_defer(struct conn *c)
{
    CHECK(c->waiting > 0 && !c->streaming);
    c->deferred = true;
    return (struct conn_id){c->slot, c->ticket};
}

struct conn *conn_find(struct server *s, struct conn_id id)
{
    struct conn *c = id.slot < s->slots ? &s->conns[id.slot] : NULL;

    return c && c->deferred && c->ticket == id.generation ? c : NULL;
}

void *conn_user(struct conn *c)
{
    c->user_used = true;
    return c->user;
}
