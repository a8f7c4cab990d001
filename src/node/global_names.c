/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* The names as this node knows them. A name goes with its process: of the monitor there is a
 * function, so that a name is gone before anything else is handled. */

static clu_slice slice_copy(clu_slice s)
{
    uint8_t *copy = malloc(s.len == 0 ? 1 : s.len);

    if (copy == NULL)
        return (clu_slice){NULL, 0};
    if (s.len > 0)
        memcpy(copy, s.data, s.len);
    return (clu_slice){copy, s.len};
}

struct gname *name_find(const struct global *g, clu_slice name)
{
    return map_get(&g->names, name);
}

const clu_pid *name_where(const struct global *g, clu_slice name)
{
    const struct gname *e = name_find(g, name);

    if (e == NULL ||
        (is_own_name(g->node, e->pid.pid.node) && process_find(g->node, &e->pid.pid) == NULL))
        return NULL;
    return &e->pid.pid;
}

bool names_of_pid(const struct global *g, const clu_pid *pid)
{
    const struct map_entry *at = NULL;
    const struct gname *e;

    while ((e = map_next(&g->names, &at, NULL)) != NULL)
        if (pid_equal(&e->pid.pid, pid))
            return true;
    return false;
}

/* ---- going ---- */

static void entry_free(struct gname *e)
{
    struct tie *t = slots_get(&e->g->node->ties, e->tie);

    if (t != NULL)
        tie_end(t);
    free((void *)(uintptr_t)e->name.data);
    free((void *)(uintptr_t)e->method.data);
    free(e->ext);
    own_pid_free(&e->pid);
    free(e);
}

void name_delete(struct global *g, clu_slice name)
{
    struct gname *e = map_remove(&g->names, name);

    if (e != NULL)
        entry_free(e);
}

void names_free(struct global *g)
{
    const struct map_entry *at = NULL;
    struct gname *e;

    while ((e = map_next(&g->names, &at, NULL)) != NULL)
        entry_free(e);
    map_free(&g->names);
}

/* The names of a node that is still being dialled stay: see sync_others. */
static bool is_coming(struct gname *e, clu_reader reason)
{
    const struct gpeer *p = peer_find(e->g, e->pid.pid.node);

    return p != NULL && p->wanted && !p->linked && slice_is(clu_get_atom(&reason), "noconnection");
}

static void process_gone(struct tie *t, clu_reader reason)
{
    struct gname *e = t->arg;

    e->tie = 0;
    if (is_coming(e, reason)) {
        tie_free(t);
        return;
    }
    tie_free(t);
    name_delete(e->g, e->name);
}

/* ---- coming ---- */

/* A process that is not there makes the name go at once: e may be gone behind this. */
static void watch(struct gname *e)
{
    struct global *g = e->g;
    clu_to to = clu_to_pid(e->pid.pid);
    struct tie *t = tie_new(g->server, TIE_MONITOR);

    if (t == NULL) {
        global_broken(g);
        return;
    }
    slot_id id = e->tie = t->id;

    t->on_down = process_gone;
    t->arg = e;
    if (tie_watch(t, &to) != CLU_OK && slots_get(&g->node->ties, id) != NULL) {
        e->tie = 0;
        tie_free(t);
        global_broken(g);
    }
}

static const struct gname *unwatched_at(const struct global *g, clu_slice node)
{
    const struct map_entry *at = NULL;
    const struct gname *e;

    while ((e = map_next(&g->names, &at, NULL)) != NULL)
        if (e->tie == 0 && slice_equal(e->pid.pid.node, node))
            return e;
    return NULL;
}

void names_watch(struct global *g, clu_slice node)
{
    const struct gname *e;

    while (!g->broken && (e = unwatched_at(g, node)) != NULL)
        watch(name_find(g, e->name));
}

static struct gname *entry_new(struct global *g, clu_slice name, const clu_pid *pid,
                               clu_slice method, clu_slice ext)
{
    struct gname *e = calloc(1, sizeof *e);

    if (e == NULL)
        return NULL;
    e->g = g;
    e->name = slice_copy(name);
    e->method = slice_copy(method);
    if (ext.len > 0)
        e->ext = strndup((const char *)ext.data, ext.len);
    if (e->name.data != NULL && e->method.data != NULL && (ext.len == 0 || e->ext != NULL) &&
        own_pid_set(&e->pid, pid) == CLU_OK && map_put(&g->names, e->name, e) == CLU_OK)
        return e;
    entry_free(e);
    return NULL;
}

