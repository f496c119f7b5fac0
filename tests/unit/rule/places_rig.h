// SPDX-License-Identifier: Apache-2.0
//
// places_rig: the built-in tables joined with the system's tzdata, and places as words, for the
// tests of places.
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
#include "engine/rule/places_part.h"

#define NONE ((struct str){NULL, 0})

static struct zones *zones;
static struct places *places;

static inline int set_up(void **state)
{
    struct err_info info;

    (void)state;
    if (zones_load(&zones, ZONES_DEFAULT, &info) == 0 && places_new(&places, zones, &info) == 0)
        return 0;
    fprintf(stderr, "%s\n", info.text);
    return -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    places_free(places);
    places_free(NULL);
    zones_free(zones);
    return 0;
}

// "US-IN: America/Chicago …", or "nothing".
static inline const char *words(const struct place *place)
{
    static char text[4096];
    struct buf b;

    buf_wrap(&b, text, sizeof text - 1);
    if (!place) buf_lit(&b, "nothing");
    for (unsigned i = 0; place && i < PLACES_COUNTRIES_MAX; i++)
        if (places_has(place->at.countries, i))
            buf_printf(&b, "%s ", places_country_code(places, i));
    for (unsigned i = 0; place && i < PLACES_REGIONS_MAX; i++)
        if (places_has(place->at.regions, i)) buf_printf(&b, "%s ", places_region_code(places, i));
    for (unsigned i = 0; place && place->zones && i < place->zones->count; i++)
        buf_printf(&b, "%s ", zones_name(zones, place->zones->zone[i]));
    while (b.size_bytes && text[b.size_bytes - 1] == ' ') b.size_bytes--;
    assert_false(b.failed);
    text[b.size_bytes] = 0;
    return text;
}

static inline const char *number(uint64_t device)
{
    return words(places_of_device(places, device));
}

static inline const char *postal(const char *country, const char *code)
{
    return words(places_of_postal_code(places, str_of(country), str_of(code)));
}

static inline const char *region(const char *country, const char *code)
{
    return words(places_of_region(places, str_of(country), str_of(code)));
}

static inline const char *country(const char *text)
{
    return words(places_of_country(places, str_of(text)));
}
