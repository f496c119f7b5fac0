// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/mem.h"
#include "engine/net/conn.h"
#include "engine/net/userdata.h"

#define SQ_ENTRIES 1024
#define CQ_ENTRIES 16384
#define GROUP      0
#define REAP_MAX   256
#define RING_BYTES (LIMIT_RECV_BUFFERS * sizeof(struct io_uring_buf))

static_assert((LIMIT_RECV_BUFFERS & (LIMIT_RECV_BUFFERS - 1)) == 0, "a ring is a power of two");

struct uring {
    struct poll poll;
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    bool made, can_multishot, flags_taskrun, wake_armed;
};

static struct uring *uring_of(struct poll *p)
{
    return (struct uring *)p;
}

static struct io_uring_sqe *get_sqe(struct uring *u)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

    for (int tries = 0; !sqe && tries < 1000; tries++) {
        io_uring_submit(&u->ring); // -EBUSY while completions overflow: the next wait reaps them
        sqe = io_uring_get_sqe(&u->ring);
    }
    CHECK(sqe);
    return sqe;
}

// -- making one --------------------------------------------------------------------------------

// The best flags that this kernel has. 0 or -errno of the plainest.
static int make_ring(struct uring *u)
{
    static const unsigned flags[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        0,
    };
    int err = 0;

    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        struct io_uring_params params = {.flags = flags[i] | IORING_SETUP_R_DISABLED |
                                                  IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
                                         .cq_entries = CQ_ENTRIES};

        err = io_uring_queue_init_params(SQ_ENTRIES, &u->ring, &params);
        u->flags_taskrun = i < 2;
        if (err != -EINVAL) break;
    }
    u->made = err == 0;
    return err;
}

static int make_buffers(struct uring *u)
{
    struct io_uring_buf_reg reg = {.ring_entries = LIMIT_RECV_BUFFERS, .bgid = GROUP};

    u->poll.buffers = mem_map(LIMIT_RECV_BUFFERS * POLL_BUFFER_STRIDE);
    u->buffers = mem_map(RING_BYTES);
    if (!u->poll.buffers || !u->buffers) return -ENOMEM;
    io_uring_buf_ring_init(u->buffers);
    for (int i = 0; i < LIMIT_RECV_BUFFERS; i++)
        io_uring_buf_ring_add(u->buffers, poll_buffer(&u->poll, i), LIMIT_RECV_BYTES,
                              (unsigned short)i, io_uring_buf_ring_mask(LIMIT_RECV_BUFFERS), i);
    io_uring_buf_ring_advance(u->buffers, LIMIT_RECV_BUFFERS);
    reg.ring_addr = (uintptr_t)u->buffers;
    return io_uring_register_buf_ring(&u->ring, &reg, 0);
}

