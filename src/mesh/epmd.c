/* SPDX-License-Identifier: Apache-2.0
 *
 * Our own registration: with the epmd of this host, or with one that we serve from within; and the
 * clients of that one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mesh/internal.h"

/* After the epmd of this host went away: soon, so that we serve before a BEAM of this pod looks
 * for it again (2 s). */
#define EPMD_SOON_MS 200

static void tell(struct machine *m, enum event_id id, const char *reason)
{
    struct event *e = machine_event(m, id);

    text_set(e->node, sizeof e->node, slice_of(m->name));
    text_set(e->reason, sizeof e->reason, slice_of(reason));
}

/* The first time that it is settled where we are registered, or that this may take longer: the node
 * is up, discovery begins. */
static void settled(struct machine *m, uint64_t now_ms)
{
    if (!m->reg.settled) {
        m->reg.settled = true;
        struct event *e = machine_event(m, EVENT_STARTED);

        text_set(e->node, sizeof e->node, slice_of(m->name));
        e->address = m->address;
        if (m->address.family == 0) /* everywhere, under a name that is no address */
            e->address = m->settings->listen;
        e->address.port = m->address.port;
        e->number = m->creation;
        discover_start(m, now_ms);
    }
    machine_readiness(m);
}

/* The registration stands. */
static void well(struct machine *m, const char *reason, uint64_t now_ms)
{
    m->reg.once = true;
    m->reg.duplicate = false;
    m->reg.trouble[0] = '\0';
    tell(m, EVENT_EPMD, reason);
    if (!m->settings->epmd_only)
        settled(m, now_ms);
}

/* It does not, for now: told once for each reason. */
static void trouble(struct machine *m, const char *reason)
{
    if (strcmp(m->reg.trouble, reason) == 0)
        return;
    text_set(m->reg.trouble, sizeof m->reg.trouble, slice_of(reason));
    tell(m, EVENT_EPMD_FAILED, reason);
}

static struct epmd_entry own_entry(const struct machine *m)
{
    struct epmd_entry e = {
        .port = m->address.port,
        .type = m->settings->hidden ? EPMD_TYPE_HIDDEN : EPMD_TYPE_VISIBLE,
        .high = 6,
        .low = 5,
    };
    size_t len = strcspn(m->name, "@");

    text_set(e.name, sizeof e.name, (clu_slice){(const uint8_t *)m->name, len});
    return e;
}

static void wait_for(struct machine *m, uint64_t ms, uint64_t now_ms)
{
    m->reg.state = REG_WAITING;
    m->reg.conn = 0;
    m->reg.retry_ms = now_ms + ms;
    settled(m, now_ms);
}

/* ---- serving ---- */

static void open_listener(struct machine *m, enum listener which, const char *ip)
{
    struct addr at;

    if (ip != NULL)
        addr_parse_ip(&at, slice_of(ip));
    else
        at = m->address;
    at.port = m->settings->epmd_port;
    machine_listen(m, which, &at, at.port, at.port);
}

/* 127.0.0.1 and ::1 are listened at anyway; an address that is none is nothing to listen at. */
static bool is_covered(const struct addr *a)
{
    struct addr v4 = addr_v4(UINT32_C(0x7f000001), 0);

    return a->family == 0 || addr_same_ip(a, &v4) || (a->family == 6 && addr_is_loopback(a));
}

static void serve(struct machine *m)
{
    bool all = m->settings->epmd_only || m->everywhere;

    m->reg.state = REG_OPENING;
    if (m->settings->epmd_only && m->settings->listen.family != 0)
        open_listener(m, LISTEN_EPMD, NULL);
    else
        open_listener(m, LISTEN_EPMD, all ? "0.0.0.0" : "127.0.0.1");
}

/* Only once the first one stands: half an epmd would answer for the other node's. */
static void serve_elsewhere(struct machine *m)
{
    bool all = m->settings->epmd_only || m->everywhere;

    if (m->settings->epmd_only && m->settings->listen.family != 0)
        return;
    open_listener(m, LISTEN_EPMD6, all ? "::" : "::1");
    if (!all && !is_covered(&m->address))
        open_listener(m, LISTEN_EPMD_OWN, NULL);
}

static void serving(struct machine *m, const struct addr *at, uint64_t now_ms)
{
    char reason[REASON_SIZE], text[ADDR_TEXT_MAX];
    struct epmd_entry e = own_entry(m);
    uint32_t creation;

    m->reg.state = REG_SERVING;
    serve_elsewhere(m);
    /* Nobody can have registered with an epmd that is a moment old: this fails for memory only. */
    if (!m->settings->epmd_only && epmd_registry_add_own(&m->reg.registry, &e, &creation) != CLU_OK)
        machine_fatal(m, "out of memory");
    snprintf(reason, sizeof reason, "serving epmd at %s", addr_text(at, text));
    well(m, reason, now_ms);
}

