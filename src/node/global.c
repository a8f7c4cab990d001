/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* Beginning and end of global, the messages of its server, what it tells the layers above. */

/* News that wait; older ones are forgotten: they are for people. */
#define NEWS_WAITING_MAX 64

struct news_item {
    struct list list;
    struct global_news news;
};

/* ---- what is told ---- */

void global_tell(struct global *g, enum global_news_kind kind, const char *node, const char *other,
                 const char *what)
{
    struct news_item *item = g->n_news >= NEWS_WAITING_MAX ? NULL : calloc(1, sizeof *item);

    if (item == NULL)
        return;
    item->news.kind = kind;
    text_set(item->news.node, sizeof item->news.node, slice_of(node));
    text_set(item->news.other, sizeof item->news.other, slice_of(other));
    text_set(item->news.what, sizeof item->news.what, slice_of(what));
    list_append(&g->news, &item->list);
    g->n_news++;
}

bool global_next_news(struct clu_node *n, struct global_news *news)
{
    struct global *g = n->global;

    if (g == NULL || list_empty(&g->news))
        return false;
    struct news_item *item = CONTAINER_OF(g->news.next, struct news_item, list);

    *news = item->news;
    list_remove(&item->list);
    g->n_news--;
    free(item);
    return true;
}

void global_cut(struct global *g, const char *node)
{
    global_ok(g, nodelist_add(&g->cuts, slice_of(node)));
}

const char *global_next_cut(struct clu_node *n)
{
    struct global *g = n->global;

    if (g == NULL || g->cuts.n == 0)
        return NULL;
    text_set(g->cut, sizeof g->cut, slice_of(g->cuts.names[0]));
    nodelist_remove(&g->cuts, slice_of(g->cut));
    return g->cut;
}

bool global_wants_out(struct clu_node *n)
{
    struct global *g = n->global;
    bool wants = g != NULL && g->wants_out;

    if (wants) {
        g->wants_out = false;
        global_run(g); /* who has no link hears of none that ends */
    }
    return wants;
}

void global_link_lost(struct clu_node *n, clu_slice node)
{
    if (n->global != NULL)
        registrar_forget(n->global, node);
}

void global_leave(struct clu_node *n)
{
    if (n->global != NULL)
        n->global->leaving = true;
}

static void leave(struct global *g, enum global_news_kind why, const char *node)
{
    if (g->broken)
        return;
    g->broken = g->leaving = g->wants_out = true;
    global_tell(g, why, node, "", "");
}

void global_broken(struct global *g)
{
    leave(g, GLOBAL_NO_MEMORY, g->node->name);
}

void global_overfull(struct clu_node *n, const char *node)
{
    if (n->global != NULL)
        leave(n->global, GLOBAL_OVERFULL, node);
}

/* ---- messages out ---- */

clu_writer *tell_begin(struct global *g, struct clu_process *p, clu_slice node)
{
    clu_to to = {.name = slice_of("global_name_server"), .node = node};
    const struct remote *r = remote_find(g->node, node);

    g->muted = g->dead || r == NULL || r->link == NULL;
    if (g->muted) {
        g->nowhere = (clu_writer){.fixed = true, .err = CLU_ENOENT};
        return &g->nowhere;
    }
    g->node->urgent = true;
    return clu_send_begin(p, &to);
}

clu_writer *cast_begin(struct global *g, struct clu_process *p, clu_slice node)
{
    clu_writer *w = tell_begin(g, p, node);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "$gen_cast");
    return w;
}

void tell_end(struct global *g, struct clu_process *p)
{
    if (g->muted)
        return;
    global_ok(g, clu_send_end(p)); /* without room the link ends, and its session with it */
    g->node->urgent = false;
}

/* ---- messages in ---- */

static const struct {
    const char *word;
    bool cast; /* {'$gen_cast', Message}; else the message itself */
    global_handler *handle;
} words[] = {
    {"init_connect", true, on_init_connect},
    {"exchange", true, on_exchange},
    {"resolved", true, on_resolved},
    {"new_nodes", true, on_new_nodes},
    {"in_sync", true, on_in_sync},
    {"lock_set", true, on_lock_set},
    {"init_connect_ack", false, on_init_connect_ack},
    {"cancel_connect", false, on_cancel_connect},
    {"lost_connection", false, on_lost_connection},
    {"remove_connection", false, on_remove_connection},
};

