// SPDX-License-Identifier: Apache-2.0
//
// bench: reports over a data directory of their own, with calls that wait for their answer. The
// wall clock is frozen at T0.
#pragma once

#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/feed/reportlog.h"
#include "engine/feed/reports.h"
#include "engine/feed/store.h"
#include "engine/wire/logrec.h"
#include "tests/unit/feed/fixture.h"

#define T0     1795357675 // 2026-11-22
#define HOUR   3600
#define DAY    86400
#define RETAIN (32 * DAY)

struct bench {
    struct rig rig;
    struct store store;
    struct qsbr *q;
    struct qsbr_reader *me;
    struct reports *reports;
    struct ledger *ledger;
    struct err_info info;
    struct reports_config config;
};

struct bench_one {
    struct report_job job;
    sem_t done;
};

void bench_init(struct bench *b);
// 0, or why not (in b->info).
int bench_try(struct bench *b);
void bench_open(struct bench *b);
void bench_close(struct bench *b);
void bench_done(struct bench *b);
void bench_reopen_at(struct bench *b, int64_t now_s);
void bench_submit(struct bench *b, struct bench_one *o);
int bench_result(struct bench_one *o);
// Keys are hashes.
uint64_t bench_key(uint64_t n);
struct attempt bench_attempt(uint64_t guid, int64_t start_s, bool ended);
// What became of it, or ERR_*.
int bench_put(struct bench *b, struct attempt a);
int bench_put_raw(struct bench *b, struct str raw);
struct attempts_count bench_count(struct bench *b, uint64_t device, int64_t since_s);
int64_t bench_since(struct bench *b);
// Until the ledger knows everything from then on.
void bench_wait_since(struct bench *b, int64_t since_s);
uint64_t bench_in_memory(struct bench *b);
unsigned bench_segments(struct bench *b, uint64_t **ret_lsns);
unsigned bench_segment_count(struct bench *b);
void bench_last_path(struct bench *b, char path[PATH_MAX]);
