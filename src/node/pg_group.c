/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/pg.h"

/* Groups of a scope, and who is in them. */

/* ---- groups ---- */

static uint64_t hash_of_name(const struct pg *pg, clu_slice name)
{
    uint64_t hash = index_mix(pg->self->node->seed, name.len);
    size_t i = 0;

    for (; name.len - i >= 8; i += 8)
        hash = index_mix(hash, get_be64(name.data + i));
    for (; i < name.len; i++)
        hash = index_mix(hash, name.data[i]);
    return hash;
}

struct pg_group *group_find(const struct pg *pg, clu_slice name)
{
    struct index_item *item = index_first(&pg->groups, hash_of_name(pg, name));

    for (; item != NULL; item = index_next(item)) {
        struct pg_group *g = CONTAINER_OF(item, struct pg_group, item);

        if (slice_equal(pg_name_of(g), name))
            return g;
    }
    return NULL;
}

struct pg_group *group_get(struct pg *pg, clu_slice name)
{
    struct pg_group *g = group_find(pg, name);

    if (g != NULL)
        return g;
    g = calloc(1, sizeof *g + name.len);
    if (g == NULL || index_add(&pg->groups, &g->item, hash_of_name(pg, name)) != CLU_OK) {
        free(g);
        return NULL;
    }
    g->len = name.len;
    memcpy(g->name, name.data, name.len);
    list_init(&g->memberships);
    list_append(&pg->all_groups, &g->of_scope);
    pg->n_groups++;
    return g;
}

void group_release(struct pg *pg, struct pg_group *g)
{
    if (g == NULL || g->n > 0)
        return;
    index_remove(&pg->groups, &g->item);
    list_remove(&g->of_scope);
    pg->n_groups--;
    free(g);
}

/* ---- memberships ---- */

static uint64_t hash_of_member(const struct pg_group *g, const struct pg_owner *o,
                               const clu_pid *pid)
{
    uint64_t hash = index_mix(index_mix(o->pg->self->node->seed, (uintptr_t)g), (uintptr_t)o);

    return index_mix(hash, (uint64_t)pid->id << 32 | pid->serial);
}

clu_pid membership_pid(const struct pg_membership *m)
{
    if (m->owner->proc != NULL)
        return process_pid(m->owner->proc);
    return (clu_pid){
        .node = m->owner->pid.node, .id = m->id, .serial = m->serial, .creation = m->creation};
}

struct pg_membership *membership_find(const struct pg_group *g, const struct pg_owner *o,
                                      const clu_pid *pid)
{
    struct index_item *item = index_first(&o->pg->memberships, hash_of_member(g, o, pid));

    for (; item != NULL; item = index_next(item)) {
        struct pg_membership *m = CONTAINER_OF(item, struct pg_membership, item);

        if (m->group == g && m->owner == o && m->id == pid->id && m->serial == pid->serial &&
            m->creation == pid->creation)
            return m;
    }
    return NULL;
}

static struct pg_membership *next_equal(const struct pg_membership *m)
{
    return CONTAINER_OF(m->equals.next, struct pg_membership, equals);
}

/* Each is looked at once a sync, however many there are. */
bool membership_refresh(struct pg_membership *first)
{
    struct pg_membership *m = first->aged;

    if (m == NULL || !m->stale)
        return false;
    m->stale = false;
    list_remove(&m->of_owner);
    list_append(&m->owner->memberships, &m->of_owner);
    m = next_equal(m);
    first->aged = m == first ? NULL : m;
    return true;
}

/* What it takes of an owner's share: the name too, for its sender alone may have made the group. */
static size_t share(const struct pg_group *g)
{
    return sizeof(struct pg_membership) + g->len;
}

/* Into the ring and the index. */
static clu_error place(struct pg_membership *m, struct pg_membership *first, uint64_t hash)
{
    struct index *x = &m->owner->pg->memberships;

    if (first != NULL && first->batch == m->batch) {
        list_prepend(&first->last->equals, &m->equals);
        first->last = m;
        return CLU_OK;
    }
    clu_error err = index_add(x, &m->item, hash);

    if (err != CLU_OK)
        return err;
    if (first != NULL) {
        list_append(&first->equals, &m->equals);
        index_remove(x, &first->item);
        first->first = false;
    }
    m->first = true;
    m->last = m;
    return CLU_OK;
}

clu_error membership_add(struct pg_group *g, struct pg_owner *o, const clu_pid *pid,
                         struct list *behind, uint64_t batch, struct pg_membership **out)
{
    struct pg *pg = o->pg;
    struct pg_membership *m = NULL;

    *out = NULL;
    if (o->proc == NULL && o->size + share(g) > CLU_PG_PEER_MAX)
        return CLU_ESIZE;
    m = calloc(1, sizeof *m);
    if (m == NULL)
        return CLU_ENOMEM;
    *m = (struct pg_membership){.group = g,
                                .owner = o,
                                .id = pid->id,
                                .serial = pid->serial,
                                .creation = pid->creation,
                                .batch = batch};
    list_init(&m->equals);
    if (place(m, membership_find(g, o, pid), hash_of_member(g, o, pid)) != CLU_OK) {
        free(m);
        return CLU_ENOMEM;
    }
    list_prepend(behind, &m->of_group);
    list_prepend(&o->memberships, &m->of_owner);
    g->n++;
    g->n_local += o->proc != NULL;
    pg->n_memberships++;
    pg->n_local += o->proc != NULL;
    o->size += share(g);
    *out = m;
    return CLU_OK;
}

/* The next of its equals becomes the first: its batch is over by now. */
static void unplace(struct pg_membership *m)
{
    struct index *x = &m->owner->pg->memberships;
    struct pg_membership *next = next_equal(m);

    if (m->first)
        index_remove(x, &m->item);
    list_remove(&m->equals);
    if (!m->first || next == m)
        return;
    next->first = true;
    next->last = next;
    next->batch = 0;
    /* One was taken out just now, so there are buckets: this cannot fail. */
    clu_error err = index_add(x, &next->item, m->item.hash);

    (void)err;
}

void membership_free(struct pg_membership *m)
{
    struct pg_group *g = m->group;
    struct pg_owner *o = m->owner;

    unplace(m);
    list_remove(&m->of_group);
    list_remove(&m->of_owner);
    g->n--;
    g->n_local -= o->proc != NULL;
    o->pg->n_memberships--;
    o->pg->n_local -= o->proc != NULL;
    o->size -= share(g);
    free(m);
}
