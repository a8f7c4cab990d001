/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NODE_SERVICES_H
#define NODE_SERVICES_H

#include "node/proc.h"

/* A signal on its way to who handles it. */
struct signal {
    struct clu_node *node;
    struct remote *remote;
    const struct control *c;
};

/* An error from a handler closes the link. */
typedef clu_error signal_handler(struct signal *s);

/* take_message: a message has arrived for p, by the alias t or, when t is NULL, otherwise. */
void take_message(struct clu_process *p, const clu_pid *from, struct tie *t, clu_reader message);
/* rpc_end (rpc_out.c): the end of a call of a function, t NULL: of a cast; any other message ends
 * as clu_send_end has it. */
clu_error rpc_end(struct clu_process *p, struct tie *t);
/* answer_take: it is the answer of a call. */
void answer_take(struct tie *t, clu_reader message);

signal_handler receive_spawn_request, receive_spawn_reply;

/* Who called as gen_server:call does, and how it wants its answer. Borrows the message. */
struct gen_call {
    clu_pid from;
    clu_reader tag; /* opaque: goes back as it came */
    clu_ref alias;  /* n is 0 without one */
};

/* get_gen_call: {'$gen_call', {Pid, Tag}, Request}: stops before the request; false when it is
 * something else. get_call_by: the same with another word in front. reply_begin: the answer {Tag,
 * Answer}: put the answer, then clu_send_end. */
bool get_gen_call(clu_reader *msg, struct gen_call *call);
bool get_call_by(clu_reader *msg, const char *word, struct gen_call *call);
clu_writer *reply_begin(struct clu_process *p, const struct gen_call *call);

clu_receive_fn rex_receive;

/* services_start: the processes that answer for names of the kernel: net_kernel, rex,
 * global_name_server. */
clu_error services_start(struct clu_node *n);

#endif
