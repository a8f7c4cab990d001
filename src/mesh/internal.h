/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESH_INTERNAL_H
#define MESH_INTERNAL_H

#include "base/crypto.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/rng.h"
#include "dist/channel.h"
#include "dist/epmd.h"
#include "dist/handshake.h"
#include "find/hostlook.h"
#include "find/reconcile.h"
#include "find/views.h"
#include "mesh/machine.h"
#include "node/global.h"
#include "node/node.h"

/* A TCP connect that nobody answers is given up after this; the handshake has settings.setup_ms. */
#define CONNECT_MS 5000
/* How long an epmd may take for its answer. */
#define EPMD_ANSWER_MS 5000
/* BEAMs register anew 2 s after they lost their epmd; so do we. */
#define EPMD_RETRY_MS 2000
/* A linked node that does not answer a ping for so long counts as gone (net_setuptime). */
#define PING_MS 7000
/* A question of a command that came to nothing in this time is answered so. */
#define ASK_MS 60000
/* A link that was taken for want of a listed name asks epmd this often whether that name has come.
 */
#define RELOOK_MS 10000
/* epmd entries at one address that are looked at to find the one to dial. */
#define EPMD_CANDIDATES_MAX 16

/* Creations 0 to 3 are taken for other purposes by older releases (erl_dist_protocol). */
#define CREATION_MIN 4

/* ---- connections ---- */

enum conn_kind {
    CONN_LINK,        /* distribution: handshake, then channel (link.c) */
    CONN_EPMD_QUERY,  /* we ask an epmd (query.c) */
    CONN_EPMD_SELF,   /* our registration at another's epmd (epmd.c) */
    CONN_EPMD_SERVED, /* a client of the epmd that we serve (epmd.c) */
    CONN_KINDS
};

enum conn_want {
    WANT_DIAL = 1,
    WANT_SEND = 2,
    WANT_CLOSE = 4,
};

/* What all connections have; each kind embeds it first. */
struct conn {
    slot_id id;
    enum conn_kind kind;
    bool outbound;
    bool opened;
    bool ending;   /* closes as soon as what is pending was sent */
    bool dead;     /* waits only for its UPDATE_CLOSE */
    uint8_t wants; /* enum conn_want, told to the driver by machine_next */
    struct list wanting;
    struct list in_crowd; /* of crowd, when it has one */
    struct crowd *crowd;
    struct heap_item due;
    struct addr peer;
};

/* Connections of strangers: when there are too many, the oldest goes, so that nobody can keep
 * others out by holding connections. */
struct crowd {
    struct list members; /* oldest first */
    uint32_t n, max;
    const char *what; /* for the event */
    uint64_t told_ms;
};

/* crowd_join: may close the oldest member. crowd_leave: proved, or gone. */
void crowd_join(struct machine *m, struct crowd *crowd, struct conn *c, uint64_t now_ms);
void crowd_leave(struct conn *c);

/* A row a kind. got: n bytes lie in the scratch buffer (or where space told). Every function may
 * close the conn; free ends what the kind owns, not the conn itself. */
struct conn_ops {
    void (*opened)(struct machine *m, struct conn *c, uint64_t now_ms);
    void (*refused)(struct machine *m, struct conn *c, enum dial_error error, const char *text,
                    uint64_t now_ms);
    size_t (*space)(struct machine *m, struct conn *c, struct iovec iov[2]);
    void (*got)(struct machine *m, struct conn *c, size_t n, uint64_t now_ms);
    void (*closed)(struct machine *m, struct conn *c, const char *text, uint64_t now_ms);
    /* What is to be sent, in at most max pieces, whose number it returns. */
    size_t (*pending)(struct conn *c, struct iovec *iov, size_t max);
    void (*sent)(struct conn *c, size_t n, uint64_t now_ms);
    void (*due)(struct machine *m, struct conn *c, uint64_t now_ms);
    void (*free)(struct machine *m, struct conn *c);
};

extern const struct conn_ops link_ops, epmd_query_ops, epmd_self_ops, epmd_served_ops;

