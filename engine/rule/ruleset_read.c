// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/ruleset_read.h"

#include <stdio.h>

#include "engine/base/check.h"
#include "engine/base/limits.h"
#include "engine/base/utf8.h"

#define VERSION_MAX_BYTES 64
#define TITLE_MAX_BYTES   256
#define FIELD_MAX_BYTES   64
#define GROUP_MAX_BYTES   256
#define SYNTAX_LEVELS     4

// -- tenant ------------------------------------------------------------------------------------

static const struct ruleset_word unknowns[] = {
    {{"intersect", 9}, 0}, {{"default", 7}, 1}, {.word = {0}}};
static const struct ruleset_word unverifieds[] = {
    {{"shadow", 6}, 0}, {{"enforce", 7}, 1}, {.word = {0}}};

static void take_country(struct ruleset_reader *r, void *into, struct json_value v)
{
    char scratch[RULESET_PEEK_BYTES];
    struct str code = ruleset_peek(v, scratch, sizeof scratch);
    uint16_t country = 0;

    if (v.type == JSON_STRING && code.size == 2)
        country = (uint16_t)places_country(r->places, code);
    if (country)
        memcpy(into, &country, sizeof country);
    else
        ruleset_fail(r, "must be a country's ISO 3166 alpha-2 code, like \"US\"");
}

static void take_zone(struct ruleset_reader *r, void *into, struct json_value v)
{
    char scratch[RULESET_PEEK_BYTES];
    struct str name = ruleset_peek(v, scratch, sizeof scratch);
    uint16_t zone = ZONES_NONE;

    if (v.type == JSON_STRING) zone = zones_find(r->zones, name);
    if (zone != ZONES_NONE)
        memcpy(into, &zone, sizeof zone);
    else
        ruleset_fail(r, "must be a time zone that tzdata knows, like \"America/New_York\"");
}

static bool is_field_name(struct str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = str_lower(name.ptr[i]);

        if ((c < 'a' || c > 'z') && c != '_' && (i == 0 || !str_is_digit(c))) return false;
    }
    return name.size > 0 && name.size <= FIELD_MAX_BYTES;
}

static void take_field(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct str name = v.type == JSON_STRING ? ruleset_keep(r, v) : STR("");

    if (is_field_name(name))
        memcpy(into, &name, sizeof name);
    else
        ruleset_fail(r,
                     "must be the name of a field without \"$\": letters, digits and \"_\", at "
                     "most %d, no digit first",
                     FIELD_MAX_BYTES);
}

#define INTO(member) RULESET_INTO(struct ruleset, member)

static const struct ruleset_key tenant_keys[] = {
    {.name = {"name", 4}, .kind = RULESET_TEXT, .max = TITLE_MAX_BYTES, INTO(tenant_name)},
    {.name = {"default_country", 15},
     .kind = RULESET_TAKE,
     .take = take_country,
     INTO(default_country)},
    {.name = {"default_zone", 12}, .kind = RULESET_TAKE, .take = take_zone, INTO(default_zone)},
    {.name = {"zone_unknown", 12},
     .kind = RULESET_WORD,
     .words = unknowns,
     INTO(unknown_is_default)},
    {.name = {"zone_from", 9}, .kind = RULESET_WORDS, .words = ruleset_sources, INTO(zone_from)},
    {.name = {"unverified_rules", 16},
     .kind = RULESET_WORD,
     .words = unverifieds,
     INTO(enforce_unverified)},
    {.name = {"purpose", 7}, .kind = RULESET_WORD, .words = ruleset_purposes, INTO(purposes)},
    {.name = {"dialing", 7}, .kind = RULESET_WORD, .words = ruleset_dialings, INTO(dialing)},
    {.name = {"subject_field", 13}, .kind = RULESET_TAKE, .take = take_field, INTO(subject_field)},
    {.name = {"disposition_field", 17},
     .kind = RULESET_TAKE,
     .take = take_field,
     INTO(disposition_field)},
    {.name = {"reserve", 7}, .kind = RULESET_LENGTH, .min = 1, .max = 600, INTO(reserve_s)},
    {.name = {0}},
};

static void take_tenant(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct ruleset_members m;
    unsigned errors = r->errors->count;

    (void)into;
    if (!ruleset_collect_value(r, v, tenant_keys, &m)) return;
    ruleset_take(r, tenant_keys, &m, r->set, VERDICT_NONE);
    if (r->set->unknown_is_default && r->set->default_zone == ZONES_NONE &&
        r->errors->count == errors)
        ruleset_fail(r, "has \"zone_unknown\": \"default\" and no \"default_zone\"; add one");
}

// -- packs -------------------------------------------------------------------------------------

