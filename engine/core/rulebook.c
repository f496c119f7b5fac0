// SPDX-License-Identifier: Apache-2.0
#include "engine/core/rulebook.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/wire/verdict.h"

static const struct str own_fields[FIELD_COUNT] = {
#define FIELD(name, key) {key, sizeof(key) - 1},
#include "engine/wire/field.def"
#undef FIELD
};

// -- fields ------------------------------------------------------------------------------------

// The member of /v1 of that name, -1 when there is none.
static int member_of(struct str name)
{
    for (int i = FIELD_V1_PHONE; i < FIELD_COUNT; i++)
        if (str_eq(own_fields[i], name)) return i;
    return -1;
}

static int full(struct err_info *info)
{
    return err_set(info, ERR_FULL,
                   "the rule sets of all tenants name more than %d fields of records; try: fewer "
                   "fields in expressions",
                   RECORD_SLOTS_MAX - FIELD_COUNT);
}

// A field that is no member of /v1 gets the same slot in both tables, as long as those come first.
static int add_field(struct rulebook *b, struct str name, bool members, struct err_info *info)
{
    int member = member_of(name), slot;

    if (name.size == 0 || members != (member >= 0)) return 0;
    slot = record_keys_add(b->ocs_keys, name);
    if (slot < 0) return full(info);
    if (!members) {
        CHECK(record_keys_add(b->v1_keys, name) == slot);
        return 0;
    }
    for (unsigned i = 0; i < b->alias_count; i++)
        if (b->alias[i].slot == slot) return 0;
    if (b->alias_count == COUNT_OF(b->alias)) return full(info);
    b->alias[b->alias_count].slot = (uint8_t)slot;
    b->alias[b->alias_count++].member = (uint8_t)member;
    return 0;
}

static int add_fields(struct rulebook *b, const struct ruleset *set, bool members,
                      struct err_info *info)
{
    int err = 0;

    for (unsigned i = 0; i < set->expr.field_count && !err; i++)
        err = add_field(b, set->expr.field[i], members, info);
    if (!err) err = add_field(b, set->subject_field, members, info);
    if (!err) err = add_field(b, set->disposition_field, members, info);
    return err;
}

static int make_keys(struct rulebook *b, struct err_info *info)
{
    int err = 0;

    b->ocs_keys = record_keys_new(FIELD_V1_PHONE);
    b->v1_keys = record_keys_new(FIELD_COUNT);
    if (!b->ocs_keys || !b->v1_keys) return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    for (int members = 0; members < 2; members++)
        for (unsigned i = 0; i < b->tenant_count && !err; i++)
            if (b->tenant[i].set) err = add_fields(b, b->tenant[i].set, members == 1, info);
    return err;
}

static int slot_of(void *ctx, struct str field)
{
    struct rulebook *b = ctx;

    return record_keys_add(b->ocs_keys, field); // it is there already
}

// -- one tenant --------------------------------------------------------------------------------

static unsigned place_of(const struct rulebook_tenant *t, struct str group)
{
    return (unsigned)hash_sum(group.ptr, group.size) & t->group_mask;
}

static int index_groups(struct rulebook_tenant *t)
{
    unsigned size = 4;

    while (size < 2 * t->plan_count) size *= 2;
    t->group = calloc(size, sizeof *t->group);
    if (!t->group) return ERR_NOMEM;
    t->group_mask = size - 1;
    for (unsigned i = 0; i < t->set->plan_count; i++) {
        unsigned place = place_of(t, t->set->plan[i].campaign_group);

        while (t->group[place]) place = (place + 1) & t->group_mask;
        t->group[place] = (uint16_t)(i + 1);
    }
    return 0;
}
static_assert(RULESET_PLANS_MAX < UINT16_MAX, "a plan's number fits");

unsigned rulebook_plan(const struct rulebook_tenant *t, struct str group)
{
    unsigned place, at;

    if (!t->set || group.size == 0) return 0;
    for (place = place_of(t, group); (at = t->group[place]) != 0;
         place = (place + 1) & t->group_mask)
        if (str_eq(t->set->plan[at - 1].campaign_group, group)) return at;
    return 0;
}

static int find_kinds(struct rulebook_tenant *t, struct err_info *info)
{
    t->plan_count = 1 + t->set->plan_count;
    if (kinds_find(&t->by_rules, t->set, KINDS_BY_RULES) < 0 ||
        kinds_find(&t->by_lists, t->set, KINDS_BY_LISTS) < 0 || index_groups(t) < 0)
        return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    if (t->by_lists.count > RULEBOOK_LISTS_MAX)
        return err_set(info, ERR_FULL,
                       "the plans name %u different selections of lists; at most %d, try: the same "
                       "lists in the same order for more campaign groups",
                       t->by_lists.count, RULEBOOK_LISTS_MAX);
    return 0;
}

static int make_plans(struct rulebook *b, struct rulebook_tenant *t, const struct tenant *tenant,
                      struct err_info *info)
{
    unsigned home = places_country(b->atlas->places, str_of(tenant->home.region)), ops = 0;
    int err = find_kinds(t, info);

