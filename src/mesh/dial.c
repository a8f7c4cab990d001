/* SPDX-License-Identifier: Apache-2.0
 *
 * Dialling a target: the host part of its name, the port from its epmd, the link. Each step either
 * leads to the next one or ends the attempt with a stage and a sentence.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mesh/internal.h"

/* ---- the end of an attempt ---- */

void dial_end(struct machine *m, struct dial *d)
{
    if (d == NULL)
        return;
    slots_remove(&m->dials, d->id);
    free(d);
}

static void tell_failed(struct machine *m, const struct dial *d, enum stage stage,
                        const char *reason)
{
    const struct target *t = reconcile_get(m->reconcile, d->target);
    struct event *e = machine_event(m, EVENT_DIAL_FAILED);

    text_set(e->node, sizeof e->node, slice_of(t != NULL ? t->name : d->name));
    e->address = d->addr;
    e->stage = stage;
    text_set(e->reason, sizeof e->reason, slice_of(reason));
}

void dial_failed(struct machine *m, slot_id id, enum stage stage, const char *reason,
                 uint64_t now_ms)
{
    struct dial *d = slots_get(&m->dials, id);

    if (d == NULL)
        return;
    m->count.dial_failures[stage]++;
    if (reconcile_failed(m->reconcile, d->target, stage, reason, now_ms)) {
        tell_failed(m, d, stage, reason);
        machine_changed(m);
    }
    ask_failed(m, d->target, stage, reason, &d->addr, now_ms);
    const struct target *t = reconcile_get(m->reconcile, d->target);

    node_unreachable(&m->node, t != NULL ? t->name : d->name);
    dial_end(m, d);
}

/* Who waits for the node goes on waiting, for the next attempt; who leaves makes none. */
void dial_deferred(struct machine *m, slot_id id, uint64_t now_ms)
{
    struct dial *d = slots_get(&m->dials, id);

    if (d == NULL)
        return;
    reconcile_deferred(m->reconcile, d->target, now_ms);
    if (!machine_dials(m) && link_find(m, d->name) == NULL)
        node_unreachable(&m->node, d->name);
    dial_end(m, d);
}

void dial_gave_way(struct machine *m, slot_id id, uint64_t now_ms)
{
    struct dial *d = slots_get(&m->dials, id);
    char reason[REASON_SIZE], at[ADDR_TEXT_MAX], own[ADDR_TEXT_MAX];

    if (d == NULL)
        return;
    /* Who listens everywhere is where its name says. */
    snprintf(reason, sizeof reason,
             "the node at %s says that it is dialling us, and does not arrive: is the way from "
             "there to %.180s%s open (NetworkPolicy)?",
             addr_text(&d->addr, at), m->address.family == 0 ? name_host(m->name) : "",
             addr_text(&m->address, own));
    if (reconcile_gave_way(m->reconcile, d->target, STAGE_TCP_TIMEOUT, reason, now_ms)) {
        tell_failed(m, d, STAGE_TCP_TIMEOUT, reason);
        machine_changed(m);
    }
    dial_deferred(m, id, now_ms);
}

void dial_found_self(struct machine *m, slot_id id, uint64_t now_ms)
{
    struct dial *d = slots_get(&m->dials, id);
    char reason[REASON_SIZE], at[ADDR_TEXT_MAX];

    if (d == NULL)
        return;
    snprintf(reason, sizeof reason, "at %s is this node itself, %.180s", addr_text(&d->addr, at),
             m->name);
    reconcile_is_self(m->reconcile, d->target, now_ms);
    reconcile_deferred(m->reconcile, d->target, now_ms); /* somebody has dialled us as that one */
    ask_failed(m, d->target, STAGE_NAME_MISMATCH, reason, &d->addr, now_ms);
    node_unreachable(&m->node, d->name);
    dial_end(m, d);
}

void dial_dropped(struct machine *m, slot_id id)
{
    if (m->stopped)
        dial_end(m, slots_get(&m->dials, id));
    else
        dial_failed(m, id, STAGE_HERE, "the attempt was given up: out of memory", m->now_ms);
}

