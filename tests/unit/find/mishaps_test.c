/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "find/reconcile_impl.h"

/* Whatever happens, in whatever order: the facts stay consistent, nobody is forgotten to be
 * dialled, and no deadline stays in the past. */

#define SEEDS   40
#define STEPS   3000
#define SOURCES 4
#define HOSTS   12

struct mess {
    struct rng rng;
    struct reconcile *r;
    uint64_t now;
};

static unsigned any(struct mess *m, unsigned n)
{
    return (unsigned)rng_range(&m->rng, 0, n - 1);
}

static const char *any_name(struct mess *m, char name[NODE_NAME_SIZE])
{
    static const char *const bases[] = {"a", "b", "erlclu"};

    snprintf(name, NODE_NAME_SIZE, "%s@10.0.0.%u", bases[any(m, COUNT(bases))], 1 + any(m, HOSTS));
    return name;
}

static struct addr any_addr(struct mess *m)
{
    return addr_v4(0x0a000001 + any(m, HOSTS), any(m, 2) == 0 ? 0 : (uint16_t)(9100 + any(m, 2)));
}

static struct entry any_entry(struct mess *m)
{
    struct entry e = {.addr = any_addr(m), .terminating = any(m, 6) == 0};

    if (any(m, 2) == 0)
        any_name(m, e.name);
    if (e.name[0] != '\0' && any(m, 3) == 0)
        e.addr = (struct addr){0};
    return e;
}

static void any_round(struct mess *m)
{
    struct entry entries[HOSTS];
    struct addr addr;
    char name[NODE_NAME_SIZE];
    unsigned source = any(m, SOURCES);
    bool listed;
    struct round round = {.kind = RESULT_PARTIAL + any(m, 3),
                          .sees_us = any(m, 4) > 0,
                          .standing = source == 1,
                          .adds_only = source == 2,
                          .ttl_s = any(m, 30),
                          .entries = entries,
                          .n = any(m, HOSTS)};

    if (any(m, 2) == 0 && !round.adds_only)
        round.kind = RESULT_COMPLETE;
    for (size_t i = 0; i < round.n; i++)
        entries[i] = any_entry(m);
    reconcile_list(m->r, source, &round, m->now);
    while (any(m, 20) > 0 && reconcile_change(m->r, &addr, name, &source, &listed))
        continue;
}

static void any_link(struct mess *m, slot_id id)
{
    char name[NODE_NAME_SIZE];
    struct addr addr = any_addr(m);
    bool fresh;

    any_name(m, name);
    if (strcmp(name, "erlclu@10.0.0.1") != 0)
        reconcile_up(m->r, id, name, &addr, 1 + any(m, 2), m->now, &fresh);
}

static void any_end(struct mess *m, slot_id id)
{
    char name[NODE_NAME_SIZE];
    struct target *t;

    switch (any(m, 9)) {
    case 0: break; /* it takes longer */
    case 1: any_link(m, id); break;
    case 2: reconcile_deferred(m->r, id, m->now); break;
    case 3: reconcile_alone(m->r, id, m->now); break;
    case 4: reconcile_is_self(m->r, id, m->now); break;
    case 5:
        t = reconcile_learn(m->r, id, any_name(m, name), m->now);
        if (t != NULL)
            any_link(m, t->id);
        break;
    case 6:
        if (any(m, 4) == 0)
            reconcile_reached(m->r, id, any_name(m, name), m->now);
        break;
    default: reconcile_failed(m->r, id, STAGE_DNS + any(m, 9), "no", m->now); break;
    }
}

/* Those that are under way, whoever they are by now. */
static void any_ends(struct mess *m)
{
    uint32_t at = 0;
    slot_id ids[DIALS_MAX];
    size_t n = 0;

    for (struct target *t; n < COUNT(ids) && (t = reconcile_walk(m->r, &at)) != NULL;)
        if (t->state == PEER_DIALLING)
            ids[n++] = t->id;
    for (size_t i = 0; i < n; i++)
        if (any(m, 3) == 0)
            any_end(m, ids[i]);
}

