// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/reports.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/limits.h"
#include "engine/base/log.h"
#include "engine/base/metric.h"
#include "engine/feed/bell.h"
#include "engine/feed/reportlog.h"

#define DAY_S        86400
#define MARGIN_S     3600 // beyond the window: no question's clock is behind what was let go
#define TICK_NS      ((int64_t)1000000000)
#define IDLE_MS      1000
#define RECLAIM_MS   10 // while replaced memory waits for readers
#define LOG_PAUSE_NS ((int64_t)10 * 1000000000)
#define HOUR_NS      ((int64_t)3600 * 1000000000)
#define WHY_BYTES    200

struct reports {
    struct reports_config config;
    bool durable; // there is a data directory
    struct qsbr *q;
    struct ledger *ledger;
    struct reportlog log;
    struct metric_block *metrics;

    int64_t keep_s;                  // memory keeps attempts this long
    int64_t memory_from_s;           // and has every one in the log that started at or after this
    int64_t told_since_s;            // to the ledger
    int64_t tick_ns, quiet_until_ns; // next tick; of the log about failures
    int64_t raw_until_ns;            // until then raw_left bytes of the quarantined are kept
    size_t raw_left;
    int64_t lacks_s; // what was said of memory that is too small
    bool walking;    // older attempts are read again
    int64_t walk_from_s;
    int64_t walk_again_ns; // not sooner, if the last one failed
    struct reportlog_walk walk;
    struct report_job *job[LIMIT_COMMIT_JOBS];

    // shared with other threads
    struct queue jobs;
    struct bell bell;
    _Atomic unsigned window_s;
    unsigned seen_window_s;
    atomic_bool closing;
    bool started;
    pthread_t thread;
};

// -- what is known ---------------------------------------------------------------------------

static int64_t known_since_s(const struct reports *r)
{
    return r->memory_from_s > r->log.since_s ? r->memory_from_s : r->log.since_s;
}

static void tell_since(struct reports *r)
{
    int64_t since_s = known_since_s(r);

    if (since_s == r->told_since_s) return;
    r->told_since_s = since_s;
    ledger_set_since(r->ledger, since_s);
}

// From the replay and from a walk: the log's content on its way to memory.
static void on_attempt(void *ctx, const struct attempt *a)
{
    struct reports *r = ctx;
    int64_t from_s = r->walking ? r->walk_from_s : r->memory_from_s;

    // what finds no room raises ledger_usage.since_s
    if (a->start_s >= from_s) (void)ledger_recall(r->ledger, a);
}

// Not with every batch while it goes on.
static bool may_complain(struct reports *r)
{
    int64_t now_ns = clock_mono_ns();

    if (now_ns < r->quiet_until_ns) return false;
    r->quiet_until_ns = now_ns + LOG_PAUSE_NS;
    return true;
}

// What memory has no room for raises what the ledger knows above what was told to it.
static void tell_lacking(struct reports *r, const struct ledger_usage *usage)
{
    int64_t since_s = known_since_s(r);
    char when[CLOCK_TEXT_SIZE];

    if (since_s < r->told_since_s) since_s = r->told_since_s;
    if (usage->since_s <= since_s || usage->since_s == r->lacks_s || !may_complain(r)) return;
    r->lacks_s = usage->since_s;
    clock_format(when, usage->since_s);
    log_error("attempts",
              "memory has room for %llu attempts, and those before %s are not all in it: rules "
              "that look further back block; try: rules with shorter periods",
              (unsigned long long)usage->attempts, when);
}

static int64_t keep_of(unsigned window_s)
{
    return (window_s > DAY_S ? window_s : DAY_S) + MARGIN_S;
}

// Old attempts go, from memory and from the disk.
static void let_go(struct reports *r)
{
    int64_t now_s = clock_wall_s(), before_s = now_s - r->keep_s;
    int64_t retention_s = r->config.retention_s + MARGIN_S;

    if (retention_s < r->keep_s) retention_s = r->keep_s;
    if (r->walking) return;
    if (before_s > r->memory_from_s) {
        ledger_expire(r->ledger, before_s);
        r->memory_from_s = before_s;
    }
    reportlog_trim(&r->log, now_s - retention_s);
}

// -- a longer window -------------------------------------------------------------------------

static void walk_end(struct reports *r, bool complete)
{
    reportlog_walk_end(&r->walk);
    r->walking = false;
    if (complete) {
        r->memory_from_s = r->walk_from_s;
        r->walk_again_ns = 0;
    }
}

static void walk_begin(struct reports *r)
{
    if (r->walking) walk_end(r, false);
    r->walk_from_s = clock_wall_s() - r->keep_s;
    if (r->walk_from_s >= r->memory_from_s) return;
    r->walk_again_ns = clock_mono_ns() + HOUR_NS;
    if (reportlog_walk_begin(&r->log, &r->walk, r->walk_from_s) < 0) {
        log_error("attempts", "no memory to read older attempts; counts of that time are unknown");
        return;
    }
    r->walking = true;
}

