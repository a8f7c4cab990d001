/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing messages. A message is written with a gap in front, as large as the head of the one
 * before; its own head is known when its last atom has been put.
 */
#include "dist/channel_impl.h"

#include "dist/flags.h"

/* Length, tag and kind, or 'p' and the version byte: what every head begins with. */
#define HEAD_SIZE (LENGTH_SIZE + 2)

/* ---- the buffer that is written to ---- */

static struct buf *buffer(struct channel *c)
{
    return c->message.behind != NULL ? &c->out.aside : &c->out.small;
}

/* The writer takes the buffer's memory over until channel_end; both allocate with realloc. What was
 * put is behind the buffer's end until then. */
static void give_memory_back(struct channel *c, const clu_writer *w)
{
    struct buf *b = buffer(c);

    b->data = w->data;
    b->cap = w->cap;
}

_Static_assert(CLU_LEND_MIN >= OUTBOX_WHOLE_MAX, "only a message in fragments can hold a loan");

/* Where there is no memory for the loan the bytes are copied, if there is memory for that. */
bool channel_lend(clu_lender *lender, const clu_writer *w, clu_slice bytes, clu_release_fn *release,
                  void *arg)
{
    struct channel *c = CONTAINER_OF(lender, struct channel, lender);
    struct loan loan = {.at = w->len, .bytes = bytes, .release = release, .arg = arg};

    return c->message.payload != 0 && bytes.len >= CLU_LEND_MIN &&
           loans_add(&c->message.loans, &c->out.spare_loans, &loan);
}

/* Of a message that is not sent. */
static void return_loans(struct channel *c)
{
    loans_end(&c->message.loans, &c->out.spare_loans);
}

void channel_begin(struct channel *c, clu_writer *w, uint64_t sender)
{
    bool cached = (c->flags & DFLAG_DIST_HDR_ATOM_CACHE) != 0;
    struct sender *behind = outbox_sender(&c->out, sender);
    size_t header = !c->headers ? 0 : behind != NULL ? 1 : c->header_size;

    return_loans(c); /* of one that was neither ended nor cancelled */
    c->message = (struct channel_message){.sender = sender, .behind = behind};
    outbox_compact(&c->out);
    struct buf *b = buffer(c);

    *w = (clu_writer){.data = b->data, .len = b->len, .cap = b->cap, .err = c->err};
    if ((c->flags & DFLAG_FRAGMENTS) != 0)
        w->lender = &c->lender;
    /* The cache is as of the moment of sending: what has to wait for that goes without. */
    if (cached && behind == NULL)
        w->atoms = atoms_out_begin(&c->atoms_out);
    c->message.start = w->len;
    c->message.body = w->len + HEAD_SIZE + header;
    clu_writer_add(w, HEAD_SIZE + header);
}

void channel_payload(struct channel *c, clu_writer *w)
{
    c->message.payload = w->len;
    if (!c->headers)
        clu_put_version(w);
}

void channel_cancel(struct channel *c, clu_writer *w)
{
    give_memory_back(c, w);
    return_loans(c);
    if (w->atoms != NULL)
        atoms_out_cancel(&c->atoms_out);
}

/* ---- heads ---- */

static size_t header_size(const struct channel *c, const clu_writer *w)
{
    return !c->headers ? 0 : w->atoms == NULL ? 1 : atoms_out_size(&c->atoms_out);
}

static void put_header(const struct channel *c, const clu_writer *w, uint8_t *to)
{
    if (w->atoms == NULL)
        *to = 0;
    else
        atoms_out_put(&c->atoms_out, to);
}

/* Makes the gap as large as the head. */
static void fit_gap(struct channel *c, clu_writer *w, size_t header)
{
    size_t size = w->len - c->message.body, body = c->message.start + HEAD_SIZE + header;

    if (body > c->message.body)
        clu_writer_add(w, body - c->message.body);
    if (w->err != CLU_OK || body == c->message.body)
        return;
    memmove(w->data + body, w->data + c->message.body, size);
    w->len = body + size;
    c->message.body = body;
}

/* One frame for the whole message. */
static clu_error end_frame(struct channel *c, clu_writer *w)
{
    size_t header = header_size(c, w);

    fit_gap(c, w, header);
    size_t len = w->len - c->message.start - LENGTH_SIZE;

    if (w->err == CLU_OK && len > CHANNEL_FRAME_MAX)
        w->err = CLU_ESIZE;
    if (w->err != CLU_OK)
        return w->err;
    uint8_t *head = w->data + c->message.start;

    put_be32(head, (uint32_t)len);
    head[4] = c->headers ? ETF_VERSION : 'p';
    head[5] = c->headers ? KIND_WHOLE : ETF_VERSION;
    if (header > 0)
        put_header(c, w, head + HEAD_SIZE);
    if (c->message.behind == NULL && c->headers)
        c->header_size = header;
    return CLU_OK;
}

/* ---- the queue ---- */

