/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/views_impl.h"

/* Who is linked to us, and whom those tell, is on our island. Everybody else who is known to live
 * is cut off; among them, the last words of lost peers tell who is linked to whom. */

#define OURS   0
#define NOBODY UINT32_MAX

/* By slot_index of a vertex: a forest of groups, whose roots are numbered as they are met. */
struct chart {
    uint32_t *parent; /* NOBODY: not known to live, or ourselves */
    uint32_t *number; /* of a root; 0: none yet */
    size_t n;
};

/* A failed dial of somebody listed that proves that a node lives there: what closes without a word
 * may be a proxy, and who is no longer listed, or about to go, or does not let us in, may refuse
 * because it ends. Where another name answers, a node lives, but not the one that is listed: under
 * its own name it may be linked with us. */
static bool answers(const struct target *t)
{
    static const bool rows[] = {
        [STAGE_FLAGS] = true,
        [STAGE_COOKIE] = true,
        [STAGE_TLS] = true,
    };

    return !t->self && t->sources != 0 && !t->terminating && t->attempts > 0 &&
           (t->state == PEER_FAILED || t->state == PEER_DIALLING) && t->stage < COUNT(rows) &&
           rows[t->stage];
}

static const struct vertex *vertex_of(const struct views *v, const struct target *t)
{
    return t->name[0] == '\0' ? NULL : views_find(v, t->name);
}

static bool is_ours(const struct vertex *n)
{
    return n->telling || n->n_tellers > 0;
}

/* The root of its group; halves the path that it walks. */
static uint32_t root_of(const struct chart *c, uint32_t i)
{
    while (c->parent[i] != i) {
        c->parent[i] = c->parent[c->parent[i]];
        i = c->parent[i];
    }
    return i;
}

static void place_vertices(struct chart *c, const struct views *v, struct reconcile *r)
{
    uint32_t at = 0;

    for (size_t i = 0; i < c->n; i++)
        c->parent[i] = NOBODY;
    for (const struct target *t; (t = reconcile_walk(r, &at)) != NULL;) {
        const struct vertex *n = vertex_of(v, t);

        if (n != NULL && answers(t) && !is_ours(n))
            c->parent[slot_index(n->id)] = slot_index(n->id);
    }
}

/* Only among those who are cut off: that a lost peer once was linked to our side joins nobody. */
static void join_by_last_words(struct chart *c, const struct views *v)
{
    for (const struct list *l = v->lost.next; l != &v->lost; l = l->next) {
        const struct vertex *n = CONTAINER_OF(l, struct vertex, of_lost);
        uint32_t from = slot_index(n->id);

        for (size_t i = 0; c->parent[from] != NOBODY && i < n->n_told; i++) {
            uint32_t to = slot_index(n->told[i]);

            if (c->parent[to] != NOBODY)
                c->parent[root_of(c, to)] = root_of(c, from);
        }
    }
}

static uint32_t number_of(struct chart *c, const struct vertex *n, uint32_t *n_islands)
{
    if (n == NULL)
        return (*n_islands)++; /* nobody ever told of it */
    uint32_t *number = &c->number[root_of(c, slot_index(n->id))];

    if (*number == 0)
        *number = (*n_islands)++;
    return *number;
}

static void number_targets(struct chart *c, struct views *v, struct reconcile *r)
{
    uint32_t at = 0;

    v->n_islands = 1;
    for (const struct target *t; (t = reconcile_walk(r, &at)) != NULL;) {
        const struct vertex *n = vertex_of(v, t);
        bool apart = answers(t) && (n == NULL || !is_ours(n));

        v->island_of[slot_index(t->id)] = apart ? number_of(c, n, &v->n_islands) : OURS;
    }
}

static bool grow_islands(struct views *v, struct reconcile *r)
{
    uint32_t at = 0, last = 0;

    for (const struct target *t; (t = reconcile_walk(r, &at)) != NULL;)
        last = slot_index(t->id); /* in order of slot */
    if (last < v->n_island_of)
        return true;
    uint32_t *island_of = realloc(v->island_of, (last + 1) * sizeof *island_of);

    if (island_of == NULL)
        return false;
    memset(island_of + v->n_island_of, 0, (last + 1 - v->n_island_of) * sizeof *island_of);
    v->island_of = island_of;
    v->n_island_of = last + 1;
    return true;
}

static bool draw(struct views *v, struct reconcile *r)
{
    size_t n = v->vertices.n_slots + 1;
    struct chart c = {.n = n};

    c.parent = calloc(2 * n, sizeof *c.parent);
    if (c.parent == NULL || !grow_islands(v, r)) {
        free(c.parent);
        return false;
    }
    c.number = c.parent + n;
    place_vertices(&c, v, r);
    join_by_last_words(&c, v);
    number_targets(&c, v, r);
    free(c.parent);
    return true;
}

uint32_t views_islands(struct views *v, struct reconcile *r)
{
    uint64_t version = v->version + reconcile_version(r);

    if (!v->charted || v->charted_version != version) {
        v->charted =
            draw(v, r); /* out of memory: the chart before stands, and the next call tries */
        v->charted_version = version;
    }
    return v->n_islands;
}

uint32_t views_island(const struct views *v, slot_id target)
{
    uint32_t i = slot_index(target);

    return i < v->n_island_of ? v->island_of[i] : OURS;
}