static void adopt_window(struct reports *r)
{
    unsigned window_s = atomic_load(&r->window_s);

    if (window_s == r->seen_window_s) return;
    r->seen_window_s = window_s;
    r->keep_s = keep_of(window_s);
    walk_begin(r);
}

// A clock that was ahead let attempts go too early: they are still on disk.
static void heal(struct reports *r)
{
    if (r->walking || r->memory_from_s <= clock_wall_s() - r->keep_s + MARGIN_S) return;
    if (clock_mono_ns() >= r->walk_again_ns) walk_begin(r);
}

static void walk_on(struct reports *r)
{
    struct err_info why = {0};
    int more = reportlog_walk_step(&r->log, &r->walk, &why);

    if (more > 0) return;
    walk_end(r, more == 0);
    if (more < 0)
        log_error("attempts",
                  "%s; counts of that time stay unknown; try: a restart, which says what is wrong "
                  "with the log",
                  why.text);
}

// -- a batch of reports ----------------------------------------------------------------------

// Whoever sends nothing but nonsense fills no disk with it.
static void add_raw(struct reports *r, struct str raw, int64_t now_s)
{
    int64_t now_ns = clock_mono_ns();
    struct str rest, why = str_cut(raw, '\n', &rest);

    if (now_ns >= r->raw_until_ns) {
        log_warn("reports",
                 "nothing can be made of a call report: %.*s; it is kept, but counts for nobody; "
                 "try: strings -n 8 %s/log-*.dgl",
                 (int)(why.size < WHY_BYTES ? why.size : WHY_BYTES), why.ptr, r->log.dir);
        r->raw_until_ns = now_ns + HOUR_NS;
        r->raw_left = LIMIT_REPORT_RAW_HOUR;
    }
    if (raw.size > r->raw_left) raw = why;
    r->raw_left -= raw.size < r->raw_left ? raw.size : r->raw_left;
    reportlog_add_raw(&r->log, raw, now_s);
}

static unsigned collect(struct reports *r)
{
    int64_t now_s = clock_wall_s();
    struct queue_node *node;
    unsigned count = 0;

    while (count < LIMIT_COMMIT_JOBS && (node = queue_pop(&r->jobs))) {
        struct report_job *job = (struct report_job *)node;

        r->job[count++] = job;
        job->err = 0;
        job->applied = LEDGER_NEW;
        if (job->quarantined)
            add_raw(r, job->raw, now_s);
        else if (ledger_knows(r->ledger, &job->attempt)) // so it is durable already
            job->applied = LEDGER_REPEATED;
        else
            reportlog_add(&r->log, &job->attempt, now_s);
    }
    return count;
}
static_assert(offsetof(struct report_job, node) == 0, "a node is its job");

static void finish(struct reports *r, struct report_job *job, int err)
{
    bool known = job->applied == LEDGER_REPEATED;
    int n;

    if (!known) job->err = err;
    if (!known && !err && !job->quarantined) {
        n = ledger_apply(r->ledger, &job->attempt);
        if (n >= 0) job->applied = n;
    }
    job->on_done(job);
}

static unsigned run_batch(struct reports *r)
{
    struct err_info why = {0};
    unsigned count = collect(r);
    bool any = r->log.added > 0;
    int err = reportlog_commit(&r->log, &why);

    if (err && may_complain(r))
        log_error("reports", "%s; reports are refused until it can be written", why.text);
    if (any && !err) metric_add(r->metrics, METRIC_LOG_COMMITS, 1);
    for (unsigned i = 0; i < count; i++) finish(r, r->job[i], err);
    return count;
}

// -- the thread ------------------------------------------------------------------------------

static void measure(struct reports *r)
{
    struct ledger_usage usage = {.since_s = INT64_MAX};
    int64_t now_s = clock_wall_s();

    ledger_usage(r->ledger, &usage);
    tell_lacking(r, &usage);
    metric_set(r->metrics, METRIC_ATTEMPTS, usage.attempts);
    metric_set(r->metrics, METRIC_RESERVATIONS, usage.reservations);
    metric_set(r->metrics, METRIC_ATTEMPTS_BYTES, usage.bytes);
    metric_set(r->metrics, METRIC_ATTEMPTS_SINCE,
               (uint64_t)(usage.since_s < now_s ? usage.since_s : now_s));
    metric_set(r->metrics, METRIC_REPORTS_LOG_BYTES, wal_bytes(&r->log.wal));
}

static void tick(struct reports *r)
{
    struct err_info why = {0};
    int64_t now_ns = clock_mono_ns();

    if (now_ns < r->tick_ns) return;
    r->tick_ns = now_ns + TICK_NS;
    if (reportlog_rotate(&r->log, clock_wall_s(), &why) && may_complain(r))
        log_error("reports", "%s; the log goes on in its old segment", why.text);
    let_go(r);
    heal(r);
    measure(r);
}

// True when there may be more to do at once.
static bool turn(struct reports *r)
{
    unsigned done = run_batch(r);

    adopt_window(r);
    if (r->walking) walk_on(r);
    tick(r);
    tell_since(r);
    return done > 0 || r->walking;
}

