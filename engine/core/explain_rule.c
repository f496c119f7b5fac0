// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "engine/base/clock.h"
#include "engine/core/explain.h"
#include "engine/core/single.h"
#include "engine/rule/calendar.h"

// -- one rule ------------------------------------------------------------------------------------

static void write_windows(struct buf *out, const struct ruleset *set, const struct rule *rule)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

    buf_lit(out, ",\"windows\":[");
    for (unsigned i = 0; i < rule->windows.count; i++) {
        const struct rule_window *w = &set->window[rule->windows.first + i];
        bool first = true;

        buf_printf(out, "%s{\"days\":\"", i ? "," : "");
        for (unsigned d = 0; d < 7; d++) {
            if (!(w->days >> d & 1)) continue;
            buf_printf(out, "%s%s", first ? "" : ",", days[d]);
            first = false;
        }
        buf_printf(out, "\",\"from\":\"%02u:%02u\",\"till\":\"%02u:%02u\"}", w->from / 60u,
                   w->from % 60u, w->till / 60u, w->till % 60u);
    }
    buf_char(out, ']');
}

static void write_attempts(struct buf *out, const struct rule *rule, const struct judge_finding *f)
{
    static const char *const by[] = {"device", "client", "both"};

    buf_printf(out,
               ",\"max\":%u,\"count_by\":\"%s\",\"scope\":\"%s\",\"count\":%u,\"reserved\":%u,"
               "\"known\":%s,\"since\":",
               rule->attempts.max, by[rule->attempts.count_by],
               rule->attempts.group_only ? "group" : "tenant", f->count.count, f->count.reserved,
               f->count.unknown ? "false" : "true");
    single_write_instant(out, f->since_s);
    buf_lit(out, ",\"oldest\":");
    single_write_instant(out, f->count.oldest_s);
}

static void write_list(struct buf *out, const struct decide_case *c, const struct rule *rule)
{
    int64_t obtained_s = c->world.obtained_s((void *)(uintptr_t)c, rule->of_list.list);

    buf_lit(out, ",\"list\":");
    buf_json(out, c->judge.plan->set->list_name[rule->of_list.list]);
    buf_lit(out, ",\"obtained_at\":");
    single_write_instant(out, obtained_s);
    if (rule->type == VERDICT_FRESHNESS)
        buf_printf(out, ",\"max_age_s\":%" PRIu32, rule->of_list.max_age_s);
}

// What is known; nobody is asked for the sake of showing it.
static void write_service(struct buf *out, const struct decide_case *c, const struct rule *rule)
{
    static const char *const words[] = {[JUDGE_EXTERNAL_SILENT] = "silent",
                                        [JUDGE_EXTERNAL_ALLOWS] = "allows",
                                        [JUDGE_EXTERNAL_REFUSES] = "refuses"};
    unsigned number = (unsigned)(rule - c->judge.plan->set->rule);
    struct answer answer;
    int64_t left_ns;

    if (!decide_answer(c->d, c->view, c->q, number, &answer)) {
        buf_lit(out, ",\"service\":\"not asked\",\"service_until\":null");
        return;
    }
    left_ns = answer.until_ns - c->d->mono_ns;
    buf_printf(out, ",\"service\":\"%s\",\"service_until\":", words[answer.said]);
    single_write_instant(out, c->d->wall_s + left_ns / 1000000000);
}

static void write_inputs(struct buf *out, const struct decide_case *c, const struct rule *rule,
                         const struct judge_finding *f)
{
    buf_lit(out, ",\"inputs\":{\"zone\":");
    if (f->zone == ZONES_NONE)
        buf_lit(out, "null");
    else
        explain_write_zone(out, c, f->zone);
    buf_printf(out, ",\"zones_unknown\":%s", f->zones_unknown ? "true" : "false");
    if (rule->type == VERDICT_CONTACT_TIMES) write_windows(out, c->judge.plan->set, rule);
    if (rule->type == VERDICT_ATTEMPTS) write_attempts(out, rule, f);
    if (rule->type == VERDICT_SUPPRESSION || rule->type == VERDICT_FRESHNESS)
        write_list(out, c, rule);
    if (rule->type == VERDICT_EXTERNAL) write_service(out, c, rule);
    buf_char(out, '}');
}

