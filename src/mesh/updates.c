/* SPDX-License-Identifier: Apache-2.0
 *
 * The updates that the machine leaves, and the end of each step of its node.
 */
#include "mesh/internal.h"

/* A node that a process of ours sends to, and that nobody has linked yet. */
static void dial_wanted(struct machine *m, const char *name)
{
    if (!machine_dials(m) || reconcile_hint(m->reconcile, name, NULL, m->now_ms) == NULL)
        node_unreachable(&m->node, name);
}

static void tell_misspoken(struct machine *m)
{
    char what[SPEC_SIZE];

    if (node_misspoke(&m->node, what, sizeof what))
        text_set(machine_event(m, EVENT_BAD_REPLY)->what, SPEC_SIZE, slice_of(what));
}

static void step_node(struct machine *m)
{
    const char *name;

    node_turn(&m->node, m->now_ms);
    tell_misspoken(m);
    global_serve(m);
    while ((name = node_next_wanted(&m->node)) != NULL)
        dial_wanted(m, name);
}

void needs_of_node(struct machine *m)
{
    struct node_link *l;

    if (!m->leaving)
        step_node(m);
    while ((l = node_next_talking(&m->node)) != NULL)
        link_talk(m, CONTAINER_OF(l, struct link, node));
}

static bool take_listen(struct machine *m, struct update *u)
{
    for (size_t i = 0; i < LISTENERS; i++) {
        struct listen_request *r = &m->listens[i];

        if (!r->wanted && !r->close)
            continue;
        u->kind = r->wanted ? UPDATE_LISTEN : UPDATE_UNLISTEN;
        u->u.listen.which = (enum listener)i;
        u->u.listen.addr = r->addr;
        u->u.listen.port_min = r->port_min;
        u->u.listen.port_max = r->port_max;
        *r = (struct listen_request){0};
        return true;
    }
    return false;
}

static bool take_lookup(struct machine *m, struct update *u)
{
    if (list_empty(&m->lookup_queue))
        return false;
    struct lookup *q = CONTAINER_OF(m->lookup_queue.next, struct lookup, queue);

    list_remove(&q->queue);
    u->kind = UPDATE_RESOLVE;
    u->u.resolve.query = q->id;
    u->u.resolve.type = q->type;
    text_set(u->u.resolve.name, sizeof u->u.resolve.name, slice_of(q->name));
    return true;
}

static bool take_event(struct machine *m, struct update *u)
{
    if (m->n_events > 0) {
        u->kind = UPDATE_EVENT;
        u->u.event = m->events[m->first_event];
        m->first_event = (m->first_event + 1) % MACHINE_EVENTS_MAX;
        m->n_events--;
        return true;
    }
    if (m->lost_events == 0)
        return false;
    u->kind = UPDATE_EVENT;
    u->u.event = (struct event){.id = EVENT_LOST_EVENTS, .number = m->lost_events};
    m->lost_events = 0;
    return true;
}

bool machine_next(struct machine *m, struct update *u)
{
    u->conn = 0;
    needs_of_node(m);
    /* Sources first: meeting their needs leaves connections and queries. */
    if (discover_take(m, u) || conn_take_update(m, u) || take_listen(m, u) || take_lookup(m, u) ||
        take_event(m, u) || ask_take_answer(m, u))
        return true;
    if (!m->exit_wanted)
        return false;
    m->exit_wanted = false;
    u->kind = UPDATE_EXIT;
    u->u.exit_status = 1;
    return true;
}
