/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/calls.h"

/* What a process ends with when there is no memory for its reason. */
static const uint8_t reason_full[] = {
    ETF_SMALL_ATOM_UTF8, 12, 's', 'y', 's', 't', 'e', 'm', '_', 'l', 'i', 'm', 'i', 't'};

/* ---- identity ---- */

clu_pid process_pid(const struct clu_process *p)
{
    return (clu_pid){.node = slice_of(p->node->name),
                     .id = p->id,
                     .serial = p->serial,
                     .creation = p->node->creation};
}

clu_pid clu_self(const clu_process *p)
{
    return process_pid(p);
}

clu_node *clu_process_node(const clu_process *p)
{
    return p->node;
}

void *clu_process_arg(const clu_process *p)
{
    return p->arg;
}

void clu_trap_exit(clu_process *p, bool trap)
{
    p->trap_exit = trap;
}

struct clu_process *process_find(const struct clu_node *n, const clu_pid *pid)
{
    struct clu_process *p = slots_get(&n->procs, pid->id);
    bool is_it = p != NULL && !p->ended && p->serial == pid->serial &&
                 pid->creation == n->creation && is_own_name(n, pid->node);

    return is_it ? p : NULL;
}

struct clu_process *process_named(const struct clu_node *n, clu_slice name)
{
    return map_get(&n->names, name);
}

clu_process *clu_find(clu_node *n, const clu_pid *pid)
{
    return process_find(n, pid);
}

clu_process *clu_whereis(clu_node *n, const char *name)
{
    struct clu_process *p = process_named(n, slice_of(name));

    return p == NULL || p->absent ? NULL : p;
}

/* ---- registered names ---- */

clu_error clu_register(clu_process *p, const char *name)
{
    size_t len = strlen(name);

    if (p->ended || len == 0 || len > CLU_ATOM_BYTES_MAX)
        return CLU_EBADARG;
    if (p->name != NULL)
        return CLU_EEXIST;
    char *copy = strdup(name);
    clu_error err = copy == NULL ? CLU_ENOMEM : map_put(&p->node->names, slice_of(name), p);

    if (err != CLU_OK) {
        free(copy);
        return err;
    }
    p->name = copy;
    return CLU_OK;
}

static void unregister(struct clu_process *p)
{
    if (p->name == NULL)
        return;
    map_remove(&p->node->names, slice_of(p->name));
    free(p->name);
    p->name = NULL;
}

clu_error clu_unregister(clu_node *n, const char *name)
{
    struct clu_process *p = process_named(n, slice_of(name));

    if (p == NULL || p->service)
        return CLU_ENOENT;
    unregister(p);
    return CLU_OK;
}

/* ---- life ---- */

static void init_lists(struct clu_process *p)
{
    struct list *const all[] = {&p->runnable, &p->dying, &p->observers, &p->waits, &p->mailbox,
                                &p->answers,  &p->ties,  &p->watchers,  &p->bonds};

    for (size_t i = 0; i < COUNT(all); i++)
        list_init(all[i]);
}

static void process_free(struct clu_process *p)
{
    struct clu_node *n = p->node;

    mailbox_free(p);
    clu_writer_free(&p->leader);
    if (p->reason.data != reason_full)
        free((void *)p->reason.data);
    slots_remove(&n->procs, p->id);
    spare_give(&n->spare_procs, p);
}

clu_error process_new(struct clu_node *n, const clu_spawn_options *o, struct clu_process **out)
{
    *out = NULL;
    if (n->closing)
        return CLU_ECLOSED;
    if (n->procs.n_used >= n->procs.max)
        return CLU_ESIZE;
    struct clu_process *p = spare_get(&n->spare_procs, sizeof *p);

    if (p == NULL)
        return CLU_ENOMEM;
    *p = (struct clu_process){
        .id = slots_add(&n->procs, p),
        .serial = (uint32_t)++n->n_procs,
        .node = n,
        .receive = o->receive,
        .arg = o->arg,
        .trap_exit = o->trap_exit,
        .mailbox_max = o->mailbox_max == 0 ? CLU_MAILBOX_MAX : o->mailbox_max,
    };
    init_lists(p);
    clu_error err = p->id == 0 ? CLU_ENOMEM : CLU_OK;

    if (err == CLU_OK && o->name != NULL)
        err = clu_register(p, o->name);
    if (err != CLU_OK) {
        process_free(p);
        return err;
    }
    p->stopped = o->stopped;
    *out = p;
    return CLU_OK;
}

clu_process *clu_spawn(clu_node *n, const clu_spawn_options *o)
{
    struct clu_process *p;

    if (n == NULL)
        return NULL; /* clu_main says it */
    clu_error err = process_new(n, o, &p);

    if (err == CLU_ESIZE)
        node_fail(n, err, "cannot spawn a process: there are %u already", (unsigned)n->procs.max);
    else if (err != CLU_OK)
        node_fail(n, err, "cannot spawn a process%s%.100s: %s", o->name == NULL ? "" : " named ",
                  o->name == NULL ? "" : o->name, clu_strerror(err));
    return p;
}

/* Takes the reason. */
static void end_owning(struct clu_process *p, clu_slice reason)
{
    p->reason = reason;
    p->ended = true;
    unregister(p);
    list_remove(&p->runnable);
    list_remove(&p->observers);
    waits_end(p);
    list_append(&p->node->dying, &p->dying);
}

