/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* A session with another node begins when it is linked and ends when both know the same names:
 *
 *   both say init_connect with a tag of their own; every later word of the session holds the tag of
 *   who is told, so that words of an earlier one are known by it;
 *   both say init_connect_ack with the pair of tags, as they see it;
 *   the lockers meet (global_locker.c); then the exchange (global_exchange.c).
 *
 * Whenever the two disagree who talks to whom, cancel_connect makes the other one begin anew. */

/* How often a node that others know is dialled before it counts as lost, and the pause between. A
 * BEAM tries once; but there each of two that dial each other at the same moment waits for the
 * other's connection. */
#define OTHER_ATTEMPTS 3
#define OTHER_PAUSE_MS 1000

/* In the map of our init_connect. */
#define OUR_MARK "erlclu"

/* ---- words ---- */

void session_put_tag(clu_writer *w, const struct gpeer *p)
{
    if (p->his_tag.len > 0)
        clu_put_raw(w, written(&p->his_tag));
    else
        clu_put_atom_text(w, "undefined");
}

static void say_cancel_connect(struct global *g, clu_slice node, clu_slice his_tag)
{
    clu_writer *w = tell_begin(g, g->server, node);

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "cancel_connect");
    clu_put_atom(w, own_name(g));
    if (his_tag.len > 0)
        clu_put_raw(w, his_tag);
    else
        clu_put_atom_text(w, "undefined");
    tell_end(g, g->server);
}

/* {init_connect, {8, MyTag}, Node, {locker, no_longer_a_pid, Known, Locker}}: no BEAM reads the
 * third element any more, a map in OTP 25 to 29: ours tells others of ours what we are. */
static void say_init_connect(struct global *g, const struct gpeer *p)
{
    clu_pid locker = process_pid(g->lockers);
    clu_writer *w = cast_begin(g, g->server, slice_of(p->name));

    clu_put_tuple(w, 4);
    clu_put_atom_text(w, "init_connect");
    clu_put_tuple(w, 2);
    clu_put_int(w, GLOBAL_VERSION);
    clu_put_int(w, p->my_tag);
    clu_put_atom(w, own_name(g));
    clu_put_tuple(w, 4);
    clu_put_atom_text(w, "locker");
    clu_put_atom_text(w, "no_longer_a_pid");
    clu_put_map(w, 1);
    clu_put_atom_text(w, OUR_MARK);
    clu_put_int(w, GLOBAL_VERSION);
    clu_put_pid(w, &locker);
    tell_end(g, g->server);
}

static void say_ack(struct global *g, const struct gpeer *p)
{
    clu_writer *w = tell_begin(g, g->server, slice_of(p->name));

    clu_put_tuple(w, 4);
    clu_put_atom_text(w, "init_connect_ack");
    clu_put_atom(w, own_name(g));
    session_put_tag(w, p);
    clu_put_int(w, p->my_tag);
    tell_end(g, g->server);
}

/* ---- life of a session ---- */

static void forget_early(struct gpeer *p)
{
    p->early = false;
    own_pid_free(&p->early_locker);
    clu_writer_free(&p->early_tag);
    clu_writer_init(&p->early_tag);
}

static void empty(clu_writer *w)
{
    clu_writer_free(w);
    clu_writer_init(w);
}

void session_reset(struct gpeer *p)
{
    forget_early(p);
    empty(&p->his_tag);
    empty(&p->lock_id);
    empty(&p->his_known);
    empty(&p->his_ext);
    terms_free(&p->his_names);
    terms_free(&p->my_ops);
    terms_free(&p->his_ops);
    resolve_stop(p);
    p->my_tag = p->version = 0;
    p->wait = WAIT_NOTHING;
    p->save = SAVE_NOTHING;
}

void session_cancel(struct global *g, struct gpeer *p, int64_t tag, struct farewell *bye)
{
    struct locker_message *m = tag == 0 ? NULL : locker_say(g, LOCKER_CANCEL, p->name);

    if (m != NULL) {
        m->tag = tag;
        m->bye = bye;
    } else {
        farewell_free(bye);
    }
    if (p->pending && tag != 0 && tag == p->my_tag)
        say_cancel_connect(g, slice_of(p->name), written(&p->his_tag));
    if (p->resolver != 0 && p->resolver == tag) {
        resolve_stop(p);
        p->resolver = 0;
    }
}

static void meet_him(struct global *g, struct gpeer *p, const struct own_pid *locker)
{
    struct locker_message *m = locker_say(g, LOCKER_HIM, p->name);

    if (m == NULL)
        return;
    m->tag = p->my_tag;
    m->version = p->version;
    clu_put_raw(&m->his_tag, written(&p->his_tag));
    if (global_ok(g, own_pid_set(&m->pid, &locker->pid)))
        global_ok(g, m->his_tag.err);
}

