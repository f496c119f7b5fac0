// SPDX-License-Identifier: Apache-2.0
//
// run: one measured run over many pipes.
//
// Closed loop: each connection sends `pipeline` requests, waits for all answers, sends again.
// Open loop: request i is due at begin + i / rate, on connection i mod C, whether or not earlier
// ones were answered; latency counts from when it was due, so waiting is not omitted. How late the
// generator itself was is in `lag`.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "bench/load/hist.h"
#include "bench/load/pipe.h"

struct run_config {
    uint32_t address; // network byte order
    uint16_t port;
    unsigned connections, pipeline;
    double seconds, warmup_seconds;
    uint64_t rate_per_s; // 0 = closed loop
    pid_t server_pid;    // 0 = CPU time of the server is not asked
    bool verify;
    bool spin; // look for answers without sleeping
};

struct run_result {
    struct hist latency, lag;
    uint64_t answers, errors, wrong, verified, unanswered;
    double seconds;
    int64_t server_cpu_ns, client_cpu_ns; // server: -1 = unknown
};

// 0; ERR_NOMEM; ERR_SYSTEM (no connection); ERR_IO (a connection broke); ERR_TIMEOUT (nothing
// arrived for five seconds).
int run(const struct run_config *config, const struct driver *driver, struct request *request,
        struct draw *draw, struct run_result *ret);
