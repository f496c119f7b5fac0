// SPDX-License-Identifier: Apache-2.0
// Questions that race each other for the last attempt, and a writer beside them.
#include "tests/unit/ledger/fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "engine/base/rand.h"

#if defined(__SANITIZE_THREAD__)
#define ROUNDS  30000
#define APPLIED 300000
#elif defined(__SANITIZE_ADDRESS__)
#define ROUNDS  100000
#define APPLIED 500000
#else
#define ROUNDS  100000
#define APPLIED 1500000
#endif
#define RACERS 3
#define UNTIL  (NOW + 10)

struct race {
    struct fixture f;
    bool named; // with guids, or without
    _Atomic unsigned ready[ROUNDS];
    _Atomic unsigned winners[ROUNDS];
};

struct racer {
    struct race *race;
    unsigned number;
};

// Count, reserve, count again, as the engine does.
static bool wins(struct race *x, unsigned round, unsigned number)
{
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct ledger_asker who = fixture_asker(round + 1, 0, 0);

    q.enough = 1;
    if (x->named) who.guid = fixture_key(10000000 + round * RACERS + number);
    if (ledger_count(x->f.l, &who, &q, NOW).count) return false;
    if (!ledger_reserve(x->f.l, &who, NOW, UNTIL)) return false;
    who.holds_unnamed = !who.guid;
    if (!ledger_count(x->f.l, &who, &q, NOW).count) return true;
    ledger_release(x->f.l, &who);
    return false;
}

static void *on_racer(void *ctx)
{
    struct racer *me = ctx;
    struct race *x = me->race;

    for (unsigned round = 0; round < ROUNDS; round++) {
        x->ready[round]++;
        while (x->ready[round] < RACERS) sched_yield();
        if (wins(x, round, me->number)) x->winners[round]++;
    }
    return NULL;
}

static void never_two_winners(bool named)
{
    struct race *x = calloc(1, sizeof *x);
    unsigned one = 0, none = 0, more = 0;
    struct racer racers[RACERS];
    pthread_t t[RACERS];

    x->f = fixture_new(100, 1 << 19);
    x->named = named;
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){x, i};
        assert_int_equal(pthread_create(&t[i], NULL, on_racer, &racers[i]), 0);
    }
    for (unsigned i = 0; i < RACERS; i++) pthread_join(t[i], NULL);
    for (unsigned i = 0; i < ROUNDS; i++) {
        one += x->winners[i] == 1;
        none += x->winners[i] == 0;
        more += x->winners[i] > 1;
    }
    print_message("%u rounds: one winner %u, none %u, more %u\n", ROUNDS, one, none, more);
    assert_int_equal(more, 0);
    assert_true(one > ROUNDS / 2);
    fixture_free(&x->f);
    free(x);
}

static void last_slot_with_guids(void **state)
{
    (void)state;
    never_two_winners(true);
}

static void last_slot_without_guids(void **state)
{
    (void)state;
    never_two_winners(false);
}

#define WATCHED 64
#define READERS 2

struct shared {
    struct fixture f;
    _Atomic bool stop;
    _Atomic int64_t now_s;
    _Atomic unsigned turns, wrong, known;
    _Atomic unsigned made[WATCHED]; // attempts applied or reserved before now, of each device
};

// A device has had at least what was made before the question, and nothing is unknown.
static void *on_reader(void *ctx)
{
    struct shared *s = ctx;
    struct qsbr_reader *me = qsbr_join(s->f.q);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    unsigned turn = 0;

    qsbr_wake(me);
    while (!s->stop) {
        unsigned d = turn++ % WATCHED, made = s->made[d];
        struct ledger_asker who = fixture_asker(d + 1, d + 1, 0);
        struct ledger_ahead ahead = {0};
        struct attempts_count c;

        q.by = turn % 3 == 0 ? COUNT_BY_CLIENT : turn % 3 == 1 ? COUNT_BY_BOTH : COUNT_BY_DEVICE;
        ledger_fetch_index(s->f.l, &who);
        while (ledger_fetch_further(s->f.l, &who, &ahead)) continue;
        c = ledger_count(s->f.l, &who, &q, s->now_s);
        if (c.count < made || c.unknown) s->wrong++;
        if (turn % 16 == 0) qsbr_quiet(me);
        s->turns++;
    }
    qsbr_leave(me);
    return NULL;
}

