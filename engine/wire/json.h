// SPDX-License-Identifier: Apache-2.0
//
// json: a pull reader over text in memory. No allocation, no recursion, one pass, strict RFC 8259
// except that bytes inside strings need not be UTF-8 (OCS without `encoding` sends what is stored)
// and a UTF-8 byte order mark at the start is skipped.
//
//   struct json j = json_start(text, depth_max);
//   if (json_enter(&j) != JSON_OBJECT) …
//   while (json_member(&j, &key, &value)) …          // each member of a flat object
//   if (j.failed) …                                   // why in j.error, near j.at
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"

enum json_type {
    JSON_NONE,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

enum json_error { JSON_OK, JSON_SYNTAX, JSON_DEPTH, JSON_TRAILING };

// A value as it stands in the text. For strings `text` is without quotes and still escaped when
// `escaped`; for arrays and objects it is the whole bracketed text.
struct json_value {
    enum json_type type;
    bool escaped;
    struct str text;
};

struct json {
    const char *at, *begin, *end;
    unsigned depth_max;
    enum json_error error;
    bool failed;
    bool first; // no member of the current array or object was read yet
};

struct json json_start(struct str text, unsigned depth_max);
// Enters the array or object that stands at the cursor; its type, or JSON_NONE when there is none.
enum json_type json_enter(struct json *j);
// The next member of the object (element of the array) entered. False at its end and on failure.
bool json_member(struct json *j, struct json_value *ret_key, struct json_value *ret_value);
bool json_element(struct json *j, struct json_value *ret_value);
// The two halves of json_element, for who reads a value itself (record_next): whether another
// element follows, the cursor on it then (`close` is ']'); and the value at the cursor.
bool json_next(struct json *j, char close);
bool json_value(struct json *j, struct json_value *ret);
// True when only white space follows. Call after the outermost end.
bool json_end(struct json *j);

// Undoes escapes into `dst` (room for v.text.size bytes; the result is never longer). A lone
// surrogate becomes U+FFFD. Returns text itself when nothing was escaped.
struct str json_unescape(struct json_value v, char *dst);
// An integer, written as a number or as a numeric string, maybe with spaces round it.
bool json_to_i64(struct json_value v, int64_t *ret);
// null, "" and "   " mean absent.
bool json_is_absent(struct json_value v);
