// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/batch.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/feed/state.h"

// A job becomes at most: the mark, and three records of its key.
#define OPS_MAX      (4 * LIMIT_COMMIT_JOBS)
#define SLOTS        (4 * LIMIT_COMMIT_JOBS)
#define LOG_PAUSE_NS ((int64_t)10 * 1000000000)

static_assert((SLOTS & (SLOTS - 1)) == 0 && LIMIT_COMMIT_JOBS < UINT16_MAX, "slots are masked");

// One record: in `part` of the list the key is, with that span, or is not.
struct op {
    bool set;
    enum logrec_part part;
    uint16_t list;
    struct set_key key;
    uint64_t device;
    struct set_span span;
};

// A key as the jobs so far will have left it.
struct view {
    uint16_t list;
    struct set_key key;
    bool base, added, lifted;
    struct set_span base_span, added_span;
};

struct batch {
    struct feed_job *job[LIMIT_COMMIT_JOBS];
    unsigned job_count;
    struct feed_job *alone; // a job that ends a batch and is done by itself
    struct view view[LIMIT_COMMIT_JOBS];
    unsigned view_count;
    uint16_t slot[SLOTS]; // index + 1 into view; 0 = free
    struct op op[OPS_MAX];
    unsigned op_count;
    uint16_t marked[LIMIT_LISTS]; // lists whose mark is among the records
    unsigned marked_count;
    struct buf frames;
    int64_t quiet_until_ns; // of the log about failures
};

struct batch *batch_new(void)
{
    struct batch *b = calloc(1, sizeof *b);

    if (b) buf_init(&b->frames, (size_t)OPS_MAX * LOGREC_ENTRY_BYTES);
    return b;
}

void batch_free(struct batch *b)
{
    if (!b) return;
    buf_done(&b->frames);
    free(b);
}

static unsigned id_of(uint16_t list, enum logrec_part part)
{
    return list_id_base(list) + (unsigned)part;
}
static_assert(LOGREC_BASE == 0 && LOGREC_ADDED == 1 && LOGREC_LIFTED == 2, "as ids follow");

static struct view *view_of(struct feed *f, uint16_t list, struct set_key key)
{
    struct batch *b = f->batch;
    unsigned at = (unsigned)(key.hash ^ list) & (SLOTS - 1);
    struct view *v;

    for (; b->slot[at]; at = (at + 1) & (SLOTS - 1)) {
        v = &b->view[b->slot[at] - 1];
        if (v->key.hash == key.hash && v->list == list) return v;
    }
    CHECK(b->view_count < LIMIT_COMMIT_JOBS);
    v = &b->view[b->view_count++];
    b->slot[at] = (uint16_t)b->view_count;
    *v = (struct view){.list = list, .key = key};
    v->base = set_find(f->set, list_id_base(list), key, &v->base_span);
    v->added = set_find(f->set, list_id_added(list), key, &v->added_span);
    v->lifted = set_find(f->set, list_id_lifted(list), key, NULL);
    return v;
}

static void put_op(struct batch *b, const struct feed_job *job, enum logrec_part part, bool set,
                   struct set_span span)
{
    CHECK(b->op_count < OPS_MAX);
    b->op[b->op_count++] = (struct op){set, part, job->list, job->key, job->device, span};
}

static struct set_span hull(struct set_span a, struct set_span b)
{
    return (struct set_span){a.from_s < b.from_s ? a.from_s : b.from_s,
                             a.till_s > b.till_s ? a.till_s : b.till_s};
}

static void decide_set(struct batch *b, struct feed_job *job, struct view *v)
{
    struct set_span span = job->span;

    if (v->base) span = hull(span, v->base_span);
    if (v->added) span = hull(span, v->added_span);
    job->created = !v->base && !v->added;
    job->span = span;
    // what stands there already is durable already
    if (!v->added || v->added_span.from_s != span.from_s || v->added_span.till_s != span.till_s)
        put_op(b, job, LOGREC_ADDED, true, span);
    if (v->lifted) put_op(b, job, LOGREC_LIFTED, false, SET_ALWAYS);
    v->added = true;
    v->added_span = span;
    v->lifted = false;
}

static void mark(struct feed *f, const struct feed_job *job)
{
    struct lists_entry *e = &f->lists.at[job->list];
    struct batch *b = f->batch;

    if (!e->mark_due) return;
    put_op(b, job, LOGREC_LIFTED, false, SET_ALWAYS);
    b->op[b->op_count - 1].key = (struct set_key){0, 0};
    b->op[b->op_count - 1].device = e->lift_sum;
    b->marked[b->marked_count++] = job->list;
    e->mark_due = false;
}

