// SPDX-License-Identifier: Apache-2.0
//
// qsbr: quiescent-state-based reclamation (RCU). Readers pay nothing but one store a turn.
//
// A reader thread joins once, then says `qsbr_quiet` wherever it holds no pointer into shared
// structures (the end of a ring turn), and `qsbr_sleep`/`qsbr_wake` round anything that blocks.
// The writer swaps a pointer and retires the old object; it is freed when every reader that was
// awake has been quiet since. Each writer thread has a struct qsbr of its own over the same readers
// (qsbr_fork), so that what it retires is freed in its thread.
//
//   writer:  old = atomic_exchange(&view, new);  qsbr_retire(q, view_free, old);  qsbr_poll(q);
//   reader:  v = atomic_load_explicit(&view, memory_order_acquire); … ; qsbr_quiet(me);
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define QSBR_READERS_MAX 128

struct qsbr;

// One reader's mark, alone on its cache line. 0 = asleep or free.
struct qsbr_reader {
    _Alignas(64) _Atomic uint64_t seen;
    struct qsbr *home;
    bool taken;
};

// NULL when memory is out. Owner: the program's main; freed after all readers left.
struct qsbr *qsbr_new(void);
// A further writer's, over the readers of `q`, which outlives it. Any thread. NULL when memory is
// out.
struct qsbr *qsbr_fork(struct qsbr *q);
// Runs everything still retired: no reader may be left then.
void qsbr_free(struct qsbr *q);

// Any thread (takes a lock; start-up and shut-down only). NULL when QSBR_READERS_MAX are taken.
// A new reader is asleep.
struct qsbr_reader *qsbr_join(struct qsbr *q);
void qsbr_leave(struct qsbr_reader *me);

uint64_t qsbr_now_(const struct qsbr *q);

// The three calls of a reader, for its own thread only.
static inline void qsbr_quiet(struct qsbr_reader *me)
{
    atomic_store_explicit(&me->seen, qsbr_now_(me->home), memory_order_seq_cst);
}
static inline void qsbr_wake(struct qsbr_reader *me)
{
    qsbr_quiet(me);
#ifndef __SANITIZE_THREAD__ // which does not know fences; its own runtime orders the store
    // the mark must be seen before anything that is read under it, on every CPU
    atomic_thread_fence(memory_order_seq_cst);
#endif
}
static inline void qsbr_sleep(struct qsbr_reader *me)
{
    atomic_store_explicit(&me->seen, 0, memory_order_release);
}

// Writer thread only. `fn(ptr)` runs in a later qsbr_poll, qsbr_wait or qsbr_free.
void qsbr_retire(struct qsbr *q, void (*fn)(void *ptr), void *ptr);
// Frees what is due; never blocks. Returns how many are still waiting.
unsigned qsbr_poll(struct qsbr *q);
// Blocks (polling, some 50 µs at a time) until every reader awake now has been quiet once, then
// polls. The caller must not be an awake reader itself.
void qsbr_wait(struct qsbr *q);
