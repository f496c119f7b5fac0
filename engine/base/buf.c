// SPDX-License-Identifier: Apache-2.0
#include "engine/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/utf8.h"

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){.max_bytes = max_bytes, .owned = true};
}

void buf_wrap(struct buf *b, void *memory, size_t size_bytes)
{
    *b = (struct buf){.ptr = memory, .cap_bytes = size_bytes, .max_bytes = size_bytes};
}

void buf_done(struct buf *b)
{
    if (b->owned) free(b->ptr);
    *b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
    b->size_bytes = 0;
    b->failed = false;
}

static bool grow(struct buf *b, size_t need)
{
    size_t cap = b->cap_bytes ? b->cap_bytes : 256;
    char *ptr;

    if (!b->owned || need > b->max_bytes) return false;
    while (cap < need) cap *= 2;
    if (cap > b->max_bytes) cap = b->max_bytes;
    ptr = realloc(b->ptr, cap);
    if (!ptr) return false;
    b->ptr = ptr;
    b->cap_bytes = cap;
    return true;
}

bool buf_reserve(struct buf *b, size_t more_bytes)
{
    size_t need;

    if (b->failed) return false;
    if (__builtin_add_overflow(b->size_bytes, more_bytes, &need) ||
        (need > b->cap_bytes && !grow(b, need))) {
        b->failed = true;
        return false;
    }
    return true;
}

void buf_put(struct buf *b, const void *data, size_t size_bytes)
{
    if (size_bytes == 0) return;
    // what fits needs no call
    if ((b->failed || size_bytes > b->cap_bytes - b->size_bytes) && !buf_reserve(b, size_bytes))
        return;
    memcpy(b->ptr + b->size_bytes, data, size_bytes);
    b->size_bytes += size_bytes;
}

void buf_str(struct buf *b, struct str s)
{
    buf_put(b, s.ptr, s.size);
}

void buf_char(struct buf *b, char c)
{
    if (buf_reserve(b, 1)) b->ptr[b->size_bytes++] = c;
}

void buf_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_put(b, digits + at, sizeof digits - at);
}

void buf_i64(struct buf *b, int64_t value)
{
    if (value < 0) buf_char(b, '-');
    buf_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;
    int need;

    va_start(args, fmt);
    va_copy(again, args);
    need = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    // vsnprintf writes a terminator too, so a wrapped buffer needs one byte to spare here
    if (need >= 0 && buf_reserve(b, (size_t)need + 1)) {
        vsnprintf(b->ptr + b->size_bytes, (size_t)need + 1, fmt, again);
        b->size_bytes += (size_t)need;
    }
    va_end(again);
}

static void put_escape(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    switch (c) {
    case '"':
        buf_lit(b, "\\\"");
        break;
    case '\\':
        buf_lit(b, "\\\\");
        break;
    case '\n':
        buf_lit(b, "\\n");
        break;
    case '\r':
        buf_lit(b, "\\r");
        break;
    case '\t':
        buf_lit(b, "\\t");
        break;
    default:
        buf_put(b, six, sizeof six);
    }
}

// Leading bytes that stand for themselves.
static size_t plain_size(const char *p, size_t size_bytes)
{
    size_t n = 0;

    while (n < size_bytes && p[n] >= 0x20 && p[n] != '"' && p[n] != '\\' && p[n] != 0x7f) n++;
    return n;
}

void buf_json(struct buf *b, struct str s)
{
    size_t at = 0;

    buf_char(b, '"');
    while (at < s.size) {
        size_t n = plain_size(s.ptr + at, s.size - at);

        buf_put(b, s.ptr + at, n);
        at += n;
        if (at == s.size) break;
        n = utf8_size(s.ptr + at, s.size - at);
        if (n == 1) {
            put_escape(b, (unsigned char)s.ptr[at]);
        } else if (n == 0) {
            buf_lit(b, "\xef\xbf\xbd");
            n = 1;
        } else {
            buf_put(b, s.ptr + at, n);
        }
        at += n;
    }
    buf_char(b, '"');
}
