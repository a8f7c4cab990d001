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
/* channel_lend: the function of channel.lender. */
bool channel_lend(clu_lender *lender, const clu_writer *w, clu_slice bytes, clu_release_fn *release,
                  void *arg);

#endif
