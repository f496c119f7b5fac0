// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/rule/ruleset_read.h"
#include "engine/wire/record.h"

#define BIT(type)       (1u << VERDICT_##type)
#define NAME_MAX_BYTES  128
#define WORDS_MAX_BYTES 4096 // title, cite, url, note
#define PERIOD_DAYS_MAX 366
#define RESULTS_MAX     128
#define DISPOSITIONS    256

const struct ruleset_word ruleset_channels[] = {
    {{"voice", 5}, 1 << CHANNEL_VOICE},
    {{"sms", 3}, 1 << CHANNEL_SMS},
    {{"email", 5}, 1 << CHANNEL_EMAIL},
    {.word = {0}},
};
const struct ruleset_word ruleset_purposes[] = {
    {{"solicitation", 12}, PURPOSE_SOLICITATION},
    {{"informational", 13}, PURPOSE_INFORMATIONAL},
    {{"collection", 10}, PURPOSE_COLLECTION},
    {.word = {0}},
};
const struct ruleset_word ruleset_dialings[] = {
    {{"manual", 6}, DIALING_MANUAL},
    {{"autodialed", 10}, DIALING_AUTODIALED},
    {{"prerecorded", 11}, DIALING_PRERECORDED},
    {.word = {0}},
};
const struct ruleset_word ruleset_sources[] = {
    {{"device", 6}, 1 << ZONE_DEVICE},
    {{"postal_code", 11}, 1 << ZONE_POSTAL_CODE},
    {{"state", 5}, 1 << ZONE_STATE},
    {{"contact", 7}, 1 << ZONE_CONTACT},
    {.word = {0}},
};
static const struct ruleset_word types[] = {
    {{"contact_times", 13}, VERDICT_CONTACT_TIMES},
    {{"contact_dates", 13}, VERDICT_CONTACT_DATES},
    {{"location", 8}, VERDICT_LOCATION},
    {{"line_type", 9}, VERDICT_LINE_TYPE},
    {{"attempts", 8}, VERDICT_ATTEMPTS},
    {{"custom", 6}, VERDICT_CUSTOM},
    {{"external", 8}, VERDICT_EXTERNAL},
    {{"emergency", 9}, VERDICT_EMERGENCY},
    {{"freshness", 9}, VERDICT_FRESHNESS},
    {{"suppression", 11}, VERDICT_SUPPRESSION},
    {.word = {0}},
};
static const struct ruleset_word modes[] = {{{"enforce", 7}, 0}, {{"shadow", 6}, 1}, {.word = {0}}};
static const struct ruleset_word line_types[] = {
    {{"landline", 8}, 1 << LINE_LANDLINE},
    {{"wireless", 8}, 1 << LINE_WIRELESS},
    {{"voip", 4}, 1 << LINE_VOIP},
    {.word = {0}},
};
static const struct ruleset_word count_bys[] = {{{"device", 6}, COUNT_BY_DEVICE},
                                                {{"client", 6}, COUNT_BY_CLIENT},
                                                {{"both", 4}, COUNT_BY_BOTH},
                                                {.word = {0}}};
static const struct ruleset_word scopes[] = {{{"tenant", 6}, 0}, {{"group", 5}, 1}, {.word = {0}}};

static void take_url(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct rule *rule = into;
    bool external = rule->type == VERDICT_EXTERNAL;
    struct str url;
    bool good;

    if (!ruleset_is(r, v, JSON_STRING, "text")) return;
    url = ruleset_keep(r, v);
    good = url.size > 0 && url.size <= 2048;
    if (external)
        good = good && ((str_starts(url, STR("http://")) && url.size > 7) ||
                        (str_starts(url, STR("https://")) && url.size > 8));
    // a service is asked at its address, a source is read by people
    for (size_t i = 0; i < url.size; i++) {
        unsigned char c = (unsigned char)url.ptr[i];

        good &= c > ' ' && c != 0x7f && (c < 0x7f || !external);
    }
    if (!good)
        ruleset_fail(r, external ? "must be an address that begins with http:// or https://"
                                 : "must be an address, 1 to 2048 bytes without spaces");
    else if (external)
        rule->external.url = url;
    else
        rule->url = url;
}

