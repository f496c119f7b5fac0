// SPDX-License-Identifier: Apache-2.0
//
// options: the command line of `load`.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/data/bodies.h"

struct options {
    const char *host, *protocol, *path, *body, *scenario, *tool;
    const char *check_file, *expect, *fill_file, *capture_file, *codes;
    uint64_t port, connections, pipeline, batch, rate, hit_percent, keys;
    uint64_t count, seed, areas, key_seed, pid, limit;
    double seconds, warmup;
    bool verify, spin;
};

// False when they make no sense; says why on standard error.
bool options_read(struct options *o, int argc, char **argv);
void options_usage(FILE *to);
