/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NODE_GLOBAL_IMPL_H
#define NODE_GLOBAL_IMPL_H

#include <erlclu/global.h>

#include "base/rng.h"
#include "node/global.h"
#include "node/proc.h"
#include "node/services.h"

/* Erlang's global, protocol version 8 (OTP 25 and later). Three processes, as there:
 *
 *   server    global_name_server: names, locks, a session with each node; answers everybody
 *   locker    takes the lock `global` at both partitions when two meet, so that they can exchange
 *             their names; one node at a time
 *   registrar takes the same lock to register and unregister names; one name at a time
 *
 * They share this state; between them go function calls where OTP sends messages. What the locker
 * would receive while it waits for something else stands in its queue: global_run works it off at
 * the end of each event, so that the server never finds itself changed under its feet. */

#define GLOBAL_VERSION 8
/* Older ones lack the means to agree which session a message belongs to. OTP 25 disconnects from
 * them; here they are left alone, as nodes without global. */
#define GLOBAL_VERSION_MIN 8

/* ---- small things (global_util.c) ---- */

/* A list of node names. Owned copies. */
struct nodelist {
    char **names;
    size_t n;
};

clu_error nodelist_add(struct nodelist *l, clu_slice name); /* also when it is there */
clu_error nodelist_copy(struct nodelist *to, const struct nodelist *from);
bool nodelist_has(const struct nodelist *l, clu_slice name);
void nodelist_remove(struct nodelist *l, clu_slice name); /* the first one */
void nodelist_free(struct nodelist *l);
/* nodelist_boss: the greatest name in Erlang's order of atoms; "" of an empty list. */
const char *nodelist_boss(const struct nodelist *l);
/* name_compare: Erlang's order of node names. */
int name_compare(clu_slice a, clu_slice b);
/* pid_compare: Erlang's order of pids: serial, id, node, creation (as measured on 25, 27, 29). */
int pid_compare(const clu_pid *a, const clu_pid *b);
bool pid_equal(const clu_pid *a, const clu_pid *b);

/* A run of encoded terms: the elements of a list. */
struct terms {
    clu_writer w;
    size_t n;
};

void terms_init(struct terms *t);
void terms_free(struct terms *t);
/* terms_put: as a proper list. terms_take: reads a proper list of anything; the reader's error. */
void terms_put(clu_writer *w, const struct terms *t);
void terms_take(struct terms *t, clu_reader *r);
clu_reader terms_read(const struct terms *t);

/* copy_term: a copy without cache references, as the writer's only content. */
void copy_term(clu_writer *w, clu_reader *r);
static inline clu_slice written(const clu_writer *w)
{
    return (clu_slice){w->data, w->len};
}

/* An empty writer has no memory at all. */
static inline clu_reader read_written(const clu_writer *w)
{
    static const uint8_t nothing[1];

    return w->len == 0 ? (clu_reader){.pos = nothing, .end = nothing} : reader_of(written(w));
}

/* A pid with its own memory for the node. */
struct own_pid {
    clu_pid pid;
    char *node;
};

clu_error own_pid_set(struct own_pid *p, const clu_pid *pid);
void own_pid_free(struct own_pid *p);

/* ---- names and locks of this node (global_names.c, global_locks.c) ---- */

struct gname {
    struct global *g;
    clu_slice name; /* encoded; owned */
    struct own_pid pid;
    clu_slice method; /* the resolve function, encoded; owned */
    char *ext;        /* the node that registered it for a C node of before; NULL */
    slot_id tie;      /* the monitor of its process */
};

struct gholder {
    struct list list;
    struct glock *lock;
    struct own_pid pid;
    slot_id tie;
};

struct glock {
    struct global *g;
    clu_slice resource, requester; /* encoded; owned */
    struct list holders;
};

/* What follows a name into the tables: the lock under which it came. */
struct under_lock {
    const clu_pid *pid; /* a registrar, which holds it, or NULL: */
    clu_slice lock_id;  /* that of a locker: {global, Requester}, encoded */
};

