/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_SCHEDULE_H
#define FIND_SCHEDULE_H

#include "base/rng.h"
#include "model/snapshot.h"

/* When a polled source looks: a burst at the start, then gently, more gently yet while all is calm,
 * with a back-off after failures; and at once when poked, within limits. */

/* Steady interval: the answer's TTL within these. Live data often carries a long TTL (kubeadm's is
 * 30 s), hence the upper end; a query each 5 s costs the server nothing. */
#define POLL_MIN_MS 1000
#define POLL_MAX_MS 5000
/* A cache in the path gives nothing new before its entry expires: the next round comes this much
 * later, but no later than RELAXED_MAX_MS, for there may be several caches. */
#define EXPIRED_MIN_MS 20
#define EXPIRED_MAX_MS 200
/* With all that is listed linked, and nothing changed or poked for so long, pauses double each
 * time, up to RELAXED_MAX_MS. */
#define CALM_MS        300000
#define RELAXED_MAX_MS 30000
/* First retry after a failure, and the longest pause. */
#define RETRY_FIRST_MS 250
#define RETRY_MAX_MS   30000
/* Pokes: one each POKE_GAP_MS, and this many at once before that holds. */
#define POKE_GAP_MS 500
#define POKE_BUCKET 5

#define BURST_OVER SIZE_MAX

/* Whether a cache stands between us and the server, by the TTLs of two answers within the first
 * one's: a cache counts down, a server that knows says the same again. */
enum cache { CACHE_UNKNOWN, CACHE_NONE, CACHE_SEEN };

struct schedule {
    struct rng *rng; /* borrowed */
    uint64_t start_ms;
    uint64_t next_ms;  /* the next round; NEVER while one is under way */
    uint64_t poke_ms;  /* a poke wants a round then; NEVER for none */
    uint64_t paid_ms;  /* pokes are paid for up to here */
    size_t burst;      /* rounds of the start burst that are over; BURST_OVER behind it */
    unsigned failures; /* rounds that failed in a row, behind the burst */
    uint64_t calm_ms;  /* all that is listed is linked, and nothing changed since; NEVER: it is not
                          so. Whoever knows sets it */
    uint64_t stir_ms;  /* the last poke or change */
    unsigned stretch;  /* pauses are so many times as long */
    enum cache cache;
    struct { /* the last answer that told a TTL */
        uint64_t at_ms;
        uint32_t ttl_s;
        enum result_kind kind;
    } last;
};

void schedule_start(struct schedule *s, struct rng *rng, uint64_t now_ms);
/* schedule_poke: a round soon: at once while the bucket lasts, else when it has one again. */
void schedule_poke(struct schedule *s, uint64_t now_ms);
/* schedule_stir: something changed: no time to relax. */
void schedule_stir(struct schedule *s, uint64_t now_ms);
/* schedule_deadline: when the next round is due. */
uint64_t schedule_deadline(const struct schedule *s);
/* schedule_begun: a round begins; pokes from now on want another one. */
void schedule_begun(struct schedule *s);
/* schedule_ended: a round ended like this. settled: there is nothing left to wait for in the start
 * burst. */
void schedule_ended(struct schedule *s, enum result_kind kind, uint32_t ttl_s, bool settled,
                    uint64_t now_ms);
/* schedule_cache: "live", "cached", or "" while that is not known. */
const char *schedule_cache(const struct schedule *s);

#endif
