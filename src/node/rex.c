/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* rex, the server of rpc: what OTP before 23 asks for calls, and later ones still for block_call,
 * sbcast and the like (OTP: rpc.erl). */

static bool takes(clu_reader *r, size_t arity, const char *word)
{
    clu_reader at = *r;

    if (clu_get_tuple(&at) != arity || !slice_is(clu_get_atom(&at), word))
        return false;
    *r = at;
    return true;
}

/* ---- calls ---- */

/* Module, function, arguments, and the group leader behind them: a pid, or user. */
static void get_leader(struct clu_process *p, clu_reader r)
{
    for (int i = 0; i < 3; i++)
        clu_skip_term(&r);
    if (clu_peek_type(&r) == CLU_TYPE_PID)
        clu_put_term(&p->leader, &r);
}

static bool run(struct clu_call *call, clu_reader request)
{
    struct clu_process *p = call == NULL ? NULL : call_process(call);

    if (p == NULL) {
        call_free(call);
        return false;
    }
    get_leader(p, request);
    call_start(p, request);
    return true;
}

/* A block_call holds up no other call here. */
static void take_call(struct clu_process *rex, const struct gen_call *gen, clu_reader request)
{
    struct atom_term why;
    bool known = takes(&request, 5, "call") || takes(&request, 5, "block_call");
    struct clu_call *call =
        known ? call_new(rex->node, CALL_REX, &gen->from, &gen->alias, gen->tag) : NULL;

    if (call != NULL)
        call->watched = gen_watched(rex, &gen->from, gen->tag);
    if (!run(call, request))
        gen_fail(rex, &gen->from, gen->tag, atom_term(&why, known ? "system_limit" : "notsup"));
}

static void take_cast(struct clu_process *rex, clu_reader request)
{
    clu_pid nobody = {0};

    if (takes(&request, 5, "cast"))
        run(call_new(rex->node, CALL_CAST, &nobody, NULL, call_no_tag), request);
}

/* ---- {From, Request} ---- */

static void tell_features(struct clu_process *rex, const clu_pid *from)
{
    clu_to to = clu_to_pid(*from);
    clu_writer *w = send_back(rex, &to);

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "features_reply");
    clu_put_atom_text(w, rex->node->name);
    clu_put_list(w, 1);
    clu_put_atom_text(w, "erpc");
    clu_put_nil(w);
    send_or_lose(rex); /* nobody waits for it */
}

/* {rex, Node, Node}, or {rex, Node, {nonexisting_name, Name}} */
static void tell_sent(struct clu_process *rex, const clu_pid *from, const clu_slice *missing)
{
    clu_to to = clu_to_pid(*from);
    clu_writer *w = send_back(rex, &to);

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "rex");
    clu_put_atom_text(w, rex->node->name);
    if (missing != NULL) {
        clu_put_tuple(w, 2);
        clu_put_atom_text(w, "nonexisting_name");
        clu_put_atom(w, *missing);
    } else {
        clu_put_atom_text(w, rex->node->name);
    }
    send_or_lose(rex);
}

/* rpc:sbcast, rpc:multi_server_call: a message to a name of ours; send adds whom to answer. */
static void take_send(struct clu_process *rex, const clu_pid *from, clu_reader r, bool with_from)
{
    clu_slice name = clu_get_atom(&r);
    struct clu_process *p = process_named(rex->node, name);
    clu_to to = {.name = name};

    if (r.err != CLU_OK)
        return;
    if (p != NULL && !p->absent) {
        clu_writer *w = clu_send_begin(rex, &to);

        if (with_from) {
            clu_put_tuple(w, 2);
            clu_put_pid(w, from);
        }
        clu_put_term(w, &r);
        send_or_lose(rex);
    }
    if (p == NULL || p->absent)
        tell_sent(rex, from, &name);
    else if (!with_from)
        tell_sent(rex, from, NULL);
}

/* There is no room for the call: who asks so watches nobody, and would wait for ever. */
static void tell_refused(struct clu_process *rex, const clu_to *to)
{
    clu_writer *w = send_back(rex, to);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "rex");
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "badrpc");
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "EXIT");
    clu_put_atom_text(w, "system_limit");
    send_or_lose(rex);
}

/* alias: NULL for who is answered by his pid. */
static void take_hidden(struct clu_process *rex, const clu_pid *from, const clu_ref *alias,
                        clu_reader request)
{
    clu_to to = alias == NULL ? clu_to_pid(*from) : clu_to_alias(*alias);

    if (!run(call_new(rex->node, CALL_HIDDEN, from, alias, call_no_tag), request))
        tell_refused(rex, &to);
}

static void take_asked(struct clu_process *rex, const clu_pid *from, clu_reader msg)
{
    clu_reader word = msg;

    if (slice_is(clu_get_atom(&word), "features_request"))
        tell_features(rex, from);
    else if (takes(&msg, 3, "sbcast"))
        take_send(rex, from, msg, false);
    else if (takes(&msg, 3, "send"))
        take_send(rex, from, msg, true);
    else if (takes(&msg, 5, "call"))
        take_hidden(rex, from, NULL, msg);
}

/* From is a pid, or an alias for who calls (see rpc_out.c). */
static void take_other(struct clu_process *rex, const clu_signal *s)
{
    clu_reader msg = s->term;

    if (clu_get_tuple(&msg) != 2)
        return;
    if (clu_peek_type(&msg) == CLU_TYPE_REF) {
        clu_ref alias = clu_get_ref(&msg);

        if (takes(&msg, 5, "call"))
            take_hidden(rex, &s->from, &alias, msg);
        return;
    }
    clu_pid from = clu_get_pid(&msg);

    if (msg.err == CLU_OK)
        take_asked(rex, &from, msg);
}

/* ---- a group leader ---- */

/* {io_request, From, ReplyAs, {put_chars, ...}}: functions that we call print to it. There is
 * nowhere to show that; nobody is to wait for it either. */
static bool take_io(struct clu_process *rex, clu_reader msg)
{
    if (clu_get_tuple(&msg) != 4 || !slice_is(clu_get_atom(&msg), "io_request"))
        return false;
    clu_to to = clu_to_pid(clu_get_pid(&msg));
    clu_reader as = msg;

    clu_skip_term(&msg);
    clu_get_tuple(&msg);
    clu_slice word = clu_get_atom(&msg);

    if (to.pid.node.len == 0)
        return true;
    clu_writer *w = send_back(rex, &to);

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "io_reply");
    clu_put_term(w, &as);
    if (slice_is(word, "put_chars") || slice_is(word, "requests")) {
        clu_put_atom_text(w, "ok");
    } else {
        clu_put_tuple(w, 2);
        clu_put_atom_text(w, "error");
        clu_put_atom_text(w, "enotsup");
    }
    send_or_lose(rex);
    return true;
}

void rex_receive(clu_process *p, const clu_signal *s, void *arg)
{
    clu_reader call = s->term, cast = s->term;
    struct gen_call gen;

    (void)arg;
    if (s->kind != CLU_SIGNAL_MESSAGE)
        return;
    if (get_gen_call(&call, &gen))
        take_call(p, &gen, call);
    else if (takes(&cast, 2, "$gen_cast"))
        take_cast(p, cast);
    else if (!take_io(p, s->term))
        take_other(p, s);
}
