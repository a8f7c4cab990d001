/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIST_CHANNEL_H
#define DIST_CHANNEL_H

#include <sys/uio.h> /* struct iovec: a shape, not a system call */

#include <erlclu/process.h>

#include "base/buf.h"
#include "dist/atom_cache.h"
#include "dist/control.h"
#include "dist/gather.h"
#include "dist/outbox.h"

/* A link after its handshake: frames of 4-byte length, ticks, messages whole or in fragments, the
 * send queue. It says where it wants the next bytes; a frame that arrives whole is read where it
 * lies, in the loop's receive buffer; memory is owned only for an incomplete one and for messages
 * of which fragments are missing. */

/* Largest frame taken from a peer whole; a peer that knows no fragments puts a whole message into
 * one. What announces more is a message that is over the limit, or closes the link. */
#define CHANNEL_FRAME_MAX (64u << 20)
/* Bytes of such a frame in which the atoms of its header and its control message must have ended:
 * 255 atoms have 260 KiB at most. */
#define CHANNEL_HUGE_HEAD (512u << 10)
/* Largest payload taken from a peer, unless message_max says otherwise. */
#define CHANNEL_MESSAGE_MAX CLU_MESSAGE_MAX
/* Bytes of small frames that may wait for a slow reader before senders are told CLU_EBUSY
 * (ERTS_DE_BUSY_LIMIT); the same for what one sender has waiting behind its large message. */
#define CHANNEL_BUSY_BYTES (1u << 20)
/* Bytes of large messages that may wait before another large one has to. Small frames go between
 * their fragments. */
#define CHANNEL_LARGE_BUSY (1u << 20)
/* Pieces of memory that one read may go to. */
#define CHANNEL_PLACES 3
/* Scratch of less than this works, but no fragment is read to its place along with its head. */
#define CHANNEL_SCRATCH_MIN (OUTBOX_FRAGMENT_HEAD + OUTBOX_FRAGMENT)
/* What a message may have beside its control message without being a large one. */
#define CHANNEL_SMALL_MAX (OUTBOX_WHOLE_MAX - 1024)
/* Control answers (noproc, acks) go on above the busy limits, up to here; then the link is closed
 * with words instead of losing a signal. */
#define CHANNEL_QUEUE_MAX (16u << 20)
/* The same for a patient channel, whose link must not end because the peer is slow. What it says is
 * hardly read any more from half of CHANNEL_QUEUE_MAX on (channel_pauses); what grows then is only
 * what processes of ours say that nobody may refuse, such as their ends. */
#define CHANNEL_PATIENT_MAX (256u << 20)

/* The message that is being written. */
struct channel_message {
    uint64_t sender;
    struct sender *behind; /* what the sender has under way; NULL: nothing */
    size_t start;          /* in its buffer */
    size_t body;           /* where the control message begins */
    size_t payload;        /* where the payload begins; 0: none */
    struct loans loans;    /* binaries in it that are not copied */
};

struct channel {
    uint64_t flags;
    bool headers;        /* agreed: frames begin with a header, not with 'p' */
    size_t message_max;  /* of a payload that is handed up; a larger one is too_big */
    uint32_t tick_ms;    /* an idle writer ticks this often: ticktime / intensity */
    uint32_t silence_ms; /* a peer silent for so long is gone: ticktime */
    uint64_t last_in_ms, last_out_ms;
    struct buf partial;      /* an incomplete frame, its length included */
    size_t want;             /* bytes of that frame in all; 0 while its length is not known */
    const uint8_t *at, *end; /* what channel_next has still to read of the scratch buffer */
    bool reading_partial;
    struct atoms_in atoms_in;
    struct gather gather;
    struct gathering *done;  /* handed out, not released yet */
    struct gathering *into;  /* whose fragment is being read to its place in the payload; NULL */
    size_t into_left;        /* bytes of it that have not come */
    struct gathering *huge;  /* the message whose frame is over the limit; NULL */
    size_t huge_len;         /* of a frame whose head is awaited; 0 */
    size_t huge_left;        /* bytes of the frame that have not come */
    struct gathering *guess; /* whose next fragment the space was for that was told last; NULL */
    struct outbox out;
    struct atoms_out atoms_out;
    struct channel_message message; /* being written */
    clu_lender lender;              /* where its loans come from */
    size_t header_size;             /* of the header before: a guess at the next one's */
    size_t over_large; /* bytes of large messages that were queued over CHANNEL_LARGE_BUSY */
    bool patient;      /* set by the owner: see CHANNEL_PATIENT_MAX and channel_pauses */
    bool overfull;     /* it has failed for what waited for the peer */
    uint64_t stuck_ms; /* since when bytes wait and none has gone; 0: none do, as far as was seen */
    uint64_t bytes_in, bytes_out, frames_in, frames_out;
    clu_error err;    /* sticks */
    const char *what; /* static sentence for err */
    /* Asked at the first fragment of a message: who takes all its fragments as they come, instead
     * of one whole message; 0: nobody. NULL: never. */
    uint64_t (*wants_stream)(void *arg, clu_slice control, const clu_refs *refs);
    void *stream_arg;
};

