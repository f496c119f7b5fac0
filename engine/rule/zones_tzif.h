// SPDX-License-Identifier: Apache-2.0
//
// zones_tzif: one zone's history, read from a TZif file (RFC 9636, versions 1 to 4). The file is
// not trusted: whatever it holds gives a zone or an error. Immutable once read. For zones_*.c only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/rule/zones.h"
#include "engine/rule/zones_footer.h"

#define ZONES_TZIF_SIZE_MAX  ((size_t)256 << 10) // the largest of tzdata has 4 KiB
#define ZONES_TZIF_COUNT_MAX 20000               // transitions

struct zones_tzif {
    unsigned count;    // of changes
    int64_t *at_s;     // [count], ascending
    int32_t *offset_s; // [count + 1]: before the first change, then from each on
    int64_t last_s;    // the file's last transition; the footer rules from then on
    bool has_footer;
    struct zones_footer footer;
};

// ERR_CORRUPT, ERR_NOMEM with a sentence that does not know the file's name. A file with leap
// seconds ("right/…") is refused: its instants are not epoch seconds.
int zones_tzif_read(struct zones_tzif *t, struct str data, struct err_info *info);
// The same offset always.
int zones_tzif_fixed(struct zones_tzif *t, int32_t offset_s);
void zones_tzif_done(struct zones_tzif *t);
struct zone_offset zones_tzif_at(const struct zones_tzif *t, int64_t at_s);
