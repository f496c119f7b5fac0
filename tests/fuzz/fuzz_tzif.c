// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a TZif file: a zone whose changes are in order and hold from one to the next, or an
// error. The same bytes as the POSIX TZ string of a footer. The corpus: five zones of tzdata 2025b
// (public domain), one of its "right" ones, and made-up files.
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/rule/zones_tzif.h"
#include "tests/fuzz/fuzz.h"

#define DAY_S 86400

static void check_from(const struct zones_tzif *t, int64_t at_s)
{
    for (int i = 0; i < 40; i++) {
        struct zone_offset o = zones_tzif_at(t, at_s), before;

        CHECK(o.from_s <= at_s && at_s < o.until_s);
        CHECK(abs(o.offset_s) < 26 * 3600);
        if (o.until_s == INT64_MAX) return;
        before = zones_tzif_at(t, o.until_s - 1);
        CHECK(before.offset_s == o.offset_s && before.until_s == o.until_s);
        at_s = o.until_s;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make((const char *)data, size);
    struct zones_footer footer;
    struct zones_tzif t;

    if (zones_footer_parse(text, &footer))
        for (int64_t year = -3; year < 20; year++)
            zones_footer_at(&footer, (year * 366 * 30 + (int64_t)size) * DAY_S);
    if (zones_tzif_read(&t, text, NULL) != 0) return 0;
    check_from(&t, INT64_MIN);
    check_from(&t, 0);
    check_from(&t, (int64_t)40000 * DAY_S);
    check_from(&t, INT64_MAX - 1);
    zones_tzif_done(&t);
    return 0;
}
