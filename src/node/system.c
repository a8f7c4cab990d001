/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* System messages: {system, From, Request}, as sys sends them to any process that it is given, and
 * what supervisor asks (OTP: sys.erl, "sys and proc_lib"). A process of ours that does not know
 * them would have them wait for their timeout. */

struct question {
    struct clu_process *p;
    struct gen_call call;
    clu_reader request; /* behind its word, when that is a tuple's first */
    clu_reader whole;
};

static clu_writer *begin(const struct question *q)
{
    return reply_begin(q->p, &q->call);
}

/* What may be large, the state of a program or what somebody asked, is answered as a call is, and
 * so waits where there is no room. NULL: the caller was told. */
static struct clu_call *question_call(const struct question *q)
{
    const struct gen_call *asked = &q->call;
    struct clu_call *call =
        call_new(q->p->node, CALL_SERVER, &asked->from, &asked->alias, asked->tag);
    struct atom_term why;

    if (call == NULL) {
        gen_fail(q->p, &asked->from, asked->tag, atom_term(&why, "system_limit"));
        return NULL;
    }
    call->proc = q->p->id;
    call->started = true;
    return call;
}

static void say(const struct question *q, const char *atom)
{
    clu_put_atom_text(begin(q), atom);
    send_or_lose(q->p);
}

/* ---- state ---- */

/* Before the answer is begun: the program may send something meanwhile. What it puts is no term:
 * the atom undefined, too. */
static clu_writer take_state(struct clu_process *p)
{
    const struct clu_server *s = p->server;
    clu_writer w;

    clu_writer_init(&w);
    if (s != NULL && s->state != NULL) {
        s->state(p, &w, p->arg);
        send_drop(p->node);
    }
    if (w.err == CLU_OK && !is_term((clu_slice){w.data, w.len})) {
        clu_writer_reset(&w);
        clu_put_atom_text(&w, "undefined");
    }
    return w;
}

/* Frees it. */
static void put_state(clu_writer *w, clu_writer *state)
{
    if (state->err != CLU_OK)
        clu_writer_fail(w, state->err);
    clu_put_raw(w, (clu_slice){state->data, state->len});
    clu_writer_free(state);
}

/* What gen_server of the asker's release answers: the state itself, and since OTP 27 {ok, State},
 * which sys of an older one takes for the state. */
#define RELEASE_OF_OK 27

static void put_state_for(clu_writer *w, clu_writer *state, unsigned release)
{
    if (release >= RELEASE_OF_OK) {
        clu_put_tuple(w, 2);
        clu_put_atom_text(w, "ok");
    }
    put_state(w, state);
}

static void answer_state(struct clu_call *call, struct clu_process *p)
{
    unsigned release = release_of(call->node, call->from.node);
    clu_writer state = take_state(p);

    put_state_for(clu_reply_begin(call), &state, release == 0 ? RELEASE_OF_OK : release);
    call_reply_end(call);
}

static void get_state_later(struct clu_call *call)
{
    struct clu_process *p = clu_call_self(call);

    if (p == NULL)
        call_free(call);
    else
        answer_state(call, p);
}

static void get_state(const struct question *q)
{
    struct clu_call *call = question_call(q);

    if (call == NULL)
        return;
    call->later = get_state_later;
    if (release_of(call->node, call->from.node) != 0 || !release_ask(call))
        answer_state(call, q->p);
}

static void put_pair(clu_writer *w, const char *text)
{
    clu_put_tuple(w, 2);
    clu_put_string(w, slice_of(text));
}

/* [{header, Title}, {data, [{"Status", running}, ...]}, {data, [{"State", State}]}] */
static void put_misc(clu_writer *w, const struct clu_process *p, clu_writer *state)
{
    clu_pid self = process_pid(p);

    clu_put_list(w, 3);
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "header");
    clu_put_string(w, slice_of("Status for process of erlclu"));
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "data");
    clu_put_list(w, 3);
    put_pair(w, "Status");
    clu_put_atom_text(w, "running");
    put_pair(w, "Parent");
    clu_put_pid(w, &self);
    put_pair(w, "Logged events");
    clu_put_nil(w);
    clu_put_nil(w);
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "data");
    clu_put_list(w, 1);
    put_pair(w, "State");
    put_state(w, state);
    clu_put_nil(w);
    clu_put_nil(w);
}

