/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes in, frames out: where a read should put them, and what of them is a whole frame.
 */
#include "dist/channel_impl.h"

/* An incomplete frame gets room as its bytes arrive, in steps of at least this: an announced length
 * alone costs nothing. */
#define PARTIAL_STEP (64u << 10)
/* What is read along with a fragment: the head of the next one, or small frames. More would be
 * bytes of the next one that have to be copied to their place. */
#define BEHIND_FRAGMENT 512
/* A buffer that grew beyond this for one large frame is given back behind it. */
#define KEEP_MAX (256u << 10)
/* Where the sequence stands in the head of a fragment. */
#define FRAGMENT_SEQUENCE 6

/* Empties a buffer that will be used again soon. */
static void empty(struct buf *b)
{
    if (b->cap > KEEP_MAX)
        buf_free(b);
    else
        buf_reset(b);
}

/* ---- bytes in ---- */

/* How many bytes the incomplete frame may take now: what it still wants, in steps. */
static size_t partial_room(const struct channel *c)
{
    size_t step = (size_t)max_u64(c->partial.len, PARTIAL_STEP);

    return c->want == 0 ? 0 : (size_t)min_u64(c->want - c->partial.len, step);
}

/* A fragment goes to its place as it is read, as soon as its head has come. */
static void go_into(struct channel *c)
{
    if (c->into != NULL || c->huge_len > 0 || c->want == 0 || c->partial.len < LENGTH_SIZE)
        return;
    clu_slice frame = {c->partial.data + LENGTH_SIZE, c->partial.len - LENGTH_SIZE};

    if (channel_read_into(c, frame, c->want - c->partial.len)) {
        c->want = 0;
        empty(&c->partial);
    }
}

static void filled_into(struct channel *c, size_t n)
{
    gather_added(c->into, n);
    c->into_left -= n;
}

/* ---- a guess ---- */

/* While a message is being put together, what comes next is likely to be one more fragment of it.
 * So a read puts as many bytes as a head has to scratch and what follows right to its place. Should
 * it be something else, it is copied behind those: a gap is left for it. */

static bool guess_next(struct channel *c, size_t scratch_len)
{
    struct gathering *m = c->gather.open;
    bool fits = m != NULL && m->mode == GATHER_KEEP && m->cap - m->len >= OUTBOX_FRAGMENT &&
                scratch_len >= CHANNEL_SCRATCH_MIN;

    c->guess = fits && c->huge == NULL && c->partial.len == 0 ? m : NULL;
    return c->guess != NULL;
}

static size_t guess_places(const struct channel *c, uint8_t *scratch, size_t scratch_len,
                           struct iovec iov[CHANNEL_PLACES])
{
    size_t gap = CHANNEL_SCRATCH_MIN;

    iov[0] = (struct iovec){scratch, OUTBOX_FRAGMENT_HEAD};
    iov[1] = (struct iovec){c->guess->payload + c->guess->len, OUTBOX_FRAGMENT};
    iov[2] = (struct iovec){scratch + gap, (size_t)min_u64(scratch_len - gap, BEHIND_FRAGMENT)};
    return 3;
}

/* Whether the head in scratch says that it is such a fragment; then c->into is set. */
static bool is_guessed(struct channel *c, const uint8_t *head)
{
    const struct gathering *m = c->guess;
    clu_slice frame = {head + LENGTH_SIZE, OUTBOX_FRAGMENT_HEAD - LENGTH_SIZE};
    size_t size = get_be32(head), len = size - frame.len;

    return size >= frame.len && len <= OUTBOX_FRAGMENT && len <= c->message_max - m->len &&
           get_be64(head + FRAGMENT_SEQUENCE) == m->sequence && channel_read_into(c, frame, len);
}

/* Of n bytes that were read after a guess: how many are where they belong. The others are put to
 * their place in scratch. */
static size_t settle_guess(struct channel *c, size_t n, uint8_t *scratch)
{
    const uint8_t *place = c->guess->payload + c->guess->len;
    size_t read =
        n <= OUTBOX_FRAGMENT_HEAD ? 0 : (size_t)min_u64(n - OUTBOX_FRAGMENT_HEAD, OUTBOX_FRAGMENT);
    size_t done = 0, own = 0;

    if (read > 0 && is_guessed(c, scratch)) {
        own = (size_t)min_u64(read, c->into_left);
        filled_into(c, own);
        done = OUTBOX_FRAGMENT_HEAD + own;
    }
    if (own < read)
        memcpy(scratch + OUTBOX_FRAGMENT_HEAD + own, place + own, read - own);
    c->guess = NULL;
    return done;
}

/* ---- bytes ---- */

size_t channel_space(struct channel *c, uint8_t *scratch, size_t scratch_len,
                     struct iovec iov[CHANNEL_PLACES])
{
    c->guess = NULL;
    go_into(c);
    if (c->into != NULL) {
        iov[0] = (struct iovec){c->into->payload + c->into->len, c->into_left};
        iov[1] = (struct iovec){scratch, (size_t)min_u64(scratch_len, BEHIND_FRAGMENT)};
        return 2;
    }
    if (guess_next(c, scratch_len))
        return guess_places(c, scratch, scratch_len, iov);
    size_t room = partial_room(c), n = 0;
    uint8_t *space = room == 0 ? NULL : buf_space(&c->partial, room);

