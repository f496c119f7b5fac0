// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/vectors.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/rule/judge.h"
#include "engine/wire/number.h"

#define DEPTH     8
#define KEY_BYTES 96
#define NS_PER_S  1000000000
#define HOME      "US" // vectors write numbers with +, so that this never matters

struct past {
    int64_t at_s;
    struct str group, phone, client; // absent = the record's
    uint64_t result;                 // call_result_bit, 0 = none yet
    uint32_t disposition, subject;
    uint8_t channel;
};

struct vector {
    unsigned index;
    struct str rule, at, group, source;
    struct json_value record, attempts, lists, obtained;
    int64_t at_s;
    enum channel channel;
    uint8_t purposes, dialing;
    enum vectors_answer expected;
    uint32_t subject;
    unsigned past_count;
    struct past past[VECTORS_ATTEMPTS_MAX];
};

struct runner {
    struct ruleset *set;
    const struct places *places;
    struct ruleset_errors *errors;
    struct record_keys *keys;
    struct zone_clock *clock;
    struct number_home home;
    vectors_fn *fn;
    void *ctx;
    char key[KEY_BYTES]; // being read, for error pointers
    struct vector v;
    struct record record;
};

static void fail(struct runner *r, const char *text)
{
    char pointer[sizeof r->errors->error[0].pointer];

    snprintf(pointer, sizeof pointer, "/vectors/%u%s%s", r->v.index, r->key[0] ? "/" : "", r->key);
    ruleset_errors_add(r->errors, pointer, "%s", text);
}

// -- reading -----------------------------------------------------------------------------------

static struct str text_of(struct runner *r, struct json_value v)
{
    if (v.type == JSON_STRING && !v.escaped) return v.text;
    fail(r, "must be text without backslashes");
    return STR("");
}

static int64_t read_instant(struct runner *r, struct json_value v)
{
    int64_t ns = 0;

    if (v.type != JSON_STRING || !clock_parse(v.text, &ns))
        fail(r, "must be an instant like \"2026-11-22T13:59:59Z\"");
    return ns / NS_PER_S;
}

static uint8_t read_word(struct runner *r, struct json_value v, const char *const words[],
                         const char *error)
{
    for (unsigned i = 0; words[i]; i++)
        if (v.type == JSON_STRING && str_eq(v.text, str_of(words[i]))) return (uint8_t)(1u << i);
    fail(r, error);
    return 0;
}

static void read_rule(struct runner *r, struct json_value v)
{
    r->v.rule = text_of(r, v);
}

static void read_at(struct runner *r, struct json_value v)
{
    r->v.at = v.text;
    r->v.at_s = read_instant(r, v);
}

static void read_record(struct runner *r, struct json_value v)
{
    if (v.type != JSON_OBJECT) fail(r, "must be an object, as a dialer would send it");
    r->v.record = v;
}

static void read_channel(struct runner *r, struct json_value v)
{
    if (v.type != JSON_STRING || !channel_parse(v.text, &r->v.channel) ||
        r->v.channel == CHANNEL_ANY)
        fail(r, "must be \"voice\", \"sms\" or \"email\"");
}

static void read_purpose(struct runner *r, struct json_value v)
{
    static const char *const words[] = {"solicitation", "informational", "collection", NULL};

    r->v.purposes =
        read_word(r, v, words, "must be \"solicitation\", \"informational\" or \"collection\"");
}

static void read_dialing(struct runner *r, struct json_value v)
{
    static const char *const words[] = {"manual", "autodialed", "prerecorded", NULL};

    r->v.dialing = read_word(r, v, words, "must be \"manual\", \"autodialed\" or \"prerecorded\"");
}

static void read_group(struct runner *r, struct json_value v)
{
    r->v.group = text_of(r, v);
}

static void read_attempts(struct runner *r, struct json_value v)
{
    if (v.type != JSON_ARRAY) fail(r, "must be an array of attempts");
    r->v.attempts = v;
}

static void read_lists(struct runner *r, struct json_value v)
{
    if (v.type != JSON_ARRAY) fail(r, "must be an array of names of lists");
    r->v.lists = v;
}

static void read_obtained(struct runner *r, struct json_value v)
{
    if (v.type != JSON_OBJECT)
        fail(r, "must be an object, {\"national\": \"2026-11-01T00:00:00Z\"}; null = not loaded");
    r->v.obtained = v;
}

static void read_expect(struct runner *r, struct json_value v)
{
    static const char *const words[] = {"none", "allow", "block", NULL};
    unsigned bit = read_word(r, v, words, "must be \"block\", \"allow\" or \"none\"");

    r->v.expected = bit ? (enum vectors_answer)__builtin_ctz(bit) : VECTORS_NONE;
}

