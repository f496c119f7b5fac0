// SPDX-License-Identifier: Apache-2.0
//
// pipe: one client connection with requests in flight on it, and what all of a run share. io_uring,
// so that the client costs no more than the leanest server; else it would be what is measured.
// One thread.
#pragma once

#include <liburing.h>
#include <stdint.h>

#include "bench/load/driver.h"
#include "bench/load/hist.h"

// One request in flight.
struct flight {
    int64_t due_ns; // when it was sent, or should have been (open loop)
    uint32_t key;   // index of its first key in the pool
};

// Whole requests, written one behind the other from offset 0.
struct outbox {
    char *data;
    size_t size, cap;
    uint32_t framed; // places that hold the request's text already, so that only gaps are filled
};

struct pipe {
    int fd;
    uint32_t index;      // among the registered descriptors
    uint32_t head, tail; // of flights, not wrapped; tail - head are in flight
    struct flight *flights;
    char *in; // the begin of an answer whose rest has not arrived
    size_t in_size, in_cap, in_need;
    struct outbox box[2]; // one is sent while the other is written
    unsigned current;     // the one that is sent, or is next
    size_t sent;          // bytes of it
    bool sending;
};

struct pipe_shared {
    const struct driver *driver;
    struct request *request;
    struct draw *draw;
    bool verify;        // look at every verdict, not at a sample
    uint32_t depth_max; // flights of one pipe, a power of two
    struct io_uring ring;
    bool ring_open;
    struct io_uring_buf_ring *buffers;
    char *receive;
    struct outbox direct; // large requests are sent from here
    uint32_t sequence;
    // counted: answers whose request was due in [begin_ns, end_ns)
    int64_t begin_ns, end_ns;
    struct hist *latency;
    uint64_t answers, errors, wrong, verified;
    uint64_t in_flight; // of all pipes
};

// Opens the ring. 0, ERR_NOMEM, ERR_SYSTEM (io_uring forbidden).
int pipe_shared_init(struct pipe_shared *s);
void pipe_shared_done(struct pipe_shared *s);

// Connects (blocking) to an IPv4 address in network byte order. 0, ERR_SYSTEM, ERR_NOMEM.
int pipe_open(struct pipe *p, struct pipe_shared *s, uint32_t address, uint16_t port);
void pipe_close(struct pipe *p);
// Once all are open: registers their descriptors and begins to receive. 0 or ERR_SYSTEM, ERR_NOMEM.
int pipe_start(struct pipe *pipes, uint32_t count, struct pipe_shared *s);

static inline uint32_t pipe_in_flight(const struct pipe *p)
{
    return p->tail - p->head;
}
// Queues `n` more requests (in flight <= depth_max); pipe_wait submits them. 0 or ERR_NOMEM.
int pipe_fire(struct pipe *p, struct pipe_shared *s, uint32_t n, int64_t due_ns);
// Submits what is queued, and waits up to a second for something to happen unless `spin`.
int pipe_wait(struct pipe_shared *s, bool spin);
// Handles one completion. *ret_pipe: whose it was; how many answers it brought, or ERR_IO (closed,
// or no answer), ERR_NOMEM.
int pipe_complete(struct pipe *pipes, struct pipe_shared *s, const struct io_uring_cqe *cqe,
                  struct pipe **ret_pipe);
