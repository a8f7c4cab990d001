/* SPDX-License-Identifier: Apache-2.0
 *
 * Life of the machine: making, starting, stopping.
 */
#include "mesh/machine.h"

#include <stdlib.h>

#include <erlclu/global.h>

#include "mesh/internal.h"

/* ---- making and ending ---- */

static void crowd_init(struct crowd *crowd, uint32_t max, const char *what)
{
    list_init(&crowd->members);
    crowd->max = max;
    crowd->what = what;
}

static void init_tables(struct machine *m)
{
    list_init(&m->wanting);
    list_init(&m->lookup_queue);
    list_init(&m->asks);
    list_init(&m->hinted);
    list_init(&m->exchange.links);
    m->exchange.islands = m->exchange.seen = 1;
    crowd_init(&m->unproved, MACHINE_UNPROVED_MAX, "connections that have not proved the cookie");
    crowd_init(&m->askers, MACHINE_EPMD_ASKERS_MAX, "clients of our epmd");
    m->news.tokens = NEWS_BURST;
    m->conns.max = MACHINE_CONNS_MAX;
    m->lookups.max = MACHINE_QUERIES_MAX;
}

/* Our own randomness, name and creation, the cookie. */
static bool init_self(struct machine *m, const struct machine_options *o)
{
    uint64_t seed;

    m->crypto = crypto_new(o->seed);
    if (m->crypto == NULL || crypto_random(m->crypto, &seed) != CLU_OK)
        return false;
    rng_init(&m->rng, seed);
    m->creation = (uint32_t)rng_range(&m->rng, CREATION_MIN, UINT32_MAX);
    text_set(m->name, sizeof m->name, slice_of(o->settings->name));
    m->cookies[0] = o->settings->cookie;
    return true;
}

static bool init_parts(struct machine *m, const struct machine_options *o)
{
    const struct settings *s = o->settings;
    uint64_t secret;

    /* Who only looks is nobody among those listed, whatever it calls itself. */
    m->reconcile = reconcile_new(s->no_listen ? "" : m->name, m->creation, &m->rng);
    m->views = views_new();
    if (crypto_random(m->crypto, &secret) != CLU_OK ||
        node_init(&m->node, m->name, m->creation, s->hidden) != CLU_OK)
        return false;
    node_seed(&m->node, secret);
    if (exchange_start(m) != CLU_OK)
        return false;
    if (s->global && clu_global_start(&m->node, rng_next(&m->rng)) != CLU_OK)
        return false;
    node_now(&m->node, o->now_ms);
    epmd_registry_init(&m->reg.registry, s->epmd_port,
                       (uint32_t)rng_range(&m->rng, CREATION_MIN, UINT32_MAX));
    if (m->reconcile == NULL || m->views == NULL)
        return false;
    reconcile_prune(m->reconcile, s->prune, s->prune_ms);
    views_own(m->views, m->name);
    return true;
}

clu_error machine_new(struct machine **out, const struct machine_options *o, char why[REASON_SIZE])
{
    struct machine *m = calloc(1, sizeof *m);

    *out = NULL;
    why[0] = '\0';
    if (m == NULL)
        return CLU_ENOMEM;
    m->settings = o->settings;
    m->resolv = o->resolv;
    m->hosts = o->hosts;
    m->started_ms = o->now_ms;
    m->wall_offset = o->wall_ms - o->now_ms;
    m->version = 1;

    init_tables(m);
    clu_error err = init_self(m, o) && init_parts(m, o) ? discover_init(m, why) : CLU_ENOMEM;

    if (err != CLU_OK) {
        machine_free(m);
        return err;
    }
    *out = m;
    return CLU_OK;
}

void machine_free(struct machine *m)
{
    if (m == NULL)
        return;
    conn_free_all(m);
    discover_fini(m);
    ask_free_all(m);
    uint32_t at = 0;
    struct dial *d;

    while ((d = slots_next(&m->dials, &at)) != NULL)
        free(d);
    slots_free(&m->dials);
    map_free(&m->links);
    map_free(&m->pending);
    epmd_registry_fini(&m->reg.registry);
    node_fini(&m->node);
    reconcile_free(m->reconcile);
    views_free(m->views);
    snapshot_free(m);
    crypto_free(m->crypto);
    free(m);
}

