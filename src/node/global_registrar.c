/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* The registrar: a name is registered at all known nodes, under the lock `global` at all of them,
 * which is taken at the boss first. One name at a time; what waits stands in `jobs`. */

void job_free(struct job *job)
{
    list_remove(&job->list);
    clu_writer_free(&job->name);
    clu_writer_free(&job->method);
    own_pid_free(&job->pid);
    free(job);
}

static struct job *present(const struct global *g)
{
    return CONTAINER_OF(g->registrar.jobs.next, struct job, list);
}

/* ---- the end of a job ---- */

static void finished(struct global *g, bool ok, void *arg)
{
    struct job *job = present(g);

    (void)ok;
    (void)arg;
    answer_tie(g, job->tie, job->kind == JOB_UNREGISTER ? "ok" : job->yes ? "yes" : "no");
    job_free(job);
    g->registrar.busy = false;
}

static void unlock(struct global *g, bool ok, void *arg)
{
    struct registrar *r = &g->registrar;

    (void)ok;
    (void)arg;
    unlock_all(g, g->registrars, written(&r->id), &r->nodes, finished, NULL);
}

/* ---- the name ---- */

static void put_request(clu_writer *w, const struct job *job)
{
    bool out = job->kind == JOB_UNREGISTER;

    clu_put_tuple(w, out ? 2 : 4);
    clu_put_atom_text(w, out ? "unregister" : "register");
    clu_put_raw(w, written(&job->name));
    if (out)
        return;
    clu_put_pid(w, &job->pid.pid);
    clu_put_raw(w, written(&job->method));
}

/* A process has one name at most. */
static bool may_have_it(struct global *g, const struct job *job)
{
    if (job->kind != JOB_REGISTER)
        return true;
    return name_where(g, written(&job->name)) == NULL && !names_of_pid(g, &job->pid.pid);
}

static void have_lock(struct global *g)
{
    struct registrar *r = &g->registrar;
    struct job *job = present(g);
    clu_writer w;

    job->yes = may_have_it(g, job);
    if (!job->yes) {
        unlock(g, true, NULL);
        return;
    }
    struct nodelist nodes = {0};
    clu_error err = nodelist_copy(&nodes, &r->nodes);

    for (size_t i = 0; i < r->gone.n; i++)
        nodelist_remove(&nodes, slice_of(r->gone.names[i]));
    clu_writer_init(&w);
    put_request(&w, job);
    if (global_ok(g, err) && global_ok(g, w.err))
        many_ask(g, g->registrars, written(&w), &nodes, unlock, NULL);
    clu_writer_free(&w);
    nodelist_free(&nodes);
}

/* ---- the lock ---- */

static void attempt(struct global *g);

static void again(struct global *g, void *arg)
{
    (void)arg;
    g->registrar.timer = NULL;
    attempt(g);
}

static void wait_a_while(struct global *g, bool ok, void *arg)
{
    struct registrar *r = &g->registrar;

    (void)ok;
    (void)arg;
    r->timer = timer_start(g, timer_random(g, r->times++), again, NULL);
}

/* A node that has become known since would miss the name. */
static bool knows_more(struct global *g)
{
    struct nodelist now = {0};
    bool more = false;

    peers_known(g, &now);
    for (size_t i = 0; i < now.n; i++)
        more |= !nodelist_has(&g->registrar.known, slice_of(now.names[i]));
    nodelist_free(&now);
    return more;
}

static void locked_all(struct global *g, bool ok, void *arg)
{
    struct registrar *r = &g->registrar;

    (void)arg;
    if (ok && !knows_more(g))
        have_lock(g);
    else
        many_del_lock(g, g->registrars, written(&r->id), &r->boss, wait_a_while, NULL);
}

static void locked_boss(struct global *g, bool ok, void *arg)
{
    struct registrar *r = &g->registrar;

    (void)arg;
    if (ok)
        many_set_lock(g, g->registrars, written(&r->id), &r->nodes, locked_all, NULL);
    else
        wait_a_while(g, false, NULL);
}

/* {global, Registrar} */
static void put_id(struct global *g)
{
    clu_writer *w = &g->registrar.id;
    clu_pid self = process_pid(g->registrars);

    clu_writer_reset(w);
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "global");
    clu_put_pid(w, &self);
}

static void attempt(struct global *g)
{
    struct registrar *r = &g->registrar;

    nodelist_free(&r->known);
    nodelist_free(&r->nodes);
    nodelist_free(&r->gone);
    nodelist_free(&r->boss);
    peers_known(g, &r->known);
    put_id(g);
    clu_error err = nodelist_add(&r->nodes, own_name(g));

    if (err == CLU_OK)
        err = nodelist_copy(&r->nodes, &r->known);
    if (err == CLU_OK)
        err = nodelist_add(&r->boss, slice_of(nodelist_boss(&r->nodes)));
    if (global_ok(g, err) && global_ok(g, r->id.err))
        many_set_lock(g, g->registrars, written(&r->id), &r->boss, locked_boss, NULL);
}

/* ---- jobs ---- */

void registrar_add(struct global *g, struct job *job)
{
    list_append(&g->registrar.jobs, &job->list);
}

void registrar_forget(struct global *g, clu_slice node)
{
    struct registrar *r = &g->registrar;

    if (r->busy && nodelist_has(&r->nodes, node) && !nodelist_has(&r->gone, node))
        global_ok(g, nodelist_add(&r->gone, node));
}

void registrar_run(struct global *g)
{
    struct registrar *r = &g->registrar;

    if (r->busy || list_empty(&r->jobs) || g->broken)
        return;
    r->busy = true;
    r->times = 0;
    attempt(g);
}

void registrar_free(struct global *g)
{
    struct registrar *r = &g->registrar;

    while (!list_empty(&r->jobs))
        job_free(present(g));
    clu_writer_free(&r->id);
    nodelist_free(&r->known);
    nodelist_free(&r->nodes);
    nodelist_free(&r->gone);
    nodelist_free(&r->boss);
}
