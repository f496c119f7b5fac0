// SPDX-License-Identifier: Apache-2.0
//
// buf: bytes under construction, with a maximum that the constructor names.
//
// Two kinds. `buf_init(&b, max)` owns heap memory that grows up to `max` (slow paths only);
// `buf_wrap(&b, memory, size)` writes into memory of the caller and never allocates (hot path).
// Failure (full, out of memory) is sticky: later writes do nothing and `failed` stays true, so a
// writer checks once at its end. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/str.h"

struct buf {
    char *ptr;
    size_t size_bytes;
    size_t cap_bytes;
    size_t max_bytes;
    bool owned;  // ptr is from malloc and grows
    bool failed; // something did not fit
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_wrap(struct buf *b, void *memory, size_t size_bytes);
// Frees owned memory; a done buf may be initialised again. Safe on a zeroed struct.
void buf_done(struct buf *b);
// Forgets the content and the failure, keeps the memory.
void buf_reset(struct buf *b);

// Makes room for `more` bytes; false (and failed) when that passes the maximum.
bool buf_reserve(struct buf *b, size_t more_bytes);
void buf_put(struct buf *b, const void *data, size_t size_bytes);
void buf_str(struct buf *b, struct str s);
void buf_char(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t value);
void buf_i64(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void buf_json(struct buf *b, struct str s);

static inline struct str buf_view(const struct buf *b)
{
    return (struct str){b->ptr, b->size_bytes};
}

#define buf_lit(b, lit) buf_put((b), "" lit, sizeof(lit) - 1)
