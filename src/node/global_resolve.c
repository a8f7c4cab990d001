/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* Two partitions have given one name to two processes. The lesser node of the two that exchange
 * their names asks the resolve function of its own side's process, at that process's node: as OTP
 * does, by a call of global:resolve_it/4. */

/* A comparison under way. */
struct resolving {
    struct global *g;
    struct gpeer *peer;
    int64_t tag;
    struct terms names; /* the peer's */
    clu_reader at;      /* of them, what has not been compared */
    size_t left;
    struct terms ops, his_ops; /* for our partition, for his */
    /* The conflict that another node is asked about. */
    clu_ref ref; /* n is 0: none */
    clu_slice name, method;
    struct own_pid his, ours;
    clu_writer our_method;
};

static void resolving_free(struct resolving *s)
{
    terms_free(&s->names);
    terms_free(&s->ops);
    terms_free(&s->his_ops);
    own_pid_free(&s->his);
    own_pid_free(&s->ours);
    clu_writer_free(&s->our_method);
    free(s);
}

/* What it has asked runs on; nobody will hear. */
void resolve_stop(struct gpeer *p)
{
    struct resolving *s = p->resolving;

    if (s == NULL)
        return;
    p->resolving = NULL;
    if (s->ref.n > 0 && !s->g->dead)
        clu_demonitor(s->g->server, &s->ref);
    resolving_free(s);
}

/* ---- operations ---- */

static void put_insert(struct terms *ops, clu_slice name, const clu_pid *pid, clu_slice method)
{
    clu_put_tuple(&ops->w, 2);
    clu_put_atom_text(&ops->w, "insert");
    clu_put_tuple(&ops->w, 3);
    clu_put_raw(&ops->w, name);
    clu_put_pid(&ops->w, pid);
    clu_put_raw(&ops->w, method);
    ops->n++;
}

static void put_delete(struct terms *ops, clu_slice name)
{
    clu_put_tuple(&ops->w, 2);
    clu_put_atom_text(&ops->w, "delete");
    clu_put_raw(&ops->w, name);
    ops->n++;
}

/* The function's answer: one of the two pids, or anything else: then the name is nobody's. Without
 * an answer theirs is taken. */
static void decide(struct resolving *s, bool answered, clu_reader answer)
{
    clu_pid pid = {0};

    if (answered && clu_peek_type(&answer) == CLU_TYPE_PID)
        pid = clu_get_pid(&answer);
    bool theirs = pid.node.len > 0 && pid_equal(&pid, &s->his.pid);
    bool ours = pid.node.len > 0 && pid_equal(&pid, &s->ours.pid);

    if (!answered || theirs) {
        put_insert(&s->ops, s->name, &s->his.pid, s->method);
    } else if (ours) {
        put_insert(&s->his_ops, s->name, &s->ours.pid, written(&s->our_method));
    } else {
        put_delete(&s->ops, s->name);
        put_delete(&s->his_ops, s->name);
    }
}

/* ---- asking ---- */

/* erpc:execute_call(Ref, global, resolve_it, [Method, Name, Pid1, Pid2]); the answer is what the
 * process ends with. */
static void put_call(clu_writer *w, const struct resolving *s, const clu_ref *ref)
{
    clu_put_list(w, 4);
    clu_put_ref(w, ref);
    clu_put_atom_text(w, "global");
    clu_put_atom_text(w, "resolve_it");
    clu_put_list(w, 4);
    clu_put_raw(w, written(&s->our_method));
    clu_put_raw(w, s->name);
    clu_put_pid(w, &s->his.pid);
    clu_put_pid(w, &s->ours.pid);
    clu_put_nil(w);
    clu_put_nil(w);
}

