/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes of a node: mailboxes, names, links, monitors, aliases, timers, signals to and from
 * processes of any node (Erlang reference manual, "Processes"; erl_dist_protocol).
 *
 * A process is a number that others know it by (a pid) and a function that is handed one signal at
 * a time. All functions belong to the thread that drives the node; none of them blocks. They may be
 * called from within a receive function, for any process. What a function queues is written at the
 * end of the step.
 *
 * A process argument is what clu_spawn gave, never NULL, and good until the process has ended.
 * Texts and encoded terms (without a version byte) are copied, or borrowed for the call.
 */
#ifndef ERLCLU_PROCESS_H
#define ERLCLU_PROCESS_H

#include <erlclu/etf.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct clu_node clu_node;
typedef struct clu_process clu_process;

/* ---- where a signal goes ---- */

/* A pid, an alias, or a registered name at a node (node empty: this one): what is set first in this
 * order. Slices are borrowed for the call. */
typedef struct clu_to {
    clu_pid pid;
    clu_ref alias;
    clu_slice name, node;
} clu_to;

/* clu_to_pid, clu_to_alias, clu_to_name: one of these; what they are given is borrowed as long as
 * the clu_to is used. node NULL is this node. */
CLU_API clu_to clu_to_pid(clu_pid pid);
CLU_API clu_to clu_to_alias(clu_ref alias);
CLU_API clu_to clu_to_name(const char *name, const char *node);

/* ---- signals ---- */

typedef enum clu_signal_kind {
    CLU_SIGNAL_MESSAGE, /* term; from where the link tells it, else from.node is empty */
    CLU_SIGNAL_EXIT,    /* trapped: from is the linked pid, or who called exit/2; term the reason */
    CLU_SIGNAL_DOWN,    /* the monitor ref fired: of from, or of name at node; term the reason */
    CLU_SIGNAL_TIMEOUT, /* the timer ref */
    CLU_SIGNAL_SPAWNED, /* clu_spawn_remote ref: from is the new process; or from.node is empty and
                           term the error, an atom */
    CLU_SIGNAL_NODE_UP, /* clu_monitor_nodes: node */
    CLU_SIGNAL_NODE_DOWN,   /* node; term the reason, an atom */
    CLU_SIGNAL_WRITABLE,    /* after CLU_EBUSY: try again: node has read, or its link has ended */
    CLU_SIGNAL_STREAM_LOST, /* clu_on_stream: the connection to node ended within a message */
} clu_signal_kind;

/* All slices, and term, are borrowed until the receive function returns (clu_take: until the next
 * one). */
typedef struct clu_signal {
    clu_signal_kind kind;
    clu_pid from;
    clu_ref ref;
    clu_slice name, node;
    clu_reader term;
} clu_signal;

/* ---- life ---- */

/* Called with one signal after the other, never from within another function of this library. */
typedef void clu_receive_fn(clu_process *self, const clu_signal *signal, void *arg);
/* Called once, when the process has ended: its pid is nobody's any more. reason is a term. */
typedef void clu_stopped_fn(clu_process *self, clu_slice reason, void *arg);

typedef struct clu_spawn_options {
    /* What handles its signals. NULL: they wait in the mailbox for clu_take. */
    clu_receive_fn *receive;
    clu_stopped_fn *stopped; /* NULL: nobody wants to know */
    void *arg;
    const char *name;   /* registered as; NULL: none */
    bool trap_exit;     /* exit signals become CLU_SIGNAL_EXIT (process_flag(trap_exit, true)) */
    size_t mailbox_max; /* bytes that may wait; 0: CLU_MAILBOX_MAX */
} clu_spawn_options;

/* A mailbox that would hold more than this ends its process with the reason message_queue_full: so
 * its links and monitors fire, and no memory grows without end. */
#define CLU_MAILBOX_MAX (256u << 20)
/* Processes of one node at a time, those that answer calls among them. */
#define CLU_PROCESSES_MAX 1000000

/* clu_spawn: a process. NULL when memory is out (CLU_ENOMEM), there are CLU_PROCESSES_MAX already
 * (CLU_ESIZE), the name is taken (CLU_EEXIST) or none (CLU_EBADARG), or the node is being freed
 * (CLU_ECLOSED): the error sticks to the node (clu_node_error). options are read in the call only.
 * It lives until clu_exit, an exit signal that it does not trap, or the end of the node. */
CLU_API clu_process *clu_spawn(clu_node *node, const clu_spawn_options *options);
/* clu_exit: ends it with an atom as reason ("normal", ...); clu_exit_term with any encoded
 * term. What is no atom, or no term, is the reason badarg. Links and monitors are told. From within
 * its own receive function it ends when that returns. The pointer is good until then. */
CLU_API void clu_exit(clu_process *self, const char *reason);
CLU_API void clu_exit_term(clu_process *self, clu_slice reason);
/* clu_self: its pid; node borrows the node's name. clu_process_node, clu_process_arg: whose it is,
 * and the arg that it was spawned with. */