static int decide_delete(struct feed *f, struct feed_job *job, struct view *v)
{
    const struct lists_entry *e = &f->lists.at[job->list];

    if (e->pub.state == LIST_LOADING || e->pub.state == LIST_RELOADING) return ERR_LOADING;
    if (!v->base && !v->added) return ERR_NO_ENTRY;
    // An entry whose base was lifted, then added, then deleted is still named by the file: so
    // whatever is deleted from a list with a file is remembered. `lifted` comes first, because
    // half of these records must not look like a deletion that a new parse forgets.
    if (e->has_content && !v->lifted) {
        mark(f, job);
        put_op(f->batch, job, LOGREC_LIFTED, true, SET_ALWAYS);
        v->lifted = true;
    }
    if (v->base) put_op(f->batch, job, LOGREC_BASE, false, SET_ALWAYS);
    if (v->added) put_op(f->batch, job, LOGREC_ADDED, false, SET_ALWAYS);
    v->base = v->added = false;
    return 0;
}

static int decide(struct feed *f, struct feed_job *job)
{
    struct view *v;

    job->created = false;
    if (!f->durable) return ERR_NOT_DURABLE;
    if (job->list >= f->lists.count) return ERR_NO_LIST;
    // else the log could not be replayed
    CHECK(job->key.hash != 0);
    CHECK((f->lists.at[job->list].pub.kind == SET_DEVICE) == (job->device != 0));
    CHECK(!job->device || set_key_device(f->set, job->device).hash == job->key.hash);
    v = view_of(f, job->list, job->key);
    if (job->op == FEED_ENTRY_DELETE) return decide_delete(f, job, v);
    CHECK(job->span.from_s < job->span.till_s);
    decide_set(f->batch, job, v);
    return 0;
}

// -- making durable --------------------------------------------------------------------------

static int commit(struct feed *f, unsigned count, struct err_info *info)
{
    struct batch *b = f->batch;
    int err;

    CHECK(!b->frames.failed);
    err = wal_commit(&f->wal, buf_view(&b->frames), count, info);
    metric_set(f->metrics, METRIC_LOG_BYTES, wal_bytes(&f->wal));
    if (!err) {
        metric_add(f->metrics, METRIC_LOG_COMMITS, 1);
        if (wal_bytes(&f->wal) > LIMIT_SNAPSHOT_AFTER) f->save_due = true;
    }
    return err;
}

static int commit_ops(struct feed *f)
{
    struct batch *b = f->batch;
    struct err_info why;
    int err;

    buf_reset(&b->frames);
    for (unsigned i = 0; i < b->op_count; i++) {
        const struct op *op = &b->op[i];
        struct logrec rec = {
            .type = op->set ? LOGREC_ENTRY_SET : LOGREC_ENTRY_DELETE,
            .list = op->list,
            .lsn = f->wal.next_lsn + i,
            .entry = {op->part, op->key.hash, op->device, op->span.from_s, op->span.till_s},
        };

        logrec_put(&b->frames, &rec);
    }
    err = b->frames.failed ? err_set(&why, ERR_STORAGE, "no memory for the log's records")
                           : commit(f, b->op_count, &why);
    if (err && clock_mono_ns() >= b->quiet_until_ns) {
        log_error("changes", "%s; they are refused until it can be written", why.text);
        b->quiet_until_ns = clock_mono_ns() + LOG_PAUSE_NS;
    }
    return err;
}

static int apply(struct feed *f, const struct op *op)
{
    unsigned id = id_of(op->list, op->part);
    int n;

    if (op->key.hash == 0) return 0; // the mark: `lifted` was emptied when the file came
    n = op->set ? set_insert(f->set, id, op->key, op->span) : set_remove(f->set, id, op->key);
    return n < 0 ? n : 0;
}

// A durable change that memory has no room for holds after the next start, not before: that is
// said, and the job fails.
static int apply_ops(struct feed *f)
{
    int err = 0;

    for (unsigned i = 0; i < f->batch->op_count; i++) {
        int n = apply(f, &f->batch->op[i]);

        if (n) err = n;
    }
    if (err)
        log_error("changes", "%s: some are in the log but not in force before a restart",
                  err_text(err));
    return err;
}

static void finish(struct feed *f, int err)
{
    struct batch *b = f->batch;

    for (unsigned i = 0; i < b->job_count; i++) {
        struct feed_job *job = b->job[i];

        if (err) job->err = err;
        metric_add(f->metrics, job->err ? METRIC_CHANGES_FAILED : METRIC_CHANGES_DURABLE,
                   job->err == 0 || job->err == ERR_STORAGE);
        job->on_done(job);
    }
    for (unsigned i = 0; i < b->marked_count && err; i++) f->lists.at[b->marked[i]].mark_due = true;
}

