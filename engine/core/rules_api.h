// SPDX-License-Identifier: Apache-2.0
//
// rules_api: /v1/rules: the rule set of a tenant, replaced and read. A document goes to feed's
// thread, which parses, stores and publishes it; only then is the request answered.
#pragma once

#include "engine/net/route.h"

#define RULES_API_JOBS 4 // documents under way for each worker, each up to LIMIT_RULES_BYTES

route_fn rules_api_on_put, rules_api_on_get, rules_api_on_effective;
// Frees the worker's documents that came back when its server had stopped.
struct worker;
void rules_api_jobs_done(struct worker *w);
