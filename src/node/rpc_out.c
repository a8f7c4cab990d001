/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* Functions of other nodes, as erpc calls them: a process is spawned there that runs the function
 * and ends with what came of it, which our monitor brings. Peers without DFLAG_SPAWN have rex, and
 * the others too, for who is in a hurry. */

enum rpc {
    RPC_NONE,
    RPC_FAR,  /* a SPAWN_REQUEST of erpc:execute_call, and of execute_cast */
    RPC_NEAR, /* a function of this node */
    RPC_REX,  /* a message to rex */
};

/* ---- what came of it ---- */

/* {Ref, return, Value}, {Ref, throw, Value}, {Ref, exit, Reason}, {Ref, error, Reason, Stack} */
static const struct {
    const char *word;
    size_t arity_min, arity_max;
    clu_outcome outcome;
} endings[] = {
    {"return", 3, 3, CLU_ANSWERED},
    {"throw", 3, 3, CLU_RAISED},
    {"exit", 3, 3, CLU_RAISED},
    {"error", 3, 4, CLU_RAISED},
};

static bool is_ref_of(const struct tie *t, const clu_ref *ref)
{
    clu_ref own = tie_ref(t);

    return ref->n == own.n && ref->creation == own.creation && slice_equal(ref->node, own.node) &&
           memcmp(ref->words, own.words, own.n * sizeof *own.words) == 0;
}

/* The process has ended: with an answer to us, or by a signal; or the connection has. */
static void rpc_down(struct tie *t, clu_reader reason)
{
    clu_reader r = reason;
    clu_slice none = {NULL, 0};
    size_t arity = clu_peek_type(&r) == CLU_TYPE_TUPLE ? clu_get_tuple(&r) : 0;
    clu_ref ref = arity > 0 ? clu_get_ref(&r) : (clu_ref){0};
    clu_slice word = clu_get_atom(&r);
    bool ours = r.err == CLU_OK && is_ref_of(t, &ref);

    for (size_t i = 0; ours && i < COUNT(endings); i++)
        if (slice_is(word, endings[i].word) && arity >= endings[i].arity_min &&
            arity <= endings[i].arity_max) {
            bool raised = endings[i].outcome == CLU_RAISED;

            tie_answer(t, endings[i].outcome, raised ? slice_of(endings[i].word) : none, r);
            return;
        }
    tie_answer(t, CLU_NO_PROCESS, none, reason);
}

/* It is under way; or there is no process, and an atom says why. */
static void rpc_spawned(struct tie *t, const struct control *c)
{
    clu_slice why = c->from_is_name ? c->from_name : slice_of("notsup");
    uint8_t term[3 + CLU_ATOM_BYTES_MAX];
    clu_writer w;

    t->kinds &= (uint32_t)~TIE_SPAWN;
    if (!c->from_is_name && (c->sig_flags & SPAWN_REPLY_MONITOR) != 0) {
        t->pid = c->from;
        t->pid.node = slice_of(t->remote->name);
        return;
    }
    t->kinds &= (uint32_t)~TIE_MONITOR;
    clu_writer_fixed(&w, term, sizeof term);
    clu_put_atom(&w, why);
    tie_answer(t, CLU_NO_PROCESS, (clu_slice){NULL, 0}, reader_of((clu_slice){term, w.len}));
}

/* ---- begin ---- */

static clu_writer *refuse(struct clu_process *p, clu_error err)
{
    struct sending *s = &p->node->sending;

    *s = (struct sending){.from = p, .err = err};
    s->w = (clu_writer){.fixed = true, .err = err};
    return &s->w;
}

/* NULL: no memory. */
static struct tie *timed_tie(struct clu_process *p, uint32_t kinds, uint64_t timeout_ms)
{
    uint64_t now = p->node->now_ms;
    struct tie *t = tie_new(p, kinds);

    if (t == NULL || timeout_ms >= NEVER - now || tie_timer(t, now + timeout_ms) == CLU_OK)
        return t;
    tie_free(t);
    return NULL;
}

static struct tie *rpc_tie(struct clu_process *p, uint64_t timeout_ms)
{
    struct tie *t = timed_tie(p, TIE_CALL | TIE_MONITOR, timeout_ms);

    if (t != NULL)
        t->on_down = rpc_down;
    return t;
}