/* An init_connect, in its time or later. */
static void connect(struct global *g, struct gpeer *p, int64_t version,
                    const struct own_pid *locker, clu_slice his_tag)
{
    clu_writer tag;

    clu_writer_init(&tag);
    clu_put_raw(&tag, his_tag);
    global_ok(g, tag.err);
    clu_writer_free(&p->his_tag);
    p->his_tag = tag;
    p->version = version < GLOBAL_VERSION ? version : GLOBAL_VERSION;
    meet_him(g, p, locker);
    say_ack(g, p);
    p->pending = true;
    p->pending_version = version;
}

void session_up(struct global *g, struct gpeer *p)
{
    struct own_pid locker = p->early_locker;
    clu_writer tag = p->early_tag;
    bool early = p->early;

    if (p->known || p->resolver != 0)
        return;
    p->early_locker = (struct own_pid){0};
    clu_writer_init(&p->early_tag);
    forget_early(p);
    p->my_tag = p->resolver = ++g->last_tag;
    say_init_connect(g, p);
    if (early)
        connect(g, p, p->early_version, &locker, written(&tag));
    own_pid_free(&locker);
    clu_writer_free(&tag);
}

void session_restart(struct global *g, struct gpeer *p)
{
    int64_t tag = p->my_tag;

    session_cancel(g, p, tag, NULL);
    session_reset(p);
    p->pending = false;
    /* Of a node that is known, by way of others, no names come again. (OTP 27 deletes them.) */
    if (!p->known)
        node_resources_delete(g, slice_of(p->name));
    if (tag != 0)
        session_up(g, p);
}

/* Who has asked for the end of a link need not be told of it, nor who was asked. */
void session_down(struct global *g, struct gpeer *p, enum how_lost how)
{
    session_cancel(g, p, p->my_tag, NULL);
    locker_say(g, LOCKER_FORGOTTEN, p->name);
    session_reset(p);
    if (how == LOST_TOLD && !p->removing)
        lost_tell(g, p);
    p->removing = how == LOST_REMOVED && p->linked;
    p->pending = p->known = p->synced = false;
    terms_free(&p->farewells);
    doubt_begin(g, p);
}

/* ---- init_connect and what may go wrong with it ---- */

/* {Version, Tag, ...} */
static bool read_version(clu_reader *r, int64_t *version, clu_slice *tag)
{
    size_t n = clu_get_tuple(r);

    if (n < 2)
        return false;
    *version = clu_get_int(r);
    *tag = clu_get_raw(r);
    for (size_t i = 2; i < n; i++)
        clu_skip_term(r);
    return r->err == CLU_OK;
}

/* Whether a map, which is passed, has our mark as a key. */
static bool read_mark(clu_reader *r)
{
    bool marked = false;

    if (clu_peek_type(r) != CLU_TYPE_MAP) {
        clu_skip_term(r);
        return false;
    }
    for (size_t n = clu_get_map(r); n > 0 && r->err == CLU_OK; n--) {
        clu_reader key = *r;

        marked |= clu_peek_type(&key) == CLU_TYPE_ATOM && slice_is(clu_get_atom(&key), OUR_MARK);
        clu_skip_term(r);
        clu_skip_term(r);
    }
    return marked;
}

/* {locker, _, Known, Pid} */
static bool read_locker(clu_reader *r, clu_pid *locker, bool *ours)
{
    if (clu_get_tuple(r) != 4 || !slice_is(clu_get_atom(r), "locker"))
        return false;
    clu_skip_term(r);
    *ours = read_mark(r);
    *locker = clu_get_pid(r);
    return r->err == CLU_OK;
}

static void keep_early(struct global *g, struct gpeer *p, int64_t version, const clu_pid *locker,
                       clu_slice tag)
{
    forget_early(p);
    p->early = true;
    p->early_version = version;
    clu_put_raw(&p->early_tag, tag);
    if (global_ok(g, own_pid_set(&p->early_locker, locker)))
        global_ok(g, p->early_tag.err);
}

bool on_init_connect(struct global *g, clu_reader *r, size_t arity)
{
    int64_t version;
    clu_slice tag;
    clu_pid locker;
    bool ours;

    if (arity != 4 || !read_version(r, &version, &tag))
        return false;
    clu_slice node = clu_get_atom(r);
    struct gpeer *p = peer_find(g, node);

    if (!read_locker(r, &locker, &ours) || !slice_equal(locker.node, node))
        return false;
    if (p == NULL || !p->linked || version < GLOBAL_VERSION_MIN)
        return true;
    p->ours = ours;
    if (p->pending) {
        say_cancel_connect(g, node, tag);
        session_restart(g, p);
    } else if (p->resolver == 0) {
        keep_early(g, p, version, &locker, tag);
    } else {
        struct own_pid own = {.pid = locker};

        connect(g, p, version, &own, tag);
    }
    return true;
}

