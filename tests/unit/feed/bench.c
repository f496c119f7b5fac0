// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/feed/bench.h"

void bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    rig_init(&b->rig);
    clock_freeze((int64_t)T0 * 1000000000);
    assert_int_equal(store_open(&b->store, b->rig.data, NULL), 0);
    b->config = (struct reports_config){.data_dir = b->rig.data,
                                        .seed = b->store.seed,
                                        .retention_s = RETAIN,
                                        .limits = {1 << 20, 1 << 10}};
}

int bench_try(struct bench *b)
{
    int err;

    b->q = qsbr_new();
    b->me = qsbr_join(b->q);
    qsbr_wake(b->me);
    err = reports_open(&b->reports, &b->config, b->q, &b->ledger, &b->info);
    if (!err) return 0;
    qsbr_leave(b->me);
    qsbr_free(b->q);
    return err;
}

void bench_open(struct bench *b)
{
    int err = bench_try(b);

    if (err) fail_msg("reports_open: %s", b->info.text);
}

void bench_close(struct bench *b)
{
    qsbr_leave(b->me);
    reports_close(b->reports);
    qsbr_free(b->q);
    b->ledger = NULL;
}

void bench_done(struct bench *b)
{
    store_close(&b->store);
    rig_done(&b->rig);
}

void bench_reopen_at(struct bench *b, int64_t now_s)
{
    bench_close(b);
    clock_freeze(now_s * 1000000000);
    bench_open(b);
}

static void on_done(struct report_job *job)
{
    sem_post(&((struct bench_one *)job)->done);
}

void bench_submit(struct bench *b, struct bench_one *o)
{
    o->job.on_done = on_done;
    sem_init(&o->done, 0, 0);
    reports_submit(b->reports, &o->job);
}

int bench_result(struct bench_one *o)
{
    while (sem_wait(&o->done) < 0) continue;
    sem_destroy(&o->done);
    return o->job.err;
}

uint64_t bench_key(uint64_t n)
{
    return hash_keyed_u64(5, n);
}

struct attempt bench_attempt(uint64_t guid, int64_t start_s, bool ended)
{
    return (struct attempt){.device = bench_key(1000 + guid % 100),
                            .guid = bench_key(guid),
                            .start_s = start_s,
                            .result = ended ? 33 : ATTEMPT_NO_RESULT,
                            .ended = ended};
}

int bench_put(struct bench *b, struct attempt a)
{
    struct bench_one o = {.job = {.attempt = a}};

    bench_submit(b, &o);
    return bench_result(&o) ? o.job.err : o.job.applied;
}

int bench_put_raw(struct bench *b, struct str raw)
{
    struct bench_one o = {.job = {.quarantined = true, .raw = raw}};

    bench_submit(b, &o);
    return bench_result(&o);
}

struct attempts_count bench_count(struct bench *b, uint64_t device, int64_t since_s)
{
    struct ledger_asker who = {.device = bench_key(device)};
    struct attempts_query query = {.by = COUNT_BY_DEVICE,
                                   .channels = 0xff,
                                   .results = UINT64_MAX,
                                   .since_s = since_s,
                                   .before_s = INT64_MAX,
                                   .enough = 1000000};

    qsbr_quiet(b->me);
    return ledger_count(b->ledger, &who, &query, clock_wall_s());
}

int64_t bench_since(struct bench *b)
{
    struct ledger_usage usage;

    ledger_usage(b->ledger, &usage);
    return usage.since_s;
}

uint64_t bench_in_memory(struct bench *b)
{
    struct ledger_usage usage;

    ledger_usage(b->ledger, &usage);
    return usage.attempts;
}

unsigned bench_segments(struct bench *b, uint64_t **ret_lsns)
{
    char dir[PATH_MAX];
    unsigned n = 0;

    snprintf(dir, sizeof dir, "%s/" STORE_ATTEMPTS, b->rig.data);
    assert_int_equal(store_list(dir, "log-", ".dgl", ret_lsns, &n, NULL), 0);
    return n;
}

unsigned bench_segment_count(struct bench *b)
{
    uint64_t *lsns = NULL;
    unsigned n = bench_segments(b, &lsns);

    free(lsns);
    return n;
}

void bench_last_path(struct bench *b, char path[PATH_MAX])
{
    char dir[PATH_MAX - 64];
    uint64_t *lsns = NULL;
    unsigned n = bench_segments(b, &lsns);

    snprintf(dir, sizeof dir, "%s/" STORE_ATTEMPTS, b->rig.data);
    wal_path(path, PATH_MAX, dir, lsns[n - 1]);
    free(lsns);
}

void bench_wait_since(struct bench *b, int64_t since_s)
{
    int64_t end_ns = clock_mono_ns() + (int64_t)30 * 1000000000;

    while (bench_since(b) != since_s) {
        if (clock_mono_ns() > end_ns)
            fail_msg("since is %lld, not %lld", (long long)bench_since(b), (long long)since_s);
        usleep(1000);
    }
}
