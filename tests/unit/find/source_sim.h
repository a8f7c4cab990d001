/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FIND_SOURCE_SIM_H
#define TESTS_FIND_SOURCE_SIM_H

#include "dns_build.h"
#include "find/source.h"

/* A dns source and a DNS server of our own under virtual time. The story changes what the server
 * says; the trace of what the source did is the assertion. */

#define NAME "peers.example"
#define SPEC "dns:" NAME

struct sim {
    struct source *source;
    struct rng rng;
    struct source_place place;
    uint64_t now;
    const char *a, *aaaa; /* what the server says, in dns_build's words */
    uint32_t cached_s; /* a cache before it keeps answers for so long, and counts down; 0: none */
    uint64_t filled_ms;
    struct buf trace;
};

/* sim_start: our node is erlclu@10.0.0.1; own is its address, NULL for none. */
void sim_start(struct sim *s, const char *spec, const char *own);
void sim_stop(struct sim *s);
/* sim_step: one wake-up: the queries that are due, then their answers, A first. */
void sim_step(struct sim *s);
void sim_answer(struct sim *s, uint16_t type);
/* sim_run: so much time passes. */
void sim_run(struct sim *s, uint64_t ms);
void sim_expect(struct sim *s, const char *trace);
/* sim_last: how the last round ended, "complete NAME NAME"; ends the trace. */
const char *sim_last(struct sim *s);

/* give_records: what a resolver brought for a query of this type. */
static inline bool give_records(struct source *s, uint16_t type, enum dns_status status,
                                clu_slice msg, uint64_t now_ms)
{
    return source_given(
        s, &(struct given){.kind = GIVEN_RECORDS, .type = type, .dns = status, .bytes = msg},
        now_ms);
}

#endif
