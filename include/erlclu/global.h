/* SPDX-License-Identifier: Apache-2.0
 *
 * Global names and locks: what Erlang's `global` does, as an equal of it (OTP: kernel, "global").
 *
 * Off unless it is asked for: a node with global takes part in the locking of the whole cluster, is
 * pulled into the full mesh by the others, and a link that it loses may make them cut links too
 * (prevent_overlapping_partitions). All functions belong to the thread that drives the node; none
 * of them blocks. An answer comes by on_answer, later and once, in the name of self; it does not
 * come when self has ended before, or clu_call_forget was called with the reference that the
 * function returned. Its outcome is CLU_ANSWERED and its term an atom. Where a function returns a
 * reference, n is 0 when memory is out, when self has ended, when global is off, or when a term is
 * none or longer than CLU_GLOBAL_TERM_MAX: then no answer comes.
 */
#ifndef ERLCLU_GLOBAL_H
#define ERLCLU_GLOBAL_H

#include <erlclu/call.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a name, a resource or a requester: every node of the cluster keeps them. */
#define CLU_GLOBAL_TERM_MAX 65536

/* Who keeps a name that two partitions have both given, when they meet (global:register_name/3). */
typedef enum clu_resolve {
    CLU_RESOLVE_EXIT,   /* random_exit_name: one of the processes is killed */
    CLU_RESOLVE_NOTIFY, /* random_notify_name: one is sent {global_name_conflict, Name} */
    CLU_RESOLVE_NONE,   /* notify_all_name: both are sent {global_name_conflict, Name, OtherPid},
                           and the name is nobody's */
} clu_resolve;

/* clu_global_start: turns global on, before the first link is up. A program sets global in
 * clu_options instead, which also refuses what does not go with it (hidden, prune). seed is random:
 * waits between attempts are drawn from it. CLU_ENOMEM; CLU_EEXIST when it is on. */
CLU_API CLU_MUST_USE clu_error clu_global_start(clu_node *node, uint64_t seed);
/* clu_global_is_on: whether it was. */
CLU_API bool clu_global_is_on(const clu_node *node);

/* ---- names ---- */

/* clu_global_register: name, an encoded term, is that of pid in the whole cluster. Answers yes; or
 * no when the name is taken, or the process has a name. clu_global_re_register: whoever has it:
 * yes. clu_global_unregister: ok, also when it was nobody's. The processes need not be of this
 * node. Terms and pid are copied. */
CLU_API clu_ref clu_global_register(clu_process *self, clu_slice name, const clu_pid *pid,
                                    clu_resolve resolve, clu_answer_fn *on_answer, void *arg);
CLU_API clu_ref clu_global_re_register(clu_process *self, clu_slice name, const clu_pid *pid,
                                       clu_resolve resolve, clu_answer_fn *on_answer, void *arg);
CLU_API clu_ref clu_global_unregister(clu_process *self, clu_slice name, clu_answer_fn *on_answer,
                                      void *arg);
/* clu_global_whereis: whose the name is, as this node knows; false when it is nobody's. pid->node
 * is borrowed until the next event. */
CLU_API bool clu_global_whereis(const clu_node *node, clu_slice name, clu_pid *pid);
/* clu_global_send: a message to whose name it is; CLU_ENOENT when it is nobody's, else as
 * clu_send_raw. */
CLU_API CLU_MUST_USE clu_error clu_global_send(clu_process *self, clu_slice name, clu_slice term);
/* clu_global_names: calls fn for each registered name, in no order. fn may not call functions of
 * global. The number of names. */
CLU_API size_t clu_global_names(const clu_node *node,
                                void (*fn)(clu_slice name, const clu_pid *pid, void *arg),
                                void *arg);
/* clu_global_sync: answers ok when all nodes that are linked now have exchanged their names with
 * this one, or are gone (global:sync/0). */
CLU_API clu_ref clu_global_sync(clu_process *self, clu_answer_fn *on_answer, void *arg);

/* ---- locks ---- */

/* clu_global_set_lock: the lock {resource, requester}, two encoded terms, at these nodes: n full
 * names, or all that are linked and this one (nodes NULL). Answers true; or false when it was held
 * in all of 1 + retries attempts (CLU_INFINITY: as many as it takes), between which it waits for up
 * to 8 s. Who has the same requester shares the lock. The lock is self's: it goes with it.
 * clu_global_del_lock: answers true. Say the same nodes; for all, those linked at that moment are
 * told. */
CLU_API clu_ref clu_global_set_lock(clu_process *self, clu_slice resource, clu_slice requester,
                                    const char *const *nodes, size_t n, uint64_t retries,
                                    clu_answer_fn *on_answer, void *arg);
CLU_API clu_ref clu_global_del_lock(clu_process *self, clu_slice resource, clu_slice requester,
                                    const char *const *nodes, size_t n, clu_answer_fn *on_answer,
                                    void *arg);

#ifdef __cplusplus
}
#endif

#endif
