// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/ledger/fixture.h"

static void apply(struct fixture *f, struct attempt a, int want)
{
    assert_int_equal(ledger_apply(f->l, &a), want);
}

static struct attempt found(const struct fixture *f, uint64_t guid)
{
    struct attempt a = {0};

    assert_true(ledger_find(f->l, fixture_attempt(1, 0, guid).guid, &a));
    return a;
}

static void start_then_end(void **state)
{
    struct fixture f = fixture_new(100, 128);
    struct attempts_query busy = fixture_query(COUNT_BY_DEVICE);
    struct ledger_asker who = fixture_asker(1, 0, 0);
    struct attempt a;

    (void)state;
    busy.results = call_result_bit(6);
    apply(&f, fixture_attempt(1, 2, 5), LEDGER_NEW);
    assert_int_equal(ledger_count(f.l, &who, &busy, NOW).count, 1); // no result fits
    assert_false(found(&f, 5).ended);
    apply(&f, fixture_end(1, 2, 5, 33), LEDGER_ENDED);
    a = found(&f, 5);
    assert_true(a.ended);
    assert_int_equal(a.result, 33);
    assert_int_equal(a.start_s, NOW);
    assert_int_equal(ledger_count(f.l, &who, &busy, NOW).count, 0);
    assert_int_equal(fixture_on_device(&f, 1), 1);
    assert_int_equal(fixture_count(&f, COUNT_BY_CLIENT, 0, 2), 1);
    assert_int_equal(fixture_on_device(&f, 2), 0);
    fixture_free(&f);
}

static void repeats_change_nothing(void **state)
{
    struct fixture f = fixture_new(100, 128);
    struct attempt a = fixture_attempt(1, 0, 5), b = fixture_end(1, 0, 5, 6);

    (void)state;
    assert_false(ledger_knows(f.l, &a));
    apply(&f, a, LEDGER_NEW);
    assert_true(ledger_knows(f.l, &a));
    assert_false(ledger_knows(f.l, &b));
    apply(&f, a, LEDGER_REPEATED);
    apply(&f, b, LEDGER_ENDED);
    assert_true(ledger_knows(f.l, &b));
    apply(&f, fixture_end(1, 0, 5, 33), LEDGER_REPEATED);
    apply(&f, a, LEDGER_REPEATED);
    assert_int_equal(found(&f, 5).result, 6);
    assert_int_equal(fixture_on_device(&f, 1), 1);
    fixture_free(&f);
}

static void end_without_start(void **state)
{
    struct fixture f = fixture_new(100, 128);

    (void)state;
    apply(&f, fixture_end(1, 0, 5, 6), LEDGER_NEW);
    apply(&f, fixture_attempt(1, 0, 5), LEDGER_REPEATED); // late
    apply(&f, fixture_end(1, 0, 5, 6), LEDGER_REPEATED);
    assert_true(found(&f, 5).ended);
    assert_int_equal(found(&f, 5).result, 6);
    apply(&f, fixture_attempt(1, 7, 5), LEDGER_ENDED); // and it says who it was
    apply(&f, fixture_attempt(1, 7, 5), LEDGER_REPEATED);
    assert_int_equal(found(&f, 5).result, 6);
    assert_int_equal(fixture_on_device(&f, 1), 1);
    assert_int_equal(fixture_count(&f, COUNT_BY_CLIENT, 0, 7), 1);
    fixture_free(&f);
}

static void end_without_result_fits_all(void **state)
{
    struct fixture f = fixture_new(100, 128);
    struct attempts_query none = fixture_query(COUNT_BY_DEVICE);
    struct ledger_asker who = fixture_asker(1, 0, 0);

    (void)state;
    none.results = 0;
    apply(&f, fixture_end(1, 0, 5, ATTEMPT_NO_RESULT), LEDGER_NEW);
    assert_int_equal(ledger_count(f.l, &who, &none, NOW).count, 1);
    fixture_free(&f);
}

