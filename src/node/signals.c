/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* Signals of other nodes. */

static struct clu_process *receiver(const struct signal *s)
{
    const struct control *c = s->c;

    return c->to_is_name ? process_named(s->node, c->to_name) : process_find(s->node, &c->to);
}

static clu_reader payload(const struct signal *s)
{
    clu_slice p = s->c->payload;

    return (clu_reader){.pos = p.data, .end = p.data + p.len, .refs = s->c->refs};
}

/* The reason of an exit: in the control message or behind it. */
static clu_reader reason(const struct signal *s)
{
    clu_slice r = s->c->has_payload ? s->c->payload : s->c->reason;

    return (clu_reader){.pos = r.data, .end = r.data + r.len, .refs = s->c->refs};
}

/* ---- messages ---- */

/* What sys asks is answered here, but that of a server, which has a state to show.
 * [alias | Ref], or Ref: how answers begin that we have asked for (see call_out.c). */
void take_message(struct clu_process *p, const clu_pid *from, struct tie *t, clu_reader message)
{
    struct delivery d = {.signal = {.kind = CLU_SIGNAL_MESSAGE, .from = *from, .term = message}};

    if (t != NULL && (t->kinds & TIE_CALL) != 0)
        answer_take(t, message);
    else if (p->n_calls > 0 && answer_by_pid(p, message))
        return;
    else if (p->absent || p->server != NULL || !system_take(p, message))
        deliver(p, &d);
}

static bool is_by(const struct watcher *w, const struct signal *s)
{
    const clu_pid *from = &s->c->from;

    return w->remote == s->remote && w->by.id == from->id && w->by.serial == from->serial &&
           w->by.creation == from->creation;
}

/* A service lives on; for who has sent that, and may wait for an answer, it is as if it had ended
 * and was there again. */
static void fail_sender(const struct signal *s, const struct clu_process *p)
{
    for (struct list *at = p->watchers.next, *next; at != &p->watchers; at = next) {
        struct watcher *w = CONTAINER_OF(at, struct watcher, of_proc);

        next = at->next;
        if (is_by(w, s))
            watcher_fire(w, s->c->payload);
    }
}

/* Who is sent more than this node takes ends, so that its links and monitors say so. */
static void take(struct signal *s, struct clu_process *p, struct tie *t)
{
    if (!s->c->too_big)
        take_message(p, &s->c->from, t, payload(s));
    else if (p->service)
        fail_sender(s, p);
    else
        process_end(p, s->c->payload);
}

/* A message to nobody is dropped, as everywhere in Erlang. */
static clu_error receive_message(struct signal *s)
{
    struct clu_process *p = receiver(s);

    if (p != NULL)
        take(s, p, NULL);
    return CLU_OK;
}

static clu_error receive_by_alias(struct signal *s)
{
    struct tie *t = tie_by_alias(s->node, &s->c->ref);

    if (t != NULL)
        take(s, t->owner, t);
    return CLU_OK;
}

/* OTP 28: an alias, a name or a pid, with a message or an exit signal, of any priority. */
static clu_error receive_altact(struct signal *s)
{
    bool is_exit = (s->c->sig_flags & ALTACT_EXIT) != 0;
    struct tie *t = s->c->to_is_ref ? tie_by_alias(s->node, &s->c->ref) : NULL;
    struct clu_process *p = t != NULL ? t->owner : s->c->to_is_ref ? NULL : receiver(s);

    if (!is_exit)
        return s->c->to_is_ref ? receive_by_alias(s) : receive_message(s);
    if (p != NULL)
        process_exit_signal(p, &s->c->from, payload(s), false);
    return CLU_OK;
}

/* ---- monitors ---- */

static clu_error receive_monitor(struct signal *s)
{
    const struct control *c = s->c;
    struct clu_process *p = receiver(s);
    struct atom_term term;

    if (p != NULL && !p->absent && !p->ended)
        return watch_remote(p, s->remote, c);
    return signal_down(s->remote, NULL, &c->to, c->to_is_name ? &c->to_name : NULL, &c->from,
                       &c->ref, atom_term(&term, "noproc"));
}

static clu_error receive_demonitor(struct signal *s)
{
    unwatch_remote(s->node, s->remote, &s->c->ref);
    return CLU_OK;
}

static clu_error receive_down(struct signal *s)
{
    struct tie *t = tie_find(s->node, &s->c->ref);

    /* Whose monitor it is not cannot make it fire. */
    if (t != NULL && t->remote == s->remote && (t->kinds & TIE_MONITOR) != 0)
        tie_down(t, reason(s));
    return CLU_OK;
}

/* ---- links ---- */

static clu_error receive_link(struct signal *s)
{
    const struct control *c = s->c;
    struct clu_process *p = receiver(s);
    struct atom_term term;

    if (p != NULL && !p->absent && !p->ended)
        return bond_add(p, s->remote, &c->from);
    return signal_exit(s->remote, NULL, &c->to, &c->from, atom_term(&term, "noproc"));
}

/* The acknowledgement goes from the pid that was unlinked to the one that unlinked it, before any
 * other signal. A link that we are unlinking as well waits for the peer's own acknowledgement. */
