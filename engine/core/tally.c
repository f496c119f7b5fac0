// SPDX-License-Identifier: Apache-2.0
#include "engine/core/tally.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/base/hash.h"

#define INDEX_MASK (2 * TALLY_SLOTS - 1)

void tally_init(struct tally *t)
{
    memset(t, 0, sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    t->count = 1;
}

void tally_done(struct tally *t)
{
    for (unsigned i = 1; i < t->count; i++) {
        free(t->name[i].tenant);
        free(t->name[i].rule);
    }
    while (t->rows) {
        struct tally_row *row = t->rows;

        t->rows = row->next;
        free(row);
    }
    pthread_mutex_destroy(&t->lock);
}

struct tally_row *tally_row_new(struct tally *t)
{
    struct tally_row *row = calloc(1, sizeof *row);

    if (!row) return NULL;
    pthread_mutex_lock(&t->lock);
    row->next = t->rows;
    t->rows = row;
    pthread_mutex_unlock(&t->lock);
    return row;
}

static bool is_name(const struct tally_name *n, struct str tenant, struct str rule, bool shadow)
{
    return n->shadow == shadow && str_eq(str_of(n->tenant), tenant) &&
           str_eq(str_of(n->rule), rule);
}

static uint16_t add(struct tally *t, unsigned place, uint64_t hash, struct str tenant,
                    struct str rule, bool shadow)
{
    struct tally_name *n = &t->name[t->count];

    if (t->count == TALLY_SLOTS) return TALLY_OTHER;
    *n = (struct tally_name){hash, str_dup(tenant), str_dup(rule), shadow};
    if (!n->tenant || !n->rule) {
        free(n->tenant);
        free(n->rule);
        return TALLY_OTHER;
    }
    t->index[place] = (uint16_t)t->count;
    return (uint16_t)t->count++;
}

uint16_t tally_slot(struct tally *t, struct str tenant, struct str rule, bool shadow)
{
    uint64_t hash = hash_keyed(hash_keyed(shadow, tenant.ptr, tenant.size), rule.ptr, rule.size);
    unsigned place = (unsigned)hash & INDEX_MASK;
    uint16_t slot;

    pthread_mutex_lock(&t->lock);
    while ((slot = t->index[place]) != 0 &&
           (t->name[slot].hash != hash || !is_name(&t->name[slot], tenant, rule, shadow)))
        place = (place + 1) & INDEX_MASK;
    if (slot == 0) slot = add(t, place, hash, tenant, rule, shadow);
    pthread_mutex_unlock(&t->lock);
    return slot;
}

static uint64_t sum_of(const struct tally *t, unsigned slot)
{
    uint64_t sum = 0;

    for (const struct tally_row *row = t->rows; row; row = row->next)
        sum += atomic_load_explicit(&row->count[slot], memory_order_relaxed);
    return sum;
}

uint64_t tally_sum(struct tally *t, uint16_t slot)
{
    uint64_t sum;

    CHECK(slot < TALLY_SLOTS);
    pthread_mutex_lock(&t->lock);
    sum = sum_of(t, slot);
    pthread_mutex_unlock(&t->lock);
    return sum;
}

void tally_write_label(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.size; i++) {
        char c = value.ptr[i];

        if (c == '\\' || c == '"') buf_char(out, '\\');
        if (c == '\n')
            buf_lit(out, "\\n");
        else
            buf_char(out, c);
    }
}

static void write_line(struct buf *out, const char *family, struct str tenant, struct str rule,
                       const char *mode, uint64_t value)
{
    buf_printf(out, "%s{tenant=\"", family);
    tally_write_label(out, tenant);
    buf_lit(out, "\",rule=\"");
    tally_write_label(out, rule);
    buf_printf(out, "\",mode=\"%s\"} %llu\n", mode, (unsigned long long)value);
}

void tally_write(struct tally *t, struct buf *out, const char *family)
{
    pthread_mutex_lock(&t->lock);
    for (unsigned i = 1; i < t->count; i++)
        write_line(out, family, str_of(t->name[i].tenant), str_of(t->name[i].rule),
                   t->name[i].shadow ? "shadow" : "enforce", sum_of(t, i));
    if (t->count == TALLY_SLOTS)
        write_line(out, family, STR(""), STR("other"), "", sum_of(t, TALLY_OTHER));
    pthread_mutex_unlock(&t->lock);
}
