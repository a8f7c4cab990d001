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
                   "[  6000] app@10.0.0.2 failed, unlisted, 1 attempts: tcp-refused since 6000\n"
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

/* The template is a guess: where epmd lacked that name, the node that is there has another. It is
 * what the entry leads to, until it is there no more. */
static void corrects_the_template(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "erlclu@10.0.0.2");
    sim_run(&s, 0, STAGE_NONE);
    sim_up(&s, sim_dialled(&s, "erlclu@10.0.0.2"), "app@10.0.0.2", "10.0.0.2", 1);
    sim_list(&s, 0, RESULT_COMPLETE, "erlclu@10.0.0.2");
    sim_run(&s, 6000, STAGE_NONE);
    sim_show(&s);
    sim_down(&s, "app@10.0.0.2");
    sim_run(&s, 0, STAGE_TCP_REFUSED);
    sim_run(&s, 300, STAGE_EPMD_UNKNOWN);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 1 +0:erlclu@10.0.0.2\n"
                   "[     0] dial erlclu@10.0.0.2 at 10.0.0.2\n"
                   "[     0] up app@10.0.0.2\n"
                   "[     0] complete 1\n"
                   "[  6000] app@10.0.0.2 linked\n"
                   "[  6000] down app@10.0.0.2\n"
                   "[  6000] dial app@10.0.0.2 at 10.0.0.2: tcp-refused\n"
                   "[  6206] dial app@10.0.0.2 at 10.0.0.2: epmd-unknown\n"
                   "[  6300] erlclu@10.0.0.2 failed, 2 attempts: epmd-unknown since 6000\n");
    sim_stop(&s);
}

/* Another name at the same entry is another node, whatever its creation. */
static void another_node_is_no_incarnation(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "erlclu@10.0.0.2");
    sim_up(&s, 0, "erlclu@10.0.0.2", "10.0.0.2", 1);
    sim_down(&s, "erlclu@10.0.0.2");
    sim_run(&s, 300, STAGE_NONE);
    sim_up(&s, sim_dialled(&s, "erlclu@10.0.0.2"), "app@10.0.0.2", "10.0.0.2", 2);
    sim_expect(&s, "[     0] complete 1 +0:erlclu@10.0.0.2\n"
                   "[     0] up erlclu@10.0.0.2\n"
                   "[     0] down erlclu@10.0.0.2\n"
                   "[   206] dial erlclu@10.0.0.2 at 10.0.0.2\n"
                   "[   300] up app@10.0.0.2\n");
    sim_stop(&s);
}

/* The other node of that pod comes up under the very name of the entry: the entry is its own. */
static void gives_back_the_entry(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "erlclu@10.0.0.2");
    sim_run(&s, 0, STAGE_NONE);
    sim_up(&s, sim_dialled(&s, "erlclu@10.0.0.2"), "app@10.0.0.2", "10.0.0.2", 1);
    sim_up(&s, 0, "erlclu@10.0.0.2", "10.0.0.2", 2);
    sim_show(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "erlclu@10.0.0.2");
    sim_down(&s, "app@10.0.0.2");
    sim_down(&s, "erlclu@10.0.0.2");
    sim_run(&s, 1000, STAGE_NONE);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 1 +0:erlclu@10.0.0.2\n"
                   "[     0] dial erlclu@10.0.0.2 at 10.0.0.2\n"
                   "[     0] up app@10.0.0.2\n"
                   "[     0] up erlclu@10.0.0.2\n"
                   "[     0] app@10.0.0.2 linked, unlisted\n"
                   "[     0] erlclu@10.0.0.2 linked\n"
                   "[     0] complete 1\n"
                   "[     0] down app@10.0.0.2\n"
                   "[     0] down erlclu@10.0.0.2\n"
                   "[   206] dial erlclu@10.0.0.2 at 10.0.0.2\n"
                   "[  1000] app@10.0.0.2 absent, unlisted\n"
                   "[  1000] erlclu@10.0.0.2 dialling\n");
    sim_stop(&s);
}

/* It has dialled us under its name, and our attempt at its entry learns that it is the same node:
 * there is nothing left to dial. */
static void learns_who_is_linked(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "app@10.0.0.2");
    sim_up(&s, 0, "app@pod-0.svc", "10.0.0.2", 1);
    sim_run(&s, 0, STAGE_NONE);
    slot_id id = sim_dialled(&s, "app@10.0.0.2");

    assert_true(reconcile_learn(s.r, id, "app@pod-0.svc", s.now)->state == PEER_LINKED);
    reconcile_deferred(s.r, id, s.now); /* the end of the attempt: its target is gone */
    sim_run(&s, 60000, STAGE_NONE);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 1 +0:app@10.0.0.2\n"
                   "[     0] up app@pod-0.svc\n"
                   "[     0] dial app@10.0.0.2 at 10.0.0.2\n"
                   "[ 60000] app@pod-0.svc linked\n");
    sim_stop(&s);
}

