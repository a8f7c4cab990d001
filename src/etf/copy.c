/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying a term away from the header that its atoms stand in: cache references become atoms.
 */
#include "etf/etf.h"
#include "etf/funs.h"

/* NEW_FUN: Size:4 and, from there on, Arity:1, Uniq:16, Index:4, NumFree:4. */
#define FUN_HEAD      29
#define FUN_NUM_FREE  25
#define FUN_OWN_TERMS 4 /* Module, OldIndex, OldUniq, Pid; of an old one Pid first */
/* FUN: NumFree:4, and nothing else before its terms. */
#define OLD_FUN_HEAD 4

struct copy {
    clu_reader *r;
    clu_writer *w;
    uint64_t left;
    struct funs funs; /* the size of each is not known before its terms are copied */
};

static void copy_record(struct copy *c)
{
    struct names names;
    bool exported;
    size_t n = etf_get_record(c->r, &names, &exported);

    if (c->r->err == CLU_OK)
        clu_put_record(c->w, names.module, names.name, exported, n);
    c->left += 2 * (uint64_t)n; /* names and values */
}

static void copy_fun(struct copy *c)
{
    const uint8_t *head = clu_reader_take(c->r, 1 + FUN_HEAD);

    if (head == NULL)
        return;
    if (!funs_push(&c->funs, c->left, c->w->len + 1))
        clu_writer_fail(c->w, CLU_ENOMEM);
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
    const struct open_fun *fun;

    while ((fun = funs_last(&c->funs)) != NULL && fun->left == c->left) {
        if (c->w->err == CLU_OK)
            put_be32(c->w->data + fun->at, (uint32_t)(c->w->len - fun->at));
        c->funs.n--;
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
    funs_init(&c.funs);
    while (c.left > 0 && r->err == CLU_OK && w->err == CLU_OK) {
        c.left--;
        copy_one(&c);
        close_funs(&c);
    }
    funs_free(&c.funs);
    if (r->err != CLU_OK)
        w->len = len;
}
