/* SPDX-License-Identifier: Apache-2.0 */
#define CLU_INLINE extern inline /* the exported copies of etf_inline*.h stand here */
#include "etf/etf.h"
#include "etf/float.h"

/* A SMALL_BIG of more bytes than this never fits 64 bits unless they are zeros. */
#define INT_BYTES 8

const uint8_t clu_type_of_tag[256] = {
    [ETF_SMALL_INTEGER] = CLU_TYPE_INTEGER,
    [ETF_INTEGER] = CLU_TYPE_INTEGER,
    [ETF_SMALL_BIG] = CLU_TYPE_INTEGER,
    [ETF_LARGE_BIG] = CLU_TYPE_INTEGER,
    [ETF_NEW_FLOAT] = CLU_TYPE_FLOAT,
    [ETF_FLOAT] = CLU_TYPE_FLOAT,
    [ETF_ATOM] = CLU_TYPE_ATOM,
    [ETF_SMALL_ATOM] = CLU_TYPE_ATOM,
    [ETF_ATOM_UTF8] = CLU_TYPE_ATOM,
    [ETF_SMALL_ATOM_UTF8] = CLU_TYPE_ATOM,
    [ETF_ATOM_CACHE_REF] = CLU_TYPE_ATOM,
    [ETF_SMALL_TUPLE] = CLU_TYPE_TUPLE,
    [ETF_LARGE_TUPLE] = CLU_TYPE_TUPLE,
    [ETF_NIL] = CLU_TYPE_LIST,
    [ETF_STRING] = CLU_TYPE_LIST,
    [ETF_LIST] = CLU_TYPE_LIST,
    [ETF_MAP] = CLU_TYPE_MAP,
    [ETF_BINARY] = CLU_TYPE_BINARY,
    [ETF_BIT_BINARY] = CLU_TYPE_BITSTRING,
    [ETF_PID] = CLU_TYPE_PID,
    [ETF_NEW_PID] = CLU_TYPE_PID,
    [ETF_PORT] = CLU_TYPE_PORT,
    [ETF_NEW_PORT] = CLU_TYPE_PORT,
    [ETF_V4_PORT] = CLU_TYPE_PORT,
    [ETF_REFERENCE] = CLU_TYPE_REF,
    [ETF_NEW_REFERENCE] = CLU_TYPE_REF,
    [ETF_NEWER_REFERENCE] = CLU_TYPE_REF,
    [ETF_FUN] = CLU_TYPE_FUN,
    [ETF_NEW_FUN] = CLU_TYPE_FUN,
    [ETF_EXPORT] = CLU_TYPE_EXPORT,
    [ETF_NATIVE_RECORD] = CLU_TYPE_RECORD,
};

void clu_reader_fail(clu_reader *r, clu_error err)
{
    if (r->err != CLU_OK)
        return;
    r->err = err;
    r->end = r->pos;
}

const uint8_t *clu_reader_take_none(clu_reader *r)
{
    clu_reader_fail(r, CLU_ETRUNC);
    return NULL;
}

/* The reader stands on a term that is not what the caller wants: say why, move nothing. */
static void refuse(clu_reader *r)
{
    static const clu_error reasons[256] = {
        [ETF_COMPRESSED] = CLU_ECOMPRESSED, [ETF_LOCAL] = CLU_ELOCAL};

    if (r->pos == r->end)
        clu_reader_fail(r, CLU_ETRUNC);
    else if (clu_type_of_tag[*r->pos] != CLU_TYPE_NONE)
        clu_reader_fail(r, CLU_ETYPE);
    else
        clu_reader_fail(r, reasons[*r->pos] != CLU_OK ? reasons[*r->pos] : CLU_ETAG);
}

/* Whether the reader stands on this tag. */
static bool at(const clu_reader *r, uint8_t tag)
{
    return clu_reader_has(r, 1) && *r->pos == tag;
}

/* Take the tag, which the caller has seen, and what stands behind it. */

