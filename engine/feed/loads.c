// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/loads.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/feed/batch.h"
#include "engine/feed/state.h"

#define RETRY_NS     ((int64_t)30 * 1000000000)
#define SUBJECT_SIZE (2 * LIMIT_NAME_BYTES + 16)

void loads_report_path(const struct feed *f, const struct lists_entry *e, char *dst,
                       size_t size_bytes)
{
    // names hold no '+', so no two lists share a report
    if (f->durable)
        snprintf(dst, size_bytes, "%s/rejected/%s+%s.csv", f->store.dir,
                 strcmp(e->pub.tenant, "*") == 0 ? "" : e->pub.tenant, e->pub.name);
    else
        dst[0] = '\0';
}

bool loads_pending(const struct feed *f)
{
    for (unsigned i = 0; i < f->lists.count; i++)
        if (f->lists.at[i].loading) return true;
    return false;
}

// -- asking for files ------------------------------------------------------------------------

static void ask(struct feed *f, struct lists_entry *e)
{
    struct load *load;

    if (e->loading) {
        e->again = true;
        return;
    }
    e->pub.state = lists_is_current(e) ? LIST_RELOADING : LIST_LOADING;
    e->retry_ns = clock_mono_ns() + RETRY_NS;
    f->catalog_due = true;
    load = calloc(1, sizeof *load);
    if (!load) return; // a list that is loading is tried again
    load->report_fd = -1;
    load->list = e->pub.number;
    load->base_id = list_id_base(e->pub.number);
    load->lifted_id = list_id_lifted(e->pub.number);
    load->kind = e->pub.kind;
    CHECK(number_home_init(&load->home, str_of(e->region), NULL) == 0);
    lists_subject(e, load->subject, sizeof load->subject);
    str_copy(load->name, sizeof load->name, str_of(e->pub.name));
    str_copy(load->path, sizeof load->path, str_of(e->pub.file));
    loads_report_path(f, e, load->report, sizeof load->report);
    load->known = e->has_content && e->lift_sum == e->content.sum &&
                  memcmp(e->region, e->content_region, sizeof e->region) == 0;
    load->id_known = e->content;
    load->lifts = set_count(f->set, load->lifted_id) > 0;
    load->lift_sum = e->lift_sum;
    e->loading = true;
    e->retry_ns = 0;
    loader_submit(f->loader, load);
}

// Is what the file holds now not what is in force?
static bool is_stale(const struct lists_entry *e, const struct file_id *id)
{
    if (!e->has_content || !e->content.settled) return true;
    if (!file_id_same_stat(&e->content, id)) return true;
    if (e->lift_sum != e->content.sum) return true;
    return e->pub.kind == SET_DEVICE && memcmp(e->region, e->content_region, sizeof e->region) != 0;
}

// What loads_configure found out about one spec.
struct wish {
    struct lists_entry *entry; // NULL = a new list
    struct file_id id;
    bool unreadable;
};

static int check_spec(struct feed *f, const struct list_spec *spec, bool start, struct wish *wish,
                      struct err_info *info)
{
    struct lists_entry *e = lists_find(&f->lists, spec->tenant, spec->name);
    char subject[SUBJECT_SIZE];
    struct number_home home;
    struct err_info why = {0};
    int err;

    *wish = (struct wish){.entry = e};
    if (e && e->pub.kind != spec->kind)
        return err_set(info, ERR_CONFIG,
                       "list '%s' holds entries of another kind than kind= now says; try: the old "
                       "kind, or another name for the new list",
                       spec->name);
    err = number_home_init(&home, str_of(spec->region), info);
    if (err || !spec->file[0]) return err;
    err = loader_check(spec->file, spec->kind, &wish->id, &why);
    if (!err) return 0;
    if (start || !e || (!e->has_content && !e->pub.file[0]))
        return err_set(info, err, "list '%s': %s", spec->name, why.text);
    lists_subject(e, subject, sizeof subject);
    log_error(subject, "%s; %s", why.text,
              e->has_content ? "its old content stays in force" : "it is not loaded");
    metric_add(f->metrics, METRIC_RELOADS_FAILED, 1);
    wish->unreadable = true;
    return 0;
}

static int check_specs(struct feed *f, const struct list_spec *specs, unsigned count, bool start,
                       struct wish *wishes, struct err_info *info)
{
    unsigned fresh = 0;

    for (unsigned i = 0; i < count; i++) {
        int err = check_spec(f, &specs[i], start, &wishes[i], info);

        if (err) return err;
        fresh += !wishes[i].entry;
        for (unsigned k = 0; k < i; k++)
            if (strcmp(specs[k].name, specs[i].name) == 0 &&
                strcmp(specs[k].tenant, specs[i].tenant) == 0)
                return err_set(info, ERR_CONFIG, "list '%s' is configured twice; try: two names",
                               specs[i].name);
    }
    if (f->lists.count + fresh > LIMIT_LISTS)
        return err_set(info, ERR_CONFIG, "there are more than %d lists", LIMIT_LISTS);
    return 0;
}

