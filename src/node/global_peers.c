/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* What is known of other nodes. */

struct gpeer *peer_find(const struct global *g, clu_slice name)
{
    return map_get(&g->peers, name);
}

static struct gpeer *peer_new(clu_slice name)
{
    struct gpeer *p = calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    text_set(p->name, sizeof p->name, name);
    clu_writer_init(&p->his_tag);
    clu_writer_init(&p->lock_id);
    clu_writer_init(&p->his_known);
    clu_writer_init(&p->his_ext);
    clu_writer_init(&p->early_tag);
    terms_init(&p->his_names);
    terms_init(&p->my_ops);
    terms_init(&p->his_ops);
    terms_init(&p->farewells);
    return p;
}

static void peer_free(struct global *g, struct gpeer *p)
{
    doubt_end(g, p);
    session_reset(p);
    terms_free(&p->farewells);
    free(p);
}

struct gpeer *peer_get(struct global *g, clu_slice name)
{
    struct gpeer *p = peer_find(g, name);

    if (p != NULL || name.len == 0 || name.len >= NODE_NAME_SIZE)
        return p;
    p = peer_new(name);
    if (p != NULL && map_put(&g->peers, name, p) == CLU_OK)
        return p;
    free(p);
    global_broken(g);
    return NULL;
}

void peer_release(struct global *g, struct gpeer *p)
{
    if (p->linked || p->known || p->pending || p->removing || p->wanted || p->retry != NULL ||
        p->telling != NULL)
        return;
    map_remove(&g->peers, slice_of(p->name));
    peer_free(g, p);
}

void peers_free(struct global *g)
{
    const struct map_entry *at = NULL;
    struct gpeer *p;

    while ((p = map_next(&g->peers, &at, NULL)) != NULL)
        peer_free(g, p);
    map_free(&g->peers);
}

bool peer_maybe_known(const struct gpeer *p)
{
    return p != NULL && (p->known || p->pending);
}

void peers_known(struct global *g, struct nodelist *out)
{
    const struct map_entry *at = NULL;
    const struct gpeer *p;

    while ((p = map_next(&g->peers, &at, NULL)) != NULL)
        if (p->known)
            global_ok(g, nodelist_add(out, slice_of(p->name)));
}

static size_t count_known(const struct global *g)
{
    const struct map_entry *at = NULL;
    const struct gpeer *p;
    size_t n = 0;

    while ((p = map_next(&g->peers, &at, NULL)) != NULL)
        n += p->known;
    return n;
}

void peers_put_known(const struct global *g, clu_writer *w)
{
    const struct map_entry *at = NULL;
    const struct gpeer *p;

    clu_put_list(w, count_known(g));
    while ((p = map_next(&g->peers, &at, NULL)) != NULL) {
        if (!p->known)
            continue;
        clu_put_tuple(w, 2);
        clu_put_atom_text(w, p->name);
        clu_put_int(w, p->known_version);
    }
    clu_put_nil(w);
}

static void add_one(struct global *g, clu_slice node, int64_t version, struct nodelist *added)
{
    struct gpeer *p = is_own_name(g->node, node) ? NULL : peer_get(g, node);

    if (p == NULL || p->known)
        return;
    p->known = true;
    p->removing = false; /* it was asked to cut the link, and did not */
    p->known_version = version;
    doubt_begin(g, p);
    global_ok(g, nodelist_add(added, node));
}

void peers_add(struct global *g, clu_reader r, struct nodelist *added)
{
    for (size_t n = clu_get_list(&r); n > 0 && r.err == CLU_OK; n--) {
        bool pair = clu_peek_type(&r) == CLU_TYPE_TUPLE;

        if (pair && clu_get_tuple(&r) != 2)
            return;
        clu_slice node = clu_get_atom(&r);
        int64_t version = pair ? clu_get_int(&r) : 0;

        if (r.err == CLU_OK)
            add_one(g, node, version, added);
    }
}
