/* SPDX-License-Identifier: Apache-2.0
 *
 * Stories of whole clusters. SIM_SEEDS=N runs N seeds of the random one (default 5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "mesh/internal.h"
#include "sim/sim.h"

static void expect(struct sim *s, const char *text)
{
    assert_string_equal(sim_trace(s), text);
}

static void start_all(struct sim *s, unsigned n)
{
    for (unsigned i = 1; i <= n; i++)
        sim_start(s, i);
}

static void two_nodes_find_each_other(void **state)
{
    struct sim *s = sim_new(1, 1);

    (void)state;
    sim_start(s, 1);
    sim_run(s, 2000);
    sim_start(s, 2);
    sim_run(s, 2100);
    expect(s, "[  1000] 1 started erlclu@10.0.0.1\n"
              "[  1000] 1 ready\n"
              "[  1001] 1 listed erlclu@10.0.0.1\n"
              "[  1001] 1 discovery\n"
              "[  2000] 2 started erlclu@10.0.0.2\n"
              "[  2000] 2 ready\n"
              "[  2001] 2 listed erlclu@10.0.0.1\n"
              "[  2001] 2 listed erlclu@10.0.0.2\n"
              "[  2001] 2 discovery\n"
              "[  2006] 1 node_up erlclu@10.0.0.2\n"
              "[  2007] 2 node_up erlclu@10.0.0.1\n"
              "[  2007] 1 listed erlclu@10.0.0.2\n"
              "[  2007] 1 discovery\n");
    sim_free(s);
}

static void all_at_once(void **state)
{
    struct sim *s = sim_new(2, 10);

    (void)state;
    start_all(s, 20);
    uint64_t took = sim_run_until_whole(s, 5000);

    assert_in_range(took, 1, 1000);
    sim_free(s);
}

static unsigned count_of(const char *text, const char *words)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, words)) != NULL; p++)
        n++;
    return n;
}

/* A new incarnation is told as such, by each of those who stayed: it is not one more node that
 * came. */
static void killed_and_restarted(void **state)
{
    struct sim *s = sim_new(3, 5);
    const char *trace;

    (void)state;
    start_all(s, 5);
    assert_true(sim_run_until_whole(s, 5000) > 0);
    sim_kill(s, 3, false);
    sim_run(s, sim_now(s) + 1000);
    assert_int_equal(sim_links(s, 1), 3);
    sim_trace(s);
    sim_start(s, 3);
    assert_in_range(sim_run_until_whole(s, sim_now(s) + 5000), 1, 2000);
    trace = sim_trace(s);
    assert_int_equal(count_of(trace, "node_replaced erlclu@10.0.0.3"), 4);
    assert_null(strstr(trace, "node_up erlclu@10.0.0.3"));
    assert_null(strstr(trace, "node_down"));
    sim_free(s);
}

/* No answer of DNS, or none at all, ever cuts a link. */
static void dns_fails_and_links_stay(void **state)
{
    static const enum sim_dns modes[] = {SIM_DNS_NXDOMAIN, SIM_DNS_SERVFAIL, SIM_DNS_DROP,
                                         SIM_DNS_EMPTY};

    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        struct sim *s = sim_new(4 + i, 5);

        start_all(s, 4);
        assert_true(sim_run_until_whole(s, 5000) > 0);
        sim_trace(s);
        sim_dns(s, modes[i]);
        sim_run(s, sim_now(s) + 10 * 60 * 1000);
        assert_null(strstr(sim_trace(s), "node_down"));
        assert_true(sim_is_whole(s));
        sim_free(s);
    }
}

/* A cut without a close is noticed by silence, and healed by dialling. */
static void cut_is_noticed_and_healed(void **state)
{
    struct sim *s = sim_new(9, 5);

    (void)state;
    start_all(s, 3);
    assert_true(sim_run_until_whole(s, 5000) > 0);
    sim_trace(s);
    sim_cut(s, 1, 2, true);
    sim_run(s, sim_now(s) + 80 * 1000);
    assert_int_equal(sim_links(s, 1), 1);
    assert_int_equal(sim_links(s, 2), 1);
    assert_int_equal(sim_links(s, 3), 2);
    sim_cut(s, 1, 2, false);
    assert_in_range(sim_run_until_whole(s, sim_now(s) + 60 * 1000), 1, 40 * 1000);
    sim_free(s);
}

static void wrong_cookie_is_told(void **state)
{
    struct sim *s = sim_new(11, 1);

    (void)state;
    sim_cookie(s, 2, "another");
    start_all(s, 2);
    sim_run(s, sim_now(s) + 5000);
    const char *trace = sim_trace(s);

    assert_non_null(strstr(trace, "dial_failed erlclu@10.0.0.2 cookie"));
    assert_null(strstr(trace, "node_up"));
    sim_free(s);
}

