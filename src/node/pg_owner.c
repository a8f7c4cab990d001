/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/pg.h"

/* Processes of ours that have joined, and the scopes of other nodes. */

static uint64_t hash_of(const struct pg *pg, const clu_pid *pid)
{
    return index_mix(index_mix(pg->self->node->seed, pid->id), pid->serial);
}

static bool is_pid(const struct pg_owner *o, const clu_pid *pid)
{
    clu_pid own = o->proc != NULL ? process_pid(o->proc) : o->pid;

    return own.id == pid->id && own.serial == pid->serial && own.creation == pid->creation &&
           slice_equal(own.node, pid->node);
}

struct pg_owner *owner_find(const struct pg *pg, const clu_pid *pid)
{
    struct index_item *item = index_first(&pg->owners, hash_of(pg, pid));

    for (; item != NULL; item = index_next(item)) {
        struct pg_owner *o = CONTAINER_OF(item, struct pg_owner, item);

        if (is_pid(o, pid))
            return o;
    }
    return NULL;
}

clu_error owner_new(struct pg *pg, struct clu_process *proc, const clu_pid *pid,
                    struct pg_owner **out)
{
    struct pg_owner *o = calloc(1, sizeof *o);

    *out = NULL;
    if (o == NULL || index_add(&pg->owners, &o->item, hash_of(pg, pid)) != CLU_OK) {
        free(o);
        return CLU_ENOMEM;
    }
    o->pg = pg;
    o->proc = proc;
    o->pid = *pid;
    list_init(&o->memberships);
    list_init(&o->stale);
    list_init(&o->peers);
    if (proc == NULL) {
        list_append(&pg->peers, &o->peers);
        pg->n_peers++;
    }
    *out = o;
    return CLU_OK;
}

void owner_forget(struct pg_owner *o)
{
    index_remove(&o->pg->owners, &o->item);
    o->pg->n_peers -= o->proc == NULL;
    list_remove(&o->peers);
    free(o);
}

void owner_free(struct pg_owner *o)
{
    struct tie *t = o->tie;

    owner_forget(o);
    if (t != NULL)
        tie_end(t);
}

/* ---- its end ---- */

/* The process has ended, or its node has gone. */
static void owner_gone(struct tie *t, clu_reader reason)
{
    struct pg_owner *o = t->arg;
    struct pg *pg = o->pg;
    struct clu_process *before = hold_runs(pg);

    (void)reason;
    if (o->proc != NULL)
        tell_gone(o);
    owner_drop(o);
    owner_forget(o);
    tie_free(t);
    pg->self->node->running = before;
}

clu_error owner_watch(struct pg_owner *o)
{
    clu_to to = clu_to_pid(o->proc != NULL ? process_pid(o->proc) : o->pid);
    struct tie *t = tie_new(o->pg->self, TIE_MONITOR);

    if (t == NULL)
        return CLU_ENOMEM;
    o->tie = t;
    t->arg = o;
    t->on_down = owner_gone;
    return tie_watch(t, &to);
}

/* ---- what it was in ---- */

void owner_age(struct pg_owner *o)
{
    list_take(&o->stale, &o->memberships);
    for (struct list *at = o->stale.next; at != &o->stale; at = at->next) {
        struct pg_membership *m = CONTAINER_OF(at, struct pg_membership, of_owner);

        m->stale = true;
        m->aged = m;
    }
}

/* Group by group, so that there is one piece of news for each. */
static void drop_stale_of(struct pg_owner *o, struct pg_group *g)
{
    struct pg_news news;

    news_begin(&news, o->pg, g, false);
    for (struct list *at = g->memberships.next, *next; at != &g->memberships; at = next) {
        struct pg_membership *m = CONTAINER_OF(at, struct pg_membership, of_group);

        next = at->next;
        if (m->owner != o || !m->stale)
            continue;
        clu_pid pid = membership_pid(m);

        news_add(&news, &pid);
        membership_free(m);
    }
    news_tell(&news);
    group_release(o->pg, g);
}

void owner_drop_stale(struct pg_owner *o)
{
    while (!list_empty(&o->stale))
        drop_stale_of(o, CONTAINER_OF(o->stale.next, struct pg_membership, of_owner)->group);
}

void owner_drop(struct pg_owner *o)
{
    owner_age(o);
    owner_drop_stale(o);
}

/* The rest of a sync that was cut short is stale already. */
void owner_lose(struct pg_owner *o)
{
    owner_drop_stale(o);
    owner_drop(o);
    o->lost = true;
    o->again_ms = o->pg->self->node->now_ms + PG_AGAIN_MS;
    o->pg->ignored++;
    tell_later(o->pg);
}
