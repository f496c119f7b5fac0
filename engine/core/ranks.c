// SPDX-License-Identifier: Apache-2.0
#include "engine/core/ranks.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/limits.h"

#define CHANNELS (CHANNEL_COUNT + 1)

static_assert(LIMIT_LISTS * 3 < LIMIT_SET_IDS, "every list has its three ids");

// What a list is to a tenant, whatever the gate.
struct known {
    bool ours;                           // the tenant's own or shared
    uint16_t name;                       // of ruleset.list_name, or VIEW_NO_LIST
    const struct ruleset_list *declared; // NULL = not declared
};

// What is being filled.
struct making {
    const struct view *v;
    unsigned tenant;
    const struct ruleset *set; // NULL = none
    struct known *known;       // by list of the view
    bool *named;               // by list_name: the plan names it
    enum channel channel;
    struct ranks *ranks;
};

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
    const struct ruleset_list *declared = m->known[i].declared;
    bool named = m->known[i].name != VIEW_NO_LIST && m->named[m->known[i].name];
    bool must = named || (declared && declared->required);
    uint8_t channels = l->list.channel == CHANNEL_ANY ? RULE_ANY : (uint8_t)(1u << l->list.channel);

    if (declared) channels = declared->channels;
    if (!has_channel(channels, m->channel)) return;
    if (declared && !must) return;
    if (declared && !is_kind(declared, l->list.kind)) {
        block(m, REASON_LIST_LOADING, str_of(l->list.name));
        return;
    }
    m->ranks->rank[list_id_base(l->list.number)] = (uint16_t)i;
    m->ranks->rank[list_id_added(l->list.number)] = (uint16_t)i;
    if (l->list.state == LIST_LOADING && (must || (!declared && l->list.required)))
        block(m, REASON_LIST_LOADING, str_of(l->list.name));
    if (declared) age(m, declared, &l->list);
}

// Declared lists that hold here and that the engine does not have.
static void add_missing(struct making *m)
{
    for (unsigned i = 0; m->set && i < m->set->list_count; i++) {
        const struct ruleset_list *declared = &m->set->list[i];

        if (!has_channel(declared->channels, m->channel)) continue;
        if (!declared->required && !m->named[i]) continue;
        if (m->v->tenant[m->tenant].list_of[i] == VIEW_NO_LIST)
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
        if (!m->known[i].ours) continue;
        any = true;
        add_list(m, i);
    }
    add_missing(m);
    if (!any) block(m, REASON_NOTHING_LOADED, reason_rule(REASON_NOTHING_LOADED));
}

// -- a tenant's --------------------------------------------------------------------------------

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
    for (unsigned i = 0; i < set->list_count; i++) // the first of list_name are these
        if (set->list[i].required && !t->missing.ptr && t->list_of[i] == VIEW_NO_LIST)
            t->missing = set->list[i].name;
    return 0;
}

static void know(struct making *m, unsigned i)
{
    const struct view_list *l = &m->v->list[i];
    struct known *known = &m->known[i];

    *known = (struct known){view_list_is_of(m->v, l, m->tenant), VIEW_NO_LIST, NULL};
    for (unsigned n = 0; known->ours && m->set && n < m->set->list_name_count; n++) {
        if (!str_eq(m->set->list_name[n], str_of(l->list.name))) continue;
        known->name = (uint16_t)n;
        if (n < m->set->list_count) known->declared = &m->set->list[n];
        break;
    }
}

// Which lists are named by the plans of that kind.
static void name_lists(struct making *m, const struct kinds *kinds, unsigned kind)
{
    unsigned gate = kinds->first[kind];
    struct rule_slice lists = gate ? m->set->plan[gate - 1].lists : (struct rule_slice){0, 0};

    memset(m->named, 0, m->set->list_name_count * sizeof *m->named);
    for (unsigned i = 0; i < lists.count; i++) m->named[m->set->named_list[lists.first + i]] = true;
}

static int make_ranks(struct making *m, struct view_tenant *t)
{
    unsigned count = m->set ? t->book->by_lists.count : 1;

    t->ranks = malloc(count * CHANNELS * sizeof *t->ranks);
    if (!t->ranks) return ERR_NOMEM;
    t->ranks_count = count;
    for (unsigned i = 0; i < m->v->list_count; i++) know(m, i);
    for (unsigned kind = 0; kind < count; kind++) {
        if (m->set) name_lists(m, &t->book->by_lists, kind);
        for (unsigned channel = 0; channel < CHANNELS; channel++) {
            m->channel = (enum channel)channel;
            m->ranks = &t->ranks[kind * CHANNELS + channel];
            fill(m);
        }
    }
    return 0;
}

static int make_gates(struct view_tenant *t)
{
    const struct rulebook_tenant *book = t->book;

    t->gate_count = book->set ? book->plan_count : 1;
    t->gate = calloc(t->gate_count, sizeof *t->gate);
    if (!t->gate) return ERR_NOMEM;
    for (unsigned g = 0; g < t->gate_count; g++)
        t->gate[g] = (struct gate){book->set ? book->plan[book->by_rules.of[g]] : NULL, book->rule,
                                   &t->ranks[(book->set ? book->by_lists.of[g] : 0) * CHANNELS]};
    return 0;
}

int ranks_make(struct view *v, unsigned tenant)
{
    struct view_tenant *t = &v->tenant[tenant];
    const struct ruleset *set = t->book->set;
    struct making m = {.v = v, .tenant = tenant, .set = set};
    int err = find_lists(v, tenant);

    m.known = calloc(v->list_count + 1, sizeof *m.known);
    m.named = calloc(set ? set->list_name_count + 1 : 1, sizeof *m.named);
    if (!m.known || !m.named) err = ERR_NOMEM;
    if (!err) err = make_ranks(&m, t);
    if (!err) err = make_gates(t);
    free(m.known);
    free(m.named);
    return err;
}

void ranks_done(struct view_tenant *t)
{
    free(t->gate);
    free(t->ranks);
    free(t->list_of);
}