/* The reference in the arguments only comes back in the answer, which we know by the monitor. */
static bool ask_there(struct resolving *s)
{
    struct clu_process *p = s->g->server;
    clu_ref mark = {.node = own_name(s->g), .creation = s->g->node->creation, .n = 3, .words = {1}};
    clu_writer w;

    clu_writer_init(&w);
    put_call(&w, s, &mark);
    if (w.err == CLU_OK)
        s->ref =
            clu_spawn_remote(p, s->ours.node, "erpc", "execute_call", written(&w), false, true);
    clu_writer_free(&w);
    return s->ref.n > 0;
}

static void ask_here(struct resolving *s)
{
    clu_writer w;

    clu_writer_init(&w);
    bool known =
        resolve_here(s->g, written(&s->our_method), s->name, &s->his.pid, &s->ours.pid, &w);

    /* A function that we do not have fails; that is an answer too. */
    if (!known)
        clu_put_atom_text(&w, "undef");
    decide(s, true, read_written(&w));
    clu_writer_free(&w);
}

static void tell_conflict(struct resolving *s)
{
    clu_reader name = reader_of(s->name);
    clu_writer text;

    clu_writer_init(&text);
    if (clu_print(&name, &text) == CLU_OK)
        clu_put_bytes(&text, "", 1);
    global_tell(s->g, GLOBAL_NAME_CONFLICT, s->peer->name, s->ours.node,
                text.err == CLU_OK && text.len > 0 ? (const char *)text.data : "");
    clu_writer_free(&text);
}

/* true: the answer is to come. */
static bool conflict(struct resolving *s, const clu_pid *his, const struct gname *ours)
{
    clu_writer_reset(&s->our_method);
    clu_put_raw(&s->our_method, ours->method);
    if (!global_ok(s->g, own_pid_set(&s->his, his)) ||
        !global_ok(s->g, own_pid_set(&s->ours, &ours->pid.pid)) ||
        !global_ok(s->g, s->our_method.err))
        return true;
    tell_conflict(s);
    if (is_own_name(s->g->node, s->ours.pid.node)) {
        ask_here(s);
        return false;
    }
    if (ask_there(s))
        return true;
    decide(s, false, (clu_reader){0});
    return false;
}

/* ---- comparing ---- */

/* Both may have the same owner, where partitions overlap: then others of ours may lack it still.
 * true: an answer is awaited. */
static bool compare(struct resolving *s)
{
    clu_reader r = s->at;

    clu_skip_term(&s->at);
    if (clu_get_tuple(&r) != 3)
        return false;
    s->name = clu_get_raw(&r);
    clu_pid pid = clu_get_pid(&r);

    s->method = clu_get_raw(&r);
    if (r.err != CLU_OK)
        return false;
    const struct gname *ours = name_find(s->g, s->name);

    if (ours == NULL || pid_equal(&ours->pid.pid, &pid))
        put_insert(&s->ops, s->name, &pid, s->method);
    else if (name_compare(own_name(s->g), slice_of(s->peer->name)) < 0)
        return conflict(s, &pid, ours);
    return false;
}

static void go_on(struct resolving *s)
{
    while (s->left > 0 && !s->g->broken) {
        s->left--;
        if (compare(s))
            return;
    }
    struct global *g = s->g;
    struct gpeer *p = s->peer;

    if (g->broken)
        return;
    p->resolving = NULL;
    session_resolved(g, p, s->tag, &s->ops, &s->his_ops);
    resolving_free(s);
}

void resolve_start(struct global *g, struct gpeer *p)
{
    struct resolving *s = calloc(1, sizeof *s);

    resolve_stop(p);
    if (s == NULL) {
        global_broken(g);
        return;
    }
    *s = (struct resolving){.g = g, .peer = p, .tag = p->my_tag, .names = p->his_names};
    terms_init(&p->his_names);
    terms_init(&s->ops);
    terms_init(&s->his_ops);
    clu_writer_init(&s->our_method);
    s->at = terms_read(&s->names);
    s->left = s->names.n;
    p->resolving = s;
    go_on(s);
}

/* ---- the answer of another node ---- */

