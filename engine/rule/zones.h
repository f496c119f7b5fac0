// SPDX-License-Identifier: Apache-2.0
//
// zones: the time zones of the system's tzdata (TZif files, RFC 9636), read by ourselves because
// the C library's are one per process and cannot be reloaded. Immutable once loaded: any thread.
//
// A zone is a small number, good for this `struct zones` only: zones of zone.tab first, then every
// other name tzdata has (links keep their own name and the same rules), then the fixed offsets
// -12:00 … +14:00 in steps of 15 minutes. Instants are epoch seconds. Offsets are seconds east.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

#define ZONES_MAX     1024 // 448 of zone.tab, some 250 links and old names, 105 offsets
#define ZONES_NONE    UINT16_MAX
#define ZONES_DEFAULT "/usr/share/zoneinfo" // where Debian's tzdata is

struct zones;

// Zones that a piece of evidence leaves possible. Sorted, no duplicates.
struct zone_set {
    uint16_t count;
    uint16_t zone[];
};

// Reads `dir` whole: zone.tab, tzdata.zi (for the version and names of links) and a TZif file a
// name. ERR_IO, ERR_CORRUPT with a sentence: "… try: apt-get install tzdata". Some 20 ms. A file of
// a name outside zone.tab that cannot be read costs that name only.
int zones_load(struct zones **ret, const char *dir, struct err_info *info);
void zones_free(struct zones *z);
// Have the files changed since? (stat of tzdata.zi and zone.tab; false when they are gone)
bool zones_changed(const struct zones *z);

const char *zones_version(const struct zones *z); // "2026f", or "unknown"
// Another number for every load of this process, never 0: an address may come again.
uint64_t zones_serial(const struct zones *z);
unsigned zones_count(const struct zones *z);
const char *zones_name(const struct zones *z, unsigned zone);
// By IANA name, any case. ZONES_NONE when there is none.
uint16_t zones_find(const struct zones *z, struct str name);
// The pseudo zone "UTC-07:00" of a fixed offset; ZONES_NONE when it is no multiple of 15 minutes or
// out of range.
uint16_t zones_fixed(const struct zones *z, int32_t offset_s);
// All zones of a country of zone.tab (ISO 3166 alpha-2, upper case); NULL when it has none.
const struct zone_set *zones_of_country(const struct zones *z, struct str country);
// The set of that one zone. Never NULL.
const struct zone_set *zones_only(const struct zones *z, uint16_t zone);

// What is in force at an instant, and how long: the same offset for from_s <= t < until_s
// (INT64_MIN and INT64_MAX where it has no end). Beyond the file's last transition its footer
// rules.
struct zone_offset {
    int32_t offset_s;
    int64_t from_s, until_s;
};
struct zone_offset zones_offset(const struct zones *z, unsigned zone, int64_t at_s);
