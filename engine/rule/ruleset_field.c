// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "engine/base/check.h"
#include "engine/rule/ruleset_read.h"

#define WORDS_MAX 16 // members of an array of words; no table has as many

static enum json_type type_ahead(struct json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t'))
        j->at++;
    if (j->at == j->end) return JSON_NONE;
    return *j->at == '{' ? JSON_OBJECT : *j->at == '[' ? JSON_ARRAY : JSON_STRING;
}

bool ruleset_is(struct ruleset_reader *r, struct json_value v, enum json_type type,
                const char *wanted)
{
    if (v.type == type) return true;
    ruleset_fail(r, "must be %s", wanted);
    return false;
}

// How many letters differ, roughly: enough to see a slip of the hand.
static unsigned distance(struct str a, struct str b)
{
    unsigned row[32], above, last;

    if (a.size >= COUNT_OF(row) || b.size >= COUNT_OF(row)) return COUNT_OF(row);
    for (unsigned k = 0; k <= b.size; k++) row[k] = k;
    for (unsigned i = 1; i <= a.size; i++) {
        last = row[0];
        row[0] = i;
        for (unsigned k = 1; k <= b.size; k++) {
            unsigned best = last + (str_lower(a.ptr[i - 1]) != str_lower(b.ptr[k - 1]));

            above = row[k];
            if (above + 1 < best) best = above + 1;
            if (row[k - 1] + 1 < best) best = row[k - 1] + 1;
            row[k] = best;
            last = above;
        }
    }
    return row[b.size];
}

static void fail_unknown(struct ruleset_reader *r, const struct ruleset_key *keys, struct str key)
{
    struct str close = {0};
    unsigned best = 3; // more than two letters off is another word

    if (r->errors->shown == RULESET_ERRORS_MAX) { // a document of nothing else must not take long
        ruleset_fail(r, "unknown key");
        return;
    }
    for (; keys->name.ptr; keys++) {
        unsigned d = distance(key, keys->name);

        if (d >= best) continue;
        best = d;
        close = keys->name;
    }
    if (close.ptr)
        ruleset_fail(r, "unknown key; did you mean \"%.*s\"?", STR_ARG(close));
    else
        ruleset_fail(r, "unknown key");
}

static int find_key(const struct ruleset_key *keys, struct str name)
{
    // the first letter tells most of them apart without a call
    for (int i = 0; name.size && keys[i].name.ptr; i++)
        if (keys[i].name.ptr[0] == name.ptr[0] && str_eq(keys[i].name, name)) return i;
    return -1;
}

static void collect_member(struct ruleset_reader *r, const struct ruleset_key *keys,
                           struct ruleset_members *m, struct json_value key, struct json_value v)
{
    char scratch[RULESET_PEEK_BYTES];
    struct str name = ruleset_peek(key, scratch, sizeof scratch);
    int row = find_key(keys, name);

    ruleset_key_push(r, name);
    if (row < 0)
        fail_unknown(r, keys, name);
    else if (m->present >> row & 1)
        ruleset_fail(r, "this key comes twice in its object; keep one");
    else
        m->value[row] = v;
    if (row >= 0) m->present |= UINT64_C(1) << row;
    ruleset_pop(r);
}

bool ruleset_collect(struct ruleset_reader *r, struct json *j, const struct ruleset_key *keys,
                     struct ruleset_members *m)
{
    struct json_value key, v;

    m->present = 0;
    if (type_ahead(j) != JSON_OBJECT) {
        json_value(j, &v);
        ruleset_fail(r, "must be an object, {\"%.*s\": …}", STR_ARG(keys[0].name));
        return false;
    }
    json_enter(j);
    while (json_member(j, &key, &v)) collect_member(r, keys, m, key, v);
    j->first = false;
    return true;
}

bool ruleset_collect_value(struct ruleset_reader *r, struct json_value v,
                           const struct ruleset_key *keys, struct ruleset_members *m)
{
    struct json j = json_start(v.text, RULESET_DEPTH);

    if (v.type == JSON_OBJECT) return ruleset_collect(r, &j, keys, m);
    m->present = 0;
    ruleset_fail(r, "must be an object, {\"%.*s\": …}", STR_ARG(keys[0].name));
    return false;
}

int ruleset_word_value(struct ruleset_reader *r, const struct ruleset_word *words,
                       struct json_value v)
{
    char scratch[RULESET_PEEK_BYTES], list[160];
    struct str word = ruleset_peek(v, scratch, sizeof scratch);
    struct buf b;

