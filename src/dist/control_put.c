/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing control messages.
 */
#include "dist/control.h"

static void put_op(clu_writer *w, enum control_op op, size_t n_fields)
{
    clu_put_tuple(w, 1 + n_fields);
    clu_put_int(w, op);
}

/* {Op, From, To, ...}, what most begin with. */
static void put_from_to(clu_writer *w, enum control_op op, size_t n_fields, const clu_pid *from,
                        const clu_pid *to)
{
    put_op(w, op, n_fields);
    clu_put_pid(w, from);
    clu_put_pid(w, to);
}

/* ---- messages ---- */

void control_put_send(clu_writer *w, const clu_pid *to)
{
    put_op(w, OP_SEND, 2);
    clu_put_atom_text(w, "");
    clu_put_pid(w, to);
}

void control_put_send_sender(clu_writer *w, const clu_pid *from, const clu_pid *to)
{
    put_from_to(w, OP_SEND_SENDER, 2, from, to);
}

void control_put_reg_send(clu_writer *w, const clu_pid *from, const char *to_name)
{
    control_put_send_to_name(w, from, slice_of(to_name));
}

void control_put_send_to_name(clu_writer *w, const clu_pid *from, clu_slice name)
{
    put_op(w, OP_REG_SEND, 3);
    clu_put_pid(w, from);
    clu_put_atom_text(w, "");
    clu_put_atom(w, name);
}

void control_put_alias_send(clu_writer *w, const clu_pid *from, const clu_ref *alias)
{
    put_op(w, OP_ALIAS_SEND, 2);
    clu_put_pid(w, from);
    clu_put_ref(w, alias);
}

void control_put_altact_send(clu_writer *w, const clu_pid *from, const clu_ref *alias)
{
    put_op(w, OP_ALTACT_SIG_SEND, 3);
    clu_put_uint(w, ALTACT_ALIAS);
    clu_put_pid(w, from);
    clu_put_ref(w, alias);
}

/* ---- links and exits ---- */

void control_put_link(clu_writer *w, const clu_pid *from, const clu_pid *to)
{
    put_from_to(w, OP_LINK, 2, from, to);
}

static void put_unlink(clu_writer *w, enum control_op op, uint64_t id, const clu_pid *from,
                       const clu_pid *to)
{
    put_op(w, op, 3);
    clu_put_uint(w, id);
    clu_put_pid(w, from);
    clu_put_pid(w, to);
}

void control_put_unlink(clu_writer *w, uint64_t id, const clu_pid *from, const clu_pid *to)
{
    put_unlink(w, OP_UNLINK_ID, id, from, to);
}

void control_put_unlink_ack(clu_writer *w, uint64_t id, const clu_pid *from, const clu_pid *to)
{
    put_unlink(w, OP_UNLINK_ID_ACK, id, from, to);
}

void control_put_exit(clu_writer *w, const clu_pid *from, const clu_pid *to, const char *reason)
{
    put_from_to(w, OP_EXIT, 3, from, to);
    clu_put_atom_text(w, reason);
}

void control_put_exit_raw(clu_writer *w, const clu_pid *from, const clu_pid *to, clu_slice reason)
{
    put_from_to(w, OP_EXIT, 3, from, to);
    clu_put_raw(w, reason);
}

void control_put_payload_exit(clu_writer *w, const clu_pid *from, const clu_pid *to)
{
    put_from_to(w, OP_PAYLOAD_EXIT, 2, from, to);
}

void control_put_exit2(clu_writer *w, const clu_pid *from, const clu_pid *to)
{
    put_from_to(w, OP_EXIT2, 3, from, to);
}

void control_put_payload_exit2(clu_writer *w, const clu_pid *from, const clu_pid *to)
{
    put_from_to(w, OP_PAYLOAD_EXIT2, 2, from, to);
}

void control_put_group_leader(clu_writer *w, const clu_pid *from, const clu_pid *to)
{
    put_from_to(w, OP_GROUP_LEADER, 2, from, to);
}

/* ---- monitors ---- */

