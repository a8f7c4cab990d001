/* SPDX-License-Identifier: Apache-2.0 */
#include "node/proc.h"
#include "node/services.h"

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

static void deliver_spawned(struct tie *t, const clu_pid *pid, clu_reader error)
{
    struct delivery d = {
        .signal = {.kind = CLU_SIGNAL_SPAWNED, .ref = tie_ref(t), .from = *pid, .term = error},
        .tie = t->id,
        .last = pid->node.len == 0 || (t->kinds & TIE_MONITOR) == 0,
    };

    deliver(t->owner, &d);
}

static void deliver_error(struct tie *t, clu_slice name)
{
    uint8_t bytes[3 + CLU_ATOM_BYTES_MAX];
    clu_pid none = {0};
    clu_writer w;

    t->kinds &= (uint32_t)~TIE_SPAWN;
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

/* Who asked is gone: its link and its monitor end like any other of the dead. */
static clu_error reply_to_nobody(struct signal *s)
{
    const struct control *c = s->c;
    struct atom_term noproc;
    clu_error err = CLU_OK;

    if (c->from_is_name)
        return CLU_OK;
    if ((c->sig_flags & SPAWN_REPLY_MONITOR) != 0) {
        control_put_demonitor_pid(signal_begin(s->remote, NULL), &c->to, &c->from, &c->ref);
        err = signal_end(s->remote);
    }
    if (err == CLU_OK && (c->sig_flags & SPAWN_REPLY_LINK) != 0)
        err = signal_exit(s->remote, NULL, &c->to, &c->from, atom_term(&noproc, "noproc"));
    return err;
}

clu_error receive_spawn_reply(struct signal *s)
{
    struct tie *t = tie_find(s->node, &s->c->ref);
    bool awaited = t != NULL && (t->kinds & TIE_SPAWN) != 0 && t->remote == s->remote;

    if (awaited)
        t->on_spawn(t, s->c);
    return t == NULL ? reply_to_nobody(s) : CLU_OK;
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

clu_error spawn_send(struct tie *t, clu_slice module, clu_slice function, size_t arity, bool link,
                     bool monitor)
{
    clu_pid self = process_pid(t->owner);
    clu_ref ref = tie_ref(t);
    uint8_t options[32];
    clu_writer w;

    clu_writer_fixed(&w, options, sizeof options);
    put_options(&w, link, monitor);
    control_put_spawn_request(signal_begin(t->remote, t->owner), &ref, &self, &self, module,
                              function, (uint8_t)arity, (clu_slice){options, w.len});
    signal_payload(t->remote);
    return w.err;
}

/* A request would cut the link of who does not know such. */
static bool is_refused(const struct clu_node *n, clu_slice node)
{
    const struct remote *r = remote_find(n, node);

    return is_own_name(n, node) || (r != NULL && (remote_flags(r) & DFLAG_SPAWN) == 0);
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

clu_ref clu_spawn_remote(clu_process *p, const char *node, const char *module, const char *function,
                         clu_slice arguments, bool link, bool monitor)
{
    if (is_refused(p->node, slice_of(node)))
        return refuse(p);
    clu_reader list = reader_of(arguments);
    size_t arity = clu_get_list(&list);
    struct remote *r = remote_get(p->node, slice_of(node));
    uint32_t kinds =
        TIE_SPAWN | (monitor ? (uint32_t)TIE_MONITOR : 0) | (link ? (uint32_t)TIE_LINK : 0);
    struct tie *t = r == NULL || arity > UINT8_MAX ? NULL : tie_new(p, kinds);

    if (t == NULL) {
        remote_release(r);
        return (clu_ref){0};
    }
    clu_ref ref = tie_ref(t);

    t->on_spawn = spawned;
    t->on_down = spawn_down;
    tie_at(t, r);
    clu_error err = spawn_send(t, slice_of(module), slice_of(function), arity, link, monitor);

    clu_put_raw(r->link == NULL ? &r->held : &p->node->sending.w, arguments);
    if (err == CLU_OK)
        err = signal_end(r);
    else
        signal_cancel(r);
    if (err == CLU_OK)
        return ref;
    tie_free(t);
    return (clu_ref){0};
}
