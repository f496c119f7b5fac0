// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/ruleset_names.h"

#include <stdlib.h>

#include "engine/base/hash.h"

static struct ruleset_name *names_slot(const struct ruleset_names *n, struct str name,
                                       uint64_t hash)
{
    size_t at = hash & (n->room - 1);

    while (n->slot[at].name.ptr && (n->slot[at].hash != hash || !str_eq(n->slot[at].name, name)))
        at = (at + 1) & (n->room - 1);
    return &n->slot[at];
}

int ruleset_names_find(const struct ruleset_names *n, struct str name)
{
    const struct ruleset_name *found;

    if (n->room == 0) return -1;
    found = names_slot(n, name, hash_sum(name.ptr, name.size));
    return found->name.ptr ? found->number : -1;
}

static int names_grow(struct ruleset_names *n)
{
    struct ruleset_names big = {.room = n->room ? 2 * n->room : 64, .count = n->count};

    big.slot = calloc(big.room, sizeof *big.slot);
    if (!big.slot) return ERR_NOMEM;
    for (unsigned i = 0; i < n->room; i++)
        if (n->slot[i].name.ptr) *names_slot(&big, n->slot[i].name, n->slot[i].hash) = n->slot[i];
    free(n->slot);
    *n = big;
    return 0;
}

int ruleset_names_add(struct ruleset_names *n, struct str name, unsigned number)
{
    uint64_t hash = hash_sum(name.ptr, name.size);
    struct ruleset_name *slot;

    if (2 * n->count >= n->room && names_grow(n) < 0) return ERR_NOMEM;
    slot = names_slot(n, name, hash);
    if (slot->name.ptr) return slot->number;
    *slot = (struct ruleset_name){name, hash, (int)number};
    n->count++;
    return -1;
}

void ruleset_names_done(struct ruleset_names *n)
{
    free(n->slot);
    *n = (struct ruleset_names){0};
}