/* What nobody knows is passed over; a BEAM writes a line. */
static bool hear_word(struct global *g, clu_reader *r, bool cast)
{
    size_t arity = clu_peek_type(r) == CLU_TYPE_TUPLE ? clu_get_tuple(r) : 0;
    clu_slice word = clu_get_atom(r);

    for (size_t i = 0; r->err == CLU_OK && i < COUNT(words); i++)
        if (words[i].cast == cast && slice_is(word, words[i].word))
            return words[i].handle(g, r, arity);
    return true;
}

static void tell_odd(struct global *g, clu_slice node)
{
    struct gpeer *p = peer_find(g, node);

    if (p == NULL || p->is_odd)
        return;
    p->is_odd = true;
    global_tell(g, GLOBAL_ODD, p->name, "", "");
}

static bool is_cast(clu_reader r)
{
    return clu_peek_type(&r) == CLU_TYPE_TUPLE && clu_get_tuple(&r) == 2 &&
           slice_is(clu_get_atom(&r), "$gen_cast");
}

/* The message is copied first: what it says is kept, compared and passed on as bytes, and so must
 * hold no references to the link's atoms. */
static void hear_message(struct global *g, const clu_signal *s)
{
    clu_reader term = s->term;

    copy_term(&g->message, &term);
    if (!global_ok(g, g->message.err))
        return;
    clu_reader r = read_written(&g->message), call = r;
    bool cast = is_cast(r);

    if (global_call(g, call))
        return;
    if (cast) {
        clu_get_tuple(&r);
        clu_skip_term(&r);
    }
    if (!hear_word(g, &r, cast))
        tell_odd(g, s->from.node);
}

/* ---- nodes ---- */

static void node_up(struct global *g, clu_slice node)
{
    struct gpeer *p = peer_get(g, node);

    if (p == NULL)
        return;
    const struct remote *r = remote_find(g->node, node);
    uint32_t creation = r == NULL || r->link == NULL ? 0 : r->link->creation;

    lost_is_back(g, p, p->creation == creation);
    p->linked = true;
    p->is_odd = p->apart = false;
    p->creation = creation;
    session_up(g, p);
    sync_other_up(g, p);
    doubt_begin(g, p);
}

static void node_down(struct global *g, clu_slice node)
{
    struct gpeer *p = peer_find(g, node);

    if (p == NULL)
        return;
    p->linked = false;
    node_resources_delete(g, node); /* a word of its last ones may have been heard after its end */
    syncers_hear(g, node);
    session_down(g, p, LOST_TOLD);
    peer_release(g, p);
}

static void other_down(struct global *g, const clu_signal *s)
{
    struct gpeer *p = peer_find(g, s->node);

    if (s->name.len > 0 && p != NULL)
        sync_other_failed(g, p);
}

static void server_receive(clu_process *self, const clu_signal *s, void *arg)
{
    struct global *g = arg;

    (void)self;
    if (g->broken && s->kind != CLU_SIGNAL_NODE_DOWN)
        return;
    switch (s->kind) {
    case CLU_SIGNAL_MESSAGE: hear_message(g, s); break;
    case CLU_SIGNAL_NODE_UP: node_up(g, s->node); break;
    case CLU_SIGNAL_NODE_DOWN: node_down(g, s->node); break;
    case CLU_SIGNAL_DOWN:
        if (!resolve_signal(g, s))
            other_down(g, s);
        break;
    case CLU_SIGNAL_SPAWNED: (void)resolve_signal(g, s); break;
    default: break;
    }
    global_run(g);
}

static void registrar_receive(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    if (s->kind == CLU_SIGNAL_TIMEOUT)
        (void)timer_signal(arg, s);
    global_run(arg);
}

/* A node of before version 6 would send to the locker itself: there are none that we talk to. */
static void locker_receive(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    (void)s;
    (void)arg;
}

/* ---- the end of an event ---- */

static bool any_linked(const struct global *g)
{
    const struct map_entry *at = NULL;
    const struct gpeer *p;

    while ((p = map_next(&g->peers, &at, NULL)) != NULL)
        if (p->linked)
            return true;
    return false;
}

