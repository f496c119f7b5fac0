// SPDX-License-Identifier: Apache-2.0
//
// rand: seeded numbers for tests, generators and fuzzing (xoshiro256**, Blackman and Vigna, public
// domain algorithm), and secrets from the kernel. The seeded kind is not for secrets.
#pragma once

#include <stddef.h>
#include <stdint.h>

// One stream; the same seed gives the same numbers on every machine. One thread.
struct rand {
    uint64_t s[4];
};

void rand_seed(struct rand *r, uint64_t seed);
uint64_t rand_u64(struct rand *r);
// Uniform in [0, bound); bound > 0.
uint64_t rand_below(struct rand *r, uint64_t bound);

// `size_bytes` of unpredictable bytes. 0 or ERR_SYSTEM.
int rand_secret(void *dst, size_t size_bytes);
