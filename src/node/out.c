/* SPDX-License-Identifier: Apache-2.0 */
#include "node/proc.h"

/* Signals to other nodes. To one that is linked they are written into its channel; to one that is
 * not they are held, each as the length of its control message, that of its payload, the key of its
 * sender, and the two terms without version bytes. */

#define HELD_HEAD 16

/* What a node that is not linked yet is taken to understand: all of these OTP 25 offers. What is
 * held for one that turns out to know less is rewritten when it is linked (send_older). */
#define FLAGS_ASSUMED                                                                              \
    (DFLAGS_MANDATORY_26 | DFLAG_DIST_MONITOR | DFLAG_DIST_MONITOR_NAME | DFLAG_SEND_SENDER |      \
     DFLAG_EXIT_PAYLOAD | DFLAG_SPAWN | DFLAG_ALIAS)

uint64_t remote_flags(const struct remote *r)
{
    return r->link != NULL ? r->link->flags : FLAGS_ASSUMED;
}

bool remote_is_busy(const struct remote *r)
{
    return r->link != NULL ? channel_is_busy(r->link->channel) : r->held.len > CLU_HELD_MAX;
}

bool signal_must_wait(const struct remote *r)
{
    const struct sending *s = &r->node->sending;

    return r->link != NULL && s->late == NULL && channel_must_wait(r->link->channel, &s->w);
}

uint64_t sender_key(const struct clu_process *from)
{
    return from == NULL ? 0 : (uint64_t)from->serial << 32 | from->id;
}

bool remote_is_busy_for(const struct remote *r, const struct clu_process *p)
{
    if (r->link == NULL)
        return remote_is_busy(r);
    return backlog_of(r, p) != NULL || channel_is_busy_for(r->link->channel, sender_key(p));
}

/* Answers of processes are queued when these are buried, and count before that. */
bool remote_has_room(const struct remote *r, uint64_t sender, size_t len)
{
    const struct channel *c = r->link->channel;

    return !channel_is_busy_for(c, sender) && r->promised < CHANNEL_BUSY_BYTES &&
           (len <= CHANNEL_SMALL_MAX || channel_takes_large(c));
}

/* ---- held ---- */

static void want(struct remote *r)
{
    if (!r->dialled && list_empty(&r->wanted))
        list_append(&r->node->wanted, &r->wanted);
}

static clu_writer *hold_begin(struct remote *r, const struct clu_process *from)
{
    uint8_t head[HELD_HEAD] = {0};
    struct sending *s = &r->node->sending;

    put_be64(head + 8, sender_key(from));
    s->held_at = r->held.len;
    clu_put_bytes(&r->held, head, sizeof head);
    return &r->held;
}

/* The lengths as far as they are known: at the payload's begin that of the control message. */
static void hold_payload(struct remote *r)
{
    size_t at = r->node->sending.held_at;

    if (r->held.err == CLU_OK)
        put_be32(r->held.data + at, (uint32_t)(r->held.len - at - HELD_HEAD));
}

static void hold_cancel(struct remote *r)
{
    r->held.len = r->node->sending.held_at;
    r->held.err = CLU_OK;
}

static clu_error hold_end(struct remote *r)
{
    size_t at = r->node->sending.held_at;
    clu_error err = r->held.err;

    if (err != CLU_OK) {
        hold_cancel(r);
        return err;
    }
    uint8_t *head = r->held.data + at;
    size_t control = get_be32(head), all = r->held.len - at - HELD_HEAD;

    put_be32(head, (uint32_t)(control == 0 ? all : control));
    put_be32(head + 4, (uint32_t)(control == 0 ? 0 : all - control));
    want(r);
    return CLU_OK;
}

static clu_slice held_control(const uint8_t *head)
{
    return (clu_slice){head + HELD_HEAD, get_be32(head)};
}

static clu_slice held_payload(const uint8_t *head)
{
    return (clu_slice){head + HELD_HEAD + get_be32(head), get_be32(head + 4)};
}

static void talk(struct node_link *l)
{
    if (list_empty(&l->talking))
        list_append(&l->remote->node->talking, &l->talking);
}