/* ---- starting: our address, the listener, the registration, then discovery ---- */

void machine_listen(struct machine *m, enum listener which, const struct addr *addr,
                    uint16_t port_min, uint16_t port_max)
{
    m->listens[which] = (struct listen_request){
        .wanted = true, .addr = *addr, .port_min = port_min, .port_max = port_max};
}

void machine_unlisten(struct machine *m, enum listener which)
{
    m->listens[which] = (struct listen_request){.close = true};
}

static void listen_at(struct machine *m, struct addr addr)
{
    const struct settings *s = m->settings;

    addr.port = s->epmd == EPMD_NONE && s->dist_port != 0 ? s->dist_port : s->listen_min;
    uint16_t max = addr.port == s->listen_min ? s->listen_max : addr.port;

    machine_listen(m, LISTEN_DIST, &addr, addr.port, max);
}

static const char *listen_option(const struct machine *m)
{
    return m->settings->library ? ".listen_address" : "--listen-address";
}

static void own_host_known(struct machine *m)
{
    if (m->own_look.addr.family != 0) {
        listen_at(m, m->own_look.addr);
        return;
    }
    machine_fatal(
        m,
        "the host part of our own name %.90s cannot be resolved (%.130s): use an "
        "address, say %s, or, for a StatefulSet, set publishNotReadyAddresses: true on its "
        "Service",
        m->name, m->own_look.reason, listen_option(m));
}

static void own_look_step(struct machine *m)
{
    struct source_query q;

    if (hostlook_query(&m->own_look, &q) && lookup_new(m, LOOKUP_SELF, 0, &q) != 0)
        return;
    own_host_known(m);
}

/* Erlang's global takes the end of one link for a partition, and cuts others in turn. */
static void warn_of_prune(struct machine *m)
{
    struct event *e;

    if (m->settings->prune != PRUNE_AFTER)
        return;
    e = machine_event(m, EVENT_SETTING);
    text_set(e->what, sizeof e->what, slice_of("--prune after"));
    text_set(e->reason, sizeof e->reason,
             slice_of("cuts links between living nodes; Erlang nodes with "
                      "prevent_overlapping_partitions, the default since OTP 25, may then cut "
                      "further ones among themselves"));
}

void machine_start(struct machine *m, uint64_t now_ms)
{
    m->now_ms = now_ms;
    const struct settings *s = m->settings;

    warn_of_prune(m);

    if (s->epmd_only) {
        m->address = s->listen;
        epmd_start(m, now_ms);
    } else if (s->no_listen) {
        m->address = s->listen;
        discover_start(m, now_ms);
    } else if (s->listen.family != 0) {
        listen_at(m, s->listen);
    } else {
        hostlook_start(&m->own_look, name_host(m->name), 0, m->resolv, m->hosts);
        own_look_step(m);
    }
}

static void dist_listening(struct machine *m, const struct addr *at, const char *error, bool in_use,
                           uint64_t now_ms)
{
    char text[ADDR_TEXT_MAX];

    if (error != NULL && in_use) {
        machine_fatal(m,
                      "cannot listen at %s: the address is in use, so another node is running "
                      "there: stop it, or choose another name or port",
                      addr_text(at, text));
        return;
    }
    if (error != NULL) {
        machine_fatal(m, "cannot listen at %s: %.120s: see %s", addr_text(at, text), error,
                      listen_option(m));
        return;
    }
    m->address = *at;
    m->everywhere = addr_is_any(at);
    /* What we are known by is the address of our name, wherever else we listen. */
    if (m->everywhere) {
        addr_parse_ip(&m->address, slice_of(name_host(m->name)));
        m->address.port = at->port;
    }
    reconcile_own(m->reconcile, m->name, m->creation, &m->address);
    machine_changed(m);
    epmd_start(m, now_ms);
}

void machine_listening(struct machine *m, enum listener which, const struct addr *at,
                       const char *error, bool in_use, uint64_t now_ms)
{
    m->now_ms = now_ms;
    if (which == LISTEN_DIST)
        dist_listening(m, at, error, in_use, now_ms);
    else
        epmd_listening(m, which, at, error, in_use, now_ms);
    machine_readiness(m);
}

