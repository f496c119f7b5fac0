// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/base/qsbr.h"

#define ALIVE    0x600dbeefu
#define READERS  4
#define RUN_NS   1000000000
#define SLEEPING 3 // this reader sleeps and wakes each turn

struct thing {
    _Atomic unsigned mark;
};

static struct qsbr *q;
static struct thing *_Atomic view, *_Atomic forked_view;
static atomic_bool stop;
static _Atomic unsigned freed, bad;

static struct thing *thing_new(void)
{
    struct thing *t = malloc(sizeof *t);

    atomic_init(&t->mark, ALIVE);
    return t;
}

static void thing_free(void *ptr)
{
    struct thing *t = ptr;

    atomic_store(&t->mark, 0);
    atomic_fetch_add(&freed, 1);
    free(t);
}

static void *read_on(void *arg)
{
    struct qsbr_reader *me = qsbr_join(q);
    int number = *(int *)arg;

    qsbr_wake(me);
    while (!atomic_load(&stop)) {
        struct thing *t = atomic_load_explicit(&view, memory_order_acquire);
        struct thing *f = atomic_load_explicit(&forked_view, memory_order_acquire);

        for (int i = 0; i < 200; i++)
            if (atomic_load_explicit(&t->mark, memory_order_relaxed) != ALIVE ||
                atomic_load_explicit(&f->mark, memory_order_relaxed) != ALIVE)
                atomic_fetch_add(&bad, 1);
        if (number == SLEEPING) {
            qsbr_sleep(me);
            qsbr_wake(me);
        } else {
            qsbr_quiet(me);
        }
    }
    qsbr_leave(me);
    return NULL;
}

static void replace(struct qsbr *of, struct thing *_Atomic *at, unsigned *ret_replaced)
{
    int64_t end_ns = clock_mono_ns() + RUN_NS;

    while (clock_mono_ns() < end_ns) {
        qsbr_retire(of, thing_free, atomic_exchange(at, thing_new()));
        (*ret_replaced)++;
        if (qsbr_poll(of) > 1000 || *ret_replaced % 64 == 0) qsbr_wait(of);
    }
}

// A second writer, of its own things.
static void *replace_forked(void *arg)
{
    struct qsbr *fork = qsbr_fork(q);

    replace(fork, &forked_view, arg);
    qsbr_wait(fork); // readers are still about, and nothing of it may be left
    qsbr_free(fork);
    return NULL;
}

// Readers look at what two writers replace as fast as they can; a freed thing would show (and the
// address sanitizer would see it).
static void test_threads(void **state)
{
    pthread_t threads[READERS], writer;
    int numbers[READERS];
    unsigned replaced = 0, replaced_forked = 0;

    (void)state;
    q = qsbr_new();
    atomic_store(&freed, 0);
    atomic_store(&view, thing_new());
    atomic_store(&forked_view, thing_new());
    for (int i = 0; i < READERS; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, read_on, &numbers[i]);
    }
    pthread_create(&writer, NULL, replace_forked, &replaced_forked);
    replace(q, &view, &replaced);
    pthread_join(writer, NULL);
    assert_true(replaced_forked > 10);
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(bad, 0);
    assert_true(freed > 10);
    qsbr_retire(q, thing_free, atomic_load(&view));
    qsbr_retire(q, thing_free, atomic_load(&forked_view));
    qsbr_free(q);
    assert_int_equal(freed, replaced + replaced_forked + 2);
}

// The rule, step by step, in one thread.
static void test_steps(void **state)
{
    struct qsbr *s = qsbr_new();
    struct qsbr_reader *a = qsbr_join(s), *b = qsbr_join(s);

    (void)state;
    atomic_store(&freed, 0);
    assert_ptr_not_equal(a, b);
    qsbr_retire(s, thing_free, thing_new());
    assert_int_equal(qsbr_poll(s), 0); // both sleep
    assert_int_equal(freed, 1);
    qsbr_wake(a);
    qsbr_retire(s, thing_free, thing_new());
    assert_int_equal(qsbr_poll(s), 1); // a was awake before
    qsbr_wake(b);                      // b woke later and holds nothing of it
    assert_int_equal(qsbr_poll(s), 1);
    qsbr_quiet(a);
    assert_int_equal(qsbr_poll(s), 0);
    qsbr_retire(s, thing_free, thing_new());
    qsbr_quiet(b);
    qsbr_retire(s, thing_free, thing_new());
    assert_int_equal(qsbr_poll(s), 2); // a was quiet before either
    qsbr_sleep(a);
    assert_int_equal(qsbr_poll(s), 1); // b was quiet between the two
    qsbr_leave(b);
    assert_int_equal(qsbr_poll(s), 0);
    qsbr_retire(s, thing_free, NULL); // nothing to free
    assert_int_equal(qsbr_poll(s), 0);
    assert_int_equal(freed, 4);
    qsbr_leave(a);
    qsbr_free(s);
    qsbr_free(NULL);
}

static void test_places(void **state)
{
    struct qsbr_reader *readers[QSBR_READERS_MAX];
    struct qsbr *s = qsbr_new();

    (void)state;
    for (int i = 0; i < QSBR_READERS_MAX; i++) assert_non_null(readers[i] = qsbr_join(s));
    assert_null(qsbr_join(s));
    qsbr_leave(readers[7]);
    assert_ptr_equal(qsbr_join(s), readers[7]);
    for (int i = 0; i < QSBR_READERS_MAX; i++) qsbr_leave(readers[i]);
    qsbr_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
