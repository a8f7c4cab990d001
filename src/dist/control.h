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

/* Writers: the control tuple alone, without version byte. The payload follows through the channel.
 */
void control_put_reg_send(clu_writer *w, const clu_pid *from, const char *to_name);
void control_put_send(clu_writer *w, const clu_pid *to);
void control_put_exit(clu_writer *w, const clu_pid *from, const clu_pid *to, const char *reason);
/* what was monitored: pid, or name when not NULL. */
void control_put_monitor_exit(clu_writer *w, const clu_pid *pid, const clu_slice *name,
                              const clu_pid *to, const clu_ref *ref, const char *reason);
void control_put_monitor(clu_writer *w, const clu_pid *from, const char *to_name,
                         const clu_ref *ref);
void control_put_demonitor(clu_writer *w, const clu_pid *from, const char *to_name,
                           const clu_ref *ref);
void control_put_unlink_ack(clu_writer *w, uint64_t id, const clu_pid *from, const clu_pid *to);
/* The forms with the reason as payload, for links that agreed on DFLAG_EXIT_PAYLOAD. */
void control_put_payload_exit(clu_writer *w, const clu_pid *from, const clu_pid *to);
void control_put_payload_monitor_exit(clu_writer *w, const clu_pid *pid, const clu_slice *name,
                                      const clu_pid *to, const clu_ref *ref);
/* control_put_spawn_error: SPAWN_REPLY with an error instead of a pid. */
void control_put_spawn_error(clu_writer *w, const clu_ref *request, const clu_pid *to,
                             const char *error);
/* control_put_alias_send: ALIAS_SEND, accepted by BEAMs with or without the flag. */
void control_put_alias_send(clu_writer *w, const clu_pid *from, const clu_ref *alias);

#endif
