/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/channel_impl.h"

/* Frames above the limit. A BEAM sends messages in one frame each, whatever their size, while it
 * does not know yet that we take fragments: those by which it dials us. Such a frame is dealt with
 * as a message in fragments is: put together if its payload may have that size, handed out as it
 * comes where a stream is wanted, or passed over without memory, and its receiver told. */

/* The sequence by which the parts of a stream are told from others: no peer counts so far. */
#define HUGE_SEQUENCE UINT64_MAX

clu_error channel_read_huge(struct channel *c, clu_slice frame, struct frame *f)
{
    clu_slice rest;
    clu_error err = channel_read_control(c, frame, f, &rest);
    struct gathering *m = err == CLU_OK ? channel_open(c, HUGE_SEQUENCE, 1, f) : NULL;

    if (m == NULL)
        return c->err;
    if (m->mode == GATHER_KEEP && c->huge_len - (frame.len - rest.len) > c->message_max)
        m->mode = GATHER_SKIP;
    c->huge = m;
    c->huge_left = c->huge_len - frame.len;
    c->huge_len = 0;
    *f = (struct frame){0};
    if (m->mode == GATHER_STREAM)
        channel_show(m, f, FRAME_FIRST, rest);
    return channel_keep(c, m, rest);
}

bool channel_read_on(struct channel *c, clu_slice bytes, struct frame *f)
{
    struct gathering *m = c->huge;

    c->huge_left -= bytes.len;
    if (bytes.len == 0 || channel_keep(c, m, bytes) != CLU_OK)
        return false;
    if (c->huge_left == 0) {
        c->huge = NULL;
        return channel_close(c, m, bytes, f) == CLU_OK;
    }
    if (m->mode == GATHER_STREAM)
        channel_show(m, f, FRAME_PART, bytes);
    return true;
}
