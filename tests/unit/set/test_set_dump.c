// SPDX-License-Identifier: Apache-2.0
// Dump, load, dump beside a writer, and damaged streams.
#include <pthread.h>
#include <unistd.h>

#include "tests/unit/set/fixture.h"

struct stream {
    unsigned char *data;
    size_t size, room, at;
    unsigned pause_us;
};

static int on_write(void *ctx, const void *data, size_t size_bytes)
{
    struct stream *st = ctx;

    if (st->size + size_bytes > st->room) {
        st->room = (st->size + size_bytes) * 2;
        st->data = realloc(st->data, st->room);
    }
    memcpy(st->data + st->size, data, size_bytes);
    st->size += size_bytes;
    if (st->pause_us) usleep(st->pause_us);
    return 0;
}

static int on_read(void *ctx, void *dst, size_t size_bytes)
{
    struct stream *st = ctx;

    if (size_bytes > st->size - st->at) return ERR_CORRUPT;
    memcpy(dst, st->data + st->at, size_bytes);
    st->at += size_bytes;
    return 0;
}

static int fail_late(void *ctx, const void *data, size_t size_bytes)
{
    unsigned *left = ctx;

    (void)data;
    (void)size_bytes;
    return (*left)-- ? 0 : ERR_IO;
}

static int dump(struct fixture *f, struct stream *st)
{
    struct qsbr_reader *me = qsbr_join(f->q);
    struct set_sink sink = {on_write, st};
    int rc = set_dump(f->s, me, &sink);

    assert_int_equal(me->seen, 0); // asleep again
    qsbr_leave(me);
    return rc;
}

static int load(struct fixture *f, struct stream *st)
{
    struct set_source source = {on_read, st};
    struct err_info info;

    st->at = 0;
    return set_load(f->s, &source, &info);
}

static void fill(struct fixture *f, unsigned exchanges, unsigned lines, unsigned keys)
{
    for (unsigned id = 1; id <= 3; id++) {
        struct set_build *b = set_build_new(f->s, id, 0);

        fixture_fill(b, 212 + (id == 3), exchanges, lines + id);
        assert_int_equal(set_build_publish(f->s, b, NULL), 0);
    }
    for (unsigned i = 0; i < keys; i++) {
        struct set_span span = i % 4 ? SET_ALWAYS : (struct set_span){i, i + 9};

        assert_int_equal(set_insert(f->s, 4 + i % 2, set_key_device(f->s, 44000000000 + i), span),
                         1);
    }
}

static void check_same(struct fixture *a, struct fixture *b)
{
    struct keys_walk w = {.k = set_state_view(a->s)->keys};
    struct keys_entry e;

    for (unsigned id = 1; id < 10; id++) assert_int_equal(set_count(a->s, id), set_count(b->s, id));
    while (keys_walk_next(&w, &e)) {
        struct set_span span;
        struct set_key key = {.hash = e.hash};

        assert_true(set_find(b->s, e.id, key, &span));
        assert_true(span.from_s == e.span.from_s && span.till_s == e.span.till_s);
    }
    for (uint64_t n = 2122000000; n < 2142000000; n++) {
        // every line that the tests fill or change, and a sample of the others
        if (n % 10000 == 220) n += 9780 - n / 10000 % 50;
        if (!pages_nanp_ok(n)) continue;
        for (unsigned id = 1; id <= 3; id++) {
            struct set_key key = fixture_nanp(a->s, n);

            assert_int_equal(set_find(a->s, id, key, NULL), set_find(b->s, id, key, NULL));
        }
    }
}

static void comes_back_the_same(void **state)
{
    struct fixture a = fixture_new(16), b = fixture_new(16), c = fixture_new(16);
    struct stream st = {0}, again = {0};

    (void)state;
    assert_int_equal(dump(&a, &st), 0);
    assert_int_equal(load(&c, &st), 0); // empty into empty
    st.size = 0;
    fill(&a, 300, 130, 20000);
    assert_int_equal(dump(&a, &st), 0);
    assert_int_equal(load(&b, &st), 0);
    assert_int_equal(st.at, st.size);
    check_same(&a, &b);
    assert_int_equal(dump(&b, &again), 0);
    assert_int_equal(again.size, st.size);
    free(st.data);
    free(again.data);
    fixture_free(&a);
    fixture_free(&b);
    fixture_free(&c);
}

static void other_seed_and_broken_sink(void **state)
{
    struct fixture a = fixture_new(16);
    struct set_limits limits = {(size_t)64 << 20, 16};
    struct set *other;
    struct stream st = {0};
    struct set_source source = {on_read, &st};
    struct err_info info;
    unsigned left = 1;
    struct set_sink sink = {fail_late, &left};
    struct qsbr_reader *me = qsbr_join(a.q);

    (void)state;
    fill(&a, 300, 130, 20000);
    assert_int_equal(set_dump(a.s, me, &sink), ERR_IO);
    qsbr_leave(me);
    assert_int_equal(dump(&a, &st), 0);
    assert_int_equal(set_new(&other, FIXTURE_SEED + 1, &limits, a.q, &info), 0);
    assert_int_equal(set_load(other, &source, &info), ERR_CORRUPT);
    assert_true(strlen(info.text) > 10);
    set_free(other);
    free(st.data);
    fixture_free(&a);
}

