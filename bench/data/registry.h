// SPDX-License-Identifier: Apache-2.0
//
// registry: a do-not-call registry that is a pure function of (seed, count, areas).
//
// Numbers are valid NANP: area codes [2-9][0-8]X that are not N11, chosen by the seed; exchanges
// 200 to 999; subscribers 0000 to 9999. The count is spread evenly over all exchanges, and inside
// an exchange a seeded permutation of the 10,000 subscribers says which come first. So membership
// of any number is known without the file, and the complement can be drawn from as surely.
// 335 areas (about what is assigned in the NANP) hold 2.68 thousand million numbers. Where it
// matters what lies where, the areas are named instead.
//
// Pure functions over an initialised struct; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define REGISTRY_AREAS_DEFAULT 335
#define REGISTRY_AREAS_MAX     712   // 8 x 9 x 10 less the eight N11
#define REGISTRY_EXCHANGES     800   // of one area: 200 to 999
#define REGISTRY_SUBSCRIBERS   10000 // of one exchange

struct registry {
    uint64_t seed;
    uint64_t count;
    uint64_t exchange_count; // areas x 800, in ascending order of NPA-NXX
    unsigned area_count;
    uint16_t area[REGISTRY_AREAS_MAX]; // ascending
    int16_t area_index[1000];          // -1: not one of ours
};

// False when the areas are not 1 … 712 or `count` does not fit into them.
bool registry_init(struct registry *r, uint64_t seed, uint64_t count, unsigned areas);
// Over the area codes of a text instead ("212,312"). False for one that is not valid or comes
// twice.
bool registry_init_codes(struct registry *r, uint64_t seed, uint64_t count, const char *codes);
// Is the ten-digit number on it?
bool registry_has(const struct registry *r, uint64_t number);
// The index-th number on it, index < count: every number once, ascending by exchange.
uint64_t registry_at(const struct registry *r, uint64_t index);

// -- one exchange, 0 … exchange_count-1 --------------------------------------------------------
// NPA-NXX as six digits.
unsigned registry_exchange_code(const struct registry *r, uint64_t exchange);
// How many of `count` things spread evenly fall to this exchange (count: the registry's own, or
// how many absent numbers are wanted).
unsigned registry_share(const struct registry *r, uint64_t count, uint64_t exchange);
// The subscriber (0 … 9999) of a rank: ranks below the exchange's share are on the registry, the
// others are not. A bijection.
unsigned registry_subscriber(const struct registry *r, unsigned exchange_code, unsigned rank);
