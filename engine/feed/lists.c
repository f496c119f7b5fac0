// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/lists.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/check.h"

struct lists_entry *lists_find(struct lists *l, const char *tenant, const char *name)
{
    for (unsigned i = 0; i < l->count; i++)
        if (strcmp(l->at[i].pub.tenant, tenant) == 0 && strcmp(l->at[i].pub.name, name) == 0)
            return &l->at[i];
    return NULL;
}

int lists_define(struct lists *l, unsigned number, const struct logrec_define *define)
{
    struct lists_entry *e;

    if (number > l->count || number >= LIMIT_LISTS) return ERR_CORRUPT;
    if (define->kind < SET_DEVICE || define->kind > SET_EMAIL || define->channel > CHANNEL_ANY)
        return ERR_CORRUPT;
    e = &l->at[number];
    if (number == l->count) {
        *e = (struct lists_entry){.report_fd = -1, .order = LIMIT_LISTS + number};
        e->pub.number = (uint16_t)number;
        e->pub.kind = (enum set_kind)define->kind;
        memcpy(e->pub.tenant, define->tenant, sizeof e->pub.tenant);
        memcpy(e->pub.name, define->name, sizeof e->pub.name);
        l->count++;
    } else if ((uint8_t)e->pub.kind != define->kind || strcmp(e->pub.name, define->name) != 0 ||
               strcmp(e->pub.tenant, define->tenant) != 0) {
        return ERR_CORRUPT;
    }
    e->pub.channel = (enum channel)define->channel;
    e->pub.required = define->required;
    memcpy(e->region, define->region, sizeof e->region);
    return 0;
}

void lists_describe(const struct list_spec *spec, struct logrec_define *ret)
{
    *ret = (struct logrec_define){
        .kind = (uint8_t)spec->kind, .channel = (uint8_t)spec->channel, .required = spec->required};
    str_copy(ret->region, sizeof ret->region, str_of(spec->region));
    str_copy(ret->tenant, sizeof ret->tenant, str_of(spec->tenant));
    str_copy(ret->name, sizeof ret->name, str_of(spec->name));
}

void lists_subject(const struct lists_entry *e, char *dst, size_t size_bytes)
{
    if (strcmp(e->pub.tenant, "default") == 0)
        snprintf(dst, size_bytes, "list %s", e->pub.name);
    else
        snprintf(dst, size_bytes, "list %s/%s", e->pub.tenant, e->pub.name);
}

int lists_restore(struct lists *l, const struct snapfile *f)
{
    for (unsigned i = 0; i < f->head->list_count; i++) {
        const struct snapfile_list *s = &f->lists[i];
        struct logrec_define define = {
            .kind = s->kind, .channel = s->channel, .required = s->required != 0};
        struct lists_entry *e;

        memcpy(define.region, s->region, sizeof define.region);
        memcpy(define.tenant, s->tenant, sizeof define.tenant);
        memcpy(define.name, s->name, sizeof define.name);
        if (s->number != i || lists_define(l, i, &define)) return ERR_CORRUPT;
        e = &l->at[i];
        e->has_content = s->has_file;
        if (!s->has_file) continue;
        e->content = (struct file_id){s->file_bytes, s->file_stamp, s->file_stamp != 0, s->file_sum,
                                      s->file_written_s};
        e->pub.obtained_at_s = s->file_written_s;
        e->lift_sum = s->file_sum;
        memcpy(e->content_region, s->region, sizeof e->content_region);
        e->pub.rows = (struct list_rows){s->rows,    s->accepted,   s->duplicates,
                                         s->invalid, s->suppressed, s->skipped};
        e->pub.loaded_at_s = s->loaded_at_s;
        e->pub.load_ms = s->load_ms;
        e->pub.from_snapshot = true;
        e->pub.state = LIST_READY;
    }
    return 0;
}

struct snapfile_list *lists_save(const struct lists *l)
{
    struct snapfile_list *table = calloc(l->count + 1, sizeof *table);

    for (unsigned i = 0; table && i < l->count; i++) {
        const struct lists_entry *e = &l->at[i];
        struct snapfile_list *s = &table[i];

        s->number = (uint16_t)i;
        s->kind = (uint8_t)e->pub.kind;
        s->channel = (uint8_t)e->pub.channel;
        s->required = e->pub.required;
        s->has_file = e->has_content;
        memcpy(s->region, e->has_content ? e->content_region : e->region, sizeof s->region);
        memcpy(s->tenant, e->pub.tenant, sizeof s->tenant);
        memcpy(s->name, e->pub.name, sizeof s->name);
        if (!e->has_content) continue;
        s->file_bytes = e->content.size_bytes;
        s->file_stamp = e->content.settled ? e->content.stamp : 0;
        s->file_sum = e->content.sum;
        s->file_written_s = e->content.written_s;
        s->rows = e->pub.rows.rows;
        s->accepted = e->pub.rows.accepted;
        s->duplicates = e->pub.rows.duplicates;
        s->invalid = e->pub.rows.invalid;
        s->suppressed = e->pub.rows.suppressed;
        s->skipped = e->pub.rows.skipped;
        s->loaded_at_s = e->pub.loaded_at_s;
        s->load_ms = e->pub.load_ms;
    }
    return table;
}

struct catalog *lists_catalog(const struct lists *l, uint64_t version)
{
    struct catalog *c = malloc(sizeof *c + l->count * sizeof c->list[0]);
    unsigned orders[LIMIT_LISTS];

    if (!c) return NULL;
    c->version = version;
    c->count = l->count;
    for (unsigned i = 0; i < l->count; i++) { // insertion by order; there are few lists
        unsigned at = i;

        for (; at > 0 && orders[at - 1] > l->at[i].order; at--) {
            orders[at] = orders[at - 1];
            c->list[at] = c->list[at - 1];
        }
        orders[at] = l->at[i].order;
        c->list[at] = l->at[i].pub;
    }
    return c;
}
