/* SPDX-License-Identifier: Apache-2.0
 *
 * Links that are up: the channel's messages, the end. shake.c has their beginning.
 */
#include <stdio.h>
#include <stdlib.h>

#include <erlclu/global.h>

#include "mesh/internal.h"

struct link *link_of(struct conn *c)
{
    return CONTAINER_OF(c, struct link, conn);
}

struct link *link_find(struct machine *m, const char *name)
{
    return map_get(&m->links, slice_of(name));
}

/* ---- up ---- */

/* The older link of a name goes when the newer has proved the cookie: the node there believes in
 * the newer one. No nodedown is told: the name stays linked. */
static bool take_over(struct machine *m, struct link *l)
{
    struct link *old = map_get(&m->links, slice_of(l->name));

    if (old == NULL)
        return false;
    ask_link_down(m, old, "the node opened a new connection");
    if (old->node.creation != l->hs->peer_creation) /* what it told holds no more */
        exchange_down(m, old, m->now_ms);
    old->end = "disconnect";
    conn_close(m, &old->conn);
    m->count.links_down++;
    return true;
}

/* Where the node is, for people: of a link that came in, the port is one that nobody listens at. */
struct addr link_address(const struct link *l)
{
    struct addr a = l->conn.peer;

    if (!l->conn.outbound)
        a.port = 0;
    return a;
}

static void tell_up(struct machine *m, struct link *l, const struct target *t, bool new_incarnation,
                    bool took_over)
{
    struct event *e = machine_event(m, l->visitor                                 ? EVENT_VISIT
                                       : new_incarnation && t != NULL && t->twins ? EVENT_TWINS
                                       : new_incarnation ? EVENT_NODE_REPLACED
                                       : took_over       ? EVENT_RECONNECTED
                                                         : EVENT_NODE_UP);

    text_set(e->node, sizeof e->node, slice_of(l->name));
    e->address = link_address(l);
    e->number = l->hs->peer_creation;
    m->count.links_up++;
    machine_changed(m);
}

void link_forget_pending(struct machine *m, struct link *l)
{
    list_remove(&l->hinted);
    if (l->pending_listed)
        map_remove(&m->pending, slice_of(l->name));
    l->pending_listed = false;
}

/* The deadline of a channel moves away while bytes flow, so it is looked at when the old one has
 * passed, not at every byte; but at least once a tick, since it comes nearer when a queue that was
 * full has drained. */
static void look_again(struct machine *m, struct link *l, uint64_t now_ms)
{
    uint64_t pause =
        l->instead_of[0] == '\0' ? l->channel.tick_ms : min_u64(l->channel.tick_ms, RELOOK_MS);

    l->watched = l->channel.stuck_ms > 0;
    if (l->watched)
        pause = min_u64(pause, STUCK_LOOK_MS);
    conn_due(m, &l->conn, min_u64(channel_deadline(&l->channel), now_ms + pause));
}

/* A name that was learnt may turn out to be our own. */
static bool is_self(struct machine *m, struct link *l, uint64_t now_ms)
{
    if (strcmp(l->hs->peer, m->name) != 0 || l->hs->peer_creation != m->creation)
        return false;
    dial_found_self(m, l->dial, now_ms);
    conn_close(m, &l->conn);
    return true;
}

/* The attempt that led here is over. Did it look for another node than it found? */
static void end_attempt(struct machine *m, struct link *l, uint64_t now_ms)
{
    struct dial *d = slots_get(&m->dials, l->dial);

    l->dial = 0;
    if (d != NULL && d->any && strcmp(d->name, l->name) != 0) {
        text_set(l->instead_of, sizeof l->instead_of, slice_of(d->name));
        l->asked_ms = now_ms;
    }
    dial_end(m, d);
}

static void open_channel(struct machine *m, struct link *l, uint64_t now_ms)
{
    const struct settings *s = m->settings;
    uint64_t flags = handshake_flags(l->hs);

    l->up = true;
    l->up_ms = now_ms;
    l->peer_flags = l->hs->peer_flags;
    crowd_leave(&l->conn);
    channel_init(&l->channel, flags, s->ticktime_ms, s->tick_intensity, now_ms);
    l->channel.patient = clu_global_is_on(&m->node);
    if (m->count.first_peer_ms == 0 && !l->visitor) /* a command is no peer */
        m->count.first_peer_ms = max_u64(now_ms - m->started_ms, 1);
}

