// SPDX-License-Identifier: Apache-2.0
#include "engine/core/decide.h"

#include "engine/base/check.h"

void decide_fetch(const struct set *set, struct question *q)
{
    for (int k = 0; k < QUESTION_KEYS; k++)
        if (q->has[k]) set_probe_fetch(set, &q->probe[k]);
}

static struct verdict not_ready(const struct view *view, const struct plan *plan)
{
    struct str rule = reason_rule(plan->not_ready);

    if (plan->not_ready == REASON_LIST_LOADING)
        rule = str_of(view->list[plan->not_ready_list].list.name);
    return verdict_block(plan->not_ready, rule);
}

struct verdict decide(const struct view *view, const struct set *set, const struct question *q)
{
    const struct plan *plan;
    const struct view_list *l;
    struct set_hit hit, best_hit = {0};
    uint16_t best = SET_NO_RANK;
    struct verdict v;

    if (UNLIKELY(q->input != REASON_ALLOWED)) return verdict_block(q->input, reason_rule(q->input));
    plan = view_plan(view, q->tenant, q->channel);
    if (UNLIKELY(plan->not_ready != REASON_ALLOWED)) return not_ready(view, plan);
    for (int k = 0; k < QUESTION_KEYS; k++) {
        uint16_t rank;

        if (!q->has[k]) continue;
        rank = set_probe_best(set, &q->probe[k], plan->rank, q->now_s, &hit);
        if (rank >= best) continue;
        best = rank;
        best_hit = hit;
    }
    if (best == SET_NO_RANK) return verdict_allow();
    CHECK(best < view->list_count);
    l = &view->list[best];
    v = verdict_block(view_listed_reason(l->list.kind), str_of(l->list.name));
    v.list = best;
    if (best_hit.span.till_s != SET_FOREVER) v.retry_at_s = best_hit.span.till_s;
    return v;
}
