/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/heap.h"
#include "base/rng.h"

/* Bytes that one read takes at most: small, so that frames arrive in pieces. */
#define READ_MAX 700
/* Of every record. */
#define SIM_TTL_S 5

enum happening { H_CONNECT, H_DIAL_TIMEOUT, H_OPENED, H_REFUSED, H_BYTES, H_CLOSED, H_DNS };

/* Something on its way. */
struct thing {
    struct heap_item due; /* at_ms holds time and order */
    enum happening what;
    unsigned node, from; /* where it arrives, whence it comes */
    uint32_t life;       /* of the node it is for: what was sent to the dead gets lost */
    slot_id conn, peer_conn;
    slot_id query;
    struct buf bytes;
};

/* One end of a connection. */
struct end {
    slot_id id, peer_id; /* peer_id 0 until the other side is known */
    unsigned peer;
    uint64_t last_at; /* arrival of the last thing sent: order is kept */
    bool used;
};

struct sim_node {
    struct machine *machine;
    struct heap_item tick; /* in sim.ticks, at the machine's deadline */
    struct settings settings;
    struct resolv_conf resolv;
    struct hosts_file hosts;
    struct end *ends; /* by slot_index of the connection */
    size_t n_ends;
    uint32_t life;
    bool listening, listed;
    char cookie[32];
};

struct sim {
    struct sim_node nodes[SIM_NODES_MAX + 1];
    bool cut[SIM_NODES_MAX + 1][SIM_NODES_MAX + 1];
    struct heap things, ticks;
    struct rng rng;
    uint64_t now, order, digest;
    unsigned latency;
    enum sim_dns dns;
    struct buf trace;
    bool quiet;
    char spec[SPEC_SIZE];
    uint32_t prune_ms;     /* 0: as by default */
    struct buf answers[2]; /* the zone's A and AAAA answers; empty when they are to be made anew */
    struct sim_load load;
    uint64_t second, in_second; /* queries of the present second */
};

static struct addr address(unsigned i)
{
    return addr_v4(UINT32_C(0x0a000000) + i, SIM_DIST_PORT);
}

static unsigned node_at(const struct addr *a)
{
    return get_be32(a->ip) - UINT32_C(0x0a000000);
}

/* ---- things under way ---- */

static struct thing *send_thing(struct sim *s, enum happening what, unsigned from, unsigned to,
                                uint64_t not_before)
{
    struct thing *t = calloc(1, sizeof *t);

    assert(t != NULL);
    t->what = what;
    t->from = from;
    t->node = to;
    t->life = s->nodes[to].life;
    uint64_t at = max_u64(s->now + rng_range(&s->rng, 1, s->latency), not_before);

    clu_error err = heap_set(&s->things, &t->due, at << 24 | (s->order++ & 0xffffff));
    assert(err == CLU_OK);
    (void)err;
    return t;
}

static void free_thing(struct thing *t)
{
    buf_free(&t->bytes);
    free(t);
}

static struct end *find_end(struct sim_node *n, slot_id id)
{
    struct end *e = slot_index(id) < n->n_ends ? &n->ends[slot_index(id)] : NULL;

    return e != NULL && e->used && e->id == id ? e : NULL;
}

static struct end *add_end(struct sim_node *n, slot_id id, unsigned peer, slot_id peer_id)
{
    size_t index = slot_index(id), room = n->n_ends;

    if (index >= room) {
        n->n_ends = 2 * index + 16;
        n->ends = realloc(n->ends, n->n_ends * sizeof *n->ends);
        assert(n->ends != NULL);
        memset(n->ends + room, 0, (n->n_ends - room) * sizeof *n->ends);
    }
    struct end *e = &n->ends[index];

    *e = (struct end){.id = id, .peer = peer, .peer_id = peer_id, .used = true};
    return e;
}

/* ---- updates of a machine ---- */

static void send_to_peer(struct sim *s, unsigned i, struct end *e, enum happening what,
                         clu_slice bytes)
{
    struct thing *t = send_thing(s, what, i, e->peer, e->last_at);

    t->conn = e->peer_id;
    t->peer_conn = e->id;
    buf_put_slice(&t->bytes, bytes);
    e->last_at = t->due.at_ms >> 24;
}

