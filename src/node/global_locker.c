/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* The locker: when two partitions meet, each has one that takes the lock `global` at its own side,
 * in the name of both: {global, [Locker, Locker]}, so that the two do not exclude each other. Who
 * has it says lock_set; who is told so, and gets it too, says it as well; then names are exchanged
 * (the server's matter), until the server says that this is over: cancel. */

/* How long it waits for messages before it meets somebody: the more nodes, the longer. */
#define MEET_ALONE_MS 200
#define MEET_MIN_MS   1000
#define MEET_NODE_MS  100
#define MEET_MAX_MS   3000

/* ---- the queue ---- */

struct locker_message *locker_say(struct global *g, enum locker_word word, const char *node)
{
    struct locker_message *m = calloc(1, sizeof *m);

    if (m == NULL) {
        global_broken(g);
        return NULL;
    }
    m->word = word;
    text_set(m->node, sizeof m->node, slice_of(node));
    clu_writer_init(&m->his_tag);
    list_append(&g->locker.queue, &m->list);
    return m;
}

static void message_free(struct locker_message *m)
{
    list_remove(&m->list);
    own_pid_free(&m->pid);
    clu_writer_free(&m->his_tag);
    farewell_free(m->bye);
    free(m);
}

/* ---- words to others ---- */

static void put_known(struct global *g, clu_writer *w)
{
    const struct nodelist *known = &g->locker.known;

    clu_put_list(w, known->n);
    for (size_t i = 0; i < known->n; i++)
        clu_put_atom_text(w, known->names[i]);
    clu_put_nil(w);
}

static void put_lock_set(struct global *g, clu_writer *w, bool set, size_t arity)
{
    clu_pid self = process_pid(g->lockers);

    clu_put_tuple(w, arity);
    clu_put_atom_text(w, "lock_set");
    clu_put_pid(w, &self);
    clu_put_atom_text(w, set ? "true" : "false");
    put_known(g, w);
}

static void say_lock_set(struct global *g, bool set)
{
    struct him *him = &g->locker.him;
    clu_writer *w = cast_begin(g, g->lockers, slice_of(him->node));

    put_lock_set(g, w, set, 5);
    clu_put_raw(w, written(&him->his_tag));
    tell_end(g, g->lockers);
}

/* Somebody whom we do not expect: without a tag it can only go to its locker itself. */
static void refuse(struct global *g, const clu_pid *locker)
{
    clu_to to = clu_to_pid(*locker);
    struct remote *r = remote_find(g->node, locker->node);

    if (r == NULL || r->link == NULL)
        return;
    put_lock_set(g, clu_send_begin(g->lockers, &to), false, 4);
    global_ok(g, clu_send_end(g->lockers));
}

/* ---- the known ---- */

static void take_known(struct global *g, struct locker_message *m)
{
    struct locker *l = &g->locker;
    clu_slice node = slice_of(m->node);

    if (m->word == LOCKER_FORGOTTEN)
        nodelist_remove(&l->known, node);
    else if (!nodelist_has(&l->known, node))
        global_ok(g, nodelist_add(&l->known, node));
    message_free(m);
}

/* What has been said of the known is heard before the lock is taken at all of them. */
static void hear_known(struct global *g)
{
    struct list *queue = &g->locker.queue;

    for (struct list *at = queue->next, *next; at != queue; at = next) {
        struct locker_message *m = CONTAINER_OF(at, struct locker_message, list);

        next = at->next;
        if (m->word == LOCKER_KNOWN || m->word == LOCKER_FORGOTTEN)
            take_known(g, m);
    }
}

/* ---- taking the lock ---- */

/* {global, [Locker, Locker]}, the lesser one first. */
static void put_id(struct global *g)
{
    struct locker *l = &g->locker;
    clu_pid mine = process_pid(g->lockers), his = l->him.locker.pid;
    bool first = pid_compare(&mine, &his) < 0;

    clu_writer_reset(&l->id);
    clu_put_tuple(&l->id, 2);
    clu_put_atom_text(&l->id, "global");
    clu_put_list(&l->id, 2);
    clu_put_pid(&l->id, first ? &mine : &his);
    clu_put_pid(&l->id, first ? &his : &mine);
    clu_put_nil(&l->id);
    global_ok(g, l->id.err);
}

static void unlocked(struct global *g, bool ok, void *arg)
{
    (void)ok;
    (void)arg;
    g->locker.mode = LOCKER_IDLE;
}

static void lock_failed(struct global *g)
{
    struct locker *l = &g->locker;

    l->mode = LOCKER_IDLE;
    l->just_synced = false;
    if (l->asked)
        say_lock_set(g, false);
}

static void given_up(struct global *g, bool ok, void *arg)
{
    (void)ok;
    (void)arg;
    lock_failed(g);
}

/* What is to be given back later: this node and the known, and his node if we asked; the boss, too,
 * if it is not known any more since: its link may be there still. */
static void note_held(struct global *g)
{
    struct locker *l = &g->locker;

    nodelist_free(&l->held);
    clu_error err = nodelist_add(&l->held, own_name(g));

    if (err == CLU_OK && !l->asked)
        err = nodelist_add(&l->held, slice_of(l->him.node));
    if (err == CLU_OK)
        err = nodelist_copy(&l->held, &l->known);
    for (size_t i = 0; i < l->boss.n && err == CLU_OK; i++)
        if (!nodelist_has(&l->held, slice_of(l->boss.names[i])))
            err = nodelist_add(&l->held, slice_of(l->boss.names[i]));
    global_ok(g, err);
}

static void have_lock(struct global *g)
{
    struct locker *l = &g->locker;
    char node[NODE_NAME_SIZE];

    note_held(g);
    say_lock_set(g, true);
    if (!l->asked) {
        l->mode = LOCKER_WAIT_SET;
        return;
    }
    l->mode = LOCKER_WAIT_CANCEL;
    text_set(node, sizeof node, slice_of(l->him.node));
    session_lock_is_set(g, node, l->him.tag, written(&l->id));
}

static void step(struct global *g);

/* Three steps: the boss of the known, so that two who want the same do not meet half-way; this node
 * and his; the rest. What was taken goes back when one fails. */
static void step_done(struct global *g, bool ok, void *arg)
{
    struct locker *l = &g->locker;
    struct nodelist back = {0};

    (void)arg;
    if (ok && ++l->step < 3) {
        step(g);
        return;
    }
    if (ok) {
        have_lock(g);
        return;
    }
    clu_error err = l->step > 0 ? nodelist_copy(&back, &l->boss) : CLU_OK;

    if (err == CLU_OK && l->step > 1)
        err = nodelist_copy(&back, &l->second);
    if (!global_ok(g, err) || back.n == 0)
        lock_failed(g);
    else
        many_del_lock(g, g->lockers, written(&l->id), &back, given_up, NULL);
    nodelist_free(&back);
}

static clu_error second_nodes(struct global *g)
{
    struct locker *l = &g->locker;
    clu_error err = CLU_OK;

    nodelist_free(&l->second);
    if (!nodelist_has(&l->boss, own_name(g)))
        err = nodelist_add(&l->second, own_name(g));
    if (err == CLU_OK && !l->asked && !nodelist_has(&l->boss, slice_of(l->him.node)))
        err = nodelist_add(&l->second, slice_of(l->him.node));
    return err;
}

static void step(struct global *g)
{
    struct locker *l = &g->locker;
    struct nodelist rest = {0};
    clu_error err = CLU_OK;

    if (l->step == 1) {
        hear_known(g);
        err = second_nodes(g);
    } else if (l->step == 2) {
        err = nodelist_copy(&rest, &l->known);
        nodelist_remove(&rest, slice_of(nodelist_boss(&l->boss)));
    }
    const struct nodelist *nodes = l->step == 0 ? &l->boss : l->step == 1 ? &l->second : &rest;

    if (global_ok(g, err))
        many_set_lock(g, g->lockers, written(&l->id), nodes, step_done, NULL);
    nodelist_free(&rest);
}

static void take_lock(struct global *g, bool asked)
{
    struct locker *l = &g->locker;
    struct nodelist all = {0};
    clu_error err = nodelist_copy(&all, &l->known);

    if (err == CLU_OK)
        err = nodelist_add(&all, own_name(g));
    nodelist_free(&l->boss);
    if (err == CLU_OK)
        err = nodelist_add(&l->boss, slice_of(nodelist_boss(&all)));
    nodelist_free(&all);
    l->mode = LOCKER_LOCKING;
    l->asked = asked;
    l->step = 0;
    put_id(g);
    if (!global_ok(g, err))
        return;
    if (nodelist_has(&l->boss, own_name(g)) || lock_can_set(g, written(&l->id)))
        step(g);
    else
        lock_failed(g);
}

static void give_back(struct global *g)
{
    struct locker *l = &g->locker;

    l->mode = LOCKER_UNLOCKING;
    unlock_all(g, g->lockers, written(&l->id), &l->held, unlocked, NULL);
}

/* ---- messages ---- */

static void hear_lock_set(struct global *g, struct locker_message *m)
{
    struct locker *l = &g->locker;
    struct him *h = him_find(l, m->node);

    if (!m->set)
        return;
    if (h == NULL || h->tag != m->tag)
        refuse(g, &m->pid.pid);
    else if (him_copy(&l->him, h))
        take_lock(g, true);
    else
        global_broken(g);
}

static void hear_idle(struct global *g, struct locker_message *m)
{
    switch (m->word) {
    case LOCKER_HIM: him_add(g, m); break;
    case LOCKER_CANCEL: him_remove(&g->locker, m->node, m->tag); break;
    case LOCKER_LOCK_SET: hear_lock_set(g, m); break;
    case LOCKER_KNOWN:
    case LOCKER_FORGOTTEN: take_known(g, m); return;
    }
    message_free(m);
}

static bool is_of_him(const struct locker *l, const struct locker_message *m)
{
    return strcmp(m->node, l->him.node) == 0;
}

static bool is_cancel(const struct locker *l, const struct locker_message *m)
{
    return m->word == LOCKER_CANCEL && is_of_him(l, m) && m->tag == l->him.tag;
}

static void hear_wait_set(struct global *g, struct locker_message *m)
{
    struct locker *l = &g->locker;
    bool cancel = m->word == LOCKER_CANCEL, old = m->tag != l->him.tag, set = m->set;

    if (cancel) {
        farewell_say(g, m->bye);
        him_remove(l, l->him.node, l->him.tag);
    }
    message_free(m);
    if (!cancel && old)
        return;
    if (cancel || !set) {
        give_back(g);
        return;
    }
    char node[NODE_NAME_SIZE];

    l->mode = LOCKER_WAIT_CANCEL;
    text_set(node, sizeof node, slice_of(l->him.node));
    session_lock_is_set(g, node, l->him.tag, written(&l->id));
}

static void hear_cancel(struct global *g, struct locker_message *m)
{
    struct locker *l = &g->locker;

    farewell_say(g, m->bye);
    message_free(m);
    l->just_synced = true;
    him_remove(l, l->him.node, l->him.tag);
    give_back(g);
}

/* The first message that it listens to as it is. */
static struct locker_message *next_message(struct locker *l)
{
    for (struct list *at = l->queue.next; at != &l->queue; at = at->next) {
        struct locker_message *m = CONTAINER_OF(at, struct locker_message, list);
        bool set = m->word == LOCKER_LOCK_SET && is_of_him(l, m);

        if (l->mode == LOCKER_IDLE || (l->mode == LOCKER_WAIT_SET && (set || is_cancel(l, m))) ||
            (l->mode == LOCKER_WAIT_CANCEL && is_cancel(l, m)))
            return m;
    }
    return NULL;
}

static void hear(struct global *g, struct locker_message *m)
{
    timer_stop(g, g->locker.timer);
    g->locker.timer = NULL;
    if (g->locker.mode == LOCKER_IDLE)
        hear_idle(g, m);
    else if (g->locker.mode == LOCKER_WAIT_SET)
        hear_wait_set(g, m);
    else
        hear_cancel(g, m);
}

/* ---- time ---- */

static void meet(struct global *g, void *arg)
{
    struct locker *l = &g->locker;

    (void)arg;
    l->timer = NULL;
    if (l->mode != LOCKER_IDLE || global_lock(g) != NULL)
        return;
    const struct him *h = him_choose(g);

    if (h == NULL)
        return;
    if (him_copy(&l->him, h))
        take_lock(g, false);
    else
        global_broken(g);
}

static void set_timer(struct global *g)
{
    struct locker *l = &g->locker;
    uint64_t ms = l->just_synced ? 0
                  : l->known.n == 0
                      ? MEET_ALONE_MS
                      : min_u64(MEET_MIN_MS + MEET_NODE_MS * (uint64_t)l->known.n, MEET_MAX_MS);

    if (l->mode != LOCKER_IDLE || l->timer != NULL || list_empty(&l->hims))
        return;
    l->just_synced = false;
    l->timer = timer_start(g, ms, meet, NULL);
}

void locker_run(struct global *g)
{
    struct locker_message *m;

    while (!g->broken && (m = next_message(&g->locker)) != NULL)
        hear(g, m);
    set_timer(g);
}

void locker_free(struct global *g)
{
    struct locker *l = &g->locker;

    while (!list_empty(&l->queue))
        message_free(CONTAINER_OF(l->queue.next, struct locker_message, list));
    while (!list_empty(&l->hims))
        him_free(CONTAINER_OF(l->hims.next, struct him, list));
    him_fini(&l->him);
    clu_writer_free(&l->id);
    nodelist_free(&l->known);
    nodelist_free(&l->boss);
    nodelist_free(&l->second);
    nodelist_free(&l->held);
}
