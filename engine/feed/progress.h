// SPDX-License-Identifier: Apache-2.0
//
// progress: how far a load is, for people. On a terminal one line redrawn at most five times a
// second; elsewhere a log line at the start, every ten seconds and at the end. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *subject; // "list national", borrowed
    bool terminal, drawn;
    uint64_t total_bytes;
    int64_t start_ns, next_ns;
};

void progress_start(struct progress *p, const char *subject, bool terminal, uint64_t total_bytes);
// "7.6 M rows/s", "41 k rows/s", "12 rows/s".
#define PROGRESS_RATE_SIZE 32
void progress_rate(char dst[PROGRESS_RATE_SIZE], uint64_t rows, double seconds);
void progress_step(struct progress *p, uint64_t done_bytes, uint64_t rows, uint64_t rejected);
// Takes the redrawn line away. Returns the milliseconds since the start, at least 1.
uint64_t progress_end(struct progress *p);
