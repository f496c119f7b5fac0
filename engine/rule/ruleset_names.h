// SPDX-License-Identifier: Apache-2.0
//
// ruleset_names: names and their numbers, a table with open addressing. Zero it first. One thread
// while it grows; the names are the caller's.
#pragma once

#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

struct ruleset_names {
    unsigned room, count;
    struct ruleset_name {
        struct str name;
        uint64_t hash;
        int number;
    } * slot;
};
// -1 when it is not there.
int ruleset_names_find(const struct ruleset_names *n, struct str name);
// The number that the name has had so far, -1 when it is new and has `number` now; ERR_NOMEM.
int ruleset_names_add(struct ruleset_names *n, struct str name, unsigned number);
void ruleset_names_done(struct ruleset_names *n);
