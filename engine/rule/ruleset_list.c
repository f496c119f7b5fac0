// SPDX-License-Identifier: Apache-2.0
#include "engine/base/check.h"
#include "engine/base/limits.h"
#include "engine/rule/ruleset_read.h"

#define WORDS_MAX_BYTES 4096

static const struct ruleset_word kinds[] = {
    {{"device", 6}, 'd'}, {{"client", 6}, 'c'}, {{"email", 5}, 'e'}, {.word = {0}}};

bool ruleset_list_name(struct str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = str_lower(name.ptr[i]);

        if (!str_is_digit(c) && (c < 'a' || c > 'z') && (i == 0 || !strchr("._-", c) || !c))
            return false;
    }
    return name.size > 0 && name.size <= LIMIT_NAME_BYTES;
}

static void take_name(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct str name = v.type == JSON_STRING ? ruleset_keep(r, v) : STR("");

    if (ruleset_list_name(name))
        memcpy(into, &name, sizeof name);
    else
        ruleset_fail(r,
                     "must be the name of a list: 1 to %d letters, digits, '.', '_' and '-', "
                     "the first a letter or digit",
                     LIMIT_NAME_BYTES);
}

void ruleset_verified(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct str day = v.type == JSON_STRING ? ruleset_keep(r, v) : STR("");
    int32_t number;

    if (v.type == JSON_NULL) return;
    if (calendar_parse_day(day, &number))
        memcpy(into, &day, sizeof day);
    else
        ruleset_fail(r, "must be the day when somebody read the source, like \"2026-09-30\", or "
                        "null");
}

#define TEXT(word, size, member)                                                                   \
    {                                                                                              \
        .name = {word, size}, .kind = RULESET_TEXT, .min = 1, .max = WORDS_MAX_BYTES,              \
        RULESET_INTO(struct ruleset_list, member)                                                  \
    }

static const struct ruleset_key keys[] = {
    {.name = {"name", 4},
     .kind = RULESET_TAKE,
     .required = true,
     .take = take_name,
     RULESET_INTO(struct ruleset_list, name)},
    {.name = {"kind", 4},
     .kind = RULESET_WORD,
     .words = kinds,
     RULESET_INTO(struct ruleset_list, kind)},
    {.name = {"channels", 8},
     .kind = RULESET_WORDS,
     .words = ruleset_channels,
     RULESET_INTO(struct ruleset_list, channels)},
    {.name = {"required", 8}, .kind = RULESET_FLAG, RULESET_INTO(struct ruleset_list, required)},
    {.name = {"max_age", 7},
     .kind = RULESET_LENGTH,
     .min = 1,
     .max = RULESET_AGE_MAX_S,
     RULESET_INTO(struct ruleset_list, max_age_s)},
    TEXT("cite", 4, cite),
    TEXT("url", 3, url),
    TEXT("note", 4, note),
    {.name = {"verified", 8},
     .kind = RULESET_TAKE,
     .take = ruleset_verified,
     RULESET_INTO(struct ruleset_list, verified)},
    {.name = {0}},
};

// Both declare it: the stricter of each property, the words of who came first (the document).
static void join(struct ruleset_reader *r, struct ruleset_list *into,
                 const struct ruleset_list *more)
{
    if (into->kind && more->kind && into->kind != more->kind) {
        ruleset_key_push(r, STR("kind"));
        ruleset_fail(r, "list \"%.*s\" is declared with another kind as well",
                     RULESET_CLIP(more->name));
        ruleset_pop(r);
    }
    if (!into->kind) into->kind = more->kind;
    into->required |= more->required;
    into->channels |= more->channels;
    if (more->max_age_s && (!into->max_age_s || more->max_age_s < into->max_age_s))
        into->max_age_s = more->max_age_s;
    if (!into->pack.ptr) into->pack = more->pack;
    if (!into->cite.ptr) into->cite = more->cite;
    if (!into->url.ptr) into->url = more->url;
    if (!into->note.ptr) into->note = more->note;
    if (!into->verified.ptr) into->verified = more->verified;
}

static void take_list(struct ruleset_reader *r, unsigned index, const struct ruleset_members *m)
{
    struct ruleset_list list = {.channels = RULE_ANY, .pack = r->pack_name}, *row;
    struct str *name;
    int other;

    (void)index;
    ruleset_take(r, keys, m, &list, VERDICT_NONE);
    if (!list.name.ptr || r->err) return;
    other = ruleset_names_find(&r->list_names, list.name);
    if (other >= 0) {
        row = &r->set->list[other];
        if (str_eq(row->pack, list.pack) && (!r->pack) == (!row->pack.ptr)) {
            ruleset_key_push(r, STR("name"));
            ruleset_fail(r, "another list has this name");
            ruleset_pop(r);
        } else {
            join(r, row, &list);
        }
        return;
    }
    if (r->set->list_count == RULESET_LISTS_MAX) {
        ruleset_fail(r, "is one list more than a rule set can have with its packs (%d)",
                     RULESET_LISTS_MAX);
        return;
    }
    if (ruleset_names_add(&r->list_names, list.name, r->set->list_count) == ERR_NOMEM) {
        r->err = ERR_NOMEM;
        return;
    }
    row = ruleset_push(r, &r->set->list, &r->set->list_count, sizeof *row, "lists");
    if (row) *row = list;
    name = ruleset_push(r, &r->set->list_name, &r->set->list_name_count, sizeof *name, "lists");
    if (name) *name = list.name;
}

void ruleset_lists(struct ruleset_reader *r, struct json_value v)
{
    ruleset_each_object(r, v, RULESET_LISTS_MAX, keys, take_list);
}
