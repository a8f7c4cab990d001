/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NODE_PROC_H
#define NODE_PROC_H

#include "dist/flags.h"
#include "node/node.h"

/* Inside of the node. Who holds whom:
 *
 *   process --- ties: what a reference of ours stands for (monitor, alias, timer, call, spawn)
 *           --- watchers: monitors of it that others have set
 *           --- bonds: its links
 *   remote  --- the ties, watchers and bonds whose other end is a process of that node
 *           --- backlogs: what waits to be sent there, each of one process, which may be gone
 *
 * All of them die with the process or with the connection, whichever goes first. */

/* ---- other nodes ---- */

/* A node that is linked, or that is wanted, or that something of ours still points to. */
struct remote {
    struct clu_node *node;
    char name[NODE_NAME_SIZE];
    struct node_link *link; /* NULL: not linked */
    struct list ties, watchers, bonds;
    struct list waiters;  /* of struct waiter: who was told CLU_EBUSY */
    struct list backlogs; /* of struct backlog: what waits for room to be sent */
    struct list left;     /* of struct left: linked processes that nobody waits for any more */
    size_t unsent;        /* bytes of those */
    size_t promised;      /* bytes of answers that go out with the end of their processes */
    struct list wanted;   /* in node.wanted */
    bool dialled;         /* mesh was told, and has not answered yet */
    bool in_hand;         /* lose() or tell_waiters() stands on it: it stays */
    uint8_t release;      /* of OTP, that it runs; 0: not asked yet (release.c) */
    bool lost;            /* a signal found no memory: no connection may hide that (signal_lost) */
    clu_writer held;      /* signals for it, while it is not linked: see out.c */
};

/* remote_get: makes it when it is not known. NULL: remote_error tells why: CLU_EBADARG: no node has
 * such a name; CLU_ENOMEM. remote_find: NULL when it is not known. remote_release: forgets it when
 * nothing needs it any more. */
struct remote *remote_get(struct clu_node *n, clu_slice name);
clu_error remote_error(clu_slice name);
struct remote *remote_find(const struct clu_node *n, clu_slice name);
void remote_release(struct remote *r);
void remotes_free(struct clu_node *n);
/* is_own: whether it names this node. */
bool is_own_name(const struct clu_node *n, clu_slice node);

/* ---- signals out (out.c) ---- */

/* signal_begin: put a control message, and its payload behind signal_payload; then signal_end. A
 * node that is not linked is wanted from now on, and the signal is held. These are never refused
 * for want of room: CHANNEL_QUEUE_MAX closes the link. from NULL: of the node itself. */
clu_writer *signal_begin(struct remote *r, const struct clu_process *from);
void signal_payload(struct remote *r);
clu_error signal_end(struct remote *r);
void signal_cancel(struct remote *r);
/* remote_flags: what may be used towards it: all that OTP 25 offers, while it is not linked. */
uint64_t remote_flags(const struct remote *r);
/* remote_is_busy: messages must wait; remote_is_busy_for: those of this process, perhaps only for
 * what it has under way. signal_must_wait: the message that was begun is large, and must wait while
 * others pass; then it is to be cancelled. */
bool remote_is_busy(const struct remote *r);
bool remote_is_busy_for(const struct remote *r, const struct clu_process *p);
bool signal_must_wait(const struct remote *r);
/* wait_for_room: the process will hear when there is room, for a large message or for any:
 * CLU_EBUSY, or CLU_ENOMEM. waits_end: it does not want to know any more. */
clu_error wait_for_room(struct remote *r, struct clu_process *p, bool large);
void waits_end(struct clu_process *p);
/* far_end: what was begun to another node is sent, or cancelled since it must wait. */
clu_error far_end(struct sending *s);
/* send_answer: a message to a node that is linked, which is never refused. */
clu_error send_answer(struct clu_process *p, struct remote *r, const clu_to *to, clu_slice term);
/* send_has_term: whether anything was put behind what stands there at the begin: a BEAM cuts the
 * link for what is no term. */
bool send_has_term(const struct sending *s);
/* send_drop: clu_send_cancel of what is under way, whoever began it. */
void send_drop(struct clu_node *n);
/* send_back: clu_send_begin of what a peer has asked for: to a node that is not linked it goes
 * nowhere, and clu_send_end says CLU_ENOENT; no link is too busy for it. */
clu_writer *send_back(struct clu_process *p, const clu_to *to);
/* signal_lost: a signal that must not be lost could not be written, for want of memory: the
 * connection ends, which says the same. */
