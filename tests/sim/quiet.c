/* SPDX-License-Identifier: Apache-2.0 */
#include "town.h"

/* When all has come to rest, the tables of the nodes hold what the book says, and nothing else. */

/* ---- rest ---- */

static void let_rest(struct town *t)
{
    if (t->global)
        names_part(t);
    t->resting = true;
    for (size_t a = 0; a < TOWN_NODES; a++)
        for (size_t b = 0; b < TOWN_NODES; b++) {
            if (t->waiting[a][b] && !t->w.ends[a][b].up)
                world_unreachable(&t->w, a, b);
            t->waiting[a][b] = false;
        }
    world_run(&t->w);
    world_pass(&t->w, 2000); /* calls that nobody answers */
    if (t->global)
        names_quiet(t);
    t->resting = false;
}

/* ---- one citizen ---- */

static bool joined(const struct citizen *a, const struct citizen *b)
{
    return a->node == b->node || a->town->w.ends[a->node][b->node].up;
}

static void check_watches(struct citizen *a)
{
    for (size_t i = 0; i < TOWN_WATCHES; i++) {
        const struct watch *w = &a->watches[i];
        const struct citizen *b = &a->town->citizens[w->target];

        if (w->active && (!citizen_alive(b) || !joined(a, b) || w->epoch != *town_epoch(a, b)))
            town_violation(a->town, "%s never heard of the end of %s, which it watched", a->name,
                           b->name);
    }
    memset(a->busy, 0, sizeof a->busy);
    for (size_t i = 0; i < TOWN_NODES; i++)
        if (a->waits[i] || !list_empty(&a->p->waits))
            town_violation(a->town, "%s was never told that %s has room", a->name, world_name(i));
    for (size_t i = 0; i < TOWN_CALLS; i++)
        if (a->calls[i].active)
            town_violation(a->town, "a call of %s was never answered", a->name);
}

static void check_bonds(struct citizen *a)
{
    for (struct list *at = a->p->bonds.next; at != &a->p->bonds; at = at->next) {
        const struct bond *b = CONTAINER_OF(at, struct bond, of_proc);
        clu_pid pid = b->other;

        if (pid.node.len == 0) { /* its own node */
            pid.node = a->pid.node;
            pid.creation = a->pid.creation;
        }
        struct citizen *other = citizen_by_pid(a->town, &pid);

        if (b->unlinking != 0)
            town_violation(a->town, "an unlink of %s was never acknowledged", a->name);
        else if (other == NULL || !citizen_alive(other) || town_bond(other, a) == NULL)
            town_violation(a->town, "%s believes to be linked with %s", a->name,
                           other == NULL ? "nobody" : other->name);
    }
}

static void check_pair(struct citizen *a, struct citizen *b)
{
    struct pair *p = town_pair(a, b);

    if (p->mine && town_bond(a, b) == NULL && !p->taken_back)
        town_violation(a->town, "%s never heard of the end of %s, with which it had linked",
                       a->name, b->name);
    else if (p->mine && town_bond(a, b) == NULL)
        p->mine = false;
    struct pair *heard = town_pair(b, a);

    if (heard->received < heard->sent && heard->sent > heard->lossy)
        town_violation(a->town, "%s has heard %u of %u messages of %s", a->name, heard->received,
                       heard->sent, b->name);
}

static void check_citizen(struct citizen *a)
{
    check_watches(a);
    check_bonds(a);
    for (size_t i = 0; i < TOWN_CITIZENS; i++)
        if (a->town->citizens[i].used && i != a->slot)
            check_pair(a, &a->town->citizens[i]);
}

/* ---- one node ---- */

struct expected {
    size_t procs, ties, watchers, remotes;
};

static struct expected expect(const struct town *t, size_t node)
{
    struct expected e = {.procs = t->n_services + 1}; /* with the observer */

    for (size_t i = 0; i < TOWN_CITIZENS; i++) {
        const struct citizen *c = &t->citizens[i];

        e.procs += citizen_alive(c) && c->node == node;
        for (size_t k = 0; k < TOWN_WATCHES; k++) {
            bool at = t->citizens[c->watches[k].target].node == node;

            e.ties += c->watches[k].active && c->node == node;
            e.watchers += c->watches[k].active && c->node != node && at;
        }
    }
    for (size_t b = 0; b < TOWN_NODES; b++)
        e.remotes += t->w.ends[node][b].up;
    return e;
}

/* Of citizens alone: global watches whose names it knows, and has timers. */
struct of_citizens {
    size_t ties, watchers;
};

static struct of_citizens count_of_citizens(struct town *t, size_t node)
{
    struct of_citizens of = {0};

    for (size_t i = 0; i < TOWN_CITIZENS; i++) {
        const struct citizen *c = &t->citizens[i];

        if (!citizen_alive(c) || c->node != node)
            continue;
        for (struct list *at = c->p->ties.next; at != &c->p->ties; at = at->next)
            of.ties++;
        for (struct list *at = c->p->watchers.next; at != &c->p->watchers; at = at->next) {
            const struct watcher *w = CONTAINER_OF(at, struct watcher, of_proc);

            of.watchers += w->remote != NULL && citizen_by_pid(t, &w->by) != NULL;
        }
    }
    return of;
}

static void check_node(struct town *t, size_t node)
{
    const struct clu_node *n = &t->w.nodes[node];
    struct expected e = expect(t, node);

    if (n->procs.n_used != e.procs)
        town_violation(t, "%s has %u processes, not %zu", n->name, n->procs.n_used, e.procs);
    struct of_citizens of = count_of_citizens(t, node);
    size_t ties = t->global ? of.ties : n->ties.n_used;
    size_t watchers = t->global ? of.watchers : n->watchers.n;

    if (ties != e.ties)
        town_violation(t, "%s has %zu ties, not %zu", n->name, ties, e.ties);
    if (watchers != e.watchers)
        town_violation(t, "%s has %zu watchers, not %zu", n->name, watchers, e.watchers);
    if (map_count(&n->remotes) != e.remotes)
        town_violation(t, "%s knows %zu nodes, not %zu", n->name, map_count(&n->remotes),
                       e.remotes);
    if (n->timers.n != 0 && !t->global)
        town_violation(t, "%s has timers of nobody", n->name);
    for (size_t b = 0; b < TOWN_NODES; b++)
        if (t->seen_up[node][b] != t->w.ends[node][b].up)
            town_violation(t, "%s was not told what became of %s", n->name, world_name(b));
}

/* ---- all ---- */

/* Of the dead nobody can hear any more: their places may be had anew. */
static void bury(struct town *t, struct citizen *c)
{
    if (!c->used || c->p != NULL)
        return;
    c->used = false;
    for (size_t name = 0; name < TOWN_NAMES; name++)
        t->candidate[name][c->slot] = 0;
    memset(t->pairs[c->slot], 0, sizeof t->pairs[c->slot]);
    for (size_t i = 0; i < TOWN_CITIZENS; i++)
        t->pairs[i][c->slot] = (struct pair){0};
}

void town_quiet(struct town *t)
{
    let_rest(t);
    if (t->w.errors > 0)
        town_violation(t, "a link broke: %s", t->w.what);
    for (size_t i = 0; i < TOWN_CITIZENS && t->violation[0] == '\0'; i++)
        if (citizen_alive(&t->citizens[i]))
            check_citizen(&t->citizens[i]);
    for (size_t node = 0; node < TOWN_NODES && t->violation[0] == '\0'; node++)
        check_node(t, node);
    for (size_t i = 0; i < TOWN_CITIZENS; i++)
        bury(t, &t->citizens[i]);
}
