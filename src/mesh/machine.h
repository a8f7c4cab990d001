/* SPDX-License-Identifier: Apache-2.0
 *
 * mesh: the heart of daemon, commands and library: whom to dial, links by name, epmd, snapshots.
 *   knows: every connection as an id, the node, the sources and the reconciler.
 *   must not know: sockets, clocks, threads: a driver (net, or the simulation) hands it one event
 * at a time and carries out the updates it leaves.
 */
#ifndef MESH_MACHINE_H
#define MESH_MACHINE_H

#include <sys/uio.h>

#include "base/slots.h"
#include "find/source.h"
#include "model/event.h"
#include "model/settings.h"
#include "model/snapshot.h"

struct machine;

/* Connections at once, of all kinds; further ones are refused with an event. */
#define MACHINE_CONNS_MAX 20000
/* Inbound connections that have not proved the cookie, at once; beyond, the oldest is closed. */
#define MACHINE_UNPROVED_MAX 1024
/* Clients of our epmd without a registration, at once; beyond, the oldest is closed. */
#define MACHINE_EPMD_ASKERS_MAX 512
/* One receive buffer a loop, not a peer. */
#define MACHINE_SCRATCH_SIZE (68u << 10)
/* Pieces of memory that one read may go to. */
#define MACHINE_PLACES 3
/* Events that wait for the driver; more are counted and reported as lost. */
#define MACHINE_EVENTS_MAX 128
/* A difference between the wall's clock and ours that is no drift any more. */
#define WALL_STEP_MS 1000
/* DNS queries under way at once. */
#define MACHINE_QUERIES_MAX 256

enum dial_error {
    DIAL_REFUSED,
    DIAL_TIMED_OUT,
    DIAL_UNREACHABLE, /* no route, network down, ... : text says */
    DIAL_IMPOSSIBLE,  /* here: no files, no memory, address not ours, ... : text says */
};

enum listener {
    LISTEN_DIST,
    LISTEN_EPMD,     /* on 127.0.0.1 */
    LISTEN_EPMD6,    /* on ::1 */
    LISTEN_EPMD_OWN, /* on the node's own address */
    LISTENERS
};

enum update_kind {
    UPDATE_LISTEN, /* listen.which at listen.addr (port 0: any in [port_min, port_max] if set):
                      answer with machine_listening */
    UPDATE_UNLISTEN,
    UPDATE_DIAL,    /* connect conn to dial.to from dial.from (family 0: any); answer with
                       machine_opened or machine_refused, at the latest at dial.timeout_ms */
    UPDATE_SEND,    /* conn has bytes pending: machine_pending */
    UPDATE_CLOSE,   /* close conn now; its id is gone, no machine_closed follows */
    UPDATE_RESOLVE, /* ask the resolver; answer with machine_resolved */
    UPDATE_NEED,    /* need.source needs something that the machine cannot give (any but
                       NEED_RECORDS and NEED_NAMES): answer with machine_given */
    UPDATE_EVENT,   /* tell people */
    UPDATE_ANSWER,  /* an ask is answered */
    UPDATE_EXIT,    /* the node cannot go on (duplicate name, no port): event told why */
};

/* Answer to machine_ping or machine_names. */
struct answer {
    uint32_t ask;
    bool ok;
    enum stage stage;          /* where it failed */
    char node[NODE_NAME_SIZE]; /* ping: the peer's own name */
    struct addr address;       /* where it answered */
    char reason[REASON_SIZE];
    uint64_t took_us; /* not set by the machine: the driver knows the clock */
    char text[4096];  /* names: lines "name NAME at port PORT\n" */
    bool truncated;
    uint64_t flags; /* ping: what the peer offered */
    uint32_t creation;
};

struct update {
    enum update_kind kind;
    slot_id conn;
    union {
        struct {
            enum listener which;
            struct addr addr;
            uint16_t port_min, port_max;
        } listen;
        struct {
            struct addr to, from;
            uint32_t timeout_ms;
        } dial;
        struct {
            slot_id query;
            char name[HOST_NAME_SIZE]; /* absolute, no final dot */
            uint16_t type;
        } resolve;
        struct {
            unsigned source;
            struct need need; /* slices in it hold until the next call on the machine */
        } need;
        struct event event;
        struct answer answer;
        int exit_status;
    } u;
};

/* What a machine is made from. The pointers are borrowed for its life. */
struct machine_options {
    const struct settings *settings;
    const struct resolv_conf *resolv;
    const struct hosts_file *hosts;
    uint8_t seed[32]; /* from the system's random source */
    uint64_t now_ms;  /* monotonic */
    uint64_t wall_ms; /* since 1970, at now_ms */
};

/* machine_new: NULL when out of memory; a bad SPEC is CLU_EBADARG with words in why. */
CLU_MUST_USE clu_error machine_new(struct machine **out, const struct machine_options *o,
                                   char why[REASON_SIZE]);
void machine_free(struct machine *m);
/* machine_start: leaves the first updates. */
void machine_start(struct machine *m, uint64_t now_ms);

/* Events in. Every one may leave updates: drain machine_next afterwards. */
void machine_listening(struct machine *m, enum listener which, const struct addr *at,
                       const char *error, bool in_use, uint64_t now_ms);
