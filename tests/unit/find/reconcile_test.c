/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "reconcile_sim.h"

/* Every one of these is a story; its trace is the assertion. */

/* What is listed is dialled, all at once; we are not; what fails is dialled again, ever later, for
 * ever, and shown since when and why. */
static void dials_what_is_listed(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "erlclu@10.0.0.1 erlclu@10.0.0.2 erlclu@10.0.0.3");
    sim_run(&s, 0, STAGE_NONE);
    sim_up(&s, sim_dialled(&s, "erlclu@10.0.0.2"), "erlclu@10.0.0.2", "10.0.0.2", 1);
    reconcile_failed(s.r, sim_dialled(&s, "erlclu@10.0.0.3"), STAGE_TCP_REFUSED, "no", s.now);
    sim_run(&s, 130000, STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 3 +0:erlclu@10.0.0.1 +0:erlclu@10.0.0.2 +0:erlclu@10.0.0.3\n"
                   "[     0] dial erlclu@10.0.0.2 at 10.0.0.2\n"
                   "[     0] dial erlclu@10.0.0.3 at 10.0.0.3\n"
                   "[     0] up erlclu@10.0.0.2\n"
                   "[   206] dial erlclu@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[   655] dial erlclu@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[  1566] dial erlclu@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[  3823] dial erlclu@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[  8059] dial erlclu@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[ 16778] dial erlclu@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[ 31403] dial erlclu@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[ 60575] dial erlclu@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[ 91328] dial erlclu@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[120046] dial erlclu@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[130000] erlclu@10.0.0.1 self hinted\n"
                   "[130000] erlclu@10.0.0.2 linked\n"
                   "[130000] erlclu@10.0.0.3 failed, 11 attempts: tcp-refused since 0\n");
    sim_stop(&s);
}

/* A pod that keeps its name may come back elsewhere: who is not linked is shown, and dialled, where
 * it is listed now. */
static void follows_an_address(void **state)
{
    struct sim s;
    struct entry e = {.name = "a@pod-0.x"};
    const struct round round = {.kind = RESULT_COMPLETE, .sees_us = true, .entries = &e, .n = 1};
    uint32_t at = 0;

    (void)state;
    sim_start(&s);
    e.addr = addr_v4(0x0a000002, 9100);
    reconcile_list(s.r, 0, &round, s.now);
    sim_run(&s, 4000, STAGE_TCP_REFUSED);
    uint64_t version = reconcile_version(s.r);

    e.addr = addr_v4(0x0a000003, 9101);
    reconcile_list(s.r, 0, &round, s.now);
    struct target *t = reconcile_walk(s.r, &at);

    assert_true(addr_equal(&t->addr, &e.addr));
    assert_true(reconcile_version(s.r) > version);
    version = reconcile_version(s.r);
    reconcile_list(s.r, 0, &round, s.now);
    assert_true(reconcile_version(s.r) == version);
    sim_stop(&s);
}

/* No answer ever cuts or forgets: empty, failed or partial, the linked stay and the others are
 * dialled on. */
static void forgets_nobody(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "a@10.0.0.2 a@10.0.0.3");
    sim_run(&s, 0, STAGE_NONE);
    sim_up(&s, sim_dialled(&s, "a@10.0.0.2"), "a@10.0.0.2", "10.0.0.2", 1);
    reconcile_failed(s.r, sim_dialled(&s, "a@10.0.0.3"), STAGE_TCP_TIMEOUT, "no", s.now);
    sim_list(&s, 0, RESULT_NEGATIVE, "");
    sim_list(&s, 0, RESULT_FAILED, "");
    sim_list(&s, 0, RESULT_PARTIAL, "a@10.0.0.4");
    sim_run(&s, 300, STAGE_TCP_TIMEOUT);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 2 +0:a@10.0.0.2 +0:a@10.0.0.3\n"
                   "[     0] dial a@10.0.0.2 at 10.0.0.2\n"
                   "[     0] dial a@10.0.0.3 at 10.0.0.3\n"
                   "[     0] up a@10.0.0.2\n"
                   "[     0] negative 0\n"
                   "[     0] failed 0\n"
                   "[     0] partial 1 +0:a@10.0.0.4\n"
                   "[     0] dial a@10.0.0.4 at 10.0.0.4: tcp-timeout\n"
                   "[   206] dial a@10.0.0.4 at 10.0.0.4: tcp-timeout again\n"
                   "[   206] dial a@10.0.0.3 at 10.0.0.3: tcp-timeout again\n"
                   "[   300] a@10.0.0.2 linked\n"
                   "[   300] a@10.0.0.3 failed, 2 attempts: tcp-timeout since 0\n"
                   "[   300] a@10.0.0.4 failed, 2 attempts: tcp-timeout since 0\n");
    sim_stop(&s);
}

