// SPDX-License-Identifier: Apache-2.0
//
// poll: what the server asks of the kernel, and the two ways to ask (uring.c, epoll.c). Both speak
// in completions: an operation is begun, and an event says how it went. The server queues events
// first and acts on them later, so a backend never calls into it.
//
// Receive buffers belong to the backend and are lent with an event until poll_give.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/limits.h"

struct conn;

enum poll_kind { POLL_ACCEPT, POLL_RECV, POLL_SEND, POLL_WAKE };

struct poll_event {
    enum poll_kind kind;
    uint32_t slot, life;
    int result; // bytes, or the accepted descriptor, or -errno
    int buffer; // of POLL_RECV with result > 0
    bool more;  // the operation goes on
};

// A page and three lines apart from a power of two: the first lines of buffers do not share the
// same few sets of the caches.
#define POLL_BUFFER_STRIDE ((size_t)LIMIT_RECV_BYTES + 192)
#define POLL_EVENTS_MAX    1024 // of one turn

struct poll {
    const struct poll_ops *ops;
    struct conn *conns; // the server's slots
    char *buffers;      // LIMIT_RECV_BUFFERS of POLL_BUFFER_STRIDE
    int listen_fd, wake_fd;
    bool multishot; // worth it now: there are enough connections
};

struct poll_ops {
    // In the thread that shall run it. 0 or ERR_SYSTEM.
    int (*start)(struct poll *p);
    // Begins what was asked for, then looks (timeout_ns 0) or waits for events. Their count, or
    // ERR_SYSTEM.
    int (*wait)(struct poll *p, int64_t timeout_ns, struct poll_event *events);
    // Would wait(0) find something? Cheap, for spinning.
    bool (*ready)(struct poll *p);
    void (*accept)(struct poll *p, bool on);
    void (*recv)(struct poll *p, struct conn *c);
    // The receive comes back with -ECANCELED or what it had, `more` false.
    void (*stop)(struct poll *p, struct conn *c);
    // Sends out_sent..out_size. True: an event will say how it went; false: *ret says it now.
    bool (*send)(struct poll *p, struct conn *c, int *ret);
    // Breaks off what is in flight; events still come for it.
    void (*forget)(struct poll *p, struct conn *c);
    void (*give)(struct poll *p, int buffer);
    void (*free)(struct poll *p);
};

// ERR_SYSTEM where io_uring cannot be had; *ret_note then says why and what to type, else what is
// missing, or NULL.
int uring_new(struct poll **ret, struct conn *conns, int wake_fd, const char **ret_note);
int epoll_new(struct poll **ret, struct conn *conns, unsigned conn_count, int wake_fd);

static inline char *poll_buffer(const struct poll *p, int buffer)
{
    return p->buffers + (size_t)buffer * POLL_BUFFER_STRIDE;
}
