/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* What programs ask of global, and what other nodes ask of its server. */

/* ---- who waits for an answer ---- */

slot_id wish_new(struct clu_process *self, clu_answer_fn *on_answer, void *arg)
{
    struct tie *t = tie_new(self, TIE_CALL);

    if (t == NULL)
        return 0;
    t->on_answer = on_answer;
    t->arg = arg;
    return t->id;
}

void answer_tie(struct global *g, slot_id id, const char *word)
{
    struct tie *t = slots_get(&g->node->ties, id);
    struct atom_term term;

    if (t != NULL)
        tie_answer(t, CLU_ANSWERED, (clu_slice){NULL, 0}, reader_of(atom_term(&term, word)));
}

static clu_ref ref_of(const struct global *g, slot_id id)
{
    const struct tie *t = slots_get(&g->node->ties, id);

    return t == NULL ? (clu_ref){0} : tie_ref(t);
}

static bool is_usable(const struct global *g)
{
    return g != NULL && !g->dead;
}

static bool is_short_term(clu_slice term)
{
    return term.len <= CLU_GLOBAL_TERM_MAX && is_term(term);
}

/* ---- names ---- */

static bool job_fill(struct job *job, clu_slice name, const clu_pid *pid, clu_resolve resolve)
{
    clu_put_raw(&job->name, name);
    if (job->kind == JOB_UNREGISTER)
        return job->name.err == CLU_OK;
    resolve_method(resolve, &job->method);
    return own_pid_set(&job->pid, pid) == CLU_OK && job->name.err == CLU_OK &&
           job->method.err == CLU_OK;
}

static clu_ref ask(clu_process *self, enum job_kind kind, clu_slice name, const clu_pid *pid,
                   clu_resolve resolve, clu_answer_fn *on_answer, void *arg)
{
    struct global *g = self->node->global;
    struct job *job = is_usable(g) && is_short_term(name) ? calloc(1, sizeof *job) : NULL;

    if (job == NULL)
        return (clu_ref){0};
    job->kind = kind;
    list_init(&job->list);
    clu_writer_init(&job->name);
    clu_writer_init(&job->method);
    if (job_fill(job, name, pid, resolve))
        job->tie = wish_new(self, on_answer, arg);
    if (job->tie == 0) {
        job_free(job);
        return (clu_ref){0};
    }
    clu_ref ref = ref_of(g, job->tie);

    registrar_add(g, job);
    global_run(g);
    return ref;
}

clu_ref clu_global_register(clu_process *self, clu_slice name, const clu_pid *pid,
                            clu_resolve resolve, clu_answer_fn *on_answer, void *arg)
{
    return ask(self, JOB_REGISTER, name, pid, resolve, on_answer, arg);
}

clu_ref clu_global_re_register(clu_process *self, clu_slice name, const clu_pid *pid,
                               clu_resolve resolve, clu_answer_fn *on_answer, void *arg)
{
    return ask(self, JOB_RE_REGISTER, name, pid, resolve, on_answer, arg);
}

clu_ref clu_global_unregister(clu_process *self, clu_slice name, clu_answer_fn *on_answer,
                              void *arg)
{
    return ask(self, JOB_UNREGISTER, name, NULL, CLU_RESOLVE_EXIT, on_answer, arg);
}

bool clu_global_whereis(const clu_node *n, clu_slice name, clu_pid *pid)
{
    const clu_pid *found = n->global == NULL ? NULL : name_where(n->global, name);

    if (found != NULL)
        *pid = *found;
    return found != NULL;
}

clu_error clu_global_send(clu_process *self, clu_slice name, clu_slice term)
{
    clu_pid pid;

    if (!clu_global_whereis(self->node, name, &pid))
        return CLU_ENOENT;
    clu_to to = clu_to_pid(pid);

    return clu_send_raw(self, &to, term);
}

size_t clu_global_names(const clu_node *n,
                        void (*fn)(clu_slice name, const clu_pid *pid, void *arg), void *arg)
{
    const struct map_entry *at = NULL;
    const struct gname *e;

    if (n->global == NULL)
        return 0;
    while ((e = map_next(&n->global->names, &at, NULL)) != NULL)
        fn(e->name, &e->pid.pid, arg);
    return map_count(&n->global->names);
}

/* ---- sync ---- */