/* ref NULL: a cast, that has no answer. */
static clu_writer *put_erpc(struct remote *r, const struct clu_process *p, const clu_ref *request,
                            const clu_ref *ref, const char *module, const char *function)
{
    struct mfa erpc;

    erpc.module = slice_of("erpc");
    erpc.function = slice_of(ref != NULL ? "execute_call" : "execute_cast");
    erpc.arity = ref != NULL ? 4 : 3;
    clu_error err = spawn_put(r, p, request, &erpc, false, ref != NULL);
    clu_writer *w = signal_writer(r);

    if (err != CLU_OK)
        clu_writer_fail(w, err);
    clu_put_list(w, erpc.arity);
    if (ref != NULL)
        clu_put_ref(w, ref);
    clu_put_atom_text(w, module);
    clu_put_atom_text(w, function);
    return w;
}

static void begin(struct clu_process *p, enum rpc rpc, slot_id call)
{
    p->node->sending = (struct sending){.from = p, .rpc = (uint8_t)rpc, .call = call};
}

static clu_writer *begin_far(struct clu_process *p, struct remote *r, const char *module,
                             const char *function, uint64_t timeout_ms)
{
    struct tie *t = rpc_tie(p, timeout_ms);

    if (t == NULL) {
        remote_release(r);
        return refuse(p, CLU_ENOMEM);
    }
    clu_ref ref = tie_ref(t);

    t->kinds |= TIE_SPAWN;
    t->on_spawn = rpc_spawned;
    tie_at(t, r);
    begin(p, RPC_FAR, t->id);
    return send_begun(p, put_erpc(r, p, &ref, &ref, module, function));
}

static clu_writer *begin_near(struct clu_process *p, slot_id call, const char *module,
                              const char *function)
{
    struct sending *s = &p->node->sending;

    begin(p, RPC_NEAR, call);
    clu_writer_init(&s->w);
    clu_put_atom_text(&s->w, module);
    clu_put_atom_text(&s->w, function);
    return send_begun(p, &s->w);
}

/* {call, Module, Function, Arguments, user}, and the same with cast. */
static void put_mfa(clu_writer *w, const char *word, const char *module, const char *function)
{
    clu_put_tuple(w, 5);
    clu_put_atom_text(w, word);
    clu_put_atom_text(w, module);
    clu_put_atom_text(w, function);
}

static clu_writer *begin_rex(struct clu_process *p, const clu_to *to, const char *module,
                             const char *function, uint64_t timeout_ms)
{
    struct sending *s = &p->node->sending;
    clu_writer *w = clu_call_begin(p, to, timeout_ms);
    struct tie *t = slots_get(&p->node->ties, s->call);

    if (t == NULL)
        return w;
    t->kinds |= TIE_REX;
    s->rpc = RPC_REX;
    put_mfa(w, "call", module, function);
    return send_begun(p, w);
}

clu_writer *clu_rpc_begin(clu_process *p, const char *node, const char *module,
                          const char *function, uint64_t timeout_ms)
{
    clu_to to = clu_to_name("rex", node);
    clu_error room = clu_send_room(p, &to, 0);

    if (room != CLU_OK)
        return refuse(p, room);
    if (is_own_name(p->node, slice_of(node))) {
        struct tie *t = rpc_tie(p, timeout_ms);

        return t == NULL ? refuse(p, CLU_ENOMEM) : begin_near(p, t->id, module, function);
    }
    struct remote *r = remote_get(p->node, slice_of(node));

    if (r == NULL)
        return refuse(p, remote_error(slice_of(node)));
    return (remote_flags(r) & DFLAG_SPAWN) != 0 ? begin_far(p, r, module, function, timeout_ms)
                                                : begin_rex(p, &to, module, function, timeout_ms);
}

/* ---- in a hurry ---- */

/* Nothing is monitored: that the connection ends is told all the same. r NULL: of this node. */
static struct tie *rex_tie(struct clu_process *p, struct remote *r, uint64_t timeout_ms)
{
    struct tie *t = timed_tie(p, TIE_CALL | TIE_ALIAS | TIE_REX, timeout_ms);

    if (t != NULL && r != NULL)
        tie_at(t, r);
    return t;
}

/* {Alias, {call, Module, Function, Arguments, user}}: {rex, Answer} goes to whatever stands first,
 * which has been a pid for C nodes of old. */
static clu_writer *begin_hasty(struct clu_process *p, struct remote *r, const clu_to *to,
                               const char *module, const char *function, uint64_t timeout_ms)
{
    struct sending *s = &p->node->sending;
    struct tie *t = rex_tie(p, r, timeout_ms);

    if (t == NULL)
        return refuse(p, CLU_ENOMEM);
    slot_id id = t->id;
    clu_ref ref = tie_ref(t);
    clu_writer *w = clu_send_begin(p, to);

    s->call = id;
    s->rpc = RPC_REX;
    clu_put_tuple(w, 2);
    clu_put_ref(w, &ref);
    put_mfa(w, "call", module, function);
    return send_begun(p, w);
}