static void take_expression(struct ruleset_reader *r, void *into, struct json_value v)
{
    uint16_t *expr = into;
    struct expr_error error = {0};
    struct str text;
    int n;

    if (!ruleset_is(r, v, JSON_STRING, "an expression in quotes")) return;
    // told at the end; the pool looks for each name among those it has, so it must stay small
    if (ruleset_expr_full(r->set)) return;
    text = ruleset_keep(r, v);
    n = expr_compile(&r->set->expr, text, &error);
    if (n == ERR_NOMEM) {
        r->err = ERR_NOMEM;
    } else if (n == ERR_FULL) {
        ruleset_fail(r, "the expressions of a rule set can hold no more than this; shorten some");
    } else if (n < 0) {
        ruleset_fail(r, "line %u, column %u: %s", error.line, error.column, error.text);
    } else {
        *expr = (uint16_t)n;
    }
}

static void take_period(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct rule_attempts *a = into;
    char scratch[RULESET_PEEK_BYTES];
    struct str text = ruleset_peek(v, scratch, sizeof scratch);
    uint64_t n = 0;

    if (v.type != JSON_STRING) text = STR("");
    if (str_eq(text, STR("today"))) {
        a->period_kind = PERIOD_DAYS;
        a->period = 1;
    } else if (text.size > 2 && str_eq(str_make(text.ptr + text.size - 2, 2), STR("cd")) &&
               str_to_u64(str_make(text.ptr, text.size - 2), &n) && n && n <= PERIOD_DAYS_MAX) {
        a->period_kind = PERIOD_DAYS;
        a->period = (uint32_t)n;
    } else if (ruleset_length(text, "mhd", &n) && n && n <= PERIOD_DAYS_MAX * 86400u) {
        a->period_kind = PERIOD_SLIDING;
        a->period = (uint32_t)n;
    } else {
        ruleset_fail(r,
                     "must be \"today\", <n>m, <n>h, <n>d (sliding) or <n>cd (calendar days), "
                     "at most %u days",
                     PERIOD_DAYS_MAX);
    }
}

static void take_result(struct ruleset_reader *r, void *into, struct json_value v)
{
    uint64_t *set = into;
    char scratch[RULESET_PEEK_BYTES];
    struct str name = ruleset_peek(v, scratch, sizeof scratch);
    unsigned number;
    int64_t n;

    if (v.type == JSON_STRING && call_result_find(name, &number)) {
        *set |= call_result_bit(number);
    } else if (json_to_i64(v, &n) && n >= 0 && n < CALL_RESULT_OTHER) {
        *set |= call_result_bit(n);
    } else if (v.type == JSON_STRING) {
        ruleset_fail(r,
                     "unknown call result \"%.*s\"; use a name like \"No Answer\" or a number "
                     "from 0 to %d",
                     RULESET_CLIP(name), CALL_RESULT_OTHER - 1);
    } else {
        ruleset_fail(r, "must be the name of a call result or a number from 0 to %d",
                     CALL_RESULT_OTHER - 1);
    }
}

static void take_results(struct ruleset_reader *r, void *into, struct json_value v)
{
    uint64_t set = 0;

    ruleset_each(r, v, 1, RESULTS_MAX, take_result, &set);
    memcpy(into, &set, sizeof set);
}

static void take_disposition(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct rule_slice *slice = into;
    struct str text = v.type == JSON_STRING ? ruleset_keep(r, v) : STR("");
    uint32_t number = attempt_word(text), *word;
    struct str *word_text;
    unsigned texts = r->set->word_count;

    if (!number) {
        ruleset_fail(r, "must be a text that is not empty");
        return;
    }
    word = ruleset_push(r, &r->set->word, &r->set->word_count, sizeof *word, "dispositions");
    if (!word) return;
    word_text = ruleset_push(r, &r->set->word_text, &texts, sizeof *word_text, "dispositions");
    if (!word_text) return;
    *word = number;
    *word_text = text;
    slice->count++;
}

static void take_dispositions(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct rule_slice *slice = into;

    *slice = (struct rule_slice){(uint16_t)r->set->word_count, 0};
    ruleset_each(r, v, 1, DISPOSITIONS, take_disposition, slice);
}

