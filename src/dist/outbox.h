/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIST_OUTBOX_H
#define DIST_OUTBOX_H

#include <sys/uio.h>

#include "base/buf.h"
#include "base/spare.h"
#include "dist/loan.h"

/* What waits to be sent over a link. Small frames stand in one queue. Of a large message the first
 * fragment is one of them; the rest is a block of its own that goes out fragment by fragment, by
 * turns with the other large messages and with the small frames that came meanwhile: so it delays a
 * small frame by no more than one fragment. What its sender sends next waits behind it. */

/* Bytes of a message in one fragment (dist.c: ERTS_DIST_FRAGMENT_SIZE). */
#define OUTBOX_FRAGMENT (64u << 10)
/* A message up to this goes as one frame all the same: to put fragments together costs a BEAM one
 * more copy, and messages of 64 KiB and what belongs to them are common. Not much larger ones: what
 * goes whole fills the queue that all share. */
#define OUTBOX_WHOLE_MAX (68u << 10)
/* Kinds of frames with a header, behind the version byte. */
#define KIND_WHOLE 68
#define KIND_FIRST 69
#define KIND_NEXT  70
/* Length, version, kind, and the two numbers of a fragment. */
#define OUTBOX_FRAGMENT_HEAD (4 + 2 + 16)
/* Fragments of one message that may go to the socket by one call. A peer that is quicker than we
 * are sleeps between two calls, and to wake it costs as much as to copy a fragment. */
#define OUTBOX_AHEAD 4
/* A buffer up to this is kept for the next messages until the link is idle; one that grew beyond it
 * is given back at once. */
#define OUTBOX_KEEP_MAX (4u << 20)

/* A part of what one sender has queued: frames, or the rest of a large message. */
struct outgoing {
    struct outgoing *next;
    struct buf bytes;
    struct loans loans; /* what stands between them */
    struct place place; /* how much of both was sent, or is not to be sent */
    size_t left;        /* bytes behind that */
    uint64_t fragment;  /* the one that is next, down to 1; 0: whole frames */
    size_t first;       /* bytes of the first fragment's content, while that was not sent; 0 */
};

/* A process of ours with a large message under way. */
struct sender {
    struct sender *next;
    uint64_t key;
    uint64_t sequence; /* of that message */
    struct outgoing *head, *tail;
    size_t held; /* bytes of frames behind it */
};

/* A zeroed one is empty and valid. */
struct outbox {
    struct buf small; /* frames; and behind them what is being written */
    struct buf aside; /* what is being written by a sender that has to wait */
    struct buf spare; /* memory for the next of them */
    size_t sent;      /* of small */
    size_t held;      /* bytes of frames that wait behind large messages */
    size_t large;     /* bytes of large messages */
    uint64_t n_sequences;
    struct sender *first, *last; /* whose fragments go by turns */
    struct spare spare_senders, spare_items, spare_loans;
    /* The fragment under way, of the first sender: it goes out before what stands at `cut` in
     * small. */
    size_t cut;
    size_t part;      /* its bytes, the head not counted; 0: none is under way */
    size_t part_sent; /* head and bytes */
    /* Its head, and those of the ones that were shown behind it. */
    uint8_t heads[OUTBOX_AHEAD][OUTBOX_FRAGMENT_HEAD];
};

void outbox_free(struct outbox *o);
/* outbox_trim: an idle one owns no memory. */
void outbox_trim(struct outbox *o);
/* outbox_compact: moves what is not sent yet to the front of small, when that is the smaller part.
 */
void outbox_compact(struct outbox *o);

/* A message that was written behind the frames of small or in aside: control and payload. */
struct outbox_message {
    uint64_t sender;
    size_t frames;       /* where it begins, with the gap for its head */
    size_t body;         /* where its control message begins */
    size_t first;        /* bytes of the body in the first fragment */
    struct loans *loans; /* taken over when it is queued */
};

/* outbox_sender: NULL when it has no large message under way. */
struct sender *outbox_sender(const struct outbox *o, uint64_t key);
/* outbox_hold: what stands in aside are whole frames; they wait behind what the sender has under
 * way. outbox_hold_large: it is a large message. Either empties aside. */
CLU_MUST_USE clu_error outbox_hold(struct outbox *o, struct sender *s);
CLU_MUST_USE clu_error outbox_hold_large(struct outbox *o, struct sender *s,
                                         const struct outbox_message *m);
/* outbox_start: a large message that stands at the end of small, of a sender without another. Its
 * first fragment is queued; its header, of so many bytes, is to be written where *to points. On
 * failure (CLU_ENOMEM) small is as it was. */
CLU_MUST_USE clu_error outbox_start(struct outbox *o, const struct outbox_message *m, size_t header,
                                    uint8_t **to);

/* outbox_queued: bytes in all. */
size_t outbox_queued(const struct outbox *o);

/* outbox_pending: as channel_pending. outbox_sent: of what was shown last, with nothing queued
 * since; CLU_ENOMEM: the frames that come next cannot be queued. */
size_t outbox_pending(struct outbox *o, bool large, struct iovec *iov, size_t max);
CLU_MUST_USE clu_error outbox_sent(struct outbox *o, size_t n);

#endif