/* Which part of a message a frame is. All but FRAME_WHOLE only where channel.wants_stream asked. */
enum frame_part {
    FRAME_WHOLE,
    FRAME_FIRST, /* the first bytes of the payload */
    FRAME_PART,  /* those that follow the frame before */
    FRAME_LAST,
};

/* One message, or a part of one. Slices borrow the receive buffer until the next call on the
 * channel. */
struct frame {
    clu_slice control, payload; /* terms without version byte; payload.len 0 for none */
    const clu_refs *refs;       /* the atoms of both; NULL for none */
    enum frame_part part;       /* payload is raw, unchecked bytes in all but FRAME_WHOLE */
    bool too_big;               /* the payload was over message_max and is not here */
    uint64_t stream, sequence;  /* of a part: what wants_stream said; which message */
};

void channel_init(struct channel *c, uint64_t flags, uint32_t ticktime_ms, uint32_t intensity,
                  uint64_t now_ms);
void channel_fini(struct channel *c);

/* channel_space: where the next bytes of the socket should go: the rest of an incomplete frame, of
 * a fragment right into its message; the caller's scratch buffer. Returns the number of iovecs set.
 */
size_t channel_space(struct channel *c, uint8_t *scratch, size_t scratch_len,
                     struct iovec iov[CHANNEL_PLACES]);
/* channel_got: n bytes were read into that space, asked for last; it may move them within scratch.
 * Then call channel_next until it says false. */
void channel_got(struct channel *c, size_t n, uint8_t *scratch, uint64_t now_ms);
/* channel_feed: the same for bytes that lie elsewhere (what the handshake left over). */
void channel_feed(struct channel *c, const uint8_t *data, size_t len, uint64_t now_ms);
/* channel_next: the next whole message, checked (clu_check on control and payload, one tuple
 * first), or the next part of one that is a stream; ticks are passed over. false: no more, what is
 * incomplete is kept; or c->err is set. */
bool channel_next(struct channel *c, struct frame *f);
/* channel_next_stream: walks over the streams whose last part has not come: what wants_stream said;
 * start with *at = NULL; 0 at the end. */
uint64_t channel_next_stream(const struct channel *c, const struct gathering **at);

/* channel_begin, channel_end: write one message: put the control tuple, then, if any, the payload
 * with channel_payload in between. w writes into the send queue itself. sender is the key of the
 * process of ours whose signal this is, 0 for the node itself: signals of one sender keep their
 * order; those of others pass a large message by. */
void channel_begin(struct channel *c, clu_writer *w, uint64_t sender);
void channel_payload(struct channel *c, clu_writer *w);
CLU_MUST_USE clu_error channel_end(struct channel *c, clu_writer *w);
/* channel_cancel: drops what was begun, instead of channel_end. */
void channel_cancel(struct channel *c, clu_writer *w);
/* channel_is_busy: whether senders should wait: small frames have filled the queue.
 * channel_is_busy_for: whether this one should, for that or for what it has under way.
 * channel_must_wait: whether the message that was begun should be cancelled, since it is large and
 * large ones wait already. */
bool channel_is_busy(const struct channel *c);
bool channel_is_busy_for(const struct channel *c, uint64_t sender);
bool channel_must_wait(const struct channel *c, const clu_writer *w);
/* channel_takes_large: whether a large message need not wait. */
bool channel_takes_large(const struct channel *c);
/* channel_queued: bytes that wait for the peer. */
size_t channel_queued(const struct channel *c);

/* channel_pauses: of a patient channel: the peer does not read, and what it says makes answers: it
 * should be listened to less, but now and then, for the other end may be waiting just so. */
bool channel_pauses(const struct channel *c);

/* channel_pending, channel_sent: bytes to be sent now, in at most max pieces, whose number it
 * returns; that n bytes of them were sent, with nothing queued in between. Without `large`: of
 * large messages only what is left of a fragment that was begun. */
size_t channel_pending(struct channel *c, bool large, struct iovec *iov, size_t max);
void channel_sent(struct channel *c, size_t n, uint64_t now_ms);

/* channel_watch: from now on it is counted how long nothing goes of what waits; channel_tick does
 * so too. */
void channel_watch(struct channel *c, uint64_t now_ms);
/* channel_deadline: when channel_tick must be called. */
uint64_t channel_deadline(const struct channel *c);
/* channel_tick: queues a tick when nothing was written for a while; CLU_ETIMEOUT (sticky) when the
 * peer was silent for too long, or, of a patient channel, has read nothing for so long: our ticks
 * do not reach it either. */
CLU_MUST_USE clu_error channel_tick(struct channel *c, uint64_t now_ms);

#endif
