// SPDX-License-Identifier: Apache-2.0
#include "engine/core/ranks.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/base/limits.h"

#define CHANNELS (CHANNEL_COUNT + 1)

static_assert(LIMIT_LISTS * 3 < LIMIT_SET_IDS, "every list has its three ids");

// What is being filled.
struct making {
    const struct view *v;
    unsigned tenant;
    const struct ruleset *set; // NULL = none
    struct rule_slice named;   // lists that the plan names
    enum channel channel;
    struct ranks *ranks;
};

static const struct ruleset_list *find_declared(const struct ruleset *set, struct str name)
{
    for (unsigned i = 0; set && i < set->list_count; i++)
        if (str_eq(set->list[i].name, name)) return &set->list[i];
    return NULL;
}

static bool is_named(const struct making *m, struct str name)
{
    for (unsigned i = 0; i < m->named.count; i++)
        if (str_eq(m->set->list_name[m->set->named_list[m->named.first + i]], name)) return true;
    return false;
}

static bool is_kind(const struct ruleset_list *declared, enum set_kind kind)
{
    static const char letters[] = {[SET_DEVICE] = 'd', [SET_CLIENT] = 'c', [SET_EMAIL] = 'e'};

    return !declared->kind || declared->kind == letters[kind];
}

// A question whose medium is unknown is held against every list.
static bool has_channel(uint8_t channels, enum channel channel)
{
    return channel == CHANNEL_ANY || (channels >> channel & 1);
}

static void block(struct making *m, enum reason reason, struct str rule)
{
    if (m->ranks->not_ready != REASON_ALLOWED) return;
    m->ranks->not_ready = reason;
    m->ranks->not_ready_rule = rule;
}

static void age(struct making *m, const struct ruleset_list *declared, const struct list *list)
{
    int64_t stale_at_s = list->obtained_at_s + declared->max_age_s;

    if (!declared->max_age_s || stale_at_s >= m->ranks->stale_at_s) return;
    m->ranks->stale_at_s = list->obtained_at_s ? stale_at_s : 0;
    m->ranks->stale_rule = declared->name;
}

static void add_list(struct making *m, unsigned i)
{
    const struct view_list *l = &m->v->list[i];
    struct str name = str_of(l->list.name);
    const struct ruleset_list *declared = find_declared(m->set, name);
    bool named = is_named(m, name), must = named || (declared ? declared->required : false);
    uint8_t channels = l->list.channel == CHANNEL_ANY ? RULE_ANY : (uint8_t)(1u << l->list.channel);

    if (declared) channels = declared->channels;
    if (!has_channel(channels, m->channel)) return;
    if (declared && !must) return;
    if (declared && !is_kind(declared, l->list.kind)) {
        block(m, REASON_LIST_LOADING, name);
        return;
    }
    m->ranks->rank[list_id_base(l->list.number)] = (uint16_t)i;
    m->ranks->rank[list_id_added(l->list.number)] = (uint16_t)i;
    if (l->list.state == LIST_LOADING && (must || (!declared && l->list.required)))
        block(m, REASON_LIST_LOADING, name);
    if (declared) age(m, declared, &l->list);
}

// Declared lists that hold here and that the engine does not have.
static void add_missing(struct making *m)
{
    for (unsigned i = 0; m->set && i < m->set->list_count; i++) {
        const struct ruleset_list *declared = &m->set->list[i];

        if (!has_channel(declared->channels, m->channel)) continue;
        if (!declared->required && !is_named(m, declared->name)) continue;
        if (!view_find(m->v, m->tenant, declared->name))
            block(m, REASON_LIST_LOADING, declared->name);
    }
}

static void fill(struct making *m)
{
    bool any = m->set != NULL;

    m->ranks->not_ready = REASON_ALLOWED;
    m->ranks->stale_at_s = INT64_MAX;
    for (unsigned id = 0; id < LIMIT_SET_IDS; id++) m->ranks->rank[id] = SET_NO_RANK;
    for (unsigned i = 0; i < m->v->list_count; i++) {
        const struct view_list *l = &m->v->list[i];

        if (!view_list_is_of(m->v, l, m->tenant)) continue;
        any = true;
        add_list(m, i);
    }
    add_missing(m);
    if (!any) block(m, REASON_NOTHING_LOADED, reason_rule(REASON_NOTHING_LOADED));
}

