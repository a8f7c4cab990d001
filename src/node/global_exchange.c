/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* The exchange of names, while the lockers of both sides hold the lock:
 *
 *   exchange  each sends its names; the lesser node of the two decides conflicts
 *   resolved  each sends what the other has to do because of that
 *   new_nodes each tells its own partition what came of it: operations, and the nodes that have
 *             come; this is the locker's to send, before it gives the lock back
 */

/* The peer whose session a word belongs to: its tag is ours. NULL: an earlier one, whose locker is
 * told that it is over. */
static struct gpeer *in_session(struct global *g, clu_slice node, clu_reader *tag)
{
    struct gpeer *p = peer_find(g, node);

    if (clu_peek_type(tag) != CLU_TYPE_INTEGER) { /* undefined: he had forgotten ours */
        clu_skip_term(tag);
        return NULL;
    }
    int64_t mine = clu_get_int(tag);

    if (p == NULL || !p->linked || tag->err != CLU_OK)
        return NULL;
    if (p->my_tag != 0 && p->my_tag == mine)
        return p;
    session_cancel(g, p, mine, NULL);
    return NULL;
}

/* ---- names ---- */

static void say_exchange(struct global *g, const struct gpeer *p)
{
    clu_writer *w = cast_begin(g, g->server, slice_of(p->name));

    clu_put_tuple(w, 5);
    clu_put_atom_text(w, "exchange");
    clu_put_atom(w, own_name(g));
    names_put_list(g, w);
    clu_put_nil(w);
    session_put_tag(w, p);
    tell_end(g, g->server);
}

static void both_ready(struct global *g, struct gpeer *p)
{
    p->wait = WAIT_NOTHING;
    if (p->resolver == p->my_tag)
        resolve_start(g, p);
}

void session_lock_is_set(struct global *g, const char *node, int64_t tag, clu_slice lock_id)
{
    struct gpeer *p = peer_find(g, slice_of(node));

    if (p == NULL || p->my_tag != tag) {
        struct locker_message *m = locker_say(g, LOCKER_CANCEL, node);

        if (m != NULL)
            m->tag = tag;
        return;
    }
    say_exchange(g, p);
    clu_writer_reset(&p->lock_id);
    clu_put_raw(&p->lock_id, lock_id);
    global_ok(g, p->lock_id.err);
    if (p->wait == WAIT_LOCK)
        both_ready(g, p);
    else
        p->wait = WAIT_NAMES;
}

/* {exchange, Node, Names, _, MyTag} */
bool on_exchange(struct global *g, clu_reader *r, size_t arity)
{
    clu_slice node = clu_get_atom(r);
    clu_reader list = *r;

    clu_skip_term(r);
    clu_skip_term(r);
    if (arity != 5 || r->err != CLU_OK)
        return false;
    struct gpeer *p = in_session(g, node, r);

    if (p == NULL)
        return r->err == CLU_OK;
    terms_free(&p->his_names);
    terms_take(&p->his_names, &list);
    if (!global_ok(g, p->his_names.w.err) || list.err != CLU_OK)
        return false;
    if (p->wait == WAIT_NAMES)
        both_ready(g, p);
    else
        p->wait = WAIT_LOCK;
    return true;
}

/* ---- what is to be done ---- */

static void say_resolved(struct global *g, const struct gpeer *p, const struct terms *ops)
{
    clu_writer *w = cast_begin(g, g->server, slice_of(p->name));

    clu_put_tuple(w, 7);
    clu_put_atom_text(w, "resolved");
    clu_put_atom(w, own_name(g));
    terms_put(w, ops);
    peers_put_known(g, w);
    clu_put_atom_text(w, "unused");
    names_put_ext(g, w);
    session_put_tag(w, p);
    tell_end(g, g->server);
}

static void resolved(struct global *g, struct gpeer *p);

void session_resolved(struct global *g, struct gpeer *p, int64_t tag, struct terms *ops,
                      struct terms *his_ops)
{
    if (p->my_tag != tag) {
        session_cancel(g, p, tag, NULL);
        return;
    }
    if (!global_ok(g, ops->w.err) || !global_ok(g, his_ops->w.err))
        return;
    say_resolved(g, p, his_ops);
    terms_free(&p->my_ops);
    p->my_ops = *ops;
    terms_init(ops);
    if (p->save == SAVE_THEIRS)
        resolved(g, p);
    else
        p->save = SAVE_OURS;
}

