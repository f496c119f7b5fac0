// SPDX-License-Identifier: Apache-2.0
#include "engine/core/decide.h"

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/rule/when.h"

#define RETRY_AHEAD_S (31 * 86400)

static bool counts(const struct decider *d, const struct question *q)
{
    return q->gate && q->gate->plan && q->gate->plan->counts && d->ledger;
}

void decide_fetch(const struct decider *d, struct question *q)
{
    for (int k = 0; k < QUESTION_KEYS; k++)
        if (q->has[k]) set_probe_fetch(d->set, &q->probe[k]);
    if (counts(d, q)) ledger_fetch_index(d->ledger, &q->who);
}

bool decide_fetch_chains(const struct decider *d, struct question *q)
{
    return counts(d, q) && ledger_fetch_further(d->ledger, &q->who, &q->ahead);
}

// -- what rules ask beyond the record ----------------------------------------------------------

static struct attempts_count count(void *ctx, const struct attempts_query *query)
{
    const struct decide_case *c = ctx;
    struct attempts_count n = {.unknown = true};
    int64_t ahead_s = c->at_s > c->d->wall_s ? c->at_s - c->d->wall_s : 0;

    if (!c->d->ledger) return n;
    // what is reserved now is not reserved any more at an instant that lies ahead of its end
    n = ledger_count(c->d->ledger, c->who, query, c->d->wall_s + ahead_s);
    if (c->d->settled_s + ahead_s < c->q->gate->plan->set->reserve_s) {
        n.count++;
        n.reserved++;
    }
    if (n.count > query->enough) n.count = query->enough;
    return n;
}

static bool is_key_of(enum set_kind kind, int which)
{
    switch (kind) {
    case SET_DEVICE:
        return which == QUESTION_PHONE;
    case SET_CLIENT:
        return which == QUESTION_CLIENT;
    case SET_EMAIL:
        break;
    }
    return which == QUESTION_EMAIL || which == QUESTION_PHONE;
}

// Narrows *until_s to where the span begins or ends; is it open at `at_s`?
static bool look_at_span(struct set_span span, int64_t at_s, int64_t *until_s)
{
    if (span.from_s > at_s && span.from_s < *until_s) *until_s = span.from_s;
    if (span.till_s != SET_FOREVER && span.till_s > at_s && span.till_s < *until_s)
        *until_s = span.till_s;
    return span.from_s <= at_s && (at_s < span.till_s || span.till_s == SET_FOREVER);
}

static enum judge_list listed(void *ctx, unsigned list, int64_t *ret_until_s)
{
    const struct decide_case *c = ctx;
    unsigned at = c->view->tenant[c->q->tenant].list_of[list];
    const struct list *l;
    bool found = false;

    *ret_until_s = INT64_MAX;
    if (at == VIEW_NO_LIST) return JUDGE_LIST_MISSING;
    l = &c->view->list[at].list;
    if (l->state == LIST_LOADING) return JUDGE_LIST_MISSING;
    for (int k = 0; k < QUESTION_KEYS; k++) {
        struct set_span span;

        if (!c->q->has[k] || !is_key_of(l->kind, k)) continue;
        if (set_find(c->d->set, list_id_base(l->number), c->q->probe[k].key, &span))
            found |= look_at_span(span, c->at_s, ret_until_s);
        if (set_find(c->d->set, list_id_added(l->number), c->q->probe[k].key, &span))
            found |= look_at_span(span, c->at_s, ret_until_s);
    }
    return found ? JUDGE_LISTED : JUDGE_NOT_LISTED;
}

static int64_t obtained_s(void *ctx, unsigned list)
{
    const struct decide_case *c = ctx;
    unsigned at = c->view->tenant[c->q->tenant].list_of[list];

    if (at == VIEW_NO_LIST || c->view->list[at].list.state == LIST_LOADING) return 0;
    return c->view->list[at].list.obtained_at_s;
}

