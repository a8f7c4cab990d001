/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/proc.h"

/* The words of a reference that this node makes: a BEAM takes no first word above 18 bits; the
 * second is the slot, so that nothing has to be looked for. */
#define REF_WORDS     3
#define REF_WORD_BITS 18

clu_ref tie_ref(const struct tie *t)
{
    const struct clu_node *n = t->owner->node;

    return (clu_ref){
        .node = slice_of(n->name),
        .creation = n->creation,
        .n = REF_WORDS,
        .words = {(uint32_t)(t->number & ((UINT64_C(1) << REF_WORD_BITS) - 1)), t->id,
                  (uint32_t)(t->number >> REF_WORD_BITS)},
    };
}

struct tie *tie_find(const struct clu_node *n, const clu_ref *ref)
{
    bool own = ref->n == REF_WORDS && ref->creation == n->creation && is_own_name(n, ref->node);

    return own ? tie_of(n, ref) : NULL;
}

struct tie *tie_of(const struct clu_node *n, const clu_ref *ref)
{
    struct tie *t = slots_get(&n->ties, ref->words[1]);

    if (t == NULL)
        return NULL;
    clu_ref own = tie_ref(t);

    return memcmp(own.words, ref->words, sizeof *own.words * REF_WORDS) == 0 ? t : NULL;
}

struct tie *tie_by_alias(const struct clu_node *n, const clu_ref *ref)
{
    struct tie *t = tie_find(n, ref);

    return t != NULL && (t->kinds & TIE_ALIAS) != 0 ? t : NULL;
}

/* ---- life ---- */

struct tie *tie_new(struct clu_process *owner, uint32_t kinds)
{
    struct clu_node *n = owner->node;
    struct tie *t = owner->ended ? NULL : spare_get(&n->spare_ties, sizeof *t);

    if (t == NULL)
        return NULL;
    t->id = slots_add(&n->ties, t);
    if (t->id == 0) {
        spare_give(&n->spare_ties, t);
        return NULL;
    }
    t->kinds = kinds;
    t->number = ++n->n_refs;
    t->owner = owner;
    list_append(&owner->ties, &t->of_owner);
    list_init(&t->of_remote);
    owner->n_calls += (kinds & TIE_CALL) != 0;
    return t;
}

/* No monitor any more, at this end. */
static void unwatched(struct tie *t)
{
    struct remote *r = t->remote;

    list_remove(&t->of_remote);
    t->remote = NULL;
    unwatch_local(t);
    remote_release(r);
}

void tie_free(struct tie *t)
{
    struct clu_node *n = t->owner->node;

    unwatched(t);
    heap_remove(&n->timers, &t->due);
    list_remove(&t->of_owner);
    t->owner->n_calls -= (t->kinds & TIE_CALL) != 0;
    slots_remove(&n->ties, t->id);
    free(t->name);
    free(t->more);
    spare_give(&n->spare_ties, t);
}

void tie_demonitor(struct tie *t)
{
    /* Whom a spawn request will make is not known yet: its reply is seen to when it comes. */
    if ((t->kinds & TIE_SPAWN) != 0 || !remote_monitors(t->remote))
        return;
    clu_pid self = process_pid(t->owner);
    clu_ref ref = tie_ref(t);
    clu_writer *w = signal_begin(t->remote, t->owner);

    if (t->name != NULL)
        control_put_demonitor(w, &self, t->name, &ref);
    else
        control_put_demonitor_pid(w, &self, &t->pid, &ref);
    (void)signal_end(t->remote); /* a link without room for it is about to end */
}

void tie_end(struct tie *t)
{
    if (t->remote != NULL && (t->kinds & TIE_MONITOR) != 0)
        tie_demonitor(t);
    tie_free(t);
}

/* ---- monitors ---- */

/* C nodes of erl_interface know none, and close at the first one. */
static clu_error send_monitor(struct tie *t)
{
    if (!remote_monitors(t->remote))
        return CLU_OK;
    clu_pid self = process_pid(t->owner);
    clu_ref ref = tie_ref(t);
    clu_writer *w = signal_begin(t->remote, t->owner);

    if (t->name != NULL)
        control_put_monitor(w, &self, t->name, &ref);
    else
        control_put_monitor_pid(w, &self, &t->pid, &ref);
    return signal_end(t->remote);
}

void tie_at(struct tie *t, struct remote *r)
{
    t->remote = r;
    list_append(&r->ties, &t->of_remote);
}

static clu_error watch_far(struct tie *t, clu_slice node)
{
    struct remote *r = remote_get(t->owner->node, node);

    if (r == NULL)
        return remote_error(node);
    tie_at(t, r);
    t->pid.node = slice_of(r->name);
    return send_monitor(t);
}

static clu_error watch_near(struct tie *t, struct clu_process *p)
{
    struct atom_term term;

    t->pid.node = slice_of(t->owner->node->name);
    if (p != NULL && !p->absent)
        return watch_local(p, t);
    tie_down(t, reader_of(atom_term(&term, "noproc")));
    return CLU_OK;
}