clu_error signal_copy(struct remote *r, uint64_t sender, clu_slice control, clu_slice payload)
{
    struct channel *c = r->link->channel;
    clu_writer w;

    talk(r->link);
    channel_begin(c, &w, sender);
    clu_put_raw(&w, control);
    if (payload.len > 0) {
        channel_payload(c, &w);
        clu_put_raw(&w, payload);
    }
    return channel_end(c, &w);
}

/* A spawn request that was held for a peer that does not know such would cut its link: who asked is
 * told what a BEAM of that kind would say. */
static void refuse_spawn(struct remote *r, const struct control *c)
{
    struct tie *t = tie_find(r->node, &c->ref);
    const struct control reply = {
        .op = OP_SPAWN_REPLY, .from_is_name = true, .from_name = slice_of("notsup")};

    if (t != NULL && (t->kinds & TIE_SPAWN) != 0)
        t->on_spawn(t, &reply);
    else
        spawn_forget(r, &c->ref);
}

/* What an op of those assumed needs of the link, 0: nothing. */
static uint64_t flag_of(enum control_op op)
{
    static const uint64_t flags[OP_MAX] = {
        [OP_SEND_SENDER] = DFLAG_SEND_SENDER,
        [OP_PAYLOAD_EXIT] = DFLAG_EXIT_PAYLOAD,
        [OP_PAYLOAD_EXIT2] = DFLAG_EXIT_PAYLOAD,
        [OP_PAYLOAD_MONITOR_P_EXIT] = DFLAG_EXIT_PAYLOAD,
        [OP_SPAWN_REQUEST] = DFLAG_SPAWN,
        [OP_MONITOR_P] = DFLAG_DIST_MONITOR | DFLAG_DIST_MONITOR_NAME,
        [OP_DEMONITOR_P] = DFLAG_DIST_MONITOR | DFLAG_DIST_MONITOR_NAME,
    };

    return flags[op];
}

/* The same in the form of old. A signal of the others that need a flag has none. */
static clu_error send_older(struct remote *r, const uint8_t *head, const struct control *c)
{
    const clu_slice *name = c->from_is_name ? &c->from_name : NULL;
    struct channel *to = r->link->channel;
    clu_writer w;

    talk(r->link);
    channel_begin(to, &w, get_be64(head + 8));
    if (c->op == OP_PAYLOAD_EXIT) {
        control_put_exit_raw(&w, &c->from, &c->to, c->payload);
    } else if (c->op == OP_PAYLOAD_EXIT2) {
        control_put_exit2(&w, &c->from, &c->to);
        clu_put_raw(&w, c->payload);
    } else if (c->op == OP_PAYLOAD_MONITOR_P_EXIT) {
        control_put_monitor_exit_raw(&w, &c->from, name, &c->to, &c->ref, c->payload);
    } else {
        control_put_send(&w, &c->to);
        channel_payload(to, &w);
        clu_put_raw(&w, c->payload);
    }
    return channel_end(to, &w);
}

static clu_error send_held(struct remote *r, const uint8_t *head)
{
    struct control c;
    const char *what;
    bool known = (FLAGS_ASSUMED & ~r->link->flags) == 0;

    if (known || control_parse(&c, held_control(head), held_payload(head), NULL, &what) != CLU_OK ||
        (flag_of(c.op) & ~r->link->flags) == 0)
        return signal_copy(r, get_be64(head + 8), held_control(head), held_payload(head));
    if (c.op == OP_SPAWN_REQUEST)
        refuse_spawn(r, &c);
    else if (c.op != OP_MONITOR_P && c.op != OP_DEMONITOR_P)
        return send_older(r, head, &c);
    return CLU_OK;
}

clu_error held_send(struct remote *r)
{
    clu_error err = r->lost ? CLU_ENOMEM : CLU_OK;

    for (size_t at = 0; at < r->held.len && err == CLU_OK;) {
        const uint8_t *head = r->held.data + at;

        err = send_held(r, head);
        at += HELD_HEAD + (size_t)get_be32(head) + get_be32(head + 4);
    }
    clu_writer_free(&r->held);
    clu_writer_init(&r->held);
    return err;
}

