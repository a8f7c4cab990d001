/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/channel_impl.h"

#include "dist/flags.h"

/* An incomplete frame gets room as its bytes arrive, in steps of at least this: an announced length
 * alone costs nothing. */
#define PARTIAL_STEP (64u << 10)
/* What is read along with the rest of a fragment: the head of the next one, or small frames. More
 * would be bytes of the next one that have to be copied to their place. */
#define BEHIND_FRAGMENT 4096
/* A buffer that grew beyond this for one large frame is given back behind it. */
#define KEEP_MAX (256u << 10)
/* How often a ticktime is divided when the setting says nothing (net_tickintensity). */
#define INTENSITY_DEFAULT 4

void channel_init(struct channel *c, uint64_t flags, uint32_t ticktime_ms, uint32_t intensity,
                  uint64_t now_ms)
{
    *c = (struct channel){
        .flags = flags,
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
    c->done = c->into = NULL;
    gather_free(&c->gather);
    outbox_free(&c->out);
    atoms_out_free(&c->atoms_out);
    c->at = c->end = NULL;
}

/* Empties a buffer that will be used again soon. */
static void empty(struct buf *b)
{
    if (b->cap > KEEP_MAX)
        buf_free(b);
    else
        buf_reset(b);
}

clu_error channel_fail(struct channel *c, clu_error err, const char *what)
{
    if (c->err == CLU_OK) {
        c->err = err;
        c->what = what;
    }
    return c->err;
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
    if (c->into != NULL || c->want == 0 || c->partial.len < LENGTH_SIZE)
        return;
    clu_slice frame = {c->partial.data + LENGTH_SIZE, c->partial.len - LENGTH_SIZE};

    if (channel_read_into(c, frame, c->want - c->partial.len)) {
        c->want = 0;
        empty(&c->partial);
    }
}

size_t channel_space(struct channel *c, uint8_t *scratch, size_t scratch_len, struct iovec iov[2])
{
    go_into(c);
    if (c->into != NULL) {
        iov[0] = (struct iovec){c->into->payload + c->into->len, c->into_left};
        iov[1] = (struct iovec){scratch, (size_t)min_u64(scratch_len, BEHIND_FRAGMENT)};
        return 2;
    }
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

static void filled_into(struct channel *c, size_t n)
{
    gather_added(c->into, n);
    c->into_left -= n;
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

void channel_got(struct channel *c, size_t n, const uint8_t *scratch, uint64_t now_ms)
{
    if (n == 0)
        return;
    size_t filled = fill(c, n);

    c->at = scratch;
    c->end = scratch + (n - filled);
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

/* The bytes of a frame with its length, once the length is known; 0 for one that is too long. */
static size_t frame_size(struct channel *c, const uint8_t *length)
{
    uint32_t len = get_be32(length);

    if (len <= CHANNEL_FRAME_MAX)
        return LENGTH_SIZE + len;
    channel_fail(c, CLU_ESIZE, "the peer announced a frame of more than 64 MiB");
    return 0;
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
    if (c->want == 0)
        return false;
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

    if (size == 0)
        return false;
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

/* One more frame; f stays empty after a tick, or a fragment that more follow. */
static bool read_one(struct channel *c, struct frame *f)
{
    clu_slice frame;

    if (c->into != NULL)
        return finish_into(c, f);
    if (!next_frame(c, &frame))
        return false;
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