/* By who is told, and by whether something listens there. */
static const char *serving_advice(const struct settings *s, bool in_use)
{
    static const char *const advice[][2] = {
        {"see --epmd-port, or use --epmd none", "stop what listens there, or use --epmd external"},
        {"see .epmd_port, or use .epmd none", "stop what listens there, or use .epmd external"},
        {"see --listen-address and --epmd-port",
         "stop what listens there, or choose another one with --epmd-port"},
    };

    return advice[s->epmd_only ? 2 : s->library ? 1 : 0][in_use];
}

/* Port 4369 was free a moment ago, and is not now: another node of this host was quicker. */
static void not_serving(struct machine *m, const struct addr *at, const char *error, bool in_use,
                        uint64_t now_ms)
{
    char text[ADDR_TEXT_MAX];

    if (in_use && m->settings->epmd == EPMD_AUTO && !m->settings->epmd_only)
        wait_for(m, EPMD_SOON_MS, now_ms);
    else
        machine_fatal(m, "cannot serve epmd at %s: %.80s: %s", addr_text(at, text), error,
                      serving_advice(m->settings, in_use));
}

void epmd_listening(struct machine *m, enum listener which, const struct addr *at,
                    const char *error, bool in_use, uint64_t now_ms)
{
    char reason[REASON_SIZE], text[ADDR_TEXT_MAX];

    if (which == LISTEN_EPMD_OWN && error != NULL) {
        snprintf(reason, sizeof reason,
                 "cannot serve epmd at %s: %.80s: nodes of other hosts will not find this one",
                 addr_text(at, text), error);
        tell(m, EVENT_EPMD_FAILED, reason);
    }
    if (which != LISTEN_EPMD) /* ::1 may be missing */
        return;
    if (error == NULL)
        serving(m, at, now_ms);
    else
        not_serving(m, at, error, in_use, now_ms);
}

/* ---- registering ---- */

struct self {
    struct conn conn;
    struct epmd_client client;
};

static struct self *self_of(struct conn *c)
{
    return CONTAINER_OF(c, struct self, conn);
}

static void ask_self(struct machine *m, uint64_t now_ms)
{
    struct self *s = calloc(1, sizeof *s);
    struct epmd_entry e = own_entry(m);

    if (s == NULL || !conn_add(m, &s->conn, CONN_EPMD_SELF)) {
        wait_for(m, EPMD_RETRY_MS, now_ms);
        return;
    }
    s->conn.peer = addr_v4(UINT32_C(0x7f000001), m->settings->epmd_port);
    epmd_ask_alive2(&s->client, &e);
    m->reg.state = REG_ASKING;
    m->reg.conn = s->conn.id;
    conn_dial(m, &s->conn);
    conn_due(m, &s->conn, now_ms + EPMD_ANSWER_MS);
}

void epmd_start(struct machine *m, uint64_t now_ms)
{
    const struct settings *s = m->settings;

    if (s->epmd_only || s->epmd == EPMD_EMBEDDED) {
        serve(m);
    } else if (s->epmd == EPMD_NONE) {
        m->reg.state = REG_NONE;
        settled(m, now_ms);
    } else {
        ask_self(m, now_ms);
    }
}

void epmd_tick(struct machine *m, uint64_t now_ms)
{
    if (m->reg.state == REG_WAITING && m->reg.retry_ms <= now_ms)
        ask_self(m, now_ms);
}

void epmd_stop(struct machine *m, uint64_t now_ms)
{
    (void)now_ms;
    m->reg.state = REG_NONE;
    m->reg.conn = 0;
}

static void taken(struct machine *m, uint64_t now_ms)
{
    if (!m->reg.once) {
        machine_fatal(m,
                      "the name %.100s is taken: the epmd of this host (port %u) has it registered "
                      "for another node: stop that node, or choose another name",
                      m->name, (unsigned)m->settings->epmd_port);
        return;
    }
    trouble(m, "our name was registered by another node while our epmd was away; trying again");
    m->reg.duplicate = true;
    wait_for(m, EPMD_RETRY_MS, now_ms);
}

static void self_opened(struct machine *m, struct conn *c, uint64_t now_ms)
{
    (void)m, (void)c, (void)now_ms;
}

static void self_refused(struct machine *m, struct conn *c, enum dial_error error, const char *text,
                         uint64_t now_ms)
{
    char reason[REASON_SIZE];

    if (m->settings->epmd == EPMD_AUTO && error == DIAL_REFUSED) {
        serve(m);
        return;
    }
    dial_error_reason(error, &c->peer, "epmd", text, reason);
    size_t len = strlen(reason);

    snprintf(reason + len, sizeof reason - len, "; trying again");
    trouble(m, reason);
    wait_for(m, EPMD_RETRY_MS, now_ms);
}

static void registered(struct machine *m, struct conn *c, uint64_t now_ms)
{
    char reason[REASON_SIZE], text[ADDR_TEXT_MAX];

    conn_due(m, c, NEVER);
    m->reg.state = REG_HELD;
    snprintf(reason, sizeof reason, "registered with the epmd at %s", addr_text(&c->peer, text));
    well(m, reason, now_ms);
}

