// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/feed/fixture.h"

void rig_init(struct rig *r)
{
    const char *tmp = getenv("TMPDIR");

    *r = (struct rig){.shrink_percent = 50};
    snprintf(r->dir, sizeof r->dir, "%.40s/dg-feed-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->data, sizeof r->data, "%s/data", r->dir);
    log_set_level(LOG_ERROR + 1);
}

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void rig_done(struct rig *r)
{
    nftw(r->dir, remove_file, 16, FTW_DEPTH | FTW_PHYS);
}

static void on_catalog(void *ctx, const struct catalog *c)
{
    assert_non_null(c);
    ((struct rig *)ctx)->catalogs++;
}

int rig_try_open(struct rig *r, const struct list_spec *specs, unsigned count)
{
    struct feed_config config = {.data_dir = r->volatile_ ? NULL : r->data,
                                 .pages_max_planes = 16,
                                 .shrink_max_percent = r->shrink_percent,
                                 .on_catalog = on_catalog,
                                 .ctx = r};
    int err;

    r->q = qsbr_new();
    r->me = qsbr_join(r->q);
    err = feed_open(&r->feed, &config, specs, count, r->q, &r->set, &r->info);
    if (!err) return 0;
    qsbr_leave(r->me);
    qsbr_free(r->q);
    r->feed = NULL;
    return err;
}

void rig_open(struct rig *r, const struct list_spec *specs, unsigned count)
{
    int err = rig_try_open(r, specs, count);

    if (err) fail_msg("feed_open: %s", r->info.text);
}

void rig_close(struct rig *r)
{
    qsbr_leave(r->me);
    feed_close(r->feed);
    qsbr_free(r->q);
    r->feed = NULL;
}

struct list rig_list(struct rig *r, unsigned number)
{
    struct list found = {.number = UINT16_MAX};
    const struct catalog *c;

    qsbr_wake(r->me);
    c = feed_catalog(r->feed);
    for (unsigned i = 0; i < c->count; i++)
        if (c->list[i].number == number) found = c->list[i];
    qsbr_sleep(r->me);
    return found;
}

void rig_wait(struct rig *r, unsigned number)
{
    struct timespec pause = {.tv_nsec = 1000000};

    for (int i = 0; i < 20000; i++) {
        enum list_state state = rig_list(r, number).state;

        if (state == LIST_READY || state == LIST_EMPTY) return;
        nanosleep(&pause, NULL);
    }
    fail_msg("list %u is never ready", number);
}

void rig_on_done_(struct feed_job *job)
{
    sem_post(&((struct rig_job *)job)->done);
}

void rig_submit(struct rig *r, struct rig_job *j, enum feed_op op, unsigned list, uint64_t device,
                struct set_span span)
{
    memset(j, 0, sizeof *j);
    sem_init(&j->done, 0, 0);
    j->feed.op = op;
    j->feed.list = (uint16_t)list;
    j->feed.device = device;
    j->feed.key = set_key_device(r->set, device);
    j->feed.span = span;
    j->feed.on_done = rig_on_done_;
    feed_submit(r->feed, &j->feed);
}

int rig_result(struct rig_job *j)
{
    while (sem_wait(&j->done) != 0) continue;
    sem_destroy(&j->done);
    return j->feed.err;
}

int rig_put_span(struct rig *r, unsigned list, uint64_t device, struct set_span *span)
{
    struct rig_job j;
    int err;

    rig_submit(r, &j, FEED_ENTRY_SET, list, device, *span);
    err = rig_result(&j);
    *span = j.feed.span;
    return err ? err : j.feed.created;
}

int rig_put(struct rig *r, unsigned list, uint64_t device)
{
    struct set_span span = SET_ALWAYS;

    return rig_put_span(r, list, device, &span);
}

int rig_delete(struct rig *r, unsigned list, uint64_t device)
{
    struct rig_job j;

    rig_submit(r, &j, FEED_ENTRY_DELETE, list, device, SET_ALWAYS);
    return rig_result(&j);
}

bool rig_in(struct rig *r, unsigned id, uint64_t device)
{
    bool found;

    qsbr_wake(r->me);
    found = set_find(r->set, id, set_key_device(r->set, device), NULL);
    qsbr_sleep(r->me);
    return found;
}

bool rig_has(struct rig *r, unsigned list, uint64_t device)
{
    return rig_in(r, list_id_base(list), device) || rig_in(r, list_id_added(list), device);
}

void rig_write(struct rig *r, const char *name, const char *text)
{
    char path[PATH_MAX], temp[PATH_MAX];
    FILE *to;

    snprintf(path, sizeof path, "%s/%s", r->dir, name);
    snprintf(temp, sizeof temp, "%s/%s.part", r->dir, name);
    to = fopen(temp, "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
    assert_int_equal(rename(temp, path), 0);
}

struct list_spec rig_spec(struct rig *r, const char *name, const char *file)
{
    struct list_spec spec = {.kind = SET_DEVICE, .channel = CHANNEL_ANY, .required = true};

    snprintf(spec.tenant, sizeof spec.tenant, "default");
    snprintf(spec.name, sizeof spec.name, "%s", name);
    snprintf(spec.region, sizeof spec.region, "US");
    if (file) snprintf(spec.file, sizeof spec.file, "%.60s/%s", r->dir, file);
    return spec;
}

void rig_find(struct rig *r, const char *prefix, char dst[PATH_MAX])
{
    DIR *d = opendir(r->data);
    struct dirent *e;
    char best[256] = "";

    while (d && (e = readdir(d)))
        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 &&
            (!best[0] || strcmp(e->d_name, best) < 0))
            snprintf(best, sizeof best, "%s", e->d_name);
    if (d) closedir(d);
    dst[0] = '\0';
    if (best[0]) snprintf(dst, PATH_MAX, "%s/%s", r->data, best);
}

void rig_wait_snapshot(struct rig *r, char path[PATH_MAX])
{
    struct timespec pause = {.tv_nsec = 1000000};

    for (int i = 0; i < 20000; i++) {
        size_t n;

        rig_find(r, "snapshot-", path);
        n = strlen(path);
        if (n > 4 && strcmp(path + n - 4, ".new") != 0) return;
        nanosleep(&pause, NULL);
    }
    fail_msg("no snapshot was written");
}
