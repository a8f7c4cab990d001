/* SPDX-License-Identifier: Apache-2.0 */
#include "pg_model.h"

#define STEPS 3000
#define SEEDS 20

/* ---- steps ---- */

static void we_join(struct story *s)
{
    size_t i = pick(s, OURS);
    int group = (int)pick(s, GROUPS);
    clu_pid pid = clu_self(s->procs[i]);

    if (s->members.n > ENTRY_MAX / 2)
        return;
    assert_int_equal(lab_join(s->procs[i], group_names[group]), CLU_OK);
    add(&s->members, group, pid.id, pid.serial);
}

static void we_leave(struct story *s)
{
    size_t i = pick(s, OURS);
    int group = (int)pick(s, GROUPS);
    clu_pid pid = clu_self(s->procs[i]);
    bool was_in = take(&s->members, group, pid.id, pid.serial);

    assert_int_equal(lab_leave(s->procs[i], group_names[group]), was_in ? CLU_OK : CLU_ENOENT);
}

static void we_end(struct story *s)
{
    size_t i = pick(s, OURS);
    clu_pid pid = clu_self(s->procs[i]);

    clu_exit(s->procs[i], "normal");
    lab_turn(&s->lab);
    for (int g = 0; g < GROUPS; g++)
        while (take(&s->members, g, pid.id, pid.serial))
            continue;
    s->procs[i] = clu_spawn(&s->lab.node, &(clu_spawn_options){0});
    assert_non_null(s->procs[i]);
}

static struct model *some(struct story *s)
{
    return &s->models[pick(s, COUNT(s->models))];
}

static void they_join(struct story *s)
{
    struct model *m = some(s);
    int group = (int)pick(s, GROUPS);
    unsigned pid = m->pids[pick(s, THEIRS)];

    if (m->own.n > ENTRY_MAX / 2)
        return;
    add(&m->own, group, pid, 0);
    say_change(s, m, true, group, pid);
}

static void they_leave(struct story *s)
{
    struct model *m = some(s);
    int group = (int)pick(s, GROUPS);
    unsigned pid = m->pids[pick(s, THEIRS)];

    if (take(&m->own, group, pid, 0))
        say_change(s, m, false, group, pid);
}

static void they_read(struct story *s)
{
    read_all(s, some(s));
}

static void fill_one(struct story *s)
{
    struct model *m = some(s);

    if (m->up && !m->full)
        fill(m->wire, CHANNEL_BUSY_BYTES + 1);
    m->full = m->up;
}

static void cut(struct story *s, struct model *m)
{
    if (!m->up)
        return;
    lab_link_down(&s->lab, m->wire);
    m->up = m->knows_us = m->full = false;
    m->wire->monitor.n = 0;
    m->ours.n = 0;
}

static void link_up(struct story *s, struct model *m)
{
    if (m->up)
        return;
    assert_int_equal(lab_link_up(&s->lab, m->wire, LAB_FLAGS), CLU_OK);
    m->up = true;
    say_discover(s, m);
}

static void cut_one(struct story *s)
{
    cut(s, some(s));
}

static void link_one(struct story *s)
{
    link_up(s, some(s));
}

/* Its scope ends, and starts again without members. */
static void restart_one(struct story *s)
{
    struct model *m = some(s);

    read_all(s, m);
    if (!m->up || m->wire->monitor.n == 0)
        return;
    m->knows_us = false;
    m->own.n = m->ours.n = 0;
    lab_scope_ends(&s->lab, m->wire);
    m->wire->monitor.n = 0;
    m->scope = m->next_pid++;
    say_discover(s, m);
}

static void time_passes(struct story *s)
{
    lab_pass(&s->lab, 1 + pick(s, 1500));
}

static const struct {
    void (*act)(struct story *s);
    size_t weight;
} steps[] = {
    {we_join, 30},    {we_leave, 30},   {we_end, 2},      {they_join, 20},
    {they_leave, 20}, {they_read, 30},  {fill_one, 2},    {cut_one, 1},
    {link_one, 4},    {restart_one, 1}, {time_passes, 3},
};

static void step(struct story *s)
{
    size_t all = 0, at;

    for (size_t i = 0; i < COUNT(steps); i++)
        all += steps[i].weight;
    at = pick(s, all);
    for (size_t i = 0; i < COUNT(steps); i++) {
        if (at < steps[i].weight) {
            steps[i].act(s);
            return;
        }
        at -= steps[i].weight;
    }
}

/* ---- what must be ---- */

static void assert_same(const struct entries *a, const struct entries *b)
{
    struct entries *left = test_malloc(sizeof *left);

    *left = *b;
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++)
        assert_true(take(left, a->all[i].group, a->all[i].id, a->all[i].serial));
    test_free(left);
}

struct looking {
    struct entries *ours, *theirs[2];
    int group;
};

static bool note_member(const clu_pid *pid, bool local, void *arg)
{
    struct looking *l = arg;

    add(local ? l->ours : l->theirs[*pid->node.data == 'q'], l->group, pid->id, pid->serial);
    return true;
}

static void assert_all_agree(struct story *s)
{
    struct entries *seen = test_calloc(3, sizeof *seen);

    for (int g = 0; g < GROUPS; g++) {
        struct looking l = {.ours = &seen[2], .theirs = {&seen[0], &seen[1]}, .group = g};

        clu_pg_members(&s->lab.node, "pubs", (clu_slice){s->names[g].data, s->names[g].len},
                       note_member, &l);
    }
    assert_same(&seen[2], &s->members);
    for (size_t i = 0; i < COUNT(s->models); i++) {
        assert_same(&seen[i], &s->models[i].own);
        assert_same(&s->models[i].ours, &s->members);
    }
    assert_int_equal(info_of(&s->lab).ignored, 0);
    test_free(seen);
}

static void settle(struct story *s)
{
    for (size_t i = 0; i < COUNT(s->models); i++)
        link_up(s, &s->models[i]);
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < COUNT(s->models); i++)
            read_all(s, &s->models[i]);
        lab_pass(&s->lab, 1000);
    }
}

static void begin(struct story *s, uint64_t seed)
{
    assert_int_equal(lab_init(&s->lab), CLU_OK);
    assert_int_equal(clu_pg_start(&s->lab.node, "pubs"), CLU_OK);
    rng_init(&s->rng, seed);
    s->models[0].wire = &s->lab.p;
    s->models[1].wire = &s->lab.q;
    s->models[1].is_new = true;
    for (size_t i = 0; i < COUNT(s->models); i++) {
        struct model *m = &s->models[i];

        m->next_pid = 100;
        m->scope = m->next_pid++;
        for (size_t k = 0; k < THEIRS; k++)
            m->pids[k] = m->next_pid++;
    }
    for (size_t i = 0; i < OURS; i++)
        s->procs[i] = clu_spawn(&s->lab.node, &(clu_spawn_options){0});
    for (int g = 0; g < GROUPS; g++)
        lab_name(&s->names[g], group_names[g]);
}

static void live(uint64_t seed)
{
    struct story *s = test_calloc(1, sizeof *s);

    begin(s, seed);
    for (int i = 1; i <= STEPS; i++) {
        step(s);
        if (i % 500 != 0)
            continue;
        settle(s);
        assert_all_agree(s);
    }
    for (int g = 0; g < GROUPS; g++)
        clu_writer_free(&s->names[g]);
    lab_fini(&s->lab);
    test_free(s);
}

static void models_of_pg_live_and_agree(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        print_message("seed %u\n", (unsigned)seed);
        live(seed);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_of_pg_live_and_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