// An answer is about the contact as this rule's service sees it. The asker's hashes are keyed, and
// bound to the tenant.
static uint64_t service_key(const struct view *view, const struct question *q, unsigned rule)
{
    const uint64_t words[] = {q->gate->rule[rule].service,
                              q->who.device,
                              q->who.client,
                              q->who.group,
                              q->facts.subject,
                              q->channel};

    return hash_keyed(view->seed, words, sizeof words) | 1; // 0 is no key
}

bool decide_answer(const struct decider *d, const struct view *view, const struct question *q,
                   unsigned rule, struct answer *ret)
{
    uint64_t key = service_key(view, q, rule);

    for (unsigned i = 0; d->known && i < d->known->count; i++)
        if (d->known->at[i].key == key) {
            *ret = d->known->at[i].answer;
            return true;
        }
    return d->answers && answers_find(d->answers, key, d->mono_ns, ret);
}

static enum judge_external external(void *ctx, unsigned rule, int *ret_call_result)
{
    struct decide_case *c = ctx;
    struct answer answer;

    if (!decide_answer(c->d, c->view, c->q, rule, &answer)) {
        c->unasked = (int)rule;
        return JUDGE_EXTERNAL_SILENT;
    }
    if (answer.call_result) *ret_call_result = answer.call_result;
    return answer.said;
}

void decide_open(struct decide_case *c, const struct decider *d, const struct view *view,
                 const struct question *q, int64_t at_s, bool foresee)
{
    c->d = d;
    c->view = view;
    c->q = q;
    c->at_s = at_s;
    c->who = &q->who;
    c->unasked = -1;
    c->world = (struct judge_world){c, count, listed, obtained_s, external};
    c->judge = (struct judge){
        .plan = q->gate->plan,
        .facts = &q->facts,
        .world = &c->world,
        .clock = d->clock,
        .channel = q->channel,
        .foresee = foresee,
        .counts_before_s = at_s < d->wall_s ? at_s : INT64_MAX,
    };
    zone_clock_set(d->clock, q->gate->plan->zones, at_s);
}

// -- lists -------------------------------------------------------------------------------------

static struct verdict judge_lists(const struct decider *d, const struct view *view,
                                  const struct question *q, int64_t at_s)
{
    const struct ranks *ranks = &q->gate->ranks[q->channel];
    struct set_hit hit, best_hit = {0};
    uint16_t best = SET_NO_RANK;
    struct verdict v;

    if (UNLIKELY(ranks->not_ready != REASON_ALLOWED))
        return verdict_block(ranks->not_ready, ranks->not_ready_rule);
    for (int k = 0; k < QUESTION_KEYS; k++) {
        uint16_t rank;

        if (!q->has[k]) continue;
        rank = set_probe_best(d->set, &q->probe[k], ranks->rank, (uint32_t)at_s, &hit);
        if (rank >= best) continue;
        best = rank;
        best_hit = hit;
    }
    if (best != SET_NO_RANK) {
        const struct view_list *l = &view->list[best];

        CHECK(best < view->list_count);
        v = verdict_block(view_listed_reason(l->list.kind), str_of(l->list.name));
        v.list = best;
        if (best_hit.span.till_s != SET_FOREVER) v.retry_at_s = best_hit.span.till_s;
        return v;
    }
    if (UNLIKELY(at_s >= ranks->stale_at_s))
        return verdict_block(REASON_LIST_STALE, ranks->stale_rule);
    return verdict_allow();
}

// -- rules -------------------------------------------------------------------------------------

static void on_shadow(void *ctx, unsigned op)
{
    const struct decide_case *c = ctx;
    const struct gate *gate = c->q->gate;

    if (c->unasked == gate->plan->op[op].rule) return; // whoever asks counts
    tally_add(c->d->tally, gate->rule[gate->plan->op[op].rule].tally);
}

// When the service may say something else.
static int64_t ask_again_s(const struct decide_case *c, unsigned rule)
{
    int64_t wait_ns = (int64_t)c->q->gate->plan->set->rule[rule].external.timeout_ms * 1000000;
    struct answer answer;

    if (decide_answer(c->d, c->view, c->q, rule, &answer))
        wait_ns = answer.until_ns - c->d->mono_ns;
    return c->d->wall_s + (wait_ns > 0 ? (wait_ns + 999999999) / 1000000000 : 1);
}

