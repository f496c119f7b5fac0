// SPDX-License-Identifier: Apache-2.0
//
// wal: appending to the write-ahead log: segments DIR/log-<first lsn>.dgl (wire/logrec.h).
//
// A commit is one write and one fdatasync; only then is it durable. When the write fails, the
// segment is cut back to its last good end. After a failed fdatasync nobody knows what the disk
// holds, so that segment is never written again: the next commit begins a new one, whose first lsn
// tells a replay where to leave the old one. Room on the disk is taken some MiB ahead, behind the
// file's end, so that a commit seldom allocates. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

struct wal {
    const char *dir; // borrowed
    uint64_t seed;
    int fd;
    bool broken;         // the segment cannot be trusted: begin a new one first
    uint64_t first_lsn;  // of the segment under way
    uint64_t next_lsn;   // of the next record
    uint64_t good_bytes; // its durable end
    uint64_t room_bytes; // where its room on the disk ends; 0 = none was taken
    uint64_t old_bytes;  // in older segments that no snapshot covers yet
};

// "DIR/log-00000000000000000001.dgl"
void wal_path(char *dst, size_t size_bytes, const char *dir, uint64_t first_lsn);
// Begins the segment `next_lsn`, durable with its name, and leaves the old one. When it fails the
// old one goes on, unless the new one has its name already: then a commit tries again first.
int wal_rotate(struct wal *w, struct err_info *info);
// Makes `frames` (`count` records from next_lsn on) durable. 0 or ERR_STORAGE, then nothing of them
// will be replayed, unless the machine dies before the segment could be cut.
int wal_commit(struct wal *w, struct str frames, unsigned count, struct err_info *info);
// All bytes that a start would replay.
uint64_t wal_bytes(const struct wal *w);
void wal_close(struct wal *w);
