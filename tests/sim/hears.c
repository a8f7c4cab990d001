/* SPDX-License-Identifier: Apache-2.0 */
#include "node/services.h"
#include "town.h"

/* Numbered messages: in order, none twice, none lost but where a connection was. */
static void hear_number(struct citizen *a, clu_reader r)
{
    struct town *t = a->town;
    uint64_t number = clu_get_uint(&r), from = clu_get_uint(&r), to = clu_get_uint(&r);

    if (r.err != CLU_OK || from >= TOWN_CITIZENS || to != a->slot) {
        town_violation(t, "%s hears what was not said to it", a->name);
        return;
    }
    struct pair *p = &t->pairs[from][to];

    if (number <= p->received || number > p->sent)
        town_violation(t, "%s hears %u of c%u after %u of %u", a->name, (unsigned)number,
                       (unsigned)from, p->received, p->sent);
    else if (number - 1 > p->received && number - 1 > p->lossy)
        town_violation(t, "%s hears %u of c%u: all from %u to %u should have come", a->name,
                       (unsigned)number, (unsigned)from, p->received + 1, (unsigned)number - 1);
    p->received = (uint32_t)number;
}

/* TOWN_NODES: none of ours. */
static size_t node_of(clu_slice name)
{
    size_t node = 0;

    while (node < TOWN_NODES && !slice_is(name, world_name(node)))
        node++;
    return node;
}

/* {global_name_conflict, Name} or {global_name_conflict, Name, OtherPid} */
static bool is_conflict(clu_reader r)
{
    size_t arity = clu_get_tuple(&r);

    return (arity == 2 || arity == 3) && slice_is(clu_get_atom(&r), "global_name_conflict");
}

static void hear_message(struct citizen *a, const clu_signal *s)
{
    struct town *t = a->town;
    clu_reader call = s->term, number = s->term;
    struct gen_call gen;

    if (get_gen_call(&call, &gen)) {
        if (town_random(t, 4) == 0)
            return; /* it will not be answered */
        clu_put_int(reply_begin(a->p, &gen), 1);
        clu_error err = clu_send_end(a->p);

        if (err == CLU_EBUSY)
            a->busy[node_of(gen.from.node)]++;
        else if (err != CLU_OK && err != CLU_ENOENT && citizen_alive(a)) /* the link may be gone */
            town_violation(t, "%s cannot answer", a->name);
    } else if (is_conflict(s->term)) {
        if (!names_conflict(a, false))
            town_violation(t, "%s hears of a name that it never had", a->name);
    } else if (clu_get_tuple(&number) == 4) {
        hear_number(a, number);
    } else {
        town_violation(t, "%s hears what nobody said", a->name);
    }
}

/* Of exit/2, which says so; or of a link: no more often than there were any. Who ends because one
 * of its links ended of its own exit/2 hands that reason on. */
static void hear_exit(struct citizen *a, const clu_signal *s)
{
    struct citizen *b = citizen_by_pid(a->town, &s->from);
    clu_reader reason = s->term;

    if (b != NULL && slice_is(clu_get_atom(&reason), b->exit_reason) &&
        (!b->ended_of_own || town_pair(a, b)->due == 0 || town_bond(a, b) != NULL))
        return;
    if (b == NULL || town_pair(a, b)->due == 0) {
        town_violation(a->town, "%s hears of the end of %s, with which it has no link", a->name,
                       b == NULL ? "nobody" : b->name);
        return;
    }
    town_pair(a, b)->due--;
    if (town_bond(a, b) == NULL)
        town_pair(a, b)->mine = false;
}

/* There is room again, or the node is gone. */
static void hear_writable(struct citizen *a, const clu_signal *s)
{
    size_t node = node_of(s->node);

    if (node == TOWN_NODES || a->busy[node] == 0) {
        town_violation(a->town, "%s hears of room that it did not want", a->name);
        return;
    }
    a->waits[node] = false;
    a->busy[node]--;
}

