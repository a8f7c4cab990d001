/* SPDX-License-Identifier: Apache-2.0 */
#include "mesh/internal.h"
#include "node/services.h"

/* Peer exchange: linked peers are asked for their own nodes, so that one seed is enough to find the
 * whole mesh, and so that what they see can be compared with what we see. */

/* A peer is asked again after this, while its view is shown. */
#define EXCHANGE_AGAIN_MS 30000
/* One question in this time, and so many at once before that holds: a node that joins a mesh of
 * hundreds does not ask all of them at once for hundreds of names. */
#define EXCHANGE_GAP_MS 1000
#define EXCHANGE_BUCKET 8
/* Islands are counted no more often, since a large mesh has many links; and told when they have
 * lasted so long. */
#define EXCHANGE_COUNT_MS 1000
#define EXCHANGE_SURE_MS  15000

/* Commands and observers have no business with the other nodes of a mesh. */
static bool takes_part(const struct machine *m, const struct link *l)
{
    const struct settings *s = m->settings;

    return !s->hidden && !s->no_listen && !s->no_dial && !l->visitor && l->node.visible;
}

void exchange_linked(struct machine *m, struct link *l)
{
    if (takes_part(m, l))
        list_prepend(&m->exchange.links, &l->exchange);
}

/* When the next peer is due, the rate aside: who was never asked is due at once. */
static uint64_t wanted_at(const struct machine *m)
{
    if (list_empty(&m->exchange.links))
        return NEVER;
    const struct link *l = CONTAINER_OF(m->exchange.links.next, struct link, exchange);

    return l->exchange_ms == 0 ? 0 : l->exchange_ms + EXCHANGE_AGAIN_MS;
}

static uint64_t ask_at(const struct machine *m)
{
    const uint64_t credit = (EXCHANGE_BUCKET - 1) * EXCHANGE_GAP_MS;
    uint64_t paid = m->exchange.paid_ms > credit ? m->exchange.paid_ms - credit : 0;

    return max_u64(wanted_at(m), paid);
}

/* What changed since is counted anew; what is not told yet may be sure by then. */
static uint64_t count_at(const struct machine *m)
{
    const struct exchange *x = &m->exchange;

    if (x->counted != machine_version(m))
        return x->counted_ms + EXCHANGE_COUNT_MS;
    return x->seen == x->islands ? NEVER : x->seen_ms + EXCHANGE_SURE_MS;
}

uint64_t exchange_deadline(const struct machine *m)
{
    return m->draining ? NEVER : min_u64(ask_at(m), count_at(m));
}

static void on_answer(clu_process *self, const clu_answer *answer, void *arg);

/* A BEAM is asked what rpc:call(Node, erlang, nodes, []) asks of its rex in the oldest form, {call,
 * Module, Function, Arguments, GroupLeader}, which all releases take. */
static clu_error ask_rex(struct machine *m, const struct link *l)
{
    clu_to to = clu_to_name("rex", l->name);
    clu_writer *w = clu_call_begin(m->self, &to, EXCHANGE_AGAIN_MS);
    clu_pid self = clu_self(m->self);

    clu_put_tuple(w, 5);
    clu_put_atom_text(w, "call");
    clu_put_atom_text(w, "erlang");
    clu_put_atom_text(w, "nodes");
    clu_put_nil(w);
    clu_put_pid(w, &self);
    return clu_call_end(m->self, on_answer, (void *)(uintptr_t)l->conn.id, NULL);
}

/* A node of our own kind is asked by gen_server:call({erlclu_mesh, Node}, nodes): its answer has
 * the addresses too. */
static clu_error ask_kin(struct machine *m, const struct link *l)
{
    clu_to to = clu_to_name("erlclu_mesh", l->name);

    clu_put_atom_text(clu_call_begin(m->self, &to, EXCHANGE_AGAIN_MS), "nodes");
    return clu_call_end(m->self, on_answer, (void *)(uintptr_t)l->conn.id, NULL);
}

