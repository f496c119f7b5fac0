// SPDX-License-Identifier: Apache-2.0
//
// queue: many producers, one consumer, no lock (D. Vyukov's intrusive MPSC list).
//
// The node is a member of what is queued; whoever pops it owns it again. A producer never waits.
// Order is kept per producer. `queue_pop` may return NULL for a moment while a producer is between
// its two stores; the producer's wake-up comes after the push, so nothing is lost.
#pragma once

#include <stdatomic.h>
#include <stddef.h>

struct queue_node {
    _Atomic(struct queue_node *) next;
};

struct queue {
    _Alignas(64) _Atomic(struct queue_node *) tail; // producers
    _Alignas(64) struct queue_node *head;           // the consumer
    struct queue_node stub;
};

void queue_init(struct queue *q);
// Any thread.
void queue_push(struct queue *q, struct queue_node *node);
// The consumer only. NULL when there is nothing.
struct queue_node *queue_pop(struct queue *q);