static void read_source(struct runner *r, struct json_value v)
{
    if (v.type != JSON_STRING || v.text.size == 0) fail(r, "must say where the example is from");
    r->v.source = v.text;
}

static const struct {
    const char *name;
    void (*read)(struct runner *r, struct json_value v);
    bool required;
} keys[] = {
    {"rule", read_rule, true},        {"at", read_at, true},
    {"record", read_record, true},    {"channel", read_channel, false},
    {"purpose", read_purpose, false}, {"dialing", read_dialing, false},
    {"group", read_group, false},     {"attempts", read_attempts, false},
    {"lists", read_lists, false},     {"obtained", read_obtained, false},
    {"expect", read_expect, true},    {"source", read_source, true},
};

// The row of `keys`, COUNT_OF(keys) and an error when there is none.
static unsigned find_key(struct runner *r, struct json_value key)
{
    unsigned i = 0;

    str_copy(r->key, sizeof r->key, key.text);
    while (i < COUNT_OF(keys) && !str_eq(key.text, str_of(keys[i].name))) i++;
    if (i == COUNT_OF(keys)) fail(r, "unknown key");
    return i;
}

static void read_members(struct runner *r, struct json_value vector)
{
    struct json j = json_start(vector.text, DEPTH);
    struct json_value key, value;
    unsigned seen = 0;

    json_enter(&j);
    while (json_member(&j, &key, &value)) {
        unsigned i = find_key(r, key);

        if (i == COUNT_OF(keys)) continue;
        if (seen >> i & 1) fail(r, "comes twice; keep one");
        seen |= 1u << i;
        keys[i].read(r, value);
    }
    for (unsigned i = 0; i < COUNT_OF(keys); i++) {
        if (!keys[i].required || seen >> i & 1) continue;
        str_copy(r->key, sizeof r->key, str_of(keys[i].name));
        fail(r, "is missing");
    }
    r->key[0] = 0;
}

static void read_past_member(struct runner *r, struct past *p, struct str key, struct json_value v)
{
    unsigned number;
    int64_t n;

    if (str_eq(key, STR("at"))) {
        p->at_s = read_instant(r, v);
    } else if (str_eq(key, STR("result"))) {
        if (v.type == JSON_STRING && call_result_find(v.text, &number))
            p->result = call_result_bit(number);
        else if (json_to_i64(v, &n))
            p->result = call_result_bit(n);
        else
            fail(r, "has a result that is neither a call result's name nor a number");
    } else if (str_eq(key, STR("disposition"))) {
        p->disposition = attempt_word(text_of(r, v));
    } else if (str_eq(key, STR("subject"))) {
        p->subject = attempt_word(text_of(r, v));
    } else if (str_eq(key, STR("group"))) {
        p->group = text_of(r, v);
    } else if (str_eq(key, STR("phone"))) {
        p->phone = text_of(r, v);
    } else if (str_eq(key, STR("client_id"))) {
        p->client = text_of(r, v);
    } else {
        fail(r, "has an unknown key; known are at, result, disposition, subject, group, phone, "
                "client_id");
    }
}

static void read_past(struct runner *r)
{
    struct json j = json_start(r->v.attempts.text, DEPTH);
    struct json_value element, key, value;

    if (r->v.attempts.type != JSON_ARRAY) return;
    json_enter(&j);
    while (json_element(&j, &element)) {
        struct json one = json_start(element.text, DEPTH);
        struct past *p = &r->v.past[r->v.past_count];

        snprintf(r->key, sizeof r->key, "attempts/%u", r->v.past_count);
        if (r->v.past_count == VECTORS_ATTEMPTS_MAX) {
            fail(r, "is one attempt more than a vector can have");
            break;
        }
        *p = (struct past){.at_s = INT64_MAX, .group = r->v.group, .channel = r->v.channel};
        r->v.past_count++;
        if (json_enter(&one) != JSON_OBJECT) fail(r, "must be an object");
        while (json_member(&one, &key, &value)) read_past_member(r, p, key.text, value);
        if (p->at_s >= r->v.at_s) fail(r, "must have an \"at\" before that of the vector");
    }
    r->key[0] = 0;
}

// -- the world of a vector ---------------------------------------------------------------------

static bool fits_outcome(const struct past *p, const struct attempts_query *q)
{
    bool counted = q->disposition_count ? p->disposition == 0 : p->result == 0;

    for (unsigned i = 0; i < q->disposition_count; i++)
        counted |= p->disposition == q->dispositions[i];
    if (q->disposition_count == 0) counted |= (p->result & q->results) != 0;
    return counted;
}