// -- gates that share --------------------------------------------------------------------------

static struct rule_slice named_by(const struct ruleset *set, unsigned gate)
{
    return gate ? set->plan[gate - 1].lists : (struct rule_slice){0, 0};
}

static bool same_lists(const struct ruleset *set, struct rule_slice a, struct rule_slice b)
{
    if (a.count != b.count) return false;
    return a.count == 0 || memcmp(&set->named_list[a.first], &set->named_list[b.first],
                                  a.count * sizeof set->named_list[0]) == 0;
}

// For each gate which of the distinct tables is its own; the number of distinct ones. Each table's
// first gate stands in `first`.
static unsigned group_gates(const struct ruleset *set, unsigned gates, uint16_t *table,
                            uint16_t *first)
{
    unsigned count = 0;

    for (unsigned g = 0; g < gates; g++) {
        unsigned t = 0;

        while (t < count && !same_lists(set, named_by(set, g), named_by(set, first[t]))) t++;
        if (t == count) first[count++] = (uint16_t)g;
        table[g] = (uint16_t)t;
    }
    return count;
}

static int make_gates(struct view *v, unsigned tenant, uint16_t *table, uint16_t *first)
{
    struct view_tenant *t = &v->tenant[tenant];
    const struct ruleset *set = t->book->set;
    struct making m = {.v = v, .tenant = tenant, .set = set};
    unsigned count = set ? group_gates(set, t->gate_count, table, first) : 1;

    t->ranks = malloc(count * CHANNELS * sizeof *t->ranks);
    if (!t->ranks) return ERR_NOMEM;
    t->ranks_count = count;
    for (unsigned i = 0; i < count * CHANNELS; i++) {
        m.named = set ? named_by(set, first[i / CHANNELS]) : (struct rule_slice){0, 0};
        m.channel = (enum channel)(i % CHANNELS);
        m.ranks = &t->ranks[i];
        fill(&m);
    }
    for (unsigned g = 0; g < t->gate_count; g++)
        t->gate[g] = (struct gate){set ? t->book->plan[g] : NULL, t->book->rule,
                                   &t->ranks[(set ? table[g] : 0) * CHANNELS]};
    return 0;
}

static int find_lists(struct view *v, unsigned tenant)
{
    struct view_tenant *t = &v->tenant[tenant];
    const struct ruleset *set = t->book->set;

    if (!set) return 0;
    t->list_of = malloc((set->list_name_count + 1) * sizeof *t->list_of);
    if (!t->list_of) return ERR_NOMEM;
    for (unsigned i = 0; i < set->list_name_count; i++) {
        const struct view_list *l = view_find(v, tenant, set->list_name[i]);

        t->list_of[i] = l ? (uint16_t)(l - v->list) : VIEW_NO_LIST;
    }
    for (unsigned i = 0; i < set->list_count; i++)
        if (set->list[i].required && !t->missing.ptr && !view_find(v, tenant, set->list[i].name))
            t->missing = set->list[i].name;
    return 0;
}

int ranks_make(struct view *v, unsigned tenant)
{
    struct view_tenant *t = &v->tenant[tenant];
    uint16_t *work;
    int err;

    t->gate_count = t->book->set ? t->book->plan_count : 1;
    t->gate = calloc(t->gate_count, sizeof *t->gate);
    work = calloc(2 * (size_t)t->gate_count, sizeof *work);
    err = t->gate && work ? find_lists(v, tenant) : ERR_NOMEM;
    if (!err) err = make_gates(v, tenant, work, work + t->gate_count);
    free(work);
    return err;
}

void ranks_done(struct view_tenant *t)
{
    free(t->gate);
    free(t->ranks);
    free(t->list_of);
}
