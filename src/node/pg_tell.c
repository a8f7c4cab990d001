/* SPDX-License-Identifier: Apache-2.0 */
#include "node/pg.h"

/* What other nodes are told: these messages and no others, for a scope of pg crashes at any that it
 * does not know. Nobody is dialled for them.
 *
 * Before OTP 29 (no version):            since OTP 29 (version 1), which understands both:
 *   {discover, Scope}                      {discover, Scope, 1}
 *   {'$gen_cast', {sync, Scope,            {'$gen_cast', {local_data, Scope, 1,
 *     [{Group, Pids}]}}                      #{Group => Pids}}}
 *   {join, Scope, Group, Pid}              {update, Scope, [{Group, [Pid], []}]}
 *   {leave, Scope, Pid, Groups}            {update, Scope, [{Group, [], [Pid]}]}
 *
 * OTP 25 knows only the left ones, and which release a node has shows only in what it sends: whom
 * we do not know is asked by the old discover. */

/* ---- the parts ---- */

static void put_head(clu_writer *w, size_t arity, const char *word, const struct pg *pg)
{
    clu_pid self = process_pid(pg->self);

    clu_put_tuple(w, arity);
    clu_put_atom_text(w, word);
    clu_put_pid(w, &self);
}

static void put_pids(clu_writer *w, const clu_pid *pid)
{
    if (pid != NULL) {
        clu_put_list(w, 1);
        clu_put_pid(w, pid);
    }
    clu_put_nil(w);
}

/* An element of an update: NULL for none. */
static void put_change(clu_writer *w, const struct pg_group *g, const clu_pid *come,
                       const clu_pid *gone)
{
    clu_put_tuple(w, 3);
    clu_put_raw(w, pg_name_of(g));
    put_pids(w, come);
    put_pids(w, gone);
}

static clu_error tell_end(struct pg_owner *peer)
{
    clu_error err = clu_send_end(peer->pg->self);

    if (err != CLU_OK) {
        peer->behind = true;
        tell_later(peer->pg);
    }
    return err;
}

static clu_writer *tell_begin(struct pg_owner *peer)
{
    clu_to to = clu_to_pid(peer->pid);

    return clu_send_begin(peer->pg->self, &to);
}

/* ---- discover ---- */

static void put_discover(clu_writer *w, const struct pg *pg, int64_t version)
{
    put_head(w, version > 0 ? 3 : 2, "discover", pg);
    if (version > 0)
        clu_put_int(w, PG_VERSION);
}

void tell_discover(struct pg *pg, const struct remote *r)
{
    clu_to to = clu_to_name(pg->scope, r->name);

    if (r->link == NULL || !r->link->visible)
        return;
    put_discover(clu_send_begin(pg->self, &to), pg, 0);
    if (clu_send_end(pg->self) == CLU_OK)
        return;
    pg->unheard = true;
    tell_later(pg);
}

void tell_discover_all(struct pg *pg)
{
    const struct map_entry *at = NULL;
    struct remote *r;

    pg->unheard = false;
    while ((r = map_next(&pg->self->node->remotes, &at, NULL)) != NULL)
        tell_discover(pg, r);
}

void tell_discover_back(struct pg_owner *peer)
{
    put_discover(tell_begin(peer), peer->pg, peer->version);
    tell_end(peer);
}

/* ---- all groups ---- */

static size_t count_local_groups(const struct pg *pg)
{
    size_t n = 0;

    for (const struct list *at = pg->all_groups.next; at != &pg->all_groups; at = at->next)
        n += CONTAINER_OF(at, struct pg_group, of_scope)->n_local > 0;
    return n;
}

static void put_local_pids(clu_writer *w, const struct pg_group *g)
{
    clu_put_list(w, g->n_local);
    for (const struct list *at = g->memberships.next; at != &g->memberships; at = at->next) {
        const struct pg_membership *m = CONTAINER_OF(at, struct pg_membership, of_group);
        clu_pid pid = membership_pid(m);

        if (m->owner->proc != NULL)
            clu_put_pid(w, &pid);
    }
    clu_put_nil(w);
}

/* As pairs of a list or of a map. */
static void put_local_groups(clu_writer *w, const struct pg *pg, bool in_tuples)
{
    for (const struct list *at = pg->all_groups.next; at != &pg->all_groups; at = at->next) {
        const struct pg_group *g = CONTAINER_OF(at, struct pg_group, of_scope);

        if (g->n_local == 0)
            continue;
        if (in_tuples)
            clu_put_tuple(w, 2);
        clu_put_raw(w, pg_name_of(g));
        put_local_pids(w, g);
    }
}

static void put_sync(clu_writer *w, const struct pg *pg)
{
    size_t n = count_local_groups(pg);

    put_head(w, 3, "sync", pg);
    if (n > 0)
        clu_put_list(w, n);
    put_local_groups(w, pg, true);
    clu_put_nil(w);
}

