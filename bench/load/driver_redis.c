// SPDX-License-Identifier: Apache-2.0
//
// Redis as a peer: membership of the set "n", one member or many a command (RESP2).
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
const struct driver driver_smismember = {"smismember", "", smismember_write, smismember_read,
                                         redis_verdicts};
