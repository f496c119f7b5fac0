// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/json_scan.h"

static bool is_hex(char c)
{
    c = str_lower(c);
    return str_is_digit(c) || (c >= 'a' && c <= 'f');
}

// On a backslash, to behind what it escapes.
static const char *skip_escape(const char *p, const char *end)
{
    if (end - p < 2) return NULL;
    if (p[1] != 'u') return p[1] && strchr("\"\\/bfnrt", p[1]) ? p + 2 : NULL;
    if (end - p < 6) return NULL;
    for (int i = 2; i < 6; i++)
        if (!is_hex(p[i])) return NULL;
    return p + 6;
}

const char *json_scan_escaped(const char *start, const char *p, const char *begin, const char *end,
                              struct json_value *ret)
{
    while (p < end && *p == '\\') {
        p = skip_escape(p, end);
        if (!p) return NULL;
        p = json_scan_special(p, begin, end);
    }
    if (p == end || *p != '"') return NULL; // a control character
    *ret = (struct json_value){JSON_STRING, true, {start, (size_t)(p - start)}};
    return p + 1;
}

const char *json_scan_word(const char *p, const char *end, struct json_value *ret)
{
    static const struct {
        struct str word;
        enum json_type type;
    } words[] = {{{"null", 4}, JSON_NULL}, {{"true", 4}, JSON_BOOL}, {{"false", 5}, JSON_BOOL}};
    struct str rest = str_make(p, (size_t)(end - p));

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!str_starts(rest, words[i].word)) continue;
        *ret = (struct json_value){words[i].type, false, {p, words[i].word.size}};
        return p + words[i].word.size;
    }
    return NULL;
}

// At least one digit.
static const char *skip_digits(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && str_is_digit(*p)) p++;
    return p > start ? p : NULL;
}

const char *json_scan_number(const char *p, const char *end, struct json_value *ret)
{
    const char *start = p;

    if (*p == '-') p++;
    p = p < end && *p == '0' ? p + 1 : skip_digits(p, end);
    if (p && p < end && *p == '.') p = skip_digits(p + 1, end);
    if (p && p < end && (*p | 0x20) == 'e') {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        p = skip_digits(p, end);
    }
    if (p) *ret = (struct json_value){JSON_NUMBER, false, {start, (size_t)(p - start)}};
    return p;
}

// Arrays and objects around a place, innermost in the lowest bit: a loop with one bit a level
// instead of recursion.
struct nesting {
    uint64_t objects;
    unsigned depth;
};

// Behind a value: leaves what ends here, up to the next value or the outermost end.
static inline const char *leave(const char *p, const char *begin, const char *end,
                                struct nesting *n)
{
    struct json_value key;

    while (n->depth > 0) {
        bool object = n->objects & 1;

        if (json_scan_take(&p, end, ',')) return object ? json_scan_key(p, begin, end, &key) : p;
        if (!json_scan_take(&p, end, object ? '}' : ']')) return NULL;
        n->objects >>= 1;
        n->depth--;
    }
    return p;
}

const char *json_scan_nested(const char *p, const char *begin, const char *end, unsigned depth_max,
                             struct json_value *ret, enum json_error *ret_error)
{
    const char *start = p;
    struct nesting n = {0, 0};
    struct json_value skipped;

    do {
        p = json_scan_space(p, end);
        if (p == end) return NULL;
        if (*p == '{' || *p == '[') {
            bool object = *p++ == '{';

            if (n.depth == depth_max) {
                *ret_error = JSON_DEPTH;
                return NULL;
            }
            n.objects = n.objects << 1 | object;
            n.depth++;
            p = json_scan_space(p, end);
            if (p == end) return NULL;
            if (*p != (object ? '}' : ']')) {
                if (object) p = json_scan_key(p, begin, end, &skipped);
                continue;
            }
        } else {
            p = json_scan_scalar(p, begin, end, &skipped);
        }
        if (p) p = leave(p, begin, end, &n);
    } while (p && n.depth > 0);
    if (p)
        *ret = (struct json_value){
            *start == '{' ? JSON_OBJECT : JSON_ARRAY, false, {start, (size_t)(p - start)}};
    return p;
}
