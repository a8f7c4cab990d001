/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/proc.h"
#include "node/calls.h"

/* Messages that our processes send. One is under way at a time: node.sending. */

clu_to clu_to_pid(clu_pid pid)
{
    return (clu_to){.pid = pid};
}

clu_to clu_to_alias(clu_ref alias)
{
    return (clu_to){.alias = alias};
}

clu_to clu_to_name(const char *name, const char *node)
{
    return (clu_to){.name = slice_of(name),
                    .node = node == NULL ? (clu_slice){NULL, 0} : slice_of(node)};
}

static clu_slice node_of(const clu_to *to)
{
    return to->pid.node.len > 0 ? to->pid.node : to->alias.n > 0 ? to->alias.node : to->node;
}

/* ---- to another node ---- */

static void put_control(clu_writer *w, const struct clu_process *p, const clu_to *to,
                        uint64_t flags)
{
    clu_pid self = process_pid(p);

    if (to->pid.node.len > 0 && (flags & DFLAG_SEND_SENDER) != 0)
        control_put_send_sender(w, &self, &to->pid);
    else if (to->pid.node.len > 0)
        control_put_send(w, &to->pid);
    else if (to->alias.n > 0 && (flags & DFLAG_ALTACT_SIG) != 0)
        control_put_altact_send(w, &self, &to->alias);
    else if (to->alias.n > 0)
        control_put_alias_send(w, &self, &to->alias);
    else
        control_put_send_to_name(w, &self, to->name);
}

static clu_writer *begin_far(struct sending *s, const clu_to *to, clu_slice node)
{
    struct clu_process *p = s->from;
    struct remote *r = remote_get(p->node, node);

    if (r == NULL) {
        s->err = remote_error(node);
        return &s->w;
    }
    if (remote_is_busy_for(r, p) && !p->node->urgent) {
        s->err = wait_for_room(r, p, false);
        return &s->w;
    }
    clu_writer *w = signal_begin(r, p);

    put_control(w, p, to, remote_flags(r));
    signal_payload(r);
    return w;
}

clu_error clu_send_room(clu_process *p, const clu_to *to, size_t size)
{
    const clu_slice node = node_of(to);
    struct remote *r = is_own_name(p->node, node) ? NULL : remote_find(p->node, node);
    bool large = size > CHANNEL_SMALL_MAX;

    if (p->ended)
        return CLU_ENOENT;
    if (p->node->sending.from == p || node.len >= NODE_NAME_SIZE)
        return CLU_EBADARG;
    if (r == NULL)
        return CLU_OK;
    if (r->link != NULL && (r->link->flags & DFLAG_FRAGMENTS) == 0 && size > CLU_MESSAGE_MAX)
        return CLU_ESIZE;
    if (remote_is_busy_for(r, p) && !p->node->urgent)
        return wait_for_room(r, p, large);
    return large && r->link != NULL && !channel_takes_large(r->link->channel)
               ? wait_for_room(r, p, true)
               : CLU_OK;
}

/* ---- to one of ours ---- */

static void find_near(struct sending *s, const clu_to *to)
{
    struct clu_node *n = s->from->node;
    struct clu_process *p = NULL;

    s->tie = 0;
    if (to->pid.node.len > 0) {
        p = process_find(n, &to->pid);
    } else if (to->alias.n > 0) {
        struct tie *t = tie_by_alias(n, &to->alias);

        p = t == NULL ? NULL : t->owner;
        s->tie = t == NULL ? 0 : t->id;
    } else {
        p = process_named(n, to->name);
    }
    s->local = p == NULL ? 0 : p->id;
}

static clu_writer *begin_near(struct sending *s, const clu_to *to)
{
    find_near(s, to);
    clu_writer_init(&s->w);
    return &s->w;
}

/* What is sent in answer to it, at once, is under way while this is not done with. */
static clu_error end_near(struct sending *s)
{
    struct sending sent = *s;
    struct clu_node *n = sent.from->node;
    struct clu_process *p = slots_get(&n->procs, sent.local);
    clu_pid from = process_pid(sent.from);
    struct tie *t = slots_get(&n->ties, sent.tie);
    clu_error err = sent.w.err;

    s->from = NULL;
    if (p != NULL && err == CLU_OK && (sent.tie == 0 || t != NULL))
        take_message(p, &from, t, reader_of((clu_slice){sent.w.data, sent.w.len}));
    clu_writer_free(&sent.w);
    return err;
}

