/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIST_CONTROL_H
#define DIST_CONTROL_H

#include "base/base.h"

/* Control messages (erl_dist_protocol "Protocol between Connected Nodes"). */
enum control_op {
    OP_LINK = 1,
    OP_SEND = 2,
    OP_EXIT = 3,
    OP_UNLINK = 4,    /* obsolete: OTP 26 cuts the link */
    OP_NODE_LINK = 5, /* obsolete: cuts the link */
    OP_REG_SEND = 6,
    OP_GROUP_LEADER = 7,
    OP_EXIT2 = 8,
    OP_SEND_TT = 12,
    OP_EXIT_TT = 13,
    OP_REG_SEND_TT = 16,
    OP_EXIT2_TT = 18,
    OP_MONITOR_P = 19,
    OP_DEMONITOR_P = 20,
    OP_MONITOR_P_EXIT = 21,
    OP_SEND_SENDER = 22,
    OP_SEND_SENDER_TT = 23,
    OP_PAYLOAD_EXIT = 24,
    OP_PAYLOAD_EXIT_TT = 25,
    OP_PAYLOAD_EXIT2 = 26,
    OP_PAYLOAD_EXIT2_TT = 27,
    OP_PAYLOAD_MONITOR_P_EXIT = 28,
    OP_SPAWN_REQUEST = 29,
    OP_SPAWN_REQUEST_TT = 30,
    OP_SPAWN_REPLY = 31,
    OP_SPAWN_REPLY_TT = 32,
    OP_ALIAS_SEND = 33,
    OP_ALIAS_SEND_TT = 34,
    OP_UNLINK_ID = 35,
    OP_UNLINK_ID_ACK = 36,
    OP_ALTACT_SIG_SEND = 37,
    OP_MAX
};

/* sig_flags of ALTACT_SIG_SEND; a BEAM ignores the bits above these (dist.h:
 * DOP_ALTACT_SIG_FLG_*). */
#define ALTACT_PRIO  UINT64_C(1)
#define ALTACT_TOKEN UINT64_C(2)
#define ALTACT_ALIAS UINT64_C(4)  /* the receiver is a reference */
#define ALTACT_NAME  UINT64_C(8)  /* ... a registered name */
#define ALTACT_EXIT  UINT64_C(16) /* an exit signal as of exit/2: the payload is its reason */

/* sig_flags of SPAWN_REPLY: what stands between parent and child. */
#define SPAWN_REPLY_LINK    UINT64_C(1)
#define SPAWN_REPLY_MONITOR UINT64_C(2)

/* A control message, decoded. Which fields are set is the table's matter (control.c); slices borrow
 * the frame. ALTACT_SIG_SEND and SPAWN_REPLY may hold a pid or something else in one place: `to`
 * (or to_name, or ref with to_is_ref), and `from` (or from_name). */
struct control {
    enum control_op op;
    const char *op_name;
    clu_pid from, to;    /* pid fields */
    clu_slice to_name;   /* a registered name instead of a pid: REG_SEND, MONITOR_P, ... */
    clu_slice from_name; /* MONITOR_P_EXIT: what was monitored, when it was a name */
    bool to_is_name, from_is_name, to_is_ref;
    clu_ref ref;        /* monitor, alias, request */
    uint64_t id;        /* unlink id */
    clu_slice reason;   /* EXIT, EXIT2, MONITOR_P_EXIT without payload: raw term */
    clu_slice token;    /* trace token, raw; dropped by all readers */
    uint64_t sig_flags; /* ALTACT_SIG_SEND, SPAWN_REPLY */
    clu_slice raw;      /* SPAWN_REQUEST's {M,F,A} and options, raw */
    bool has_payload;
    bool too_big;         /* the payload was over the limit: it is the atom message_too_big */
    clu_slice payload;    /* one checked term, raw, without the version byte */
    const clu_refs *refs; /* for reading payload and raw fields */
};

/* control_parse: decodes one frame's content: control, then, where its op carries one, the payload,
 * both without version bytes (the channel took them off). The terms must be checked already
 * (channel_next did). Rules whose violation makes a BEAM cut the link are errors here: unknown or
 * obsolete op, wrong arity, wrong types, unlink id 0, missing payload. On error *what is a short
 * static sentence. */
