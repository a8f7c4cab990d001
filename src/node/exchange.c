/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node_impl.h"

/* Peer exchange: which nodes a peer is linked with. A BEAM is asked what rpc:call(Node, erlang,
 * nodes, []) asks of its rex; a node of our own kind by gen_server:call({erlclu_mesh, Node},
 * nodes), whose answer has the addresses too. Who has no process of that name drops the message. */

/* {call, Module, Function, Arguments, GroupLeader}: rex's oldest request, which all releases take.
 */
static clu_error ask_rex(struct node_link *l, const clu_pid *from, const clu_ref *ref)
{
    clu_writer w;

    put_gen_call(l, &w, from, ref, "rex");
    clu_put_tuple(&w, 5);
    clu_put_atom_text(&w, "call");
    clu_put_atom_text(&w, "erlang");
    clu_put_atom_text(&w, "nodes");
    clu_put_nil(&w);
    clu_put_pid(&w, from);
    return channel_end(l->channel, &w);
}

static clu_error ask_kin(struct node_link *l, const clu_pid *from, const clu_ref *ref)
{
    clu_writer w;

    put_gen_call(l, &w, from, ref, "erlclu_mesh");
    clu_put_atom_text(&w, "nodes");
    return channel_end(l->channel, &w);
}

clu_error node_ask_nodes(struct node *n, struct node_link *l, enum node_kin kin, clu_ref *ref)
{
    clu_pid from = service_pid(n, SERVICE_EXCHANGE);
    clu_error err = CLU_OK;

    if (channel_is_busy(l->channel))
        return CLU_EBUSY;
    *ref = node_make_ref(n);
    if (kin != NODE_KIN_BEAM)
        err = ask_kin(l, &from, ref);
    return err == CLU_OK && kin != NODE_KIN_OURS ? ask_rex(l, &from, ref) : err;
}

/* What comes to who asked: {Ref, [Node, ...]} from rex, {Ref, {erlclu_nodes, [...]}} from our own
 * kind. Anything else, an error of rex too, says nothing. */
clu_error exchange_take(struct signal *s, clu_reader *msg)
{
    if (clu_get_tuple(msg) != 2)
        return CLU_OK;
    clu_ref ref = clu_get_ref(msg);
    clu_type type = clu_peek_type(msg);
    bool kin = type == CLU_TYPE_TUPLE;

    if (ref.n == 0 || !node_made_ref(s->node, &ref))
        return CLU_OK;
    if (kin && (clu_get_tuple(msg) != 2 || !slice_is(clu_get_atom(msg), "erlclu_nodes")))
        return CLU_OK;
    if (!kin && type != CLU_TYPE_LIST)
        return CLU_OK;
    *s->report = (struct node_report){
        .kind = kin ? NODE_REPORT_KIN_NODES : NODE_REPORT_NODES, .ref = ref, .nodes = *msg};
    return CLU_OK;
}

/* What comes to erlclu_mesh: the layer above knows the answer. */
clu_error mesh_take(struct signal *s, clu_reader *msg)
{
    struct gen_call call;

    if (get_gen_call(msg, &call) && slice_is(clu_get_atom(msg), "nodes"))
        *s->report = (struct node_report){.kind = NODE_REPORT_ASKED, .call = call};
    return CLU_OK;
}

void node_answer_begin(struct node *n, struct node_link *l, const struct gen_call *call,
                       clu_writer *w)
{
    clu_pid self = service_pid(n, SERVICE_MESH);

    put_reply(l, w, &self, call);
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "erlclu_nodes");
}
