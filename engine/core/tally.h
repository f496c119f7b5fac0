// SPDX-License-Identifier: Apache-2.0
//
// tally: how often each rule blocked (or, in shadow, would have).
//
// A rule keeps its slot as long as the process lives, whatever rule sets come and go: slots belong
// to (tenant, name, mode). Slots are given by the feed thread; each worker counts in a row of its
// own; a scrape adds the rows up. Past TALLY_SLOTS rules everything else is counted together.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/str.h"

#define TALLY_SLOTS 4096
#define TALLY_OTHER 0 // the slot of rules that found no place

struct tally_row {
    _Atomic uint64_t count[TALLY_SLOTS];
    struct tally_row *next;
};

struct tally_name {
    uint64_t hash;
    char *tenant, *rule;
    bool shadow;
};

struct tally {
    pthread_mutex_t lock; // of everything below but the counts
    unsigned count;       // slots given, with TALLY_OTHER
    struct tally_name name[TALLY_SLOTS];
    uint16_t index[2 * TALLY_SLOTS]; // by hash; 0 = free
    struct tally_row *rows;
};

void tally_init(struct tally *t);
void tally_done(struct tally *t);
// A thread's row, zeroed; the tally owns it. NULL when memory is out. Any thread.
struct tally_row *tally_row_new(struct tally *t);
// The slot of a rule; the same for the same names. Any thread (takes a lock).
uint16_t tally_slot(struct tally *t, struct str tenant, struct str rule, bool shadow);
uint64_t tally_sum(struct tally *t, uint16_t slot);
// A line a slot: family{tenant="…",rule="…",mode="enforce"} n
void tally_write(struct tally *t, struct buf *out, const char *family);
// A label's value: the text format wants \\, \" and line ends escaped.
void tally_write_label(struct buf *out, struct str value);

// Own row only.
static inline void tally_add(struct tally_row *row, uint16_t slot)
{
    uint64_t now = atomic_load_explicit(&row->count[slot], memory_order_relaxed);

    atomic_store_explicit(&row->count[slot], now + 1, memory_order_relaxed);
}