/* Of an unknown kin, both ways are tried: who has no process of that name says so. */
static void ask(struct machine *m, struct link *l, uint64_t now_ms)
{
    clu_error err = exchange_start(m);

    l->exchange_ms = now_ms;
    list_remove(&l->exchange);
    list_append(&m->exchange.links, &l->exchange);
    m->exchange.paid_ms = max_u64(m->exchange.paid_ms, now_ms) + EXCHANGE_GAP_MS;
    if (err == CLU_OK && l->kin != KIN_BEAM)
        err = ask_kin(m, l);
    if (err == CLU_OK && l->kin != KIN_OURS)
        err = ask_rex(m, l);
    /* busy: its turn comes again */
}

/* Told when it is so for sure, and when it is over: a pod that comes or goes is an island for a
 * moment. */
static void tell_islands(struct machine *m, uint64_t now_ms)
{
    struct exchange *x = &m->exchange;
    uint32_t n = views_islands(m->views, m->reconcile);

    x->counted = machine_version(m);
    x->counted_ms = now_ms;
    if (n != x->seen)
        x->seen_ms = now_ms;
    x->seen = n;
    if (n == x->islands || now_ms < x->seen_ms + EXCHANGE_SURE_MS)
        return;
    x->islands = n;
    machine_event(m, n > 1 ? EVENT_ISLANDS : EVENT_ONE_MESH)->number = n;
    machine_changed(m);
    x->counted = machine_version(m);
}

void exchange_tick(struct machine *m, uint64_t now_ms)
{
    if (m->draining)
        return;
    if (count_at(m) <= now_ms)
        tell_islands(m, now_ms);
    while (ask_at(m) <= now_ms)
        ask(m, CONTAINER_OF(m->exchange.links.next, struct link, exchange), now_ms);
}

/* ---- what a peer tells ---- */

/* What nobody named before is dialled, and what nobody names any more goes its way. */
static void hand_on(struct machine *m, uint64_t now_ms)
{
    char name[NODE_NAME_SIZE];

    for (bool told; views_change(m->views, name, &told);)
        reconcile_heard(m->reconcile, name, NULL, told, now_ms);
    machine_changed(m);
}

/* One element of the list: a name, and of our own kind where it listens (port 0: not known). */
static clu_slice get_node(clu_reader *r, bool kin, struct addr *at)
{
    *at = (struct addr){0};
    if (!kin)
        return clu_get_atom(r);
    if (clu_get_tuple(r) != 3)
        return (clu_slice){NULL, 0};
    clu_slice name = clu_get_atom(r), ip = clu_get_binary(r);
    int64_t port = clu_get_int(r);

    if ((ip.len == 4 || ip.len == 16) && port > 0 && port <= UINT16_MAX) {
        at->family = ip.len == 4 ? 4 : 6;
        memcpy(at->ip, ip.data, ip.len);
        at->port = (uint16_t)port;
    }
    if (addr_is_any(at)) /* no place to dial: it would be ourselves */
        *at = (struct addr){0};
    return name;
}

/* A node that listens at a port of its own, without epmd, is found only where the peer says; where
 * the peer itself listens is for others to hear. */
static void take_places(struct machine *m, struct link *l, clu_reader list, uint64_t now_ms)
{
    size_t n = clu_get_list(&list);

    for (size_t i = 0; i < n && i < VIEW_SIZE_MAX; i++) {
        char name[NODE_NAME_SIZE];
        struct addr at;
        clu_slice text = get_node(&list, true, &at);

        if (list.err != CLU_OK)
            return;
        if (at.family == 0 || !text_set(name, sizeof name, text))
            continue;
        if (strcmp(name, l->name) == 0)
            l->listens = at;
        else if (link_find(m, name) == NULL && views_seen_by(m->views, name) > 0)
            reconcile_heard(m->reconcile, name, &at, true, now_ms);
    }
}

