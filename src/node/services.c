/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node_impl.h"

/* ---- gen calls ---- */

/* The tag of OTP 24 and later is [alias | Ref], Ref being the caller's monitor and alias in one:
 * answers to the alias never arrive late in the caller's mailbox. */
static clu_ref alias_of(clu_slice tag)
{
    clu_reader r = {.pos = tag.data, .end = tag.data + tag.len};

    if (clu_get_list(&r) != 1 || !slice_is(clu_get_atom(&r), "alias"))
        return (clu_ref){0};
    clu_ref alias = clu_get_ref(&r);

    return r.err == CLU_OK ? alias : (clu_ref){0};
}

bool get_gen_call(clu_reader *msg, struct gen_call *call)
{
    if (clu_get_tuple(msg) != 3 || !slice_is(clu_get_atom(msg), "$gen_call") ||
        clu_get_tuple(msg) != 2)
        return false;
    call->from = clu_get_pid(msg);
    call->tag = clu_get_raw(msg);
    if (msg->err != CLU_OK)
        return false;
    call->alias = alias_of(call->tag);
    return true;
}

void put_gen_call(struct node_link *l, clu_writer *w, const clu_pid *from, const clu_ref *ref,
                  const char *to)
{
    channel_begin(l->channel, w, 0);
    control_put_reg_send(w, from, to);
    channel_payload(l->channel, w);
    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "$gen_call");
    clu_put_tuple(w, 2);
    clu_put_pid(w, from);
    clu_put_ref(w, ref);
}

void put_reply(struct node_link *l, clu_writer *w, const clu_pid *self, const struct gen_call *call)
{
    channel_begin(l->channel, w, 0);
    if (call->alias.n > 0)
        control_put_alias_send(w, self, &call->alias);
    else
        control_put_send(w, &call->from);
    channel_payload(l->channel, w);
    clu_put_tuple(w, 2);
    clu_put_raw(w, call->tag);
}

static clu_error reply_atom(struct signal *s, enum service service, const struct gen_call *call,
                            const char *answer)
{
    clu_pid self = service_pid(s->node, service);
    clu_writer w;

    put_reply(s->link, &w, &self, call);
    clu_put_atom_text(&w, answer);
    return channel_end(s->link->channel, &w);
}

/* ---- net_kernel ---- */

/* A call that we do not know fails at once: the caller's monitor, which is in the tag, fires. A
 * BEAM would not know ours either, and says nothing; then erlang:spawn/4 towards a node without
 * DFLAG_SPAWN waits for ever. */
static clu_error refuse_call(struct signal *s, const struct gen_call *call)
{
    clu_slice name = slice_of("net_kernel");

    if (call->alias.n == 0 || !link_monitors(s->link))
        return CLU_OK;
    return answer_monitor_exit(s->link, NULL, &name, &call->from, &call->alias, "notsup");
}

/* {is_auth, Node} is the question of net_adm:ping: only who knows the cookie can ask it. */
static clu_error net_kernel_take(struct signal *s, clu_reader *msg)
{
    struct gen_call call;

    if (!get_gen_call(msg, &call))
        return CLU_OK;
    if (clu_get_tuple(msg) == 2 && slice_is(clu_get_atom(msg), "is_auth"))
        return reply_atom(s, SERVICE_NET_KERNEL, &call, "yes");
    return refuse_call(s, &call);
}

/* ---- rex ---- */

/* {Pid, features_request} comes from a BEAM's rpc when a visible node comes up; it wants to know
 * whether we serve erpc. */
static clu_error rex_take(struct signal *s, clu_reader *msg)
{
    clu_writer w;

    if (clu_get_tuple(msg) != 2)
        return CLU_OK;
    clu_pid from = clu_get_pid(msg);

    if (!slice_is(clu_get_atom(msg), "features_request") || msg->err != CLU_OK)
        return CLU_OK;
    channel_begin(s->link->channel, &w, 0);
    control_put_send(&w, &from);
    channel_payload(s->link->channel, &w);
    clu_put_tuple(&w, 3);
    clu_put_atom_text(&w, "features_reply");
    clu_put_atom_text(&w, s->node->name);
    clu_put_nil(&w);
    return channel_end(s->link->channel, &w);
}

/* ---- global_name_server ---- */

/* We stay out of global altogether: answering half of it freezes the registrations of the whole
 * cluster. But global:sync/0 over there waits for every visible node; this one cast tells it that
 * there is nothing to wait for. It may only follow the peer's init_connect, by which its nodeup has
 * been handled. */
static clu_error send_in_sync(struct signal *s)
{
    clu_pid self = service_pid(s->node, SERVICE_GLOBAL);
    clu_writer w;

    channel_begin(s->link->channel, &w, 0);
    control_put_reg_send(&w, &self, "global_name_server");
    channel_payload(s->link->channel, &w);
    clu_put_tuple(&w, 2);
    clu_put_atom_text(&w, "$gen_cast");
    clu_put_tuple(&w, 3);
    clu_put_atom_text(&w, "in_sync");
    clu_put_atom_text(&w, s->node->name);
    clu_put_atom_text(&w, "true");
    return channel_end(s->link->channel, &w);
}

/* {'$gen_cast', {init_connect, {Version, Tag}, Node, InitMsg}} */
static clu_error global_take(struct signal *s, clu_reader *msg)
{
    if (clu_get_tuple(msg) != 2 || !slice_is(clu_get_atom(msg), "$gen_cast") ||
        clu_get_tuple(msg) == 0 || !slice_is(clu_get_atom(msg), "init_connect"))
        return CLU_OK;
    return send_in_sync(s);
}

/* ---- the table ---- */

static const struct {
    const char *name; /* NULL: not registered */
    bool alive;
    clu_error (*take)(struct signal *s, clu_reader *msg);
} services[SERVICES] = {
    [SERVICE_NET_KERNEL] = {"net_kernel", true, net_kernel_take},
    [SERVICE_REX] = {"rex", false, rex_take},
    [SERVICE_GLOBAL] = {"global_name_server", false, global_take},
    [SERVICE_PINGER] = {NULL, true, ping_answer},
    [SERVICE_EXCHANGE] = {NULL, true, exchange_take},
    [SERVICE_MESH] = {"erlclu_mesh", true, mesh_take},
};

clu_pid service_pid(const struct node *n, enum service service)
{
    return (clu_pid){
        .node = slice_of(n->name), .id = (uint32_t)service + 1, .creation = n->creation};
}

enum service service_of_name(clu_slice name)
{
    for (size_t i = 0; i < SERVICES; i++)
        if (services[i].name != NULL && slice_is(name, services[i].name))
            return (enum service)i;
    return SERVICES;
}

enum service service_of_pid(const struct node *n, const clu_pid *pid)
{
    bool ours = slice_is(pid->node, n->name) && pid->creation == n->creation && pid->serial == 0;

    return ours && pid->id >= 1 && pid->id <= SERVICES ? (enum service)(pid->id - 1) : SERVICES;
}

bool service_is_alive(enum service service)
{
    return service < SERVICES && services[service].alive;
}

clu_error service_deliver(enum service service, struct signal *s)
{
    clu_slice payload = s->c->payload;
    clu_reader msg = {.pos = payload.data, .end = payload.data + payload.len, .refs = s->c->refs};

    return services[service].take(s, &msg);
}