CLU_API clu_pid clu_self(const clu_process *self);
CLU_API clu_node *clu_process_node(const clu_process *self);
CLU_API void *clu_process_arg(const clu_process *self);
/* clu_trap_exit: process_flag(trap_exit, trap): from now on, as clu_spawn_options has it. */
CLU_API void clu_trap_exit(clu_process *self, bool trap);
/* clu_group_leader: where its output would go: the one that it was spawned or called with; node is
 * empty when there is none. Borrowed while nothing else happens to self. clu_set_group_leader:
 * erlang:group_leader(leader, pid), for a process of any node; one that is gone is no error.
 * CLU_ENOMEM. */
CLU_API clu_pid clu_group_leader(const clu_process *self);
CLU_API CLU_MUST_USE clu_error clu_set_group_leader(clu_process *self, const clu_pid *pid,
                                                    const clu_pid *leader);

/* clu_take: the next signal of a process without a receive function; false when none waits. The
 * signal is good until the next clu_take of this process. */
CLU_API bool clu_take(clu_process *self, clu_signal *signal);

/* clu_register: register(name, self()), name in UTF-8. CLU_EEXIST: the name is taken, or self has
 * one; CLU_EBADARG: no name, or self has ended; CLU_ENOMEM. clu_unregister: CLU_ENOENT when nobody
 * has the name. clu_whereis: the process of this node with that name, clu_find: with that pid; NULL
 * when there is none. */
CLU_API CLU_MUST_USE clu_error clu_register(clu_process *self, const char *name);
CLU_API clu_error clu_unregister(clu_node *node, const char *name);
CLU_API clu_process *clu_whereis(clu_node *node, const char *name);
CLU_API clu_process *clu_find(clu_node *node, const clu_pid *pid);

/* ---- messages ---- */

/* clu_send_begin: a writer for one message; put one term, then clu_send_end. Never NULL: what went
 * wrong is told by clu_send_end. Nothing else may be sent in between; what a function that the node
 * calls leaves begun is dropped when it returns, and what is begun outside of one by clu_step and
 * clu_run. A node that is not linked is dialled; what is sent meanwhile is kept, and when more than
 * CLU_HELD_MAX bytes are, the next message has to wait, be it small.
 * clu_send_end: CLU_EBUSY when the peer reads too slowly: nothing was sent, and one
 * CLU_SIGNAL_WRITABLE follows. That may be so of a large message (above 68 KiB) alone: while 1 MiB
 * of those wait, be it a single one, small ones pass, but for those of its own sender, which come
 * behind it, as they do behind an answer (call.h): what one process sends to a node arrives in its
 * order. What is sent may be longer than CLU_MESSAGE_MAX: a BEAM has no such limit. CLU_ESIZE: not
 * to a peer that takes no fragments (all since OTP 22 do); CLU_ENOENT: self has ended; CLU_EBADARG:
 * nothing was begun or nothing was put, or a call of a function, which is dropped (clu_call_end,
 * clu_multicall_end end it), or no node can have such a name (NAME@HOST, printable ASCII, 255 bytes
 * at most); CLU_ENOMEM, or the writer's error. A message to nobody is dropped: that is no error, as
 * everywhere in Erlang. clu_send_cancel: in place of clu_send_end, clu_call_end or
 * clu_multicall_end: nothing is sent. clu_send_raw: begin and end for a term that is encoded
 * already. */
CLU_API clu_writer *clu_send_begin(clu_process *self, const clu_to *to);
/* clu_send_room: whether a message of so many bytes, give or take a KiB, would be taken at this
 * moment: before the work of writing it, or before lending it what clu_send_end would give back.
 * CLU_OK, or what that would say (CLU_EBUSY: CLU_SIGNAL_WRITABLE follows); CLU_EBADARG while self
 * has begun one. */
CLU_API CLU_MUST_USE clu_error clu_send_room(clu_process *self, const clu_to *to, size_t size);
CLU_API CLU_MUST_USE clu_error clu_send_end(clu_process *self);
CLU_API void clu_send_cancel(clu_process *self);
CLU_API CLU_MUST_USE clu_error clu_send_raw(clu_process *self, const clu_to *to, clu_slice term);
#define CLU_HELD_MAX (1u << 20)
/* Bytes of a message that this node takes whole; what is longer comes to clu_on_stream only. */
#define CLU_MESSAGE_MAX (64u << 20)

/* ---- streams ---- */

/* A message that is larger than CLU_MESSAGE_MAX ends its receiver with the reason
 * message_too_big; an exit or a down signal with such a reason arrives with that reason instead. A
 * process that is sent more takes it as a stream. */

typedef enum clu_stream_part { CLU_STREAM_FIRST, CLU_STREAM_NEXT, CLU_STREAM_LAST } clu_stream_part;