void link_go_up(struct machine *m, struct link *l, uint64_t now_ms)
{
    struct handshake *hs = l->hs;
    bool fresh = false;

    if (l->conn.outbound && is_self(m, l, now_ms))
        return;
    link_forget_pending(m, l);
    if (!hs->peer_dynamic)
        text_set(l->name, sizeof l->name, slice_of(hs->peer));
    if (m->name[0] == '\0')
        machine_set_name(m, hs->name, hs->creation);
    bool took_over = take_over(m, l);

    if (map_put(&m->links, slice_of(l->name), l) != CLU_OK) {
        conn_close(m, &l->conn);
        return;
    }
    l->visitor = hs->peer_dynamic;
    open_channel(m, l, now_ms);
    if (node_link_up(&m->node, &l->node, &l->channel, l->name, hs->peer_creation,
                     handshake_flags(hs)) != CLU_OK) {
        dial_dropped(m, l->dial);
        conn_close(m, &l->conn);
        return;
    }
    struct addr at = link_address(l);
    struct target *t = l->visitor ? NULL
                                  : reconcile_up(m->reconcile, l->conn.outbound ? l->target : 0,
                                                 l->name, &at, hs->peer_creation, now_ms, &fresh);

    l->target = t == NULL ? 0 : t->id;
    tell_up(m, l, t, fresh, took_over);
    end_attempt(m, l, now_ms);
    look_again(m, l, now_ms);
    ask_linked(m, l, now_ms);
    exchange_linked(m, l);
    if (!l->conn.outbound && !l->visitor && (t == NULL || t->sources == 0))
        discover_stir(m, now_ms);
}

/* ---- up: messages ---- */

static void tell_down(struct machine *m, struct link *l, enum event_id id, const char *reason,
                      uint64_t now_ms)
{
    struct event *e =
        machine_event(m, l->visitor && id == EVENT_NODE_DOWN ? EVENT_VISIT_ENDED : id);

    text_set(e->node, sizeof e->node, slice_of(l->name));
    e->address = link_address(l);
    text_set(e->reason, sizeof e->reason, slice_of(reason));
    m->count.links_down++;
    machine_changed(m);
    ask_link_down(m, l, reason);
    if (l->visitor)
        return;
    reconcile_down(m->reconcile, l->name, now_ms, reason);
    exchange_down(m, l, now_ms);
    if (!m->draining)
        discover_stir(m, now_ms);
}

static void link_end(struct machine *m, struct link *l, const char *reason, uint64_t now_ms)
{
    tell_down(m, l, EVENT_NODE_DOWN, reason, now_ms);
    conn_close(m, &l->conn);
}

void link_cut(struct machine *m, struct link *l, const char *reason, uint64_t now_ms)
{
    l->end = "disconnect";
    link_end(m, l, reason, now_ms);
}

void link_prune(struct machine *m, uint64_t now_ms)
{
    struct target *t;

    while ((t = reconcile_prune_next(m->reconcile, now_ms)) != NULL) {
        struct link *l = link_find(m, t->name);

        if (l != NULL)
            link_cut(m, l, "no source lists it any more (--prune)", now_ms);
    }
}

static void protocol_error(struct machine *m, struct link *l, clu_error err, const char *what,
                           uint64_t now_ms)
{
    m->count.protocol_errors++;
    l->end = "disconnect";
    if (l->channel.overfull)
        global_overfull(&m->node, l->name);
    tell_down(m, l, EVENT_PROTOCOL, what != NULL ? what : clu_strerror(err), now_ms);
    conn_close(m, &l->conn);
}

static void receive(struct machine *m, struct link *l, const struct frame *f, uint64_t now_ms)
{
    const char *what = NULL;
    clu_error err = node_frame(&m->node, &l->node, f, &what);

    if (err != CLU_OK)
        protocol_error(m, l, err, what, now_ms);
}

