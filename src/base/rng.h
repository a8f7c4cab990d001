/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include "base/base.h"

/* Random numbers from a seed that the driver hands in (law 1: the core asks no system for them).
 * For jitter, creations and ids. Challenges come from crypto_random (crypto.h), which hashes a
 * secret seed: these numbers could be computed from earlier ones. */
struct rng {
    uint64_t state;
};

static inline void rng_init(struct rng *rng, uint64_t seed)
{
    rng->state = seed;
}

/* rng_next: 64 bits (splitmix64, Steele and others 2014). */
static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* rng_range: a number in [low, high]. */
static inline uint64_t rng_range(struct rng *rng, uint64_t low, uint64_t high)
{
    return high <= low ? low : low + rng_next(rng) % (high - low + 1);
}

#endif
