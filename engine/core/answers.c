// SPDX-License-Identifier: Apache-2.0
#include "engine/core/answers.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/limits.h"

#define MS            1000000
#define WAYS          8
#define SAID_BITS     2
#define RESULT_BITS   10
#define RESULT_MAX    999
#define UNTIL_SHIFT   (SAID_BITS + RESULT_BITS)
#define MASK_OF(bits) (((uint64_t)1 << (bits)) - 1)

struct slot {
    _Atomic uint64_t lock; // key ^ value: another writer's half does not fit it
    _Atomic uint64_t value;
};

struct answers {
    struct slot slot[LIMIT_EXTERNAL_ANSWERS];
};
static_assert((LIMIT_EXTERNAL_ANSWERS & (LIMIT_EXTERNAL_ANSWERS - 1)) == 0, "a power of two");
static_assert(JUDGE_EXTERNAL_REFUSES <= MASK_OF(SAID_BITS), "what was said fits");
static_assert(RESULT_MAX <= MASK_OF(RESULT_BITS), "a call result fits");

struct answers *answers_new(void)
{
    return calloc(1, sizeof(struct answers));
}

void answers_free(struct answers *a)
{
    free(a);
}

static unsigned bucket_of(uint64_t key)
{
    return (unsigned)((key >> 32) % (LIMIT_EXTERNAL_ANSWERS / WAYS)) * WAYS;
}

// True when it is the key's; *ret_value in any case.
static bool look(const struct slot *slot, uint64_t key, uint64_t *ret_value)
{
    uint64_t lock = atomic_load_explicit(&slot->lock, memory_order_relaxed);

    *ret_value = atomic_load_explicit(&slot->value, memory_order_relaxed);
    return (lock ^ *ret_value) == key;
}

// The slot of the key, or else of what ends first: that is what is free, then what has ended.
static struct slot *place_of(struct answers *a, uint64_t key)
{
    struct slot *slot = &a->slot[bucket_of(key)], *first = slot;
    uint64_t value, least = UINT64_MAX;

    for (unsigned i = 0; i < WAYS; i++, slot++) {
        if (look(slot, key, &value)) return slot;
        if (value >= least) continue;
        least = value;
        first = slot;
    }
    return first;
}

void answers_keep(struct answers *a, uint64_t key, const struct answer *answer)
{
    struct slot *slot = place_of(a, key);
    uint64_t value;

    CHECK(key != 0 && answer->call_result >= 0 && answer->call_result <= RESULT_MAX);
    value = (uint64_t)(answer->until_ns / MS) << UNTIL_SHIFT |
            (uint64_t)answer->call_result << SAID_BITS | (uint64_t)answer->said;
    atomic_store_explicit(&slot->lock, key ^ value, memory_order_relaxed);
    atomic_store_explicit(&slot->value, value, memory_order_relaxed);
}

bool answers_find(const struct answers *a, uint64_t key, int64_t now_ns, struct answer *ret)
{
    const struct slot *slot = &a->slot[bucket_of(key)];
    int64_t until_ns = 0;
    uint64_t value;

    for (unsigned i = 0; i < WAYS; i++)
        if (look(&slot[i], key, &value)) {
            until_ns = (int64_t)(value >> UNTIL_SHIFT) * MS;
            break;
        }
    if (now_ns >= until_ns) return false;
    ret->said = (enum judge_external)(value & MASK_OF(SAID_BITS));
    ret->call_result = (int)(value >> SAID_BITS & MASK_OF(RESULT_BITS));
    ret->until_ns = until_ns;
    return true;
}
