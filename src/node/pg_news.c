/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/pg.h"

/* Who wants to know of comings and goings. The reference of a subscription is the scope's monitor
 * of the subscriber, as in pg. */

struct sub {
    struct list list;
    struct pg *pg;
    struct tie *tie;
    struct clu_process *proc;
    bool all; /* of every group */
    size_t len;
    uint8_t name[];
};

static void sub_free(struct sub *s)
{
    list_remove(&s->list);
    free(s);
}

/* The subscriber has ended. */
static void sub_gone(struct tie *t, clu_reader reason)
{
    (void)reason;
    sub_free(t->arg);
    tie_free(t);
}

void subs_free(struct pg *pg)
{
    while (!list_empty(&pg->subs))
        sub_free(CONTAINER_OF(pg->subs.next, struct sub, list));
}

static struct sub *sub_new(struct pg *pg, struct clu_process *p, const clu_slice *name)
{
    size_t len = name == NULL ? 0 : name->len;
    struct sub *s = calloc(1, sizeof *s + len);

    if (s == NULL)
        return NULL;
    s->pg = pg;
    s->proc = p;
    s->all = name == NULL;
    s->len = len;
    if (len > 0)
        memcpy(s->name, name->data, len);
    list_append(&pg->subs, &s->list);
    return s;
}

static clu_ref subscribe(struct pg *pg, struct clu_process *p, const clu_slice *name)
{
    clu_to to = clu_to_pid(process_pid(p));
    struct tie *t = tie_new(pg->self, TIE_MONITOR);
    struct sub *s = t == NULL ? NULL : sub_new(pg, p, name);

    if (s != NULL) {
        s->tie = t;
        t->arg = s;
        t->on_down = sub_gone;
        if (tie_watch(t, &to) == CLU_OK)
            return tie_ref(t);
        sub_free(s);
    }
    if (t != NULL)
        tie_free(t);
    return (clu_ref){0};
}

clu_ref clu_pg_monitor(clu_process *p, const char *scope, const clu_slice *group)
{
    struct pg *pg = pg_of(p->node, scope);

    if (pg == NULL || p->ended)
        return (clu_ref){0};
    if (group == NULL)
        return subscribe(pg, p, NULL);
    if (pg_name_term(pg, *group) != CLU_OK)
        return (clu_ref){0};
    clu_slice name = {pg->name.data, pg->name.len};

    return subscribe(pg, p, &name);
}

void clu_pg_demonitor(clu_process *p, const clu_ref *ref)
{
    struct tie *t = tie_find(p->node, ref);
    struct sub *s = t != NULL && t->on_down == sub_gone ? t->arg : NULL;

    if (s == NULL || s->proc != p)
        return;
    sub_free(s);
    tie_free(t);
}

/* ---- news ---- */

void news_begin(struct pg_news *news, struct pg *pg, const struct pg_group *g, bool joined)
{
    *news = (struct pg_news){.pg = pg, .group = g, .joined = joined};
    clu_writer_init(&news->pids);
}

void news_add(struct pg_news *news, const clu_pid *pid)
{
    news->n++;
    if (!list_empty(&news->pg->subs))
        clu_put_pid(&news->pids, pid);
}

static void put_news(clu_writer *w, const struct pg_news *news, const clu_ref *ref)
{
    clu_put_tuple(w, 4);
    clu_put_ref(w, ref);
    clu_put_atom_text(w, news->joined ? "join" : "leave");
    clu_put_raw(w, pg_name_of(news->group));
    clu_put_list(w, news->n);
    clu_put_raw(w, (clu_slice){news->pids.data, news->pids.len});
    clu_put_nil(w);
    if (news->pids.err != CLU_OK)
        clu_writer_fail(w, news->pids.err);
}

/* Who cannot be told ends, as with any signal that finds no room. */
static void tell_one(const struct pg_news *news, struct sub *s)
{
    struct delivery d = {.signal = {.kind = CLU_SIGNAL_MESSAGE,
                                    .from = process_pid(news->pg->self),
                                    .ref = tie_ref(s->tie)},
                         .tie = s->tie->id};
    struct atom_term why;
    clu_writer w;

    clu_writer_init(&w);
    put_news(&w, news, &d.signal.ref);
    if (w.err == CLU_OK) {
        d.signal.term = reader_of((clu_slice){w.data, w.len});
        deliver(s->proc, &d);
    } else {
        process_end(s->proc, atom_term(&why, "system_limit"));
    }
    clu_writer_free(&w);
}

static bool wants(const struct sub *s, const struct pg_group *g)
{
    return s->all || slice_equal((clu_slice){s->name, s->len}, pg_name_of(g));
}

void news_tell(struct pg_news *news)
{
    struct list *subs = &news->pg->subs;
    bool tells = news->n > 0 && !news->pg->self->ended;

    for (struct list *at = subs->next; tells && at != subs; at = at->next) {
        struct sub *s = CONTAINER_OF(at, struct sub, list);

        if (wants(s, news->group))
            tell_one(news, s);
    }
    clu_writer_free(&news->pids);
}

bool clu_pg_get_event(const clu_signal *signal, clu_pg_event *event)
{
    clu_reader r = signal->term;
    bool is_it = signal->kind == CLU_SIGNAL_MESSAGE && r.refs == NULL && clu_get_tuple(&r) == 4;

    if (!is_it)
        return false;
    *event = (clu_pg_event){.ref = clu_get_ref(&r)};
    clu_slice word = clu_get_atom(&r);

    event->joined = slice_is(word, "join");
    event->group = clu_get_raw(&r);
    event->n = clu_get_list(&r);
    event->pids = r;
    return r.err == CLU_OK && (event->joined || slice_is(word, "leave"));
}
