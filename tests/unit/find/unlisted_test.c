/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "reconcile_sim.h"

/* What becomes of peers that no source lists any more. */

/* Two listed peers, of which the first is linked and the second refuses. */
static void start_with_two(struct sim *s)
{
    sim_start(s);
    sim_list(s, 0, RESULT_COMPLETE, "a@10.0.0.2 b@10.0.0.3");
    sim_run(s, 0, STAGE_NONE);
    sim_up(s, sim_dialled(s, "a@10.0.0.2"), "a@10.0.0.2", "10.0.0.2", 1);
    reconcile_failed(s->r, sim_dialled(s, "b@10.0.0.3"), STAGE_TCP_REFUSED, "no", s->now);
    buf_reset(&s->trace);
}

/* A link stays when its node is no longer listed. Who is down is dialled on until complete answers
 * leave no doubt, shown for an hour, and forgotten. */
static void goes_in_steps(void **state)
{
    struct sim s;

    (void)state;
    start_with_two(&s);
    sim_poll(&s, 4, RESULT_COMPLETE, "", STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_down(&s, "a@10.0.0.2"); /* the doubt is over long since: nobody dials it */
    sim_run(&s, ABSENT_KEPT_MS - 1, STAGE_NONE);
    sim_show(&s);
    assert_true(reconcile_deadline(s.r) == s.now + 1);
    sim_run(&s, 1, STAGE_NONE);
    sim_show(&s);
    sim_expect(&s, "[   206] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[   655] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[  1566] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[  3823] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[  5000] complete 0 -0:a@10.0.0.2 -0:b@10.0.0.3\n"
                   "[  8059] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[ 10000] complete 0\n"
                   "[ 15000] complete 0\n"
                   "[ 16778] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[ 20000] complete 0\n"
                   "[ 20000] a@10.0.0.2 linked, unlisted\n"
                   "[ 20000] b@10.0.0.3 absent, unlisted, 7 attempts: tcp-refused since 0\n"
                   "[ 20000] down a@10.0.0.2\n"
                   "[3619999] a@10.0.0.2 absent, unlisted\n"
                   "[3619999] b@10.0.0.3 absent, unlisted, 7 attempts: tcp-refused since 0\n");
    assert_int_equal(sim_count(&s), 0);
    assert_true(reconcile_deadline(s.r) == NEVER);
    sim_stop(&s);
}

/* Failed, negative and partial rounds tell nothing: all clocks stand still. */
static void freezes(void **state)
{
    static const enum result_kind kinds[] = {RESULT_FAILED, RESULT_NEGATIVE, RESULT_PARTIAL};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct sim s;

        start_with_two(&s);
        sim_poll(&s, 2, RESULT_COMPLETE, "", STAGE_TCP_REFUSED);
        sim_poll(&s, 10000, kinds[i], "", STAGE_TCP_REFUSED);
        sim_poll(&s, 1, RESULT_COMPLETE, "", STAGE_NONE); /* of the 15 s 5 are left */
        buf_reset(&s.trace);
        sim_run(&s, 4999, STAGE_TCP_REFUSED);
        sim_show(&s);
        sim_run(&s, 1, STAGE_TCP_REFUSED);
        sim_show(&s);
        sim_expect(&s,
                   "[50019999] a@10.0.0.2 linked, unlisted\n"
                   "[50019999] b@10.0.0.3 failed, unlisted, 1671 attempts: tcp-refused since 0\n"
                   "[50020000] a@10.0.0.2 linked, unlisted\n"
                   "[50020000] b@10.0.0.3 absent, unlisted, 1671 attempts: tcp-refused since 0\n");
        sim_stop(&s);
    }
}

