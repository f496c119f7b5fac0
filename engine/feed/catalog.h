// SPDX-License-Identifier: Apache-2.0
//
// catalog: which lists there are, as feed publishes it: an immutable copy for readers.
//
// Each list owns three set ids: `base` (what its file says), `added` (by the API) and `lifted`
// (base entries deleted by the API; they block nobody, they only remember). So a reload replaces
// the base alone and can neither remove nor hide an entry that was added.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/limits.h"
#include "engine/base/str.h"
#include "engine/set/set.h"
#include "engine/wire/record.h"

enum list_state {
    LIST_EMPTY,   // no file: entries by the API only; ready
    LIST_LOADING, // first load under way: a required list blocks
    LIST_READY,
    LIST_RELOADING, // in force with its old content while the new one is read
};
const char *list_state_word(enum list_state state);

// Accounting of the last load: accepted + duplicates + invalid + suppressed + skipped = rows.
struct list_rows {
    uint64_t rows, accepted, duplicates, invalid;
    uint64_t suppressed; // left out because the API lifted them
    uint64_t skipped;    // blank lines
};

struct list {
    uint16_t number;                   // stable for the life of the data directory
    char tenant[LIMIT_NAME_BYTES + 1]; // "*" = shared by all tenants
    char name[LIMIT_NAME_BYTES + 1];
    enum set_kind kind;
    enum channel channel; // CHANNEL_ANY = all
    bool required;
    enum list_state state;
    char file[512]; // "" = none
    struct list_rows rows;
    int64_t loaded_at_s; // when that load ended; 0 = never
    // When the content in force was obtained: its file's mtime. Entries by the API do not change
    // it. 0 = no file, or not known.
    int64_t obtained_at_s;
    uint64_t load_ms;
    bool from_snapshot; // the content in force was mapped, not parsed
};

static inline unsigned list_id_base(unsigned number)
{
    return 1 + 3 * number;
}
static inline unsigned list_id_added(unsigned number)
{
    return 2 + 3 * number;
}
static inline unsigned list_id_lifted(unsigned number)
{
    return 3 + 3 * number;
}

struct catalog {
    uint64_t version; // grows with each publication
    unsigned count;
    struct list list[]; // in the order they were configured, then those only the data directory has
};
