// SPDX-License-Identifier: Apache-2.0
//
// ask: what is done with one connection, one request at a time, waiting for each answer.
#pragma once

#include <stdint.h>

#include "bench/load/driver.h"

// Asks every number of a list file (either form registry-gen writes) over `driver`, `w->batch` a
// request, and counts the verdicts.
struct ask_count {
    uint64_t asked, listed, unlisted, other;
    uint64_t first_unexpected_line; // 0 = none
};
int ask_file(const char *path, uint64_t limit, bool expect_listed, const struct driver *driver,
             const struct workload *w, uint32_t address, uint16_t port, struct ask_count *ret);

// SADDs every number of a list file to the set "n".
int ask_fill(const char *path, uint64_t limit, uint32_t address, uint16_t port,
             uint64_t *ret_count);

// Sends one request for `keys` and writes the raw answer to a file. The size of both.
int ask_capture(const char *path, const struct driver *driver, struct request *request,
                const struct key *keys, uint32_t address, uint16_t port, size_t *ret_answer_size);
