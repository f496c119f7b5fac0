// SPDX-License-Identifier: Apache-2.0
//
// list_api: changes to lists on their way from a request to feed and back (worker's own thread).
#pragma once

#include "engine/core/worker.h"

// Makes the worker's LIMIT_JOBS jobs. 0 or ERR_NOMEM.
int list_api_jobs_init(struct worker *w);