/* Two sources list one node: it is listed until the second one drops it. */
static void counts_sources(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "a@h");
    sim_list(&s, 3, RESULT_COMPLETE, "a@h");
    sim_list(&s, 0, RESULT_COMPLETE, "");
    sim_show(&s);
    sim_list(&s, 3, RESULT_COMPLETE, "");
    sim_show(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "a@h");
    sim_show(&s);
    sim_list(&s, 32, RESULT_COMPLETE, "b@h");
    sim_expect(&s, "[     0] complete 1 +0:a@h\n"
                   "[     0] complete 1 +3:a@h\n"
                   "[     0] complete 0 -0:a@h\n"
                   "[     0] a@h hinted\n"
                   "[     0] complete 0 -3:a@h\n"
                   "[     0] a@h hinted, unlisted\n"
                   "[     0] complete 1 +0:a@h\n"
                   "[     0] a@h hinted\n"
                   "[     0] complete 1\n");
    sim_stop(&s);
}

/* A listed node that is lost is dialled at once; one that closes what it accepts is not. */
static void redials(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "a@10.0.0.2");
    sim_run(&s, 0, STAGE_NONE);
    sim_up(&s, sim_dialled(&s, "a@10.0.0.2"), "a@10.0.0.2", "10.0.0.2", 1);
    sim_run(&s, 5000, STAGE_NONE);
    sim_down(&s, "a@10.0.0.2");
    sim_show(&s);
    for (int i = 0; i < 4; i++) {
        sim_run(&s, 3000, STAGE_NONE);
        sim_up(&s, sim_dialled(&s, "a@10.0.0.2"), "a@10.0.0.2", "10.0.0.2", 1);
        sim_run(&s, 10, STAGE_NONE);
        sim_down(&s, "a@10.0.0.2");
    }
    sim_expect(&s, "[     0] complete 1 +0:a@10.0.0.2\n"
                   "[     0] dial a@10.0.0.2 at 10.0.0.2\n"
                   "[     0] up a@10.0.0.2\n"
                   "[  5000] down a@10.0.0.2\n"
                   "[  5000] a@10.0.0.2 lost\n"
                   "[  5000] dial a@10.0.0.2 at 10.0.0.2\n"
                   "[  8000] up a@10.0.0.2\n"
                   "[  8010] down a@10.0.0.2\n"
                   "[  8216] dial a@10.0.0.2 at 10.0.0.2\n"
                   "[ 11010] up a@10.0.0.2\n"
                   "[ 11020] down a@10.0.0.2\n"
                   "[ 11469] dial a@10.0.0.2 at 10.0.0.2\n"
                   "[ 14020] up a@10.0.0.2\n"
                   "[ 14030] down a@10.0.0.2\n"
                   "[ 14941] dial a@10.0.0.2 at 10.0.0.2\n"
                   "[ 17030] up a@10.0.0.2\n"
                   "[ 17040] down a@10.0.0.2\n");
    sim_stop(&s);
}

/* The same name with another creation is a new incarnation, whoever dialled. */
static void tells_incarnations(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "a@10.0.0.2");
    sim_run(&s, 0, STAGE_NONE);
    sim_up(&s, sim_dialled(&s, "a@10.0.0.2"), "a@10.0.0.2", "10.0.0.2", 1);
    sim_run(&s, 6000, STAGE_NONE);
    sim_down(&s, "a@10.0.0.2");
    sim_run(&s, 100, STAGE_TCP_REFUSED);
    sim_up(&s, 0, "a@10.0.0.2", "10.0.0.2", 1);
    sim_down(&s, "a@10.0.0.2");
    sim_up(&s, 0, "a@10.0.0.2", "10.0.0.2", 2);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 1 +0:a@10.0.0.2\n"
                   "[     0] dial a@10.0.0.2 at 10.0.0.2\n"
                   "[     0] up a@10.0.0.2\n"
                   "[  6000] down a@10.0.0.2\n"
                   "[  6000] dial a@10.0.0.2 at 10.0.0.2: tcp-refused\n"
                   "[  6100] up a@10.0.0.2\n"
                   "[  6100] down a@10.0.0.2\n"
                   "[  6100] up a@10.0.0.2, a new incarnation\n"
                   "[  6100] a@10.0.0.2 linked\n");
    sim_stop(&s);
}

/* A node that has ended does not come back: two have this name. But where creations are few, one
 * of them is drawn again. */
