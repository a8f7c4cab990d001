/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "source_sim.h"

/* When a source asks, and what it lists meanwhile. */

/* All are there and we see ourselves: the burst ends when nothing changed twice, and the pace is
 * the TTL's, but no slower than 5 s. AAAA is left out after three empty answers; once a minute it
 * is asked all the same. */
static void settles(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC, "10.0.0.1");
    s.a = "10.0.0.1 10.0.0.2 ttl=30";
    sim_run(&s, 12000);
    sim_expect(&s, "[     0] A AAAA -> partial erlclu@10.0.0.1 erlclu@10.0.0.2 -> complete "
                   "erlclu@10.0.0.1 erlclu@10.0.0.2\n"
                   "[   117] A AAAA -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n"
                   "[   252] A AAAA -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n"
                   "[  5902] A -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n"
                   "[ 11052] A -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n");
    sim_run(&s, 46000);
    buf_reset(&s.trace);
    sim_run(&s, 10000);
    sim_expect(&s, "[ 60852] A AAAA -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n"
                   "[ 65752] A -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n");
    sim_stop(&s);
}

/* Nobody is ready at first, then others, then we: the burst goes on until we are in the answer.
 * What was listed is not forgotten when the name disappears. */
static void bursts(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC, "10.0.0.1");
    s.a = s.aaaa = "nxdomain";
    sim_run(&s, 300);
    assert_string_equal(
        source_reason(s.source),
        "no such name, or no pod is ready: check Service and namespace (the name is "
        "absolute), and set publishNotReadyAddresses: true so that starting pods "
        "find each other");
    s.a = "10.0.0.2";
    s.aaaa = "nodata";
    sim_run(&s, 700);
    s.a = "10.0.0.2 10.0.0.1";
    sim_run(&s, 3000);
    s.a = s.aaaa = "nxdomain";
    sim_run(&s, 6000);
    sim_expect(&s, "[     0] A AAAA -> negative\n"
                   "[   117] A AAAA -> negative\n"
                   "[   252] A AAAA -> negative\n"
                   "[   600] A AAAA -> partial erlclu@10.0.0.2 -> complete erlclu@10.0.0.2\n"
                   "[   800] A -> complete erlclu@10.0.0.2\n"
                   "[  1820] A -> complete erlclu@10.0.0.2 erlclu@10.0.0.1\n"
                   "[  3240] A -> complete erlclu@10.0.0.2 erlclu@10.0.0.1\n"
                   "[  9140] A -> negative erlclu@10.0.0.2 erlclu@10.0.0.1\n");
    sim_stop(&s);
}

/* A server in trouble: retried after 250 ms, then ever later; the list stays. */
static void backs_off(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC "?family=4", NULL);
    s.a = "10.0.0.2";
    sim_run(&s, 6000);
    buf_reset(&s.trace);
    s.a = "servfail";
    sim_run(&s, 100000);
    s.a = "10.0.0.3";
    sim_run(&s, 30000);
    sim_expect(&s, "[  9140] A -> failed erlclu@10.0.0.2\n"
                   "[  9390] A -> failed erlclu@10.0.0.2\n"
                   "[  9753] A -> failed erlclu@10.0.0.2\n"
                   "[ 10876] A -> failed erlclu@10.0.0.2\n"
                   "[ 12698] A -> failed erlclu@10.0.0.2\n"
                   "[ 13779] A -> failed erlclu@10.0.0.2\n"
                   "[ 22111] A -> failed erlclu@10.0.0.2\n"
                   "[ 42697] A -> failed erlclu@10.0.0.2\n"
                   "[ 59169] A -> failed erlclu@10.0.0.2\n"
                   "[ 61884] A -> failed erlclu@10.0.0.2\n"
                   "[ 80802] A -> failed erlclu@10.0.0.2\n"
                   "[ 96774] A -> failed erlclu@10.0.0.2\n"
                   "[126430] A -> partial erlclu@10.0.0.2 erlclu@10.0.0.3\n"
                   "[131130] A -> partial erlclu@10.0.0.2 erlclu@10.0.0.3\n");
    sim_stop(&s);
}

