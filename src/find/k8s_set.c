/* SPDX-License-Identifier: Apache-2.0 */
#include "find/k8s_set.h"

#include <stdlib.h>

static void object_free(struct k8s_object *o)
{
    if (o == NULL)
        return;
    free(o->endpoints);
    free(o);
}

void k8s_set_fini(struct k8s_set *s)
{
    const struct map_entry *at = NULL;

    for (struct k8s_object *o; (o = map_next(&s->objects, &at, NULL)) != NULL;)
        object_free(o);
    map_free(&s->objects);
    free(s->listed);
}

/* ---- objects ---- */

void k8s_set_begin(struct k8s_set *s)
{
    s->round++;
    s->n_refused = 0;
}

void k8s_set_remove(struct k8s_set *s, const char *name)
{
    struct k8s_object *o = map_remove(&s->objects, slice_of(name));

    if (o != NULL)
        s->n_endpoints -= o->n;
    object_free(o);
}

clu_error k8s_set_put(struct k8s_set *s, const struct k8s_object *object)
{
    k8s_set_remove(s, object->name);
    bool fits =
        map_count(&s->objects) < K8S_OBJECTS_MAX && s->n_endpoints + object->n <= K8S_TOTAL_MAX;
    struct k8s_object *o = fits ? malloc(sizeof *o) : NULL;

    if (o != NULL) {
        *o = *object;
        o->round = s->round;
        if (map_put(&s->objects, slice_of(o->name), o) == CLU_OK) {
            s->n_endpoints += o->n;
            return CLU_OK;
        }
    }
    free(o);
    free(object->endpoints);
    s->n_refused += !fits;
    return fits ? CLU_ENOMEM : CLU_OK;
}

void k8s_set_end(struct k8s_set *s)
{
    const struct map_entry *at = NULL;
    struct k8s_object *o, *old = NULL;

    do { /* one behind the walk: it must not stand on what is removed */
        o = map_next(&s->objects, &at, NULL);
        if (old != NULL)
            k8s_set_remove(s, old->name);
        old = o != NULL && o->round != s->round ? o : NULL;
    } while (o != NULL);
}

/* ---- the union ---- */

static int by_address(const struct k8s_endpoint *a, const struct k8s_endpoint *b)
{
    int order = memcmp(a->addr.ip, b->addr.ip, sizeof a->addr.ip);

    if (a->addr.family != b->addr.family)
        return a->addr.family < b->addr.family ? -1 : 1;
    return order != 0 ? order : (int)a->addr.port - (int)b->addr.port;
}

static int compare(const void *a, const void *b)
{
    const struct k8s_listed *x = a, *y = b;

    return by_address(&x->endpoint, &y->endpoint);
}

/* All endpoints of all objects, sorted; NULL without memory. */
static struct k8s_listed *gather(const struct k8s_set *s, size_t spare, size_t *n)
{
    const struct map_entry *at = NULL;
    const struct k8s_object *o;

    *n = 0;
    while ((o = map_next(&s->objects, &at, NULL)) != NULL)
        *n += o->n;
    struct k8s_listed *all = malloc((*n + spare + 1) * sizeof *all);

    if (all == NULL)
        return NULL;
    *n = 0;
    while ((o = map_next(&s->objects, &at, NULL)) != NULL)
        for (size_t i = 0; i < o->n; i++)
            all[(*n)++] = (struct k8s_listed){o->endpoints[i], NEVER};
    qsort(all, *n, sizeof *all, compare);
    return all;
}

/* The same address twice: in two slices while it moves, or an old pod's and a new one's. */
static void merge(struct k8s_endpoint *into, const struct k8s_endpoint *e)
{
    into->terminating = into->terminating && e->terminating;
    if (into->hostname[0] == '\0')
        memcpy(into->hostname, e->hostname, sizeof into->hostname);
}

static size_t unite(struct k8s_listed *all, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (kept > 0 && compare(&all[kept - 1], &all[i]) == 0)
            merge(&all[kept - 1].endpoint, &all[i].endpoint);
        else
            all[kept++] = all[i];
    return kept;
}

static size_t keep(struct k8s_set *s, struct k8s_listed *all, size_t n, struct k8s_listed *old,
                   uint64_t now_ms)
{
    if (old->until_ms == NEVER)
        old->until_ms = now_ms + K8S_HOLD_MS;
    if (old->until_ms <= now_ms)
        return n;
    s->held_ms = s->held ? min_u64(s->held_ms, old->until_ms) : old->until_ms;
    s->held = true;
    all[n] = *old;
    return n + 1;
}

/* Adds to all what was listed and is in no object now, for as long as it is held. */
static size_t hold(struct k8s_set *s, struct k8s_listed *all, size_t n, uint64_t now_ms)
{
    size_t end = n, at = 0;

    s->held = false;
    for (size_t i = 0; i < s->n_listed; i++) {
        struct k8s_listed *old = &s->listed[i];

        while (at < n && compare(&all[at], old) < 0)
            at++;
        if (at == n || compare(&all[at], old) != 0)
            end = keep(s, all, end, old, now_ms);
    }
    qsort(all, end, sizeof *all, compare);
    return end;
}

static bool is_same(const struct k8s_set *s, const struct k8s_listed *all, size_t n)
{
    for (size_t i = 0; i < n && n == s->n_listed; i++) {
        const struct k8s_endpoint *a = &all[i].endpoint, *b = &s->listed[i].endpoint;

        if (by_address(a, b) != 0 || a->terminating != b->terminating ||
            strcmp(a->hostname, b->hostname) != 0)
            return false;
    }
    return n == s->n_listed;
}

clu_error k8s_set_refresh(struct k8s_set *s, uint64_t now_ms, bool *changed)
{
    size_t n;
    struct k8s_listed *all = gather(s, s->n_listed, &n);

    if (all == NULL) {
        s->held_ms = now_ms + K8S_HOLD_MS; /* not again at once */
        return CLU_ENOMEM;
    }
    n = hold(s, all, unite(all, n), now_ms);
    *changed = !is_same(s, all, n);
    free(s->listed);
    s->listed = all;
    s->n_listed = n;
    return CLU_OK;
}

uint64_t k8s_set_deadline(const struct k8s_set *s)
{
    return s->held ? s->held_ms : NEVER;
}