void ruleset_read_pack(struct ruleset_reader *r, const struct pack *pack, unsigned index)
{
    struct json_value v = {.type = JSON_ARRAY};

    if (r->depth) ruleset_leave(r, "pack", pack->name);
    r->pack = pack;
    r->pack_index = index;
    r->pack_name = ruleset_keep(r, (struct json_value){.type = JSON_STRING, .text = pack->name});
    if (pack->lists.ptr) {
        v.text = pack->lists;
        ruleset_key_push(r, STR("lists"));
        ruleset_lists(r, v);
        ruleset_pop(r);
    }
    if (pack->rules.ptr) {
        v.text = pack->rules;
        ruleset_key_push(r, STR("rules"));
        ruleset_rules(r, v);
        ruleset_pop(r);
    }
    r->pack = NULL;
    r->pack_name = (struct str){0};
    r->leaves = 0;
}

static void take_pack(struct ruleset_reader *r, void *into, struct json_value v)
{
    char scratch[RULESET_PEEK_BYTES], known[120];
    struct str name = ruleset_peek(v, scratch, sizeof scratch);
    const struct pack *pack;
    uint64_t *seen = into;
    struct buf b;

    if (!ruleset_is(r, v, JSON_STRING, "the name of a pack")) return;
    pack = packs_find(r->packs, name);
    if (!pack) {
        buf_wrap(&b, known, sizeof known);
        for (unsigned i = 0; i < packs_count(r->packs); i++)
            buf_printf(&b, "%s%.*s", i ? ", " : "", STR_ARG(packs_at(r->packs, i)->name));
        ruleset_fail(r, "no pack \"%.*s\"; there are: %.*s", RULESET_CLIP(name),
                     STR_ARG(buf_view(&b)));
        return;
    }
    for (unsigned i = 0; i < packs_count(r->packs); i++) {
        if (packs_at(r->packs, i) != pack) continue;
        if (*seen >> i & 1)
            ruleset_fail(r, "this pack is named twice; keep one");
        else
            ruleset_read_pack(r, pack, r->path[r->depth - 1].index);
        *seen |= UINT64_C(1) << i;
    }
}

static void take_packs(struct ruleset_reader *r, void *into, struct json_value v)
{
    uint64_t seen = 0;

    (void)into;
    ruleset_each(r, v, 0, PACKS_MAX, take_pack, &seen);
}

// -- plans -------------------------------------------------------------------------------------

static void take_use(struct ruleset_reader *r, struct json_value v, bool is_list)
{
    struct ruleset *set = r->set;
    struct ruleset_use *use;
    uint16_t *number;

    if (!ruleset_is(r, v, JSON_STRING, is_list ? "the name of a list" : "the name of a rule"))
        return;
    use = is_list ? ruleset_push(r, &r->list_use, &r->list_use_count, sizeof *use, "plan lists")
                  : ruleset_push(r, &r->rule_use, &r->rule_use_count, sizeof *use, "plan rules");
    if (!use) return;
    *use = (struct ruleset_use){ruleset_keep(r, v), (uint16_t)r->path[1].index,
                                (uint16_t)r->path[r->depth - 1].index};
    number = is_list ? ruleset_push(r, &set->named_list, &set->named_list_count, sizeof *number,
                                    "plan lists")
                     : ruleset_push(r, &set->named_rule, &set->named_rule_count, sizeof *number,
                                    "plan rules");
    if (!number) return;
    if (is_list)
        set->plan[r->plan].lists.count++;
    else
        set->plan[r->plan].rules.count++;
}

static void take_list_use(struct ruleset_reader *r, void *into, struct json_value v)
{
    (void)into;
    take_use(r, v, true);
}

static void take_rule_use(struct ruleset_reader *r, void *into, struct json_value v)
{
    (void)into;
    take_use(r, v, false);
}

static void take_plan_lists(struct ruleset_reader *r, void *into, struct json_value v)
{
    ruleset_each(r, v, 0, RULESET_LISTS_MAX, take_list_use, into);
}

static void take_plan_rules(struct ruleset_reader *r, void *into, struct json_value v)
{
    ruleset_each(r, v, 0, RULESET_RULES_MAX, take_rule_use, into);
}

static void take_group(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct str name;
    int other;

    if (!ruleset_is(r, v, JSON_STRING, "the name of a campaign group")) return;
    name = str_trim(ruleset_keep(r, v));
    if (name.size == 0 || name.size > GROUP_MAX_BYTES) {
        ruleset_fail(r, "must be the name of a campaign group, 1 to %d bytes", GROUP_MAX_BYTES);
        return;
    }
    memcpy(into, &name, sizeof name);
    other = ruleset_names_add(&r->plan_names, name, r->path[1].index);
    if (other == ERR_NOMEM) r->err = ERR_NOMEM;
    if (other >= 0) ruleset_fail(r, "plan %d is for this campaign group already", other);
}

#define PLAN(member) RULESET_INTO(struct ruleset_plan, member)

