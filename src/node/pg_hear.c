/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"
#include "node/pg.h"

/* What other nodes tell. A message is read to its end before anything of it counts: one that pg
 * does not know is ignored whole, and counted. */

/* A message on its way to its handler. */
struct heard {
    struct pg *pg;
    struct pg_owner *peer;       /* whose it is; NULL: of a scope that is not known yet */
    const struct remote *remote; /* where that is */
    clu_pid pid;
    clu_reader r; /* stands behind the pid */
    size_t left;  /* elements that are left there */
};

/* An error: pg does not know such a message (nothing has happened), or there is no memory. */
typedef clu_error heard_handler(struct heard *h);

/* ---- reading ---- */

/* One pid, or a list of them. */
struct pids {
    clu_reader r; /* stands at the first */
    size_t n;
};

/* All must be of the sender's node: pg lets nobody else join there. */
static struct pids read_pids(clu_reader *r, clu_slice node)
{
    bool is_list = clu_peek_type(r) != CLU_TYPE_PID;
    struct pids pids = {.n = 1};

    if (is_list)
        pids.n = clu_get_list(r);
    pids.r = *r;
    for (size_t i = 0; i < pids.n && r->err == CLU_OK; i++)
        if (!slice_equal(clu_get_pid(r).node, node))
            clu_reader_fail(r, CLU_EBADARG);
    if (is_list && pids.n > 0)
        clu_get_nil(r);
    return pids;
}

static clu_slice read_name(struct pg *pg, clu_reader *r)
{
    clu_error err = pg_name(&pg->name, r);

    if (err != CLU_OK)
        clu_reader_fail(r, err);
    return (clu_slice){pg->name.data, pg->name.len};
}

static void leave_list(clu_reader *r, size_t n)
{
    if (n > 0)
        clu_get_nil(r);
}

/* ---- joining and leaving ---- */

/* In front of the group, in the order of the list. In a sync, what is there already stays where it
 * is. */
static clu_error join_each(struct pg_owner *o, struct pg_group *g, struct pids pids,
                           struct pg_news *news)
{
    uint64_t batch = ++o->pg->n_batches;
    struct list *behind = &g->memberships;
    clu_error err = CLU_OK;

    for (size_t i = 0; i < pids.n && err == CLU_OK; i++) {
        clu_pid pid = clu_get_pid(&pids.r);
        struct pg_membership *m = membership_find(g, o, &pid);

        if (m != NULL && !list_empty(&o->stale) && membership_refresh(m))
            continue;
        err = membership_add(g, o, &pid, behind, batch, &m);
        if (err != CLU_OK)
            break;
        behind = &m->of_group;
        pid = membership_pid(m);
        news_add(news, &pid);
    }
    return err;
}

static clu_error join(struct pg_owner *o, clu_slice name, struct pids pids)
{
    struct pg_group *g = pids.n == 0 ? NULL : group_get(o->pg, name);
    struct pg_news news;

    if (pids.n == 0)
        return CLU_OK;
    if (g == NULL)
        return CLU_ENOMEM;
    news_begin(&news, o->pg, g, true);
    clu_error err = join_each(o, g, pids, &news);

    news_tell(&news);
    group_release(o->pg, g);
    return err;
}

static void leave(struct pg_owner *o, clu_slice name, struct pids pids)
{
    struct pg_group *g = group_find(o->pg, name);
    struct pg_news news;

    if (g == NULL)
        return;
    news_begin(&news, o->pg, g, false);
    for (size_t i = 0; i < pids.n; i++) {
        clu_pid pid = clu_get_pid(&pids.r);
        struct pg_membership *m = membership_find(g, o, &pid);

        if (m == NULL)
            continue;
        pid = membership_pid(m);
        news_add(&news, &pid);
        membership_free(m);
    }
    news_tell(&news);
    group_release(o->pg, g);
}

/* ---- the scopes of other nodes ---- */

/* Until it has got all groups of this node, it gets no changes: pg before OTP 29 crashes when
 * somebody leaves a group that it does not know of. It asks for them in a moment; if it does not,
 * they go by themselves. */
static clu_error meet(struct heard *h, int64_t version)
{
    if (h->peer == NULL) {
        clu_pid pid = h->pid;

        pid.node = slice_of(h->remote->name);
        clu_error err = owner_new(h->pg, NULL, &pid, &h->peer);

        if (err == CLU_OK)
            err = owner_watch(h->peer);
        if (err != CLU_OK && h->peer != NULL)
            owner_free(h->peer);
        if (err != CLU_OK)
            return err;
        h->peer->behind = true;
        tell_later(h->pg);
    }
    if (h->peer->version < version)
        h->peer->version = version;
    return CLU_OK;
}

