// SPDX-License-Identifier: Apache-2.0
//
// route: a table of endpoints; each row carries its own documentation.
#pragma once

#include "engine/net/http.h"

struct conn;

enum route_body {
    ROUTE_NO_BODY, // a small body is read and ignored
    ROUTE_WHOLE,   // the handler is called once, with all of the body
    ROUTE_STREAM,  // pieces go to the server handler's on_piece as they arrive
};

// Called in the order of arrival on each connection (for ROUTE_STREAM once, with an empty body,
// before the first on_piece); answers through conn_* (server.h), at once or in the server handler's
// on_turn, in the same order.
typedef void route_fn(void *ctx, struct conn *conn, const struct http_request *req);

struct route {
    enum http_method method;
    const char *pattern; // "/v1/lists/{list}/entries/{value}"
    enum route_body body;
    size_t body_max_bytes; // larger: on_request with body_too_large when `too_large_ok`, else 413
    bool too_large_ok;     // the handler answers for a body that is too large itself
    // A request of this media type makes a ROUTE_WHOLE row ROUTE_STREAM; NULL = none does.
    const char *stream_type;
    bool open; // on_auth is not asked
    route_fn *on_request;
    unsigned tag;    // the owner's own number for it
    const char *doc; // one line
};

// Finds the row for (method, path). When none fits: NULL with *ret_err ERR_NOT_FOUND, or ERR_METHOD
// with the methods of that path in `allow` ("GET, PUT").
const struct route *route_find(const struct route *table, unsigned count, enum http_method method,
                               struct str path, struct str param[HTTP_PARAMS_MAX], int *ret_err,
                               struct buf *allow);
