/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIST_GATHER_H
#define DIST_GATHER_H

#include "base/base.h"

/* Messages that arrive in fragments (erl_dist_protocol, "Protocol for sending fragmented
 * messages"). Those of several sequences come by turns; within one, the numbers count down to 1. */

/* Sequences of one link that may be open at a time: a BEAM has one for each process that is sending
 * a large message. */
#define GATHER_OPEN_MAX 4096
/* Bytes that the open sequences of one link may hold. A message that would go beyond is treated as
 * one that is too big for its receiver. */
#define GATHER_BYTES_MAX (256u << 20)
/* Memory of a payload up to this is kept for the next one until the link is idle. */
#define GATHER_KEEP_MAX (4u << 20)

enum gather_mode {
    GATHER_KEEP,   /* put together */
    GATHER_SKIP,   /* too big: passed over */
    GATHER_STREAM, /* handed out as it comes */
};

/* A message of which not all fragments have come. */
struct gathering {
    struct gathering *next;
    uint64_t sequence, fragment; /* the one that came last */
    enum gather_mode mode;
    uint64_t stream;   /* who takes it */
    clu_slice control; /* with its atoms as of the first fragment: in the same block as this */
    clu_refs refs;
    size_t head_size;   /* of that block */
    uint8_t *payload;   /* owned */
    size_t len, cap;    /* of it */
    uint64_t estimated; /* bytes of the whole payload, as the first fragment lets one expect */
};

/* A zeroed one is empty and valid. */
struct gather {
    struct gathering *open;
    size_t n_open, bytes; /* memory of the open ones */
    uint8_t *spare;       /* a payload's, for the next */
    size_t spare_cap;
};

/* gather_find: NULL when no such sequence is open. */
struct gathering *gather_find(struct gather *g, uint64_t sequence);
/* gather_open: the sequence's first fragment, of so many: control and atoms are copied. NULL with
 * CLU_ESIZE (too many, too large) or CLU_ENOMEM in *err. */
struct gathering *gather_open(struct gather *g, uint64_t sequence, uint64_t fragments,
                              clu_slice control, const clu_refs *refs, clu_error *err);
/* gather_space: where the next n bytes of the payload are to be written, then counted by
 * gather_added. NULL when they are not kept: over max bytes of payload, or over GATHER_BYTES_MAX in
 * all, when the mode becomes GATHER_SKIP and what was kept is gone; or CLU_ENOMEM in *err. */
uint8_t *gather_space(struct gather *g, struct gathering *m, size_t n, size_t max, clu_error *err);
void gather_added(struct gathering *m, size_t n);
/* gather_add: copies more of the payload there. CLU_ENOMEM. */
CLU_MUST_USE clu_error gather_add(struct gather *g, struct gathering *m, clu_slice bytes,
                                  size_t max);
/* gather_take: it is open no more; end it with gather_done. gather_done: also of NULL. */
void gather_take(struct gather *g, struct gathering *m);
void gather_done(struct gather *g, struct gathering *m);
/* gather_trim: memory that nothing is in is given back. */
void gather_trim(struct gather *g);
void gather_free(struct gather *g);

#endif