struct gname *name_find(const struct global *g, clu_slice name);
/* name_where: NULL also when it is that of a process of ours that has ended. */
const clu_pid *name_where(const struct global *g, clu_slice name);
/* name_put: replaces what is there. Nothing stays when the lock is not held any more. */
void name_put(struct global *g, clu_slice name, const clu_pid *pid, clu_slice method, clu_slice ext,
              const struct under_lock *lock);
void name_delete(struct global *g, clu_slice name);
/* names_do: operations {insert, {Name, Pid, Method}} and {delete, Name}, inserts first; ext is a
 * list [{Name, Pid, RegNode}], encoded. */
void names_do(struct global *g, const struct terms *ops, clu_slice ext,
              const struct under_lock *lock);
/* names_put_list, names_put_ext: [{Name, Pid, Method}], [{Name, Pid, RegNode}]. */
void names_put_list(const struct global *g, clu_writer *w);
void names_put_ext(const struct global *g, clu_writer *w);
/* names_watch: those of processes of a node whose monitors could not be set so far. */
void names_watch(struct global *g, clu_slice node);
/* names_of_pid: whether it has one. */
bool names_of_pid(const struct global *g, const clu_pid *pid);
/* node_resources_delete: the names and locks of processes of that node. */
void node_resources_delete(struct global *g, clu_slice node);
/* names_keep_own: deletes those of other nodes' processes. */
void names_keep_own(struct global *g);
void names_free(struct global *g);

/* lock_id_read: {Resource, Requester}: two encoded terms, borrowed; false: it is something else. */
bool lock_id_read(clu_slice id, clu_slice *resource, clu_slice *requester);
bool lock_can_set(const struct global *g, clu_slice id);
bool lock_set(struct global *g, clu_slice id, const clu_pid *pid);
void lock_del(struct global *g, clu_slice id, const clu_pid *pid);
void locks_of_node_delete(struct global *g, clu_slice node);
/* global_lock: the lock that names are registered under; NULL: free. */
struct glock *global_lock(const struct global *g);
bool lock_is_held_under(const struct global *g, const struct under_lock *lock);
void locks_free(struct global *g);

struct farewell;

/* ---- sessions with other nodes (global_session.c, global_exchange.c) ---- */

/* The lock is set at both sides, and the other's names have come: whichever is first waits. */
enum wait_lock { WAIT_NOTHING, WAIT_NAMES, WAIT_LOCK };
/* Our operations are made, and the other's have come: likewise. */
enum save_ops { SAVE_NOTHING, SAVE_OURS, SAVE_THEIRS };

struct gpeer {
    char name[NODE_NAME_SIZE];
    bool linked;
    uint32_t creation; /* when it was linked last */
    bool is_odd;       /* told */
    bool ours;         /* another erlclu */
    /* What OTP keeps in the map `known`: Node => version, {pending, Node} => version, {removing,
     * Node}. */
    bool known, pending, removing, synced;
    int64_t known_version, pending_version;
    /* sync_others: dialled for the sake of others; how often yet, until it counts as lost. */
    bool wanted;
    uint8_t attempts;
    struct gtimer *retry;
    struct terms farewells; /* said while it is dialled: again when that fails */
    struct gtimer *telling; /* the others are about to be told that its link is lost */
    /* Whether it sees us as we see it (global_doubt.c): when it is asked next, the question, how
     * often in a row it was wrong; apart: it has no global. */
    struct gtimer *doubt;
    clu_ref asked; /* n is 0: none */
    unsigned doubts;
    bool apart;
    /* The session. */
    int64_t my_tag;     /* 0: none */
    clu_writer his_tag; /* encoded, opaque; empty: none */
    int64_t version;    /* agreed on */
    int64_t resolver;   /* the tag of the resolver; 0: there is none */
    struct resolving *resolving;
    enum wait_lock wait;
    struct terms his_names; /* WAIT_LOCK */
    clu_writer lock_id;     /* {global, Lockers}, encoded */
    enum save_ops save;
    struct terms my_ops;           /* SAVE_OURS */
    struct terms his_ops;          /* SAVE_THEIRS, with: */
    clu_writer his_known, his_ext; /* encoded lists */
    /* An init_connect that came before its time. */
    bool early;
    int64_t early_version;
    struct own_pid early_locker;
    clu_writer early_tag;
};

