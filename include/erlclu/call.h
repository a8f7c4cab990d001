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
    CLU_RAISED,     /* rpc: the function ended with an exception; class and term say which */
    CLU_NO_PROCESS, /* call: it ended, or was not there: term is the reason (noproc, noconnection)
                     */
    CLU_TIMED_OUT,
} clu_outcome;

typedef struct clu_answer {
    clu_outcome outcome;
    clu_ref ref;         /* of the call */
    clu_slice exception; /* CLU_RAISED: "error", "exit" or "throw" */
    clu_reader term;     /* borrowed until the function returns */
} clu_answer;

typedef void clu_answer_fn(clu_process *self, const clu_answer *answer, void *arg);

/* No timeout. */
#define CLU_INFINITY UINT64_MAX

/* clu_call_begin: gen_server:call(To, Request, Timeout): put the request into the writer, then
 * clu_call_end with who is told; on_answer is called exactly once, later, unless clu_call_forget
 * is called before, or self ends. What comes after that is dropped. Errors as clu_send_end; then
 * on_answer is not called. The reference of the call is stored in *ref unless that is NULL. */
CLU_API clu_writer *clu_call_begin(clu_process *self, const clu_to *to, uint64_t timeout_ms);
CLU_API CLU_MUST_USE clu_error clu_call_end(clu_process *self, clu_answer_fn *on_answer, void *arg,
                                            clu_ref *ref);
CLU_API void clu_call_forget(clu_process *self, const clu_ref *ref);
/* clu_cast_begin: gen_server:cast; put the request, then clu_send_end. */
CLU_API clu_writer *clu_cast_begin(clu_process *self, const clu_to *to);
/* clu_notify_begin: gen_event:notify; put the event, then clu_send_end. */
CLU_API clu_writer *clu_notify_begin(clu_process *self, const clu_to *to);
/* clu_rpc_begin: erpc:call(Node, Module, Function, Args, Timeout), by rex where the peer has no
 * erpc: put the list of arguments, then clu_call_end. */
CLU_API clu_writer *clu_rpc_begin(clu_process *self, const char *node, const char *module,
                                  const char *function, uint64_t timeout_ms);

/* ---- in ---- */

/* A call that waits for its answer. Good until it is answered. */
typedef struct clu_call clu_call;

/* clu_function: an exported function. args stands at the list of arguments, borrowed until it
 * returns. CLU_OK: it has answered; CLU_PENDING: it will, later; any other error raises
 * error:badarg (CLU_EBADARG, CLU_ETYPE, CLU_ERANGE) or error:{erlclu, Error} for the caller. */
typedef clu_error clu_function(clu_call *call, clu_reader *args, void *arg);

/* clu_export: module:function/arity of this node, for rpc, erpc and spawn from anywhere. Nothing
 * that was not exported ever runs. Errors (CLU_EEXIST, CLU_ENOMEM) stick to the node. */
CLU_API void clu_export(clu_node *node, const char *module, const char *function, unsigned arity,
                        clu_function *handler, void *arg);

/* clu_reply_begin: put the answer, then clu_reply_end: the call is gone. CLU_EBUSY, CLU_ESIZE and
 * CLU_ENOMEM leave the call as it was. Who does not wait any more gets nothing: CLU_OK all the
 * same. */
CLU_API clu_writer *clu_reply_begin(clu_call *call);
CLU_API CLU_MUST_USE clu_error clu_reply_end(clu_call *call);
/* clu_raise_begin: the same with an exception instead: exception is "error", "exit" or "throw";
 * then clu_reply_end. */
CLU_API clu_writer *clu_raise_begin(clu_call *call, const char *exception);
/* clu_call_node: of this node. clu_call_self: the process that answers. clu_call_from: who asks, a
 * pid, as far as it is known. clu_call_is_awaited: somebody still waits. */
CLU_API clu_node *clu_call_node(const clu_call *call);
CLU_API clu_process *clu_call_self(const clu_call *call);
CLU_API clu_pid clu_call_from(const clu_call *call);
CLU_API bool clu_call_is_awaited(const clu_call *call);

/* A process as gen_server has it. Each may be NULL: a call is then refused, a cast or another
 * signal dropped. System messages (sys:get_state, sys:get_status, ...) and which_children are
 * answered. */
typedef struct clu_server {
    clu_error (*call)(clu_call *call, clu_reader *request, void *arg); /* as clu_function */
    void (*cast)(clu_process *self, clu_reader *request, void *arg);
    void (*info)(clu_process *self, const clu_signal *signal, void *arg);
    /* Puts one term: what sys:get_state shows; NULL: the atom undefined. */
    void (*state)(clu_process *self, clu_writer *w, void *arg);
    void (*stopped)(clu_process *self, clu_slice reason, void *arg);
} clu_server;

/* clu_serve: spawns such a process under a name (NULL: none). server is borrowed for its life. NULL
 * as clu_spawn. */
CLU_API clu_process *clu_serve(clu_node *node, const char *name, const clu_server *server,
                               void *arg);

#ifdef __cplusplus
}
#endif

#endif