void name_put(struct global *g, clu_slice name, const clu_pid *pid, clu_slice method, clu_slice ext,
              const struct under_lock *lock)
{
    struct gname *e = name_find(g, name);
    bool held = lock_is_held_under(g, lock);

    if (!held && e != NULL && pid_equal(&e->pid.pid, pid))
        return;
    name_delete(g, name);
    if (!held)
        return;
    e = entry_new(g, name, pid, method, ext);
    if (e == NULL)
        global_broken(g);
    else
        watch(e);
}

/* ---- operations ---- */

/* {Name, Pid, RegNode} of an external name: its node; else nothing. */
static clu_slice ext_of(clu_slice list, clu_slice name, const clu_pid *pid)
{
    clu_reader r = reader_of(list);

    for (size_t n = clu_get_list(&r); n > 0 && clu_get_tuple(&r) == 3; n--) {
        clu_slice other = clu_get_raw(&r);
        clu_pid of = clu_get_pid(&r);
        clu_slice node = clu_get_atom(&r);

        if (r.err == CLU_OK && slice_equal(other, name) && pid_equal(&of, pid))
            return node;
    }
    return (clu_slice){NULL, 0};
}

static void do_insert(struct global *g, clu_reader r, clu_slice ext, const struct under_lock *lock)
{
    if (clu_get_tuple(&r) != 3)
        return;
    clu_slice name = clu_get_raw(&r);
    clu_pid pid = clu_get_pid(&r);
    clu_slice method = clu_get_raw(&r);

    if (r.err == CLU_OK)
        name_put(g, name, &pid, method, ext_of(ext, name, &pid), lock);
}

static void do_pass(struct global *g, const struct terms *ops, clu_slice ext,
                    const struct under_lock *lock, bool inserts)
{
    clu_reader r = terms_read(ops);

    for (size_t i = 0; i < ops->n && r.err == CLU_OK; i++) {
        clu_reader op = r;

        clu_skip_term(&r);
        if (clu_get_tuple(&op) != 2)
            continue;
        clu_slice word = clu_get_atom(&op);

        if (inserts && slice_is(word, "insert"))
            do_insert(g, op, ext, lock);
        else if (!inserts && slice_is(word, "delete"))
            name_delete(g, clu_get_raw(&op));
    }
}

void names_do(struct global *g, const struct terms *ops, clu_slice ext,
              const struct under_lock *lock)
{
    do_pass(g, ops, ext, lock, true);
    do_pass(g, ops, ext, lock, false);
}

/* ---- lists of them ---- */

void names_put_list(const struct global *g, clu_writer *w)
{
    const struct map_entry *at = NULL;
    const struct gname *e;

    clu_put_list(w, map_count(&g->names));
    while ((e = map_next(&g->names, &at, NULL)) != NULL) {
        clu_put_tuple(w, 3);
        clu_put_raw(w, e->name);
        clu_put_pid(w, &e->pid.pid);
        clu_put_raw(w, e->method);
    }
    clu_put_nil(w);
}

static size_t count_ext(const struct global *g)
{
    const struct map_entry *at = NULL;
    const struct gname *e;
    size_t n = 0;

    while ((e = map_next(&g->names, &at, NULL)) != NULL)
        n += e->ext != NULL;
    return n;
}

void names_put_ext(const struct global *g, clu_writer *w)
{
    const struct map_entry *at = NULL;
    const struct gname *e;

    clu_put_list(w, count_ext(g));
    while ((e = map_next(&g->names, &at, NULL)) != NULL) {
        if (e->ext == NULL)
            continue;
        clu_put_tuple(w, 3);
        clu_put_raw(w, e->name);
        clu_put_pid(w, &e->pid.pid);
        clu_put_atom_text(w, e->ext);
    }
    clu_put_nil(w);
}

/* Each removal begins the walk anew: the map forbids it otherwise. */
void node_resources_delete(struct global *g, clu_slice node)
{
    const struct map_entry *at = NULL;
    const struct gname *e;

    while ((e = map_next(&g->names, &at, NULL)) != NULL) {
        if (!slice_equal(e->pid.pid.node, node))
            continue;
        name_delete(g, e->name);
        at = NULL;
    }
    locks_of_node_delete(g, node);
}

void names_keep_own(struct global *g)
{
    const struct map_entry *at = NULL;
    const struct gname *e;

    while ((e = map_next(&g->names, &at, NULL)) != NULL) {
        if (is_own_name(g->node, e->pid.pid.node))
            continue;
        name_delete(g, e->name);
        at = NULL;
    }
}