static void told(struct machine *m, struct link *l, clu_reader list, bool kin)
{
    clu_reader all = list;
    size_t n = clu_get_list(&list);
    struct addr at;

    if (kin || l->kin == KIN_UNKNOWN) /* our own kind has a rex as well */
        l->kin = kin ? KIN_OURS : KIN_BEAM;
    for (size_t i = 0; i < n && i < VIEW_SIZE_MAX && list.err == CLU_OK; i++) {
        clu_slice name = get_node(&list, kin, &at);

        if (list.err == CLU_OK && !slice_is(name, l->name))
            views_add(m->views, name);
    }
    if (views_end(m->views, l->name))
        hand_on(m, m->now_ms);
    if (kin)
        take_places(m, l, all, m->now_ms);
}

/* [Node, ...] from rex, {erlclu_nodes, [...]} from our own kind. Anything else, an error of rex
 * too, says nothing. */
static void on_answer(clu_process *self, const clu_answer *answer, void *arg)
{
    struct machine *m = CONTAINER_OF(clu_process_node(self), struct machine, node);
    struct conn *c = slots_get(&m->conns, (slot_id)(uintptr_t)arg);
    clu_reader term = answer->term;
    bool kin = clu_peek_type(&term) == CLU_TYPE_TUPLE;

    if (answer->outcome != CLU_ANSWERED || c == NULL || c->dead || !link_of(c)->up)
        return;
    if (kin && (clu_get_tuple(&term) != 2 || !slice_is(clu_get_atom(&term), "erlclu_nodes")))
        return;
    if (clu_peek_type(&term) == CLU_TYPE_LIST)
        told(m, link_of(c), term, kin);
}

void exchange_down(struct machine *m, struct link *l, uint64_t now_ms)
{
    views_drop(m->views, l->name);
    hand_on(m, now_ms);
}

/* ---- what we tell ---- */

static bool is_told(const struct link *l)
{
    return !l->visitor && l->node.visible;
}

static void put_node(clu_writer *w, const char *name, const struct addr *at)
{
    size_t len = at->family == 4 ? 4 : 16;

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, name);
    clu_put_binary(w, at->ip, at->port == 0 ? 0 : len);
    clu_put_int(w, at->port);
}

static void put_link(clu_writer *w, const struct link *l)
{
    struct addr at = l->listens.family != 0 ? l->listens : link_address(l);

    put_node(w, l->name, &at);
}

/* As erlang:nodes/0, the visible nodes that we are linked with, whoever asks among them; and
 * ourselves, for where we listen. */
static void answer_nodes(struct machine *m, const struct gen_call *call)
{
    const struct map_entry *at = NULL;
    struct addr own = m->address;
    struct link *other;
    size_t n = 0;

    while ((other = map_next(&m->links, &at, NULL)) != NULL)
        n += is_told(other);
    if (addr_is_any(&own)) /* that is nowhere, for others */
        own.port = 0;
    clu_writer *w = reply_begin(m->self, call);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "erlclu_nodes");
    clu_put_list(w, n + 1);
    put_node(w, m->name, &own);
    for (at = NULL; (other = map_next(&m->links, &at, NULL)) != NULL;)
        if (is_told(other))
            put_link(w, other);
    clu_put_nil(w);
    send_or_lose(m->self); /* busy: it asks again */
}

static void on_signal(clu_process *self, const clu_signal *s, void *arg)
{
    clu_reader msg = s->term;
    struct gen_call call;

    (void)self;
    if (s->kind == CLU_SIGNAL_MESSAGE && get_gen_call(&msg, &call) &&
        slice_is(clu_get_atom(&msg), "nodes"))
        answer_nodes(arg, &call);
}

/* Without memory for a signal every process ends: another is made when it is needed. */
static void on_stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct machine *m = arg;

    (void)self;
    (void)reason;
    m->self = NULL;
}

clu_error exchange_start(struct machine *m)
{
    clu_spawn_options o = {.name = "erlclu_mesh",
                           .receive = on_signal,
                           .stopped = on_stopped,
                           .arg = m,
                           .trap_exit = true};

    if (m->self != NULL)
        return CLU_OK;
    clu_error err = process_new(&m->node, &o, &m->self);

    if (err == CLU_OK)
        m->self->service = true;
    return err;
}
