/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* prevent_overlapping_partitions: who loses a link says so to all that it knows; who hears it cuts
 * its own link to the one that was lost, and passes it on. What was heard before is known by a
 * number that grows, for an hour. */

/* A BEAM tells at once of every link that ends. So each of the two ends of one link has its links
 * to all others cut, and both are alone for what happened between them. We wait for so long before
 * we tell. If the other end is a BEAM it has told by then that it has lost us, and we say nothing
 * against it; if it has ended, nobody knows it any more. Two of ours both tell at once: what nobody
 * hears of leaves names behind that not all know. */
#define LOST_WAIT_MIN_MS 2000
#define LOST_WAIT_MAX_MS 4000

/* OTP keeps each pair of nodes for an hour; whatever is told, no more than so many of them. */
#define LOST_KEEP_MS UINT64_C(3600000)
#define LOST_MAX     10000

struct lost {
    struct list list; /* oldest first */
    char key[2 * NODE_NAME_SIZE];
    size_t key_len;
    clu_slice creation; /* encoded; owned */
    int64_t number;
    uint64_t until_ms;
};

static void lost_end(struct global *g, struct lost *l)
{
    map_remove(&g->lost, (clu_slice){(uint8_t *)l->key, l->key_len});
    list_remove(&l->list);
    g->n_lost--;
    free((void *)(uintptr_t)l->creation.data);
    free(l);
}

static struct lost *oldest(const struct global *g)
{
    return CONTAINER_OF(g->lost_order.next, struct lost, list);
}

void lost_free(struct global *g)
{
    while (!list_empty(&g->lost_order))
        lost_end(g, oldest(g));
    map_free(&g->lost);
}

static void forget_old(struct global *g)
{
    while (!list_empty(&g->lost_order) &&
           (oldest(g)->until_ms <= g->node->now_ms || g->n_lost >= LOST_MAX))
        lost_end(g, oldest(g));
}

/* {lost_connection, Who, Creation, Number, Whom}: the key is both names. */
struct words {
    clu_slice who, creation, whom;
    int64_t number;
};

static bool key_of(const struct words *w, char key[2 * NODE_NAME_SIZE], size_t *len)
{
    if (w->who.len == 0 || w->who.len >= NODE_NAME_SIZE || w->whom.len == 0 ||
        w->whom.len >= NODE_NAME_SIZE)
        return false;
    memcpy(key, w->who.data, w->who.len);
    key[w->who.len] = '\0';
    memcpy(key + w->who.len + 1, w->whom.data, w->whom.len);
    *len = w->who.len + 1 + w->whom.len;
    return true;
}

static struct lost *lost_new(struct global *g, const char *key, size_t len)
{
    struct lost *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    memcpy(l->key, key, len);
    l->key_len = len;
    if (map_put(&g->lost, (clu_slice){(const uint8_t *)key, len}, l) != CLU_OK) {
        free(l);
        return NULL;
    }
    list_append(&g->lost_order, &l->list);
    g->n_lost++;
    return l;
}

/* Whether it was heard before; notes it if not. */
static bool is_old(struct global *g, const struct words *w)
{
    char key[2 * NODE_NAME_SIZE];
    size_t len;

    if (!key_of(w, key, &len))
        return true;
    struct lost *l = map_get(&g->lost, (clu_slice){(uint8_t *)key, len});

    if (l != NULL && slice_equal(l->creation, w->creation) && w->number <= l->number)
        return true;
    if (l == NULL) {
        forget_old(g);
        l = lost_new(g, key, len);
    }
    uint8_t *creation = malloc(w->creation.len);

    if (l == NULL || creation == NULL) {
        free(creation);
        global_broken(g);
        return true;
    }
    free((void *)(uintptr_t)l->creation.data);
    memcpy(creation, w->creation.data, w->creation.len);
    l->creation = (clu_slice){creation, w->creation.len};
    l->number = w->number;
    l->until_ms = g->node->now_ms + LOST_KEEP_MS;
    list_remove(&l->list);
    list_append(&g->lost_order, &l->list);
    return false;
}

/* ---- telling ---- */