struct gpeer *peer_find(const struct global *g, clu_slice name);
/* peer_get: makes it. NULL: no memory (told). peer_release: forgets one that says nothing. */
struct gpeer *peer_get(struct global *g, clu_slice name);
void peer_release(struct global *g, struct gpeer *p);
void peers_free(struct global *g);
bool peer_maybe_known(const struct gpeer *p);
/* peers_known: the names of those that are known. */
void peers_known(struct global *g, struct nodelist *out);
/* peers_put_known: [{Node, Version}]. */
void peers_put_known(const struct global *g, clu_writer *w);
/* peers_add: [{Node, Version} | Node]: known from now on; added are those that were not. */
void peers_add(struct global *g, clu_reader list, struct nodelist *added);

enum how_lost { LOST_TOLD, LOST_REMOVED };

void session_up(struct global *g, struct gpeer *p);
void session_down(struct global *g, struct gpeer *p, enum how_lost how);
void session_restart(struct global *g, struct gpeer *p);
void session_reset(struct gpeer *p);
/* session_put_tag: his tag, or undefined. */
void session_put_tag(clu_writer *w, const struct gpeer *p);
/* session_cancel: ends the locker's and the resolver's part; new_nodes may be NULL, or what the
 * locker sends before it gives the lock back: the locker's from now on. */
void session_cancel(struct global *g, struct gpeer *p, int64_t tag, struct farewell *bye);
/* session_lock_is_set: the locker has the lock at both sides. */
void session_lock_is_set(struct global *g, const char *node, int64_t tag, clu_slice lock_id);
/* session_resolved: what the resolver has found out: what we have to do, what he has to do. */
void session_resolved(struct global *g, struct gpeer *p, int64_t tag, struct terms *ops,
                      struct terms *his_ops);
/* sync_others: links to these nodes are wanted. */
void sync_others(struct global *g, const struct nodelist *nodes);
void sync_other_up(struct global *g, struct gpeer *p);
void sync_other_failed(struct global *g, struct gpeer *p);

/* Messages: each reads the elements behind the tag, and returns false when they make no sense. */
typedef bool global_handler(struct global *g, clu_reader *r, size_t arity);
global_handler on_init_connect, on_init_connect_ack, on_cancel_connect, on_exchange, on_resolved,
    on_new_nodes, on_in_sync, on_lock_set, on_lost_connection, on_remove_connection;

/* ---- resolving names (global_resolve.c) ---- */

/* resolve_start: compares the peer's names with ours; session_resolved follows, within this call or
 * later. */
void resolve_start(struct global *g, struct gpeer *p);
void resolve_stop(struct gpeer *p);
/* resolve_signal: of a process that another node runs for it: taken or not. */
bool resolve_signal(struct global *g, const clu_signal *s);
/* resolve_here: runs Method(Name, Pid1, Pid2) for a process of this node, and puts what it returns;
 * false: we have no such function. */
bool resolve_here(struct global *g, clu_slice method, clu_slice name, const clu_pid *a,
                  const clu_pid *b, clu_writer *out);
clu_slice resolve_method(clu_resolve resolve, clu_writer *w);

/* ---- farewells (global_farewell.c) ---- */

/* What the locker sends to all before it gives the lock back: new_nodes. */
struct farewell {
    struct nodelist to;
    clu_writer message; /* encoded */
};

void farewell_free(struct farewell *bye);
/* farewell_say: of NULL nothing. farewell_say_again: those that were said to a node that could not
 * be reached go with the next dial. */
void farewell_say(struct global *g, const struct farewell *bye);
void farewell_say_again(struct global *g, const struct gpeer *p);

/* ---- the locker (global_locker.c) ---- */

enum locker_word { LOCKER_HIM, LOCKER_CANCEL, LOCKER_LOCK_SET, LOCKER_KNOWN, LOCKER_FORGOTTEN };

