/* SPDX-License-Identifier: Apache-2.0 */
#include "node/global_impl.h"
#include "town.h"

/* Global names in a town. Links go in the midst of everything, single ones and all of those between
 * two sides at once, and come again.
 *
 * What global promises, and what is checked at each step: no name has two owners in one partition.
 * A partition is nodes that know each other, and nobody else, and are all linked; a link that goes
 * between two of them has the others cut theirs, until what is left is partitions again, and what
 * is on the way to that, or to be joined with others, is none. In a partition nobody holds the lock
 * `global` of which no name is changing hands: whoever changes one has told all before it gives the
 * lock back, or its end frees it. So there, and at each step, those that have an owner for a name
 * have the same one. Some may still have none: each hears of a process's end for itself.
 *
 * In rest, when those that reach each other have met, they agree on all names, and each owner is
 * one of theirs, and lives. */

/* Seconds until those that reach each other must have met: global waits up to 8 s between two
 * attempts to take its lock. */
#define SETTLE_MAX_S 180

static clu_slice name_term(size_t i)
{
    static uint8_t bytes[TOWN_NAMES][2];

    bytes[i][0] = ETF_SMALL_INTEGER;
    bytes[i][1] = (uint8_t)i;
    return (clu_slice){bytes[i], 2};
}

bool names_begin(struct town *t)
{
    for (size_t a = 0; a < TOWN_NODES; a++)
        if (clu_global_start(&t->w.nodes[a], rng_next(&t->rng)) != CLU_OK)
            return false;
    return true;
}

/* ---- deeds ---- */

static void answered(clu_process *self, const clu_answer *answer, void *arg)
{
    struct citizen *a = arg;
    struct watch *ask = watch_by_ref(a->asks, TOWN_ASKS, &answer->ref);
    clu_reader r = answer->term;
    clu_slice word = clu_get_atom(&r);

    if (a->p != self || ask == NULL)
        town_violation(a->town, "%s is told twice what became of a name", a->name);
    else
        ask->active = false;
    if (answer->outcome != CLU_ANSWERED ||
        (!slice_is(word, "yes") && !slice_is(word, "no") && !slice_is(word, "ok")))
        town_violation(a->town, "%s is told nonsense of a name", a->name);
    a->town->given += slice_is(word, "yes");
}

/* Either's function may be asked. */
bool names_conflict(const struct citizen *a, bool killed)
{
    const struct town *t = a->town;
    const unsigned kills = 1u << CLU_RESOLVE_EXIT;
    unsigned bits = 0;

    for (size_t name = 0; name < TOWN_NAMES; name++)
        for (size_t i = 0; i < TOWN_CITIZENS && t->candidate[name][a->slot] != 0; i++)
            bits |= t->candidate[name][i];
    return (killed ? bits & kills : bits & ~kills) != 0;
}

void names_deed(struct town *t, struct citizen *a, struct citizen *b)
{
    size_t name = town_random(t, TOWN_NAMES), kind = town_random(t, 8);
    clu_resolve resolve = (clu_resolve)town_random(t, 3);
    struct watch *ask = a->asks;

    while (ask < a->asks + TOWN_ASKS && ask->active)
        ask++;
    if (ask == a->asks + TOWN_ASKS)
        return;
    if (a->node != b->node)
        b = a;
    if (kind == 0) {
        ask->ref = clu_global_unregister(a->p, name_term(name), answered, a);
    } else {
        t->candidate[name][b->slot] |= (uint8_t)(1u << resolve);
        ask->ref = (kind == 1 ? clu_global_re_register : clu_global_register)(
            a->p, name_term(name), &b->pid, resolve, answered, a);
    }
    ask->active = true;
    if (ask->ref.n == 0)
        town_violation(t, "%s cannot ask for a name", a->name);
}

/* ---- what a node believes ---- */

/* Whose the name is at that node; NULL: nobody's. */
static struct citizen *owner(struct town *t, size_t node, size_t name)
{
    clu_pid pid;

    if (!clu_global_whereis(&t->w.nodes[node], name_term(name), &pid))
        return NULL;
    struct citizen *c = citizen_by_pid(t, &pid);

    if (c == NULL || t->candidate[name][c->slot] == 0)
        town_violation(t, "%s believes that the name %zu is that of %s, for which nobody asked",
                       world_name(node), name, c == NULL ? "nobody" : c->name);
    return c;
}

