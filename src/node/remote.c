/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/names.h"
#include "node/global.h"
#include "node/proc.h"

bool is_own_name(const struct clu_node *n, clu_slice node)
{
    return slice_is(node, n->name);
}

struct remote *remote_find(const struct clu_node *n, clu_slice name)
{
    return n->latest != NULL && slice_is(name, n->latest->name) ? n->latest
                                                                : map_get(&n->remotes, name);
}

/* Who is spoken to is nearly always who was spoken to last. */
static struct remote *find(struct clu_node *n, clu_slice name)
{
    struct remote *r = remote_find(n, name);

    if (r != NULL)
        n->latest = r;
    return r;
}

clu_error remote_error(clu_slice name)
{
    return name_is_of_node(name) ? CLU_ENOMEM : CLU_EBADARG;
}

struct remote *remote_get(struct clu_node *n, clu_slice name)
{
    struct remote *r = find(n, name);

    if (r != NULL || !name_is_of_node(name))
        return r;
    r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->node = n;
    text_set(r->name, sizeof r->name, name);
    list_init(&r->ties);
    list_init(&r->watchers);
    list_init(&r->bonds);
    list_init(&r->waiters);
    list_init(&r->backlogs);
    list_init(&r->left);
    list_init(&r->wanted);
    clu_writer_init(&r->held);
    if (map_put(&n->remotes, name, r) == CLU_OK)
        return r;
    free(r);
    return NULL;
}

static bool is_needed(const struct remote *r)
{
    return r->link != NULL || r->dialled || r->in_hand || r->held.len > 0 ||
           !list_empty(&r->ties) || !list_empty(&r->watchers) || !list_empty(&r->bonds) ||
           !list_empty(&r->waiters) || !list_empty(&r->left) || !list_empty(&r->wanted) ||
           r->node->sending.remote == r;
}

void remote_release(struct remote *r)
{
    if (r == NULL || is_needed(r))
        return;
    map_remove(&r->node->remotes, slice_of(r->name));
    if (r->node->latest == r)
        r->node->latest = NULL;
    clu_writer_free(&r->held);
    free(r);
}

void remotes_free(struct clu_node *n)
{
    const struct map_entry *at = NULL;
    struct remote *r;

    while ((r = map_next(&n->remotes, &at, NULL)) != NULL) {
        backlogs_free(r);
        spawns_forget(r);
        clu_writer_free(&r->held);
        free(r);
    }
    n->latest = NULL;
}

/* ---- news of nodes ---- */

static void tell_observers(struct remote *r, bool up, const char *reason)
{
    struct clu_node *n = r->node;
    struct atom_term term;
    struct delivery d = {.signal = {.kind = up ? CLU_SIGNAL_NODE_UP : CLU_SIGNAL_NODE_DOWN,
                                    .node = slice_of(r->name)}};

    if (!up)
        d.signal.term = reader_of(atom_term(&term, reason));
    for (struct list *at = n->observers.next, *next; at != &n->observers; at = next) {
        next = at->next;
        deliver(CONTAINER_OF(at, struct clu_process, observers), &d);
    }
}

void clu_monitor_nodes(clu_process *p, bool on)
{
    list_remove(&p->observers);
    if (on && !p->ended)
        list_append(&p->node->observers, &p->observers);
}

/* ---- who waits for room ---- */

struct waiter {
    struct clu_process *proc;
    struct list of_proc;
    struct remote *remote;
    struct list of_remote;
    bool large; /* for a large message */
};

static void waiter_free(struct waiter *w)
{
    list_remove(&w->of_proc);
    list_remove(&w->of_remote);
    free(w);
}

clu_error wait_for_room(struct remote *r, struct clu_process *p, bool large)
{
    /* Who waits for a node that is not linked is told when there is room for any: what is held
     * fills the queue first. */
    large = large || r->link == NULL;
    for (struct list *at = p->waits.next; at != &p->waits; at = at->next) {
        struct waiter *w = CONTAINER_OF(at, struct waiter, of_proc);

        if (w->remote != r)
            continue;
        w->large = w->large || large;
        return CLU_EBUSY;
    }
    struct waiter *w = calloc(1, sizeof *w);

    if (w == NULL)
        return CLU_ENOMEM;
    w->proc = p;
    w->remote = r;
    w->large = large;
    list_append(&p->waits, &w->of_proc);
    list_append(&r->waiters, &w->of_remote);
    return CLU_EBUSY;
}

static void tell_waiter(struct waiter *w)
{
    struct delivery d = {
        .signal = {.kind = CLU_SIGNAL_WRITABLE, .node = slice_of(w->remote->name)}};
    struct clu_process *p = w->proc;

    waiter_free(w);
    deliver(p, &d);
}