static void do_dial(struct sim *s, unsigned i, const struct update *u)
{
    unsigned to = node_at(&u->u.dial.to);

    add_end(&s->nodes[i], u->conn, to, 0);
    if (to == 0 || to > SIM_NODES_MAX || !s->nodes[to].listening ||
        u->u.dial.to.port != SIM_DIST_PORT) {
        send_thing(s, H_REFUSED, to <= SIM_NODES_MAX ? to : 0, i, 0)->conn = u->conn;
        return;
    }
    send_thing(s, H_CONNECT, i, to, 0)->peer_conn = u->conn;
    send_thing(s, H_DIAL_TIMEOUT, i, i, s->now + u->u.dial.timeout_ms)->conn = u->conn;
}

static void do_send(struct sim *s, unsigned i, slot_id conn)
{
    struct sim_node *n = &s->nodes[i];
    struct end *e = find_end(n, conn);
    struct iovec iov;

    while (e != NULL && machine_pending(n->machine, conn, &iov, 1) > 0) {
        send_to_peer(s, i, e, H_BYTES, (clu_slice){iov.iov_base, iov.iov_len});
        machine_sent(n->machine, conn, iov.iov_len, s->now);
    }
}

static void do_close(struct sim *s, unsigned i, slot_id conn)
{
    struct end *e = find_end(&s->nodes[i], conn);

    if (e == NULL)
        return;
    if (e->peer_id != 0)
        send_to_peer(s, i, e, H_CLOSED, (clu_slice){NULL, 0});
    e->used = false;
}

static void zone_changed(struct sim *s)
{
    for (size_t i = 0; i < 2; i++)
        buf_free(&s->answers[i]);
}

static void put_question(struct buf *out, const char *name, uint16_t type)
{
    while (*name != '\0') {
        size_t len = strcspn(name, ".");

        buf_put_byte(out, (uint8_t)len);
        buf_put(out, name, len);
        name += len + (name[len] == '.');
    }
    const uint8_t end[] = {0, 0, (uint8_t)type, 0, 1};

    buf_put(out, end, sizeof end);
}

/* The A record of node i, for the name of the question. */
static void put_record(struct buf *out, unsigned i)
{
    const uint8_t head[] = {0xc0, 0x0c, 0, DNS_TYPE_A, 0, 1, 0, 0, 0, SIM_TTL_S, 0, 4};
    struct addr a = address(i);

    buf_put(out, head, sizeof head);
    buf_put(out, a.ip, 4);
}

static clu_slice zone_answer(struct sim *s, const struct update *u)
{
    static const uint8_t rcodes[] = {
        [SIM_DNS_NXDOMAIN] = 3, [SIM_DNS_SERVFAIL] = 2, [SIM_DNS_EMPTY] = 0};
    struct buf *out = &s->answers[u->u.resolve.type == DNS_TYPE_AAAA];
    bool all = u->u.resolve.type == DNS_TYPE_A && s->dns == SIM_DNS_OK;
    uint8_t head[12] = {[2] = 0x84, [3] = s->dns == SIM_DNS_OK ? 0 : rcodes[s->dns], [5] = 1};
    uint16_t count = 0;

    if (out->len > 0)
        return buf_slice(out);
    for (unsigned k = 1; all && k <= SIM_NODES_MAX; k++)
        count = (uint16_t)(count + s->nodes[k].listed);
    put_be16(head + 6, count);
    buf_put(out, head, sizeof head);
    put_question(out, u->u.resolve.name, u->u.resolve.type);
    for (unsigned k = 1; all && k <= SIM_NODES_MAX; k++)
        if (s->nodes[k].listed)
            put_record(out, k);
    return buf_slice(out);
}

static void count_query(struct sim *s)
{
    if (s->now / 1000 != s->second)
        s->in_second = 0;
    s->second = s->now / 1000;
    s->load.queries++;
    s->load.peak = max_u64(s->load.peak, ++s->in_second);
}

static void do_resolve(struct sim *s, unsigned i, const struct update *u)
{
    bool dropped = s->dns == SIM_DNS_DROP;
    struct thing *t = send_thing(s, H_DNS, i, i, dropped ? s->now + 5000 : 0);

    count_query(s);
    if (!dropped)
        buf_put_slice(&t->bytes, zone_answer(s, u));
    t->query = u->u.resolve.query;
}

