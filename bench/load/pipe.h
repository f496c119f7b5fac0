// SPDX-License-Identifier: Apache-2.0
//
// pipe: one client connection with requests in flight on it. One thread.
#pragma once

#include <stdint.h>

#include "bench/load/driver.h"
#include "bench/load/hist.h"

// One request in flight.
struct flight {
    int64_t due_ns; // when it was sent, or should have been (open loop)
    uint32_t key;   // index of its first key in the pool
};

struct pipe {
    int fd;
    uint32_t head, tail; // of flights, not wrapped; tail - head are in flight
    struct flight *flights;
    bool more; // the last read filled its room
    char *in;  // the begin of an answer whose rest has not arrived
    size_t in_size, in_cap, in_need;
    char *out; // what the socket did not take
    size_t out_at, out_size, out_cap;
};

// What all pipes of a run share, and what came of it.
struct pipe_shared {
    const struct driver *driver;
    struct request *request;
    struct draw *draw;
    bool verify;        // look at every verdict, not at a sample
    uint32_t depth_max; // flights of one pipe, a power of two
    uint32_t frame_max; // requests written at once
    int epoll_fd;
    char *frames;  // frame_max copies of the request
    char *receive; // PIPE_RECEIVE_BYTES
    uint32_t sequence;
    // counted: answers whose request was due in [begin_ns, end_ns)
    int64_t begin_ns, end_ns;
    struct hist *latency;
    uint64_t answers, errors, wrong, verified;
    uint64_t in_flight; // of all pipes
};

#define PIPE_RECEIVE_BYTES ((size_t)256 << 10)

// Allocates frames and the receive buffer. 0 or ERR_NOMEM.
int pipe_shared_init(struct pipe_shared *s);
void pipe_shared_done(struct pipe_shared *s);

// Connects (blocking) to a numeric IPv4 address and joins the epoll; epoll's data.u32 = `index`.
// 0, ERR_SYSTEM, ERR_NOMEM.
int pipe_open(struct pipe *p, struct pipe_shared *s, uint32_t address, uint16_t port,
              uint32_t index);
void pipe_close(struct pipe *p);
static inline uint32_t pipe_in_flight(const struct pipe *p)
{
    return p->tail - p->head;
}
// Sends `n` more requests (n <= frame_max, in flight <= depth_max). 0 or ERR_IO.
int pipe_fire(struct pipe *p, struct pipe_shared *s, uint32_t n, int64_t due_ns);
// Sends what the socket did not take earlier. 0 or ERR_IO.
int pipe_flush(struct pipe *p);
// Reads what has arrived and counts the answers. How many, or ERR_IO (closed, or no answer).
int pipe_receive(struct pipe *p, struct pipe_shared *s);
