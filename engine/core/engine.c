// SPDX-License-Identifier: Apache-2.0
#include "engine/core/engine.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/net/listen.h"

// -- options ---------------------------------------------------------------------------------

struct address {
    char host[256];
    uint16_t port;
};

// HOST:PORT or [HOST]:PORT
static int parse_listen(struct address *a, const char *text, struct err_info *info)
{
    const char *colon = strrchr(text, ':');
    struct str host = colon ? str_make(text, (size_t)(colon - text)) : str_of(text);
    uint64_t port;

    if (host.size > 2 && host.ptr[0] == '[' && host.ptr[host.size - 1] == ']')
        host = str_make(host.ptr + 1, host.size - 2);
    if (!colon || host.size == 0 || !str_to_u64(str_of(colon + 1), &port) || port > 65535 ||
        !str_copy(a->host, sizeof a->host, host))
        return err_set(info, ERR_CONFIG,
                       "listen '%s' is not HOST:PORT; try: --listen 127.0.0.1:8080", text);
    a->port = (uint16_t)port;
    return 0;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcmp(host, "localhost") == 0) return true;
    if (inet_pton(AF_INET, host, &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static int read_settings(struct view_settings *s, const struct engine *e, const struct conf *conf,
                         struct err_info *info)
{
    static const char *const shapes[] = {"full", "result", "empty"};
    const char *shape = conf_text(conf, CONF_OCS_BODY);
    int err;

    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < COUNT_OF(shapes); i++)
        if (strcmp(shape, shapes[i]) == 0) s->ocs_body = (enum ocs_body)i;
    if (strcmp(shape, shapes[s->ocs_body]) != 0)
        return err_set(info, ERR_CONFIG, "ocs_body '%s'; try: full, result or empty", shape);
    if (!str_copy(s->ocs_token, sizeof s->ocs_token, str_of(conf_text(conf, CONF_OCS_TOKEN))))
        return err_set(info, ERR_CONFIG, "ocs_token is longer than %d characters", TOKEN_BYTES);
    err = token_load(&s->tokens, conf_text(conf, CONF_TOKEN_FILE), &e->tenants, info);
    s->tokens.required = !e->loopback || s->tokens.count > 0;
    if (!err && !e->loopback && s->tokens.count == 0)
        err =
            err_set(info, ERR_CONFIG,
                    "listening beyond loopback needs tokens for /v1; try: "
                    "openssl rand -hex 24 > tokens && chmod 600 tokens, then --token-file tokens");
    return err;
}

// Malloc'd array of all `list` options; the caller frees it.
static int read_specs(const struct engine *e, const struct conf *conf, struct list_spec **ret_specs,
                      unsigned *ret_count, struct err_info *info)
{
    const struct tenant *owner = &e->tenants.tenant[0];
    unsigned count = conf->item_count[CONF_LIST];
    struct list_spec *specs = calloc(count ? count : 1, sizeof *specs);
    int err = specs ? 0 : err_set(info, ERR_NOMEM, "out of memory");

    for (unsigned i = 0; !err && i < count; i++) {
        int at;

        err = list_spec_parse(&specs[i], str_of(conf->items[CONF_LIST][i]), owner->name,
                              owner->home.region, info);
        if (err || strcmp(specs[i].tenant, "*") == 0) continue;
        at = tenant_find(&e->tenants, str_of(specs[i].tenant));
        if (at < 0)
            err = err_set(info, ERR_CONFIG, "list %s: no tenant '%s'; try: --tenant %s",
                          specs[i].name, specs[i].tenant, specs[i].tenant);
    }
    if (err) {
        free(specs);
        return err;
    }
    *ret_specs = specs;
    *ret_count = count;
    return 0;
}

static int freeze_clock(const char *now, struct err_info *info)
{
    int64_t ns;

    if (now[0] == '\0') return 0;
    if (!clock_parse(str_of(now), &ns))
        return err_set(info, ERR_CONFIG,
                       "now '%s' is not RFC 3339; try: --now 2026-11-22T09:00:00Z", now);
    clock_freeze(ns);
    return 0;
}

// -- life ------------------------------------------------------------------------------------

static int start_feed(struct engine *e, struct err_info *info)
{
    const char *data = conf_text(&e->conf, CONF_DATA);
    const struct feed_config config = {
        .data_dir = data[0] ? data : NULL,
        .pages_max_planes = LIMIT_SET_PLANES,
        .shrink_max_percent = (unsigned)conf_uint(&e->conf, CONF_SHRINK_MAX_PERCENT),
        .terminal = isatty(STDERR_FILENO) == 1,
        .on_catalog = engine_on_catalog,
        .ctx = e,
    };
    struct list_spec *specs;
    unsigned count;
    int err = read_specs(e, &e->conf, &specs, &count, info);

    if (err) return err;
    err = feed_open(&e->feed, &config, specs, count, e->qsbr, &e->set, info);
    free(specs);
    if (!err) atomic_store(&e->seed, set_seed(e->set));
    if (!err && !atomic_load(&e->view))
        err = err_set(info, ERR_NOMEM, "not enough memory to start");
    return err;
}

static int start_rules(struct engine *e, struct err_info *info)
{
    struct engine_rules rules = {.conf = &e->conf};
    int err = engine_rules_stage(e, &rules, info);

    if (!err) err = engine_rules_commit(e, &rules, info);
    engine_rules_done(&rules);
    if (!err)
        log_info("rules", "time zones %s, places %s", zones_version(e->atlas->zones),
                 places_version());
    return err;
}

static int start_reports(struct engine *e, struct err_info *info)
{
    const char *data = conf_text(&e->conf, CONF_DATA);
    const struct reports_config config = {
        .data_dir = data[0] ? data : NULL,
        .seed = atomic_load(&e->seed),
        .retention_s = (unsigned)conf_uint(&e->conf, CONF_ATTEMPTS_RETENTION_DAYS) * 86400,
        .window_s = e->book->window_max_s,
        .limits = {LIMIT_ATTEMPTS, LIMIT_RESERVATIONS},
    };

    return reports_open(&e->reports, &config, e->qsbr, &e->ledger, info);
}

static unsigned thread_count(const struct conf *conf)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t wanted = conf_uint(conf, CONF_THREADS);

    if (wanted > 0) return (unsigned)wanted;
    return cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
}

