/* SPDX-License-Identifier: Apache-2.0
 *
 * crowd [NODES [SEED]]: a large cluster on one DNS server, in virtual time: what the server is
 * asked and how long the mesh takes to be whole again. Prints a table (docs/discovery.md has that
 * of 500 nodes) and fails where a herd thunders or a mesh stays broken.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim.h"

/* Latency between pods, at most. */
#define LATENCY_MS 10
/* A node asks twice, A and AAAA, in each look-up. Its start burst has at most seven look-ups in
 * some 8 s, later at most one a POLL_MIN_MS and a few triggered ones: in no second may the server
 * be asked more often than this per node. */
#define PEAK_PER_NODE 8
/* A mesh that is not whole by then stays broken. */
#define WHOLE_MS 60000

static int failures;

/* One line: the story, how long until the mesh was whole (0: it was all the time), the load. */
static void tell(struct sim *s, unsigned nodes, const char *story, uint64_t ms, uint64_t whole_ms)
{
    struct sim_load load = sim_load(s);
    double mean = (double)load.queries * 1000 / (double)ms;
    bool wrong = whole_ms == NEVER || load.peak > (uint64_t)nodes * PEAK_PER_NODE;

    printf("| %-44s | %7.1f | %7lu | ", story, mean, (unsigned long)load.peak);
    if (whole_ms == NEVER)
        printf("never |\n");
    else
        printf("%5.2f s |\n", (double)whole_ms / 1000);
    fflush(stdout);
    failures += wrong;
}

static uint64_t until_whole(struct sim *s)
{
    uint64_t took = sim_run_until_whole(s, sim_now(s) + WHOLE_MS);

    return took == 0 ? NEVER : took;
}

/* All pods of a Deployment of this size, scheduled within 10 s. */
static void cold_start(struct sim *s, unsigned nodes)
{
    uint64_t begin = sim_now(s);

    for (unsigned i = 1; i <= nodes; i++) {
        sim_start(s, i);
        sim_run(s, begin + 10000 * (uint64_t)i / nodes);
    }
    uint64_t whole = until_whole(s);

    tell(s, nodes, "cold start within 10 s, from the last start", sim_now(s) - begin, whole);
}

static void steady(struct sim *s, unsigned nodes, const char *story, uint64_t ms)
{
    sim_load(s);
    sim_run(s, sim_now(s) + ms);
    tell(s, nodes, story, ms, sim_is_whole(s) ? 0 : NEVER);
}

/* One node after the other goes and comes back: under its old address, so that the others' tables
 * tell an incarnation from a stranger. The slowest of the moments until all were linked again. */
static void rolling_restart(struct sim *s, unsigned nodes)
{
    uint64_t begin = sim_now(s), slowest = 0;

    for (unsigned i = 1; i <= nodes && slowest != NEVER; i++) {
        sim_kill(s, i, true);
        sim_run(s, sim_now(s) + 200);
        sim_start(s, i);
        slowest = max_u64(slowest, until_whole(s));
        sim_run(s, sim_now(s) + 300);
    }
    tell(s, nodes, "rolling restart, the slowest node's return", sim_now(s) - begin, slowest);
}

/* A third of the nodes is gone at once, and later comes back. */
static void zone_failure(struct sim *s, unsigned nodes)
{
    uint64_t begin = sim_now(s);

    for (unsigned i = 1; i <= nodes / 3; i++)
        sim_kill(s, i, true);
    sim_run(s, begin + 60000);
    tell(s, nodes, "a zone of a third is gone for 60 s", 60000, sim_is_whole(s) ? 0 : NEVER);
    begin = sim_now(s);
    for (unsigned i = 1; i <= nodes / 3; i++)
        sim_start(s, i);
    uint64_t whole = until_whole(s);

    sim_run(s, begin + 10000);
    tell(s, nodes, "it comes back at once", 10000, whole);
}

/* No server answers for a minute; one node restarts meanwhile and is found by the others. */
static void dns_outage(struct sim *s, unsigned nodes)
{
    sim_dns(s, SIM_DNS_DROP);
    steady(s, nodes, "no DNS for 60 s", 60000);
    sim_kill(s, nodes, false);
    sim_start(s, nodes);
    steady(s, nodes, "a node restarts in it; 60 s more", 60000);
    sim_dns(s, SIM_DNS_OK);
    steady(s, nodes, "DNS is back: the next 30 s", 30000);
    sim_dns(s, SIM_DNS_SERVFAIL);
    steady(s, nodes, "SERVFAIL for 60 s", 60000);
    sim_dns(s, SIM_DNS_OK);
}

int main(int argc, char **argv)
{
    unsigned nodes = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 50;
    struct sim *s = sim_new(argc > 2 ? strtoul(argv[2], NULL, 10) : 1, LATENCY_MS);

    if (nodes < 3 || nodes > SIM_NODES_MAX)
        return 2;
    sim_quiet(s);
    printf("%u nodes on one DNS server, records with a TTL of 5 s\n\n", nodes);
    printf(
        "| story                                        | queries/s | busiest second | whole |\n");
    printf("|---|---|---|---|\n");
    cold_start(s, nodes);
    steady(s, nodes, "steady: the first minute", 60000);
    sim_run(s, sim_now(s) + 420000);
    steady(s, nodes, "steady: after eight minutes of calm", 60000);
    rolling_restart(s, nodes);
    zone_failure(s, nodes);
    dns_outage(s, nodes);
    sim_free(s);
    printf("\n%d passed, %d failed\n", 10 - failures, failures);
    return failures > 0;
}
