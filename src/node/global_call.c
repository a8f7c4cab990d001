/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* One request to the global_name_servers of several nodes, as gen_server:multi_call: who does not
 * answer because it is gone is passed over. */

enum reply { REPLY_NONE, REPLY_TRUE, REPLY_FALSE };

struct part {
    struct many *many;
    enum reply reply;
    clu_ref call;
};

struct many {
    struct list list; /* in global.many */
    struct global *g;
    slot_id process; /* in whose name */
    struct nodelist nodes;
    struct part *parts; /* one a node */
    size_t waiting;
    bool undo; /* a lock at some nodes only is given back */
    clu_writer id;
    many_done *done;
    void *arg;
};

static void many_free(struct many *m)
{
    list_remove(&m->list);
    nodelist_free(&m->nodes);
    clu_writer_free(&m->id);
    free(m->parts);
    free(m);
}

/* No answer finds it any more. */
static void forget_calls(struct many *m)
{
    struct clu_process *p = slots_get(&m->g->node->procs, m->process);

    for (size_t i = 0; i < m->nodes.n && p != NULL; i++)
        if (m->parts[i].call.n > 0)
            clu_call_forget(p, &m->parts[i].call);
}

void many_drop(struct global *g, slot_id process)
{
    for (struct list *at = g->many.next, *next; at != &g->many; at = next) {
        struct many *m = CONTAINER_OF(at, struct many, list);

        next = at->next;
        if (process != 0 && m->process != process)
            continue;
        forget_calls(m);
        many_free(m);
    }
}

/* ---- the end of it ---- */

static size_t count(const struct many *m, enum reply reply)
{
    size_t n = 0;

    for (size_t i = 0; i < m->nodes.n; i++)
        n += m->parts[i].reply == reply;
    return n;
}

/* The answer is still no when the lock is given back. */
static void undone(struct global *g, bool ok, void *arg)
{
    struct many *m = arg;
    many_done *done = m->done;
    void *for_whom = m->arg;

    (void)ok;
    many_free(m);
    done(g, false, for_whom);
}

/* Gives back what some nodes have granted. */
static void undo(struct many *m)
{
    struct clu_process *p = slots_get(&m->g->node->procs, m->process);
    struct nodelist nodes = {0};

    for (size_t i = 0; i < m->nodes.n; i++)
        if (m->parts[i].reply == REPLY_TRUE &&
            nodelist_add(&nodes, slice_of(m->nodes.names[i])) != CLU_OK)
            global_broken(m->g);
    if (p != NULL)
        many_del_lock(m->g, p, written(&m->id), &nodes, undone, m);
    nodelist_free(&nodes);
}

static void finish(struct many *m)
{
    bool ok = count(m, REPLY_FALSE) == 0;

    if (!ok && m->undo && count(m, REPLY_TRUE) > 0) {
        undo(m);
        return;
    }
    struct global *g = m->g;
    many_done *done = m->done;
    void *arg = m->arg;

    many_free(m);
    done(g, ok, arg);
}

static void part_done(struct part *part, enum reply reply)
{
    struct many *m = part->many;

    part->reply = reply;
    if (--m->waiting == 0)
        finish(m);
}

static void on_reply(clu_process *p, const clu_answer *answer, void *arg)
{
    struct part *part = arg;
    struct global *g = part->many->g;
    clu_reader r = answer->term;
    enum reply reply = REPLY_NONE;

    (void)p;
    if (answer->outcome == CLU_ANSWERED)
        reply = slice_is(clu_get_atom(&r), "false") ? REPLY_FALSE : REPLY_TRUE;
    part_done(part, reply);
    global_run(g);
}

/* ---- the beginning ---- */

static struct many *many_new(struct global *g, struct clu_process *p, const struct nodelist *nodes,
                             many_done *done, void *arg)
{
    struct many *m = calloc(1, sizeof *m);

    if (m == NULL)
        return NULL;
    m->g = g;
    m->process = p->id;
    m->done = done;
    m->arg = arg;
    clu_writer_init(&m->id);
    list_append(&g->many, &m->list);
    m->parts = calloc(nodes->n + 1, sizeof *m->parts);
    if (m->parts != NULL && nodelist_copy(&m->nodes, nodes) == CLU_OK)
        return m;
    many_free(m);
    return NULL;
}

/* A node that has gone holds no lock of ours and needs no name: nobody dials it for that. One that
 * is on its way, because others know it, is waited for; so is any that a program names. */
static bool is_worth_asking(const struct many *m, const struct clu_process *p, const char *node)
{
    const struct gpeer *peer = peer_find(m->g, slice_of(node));
    const struct remote *r = remote_find(m->g->node, slice_of(node));

    return (p != m->g->lockers && p != m->g->registrars) ||
           is_own_name(m->g->node, slice_of(node)) || (r != NULL && r->link != NULL) ||
           (peer != NULL && peer->wanted);
}

