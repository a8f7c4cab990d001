/* SPDX-License-Identifier: Apache-2.0
 *
 * The beginning of links: dialled or accepted, the handshake, who wins when two nodes dial each
 * other, and what is told when it fails. link.c goes on when it is done.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mesh/internal.h"

/* ---- opening ---- */

/* Which of them a dial proves; the one before may have ceased to be good meanwhile. */
static clu_slice dial_cookie(const struct machine *m, const struct link *l, const char *peer)
{
    clu_slice before = l->other_cookie ? cookie_before(m, peer) : (clu_slice){NULL, 0};

    return before.len > 0 ? before : cookie_for(m, peer);
}

static struct handshake_options handshake_settings(const struct machine *m, uint64_t now_ms)
{
    const struct settings *s = m->settings;
    bool dynamic = m->name[0] == '\0' || s->probe;

    return (struct handshake_options){
        .name = dynamic ? HANDSHAKE_DYNAMIC_HOST : m->name,
        .dynamic = dynamic,
        .creation = m->creation,
        .flags = DFLAGS_OFFERED | (s->hidden ? 0 : DFLAG_PUBLISHED),
        .crypto = m->crypto,
        .now_ms = now_ms,
        .setup_ms = s->setup_ms,
        .length_size = 2,
    };
}

static struct link *link_new(struct machine *m, const struct addr *peer)
{
    struct link *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    list_init(&l->hinted);
    list_init(&l->exchange);
    l->conn.peer = *peer;
    return conn_add(m, &l->conn, CONN_LINK) ? l : NULL;
}

static struct link *dial(struct machine *m, struct dial *d, const struct addr *addr,
                         const char *name)
{
    struct link *l = link_new(m, addr);

    if (l == NULL)
        return NULL;
    l->dial = d->id;
    l->target = d->target;
    text_set(l->name, sizeof l->name, slice_of(name));
    l->by_hint = name[0] == '\0';
    if (l->by_hint)
        list_append(&m->hinted, &l->hinted);
    l->pending_listed = !l->by_hint && map_put(&m->pending, slice_of(name), l) == CLU_OK;
    conn_dial(m, &l->conn);
    return l;
}

bool link_dial(struct machine *m, struct dial *d, const struct addr *addr, const char *name)
{
    /* A probe wants to know whether a node is there, whatever its name. */
    return dial(m, d, addr, m->settings->probe ? "" : name) != NULL;
}

/* A new cookie does not reach all nodes at one moment: who refuses it may still have the one
 * before, which is tried once. */
static bool dial_otherwise(struct machine *m, struct link *l)
{
    struct dial *d = slots_get(&m->dials, l->dial);

    if (d == NULL || l->other_cookie || l->hs->failure != HS_FAIL_COOKIE ||
        cookie_before(m, l->hs->peer).len == 0)
        return false;
    link_forget_pending(m, l);
    struct link *again = dial(m, d, &l->conn.peer, l->by_hint ? "" : l->name);

    if (again == NULL)
        return false;
    again->other_cookie = true;
    text_set(d->refusal, sizeof d->refusal, slice_of(l->hs->reason));
    l->dial = 0;
    return true;
}

void link_opened(struct machine *m, struct conn *c, uint64_t now_ms)
{
    struct link *l = link_of(c);
    struct handshake_options o = handshake_settings(m, now_ms);

    o.cookie = dial_cookie(m, l, l->name);
    l->hs = calloc(1, sizeof *l->hs);
    if (l->hs == NULL) {
        dial_failed(m, l->dial, STAGE_HERE, "out of memory", now_ms);
        conn_close(m, c);
        return;
    }
    handshake_dial(l->hs, &o, l->name);
    conn_due(m, c, l->hs->deadline_ms);
}

