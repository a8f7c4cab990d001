/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "town.h"

/* ---- births ---- */

bool citizen_born(struct town *t)
{
    struct citizen *c = t->citizens;
    size_t alive = 0;

    for (size_t i = 0; i < TOWN_CITIZENS; i++)
        alive += citizen_alive(&t->citizens[i]);
    while (c < t->citizens + TOWN_CITIZENS && c->used)
        c++;
    if (alive >= TOWN_ALIVE || c == t->citizens + TOWN_CITIZENS)
        return false;
    *c = (struct citizen){.town = t, .slot = (size_t)(c - t->citizens), .used = true};
    c->node = town_random(t, TOWN_NODES);
    c->trap = town_random(t, 4) != 0;
    snprintf(c->name, sizeof c->name, "c%zu", c->slot);
    clu_spawn_options o = {.receive = citizen_hears,
                           .stopped = citizen_stopped,
                           .arg = c,
                           .name = town_random(t, 2) == 0 ? c->name : NULL,
                           .trap_exit = c->trap};

    c->p = clu_spawn(&t->w.nodes[c->node], &o);
    if (c->p == NULL)
        town_violation(t, "%s is not born: %s", c->name, t->w.nodes[c->node].why);
    else
        c->pid = clu_self(c->p);
    snprintf(c->exit_reason, sizeof c->exit_reason, "sent_%zu_%u_%u", c->node, c->pid.id,
             c->pid.serial);
    return c->p != NULL;
}

/* ---- links ---- */

static bool is_linked(const struct citizen *a, const struct citizen *b)
{
    const struct bond *bond = town_bond(a, b);

    return bond != NULL && bond_stands(bond);
}

static bool is_unlinking(const struct citizen *a, const struct citizen *b)
{
    const struct bond *bond = town_bond(a, b);

    return bond != NULL && bond->unlinking != 0;
}

static void link_with(struct town *t, struct citizen *a, struct citizen *b)
{
    struct pair *p = town_pair(a, b);
    bool linked = is_linked(a, b), near = a->node == b->node;

    if (clu_link(a->p, &b->pid) != CLU_OK) {
        town_violation(t, "%s cannot link %s", a->name, b->name);
        return;
    }
    if (linked)
        return;
    p->due++;
    if (near && !citizen_alive(b))
        return; /* the exit signal is there already */
    p->mine = true;
    p->taken_back = is_unlinking(b, a); /* what crosses that may be taken for the old link */
    p->epoch = *town_epoch(a, b);
    town_pair(b, a)->due++;
}

static void unlink_from(struct town *t, struct citizen *a, struct citizen *b)
{
    struct pair *p = town_pair(a, b), *back = town_pair(b, a);
    bool linked = is_linked(a, b);

    if (clu_unlink(a->p, &b->pid) != CLU_OK)
        town_violation(t, "%s cannot unlink %s", a->name, b->name);
    p->mine = false;
    back->taken_back = true;
    p->due -= linked && p->due > 0;
    back->due -= linked && a->node == b->node && back->due > 0;
}

/* ---- monitors ---- */

static void watch(struct town *t, struct citizen *a, struct citizen *b)
{
    struct watch *w = a->watches;
    bool by_name = town_random(t, 3) == 0;
    clu_to to = by_name ? clu_to_name(b->name, world_name(b->node)) : clu_to_pid(b->pid);

    while (w < a->watches + TOWN_WATCHES && w->active)
        w++;
    if (w == a->watches + TOWN_WATCHES)
        return;
    *w = (struct watch){
        .active = true, .by_name = by_name, .target = b->slot, .epoch = *town_epoch(a, b)};
    w->ref = clu_monitor(a->p, &to);
    if (w->ref.n == 0)
        town_violation(t, "%s cannot watch %s", a->name, b->name);
}

static void give_up_watch(struct town *t, struct citizen *a, struct citizen *b)
{
    struct watch *w = &a->watches[town_random(t, TOWN_WATCHES)];

    (void)b;
    if (w->active)
        clu_demonitor(a->p, &w->ref);
    w->active = false;
}

/* ---- messages and calls ---- */

static void find_no_room(struct citizen *a, const struct citizen *b)
{
    a->waits[b->node] = true;
    a->busy[b->node]++;
}

static void put_number(struct citizen *a, const clu_to *to, size_t receiver, size_t size)
{
    static const uint8_t bytes[TOWN_LARGE];
    clu_writer *w = clu_send_begin(a->p, to);

    clu_put_tuple(w, 4);
    clu_put_uint(w, a->town->pairs[a->slot][receiver].sent + 1);
    clu_put_uint(w, a->slot);
    clu_put_uint(w, receiver);
    clu_put_binary(w, bytes, size);
}

static void tell_one(struct town *t, struct citizen *a, struct citizen *b, size_t size)
{
    bool named = town_random(t, 4) == 0 && citizen_alive(b) && b->p->name != NULL;
    clu_to to = named ? clu_to_name(b->name, world_name(b->node)) : clu_to_pid(b->pid);

    put_number(a, &to, b->slot, size);
    if (town_random(t, 10) == 0) {
        clu_send_cancel(a->p);
        a->busy[b->node]++; /* it may have asked for room already */
        return;
    }
    clu_error err = clu_send_end(a->p);

    town_pair(a, b)->sent += err == CLU_OK;
    if (err == CLU_EBUSY)
        find_no_room(a, b);
    else if (err != CLU_OK)
        town_violation(t, "%s cannot tell %s something", a->name, b->name);
}

