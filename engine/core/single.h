// SPDX-License-Identifier: Apache-2.0
//
// single: a request about one record (/v1/explain, /v1/when): the record read, and a decider that
// neither counts nor reserves. Worker's own thread; good until the handler returns.
#pragma once

#include "engine/core/worker.h"

struct single {
    const struct view *view;
    struct decider decider;
    struct question question; // its `input` may say what is wrong with the record
};

// The record is the body's member "record", or the body itself. False when the request is answered
// already (no such tenant, no JSON object). It holds the worker's view: worker_release afterwards.
bool single_read(struct single *s, struct worker *w, struct conn *conn,
                 const struct http_request *req);
// "2026-11-22T14:00:00Z" as JSON, null for 0 and for instants that have no end.
void single_write_instant(struct buf *out, int64_t at_s);
