// SPDX-License-Identifier: Apache-2.0
//
// spans: from/till of dated entries, beside the keys. Open addressing, two words a cell.
//
// A cell belongs to its tag until the table is rebuilt; taking a span away leaves the tag. So a
// reader that found its tag reads one word and is done. Threads: one writer, many readers.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/set/set.h"

struct spans {
    uint64_t mask; // cells - 1, a power of two less one
    uint64_t used; // cells with a tag
    uint64_t live; // … and a span
    struct {
        _Atomic uint64_t tag;  // 0 = never used
        _Atomic uint64_t span; // 0 = taken away
    } cells[];
};

// What names the entry of `hash` in `id`. Never 0.
static inline uint64_t spans_tag(uint64_t hash, unsigned id)
{
    uint64_t tag = hash ^ id * 0x9e3779b97f4a7c15;

    return tag ? tag : 1;
}

// Room for `live` spans and half as many again. NULL without memory.
struct spans *spans_new(uint64_t live);
void spans_free(void *spans); // for qsbr_retire; NULL is fine
// A copy, without what was taken away, with room for more.
struct spans *spans_grown(const struct spans *old);
// False when there is none. `sp` may be NULL.
bool spans_get(const struct spans *sp, uint64_t tag, struct set_span *ret);
// Writer. 0, or ERR_FULL: grow first. `span` is not SET_ALWAYS.
int spans_put(struct spans *sp, uint64_t tag, struct set_span span);
void spans_take(struct spans *sp, uint64_t tag);
size_t spans_bytes(const struct spans *sp);
