// SPDX-License-Identifier: Apache-2.0
//
// store: the data directory as a whole.
//
//   lock                  flock'd by the one process that uses it; holds its pid
//   seed                  32 hex digits: the seed of the keyed hashes, and a check of it
//   log-<lsn>.dgl         segments of the write-ahead log, named by their first record (wal.h)
//   snapshot-<lsn>.dg     everything before that record (snapshot.h)
//   rejected/             reports of rejected rows (rejects.h)
//   attempts/             the log of call reports (reportlog.h)
//   *.new                 under construction; deleted at the start
//
// What a crash leaves, by the moment it comes:
//   appending a record    a torn tail in the last segment: cut at the next start and reported
//   a failed fdatasync    a segment with an end nobody trusts; the next one's name says how far it
//                         counts
//   rotating              *.new, or an empty new segment
//   writing a snapshot    *.new; the old snapshot and all segments are still there
//   deleting old files    files wholly before the snapshot, deleted at the next start
//   publishing a file     the old content with the old file's identity: read again
// Anything else is damage, and stops the start with a sentence: never less than was acknowledged
// without saying so. Everything is 0600, directories 0700.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"

// Room that a file's name takes behind the directory's.
#define STORE_NAME_BYTES 192
#define STORE_DIR_BYTES  1024
#define STORE_ATTEMPTS   "attempts"

struct store {
    char dir[STORE_DIR_BYTES];
    int lock_fd; // -1 = closed
    uint64_t seed;
    bool fresh; // nothing was ever acknowledged here
};

// Makes the directory, locks it (ERR_LOCKED), clears what is unfinished, reads or makes the seed.
// A fresh directory gets the first segment (record 1) of both logs, which are there before the
// seed.
int store_open(struct store *s, const char *dir, struct err_info *info);
void store_close(struct store *s);

// The numbers of all DIR/<prefix><20 digits><suffix>, ascending; the caller frees *ret_lsns.
int store_list(const char *dir, const char *prefix, const char *suffix, uint64_t **ret_lsns,
               unsigned *ret_count, struct err_info *info);
// Deletes snapshots older than `lsn` and segments wholly before it. Failures are left for the next
// time: such files are only in the way.
void store_clear_before(const char *dir, uint64_t lsn);
