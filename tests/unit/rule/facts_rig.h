// SPDX-License-Identifier: Apache-2.0
//
// facts_rig: a plan without rules, records as text, and facts as words, for the tests of facts.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/rule/facts.h"
#include "engine/wire/number.h"

#define DEVICE  (1u << ZONE_DEVICE)
#define POSTAL  (1u << ZONE_POSTAL_CODE)
#define STATE   (1u << ZONE_STATE)
#define CONTACT (1u << ZONE_CONTACT)
#define ALL     (DEVICE | POSTAL | STATE | CONTACT)
#define US_ZONES                                                                                   \
    "America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles "         \
    "America/Anchorage America/Adak Pacific/Honolulu"
#define EASTERN  12125550100
#define CENTRAL  13125550100
#define MOUNTAIN 13035550100
#define PACIFIC  14155550100
#define UNKNOWN  13705550100 // no area code yet
#define TOLLFREE 18005550100

static struct zones *zones;
static struct places *places;
static struct record_keys *keys;
static struct record record;
static struct ruleset set;
static struct rule_plan plan;
static struct facts f;

static inline int set_up(void **state)
{
    struct err_info info;

    (void)state;
    keys = record_keys_new(FIELD_COUNT);
    if (keys && zones_load(&zones, ZONES_DEFAULT, &info) == 0 &&
        places_new(&places, zones, &info) == 0)
        return 0;
    fprintf(stderr, "%s\n", info.text);
    return -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    expr_pool_done(&set.expr);
    record_keys_free(keys);
    places_free(places);
    zones_free(zones);
    return 0;
}

static inline void read_record(const char *text)
{
    enum reason reason;

    memset(&record, 0xaa, sizeof record); // what an earlier record left
    if (!record_parse(&record, str_of(text), keys, &reason)) fail_msg("no record: %s", text);
}

static inline void look_from(const char *home, uint64_t device, const char *text)
{
    plan.set = &set;
    plan.places = places;
    plan.zones = zones;
    plan.default_country = (uint16_t)places_country(places, str_of(home));
    plan.subject_slot = plan.disposition_slot = -1;
    read_record(text);
    memset(&f, 0xaa, sizeof f);
    facts_from_record(&f, &plan, &record, device);
}

static inline void look(uint64_t device, const char *text)
{
    plan.test_count = 0;
    look_from("US", device, text);
}

// The zones that count for these sources, each once, in the order of tzdata.
static inline const char *zones_of(unsigned from)
{
    static char text[2048];
    bool counts[ZONES_MAX] = {false};
    const struct zone_set *of;
    struct buf b;

    for (unsigned i = 0; (of = facts_zones(&f, from, &i));)
        for (unsigned k = 0; k < of->count; k++) counts[of->zone[k]] = true;
    buf_wrap(&b, text, sizeof text - 1);
    for (unsigned i = 0; i < zones_count(zones); i++)
        if (counts[i]) buf_printf(&b, "%s%s", b.size_bytes ? " " : "", zones_name(zones, i));
    assert_false(b.failed);
    text[b.size_bytes] = 0;
    return text;
}

static inline unsigned count_of(const uint64_t *bits, unsigned words)
{
    unsigned count = 0;

    for (unsigned i = 0; i < words; i++) count += (unsigned)__builtin_popcountll(bits[i]);
    return count;
}

// "US US-NY US-TX"; more than six regions are "US …56".
static inline const char *at(void)
{
    static char text[512];
    unsigned regions = count_of(f.at.regions, ATTEMPT_REGION_WORDS);
    struct buf b;

    buf_wrap(&b, text, sizeof text - 1);
    for (unsigned i = 0; i < PLACES_COUNTRIES_MAX; i++)
        if (places_has(f.at.countries, i))
            buf_printf(&b, "%s%s", b.size_bytes ? " " : "", places_country_code(places, i));
    if (regions > 6) buf_printf(&b, " …%u", regions);
    for (unsigned i = 0; regions <= 6 && i < PLACES_REGIONS_MAX; i++)
        if (places_has(f.at.regions, i)) buf_printf(&b, " %s", places_region_code(places, i));
    assert_false(b.failed);
    text[b.size_bytes] = 0;
    return text;
}
