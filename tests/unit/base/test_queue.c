// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/queue.h"

#define PRODUCERS 4
#define EACH      1000000u

struct item {
    struct queue_node node;
    uint32_t producer, number;
};

static struct queue q;

static void *produce(void *arg)
{
    struct item *items = arg;

    for (uint32_t i = 0; i < EACH; i++) queue_push(&q, &items[i].node);
    return NULL;
}

static struct item *item_of(struct queue_node *node)
{
    return (struct item *)((char *)node - offsetof(struct item, node));
}

// Nothing lost, nothing twice, the order of each producer kept.
static void test_producers(void **state)
{
    struct item *items[PRODUCERS];
    uint32_t next[PRODUCERS] = {0};
    pthread_t threads[PRODUCERS];

    (void)state;
    queue_init(&q);
    for (uint32_t p = 0; p < PRODUCERS; p++) {
        items[p] = calloc(EACH, sizeof *items[p]);
        for (uint32_t i = 0; i < EACH; i++) {
            items[p][i].producer = p;
            items[p][i].number = i;
        }
    }
    for (int p = 0; p < PRODUCERS; p++) pthread_create(&threads[p], NULL, produce, items[p]);
    for (uint32_t left = PRODUCERS * EACH; left > 0;) {
        struct queue_node *node = queue_pop(&q);

        if (!node) {
            sched_yield();
            continue;
        }
        if (item_of(node)->number != next[item_of(node)->producer]) fail_msg("out of order");
        next[item_of(node)->producer]++;
        left--;
    }
    for (int p = 0; p < PRODUCERS; p++) {
        pthread_join(threads[p], NULL);
        assert_int_equal(next[p], EACH);
        free(items[p]);
    }
    assert_null(queue_pop(&q));
}

static void test_one_thread(void **state)
{
    struct item a = {.number = 1}, b = {.number = 2};

    (void)state;
    queue_init(&q);
    assert_null(queue_pop(&q));
    for (int round = 0; round < 5; round++) { // a popped node may be pushed again
        queue_push(&q, &a.node);
        assert_ptr_equal(queue_pop(&q), &a.node);
        assert_null(queue_pop(&q));
        queue_push(&q, &b.node);
        queue_push(&q, &a.node);
        assert_ptr_equal(queue_pop(&q), &b.node);
        queue_push(&q, &b.node);
        assert_ptr_equal(queue_pop(&q), &a.node);
        assert_ptr_equal(queue_pop(&q), &b.node);
        assert_null(queue_pop(&q));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread),
        cmocka_unit_test(test_producers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