/* ---- any ---- */

clu_writer *signal_begin(struct remote *r, const struct clu_process *from)
{
    struct sending *s = &r->node->sending;

    s->remote = r;
    if (r->link == NULL)
        return hold_begin(r, from);
    s->late = backlog_of(r, from);
    s->payload = 0;
    if (s->late == NULL)
        channel_begin(r->link->channel, &s->w, sender_key(from));
    else
        clu_writer_init(&s->w);
    return &s->w;
}

void signal_payload(struct remote *r)
{
    struct sending *s = &r->node->sending;

    if (r->link == NULL)
        hold_payload(r);
    else if (s->late != NULL)
        s->payload = s->w.len;
    else
        channel_payload(r->link->channel, &s->w);
}

clu_error signal_end(struct remote *r)
{
    struct sending *s = &r->node->sending;

    s->remote = NULL;
    if (r->link == NULL)
        return hold_end(r);
    if (s->late != NULL)
        return backlog_add(s->late, &s->w, s->payload == 0 ? s->w.len : s->payload);
    talk(r->link);
    return channel_end(r->link->channel, &s->w);
}

void signal_cancel(struct remote *r)
{
    struct sending *s = &r->node->sending;

    s->remote = NULL;
    if (r->link == NULL)
        hold_cancel(r);
    else if (s->late != NULL)
        clu_writer_free(&s->w);
    else
        channel_cancel(r->link->channel, &s->w);
}

void link_fail(struct remote *r, clu_error err, const char *what)
{
    struct channel *c = r->link == NULL ? NULL : r->link->channel;

    if (c == NULL)
        return;
    talk(r->link);
    if (c->err != CLU_OK)
        return;
    c->err = err;
    c->what = what;
}

void signal_lost(struct remote *r)
{
    r->lost = r->lost || r->link == NULL;
    link_fail(r, CLU_ENOMEM, "no memory for a signal that must not be lost");
}

/* ---- exits ---- */

clu_slice atom_term(struct atom_term *t, const char *text)
{
    clu_writer w;

    clu_writer_fixed(&w, t->bytes, sizeof t->bytes);
    clu_put_atom_text(&w, text);
    return (clu_slice){t->bytes, w.len};
}

clu_error signal_exit(struct remote *r, const struct clu_process *p, const clu_pid *from,
                      const clu_pid *to, clu_slice reason)
{
    bool payload = (remote_flags(r) & DFLAG_EXIT_PAYLOAD) != 0;
    clu_writer *w = signal_begin(r, p);

    if (payload) {
        control_put_payload_exit(w, from, to);
        signal_payload(r);
        clu_put_raw(w, reason);
    } else {
        control_put_exit_raw(w, from, to, reason);
    }
    return signal_end(r);
}

clu_error signal_exit2(struct remote *r, const struct clu_process *p, const clu_pid *from,
                       const clu_pid *to, clu_slice reason)
{
    bool payload = (remote_flags(r) & DFLAG_EXIT_PAYLOAD) != 0;
    clu_writer *w = signal_begin(r, p);

    if (payload) {
        control_put_payload_exit2(w, from, to);
        signal_payload(r);
        clu_put_raw(w, reason);
    } else {
        control_put_exit2(w, from, to);
        clu_put_raw(w, reason);
    }
    return signal_end(r);
}

clu_error signal_down(struct remote *r, const struct clu_process *p, const clu_pid *pid,
                      const clu_slice *name, const clu_pid *to, const clu_ref *ref,
                      clu_slice reason)
{
    bool payload = (remote_flags(r) & DFLAG_EXIT_PAYLOAD) != 0;
    clu_writer *w = signal_begin(r, p);

    if (payload) {
        control_put_payload_monitor_exit(w, pid, name, to, ref);
        signal_payload(r);
        clu_put_raw(w, reason);
    } else {
        control_put_monitor_exit_raw(w, pid, name, to, ref, reason);
    }
    return signal_end(r);
}
