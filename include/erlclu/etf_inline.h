/* SPDX-License-Identifier: Apache-2.0
 *
 * The readers that every message goes through, inline: the tag that BEAMs send nearly always is
 * handled here, the others by a function of the same name with _any behind it. The writers stand in
 * etf_inline_put.h. Both are included by etf.h, which says what each of them does; not to be
 * included by themselves.
 */
#ifndef ERLCLU_ETF_INLINE_H
#define ERLCLU_ETF_INLINE_H

#include <string.h>

/* Of a function that only looks: what was known of the reader before it is still known behind it.
 */
#if defined(__GNUC__)
#define CLU_PURE   __attribute__((pure))
#define CLU_ALWAYS __attribute__((always_inline))
#else
#define CLU_PURE
#define CLU_ALWAYS
#endif

/* clu_type_of_tag: a clu_type for each of the 256 tags. */
CLU_API extern const uint8_t clu_type_of_tag[256];

/* The rest of the functions below, for the tags and errors that those leave. */
CLU_API CLU_PURE clu_type clu_peek_type_any(const clu_reader *r);
CLU_API void clu_get_version_any(clu_reader *r);
CLU_API int64_t clu_get_int_any(clu_reader *r);
CLU_API double clu_get_float_any(clu_reader *r);
CLU_API clu_slice clu_get_atom_any(clu_reader *r);
CLU_API size_t clu_get_tuple_any(clu_reader *r);
CLU_API size_t clu_get_list_any(clu_reader *r);
CLU_API void clu_get_nil_any(clu_reader *r);
CLU_API size_t clu_get_map_any(clu_reader *r);
CLU_API clu_slice clu_get_binary_any(clu_reader *r);
CLU_API bool clu_is_ascii_any(const uint8_t *text, size_t n);
CLU_API clu_type clu_get_any_rest(clu_reader *r, clu_value *value);

CLU_API const uint8_t *clu_reader_take_none(clu_reader *r);
CLU_API uint8_t *clu_writer_grow(clu_writer *w, size_t n);
CLU_API void clu_put_int_any(clu_writer *w, int64_t value);
CLU_API void clu_put_tuple_any(clu_writer *w, size_t arity);

/* The public interface of numbers on the wire: big endian, at any alignment. */
CLU_API CLU_INLINE uint32_t clu_load_be32(const uint8_t *p);
CLU_API CLU_INLINE uint64_t clu_load_be64(const uint8_t *p);
CLU_API CLU_INLINE void clu_store_be32(uint8_t *p, uint32_t v);
/* clu_load_length: as clu_load_be32, of what is nearly always below 256: the processor guesses so
 * and has the last byte as soon as it is loaded. Where the next term begins waits for it. */
CLU_API CLU_INLINE size_t clu_load_length(const uint8_t *p);

CLU_INLINE uint32_t clu_load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

CLU_INLINE uint64_t clu_load_be64(const uint8_t *p)
{
    return (uint64_t)clu_load_be32(p) << 32 | clu_load_be32(p + 4);
}

CLU_INLINE void clu_store_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

CLU_INLINE size_t clu_load_length(const uint8_t *p)
{
    if (__builtin_expect((p[0] | p[1] | p[2]) != 0, 0))
        return clu_load_be32(p);
    return p[3];
}

/* ---- reading ---- */

CLU_INLINE void clu_reader_init(clu_reader *r, const void *data, size_t len)
{
    r->pos = data == NULL ? (const uint8_t *)"" : (const uint8_t *)data;
    r->end = r->pos + len;
    r->refs = NULL;
    r->err = CLU_OK;
}

CLU_INLINE void clu_get_version(clu_reader *r)
{
    if (clu_reader_has(r, 1) && *r->pos == ETF_VERSION)
        r->pos++;
    else
        clu_get_version_any(r);
}

CLU_INLINE bool clu_reader_has(const clu_reader *r, size_t n)
{
    return n > 0 ? (size_t)(r->end - r->pos) >= n : r->err == CLU_OK; /* clu_reader_fail ends it */
}

CLU_INLINE const uint8_t *clu_reader_take(clu_reader *r, size_t n)
{
    const uint8_t *p = r->pos;

    if (!clu_reader_has(r, n))
        return clu_reader_take_none(r);
    if (n > 0)
        r->pos += n;
    return p;
}

CLU_INLINE clu_type clu_peek_type(const clu_reader *r)
{
    if (!clu_reader_has(r, 1))
        return CLU_TYPE_NONE;
    if (*r->pos == ETF_BIT_BINARY)
        return clu_peek_type_any(r);
    return (clu_type)clu_type_of_tag[*r->pos];
}