/* Three answers at once prove nothing where servers cache; nor does time alone. */
static void takes_ttl_and_answers(void **state)
{
    struct sim s;

    (void)state;
    start_with_two(&s);
    s.ttl_s = 30;
    sim_list(&s, 0, RESULT_COMPLETE, "");
    sim_run(&s, 200000, STAGE_TCP_REFUSED);
    buf_reset(&s.trace);
    sim_show(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "");
    sim_list(&s, 0, RESULT_COMPLETE, "");
    sim_show(&s);
    sim_expect(&s, "[200000] a@10.0.0.2 linked, unlisted\n"
                   "[200000] b@10.0.0.3 failed, unlisted, 13 attempts: tcp-refused since 0\n"
                   "[200000] complete 0\n"
                   "[200000] complete 0\n"
                   "[200000] a@10.0.0.2 linked, unlisted\n"
                   "[200000] b@10.0.0.3 absent, unlisted, 13 attempts: tcp-refused since 0\n");
    sim_list(&s, 0, RESULT_COMPLETE, "b@10.0.0.3");
    for (int i = 0; i < 3; i++)
        sim_list(&s, 0, RESULT_COMPLETE, "");
    sim_run(&s, 89999, STAGE_TCP_REFUSED);
    buf_reset(&s.trace);
    sim_show(&s);
    sim_run(&s, 1, STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_expect(&s, "[289999] a@10.0.0.2 linked, unlisted\n"
                   "[289999] b@10.0.0.3 failed, unlisted, 22 attempts: tcp-refused since 0\n"
                   "[290000] a@10.0.0.2 linked, unlisted\n"
                   "[290000] b@10.0.0.3 absent, unlisted, 22 attempts: tcp-refused since 0\n");
    sim_stop(&s);
}

/* All sources that ask again and again have a say; one that is told of changes has had it. */
static void asks_all_sources(void **state)
{
    struct sim s;

    (void)state;
    start_with_two(&s);
    sim_list(&s, 1, RESULT_COMPLETE, "");
    s.standing = true;
    sim_list(&s, 2, RESULT_COMPLETE, "");
    s.standing = false;
    sim_poll(&s, 10, RESULT_COMPLETE, "", STAGE_TCP_REFUSED); /* source 1 is silent */
    buf_reset(&s.trace);
    sim_show(&s);
    for (int i = 0; i < 2; i++) {
        sim_list(&s, 1, RESULT_COMPLETE, "");
        sim_list(&s, 0, RESULT_COMPLETE, "");
    }
    sim_show(&s);
    sim_expect(&s, "[ 50000] a@10.0.0.2 linked, unlisted\n"
                   "[ 50000] b@10.0.0.3 failed, unlisted, 8 attempts: tcp-refused since 0\n"
                   "[ 50000] complete 0\n"
                   "[ 50000] complete 0\n"
                   "[ 50000] complete 0\n"
                   "[ 50000] complete 0\n"
                   "[ 50000] a@10.0.0.2 linked, unlisted\n"
                   "[ 50000] b@10.0.0.3 absent, unlisted, 8 attempts: tcp-refused since 0\n");
    sim_stop(&s);
}

/* A file, or a watch: there is no next answer to wait for. */
static void believes_who_is_told(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    s.standing = true;
    sim_list(&s, 0, RESULT_COMPLETE, "b@10.0.0.3");
    sim_list(&s, 0, RESULT_COMPLETE, "");
    sim_run(&s, GONE_MS - 1, STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_run(&s, 1, STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 1 +0:b@10.0.0.3\n"
                   "[     0] complete 0 -0:b@10.0.0.3\n"
                   "[     0] dial b@10.0.0.3 at 10.0.0.3: tcp-refused\n"
                   "[   206] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[   655] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[  1566] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[  3823] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[  8059] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[ 14999] b@10.0.0.3 failed, unlisted, 6 attempts: tcp-refused since 0\n"
                   "[ 15000] b@10.0.0.3 absent, unlisted, 6 attempts: tcp-refused since 0\n");
    sim_stop(&s);
}

/* Gossip never knows all: what it does not say stops no clock. */
static void passes_over_gossip(void **state)
{
    struct sim s;

    (void)state;
    start_with_two(&s);
    sim_poll(&s, 3, RESULT_COMPLETE, "", STAGE_TCP_REFUSED);
    s.adds_only = true;
    sim_list(&s, 1, RESULT_PARTIAL, "c@10.0.0.4");
    sim_list(&s, 1, RESULT_FAILED, "");
    buf_reset(&s.trace);
    sim_run(&s, 5000, STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_expect(&s, "[ 15000] dial c@10.0.0.4 at 10.0.0.4: tcp-refused\n"
                   "[ 15179] dial c@10.0.0.4 at 10.0.0.4: tcp-refused again\n"
                   "[ 15641] dial c@10.0.0.4 at 10.0.0.4: tcp-refused again\n"
                   "[ 16778] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[ 16797] dial c@10.0.0.4 at 10.0.0.4: tcp-refused again\n"
                   "[ 18621] dial c@10.0.0.4 at 10.0.0.4: tcp-refused again\n"
                   "[ 20000] a@10.0.0.2 linked, unlisted\n"
                   "[ 20000] b@10.0.0.3 absent, unlisted, 7 attempts: tcp-refused since 0\n"
                   "[ 20000] c@10.0.0.4 failed, 5 attempts: tcp-refused since 15000\n");
    sim_stop(&s);
}

/* Who comes back is dialled at once, and is the same target, learnt name and all. */
static void comes_back(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.2 10.0.0.3");
    sim_run(&s, 0, STAGE_NONE);
    sim_up(&s, sim_dialled(&s, "10.0.0.2"), "app@10.0.0.2", "10.0.0.2", 1);
    sim_down(&s, "app@10.0.0.2");
    sim_run(&s, 9000, STAGE_TCP_TIMEOUT);
    reconcile_failed(s.r, sim_dialled(&s, "10.0.0.3"), STAGE_TCP_TIMEOUT, "no", s.now);
    sim_poll(&s, 6, RESULT_COMPLETE, "", STAGE_TCP_TIMEOUT);
    buf_reset(&s.trace);
    sim_show(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.2 10.0.0.3");
    sim_run(&s, 600, STAGE_TCP_TIMEOUT);
    sim_show(&s);
    sim_expect(&s, "[ 39000] app@10.0.0.2 absent, unlisted, 6 attempts: tcp-timeout since 0\n"
                   "[ 39000] 10.0.0.3 absent, unlisted, 7 attempts: tcp-timeout since 0\n"
                   "[ 39000] complete 2 +0:app@10.0.0.2 +0:10.0.0.3\n"
                   "[ 39000] dial app@10.0.0.2 at 10.0.0.2: tcp-timeout again\n"
                   "[ 39000] dial 10.0.0.3 at 10.0.0.3: tcp-timeout again\n"
                   "[ 39216] dial 10.0.0.3 at 10.0.0.3: tcp-timeout again\n"
                   "[ 39231] dial app@10.0.0.2 at 10.0.0.2: tcp-timeout again\n"
                   "[ 39600] app@10.0.0.2 failed, 8 attempts: tcp-timeout since 0\n"
                   "[ 39600] 10.0.0.3 failed, 9 attempts: tcp-timeout since 0\n");
    sim_stop(&s);
}

/* A name that moves from address to address (a StatefulSet's) does not drag the old ones along. */
static void moves_house(void **state)
{
    struct sim s;
    char ip[ADDR_TEXT_MAX];

    (void)state;
    sim_start(&s);
    for (uint32_t i = 2; i < 100; i++) {
        struct addr addr = addr_v4(0x0a000000 + i, 0);

        sim_list(&s, 0, RESULT_COMPLETE, addr_ip_text(&addr, ip));
        sim_run(&s, 0, STAGE_NONE);
        sim_up(&s, sim_dialled(&s, ip), "app@pod-0.svc", ip, i);
        sim_run(&s, 6000, STAGE_NONE);
        buf_reset(&s.trace);
        sim_list(&s, 0, RESULT_COMPLETE, "");
        sim_down(&s, "app@pod-0.svc");
        sim_run(&s, 1000, STAGE_TCP_TIMEOUT);
    }
    sim_show(&s);
    sim_expect(&s,
               "[685000] complete 0 -0:app@pod-0.svc\n"
               "[685000] down app@pod-0.svc\n"
               "[685000] dial app@pod-0.svc at 10.0.0.99: tcp-timeout\n"
               "[685190] dial app@pod-0.svc at 10.0.0.99: tcp-timeout again\n"
               "[685729] dial app@pod-0.svc at 10.0.0.99: tcp-timeout again\n"
               "[686000] app@pod-0.svc failed, unlisted, 3 attempts: tcp-timeout since 685000\n");
    sim_stop(&s);
}

/* Whom a source calls terminating is not dialled; its link stays; when it goes, it is gone. */
static void leaves(void **state)
{
    struct sim s;

    (void)state;
    start_with_two(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "-a@10.0.0.2 -b@10.0.0.3 -c@10.0.0.4");
    sim_run(&s, 100000, STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_tally(&s);
    sim_down(&s, "a@10.0.0.2");
    sim_run(&s, 1000, STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "b@10.0.0.3"); /* an address that is used again */
    sim_run(&s, 0, STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 3 +0:c@10.0.0.4\n"
                   "[100000] a@10.0.0.2 linked, terminating\n"
                   "[100000] b@10.0.0.3 leaving, terminating, 1 attempts: tcp-refused since 0\n"
                   "[100000] c@10.0.0.4 leaving, terminating\n"
                   "[100000] 3 listed, 1 linked, 0 missing, 0 unlisted, 0 flaps, settled 0\n"
                   "[100000] down a@10.0.0.2\n"
                   "[101000] a@10.0.0.2 leaving, terminating\n"
                   "[101000] b@10.0.0.3 leaving, terminating, 1 attempts: tcp-refused since 0\n"
                   "[101000] c@10.0.0.4 leaving, terminating\n"
                   "[101000] complete 1 -0:a@10.0.0.2 -0:c@10.0.0.4\n"
                   "[101000] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[101000] a@10.0.0.2 absent, unlisted\n"
                   "[101000] b@10.0.0.3 failed, 2 attempts: tcp-refused since 0\n"
                   "[101000] c@10.0.0.4 absent, unlisted\n");
    sim_stop(&s);
}

/* A name that one entry calls terminating and another does not: a pod and its successor. */
static void succeeds(void **state)
{
    static const char *const answers[] = {"-a@10.0.0.2 a@10.0.0.3", "a@10.0.0.3 -a@10.0.0.2"};
    struct entry entries[2] = {{.name = "a@pod-0.svc"}, {.name = "a@pod-0.svc"}};

    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct sim s;
        const struct round round = {.kind = RESULT_COMPLETE, .entries = entries, .n = 2};

        sim_start(&s);
        for (size_t k = 0; k < 2; k++) {
            entries[k].terminating = k == i;
            entries[k].addr = addr_v4(0x0a000002 + (k != i), 0);
        }
        for (int k = 0; k < 2; k++)
            reconcile_list(s.r, 0, &round, s.now);
        sim_run(&s, 0, STAGE_TCP_REFUSED);
        sim_show(&s);
        sim_expect(&s, "[     0] dial a@pod-0.svc at 10.0.0.3: tcp-refused\n"
                       "[     0] a@pod-0.svc failed, 1 attempts: tcp-refused since 0\n");
        sim_stop(&s);
    }
}

/* DNS that answers with 5 of 15 (a sample, as some resolvers give): no link is lost, whoever is
 * down is found again, and one that nobody answers for is not forgotten. */
static void samples_lose_nobody(void **state)
{
    struct sim s;
    struct entry entries[15];
    struct round round = {.kind = RESULT_COMPLETE, .sees_us = true, .entries = entries, .n = 15};
    unsigned dials = 0;

    (void)state;
    sim_start(&s);
    for (unsigned i = 0; i < COUNT(entries); i++) {
        entries[i] = (struct entry){.addr = addr_v4(0x0a000010 + i, 0)};
        snprintf(entries[i].name, sizeof entries[i].name, "a@10.0.0.%u", 16 + i);
    }
    reconcile_list(s.r, 0, &round, s.now);
    for (unsigned i = 0; i < COUNT(entries); i++)
        sim_up(&s, 0, entries[i].name, entries[i].name + 2, 1);
    sim_down(&s, "a@10.0.0.30");
    round.n = 5;
    for (unsigned i = 0; i < 1000; i++) {
        for (unsigned k = 0; k < round.n; k++) {
            unsigned other = (unsigned)rng_range(&s.rng, k, COUNT(entries) - 1);
            struct entry entry = entries[k];

            entries[k] = entries[other];
            entries[other] = entry;
        }
        reconcile_list(s.r, 0, &round, s.now);
        for (struct target *t; (t = reconcile_next(s.r, s.now)) != NULL; dials++)
            reconcile_failed(s.r, t->id, STAGE_TCP_TIMEOUT, "no", s.now);
        s.now += 5000;
    }
    assert_int_equal(reconcile_tally(s.r)->linked, 14);
    assert_int_equal(sim_count(&s), 15);
    assert_in_range(dials, 100, 500); /* every 30 s at least, and less than with every answer */
    sim_stop(&s);
}

/* Expected against seen, in numbers. */
static void keeps_tally(void **state)
{
    struct sim s;

    (void)state;
    start_with_two(&s);
    sim_tally(&s);
    sim_run(&s, 100, STAGE_TCP_REFUSED);
    sim_list(&s, 1, RESULT_COMPLETE, "erlclu@10.0.0.1 -c@10.0.0.4 a@10.0.0.2");
    sim_tally(&s);
    sim_run(&s, 100, STAGE_TCP_REFUSED);
    sim_list(&s, 0, RESULT_COMPLETE, "b@10.0.0.3");
    sim_list(&s, 1, RESULT_COMPLETE, "");
    sim_tally(&s);
    sim_run(&s, 100, STAGE_TCP_REFUSED);
    sim_down(&s, "a@10.0.0.2");
    sim_tally(&s);
    sim_run(&s, 100, STAGE_TCP_REFUSED);
    sim_up(&s, 0, "a@10.0.0.2", "10.0.0.2", 1);
    sim_tally(&s);
    sim_down(&s, "a@10.0.0.2");
    sim_up(&s, 0, "a@10.0.0.2", "10.0.0.2", 2);
    sim_tally(&s);
    sim_expect(&s, "[     0] 2 listed, 1 linked, 1 missing, 0 unlisted, 0 flaps, settled 0\n"
                   "[   100] complete 3 +1:erlclu@10.0.0.1 +1:c@10.0.0.4 +1:a@10.0.0.2\n"
                   "[   100] 3 listed, 1 linked, 1 missing, 0 unlisted, 0 flaps, settled 100\n"
                   "[   200] complete 1 -0:a@10.0.0.2\n"
                   "[   200] complete 0 -1:a@10.0.0.2 -1:erlclu@10.0.0.1 -1:c@10.0.0.4\n"
                   "[   200] 1 listed, 1 linked, 1 missing, 1 unlisted, 0 flaps, settled 200\n"
                   "[   206] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[   300] down a@10.0.0.2\n"
                   "[   300] 1 listed, 0 linked, 1 missing, 0 unlisted, 0 flaps, settled 300\n"
                   "[   400] up a@10.0.0.2\n"
                   "[   400] 1 listed, 1 linked, 1 missing, 1 unlisted, 1 flaps, settled 400\n"
                   "[   400] down a@10.0.0.2\n"
                   "[   400] up a@10.0.0.2, a new incarnation\n"
                   "[   400] 1 listed, 1 linked, 1 missing, 1 unlisted, 1 flaps, settled 400\n");
    sim_stop(&s);
}

/* wait --reachable: that a node answers is all that is wanted. */
static void is_reached(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    sim_list(&s, 0, RESULT_COMPLETE, "10.0.0.2 10.0.0.3");
    sim_run(&s, 0, STAGE_NONE);
    reconcile_reached(s.r, sim_dialled(&s, "10.0.0.2"), "app@10.0.0.2", s.now);
    reconcile_reached(s.r, 0, "app@10.0.0.2", s.now);
    sim_run(&s, 100000, STAGE_NONE);
    sim_show(&s);
    sim_tally(&s);
    sim_expect(&s, "[     0] complete 2 +0:10.0.0.2 +0:10.0.0.3\n"
                   "[     0] dial 10.0.0.2 at 10.0.0.2\n"
                   "[     0] dial 10.0.0.3 at 10.0.0.3\n"
                   "[100000] app@10.0.0.2 reachable\n"
                   "[100000] 10.0.0.3 dialling\n"
                   "[100000] 2 listed, 0 linked, 1 missing, 0 unlisted, 0 flaps, settled 0\n");
    sim_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_in_steps),
        cmocka_unit_test(freezes),
        cmocka_unit_test(takes_ttl_and_answers),
        cmocka_unit_test(asks_all_sources),
        cmocka_unit_test(believes_who_is_told),
        cmocka_unit_test(passes_over_gossip),
        cmocka_unit_test(comes_back),
        cmocka_unit_test(moves_house),
        cmocka_unit_test(leaves),
        cmocka_unit_test(succeeds),
        cmocka_unit_test(samples_lose_nobody),
        cmocka_unit_test(keeps_tally),
        cmocka_unit_test(is_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