static struct verdict block_by(const struct decide_case *c, int op,
                               const struct judge_finding *finding, int *ret_rule)
{
    const struct gate *gate = c->q->gate;
    unsigned rule = gate->plan->op[op].rule;
    struct verdict v = verdict_block(finding->reason, gate->plan->set->rule[rule].name);

    v.type = gate->plan->op[op].type;
    v.call_result = finding->call_result;
    if (v.type == VERDICT_EXTERNAL) v.retry_at_s = ask_again_s(c, rule);
    *ret_rule = (int)rule;
    return v;
}

static struct verdict judge_rules(struct decide_case *c, struct judge_finding *finding,
                                  bool count_shadow, int *ret_rule)
{
    int op = judge_first(&c->judge, finding, count_shadow ? on_shadow : NULL, c);

    return op < 0 ? verdict_allow() : block_by(c, op, finding, ret_rule);
}

struct unasked {
    struct decide_case c;
    struct decide_ask *ask;
    unsigned count, max;
};

static void add_unasked(struct unasked *u, unsigned op, bool shadow)
{
    unsigned rule = u->c.judge.plan->op[op].rule;

    if (u->c.unasked != (int)rule || u->count == u->max) return;
    u->ask[u->count++] =
        (struct decide_ask){service_key(u->c.view, u->c.q, rule), (uint16_t)rule, shadow};
}

static void see_shadow(void *ctx, unsigned op)
{
    add_unasked(ctx, op, true);
}

unsigned decide_unasked(const struct decider *d, const struct view *view, const struct question *q,
                        struct decide_ask *ask, unsigned max)
{
    struct unasked u = {.ask = ask, .max = max - 1}; // one for the rule that blocks
    struct judge_finding finding;
    int op;

    if (q->input != REASON_ALLOWED || !q->gate->plan) return 0;
    if (judge_lists(d, view, q, q->now_s).type != VERDICT_NONE) return 0;
    decide_open(&u.c, d, view, q, q->now_s, false);
    op = judge_first(&u.c.judge, &finding, see_shadow, &u);
    u.max = max;
    if (op >= 0) add_unasked(&u, (unsigned)op, false);
    return u.count;
}

// Of two that pass the last free attempt at once, at least one sees the other's reservation here.
static struct verdict reserve(struct decide_case *c, const struct ledger_newest *before,
                              int *ret_rule)
{
    const struct decider *d = c->d;
    // the second under way is not over yet
    int64_t until_s = d->wall_s + c->q->gate->plan->set->reserve_s + 1;
    struct ledger_asker who = c->q->who;
    enum reserve_kept kept = RESERVE_FULL;
    struct judge_finding finding;
    struct verdict v;

    if (d->ledger) kept = ledger_reserve(d->ledger, &who, d->wall_s, until_s);
    if (kept == RESERVE_FULL)
        return verdict_block(REASON_RESERVATIONS_FULL, reason_rule(REASON_RESERVATIONS_FULL));
    who.holds_unnamed = who.guid == 0;
    if (ledger_unchanged(d->ledger, &who, before, d->wall_s)) return verdict_allow();
    c->who = &who;
    c->judge.counting = true; // the other rules have let the question pass at this very instant
    v = judge_rules(c, &finding, false, ret_rule);
    // what an earlier answer to the same guid holds stays
    if (v.type != VERDICT_NONE && kept == RESERVE_TAKEN) ledger_release(d->ledger, &who);
    return v;
}

struct verdict decide(const struct decider *d, const struct view *view, const struct question *q,
                      int *ret_rule)
{
    bool reserves = q->reserves && q->gate && q->gate->plan && q->gate->plan->counts;
    struct ledger_newest before = {0};
    struct judge_finding finding;
    struct decide_case c;
    struct verdict v;

    *ret_rule = -1;
    if (UNLIKELY(q->input != REASON_ALLOWED)) return verdict_block(q->input, reason_rule(q->input));
    v = judge_lists(d, view, q, q->now_s);
    if (v.type != VERDICT_NONE || !q->gate->plan) return v;
    decide_open(&c, d, view, q, q->now_s, false);
    if (reserves && d->ledger) ledger_newest(d->ledger, &q->who, &before);
    v = judge_rules(&c, &finding, d->tally != NULL, ret_rule);
    if (v.type == VERDICT_NONE && reserves) v = reserve(&c, &before, ret_rule);
    if (*ret_rule >= 0 && d->tally) tally_add(d->tally, q->gate->rule[*ret_rule].tally);
    return v;
}

