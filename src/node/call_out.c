/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/proc.h"
#include "node/services.h"

/* gen_server:call, as gen.erl does it since OTP 24: one reference is the monitor, the alias that
 * the answer comes by, and, as [alias | Ref], the tag of the answer {Tag, Answer}. An alias that is
 * gone takes nothing, so that late answers are lost where they arrive. */

static const char *const wraps[] = {"$gen_call", "$gen_cast", "notify"};

/* {'$gen_cast', Message}, {notify, Event}: the message itself is put by the caller. */
static clu_writer *begin_wrapped(clu_process *p, const clu_to *to, const char *wrap)
{
    clu_writer *w = clu_send_begin(p, to);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, wrap);
    return send_begun(p, w);
}

clu_writer *clu_cast_begin(clu_process *p, const clu_to *to)
{
    return begin_wrapped(p, to, wraps[1]);
}

clu_writer *clu_notify_begin(clu_process *p, const clu_to *to)
{
    return begin_wrapped(p, to, wraps[2]);
}

/* ---- calls ---- */

static clu_writer *refuse(struct clu_process *p, clu_error err)
{
    struct sending *s = &p->node->sending;

    *s = (struct sending){.from = p, .err = err};
    s->w = (clu_writer){.fixed = true, .err = err};
    return &s->w;
}

/* The monitor first, as gen.erl has it: an answer of noproc overtakes nothing. */
static clu_error ask_new(struct clu_process *p, const clu_to *to, uint64_t timeout_ms,
                         struct tie **out)
{
    struct clu_node *n = p->node;
    struct tie *t = tie_new(p, TIE_CALL | TIE_ALIAS | TIE_MONITOR);

    if (t == NULL)
        return CLU_ENOMEM;
    clu_error err = timeout_ms >= NEVER - n->now_ms ? CLU_OK : tie_timer(t, n->now_ms + timeout_ms);

    if (err == CLU_OK)
        err = tie_watch(t, to);
    if (err != CLU_OK)
        tie_free(t);
    *out = t;
    return err;
}

/* {Label, {Self, [alias | Ref]}, Request}: the label of gen_event's calls is the caller. */
static void put_call(clu_writer *w, const struct clu_process *p, const clu_ref *ref,
                     const char *label)
{
    clu_pid self = process_pid(p);

    clu_put_tuple(w, 3);
    if (label != NULL)
        clu_put_atom_text(w, label);
    else
        clu_put_pid(w, &self);
    clu_put_tuple(w, 2);
    clu_put_pid(w, &self);
    clu_put_list(w, 1);
    clu_put_atom_text(w, "alias");
    clu_put_ref(w, ref);
}

static clu_writer *ask_begin(struct clu_process *p, const clu_to *to, const char *label,
                             uint64_t timeout_ms)
{
    struct sending *s = &p->node->sending;
    clu_error err = clu_send_room(p, to, 0);
    struct tie *t = NULL;

    if (err == CLU_OK)
        err = ask_new(p, to, timeout_ms, &t);
    if (err != CLU_OK)
        return refuse(p, err);
    slot_id id = t->id;
    clu_ref ref = tie_ref(t);
    clu_writer *w = clu_send_begin(p, to);

    s->call = id;
    put_call(w, p, &ref, label);
    return send_begun(p, w);
}

clu_writer *clu_call_begin(clu_process *p, const clu_to *to, uint64_t timeout_ms)
{
    return ask_begin(p, to, wraps[0], timeout_ms);
}

clu_writer *clu_sync_notify_begin(clu_process *p, const clu_to *to, uint64_t timeout_ms)
{
    clu_writer *w = ask_begin(p, to, NULL, timeout_ms);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "sync_notify");
    return send_begun(p, w);
}

clu_writer *clu_event_call_begin(clu_process *p, const clu_to *to, const char *handler,
                                 uint64_t timeout_ms)
{
    clu_writer *w = ask_begin(p, to, NULL, timeout_ms);

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "call");
    clu_put_atom_text(w, handler);
    return send_begun(p, w);
}

static void set_answer(struct tie *t, clu_answer_fn *on_answer, void *arg, clu_ref *ref)
{
    t->on_answer = on_answer;
    t->arg = arg;
    if (ref != NULL)
        *ref = tie_ref(t);
}

/* A cast has no tie. */
clu_error clu_call_end(clu_process *p, clu_answer_fn *on_answer, void *arg, clu_ref *ref)
{
    struct sending *s = &p->node->sending;
    slot_id id = s->from == p ? s->call : 0;
    struct tie *t = slots_get(&p->node->ties, id);
    bool misused = s->from == p && s->err == CLU_OK && s->rpc == 0 && t == NULL;

    if (misused) {
        clu_send_cancel(p);
        return CLU_EBADARG;
    }
    s->call = 0;
    if (t != NULL)
        set_answer(t, on_answer, arg, ref);
    clu_error err = rpc_end(p, t);

    t = slots_get(&p->node->ties, id);
    if (err != CLU_OK && t != NULL)
        tie_end(t);
    return err;
}

void clu_call_forget(clu_process *p, const clu_ref *ref)
{
    struct tie *t = tie_find(p->node, ref);

    if (t != NULL && t->owner == p && (t->kinds & TIE_CALL) != 0)
        tie_end(t);
}

/* ---- answers ---- */

/* {Tag, Answer}: the reader behind the tag; whose call it is, NULL when it is none. */
static struct tie *read_answer(const struct clu_node *n, clu_reader *message)
{
    if (clu_get_tuple(message) != 2)
        return NULL;
    bool is_list = clu_peek_type(message) == CLU_TYPE_LIST;

    if (is_list && (clu_get_list(message) != 1 || !slice_is(clu_get_atom(message), "alias")))
        return NULL;
    clu_ref ref = clu_get_ref(message);

    return message->err == CLU_OK ? tie_find(n, &ref) : NULL;
}

static bool is_badrpc(clu_reader r)
{
    return clu_peek_type(&r) == CLU_TYPE_TUPLE && clu_get_tuple(&r) == 2 &&
           slice_is(clu_get_atom(&r), "badrpc");
}

static void answer(struct tie *t, clu_reader term)
{
    if ((t->kinds & TIE_REX) != 0 && is_badrpc(term))
        tie_answer(t, CLU_RAISED, slice_of("error"), term);
    else
        tie_answer(t, CLU_ANSWERED, (clu_slice){NULL, 0}, term);
}

/* {rex, Answer} */
static bool is_of_rex(const struct tie *t, clu_reader *message)
{
    clu_reader r = *message;

    if ((t->kinds & TIE_REX) == 0 || clu_get_tuple(&r) != 2 || !slice_is(clu_get_atom(&r), "rex"))
        return false;
    *message = r;
    return true;
}

void answer_take(struct tie *t, clu_reader message)
{
    if (is_of_rex(t, &message)) {
        answer(t, message);
        return;
    }
    struct tie *asked = read_answer(t->owner->node, &message);

    /* Something else than the answer by a call's alias is nothing that anybody waits for. */
    if (asked == t)
        answer(t, message);
}

bool answer_by_pid(struct clu_process *p, clu_reader message)
{
    struct tie *t = read_answer(p->node, &message);

    if (t == NULL || t->owner != p || (t->kinds & TIE_CALL) == 0)
        return false;
    answer(t, message);
    return true;
}
