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

/* An atom in UTF-8, behind its tag, and so many bytes behind it that mean nothing here. */
INLINE const uint8_t *quick_atom(const uint8_t *p, size_t room, size_t more)
{
    size_t n = *p;

    return RARE(room < 1 + n + more || !clu_is_ascii_of(p + 1, n, room - 1)) ? NULL
                                                                             : p + 1 + n + more;
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

/* How messages and control messages end. */
INLINE const uint8_t *quick_end(const clu_refs *refs, const uint8_t *p, size_t room)
{
    if (room > 0 && *p == ETF_NIL)
        return p + 1;
    if (room < 2)
        return NULL;
    if (*p == ETF_ATOM_CACHE_REF)
        return refs == NULL || p[1] >= refs->n ? NULL : p + 2;
    return *p == ETF_SMALL_INTEGER ? p + 2 : NULL;
}

/* Terms of one kind that stand in a row, as lists have them. */
struct row {
    const uint8_t *end;
    uint64_t n;
};

/* Integers: nothing but tags to be looked at. */
static struct row pass_integers(const uint8_t *p, const uint8_t *end, uint64_t most)
{
    uint64_t n = 0;

    most = min_u64(most, (uint64_t)(end - p) / 5);
    for (; n + 4 <= most; p += 20, n += 4) /* four at a time */
        if (p[0] != ETF_INTEGER || p[5] != ETF_INTEGER || p[10] != ETF_INTEGER ||
            p[15] != ETF_INTEGER)
            break;
    for (; n < most && *p == ETF_INTEGER; p += 5)
        n++;
    return (struct row){p, n};
}

/* Two short binaries: a key and its value, or two of a list. */
struct pair {
    size_t first, second, size; /* their bytes; those of both with their heads */
};

/* Whether a binary of less than 256 bytes stands here; the bytes of its head do. */
INLINE bool is_short(const uint8_t *p)
{
    return get_be32(p) == (uint32_t)ETF_BINARY << 24;
}

/* Whether a pair stands here, and the head of another term behind it. */
INLINE bool see_pair(const uint8_t *p, size_t room, struct pair *pair)
{
    if (room < QUICK_ROOM || !is_short(p) || room < 2 * QUICK_ROOM + (size_t)p[4])
        return false;
    pair->first = p[4];
    const uint8_t *next = p + 5 + pair->first;

    pair->second = next[4];
    pair->size = 10 + pair->first + pair->second;
    return is_short(next) && room >= pair->size + QUICK_ROOM;
}

/* How many pairs alike make a row of such. */
#define ROW_PAIRS 3

/* Pairs like the one before p. Nothing has to be waited for: where each begins is known. */
static struct row pass_like(const uint8_t *p, const uint8_t *end, uint64_t most, struct pair pair)
{
    uint64_t n = 0, room = (uint64_t)(end - p) / pair.size;

    for (most = min_u64(most / 2, room); n < most; n++, p += pair.size) {
        const uint8_t *next = p + 5 + pair.first;

        if (!is_short(p) || p[4] != pair.first || !is_short(next) || next[4] != pair.second)
            break;
    }
    return (struct row){p, 2 * n};
}

/* Short binaries. Where the next one begins is known when the length of this one has been loaded,
 * which takes longer than all else; but those of a list, and the keys and values of a map, often
 * have one length. */
static struct row pass_binaries(const uint8_t *p, const uint8_t *end, uint64_t most)
{
    struct pair last = {0}, pair;
    size_t alike = 0;
    uint64_t n = 0;

    while (most - n >= 2 && see_pair(p, (size_t)(end - p), &pair)) {
        p += pair.size;
        n += 2;
        /* No branch: it would be guessed wrong too often where lengths differ. */
        alike = (alike + 1) & -(size_t)((pair.first == last.first) & (pair.second == last.second));
        last = pair;
        if (alike == ROW_PAIRS) {
            struct row row = pass_like(p, end, most - n, pair);

            p = row.end;
            n += row.n;
            alike = 0;
        }
    }
    return (struct row){p, n};
}

/* What a list or a map begins with, if it is a row, but no more than so many terms. */
INLINE struct row pass_row(const uint8_t *p, const uint8_t *end, uint64_t most)
{
    if (p < end && *p == ETF_BINARY)
        return pass_binaries(p, end, most);
    if (p < end && *p == ETF_INTEGER)
        return pass_integers(p, end, most);
    return (struct row){p, 0};
}

/* Terms to be passed. */
struct run {
    const uint8_t *pos;
    uint64_t left; /* terms still to come; each takes a byte, so it cannot overflow */
};

/* The tags that are passed quickly; 0: none of them. */
enum quick {
    QUICK_NONE,
    QUICK_SMALL_INTEGER,
    QUICK_INTEGER,
    QUICK_NIL,
    QUICK_FLOAT,
    QUICK_BINARY,
    QUICK_LATIN1,
    QUICK_UTF8,
    QUICK_CACHED,
    QUICK_PID,
    QUICK_REFERENCE,
    QUICK_TUPLE,
    QUICK_MAP,
    QUICK_LIST,
    QUICK_KINDS
};

static const uint8_t quick_kinds[256] = {
    [ETF_SMALL_INTEGER] = QUICK_SMALL_INTEGER,
    [ETF_INTEGER] = QUICK_INTEGER,
    [ETF_NIL] = QUICK_NIL,
    [ETF_NEW_FLOAT] = QUICK_FLOAT,
    [ETF_BINARY] = QUICK_BINARY,
    [ETF_ATOM] = QUICK_LATIN1,
    [ETF_SMALL_ATOM_UTF8] = QUICK_UTF8,
    [ETF_ATOM_CACHE_REF] = QUICK_CACHED,
    [ETF_NEW_PID] = QUICK_PID,
    [ETF_NEWER_REFERENCE] = QUICK_REFERENCE,
    [ETF_SMALL_TUPLE] = QUICK_TUPLE,
    [ETF_MAP] = QUICK_MAP,
    [ETF_LIST] = QUICK_LIST,
};

/* Goes on with the next term from the end of the last one, without a way that all kinds share: the
 * processor guesses better what follows on which kind, and there are a third fewer instructions
 * than with a switch in a loop. */
#define NEXT_TERM                                                                                  \
    do {                                                                                           \
        if (RARE(left == 0 || p >= edge))                                                          \
            goto stop;                                                                             \
        __extension__({ goto *at[quick_kinds[*p]]; });                                             \
    } while (0)

/* Passes a term of so many bytes, if it is one. */
#define PASS(is_one, size)                                                                         \
    do {                                                                                           \
        if (RARE(!(is_one)))                                                                       \
            goto stop;                                                                             \
        p += (size);                                                                               \
        left--;                                                                                    \
        NEXT_TERM;                                                                                 \
    } while (0)

/* The same where a function has looked for its end. */
#define PASS_TO(place)                                                                             \
    do {                                                                                           \
        next = (place);                                                                            \
        if (RARE(next == NULL))                                                                    \
            goto stop;                                                                             \
        p = next;                                                                                  \
        left--;                                                                                    \
        NEXT_TERM;                                                                                 \
    } while (0)

/* Enters a container of n terms, each of which takes a byte, behind a head of so many. */
#define ENTER(size)                                                                                \
    do {                                                                                           \
        if (RARE(ROOM - (size) < n))                                                               \
            goto stop;                                                                             \
        p += (size);                                                                               \
        left += n - 1;                                                                             \
    } while (0)

#define CACHE_LINE 64

/* Bytes from here to the end. */
#define ROOM ((size_t)(end - p))

/* Passes terms until none is left, or one is to be looked at in full.
 * Aligned, as otherwise a change of any function before it makes it up to a quarter slower. */
static __attribute__((aligned(CACHE_LINE))) void pass_run(struct run *run, const clu_refs *refs,
                                                          const uint8_t *end)
{
    __extension__ static const void *const at[QUICK_KINDS] = {
        [QUICK_NONE] = &&stop,       [QUICK_SMALL_INTEGER] = &&small_integer,
        [QUICK_INTEGER] = &&integer, [QUICK_NIL] = &&nil,
        [QUICK_FLOAT] = &&real,      [QUICK_BINARY] = &&binary,
        [QUICK_LATIN1] = &&latin1,   [QUICK_UTF8] = &&utf8,
        [QUICK_CACHED] = &&cached,   [QUICK_PID] = &&pid,
        [QUICK_REFERENCE] = &&ref,   [QUICK_TUPLE] = &&tuple,
        [QUICK_MAP] = &&map,         [QUICK_LIST] = &&list,
    };
    const uint8_t *p = run->pos, *next;
    const uint8_t *edge = ROOM < QUICK_ROOM ? p : end - (QUICK_ROOM - 1);
    uint64_t left = run->left, n;
    struct row row;

    NEXT_TERM;
small_integer:
    PASS(true, 2);
integer:
    PASS(true, 5);
nil:
    PASS(true, 1);
real:
    PASS(ROOM >= 9 && (get_be16(p + 1) & 0x7ff0) != 0x7ff0, 9);
binary:
    n = clu_load_length(p + 1);
    PASS(ROOM - 5 >= n, 5 + n);
latin1:
    n = p[2];
    PASS(p[1] == 0 && ROOM - 3 >= n, 3 + n);
utf8:
    n = p[1];
    PASS(ROOM - 2 >= n && clu_is_ascii_of(p + 2, n, ROOM - 2), 2 + n);
cached:
    PASS(refs != NULL && p[1] < refs->n, 2);
pid:
    PASS_TO(quick_name(refs, p + 1, ROOM - 1, 12));
ref:
    PASS_TO(quick_ref(refs, p + 3, ROOM - 3, get_be16(p + 1)));
tuple:
    n = p[1];
    ENTER(2);
    if (n > 0 && p < edge && *p == ETF_ATOM) /* as most of them begin */
        goto latin1;
    if (n > 0 && p < edge && *p == ETF_SMALL_ATOM_UTF8)
        goto utf8;
    NEXT_TERM;
map:
    n = 2 * (uint64_t)get_be32(p + 1);
    ENTER(5);
    goto row;
list:
    n = 1 + (uint64_t)get_be32(p + 1);
    if (RARE(n == 1))
        goto stop;
    ENTER(5);
row:
    row = pass_row(p, end, n > 0 ? n - 1 : 0);
    p = row.end;
    left -= row.n;
    NEXT_TERM;
stop:
    while (left > 0 && ROOM < QUICK_ROOM && (next = quick_end(refs, p, ROOM)) != NULL) {
        p = next;
        left--;
    }
    *run = (struct run){p, left};
}

#endif
