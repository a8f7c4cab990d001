/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node_impl.h"

/* The words of a reference that this node makes: the BEAM's first word has 18 bits. */
#define REF_WORDS     3
#define REF_WORD_BITS 18

clu_ref node_make_ref(struct node *n)
{
    uint64_t number = ++n->n_refs;

    return (clu_ref){
        .node = slice_of(n->name),
        .creation = n->creation,
        .n = REF_WORDS,
        .words = {(uint32_t)(number & ((UINT64_C(1) << REF_WORD_BITS) - 1)),
                  (uint32_t)(number >> REF_WORD_BITS)},
    };
}

bool node_made_ref(const struct node *n, const clu_ref *ref)
{
    return slice_is(ref->node, n->name) && ref->creation == n->creation && ref->n == REF_WORDS;
}

static clu_error send_monitor(struct node_link *l, const clu_pid *from, const clu_ref *ref,
                              void (*put)(clu_writer *, const clu_pid *, const char *,
                                          const clu_ref *))
{
    clu_writer w;

    if (!link_monitors(l))
        return CLU_OK;
    channel_begin(l->channel, &w, 0);
    put(&w, from, "net_kernel", ref);
    return channel_end(l->channel, &w);
}

/* {'$gen_call', {Pid, Ref}, {is_auth, Node}} */
static clu_error send_is_auth(struct node *n, struct node_link *l, const clu_pid *from,
                              const clu_ref *ref)
{
    clu_writer w;

    put_gen_call(l, &w, from, ref, "net_kernel");
    clu_put_tuple(&w, 2);
    clu_put_atom_text(&w, "is_auth");
    clu_put_atom_text(&w, n->name);
    return channel_end(l->channel, &w);
}

clu_error node_ping(struct node *n, struct node_link *l, clu_ref *ref)
{
    clu_pid from = service_pid(n, SERVICE_PINGER);

    if (channel_is_busy(l->channel))
        return CLU_EBUSY;
    *ref = node_make_ref(n);
    clu_error err = send_monitor(l, &from, ref, control_put_monitor);

    return err == CLU_OK ? send_is_auth(n, l, &from, ref) : err;
}

clu_error ping_answer(struct signal *s, clu_reader *msg)
{
    if (clu_get_tuple(msg) != 2)
        return CLU_OK;
    clu_ref ref = clu_get_ref(msg);
    bool yes = slice_is(clu_get_atom(msg), "yes");

    if (ref.n == 0 || !node_made_ref(s->node, &ref))
        return CLU_OK;
    *s->report =
        (struct node_report){.kind = yes ? NODE_REPORT_PONG : NODE_REPORT_PANG, .ref = ref};
    clu_pid from = service_pid(s->node, SERVICE_PINGER);

    return send_monitor(s->link, &from, &ref, control_put_demonitor);
}

clu_error ping_gone(struct signal *s)
{
    if (service_of_pid(s->node, &s->c->to) == SERVICE_PINGER && node_made_ref(s->node, &s->c->ref))
        *s->report = (struct node_report){.kind = NODE_REPORT_PANG, .ref = s->c->ref};
    return CLU_OK;
}