static void put_lost(clu_writer *w, const struct words *words)
{
    clu_put_tuple(w, 5);
    clu_put_atom_text(w, "lost_connection");
    clu_put_atom(w, words->who);
    clu_put_raw(w, words->creation);
    clu_put_int(w, words->number);
    clu_put_atom(w, words->whom);
}

/* To all that are known, or about to be, but one. */
static size_t pass_on(struct global *g, const struct words *words, clu_slice but)
{
    const struct map_entry *at = NULL;
    const struct gpeer *p;
    size_t n = 0;

    while ((p = map_next(&g->peers, &at, NULL)) != NULL) {
        if (!p->linked || !peer_maybe_known(p) || slice_is(but, p->name))
            continue;
        put_lost(tell_begin(g, g->server, slice_of(p->name)), words);
        tell_end(g, g->server);
        n++;
    }
    return n;
}

static void tell_now(struct global *g, const struct gpeer *p)
{
    uint8_t creation[16];
    clu_writer w;

    clu_writer_fixed(&w, creation, sizeof creation);
    clu_put_int(&w, g->extension + g->node->creation);
    const struct words words = {.who = own_name(g),
                                .creation = {creation, w.len},
                                .whom = slice_of(p->name),
                                .number = ++g->last_op};

    if (!g->leaving && pass_on(g, &words, words.whom) > 0)
        global_tell(g, GLOBAL_LOST, p->name, "", "");
}

static void time_to_tell(struct global *g, void *arg)
{
    struct gpeer *p = arg;

    p->telling = NULL;
    tell_now(g, p);
    peer_release(g, p);
}

void lost_forget(struct global *g, struct gpeer *p)
{
    timer_stop(g, p->telling);
    p->telling = NULL;
}

/* Names of the other end are gone here, and the others have them still: if they did not hear of it,
 * they would vouch for what we do not have. */
void lost_is_back(struct global *g, struct gpeer *p, bool same)
{
    bool told = p->telling == NULL;

    lost_forget(g, p);
    if (!told && same)
        tell_now(g, p);
}

void lost_tell(struct global *g, struct gpeer *p)
{
    if (p->ours)
        tell_now(g, p);
    else if (!g->leaving && p->telling == NULL)
        p->telling =
            timer_start(g, rng_range(&g->rng, LOST_WAIT_MIN_MS, LOST_WAIT_MAX_MS), time_to_tell, p);
}

/* ---- being told ---- */

static void ask_to_cut(struct global *g, struct gpeer *p, clu_slice who)
{
    clu_writer *w = tell_begin(g, g->server, slice_of(p->name));
    char other[NODE_NAME_SIZE];

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "remove_connection");
    clu_put_atom(w, own_name(g));
    tell_end(g, g->server);
    text_set(other, sizeof other, who);
    global_tell(g, GLOBAL_ASKS_TO_CUT, p->name, other, "");
    session_down(g, p, LOST_REMOVED);
    peer_release(g, p);
}

bool on_lost_connection(struct global *g, clu_reader *r, size_t arity)
{
    struct words w;

    w.who = clu_get_atom(r);
    w.creation = clu_get_raw(r);
    w.number = clu_get_int(r);
    w.whom = clu_get_atom(r);
    if (arity != 5 || r->err != CLU_OK)
        return false;
    if (is_old(g, &w))
        return true;
    (void)pass_on(g, &w, w.who);
    clu_slice gone = is_own_name(g->node, w.whom) ? w.who : w.whom;
    struct gpeer *p = peer_find(g, gone);

    if (is_own_name(g->node, w.whom) && p != NULL)
        lost_forget(g, p);
    if (peer_maybe_known(p))
        ask_to_cut(g, p, is_own_name(g->node, w.whom) ? w.whom : w.who);
    return true;
}

/* {remove_connection, Node} */
bool on_remove_connection(struct global *g, clu_reader *r, size_t arity)
{
    struct gpeer *p = peer_find(g, clu_get_atom(r));

    if (arity != 2 || r->err != CLU_OK)
        return false;
    if (!peer_maybe_known(p))
        return true;
    global_cut(g, p->name);
    global_tell(g, GLOBAL_TOLD_TO_CUT, p->name, "", "");
    session_down(g, p, LOST_REMOVED);
    peer_release(g, p);
    return true;
}
