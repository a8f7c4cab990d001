/* SPDX-License-Identifier: Apache-2.0
 *
 * What a frame holds (erl_ext_dist, "Distribution Header"):
 *
 *   'p' 131 Control [131 Payload]                  where no header was agreed on; else
 *   131 68 References Control [Payload]
 *   131 69 Sequence:8 Fragment:8 References Control Payload...
 *   131 70 Sequence:8 Fragment:8 Payload...
 */
#include "dist/channel_impl.h"

#include "dist/flags.h"

/* Sequence and fragment. */
#define NUMBERS_SIZE 16
/* Of a fragment that is read right into its message, whose room it gets at once. Those of a BEAM
 * have 64 KiB; a longer one gets memory as its bytes come. */
#define INTO_MAX (256u << 10)

static clu_error fail_term(struct channel *c, clu_error err, const char *what)
{
    if (err == CLU_ECOMPRESSED)
        what = "the peer sent a compressed term, which no node may do";
    else if (err == CLU_ENOMEM)
        what = "no memory to check a message";
    return channel_fail(c, err, what);
}

static clu_error fail_proto(struct channel *c, const char *what)
{
    return channel_fail(c, CLU_EPROTO, what);
}

/* Takes n bytes off the front. */
static clu_slice cut(clu_slice *rest, size_t n)
{
    clu_slice front = {rest->data, n};

    rest->data += n;
    rest->len -= n;
    return front;
}

/* Takes one checked term off the front of rest. */
static clu_error take_term(struct channel *c, clu_slice *rest, clu_slice *term,
                           const clu_refs *refs, const char *what)
{
    size_t used = 0;
    clu_error err = clu_check(rest->data, rest->len, refs, &used);

    if (err != CLU_OK)
        return fail_term(c, err, what);
    *term = cut(rest, used);
    return CLU_OK;
}

static clu_error take_control(struct channel *c, clu_slice *rest, struct frame *f)
{
    return take_term(c, rest, &f->control, f->refs, "the peer sent a malformed control message");
}

/* The payload, which ends where its bytes do; one that is over the limit is not looked at. */
static clu_error take_payload(struct channel *c, clu_slice rest, struct frame *f)
{
    f->too_big = rest.len > c->message_max;
    if (rest.len == 0 || f->too_big)
        return CLU_OK;
    clu_error err = take_term(c, &rest, &f->payload, f->refs, "the peer sent a malformed message");

    if (err == CLU_OK && rest.len > 0)
        err = fail_proto(c, "the peer sent bytes behind a message");
    return err;
}

/* ---- without a header ---- */

static clu_error take_version(struct channel *c, clu_slice *rest, const char *what)
{
    if (rest->len == 0 || rest->data[0] != ETF_VERSION)
        return fail_proto(c, what);
    cut(rest, 1);
    return CLU_OK;
}

static clu_error read_pass_through(struct channel *c, clu_slice rest, struct frame *f)
{
    if (c->headers)
        return fail_proto(c, "the peer sent a frame without the header that was agreed on");
    clu_error err = take_version(c, &rest, "the peer sent a malformed control message");

    if (err == CLU_OK)
        err = take_control(c, &rest, f);
    if (err != CLU_OK || rest.len == 0)
        return err;
    err = take_version(c, &rest, "the peer sent a malformed message");
    if (err == CLU_OK && rest.len == 0)
        err = fail_term(c, CLU_ETRUNC, "the peer sent a malformed message");
    return err == CLU_OK ? take_payload(c, rest, f) : err;
}

/* ---- with a header ---- */

static clu_error take_header(struct channel *c, clu_slice *rest, struct frame *f)
{
    const char *what = NULL;
    clu_error err = atoms_in_read(&c->atoms_in, rest, &f->refs, &what);

    return err == CLU_OK ? CLU_OK : channel_fail(c, err, what);
}

static clu_error read_whole(struct channel *c, clu_slice rest, struct frame *f)
{
    clu_error err = take_header(c, &rest, f);

    if (err == CLU_OK)
        err = take_control(c, &rest, f);
    return err == CLU_OK ? take_payload(c, rest, f) : err;
}

/* ---- in fragments ---- */

