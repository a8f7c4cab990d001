/* SPDX-License-Identifier: Apache-2.0
 *
 * A cluster of machines in one process: virtual time, a network whose latency, cuts and kills are
 * the story's, one DNS zone. Everything follows from the seed; the trace is what stories assert.
 */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include "base/buf.h"
#include "mesh/machine.h"

#define SIM_NODES_MAX 512
#define SIM_DIST_PORT 9100

enum sim_dns { SIM_DNS_OK, SIM_DNS_NXDOMAIN, SIM_DNS_SERVFAIL, SIM_DNS_DROP, SIM_DNS_EMPTY };

struct sim;

/* sim_new: no node runs yet. Latency of a message: 1 to max_latency_ms. */
struct sim *sim_new(uint64_t seed, unsigned max_latency_ms);
void sim_free(struct sim *s);

/* Node i (from 1) is erlclu@10.0.0.i. sim_start lists it in the zone and starts it. */
void sim_start(struct sim *s, unsigned i);
/* sim_kill: the process is gone; its sockets close. unlist: the zone forgets it too. */
void sim_kill(struct sim *s, unsigned i, bool unlist);
/* sim_cut: no byte passes between the two, in either direction, nothing is closed. */
void sim_cut(struct sim *s, unsigned a, unsigned b, bool cut);
/* sim_break: resets the connections between the two. */
void sim_break(struct sim *s, unsigned a, unsigned b);
void sim_dns(struct sim *s, enum sim_dns mode);
/* sim_cookie: the cookie of a node started from now on. */
void sim_cookie(struct sim *s, unsigned i, const char *cookie);

/* sim_spec: what nodes started from now on discover by; "dns:mesh.test" at first. */
void sim_spec(struct sim *s, const char *spec);

/* sim_prune: nodes started from now on cut whom nobody lists for so long. sim_list: whether the
 * zone has node i. */
void sim_prune(struct sim *s, uint32_t after_ms);
void sim_list(struct sim *s, unsigned i, bool listed);

/* sim_run: until that moment. sim_run_until_whole: until every running node is linked with every
 * other one, or the moment; the time it took, or 0. */
void sim_run(struct sim *s, uint64_t until_ms);
uint64_t sim_run_until_whole(struct sim *s, uint64_t until_ms);
bool sim_is_whole(struct sim *s);
uint64_t sim_now(const struct sim *s);
struct machine *sim_machine(struct sim *s, unsigned i);
/* sim_links: nodes that node i is linked with. */
size_t sim_links(struct sim *s, unsigned i);

/* What the DNS server was asked since the last call: in all, and in the busiest second. */
struct sim_load {
    uint64_t queries, peak;
};
struct sim_load sim_load(struct sim *s);
/* sim_quiet: no trace from now on: a crowd has too much to tell. */
void sim_quiet(struct sim *s);

/* sim_trace: one line an event since the last call, "[ ms] i word node reason"; borrowed. */
const char *sim_trace(struct sim *s);
/* sim_digest: a number that stands for the whole trace so far. */
uint64_t sim_digest(const struct sim *s);

#endif
