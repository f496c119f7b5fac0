// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as JSON and as a record: it ends, every view lies where it may, escapes never grow, and
// what buf_json writes reads back as what it was given.
#include <stdlib.h>
#include <string.h>

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/wire/record.h"
#include "tests/fuzz/fuzz.h"

static bool is_within(struct str view, const char *start, size_t size)
{
    return view.ptr >= start && view.ptr + view.size <= start + size;
}

static bool is_utf8(struct str s)
{
    for (size_t at = 0, n; at < s.size; at += n) {
        n = utf8_size(s.ptr + at, s.size - at);
        if (n == 0) return false;
    }
    return true;
}

static void check_written(struct str plain)
{
    struct json_value value;
    struct json j;
    struct buf b;
    char *again;

    buf_init(&b, 8 * plain.size + 16);
    buf_char(&b, '[');
    buf_json(&b, plain);
    buf_char(&b, ']');
    CHECK(!b.failed);
    j = json_start(buf_view(&b), 1);
    CHECK(json_enter(&j) == JSON_ARRAY && json_element(&j, &value));
    CHECK(!json_element(&j, &(struct json_value){0}) && json_end(&j));
    again = malloc(value.text.size + 1);
    CHECK(!is_utf8(plain) || str_eq(json_unescape(value, again), plain));
    free(again);
    buf_done(&b);
}

static void check_value(struct json_value v, struct str text)
{
    char *plain;
    int64_t n;

    CHECK(v.type != JSON_NONE && is_within(v.text, text.ptr, text.size));
    json_to_i64(v, &n);
    json_is_absent(v);
    if (v.type != JSON_STRING) return;
    plain = malloc(v.text.size ? v.text.size : 1); // exactly the room that is promised to do
    v.text = json_unescape(v, plain);
    check_written(v.text);
    free(plain);
}

// Nested values were found well-formed as a whole; entered alone they must be so too.
static bool walk(struct str text, unsigned depth)
{
    struct json j = json_start(text, depth);
    struct json_value key, value;

    switch (json_enter(&j)) {
    case JSON_OBJECT:
        while (json_member(&j, &key, &value)) {
            check_value(key, text);
            check_value(value, text);
            if (value.type >= JSON_ARRAY) CHECK(depth > 0 && walk(value.text, depth - 1));
        }
        break;
    case JSON_ARRAY:
        while (json_element(&j, &value)) {
            check_value(value, text);
            if (value.type >= JSON_ARRAY) CHECK(depth > 0 && walk(value.text, depth - 1));
        }
        break;
    default:
        return false;
    }
    return json_end(&j);
}

static bool check_record(struct str text, const struct record_keys *keys)
{
    static struct record r;
    enum reason reason = REASON_ALLOWED;
    bool good;

    memset(&r, 0xaa, sizeof r);
    good = record_parse(&r, text, keys, &reason);
    CHECK(good == (reason == REASON_ALLOWED));
    if (!good) return false;
    CHECK(r.scratch_used <= sizeof r.scratch && r.duplicate_count <= r.member_count);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        struct str s = record_text(&r, i);

        CHECK((r.present >> i & 1) == (s.ptr != NULL));
        CHECK(!s.ptr || (!r.value[i].escaped && !json_is_absent(r.value[i])));
        CHECK(!s.ptr || is_within(s, text.ptr, text.size) ||
              is_within(s, r.scratch, r.scratch_used));
    }
    record_phone(&r);
    record_tenant(&r);
    CHECK(record_channel(&r, CHANNEL_VOICE) <= CHANNEL_ANY);
    return true;
}

// Elements read as records where they stand are what they are read alone.
static void check_next(struct str text, const struct record_keys *keys)
{
    static struct record here, alone;
    struct json j = json_start(text, 8 + 2), twin = j;
    enum reason reason, want;
    struct json_value value;

    if (json_enter(&j) != JSON_ARRAY) return;
    CHECK(json_enter(&twin) == JSON_ARRAY);
    while (record_next(&here, &j, keys, &reason)) {
        want = REASON_ALLOWED;
        CHECK(json_element(&twin, &value) && twin.at == j.at);
        CHECK(str_eq(here.text, value.text));
        if (value.type != JSON_OBJECT)
            want = REASON_NOT_JSON;
        else
            record_parse(&alone, value.text, keys, &want);
        CHECK(reason == want);
        if (reason != REASON_ALLOWED) continue;
        CHECK(here.present == alone.present && here.member_count == alone.member_count);
        CHECK(here.duplicate_count == alone.duplicate_count);
        CHECK(str_eq(record_phone(&here), record_phone(&alone)));
    }
    CHECK(!json_element(&twin, &value) && j.failed == twin.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct record_keys *v1, *ocs;
    struct str text = str_make((const char *)data, size);

    if (!v1) v1 = record_keys_new(FIELD_COUNT);
    if (!ocs) ocs = record_keys_new(FIELD_V1_PHONE);
    walk(text, 8);
    if (check_record(text, v1)) CHECK(walk(text, 8));
    check_record(text, ocs);
    check_next(text, v1);
    return 0;
}