CLU_INLINE int64_t clu_get_int(clu_reader *r)
{
    const uint8_t *p = r->pos;

    if (clu_reader_has(r, 2) && *p == ETF_SMALL_INTEGER) {
        r->pos += 2;
        return p[1];
    }
    if (clu_reader_has(r, 5) && *p == ETF_INTEGER) {
        r->pos += 5;
        return (int32_t)clu_load_be32(p + 1);
    }
    return clu_get_int_any(r);
}

CLU_INLINE double clu_get_float(clu_reader *r)
{
    double value;
    uint64_t bits;

    if (!clu_reader_has(r, 9) || *r->pos != ETF_NEW_FLOAT)
        return clu_get_float_any(r);
    bits = clu_load_be64(r->pos + 1);
    memcpy(&value, &bits, sizeof value);
    r->pos += 9;
    return value;
}

CLU_INLINE clu_slice clu_get_atom(clu_reader *r)
{
    clu_slice text;

    if (!clu_reader_has(r, 2) || *r->pos != ETF_SMALL_ATOM_UTF8 ||
        !clu_reader_has(r, 2 + (size_t)r->pos[1]))
        return clu_get_atom_any(r);
    text.data = r->pos + 2;
    text.len = r->pos[1];
    r->pos += 2 + text.len;
    return text;
}

CLU_INLINE size_t clu_get_tuple(clu_reader *r)
{
    size_t arity;

    if (!clu_reader_has(r, 2) || *r->pos != ETF_SMALL_TUPLE)
        return clu_get_tuple_any(r);
    arity = r->pos[1];
    r->pos += 2;
    return arity;
}

CLU_INLINE size_t clu_get_list(clu_reader *r)
{
    size_t n;

    if (!clu_reader_has(r, 5) || *r->pos != ETF_LIST)
        return clu_get_list_any(r);
    n = clu_load_be32(r->pos + 1);
    if (n == 0 || (size_t)(r->end - r->pos - 5) < n)
        return clu_get_list_any(r);
    r->pos += 5;
    return n;
}

CLU_INLINE void clu_get_nil(clu_reader *r)
{
    if (clu_reader_has(r, 1) && *r->pos == ETF_NIL)
        r->pos++;
    else
        clu_get_nil_any(r);
}

CLU_INLINE size_t clu_get_map(clu_reader *r)
{
    size_t n;

    if (!clu_reader_has(r, 5) || *r->pos != ETF_MAP)
        return clu_get_map_any(r);
    n = clu_load_be32(r->pos + 1);
    if ((size_t)(r->end - r->pos - 5) / 2 < n)
        return clu_get_map_any(r);
    r->pos += 5;
    return n;
}

CLU_INLINE clu_slice clu_get_binary(clu_reader *r)
{
    clu_slice bytes;

    if (!clu_reader_has(r, 5) || *r->pos != ETF_BINARY)
        return clu_get_binary_any(r);
    bytes.len = clu_load_length(r->pos + 1);
    if ((size_t)(r->end - r->pos - 5) < bytes.len)
        return clu_get_binary_any(r);
    bytes.data = r->pos + 5;
    r->pos += 5 + bytes.len;
    return bytes;
}

CLU_INLINE clu_pid clu_get_pid(clu_reader *r)
{
    clu_pid pid;

    clu_read_pid(r, &pid);
    return pid;
}

CLU_INLINE clu_ref clu_get_ref(clu_reader *r)
{
    clu_ref ref;

    clu_read_ref(r, &ref);
    return ref;
}

/* clu_is_ascii: whether all bytes are below 128; by words, of which the last two overlap. */
CLU_API CLU_INLINE bool clu_is_ascii(const uint8_t *text, size_t n);
CLU_INLINE bool clu_is_ascii(const uint8_t *text, size_t n)
{
    uint64_t bits = 0, word;
    uint32_t first, last;
    size_t i;

    if (n >= 8) {
        for (i = 0; i < n; i += 8) {
            memcpy(&word, text + (n - i < 8 ? n - 8 : i), 8);
            bits |= word;
        }
    } else if (n >= 4) {
        memcpy(&first, text, 4);
        memcpy(&last, text + n - 4, 4);
        bits = first | last;
    } else if (n > 0) {
        bits = (uint64_t)(text[0] | text[n / 2] | text[n - 1]);
    }
    return (bits & UINT64_C(0x8080808080808080)) == 0;
}

/* clu_is_ascii_of: the same where so many bytes may be looked at as `room` says, so that atoms as
 * they are take no branch for their length but one. */
CLU_API CLU_INLINE bool clu_is_ascii_of(const uint8_t *text, size_t n, size_t room);
CLU_INLINE bool clu_is_ascii_of(const uint8_t *text, size_t n, size_t room)
{
    uint64_t first, last;

    if (n - 1 < 8 && room >= 8) {
        first = clu_load_be64(text) >> (64 - 8 * n);
    } else if (n - 8 <= 8) {
        memcpy(&first, text, 8);
        memcpy(&last, text + n - 8, 8);
        first |= last;
    } else {
        return clu_is_ascii_any(text, n);
    }
    return (first & UINT64_C(0x8080808080808080)) == 0;
}

