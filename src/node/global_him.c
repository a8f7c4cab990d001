/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* Whom the locker is to meet. */

void him_fini(struct him *h)
{
    own_pid_free(&h->locker);
    clu_writer_free(&h->his_tag);
    h->node[0] = '\0';
}

void him_free(struct him *h)
{
    list_remove(&h->list);
    him_fini(h);
    free(h);
}

struct him *him_find(struct locker *l, const char *node)
{
    for (struct list *at = l->hims.next; at != &l->hims; at = at->next) {
        struct him *h = CONTAINER_OF(at, struct him, list);

        if (strcmp(h->node, node) == 0)
            return h;
    }
    return NULL;
}

void him_remove(struct locker *l, const char *node, int64_t tag)
{
    struct him *h = him_find(l, node);

    if (h != NULL && h->tag == tag)
        him_free(h);
}

static const char *host_of(const char *node)
{
    const char *at = strchr(node, '@');

    return at == NULL ? "" : at + 1;
}

void him_add(struct global *g, struct locker_message *m)
{
    struct him *h = calloc(1, sizeof *h);

    if (h == NULL) {
        global_broken(g);
        return;
    }
    him_remove(&g->locker, m->node, m->tag);
    text_set(h->node, sizeof h->node, slice_of(m->node));
    h->local = strcmp(host_of(m->node), host_of(g->node->name)) == 0;
    h->tag = m->tag;
    h->version = m->version;
    h->locker = m->pid;
    m->pid = (struct own_pid){0};
    h->his_tag = m->his_tag;
    clu_writer_init(&m->his_tag);
    list_prepend(&g->locker.hims, &h->list);
}

/* Nodes of this host first; those that are known by now are not to be met any more. */
struct him *him_choose(struct global *g)
{
    struct locker *l = &g->locker;
    size_t n[2] = {0, 0};

    for (struct list *at = l->hims.next, *next; at != &l->hims; at = next) {
        struct him *h = CONTAINER_OF(at, struct him, list);

        next = at->next;
        if (nodelist_has(&l->known, slice_of(h->node)))
            him_free(h);
        else
            n[h->local]++;
    }
    bool local = n[true] > 0;
    size_t i = n[local] == 0 ? 0 : (size_t)rng_range(&g->rng, 0, n[local] - 1);

    for (struct list *at = l->hims.next; at != &l->hims; at = at->next) {
        struct him *h = CONTAINER_OF(at, struct him, list);

        if (h->local == local && i-- == 0)
            return h;
    }
    return NULL;
}

/* The row may go while the attempt is under way. */
bool him_copy(struct him *to, const struct him *from)
{
    him_fini(to);
    text_set(to->node, sizeof to->node, slice_of(from->node));
    to->tag = from->tag;
    to->version = from->version;
    clu_writer_init(&to->his_tag);
    clu_put_raw(&to->his_tag, written(&from->his_tag));
    return to->his_tag.err == CLU_OK && own_pid_set(&to->locker, &from->locker.pid) == CLU_OK;
}