static bool differs(const struct lists_entry *e, const struct list_spec *spec)
{
    return e->pub.channel != spec->channel || e->pub.required != spec->required ||
           strcmp(e->region, spec->region) != 0;
}

// Logs and takes over definitions of lists that are new or have other properties now.
static int define_specs(struct feed *f, const struct list_spec *specs, unsigned count,
                        struct wish *wishes, struct err_info *info)
{
    struct logrec_define *defines = calloc(count, sizeof *defines);
    unsigned *numbers = calloc(count, sizeof *numbers);
    unsigned n = 0, next = f->lists.count;
    int err = defines && numbers ? 0 : err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));

    for (unsigned i = 0; i < count && !err; i++) {
        if (wishes[i].entry && !differs(wishes[i].entry, &specs[i])) continue;
        numbers[n] = wishes[i].entry ? wishes[i].entry->pub.number : next++;
        lists_describe(&specs[i], &defines[n++]);
    }
    if (!err) err = batch_define(f, defines, numbers, n, info);
    pthread_mutex_lock(&f->lock);
    for (unsigned i = 0; i < n && !err; i++)
        CHECK(lists_define(&f->lists, numbers[i], &defines[i]) == 0);
    pthread_mutex_unlock(&f->lock);
    free(defines);
    free(numbers);
    return err;
}

static void warn_unconfigured(const struct lists_entry *e, bool had_file)
{
    char subject[SUBJECT_SIZE];

    lists_subject(e, subject, sizeof subject);
    if (!e->configured)
        log_warn(subject, "is not configured but stays in force%s as the data directory holds it",
                 e->pub.required ? ", required," : "");
    else if (had_file && !e->pub.file[0])
        log_warn(subject, "has no file any more; what the last one said stays in force");
}

static void take_spec(struct feed *f, const struct list_spec *spec, unsigned order,
                      const struct wish *wish)
{
    struct lists_entry *e = lists_find(&f->lists, spec->tenant, spec->name);

    CHECK(e);
    e->configured = true;
    e->order = order;
    str_copy(e->pub.file, sizeof e->pub.file, str_of(spec->file));
    if (!spec->file[0]) {
        e->again = false;
        e->retry_ns = 0;
        if (!e->loading) e->pub.state = e->has_content ? LIST_READY : LIST_EMPTY;
    } else if (!wish->unreadable && is_stale(e, &wish->id)) {
        ask(f, e);
    } else if (!wish->unreadable && e->content.written_s == 0) {
        // a snapshot from before it was kept: the very file still stands there
        e->content.written_s = e->pub.obtained_at_s = wish->id.written_s;
    }
}

int loads_configure(struct feed *f, const struct list_spec *specs, unsigned count, bool start,
                    struct err_info *info)
{
    struct wish *wishes = calloc(count + 1, sizeof *wishes);
    int err = wishes ? 0 : err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));

    if (!err) err = check_specs(f, specs, count, start, wishes, info);
    if (!err && count > 0) err = define_specs(f, specs, count, wishes, info);
    for (unsigned i = 0; i < f->lists.count && !err; i++) {
        f->lists.at[i].configured = false;
        f->lists.at[i].order = LIMIT_LISTS + i;
    }
    for (unsigned i = 0; i < count && !err; i++) take_spec(f, &specs[i], i, &wishes[i]);
    for (unsigned i = 0; i < f->lists.count && !err; i++)
        warn_unconfigured(&f->lists.at[i], start && f->lists.at[i].has_content);
    free(wishes);
    if (!err) f->catalog_due = true;
    return err;
}

// -- taking what was read --------------------------------------------------------------------

static bool shrinks_too_much(const struct feed *f, const struct lists_entry *e,
                             const struct load *load)
{
    uint64_t old = e->pub.rows.accepted + e->pub.rows.suppressed;
    uint64_t now = load->rows.accepted + load->rows.suppressed;

    // content that the log knows was let in before a crash
    if (!e->has_content || now >= old || load->id.sum == e->lift_sum) return false;
    return (old - now) * 100 > old * f->config.shrink_max_percent;
}

// A file of another kind than the list's, or no list at all: it must not pass for an empty one,
// which blocks nobody.
static int refuse_rubbish(struct load *load)
{
    const struct list_rows *rows = &load->rows;

    if (rows->invalid == 0 || rows->accepted + rows->suppressed > 0) return 0;
    return err_set(&load->info, ERR_CONFIG,
                   "no row of %s is an entry, all %llu are rejected; try: another kind= or "
                   "country=, or GET /v1/lists/%s/rejected",
                   load->path, (unsigned long long)rows->invalid, load->name);
}