/* What gathers keeps, as a frame. */
void channel_show(const struct gathering *m, struct frame *f, enum frame_part part,
                  clu_slice payload)
{
    *f = (struct frame){
        .control = m->control,
        .payload = payload,
        .refs = m->refs.n == 0 ? NULL : &m->refs,
        .part = part,
        .stream = m->stream,
        .sequence = m->sequence,
    };
}

clu_error channel_keep(struct channel *c, struct gathering *m, clu_slice bytes)
{
    clu_error err = gather_add(&c->gather, m, bytes, c->message_max);

    return err == CLU_OK ? CLU_OK : channel_fail(c, err, "no memory for a message in fragments");
}

struct gathering *channel_open(struct channel *c, uint64_t sequence, uint64_t fragments,
                               const struct frame *f)
{
    clu_error err;
    struct gathering *m = gather_open(&c->gather, sequence, fragments, f->control, f->refs, &err);

    if (m == NULL) {
        channel_fail(c, err,
                     err == CLU_ENOMEM ? "no memory for a message in fragments"
                                       : "the peer has too many unfinished messages open");
        return NULL;
    }
    if (c->wants_stream != NULL)
        m->stream = c->wants_stream(c->stream_arg, f->control, f->refs);
    if (m->stream != 0)
        m->mode = GATHER_STREAM;
    return m;
}

/* The first of several: control in f, the payload's begin in rest. */
static clu_error open_sequence(struct channel *c, uint64_t sequence, uint64_t fragments,
                               clu_slice rest, struct frame *f)
{
    struct gathering *m = channel_open(c, sequence, fragments, f);

    if (m == NULL)
        return c->err;
    if (m->mode == GATHER_STREAM) {
        channel_show(m, f, FRAME_FIRST, rest);
        return CLU_OK;
    }
    *f = (struct frame){0};
    return channel_keep(c, m, rest);
}

/* Sequence and fragment, which is not 0. */
static clu_error take_numbers(struct channel *c, clu_slice *rest, uint64_t *sequence,
                              uint64_t *fragment)
{
    if (rest->len < NUMBERS_SIZE)
        return fail_proto(c, "the peer sent a fragment that is cut short");
    *sequence = get_be64(rest->data);
    *fragment = get_be64(rest->data + 8);
    cut(rest, NUMBERS_SIZE);
    return *fragment == 0 ? fail_proto(c, "the peer sent a fragment without a number") : CLU_OK;
}

static clu_error read_first(struct channel *c, clu_slice rest, struct frame *f)
{
    uint64_t sequence = 0, fragment = 0; /* gcc -O3 does not see that they are set */
    clu_error err = take_numbers(c, &rest, &sequence, &fragment);

    if (err == CLU_OK && gather_find(&c->gather, sequence) != NULL)
        err = fail_proto(c, "the peer began a message in fragments a second time");
    if (err == CLU_OK)
        err = take_header(c, &rest, f);
    if (err == CLU_OK)
        err = take_control(c, &rest, f);
    if (err != CLU_OK)
        return err;
    return fragment == 1 ? take_payload(c, rest, f) : open_sequence(c, sequence, fragment, rest, f);
}

/* The last one has come. */
clu_error channel_close(struct channel *c, struct gathering *m, clu_slice rest, struct frame *f)
{
    gather_take(&c->gather, m);
    c->done = m;
    if (m->mode == GATHER_STREAM) {
        channel_show(m, f, FRAME_LAST, rest);
        return CLU_OK;
    }
    channel_show(m, f, FRAME_WHOLE, (clu_slice){NULL, 0});
    f->too_big = m->mode == GATHER_SKIP;
    return f->too_big ? CLU_OK : take_payload(c, (clu_slice){m->payload, m->len}, f);
}

/* Whose fragment it is that these numbers stand in front of. */
static struct gathering *find_next(struct channel *c, uint64_t sequence, uint64_t fragment)
{
    struct gathering *m = gather_find(&c->gather, sequence);

    if (m == NULL)
        fail_proto(c, "the peer sent a fragment of no message");
    else if (fragment != m->fragment - 1)
        fail_proto(c, "the peer sent fragments out of order");
    return c->err == CLU_OK ? m : NULL;
}

/* The fragment is whole: rest of it is not kept, or, in a stream, to be handed on. */
static clu_error end_next(struct channel *c, struct gathering *m, clu_slice rest, struct frame *f)
{
    m->fragment--;
    if (m->fragment == 1)
        return channel_close(c, m, rest, f);
    if (m->mode == GATHER_STREAM)
        channel_show(m, f, FRAME_PART, rest);
    return CLU_OK;
}