/* machine_accepted: a connection came in; 0 when it is refused: close it. */
slot_id machine_accepted(struct machine *m, enum listener which, const struct addr *peer,
                         const struct addr *local, uint64_t now_ms);
void machine_opened(struct machine *m, slot_id conn, const struct addr *local, uint64_t now_ms);
void machine_refused(struct machine *m, slot_id conn, enum dial_error error, const char *text,
                     uint64_t now_ms);
/* machine_space, machine_got: where to read to, and that n bytes were read. Space is asked anew for
 * every read. The conn may be closed afterwards (UPDATE_CLOSE). */
size_t machine_space(struct machine *m, slot_id conn, struct iovec iov[MACHINE_PLACES]);
void machine_got(struct machine *m, slot_id conn, size_t n, uint64_t now_ms);
/* machine_pause: after a read: for how many ms nothing should be read from it; 0: none. */
uint64_t machine_pause(const struct machine *m, slot_id conn);
/* machine_closed: the peer closed, or reading or writing failed (text says how, or NULL). After it,
 * and after machine_refused, the id is gone: the driver closes its end by itself. An UPDATE_CLOSE
 * for an id that the driver does not know (any more) is to be ignored. */
void machine_closed(struct machine *m, slot_id conn, const char *text, uint64_t now_ms);
/* machine_pending, machine_sent: what is to be sent, in at most max pieces, whose number it
 * returns; that n bytes of it were sent, with no other call of the machine in between. Without
 * `large`: what may wait is left out, as channel_pending has it. */
size_t machine_pending(struct machine *m, slot_id conn, bool large, struct iovec *iov, size_t max);
void machine_sent(struct machine *m, slot_id conn, size_t n, uint64_t now_ms);
void machine_resolved(struct machine *m, slot_id query, enum dns_status status, clu_slice msg,
                      uint64_t now_ms);
/* machine_given: what came of an UPDATE_NEED of this source. */
void machine_given(struct machine *m, unsigned source, const struct given *given, uint64_t now_ms);
/* machine_now: the time, before anything else than these functions calls those of the node: timers
 * count from it. */
void machine_now(struct machine *m, uint64_t now_ms);
/* machine_time: as it was told last. */
uint64_t machine_time(const struct machine *m);
/* machine_deadline, machine_tick: when to call machine_tick at the latest. */
uint64_t machine_deadline(const struct machine *m);
void machine_tick(struct machine *m, uint64_t now_ms);

/* machine_next: takes one update; false when there is none. */
bool machine_next(struct machine *m, struct update *u);

/* machine_ping: dial a node if it is not linked and ask it as net_adm:ping does; UPDATE_ANSWER
 * follows with this number. machine_names: ask the epmd of a host (literal or name). */
uint32_t machine_ping(struct machine *m, const char *node, uint64_t now_ms);
uint32_t machine_names(struct machine *m, const char *host, uint64_t now_ms);
/* machine_connect: has a node dialled unless it is linked; CLU_EBUSY: it is not, since too many are
 * known already or we are leaving. */
CLU_MUST_USE clu_error machine_connect(struct machine *m, const char *node, uint64_t now_ms);
/* machine_ask_given_up: for a driver that waits no longer: the answer that an unanswered question
 * has now: the stage that it is in, what it waits for, and where. */
void machine_ask_given_up(struct machine *m, uint32_t ask, struct answer *answer);
/* machine_cookie: the cookie was read anew. The one before is good for settings.cookie_overlap_ms:
 * peers may prove it, and who refuses the new one is dialled once more with it. */
void machine_cookie(struct machine *m, const struct cookie *cookie, uint64_t now_ms);
/* machine_refresh: look and dial again at once. */
void machine_refresh(struct machine *m, uint64_t now_ms);
/* machine_drain: readiness off, no new links. machine_leave: the last step of the node: from now on
 * nothing is dialled, what comes is dropped unread and no process is given anything; only what
 * waits for linked nodes still goes. machine_stop: close all, UPDATE_CLOSE follow. */
void machine_drain(struct machine *m, uint64_t now_ms);
void machine_leave(struct machine *m, uint64_t now_ms);
void machine_stop(struct machine *m, const char *reason, uint64_t now_ms);

/* machine_node: what the machine drives (borrowed): for whoever exports functions and spawns
 * processes. Its functions may be called where those of the machine may, and by the processes'
 * receive functions; drain machine_next afterwards. */
struct clu_node *machine_node(struct machine *m);
/* machine_is_link: whether this connection is the link of a node. machine_links: how many nodes are
 * linked now, hidden ones and commands among them. */
bool machine_is_link(const struct machine *m, slot_id conn);
/* machine_is_beam: a link whose peer has answered as a BEAM does, and not as our own kind. */
bool machine_is_beam(const struct machine *m, slot_id conn);
size_t machine_links(const struct machine *m);
/* machine_handed: how often a function of a process was called so far. */
uint64_t machine_handed(const struct machine *m);
/* machine_wall: what the wall's clock says at now_ms, for the times of the next snapshot. */
void machine_wall(struct machine *m, uint64_t wall_ms, uint64_t now_ms);
/* machine_version: grows when the snapshot would read differently. machine_snapshot: the present
 * one, borrowed until the next machine_snapshot; NULL when out of memory. */
uint64_t machine_version(const struct machine *m);
const struct snapshot *machine_snapshot(struct machine *m, uint64_t now_ms);

#endif
