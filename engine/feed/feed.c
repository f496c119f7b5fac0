// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/rand.h"
#include "engine/feed/batch.h"
#include "engine/feed/loads.h"
#include "engine/feed/replay.h"
#include "engine/feed/saves.h"
#include "engine/feed/state.h"

#define IDLE_MS    1000 // retries and gauges
#define RECLAIM_MS 10   // while replaced memory waits for readers

static void publish_catalog(struct feed *f)
{
    struct catalog *c = lists_catalog(&f->lists, f->catalog_version + 1), *old;

    if (!c) return; // stays due
    f->catalog_due = false;
    f->catalog_version++;
    old = atomic_exchange_explicit(&f->catalog, c, memory_order_acq_rel);
    if (f->config.on_catalog) f->config.on_catalog(f->config.ctx, c);
    qsbr_retire(f->q, free, old);
}

static void measure(struct feed *f)
{
    struct set_usage usage;

    set_usage(f->set, &usage);
    metric_set(f->metrics, METRIC_SET_BYTES,
               usage.pages_bytes + usage.keys_bytes + usage.spans_bytes);
}

static void run_reload(struct feed *f)
{
    struct reload *r;

    pthread_mutex_lock(&f->lock);
    r = f->reload;
    f->reload = NULL;
    pthread_mutex_unlock(&f->lock);
    if (!r) return;
    r->err = loads_configure(f, r->specs, r->spec_count, false, r->info);
    metric_add(f->metrics, r->err ? METRIC_RELOADS_FAILED : METRIC_RELOADS, 1);
    // also when no list changed: whoever builds on the catalog may have news of its own
    if (!r->err || f->catalog_due) publish_catalog(f);
    pthread_mutex_lock(&f->lock);
    r->done = true;
    pthread_cond_broadcast(&f->reload_changed);
    pthread_mutex_unlock(&f->lock);
}

// One turn. True when there may be more to do at once.
static bool turn(struct feed *f)
{
    unsigned done = batch_run(f);

    saves_run(f);
    loads_run(f);
    run_reload(f);
    if (f->catalog_due) publish_catalog(f);
    return done > 0;
}

static void sleep_until_woken(struct feed *f)
{
    int timeout_ms = qsbr_poll(f->q) ? RECLAIM_MS : IDLE_MS;

    measure(f);
    bell_doze(&f->bell);
    if (turn(f) || atomic_load(&f->closing))
        bell_rouse(&f->bell);
    else
        bell_sleep(&f->bell, timeout_ms);
}

static void *run(void *arg)
{
    struct feed *f = arg;

    while (!atomic_load(&f->closing)) {
        while (turn(f)) qsbr_poll(f->q);
        sleep_until_woken(f);
    }
    while (turn(f)) continue;
    return NULL;
}

static void on_load_done(void *ctx, struct load *load)
{
    struct feed *f = ctx;

    queue_push(&f->loads_done, &load->node);
    bell_ring(&f->bell);
}

// -- opening ---------------------------------------------------------------------------------

static int on_record(void *ctx, const struct logrec *rec, struct err_info *info)
{
    return batch_replay(ctx, rec, info);
}

static int open_set(struct feed *f, struct err_info *info)
{
    struct set_limits limits = {LIMIT_PAGES_BYTES, f->config.pages_max_planes
                                                       ? f->config.pages_max_planes
                                                       : LIMIT_SET_PLANES};
    uint64_t seed = f->store.seed;

    if (!f->durable && rand_secret(&seed, sizeof seed))
        return err_set(info, ERR_SYSTEM, "the kernel gives no random numbers");
    return set_new(&f->set, seed, &limits, f->q, info);
}

static int open_content(struct feed *f, struct err_info *info)
{
    struct replay replay = {.from_lsn = 1, .on_record = on_record, .ctx = f};
    int64_t begin_ns = clock_mono_ns();
    struct snapfile snapfile;
    struct str bytes;
    int err;

    err = snapshot_map(f->store.dir, f->store.seed, &snapfile, &bytes, info);
    if (!err && bytes.ptr) {
        replay.from_lsn = snapfile.head->lsn;
        err = lists_restore(&f->lists, &snapfile);
        if (err) err_set(info, err, "the list table of the snapshot contradicts itself");
        if (!err) err = snapshot_load(&snapfile, f->store.dir, f->set, info);
    }
    snapshot_unmap(bytes);
    f->wal = (struct wal){.dir = f->store.dir, .seed = f->store.seed, .fd = -1};
    if (!err) err = replay_run(&replay, &f->wal, info);
    if (err) return err;
    store_clear_before(f->store.dir, replay.from_lsn);
    replay_tell(&replay);
    if (!f->store.fresh)
        log_info("data", "%s: %u lists, %s, %llu records replayed, %.2f s", f->store.dir,
                 f->lists.count, replay.from_lsn > 1 || bytes.ptr ? "snapshot" : "no snapshot",
                 (unsigned long long)replay.records, (double)(clock_mono_ns() - begin_ns) / 1e9);
    metric_set(f->metrics, METRIC_LOG_BYTES, wal_bytes(&f->wal));
    f->save_due = wal_bytes(&f->wal) > LIMIT_SNAPSHOT_AFTER;
    return 0;
}

