// SPDX-License-Identifier: Apache-2.0
//
// json_scan: the steps of json and record, from one place in a text to the next. Inside of the
// room. A step gets a place and the text's bounds, and gives the place behind what it read, or NULL
// when the text is not JSON there. No step reads outside of the bounds; nothing is kept but places,
// so that a loop over members stays in registers.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "engine/base/check.h"
#include "engine/wire/json.h"

#define JSON_SCAN_ONES  UINT64_C(0x0101010101010101)
#define JSON_SCAN_HIGHS UINT64_C(0x8080808080808080)

// What follows stands in json_scan.c; the rest is short enough to become part of its caller.
// On a bracket or brace, to behind its partner. *ret_error says JSON_DEPTH when that is why not.
const char *json_scan_nested(const char *p, const char *begin, const char *end, unsigned depth_max,
                             struct json_value *ret, enum json_error *ret_error);
// Behind an opening quote; `p` is where the first special byte of the string stands, or `end`.
const char *json_scan_escaped(const char *start, const char *p, const char *begin, const char *end,
                              struct json_value *ret);
// true, false, null and numbers, byte by byte.
const char *json_scan_word(const char *p, const char *end, struct json_value *ret);
const char *json_scan_number(const char *p, const char *end, struct json_value *ret);

static inline bool json_scan_is_special(char c)
{
    return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

// The next quote, backslash or control character, or `end`; without vectors.
static inline const char *json_scan_special_plain(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t x, quote, slash, found;

        memcpy(&x, p, sizeof x);
        quote = x ^ JSON_SCAN_ONES * '"';
        slash = x ^ JSON_SCAN_ONES * '\\';
        // highest bits mark the bytes looked for; the lowest mark is exact
        found = ((quote - JSON_SCAN_ONES) & ~quote) | ((slash - JSON_SCAN_ONES) & ~slash) |
                ((x - JSON_SCAN_ONES * 0x20) & ~x);
        found &= JSON_SCAN_HIGHS;
        if (found) return p + (__builtin_ctzll(found) >> 3);
        p += 8;
    }
    while (p < end && !json_scan_is_special(*p)) p++;
    return p;
}

#ifdef __SSE2__
// Bit i: the byte at p[i] is special.
static inline unsigned json_scan_mask(const char *p)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), low));
}
#endif

static inline const char *json_scan_special(const char *p, const char *begin, const char *end)
{
#ifdef __SSE2__
    unsigned found;

    while (LIKELY(end - p >= 16)) {
        found = json_scan_mask(p);
        if (found) return p + __builtin_ctz(found);
        p += 16;
    }
    if (LIKELY(end - begin >= 16)) { // the last bytes, with some that were seen before
        found = json_scan_mask(end - 16) >> (16 - (end - p));
        return found ? p + __builtin_ctz(found) : end;
    }
#else
    (void)begin;
#endif
    return json_scan_special_plain(p, end);
}

static inline const char *json_scan_space(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p <= ' ' &&
           (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

// Whether `c` comes next, after white space; *p moves past it then, and past the space.
static inline bool json_scan_take(const char **p, const char *end, char c)
{
    if (UNLIKELY(*p == end || **p != c)) {
        *p = json_scan_space(*p, end);
        if (*p == end || **p != c) return false;
    }
    ++*p;
    return true;
}

// Behind an opening quote, to behind the closing one.
static inline const char *json_scan_string(const char *p, const char *begin, const char *end,
                                           struct json_value *ret)
{
    const char *start = p;
    struct json_value escaped;

    p = json_scan_special(p, begin, end);
    if (LIKELY(p < end && *p == '"')) {
        *ret = (struct json_value){JSON_STRING, false, {start, (size_t)(p - start)}};
        return p + 1;
    }
    p = json_scan_escaped(start, p, begin, end, &escaped);
    if (p) *ret = escaped;
    return p;
}

// On the first byte of a number; most have neither fraction nor exponent.
static inline const char *json_scan_digits(const char *p, const char *end, struct json_value *ret)
{
    struct json_value number;
#ifdef __SSE2__
    if (LIKELY(end - p >= 32)) {
        const char *first = p + (*p == '-');
        __m128i v =
            _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)first), _mm_set1_epi8('0'));
        __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(9)), v);
        unsigned count = (unsigned)__builtin_ctz(~(unsigned)_mm_movemask_epi8(digit));
        const char *behind = first + count;

        if (LIKELY(count > 0 && count < 16 && *behind != '.' && (*behind | 0x20) != 'e' &&
                   (*first != '0' || count == 1))) {
            *ret = (struct json_value){JSON_NUMBER, false, {p, (size_t)(behind - p)}};
            return behind;
        }
    }
#endif
    p = json_scan_number(p, end, &number);
    if (p) *ret = number;
    return p;
}

// On the first byte of what is no array and no object.
static inline const char *json_scan_scalar(const char *p, const char *begin, const char *end,
                                           struct json_value *ret)
{
    struct json_value word;

    if (LIKELY(*p == '"')) return json_scan_string(p + 1, begin, end, ret);
    if (LIKELY(str_is_digit(*p) || *p == '-')) return json_scan_digits(p, end, ret);
    p = json_scan_word(p, end, &word);
    if (p) *ret = word;
    return p;
}

// A value of any kind, after white space.
static inline const char *json_scan_value(const char *p, const char *begin, const char *end,
                                          unsigned depth_max, struct json_value *ret,
                                          enum json_error *ret_error)
{
    struct json_value nested;

    if (UNLIKELY(p == end || (unsigned char)*p <= ' ')) {
        p = json_scan_space(p, end);
        if (p == end) return NULL;
    }
    if (LIKELY(*p != '{' && *p != '[')) return json_scan_scalar(p, begin, end, ret);
    p = json_scan_nested(p, begin, end, depth_max, &nested, ret_error);
    if (p) *ret = nested;
    return p;
}

// A key with its colon, after white space.
static inline const char *json_scan_key(const char *p, const char *begin, const char *end,
                                        struct json_value *ret)
{
    if (UNLIKELY(!json_scan_take(&p, end, '"'))) return NULL;
    p = json_scan_string(p, begin, end, ret);
    return p && json_scan_take(&p, end, ':') ? p : NULL;
}
