/* SPDX-License-Identifier: Apache-2.0 */
#include "node/pg.h"

#include <stdlib.h>

/* Scopes of this node, and what its program asks of them. */

/* ---- life ---- */

static struct pg *pg_new(const char *scope)
{
    struct pg *pg = calloc(1, sizeof *pg + strlen(scope) + 1);

    if (pg == NULL)
        return NULL;
    memcpy(pg->scope, scope, strlen(scope) + 1);
    list_init(&pg->all_groups);
    list_init(&pg->peers);
    list_init(&pg->subs);
    clu_writer_init(&pg->name);
    return pg;
}

/* Its process has ended: its monitors are gone already. */
static void pg_free(struct pg *pg)
{
    while (!list_empty(&pg->all_groups)) {
        struct pg_group *g = CONTAINER_OF(pg->all_groups.next, struct pg_group, of_scope);

        while (!list_empty(&g->memberships)) {
            struct list *first = g->memberships.next;
            struct pg_membership *m = CONTAINER_OF(first, struct pg_membership, of_group);
            struct pg_owner *o = m->owner;

            membership_free(m);
            if (list_empty(&o->memberships) && o->proc != NULL)
                owner_forget(o);
        }
        group_release(pg, g);
    }
    while (!list_empty(&pg->peers))
        owner_forget(CONTAINER_OF(pg->peers.next, struct pg_owner, peers));
    subs_free(pg);
    index_free(&pg->groups);
    index_free(&pg->owners);
    index_free(&pg->memberships);
    clu_writer_free(&pg->name);
    free(pg);
}

/* ---- its process ---- */

static void on_node_up(struct pg *pg, const clu_signal *s)
{
    const struct remote *r = remote_find(pg->self->node, s->node);

    if (r != NULL)
        tell_discover(pg, r);
}

static void on_timeout(struct pg *pg, const clu_signal *s)
{
    (void)s;
    pg->retry.n = 0;
    tell_again(pg);
}

static void on_writable(struct pg *pg, const clu_signal *s)
{
    (void)s;
    tell_again(pg);
}

static void (*const reactions[])(struct pg *pg, const clu_signal *s) = {
    [CLU_SIGNAL_MESSAGE] = hear,
    [CLU_SIGNAL_NODE_UP] = on_node_up,
    [CLU_SIGNAL_TIMEOUT] = on_timeout,
    [CLU_SIGNAL_WRITABLE] = on_writable,
};

static void scope_receive(clu_process *p, const clu_signal *s, void *arg)
{
    (void)p;
    if (s->kind < COUNT(reactions) && reactions[s->kind] != NULL)
        reactions[s->kind](arg, s);
}

static void scope_stopped(clu_process *p, clu_slice reason, void *arg)
{
    (void)p;
    (void)reason;
    pg_free(arg);
}

/* What sys:get_state shows. */
static void put_state(clu_process *p, clu_writer *w, void *arg)
{
    const struct pg *pg = arg;
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"groups", pg->n_groups}, {"memberships", pg->n_memberships}, {"local", pg->n_local},
        {"peers", pg->n_peers},   {"ignored", pg->ignored},
    };

    (void)p;
    clu_put_map(w, COUNT(rows));
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_put_atom_text(w, rows[i].name);
        clu_put_uint(w, rows[i].value);
    }
}

static const clu_server scope_server = {.state = put_state};

struct pg *pg_of(const struct clu_node *n, const char *scope)
{
    struct clu_process *p = n == NULL ? NULL : process_named(n, slice_of(scope));

    return p != NULL && p->receive == scope_receive ? p->arg : NULL;
}

clu_error clu_pg_start(clu_node *n, const char *scope)
{
    struct pg *pg = n == NULL ? NULL : pg_new(scope);
    clu_spawn_options o = {
        .receive = scope_receive, .stopped = scope_stopped, .arg = pg, .name = scope};
    clu_error err = pg == NULL ? CLU_ENOMEM : process_new(n, &o, &pg->self);

    if (err != CLU_OK) {
        free(pg);
        return err;
    }
    pg->self->server = &scope_server;
    clu_monitor_nodes(pg->self, true);
    tell_discover_all(pg);
    return CLU_OK;
}

clu_error clu_pg_stop(clu_node *n, const char *scope)
{
    struct pg *pg = pg_of(n, scope);

    if (pg == NULL)
        return CLU_ENOENT;
    clu_exit(pg->self, "normal");
    return CLU_OK;
}

bool clu_pg_get_info(clu_node *n, const char *scope, clu_pg_info *info)
{
    const struct pg *pg = pg_of(n, scope);

    if (pg == NULL)
        return false;
    *info = (clu_pg_info){
        .groups = pg->n_groups,
        .memberships = pg->n_memberships,
        .local = pg->n_local,
        .peers = pg->n_peers,
        .ignored = pg->ignored,
    };
    return true;
}

/* ---- joining ---- */

clu_error pg_name_term(struct pg *pg, clu_slice term)
{
    clu_error err = clu_check(term.data, term.len, NULL, NULL);
    clu_reader r = reader_of(term);

    return err != CLU_OK ? err : pg_name(&pg->name, &r);
}