    for (const struct ruleset_word *w = words; v.type == JSON_STRING && w->word.ptr; w++)
        if (str_eq(w->word, word)) return w->value;
    buf_wrap(&b, list, sizeof list);
    for (const struct ruleset_word *w = words; w->word.ptr; w++)
        buf_printf(&b, "%s\"%.*s\"",
                   w == words      ? ""
                   : w[1].word.ptr ? ", "
                                   : " or ",
                   STR_ARG(w->word));
    ruleset_fail(r, "must be %.*s", STR_ARG(buf_view(&b)));
    return -1;
}

bool ruleset_length(struct str text, const char *units, uint64_t *ret_s)
{
    static const struct {
        char unit;
        uint32_t s;
    } known[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    uint64_t n;

    if (text.size < 2 || text.size > 10 || !strchr(units, text.ptr[text.size - 1])) return false;
    if (!str_to_u64(str_make(text.ptr, text.size - 1), &n)) return false;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (known[i].unit == text.ptr[text.size - 1]) *ret_s = n * known[i].s;
    return true;
}

static void take_text(struct ruleset_reader *r, const struct ruleset_key *key, void *into,
                      struct json_value v)
{
    struct str text;

    if (!ruleset_is(r, v, JSON_STRING, "text")) return;
    text = ruleset_keep(r, v);
    if (text.size < key->min)
        ruleset_fail(r, "must not be empty");
    else if (text.size > key->max)
        ruleset_fail(r, "has %zu bytes, at most %u are allowed", text.size, key->max);
    else
        memcpy(into, &text, sizeof text);
}

static void take_number(struct ruleset_reader *r, const struct ruleset_key *key, void *into,
                        struct json_value v)
{
    int64_t n;
    uint32_t wide;
    uint16_t narrow;

    if (v.type != JSON_NUMBER || !json_to_i64(v, &n) || n < key->min || n > key->max) {
        ruleset_fail(r, "must be a whole number from %u to %u", key->min, key->max);
        return;
    }
    wide = (uint32_t)n;
    narrow = (uint16_t)n;
    CHECK(key->size_bytes == sizeof wide || key->size_bytes == sizeof narrow);
    memcpy(into, key->size_bytes == sizeof wide ? (void *)&wide : &narrow, key->size_bytes);
}

static void write_length(char *dst, size_t size_bytes, uint32_t s)
{
    if (s && s % 86400 == 0)
        snprintf(dst, size_bytes, "%ud", s / 86400);
    else
        snprintf(dst, size_bytes, "%us", s);
}

static void take_length(struct ruleset_reader *r, const struct ruleset_key *key, void *into,
                        struct json_value v)
{
    char low[16], high[16], scratch[RULESET_PEEK_BYTES];
    uint64_t s;
    uint32_t seconds;

    if (v.type == JSON_STRING &&
        ruleset_length(ruleset_peek(v, scratch, sizeof scratch), "smhd", &s) && s >= key->min &&
        s <= key->max) {
        seconds = (uint32_t)s;
        memcpy(into, &seconds, sizeof seconds);
        return;
    }
    write_length(low, sizeof low, key->min);
    write_length(high, sizeof high, key->max);
    ruleset_fail(r, "must be a length of time from \"%s\" to \"%s\" (<n>s, <n>m, <n>h or <n>d)",
                 low, high);
}

static void take_words(struct ruleset_reader *r, const struct ruleset_key *key, void *into,
                       struct json_value v)
{
    struct json j = json_start(v.text, RULESET_DEPTH);
    struct json_value word;
    uint8_t bits = 0;
    unsigned i = 0;
    int value;

    if (!ruleset_is(r, v, JSON_ARRAY, "an array of words")) return;
    json_enter(&j);
    for (; i < WORDS_MAX && json_element(&j, &word); i++) {
        ruleset_index_push(r, i);
        value = ruleset_word_value(r, key->words, word);
        if (value > 0) bits |= (uint8_t)value;
        ruleset_pop(r);
    }
    if (i == 0) ruleset_fail(r, "is empty; name at least one, or leave the key out");
    if (i == WORDS_MAX) ruleset_fail(r, "has too many members; each word is needed once");
    if (bits) memcpy(into, &bits, sizeof bits);
}

// Into a flag, a byte or an enum.
static void take_word(struct ruleset_reader *r, const struct ruleset_key *key, void *into,
                      struct json_value v)
{
    int value = ruleset_word_value(r, key->words, v);
    uint8_t byte = (uint8_t)value;

    if (value < 0) return;
    if (key->size_bytes == sizeof value)
        memcpy(into, &value, sizeof value);
    else
        memcpy(into, &byte, sizeof byte);
}

static void take_one(struct ruleset_reader *r, const struct ruleset_key *key, void *into,
                     struct json_value v)
{
    char scratch[RULESET_PEEK_BYTES];
    int32_t day;
    uint8_t byte;

    switch (key->kind) {
    case RULESET_TEXT:
        take_text(r, key, into, v);
        break;
    case RULESET_FLAG:
        if (!ruleset_is(r, v, JSON_BOOL, "true or false")) break;
        byte = v.text.ptr[0] == 't';
        memcpy(into, &byte, sizeof byte);
        break;
    case RULESET_NUMBER:
        take_number(r, key, into, v);
        break;
    case RULESET_LENGTH:
        take_length(r, key, into, v);
        break;
    case RULESET_WORD:
        take_word(r, key, into, v);
        break;
    case RULESET_WORDS:
        take_words(r, key, into, v);
        break;
    case RULESET_DAY:
        if (v.type == JSON_STRING &&
            calendar_parse_day(ruleset_peek(v, scratch, sizeof scratch), &day))
            memcpy(into, &day, sizeof day);
        else
            ruleset_fail(r, "must be a day that exists, like \"2026-09-01\"");
        break;
    case RULESET_TAKE:
        key->take(r, into, v);
        break;
    case RULESET_SEEN:
        break;
    }
}

// "windows" on a rule of type attempts: whose key is it?
static void fail_other_type(struct ruleset_reader *r, const struct ruleset_key *key,
                            enum verdict_type type)
{
    char list[160];
    struct buf b;

    buf_wrap(&b, list, sizeof list);
    for (unsigned t = 0; t < VERDICT_TYPE_COUNT; t++)
        if (key->types >> t & 1)
            buf_printf(&b, "%s%.*s", b.size_bytes ? " and " : "", STR_ARG(verdict_type_word(t)));
    ruleset_fail(r, "is a key of %.*s rules; this one is of type %.*s", STR_ARG(buf_view(&b)),
                 STR_ARG(verdict_type_word(type)));
}

void ruleset_take(struct ruleset_reader *r, const struct ruleset_key *keys,
                  const struct ruleset_members *m, void *into, enum verdict_type type)
{
    for (unsigned i = 0; keys[i].name.ptr; i++) {
        const struct ruleset_key *key = &keys[i];
        bool fits = !key->types || key->types >> type & 1;

        if (key->types && type == VERDICT_TYPE_COUNT) continue;
        if (m->present >> i & 1) {
            ruleset_key_push(r, key->name);
            if (fits)
                take_one(r, key, (char *)into + key->offset, m->value[i]);
            else
                fail_other_type(r, key, type);
            ruleset_pop(r);
        } else if (key->required && fits) {
            ruleset_fail(r, "has no \"%.*s\", which it must have", STR_ARG(key->name));
        }
    }
}

void ruleset_each(struct ruleset_reader *r, struct json_value v, unsigned min, unsigned max,
                  void (*take)(struct ruleset_reader *r, void *into, struct json_value v),
                  void *into)
{
    struct json j = json_start(v.text, RULESET_DEPTH);
    struct json_value element;
    unsigned i = 0;

    if (!ruleset_is(r, v, JSON_ARRAY, "an array")) return;
    json_enter(&j);
    for (; i < max && json_element(&j, &element); i++) {
        ruleset_index_push(r, i);
        take(r, into, element);
        ruleset_pop(r);
    }
    if (i < min) ruleset_fail(r, "is empty; name at least one, or leave the key out");
    if (i == max && json_next(&j, ']')) ruleset_fail(r, "has more than %u members", max);
}

void ruleset_each_object(struct ruleset_reader *r, struct json_value v, unsigned max,
                         const struct ruleset_key *keys,
                         void (*take)(struct ruleset_reader *r, unsigned index,
                                      const struct ruleset_members *m))
{
    struct json j = json_start(v.text, RULESET_DEPTH);
    struct ruleset_members m;
    unsigned i = 0;

    if (!ruleset_is(r, v, JSON_ARRAY, "an array of objects")) return;
    json_enter(&j);
    for (; json_next(&j, ']'); i++) {
        if (i == max) {
            ruleset_fail(r, "has more than %u members", max);
            break;
        }
        ruleset_index_push(r, i);
        if (ruleset_collect(r, &j, keys, &m)) take(r, i, &m);
        ruleset_pop(r);
    }
}
