// SPDX-License-Identifier: Apache-2.0
//
// loads: from the configuration to content in force: which files are to be read, and what becomes
// of what was read. Feed thread (and feed_open).
#pragma once

#include <stdbool.h>

#include "engine/feed/feed.h"
#include "engine/feed/lists.h"

// Brings the table of lists to `specs` and asks for the files that are not in force yet. At the
// start any file that cannot be read is an error; later only that of a list without content is,
// unless it has been waiting for its file already. On failure nothing
// has changed.
int loads_configure(struct feed *f, const struct list_spec *specs, unsigned count, bool start,
                    struct err_info *info);
// Takes what the loader has finished (not while a snapshot is written: it would hold half of the
// old and half of the new content) and tries again what failed before.
void loads_run(struct feed *f);
// Whether any list's file is with the loader or waits to be put in force.
bool loads_pending(const struct feed *f);
// Frees what came too late.
void loads_drop(struct feed *f);
// Where the report of rejected rows of a list stands; "" without a data directory.
void loads_report_path(const struct feed *f, const struct lists_entry *e, char *dst,
                       size_t size_bytes);
