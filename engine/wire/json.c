// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/json.h"

#include "engine/base/check.h"
#include "engine/base/utf8.h"

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

static bool fail(struct json *j, enum json_error error)
{
    j->error = error;
    j->failed = true;
    return false;
}

struct json json_start(struct str text, unsigned depth_max)
{
    CHECK(depth_max <= 64); // one bit a level, see skip_nested
    if (!text.ptr) text = STR("");
    if (str_starts(text, STR("\xef\xbb\xbf"))) text = str_make(text.ptr + 3, text.size - 3);
    return (struct json){
        .at = text.ptr, .end = text.ptr + text.size, .depth_max = depth_max, .first = true};
}

static inline void skip_space(struct json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t'))
        j->at++;
}

// The byte at the cursor after white space, '\0' at the end (never part of the grammar).
static inline char peek(struct json *j)
{
    skip_space(j);
    return j->at < j->end ? *j->at : '\0';
}

// Whether the byte was there; moves past it.
static inline bool take(struct json *j, char c)
{
    if (peek(j) != c) return false;
    j->at++;
    return true;
}

// Highest bits mark bytes that are a quote, a backslash or below 0x20; the lowest mark is exact.
static inline uint64_t specials(uint64_t x)
{
    uint64_t quote = x ^ ONES * '"', slash = x ^ ONES * '\\';

    return (((quote - ONES) & ~quote) | ((slash - ONES) & ~slash) | ((x - ONES * 0x20) & ~x)) &
           HIGHS;
}

static inline bool is_special(char c)
{
    return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

static inline const char *find_special(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t x, found;

        memcpy(&x, at, sizeof x);
        found = specials(x);
        if (found) return at + (__builtin_ctzll(found) >> 3);
        at += 8;
    }
    while (at < end && !is_special(*at)) at++;
    return at;
}

