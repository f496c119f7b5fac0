// SPDX-License-Identifier: Apache-2.0
// A writer that replaces and changes content while readers look.
#include <pthread.h>
#include <unistd.h>

#include "tests/unit/set/fixture.h"

#define READERS 2
#define ID      7
#define OTHER   8
#define ALWAYS_ 300 // keys that are in every content
#define NEVER   300

// Which keys readers ask for: some that are there at every moment, some that never are.
struct shared {
    struct fixture f;
    struct set_key there[ALWAYS_], absent[NEVER];
    _Atomic bool stop;
    _Atomic unsigned long missed, ghosts, turns;
};

static void *reader(void *ctx)
{
    struct shared *sh = ctx;
    struct qsbr_reader *me = qsbr_join(sh->f.q);
    uint16_t rank[LIMIT_SET_IDS];

    memset(rank, 0xff, sizeof rank);
    rank[ID] = 3;
    qsbr_wake(me);
    while (!sh->stop) {
        struct set_probe p[16], n[16];
        struct set_hit hit;

        for (unsigned from = 0; from + 16 <= ALWAYS_; from += 16) {
            for (unsigned i = 0; i < 16; i++) {
                set_probe_start(sh->f.s, &p[i], sh->there[from + i]);
                set_probe_start(sh->f.s, &n[i], sh->absent[from + i]);
            }
            for (unsigned i = 0; i < 16; i++) {
                set_probe_fetch(sh->f.s, &p[i]);
                set_probe_fetch(sh->f.s, &n[i]);
            }
            for (unsigned i = 0; i < 16; i++) {
                sh->missed += set_probe_best(sh->f.s, &p[i], rank, 1000, &hit) != 3;
                sh->ghosts += set_probe_best(sh->f.s, &n[i], rank, 1000, &hit) == 3;
            }
            qsbr_quiet(me);
        }
        sh->turns++;
    }
    qsbr_leave(me);
    return NULL;
}

static void start(struct shared *sh, pthread_t *t)
{
    for (unsigned i = 0; i < READERS; i++) pthread_create(&t[i], NULL, reader, sh);
    while (sh->turns < 10) usleep(100);
}

static void finish(struct shared *sh, pthread_t *t)
{
    unsigned long turns = sh->turns;

    while (sh->turns < turns + 2) usleep(100);
    sh->stop = true;
    for (unsigned i = 0; i < READERS; i++) pthread_join(t[i], NULL);
    assert_int_equal(sh->missed, 0);
    assert_int_equal(sh->ghosts, 0);
    print_message("%lu turns of the readers\n", (unsigned long)sh->turns);
    fixture_free(&sh->f);
    free(sh);
}

static struct shared *shared_new(void)
{
    struct shared *sh = calloc(1, sizeof *sh);

    sh->f = fixture_new(4);
    for (unsigned i = 0; i < ALWAYS_; i++) {
        uint64_t spot = (uint64_t)(i % 100) * 10000 + 9000 + i;

        // a third each: NANP devices, other devices, devices in a sparse area code
        sh->there[i] = i % 3 == 0   ? fixture_nanp(sh->f.s, 2122000000 + spot)
                       : i % 3 == 1 ? set_key_device(sh->f.s, 44100000000 + i)
                                    : fixture_nanp(sh->f.s, 3032000000 + spot);
        sh->absent[i] = i % 2 ? fixture_nanp(sh->f.s, 2122000000 + spot + 500)
                              : set_key_device(sh->f.s, 44200000000 + i);
    }
    return sh;
}

// The keys that stay, plus `lines` in each of 100 exchanges from line `from` on, plus some that
// have dates in every second version.
static void publish(struct shared *sh, unsigned id, unsigned lines, unsigned from, bool dates)
{
    struct set_build *b = set_build_new(sh->f.s, id, 0);

    for (unsigned i = 0; i < ALWAYS_; i++) {
        struct set_span span = SET_ALWAYS;

        if (dates && i % 5 == 0) span = (struct set_span){500, 2000};
        assert_int_equal(set_build_add(b, sh->there[i], span), 1);
    }
    for (unsigned x = 0; x < 100; x++)
        for (unsigned i = 0; i < lines; i++)
            set_build_add_nanp(b, 2122000000 + x * 10000ULL + from + i);
    assert_int_equal(set_build_publish(sh->f.s, b, NULL), 0);
}

