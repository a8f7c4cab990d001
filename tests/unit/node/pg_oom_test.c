/* SPDX-License-Identifier: Apache-2.0 */
#include "../failing.h"
#include "pg_lab.h"

/* While the library runs, the allocation of one number fails, alone or with all that come after it.
 */

/* ---- the story ---- */

static clu_process *spawn(struct lab *lab)
{
    lab_running = true;
    clu_process *p = clu_spawn(&lab->node, &(clu_spawn_options){0});

    lab_running = false;
    return p;
}

/* Without memory a process ends. */
static clu_process *alive(struct lab *lab, const clu_pid *pid)
{
    return pid->node.len == 0 ? NULL : clu_find(&lab->node, pid);
}

static clu_error start(struct lab *lab)
{
    lab_running = true;
    clu_error err = clu_pg_start(&lab->node, "pubs");

    lab_running = false;
    return err;
}

static void watch(clu_process *p, const char *group)
{
    clu_writer w;
    clu_slice name = lab_name(&w, group);

    if (p != NULL) {
        lab_running = true;
        clu_pg_monitor(p, "pubs", NULL);
        clu_pg_monitor(p, "pubs", &name);
        lab_running = false;
    }
    clu_writer_free(&w);
}

static void join_or_leave(struct lab *lab, const clu_pid *pid, const char *group,
                          clu_error (*act)(clu_process *p, const char *group))
{
    clu_process *p = alive(lab, pid);

    if (p != NULL)
        (void)act(p, group);
}

/* A link whose peer could not be answered is closed by mesh. */
static void hear(struct lab *lab, const char *message)
{
    if (lab->p.link.remote != NULL && lab_hear(lab, &lab->p, message) != CLU_OK)
        lab_link_down(lab, &lab->p);
}

static void take_all_signals(struct lab *lab, const clu_pid *pid)
{
    clu_process *p = alive(lab, pid);
    clu_signal s;

    while (p != NULL && clu_take(p, &s))
        continue;
}

#define SYNC(groups) "{'$gen_cast',{sync,'<p@h.7.0>'," groups "}}"

static void live(struct lab *lab, const clu_pid *a, const clu_pid *b)
{
    watch(alive(lab, b), "#{1 => x,y => [2,3]}");
    join_or_leave(lab, a, "#{1 => x,y => [2,3]}", lab_join);
    if (lab_link_up(lab, &lab->p, LAB_FLAGS) != CLU_OK)
        lab_link_down(lab, &lab->p);
    hear(lab, "{discover,'<p@h.7.0>'}");
    hear(lab, SYNC("[{room,['<p@h.20.0>','<p@h.21.0>']},{hall,['<p@h.20.0>']}]"));
    join_or_leave(lab, b, "room", lab_join);
    hear(lab, "{join,'<p@h.7.0>',#{y => [2,3],1 => x},['<p@h.20.0>','<p@h.22.0>']}");
    hear(lab, "{leave,'<p@h.7.0>','<p@h.20.0>',[room,hall]}");
    hear(lab, "{update,'<p@h.7.0>',[{yard,['<p@h.20.0>'],[]},{room,[],['<p@h.21.0>']}]}");
    join_or_leave(lab, b, "room", lab_leave);
    join_or_leave(lab, b, "yard", lab_join);
    hear(lab, SYNC("[{room,['<p@h.22.0>','<p@h.21.0>']},{stairs,['<p@h.20.0>']}]"));
    take_all_signals(lab, b);
    if (alive(lab, a) != NULL)
        clu_exit(alive(lab, a), "normal");
    lab_turn(lab);
    lab_pass(lab, 1000);
}

/* When there is memory again, the scope has what its peer tells it. */
static void recover(struct lab *lab)
{
    failing = 0;
    if (clu_whereis(&lab->node, "pubs") == NULL)
        assert_int_equal(start(lab), CLU_OK);
    if (lab->p.link.remote == NULL)
        assert_int_equal(lab_link_up(lab, &lab->p, LAB_FLAGS), CLU_OK);
    for (int i = 0; i < 31; i++)
        lab_pass(lab, 1000);
    hear(lab, "{discover,'<p@h.7.0>'}");
    hear(lab, SYNC("[{room,['<p@h.22.0>','<p@h.21.0>']},{stairs,['<p@h.20.0>']}]"));
    assert_string_equal(lab_members(lab, "room"), "<p@h.22.0> <p@h.21.0> ");
    assert_string_equal(lab_members(lab, "stairs"), "<p@h.20.0> ");
    assert_string_equal(lab_members(lab, "hall"), "");
    clu_process *c = spawn(lab);

    assert_int_equal(lab_join(c, "room"), CLU_OK);
    lab_call(lab, c, "C");
    assert_non_null(strstr(lab_seen(lab, &lab->p), ",room,C}\n"));
}

static bool story(void)
{
    struct lab lab;
    bool is_made;

    n_allocations = 0;
    is_made = lab_init(&lab) == CLU_OK;
    if (is_made) {
        clu_error err = start(&lab);
        clu_process *a = spawn(&lab), *b = spawn(&lab);
        clu_pid a_pid = a == NULL ? (clu_pid){0} : clu_self(a);
        clu_pid b_pid = b == NULL ? (clu_pid){0} : clu_self(b);

        assert_true(err == CLU_OK || err == CLU_ENOMEM);
        live(&lab, &a_pid, &b_pid);
        recover(&lab);
    }
    failing = 0;
    lab_fini(&lab);
    return is_made;
}

static void every_allocation_fails(void **state)
{
    (void)state;
    failing_tell_both(story);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_fails)};

    failing_while = &lab_running;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
