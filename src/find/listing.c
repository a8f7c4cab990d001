/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/reconcile_impl.h"

#define ADDR_KEY_LEN 19

/* The key of a place, in `room` or borrowed: names hold an '@' and no byte below ' ', so the two
 * kinds never meet. */
static clu_slice addr_key(const struct addr *a, uint8_t room[ADDR_KEY_LEN])
{
    room[0] = a->family;
    memcpy(room + 1, a->ip, sizeof a->ip);
    put_be16(room + 17, a->port);
    return (clu_slice){room, ADDR_KEY_LEN};
}

static clu_slice key_of(const char *name, const struct addr *addr, uint8_t room[ADDR_KEY_LEN])
{
    return name[0] != '\0' ? slice_of(name) : addr_key(addr, room);
}

struct place *place_named(const struct reconcile *r, const char *name)
{
    return map_get(&r->places, slice_of(name));
}

struct tracked *tracked_at(const struct reconcile *r, const struct addr *addr)
{
    uint8_t room[ADDR_KEY_LEN];
    const struct place *place = map_get(&r->places, addr_key(addr, room));

    return place != NULL && place->owner->t.name[0] == '\0' ? place->owner : NULL;
}

static struct place *place_new(struct reconcile *r, const struct entry *e, uint64_t now_ms)
{
    uint8_t room[ADDR_KEY_LEN];
    struct place *place = calloc(1, sizeof *place);
    struct tracked *owner = tracked_named(r, e->name);

    if (owner == NULL)
        owner = tracked_new(r, e->name, now_ms);
    if (place == NULL || owner == NULL ||
        map_put(&r->places, key_of(e->name, &e->addr, room), place) != CLU_OK) {
        r->n_refused++;
        free(place);
        if (owner != NULL)
            tracked_settle(r, owner, now_ms); /* unlisted: it is forgotten in its time */
        return NULL;
    }
    memcpy(place->name, e->name, sizeof place->name);
    place->owner = owner;
    list_init(&place->of_changes);
    list_append(&owner->places, &place->of_owner);
    return place;
}

void place_drop(struct reconcile *r, struct place *place)
{
    uint8_t room[ADDR_KEY_LEN];

    map_remove(&r->places, key_of(place->name, &place->addr, room));
    list_remove(&place->of_owner);
    list_remove(&place->of_changes);
    free(place);
}

void places_tidy(struct reconcile *r, struct tracked *p)
{
    if (p->t.sources == 0)
        return;
    for (struct list *l = p->places.next, *next; l != &p->places; l = next) {
        struct place *place = CONTAINER_OF(l, struct place, of_owner);

        next = l->next;
        if (place->sources == 0 && place->told == 0)
            place_drop(r, place);
    }
}

/* Sources began or ceased to list the place, or say something else of it. */
static void place_mark(struct reconcile *r, struct place *place, uint32_t sources, uint32_t leaving,
                       uint64_t now_ms)
{
    place->sources = sources;
    place->leaving = leaving & sources;
    list_remove(&place->of_changes);
    if (place->sources != place->told)
        list_append(&r->changes, &place->of_changes);
    r->version++;
    tracked_settle(r, place->owner, now_ms);
}

/* Two entries of one answer under one name: the pod that goes, and the one that takes its place. */
static bool is_predecessor(const struct reconcile *r, const struct place *place, uint32_t bit,
                           const struct entry *e)
{
    return place->round == r->round && e->terminating && (place->leaving & bit) == 0;
}

static void list_entry(struct reconcile *r, uint32_t bit, const struct entry *e, uint64_t now_ms)
{
    uint8_t room[ADDR_KEY_LEN];
    struct place *place = map_get(&r->places, key_of(e->name, &e->addr, room));

    if (place == NULL && (place = place_new(r, e, now_ms)) == NULL)
        return;
    if (is_predecessor(r, place, bit, e))
        return;
    uint32_t sources = place->sources | bit;
    uint32_t leaving = e->terminating ? place->leaving | bit : place->leaving & ~bit;

    bool moved = !addr_equal(&place->addr, &e->addr);

    place->round = r->round;
    place->addr = e->addr;
    r->version += moved;
    if (place->sources != sources || place->leaving != leaving)
        place_mark(r, place, sources, leaving, now_ms);
    else if (moved || place->owner->t.due.place == 0)
        tracked_settle(r, place->owner, now_ms); /* level-triggered: nothing stays undialled */
}

/* What this round did not have is not listed by the source any more. */
static void unlist_rest(struct reconcile *r, uint32_t bit, uint64_t now_ms)
{
    const struct map_entry *at = NULL;

    for (struct place *p; (p = map_next(&r->places, &at, NULL)) != NULL;)
        if ((p->sources & bit) != 0 && p->round != r->round)
            place_mark(r, p, p->sources & ~bit, p->leaving, now_ms);
}

void reconcile_list(struct reconcile *r, unsigned source, const struct round *round,
                    uint64_t now_ms)
{
    if (source >= SOURCES_MAX)
        return;
    uint32_t bit = UINT32_C(1) << source;

    unlisted_answer(r, source, round, now_ms);
    if (round->kind != RESULT_COMPLETE && round->kind != RESULT_PARTIAL)
        return;
    r->round++;
    for (size_t i = 0; i < round->n; i++)
        list_entry(r, bit, &round->entries[i], now_ms);
    if (round->kind == RESULT_COMPLETE)
        unlist_rest(r, bit, now_ms);
    unlisted_answered(r, source, round, now_ms);
}

/* The lowest source of which place->told is not true yet. */
static unsigned first_change(const struct place *place)
{
    uint32_t differ = place->sources ^ place->told;
    unsigned source = 0;

    while ((differ >> source & 1) == 0)
        source++;
    return source;
}

bool reconcile_change(struct reconcile *r, struct addr *addr, char name[NODE_NAME_SIZE],
                      unsigned *source, bool *listed)
{
    if (list_empty(&r->changes))
        return false;
    struct place *place = CONTAINER_OF(r->changes.next, struct place, of_changes);

    *source = first_change(place);
    *listed = (place->sources >> *source & 1) != 0;
    *addr = place->addr;
    memcpy(name, place->owner->t.name, NODE_NAME_SIZE);
    place->told ^= UINT32_C(1) << *source;
    if (place->told == place->sources)
        list_remove(&place->of_changes);
    places_tidy(r, place->owner);
    return true;
}