size_t channel_queued(const struct channel *c)
{
    return outbox_queued(&c->out);
}

static size_t small_queued(const struct channel *c)
{
    return c->out.small.len - c->out.sent;
}

bool channel_is_busy(const struct channel *c)
{
    return small_queued(c) >= CHANNEL_BUSY_BYTES;
}

bool channel_takes_large(const struct channel *c)
{
    return c->out.large < CHANNEL_LARGE_BUSY;
}

/* What waits behind large messages is bounded for one sender, and, at half of where the link would
 * be closed, for all. */
bool channel_is_busy_for(const struct channel *c, uint64_t sender)
{
    const struct sender *s = outbox_sender(&c->out, sender);

    return channel_is_busy(c) ||
           (s != NULL && (s->held >= CHANNEL_BUSY_BYTES || c->out.held >= CHANNEL_QUEUE_MAX / 2));
}

/* Bytes of the message that was written, with what is lent. */
static size_t message_size(const struct channel *c, const clu_writer *w)
{
    return w->len - c->message.body + c->message.loans.bytes;
}

/* Whether the message goes out in fragments. Its control message must be in the first. */
static bool is_large(const struct channel *c, const clu_writer *w)
{
    return (c->flags & DFLAG_FRAGMENTS) != 0 && w->err == CLU_OK && c->message.payload != 0 &&
           message_size(c, w) > OUTBOX_WHOLE_MAX && w->len > c->message.payload;
}

bool channel_must_wait(const struct channel *c, const clu_writer *w)
{
    return is_large(c, w) && !channel_takes_large(c);
}

bool channel_pauses(const struct channel *c)
{
    return c->patient && small_queued(c) + c->out.held >= CHANNEL_QUEUE_MAX / 2;
}

/* Where the link ends that is not read. */
static clu_error check_limits(struct channel *c, size_t small, size_t large)
{
    size_t max = c->patient ? CHANNEL_PATIENT_MAX : CHANNEL_QUEUE_MAX;

    if (channel_takes_large(c))
        c->over_large = 0;
    else
        c->over_large += large;
    if (small_queued(c) + c->out.held <= max + small && c->over_large <= max)
        return CLU_OK;
    c->overfull = true;
    return channel_fail(c, CLU_ESIZE,
                        c->patient ? "the peer does not read: more than 256 MiB wait for it"
                                   : "the peer reads too slowly: more than 16 MiB wait for it");
}

static clu_error queue_large(struct channel *c, clu_writer *w)
{
    struct channel_message *at = &c->message;
    size_t control = at->payload - at->body, size = message_size(c, w), header = header_size(c, w);
    struct outbox_message m = {
        .sender = at->sender,
        .frames = at->start,
        .body = at->body,
        .first = (size_t)max_u64(control, OUTBOX_FRAGMENT),
        .loans = &at->loans,
    };
    clu_error err = check_limits(c, 0, size);
    uint8_t *to = NULL;

    if (err != CLU_OK)
        return err;
    buffer(c)->len = w->len;
    err = at->behind != NULL ? outbox_hold_large(&c->out, at->behind, &m)
                             : outbox_start(&c->out, &m, header, &to);
    if (err != CLU_OK)
        buffer(c)->len = at->start;
    else if (to != NULL)
        put_header(c, w, to);
    return err;
}

static clu_error queue_frame(struct channel *c, clu_writer *w)
{
    size_t start = c->message.start;
    clu_error err = end_frame(c, w);

    give_memory_back(c, w); /* it may have grown for the head */
    if (err != CLU_OK)
        return err;
    buffer(c)->len = w->len;
    if (c->message.behind != NULL)
        err = outbox_hold(&c->out, c->message.behind);
    if (err == CLU_OK)
        return check_limits(c, w->len - start, 0);
    buffer(c)->len = start;
    return err;
}

clu_error channel_end(struct channel *c, clu_writer *w)
{
    give_memory_back(c, w);
    clu_error err = w->err != CLU_OK ? w->err
                    : is_large(c, w) ? queue_large(c, w)
                                     : queue_frame(c, w);

    return_loans(c); /* what was queued has taken them over */
    if (err == CLU_OK)
        c->frames_out++;
    else if (w->atoms != NULL && c->err == CLU_OK)
        atoms_out_cancel(&c->atoms_out);
    return err;
}

size_t channel_pending(struct channel *c, bool large, struct iovec *iov, size_t max)
{
    return outbox_pending(&c->out, large, iov, max);
}

void channel_sent(struct channel *c, size_t n, uint64_t now_ms)
{
    if (n == 0)
        return;
    c->bytes_out += n;
    c->last_out_ms = now_ms;
    clu_error err = outbox_sent(&c->out, n);

    c->stuck_ms = channel_queued(c) > 0 ? now_ms : 0;
    if (err != CLU_OK)
        channel_fail(c, CLU_ENOMEM, "no memory for what waited behind a large message");
}
