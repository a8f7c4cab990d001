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

static void put_pid(clu_reader *r, clu_writer *w)
{
    clu_pid pid = clu_get_pid(r);

    clu_put_pid(w, &pid);
}

static void put_ref(clu_reader *r, clu_writer *w)
{
    clu_ref ref = clu_get_ref(r);

    clu_put_ref(w, &ref);
}

static void put_port(clu_reader *r, clu_writer *w)
{
    clu_port port = clu_get_port(r);

    clu_put_port(w, &port);
}

static void put_export(clu_reader *r, clu_writer *w)
{
    clu_slice module, function;
    uint8_t arity;

    clu_get_export(r, &module, &function, &arity);
    clu_put_export(w, module, function, arity);
}

/* A leaf that names atoms. Where those are in Latin-1 they are none of a cache, and the bytes can
 * stay. */
static void copy_named(struct copy *c, void (*put)(clu_reader *, clu_writer *))
{
    clu_reader start = *c->r;
    size_t len = c->w->len;
    clu_error err = c->w->err;

    put(c->r, c->w);
    if (c->r->err == CLU_EATOM) {
        *c->r = start;
        c->w->len = len;
        c->w->err = err;
        clu_put_raw(c->w, clu_get_raw(c->r));
    }
}

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

static void copy_atom(struct copy *c)
{
    uint8_t utf8[CLU_ATOM_BYTES_MAX];
    clu_slice text = clu_get_atom_utf8(c->r, utf8);

    if (c->r->err == CLU_OK)
        clu_put_atom(c->w, text);
}

static void copy_one(struct copy *c)
{
    clu_type type = clu_peek_type(c->r);

    switch (type) {
    case CLU_TYPE_ATOM: copy_atom(c); break;
    case CLU_TYPE_PID: copy_named(c, put_pid); break;
    case CLU_TYPE_REF: copy_named(c, put_ref); break;
    case CLU_TYPE_PORT: copy_named(c, put_port); break;
    case CLU_TYPE_EXPORT: copy_named(c, put_export); break;
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
    struct copy c = {.r = r, .w = w, .left = 1};

    if (r->refs == NULL) { /* there is nothing to resolve */
        clu_slice raw = clu_get_raw(r);

        if (r->err == CLU_OK)
            clu_put_raw(w, raw);
        return;
    }
    while (c.left > 0 && r->err == CLU_OK && w->err == CLU_OK) {
        c.left--;
        copy_one(&c);
        close_funs(&c);
    }
    if (r->err != CLU_OK)
        w->len = len;
}