static void tells_twins(void **state)
{
    static const struct {
        uint32_t creations[4];
        bool twins[4];
    } rows[] = {
        {{70, 71, 70, 71}, {false, false, true, true}},
        {{70, 71, 72, 70}, {false, false, false, false}},
        {{70, 70, 71, 71}, {false, false, false, false}},
        {{1, 2, 1, 2}, {false, false, false, false}},
        {{3, 70, 3, 70}, {false, false, false, true}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sim s;

        sim_start(&s);
        for (size_t k = 0; k < COUNT(rows[i].creations); k++) {
            const struct target *t = sim_up(&s, 0, "a@10.0.0.2", "10.0.0.2", rows[i].creations[k]);

            if (t->twins != rows[i].twins[k])
                fail_msg("row %zu, link %zu", i, k);
        }
        sim_stop(&s);
    }
}

/* The peer's attempt wins over ours: the failure of ours is no news and changes nothing. */
static void inbound_wins(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "a@10.0.0.2 a@10.0.0.3");
    sim_run(&s, 0, STAGE_NONE);
    slot_id a = sim_dialled(&s, "a@10.0.0.2"), b = sim_dialled(&s, "a@10.0.0.3");

    sim_up(&s, 0, "a@10.0.0.2", "10.0.0.2", 1);
    assert_false(reconcile_failed(s.r, a, STAGE_CLOSED, "no", s.now));
    reconcile_deferred(s.r, a, s.now);
    reconcile_deferred(s.r, b, s.now);
    sim_run(&s, 5000, STAGE_NONE);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 2 +0:a@10.0.0.2 +0:a@10.0.0.3\n"
                   "[     0] dial a@10.0.0.2 at 10.0.0.2\n"
                   "[     0] dial a@10.0.0.3 at 10.0.0.3\n"
                   "[     0] up a@10.0.0.2\n"
                   "[  1053] dial a@10.0.0.3 at 10.0.0.3\n"
                   "[  5000] a@10.0.0.2 linked\n"
                   "[  5000] a@10.0.0.3 dialling\n");
    sim_stop(&s);
}

/* Who dials us and is listed nowhere is shown, and forgotten in time after it left. */
static void keeps_strangers(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    struct target *t = sim_up(&s, 0, "visitor@10.0.0.9", "10.0.0.9", 3);

    assert_int_equal(t->addr.port, 0);
    sim_show(&s);
    sim_down(&s, "visitor@10.0.0.9");
    sim_show(&s);
    sim_run(&s, ABSENT_KEPT_MS - 1, STAGE_NONE);
    assert_int_equal(sim_count(&s), 1);
    sim_run(&s, 1, STAGE_NONE);
    assert_int_equal(sim_count(&s), 0);
    sim_expect(&s, "[     0] up visitor@10.0.0.9\n"
                   "[     0] visitor@10.0.0.9 linked, unlisted\n"
                   "[     0] down visitor@10.0.0.9\n"
                   "[     0] visitor@10.0.0.9 absent, unlisted\n");
    sim_stop(&s);
}

/* A hint is dialled once; its failure stays to be read for a while. */
static void hints_once(void **state)
{
    struct sim s;
    struct addr at = addr_v4(0x0a000005, 4000);

    (void)state;
    sim_start(&s);
    assert_null(reconcile_hint(s.r, "", NULL, s.now));
    struct target *t = reconcile_hint(s.r, "x@h", &at, s.now);

    sim_run(&s, 10000, STAGE_EPMD_UNKNOWN);
    assert_ptr_equal(reconcile_get(s.r, t->id), t);
    sim_show(&s);
    assert_ptr_equal(reconcile_hint(s.r, "x@h", NULL, s.now), t);
    sim_run(&s, 10000, STAGE_EPMD_UNKNOWN);
    sim_up(&s, 0, "x@h", "10.0.0.5", 1);
    reconcile_hint(s.r, "x@h", NULL, s.now);
    sim_run(&s, 10000, STAGE_NONE);
    sim_down(&s, "x@h");
    sim_run(&s, ABSENT_KEPT_MS, STAGE_NONE);
    assert_int_equal(sim_count(&s), 0);
    sim_expect(&s, "[     0] dial x@h at 10.0.0.5: epmd-unknown\n"
                   "[ 10000] x@h failed, unlisted, 1 attempts: epmd-unknown since 0\n"
                   "[ 10000] dial x@h at 10.0.0.5: epmd-unknown again\n"
                   "[ 20000] up x@h\n"
                   "[ 30000] down x@h\n");
    sim_stop(&s);
}

