/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "node/calls.h"

/* The functions that others may call: the table is all there is. */

/* Two names, each with a zero behind it, and the arity. A name of ours holds no zero, so a caller's
 * name with one in it never makes a key of the table. */
#define KEY_SIZE (2 * (CLU_ATOM_BYTES_MAX + 1) + 1)

static clu_slice make_key(uint8_t key[KEY_SIZE], clu_slice module, clu_slice function, size_t arity)
{
    uint8_t *to = key;

    memcpy(to, module.data, module.len);
    to += module.len;
    *to++ = 0;
    memcpy(to, function.data, function.len);
    to += function.len;
    *to++ = 0;
    *to++ = (uint8_t)arity;
    return (clu_slice){key, (size_t)(to - key)};
}

/* ---- what somebody asks for ---- */

bool mfa_names(struct mfa *m, clu_reader *r)
{
    m->module = clu_get_atom_utf8(r, m->texts[0]);
    m->function = clu_get_atom_utf8(r, m->texts[1]);
    return r->err == CLU_OK;
}

/* A list of small integers comes as a STRING: it has no tail to look at. */
bool mfa_args(struct mfa *m)
{
    clu_reader r = m->args;

    if (r.pos < r.end && *r.pos == ETF_STRING) {
        m->arity = clu_get_string(&r).len;
        return r.err == CLU_OK;
    }
    m->arity = clu_get_list(&r);
    for (size_t i = 0; i < m->arity; i++)
        clu_skip_term(&r);
    if (m->arity > 0)
        clu_get_nil(&r);
    return r.err == CLU_OK;
}

struct export *export_find(const struct clu_node *n, const struct mfa *m)
{
    uint8_t key[KEY_SIZE];

    if (m->arity > UINT8_MAX)
        return NULL;
    return map_get(&n->exports, make_key(key, m->module, m->function, m->arity));
}

bool node_misspoke(struct clu_node *n, char *out, size_t size)
{
    const struct export *f = n->misspoke;

    n->misspoke = NULL;
    if (f != NULL)
        snprintf(out, size, "%.*s:%.*s/%u", (int)f->module.len, (const char *)f->module.data,
                 (int)f->function.len, (const char *)f->function.data, f->arity);
    return f != NULL;
}

/* ---- the table ---- */

static struct export *make(clu_slice module, clu_slice function)
{
    struct export *f = malloc(sizeof *f + module.len + function.len);

    if (f == NULL)
        return NULL;
    memcpy(f->names, module.data, module.len);
    memcpy(f->names + module.len, function.data, function.len);
    f->module = (clu_slice){f->names, module.len};
    f->function = (clu_slice){f->names + module.len, function.len};
    return f;
}

static bool is_name(clu_slice name)
{
    return name.len > 0 && name.len <= CLU_ATOM_BYTES_MAX;
}

clu_error export_new(struct clu_node *n, const char *module, const char *function, unsigned arity,
                     clu_function *handler, void *arg)
{
    clu_slice m = slice_of(module), f = slice_of(function);
    uint8_t key[KEY_SIZE];

    if (!is_name(m) || !is_name(f) || arity > UINT8_MAX || handler == NULL)
        return CLU_EBADARG;
    struct export *e = make(m, f);

    if (e == NULL)
        return CLU_ENOMEM;
    e->handler = handler;
    e->arg = arg;
    e->arity = arity;
    e->misspoke = false;
    clu_error err = map_put(&n->exports, make_key(key, m, f, arity), e);

    if (err != CLU_OK)
        free(e);
    return err;
}

void clu_export(clu_node *n, const char *module, const char *function, unsigned arity,
                clu_function *handler, void *arg)
{
    if (n == NULL)
        return; /* clu_main says it */
    clu_error err = export_new(n, module, function, arity, handler, arg);

    if (err != CLU_OK)
        node_fail(n, err, "cannot export %.100s:%.100s/%u: %s", module, function, arity,
                  clu_strerror(err));
}

void exports_free(struct clu_node *n)
{
    const struct map_entry *at = NULL;
    struct export *e;

    while ((e = map_next(&n->exports, &at, NULL)) != NULL)
        free(e);
    map_free(&n->exports);
}