/* The steady pace follows the TTL between 1 and 5 s. */
static void follows_the_ttl(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC "?family=4", "10.0.0.1");
    s.a = "10.0.0.1 ttl=0";
    sim_run(&s, 3500);
    sim_expect(&s, "[     0] A -> complete erlclu@10.0.0.1\n"
                   "[   117] A -> complete erlclu@10.0.0.1\n"
                   "[   252] A -> complete erlclu@10.0.0.1\n"
                   "[  1382] A -> complete erlclu@10.0.0.1\n"
                   "[  2412] A -> complete erlclu@10.0.0.1\n");
    s.a = "10.0.0.1 ttl=3";
    sim_run(&s, 7000);
    sim_expect(&s, "[  3502] A -> complete erlclu@10.0.0.1\n"
                   "[  6802] A -> complete erlclu@10.0.0.1\n"
                   "[ 10342] A -> complete erlclu@10.0.0.1\n");
    s.a = "10.0.0.1 ttl=3600";
    sim_run(&s, 11000);
    sim_expect(&s, "[ 13252] A -> complete erlclu@10.0.0.1\n"
                   "[ 19202] A -> complete erlclu@10.0.0.1\n");
    sim_stop(&s);
}

/* Five pokes at once are served as they come; then one each half second; none is lost. */
static void limits_pokes(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC "?family=4", "10.0.0.1");
    s.a = "10.0.0.1 ttl=30";
    sim_run(&s, 4000);
    buf_reset(&s.trace);
    for (int i = 0; i < 20; i++) {
        source_poke(s.source, s.now);
        sim_run(&s, 50);
    }
    sim_expect(&s, "[  4000] A -> complete erlclu@10.0.0.1\n"
                   "[  4050] A -> complete erlclu@10.0.0.1\n"
                   "[  4100] A -> complete erlclu@10.0.0.1\n"
                   "[  4150] A -> complete erlclu@10.0.0.1\n"
                   "[  4200] A -> complete erlclu@10.0.0.1\n"
                   "[  4500] A -> complete erlclu@10.0.0.1\n"
                   "[  5000] A -> complete erlclu@10.0.0.1\n");
    sim_stop(&s);
}

/* A poke while the answer is out wants another look: what it tells may be newer than the answer. */
static void poked_in_a_round(void **state)
{
    struct sim s;
    struct need need;

    (void)state;
    sim_start(&s, SPEC "?family=4", "10.0.0.1");
    s.a = "10.0.0.1";
    assert_true(source_need(s.source, s.now, &need));
    source_poke(s.source, s.now);
    s.now += 20;
    sim_answer(&s, DNS_TYPE_A);
    buf_put_byte(&s.trace, '\n');
    sim_run(&s, 50);
    sim_expect(&s, " -> complete erlclu@10.0.0.1\n"
                   "[    20] A -> complete erlclu@10.0.0.1\n");
    sim_stop(&s);
}

/* A packet that is lost holds up nobody: the other family's addresses are listed at once. */
static void lists_early(void **state)
{
    struct sim s;
    struct need need;

    (void)state;
    sim_start(&s, SPEC "?family=both", "10.0.0.1");
    s.a = "10.0.0.1 10.0.0.2";
    s.aaaa = "timeout";
    while (source_need(s.source, s.now, &need))
        buf_printf(&s.trace, "asks %u\n", (unsigned)need.u.records.type);
    sim_answer(&s, DNS_TYPE_A);
    buf_printf(&s.trace, " \"%s\"\n", source_reason(s.source));
    s.now += 5000;
    sim_answer(&s, DNS_TYPE_AAAA);
    sim_expect(&s, "asks 1\n"
                   "asks 28\n"
                   " -> partial erlclu@10.0.0.1 erlclu@10.0.0.2 \"\"\n"
                   " -> partial erlclu@10.0.0.1 erlclu@10.0.0.2");
    assert_true(source_deadline(s.source) <= s.now + 250);
    sim_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settles),      cmocka_unit_test(bursts),
        cmocka_unit_test(backs_off),    cmocka_unit_test(follows_the_ttl),
        cmocka_unit_test(limits_pokes), cmocka_unit_test(poked_in_a_round),
        cmocka_unit_test(lists_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
