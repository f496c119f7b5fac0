// SPDX-License-Identifier: Apache-2.0
//
// replay: reading the write-ahead log at the start. Every record from the snapshot's on, in order,
// without a gap, or a sentence why not.
#pragma once

#include <stdint.h>

#include "engine/base/err.h"
#include "engine/feed/store.h"
#include "engine/feed/wal.h"
#include "engine/wire/logrec.h"

struct replay {
    uint64_t from_lsn; // the snapshot's; 1 without one
    // Anything but 0 stops the replay with that error.
    int (*on_record)(void *ctx, const struct logrec *rec, struct err_info *info);
    void *ctx;
    // Results:
    uint64_t records;           // given to on_record
    uint64_t cut_bytes, cut_at; // a torn tail that was cut from the last segment
    char cut_path[STORE_DIR_BYTES + STORE_NAME_BYTES]; // "" = none
};

// `w` has dir and seed set; afterwards it stands behind the last record, ready to commit.
int replay_run(struct replay *r, struct wal *w, struct err_info *info);
// A line in the engine's log about the torn tail, when there was one.
void replay_tell(const struct replay *r);