// The start had no client id: its node goes into that chain behind those that came after it.
static void end_brings_a_missing_key(void **state)
{
    struct fixture f = fixture_new(100, 128);

    (void)state;
    apply(&f, fixture_attempt(9, 2, 1), LEDGER_NEW);
    apply(&f, fixture_attempt(1, 0, 5), LEDGER_NEW);
    apply(&f, fixture_attempt(8, 2, 6), LEDGER_NEW);
    apply(&f, fixture_attempt(7, 2, 7), LEDGER_NEW);
    assert_int_equal(fixture_count(&f, COUNT_BY_CLIENT, 0, 2), 3);
    apply(&f, fixture_end(1, 2, 5, 6), LEDGER_ENDED);
    assert_int_equal(fixture_count(&f, COUNT_BY_CLIENT, 0, 2), 4);
    assert_int_equal(fixture_on_device(&f, 1), 1);
    apply(&f, fixture_attempt(0, 4, 8), LEDGER_NEW); // newest of its chain, and first of its device
    apply(&f, fixture_end(3, 4, 8, 6), LEDGER_ENDED);
    assert_int_equal(fixture_on_device(&f, 3), 1);
    assert_int_equal(fixture_count(&f, COUNT_BY_CLIENT, 0, 4), 1);
    assert_int_equal(found(&f, 8).device, fixture_key(3));
    fixture_free(&f);
}

// Whichever comes first, and however often.
static void another_phone_counts_for_both(void **state)
{
    struct attempt a = fixture_end(2, 0, 5, 6), b = fixture_attempt(1, 0, 5);

    (void)state;
    a.start_s = NOW - 30 * DAY; // outside the window; it began when the first one says
    for (int reversed = 0; reversed < 2; reversed++) {
        struct fixture f = fixture_new(100, 128);

        if (reversed) a.start_s = NOW;
        apply(&f, reversed ? a : b, LEDGER_NEW);
        apply(&f, reversed ? b : a, LEDGER_NEW);
        for (int again = 0; again < 2; again++) {
            apply(&f, a, LEDGER_REPEATED);
            apply(&f, b, LEDGER_REPEATED);
        }
        assert_int_equal(fixture_on_device(&f, 1), 1);
        assert_int_equal(fixture_on_device(&f, 2), 1);
        fixture_free(&f);
    }
}

// A dialer whose guid is none ("0", a constant): every contact still has its attempts.
static void one_guid_for_all(void **state)
{
    struct fixture f = fixture_new(10000, 128);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);

    (void)state;
    q.results = call_result_bit(33);
    for (unsigned i = 1; i <= 1000; i++) apply(&f, fixture_attempt(i, 5000 + i, 5), LEDGER_NEW);
    // each end is that of its own contact's
    for (unsigned i = 1; i <= 500; i++) apply(&f, fixture_end(i, 0, 5, 6), LEDGER_ENDED);
    for (unsigned i = 1; i <= 1000; i++) {
        struct ledger_asker who = fixture_asker(i, 0, 0);

        apply(&f, fixture_attempt(i, 5000 + i, 5), LEDGER_REPEATED);
        assert_int_equal(fixture_on_device(&f, i), 1);
        assert_int_equal(fixture_count(&f, COUNT_BY_CLIENT, 0, 5000 + i), 1);
        assert_int_equal(ledger_count(f.l, &who, &q, NOW).count, i > 500);
    }
    fixture_free(&f);
}

// Its place in the chain is further down than anybody looks.
static void end_brings_a_key_of_very_many(void **state)
{
    struct fixture f = fixture_new(20000, 128);
    struct attempts_query q = fixture_query(COUNT_BY_CLIENT);
    struct ledger_asker who = fixture_asker(0, 2, 0);
    struct ledger_usage usage;

    (void)state;
    apply(&f, fixture_attempt(1, 0, 5), LEDGER_NEW);
    for (unsigned i = 0; i <= LIMIT_LEDGER_CHAIN; i++)
        apply(&f, fixture_attempt(0, 2, 10 + i), LEDGER_NEW);
    apply(&f, fixture_end(1, 2, 5, 6), LEDGER_NEW);
    apply(&f, fixture_end(1, 2, 5, 6), LEDGER_REPEATED);
    ledger_usage(f.l, &usage);
    assert_int_equal(usage.attempts, LIMIT_LEDGER_CHAIN + 3);
    q.results = call_result_bit(6);
    q.enough = LIMIT_LEDGER_CHAIN;
    assert_int_equal(ledger_count(f.l, &who, &q, NOW).count, LIMIT_LEDGER_CHAIN);
    assert_int_equal(fixture_on_device(&f, 1), 2); // rather twice than never
    fixture_free(&f);
}