static void do_event(struct sim *s, unsigned i, const struct event *e)
{
    static const char *const words[] = {
#define X(id, word, level, sentence) [id] = word,
        EVENT_MAP(X)
#undef X
    };
    size_t from = s->trace.len;

    if (s->quiet)
        return;
    buf_printf(&s->trace, "[%6lu] %u %s", (unsigned long)s->now, i, words[e->id]);
    if (e->node[0] != '\0')
        buf_printf(&s->trace, " %s", e->node);
    if (e->stage != STAGE_NONE)
        buf_printf(&s->trace, " %s", stage_text(e->stage));
    buf_put_text(&s->trace, "\n");
    for (size_t k = from; k < s->trace.len; k++)
        s->digest = (s->digest ^ s->trace.data[k]) * UINT64_C(0x100000001b3);
    if (getenv("SIM_VERBOSE") != NULL)
        fprintf(stderr, "%.*s    %s\n", (int)(s->trace.len - from), (char *)s->trace.data + from,
                e->reason);
}

static void drain(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    struct update u;
    struct addr at = address(i);

    while (n->machine != NULL && machine_next(n->machine, &u)) {
        switch (u.kind) {
        case UPDATE_LISTEN:
            n->listening = true;
            machine_listening(n->machine, u.u.listen.which, &at, NULL, false, s->now);
            break;
        case UPDATE_UNLISTEN: n->listening = false; break;
        case UPDATE_DIAL: do_dial(s, i, &u); break;
        case UPDATE_SEND: do_send(s, i, u.conn); break;
        case UPDATE_CLOSE: do_close(s, i, u.conn); break;
        case UPDATE_RESOLVE: do_resolve(s, i, &u); break;
        case UPDATE_EVENT: do_event(s, i, &u.u.event); break;
        case UPDATE_NEED: /* its sources ask nothing but DNS */
        case UPDATE_ANSWER:
        case UPDATE_EXIT: break;
        }
    }
    clu_error err =
        heap_set(&s->ticks, &n->tick, n->machine == NULL ? NEVER : machine_deadline(n->machine));

    assert(err == CLU_OK);
    (void)err;
}

/* ---- what arrives ---- */

static void arrive_connect(struct sim *s, struct thing *t)
{
    struct sim_node *n = &s->nodes[t->node];
    struct addr peer = address(t->from), local = address(t->node);

    peer.port = 40000;
    slot_id id =
        n->listening ? machine_accepted(n->machine, LISTEN_DIST, &peer, &local, s->now) : 0;
    struct thing *answer = send_thing(s, id != 0 ? H_OPENED : H_REFUSED, t->node, t->from, 0);

    answer->conn = t->peer_conn;
    answer->peer_conn = id;
    if (id != 0)
        add_end(n, id, t->from, t->peer_conn)->last_at = answer->due.at_ms >> 24;
}

static void arrive_bytes(struct sim *s, struct thing *t)
{
    struct sim_node *n = &s->nodes[t->node];
    size_t at = 0;

    while (at < t->bytes.len && n->machine != NULL && find_end(n, t->conn) != NULL) {
        struct iovec iov[2];
        size_t k = machine_space(n->machine, t->conn, iov), got = 0;

        if (k == 0)
            break;
        for (size_t i = 0; i < k && at < t->bytes.len && got < READ_MAX; i++) {
            size_t len = t->bytes.len - at < iov[i].iov_len ? t->bytes.len - at : iov[i].iov_len;

            len = len < READ_MAX - got ? len : READ_MAX - got;
            memcpy(iov[i].iov_base, t->bytes.data + at, len);
            at += len;
            got += len;
            if (len < iov[i].iov_len)
                break;
        }
        machine_got(n->machine, t->conn, got, s->now);
        drain(s, t->node);
    }
}

static void arrive_end(struct sim *s, struct thing *t)
{
    struct sim_node *n = &s->nodes[t->node];
    struct end *e = find_end(n, t->conn);

    if (e == NULL)
        return;
    e->used = false;
    if (t->what == H_REFUSED)
        machine_refused(n->machine, t->conn, DIAL_REFUSED, NULL, s->now);
    else
        machine_closed(n->machine, t->conn, NULL, s->now);
}

static void arrive_dial_timeout(struct sim *s, struct thing *t)
{
    struct sim_node *n = &s->nodes[t->node];
    struct end *e = find_end(n, t->conn);

    if (e == NULL || e->peer_id != 0)
        return;
    e->used = false;
    machine_refused(n->machine, t->conn, DIAL_TIMED_OUT, NULL, s->now);
}

