/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/reconcile_impl.h"

struct tracked *tracked_named(const struct reconcile *r, const char *name)
{
    return name[0] == '\0' ? NULL : map_get(&r->names, slice_of(name));
}

static bool give_name(struct reconcile *r, struct tracked *p, const char *name)
{
    if (name[0] == '\0')
        return true;
    if (strlen(name) > NODE_NAME_MAX || map_put(&r->names, slice_of(name), p) != CLU_OK)
        return false;
    return text_set(p->t.name, sizeof p->t.name, slice_of(name));
}

static void take_name(struct reconcile *r, struct tracked *p)
{
    if (p->t.name[0] == '\0')
        return;
    map_remove(&r->names, slice_of(p->t.name));
    p->t.name[0] = '\0';
}

struct tracked *tracked_new(struct reconcile *r, const char *name, uint64_t now_ms)
{
    struct tracked *p = calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    if (r->peers.n_used == TARGETS_MAX)
        unlisted_make_room(r);
    p->t.id = slots_add(&r->peers, p);
    if (p->t.id == 0 || !give_name(r, p, name)) {
        slots_remove(&r->peers, p->t.id);
        free(p);
        return NULL;
    }
    list_init(&p->places);
    list_init(&p->doubt.link);
    list_init(&p->stray.link);
    list_init(&p->idle.link);
    p->t.since_ms = p->t.listed_ms = now_ms;
    r->version++;
    return p;
}

/* What a peer adds to the tally: bits in the order of its fields. */
enum { COUNT_LISTED = 1, COUNT_LINKED = 2, COUNT_MISSING = 4, COUNT_UNLISTED = 8 };

static uint8_t counts_as(const struct tracked *p)
{
    bool listed = p->t.sources != 0;

    if (p->t.self)
        return 0;
    if (p->linked)
        return (uint8_t)(COUNT_LINKED | (listed ? COUNT_LISTED : COUNT_UNLISTED));
    if (!listed)
        return 0;
    return p->reached || p->t.terminating ? COUNT_LISTED : COUNT_LISTED | COUNT_MISSING;
}

static void count(struct reconcile *r, struct tracked *p, uint8_t as)
{
    struct tally *t = &r->tally;
    size_t *const sums[] = {&t->listed, &t->linked, &t->missing, &t->unlisted};

    for (size_t i = 0; i < COUNT(sums); i++) {
        *sums[i] += as >> i & 1;
        *sums[i] -= p->counted >> i & 1;
    }
    p->counted = as;
}

void tracked_forget(struct reconcile *r, struct tracked *p)
{
    while (!list_empty(&p->places))
        place_drop(r, CONTAINER_OF(p->places.next, struct place, of_owner));
    tracked_end_dial(r, p);
    heap_remove(&r->due, &p->t.due);
    list_remove(&p->doubt.link);
    list_remove(&p->stray.link);
    list_remove(&p->idle.link);
    count(r, p, 0);
    take_name(r, p);
    slots_remove(&r->peers, p->t.id);
    free(p);
    r->version++;
}

/* What follows from the facts. */

bool tracked_wanted(const struct tracked *p)
{
    return p->t.sources != 0 || (p->heard && !p->cut);
}

/* A source that lists it as going, and elsewhere as staying, lists two: one takes the other's
 * place.
 */
static bool is_terminating(const struct tracked *p)
{
    uint32_t leaving = 0, staying = 0;

    for (const struct list *l = p->places.next; l != &p->places; l = l->next) {
        const struct place *place = CONTAINER_OF(l, struct place, of_owner);

        leaving |= place->leaving;
        staying |= place->sources & ~place->leaving;
    }
    return (leaving & ~staying) != 0;
}

static uint32_t sources_of(const struct tracked *p)
{
    uint32_t sources = 0;

    for (const struct list *l = p->places.next; l != &p->places; l = l->next)
        sources |= CONTAINER_OF(l, struct place, of_owner)->sources;
    return sources;
}

/* What the sources say of it now. */
static void follow_listing(struct reconcile *r, struct tracked *p, uint64_t now_ms)
{
    uint32_t sources = sources_of(p);
    bool went = p->t.terminating && sources == 0; /* as announced: there is nothing to doubt */

    if ((sources != 0) != (p->t.sources != 0))
        p->t.listed_ms = r->tally.settled_ms = now_ms;
    p->t.sources = sources;
    p->t.terminating = is_terminating(p);
    p->t.hinted = p->heard && sources == 0;
    p->listers |= sources;
    p->cut &= sources == 0;
    if (tracked_wanted(p) && !p->sought)
        p->pause = 0;
    if (tracked_wanted(p))
        p->sought = true;
    else if (went && r->prune != PRUNE_NEVER)
        p->sought = false;
}

static enum peer_state state_of(const struct tracked *p)
{
    if (p->linked)
        return PEER_LINKED;
    if (p->dialling)
        return PEER_DIALLING;
    if (p->reached)
        return PEER_REACHABLE;
    if (p->t.terminating)
        return PEER_LEAVING;
    if (!p->sought && !p->known)
        return PEER_ABSENT;
    if (p->t.attempts > 0)
        return PEER_FAILED;
    return p->t.creation != 0 ? PEER_LOST : PEER_HINTED;
}

bool tracked_wants_dial(const struct tracked *p)
{
    if (p->linked || p->dialling || p->reached || (p->t.self && !p->alone))
        return false;
    return p->wish || (p->sought && !p->t.terminating);
}

/* Our own name, or the very address and port where we listen. The address alone is another node of
 * this pod. */