/* The scope, with the group's name in pg->name. */
static clu_error find(const struct clu_node *n, const char *scope, clu_slice group, struct pg **out)
{
    *out = pg_of(n, scope);
    return *out == NULL ? CLU_ENOENT : pg_name_term(*out, group);
}

static struct pg_group *named_group(const struct pg *pg)
{
    return group_find(pg, (clu_slice){pg->name.data, pg->name.len});
}

/* The process as an owner: it is watched from its first membership to its last. */
static clu_error get_owner(struct pg *pg, clu_process *p, struct pg_owner **out)
{
    clu_pid pid = process_pid(p);
    clu_error err = CLU_OK;

    *out = owner_find(pg, &pid);
    if (*out != NULL)
        return CLU_OK;
    err = owner_new(pg, p, &pid, out);
    if (err == CLU_OK)
        err = owner_watch(*out);
    if (err != CLU_OK && *out != NULL)
        owner_free(*out);
    return err;
}

static void tell_news(const struct pg_membership *m, bool joined)
{
    clu_pid pid = membership_pid(m);
    struct pg_news news;

    news_begin(&news, m->owner->pg, m->group, joined);
    news_add(&news, &pid);
    news_tell(&news);
}

static clu_error join(struct pg_owner *o, struct pg_membership **out)
{
    struct pg *pg = o->pg;
    struct pg_group *g = group_get(pg, (clu_slice){pg->name.data, pg->name.len});
    clu_pid pid = process_pid(o->proc);

    if (g == NULL)
        return CLU_ENOMEM;
    clu_error err = membership_add(g, o, &pid, &g->memberships, ++pg->n_batches, out);

    group_release(pg, g);
    return err;
}

clu_error clu_pg_join(clu_process *p, const char *scope, clu_slice group)
{
    struct pg_membership *m;
    struct pg_owner *o;
    struct pg *pg;
    clu_error err = p->ended ? CLU_ENOENT : find(p->node, scope, group, &pg);

    if (err == CLU_OK)
        err = get_owner(pg, p, &o);
    if (err != CLU_OK)
        return err;
    err = join(o, &m);
    if (err == CLU_OK) {
        tell_news(m, true);
        tell_joined(o, m->group);
    } else if (list_empty(&o->memberships)) {
        owner_free(o);
    }
    return err;
}

clu_error clu_pg_leave(clu_process *p, const char *scope, clu_slice group)
{
    struct pg *pg;
    clu_error err = find(p->node, scope, group, &pg);

    if (err != CLU_OK)
        return err;
    clu_pid pid = process_pid(p);
    struct pg_owner *o = owner_find(pg, &pid);
    struct pg_group *g = named_group(pg);
    struct pg_membership *m = o == NULL || g == NULL ? NULL : membership_find(g, o, &pid);

    if (m == NULL)
        return CLU_ENOENT;
    tell_news(m, false);
    membership_free(m);
    tell_left(o, g);
    group_release(pg, g);
    if (list_empty(&o->memberships))
        owner_free(o);
    return CLU_OK;
}

/* ---- looking ---- */

size_t clu_pg_members(clu_node *n, const char *scope, clu_slice group, clu_pg_member_fn *each,
                      void *arg)
{
    struct pg *pg;
    const struct pg_group *g = find(n, scope, group, &pg) == CLU_OK ? named_group(pg) : NULL;

    if (g == NULL)
        return 0;
    for (const struct list *at = g->memberships.next; at != &g->memberships; at = at->next) {
        const struct pg_membership *m = CONTAINER_OF(at, struct pg_membership, of_group);
        clu_pid pid = membership_pid(m);

        if (each == NULL || !each(&pid, m->owner->proc != NULL, arg))
            break;
    }
    return g->n;
}

size_t clu_pg_groups(clu_node *n, const char *scope, clu_pg_group_fn *each, void *arg)
{
    const struct pg *pg = pg_of(n, scope);

    if (pg == NULL)
        return 0;
    for (const struct list *at = pg->all_groups.next; at != &pg->all_groups; at = at->next) {
        const struct pg_group *g = CONTAINER_OF(at, struct pg_group, of_scope);

        if (each == NULL || !each(pg_name_of(g), g->n, g->n_local, arg))
            break;
    }
    return pg->n_groups;
}

/* ---- sending ---- */

struct sending_to {
    clu_process *from;
    clu_pg_whom whom;
    clu_slice message;
    clu_error err; /* the first */
};

static bool send_to_one(const clu_pid *pid, bool local, void *arg)
{
    struct sending_to *s = arg;
    clu_to to = clu_to_pid(*pid);

    if (s->whom == (local ? CLU_PG_REMOTE : CLU_PG_LOCAL))
        return true;
    clu_error err = clu_send_raw(s->from, &to, s->message);

    if (s->err == CLU_OK)
        s->err = err;
    return true;
}

clu_error clu_pg_send(clu_process *p, const char *scope, clu_slice group, clu_pg_whom whom,
                      clu_slice message)
{
    struct sending_to s = {.from = p, .whom = whom, .message = message};

    clu_pg_members(p->node, scope, group, send_to_one, &s);
    return s.err;
}