/* A name that somebody asked for is that name; a link of another one is not what was dialled. */
static void keeps_what_was_asked_for(void **state)
{
    struct sim s;
    struct addr at = addr_v4(0x0a000002, 4000);

    (void)state;
    sim_start(&s);
    slot_id id = reconcile_hint(s.r, "x@10.0.0.2", &at, s.now)->id;

    sim_run(&s, 0, STAGE_NONE);
    assert_string_equal(reconcile_learn(s.r, id, "app@10.0.0.2", s.now)->name, "x@10.0.0.2");
    sim_up(&s, id, "app@10.0.0.2", "10.0.0.2", 1);
    sim_run(&s, 900, STAGE_NONE);
    sim_show(&s);
    sim_run(&s, 1000, STAGE_EPMD_UNKNOWN);
    sim_show(&s);
    sim_expect(&s, "[     0] dial x@10.0.0.2 at 10.0.0.2\n"
                   "[     0] up app@10.0.0.2\n"
                   "[   900] x@10.0.0.2 hinted, unlisted\n"
                   "[   900] app@10.0.0.2 linked, unlisted\n"
                   "[  1053] dial x@10.0.0.2 at 10.0.0.2: epmd-unknown\n"
                   "[  1900] x@10.0.0.2 failed, unlisted, 1 attempts: epmd-unknown since 0\n"
                   "[  1900] app@10.0.0.2 linked, unlisted\n");
    sim_stop(&s);
}

/* At our own address nobody but ourselves: shown as such, and asked again, for another node of this
 * pod may come, and then it is that one. */
static void waits_at_home(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.1");
    sim_run(&s, 0, STAGE_NONE);
    reconcile_alone(s.r, sim_dialled(&s, "10.0.0.1"), s.now);
    reconcile_alone(s.r, 0, s.now);
    sim_show(&s);
    sim_run(&s, 6000, STAGE_NONE);
    sim_up(&s, sim_dialled(&s, "10.0.0.1"), "app@10.0.0.1", "10.0.0.1", 3);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 1 +0:10.0.0.1\n"
                   "[     0] dial 10.0.0.1 at 10.0.0.1\n"
                   "[     0] 10.0.0.1 self hinted\n"
                   "[  5312] dial 10.0.0.1 at 10.0.0.1\n"
                   "[  6000] up app@10.0.0.1\n"
                   "[  6000] app@10.0.0.1 linked\n");
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

/* Another node of our pod dials us while our attempt there finds ourselves; and an entry at our own
 * address and port may say the name of a node that is somewhere else. Who is linked is a peer. */
static void links_are_not_itself(void **state)
{
    struct sim s;
    struct entry here = {.addr = addr_v4(0x0a000001, 9100), .name = "other@h"};
    const struct round round = {.kind = RESULT_COMPLETE, .entries = &here, .n = 1};

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.1");
    reconcile_list(s.r, 1, &round, s.now);
    sim_run(&s, 0, STAGE_NONE);
    slot_id id = sim_dialled(&s, "10.0.0.1");

    sim_show(&s);
    sim_up(&s, 0, "app@10.0.0.1", "10.0.0.1", 3);
    sim_up(&s, 0, "other@h", "10.0.0.9", 3);
    reconcile_is_self(s.r, id, s.now);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 1 +0:10.0.0.1\n"
                   "[     0] dial 10.0.0.1 at 10.0.0.1\n"
                   "[     0] 10.0.0.1 dialling\n"
                   "[     0] other@h self hinted\n"
                   "[     0] up app@10.0.0.1\n"
                   "[     0] up other@h\n"
                   "[     0] app@10.0.0.1 linked\n"
                   "[     0] other@h linked\n");
    sim_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_by_dialling),
        cmocka_unit_test(learns_from_inbound),
        cmocka_unit_test(collapses),
        cmocka_unit_test(hands_over_a_dial),
        cmocka_unit_test(unlearns),
        cmocka_unit_test(corrects_the_template),
        cmocka_unit_test(another_node_is_no_incarnation),
        cmocka_unit_test(gives_back_the_entry),
        cmocka_unit_test(learns_who_is_linked),
        cmocka_unit_test(keeps_what_was_asked_for),
        cmocka_unit_test(waits_at_home),
        cmocka_unit_test(learns_itself),
        cmocka_unit_test(links_are_not_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
