/* SPDX-License-Identifier: Apache-2.0
 *
 * base: containers and arithmetic that every layer uses.
 *   knows: bytes, memory, forms of names (names.c), OpenSSL's EVP (crypto.c), uthash (map.c).
 *   must not know: Erlang's protocols, terms, sockets, clocks, any layer above.
 * Nothing here logs, asserts on input, or keeps state of its own.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <erlclu/error.h>
#include <erlclu/etf.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The structure that holds `member` at address `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* A moment that never comes. All moments are milliseconds of a clock that never goes back. */
#define NEVER UINT64_MAX

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline uint16_t get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t get_be64(const uint8_t *p)
{
    return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
    put_be16(p, (uint16_t)(v >> 16));
    put_be16(p + 2, (uint16_t)v);
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
    put_be32(p, (uint32_t)(v >> 32));
    put_be32(p + 4, (uint32_t)v);
}

/* text_set: copies a text into a fixed field, cut at the field's size, always terminated. Returns
 * whether it fitted. */
bool text_set(char *field, size_t size, clu_slice text);

/* slice_of: the view of a zero-terminated text. */
static inline clu_slice slice_of(const char *text)
{
    return (clu_slice){(const uint8_t *)text, strlen(text)};
}

static inline bool slice_equal(clu_slice a, clu_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_is(clu_slice s, const char *text)
{
    return slice_equal(s, slice_of(text));
}

#endif
