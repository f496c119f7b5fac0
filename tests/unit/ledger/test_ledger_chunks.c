// SPDX-License-Identifier: Apache-2.0
// Many attempts: chunks that go, numbers that come round, keys that collide.
#include "tests/unit/ledger/fixture.h"

#include "engine/base/rand.h"
#include "engine/ledger/ledger_state.h"

#define CHUNK CHUNKS_NODES

static void apply(struct fixture *f, struct attempt a, int want)
{
    assert_int_equal(ledger_apply(f->l, &a), want);
}

static struct attempts_count ask(const struct fixture *f, const struct attempts_query *q)
{
    struct ledger_asker who = fixture_asker(1, 2, 0);

    return ledger_count(f->l, &who, q, NOW);
}

// Chunks go in their order; the chain of what stays is whole, also where an end came late.
static void chunks_go_one_by_one(void **state)
{
    struct fixture f = fixture_new(3 * CHUNK, 128);
    struct attempts_query q = fixture_query(COUNT_BY_CLIENT);
    struct ledger_usage usage;
    size_t bytes;

    (void)state;
    for (unsigned i = 0; i < 5 * CHUNK / 2; i++) {
        struct attempt a = fixture_attempt(i + 1, i % CHUNK == 9 ? 0 : 2, i);

        a.start_s = NOW + i / CHUNK;
        if (i % 1000 != 9 && i % CHUNK != 9) a.client = 0;
        assert_int_equal(ledger_apply(f.l, &a), LEDGER_NEW);
    }
    // of each chunk number 9 had no client; now it says it
    for (unsigned i = 9; i < 5 * CHUNK / 2; i += CHUNK)
        apply(&f, fixture_end(i + 1, 2, i, 6), LEDGER_ENDED);
    q.since_s = NOW;
    // 9, 1009 … 81009, and number 9 of the second and third chunk
    assert_int_equal(ask(&f, &q).count, 82 + 2);
    ledger_usage(f.l, &usage);
    bytes = usage.bytes;
    assert_int_equal(usage.attempts, 5 * CHUNK / 2);
    ledger_expire(f.l, NOW);
    assert_int_equal(ask(&f, &q).count, 84);
    ledger_expire(f.l, NOW + 1);
    ledger_expire(f.l, NOW + 1); // no reader holds it: the memory is back
    q.since_s = NOW + 1;
    assert_int_equal(ask(&f, &q).count, 49 + 2); // from 33009 (32777 is one of the two) on
    ledger_usage(f.l, &usage);
    assert_int_equal(usage.attempts, 3 * CHUNK / 2 + 1); // number 0 is nobody's
    assert_int_equal(bytes - usage.bytes, CHUNK * 64);
    fixture_free(&f);
}

// More than there is room for: the oldest go, and counts are known from there on.
static void the_oldest_give_way(void **state)
{
    struct fixture f = fixture_new(2 * CHUNK, 128);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct attempt old = fixture_attempt(1, 0, 9999999);
    struct ledger_usage usage;
    const int64_t first_s = NOW - 3600;

    (void)state;
    for (unsigned i = 0; i < 5 * CHUNK - 1; i++) { // 1,024 a second; number 0 is nobody's
        struct attempt a = fixture_attempt(i % 4096 ? i + 10 : 1, 0, i);

        a.start_s = first_s + i / 1024;
        apply(&f, a, LEDGER_NEW);
        ledger_usage(f.l, &usage);
        assert_true(usage.attempts <= 2 * CHUNK);
    }
    // three chunks went, the last of them with its last second's
    assert_int_equal(usage.since_s, first_s + 3 * CHUNK / 1024);
    q.since_s = usage.since_s;
    assert_int_equal(ask(&f, &q).count, 16);
    assert_false(ask(&f, &q).unknown);
    q.since_s--;
    assert_true(ask(&f, &q).unknown);
    ledger_set_since(f.l, first_s);
    assert_true(ask(&f, &q).unknown);
    // what is older than all that is there moves nothing
    old.start_s = first_s;
    apply(&f, old, ERR_FULL);
    q.since_s++;
    assert_false(ask(&f, &q).unknown);
    assert_int_equal(ask(&f, &q).count, 16);
    fixture_free(&f);
}

