// SPDX-License-Identifier: Apache-2.0
//
// http: requests as handlers see them, and answers as handlers give them. HTTP/1.0 and 1.1
// (RFC 9110, 9112). Knows nothing of compliance.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/str.h"

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };

#define HTTP_PARAMS_MAX 4

struct route;

// Views into the receive buffer: valid until the handler's on_turn returns.
struct http_request {
    const struct route *route;
    enum http_method method;
    uint8_t minor;                     // 0 or 1
    struct str path;                   // as sent, without query
    struct str query;                  // after '?', absent when there is none
    struct str param[HTTP_PARAMS_MAX]; // path segments of {…}, still percent-encoded
    struct str content_type;           // absent when not sent
    struct str authorization;          // absent when not sent
    struct str accept;
    struct str body;     // whole body, decoded from chunks
    bool streamed;       // the body comes through on_piece
    bool body_too_large; // the body passed the route's limit: `body` is empty
};

// %XX undone into dst (room for s.size). False on a bad escape or an encoded NUL.
bool http_unescape(struct str s, char *dst, struct str *ret);
// A query parameter's raw value; absent when it is not there.
struct str http_query(struct str query, struct str name);

// An answer that never changes, with its four heads prebuilt (1.1 and 1.0, keep and close).
#define HTTP_CANNED_BYTES 512
struct http_canned {
    char bytes[4][HTTP_CANNED_BYTES];
    uint16_t size[4];
    uint16_t status;
};
// False when it does not fit HTTP_CANNED_BYTES.
bool http_canned_init(struct http_canned *c, unsigned status, struct str content_type,
                      struct str body);

const char *http_reason(unsigned status);

// RFC 9457 problem+json: {"type":"about:blank","title":…,"status":…,"code":…,"detail":…}
void http_problem(struct buf *out, int err, struct str detail);
