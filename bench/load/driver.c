// SPDX-License-Identifier: Apache-2.0
#include "bench/load/driver.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/err.h"

#define REQUEST_BYTES_MAX ((size_t)4 << 20)

static const struct driver *const table[] = {&driver_ocs,    &driver_get,       &driver_batch,
                                             &driver_ndjson, &driver_sismember, &driver_smismember,
                                             &driver_xadd};

const struct driver *driver_find(const char *name)
{
    for (unsigned i = 0; i < COUNT_OF(table); i++) {
        if (str_eq(str_of(table[i]->name), str_of(name))) return table[i];
    }
    return NULL;
}

void driver_names(struct buf *b)
{
    for (unsigned i = 0; i < COUNT_OF(table); i++) {
        buf_printf(b, "%s%s", i > 0 ? ", " : "", table[i]->name);
    }
}

int request_init(struct request *rq, const struct driver *d, const struct workload *w)
{
    if (w->batch < 1 || w->batch > DRIVER_KEYS_MAX) return ERR_BAD_VALUE;
    *rq = (struct request){.sequence_at = DRIVER_NO_SEQUENCE};
    rq->key_at = calloc(w->batch, sizeof *rq->key_at);
    if (rq->key_at == NULL) return ERR_NOMEM;
    buf_init(&rq->text, REQUEST_BYTES_MAX);
    d->write(rq, w);
    CHECK(rq->key_count <= w->batch);
    if (!rq->text.failed) return 0;
    request_done(rq);
    return ERR_NOMEM;
}

void request_done(struct request *rq)
{
    buf_done(&rq->text);
    free(rq->key_at);
    *rq = (struct request){0};
}

void request_gap(struct request *rq)
{
    rq->key_at[rq->key_count++] = rq->text.size_bytes;
    buf_lit(&rq->text, "0000000000");
}