/* What a node that is not linked yet makes of an alias is not known. */
clu_writer *clu_rex_begin(clu_process *p, const char *node, const char *module,
                          const char *function, uint64_t timeout_ms)
{
    clu_to to = clu_to_name("rex", node);
    clu_error room = clu_send_room(p, &to, 0);
    struct remote *r = remote_find(p->node, slice_of(node));
    bool linked = r != NULL && r->link != NULL && (r->link->flags & DFLAG_ALIAS) != 0;

    if (room != CLU_OK)
        return refuse(p, room);
    if (node[0] == '\0')
        return refuse(p, CLU_EBADARG);
    return linked || is_own_name(p->node, slice_of(node))
               ? begin_hasty(p, r, &to, module, function, timeout_ms)
               : begin_rex(p, &to, module, function, timeout_ms);
}

/* ---- casts ---- */

/* The request has a reference that nobody has: its reply finds nobody. */
static clu_writer *begin_cast(struct clu_process *p, struct remote *r, const char *module,
                              const char *function)
{
    struct tie none = {.owner = p, .number = ++p->node->n_refs};
    clu_ref request = tie_ref(&none);

    begin(p, RPC_FAR, 0);
    return send_begun(p, put_erpc(r, p, &request, NULL, module, function));
}

clu_writer *clu_rpc_cast_begin(clu_process *p, const char *node, const char *module,
                               const char *function)
{
    clu_to to = clu_to_name("rex", node);
    clu_error room = clu_send_room(p, &to, 0);

    if (room != CLU_OK)
        return refuse(p, room);
    if (is_own_name(p->node, slice_of(node)))
        return begin_near(p, 0, module, function);
    struct remote *r = remote_get(p->node, slice_of(node));

    if (r == NULL)
        return refuse(p, remote_error(slice_of(node)));
    if ((remote_flags(r) & DFLAG_SPAWN) != 0)
        return begin_cast(p, r, module, function);
    clu_writer *w = clu_cast_begin(p, &to);

    p->node->sending.rpc = RPC_REX;
    put_mfa(w, "cast", module, function);
    return send_begun(p, w);
}

/* ---- end ---- */

/* Behind the arguments stands the end of the list that erpc's are. */
static clu_error end_far(struct sending *s)
{
    struct remote *r = s->remote;

    clu_put_nil(signal_writer(r));
    clu_error err = far_end(s);

    s->from = NULL;
    return err;
}

static clu_error run_near(struct clu_process *p, struct tie *t, clu_reader request)
{
    clu_pid self = process_pid(p);
    clu_ref ref = t == NULL ? (clu_ref){0} : tie_ref(t);
    uint8_t bytes[CLU_ATOM_BYTES_MAX + 64];
    clu_writer w;

    clu_writer_fixed(&w, bytes, sizeof bytes);
    clu_put_ref(&w, &ref);
    struct clu_call *call =
        t == NULL ? call_new(p->node, CALL_CAST, &self, NULL, call_no_tag)
                  : call_new(p->node, CALL_ERPC, &self, NULL, reader_of((clu_slice){bytes, w.len}));
    struct clu_process *runs = call == NULL ? NULL : call_process(call);

    if (runs == NULL) {
        call_free(call);
        return CLU_ENOMEM;
    }
    clu_error err = t == NULL ? CLU_OK : watch_local(runs, t);

    if (err == CLU_OK)
        call_start(runs, request);
    else
        clu_exit(runs, "system_limit");
    return err;
}

/* The function runs as soon as it may, and may send by then. */
static clu_error end_near(struct sending *s, struct tie *t)
{
    struct clu_process *p = s->from;
    clu_writer w = s->w;
    clu_error err = w.err;

    s->from = NULL;
    if (err == CLU_OK)
        err = run_near(p, t, reader_of((clu_slice){w.data, w.len}));
    clu_writer_free(&w);
    return err;
}

clu_error rpc_end(struct clu_process *p, struct tie *t)
{
    struct sending *s = &p->node->sending;
    enum rpc rpc = s->rpc;

    if (s->from != p || s->err != CLU_OK || rpc == RPC_NONE)
        return clu_send_end(p);
    if (!send_has_term(s)) {
        send_drop(p->node);
        return CLU_EBADARG;
    }
    if (rpc == RPC_FAR)
        return end_far(s);
    if (rpc == RPC_NEAR)
        return end_near(s, t);
    clu_put_atom_text(s->remote == NULL ? &s->w : signal_writer(s->remote), "user");
    s->rpc = RPC_NONE;
    return clu_send_end(p);
}
