/* SPDX-License-Identifier: Apache-2.0
 *
 * Links: a connection from its first byte to the last: handshake, who wins when two nodes dial each
 * other, the channel, the end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mesh/internal.h"

static struct link *link_of(struct conn *c)
{
    return CONTAINER_OF(c, struct link, conn);
}

struct link *link_find(struct machine *m, const char *name)
{
    return map_get(&m->links, slice_of(name));
}

/* ---- opening ---- */

static const struct cookie *cookie_for(const struct machine *m, const char *peer)
{
    const struct settings *s = m->settings;

    for (size_t i = 0; i < s->n_peer_cookies; i++)
        if (strcmp(s->peer_cookies[i].node, peer) == 0)
            return &s->peer_cookies[i].cookie;
    return &s->cookie;
}

static clu_slice cookie_bytes(const struct machine *m, const char *peer)
{
    const struct cookie *c = cookie_for(m, peer);

    return (clu_slice){c->bytes, c->len};
}

static struct handshake_options handshake_settings(struct machine *m, const char *peer,
                                                   uint64_t now_ms)
{
    const struct settings *s = m->settings;

    return (struct handshake_options){
        .name = m->name[0] == '\0' ? HANDSHAKE_DYNAMIC_HOST : m->name,
        .dynamic = m->name[0] == '\0',
        .creation = m->creation,
        .flags = DFLAGS_OFFERED | (s->hidden ? 0 : DFLAG_PUBLISHED),
        .cookie = cookie_bytes(m, peer),
        .crypto = m->crypto,
        .now_ms = now_ms,
        .setup_ms = s->setup_ms,
        .length_size = 2,
    };
}

bool link_dial(struct machine *m, struct dial *d, const struct addr *addr, const char *name,
               uint64_t now_ms)
{
    struct link *l = calloc(1, sizeof *l);

    (void)now_ms;
    if (l == NULL || !conn_add(m, &l->conn, CONN_LINK))
        return false;
    l->conn.peer = *addr;
    l->dial = d->id;
    l->target = d->target;
    text_set(l->name, sizeof l->name, slice_of(name));
    l->by_hint = name[0] == '\0';
    l->pending_listed = !l->by_hint && map_put(&m->pending, slice_of(name), l) == CLU_OK;
    d->conn = l->conn.id;
    conn_dial(m, &l->conn);
    return true;
}

static void link_opened(struct machine *m, struct conn *c, uint64_t now_ms)
{
    struct link *l = link_of(c);
    struct handshake_options o = handshake_settings(m, l->name, now_ms);

    l->hs = calloc(1, sizeof *l->hs);
    if (l->hs == NULL) {
        dial_failed(m, l->dial, STAGE_CLOSED, "out of memory", now_ms);
        conn_close(m, c);
        return;
    }
    handshake_dial(l->hs, &o, l->name);
    conn_due(m, c, l->hs->deadline_ms);
}

static void link_refused(struct machine *m, struct conn *c, enum dial_error error, const char *text,
                         uint64_t now_ms)
{
    char reason[REASON_SIZE];
    enum stage stage;

    stage = dial_error_reason(error, &c->peer, "the node", text, reason);
    dial_failed(m, link_of(c)->dial, stage, reason, now_ms);
}

slot_id link_accept(struct machine *m, const struct addr *peer, const struct addr *local,
                    uint64_t now_ms)
{
    struct link *l =
        m->stopped || m->n_unproved >= MACHINE_UNPROVED_MAX ? NULL : calloc(1, sizeof *l);

    if (l == NULL)
        return 0;
    l->hs = calloc(1, sizeof *l->hs);
    if (l->hs == NULL || !conn_add(m, &l->conn, CONN_LINK)) {
        free(l->hs);
        free(l);
        return 0;
    }
    struct handshake_options o = handshake_settings(m, "", now_ms);

    l->conn.opened = true;
    l->conn.peer = *peer;
    l->conn.local = *local;
    m->n_unproved++;
    handshake_accept(l->hs, &o);
    conn_due(m, &l->conn, l->hs->deadline_ms);
    return l->conn.id;
}

/* ---- the acceptor's decision ---- */

/* The lowest number that no link and no other handshake has: so few names, and few atoms at peers
 * that hear of them. */
static void assign_name(struct machine *m, struct link *l)
{
    for (unsigned i = 1;; i++) {
        snprintf(l->name, sizeof l->name, "clu%u@%.200s", i, l->hs->peer);
        if (map_get(&m->links, slice_of(l->name)) == NULL &&
            map_get(&m->pending, slice_of(l->name)) == NULL)
            break;
    }
    l->pending_listed = map_put(&m->pending, slice_of(l->name), l) == CLU_OK;
}