static void self_got(struct machine *m, struct conn *c, size_t n, uint64_t now_ms)
{
    struct self *s = self_of(c);

    if (m->reg.state == REG_HELD) /* an epmd says nothing more */
        return;
    epmd_client_feed(&s->client, m->scratch, n);
    if (s->client.err != CLU_OK) {
        trouble(m, s->client.what);
        conn_close(m, c);
        wait_for(m, EPMD_RETRY_MS, now_ms);
    } else if (s->client.done && s->client.found) {
        registered(m, c, now_ms);
    } else if (s->client.done) {
        conn_close(m, c);
        taken(m, now_ms);
    }
}

static void self_closed(struct machine *m, struct conn *c, const char *text, uint64_t now_ms)
{
    bool held = m->reg.state == REG_HELD;

    (void)c, (void)text;
    trouble(m, held ? "the epmd of this host went away; registering again"
                    : "the epmd of this host closed the connection instead of registering us; "
                      "trying again");
    wait_for(m, held ? EPMD_SOON_MS : EPMD_RETRY_MS, now_ms);
}

static size_t self_pending(struct conn *c, bool large, struct iovec *iov, size_t max)
{
    (void)large;
    (void)max;
    return conn_piece(epmd_client_pending(&self_of(c)->client), iov);
}

static void self_sent(struct conn *c, size_t n, uint64_t now_ms)
{
    (void)now_ms;
    epmd_client_sent(&self_of(c)->client, n);
}

static void self_due(struct machine *m, struct conn *c, uint64_t now_ms)
{
    char reason[REASON_SIZE];

    snprintf(reason, sizeof reason,
             "the epmd of this host (port %u) does not answer: is that an epmd? Trying again",
             (unsigned)m->settings->epmd_port);
    trouble(m, reason);
    conn_close(m, c);
    wait_for(m, EPMD_RETRY_MS, now_ms);
}

static void self_free(struct machine *m, struct conn *c)
{
    (void)m;
    epmd_client_fini(&self_of(c)->client);
}

const struct conn_ops epmd_self_ops = {
    .opened = self_opened,
    .refused = self_refused,
    .got = self_got,
    .closed = self_closed,
    .pending = self_pending,
    .sent = self_sent,
    .due = self_due,
    .free = self_free,
};

/* ---- clients of the epmd within ---- */

struct served {
    struct conn conn;
    struct epmd_conn epmd;
    bool told; /* its registration was told, so its end will be */
};

static struct served *served_of(struct conn *c)
{
    return CONTAINER_OF(c, struct served, conn);
}

slot_id epmd_accept(struct machine *m, const struct addr *peer, const struct addr *local,
                    uint64_t now_ms)
{
    struct served *s = m->stopped ? NULL : calloc(1, sizeof *s);

    if (s == NULL || !conn_add(m, &s->conn, CONN_EPMD_SERVED))
        return 0;
    s->conn.opened = true;
    s->conn.peer = *peer;
    crowd_join(m, &m->askers, &s->conn, now_ms);
    /* Only a node of this host may register: from loopback, or from the address it came to. */
    epmd_conn_init(&s->epmd, &m->reg.registry, addr_is_loopback(peer) || addr_same_ip(peer, local),
                   now_ms);
    conn_due(m, &s->conn, s->epmd.deadline_ms);
    return s->conn.id;
}

static void tell_served(struct machine *m, const struct served *s, const char *what,
                        const char *why)
{
    char reason[REASON_SIZE];

    snprintf(reason, sizeof reason, "%.100s, port %u, %s%s%.80s", s->epmd.entry.name,
             (unsigned)s->epmd.entry.port, what, why == NULL ? "" : ": ", why == NULL ? "" : why);
    tell(m, EVENT_EPMD, reason);
}

static void served_got(struct machine *m, struct conn *c, size_t n, uint64_t now_ms)
{
    struct served *s = served_of(c);

    epmd_conn_feed(&s->epmd, m->scratch, n, now_ms);
    if (!s->told && s->epmd.registered) {
        s->told = true;
        crowd_leave(c);
        tell_served(m, s, "registered with our epmd", NULL);
        conn_due(m, c, NEVER);
    }
    if (s->epmd.close)
        conn_end(m, c);
}

static void served_closed(struct machine *m, struct conn *c, const char *text, uint64_t now_ms)
{
    (void)m, (void)c, (void)text, (void)now_ms;
}

static size_t served_pending(struct conn *c, bool large, struct iovec *iov, size_t max)
{
    (void)large;
    (void)max;
    return conn_piece(epmd_conn_pending(&served_of(c)->epmd), iov);
}

static void served_sent(struct conn *c, size_t n, uint64_t now_ms)
{
    (void)now_ms;
    epmd_conn_sent(&served_of(c)->epmd, n);
}

static void served_due(struct machine *m, struct conn *c, uint64_t now_ms)
{
    (void)now_ms;
    conn_close(m, c);
}

static void served_free(struct machine *m, struct conn *c)
{
    struct served *s = served_of(c);

    if (s->told && !m->stopped)
        tell_served(m, s, "left our epmd", s->epmd.what);
    epmd_conn_fini(&s->epmd);
}

const struct conn_ops epmd_served_ops = {
    .got = served_got,
    .closed = served_closed,
    .pending = served_pending,
    .sent = served_sent,
    .due = served_due,
    .free = served_free,
};