static void hear_down(struct citizen *a, const clu_signal *s)
{
    struct watch *w = watch_by_ref(a->watches, TOWN_WATCHES, &s->ref);
    clu_reader reason = s->term;

    if (w == NULL) {
        town_violation(a->town, "%s hears a DOWN twice, or one that it gave up", a->name);
        return;
    }
    const struct citizen *b = &a->town->citizens[w->target];
    /* Who ended with somebody else's noconnection has that for a reason, too. */
    bool cut = slice_is(clu_get_atom(&reason), "noconnection") && w->epoch != *town_epoch(a, b);

    w->active = false;
    if (citizen_alive(b) && !cut && !w->by_name)
        town_violation(a->town, "%s hears that %s is down, which lives", a->name, b->name);
}

void citizen_hears(clu_process *self, const clu_signal *s, void *arg)
{
    struct citizen *a = arg;

    if (a->p != self || !citizen_alive(a))
        town_violation(a->town, "%s hears something after its end", a->name);
    a->town->heard++;
    switch (s->kind) {
    case CLU_SIGNAL_MESSAGE: hear_message(a, s); break;
    case CLU_SIGNAL_EXIT: hear_exit(a, s); break;
    case CLU_SIGNAL_DOWN: hear_down(a, s); break;
    case CLU_SIGNAL_WRITABLE: hear_writable(a, s); break;
    default: town_violation(a->town, "%s hears a signal of kind %d", a->name, (int)s->kind); break;
    }
    if (!a->town->resting && town_random(a->town, 6) == 0)
        citizen_deed(a->town, a);
}

void citizen_answered(clu_process *self, const clu_answer *answer, void *arg)
{
    struct citizen *a = arg;
    struct watch *call = watch_by_ref(a->calls, TOWN_CALLS, &answer->ref);

    (void)self;
    if (call == NULL)
        town_violation(a->town, "%s is answered twice, or what it gave up", a->name);
    else
        call->active = false;
    if (!a->town->resting && town_random(a->town, 6) == 0)
        citizen_deed(a->town, a);
}

static bool has_reason(const struct citizen *a)
{
    for (size_t i = 0; i < TOWN_CITIZENS; i++)
        if (a->town->pairs[a->slot][i].due > 0)
            return true;
    return a->may_end || names_conflict(a, true);
}

void citizen_stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct citizen *a = arg;
    struct town *t = a->town;
    clu_reader r = reader_of(reason);
    clu_slice why = clu_get_atom(&r);
    bool normal = slice_is(why, "normal");

    if (a->p != self)
        town_violation(t, "%s ends twice", a->name);
    if (!has_reason(a))
        town_violation(t, "%s ends, and nobody knows why", a->name);
    a->p = NULL;
    a->ended_of_own = slice_is(why, a->exit_reason);
    memset(a->watches, 0, sizeof a->watches);
    memset(a->calls, 0, sizeof a->calls);
    memset(a->asks, 0, sizeof a->asks);
    for (size_t i = 0; i < TOWN_CITIZENS; i++) {
        t->pairs[a->slot][i].mine = false;
        if (normal && !t->citizens[i].trap) /* which is no matter of those who do not trap */
            t->pairs[i][a->slot].mine = false;
    }
}

void observer_hears(clu_process *self, const clu_signal *s, void *arg)
{
    struct town *t = arg;
    size_t a = 0, b = 0;
    bool up = s->kind == CLU_SIGNAL_NODE_UP;

    while (a < TOWN_NODES && t->observers[a] != self)
        a++;
    while (b < TOWN_NODES && !slice_is(s->node, world_name(b)))
        b++;
    if (a == TOWN_NODES || b == TOWN_NODES || (!up && s->kind != CLU_SIGNAL_NODE_DOWN)) {
        town_violation(t, "an observer hears a signal of kind %d", (int)s->kind);
        return;
    }
    if (t->seen_up[a][b] == up)
        town_violation(t, "%s hears twice that %s is %s", world_name(a), world_name(b),
                       up ? "up" : "down");
    t->seen_up[a][b] = up;
}
