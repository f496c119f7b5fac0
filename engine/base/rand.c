// SPDX-License-Identifier: Apache-2.0
#include "engine/base/rand.h"

#include <errno.h>
#include <sys/random.h>

#include "engine/base/err.h"

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

void rand_seed(struct rand *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) r->s[i] = splitmix(&seed);
}

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t rand_u64(struct rand *r)
{
    uint64_t result = rotl(r->s[1] * 5, 7) * 9;
    uint64_t t = r->s[1] << 17;

    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotl(r->s[3], 45);
    return result;
}

uint64_t rand_below(struct rand *r, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)rand_u64(r) * bound) >> 64);
}

int rand_secret(void *dst, size_t size_bytes)
{
    char *at = dst;

    while (size_bytes > 0) { // past 256 bytes a signal may cut it short
        ssize_t n = getrandom(at, size_bytes, 0);

        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return ERR_SYSTEM;
        at += n;
        size_bytes -= (size_t)n;
    }
    return ERR_OK;
}
