// SPDX-License-Identifier: Apache-2.0
//
// verdict: the answer to one question, and the words for it (verdict.def, reason.def). Pure data.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/str.h"

enum verdict_type {
#define VERDICT_TYPE(name, word, call_result) VERDICT_##name,
#include "engine/wire/verdict.def"
#undef VERDICT_TYPE
    VERDICT_TYPE_COUNT
};

enum reason {
#define REASON(name, rule, type, text) REASON_##name,
#include "engine/wire/reason.def"
#undef REASON
    REASON_COUNT
};

// A verdict allows exactly when `type` is VERDICT_NONE.
struct verdict {
    enum verdict_type type;
    enum reason reason;
    struct str rule;    // name of the list or rule; bytes owned by the view it was decided under
    int call_result;    // GSW_CALL_RESULT of a block
    int64_t retry_at_s; // when it may be asked again with hope, epoch seconds; 0 = not known
    uint16_t list;      // list number of a suppression, UINT16_MAX otherwise
};

struct str verdict_type_word(enum verdict_type type);
int verdict_type_call_result(enum verdict_type type);
struct str reason_rule(enum reason reason);
enum verdict_type reason_type(enum reason reason);
struct str reason_text(enum reason reason);

// A block for `reason`, its defaults filled in from the tables.
struct verdict verdict_block(enum reason reason, struct str rule);
struct verdict verdict_allow(void);

// How much OCS wants to hear in a 409 (config `ocs_body`).
enum ocs_body { OCS_BODY_FULL, OCS_BODY_RESULT, OCS_BODY_EMPTY };
// {"GSW_CALL_RESULT":51,"GSW_BLOCKING_RULE":"national","GSW_BLOCKING_RULE_TYPE":"suppression"}
void verdict_write_ocs(struct buf *out, const struct verdict *v, enum ocs_body shape);
// {"verdict":"block","rule":"national","type":"suppression","reason":"…","retry_at":null}
void verdict_write_result(struct buf *out, const struct verdict *v);
