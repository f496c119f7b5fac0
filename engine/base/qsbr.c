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

// What all writers and readers share.
struct crowd {
    _Alignas(64) _Atomic uint64_t epoch; // moved by writers only, starts at 1
    struct qsbr_reader readers[QSBR_READERS_MAX];
    pthread_mutex_t lock; // joining and leaving
};

struct qsbr {
    struct crowd *crowd;
    bool forked;
    struct retired *first, **last;
    unsigned waiting;
};

static struct qsbr *make(struct crowd *crowd)
{
    struct qsbr *q = malloc(sizeof *q);

    if (!q) return NULL;
    *q = (struct qsbr){.crowd = crowd, .last = &q->first};
    return q;
}

struct qsbr *qsbr_new(void)
{
    struct crowd *crowd = aligned_alloc(64, sizeof *crowd);
    struct qsbr *q = crowd ? make(crowd) : NULL;

    if (!q) {
        free(crowd);
        return NULL;
    }
    *crowd = (struct crowd){.epoch = 1};
    pthread_mutex_init(&crowd->lock, NULL);
    for (int i = 0; i < QSBR_READERS_MAX; i++) crowd->readers[i].home = q;
    return q;
}

struct qsbr *qsbr_fork(struct qsbr *q)
{
    struct qsbr *fork = make(q->crowd);

    if (fork) fork->forked = true;
    return fork;
}

uint64_t qsbr_now_(const struct qsbr *q)
{
    return atomic_load_explicit(&q->crowd->epoch, memory_order_seq_cst);
}

struct qsbr_reader *qsbr_join(struct qsbr *q)
{
    struct qsbr_reader *found = NULL;

    pthread_mutex_lock(&q->crowd->lock);
    for (int i = 0; i < QSBR_READERS_MAX && !found; i++)
        if (!q->crowd->readers[i].taken) found = &q->crowd->readers[i];
    if (found) found->taken = true;
    pthread_mutex_unlock(&q->crowd->lock);
    return found;
}

void qsbr_leave(struct qsbr_reader *me)
{
    struct qsbr *q = me->home;

    qsbr_sleep(me);
    pthread_mutex_lock(&q->crowd->lock);
    me->taken = false;
    pthread_mutex_unlock(&q->crowd->lock);
}

// The oldest epoch that a reader who is awake may still be in.
static uint64_t oldest(struct qsbr *q)
{
    uint64_t min = UINT64_MAX;

    for (int i = 0; i < QSBR_READERS_MAX; i++) {
        uint64_t seen = atomic_load_explicit(&q->crowd->readers[i].seen, memory_order_seq_cst);

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
    *r = (struct retired){.epoch = atomic_fetch_add(&q->crowd->epoch, 1) + 1, .fn = fn, .ptr = ptr};
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
    uint64_t target = atomic_fetch_add(&q->crowd->epoch, 1) + 1;
    struct timespec pause = {.tv_nsec = 50000};

    while (oldest(q) < target) nanosleep(&pause, NULL);
    qsbr_poll(q);
}

void qsbr_free(struct qsbr *q)
{
    if (!q) return;
    CHECK(!q->first || oldest(q) == UINT64_MAX);
    qsbr_poll(q);
    if (!q->forked) {
        pthread_mutex_destroy(&q->crowd->lock);
        free(q->crowd);
    }
    free(q);
}