void signal_lost(struct remote *r);
/* link_fail: the connection, if there is one, ends with this error; what is a static sentence. */
void link_fail(struct remote *r, clu_error err, const char *what);
/* held_send: it is linked now: what was held goes out. */
clu_error held_send(struct remote *r);
/* sender_key: later signals of one process wait behind a large one of it: the channel has to know
 * it. signal_copy: one that was written elsewhere goes into the channel; no payload: len 0. */
uint64_t sender_key(const struct clu_process *from);
clu_error signal_copy(struct remote *r, uint64_t sender, clu_slice control, clu_slice payload);
/* remote_has_room: whether an answer of so many bytes need not wait, if it has a channel. */
bool remote_has_room(const struct remote *r, uint64_t sender, size_t len);

/* Exits and monitor exits in the form that was agreed on. p is the process that they come from,
 * NULL when it is no process of ours any more; reason is an encoded term. */
clu_error signal_exit(struct remote *r, const struct clu_process *p, const clu_pid *from,
                      const clu_pid *to, clu_slice reason);
clu_error signal_exit2(struct remote *r, const struct clu_process *p, const clu_pid *from,
                       const clu_pid *to, clu_slice reason);
clu_error signal_down(struct remote *r, const struct clu_process *p, const clu_pid *pid,
                      const clu_slice *name, const clu_pid *to, const clu_ref *ref,
                      clu_slice reason);

/* The term of an atom, in the caller's memory. */
struct atom_term {
    uint8_t bytes[2 + UINT8_MAX];
};
clu_slice atom_term(struct atom_term *t, const char *text);

/* ---- what is said behind an answer that waits (backlog.c) ---- */

/* backlog_open: from now on all that the process says to this node, which is linked, waits for
 * room, until there is. backlog_of: NULL: it does not wait. */
void backlog_open(struct remote *r, const struct clu_process *p);
struct backlog *backlog_of(const struct remote *r, const struct clu_process *p);
/* backlog_add: takes what was written: a control message of so many bytes, and a payload.
 * CLU_ESIZE: that could never be sent. */
clu_error backlog_add(struct backlog *b, clu_writer *w, size_t control);
/* backlogs_settle: what there is room for goes out. backlogs_free: it goes nowhere. */
void backlogs_settle(struct remote *r);
void backlogs_free(struct remote *r);

/* ---- processes (process.c) ---- */

struct message;

struct clu_process {
    slot_id id;
    uint32_t serial;
    struct clu_node *node;
    clu_receive_fn *receive; /* NULL: clu_take */
    clu_stopped_fn *stopped;
    void *arg;
    char *name; /* registered as; owned */
    bool trap_exit;
    bool ended;   /* nobody's pid any more; buried at the end of the step */
    bool service; /* of the node itself: no exit signal reaches it */
    bool absent;  /* monitors, links and whereis find nobody: it only knows a few messages */
    struct list runnable, dying, observers;
    struct list waits;   /* of struct waiter */
    struct list mailbox; /* of struct message */
    struct list answers; /* of calls of a process without a function: these have their own */
    size_t mailbox_size, mailbox_max;
    struct message *taken; /* by clu_take: freed at the next */
    struct list ties, watchers, bonds;
    uint32_t n_calls; /* of its ties: answers may come by pid */
    clu_slice reason; /* of its end; owned unless it is reason_full */
    clu_stream_fn *on_stream;
    uint32_t n_unstreamed; /* times that it said NULL: what began before is nobody's */
    void *stream_arg;
    clu_writer leader;               /* the group leader, as a term; empty: none */
    struct clu_call *call;           /* that it was spawned to answer, NULL */
    const struct clu_server *server; /* it is a gen_server, NULL */
};

/* process_new: as clu_spawn, but says why not. */
clu_error process_new(struct clu_node *n, const clu_spawn_options *o, struct clu_process **out);
clu_pid process_pid(const struct clu_process *p);
/* process_find: of a pid of this node; by name; NULL also when it has ended. */
struct clu_process *process_find(const struct clu_node *n, const clu_pid *pid);
struct clu_process *process_named(const struct clu_node *n, clu_slice name);
/* process_end: reason is copied; links and monitors are told at the end of the step. */
void process_end(struct clu_process *p, clu_slice reason);
/* process_end_with: the same, with the term that is in the writer, which is empty then. */
void process_end_with(struct clu_process *p, clu_writer *reason);
/* process_bury: tells them, frees it: node_turn only. */
void process_bury(struct clu_process *p);
/* process_exit_signal: an exit signal has arrived: of a link that broke, or of exit/2. */
void process_exit_signal(struct clu_process *p, const clu_pid *from, clu_reader reason,
                         bool linked);

/* ---- streams (frames.c) ---- */