static void syncer_free(struct syncer *s)
{
    list_remove(&s->list);
    nodelist_free(&s->nodes);
    own_pid_free(&s->from);
    clu_writer_free(&s->tag);
    free(s);
}

void syncers_free(struct global *g)
{
    while (!list_empty(&g->syncers)) {
        struct syncer *s = CONTAINER_OF(g->syncers.next, struct syncer, list);

        answer_tie(g, s->tie, "ok");
        syncer_free(s);
    }
}

/* Another node's call: its tag goes back as it came. */
static void answer_call(struct global *g, clu_pid from, clu_reader tag, const char *word)
{
    clu_to to = clu_to_pid(from);

    g->node->urgent = true;
    clu_writer *w = send_back(g->server, &to);

    clu_put_tuple(w, 2);
    clu_put_term(w, &tag);
    clu_put_atom_text(w, word);
    global_ok(g, clu_send_end(g->server));
    g->node->urgent = false;
}

static bool is_done(struct global *g, struct syncer *s)
{
    if (s->nodes.n > 0)
        return false;
    if (s->tie != 0)
        answer_tie(g, s->tie, "ok");
    else
        answer_call(g, s->from.pid, read_written(&s->tag), "ok");
    syncer_free(s);
    return true;
}

void syncers_hear(struct global *g, clu_slice node)
{
    for (struct list *at = g->syncers.next, *next; at != &g->syncers; at = next) {
        struct syncer *s = CONTAINER_OF(at, struct syncer, list);

        next = at->next;
        nodelist_remove(&s->nodes, node);
        (void)is_done(g, s);
    }
}

static struct syncer *syncer_new(void)
{
    struct syncer *s = calloc(1, sizeof *s);

    if (s != NULL) {
        list_init(&s->list);
        clu_writer_init(&s->tag);
    }
    return s;
}

clu_ref clu_global_sync(clu_process *self, clu_answer_fn *on_answer, void *arg)
{
    struct global *g = self->node->global;
    struct syncer *s = is_usable(g) ? syncer_new() : NULL;
    const struct map_entry *at = NULL;
    const struct gpeer *p;
    clu_error err = CLU_OK;

    if (s == NULL)
        return (clu_ref){0};
    while (err == CLU_OK && (p = map_next(&g->peers, &at, NULL)) != NULL)
        if (p->linked && !p->synced)
            err = nodelist_add(&s->nodes, slice_of(p->name));
    s->tie = err == CLU_OK ? wish_new(self, on_answer, arg) : 0;
    if (s->tie == 0) {
        syncer_free(s);
        return (clu_ref){0};
    }
    clu_ref ref = ref_of(g, s->tie);

    list_append(&g->syncers, &s->list);
    (void)is_done(g, s);
    return ref;
}

/* ---- calls of other nodes ---- */

struct question {
    struct global *g;
    struct gen_call call;
    clu_reader args; /* behind the word, if it is a tuple */
};

static clu_writer *answer_begin(struct question *q)
{
    q->g->node->urgent = true;
    return reply_begin(q->g->server, &q->call);
}

static void answer_end(struct question *q)
{
    global_ok(q->g, clu_send_end(q->g->server)); /* who asked would wait for ever */
    q->g->node->urgent = false;
}

static void answer(struct question *q, const char *word)
{
    clu_put_atom_text(answer_begin(q), word);
    answer_end(q);
}

/* Whom we have asked to cut its link is no part of our partition any more, whatever it has not
 * heard of yet: a name of ours that it took would be nobody's once the link is gone. */
static bool is_removed(const struct question *q)
{
    const struct gpeer *p = peer_find(q->g, q->call.from.node);

    return p != NULL && p->removing;
}

/* {register, Name, Pid, Method}: by who holds the lock. */
static void call_register(struct question *q)
{
    const struct under_lock lock = {.pid = &q->call.from};
    clu_slice name = clu_get_raw(&q->args);
    clu_pid pid = clu_get_pid(&q->args);
    clu_slice method = clu_get_raw(&q->args);

    if (q->args.err == CLU_OK && !is_removed(q))
        name_put(q->g, name, &pid, method, (clu_slice){NULL, 0}, &lock);
    answer(q, "yes");
}

