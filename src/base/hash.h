/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/base.h"

/* A number from a text, for tables: names of nodes, of processes, atoms. */

static inline uint64_t hash_load(const uint8_t *p, size_t n)
{
    uint64_t part = 0;

    memcpy(&part, p, n);
    return part;
}

/* All bytes of a text of less than 8. */
static inline uint64_t hash_load_short(const uint8_t *p, size_t n)
{
    if (n >= 4)
        return hash_load(p, 4) | hash_load(p + n - 4, 4) << 32;
    return n == 0 ? 0 : p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16;
}

static inline uint64_t hash_mix(uint64_t hash, uint64_t part)
{
    hash = (hash ^ part) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* The upper half is the better one. A product's bits depend on those below them only, so one more
 * spreads what stands last in a text, which is where many differ. */
static inline uint64_t hash_end(uint64_t hash)
{
    return hash_mix(hash, 0);
}

/* Eight bytes at a time, the last eight whatever is left: nearly all texts are short. */
static inline uint64_t hash_text(clu_slice text)
{
    uint64_t hash = text.len;
    size_t at = 0;

    if (text.len < 8)
        return hash_end(hash_mix(hash, hash_load_short(text.data, text.len)));
    for (; at + 8 < text.len; at += 8)
        hash = hash_mix(hash, hash_load(text.data + at, 8));
    return hash_end(hash_mix(hash, hash_load(text.data + text.len - 8, 8)));
}

#endif
