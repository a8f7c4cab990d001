/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* ---- gen calls ---- */

/* The tag of OTP 24 and later is [alias | Ref], Ref being the caller's monitor and alias in one:
 * answers to the alias never arrive late in the caller's mailbox. multi_call, since OTP 26, has one
 * alias for all its monitors: [[alias | Ref] | Monitor]. */
static clu_ref alias_of(clu_reader tag)
{
    size_t n = clu_get_list(&tag);

    if (n == 1 && clu_peek_type(&tag) == CLU_TYPE_LIST)
        n = clu_get_list(&tag);
    if (n != 1 || !slice_is(clu_get_atom(&tag), "alias"))
        return (clu_ref){0};
    clu_ref alias = clu_get_ref(&tag);

    return tag.err == CLU_OK ? alias : (clu_ref){0};
}

bool get_gen_call(clu_reader *msg, struct gen_call *call)
{
    return get_call_by(msg, "$gen_call", call);
}

bool get_call_by(clu_reader *msg, const char *word, struct gen_call *call)
{
    if (clu_get_tuple(msg) != 3 || !slice_is(clu_get_atom(msg), word) || clu_get_tuple(msg) != 2)
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
    clu_writer *w = send_back(p, &to);

    clu_put_tuple(w, 2);
    clu_put_term(w, &tag);
    return w;
}

/* ---- net_kernel ---- */

/* {is_auth, Node} is the question of net_adm:ping: only who knows the cookie can ask it. */
static void net_kernel_receive(clu_process *p, const clu_signal *s, void *arg)
{
    clu_reader msg = s->term;
    struct gen_call call;
    struct atom_term why;

    (void)arg;
    if (s->kind != CLU_SIGNAL_MESSAGE || !get_gen_call(&msg, &call))
        return;
    /* A call that we do not know fails at once. A BEAM would not know ours either, and say nothing:
     * its caller waits. */
    if (clu_get_tuple(&msg) != 2 || !slice_is(clu_get_atom(&msg), "is_auth")) {
        gen_fail(p, &call.from, call.tag, atom_term(&why, "notsup"));
        return;
    }
    clu_put_atom_text(reply_begin(p, &call), "yes");
    send_or_lose(p);
}

/* ---- global_name_server ---- */

/* We stay out of global altogether: answering half of it freezes the registrations of the whole
 * cluster. But global:sync/0 over there waits for every visible node; this one cast tells it that
 * there is nothing to wait for. It may only follow the peer's init_connect, by which its nodeup has
 * been handled. */
static void send_in_sync(struct clu_process *p, clu_slice node)
{
    clu_to to = {.name = slice_of("global_name_server"), .node = node};
    clu_writer *w = send_back(p, &to);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "$gen_cast");
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
    {"rex", false, rex_receive},
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
