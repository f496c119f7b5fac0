// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/limits.h"
#include "engine/core/answers.h"

#define MS       ((int64_t)1000000)
#define HOUR     (3600 * 1000 * MS)
#define KEY      0x123456789abcdef1u
#define NEIGHBOR (KEY + LIMIT_EXTERNAL_ANSWERS) // the same slot

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
        misses(*state, NEIGHBOR, 0);
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

static void test_a_newer_one_takes_the_slot(void **state)
{
    keep(*state, KEY, JUDGE_EXTERNAL_ALLOWS, 0, HOUR);
    keep(*state, NEIGHBOR, JUDGE_EXTERNAL_REFUSES, 5, HOUR);
    misses(*state, KEY, 0);
    finds(*state, NEIGHBOR, 0, JUDGE_EXTERNAL_REFUSES, 5);
    keep(*state, KEY + 1, JUDGE_EXTERNAL_ALLOWS, 0, HOUR); // next door
    finds(*state, NEIGHBOR, 0, JUDGE_EXTERNAL_REFUSES, 5);
    finds(*state, KEY + 1, 0, JUDGE_EXTERNAL_ALLOWS, 0);
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
        .answers = *state, .key = NEIGHBOR, .said = JUDGE_EXTERNAL_REFUSES, .result = 999};
    struct race *races[] = {&one, &two};
    pthread_t threads[2];
    unsigned found[2] = {0, 0};

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
        cmocka_unit_test_setup_teardown(test_a_newer_one_takes_the_slot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_mixture_is_ever_found, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("core_answers", tests, NULL, NULL);
}