#define OTHER_DESCRIPTORS 512 // files of data and lists, rings, listeners

// Connections and asks of services are descriptors: as many as may be wanted, or a word about it.
static void allow_descriptors(const struct conf *c, unsigned threads)
{
    uint64_t wanted =
        threads * (conf_uint(c, CONF_CONNECTIONS_MAX) + LIMIT_EXTERNAL_ASKS) + OTHER_DESCRIPTORS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted) return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < wanted)
        log_info("engine",
                 "connections_max and asked services may want %" PRIu64
                 " descriptors of %u threads, ulimit -n allows %" PRIu64,
                 wanted, threads, (uint64_t)limit.rlim_cur);
}

static int start_workers(struct engine *e, const struct address *at, struct err_info *info)
{
    const struct conf *c = &e->conf;
    struct server_config config = {
        .host = at->host,
        .port = at->port,
        .connections_max = (unsigned)conf_uint(c, CONF_CONNECTIONS_MAX),
        .idle_timeout_ms = (unsigned)conf_uint(c, CONF_IDLE_TIMEOUT_MS),
        .request_timeout_ms = (unsigned)conf_uint(c, CONF_REQUEST_TIMEOUT_MS),
        .send_timeout_ms = (unsigned)conf_uint(c, CONF_SEND_TIMEOUT_MS),
        .drain_timeout_ms = (unsigned)conf_uint(c, CONF_DRAIN_TIMEOUT_MS),
        .spin_us = (unsigned)conf_uint(c, CONF_SPIN_US),
        .batches_max = LIMIT_BATCHES,
        .epoll = conf_flag(c, CONF_EPOLL),
    };
    unsigned wanted = thread_count(c);
    int err = listen_check(at->host, at->port, info);

    if (err) return err;
    allow_descriptors(c, wanted);
    e->answers = answers_new();
    if (!e->answers) return err_set(info, ERR_NOMEM, "not enough memory to start");
    err = external_start(&e->external, e->answers, wanted * LIMIT_EXTERNAL_ASKS, info);
    if (err) return err;
    e->workers = calloc(wanted, sizeof *e->workers);
    if (!e->workers) return err_set(info, ERR_NOMEM, "not enough memory for %u workers", wanted);
    for (unsigned i = 0; !err && i < wanted; i++) {
        err = worker_init(&e->workers[i], e, i, &config, info);
        e->worker_count++;
        if (!err) config.port = server_port(e->workers[i].server); // port 0: all share the first's
    }
    for (unsigned i = 0; !err && i < wanted; i++) err = worker_start(&e->workers[i], info);
    if (err) return err;
    log_info("engine", "answering on http://%s%s%s:%u with %u threads",
             strchr(at->host, ':') ? "[" : "", at->host, strchr(at->host, ':') ? "]" : "",
             config.port, wanted);
    return 0;
}

static int start_shared(struct engine *e, struct err_info *info)
{
    enum log_level level;

    if (!log_level_parse(str_of(conf_text(&e->conf, CONF_LOG_LEVEL)), &level))
        return err_set(info, ERR_CONFIG, "log_level; try: debug, info, warn or error");
    log_set_level(level);
    log_set_terminal(isatty(STDERR_FILENO) == 1);
    if (number_start() < 0) return err_set(info, ERR_NOMEM, "not enough memory to start");
    e->metrics = metric_block_new();
    e->qsbr = qsbr_new();
    if (!e->metrics || !e->qsbr) return err_set(info, ERR_NOMEM, "not enough memory to start");
    CHECK(http_canned_init(&e->allowed, 200, STR("application/json"), STR("{}")));
    return tenant_table_init(&e->tenants, &e->conf, info);
}

