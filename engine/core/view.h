// SPDX-License-Identifier: Apache-2.0
//
// view: what decisions are made under: an immutable picture of lists, rules and tenants.
//
// feed's thread makes a new one whenever the catalog, the rules or the settings change and
// publishes it by pointer; a worker loads it once a turn. Flat tables, so that a decision compares
// no names: a question finds its gate (tenant and campaign group) once; the gate has a table a
// channel, where rank[id] says whether an id of the sets counts and in which order it names the
// block.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/core/rulebook.h"
#include "engine/core/tenant.h"
#include "engine/core/token.h"
#include "engine/feed/catalog.h"
#include "engine/net/http.h"
#include "engine/wire/verdict.h"

#define VIEW_NO_LIST UINT16_MAX

// The lists of one gate and one channel; [CHANNEL_ANY] counts every list.
struct ranks {
    uint16_t rank[LIMIT_SET_IDS]; // SET_NO_RANK = does not count; else the index in view.list
    enum reason not_ready;        // REASON_ALLOWED, or why everything is blocked
    struct str not_ready_rule;    // that list, or reason_rule
    // From this instant on a list is older than its max_age, and which one. INT64_MAX = never.
    int64_t stale_at_s;
    struct str stale_rule;
};

// What decides for one campaign group (or for all that have no plan).
struct gate {
    const struct rule_plan *plan; // NULL = no rule set
    const struct rulebook_rule *rule;
    const struct ranks *ranks; // [CHANNEL_COUNT + 1]; gates with the same lists share them
};

struct view_tenant {
    const struct rulebook_tenant *book;
    uint64_t hash; // hash_keyed of the tenant's name, for ledger_key
    unsigned gate_count;
    struct gate *gate;   // at the indices of book->plan
    struct ranks *ranks; // owns what gates share
    unsigned ranks_count;
    uint16_t *list_of;  // of each ruleset.list_name: index in view.list, or VIEW_NO_LIST
    struct str missing; // a required list of the rule set that does not exist; absent = none
};

// A result of /v1/decisions as text, for a verdict that is not bound to an instant: a comma, the
// object, a newline. A JSON batch has use for the one, NDJSON for the other.
#define VIEW_RESULT_BYTES 248 // 140 and a list's name
struct view_result {
    uint16_t size_bytes;
    char text[VIEW_RESULT_BYTES];
};

// A list as answers name it.
struct view_list {
    struct list list;
    bool required;              // by --list, or by the rule set of a tenant that declares it
    struct http_canned blocked; // the whole 409 for a block by this list
    struct view_result result;  // of a block by this list
};

// What SIGHUP may change beside lists and rules.
struct view_settings {
    enum ocs_body ocs_body;
    char ocs_token[TOKEN_BYTES + 1]; // "" = /ocs is open
    struct tokens tokens;
};

struct view {
    const struct tenants *tenants;
    struct rulebook *book;
    struct view_settings settings;
    unsigned list_count;
    // Every required list is loaded, and there is a list or a rule set. With a sole tenant its rule
    // set's required lists exist, too.
    bool ready;
    bool ruled;                 // some tenant has a rule set
    uint64_t seed;              // of group and guid hashes
    struct view_result allowed; // of what is on no list
    struct view_list *list;
    struct view_tenant *tenant;
};

// NULL when memory is out. `tenants` outlives the view; it takes a reference of `book`.
struct view *view_new(const struct tenants *tenants, const struct catalog *catalog,
                      struct rulebook *book, const struct view_settings *settings, uint64_t seed);
void view_free(void *view);

// The gate of a tenant's campaign group (absent = none named). Never NULL.
static inline const struct gate *view_gate(const struct view *v, unsigned tenant, struct str group)
{
    const struct view_tenant *t = &v->tenant[tenant];

    return &t->gate[rulebook_plan(t->book, group)];
}
// A verdict's result, prebuilt; NULL when it has to be written (verdict_write_result).
static inline const struct view_result *view_result(const struct view *v,
                                                    const struct verdict *verdict)
{
    if (verdict->type == VERDICT_NONE) return &v->allowed;
    if (verdict->list != VIEW_NO_LIST && verdict->retry_at_s == 0)
        return &v->list[verdict->list].result;
    return NULL;
}
// Room that any result needs at most.
size_t view_result_bytes_max(const struct view *v);
// Why an entry of such a list blocks.
enum reason view_listed_reason(enum set_kind kind);
// By tenant index and name; a tenant's own list comes before a shared one. NULL when there is none.
const struct view_list *view_find(const struct view *v, unsigned tenant, struct str name);
// True when the list is the tenant's own or shared.
bool view_list_is_of(const struct view *v, const struct view_list *l, unsigned tenant);