static void end_says_more(void **state)
{
    struct fixture f = fixture_new(100, 128);
    struct attempt a = fixture_end(1, 0, 5, 6), b;

    (void)state;
    a.group = 9;
    a.subject = 4;
    a.disposition = 3;
    a.region = 2;
    a.country = 8;
    a.area_code = 212;
    a.start_s = NOW + 50; // of the end: the attempt began when its start says
    apply(&f, fixture_attempt(1, 0, 5), LEDGER_NEW);
    apply(&f, a, LEDGER_ENDED);
    b = found(&f, 5);
    assert_true(b.group == 9 && b.subject == 4 && b.disposition == 3 && b.region == 2);
    assert_true(b.country == 8 && b.area_code == 212 && b.start_s == NOW && b.device == a.device);
    fixture_free(&f);
}

static struct attempts_count ask(const struct fixture *f, const struct attempts_query *q)
{
    struct ledger_asker who = fixture_asker(1, 2, 0);

    who.group = 50;
    who.subject = 60;
    return ledger_count(f->l, &who, q, NOW);
}

static void window_and_enough(void **state)
{
    struct fixture f = fixture_new(100, 128);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    static const int64_t starts[] = {NOW - 100, NOW - 300, NOW - 200, NOW + 5};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct attempt a = fixture_attempt(1, 0, 10 + i);

        a.start_s = starts[i];
        apply(&f, a, LEDGER_NEW);
    }
    q.since_s = NOW - 300;
    assert_int_equal(ask(&f, &q).count, 4);
    assert_int_equal(ask(&f, &q).oldest_s, NOW - 300);
    q.since_s++;
    assert_int_equal(ask(&f, &q).count, 3);
    assert_int_equal(ask(&f, &q).oldest_s, NOW - 200);
    q.before_s = NOW + 5;
    assert_int_equal(ask(&f, &q).count, 2);
    q.before_s = NOW - 100;
    assert_int_equal(ask(&f, &q).count, 1);
    q.before_s = NOW - 200;
    assert_int_equal(ask(&f, &q).count, 0);
    assert_int_equal(ask(&f, &q).oldest_s, 0);
    q.since_s = NOW - 1000;
    q.before_s = INT64_MAX;
    q.enough = 2;
    assert_int_equal(ask(&f, &q).count, 2);
    fixture_free(&f);
}

// One attempt that says everything, and one question after the other that it does not fit.
static void filters(void **state)
{
    struct fixture f = fixture_new(100, 128);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    uint32_t words[2] = {70, 71};
    uint16_t codes[2] = {212, 718};
    struct attempt a = fixture_end(1, 2, 5, 6);

    (void)state;
    a.group = 51;
    a.subject = 61;
    a.disposition = 72;
    a.channel = CHANNEL_SMS;
    a.region = 65;
    a.country = 200;
    a.area_code = 415;
    apply(&f, a, LEDGER_NEW);
    assert_int_equal(ask(&f, &q).count, 1);
    q.channels = 1 << CHANNEL_VOICE | 1 << CHANNEL_EMAIL;
    assert_int_equal(ask(&f, &q).count, 0);
    q.channels = 1 << CHANNEL_SMS;
    q.results = ~call_result_bit(6);
    assert_int_equal(ask(&f, &q).count, 0);
    q.dispositions = words; // by disposition, whatever the result
    q.disposition_count = 2;
    assert_int_equal(ask(&f, &q).count, 0);
    words[1] = 72;
    assert_int_equal(ask(&f, &q).count, 1);
    q.group_only = true;
    assert_int_equal(ask(&f, &q).count, 0);
    q.group_only = false;
    q.subject_only = true;
    assert_int_equal(ask(&f, &q).count, 0);
    q.subject_only = false;
    q.placed = true;
    assert_int_equal(ask(&f, &q).count, 0);
    q.regions[1] = 1 << 1;
    assert_int_equal(ask(&f, &q).count, 0);
    q.countries[3] = 1 << 8;
    assert_int_equal(ask(&f, &q).count, 1);
    q.area_codes = codes;
    q.area_code_count = 2;
    assert_int_equal(ask(&f, &q).count, 0);
    codes[0] = 415;
    assert_int_equal(ask(&f, &q).count, 1);
    fixture_free(&f);
}

