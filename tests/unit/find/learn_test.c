/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "reconcile_sim.h"

/* Entries whose names are learnt (?base=*), and what becomes of them. */

/* The handshake tells the name; it is the target's from then on, also while it is down. */
static void learns_by_dialling(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.2 10.0.0.3");
    sim_run(&s, 0, STAGE_NONE);
    slot_id id = sim_dialled(&s, "10.0.0.2");
    struct target *t = sim_up(&s, id, "app@10.0.0.2", "10.0.0.2", 1);

    assert_int_equal(t->id, id);
    assert_true(t->learnt);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.2 10.0.0.3");
    sim_run(&s, 6000, STAGE_NONE);
    sim_down(&s, "app@10.0.0.2");
    sim_run(&s, 0, STAGE_TCP_REFUSED);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.3");
    sim_show(&s);
    sim_expect(&s, "[     0] complete 2 +0:10.0.0.2 +0:10.0.0.3\n"
                   "[     0] dial 10.0.0.2 at 10.0.0.2\n"
                   "[     0] dial 10.0.0.3 at 10.0.0.3\n"
                   "[     0] up app@10.0.0.2\n"
                   "[     0] complete 2\n"
                   "[  6000] down app@10.0.0.2\n"
                   "[  6000] dial app@10.0.0.2 at 10.0.0.2: tcp-refused\n"
                   "[  6000] complete 1 -0:app@10.0.0.2\n"
                   "[  6000] app@10.0.0.2 absent, unlisted, 1 attempts: tcp-refused since 6000\n"
                   "[  6000] 10.0.0.3 dialling\n");
    sim_stop(&s);
}

/* Who dials us under a name at a listed address is what is listed there. */
static void learns_from_inbound(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.2 fd00::3");
    sim_up(&s, 0, "app@10.0.0.2", "10.0.0.2", 1);
    sim_up(&s, 0, "app@fd00::3", "fd00::3", 1);
    sim_up(&s, 0, "second@10.0.0.2", "10.0.0.2", 1); /* another node of that pod */
    sim_run(&s, 10000, STAGE_NONE);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 2 +0:10.0.0.2 +0:fd00::3\n"
                   "[     0] up app@10.0.0.2\n"
                   "[     0] up app@fd00::3\n"
                   "[     0] up second@10.0.0.2\n"
                   "[ 10000] app@10.0.0.2 linked\n"
                   "[ 10000] app@fd00::3 linked\n"
                   "[ 10000] second@10.0.0.2 linked, unlisted\n");
    sim_stop(&s);
}

/* Both addresses of a dual-stack pod lead to one name: one target, and each address is tried. */
static void collapses(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.2 fd00::2");
    sim_run(&s, 0, STAGE_NONE);
    slot_id v4 = sim_dialled(&s, "10.0.0.2"), v6 = sim_dialled(&s, "fd00::2");
    struct target *t = sim_up(&s, v4, "app@10.0.0.2", "10.0.0.2", 1);

    assert_ptr_equal(reconcile_learn(s.r, v6, "app@10.0.0.2", s.now), t);
    assert_null(reconcile_get(s.r, v6));
    assert_null(reconcile_learn(s.r, v6, "app@10.0.0.2", s.now));
    sim_show(&s);
    sim_run(&s, 6000, STAGE_NONE);
    sim_down(&s, "app@10.0.0.2");
    sim_run(&s, 1000, STAGE_TCP_TIMEOUT);
    sim_list(&s, 0, RESULT_COMPLETE, "fd00::2");
    sim_show(&s);
    sim_expect(&s, "[     0] complete 2 +0:10.0.0.2 +0:fd00::2\n"
                   "[     0] dial 10.0.0.2 at 10.0.0.2\n"
                   "[     0] dial fd00::2 at fd00::2\n"
                   "[     0] up app@10.0.0.2\n"
                   "[     0] app@10.0.0.2 linked\n"
                   "[  6000] down app@10.0.0.2\n"
                   "[  6000] dial app@10.0.0.2 at 10.0.0.2: tcp-timeout\n"
                   "[  6206] dial app@10.0.0.2 at fd00::2: tcp-timeout again\n"
                   "[  6655] dial app@10.0.0.2 at 10.0.0.2: tcp-timeout again\n"
                   "[  7000] complete 1 -0:app@10.0.0.2\n"
                   "[  7000] app@10.0.0.2 failed, 3 attempts: tcp-timeout since 6000\n");
    sim_stop(&s);
}