/* A message for the locker. */
struct locker_message {
    struct list list;
    enum locker_word word;
    char node[NODE_NAME_SIZE];
    int64_t tag, version; /* tag: ours */
    struct own_pid pid;   /* his locker */
    clu_writer his_tag;
    bool set;
    struct farewell *bye;
};

enum locker_mode {
    LOCKER_IDLE,
    LOCKER_LOCKING,     /* takes the lock, in three steps */
    LOCKER_WAIT_SET,    /* has it, and waits until he has it too */
    LOCKER_WAIT_CANCEL, /* both have it: names are exchanged */
    LOCKER_UNLOCKING,
};

/* A node to be met. */
struct him {
    struct list list;
    char node[NODE_NAME_SIZE];
    bool local; /* of this host: these first */
    int64_t tag, version;
    struct own_pid locker;
    clu_writer his_tag;
};

struct locker {
    enum locker_mode mode;
    struct list queue, hims;
    struct nodelist known;
    bool just_synced;
    struct gtimer *timer;
    /* The present attempt. */
    struct him him; /* a copy of the row */
    bool asked;     /* he has the lock already, and asked us */
    clu_writer id;  /* {global, Lockers} */
    struct nodelist boss, second, held;
    unsigned step;
};

/* him_add: as a message says. him_choose: any of those that are still to be met, NULL: none.
 * him_copy: the row may go while the attempt is under way; false: no memory. */
void him_add(struct global *g, struct locker_message *m);
struct him *him_find(struct locker *l, const char *node);
struct him *him_choose(struct global *g);
bool him_copy(struct him *to, const struct him *from);
void him_remove(struct locker *l, const char *node, int64_t tag);
void him_fini(struct him *h);
void him_free(struct him *h);

/* locker_say: queues a message, which is zeroed but for what it says; NULL: no memory (told). */
struct locker_message *locker_say(struct global *g, enum locker_word word, const char *node);
void locker_run(struct global *g);
void locker_free(struct global *g);

/* ---- requests to several global_name_servers (global_call.c) ---- */

typedef void many_done(struct global *g, bool ok, void *arg);

/* many_set_lock: at all nodes or none: ok. many_del_lock; many_ask: any other request, an encoded
 * term. done is called once, perhaps before these return; not when p has ended. */
void many_set_lock(struct global *g, struct clu_process *p, clu_slice id,
                   const struct nodelist *nodes, many_done *done, void *arg);
void many_del_lock(struct global *g, struct clu_process *p, clu_slice id,
                   const struct nodelist *nodes, many_done *done, void *arg);
void many_ask(struct global *g, struct clu_process *p, clu_slice request,
              const struct nodelist *nodes, many_done *done, void *arg);
/* many_drop: those of a process, or (0) all, are forgotten. */
void many_drop(struct global *g, slot_id process);

/* unlock_all: as global:delete_global_lock: the boss last. */
void unlock_all(struct global *g, struct clu_process *p, clu_slice id, const struct nodelist *nodes,
                many_done *done, void *arg);
void unlocks_drop(struct global *g, slot_id process);

/* ---- timers of the registrar ---- */

struct gtimer {
    struct list list;
    clu_ref ref;
    void (*fn)(struct global *g, void *arg);
    void *arg;
};

/* timer_start: NULL: no memory (told). timer_stop: takes NULL. timer_random: the sleep between the
 * attempts to take a lock, in ms. */
struct gtimer *timer_start(struct global *g, uint64_t ms, void (*fn)(struct global *, void *),
                           void *arg);
void timer_stop(struct global *g, struct gtimer *t);
bool timer_signal(struct global *g, const clu_signal *s);
uint64_t timer_random(struct global *g, unsigned times);

/* ---- the registrar, and what the program asks (global_registrar.c, global_api.c) ---- */

enum job_kind { JOB_REGISTER, JOB_RE_REGISTER, JOB_UNREGISTER };

struct job {
    struct list list;
    enum job_kind kind;
    clu_writer name, method;
    struct own_pid pid;
    slot_id tie; /* who waits for the answer */
    bool yes;
};