static clu_error receive_unlink(struct signal *s)
{
    const struct control *c = s->c;
    struct clu_process *p = receiver(s);
    struct bond *b = p == NULL ? NULL : bond_find(p, &c->from);

    if (b != NULL && bond_stands(b))
        bond_free(b);
    control_put_unlink_ack(signal_begin(s->remote, p), c->id, &c->to, &c->from);
    return signal_end(s->remote);
}

static clu_error receive_unlink_ack(struct signal *s)
{
    struct clu_process *p = receiver(s);
    struct bond *b = p == NULL ? NULL : bond_find(p, &s->c->from);

    if (b == NULL || b->unlinking != s->c->id)
        return CLU_OK;
    if (!b->again) {
        bond_free(b);
        return CLU_OK;
    }
    b->unlinking = 0;
    b->again = false;
    return CLU_OK;
}

static clu_error receive_exit(struct signal *s)
{
    struct clu_process *p = receiver(s);
    struct bond *b = p == NULL ? NULL : bond_find(p, &s->c->from);

    if (b == NULL || b->unlinking != 0)
        return CLU_OK;
    bond_free(b);
    process_exit_signal(p, &s->c->from, reason(s), true);
    return CLU_OK;
}

static clu_error receive_exit2(struct signal *s)
{
    struct clu_process *p = receiver(s);

    if (p != NULL)
        process_exit_signal(p, &s->c->from, reason(s), false);
    return CLU_OK;
}

static clu_error receive_leader(struct signal *s)
{
    struct clu_process *p = receiver(s);

    if (p == NULL)
        return CLU_OK;
    clu_writer_reset(&p->leader);
    clu_put_pid(&p->leader, &s->c->from);
    return CLU_OK;
}

/* ---- spawns ---- */

static clu_error receive_spawn(struct signal *s)
{
    if (!s->c->too_big)
        return receive_spawn_request(s);
    control_put_spawn_error(signal_begin(s->remote, NULL), &s->c->ref, &s->c->from, "system_limit");
    return signal_end(s->remote);
}

/* ---- the table ---- */

/* A row an op: who handles it, and whether a BEAM cuts the link when its sender is no process of
 * the peer (dist.c: erts_net_message). */
static const struct {
    signal_handler *handle;
    bool from_peer;
} handlers[OP_MAX] = {
    [OP_LINK] = {receive_link, true},
    [OP_SEND] = {receive_message, false},
    [OP_SEND_TT] = {receive_message, false},
    [OP_SEND_SENDER] = {receive_message, false},
    [OP_SEND_SENDER_TT] = {receive_message, false},
    [OP_REG_SEND] = {receive_message, false},
    [OP_REG_SEND_TT] = {receive_message, false},
    [OP_ALIAS_SEND] = {receive_by_alias, false},
    [OP_ALIAS_SEND_TT] = {receive_by_alias, false},
    [OP_ALTACT_SIG_SEND] = {receive_altact, false},
    [OP_EXIT] = {receive_exit, true},
    [OP_EXIT_TT] = {receive_exit, true},
    [OP_PAYLOAD_EXIT] = {receive_exit, true},
    [OP_PAYLOAD_EXIT_TT] = {receive_exit, true},
    [OP_EXIT2] = {receive_exit2, true},
    [OP_EXIT2_TT] = {receive_exit2, true},
    [OP_PAYLOAD_EXIT2] = {receive_exit2, true},
    [OP_PAYLOAD_EXIT2_TT] = {receive_exit2, true},
    [OP_GROUP_LEADER] = {receive_leader, false},
    [OP_MONITOR_P] = {receive_monitor, true},
    [OP_DEMONITOR_P] = {receive_demonitor, true},
    [OP_MONITOR_P_EXIT] = {receive_down, false},
    [OP_PAYLOAD_MONITOR_P_EXIT] = {receive_down, false},
    [OP_SPAWN_REQUEST] = {receive_spawn, true},
    [OP_SPAWN_REQUEST_TT] = {receive_spawn, true},
    [OP_SPAWN_REPLY] = {receive_spawn_reply, false},
    [OP_SPAWN_REPLY_TT] = {receive_spawn_reply, false},
    [OP_UNLINK_ID] = {receive_unlink, true},
    [OP_UNLINK_ID_ACK] = {receive_unlink_ack, true},
};

clu_error node_receive(struct clu_node *n, struct node_link *l, const struct control *c,
                       const char **what)
{
    struct signal s = {.node = n, .remote = l->remote, .c = c};

    if (handlers[c->op].from_peer && !slice_equal(c->from.node, l->peer)) {
        *what = "the peer sent a signal in the name of another node's process";
        return CLU_EPROTO;
    }
    n->receiving = true;
    clu_error err = handlers[c->op].handle(&s);

    n->receiving = false;
    if (err == CLU_EPROTO)
        *what = "the peer sent a spawn request that is none";
    else if (err != CLU_OK)
        *what = l->channel->err != CLU_OK ? l->channel->what : "no room for an answer";
    return err;
}