static const uint8_t *take_tagged(clu_reader *r, size_t n)
{
    const uint8_t *p = clu_reader_take(r, 1 + n);

    return p == NULL ? NULL : p + 1;
}

static uint32_t tagged_be32(clu_reader *r)
{
    const uint8_t *p = take_tagged(r, 4);

    return p == NULL ? 0 : get_be32(p);
}

static uint32_t tagged_u8(clu_reader *r)
{
    const uint8_t *p = take_tagged(r, 1);

    return p == NULL ? 0 : *p;
}

/* A count of terms of at least so many bytes each, of which the input must hold that many. */
static size_t bounded(clu_reader *r, size_t n, size_t bytes)
{
    if (r->err == CLU_OK && (size_t)(r->end - r->pos) / bytes < n)
        clu_reader_fail(r, CLU_ETRUNC);
    return r->err == CLU_OK ? n : 0;
}

void clu_get_version_any(clu_reader *r)
{
    clu_reader_fail(r, r->pos == r->end ? CLU_ETRUNC : CLU_ETAG);
}

/* A BIT_BINARY that uses all bits of its last byte is a binary. */
clu_type clu_peek_type_any(const clu_reader *r)
{
    if (clu_reader_has(r, 6) && r->pos[5] == 8)
        return CLU_TYPE_BINARY;
    return CLU_TYPE_BITSTRING;
}

static clu_slice trim_zeros(clu_slice magnitude)
{
    while (magnitude.len > 0 && magnitude.data[magnitude.len - 1] == 0)
        magnitude.len--;
    return magnitude;
}

static clu_slice get_big(clu_reader *r, bool *negative)
{
    size_t n = *r->pos == ETF_SMALL_BIG ? tagged_u8(r) : tagged_be32(r);
    const uint8_t *p = clu_reader_take(r, 1 + n);

    if (p == NULL)
        return (clu_slice){0};
    *negative = *p != 0;
    return trim_zeros((clu_slice){p + 1, n});
}

static clu_slice get_small(clu_reader *r, bool *negative, uint8_t small[INT_BYTES])
{
    int64_t value = clu_get_int(r);
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    for (size_t i = 0; i < INT_BYTES; i++)
        small[i] = (uint8_t)(magnitude >> 8 * i);
    *negative = value < 0;
    return trim_zeros((clu_slice){small, INT_BYTES});
}

clu_slice clu_get_big(clu_reader *r, bool *negative, uint8_t small[INT_BYTES])
{
    *negative = false;
    if (at(r, ETF_SMALL_BIG) || at(r, ETF_LARGE_BIG))
        return get_big(r, negative);
    if (clu_peek_type(r) == CLU_TYPE_INTEGER)
        return get_small(r, negative, small);
    refuse(r);
    return (clu_slice){0};
}

/* An integer as sign and magnitude; CLU_ERANGE, and nothing moved, where 64 bits do not hold it. */
static uint64_t get_magnitude(clu_reader *r, bool *negative)
{
    uint8_t small[INT_BYTES];
    uint64_t value = 0;
    clu_reader start = *r;
    clu_slice magnitude = clu_get_big(r, negative, small);

    if (magnitude.len > INT_BYTES) {
        *r = start;
        clu_reader_fail(r, CLU_ERANGE);
        return 0;
    }
    for (size_t i = magnitude.len; i > 0; i--)
        value = value << 8 | magnitude.data[i - 1];
    return value;
}

static int64_t get_wide_int(clu_reader *r)
{
    bool negative;
    clu_reader start = *r;
    uint64_t magnitude = get_magnitude(r, &negative);
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);

    if (magnitude > limit) {
        *r = start;
        clu_reader_fail(r, CLU_ERANGE);
        return 0;
    }
    return (int64_t)(negative ? 0 - magnitude : magnitude);
}

/* The tags that the inline reader knows come here only when they are cut short. */
int64_t clu_get_int_any(clu_reader *r)
{
    if (at(r, ETF_SMALL_BIG) || at(r, ETF_LARGE_BIG))
        return get_wide_int(r);
    if (clu_peek_type(r) == CLU_TYPE_INTEGER)
        clu_reader_fail(r, CLU_ETRUNC);
    refuse(r);
    return 0;
}