// The watched devices' attempts are reserved, made and ended while others come and go in numbers
// that make the indexes grow and chunks go.
static void apply_all(struct shared *s)
{
    struct rand r;

    print_message("seed 3\n");
    rand_seed(&r, 3);
    for (uint64_t i = 0; i < APPLIED; i++) {
        unsigned d = (unsigned)rand_below(&r, WATCHED);
        struct attempt a = fixture_attempt(1000 + i, 1000 + i, 100 + i);
        bool watched = i % (APPLIED / 1000) == 0;

        s->now_s = NOW + (int64_t)(i / (APPLIED / 1000));
        a.start_s = NOW - 8 * DAY + (int64_t)i; // outside the readers' windows
        if (watched) {
            struct ledger_asker who = fixture_asker(d + 1, d + 1, 100 + i);

            a = fixture_attempt(d + 1, i % 2 ? d + 1 : 0, 100 + i); // the end brings the contact
            a.start_s = s->now_s;
            assert_true(ledger_reserve(s->f.l, &who, s->now_s, s->now_s + 60));
            s->made[d]++;
        }
        assert_int_equal(ledger_apply(s->f.l, &a), LEDGER_NEW);
        if (watched) {
            a = fixture_end(d + 1, d + 1, 100 + i, 6);
            assert_int_equal(ledger_apply(s->f.l, &a), LEDGER_ENDED);
        }
        if (i % 1000 == 0) ledger_expire(s->f.l, NOW - 9 * DAY);
    }
}

static void readers_beside_a_writer(void **state)
{
    struct shared *s = calloc(1, sizeof *s);
    struct ledger_usage usage;
    pthread_t t[READERS];

    (void)state;
    s->f = fixture_new(2 * APPLIED, 1 << 16);
    s->now_s = NOW;
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, on_reader, s), 0);
    while (s->turns < 100) usleep(100);
    apply_all(s);
    s->stop = true;
    for (unsigned i = 0; i < READERS; i++) pthread_join(t[i], NULL);
    ledger_usage(s->f.l, &usage);
    print_message("%u questions beside %d reports\n", s->turns, APPLIED);
    assert_int_equal(usage.attempts, APPLIED);
    assert_int_equal(s->wrong, 0);
    fixture_free(&s->f);
    free(s);
}

// A ring that goes round under the readers: what is there is counted at each moment, exactly.
static void *on_ring_reader(void *ctx)
{
    struct shared *s = ctx;
    struct qsbr_reader *me = qsbr_join(s->f.q);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);

    qsbr_wake(me);
    while (!s->stop) {
        unsigned made = s->made[0];
        struct ledger_asker who = fixture_asker(1, 0, 0);
        struct attempts_count c;

        q.since_s = NOW + made - 100;
        c = ledger_count(s->f.l, &who, &q, NOW);
        // one attempt a second: a hundred, and what came meanwhile
        if (!c.unknown && made >= 100 && c.count < 100) s->wrong++;
        s->known += !c.unknown;
        qsbr_quiet(me);
        s->turns++;
    }
    qsbr_leave(me);
    return NULL;
}

static void ring_goes_round(void **state)
{
    struct shared *s = calloc(1, sizeof *s);
    pthread_t t[READERS];
    unsigned full = 0;

    (void)state;
    s->f = fixture_new(60000, 1 << 10);
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, on_ring_reader, s), 0);
    while (s->turns < 100) usleep(100);
    for (uint64_t i = 0; i < APPLIED / 2; i++) {
        struct attempt a = fixture_attempt(i % 20 ? 1000 + i : 1, 0, i);

        a.start_s = NOW + (int64_t)i / 20;
        while (ledger_apply(s->f.l, &a) == ERR_FULL) {
            full++; // chunks wait for readers that do not run
            usleep(100);
            ledger_expire(s->f.l, a.start_s - 1000);
        }
        if (i % 20 == 0) s->made[0] = (unsigned)(i / 20);
        if (i % 100 == 0) ledger_expire(s->f.l, a.start_s - 1000);
    }
    s->stop = true;
    for (unsigned i = 0; i < READERS; i++) pthread_join(t[i], NULL);
    print_message("%u questions, %u of them known, %u times full\n", s->turns, s->known, full);
    assert_int_equal(s->wrong, 0);
    assert_true(s->known > 1000);
    fixture_free(&s->f);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_slot_with_guids),
        cmocka_unit_test(last_slot_without_guids),
        cmocka_unit_test(readers_beside_a_writer),
        cmocka_unit_test(ring_goes_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
