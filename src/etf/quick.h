/* SPDX-License-Identifier: Apache-2.0
 *
 * Passing over what terms are nearly always made of. Nothing here knows more than pass.c, which is
 * asked about all that is refused: only sooner.
 */
#ifndef ETF_QUICK_H
#define ETF_QUICK_H

#include "etf/utf8.h"

/* Bytes that every quick head may look at. */
#define QUICK_ROOM 6
/* What is not so in terms as they are sent: a branch, which the processor guesses right, and no
 * choice between two values, for which it would have to wait. */
#define RARE(condition) __builtin_expect(condition, 0)

/* Its loop has to see all of it: the compiler does not think so by itself. */
#define INLINE static inline __attribute__((always_inline))

/* Where n bytes end that begin at p, if they are there. */
INLINE const uint8_t *quick_bytes(const uint8_t *p, size_t room, size_t n)
{
    return RARE(room < n) ? NULL : p + n;
}

INLINE const uint8_t *quick_float(const uint8_t *p, size_t room)
{
    return RARE(room < 8 || (get_be16(p) & 0x7ff0) == 0x7ff0) ? NULL : p + 8;
}

/* An atom in UTF-8, behind its tag, and so many bytes behind it that mean nothing here. */
INLINE const uint8_t *quick_atom(const uint8_t *p, size_t room, size_t more)
{
    size_t n = *p;

    return RARE(room < 1 + n + more || !clu_is_ascii(p + 1, n)) ? NULL : p + 1 + n + more;
}

/* An atom in Latin-1, behind its tag: short enough if its length has one byte. */
INLINE const uint8_t *quick_latin1(const uint8_t *p, size_t room, size_t more)
{
    return RARE(*p != 0) ? NULL : quick_bytes(p + 2, room - 2, p[1] + more);
}

/* The node of a pid or reference: text, or a number of the header that came with it. */
INLINE const uint8_t *quick_name(const clu_refs *refs, const uint8_t *p, size_t room, size_t more)
{
    if (*p == ETF_SMALL_ATOM_UTF8)
        return quick_atom(p + 1, room - 1, more);
    if (*p == ETF_ATOM_CACHE_REF)
        return RARE(refs == NULL || p[1] >= refs->n) ? NULL : quick_bytes(p + 2, room - 2, more);
    return RARE(*p != ETF_ATOM) ? NULL : quick_latin1(p + 1, room - 1, more);
}

/* n words, behind their number. */
INLINE const uint8_t *quick_ref(const clu_refs *refs, const uint8_t *p, size_t room, size_t n)
{
    return RARE(n < 1 || n > CLU_REF_WORDS_MAX) ? NULL : quick_name(refs, p, room, 4 + 4 * n);
}

/* Behind the head of a container: each of its terms takes a byte. */
INLINE const uint8_t *quick_terms(const uint8_t *p, size_t room, uint64_t terms)
{
    return RARE(room < terms) ? NULL : p;
}

/* How messages and control messages end. */
INLINE const uint8_t *quick_end(const clu_refs *refs, const uint8_t *p, size_t room)
{
    if (room == 1)
        return *p == ETF_NIL ? p + 1 : NULL;
    if (room < 2)
        return NULL;
    if (*p == ETF_ATOM_CACHE_REF)
        return refs == NULL || p[1] >= refs->n ? NULL : p + 2;
    return room == 2 && *p == ETF_SMALL_INTEGER ? p + 2 : NULL;
}

/* Passes the head of a term and says how many terms follow it; NULL: it must be looked at in full.
 * Only the tag decides what comes next, not a table: so the processor need not wait for one term to
 * know where the next begins. */
INLINE const uint8_t *pass_quick(const clu_refs *refs, const uint8_t *p, size_t room,
                                 uint64_t *terms)
{
    *terms = 0;
    if (RARE(room < QUICK_ROOM))
        return quick_end(refs, p, room);
    switch (*p) {
    case ETF_SMALL_INTEGER: return p + 2;
    case ETF_INTEGER: return p + 5;
    case ETF_NIL: return p + 1;
    case ETF_NEW_FLOAT: return quick_float(p + 1, room - 1);
    case ETF_BINARY: return quick_bytes(p + 5, room - 5, clu_load_length(p + 1));
    case ETF_ATOM: return quick_latin1(p + 1, room - 1, 0);
    case ETF_SMALL_ATOM_UTF8: return quick_atom(p + 1, room - 1, 0);
    case ETF_ATOM_CACHE_REF: return RARE(refs == NULL || p[1] >= refs->n) ? NULL : p + 2;
    case ETF_NEW_PID: return quick_name(refs, p + 1, room - 1, 12);
    case ETF_NEWER_REFERENCE: return quick_ref(refs, p + 3, room - 3, get_be16(p + 1));
    case ETF_SMALL_TUPLE: return quick_terms(p + 2, room - 2, *terms = p[1]);
    case ETF_MAP: return quick_terms(p + 5, room - 5, *terms = 2 * (uint64_t)get_be32(p + 1));
    case ETF_LIST:
        *terms = 1 + (uint64_t)get_be32(p + 1);
        return RARE(*terms == 1) ? NULL : quick_terms(p + 5, room - 5, *terms);
    default: return NULL;
    }
}

/* A row of integers, as lists have them: nothing but tags to be looked at. Never the last term. */
static uint64_t count_integers(const uint8_t *p, const uint8_t *end, uint64_t left)
{
    uint64_t most = min_u64(left - 1, (uint64_t)(end - p) / 5), n = 0;

    for (; n + 4 <= most; p += 20, n += 4) /* four at a time */
        if (p[0] != ETF_INTEGER || p[5] != ETF_INTEGER || p[10] != ETF_INTEGER ||
            p[15] != ETF_INTEGER)
            break;
    for (; n < most && *p == ETF_INTEGER; p += 5)
        n++;
    return n;
}

#endif