static void what_is_not_said_fits(void **state)
{
    struct fixture f = fixture_new(100, 128);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    uint32_t words[1] = {70};
    uint16_t codes[1] = {212};
    struct attempt a = fixture_end(1, 2, 5, 6);
    struct ledger_asker who;

    (void)state;
    a.channel = CHANNEL_ANY;
    apply(&f, a, LEDGER_NEW);
    q.dispositions = words;
    q.disposition_count = 1;
    q.group_only = q.subject_only = q.placed = true;
    q.area_codes = codes;
    q.area_code_count = 1;
    q.channels = 1 << CHANNEL_VOICE;
    assert_int_equal(ask(&f, &q).count, 1);
    // and who does not say his group or subject is held against all
    a = fixture_end(1, 2, 6, 6);
    a.group = 99;
    a.subject = 98;
    apply(&f, a, LEDGER_NEW);
    assert_int_equal(ask(&f, &q).count, 1);
    who = fixture_asker(1, 2, 0);
    assert_int_equal(ledger_count(f.l, &who, &q, NOW).count, 2);
    fixture_free(&f);
}

static void by_device_client_both(void **state)
{
    struct fixture f = fixture_new(100, 128);

    (void)state;
    apply(&f, fixture_attempt(1, 2, 1), LEDGER_NEW);
    apply(&f, fixture_attempt(1, 3, 2), LEDGER_NEW);
    apply(&f, fixture_attempt(4, 2, 3), LEDGER_NEW);
    assert_int_equal(fixture_count(&f, COUNT_BY_DEVICE, 1, 2), 2);
    assert_int_equal(fixture_count(&f, COUNT_BY_CLIENT, 1, 2), 2);
    assert_int_equal(fixture_count(&f, COUNT_BY_BOTH, 1, 2), 1);
    assert_int_equal(fixture_count(&f, COUNT_BY_BOTH, 4, 3), 0);
    assert_int_equal(fixture_count(&f, COUNT_BY_BOTH, 1, 0), 2);
    assert_int_equal(fixture_count(&f, COUNT_BY_BOTH, 0, 2), 2);
    assert_int_equal(fixture_count(&f, COUNT_BY_DEVICE, 0, 2), 0);
    assert_int_equal(fixture_count(&f, COUNT_BY_CLIENT, 1, 0), 0);
    assert_int_equal(fixture_count(&f, COUNT_BY_BOTH, 0, 0), 0);
    apply(&f, fixture_attempt(1, 0, 4), LEDGER_NEW); // may have been the contact
    apply(&f, fixture_attempt(0, 2, 5), LEDGER_NEW); // may have been the device
    assert_int_equal(fixture_count(&f, COUNT_BY_BOTH, 1, 2), 3);
    fixture_free(&f);
}

static void unknown_until_ready(void **state)
{
    struct fixture f = fixture_new(100, 128);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct ledger_usage usage;

    (void)state;
    ledger_set_since(f.l, INT64_MAX);
    assert_true(ask(&f, &q).unknown);
    ledger_set_since(f.l, q.since_s + 1);
    assert_true(ask(&f, &q).unknown);
    ledger_set_since(f.l, q.since_s);
    assert_false(ask(&f, &q).unknown);
    ledger_usage(f.l, &usage);
    assert_int_equal(usage.since_s, q.since_s);
    assert_int_equal(usage.attempts, 0);
    fixture_free(&f);
}

static void a_new_ledger_knows_nothing(void **state)
{
    struct ledger_limits limits = {100, 128};
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct fixture f = {.q = qsbr_new()};

    (void)state;
    assert_int_equal(ledger_new(&f.l, &limits, f.q, NULL), 0);
    q.since_s = INT64_MAX - 1;
    assert_true(ask(&f, &q).unknown);
    fixture_free(&f);
}

static void no_address_space(void **state)
{
    struct ledger_limits limits = {(size_t)1 << 40, 128};
    struct qsbr *q = qsbr_new();
    struct ledger *l = NULL;
    struct err_info info;

    (void)state;
    assert_int_equal(ledger_new(&l, &limits, q, &info), ERR_NOMEM);
    assert_null(l);
    assert_non_null(strstr(info.text, "1099511627776"));
    qsbr_free(q);
}