static bool is_own(const struct reconcile *r, const struct tracked *p)
{
    return (p->t.name[0] != '\0' && strcmp(p->t.name, r->own_name) == 0) ||
           (r->own_addr.port != 0 && addr_equal(&p->t.addr, &r->own_addr));
}

/* Listed and not going, or listed, or at least the first; NULL for none. */
static const struct place *best_place(const struct tracked *p)
{
    const struct place *best = NULL;
    int best_rank = -1;

    for (const struct list *l = p->places.next; l != &p->places; l = l->next) {
        const struct place *place = CONTAINER_OF(l, struct place, of_owner);
        int rank = (place->sources != 0) + ((place->sources & ~place->leaving) != 0);

        if (rank > best_rank) {
            best = place;
            best_rank = rank;
        }
    }
    return best;
}

/* Where the next dial goes; the host part is resolved anew each time. */
struct addr tracked_where(const struct tracked *p)
{
    const struct place *place = best_place(p);

    return place == NULL || (p->wish && p->hinted.family != 0) ? p->hinted : place->addr;
}

void tracked_plan(struct reconcile *r, struct tracked *p, uint64_t at_ms)
{
    if (!tracked_wants_dial(p))
        at_ms = NEVER;
    if (heap_set(&r->due, &p->t.due, at_ms) != CLU_OK)
        return; /* no memory now: the next listing plans it again */
}

void tracked_settle(struct reconcile *r, struct tracked *p, uint64_t now_ms)
{
    follow_listing(r, p, now_ms);
    if (!p->linked && !p->dialling)
        p->t.addr = tracked_where(p);
    p->t.self |= !p->linked && is_own(r, p);
    if (p->t.state != state_of(p))
        r->version++;
    p->t.state = state_of(p);
    count(r, p, counts_as(p));
    unlisted_follow(r, p, now_ms);
    if (!tracked_wants_dial(p) || p->t.due.place == 0)
        tracked_plan(r, p, now_ms);
}

void tracked_end_dial(struct reconcile *r, struct tracked *p)
{
    r->n_dialling -= p->dialling;
    r->n_heard_dialling -= p->heard_dial;
    p->heard_dial = false;
    p->dialling = false;
}

/* Learnt names. */

static void place_move(struct place *place, struct tracked *to)
{
    list_remove(&place->of_owner);
    list_append(&to->places, &place->of_owner);
    place->owner = to;
}

/* What leads to `from` leads to `into` from now on, an attempt under way included. A linked peer
 * may still name `from`: then it stays, to be sought elsewhere. */
static struct tracked *merge(struct reconcile *r, struct tracked *from, struct tracked *into,
                             uint64_t now_ms)
{
    bool dialling = from->dialling && !into->linked && !into->dialling;

    into->t.learnt |= !list_empty(&from->places);
    while (!list_empty(&from->places))
        place_move(CONTAINER_OF(from->places.next, struct place, of_owner), into);
    tracked_end_dial(r, from);
    if (from->heard && tracked_wanted(from))
        tracked_settle(r, from, now_ms);
    else
        tracked_forget(r, from);
    into->dialling |= dialling;
    r->n_dialling += dialling;
    tracked_settle(r, into, now_ms);
    places_tidy(r, into);
    return into;
}

/* Whether its name is only what an entry says: it may turn out to be another. */
static bool may_learn(const struct tracked *p)
{
    return p->t.name[0] == '\0' || (!p->linked && !list_empty(&p->places));
}

struct tracked *tracked_learn(struct reconcile *r, struct tracked *p, const char *name,
                              uint64_t now_ms)
{
    struct tracked *other = tracked_named(r, name);

    if (name[0] == '\0' || other == p || !may_learn(p))
        return p;
    if (other == NULL && p->heard && tracked_wanted(p))
        other = tracked_new(r, name, now_ms);
    if (other != NULL)
        return merge(r, p, other, now_ms);
    take_name(r, p);
    p->heard = false;
    p->t.learnt = give_name(r, p, name);
    p->t.creation = p->t.creation_before = 0;
    p->t.self = p->alone = false;
    r->version++;
    tracked_settle(r, p, now_ms);
    return p;
}

/* To the target of the name that it is listed under; where there is no room, it stays. */
static void rehome(struct reconcile *r, struct place *place, uint64_t now_ms)
{
    struct tracked *to = tracked_named(r, place->name);

    if (to == NULL)
        to = tracked_new(r, place->name, now_ms);
    if (to == NULL)
        return;
    place_move(place, to);
    tracked_settle(r, to, now_ms);
}

/* Its places may lead to different nodes from now on. */
void tracked_unlearn(struct reconcile *r, struct tracked *p, uint64_t now_ms)
{
    bool kept = p->heard; /* a linked peer names it: it is elsewhere */

    if (!p->t.learnt || list_empty(&p->places))
        return;
    if (!kept) {
        take_name(r, p);
        p->t.learnt = false;
        p->t.creation = p->t.creation_before = 0;
    }
    for (struct list *l = p->places.next, *next; l != &p->places; l = next) {
        struct place *place = CONTAINER_OF(l, struct place, of_owner);

        next = l->next;
        if (!kept && tracked_named(r, place->name) == NULL)
            kept = give_name(r, p, place->name);
        else
            rehome(r, place, now_ms);
    }
}

void tracked_claim(struct reconcile *r, struct tracked *p, uint64_t now_ms)
{
    struct place *place = place_named(r, p->t.name);

    if (place == NULL || place->owner == p)
        return;
    struct tracked *before = place->owner;

    place_move(place, p);
    before->sought = false; /* nobody ever listed it but in place of this one */
    tracked_settle(r, before, now_ms);
}
