// SPDX-License-Identifier: Apache-2.0
// Random operations against a plain model: an array of spans for each (key, id).
#include "tests/unit/set/fixture.h"

#define KEYS 600
#define IDS  5 // 1 and 2 dense at times, 3 … 5 hashed

struct cell {
    bool held;
    struct set_span span;
};

struct model {
    struct fixture f;
    struct set_key key[KEYS];
    struct cell cell[IDS + 1][KEYS];
};

static const unsigned id_of[IDS + 1] = {0, 1, 2, 3, 500, 1023};

static struct set_span random_span(struct rand *r)
{
    uint32_t from = (uint32_t)rand_below(r, 50);

    if (rand_below(r, 2)) return SET_ALWAYS;
    if (rand_below(r, 4) == 0) return (struct set_span){from, SET_FOREVER};
    return (struct set_span){from, from + (uint32_t)rand_below(r, 50)};
}

static void make_keys(struct model *m, struct rand *r)
{
    for (unsigned i = 0; i < KEYS; i++) {
        char text[32];

        if (i % 3 == 2) {
            snprintf(text, sizeof text, "client-%u", i);
            m->key[i] = set_key_text(m->f.s, SET_CLIENT, text, strlen(text));
        } else if (i % 3 == 1) {
            m->key[i] = set_key_device(m->f.s, 441000000000 + i);
        } else {
            m->key[i] = fixture_nanp(m->f.s, 2125550000 + i / 3 * 40 + rand_below(r, 40));
        }
    }
}

static void check_key(struct model *m, unsigned k, uint32_t now_s)
{
    uint16_t rank[LIMIT_SET_IDS], want = SET_NO_RANK, got;
    struct set_hit hit = {0};
    struct set_probe p;

    memset(rank, 0xff, sizeof rank);
    for (unsigned i = 1; i <= IDS; i++) {
        struct cell *c = &m->cell[i][k];
        struct set_span span = {7, 7};

        assert_int_equal(set_find(m->f.s, id_of[i], m->key[k], &span), c->held);
        if (c->held) assert_true(span.from_s == c->span.from_s && span.till_s == c->span.till_s);
        if (i == 4) continue; // an id that does not count
        rank[id_of[i]] = (uint16_t)(10 - i);
        if (c->held && c->span.from_s <= now_s &&
            (now_s < c->span.till_s || c->span.till_s == SET_FOREVER) && 10 - i < want)
            want = (uint16_t)(10 - i);
    }
    set_probe_start(m->f.s, &p, m->key[k]);
    set_probe_fetch(m->f.s, &p);
    got = set_probe_best(m->f.s, &p, rank, now_s, &hit);
    assert_int_equal(got, want);
    if (got != SET_NO_RANK) assert_int_equal(rank[hit.id], got);
}

static void check_all(struct model *m, struct rand *r)
{
    for (unsigned k = 0; k < KEYS; k++) check_key(m, k, (uint32_t)rand_below(r, 110));
    for (unsigned i = 1; i <= IDS; i++) {
        uint64_t count = 0;

        for (unsigned k = 0; k < KEYS; k++) count += m->cell[i][k].held;
        assert_int_equal(set_count(m->f.s, id_of[i]), count);
    }
}

static struct set_span hull(struct set_span a, struct set_span b)
{
    if (b.from_s < a.from_s) a.from_s = b.from_s;
    if (b.till_s > a.till_s) a.till_s = b.till_s;
    return a;
}

static void random_build(struct model *m, unsigned i, struct rand *r)
{
    struct set_build *b = set_build_new(m->f.s, id_of[i], rand_below(r, 2) * 1000);
    unsigned adds = (unsigned)rand_below(r, 2) ? 3000 : (unsigned)rand_below(r, 100);
    size_t count = 0;

    memset(m->cell[i], 0, sizeof m->cell[i]);
    for (unsigned n = 0; n < adds; n++) {
        unsigned k = (unsigned)rand_below(r, KEYS);
        struct cell *c = &m->cell[i][k];
        struct set_span span = rand_below(r, 3) ? SET_ALWAYS : random_span(r);
        int rc = set_state_always(span) && m->key[k].nanp && rand_below(r, 2)
                     ? set_build_add_nanp(b, m->key[k].nanp)
                     : set_build_add(b, m->key[k], span);

        assert_int_equal(rc, !c->held);
        c->span = c->held ? hull(c->span, span) : span;
        c->held = true;
        count += (unsigned)rc;
    }
    assert_int_equal(set_build_count(b), count);
    assert_int_equal(set_build_publish(m->f.s, b, NULL), 0);
    assert_int_equal(set_count(m->f.s, id_of[i]), count);
}

static void random_ops(unsigned seed, unsigned planes_max)
{
    struct model *m = calloc(1, sizeof *m);
    struct rand r;

    print_message("seed %u planes %u\n", seed, planes_max);
    rand_seed(&r, seed);
    m->f = fixture_new(planes_max);
    make_keys(m, &r);
    for (unsigned n = 0; n < 30000; n++) {
        unsigned i = 1 + (unsigned)rand_below(&r, IDS), k = (unsigned)rand_below(&r, KEYS);
        struct cell *c = &m->cell[i][k];

        if (rand_below(&r, 2500) == 0) {
            random_build(m, i, &r);
        } else if (rand_below(&r, 3)) {
            c->span = random_span(&r);
            assert_int_equal(set_insert(m->f.s, id_of[i], m->key[k], c->span), !c->held);
            c->held = true;
        } else {
            assert_int_equal(set_remove(m->f.s, id_of[i], m->key[k]), c->held);
            c->held = false;
        }
        if (n % 5000 == 0) check_all(m, &r);
    }
    check_all(m, &r);
    fixture_free(&m->f);
    free(m);
}