void link_drain(struct machine *m, struct link *l, uint64_t now_ms)
{
    struct frame f;

    node_now(&m->node, now_ms);
    while (!l->conn.dead && channel_next(&l->channel, &f))
        receive(m, l, &f, now_ms);
    if (!l->conn.dead && l->channel.err != CLU_OK)
        protocol_error(m, l, l->channel.err, l->channel.what, now_ms);
}

void link_talk(struct machine *m, struct link *l)
{
    if (!l->conn.dead && l->channel.err != CLU_OK)
        protocol_error(m, l, l->channel.err, l->channel.what, m->now_ms);
    else
        conn_wake(m, &l->conn);
    if (l->conn.dead || l->watched || !channel_is_busy(&l->channel))
        return;
    channel_watch(&l->channel, m->now_ms);
    look_again(m, l, m->now_ms);
}

/* ---- a link that stands in for a listed node ---- */

/* In a pod with several nodes one may start before the listed one: when that has come, it is
 * dialled too. */
static void relook(struct machine *m, struct link *l, uint64_t now_ms)
{
    struct addr at = l->conn.peer;
    char alive[EPMD_NAME_MAX + 1];

    if (l->instead_of[0] == '\0' || m->draining || now_ms - l->asked_ms < RELOOK_MS)
        return;
    l->asked_ms = now_ms;
    at.port = m->settings->epmd_port;
    struct epmd_query *q = epmd_query_new(m, &at, now_ms);

    if (q == NULL)
        return;
    q->link = l->conn.id;
    alive_part(l->instead_of, alive);
    epmd_ask_port(&q->client, alive);
}

void link_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage, uint64_t now_ms)
{
    struct conn *c = slots_get(&m->conns, q->link);

    if (c == NULL || c->dead || stage != STAGE_NONE || !q->client.found)
        return;
    struct link *l = link_of(c);
    struct addr at = c->peer;

    at.port = q->client.entry.port;
    if (link_find(m, l->instead_of) == NULL)
        reconcile_hint(m->reconcile, l->instead_of, &at, now_ms);
    l->instead_of[0] = '\0';
}

/* ---- what the driver asks ---- */

static const struct link *link_up(const struct machine *m, slot_id id)
{
    struct conn *c = slots_get(&m->conns, id);
    bool is_link = c != NULL && !c->dead && c->kind == CONN_LINK;

    return is_link && link_of(c)->up ? link_of(c) : NULL;
}

bool machine_is_link(const struct machine *m, slot_id id)
{
    return link_up(m, id) != NULL;
}

bool machine_is_beam(const struct machine *m, slot_id id)
{
    const struct link *l = link_up(m, id);

    return l != NULL && l->kin == KIN_BEAM;
}

uint64_t machine_pause(const struct machine *m, slot_id id)
{
    const struct link *l = link_up(m, id);

    return l != NULL && channel_pauses(&l->channel) ? PAUSE_MS : 0;
}

/* ---- a peer that does not read ---- */

static void look_if_stuck(struct machine *m, struct link *l, uint64_t now_ms)
{
    uint64_t since = l->channel.stuck_ms;
    bool stuck = since > 0 && now_ms - since >= STUCK_MS;

    if (stuck == l->not_reading)
        return;
    struct event *e = machine_event(m, stuck ? EVENT_NOT_READING : EVENT_READS_AGAIN);

    text_set(e->node, sizeof e->node, slice_of(l->name));
    e->number = channel_queued(&l->channel);
    l->not_reading = stuck;
    machine_changed(m);
}

/* ---- the row of functions ---- */

void link_end_shake(struct link *l)
{
    if (!l->up || l->hs == NULL || handshake_pending(l->hs).len > 0)
        return;
    free(l->hs);
    l->hs = NULL;
}

_Static_assert(MACHINE_PLACES >= CHANNEL_PLACES, "a channel names as many places");
_Static_assert(MACHINE_SCRATCH_SIZE >= CHANNEL_SCRATCH_MIN, "a fragment is read where it belongs");

