// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "tests/unit/net/rig.h"

#define STREAM_BYTES ((uint64_t)50 << 20)

struct job {
    struct queue_node node;
    struct rig *rig;
    struct conn_id id;
    unsigned delay_ms;
};

struct user {
    uint64_t left;
    uint32_t lines;
    bool counting;
};

static void on_echo(void *ctx, struct conn *c, const struct http_request *req)
{
    (void)ctx;
    if (req->body_too_large)
        conn_answer(c, 409, STR("text/plain"), STR("too large"));
    else
        conn_answer(c, 200, STR("text/plain"), req->body);
}

static void on_param(void *ctx, struct conn *c, const struct http_request *req)
{
    (void)ctx;
    conn_answer(c, 200, STR("text/plain"), req->param[0]);
}

static void on_later(void *ctx, struct conn *c, const struct http_request *req)
{
    struct rig *r = ctx;

    (void)req;
    CHECK(r->waiting_count < COUNT_OF(r->waiting));
    r->waiting[r->waiting_count++] = c;
    if (r->waiting_count < COUNT_OF(r->waiting)) return;
    for (unsigned i = 0; i < r->waiting_count; i++)
        conn_answer(r->waiting[i], 200, STR("text/plain"), STR("later"));
    r->waiting_count = 0;
}

static void on_turn(void *ctx)
{
    struct rig *r = ctx;

    for (unsigned i = 0; i < r->waiting_count; i++)
        conn_answer(r->waiting[i], 200, STR("text/plain"), STR("later"));
    r->waiting_count = 0;
}

static void *post_job(void *arg)
{
    struct job *job = arg;
    struct rig *r = job->rig;

    usleep(job->delay_ms * 1000);
    server_post(r->server, &job->node); // from here on the job is the server's
    atomic_fetch_sub(&r->posting, 1);
    return NULL;
}

static void on_defer(void *ctx, struct conn *c, const struct http_request *req)
{
    struct job *job = calloc(1, sizeof *job);
    uint64_t delay = 0;
    pthread_t thread;

    str_to_u64(req->param[0], &delay);
    *job = (struct job){.rig = ctx, .id = conn_defer(c), .delay_ms = (unsigned)delay};
    atomic_fetch_add(&job->rig->posting, 1);
    atomic_fetch_add(&job->rig->deferred, 1);
    CHECK(pthread_create(&thread, NULL, post_job, job) == 0);
    pthread_detach(thread);
}

static void on_message(void *ctx, struct queue_node *message)
{
    struct rig *r = ctx;
    struct job *job = (struct job *)message;
    struct conn *c = conn_find(r->server, job->id);

    if (c)
        conn_answer(c, 200, STR("text/plain"), STR("deferred"));
    else
        atomic_fetch_add(&r->stale, 1);
    free(job);
}

static void on_flood(void *ctx, struct conn *c, const struct http_request *req)
{
    struct user *u = conn_user(c);

    (void)ctx;
    (void)req;
    CHECK(u->left == 0);
    u->left = STREAM_BYTES;
    conn_stream_begin(c, 200, STR("application/octet-stream"));
}

static void on_resume(void *ctx, struct conn *c)
{
    static const char block[4096] = {[0 ... 4095] = 'x'};
    struct rig *r = ctx;
    struct user *u = conn_user(c);
    size_t room;

    while (u->left && (room = conn_stream_room(c)) > 0) {
        if (room > r->room_max) r->room_max = room;
        if (room > sizeof block) room = sizeof block;
        if (room > u->left) room = (size_t)u->left;
        conn_stream_write(c, str_make(block, room));
        u->left -= room;
        r->stream_bytes += room;
    }
    if (u->left == 0) conn_stream_end(c);
}

static void on_lines(void *ctx, struct conn *c, const struct http_request *req)
{
    (void)ctx;
    CHECK(req->body.size == 0);
    memset(conn_user(c), 0, sizeof(struct user));
    conn_stream_begin(c, 200, STR("application/x-ndjson"));
}

