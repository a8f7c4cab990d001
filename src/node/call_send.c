/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* Answers of calls of others on their way: by message or by the end of a process. Without room a
 * message begins a backlog, and a process does not end yet. */

/* ---- between whom ---- */

static struct clu_process *rex_of(const struct clu_node *n)
{
    return process_named(n, slice_of("rex"));
}

/* Whom the caller of a message watches. */
struct clu_process *call_server(const struct clu_call *call)
{
    return call->kind == CALL_SERVER ? clu_call_self(call) : rex_of(call->node);
}

bool call_reaches(const struct clu_node *n, clu_slice node)
{
    struct remote *r = remote_find(n, node);

    return is_own_name(n, node) || (r != NULL && r->link != NULL);
}

/* ---- waiting for room ---- */

static size_t weight(const struct clu_call *call)
{
    return sizeof *call + call->w.len;
}

void answer_waits(struct remote *r, size_t len)
{
    r->unsent += len;
    if (r->unsent > NODE_ANSWERS_MAX)
        link_fail(r, CLU_ESIZE, "the peer reads too slowly: more than 256 MiB of answers wait");
}

static void hold(struct clu_call *call, struct remote *r)
{
    list_append(&r->answers, &call->held);
    answer_waits(r, weight(call));
}

void call_unhold(struct clu_call *call)
{
    if (list_empty(&call->held))
        return;
    remote_find(call->node, call->from.node)->unsent -= weight(call);
    list_remove(&call->held);
}

/* ---- sending the answer ---- */

/* Where the answer goes; NULL: it is not linked. */
static struct remote *linked_remote(const struct clu_call *call)
{
    struct remote *r =
        remote_find(call->node, call->alias.n > 0 ? call->alias.node : call->from.node);

    return r != NULL && r->link != NULL ? r : NULL;
}

static bool has_room(const struct remote *r, const struct clu_process *p, size_t len)
{
    return backlog_of(r, p) == NULL && remote_has_room(r, sender_key(p), len);
}

static clu_error reply_raw(const struct clu_call *call, struct clu_process *p, const clu_to *to,
                           clu_slice term)
{
    struct remote *r = linked_remote(call);

    if (r != NULL)
        return send_answer(p, r, to, term);
    clu_put_raw(send_back(p, to), term);
    return clu_send_end(p);
}

static void send_message(struct clu_call *call, struct clu_process *sender)
{
    clu_to to = call->alias.n > 0 ? clu_to_alias(call->alias) : clu_to_pid(call->from);
    clu_slice message = {call->w.data, call->w.len};
    struct atom_term why;
    bool raised = call->kind == CALL_SERVER && call->ending != ENDING_RETURN;

    if (raised && call->w.err == CLU_OK)
        gen_fail(sender, &call->from, &call->alias, message);
    else if (call->w.err != CLU_OK || reply_raw(call, sender, &to, message) != CLU_OK)
        gen_fail(sender, &call->from, &call->alias, atom_term(&why, "system_limit"));
}

static void promise(struct clu_call *call, struct remote *r)
{
    if (r == NULL)
        return;
    call->promised = call->w.len;
    r->promised += call->promised;
}

void call_keep_promise(struct clu_call *call)
{
    struct remote *r = linked_remote(call);

    if (r != NULL)
        r->promised -= call->promised < r->promised ? call->promised : r->promised;
    call->promised = 0;
}

/* By message: to nobody who is not there, for that would dial. */
void call_send(struct clu_call *call)
{
    struct clu_process *sender = call_server(call);
    struct remote *r = linked_remote(call);

    if (sender == NULL || !call_reaches(call->node, call->from.node))
        return;
    if (r != NULL && !has_room(r, sender, call->w.len))
        backlog_open(r, sender);
    send_message(call, sender);
}

/* Of its own: what it ends with is the answer, where that is not a message. */
static void end_process(struct clu_call *call, struct clu_process *p, struct remote *r)
{
    struct atom_term normal;

    if (call->kind >= CALL_REX || call->w.err != CLU_OK) {
        process_end(p, atom_term(&normal, call->w.err == CLU_OK ? "normal" : "system_limit"));
        return;
    }
    promise(call, r);
    process_end_with(p, &call->w);
}

/* The answer goes out, or waits for room. A process of the call's own ends with it, and takes the
 * call along. */
void call_settle(struct clu_call *call)
{
    struct clu_process *p = clu_call_self(call);
    struct remote *r = p == NULL ? NULL : linked_remote(call);

    if (r != NULL && call->kind < CALL_REX && !has_room(r, p, call->w.len)) {
        hold(call, r);
        return;
    }
    if (p != NULL && call->kind >= CALL_REX)
        call_send(call);
    if (p != NULL && call->own)
        end_process(call, p, r);
    call->sent = true;
    if (!call->running && (!call->own || call->proc == 0))
        call_free(call);
}

void answers_settle(struct remote *r)
{
    struct list held;

    list_take(&held, &r->answers);
    while (!list_empty(&held)) {
        struct clu_call *call = CONTAINER_OF(held.next, struct clu_call, held);

        call_unhold(call);
        call_settle(call);
    }
}