/* ---- the message ---- */

/* What is put after a failure goes nowhere. */
static clu_writer *nowhere(struct sending *s)
{
    s->w = (clu_writer){.fixed = true, .err = s->err};
    return &s->w;
}

clu_writer *clu_send_begin(clu_process *p, const clu_to *to)
{
    struct sending *s = &p->node->sending;
    clu_slice node = node_of(to);

    *s = (struct sending){.from = p, .err = p->ended ? CLU_ENOENT : CLU_OK};
    if (s->err != CLU_OK)
        return nowhere(s);
    if (node.len == 0 || is_own_name(p->node, node))
        return begin_near(s, to);
    clu_writer *w = begin_far(s, to, node);

    return s->err == CLU_OK ? send_begun(p, w) : nowhere(s);
}

/* A BEAM would dial: its gen:reply is a message like any other. But then whoever knows the cookie
 * could have us dial whomever he names. It would wait, too, where the link is busy, and we have
 * nobody who could: so it goes out, however much is queued. */
clu_writer *send_back(struct clu_process *p, const clu_to *to)
{
    struct sending *s = &p->node->sending;
    clu_slice node = node_of(to);
    const struct remote *r = remote_find(p->node, node);

    if (node.len > 0 && !is_own_name(p->node, node) && (r == NULL || r->link == NULL)) {
        *s = (struct sending){.from = p, .err = CLU_ENOENT};
        return nowhere(s);
    }
    bool urgent = p->node->urgent;

    p->node->urgent = true;
    clu_writer *w = clu_send_begin(p, to);

    p->node->urgent = urgent;
    return w;
}

clu_error send_answer(struct clu_process *p, struct remote *r, const clu_to *to, clu_slice term)
{
    send_drop(p->node);
    clu_writer *w = signal_begin(r, p);

    put_control(w, p, to, remote_flags(r));
    signal_payload(r);
    clu_put_raw(w, term);
    return signal_end(r);
}

static void cancel_far(struct remote *r)
{
    signal_cancel(r);
    remote_release(r);
}

clu_error far_end(struct sending *s)
{
    struct remote *r = s->remote;
    clu_error err;

    if (signal_must_wait(r)) {
        err = wait_for_room(r, s->from, true);
        cancel_far(r);
        return err;
    }
    err = signal_end(r);
    remote_release(r);
    return err;
}

bool send_has_term(const struct sending *s)
{
    const clu_writer *w = s->remote == NULL ? &s->w : signal_writer(s->remote);

    return w->len > s->prefix || w->err != CLU_OK;
}

/* Behind a call of a function clu_call_end puts more. */
static bool is_whole(const struct sending *s)
{
    return s->rpc == 0 && s->multi == NULL && send_has_term(s);
}

clu_error clu_send_end(clu_process *p)
{
    struct sending *s = &p->node->sending;
    clu_error err = s->err;

    if (s->from != p)
        return CLU_EBADARG;
    if (err == CLU_OK && !is_whole(s)) {
        send_drop(p->node);
        return CLU_EBADARG;
    }
    if (err == CLU_OK && s->remote == NULL)
        return end_near(s);
    if (err == CLU_OK)
        err = far_end(s);
    s->from = NULL;
    return err;
}

void send_drop(struct clu_node *n)
{
    struct sending *s = &n->sending;

    if (s->from == NULL)
        return;
    if (s->err == CLU_OK && s->remote != NULL)
        cancel_far(s->remote);
    else if (s->err == CLU_OK)
        clu_writer_free(&s->w);
    s->from = NULL;
    free(s->multi);
    s->multi = NULL;
    struct tie *call = slots_get(&n->ties, s->call);

    s->call = 0;
    if (call != NULL)
        tie_end(call);
}

void clu_send_cancel(clu_process *p)
{
    if (p->node->sending.from == p)
        send_drop(p->node);
}

clu_error clu_send_raw(clu_process *p, const clu_to *to, clu_slice term)
{
    clu_put_raw(clu_send_begin(p, to), term);
    return clu_send_end(p);
}
