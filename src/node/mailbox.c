/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/proc.h"

/* When a service is told once more of an answer that found no room. */
#define ANSWER_AGAIN_MS 1000

/* A signal that waits: one block, with all that its slices point to. */
struct message {
    struct list list;
    size_t size;
    struct delivery d;
    clu_refs refs;
    uint8_t bytes[];
};

/* ---- keeping ---- */

/* Moves what a slice points to behind the others. */
static void move(clu_slice *s, uint8_t **to)
{
    if (s->len > 0)
        memcpy(*to, s->data, s->len);
    s->data = *to;
    *to += s->len;
}

static size_t term_size(const clu_reader *r)
{
    return r->pos == NULL ? 0 : (size_t)(r->end - r->pos);
}

static size_t refs_size(const clu_refs *refs)
{
    size_t size = 0;

    if (refs == NULL)
        return 0;
    for (size_t i = 0; i < refs->n; i++)
        size += sizeof(clu_slice) + refs->atoms[i].len;
    return size;
}

static size_t slices_size(const clu_signal *s)
{
    return s->from.node.len + s->ref.node.len + s->name.len + s->node.len;
}

/* The atoms first, for their slices have to be aligned. */
static uint8_t *move_refs(struct message *m, const clu_refs *refs)
{
    clu_slice *atoms = (clu_slice *)(void *)m->bytes;
    uint8_t *to = (uint8_t *)(atoms + refs->n);

    for (size_t i = 0; i < refs->n; i++) {
        atoms[i] = refs->atoms[i];
        move(&atoms[i], &to);
    }
    m->refs = (clu_refs){.atoms = atoms, .n = refs->n};
    m->d.signal.term.refs = &m->refs;
    return to;
}

static struct message *message_new(const struct delivery *d)
{
    const clu_signal *s = &d->signal;
    size_t size = refs_size(s->term.refs) + slices_size(s) + term_size(&s->term);
    struct message *m = malloc(sizeof *m + size);

    if (m == NULL)
        return NULL;
    m->size = sizeof *m + size;
    m->d = *d;
    uint8_t *to = s->term.refs == NULL ? m->bytes : move_refs(m, s->term.refs);
    clu_slice term = {s->term.pos, term_size(&s->term)};

    move(&m->d.signal.from.node, &to);
    move(&m->d.signal.ref.node, &to);
    move(&m->d.signal.name, &to);
    move(&m->d.signal.node, &to);
    move(&term, &to);
    m->d.signal.term.pos = term.data;
    m->d.signal.term.end = term.data + term.len;
    return m;
}

static void wake(struct clu_process *p)
{
    if (list_empty(&p->runnable))
        list_append(&p->node->runnable, &p->runnable);
}

/* A service of the node itself that nobody would start again lives on; for who watches it, and may
 * wait for its answer, it is as if it had ended and was there again. */
static void lose(struct clu_process *p, clu_slice reason)
{
    struct list watchers;

    list_take(&watchers, &p->watchers);
    while (!list_empty(&watchers))
        watcher_fire(CONTAINER_OF(watchers.next, struct watcher, of_proc), reason);
}

/* What a service has asked itself, for somebody who waits for it, is never without an answer: one
 * that was lost is a timeout, as soon as that can be kept. */
static void answer_again(const struct clu_process *p, const struct delivery *d)
{
    struct tie *t = d->answer ? tie_of(p->node, &d->signal.ref) : NULL;

    if (t != NULL)
        (void)tie_timer(t, p->node->now_ms + ANSWER_AGAIN_MS);
}

/* Who cannot keep a signal ends, so that its links and monitors say so: none is lost in silence. */
static void fail_to_keep(struct clu_process *p, const struct delivery *d, const char *why)
{
    struct atom_term term;

    if (p->service && p->stopped == NULL) {
        lose(p, atom_term(&term, why));
        answer_again(p, d);
    } else {
        process_end(p, atom_term(&term, why));
    }
}

static void keep(struct clu_process *p, const struct delivery *d)
{
    struct message *m = message_new(d);
    bool apart = d->answer && p->receive == NULL;

    if (m == NULL) {
        fail_to_keep(p, d, "system_limit");
        return;
    }
    if (p->mailbox_size + m->size > p->mailbox_max) {
        free(m);
        fail_to_keep(p, d, "message_queue_full");
        return;
    }
    p->mailbox_size += m->size;
    list_append(apart ? &p->answers : &p->mailbox, &m->list);
    if (p->receive != NULL || apart)
        wake(p);
}