/* {resolved, Node, Ops, Known, _, Ext, MyTag} */
bool on_resolved(struct global *g, clu_reader *r, size_t arity)
{
    clu_slice node = clu_get_atom(r);
    clu_reader ops = *r, known, ext;

    clu_skip_term(r);
    known = *r;
    clu_skip_term(r);
    clu_skip_term(r);
    ext = *r;
    clu_skip_term(r);
    if (arity != 7 || r->err != CLU_OK)
        return false;
    struct gpeer *p = in_session(g, node, r);

    if (p == NULL)
        return r->err == CLU_OK;
    terms_free(&p->his_ops);
    terms_take(&p->his_ops, &ops);
    copy_term(&p->his_known, &known);
    copy_term(&p->his_ext, &ext);
    if (!global_ok(g, p->his_ops.w.err) || !global_ok(g, p->his_known.err) ||
        !global_ok(g, p->his_ext.err) || ops.err != CLU_OK)
        return false;
    if (p->save == SAVE_OURS)
        resolved(g, p);
    else
        p->save = SAVE_THEIRS;
    return true;
}

/* ---- both are done ---- */

/* [{Node, Version}] of him and of all that he knows: those that are new in our partition. */
static void put_new_nodes(clu_writer *w, const struct gpeer *p)
{
    clu_reader known = read_written(&p->his_known);
    size_t n = clu_get_list(&known);

    clu_put_list(w, n + 1);
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, p->name);
    clu_put_int(w, p->pending ? p->pending_version : p->known_version);
    for (size_t i = 0; i < n && known.err == CLU_OK; i++)
        clu_put_term(w, &known);
    clu_put_nil(w);
}

static void put_extra(clu_writer *w, const struct gpeer *p)
{
    clu_put_list(w, 2);
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "vsn");
    clu_put_int(w, p->version);
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "lock");
    clu_put_raw(w, written(&p->lock_id));
    clu_put_nil(w);
}

/* {new_nodes, Node, Ops, Ext, Nodes, [{vsn, V}, {lock, LockId}]} to all that are known before him.
 */
static struct farewell *farewell_of(struct global *g, const struct gpeer *p,
                                    const struct terms *ops, const clu_writer *nodes)
{
    struct farewell *bye = calloc(1, sizeof *bye);

    if (bye == NULL)
        return NULL;
    clu_writer_init(&bye->message);
    peers_known(g, &bye->to);
    clu_put_tuple(&bye->message, 6);
    clu_put_atom_text(&bye->message, "new_nodes");
    clu_put_atom(&bye->message, own_name(g));
    terms_put(&bye->message, ops);
    clu_put_raw(&bye->message, written(&p->his_ext));
    clu_put_raw(&bye->message, written(nodes));
    put_extra(&bye->message, p);
    if (bye->message.err == CLU_OK)
        return bye;
    farewell_free(bye);
    return NULL;
}

/* Those that he knows need not be met any more. */
static void cancel_his_known(struct global *g, const struct gpeer *him,
                             const struct nodelist *known)
{
    for (size_t i = 0; i < known->n; i++) {
        struct gpeer *p = peer_find(g, slice_of(known->names[i]));

        if (p == NULL || p == him)
            continue;
        p->pending = false;
        session_cancel(g, p, p->my_tag, NULL);
        session_reset(p);
    }
}

/* The names in [{Node, Version} | Node]. */
static void list_nodes(struct global *g, clu_reader r, struct nodelist *out)
{
    for (size_t n = clu_get_list(&r); n > 0 && r.err == CLU_OK; n--) {
        bool pair = clu_peek_type(&r) == CLU_TYPE_TUPLE && clu_get_tuple(&r) == 2;
        clu_slice node = clu_get_atom(&r);

        if (pair)
            clu_skip_term(&r);
        if (r.err == CLU_OK && node.len < NODE_NAME_SIZE && !is_own_name(g->node, node))
            global_ok(g, nodelist_add(out, node));
    }
}

static void now_known(struct global *g, clu_reader list)
{
    struct nodelist added = {0};

    peers_add(g, list, &added);
    for (size_t i = 0; i < added.n; i++)
        locker_say(g, LOCKER_KNOWN, added.names[i]);
    nodelist_free(&added);
}

