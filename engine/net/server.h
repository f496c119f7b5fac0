// SPDX-License-Identifier: Apache-2.0
//
// server: one thread's HTTP server: one ring, one SO_REUSEPORT listener, its connections.
//
// A turn: reap all completions, parse every complete request and hand it to its route (phase one:
// handlers parse, hash, prefetch), then `on_turn` (phase two: handlers decide and answer in order),
// then one send a connection, then wait. Requests of one connection are handed over in order; while
// one of them is deferred or streaming, the next stays unparsed. While earlier ones wait for
// on_turn the next is handed over in the same round only if its route is the same row; so a row
// answers either always at once or always in on_turn (or by conn_defer), else answers change
// places. A turn has up to four rounds of handing over and on_turn when more input is there.
//
// Backends: io_uring (multishot accept and receive, provided buffers), or epoll where io_uring is
// missing or forbidden; server_new says in `ret_note` which, and what to type to get io_uring.
// Nothing here allocates after net_server_new except bodies of ROUTE_WHOLE above 64 KiB, from a
// bounded pool made at start.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/metric.h"
#include "engine/base/qsbr.h"
#include "engine/base/queue.h"
#include "engine/net/http.h"
#include "engine/net/route.h"

struct server;
struct conn;

struct server_config {
    const char *host;            // numeric address or name
    uint16_t port;               // 0 = any (one thread only; tests)
    unsigned connections_max;    // of this thread
    unsigned idle_timeout_ms;    // between requests
    unsigned request_timeout_ms; // from the first byte of a request to its last
    unsigned send_timeout_ms;    // an answer that the client does not read
    unsigned drain_timeout_ms;   // after server_drain: then everything left is closed
    unsigned spin_us;            // look for completions this long before blocking; 0 = block
    unsigned batches_max;        // whole bodies above 64 KiB in memory at once
    bool epoll;                  // do not try io_uring
};

// All called in the server's own thread.
struct server_handler {
    void *ctx;
    const struct route *routes;
    unsigned route_count;
    // May this request use its (not open) route? 0, ERR_UNAUTHORIZED or ERR_FORBIDDEN.
    int (*on_auth)(void *ctx, const struct http_request *req);
    // Everything that arrived this turn was handed over: decide and answer it.
    void (*on_turn)(void *ctx);
    // A stream (conn_stream_*) has room again, or its turn has come. Write more, or end it. Called
    // every turn in which nothing of it is on its way; one that writes nothing is called again.
    // Not before all of a ROUTE_STREAM body was consumed.
    void (*on_resume)(void *ctx, struct conn *conn);
    // Body of a ROUTE_STREAM request. Returns how many bytes were consumed (the rest comes again,
    // longer); `last` when nothing follows. Not called while the stream has no room. 68 KiB of
    // which nothing is consumed break the connection off.
    size_t (*on_piece)(void *ctx, struct conn *conn, struct str piece, bool last);
    // The connection of a deferred or streaming request went away; conn_user is still readable.
    void (*on_gone)(void *ctx, struct conn *conn);
    // A message that another thread posted.
    void (*on_message)(void *ctx, struct queue_node *message);
    // At least once a second.
    void (*on_tick)(void *ctx);
};

// Binds and listens. `info` says why not and what to type. `metrics` and `me` are this thread's own
// and may be made by another thread. *ret_note: a static sentence about the backend, or NULL.
int server_new(struct server **ret, const struct server_config *config,
               const struct server_handler *handler, struct metric_block *metrics,
               struct qsbr_reader *me, const char **ret_note, struct err_info *info);
// The port that is really bound.
uint16_t server_port(const struct server *s);
// Turns until drained. Runs in the thread that shall own the ring. 0 or ERR_SYSTEM.
int server_run(struct server *s);
// From any thread or a signal-handling thread: stop accepting, answer what is in flight, close
// idle connections, make server_run return, at the latest after drain_timeout_ms.
void server_drain(struct server *s);
// From any thread: on_message(message) will run in the server's thread, unless server_run ends
// first. Posting threads have to be through before server_free.
void server_post(struct server *s, struct queue_node *message);
void server_free(struct server *s);

// -- answering: only in the server's thread, for the request that was handed over ----------------
void conn_answer_canned(struct conn *c, const struct http_canned *answer);
void conn_answer(struct conn *c, unsigned status, struct str content_type, struct str body);
// With extra header lines, each "Name: value\r\n".
void conn_answer_with(struct conn *c, unsigned status, struct str content_type, struct str headers,
                      struct str body);
void conn_answer_error(struct conn *c, int err, struct str detail);

// The answer comes later (a message). The id stays safe to use after the connection went away.
struct conn_id {
    uint32_t slot, generation;
};
struct conn_id conn_defer(struct conn *c);
// NULL when that request is gone.
struct conn *conn_find(struct server *s, struct conn_id id);

// A long answer in pieces: chunked in HTTP/1.1, until close in 1.0.
void conn_stream_begin(struct conn *c, unsigned status, struct str content_type);
// With extra header lines, as conn_answer_with.
void conn_stream_begin_with(struct conn *c, unsigned status, struct str content_type,
                            struct str headers);
// Bytes that fit now without waiting; 0 = wait for on_resume.
size_t conn_stream_room(const struct conn *c);
void conn_stream_write(struct conn *c, struct str data); // at most conn_stream_room bytes
// The same without a copy: where the next conn_stream_room bytes may be put, and how many were.
char *conn_stream_space(struct conn *c);
void conn_stream_commit(struct conn *c, size_t size_bytes);
void conn_stream_end(struct conn *c);
// Breaks the connection off so that the client sees that the answer is not whole.
void conn_stream_abort(struct conn *c);

// Memory for the handler, zeroed when a request is handed over.
#define CONN_USER_BYTES 256
void *conn_user(struct conn *c);
