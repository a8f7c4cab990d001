/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIST_CHANNEL_IMPL_H
#define DIST_CHANNEL_IMPL_H

#include "dist/channel.h"

/* Inside of the channel: channel_in.c splits bytes into frames, channel_read.c reads what is in a
 * frame, channel_write.c writes them, channel.c keeps time. */

/* The 4 bytes in front of every frame. */
#define LENGTH_SIZE 4

/* channel_fail: the first error stays; returns the one that does. */
clu_error channel_fail(struct channel *c, clu_error err, const char *what);
/* channel_read: what a frame holds. f stays empty when more of its message has to come. */
CLU_MUST_USE clu_error channel_read(struct channel *c, clu_slice frame, struct frame *f);
/* channel_read_into: of an incomplete frame, all but its length: whether it is the next fragment of
 * a message that is being put together. Then what is there has been taken, and c->into and
 * c->into_left are set for the other `more` bytes. channel_read_rest: they have come. */
bool channel_read_into(struct channel *c, clu_slice frame, size_t more);
CLU_MUST_USE clu_error channel_read_rest(struct channel *c, struct frame *f);
/* channel_open: a message of which only the begin is there, with the control in f; NULL: the
 * channel has failed. Its mode is GATHER_STREAM or GATHER_KEEP. */
struct gathering *channel_open(struct channel *c, uint64_t sequence, uint64_t fragments,
                               const struct frame *f);
/* channel_keep: more of its payload, if that is kept. channel_close: its last bytes have come. */
CLU_MUST_USE clu_error channel_keep(struct channel *c, struct gathering *m, clu_slice bytes);
CLU_MUST_USE clu_error channel_close(struct channel *c, struct gathering *m, clu_slice rest,
                                     struct frame *f);
/* channel_show: what a gathering keeps, as a frame. channel_read_control: what stands in front of
 * the payload, of the frame's first bytes at least. */
void channel_show(const struct gathering *m, struct frame *f, enum frame_part part,
                  clu_slice payload);
CLU_MUST_USE clu_error channel_read_control(struct channel *c, clu_slice frame, struct frame *f,
                                            clu_slice *rest);
/* channel_read_huge: the first CHANNEL_HUGE_HEAD bytes of a frame of c->huge_len, which is over the
 * limit; c->huge and c->huge_left are set. channel_read_on: bytes of its rest; false: none. */
CLU_MUST_USE clu_error channel_read_huge(struct channel *c, clu_slice frame, struct frame *f);
bool channel_read_on(struct channel *c, clu_slice bytes, struct frame *f);
/* channel_lend: the function of channel.lender. */
bool channel_lend(clu_lender *lender, const clu_writer *w, clu_slice bytes, clu_release_fn *release,
                  void *arg);

#endif
