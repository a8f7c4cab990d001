/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes in one program: real ones (struct clu_node), joined by real channels whose bytes are
 * carried by hand, frame by frame, at a time that the test sets.
 */
#ifndef TESTS_NODE_WORLD_H
#define TESTS_NODE_WORLD_H

#include "base/buf.h"
#include "dist/flags.h"
#include "node/proc.h"

#define WORLD_NODES  7
#define WORLD_ACTORS 64
#define WORLD_FLAGS  (DFLAGS_OFFERED | DFLAG_PUBLISHED)

/* One node's end of a link. */
struct world_end {
    struct channel channel;
    struct node_link link;
    struct buf flight; /* bytes on their way to the other end */
    size_t left;       /* of the frame in front, whose first bytes have arrived */
    bool up;
};

/* What becomes of a node that somebody wants. */
enum world_dial {
    WORLD_JOINS,   /* the link is there at once */
    WORLD_REFUSES, /* it cannot be reached */
    WORLD_WAITS,   /* the test says later */
    WORLD_ASKS,    /* world.asked says which of these */
};

struct world {
    struct clu_node nodes[WORLD_NODES]; /* named a@h, b@h, ... */
    struct world_end ends[WORLD_NODES][WORLD_NODES];
    size_t n;
    uint64_t now, flags;
    size_t room; /* bytes in flight each way, at most; 0: as many as there are */
    enum world_dial dial;
    enum world_dial (*asked)(struct world *w, size_t a, size_t b);
    /* Told when what a said to b may have been lost: a link that was cut, a node that could not be
     * reached. NULL: nobody wants to know. */
    void (*lost)(struct world *w, size_t a, size_t b);
    struct actor *actors[WORLD_ACTORS];
    size_t n_actors;
    /* Links that ended with an error, and the last one's sentence. */
    size_t errors;
    const char *what;
};

/* world_init: n nodes, no links; false: out of memory. world_fini takes a half-made one too. */
bool world_init(struct world *w, size_t n);
void world_fini(struct world *w);
/* world_join: false: out of memory, not joined. world_cut: both ends see it, what is in flight is
 * lost. */
bool world_join(struct world *w, size_t a, size_t b);
void world_cut(struct world *w, size_t a, size_t b);
/* world_unreachable: b is told to a as one that it cannot be linked with. */
void world_unreachable(struct world *w, size_t a, size_t b);
/* world_turn: the end of a step of one node: what it has to say is in flight behind it.
 * world_carry: one frame from a to b; false: there is none. */
void world_turn(struct world *w, size_t a);
bool world_carry(struct world *w, size_t a, size_t b);
/* world_run: until all is quiet. world_pass: ms later, with all that is due in between. */
void world_run(struct world *w);
void world_pass(struct world *w, uint64_t ms);
const char *world_name(size_t i);

/* ---- processes that write down what happens to them ---- */

struct actor {
    struct world *world;
    const char *name;
    clu_process *p; /* NULL when it has ended */
    clu_pid self;
    struct buf log;
    /* What it does beside writing; NULL: nothing. */
    void (*does)(struct actor *a, const clu_signal *s);
    void (*stopped)(struct actor *a);
    struct actor *other;
    clu_ref ref;
    size_t n; /* signals so far */
};

/* actor_start: on node i; options may be NULL: receive, stopped and arg are set here, receive
 * unless takes is set. */
bool actor_start(struct actor *a, struct world *w, size_t i, const char *name,
                 const clu_spawn_options *options, bool takes);
void actor_fini(struct actor *a);
/* actor_send: an atom. */
clu_error actor_send(struct actor *a, const clu_to *to, const char *text);
clu_error actor_tell(struct actor *a, const struct actor *b, const char *text);
/* actor_note: one line for a signal. actor_takes: clu_take, all of them. */
void actor_note(struct actor *a, const clu_signal *s);
void actor_takes(struct actor *a);
void actor_answered(clu_process *self, const clu_answer *answer, void *arg);
/* actor_said: the lines since the last time. */
const char *actor_said(struct actor *a, struct buf *said);

#endif
