/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "etf/etf.h"
#include "node/pg.h"

/* One encoding for each term, so that names of groups are compared and hashed as bytes. Encoders
 * have a choice that does not show in Erlang: tags of atoms, numbers and tuples, strings or lists
 * of bytes, a tail that is itself a list, the order of a map's pairs. What is chosen here is a
 * valid encoding too, and goes out as it is. Funs are taken as they come. */

enum level_kind {
    LEVEL_PLAIN, /* so many terms, and nothing behind them */
    LEVEL_LIST,  /* elements; then a tail */
    LEVEL_MAP,   /* keys and values by turns; then they are sorted */
};

/* A term whose parts are being read. */
struct level {
    enum level_kind kind;
    uint64_t left; /* parts that are still to come */
    uint64_t n;    /* elements of a list, pairs of a map */
    size_t at;     /* where its parts begin in the output */
};

struct naming {
    clu_reader *r;
    clu_writer *w;
    size_t depth;
    struct level levels[CLU_DEPTH_MAX];
};

static void open_level(struct naming *c, enum level_kind kind, uint64_t left, uint64_t n)
{
    if (c->depth == COUNT(c->levels)) {
        clu_reader_fail(c->r, CLU_EDEPTH);
        return;
    }
    c->levels[c->depth++] = (struct level){.kind = kind, .left = left, .n = n, .at = c->w->len};
}

/* ---- containers ---- */

static void put_bytes_as_list(struct naming *c)
{
    clu_slice bytes = clu_get_string(c->r);

    for (size_t i = 0; i < bytes.len; i++)
        clu_put_int(c->w, bytes.data[i]);
    c->levels[c->depth - 1].n += bytes.len;
}

static bool at_tag(const clu_reader *r, uint8_t tag)
{
    return clu_reader_has(r, 1) && *r->pos == tag;
}

static bool is_empty_list(clu_reader r)
{
    return at_tag(&r, ETF_NIL) || (at_tag(&r, ETF_STRING) && clu_get_string(&r).len == 0);
}

/* A list begins as if it were the tail of one. The head's number is put in at its end. */
static void open_list(struct naming *c)
{
    if (is_empty_list(*c->r)) {
        clu_get_string(c->r);
        clu_put_nil(c->w);
        return;
    }
    clu_put_list(c->w, 1);
    open_level(c, LEVEL_LIST, 0, 0);
}

static void close_list(struct naming *c, struct level *l)
{
    if (c->w->err == CLU_OK)
        put_be32(c->w->data + l->at - 4, (uint32_t)l->n);
    l->kind = LEVEL_PLAIN;
}

/* Stands where the tail is. A list as a tail goes on with this one; a string ends it, as it has no
 * tail of its own. */
static void read_tail(struct naming *c)
{
    struct level *l = &c->levels[c->depth - 1];

    if (at_tag(c->r, ETF_LIST)) {
        l->left = clu_get_list(c->r);
        l->n += l->left;
        return;
    }
    if (at_tag(c->r, ETF_STRING)) {
        put_bytes_as_list(c);
        close_list(c, l);
        clu_put_nil(c->w);
        return;
    }
    close_list(c, l);
    l->left = 1; /* the tail, whatever it is */
}

static void open_record(struct naming *c)
{
    clu_slice module, name;
    bool exported;
    size_t n = clu_get_record(c->r, &module, &name, &exported);

    clu_put_record(c->w, module, name, exported, n);
    open_level(c, LEVEL_PLAIN, 2 * (uint64_t)n, n);
}

static void read_term(struct naming *c)
{
    size_t n;

    switch (clu_peek_type(c->r)) {
    case CLU_TYPE_TUPLE:
        n = clu_get_tuple(c->r);
        clu_put_tuple(c->w, n);
        open_level(c, LEVEL_PLAIN, n, n);
        break;
    case CLU_TYPE_MAP:
        n = clu_get_map(c->r);
        clu_put_map(c->w, n);
        open_level(c, LEVEL_MAP, 2 * (uint64_t)n, n);
        break;
    case CLU_TYPE_LIST: open_list(c); break;
    case CLU_TYPE_RECORD: open_record(c); break;
    case CLU_TYPE_FUN: clu_put_term(c->w, c->r); break;
    default: etf_copy_leaf(c->r, c->w); break;
    }
}

/* ---- maps ---- */

struct pair {
    clu_slice key;
    size_t len; /* of both */
};

static int by_key(const void *a, const void *b)
{
    const clu_slice *x = &((const struct pair *)a)->key, *y = &((const struct pair *)b)->key;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static void find_pairs(struct pair *pairs, size_t n, clu_reader r)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *start = r.pos;

        pairs[i].key = clu_get_raw(&r);
        clu_skip_term(&r);
        pairs[i].len = (size_t)(r.pos - start);
    }
}

static void sort_map(struct naming *c, const struct level *l)
{
    clu_writer *w = c->w;
    size_t n = (size_t)l->n, size = w->len - l->at;

    if (n < 2 || w->err != CLU_OK)
        return;
    struct pair *pairs = calloc(n, sizeof *pairs);
    uint8_t *copy = malloc(size), *to = w->data + l->at;

    if (pairs == NULL || copy == NULL) {
        clu_writer_fail(w, CLU_ENOMEM);
        n = 0;
    } else {
        memcpy(copy, to, size);
        find_pairs(pairs, n, reader_of((clu_slice){copy, size}));
        qsort(pairs, n, sizeof *pairs, by_key);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(to, pairs[i].key.data, pairs[i].len);
        to += pairs[i].len;
    }
    free(pairs);
    free(copy);
}

/* ---- the term ---- */

static void close_level(struct naming *c)
{
    struct level *l = &c->levels[c->depth - 1];

    if (l->kind == LEVEL_LIST) {
        read_tail(c);
        return;
    }
    if (l->kind == LEVEL_MAP)
        sort_map(c, l);
    c->depth--;
}

clu_error pg_name(clu_writer *w, clu_reader *r)
{
    struct naming c; /* not cleared: most names are small */

    c.r = r;
    c.w = w;
    c.depth = 0;
    clu_writer_reset(w);
    open_level(&c, LEVEL_PLAIN, 1, 1);
    while (c.depth > 0 && r->err == CLU_OK && w->err == CLU_OK) {
        struct level *l = &c.levels[c.depth - 1];

        if (l->left == 0) {
            close_level(&c);
            continue;
        }
        l->left--;
        read_term(&c);
    }
    return r->err != CLU_OK ? r->err : w->err;
}
