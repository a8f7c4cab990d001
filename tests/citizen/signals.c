/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include <stdlib.h>

/* A pid, an alias, or {Name, Node}. */
static clu_error get_to(clu_reader *r, clu_to *to)
{
    *to = (clu_to){0};
    if (clu_match(r, "~p", &to->pid) == CLU_OK || clu_match(r, "~r", &to->alias) == CLU_OK)
        return CLU_OK;
    return clu_match(r, "{~a,~a}", &to->name, &to->node);
}

static clu_error on_pid(struct subject *c, clu_call *call, clu_reader *r,
                        clu_error (*act)(clu_process *self, const clu_pid *pid))
{
    clu_pid pid;
    clu_error err = clu_match(r, "~p", &pid);

    return order_reply(call, err == CLU_OK ? act(c->self, &pid) : err);
}

static clu_error do_link(struct subject *c, clu_call *call, clu_reader *r)
{
    return on_pid(c, call, r, clu_link);
}

static clu_error do_unlink(struct subject *c, clu_call *call, clu_reader *r)
{
    return on_pid(c, call, r, clu_unlink);
}

static clu_error do_monitor(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_to to;
    clu_error err = get_to(r, &to);

    return err == CLU_OK ? clu_reply(call, "~r", clu_monitor(c->self, &to)) : err;
}

static clu_error do_demonitor(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_ref ref;
    clu_error err = clu_match(r, "~r", &ref);

    if (err == CLU_OK)
        clu_demonitor(c->self, &ref);
    return order_reply(call, err);
}

static clu_error do_exit(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_pid pid;
    clu_error err = clu_match(r, "~p", &pid);

    return order_reply(call, err == CLU_OK ? clu_exit_signal(c->self, &pid, term_at(c, r)) : err);
}

static clu_error do_trap(struct subject *c, clu_call *call, clu_reader *r)
{
    bool trap;
    clu_error err = clu_match(r, "~o", &trap);

    if (err == CLU_OK)
        clu_trap_exit(c->self, trap);
    return order_reply(call, err);
}

static clu_error do_alias(struct subject *c, clu_call *call, clu_reader *r)
{
    (void)r;
    return clu_reply(call, "~r", clu_alias(c->self));
}

static clu_error do_unalias(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_ref ref;
    clu_error err = clu_match(r, "~r", &ref);

    if (err == CLU_OK)
        clu_unalias(c->self, &ref);
    return order_reply(call, err);
}

static clu_error do_send(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_to to;
    clu_error err = get_to(r, &to);

    return order_reply(call, err == CLU_OK ? clu_send(c->self, &to, "~t", r) : err);
}

/* {blob, To, Bytes}: a binary of so many bytes. */
static clu_error do_blob(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_to to;
    size_t n;
    clu_error err = get_to(r, &to);

    if (err == CLU_OK)
        err = clu_match(r, "~u", &n);
    uint8_t *blob = err == CLU_OK ? calloc(1, n) : NULL;

    if (err == CLU_OK && blob == NULL)
        err = CLU_ENOMEM;
    clu_slice bytes = {blob, n};

    if (err == CLU_OK)
        err = clu_send(c->self, &to, "~b", bytes);
    free(blob);
    return order_reply(call, err);
}

static clu_error do_nodes(struct subject *c, clu_call *call, clu_reader *r)
{
    bool on;
    clu_error err = clu_match(r, "~o", &on);

    if (err == CLU_OK)
        clu_monitor_nodes(c->self, on);
    return order_reply(call, err);
}

static clu_error do_spawn(struct subject *c, clu_call *call, clu_reader *r)
{
    char node[256], module[256], function[256];

    if (!get_text(r, node, sizeof node) || !get_text(r, module, sizeof module) ||
        !get_text(r, function, sizeof function))
        return CLU_EBADARG;
    return clu_reply(call, "~r",
                     clu_spawn_remote(c->self, node, module, function, term_at(c, r), true, true));
}

static clu_error do_leader(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_pid leader = clu_group_leader(c->self);

    (void)r;
    return leader.node.len > 0 ? clu_reply(call, "~p", leader) : clu_reply(call, "none");
}

static clu_error do_lead(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_pid pid, self = clu_self(c->self);
    clu_error err = clu_match(r, "~p", &pid);

    return order_reply(call, err == CLU_OK ? clu_set_group_leader(c->self, &pid, &self) : err);
}

static void on_stream(clu_process *self, const clu_stream *part, void *arg)
{
    struct subject *c = arg;

    (void)self;
    c->streamed = (part->part == CLU_STREAM_FIRST ? 0 : c->streamed) + part->bytes.len;
    if (part->part == CLU_STREAM_LAST)
        subject_noted(c, clu_format(&c->noted, "{stream,~u}", c->streamed));
}

/* {stream, true}: large messages are taken in parts, and only counted. */
static clu_error do_stream(struct subject *c, clu_call *call, clu_reader *r)
{
    bool on;
    clu_error err = clu_match(r, "~o", &on);

    if (err == CLU_OK)
        clu_on_stream(c->self, on ? on_stream : NULL, c);
    return order_reply(call, err);
}

const struct order signal_orders[] = {
    {"alias", do_alias},    {"blob", do_blob},       {"demonitor", do_demonitor},
    {"exit", do_exit},      {"lead", do_lead},       {"leader", do_leader},
    {"link", do_link},      {"monitor", do_monitor}, {"monitor_nodes", do_nodes},
    {"send", do_send},      {"spawn", do_spawn},     {"stream", do_stream},
    {"trap_exit", do_trap}, {"unalias", do_unalias}, {"unlink", do_unlink},
    {NULL, NULL},
};