static void take_instant(struct ruleset_reader *r, void *into, struct json_value v)
{
    char scratch[RULESET_PEEK_BYTES];
    int64_t ns, s;

    if (v.type != JSON_STRING || !clock_parse(ruleset_peek(v, scratch, sizeof scratch), &ns)) {
        ruleset_fail(r, "must be an instant with its offset, like \"2026-09-01T00:00:00-05:00\"");
        return;
    }
    s = ns / 1000000000 - (ns % 1000000000 < 0);
    memcpy(into, &s, sizeof s);
}

// The name of a list; which one it is, is known when all of them are.
static void take_list(struct ruleset_reader *r, void *into, struct json_value v)
{
    (void)into;
    if (!ruleset_is(r, v, JSON_STRING, "the name of a list")) return;
    r->rule_origin[r->rule].list = ruleset_keep(r, v);
}

enum { ROW_NAME, ROW_TYPE, ROW_TITLE, ROW_CITE, ROW_URL, ROW_VERIFIED }; // of the table below

#define TEXT(word, size, member, most)                                                             \
    {                                                                                              \
        .name = {word, size}, .kind = RULESET_TEXT, .min = 1, .max = most,                         \
        RULESET_INTO(struct rule, member)                                                          \
    }
#define TAKE(word, size, of, needed, fn, at)                                                       \
    {                                                                                              \
        .name = {word, size}, .kind = RULESET_TAKE, .types = of, .required = needed, .take = fn,   \
        .offset = at                                                                               \
    }
#define BITS(word, size, of, needed, table, member)                                                \
    {                                                                                              \
        .name = {word, size}, .kind = RULESET_WORDS, .types = of, .required = needed,              \
        .words = table, RULESET_INTO(struct rule, member)                                          \
    }
#define WORD(word, size, of, table, member)                                                        \
    {                                                                                              \
        .name = {word, size}, .kind = RULESET_WORD, .types = of, .words = table,                   \
        RULESET_INTO(struct rule, member)                                                          \
    }
#define AT(member) offsetof(struct rule, member)

