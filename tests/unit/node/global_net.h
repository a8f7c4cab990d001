/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NODE_GLOBAL_NET_H
#define TESTS_NODE_GLOBAL_NET_H

#include "base/buf.h"
#include "base/rng.h"
#include "dist/flags.h"
#include "node/global_impl.h"

/* Several nodes of ours with global, in one process and on virtual time: links are pairs of
 * channels, and what crosses them does so in pieces, in an order drawn from the seed. */

#define NET_MAX 8

struct net_end {
    struct channel channel;
    struct node_link link;
    bool up;
};

struct net {
    size_t n;
    struct clu_node nodes[NET_MAX];
    struct net_end ends[NET_MAX][NET_MAX]; /* [a][b]: a's end of its link to b */
    bool apart[NET_MAX][NET_MAX];          /* no link can be made */
    struct rng rng;
    uint64_t now_ms;
    char names[NET_MAX][32];
};

/* net_open: n nodes n0@h, n1@h, ..., not linked. */
void net_open(struct net *net, size_t n, uint64_t seed);
void net_close(struct net *net);
void net_link(struct net *net, size_t a, size_t b);
/* net_cut: both ends see connection_closed, unless a did it: then it says disconnect. */
void net_cut(struct net *net, size_t a, size_t b, bool by_a);
/* net_part: no links between nodes whose bits differ in this mask, from now on. net_heal: all are
 * linked. */
void net_part(struct net *net, unsigned mask);
void net_heal(struct net *net);
/* net_step: something small happens; false: nothing can before time passes. */
bool net_step(struct net *net);
/* net_run: all that happens within so many ms. */
void net_run(struct net *net, uint64_t ms);

#endif
