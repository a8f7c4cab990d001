/* SPDX-License-Identifier: Apache-2.0
 *
 * subject NAME [VM_ARGS] [global]: a node that does what it is told, to try things from an Erlang
 * shell:
 *
 *     gen_server:call({subject, 'subject@127.0.0.1'}, {link, self()}).
 *     gen_server:call({subject, 'subject@127.0.0.1'}, signals).
 *
 * The orders stand in the table at the end. Signals that come are noted; `signals` tells and
 * forgets them. */
#include <erlclu/erlclu.h>
#include <stdlib.h>
#include <string.h>

#define NOTED_MAX (1u << 20)

struct subject {
    clu_process *self;
    clu_writer noted; /* the elements of a list */
    size_t n_noted;
    clu_writer term;
    uint64_t streamed; /* bytes of the message that comes as a stream */
};

static const clu_server behaviour;

static struct subject *subject_new(clu_node *node, const char *name)
{
    struct subject *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    clu_writer_init(&c->noted);
    clu_writer_init(&c->term);
    c->self = clu_serve(node, name, &behaviour, c);
    if (c->self != NULL)
        return c;
    free(c);
    return NULL;
}

/* A pid, an alias, or {Name, Node}. */
static clu_error get_to(clu_reader *r, clu_to *to)
{
    *to = (clu_to){0};
    if (clu_match(r, "~p", &to->pid) == CLU_OK || clu_match(r, "~r", &to->alias) == CLU_OK)
        return CLU_OK;
    return clu_match(r, "{~a,~a}", &to->name, &to->node);
}

static bool get_text(clu_reader *r, char *text, size_t size)
{
    clu_slice s;
    bool ok = clu_match(r, "~a", &s) == CLU_OK && s.len < size;

    if (!ok)
        return false;
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    return true;
}

/* A copy of the term at the reader: what has come in may hold references to the atoms of its own
 * message. Good until the next order. */
static clu_slice term_at(struct subject *c, clu_reader *r)
{
    clu_writer_reset(&c->term);
    clu_put_term(&c->term, r);
    clu_slice term = {c->term.data, c->term.len};

    return term;
}

static clu_error reply(clu_call *call, clu_error err)
{
    return err == CLU_OK ? clu_reply(call, "ok") : err;
}

/* ---- orders ---- */

static clu_error on_pid(struct subject *c, clu_call *call, clu_reader *r,
                        clu_error (*act)(clu_process *self, const clu_pid *pid))
{
    clu_pid pid;
    clu_error err = clu_match(r, "~p", &pid);

    return reply(call, err == CLU_OK ? act(c->self, &pid) : err);
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
    return reply(call, err);
}

static clu_error do_exit(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_pid pid;
    clu_error err = clu_match(r, "~p", &pid);

    return reply(call, err == CLU_OK ? clu_exit_signal(c->self, &pid, term_at(c, r)) : err);
}

static clu_error do_die(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_slice reason = term_at(c, r);
    clu_error err = clu_reply(call, "ok");

    clu_exit_term(c->self, reason);
    return err;
}

static clu_error do_trap(struct subject *c, clu_call *call, clu_reader *r)
{
    bool trap;
    clu_error err = clu_match(r, "~o", &trap);

    if (err == CLU_OK)
        clu_trap_exit(c->self, trap);
    return reply(call, err);
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
    return reply(call, err);
}

static clu_error do_send(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_to to;
    clu_error err = get_to(r, &to);

    return reply(call, err == CLU_OK ? clu_send(c->self, &to, "~t", r) : err);
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
    return reply(call, err);
}

static clu_error do_timer(struct subject *c, clu_call *call, clu_reader *r)
{
    uint64_t ms;
    clu_error err = clu_match(r, "~u", &ms);

    return err == CLU_OK ? clu_reply(call, "~r", clu_after(c->self, ms)) : err;
}

