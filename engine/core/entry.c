// SPDX-License-Identifier: Apache-2.0
#include "engine/core/entry.h"

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/wire/address.h"
#include "engine/wire/json.h"

#define VALUE_BYTES_MAX 1024

static int parse_device(struct entry *entry, struct str text, const struct number_home *home,
                        const struct set *set, const char **ret_why)
{
    enum number_error error = number_parse(text, home, &entry->device);

    if (error != NUMBER_OK) {
        *ret_why = number_error_text(error);
        return ERR_BAD_VALUE;
    }
    entry->key = set_key_device(set, entry->device);
    return 0;
}

int entry_parse(struct entry *entry, struct str value, enum set_kind kind,
                const struct number_home *home, const struct set *set, const char **ret_why)
{
    char memory[VALUE_BYTES_MAX], normal[LIMIT_EMAIL_BYTES];
    struct str text, clean;

    *ret_why = "is too long or wrongly percent-encoded";
    if (value.size > sizeof memory || !http_unescape(value, memory, &text)) return ERR_BAD_VALUE;
    entry->device = 0;
    switch (kind) {
    case SET_DEVICE:
        return parse_device(entry, text, home, set, ret_why);
    case SET_CLIENT:
        *ret_why = "is no client id: 1 to 256 bytes without control characters";
        if (!address_client_id(text, &clean)) return ERR_BAD_VALUE;
        break;
    case SET_EMAIL:
        *ret_why = "is no e-mail address";
        if (!address_email(text, normal, &clean)) return ERR_BAD_VALUE;
        break;
    }
    entry->key = set_key_text(set, kind, clean.ptr, clean.size);
    return 0;
}

static int parse_instant(uint32_t *ret_s, struct json_value value)
{
    int64_t ns;

    if (value.type == JSON_NULL) return 0;
    if (value.type != JSON_STRING || !clock_parse(value.text, &ns)) return ERR_BAD_INSTANT;
    if (ns < 0 || ns / 1000000000 >= SET_FOREVER) return ERR_BAD_INSTANT;
    *ret_s = (uint32_t)(ns / 1000000000);
    return 0;
}

int entry_parse_span(struct set_span *span, struct str body, const char **ret_why)
{
    struct json j = json_start(body, 2);
    struct json_value key, value;
    struct set_span wanted = SET_ALWAYS;
    int err = 0;

    *span = wanted;
    if (str_trim(body).size == 0) return 0;
    *ret_why = "the body must be empty or {\"from\":\"…\",\"till\":\"…\"}";
    if (json_enter(&j) != JSON_OBJECT) return ERR_BAD_JSON;
    while (!err && json_member(&j, &key, &value)) {
        if (str_eq(key.text, STR("from")))
            err = parse_instant(&wanted.from_s, value);
        else if (str_eq(key.text, STR("till")))
            err = parse_instant(&wanted.till_s, value);
        else
            err = ERR_BAD_JSON;
    }
    if (err == ERR_BAD_INSTANT)
        *ret_why = "\"from\" and \"till\" must be RFC 3339 with an offset, from 1970 to 2106";
    if (err) return err;
    if (j.failed || !json_end(&j)) return ERR_BAD_JSON;
    *ret_why = "\"till\" must be later than \"from\"";
    if (wanted.till_s <= wanted.from_s) return ERR_BAD_VALUE;
    *span = wanted;
    return 0;
}

static void write_instant(struct buf *out, bool given, uint32_t s)
{
    char text[CLOCK_TEXT_SIZE];

    if (given)
        buf_json(out, clock_format(text, s));
    else
        buf_lit(out, "null");
}

void entry_write_span(struct buf *out, struct set_span span)
{
    buf_lit(out, "\"from\":");
    write_instant(out, span.from_s != 0, span.from_s);
    buf_lit(out, ",\"till\":");
    write_instant(out, span.till_s != SET_FOREVER, span.till_s);
}
