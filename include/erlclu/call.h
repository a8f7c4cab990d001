/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls: gen_server:call and cast, rpc and erpc, out and in; functions and servers of this node
 * that others call (OTP: gen_server, rpc, erpc, "Concurrent programming").
 */
#ifndef ERLCLU_CALL_H
#define ERLCLU_CALL_H

#include <erlclu/process.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- out ---- */

/* What became of a call. */
typedef enum clu_outcome {
    CLU_ANSWERED,   /* term is the answer */
    CLU_RAISED,     /* rpc: the function ended with an exception; exception and term say which */
    CLU_NO_PROCESS, /* it ended, or was not there: term is the reason (noproc, noconnection); rpc:
                       what it ended by, or why none was made (notsup, system_limit) */
    CLU_TIMED_OUT,
} clu_outcome;

typedef struct clu_answer {
    clu_outcome outcome;
    clu_ref ref;         /* of the call */
    clu_slice exception; /* CLU_RAISED: "error", "exit" or "throw" */
    clu_reader term;     /* one term; borrowed until the function returns */
    clu_reader stack;    /* of an error that a function raised: the list; else at its end */
} clu_answer;

typedef void clu_answer_fn(clu_process *self, const clu_answer *answer, void *arg);

/* No timeout. */
#define CLU_INFINITY UINT64_MAX

/* clu_call_begin: gen_server:call(To, Request, Timeout): put the request into the writer, then
 * clu_call_end with who is told; on_answer is called exactly once, later, unless clu_call_forget
 * is called before, or self ends, as all do in clu_node_free: what arg points to is then to be
 * freed by self's stopped function. What comes after that is dropped. Errors as clu_send_end, and
 * CLU_EBADARG for a message that is no call, which is dropped, and for a call by an alias: a call
 * monitors whom it asks, and an alias cannot be monitored. Then on_answer is not called. The
 * reference of the call is stored in *ref unless that is NULL. */
CLU_API clu_writer *clu_call_begin(clu_process *self, const clu_to *to, uint64_t timeout_ms);
CLU_API CLU_MUST_USE clu_error clu_call_end(clu_process *self, clu_answer_fn *on_answer, void *arg,
                                            clu_ref *ref);
CLU_API void clu_call_forget(clu_process *self, const clu_ref *ref);
/* clu_cast_begin: gen_server:cast; put the request, then clu_send_end. */
CLU_API clu_writer *clu_cast_begin(clu_process *self, const clu_to *to);
/* clu_notify_begin: gen_event:notify; put the event, then clu_send_end. */
CLU_API clu_writer *clu_notify_begin(clu_process *self, const clu_to *to);
/* clu_sync_notify_begin: gen_event:sync_notify: put the event, then clu_call_end; the answer is ok.
 * clu_event_call_begin: gen_event:call(To, Handler, Query, Timeout) of the handler that this module
 * is: put the query, then clu_call_end. */
CLU_API clu_writer *clu_sync_notify_begin(clu_process *self, const clu_to *to, uint64_t timeout_ms);
CLU_API clu_writer *clu_event_call_begin(clu_process *self, const clu_to *to, const char *handler,
                                         uint64_t timeout_ms);
/* clu_rpc_begin: erpc:call(Node, Module, Function, Args, Timeout), by rex where the peer does not
 * spawn for others (there every exception is an error {badrpc, Reason}): put the list of arguments,
 * then clu_call_end. Also of this node itself. What the function prints goes to the group leader of
 * self, and nowhere when it has none. */
CLU_API clu_writer *clu_rpc_begin(clu_process *self, const char *node, const char *module,
                                  const char *function, uint64_t timeout_ms);
/* clu_rex_begin: the same for who is in a hurry, by the process rex of that node, as ei_rpc asks: a
 * BEAM answers in two thirds of the time, with one message and not two. It is rpc:call then: what
 * the function throws is its answer, any other exception is an error {badrpc, {'EXIT', Reason}};
 * what it prints is shown there. That the connection ends is noticed, that rex itself does is not:
 * give a timeout. */
CLU_API clu_writer *clu_rex_begin(clu_process *self, const char *node, const char *module,
                                  const char *function, uint64_t timeout_ms);
/* clu_rpc_cast_begin: erpc:cast: put the list of arguments, then clu_call_end with on_answer and
 * ref NULL. Nobody hears what came of it. */
CLU_API clu_writer *clu_rpc_cast_begin(clu_process *self, const char *node, const char *module,
                                       const char *function);

/* clu_multi_fn: the answer of nodes[index]; so many are left. */
typedef void clu_multi_fn(clu_process *self, size_t index, const clu_answer *answer, size_t left,
                          void *arg);
/* clu_multicall_begin: erpc:multicall: the same call to n nodes, within one timeout: put the list
 * of arguments, then clu_multicall_end. fn is called once for each node, as the answers come, later
 * than clu_multicall_end; not at all for n = 0, after an error, or when self ends. A node whose
 * link is busy answers CLU_NO_PROCESS, busy; what cannot be a node's name, badarg. Names are
 * copied. */
CLU_API clu_writer *clu_multicall_begin(clu_process *self, const char *const *nodes, size_t n,
                                        const char *module, const char *function,
                                        uint64_t timeout_ms);
CLU_API CLU_MUST_USE clu_error clu_multicall_end(clu_process *self, clu_multi_fn *fn, void *arg);

