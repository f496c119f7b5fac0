// SPDX-License-Identifier: Apache-2.0
#include "engine/base/queue.h"

void queue_init(struct queue *q)
{
    atomic_init(&q->stub.next, NULL);
    atomic_init(&q->tail, &q->stub);
    q->head = &q->stub;
}

void queue_push(struct queue *q, struct queue_node *node)
{
    struct queue_node *prev;

    atomic_store_explicit(&node->next, NULL, memory_order_relaxed);
    prev = atomic_exchange_explicit(&q->tail, node, memory_order_acq_rel);
    atomic_store_explicit(&prev->next, node, memory_order_release);
}

struct queue_node *queue_pop(struct queue *q)
{
    struct queue_node *head = q->head;
    struct queue_node *next = atomic_load_explicit(&head->next, memory_order_acquire);

    if (head == &q->stub) {
        if (!next) return NULL;
        q->head = head = next;
        next = atomic_load_explicit(&head->next, memory_order_acquire);
    }
    if (next) {
        q->head = next;
        return head;
    }
    if (head != atomic_load_explicit(&q->tail, memory_order_acquire)) return NULL;
    // `head` is the last node: put the stub behind it so that it can leave
    queue_push(q, &q->stub);
    next = atomic_load_explicit(&head->next, memory_order_acquire);
    if (!next) return NULL;
    q->head = next;
    return head;
}
