// SPDX-License-Identifier: Apache-2.0
//
// bare: the limit. An io_uring responder that parses nothing: for every --request-bytes received
// it sends the same answer. One thread, set up as the engine is: SINGLE_ISSUER | DEFER_TASKRUN,
// multishot accept and receive, provided buffers, direct descriptors.
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/str.h"

#define ENTRIES       4096
#define BUFFERS       256
#define BUFFER_BYTES  32768
#define CONNS_MAX     16384
#define SEND_BYTES    ((size_t)1 << 20) // room for equal answers, sent with one call
#define ACCEPT_TAG    UINT32_MAX
#define TAG(op, slot) ((uint64_t)(op) << 32 | (slot))

enum op { OP_ACCEPT, OP_RECV, OP_SEND };

struct conn {
    uint64_t received; // bytes not yet answered
    uint32_t owed;     // answers not yet handed over
    bool sending;
};

struct bare {
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    char *memory;
    char *answers;
    size_t answer_size, answers_max;
    uint64_t request_bytes, spin_us, port;
    bool single; // receive one at a time instead of multishot
    struct conn conns[CONNS_MAX];
    uint32_t dirty[CONNS_MAX]; // slots to be looked at after reaping
    unsigned dirty_count;
};

static _Noreturn void die(const char *what, int err)
{
    fprintf(stderr, "bare: %s: %s\n", what, strerror(err < 0 ? -err : err));
    exit(1);
}

static struct io_uring_sqe *sqe_get(struct bare *b)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&b->ring);
    if (sqe != NULL) return sqe;
    io_uring_submit(&b->ring);
    sqe = io_uring_get_sqe(&b->ring);
    CHECK(sqe != NULL);
    return sqe;
}

static void recv_arm(struct bare *b, uint32_t slot)
{
    struct io_uring_sqe *sqe = sqe_get(b);
    if (b->single)
        io_uring_prep_recv(sqe, (int)slot, NULL, 0, 0);
    else
        io_uring_prep_recv_multishot(sqe, (int)slot, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT | IOSQE_FIXED_FILE;
    sqe->buf_group = 0;
    io_uring_sqe_set_data64(sqe, TAG(OP_RECV, slot));
}

static void send_arm(struct bare *b, uint32_t slot)
{
    struct conn *c = &b->conns[slot];
    size_t n = c->owed < b->answers_max ? c->owed : b->answers_max;
    struct io_uring_sqe *sqe = sqe_get(b);
    io_uring_prep_send(sqe, (int)slot, b->answers, n * b->answer_size, MSG_WAITALL | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, TAG(OP_SEND, slot));
    c->owed -= (uint32_t)n;
    c->sending = true;
}

static void accept_arm(struct bare *b, int listen_fd)
{
    struct io_uring_sqe *sqe = sqe_get(b);
    io_uring_prep_multishot_accept_direct(sqe, listen_fd, NULL, NULL, 0);
    io_uring_sqe_set_data64(sqe, TAG(OP_ACCEPT, ACCEPT_TAG));
}

static void conn_end(struct bare *b, uint32_t slot)
{
    struct io_uring_sqe *sqe = sqe_get(b);
    io_uring_prep_close_direct(sqe, slot);
    io_uring_sqe_set_data64(sqe, TAG(OP_ACCEPT, slot)); // its completion is of no interest
}

static void on_recv(struct bare *b, const struct io_uring_cqe *cqe, uint32_t slot)
{
    struct conn *c = &b->conns[slot];
    if (cqe->flags & IORING_CQE_F_BUFFER) {
        unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
        io_uring_buf_ring_add(b->buffers, b->memory + (size_t)id * BUFFER_BYTES, BUFFER_BYTES,
                              (unsigned short)id, io_uring_buf_ring_mask(BUFFERS), 0);
        io_uring_buf_ring_advance(b->buffers, 1);
    }
    if (cqe->res <= 0 && cqe->res != -ENOBUFS) {
        conn_end(b, slot);
        return;
    }
    if (cqe->res > 0) c->received += (uint64_t)cqe->res;
    c->owed += (uint32_t)(c->received / b->request_bytes);
    c->received %= b->request_bytes;
    if (!(cqe->flags & IORING_CQE_F_MORE)) recv_arm(b, slot);
    b->dirty[b->dirty_count++] = slot;
}

static void on_cqe(struct bare *b, const struct io_uring_cqe *cqe, int listen_fd)
{
    enum op op = (enum op)(cqe->user_data >> 32);
    uint32_t slot = (uint32_t)cqe->user_data;
    if (op == OP_RECV) {
        on_recv(b, cqe, slot);
    } else if (op == OP_SEND) {
        b->conns[slot].sending = false;
        if (b->conns[slot].owed > 0) b->dirty[b->dirty_count++] = slot;
    } else if (slot == ACCEPT_TAG) {
        if (cqe->res >= 0) {
            b->conns[cqe->res] = (struct conn){0};
            recv_arm(b, (uint32_t)cqe->res);
        }
        if (!(cqe->flags & IORING_CQE_F_MORE)) accept_arm(b, listen_fd);
    }
}

static void wait_for_work(struct bare *b)
{
    struct io_uring_cqe *cqe;
    int err = 0;
    if (b->spin_us > 0) {
        int64_t until_ns = clock_mono_ns() + (int64_t)b->spin_us * 1000;
        do {
            err = io_uring_submit_and_get_events(&b->ring);
            if (io_uring_cq_ready(&b->ring) > 0) return;
        } while (err >= 0 && clock_mono_ns() < until_ns);
    }
    err = io_uring_submit_and_wait_timeout(&b->ring, &cqe, 1, NULL, NULL);
    if (err < 0 && err != -EINTR && err != -EBUSY) die("io_uring_enter", err);
}

static void serve(struct bare *b, int listen_fd)
{
    accept_arm(b, listen_fd);
    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, n = 0;
        wait_for_work(b);
        // a turn's completions are bounded so that every slot fits in `dirty`
        io_uring_for_each_cqe(&b->ring, head, cqe)
        {
            if (b->dirty_count == CONNS_MAX) break;
            on_cqe(b, cqe, listen_fd);
            n++;
        }
        io_uring_cq_advance(&b->ring, n);
        for (unsigned i = 0; i < b->dirty_count; i++) {
            struct conn *c = &b->conns[b->dirty[i]];
            if (!c->sending && c->owed > 0) send_arm(b, b->dirty[i]);
        }
        b->dirty_count = 0;
    }
}