void link_refused(struct machine *m, struct conn *c, enum dial_error error, const char *text,
                  uint64_t now_ms)
{
    char reason[REASON_SIZE];
    enum stage stage;

    stage = dial_error_reason(error, &c->peer, "the node", text, reason);
    dial_failed(m, link_of(c)->dial, stage, reason, now_ms);
}

slot_id link_accept(struct machine *m, const struct addr *peer, uint64_t now_ms)
{
    struct handshake *hs = m->stopped ? NULL : calloc(1, sizeof *hs);
    struct link *l = hs == NULL ? NULL : link_new(m, peer);

    if (l == NULL) {
        free(hs);
        return 0;
    }
    struct handshake_options o = handshake_settings(m, now_ms);

    l->hs = hs;
    l->conn.opened = true;
    crowd_join(m, &m->unproved, &l->conn, now_ms);
    handshake_accept(l->hs, &o);
    conn_due(m, &l->conn, l->hs->deadline_ms);
    return l->conn.id;
}

/* ---- the acceptor's decision ---- */

/* Bytes before the host part of an assigned name: "clu", a number, "@". */
#define ASSIGNED_EXTRA 16

/* The lowest number that no link and no other handshake has: so few names, and few atoms at peers
 * that hear of them. */
static void assign_name(struct machine *m, struct link *l)
{
    for (unsigned i = 1;; i++) {
        snprintf(l->name, sizeof l->name, "clu%u@%.*s", i, NODE_NAME_MAX - ASSIGNED_EXTRA,
                 l->hs->peer);
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

/* Whether a link is to the node that a dial by hint leads to: at the same address, and of the name
 * that epmd gave, where one was asked; without epmd an address has one node. */
static bool leads_to(const struct dial *d, const struct link *l, const struct link *other,
                     const char *name)
{
    char alive[EPMD_NAME_MAX + 1];

    if (d == NULL || !addr_same_ip(&other->conn.peer, &l->conn.peer))
        return false;
    alive_part(name, alive);
    return d->n_candidates == 0 || strcmp(d->candidates[d->visible].name, alive) == 0;
}

/* Our own attempt to the node that dials us: under its name, or to its address while the name there
 * is still to be learnt. */
static struct link *own_attempt(struct machine *m, const struct link *l)
{
    struct link *own = map_get(&m->pending, slice_of(l->hs->peer));

    if (own != NULL)
        return own->conn.outbound ? own : NULL;
    for (struct list *at = m->hinted.next; at != &m->hinted; at = at->next) {
        own = CONTAINER_OF(at, struct link, hinted);
        if (leads_to(slots_get(&m->dials, own->dial), own, l, l->hs->peer))
            return own;
    }
    return NULL;
}

/* Why a peer is not let in; NULL when it is. */
static const char *refusal(const struct machine *m, const struct handshake *hs)
{
    if (m->draining && !machine_dials(m))
        return "this node is leaving";
    if (strcmp(hs->peer, m->name) == 0)
        return "it has our own name: two nodes of one name cannot be linked; rename one";
    if (reconcile_has_cut(m->reconcile, hs->peer, hs->peer_creation))
        return "no source lists it any more, and its link was cut (--prune)";
    return NULL;
}

static enum hs_status decide_status(struct machine *m, struct link *l, uint64_t now_ms)
{
    if (map_get(&m->links, slice_of(l->hs->peer)) != NULL)
        return HS_STATUS_ALIVE;
    struct link *own = own_attempt(m, l);

    if (own != NULL)
        return decide_simultaneous(m, l->hs->peer, own, now_ms);
    return HS_STATUS_OK;
}

/* At our port, and at an address of this host: only there both ends have the same one, or are
 * loopback. */
static bool leads_home(const struct machine *m, const struct conn *c)
{
    bool stays = addr_same_ip(&c->local, &c->peer) ||
                 (addr_is_loopback(&c->local) && addr_is_loopback(&c->peer));

    return stays && c->peer.port == m->address.port;
}

/* We have dialled ourselves, at an address of ours that we did not know: the attempt is over. Its
 * own address and port are not enough to find it: the system gives them to several connections, if
 * they lead to different places. */
static void end_own_dial(struct machine *m, const struct link *l, uint64_t now_ms)
{
    uint32_t at = 0;

    for (struct conn *c; (c = slots_next(&m->conns, &at)) != NULL;) {
        if (c->dead || c->kind != CONN_LINK || !c->outbound || link_of(c)->up ||
            !leads_home(m, c) || !addr_equal(&c->local, &l->conn.peer))
            continue;
        dial_found_self(m, link_of(c)->dial, now_ms);
        conn_close(m, c);
        return;
    }
}

static bool is_ourselves(const struct machine *m, const struct handshake *hs)
{
    return hs->peer_creation == m->creation && strcmp(hs->peer, m->name) == 0;
}

static void decide(struct machine *m, struct link *l, uint64_t now_ms)
{
    if (l->hs->peer_dynamic && !m->draining &&
        strlen(l->hs->peer) <= NODE_NAME_MAX - ASSIGNED_EXTRA) {
        assign_name(m, l);
        handshake_answer(l->hs, HS_STATUS_OK, cookie_for(m, l->name), l->name,
                         (uint32_t)rng_range(&m->rng, CREATION_MIN, UINT32_MAX));
        handshake_take_too(l->hs, cookie_before(m, l->name));
        return;
    }
    text_set(l->name, sizeof l->name, slice_of(l->hs->peer));
    if (is_ourselves(m, l->hs))
        end_own_dial(m, l, now_ms);
    const char *why_not = refusal(m, l->hs);
    enum hs_status status = why_not != NULL ? HS_STATUS_NOT_ALLOWED : decide_status(m, l, now_ms);

    handshake_answer(l->hs, status, cookie_for(m, l->name), NULL, 0);
    handshake_take_too(l->hs, cookie_before(m, l->name));
    if (why_not != NULL)
        text_set(l->hs->reason, sizeof l->hs->reason, slice_of(why_not));
}

/* ---- the end of a handshake that failed ---- */

static enum stage stage_of(enum hs_failure failure)
{
    static const enum stage stages[] = {
        [HS_FAIL_CLOSED] = STAGE_CLOSED,  [HS_FAIL_NOT_ALLOWED] = STAGE_NOT_ALLOWED,
        [HS_FAIL_FLAGS] = STAGE_FLAGS,    [HS_FAIL_NAME_MISMATCH] = STAGE_NAME_MISMATCH,
        [HS_FAIL_COOKIE] = STAGE_COOKIE,  [HS_FAIL_PROTOCOL] = STAGE_CLOSED,
        [HS_FAIL_TIMEOUT] = STAGE_SILENT, [HS_FAIL_ALIVE] = STAGE_CLOSED,
        [HS_FAIL_INTERNAL] = STAGE_HERE,
    };

    return stages[failure];
}

static void tell_rejected_more(struct machine *m)
{
    if (m->news.n_untold == 0)
        return;
    machine_event(m, EVENT_REJECTED_MORE)->number = m->news.n_untold;
    m->news.n_untold = 0;
}

static void tell_rejected(struct machine *m, struct link *l, uint64_t now_ms)
{
    /* Who connects and says nothing is a probe of the port, or gave way to our own attempt; who
     * asks for a name and closes behind our challenge wanted to know whether a node is here. */
    if ((l->hs->peer[0] == '\0' || l->hs->peer_dynamic) && l->hs->failure == HS_FAIL_CLOSED)
        return;
    /* We dialled ourselves, or refuse all because we leave. */
    if (m->draining || is_ourselves(m, l->hs))
        return;
    m->count.rejected++;
    if (!news_is_new(&m->news, &l->conn.peer, l->hs->failure, now_ms))
        return;
    machine_changed(m);
    tell_rejected_more(m);
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

/* Where both cookies were refused, what is known about the present one is told. */
static const char *why_refused(const struct machine *m, const struct link *l)
{
    const struct dial *d = slots_get(&m->dials, l->dial);
    bool both = d != NULL && l->other_cookie && l->hs->failure == HS_FAIL_COOKIE;

    return both ? d->refusal : l->hs->reason;
}

/* Where to look: the reason is about the present cookie, not the one before. */
static void add_cookie_source(const struct machine *m, struct link *l)
{
    size_t len = strlen(l->hs->reason);

    if (l->hs->failure == HS_FAIL_COOKIE && !l->other_cookie)
        snprintf(l->hs->reason + len, sizeof l->hs->reason - len, "; our cookie came from %s",
                 cookie_source(m, l->name[0] != '\0' ? l->name : l->hs->peer));
}

void link_shake_failed(struct machine *m, struct link *l, uint64_t now_ms)
{
    add_cookie_source(m, l);
    if (gave_way(l))
        dial_deferred(m, l->dial, now_ms);
    else if (l->conn.outbound && dial_otherwise(m, l))
        return;
    else if (l->conn.outbound)
        dial_failed(m, l->dial, stage_of(l->hs->failure), why_refused(m, l), now_ms);
    else
        tell_rejected(m, l, now_ms);
}

/* ---- the handshake, step by step ---- */

/* The link that we have to the node which says that it has one already. */
static struct link *link_to_same(struct machine *m, const struct dial *d, const struct link *l)
{
    const struct map_entry *at = NULL;
    struct link *other;

    if (!l->by_hint)
        return map_get(&m->links, slice_of(l->name));
    while ((other = map_next(&m->links, &at, NULL)) != NULL)
        if (leads_to(d, l, other, other->name))
            return other;
    return NULL;
}

/* What is linked is not dialled again: the entry that led here is told whom it leads to. */
static void confirm_alive(struct machine *m, struct link *l, uint64_t now_ms)
{
    struct dial *d = slots_get(&m->dials, l->dial);
    const struct link *same = d == NULL ? NULL : link_to_same(m, d, l);

    if (same != NULL) {
        struct target *t = reconcile_learn(m->reconcile, l->target, same->name, now_ms);

        if (t != NULL) /* two entries may have become one */
            d->target = l->target = t->id;
    }
    handshake_confirm(l->hs, d != NULL && same == NULL);
}

/* The challenge came: a node is there. A probe ends here, before any proof, and leaves no trace. */
static void choose_cookie(struct machine *m, struct link *l, uint64_t now_ms)
{
    if (!m->settings->probe) {
        handshake_use_cookie(l->hs, dial_cookie(m, l, l->hs->peer));
        return;
    }
    reconcile_reached(m->reconcile, l->target, l->hs->peer, now_ms);
    dial_end(m, slots_get(&m->dials, l->dial));
    l->dial = 0;
    machine_changed(m);
    conn_close(m, &l->conn);
}

static void step(struct machine *m, struct link *l, uint64_t now_ms)
{
    switch (l->hs->state) {
    case HS_DECIDE: decide(m, l, now_ms); break;
    case HS_CONFIRM_ALIVE: confirm_alive(m, l, now_ms); break;
    case HS_CHOOSE_COOKIE: choose_cookie(m, l, now_ms); break;
    case HS_WAIT_INBOUND:
        dial_gave_way(m, l->dial, now_ms);
        conn_close(m, &l->conn);
        break;
    case HS_DONE: link_go_up(m, l, now_ms); break;
    case HS_FAILED:
        link_shake_failed(m, l, now_ms);
        conn_end(m, &l->conn);
        break;
    default: break;
    }
}

void link_shake(struct machine *m, struct link *l, const uint8_t *data, size_t len, uint64_t now_ms)
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
    if (l->conn.dead || !l->up)
        return;
    link_end_shake(l);
    channel_feed(&l->channel, data, len, now_ms);
    link_drain(m, l, now_ms);
}