/* Some have so much to say that it travels in parts, between which others' go, and that the last of
 * it finds no room. */
static void tell(struct town *t, struct citizen *a, struct citizen *b)
{
    bool much = town_random(t, 60) == 0;

    for (int i = 0; i < (much ? 9 : 1); i++)
        tell_one(t, a, b, much ? TOWN_LARGE : 10);
}

static void call(struct town *t, struct citizen *a, struct citizen *b)
{
    struct watch *w = a->calls;
    clu_to to = clu_to_pid(b->pid);

    while (w < a->calls + TOWN_CALLS && w->active)
        w++;
    if (w == a->calls + TOWN_CALLS)
        return;
    clu_put_nil(clu_call_begin(a->p, &to, 1 + town_random(t, 1000)));
    clu_error err = clu_call_end(a->p, citizen_answered, a, &w->ref);

    w->active = err == CLU_OK;
    if (err == CLU_EBUSY)
        find_no_room(a, b);
    else if (err != CLU_OK)
        town_violation(t, "%s cannot call %s", a->name, b->name);
}

static void forget_call(struct town *t, struct citizen *a, struct citizen *b)
{
    struct watch *w = &a->calls[town_random(t, TOWN_CALLS)];

    (void)b;
    if (w->active)
        clu_call_forget(a->p, &w->ref);
    w->active = false;
}

/* ---- ends ---- */

static void end(struct town *t, struct citizen *a, struct citizen *b)
{
    (void)b;
    a->may_end = true;
    clu_exit(a->p, town_random(t, 2) == 0 ? "normal" : "oops");
}

static void send_exit(struct town *t, struct citizen *a, struct citizen *b)
{
    struct atom_term term;
    const char *reason = town_random(t, 3) == 0 ? "kill" : a->exit_reason;

    b->may_end = true;
    if (clu_exit_signal(a->p, &b->pid, atom_term(&term, reason)) != CLU_OK)
        town_violation(t, "%s cannot send %s an exit signal", a->name, b->name);
}

static void give_birth(struct town *t, struct citizen *a, struct citizen *b)
{
    (void)a;
    (void)b;
    citizen_born(t);
}

/* ---- at random ---- */

/* One row a deed, as often as its weight says. Whoever teaches the nodes something new adds rows
 * here, and what must hold in rest to quiet.c. */
static const struct {
    unsigned weight;
    void (*deed)(struct town *t, struct citizen *a, struct citizen *b);
} deeds[] = {
    {14, link_with}, {8, unlink_from}, {14, watch}, {7, give_up_watch}, {30, tell},
    {6, call},       {1, forget_call}, {2, end},    {1, send_exit},     {3, give_birth},
};

static struct citizen *anybody(struct town *t)
{
    for (;;) {
        struct citizen *c = &t->citizens[town_random(t, TOWN_CITIZENS)];

        if (c->used)
            return c;
    }
}

void citizen_deed(struct town *t, struct citizen *a)
{
    struct citizen *b = anybody(t);
    size_t all = 0, i = 0;

    if (!citizen_alive(a) || a == b)
        return;
    if (t->global && town_random(t, 12) == 0) {
        names_deed(t, a, b);
        return;
    }
    for (size_t k = 0; k < COUNT(deeds); k++)
        all += deeds[k].weight;
    for (size_t at = town_random(t, all); at >= deeds[i].weight; i++)
        at -= deeds[i].weight;
    deeds[i].deed(t, a, b);
}

/* ---- nodes ---- */

/* Within this time a locker of global tries to meet others. */
#define LOCK_MS 3000

static void cut(struct town *t, size_t a, size_t b)
{
    t->closed[a][b] = t->closed[b][a] = town_random(t, 2) == 0;
    world_cut(&t->w, a, b);
}

static void heal(struct town *t, size_t a, size_t b)
{
    t->closed[a][b] = t->closed[b][a] = false;
    if (a != b && town_random(t, 2) == 0 && !world_join(&t->w, a, b))
        town_violation(t, "no link between %s and %s", world_name(a), world_name(b));
}

static void answer_dial(struct town *t, size_t a, size_t b)
{
    if (!t->waiting[a][b])
        return;
    t->waiting[a][b] = false;
    if (t->w.ends[a][b].up)
        return;
    if (t->closed[a][b] || !world_join(&t->w, a, b))
        world_unreachable(&t->w, a, b);
}

static void turn(struct town *t, size_t a, size_t b)
{
    (void)b;
    node_tick(&t->w.nodes[a], t->w.now);
    world_turn(&t->w, a);
}

static void carry(struct town *t, size_t a, size_t b)
{
    for (size_t n = 1 + town_random(t, 4); n > 0 && world_carry(&t->w, a, b); n--)
        continue;
}

static void pass(struct town *t, size_t a, size_t b)
{
    (void)a;
    (void)b;
    t->w.now += town_random(t, t->global && town_random(t, 8) == 0 ? LOCK_MS : 100);
}

static const struct {
    unsigned weight;
    void (*event)(struct town *t, size_t a, size_t b);
} events[] = {{2, cut}, {6, heal}, {6, answer_dial}, {60, turn}, {200, carry}, {10, pass}};

void town_event(struct town *t)
{
    size_t all = 0, i = 0;

    for (size_t k = 0; k < COUNT(events); k++)
        all += events[k].weight;
    for (size_t at = town_random(t, all); at >= events[i].weight; i++)
        at -= events[i].weight;
    size_t a = town_random(t, TOWN_NODES);

    events[i].event(t, a, town_random(t, TOWN_NODES));
}