/* OTP's net_kernel decides so: when both dial at once, the attempt of the greater name survives. An
 * attempt of ours that is not connected yet is unknown to the peer and may always go. */
static enum hs_status decide_simultaneous(struct machine *m, const char *peer, struct link *own,
                                          uint64_t now_ms)
{
    if (own->conn.opened && strcmp(m->name, peer) > 0)
        return HS_STATUS_NOK;
    dial_deferred(m, own->dial, now_ms);
    conn_close(m, &own->conn);
    return HS_STATUS_OK_SIMULTANEOUS;
}

static enum hs_status decide_status(struct machine *m, struct link *l, uint64_t now_ms)
{
    if (m->draining || strcmp(l->hs->peer, m->name) == 0)
        return HS_STATUS_NOT_ALLOWED;
    if (map_get(&m->links, slice_of(l->hs->peer)) != NULL)
        return HS_STATUS_ALIVE;
    struct link *own = map_get(&m->pending, slice_of(l->hs->peer));

    if (own != NULL && own->conn.outbound)
        return decide_simultaneous(m, l->hs->peer, own, now_ms);
    return HS_STATUS_OK;
}

static void decide(struct machine *m, struct link *l, uint64_t now_ms)
{
    if (l->hs->peer_dynamic && !m->draining) {
        assign_name(m, l);
        handshake_answer(l->hs, HS_STATUS_OK, cookie_bytes(m, l->name), l->name,
                         (uint32_t)rng_range(&m->rng, 4, UINT32_MAX));
        return;
    }
    text_set(l->name, sizeof l->name, slice_of(l->hs->peer));
    handshake_answer(l->hs, decide_status(m, l, now_ms), cookie_bytes(m, l->name), NULL, 0);
    if (strcmp(l->name, m->name) == 0)
        text_set(
            l->hs->reason, sizeof l->hs->reason,
            slice_of("it has our own name: two nodes of one name cannot be linked; rename one"));
}

/* ---- up ---- */

/* The older link of a name goes when the newer has proved the cookie: the node there believes in
 * the newer one. No nodedown is told: the name stays linked. */
static void take_over(struct machine *m, struct link *l)
{
    struct link *old = map_get(&m->links, slice_of(l->name));

    if (old == NULL)
        return;
    ask_link_down(m, old, "the node opened a new connection");
    conn_close(m, &old->conn);
}

static void tell_up(struct machine *m, struct link *l, bool new_incarnation)
{
    struct event *e = machine_event(m, new_incarnation ? EVENT_NODE_REPLACED : EVENT_NODE_UP);

    text_set(e->node, sizeof e->node, slice_of(l->name));
    e->address = l->conn.peer;
    e->number = l->hs->peer_creation;
    m->count.links_up++;
    machine_changed(m);
}

static void forget_pending(struct machine *m, struct link *l)
{
    if (l->pending_listed)
        map_remove(&m->pending, slice_of(l->name));
    l->pending_listed = false;
}

/* The deadline of a channel moves away while bytes flow, so it is looked at when the old one has
 * passed, not at every byte; but at least once a tick, since it comes nearer when a queue that was
 * full has drained. */
static void look_again(struct machine *m, struct link *l, uint64_t now_ms)
{
    conn_due(m, &l->conn, min_u64(channel_deadline(&l->channel), now_ms + l->channel.tick_ms));
}

/* A name that was learnt may turn out to be our own. */
static bool is_self(struct machine *m, struct link *l, uint64_t now_ms)
{
    if (strcmp(l->hs->peer, m->name) != 0 || l->hs->peer_creation != m->creation)
        return false;
    reconcile_is_self(m->reconcile, l->target, now_ms);
    dial_deferred(m, l->dial, now_ms);
    conn_close(m, &l->conn);
    return true;
}