// Keys of one shard, one home and one tag: only the node tells them apart.
static void keys_that_collide(void **state)
{
    struct fixture f = fixture_new(10000, 128);
    struct attempt a = fixture_attempt(1, 0, 0);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);

    (void)state;
    for (uint64_t i = 0; i < 3000; i++) {
        a.device = UINT64_C(0xabc0000012345678) | i % 1000 << 40;
        a.guid = i + 1;
        apply(&f, a, LEDGER_NEW);
    }
    for (uint64_t i = 0; i < 1001; i++) {
        struct ledger_asker who = {.device = UINT64_C(0xabc0000012345678) | i << 40};

        assert_int_equal(ledger_count(f.l, &who, &q, NOW).count, i < 1000 ? 3 : 0);
    }
    fixture_free(&f);
}

// Slots of all indexes with a number up to `last`.
static uint64_t slots_up_to(const struct ledger *l, uint32_t last)
{
    uint64_t count = 0;

    for (unsigned k = 0; k < CHUNKS_KEYS; k++)
        for (unsigned shard = 0; shard < INDEX_SHARDS; shard++) {
            uint64_t word = l->index[k].shard[shard];
            const _Atomic uint32_t *slots = (_Atomic uint32_t *)(word & ~INDEX_SIZE_MASK);

            for (uint32_t i = 0; slots && i < 1u << (word & INDEX_SIZE_MASK); i++) {
                uint32_t number = slots[i] & l->chunks.cycle_mask;

                count += number && number <= last;
            }
        }
    return count;
}

// Before numbers come round, no slot has one of the last round.
static void half_a_ring_sweeps_all(void **state)
{
    struct fixture f = fixture_new(2 * CHUNK, 128);
    struct ledger_usage usage;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) apply(&f, fixture_attempt(i + 1, i + 1, i), LEDGER_NEW);
    assert_int_equal(slots_up_to(f.l, 20000), 3 * 20000);
    for (unsigned drop = 0; drop < f.l->chunks.span / CHUNK / 2; drop++) {
        struct attempt a = fixture_attempt(1, 1, 30000 + drop);

        ledger_usage(f.l, &usage);
        assert_int_equal(usage.attempts, drop ? 1 : 20000);
        ledger_expire(f.l, NOW + drop + 1);
        assert_int_equal(ledger_find(f.l, fixture_attempt(1, 0, 77).guid, &a), false);
        a.start_s = NOW + drop + 1;
        apply(&f, a, LEDGER_NEW);
    }
    assert_int_equal(slots_up_to(f.l, 20000), 0);
    fixture_free(&f);
}

#define DEVICES  3000
#define ATTEMPTS 700000
#define KEPT     60

struct model { // of one device: its last attempts
    uint32_t count;
    int64_t start_s[KEPT];
};

// Some devices again and again among many that come once; time goes on, some reports are late, and
// what is too old goes. 700,000 attempts in a ring of 131,072 places: numbers come round twice.
static void against_a_model(void **state)
{
    struct fixture f = fixture_new(2 * CHUNK, 128);
    struct model *m = calloc(DEVICES, sizeof *m);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    uint64_t checked = 0, counted = 0;
    struct rand r;

    (void)state;
    print_message("seed 5\n");
    rand_seed(&r, 5);
    for (uint64_t i = 0; i < ATTEMPTS; i++) {
        bool known = rand_below(&r, 8) == 0;
        uint64_t d = known ? rand_below(&r, DEVICES) : DEVICES + i;
        struct attempt a = fixture_attempt(d + 1, 0, i);
        int64_t now = NOW + (int64_t)i / 10;

        a.start_s = now - (int64_t)rand_below(&r, 300);
        assert_int_equal(ledger_apply(f.l, &a), LEDGER_NEW);
        if (known) m[d].start_s[m[d].count++ % KEPT] = a.start_s;
        if (i % 256 == 0) ledger_expire(f.l, now - 2700);
        if (i % 5 == 0) {
            uint64_t x = rand_below(&r, DEVICES);
            struct ledger_asker who = fixture_asker(x + 1, 0, 0);
            struct attempts_count c;
            unsigned want = 0;

            q.since_s = now - 2700 + (int64_t)rand_below(&r, 2700);
            for (unsigned k = 0; k < KEPT && k < m[x].count; k++)
                want += m[x].start_s[k] >= q.since_s;
            c = ledger_count(f.l, &who, &q, now);
            assert_int_equal(c.count, want);
            assert_false(c.unknown);
            checked++;
            counted += want;
        }
    }
    print_message("%llu counts, %llu attempts in them\n", (unsigned long long)checked,
                  (unsigned long long)counted);
    assert_true(counted > 50000);
    free(m);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_go_one_by_one), cmocka_unit_test(the_oldest_give_way),
        cmocka_unit_test(keys_that_collide),    cmocka_unit_test(half_a_ring_sweeps_all),
        cmocka_unit_test(against_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
