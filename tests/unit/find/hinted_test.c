/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "reconcile_sim.h"

/* Nodes that other peers name. */

/* Another peer names it: it is dialled like a listed one as long as that is so. */
static void hears(void **state)
{
    struct sim s;
    struct addr at = addr_v4(0x0a000005, 4000);

    (void)state;
    sim_start(&s);
    reconcile_heard(s.r, "erlclu@10.0.0.1", NULL, true, s.now);
    reconcile_heard(s.r, "", NULL, true, s.now);
    reconcile_heard(s.r, "x@h", NULL, false, s.now);
    assert_int_equal(sim_count(&s), 0);
    reconcile_heard(s.r, "x@h", &at, true, s.now);
    reconcile_heard(s.r, "x@h", &at, true, s.now);
    sim_run(&s, 3000, STAGE_TCP_REFUSED);
    sim_show(&s);
    reconcile_heard(s.r, "x@h", NULL, false, s.now);
    sim_poll(&s, 2, RESULT_COMPLETE, "", STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_poll(&s, 1, RESULT_COMPLETE, "", STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_expect(&s, "[   367] dial x@h at 10.0.0.5: tcp-refused\n"
                   "[   573] dial x@h at 10.0.0.5: tcp-refused again\n"
                   "[  1006] dial x@h at 10.0.0.5: tcp-refused again\n"
                   "[  1910] dial x@h at 10.0.0.5: tcp-refused again\n"
                   "[  3000] x@h failed, unlisted, hinted, 4 attempts: tcp-refused since 0\n"
                   "[  4219] dial x@h at 10.0.0.5: tcp-refused again\n"
                   "[  8000] complete 0\n"
                   "[  8602] dial x@h at 10.0.0.5: tcp-refused again\n"
                   "[ 13000] complete 0\n"
                   "[ 13000] x@h failed, unlisted, 6 attempts: tcp-refused since 0\n"
                   "[ 18000] complete 0\n"
                   "[ 18000] x@h absent, unlisted, 6 attempts: tcp-refused since 0\n");
    sim_stop(&s);
}

/* A peer that gives our own address for another node does not hide it. */
static void hears_our_address(void **state)
{
    struct sim s;
    struct addr own = addr_v4(0x0a000001, 9100);
    uint32_t at = 0;

    (void)state;
    sim_start(&s);
    reconcile_own(s.r, "erlclu@10.0.0.1", 7, &own);
    reconcile_heard(s.r, "x@10.0.0.2", &own, true, s.now);
    const struct target *t = reconcile_walk(s.r, &at);

    assert_non_null(t);
    assert_false(t->self);
    assert_int_equal(t->addr.family, 0); /* its name says where it is */
    assert_true(reconcile_deadline(s.r) < NEVER);
    sim_stop(&s);
}

/* The entry leads to another node than the one that peers name: both are sought. */
static void hears_of_another(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "erlclu@10.0.0.2");
    reconcile_heard(s.r, "erlclu@10.0.0.2", NULL, true, s.now);
    sim_run(&s, 0, STAGE_NONE);
    sim_up(&s, sim_dialled(&s, "erlclu@10.0.0.2"), "app@10.0.0.2", "10.0.0.2", 1);
    sim_run(&s, 0, STAGE_TCP_REFUSED);
    sim_show(&s);
    reconcile_heard(s.r, "app@10.0.0.2", NULL, true, s.now);
    sim_run(&s, 6000, STAGE_TCP_REFUSED);
    buf_reset(&s.trace);
    sim_down(&s, "app@10.0.0.2");
    sim_run(&s, 0, STAGE_EPMD_UNKNOWN); /* it has moved */
    sim_show(&s);
    sim_expect(
        &s,
        "[  6000] down app@10.0.0.2\n"
        "[  6000] dial app@10.0.0.2 at 10.0.0.2: epmd-unknown\n"
        "[  6000] erlclu@10.0.0.2 failed, 5 attempts: tcp-refused since 0\n"
        "[  6000] app@10.0.0.2 failed, unlisted, hinted, 1 attempts: epmd-unknown since 6000\n");
    sim_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears),
        cmocka_unit_test(hears_our_address),
        cmocka_unit_test(hears_of_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
