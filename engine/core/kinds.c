// SPDX-License-Identifier: Apache-2.0
#include "engine/core/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/base/hash.h"

// What a gate is told apart by.
struct trait {
    const uint16_t *named;
    unsigned count;
    uint8_t more[3];
};

static struct trait trait_of(const struct ruleset *set, unsigned gate, enum kinds_by by)
{
    const struct ruleset_plan *plan;

    if (gate == 0) return (struct trait){0};
    plan = &set->plan[gate - 1];
    if (by == KINDS_BY_LISTS)
        return (struct trait){&set->named_list[plan->lists.first], plan->lists.count, {0}};
    return (struct trait){&set->named_rule[plan->rules.first],
                          plan->rules.count,
                          {plan->zone_from, plan->purposes, plan->dialing}};
}

static bool is_same(const struct trait *a, const struct trait *b)
{
    if (a->count != b->count || memcmp(a->more, b->more, sizeof a->more) != 0) return false;
    return a->count == 0 || memcmp(a->named, b->named, a->count * sizeof a->named[0]) == 0;
}

static unsigned sum_of(const struct trait *t)
{
    uint64_t sum = hash_sum(t->more, sizeof t->more);

    if (t->count) sum = hash_keyed(sum, t->named, t->count * sizeof t->named[0]);
    return (unsigned)sum;
}

int kinds_find(struct kinds *k, const struct ruleset *set, enum kinds_by by)
{
    unsigned gates = 1 + set->plan_count, size = 4;
    uint16_t *table;
    int err;

    while (size < 2 * gates) size *= 2;
    table = calloc(size, sizeof *table); // 1 + kind, by sum; 0 = free
    k->count = 0;
    k->of = calloc(gates, sizeof *k->of);
    k->first = calloc(gates, sizeof *k->first);
    for (unsigned gate = 0; table && k->of && k->first && gate < gates; gate++) {
        struct trait own = trait_of(set, gate, by), other;
        unsigned at = sum_of(&own) & (size - 1);

        for (; table[at]; at = (at + 1) & (size - 1)) {
            other = trait_of(set, k->first[table[at] - 1], by);
            if (is_same(&own, &other)) break;
        }
        if (!table[at]) {
            k->first[k->count] = (uint16_t)gate;
            table[at] = (uint16_t)++k->count;
        }
        k->of[gate] = (uint16_t)(table[at] - 1);
    }
    err = table && k->of && k->first ? 0 : ERR_NOMEM;
    free(table);
    return err;
}

void kinds_done(struct kinds *k)
{
    free(k->of);
    free(k->first);
    *k = (struct kinds){0};
}
