// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/verdict.h"

#include "engine/base/check.h"
#include "engine/base/clock.h"

struct type_row {
    struct str word;
    int call_result;
};

static const struct type_row types[VERDICT_TYPE_COUNT] = {
#define VERDICT_TYPE(name, word, call_result) {{word, sizeof(word) - 1}, call_result},
#include "engine/wire/verdict.def"
#undef VERDICT_TYPE
};

struct reason_row {
    struct str rule;
    enum verdict_type type;
    struct str text;
};

static const struct reason_row reasons[REASON_COUNT] = {
#define REASON(name, rule, type, text)                                                             \
    {{rule, sizeof(rule) - 1}, VERDICT_##type, {text, sizeof(text) - 1}},
#include "engine/wire/reason.def"
#undef REASON
};

static const struct type_row *type_row_of(enum verdict_type type)
{
    CHECK((unsigned)type < VERDICT_TYPE_COUNT);
    return &types[type];
}

static const struct reason_row *reason_row_of(enum reason reason)
{
    CHECK((unsigned)reason < REASON_COUNT);
    return &reasons[reason];
}

struct str verdict_type_word(enum verdict_type type)
{
    return type_row_of(type)->word;
}

int verdict_type_call_result(enum verdict_type type)
{
    return type_row_of(type)->call_result;
}

struct str reason_rule(enum reason reason)
{
    return reason_row_of(reason)->rule;
}

enum verdict_type reason_type(enum reason reason)
{
    return reason_row_of(reason)->type;
}

struct str reason_text(enum reason reason)
{
    return reason_row_of(reason)->text;
}

struct verdict verdict_block(enum reason reason, struct str rule)
{
    const struct reason_row *row = reason_row_of(reason);

    CHECK(row->type != VERDICT_NONE);
    return (struct verdict){.type = row->type,
                            .reason = reason,
                            .rule = rule.size ? rule : row->rule,
                            .call_result = types[row->type].call_result,
                            .list = UINT16_MAX};
}

struct verdict verdict_allow(void)
{
    return (struct verdict){
        .type = VERDICT_NONE, .reason = REASON_ALLOWED, .rule = STR(""), .list = UINT16_MAX};
}

void verdict_write_ocs(struct buf *out, const struct verdict *v, enum ocs_body shape)
{
    if (v->type == VERDICT_NONE) {
        buf_lit(out, "{}");
        return;
    }
    if (shape == OCS_BODY_EMPTY) return;
    buf_lit(out, "{\"GSW_CALL_RESULT\":");
    buf_i64(out, v->call_result);
    if (shape == OCS_BODY_FULL) {
        buf_lit(out, ",\"GSW_BLOCKING_RULE\":");
        buf_json(out, v->rule);
        buf_lit(out, ",\"GSW_BLOCKING_RULE_TYPE\":\"");
        buf_str(out, verdict_type_word(v->type));
        buf_char(out, '"');
    }
    buf_char(out, '}');
}

void verdict_write_result(struct buf *out, const struct verdict *v)
{
    char instant[CLOCK_TEXT_SIZE];

    if (v->type == VERDICT_NONE)
        buf_lit(out, "{\"verdict\":\"allow\",\"rule\":");
    else
        buf_lit(out, "{\"verdict\":\"block\",\"rule\":");
    buf_json(out, v->rule);
    buf_lit(out, ",\"type\":\"");
    buf_str(out, verdict_type_word(v->type));
    buf_lit(out, "\",\"reason\":");
    buf_json(out, reason_text(v->reason));
    if (v->retry_at_s == 0) {
        buf_lit(out, ",\"retry_at\":null}");
        return;
    }
    buf_lit(out, ",\"retry_at\":\"");
    buf_str(out, clock_format(instant, v->retry_at_s));
    buf_lit(out, "\"}");
}
