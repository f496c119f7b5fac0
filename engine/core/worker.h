// SPDX-License-Identifier: Apache-2.0
//
// worker: one thread: its HTTP server, its questions of this turn, its answers.
//
// Phase one (on_request of /ocs/validate): record -> question, first lines prefetched. Phase two
// (on_turn, or when LIMIT_TURN_QUESTIONS wait): second lines prefetched, then all decided and
// answered in order. Every other route first answers what waits, so that answers keep their order.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "engine/core/decide.h"
#include "engine/core/rules_api.h"
#include "engine/feed/feed.h"
#include "engine/net/server.h"

struct engine;
struct list_job;
struct history_job;
struct consult;
struct worker;

// What another thread posts to a worker (server_post of its node). Part of a job; owned by whoever
// made that.
struct worker_message {
    struct queue_node node;
    void (*on_arrival)(struct worker *w, struct worker_message *message); // worker's own thread
};

struct pending {
    struct conn *conn;
    struct question question;
};

// Owned by the engine; everything but `thread` belongs to the worker's own thread once it runs.
struct worker {
    struct engine *engine;
    unsigned number;
    pthread_t thread;
    struct server *server;
    struct metric_block *metrics;
    struct qsbr_reader *reader;
    struct list_job *jobs, *free_jobs; // LIMIT_JOBS, made at start
    struct history_job *history_jobs, *free_history_jobs;
    struct consult *consults, *free_consults;     // LIMIT_EXTERNAL_ASKS
    struct consult_text *consult_texts;           // theirs
    unsigned consults_busy, consults_ahead;       // under way; of them those that nobody waits for
    struct rules_job *rules_jobs[RULES_API_JOBS]; // PUT /v1/rules under way
    struct decider decider;
    const struct view *view; // of the questions that wait; NULL = none does
    unsigned pending_count;
    struct pending pending[LIMIT_TURN_QUESTIONS];
    struct record record; // of the question being read
};

// Binds the worker's listener. `port` 0 = any. ERR_* with a sentence.
int worker_init(struct worker *w, struct engine *engine, unsigned number,
                const struct server_config *config, struct err_info *info);
// Starts the thread; it runs until worker_drain.
int worker_start(struct worker *w, struct err_info *info);
void worker_drain(struct worker *w);
void worker_join(struct worker *w);
void worker_done(struct worker *w);

// The view in force, or the one that waiting questions were read under; valid until this turn ends.
const struct view *worker_view(const struct worker *w);
// From here to the next worker_flush (or worker_release) worker_view gives the same view.
const struct view *worker_hold(struct worker *w);
void worker_release(struct worker *w);
// Prefetches what the decisions of the first `count` questions in `pending` will look at.
void worker_fetch(struct worker *w, unsigned count);
// Decides and answers what waits.
void worker_flush(struct worker *w);
// Counts a verdict in this worker's metrics.
void worker_count(struct worker *w, const struct verdict *v);
