/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/pg.h"

/* Groups of a scope, and who is in them. */

/* ---- groups ---- */

static uint64_t hash_of_name(clu_slice name)
{
    uint64_t hash = name.len;
    size_t i = 0;

    for (; name.len - i >= 8; i += 8)
        hash = index_mix(hash, get_be64(name.data + i));
    for (; i < name.len; i++)
        hash = index_mix(hash, name.data[i]);
    return hash;
}

struct pg_group *group_find(const struct pg *pg, clu_slice name)
{
    struct index_item *item = index_first(&pg->groups, hash_of_name(name));

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
    if (g == NULL || index_add(&pg->groups, &g->item, hash_of_name(name)) != CLU_OK) {
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
    uint64_t hash = index_mix((uintptr_t)g, (uintptr_t)o);

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
                                      const clu_pid *pid, bool stale)
{
    struct index_item *item = index_first(&o->pg->memberships, hash_of_member(g, o, pid));
    struct pg_membership *found = NULL;

    for (; item != NULL; item = index_next(item)) {
        struct pg_membership *m = CONTAINER_OF(item, struct pg_membership, item);
        bool is_it = m->group == g && m->owner == o && m->id == pid->id &&
                     m->serial == pid->serial && m->creation == pid->creation && m->stale == stale;

        if (is_it && (found == NULL || m->seq > found->seq))
            found = m;
    }
    return found;
}

/* What it takes of an owner's share: the name too, for its sender alone may have made the group. */
static size_t share(const struct pg_group *g)
{
    return sizeof(struct pg_membership) + g->len;
}

clu_error membership_add(struct pg_group *g, struct pg_owner *o, const clu_pid *pid,
                         struct list *behind, uint64_t seq, struct pg_membership **out)
{
    struct pg *pg = o->pg;

    *out = NULL;
    if (o->proc == NULL && o->size + share(g) > CLU_PG_PEER_MAX)
        return CLU_ESIZE;
    struct pg_membership *m = calloc(1, sizeof *m);

    if (m == NULL || index_add(&pg->memberships, &m->item, hash_of_member(g, o, pid)) != CLU_OK) {
        free(m);
        return CLU_ENOMEM;
    }
    m->group = g;
    m->owner = o;
    m->id = pid->id;
    m->serial = pid->serial;
    m->creation = pid->creation;
    m->seq = seq;
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

void membership_free(struct pg_membership *m)
{
    struct pg_group *g = m->group;
    struct pg_owner *o = m->owner;

    index_remove(&o->pg->memberships, &m->item);
    list_remove(&m->of_group);
    list_remove(&m->of_owner);
    g->n--;
    g->n_local -= o->proc != NULL;
    o->pg->n_memberships--;
    o->pg->n_local -= o->proc != NULL;
    o->size -= share(g);
    free(m);
}