/* The version is an integer so far; what else may come is of no release that we know. */
static int64_t read_version(clu_reader *r)
{
    clu_reader at = *r;
    int64_t version = clu_get_int(&at);

    clu_skip_term(r);
    return at.err == CLU_OK && version >= PG_VERSION ? PG_VERSION : 0;
}

/* {discover, Scope} or {discover, Scope, Version} */
static clu_error hear_discover(struct heard *h)
{
    int64_t version = h->left > 0 ? read_version(&h->r) : 0;
    bool is_new = h->peer == NULL;
    clu_error err = h->r.err != CLU_OK ? h->r.err : meet(h, version);

    if (err != CLU_OK)
        return err;
    tell_sync(h->peer, version);
    if (is_new)
        tell_discover_back(h->peer);
    return CLU_OK;
}

/* ---- all groups of a node ---- */

/* The pairs of a sync (tuples in a list) or of local data (a map): handed to join, or with o NULL
 * only looked at. */
static clu_error read_groups(struct heard *h, clu_reader *r, struct pg_owner *o, bool is_map)
{
    size_t n = is_map ? clu_get_map(r) : clu_get_list(r);
    clu_error err = CLU_OK;

    for (size_t i = 0; i < n && r->err == CLU_OK && err == CLU_OK; i++) {
        if (!is_map && clu_get_tuple(r) != 2)
            clu_reader_fail(r, CLU_ETYPE);
        clu_slice name = read_name(h->pg, r);
        struct pids pids = read_pids(r, h->pid.node);

        if (r->err == CLU_OK && o != NULL)
            err = join(o, name, pids);
    }
    if (!is_map)
        leave_list(r, n);
    return r->err != CLU_OK ? r->err : err;
}

/* What it does not name again has left. */
static clu_error take_groups(struct heard *h, int64_t version, bool is_map)
{
    clu_reader look = h->r;
    clu_error err = read_groups(h, &look, NULL, is_map);

    if (err == CLU_OK)
        err = meet(h, version);
    if (err != CLU_OK)
        return err;
    h->peer->lost = false;
    owner_age(h->peer);
    err = read_groups(h, &h->r, h->peer, is_map);
    if (err == CLU_OK)
        owner_drop_stale(h->peer);
    else
        owner_lose(h->peer);
    return CLU_OK;
}

/* {sync, Scope, [{Group, Pids}]} */
static clu_error hear_sync(struct heard *h)
{
    return take_groups(h, 0, false);
}

/* {local_data, Scope, Version, #{Group => Pids}} */
static clu_error hear_local_data(struct heard *h)
{
    int64_t version = read_version(&h->r);

    return take_groups(h, version, true);
}

/* ---- changes ---- */

/* Of a scope that is not known they may well come: its last words before a link broke. */
static bool is_of_use(const struct heard *h)
{
    return h->peer != NULL && !h->peer->lost;
}

static clu_error read_change(clu_reader *r, struct heard *h, struct pg_owner *o)
{
    if (clu_get_tuple(r) != 3)
        clu_reader_fail(r, CLU_ETYPE);
    clu_slice name = read_name(h->pg, r);
    struct pids come = read_pids(r, h->pid.node), gone = read_pids(r, h->pid.node);

    if (r->err != CLU_OK || o == NULL)
        return r->err;
    leave(o, name, gone);
    return join(o, name, come);
}

static clu_error read_changes(clu_reader *r, struct heard *h, struct pg_owner *o)
{
    size_t n = clu_get_list(r);
    clu_error err = CLU_OK;

    for (size_t i = 0; i < n && err == CLU_OK; i++)
        err = read_change(r, h, o);
    leave_list(r, n);
    return r->err != CLU_OK ? r->err : err;
}

/* {join, Scope, Group, PidOrPids} */
static clu_error hear_join(struct heard *h)
{
    clu_slice name = read_name(h->pg, &h->r);
    struct pids pids = read_pids(&h->r, h->pid.node);

    if (h->r.err == CLU_OK && is_of_use(h) && join(h->peer, name, pids) != CLU_OK)
        owner_lose(h->peer);
    return h->r.err;
}

/* The groups of a leave. Those with small numbers for names come as a string. */
struct names {
    clu_reader r;
    size_t n;
    clu_slice bytes;
};