static int refuse(const struct lists_entry *e, struct load *load)
{
    return err_set(&load->info, ERR_CONFIG,
                   "%s would leave %llu of %llu entries and is refused; if that is right: raise "
                   "shrink_max_percent and restart",
                   load->path, (unsigned long long)(load->rows.accepted + load->rows.suppressed),
                   (unsigned long long)(e->pub.rows.accepted + e->pub.rows.suppressed));
}

// The new content in force, and what the API lifted from the old one.
static int publish(struct feed *f, struct lists_entry *e, struct load *load)
{
    struct set_build *build = load->build;
    uint64_t lifted = set_count(f->set, load->lifted_id);
    bool same = load->id.sum == e->lift_sum, marked = false;
    int err;

    load->build = NULL;
    // until this succeeds the log may say what does not hold
    if (!same) e->mark_due = true;
    if (!same && batch_mark(f, load->list, load->id.sum) == 0) marked = true;
    err = set_build_publish(f->set, build, &load->info);
    if (err) return err;
    if (same) return 0;
    err = batch_clear_lifted(f, load->list, &load->info);
    if (err) return err;
    if (lifted > 0)
        log_warn(load->subject,
                 "%llu entries lifted by the API are named again by the new file and in force; "
                 "%llu are not and were forgotten",
                 (unsigned long long)load->named_again,
                 (unsigned long long)(lifted - load->named_again));
    e->lift_sum = load->id.sum;
    e->mark_due = !marked;
    return 0;
}

static void take_report(struct feed *f, struct lists_entry *e, struct load *load)
{
    if (load->err || load->untouched) return;
    pthread_mutex_lock(&f->lock);
    if (e->report_fd >= 0) close(e->report_fd);
    e->report_fd = load->report_fd;
    load->report_fd = -1;
    pthread_mutex_unlock(&f->lock);
}

static void take_content(struct feed *f, struct lists_entry *e, struct load *load)
{
    if (!load->untouched) {
        e->pub.rows = load->rows;
        e->pub.loaded_at_s = clock_wall_s();
        e->pub.load_ms = load->load_ms;
        e->pub.from_snapshot = false;
    } else {
        log_info(load->subject, "%s has its old content", load->path);
    }
    e->has_content = true;
    e->content = load->id;
    e->pub.obtained_at_s = load->id.written_s;
    memcpy(e->content_region, load->home.region, sizeof e->content_region);
    e->pub.state = LIST_READY;
    f->save_due = f->durable;
}

static void take_failure(struct feed *f, struct lists_entry *e, struct load *load)
{
    bool current = lists_is_current(e), retry = !current && e->pub.file[0];

    log_error(load->subject, "%s; %s", load->info.text,
              current ? "its old content stays in force"
              : retry ? "it is tried again in half a minute"
                      : "it has no file any more");
    e->pub.state = current ? LIST_READY : retry ? LIST_LOADING : LIST_EMPTY;
    e->retry_ns = retry ? clock_mono_ns() + RETRY_NS : 0;
    metric_add(f->metrics, METRIC_RELOADS_FAILED, 1);
}

static void load_free(struct load *load)
{
    set_build_free(load->build);
    if (load->report_fd >= 0) close(load->report_fd);
    free(load);
}

static void take(struct feed *f, struct load *load)
{
    struct lists_entry *e = &f->lists.at[load->list];
    int err = load->err;

    e->loading = false;
    f->catalog_due = true;
    if (!err && !load->untouched) metric_add(f->metrics, METRIC_ROWS_REJECTED, load->rows.invalid);
    take_report(f, e, load);
    if (!err && !load->untouched) err = refuse_rubbish(load);
    if (!err && !load->untouched && shrinks_too_much(f, e, load)) err = refuse(e, load);
    if (!err && !load->untouched) err = publish(f, e, load);
    if (!err)
        take_content(f, e, load);
    else if (err != ERR_CLOSED)
        take_failure(f, e, load);
    load_free(load);
    if (!e->again) return;
    e->again = false;
    ask(f, e);
}

void loads_run(struct feed *f)
{
    struct queue_node *node;
    unsigned held = 0;

    while ((node = queue_pop(&f->loads_done))) {
        CHECK(f->held_count < LIMIT_LISTS);
        f->held[f->held_count++] = (struct load *)node;
    }
    while (!f->saving && held < f->held_count) take(f, f->held[held++]);
    f->held_count -= held;
    CHECK(f->held_count == 0 || held == 0);
    for (unsigned i = 0; i < f->lists.count; i++) {
        struct lists_entry *e = &f->lists.at[i];

        if (!e->loading && e->retry_ns && clock_mono_ns() >= e->retry_ns) ask(f, e);
    }
}

void loads_drop(struct feed *f)
{
    struct queue_node *node;

    while ((node = queue_pop(&f->loads_done))) load_free((struct load *)node);
    for (unsigned i = 0; i < f->held_count; i++) load_free(f->held[i]);
    f->held_count = 0;
}
