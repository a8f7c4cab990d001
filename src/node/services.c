/* SPDX-License-Identifier: Apache-2.0 */
#include "node/services.h"

/* ---- gen calls ---- */

/* The tag of OTP 24 and later is [alias | Ref], Ref being the caller's monitor and alias in one:
 * answers to the alias never arrive late in the caller's mailbox. */
static clu_ref alias_of(clu_reader tag)
{
    if (clu_get_list(&tag) != 1 || !slice_is(clu_get_atom(&tag), "alias"))
        return (clu_ref){0};
    clu_ref alias = clu_get_ref(&tag);

    return tag.err == CLU_OK ? alias : (clu_ref){0};
}

bool get_gen_call(clu_reader *msg, struct gen_call *call)
{
    if (clu_get_tuple(msg) != 3 || !slice_is(clu_get_atom(msg), "$gen_call") ||
        clu_get_tuple(msg) != 2)
        return false;
    call->from = clu_get_pid(msg);
    call->tag = *msg;
    clu_skip_term(msg);
    if (msg->err != CLU_OK)
        return false;
    call->tag.end = msg->pos;
    call->alias = alias_of(call->tag);
    return true;
}

clu_writer *reply_begin(struct clu_process *p, const struct gen_call *call)
{
    clu_to to = call->alias.n > 0 ? clu_to_alias(call->alias) : clu_to_pid(call->from);
    clu_reader tag = call->tag;
    clu_writer *w = clu_send_begin(p, &to);

    clu_put_tuple(w, 2);
    clu_put_term(w, &tag);
    return w;
}

/* ---- net_kernel ---- */

/* A call that we do not know fails at once: the caller's monitor, which is in the tag, fires. A
 * BEAM would not know ours either, and says nothing; then erlang:spawn/4 towards a node without
 * DFLAG_SPAWN waits for ever. */
static void refuse_call(struct clu_process *p, const struct gen_call *call)
{
    struct remote *r = remote_find(p->node, call->from.node);
    clu_slice name = slice_of("net_kernel");
    struct atom_term term;

    if (call->alias.n > 0 && r != NULL && r->link != NULL && link_monitors(r->link))
        (void)signal_down(r, p, NULL, &name, &call->from, &call->alias, atom_term(&term, "notsup"));
}

/* {is_auth, Node} is the question of net_adm:ping: only who knows the cookie can ask it. */
static void net_kernel_receive(clu_process *p, const clu_signal *s, void *arg)
{
    clu_reader msg = s->term;
    struct gen_call call;

    (void)arg;
    if (s->kind != CLU_SIGNAL_MESSAGE || !get_gen_call(&msg, &call))
        return;
    if (clu_get_tuple(&msg) != 2 || !slice_is(clu_get_atom(&msg), "is_auth")) {
        refuse_call(p, &call);
        return;
    }
    clu_put_atom_text(reply_begin(p, &call), "yes");
    send_or_lose(p); /* busy: it asks again */
}

/* ---- rex ---- */

/* {Pid, features_request} comes from a BEAM's rpc when a visible node comes up; it wants to know
 * whether we serve erpc. */
static void rex_receive(clu_process *p, const clu_signal *s, void *arg)
{
    clu_reader msg = s->term;

    (void)arg;
    if (s->kind != CLU_SIGNAL_MESSAGE || clu_get_tuple(&msg) != 2)
        return;
    clu_to to = clu_to_pid(clu_get_pid(&msg));

    if (!slice_is(clu_get_atom(&msg), "features_request") || msg.err != CLU_OK)
        return;
    clu_writer *w = clu_send_begin(p, &to);

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "features_reply");
    clu_put_atom_text(w, p->node->name);
    clu_put_nil(w);
    send_or_lose(p); /* nobody waits for it */
}

/* ---- global_name_server ---- */

/* We stay out of global altogether: answering half of it freezes the registrations of the whole
 * cluster. But global:sync/0 over there waits for every visible node; this one cast tells it that
 * there is nothing to wait for. It may only follow the peer's init_connect, by which its nodeup has
 * been handled. */
static void send_in_sync(struct clu_process *p, clu_slice node)
{
    clu_to to = {.name = slice_of("global_name_server"), .node = node};
    clu_writer *w = clu_cast_begin(p, &to);

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "in_sync");
    clu_put_atom_text(w, p->node->name);
    clu_put_atom_text(w, "true");
    send_or_lose(p);
}

/* {'$gen_cast', {init_connect, {Version, Tag}, Node, InitMsg}} */
static void global_receive(clu_process *p, const clu_signal *s, void *arg)
{
    clu_reader msg = s->term;

    (void)arg;
    if (s->kind == CLU_SIGNAL_MESSAGE && clu_get_tuple(&msg) == 2 &&
        slice_is(clu_get_atom(&msg), "$gen_cast") && clu_get_tuple(&msg) > 0 &&
        slice_is(clu_get_atom(&msg), "init_connect"))
        send_in_sync(p, s->from.node);
}

/* ---- the table ---- */

static const struct {
    const char *name;
    bool absent;
    clu_receive_fn *receive;
} services[] = {
    {"net_kernel", false, net_kernel_receive},
    {"rex", true, rex_receive},
    {"global_name_server", true, global_receive},
};

clu_error services_start(struct clu_node *n)
{
    clu_error err = CLU_OK;

    for (size_t i = 0; i < COUNT(services) && err == CLU_OK; i++) {
        clu_spawn_options o = {
            .name = services[i].name, .receive = services[i].receive, .trap_exit = true};
        struct clu_process *p;

        err = process_new(n, &o, &p);
        if (p == NULL)
            break;
        p->service = true;
        p->absent = services[i].absent;
    }
    return err;
}

/* We do not offer DFLAG_SPAWN; who asks all the same is told what a BEAM without it is told. */
clu_error receive_spawn_request(struct signal *s)
{
    control_put_spawn_error(signal_begin(s->remote, NULL), &s->c->ref, &s->c->from, "notsup");
    return signal_end(s->remote);
}
