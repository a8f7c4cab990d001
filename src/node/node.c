/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node.h"

#include "node/node_impl.h"

/* ---- life ---- */

void node_init(struct node *n, const char *name, uint32_t creation, bool hidden)
{
    *n = (struct node){.hidden = hidden};
    node_rename(n, name, creation);
}

void node_fini(struct node *n)
{
    *n = (struct node){0};
}

void node_rename(struct node *n, const char *name, uint32_t creation)
{
    text_set(n->name, sizeof n->name, slice_of(name));
    n->creation = creation;
}

void node_link_init(struct node_link *l, struct channel *channel, const char *peer,
                    uint32_t peer_creation, uint64_t flags)
{
    *l = (struct node_link){
        .channel = channel,
        .peer = slice_of(peer),
        .creation = peer_creation,
        .flags = flags,
        .visible = (flags & DFLAG_PUBLISHED) != 0,
    };
}

void node_link_fini(struct node_link *l)
{
    *l = (struct node_link){0};
}

/* ---- answers ---- */

clu_error answer_monitor_exit(struct node_link *l, const clu_pid *pid, const clu_slice *name,
                              const clu_pid *to, const clu_ref *ref, const char *reason)
{
    clu_writer w;

    channel_begin(l->channel, &w, 0);
    if (l->flags & DFLAG_EXIT_PAYLOAD) {
        control_put_payload_monitor_exit(&w, pid, name, to, ref);
        channel_payload(l->channel, &w);
        clu_put_atom_text(&w, reason);
    } else {
        control_put_monitor_exit(&w, pid, name, to, ref, reason);
    }
    return channel_end(l->channel, &w);
}

clu_error answer_exit(struct node_link *l, const clu_pid *from, const clu_pid *to,
                      const char *reason)
{
    clu_writer w;

    channel_begin(l->channel, &w, 0);
    if (l->flags & DFLAG_EXIT_PAYLOAD) {
        control_put_payload_exit(&w, from, to);
        channel_payload(l->channel, &w);
        clu_put_atom_text(&w, reason);
    } else {
        control_put_exit(&w, from, to, reason);
    }
    return channel_end(l->channel, &w);
}

/* ---- signals ---- */

static enum service receiver(const struct signal *s)
{
    const struct control *c = s->c;

    return c->to_is_name ? service_of_name(c->to_name) : service_of_pid(s->node, &c->to);
}

/* A message to nobody is dropped, as everywhere in Erlang. */
static clu_error take_message(struct signal *s)
{
    enum service service = receiver(s);

    return service == SERVICES ? CLU_OK : service_deliver(service, s);
}

static clu_error take_alias_message(struct signal *s)
{
    return service_deliver(SERVICE_PINGER, s);
}

/* Services never end, so a monitor of one needs no memory. */
static clu_error take_monitor(struct signal *s)
{
    const struct control *c = s->c;

    if (service_is_alive(receiver(s)))
        return CLU_OK;
    return answer_monitor_exit(s->link, &c->to, c->to_is_name ? &c->to_name : NULL, &c->from,
                               &c->ref, "noproc");
}

static clu_error take_link(struct signal *s)
{
    const struct control *c = s->c;

    if (service_is_alive(receiver(s)))
        return CLU_OK;
    return answer_exit(s->link, &c->to, &c->from, "noproc");
}

/* The acknowledgement goes from the pid that was unlinked to the one that unlinked it. */
static clu_error take_unlink(struct signal *s)
{
    clu_writer w;

    channel_begin(s->link->channel, &w, 0);
    control_put_unlink_ack(&w, s->c->id, &s->c->to, &s->c->from);
    return channel_end(s->link->channel, &w);
}

/* We do not offer DFLAG_SPAWN; who asks all the same is told what a BEAM without it is told. */
static clu_error take_spawn_request(struct signal *s)
{
    clu_writer w;

    channel_begin(s->link->channel, &w, 0);
    control_put_spawn_error(&w, &s->c->ref, &s->c->from, "notsup");
    return channel_end(s->link->channel, &w);
}

/* A row an op that is more than passed over: who handles it, and whether a BEAM cuts the link when
 * its sender is no process of the peer (dist.c: erts_net_message). */
static const struct {
    signal_handler *handle;
    bool from_peer;
} handlers[OP_MAX] = {
    [OP_LINK] = {take_link, true},
    [OP_SEND] = {take_message, false},
    [OP_SEND_TT] = {take_message, false},
    [OP_SEND_SENDER] = {take_message, false},
    [OP_SEND_SENDER_TT] = {take_message, false},
    [OP_REG_SEND] = {take_message, false},
    [OP_REG_SEND_TT] = {take_message, false},
    [OP_ALIAS_SEND] = {take_alias_message, false},
    [OP_ALIAS_SEND_TT] = {take_alias_message, false},
    [OP_EXIT] = {NULL, true},
    [OP_EXIT_TT] = {NULL, true},
    [OP_PAYLOAD_EXIT] = {NULL, true},
    [OP_PAYLOAD_EXIT_TT] = {NULL, true},
    [OP_MONITOR_P] = {take_monitor, true},
    [OP_DEMONITOR_P] = {NULL, true},
    [OP_MONITOR_P_EXIT] = {ping_gone, false},
    [OP_PAYLOAD_MONITOR_P_EXIT] = {ping_gone, false},
    [OP_SPAWN_REQUEST] = {take_spawn_request, true},
    [OP_SPAWN_REQUEST_TT] = {take_spawn_request, true},
    [OP_UNLINK_ID] = {take_unlink, true},
    [OP_UNLINK_ID_ACK] = {NULL, true},
};

clu_error node_receive(struct node *n, struct node_link *l, const struct control *c,
                       struct node_report *report, const char **what)
{
    struct signal s = {.node = n, .link = l, .c = c, .report = report};

    *report = (struct node_report){.kind = NODE_REPORT_NONE};
    if (handlers[c->op].from_peer && !slice_equal(c->from.node, l->peer)) {
        *what = "the peer sent a signal in the name of another node's process";
        return CLU_EPROTO;
    }
    if (handlers[c->op].handle == NULL)
        return CLU_OK;
    clu_error err = handlers[c->op].handle(&s);

    if (err != CLU_OK)
        *what = l->channel->err != CLU_OK ? l->channel->what : "no room for an answer";
    return err;
}
