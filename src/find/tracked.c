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
    p->t.id = slots_add(&r->peers, p);
    if (p->t.id == 0 || !give_name(r, p, name)) {
        slots_remove(&r->peers, p->t.id);
        free(p);
        return NULL;
    }
    list_init(&p->places);
    p->t.since_ms = now_ms;
    p->idle_ms = NEVER;
    r->version++;
    return p;
}

void tracked_forget(struct reconcile *r, struct tracked *p)
{
    while (!list_empty(&p->places))
        place_drop(r, CONTAINER_OF(p->places.next, struct place, of_owner));
    tracked_end_dial(r, p);
    heap_remove(&r->due, &p->t.due);
    take_name(r, p);
    slots_remove(&r->peers, p->t.id);
    free(p);
    r->version++;
}

/* What follows from the facts. */

static uint32_t sources_of(const struct tracked *p)
{
    uint32_t sources = 0;

    for (const struct list *l = p->places.next; l != &p->places; l = l->next)
        sources |= CONTAINER_OF(l, struct place, of_owner)->sources;
    return sources;
}

static enum peer_state state_of(const struct tracked *p)
{
    if (p->linked)
        return PEER_LINKED;
    if (p->dialling)
        return PEER_DIALLING;
    if (p->t.sources == 0 && !p->known)
        return PEER_ABSENT;
    if (p->t.attempts > 0)
        return PEER_FAILED;
    return p->t.creation != 0 ? PEER_LOST : PEER_HINTED;
}

bool tracked_wants_dial(const struct tracked *p)
{
    return !p->linked && !p->dialling && (!p->t.self || p->alone) && (p->t.sources != 0 || p->wish);
}

/* Our own name, or the very address and port where we listen. The address alone is another node of
 * this pod. */
static bool is_own(const struct reconcile *r, const struct tracked *p)
{
    return (p->t.name[0] != '\0' && strcmp(p->t.name, r->own_name) == 0) ||
           (r->own_addr.port != 0 && addr_equal(&p->t.addr, &r->own_addr));
}

/* Where the next dial goes: the first place, whose host part is resolved anew each time. */
struct addr tracked_where(const struct tracked *p)
{
    if (list_empty(&p->places) || (p->wish && p->hinted.family != 0))
        return p->hinted;
    return CONTAINER_OF(p->places.next, struct place, of_owner)->addr;
}

uint64_t calm_at(const struct reconcile *r, uint64_t now_ms)
{
    return r->calm_ms + (r->unsure == 0 ? now_ms - r->calm_at_ms : 0);
}

static void note_idle(struct reconcile *r, struct tracked *p, uint64_t now_ms)
{
    bool idle = !p->linked && !p->dialling && !tracked_wants_dial(p) && p->t.sources == 0;

    if (idle && p->idle_ms == NEVER) {
        p->idle_ms = calm_at(r, now_ms);
        r->sweep_ms = min_u64(r->sweep_ms, now_ms + FORGET_MS);
    }
    if (!idle)
        p->idle_ms = NEVER;
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
    p->t.sources = sources_of(p);
    if (!p->linked && !p->dialling)
        p->t.addr = tracked_where(p);
    p->t.self |= is_own(r, p);
    if (p->t.state != state_of(p))
        r->version++;
    p->t.state = state_of(p);
    note_idle(r, p, now_ms);
    if (!tracked_wants_dial(p) || p->t.due.place == 0)
        tracked_plan(r, p, now_ms);
}

void tracked_end_dial(struct reconcile *r, struct tracked *p)
{
    r->n_dialling -= p->dialling;
    p->dialling = false;
}

/* Learnt names. */

static void place_move(struct place *place, struct tracked *to)
{
    list_remove(&place->of_owner);
    list_append(&to->places, &place->of_owner);
    place->owner = to;
}

/* What leads to `from` leads to `into` from now on, an attempt under way included. */
static struct tracked *merge(struct reconcile *r, struct tracked *from, struct tracked *into,
                             uint64_t now_ms)
{
    bool dialling = from->dialling && !into->linked && !into->dialling;

    while (!list_empty(&from->places))
        place_move(CONTAINER_OF(from->places.next, struct place, of_owner), into);
    tracked_forget(r, from);
    into->dialling |= dialling;
    r->n_dialling += dialling;
    tracked_settle(r, into, now_ms);
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
    if (other != NULL)
        return merge(r, p, other, now_ms);
    take_name(r, p);
    p->t.learnt = give_name(r, p, name);
    p->t.creation = 0;
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
    bool kept = false;

    if (!p->t.learnt || list_empty(&p->places))
        return;
    take_name(r, p);
    p->t.learnt = false;
    p->t.creation = 0;
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
    tracked_settle(r, before, now_ms);
}
