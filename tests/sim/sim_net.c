/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim_impl.h"

/* Bytes that one read takes at most: small, so that frames arrive in pieces. */
#define READ_MAX 700

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

void sim_free_thing(struct thing *t)
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
    unsigned to = sim_node_at(&u->u.dial.to);

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

    while (e != NULL && machine_pending(n->machine, conn, true, &iov, 1) > 0) {
        send_to_peer(s, i, e, H_BYTES, (clu_slice){iov.iov_base, iov.iov_len});
        machine_sent(n->machine, conn, iov.iov_len, s->now);
    }
}

void sim_close(struct sim *s, unsigned i, slot_id conn)
{
    struct end *e = find_end(&s->nodes[i], conn);

    if (e == NULL)
        return;
    if (e->peer_id != 0)
        send_to_peer(s, i, e, H_CLOSED, (clu_slice){NULL, 0});
    e->used = false;
}

static void do_resolve(struct sim *s, unsigned i, const struct update *u)
{
    bool dropped = s->dns == SIM_DNS_DROP;
    struct thing *t = send_thing(s, H_DNS, i, i, dropped ? s->now + 5000 : 0);

    buf_put_slice(&t->bytes, sim_zone_answer(s, u));
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

void sim_drain(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    struct update u;
    struct addr at = sim_address(i);

    while (n->machine != NULL && machine_next(n->machine, &u)) {
        switch (u.kind) {
        case UPDATE_LISTEN:
            n->listening = true;
            machine_listening(n->machine, u.u.listen.which, &at, NULL, false, s->now);
            break;
        case UPDATE_UNLISTEN: n->listening = false; break;
        case UPDATE_DIAL: do_dial(s, i, &u); break;
        case UPDATE_SEND: do_send(s, i, u.conn); break;
        case UPDATE_CLOSE: sim_close(s, i, u.conn); break;
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
    struct addr peer = sim_address(t->from), local = sim_address(t->node);

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
        struct iovec iov[MACHINE_PLACES];
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
        sim_drain(s, t->node);
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
    struct addr local = sim_address(t->node);

    if (e == NULL) { /* we gave it up meanwhile */
        struct end gone = {.id = t->conn, .peer = t->from, .peer_id = t->peer_conn};

        send_to_peer(s, t->node, &gone, H_CLOSED, (clu_slice){NULL, 0});
        return;
    }
    e->peer_id = t->peer_conn;
    machine_opened(n->machine, t->conn, &local, s->now);
}

void sim_arrive(struct sim *s, struct thing *t)
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
    sim_drain(s, t->node);
}
