// SPDX-License-Identifier: Apache-2.0
//
// when_api: POST /v1/when: the intervals in which a record may be contacted, as far as lists, rules
// and the attempts known now tell.
#pragma once

#include "engine/net/route.h"

#define WHEN_API_DAYS      7   // looked at when "until" is missing
#define WHEN_API_DAYS_MAX  31  // and at most
#define WHEN_API_INTERVALS 500 // in one answer; more are cut off

route_fn when_api_on_request;
