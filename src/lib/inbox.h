/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_INBOX_H
#define LIB_INBOX_H

#include <stdatomic.h>

#include <erlclu/node.h>

/* The one thing that several threads touch: a stack of posted functions, to which any thread adds
 * with one atomic exchange, and which the node's thread takes whole. No thread ever waits for
 * another. */
struct post;

struct inbox {
    _Atomic(struct post *) head; /* the latest first */
    atomic_uint n;
    atomic_bool stop;
    int fd; /* an eventfd: readable while there is something to do; -1: none could be had */
};

/* inbox_init: false, and errno, when the system has no descriptor. */
bool inbox_init(struct inbox *in);
/* inbox_fini: calls what is left with node NULL. No other thread may post any more. */
void inbox_fini(struct inbox *in);
/* inbox_put, inbox_stop: from any thread. */
clu_error inbox_put(struct inbox *in, clu_post_fn *fn, void *arg);
void inbox_stop(struct inbox *in);
/* inbox_run: calls what was posted so far, in its order; true when inbox_stop was called
 * meanwhile. */
bool inbox_run(struct inbox *in, clu_node *node);

#endif
