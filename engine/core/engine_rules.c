// SPDX-License-Identifier: Apache-2.0
//
// Rules on their way into force: read and compiled first, then published in feed's thread, which is
// the one publisher of views.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/core/engine.h"

#define TOLD_EVERY_NS  ((int64_t)60 * 1000000000)
#define ZONES_AGAIN_NS ((int64_t)5 * 1000000000) // a package's files are all replaced by then

// -- publishing: feed's thread (or feed_open) --------------------------------------------------

static struct view *make_view(struct engine *e, const struct catalog *catalog,
                              struct rulebook *book)
{
    struct view_settings settings;

    pthread_mutex_lock(&e->lock);
    settings = e->settings;
    pthread_mutex_unlock(&e->lock);
    return view_new(&e->tenants, catalog, book, &settings, atomic_load(&e->seed));
}

static void exchange_view(struct engine *e, struct view *next)
{
    qsbr_retire(e->qsbr, view_free, atomic_exchange_explicit(&e->view, next, memory_order_acq_rel));
}

void engine_on_catalog(void *ctx, const struct catalog *catalog)
{
    struct engine *e = ctx;
    struct view *next = make_view(e, catalog, e->book);

    if (next)
        exchange_view(e, next);
    else // the old view stays: its lists are in force, only new facts about them are late
        log_error("engine", "out of memory while publishing a view");
}

static int compile(struct rulebook **ret, struct engine *e, const struct rule_sources *sources,
                   struct err_info *info)
{
    struct ruleset *sets[LIMIT_TENANTS + 1] = {NULL};

    for (unsigned i = 0; i < sources->count; i++) sets[i] = sources->at[i].set;
    return rulebook_new(ret, &e->tenants, sets, sources->atlas, &e->tally, info);
}

// Takes both over.
static void put_in_force(struct engine *e, struct rule_sources *sources, struct rulebook *book)
{
    uint32_t window_s = book->window_max_s;

    rule_source_free(e->sources);
    e->sources = sources;
    rulebook_unref(e->book);
    e->book = book;
    e->rules_number++;
    if (e->reports) reports_set_window(e->reports, window_s);
}

static void lists_of(struct engine *e, struct rule_lists *lists)
{
    *lists = (struct rule_lists){.tenants = &e->tenants, .catalog = feed_catalog(e->feed)};
}

static void tell_unsaved(struct engine *e, const char *why)
{
    int64_t now_ns = clock_mono_ns();

    if (e->unsaved_told_ns && now_ns - e->unsaved_told_ns < TOLD_EVERY_NS) return;
    e->unsaved_told_ns = now_ns;
    log_error("rules", "PUT /v1/rules is refused: %s", why);
}

int engine_put_rules(struct engine *e, unsigned tenant, struct str text,
                     struct ruleset_errors *errors, struct err_info *info)
{
    struct rule_sources *sources = NULL;
    struct rulebook *book = NULL;
    struct rule_lists lists;
    struct view *view = NULL;
    int err;

    lists_of(e, &lists);
    err = rule_source_put(&sources, e->sources, tenant, text, &lists, errors);
    if (!err) err = compile(&book, e, sources, info);
    if (err == ERR_FULL) {
        ruleset_errors_add(errors, "", "%s", info->text);
        err = ERR_BAD_RULES;
    }
    if (!err) view = make_view(e, lists.catalog, book);
    if (!err && !view) err = ERR_NOMEM;
    if (!err) err = rule_source_store(sources, tenant, e->data_dir, &e->tenants, info);
    if (!err) {
        exchange_view(e, view);
        put_in_force(e, sources, book);
        return 0;
    }
    if (err == ERR_STORAGE) tell_unsaved(e, info->text);
    view_free(view);
    rulebook_unref(book);
    rule_source_free(sources);
    return err;
}

// -- from main's thread ------------------------------------------------------------------------

// A call in feed's thread that main waits for.
struct call {
    struct feed_job job;
    int (*fn)(struct call *call);
    struct engine *e;
    struct engine_rules *rules;
    struct err_info *info;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};
static_assert(offsetof(struct call, job) == 0, "a job is the head of its call");

static void run(struct feed_job *job)
{
    struct call *call = (struct call *)job;

    job->err = call->fn(call);
}

static void on_done(struct feed_job *job)
{
    struct call *call = (struct call *)job;

    pthread_mutex_lock(&call->lock);
    call->done = true;
    pthread_cond_signal(&call->changed);
    pthread_mutex_unlock(&call->lock);
}

static int call_feed(struct engine *e, int (*fn)(struct call *call), struct engine_rules *rules,
                     struct err_info *info)
{
    struct call call = {.job = {.op = FEED_CALL, .run = run, .on_done = on_done},
                        .fn = fn,
                        .e = e,
                        .rules = rules,
                        .info = info};