// `dates` comes before `calendars`: rows are taken in this order.
static const struct ruleset_key keys[] = {
    [ROW_NAME] = {.name = {"name", 4},
                  .kind = RULESET_TEXT,
                  .required = true,
                  .min = 1,
                  .max = NAME_MAX_BYTES,
                  RULESET_INTO(struct rule, name)},
    [ROW_TYPE] = {.name = {"type", 4}, .kind = RULESET_SEEN, .required = true},
    [ROW_TITLE] = TEXT("title", 5, title, WORDS_MAX_BYTES),
    [ROW_CITE] = TEXT("cite", 4, cite, WORDS_MAX_BYTES),
    [ROW_URL] = TAKE("url", 3, 0, false, take_url, 0),
    [ROW_VERIFIED] = TAKE("verified", 8, 0, false, ruleset_verified, AT(verified)),
    TEXT("note", 4, note, WORDS_MAX_BYTES),
    {.name = {"required", 8}, .kind = RULESET_FLAG, RULESET_INTO(struct rule, required)},
    {.name = {"priority", 8},
     .kind = RULESET_NUMBER,
     .max = 1000,
     RULESET_INTO(struct rule, priority)},
    WORD("mode", 4, 0, modes, shadow),
    TAKE("where", 5, 0, false, ruleset_where, AT(where)),
    BITS("channels", 8, 0, false, ruleset_channels, channels),
    BITS("purposes", 8, 0, false, ruleset_purposes, purposes),
    BITS("dialing", 7, 0, false, ruleset_dialings, dialing),
    BITS("zone_from", 9, 0, false, ruleset_sources, zone_from),
    TAKE("unless", 6, 0, false, take_expression, AT(unless)),
    {.name = {"effective_from", 14}, .kind = RULESET_DAY, RULESET_INTO(struct rule, from_day)},
    {.name = {"effective_until", 15}, .kind = RULESET_DAY, RULESET_INTO(struct rule, until_day)},
    {.name = {"call_result", 11},
     .kind = RULESET_NUMBER,
     .max = 999,
     RULESET_INTO(struct rule, call_result)},
    TAKE("windows", 7, BIT(CONTACT_TIMES), true, ruleset_windows, AT(windows)),
    TAKE("dates", 5, BIT(CONTACT_DATES), false, ruleset_dates, AT(dates)),
    TAKE("calendars", 9, BIT(CONTACT_DATES), false, ruleset_calendars, AT(dates)),
    BITS("block", 5, BIT(LINE_TYPE), true, line_types, line_types),
    {.name = {"max", 3},
     .kind = RULESET_NUMBER,
     .types = BIT(ATTEMPTS),
     .required = true,
     .min = 1,
     .max = 1000,
     RULESET_INTO(struct rule, attempts.max)},
    TAKE("period", 6, BIT(ATTEMPTS), true, take_period, AT(attempts)),
    WORD("count_by", 8, BIT(ATTEMPTS), count_bys, attempts.count_by),
    WORD("scope", 5, BIT(ATTEMPTS), scopes, attempts.group_only),
    TAKE("results", 7, BIT(ATTEMPTS), false, take_results, AT(attempts.results)),
    TAKE("dispositions", 12, BIT(ATTEMPTS), false, take_dispositions, AT(attempts.dispositions)),
    {.name = {"per_subject", 11},
     .kind = RULESET_FLAG,
     .types = BIT(ATTEMPTS),
     RULESET_INTO(struct rule, attempts.subject_only)},
    TAKE("counted_where", 13, BIT(ATTEMPTS), false, ruleset_where_counted,
         AT(attempts.counted_where)),
    TAKE("block_if", 8, BIT(CUSTOM), true, take_expression, AT(block_if)),
    {.name = {"timeout_ms", 10},
     .kind = RULESET_NUMBER,
     .types = BIT(EXTERNAL),
     .min = 50,
     .max = 10000,
     RULESET_INTO(struct rule, external.timeout_ms)},
    {.name = {"cache", 5},
     .kind = RULESET_LENGTH,
     .types = BIT(EXTERNAL),
     .max = 86400,
     RULESET_INTO(struct rule, external.cache_s)},
    TAKE("from", 4, BIT(EMERGENCY), false, take_instant, AT(emergency.from_s)),
    TAKE("till", 4, BIT(EMERGENCY), false, take_instant, AT(emergency.till_s)),
    TAKE("list", 4, BIT(FRESHNESS) | BIT(SUPPRESSION), true, take_list, 0),
    {.name = {"max_age", 7},
     .kind = RULESET_LENGTH,
     .types = BIT(FRESHNESS),
     .required = true,
     .min = 1,
     .max = RULESET_AGE_MAX_S,
     RULESET_INTO(struct rule, of_list.max_age_s)},
    {.name = {0}},
};
static_assert(COUNT_OF(keys) <= RULESET_KEYS_MAX, "one bit and one value a row");

static enum verdict_type type_of(struct ruleset_reader *r, const struct ruleset_members *m)
{
    int type;

    if (!(m->present >> ROW_TYPE & 1)) return VERDICT_TYPE_COUNT;
    ruleset_key_push(r, keys[ROW_TYPE].name);
    type = ruleset_word_value(r, types, m->value[ROW_TYPE]);
    ruleset_pop(r);
    return type < 0 ? VERDICT_TYPE_COUNT : (enum verdict_type)type;
}

static void set_defaults(struct rule *rule, enum verdict_type type)
{
    rule->type = type;
    rule->priority = 100;
    rule->channels = rule->purposes = rule->dialing = RULE_ANY;
    rule->from_day = RULE_DAY_FIRST;
    rule->until_day = RULE_DAY_LAST;
    rule->unless = RULE_EXPR_NONE;
    ruleset_where_any(&rule->where);
    if (type == VERDICT_TYPE_COUNT) return;
    rule->call_result = verdict_type_call_result(type);
    if (type == VERDICT_ATTEMPTS) {
        rule->attempts.results = call_result_default_set();
        ruleset_where_any(&rule->attempts.counted_where);
    } else if (type == VERDICT_EXTERNAL) {
        rule->external.timeout_ms = 500;
        rule->external.cache_s = 60;
    } else if (type == VERDICT_EMERGENCY) {
        rule->emergency.from_s = INT64_MIN;
        rule->emergency.till_s = INT64_MAX;
    } else if (type == VERDICT_CUSTOM) {
        rule->block_if = RULE_EXPR_NONE;
    }
}

static bool has(const struct ruleset_members *m, const char *name)
{
    for (int i = 0; keys[i].name.ptr; i++)
        if (m->present >> i & 1 && str_eq(keys[i].name, str_of(name))) return true;
    return false;
}