/* A lock is never refused for want of room at a slow reader: there is one request at a time. */
static bool ask_one(struct many *m, struct clu_process *p, size_t i, clu_slice request)
{
    struct clu_node *n = m->g->node;
    clu_to to = clu_to_name("global_name_server", m->nodes.names[i]);

    if (!is_worth_asking(m, p, m->nodes.names[i]))
        return false;
    m->parts[i].many = m;
    n->urgent = true;
    clu_put_raw(clu_call_begin(p, &to, CLU_INFINITY), request);
    clu_error err = clu_call_end(p, on_reply, &m->parts[i], &m->parts[i].call);

    n->urgent = false;
    if (err == CLU_ENOMEM)
        global_broken(m->g);
    return err == CLU_OK;
}

static void many_start(struct many *m, struct clu_process *p, clu_slice request)
{
    m->waiting = 1;
    for (size_t i = 0; i < m->nodes.n; i++)
        m->waiting += ask_one(m, p, i, request);
    if (--m->waiting == 0)
        finish(m);
}

void many_ask(struct global *g, struct clu_process *p, clu_slice request,
              const struct nodelist *nodes, many_done *done, void *arg)
{
    struct many *m = many_new(g, p, nodes, done, arg);

    if (m == NULL)
        global_broken(g);
    else
        many_start(m, p, request);
}

static void start_lock(struct many *m, struct clu_process *p, const char *word, clu_slice id)
{
    clu_writer w;

    clu_writer_init(&w);
    clu_put_tuple(&w, 2);
    clu_put_atom_text(&w, word);
    clu_put_raw(&w, id);
    if (w.err == CLU_OK)
        many_start(m, p, written(&w));
    else
        global_broken(m->g);
    clu_writer_free(&w);
}

/* What this node would refuse is not asked of the others. */
static bool is_refused_here(const struct global *g, clu_slice id, const struct nodelist *nodes)
{
    return nodes->n > 1 && nodelist_has(nodes, own_name(g)) && !lock_can_set(g, id);
}

void many_set_lock(struct global *g, struct clu_process *p, clu_slice id,
                   const struct nodelist *nodes, many_done *done, void *arg)
{
    if (is_refused_here(g, id, nodes)) {
        done(g, false, arg);
        return;
    }
    struct many *m = many_new(g, p, nodes, done, arg);

    if (m != NULL)
        clu_put_raw(&m->id, id);
    if (m == NULL || m->id.err != CLU_OK) {
        global_broken(g);
        return;
    }
    m->undo = true;
    start_lock(m, p, "set_lock", id);
}

/* ---- giving back ---- */

void many_del_lock(struct global *g, struct clu_process *p, clu_slice id,
                   const struct nodelist *nodes, many_done *done, void *arg)
{
    struct many *m = many_new(g, p, nodes, done, arg);

    if (m == NULL)
        global_broken(g);
    else
        start_lock(m, p, "del_lock", id);
}

/* ---- the boss last ---- */

/* Whoever waits for the lock asks the boss first: so it must be free everywhere when it is there.
 */
struct unlock {
    struct list list;
    slot_id process;
    clu_writer id;
    struct nodelist boss;
    many_done *done;
    void *arg;
};

static void unlock_free(struct unlock *u)
{
    list_remove(&u->list);
    clu_writer_free(&u->id);
    nodelist_free(&u->boss);
    free(u);
}

void unlocks_drop(struct global *g, slot_id process)
{
    for (struct list *at = g->unlocks.next, *next; at != &g->unlocks; at = next) {
        struct unlock *u = CONTAINER_OF(at, struct unlock, list);

        next = at->next;
        if (process == 0 || u->process == process)
            unlock_free(u);
    }
}

static void unlocked_all(struct global *g, bool ok, void *arg)
{
    struct unlock *u = arg;
    many_done *done = u->done;
    void *for_whom = u->arg;

    unlock_free(u);
    done(g, ok, for_whom);
}

static void unlocked_others(struct global *g, bool ok, void *arg)
{
    struct unlock *u = arg;
    struct clu_process *p = slots_get(&g->node->procs, u->process);

    (void)ok;
    if (p != NULL)
        many_del_lock(g, p, written(&u->id), &u->boss, unlocked_all, u);
}

void unlock_all(struct global *g, struct clu_process *p, clu_slice id, const struct nodelist *nodes,
                many_done *done, void *arg)
{
    struct unlock *u = calloc(1, sizeof *u);
    struct nodelist others = {0};

    if (u == NULL) {
        global_broken(g);
        return;
    }
    *u = (struct unlock){.process = p->id, .done = done, .arg = arg};
    list_append(&g->unlocks, &u->list);
    clu_writer_init(&u->id);
    clu_put_raw(&u->id, id);
    clu_slice boss = slice_of(nodelist_boss(nodes));
    clu_error err = u->id.err;

    if (err == CLU_OK)
        err = nodelist_copy(&others, nodes);
    if (err == CLU_OK && boss.len > 0)
        err = nodelist_add(&u->boss, boss);
    nodelist_remove(&others, boss);
    if (global_ok(g, err))
        many_del_lock(g, p, written(&u->id), &others, unlocked_others, u);
    nodelist_free(&others);
}