static void put_monitor(clu_writer *w, enum control_op op, const clu_pid *from, const char *to_name,
                        const clu_ref *ref)
{
    put_op(w, op, 3);
    clu_put_pid(w, from);
    clu_put_atom_text(w, to_name);
    clu_put_ref(w, ref);
}

void control_put_monitor(clu_writer *w, const clu_pid *from, const char *to_name,
                         const clu_ref *ref)
{
    put_monitor(w, OP_MONITOR_P, from, to_name, ref);
}

void control_put_demonitor(clu_writer *w, const clu_pid *from, const char *to_name,
                           const clu_ref *ref)
{
    put_monitor(w, OP_DEMONITOR_P, from, to_name, ref);
}

void control_put_monitor_pid(clu_writer *w, const clu_pid *from, const clu_pid *to,
                             const clu_ref *ref)
{
    put_from_to(w, OP_MONITOR_P, 3, from, to);
    clu_put_ref(w, ref);
}

void control_put_demonitor_pid(clu_writer *w, const clu_pid *from, const clu_pid *to,
                               const clu_ref *ref)
{
    put_from_to(w, OP_DEMONITOR_P, 3, from, to);
    clu_put_ref(w, ref);
}

static void put_monitor_exit(clu_writer *w, enum control_op op, size_t n_fields, const clu_pid *pid,
                             const clu_slice *name, const clu_pid *to, const clu_ref *ref)
{
    put_op(w, op, n_fields);
    if (name != NULL)
        clu_put_atom(w, *name);
    else
        clu_put_pid(w, pid);
    clu_put_pid(w, to);
    clu_put_ref(w, ref);
}

void control_put_monitor_exit(clu_writer *w, const clu_pid *pid, const clu_slice *name,
                              const clu_pid *to, const clu_ref *ref, const char *reason)
{
    put_monitor_exit(w, OP_MONITOR_P_EXIT, 4, pid, name, to, ref);
    clu_put_atom_text(w, reason);
}

void control_put_monitor_exit_raw(clu_writer *w, const clu_pid *pid, const clu_slice *name,
                                  const clu_pid *to, const clu_ref *ref, clu_slice reason)
{
    put_monitor_exit(w, OP_MONITOR_P_EXIT, 4, pid, name, to, ref);
    clu_put_raw(w, reason);
}

void control_put_payload_monitor_exit(clu_writer *w, const clu_pid *pid, const clu_slice *name,
                                      const clu_pid *to, const clu_ref *ref)
{
    put_monitor_exit(w, OP_PAYLOAD_MONITOR_P_EXIT, 3, pid, name, to, ref);
}

/* ---- spawn ---- */

void control_put_spawn_request(clu_writer *w, const clu_ref *request, const clu_pid *from,
                               const clu_pid *group_leader, clu_slice module, clu_slice function,
                               uint8_t arity, clu_slice options)
{
    put_op(w, OP_SPAWN_REQUEST, 5);
    clu_put_ref(w, request);
    clu_put_pid(w, from);
    clu_put_pid(w, group_leader);
    clu_put_tuple(w, 3);
    clu_put_atom(w, module);
    clu_put_atom(w, function);
    clu_put_int(w, arity);
    clu_put_raw(w, options);
}

static void put_spawn_reply(clu_writer *w, const clu_ref *request, const clu_pid *to,
                            uint64_t flags)
{
    put_op(w, OP_SPAWN_REPLY, 4);
    clu_put_ref(w, request);
    clu_put_pid(w, to);
    clu_put_uint(w, flags);
}

void control_put_spawn_reply(clu_writer *w, const clu_ref *request, const clu_pid *to,
                             uint64_t flags, const clu_pid *pid)
{
    put_spawn_reply(w, request, to, flags);
    clu_put_pid(w, pid);
}

void control_put_spawn_error(clu_writer *w, const clu_ref *request, const clu_pid *to,
                             const char *error)
{
    put_spawn_reply(w, request, to, 0);
    clu_put_atom_text(w, error);
}
