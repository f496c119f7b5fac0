// SPDX-License-Identifier: Apache-2.0
#include "engine/base/utf8.h"

#include <string.h>

static int is_tail(const char *p, size_t i)
{
    return ((unsigned char)p[i] & 0xc0) == 0x80;
}

size_t utf8_size(const char *p, size_t size_bytes)
{
    unsigned char a, b;

    if (size_bytes == 0) return 0;
    a = (unsigned char)p[0];
    if (a < 0x80) return 1;
    if (size_bytes < 2 || a < 0xc2 || !is_tail(p, 1)) return 0;
    b = (unsigned char)p[1];
    if (a < 0xe0) return 2;
    if (size_bytes < 3 || !is_tail(p, 2)) return 0;
    if (a < 0xf0) { // no over-long forms, no surrogates
        if ((a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f)) return 0;
        return 3;
    }
    if (size_bytes < 4 || a > 0xf4 || !is_tail(p, 3)) return 0;
    if ((a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f)) return 0;
    return 4;
}

size_t utf8_good(const char *p, size_t size_bytes)
{
    size_t at = 0, n = 1;
    uint64_t eight;

    while (at < size_bytes && n > 0) {
        if (size_bytes - at >= sizeof eight) { // most text is ASCII
            memcpy(&eight, p + at, sizeof eight);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                at += sizeof eight;
                continue;
            }
        }
        n = utf8_size(p + at, size_bytes - at);
        at += n;
    }
    return at;
}

size_t utf8_put(char *dst, uint32_t code)
{
    if (code < 0x80) {
        dst[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        dst[0] = (char)(0xc0 | code >> 6);
        dst[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        dst[0] = (char)(0xe0 | code >> 12);
        dst[1] = (char)(0x80 | (code >> 6 & 0x3f));
        dst[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    dst[0] = (char)(0xf0 | code >> 18);
    dst[1] = (char)(0x80 | (code >> 12 & 0x3f));
    dst[2] = (char)(0x80 | (code >> 6 & 0x3f));
    dst[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}