/* {register_ext, Name, Pid, Method, RegNode} */
static void call_register_ext(struct question *q)
{
    const struct under_lock lock = {.pid = &q->call.from};
    clu_slice name = clu_get_raw(&q->args);
    clu_pid pid = clu_get_pid(&q->args);
    clu_slice method = clu_get_raw(&q->args);
    clu_slice node = clu_get_atom(&q->args);

    if (q->args.err == CLU_OK && !is_removed(q))
        name_put(q->g, name, &pid, method, node, &lock);
    answer(q, "yes");
}

static void call_unregister(struct question *q)
{
    clu_slice name = clu_get_raw(&q->args);

    if (!is_removed(q))
        name_delete(q->g, name);
    answer(q, "ok");
}

static void call_set_lock(struct question *q)
{
    clu_slice id = clu_get_raw(&q->args);

    answer(q, lock_set(q->g, id, &q->call.from) ? "true" : "false");
}

static void call_del_lock(struct question *q)
{
    lock_del(q->g, clu_get_raw(&q->args), &q->call.from);
    answer(q, "true");
}

static void answer_nodes(struct question *q, struct nodelist *nodes)
{
    clu_writer *w = answer_begin(q);

    clu_put_list(w, nodes->n);
    for (size_t i = 0; i < nodes->n; i++)
        clu_put_atom_text(w, nodes->names[i]);
    clu_put_nil(w);
    answer_end(q);
    nodelist_free(nodes);
}

static void call_get_known(struct question *q)
{
    struct nodelist known = {0};

    peers_known(q->g, &known);
    answer_nodes(q, &known);
}

static void call_get_synced(struct question *q)
{
    const struct map_entry *at = NULL;
    struct nodelist synced = {0};
    const struct gpeer *p;

    while ((p = map_next(&q->g->peers, &at, NULL)) != NULL)
        if (p->synced)
            global_ok(q->g, nodelist_add(&synced, slice_of(p->name)));
    answer_nodes(q, &synced);
}

static void call_get_version(struct question *q)
{
    clu_put_int(answer_begin(q), GLOBAL_VERSION);
    answer_end(q);
}

static void call_get_names_ext(struct question *q)
{
    names_put_ext(q->g, answer_begin(q));
    answer_end(q);
}

/* {sync, Nodes}: those that are linked and not in sync. */
static void call_sync(struct question *q)
{
    struct syncer *s = syncer_new();
    clu_reader tag = q->call.tag;
    clu_error err = s == NULL ? CLU_ENOMEM : own_pid_set(&s->from, &q->call.from);

    if (err == CLU_OK) {
        clu_put_term(&s->tag, &tag);
        err = s->tag.err;
    }
    for (size_t n = clu_get_list(&q->args); n > 0 && err == CLU_OK; n--) {
        clu_slice node = clu_get_atom(&q->args);
        const struct gpeer *p = peer_find(q->g, node);

        if (q->args.err == CLU_OK && p != NULL && p->linked && !p->synced)
            err = nodelist_add(&s->nodes, node);
    }
    if (err != CLU_OK) {
        if (s != NULL)
            syncer_free(s);
        global_broken(q->g);
        return;
    }
    list_append(&q->g->syncers, &s->list);
    (void)is_done(q->g, s);
}

static const struct {
    const char *word;
    size_t arity; /* 0: the atom itself */
    void (*answer)(struct question *q);
} calls[] = {
    {"set_lock", 2, call_set_lock},           {"del_lock", 2, call_del_lock},
    {"register", 4, call_register},           {"unregister", 2, call_unregister},
    {"register_ext", 5, call_register_ext},   {"get_known", 0, call_get_known},
    {"get_synced", 0, call_get_synced},       {"get_protocol_version", 0, call_get_version},
    {"get_names_ext", 0, call_get_names_ext}, {"sync", 2, call_sync},
};

/* What else is called has no answer, as in OTP. */
bool global_call(struct global *g, clu_reader message)
{
    struct question q = {.g = g};

    if (clu_peek_type(&message) != CLU_TYPE_TUPLE || !get_gen_call(&message, &q.call))
        return false;
    q.args = message;
    size_t arity = clu_peek_type(&q.args) == CLU_TYPE_TUPLE ? clu_get_tuple(&q.args) : 0;
    clu_slice word = clu_get_atom(&q.args);

    for (size_t i = 0; q.args.err == CLU_OK && i < COUNT(calls); i++)
        if (calls[i].arity == arity && slice_is(word, calls[i].word)) {
            calls[i].answer(&q);
            break;
        }
    return true;
}