// What keys of one type say together.
static void check_type(struct ruleset_reader *r, const struct ruleset_members *m,
                       const struct rule *rule)
{
    switch (rule->type) {
    case VERDICT_CONTACT_DATES:
        if (!has(m, "calendars") && rule->dates.count == 0 && !has(m, "dates"))
            ruleset_fail(r, "has neither \"dates\" nor \"calendars\"; it needs one of them");
        else if (!has(m, "calendars") && rule->dates.count == 0)
            ruleset_fail(r, "has no date that could ever block; name one or take the rule away");
        break;
    case VERDICT_LOCATION:
        if (!has(m, "where")) ruleset_fail(r, "has no \"where\", which a location rule must have");
        break;
    case VERDICT_ATTEMPTS:
        if (has(m, "results") && has(m, "dispositions"))
            ruleset_fail(r, "has \"results\" and \"dispositions\"; keep one of them");
        break;
    case VERDICT_EXTERNAL:
        if (!has(m, "url")) ruleset_fail(r, "has no \"url\", which an external rule must have");
        break;
    case VERDICT_EMERGENCY:
        if (!has(m, "from") && !has(m, "till"))
            ruleset_fail(r, "has neither \"from\" nor \"till\"; it needs one of them");
        else if (rule->emergency.from_s >= rule->emergency.till_s)
            ruleset_fail(r, "ends before it begins; \"till\" must be later than \"from\"");
        break;
    default:
        break;
    }
}

static void check_pack_words(struct ruleset_reader *r, const struct ruleset_members *m)
{
    static const uint8_t words[] = {ROW_TITLE, ROW_CITE, ROW_URL, ROW_VERIFIED};

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (!(m->present >> words[i] & 1))
            ruleset_fail(r, "has no \"%.*s\", which a rule of a pack must have",
                         STR_ARG(keys[words[i]].name));
}

static void claim_name(struct ruleset_reader *r, struct str name)
{
    int other;

    if (!name.ptr) return;
    other = ruleset_names_add(&r->own->rule_names, name, r->rule);
    if (other == ERR_NOMEM) r->err = ERR_NOMEM;
    if (other < 0) return;
    ruleset_key_push(r, keys[ROW_NAME].name);
    if (r->set->rule[other].pack.ptr)
        ruleset_fail(r, "a rule of pack \"%.*s\" has this name; choose another",
                     RULESET_CLIP(r->set->rule[other].pack));
    else
        ruleset_fail(r, "rule %u has this name; choose another", r->rule_origin[other].index);
    ruleset_pop(r);
}

static void take_rule(struct ruleset_reader *r, unsigned index, const struct ruleset_members *m)
{
    enum verdict_type type = type_of(r, m);
    struct ruleset_origin *origin;
    struct rule *rule;

    if (r->set->rule_count == RULESET_RULES_MAX) {
        ruleset_fail(r, "is one rule more than a rule set can have with its packs (%d)",
                     RULESET_RULES_MAX);
        return;
    }
    rule = ruleset_push(r, &r->set->rule, &r->set->rule_count, sizeof *rule, "rules");
    if (!rule) return;
    origin = ruleset_push(r, &r->rule_origin, &r->rule_origin_count, sizeof *origin, "rules");
    if (!origin) {
        r->set->rule_count--;
        return;
    }
    r->rule = r->set->rule_count - 1;
    *origin = (struct ruleset_origin){.pack = r->pack ? (uint8_t)r->pack_index : RULESET_SOURCE,
                                      .index = (uint16_t)index};
    set_defaults(rule, type);
    ruleset_take(r, keys, m, rule, type);
    if (type != VERDICT_TYPE_COUNT) check_type(r, m, rule);
    if (rule->from_day > rule->until_day)
        ruleset_fail(r, "is never in force: \"effective_until\" is before \"effective_from\"");
    if (r->pack) {
        rule->pack = r->pack_name;
        check_pack_words(r, m);
        if (!rule->verified.ptr && !r->set->enforce_unverified) rule->shadow = true;
        if (r->alone) rule->shadow = false;
    }
    claim_name(r, rule->name);
}

void ruleset_rules(struct ruleset_reader *r, struct json_value v)
{
    ruleset_each_object(r, v, RULESET_RULES_MAX, keys, take_rule);
}
