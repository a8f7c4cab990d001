/* SPDX-License-Identifier: Apache-2.0
 *
 * citizens [names] [SEEDS [FIRST]]: so many stories of a town (3), each of 10,000 random steps,
 * with global names or without. Prints `N passed, N failed`; of a story that fails its seed, its
 * step and what was wrong.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "town.h"

#define STEPS       10000
#define QUIET_EVERY 250
#define SEEDS       3
/* What happens to the nodes in one step. */
#define EVENTS 3

/* ---- the book ---- */

void town_violation(struct town *t, const char *format, ...)
{
    va_list args;

    if (t->violation[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(t->violation, sizeof t->violation, format, args);
    va_end(args);
}

size_t town_random(struct town *t, size_t n)
{
    return (size_t)(rng_next(&t->rng) % n);
}

bool citizen_alive(const struct citizen *c)
{
    return c->p != NULL && !c->p->ended;
}

struct citizen *citizen_by_pid(struct town *t, const clu_pid *pid)
{
    for (size_t i = 0; i < TOWN_CITIZENS; i++) {
        const clu_pid *own = &t->citizens[i].pid;

        if (t->citizens[i].used && own->id == pid->id && own->serial == pid->serial &&
            own->creation == pid->creation && slice_equal(own->node, pid->node))
            return &t->citizens[i];
    }
    return NULL;
}

struct pair *town_pair(const struct citizen *a, const struct citizen *b)
{
    return &a->town->pairs[a->slot][b->slot];
}

struct bond *town_bond(const struct citizen *a, const struct citizen *b)
{
    return a->p == NULL ? NULL : bond_find(a->p, &b->pid);
}

uint32_t *town_epoch(const struct citizen *a, const struct citizen *b)
{
    return &a->town->epochs[a->node][b->node];
}

struct watch *watch_by_ref(struct watch *all, size_t n, const clu_ref *ref)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].active && ref->n == all[i].ref.n &&
            memcmp(all[i].ref.words, ref->words, ref->n * sizeof *ref->words) == 0)
            return &all[i];
    return NULL;
}

/* ---- what the world tells ---- */

static void on_lost(struct world *w, size_t a, size_t b)
{
    struct town *t = CONTAINER_OF(w, struct town, w);

    t->epochs[a][b]++;
    if (t->global)
        names_lost(t);
    for (size_t i = 0; i < TOWN_CITIZENS; i++)
        for (size_t k = 0; k < TOWN_CITIZENS; k++)
            if (t->citizens[i].node == a && t->citizens[k].node == b)
                t->pairs[i][k].lossy = t->pairs[i][k].sent;
}

static enum world_dial on_asked(struct world *w, size_t a, size_t b)
{
    struct town *t = CONTAINER_OF(w, struct town, w);

    if (!t->resting && town_random(t, 3) == 0) {
        t->waiting[a][b] = true;
        return WORLD_WAITS;
    }
    return t->closed[a][b] ? WORLD_REFUSES : WORLD_JOINS;
}

/* ---- a story ---- */

static bool begin(struct town *t, uint64_t seed, bool global)
{
    *t = (struct town){.seed = seed, .global = global};
    rng_init(&t->rng, seed);
    if (!world_init(&t->w, TOWN_NODES))
        return false;
    t->w.dial = WORLD_ASKS;
    t->w.room = TOWN_LARGE / 2;
    t->w.asked = on_asked;
    t->w.lost = on_lost;
    if (global && !names_begin(t))
        return false;
    t->n_services = t->w.nodes[0].procs.n_used;
    for (size_t a = 0; a < TOWN_NODES; a++) {
        clu_spawn_options o = {.receive = observer_hears, .arg = t, .trap_exit = true};

        t->observers[a] = clu_spawn(&t->w.nodes[a], &o);
        if (t->observers[a] == NULL)
            return false;
        clu_monitor_nodes(t->observers[a], true);
    }
    while (citizen_born(t))
        continue;
    return true;
}

static void step(struct town *t)
{
    t->step++;
    citizen_deed(t, &t->citizens[town_random(t, TOWN_CITIZENS)]);
    for (int i = 0; i < EVENTS; i++)
        town_event(t);
    if (t->global)
        names_step(t);
    if (t->step % QUIET_EVERY != 0)
        return;
    town_quiet(t);
    while (citizen_born(t))
        continue;
}

/* All end, all links are cut: nothing is left but what a node has of itself. */
static void end(struct town *t)
{
    for (size_t i = 0; i < TOWN_CITIZENS; i++) {
        t->citizens[i].may_end = true;
        if (citizen_alive(&t->citizens[i]))
            clu_exit(t->citizens[i].p, "normal");
    }
    town_quiet(t);
    for (size_t a = 0; a < TOWN_NODES; a++)
        for (size_t b = 0; b < a; b++)
            world_cut(&t->w, a, b);
    town_quiet(t);
    for (size_t a = 0; a < TOWN_NODES; a++)
        if (t->w.nodes[a].bonds.n > 0)
            town_violation(t, "%s has links of nobody", world_name(a));
}

static bool story(struct town *t, uint64_t seed, bool global)
{
    if (!begin(t, seed, global))
        town_violation(t, "it does not begin");
    while (t->violation[0] == '\0' && t->step < STEPS)
        step(t);
    if (t->violation[0] == '\0')
        end(t);
    world_fini(&t->w);
    if (t->violation[0] == '\0' && t->heard < STEPS / 5)
        town_violation(t, "only %lu signals were heard", t->heard);
    if (t->violation[0] == '\0' && global && (t->given < STEPS / 100 || t->owned < STEPS / 100))
        town_violation(t, "only %lu names were given, %lu kept", t->given, t->owned);
    if (t->violation[0] == '\0' && global && t->sure < STEPS / 50)
        town_violation(t, "only %lu names were sure", t->sure);
    if (t->violation[0] == '\0' && global && t->partitions < STEPS / 10)
        town_violation(t, "only %lu partitions were compared", t->partitions);
    if (t->violation[0] != '\0')
        printf("seed %llu, step %lu: %s\n", (unsigned long long)seed, t->step, t->violation);
    return t->violation[0] == '\0';
}

int main(int argc, char **argv)
{
    static struct town town;
    bool global = argc > 1 && strcmp(argv[1], "names") == 0;

    argc -= global;
    argv += global;
    unsigned long seeds = argc > 1 ? strtoul(argv[1], NULL, 10) : SEEDS, passed = 0;
    unsigned long first = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;

    for (unsigned long seed = first; seed < first + seeds; seed++)
        passed += story(&town, seed, global);
    printf("%lu passed, %lu failed\n", passed, seeds - passed);
    return passed == seeds ? 0 : 1;
}