static void any_mishap(struct mess *m)
{
    char name[NODE_NAME_SIZE];
    struct addr addr = any_addr(m);

    any_name(m, name);
    switch (any(m, 10)) {
    case 0: reconcile_down(m->r, name, m->now, "closed"); break;
    case 1: any_link(m, 0); break;
    case 2: reconcile_hint(m->r, name, any(m, 2) == 0 ? &addr : NULL, m->now); break;
    case 3:
    case 4: reconcile_heard(m->r, name, NULL, any(m, 2) == 0, m->now); break;
    case 5: reconcile_poke(m->r, m->now); break;
    case 6:
        if (any(m, 10) == 0)
            reconcile_own(m->r, "erlclu@10.0.0.1", 7, &(struct addr){.family = 0});
        break;
    default: any_round(m); break;
    }
}

static void pass_time(struct mess *m)
{
    static const uint64_t most_ms[] = {1, 500, 5000, 60000, 2000000};

    m->now += rng_range(&m->rng, 0, most_ms[any(m, COUNT(most_ms))]);
    while (reconcile_next(m->r, m->now) != NULL)
        continue;
    for (struct target *t; (t = reconcile_prune_next(m->r, m->now)) != NULL;)
        reconcile_down(m->r, t->name, m->now, "cut");
    while (reconcile_next(m->r, m->now) != NULL)
        continue;
}

/* ---- what must hold ---- */

static void check_queues(const struct tracked *p)
{
    bool doubted = !list_empty(&p->doubt.link), idle = !list_empty(&p->idle.link);

    assert_false(doubted && idle);
    assert_true(idle == (!p->linked && !p->dialling && !p->sought && !tracked_wants_dial(p)));
    assert_false(doubted && (tracked_wanted(p) || !p->sought));
    if (!list_empty(&p->stray.link))
        assert_true(p->linked && p->t.sources == 0);
}

static void check_target(const struct reconcile *r, const struct tracked *p)
{
    assert_true((p->t.state == PEER_LINKED) == p->linked);
    assert_false(p->linked && p->dialling);
    assert_false(tracked_wanted(p) && !p->sought);
    assert_true((p->t.due.place != 0) == tracked_wants_dial(p));
    assert_true(p->t.name[0] == '\0' || tracked_named(r, p->t.name) == p);
    for (const struct list *l = p->places.next; l != &p->places; l = l->next) {
        const struct place *place = CONTAINER_OF(l, struct place, of_owner);

        assert_ptr_equal(place->owner, p);
        assert_int_equal(place->leaving & ~place->sources, 0);
    }
    check_queues(p);
}

static void check(struct mess *m)
{
    struct tally sums = {0};
    const struct tally *tally = reconcile_tally(m->r);
    size_t n_dialling = 0;
    uint32_t at = 0;

    for (const struct tracked *p; (p = slots_next(&m->r->peers, &at)) != NULL;) {
        bool other = !p->t.self, listed = p->t.sources != 0;

        check_target(m->r, p);
        n_dialling += p->dialling;
        sums.linked += p->linked;
        sums.listed += other && listed;
        sums.unlisted += p->linked && !listed;
        sums.missing += other && listed && !p->linked && !p->reached && !p->t.terminating;
    }
    assert_int_equal(m->r->n_dialling, n_dialling);
    assert_int_equal(tally->linked, sums.linked);
    assert_int_equal(tally->listed, sums.listed);
    assert_int_equal(tally->unlisted, sums.unlisted);
    assert_int_equal(tally->missing, sums.missing);
}

static void mishaps(enum prune prune)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct mess m = {.now = 1000};
        struct addr own = addr_v4(0x0a000001, 9100);

        rng_init(&m.rng, seed);
        m.r = reconcile_new("erlclu@10.0.0.1", 7, &m.rng);
        assert_non_null(m.r);
        reconcile_prune(m.r, prune, 30000);
        reconcile_own(m.r, "erlclu@10.0.0.1", 7, &own);
        for (unsigned i = 0; i < STEPS; i++) {
            any_mishap(&m);
            check(&m);
            any_ends(&m);
            check(&m);
            pass_time(&m);
            check(&m);
            assert_true(reconcile_deadline(m.r) > m.now);
        }
        assert_int_equal(reconcile_refused(m.r), 0);
        reconcile_free(m.r);
    }
}

static void mishaps_when_down(void **state)
{
    (void)state;
    mishaps(PRUNE_WHEN_DOWN);
}

static void mishaps_never(void **state)
{
    (void)state;
    mishaps(PRUNE_NEVER);
}

static void mishaps_after(void **state)
{
    (void)state;
    mishaps(PRUNE_AFTER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mishaps_when_down),
        cmocka_unit_test(mishaps_never),
        cmocka_unit_test(mishaps_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
