// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/ruleset.h"

static void write_text(struct buf *out, const char *key, struct str text)
{
    if (!text.ptr) return;
    buf_printf(out, ",\"%s\":", key);
    buf_json(out, text);
}

static void write_day(struct buf *out, const char *key, int32_t day)
{
    if (day == RULE_DAY_FIRST || day == RULE_DAY_LAST) return;
    buf_printf(out, ",\"%s\":\"", key);
    calendar_write_day(out, day);
    buf_char(out, '"');
}

void ruleset_write_rule(struct buf *out, const struct ruleset *r, unsigned rule)
{
    const struct rule *it = &r->rule[rule];

    buf_lit(out, "{\"name\":");
    buf_json(out, it->name);
    write_text(out, "type", verdict_type_word(it->type));
    write_text(out, "title", it->title);
    write_text(out, "mode", it->shadow ? STR("shadow") : STR("enforce"));
    buf_printf(out, ",\"required\":%s,\"priority\":%u,\"call_result\":%d",
               it->required ? "true" : "false", it->priority, it->call_result);
    write_text(out, "pack", it->pack);
    write_text(out, "cite", it->cite);
    write_text(out, "url", it->url);
    // a pack rule that nobody has verified says so; an own rule need not be
    if (it->verified.ptr)
        write_text(out, "verified", it->verified);
    else if (it->pack.ptr)
        buf_lit(out, ",\"verified\":null");
    write_text(out, "note", it->note);
    write_day(out, "effective_from", it->from_day);
    write_day(out, "effective_until", it->until_day);
    buf_char(out, '}');
}
