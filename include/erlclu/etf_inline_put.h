/* SPDX-License-Identifier: Apache-2.0
 *
 * The writers that every message goes through, inline; see etf_inline.h.
 */
#ifndef ERLCLU_ETF_INLINE_PUT_H
#define ERLCLU_ETF_INLINE_PUT_H

CLU_INLINE uint8_t *clu_writer_add(clu_writer *w, size_t n)
{
    uint8_t *p;

    if (w->err != CLU_OK || w->cap - w->len < n || w->data == NULL)
        return clu_writer_grow(w, n);
    p = w->data + w->len;
    w->len += n;
    return p;
}

CLU_INLINE void clu_put_bytes(clu_writer *w, const void *data, size_t n)
{
    uint8_t *p = clu_writer_add(w, n);

    if (p != NULL && n > 0)
        memcpy(p, data, n);
}

CLU_INLINE void clu_put_version(clu_writer *w)
{
    uint8_t *p = clu_writer_add(w, 1);

    if (p != NULL)
        *p = ETF_VERSION;
}

CLU_INLINE void clu_put_int(clu_writer *w, int64_t value)
{
    uint8_t *p;

    if (value >= 0 && value <= UINT8_MAX) {
        p = clu_writer_add(w, 2);
        if (p != NULL) {
            p[0] = ETF_SMALL_INTEGER;
            p[1] = (uint8_t)value;
        }
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        p = clu_writer_add(w, 5);
        if (p != NULL) {
            p[0] = ETF_INTEGER;
            clu_store_be32(p + 1, (uint32_t)value);
        }
    } else {
        clu_put_int_any(w, value);
    }
}

CLU_INLINE void clu_put_tuple(clu_writer *w, size_t arity)
{
    uint8_t *p;

    if (arity > UINT8_MAX) {
        clu_put_tuple_any(w, arity);
        return;
    }
    p = clu_writer_add(w, 2);
    if (p != NULL) {
        p[0] = ETF_SMALL_TUPLE;
        p[1] = (uint8_t)arity;
    }
}

/* clu_put_head: a tag and a length or count of four bytes. */
CLU_API CLU_INLINE void clu_put_head(clu_writer *w, uint8_t tag, size_t n);
CLU_INLINE void clu_put_head(clu_writer *w, uint8_t tag, size_t n)
{
    uint8_t *p;

    if (n > UINT32_MAX) {
        clu_writer_fail(w, CLU_ESIZE);
        return;
    }
    p = clu_writer_add(w, 5);
    if (p != NULL) {
        p[0] = tag;
        clu_store_be32(p + 1, (uint32_t)n);
    }
}

CLU_INLINE void clu_put_list(clu_writer *w, size_t n)
{
    if (n > 0)
        clu_put_head(w, ETF_LIST, n);
}

CLU_INLINE void clu_put_nil(clu_writer *w)
{
    uint8_t *p = clu_writer_add(w, 1);

    if (p != NULL)
        *p = ETF_NIL;
}

CLU_INLINE void clu_put_map(clu_writer *w, size_t pairs)
{
    clu_put_head(w, ETF_MAP, pairs);
}

/* clu_copy_short: at most CLU_SHORT bytes, by two loads that overlap: what a call of memcpy, or the
 * loop that compilers make of it, takes several times as long for. */
#define CLU_SHORT 32
CLU_API CLU_INLINE void clu_copy_short(uint8_t *to, const uint8_t *from, size_t n);
CLU_INLINE void clu_copy_short(uint8_t *to, const uint8_t *from, size_t n)
{
    uint64_t words[4];
    uint32_t first, last;

    if (n >= 16) {
        memcpy(words, from, 16);
        memcpy(words + 2, from + n - 16, 16);
        memcpy(to, words, 16);
        memcpy(to + n - 16, words + 2, 16);
    } else if (n >= 8) {
        memcpy(words, from, 8);
        memcpy(words + 1, from + n - 8, 8);
        memcpy(to, words, 8);
        memcpy(to + n - 8, words + 1, 8);
    } else if (n >= 4) {
        memcpy(&first, from, 4);
        memcpy(&last, from + n - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + n - 4, &last, 4);
    } else if (n > 0) {
        to[0] = from[0];
        to[n / 2] = from[n / 2];
        to[n - 1] = from[n - 1];
    }
}

CLU_INLINE void clu_put_binary(clu_writer *w, const void *data, size_t len)
{
    uint8_t *p;

    if (len > CLU_SHORT) {
        clu_put_head(w, ETF_BINARY, len);
        clu_put_bytes(w, data, len);
        return;
    }
    p = clu_writer_add(w, 5 + len);
    if (p != NULL) {
        p[0] = ETF_BINARY;
        clu_store_be32(p + 1, (uint32_t)len);
        clu_copy_short(p + 5, (const uint8_t *)data, len);
    }
}

#endif