static struct message *first(struct list *l)
{
    struct message *m = list_empty(l) ? NULL : CONTAINER_OF(l->next, struct message, list);

    if (m != NULL)
        list_remove(&m->list);
    return m;
}

/* ---- handing out ---- */

/* Whether it is still wanted: a monitor, timer or call may have been given up while its signal
 * waited. By its reference: the place of the tie may have been used thousands of times since. */
static bool is_wanted(const struct clu_process *p, const struct delivery *d)
{
    return d->tie == 0 || tie_of(p->node, &d->signal.ref) != NULL;
}

/* The signal may borrow what its tie holds, so that goes behind it. */
static void finish(struct clu_process *p, const struct delivery *d)
{
    struct tie *t = d->last ? tie_of(p->node, &d->signal.ref) : NULL;

    if (t != NULL)
        tie_free(t);
}

/* Its reference is passed over from now on: who gives it up while the signal is handled would free
 * what that borrows. */
static void use_up(const struct clu_process *p, const struct delivery *d)
{
    struct tie *t = d->last ? tie_of(p->node, &d->signal.ref) : NULL;

    if (t != NULL)
        t->kinds = 0;
}

/* What stands behind the reason of an error. */
static clu_reader stack_of(const clu_answer *a)
{
    clu_reader r = a->term;

    if (a->outcome != CLU_RAISED)
        return (clu_reader){0};
    clu_skip_term(&r);
    return r.err == CLU_OK && r.pos < r.end ? r : (clu_reader){0};
}

static void run_answer(struct clu_process *p, const struct delivery *d)
{
    const struct tie *t = slots_get(&p->node->ties, d->tie);
    clu_answer answer = {.outcome = d->outcome,
                         .ref = d->signal.ref,
                         .exception = d->exception,
                         .term = d->signal.term};

    answer.stack = stack_of(&answer);
    if (t->on_answer != NULL)
        t->on_answer(p, &answer, t->arg);
}

static void hand_out(struct clu_process *p, const struct delivery *d)
{
    if (!is_wanted(p, d))
        return;
    p->node->n_handed++;
    if (!d->answer)
        use_up(p, d);
    user_begin(p);
    if (d->answer)
        run_answer(p, d);
    else
        p->receive(p, &d->signal, p->arg);
    user_end(p->node);
    finish(p, d);
}

void deliver(struct clu_process *p, const struct delivery *d)
{
    struct clu_node *n = p->node;
    bool free =
        n->receiving && n->running == NULL && list_empty(&p->mailbox) && list_empty(&p->answers);

    if (p->ended)
        return;
    if (free && (p->receive != NULL || d->answer))
        hand_out(p, d);
    else
        keep(p, d);
}

/* What is handed out next: a function may have made another process of it. */
static struct list *handed_out(struct clu_process *p)
{
    return p->receive == NULL || !list_empty(&p->answers) ? &p->answers : &p->mailbox;
}

bool mailbox_run(struct clu_process *p, uint32_t *budget)
{
    struct message *m;

    while (!p->ended && *budget > 0 && (m = first(handed_out(p))) != NULL) {
        (*budget)--;
        p->mailbox_size -= m->size;
        hand_out(p, &m->d);
        free(m);
    }
    return p->ended || list_empty(handed_out(p));
}

void mailbox_sort(struct clu_process *p)
{
    struct list all;
    struct message *m;

    list_take(&all, &p->mailbox);
    while ((m = first(&all)) != NULL)
        list_append(p->receive == NULL && m->d.answer ? &p->answers : &p->mailbox, &m->list);
    wake(p);
}

static void drop_taken(struct clu_process *p)
{
    if (p->taken != NULL)
        finish(p, &p->taken->d);
    free(p->taken);
    p->taken = NULL;
}

bool clu_take(clu_process *p, clu_signal *signal)
{
    do {
        drop_taken(p);
        p->taken = p->ended || p->receive != NULL ? NULL : first(&p->mailbox);
        if (p->taken == NULL)
            return false;
        p->mailbox_size -= p->taken->size;
    } while (!is_wanted(p, &p->taken->d));
    *signal = p->taken->d.signal;
    return true;
}

void mailbox_free(struct clu_process *p)
{
    struct message *m;

    while ((m = first(&p->mailbox)) != NULL || (m = first(&p->answers)) != NULL)
        free(m);
    free(p->taken);
    p->taken = NULL;
    p->mailbox_size = 0;
}