static int hex_of(char c)
{
    if (str_is_digit(c)) return c - '0';
    c = str_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The cursor is on a backslash.
static bool skip_escape(struct json *j)
{
    size_t size = 2;

    if (j->end - j->at < 2) return fail(j, JSON_SYNTAX);
    if (j->at[1] == 'u') {
        size = 6;
        if (j->end - j->at < 6) return fail(j, JSON_SYNTAX);
        for (int i = 2; i < 6; i++)
            if (hex_of(j->at[i]) < 0) return fail(j, JSON_SYNTAX);
    } else if (!j->at[1] || !strchr("\"\\/bfnrt", j->at[1])) {
        return fail(j, JSON_SYNTAX);
    }
    j->at += size;
    return true;
}

// The cursor is behind the opening quote.
static inline bool read_string(struct json *j, struct json_value *ret)
{
    const char *start = j->at;
    bool escaped = false;

    for (;;) {
        j->at = find_special(j->at, j->end);
        if (j->at == j->end) return fail(j, JSON_SYNTAX);
        if (*j->at == '"') break;
        if (*j->at != '\\') return fail(j, JSON_SYNTAX); // a control character
        if (!skip_escape(j)) return false;
        escaped = true;
    }
    *ret = (struct json_value){JSON_STRING, escaped, {start, (size_t)(j->at - start)}};
    j->at++;
    return true;
}

static inline bool skip_digits(struct json *j)
{
    const char *start = j->at;

    while (j->at < j->end && str_is_digit(*j->at)) j->at++;
    return j->at > start || fail(j, JSON_SYNTAX);
}

static bool read_number(struct json *j, struct json_value *ret)
{
    const char *start = j->at;

    if (*j->at == '-') j->at++;
    if (j->at < j->end && *j->at == '0')
        j->at++;
    else if (!skip_digits(j))
        return false;
    if (j->at < j->end && *j->at == '.') {
        j->at++;
        if (!skip_digits(j)) return false;
    }
    if (j->at < j->end && (*j->at | 0x20) == 'e') {
        j->at++;
        if (j->at < j->end && (*j->at == '+' || *j->at == '-')) j->at++;
        if (!skip_digits(j)) return false;
    }
    *ret = (struct json_value){JSON_NUMBER, false, {start, (size_t)(j->at - start)}};
    return true;
}

static bool read_word(struct json *j, struct str word, enum json_type type, struct json_value *ret)
{
    struct str rest = str_make(j->at, (size_t)(j->end - j->at));

    if (!str_starts(rest, word)) return fail(j, JSON_SYNTAX);
    *ret = (struct json_value){type, false, {j->at, word.size}};
    j->at += word.size;
    return true;
}

// The cursor is on the first byte of what is no array and no object.
static inline bool read_scalar(struct json *j, struct json_value *ret)
{
    switch (*j->at) {
    case '"':
        j->at++;
        return read_string(j, ret);
    case 't':
        return read_word(j, STR("true"), JSON_BOOL, ret);
    case 'f':
        return read_word(j, STR("false"), JSON_BOOL, ret);
    case 'n':
        return read_word(j, STR("null"), JSON_NULL, ret);
    default:
        return read_number(j, ret);
    }
}

static inline bool read_key(struct json *j, struct json_value *ret)
{
    if (!take(j, '"')) return fail(j, JSON_SYNTAX);
    return read_string(j, ret) && (take(j, ':') || fail(j, JSON_SYNTAX));
}

// Arrays and objects around the cursor, innermost in the lowest bit.
struct nesting {
    uint64_t objects;
    unsigned depth;
};

// Enters what the cursor is on, and reads the key of its first member.
static bool skip_open(struct json *j, struct nesting *n, bool *ret_empty)
{
    bool object = *j->at == '{';
    struct json_value key;

    if (n->depth == j->depth_max) return fail(j, JSON_DEPTH);
    n->objects = n->objects << 1 | object;
    n->depth++;
    j->at++;
    *ret_empty = peek(j) == (object ? '}' : ']');
    return *ret_empty || !object || read_key(j, &key);
}

// Behind a value: leaves what ends here, up to the next value or the outermost end.
static bool skip_close(struct json *j, struct nesting *n)
{
    while (n->depth > 0) {
        bool object = n->objects & 1;
        struct json_value key;

        if (take(j, ',')) return !object || read_key(j, &key);
        if (!take(j, object ? '}' : ']')) return fail(j, JSON_SYNTAX);
        n->objects >>= 1;
        n->depth--;
    }
    return true;
}

// The cursor is on a bracket or brace. A loop with one bit a level instead of recursion.
static bool skip_nested(struct json *j, struct json_value *ret)
{
    enum json_type type = *j->at == '{' ? JSON_OBJECT : JSON_ARRAY;
    const char *start = j->at;
    struct nesting n = {0, 0};
    struct json_value scalar;

    do {
        bool empty = false;
        char c = peek(j);

        if (c == '{' || c == '[') {
            if (!skip_open(j, &n, &empty)) return false;
            if (!empty) continue;
        } else if (j->at == j->end || !read_scalar(j, &scalar)) {
            return fail(j, JSON_SYNTAX);
        }
        if (!skip_close(j, &n)) return false;
    } while (n.depth > 0);
    *ret = (struct json_value){type, false, {start, (size_t)(j->at - start)}};
    return true;
}

static inline bool read_value(struct json *j, struct json_value *ret)
{
    char c = peek(j);

    if (j->at == j->end) return fail(j, JSON_SYNTAX);
    if (c == '{' || c == '[') return skip_nested(j, ret);
    return read_scalar(j, ret);
}

enum json_type json_enter(struct json *j)
{
    char c = j->failed ? '\0' : peek(j);

    if (c != '{' && c != '[') return JSON_NONE;
    j->at++;
    j->first = true;
    return c == '{' ? JSON_OBJECT : JSON_ARRAY;
}

// Whether another member or element follows; moves past the comma, or past `close`.
static inline bool next(struct json *j, char close)
{
    bool first = j->first;

    if (j->failed || take(j, close)) return false;
    j->first = false;
    return first || take(j, ',') || fail(j, JSON_SYNTAX);
}

bool json_member(struct json *j, struct json_value *ret_key, struct json_value *ret_value)
{
    return next(j, '}') && read_key(j, ret_key) && read_value(j, ret_value);
}

bool json_element(struct json *j, struct json_value *ret_value)
{
    return next(j, ']') && read_value(j, ret_value);
}

bool json_end(struct json *j)
{
    if (j->failed) return false;
    skip_space(j);
    return j->at == j->end || fail(j, JSON_TRAILING);
}

static uint32_t unit_of(const char *hex)
{
    return (uint32_t)(hex_of(hex[0]) << 12 | hex_of(hex[1]) << 8 | hex_of(hex[2]) << 4 |
                      hex_of(hex[3]));
}

// `at` is behind "\u"; moves past the digits, and past a low surrogate that completes them.
static uint32_t unescape_unit(const char **at, const char *end)
{
    uint32_t code = unit_of(*at), low;

    *at += 4;
    if (code < 0xd800 || code > 0xdfff) return code;
    if (code > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') return 0xfffd;
    low = unit_of(*at + 2);
    if (low < 0xdc00 || low > 0xdfff) return 0xfffd;
    *at += 6;
    return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

struct str json_unescape(struct json_value v, char *dst)
{
    const char *at = v.text.ptr, *end = at + v.text.size;
    char *to = dst;

    if (!v.escaped) return v.text;
    while (at < end) {
        static const char from[] = "bfnrt", plain[] = "\b\f\n\r\t";
        const char *found;

        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        at += 2;
        if (at[-1] == 'u') {
            to += utf8_put(to, unescape_unit(&at, end));
            continue;
        }
        found = strchr(from, at[-1]);
        *to++ = found ? plain[found - from] : at[-1];
    }
    return str_make(dst, (size_t)(to - dst));
}

bool json_to_i64(struct json_value v, int64_t *ret)
{
    struct str s = v.text;
    bool negative;
    uint64_t n;

    if ((v.type != JSON_NUMBER && v.type != JSON_STRING) || v.escaped) return false;
    s = str_trim(s);
    negative = s.size && s.ptr[0] == '-';
    if (negative) s = str_make(s.ptr + 1, s.size - 1);
    if (!str_to_u64(s, &n) || n > (uint64_t)INT64_MAX + negative) return false;
    *ret = (int64_t)(negative ? 0 - n : n);
    return true;
}

bool json_is_absent(struct json_value v)
{
    if (v.type == JSON_STRING) return !v.escaped && str_trim(v.text).size == 0;
    return v.type == JSON_NONE || v.type == JSON_NULL;
}