/* Whom a node knows, and itself: a bit each. */
static unsigned known_to(const struct town *t, size_t a)
{
    const struct global *g = t->w.nodes[a].global;
    unsigned bits = 1u << a;

    for (size_t b = 0; b < TOWN_NODES; b++) {
        const struct gpeer *p = b == a ? NULL : peer_find(g, slice_of(world_name(b)));

        bits |= (unsigned)(p != NULL && p->known) << b;
    }
    return bits;
}

static void find_partitions(struct town *t, unsigned known[TOWN_NODES])
{
    for (size_t a = 0; a < TOWN_NODES; a++)
        known[a] = known_to(t, a);
}

/* It was asked to cut its link to a, and has not yet: what a has of it goes with the link. */
static bool is_going(const struct town *t, size_t a, size_t b)
{
    const struct gpeer *p = peer_find(t->w.nodes[a].global, slice_of(world_name(b)));

    return p != NULL && p->removing;
}

/* ---- doubtful names ---- */

/* Of these names nodes may differ in rest, as in OTP, but by nobody against one owner, never by
 * two.
 */

/* A link is lost while a name is taken from its owner: some have heard it, others never will. */
void names_lost(struct town *t)
{
    for (size_t a = 0; a < TOWN_NODES; a++) {
        const struct registrar *r = &t->w.nodes[a].global->registrar;

        if (list_empty(&r->jobs))
            continue;
        const struct job *job = CONTAINER_OF(r->jobs.next, struct job, list);

        for (size_t name = 0; name < TOWN_NAMES && job->kind != JOB_REGISTER; name++)
            t->doubtful[name] |= slice_equal(written(&job->name), name_term(name));
    }
}

/* While not all have heard that a link is lost, partitions overlap: who gives a name to all whom it
 * knows may take it from an owner whom it does not know, and whose own node never hears. */
static void doubt_job(struct town *t, unsigned known_to_a, const struct job *job)
{
    size_t name = 0;

    while (!slice_equal(written(&job->name), name_term(name)))
        name++;
    for (size_t b = 0; b < TOWN_NODES; b++) {
        const struct citizen *c = (known_to_a >> b & 1) != 0 ? owner(t, b, name) : NULL;

        t->doubtful[name] |= c != NULL && (known_to_a >> c->node & 1) == 0;
    }
}

static void doubt_jobs(struct town *t)
{
    for (size_t a = 0; a < TOWN_NODES; a++) {
        const struct list *jobs = &t->w.nodes[a].global->registrar.jobs;
        unsigned known = known_to(t, a);

        for (const struct list *at = jobs->next; at != jobs; at = at->next)
            doubt_job(t, known, CONTAINER_OF(at, struct job, list));
    }
}

/* A node that is asked to cut a link has the other's names until it does, and gives them to whom it
 * meets meanwhile; but the other may be back by way of others before it is met itself. */
static void doubt_going(struct town *t)
{
    for (size_t a = 0; a < TOWN_NODES; a++)
        for (size_t name = 0; name < TOWN_NAMES; name++) {
            const struct citizen *c = owner(t, a, name);

            t->doubtful[name] |= c != NULL && is_going(t, a, c->node);
        }
}

/* ---- at each step ---- */

/* All of these know each other and nobody else, are linked, and nobody holds the lock. */
static bool is_whole(const struct town *t, const unsigned known[TOWN_NODES], unsigned nodes)
{
    for (size_t a = 0; a < TOWN_NODES; a++) {
        if ((nodes >> a & 1) == 0)
            continue;
        if (known[a] != nodes || global_lock(t->w.nodes[a].global) != NULL)
            return false;
        for (size_t b = 0; b < a; b++)
            if ((nodes >> b & 1) != 0 && !t->w.ends[a][b].up)
                return false;
    }
    return true;
}

static void check_partition(struct town *t, unsigned nodes, size_t name)
{
    const struct citizen *first = NULL;
    size_t where = 0;

    for (size_t a = 0; a < TOWN_NODES; a++) {
        const struct citizen *c = (nodes >> a & 1) != 0 ? owner(t, a, name) : NULL;

        if (c != NULL && is_going(t, a, c->node))
            c = NULL;
        if (c != NULL && first != NULL && c != first)
            town_violation(t, "%s and %s, of one partition, have given the name %zu to %s and %s",
                           world_name(where), world_name(a), name, first->name, c->name);
        if (c != NULL)
            first = c;
        where = c == NULL ? where : a;
    }
}

static void check_partitions(struct town *t)
{
    unsigned known[TOWN_NODES];

    find_partitions(t, known);
    for (size_t a = 0; a < TOWN_NODES; a++) {
        bool first = (known[a] & ((1u << a) - 1)) == 0;

        if (!first || known[a] == 1u << a || !is_whole(t, known, known[a]))
            continue;
        t->partitions++;
        for (size_t name = 0; name < TOWN_NAMES; name++)
            check_partition(t, known[a], name);
    }
}

