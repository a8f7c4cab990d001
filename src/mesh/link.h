/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESH_LINK_H
#define MESH_LINK_H

#include "dist/channel.h"
#include "dist/handshake.h"
#include "mesh/conn.h"
#include "node/node.h"

/* A link that was taken for want of a listed name asks epmd this often whether that name has come.
 */
#define RELOOK_MS 10000
/* A peer for which bytes wait, and that has taken none for so long, does not read; how often a link
 * is looked at meanwhile. */
#define STUCK_MS      5000
#define STUCK_LOOK_MS 1000
/* Who does not read is read itself so often, where its link must not end: once each time. */
#define PAUSE_MS 100

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
    bool watched;     /* it is looked at every STUCK_LOOK_MS */
    bool not_reading; /* which was told */
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
    uint64_t counted; /* the machine's version then */
};

void exchange_linked(struct machine *m, struct link *l);
void exchange_down(struct machine *m, struct link *l, uint64_t now_ms);
/* exchange_start: the process that asks and answers, if there is none. */
clu_error exchange_start(struct machine *m);
uint64_t exchange_deadline(const struct machine *m);
void exchange_tick(struct machine *m, uint64_t now_ms);

#endif
