// SPDX-License-Identifier: Apache-2.0
#include "engine/set/spans.h"

#include <stdlib.h>

#include "engine/base/check.h"

// A span as one word that is 0 for SET_ALWAYS only, which is never stored.
static uint64_t packed(struct set_span span)
{
    return ((uint64_t)span.from_s << 32 | span.till_s) ^ SET_FOREVER;
}

static struct set_span unpacked(uint64_t word)
{
    word ^= SET_FOREVER;
    return (struct set_span){(uint32_t)(word >> 32), (uint32_t)word};
}

struct spans *spans_new(uint64_t live)
{
    uint64_t cells = 64;
    struct spans *sp;

    while (cells < live * 2) cells *= 2;
    sp = calloc(1, sizeof *sp + cells * sizeof sp->cells[0]);
    if (sp) sp->mask = cells - 1;
    return sp;
}

void spans_free(void *spans)
{
    free(spans);
}

size_t spans_bytes(const struct spans *sp)
{
    return sp ? sizeof *sp + (sp->mask + 1) * sizeof sp->cells[0] : 0;
}

// The cell of `tag`, or the never-used one where it would go.
static uint64_t cell_of(const struct spans *sp, uint64_t tag)
{
    uint64_t i = (tag * 0xd6e8feb86659fd93) >> 20 & sp->mask;

    for (;; i = (i + 1) & sp->mask) {
        uint64_t there = atomic_load_explicit(&sp->cells[i].tag, memory_order_acquire);

        if (there == tag || !there) return i;
    }
}

bool spans_get(const struct spans *sp, uint64_t tag, struct set_span *ret)
{
    uint64_t i, word;

    if (!sp) return false;
    i = cell_of(sp, tag);
    word = atomic_load_explicit(&sp->cells[i].span, memory_order_acquire);
    if (!word) return false;
    *ret = unpacked(word);
    return true;
}

int spans_put(struct spans *sp, uint64_t tag, struct set_span span)
{
    uint64_t i = cell_of(sp, tag), word = packed(span);

    CHECK(word);
    if (!atomic_load_explicit(&sp->cells[i].tag, memory_order_relaxed)) {
        if ((sp->used + 1) * 4 > (sp->mask + 1) * 3) return ERR_FULL;
        sp->used++;
        sp->live++;
        atomic_store_explicit(&sp->cells[i].span, word, memory_order_release);
        atomic_store_explicit(&sp->cells[i].tag, tag, memory_order_release);
        return 0;
    }
    sp->live += !atomic_load_explicit(&sp->cells[i].span, memory_order_relaxed);
    atomic_store_explicit(&sp->cells[i].span, word, memory_order_release);
    return 0;
}

void spans_take(struct spans *sp, uint64_t tag)
{
    uint64_t i;

    if (!sp) return;
    i = cell_of(sp, tag);
    if (!atomic_load_explicit(&sp->cells[i].span, memory_order_relaxed)) return;
    sp->live--;
    atomic_store_explicit(&sp->cells[i].span, 0, memory_order_release);
}

struct spans *spans_grown(const struct spans *old)
{
    struct spans *sp = spans_new(old->live + 1);

    if (!sp) return NULL;
    for (uint64_t i = 0; i <= old->mask; i++) {
        uint64_t word = atomic_load_explicit(&old->cells[i].span, memory_order_relaxed);
        uint64_t tag = atomic_load_explicit(&old->cells[i].tag, memory_order_relaxed);

        if (tag && word) CHECK(spans_put(sp, tag, unpacked(word)) == 0);
    }
    return sp;
}
