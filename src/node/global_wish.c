/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* Locks that programs ask for. They are taken in the name of the program's process, so that they go
 * with it. */

struct wish {
    struct list list;
    struct global *g;
    slot_id process, tie, watch; /* who asks; who is told; that the process lives */
    clu_writer id;
    struct nodelist nodes;
    uint64_t retries;
    unsigned times;
    struct gtimer *timer;
};

static void wish_free(struct wish *w)
{
    struct tie *watch = slots_get(&w->g->node->ties, w->watch);

    if (watch != NULL)
        tie_end(watch);
    timer_stop(w->g, w->timer);
    list_remove(&w->list);
    clu_writer_free(&w->id);
    nodelist_free(&w->nodes);
    free(w);
}

void wishes_free(struct global *g)
{
    while (!list_empty(&g->wishes)) {
        struct wish *w = CONTAINER_OF(g->wishes.next, struct wish, list);

        answer_tie(g, w->tie, "false");
        wish_free(w);
    }
}

/* Its process has ended: no answer comes to it any more. */
static void asker_gone(struct tie *t, clu_reader reason)
{
    struct wish *w = t->arg;

    (void)reason;
    w->watch = 0;
    tie_free(t);
    many_drop(w->g, w->process);
    wish_free(w);
}

static bool watch_asker(struct wish *w, struct clu_process *self)
{
    clu_to to = clu_to_pid(process_pid(self));
    struct tie *t = tie_new(w->g->server, TIE_MONITOR);

    if (t == NULL)
        return false;
    t->on_down = asker_gone;
    t->arg = w;
    w->watch = t->id;
    return tie_watch(t, &to) == CLU_OK;
}

/* {Resource, Requester} */
static void put_id(clu_writer *w, clu_slice resource, clu_slice requester)
{
    clu_put_tuple(w, 2);
    clu_put_raw(w, resource);
    clu_put_raw(w, requester);
}

static clu_error all_linked(const struct global *g, struct nodelist *out)
{
    const struct map_entry *at = NULL;
    const struct gpeer *p;
    clu_error err = nodelist_add(out, own_name(g));

    while (err == CLU_OK && (p = map_next(&g->peers, &at, NULL)) != NULL)
        if (p->linked)
            err = nodelist_add(out, slice_of(p->name));
    return err;
}

static clu_error choose_nodes(struct wish *w, const char *const *nodes, size_t n)
{
    clu_error err = CLU_OK;

    if (nodes == NULL)
        return all_linked(w->g, &w->nodes);
    for (size_t i = 0; i < n && err == CLU_OK; i++)
        err = nodelist_add(&w->nodes, slice_of(nodes[i]));
    return err;
}

static struct wish *make(clu_process *self, clu_slice resource, clu_slice requester,
                         const char *const *nodes, size_t n)
{
    struct global *g = self->node->global;
    bool fits = resource.len <= CLU_GLOBAL_TERM_MAX && requester.len <= CLU_GLOBAL_TERM_MAX &&
                clu_check(resource.data, resource.len, NULL, NULL) == CLU_OK &&
                clu_check(requester.data, requester.len, NULL, NULL) == CLU_OK;
    struct wish *w = g == NULL || g->dead || self->ended || !fits ? NULL : calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->g = g;
    w->process = self->id;
    list_append(&g->wishes, &w->list);
    clu_writer_init(&w->id);
    put_id(&w->id, resource, requester);
    if (w->id.err == CLU_OK && choose_nodes(w, nodes, n) == CLU_OK && watch_asker(w, self))
        return w;
    wish_free(w);
    return NULL;
}

static clu_ref announce(struct wish *w, clu_process *self, clu_answer_fn *on_answer, void *arg)
{
    w->tie = wish_new(self, on_answer, arg);
    const struct tie *t = slots_get(&self->node->ties, w->tie);

    if (t != NULL)
        return tie_ref(t);
    wish_free(w);
    return (clu_ref){0};
}

/* ---- setting ---- */

static void attempt(struct global *g, void *arg);

static void tried(struct global *g, bool ok, void *arg)
{
    struct wish *w = arg;

    if (ok || w->retries == 0) {
        answer_tie(g, w->tie, ok ? "true" : "false");
        wish_free(w);
        return;
    }
    if (w->retries != CLU_INFINITY)
        w->retries--;
    w->timer = timer_start(g, timer_random(g, ++w->times), attempt, w);
}

static void attempt(struct global *g, void *arg)
{
    struct wish *w = arg;
    struct clu_process *p = slots_get(&g->node->procs, w->process);

    w->timer = NULL;
    /* Who has given up waiting gets no lock behind its back. */
    if (p == NULL || p->ended || slots_get(&g->node->ties, w->tie) == NULL)
        wish_free(w);
    else
        many_set_lock(g, p, written(&w->id), &w->nodes, tried, w);
}

clu_ref clu_global_set_lock(clu_process *self, clu_slice resource, clu_slice requester,
                            const char *const *nodes, size_t n, uint64_t retries,
                            clu_answer_fn *on_answer, void *arg)
{
    struct wish *w = make(self, resource, requester, nodes, n);

    if (w == NULL)
        return (clu_ref){0};
    clu_ref ref = announce(w, self, on_answer, arg);

    if (ref.n == 0)
        return ref;
    w->retries = retries;
    attempt(w->g, w);
    return ref;
}

/* ---- giving back ---- */

static void given_back(struct global *g, bool ok, void *arg)
{
    struct wish *w = arg;

    (void)ok;
    answer_tie(g, w->tie, "true");
    wish_free(w);
}

clu_ref clu_global_del_lock(clu_process *self, clu_slice resource, clu_slice requester,
                            const char *const *nodes, size_t n, clu_answer_fn *on_answer, void *arg)
{
    struct wish *w = make(self, resource, requester, nodes, n);

    if (w == NULL)
        return (clu_ref){0};
    clu_ref ref = announce(w, self, on_answer, arg);

    if (ref.n > 0)
        many_del_lock(w->g, self, written(&w->id), &w->nodes, given_back, w);
    return ref;
}