// Sizes: 0 and 3 lines are sparse, 250 and 400 dense; each step of the table is one transition.
static void versions(bool with_other)
{
    static const unsigned lines[] = {250, 400, 0, 3, 250, 3, 400, 250, 0};
    struct shared *sh = shared_new();
    pthread_t t[READERS];

    if (with_other) publish(sh, OTHER, 300, 4000, false);
    publish(sh, ID, 0, 0, false);
    start(sh, t);
    for (unsigned round = 0; round < 4; round++)
        for (unsigned i = 0; i < COUNT_OF(lines); i++) {
            uint64_t count = ALWAYS_ + 100 * lines[i];

            publish(sh, ID, lines[i], i * 700, (i + round) % 2);
            assert_int_equal(set_count(sh->f.s, ID), count);
            assert_int_equal(sh->f.s->plane_of[ID] >= 0, lines[i] >= 250);
            if (with_other) assert_int_equal(set_count(sh->f.s, OTHER), ALWAYS_ + 30000);
            assert_int_equal(set_find(sh->f.s, ID, fixture_nanp(sh->f.s, 2122000000 + i * 700), 0),
                             lines[i] > 0);
            usleep(2000);
        }
    if (with_other) {
        assert_true(set_find(sh->f.s, OTHER, fixture_nanp(sh->f.s, 2122994299), NULL));
        assert_false(set_find(sh->f.s, OTHER, fixture_nanp(sh->f.s, 2122994300), NULL));
    }
    finish(sh, t);
}

static void alone_no_gap(void **state)
{
    (void)state;
    versions(false);
}

static void beside_another_id_no_gap(void **state)
{
    (void)state;
    versions(true);
}

// Entries that stay change their form all the time; others come and go beside them.
static void single_changes_no_gap(void **state)
{
    struct shared *sh = shared_new();
    pthread_t t[READERS];
    struct rand r;

    (void)state;
    print_message("seed 11\n");
    rand_seed(&r, 11);
    publish(sh, ID, 300, 0, false);
    start(sh, t);
    for (unsigned n = 0; n < 200000; n++) {
        struct set_key stays = sh->there[rand_below(&r, ALWAYS_)];
        struct set_span dated = {(uint32_t)rand_below(&r, 1000),
                                 1001 + (uint32_t)rand_below(&r, 9)};
        struct set_key other =
            rand_below(&r, 2) ? fixture_nanp(sh->f.s, 2122000000 + rand_below(&r, 100) * 10000 +
                                                          rand_below(&r, 8000))
                              : set_key_device(sh->f.s, 44300000000 + rand_below(&r, 100000));

        assert_int_equal(set_insert(sh->f.s, ID, stays, rand_below(&r, 2) ? SET_ALWAYS : dated), 0);
        if (rand_below(&r, 2))
            set_insert(sh->f.s, ID, other, rand_below(&r, 2) ? SET_ALWAYS : dated);
        else
            set_remove(sh->f.s, ID, other);
    }
    finish(sh, t);
}

// Dates that are over never block, not even while the entry is removed or changed.
static void expired_entries_never_count(void **state)
{
    struct shared *sh = shared_new();
    pthread_t t[READERS];

    (void)state;
    publish(sh, ID, 300, 0, false);
    start(sh, t);
    for (unsigned n = 0; n < 100; n++)
        for (unsigned i = 0; i < NEVER; i++) {
            set_insert(sh->f.s, ID, sh->absent[i], (struct set_span){n, 900 + n});
            if (n % 3) set_remove(sh->f.s, ID, sh->absent[i]);
        }
    finish(sh, t);
}

// The size of a sparse file, say.
static void a_hint_is_no_promise(void **state)
{
    struct fixture f = fixture_new(16);
    struct set_build *b = set_build_new(f.s, 1, (size_t)1 << 40);

    (void)state;
    assert_int_equal(set_build_add(b, set_key_text(f.s, SET_CLIENT, "7", 1), SET_ALWAYS), 1);
    assert_int_equal(set_build_publish(f.s, b, NULL), 0);
    assert_int_equal(set_count(f.s, 1), 1);
    fixture_free(&f);
}

static void failure_keeps_the_old_content(void **state)
{
    struct set_limits limits = {sizeof(struct pages) + 260 * 1256, 4};
    struct qsbr *q = qsbr_new();
    struct set_build *b;
    struct err_info info;
    struct set *s;

    (void)state;
    assert_int_equal(set_new(&s, 1, &limits, q, &info), 0);
    b = set_build_new(s, 1, 0);
    fixture_fill(b, 212, 200, 150);
    assert_int_equal(set_build_publish(s, b, &info), 0);
    b = set_build_new(s, 2, 0); // a second plane does not fit
    fixture_fill(b, 212, 200, 150);
    assert_int_equal(set_build_publish(s, b, &info), ERR_NOMEM);
    assert_true(strstr(info.text, "memory") != NULL);
    assert_int_equal(set_count(s, 1), 30000);
    assert_int_equal(set_count(s, 2), 0);
    for (unsigned i = 0; i < 150; i++) {
        assert_true(set_find(s, 1, fixture_nanp(s, 2123990000 + i), NULL));
        assert_false(set_find(s, 2, fixture_nanp(s, 2123990000 + i), NULL));
    }
    qsbr_poll(q);
    assert_int_equal(s->planes_taken, 1);
    set_free(s);
    qsbr_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone_no_gap),          cmocka_unit_test(beside_another_id_no_gap),
        cmocka_unit_test(single_changes_no_gap), cmocka_unit_test(expired_entries_never_count),
        cmocka_unit_test(a_hint_is_no_promise),  cmocka_unit_test(failure_keeps_the_old_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
