// SPDX-License-Identifier: Apache-2.0
//
// snapshot: all lists and sets in one file, DIR/snapshot-<lsn>.dg (wire/snapfile.h): everything
// that records before <lsn> did, and perhaps some of what later ones did, so the log is replayed
// from <lsn> on. It is written beside the running engine and stands there complete or not at all.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/qsbr.h"
#include "engine/set/set.h"
#include "engine/wire/snapfile.h"

#define SNAPSHOT_PREFIX "snapshot-"
#define SNAPSHOT_SUFFIX ".dg"

void snapshot_path(char *dst, size_t size_bytes, const char *dir, uint64_t lsn);

struct snapshot {
    const char *dir;             // borrowed
    uint64_t lsn;                // a segment begins there
    struct snapfile_list *lists; // owned by who made it
    unsigned list_count;
    const atomic_bool *stop; // gives up early; NULL = never
    // Results:
    int err;
    struct err_info info;
    uint64_t size_bytes;
};
// Writes it, then deletes older snapshots and segments. Any one thread, `me` asleep before and
// after. On failure nothing has changed.
int snapshot_write(struct snapshot *s, const struct set *set, struct qsbr_reader *me);

// The newest snapshot mapped: head and list table are checked, the body when it is read.
// *ret_bytes stays mapped until snapshot_unmap. A directory without any gives {NULL, 0}.
int snapshot_map(const char *dir, uint64_t seed, struct snapfile *ret, struct str *ret_bytes,
                 struct err_info *info);
// Fills the empty set from it.
int snapshot_load(struct snapfile *f, const char *dir, struct set *set, struct err_info *info);
void snapshot_unmap(struct str bytes);
