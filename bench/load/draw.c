// SPDX-License-Identifier: Apache-2.0
#include "bench/load/draw.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/err.h"
#include "engine/base/rand.h"

static uint64_t number_absent(const struct registry *r, struct rand *rnd)
{
    for (;;) {
        uint64_t exchange = rand_below(rnd, r->exchange_count);
        unsigned rank = (unsigned)rand_below(rnd, REGISTRY_SUBSCRIBERS);
        if (rank < registry_share(r, r->count, exchange)) continue;
        unsigned code = registry_exchange_code(r, exchange);
        return (uint64_t)code * REGISTRY_SUBSCRIBERS + registry_subscriber(r, code, rank);
    }
}

int draw_init(struct draw *k, const struct registry *r, uint32_t count, unsigned hit_percent,
              uint64_t seed)
{
    CHECK(count > 0 && hit_percent <= 100);
    struct key *pool = malloc((size_t)count * sizeof *pool);
    if (pool == NULL) return ERR_NOMEM;
    struct rand rnd;
    rand_seed(&rnd, seed);
    for (uint32_t i = 0; i < count; i++) {
        bool listed = r->count > 0 && rand_below(&rnd, 100) < hit_percent;
        uint64_t number =
            listed ? registry_at(r, rand_below(&rnd, r->count)) : number_absent(r, &rnd);
        pool[i].listed = listed;
        for (unsigned at = sizeof pool[i].digits; at-- > 0; number /= 10) {
            pool[i].digits[at] = (char)('0' + number % 10);
        }
    }
    *k = (struct draw){.pool = pool, .count = count};
    return 0;
}

void draw_done(struct draw *k)
{
    free(k->pool);
    *k = (struct draw){0};
}

uint32_t draw_take(struct draw *k, uint32_t n)
{
    CHECK(n <= k->count);
    if (k->count - k->next < n) k->next = 0;
    uint32_t first = k->next;
    k->next += n;
    k->taken += n;
    return first;
}
