/* SPDX-License-Identifier: Apache-2.0 */
#include "find/reconcile.h"

#include <stdlib.h>

#include "find/reconcile_impl.h"

/* Pauses between attempts; the last one for ever after. */
static const uint32_t pauses_ms[] = {REDIAL_FIRST_MS, 500,          1000, 2000, 4000, 8000,
                                     16000,           REDIAL_MAX_MS};
/* The peer's own attempt won: by then it has linked, or failed as well. */
#define DEFER_MS 1000
/* What stands in for epmd often gives a creation from 1 to 3, as epmd itself once did: one of these
 * comes back by chance. */
#define CREATION_FEW 3

struct reconcile *reconcile_new(const char *own_name, uint32_t own_creation, struct rng *rng)
{
    struct reconcile *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->rng = rng;
    r->peers.max = TARGETS_MAX;
    r->own_creation = own_creation;
    r->next_cut_ms = NEVER;
    text_set(r->own_name, sizeof r->own_name, slice_of(own_name));
    list_init(&r->changes);
    list_init(&r->doubted);
    list_init(&r->strays);
    list_init(&r->idle);
    return r;
}

void reconcile_free(struct reconcile *r)
{
    uint32_t at = 0;

    if (r == NULL)
        return;
    for (struct tracked *p; (p = slots_next(&r->peers, &at)) != NULL;)
        tracked_forget(r, p);
    slots_free(&r->peers);
    map_free(&r->names);
    map_free(&r->places);
    heap_free(&r->due);
    free(r);
}

static struct tracked *find(const struct reconcile *r, slot_id id)
{
    return slots_get(&r->peers, id);
}

static struct target *target_of(struct tracked *p)
{
    return p == NULL ? NULL : &p->t;
}

uint64_t reconcile_deadline(const struct reconcile *r)
{
    uint64_t dial = r->n_dialling < DIALS_MAX ? heap_next(&r->due) : NEVER;

    return min_u64(dial, unlisted_deadline(r));
}

struct target *reconcile_get(struct reconcile *r, slot_id id)
{
    return target_of(find(r, id));
}

/* +-20 %, as everything that many nodes do. */
static uint64_t about(struct reconcile *r, uint64_t ms)
{
    return rng_range(r->rng, ms * 80 / 100, ms * 120 / 100);
}

static bool is_heard_only(const struct tracked *p)
{
    return p->t.sources == 0 && !p->wish;
}

/* Who is due now; those that have no place yet are put off. */
static struct tracked *pop_due(struct reconcile *r, uint64_t now_ms)
{
    struct heap_item *due;

    while (r->n_dialling < DIALS_MAX && (due = heap_pop(&r->due, now_ms)) != NULL) {
        struct tracked *p = CONTAINER_OF(due, struct tracked, t.due);

        if (!is_heard_only(p) || r->n_heard_dialling < DIALS_HEARD_MAX)
            return p;
        tracked_plan(r, p, now_ms + about(r, HEARD_WAIT_MS));
    }
    return NULL;
}

struct target *reconcile_next(struct reconcile *r, uint64_t now_ms)
{
    unlisted_pass(r, now_ms);
    struct tracked *p = pop_due(r, now_ms);

    if (p == NULL)
        return NULL;
    p->t.addr = tracked_where(p);
    p->dialling = true;
    p->heard_dial = is_heard_only(p);
    r->n_dialling++;
    r->n_heard_dialling += p->heard_dial;
    tracked_settle(r, p, now_ms);
    return &p->t;
}

/* The next pause of its back-off. */
static uint64_t next_pause(struct reconcile *r, struct tracked *p)
{
    uint64_t pause = pauses_ms[p->pause];

    if (p->pause + 1 < COUNT(pauses_ms))
        p->pause++;
    return about(r, pause);
}

/* The next attempt goes to the next of the places that lead to it. */
static void turn_places(struct tracked *p)
{
    struct list *first = p->places.next;

    list_remove(first);
    list_append(&p->places, first);
}

/* Takes in stage and reason; true when they are news. */
static bool note_failure(struct target *t, enum stage stage, const char *reason)
{
    char cut[REASON_SIZE];

    text_set(cut, sizeof cut, slice_of(reason));
    if (t->stage == stage && strcmp(t->reason, cut) == 0)
        return false;
    t->stage = stage;
    memcpy(t->reason, cut, sizeof cut);
    return true;
}

