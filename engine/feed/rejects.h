// SPDX-License-Identifier: Apache-2.0
//
// rejects: the report of rejected rows, CSV "line,column,reason,value" with masked values, spooled
// while a file is read. A report that cannot be written is counted on, warned about once, and never
// stops a load. One thread.
#pragma once

#include <linux/limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/feed/listfile.h"

#define REJECTS_FIRST 3 // that many are named in the log

struct rejects {
    int fd;              // -1 before the first reject, and after a failure
    char path[PATH_MAX]; // where the report will stand; "" = an unlinked temporary file
    bool failed;
    uint64_t total, count[REJECT_COUNT];
    uint64_t first_line[REJECTS_FIRST];
    enum reject first_reason[REJECTS_FIRST];
    size_t used_bytes;
    char buffer[1 << 16];
};

// `path` NULL: no data directory.
void rejects_init(struct rejects *r, const char *path);
void rejects_add(struct rejects *r, const struct listfile_reject *reject);
// Ends the report: it replaces the one at `path` (which goes away when nothing was rejected), or
// without a path *ret_fd is its descriptor, the caller's (-1 when there is none).
void rejects_end(struct rejects *r, const char *subject, int *ret_fd);
// Drops what was spooled.
void rejects_drop(struct rejects *r);
// One line with the counts by reason, one with the first rejected lines.
void rejects_log(const struct rejects *r, const char *subject, const char *list_name);