slot_id machine_accepted(struct machine *m, enum listener which, const struct addr *peer,
                         const struct addr *local, uint64_t now_ms)
{
    m->now_ms = now_ms;
    return which == LISTEN_DIST ? link_accept(m, peer, now_ms)
                                : epmd_accept(m, peer, local, now_ms);
}

void machine_refresh(struct machine *m, uint64_t now_ms)
{
    m->now_ms = now_ms;
    if (m->draining)
        return;
    discover_poke(m, now_ms);
    reconcile_poke(m->reconcile, now_ms);
}

void machine_set_name(struct machine *m, const char *name, uint32_t creation)
{
    text_set(m->name, sizeof m->name, slice_of(name));
    m->creation = creation;
    node_rename(&m->node, m->name, creation);
    views_own(m->views, m->name);
    reconcile_own(m->reconcile, m->name, creation, &m->address);
}

/* ---- stopping ---- */

void machine_drain(struct machine *m, uint64_t now_ms)
{
    (void)now_ms;
    if (m->draining)
        return;
    m->draining = true;
    machine_readiness(m);
    machine_event(m, EVENT_DRAINING);
}

/* Who has ended in this step tells its links and monitors; and global loses nobody any more. */
void machine_leave(struct machine *m, uint64_t now_ms)
{
    m->now_ms = now_ms;
    if (m->stopped || m->leaving)
        return;
    m->draining = true;
    global_leave(&m->node);
    machine_readiness(m);
    needs_of_node(m);
    m->leaving = true;
}

void machine_stop(struct machine *m, const char *reason, uint64_t now_ms)
{
    m->now_ms = now_ms;
    if (m->stopped)
        return;
    m->draining = m->stopped = true;
    m->leaving = false;
    global_leave(&m->node);
    machine_readiness(m);
    epmd_stop(m, now_ms);
    for (int i = 0; i < LISTENERS; i++)
        machine_unlisten(m, (enum listener)i);
    conn_close_all(m);
    ask_stop(m);
    struct event *e = machine_event(m, EVENT_STOPPED);

    text_set(e->node, sizeof e->node, slice_of(m->settings->epmd_only ? "the epmd" : m->name));
    text_set(e->reason, sizeof e->reason, slice_of(reason));
}

/* ---- time ---- */

bool machine_dials(const struct machine *m)
{
    return !m->stopped && !m->leaving && !m->settings->no_dial &&
           (!m->draining || m->settings->global);
}

void machine_now(struct machine *m, uint64_t now_ms)
{
    m->now_ms = now_ms;
    node_now(&m->node, now_ms);
}

uint64_t machine_time(const struct machine *m)
{
    return m->now_ms;
}

uint64_t machine_deadline(const struct machine *m)
{
    uint64_t at = heap_next(&m->dues);

    if (m->leaving)
        return at;
    at = min_u64(at, node_deadline(&m->node));
    if (m->stopped)
        return at;
    at = min_u64(at, discover_deadline(m));
    at = min_u64(at, ask_deadline(m));
    at = min_u64(at, exchange_deadline(m));
    if (m->reg.state == REG_WAITING)
        at = min_u64(at, m->reg.retry_ms);
    return !machine_dials(m) ? at : min_u64(at, reconcile_deadline(m->reconcile));
}

void machine_tick(struct machine *m, uint64_t now_ms)
{
    m->now_ms = now_ms;
    conn_run_due(m, now_ms);
    if (m->leaving)
        return;
    node_tick(&m->node, now_ms);
    if (m->stopped)
        return;
    epmd_tick(m, now_ms);
    if (machine_dials(m))
        dial_due(m, now_ms);
    link_prune(m, now_ms);
    exchange_tick(m, now_ms);
    ask_tick(m, now_ms);
}

void machine_resolved(struct machine *m, slot_id id, enum dns_status status, clu_slice msg,
                      uint64_t now_ms)
{
    m->now_ms = now_ms;
    struct lookup *q = slots_get(&m->lookups, id);

    if (q == NULL)
        return;
    struct lookup asked = *q;

    list_remove(&q->queue);
    slots_remove(&m->lookups, id);
    free(q);
    if (m->stopped)
        return;
    if (asked.owner == LOOKUP_SELF) {
        hostlook_answer(&m->own_look, status, msg);
        own_look_step(m);
        return;
    }
    discover_answer(m, &asked, status, msg, now_ms);
}
