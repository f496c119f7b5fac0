// SPDX-License-Identifier: Apache-2.0
//
// entry: the value in /v1/lists/{list}/entries/{value} and the JSON of one entry. Pure functions.
#pragma once

#include "engine/base/buf.h"
#include "engine/core/view.h"
#include "engine/net/http.h"

struct entry {
    struct set_key key;
    uint64_t device; // E.164 integer of a device, 0 otherwise
};

// Reads the (percent-encoded) value as the list's kind wants it. 0, or ERR_BAD_VALUE with *ret_why.
int entry_parse(struct entry *entry, struct str value, enum set_kind kind,
                const struct number_home *home, const struct set *set, const char **ret_why);
// {"from":"…","till":"…"}, each optional; an empty body is always. 0 or ERR_* with *ret_why.
int entry_parse_span(struct set_span *span, struct str body, const char **ret_why);
// "from":…,"till":…
void entry_write_span(struct buf *out, struct set_span span);
