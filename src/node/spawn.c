/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/calls.h"

/* erlang:spawn_request: what we ask of other nodes. */

static void put_options(clu_writer *w, bool link, bool monitor)
{
    clu_put_list(w, (size_t)link + monitor);
    if (link)
        clu_put_atom_text(w, "link");
    if (monitor)
        clu_put_atom_text(w, "monitor");
    clu_put_nil(w);
}

/* It does not go with its tie: whoever gives the monitor up meanwhile hears of the process all the
 * same, and may be linked to it. */
static void deliver_spawned(struct tie *t, const clu_pid *pid, clu_reader error)
{
    struct delivery d = {
        .signal = {.kind = CLU_SIGNAL_SPAWNED, .ref = tie_ref(t), .from = *pid, .term = error},
        .last = pid->node.len == 0 || (t->kinds & TIE_MONITOR) == 0,
    };

    deliver(t->owner, &d);
}

static void deliver_error(struct tie *t, clu_slice name)
{
    uint8_t bytes[3 + CLU_ATOM_BYTES_MAX];
    clu_pid none = {0};
    clu_writer w;

    t->kinds &= (uint32_t) ~(TIE_SPAWN | TIE_MONITOR); /* there is nobody to demonitor */
    clu_writer_fixed(&w, bytes, sizeof bytes);
    clu_put_atom(&w, name);
    deliver_spawned(t, &none, reader_of((clu_slice){bytes, w.len}));
}

/* The reply tells what stands now between us and the new process: no more than was asked for. */
static void spawned(struct tie *t, const struct control *c)
{
    struct remote *r = t->remote;
    bool link = (c->sig_flags & SPAWN_REPLY_LINK) != 0 && (t->kinds & TIE_LINK) != 0;
    bool monitor = (c->sig_flags & SPAWN_REPLY_MONITOR) != 0;

    if (c->from_is_name) {
        deliver_error(t, c->from_name);
        return;
    }
    t->kinds &= (uint32_t)~TIE_SPAWN;
    t->pid = c->from;
    t->pid.node = slice_of(r->name);
    if (link && bond_add(t->owner, r, &t->pid) != CLU_OK)
        clu_exit(t->owner, "system_limit");
    if (!monitor)
        t->kinds &= (uint32_t)~TIE_MONITOR;
    else if ((t->kinds & TIE_MONITOR) == 0)
        tie_demonitor(t); /* given up meanwhile */
    deliver_spawned(t, &t->pid, (clu_reader){0});
}

/* ---- who asked has ended ---- */

/* A process asked for with a link, whose parent has ended since: it ends as that one did, or does
 * not if that was normal. */
struct left {
    struct list of_remote;
    clu_ref ref;
    size_t len;
    uint8_t reason[];
};

static void left_free(struct left *l)
{
    if (l == NULL)
        return;
    list_remove(&l->of_remote);
    free(l);
}

/* Replies come in the order of the requests. */
static struct left *left_find(const struct remote *r, const clu_ref *ref)
{
    for (struct list *at = r->left.next; at != &r->left; at = at->next) {
        struct left *l = CONTAINER_OF(at, struct left, of_remote);

        if (is_same_ref(&l->ref, ref))
            return l;
    }
    return NULL;
}

/* Without memory the reason is noproc, as of any other link of the dead. */
void spawn_left(const struct tie *t, clu_slice reason)
{
    const uint32_t both = TIE_SPAWN | TIE_LINK;
    bool left = (t->kinds & both) == both && t->remote != NULL;
    struct left *l = left ? malloc(sizeof *l + reason.len) : NULL;

    if (l == NULL)
        return;
    *l = (struct left){.ref = tie_ref(t), .len = reason.len};
    memcpy(l->reason, reason.data, reason.len);
    list_append(&t->remote->left, &l->of_remote);
}

void spawn_forget(const struct remote *r, const clu_ref *ref)
{
    left_free(left_find(r, ref));
}