static void drop_work(struct global *g)
{
    const struct map_entry *at = NULL;
    struct gpeer *p;

    many_drop(g, 0);
    unlocks_drop(g, 0);
    wishes_free(g);
    syncers_free(g);
    locker_free(g);
    while (!list_empty(&g->timers))
        timer_stop(g, CONTAINER_OF(g->timers.next, struct gtimer, list));
    g->locker.timer = g->registrar.timer = NULL;
    while ((p = map_next(&g->peers, &at, NULL)) != NULL)
        p->retry = p->telling = p->doubt = NULL;
}

static void lists_init(struct global *g)
{
    struct list *const all[] = {&g->lost_order, &g->syncers, &g->many, &g->unlocks,
                                &g->timers,     &g->wishes,  &g->news};

    for (size_t i = 0; i < COUNT(all); i++)
        list_init(all[i]);
}

static void locker_init(struct global *g)
{
    g->locker = (struct locker){0};
    list_init(&g->locker.queue);
    list_init(&g->locker.hims);
    clu_writer_init(&g->locker.id);
    clu_writer_init(&g->locker.him.his_tag);
}

/* Names of our own processes stay, and what the registrar has to do. */
static void begin_anew(struct global *g)
{
    drop_work(g);
    names_keep_own(g);
    locks_free(g);
    peers_free(g);
    locker_init(g);
    g->registrar.busy = false;
    g->broken = g->leaving = g->lock_down = false;
}

void global_run(struct global *g)
{
    if (g->running || g->dead)
        return;
    g->running = true;
    if (g->broken && !g->wants_out && !any_linked(g))
        begin_anew(g);
    if (!g->broken) {
        locker_run(g);
        registrar_run(g);
    }
    g->running = false;
}

/* ---- life ---- */

/* In a BEAM this ends the node as well. */
static void stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct global *g = arg;

    (void)self;
    (void)reason;
    if (g->dead)
        return;
    g->dead = g->broken = g->leaving = g->wants_out = true;
    global_tell(g, GLOBAL_KILLED, g->node->name, "", "");
}

static clu_error start_processes(struct global *g)
{
    clu_spawn_options o = {
        .receive = locker_receive, .stopped = stopped, .arg = g, .trap_exit = true};
    clu_error err = process_new(g->node, &o, &g->lockers);

    o.receive = registrar_receive;
    if (err == CLU_OK)
        err = process_new(g->node, &o, &g->registrars);
    if (err == CLU_OK)
        err = global_exports(g);
    if (err != CLU_OK)
        return err;
    g->lockers->service = g->registrars->service = true;
    /* It was there before, as one that stays out of all this. */
    g->server = process_named(g->node, slice_of("global_name_server"));
    g->server->absent = false;
    g->server->receive = server_receive;
    g->server->stopped = stopped;
    g->server->arg = g;
    clu_monitor_nodes(g->server, true);
    return CLU_OK;
}

clu_error clu_global_start(clu_node *n, uint64_t seed)
{
    if (n->global != NULL)
        return CLU_EEXIST;
    struct global *g = calloc(1, sizeof *g);

    if (g == NULL)
        return CLU_ENOMEM;
    g->node = n;
    n->global = g;
    lists_init(g);
    list_init(&g->registrar.jobs);
    clu_writer_init(&g->registrar.id);
    clu_writer_init(&g->message);
    locker_init(g);
    rng_init(&g->rng, seed);
    /* Tells our incarnations apart, with the creation: those of OTP are as wide. */
    g->extension = (int64_t)((rng_next(&g->rng) & ((UINT64_C(1) << 27) - 1)) << 32);
    return start_processes(g);
}

bool clu_global_is_on(const clu_node *n)
{
    return n->global != NULL;
}

/* Its processes are gone already. */
void global_fini(struct clu_node *n)
{
    struct global *g = n->global;

    if (g == NULL)
        return;
    g->dead = true;
    drop_work(g);
    registrar_free(g);
    names_free(g);
    locks_free(g);
    lost_free(g);
    peers_free(g);
    nodelist_free(&g->cuts);
    clu_writer_free(&g->message);
    while (!list_empty(&g->news)) {
        struct news_item *item = CONTAINER_OF(g->news.next, struct news_item, list);

        list_remove(&item->list);
        free(item);
    }
    free(g);
    n->global = NULL;
}
