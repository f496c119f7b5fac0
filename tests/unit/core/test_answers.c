// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/core/answers.h"

#define MS   ((int64_t)1000000)
#define HOUR (3600 * 1000 * MS)
#define KEY  0x123456789abcdef1u
#define WAYS 8 // answers that share a bucket

static int set_up(void **state)
{
    *state = answers_new();
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    answers_free(*state);
    return 0;
}

static void keep(struct answers *a, uint64_t key, enum judge_external said, int result,
                 int64_t until_ns)
{
    answers_keep(a, key, &(struct answer){said, result, until_ns});
}

static void finds(const struct answers *a, uint64_t key, int64_t now_ns, enum judge_external said,
                  int result)
{
    struct answer found = {.call_result = -1};

    assert_true(answers_find(a, key, now_ns, &found));
    assert_int_equal(found.said, said);
    assert_int_equal(found.call_result, result);
}

static void misses(const struct answers *a, uint64_t key, int64_t now_ns)
{
    struct answer found = {.call_result = -1};

    assert_false(answers_find(a, key, now_ns, &found));
    assert_int_equal(found.call_result, -1);
}

static void test_nothing_is_known_at_first(void **state)
{
    misses(*state, KEY, 0);
    misses(*state, 1, 0);
    misses(*state, UINT64_MAX, HOUR);
}

static void test_each_answer_comes_back(void **state)
{
    static const struct answer answers[] = {
        {JUDGE_EXTERNAL_SILENT, 0, HOUR},    {JUDGE_EXTERNAL_ALLOWS, 0, HOUR},
        {JUDGE_EXTERNAL_REFUSES, 0, HOUR},   {JUDGE_EXTERNAL_REFUSES, 1, HOUR},
        {JUDGE_EXTERNAL_REFUSES, 999, HOUR}, {JUDGE_EXTERNAL_ALLOWS, 999, 100000 * HOUR},
        {JUDGE_EXTERNAL_REFUSES, 512, HOUR},
    };

    for (unsigned i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct answer found;

        answers_keep(*state, KEY, &answers[i]); // over the one before
        finds(*state, KEY, 0, answers[i].said, answers[i].call_result);
        assert_true(answers_find(*state, KEY, 0, &found));
        assert_int_equal(found.until_ns, answers[i].until_ns);
        misses(*state, KEY + 1, 0);
        misses(*state, KEY + LIMIT_EXTERNAL_ANSWERS, 0);
    }
}

static void test_it_ends(void **state)
{
    keep(*state, KEY, JUDGE_EXTERNAL_ALLOWS, 0, 5000 * MS + 999999); // whole milliseconds count
    finds(*state, KEY, 5000 * MS - 1, JUDGE_EXTERNAL_ALLOWS, 0);
    misses(*state, KEY, 5000 * MS);
    misses(*state, KEY, HOUR);
    keep(*state, KEY, JUDGE_EXTERNAL_REFUSES, 7, 6000 * MS);
    finds(*state, KEY, 5000 * MS, JUDGE_EXTERNAL_REFUSES, 7);
}

static uint64_t neighbor(unsigned n)
{
    return KEY + ((uint64_t)n * (LIMIT_EXTERNAL_ANSWERS / WAYS) << 32);
}

