// SPDX-License-Identifier: Apache-2.0
//
// conn: one connection's memory, and the server it lives in. Inside of the room; one thread.
//
// A slot owns address space for its input and output from the start (memory when touched), so
// nothing is allocated while serving. Input lies in at most three places, in this order: `raw` in
// the slot's own memory (what was left over), then the receive buffers it holds. `keep` is the
// front of that memory while handlers have views into it.
#pragma once

#include <stdatomic.h>

#include "engine/base/check.h"
#include "engine/base/limits.h"
#include "engine/net/http1.h"
#include "engine/net/poll.h"
#include "engine/net/server.h"

// A head, a small body (or as much of a stream), and what came after them: a head, or the receive
// buffer that came before the stream's reader stopped to read.
#define CONN_IN_BYTES                                                                              \
    (LIMIT_HEADER_BYTES + LIMIT_SMALL_BODY_BYTES + 4096 + LIMIT_HEADER_BYTES + LIMIT_RECV_BYTES)
#define CONN_IN_STRIDE  ((size_t)CONN_IN_BYTES + 192)
#define CONN_OUT_STRIDE ((size_t)LIMIT_SEND_BYTES + 320)
#define CONN_SPARES     64  // slots beyond connections_max: their last operations come back first
#define CONN_WAITING    64  // requests of one connection handed over and not yet answered
#define CONN_ANSWER     512 // room that each of them is sure of: a canned answer
#define CONN_LINGER_MS  1000
#define CONN_KEPT_MAX   (LIMIT_RECV_BUFFERS / 2) // buffers lent across turns; beyond, see below
#define CONN_HOARD_MS   250 // so long may one keep buffers without progress while others lack them
#define CONN_NO_BUFFER  (-1)

enum conn_state {
    CONN_FREE,
    CONN_IDLE,    // between requests
    CONN_READ,    // a request has come in part
    CONN_WORK,    // a handler has it
    CONN_SEND,    // the client has to read
    CONN_LINGER,  // answered and shut down; the client has yet to close
    CONN_CLOSING, // operations have yet to come back
    CONN_STATES
};

enum conn_phase { CONN_HEAD, CONN_WHOLE, CONN_STREAM, CONN_DRAIN };

struct conn {
    struct conn *prev, *next; // of its state's list
    struct server *server;
    enum conn_state state; // written by conn_set_state only
    enum conn_phase phase; // of the request being read
    int fd;
    uint32_t slot, life, ticket; // ticket: of the deferred request
    int64_t since_ms;            // when the state was entered or last made progress
    uint64_t send_turn;

    bool touched, again, progress;
    bool taking, followed; // while a request is handed over: does input follow it?
    bool recv_armed, recv_stopping, bulk, send_busy;
    bool readable, writable, listed, registered, hung_up; // epoll
    bool eof, last, unread, reset, broken;                // last: nothing is parsed any more
    enum metric why;

    char *in; // CONN_IN_BYTES
    uint32_t keep, raw_start, raw_end, in_high;
    int held_first, held_last; // receive buffers, linked through server->held_next
    uint32_t held_at;          // consumed of the first
    int pinned;                // buffer that a streaming answer's body lies in

    struct http_request req; // while its body is collected or streamed
    struct http1_body body;
    char *whole;
    size_t whole_size, whole_max;
    int batch; // big body buffer, or -1
    bool continue_due, keep_alive;
    uint32_t piece_size; // of a stream's body, not consumed yet, at `keep`

    const struct route *route; // of what waits
    uint64_t round;            // in which it was handed over
    int request_buffer;
    int64_t arrived_ns;
    uint64_t minors; // bit i: the i-th oldest waiting request is HTTP/1.1
    unsigned waiting;
    bool deferred, streaming, chunked, head_only, user_used;

    char *out; // the slot's, or malloc'd when out_heap
    size_t out_size, out_sent, out_cap, chunk_at;
    bool out_heap, chunk_open;
    struct buf more; // what did not fit; becomes `out` when that is sent

    _Alignas(16) char user[CONN_USER_BYTES];
};

struct conn_list {
    struct conn *first, *last;
    unsigned count;
};

struct conn_vector {
    struct conn **at;
    unsigned count;
};

struct server {
    struct poll *poll;
    struct server_config config;
    struct server_handler handler;
    struct metric_block *metrics;
    struct qsbr_reader *me;
    int listen_fd, wake_fd;
    uint16_t port;
    _Atomic bool drain_asked, wake_sent;
    bool draining, accepting, message_due;
    int64_t now_ns, now_ms, tick_ms, timers_ms, accept_ms, drain_ms;
    uint64_t turns, round;
    unsigned answered, spin_credit;

    struct conn *conns;
    unsigned slots, open; // open: neither free nor closing
    struct conn_list lists[CONN_STATES];
    struct conn_vector touched, again, sending;
    char *in_memory, *out_memory;

    int held_next[LIMIT_RECV_BUFFERS];
    uint32_t held_size[LIMIT_RECV_BUFFERS];
    uint8_t held_refs[LIMIT_RECV_BUFFERS]; // held, pinned
    bool is_used[LIMIT_RECV_BUFFERS];
    int used[LIMIT_RECV_BUFFERS]; // given back after on_turn
    unsigned used_count;
    unsigned away, kept; // lent by the backend now; still so at the end of the last turn

    char *batches;
    size_t batch_bytes;
    unsigned *batch_free, batch_free_count;
    struct http_canned busy;
    struct queue messages;
    struct poll_event events[POLL_EVENTS_MAX];
};

// -- conn.c --------------------------------------------------------------------------------------
// The only writer of ->state; also starts its deadline anew.
void conn_set_state(struct conn *c, enum conn_state state);
// This turn looks at it again before it ends.
void conn_touch(struct conn *c);
void conn_open(struct server *s, int fd);
// Counts `why`, tells on_gone when a request was waiting, and breaks everything off.
void conn_close(struct conn *c, enum metric why);
// After the last answer was sent: closes, or shuts down and reads away.
void conn_finish(struct conn *c);
// Closing is over once nothing is in flight.
void conn_reap(struct conn *c);
void conn_hold(struct conn *c, int buffer, uint32_t size);
void conn_unhold(struct conn *c);
void conn_pin(struct conn *c);
// Gives back the buffers that nobody refers to any more.
void conn_give_back(struct server *s);
bool conn_has_input(const struct conn *c);
// Is the request at hand the last that has come?
bool conn_is_followed(const struct conn *c);
// A big body goes back.
void conn_drop_body(struct conn *c);
static inline bool conn_is_live(const struct conn *c)
{
    return c->state != CONN_FREE && c->state != CONN_CLOSING && c->state != CONN_LINGER;
}

// -- intake.c: bytes to requests -----------------------------------------------------------------
// Parses and hands over as much as may be now.
void intake_run(struct conn *c);
// After on_turn: views are gone, memory can be moved.
void intake_settle(struct conn *c);
// At the end of a turn: buffers that are still held move into the slot as far as they fit.
void intake_store(struct conn *c);
// Could intake_run go on with what is there?
bool intake_blocked(const struct conn *c);
// The rest of the request's body is not wanted: read away, or the connection ends.
void intake_skip_body(struct conn *c);

// -- answer.c ------------------------------------------------------------------------------------
// Answers for the server itself, when no request waits. Broken: the connection ends.
void answer_refuse(struct conn *c, int err, struct str headers, bool broken);
void answer_continue(struct conn *c);
bool answer_has_room(const struct conn *c);
// Begins to send what is there.
void answer_flush(struct conn *c);
// `result` bytes went out, or -errno.
void answer_sent(struct conn *c, int result);
