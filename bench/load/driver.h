// SPDX-License-Identifier: Apache-2.0
//
// driver: one protocol under load: how a request is written and how its answer is read.
//
// A request has a fixed size. It is written once with gaps; per request the gaps are filled with
// keys (ten digits each) and a running number. Pure functions; one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/data/bodies.h"
#include "bench/load/draw.h"
#include "engine/base/buf.h"

#define DRIVER_KEYS_MAX 10000 // of one request

struct workload {
    const char *host;
    const char *path;
    enum body_kind body;
    unsigned batch; // keys of one request
};

#define DRIVER_NO_SEQUENCE SIZE_MAX
struct request {
    struct buf text;
    size_t *key_at; // offsets of the gaps, key_count of them
    unsigned key_count;
    size_t sequence_at; // eight hexadecimal digits, or DRIVER_NO_SEQUENCE
};

struct answer {
    size_t size;     // bytes of the whole answer
    unsigned status; // HTTP status; 200 for other protocols
    char *body;
    size_t body_size;
};

struct driver {
    const char *name;
    const char *path; // default
    // Writes the request into an initialised buf and notes the gaps.
    void (*write)(struct request *rq, const struct workload *w);
    // The first whole answer in `data`, which it may shift about. 1, 0 when more must arrive
    // (*ret_need: no use to ask before there is that much), -1 when it is no answer.
    int (*read)(char *data, size_t size, struct answer *ret, size_t *ret_need);
    // What the answer says of each key: 1 on the list, 0 not on it, -1 something else. Returns how
    // many it speaks of, at most `max`.
    unsigned (*verdicts)(const struct answer *a, signed char *dst, unsigned max);
};

// NULL when there is none of that name.
const struct driver *driver_find(const char *name);
// "ocs, get, …" for messages.
void driver_names(struct buf *b);

// 0 or ERR_NOMEM, ERR_BAD_VALUE (batch out of range). Owner of the memory: the request.
int request_init(struct request *rq, const struct driver *d, const struct workload *w);
void request_done(struct request *rq);
// Fills the gaps of a copy of the text.
static inline void request_fill(const struct request *rq, char *copy, const struct key *keys,
                                uint32_t sequence)
{
    for (unsigned i = 0; i < rq->key_count; i++) {
        memcpy(copy + rq->key_at[i], keys[i].digits, sizeof keys[i].digits);
    }
    if (rq->sequence_at == DRIVER_NO_SEQUENCE) return;
    char *at = copy + rq->sequence_at;
    for (unsigned i = 0; i < BODY_SEQUENCE_DIGITS; i++, sequence <<= 4) {
        at[i] = "0123456789ABCDEF"[sequence >> 28];
    }
}
// For drivers: a gap for the next key at the end of the text (appends ten zeros).
void request_gap(struct request *rq);

// http_answer.c: the `read` of every HTTP driver.
int http_answer_read(char *data, size_t size, struct answer *ret, size_t *ret_need);

extern const struct driver driver_ocs, driver_get, driver_batch, driver_ndjson, driver_sismember,
    driver_smismember, driver_xadd;