static void *run(void *arg)
{
    struct reports *r = arg;
    unsigned waiting;

    while (!atomic_load(&r->closing)) {
        while (turn(r) && !atomic_load(&r->closing)) qsbr_poll(r->q);
        waiting = qsbr_poll(r->q);
        bell_doze(&r->bell);
        if (turn(r) || atomic_load(&r->closing))
            bell_rouse(&r->bell);
        else
            bell_sleep(&r->bell, waiting ? RECLAIM_MS : IDLE_MS);
    }
    while (run_batch(r)) continue;
    return NULL;
}

// -- life ------------------------------------------------------------------------------------

static struct reports *make(const struct reports_config *config, struct qsbr *q)
{
    struct reports *r = aligned_alloc(64, (sizeof *r + 63) & ~(size_t)63);
    int err;

    if (!r) return NULL;
    memset(r, 0, sizeof *r);
    r->config = *config;
    r->durable = config->data_dir != NULL;
    r->walk.fd = r->log.wal.fd = -1;
    r->told_since_s = INT64_MAX;
    queue_init(&r->jobs);
    err = bell_init(&r->bell);
    r->q = qsbr_fork(q);
    r->metrics = metric_block_new();
    if (!err && r->q && r->metrics) return r;
    reports_close(r);
    return NULL;
}

static int open_log(struct reports *r, struct err_info *info)
{
    const struct reports_config *c = &r->config;
    int64_t begin_ns = clock_mono_ns(), now_s = clock_wall_s();
    struct ledger_usage usage = {0};
    char since[CLOCK_TEXT_SIZE];
    struct replay replay;
    int err;

    r->keep_s = c->window_s ? keep_of(c->window_s) : (int64_t)c->retention_s + MARGIN_S;
    r->seen_window_s = c->window_s;
    atomic_store(&r->window_s, c->window_s);
    r->memory_from_s = now_s - r->keep_s;
    err = reportlog_open(&r->log, c->data_dir, c->seed, LIMIT_REPORTS_SEGMENT, now_s, on_attempt, r,
                         &replay, info);
    if (err) return err;
    replay_tell(&replay);
    tell_since(r);
    ledger_usage(r->ledger, &usage);
    clock_format(since, r->log.since_s);
    if (replay.records || r->log.since_s)
        log_info("attempts", "%s: %llu call reports, %llu attempts in memory, %s%s, %.2f s",
                 r->log.dir, (unsigned long long)replay.records, (unsigned long long)usage.attempts,
                 r->log.since_s ? "nothing known before " : "complete", r->log.since_s ? since : "",
                 (double)(clock_mono_ns() - begin_ns) / 1e9);
    return 0;
}

int reports_open(struct reports **ret, const struct reports_config *config, struct qsbr *q,
                 struct ledger **ret_ledger, struct err_info *info)
{
    struct reports *r = make(config, q);
    int err = r ? 0 : err_set(info, ERR_NOMEM, "no memory for call reports");

    if (err) return err;
    err = ledger_new(&r->ledger, &config->limits, r->q, info);
    if (!err && r->durable) err = open_log(r, info);
    if (!err && !r->durable)
        log_info("attempts", "call reports cannot be kept without a data directory, so rules that "
                             "count attempts block; try: --data DIR");
    // without a log there is nothing that the thread could do
    if (!err && r->durable && pthread_create(&r->thread, NULL, run, r) != 0)
        err = err_set(info, ERR_SYSTEM, "the thread of reports cannot be started; try: ulimit -u");
    if (err) {
        reports_close(r);
        return err;
    }
    r->started = r->durable;
    *ret_ledger = r->ledger;
    *ret = r;
    return 0;
}

static void refuse(struct report_job *job, int err)
{
    job->err = err;
    job->applied = LEDGER_NEW;
    job->on_done(job);
}

void reports_close(struct reports *r)
{
    struct queue_node *node;

    atomic_store(&r->closing, true);
    if (r->started) {
        bell_ring(&r->bell);
        pthread_join(r->thread, NULL);
    }
    while ((node = queue_pop(&r->jobs))) refuse((struct report_job *)node, ERR_CLOSED);
    reportlog_walk_end(&r->walk);
    reportlog_close(&r->log);
    if (r->ledger) ledger_free(r->ledger);
    qsbr_free(r->q);
    bell_done(&r->bell);
    free(r);
}

// -- any thread ------------------------------------------------------------------------------

void reports_set_window(struct reports *r, unsigned window_s)
{
    atomic_store(&r->window_s, window_s);
    bell_ring(&r->bell);
}

void reports_submit(struct reports *r, struct report_job *job)
{
    if (!r->durable) {
        refuse(job, ERR_NOT_DURABLE);
        return;
    }
    if (atomic_load(&r->closing)) {
        refuse(job, ERR_CLOSED);
        return;
    }
    queue_push(&r->jobs, &job->node);
    bell_ring(&r->bell);
}
