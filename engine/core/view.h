// SPDX-License-Identifier: Apache-2.0
//
// view: what decisions are made under: an immutable picture of lists and tenants.
//
// feed's thread makes a new one whenever the catalog changes and publishes it by pointer; a worker
// loads it once a turn. Flat tables, so that a decision compares no names: for each tenant and
// channel, rank[id] says whether an id of the sets counts and in which order it names the block.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/core/tenant.h"
#include "engine/core/token.h"
#include "engine/feed/catalog.h"
#include "engine/net/http.h"
#include "engine/wire/verdict.h"

// One tenant's view of one channel; [CHANNEL_ANY] counts every list.
struct plan {
    uint16_t rank[LIMIT_SET_IDS]; // SET_NO_RANK = does not count; else the index in view.list
    enum reason not_ready;        // REASON_ALLOWED, or why everything is blocked
    uint16_t not_ready_list;      // index of the list that is not loaded
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
    struct http_canned blocked; // the whole 409 for a block by this list
    struct view_result result;  // of a block by this list
};

// What SIGHUP may change beside the lists.
struct view_settings {
    enum ocs_body ocs_body;
    char ocs_token[TOKEN_BYTES + 1]; // "" = /ocs is open
    struct tokens tokens;
};

struct view {
    const struct tenants *tenants;
    struct view_settings settings;
    unsigned list_count;
    bool ready;                 // every required list is loaded, and there is one
    struct view_result allowed; // of what is on no list
    struct view_list *list;
    struct plan *plan; // [tenant * (CHANNEL_COUNT + 1) + channel]
};

// NULL when memory is out. `tenants` outlives the view.
struct view *view_new(const struct tenants *tenants, const struct catalog *catalog,
                      const struct view_settings *settings);
void view_free(void *view);

static inline const struct plan *view_plan(const struct view *v, unsigned tenant,
                                           enum channel channel)
{
    return &v->plan[tenant * (CHANNEL_COUNT + 1) + channel];
}
// A verdict's result, prebuilt; NULL when it has to be written (verdict_write_result).
static inline const struct view_result *view_result(const struct view *v,
                                                    const struct verdict *verdict)
{
    if (verdict->type == VERDICT_NONE) return &v->allowed;
    if (verdict->type == VERDICT_SUPPRESSION && verdict->retry_at_s == 0)
        return &v->list[verdict->list].result;
    return NULL;
}
// Why an entry of such a list blocks.
enum reason view_listed_reason(enum set_kind kind);
// By tenant index and name; a tenant's own list comes before a shared one. NULL when there is none.
const struct view_list *view_find(const struct view *v, unsigned tenant, struct str name);
// True when the list is the tenant's own or shared.
bool view_list_is_of(const struct view *v, const struct view_list *l, unsigned tenant);
