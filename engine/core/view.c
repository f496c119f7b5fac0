// SPDX-License-Identifier: Apache-2.0
#include "engine/core/view.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/core/ranks.h"

bool view_list_is_of(const struct view *v, const struct view_list *l, unsigned tenant)
{
    struct str owner = str_of(l->list.tenant);

    return str_eq(owner, STR("*")) || str_eq(owner, str_of(v->tenants->tenant[tenant].name));
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

size_t view_result_bytes_max(const struct view *v)
{
    size_t rule = v->book->name_bytes_max;

    // the words round a rule's name and its reason, beyond what a list's result holds
    return VIEW_RESULT_BYTES + CLOCK_TEXT_SIZE + (v->ruled ? rule + 128 : 0);
}

// Is there a tenant for whom the list is required?
static bool is_required(const struct view *v, const struct view_list *l)
{
    bool declared = false;

    for (unsigned i = 0; i < v->tenants->count; i++) {
        const struct ruleset *set = v->tenant[i].book->set;

        if (!set || !view_list_is_of(v, l, i)) continue;
        for (unsigned k = 0; k < set->list_count; k++) {
            if (!str_eq(set->list[k].name, str_of(l->list.name))) continue;
            if (set->list[k].required) return true;
            declared = true;
        }
    }
    return !declared && l->list.required;
}

static void list_init(struct view *v, unsigned i, const struct list *list)
{
    struct view_list *l = &v->list[i];
    char memory[HTTP_CANNED_BYTES];
    struct verdict verdict;
    struct buf body;

    l->list = *list;
    l->required = is_required(v, l);
    verdict = verdict_block(view_listed_reason(list->kind), str_of(l->list.name));
    buf_wrap(&body, memory, sizeof memory);
    verdict_write_ocs(&body, &verdict, v->settings.ocs_body);
    CHECK(!body.failed);
    CHECK(http_canned_init(&l->blocked, 409, STR("application/json"), buf_view(&body)));
    result_init(&l->result, &verdict);
}

static int tenants_init(struct view *v)
{
    int err = 0;

    for (unsigned i = 0; i < v->tenants->count && !err; i++) {
        err = ranks_make(v, i);
        // one of many tenants that asks for too much is blocked alone: the others are answered
        if (v->tenant[i].missing.ptr && v->tenants->count == 1) v->ready = false;
    }
    return err;
}

struct view *view_new(const struct tenants *tenants, const struct catalog *catalog,
                      struct rulebook *book, const struct view_settings *settings, uint64_t seed)
{
    struct view *v = calloc(1, sizeof *v);
    struct verdict allow = verdict_allow();

    if (!v) return NULL;
    v->tenants = tenants;
    v->book = rulebook_ref(book);
    v->settings = *settings;
    v->seed = seed;
    v->list_count = catalog->count;
    v->list = calloc(catalog->count ? catalog->count : 1, sizeof *v->list);
    v->tenant = calloc(tenants->count, sizeof *v->tenant);
    if (!v->list || !v->tenant) {
        view_free(v);
        return NULL;
    }
    result_init(&v->allowed, &allow);
    for (unsigned i = 0; i < tenants->count; i++) {
        struct str name = str_of(tenants->tenant[i].name);

        v->tenant[i].book = &book->tenant[i];
        v->tenant[i].hash = hash_keyed(seed, name.ptr, name.size);
        v->ruled |= book->tenant[i].set != NULL;
    }
    v->ready = catalog->count > 0 || v->ruled;
    for (unsigned i = 0; i < catalog->count; i++) {
        list_init(v, i, &catalog->list[i]);
        if (v->list[i].required && catalog->list[i].state == LIST_LOADING) v->ready = false;
    }
    if (tenants_init(v) < 0) {
        view_free(v);
        return NULL;
    }
    return v;
}

void view_free(void *view)
{
    struct view *v = view;

    if (!v) return;
    for (unsigned i = 0; v->tenant && i < v->tenants->count; i++) ranks_done(&v->tenant[i]);
    rulebook_unref(v->book);
    free(v->list);
    free(v->tenant);
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
