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
#include "engine/core/external.h"
#include "engine/core/rule_source.h"
#include "engine/core/tally.h"
#include "engine/core/view.h"
#include "engine/core/worker.h"
#include "engine/feed/feed.h"
#include "engine/feed/reports.h"

struct engine {
    struct conf conf;
    struct tenants tenants;
    struct http_canned allowed;   // the whole 200 of /ocs/validate
    struct metric_block *metrics; // main's own
    struct qsbr *qsbr;
    struct feed *feed;
    struct set *set;
    struct reports *reports;
    struct ledger *ledger; // of reports
    struct external *external;
    struct answers *answers;       // that it got
    struct tally tally;            // blocks of each rule
    int64_t started_ns;            // monotonic
    _Atomic uint64_t seed;         // of the set; 0 until feed is open
    _Atomic(struct view *) view;   // written by feed's thread only
    struct rule_sources *sources;  // feed's thread only, once it runs; as is
    struct rulebook *book;         // what they were compiled to
    unsigned rules_number;         // and how often they were replaced
    int64_t unsaved_told_ns;       // feed's thread: when a set that cannot be stored was logged
    struct atlas *atlas;           // main's reference of the one in force
    bool zones_gone;               // main: the time zone files were not there
    int64_t told_ns;               // main: when a failure of theirs was logged
    int64_t zones_again_ns;        // main: when they are read once more; 0 = not
    pthread_mutex_t lock;          // of `settings`, between main and feed
    struct view_settings settings; // what the next view gets
    char data_dir[1024];           // "" = none; fixed, while `conf` is main's to replace
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
// Once a second in main's thread: time zone files that changed are read again, and once more some
// seconds later: who replaces them replaces one after the other.
void engine_tick(struct engine *e);

// -- engine_rules.c ----------------------------------------------------------------------------
// feed's on_catalog: publishes a view of it.
void engine_on_catalog(void *ctx, const struct catalog *catalog);

// Rules and what they are read against, on their way into force. Owner: the caller, on its stack.
struct engine_rules {
    const struct conf *conf;       // NULL: the documents stay, only the atlas is another one
    const struct list_spec *specs; // lists that are being configured with them
    unsigned spec_count;
    struct atlas *atlas; // NULL: loaded by engine_rules_stage
    struct rule_sources *sources;
    struct rulebook *book;
    unsigned number; // rules_number of what they were read beside
};
// Reads and compiles; nothing has changed then. Main's thread. ERR_* with a sentence.
int engine_rules_stage(struct engine *e, struct engine_rules *r, struct err_info *info);
// Puts in force what was staged, read once more when a PUT was acknowledged meanwhile. When this
// returns 0, questions are answered by it.
int engine_rules_commit(struct engine *e, struct engine_rules *r, struct err_info *info);
void engine_rules_done(struct engine_rules *r);
// PUT /v1/rules, in feed's thread: parsed, compiled, stored, in force; or nothing has changed:
// ERR_BAD_RULES with `errors`, ERR_STORAGE, ERR_NOMEM.
int engine_put_rules(struct engine *e, unsigned tenant, struct str text,
                     struct ruleset_errors *errors, struct err_info *info);

// Answers what is in flight, then stops and frees everything. Safe after a failed engine_start.
void engine_stop(struct engine *e);
