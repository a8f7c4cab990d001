/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* Processes as gen_server has them. */

static void take_call(struct clu_process *p, const struct gen_call *gen, clu_reader request)
{
    struct atom_term why;
    struct clu_call *call = p->server->call == NULL
                                ? NULL
                                : call_new(p->node, CALL_SERVER, &gen->from, &gen->alias, gen->tag);

    if (call == NULL) {
        const char *text = p->server->call == NULL ? "notsup" : "system_limit";

        gen_fail(p, &gen->from, gen->tag, atom_term(&why, text));
        return;
    }
    call->proc = p->id;
    call->started = true;
    call->watched = gen_watched(p, &gen->from, gen->tag);
    call_run(call, p->server->call, &request, p->arg);
}

static bool get_cast(clu_reader *msg)
{
    return clu_get_tuple(msg) == 2 && slice_is(clu_get_atom(msg), "$gen_cast");
}

static void take_message_of_server(struct clu_process *p, const clu_signal *s)
{
    clu_reader call = s->term, cast = s->term;
    struct gen_call gen;

    bool is_call = get_gen_call(&call, &gen), is_cast = !is_call && get_cast(&cast);

    if (is_call)
        take_call(p, &gen, call);
    else if (is_cast && p->server->cast != NULL)
        p->server->cast(p, &cast, p->arg);
    else if (!is_cast && p->server->info != NULL)
        p->server->info(p, s, p->arg);
}

static void server_receive(clu_process *p, const clu_signal *s, void *arg)
{
    if (s->kind != CLU_SIGNAL_MESSAGE) {
        if (p->server->info != NULL)
            p->server->info(p, s, arg);
    } else if (!system_take(p, s->term)) {
        take_message_of_server(p, s);
    }
}

clu_process *clu_serve(clu_node *n, const char *name, const clu_server *server, void *arg)
{
    clu_spawn_options o = {.receive = server_receive, .name = name, .arg = arg};
    clu_process *p = clu_spawn(n, &o);

    if (p != NULL)
        p->server = server;
    return p;
}