// Says of each line how long it was.
static size_t on_piece(void *ctx, struct conn *c, struct str piece, bool last)
{
    size_t used = 0;
    char text[32];

    (void)ctx;
    while (used < piece.size) {
        const char *end = memchr(piece.ptr + used, '\n', piece.size - used);
        if (!end && !last) break;
        size_t size = end ? (size_t)(end - piece.ptr) - used : piece.size - used;
        int n = snprintf(text, sizeof text, "%zu\n", size);
        if (conn_stream_room(c) < (size_t)n) return used;
        conn_stream_write(c, str_make(text, (size_t)n));
        used += size + (end ? 1 : 0);
    }
    if (last && used == piece.size) conn_stream_end(c);
    return used;
}

static void on_refuse(void *ctx, struct conn *c, const struct http_request *req)
{
    (void)ctx;
    (void)req;
    conn_answer_error(c, ERR_NOT_DURABLE, (struct str){0});
}

static void on_abort(void *ctx, struct conn *c, const struct http_request *req)
{
    (void)ctx;
    (void)req;
    conn_stream_begin(c, 200, STR("text/plain"));
    conn_stream_write(c, STR("half"));
    conn_stream_abort(c);
}

static void on_large(void *ctx, struct conn *c, const struct http_request *req)
{
    static char text[200000];

    (void)ctx;
    (void)req;
    memset(text, 'L', sizeof text);
    conn_answer(c, 200, STR("text/plain"), str_make(text, sizeof text));
}

static int on_auth(void *ctx, const struct http_request *req)
{
    (void)ctx;
    return str_eq(req->authorization, STR("Bearer good")) ? 0 : ERR_UNAUTHORIZED;
}

static void on_gone(void *ctx, struct conn *c)
{
    (void)conn_user(c);
    atomic_fetch_add(&((struct rig *)ctx)->gone, 1);
}

static void on_tick(void *ctx)
{
    atomic_fetch_add(&((struct rig *)ctx)->ticks, 1);
}

static const struct route routes[] = {
    {HTTP_POST, "/echo", ROUTE_WHOLE, 1 << 20, false, NULL, true, on_echo, 0, ""},
    {HTTP_POST, "/small", ROUTE_WHOLE, 100, true, NULL, true, on_echo, 0, ""},
    {HTTP_POST, "/tiny", ROUTE_WHOLE, 100, false, NULL, true, on_echo, 0, ""},
    {HTTP_GET, "/p/{x}", ROUTE_NO_BODY, 0, false, NULL, true, on_param, 0, ""},
    {HTTP_GET, "/later", ROUTE_NO_BODY, 0, false, NULL, true, on_later, 0, ""},
    {HTTP_GET, "/defer/{ms}", ROUTE_NO_BODY, 0, false, NULL, true, on_defer, 0, ""},
    {HTTP_GET, "/flood", ROUTE_NO_BODY, 0, false, NULL, true, on_flood, 0, ""},
    {HTTP_POST, "/lines", ROUTE_STREAM, 0, false, NULL, true, on_lines, 0, ""},
    {HTTP_POST, "/refuse", ROUTE_STREAM, 0, false, NULL, true, on_refuse, 0, ""},
    {HTTP_POST, "/both", ROUTE_WHOLE, 100, false, "text/lines", true, on_lines, 0, ""},
    {HTTP_GET, "/abort", ROUTE_NO_BODY, 0, false, NULL, true, on_abort, 0, ""},
    {HTTP_GET, "/large", ROUTE_NO_BODY, 0, false, NULL, true, on_large, 0, ""},
    {HTTP_GET, "/closed", ROUTE_NO_BODY, 0, false, NULL, false, on_param, 0, ""},
};

void rig_config(struct server_config *config, bool epoll)
{
    *config = (struct server_config){.host = "127.0.0.1",
                                     .connections_max = 1200,
                                     .idle_timeout_ms = 20000,
                                     .request_timeout_ms = 10000,
                                     .send_timeout_ms = 10000,
                                     .drain_timeout_ms = 5000,
                                     .batches_max = 1,
                                     .epoll = epoll};
}