void spawns_forget(struct remote *r)
{
    while (!list_empty(&r->left))
        left_free(CONTAINER_OF(r->left.next, struct left, of_remote));
}

static clu_error end_link(struct signal *s, const struct left *l)
{
    const struct control *c = s->c;
    struct atom_term noproc;
    clu_slice reason = l == NULL ? atom_term(&noproc, "noproc") : (clu_slice){l->reason, l->len};

    return signal_exit(s->remote, NULL, &c->to, &c->from, reason);
}

static clu_error end_ties(struct signal *s, const struct left *l)
{
    const struct control *c = s->c;
    clu_error err = CLU_OK;

    if (c->from_is_name)
        return CLU_OK;
    if ((c->sig_flags & SPAWN_REPLY_MONITOR) != 0) {
        control_put_demonitor_pid(signal_begin(s->remote, NULL), &c->to, &c->from, &c->ref);
        err = signal_end(s->remote);
    }
    return err == CLU_OK && (c->sig_flags & SPAWN_REPLY_LINK) != 0 ? end_link(s, l) : err;
}

/* Who asked is gone, or does not wait any more: its link and its monitor end like any other of the
 * dead. */
static clu_error reply_to_nobody(struct signal *s)
{
    struct left *l = left_find(s->remote, &s->c->ref);
    clu_error err = end_ties(s, l);

    left_free(l);
    return err;
}

/* ---- the reply ---- */

clu_error receive_spawn_reply(struct signal *s)
{
    struct tie *t = tie_find(s->node, &s->c->ref);
    bool awaited = t != NULL && (t->kinds & TIE_SPAWN) != 0 && t->remote == s->remote;

    if (awaited)
        t->on_spawn(t, s->c);
    return awaited ? CLU_OK : reply_to_nobody(s);
}

/* The connection went while the reply was awaited, or with the process. */
static void spawn_down(struct tie *t, clu_reader reason)
{
    struct delivery d = {
        .signal = {.kind = CLU_SIGNAL_DOWN, .ref = tie_ref(t), .from = t->pid, .term = reason},
        .tie = t->id,
        .last = true,
    };
    clu_pid none = {0};

    if ((t->kinds & TIE_SPAWN) != 0)
        deliver_spawned(t, &none, reason);
    else
        deliver(t->owner, &d);
}

/* Who would show what the function prints: the leader that the owner has itself, else rex, which
 * answers for one. */
static clu_pid leader_for(const struct clu_process *p)
{
    clu_pid leader = clu_group_leader(p);
    const struct clu_process *rex = process_named(p->node, slice_of("rex"));

    return leader.node.len > 0 || rex == NULL ? leader : process_pid(rex);
}

clu_error spawn_put(struct remote *r, const struct clu_process *p, const clu_ref *ref,
                    const struct mfa *m, bool link, bool monitor)
{
    clu_pid self = process_pid(p), leader = leader_for(p);
    uint8_t options[32];
    clu_writer w;

    clu_writer_fixed(&w, options, sizeof options);
    put_options(&w, link, monitor);
    control_put_spawn_request(signal_begin(r, p), ref, &self, &leader, m->module, m->function,
                              (uint8_t)m->arity, (clu_slice){options, w.len});
    signal_payload(r);
    return w.err;
}

clu_writer *signal_writer(struct remote *r)
{
    return r->link == NULL ? &r->held : &r->node->sending.w;
}

static clu_error spawn_far(struct tie *t, const struct mfa *m, bool link, bool monitor)
{
    struct remote *r = t->remote;
    clu_ref ref = tie_ref(t);
    clu_error err = spawn_put(r, t->owner, &ref, m, link, monitor);
    clu_reader args = m->args;

    t->on_spawn = spawned;
    t->on_down = spawn_down;
    clu_put_term(signal_writer(r), &args);
    if (err == CLU_OK)
        return signal_end(r);
    signal_cancel(r);
    return err;
}

/* ---- of this node ---- */

