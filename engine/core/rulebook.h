// SPDX-License-Identifier: Apache-2.0
//
// rulebook: the rule sets of all tenants, compiled: what views of one time share. Immutable once
// made; shared by reference count. Made by the feed thread whenever a rule set or the atlas is
// another one; a change of lists alone keeps the book.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "engine/core/atlas.h"
#include "engine/core/kinds.h"
#include "engine/core/tally.h"
#include "engine/core/tenant.h"
#include "engine/net/http.h"
#include "engine/rule/rule_plan.h"
#include "engine/wire/record.h"

// Bounds of what one tenant's plans cost: rules, each counted in every kind of plan where it holds
// (some 150 bytes each), and selections of lists (some 8 KiB each, in every view).
#define RULEBOOK_OPS_MAX   262144
#define RULEBOOK_LISTS_MAX 1024

// What belongs to one rule of a ruleset, at the same index.
struct rulebook_rule {
    uint16_t tally;
    uint64_t service;            // EXTERNAL: hash of (tenant, name, url)
    struct http_canned *blocked; // the whole 409 with all keys; NULL = it does not fit
};

struct rulebook_tenant {
    struct ruleset *set;     // NULL = no rule set: lists alone decide
    unsigned plan_count;     // 1 + set->plan_count: [0] for groups that have none, then set->plan
    struct kinds by_rules;   // which of them share a rule_plan
    struct kinds by_lists;   // and which a selection of lists
    struct rule_plan **plan; // by_rules.count of them
    uint16_t *group;         // by hash of the campaign group: 1 + i; 0 = free
    unsigned group_mask;
    struct rulebook_rule *rule;
};

struct rulebook {
    atomic_uint refs;
    struct atlas *atlas;          // NULL only in a book without any rule set
    struct record_keys *ocs_keys; // GSW names and what the rule sets name
    struct record_keys *v1_keys;  // and the names of /v1
    // Fields of rules that are named like members of /v1 ("state"): in an OCS record a field of the
    // user's, in a /v1 record the member itself. Their slot, and the member's.
    struct {
        uint8_t slot, member;
    } alias[RULESET_FIELDS_MAX];
    unsigned alias_count;
    size_t name_bytes_max; // of the longest rule name, as JSON
    uint32_t window_max_s; // of all rule sets
    unsigned tenant_count;
    struct rulebook_tenant tenant[];
};

// `sets[i]` is tenant i's (NULL = none); the book takes a reference of each and of the atlas.
// ERR_NOMEM, ERR_FULL with a sentence (too many fields of all tenants together, too many tests,
// plans that differ too much).
int rulebook_new(struct rulebook **ret, const struct tenants *tenants, struct ruleset *const *sets,
                 struct atlas *atlas, struct tally *tally, struct err_info *info);
struct rulebook *rulebook_ref(struct rulebook *b);
void rulebook_unref(struct rulebook *b); // NULL is fine

// Which plan holds for a campaign group: 0 = what is required, 1 + i = set->plan[i].
unsigned rulebook_plan(const struct rulebook_tenant *t, struct str group);

// After a record was read with v1_keys: gives aliases their values.
static inline void rulebook_alias(const struct rulebook *b, struct record *record)
{
    for (unsigned i = 0; i < b->alias_count; i++) {
        unsigned slot = b->alias[i].slot, member = b->alias[i].member;

        if (!(record->present >> member & 1)) continue;
        record->value[slot] = record->value[member];
        record->present |= 1ull << slot;
    }
}
