// SPDX-License-Identifier: Apache-2.0
//
// text: an answer made in heap memory, whatever its size: small ones leave at once, larger ones in
// pieces as the client reads. Slow path, worker's own thread.
#pragma once

#include "engine/base/buf.h"
#include "engine/core/worker.h"

#define TEXT_BYTES_MAX ((size_t)4 << 20)

// Bytes of long answers that may wait for their clients at once, in the whole process; one more is
// a 503. Shorter ones than TEXT_SHORT_BYTES have as much again.
#define TEXT_WAITING_MAX ((size_t)128 << 20)
#define TEXT_SHORT_BYTES ((size_t)256 << 10)

// Answers with `body` and takes it over (buf_done is called here or when all is sent). A failed
// buf becomes a 503.
void text_answer(struct conn *conn, unsigned status, struct str content_type, struct buf *body);
// With extra header lines, each "Name: value\r\n".
void text_answer_with(struct conn *conn, unsigned status, struct str content_type,
                      struct str headers, struct buf *body);
