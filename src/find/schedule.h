/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_SCHEDULE_H
#define FIND_SCHEDULE_H

#include "base/rng.h"
#include "model/snapshot.h"

/* When a polled source looks: a burst at the start, then gently, with a back-off after failures;
 * and at once when poked, within limits. */

/* Steady interval: the answer's TTL within these. Live data often carries a long TTL (kubeadm's is
 * 30 s), hence the upper end; a query each 5 s costs the server nothing. */
#define POLL_MIN_MS 1000
#define POLL_MAX_MS 5000
/* First retry after a failure, and the longest pause. */
#define RETRY_FIRST_MS 250
#define RETRY_MAX_MS   30000
/* Pokes: one each POKE_GAP_MS, and this many at once before that holds. */
#define POKE_GAP_MS 500
#define POKE_BUCKET 5

#define BURST_OVER SIZE_MAX

struct schedule {
    struct rng *rng; /* borrowed */
    uint64_t start_ms;
    uint64_t next_ms;  /* the next round; NEVER while one is under way */
    uint64_t poke_ms;  /* a poke wants a round then; NEVER for none */
    uint64_t paid_ms;  /* pokes are paid for up to here */
    size_t burst;      /* rounds of the start burst that are over; BURST_OVER behind it */
    unsigned failures; /* rounds that failed in a row, behind the burst */
};

void schedule_start(struct schedule *s, struct rng *rng, uint64_t now_ms);
/* schedule_poke: a round soon: at once while the bucket lasts, else when it has one again. */
void schedule_poke(struct schedule *s, uint64_t now_ms);
/* schedule_deadline: when the next round is due. */
uint64_t schedule_deadline(const struct schedule *s);
/* schedule_begun: a round begins; pokes from now on want another one. */
void schedule_begun(struct schedule *s);
/* schedule_ended: a round ended like this. settled: there is nothing left to wait for in the start
 * burst. */
void schedule_ended(struct schedule *s, enum result_kind kind, uint32_t ttl_s, bool settled,
                    uint64_t now_ms);

#endif
