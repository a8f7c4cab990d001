/* SPDX-License-Identifier: Apache-2.0
 *
 * node: what answers the signals of other nodes: processes, registered names, links, monitors.
 *   knows: the own identity, control messages, the channel of the link that a signal came by.
 *   must not know: sockets, clocks, discovery, whom to dial.
 * Today the processes are a few registered services without state; a signal to anything else is
 * answered as a BEAM answers for a process that is gone.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "dist/channel.h"
#include "model/model.h"

struct node {
    char name[NODE_NAME_SIZE];
    uint32_t creation;
    bool hidden;
    uint64_t n_refs; /* references made so far */
};

/* One linked peer, as far as its signals need it. */
struct node_link {
    struct channel *channel; /* borrowed: answers go here */
    clu_slice peer;          /* borrowed: its full name */
    uint32_t creation;       /* the peer's */
    uint64_t flags;          /* that both offered */
    bool visible;            /* both are published */
};

/* Who called as gen_server:call does, and how it wants its answer. Borrows the frame. */
struct gen_call {
    clu_pid from;
    clu_slice tag; /* opaque: goes back as it came */
    clu_ref alias; /* n is 0 without one */
};

/* What a signal means to the layer above, beyond its answer. */
enum node_report_kind {
    NODE_REPORT_NONE,
    NODE_REPORT_PONG,      /* the peer's net_kernel said yes to the ping `ref` of this link */
    NODE_REPORT_PANG,      /* it has none, or said something else */
    NODE_REPORT_NODES,     /* a BEAM's answer to node_ask_nodes: nodes stands at a list of atoms */
    NODE_REPORT_KIN_NODES, /* that of our own kind: a list of {Name, Address, Port}: atom, binary of
                              4 or 16 bytes (empty: unknown), integer */
    NODE_REPORT_ASKED,     /* the peer asks for our nodes: node_answer_begin */
};

struct node_report {
    enum node_report_kind kind;
    clu_ref ref;          /* of node_ping or node_ask_nodes; borrows the frame, as all here */
    clu_reader nodes;     /* NODE_REPORT_NODES, NODE_REPORT_KIN_NODES */
    struct gen_call call; /* NODE_REPORT_ASKED */
};

/* What a peer is, as far as its answers to node_ask_nodes have told. */
enum node_kin {
    NODE_KIN_UNKNOWN,
    NODE_KIN_BEAM,
    NODE_KIN_OURS,
};

void node_init(struct node *n, const char *name, uint32_t creation, bool hidden);
void node_fini(struct node *n);
/* node_rename: a peer gave us a dynamic name and creation. */
void node_rename(struct node *n, const char *name, uint32_t creation);

/* node_link_init: for a link whose handshake is done. peer must outlive it. */
void node_link_init(struct node_link *l, struct channel *channel, const char *peer,
                    uint32_t peer_creation, uint64_t flags);
void node_link_fini(struct node_link *l);

/* node_receive: takes one signal and queues what answers it. An error closes the link: the peer
 * broke the protocol, or the answer found no room; *what is a static sentence. */
CLU_MUST_USE clu_error node_receive(struct node *n, struct node_link *l, const struct control *c,
                                    struct node_report *report, const char **what);

/* node_ping: asks the peer's net_kernel as net_adm:ping does; the answer is a report with an equal
 * ref of the same link. CLU_EBUSY when the link is. */
CLU_MUST_USE clu_error node_ping(struct node *n, struct node_link *l, clu_ref *ref);

/* node_ask_nodes: asks the peer for the visible nodes that it is linked with; the answer is a
 * report with an equal ref of the same link. Of an unknown kin, both ways are tried. CLU_EBUSY when
 * the link is. */
CLU_MUST_USE clu_error node_ask_nodes(struct node *n, struct node_link *l, enum node_kin kin,
                                      clu_ref *ref);
/* node_answer_begin: begins the answer to NODE_REPORT_ASKED in the link's channel: put the list of
 * nodes, as NODE_REPORT_KIN_NODES has it, then channel_end. */
void node_answer_begin(struct node *n, struct node_link *l, const struct gen_call *call,
                       clu_writer *w);

#endif
