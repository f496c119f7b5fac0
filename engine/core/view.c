// SPDX-License-Identifier: Apache-2.0
#include "engine/core/view.h"

#include <stdlib.h>

#include "engine/base/check.h"

#define PLANS_OF_TENANT (CHANNEL_COUNT + 1)

static_assert(LIMIT_LISTS * 3 < LIMIT_SET_IDS, "every list has its three ids");

bool view_list_is_of(const struct view *v, const struct view_list *l, unsigned tenant)
{
    struct str owner = str_of(l->list.tenant);

    return str_eq(owner, STR("*")) || str_eq(owner, str_of(v->tenants->tenant[tenant].name));
}

static void plan_add(struct plan *plan, const struct list *list, uint16_t index)
{
    plan->rank[list_id_base(list->number)] = index;
    plan->rank[list_id_added(list->number)] = index;
    if (list->required && list->state == LIST_LOADING && plan->not_ready != REASON_LIST_LOADING) {
        plan->not_ready = REASON_LIST_LOADING;
        plan->not_ready_list = index;
    }
}

static void plan_init(const struct view *v, unsigned tenant, enum channel channel)
{
    struct plan *plan = &v->plan[tenant * PLANS_OF_TENANT + channel];
    bool any = false;

    plan->not_ready = REASON_ALLOWED;
    for (unsigned id = 0; id < LIMIT_SET_IDS; id++) plan->rank[id] = SET_NO_RANK;
    for (unsigned i = 0; i < v->list_count; i++) {
        const struct view_list *l = &v->list[i];
        enum channel at = l->list.channel;

        if (!view_list_is_of(v, l, tenant)) continue;
        any = true;
        // a question whose medium is unknown is held against every list
        if (at == CHANNEL_ANY || channel == CHANNEL_ANY || at == channel)
            plan_add(plan, &l->list, (uint16_t)i);
    }
    if (!any) plan->not_ready = REASON_NOTHING_LOADED;
}

enum reason view_listed_reason(enum set_kind kind)
{
    switch (kind) {
    case SET_CLIENT:
        return REASON_CLIENT_LISTED;
    case SET_EMAIL:
        return REASON_EMAIL_LISTED;
    case SET_DEVICE:
        break;
    }
    return REASON_DEVICE_LISTED;
}

static void result_init(struct view_result *r, const struct verdict *verdict)
{
    struct buf text;

    buf_wrap(&text, r->text, sizeof r->text);
    buf_char(&text, ',');
    verdict_write_result(&text, verdict);
    buf_char(&text, '\n');
    CHECK(!text.failed);
    r->size_bytes = (uint16_t)text.size_bytes;
}

static void list_init(struct view *v, unsigned i, const struct list *list)
{
    struct view_list *l = &v->list[i];
    char memory[HTTP_CANNED_BYTES];
    struct verdict verdict;
    struct buf body;

    l->list = *list;
    verdict = verdict_block(view_listed_reason(list->kind), str_of(l->list.name));
    buf_wrap(&body, memory, sizeof memory);
    verdict_write_ocs(&body, &verdict, v->settings.ocs_body);
    CHECK(!body.failed);
    CHECK(http_canned_init(&l->blocked, 409, STR("application/json"), buf_view(&body)));
    result_init(&l->result, &verdict);
}

struct view *view_new(const struct tenants *tenants, const struct catalog *catalog,
                      const struct view_settings *settings)
{
    struct view *v = calloc(1, sizeof *v);
    unsigned plans = tenants->count * PLANS_OF_TENANT;
    struct verdict allow = verdict_allow();

    if (!v) return NULL;
    v->tenants = tenants;
    v->settings = *settings;
    v->list_count = catalog->count;
    v->list = calloc(catalog->count ? catalog->count : 1, sizeof *v->list);
    v->plan = calloc(plans, sizeof *v->plan);
    if (!v->list || !v->plan) {
        view_free(v);
        return NULL;
    }
    result_init(&v->allowed, &allow);
    v->ready = catalog->count > 0;
    for (unsigned i = 0; i < catalog->count; i++) {
        list_init(v, i, &catalog->list[i]);
        if (catalog->list[i].required && catalog->list[i].state == LIST_LOADING) v->ready = false;
    }
    for (unsigned p = 0; p < plans; p++)
        plan_init(v, p / PLANS_OF_TENANT, (enum channel)(p % PLANS_OF_TENANT));
    return v;
}

void view_free(void *view)
{
    struct view *v = view;

    if (!v) return;
    free(v->list);
    free(v->plan);
    free(v);
}

const struct view_list *view_find(const struct view *v, unsigned tenant, struct str name)
{
    const struct view_list *shared = NULL;

    for (unsigned i = 0; i < v->list_count; i++) {
        const struct view_list *l = &v->list[i];

        if (!str_eq(name, str_of(l->list.name)) || !view_list_is_of(v, l, tenant)) continue;
        if (!str_eq(str_of(l->list.tenant), STR("*"))) return l;
        shared = l;
    }
    return shared;
}
