// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/set/fixture.h"

static const struct set_span dated = {100, 200};

static void recovers_every_hash(void **state)
{
    uint64_t sizes[] = {0, 5000000, 7654321};
    struct rand r;

    (void)state;
    rand_seed(&r, 1);
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        struct keys *k = keys_new(sizes[i], NULL);
        struct keys_walk w = {.k = k};
        struct keys_entry e;
        uint64_t sum = 0, xor = 0, count = 0;

        assert_non_null(k);
        for (unsigned j = 0; j < 20000; j++) {
            uint64_t hash = j == 0 ? 1 : j == 1 ? UINT64_MAX : rand_u64(&r);

            assert_int_equal(keys_put(k, hash, 1 + j % 1023, SET_ALWAYS), 1);
            sum += hash;
            xor ^= hash *(1 + j % 1023);
        }
        for (; keys_walk_next(&w, &e); count++) {
            sum -= e.hash;
            xor ^= e.hash *e.id;
            assert_true(keys_maybe(k, e.hash));
        }
        assert_int_equal(count, 20000);
        assert_true(sum == 0 && xor == 0);
        keys_free(k);
    }
}

static void first_and_last_hash_of_each_home(void **state)
{
    struct keys *k = keys_new(0, NULL);
    struct keys_walk w = {.k = k};
    struct keys_entry e;
    uint64_t want[] = {1, ((uint64_t)1 << KEYS_REST_BITS) - 1, (uint64_t)1 << KEYS_REST_BITS,
                       UINT64_MAX - 1, UINT64_MAX};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(want); i++)
        assert_int_equal(keys_put(k, want[i], 7, SET_ALWAYS), 1);
    for (unsigned i = 0; i < COUNT_OF(want); i++) {
        assert_true(keys_walk_next(&w, &e));
        assert_true(e.hash == want[i] && e.id == 7);
    }
    assert_false(keys_walk_next(&w, &e));
    keys_free(k);
}

static void one_key_on_every_id(void **state)
{
    struct keys *k = keys_new(0, NULL);
    uint64_t hash = 0x123456789abcdef;

    (void)state;
    for (unsigned id = 1; id < 1024; id++)
        assert_int_equal(keys_put(k, hash, id, id % 3 ? SET_ALWAYS : dated), 1);
    for (unsigned id = 1; id < 1024; id++) {
        struct set_span span;

        assert_true(keys_find(k, hash, id, &span));
        assert_int_equal(span.till_s, id % 3 ? SET_FOREVER : 200);
    }
    // its chain of 128 buckets has one slot left; neighbours of other keys find no room
    assert_int_equal(keys_put(k, hash + 1, 1, SET_ALWAYS), 1);
    assert_int_equal(keys_put(k, hash + 2, 1, SET_ALWAYS), ERR_FULL);
    assert_false(keys_crowded(k));
    for (unsigned id = 1; id < 1024; id++) assert_true(keys_take(k, hash, id));
    assert_int_equal(k->live, 1);
    assert_false(keys_find(k, hash, 5, NULL));
    assert_true(keys_find(k, hash + 1, 1, NULL));
    keys_free(k);
}

static void removed_slots_are_used_again(void **state)
{
    struct keys *k = keys_new(0, NULL);

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        assert_int_equal(keys_put(k, 42 + i, 3, SET_ALWAYS), 1);
        assert_true(keys_take(k, 42 + i, 3));
        assert_false(keys_take(k, 42 + i, 3));
    }
    assert_int_equal(k->used, 1);
    assert_int_equal(k->live, 0);
    keys_free(k);
}

static void worn_filter_asks_for_a_new_table(void **state)
{
    struct keys *k = keys_new(0, NULL), *fresh;
    struct rand r;
    int rc = 1;
    uint64_t n = 0;

    (void)state;
    rand_seed(&r, 3);
    assert_int_equal(keys_put(k, 77, 2, dated), 1);
    for (; rc == 1; n++) {
        uint64_t hash = rand_u64(&r);

        rc = keys_put(k, hash, 3, SET_ALWAYS);
        if (rc == 1) assert_true(keys_take(k, hash, 3));
    }
    assert_int_equal(rc, ERR_FULL);
    assert_true(n > k->capacity / 2 && n <= k->capacity * 9 / 8 + 1);
    assert_true(keys_crowded(k));
    fresh = keys_rebuilt(k, keys_grown_capacity(k));
    assert_non_null(fresh);
    assert_int_equal(fresh->used, 1);
    keys_free(k);
    assert_true(keys_find(fresh, 77, 2, NULL));
    keys_free(fresh);
}

static void filter_rate(void **state)
{
    struct keys *k = keys_new(2000000, NULL);
    unsigned wrong = 0;
    struct rand r;

    (void)state;
    rand_seed(&r, 4);
    for (uint64_t i = 0; i < k->capacity; i++) keys_put(k, rand_u64(&r), 1, SET_ALWAYS);
    for (unsigned i = 0; i < 1000000; i++) wrong += keys_maybe(k, rand_u64(&r));
    print_message("false positives: %.3f %%\n", wrong / 1e4);
    assert_in_range(wrong, 2000, 8000);
    keys_free(k);
}

static void spans_change_and_go(void **state)
{
    struct keys *k = keys_new(0, NULL);
    struct set_span got;

    (void)state;
    for (uint32_t i = 1; i < 5000; i++)
        assert_int_equal(keys_put(k, i * 0x9e3779b97f4a7c15, 9, (struct set_span){i, i + 5}), 1);
    for (uint32_t i = 1; i < 5000; i++) {
        uint64_t hash = i * 0x9e3779b97f4a7c15;

        if (i % 3 == 0) assert_int_equal(keys_put(k, hash, 9, SET_ALWAYS), 0);
        if (i % 3 == 1) assert_true(keys_take(k, hash, 9));
    }
    for (uint32_t i = 1; i < 5000; i++) {
        uint64_t e = keys_find(k, i * 0x9e3779b97f4a7c15, 9, &got);

        assert_int_equal(!!e, i % 3 != 1);
        if (!e) continue;
        assert_int_equal(got.from_s, i % 3 ? i : 0);
        assert_int_equal(got.till_s, i % 3 ? i + 5 : SET_FOREVER);
    }
    assert_int_equal(k->spans->live, 1666);
    // spans that count never, and the one that differs from always in one bit only
    assert_int_equal(keys_put(k, 5, 1, (struct set_span){0, 0}), 1);
    assert_int_equal(keys_put(k, 6, 1, (struct set_span){1, SET_FOREVER}), 1);
    assert_true(keys_find(k, 5, 1, &got) && got.from_s == 0 && got.till_s == 0);
    assert_true(keys_find(k, 6, 1, &got) && got.from_s == 1 && got.till_s == SET_FOREVER);
    keys_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recovers_every_hash),
        cmocka_unit_test(first_and_last_hash_of_each_home),
        cmocka_unit_test(one_key_on_every_id),
        cmocka_unit_test(removed_slots_are_used_again),
        cmocka_unit_test(worn_filter_asks_for_a_new_table),
        cmocka_unit_test(filter_rate),
        cmocka_unit_test(spans_change_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
