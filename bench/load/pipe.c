// SPDX-License-Identifier: Apache-2.0
#include "bench/load/pipe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/err.h"

// Without `verify`, the verdicts of one batch out of this many are looked at.
#define SAMPLE       16
#define ENTRIES      4096
#define COMPLETIONS  65536
#define BUFFERS      256
#define BUFFER_BYTES ((size_t)32 << 10)
#define DIRECT_BYTES 2048

enum op { OP_RECV, OP_SEND };

static void buffer_give(struct pipe_shared *s, unsigned id)
{
    io_uring_buf_ring_add(s->buffers, s->receive + id * BUFFER_BYTES, BUFFER_BYTES,
                          (unsigned short)id, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(s->buffers, 1);
}

int pipe_shared_init(struct pipe_shared *s)
{
    CHECK((s->depth_max & (s->depth_max - 1)) == 0);
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
                                     .cq_entries = COMPLETIONS};
    if (io_uring_queue_init_params(ENTRIES, &s->ring, &params) < 0) return ERR_SYSTEM;
    s->ring_open = true;
    size_t ring_bytes = BUFFERS * sizeof(struct io_uring_buf);
    s->receive = malloc(BUFFERS * BUFFER_BYTES);
    if (s->receive == NULL || posix_memalign((void **)&s->buffers, 4096, ring_bytes) != 0) {
        return ERR_NOMEM;
    }
    struct io_uring_buf_reg reg = {.ring_addr = (uint64_t)(uintptr_t)s->buffers,
                                   .ring_entries = BUFFERS};
    io_uring_buf_ring_init(s->buffers);
    if (io_uring_register_buf_ring(&s->ring, &reg, 0) < 0) return ERR_SYSTEM;
    for (unsigned id = 0; id < BUFFERS; id++) buffer_give(s, id);
    return 0;
}

void pipe_shared_done(struct pipe_shared *s)
{
    if (s->ring_open) io_uring_queue_exit(&s->ring);
    free(s->buffers);
    free(s->receive);
    free(s->direct.data);
    s->direct = (struct outbox){0};
    s->ring_open = false;
    s->buffers = NULL;
    s->receive = NULL;
}

static struct io_uring_sqe *sqe_get(struct pipe_shared *s)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&s->ring);
    if (sqe != NULL) return sqe;
    io_uring_submit(&s->ring);
    sqe = io_uring_get_sqe(&s->ring);
    CHECK(sqe != NULL);
    return sqe;
}

static void recv_arm(const struct pipe *p, struct pipe_shared *s)
{
    struct io_uring_sqe *sqe = sqe_get(s);
    io_uring_prep_recv_multishot(sqe, (int)p->index, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT | IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, (uint64_t)p->index << 1 | OP_RECV);
}

static void send_arm(struct pipe *p, struct pipe_shared *s)
{
    const struct outbox *b = &p->box[p->current];
    struct io_uring_sqe *sqe = sqe_get(s);
    io_uring_prep_send(sqe, (int)p->index, b->data + p->sent, b->size - p->sent,
                       MSG_WAITALL | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, (uint64_t)p->index << 1 | OP_SEND);
    p->sending = true;
}

int pipe_open(struct pipe *p, struct pipe_shared *s, uint32_t address, uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = address};
    int one = 1;
    *p = (struct pipe){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    p->flights = calloc(s->depth_max, sizeof *p->flights);
    if (p->flights == NULL) return ERR_NOMEM;
    if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&to, sizeof to) < 0) return ERR_SYSTEM;
    return setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ? ERR_SYSTEM : 0;
}

void pipe_close(struct pipe *p)
{
    if (p->fd >= 0) close(p->fd);
    free(p->flights);
    free(p->in);
    free(p->box[0].data);
    free(p->box[1].data);
    *p = (struct pipe){.fd = -1};
}