/* {status, Pid, {module, Module}, [Dictionary, SysState, Parent, Debug, Misc]} */
static void get_status(const struct question *q)
{
    clu_pid self = process_pid(q->p);
    struct clu_call *call = question_call(q);

    if (call == NULL)
        return;
    clu_writer state = take_state(q->p), *w = clu_reply_begin(call);

    clu_put_tuple(w, 4);
    clu_put_atom_text(w, "status");
    clu_put_pid(w, &self);
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "module");
    clu_put_atom_text(w, "erlclu");
    clu_put_list(w, 5);
    clu_put_nil(w);
    clu_put_atom_text(w, "running");
    clu_put_pid(w, &self);
    clu_put_nil(w);
    put_misc(w, q->p, &state);
    clu_put_nil(w);
    call_reply_end(call);
}

/* The caller's fun cannot run here. */
static void replace_state(const struct question *q)
{
    clu_writer *w = begin(q);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "error");
    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "callback_failed");
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "erlclu");
    clu_put_atom_text(w, "system_replace_state");
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "error");
    clu_put_atom_text(w, "undef");
    send_or_lose(q->p);
}

/* ---- the rest ---- */

static void unknown(const struct question *q)
{
    clu_reader request = q->whole;
    struct clu_call *call = question_call(q);

    if (call == NULL)
        return;
    clu_writer *w = clu_reply_begin(call);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "error");
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "unknown_system_msg");
    clu_put_term(w, &request);
    call_reply_end(call);
}

static void debug(const struct question *q)
{
    say(q, "unknown_debug");
}

static void terminate(const struct question *q)
{
    clu_reader reason = q->request;
    clu_writer w;

    if (q->p->service) {
        unknown(q);
        return;
    }
    say(q, "ok");
    clu_writer_init(&w);
    clu_put_term(&w, &reason);
    if (w.err == CLU_OK)
        process_end_with(q->p, &w);
    else
        clu_exit(q->p, "system_limit");
    clu_writer_free(&w);
}

static const struct {
    const char *word;
    size_t arity; /* 0: the word alone */
    void (*answer)(const struct question *q);
} requests[] = {
    {"get_state", 0, get_state},         {"get_status", 0, get_status}, {"debug", 2, debug},
    {"replace_state", 2, replace_state}, {"terminate", 2, terminate},
};

static void answer(struct question *q)
{
    size_t arity = clu_peek_type(&q->request) == CLU_TYPE_TUPLE ? clu_get_tuple(&q->request) : 0;
    clu_slice word = clu_get_atom(&q->request);

    for (size_t i = 0; i < COUNT(requests); i++)
        if (arity == requests[i].arity && slice_is(word, requests[i].word)) {
            requests[i].answer(q);
            return;
        }
    unknown(q);
}

/* ---- supervisor:which_children/1, count_children/1 ---- */

/* No process of ours has children that it could name. */
static void put_no_children(clu_writer *w, bool count)
{
    static const char *const kinds[] = {"specs", "active", "supervisors", "workers"};

    if (count)
        clu_put_list(w, COUNT(kinds));
    for (size_t i = 0; count && i < COUNT(kinds); i++) {
        clu_put_tuple(w, 2);
        clu_put_atom_text(w, kinds[i]);
        clu_put_int(w, 0);
    }
    clu_put_nil(w);
}

static bool answer_supervisor(struct question *q)
{
    clu_slice word = clu_get_atom(&q->request);
    bool count = slice_is(word, "count_children");

    if (!count && !slice_is(word, "which_children"))
        return false;
    put_no_children(begin(q), count);
    send_or_lose(q->p);
    return true;
}

/* {system, From, Request}, or {'$gen_call', From, Request}. */
bool system_take(struct clu_process *p, clu_reader message)
{
    struct question q = {.p = p, .request = message};
    clu_reader head = message;

    if (clu_get_tuple(&head) != 3)
        return false;
    clu_slice word = clu_get_atom(&head);

    if (slice_is(word, "$gen_call"))
        return get_gen_call(&q.request, &q.call) && answer_supervisor(&q);
    if (!slice_is(word, "system") || !get_call_by(&q.request, "system", &q.call))
        return false;
    q.whole = q.request;
    answer(&q);
    return true;
}