// -- other instants ----------------------------------------------------------------------------

struct list_change {
    const uint16_t *rank;
    int64_t at_s, until_s;
};

static void see_change(void *ctx, const struct set_hit *hit)
{
    struct list_change *change = ctx;

    if (change->rank[hit->id] != SET_NO_RANK)
        look_at_span(hit->span, change->at_s, &change->until_s);
}

// The next instant at which an entry of a list that counts begins or ends, or a list grows stale.
static int64_t lists_until(const struct decider *d, const struct question *q, int64_t at_s)
{
    const struct ranks *ranks = &q->gate->ranks[q->channel];
    struct list_change change = {ranks->rank, at_s, INT64_MAX};

    for (int k = 0; k < QUESTION_KEYS; k++)
        if (q->has[k]) set_probe_each(d->set, &q->probe[k], see_change, &change);
    if (ranks->stale_at_s > at_s && ranks->stale_at_s < change.until_s)
        change.until_s = ranks->stale_at_s;
    return change.until_s;
}

// How long no rule that is enforced changes its mind.
static int64_t rules_until(const struct decide_case *c)
{
    int64_t until_s = INT64_MAX;

    for (unsigned op = 0; op < c->judge.plan->op_count; op++) {
        struct judge_finding finding = {.until_s = INT64_MAX};

        if (c->judge.plan->op[op].shadow) continue;
        judge_rule(&c->judge, op, &finding);
        if (finding.until_s < until_s) until_s = finding.until_s;
    }
    return until_s;
}

static int64_t later(int64_t until_s, int64_t at_s)
{
    return until_s > at_s ? until_s : at_s + 1;
}

struct verdict decide_at(const struct decider *d, const struct view *view, const struct question *q,
                         int64_t at_s, int64_t *ret_until_s, int *ret_rule)
{
    struct judge_finding finding;
    int64_t until_s = INT64_MAX;
    struct decide_case c;
    struct verdict v;

    *ret_rule = -1;
    *ret_until_s = INT64_MAX;
    if (q->input != REASON_ALLOWED) return verdict_block(q->input, reason_rule(q->input));
    v = judge_lists(d, view, q, at_s);
    *ret_until_s = later(lists_until(d, q, at_s), at_s);
    if (v.type != VERDICT_NONE || !q->gate->plan) return v;
    decide_open(&c, d, view, q, at_s, true);
    v = judge_rules(&c, &finding, false, ret_rule);
    until_s = *ret_rule >= 0 ? finding.until_s : rules_until(&c);
    if (*ret_rule >= 0)
        *ret_until_s = later(until_s, at_s); // a list could only block as well
    else if (until_s < *ret_until_s)
        *ret_until_s = later(until_s, at_s);
    return v;
}

struct retry {
    const struct decider *d;
    const struct view *view;
    const struct question *q;
    unsigned steps;
};

static bool is_allowed(void *ctx, int64_t at_s, int64_t *ret_until_s)
{
    struct retry *r = ctx;
    int rule;

    r->steps++;
    return decide_at(r->d, r->view, r->q, at_s, ret_until_s, &rule).type == VERDICT_NONE;
}

int64_t decide_retry(const struct decider *d, const struct view *view, const struct question *q,
                     int64_t from_s, unsigned steps, unsigned *ret_steps)
{
    struct retry r = {d, view, q, 0};
    int64_t next_s = when_next(is_allowed, &r, from_s, from_s + RETRY_AHEAD_S, steps);

    *ret_steps = r.steps;
    return next_s < 0 ? 0 : next_s;
}