static struct names read_names(clu_reader *r)
{
    struct names names = {.bytes = {NULL, 0}};

    if (clu_reader_has(r, 1) && *r->pos == ETF_STRING) {
        names.bytes = clu_get_string(r);
        names.n = names.bytes.len;
    } else {
        names.n = clu_get_list(r);
    }
    names.r = *r;
    return names;
}

static clu_slice next_name(struct pg *pg, struct names *names)
{
    if (names->bytes.len == 0)
        return read_name(pg, &names->r);
    clu_writer_reset(&pg->name);
    clu_put_int(&pg->name, *names->bytes.data++);
    names->bytes.len--;
    if (pg->name.err != CLU_OK)
        clu_reader_fail(&names->r, pg->name.err);
    return (clu_slice){pg->name.data, pg->name.len};
}

/* {leave, Scope, PidOrPids, Groups} */
static clu_error hear_leave(struct heard *h)
{
    struct pids pids = read_pids(&h->r, h->pid.node);
    struct names names = read_names(&h->r), look = names;

    for (size_t i = 0; i < names.n && look.r.err == CLU_OK; i++)
        next_name(h->pg, &look);
    if (names.bytes.data == NULL)
        leave_list(&look.r, names.n);
    for (size_t i = 0; i < names.n && look.r.err == CLU_OK && is_of_use(h); i++) {
        clu_slice name = next_name(h->pg, &names);

        if (names.r.err == CLU_OK)
            leave(h->peer, name, pids);
        else
            owner_lose(h->peer);
    }
    return look.r.err;
}

/* {update, Scope, [{Group, Joined, Left}]} */
static clu_error hear_update(struct heard *h)
{
    clu_reader look = h->r;
    clu_error err = read_changes(&look, h, NULL);

    if (err == CLU_OK && is_of_use(h) && read_changes(&h->r, h, h->peer) != CLU_OK)
        owner_lose(h->peer);
    return err;
}

/* ---- the table ---- */

static const struct {
    const char *word;
    size_t arity;
    heard_handler *handle;
} messages[] = {
    {"join", 4, hear_join},
    {"leave", 4, hear_leave},
    {"update", 3, hear_update},
    {"sync", 3, hear_sync},
    {"discover", 2, hear_discover},
    {"discover", 3, hear_discover},
    {"local_data", 4, hear_local_data},
};

static heard_handler *find_handler(clu_slice word, size_t arity)
{
    for (size_t i = 0; i < COUNT(messages); i++)
        if (messages[i].arity == arity && slice_is(word, messages[i].word))
            return messages[i].handle;
    return NULL;
}

/* A scope speaks for its own node only, over a link that still is. */
static bool is_from_there(struct heard *h, const clu_signal *s)
{
    h->remote = remote_find(h->pg->self->node, h->pid.node);
    return h->remote != NULL && h->remote->link != NULL &&
           (s->from.node.len == 0 || slice_equal(s->from.node, h->pid.node));
}

/* A list cannot have more elements than bytes, so neither can any loop here. */
static clu_error hear_message(struct heard *h, const clu_signal *s)
{
    size_t arity = clu_get_tuple(&h->r);
    clu_slice word = clu_get_atom(&h->r);

    if (arity == 2 && slice_is(word, "$gen_cast")) {
        arity = clu_get_tuple(&h->r);
        word = clu_get_atom(&h->r);
    }
    heard_handler *handle = h->r.err == CLU_OK ? find_handler(word, arity) : NULL;

    if (handle == NULL)
        return CLU_EBADARG;
    h->pid = clu_get_pid(&h->r);
    h->left = arity - 2;
    if (h->r.err != CLU_OK || !is_from_there(h, s))
        return CLU_EBADARG;
    h->peer = owner_find(h->pg, &h->pid);
    return handle(h);
}

/* A scope of a BEAM would crash, and so end the call. */
static void refuse_call(struct pg *pg, clu_reader message)
{
    struct gen_call call;
    struct atom_term why;

    if (get_gen_call(&message, &call))
        gen_fail(pg->self, &call.from, call.tag, atom_term(&why, "notsup"));
}

void hear(struct pg *pg, const clu_signal *s)
{
    struct heard h = {.pg = pg, .r = s->term};

    if (hear_message(&h, s) == CLU_OK || system_take(pg->self, s->term))
        return;
    pg->ignored++;
    refuse_call(pg, s->term);
}
