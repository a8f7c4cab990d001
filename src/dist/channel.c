/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/channel_impl.h"

#include "dist/flags.h"

/* How often a ticktime is divided when the setting says nothing (net_tickintensity). */
#define INTENSITY_DEFAULT 4

void channel_init(struct channel *c, uint64_t flags, uint32_t ticktime_ms, uint32_t intensity,
                  uint64_t now_ms)
{
    *c = (struct channel){
        .flags = flags,
        .lender = {channel_lend},
        .headers = (flags & (DFLAG_DIST_HDR_ATOM_CACHE | DFLAG_FRAGMENTS)) != 0,
        .message_max = CHANNEL_MESSAGE_MAX,
        .header_size = 1,
        .tick_ms = ticktime_ms / (intensity == 0 ? INTENSITY_DEFAULT : intensity),
        .silence_ms = ticktime_ms,
        .last_in_ms = now_ms,
        .last_out_ms = now_ms,
    };
}

void channel_fini(struct channel *c)
{
    buf_free(&c->partial);
    atoms_in_free(&c->atoms_in);
    gather_done(&c->gather, c->done);
    c->done = c->into = c->huge = NULL;
    gather_free(&c->gather);
    loans_end(&c->message.loans, &c->out.spare_loans);
    outbox_free(&c->out);
    atoms_out_free(&c->atoms_out);
    c->at = c->end = NULL;
}

clu_error channel_fail(struct channel *c, clu_error err, const char *what)
{
    if (c->err == CLU_OK) {
        c->err = err;
        c->what = what;
    }
    return c->err;
}

uint64_t channel_next_stream(const struct channel *c, const struct gathering **at)
{
    do
        *at = *at == NULL ? c->gather.open : (*at)->next;
    while (*at != NULL && (*at)->stream == 0);
    return *at == NULL ? 0 : (*at)->stream;
}

/* ---- time ---- */

/* While bytes wait for the socket a tick would only wait behind them. */
static uint64_t next_tick(const struct channel *c)
{
    return channel_queued(c) > 0 ? NEVER : c->last_out_ms + c->tick_ms;
}

void channel_watch(struct channel *c, uint64_t now_ms)
{
    if (c->stuck_ms == 0 && channel_queued(c) > 0)
        c->stuck_ms = now_ms;
}

/* When a patient channel gives up a peer that reads nothing. */
static uint64_t stuck_until(const struct channel *c)
{
    return c->patient && c->stuck_ms > 0 ? c->stuck_ms + c->silence_ms : NEVER;
}

uint64_t channel_deadline(const struct channel *c)
{
    return min_u64(min_u64(c->last_in_ms + c->silence_ms, stuck_until(c)), next_tick(c));
}

/* An idle link owns no memory. */
static void release_memory(struct channel *c)
{
    if (c->partial.len == 0)
        buf_free(&c->partial);
    gather_trim(&c->gather);
    if (channel_queued(c) == 0)
        outbox_trim(&c->out);
}

clu_error channel_tick(struct channel *c, uint64_t now_ms)
{
    static const uint8_t tick[LENGTH_SIZE];

    if (c->err != CLU_OK)
        return c->err;
    if (now_ms >= c->last_in_ms + c->silence_ms)
        return channel_fail(c, CLU_ETIMEOUT, "nothing came from the node for a whole net_ticktime");
    if (now_ms >= stuck_until(c))
        return channel_fail(c, CLU_ETIMEOUT, "the node has read nothing for a whole net_ticktime");
    channel_watch(c, now_ms);
    if (now_ms < next_tick(c))
        return CLU_OK;
    release_memory(c);
    buf_put(&c->out.small, tick, sizeof tick);
    return c->out.small.err == CLU_OK ? CLU_OK
                                      : channel_fail(c, CLU_ENOMEM, "no memory for a tick");
}
