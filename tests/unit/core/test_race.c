// SPDX-License-Identifier: Apache-2.0
//
// Two dialers ask about the same device at the same moment, and one attempt is left.
#include "tests/unit/core/world.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define RACERS 2
#define ROUNDS 10000
#define PHONES 64

struct racer {
    struct decider decider;
    const struct view *view;
    struct question question[PHONES];
    bool allowed;
    pthread_t thread;
};
// Each counts rounds of all racers; `judged` those that the test has looked at.
static atomic_uint ready, decided, judged, cleared;

static void wait_for(atomic_uint *count, unsigned most)
{
    while (atomic_load(count) < most) sched_yield();
}

static void *race(void *arg)
{
    struct racer *r = arg;
    int rule;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct question *q = &r->question[i % PHONES];

        wait_for(&cleared, i * RACERS);
        atomic_fetch_add(&ready, 1);
        // off at the same moment, where there is a core for each
        for (unsigned spin = 0; atomic_load(&ready) < (i + 1) * RACERS; spin++)
            if (spin % 20000 == 19999) sched_yield();
        r->allowed = decide(&r->decider, r->view, q, &rule).type == VERDICT_NONE;
        atomic_fetch_add(&decided, 1);
        wait_for(&judged, i + 1);
        if (r->allowed) ledger_release(r->decider.ledger, &q->who);
        atomic_fetch_add(&cleared, 1);
    }
    return NULL;
}

static void racer_init(struct racer *r, struct world *w, unsigned number)
{
    char text[128];

    r->decider = w->decider;
    r->decider.clock = calloc(1, sizeof *w->decider.clock);
    r->decider.tally = NULL;
    r->view = w->view;
    for (unsigned i = 0; i < PHONES; i++) {
        snprintf(text, sizeof text, "{'phone':'+12125550%03u','GSW_CALL_ATTEMPT_GUID':'%u-%u'}", i,
                 number, i);
        read_question(w, text, true);
        r->question[i] = w->question;
    }
}

// Without the second look after a reservation both pass in some rounds of a hundred.
static void the_last_slot_is_passed_once(void **state)
{
    static struct racer racer[RACERS];
    struct world *w = *state;
    unsigned won = 0;

    rule_by(w, "{'version':'1','rules':[{'name':'one','type':'attempts','required':true,'max':1,"
               "'period':'1h'}]}");
    for (unsigned r = 0; r < RACERS; r++) racer_init(&racer[r], w, r);
    for (unsigned r = 0; r < RACERS; r++)
        assert_int_equal(pthread_create(&racer[r].thread, NULL, race, &racer[r]), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        wait_for(&decided, (i + 1) * RACERS);
        if (racer[0].allowed && racer[1].allowed) fail_msg("both passed in round %u", i);
        won += racer[0].allowed || racer[1].allowed;
        atomic_fetch_add(&judged, 1);
    }
    for (unsigned r = 0; r < RACERS; r++) {
        pthread_join(racer[r].thread, NULL);
        free(racer[r].decider.clock);
    }
    assert_true(won > ROUNDS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_slot_is_passed_once, world_open, world_close),
    };
    int failed;

    if (number_start() < 0 || atlas_load(&atlas, ZONES_DEFAULT, NULL, NULL) < 0) return 2;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    atlas_unref(atlas);
    return failed;
}
