/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* The locks that are held at this node: by a resource the requester that has it, and the processes
 * that share it. A lock goes with the last of them. */

bool lock_id_read(clu_slice id, clu_slice *resource, clu_slice *requester)
{
    clu_reader r = reader_of(id);

    if (clu_get_tuple(&r) != 2)
        return false;
    *resource = clu_get_raw(&r);
    *requester = clu_get_raw(&r);
    return r.err == CLU_OK && r.pos == r.end;
}

static const uint8_t resource_global[] = {ETF_SMALL_ATOM_UTF8, 6, 'g', 'l', 'o', 'b', 'a', 'l'};

struct glock *global_lock(const struct global *g)
{
    return map_get(&g->locks, (clu_slice){resource_global, sizeof resource_global});
}

static struct gholder *holder_of(const struct glock *l, const clu_pid *pid)
{
    for (struct list *at = l->holders.next; at != &l->holders; at = at->next) {
        struct gholder *h = CONTAINER_OF(at, struct gholder, list);

        if (pid_equal(&h->pid.pid, pid))
            return h;
    }
    return NULL;
}

bool lock_is_held_under(const struct global *g, const struct under_lock *lock)
{
    const struct glock *l = global_lock(g);
    clu_slice resource, requester;

    if (l == NULL)
        return !g->lock_down;
    if (lock->pid != NULL)
        return holder_of(l, lock->pid) != NULL;
    return lock_id_read(lock->lock_id, &resource, &requester) &&
           slice_equal(requester, l->requester);
}

/* ---- going ---- */

static void holder_free(struct gholder *h)
{
    struct tie *t = slots_get(&h->lock->g->node->ties, h->tie);

    if (t != NULL)
        tie_end(t);
    list_remove(&h->list);
    own_pid_free(&h->pid);
    free(h);
}

static void glock_free(struct glock *l)
{
    while (!list_empty(&l->holders))
        holder_free(CONTAINER_OF(l->holders.next, struct gholder, list));
    free((void *)(uintptr_t)l->resource.data);
    free((void *)(uintptr_t)l->requester.data);
    free(l);
}

/* down: who held it is gone. Names that come under a lock that went so are not taken. */
static void let_go(struct gholder *h, bool down)
{
    struct glock *l = h->lock;
    struct global *g = l->g;

    holder_free(h);
    if (!list_empty(&l->holders))
        return;
    if (l == global_lock(g))
        g->lock_down = down;
    map_remove(&g->locks, l->resource);
    glock_free(l);
}

void lock_del(struct global *g, clu_slice id, const clu_pid *pid)
{
    clu_slice resource, requester;
    struct glock *l = lock_id_read(id, &resource, &requester) ? map_get(&g->locks, resource) : NULL;
    struct gholder *h =
        l != NULL && slice_equal(l->requester, requester) ? holder_of(l, pid) : NULL;

    if (h != NULL)
        let_go(h, false);
}

static void holder_gone(struct tie *t, clu_reader reason)
{
    struct gholder *h = t->arg;

    (void)reason;
    h->tie = 0;
    tie_free(t);
    let_go(h, true);
}

void locks_free(struct global *g)
{
    const struct map_entry *at = NULL;
    struct glock *l;

    while ((l = map_next(&g->locks, &at, NULL)) != NULL)
        glock_free(l);
    map_free(&g->locks);
}

static struct gholder *holder_at(const struct global *g, clu_slice node)
{
    const struct map_entry *at = NULL;
    const struct glock *l;

    while ((l = map_next(&g->locks, &at, NULL)) != NULL)
        for (struct list *i = l->holders.next; i != &l->holders; i = i->next) {
            struct gholder *h = CONTAINER_OF(i, struct gholder, list);

            if (slice_equal(h->pid.pid.node, node))
                return h;
        }
    return NULL;
}

void locks_of_node_delete(struct global *g, clu_slice node)
{
    struct gholder *h;

    while ((h = holder_at(g, node)) != NULL)
        let_go(h, true);
}

/* ---- coming ---- */

bool lock_can_set(const struct global *g, clu_slice id)
{
    clu_slice resource, requester;

    if (!lock_id_read(id, &resource, &requester))
        return false;
    const struct glock *l = map_get(&g->locks, resource);

    return l == NULL || slice_equal(l->requester, requester);
}

static struct glock *glock_new(struct global *g, clu_slice resource, clu_slice requester)
{
    struct glock *l = calloc(1, sizeof *l);
    uint8_t *a = malloc(resource.len), *b = malloc(requester.len);

    if (l != NULL && a != NULL && b != NULL) {
        list_init(&l->holders);
        l->g = g;
        memcpy(a, resource.data, resource.len);
        memcpy(b, requester.data, requester.len);
        l->resource = (clu_slice){a, resource.len};
        l->requester = (clu_slice){b, requester.len};
        if (map_put(&g->locks, resource, l) == CLU_OK)
            return l;
    }
    free(a);
    free(b);
    free(l);
    return NULL;
}

/* The process may turn out to be gone at once: then so is the lock, perhaps. */
static bool holder_watch(struct global *g, struct gholder *h)
{
    clu_to to = clu_to_pid(h->pid.pid);
    struct tie *t = tie_new(g->server, TIE_MONITOR);

    if (t == NULL)
        return false;
    slot_id id = h->tie = t->id;

    t->on_down = holder_gone;
    t->arg = h;
    if (tie_watch(t, &to) == CLU_OK || slots_get(&g->node->ties, id) == NULL)
        return true;
    h->tie = 0;
    tie_free(t);
    return false;
}

static bool holder_add(struct glock *l, const clu_pid *pid)
{
    struct gholder *h = calloc(1, sizeof *h);

    if (h == NULL)
        return false;
    h->lock = l;
    list_append(&l->holders, &h->list);
    if (own_pid_set(&h->pid, pid) == CLU_OK && holder_watch(l->g, h))
        return true;
    let_go(h, true);
    return false;
}

bool lock_set(struct global *g, clu_slice id, const clu_pid *pid)
{
    clu_slice resource, requester;

    if (!lock_can_set(g, id) || !lock_id_read(id, &resource, &requester))
        return false;
    struct glock *l = map_get(&g->locks, resource);

    if (l == NULL)
        l = glock_new(g, resource, requester);
    else if (holder_of(l, pid) != NULL)
        return true;
    if (l != NULL && holder_add(l, pid))
        return true;
    global_broken(g);
    return false;
}