static struct resolving *waiting_for(struct global *g, const clu_ref *ref)
{
    const struct map_entry *at = NULL;
    const struct gpeer *p;

    while ((p = map_next(&g->peers, &at, NULL)) != NULL)
        if (p->resolving != NULL && is_same_ref(&p->resolving->ref, ref))
            return p->resolving;
    return NULL;
}

/* {Ref, return, Value} */
static bool read_return(clu_reader *reason)
{
    if (clu_peek_type(reason) != CLU_TYPE_TUPLE || clu_get_tuple(reason) != 3)
        return false;
    clu_skip_term(reason);
    return slice_is(clu_get_atom(reason), "return") && reason->err == CLU_OK;
}

bool resolve_signal(struct global *g, const clu_signal *signal)
{
    struct resolving *s = waiting_for(g, &signal->ref);
    clu_reader term = signal->term;

    if (s == NULL)
        return false;
    if (signal->kind == CLU_SIGNAL_SPAWNED && signal->from.node.len > 0)
        return true;
    s->ref.n = 0;
    bool answered = signal->kind == CLU_SIGNAL_DOWN && read_return(&term);

    decide(s, answered, term);
    go_on(s);
    return true;
}

/* ---- our own functions ---- */

static const struct {
    clu_resolve resolve;
    const char *name;
} methods[] = {
    {CLU_RESOLVE_EXIT, "random_exit_name"},
    {CLU_RESOLVE_NOTIFY, "random_notify_name"},
    {CLU_RESOLVE_NONE, "notify_all_name"},
};

clu_slice resolve_method(clu_resolve resolve, clu_writer *w)
{
    for (size_t i = 0; i < COUNT(methods); i++)
        if (methods[i].resolve == resolve)
            clu_put_export(w, slice_of("global"), slice_of(methods[i].name), 3);
    return written(w);
}

/* fun global:F/3: which; -1: it is none of ours. */
static int method_of(clu_slice term)
{
    clu_reader r = reader_of(term);
    clu_slice module, function;
    uint8_t arity;

    if (clu_peek_type(&r) != CLU_TYPE_EXPORT)
        return -1;
    clu_get_export(&r, &module, &function, &arity);
    if (r.err != CLU_OK || !slice_is(module, "global") || arity != 3)
        return -1;
    for (size_t i = 0; i < COUNT(methods); i++)
        if (slice_is(function, methods[i].name))
            return (int)methods[i].resolve;
    return -1;
}

/* {global_name_conflict, Name} or, with other, {global_name_conflict, Name, Other} */
static void say_conflict(struct global *g, const clu_pid *to_pid, clu_slice name,
                         const clu_pid *other)
{
    clu_to to = clu_to_pid(*to_pid);

    g->node->urgent = true;
    clu_writer *w = clu_send_begin(g->server, &to);

    clu_put_tuple(w, other == NULL ? 2 : 3);
    clu_put_atom_text(w, "global_name_conflict");
    clu_put_raw(w, name);
    if (other != NULL)
        clu_put_pid(w, other);
    global_ok(g, clu_send_end(g->server));
    g->node->urgent = false;
}

bool resolve_here(struct global *g, clu_slice method, clu_slice name, const clu_pid *a,
                  const clu_pid *b, clu_writer *out)
{
    int which = method_of(method);
    bool in_order = name_compare(a->node, b->node) < 0;
    const clu_pid *min = in_order ? a : b, *max = in_order ? b : a;
    struct atom_term kill;

    if (which < 0)
        return false;
    if (which == CLU_RESOLVE_NONE) {
        say_conflict(g, a, name, b);
        say_conflict(g, b, name, a);
        clu_put_atom_text(out, "none");
        return true;
    }
    if (which == CLU_RESOLVE_NOTIFY)
        say_conflict(g, max, name, NULL);
    else
        global_ok(g, clu_exit_signal(g->server, max, atom_term(&kill, "kill")));
    clu_put_pid(out, min);
    return true;
}
