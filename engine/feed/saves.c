// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/saves.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/feed/loads.h"
#include "engine/feed/state.h"
#include "engine/wire/logrec.h"

#define PAUSE_NS ((int64_t)30 * 1000000000) // after a failed snapshot

static void *write_snapshot(void *arg)
{
    struct feed *f = arg;

    snapshot_write(&f->save, f->set, f->save_reader);
    atomic_store(&f->save_done, true);
    bell_ring(&f->bell);
    return NULL;
}

static void failed(struct feed *f, const char *why)
{
    log_error("snapshot", "%s; the log is kept, and it is tried again in half a minute", why);
    metric_add(f->metrics, METRIC_SNAPSHOTS_FAILED, 1);
    f->save_after_ns = clock_mono_ns() + PAUSE_NS;
}

// The log up to here, and the table of lists as it is here.
static bool prepare(struct feed *f)
{
    struct err_info why = {0};

    // a segment without a record begins where the snapshot will
    if (f->wal.good_bytes > LOGREC_HEAD_BYTES || f->wal.broken) {
        if (wal_rotate(&f->wal, &why)) {
            failed(f, why.text);
            return false;
        }
    }
    f->save = (struct snapshot){.dir = f->store.dir,
                                .lsn = f->wal.next_lsn,
                                .lists = lists_save(&f->lists),
                                .list_count = f->lists.count,
                                .stop = &f->save_stop};
    if (f->save.lists) return true;
    failed(f, err_text(ERR_NOMEM));
    return false;
}

static void end(struct feed *f)
{
    free(f->save.lists);
    f->save.lists = NULL;
    if (f->save.err == ERR_CLOSED) {
        log_warn("snapshot",
                 "not written in %d s, given up: the next start reads the log and the "
                 "list files instead",
                 SAVES_CLOSE_MS / 1000);
        return;
    }
    if (f->save.err) {
        failed(f, f->save.info.text);
        return;
    }
    f->save_due = false;
    f->wal.old_bytes = 0;
    metric_add(f->metrics, METRIC_SNAPSHOTS, 1);
    metric_set(f->metrics, METRIC_LOG_BYTES, wal_bytes(&f->wal));
    log_info("snapshot", "written: %llu bytes, before record %llu",
             (unsigned long long)f->save.size_bytes, (unsigned long long)f->save.lsn);
}

// A list whose content in force last is known to the log but not in the sets (a crash came between
// a reload and its snapshot): a snapshot would forget that there was any.
static bool is_blocked(const struct feed *f)
{
    for (unsigned i = 0; i < f->lists.count; i++) {
        const struct lists_entry *e = &f->lists.at[i];

        if (e->pub.file[0] && e->lift_sum != (e->has_content ? e->content.sum : 0)) return true;
    }
    return false;
}

static void begin(struct feed *f)
{
    if (is_blocked(f) || !prepare(f)) return;
    atomic_store(&f->save_done, false);
    if (pthread_create(&f->save_thread, NULL, write_snapshot, f) == 0) {
        f->saving = true;
        return;
    }
    free(f->save.lists);
    failed(f, "no thread to write it");
}

static void join(struct feed *f)
{
    pthread_join(f->save_thread, NULL);
    f->saving = false;
    end(f);
}

void saves_run(struct feed *f)
{
    if (f->saving && atomic_load(&f->save_done)) join(f);
    if (f->saving || !f->save_due || loads_pending(f) || clock_mono_ns() < f->save_after_ns) return;
    begin(f);
}

static void finish(struct feed *f, int64_t deadline_ns)
{
    struct timespec pause = {.tv_nsec = 1000000};

    while (!atomic_load(&f->save_done) && clock_mono_ns() < deadline_ns) nanosleep(&pause, NULL);
    atomic_store(&f->save_stop, true);
    join(f);
    atomic_store(&f->save_stop, false);
}

void saves_close(struct feed *f)
{
    int64_t deadline_ns = clock_mono_ns() + (int64_t)SAVES_CLOSE_MS * 1000000;

    if (f->saving) finish(f, deadline_ns);
    if (!f->durable || !f->save_due || clock_mono_ns() >= deadline_ns) return;
    begin(f);
    if (f->saving) finish(f, deadline_ns);
}
