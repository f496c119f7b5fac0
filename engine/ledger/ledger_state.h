// SPDX-License-Identifier: Apache-2.0
//
// ledger_state: what is behind struct ledger, for the files of this room.
#pragma once

#include "engine/ledger/chunks.h"
#include "engine/ledger/index.h"
#include "engine/ledger/ledger.h"
#include "engine/ledger/reserve.h"

struct ledger {
    struct chunks chunks;
    struct index index[CHUNKS_KEYS];
    struct reserve reserve;
    // Counts of windows that begin before are unknown. Raised before anything goes, lowered after
    // it came.
    _Atomic int64_t since_s;
    int64_t lacks_s; // writer's: behind the latest attempt that found no room
    size_t attempts_max;
    uint32_t swept; // writer's: the shard that is swept next
};