static void feed_free(struct feed *f)
{
    if (!f) return;
    for (unsigned i = 0; i < f->lists.count; i++)
        if (f->lists.at[i].report_fd >= 0) close(f->lists.at[i].report_fd);
    if (f->save_reader) qsbr_leave(f->save_reader);
    batch_free(f->batch);
    wal_close(&f->wal);
    store_close(&f->store);
    set_free(f->set);
    free(atomic_load(&f->catalog));
    bell_done(&f->bell);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->reload_changed);
    free(f);
}

static struct feed *feed_make(const struct feed_config *config, struct qsbr *q)
{
    struct feed *f = aligned_alloc(64, (sizeof *f + 63) & ~(size_t)63);

    if (!f) return NULL;
    memset(f, 0, sizeof *f);
    f->config = *config;
    f->q = q;
    f->durable = config->data_dir != NULL;
    f->store.lock_fd = f->wal.fd = -1;
    queue_init(&f->jobs);
    queue_init(&f->loads_done);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->reload_changed, NULL);
    f->metrics = metric_block_new();
    f->batch = batch_new();
    f->save_reader = qsbr_join(q);
    if (bell_init(&f->bell) == 0 && f->metrics && f->batch && f->save_reader) return f;
    feed_free(f);
    return NULL;
}

static int start(struct feed *f, const struct list_spec *specs, unsigned spec_count,
                 struct err_info *info)
{
    struct loader_config config = {f->set, f->q, f->config.terminal, on_load_done, f};
    int err = loader_new(&f->loader, &config);

    if (err) return err_set(info, err, "the loader's thread cannot be started");
    err = loads_configure(f, specs, spec_count, true, info);
    if (err) return err;
    publish_catalog(f);
    measure(f);
    if (pthread_create(&f->thread, NULL, run, f) != 0)
        return err_set(info, ERR_SYSTEM, "the feed's thread cannot be started; try: ulimit -u");
    f->started = true;
    return 0;
}

int feed_open(struct feed **ret, const struct feed_config *config, const struct list_spec *specs,
              unsigned spec_count, struct qsbr *q, struct set **ret_set, struct err_info *info)
{
    struct feed *f = feed_make(config, q);
    int err = f ? 0 : err_set(info, ERR_NOMEM, "no memory for the feed");

    if (!err && f->durable) err = store_open(&f->store, config->data_dir, info);
    if (!err) err = open_set(f, info);
    if (!err && f->durable) err = open_content(f, info);
    if (!err) err = start(f, specs, spec_count, info);
    if (err) {
        if (f) feed_close(f);
        return err;
    }
    *ret_set = f->set;
    *ret = f;
    return 0;
}

void feed_close(struct feed *f)
{
    struct queue_node *node;

    atomic_store(&f->closing, true);
    if (f->started) {
        bell_ring(&f->bell);
        pthread_join(f->thread, NULL);
    }
    loader_free(f->loader);
    saves_close(f);
    loads_drop(f);
    while ((node = queue_pop(&f->jobs))) { // pushed while it was closing
        struct feed_job *job = (struct feed_job *)node;

        job->err = ERR_CLOSED;
        job->on_done(job);
    }
    feed_free(f);
}

// -- any thread ------------------------------------------------------------------------------

const struct catalog *feed_catalog(const struct feed *f)
{
    return atomic_load_explicit(&f->catalog, memory_order_acquire);
}

bool feed_is_fresh(const struct feed *f)
{
    return !f->durable || f->store.fresh;
}

int feed_reload(struct feed *f, const struct list_spec *specs, unsigned spec_count,
                struct err_info *info)
{
    struct reload reload = {.specs = specs, .spec_count = spec_count, .info = info};

    if (atomic_load(&f->closing)) return err_set(info, ERR_CLOSED, "%s", err_text(ERR_CLOSED));
    pthread_mutex_lock(&f->lock);
    while (f->reload) pthread_cond_wait(&f->reload_changed, &f->lock);
    f->reload = &reload;
    pthread_mutex_unlock(&f->lock);
    bell_ring(&f->bell);
    pthread_mutex_lock(&f->lock);
    while (!reload.done) pthread_cond_wait(&f->reload_changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
    return reload.err;
}

void feed_submit(struct feed *f, struct feed_job *job)
{
    if (atomic_load(&f->closing)) {
        job->err = ERR_CLOSED;
        job->on_done(job);
        return;
    }
    queue_push(&f->jobs, &job->node);
    bell_ring(&f->bell);
}

int feed_rejected(const struct feed *f, unsigned list, int *ret_fd)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&f->lock;
    char path[PATH_MAX] = "";
    int fd = -1;

    pthread_mutex_lock(lock);
    if (list < f->lists.count) {
        const struct lists_entry *e = &f->lists.at[list];

        loads_report_path(f, e, path, sizeof path);
        if (!path[0] && e->report_fd >= 0)
            snprintf(path, sizeof path, "/proc/self/fd/%d", e->report_fd);
        if (path[0]) fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    pthread_mutex_unlock(lock);
    if (fd < 0) return !path[0] || errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    *ret_fd = fd;
    return 0;
}