// What found no room is missed as long as it matters.
static void full_is_unknown(void **state)
{
    struct fixture f = fixture_new(3, 128);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct attempt a = fixture_attempt(1, 0, 9);

    (void)state;
    for (unsigned i = 0; i < 3; i++) apply(&f, fixture_attempt(1, 0, i), LEDGER_NEW);
    assert_false(ask(&f, &q).unknown);
    a.start_s = NOW - 50;
    apply(&f, a, ERR_FULL);
    q.since_s = NOW - 50;
    assert_true(ask(&f, &q).unknown);
    assert_int_equal(ask(&f, &q).count, 3);
    q.since_s++;
    assert_false(ask(&f, &q).unknown);
    a.start_s = NOW - 60; // an older one changes nothing
    apply(&f, a, ERR_FULL);
    assert_false(ask(&f, &q).unknown);
    apply(&f, fixture_end(1, 0, 2, 6), LEDGER_ENDED); // needs no room
    ledger_set_since(f.l, NOW - 3 * DAY);
    assert_false(ask(&f, &q).unknown);
    q.since_s--;
    assert_true(ask(&f, &q).unknown); // still lacking
    fixture_free(&f);
}

static void room_again_after_expiry(void **state)
{
    struct fixture f = fixture_new(3, 128);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct ledger_usage usage;

    (void)state;
    for (unsigned round = 0; round < 40; round++) { // more than the ring has chunks, and twice
        for (unsigned i = 0; i < 3; i++) {
            struct attempt a = fixture_attempt(1, 0, round * 10 + i);

            a.start_s = NOW + round * 100 + i;
            apply(&f, a, LEDGER_NEW);
        }
        apply(&f, fixture_attempt(1, 0, 999999), ERR_FULL);
        ledger_expire(f.l, NOW + round * 100 + 2); // the youngest is not older than itself
        q.since_s = NOW + round * 100;
        assert_int_equal(ask(&f, &q).count, 3);
        q.since_s += round == 0; // the one that was refused
        assert_false(ask(&f, &q).unknown);
        ledger_expire(f.l, NOW + round * 100 + 3);
        ledger_usage(f.l, &usage);
        assert_int_equal(usage.attempts, 0);
        assert_int_equal(usage.since_s, NOW + round * 100 + 3);
        q.since_s = NOW + round * 100 + 2;
        assert_int_equal(ask(&f, &q).count, 0);
        assert_true(ask(&f, &q).unknown);
        q.since_s++;
        assert_false(ask(&f, &q).unknown);
        assert_false(
            ledger_find(f.l, fixture_attempt(1, 0, round * 10).guid, &(struct attempt){0}));
    }
    fixture_free(&f);
}

static void a_long_chain_is_enough(void **state)
{
    struct fixture f = fixture_new(10000, 128);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct attempt a = fixture_attempt(1, 0, 0);

    (void)state;
    a.start_s = NOW - 8 * DAY; // none is in the window
    for (unsigned i = 0; i < LIMIT_LEDGER_CHAIN; i++) {
        a.guid = i + 1;
        apply(&f, a, LEDGER_NEW);
    }
    q.enough = 7;
    assert_int_equal(ask(&f, &q).count, 0);
    a.guid = 999999;
    apply(&f, a, LEDGER_NEW);
    assert_int_equal(ask(&f, &q).count, 7);
    assert_int_equal(ask(&f, &q).oldest_s, NOW);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_then_end),
        cmocka_unit_test(repeats_change_nothing),
        cmocka_unit_test(end_without_start),
        cmocka_unit_test(end_without_result_fits_all),
        cmocka_unit_test(end_brings_a_missing_key),
        cmocka_unit_test(another_phone_counts_for_both),
        cmocka_unit_test(one_guid_for_all),
        cmocka_unit_test(end_brings_a_key_of_very_many),
        cmocka_unit_test(end_says_more),
        cmocka_unit_test(window_and_enough),
        cmocka_unit_test(filters),
        cmocka_unit_test(what_is_not_said_fits),
        cmocka_unit_test(by_device_client_both),
        cmocka_unit_test(unknown_until_ready),
        cmocka_unit_test(a_new_ledger_knows_nothing),
        cmocka_unit_test(no_address_space),
        cmocka_unit_test(full_is_unknown),
        cmocka_unit_test(room_again_after_expiry),
        cmocka_unit_test(a_long_chain_is_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