static void put_local_data(clu_writer *w, const struct pg *pg)
{
    put_head(w, 4, "local_data", pg);
    clu_put_int(w, PG_VERSION);
    clu_put_map(w, count_local_groups(pg));
    put_local_groups(w, pg, false);
}

void tell_sync(struct pg_owner *peer, int64_t version)
{
    clu_writer *w = tell_begin(peer);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "$gen_cast");
    if (version > 0)
        put_local_data(w, peer->pg);
    else
        put_sync(w, peer->pg);
    if (tell_end(peer) == CLU_OK)
        peer->behind = false;
}

/* ---- changes ---- */

/* What a process of ours did. */
struct change {
    const struct pg_owner *owner;
    const struct pg_group *group; /* NULL: it is gone, from all its groups */
    bool joined;
};

static void put_join(clu_writer *w, const struct change *c, const clu_pid *pid)
{
    put_head(w, 4, "join", c->owner->pg);
    clu_put_raw(w, pg_name_of(c->group));
    clu_put_pid(w, pid);
}

static size_t count_memberships(const struct pg_owner *o)
{
    size_t n = 0;

    for (const struct list *at = o->memberships.next; at != &o->memberships; at = at->next)
        n++;
    return n;
}

/* A group as often as the process has joined it: a BEAM takes away one membership each time, and
 * crashes when there is none left. */
static void put_all_left(clu_writer *w, const struct change *c, const clu_pid *pid, bool updates)
{
    const struct list *all = &c->owner->memberships;

    clu_put_list(w, count_memberships(c->owner));
    for (const struct list *at = all->next; at != all; at = at->next) {
        const struct pg_group *g = CONTAINER_OF(at, struct pg_membership, of_owner)->group;

        if (updates)
            put_change(w, g, NULL, pid);
        else
            clu_put_raw(w, pg_name_of(g));
    }
    clu_put_nil(w);
}

static void put_leave(clu_writer *w, const struct change *c, const clu_pid *pid)
{
    put_head(w, 4, "leave", c->owner->pg);
    clu_put_pid(w, pid);
    if (c->group == NULL) {
        put_all_left(w, c, pid, false);
        return;
    }
    clu_put_list(w, 1);
    clu_put_raw(w, pg_name_of(c->group));
    clu_put_nil(w);
}

static void put_update(clu_writer *w, const struct change *c, const clu_pid *pid)
{
    put_head(w, 3, "update", c->owner->pg);
    if (c->group == NULL) {
        put_all_left(w, c, pid, true);
        return;
    }
    clu_put_list(w, 1);
    put_change(w, c->group, c->joined ? pid : NULL, c->joined ? NULL : pid);
    clu_put_nil(w);
}

/* Who is behind gets all groups anew, and has no use for changes. */
static void tell_change(const struct change *c)
{
    struct pg *pg = c->owner->pg;
    clu_pid pid = process_pid(c->owner->proc);

    for (struct list *at = pg->peers.next; at != &pg->peers && !pg->self->ended; at = at->next) {
        struct pg_owner *peer = CONTAINER_OF(at, struct pg_owner, peers);

        if (peer->behind || peer->tie == NULL || peer->tie->remote == NULL)
            continue;
        clu_writer *w = tell_begin(peer);

        if (peer->version > 0)
            put_update(w, c, &pid);
        else if (c->joined)
            put_join(w, c, &pid);
        else
            put_leave(w, c, &pid);
        tell_end(peer);
    }
}

void tell_joined(struct pg_owner *o, const struct pg_group *g)
{
    tell_change(&(struct change){.owner = o, .group = g, .joined = true});
}

void tell_left(struct pg_owner *o, const struct pg_group *g)
{
    tell_change(&(struct change){.owner = o, .group = g});
}

void tell_gone(struct pg_owner *o)
{
    if (!list_empty(&o->memberships))
        tell_change(&(struct change){.owner = o});
}

/* ---- again ---- */

/* A busy node says when it reads again; for want of memory nobody says when there is some. */
void tell_later(struct pg *pg)
{
    if (pg->retry.n == 0 && !pg->self->ended)
        pg->retry = clu_after(pg->self, PG_RETRY_MS);
}

void tell_again(struct pg *pg)
{
    uint64_t now_ms = pg->self->node->now_ms;

    if (pg->unheard)
        tell_discover_all(pg);
    for (struct list *at = pg->peers.next; at != &pg->peers; at = at->next) {
        struct pg_owner *peer = CONTAINER_OF(at, struct pg_owner, peers);

        if (peer->behind)
            tell_sync(peer, peer->version);
        if (!peer->lost)
            continue;
        if (peer->again_ms <= now_ms) {
            peer->again_ms = now_ms + PG_AGAIN_MS;
            tell_discover_back(peer);
        }
        tell_later(pg);
    }
}