int pipe_start(struct pipe *pipes, uint32_t count, struct pipe_shared *s)
{
    int *fds = calloc(count, sizeof *fds);
    if (fds == NULL) return ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        fds[i] = pipes[i].fd;
        pipes[i].index = i;
    }
    int err = io_uring_register_files(&s->ring, fds, count);
    free(fds);
    for (uint32_t i = 0; err >= 0 && i < count; i++) recv_arm(&pipes[i], s);
    return err < 0 ? ERR_SYSTEM : 0;
}

static bool grow(char **memory, size_t *cap, size_t need)
{
    if (need <= *cap) return true;
    size_t cap_new = need + need / 2;
    char *bigger = realloc(*memory, cap_new);
    if (bigger == NULL) return false;
    *memory = bigger;
    *cap = cap_new;
    return true;
}

static void frame_fill(struct pipe *p, struct pipe_shared *s, char *frame, int64_t due_ns)
{
    uint32_t key = draw_take(s->draw, s->request->key_count);
    request_fill(s->request, frame, s->draw->pool + key, s->sequence++);
    p->flights[p->tail++ & (s->depth_max - 1)] = (struct flight){due_ns, key};
    s->in_flight++;
}

static int box_reserve(struct outbox *b, const struct pipe_shared *s, uint32_t n)
{
    const struct buf *text = &s->request->text;
    size_t frames = b->size / text->size_bytes + n;
    if (!grow(&b->data, &b->cap, frames * text->size_bytes)) return ERR_NOMEM;
    for (; b->framed < frames; b->framed++) {
        memcpy(b->data + b->framed * text->size_bytes, text->ptr, text->size_bytes);
    }
    return 0;
}

// Many bytes at once: one call of its own from memory that all pipes share and that stays in the
// first cache costs less than the ring, which needs the bytes of each pipe to stay where they are.
static int fire_direct(struct pipe *p, struct pipe_shared *s, uint32_t n, int64_t due_ns)
{
    size_t frame = s->request->text.size_bytes, size = n * frame;
    int err = box_reserve(&s->direct, s, n);
    if (err < 0) return err;
    for (uint32_t i = 0; i < n; i++) frame_fill(p, s, s->direct.data + i * frame, due_ns);
    ssize_t sent = send(p->fd, s->direct.data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent == (ssize_t)size) return 0;
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return ERR_IO;
    struct outbox *b = &p->box[p->current];
    err = box_reserve(b, s, n);
    if (err < 0) return err;
    memcpy(b->data, s->direct.data, size);
    b->size = size;
    p->sent = sent < 0 ? 0 : (size_t)sent;
    send_arm(p, s);
    return 0;
}

int pipe_fire(struct pipe *p, struct pipe_shared *s, uint32_t n, int64_t due_ns)
{
    size_t frame = s->request->text.size_bytes;
    CHECK(pipe_in_flight(p) + n <= s->depth_max);
    if (!p->sending && n * frame >= DIRECT_BYTES) return fire_direct(p, s, n, due_ns);
    struct outbox *b = &p->box[p->sending ? p->current ^ 1 : p->current];
    int err = box_reserve(b, s, n);
    if (err < 0) return err;
    for (uint32_t i = 0; i < n; i++, b->size += frame) {
        frame_fill(p, s, b->data + b->size, due_ns);
    }
    if (!p->sending) send_arm(p, s);
    return 0;
}

static void verify(struct pipe_shared *s, const struct answer *a, uint32_t first_key)
{
    static signed char verdict[DRIVER_KEYS_MAX];
    unsigned count = s->request->key_count;
    if (s->driver->verdicts(a, verdict, count) != count) {
        s->errors++;
        return;
    }
    s->verified += count;
    for (unsigned i = 0; i < count; i++) {
        s->wrong += verdict[i] != s->draw->pool[first_key + i].listed;
    }
}

