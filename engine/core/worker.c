// SPDX-License-Identifier: Apache-2.0
#include "engine/core/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/core/consult.h"
#include "engine/core/engine.h"
#include "engine/core/history.h"
#include "engine/core/list_api.h"
#include "engine/core/routes.h"
#include "engine/core/stream.h"

const struct view *worker_view(const struct worker *w)
{
    return w->view ? w->view : atomic_load_explicit(&w->engine->view, memory_order_acquire);
}

const struct view *worker_hold(struct worker *w)
{
    if (!w->view) {
        w->view = worker_view(w);
        w->decider.wall_s = clock_wall_s();
        w->decider.mono_ns = clock_mono_ns();
    }
    return w->view;
}

void worker_release(struct worker *w)
{
    w->view = NULL;
}

void worker_count(struct worker *w, const struct verdict *v)
{
    static const enum metric rows[VERDICT_TYPE_COUNT] = {
        [VERDICT_NONE] = METRIC_ALLOWED,
        [VERDICT_SUPPRESSION] = METRIC_BLOCKED_SUPPRESSION,
        [VERDICT_CONTACT_TIMES] = METRIC_BLOCKED_CONTACT_TIMES,
        [VERDICT_CONTACT_DATES] = METRIC_BLOCKED_CONTACT_DATES,
        [VERDICT_ATTEMPTS] = METRIC_BLOCKED_ATTEMPTS,
        [VERDICT_LOCATION] = METRIC_BLOCKED_LOCATION,
        [VERDICT_LINE_TYPE] = METRIC_BLOCKED_LINE_TYPE,
        [VERDICT_CUSTOM] = METRIC_BLOCKED_CUSTOM,
        [VERDICT_EXTERNAL] = METRIC_BLOCKED_EXTERNAL,
        [VERDICT_EMERGENCY] = METRIC_BLOCKED_EMERGENCY,
        [VERDICT_FRESHNESS] = METRIC_BLOCKED_FRESHNESS,
        [VERDICT_INPUT] = METRIC_BLOCKED_INPUT,
    };

    metric_add(w->metrics, rows[v->type], 1);
}

void worker_fetch(struct worker *w, unsigned count)
{
    bool more = w->view && w->view->ruled;

    for (unsigned i = 0; i < count; i++) decide_fetch(&w->decider, &w->pending[i].question);
    for (unsigned round = 0; more && round < LEDGER_AHEAD; round++) {
        more = false;
        for (unsigned i = 0; i < count; i++)
            more |= decide_fetch_chains(&w->decider, &w->pending[i].question);
    }
}

void worker_flush(struct worker *w)
{
    unsigned count = w->pending_count;

    worker_fetch(w, count);
    for (unsigned i = 0; i < count; i++) {
        const struct pending *p = &w->pending[i];

        if (UNLIKELY(p->question.text.size))
            consult_answer(w, p->conn, &p->question);
        else
            ocs_answer(w, p->conn, &p->question);
    }
    w->pending_count = 0;
    worker_release(w);
}

static void on_turn(void *ctx)
{
    worker_flush(ctx);
}

// A stream belongs to whoever began it; the route says who.
static void on_resume(void *ctx, struct conn *conn)
{
    struct worker *w = ctx;
    const struct stream_owner *owner = conn_user(conn);

    owner->on_resume(w, conn);
}

static void on_gone(void *ctx, struct conn *conn)
{
    struct worker *w = ctx;
    const struct stream_owner *owner = conn_user(conn);

    if (owner->on_gone) owner->on_gone(w, conn);
}

static_assert(offsetof(struct worker_message, node) == 0, "a node is its message");

static void on_message(void *ctx, struct queue_node *message)
{
    struct worker_message *m = (struct worker_message *)message;

    m->on_arrival(ctx, m);
}

static void on_tick(void *ctx)
{
    struct worker *w = ctx;

    if (w->decider.settled_s != UINT32_MAX)
        w->decider.settled_s = (uint32_t)((clock_mono_ns() - w->engine->started_ns) / 1000000000);
    if (w->number != 0) return;
    metric_set(w->metrics, METRIC_RESIDENT_BYTES, mem_resident_bytes());
    metric_set(w->metrics, METRIC_READY, worker_view(w)->ready);
}

static int decider_init(struct worker *w)
{
    struct engine *e = w->engine;

    w->decider = (struct decider){
        .set = e->set,
        .ledger = e->ledger,
        .answers = e->answers,
        .clock = calloc(1, sizeof *w->decider.clock),
        .tally = tally_row_new(&e->tally),
        // a start with nothing before it has lost no reservation
        .settled_s = feed_is_fresh(e->feed) ? UINT32_MAX : 0,
    };
    return w->decider.clock && w->decider.tally ? 0 : ERR_NOMEM;
}

int worker_init(struct worker *w, struct engine *engine, unsigned number,
                const struct server_config *config, struct err_info *info)
{
    const struct server_handler handler = {
        .ctx = w,
        .routes = routes_table,
        .route_count = routes_count,
        .on_auth = routes_auth,
        .on_turn = on_turn,
        .on_resume = on_resume,
        .on_piece = decisions_on_piece,
        .on_gone = on_gone,
        .on_message = on_message,
        .on_tick = on_tick,
    };
    const char *note = NULL;
    int err;

    memset(w, 0, sizeof *w);
    w->engine = engine;
    w->number = number;
    w->metrics = metric_block_new();
    w->reader = qsbr_join(engine->qsbr);
    if (!w->metrics || !w->reader || list_api_jobs_init(w) < 0 || history_jobs_init(w) < 0 ||
        consult_init(w) < 0 || decider_init(w) < 0)
        return err_set(info, ERR_NOMEM, "not enough memory for worker %u", number);
    err = server_new(&w->server, config, &handler, w->metrics, w->reader, &note, info);
    if (!err && note && number == 0) log_info("engine", "%s", note);
    return err;
}

static void *run(void *arg)
{
    struct worker *w = arg;

    if (server_run(w->server) < 0) {
        // its listener would go on collecting connections that nobody answers
        log_error("engine", "worker %u: the event loop failed, so the engine ends; try: --epoll",
                  w->number);
        atomic_store(&w->engine->failed, true);
        kill(getpid(), SIGTERM);
    }
    return NULL;
}

int worker_start(struct worker *w, struct err_info *info)
{
    if (pthread_create(&w->thread, NULL, run, w) != 0) {
        w->thread = 0;
        return err_set(info, ERR_SYSTEM, "cannot start a thread; try: ulimit -u");
    }
    return 0;
}

void worker_drain(struct worker *w)
{
    if (w->server) server_drain(w->server);
}

void worker_join(struct worker *w)
{
    if (w->thread) pthread_join(w->thread, NULL);
    w->thread = 0;
}

void worker_done(struct worker *w)
{
    server_free(w->server);
    if (w->reader) qsbr_leave(w->reader);
    free(w->jobs);
    history_jobs_done(w);
    rules_api_jobs_done(w);
    consult_done(w);
    free(w->decider.clock);
    memset(w, 0, sizeof *w);
}
