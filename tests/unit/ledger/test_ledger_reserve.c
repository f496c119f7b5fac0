// SPDX-License-Identifier: Apache-2.0
#include "engine/base/check.h"
#include "tests/unit/ledger/fixture.h"

#define UNTIL       (NOW + 10)
#define BUCKET_ROOM 120 // eight buckets of 15, see reserve.c

static unsigned reserved(const struct fixture *f, enum count_by by, struct ledger_asker who,
                         int64_t now_s)
{
    struct attempts_query q = fixture_query(by);
    struct attempts_count c;

    c = ledger_count(f->l, &who, &q, now_s);
    assert_int_equal(c.count, c.reserved);
    assert_int_equal(c.oldest_s, c.count ? now_s : 0);
    return c.count;
}

static void keep(struct fixture *f, struct ledger_asker who, int64_t until_s)
{
    assert_true(ledger_reserve(f->l, &who, NOW, until_s));
}

static void counts_for_each_key(void **state)
{
    struct fixture f = fixture_new(100, 1024);

    (void)state;
    keep(&f, fixture_asker(1, 2, 5), UNTIL);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 9, 6), NOW), 1);
    assert_int_equal(reserved(&f, COUNT_BY_CLIENT, fixture_asker(9, 2, 6), NOW), 1);
    assert_int_equal(reserved(&f, COUNT_BY_BOTH, fixture_asker(1, 2, 6), NOW), 1);
    assert_int_equal(reserved(&f, COUNT_BY_BOTH, fixture_asker(0, 2, 6), NOW), 1);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(3, 2, 6), NOW), 0);
    assert_int_equal(reserved(&f, COUNT_BY_CLIENT, fixture_asker(1, 3, 6), NOW), 0);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(2, 1, 6), NOW), 0);
    fixture_free(&f);
}

// Who has reserved need not count again while nothing came that a count could find.
static void unchanged(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct ledger_asker who = fixture_asker(1, 2, 5),
                        other[] = {fixture_asker(1, 0, 6), fixture_asker(0, 2, 7),
                                   fixture_asker(1, 0, 0)};
    struct attempt to_device = fixture_attempt(1, 9, 20), to_client = fixture_attempt(9, 2, 21);
    struct ledger_newest before;

    (void)state;
    ledger_newest(f.l, &who, &before);
    keep(&f, who, UNTIL);
    keep(&f, fixture_asker(3, 4, 8), UNTIL);
    assert_true(ledger_unchanged(f.l, &who, &before, NOW));
    for (unsigned i = 0; i < COUNT_OF(other); i++) {
        keep(&f, other[i], NOW + 2 + i);
        assert_false(ledger_unchanged(f.l, &who, &before, NOW + 1 + i));
        assert_true(ledger_unchanged(f.l, &who, &before, NOW + 2 + i));
    }
    assert_int_equal(ledger_apply(f.l, &to_device), LEDGER_NEW);
    assert_false(ledger_unchanged(f.l, &who, &before, NOW + 9));
    ledger_newest(f.l, &who, &before);
    assert_true(ledger_unchanged(f.l, &who, &before, NOW + 9));
    assert_int_equal(ledger_apply(f.l, &to_client), LEDGER_NEW);
    assert_false(ledger_unchanged(f.l, &who, &before, NOW + 9));
    fixture_free(&f);
}

static void ends_by_itself(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct ledger_usage usage;

    (void)state;
    keep(&f, fixture_asker(1, 2, 5), UNTIL);
    ledger_usage(f.l, &usage);
    assert_int_equal(usage.reservations, 2);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 0, 6), UNTIL - 1), 1);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 0, 6), UNTIL), 0);
    assert_true(ledger_reserve(f.l, &(struct ledger_asker){.device = 77}, UNTIL, UNTIL + 1));
    ledger_usage(f.l, &usage);
    assert_int_equal(usage.reservations, 1);
    fixture_free(&f);
}

static void own_guid_does_not_count(void **state)
{
    struct fixture f = fixture_new(100, 1024);

    (void)state;
    keep(&f, fixture_asker(1, 2, 5), UNTIL);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 2, 5), NOW), 0);
    assert_int_equal(reserved(&f, COUNT_BY_CLIENT, fixture_asker(1, 2, 5), NOW), 0);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 2, 0), NOW), 1);
    fixture_free(&f);
}

