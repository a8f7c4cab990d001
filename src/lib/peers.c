/* SPDX-License-Identifier: Apache-2.0
 *
 * Other nodes: who is linked, having one dialled, asking one.
 */
#include <stdlib.h>

#include "lib/host.h"
#include "net/system.h"
#include "node/proc.h"

/* One clu_ping that is not answered yet. */
struct ping {
    struct list list;
    uint32_t ask; /* the machine's number */
    clu_ping_fn *fn;
    void *arg;
    char name[NODE_NAME_SIZE];
};

size_t clu_nodes(clu_node *node, clu_peer *peers, size_t max)
{
    const struct map_entry *at = NULL;
    struct remote *r;
    size_t n = 0;

    if (node == NULL)
        return 0;
    while ((r = map_next(&node->remotes, &at, NULL)) != NULL) {
        if (r->link == NULL)
            continue;
        if (n < max)
            peers[n] = (clu_peer){r->name, r->link->creation, !r->link->visible};
        n++;
    }
    return n;
}

/* Whether the node can ask that one, and if not, why. */
static clu_error check(const clu_node *node, const char *name)
{
    const struct host *h = node == NULL ? NULL : host_of(node);

    if (h == NULL)
        return CLU_ENOMEM;
    if (node == &h->failed)
        return node->err;
    if (h->drive.machine == NULL || loop_is_over(h->drive.loop))
        return CLU_EBUSY;
    return name != NULL && name_is_of_node(slice_of(name)) ? CLU_OK : CLU_EBADARG;
}

clu_error clu_connect(clu_node *node, const char *name)
{
    clu_error err = check(node, name);

    return err == CLU_OK ? machine_connect(host_of(node)->drive.machine, name, system_now_ms())
                         : err;
}

/* The question is under way; false: no memory. */
static bool ask(struct host *h, struct ping *p, const char *name)
{
    text_set(p->name, sizeof p->name, slice_of(name));
    p->ask = machine_ping(h->drive.machine, name, system_now_ms());
    return p->ask != 0;
}

clu_error clu_ping(clu_node *node, const char *name, clu_ping_fn *fn, void *arg)
{
    clu_error err = check(node, name);
    struct ping *p = err == CLU_OK ? calloc(1, sizeof *p) : NULL;

    if (p == NULL || !ask(host_of(node), p, name)) {
        free(p);
        return err == CLU_OK ? CLU_ENOMEM : err;
    }
    p->fn = fn;
    p->arg = arg;
    list_append(&host_of(node)->pings, &p->list);
    return CLU_OK;
}

static void finish(struct host *h, struct ping *p, const char *failure)
{
    list_remove(&p->list);
    p->fn(h->node, p->name, failure, p->arg);
    send_drop(h->node);
    free(p);
}

void ping_answered(struct host *h, const struct answer *answer)
{
    for (struct list *at = h->pings.next; at != &h->pings; at = at->next) {
        struct ping *p = CONTAINER_OF(at, struct ping, list);

        if (p->ask != answer->ask)
            continue;
        finish(h, p, answer->ok ? NULL : answer->reason);
        return;
    }
}

void pings_fail(struct host *h)
{
    while (!list_empty(&h->pings))
        finish(h, CONTAINER_OF(h->pings.next, struct ping, list), "this node has ended");
}