bool reconcile_failed(struct reconcile *r, slot_id id, enum stage stage, const char *reason,
                      uint64_t now_ms)
{
    struct tracked *p = find(r, id);

    if (p == NULL || !p->dialling)
        return false; /* it was linked meanwhile: the peer's own attempt won */
    bool news = note_failure(&p->t, stage, reason);

    tracked_end_dial(r, p);
    p->wish = false;
    p->t.attempts++;
    p->t.waits = 0;
    r->version++;
    if (!list_empty(&p->places))
        turn_places(p);
    else if (!p->heard)
        p->hinted.port = 0; /* of an incarnation that is gone, it may be: epmd is asked */
    if (stage == STAGE_EPMD_UNKNOWN || stage == STAGE_NO_EPMD || stage == STAGE_NAME_MISMATCH)
        tracked_unlearn(r, p, now_ms);
    tracked_settle(r, p, now_ms);
    tracked_plan(r, p, now_ms + next_pause(r, p));
    return news;
}

static void note_answer(struct target *t)
{
    t->attempts = t->waits = 0;
    t->stage = STAGE_NONE;
    t->reason[0] = '\0';
}

void reconcile_reached(struct reconcile *r, slot_id id, const char *name, uint64_t now_ms)
{
    struct tracked *p = find(r, id);

    if (p == NULL || !p->dialling)
        return;
    p = tracked_learn(r, p, name, now_ms);
    tracked_end_dial(r, p);
    note_answer(&p->t);
    p->reached = true;
    p->wish = false;
    p->t.since_ms = now_ms;
    tracked_settle(r, p, now_ms);
}

void reconcile_alone(struct reconcile *r, slot_id id, uint64_t now_ms)
{
    struct tracked *p = find(r, id);

    if (p == NULL || !p->dialling)
        return;
    tracked_end_dial(r, p);
    p->t.self = p->alone = true;
    note_answer(&p->t);
    tracked_settle(r, p, now_ms);
    tracked_plan(r, p, now_ms + about(r, ALONE_MS));
}

void reconcile_deferred(struct reconcile *r, slot_id id, uint64_t now_ms)
{
    struct tracked *p = find(r, id);

    if (p == NULL || !p->dialling)
        return;
    tracked_end_dial(r, p);
    tracked_settle(r, p, now_ms);
    tracked_plan(r, p, now_ms + about(r, DEFER_MS));
}

bool reconcile_gave_way(struct reconcile *r, slot_id id, enum stage stage, const char *reason,
                        uint64_t now_ms)
{
    struct tracked *p = find(r, id);

    if (p == NULL || !p->dialling)
        return false;
    bool news = ++p->t.waits >= WAITS_ODD && note_failure(&p->t, stage, reason);

    r->version += news;
    reconcile_deferred(r, id, now_ms);
    return news;
}

void reconcile_is_self(struct reconcile *r, slot_id id, uint64_t now_ms)
{
    struct tracked *p = find(r, id);

    if (p == NULL || p->linked)
        return; /* another node of this pod has dialled us as what is listed there */
    p = tracked_learn(r, p, r->own_name, now_ms);
    tracked_end_dial(r, p);
    p->t.self = true;
    p->alone = false;
    r->version++;
    tracked_settle(r, p, now_ms);
}

struct target *reconcile_hint(struct reconcile *r, const char *name, const struct addr *addr,
                              uint64_t now_ms)
{
    struct tracked *p = tracked_named(r, name);

    if (p == NULL && (name[0] == '\0' || (p = tracked_new(r, name, now_ms)) == NULL)) {
        r->n_refused++;
        return NULL;
    }
    if (addr != NULL)
        p->hinted = *addr;
    p->wish = p->known = !p->linked;
    tracked_settle(r, p, now_ms);
    tracked_plan(r, p, now_ms);
    return &p->t;
}

void reconcile_heard(struct reconcile *r, const char *name, const struct addr *addr, bool told,
                     uint64_t now_ms)
{
    struct tracked *p = tracked_named(r, name);

    if (p == NULL && (!told || name[0] == '\0' || strcmp(name, r->own_name) == 0))
        return;
    if (p == NULL && r->peers.n_used >= TARGETS_HEARD_MAX && !unlisted_make_room(r))
        return;
    if (p == NULL && (p = tracked_new(r, name, now_ms)) == NULL)
        return;
    /* Nobody else is where we listen: whoever says so is told of by the wrong address. */
    if (addr != NULL && !p->linked && !addr_equal(addr, &r->own_addr))
        p->hinted = *addr;
    bool planned = p->t.due.place != 0;

    r->version += p->heard != told;
    p->heard = told;
    tracked_settle(r, p, now_ms);
    if (!planned)
        tracked_plan(r, p, now_ms + about(r, HEARD_MS));
}

void reconcile_poke(struct reconcile *r, uint64_t now_ms)
{
    uint32_t at = 0;

    for (struct tracked *p; (p = slots_next(&r->peers, &at)) != NULL;) {
        p->pause = 0;
        tracked_plan(r, p, now_ms);
    }
}

/* Links. */

struct target *reconcile_learn(struct reconcile *r, slot_id id, const char *name, uint64_t now_ms)
{
    struct tracked *p = find(r, id);