    if (space != NULL)
        iov[n++] = (struct iovec){space, room};
    /* Behind a step that does not reach the frame's end there is no place for other bytes. */
    if (space == NULL || c->partial.len + room == c->want)
        iov[n++] = (struct iovec){scratch, scratch_len};
    return n;
}

static void count_in(struct channel *c, size_t n, uint64_t now_ms)
{
    c->bytes_in += n;
    c->last_in_ms = now_ms; /* any byte is a sign of life */
}

/* How many of the n bytes went to the incomplete frame. */
static size_t fill(struct channel *c, size_t n)
{
    if (c->into != NULL) {
        n = (size_t)min_u64(n, c->into_left);
        filled_into(c, n);
        return n;
    }
    n = c->partial.err == CLU_OK ? (size_t)min_u64(n, partial_room(c)) : 0;
    buf_add(&c->partial, n);
    return n;
}

void channel_got(struct channel *c, size_t n, uint8_t *scratch, uint64_t now_ms)
{
    if (n == 0)
        return;
    if (c->guess != NULL) {
        c->at = scratch + settle_guess(c, n, scratch);
        c->end = scratch + n;
    } else {
        c->at = scratch;
        c->end = scratch + (n - fill(c, n));
    }
    count_in(c, n, now_ms);
}

void channel_feed(struct channel *c, const uint8_t *data, size_t len, uint64_t now_ms)
{
    if (len == 0)
        return;
    c->at = data;
    c->end = data + len;
    count_in(c, len, now_ms);
}

/* ---- frames in ---- */

/* The bytes of a frame with its length, once the length is known; of one that is too long, of its
 * head. */
static size_t frame_size(struct channel *c, const uint8_t *length)
{
    uint32_t len = get_be32(length);

    if (len <= CHANNEL_FRAME_MAX)
        return LENGTH_SIZE + len;
    c->huge_len = len;
    return LENGTH_SIZE + CHANNEL_HUGE_HEAD;
}

/* Moves n bytes of what arrived behind the incomplete frame's. */
static void keep(struct channel *c, size_t n)
{
    buf_put(&c->partial, c->at, n);
    c->at += n;
    if (c->partial.err != CLU_OK)
        channel_fail(c, c->partial.err, "no memory for an incomplete frame");
}

/* Brings the incomplete frame forward; true when it is whole. */
static bool fill_partial(struct channel *c)
{
    size_t left = (size_t)(c->end - c->at);

    if (c->partial.len < LENGTH_SIZE) {
        keep(c, (size_t)min_u64(LENGTH_SIZE - c->partial.len, left));
        if (c->partial.len < LENGTH_SIZE)
            return false;
        left = (size_t)(c->end - c->at);
    }
    if (c->want == 0)
        c->want = frame_size(c, c->partial.data);
    keep(c, (size_t)min_u64(c->want - c->partial.len, left));
    return c->partial.len == c->want && c->err == CLU_OK;
}

/* The next whole frame, its length taken off: where it arrived, or from the partial buffer. */
static bool next_frame(struct channel *c, clu_slice *frame)
{
    size_t left = (size_t)(c->end - c->at);

    if (c->partial.len > 0 || (left > 0 && left < LENGTH_SIZE)) {
        if (!fill_partial(c))
            return false;
        *frame = (clu_slice){c->partial.data + LENGTH_SIZE, c->want - LENGTH_SIZE};
        c->reading_partial = true;
        return true;
    }
    if (left == 0)
        return false;
    size_t size = frame_size(c, c->at);

    if (size > left) {
        c->want = size;
        keep(c, left);
        return false;
    }
    *frame = (clu_slice){c->at + LENGTH_SIZE, size - LENGTH_SIZE};
    c->at += size;
    return true;
}

/* The caller is done with what it was handed last. */
static void release(struct channel *c)
{
    gather_done(&c->gather, c->done);
    c->done = NULL;
    if (!c->reading_partial)
        return;
    c->reading_partial = false;
    c->want = 0;
    empty(&c->partial);
}

/* The rest of a fragment that was begun at its place; false when not all of it is there. */
static bool finish_into(struct channel *c, struct frame *f)
{
    size_t n = (size_t)min_u64(c->into_left, (size_t)(c->end - c->at));

    if (n > 0) { /* it was fed */
        memcpy(c->into->payload + c->into->len, c->at, n);
        c->at += n;
        filled_into(c, n);
    }
    return c->into_left == 0 && channel_read_rest(c, f) == CLU_OK;
}

/* At most n bytes of what arrived. */
static clu_slice take(struct channel *c, size_t n)
{
    clu_slice bytes = {c->at, (size_t)min_u64(n, (size_t)(c->end - c->at))};

    c->at += bytes.len;
    return bytes;
}

/* One more frame; f stays empty after a tick, or a fragment that more follow. */
static bool read_one(struct channel *c, struct frame *f)
{
    clu_slice frame;

    if (c->into != NULL)
        return finish_into(c, f);
    if (c->huge != NULL)
        return channel_read_on(c, take(c, c->huge_left), f);
    if (!next_frame(c, &frame))
        return false;
    if (c->huge_len > 0)
        return channel_read_huge(c, frame, f) == CLU_OK;
    /* a tick: that it arrived was all it had to say */
    return frame.len == 0 || channel_read(c, frame, f) == CLU_OK;
}

bool channel_next(struct channel *c, struct frame *f)
{
    do {
        release(c);
        *f = (struct frame){0};
        if (c->err != CLU_OK || !read_one(c, f))
            return false;
    } while (f->control.data == NULL);
    c->frames_in++;
    return true;
}