static void go_up(struct machine *m, struct link *l, uint64_t now_ms)
{
    struct handshake *hs = l->hs;
    const struct settings *s = m->settings;
    bool fresh = false;

    if (l->conn.outbound && is_self(m, l, now_ms))
        return;
    forget_pending(m, l);
    if (!hs->peer_dynamic)
        text_set(l->name, sizeof l->name, slice_of(hs->peer));
    if (m->name[0] == '\0')
        machine_set_name(m, hs->name, hs->creation, now_ms);
    take_over(m, l);
    if (map_put(&m->links, slice_of(l->name), l) != CLU_OK) {
        conn_close(m, &l->conn);
        return;
    }
    l->up = true;
    l->up_ms = now_ms;
    l->peer_flags = hs->peer_flags;
    if (!l->conn.outbound)
        m->n_unproved--;
    if (m->count.first_peer_ms == 0)
        m->count.first_peer_ms = max_u64(now_ms - m->started_ms, 1);
    channel_init(&l->channel, handshake_flags(hs), s->ticktime_ms, s->tick_intensity, now_ms);
    node_link_init(&l->node, &l->channel, l->name, hs->peer_creation, handshake_flags(hs));
    struct target *t = reconcile_up(m->reconcile, l->conn.outbound ? l->target : 0, l->name,
                                    &l->conn.peer, hs->peer_creation, now_ms, &fresh);

    l->target = t == NULL ? 0 : t->id;
    tell_up(m, l, fresh);
    dial_end(m, slots_get(&m->dials, l->dial));
    l->dial = 0;
    look_again(m, l, now_ms);
    ask_linked(m, l, now_ms);
    if (!l->conn.outbound && (t == NULL || t->sources == 0))
        discover_poke(m, now_ms);
}

/* ---- the end of a handshake that failed ---- */

static enum stage stage_of(enum hs_failure failure)
{
    static const enum stage stages[] = {
        [HS_FAIL_CLOSED] = STAGE_CLOSED,   [HS_FAIL_NOT_ALLOWED] = STAGE_FLAGS,
        [HS_FAIL_FLAGS] = STAGE_FLAGS,     [HS_FAIL_NAME_MISMATCH] = STAGE_NAME_MISMATCH,
        [HS_FAIL_COOKIE] = STAGE_COOKIE,   [HS_FAIL_PROTOCOL] = STAGE_CLOSED,
        [HS_FAIL_TIMEOUT] = STAGE_CLOSED,  [HS_FAIL_ALIVE] = STAGE_CLOSED,
        [HS_FAIL_INTERNAL] = STAGE_CLOSED,
    };

    return stages[failure];
}

static void tell_rejected(struct machine *m, struct link *l, uint64_t now_ms)
{
    /* Who connects and says nothing is a probe of the port, or gave way to our own attempt. */
    if (l->hs->peer[0] == '\0' && l->hs->failure == HS_FAIL_CLOSED)
        return;
    m->count.rejected++;
    machine_changed(m);
    if (!machine_is_news(m, &l->conn.peer, l->hs->peer, l->hs->reason, now_ms))
        return;
    struct event *e = machine_event(m, EVENT_REJECTED);

    text_set(e->node, sizeof e->node, slice_of(l->hs->peer[0] ? l->hs->peer : "a peer"));
    e->address = l->conn.peer;
    e->stage = stage_of(l->hs->failure);
    text_set(e->reason, sizeof e->reason, slice_of(l->hs->reason));
}

/* Two attempts met and the other one goes on: nobody did wrong. */
static bool gave_way(const struct link *l)
{
    return l->hs->failure == HS_FAIL_ALIVE || l->hs->failure == HS_FAIL_SIMULTANEOUS;
}

static void shake_failed(struct machine *m, struct link *l, uint64_t now_ms)
{
    if (gave_way(l))
        dial_deferred(m, l->dial, now_ms);
    else if (l->conn.outbound)
        dial_failed(m, l->dial, stage_of(l->hs->failure), l->hs->reason, now_ms);
    else
        tell_rejected(m, l, now_ms);
}

/* ---- the handshake, step by step ---- */

/* A name that is to be learnt is not known yet when the peer says "alive"; then a link to the same
 * address counts as the same node. */
static bool has_link_to(struct machine *m, const struct link *l)
{
    const struct map_entry *at = NULL;
    const struct link *other;

    if (!l->by_hint)
        return map_get(&m->links, slice_of(l->name)) != NULL;
    while ((other = map_next(&m->links, &at, NULL)) != NULL)
        if (addr_same_ip(&other->conn.peer, &l->conn.peer))
            return true;
    return false;
}

static void step(struct machine *m, struct link *l, uint64_t now_ms)
{
    switch (l->hs->state) {
    case HS_DECIDE: decide(m, l, now_ms); break;
    case HS_CONFIRM_ALIVE: handshake_confirm(l->hs, !has_link_to(m, l)); break;
    case HS_WAIT_INBOUND:
        dial_deferred(m, l->dial, now_ms);
        conn_close(m, &l->conn);
        break;
    case HS_DONE: go_up(m, l, now_ms); break;
    case HS_FAILED:
        shake_failed(m, l, now_ms);
        conn_end(m, &l->conn);
        break;
    default: break;
    }
}

static void drain(struct machine *m, struct link *l, uint64_t now_ms);