/* conn_add: takes a zeroed kind into the table; false (and frees it) at the limit. */
bool conn_add(struct machine *m, struct conn *c, enum conn_kind kind);
/* conn_dial: asks the driver to connect it to c->peer. */
void conn_dial(struct machine *m, struct conn *c);
/* conn_piece: what is pending lies in one piece, or there is none. */
size_t conn_piece(clu_slice out, struct iovec *iov);
/* conn_wake: has the driver send what is pending. */
void conn_wake(struct machine *m, struct conn *c);
/* conn_due: calls the kind's due at at_ms (NEVER: not). */
void conn_due(struct machine *m, struct conn *c, uint64_t at_ms);
/* conn_close: ends it now; the driver is told. The kind's free runs at once. */
void conn_close(struct machine *m, struct conn *c);
/* conn_end: closes it once what is pending was sent. */
void conn_end(struct machine *m, struct conn *c);
/* conn_take_update: the next thing that a connection wants of the driver. */
bool conn_take_update(struct machine *m, struct update *u);
/* conn_drop: forgets a conn whose socket is gone already. */
void conn_drop(struct machine *m, struct conn *c);
/* conn_run_due: calls what is due; conn_close_all: of every kind; conn_free_all: at the end. */
void conn_run_due(struct machine *m, uint64_t now_ms);
void conn_close_all(struct machine *m);
void conn_free_all(struct machine *m);

/* ---- cookies ---- */

/* cookie_for: the present cookie for a peer; its own where one was set. cookie_before: the one that
 * was rolled and is still good; empty when there is none. Borrowed: see machine.cookies. */
clu_slice cookie_for(const struct machine *m, const char *peer);
clu_slice cookie_before(const struct machine *m, const char *peer);

/* ---- links ---- */

struct dial;

/* What a peer is, as far as its answers to peer exchange have told. */
enum kin {
    KIN_UNKNOWN,
    KIN_BEAM,
    KIN_OURS,
};

struct link {
    struct conn conn;
    struct handshake *hs; /* until up */
    struct channel channel;
    struct node_link node;
    bool up;
    const char *end; /* how it ended, as an atom of Erlang's nodedown; NULL: connection_closed */
    bool pending_listed; /* an outgoing attempt that stands in pending_by_name */
    struct list hinted;  /* while dialling by hint: in machine.hinted */
    bool other_cookie;   /* dialled with the cookie before */
    bool visitor;        /* it asked for a name: a command that goes soon, and no peer to keep */
    bool by_hint;        /* any name will do: the name is learnt */
    char instead_of[NODE_NAME_SIZE]; /* it was taken for want of this one, which may come yet */
    uint64_t asked_ms;               /* when epmd was asked for that one last */
    slot_id dial;                    /* outgoing: the attempt it belongs to, until up or failed */
    char name[NODE_NAME_SIZE];       /* the peer's, once known */
    uint64_t peer_flags;             /* what the peer offered */
    uint64_t up_ms;
    slot_id target;
    /* peer exchange */
    struct list exchange; /* in machine.exchange.links */
    enum kin kin;
    struct addr listens;  /* where it says that it listens; family 0: not known */
    uint64_t exchange_ms; /* when it was asked last; 0: never */
};

/* link_dial: opens a link for a dial attempt to addr; name "" learns the name. */
bool link_dial(struct machine *m, struct dial *d, const struct addr *addr, const char *name);
/* link_forget_pending: it does not stand for the node's name any more. */
void link_forget_pending(struct machine *m, struct link *l);
/* link_accept: a connection to our distribution port. */
slot_id link_accept(struct machine *m, const struct addr *peer, uint64_t now_ms);
struct link *link_find(struct machine *m, const char *name);
struct link *link_of(struct conn *c);
struct addr link_address(const struct link *l);
/* shake.c: what a link does until it is up. link_shake takes bytes of the handshake; those behind
 * it go to the channel. */
void link_opened(struct machine *m, struct conn *c, uint64_t now_ms);
void link_refused(struct machine *m, struct conn *c, enum dial_error error, const char *text,
                  uint64_t now_ms);
void link_shake(struct machine *m, struct link *l, const uint8_t *data, size_t len,
                uint64_t now_ms);
void link_shake_failed(struct machine *m, struct link *l, uint64_t now_ms);
/* link.c: the handshake is done; its memory can go; messages have arrived. */
void link_end_shake(struct link *l);
void link_go_up(struct machine *m, struct link *l, uint64_t now_ms);
void link_drain(struct machine *m, struct link *l, uint64_t now_ms);
/* link_talk: it has something to be sent, or has broken over that. */
void link_talk(struct machine *m, struct link *l);

/* link_cut: ends a link by our own decision. */
void link_cut(struct machine *m, struct link *l, const char *reason, uint64_t now_ms);
/* link_prune: cuts whom --prune after:T has given up. */
void link_prune(struct machine *m, uint64_t now_ms);

/* ---- peer exchange ---- */

struct exchange {
    struct list links; /* that take part: who was never asked first, then by when they were */
    uint64_t paid_ms;  /* questions are paid for up to here */
    uint32_t islands;  /* as told */
    uint32_t seen;     /* as counted last, at counted_ms; so many since seen_ms */
    uint64_t counted_ms, seen_ms;
};

