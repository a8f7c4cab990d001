/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying a term away from the header that its atoms stand in: cache references become atoms.
 */
#include "etf/etf.h"

/* Funs within the free variables of funs that are copied; what BEAMs send in practice is below
 * ten, and each is a place to come back to. */
#define FUNS_DEEP_MAX 64
/* NEW_FUN: Size:4 and, from there on, Arity:1, Uniq:16, Index:4, NumFree:4. */
#define FUN_HEAD      29
#define FUN_NUM_FREE  25
#define FUN_OWN_TERMS 4 /* Module, OldIndex, OldUniq, Pid; of an old one Pid first */
/* FUN: NumFree:4, and nothing else before its terms. */
#define OLD_FUN_HEAD 4

/* A fun whose terms are being copied: its size is not known before they are. */
struct open_fun {
    size_t at;      /* where its size stands */
    uint64_t after; /* how many terms are left when its last one is copied */
};

struct copy {
    clu_reader *r;
    clu_writer *w;
    uint64_t left;
    size_t n_funs;
    struct open_fun funs[FUNS_DEEP_MAX];
};

static void copy_record(struct copy *c)
{
    clu_slice module, name;
    bool exported;
    size_t n = clu_get_record(c->r, &module, &name, &exported);

    if (c->r->err == CLU_OK)
        clu_put_record(c->w, module, name, exported, n);
    c->left += 2 * (uint64_t)n; /* names and values */
}

static void copy_fun(struct copy *c)
{
    const uint8_t *head = clu_reader_take(c->r, 1 + FUN_HEAD);

    if (head == NULL)
        return;
    if (c->n_funs == FUNS_DEEP_MAX) {
        clu_reader_fail(c->r, CLU_EDEPTH);
        return;
    }
    c->funs[c->n_funs++] = (struct open_fun){c->w->len + 1, c->left};
    clu_put_bytes(c->w, head, 1 + FUN_HEAD);
    c->left += FUN_OWN_TERMS + (uint64_t)get_be32(head + 1 + FUN_NUM_FREE);
}

/* Its size is nowhere, so there is nothing to mend. */
static void copy_old_fun(struct copy *c)
{
    const uint8_t *head = clu_reader_take(c->r, 1 + OLD_FUN_HEAD);

    if (head == NULL)
        return;
    clu_put_bytes(c->w, head, 1 + OLD_FUN_HEAD);
    c->left += FUN_OWN_TERMS + (uint64_t)get_be32(head + 1);
}

/* The funs of which the term just copied was the last one. */
static void close_funs(struct copy *c)
{
    while (c->n_funs > 0 && c->funs[c->n_funs - 1].after == c->left) {
        size_t at = c->funs[--c->n_funs].at;

        if (c->w->err == CLU_OK)
            put_be32(c->w->data + at, (uint32_t)(c->w->len - at));
    }
}

static void copy_container(struct copy *c, clu_type type)
{
    const uint8_t *start = c->r->pos;

    switch (type) {
    case CLU_TYPE_TUPLE: c->left += clu_get_tuple(c->r); break;
    case CLU_TYPE_MAP: c->left += 2 * (uint64_t)clu_get_map(c->r); break;
    default: c->left += (uint64_t)clu_get_list(c->r) + 1; break;
    }
    if (c->r->err == CLU_OK)
        clu_put_bytes(c->w, start, (size_t)(c->r->pos - start));
}

static void copy_one(struct copy *c)
{
    clu_type type = clu_peek_type(c->r);

    switch (type) {
    case CLU_TYPE_ATOM:
    case CLU_TYPE_PID:
    case CLU_TYPE_REF:
    case CLU_TYPE_PORT:
    case CLU_TYPE_EXPORT: etf_copy_leaf(c->r, c->w); break;
    case CLU_TYPE_RECORD: copy_record(c); break;
    case CLU_TYPE_FUN:
        if (*c->r->pos == ETF_NEW_FUN)
            copy_fun(c);
        else
            copy_old_fun(c);
        break;
    case CLU_TYPE_LIST:
        if (*c->r->pos != ETF_LIST) {
            clu_put_raw(c->w, clu_get_raw(c->r));
            break;
        }
        copy_container(c, type);
        break;
    case CLU_TYPE_TUPLE:
    case CLU_TYPE_MAP: copy_container(c, type); break;
    default: clu_put_raw(c->w, clu_get_raw(c->r)); break;
    }
}

void clu_put_term(clu_writer *w, clu_reader *r)
{
    size_t len = w->len;
    struct copy c;

    if (r->refs == NULL) { /* there is nothing to resolve */
        clu_slice raw = clu_get_raw(r);

        if (r->err == CLU_OK)
            clu_put_raw(w, raw);
        return;
    }
    c.r = r;
    c.w = w;
    c.left = 1;
    c.n_funs = 0; /* the rest is written before it is read */
    while (c.left > 0 && r->err == CLU_OK && w->err == CLU_OK) {
        c.left--;
        copy_one(&c);
        close_funs(&c);
    }
    if (r->err != CLU_OK)
        w->len = len;
}
