/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "dist/channel.h"
#include "dist/flags.h"

/* Two properties. A stream of bytes means the same however it is cut. And what a channel writes
 * another one reads: the same messages, those of one sender in their order. */

#define HEADERS   DFLAG_DIST_HDR_ATOM_CACHE
#define FRAGMENTS DFLAG_FRAGMENTS

static const uint64_t flags[] = {0, HEADERS, FRAGMENTS, HEADERS | FRAGMENTS};

/* ---- reading ---- */

/* What a channel made of its input. */
struct trace {
    uint64_t messages, bytes, sum;
    clu_error err;
};

static uint64_t sum_of(uint64_t sum, clu_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        sum = sum * 31 + bytes.data[i];
    return sum;
}

/* Some messages in fragments are streams: those whose control message has an odd length. */
static uint64_t odd_ones(void *arg, clu_slice control, const clu_refs *refs)
{
    (void)arg;
    (void)refs;
    return control.len % 2;
}

static void open_channel(struct channel *c, uint64_t which)
{
    channel_init(c, which, 60000, 4, 0);
    c->wants_stream = odd_ones;
    c->message_max = 1000;
}

static void check_frame(const struct frame *f)
{
    size_t used = 0;

    assert(clu_check(f->control.data, f->control.len, f->refs, &used) == CLU_OK);
    assert(used == f->control.len);
    assert(f->part == FRAME_WHOLE || (f->stream == 1 && !f->too_big));
    if (f->part != FRAME_WHOLE || f->payload.len == 0)
        return;
    assert(f->payload.len <= 1000);
    assert(clu_check(f->payload.data, f->payload.len, f->refs, NULL) == CLU_OK);
}

static void drain(struct channel *c, struct trace *t)
{
    struct frame f;

    while (channel_next(c, &f)) {
        check_frame(&f);
        t->messages++;
        t->bytes += f.control.len + f.payload.len;
        t->sum = sum_of(sum_of(t->sum + f.part + 8 * f.too_big, f.control), f.payload);
        for (size_t i = 0; f.refs != NULL && i < f.refs->n; i++)
            t->sum = sum_of(t->sum, f.refs->atoms[i]);
        assert(c->gather.bytes <= GATHER_BYTES_MAX);
    }
    t->err = c->err;
    assert((c->err != CLU_OK) == (c->what != NULL));
}

static struct trace read_at_once(uint64_t which, const uint8_t *data, size_t size)
{
    struct channel c;
    struct trace t = {0};

    open_channel(&c, which);
    channel_feed(&c, data, size, 0);
    drain(&c, &t);
    assert(c.partial.cap <= 2 * size + 128); /* memory follows the bytes */
    channel_fini(&c);
    return t;
}

/* As a socket would hand it over, `chunk` bytes at most a turn. */
static struct trace read_in_pieces(uint64_t which, const uint8_t *data, size_t size, size_t chunk)
{
    /* Some have room for a whole fragment, though a turn may be shorter. */
    size_t scratch_len = chunk % 2 == 0 ? chunk : chunk + CHANNEL_SCRATCH_MIN;
    uint8_t *scratch = malloc(scratch_len);
    struct channel c;
    struct trace t = {0};

    open_channel(&c, which);
    while (size > 0 && c.err == CLU_OK) {
        struct iovec iov[CHANNEL_PLACES];
        size_t places = channel_space(&c, scratch, scratch_len, iov), got = 0;

        assert(places >= 1 && places <= CHANNEL_PLACES);
        for (size_t i = 0; i < places && got < chunk; i++) {
            size_t part = (size_t)min_u64(min_u64(iov[i].iov_len, size), chunk - got);

            if (part > 0)
                memcpy(iov[i].iov_base, data, part);
            data += part;
            size -= part;
            got += part;
        }
        channel_got(&c, got, scratch, 0);
        drain(&c, &t);
    }
    channel_fini(&c);
    free(scratch);
    return t;
}

static void read_both_ways(uint64_t which, size_t chunk, const uint8_t *data, size_t size)
{
    struct trace whole = read_at_once(which, data, size);
    struct trace cut = read_in_pieces(which, data, size, chunk);

    assert(whole.messages == cut.messages && whole.bytes == cut.bytes && whole.sum == cut.sum);
    assert(whole.err == cut.err);
}

/* ---- writing ---- */

#define SENDERS 4

/* Four bytes of the input are a step. */
struct step {
    uint8_t sender, kind, size, take;
};

/* The messages of a sender are numbered; so many were put, and have arrived. */
struct talk {
    struct channel from, to;
    uint32_t put[SENDERS], got[SENDERS];
};

static size_t size_of(const struct step *s)
{
    static const size_t sizes[] = {0, 1, 100, 60000, 65500, 65536, 131072, 200001};

    return sizes[s->size % COUNT(sizes)] + s->size / COUNT(sizes);
}

