// SPDX-License-Identifier: Apache-2.0
//
// atlas: what rules know of the world: time zones, places and packs, loaded together because places
// are joined with zones and rule sets are checked against all three. Immutable; shared by reference
// count (any thread).
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "engine/base/err.h"
#include "engine/rule/pack.h"
#include "engine/rule/places.h"
#include "engine/rule/zones.h"

struct atlas {
    atomic_uint refs;
    struct zones *zones;
    struct places *places;
    struct packs *packs;
};

// `packs_dir` NULL or "" = the built-in packs only. ERR_* with a sentence. One reference, the
// caller's. Some 30 ms.
int atlas_load(struct atlas **ret, const char *zoneinfo, const char *packs_dir,
               struct err_info *info);
struct atlas *atlas_ref(struct atlas *a);
void atlas_unref(struct atlas *a); // NULL is fine
