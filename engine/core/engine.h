// SPDX-License-Identifier: Apache-2.0
//
// engine: introduces the rooms to each other, and holds what all workers share.
//
// Threads: main (signals, reload), one a worker, feed's own. What workers read is either fixed
// after engine_start or reached through `view`.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "engine/base/conf.h"
#include "engine/core/view.h"
#include "engine/core/worker.h"
#include "engine/feed/feed.h"

struct engine {
    struct conf conf;
    struct tenants tenants;
    struct record_keys *ocs_keys; // GSW names only: a user field called "at" means nothing
    struct record_keys *v1_keys;  // and the names of /v1
    struct http_canned allowed;   // the whole 200 of /ocs/validate
    struct metric_block *metrics; // main's own
    struct qsbr *qsbr;
    struct feed *feed;
    struct set *set;
    _Atomic(struct view *) view;   // written by on_catalog only
    pthread_mutex_t lock;          // of `settings`, between main and feed
    struct view_settings settings; // what the next view gets
    bool loopback;
    atomic_bool draining;
    atomic_bool failed; // a worker's event loop broke: main ends the process, not with 0
    unsigned worker_count;
    struct worker *workers;
};

// Reads the options and starts everything. Returns when questions are answered (maybe with
// "freshness" while lists load). Owner: main. ERR_* with a sentence that says what to type.
int engine_start(struct engine *e, int argc, char **argv, struct err_info *info);
// SIGHUP: re-reads config, tokens and lists. A failure changes nothing and is logged.
void engine_reload(struct engine *e);
// Answers what is in flight, then stops and frees everything. Safe after a failed engine_start.
void engine_stop(struct engine *e);