static int on_answer(struct pipe *p, struct pipe_shared *s, const struct answer *a, int64_t now_ns)
{
    if (pipe_in_flight(p) == 0) return ERR_IO; // nobody asked
    const struct flight *f = &p->flights[p->head++ & (s->depth_max - 1)];
    s->in_flight--;
    if (f->due_ns < s->begin_ns || f->due_ns >= s->end_ns) return 0;
    hist_add(s->latency, now_ns - f->due_ns, 1);
    s->answers++;
    unsigned count = s->request->key_count;
    if (a->status != 200 && a->status != 409)
        s->errors++;
    else if (count > 0 && (s->verify || count == 1 || s->answers % SAMPLE == 0)) {
        verify(s, a, f->key);
    }
    return 0;
}

static int consume(struct pipe *p, struct pipe_shared *s, char *data, size_t size, size_t *ret_used)
{
    int64_t now_ns = clock_mono_ns();
    size_t used = 0;
    int count = 0;
    p->in_need = 0;
    while (used < size) {
        struct answer a;
        int found = s->driver->read(data + used, size - used, &a, &p->in_need);
        if (found < 0) return ERR_IO;
        if (found == 0) break;
        int err = on_answer(p, s, &a, now_ns);
        if (err < 0) return err;
        used += a.size;
        count++;
    }
    *ret_used = used;
    return count;
}

// `data` is a provided buffer or the pipe's own memory; the rest of it moves to the pipe's.
static int keep_rest(struct pipe *p, const char *data, size_t size)
{
    if (!grow(&p->in, &p->in_cap, size)) return ERR_NOMEM;
    memmove(p->in, data, size);
    p->in_size = size;
    return 0;
}

static int on_data(struct pipe *p, struct pipe_shared *s, char *data, size_t size)
{
    if (p->in_size > 0) {
        size_t need = p->in_size + size;
        if (!grow(&p->in, &p->in_cap, p->in_need > need ? p->in_need : need)) return ERR_NOMEM;
        memcpy(p->in + p->in_size, data, size);
        p->in_size = need;
        if (need < p->in_need) return 0;
        data = p->in;
        size = need;
    }
    size_t used = 0;
    int count = consume(p, s, data, size, &used);
    if (count < 0) return count;
    p->in_size = 0;
    int err = used < size ? keep_rest(p, data + used, size - used) : 0;
    return err < 0 ? err : count;
}

static int on_recv(struct pipe *p, struct pipe_shared *s, const struct io_uring_cqe *cqe)
{
    int count = 0;
    if (cqe->res <= 0 && cqe->res != -ENOBUFS) return ERR_IO;
    if (cqe->res > 0) {
        unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
        count = on_data(p, s, s->receive + id * BUFFER_BYTES, (size_t)cqe->res);
        buffer_give(s, id);
    }
    if (!(cqe->flags & IORING_CQE_F_MORE)) recv_arm(p, s);
    return count;
}

static int on_send(struct pipe *p, struct pipe_shared *s, const struct io_uring_cqe *cqe)
{
    struct outbox *b = &p->box[p->current];
    if (cqe->res <= 0) return ERR_IO;
    p->sent += (size_t)cqe->res;
    if (p->sent == b->size) {
        b->size = p->sent = 0;
        p->current ^= 1;
        p->sending = false;
    }
    if (p->box[p->current].size > 0) send_arm(p, s);
    return 0;
}

int pipe_wait(struct pipe_shared *s, bool spin)
{
    struct __kernel_timespec second = {.tv_sec = 1};
    struct io_uring_cqe *cqe;
    int err = spin ? io_uring_submit_and_get_events(&s->ring)
                   : io_uring_submit_and_wait_timeout(&s->ring, &cqe, 1, &second, NULL);
    return err >= 0 || err == -ETIME || err == -EINTR || err == -EBUSY ? 0 : ERR_SYSTEM;
}

int pipe_complete(struct pipe *pipes, struct pipe_shared *s, const struct io_uring_cqe *cqe,
                  struct pipe **ret_pipe)
{
    struct pipe *p = &pipes[cqe->user_data >> 1];
    *ret_pipe = p;
    return (cqe->user_data & 1) == OP_SEND ? on_send(p, s, cqe) : on_recv(p, s, cqe);
}
