// SPDX-License-Identifier: Apache-2.0
#include "bench/load/ask.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/err.h"
#include "engine/base/file.h"

#define ANSWER_BYTES ((size_t)8 << 20)
#define FILL_BATCH   1000

// A connection and room for one answer.
struct line {
    int fd;
    char *answer;
    size_t size;
    struct buf *raw; // every byte as it came, or NULL: reading an answer may shift it about
};

static int line_open(struct line *l, uint32_t address, uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = address};
    int one = 1;
    *l = (struct line){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    l->answer = malloc(ANSWER_BYTES);
    if (l->answer == NULL) return ERR_NOMEM;
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&to, sizeof to) < 0) return ERR_SYSTEM;
    return setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ? ERR_SYSTEM : 0;
}

static void line_close(struct line *l)
{
    if (l->fd >= 0) close(l->fd);
    free(l->answer);
}

static int line_ask(struct line *l, const struct driver *d, const char *data, size_t size,
                    struct answer *ret)
{
    int err = file_write_all(l->fd, data, size, NULL);
    if (err < 0) return err;
    size_t need = 0;
    for (l->size = 0; l->size < ANSWER_BYTES;) {
        ssize_t n = recv(l->fd, l->answer + l->size, ANSWER_BYTES - l->size, 0);
        if (n <= 0) return ERR_IO;
        if (l->raw != NULL) buf_put(l->raw, l->answer + l->size, (size_t)n);
        l->size += (size_t)n;
        if (l->size < need) continue;
        int found = d->read(l->answer, l->size, ret, &need);
        if (found != 0) return found < 0 ? ERR_IO : 0;
    }
    return ERR_FULL;
}

// The next ten digits of the file; false at its end.
static bool number_next(FILE *f, struct key *ret)
{
    unsigned n = 0;
    for (int c; n < sizeof ret->digits && (c = getc_unlocked(f)) != EOF;) {
        if (str_is_digit((char)c)) ret->digits[n++] = (char)c;
    }
    return n == sizeof ret->digits;
}

static unsigned numbers_next(FILE *f, struct key *keys, unsigned max, uint64_t left)
{
    unsigned n = 0;
    while (n < max && n < left && number_next(f, &keys[n])) n++;
    return n;
}

static void count_verdicts(struct ask_count *c, const signed char *verdict, unsigned n,
                           bool expect_listed)
{
    for (unsigned i = 0; i < n; i++) {
        c->asked++;
        if (verdict[i] == 1)
            c->listed++;
        else if (verdict[i] == 0)
            c->unlisted++;
        else
            c->other++;
        if (verdict[i] != expect_listed && c->first_unexpected_line == 0) {
            c->first_unexpected_line = c->asked;
        }
    }
}

int ask_file(const char *path, uint64_t limit, bool expect_listed, const struct driver *driver,
             const struct workload *w, uint32_t address, uint16_t port, struct ask_count *ret)
{
    static struct key keys[DRIVER_KEYS_MAX];
    static signed char verdict[DRIVER_KEYS_MAX];
    struct line l = {.fd = -1};
    struct request rq = {0};
    struct workload last = *w; // the file may end within a batch
    FILE *f = fopen(path, "re");
    *ret = (struct ask_count){0};
    int err = f == NULL ? ERR_IO : request_init(&rq, driver, w);
    if (err == 0) err = line_open(&l, address, port);
    while (err == 0) {
        unsigned n = numbers_next(f, keys, last.batch, limit - ret->asked);
        if (n == 0) break;
        if (n < last.batch) {
            last.batch = n;
            request_done(&rq);
            err = request_init(&rq, driver, &last);
            if (err < 0) break;
        }
        struct answer a;
        request_fill(&rq, rq.text.ptr, keys, 0);
        err = line_ask(&l, driver, rq.text.ptr, rq.text.size_bytes, &a);
        if (err == 0 && driver->verdicts(&a, verdict, n) != n) err = ERR_BAD_JSON;
        if (err == 0) count_verdicts(ret, verdict, n, expect_listed);
    }
    line_close(&l);
    request_done(&rq);
    if (f != NULL) fclose(f);
    return err;
}

// An integer reply of any length: how many members were new.
static int fill_read(char *data, size_t size, struct answer *ret, size_t *ret_need)
{
    *ret_need = 0;
    const char *lf = memchr(data, '\n', size);
    if (lf == NULL) return 0;
    *ret = (struct answer){.size = (size_t)(lf - data) + 1, .status = 200};
    return data[0] == ':' ? 1 : -1;
}

int ask_fill(const char *path, uint64_t limit, uint32_t address, uint16_t port, uint64_t *ret_count)
{
    static const struct driver fill = {.name = "fill", .read = fill_read};
    static struct key keys[FILL_BATCH];
    struct line l = {.fd = -1};
    struct buf b;
    buf_init(&b, FILL_BATCH * 32);
    FILE *f = fopen(path, "re");
    uint64_t done = 0;
    int err = f == NULL ? ERR_IO : line_open(&l, address, port);
    while (err == 0) {
        unsigned n = numbers_next(f, keys, FILL_BATCH, limit - done);
        if (n == 0) break;
        buf_reset(&b);
        buf_printf(&b, "*%u\r\n$4\r\nSADD\r\n$1\r\nn\r\n", n + 2);
        for (unsigned i = 0; i < n; i++) {
            buf_printf(&b, "$10\r\n%.10s\r\n", keys[i].digits);
        }
        CHECK(!b.failed);
        struct answer a;
        err = line_ask(&l, &fill, b.ptr, b.size_bytes, &a);
        done += n;
    }
    *ret_count = done;
    line_close(&l);
    buf_done(&b);
    if (f != NULL) fclose(f);
    return err;
}

int ask_capture(const char *path, const struct driver *driver, struct request *request,
                const struct key *keys, uint32_t address, uint16_t port, size_t *ret_answer_size)
{
    struct line l = {.fd = -1};
    struct answer a;
    struct buf raw;
    buf_init(&raw, ANSWER_BYTES);
    int err = line_open(&l, address, port);
    if (err < 0) goto out;
    l.raw = &raw;
    request_fill(request, request->text.ptr, keys, 0);
    err = line_ask(&l, driver, request->text.ptr, request->text.size_bytes, &a);
    if (err < 0) goto out;
    err = raw.failed ? ERR_NOMEM : file_replace(path, raw.ptr, raw.size_bytes, NULL);
    if (err == 0) *ret_answer_size = raw.size_bytes;
out:
    line_close(&l);
    buf_done(&raw);
    return err;
}