/* When the trace says this; it must. */
static uint64_t moment_of(const char *trace, const char *words)
{
    const char *at = strstr(trace, words);

    assert_non_null(at);
    while (*at != '[')
        at--;
    return strtoull(at + 1, NULL, 10);
}

/* Told once it has lasted for its time, though nothing else happens by then; so is its end. */
static void islands_are_told_in_time(void **state)
{
    struct sim *s = sim_new(13, 1);

    (void)state;
    start_all(s, 1);
    sim_cookie(s, 2, "another");
    sim_start(s, 2);
    sim_run(s, 60 * 1000);
    assert_in_range(moment_of(sim_trace(s), "1 islands"), 16 * 1000, 18 * 1000);
    sim_kill(s, 2, true);
    sim_cookie(s, 2, "sim");
    sim_start(s, 2);
    sim_run(s, 120 * 1000);
    const char *trace = sim_trace(s);
    uint64_t up = moment_of(trace, "1 node_up");

    assert_in_range(moment_of(trace, "1 one_mesh"), up + 15 * 1000, up + 17 * 1000);
    sim_free(s);
}

/* Who answers both questions of peer exchange is of our own kind, whichever answer is the last. */
static void our_own_kind_is_known(void **state)
{
    struct sim *s = sim_new(14, 5);

    (void)state;
    start_all(s, 3);
    assert_true(sim_run_until_whole(s, 5000) > 0);
    sim_run(s, sim_now(s) + 60 * 1000);
    for (unsigned i = 1; i <= 3; i++) {
        struct machine *m = sim_machine(s, i);
        const struct map_entry *at = NULL;
        const struct link *l;

        while ((l = map_next(&m->links, &at, NULL)) != NULL) {
            assert_int_equal(l->kin, KIN_OURS);
            assert_false(machine_is_beam(m, l->conn.id));
        }
    }
    sim_free(s);
}

/* Idle links live on: our ticks are enough for each other. */
static void idle_links_live(void **state)
{
    struct sim *s = sim_new(12, 5);

    (void)state;
    start_all(s, 3);
    assert_true(sim_run_until_whole(s, 5000) > 0);
    sim_trace(s);
    sim_run(s, sim_now(s) + 3600 * 1000);
    assert_null(strstr(sim_trace(s), "node_down"));
    sim_free(s);
}

/* Names that are learnt: whoever dials whom first, no link is lost, and nobody misses itself. */
static void learnt_names(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 40; seed++) {
        struct sim *s = sim_new(seed, 10);

        sim_spec(s, "dns:mesh.test?base=*");
        start_all(s, 4);
        assert_true(sim_run_until_whole(s, 5000) > 0);
        sim_run(s, sim_now(s) + 60 * 1000);
        const char *trace = sim_trace(s);

        assert_null(strstr(trace, "node_down"));
        assert_null(strstr(trace, "rejected"));
        assert_null(strstr(trace, "reconnected"));
        assert_true(sim_is_whole(s));
        assert_int_equal(machine_snapshot(sim_machine(s, 1), sim_now(s))->n_peers, 3);
        sim_free(s);
    }
}

/* ---- the wall's clock ---- */

/* It is set while the node runs: times are told by it from then on. */
static void follows_the_wall(void **state)
{
    static const struct {
        int64_t by_ms, shown_ms;
    } rows[] = {{3600000, 3600000}, {400, 0}, {-7200000, -7200000}, {-400, 0}, {1000, 1000}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sim *s = sim_new(3, 1);

        start_all(s, 2);
        assert_true(sim_run_until_whole(s, 5000) > 0);
        struct machine *m = sim_machine(s, 1);
        struct snapshot before = *machine_snapshot(m, sim_now(s));
        uint64_t since = before.peers[0].since_ms, version = before.version;

        machine_wall(m, before.now_ms + (uint64_t)rows[i].by_ms, sim_now(s));
        const struct snapshot *after = machine_snapshot(m, sim_now(s));

        assert_int_equal(after->now_ms - before.now_ms, (uint64_t)rows[i].shown_ms);
        assert_int_equal(after->started_ms - before.started_ms, (uint64_t)rows[i].shown_ms);
        assert_int_equal(after->peers[0].since_ms - since, (uint64_t)rows[i].shown_ms);
        assert_int_equal(after->version != version, rows[i].shown_ms != 0);
        sim_free(s);
    }
}

/* ---- leaving the list ---- */

/* Who is not listed any more stays linked; with --prune after:T it is cut, by one node after the
 * other, and does not come back by itself; listed again, it is linked again. */