/* A part of a message. Parts of several messages, of one node or of more, come by turns: sequence
 * and node say of which. All slices are borrowed until the function returns. */
typedef struct clu_stream {
    clu_stream_part part;
    clu_pid from;   /* as of CLU_SIGNAL_MESSAGE */
    clu_slice node; /* that sends it */
    uint64_t sequence;
    clu_slice bytes;      /* what follows the part before; of the first: a term begins, without the
                             version byte. Unchecked */
    const clu_refs *refs; /* the atoms of the term, as clu_reader has them */
} clu_stream;

typedef void clu_stream_fn(clu_process *self, const clu_stream *part, void *arg);

/* clu_on_stream: messages that arrive in fragments, as those above 64 KiB from a BEAM do (68 from
 * one of ours), and those above CLU_MESSAGE_MAX in any case, are handed to on_stream part by part,
 * without a limit, and nothing of them is kept; what arrives whole is an ordinary signal, for the
 * receive function. (The message by which a BEAM dials us comes whole: it does not know yet what we
 * take.) Signals that came before a part and wait are handed out first, if the process has a
 * receive function. It counts from now on, also when it is called within a message (from on_stream,
 * too): another function takes the parts that are still to come of what has begun; after NULL they
 * are dropped, for good, and no CLU_SIGNAL_STREAM_LOST tells of them. What had begun before the
 * process had a function arrives whole, as a signal. */
CLU_API void clu_on_stream(clu_process *self, clu_stream_fn *on_stream, void *arg);

/* ---- links, monitors, aliases, timers ---- */

/* Signals of this section are never refused as busy: when 16 MiB wait for a peer, the link ends
 * instead (CLU_ESIZE). References of others or of another kind, as those of calls, and such as are
 * used up, are passed over. Where a reference is returned, its n is 0 when memory is out or self
 * has ended. */

/* clu_link, clu_unlink: as erlang:link/1, unlink/1. A pid that is gone, or whose node cannot be
 * reached, ends in an exit signal (noproc, noconnection). CLU_ENOMEM; clu_link: CLU_EBADARG: no
 * node can have such a name; CLU_ENOENT: self has ended. */
CLU_API CLU_MUST_USE clu_error clu_link(clu_process *self, const clu_pid *pid);
CLU_API CLU_MUST_USE clu_error clu_unlink(clu_process *self, const clu_pid *pid);
/* clu_exit_signal: exit(Pid, Reason); reason is an encoded term. A pid that is gone is no error.
 * CLU_ENOMEM; CLU_EBADARG: reason is no term, or no node can have such a name. */
CLU_API CLU_MUST_USE clu_error clu_exit_signal(clu_process *self, const clu_pid *pid,
                                               clu_slice reason);
/* clu_monitor: of a pid or a name; one CLU_SIGNAL_DOWN with this ref follows, unless demonitored:
 * after clu_demonitor none does (demonitor(Ref, [flush])). Of an alias it is an error, as it is of
 * erlang:monitor/2, and so it is of a node that cannot have such a name: n is 0. Of a process of a
 * node that knows no monitors, as C nodes of erl_interface, only the end of the connection is told.
 */
CLU_API clu_ref clu_monitor(clu_process *self, const clu_to *to);
CLU_API void clu_demonitor(clu_process *self, const clu_ref *ref);
/* clu_alias: a reference by which the process takes messages until clu_unalias. */
CLU_API clu_ref clu_alias(clu_process *self);
CLU_API void clu_unalias(clu_process *self, const clu_ref *ref);
/* clu_after: one CLU_SIGNAL_TIMEOUT with this ref in so many ms. clu_cancel: none any more. Like
 * the timeouts of calls it counts from the latest event or, between two steps of a loop of one's
 * own, from the end of the one before: after a long wait elsewhere make a step first. */
CLU_API clu_ref clu_after(clu_process *self, uint64_t ms);
CLU_API void clu_cancel(clu_process *self, const clu_ref *ref);
/* clu_monitor_nodes: CLU_SIGNAL_NODE_UP and _DOWN of visible nodes from now on
 * (net_kernel:monitor_nodes/1); clu_nodes tells who is there already. Off when on is false. */
CLU_API void clu_monitor_nodes(clu_process *self, bool on);

/* clu_spawn_remote: erlang:spawn_request/5: module:function(arguments) at a node; arguments is an
 * encoded list. CLU_SIGNAL_SPAWNED with this ref follows. With monitor the same ref is a monitor of
 * the new process, with link it is linked. ref.n is 0 also when arguments are no list, or more than
 * 255, when module or function is no atom, and when no node can have such a name. */
CLU_API clu_ref clu_spawn_remote(clu_process *self, const char *node, const char *module,
                                 const char *function, clu_slice arguments, bool link,
                                 bool monitor);

#ifdef __cplusplus
}
#endif

#endif