/* ---- in ---- */

/* A call that waits for its answer. Good until it is answered, or the process that it was made for
 * by clu_become has ended; at the end of the node until the last stopped function has returned:
 * clu_node_free frees what nobody has answered. */
typedef struct clu_call clu_call;

/* Calls of others that one node holds at a time, of functions and of servers, until they are
 * answered. One more is refused before any handler sees it: its caller exits, or is told
 * error:{erpc, system_limit} or {badrpc, {'EXIT', system_limit}}. */
#define CLU_CALLS_MAX 1000000

/* clu_function: an exported function. args stands at the list of arguments, borrowed until it
 * returns: a LIST of as many as were exported (never a STRING), NIL for none. CLU_OK: it has
 * answered; CLU_PENDING: it will, later; any other error raises error:badarg (CLU_EBADARG, and what
 * readers say of terms that do not fit: CLU_ETYPE, CLU_ERANGE, CLU_ETRUNC, CLU_ETERM, CLU_EATOM) or
 * error:{erlclu, Error} for the caller, Error being an atom as enomem. */
typedef clu_error clu_function(clu_call *call, clu_reader *args, void *arg);

/* clu_export: module:function/arity of this node, for rpc, erpc and spawn from anywhere; arity is
 * at most 255. Nothing that was not exported ever runs: who asks for something else is told undef.
 * Exported from the start: erlang:node/0, nodes/0, nodes/1, is_alive/0, system_info/1,
 * net_adm:ping/1, net_kernel:nodes_info/0, erlclu:status/0. Errors (CLU_EEXIST, CLU_EBADARG,
 * CLU_ENOMEM) stick to the node. */
CLU_API void clu_export(clu_node *node, const char *module, const char *function, unsigned arity,
                        clu_function *handler, void *arg);

/* clu_reply_begin: put the answer, one term, then clu_reply_end: the call is gone, and with it the
 * process that was spawned to answer it. While the link is busy the answer waits: there is no
 * CLU_EBUSY; what the server says to that node later comes behind it, be it its end. (Its messages
 * are refused as busy until then. A link for which 256 MiB wait so is closed.) An error is the
 * writer's, or CLU_EBADARG when nothing was put, and leaves the call as it was. Who does not wait
 * any more gets nothing: CLU_OK all the same. So it is with who asks by way of a node that is not
 * linked: an answer dials nobody. A handler that said CLU_PENDING must come to a clu_reply_end in
 * the end, whether somebody waits or not. */
CLU_API clu_writer *clu_reply_begin(clu_call *call);
CLU_API CLU_MUST_USE clu_error clu_reply_end(clu_call *call);
/* clu_raise_begin: the same with an exception instead: put its reason, then clu_reply_end.
 * exception is "error", "exit" or "throw"; any other is CLU_EBADARG. The caller sees it as that of
 * a function that runs there: erpc documents how. A caller of a server's exits with it. */
CLU_API clu_writer *clu_raise_begin(clu_call *call, const char *exception);
/* clu_become: what the process that was spawned for this call does with its signals while the
 * handler's answer is pending (else they are dropped), as clu_spawn_options has them: so
 * erlang:spawn/4 makes a process that lives until clu_exit; the call is gone with it, and good
 * until stopped has returned. The handler says CLU_OK or CLU_PENDING then: any other error ends the
 * process as it ends every call. No effect on a server's call. */
CLU_API void clu_become(clu_call *call, clu_receive_fn *receive, clu_stopped_fn *stopped,
                        void *arg);
/* clu_call_node: of this node. clu_call_self: the process that answers: one of its own for each
 * call of a function, or the server; NULL when it has ended. clu_call_from: who asks.
 * clu_call_is_awaited: somebody still waits, as far as can be known: false when the caller has
 * ended, has given up (a timeout) or its node is gone, and for casts and plain spawns. */
CLU_API clu_node *clu_call_node(const clu_call *call);
CLU_API clu_process *clu_call_self(const clu_call *call);
CLU_API clu_pid clu_call_from(const clu_call *call);
CLU_API bool clu_call_is_awaited(const clu_call *call);

/* A process as gen_server has it. Each may be NULL: a call is then refused, a cast or another
 * signal dropped. System messages (sys:get_state, sys:get_status, sys:terminate, ...) and
 * supervisor's questions (which_children: none) are answered by themselves, as they are by every
 * process of the node; sys:suspend, sys:resume and sys:replace_state with an error. */
typedef struct clu_server {
    clu_error (*call)(clu_call *call, clu_reader *request, void *arg); /* as clu_function */
    void (*cast)(clu_process *self, clu_reader *request, void *arg);   /* gen_server:cast */
    /* Every other signal: other messages, timers, monitors, trapped exits. */
    void (*info)(clu_process *self, const clu_signal *signal, void *arg);
    /* Puts one term: what sys:get_state shows; NULL, or no term: the atom undefined. */
    void (*state)(clu_process *self, clu_writer *w, void *arg);
    void (*stopped)(clu_process *self, clu_slice reason, void *arg); /* as clu_stopped_fn */
} clu_server;

/* clu_serve: spawns such a process under a name (NULL: none). server is borrowed for its life. NULL
 * as clu_spawn. */
CLU_API clu_process *clu_serve(clu_node *node, const char *name, const clu_server *server,
                               void *arg);

#ifdef __cplusplus
}
#endif

#endif