int batch_define(struct feed *f, const struct logrec_define *defines, const unsigned *numbers,
                 unsigned count, struct err_info *info)
{
    if (!f->durable || count == 0) return 0;
    buf_reset(&f->batch->frames);
    for (unsigned i = 0; i < count; i++) {
        struct logrec rec = {.type = LOGREC_LIST_DEFINE,
                             .list = (uint16_t)numbers[i],
                             .lsn = f->wal.next_lsn + i,
                             .define = defines[i]};

        logrec_put(&f->batch->frames, &rec);
    }
    return commit(f, count, info);
}

int batch_mark(struct feed *f, unsigned list, uint64_t sum)
{
    struct logrec rec = {.type = LOGREC_ENTRY_DELETE,
                         .list = (uint16_t)list,
                         .lsn = f->wal.next_lsn,
                         .entry = {.part = LOGREC_LIFTED, .device = sum}};

    if (!f->durable) return ERR_NOT_DURABLE;
    CHECK(lists_is_mark(&rec));
    buf_reset(&f->batch->frames);
    logrec_put(&f->batch->frames, &rec);
    return commit(f, 1, NULL);
}

static int define_list(struct feed *f, struct feed_job *job)
{
    const struct lists_entry *e = lists_find(&f->lists, job->spec.tenant, job->spec.name);
    struct logrec_define define;
    unsigned number = f->lists.count;
    int err;

    job->created = false;
    if (!f->durable) return ERR_NOT_DURABLE;
    if (e && (e->pub.kind != job->spec.kind || e->pub.channel != job->spec.channel ||
              e->pub.required != job->spec.required))
        return ERR_CONFLICT;
    if (e) {
        job->list = e->pub.number;
        return 0;
    }
    if (number == LIMIT_LISTS) return ERR_FULL;
    lists_describe(&job->spec, &define);
    err = batch_define(f, &define, &number, 1, NULL);
    if (err) return err;
    pthread_mutex_lock(&f->lock);
    err = lists_define(&f->lists, number, &define);
    pthread_mutex_unlock(&f->lock);
    CHECK(!err);
    job->list = (uint16_t)number;
    job->created = true;
    f->catalog_due = true;
    return 0;
}

static void collect(struct feed *f)
{
    struct batch *b = f->batch;
    struct queue_node *node;

    b->job_count = b->op_count = b->view_count = b->marked_count = 0;
    b->alone = NULL;
    memset(b->slot, 0, sizeof b->slot);
    while (b->job_count < LIMIT_COMMIT_JOBS && !b->alone && (node = queue_pop(&f->jobs))) {
        struct feed_job *job = (struct feed_job *)node;

        if (job->op == FEED_LIST_DEFINE || job->op == FEED_CALL) {
            b->alone = job;
            break;
        }
        job->err = decide(f, job);
        b->job[b->job_count++] = job;
    }
}
static_assert(offsetof(struct feed_job, node) == 0, "a node is its job");

unsigned batch_run(struct feed *f)
{
    struct batch *b = f->batch;
    int err = 0;

    collect(f);
    if (b->op_count > 0) {
        err = commit_ops(f);
        if (!err) err = apply_ops(f);
    }
    finish(f, err);
    if (b->alone) {
        if (b->alone->op == FEED_CALL)
            b->alone->run(b->alone);
        else
            b->alone->err = define_list(f, b->alone);
        b->alone->on_done(b->alone);
    }
    return b->job_count + (b->alone != NULL);
}

// -- replay ----------------------------------------------------------------------------------

int batch_clear_lifted(struct feed *f, unsigned list, struct err_info *info)
{
    struct set_build *none;

    if (set_count(f->set, list_id_lifted(list)) == 0) return 0;
    none = set_build_new(f->set, list_id_lifted(list), 0);
    if (!none) return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    return set_build_publish(f->set, none, info);
}

int batch_replay(struct feed *f, const struct logrec *rec, struct err_info *info)
{
    struct op op;
    int err = 0;

    if (rec->type == LOGREC_LIST_DEFINE) {
        err = lists_define(&f->lists, rec->list, &rec->define);
    } else if (rec->type > LOGREC_ENTRY_DELETE || rec->list >= f->lists.count) {
        err = ERR_CORRUPT; // a call report has no business here
    } else if (lists_is_mark(rec)) {
        f->lists.at[rec->list].lift_sum = rec->entry.device;
        return batch_clear_lifted(f, rec->list, info);
    } else {
        op = (struct op){rec->type == LOGREC_ENTRY_SET,
                         rec->entry.part,
                         rec->list,
                         {rec->entry.hash, 0},
                         rec->entry.device,
                         {rec->entry.from_s, rec->entry.till_s}};
        if (op.device) op.key = set_key_device(f->set, op.device);
        err = op.key.hash == rec->entry.hash ? apply(f, &op) : ERR_CORRUPT;
    }
    if (err)
        return err_set(info, err, "record %llu of the log cannot be applied: %s",
                       (unsigned long long)rec->lsn, err_text(err));
    return 0;
}