static void arrive_opened(struct sim *s, struct thing *t)
{
    struct sim_node *n = &s->nodes[t->node];
    struct end *e = find_end(n, t->conn);
    struct addr local = address(t->node);

    if (e == NULL) { /* we gave it up meanwhile */
        struct end gone = {.id = t->conn, .peer = t->from, .peer_id = t->peer_conn};

        send_to_peer(s, t->node, &gone, H_CLOSED, (clu_slice){NULL, 0});
        return;
    }
    e->peer_id = t->peer_conn;
    machine_opened(n->machine, t->conn, &local, s->now);
}

static void arrive(struct sim *s, struct thing *t)
{
    struct sim_node *n = &s->nodes[t->node];
    bool lost = n->machine == NULL || t->life != n->life;

    if (s->cut[t->from][t->node])
        return;
    if (lost) {
        if (t->what == H_CONNECT || t->what == H_OPENED) {
            struct thing *answer =
                send_thing(s, t->what == H_CONNECT ? H_REFUSED : H_CLOSED, t->node, t->from, 0);

            answer->conn = t->peer_conn;
        }
        return;
    }
    switch (t->what) {
    case H_CONNECT: arrive_connect(s, t); break;
    case H_OPENED: arrive_opened(s, t); break;
    case H_DIAL_TIMEOUT: arrive_dial_timeout(s, t); break;
    case H_BYTES: arrive_bytes(s, t); break;
    case H_REFUSED:
    case H_CLOSED: arrive_end(s, t); break;
    case H_DNS:
        machine_resolved(n->machine, t->query, t->bytes.len == 0 ? DNS_TIMEOUT : DNS_ANSWERED,
                         buf_slice(&t->bytes), s->now);
        break;
    }
    drain(s, t->node);
}

/* ---- time ---- */

static uint64_t next_moment(struct sim *s)
{
    uint64_t at = heap_next(&s->things);

    return min_u64(at == NEVER ? NEVER : at >> 24, heap_next(&s->ticks));
}

static void step(struct sim *s)
{
    struct heap_item *item;

    while ((item = heap_pop(&s->things, s->now << 24 | 0xffffff)) != NULL) {
        struct thing *t = CONTAINER_OF(item, struct thing, due);

        arrive(s, t);
        free_thing(t);
    }
    while ((item = heap_pop(&s->ticks, s->now)) != NULL) {
        struct sim_node *n = CONTAINER_OF(item, struct sim_node, tick);

        machine_tick(n->machine, s->now);
        drain(s, (unsigned)(n - s->nodes));
    }
}

void sim_run(struct sim *s, uint64_t until_ms)
{
    uint64_t at, last = UINT64_MAX;
    unsigned same = 0;

    while ((at = next_moment(s)) <= until_ms) {
        s->now = max_u64(s->now, at);
        same = s->now == last ? same + 1 : 0;
        last = s->now;
        assert(same < 10000 && "time stands still: a deadline is due and stays due");
        step(s);
    }
    s->now = max_u64(s->now, until_ms);
}

uint64_t sim_run_until_whole(struct sim *s, uint64_t until_ms)
{
    uint64_t from = s->now;

    while (s->now < until_ms) {
        sim_run(s, s->now + 1);
        if (sim_is_whole(s))
            return max_u64(s->now - from, 1);
    }
    return 0;
}

uint64_t sim_now(const struct sim *s)
{
    return s->now;
}

/* ---- the story's verbs ---- */

struct sim *sim_new(uint64_t seed, unsigned max_latency_ms)
{
    struct sim *s = calloc(1, sizeof *s);

    assert(s != NULL);
    rng_init(&s->rng, seed);
    s->latency = max_latency_ms;
    s->now = 1000;
    sim_spec(s, "dns:mesh.test");
    s->digest = UINT64_C(0xcbf29ce484222325);
    for (unsigned i = 1; i <= SIM_NODES_MAX; i++)
        sim_cookie(s, i, "sim");
    return s;
}

void sim_free(struct sim *s)
{
    struct heap_item *item;

    for (unsigned i = 1; i <= SIM_NODES_MAX; i++) {
        machine_free(s->nodes[i].machine);
        free(s->nodes[i].ends);
    }
    while ((item = heap_pop(&s->things, NEVER - 1)) != NULL)
        free_thing(CONTAINER_OF(item, struct thing, due));
    heap_free(&s->things);
    heap_free(&s->ticks);
    zone_changed(s);
    buf_free(&s->trace);
    free(s);
}

void sim_cookie(struct sim *s, unsigned i, const char *cookie)
{
    text_set(s->nodes[i].cookie, sizeof s->nodes[i].cookie, slice_of(cookie));
}