static size_t link_space(struct machine *m, struct conn *c, struct iovec iov[MACHINE_PLACES])
{
    struct link *l = link_of(c);

    if (l->up)
        return channel_space(&l->channel, m->scratch, sizeof m->scratch, iov);
    iov[0] = (struct iovec){m->scratch, sizeof m->scratch};
    return 1;
}

static void link_got(struct machine *m, struct conn *c, size_t n, uint64_t now_ms)
{
    struct link *l = link_of(c);

    if (!l->up) {
        link_shake(m, l, m->scratch, n, now_ms);
        return;
    }
    channel_got(&l->channel, n, m->scratch, now_ms);
    link_drain(m, l, now_ms);
}

/* A node that closes so often and runs on may do so for another node of our name: of two such nodes
 * a BEAM keeps the one that came last. */
#define FLAPS_ODD 2

static const char *closed_text(struct machine *m, const struct link *l, char out[REASON_SIZE])
{
    const struct target *t = reconcile_get(m->reconcile, l->target);
    int n = snprintf(out, REASON_SIZE, "the node closed the connection");

    if (t != NULL && t->flaps >= FLAPS_ODD)
        snprintf(out + n, REASON_SIZE - (size_t)n,
                 ", as %u times before, and runs on: is there another node called %.120s?",
                 (unsigned)t->flaps, m->name);
    return out;
}

static void link_closed(struct machine *m, struct conn *c, const char *text, uint64_t now_ms)
{
    struct link *l = link_of(c);
    char closed[REASON_SIZE];

    if (l->up) {
        tell_down(m, l, EVENT_NODE_DOWN, text != NULL ? text : closed_text(m, l, closed), now_ms);
    } else if (l->hs != NULL && !c->ending) {
        handshake_closed(l->hs);
        link_shake_failed(m, l, now_ms);
    }
}

static size_t link_pending(struct conn *c, bool large, struct iovec *iov, size_t max)
{
    struct link *l = link_of(c);
    clu_slice out = l->hs == NULL ? (clu_slice){NULL, 0} : handshake_pending(l->hs);

    return out.len > 0 || !l->up ? conn_piece(out, iov)
                                 : channel_pending(&l->channel, large, iov, max);
}

static void link_sent(struct conn *c, size_t n, uint64_t now_ms)
{
    struct link *l = link_of(c);

    if (l->hs == NULL || handshake_pending(l->hs).len == 0) {
        channel_sent(&l->channel, n, now_ms);
        if (!channel_is_busy(&l->channel))
            node_writable(&l->node);
        return;
    }
    handshake_sent(l->hs, n);
    link_end_shake(l);
}

static void link_due(struct machine *m, struct conn *c, uint64_t now_ms)
{
    struct link *l = link_of(c);

    if (!l->up) {
        if (l->hs == NULL || c->ending) {
            conn_close(m, c);
            return;
        }
        handshake_expired(l->hs);
        link_shake_failed(m, l, now_ms);
        conn_close(m, c);
    } else if (channel_tick(&l->channel, now_ms) != CLU_OK) {
        l->end = "net_tick_timeout";
        link_end(m, l, l->channel.what, now_ms);
    } else {
        look_if_stuck(m, l, now_ms);
        relook(m, l, now_ms);
        look_again(m, l, now_ms);
    }
}

static void link_free(struct machine *m, struct conn *c)
{
    struct link *l = link_of(c);

    link_forget_pending(m, l);
    list_remove(&l->exchange);
    if (l->up) {
        if (map_get(&m->links, slice_of(l->name)) == l)
            map_remove(&m->links, slice_of(l->name));
        node_link_down(&m->node, &l->node, l->end != NULL ? l->end : "connection_closed");
        channel_fini(&l->channel);
    } else {
        /* Whoever closed it has said why, unless we stop, or there was no memory. */
        dial_dropped(m, l->dial);
    }
    l->up = false;
    free(l->hs);
    l->hs = NULL;
}

const struct conn_ops link_ops = {
    .opened = link_opened,
    .refused = link_refused,
    .space = link_space,
    .got = link_got,
    .closed = link_closed,
    .pending = link_pending,
    .sent = link_sent,
    .due = link_due,
    .free = link_free,
};