void exchange_linked(struct machine *m, struct link *l);
void exchange_down(struct machine *m, struct link *l, uint64_t now_ms);
/* exchange_start: the process that asks and answers, if there is none. */
clu_error exchange_start(struct machine *m);
uint64_t exchange_deadline(const struct machine *m);
void exchange_tick(struct machine *m, uint64_t now_ms);

/* ---- dialling ---- */

/* One attempt to reach a target: host, port, link; ends in dial_linked or dial_failed. */
struct dial {
    slot_id id;
    slot_id target;
    char name[NODE_NAME_SIZE]; /* looked for; "" for any */
    struct addr addr;
    struct hostlook look;
    slot_id conn;              /* the epmd query or link under way */
    slot_id query;             /* the DNS query under way */
    char refusal[REASON_SIZE]; /* of the present cookie, while the one before is tried */
    /* epmd lists no such name, or any will do: the entries there, asked one by one */
    bool any;
    bool at_home; /* the epmd there is our own: it lists us as well */
    struct epmd_entry candidates[EPMD_CANDIDATES_MAX];
    uint8_t n_candidates, candidate;
    uint8_t n_visible, visible; /* how many are visible, and the index of one */
};

void dial_due(struct machine *m, uint64_t now_ms);
/* dial_error_reason: the sentence for a connection that did not come about; who listens there. */
enum stage dial_error_reason(enum dial_error error, const struct addr *to, const char *who,
                             const char *text, char reason[REASON_SIZE]);
void dial_failed(struct machine *m, slot_id id, enum stage stage, const char *reason,
                 uint64_t now_ms);
/* alive_part: what stands before the @, as epmd registers it. */
void alive_part(const char *name, char alive[EPMD_NAME_MAX + 1]);
/* dial_dropped: its connection went without a word (no memory, or all is closed). */
void dial_dropped(struct machine *m, slot_id id);
/* dial_deferred: the attempt ended without verdict. dial_found_self: whom it looked for is this
 * node itself, so that nobody else bears that name. */
void dial_deferred(struct machine *m, slot_id id, uint64_t now_ms);
void dial_found_self(struct machine *m, slot_id id, uint64_t now_ms);
void dial_resolved(struct machine *m, struct dial *d, enum dns_status status, clu_slice msg,
                   uint64_t now_ms);
/* dial_end: the attempt is over; target and asks were told. */
void dial_end(struct machine *m, struct dial *d);

/* ---- questions to epmds ---- */

struct epmd_query {
    struct conn conn;
    struct epmd_client client;
    slot_id dial;  /* who asked: a dial, or */
    slot_id link;  /* a link that stands in for another node, or */
    uint32_t ask;  /* the command that asked, or */
    slot_id names; /* what a source needs */
};

/* epmd_query_new: opens a connection to the epmd at addr; the client's question is asked by the
 * caller. NULL at a limit. */
struct epmd_query *epmd_query_new(struct machine *m, const struct addr *addr, uint64_t now_ms);
/* What became of it: dial.c, link.c, names.c and ask.c hear by these. stage STAGE_NONE: the client
 * has the answer.
 */
void dial_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage,
                        const char *reason, uint64_t now_ms);
void link_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage, uint64_t now_ms);
void ask_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage,
                       const char *reason, uint64_t now_ms);

/* ---- names of a host's epmd, for sources ---- */

/* names_need: meets a NEED_NAMES; GIVEN_NAMES follows, within this call or later. */
void names_need(struct machine *m, unsigned source, const struct need *need, uint64_t now_ms);
void names_resolved(struct machine *m, slot_id id, enum dns_status status, clu_slice msg,
                    uint64_t now_ms);
void names_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage,
                         const char *reason, uint64_t now_ms);
uint64_t names_deadline(const struct machine *m);
/* names_due: ends what took too long. */
void names_due(struct machine *m, uint64_t now_ms);
void names_free_all(struct machine *m);

/* ---- our own registration and the epmd within ---- */

void epmd_start(struct machine *m, uint64_t now_ms);
void epmd_stop(struct machine *m, uint64_t now_ms);
void epmd_tick(struct machine *m, uint64_t now_ms);
void epmd_listening(struct machine *m, enum listener which, const struct addr *at,
                    const char *error, bool in_use, uint64_t now_ms);
slot_id epmd_accept(struct machine *m, const struct addr *peer, const struct addr *local,
                    uint64_t now_ms);