static bool is_my_tag(const struct gpeer *p, clu_reader *r)
{
    if (clu_peek_type(r) != CLU_TYPE_INTEGER) {
        clu_skip_term(r);
        return false;
    }
    int64_t tag = clu_get_int(r);

    return r->err == CLU_OK && p->my_tag != 0 && tag == p->my_tag;
}

/* {init_connect_ack, Node, MyTag, HisTag}: does he see the same pair of tags? */
bool on_init_connect_ack(struct global *g, clu_reader *r, size_t arity)
{
    struct gpeer *p = peer_find(g, clu_get_atom(r));

    if (arity != 4 || r->err != CLU_OK)
        return false;
    if (p == NULL || !p->linked)
        return true;
    bool mine = is_my_tag(p, r);
    clu_slice his = clu_get_raw(r);

    if (r->err != CLU_OK)
        return false;
    if (mine && slice_equal(his, written(&p->his_tag)))
        return true;
    say_cancel_connect(g, slice_of(p->name), his);
    session_restart(g, p);
    return true;
}

bool on_cancel_connect(struct global *g, clu_reader *r, size_t arity)
{
    struct gpeer *p = peer_find(g, clu_get_atom(r));

    if (arity != 3 || r->err != CLU_OK)
        return false;
    if (p == NULL || !p->linked || !is_my_tag(p, r))
        return r->err == CLU_OK;
    session_restart(g, p);
    return true;
}

/* ---- in_sync ---- */

/* {in_sync, Node, IsKnown}: he has our names already, by way of others; or is no part of global. */
bool on_in_sync(struct global *g, clu_reader *r, size_t arity)
{
    clu_slice node = clu_get_atom(r);
    struct gpeer *p = peer_find(g, node);

    if (arity != 3 || r->err != CLU_OK)
        return false;
    syncers_hear(g, node);
    if (p == NULL || !p->linked)
        return true;
    p->pending = false;
    p->synced = true;
    session_cancel(g, p, p->my_tag, NULL);
    session_reset(p);
    return true;
}

/* ---- nodes that others know ---- */

static void say_in_sync(struct global *g, struct gpeer *p)
{
    clu_writer *w = cast_begin(g, g->server, slice_of(p->name));

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "in_sync");
    clu_put_atom(w, own_name(g));
    clu_put_atom_text(w, "true");
    tell_end(g, g->server);
}

void sync_other_up(struct global *g, struct gpeer *p)
{
    if (!p->wanted)
        return;
    p->wanted = false;
    timer_stop(g, p->retry);
    p->retry = NULL;
    terms_free(&p->farewells);
    names_watch(g, slice_of(p->name));
    say_in_sync(g, p);
}

/* The link is wanted by the monitor of a name: what fires it says that there is none. */
static void dial(struct global *g, struct gpeer *p)
{
    clu_to to = clu_to_name("global_name_server", p->name);

    p->attempts++;
    if (p->attempts > 1)
        farewell_say_again(g, p);
    if (clu_monitor(g->server, &to).n == 0)
        global_broken(g);
}

static void dial_again(struct global *g, void *arg)
{
    struct gpeer *p = arg;

    p->retry = NULL;
    if (p->wanted && !p->linked)
        dial(g, p);
    else
        peer_release(g, p);
}

void sync_other_failed(struct global *g, struct gpeer *p)
{
    if (!p->wanted || p->linked || p->retry != NULL)
        return;
    if (p->attempts < OTHER_ATTEMPTS) {
        p->retry = timer_start(g, OTHER_PAUSE_MS, dial_again, p);
        return;
    }
    p->wanted = false;
    global_tell(g, GLOBAL_UNREACHABLE, p->name, "", "");
    syncers_hear(g, slice_of(p->name));
    node_resources_delete(g, slice_of(p->name));
    session_down(g, p, LOST_TOLD);
    peer_release(g, p);
}

static void sync_other(struct global *g, clu_slice node)
{
    struct gpeer *p = is_own_name(g->node, node) ? NULL : peer_get(g, node);

    if (p == NULL || p->wanted)
        return;
    p->wanted = true;
    p->attempts = 0;
    if (p->linked)
        sync_other_up(g, p);
    else
        dial(g, p);
}

void sync_others(struct global *g, const struct nodelist *nodes)
{
    for (size_t i = 0; i < nodes->n; i++)
        sync_other(g, slice_of(nodes->names[i]));
}