static clu_error do_nodes(struct subject *c, clu_call *call, clu_reader *r)
{
    bool on;
    clu_error err = clu_match(r, "~o", &on);

    if (err == CLU_OK)
        clu_monitor_nodes(c->self, on);
    return reply(call, err);
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

static void answered(clu_process *self, const clu_answer *answer, void *arg)
{
    static const char *const outcomes[] = {"answered", "raised", "no_process", "timed_out"};
    clu_call *call = arg;
    clu_error err;

    (void)self;
    if (answer->outcome == CLU_TIMED_OUT)
        err = clu_reply(call, "timed_out");
    else if (answer->outcome == CLU_RAISED)
        err = clu_reply(call, "{raised,~a,~t}", answer->exception, answer->term);
    else
        err = clu_reply(call, "{~a,~t}", outcomes[answer->outcome], answer->term);
    if (err != CLU_OK)
        clu_exit(self, "no_room");
}

/* {call, To, Request, TimeoutMs} */
static clu_error do_call(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_to to;
    clu_reader request;
    uint64_t timeout;
    clu_error err = get_to(r, &to);

    if (err == CLU_OK)
        err = clu_match(r, "~t", &request);
    if (err == CLU_OK)
        err = clu_match(r, "~u", &timeout);
    if (err == CLU_OK)
        err = clu_ask(c->self, &to, timeout, answered, call, "~t", request);
    return err == CLU_OK ? CLU_PENDING : err;
}

/* {rpc, Node, Module, Function, Arguments, TimeoutMs} */
static clu_error do_rpc(struct subject *c, clu_call *call, clu_reader *r)
{
    char node[256], module[256], function[256];
    clu_reader args;
    uint64_t timeout;

    if (!get_text(r, node, sizeof node) || !get_text(r, module, sizeof module) ||
        !get_text(r, function, sizeof function) || clu_match(r, "~t", &args) != CLU_OK ||
        clu_match(r, "~u", &timeout) != CLU_OK)
        return CLU_EBADARG;
    clu_error err = clu_rpc(c->self, node, module, function, timeout, answered, call, "~t", args);

    return err == CLU_OK ? CLU_PENDING : err;
}

static clu_error do_echo(struct subject *c, clu_call *call, clu_reader *r)
{
    (void)c;
    return clu_reply(call, "~t", r);
}

static clu_error do_self(struct subject *c, clu_call *call, clu_reader *r)
{
    (void)r;
    return clu_reply(call, "~p", clu_self(c->self));
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

    return reply(call, err == CLU_OK ? clu_set_group_leader(c->self, &pid, &self) : err);
}

/* Another of its kind, without a name. */
static clu_error do_child(struct subject *c, clu_call *call, clu_reader *r)
{
    struct subject *child = subject_new(clu_call_node(call), NULL);

    (void)c, (void)r;
    return child == NULL ? CLU_ENOMEM : clu_reply(call, "~p", clu_self(child->self));
}

/* {pg_start, Scope} */
static clu_error do_pg_start(struct subject *c, clu_call *call, clu_reader *r)
{
    char scope[256];

    if (!get_text(r, scope, sizeof scope))
        return CLU_EBADARG;
    return reply(call, clu_pg_start(clu_process_node(c->self), scope));
}

/* {pg_join, Scope, Group}, {pg_leave, Scope, Group} */
static clu_error do_pg_join(struct subject *c, clu_call *call, clu_reader *r)
{
    char scope[256];

    if (!get_text(r, scope, sizeof scope))
        return CLU_EBADARG;
    return reply(call, clu_pg_join(c->self, scope, term_at(c, r)));
}

static clu_error do_pg_leave(struct subject *c, clu_call *call, clu_reader *r)
{
    char scope[256];

    if (!get_text(r, scope, sizeof scope))
        return CLU_EBADARG;
    return reply(call, clu_pg_leave(c->self, scope, term_at(c, r)));
}

static bool put_member(const clu_pid *pid, bool local, void *w)
{
    (void)local;
    clu_put_list(w, 1);
    clu_put_pid(w, pid);
    return true;
}

static clu_error do_pg_members(struct subject *c, clu_call *call, clu_reader *r)
{
    char scope[256];

    if (!get_text(r, scope, sizeof scope))
        return CLU_EBADARG;
    clu_slice group = term_at(c, r);
    clu_writer *w = clu_reply_begin(call);

    clu_pg_members(clu_process_node(c->self), scope, group, put_member, w);
    clu_put_nil(w);
    return clu_reply_end(call);
}

static void on_stream(clu_process *self, const clu_stream *part, void *arg)
{
    struct subject *c = arg;

    c->streamed = (part->part == CLU_STREAM_FIRST ? 0 : c->streamed) + part->bytes.len;
    if (part->part != CLU_STREAM_LAST)
        return;
    if (clu_format(&c->noted, "{stream,~u}", c->streamed) != CLU_OK)
        clu_exit(self, "cannot_note");
    c->n_noted++;
}

/* {stream, true}: large messages are taken in parts, and only counted. */
static clu_error do_stream(struct subject *c, clu_call *call, clu_reader *r)
{
    bool on;
    clu_error err = clu_match(r, "~o", &on);

    if (err == CLU_OK)
        clu_on_stream(c->self, on ? on_stream : NULL, c);
    return reply(call, err);
}

/* {register, Name}: with global. */
static clu_error do_register(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_pid self = clu_self(c->self);
    clu_ref ref =
        clu_global_register(c->self, term_at(c, r), &self, CLU_RESOLVE_EXIT, answered, call);

    return ref.n > 0 ? CLU_PENDING : CLU_EBADARG;
}

static clu_error do_whereis(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_pid pid;

    if (clu_global_whereis(clu_process_node(c->self), term_at(c, r), &pid))
        return clu_reply(call, "~p", pid);
    return clu_reply(call, "undefined");
}

static clu_error do_signals(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_writer *w = clu_reply_begin(call);

    (void)r;
    clu_put_list(w, c->n_noted);
    clu_put_raw(w, (clu_slice){c->noted.data, c->noted.len});
    clu_put_nil(w);
    clu_writer_reset(&c->noted);
    c->n_noted = 0;
    return clu_reply_end(call);
}

static const struct {
    const char *name;
    clu_error (*carry_out)(struct subject *c, clu_call *call, clu_reader *r);
} orders[] = {
    {"alias", do_alias},
    {"blob", do_blob},
    {"call", do_call},
    {"child", do_child},
    {"die", do_die},
    {"demonitor", do_demonitor},
    {"echo", do_echo},
    {"exit", do_exit},
    {"lead", do_lead},
    {"leader", do_leader},
    {"link", do_link},
    {"monitor", do_monitor},
    {"monitor_nodes", do_nodes},
    {"pg_join", do_pg_join},
    {"pg_leave", do_pg_leave},
    {"pg_members", do_pg_members},
    {"pg_start", do_pg_start},
    {"register", do_register},
    {"rpc", do_rpc},
    {"self", do_self},
    {"send", do_send},
    {"signals", do_signals},
    {"spawn", do_spawn},
    {"stream", do_stream},
    {"timer", do_timer},
    {"trap_exit", do_trap},
    {"unalias", do_unalias},
    {"unlink", do_unlink},
    {"whereis", do_whereis},
};

static clu_error on_call(clu_call *call, clu_reader *r, void *arg)
{
    if (clu_peek_type(r) == CLU_TYPE_TUPLE)
        clu_get_tuple(r);
    clu_slice name = clu_get_atom(r);

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (clu_slice_is(name, orders[i].name))
            return orders[i].carry_out(arg, call, r);
    return CLU_EBADARG;
}

/* ---- signals ---- */

static clu_error note(struct subject *c, const clu_signal *s)
{
    clu_writer *w = &c->noted;

    switch (s->kind) {
    case CLU_SIGNAL_MESSAGE: return clu_format(w, "{message,~t}", s->term);
    case CLU_SIGNAL_EXIT: return clu_format(w, "{'EXIT',~p,~t}", s->from, s->term);
    case CLU_SIGNAL_TIMEOUT: return clu_format(w, "{timeout,~r}", s->ref);
    case CLU_SIGNAL_NODE_UP: return clu_format(w, "{nodeup,~a}", s->node);
    case CLU_SIGNAL_NODE_DOWN: return clu_format(w, "{nodedown,~a,~t}", s->node, s->term);
    case CLU_SIGNAL_WRITABLE: return clu_format(w, "{writable,~a}", s->node);
    case CLU_SIGNAL_STREAM_LOST: return clu_format(w, "{stream_lost,~a}", s->node);
    case CLU_SIGNAL_DOWN:
        return s->from.node.len > 0
                   ? clu_format(w, "{'DOWN',~r,~p,~t}", s->ref, s->from, s->term)
                   : clu_format(w, "{'DOWN',~r,{~a,~a},~t}", s->ref, s->name, s->node, s->term);
    case CLU_SIGNAL_SPAWNED:
        return s->from.node.len > 0 ? clu_format(w, "{spawned,~r,~p}", s->ref, s->from)
                                    : clu_format(w, "{spawned,~r,~t}", s->ref, s->term);
    }
    return CLU_OK;
}

static void on_info(clu_process *self, const clu_signal *signal, void *arg)
{
    struct subject *c = arg;

    if (c->noted.len > NOTED_MAX || note(c, signal) != CLU_OK)
        clu_exit(self, "cannot_note");
    else
        c->n_noted++;
}

static void on_cast(clu_process *self, clu_reader *request, void *arg)
{
    struct subject *c = arg;

    if (c->noted.len > NOTED_MAX || clu_format(&c->noted, "{cast,~t}", request) != CLU_OK)
        clu_exit(self, "cannot_note");
    else
        c->n_noted++;
}

static void put_state(clu_process *self, clu_writer *w, void *arg)
{
    (void)self;
    clu_format(w, "#{noted => ~u}", ((struct subject *)arg)->n_noted);
}

static void on_stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct subject *c = arg;

    (void)self, (void)reason;
    clu_writer_free(&c->noted);
    clu_writer_free(&c->term);
    free(c);
}

static const clu_server behaviour = {
    .call = on_call, .cast = on_cast, .info = on_info, .state = put_state, .stopped = on_stopped};

int main(int argc, char **argv)
{
    clu_node *node = clu_node_new(&(clu_options){
        .name = argc > 1 ? argv[1] : "subject",
        .args_file = argc > 2 ? argv[2] : NULL,
        .global = argc > 3,
    });

    subject_new(node, "subject");
    return clu_main(node);
}
