/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NODE_NODE_IMPL_H
#define NODE_NODE_IMPL_H

#include "dist/flags.h"
#include "node/node.h"

/* A signal on its way to who handles it. */
struct signal {
    struct node *node;
    struct node_link *link;
    const struct control *c;
    struct node_report *report;
};

/* An error from a handler closes the link. */
typedef clu_error signal_handler(struct signal *s);

/* The processes of this node. Their pids are the place in this list, from 1. */
enum service {
    SERVICE_NET_KERNEL,
    SERVICE_REX,
    SERVICE_GLOBAL,
    SERVICE_PINGER,   /* waits for the answers to node_ping */
    SERVICE_EXCHANGE, /* waits for those to node_ask_nodes */
    SERVICE_MESH,     /* is asked for our nodes */
    SERVICES
};

clu_pid service_pid(const struct node *n, enum service service);
/* service_of_name, service_of_pid: SERVICES when there is none. */
enum service service_of_name(clu_slice name);
enum service service_of_pid(const struct node *n, const clu_pid *pid);
/* service_is_alive: whether monitors and links find a process. Services that only know a few
 * messages say no, so that whoever calls them is told at once. */
bool service_is_alive(enum service service);
/* service_deliver: hands it the signal's payload. What it does not know it drops. */
clu_error service_deliver(enum service service, struct signal *s);

/* node_make_ref, node_made_ref: a reference of this node, and whether one is. */
clu_ref node_make_ref(struct node *n);
bool node_made_ref(const struct node *n, const clu_ref *ref);
/* get_gen_call: {'$gen_call', {Pid, Tag}, Request}: stops before the request; false when it is
 * something else. */
bool get_gen_call(clu_reader *msg, struct gen_call *call);
/* put_gen_call: begins {'$gen_call', {From, Ref}, Request} to a registered name in the link's
 * channel: put the request, then channel_end. */
void put_gen_call(struct node_link *l, clu_writer *w, const clu_pid *from, const clu_ref *ref,
                  const char *to);
/* put_reply: begins the answer {Tag, Answer} in the link's channel: put the answer, then
 * channel_end. */
void put_reply(struct node_link *l, clu_writer *w, const clu_pid *self,
               const struct gen_call *call);
/* exchange_take: takes answers to node_ask_nodes; mesh_take: that question. */
clu_error exchange_take(struct signal *s, clu_reader *msg);
clu_error mesh_take(struct signal *s, clu_reader *msg);

/* ping_gone: our monitor of the peer's net_kernel fired. */
clu_error ping_gone(struct signal *s);
/* ping_answer: takes {Ref, Answer}, by pid or by alias. */
clu_error ping_answer(struct signal *s, clu_reader *msg);

/* answer_monitor_exit: tells `to` that its monitor `ref` of a pid, or of a name when not NULL,
 * fired; in the form that the link agreed on. */
clu_error answer_monitor_exit(struct node_link *l, const clu_pid *pid, const clu_slice *name,
                              const clu_pid *to, const clu_ref *ref, const char *reason);
/* answer_exit: an exit signal over a link. */
clu_error answer_exit(struct node_link *l, const clu_pid *from, const clu_pid *to,
                      const char *reason);

/* link_monitors: whether both sides know monitors of registered names. */
static inline bool link_monitors(const struct node_link *l)
{
    uint64_t both = DFLAG_DIST_MONITOR | DFLAG_DIST_MONITOR_NAME;

    return (l->flags & both) == both;
}

#endif