// One receive that shall go on, on a socket pair: does it?
static bool probe_receive(struct io_uring *ring, const int pair[2], void *memory)
{
    struct io_uring_buf_reg reg = {.ring_entries = 1, .ring_addr = (uintptr_t)memory};
    struct io_uring_buf_ring *buffers = memory;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    bool goes_on;

    if (io_uring_register_buf_ring(ring, &reg, 0) != 0) return false;
    io_uring_buf_ring_init(buffers);
    io_uring_buf_ring_add(buffers, (char *)memory + 4096, 64, 0, 0, 0);
    io_uring_buf_ring_advance(buffers, 1);
    if (write(pair[1], "x", 1) != 1) return false;
    sqe = io_uring_get_sqe(ring);
    io_uring_prep_recv_multishot(sqe, pair[0], NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    if (io_uring_submit(ring) != 1 || io_uring_wait_cqe(ring, &cqe) != 0) return false;
    goes_on = cqe->res == 1 && (cqe->flags & IORING_CQE_F_MORE);
    io_uring_cqe_seen(ring, cqe);
    return goes_on;
}

static bool probe_multishot(void)
{
    struct io_uring ring;
    int pair[2];
    void *memory;
    bool can = false;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return false;
    memory = mem_map(8192);
    if (memory && io_uring_queue_init(4, &ring, 0) == 0) {
        can = probe_receive(&ring, pair, memory);
        io_uring_queue_exit(&ring);
    }
    mem_unmap(memory, 8192);
    close(pair[0]);
    close(pair[1]);
    return can;
}

static const char *refusal(int err)
{
    switch (-err) {
    case EPERM:
        return "io_uring is forbidden here, using epoll; to allow it: sysctl -w "
               "kernel.io_uring_disabled=0, or in a container a seccomp profile that has "
               "io_uring_setup, io_uring_enter and io_uring_register";
    case ENOSYS:
        return "this kernel has no io_uring (5.19 or newer is needed), or a seccomp profile hides "
               "io_uring_setup, io_uring_enter and io_uring_register; using epoll";
    case ENOMEM:
        return "io_uring got no locked memory, using epoll; try: ulimit -l unlimited";
    case EINVAL:
        return "this kernel's io_uring has no buffer rings (5.19 or newer is needed), using epoll";
    default:
        return "io_uring could not be set up, using epoll; see dmesg, or pass --epoll";
    }
}

static int start(struct poll *p)
{
    struct uring *u = uring_of(p);

    // Debian's liburing 2.3 declares io_uring_enable_rings and does not export it
    if (io_uring_register((unsigned)u->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0)
        return ERR_SYSTEM;
    io_uring_register_ring_fd(&u->ring); // saves a look-up a call; older kernels do without
    return 0;
}

static void free_uring(struct poll *p)
{
    struct uring *u = uring_of(p);

    if (u->made) io_uring_queue_exit(&u->ring);
    mem_unmap(p->buffers, LIMIT_RECV_BUFFERS * POLL_BUFFER_STRIDE);
    mem_unmap(u->buffers, RING_BYTES);
    free(u);
}

// -- operations --------------------------------------------------------------------------------

static void accept_on(struct poll *p, bool on)
{
    struct io_uring_sqe *sqe = get_sqe(uring_of(p));

    if (on) {
        io_uring_prep_multishot_accept(sqe, p->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        io_uring_sqe_set_data64(sqe, userdata_pack(USERDATA_ACCEPT, 0, 0));
    } else {
        io_uring_prep_cancel64(sqe, userdata_pack(USERDATA_ACCEPT, 0, 0), 0);
        io_uring_sqe_set_data64(sqe, userdata_pack(USERDATA_CANCEL, 0, 0));
        // the listener is closed right after this, and the cancel must not meet another one
        io_uring_submit(&uring_of(p)->ring);
    }
}

static void receive(struct poll *p, struct conn *c)
{
    struct uring *u = uring_of(p);
    struct io_uring_sqe *sqe = get_sqe(u);

    if (u->can_multishot && p->multishot && !c->bulk) {
        io_uring_prep_recv_multishot(sqe, c->fd, NULL, 0, 0);
    } else {
        io_uring_prep_recv(sqe, c->fd, NULL, LIMIT_RECV_BYTES, 0);
        if (!c->bulk) sqe->ioprio |= IORING_RECVSEND_POLL_FIRST; // nothing is there yet
    }
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, userdata_pack(USERDATA_RECV, c->slot, c->life));
}

static void cancel(struct poll *p, struct conn *c, enum userdata_op op)
{
    struct io_uring_sqe *sqe = get_sqe(uring_of(p));

    io_uring_prep_cancel64(sqe, userdata_pack(op, c->slot, c->life), 0);
    io_uring_sqe_set_data64(sqe, userdata_pack(USERDATA_CANCEL, c->slot, c->life));
}

static void stop(struct poll *p, struct conn *c)
{
    cancel(p, c, USERDATA_RECV);
}

static bool send_out(struct poll *p, struct conn *c, int *ret)
{
    struct io_uring_sqe *sqe = get_sqe(uring_of(p));

    (void)ret;
    io_uring_prep_send(sqe, c->fd, c->out + c->out_sent, c->out_size - c->out_sent, MSG_NOSIGNAL);
    io_uring_sqe_set_data64(sqe, userdata_pack(USERDATA_SEND, c->slot, c->life));
    return true;
}

static void forget(struct poll *p, struct conn *c)
{
    if (c->recv_armed && !c->recv_stopping) cancel(p, c, USERDATA_RECV);
    if (c->send_busy) cancel(p, c, USERDATA_SEND);
}

static void give(struct poll *p, int buffer)
{
    struct uring *u = uring_of(p);

    io_uring_buf_ring_add(u->buffers, poll_buffer(p, buffer), LIMIT_RECV_BYTES,
                          (unsigned short)buffer, io_uring_buf_ring_mask(LIMIT_RECV_BUFFERS), 0);
    io_uring_buf_ring_advance(u->buffers, 1);
}

// -- waiting -----------------------------------------------------------------------------------

static bool to_event(struct uring *u, const struct io_uring_cqe *cqe, struct poll_event *e)
{
    static const enum poll_kind kinds[] = {
        [USERDATA_ACCEPT] = POLL_ACCEPT,
        [USERDATA_RECV] = POLL_RECV,
        [USERDATA_SEND] = POLL_SEND,
        [USERDATA_WAKE] = POLL_WAKE,
    };
    enum userdata_op op = userdata_op(cqe->user_data);

    if (op == USERDATA_CANCEL) return false;
    if (op == USERDATA_WAKE) u->wake_armed = false;
    *e = (struct poll_event){
        .kind = kinds[op],
        .slot = userdata_slot(cqe->user_data),
        .life = userdata_life(cqe->user_data),
        .result = cqe->res,
        .buffer = cqe->flags & IORING_CQE_F_BUFFER ? (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT)
                                                   : CONN_NO_BUFFER,
        .more = cqe->flags & IORING_CQE_F_MORE,
    };
    // an end of file may carry a buffer that nothing was put into
    if (op == USERDATA_RECV && e->result <= 0 && e->buffer != CONN_NO_BUFFER)
        give(&u->poll, e->buffer);
    return true;
}

static int reap(struct uring *u, struct poll_event *events)
{
    struct io_uring_cqe *cqes[REAP_MAX];
    int count = 0;

    while (count + REAP_MAX <= POLL_EVENTS_MAX) {
        unsigned found = io_uring_peek_batch_cqe(&u->ring, cqes, REAP_MAX);

        for (unsigned i = 0; i < found; i++) count += to_event(u, cqes[i], &events[count]);
        io_uring_cq_advance(&u->ring, found);
        if (found < REAP_MAX) break;
    }
    return count;
}

static void arm_wake(struct uring *u)
{
    struct io_uring_sqe *sqe;

    if (u->wake_armed) return;
    sqe = get_sqe(u);
    io_uring_prep_poll_add(sqe, u->poll.wake_fd, POLLIN);
    io_uring_sqe_set_data64(sqe, userdata_pack(USERDATA_WAKE, 0, 0));
    u->wake_armed = true;
}

static int wait_events(struct poll *p, int64_t timeout_ns, struct poll_event *events)
{
    struct uring *u = uring_of(p);
    struct io_uring_cqe *cqe;
    int err;

    arm_wake(u);
    if (timeout_ns == 0) {
        err = io_uring_submit_and_get_events(&u->ring);
    } else {
        struct __kernel_timespec ts = {timeout_ns / 1000000000, timeout_ns % 1000000000};
        err = io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1, &ts, NULL);
    }
    if (err < 0 && err != -ETIME && err != -EINTR && err != -EAGAIN && err != -EBUSY)
        return ERR_SYSTEM;
    return reap(u, events);
}

static bool ready(struct poll *p)
{
    struct uring *u = uring_of(p);

    if (io_uring_cq_ready(&u->ring)) return true;
    return !u->flags_taskrun ||
           (__atomic_load_n(u->ring.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_TASKRUN);
}

int uring_new(struct poll **ret, struct conn *conns, int wake_fd, const char **ret_note)
{
    static const struct poll_ops ops = {start, wait_events, ready,  accept_on, receive,
                                        stop,  send_out,    forget, give,      free_uring};
    struct uring *u = calloc(1, sizeof *u);
    int err;

    if (!u) return ERR_NOMEM;
    u->poll = (struct poll){.ops = &ops, .conns = conns, .wake_fd = wake_fd, .listen_fd = -1};
    err = make_ring(u);
    if (!err) err = make_buffers(u);
    if (err) {
        *ret_note = refusal(err);
        free_uring(&u->poll);
        return ERR_SYSTEM;
    }
    u->can_multishot = probe_multishot();
    if (!u->can_multishot)
        *ret_note = "this kernel has no multishot receive (6.0 or newer has), using single ones";
    *ret = &u->poll;
    return 0;
}