static clu_error tie_near(struct tie *t, struct clu_process *p, bool link, bool monitor)
{
    clu_pid self = process_pid(p);
    clu_error err = link ? clu_link(t->owner, &self) : CLU_OK;

    t->kinds &= (uint32_t)~TIE_SPAWN;
    t->pid = self;
    t->pid.node = slice_of(p->node->name);
    if (err == CLU_OK && monitor)
        err = watch_local(p, t);
    if (err == CLU_OK)
        deliver_spawned(t, &t->pid, (clu_reader){0});
    return err;
}

clu_error spawn_request(struct clu_process *p, const struct mfa *m)
{
    clu_reader args = m->args;
    clu_writer w;

    clu_writer_init(&w);
    clu_put_atom(&w, m->module);
    clu_put_atom(&w, m->function);
    clu_put_term(&w, &args);
    clu_error err = w.err;

    if (err == CLU_OK)
        call_start(p, reader_of((clu_slice){w.data, w.len}));
    clu_writer_free(&w);
    return err;
}

static clu_error spawn_near(struct tie *t, const struct mfa *m, bool link, bool monitor)
{
    clu_pid parent = process_pid(t->owner);
    struct clu_call *call = call_new(t->owner->node, CALL_SPAWN, &parent, NULL, call_no_tag);
    struct clu_process *p = call == NULL ? NULL : call_process(call);

    if (p == NULL) {
        call_free(call);
        return CLU_ENOMEM;
    }
    clu_error err = tie_near(t, p, link, monitor);

    if (err == CLU_OK)
        err = spawn_request(p, m);
    if (err != CLU_OK)
        clu_exit(p, "system_limit");
    return err;
}

/* ---- erlang:spawn_request/5 ---- */

/* A request would cut the link of who does not know such. */
static bool is_refused(const struct clu_node *n, clu_slice node)
{
    const struct remote *r = remote_find(n, node);

    return r != NULL && (remote_flags(r) & DFLAG_SPAWN) == 0;
}

static clu_ref refuse(struct clu_process *p)
{
    struct tie *t = tie_new(p, TIE_SPAWN);

    if (t == NULL)
        return (clu_ref){0};
    clu_ref ref = tie_ref(t);

    deliver_error(t, slice_of("notsup"));
    return ref;
}

static bool fits_atom(clu_slice text)
{
    uint8_t bytes[3 + CLU_ATOM_BYTES_MAX];
    clu_writer w;

    clu_writer_fixed(&w, bytes, sizeof bytes);
    clu_put_atom(&w, text);
    return w.err == CLU_OK;
}

static struct tie *spawn_tie(struct clu_process *p, bool link, bool monitor)
{
    return tie_new(p, TIE_SPAWN | (monitor ? (uint32_t)TIE_MONITOR : 0) |
                          (link ? (uint32_t)TIE_LINK : 0));
}

clu_ref clu_spawn_remote(clu_process *p, const char *node, const char *module, const char *function,
                         clu_slice arguments, bool link, bool monitor)
{
    if (is_refused(p->node, slice_of(node)))
        return refuse(p);
    struct mfa m;
    bool near = is_own_name(p->node, slice_of(node));
    struct remote *r = near ? NULL : remote_get(p->node, slice_of(node));

    m.module = slice_of(module);
    m.function = slice_of(function);
    m.args = reader_of(arguments);
    bool fits = (near || r != NULL) && fits_atom(m.module) && fits_atom(m.function) &&
                mfa_args(&m) && m.arity <= UINT8_MAX;
    struct tie *t = fits ? spawn_tie(p, link, monitor) : NULL;

    if (t == NULL) {
        remote_release(r);
        return (clu_ref){0};
    }
    clu_ref ref = tie_ref(t);

    if (!near)
        tie_at(t, r);
    clu_error err = near ? spawn_near(t, &m, link, monitor) : spawn_far(t, &m, link, monitor);

    if (err == CLU_OK)
        return ref;
    tie_free(t);
    return (clu_ref){0};
}