CLU_MUST_USE clu_error control_parse(struct control *c, clu_slice ctl, clu_slice payload,
                                     const clu_refs *refs, const char **what);

/* Writers: the control tuple alone, without version byte. The payload, where `+P` stands, follows
 * through channel_payload. Which form a link takes is a matter of its flags (erl_dist_protocol);
 * all forms are in the frame's own atoms, so no slice given may hold a cache reference (see
 * clu_put_term). */

/* Messages, all +P. control_put_send is for links without DFLAG_SEND_SENDER. */
void control_put_send(clu_writer *w, const clu_pid *to);
void control_put_send_sender(clu_writer *w, const clu_pid *from, const clu_pid *to);
void control_put_reg_send(clu_writer *w, const clu_pid *from, const char *to_name);
void control_put_send_to_name(clu_writer *w, const clu_pid *from, clu_slice name);
/* control_put_alias_send: accepted by BEAMs with or without the flag; control_put_altact_send: its
 * form where both sides have DFLAG_ALTACT_SIG. */
void control_put_alias_send(clu_writer *w, const clu_pid *from, const clu_ref *alias);
void control_put_altact_send(clu_writer *w, const clu_pid *from, const clu_ref *alias);

/* Links and exits. The forms with PAYLOAD are for links with DFLAG_EXIT_PAYLOAD: +P, the reason. */
void control_put_link(clu_writer *w, const clu_pid *from, const clu_pid *to);
void control_put_unlink(clu_writer *w, uint64_t id, const clu_pid *from, const clu_pid *to);
void control_put_unlink_ack(clu_writer *w, uint64_t id, const clu_pid *from, const clu_pid *to);
/* The reason as an atom, or as one raw term. */
void control_put_exit(clu_writer *w, const clu_pid *from, const clu_pid *to, const char *reason);
void control_put_exit_raw(clu_writer *w, const clu_pid *from, const clu_pid *to, clu_slice reason);
void control_put_payload_exit(clu_writer *w, const clu_pid *from, const clu_pid *to);
/* control_put_exit2: the reason is the tuple's last element: put one term behind it. */
void control_put_exit2(clu_writer *w, const clu_pid *from, const clu_pid *to);
void control_put_payload_exit2(clu_writer *w, const clu_pid *from, const clu_pid *to);
void control_put_group_leader(clu_writer *w, const clu_pid *from, const clu_pid *to);

/* Monitors of a registered name, and of a pid. */
void control_put_monitor(clu_writer *w, const clu_pid *from, const char *to_name,
                         const clu_ref *ref);
void control_put_demonitor(clu_writer *w, const clu_pid *from, const char *to_name,
                           const clu_ref *ref);
void control_put_monitor_pid(clu_writer *w, const clu_pid *from, const clu_pid *to,
                             const clu_ref *ref);
void control_put_demonitor_pid(clu_writer *w, const clu_pid *from, const clu_pid *to,
                               const clu_ref *ref);
/* What was monitored is pid, or name when that is not NULL; the reason an atom or one raw term. */
void control_put_monitor_exit(clu_writer *w, const clu_pid *pid, const clu_slice *name,
                              const clu_pid *to, const clu_ref *ref, const char *reason);
void control_put_monitor_exit_raw(clu_writer *w, const clu_pid *pid, const clu_slice *name,
                                  const clu_pid *to, const clu_ref *ref, clu_slice reason);
void control_put_payload_monitor_exit(clu_writer *w, const clu_pid *pid, const clu_slice *name,
                                      const clu_pid *to, const clu_ref *ref);

/* control_put_spawn_request: +P, the list of arguments; options is a raw list. */
void control_put_spawn_request(clu_writer *w, const clu_ref *request, const clu_pid *from,
                               const clu_pid *group_leader, clu_slice module, clu_slice function,
                               uint8_t arity, clu_slice options);
/* control_put_spawn_reply: flags SPAWN_REPLY_LINK, SPAWN_REPLY_MONITOR. */
void control_put_spawn_reply(clu_writer *w, const clu_ref *request, const clu_pid *to,
                             uint64_t flags, const clu_pid *pid);
/* control_put_spawn_error: SPAWN_REPLY with an error instead of a pid. */
void control_put_spawn_error(clu_writer *w, const clu_ref *request, const clu_pid *to,
                             const char *error);

#endif