    return p == NULL ? NULL : &tracked_learn(r, p, name, now_ms)->t;
}

/* The peer listed without a name at the address that this name's host part spells. */
static struct tracked *at_host_of(const struct reconcile *r, const char *name)
{
    const char *at = strchr(name, '@');
    struct addr host;

    return at != NULL && addr_parse_ip(&host, slice_of(at + 1)) ? tracked_at(r, &host) : NULL;
}

/* The target that a link of this name belongs to, NULL when there is no room. */
static struct tracked *find_linked(struct reconcile *r, slot_id id, const char *name,
                                   uint64_t now_ms)
{
    struct tracked *p = find(r, id);

    if (p == NULL && tracked_named(r, name) == NULL)
        p = at_host_of(r, name);
    if (p != NULL)
        p = tracked_learn(r, p, name, now_ms);
    if (p == NULL || strcmp(p->t.name, name) != 0)
        p = tracked_named(r, name);
    return p != NULL ? p : tracked_new(r, name, now_ms);
}

/* A port that epmd was asked for is that of this incarnation: it is asked again for the next. */
static void note_link(struct tracked *p, const struct addr *addr, bool inbound, uint64_t now_ms)
{
    bool by_epmd = p->t.addr.port == 0;

    note_answer(&p->t);
    p->t.since_ms = now_ms;
    p->t.addr = *addr;
    if (inbound)
        p->t.addr.port = 0; /* that of its socket, where nobody listens */
    if (!list_empty(&p->places))
        return;
    p->hinted = p->t.addr;
    if (by_epmd)
        p->hinted.port = 0;
}

/* Another creation is another incarnation: what became of the one before says nothing about it. */
static bool note_creation(struct reconcile *r, struct tracked *p, uint32_t creation)
{
    bool known = p->t.creation != 0, same = p->t.creation == creation;

    if (!same) { /* a node that has ended does not come back */
        p->t.twins = creation > CREATION_FEW && p->t.creation_before == creation;
        p->t.creation_before = p->t.creation;
    }
    p->t.creation = creation;
    if (known && same) {
        p->t.flaps++;
        r->tally.flaps++;
    } else if (known) {
        p->pause = 0;
    }
    return known && !same;
}

struct target *reconcile_up(struct reconcile *r, slot_id id, const char *name,
                            const struct addr *addr, uint32_t creation, uint64_t now_ms,
                            bool *new_incarnation)
{
    struct tracked *p = find_linked(r, id, name, now_ms);

    *new_incarnation = false;
    if (p == NULL) {
        r->n_refused++;
        return NULL;
    }
    if (p->t.id != id)
        reconcile_deferred(r, id, now_ms); /* what was dialled turned out to be somebody else */
    tracked_end_dial(r, p);
    tracked_claim(r, p, now_ms);
    if (creation == r->own_creation && strcmp(name, r->own_name) == 0) {
        reconcile_is_self(r, p->t.id, now_ms);
        return &p->t;
    }
    *new_incarnation = note_creation(r, p, creation);
    p->linked = true;
    p->wish = p->known = false;
    p->t.self = p->alone = false; /* whatever its entry says */
    note_link(p, addr, id == 0, now_ms);
    r->tally.settled_ms = now_ms;
    r->version++;
    tracked_settle(r, p, now_ms);
    return &p->t;
}

void reconcile_down(struct reconcile *r, const char *name, uint64_t now_ms, const char *reason)
{
    struct tracked *p = tracked_named(r, name);

    if (p == NULL || !p->linked)
        return;
    bool stable = now_ms - p->t.since_ms >= LINK_STABLE_MS;

    p->linked = false;
    p->t.since_ms = r->tally.settled_ms = now_ms;
    text_set(p->t.reason, sizeof p->t.reason, slice_of(reason));
    if (stable)
        p->pause = 0;
    tracked_settle(r, p, now_ms);
    if (!stable)
        tracked_plan(r, p, now_ms + next_pause(r, p));
}

void reconcile_own(struct reconcile *r, const char *own_name, uint32_t creation,
                   const struct addr *own_addr)
{
    uint32_t at = 0;

    text_set(r->own_name, sizeof r->own_name, slice_of(own_name));
    r->own_creation = creation;
    r->own_addr = *own_addr;
    for (struct tracked *p; (p = slots_next(&r->peers, &at)) != NULL;) {
        p->t.self = p->alone = false;
        tracked_settle(r, p, r->calm_at_ms);
    }
}

struct target *reconcile_walk(struct reconcile *r, uint32_t *at)
{
    return target_of(slots_next(&r->peers, at));
}

const struct tally *reconcile_tally(const struct reconcile *r)
{
    return &r->tally;
}

uint64_t reconcile_version(const struct reconcile *r)
{
    return r->version;
}

uint64_t reconcile_refused(const struct reconcile *r)
{
    return r->n_refused;
}