static int listen_open(uint64_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket", errno);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY, inherited */, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) die("bind", errno);
    if (listen(fd, 4096) < 0) die("listen", errno);
    return fd;
}

static void ring_open(struct bare *b)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
                                     .cq_entries = 4 * CONNS_MAX};
    int err = io_uring_queue_init_params(ENTRIES, &b->ring, &params);
    if (err < 0) die("io_uring (kernel.io_uring_disabled?)", err);
    err = io_uring_register_files_sparse(&b->ring, CONNS_MAX);
    if (err < 0) die("direct descriptors (ulimit -n below 16384?)", err);
    size_t ring_bytes = BUFFERS * sizeof(struct io_uring_buf);
    b->memory = calloc(BUFFERS, BUFFER_BYTES);
    if (b->memory == NULL || posix_memalign((void **)&b->buffers, 4096, ring_bytes) != 0) {
        die("memory", ENOMEM);
    }
    struct io_uring_buf_reg reg = {
        .ring_addr = (uint64_t)(uintptr_t)b->buffers, .ring_entries = BUFFERS, .bgid = 0};
    io_uring_buf_ring_init(b->buffers);
    err = io_uring_register_buf_ring(&b->ring, &reg, 0);
    if (err < 0) die("provided buffers", err);
    for (unsigned i = 0; i < BUFFERS; i++) {
        io_uring_buf_ring_add(b->buffers, b->memory + (size_t)i * BUFFER_BYTES, BUFFER_BYTES,
                              (unsigned short)i, io_uring_buf_ring_mask(BUFFERS), (int)i);
    }
    io_uring_buf_ring_advance(b->buffers, BUFFERS);
}

static void answers_fill(struct bare *b, const char *path)
{
    struct err_info info;
    struct buf answer;
    buf_init(&answer, SEND_BYTES);
    if (file_read_all(path, &answer, &info) < 0) {
        fprintf(stderr, "bare: %s\n", info.text);
        exit(1);
    }
    if (answer.size_bytes == 0) die("the answer file is empty", EINVAL);
    b->answer_size = answer.size_bytes;
    b->answers_max = SEND_BYTES / answer.size_bytes;
    b->answers = malloc(SEND_BYTES);
    if (b->answers == NULL) die("memory", ENOMEM);
    for (size_t i = 0; i < b->answers_max; i++) {
        memcpy(b->answers + i * b->answer_size, answer.ptr, b->answer_size);
    }
    buf_done(&answer);
}

int main(int argc, char **argv)
{
    static const struct option table[] = {
        {"port", 1, 0, 'p'},    {"answer", 1, 0, 'a'}, {"request-bytes", 1, 0, 'r'},
        {"spin-us", 1, 0, 's'}, {"single", 0, 0, '1'}, {0, 0, 0, 0},
    };
    struct bare *b = calloc(1, sizeof *b);
    const char *answer = NULL;
    bool ok = b != NULL;
    for (int c; ok && (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        if (c == 'p')
            ok = str_to_u64(str_of(optarg), &b->port);
        else if (c == 'a')
            answer = optarg;
        else if (c == 'r')
            ok = str_to_u64(str_of(optarg), &b->request_bytes);
        else if (c == 's')
            ok = str_to_u64(str_of(optarg), &b->spin_us);
        else if (c == '1')
            b->single = true;
        else
            ok = false;
    }
    if (!ok || answer == NULL || b->request_bytes == 0 || b->port == 0) {
        fputs("bare --port N --answer FILE --request-bytes N [--spin-us N] [--single]\n", stderr);
        return 2;
    }
    answers_fill(b, answer);
    ring_open(b);
    serve(b, listen_open(b->port));
}