static void put_atom_of(clu_writer *w, uint32_t n)
{
    char text[] = "atom ?? of the input";

    text[5] = (char)('a' + n % 26);
    text[6] = (char)('a' + n / 26 % 26);
    clu_put_atom_text(w, text);
}

/* Copied, or lent until it is sent. */
static void put_binary(clu_writer *w, uint8_t fill, size_t size, bool lent)
{
    uint8_t *bytes = lent ? malloc(size + 1) : NULL;

    if (lent) {
        memset(bytes, fill, size);
        clu_lend_binary(w, bytes, size, free, bytes);
    } else {
        clu_put_head(w, ETF_BINARY, size);
        memset(clu_writer_add(w, size), fill, size);
    }
}

/* {Sender, Number, Atom} {Atom, Binary} */
static void put_message(struct talk *t, const struct step *s)
{
    uint32_t sender = s->sender % SENDERS, number = t->put[sender];
    uint64_t which = t->from.flags;
    size_t size = size_of(s);
    clu_writer w;

    if (channel_is_busy_for(&t->from, sender))
        return;
    channel_begin(&t->from, &w, sender);
    clu_put_tuple(&w, 3);
    clu_put_uint(&w, sender);
    clu_put_uint(&w, number);
    put_atom_of(&w, s->kind);
    if (s->kind % 4 != 0) {
        channel_payload(&t->from, &w);
        clu_put_tuple(&w, 2);
        put_atom_of(&w, number * 7u + s->kind);
        put_binary(&w, (uint8_t)number, size, s->kind % 8 == 1);
    }
    if (s->kind % 16 == 3 || channel_must_wait(&t->from, &w)) {
        channel_cancel(&t->from, &w);
        return;
    }
    assert(channel_end(&t->from, &w) == CLU_OK);
    assert(t->from.flags == which);
    t->put[sender]++;
}

static void expect_message(struct talk *t, const struct frame *f)
{
    clu_reader r = {
        .pos = f->control.data, .end = f->control.data + f->control.len, .refs = f->refs};

    assert(clu_get_tuple(&r) == 3);
    uint64_t sender = clu_get_uint(&r), number = clu_get_uint(&r);

    assert(r.err == CLU_OK && sender < SENDERS && number == t->got[sender]);
    t->got[sender]++;
    if (f->payload.len == 0)
        return;
    clu_reader p = {
        .pos = f->payload.data, .end = f->payload.data + f->payload.len, .refs = f->refs};

    assert(clu_get_tuple(&p) == 2);
    clu_get_atom(&p);
    clu_slice bytes = clu_get_binary(&p);

    assert(p.err == CLU_OK && p.pos == p.end);
    for (size_t i = 0; i < bytes.len; i += 997)
        assert(bytes.data[i] == (uint8_t)number);
}

/* At most so many bytes of what is pending go over; without `large`, nothing of what may wait. */
static size_t carry(struct talk *t, bool large, size_t most)
{
    static uint8_t bytes[256 << 10];
    struct iovec iov[6];
    size_t n = channel_pending(&t->from, large, iov, COUNT(iov)), taken = 0;
    struct frame f;

    most = (size_t)min_u64(most, sizeof bytes);
    for (size_t i = 0; i < n && taken < most; i++) {
        size_t part = (size_t)min_u64(iov[i].iov_len, most - taken);

        memcpy(bytes + taken, iov[i].iov_base, part);
        taken += part;
    }
    channel_sent(&t->from, taken, 0);
    channel_feed(&t->to, bytes, taken, 0);
    while (channel_next(&t->to, &f))
        expect_message(t, &f);
    assert(t->to.err == CLU_OK && t->from.err == CLU_OK);
    return taken;
}

static void write_and_read(uint64_t which, const uint8_t *data, size_t size)
{
    struct talk t = {.put = {0}};

    channel_init(&t.from, which, 60000, 4, 0);
    channel_init(&t.to, which, 60000, 4, 0);
    for (size_t n = 0; size >= sizeof(struct step) && n < 50; n++) {
        struct step s = {data[0], data[1], data[2], data[3]};

        put_message(&t, &s);
        carry(&t, s.take % 4 != 1, (size_t)s.take * s.take);
        data += sizeof s;
        size -= sizeof s;
    }
    while (carry(&t, true, SIZE_MAX) > 0) {
    }
    assert(memcmp(t.put, t.got, sizeof t.put) == 0);
    assert(channel_queued(&t.from) == 0);
    assert(t.to.gather.n_open == 0 && t.to.gather.bytes == 0);
    channel_fini(&t.from);
    channel_fini(&t.to);
}

/* The first byte says which of the flags were agreed on, and which property; the second how a
 * stream is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint64_t which = flags[data[0] % COUNT(flags)];

    if (data[0] / COUNT(flags) % 2 == 0)
        read_both_ways(which, 1 + data[1], data + 2, size - 2);
    else
        write_and_read(which, data + 2, size - 2);
    return 0;
}
