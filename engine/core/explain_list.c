// SPDX-License-Identifier: Apache-2.0
#include "engine/core/entry.h"
#include "engine/core/explain.h"
#include "engine/core/single.h"

// The key of the question that is of the list's kind; -1 when it has none.
static int key_for(const struct question *q, enum set_kind kind)
{
    if (kind == SET_CLIENT) return q->has[QUESTION_CLIENT] ? QUESTION_CLIENT : -1;
    if (kind == SET_EMAIL && q->has[QUESTION_EMAIL]) return QUESTION_EMAIL;
    return q->has[QUESTION_PHONE] ? QUESTION_PHONE : -1;
}

static void write_source(struct buf *out, const struct decider *d, const struct question *q,
                         unsigned id, const char *source, int key, bool *first)
{
    struct set_span span;
    bool now;

    if (key < 0 || !set_find(d->set, id, q->probe[key].key, &span)) return;
    now = span.from_s <= q->now_s && (q->now_s < span.till_s || span.till_s == SET_FOREVER);
    buf_printf(out, "%s{\"source\":\"%s\",\"in_force\":%s,", *first ? "" : ",", source,
               now ? "true" : "false");
    entry_write_span(out, span);
    buf_char(out, '}');
    *first = false;
}

static void write_list(struct buf *out, const struct decider *d, const struct question *q,
                       const struct view_list *l)
{
    const struct ranks *ranks = &q->gate->ranks[q->channel];
    int key = key_for(q, l->list.kind);
    bool first = true;

    buf_lit(out, "{\"list\":");
    buf_json(out, str_of(l->list.name));
    buf_printf(out, ",\"state\":\"%s\",\"required\":%s,\"counts\":%s,\"obtained_at\":",
               list_state_word(l->list.state), l->required ? "true" : "false",
               ranks->rank[list_id_base(l->list.number)] != SET_NO_RANK ? "true" : "false");
    single_write_instant(out, l->list.obtained_at_s);
    buf_lit(out, ",\"entries\":[");
    write_source(out, d, q, list_id_base(l->list.number), "file", key, &first);
    write_source(out, d, q, list_id_added(l->list.number), "api", key, &first);
    buf_lit(out, "]}");
}

void explain_write_lists(struct buf *out, const struct decider *d, const struct view *view,
                         const struct question *q)
{
    bool first = true;

    buf_char(out, '[');
    for (unsigned i = 0; i < view->list_count; i++) {
        if (!view_list_is_of(view, &view->list[i], q->tenant)) continue;
        if (!first) buf_char(out, ',');
        first = false;
        write_list(out, d, q, &view->list[i]);
    }
    buf_char(out, ']');
}
