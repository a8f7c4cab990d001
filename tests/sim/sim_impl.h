/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_IMPL_H
#define TESTS_SIM_IMPL_H

#include <assert.h>

#include "base/heap.h"
#include "base/rng.h"
#include "sim/sim.h"

/* Inside of the simulation: sim.c has time and the story's verbs, sim_net.c what goes between
 * machines, sim_zone.c the DNS server. */

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

static inline struct addr sim_address(unsigned i)
{
    return addr_v4(UINT32_C(0x0a000000) + i, SIM_DIST_PORT);
}

static inline unsigned sim_node_at(const struct addr *a)
{
    return get_be32(a->ip) - UINT32_C(0x0a000000);
}

/* sim_drain: carries out what machine i wants. */
void sim_drain(struct sim *s, unsigned i);
/* sim_arrive: something has come to where it was sent; the caller frees it. */
void sim_arrive(struct sim *s, struct thing *t);
void sim_free_thing(struct thing *t);
/* sim_close: an end of node i's; the other one hears of it. */
void sim_close(struct sim *s, unsigned i, slot_id conn);

/* sim_zone_changed: what is listed, or how the server answers. */
void sim_zone_changed(struct sim *s);
/* sim_zone_answer: to a question, which is counted; borrowed. Empty: none comes. */
clu_slice sim_zone_answer(struct sim *s, const struct update *u);

#endif
