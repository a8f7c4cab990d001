/* SPDX-License-Identifier: Apache-2.0
 *
 * out:call, out:rpc, ...: this node calls others for who calls it, and answers with what came of
 * it: {answered | raised | no_process | timed_out, Exception, Term, Stack}.
 */
#include "citizen.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_SIZE 256
#define NODES_MAX     8

static void check(clu_error err)
{
    if (err != CLU_OK)
        abort();
}

/* ---- arguments ---- */

struct name {
    char text[NAME_MAX_SIZE];
};

static struct name get_name(clu_reader *r)
{
    clu_slice atom = clu_get_atom(r);
    struct name name = {""};

    if (r->err == CLU_OK && atom.len < sizeof name.text)
        memcpy(name.text, atom.data, atom.len);
    return name;
}

/* An integer, or infinity. */
static uint64_t get_timeout(clu_reader *r)
{
    clu_reader word = *r;
    uint64_t ms = clu_get_uint(r);

    if (r->err == CLU_OK)
        return ms;
    *r = word;
    return clu_slice_is(clu_get_atom(r), "infinity") ? CLU_INFINITY : 0;
}

/* ---- answers ---- */

static void put_answer(clu_writer *w, const clu_answer *a)
{
    static const char *const outcomes[] = {"answered", "raised", "no_process", "timed_out"};
    clu_reader term = a->term, stack = a->stack;

    clu_put_tuple(w, 4);
    clu_put_atom_text(w, outcomes[a->outcome]);
    clu_put_atom(w, a->exception);
    if (term.pos == term.end)
        clu_put_nil(w);
    else
        clu_put_term(w, &term);
    if (stack.pos == stack.end)
        clu_put_nil(w);
    else
        clu_put_term(w, &stack);
}

static void answered(clu_process *self, const clu_answer *a, void *arg)
{
    clu_call *call = arg;

    (void)self;
    put_answer(clu_reply_begin(call), a);
    check(clu_reply_end(call));
}

/* The request is the term at the reader's place. */
static clu_error ask(clu_call *call, clu_writer *w, clu_reader *request)
{
    clu_put_term(w, request);
    clu_error err = clu_call_end(clu_call_self(call), answered, call, NULL);

    return err == CLU_OK ? CLU_PENDING : err;
}

static clu_error reply_ok(clu_call *call)
{
    clu_put_atom_text(clu_reply_begin(call), "ok");
    return clu_reply_end(call);
}

/* ---- gen_server, gen_event ---- */

/* call(Name, Node, Timeout, Request) */
static clu_error call_server(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    struct name name = get_name(args), node = get_name(args);
    clu_to to = clu_to_name(name.text, node.text);
    uint64_t ms = get_timeout(args);

    return ask(call, clu_call_begin(clu_call_self(call), &to, ms), args);
}

/* call_pid(Pid, Timeout, Request) */
static clu_error call_pid(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    clu_to to = clu_to_pid(clu_get_pid(args));
    uint64_t ms = get_timeout(args);

    return ask(call, clu_call_begin(clu_call_self(call), &to, ms), args);
}

/* cast(Name, Node, Message), notify(Name, Node, Event) */
static clu_error cast(clu_call *call, clu_reader *args, void *arg)
{
    clu_process *self = clu_call_self(call);

    clu_get_list(args);
    struct name name = get_name(args), node = get_name(args);
    clu_to to = clu_to_name(name.text, node.text);

    clu_put_term(arg == NULL ? clu_cast_begin(self, &to) : clu_notify_begin(self, &to), args);
    check(clu_send_end(self));
    return reply_ok(call);
}

/* sync_notify(Name, Node, Timeout, Event) */
static clu_error sync_notify(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    struct name name = get_name(args), node = get_name(args);
    clu_to to = clu_to_name(name.text, node.text);
    uint64_t ms = get_timeout(args);

    return ask(call, clu_sync_notify_begin(clu_call_self(call), &to, ms), args);
}

/* event_call(Name, Node, Handler, Timeout, Query) */
static clu_error event_call(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    struct name name = get_name(args), node = get_name(args), handler = get_name(args);
    clu_to to = clu_to_name(name.text, node.text);
    uint64_t ms = get_timeout(args);

    return ask(call, clu_event_call_begin(clu_call_self(call), &to, handler.text, ms), args);
}

/* ---- rpc ---- */

/* rpc(Node, Module, Function, Timeout, Arguments), rex(...) */
static clu_error rpc(clu_call *call, clu_reader *args, void *arg)
{
    clu_process *self = clu_call_self(call);

    clu_get_list(args);
    struct name node = get_name(args), module = get_name(args), function = get_name(args);
    uint64_t ms = get_timeout(args);

    return ask(call,
               arg == NULL ? clu_rpc_begin(self, node.text, module.text, function.text, ms)
                           : clu_rex_begin(self, node.text, module.text, function.text, ms),
               args);
}

