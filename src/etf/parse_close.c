/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/parse.h"

#include <stdlib.h>

#define SMALL_INTEGER_BYTES 2

/* Takes n bytes out at a place. */
static void cut(clu_writer *out, size_t at, size_t n)
{
    memmove(out->data + at, out->data + at + n, out->len - at - n);
    out->len -= n;
}

static void set_head(clu_writer *out, size_t at, uint8_t tag, size_t n)
{
    out->data[at] = tag;
    put_be32(out->data + at + 1, (uint32_t)n);
}

void close_tuple(clu_writer *out, size_t at, size_t n)
{
    if (out->err != CLU_OK)
        return;
    if (n > UINT8_MAX) {
        set_head(out, at, ETF_LARGE_TUPLE, n);
        return;
    }
    cut(out, at, PARSE_HEAD - 2);
    out->data[at] = ETF_SMALL_TUPLE;
    out->data[at + 1] = (uint8_t)n;
}

/* ---- lists ---- */

/* A STRING as a tail becomes elements; how many. */
static size_t unfold_string(clu_writer *out, size_t tail)
{
    size_t n = get_be16(out->data + tail + 1);

    /* Two bytes for each in place of a head of three and one for each. */
    if (n > 3 && clu_writer_add(out, n - 3) == NULL)
        return 0;
    uint8_t *p = out->data + tail;

    /* From the far end of their new place the bytes are never overtaken. */
    memmove(p + n, p + 3, n);
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = p[n + i];

        p[SMALL_INTEGER_BYTES * i] = ETF_SMALL_INTEGER;
        p[SMALL_INTEGER_BYTES * i + 1] = byte;
    }
    out->len = tail + n * SMALL_INTEGER_BYTES;
    return n;
}

/* Whether the n elements at p, with nothing behind them, are all bytes. */
static bool are_bytes(const uint8_t *p, const uint8_t *end, size_t n)
{
    if ((size_t)(end - p) != n * SMALL_INTEGER_BYTES)
        return false;
    for (size_t i = 0; i < n; i++)
        if (p[SMALL_INTEGER_BYTES * i] != ETF_SMALL_INTEGER)
            return false;
    return true;
}

static void fold_string(clu_writer *out, size_t at, size_t n)
{
    uint8_t *p = out->data + at;

    p[0] = ETF_STRING;
    put_be16(p + 1, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        p[3 + i] = p[PARSE_HEAD + SMALL_INTEGER_BYTES * i + 1];
    out->len = at + 3 + n;
}

static void close_proper(clu_writer *out, size_t at, size_t n)
{
    const uint8_t *p = out->data + at;

    if (n == 0) {
        out->len = at;
        clu_put_nil(out);
    } else if (n <= UINT16_MAX && are_bytes(p + PARSE_HEAD, out->data + out->len, n)) {
        fold_string(out, at, n);
    } else {
        set_head(out, at, ETF_LIST, n);
        clu_put_nil(out);
    }
}

void close_list(clu_writer *out, size_t at, size_t n, size_t tail)
{
    uint8_t tag = out->err == CLU_OK && tail != 0 ? out->data[tail] : 0;

    if (out->err != CLU_OK)
        return;
    if (tag == ETF_STRING)
        n += unfold_string(out, tail);
    else if (tag == ETF_NIL)
        out->len = tail;
    if (tail == 0 || tag == ETF_STRING || tag == ETF_NIL) {
        if (out->err == CLU_OK)
            close_proper(out, at, n);
        return;
    }
    if (tag == ETF_LIST) {
        n += get_be32(out->data + tail + 1);
        cut(out, tail, PARSE_HEAD);
    }
    set_head(out, at, ETF_LIST, n);
}

/* ---- maps ---- */

struct pair {
    clu_slice key;
    size_t len; /* of key and value */
};

/* By key; of equal keys the one that stands later comes first. No term is the beginning of another,
 * so that keys of different lengths differ before the shorter one ends. */
static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = memcmp(x->key.data, y->key.data, min_u64(x->key.len, y->key.len));

    if (order != 0)
        return order;
    return x->key.data > y->key.data ? -1 : 1;
}

static void find_pairs(struct pair *pairs, size_t n, const uint8_t *start, const uint8_t *end)
{
    clu_reader r = {.pos = start, .end = end};

    for (size_t i = 0; i < n; i++) {
        const uint8_t *pair = r.pos;

        pairs[i].key = clu_get_raw(&r);
        clu_skip_term(&r);
        pairs[i].len = (size_t)(r.pos - pair);
    }
}

/* Writes the pairs to `to` without those whose key came before; how many there are. */
static size_t put_pairs(clu_writer *to, const struct pair *pairs, size_t n)
{
    size_t unique = 0;

    for (size_t i = 0; i < n; i++) {
        if (i > 0 && slice_equal(pairs[i].key, pairs[i - 1].key))
            continue;
        clu_put_bytes(to, pairs[i].key.data, pairs[i].len);
        unique++;
    }
    return unique;
}

void close_map(clu_writer *out, size_t at, size_t n)
{
    if (out->err != CLU_OK)
        return;
    if (n < 2) {
        set_head(out, at, ETF_MAP, n);
        return;
    }
    size_t terms = at + PARSE_HEAD, len = out->len - terms;
    struct pair *pairs = calloc(n, sizeof *pairs);
    uint8_t *copy = malloc(len);

    if (pairs == NULL || copy == NULL) {
        clu_writer_fail(out, CLU_ENOMEM);
    } else {
        memcpy(copy, out->data + terms, len);
        find_pairs(pairs, n, copy, copy + len);
        qsort(pairs, n, sizeof *pairs, compare_pairs);
        out->len = terms;
        set_head(out, at, ETF_MAP, put_pairs(out, pairs, n));
    }
    free(copy);
    free(pairs);
}