static clu_error read_next(struct channel *c, clu_slice rest, struct frame *f)
{
    uint64_t sequence = 0, fragment = 0; /* gcc -O3 does not see that they are set */
    clu_error err = take_numbers(c, &rest, &sequence, &fragment);
    struct gathering *m = err == CLU_OK ? find_next(c, sequence, fragment) : NULL;

    if (m == NULL)
        return c->err;
    err = channel_keep(c, m, rest);
    return err == CLU_OK ? end_next(c, m, rest, f) : err;
}

/* What is wrong with the head is told when the frame is whole. */
bool channel_read_into(struct channel *c, clu_slice frame, size_t more)
{
    if (frame.len < 2 + NUMBERS_SIZE || more > INTO_MAX || frame.data[0] != ETF_VERSION ||
        frame.data[1] != KIND_NEXT || (c->flags & DFLAG_FRAGMENTS) == 0)
        return false;
    struct gathering *m = gather_find(&c->gather, get_be64(frame.data + 2));
    clu_error err;

    if (m == NULL || m->mode != GATHER_KEEP || get_be64(frame.data + 10) != m->fragment - 1)
        return false;
    cut(&frame, 2 + NUMBERS_SIZE);
    uint8_t *to = gather_space(&c->gather, m, frame.len + more, c->message_max, &err);

    if (to == NULL)
        return false;
    if (frame.len > 0)
        memcpy(to, frame.data, frame.len);
    gather_added(m, frame.len);
    c->into = m;
    c->into_left = more;
    return true;
}

clu_error channel_read_rest(struct channel *c, struct frame *f)
{
    struct gathering *m = c->into;

    c->into = NULL;
    return end_next(c, m, (clu_slice){NULL, 0}, f);
}

/* A row a kind: what has to be agreed on for it, and who reads it. */
static const struct {
    uint64_t flags;
    uint8_t kind;
    clu_error (*read)(struct channel *c, clu_slice rest, struct frame *f);
} kinds[] = {
    {DFLAG_DIST_HDR_ATOM_CACHE | DFLAG_FRAGMENTS, KIND_WHOLE, read_whole},
    {DFLAG_FRAGMENTS, KIND_FIRST, read_first},
    {DFLAG_FRAGMENTS, KIND_NEXT, read_next},
};

static clu_error read_with_header(struct channel *c, clu_slice rest, struct frame *f)
{
    uint8_t kind = rest.len == 0 ? 0 : cut(&rest, 1).data[0];

    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (kinds[i].kind != kind)
            continue;
        if ((kinds[i].flags & c->flags) == 0)
            return fail_proto(
                c, "the peer sent a distribution header or fragment, which was not agreed on");
        return kinds[i].read(c, rest, f);
    }
    return fail_proto(c, "the peer sent a header of an unknown kind");
}

clu_error channel_read(struct channel *c, clu_slice frame, struct frame *f)
{
    uint8_t tag = cut(&frame, 1).data[0];

    if (tag == ETF_VERSION)
        return read_with_header(c, frame, f);
    if (tag == 'p')
        return read_pass_through(c, frame, f);
    return fail_proto(c, "the peer sent a frame of an unknown kind");
}

/* Of the kinds that a message in one frame may have. */
clu_error channel_read_control(struct channel *c, clu_slice frame, struct frame *f, clu_slice *rest)
{
    bool whole =
        c->headers && frame.len > 2 && frame.data[0] == ETF_VERSION && frame.data[1] == KIND_WHOLE;
    bool through =
        !c->headers && frame.len > 2 && frame.data[0] == 'p' && frame.data[1] == ETF_VERSION;
    clu_error err = CLU_OK;

    if (!whole && !through)
        return channel_fail(c, CLU_ESIZE,
                            "the peer announced a frame of more than 64 MiB, which is no message");
    cut(&frame, 2);
    if (whole)
        err = take_header(c, &frame, f);
    if (err == CLU_OK)
        err = take_term(c, &frame, &f->control, f->refs,
                        "the peer sent a control message of more than 512 KiB, or a malformed one");
    if (err == CLU_OK && through)
        err = take_version(c, &frame, "the peer sent a malformed message");
    *rest = frame;
    return err;
}