static const struct ruleset_key plan_keys[] = {
    {.name = {"campaign_group", 14},
     .kind = RULESET_TAKE,
     .required = true,
     .take = take_group,
     PLAN(campaign_group)},
    {.name = {"lists", 5}, .kind = RULESET_TAKE, .take = take_plan_lists, PLAN(lists)},
    {.name = {"rules", 5}, .kind = RULESET_TAKE, .take = take_plan_rules, PLAN(rules)},
    {.name = {"zone_from", 9}, .kind = RULESET_WORDS, .words = ruleset_sources, PLAN(zone_from)},
    {.name = {"purpose", 7}, .kind = RULESET_WORD, .words = ruleset_purposes, PLAN(purposes)},
    {.name = {"dialing", 7}, .kind = RULESET_WORD, .words = ruleset_dialings, PLAN(dialing)},
    {.name = {0}},
};

static void take_plan(struct ruleset_reader *r, unsigned index, const struct ruleset_members *m)
{
    struct ruleset_plan *plan =
        ruleset_push(r, &r->set->plan, &r->set->plan_count, sizeof *plan, "plans");

    (void)index;
    if (!plan) return;
    r->plan = r->set->plan_count - 1;
    plan->lists.first = (uint16_t)r->set->named_list_count;
    plan->rules.first = (uint16_t)r->set->named_rule_count;
    ruleset_take(r, plan_keys, m, plan, VERDICT_NONE);
}

static void take_plans(struct ruleset_reader *r, void *into, struct json_value v)
{
    (void)into;
    ruleset_each_object(r, v, RULESET_PLANS_MAX, plan_keys, take_plan);
}

// -- the document ------------------------------------------------------------------------------

static void take_lists(struct ruleset_reader *r, void *into, struct json_value v)
{
    (void)into;
    ruleset_lists(r, v);
}

static void take_rules(struct ruleset_reader *r, void *into, struct json_value v)
{
    (void)into;
    ruleset_rules(r, v);
}

// In this order: packs look at the tenant; the document's words about a list come before theirs,
// its rules after theirs, so that the document is told of a name that is taken.
static const struct ruleset_key root_keys[] = {
    {.name = {"version", 7},
     .kind = RULESET_TEXT,
     .required = true,
     .min = 1,
     .max = VERSION_MAX_BYTES,
     INTO(version)},
    {.name = {"tenant", 6}, .kind = RULESET_TAKE, .take = take_tenant},
    {.name = {"lists", 5}, .kind = RULESET_TAKE, .take = take_lists},
    {.name = {"packs", 5}, .kind = RULESET_TAKE, .take = take_packs},
    {.name = {"rules", 5}, .kind = RULESET_TAKE, .take = take_rules},
    {.name = {"plans", 5}, .kind = RULESET_TAKE, .take = take_plans},
    {.name = {0}},
};

// The innermost place that can be named without reading the text again and again.
static const char *place_of_syntax(struct str text)
{
    struct json j = json_start(text, RULESET_DEPTH);
    struct json_value key, v;
    enum json_type type;

    for (int level = 0; level < SYNTAX_LEVELS; level++) {
        type = json_enter(&j);
        if (type == JSON_NONE) break;
        if (type == JSON_OBJECT)
            while (json_member(&j, &key, &v)) continue;
        else
            while (json_element(&j, &v)) continue;
        j = json_start(str_make(j.at, (size_t)(j.end - j.at)), RULESET_DEPTH);
    }
    return j.at;
}

static void fail_syntax(struct ruleset_reader *r, const struct json *j)
{
    unsigned line = 1, column = 1;
    const char *at = j->error == JSON_SYNTAX ? place_of_syntax(r->set->text) : j->at;

    if (!j->failed) at = r->set->text.ptr + utf8_good(r->set->text.ptr, r->set->text.size);
    if (j->error == JSON_DEPTH) {
        ruleset_fail(r, "is nested deeper than a rule set can be (%d levels)", RULESET_DEPTH);
        return;
    }
    for (const char *p = r->set->text.ptr; p < at; p++) {
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
    }
    if (!j->failed)
        ruleset_fail(r, "is not UTF-8: line %u, column %u", line, column);
    else if (j->error == JSON_TRAILING)
        ruleset_fail(r, "something follows the end of the document, line %u, column %u", line,
                     column);
    else
        ruleset_fail(r, "is no JSON: line %u, column %u", line, column);
}

// Collecting the members of the root reads the whole text: nothing is taken of what is not JSON,
// and nothing below can fail for that reason.
void ruleset_read(struct ruleset_reader *r)
{
    struct json j = json_start(r->set->text, RULESET_DEPTH);
    unsigned count = r->errors->count, shown = r->errors->shown;
    struct ruleset_members m;
    bool collected = ruleset_collect(r, &j, root_keys, &m);

    if (j.failed || !json_end(&j) ||
        utf8_good(r->set->text.ptr, r->set->text.size) < r->set->text.size) {
        r->errors->count = count; // why it is no JSON text is all that counts then
        r->errors->shown = shown;
        fail_syntax(r, &j);
    } else if (collected) {
        ruleset_take(r, root_keys, &m, r->set, VERDICT_NONE);
    }
}