/* streams_of: the link's channel asks for every message in fragments whether it is one.
 * streams_end: the connection is gone; who waits for the rest of a stream is told. */
void streams_of(struct node_link *l);
void streams_end(struct clu_node *n, struct node_link *l);

/* ---- delivery (mailbox.c) ---- */

/* user_begin, user_end: around a call of a user's function for p. A message that it began and did
 * not end is dropped, for it stands in the queue that others write to next. */
static inline void user_begin(struct clu_process *p)
{
    p->node->running = p;
}
static inline void user_end(struct clu_node *n)
{
    n->running = NULL;
    send_drop(n);
}

/* A signal on its way to a process: what the process sees, and which reference it came by. */
struct delivery {
    clu_signal signal;
    slot_id tie;         /* what it belongs to: dropped when that is gone; 0 */
    bool last;           /* the tie ends with it */
    bool answer;         /* for the function of a call, not of the process */
    clu_outcome outcome; /* of that call */
    clu_slice exception; /* static */
};

/* deliver: while a frame is read, to its function at once, if nothing waits before it and no
 * function runs; else it is kept. */
void deliver(struct clu_process *p, const struct delivery *d);
/* mailbox_run: hands out what waits, as far as the budget goes; false when more is left. */
bool mailbox_run(struct clu_process *p, uint32_t *budget);
/* mailbox_sort: its function is another now, or there is none any more: what waits for whom. */
void mailbox_sort(struct clu_process *p);
void mailbox_free(struct clu_process *p);

/* ---- what a reference of ours stands for (tie.c) ---- */

enum tie_kind {
    TIE_MONITOR = 1, /* CLU_SIGNAL_DOWN when the process at the other end goes */
    TIE_ALIAS = 2,   /* messages by this reference are taken */
    TIE_TIMER = 4,   /* CLU_SIGNAL_TIMEOUT, or a call that timed out */
    TIE_CALL = 8,    /* one answer, to on_answer */
    TIE_SPAWN = 16,  /* a spawn request: its reply is awaited */
    TIE_REX = 32,    /* a call of rex: {badrpc, Reason} is no value */
    TIE_LINK = 64,   /* a spawn request: link to what it makes */
};

struct tie {
    slot_id id;
    uint32_t kinds;  /* enum tie_kind */
    uint64_t number; /* in its reference */
    struct clu_process *owner;
    struct list of_owner;
    struct remote *remote; /* where the monitored process is; NULL: here, or none */
    struct list of_remote;
    clu_pid pid;             /* monitored; node borrows the remote's or the node's name */
    char *name;              /* monitored by name; owned */
    struct watcher *watcher; /* the monitored process is one of ours */
    struct heap_item due;
    clu_answer_fn *on_answer;
    void *arg;
    /* What else than a signal follows from them, NULL: nothing. reply: pid, or the error. Each
     * delivers, or frees the tie. */
    void (*on_down)(struct tie *tie, clu_reader reason);
    void (*on_spawn)(struct tie *tie, const struct control *c);
    void *more; /* of those functions; freed with the tie */
};

/* tie_new: NULL: no memory. tie_free: no signal of it any more; the monitor's other end is told
 * nothing. tie_end: that, and the monitor at the other end is taken away. */
struct tie *tie_new(struct clu_process *owner, uint32_t kinds);
void tie_free(struct tie *t);
void tie_end(struct tie *t);
/* tie_demonitor: tells the other end that its monitor is no more wanted. */
void tie_demonitor(struct tie *t);
clu_ref tie_ref(const struct tie *t);
/* tie_find: NULL when the reference is not ours, or of something gone. tie_of: of one that we made.
 * tie_by_alias: only when it takes messages. */
struct tie *tie_find(const struct clu_node *n, const clu_ref *ref);
struct tie *tie_of(const struct clu_node *n, const clu_ref *ref);
struct tie *tie_by_alias(const struct clu_node *n, const clu_ref *ref);
/* tie_watch: the monitor of a pid or a name; local ones find their process, remote ones send
 * MONITOR_P, to who knows it; else they end with the connection only. Nobody there: DOWN is
 * delivered (noproc, noconnection). CLU_EBADARG: an alias. */
clu_error tie_watch(struct tie *t, const clu_to *to);
/* tie_at: its other end is at that node: it goes when the connection does. */
void tie_at(struct tie *t, struct remote *r);
/* tie_down: the monitored process is gone: delivers and frees (a call: its outcome). */
void tie_down(struct tie *t, clu_reader reason);
/* tie_timer: wakes at at_ms; NEVER: not any more. */
clu_error tie_timer(struct tie *t, uint64_t at_ms);
void tie_due(struct tie *t);
/* spawn_left: the owner of the tie ends: whom it has asked for with a link is told that, once there
 * is a reply. spawn_forget: there will be none of this request. spawns_forget: the connection is
 * gone. */