static void unlisted_nodes_stay(void **state)
{
    (void)state;
    for (unsigned prune = 0; prune < 2; prune++) {
        struct sim *s = sim_new(50, 5);

        sim_prune(s, prune * 20000);
        start_all(s, 5);
        assert_true(sim_run_until_whole(s, 5000) > 0);
        sim_run(s, sim_now(s) + 10 * 1000); /* by then all have seen all listed */
        sim_trace(s);
        sim_list(s, 5, false);
        sim_run(s, sim_now(s) + 120 * 1000);
        assert_int_equal(sim_links(s, 5), prune ? 0 : 4);
        assert_int_equal(sim_links(s, 1), prune ? 3 : 4);
        const char *trace = sim_trace(s);

        assert_int_equal(strstr(trace, "node_down") != NULL, prune);
        assert_null(strstr(trace, "1 node_down erlclu@10.0.0.2"));
        sim_list(s, 5, true);
        assert_in_range(sim_run_until_whole(s, sim_now(s) + 40000), 1, 40000);
        sim_free(s);
    }
}

/* ---- the random story: whatever happens, it ends whole ---- */

#define STORY_NODES 8

static bool running[STORY_NODES + 1];

static void mishap(struct sim *s, struct rng *rng)
{
    unsigned a = (unsigned)rng_range(rng, 1, STORY_NODES);
    unsigned b = (unsigned)rng_range(rng, 1, STORY_NODES);

    switch (rng_range(rng, 0, 4)) {
    case 0:
        if (running[a])
            sim_kill(s, a, rng_range(rng, 0, 1) == 1);
        else
            sim_start(s, a);
        running[a] = !running[a];
        break;
    case 1:
        if (a != b)
            sim_cut(s, a, b, rng_range(rng, 0, 1) == 1);
        break;
    case 2: sim_dns(s, (enum sim_dns)rng_range(rng, 0, 4)); break;
    case 3:
        if (running[a] && running[b] && a != b)
            sim_break(s, a, b);
        break;
    default: sim_run(s, sim_now(s) + rng_range(rng, 1, 20000)); break;
    }
    sim_run(s, sim_now(s) + rng_range(rng, 1, 3000));
}

static void heal(struct sim *s)
{
    sim_dns(s, SIM_DNS_OK);
    for (unsigned a = 1; a <= STORY_NODES; a++) {
        for (unsigned b = 1; b <= STORY_NODES; b++)
            sim_cut(s, a, b, false);
        if (!running[a])
            sim_start(s, a);
        running[a] = true;
    }
}

/* For the reader of a failure: what each node says of those it is not linked with. */
static void tell_missing(struct sim *s)
{
    for (unsigned i = 1; i <= STORY_NODES; i++) {
        const struct snapshot *snap = machine_snapshot(sim_machine(s, i), sim_now(s));

        for (size_t k = 0; k < snap->n_peers; k++)
            if (snap->peers[k].state != PEER_LINKED)
                fprintf(stderr, "%u misses %s: state %u, listed %u, %s\n", i, snap->peers[k].name,
                        (unsigned)snap->peers[k].state, snap->peers[k].listed,
                        snap->peers[k].reason);
        fprintf(stderr, "%u knows %zu peers\n", i, snap->n_peers);
    }
}

static uint64_t story(uint64_t seed)
{
    struct sim *s = sim_new(seed, 20);
    struct rng rng;

    rng_init(&rng, seed);
    if (seed % 2 == 1)
        sim_spec(s, "dns:mesh.test?base=*");
    start_all(s, STORY_NODES);
    for (unsigned i = 1; i <= STORY_NODES; i++)
        running[i] = true;
    for (int i = 0; i < 60; i++)
        mishap(s, &rng);
    heal(s);
    /* Silence of a cut link may take net_ticktime and a quarter, redialling up to 36 s more. */
    if (sim_run_until_whole(s, sim_now(s) + 150 * 1000) == 0) {
        fprintf(stderr, "%s", sim_trace(s));
        tell_missing(s);
        fail_msg("seed %lu does not end whole", (unsigned long)seed);
    }
    uint64_t digest = sim_digest(s);

    sim_free(s);
    return digest;
}

static void random_stories_end_whole(void **state)
{
    const char *n = getenv("SIM_SEEDS");
    uint64_t seeds = n == NULL ? 5 : strtoull(n, NULL, 10);

    (void)state;
    for (uint64_t seed = 100; seed < 100 + seeds; seed++)
        assert_true(story(seed) == story(seed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_find_each_other), cmocka_unit_test(all_at_once),
        cmocka_unit_test(killed_and_restarted),      cmocka_unit_test(dns_fails_and_links_stay),
        cmocka_unit_test(cut_is_noticed_and_healed), cmocka_unit_test(wrong_cookie_is_told),
        cmocka_unit_test(islands_are_told_in_time),  cmocka_unit_test(our_own_kind_is_known),
        cmocka_unit_test(idle_links_live),           cmocka_unit_test(learnt_names),
        cmocka_unit_test(follows_the_wall),          cmocka_unit_test(unlisted_nodes_stay),
        cmocka_unit_test(random_stories_end_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