    if (err) return err;
    t->plan = calloc(t->by_rules.count, sizeof *t->plan);
    if (!t->plan) return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    for (unsigned i = 0; i < t->by_rules.count && !err; i++) {
        unsigned gate = t->by_rules.first[i];

        err = rule_plan_new(&t->plan[i], t->set, gate ? gate - 1 : RULE_PLAN_NONE, b->atlas->places,
                            slot_of, b, info);
        if (err) break;
        if (!t->plan[i]->default_country) t->plan[i]->default_country = (uint16_t)home;
        ops += t->plan[i]->op_count;
        if (ops > RULEBOOK_OPS_MAX)
            err = err_set(info, ERR_FULL,
                          "the plans hold more than %d rules together (required ones count in each "
                          "that differs from others); try: fewer plans that differ",
                          RULEBOOK_OPS_MAX);
    }
    return err;
}

static struct http_canned *can(const struct rule *rule)
{
    struct http_canned *canned = malloc(sizeof *canned);
    struct verdict v = {.type = rule->type, .rule = rule->name, .call_result = rule->call_result};
    char memory[HTTP_CANNED_BYTES];
    struct buf body;

    buf_wrap(&body, memory, sizeof memory);
    verdict_write_ocs(&body, &v, OCS_BODY_FULL);
    if (canned && !body.failed &&
        http_canned_init(canned, 409, STR("application/json"), buf_view(&body)))
        return canned;
    free(canned);
    return NULL;
}

static size_t json_bytes(struct str name)
{
    char memory[1024];
    struct buf text;

    buf_wrap(&text, memory, sizeof memory);
    buf_json(&text, name);
    return text.failed ? sizeof memory : text.size_bytes;
}

static uint64_t service_of(const struct rule *rule, const char *tenant)
{
    uint64_t hash = hash_sum(tenant, strlen(tenant));

    if (rule->type != VERDICT_EXTERNAL) return 0;
    hash = hash_keyed(hash, rule->name.ptr, rule->name.size);
    return hash_keyed(hash, rule->external.url.ptr, rule->external.url.size);
}

static int make_rules(struct rulebook *b, struct rulebook_tenant *t, const char *tenant,
                      struct tally *tally)
{
    t->rule = calloc(t->set->rule_count + 1, sizeof *t->rule);
    if (!t->rule) return ERR_NOMEM;
    for (unsigned i = 0; i < t->set->rule_count; i++) {
        const struct rule *rule = &t->set->rule[i];
        size_t bytes = json_bytes(rule->name);

        t->rule[i].tally = tally_slot(tally, str_of(tenant), rule->name, rule->shadow);
        t->rule[i].service = service_of(rule, tenant);
        if (!rule->shadow) t->rule[i].blocked = can(rule);
        if (bytes > b->name_bytes_max) b->name_bytes_max = bytes;
    }
    return 0;
}

// -- the book ----------------------------------------------------------------------------------

int rulebook_new(struct rulebook **ret, const struct tenants *tenants, struct ruleset *const *sets,
                 struct atlas *atlas, struct tally *tally, struct err_info *info)
{
    struct rulebook *b = calloc(1, sizeof *b + tenants->count * sizeof b->tenant[0]);
    int err;

    if (!b) return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    atomic_init(&b->refs, 1);
    b->tenant_count = tenants->count;
    if (atlas) b->atlas = atlas_ref(atlas);
    for (unsigned i = 0; i < b->tenant_count; i++)
        if (sets[i]) b->tenant[i].set = ruleset_ref(sets[i]);
    err = make_keys(b, info);
    for (unsigned i = 0; i < b->tenant_count && !err; i++) {
        struct rulebook_tenant *t = &b->tenant[i];

        if (!t->set) continue;
        CHECK(atlas);
        err = make_plans(b, t, &tenants->tenant[i], info);
        if (!err && make_rules(b, t, tenants->tenant[i].name, tally) < 0)
            err = err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        if (t->set->window_max_s > b->window_max_s) b->window_max_s = t->set->window_max_s;
    }
    if (err)
        rulebook_unref(b);
    else
        *ret = b;
    return err;
}

struct rulebook *rulebook_ref(struct rulebook *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

static void tenant_done(struct rulebook_tenant *t)
{
    for (unsigned i = 0; t->rule && i < t->set->rule_count; i++) free(t->rule[i].blocked);
    for (unsigned i = 0; t->plan && i < t->by_rules.count; i++)
        if (t->plan[i]) rule_plan_free(t->plan[i]);
    free(t->rule);
    free(t->plan);
    kinds_done(&t->by_rules);
    kinds_done(&t->by_lists);
    free(t->group);
    if (t->set) ruleset_unref(t->set);
}

void rulebook_unref(struct rulebook *b)
{
    if (!b) return;
    if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) > 1) return;
    for (unsigned i = 0; i < b->tenant_count; i++) tenant_done(&b->tenant[i]);
    record_keys_free(b->ocs_keys);
    record_keys_free(b->v1_keys);
    atlas_unref(b->atlas);
    free(b);
}