static void fail(struct machine *m, struct dial *d, enum stage stage, uint64_t now_ms,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void fail(struct machine *m, struct dial *d, enum stage stage, uint64_t now_ms,
                 const char *format, ...)
{
    char reason[REASON_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    dial_failed(m, d->id, stage, reason, now_ms);
}

enum stage dial_error_reason(enum dial_error error, const struct addr *to, const char *who,
                             const char *text, char reason[REASON_SIZE])
{
    char at[ADDR_TEXT_MAX];

    addr_text(to, at);
    if (error == DIAL_REFUSED) {
        snprintf(reason, REASON_SIZE,
                 "%s refused the connection: %.64s is not running there, or has another "
                 "port, or does not listen at this address",
                 at, who);
        return STAGE_TCP_REFUSED;
    }
    if (error == DIAL_TIMED_OUT)
        snprintf(reason, REASON_SIZE,
                 "no answer from %s within %u s: the host is gone, or a NetworkPolicy or firewall "
                 "drops the packets",
                 at, CONNECT_MS / 1000u);
    else
        snprintf(reason, REASON_SIZE, "cannot reach %.64s at %s: %.150s", who, at,
                 text != NULL ? text : "no route");
    return error == DIAL_IMPOSSIBLE ? STAGE_HERE : STAGE_TCP_TIMEOUT;
}

/* ---- the link ---- */

static void open_link(struct machine *m, struct dial *d, const char *name, uint64_t now_ms)
{
    /* It dialled us while we asked for its address, or we are leaving. */
    if (!machine_dials(m) || (d->name[0] != '\0' && link_find(m, d->name) != NULL))
        dial_deferred(m, d->id, now_ms);
    else if (!link_dial(m, d, &d->addr, name))
        fail(m, d, STAGE_HERE, now_ms, "too many connections at once (%u)",
             (unsigned)MACHINE_CONNS_MAX);
}

/* ---- the port ---- */

static bool ask_epmd(struct machine *m, struct dial *d, const char *name, uint64_t now_ms)
{
    struct addr at = d->addr;

    at.port = m->settings->epmd_port;
    struct epmd_query *q = epmd_query_new(m, &at, now_ms);

    if (q == NULL) {
        fail(m, d, STAGE_HERE, now_ms, "too many connections at once (%u)",
             (unsigned)MACHINE_CONNS_MAX);
        return false;
    }
    q->dial = d->id;
    if (name == NULL)
        epmd_ask_names(&q->client);
    else
        epmd_ask_port(&q->client, name);
    return true;
}

void alive_part(const char *name, char alive[EPMD_NAME_MAX + 1])
{
    const char *at = strchr(name, '@');
    size_t len = at == NULL ? strlen(name) : (size_t)(at - name);

    text_set(alive, EPMD_NAME_MAX + 1, (clu_slice){(const uint8_t *)name, len});
}

static void find_port(struct machine *m, struct dial *d, uint64_t now_ms)
{
    char alive[EPMD_NAME_MAX + 1];

    if (d->addr.port == 0 && m->settings->epmd == EPMD_NONE)
        d->addr.port = m->settings->dist_port != 0 ? m->settings->dist_port : m->address.port;
    if (d->addr.port != 0 && addr_equal(&d->addr, &m->address)) {
        /* Our own address and port, whatever the entry says: it is ourselves. */
        dial_found_self(m, d->id, now_ms);
        return;
    }
    if (d->addr.port != 0) {
        open_link(m, d, d->name, now_ms);
        return;
    }
    d->any = d->name[0] == '\0';
    alive_part(d->name, alive);
    ask_epmd(m, d, d->any ? NULL : alive, now_ms);
}

/* ---- several names at one epmd: which of them is meant ---- */

/* Our own entry at our own host is no peer. */
static bool is_own_entry(struct machine *m, const struct dial *d, const struct epmd_entry *e)
{
    return addr_same_ip(&d->addr, &m->address) && e->port == m->address.port;
}

static void collect(struct machine *m, struct dial *d, const struct epmd_client *c)
{
    struct epmd_entry e;
    size_t at = 0;

    d->n_candidates = 0;
    while (d->n_candidates < EPMD_CANDIDATES_MAX && epmd_names_next(c, &at, &e))
        if (is_own_entry(m, d, &e))
            d->at_home = true;
        else
            d->candidates[d->n_candidates++] = e;
}

/* "a, b and c": what an epmd lists. */
static const char *list_names(const struct dial *d, bool visible_only, char out[REASON_SIZE / 2])
{
    size_t len = 0;

    out[0] = '\0';
    for (uint8_t i = 0; i < d->n_candidates; i++) {
        const struct epmd_entry *e = &d->candidates[i];

        if (visible_only && e->type != EPMD_TYPE_VISIBLE)
            continue;
        int n =
            snprintf(out + len, REASON_SIZE / 2 - len, "%s%.60s", len == 0 ? "" : ", ", e->name);

        if (n < 0 || (size_t)n >= REASON_SIZE / 2 - len)
            break;
        len += (size_t)n;
    }
    return out;
}

/* With the port: there may be several epmds. */
static const char *epmd_text(const struct machine *m, const struct dial *d, char out[ADDR_TEXT_MAX])
{
    struct addr at = d->addr;

    at.port = m->settings->epmd_port;
    return addr_text(&at, out);
}

static void choose(struct machine *m, struct dial *d, uint64_t now_ms)
{
    char names[REASON_SIZE / 2], at[ADDR_TEXT_MAX];

    if (d->n_visible == 1) {
        d->addr.port = d->candidates[d->visible].port;
        open_link(m, d, "", now_ms);
    } else if (d->n_visible == 0 && d->at_home && d->name[0] == '\0') {
        reconcile_alone(m->reconcile, d->target, now_ms);
        dial_end(m, d);
    } else if (d->n_visible == 0) {
        fail(m, d, STAGE_EPMD_UNKNOWN, now_ms,
             "epmd at %s lists no visible node%s: the node there is not started yet, or has lost "
             "its epmd",
             epmd_text(m, d, at), d->at_home ? " but this one" : "");
    } else {
        fail(m, d, STAGE_EPMD_UNKNOWN, now_ms,
             "epmd at %s lists several nodes, %s: say which one with ?base=NAME",
             epmd_text(m, d, at), list_names(d, true, names));
    }
}

static void next_candidate(struct machine *m, struct dial *d, uint64_t now_ms)
{
    if (d->candidate < d->n_candidates)
        ask_epmd(m, d, d->candidates[d->candidate].name, now_ms);
    else
        choose(m, d, now_ms);
}

/* Who names a node, a command or static:, wants that one and no other. What DNS lists is an
 * address: the node there may have another name than the template makes. */
static bool may_take_another(struct machine *m, const struct dial *d)
{
    const struct target *t = reconcile_get(m->reconcile, d->target);

    for (size_t i = 0; t != NULL && i < m->n_sources; i++)
        if ((t->sources >> i & 1) != 0 && source_guesses(m->sources[i]))
            return true;
    return false;
}

static void got_names(struct machine *m, struct dial *d, const struct epmd_client *c,
                      uint64_t now_ms)
{
    char names[REASON_SIZE / 2], alive[EPMD_NAME_MAX + 1], at[ADDR_TEXT_MAX];

    collect(m, d, c);
    d->candidate = 0;
    if (d->any) {
        next_candidate(m, d, now_ms);
        return;
    }
    alive_part(d->name, alive);
    const char *none = d->at_home ? "none but this node" : "none";

    fail(m, d, STAGE_EPMD_UNKNOWN, now_ms, "epmd at %s knows no node \"%.60s\"; it lists: %s",
         epmd_text(m, d, at), alive, d->n_candidates == 0 ? none : list_names(d, false, names));
}

static void got_port(struct machine *m, struct dial *d, const struct epmd_client *c,
                     uint64_t now_ms)
{
    if (d->n_candidates > 0) { /* one of several */
        struct epmd_entry *e = &d->candidates[d->candidate];

        if (c->found)
            *e = c->entry;
        if (c->found && e->type == EPMD_TYPE_VISIBLE) {
            d->visible = d->candidate;
            d->n_visible++;
        }
        d->candidate++;
        next_candidate(m, d, now_ms);
    } else if (c->found) {
        d->addr.port = c->entry.port;
        open_link(m, d, d->name, now_ms);
    } else {
        d->any = may_take_another(m, d);
        ask_epmd(m, d, NULL, now_ms);
    }
}

void dial_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage,
                        const char *reason, uint64_t now_ms)
{
    struct dial *d = slots_get(&m->dials, q->dial);

    if (d == NULL)
        return;
    if (stage != STAGE_NONE)
        dial_failed(m, d->id, stage, reason, now_ms);
    else if (q->client.question == EPMD_ASK_NAMES)
        got_names(m, d, &q->client, now_ms);
    else
        got_port(m, d, &q->client, now_ms);
}

/* ---- the host part ---- */

static void look_step(struct machine *m, struct dial *d, uint64_t now_ms)
{
    struct source_query sq;

    if (!d->look.done && hostlook_query(&d->look, &sq)) {
        if (lookup_new(m, LOOKUP_DIAL, d->id, &sq) == 0)
            fail(m, d, STAGE_HERE, now_ms, "too many DNS queries at once (%u)",
                 (unsigned)MACHINE_QUERIES_MAX);
        return;
    }
    if (d->look.addr.family == 0) {
        dial_failed(m, d->id, STAGE_DNS, d->look.reason, now_ms);
        return;
    }
    uint16_t port = d->addr.port;

    d->addr = d->look.addr;
    d->addr.port = port;
    find_port(m, d, now_ms);
}

void dial_resolved(struct machine *m, struct dial *d, enum dns_status status, clu_slice msg,
                   uint64_t now_ms)
{
    hostlook_answer(&d->look, status, msg);
    look_step(m, d, now_ms);
}

static void start(struct machine *m, struct target *t, uint64_t now_ms)
{
    struct dial *d = calloc(1, sizeof *d);

    if (d != NULL)
        d->id = slots_add(&m->dials, d);
    if (d == NULL || d->id == 0) {
        free(d);
        reconcile_failed(m->reconcile, t->id, STAGE_HERE, "out of memory", now_ms);
        return;
    }
    d->target = t->id;
    d->addr = t->addr;
    text_set(d->name, sizeof d->name, slice_of(t->name));
    m->count.dials++;
    if (m->settings->dial_to.family != 0)
        d->addr = m->settings->dial_to;
    if (d->addr.family != 0) {
        find_port(m, d, now_ms);
        return;
    }
    hostlook_start(&d->look, name_host(d->name), m->address.family, m->resolv, m->hosts);
    look_step(m, d, now_ms);
}

void dial_due(struct machine *m, uint64_t now_ms)
{
    struct target *t;

    while ((t = reconcile_next(m->reconcile, now_ms)) != NULL) {
        if (link_find(m, t->name) != NULL) /* it dialled us meanwhile, under this name */
            reconcile_deferred(m->reconcile, t->id, now_ms);
        else
            start(m, t, now_ms);
    }
}
