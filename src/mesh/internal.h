/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESH_INTERNAL_H
#define MESH_INTERNAL_H

#include "base/crypto.h"
#include "base/map.h"
#include "base/rng.h"
#include "find/views.h"
#include "mesh/ask.h"
#include "mesh/dial.h"
#include "mesh/discover.h"
#include "mesh/epmd.h"
#include "mesh/link.h"
#include "mesh/news.h"
#include "node/global.h"

/* Creations 0 to 3 are taken for other purposes by older releases (erl_dist_protocol). */
#define CREATION_MIN 4

/* cookie_for: the present cookie for a peer; its own where one was set. cookie_before: the one that
 * was rolled and is still good; empty when there is none. Borrowed: see machine.cookies. */
clu_slice cookie_for(const struct machine *m, const char *peer);
clu_slice cookie_before(const struct machine *m, const char *peer);
const char *cookie_source(const struct machine *m, const char *peer);

/* needs_of_node: ends its step: mailboxes, links with something to send, nodes to be dialled. */
void needs_of_node(struct machine *m);

/* global_serve: what global wants of the mesh (global.c). */
void global_serve(struct machine *m);

/* ---- the machine ---- */

struct counters {
    uint64_t links_up, links_down, dials, dial_failures[STAGES], rejected, protocol_errors;
    uint64_t first_peer_ms;
};

struct listen_request {
    bool wanted, close;
    struct addr addr;
    uint16_t port_min, port_max;
};

struct machine {
    const struct settings *settings;
    const struct resolv_conf *resolv;
    const struct hosts_file *hosts;
    struct crypto *crypto;
    /* The present one and the one before, which is good for a while yet. Handshakes borrow them:
     * one that outlives two changes fails, and is tried again. */
    struct cookie cookies[2];
    uint8_t cookie;      /* which of them is the present one */
    uint64_t overlap_ms; /* when the other one ceases to be good; 0: there is none */
    struct rng rng;
    uint64_t now_ms;      /* of the latest event */
    uint64_t started_ms;  /* monotonic */
    uint64_t wall_offset; /* wall = monotonic + this */
    uint64_t version;     /* of the snapshot */

    char name[NODE_NAME_SIZE]; /* own full name; "" until a peer gave one */
    uint32_t creation;
    struct addr address; /* where distribution listens; port 0 until then */
    bool everywhere;     /* it listens at 0.0.0.0 or :: */
    struct clu_node node;
    struct clu_process *self; /* erlclu_mesh: asks peers, answers them */
    struct hostlook own_look; /* own host part, when it is no literal */

    struct slots conns;
    struct list wanting;   /* conns that want something of the driver */
    struct heap dues;      /* of conns */
    struct crowd unproved; /* inbound links without a proof of the cookie */
    struct crowd askers;   /* clients of our epmd without a registration */
    struct list hinted;    /* links dialling a node whose name is to be learnt */
    struct map links;      /* name -> struct link that is up */
    struct map pending;    /* name -> struct link dialling, handshake not done */

    struct slots dials, lookups, names;
    struct list lookup_queue;  /* not told to the driver yet */
    struct source_place place; /* what surrounds the sources */
    bool discovering;          /* they were started */
    struct source *sources[SETTINGS_SPECS_MAX];
    enum result_kind source_result[SETTINGS_SPECS_MAX];
    char source_reason[SETTINGS_SPECS_MAX][REASON_SIZE];
    uint32_t source_count[SETTINGS_SPECS_MAX];
    size_t n_sources;
    struct reconcile *reconcile;
    struct views *views;
    struct exchange exchange;
    uint64_t refused; /* entries over TARGETS_MAX that were told */

    struct registration reg;
    struct listen_request listens[LISTENERS];
    struct list asks;
    uint32_t last_ask;

    struct event events[MACHINE_EVENTS_MAX];
    struct event lost_event; /* written and never told: the ring was full */
    size_t first_event, n_events;
    uint64_t lost_events;
    bool draining, stopped, ready;
    bool leaving; /* what waits is still written; all else stands still until we stop */
    bool exit_wanted;
    char not_ready[REASON_SIZE];

    struct news news;

    struct counters count;
    struct snapshot snap;
    uint8_t scratch[MACHINE_SCRATCH_SIZE];
};

/* machine_event: a slot of the event ring to fill; when the ring is full, a spare that is counted
 * as lost. */
struct event *machine_event(struct machine *m, enum event_id id);
/* machine_changed: a reader of the snapshot would see a difference. */
void machine_changed(struct machine *m);
/* machine_fatal: tells why and asks the driver to end the program. */
void machine_fatal(struct machine *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* machine_dials: whether links may be made: not by a node that leaves, unless it takes part in
 * global, in which all are linked with all to the end. */
bool machine_dials(const struct machine *m);
/* machine_readiness: recomputes ready and tells its changes. */
void machine_readiness(struct machine *m);
/* machine_set_name: our name is known (dynamic names: from the first peer). */
void machine_set_name(struct machine *m, const char *name, uint32_t creation);
/* machine_listen, machine_unlisten: leave the request for the driver. */
void machine_listen(struct machine *m, enum listener which, const struct addr *addr,
                    uint16_t port_min, uint16_t port_max);
void machine_unlisten(struct machine *m, enum listener which);
/* snapshot_fill: snapshot.c */
bool snapshot_fill(struct machine *m, uint64_t now_ms);
void snapshot_free(struct machine *m);

#endif