/* The port of what is dialled by its name is asked for each time: who comes back has another. */
static void ports_are_not_kept(void **state)
{
    struct sim s;
    struct addr at = addr_v4(0x0a000005, 4000);
    bool again;

    (void)state;
    sim_start(&s);
    struct target *t = reconcile_hint(s.r, "x@h", NULL, s.now);

    assert_ptr_equal(reconcile_next(s.r, s.now), t);
    assert_ptr_equal(reconcile_up(s.r, t->id, "x@h", &at, 3, s.now, &again), t);
    assert_int_equal(t->addr.port, 4000);
    reconcile_down(s.r, "x@h", s.now, "gone");
    assert_ptr_equal(reconcile_hint(s.r, "x@h", NULL, s.now), t);
    assert_true(addr_same_ip(&t->addr, &at));
    assert_int_equal(t->addr.port, 0);
    /* One that was told is tried once. */
    t = reconcile_hint(s.r, "y@h", &at, s.now);
    assert_int_equal(t->addr.port, 4000);
    sim_run(&s, 10000, STAGE_TCP_REFUSED);
    assert_ptr_equal(reconcile_hint(s.r, "y@h", NULL, s.now), t);
    assert_int_equal(t->addr.port, 0);
    sim_stop(&s);
}

/* Ourselves: by name, by address and port, by the handshake; an address alone is another node. */
static void knows_itself(void **state)
{
    struct sim s;
    struct entry here = {.addr = addr_v4(0x0a000001, 9100), .name = "other@10.0.0.1"};
    struct addr own = addr_v4(0x0a000001, 9100);

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "erlclu@10.0.0.1 beam@10.0.0.1");
    const struct round round = {.kind = RESULT_COMPLETE, .entries = &here, .n = 1};

    reconcile_list(s.r, 1, &round, s.now);
    sim_list(&s, 2, RESULT_COMPLETE, "10.0.0.1");
    sim_run(&s, 0, STAGE_NONE);
    reconcile_is_self(s.r, sim_dialled(&s, "10.0.0.1"), s.now);
    sim_run(&s, 60000, STAGE_NONE);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 2 +0:erlclu@10.0.0.1 +0:beam@10.0.0.1\n"
                   "[     0] complete 1 +1:other@10.0.0.1 +2:10.0.0.1\n"
                   "[     0] dial beam@10.0.0.1 at 10.0.0.1\n"
                   "[     0] dial 10.0.0.1 at 10.0.0.1\n"
                   "[ 60000] erlclu@10.0.0.1 self hinted\n"
                   "[ 60000] beam@10.0.0.1 dialling\n"
                   "[ 60000] other@10.0.0.1 self hinted\n");
    reconcile_own(s.r, "renamed@10.0.0.1", 8, &own); /* what was ourselves is a stranger now */
    sim_run(&s, 0, STAGE_NONE);
    sim_show(&s);
    sim_expect(&s, "[ 60000] dial erlclu@10.0.0.1 at 10.0.0.1\n"
                   "[ 60000] erlclu@10.0.0.1 dialling\n"
                   "[ 60000] beam@10.0.0.1 dialling\n"
                   "[ 60000] other@10.0.0.1 self hinted\n");
    sim_stop(&s);
}

/* A dynamic name may come true under an entry that is being dialled. */
static void links_with_itself(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.1");
    sim_run(&s, 0, STAGE_NONE);
    assert_true(sim_up(&s, sim_dialled(&s, "10.0.0.1"), "erlclu@10.0.0.1", "10.0.0.1", 7)->self);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 1 +0:10.0.0.1\n"
                   "[     0] dial 10.0.0.1 at 10.0.0.1\n"
                   "[     0] up erlclu@10.0.0.1\n"
                   "[     0] erlclu@10.0.0.1 self hinted\n");
    sim_stop(&s);
}

/* A poke dials all that wait for their back-off. */
static void pokes(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "a@10.0.0.2 a@10.0.0.3");
    sim_run(&s, 9000, STAGE_TCP_REFUSED);
    buf_reset(&s.trace);
    reconcile_poke(s.r, s.now);
    sim_run(&s, 300, STAGE_TCP_REFUSED);
    sim_expect(&s, "[  9000] dial a@10.0.0.2 at 10.0.0.2: tcp-refused again\n"
                   "[  9000] dial a@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[  9228] dial a@10.0.0.2 at 10.0.0.2: tcp-refused again\n"
                   "[  9233] dial a@10.0.0.3 at 10.0.0.3: tcp-refused again\n");
    sim_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_an_address),
        cmocka_unit_test(dials_what_is_listed),
        cmocka_unit_test(forgets_nobody),
        cmocka_unit_test(counts_sources),
        cmocka_unit_test(redials),
        cmocka_unit_test(tells_incarnations),
        cmocka_unit_test(tells_twins),
        cmocka_unit_test(inbound_wins),
        cmocka_unit_test(keeps_strangers),
        cmocka_unit_test(hints_once),
        cmocka_unit_test(ports_are_not_kept),
        cmocka_unit_test(knows_itself),
        cmocka_unit_test(links_with_itself),
        cmocka_unit_test(pokes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