// Before the first catalog: nobody has rules yet.
static int start_book(struct engine *e, struct err_info *info)
{
    struct ruleset *none[LIMIT_TENANTS + 1] = {NULL};

    return rulebook_new(&e->book, &e->tenants, none, NULL, &e->tally, info);
}

int engine_start(struct engine *e, int argc, char **argv, struct err_info *info)
{
    struct address at;
    int err;

    memset(e, 0, sizeof *e);
    pthread_mutex_init(&e->lock, NULL);
    tally_init(&e->tally);
    e->started_ns = clock_mono_ns();
    err = conf_load(&e->conf, argc, argv, info);
    if (err || e->conf.help || e->conf.version || e->conf.sample) return err;
    err = parse_listen(&at, conf_text(&e->conf, CONF_LISTEN), info);
    if (err) return err;
    e->loopback = is_loopback(at.host);
    if (!str_copy(e->data_dir, sizeof e->data_dir, str_of(conf_text(&e->conf, CONF_DATA))))
        return err_set(info, ERR_CONFIG, "the data directory's path is too long");
    err = freeze_clock(conf_text(&e->conf, CONF_NOW), info);
    if (!err) err = start_shared(e, info);
    if (!err) err = read_settings(&e->settings, e, &e->conf, info);
    if (!err) err = start_book(e, info);
    if (!err) err = start_feed(e, info);
    if (!err) err = start_rules(e, info);
    if (!err) err = start_reports(e, info);
    if (!err) err = start_workers(e, &at, info);
    return err;
}

// What SIGHUP cannot change is named, so that nobody believes that it did.
static void warn_fixed(const struct conf *old, const struct conf *new)
{
    for (int o = 0; o < CONF_COUNT; o++) {
        bool same =
            old->item_count[o] == new->item_count[o] &&
            strcmp(conf_text(old, (enum conf_option)o), conf_text(new, (enum conf_option)o)) == 0;

        for (unsigned i = 0; same && i < old->item_count[o]; i++)
            same = strcmp(old->items[o][i], new->items[o][i]) == 0;
        if (!same && !conf_rows[o].reload)
            log_warn("reload", "%s changed; it takes effect at the next start", conf_rows[o].key);
    }
}

static int reload(struct engine *e, struct conf *conf, struct err_info *info)
{
    struct view_settings settings, before;
    struct engine_rules rules = {.conf = conf};
    struct list_spec *specs = NULL;
    unsigned count;
    int err = conf_load(conf, e->conf.argc, e->conf.argv, info);

    if (!err) err = read_settings(&settings, e, conf, info);
    if (!err) err = read_specs(e, conf, &specs, &count, info);
    if (!err) {
        rules.specs = specs;
        rules.spec_count = count;
        err = engine_rules_stage(e, &rules, info);
        if (err) metric_add(e->metrics, METRIC_RULES_REFUSED, 1);
    }
    if (err) { // what feed refuses, feed counts
        metric_add(e->metrics, METRIC_RELOADS_FAILED, 1);
        goto out;
    }
    warn_fixed(&e->conf, conf);
    pthread_mutex_lock(&e->lock);
    before = e->settings;
    e->settings = settings;
    pthread_mutex_unlock(&e->lock);
    err = feed_reload(e->feed, specs, count, info);
    if (!err) {
        err = engine_rules_commit(e, &rules, info);
        if (err) metric_add(e->metrics, METRIC_RELOADS_FAILED, 1);
    }
    if (!err) goto out;
    pthread_mutex_lock(&e->lock);
    e->settings = before;
    pthread_mutex_unlock(&e->lock);
out:
    engine_rules_done(&rules);
    free(specs);
    return err;
}

void engine_reload(struct engine *e)
{
    struct err_info info = {0};
    struct conf conf;
    int err = reload(e, &conf, &info);

    if (err) {
        log_error("reload", "nothing was changed: %s", info.text);
        conf_done(&conf);
        return;
    }
    conf_done(&e->conf);
    e->conf = conf;
    log_info("reload", "config and tokens are in force; changed list files are being read");
}

void engine_stop(struct engine *e)
{
    atomic_store(&e->draining, true);
    for (unsigned i = 0; i < e->worker_count; i++) worker_drain(&e->workers[i]);
    if (e->external) external_hurry(e->external); // nobody in flight waits for a service
    for (unsigned i = 0; i < e->worker_count; i++) worker_join(&e->workers[i]);
    if (e->feed) feed_close(e->feed); // may still hand jobs back, so the servers must stand
    e->feed = NULL;
    if (e->reports) reports_close(e->reports); // as well
    external_stop(e->external);
    for (unsigned i = 0; i < e->worker_count; i++) worker_done(&e->workers[i]);
    free(e->workers);
    answers_free(e->answers);
    view_free(atomic_exchange(&e->view, NULL));
    qsbr_free(e->qsbr);
    rule_source_free(e->sources);
    rulebook_unref(e->book);
    atlas_unref(e->atlas);
    tally_done(&e->tally);
    conf_done(&e->conf);
    pthread_mutex_destroy(&e->lock);
    memset(e, 0, sizeof *e);
}
