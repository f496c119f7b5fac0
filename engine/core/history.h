// SPDX-License-Identifier: Apache-2.0
//
// history: call reports on their way from a request to the log and back (worker's own thread).
//
// POST /ocs/history, POST /ocs/{tenant}/history. A report is acknowledged (200) when it is durable;
// so is one that nothing can be made of, which is kept as it came, since the dialer would send it
// again for ever. Anything but 200 asks for it again: 503 while the disk fails, 409 without --data.
#pragma once

#include "engine/core/worker.h"
#include "engine/net/route.h"

route_fn history_on_report;
// Makes the worker's LIMIT_JOBS jobs. 0 or ERR_NOMEM.
int history_jobs_init(struct worker *w);
void history_jobs_done(struct worker *w);