/* Who hears it may try at once, and wait again. Meanwhile nobody takes the remote for idle. */
static void tell_waiters(struct remote *r)
{
    struct list all;

    r->in_hand = true;
    list_take(&all, &r->waiters);
    while (!list_empty(&all))
        tell_waiter(CONTAINER_OF(all.next, struct waiter, of_remote));
    r->in_hand = false;
}

void waits_end(struct clu_process *p)
{
    while (!list_empty(&p->waits))
        waiter_free(CONTAINER_OF(p->waits.next, struct waiter, of_proc));
}

/* ---- up and down ---- */

/* All that hung on the connection has come to its end. Who handles one of these signals may set new
 * monitors and links: those are of the next connection, and wait for it. */
static void lose(struct remote *r)
{
    struct atom_term term;
    clu_slice reason = atom_term(&term, "noconnection");
    struct list ties, bonds;

    r->in_hand = true;
    r->lost = false;
    r->promised = 0;
    backlogs_free(r);
    spawns_forget(r);
    list_take(&ties, &r->ties);
    list_take(&bonds, &r->bonds);
    while (!list_empty(&r->watchers))
        watcher_free(CONTAINER_OF(r->watchers.next, struct watcher, of_remote));
    while (!list_empty(&bonds)) {
        struct bond *b = CONTAINER_OF(bonds.next, struct bond, of_remote);
        struct clu_process *p = b->proc;
        clu_pid other = b->other;
        bool active = bond_stands(b);

        bond_free(b);
        if (active)
            process_exit_signal(p, &other, reader_of(reason), true);
    }
    while (!list_empty(&ties))
        tie_down(CONTAINER_OF(ties.next, struct tie, of_remote), reader_of(reason));
    r->in_hand = false;
}

static void drop_link(struct remote *r, const char *reason)
{
    struct node_link *l = r->link;

    streams_end(r->node, l);
    list_remove(&l->talking);
    l->remote = NULL;
    r->link = NULL;
    r->release = 0;
    global_link_lost(r->node, slice_of(r->name));
    lose(r);
    if (l->visible)
        tell_observers(r, false, reason);
    tell_waiters(r); /* behind what says that it is gone */
}

clu_error node_link_up(struct clu_node *n, struct node_link *l, struct channel *channel,
                       const char *peer, uint32_t peer_creation, uint64_t flags)
{
    *l = (struct node_link){
        .channel = channel,
        .peer = slice_of(peer),
        .creation = peer_creation,
        .flags = flags,
        .visible = (flags & DFLAG_PUBLISHED) != 0,
    };
    list_init(&l->talking);
    struct remote *r = remote_get(n, l->peer);

    if (r == NULL)
        return CLU_ENOMEM;
    /* What hung on an older connection is nothing that the peer knows of any more. */
    if (r->link != NULL)
        drop_link(r, "connection_closed");
    l->remote = r;
    r->link = l;
    r->dialled = false;
    list_remove(&r->wanted);
    streams_of(l);
    clu_error err = held_send(r);

    if (err != CLU_OK)
        l->visible = false; /* nobody is told of its end either */
    else if (l->visible)
        tell_observers(r, true, NULL);
    return err;
}

void node_link_down(struct clu_node *n, struct node_link *l, const char *reason)
{
    struct remote *r = l->remote;

    (void)n;
    if (r == NULL)
        return;
    drop_link(r, reason);
    remote_release(r);
}

void node_unreachable(struct clu_node *n, const char *name)
{
    struct remote *r = remote_find(n, slice_of(name));

    if (r == NULL || r->link != NULL)
        return;
    r->dialled = false;
    list_remove(&r->wanted);
    clu_writer_free(&r->held);
    clu_writer_init(&r->held);
    lose(r);
    tell_waiters(r);
    remote_release(r);
}

static bool has_room(const struct waiter *w)
{
    return !remote_is_busy_for(w->remote, w->proc) &&
           (!w->large || channel_takes_large(w->remote->link->channel));
}

void node_writable(struct node_link *l)
{
    struct remote *r = l->remote;

    if (r == NULL || r->link != l)
        return;
    backlogs_settle(r);
    for (struct list *at = r->waiters.next, *next; at != &r->waiters; at = next) {
        struct waiter *w = CONTAINER_OF(at, struct waiter, of_remote);

        next = at->next;
        if (has_room(w))
            tell_waiter(w);
    }
}

const char *node_next_wanted(struct clu_node *n)
{
    if (list_empty(&n->wanted))
        return NULL;
    struct remote *r = CONTAINER_OF(n->wanted.next, struct remote, wanted);

    list_remove(&r->wanted);
    r->dialled = true;
    return r->name;
}

struct node_link *node_next_talking(struct clu_node *n)
{
    if (list_empty(&n->talking))
        return NULL;
    struct node_link *l = CONTAINER_OF(n->talking.next, struct node_link, talking);

    list_remove(&l->talking);
    return l;
}