void sim_spec(struct sim *s, const char *spec)
{
    text_set(s->spec, sizeof s->spec, slice_of(spec));
}

void sim_prune(struct sim *s, uint32_t after_ms)
{
    s->prune_ms = after_ms;
}

void sim_list(struct sim *s, unsigned i, bool listed)
{
    s->nodes[i].listed = listed;
    zone_changed(s);
}

void sim_start(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    struct settings *set = &n->settings;
    char why[REASON_SIZE];

    *set = (struct settings){
        .epmd = EPMD_NONE,
        .epmd_port = 4369,
        .dist_port = SIM_DIST_PORT,
        .ticktime_ms = 60000,
        .tick_intensity = 4,
        .setup_ms = 7000,
        .n_specs = 1,
        .prune = s->prune_ms == 0 ? PRUNE_WHEN_DOWN : PRUNE_AFTER,
        .prune_ms = s->prune_ms,
    };
    struct addr at = address(i);
    char ip[ADDR_TEXT_MAX];

    snprintf(set->name, sizeof set->name, "erlclu@%s", addr_ip_text(&at, ip));
    text_set(set->specs[0], sizeof set->specs[0], slice_of(s->spec));
    set->cookie.len = strlen(n->cookie);
    memcpy(set->cookie.bytes, n->cookie, set->cookie.len);

    struct machine_options o = {
        .settings = set,
        .resolv = &n->resolv,
        .hosts = &n->hosts,
        .now_ms = s->now,
        .wall_ms = 1700000000000 + s->now,
    };

    put_be64(o.seed, rng_next(&s->rng));
    clu_error err = machine_new(&n->machine, &o, why);

    assert(err == CLU_OK);
    (void)err;
    n->life++;
    n->listed = true;
    zone_changed(s);
    machine_start(n->machine, s->now);
    drain(s, i);
}

void sim_kill(struct sim *s, unsigned i, bool unlist)
{
    struct sim_node *n = &s->nodes[i];

    for (size_t k = 0; k < n->n_ends; k++)
        if (n->ends[k].used)
            do_close(s, i, n->ends[k].id);
    machine_free(n->machine);
    n->machine = NULL;
    heap_remove(&s->ticks, &n->tick);
    if (n->n_ends > 0)
        memset(n->ends, 0, n->n_ends * sizeof *n->ends);
    n->listening = false;
    n->life++;
    n->listed = n->listed && !unlist;
    zone_changed(s);
}

void sim_cut(struct sim *s, unsigned a, unsigned b, bool cut)
{
    s->cut[a][b] = s->cut[b][a] = cut;
}

static void break_ends(struct sim *s, unsigned a, unsigned b)
{
    struct sim_node *n = &s->nodes[a];

    for (size_t k = 0; n->machine != NULL && k < n->n_ends; k++) {
        if (!n->ends[k].used || n->ends[k].peer != b)
            continue;
        n->ends[k].used = false;
        machine_closed(n->machine, n->ends[k].id, "connection reset", s->now);
        drain(s, a);
    }
}

void sim_break(struct sim *s, unsigned a, unsigned b)
{
    break_ends(s, a, b);
    break_ends(s, b, a);
}

void sim_dns(struct sim *s, enum sim_dns mode)
{
    s->dns = mode;
    zone_changed(s);
}

struct machine *sim_machine(struct sim *s, unsigned i)
{
    return s->nodes[i].machine;
}

size_t sim_links(struct sim *s, unsigned i)
{
    return machine_links(s->nodes[i].machine);
}

bool sim_is_whole(struct sim *s)
{
    size_t running = 0;

    for (unsigned i = 1; i <= SIM_NODES_MAX; i++)
        running += s->nodes[i].machine != NULL;
    for (unsigned i = 1; i <= SIM_NODES_MAX; i++)
        if (s->nodes[i].machine != NULL && sim_links(s, i) != running - 1)
            return false;
    return true;
}

struct sim_load sim_load(struct sim *s)
{
    struct sim_load load = s->load;

    s->load = (struct sim_load){0};
    s->in_second = 0;
    return load;
}

void sim_quiet(struct sim *s)
{
    s->quiet = true;
    buf_free(&s->trace);
}

const char *sim_trace(struct sim *s)
{
    static char text[1 << 16];

    text_set(text, sizeof text, buf_slice(&s->trace));
    buf_reset(&s->trace);
    return text;
}

uint64_t sim_digest(const struct sim *s)
{
    return s->digest;
}
