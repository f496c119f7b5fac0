// SPDX-License-Identifier: Apache-2.0
//
// reports: call reports, durable before they are acknowledged, and the ledger's only writer.
//
// One thread of its own: takes what is queued, appends it to its own log (DIR/attempts/, wal.h)
// with one fdatasync, applies it to the ledger, answers. A start replays the log. Segments wholly
// older than the retention are deleted; there are no snapshots. When a rule set with a longer
// window comes, or the clock was ahead, what is still on disk is read again (backfill); until then
// counts of that time are unknown.
//
// A report that no attempt can be made of is kept as text for a person, with a line before it that
// says why: LIMIT_REPORT_RAW_BYTES of it, and LIMIT_REPORT_RAW_HOUR of all in an hour; of further
// ones that line only. To read them: strings -n 8 DIR/attempts/log-*.dgl
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/qsbr.h"
#include "engine/base/queue.h"
#include "engine/ledger/ledger.h"

struct reports;

struct reports_config {
    const char *data_dir; // NULL: nothing can be kept: every report gets ERR_NOT_DURABLE and every
                          // count is unknown
    uint64_t seed;        // of the data directory
    unsigned retention_s; // kept on disk at least this long (option attempts_retention_days)
    // The longest window of the rule sets in force at the start; 0 = not known yet: memory takes
    // all that is kept on disk until reports_set_window says less.
    unsigned window_s;
    struct ledger_limits limits;
};

// Opens or makes the log, replays it (progress in the log lines), starts the thread. Failures are
// sentences that say what to do. *ret_ledger is owned by reports.
int reports_open(struct reports **ret, const struct reports_config *config, struct qsbr *q,
                 struct ledger **ret_ledger, struct err_info *info);
// Finishes what was taken, then frees everything. No reader of the ledger may be left.
void reports_close(struct reports *r);
// The longest window of all rule sets in force; memory keeps that long (and a margin). Any thread.
void reports_set_window(struct reports *r, unsigned window_s);

// Owned by the caller, lent from reports_submit until on_done.
struct report_job {
    struct queue_node node;
    bool quarantined;       // no attempt could be made of it: `raw` is kept, durable, for a person
    struct attempt attempt; // otherwise
    struct str raw;         // of a quarantined one, lent: a line that says why, and the report
    // Results, written before on_done. A report that is durable and that memory has no room for is
    // no error: the counts that lack it are unknown.
    int err;     // 0, ERR_STORAGE, ERR_NOT_DURABLE, ERR_CLOSED
    int applied; // enum ledger_applied
    // In the reports thread, or in the caller's (ERR_NOT_DURABLE, ERR_CLOSED); must only pass it
    // on.
    void (*on_done)(struct report_job *job);
};
// Any thread. on_done is called exactly once.
void reports_submit(struct reports *r, struct report_job *job);