static bool is_same(struct str its, struct str record)
{
    return record.ptr && (!its.ptr || str_eq(its, record));
}

static bool fits_contact(const struct runner *r, const struct past *p, enum count_by by)
{
    bool device = is_same(p->phone, record_phone(&r->record));
    bool client = is_same(p->client, record_client_id(&r->record));

    if (by == COUNT_BY_DEVICE) return device;
    if (by == COUNT_BY_CLIENT) return client;
    return device && client;
}

// As the ledger counts.
static bool fits(const struct runner *r, const struct past *p, const struct attempts_query *q)
{
    if (p->at_s < q->since_s || p->at_s >= q->before_s) return false;
    if (!(q->channels >> p->channel & 1) || !fits_contact(r, p, q->by)) return false;
    if (q->group_only && !str_eq(p->group, r->v.group)) return false;
    if (q->subject_only && r->v.subject && p->subject && p->subject != r->v.subject) return false;
    return fits_outcome(p, q);
}

static struct attempts_count count(void *ctx, const struct attempts_query *query)
{
    const struct runner *r = ctx;
    struct attempts_count n = {0};

    for (unsigned i = 0; i < r->v.past_count; i++) {
        const struct past *p = &r->v.past[i];

        if (!fits(r, p, query)) continue;
        if (n.count < query->enough) n.count++;
        if (n.oldest_s == 0 || p->at_s < n.oldest_s) n.oldest_s = p->at_s;
    }
    return n;
}

static enum judge_list listed(void *ctx, unsigned list, int64_t *ret_until_s)
{
    const struct runner *r = ctx;
    struct json j = json_start(r->v.lists.text, DEPTH);
    struct json_value name;

    *ret_until_s = INT64_MAX;
    if (r->v.lists.type != JSON_ARRAY) return JUDGE_NOT_LISTED;
    json_enter(&j);
    while (json_element(&j, &name))
        if (str_eq(name.text, r->set->list_name[list])) return JUDGE_LISTED;
    return JUDGE_NOT_LISTED;
}

// A list that the vector does not date was loaded just now.
static int64_t obtained(void *ctx, unsigned list)
{
    const struct runner *r = ctx;
    struct json j = json_start(r->v.obtained.text, DEPTH);
    struct json_value name, value;
    int64_t ns;

    if (r->v.obtained.type != JSON_OBJECT) return r->v.at_s;
    json_enter(&j);
    while (json_member(&j, &name, &value)) {
        if (!str_eq(name.text, r->set->list_name[list])) continue;
        return value.type == JSON_STRING && clock_parse(value.text, &ns) ? ns / NS_PER_S : 0;
    }
    return r->v.at_s;
}

static enum judge_external external(void *ctx, unsigned rule, int *ret_call_result)
{
    (void)ctx;
    (void)rule;
    (void)ret_call_result;
    return JUDGE_EXTERNAL_SILENT;
}

// -- judging -----------------------------------------------------------------------------------

static int slot_of(void *ctx, struct str field)
{
    return record_keys_add(ctx, field);
}

static bool is_list(const struct runner *r, struct str name)
{
    for (unsigned i = 0; i < r->set->list_name_count; i++)
        if (str_eq(name, r->set->list_name[i])) return true;
    return false;
}

// A date for a list that no rule looks at says nothing: a slip of the pen.
static void check_obtained(struct runner *r)
{
    struct json j = json_start(r->v.obtained.text, DEPTH);
    struct json_value name, value;

    if (r->v.obtained.type != JSON_OBJECT) return;
    str_copy(r->key, sizeof r->key, STR("obtained"));
    json_enter(&j);
    while (json_member(&j, &name, &value)) {
        if (!is_list(r, name.text)) fail(r, "names a list that no rule of the pack names");
        if (value.type != JSON_NULL) read_instant(r, value);
    }
    r->key[0] = 0;
}

static bool read_device(struct runner *r, uint64_t *ret_device)
{
    enum reason reason;
    struct str phone;

    str_copy(r->key, sizeof r->key, STR("record"));
    if (!record_parse(&r->record, r->v.record.text, r->keys, &reason)) {
        fail(r, "is no record that could be read");
        return false;
    }
    phone = record_phone(&r->record);
    *ret_device = 0;
    if (phone.ptr && number_parse(phone, &r->home, ret_device) != NUMBER_OK) {
        fail(r, "has a phone that is no number");
        return false;
    }
    r->key[0] = 0;
    return true;
}