static void write_rule(struct buf *out, const struct decide_case *c, unsigned op)
{
    const struct rule_plan *plan = c->judge.plan;
    unsigned number = plan->op[op].rule;
    const struct rule *rule = &plan->set->rule[number];
    struct judge_finding f;

    judge_rule(&c->judge, op, &f);
    ruleset_write_rule(out, plan->set, number);
    if (!out->failed) out->size_bytes--; // the closing brace: more follows
    buf_printf(out, ",\"applies\":%s,\"blocks\":%s,\"reason\":", f.applies ? "true" : "false",
               f.applies && f.blocks ? "true" : "false");
    if (f.applies && f.blocks)
        buf_json(out, reason_text(f.reason));
    else
        buf_lit(out, "null");
    if (f.applies) write_inputs(out, c, rule, &f);
    buf_lit(out, ",\"until\":");
    single_write_instant(out, f.until_s);
    buf_char(out, '}');
}

void explain_write_rules(struct buf *out, const struct decide_case *c)
{
    buf_char(out, '[');
    for (unsigned op = 0; op < c->judge.plan->op_count; op++) {
        if (op) buf_char(out, ',');
        write_rule(out, c, op);
    }
    buf_char(out, ']');
}

#define SENTENCE_BYTES_MAX 12288 // a rule's name, title and source, and the words round them

// -- the sentence --------------------------------------------------------------------------------

static void say_time(struct buf *out, const struct decide_case *c, unsigned zone)
{
    static const char *const days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                       "Friday", "Saturday", "Sunday"};
    const struct zone_local *local = zone_clock_at(c->judge.clock, zone);

    buf_printf(out, "it is %02u:%02u on %s, ", local->minute / 60u, local->minute % 60u,
               days[local->weekday % 7]);
    calendar_write_day(out, local->day);
    buf_printf(out, ", in %s", zones_name(c->judge.plan->zones, zone));
}

static void say_rule(struct buf *out, const struct decide_case *c, int number)
{
    const struct rule_plan *plan = c->judge.plan;
    const struct rule *rule = &plan->set->rule[number];
    struct judge_finding f = {.zone = ZONES_NONE};
    unsigned op = 0;

    while (op < plan->op_count && (int)plan->op[op].rule != number) op++;
    if (op < plan->op_count) judge_rule(&c->judge, op, &f);
    if (f.zone != ZONES_NONE) {
        buf_lit(out, ": ");
        say_time(out, c, f.zone);
        if (f.zones_unknown)
            buf_lit(out, ", which cannot be ruled out, as nothing says where the contact is");
    }
    if (rule->type == VERDICT_ATTEMPTS && !f.count.unknown)
        buf_printf(out, ": %u of %u", f.count.count, rule->attempts.max);
    if (rule->title.size) buf_printf(out, ". %.*s", STR_ARG(rule->title));
    if (rule->cite.size) buf_printf(out, " (%.*s)", STR_ARG(rule->cite));
}

static void say_block(struct buf *out, const struct decide_case *c, const struct verdict *v,
                      int rule)
{
    char when[CLOCK_TEXT_SIZE];

    buf_printf(out, "Do not contact: %.*s", STR_ARG(reason_text(v->reason)));
    if (v->type != VERDICT_INPUT && v->rule.size)
        buf_printf(out, " (%s \"%.*s\")", rule >= 0 ? "rule" : "list", STR_ARG(v->rule));
    if (c && rule >= 0) say_rule(out, c, rule);
    if (v->retry_at_s)
        buf_printf(out, ". It would be allowed from %.*s on",
                   STR_ARG(clock_format(when, v->retry_at_s)));
    buf_char(out, '.');
}

static void say_allowed(struct buf *out, const struct decide_case *c)
{
    unsigned at = 0;
    const struct zone_set *zones;

    buf_lit(out, "May be contacted: on no list that applies");
    if (c) {
        buf_lit(out, ", and no rule objects");
        zones = facts_zones(c->judge.facts, c->judge.plan->zone_from, &at);
        if (zones && zones->count == 1) {
            buf_lit(out, "; ");
            say_time(out, c, zones->zone[0]);
        }
    }
    buf_char(out, '.');
}

void explain_write_sentence(struct buf *out, const struct decide_case *c, const struct verdict *v,
                            int rule)
{
    char memory[SENTENCE_BYTES_MAX];
    struct buf text;

    buf_wrap(&text, memory, sizeof memory);
    if (v->type == VERDICT_NONE)
        say_allowed(&text, c);
    else
        say_block(&text, c, v, rule);
    buf_json(out, buf_view(&text));
}
