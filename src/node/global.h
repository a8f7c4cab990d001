/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NODE_GLOBAL_H
#define NODE_GLOBAL_H

#include "node/node.h"

/* Erlang's global, as the layers above see it: what it wants of them. All of these are harmless
 * while it is off. */

enum global_news_kind {
    GLOBAL_NONE,
    GLOBAL_TOLD_TO_CUT,   /* node asked us to cut its link */
    GLOBAL_ASKS_TO_CUT,   /* we asked node to cut its link: other has lost it */
    GLOBAL_LOST,          /* our link to node is lost, and the others were told */
    GLOBAL_UNREACHABLE,   /* node, which others know, cannot be reached */
    GLOBAL_ONE_SIDED,     /* node and we do not know each other alike: the link is cut */
    GLOBAL_NAME_CONFLICT, /* two processes had one name: what tells which */
    GLOBAL_ODD,           /* a message from node made no sense; told once a node */
    GLOBAL_NO_MEMORY,     /* it leaves, to come back with a state that is whole */
    GLOBAL_OVERFULL,      /* node does not read: it leaves, likewise */
    GLOBAL_KILLED,        /* somebody has killed one of its processes: the node cannot go on */
};

struct global_news {
    enum global_news_kind kind;
    char node[NODE_NAME_SIZE], other[NODE_NAME_SIZE];
    char what[REASON_SIZE];
};

/* global_next_cut: a node whose link is to be cut now; NULL: none. Borrowed until the next call. */
const char *global_next_cut(struct clu_node *n);
/* global_next_news: false: nothing new. */
bool global_next_news(struct clu_node *n, struct global_news *news);
/* global_wants_out: all links are to be closed at once, silently: memory was out, and half of
 * global is worse than none. Told once. */
bool global_wants_out(struct clu_node *n);
/* global_overfull: the link to a node is about to be cut since it does not read: all are then, for
 * it might be alive, and would hear of it late: the others would be told to cut theirs to it. */
void global_overfull(struct clu_node *n, const char *node);
/* global_leave: all links are about to be closed: nobody is told that they are lost. */
void global_leave(struct clu_node *n);
/* global_link_lost: at the very moment, before anything that follows from it (remote.c only): the
 * signal that the node is down comes later, and its link may be there again by then. */
void global_link_lost(struct clu_node *n, clu_slice node);
/* global_fini: node_fini only. */
void global_fini(struct clu_node *n);

#endif
