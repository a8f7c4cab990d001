/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/channel.h"

/* The 4 bytes in front of every frame. */
#define LENGTH_SIZE 4
/* An incomplete frame gets room as its bytes arrive, in steps of at least this: an announced length
 * alone costs nothing. */
#define PARTIAL_STEP (64u << 10)
/* A buffer that grew beyond this for one large message is given back behind it. */
#define KEEP_MAX (256u << 10)
/* How often a ticktime is divided when the setting says nothing (net_tickintensity). */
#define INTENSITY_DEFAULT 4

void channel_init(struct channel *c, uint64_t flags, uint32_t ticktime_ms, uint32_t intensity,
                  uint64_t now_ms)
{
    *c = (struct channel){
        .flags = flags,
        .tick_ms = ticktime_ms / (intensity == 0 ? INTENSITY_DEFAULT : intensity),
        .silence_ms = ticktime_ms,
        .last_in_ms = now_ms,
        .last_out_ms = now_ms,
    };
}

void channel_fini(struct channel *c)
{
    buf_free(&c->partial);
    buf_free(&c->out);
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

/* The first error stays. */
static void fail(struct channel *c, clu_error err, const char *what)
{
    if (c->err != CLU_OK)
        return;
    c->err = err;
    c->what = what;
}

/* ---- bytes in ---- */

/* How many bytes the incomplete frame may take now: what it still wants, in steps. */
static size_t partial_room(const struct channel *c)
{
    size_t step = (size_t)max_u64(c->partial.len, PARTIAL_STEP);

    return c->want == 0 ? 0 : (size_t)min_u64(c->want - c->partial.len, step);
}

size_t channel_space(struct channel *c, uint8_t *scratch, size_t scratch_len, struct iovec iov[2])
{
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

void channel_got(struct channel *c, size_t n, const uint8_t *scratch, uint64_t now_ms)
{
    size_t room = c->partial.err == CLU_OK ? partial_room(c) : 0;
    size_t filled = (size_t)min_u64(n, room);

    if (n == 0)
        return;
    buf_add(&c->partial, filled);
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
    fail(c, CLU_ESIZE, "the peer announced a frame of more than 64 MiB");
    return 0;
}

/* Moves n bytes of what arrived behind the incomplete frame's. */
static void keep(struct channel *c, size_t n)
{
    buf_put(&c->partial, c->at, n);
    c->at += n;
    if (c->partial.err != CLU_OK)
        fail(c, c->partial.err, "no memory for an incomplete frame");
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

/* The caller is done with the frame that it was handed out of the partial buffer. */
static void release_partial(struct channel *c)
{
    if (!c->reading_partial)
        return;
    c->reading_partial = false;
    c->want = 0;
    empty(&c->partial);
}

/* ---- what a frame holds ---- */

static clu_error fail_term(struct channel *c, clu_error err, const char *what)
{
    if (err == CLU_ECOMPRESSED)
        what = "the peer sent a compressed term, which no node may do";
    fail(c, err, what);
    return err;
}

/* Takes one checked term off the front of rest. */
static clu_error take_term(struct channel *c, clu_slice *rest, clu_slice *term, const char *what)
{
    size_t used = 0;

    if (rest->len == 0 || rest->data[0] != ETF_VERSION)
        return fail_term(c, CLU_EPROTO, what);
    clu_error err = clu_check(rest->data + 1, rest->len - 1, NULL, &used);

    if (err != CLU_OK)
        return fail_term(c, err, what);
    *term = (clu_slice){rest->data + 1, used};
    rest->data += 1 + used;
    rest->len -= 1 + used;
    return CLU_OK;
}

/* 'p' 131 Control [131 Payload] */
static clu_error read_pass_through(struct channel *c, clu_slice rest, struct frame *f)
{
    clu_error err = take_term(c, &rest, &f->control, "the peer sent a malformed control message");

    if (err == CLU_OK && rest.len > 0)
        err = take_term(c, &rest, &f->payload, "the peer sent a malformed message");
    if (err == CLU_OK && rest.len > 0)
        err = fail_term(c, CLU_EPROTO, "the peer sent bytes behind a message");
    return err;
}

static clu_error refuse_header(struct channel *c, clu_slice rest, struct frame *f)
{
    (void)rest;
    (void)f;
    return fail_term(c, CLU_EPROTO, "the peer sent a distribution header, which was not agreed on");
}

/* How a frame begins, and who reads what follows. */
static const struct {
    uint8_t tag;
    clu_error (*read)(struct channel *c, clu_slice rest, struct frame *f);
} frame_kinds[] = {
    {'p', read_pass_through},
    {ETF_VERSION, refuse_header},
};

static bool read_frame(struct channel *c, clu_slice frame, struct frame *f)
{
    clu_slice rest = {frame.data + 1, frame.len - 1};

    *f = (struct frame){0};
    for (size_t i = 0; i < COUNT(frame_kinds); i++)
        if (frame_kinds[i].tag == frame.data[0])
            return frame_kinds[i].read(c, rest, f) == CLU_OK;
    fail(c, CLU_EPROTO, "the peer sent a frame of an unknown kind");
    return false;
}

bool channel_next(struct channel *c, struct frame *f)
{
    clu_slice frame;

    for (;;) {
        release_partial(c);
        if (c->err != CLU_OK || !next_frame(c, &frame))
            return false;
        if (frame.len > 0)
            break;
        /* a tick: that it arrived was all it had to say */
    }
    c->frames_in++;
    return read_frame(c, frame, f);
}

/* ---- out ---- */

size_t channel_queued(const struct channel *c)
{
    return c->out.len - c->out_sent;
}

/* Moves what is not sent yet to the front, when that is the smaller part. */
static void compact(struct channel *c)
{
    if (c->out_sent == 0 || channel_queued(c) > c->out_sent)
        return;
    buf_drop(&c->out, c->out_sent);
    c->out_sent = 0;
}

/* The writer takes the queue's memory over until channel_end; both allocate with realloc. */
void channel_begin(struct channel *c, clu_writer *w, uint64_t sender)
{
    static const uint8_t head[LENGTH_SIZE + 1] = {0, 0, 0, 0, 'p'};

    (void)sender;
    compact(c);
    *w = (clu_writer){.data = c->out.data, .len = c->out.len, .cap = c->out.cap, .err = c->err};
    c->frame_start = c->out.len;
    clu_put_bytes(w, head, sizeof head);
    clu_put_version(w);
}

void channel_payload(struct channel *c, clu_writer *w)
{
    (void)c; /* with headers the payload has no version byte of its own */
    clu_put_version(w);
}

/* What was put since channel_begin is behind the queue's end: gone. */
void channel_cancel(struct channel *c, clu_writer *w)
{
    c->out.data = w->data;
    c->out.cap = w->cap;
}

clu_error channel_end(struct channel *c, clu_writer *w)
{
    size_t size = w->len - c->frame_start;

    channel_cancel(c, w);
    if (w->err == CLU_OK && size - LENGTH_SIZE > CHANNEL_FRAME_MAX)
        w->err = CLU_ESIZE;
    if (w->err != CLU_OK)
        return w->err;
    put_be32(w->data + c->frame_start, (uint32_t)(size - LENGTH_SIZE));
    c->out.len = w->len;
    c->frames_out++;
    if (channel_queued(c) > CHANNEL_QUEUE_MAX)
        fail(c, CLU_ESIZE, "the peer reads too slowly: more than 16 MiB wait for it");
    return c->err;
}

bool channel_is_busy(const struct channel *c)
{
    return channel_queued(c) >= CHANNEL_BUSY_BYTES;
}

size_t channel_pending(const struct channel *c, struct iovec *iov, size_t max)
{
    if (channel_queued(c) == 0 || max == 0)
        return 0;
    iov[0] = (struct iovec){c->out.data + c->out_sent, channel_queued(c)};
    return 1;
}

void channel_sent(struct channel *c, size_t n, uint64_t now_ms)
{
    if (n == 0)
        return;
    c->bytes_out += n;
    c->last_out_ms = now_ms;
    c->out_sent += (size_t)min_u64(n, channel_queued(c));
    if (channel_queued(c) == 0) {
        c->out_sent = 0;
        empty(&c->out);
    }
}

/* ---- time ---- */

/* While bytes wait for the socket a tick would only wait behind them. */
static uint64_t next_tick(const struct channel *c)
{
    return channel_queued(c) > 0 ? NEVER : c->last_out_ms + c->tick_ms;
}

uint64_t channel_deadline(const struct channel *c)
{
    return min_u64(c->last_in_ms + c->silence_ms, next_tick(c));
}

/* An idle link owns no memory. */
static void release_memory(struct channel *c)
{
    if (c->partial.len == 0)
        buf_free(&c->partial);
    if (c->out.len == 0)
        buf_free(&c->out);
}

clu_error channel_tick(struct channel *c, uint64_t now_ms)
{
    static const uint8_t tick[LENGTH_SIZE];

    if (c->err != CLU_OK)
        return c->err;
    if (now_ms >= c->last_in_ms + c->silence_ms) {
        fail(c, CLU_ETIMEOUT, "nothing came from the node for a whole net_ticktime");
        return c->err;
    }
    if (now_ms < next_tick(c))
        return CLU_OK;
    release_memory(c);
    buf_put(&c->out, tick, sizeof tick);
    if (c->out.err != CLU_OK)
        fail(c, c->out.err, "no memory for a tick");
    return c->err;
}
