// SPDX-License-Identifier: Apache-2.0
//
// Redis as a peer (RESP2): membership of the set "n", one member or many a command; call reports as
// entries of the stream "r".
#include "bench/load/driver.h"

#include "engine/base/check.h"

static void command_write(struct request *rq, const char *name, unsigned keys)
{
    buf_printf(&rq->text, "*%u\r\n$%zu\r\n%s\r\n$1\r\nn\r\n", keys + 2, strlen(name), name);
    for (unsigned i = 0; i < keys; i++) {
        buf_lit(&rq->text, "$10\r\n");
        request_gap(rq);
        buf_lit(&rq->text, "\r\n");
    }
}

static void sismember_write(struct request *rq, const struct workload *w)
{
    (void)w;
    command_write(rq, "SISMEMBER", 1);
}

static void smismember_write(struct request *rq, const struct workload *w)
{
    command_write(rq, "SMISMEMBER", w->batch);
}

// One entry of the stream "r" with the body of a call report.
static void xadd_write(struct request *rq, const struct workload *w)
{
    struct body_slots slots;
    struct buf body;
    buf_init(&body, 4096);
    body_write(&body, w->body, &slots);
    buf_printf(&rq->text, "*5\r\n$4\r\nXADD\r\n$1\r\nr\r\n$1\r\n*\r\n$1\r\nb\r\n$%zu\r\n",
               body.size_bytes);
    size_t head_size = rq->text.size_bytes;
    buf_str(&rq->text, buf_view(&body));
    buf_lit(&rq->text, "\r\n");
    rq->key_at[rq->key_count++] = head_size + slots.phone_at;
    rq->sequence_at = head_size + slots.sequence_at;
    buf_done(&body);
}

// The id of the new entry: "$15\r\n1795357675000-0\r\n".
static int xadd_read(char *data, size_t size, struct answer *ret, size_t *ret_need)
{
    *ret_need = 0;
    if (size > 0 && data[0] != '$') return -1;
    char *first = memchr(data, '\n', size);
    char *second = first ? memchr(first + 1, '\n', size - (size_t)(first + 1 - data)) : NULL;
    if (second == NULL) return 0;
    *ret = (struct answer){.size = (size_t)(second + 1 - data), .status = 200};
    return 1;
}

// Taken, as an engine's 200 is.
static unsigned xadd_verdicts(const struct answer *a, signed char *dst, unsigned max)
{
    (void)a;
    CHECK(max >= 1);
    dst[0] = 0;
    return 1;
}

#define INTEGER_SIZE 4 // ":1\r\n"

static int sismember_read(char *data, size_t size, struct answer *ret, size_t *ret_need)
{
    *ret_need = INTEGER_SIZE;
    if (size < INTEGER_SIZE) return 0;
    if (data[0] != ':') return -1;
    *ret = (struct answer){
        .size = INTEGER_SIZE, .status = 200, .body = data, .body_size = INTEGER_SIZE};
    return 1;
}

static int smismember_read(char *data, size_t size, struct answer *ret, size_t *ret_need)
{
    *ret_need = 0;
    char *lf = memchr(data, '\n', size < 16 ? size : 16);
    if (lf == NULL) return size >= 16 ? -1 : 0;
    uint64_t count;
    if (data[0] != '*' ||
        !str_to_u64(str_trim(str_make(data + 1, (size_t)(lf - data - 1))), &count))
        return -1;
    size_t head_size = (size_t)(lf - data) + 1;
    *ret = (struct answer){.size = head_size + count * INTEGER_SIZE,
                           .status = 200,
                           .body = lf + 1,
                           .body_size = count * INTEGER_SIZE};
    *ret_need = ret->size;
    return size >= ret->size;
}

static unsigned redis_verdicts(const struct answer *a, signed char *dst, unsigned max)
{
    unsigned n = (unsigned)(a->body_size / INTEGER_SIZE);
    if (n > max) n = max;
    for (unsigned i = 0; i < n; i++) {
        char c = a->body[i * INTEGER_SIZE + 1];
        dst[i] = c == '1' ? 1 : c == '0' ? 0 : -1;
    }
    return n;
}

const struct driver driver_sismember = {"sismember", "", sismember_write, sismember_read,
                                        redis_verdicts};
const struct driver driver_xadd = {"xadd", "", xadd_write, xadd_read, xadd_verdicts};
const struct driver driver_smismember = {"smismember", "", smismember_write, smismember_read,
                                         redis_verdicts};
