/* SPDX-License-Identifier: Apache-2.0
 *
 * node: processes of ours, and what the signals of other nodes mean to them.
 *   knows: the own identity, linked nodes by name, control messages, the channels of the links.
 *   must not know: sockets, clocks, discovery, how a node is reached: it says whom it wants.
 * Users' functions run in node_turn and node_receive only, one at a time, never within each other.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <erlclu/call.h>
#include <erlclu/process.h>

#include "base/heap.h"
#include "base/index.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slots.h"
#include "base/spare.h"
#include "dist/channel.h"
#include "model/model.h"

/* Processes at once: what an index of slots can name. */
#define NODE_PROCESSES_MAX CLU_PROCESSES_MAX
/* Bytes of answers, and of what is said behind them, that may wait for room on one link: its peer
 * asks and does not read. Beyond that the link is closed. */
#define NODE_ANSWERS_MAX (256u << 20)
/* Messages of local mailboxes that one turn hands out: then the sockets have their turn. */
#define NODE_TURN_MAX 4096

struct export;
struct remote;
struct backlog;
struct global;
struct multi;

/* Where a message for another process of ours, or for a node that is not linked yet, is written. */
struct sending {
    struct clu_process *from; /* NULL: nothing is under way */
    clu_writer w;
    struct remote *remote; /* NULL: to a process of this node */
    slot_id local;         /* that process; 0: nobody */
    slot_id tie;           /* by this reference of it; 0: by pid or name */
    slot_id call;          /* the message is its request; 0 */
    uint8_t rpc;           /* it is a call of a function: enum rpc of rpc_out.c */
    struct multi *multi;   /* ... of many nodes (multicall.c); owned, NULL */
    size_t held_at;        /* where the signal begins among those held */
    struct backlog *late;  /* what it goes behind; NULL: nothing */
    size_t payload;        /* where its payload begins then; 0: none */
    size_t prefix;         /* what stands in the writer before the program puts its term */
    clu_error err;
};

struct clu_node {
    void *host; /* of the library's user: who drives it (lib); NULL in a command */
    char name[NODE_NAME_SIZE];
    uint32_t creation;
    bool hidden;
    uint64_t seed;    /* of the indexes by what others made: random, none of their business */
    uint64_t now_ms;  /* of the latest event */
    uint64_t n_refs;  /* references made so far */
    uint64_t n_procs; /* processes made so far: serials */
    uint64_t n_unlinks;
    uint64_t n_handed; /* signals and answers handed to functions so far */
    clu_error err;     /* the first error; sticks */
    char why[REASON_SIZE];

    struct slots procs, ties;
    struct map names;      /* name -> struct clu_process */
    struct map remotes;    /* name -> struct remote */
    struct remote *latest; /* who was looked for last; NULL */
    struct map exports;    /* module, function and arity -> struct export */
    struct index watchers; /* by remote and reference */
    struct index bonds;    /* by process and pid */
    struct index backlogs; /* by sender and remote */
    struct heap timers;    /* of ties */
    struct list runnable;  /* processes with something in their mailbox */
    struct list dying;     /* processes that ended, not buried yet */
    struct list talking;   /* links with something to be sent that mesh was not told of */
    struct list wanted;    /* remotes to be dialled that mesh was not told of */
    struct list calls;     /* of others, that are not done with */
    uint32_t n_calls, calls_max;
    struct list observers;         /* processes that want to know of nodes */
    const struct export *misspoke; /* mesh was not told of its bad reply; NULL */
    struct spare spare_procs, spare_ties, spare_watchers;
    struct clu_process *running; /* whose function is on the stack */
    bool receiving;              /* a frame is being read: what it brings is handed out at once */
    bool closing;                /* node_fini: no process begins any more */
    struct sending sending;
    struct global *global; /* NULL: off */
    bool urgent;           /* what is sent now is no message of a program: no peer is too busy */
};

/* node_now: the time of what follows, from which timers count: before node_receive, and once in the
 * beginning. */
static inline void node_now(struct clu_node *n, uint64_t now_ms)
{
    n->now_ms = now_ms;
}

/* One linked peer. */
struct node_link {
    struct channel *channel; /* borrowed */
    clu_slice peer;          /* borrowed: its full name */
    uint32_t creation;       /* the peer's */
    uint64_t flags;          /* that both offered */
    bool visible;            /* both are published */
    struct remote *remote;
    struct list talking;
};

/* node_init: CLU_ENOMEM: end it with node_fini all the same. node_seed: a random number, before
 * anything else is done with it: no peer can then choose references and pids that fall together in
 * our tables. */
CLU_MUST_USE clu_error node_init(struct clu_node *n, const char *name, uint32_t creation,
                                 bool hidden);
void node_seed(struct clu_node *n, uint64_t seed);
void node_fini(struct clu_node *n);
/* node_rename: a peer gave us a dynamic name and creation. */
void node_rename(struct clu_node *n, const char *name, uint32_t creation);

/* node_link_up: for a link whose handshake is done; peer and channel must outlive it. What waits
 * for the node is queued. CLU_ENOMEM: it is not up. node_link_down: the reason is an atom's text;
 * monitors and links of processes there fire. Also of one that is not up. */
CLU_MUST_USE clu_error node_link_up(struct clu_node *n, struct node_link *l,
                                    struct channel *channel, const char *peer,
                                    uint32_t peer_creation, uint64_t flags);
void node_link_down(struct clu_node *n, struct node_link *l, const char *reason);
/* node_unreachable: the attempt to reach a wanted node has failed: as node_link_down. */
void node_unreachable(struct clu_node *n, const char *name);
/* node_writable: the link's queue has drained. */
void node_writable(struct node_link *l);

/* node_receive: takes one signal. An error closes the link: the peer broke the protocol, or an
 * answer found no room; *what is a static sentence. */
CLU_MUST_USE clu_error node_receive(struct clu_node *n, struct node_link *l,
                                    const struct control *c, const char **what);

/* node_frame: what the link's channel has handed out: a signal, as node_receive takes it, one whose
 * payload is too big, or a part of a stream. */
CLU_MUST_USE clu_error node_frame(struct clu_node *n, struct node_link *l, const struct frame *f,
                                  const char **what);

/* node_turn: the end of a step: hands out what is in the mailboxes, buries who has ended. */
void node_turn(struct clu_node *n, uint64_t now_ms);
/* node_deadline, node_tick: when to call node_tick at the latest: timers. */
uint64_t node_deadline(const struct clu_node *n);
void node_tick(struct clu_node *n, uint64_t now_ms);
/* node_next_talking: a link with something to be sent; node_next_wanted: a node to be dialled. Each
 * is told once; NULL at the end. */
struct node_link *node_next_talking(struct clu_node *n);
const char *node_next_wanted(struct clu_node *n);
/* node_misspoke: "module:function/arity" of a function whose reply had a bad format; false: none.
 * Each is told once. */
bool node_misspoke(struct clu_node *n, char *out, size_t size);

/* node_fail: the error that sticks; the first one counts. */
void node_fail(struct clu_node *n, clu_error err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
