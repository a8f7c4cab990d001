/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* Answers of calls of others on their way: by message or by the end of a process. One that finds no
 * room begins a backlog. */

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

/* ---- room ---- */

/* Where the answer goes; NULL: it is not linked. */
static struct remote *linked_remote(const struct clu_call *call)
{
    struct remote *r =
        remote_find(call->node, call->alias.n > 0 ? call->alias.node : call->from.node);

    return r != NULL && r->link != NULL ? r : NULL;
}

/* Whether the answer finds room, or begins a backlog of who gives it. */
static bool find_room(const struct clu_call *call, struct remote *r, const struct clu_process *p)
{
    if (backlog_of(r, p) == NULL && remote_has_room(r, sender_key(p), call->w.len))
        return true;
    backlog_open(r, p);
    return false;
}

/* It counts until its process is buried and it is queued. */
static void promise(struct clu_call *call, struct remote *r)
{
    call->promised = call->w.len;
    r->promised += call->promised;
}

void call_keep_promise(struct clu_call *call)
{
    struct remote *r = linked_remote(call);
    size_t kept = call->promised;

    call->promised = 0;
    if (r == NULL || kept == 0)
        return;
    r->promised -= (size_t)min_u64(kept, r->promised);
    backlogs_settle(r); /* the end may have been for nobody there */
}

/* ---- sending the answer ---- */

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
        gen_fail(sender, &call->from, reader_of(call->tag), message);
    else if (call->w.err != CLU_OK || reply_raw(call, sender, &to, message) != CLU_OK)
        gen_fail(sender, &call->from, reader_of(call->tag), atom_term(&why, "system_limit"));
}

/* By message: to nobody who is not there, for that would dial. */
void call_send(struct clu_call *call)
{
    struct clu_process *sender = call_server(call);
    struct remote *r = linked_remote(call);

    if (sender == NULL || !call_reaches(call->node, call->from.node))
        return;
    if (r != NULL)
        (void)find_room(call, r, sender);
    send_message(call, sender);
}

static bool is_watched(const struct clu_process *p)
{
    return !list_empty(&p->watchers) || !list_empty(&p->bonds);
}

/* Of its own: what it ends with is the answer, where that is not a message. */
static void end_process(struct clu_call *call, struct clu_process *p)
{
    struct remote *r = linked_remote(call);
    struct atom_term normal;

    if (call->kind >= CALL_REX || call->w.err != CLU_OK) {
        process_end(p, atom_term(&normal, call->w.err == CLU_OK ? "normal" : "system_limit"));
        return;
    }
    if (r != NULL && is_watched(p) && find_room(call, r, p))
        promise(call, r);
    process_end_with(p, &call->w);
}

/* A process of the call's own ends with the answer, and takes the call along. */
void call_settle(struct clu_call *call)
{
    struct clu_process *p = clu_call_self(call);

    if (p != NULL && call->kind >= CALL_REX)
        call_send(call);
    if (p != NULL && call->own)
        end_process(call, p);
    call->sent = true;
    if (!call->running && (!call->own || call->proc == 0))
        call_free(call);
}
