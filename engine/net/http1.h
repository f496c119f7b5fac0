// SPDX-License-Identifier: Apache-2.0
//
// http1: bytes to request heads and bodies (RFC 9112), strictly and without copying. Pure: no
// sockets, no clock, no memory; any thread.
//
// Errors depend only on the bytes before the fault, so that a request cut at any place gives the
// same result as the whole one.
#pragma once

#include <sys/types.h>

#include "engine/net/http.h"

// What a head says. Views into the bytes that were parsed.
struct http1_head {
    enum http_method method;
    uint8_t minor;
    bool head_only;  // HEAD: the answer carries no body
    bool keep_alive; // what the client wants, with the default of its version
    bool chunked;
    bool has_length;
    bool expect; // 100-continue
    uint64_t length_bytes;
    struct str path, query;
    struct str content_type, authorization, accept;
};

// Size of the head in bytes, 0 = not complete yet, or ERR_BAD_REQUEST, ERR_URI_TOO_LONG,
// ERR_HEADER_TOO_LARGE, ERR_HTTP_VERSION, ERR_CODING, ERR_EXPECTATION. *ret says nothing unless >
// 0.
ssize_t http1_parse_head(struct str in, struct http1_head *ret);

// Where a body stands. Made by http1_body_init, moved by http1_body_next.
enum http1_step {
    HTTP1_PLAIN,
    HTTP1_SIZE,
    HTTP1_SIZE_MORE,
    HTTP1_EXTENSION,
    HTTP1_SIZE_LF,
    HTTP1_DATA,
    HTTP1_DATA_CR,
    HTTP1_DATA_LF,
    HTTP1_TRAILER,
    HTTP1_TRAILER_LINE,
    HTTP1_TRAILER_LF,
    HTTP1_LAST_LF,
    HTTP1_DONE,
};

struct http1_body {
    enum http1_step step;
    uint32_t extra_bytes; // chunk extensions and trailers so far
    uint64_t left_bytes;  // of the body, or of this chunk
};

void http1_body_init(struct http1_body *b, const struct http1_head *head);
// Takes bytes of `in` up to and including one run of data. Returns how many (all of them unless
// data came or the body ended), or ERR_BAD_REQUEST, ERR_HEADER_TOO_LARGE. *ret_data is a view into
// `in`, perhaps empty.
ssize_t http1_body_next(struct http1_body *b, struct str in, struct str *ret_data);

static inline bool http1_body_done(const struct http1_body *b)
{
    return b->step == HTTP1_DONE;
}
static inline bool http1_body_chunked(const struct http1_body *b)
{
    return b->step != HTTP1_PLAIN && b->step != HTTP1_DONE;
}
