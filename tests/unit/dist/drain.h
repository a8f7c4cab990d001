/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIST_DRAIN_H
#define TESTS_DIST_DRAIN_H

#include "base/buf.h"
#include "dist/channel.h"

/* pending_len: bytes that channel_pending shows. */
static inline size_t pending_len(struct channel *c)
{
    struct iovec iov[64];
    size_t n = channel_pending(c, true, iov, COUNT(iov)), len = 0;

    for (size_t i = 0; i < n; i++)
        len += iov[i].iov_len;
    return len;
}

/* take_pending: appends to out what the channel has to send, at most `most` bytes, and tells it
 * that they were sent; their number, 0 when there is no more. */
static inline size_t take_pending(struct channel *c, struct buf *out, size_t most, uint64_t now_ms)
{
    struct iovec iov[64];
    size_t n = channel_pending(c, true, iov, COUNT(iov)), taken = 0;

    for (size_t i = 0; i < n && taken < most; i++) {
        size_t part = (size_t)min_u64(iov[i].iov_len, most - taken);

        buf_put(out, iov[i].iov_base, part);
        taken += part;
    }
    channel_sent(c, taken, now_ms);
    return taken;
}

/* take_all: the same to the end of the queue. */
static inline void take_all(struct channel *c, struct buf *out, uint64_t now_ms)
{
    while (take_pending(c, out, SIZE_MAX, now_ms) > 0) {
    }
}

#endif