static void *run(void *arg)
{
    struct rig *r = arg;

    r->result = server_run(r->server);
    return NULL;
}

void rig_start(struct rig *r, const struct server_config *config)
{
    struct server_handler handler = {r,         routes,   COUNT_OF(routes), on_auth,    on_turn,
                                     on_resume, on_piece, on_gone,          on_message, on_tick};
    struct err_info info = {0};
    const char *note = NULL;

    memset(r, 0, sizeof *r);
    r->epoll = config->epoll;
    r->qsbr = qsbr_new();
    r->me = qsbr_join(r->qsbr);
    r->metrics = metric_block_new();
    if (server_new(&r->server, config, &handler, r->metrics, r->me, &note, &info) != 0)
        fail_msg("%s", info.text);
    if (note) print_message("note: %s\n", note);
    assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
}

void rig_stop(struct rig *r)
{
    server_drain(r->server);
    pthread_join(r->thread, NULL);
    while (atomic_load(&r->posting)) usleep(1000);
    assert_int_equal(r->result, 0);
    assert_int_equal(rig_metric(r, METRIC_CONNECTIONS_OPEN), 0);
    server_free(r->server);
    qsbr_leave(r->me);
    qsbr_free(r->qsbr);
}

uint64_t rig_metric(struct rig *r, enum metric m)
{
    return atomic_load(&r->metrics->value[m]);
}

int rig_connect(struct rig *r)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(server_port(r->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    assert_true(fd >= 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    // a ring that is torn down interrupts its thread, here too
    while (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EISCONN)
        assert_true(errno == EINTR || errno == EALREADY);
    return fd;
}

void rig_send_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) fail_msg("send: %s", strerror(errno));
        data += n;
        size -= (size_t)n;
    }
}

void rig_send(int fd, const char *text)
{
    rig_send_all(fd, text, strlen(text));
}

size_t rig_read(int fd, char *dst, size_t size)
{
    size_t at = 0;

    while (at < size) {
        ssize_t n = recv(fd, dst + at, size - at, 0);
        if (n < 0 && errno == EINTR) continue; // a ring that is torn down interrupts its thread
        if (n <= 0) break;
        at += (size_t)n;
    }
    return at;
}

const char *rig_read_end(int fd)
{
    static char text[1 << 20];
    size_t size = rig_read(fd, text, sizeof text - 1);

    text[size] = '\0';
    return text;
}

void rig_expect(int fd, const char *text)
{
    size_t size = strlen(text);
    char *got = calloc(1, size + 1);

    rig_read(fd, got, size);
    assert_string_equal(got, text);
    free(got);
}

static size_t number_at(const char *digits)
{
    uint64_t value = 0;

    assert_true(str_to_u64(str_make(digits, strspn(digits, "0123456789")), &value));
    return (size_t)value;
}

int rig_answer(int fd, const char **ret_body)
{
    static char head[4096], body[1 << 20];
    size_t size = 0, length = 0;
    const char *at;

    while (size < sizeof head - 1) {
        if (rig_read(fd, head + size, 1) != 1) {
            head[size] = '\0';
            fail_msg("no whole head: '%s'", head);
        }
        size++;
        if (size >= 4 && memcmp(head + size - 4, "\r\n\r\n", 4) == 0) break;
    }
    head[size] = '\0';
    at = strstr(head, "Content-Length: ");
    if (at) length = number_at(at + 16);
    assert_true(length < sizeof body);
    assert_int_equal(rig_read(fd, body, length), length);
    body[length] = '\0';
    if (ret_body) *ret_body = body;
    return (int)number_at(head + 9);
}

bool rig_closed(int fd)
{
    char c;
    ssize_t n;

    do {
        n = recv(fd, &c, 1, 0);
    } while (n < 0 && errno == EINTR);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}