struct registration {
    enum { REG_NONE, REG_ASKING, REG_OPENING, REG_SERVING, REG_HELD, REG_WAITING } state;
    slot_id conn;              /* REG_ASKING, REG_HELD */
    uint64_t retry_ms;         /* REG_WAITING */
    bool settled;              /* discovery was started */
    bool once;                 /* it was registered before: a taken name is no reason to exit */
    bool duplicate;            /* another node holds our name */
    char trouble[REASON_SIZE]; /* what is wrong now, told once */
    struct epmd_registry registry;
};

/* ---- discovery ---- */

enum lookup_owner { LOOKUP_SOURCE, LOOKUP_DIAL, LOOKUP_ASK, LOOKUP_SELF, LOOKUP_NAMES };

struct lookup {
    slot_id id;
    enum lookup_owner owner;
    uint32_t who; /* index of the source, id of dial, ask or names */
    uint16_t type;
    struct list queue;
    char name[HOST_NAME_SIZE];
};

clu_error discover_init(struct machine *m, char why[REASON_SIZE]);
void discover_fini(struct machine *m);
void discover_start(struct machine *m, uint64_t now_ms);
/* discover_take: the next thing that a source needs of the driver. */
bool discover_take(struct machine *m, struct update *u);
uint64_t discover_deadline(const struct machine *m);
/* discover_poke: look again at once; discover_stir: soon, as all others do that noticed the same.
 */
void discover_poke(struct machine *m, uint64_t now_ms);
void discover_stir(struct machine *m, uint64_t now_ms);
void discover_answer(struct machine *m, struct lookup *q, enum dns_status status, clu_slice msg,
                     uint64_t now_ms);
/* lookup_new: queues a query for the driver; 0 at the limit. */
slot_id lookup_new(struct machine *m, enum lookup_owner owner, uint32_t who,
                   const struct source_query *sq);

/* ---- questions of commands ---- */

enum ask_kind { ASK_PING, ASK_NAMES };

struct ask {
    struct list list;
    uint32_t id;
    enum ask_kind kind;
    char name[NODE_NAME_SIZE]; /* node, or host */
    slot_id target;            /* ping: what is dialled */
    bool sent;                 /* ping: waits for the pong */
    uint64_t deadline_ms;      /* once sent */
    clu_ref ref;               /* ping: of the call */
    struct hostlook look;      /* names */
    struct addr addr;
    bool answered;
    struct answer *answer; /* until machine_next took it */
};

/* ask_linked, ask_failed: a target of a ping came up or could not be reached. */
void ask_linked(struct machine *m, struct link *l, uint64_t now_ms);
void ask_failed(struct machine *m, slot_id target, enum stage stage, const char *reason,
                const struct addr *addr, uint64_t now_ms);
void ask_link_down(struct machine *m, struct link *l, const char *reason);
void ask_resolved(struct machine *m, struct ask *a, enum dns_status status, clu_slice msg,
                  uint64_t now_ms);
struct ask *ask_get(struct machine *m, uint32_t id);
/* ask_stop: answers all: nothing more will come. */
void ask_stop(struct machine *m);
void ask_tick(struct machine *m, uint64_t now_ms);
uint64_t ask_deadline(const struct machine *m);
bool ask_take_answer(struct machine *m, struct update *u);
void ask_free_all(struct machine *m);

/* ---- what the node wants ---- */

/* needs_of_node: ends its step: mailboxes, links with something to send, nodes to be dialled. */
void needs_of_node(struct machine *m);

/* global_serve: what global wants of the mesh (global.c). */
void global_serve(struct machine *m);

/* ---- the machine ---- */

struct counters {
    uint64_t links_up, links_down, dials, dial_failures[16], rejected, protocol_errors;
    uint64_t first_peer_ms;
};

struct listen_request {
    bool wanted, close;
    struct addr addr;
    uint16_t port_min, port_max;
};

/* What is told of refused peers: the same of the same address once, until it was quiet for
 * NEWS_OLD_MS; a burst of NEWS_BURST lines, then one in NEWS_TOKEN_MS. */
#define NEWS_MAX      256
#define NEWS_OLD_MS   60000
#define NEWS_BURST    32
#define NEWS_TOKEN_MS 1000

struct told {
    struct addr from;
    unsigned kind;
    uint64_t last_ms;
};

struct news {
    struct told told[NEWS_MAX];
    uint32_t tokens;
    uint64_t earned_ms; /* when tokens were counted last */
    uint64_t n_untold;  /* that found no token */
};

/* news_is_new: whether to tell it. */
bool news_is_new(struct news *n, const struct addr *from, unsigned kind, uint64_t now_ms);

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
