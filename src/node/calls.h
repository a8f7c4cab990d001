/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NODE_CALLS_H
#define NODE_CALLS_H

#include "node/services.h"

/* Calls of others: of functions that this node exports, and of its servers.
 *
 * A call of a function has a process of its own, which ends with the answer as its exit reason
 * (erpc), or with whatever a spawned function ends with, or in silence after it was sent (rex). A
 * call of a server is answered by a message. The call lives until it was answered and its process,
 * if it has one, is gone. */

/* ---- functions (export.c) ---- */

struct export
{
    clu_function *handler;
    void *arg;
    clu_slice module, function;
    unsigned arity;
    bool misspoke;   /* its reply had a bad format, which was told */
    uint8_t names[]; /* what the slices point to */
};

/* Module, function and arguments as somebody asks for them; borrows. */
struct mfa {
    clu_slice module, function;
    clu_reader args; /* at the list */
    size_t arity;
    uint8_t texts[2][CLU_ATOM_BYTES_MAX]; /* for names in Latin-1 */
};

/* mfa_names: reads two atoms; false when they are none. mfa_args: that the arguments at its reader
 * are a proper list, of how many. */
bool mfa_names(struct mfa *m, clu_reader *r);
bool mfa_args(struct mfa *m);
/* export_find: NULL: not exported. */
struct export *export_find(const struct clu_node *n, const struct mfa *m);
/* export_new: as clu_export, but says why not. */
clu_error export_new(struct clu_node *n, const char *module, const char *function, unsigned arity,
                     clu_function *handler, void *arg);
void exports_free(struct clu_node *n);
/* builtins_export: the functions that every node has (builtin.c). */
clu_error builtins_export(struct clu_node *n);

/* ---- shapes of answers (answer.c) ---- */

enum ending { ENDING_RETURN, ENDING_THROW, ENDING_EXIT, ENDING_ERROR, ENDINGS };

/* Who called, and so what an answer looks like. */
enum call_kind {
    CALL_SPAWN,  /* erlang:spawn and its kin: M:F(A...) itself */
    CALL_ERPC,   /* erpc:execute_call(Ref, M, F, A) */
    CALL_CAST,   /* erpc:execute_cast(M, F, A) */
    CALL_REX,    /* {'$gen_call', From, {call, M, F, A, Leader}} to rex */
    CALL_HIDDEN, /* {From, {call, M, F, A, Leader}} to rex: C nodes of old */
    CALL_SERVER, /* {'$gen_call', From, Request} to a server */
};

struct clu_call {
    struct clu_node *node;
    struct list all; /* in node.calls */
    enum call_kind kind;
    slot_id proc;            /* who answers; it may be gone */
    bool own;                /* that process is for this call alone */
    bool watched;            /* the caller monitored us when it called */
    bool started, running;   /* its handler: was called; is on the stack */
    bool answered;           /* there is an answer: w is whole */
    bool sent;               /* ... and it is on its way */
    bool became;             /* its process goes on by itself: no answer follows */
    enum ending ending;      /* of the answer in w */
    struct export *f;        /* of the function that runs, NULL: none */
    const struct mfa *asked; /* ... that is not exported; borrowed, NULL */
    size_t promised;         /* in remote.promised */
    clu_writer w;            /* the answer as it is sent */
    size_t prefix;           /* what stands there before the program puts its term */
    clu_pid from;            /* node: below */
    clu_ref alias;           /* where the answer goes; n 0: to the pid */
    /* Goes on with it: see release_ask. */
    void (*later)(struct clu_call *call);
    clu_slice tag;   /* erpc's Ref, gen_server's Tag: a term, opaque */
    uint8_t bytes[]; /* the tag, the names of nodes */
};

/* answer_begin: all that stands before the term that the user puts; answer_end: all behind it. */
void answer_begin(struct clu_call *call, enum ending ending);
void answer_end(struct clu_call *call);
/* put_error_atom: enomem of CLU_ENOMEM. */
void put_error_atom(clu_writer *w, clu_error err);

/* ---- life of a call (call_in.c) ---- */

/* call_new: tag (none: err set) goes along; NULL: no memory, or CLU_CALLS_MAX wait already: the
 * caller is to be told system_limit. */
struct clu_call *call_new(struct clu_node *n, enum call_kind kind, const clu_pid *from,
                          const clu_ref *alias, clu_reader tag);
void call_free(struct clu_call *call);
/* call_process: makes the process for it, NULL: none can be had. call_start: its function runs, at
 * once or as soon as it may: the request begins with module, function and arguments. */
struct clu_process *call_process(struct clu_call *call);
void call_start(struct clu_process *p, clu_reader request);
/* call_run: runs a handler for it and sees to what it returned; the call may be gone after. */
void call_run(struct clu_call *call, clu_function *handler, clu_reader *args, void *arg);
/* call_reply_end: clu_reply_end of an answer of our own: without memory for it the caller is told
 * that. call_raise: an answer of our own: error:atom. */
void call_reply_end(struct clu_call *call);
void call_raise(struct clu_call *call, const char *atom);
/* call_ended: its own process has ended. */
void call_ended(struct clu_call *call, clu_slice reason);
void calls_free(struct clu_node *n);

/* ---- answers on their way (call_send.c) ---- */

/* call_server: whom the caller of a message watches: NULL when it has ended. call_reaches: whether
 * a node is this one or linked. */
struct clu_process *call_server(const struct clu_call *call);
bool call_reaches(const struct clu_node *n, clu_slice node);
/* call_settle: the answer, which is whole, goes out; the call may be gone after. call_send: by
 * message, if that reaches anybody. */
void call_settle(struct clu_call *call);
void call_send(struct clu_call *call);
/* call_keep_promise: what its process's end was to bring has been queued. */
void call_keep_promise(struct clu_call *call);

/* gen_fail: the call of a server ends in its caller's exit: its monitor, which is in the tag,
 * fires. Without one there is nothing to say. */
void gen_fail(struct clu_process *p, const clu_pid *from, clu_reader tag, clu_slice reason);
/* gen_watched: whether who called with this tag still watches p. */
bool gen_watched(const struct clu_process *p, const clu_pid *from, clu_reader tag);

/* call_no_tag: for those without. */
extern const clu_reader call_no_tag;

/* Nodes of one multicall. */
#define MULTICALL_MAX 100000

/* ---- spawning (spawn.c) ---- */

/* spawn_put: begins a SPAWN_REQUEST: put the list of arguments into signal_writer, then signal_end,
 * or signal_cancel after an error. spawn_request: the same for a process of a call of ours: its
 * function runs. */
clu_error spawn_put(struct remote *r, const struct clu_process *p, const clu_ref *ref,
                    const struct mfa *m, bool link, bool monitor);
clu_writer *signal_writer(struct remote *r);
clu_error spawn_request(struct clu_process *p, const struct mfa *m);

/* ---- releases (release.c) ---- */

/* release_of: the release of OTP that a node runs, as 27; 0: it has to be asked. Of a node that
 * cannot be asked: the newest. release_ask: asks the caller's node; then call->later has the call,
 * and release_of knows. false: it cannot be asked. */
unsigned release_of(const struct clu_node *n, clu_slice node);
bool release_ask(struct clu_call *call);

/* ---- system messages (system.c) ---- */

/* system_take: the message was one of sys or supervisor, and is answered. */
bool system_take(struct clu_process *p, clu_reader message);

#endif
