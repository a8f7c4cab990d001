/* SPDX-License-Identifier: Apache-2.0 */
#include "node/proc.h"

/* What a channel hands out: signals, those whose payload was too big, and parts of streams. */

/* The atom message_too_big, in place of what was. */
static const uint8_t too_big[] = {ETF_SMALL_ATOM_UTF8,
                                  15,
                                  'm',
                                  'e',
                                  's',
                                  's',
                                  'a',
                                  'g',
                                  'e',
                                  '_',
                                  't',
                                  'o',
                                  'o',
                                  '_',
                                  'b',
                                  'i',
                                  'g'};

void clu_on_stream(clu_process *p, clu_stream_fn *on_stream, void *arg)
{
    if (on_stream == NULL)
        p->n_unstreamed++;
    p->on_stream = on_stream;
    p->stream_arg = arg;
}

/* ---- streams ---- */

/* Who takes a message, as the channel remembers it: also since when. */
static uint64_t stream_to(const struct clu_process *p)
{
    return (uint64_t)p->n_unstreamed << 32 | p->id;
}

/* NULL: nobody any more. */
static struct clu_process *taker_of(const struct clu_node *n, uint64_t stream)
{
    struct clu_process *p = slots_get(&n->procs, (slot_id)stream);
    bool takes = p != NULL && !p->ended && p->on_stream != NULL && stream_to(p) == stream;

    return takes ? p : NULL;
}

/* Which control messages carry a message to a process, and nothing else. */
static bool is_message(const struct control *c)
{
    static const bool ops[OP_MAX] = {
        [OP_SEND] = true,           [OP_SEND_TT] = true,       [OP_SEND_SENDER] = true,
        [OP_SEND_SENDER_TT] = true, [OP_REG_SEND] = true,      [OP_REG_SEND_TT] = true,
        [OP_ALIAS_SEND] = true,     [OP_ALIAS_SEND_TT] = true, [OP_ALTACT_SIG_SEND] = true,
    };

    return ops[c->op] && (c->sig_flags & ALTACT_EXIT) == 0;
}

static bool by_alias(const struct control *c)
{
    return c->op == OP_ALIAS_SEND || c->op == OP_ALIAS_SEND_TT || c->to_is_ref;
}

/* By an alias, unless a call is answered by it. */
static struct clu_process *receiver(const struct clu_node *n, const struct control *c)
{
    struct tie *t = by_alias(c) ? tie_by_alias(n, &c->ref) : NULL;

    if (by_alias(c))
        return t == NULL || (t->kinds & TIE_CALL) != 0 ? NULL : t->owner;
    return c->to_is_name ? process_named(n, c->to_name) : process_find(n, &c->to);
}

/* A control message whose payload is somewhere else. */
static clu_error parse_control(struct control *c, clu_slice control, const clu_refs *refs,
                               const char **what)
{
    return control_parse(c, control, (clu_slice){too_big, sizeof too_big}, refs, what);
}

/* channel.wants_stream. What cannot be parsed is refused when the message is whole. */
static uint64_t wants_stream(void *arg, clu_slice control, const clu_refs *refs)
{
    const struct node_link *l = arg;
    struct control c;
    const char *what;

    if (parse_control(&c, control, refs, &what) != CLU_OK || !is_message(&c))
        return 0;
    struct clu_process *p = receiver(l->remote->node, &c);

    return p != NULL && p->on_stream != NULL ? stream_to(p) : 0;
}

void streams_of(struct node_link *l)
{
    l->channel->wants_stream = wants_stream;
    l->channel->stream_arg = l;
}

void streams_end(struct clu_node *n, struct node_link *l)
{
    struct delivery d = {.signal = {.kind = CLU_SIGNAL_STREAM_LOST, .node = l->peer}};
    const struct gathering *at = NULL;
    uint64_t id;

    l->channel->wants_stream = NULL;
    while ((id = channel_next_stream(l->channel, &at)) != 0) {
        struct clu_process *p = taker_of(n, id);

        if (p != NULL)
            deliver(p, &d);
    }
}

/* What waits came before; what that leads to comes behind. */
static void run_mailbox(struct clu_process *p)
{
    uint32_t waiting = 0;

    if (p->receive == NULL)
        return;
    for (const struct list *at = p->mailbox.next; at != &p->mailbox; at = at->next)
        waiting++;
    mailbox_run(p, &waiting);
}

static clu_error receive_part(struct clu_node *n, struct node_link *l, const struct frame *f,
                              const char **what)
{
    static const clu_stream_part parts[] = {[FRAME_FIRST] = CLU_STREAM_FIRST,
                                            [FRAME_PART] = CLU_STREAM_NEXT,
                                            [FRAME_LAST] = CLU_STREAM_LAST};
    struct clu_process *p = taker_of(n, f->stream);
    struct control c;
    clu_error err = parse_control(&c, f->control, f->refs, what);

    if (err != CLU_OK || p == NULL)
        return err;
    run_mailbox(p);
    if (taker_of(n, f->stream) == NULL)
        return CLU_OK;
    user_begin(p);
    p->on_stream(p,
                 &(clu_stream){.part = parts[f->part],
                               .from = c.from,
                               .node = l->peer,
                               .sequence = f->sequence,
                               .bytes = f->payload,
                               .refs = f->refs},
                 p->stream_arg);
    user_end(n);
    return CLU_OK;
}

/* ---- signals ---- */

clu_error node_frame(struct clu_node *n, struct node_link *l, const struct frame *f,
                     const char **what)
{
    struct control c;
    clu_error err;

    if (f->part != FRAME_WHOLE)
        return receive_part(n, l, f, what);
    if (f->too_big)
        err = parse_control(&c, f->control, f->refs, what);
    else
        err = control_parse(&c, f->control, f->payload, f->refs, what);
    if (err != CLU_OK)
        return err;
    c.too_big = f->too_big;
    return node_receive(n, l, &c, what);
}