/* A dial that is under way goes on under the target that has the name. */
static void hands_over_a_dial(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 1, RESULT_COMPLETE, "app@h");
    sim_run(&s, 100, STAGE_TCP_REFUSED);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.2");
    sim_run(&s, 0, STAGE_NONE);
    struct target *t = reconcile_learn(s.r, sim_dialled(&s, "10.0.0.2"), "app@h", s.now);

    assert_string_equal(t->name, "app@h");
    sim_show(&s);
    sim_run(&s, 1000, STAGE_NONE);
    assert_true(reconcile_failed(s.r, t->id, STAGE_COOKIE, "no", s.now));
    sim_run(&s, 1000, STAGE_COOKIE);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 1 +1:app@h\n"
                   "[     0] dial app@h at : tcp-refused\n"
                   "[   100] complete 1 +0:10.0.0.2\n"
                   "[   100] dial 10.0.0.2 at 10.0.0.2\n"
                   "[   100] app@h dialling, 1 attempts: tcp-refused since 0\n"
                   "[  1549] dial app@h at 10.0.0.2: cookie again\n"
                   "[  2100] app@h failed, 3 attempts: cookie since 0\n");
    sim_stop(&s);
}

/* Another node took over the address (pods come and go): what was learnt does not hold, and each
 * address is asked anew who it is. A name from a template is never dropped. */
static void unlearns(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.2 10.0.0.3");
    sim_list(&s, 1, RESULT_COMPLETE, "b@h");
    sim_run(&s, 0, STAGE_NONE);
    slot_id second = sim_dialled(&s, "10.0.0.3");

    sim_up(&s, sim_dialled(&s, "10.0.0.2"), "app@x", "10.0.0.2", 1);
    reconcile_learn(s.r, second, "app@x", s.now);
    reconcile_failed(s.r, sim_dialled(&s, "b@h"), STAGE_EPMD_UNKNOWN, "no", s.now);
    sim_run(&s, 6000, STAGE_NONE);
    sim_down(&s, "app@x");
    sim_run(&s, 0, STAGE_EPMD_UNKNOWN);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 2 +0:10.0.0.2 +0:10.0.0.3\n"
                   "[     0] complete 1 +1:b@h\n"
                   "[     0] dial 10.0.0.2 at 10.0.0.2\n"
                   "[     0] dial b@h at \n"
                   "[     0] dial 10.0.0.3 at 10.0.0.3\n"
                   "[     0] up app@x\n"
                   "[   206] dial b@h at \n"
                   "[  6000] down app@x\n"
                   "[  6000] dial app@x at 10.0.0.2: epmd-unknown\n"
                   "[  6000] dial 10.0.0.2 at 10.0.0.2: epmd-unknown\n"
                   "[  6000] 10.0.0.3 failed, 1 attempts: epmd-unknown since 6000\n"
                   "[  6000] 10.0.0.2 failed, 1 attempts: epmd-unknown since 6000\n"
                   "[  6000] b@h dialling, 1 attempts: epmd-unknown since 0\n");
    sim_stop(&s);
}

/* A learnt name that is our own: another way of being ourselves. */
static void learns_itself(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.1");
    sim_run(&s, 0, STAGE_NONE);
    assert_true(reconcile_learn(s.r, sim_dialled(&s, "10.0.0.1"), "erlclu@10.0.0.1", s.now)->self);
    reconcile_is_self(s.r, sim_dialled(&s, "erlclu@10.0.0.1"), s.now);
    sim_run(&s, 10000, STAGE_NONE);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 1 +0:10.0.0.1\n"
                   "[     0] dial 10.0.0.1 at 10.0.0.1\n"
                   "[ 10000] erlclu@10.0.0.1 self hinted\n");
    sim_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_by_dialling), cmocka_unit_test(learns_from_inbound),
        cmocka_unit_test(collapses),          cmocka_unit_test(hands_over_a_dial),
        cmocka_unit_test(unlearns),           cmocka_unit_test(learns_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
