// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/feed/listread.h"

#define TRIES      3     // of a file that changes while it is read
#define HEAD_BYTES 65536 // looked at by loader_check

#define SETTLE_TRIES 5 // of a file written just now
#define SETTLE_NS    ((long)10 * 1000000)
// Some file systems keep whole seconds, FAT even ones.
#define COARSE_NS ((int64_t)2 * 1000000000)

struct loader {
    struct loader_config config;
    struct qsbr_reader *me;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct queue todo; // pushed and popped under the lock
    atomic_bool stop;
};

static struct file_id id_of(const struct stat *st, int64_t now_ns)
{
    int64_t changed_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
    int64_t made_of[] = {(int64_t)st->st_ino, st->st_mtim.tv_sec, st->st_mtim.tv_nsec, changed_ns};
    uint64_t stamp = hash_keyed(0, made_of, sizeof made_of);

    int64_t written_s = st->st_mtim.tv_sec;

    if (changed_ns % 1000000000 == 0) changed_ns += COARSE_NS;
    // a time in the future would let the content grow old unseen
    if (written_s > now_ns / 1000000000) written_s = now_ns / 1000000000;
    return (struct file_id){.size_bytes = (uint64_t)st->st_size,
                            .stamp = stamp ? stamp : 1,
                            .settled = changed_ns < now_ns,
                            .written_s = written_s};
}

static int open_file(const char *path, int *ret_fd, struct file_id *ret_id, struct err_info *info)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int64_t now_ns = clock_file_ns();
    struct stat st;

    if (fd < 0)
        return err_set(info, ERR_IO, "cannot open list file %s: %s; try: ls -l %s", path,
                       strerror(errno), path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(info, ERR_IO, "list file %s is %s, not a regular file; try: ls -ld %s", path,
                       S_ISDIR(st.st_mode) ? "a directory" : "a device, pipe or socket", path);
    }
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    *ret_fd = fd;
    *ret_id = id_of(&st, now_ns);
    return 0;
}

int loader_check(const char *path, enum set_kind kind, struct file_id *ret_id,
                 struct err_info *info)
{
    static const struct number_home home = {"US", true};
    struct listfile *parser = malloc(sizeof *parser);
    char *head = malloc(HEAD_BYTES);
    struct err_info why;
    struct file_id id;
    int fd = -1, err;
    size_t used;
    ssize_t n;

    err = parser && head ? open_file(path, &fd, &id, info)
                         : err_set(info, ERR_NOMEM, "no memory to read %s", path);
    if (err) goto out;
    n = read(fd, head, HEAD_BYTES);
    if (n < 0) {
        err = err_set(info, ERR_IO, "cannot read list file %s: %s; try: head -c 1 %s", path,
                      strerror(errno), path);
        goto out;
    }
    listfile_init(parser, kind, &home, NULL);
    err = listfile_start(parser, head, (size_t)n, &used, &why);
    if (err)
        err_set(info, err, "list file %s: %s", path, why.text);
    else
        *ret_id = id;
out:
    if (fd >= 0) close(fd);
    free(head);
    free(parser);
    return err;
}

// One look at the file. ERR_CONFLICT when it changed meanwhile.
static int read_once(struct listread *r, int fd, const struct file_id *id)
{
    struct load *load = r->load;
    bool known = load->known && id->size_bytes == load->id_known.size_bytes;
    struct file_id after;
    uint64_t sum_before = 0, sum = 0;
    int err = 0, fd_after;

    if (load->lifts || known) err = listread_sum(r, fd, &sum_before);
    if (err) return err;
    load->id = *id;
    load->same_content = load->lifts && sum_before == load->lift_sum;
    load->untouched = known && sum_before == load->id_known.sum && !load->lifts;
    if (load->untouched) {
        load->id.sum = sum_before;
        return 0;
    }
    err = listread_rows(r, fd, id->size_bytes, &sum);
    if (err) return err;
    load->id.sum = sum;
    err = open_file(load->path, &fd_after, &after, &load->info);
    if (err) return err;
    close(fd_after);
    if (!file_id_same_stat(id, &after) || ((load->lifts || known) && sum != sum_before))
        return ERR_CONFLICT;
    return 0;
}