static void do_ops(struct global *g, const struct gpeer *p, const struct terms *ops)
{
    const struct under_lock lock = {.lock_id = written(&p->lock_id)};

    names_do(g, ops, written(&p->his_ext), &lock);
}

static void resolved(struct global *g, struct gpeer *p)
{
    struct nodelist known = {0};
    struct terms *ops = &p->my_ops;
    clu_writer nodes;

    clu_writer_init(&nodes);
    put_new_nodes(&nodes, p);
    clu_put_bytes(&ops->w, p->his_ops.w.data, p->his_ops.w.len);
    ops->n += p->his_ops.n;
    struct farewell *bye = farewell_of(g, p, ops, &nodes);

    if (bye == NULL || nodes.err != CLU_OK || ops->w.err != CLU_OK) {
        farewell_free(bye);
        clu_writer_free(&nodes);
        global_broken(g);
        return;
    }
    list_nodes(g, read_written(&p->his_known), &known);
    do_ops(g, p, ops);
    syncers_hear(g, slice_of(p->name));
    cancel_his_known(g, p, &known);
    p->pending = false;
    session_cancel(g, p, p->my_tag, bye);
    session_reset(p);
    now_known(g, read_written(&nodes));
    sync_others(g, &known);
    p->synced = true;
    nodelist_free(&known);
    clu_writer_free(&nodes);
}

/* ---- what others have agreed on ---- */

/* The lock in [{vsn, V}, {lock, {global, Lockers}}]. */
static clu_slice lock_of(clu_slice extra)
{
    clu_reader r = reader_of(extra);

    for (size_t n = clu_get_list(&r); n > 0 && r.err == CLU_OK; n--) {
        size_t arity = clu_get_tuple(&r);
        clu_slice key = clu_get_atom(&r), value = clu_get_raw(&r);

        if (arity != 2 || r.err != CLU_OK)
            break;
        if (slice_is(key, "lock"))
            return value;
    }
    return (clu_slice){NULL, 0};
}

static void do_new_nodes(struct global *g, const struct terms *ops, clu_slice ext, clu_slice nodes,
                         clu_slice extra)
{
    const struct under_lock lock = {.lock_id = lock_of(extra)};
    struct nodelist added = {0};

    peers_add(g, reader_of(nodes), &added);
    names_do(g, ops, ext, &lock);
    for (size_t i = 0; i < added.n; i++)
        locker_say(g, LOCKER_KNOWN, added.names[i]);
    sync_others(g, &added);
    nodelist_free(&added);
}

/* {new_nodes, Node, Ops, Ext, Nodes, ExtraInfo} */
bool on_new_nodes(struct global *g, clu_reader *r, size_t arity)
{
    clu_writer rest[3]; /* ext, nodes, extra */
    struct terms ops;

    if (arity != 6)
        return false;
    clu_skip_term(r);
    terms_init(&ops);
    terms_take(&ops, r);
    clu_error err = ops.w.err;

    for (size_t i = 0; i < COUNT(rest); i++) {
        clu_writer_init(&rest[i]);
        clu_put_term(&rest[i], r);
        if (err == CLU_OK)
            err = rest[i].err;
    }
    if (global_ok(g, err) && r->err == CLU_OK)
        do_new_nodes(g, &ops, written(&rest[0]), written(&rest[1]), written(&rest[2]));
    for (size_t i = 0; i < COUNT(rest); i++)
        clu_writer_free(&rest[i]);
    terms_free(&ops);
    return r->err == CLU_OK;
}

/* ---- words between lockers, which go by way of the servers ---- */

/* {lock_set, Locker, Set, Known, MyTag}, or without the tag. */
bool on_lock_set(struct global *g, clu_reader *r, size_t arity)
{
    clu_pid locker = clu_get_pid(r);
    bool set = slice_is(clu_get_atom(r), "true");
    struct gpeer *p = peer_find(g, locker.node);

    clu_skip_term(r);
    if ((arity != 4 && arity != 5) || r->err != CLU_OK)
        return false;
    if (p == NULL || p->my_tag == 0 || (arity == 5 && clu_get_int(r) != p->my_tag))
        return true;
    struct locker_message *m = locker_say(g, LOCKER_LOCK_SET, p->name);

    if (m == NULL)
        return true;
    m->tag = p->my_tag;
    m->set = set;
    global_ok(g, own_pid_set(&m->pid, &locker));
    return true;
}
