// SPDX-License-Identifier: Apache-2.0
//
// The engine's HTTP: a dialer's single question, batches in both forms, and a constant page.
#include "bench/load/driver.h"

#include "engine/base/check.h"

static void head_write(struct request *rq, const struct workload *w, const char *type,
                       size_t body_size)
{
    buf_printf(&rq->text,
               "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
               w->path, w->host, type, body_size);
}

static void ocs_write(struct request *rq, const struct workload *w)
{
    struct body_slots slots;
    struct buf body;
    buf_init(&body, 4096);
    body_write(&body, w->body, &slots);
    head_write(rq, w, "application/json", body.size_bytes);
    size_t head_size = rq->text.size_bytes;
    buf_str(&rq->text, buf_view(&body));
    rq->key_at[rq->key_count++] = head_size + slots.phone_at;
    rq->sequence_at = head_size + slots.sequence_at;
    buf_done(&body);
}

static unsigned ocs_verdicts(const struct answer *a, signed char *dst, unsigned max)
{
    static const char listed[] = "\"GSW_BLOCKING_RULE_TYPE\":\"suppression\"";
    CHECK(max >= 1);
    dst[0] = -1;
    if (a->status == 200) dst[0] = 0;
    // blocked for another reason says nothing of the list
    if (a->status == 409 && memmem(a->body, a->body_size, listed, sizeof listed - 1) != NULL) {
        dst[0] = 1;
    }
    return 1;
}

static void get_write(struct request *rq, const struct workload *w)
{
    buf_printf(&rq->text, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", w->path, w->host);
}

static unsigned get_verdicts(const struct answer *a, signed char *dst, unsigned max)
{
    (void)a, (void)dst, (void)max;
    return 0;
}

#define RECORD_HEAD "{\"phone\":\""
#define RECORD_TAIL "\"}"
#define RECORD_SIZE (sizeof RECORD_HEAD - 1 + 10 + sizeof RECORD_TAIL - 1)

static void record_write(struct request *rq)
{
    buf_lit(&rq->text, RECORD_HEAD);
    request_gap(rq);
    buf_lit(&rq->text, RECORD_TAIL);
}

static void batch_write(struct request *rq, const struct workload *w)
{
    static const char begin[] = "{\"records\":[", end[] = "]}";
    // one comma less than records
    head_write(rq, w, "application/json",
               sizeof begin - 1 + w->batch * (RECORD_SIZE + 1) - 1 + sizeof end - 1);
    buf_put(&rq->text, begin, sizeof begin - 1);
    for (unsigned i = 0; i < w->batch; i++) {
        if (i > 0) buf_char(&rq->text, ',');
        record_write(rq);
    }
    buf_put(&rq->text, end, sizeof end - 1);
}

static void ndjson_write(struct request *rq, const struct workload *w)
{
    head_write(rq, w, "application/x-ndjson", w->batch * (RECORD_SIZE + 1));
    for (unsigned i = 0; i < w->batch; i++) {
        record_write(rq);
        buf_char(&rq->text, '\n');
    }
}

// One result's text runs from its verdict to the next one's.
static signed char result_verdict(const char *at, const char *end)
{
    static const char listed[] = "\"type\":\"suppression\"";
    if (end - at < 5) return -1;
    if (memcmp(at, "allow", 5) == 0) return 0;
    return memmem(at, (size_t)(end - at), listed, sizeof listed - 1) != NULL ? 1 : -1;
}

static unsigned batch_verdicts(const struct answer *a, signed char *dst, unsigned max)
{
    static const char mark[] = "\"verdict\":\"";
    const char *end = a->body + a->body_size;
    unsigned n = 0;
    if (a->status != 200) return 0;
    const char *at = memmem(a->body, a->body_size, mark, sizeof mark - 1);
    while (at != NULL && n < max) {
        at += sizeof mark - 1;
        const char *next = memmem(at, (size_t)(end - at), mark, sizeof mark - 1);
        dst[n++] = result_verdict(at, next != NULL ? next : end);
        at = next;
    }
    return n;
}

const struct driver driver_ocs = {"ocs", "/ocs/validate", ocs_write, http_answer_read,
                                  ocs_verdicts};
const struct driver driver_get = {"get", "/", get_write, http_answer_read, get_verdicts};
const struct driver driver_batch = {"batch", "/v1/decisions", batch_write, http_answer_read,
                                    batch_verdicts};
const struct driver driver_ndjson = {"ndjson", "/v1/decisions", ndjson_write, http_answer_read,
                                     batch_verdicts};