static void drop_build(struct listread *r)
{
    set_build_free(r->load->build);
    r->load->build = NULL;
    rejects_drop(&r->rejects);
}

// A file written in this very step of the clock could change again without showing it: a little
// later it could not. One that stays unsettled (its time is in the future) is read all the same.
static int open_settled(const char *path, int *ret_fd, struct file_id *ret_id,
                        struct err_info *info)
{
    struct timespec pause = {.tv_nsec = SETTLE_NS};
    int err = open_file(path, ret_fd, ret_id, info);

    for (int i = 0; i < SETTLE_TRIES && !err && !ret_id->settled; i++) {
        close(*ret_fd);
        nanosleep(&pause, NULL);
        err = open_file(path, ret_fd, ret_id, info);
    }
    return err;
}

static int read_file(struct listread *r)
{
    struct load *load = r->load;
    int err = ERR_CONFLICT;

    for (int i = 0; i < TRIES && err == ERR_CONFLICT; i++) {
        struct file_id id;
        int fd;

        err = open_settled(load->path, &fd, &id, &load->info);
        if (err) break;
        err = read_once(r, fd, &id);
        close(fd);
        if (err) drop_build(r);
    }
    if (err == ERR_CONFLICT)
        return err_set(&load->info, ERR_IO,
                       "list file %s changes while it is read; try: write the new content to "
                       "another file and mv it over this one",
                       load->path);
    return err;
}

int loader_read(struct load *load, struct set *set, struct qsbr_reader *me, bool terminal,
                const atomic_bool *stop)
{
    struct listread *r = calloc(1, sizeof *r);
    int err;

    load->report_fd = -1;
    load->build = NULL;
    if (r) r->piece = malloc(LISTREAD_PIECE_BYTES);
    if (!r || !r->piece) {
        free(r);
        return load->err = err_set(&load->info, ERR_NOMEM, "no memory to read %s", load->path);
    }
    r->load = load;
    r->set = set;
    r->me = me;
    r->stop = stop;
    r->terminal = terminal;
    r->rejects.fd = -1;
    err = read_file(r);
    if (!err && !load->untouched) rejects_end(&r->rejects, load->subject, &load->report_fd);
    CHECK(!err == (load->build || load->untouched));
    free(r->piece);
    free(r);
    return load->err = err;
}

static struct load *next_load(struct loader *l)
{
    struct queue_node *node;

    pthread_mutex_lock(&l->lock);
    while (!(node = queue_pop(&l->todo)) && !atomic_load(&l->stop))
        pthread_cond_wait(&l->more, &l->lock);
    pthread_mutex_unlock(&l->lock);
    return (struct load *)node;
}
static_assert(offsetof(struct load, node) == 0, "a node is its load");

static void *run(void *arg)
{
    struct loader *l = arg;
    struct load *load;

    while ((load = next_load(l))) {
        if (atomic_load(&l->stop))
            load->err = err_set(&load->info, ERR_CLOSED, "the engine is shutting down");
        else
            loader_read(load, l->config.set, l->me, l->config.terminal, &l->stop);
        l->config.on_done(l->config.ctx, load);
    }
    return NULL;
}

int loader_new(struct loader **ret, const struct loader_config *config)
{
    struct loader *l = aligned_alloc(64, (sizeof *l + 63) & ~(size_t)63);

    if (!l) return ERR_NOMEM;
    memset(l, 0, sizeof *l);
    l->config = *config;
    l->me = qsbr_join(config->q);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->more, NULL);
    queue_init(&l->todo);
    if (l->me && pthread_create(&l->thread, NULL, run, l) == 0) {
        *ret = l;
        return 0;
    }
    if (l->me) qsbr_leave(l->me);
    free(l);
    return ERR_SYSTEM;
}

void loader_submit(struct loader *l, struct load *load)
{
    pthread_mutex_lock(&l->lock);
    queue_push(&l->todo, &load->node);
    pthread_cond_signal(&l->more);
    pthread_mutex_unlock(&l->lock);
}

void loader_free(struct loader *l)
{
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    atomic_store(&l->stop, true);
    pthread_cond_signal(&l->more);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    qsbr_leave(l->me);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->more);
    free(l);
}