static void same_guid_is_prolonged(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct ledger_asker who = fixture_asker(1, 2, 5), half = fixture_asker(1, 3, 5);

    (void)state;
    assert_int_equal(ledger_reserve(f.l, &who, NOW, UNTIL), RESERVE_TAKEN);
    assert_int_equal(ledger_reserve(f.l, &who, NOW, UNTIL + 5), RESERVE_PROLONGED);
    assert_int_equal(ledger_reserve(f.l, &who, NOW, UNTIL - 5), RESERVE_PROLONGED); // not shorter
    assert_int_equal(ledger_reserve(f.l, &half, NOW, UNTIL), RESERVE_TAKEN);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 0, 6), NOW), 1);
    assert_int_equal(reserved(&f, COUNT_BY_CLIENT, fixture_asker(0, 2, 6), NOW), 1);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 0, 6), UNTIL + 4), 1);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 0, 6), UNTIL + 5), 0);
    fixture_free(&f);
}

static void without_a_guid_each_counts(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct ledger_asker who = fixture_asker(1, 2, 0);

    (void)state;
    keep(&f, who, UNTIL);
    keep(&f, who, UNTIL);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, who, NOW), 2);
    who.holds_unnamed = true; // one of them is mine
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, who, NOW), 1);
    assert_int_equal(reserved(&f, COUNT_BY_CLIENT, who, NOW), 1);
    ledger_release(f.l, &who);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, who, NOW), 0);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 2, 0), NOW), 1);
    ledger_release(f.l, &who);
    ledger_release(f.l, &who); // once too often
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 2, 0), NOW), 0);
    assert_int_equal(reserved(&f, COUNT_BY_CLIENT, fixture_asker(1, 2, 0), NOW), 0);
    fixture_free(&f);
}

static void release_leaves_the_others(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct ledger_asker mine = fixture_asker(1, 2, 5);

    (void)state;
    keep(&f, mine, UNTIL);
    keep(&f, fixture_asker(1, 3, 6), UNTIL);
    keep(&f, fixture_asker(1, 0, 0), UNTIL);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 2, 7), NOW), 3);
    ledger_release(f.l, &mine);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(1, 2, 7), NOW), 2);
    assert_int_equal(reserved(&f, COUNT_BY_CLIENT, fixture_asker(1, 2, 7), NOW), 0);
    assert_int_equal(reserved(&f, COUNT_BY_CLIENT, fixture_asker(1, 3, 7), NOW), 1);
    fixture_free(&f);
}

// Both reports settle by guid, or one without a guid when there is none of that guid.
static void reports_settle(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct attempt a = fixture_attempt(1, 2, 5), b = fixture_end(1, 2, 6, 6);
    struct ledger_asker other = fixture_asker(1, 2, 9);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct attempts_count c;

    (void)state;
    keep(&f, fixture_asker(1, 2, 5), UNTIL);
    keep(&f, fixture_asker(1, 2, 0), UNTIL);
    assert_int_equal(ledger_apply(f.l, &a), LEDGER_NEW);
    c = ledger_count(f.l, &other, &q, NOW);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.reserved, 1);
    assert_int_equal(ledger_apply(f.l, &a), LEDGER_REPEATED); // settles no other's
    a.ended = true;
    assert_int_equal(ledger_apply(f.l, &a), LEDGER_ENDED); // nor does its end
    assert_int_equal(ledger_count(f.l, &other, &q, NOW).reserved, 1);
    assert_int_equal(ledger_apply(f.l, &b), LEDGER_NEW); // the one without a guid
    c = ledger_count(f.l, &other, &q, NOW);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.reserved, 0);
    q.by = COUNT_BY_CLIENT;
    assert_int_equal(ledger_count(f.l, &other, &q, NOW).reserved, 0);
    fixture_free(&f);
}