struct registrar {
    struct list jobs; /* the first one is under way */
    bool busy;
    unsigned times;
    clu_writer id;
    struct nodelist known, nodes, boss;
    struct nodelist gone; /* of nodes: their links have ended since, whatever they had granted */
    struct gtimer *timer;
};

void registrar_add(struct global *g, struct job *job);
/* registrar_forget: the link with a node has ended: whatever it had granted is void, even if there
 * is another by the time that the name is given. */
void registrar_forget(struct global *g, clu_slice node);
void registrar_run(struct global *g);
void registrar_free(struct global *g);
void job_free(struct job *job);

/* wish_new: self waits for an answer; 0: no memory, or self has ended. */
slot_id wish_new(struct clu_process *self, clu_answer_fn *on_answer, void *arg);
/* answer_tie: who waits for it is answered with an atom. */
void answer_tie(struct global *g, slot_id tie, const char *word);

/* Who waits until all of these nodes have the same names as we. */
struct syncer {
    struct list list;
    struct nodelist nodes;
    slot_id tie; /* the program's, or 0: of another node: */
    struct own_pid from;
    clu_writer tag;
};

/* global_call: {'$gen_call', From, Request}: answered; false: it is none. */
bool global_call(struct global *g, clu_reader message);
void syncers_hear(struct global *g, clu_slice node); /* in sync, or gone */
void syncers_free(struct global *g);
void wishes_free(struct global *g);

/* ---- lost connections (global_lost.c) ---- */

/* lost_tell: the others are told in a while that this node's link is lost. lost_forget: they need
 * not be. lost_is_back: there is a link again, to the same incarnation or another. */
void lost_tell(struct global *g, struct gpeer *p);
void lost_forget(struct global *g, struct gpeer *p);
void lost_is_back(struct global *g, struct gpeer *p, bool same);
void lost_free(struct global *g);

/* ---- doubts (global_doubt.c) ---- */

/* doubt_begin: something has changed: it will be asked, if it is linked, whether it knows us.
 * doubt_end: it will not. */
void doubt_begin(struct global *g, struct gpeer *p);
void doubt_end(struct global *g, struct gpeer *p);

/* ---- all of it ---- */

struct global {
    struct clu_node *node;
    struct clu_process *server, *lockers, *registrars;
    struct rng rng;
    bool leaving; /* nothing is told any more */
    bool broken;  /* memory was out: all links go, then all begins anew */
    bool dead;    /* one of its processes was killed: nothing works any more */
    bool wants_out;
    bool running;                         /* global_run is on the stack */
    bool lock_down;                       /* the lock `global` went with who held it */
    int64_t last_tag, last_op, extension; /* of lost_connection */
    struct map peers, names, locks, lost;
    struct list lost_order;
    size_t n_lost;
    struct list syncers, many, unlocks, timers, wishes, news;
    struct nodelist cuts;
    size_t n_news;
    char cut[NODE_NAME_SIZE];
    clu_writer message; /* the one that the server reads, without cache references */
    bool muted;         /* tell_begin found no link */
    struct locker locker;
    struct registrar registrar;
    clu_writer nowhere;
};

/* global_exports: functions of the module global for calls from elsewhere. */
clu_error global_exports(struct global *g);
/* global_run: the end of each event. */
void global_run(struct global *g);
/* global_broken: memory was out. */
void global_broken(struct global *g);
static inline bool global_ok(struct global *g, clu_error err)
{
    if (err == CLU_ENOMEM)
        global_broken(g);
    return err == CLU_OK;
}

/* tell_begin: a message to the global_name_server of a node, if it is linked; put one term, then
 * tell_end. cast_begin: the same as {'$gen_cast', Term}. */
clu_writer *tell_begin(struct global *g, struct clu_process *p, clu_slice node);
clu_writer *cast_begin(struct global *g, struct clu_process *p, clu_slice node);
void tell_end(struct global *g, struct clu_process *p);

void global_cut(struct global *g, const char *node);
void global_tell(struct global *g, enum global_news_kind kind, const char *node, const char *other,
                 const char *what);
/* own_name: of this node. */
static inline clu_slice own_name(const struct global *g)
{
    return slice_of(g->node->name);
}

#endif