void spawn_left(const struct tie *t, clu_slice reason);
void spawn_forget(const struct remote *r, const clu_ref *ref);
void spawns_forget(struct remote *r);
/* tie_answer: a call has its answer: delivers; the tie lives until that is handed on. */
void tie_answer(struct tie *t, clu_outcome outcome, clu_slice exception, clu_reader term);

/* ---- monitors of ours that others have set (watcher.c) ---- */

struct watcher {
    struct clu_process *proc;
    struct list of_proc;
    struct remote *remote; /* whose process watches; NULL: local, the tie below */
    struct list of_remote;
    struct index_item item; /* remote ones: in node.watchers */
    slot_id tie;
    clu_pid by;  /* node: the remote's name */
    clu_ref ref; /* node: likewise */
    char *name;  /* that it asked for; owned, NULL: it asked for the pid */
};

/* watch_remote: a MONITOR_P has come, and takes the place of one with its reference; watch_local:
 * the tie watches a process of this node. */
clu_error watch_remote(struct clu_process *p, struct remote *r, const struct control *c);
clu_error watch_local(struct clu_process *p, struct tie *t);
/* unwatch: a DEMONITOR_P has come, or the tie goes. */
void unwatch_remote(struct clu_node *n, struct remote *r, const clu_ref *ref);
void unwatch_local(struct tie *t);
/* watcher_find: the monitor that this process of another node has set; NULL. */
struct watcher *watcher_find(const struct clu_node *n, const struct remote *r, const clu_ref *ref);
/* watcher_fire: tells that the process has ended, and frees it. watcher_free: without a word. */
void watcher_fire(struct watcher *w, clu_slice reason);
void watcher_free(struct watcher *w);

/* ---- links of processes (bond.c) ---- */

struct bond {
    struct clu_process *proc;
    struct list of_proc;
    struct remote *remote; /* NULL: the other end is here */
    struct list of_remote;
    struct index_item item;
    clu_pid other;      /* node: the remote's name; empty: ours, then creation is 0 */
    uint64_t unlinking; /* our UNLINK_ID that is not acknowledged yet; 0: none */
    bool again;         /* linked anew behind it: the link stands once it is acknowledged */
};

/* bond_find: NULL. bond_add: nothing is changed of what is there already; remote NULL for our own.
 */
struct bond *bond_find(const struct clu_process *p, const clu_pid *other);
clu_error bond_add(struct clu_process *p, struct remote *r, const clu_pid *other);
/* bond_stands: whether the other end's death is this process's matter, now or once the other end
 * has read what we sent. */
static inline bool bond_stands(const struct bond *b)
{
    return b->unlinking == 0 || b->again;
}
void bond_free(struct bond *b);
/* bond_break: the process ended, or the connection: the other end gets the exit signal; frees it.
 */
void bond_break(struct bond *b, clu_slice reason);

/* is_same_ref: of one node. */
static inline bool is_same_ref(const clu_ref *a, const clu_ref *b)
{
    return a->n == b->n && a->n > 0 && memcmp(a->words, b->words, a->n * sizeof *a->words) == 0;
}

/* is_term: what the slice has is one term and nothing else. */
static inline bool is_term(clu_slice term)
{
    return clu_check(term.data, term.len, NULL, NULL) == CLU_OK;
}

/* send_begun: what stands in the writer is not the program's. */
static inline clu_writer *send_begun(struct clu_process *p, clu_writer *w)
{
    p->node->sending.prefix = w->len;
    return w;
}

/* send_or_lose: clu_send_end of a message whose loss does no harm: who asked asks again. */
static inline void send_or_lose(struct clu_process *p)
{
    clu_error err = clu_send_end(p);

    (void)err;
}

/* A reader over an encoded term without cache references. */
static inline clu_reader reader_of(clu_slice term)
{
    return (clu_reader){.pos = term.data, .end = term.len == 0 ? term.data : term.data + term.len};
}

/* answer_by_pid: the message is the answer of a call of p that came to its pid instead of its
 * alias: it was taken. */
bool answer_by_pid(struct clu_process *p, clu_reader message);

/* remote_monitors: whether it knows monitors, of pids and of registered names. */
static inline bool remote_monitors(const struct remote *r)
{
    uint64_t both = DFLAG_DIST_MONITOR | DFLAG_DIST_MONITOR_NAME;

    return (remote_flags(r) & both) == both;
}

#endif