/* No node invents an owner, and none keeps one of its own that is dead. */
void names_step(struct town *t)
{
    check_partitions(t);
    doubt_jobs(t);
    for (size_t node = 0; node < TOWN_NODES; node++)
        for (size_t name = 0; name < TOWN_NAMES; name++) {
            const struct citizen *c = owner(t, node, name);

            if (c != NULL && c->node == node && !citizen_alive(c))
                town_violation(t, "%s has a name of %s, which is dead", world_name(node), c->name);
        }
}

/* ---- in rest ---- */

/* Those of one side reach each other, and nobody else. */
static bool one_side(const struct town *t, size_t a, size_t b)
{
    return (t->sides >> a & 1) == (t->sides >> b & 1);
}

void names_part(struct town *t)
{
    doubt_going(t);
    t->sides = town_random(t, 3) == 0 ? 0 : (unsigned)town_random(t, 1u << TOWN_NODES);
    for (size_t a = 0; a < TOWN_NODES; a++)
        for (size_t b = 0; b < TOWN_NODES; b++) {
            t->closed[a][b] = !one_side(t, a, b);
            if (t->closed[a][b])
                world_cut(&t->w, a, b);
        }
}

/* As discovery does: who was told to cut a link makes it again. */
static void join_sides(struct town *t)
{
    for (size_t a = 0; a < TOWN_NODES; a++)
        for (size_t b = 0; b < a; b++)
            if (one_side(t, a, b) && !world_join(&t->w, a, b))
                town_violation(t, "no link between %s and %s", world_name(a), world_name(b));
}

static bool has_met(struct town *t, size_t a)
{
    struct global *g = t->w.nodes[a].global;
    struct nodelist known = {0};
    size_t expected = 0;
    bool met = true;

    peers_known(g, &known);
    for (size_t b = 0; b < TOWN_NODES; b++) {
        if (b == a || !one_side(t, a, b))
            continue;
        expected++;
        met &= t->w.ends[a][b].up && nodelist_has(&known, slice_of(world_name(b)));
    }
    met &= known.n == expected && global_lock(g) == NULL && list_empty(&g->registrar.jobs);
    nodelist_free(&known);
    return met;
}

static bool have_met(struct town *t)
{
    bool met = true;

    for (size_t a = 0; a < TOWN_NODES; a++)
        met &= has_met(t, a);
    return met;
}

static void check_owner(struct town *t, size_t a, size_t name)
{
    const struct citizen *c = owner(t, a, name);

    t->owned += c != NULL;
    if (c != NULL && (!citizen_alive(c) || !one_side(t, a, c->node)))
        town_violation(t, "the name %zu is that of %s at %s, which %s", name, c->name,
                       world_name(a), citizen_alive(c) ? "it does not reach" : "is dead");
}

/* false: they differ. */
static bool check_two(struct town *t, size_t a, size_t b, size_t name)
{
    const struct citizen *mine = owner(t, a, name), *his = owner(t, b, name);
    bool half = t->doubtful[name] && (mine == NULL || his == NULL);

    if (mine != his && !half)
        town_violation(t, "the name %zu is that of %s at %s, and of %s at %s", name,
                       mine == NULL ? "nobody" : mine->name, world_name(a),
                       his == NULL ? "nobody" : his->name, world_name(b));
    return mine == his;
}

static void check_name(struct town *t, size_t name)
{
    bool agree = true;

    t->sure += !t->doubtful[name];
    for (size_t a = 0; a < TOWN_NODES; a++) {
        check_owner(t, a, name);
        for (size_t b = 0; b < a; b++)
            agree &= !one_side(t, a, b) || check_two(t, a, b, name);
    }
    t->doubtful[name] &= !agree;
}

void names_quiet(struct town *t)
{
    for (unsigned s = 0; s < SETTLE_MAX_S; s++) {
        join_sides(t);
        doubt_jobs(t);
        world_pass(&t->w, 1000);
        if (have_met(t))
            break;
    }
    if (!have_met(t))
        town_violation(t, "sides %x have not met", t->sides);
    for (size_t name = 0; name < TOWN_NAMES && t->violation[0] == '\0'; name++)
        check_name(t, name);
    for (size_t i = 0; i < TOWN_CITIZENS; i++)
        for (size_t k = 0; k < TOWN_ASKS; k++)
            if (citizen_alive(&t->citizens[i]) && t->citizens[i].asks[k].active)
                town_violation(t, "%s was never told what became of a name", t->citizens[i].name);
}