static void test_the_first_to_end_makes_room(void **state)
{
    for (unsigned n = 0; n < WAYS; n++) // the third ends first, then the others in turn
        keep(*state, neighbor(n), JUDGE_EXTERNAL_REFUSES, (int)n + 1,
             n == 3 ? HOUR : HOUR * (n + 2));
    for (unsigned n = 0; n < WAYS; n++)
        finds(*state, neighbor(n), 0, JUDGE_EXTERNAL_REFUSES, (int)n + 1);
    keep(*state, neighbor(5), JUDGE_EXTERNAL_ALLOWS, 0, HOUR * 7); // in its own place
    finds(*state, neighbor(3), 0, JUDGE_EXTERNAL_REFUSES, 4);
    keep(*state, neighbor(8), JUDGE_EXTERNAL_REFUSES, 9, HOUR * 99);
    misses(*state, neighbor(3), 0);
    keep(*state, neighbor(9), JUDGE_EXTERNAL_REFUSES, 10, HOUR * 99);
    misses(*state, neighbor(0), 0);
    for (unsigned n = 1; n < WAYS + 2; n++)
        if (n == 5)
            finds(*state, neighbor(n), 0, JUDGE_EXTERNAL_ALLOWS, 0);
        else if (n != 3)
            finds(*state, neighbor(n), 0, JUDGE_EXTERNAL_REFUSES, (int)n + 1);
    keep(*state, KEY + (1ull << 32), JUDGE_EXTERNAL_ALLOWS, 0, HOUR); // next door
    finds(*state, neighbor(1), 0, JUDGE_EXTERNAL_REFUSES, 2);
}

static void test_half_full_almost_nothing_is_lost(void **state)
{
    uint64_t random = 42;
    unsigned lost = 0;

    for (unsigned round = 0; round < 2; round++, random = 42)
        for (unsigned n = 0; n < LIMIT_EXTERNAL_ANSWERS / 2; n++) {
            struct answer found;
            uint64_t key = hash_keyed_u64(random++, n) | 1;

            if (round == 0)
                keep(*state, key, JUDGE_EXTERNAL_ALLOWS, 0, HOUR);
            else
                lost += !answers_find(*state, key, 0, &found);
        }
    print_message("%u of %d lost\n", lost, LIMIT_EXTERNAL_ANSWERS / 2);
    assert_true(lost < LIMIT_EXTERNAL_ANSWERS / 2 / 50);
}

// -- threads -----------------------------------------------------------------------------------

struct race {
    struct answers *answers;
    atomic_bool stop;
    atomic_uint ready;
    uint64_t key;
    enum judge_external said;
    int result;
};

static void *write_again_and_again(void *arg)
{
    struct race *r = arg;

    atomic_fetch_add(&r->ready, 1);
    for (int64_t n = 0; !atomic_load(&r->stop); n++)
        keep(r->answers, r->key, r->said, r->result, HOUR + n % 2 * MS);
    return NULL;
}

// Two writers of one slot, whose answers differ in every field: no reader ever sees a mixture.
static void test_no_mixture_is_ever_found(void **state)
{
    struct race one = {.answers = *state, .key = KEY, .said = JUDGE_EXTERNAL_ALLOWS};
    struct race two = {
        .answers = *state, .key = neighbor(1), .said = JUDGE_EXTERNAL_REFUSES, .result = 999};
    struct race *races[] = {&one, &two};
    pthread_t threads[2];
    unsigned found[2] = {0, 0};

    for (unsigned n = 2; n < WAYS + 1; n++) // so that they have one slot between them
        keep(*state, neighbor(n), JUDGE_EXTERNAL_ALLOWS, 0, 9 * HOUR);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_again_and_again, races[i]), 0);
    while (!atomic_load(&one.ready) || !atomic_load(&two.ready)) continue;
    for (unsigned n = 0; n < 60000000 || found[0] < 100 || found[1] < 100; n++) {
        const struct race *r = races[n % 2];
        struct answer answer;

        assert_true(n < 300000000);
        if (!answers_find(*state, r->key, 0, &answer)) continue;
        found[n % 2]++;
        assert_int_equal(answer.said, r->said);
        assert_int_equal(answer.call_result, r->result);
        assert_true(answer.until_ns == HOUR || answer.until_ns == HOUR + MS);
    }
    for (int i = 0; i < 2; i++) atomic_store(&races[i]->stop, true);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    print_message("found %u and %u times\n", found[0], found[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_is_known_at_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_answer_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_first_to_end_makes_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_half_full_almost_nothing_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_mixture_is_ever_found, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("core_answers", tests, NULL, NULL);
}