struct writer {
    struct fixture *f;
    _Atomic bool stop, moving;
    unsigned count;
    struct change {
        unsigned id;
        struct set_key key;
        struct set_span span; // {1, 1}: removed
    } log[4000000];
};

static void apply(struct set *s, const struct change *c)
{
    if (c->span.from_s == 1 && c->span.till_s == 1)
        set_remove(s, c->id, c->key);
    else
        assert_true(set_insert(s, c->id, c->key, c->span) >= 0);
}

static void *on_writer(void *ctx)
{
    struct writer *w = ctx;
    struct rand r;

    rand_seed(&r, 21);
    while (!w->stop && w->count < COUNT_OF(w->log)) {
        struct change *c = &w->log[w->count];
        uint64_t kind = rand_below(&r, 3);
        uint64_t page = 2122000000 + rand_below(&r, 300) * 10000 + rand_below(&r, 200);

        c->id = 1 + (unsigned)rand_below(&r, 5);
        c->key = rand_below(&r, 2) ? set_key_device(w->f->s, 44000000000 + rand_below(&r, 30000))
                                   : fixture_nanp(w->f->s, page);
        c->span = kind == 0   ? SET_ALWAYS
                  : kind == 1 ? (struct set_span){1, 1}
                              : (struct set_span){2, 3 + (uint32_t)rand_below(&r, 9)};
        apply(w->f->s, c);
        w->count++;
        w->moving = true;
    }
    return NULL;
}

static void beside_a_writer_then_replayed(void **state)
{
    struct fixture a = fixture_new(16);
    struct writer *w = calloc(1, sizeof *w);

    (void)state;
    fill(&a, 300, 130, 20000);
    for (unsigned round = 0; round < 2; round++) {
        struct fixture b = fixture_new(16);
        struct stream st = {.pause_us = 2000};
        pthread_t t;

        *w = (struct writer){.f = &a};
        pthread_create(&t, NULL, on_writer, w);
        while (!w->moving) usleep(10);
        assert_int_equal(dump(&a, &st), 0);
        w->stop = true;
        pthread_join(t, NULL);
        assert_int_equal(load(&b, &st), 0);
        for (unsigned i = 0; i < w->count; i++) apply(b.s, &w->log[i]);
        print_message("%u changes beside the dump\n", w->count);
        check_same(&a, &b);
        free(st.data);
        fixture_free(&b);
    }
    free(w);
    fixture_free(&a);
}

static int publish_beside(void *ctx, const void *data, size_t size_bytes)
{
    struct fixture *f = ctx;

    (void)data;
    (void)size_bytes;
    return set_build_publish(f->s, set_build_new(f->s, 9, 0), NULL);
}

static void publish_beside_a_dump_is_said(void **state)
{
    struct fixture a = fixture_new(16);
    struct qsbr_reader *me = qsbr_join(a.q);
    struct set_sink sink = {publish_beside, &a};

    (void)state;
    assert_int_equal(set_dump(a.s, me, &sink), ERR_BUSY);
    qsbr_leave(me);
    fixture_free(&a);
}

// After whatever load left, the set answers and counts what it holds.
static void check_sound(struct fixture *f)
{
    uint64_t keys = 0;
    struct keys_walk w = {.k = set_state_view(f->s)->keys};
    struct keys_entry e;

    for (; keys_walk_next(&w, &e); keys++)
        assert_true(set_find(f->s, e.id, (struct set_key){.hash = e.hash}, NULL));
    assert_int_equal(f->s->key_entries, keys);
    set_remove(f->s, 1, fixture_nanp(f->s, 2122000001));
    assert_true(set_insert(f->s, 1, fixture_nanp(f->s, 2122000001), SET_ALWAYS) >= 0);
}

static void damaged_streams(void **state)
{
    struct fixture a = fixture_new(16);
    struct stream st = {0};
    unsigned refused = 0, rounds = 0;
    struct rand r;

    (void)state;
    print_message("seed 31\n");
    rand_seed(&r, 31);
    fill(&a, 2, 130, 40);
    assert_int_equal(dump(&a, &st), 0);
    // everything but the words of pages one byte at a time, those by sample; then cuts
    for (size_t at = 0; at < st.size; rounds++) {
        struct fixture b = fixture_new(16);
        unsigned char was = st.data[at];
        int rc;

        st.data[at] ^= (unsigned char)(1 + rand_below(&r, 255));
        rc = load(&b, &st);
        assert_true(rc == 0 || rc == ERR_CORRUPT || rc == ERR_VERSION);
        refused += rc != 0;
        if (!rc) check_sound(&b);
        st.data[at] = was;
        fixture_free(&b);
        at += at < 96 || at + 620 > st.size ? 1 + rand_below(&r, 3) : 1 + rand_below(&r, 160);
    }
    for (unsigned i = 0; i < 40; i++) {
        struct fixture b = fixture_new(16);
        struct stream cut = st;

        cut.size = rand_below(&r, st.size);
        assert_int_equal(load(&b, &cut), ERR_CORRUPT);
        fixture_free(&b);
    }
    print_message("%u of %u refused\n", refused, rounds);
    assert_true(refused > 40);
    free(st.data);
    fixture_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_the_same),
        cmocka_unit_test(other_seed_and_broken_sink),
        cmocka_unit_test(beside_a_writer_then_replayed),
        cmocka_unit_test(publish_beside_a_dump_is_said),
        cmocka_unit_test(damaged_streams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
