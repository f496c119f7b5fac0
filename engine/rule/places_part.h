// SPDX-License-Identifier: Apache-2.0
//
// places_part: what places.c, places_read.c and places_pool.c share. For these files and the test
// of damaged tables only.
#pragma once

#include "engine/base/hash.h"
#include "engine/rule/builtin.h"
#include "engine/rule/places.h"

#define PLACES_POOL_MAX  4096 // different places; the tables make some 1300
#define PLACES_SETS_MAX  2048 // different sets of zones; some 700
#define PLACES_WORDS_MAX 16384
#define PLACES_NAMES_MAX 4096 // slots of the table of names, a power of two; some 1300 are taken
#define PLACES_TEXT_MAX  32768
#define PLACES_NAME_MAX  64        // bytes of a name
#define PLACES_SET_MAX   256       // zones of one set
#define PLACES_HOME_MAX  32        // clocks of the US and Canada, some 14
#define PLACES_NODES_MAX 8192      // of the tree of prefixes
#define PLACES_ZIPS_MAX  4096      // ranges of ZIP codes
#define PLACES_AREA(c)   ((c)-200) // of an area code or exchange, 200 … 999

// What a name is a name of.
enum { PLACES_NAME_COUNTRY, PLACES_NAME_ZONE, PLACES_NAME_REGION }; // REGION + country, 0 = any

struct places_name {
    const char *text; // folded; NULL = free
    uint16_t size, space;
    const void *value; // struct place, or struct zone_set of a zone's name
};

struct places_zip {
    uint32_t first, last;
    const struct place *place;
};

// A digit further into the beginning of a number. 0 = none.
struct places_node {
    uint16_t next[10];
    const struct place *place;
};

struct places {
    const struct zones *zones;
    // Every place and set once; nothing moves.
    struct place place[PLACES_POOL_MAX];
    unsigned place_count;
    struct zone_set *set[PLACES_SETS_MAX];
    unsigned set_count;
    uint16_t words[PLACES_WORDS_MAX]; // the sets themselves
    unsigned word_count;
    uint16_t same[ZONES_MAX]; // the first zone that keeps the same time
    // Clocks of the US and Canada by number from 1, and the set of any two of them.
    uint8_t home[ZONES_MAX];
    const struct zone_set *pair[PLACES_HOME_MAX][PLACES_HOME_MAX];

    struct places_name name[PLACES_NAMES_MAX];
    unsigned name_count;
    char text[PLACES_TEXT_MAX];
    unsigned text_size;

    uint8_t iso[26 * 26]; // country of two letters
    char country_code[PLACES_COUNTRIES_MAX][3];
    const struct place *country[PLACES_COUNTRIES_MAX];
    char region_code[PLACES_REGIONS_MAX][8];
    const struct place *region[PLACES_REGIONS_MAX];
    uint64_t country_regions[PLACES_COUNTRIES_MAX][ATTEMPT_REGION_WORDS];

    const struct place *area[800];
    const struct place **exchange[800]; // of those in two zones; [800] each
    struct places_node node[PLACES_NODES_MAX];
    unsigned node_count;
    struct places_zip zip[PLACES_ZIPS_MAX];
    unsigned zip_count;
    const struct place *zip_prefix[1000]; // all that its ZIP codes leave possible
    const struct place *canada[26], *fsa[26][10][26];
};

// Like places_new, from tables of one's own.
int places_read(struct places **ret, const struct zones *zones, const struct builtin_file *files,
                struct err_info *info);

// -- places_pool.c ------------------------------------------------------------------------------
// Finds out which zones keep the same time in the years around now.
void places_pool_same(struct places *p);
// Sets that no table has and places_zones_either may need. False when the pool is full.
bool places_pool_more(struct places *p);
// The set of these zones, one of those that keep the same time; NULL when the pool is full or
// `count` is 0.
const struct zone_set *places_pool_set(struct places *p, const uint16_t *zones, unsigned count);
const struct place *places_pool_place(struct places *p, const struct place *place);
// What either says. `a` may be NULL.
const struct place *places_pool_join(struct places *p, const struct place *a,
                                     const struct place *b);
// False when it is too long or the table is full. A name that is there gets the new value.
bool places_pool_name(struct places *p, unsigned space, struct str name, const void *value);
const void *places_pool_find(const struct places *p, unsigned space, struct str name);