// An attempt of last week, read again because a longer window came, is not what was just reserved.
static void the_log_settles_nothing(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct attempt a = fixture_attempt(1, 2, 5), b = fixture_end(1, 2, 5, 6);

    (void)state;
    keep(&f, fixture_asker(1, 2, 0), UNTIL);
    a.start_s = NOW - 5 * DAY;
    assert_int_equal(ledger_recall(f.l, &a), LEDGER_NEW);
    assert_int_equal(ledger_recall(f.l, &b), LEDGER_ENDED);
    assert_int_equal(ledger_recall(f.l, &b), LEDGER_REPEATED);
    for (int by = COUNT_BY_DEVICE; by <= COUNT_BY_CLIENT; by++) {
        struct attempts_query q = fixture_query((enum count_by)by);
        struct ledger_asker who = fixture_asker(1, 2, 9);
        struct attempts_count c = ledger_count(f.l, &who, &q, NOW);

        assert_int_equal(c.count, 2);
        assert_int_equal(c.reserved, 1);
    }
    fixture_free(&f);
}

static void an_attempt_without_room_stays_reserved(void **state)
{
    struct fixture f = fixture_new(1, 1024);
    struct attempt a = fixture_attempt(1, 0, 5), b = fixture_attempt(1, 0, 6);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct ledger_asker other = fixture_asker(1, 0, 9);
    struct attempts_count c;

    (void)state;
    assert_int_equal(ledger_apply(f.l, &b), LEDGER_NEW);
    keep(&f, fixture_asker(1, 0, 5), UNTIL);
    assert_int_equal(ledger_apply(f.l, &a), ERR_FULL);
    c = ledger_count(f.l, &other, &q, NOW);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.reserved, 1);
    assert_true(c.unknown);
    fixture_free(&f);
}

static void groups(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct ledger_asker a = fixture_asker(1, 0, 5), b = fixture_asker(1, 0, 6);

    (void)state;
    q.group_only = true;
    a.group = fixture_key(1);
    b.group = fixture_key(2);
    keep(&f, a, UNTIL);
    assert_int_equal(ledger_count(f.l, &b, &q, NOW).count, 0);
    b.group = a.group;
    assert_int_equal(ledger_count(f.l, &b, &q, NOW).count, 1);
    b.group = 0;
    assert_int_equal(ledger_count(f.l, &b, &q, NOW).count, 1);
    a.guid = fixture_key(99);
    a.group = 0; // kept by who names none: it counts for each
    keep(&f, a, UNTIL);
    b.group = fixture_key(2);
    assert_int_equal(ledger_count(f.l, &b, &q, NOW).count, 1);
    q.group_only = false;
    assert_int_equal(ledger_count(f.l, &b, &q, NOW).count, 2);
    b.guid = 0; // settles none of another group
    a.device = fixture_asker(7, 0, 0).device;
    a.group = fixture_key(1);
    a.guid = 0;
    keep(&f, a, UNTIL);
    b.device = a.device;
    ledger_settle(f.l, &b);
    assert_int_equal(ledger_count(f.l, &b, &q, NOW).count, 1);
    ledger_settle(f.l, &a);
    assert_int_equal(ledger_count(f.l, &b, &q, NOW).count, 0);
    fixture_free(&f);
}

// An attempt under way has no result, but it happens now.
static void window_and_filters(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct ledger_asker who = fixture_asker(1, 0, 6);

    (void)state;
    keep(&f, fixture_asker(1, 0, 5), UNTIL);
    q.results = 0;
    q.placed = q.subject_only = true;
    assert_int_equal(ledger_count(f.l, &who, &q, NOW).count, 1);
    q.before_s = NOW; // as it was then
    assert_int_equal(ledger_count(f.l, &who, &q, NOW).count, 0);
    q.before_s = INT64_MAX;
    q.since_s = NOW + 1; // as it will be
    assert_int_equal(ledger_count(f.l, &who, &q, NOW).count, 0);
    fixture_free(&f);
}

static void attempts_come_on_top_up_to_enough(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);
    struct ledger_asker who = fixture_asker(1, 0, 9);
    struct attempts_count c;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct attempt a = fixture_attempt(1, 0, 100 + i);

        a.start_s = NOW - 100 - i;
        assert_int_equal(ledger_apply(f.l, &a), LEDGER_NEW);
        keep(&f, fixture_asker(1, 0, 200 + i), UNTIL);
    }
    q.enough = 5;
    c = ledger_count(f.l, &who, &q, NOW);
    assert_int_equal(c.count, 5);
    assert_int_equal(c.reserved, 3);
    assert_int_equal(c.oldest_s, NOW - 102);
    q.enough = 2;
    c = ledger_count(f.l, &who, &q, NOW);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.reserved, 2);
    assert_int_equal(c.oldest_s, NOW);
    fixture_free(&f);
}