clu_error tie_watch(struct tie *t, const clu_to *to)
{
    struct clu_node *n = t->owner->node;

    if (to->pid.node.len == 0 && to->alias.n > 0)
        return CLU_EBADARG; /* as of erlang:monitor/2: an alias only takes messages */
    if (to->pid.node.len > 0) {
        t->pid = to->pid;
        return is_own_name(n, to->pid.node) ? watch_near(t, process_find(n, &to->pid))
                                            : watch_far(t, to->pid.node);
    }
    t->name = strndup(to->name.len == 0 ? "" : (const char *)to->name.data, to->name.len);
    if (t->name == NULL)
        return CLU_ENOMEM;
    return to->node.len == 0 || is_own_name(n, to->node) ? watch_near(t, process_named(n, to->name))
                                                         : watch_far(t, to->node);
}

static void deliver_down(struct tie *t, clu_reader reason)
{
    struct delivery d = {
        .signal = {.kind = CLU_SIGNAL_DOWN, .ref = tie_ref(t), .term = reason},
        .tie = t->id,
        .last = true,
    };

    if (t->name != NULL) {
        d.signal.name = slice_of(t->name);
        d.signal.node = t->pid.node;
    } else {
        d.signal.from = t->pid;
    }
    deliver(t->owner, &d);
}

void tie_down(struct tie *t, clu_reader reason)
{
    struct remote *r = t->remote;

    /* The name of the node is still needed for the signal: it is released behind it. */
    list_remove(&t->of_remote);
    t->remote = NULL;
    unwatch_local(t);
    if (t->on_down != NULL)
        t->on_down(t, reason);
    else if ((t->kinds & TIE_CALL) != 0)
        tie_answer(t, CLU_NO_PROCESS, (clu_slice){NULL, 0}, reason);
    else if ((t->kinds & TIE_MONITOR) != 0)
        deliver_down(t, reason);
    else
        tie_free(t);
    remote_release(r);
}

clu_ref clu_monitor(clu_process *p, const clu_to *to)
{
    struct tie *t = tie_new(p, TIE_MONITOR);

    if (t == NULL)
        return (clu_ref){0};
    clu_ref ref = tie_ref(t);
    slot_id id = t->id;

    if (tie_watch(t, to) == CLU_OK)
        return ref;
    t = slots_get(&p->node->ties, id);
    if (t != NULL)
        tie_free(t);
    return (clu_ref){0};
}

void clu_demonitor(clu_process *p, const clu_ref *ref)
{
    struct tie *t = tie_find(p->node, ref);

    if (t == NULL || t->owner != p || (t->kinds & (TIE_MONITOR | TIE_CALL)) != TIE_MONITOR)
        return;
    if ((t->kinds & TIE_SPAWN) != 0)
        t->kinds &= (uint32_t)~TIE_MONITOR; /* the reply is awaited all the same */
    else
        tie_end(t);
}

/* ---- aliases ---- */

clu_ref clu_alias(clu_process *p)
{
    struct tie *t = tie_new(p, TIE_ALIAS);

    return t == NULL ? (clu_ref){0} : tie_ref(t);
}

void clu_unalias(clu_process *p, const clu_ref *ref)
{
    struct tie *t = tie_find(p->node, ref);

    if (t != NULL && t->owner == p && t->kinds == TIE_ALIAS)
        tie_free(t);
}

/* ---- timers ---- */

clu_error tie_timer(struct tie *t, uint64_t at_ms)
{
    return heap_set(&t->owner->node->timers, &t->due, at_ms);
}

void tie_due(struct tie *t)
{
    struct delivery d = {
        .signal = {.kind = CLU_SIGNAL_TIMEOUT, .ref = tie_ref(t)},
        .tie = t->id,
        .last = true,
    };

    if ((t->kinds & TIE_CALL) != 0)
        tie_answer(t, CLU_TIMED_OUT, (clu_slice){NULL, 0}, (clu_reader){0});
    else
        deliver(t->owner, &d);
}

clu_ref clu_after(clu_process *p, uint64_t ms)
{
    struct tie *t = tie_new(p, TIE_TIMER);
    uint64_t now = p->node->now_ms;

    if (t == NULL)
        return (clu_ref){0};
    if (tie_timer(t, ms >= NEVER - now ? NEVER : now + ms) == CLU_OK)
        return tie_ref(t);
    tie_free(t);
    return (clu_ref){0};
}

void clu_cancel(clu_process *p, const clu_ref *ref)
{
    struct tie *t = tie_find(p->node, ref);

    if (t != NULL && t->owner == p && t->kinds == TIE_TIMER)
        tie_free(t);
}

/* ---- answers of calls ---- */

void tie_answer(struct tie *t, clu_outcome outcome, clu_slice exception, clu_reader term)
{
    struct delivery d = {
        .signal = {.ref = tie_ref(t), .term = term},
        .tie = t->id,
        .last = true,
        .answer = true,
        .outcome = outcome,
        .exception = exception,
    };

    /* One answer: what else comes finds nobody who waits for it. */
    if (t->remote != NULL && (t->kinds & TIE_MONITOR) != 0)
        tie_demonitor(t);
    unwatched(t);
    heap_remove(&t->owner->node->timers, &t->due);
    t->kinds &= (uint32_t) ~(TIE_ALIAS | TIE_MONITOR | TIE_TIMER);
    deliver(t->owner, &d);
}
