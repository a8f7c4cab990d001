/* SPDX-License-Identifier: Apache-2.0 */
#include "find/schedule.h"

/* With TTLs in whole seconds a cache's falls by one at least within this time. */
#define SLOPE_MS 1000
/* 1 s, the shortest pause, becomes RELAXED_MAX_MS. */
#define STRETCH_MAX 32

/* The rounds after the start: dense while the DNS server may still be behind our own start. */
static const uint32_t burst_ms[] = {0, 100, 250, 500, 1000, 2000, 4000};

static uint64_t percent(struct rng *rng, uint64_t ms, uint64_t low, uint64_t high)
{
    return ms * rng_range(rng, low, high) / 100;
}

void schedule_start(struct schedule *s, struct rng *rng, uint64_t now_ms)
{
    *s = (struct schedule){.rng = rng,
                           .start_ms = now_ms,
                           .next_ms = now_ms,
                           .poke_ms = NEVER,
                           .calm_ms = NEVER,
                           .stir_ms = now_ms,
                           .stretch = 1};
}

void schedule_stir(struct schedule *s, uint64_t now_ms)
{
    s->stir_ms = now_ms;
}

void schedule_poke(struct schedule *s, uint64_t now_ms)
{
    const uint64_t credit = (POKE_BUCKET - 1) * POKE_GAP_MS;
    uint64_t at = s->paid_ms > now_ms + credit ? s->paid_ms - credit : now_ms;

    schedule_stir(s, now_ms);
    if (schedule_deadline(s) <= at)
        return; /* as soon as that it looks anyway */
    s->poke_ms = at;
    s->paid_ms = max_u64(s->paid_ms, at) + POKE_GAP_MS;
}

uint64_t schedule_deadline(const struct schedule *s)
{
    return min_u64(s->next_ms, s->poke_ms);
}

void schedule_begun(struct schedule *s)
{
    s->next_ms = s->poke_ms = NEVER;
}

/* The next round of the start burst; steps that passed meanwhile are left out. NEVER behind it. */
static uint64_t next_burst(struct schedule *s, uint64_t now_ms)
{
    while (s->burst != BURST_OVER) {
        if (++s->burst >= COUNT(burst_ms)) {
            s->burst = BURST_OVER;
            break;
        }
        uint64_t at = s->start_ms + percent(s->rng, burst_ms[s->burst], 80, 120);

        if (at > now_ms)
            return at;
    }
    return NEVER;
}

/* Full jitter, so that nodes that failed together do not return together; the first retry alone is
 * punctual: most failures are one lost packet. */
static uint64_t retry_after(struct schedule *s)
{
    uint64_t pause = 1000;

    if (s->failures == 1)
        return RETRY_FIRST_MS;
    for (unsigned i = 2; i < s->failures && pause < RETRY_MAX_MS; i++)
        pause *= 2;
    return rng_range(s->rng, RETRY_FIRST_MS, min_u64(pause, RETRY_MAX_MS));
}

/* Compares the TTL with that of an answer of the same kind that still held when this one came. What
 * fits neither verdict (several caches, another configuration) leaves it as it is. */
static void note_ttl(struct schedule *s, enum result_kind kind, uint32_t ttl_s, uint64_t now_ms)
{
    uint64_t age = now_ms - s->last.at_ms;

    if (s->last.kind == kind && age < (uint64_t)s->last.ttl_s * 1000) {
        uint64_t fallen = s->last.ttl_s > ttl_s ? s->last.ttl_s - ttl_s : 0;

        if (s->last.ttl_s == ttl_s && age >= SLOPE_MS)
            s->cache = CACHE_NONE;
        else if (fallen > 0 && fallen >= age / 1000 && fallen <= age / 1000 + 1)
            s->cache = CACHE_SEEN;
    }
    s->last.at_ms = now_ms;
    s->last.ttl_s = ttl_s;
    s->last.kind = kind;
}

const char *schedule_cache(const struct schedule *s)
{
    static const char *const texts[] = {
        [CACHE_UNKNOWN] = "", [CACHE_NONE] = "live", [CACHE_SEEN] = "cached"};

    return texts[s->cache];
}

static void relax(struct schedule *s, uint64_t now_ms)
{
    bool calm = s->calm_ms != NEVER && now_ms >= max_u64(s->calm_ms, s->stir_ms) + CALM_MS;

    s->stretch = !calm ? 1 : s->stretch < STRETCH_MAX ? s->stretch * 2 : STRETCH_MAX;
}

/* A server that knows says nothing about change by its TTL (kubeadm's is 30 s): it is not heeded
 * then. */
static uint64_t steady_after(struct schedule *s, uint32_t ttl_s)
{
    uint64_t ttl_ms = s->cache == CACHE_NONE ? NEVER : (uint64_t)ttl_s * 1000;
    uint64_t most_ms = s->cache == CACHE_SEEN ? RELAXED_MAX_MS : POLL_MAX_MS;
    uint64_t pause = min_u64(max_u64(ttl_ms, POLL_MIN_MS), most_ms);

    if (s->cache == CACHE_SEEN && s->stretch == 1)
        return pause + rng_range(s->rng, EXPIRED_MIN_MS, EXPIRED_MAX_MS);
    return percent(s->rng, min_u64(pause * s->stretch, RELAXED_MAX_MS), 90, 120);
}

void schedule_ended(struct schedule *s, enum result_kind kind, uint32_t ttl_s, bool settled,
                    uint64_t now_ms)
{
    bool failed = kind == RESULT_FAILED || kind == RESULT_PARTIAL;

    if (!failed)
        note_ttl(s, kind, ttl_s, now_ms);
    relax(s, now_ms);
    if (settled)
        s->burst = BURST_OVER;
    s->next_ms = next_burst(s, now_ms);
    if (s->next_ms != NEVER)
        return;
    s->failures = failed ? s->failures + 1 : 0;
    if (kind != RESULT_FAILED)
        s->next_ms = now_ms + steady_after(s, ttl_s);
    if (failed)
        s->next_ms = min_u64(s->next_ms, now_ms + retry_after(s));
}