static void shake(struct machine *m, struct link *l, const uint8_t *data, size_t len,
                  uint64_t now_ms)
{
    while (!l->conn.dead && !l->conn.ending && !l->up) {
        enum hs_state before = l->hs->state;
        size_t used = handshake_feed(l->hs, data, len);

        data += used;
        len -= used;
        step(m, l, now_ms);
        if (used == 0 && (l->conn.dead || l->hs->state == before))
            return;
    }
    if (l->conn.dead || !l->up || len == 0)
        return;
    channel_feed(&l->channel, data, len, now_ms);
    drain(m, l, now_ms);
}

/* ---- up: messages ---- */

static void tell_down(struct machine *m, struct link *l, enum event_id id, const char *reason,
                      uint64_t now_ms)
{
    struct event *e = machine_event(m, id);

    text_set(e->node, sizeof e->node, slice_of(l->name));
    e->address = l->conn.peer;
    text_set(e->reason, sizeof e->reason, slice_of(reason));
    m->count.links_down++;
    machine_changed(m);
    ask_link_down(m, l, reason);
    reconcile_down(m->reconcile, l->name, now_ms, reason);
    if (!m->draining)
        discover_poke(m, now_ms);
}

void link_end(struct machine *m, struct link *l, const char *reason, uint64_t now_ms)
{
    tell_down(m, l, EVENT_NODE_DOWN, reason, now_ms);
    conn_close(m, &l->conn);
}

static void protocol_error(struct machine *m, struct link *l, clu_error err, const char *what,
                           uint64_t now_ms)
{
    m->count.protocol_errors++;
    tell_down(m, l, EVENT_PROTOCOL, what != NULL ? what : clu_strerror(err), now_ms);
    conn_close(m, &l->conn);
}

static void receive(struct machine *m, struct link *l, const struct frame *f, uint64_t now_ms)
{
    struct control ctl;
    struct node_report report = {0};
    const char *what = NULL;
    clu_error err = control_parse(&ctl, f->control, f->payload, f->refs, &what);

    if (err == CLU_OK)
        err = node_receive(&m->node, &l->node, &ctl, &report, &what);
    if (err != CLU_OK)
        protocol_error(m, l, err, what, now_ms);
    else if (report.kind != NODE_REPORT_NONE)
        ask_pong(m, l, &report.ref, report.kind == NODE_REPORT_PONG);
}

static void drain(struct machine *m, struct link *l, uint64_t now_ms)
{
    struct frame f;

    while (!l->conn.dead && channel_next(&l->channel, &f))
        receive(m, l, &f, now_ms);
    if (!l->conn.dead && l->channel.err != CLU_OK)
        protocol_error(m, l, l->channel.err, l->channel.what, now_ms);
}

/* ---- the row of functions ---- */

static size_t link_space(struct machine *m, struct conn *c, struct iovec iov[2])
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
        shake(m, l, m->scratch, n, now_ms);
        return;
    }
    channel_got(&l->channel, n, m->scratch, now_ms);
    drain(m, l, now_ms);
}

static void link_closed(struct machine *m, struct conn *c, const char *text, uint64_t now_ms)
{
    struct link *l = link_of(c);

    if (l->up) {
        tell_down(m, l, EVENT_NODE_DOWN, text != NULL ? text : "the node closed the connection",
                  now_ms);
    } else if (l->hs != NULL && !c->ending) {
        handshake_closed(l->hs);
        shake_failed(m, l, now_ms);
    }
}

static clu_slice link_pending(struct conn *c)
{
    struct link *l = link_of(c);
    clu_slice out = l->hs == NULL ? (clu_slice){NULL, 0} : handshake_pending(l->hs);

    return out.len > 0 || !l->up ? out : channel_pending(&l->channel);
}

static void link_sent(struct conn *c, size_t n, uint64_t now_ms)
{
    struct link *l = link_of(c);

    if (l->hs == NULL || handshake_pending(l->hs).len == 0) {
        channel_sent(&l->channel, n, now_ms);
        return;
    }
    handshake_sent(l->hs, n);
    if (l->up && handshake_pending(l->hs).len == 0) {
        free(l->hs);
        l->hs = NULL;
    }
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
        shake_failed(m, l, now_ms);
        conn_close(m, c);
    } else if (channel_tick(&l->channel, now_ms) != CLU_OK) {
        link_end(m, l, l->channel.what, now_ms);
    } else {
        look_again(m, l, now_ms);
    }
}

static void link_free(struct machine *m, struct conn *c)
{
    struct link *l = link_of(c);

    forget_pending(m, l);
    if (l->up) {
        if (map_get(&m->links, slice_of(l->name)) == l)
            map_remove(&m->links, slice_of(l->name));
        node_link_fini(&l->node);
        channel_fini(&l->channel);
    } else if (!c->outbound) {
        m->n_unproved--;
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