static void judge_op(struct runner *r, const struct rule_plan *plan, unsigned op, uint64_t device,
                     struct vectors_outcome *o)
{
    const struct judge_world world = {r, count, listed, obtained, external};
    struct facts facts;
    struct judge_finding finding;
    struct judge judge = {
        .plan = plan,
        .facts = &facts,
        .world = &world,
        .clock = r->clock,
        .channel = r->v.channel,
        .counts_before_s = INT64_MAX,
    };

    facts_from_record(&facts, plan, &r->record, device);
    r->v.subject = facts.subject;
    zone_clock_set(r->clock, plan->zones, r->v.at_s);
    judge_rule(&judge, op, &finding);
    if (finding.applies) o->got = finding.blocks ? VECTORS_BLOCK : VECTORS_ALLOW;
    if (finding.applies && finding.blocks) o->reason = finding.reason;
}

// The plan is made anew because what it says about its calls differs from vector to vector. A rule
// that does not hold for such calls is not in it.
static int judge_vector(struct runner *r, unsigned rule)
{
    struct vectors_outcome o = {
        .index = r->v.index,
        .rule = rule,
        .expected = r->v.expected,
        .reason = REASON_ALLOWED,
        .at = r->v.at,
        .source = r->v.source,
    };
    struct rule_plan *plan = NULL;
    struct err_info info = {0};
    uint64_t device;
    int err;

    r->set->purposes = r->v.purposes;
    r->set->dialing = r->v.dialing;
    err = rule_plan_new(&plan, r->set, RULE_PLAN_NONE, r->places, slot_of, r->keys, &info);
    if (err) {
        if (err != ERR_NOMEM) fail(r, info.text);
        return err == ERR_NOMEM ? err : 0;
    }
    if (!read_device(r, &device)) goto out;
    for (unsigned op = 0; op < plan->op_count; op++)
        if (plan->op[op].rule == rule) judge_op(r, plan, op, device, &o);
    r->fn(r->ctx, &o);
out:
    rule_plan_free(plan);
    return 0;
}

static int run_one(struct runner *r, struct json_value vector)
{
    unsigned errors = r->errors->count;
    int rule;

    if (vector.type != JSON_OBJECT) {
        fail(r, "must be an object");
        return 0;
    }
    read_members(r, vector);
    if (r->errors->count == errors) read_past(r);
    if (r->errors->count == errors) check_obtained(r);
    if (r->errors->count > errors) return 0;
    rule = ruleset_find(r->set, r->v.rule);
    if (rule >= 0) return judge_vector(r, (unsigned)rule);
    str_copy(r->key, sizeof r->key, STR("rule"));
    fail(r, "is no rule of this pack");
    r->key[0] = 0;
    return 0;
}

// The array, JSON_NONE when the pack has none.
static struct json_value find_vectors(const struct pack *pack)
{
    struct json j = json_start(pack->text, DEPTH + 2);
    struct json_value key, value;

    if (json_enter(&j) != JSON_OBJECT) return (struct json_value){0};
    while (json_member(&j, &key, &value))
        if (str_eq(key.text, STR("vectors"))) return value;
    return (struct json_value){0};
}

static int run_all(struct runner *r, struct json_value vectors)
{
    struct json j = json_start(vectors.text, DEPTH + 1);
    struct json_value vector;
    unsigned errors = r->errors->count, index = 0;
    int err = 0;

    if (json_enter(&j) != JSON_ARRAY) return 0;
    while (!err && json_element(&j, &vector)) {
        r->v = (struct vector){
            .index = index++, .group = STR(""), .purposes = RULE_ANY, .dialing = RULE_ANY};
        err = run_one(r, vector);
    }
    if (!err && r->errors->count > errors) err = ERR_BAD_VALUE;
    return err;
}

int vectors_run(const struct pack *pack, struct ruleset *set, const struct places *places,
                vectors_fn *fn, void *ctx, struct ruleset_errors *errors)
{
    struct runner *r = calloc(1, sizeof *r);
    int err = ERR_NOMEM;

    if (!r) return ERR_NOMEM;
    r->set = set;
    r->places = places;
    r->errors = errors;
    r->fn = fn;
    r->ctx = ctx;
    r->keys = record_keys_new(FIELD_COUNT);
    r->clock = calloc(1, sizeof *r->clock);
    if (!r->keys || !r->clock) goto out;
    err = number_home_init(&r->home, STR(HOME), NULL);
    if (err) goto out;
    for (unsigned i = 0; i < set->rule_count; i++) set->rule[i].required = true;
    err = run_all(r, find_vectors(pack));
out:
    free(r->clock);
    record_keys_free(r->keys);
    free(r);
    return err;
}

const char *vectors_word(enum vectors_answer answer)
{
    static const char *const words[] = {"none", "allow", "block"};

    return words[answer];
}
