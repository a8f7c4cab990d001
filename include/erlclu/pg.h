/* SPDX-License-Identifier: Apache-2.0
 *
 * Process groups: OTP's pg, spoken by a node of ours (kernel, "pg"). Processes of any node join
 * groups under a name, which is any term; each node has the whole list in its own memory. Scopes
 * are apart from each other: a group of one is none of another.
 *
 * A scope of ours is a process that is registered under the scope's name, as there. It exchanges
 * groups with the scope of that name on every node that is linked and visible, and on hidden ones
 * that ask. It sends nothing but pg's own messages: any other would crash the scope of a BEAM.
 *
 * A group is given as one encoded term, without a version byte; terms that are equal name the same
 * group, however they are encoded. All functions belong to the thread that drives the node. They
 * may be called from within receive functions, but not between a begin and an end (clu_send_begin
 * and the like).
 */
#ifndef ERLCLU_PG_H
#define ERLCLU_PG_H

#include <erlclu/process.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- scopes ---- */

/* Bytes that what one other node tells of a scope may take here: about a million memberships. A
 * node that tells more counts as one without members, and is asked again from time to time. */
#define CLU_PG_PEER_MAX (256u << 20)

/* clu_pg_start: pg:start(Scope). CLU_EEXIST: a process has that name. CLU_EBADARG: no name.
 * CLU_ENOMEM; also when node is NULL. It lives until clu_pg_stop, an exit signal, or the end of the
 * node; clu_whereis finds its process. */
CLU_API CLU_MUST_USE clu_error clu_pg_start(clu_node *node, const char *scope);
/* clu_pg_stop: its members of this node are in no group any more, anywhere. CLU_ENOENT: there is no
 * such scope. */
CLU_API clu_error clu_pg_stop(clu_node *node, const char *scope);

/* What a scope holds. */
typedef struct clu_pg_info {
    size_t groups;      /* that have a member */
    size_t memberships; /* a process that joined twice counts twice */
    size_t local;       /* of these, of processes of this node */
    size_t peers;       /* scopes of other nodes that it exchanges groups with */
    uint64_t ignored;   /* messages to it that pg does not know, or that could not be kept */
} clu_pg_info;

/* clu_pg_get_info: false when there is no such scope. */
CLU_API bool clu_pg_get_info(clu_node *node, const char *scope, clu_pg_info *info);

/* ---- joining ---- */

/* clu_pg_join: pg:join(Scope, Group, self()). Who joins twice is listed twice, and has to leave
 * twice. Who ends has left. Every other node hears of it at the end of the step; one that reads too
 * slowly hears how things are when it reads again. CLU_ENOENT: there is no such scope, or the
 * process has ended. CLU_ENOMEM; the error of clu_check when the group is no term. */
CLU_API CLU_MUST_USE clu_error clu_pg_join(clu_process *self, const char *scope, clu_slice group);
/* clu_pg_leave: pg:leave. CLU_ENOENT also when it is not in the group. */
CLU_API CLU_MUST_USE clu_error clu_pg_leave(clu_process *self, const char *scope, clu_slice group);

/* ---- looking ---- */

/* Called for one member after the other, the newest first; false ends it. local: a process of this
 * node. pid's node is borrowed until it returns. It may send messages; it may not join, leave or
 * stop anything. */
typedef bool clu_pg_member_fn(const clu_pid *pid, bool local, void *arg);
/* clu_pg_members: pg:get_members; each may be NULL. How many there are: 0 also of a group that
 * nobody is in, of a scope that is not there, and of a group that is no term. */
CLU_API size_t clu_pg_members(clu_node *node, const char *scope, clu_slice group,
                              clu_pg_member_fn *each, void *arg);

/* Called for one group after the other, in no order: its name, how many members, how many of them
 * of this node. As clu_pg_member_fn. */
typedef bool clu_pg_group_fn(clu_slice group, size_t members, size_t local, void *arg);
/* clu_pg_groups: pg:which_groups; each may be NULL. How many there are. */
CLU_API size_t clu_pg_groups(clu_node *node, const char *scope, clu_pg_group_fn *each, void *arg);

/* ---- sending ---- */

typedef enum clu_pg_whom {
    CLU_PG_ALL,
    CLU_PG_LOCAL,  /* members of this node */
    CLU_PG_REMOTE, /* of other nodes: as Phoenix.PubSub broadcasts */
} clu_pg_whom;

/* clu_pg_send: sends one encoded term to the members of a group, to each as often as it has joined.
 * The first error of clu_send_end, after all the others have got it: CLU_EBUSY when one of the
 * nodes reads too slowly. Nobody in the group is no error. */
CLU_API CLU_MUST_USE clu_error clu_pg_send(clu_process *self, const char *scope, clu_slice group,
                                           clu_pg_whom whom, clu_slice message);

/* ---- watching ---- */

/* clu_pg_monitor: pg:monitor(Scope, Group), or with group NULL pg:monitor_scope(Scope): from now on
 * the process gets a message {Ref, join | leave, Group, Pids} whenever members come or go. What is
 * there already, clu_pg_members tells. ref.n is 0 when there is no such scope, the group is no
 * term, or memory is out. It ends with the scope, without a word (clu_monitor tells of that). */
CLU_API clu_ref clu_pg_monitor(clu_process *self, const char *scope, const clu_slice *group);
/* clu_pg_demonitor: none of its messages is handed out any more. */
CLU_API void clu_pg_demonitor(clu_process *self, const clu_ref *ref);

/* Such a message. All is borrowed from the signal. */
typedef struct clu_pg_event {
    clu_ref ref; /* of clu_pg_monitor */
    bool joined; /* false: they left */
    clu_slice group;
    size_t n;        /* how many pids */
    clu_reader pids; /* stands at the first: n times clu_get_pid */
} clu_pg_event;

/* clu_pg_get_event: false when the signal is something else. */
CLU_API bool clu_pg_get_event(const clu_signal *signal, clu_pg_event *event);

#ifdef __cplusplus
}
#endif

#endif
