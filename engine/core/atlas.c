// SPDX-License-Identifier: Apache-2.0
#include "engine/core/atlas.h"

#include <stdlib.h>

#include "engine/base/check.h"

int atlas_load(struct atlas **ret, const char *zoneinfo, const char *packs_dir,
               struct err_info *info)
{
    struct atlas *a = calloc(1, sizeof *a);
    int err;

    if (!a) return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    atomic_init(&a->refs, 1);
    err = zones_load(&a->zones, zoneinfo, info);
    if (!err) err = places_new(&a->places, a->zones, info);
    if (!err) err = packs_load(&a->packs, packs_dir && packs_dir[0] ? packs_dir : NULL, info);
    if (err)
        atlas_unref(a);
    else
        *ret = a;
    return err;
}

struct atlas *atlas_ref(struct atlas *a)
{
    atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
    return a;
}

void atlas_unref(struct atlas *a)
{
    if (!a) return;
    if (atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) > 1) return;
    if (a->packs) packs_free(a->packs);
    if (a->places) places_free(a->places);
    if (a->zones) zones_free(a->zones);
    free(a);
}
