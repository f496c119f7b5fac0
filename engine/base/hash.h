// SPDX-License-Identifier: Apache-2.0
//
// hash: XXH3 (xxHash 0.8) in the two roles it has here. Pure functions.
//
// Keyed: 64 bits under a secret seed of this data directory, so that nobody outside can choose
// keys that collide. Sum: checksums of what is stored, against rot and torn writes, not attackers.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t hash_keyed(uint64_t seed, const void *data, size_t size_bytes)
{
    return XXH3_64bits_withSeed(data, size_bytes, seed);
}

static inline uint64_t hash_keyed_u64(uint64_t seed, uint64_t value)
{
    return XXH3_64bits_withSeed(&value, sizeof value, seed);
}

static inline uint64_t hash_sum(const void *data, size_t size_bytes)
{
    return XXH3_64bits(data, size_bytes);
}
