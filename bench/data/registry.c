// SPDX-License-Identifier: Apache-2.0
#include "bench/data/registry.h"

#include <assert.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/base/rand.h"
#include "engine/base/str.h"

#define HALF   100 // 100 x 100 = the subscribers, so that a Feistel network needs no cycle walking
#define ROUNDS 4

static_assert(HALF * HALF == REGISTRY_SUBSCRIBERS, "the halves make up a subscriber");

// splitmix64's finaliser
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9;
    x ^= x >> 27;
    x *= 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static uint64_t exchange_key(const struct registry *r, unsigned code)
{
    return mix(r->seed ^ mix(code + 0x9e3779b97f4a7c15));
}

static unsigned round_value(uint64_t key, unsigned round, unsigned half)
{
    uint64_t x = key + (round * HALF + half + 1) * 0x9e3779b97f4a7c15;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93;
    return (unsigned)((x >> 32) * HALF >> 32);
}

static unsigned rank_of(const struct registry *r, unsigned code, unsigned subscriber)
{
    uint64_t key = exchange_key(r, code);
    unsigned left = subscriber / HALF, right = subscriber % HALF;
    for (unsigned round = ROUNDS; round-- > 0;) {
        unsigned before = (right + HALF - round_value(key, round, left)) % HALF;
        right = left;
        left = before;
    }
    return left * HALF + right;
}

unsigned registry_subscriber(const struct registry *r, unsigned exchange_code, unsigned rank)
{
    uint64_t key = exchange_key(r, exchange_code);
    unsigned left = rank / HALF, right = rank % HALF;
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned next = (left + round_value(key, round, right)) % HALF;
        left = right;
        right = next;
    }
    return left * HALF + right;
}

static unsigned areas_all(uint16_t dst[REGISTRY_AREAS_MAX])
{
    unsigned n = 0;
    for (unsigned npa = 200; npa < 1000; npa++) {
        if (npa / 10 % 10 != 9 && npa % 100 != 11) dst[n++] = (uint16_t)npa;
    }
    return n;
}

static bool fits(uint64_t count, unsigned areas)
{
    return areas >= 1 && areas <= REGISTRY_AREAS_MAX &&
           count <= (uint64_t)areas * REGISTRY_EXCHANGES * REGISTRY_SUBSCRIBERS;
}

// `area_index` says which areas: 0 or -1.
static void begin(struct registry *r, uint64_t seed, uint64_t count)
{
    unsigned n = 0;
    for (unsigned npa = 0; npa < 1000; npa++) {
        if (r->area_index[npa] < 0) continue;
        r->area_index[npa] = (int16_t)n;
        r->area[n++] = (uint16_t)npa;
    }
    r->seed = seed;
    r->count = count;
    r->area_count = n;
    r->exchange_count = (uint64_t)n * REGISTRY_EXCHANGES;
}

bool registry_init(struct registry *r, uint64_t seed, uint64_t count, unsigned areas)
{
    if (!fits(count, areas)) return false;

    uint16_t all[REGISTRY_AREAS_MAX];
    CHECK(areas_all(all) == REGISTRY_AREAS_MAX);
    struct rand rnd;
    rand_seed(&rnd, seed);
    for (unsigned i = 0; i < areas; i++) {
        unsigned j = i + (unsigned)rand_below(&rnd, REGISTRY_AREAS_MAX - i);
        uint16_t swap = all[i];
        all[i] = all[j];
        all[j] = swap;
    }
    *r = (struct registry){0};
    memset(r->area_index, 0xff, sizeof r->area_index);
    for (unsigned i = 0; i < areas; i++) r->area_index[all[i]] = 0;
    begin(r, seed, count);
    return true;
}

// The next code of a text, 0 when there is none.
static unsigned code_next(const char **at)
{
    unsigned code = 0;
    for (; str_is_digit(**at) && code < 1000; (*at)++) code = code * 10 + (unsigned)(**at - '0');
    if (**at == ',' && (*at)[1] != '\0') (*at)++;
    return code >= 200 && code < 1000 && code / 10 % 10 != 9 && code % 100 != 11 ? code : 0;
}

bool registry_init_codes(struct registry *r, uint64_t seed, uint64_t count, const char *codes)
{
    unsigned n = 0;
    *r = (struct registry){0};
    memset(r->area_index, 0xff, sizeof r->area_index);
    while (*codes != '\0') {
        unsigned code = code_next(&codes);
        if (code == 0 || r->area_index[code] == 0) return false;
        r->area_index[code] = 0;
        n++;
    }
    if (!fits(count, n)) return false;
    begin(r, seed, count);
    return true;
}

unsigned registry_exchange_code(const struct registry *r, uint64_t exchange)
{
    return r->area[exchange / REGISTRY_EXCHANGES] * 1000u + 200u +
           (unsigned)(exchange % REGISTRY_EXCHANGES);
}

static uint64_t share_begin(const struct registry *r, uint64_t count, uint64_t exchange)
{
    return exchange * count / r->exchange_count;
}

unsigned registry_share(const struct registry *r, uint64_t count, uint64_t exchange)
{
    return (unsigned)(share_begin(r, count, exchange + 1) - share_begin(r, count, exchange));
}

bool registry_has(const struct registry *r, uint64_t number)
{
    if (number < 2000000000 || number > 9999999999) return false;
    unsigned code = (unsigned)(number / REGISTRY_SUBSCRIBERS);
    int area = r->area_index[code / 1000];
    if (area < 0 || code % 1000 < 200) return false;
    uint64_t exchange = (uint64_t)area * REGISTRY_EXCHANGES + code % 1000 - 200;
    return rank_of(r, code, (unsigned)(number % REGISTRY_SUBSCRIBERS)) <
           registry_share(r, r->count, exchange);
}

uint64_t registry_at(const struct registry *r, uint64_t index)
{
    // the last exchange whose share begins at or before the index
    uint64_t exchange = ((index + 1) * r->exchange_count - 1) / r->count;
    unsigned code = registry_exchange_code(r, exchange);
    unsigned rank = (unsigned)(index - share_begin(r, r->count, exchange));
    return (uint64_t)code * REGISTRY_SUBSCRIBERS + registry_subscriber(r, code, rank);
}