// One key's entries spill over the next buckets, until those are full; what is over makes room.
static void full_buckets(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct ledger_asker who = fixture_asker(1, 0, 0), both = fixture_asker(1, 2, 500);
    struct ledger_asker later = fixture_asker(1, 0, 600), last;

    (void)state;
    for (unsigned i = 0; i < BUCKET_ROOM; i++)
        keep(&f, fixture_asker(1, 0, 100 + i), i < BUCKET_ROOM / 2 ? UNTIL : UNTIL + 10);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, who, NOW), BUCKET_ROOM);
    assert_false(ledger_reserve(f.l, &later, NOW, UNTIL));
    keep(&f, fixture_asker(1, 0, 100), UNTIL); // has its place
    assert_false(ledger_reserve(f.l, &both, NOW, UNTIL));
    assert_int_equal(reserved(&f, COUNT_BY_CLIENT, fixture_asker(0, 2, 0), NOW), 0);
    both = fixture_asker(2, 1, 501);
    both.client = who.device; // the second key finds no room: the first is given back
    assert_false(ledger_reserve(f.l, &both, NOW, UNTIL));
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, fixture_asker(2, 0, 0), NOW), 0);
    // the last one stands in the last bucket and is found there when the first has gone
    last = fixture_asker(1, 0, 100 + BUCKET_ROOM - 1);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, who, UNTIL), BUCKET_ROOM / 2);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, last, UNTIL), BUCKET_ROOM / 2 - 1);
    assert_true(ledger_reserve(f.l, &last, UNTIL, UNTIL + 100));
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, who, UNTIL + 20), 1);
    assert_true(ledger_reserve(f.l, &later, UNTIL + 20, UNTIL + 30));
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, who, UNTIL + 20), 2);
    ledger_release(f.l, &last);
    assert_int_equal(reserved(&f, COUNT_BY_DEVICE, who, UNTIL + 20), 1);
    fixture_free(&f);
}

// Three quarters full, as it is when every question of the busiest second was allowed.
static void three_quarters_full(void **state)
{
    struct fixture f = fixture_new(100, 1 << 16);
    unsigned count = 3 << 14, refused = 0, lost = 0;
    struct ledger_usage usage;

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        struct ledger_asker who = fixture_asker(i + 1, 0, i);

        refused += !ledger_reserve(f.l, &who, NOW, UNTIL);
    }
    assert_int_equal(refused, 0);
    for (unsigned i = 0; i < count; i++)
        lost += reserved(&f, COUNT_BY_DEVICE, fixture_asker(i + 1, 0, 0), NOW) < 1;
    assert_int_equal(lost, 0);
    ledger_usage(f.l, &usage);
    assert_int_equal(usage.reservations, count);
    fixture_free(&f);
}

static void far_instants(void **state)
{
    struct fixture f = fixture_new(100, 1024);
    struct ledger_asker who = fixture_asker(1, 0, 5), other = fixture_asker(1, 0, 6);
    int64_t year_2262 = INT64_C(9223372036);
    struct attempts_query q = fixture_query(COUNT_BY_DEVICE);

    (void)state;
    assert_true(ledger_reserve(f.l, &who, year_2262, year_2262 + 600));
    assert_int_equal(ledger_count(f.l, &other, &q, year_2262 + 599).count, 1);
    assert_int_equal(ledger_count(f.l, &other, &q, year_2262 + 600).count, 0);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_for_each_key),
        cmocka_unit_test(unchanged),
        cmocka_unit_test(ends_by_itself),
        cmocka_unit_test(own_guid_does_not_count),
        cmocka_unit_test(same_guid_is_prolonged),
        cmocka_unit_test(without_a_guid_each_counts),
        cmocka_unit_test(release_leaves_the_others),
        cmocka_unit_test(reports_settle),
        cmocka_unit_test(the_log_settles_nothing),
        cmocka_unit_test(an_attempt_without_room_stays_reserved),
        cmocka_unit_test(groups),
        cmocka_unit_test(window_and_filters),
        cmocka_unit_test(attempts_come_on_top_up_to_enough),
        cmocka_unit_test(full_buckets),
        cmocka_unit_test(three_quarters_full),
        cmocka_unit_test(far_instants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