/* Bytes of the longest head below, a float's aside. */
#define CLU_HEAD_MAX 5

/* clu_is_end: whether a short term stands whole in so few bytes: how messages end. */
CLU_API CLU_INLINE bool clu_is_end(const uint8_t *p, size_t room);
CLU_INLINE bool clu_is_end(const uint8_t *p, size_t room)
{
    return room > 0 && (*p == ETF_NIL || (*p == ETF_SMALL_INTEGER && room > 1));
}

/* As clu_get_any_rest, but nobody else gets to see where the caller keeps the value: so it need not
 * be in memory. */
CLU_API CLU_INLINE clu_type clu_get_any_other(clu_reader *r, clu_value *value);
CLU_INLINE clu_type clu_get_any_other(clu_reader *r, clu_value *value)
{
    clu_value other;

    clu_get_any_rest(r, &other);
    *value = other;
    return other.type;
}

/* Each of the tags that are nearly always sent; all others, and most near the end of the input, go
 * the long way. Compilers take it for too long to be inline, but where it is called its switch and
 * that over the types become one. */
CLU_INLINE CLU_ALWAYS clu_type clu_get_any(clu_reader *r, clu_value *value)
{
    const uint8_t *p = r->pos;
    size_t room = (size_t)(r->end - p);
    uint64_t bits;
    size_t n;

    if (__builtin_expect(room < CLU_HEAD_MAX, 0) && !clu_is_end(p, room))
        return clu_get_any_other(r, value);
    switch (*p) {
    case ETF_SMALL_INTEGER:
        value->as.integer = p[1];
        r->pos = p + 2;
        return value->type = CLU_TYPE_INTEGER;
    case ETF_INTEGER:
        value->as.integer = (int32_t)clu_load_be32(p + 1);
        r->pos = p + 5;
        return value->type = CLU_TYPE_INTEGER;
    case ETF_NEW_FLOAT:
        if (room < 9)
            break;
        bits = clu_load_be64(p + 1);
        memcpy(&value->as.real, &bits, sizeof bits);
        r->pos = p + 9;
        return value->type = CLU_TYPE_FLOAT;
    case ETF_SMALL_ATOM_UTF8:
        n = p[1];
        if (room - 2 < n)
            break;
        value->as.bytes.data = p + 2;
        value->as.bytes.len = n;
        r->pos = p + 2 + n;
        return value->type = CLU_TYPE_ATOM;
    case ETF_BINARY:
        n = p[4];
        if (clu_load_be32(p + 1) > UINT8_MAX || room - 5 < n)
            break;
        value->as.bytes.data = p + 5;
        value->as.bytes.len = n;
        r->pos = p + 5 + n;
        return value->type = CLU_TYPE_BINARY;
    case ETF_SMALL_TUPLE:
        value->as.n = p[1];
        r->pos = p + 2;
        return value->type = CLU_TYPE_TUPLE;
    case ETF_NIL:
        value->as.n = 0;
        r->pos = p + 1;
        return value->type = CLU_TYPE_LIST;
    case ETF_ATOM:
        n = p[2];
        if (p[1] != 0 || room - 3 < n || !clu_is_ascii_of(p + 3, n, room - 3))
            break;
        value->as.bytes.data = p + 3;
        value->as.bytes.len = n;
        r->pos = p + 3 + n;
        return value->type = CLU_TYPE_ATOM;
    case ETF_LIST:
        n = clu_load_be32(p + 1);
        if (n == 0 || room - 5 < n)
            break;
        value->as.n = n;
        r->pos = p + 5;
        return value->type = CLU_TYPE_LIST;
    case ETF_MAP:
        n = clu_load_be32(p + 1);
        if ((room - 5) / 2 < n)
            break;
        value->as.n = n;
        r->pos = p + 5;
        return value->type = CLU_TYPE_MAP;
    case ETF_NEW_PID: return value->type = CLU_TYPE_PID;
    case ETF_NEWER_REFERENCE: return value->type = CLU_TYPE_REF;
    default: break;
    }
    return clu_get_any_other(r, value);
}

/* ---- atoms made once ---- */

CLU_INLINE clu_slice clu_atom_text(const clu_atom *atom)
{
    clu_slice text = {NULL, 0};

    if (atom->term != NULL) {
        text.data = atom->term + atom->head;
        text.len = (size_t)(atom->len - atom->head);
    }
    return text;
}

CLU_INLINE bool clu_atom_is(const clu_atom *atom, clu_slice text)
{
    clu_slice own = clu_atom_text(atom);

    return own.data != NULL && own.len == text.len &&
           (text.len == 0 || memcmp(own.data, text.data, text.len) == 0);
}

#endif
