// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/catalog.h"

#include "engine/base/check.h"

const char *list_state_word(enum list_state state)
{
    static const char *const words[] = {"empty", "loading", "ready", "reloading"};

    return (unsigned)state < COUNT_OF(words) ? words[state] : "unknown";
}

const struct list *catalog_find(const struct catalog *c, struct str tenant, struct str name)
{
    const struct list *shared = NULL;

    for (unsigned i = 0; c && i < c->count; i++) {
        const struct list *l = &c->list[i];

        if (!str_eq(str_of(l->name), name)) continue;
        if (str_eq(str_of(l->tenant), tenant)) return l;
        if (str_eq(str_of(l->tenant), STR("*"))) shared = l;
    }
    return shared;
}
