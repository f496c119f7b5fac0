// SPDX-License-Identifier: Apache-2.0
//
// A server that always says the same: what the room itself costs.
//   net_constant PORT [epoll]
#include <stdio.h>
#include <time.h>

#include "engine/net/http1.h"
#include "engine/net/server.h"

static struct http_canned answer;

static void on_request(void *ctx, struct conn *c, const struct http_request *req)
{
    (void)ctx;
    (void)req;
    conn_answer_canned(c, &answer);
}

static const struct route routes[] = {
    {.method = HTTP_POST,
     .pattern = "/ocs/validate",
     .body = ROUTE_WHOLE,
     .body_max_bytes = 65536,
     .open = true,
     .on_request = on_request},
    {.method = HTTP_GET, .pattern = "/", .open = true, .on_request = on_request},
};

static void measure_parser(void)
{
    static const char text[] = {
        "POST /ocs/validate HTTP/1.1\r\nHost: engine.example.com:8080\r\n"
        "User-Agent: OutboundContactServer/8.1.533.00\r\nAccept: application/json\r\n"
        "Content-Type: application/json; charset=utf-8\r\nX-Genesys-Tenant: Environment\r\n"
        "Content-Length: 412\r\nConnection: keep-alive\r\nX-Request: 0123456789abcdef\r\n\r\n"};
    struct http1_head head = {0};
    clock_t start = clock();
    uint64_t sum = 0;
    int rounds = 5000000;

    for (int i = 0; i < rounds; i++) {
        struct str in = str_make(text, sizeof text - 1);
        __asm__ volatile("" : "+r"(in.ptr)::"memory");
        sum += (uint64_t)http1_parse_head(in, &head) + head.length_bytes;
    }
    fprintf(stderr, "parser: %zu bytes, %.1f ns (%llu)\n", sizeof text - 1,
            (double)(clock() - start) * 1e9 / CLOCKS_PER_SEC / rounds, (unsigned long long)sum);
}

int main(int argc, char **argv)
{
    struct server_config config = {.host = "127.0.0.1",
                                   .connections_max = 4096,
                                   .idle_timeout_ms = 60000,
                                   .request_timeout_ms = 10000,
                                   .send_timeout_ms = 10000,
                                   .epoll = argc > 2};
    struct server_handler handler = {.routes = routes, .route_count = 2};
    struct err_info info = {0};
    struct qsbr *q = qsbr_new();
    struct server *s;
    const char *note;
    uint64_t port = 0;

    if (argc < 2 || !str_to_u64(str_of(argv[1]), &port)) return 2;
    if (port == 0) {
        measure_parser();
        return 0;
    }
    config.port = (uint16_t)port;
    http_canned_init(&answer, 200, STR("application/json"), STR("{}"));
    if (server_new(&s, &config, &handler, metric_block_new(), qsbr_join(q), &note, &info)) {
        fprintf(stderr, "%s\n", info.text);
        return 1;
    }
    if (note) fprintf(stderr, "%s\n", note);
    return server_run(s) == 0 ? 0 : 1;
}
