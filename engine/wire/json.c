// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/json.h"

#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/wire/json_scan.h"

static bool fail(struct json *j, enum json_error error)
{
    j->error = error;
    j->failed = true;
    return false;
}

struct json json_start(struct str text, unsigned depth_max)
{
    CHECK(depth_max <= 64); // one bit a level, see json_scan_nested
    if (!text.ptr) text = STR("");
    if (str_starts(text, STR("\xef\xbb\xbf"))) text = str_make(text.ptr + 3, text.size - 3);
    return (struct json){.at = text.ptr,
                         .begin = text.ptr,
                         .end = text.ptr + text.size,
                         .depth_max = depth_max,
                         .first = true};
}

static int hex_of(char c)
{
    if (str_is_digit(c)) return c - '0';
    c = str_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum json_type json_enter(struct json *j)
{
    if (j->failed) return JSON_NONE;
    j->at = json_scan_space(j->at, j->end);
    if (j->at == j->end || (*j->at != '{' && *j->at != '[')) return JSON_NONE;
    j->first = true;
    return *j->at++ == '{' ? JSON_OBJECT : JSON_ARRAY;
}

bool json_next(struct json *j, char close)
{
    bool first = j->first;

    if (j->failed || json_scan_take(&j->at, j->end, close)) return false;
    j->first = false;
    return first || json_scan_take(&j->at, j->end, ',') || fail(j, JSON_SYNTAX);
}

bool json_value(struct json *j, struct json_value *ret)
{
    enum json_error error = JSON_SYNTAX;
    const char *at = json_scan_value(j->at, j->begin, j->end, j->depth_max, ret, &error);

    if (!at) return fail(j, error);
    j->at = at;
    return true;
}

bool json_member(struct json *j, struct json_value *ret_key, struct json_value *ret_value)
{
    const char *at;

    if (!json_next(j, '}')) return false;
    at = json_scan_key(j->at, j->begin, j->end, ret_key);
    if (!at) return fail(j, JSON_SYNTAX);
    j->at = at;
    return json_value(j, ret_value);
}

bool json_element(struct json *j, struct json_value *ret_value)
{
    return json_next(j, ']') && json_value(j, ret_value);
}

bool json_end(struct json *j)
{
    if (j->failed) return false;
    j->at = json_scan_space(j->at, j->end);
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
