// SPDX-License-Identifier: Apache-2.0
#include "engine/base/str.h"

#include <stdlib.h>

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.size != b.size) return false;
    for (size_t i = 0; i < a.size; i++)
        if (str_lower(a.ptr[i]) != str_lower(b.ptr[i])) return false;
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.size >= prefix.size &&
           (prefix.size == 0 || memcmp(s.ptr, prefix.ptr, prefix.size) == 0);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.size > 0 && is_space(s.ptr[0])) s.ptr++, s.size--;
    while (s.size > 0 && is_space(s.ptr[s.size - 1])) s.size--;
    return s;
}

struct str str_cut(struct str s, char sep, struct str *rest)
{
    const char *at = s.size ? memchr(s.ptr, sep, s.size) : NULL;

    if (!at) {
        *rest = (struct str){NULL, 0};
        return s;
    }
    *rest = str_make(at + 1, s.size - (size_t)(at + 1 - s.ptr));
    return str_make(s.ptr, (size_t)(at - s.ptr));
}

bool str_to_u64(struct str s, uint64_t *ret)
{
    uint64_t value = 0;

    if (s.size == 0) return false;
    for (size_t i = 0; i < s.size; i++) {
        if (!str_is_digit(s.ptr[i])) return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value)) return false;
        if (__builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value)) return false;
    }
    *ret = value;
    return true;
}

bool str_copy(char *dst, size_t size, struct str s)
{
    size_t n = s.size < size ? s.size : size - 1;

    if (size == 0) return false;
    if (n > 0) memcpy(dst, s.ptr, n);
    dst[n] = '\0';
    return n == s.size;
}

char *str_dup(struct str s)
{
    char *copy = malloc(s.size + 1);

    if (!copy) return NULL;
    str_copy(copy, s.size + 1, s);
    return copy;
}