    pthread_mutex_init(&call.lock, NULL);
    pthread_cond_init(&call.changed, NULL);
    feed_submit(e->feed, &call.job);
    pthread_mutex_lock(&call.lock);
    while (!call.done) pthread_cond_wait(&call.changed, &call.lock);
    pthread_mutex_unlock(&call.lock);
    pthread_cond_destroy(&call.changed);
    pthread_mutex_destroy(&call.lock);
    return call.job.err;
}

static int stage(struct call *call)
{
    struct engine_rules *r = call->rules;
    struct rule_lists lists;
    int err;

    rule_source_free(r->sources);
    rulebook_unref(r->book);
    r->sources = NULL;
    r->book = NULL;
    r->number = call->e->rules_number;
    lists_of(call->e, &lists);
    lists.specs = r->specs;
    lists.spec_count = r->spec_count;
    if (r->conf)
        err =
            rule_source_read(&r->sources, call->e->sources, r->atlas, r->conf, &lists, call->info);
    else
        err = rule_source_again(&r->sources, call->e->sources, r->atlas, &lists, call->info);
    if (!err) err = compile(&r->book, call->e, r->sources, call->info);
    return err;
}

static int commit(struct call *call)
{
    struct engine *e = call->e;
    struct engine_rules *r = call->rules;
    struct view *view;
    int err = r->number == e->rules_number ? 0 : stage(call);

    if (err) return err;
    view = make_view(e, feed_catalog(e->feed), r->book);
    if (!view) return err_set(call->info, ERR_NOMEM, "out of memory while publishing rules");
    exchange_view(e, view);
    put_in_force(e, r->sources, r->book);
    rule_source_retire(e->sources, e->data_dir, &e->tenants);
    r->sources = NULL;
    r->book = NULL;
    return 0;
}

int engine_rules_stage(struct engine *e, struct engine_rules *r, struct err_info *info)
{
    int err = 0;

    if (!r->atlas)
        err = atlas_load(&r->atlas, conf_text(r->conf, CONF_ZONEINFO),
                         conf_text(r->conf, CONF_PACKS), info);
    if (!err) err = call_feed(e, stage, r, info);
    return err;
}

int engine_rules_commit(struct engine *e, struct engine_rules *r, struct err_info *info)
{
    int err = call_feed(e, commit, r, info);

    if (err) return err;
    atlas_unref(e->atlas);
    e->atlas = r->atlas;
    r->atlas = NULL;
    return 0;
}

void engine_rules_done(struct engine_rules *r)
{
    rule_source_free(r->sources);
    rulebook_unref(r->book);
    atlas_unref(r->atlas);
    *r = (struct engine_rules){0};
}

// -- time zone files that change ---------------------------------------------------------------

static void tell_failure(struct engine *e, const char *why)
{
    int64_t now_ns = clock_mono_ns();

    metric_add(e->metrics, METRIC_ATLAS_FAILED, 1);
    if (e->told_ns && now_ns - e->told_ns < TOLD_EVERY_NS) return;
    e->told_ns = now_ns;
    log_error("zones", "%s; time zones %s stay in force", why, zones_version(e->atlas->zones));
}

// A directory without its table says nothing about a change.
static bool is_gone(const struct engine *e)
{
    char path[512];
    struct buf text;

    buf_wrap(&text, path, sizeof path - 1);
    buf_printf(&text, "%s/zone.tab", conf_text(&e->conf, CONF_ZONEINFO));
    if (text.failed) return false;
    path[text.size_bytes] = '\0';
    return access(path, R_OK) < 0;
}

static void put_zones_in_force(struct engine *e, struct engine_rules *rules, bool changed)
{
    struct err_info info = {0};

    rules->conf = NULL; // the documents stay what they are
    if (engine_rules_stage(e, rules, &info) < 0 || engine_rules_commit(e, rules, &info) < 0) {
        tell_failure(e, info.text);
        return;
    }
    e->told_ns = 0;
    e->zones_again_ns = changed ? clock_mono_ns() + ZONES_AGAIN_NS : 0;
    log_info("zones", "time zones %s are in force%s", zones_version(e->atlas->zones),
             changed ? "" : ", read once more");
}

void engine_tick(struct engine *e)
{
    struct engine_rules rules = {.conf = &e->conf};
    struct err_info info = {0};
    bool changed;

    if (is_gone(e)) {
        if (!e->zones_gone)
            tell_failure(e, "the time zone files are gone; try: apt-get install "
                            "--reinstall tzdata");
        e->zones_gone = true;
        return;
    }
    changed = e->zones_gone || zones_changed(e->atlas->zones);
    if (!changed && (!e->zones_again_ns || clock_mono_ns() < e->zones_again_ns)) return;
    if (atlas_load(&rules.atlas, conf_text(&e->conf, CONF_ZONEINFO),
                   conf_text(&e->conf, CONF_PACKS), &info) < 0) {
        tell_failure(e, info.text);
        return;
    }
    e->zones_gone = false;
    put_zones_in_force(e, &rules, changed);
    engine_rules_done(&rules);
}
