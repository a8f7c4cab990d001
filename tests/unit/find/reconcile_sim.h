/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FIND_RECONCILE_SIM_H
#define TESTS_FIND_RECONCILE_SIM_H

#include "base/buf.h"
#include "find/reconcile.h"

/* A reconciler under virtual time, told what happens in words; what it does is traced. */
struct sim {
    struct reconcile *r;
    struct rng rng;
    uint64_t now;
    /* Of the answers to come. */
    bool lacks_us, standing, adds_only;
    uint32_t ttl_s;
    struct buf trace;
};

/* sim_start: our node is erlclu@10.0.0.1, creation 7, at 10.0.0.1:9100. */
void sim_start(struct sim *s);
void sim_stop(struct sim *s);
/* sim_list: a source ended a round. Words are entries: "a@10.0.0.2" (name and address), "a@h" (the
 * host is to be resolved), "10.0.0.2" (the name is to be learnt); those behind a '-' are
 * terminating. The changes are traced. */
void sim_list(struct sim *s, unsigned source, enum result_kind kind, const char *words);
/* sim_poll: so many rounds of source 0 with these words, one after every 5 s; dials fail as in
 * sim_run. */
void sim_poll(struct sim *s, unsigned rounds, enum result_kind kind, const char *words,
              enum stage stage);
/* sim_run: time passes; every dial that is due is traced and, if stage is not STAGE_NONE, fails at
 * once at that stage. Links that are to be cut are traced, and closed. */
void sim_run(struct sim *s, uint64_t ms, enum stage stage);
/* sim_dialled: the target under way to this name or address. */
slot_id sim_dialled(struct sim *s, const char *what);
/* sim_up: a link; id 0 when it is inbound from this address. */
struct target *sim_up(struct sim *s, slot_id id, const char *name, const char *ip,
                      uint32_t creation);
void sim_down(struct sim *s, const char *name);
/* sim_show: all targets, a line each. */
void sim_show(struct sim *s);
/* sim_expect: the trace since the last call. */
void sim_expect(struct sim *s, const char *trace);
size_t sim_count(struct sim *s);
/* sim_tally: traces the tally; times as since the start. */
void sim_tally(struct sim *s);

#endif
