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

/* What a signal means to the layer above, beyond its answer. */
enum node_report_kind {
    NODE_REPORT_NONE,
    NODE_REPORT_PONG, /* the peer's net_kernel said yes to the ping `ref` of this link */
    NODE_REPORT_PANG, /* it has none, or said something else */
};

struct node_report {
    enum node_report_kind kind;
    clu_ref ref; /* of node_ping; borrows the frame */
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

#endif