static void matches_the_model(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 4; seed++) random_ops(seed, 16);
    random_ops(5, 1);
    random_ops(6, 0);
}

static void edge_numbers(void **state)
{
    struct fixture f = fixture_new(16);
    uint64_t edge[] = {2002000000, 9999999999, 2009999999, 9992000000};
    struct set_build *b = set_build_new(f.s, 1, 0);

    (void)state;
    assert_true(set_key_device(f.s, 11999999999).nanp == 0);
    assert_true(set_key_device(f.s, 12001999999).nanp == 0);
    assert_true(set_key_device(f.s, 20000000000).nanp == 0);
    assert_true(set_key_device(f.s, 2125551234).nanp == 0);
    assert_true(set_key_device(f.s, 0).hash != 0);
    assert_int_equal(set_build_add_nanp(b, 0), ERR_BAD_VALUE);
    assert_int_equal(set_build_add_nanp(b, 2001999999), ERR_BAD_VALUE);
    assert_int_equal(set_build_add_nanp(b, 10000000000), ERR_BAD_VALUE);
    fixture_fill(b, 999, 800, 150);
    for (unsigned i = 0; i < COUNT_OF(edge); i++) set_build_add_nanp(b, edge[i]);
    assert_int_equal(set_build_publish(f.s, b, NULL), 0);
    assert_true(f.s->page_count[1] > 0 && f.s->key_count[1] == 0);
    for (unsigned i = 0; i < COUNT_OF(edge); i++) {
        struct set_key key = fixture_nanp(f.s, edge[i]);

        assert_true(set_find(f.s, 1, key, NULL));
        assert_int_equal(set_remove(f.s, 1, key), 1);
        assert_false(set_find(f.s, 1, key, NULL));
        assert_int_equal(set_insert(f.s, 1, key, SET_ALWAYS), 1);
        assert_int_equal(set_insert(f.s, 1, key, (struct set_span){5, 6}), 0);
        assert_int_equal(set_insert(f.s, 1, key, SET_ALWAYS), 0);
    }
    assert_true(f.s->key_count[1] == 0);
    fixture_free(&f);
}

static void count_hit(void *ctx, const struct set_hit *hit)
{
    uint8_t *seen = ctx;

    seen[hit->id]++;
}

static void one_key_on_300_ids(void **state)
{
    struct fixture f = fixture_new(16);
    struct set_key key = fixture_nanp(f.s, 2125551234);
    uint8_t seen[LIMIT_SET_IDS] = {0};
    struct set_probe p;

    (void)state;
    for (unsigned id = 1; id <= 20; id++) { // 16 get planes, the rest goes to keys
        struct set_build *b = set_build_new(f.s, id, 0);

        fixture_fill(b, 212, 400, 120);
        assert_int_equal(set_build_add(b, key, SET_ALWAYS), 1);
        assert_int_equal(set_build_publish(f.s, b, NULL), 0);
    }
    assert_int_equal(f.s->planes_taken, 0xffff);
    for (unsigned id = 21; id <= 300; id++)
        assert_int_equal(set_insert(f.s, id, key, (struct set_span){id, id + 1}), 1);
    set_probe_start(f.s, &p, key);
    set_probe_fetch(f.s, &p);
    set_probe_each(f.s, &p, count_hit, seen);
    for (unsigned id = 1; id < LIMIT_SET_IDS; id++) assert_int_equal(seen[id], id <= 300);
    for (unsigned id = 1; id <= 300; id++) assert_int_equal(set_remove(f.s, id, key), 1);
    memset(seen, 0, sizeof seen);
    set_probe_start(f.s, &p, key);
    set_probe_fetch(f.s, &p);
    set_probe_each(f.s, &p, count_hit, seen);
    for (unsigned id = 1; id < LIMIT_SET_IDS; id++) assert_int_equal(seen[id], 0);
    // a list that goes leaves its plane to another
    for (unsigned id = 1; id <= 2; id++)
        assert_int_equal(set_build_publish(f.s, set_build_new(f.s, id, 0), NULL), 0);
    assert_int_equal(f.s->planes_taken, 0xfffc);
    assert_int_equal(set_count(f.s, 1), 0);
    assert_int_equal(set_count(f.s, 3), 400 * 120);
    fixture_free(&f);
}

static void grows_past_its_first_table(void **state)
{
    struct fixture f = fixture_new(16);
    uint64_t n = 1600000;
    struct set_usage usage;

    (void)state;
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(set_insert(f.s, 9, set_key_device(f.s, 440000000000 + i), SET_ALWAYS), 1);
    set_usage(f.s, &usage);
    assert_int_equal(usage.keys_entries, n);
    assert_true(usage.keys_bytes > (size_t)20 << 20);
    for (uint64_t i = 0; i < n; i += 3)
        assert_true(set_find(f.s, 9, set_key_device(f.s, 440000000000 + i), NULL));
    for (uint64_t i = n; i < n + 100000; i++)
        assert_false(set_find(f.s, 9, set_key_device(f.s, 440000000000 + i), NULL));
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_the_model),
        cmocka_unit_test(edge_numbers),
        cmocka_unit_test(one_key_on_300_ids),
        cmocka_unit_test(grows_past_its_first_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