uint64_t clu_get_uint(clu_reader *r)
{
    bool negative;
    clu_reader start = *r;
    uint64_t magnitude = get_magnitude(r, &negative);

    if (!negative || magnitude == 0)
        return magnitude;
    *r = start;
    clu_reader_fail(r, CLU_ERANGE);
    return 0;
}

clu_error etf_read_float_text(const uint8_t text[ETF_FLOAT_TEXT], double *value)
{
    const uint8_t *zero = memchr(text, 0, ETF_FLOAT_TEXT);
    size_t len = zero == NULL ? ETF_FLOAT_TEXT : (size_t)(zero - text);

    return float_read((clu_slice){text, len}, value);
}

static double get_float_text(clu_reader *r)
{
    double value = 0;
    const uint8_t *text = take_tagged(r, ETF_FLOAT_TEXT);

    if (text != NULL && etf_read_float_text(text, &value) != CLU_OK)
        clu_reader_fail(r, CLU_ETERM);
    return value;
}

double clu_get_float_any(clu_reader *r)
{
    if (at(r, ETF_FLOAT))
        return get_float_text(r);
    if (at(r, ETF_NEW_FLOAT))
        clu_reader_fail(r, CLU_ETRUNC);
    refuse(r);
    return 0;
}

size_t clu_get_tuple_any(clu_reader *r)
{
    if (at(r, ETF_LARGE_TUPLE))
        return bounded(r, tagged_be32(r), 1);
    if (at(r, ETF_SMALL_TUPLE))
        clu_reader_fail(r, CLU_ETRUNC);
    refuse(r);
    return 0;
}

size_t clu_get_list_any(clu_reader *r)
{
    if (at(r, ETF_NIL)) {
        r->pos++;
        return 0;
    }
    /* No elements behind this tag: nobody could tell whether a tail follows. */
    if (at(r, ETF_LIST) && bounded(r, tagged_be32(r), 1) == 0)
        clu_reader_fail(r, CLU_ETERM);
    refuse(r);
    return 0;
}

void clu_get_nil_any(clu_reader *r)
{
    refuse(r);
}

clu_slice clu_get_string(clu_reader *r)
{
    if (at(r, ETF_NIL)) {
        r->pos++;
        return (clu_slice){0};
    }
    if (!at(r, ETF_STRING)) {
        refuse(r);
        return (clu_slice){0};
    }
    const uint8_t *p = take_tagged(r, 2);
    size_t n = p == NULL ? 0 : get_be16(p);

    p = clu_reader_take(r, n);
    return (clu_slice){p, p == NULL ? 0 : n};
}

size_t clu_get_map_any(clu_reader *r)
{
    if (at(r, ETF_MAP))
        return bounded(r, tagged_be32(r), 2);
    refuse(r);
    return 0;
}

clu_slice clu_get_bitstring(clu_reader *r, uint8_t *last_bits)
{
    *last_bits = 8;
    if (!at(r, ETF_BIT_BINARY))
        return clu_get_binary(r);
    size_t n = tagged_be32(r);
    const uint8_t *p = clu_reader_take(r, 1 + n);

    if (p == NULL)
        return (clu_slice){0};
    if (n == 0 || *p == 0 || *p > 8) {
        clu_reader_fail(r, CLU_ETERM);
        return (clu_slice){0};
    }
    *last_bits = *p;
    return (clu_slice){p + 1, n};
}

clu_slice clu_get_binary_any(clu_reader *r)
{
    uint8_t last_bits;

    if (at(r, ETF_BIT_BINARY) && clu_peek_type(r) == CLU_TYPE_BINARY)
        return clu_get_bitstring(r, &last_bits);
    if (at(r, ETF_BINARY))
        clu_reader_fail(r, CLU_ETRUNC);
    refuse(r);
    return (clu_slice){0};
}
