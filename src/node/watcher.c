/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/proc.h"

/* Monitors of our processes. */

static uint64_t hash_of(const struct clu_node *n, const clu_ref *ref)
{
    uint64_t hash = index_mix(n->seed, ref->creation);

    for (uint32_t i = 0; i < ref->n; i++)
        hash = index_mix(hash, ref->words[i]);
    return hash;
}

struct watcher *watcher_find(const struct clu_node *n, const struct remote *r, const clu_ref *ref)
{
    struct index_item *item = index_first(&n->watchers, hash_of(n, ref));

    for (; item != NULL; item = index_next(item)) {
        struct watcher *w = CONTAINER_OF(item, struct watcher, item);

        if (w->remote == r && w->ref.n == ref->n && w->ref.creation == ref->creation &&
            memcmp(w->ref.words, ref->words, ref->n * sizeof *ref->words) == 0)
            return w;
    }
    return NULL;
}

static struct watcher *watcher_new(struct clu_process *p)
{
    struct watcher *w = spare_get(&p->node->spare_watchers, sizeof *w);

    if (w == NULL)
        return NULL;
    w->proc = p;
    list_append(&p->watchers, &w->of_proc);
    list_init(&w->of_remote);
    return w;
}

void watcher_free(struct watcher *w)
{
    struct clu_node *n = w->proc->node;
    struct remote *r = w->remote;
    struct tie *t = slots_get(&n->ties, w->tie);

    if (t != NULL && t->watcher == w)
        t->watcher = NULL;
    if (r != NULL)
        index_remove(&n->watchers, &w->item);
    list_remove(&w->of_proc);
    list_remove(&w->of_remote);
    free(w->name);
    spare_give(&n->spare_watchers, w);
    remote_release(r);
}

clu_error watch_remote(struct clu_process *p, struct remote *r, const struct control *c)
{
    /* A reference is one monitor. Were many kept under one, the end of each would have to look for
     * its own among all of them. */
    unwatch_remote(p->node, r, &c->ref);
    struct watcher *w = watcher_new(p);

    if (w == NULL)
        return CLU_ENOMEM;
    w->by = c->from;
    w->by.node = slice_of(r->name);
    w->ref = c->ref;
    w->ref.node = slice_of(r->name);
    if (c->to_is_name)
        w->name = strndup((const char *)c->to_name.data, c->to_name.len);
    if ((c->to_is_name && w->name == NULL) ||
        index_add(&p->node->watchers, &w->item, hash_of(p->node, &w->ref)) != CLU_OK) {
        watcher_free(w);
        return CLU_ENOMEM;
    }
    w->remote = r;
    list_append(&r->watchers, &w->of_remote);
    return CLU_OK;
}

clu_error watch_local(struct clu_process *p, struct tie *t)
{
    struct watcher *w = watcher_new(p);

    if (w == NULL)
        return CLU_ENOMEM;
    w->tie = t->id;
    t->watcher = w;
    return CLU_OK;
}

void unwatch_remote(struct clu_node *n, struct remote *r, const clu_ref *ref)
{
    struct watcher *w = watcher_find(n, r, ref);

    if (w != NULL)
        watcher_free(w);
}

void unwatch_local(struct tie *t)
{
    if (t->watcher != NULL)
        watcher_free(t->watcher);
}

void watcher_fire(struct watcher *w, clu_slice reason)
{
    struct clu_process *p = w->proc;
    struct tie *t = slots_get(&p->node->ties, w->tie);
    clu_pid self = process_pid(p);
    clu_slice name = w->name == NULL ? (clu_slice){NULL, 0} : slice_of(w->name);

    if (w->remote != NULL && signal_down(w->remote, p, &self, w->name == NULL ? NULL : &name,
                                         &w->by, &w->ref, reason) != CLU_OK)
        signal_lost(w->remote);
    watcher_free(w);
    if (t != NULL)
        tie_down(t, reader_of(reason));
}