/* rpc_cast(Node, Module, Function, Arguments) */
static clu_error rpc_cast(clu_call *call, clu_reader *args, void *arg)
{
    clu_process *self = clu_call_self(call);

    (void)arg;
    clu_get_list(args);
    struct name node = get_name(args), module = get_name(args), function = get_name(args);

    clu_put_term(clu_rpc_cast_begin(self, node.text, module.text, function.text), args);
    check(clu_call_end(self, NULL, NULL, NULL));
    return reply_ok(call);
}

/* ---- multicall(Nodes, Module, Function, Timeout, Arguments): [{Index, Answer}] as they come ----
 */

struct gathered {
    clu_call *call;
    clu_writer answers;
    size_t n;
};

static void gather(clu_process *self, size_t index, const clu_answer *a, size_t left, void *arg)
{
    struct gathered *g = arg;

    (void)self;
    clu_put_tuple(&g->answers, 2);
    clu_put_uint(&g->answers, index);
    put_answer(&g->answers, a);
    g->n++;
    if (left > 0)
        return;
    clu_writer *w = clu_reply_begin(g->call);

    clu_put_list(w, g->n);
    clu_put_bytes(w, g->answers.data, g->answers.len);
    clu_put_nil(w);
    check(clu_reply_end(g->call));
    clu_writer_free(&g->answers);
    free(g);
}

static clu_error multicall(clu_call *call, clu_reader *args, void *arg)
{
    clu_process *self = clu_call_self(call);
    struct name nodes[NODES_MAX];
    const char *texts[NODES_MAX];

    (void)arg;
    clu_get_list(args);
    size_t n = clu_get_list(args);

    if (n == 0 || n > NODES_MAX)
        return CLU_EBADARG;
    for (size_t i = 0; i < n; i++) {
        nodes[i] = get_name(args);
        texts[i] = nodes[i].text;
    }
    clu_get_nil(args);
    struct name module = get_name(args), function = get_name(args);
    uint64_t ms = get_timeout(args);
    struct gathered *g = calloc(1, sizeof *g);

    if (g == NULL)
        return CLU_ENOMEM;
    g->call = call;
    clu_writer_init(&g->answers);
    clu_put_term(clu_multicall_begin(self, texts, n, module.text, function.text, ms), args);
    check(clu_multicall_end(self, gather, g));
    return CLU_PENDING;
}

/* ---- spawn(Node, Module, Function, Arguments): {Pid, Reason of its end} ---- */

struct spawning {
    clu_call *call;
    clu_ref ref;
    clu_writer pid;
};

static void spawn_receive(clu_process *self, const clu_signal *s, void *arg)
{
    struct spawning *g = arg;
    clu_reader term = s->term;

    (void)self;
    if (s->kind == CLU_SIGNAL_SPAWNED && s->from.node.len > 0) {
        clu_put_pid(&g->pid, &s->from);
        return;
    }
    if (s->kind == CLU_SIGNAL_SPAWNED)
        clu_put_atom_text(&g->pid, "error");
    else if (s->kind != CLU_SIGNAL_DOWN)
        return;
    clu_writer *w = clu_reply_begin(g->call);

    clu_put_tuple(w, 2);
    clu_put_raw(w, (clu_slice){g->pid.data, g->pid.len});
    clu_put_term(w, &term);
    check(clu_reply_end(g->call));
    clu_writer_free(&g->pid);
    free(g);
    clu_exit(self, "normal");
}

static clu_error spawn(clu_call *call, clu_reader *args, void *arg)
{
    struct spawning *g = calloc(1, sizeof *g);

    (void)arg;
    clu_get_list(args);
    struct name node = get_name(args), module = get_name(args), function = get_name(args);
    clu_process *p =
        clu_spawn(clu_call_node(call), &(clu_spawn_options){.receive = spawn_receive, .arg = g});
    clu_writer list;

    if (g == NULL || p == NULL)
        return CLU_ENOMEM;
    g->call = call;
    clu_writer_init(&g->pid);
    clu_writer_init(&list);
    clu_put_term(&list, args);
    clu_ref ref = clu_spawn_remote(p, node.text, module.text, function.text,
                                   (clu_slice){list.data, list.len}, false, true);

    clu_writer_free(&list);
    return ref.n == 0 ? CLU_ENOMEM : CLU_PENDING;
}

static const struct {
    const char *function;
    unsigned arity;
    clu_function *run;
    const char *arg;
} functions[] = {
    {"call", 4, call_server, NULL},
    {"call_pid", 3, call_pid, NULL},
    {"cast", 3, cast, NULL},
    {"notify", 3, cast, "event"},
    {"sync_notify", 4, sync_notify, NULL},
    {"event_call", 5, event_call, NULL},
    {"rpc", 5, rpc, NULL},
    {"rex", 5, rpc, "rex"},
    {"rpc_cast", 4, rpc_cast, NULL},
    {"multicall", 5, multicall, NULL},
    {"spawn", 4, spawn, NULL},
};

void outward_export(clu_node *node)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        clu_export(node, "out", functions[i].function, functions[i].arity, functions[i].run,
                   (void *)functions[i].arg);
}
