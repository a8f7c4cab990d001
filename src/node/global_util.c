/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* ---- lists of node names ---- */

clu_error nodelist_add(struct nodelist *l, clu_slice name)
{
    char **more = realloc(l->names, (l->n + 1) * sizeof *more);

    if (more == NULL)
        return CLU_ENOMEM;
    l->names = more;
    more[l->n] = strndup((const char *)name.data, name.len);
    if (more[l->n] == NULL)
        return CLU_ENOMEM;
    l->n++;
    return CLU_OK;
}

clu_error nodelist_copy(struct nodelist *to, const struct nodelist *from)
{
    clu_error err = CLU_OK;

    for (size_t i = 0; i < from->n && err == CLU_OK; i++)
        err = nodelist_add(to, slice_of(from->names[i]));
    return err;
}

bool nodelist_has(const struct nodelist *l, clu_slice name)
{
    for (size_t i = 0; i < l->n; i++)
        if (slice_is(name, l->names[i]))
            return true;
    return false;
}

void nodelist_remove(struct nodelist *l, clu_slice name)
{
    for (size_t i = 0; i < l->n; i++) {
        if (!slice_is(name, l->names[i]))
            continue;
        free(l->names[i]);
        l->n--;
        memmove(l->names + i, l->names + i + 1, (l->n - i) * sizeof *l->names);
        return;
    }
}

void nodelist_free(struct nodelist *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->names[i]);
    free(l->names);
    *l = (struct nodelist){0};
}

const char *nodelist_boss(const struct nodelist *l)
{
    const char *boss = "";

    for (size_t i = 0; i < l->n; i++)
        if (name_compare(slice_of(l->names[i]), slice_of(boss)) > 0)
            boss = l->names[i];
    return boss;
}

/* ---- Erlang's orders ---- */

static int compare_uint(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

/* UTF-8 keeps the order of the characters. */
int name_compare(clu_slice a, clu_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.data, b.data, n);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int pid_compare(const clu_pid *a, const clu_pid *b)
{
    int order = compare_uint(a->serial, b->serial);

    if (order == 0)
        order = compare_uint(a->id, b->id);
    if (order == 0)
        order = name_compare(a->node, b->node);
    return order != 0 ? order : compare_uint(a->creation, b->creation);
}

bool pid_equal(const clu_pid *a, const clu_pid *b)
{
    return pid_compare(a, b) == 0;
}

/* ---- terms ---- */

void terms_init(struct terms *t)
{
    clu_writer_init(&t->w);
    t->n = 0;
}

void terms_free(struct terms *t)
{
    clu_writer_free(&t->w);
    terms_init(t);
}

void terms_put(clu_writer *w, const struct terms *t)
{
    clu_put_list(w, t->n);
    clu_put_bytes(w, t->w.data, t->w.len);
    clu_put_nil(w);
}

void terms_take(struct terms *t, clu_reader *r)
{
    size_t n = clu_get_list(r);

    for (size_t i = 0; i < n && r->err == CLU_OK; i++)
        clu_put_term(&t->w, r);
    if (n > 0)
        clu_get_nil(r);
    if (r->err == CLU_OK)
        t->n += n;
}

clu_reader terms_read(const struct terms *t)
{
    return read_written(&t->w);
}

void copy_term(clu_writer *w, clu_reader *r)
{
    clu_writer_reset(w);
    clu_put_term(w, r);
}

/* ---- pids that are kept ---- */

clu_error own_pid_set(struct own_pid *p, const clu_pid *pid)
{
    char *node = strndup((const char *)pid->node.data, pid->node.len);

    if (node == NULL)
        return CLU_ENOMEM;
    clu_pid copy = *pid; /* it may be a part of *p */

    free(p->node);
    p->node = node;
    p->pid = copy;
    p->pid.node = slice_of(node);
    return CLU_OK;
}

void own_pid_free(struct own_pid *p)
{
    free(p->node);
    *p = (struct own_pid){0};
}
