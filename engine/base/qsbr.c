// SPDX-License-Identifier: Apache-2.0
#include "engine/base/qsbr.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/check.h"

struct retired {
    struct retired *next;
    uint64_t epoch;
    void (*fn)(void *ptr);
    void *ptr;
};

struct qsbr {
    _Alignas(64) _Atomic uint64_t epoch; // moved by the writer only, starts at 1
    struct qsbr_reader readers[QSBR_READERS_MAX];
    pthread_mutex_t lock; // joining and leaving
    struct retired *first, **last;
    unsigned waiting;
};

struct qsbr *qsbr_new(void)
{
    struct qsbr *q = aligned_alloc(64, sizeof *q);

    if (!q) return NULL;
    *q = (struct qsbr){.epoch = 1};
    q->last = &q->first;
    pthread_mutex_init(&q->lock, NULL);
    for (int i = 0; i < QSBR_READERS_MAX; i++) q->readers[i].home = q;
    return q;
}

uint64_t qsbr_now_(const struct qsbr *q)
{
    return atomic_load_explicit(&q->epoch, memory_order_seq_cst);
}

struct qsbr_reader *qsbr_join(struct qsbr *q)
{
    struct qsbr_reader *found = NULL;

    pthread_mutex_lock(&q->lock);
    for (int i = 0; i < QSBR_READERS_MAX && !found; i++)
        if (!q->readers[i].taken) found = &q->readers[i];
    if (found) found->taken = true;
    pthread_mutex_unlock(&q->lock);
    return found;
}

void qsbr_leave(struct qsbr_reader *me)
{
    struct qsbr *q = me->home;

    qsbr_sleep(me);
    pthread_mutex_lock(&q->lock);
    me->taken = false;
    pthread_mutex_unlock(&q->lock);
}

// The oldest epoch that a reader who is awake may still be in.
static uint64_t oldest(struct qsbr *q)
{
    uint64_t min = UINT64_MAX;

    for (int i = 0; i < QSBR_READERS_MAX; i++) {
        uint64_t seen = atomic_load_explicit(&q->readers[i].seen, memory_order_seq_cst);

        if (seen && seen < min) min = seen;
    }
    return min;
}

void qsbr_retire(struct qsbr *q, void (*fn)(void *ptr), void *ptr)
{
    struct retired *r;

    if (!ptr) return;
    r = malloc(sizeof *r);
    if (!r) { // no memory to remember it: wait here rather than leak or free early
        qsbr_wait(q);
        fn(ptr);
        return;
    }
    // a reader that is quiet from here on shows the new epoch
    *r = (struct retired){.epoch = atomic_fetch_add(&q->epoch, 1) + 1, .fn = fn, .ptr = ptr};
    *q->last = r;
    q->last = &r->next;
    q->waiting++;
}

unsigned qsbr_poll(struct qsbr *q)
{
    uint64_t min = q->first ? oldest(q) : 0;

    while (q->first && q->first->epoch <= min) {
        struct retired *r = q->first;

        q->first = r->next;
        if (!q->first) q->last = &q->first;
        q->waiting--;
        r->fn(r->ptr);
        free(r);
    }
    return q->waiting;
}

void qsbr_wait(struct qsbr *q)
{
    uint64_t target = atomic_fetch_add(&q->epoch, 1) + 1;
    struct timespec pause = {.tv_nsec = 50000};

    while (oldest(q) < target) nanosleep(&pause, NULL);
    qsbr_poll(q);
}

void qsbr_free(struct qsbr *q)
{
    if (!q) return;
    CHECK(oldest(q) == UINT64_MAX);
    qsbr_poll(q);
    pthread_mutex_destroy(&q->lock);
    free(q);
}