void process_end(struct clu_process *p, clu_slice reason)
{
    if (p->ended)
        return;
    uint8_t *copy = malloc(reason.len == 0 ? 1 : reason.len);

    if (copy != NULL && reason.len > 0)
        memcpy(copy, reason.data, reason.len);
    end_owning(p, copy == NULL ? (clu_slice){reason_full, sizeof reason_full}
                               : (clu_slice){copy, reason.len});
}

void process_end_with(struct clu_process *p, clu_writer *reason)
{
    if (p->ended)
        return;
    end_owning(p, (clu_slice){reason->data, reason->len});
    clu_writer_init(reason);
}

/* Its user first: then what it was to others. */
static void tell_user(struct clu_process *p)
{
    const struct clu_server *s = p->server;

    user_begin(p);
    if (p->stopped != NULL)
        p->stopped(p, p->reason, p->arg);
    else if (s != NULL && s->stopped != NULL)
        s->stopped(p, p->reason, p->arg);
    user_end(p->node);
}

void process_bury(struct clu_process *p)
{
    list_remove(&p->dying);
    while (!list_empty(&p->bonds))
        bond_break(CONTAINER_OF(p->bonds.next, struct bond, of_proc), p->reason);
    while (!list_empty(&p->watchers))
        watcher_fire(CONTAINER_OF(p->watchers.next, struct watcher, of_proc), p->reason);
    while (!list_empty(&p->ties)) {
        struct tie *t = CONTAINER_OF(p->ties.next, struct tie, of_owner);

        spawn_left(t, p->reason);
        tie_end(t);
    }
    tell_user(p);
    if (p->call != NULL)
        call_ended(p->call, p->reason);
    process_free(p);
}

/* What is none would end the connection of whoever is told. */
void clu_exit_term(clu_process *p, clu_slice reason)
{
    struct atom_term term;

    process_end(p, is_term(reason) ? reason : atom_term(&term, "badarg"));
}

void clu_exit(clu_process *p, const char *reason)
{
    uint8_t bytes[3 + CLU_ATOM_BYTES_MAX];
    clu_writer w;

    clu_writer_fixed(&w, bytes, sizeof bytes);
    clu_put_atom_text(&w, reason);
    clu_exit_term(p, (clu_slice){bytes, w.err == CLU_OK ? w.len : 0});
}

/* ---- group leaders ---- */

clu_pid clu_group_leader(const clu_process *p)
{
    clu_reader r = reader_of((clu_slice){p->leader.data, p->leader.len});
    clu_pid leader = clu_get_pid(&r);

    return r.err == CLU_OK ? leader : (clu_pid){0};
}

/* The pid may be the one that is there. */
static clu_error set_leader(struct clu_process *p, const clu_pid *leader)
{
    clu_writer w;

    clu_writer_init(&w);
    clu_put_pid(&w, leader);
    if (w.err != CLU_OK)
        return w.err;
    clu_writer_free(&p->leader);
    p->leader = w;
    return CLU_OK;
}

clu_error clu_set_group_leader(clu_process *self, const clu_pid *pid, const clu_pid *leader)
{
    struct clu_node *n = self->node;
    struct clu_process *p = process_find(n, pid);

    if (p != NULL)
        return set_leader(p, leader);
    if (is_own_name(n, pid->node))
        return CLU_OK;
    struct remote *r = remote_get(n, pid->node);

    if (r == NULL)
        return remote_error(pid->node);
    control_put_group_leader(signal_begin(r, self), leader, pid);
    clu_error err = signal_end(r);

    remote_release(r);
    return err;
}

/* ---- exit signals ---- */

/* The reason outlives the frame that it came in. */
static void end_with(struct clu_process *p, clu_reader reason)
{
    clu_writer w;

    clu_writer_init(&w);
    clu_put_term(&w, &reason);
    process_end(p, w.err == CLU_OK ? (clu_slice){w.data, w.len}
                                   : (clu_slice){reason_full, sizeof reason_full});
    clu_writer_free(&w);
}

static bool is_atom(clu_reader r, const char *text)
{
    return slice_is(clu_get_atom(&r), text) && r.err == CLU_OK;
}

/* Reference manual, "Processes", "Receiving Exit Signals". */
void process_exit_signal(struct clu_process *p, const clu_pid *from, clu_reader reason, bool linked)
{
    struct delivery d = {.signal = {.kind = CLU_SIGNAL_EXIT, .from = *from, .term = reason}};

    if (p->ended || p->service)
        return;
    if (!linked && is_atom(reason, "kill"))
        clu_exit(p, "killed");
    else if (p->trap_exit)
        deliver(p, &d);
    else if (!is_atom(reason, "normal"))
        end_with(p, reason);
}

clu_error clu_exit_signal(clu_process *p, const clu_pid *to, clu_slice reason)
{
    clu_pid from = process_pid(p);
    struct clu_node *n = p->node;

    if (!is_term(reason))
        return CLU_EBADARG;
    if (!is_own_name(n, to->node)) {
        struct remote *r = remote_get(n, to->node);
        clu_error err = r == NULL ? remote_error(to->node) : signal_exit2(r, p, &from, to, reason);

        remote_release(r);
        return err;
    }
    struct clu_process *other = process_find(n, to);

    if (other == NULL)
        return CLU_OK;
    /* exit(self(), normal) is the one that counts though it is normal. */
    if (other == p && !p->trap_exit && is_atom(reader_of(reason), "normal"))
        process_end(p, reason);
    else
        process_exit_signal(other, &from, reader_of(reason), false);
    return CLU_OK;
}
