// SPDX-License-Identifier: Apache-2.0
//
// str: a view of bytes that somebody else owns; never NUL-terminated by promise.
// {NULL, 0} is "absent"; a non-NULL pointer with size 0 is "empty".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr;
    size_t size;
};

// A str of a string literal.
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
// For printf: "%.*s", STR_ARG(s)
#define STR_ARG(s) (int)(s).size, (s).ptr ? (s).ptr : ""

static inline struct str str_of(const char *c_string)
{
    return (struct str){c_string, c_string ? strlen(c_string) : 0};
}

static inline struct str str_make(const char *ptr, size_t size)
{
    return (struct str){ptr, size};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.ptr, b.ptr, a.size) == 0);
}

// ASCII case-insensitive.
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
// Without leading and trailing spaces, tabs, CR and LF.
struct str str_trim(struct str s);
// The part before the first `sep` (all of it when there is none); *rest becomes the part after it,
// or absent ({NULL, 0}) when there was no `sep`.
struct str str_cut(struct str s, char sep, struct str *rest);
// Decimal digits only, no sign, no spaces. False on anything else or overflow.
bool str_to_u64(struct str s, uint64_t *ret);
// Copies at most size-1 bytes and terminates. True when everything fitted.
bool str_copy(char *dst, size_t size, struct str s);
// A terminated malloc'd copy; NULL when memory is out. Slow path only.
char *str_dup(struct str s);

static inline char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool str_is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}
