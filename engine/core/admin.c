// SPDX-License-Identifier: Apache-2.0
//
// What an operator and a balancer ask: alive, ready, metrics.
#include "engine/core/engine.h"
#include "engine/core/routes.h"
#include "engine/core/text.h"

void admin_on_livez(void *ctx, struct conn *conn, const struct http_request *req)
{
    (void)req;
    worker_flush(ctx);
    conn_answer(conn, 200, STR("application/json"), STR("{\"live\":true}"));
}

static void write_reasons(struct buf *out, const struct view *view, bool draining)
{
    bool first = true;

    if (draining) {
        buf_json(out, STR("shutting down"));
        first = false;
    }
    if (view->list_count == 0 && !view->ruled) {
        if (!first) buf_char(out, ',');
        buf_json(out, reason_text(REASON_NOTHING_LOADED));
        first = false;
    }
    for (unsigned i = 0; i < view->tenants->count; i++) {
        char memory[512];
        struct buf text;

        if (!view->tenant[i].missing.ptr) continue;
        buf_wrap(&text, memory, sizeof memory);
        buf_printf(&text, "list %.*s that the rules of tenant %s require does not exist",
                   STR_ARG(view->tenant[i].missing), view->tenants->tenant[i].name);
        if (!first) buf_char(out, ',');
        buf_json(out, buf_view(&text));
        first = false;
    }
    for (unsigned i = 0; i < view->list_count; i++) {
        const struct list *list = &view->list[i].list;

        if (!view->list[i].required || list->state != LIST_LOADING) continue;
        buf_printf(out, "%s\"list %s of tenant %s is loading\"", first ? "" : ",", list->name,
                   list->tenant);
        first = false;
    }
}

void admin_on_readyz(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    const struct view *view;
    bool draining, ready;
    struct buf out;

    (void)req;
    worker_flush(w);
    view = worker_view(w);
    draining = atomic_load(&w->engine->draining);
    ready = view->ready && !draining;
    buf_init(&out, TEXT_BYTES_MAX);
    buf_printf(&out, "{\"ready\":%s,\"reasons\":[", ready ? "true" : "false");
    write_reasons(&out, view, draining);
    buf_lit(&out, "]}");
    text_answer(conn, ready ? 200 : 503, STR("application/json"), &out);
}

static void write_list(struct buf *out, enum metric m, const struct list *list, const char *source,
                       uint64_t value)
{
    buf_printf(out, "%s{tenant=\"%s\",list=\"%s\"%s%s%s} %llu\n", metric_rows[m].family,
               list->tenant, list->name, source[0] ? ",source=\"" : "", source,
               source[0] ? "\"" : "", (unsigned long long)value);
}

static void write_lists(struct buf *out, const struct view *view, const struct set *set)
{
    metric_write_head(out, METRIC_LIST_ENTRIES);
    for (unsigned i = 0; i < view->list_count; i++) {
        const struct list *list = &view->list[i].list;

        write_list(out, METRIC_LIST_ENTRIES, list, "file",
                   set_count(set, list_id_base(list->number)));
        write_list(out, METRIC_LIST_ENTRIES, list, "api",
                   set_count(set, list_id_added(list->number)));
        write_list(out, METRIC_LIST_ENTRIES, list, "lifted",
                   set_count(set, list_id_lifted(list->number)));
    }
    metric_write_head(out, METRIC_LIST_LOADED);
    for (unsigned i = 0; i < view->list_count; i++)
        write_list(out, METRIC_LIST_LOADED, &view->list[i].list, "",
                   (uint64_t)view->list[i].list.loaded_at_s);
    metric_write_head(out, METRIC_LIST_INVALID);
    for (unsigned i = 0; i < view->list_count; i++)
        write_list(out, METRIC_LIST_INVALID, &view->list[i].list, "",
                   view->list[i].list.rows.invalid);
}

// A line whose labels say something and whose value is 1.
static void write_version(struct buf *out, enum metric m, const char *tenant, struct str version)
{
    buf_printf(out, "%s{", metric_rows[m].family);
    if (tenant[0]) buf_printf(out, "tenant=\"%s\",", tenant);
    buf_lit(out, "version=\"");
    tally_write_label(out, version);
    buf_lit(out, "\"} 1\n");
}

static void write_rules(struct buf *out, const struct view *view, struct engine *e)
{
    const struct rulebook *book = view->book;

    if (book->atlas) {
        metric_write_head(out, METRIC_TZDATA_INFO);
        write_version(out, METRIC_TZDATA_INFO, "", str_of(zones_version(book->atlas->zones)));
        metric_write_head(out, METRIC_PLACES_INFO);
        write_version(out, METRIC_PLACES_INFO, "", str_of(places_version()));
    }
    if (!view->ruled) return;
    metric_write_head(out, METRIC_RULES_INFO);
    for (unsigned i = 0; i < book->tenant_count; i++)
        if (book->tenant[i].set)
            write_version(out, METRIC_RULES_INFO, view->tenants->tenant[i].name,
                          book->tenant[i].set->version);
    metric_write_head(out, METRIC_RULE_BLOCKS);
    tally_write(&e->tally, out, metric_rows[METRIC_RULE_BLOCKS].family);
}

void admin_on_metrics(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    struct buf out;

    (void)req;
    worker_flush(w);
    buf_init(&out, TEXT_BYTES_MAX);
    metric_write(&out);
    write_lists(&out, worker_view(w), w->engine->set);
    write_rules(&out, worker_view(w), w->engine);
    text_answer(conn, 200, STR("text/plain; version=0.0.4; charset=utf-8"), &out);
}
