/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "reader.h"

/* Messages that arrive in fragments. */

/* ---- reading ---- */

#define FIRST(sequence, fragment)                                                                  \
    "\x83"                                                                                         \
    "E\0\0\0\0\0\0\0" sequence "\0\0\0\0\0\0\0" fragment
#define NEXT(sequence, fragment)                                                                   \
    "\x83"                                                                                         \
    "F\0\0\0\0\0\0\0" sequence "\0\0\0\0\0\0\0" fragment
/* A header with one atom, new in slot 7, which the next also names; a tuple {Atom}. */
#define A_FOO                                                                                      \
    "\x01\x08\x07\x03"                                                                             \
    "foo"                                                                                          \
    "h\x01R\0"
#define A_BAR                                                                                      \
    "\x01\x08\x07\x03"                                                                             \
    "bar"                                                                                          \
    "h\x01R\0"
/* {Atom, Binary of 6} */
#define PAYLOAD_1 "h\2R\0m\0\0\0"
#define PAYLOAD_2 "\6xx"
#define PAYLOAD_3 "xxxx"

#define FRAME(text)                                                                                \
    do {                                                                                           \
        static const clu_slice content = BYTES(text);                                              \
        struct buf stream = {0};                                                                   \
                                                                                                   \
        put_frame(&stream, content);                                                               \
        feed(&f, stream.data, stream.len);                                                         \
        buf_free(&stream);                                                                         \
    } while (0)

/* Three sequences by turns, a whole message between them; the atoms of each as of its first
 * fragment, though others take the slot meanwhile. */
static void sequences_come_by_turns(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    FRAME(FIRST("\1", "\3") A_FOO PAYLOAD_1);
    FRAME(FIRST("\2", "\2") A_BAR PAYLOAD_1);
    FRAME(NEXT("\1", "\2") PAYLOAD_2);
    FRAME("\x83"
          "D\x01\x08\x07\x03"
          "new"
          "h\x01R\0");
    assert_int_equal(f.c.gather.n_open, 2);
    FRAME(NEXT("\2", "\1") PAYLOAD_2 PAYLOAD_3);
    FRAME(FIRST("\3", "\1") A_BAR PAYLOAD_1 PAYLOAD_2 PAYLOAD_3); /* one of one */
    FRAME(NEXT("\1", "\1") PAYLOAD_3);
    assert_string_equal(seen(&f), "{new}\n"
                                  "{bar} bar 6 x\n"
                                  "{bar} bar 6 x\n"
                                  "{foo} foo 6 x\n");
    assert_int_equal(f.c.err, CLU_OK);
    assert_int_equal(f.c.gather.n_open, 0);
    assert_int_equal(f.c.gather.bytes, 0);
    FRAME(FIRST("\1", "\2") "\0h\0h\2w\0m\0\0\0\6x"); /* the numbers may be used again */
    FRAME(NEXT("\1", "\1") "xxxxx");
    assert_int_equal(f.c.err, CLU_OK);
    teardown(&f);
}

/* A fragment without bytes, and a control message without a payload. */
static void empty_fragments_are_fragments(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    FRAME(FIRST("\1", "\3") A_FOO);
    FRAME(NEXT("\1", "\2"));
    FRAME(NEXT("\1", "\1"));
    FRAME(FIRST("\1", "\2") "\0h\0");
    FRAME(NEXT("\1", "\1") "h\2w\0m\0\0\0\0");
    assert_string_equal(seen(&f), "{foo}\n{}  0\n");
    teardown(&f);
}

static void what_a_node_sent_is_read(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    FRAME("\x83"
          "D\x02\x87\x00\x7b\x05\x00"
          "h\0"); /* an empty place: nothing was told yet */
    assert_int_equal(f.c.err, CLU_EPROTO);
    teardown(&f);
    setup(&f);
    FRAME("\x83"
          "D\x02\x8f\x00\x7b\x0b"
          "a@127.0.0.1\x05\x00"
          "h\0");
    FRAME(FIRST("\1", "\1") "\x03\x07\x0c\x7b\x05\x5e\x03"
                            "foo"
                            "h\4a\6R\0R\1R\2");
    assert_string_equal(seen(&f), "{}\n{6,'a@127.0.0.1','',foo}\n");
    teardown(&f);
}

static const struct {
    const char *name, *words;
    clu_slice frames[3];
    clu_error err;
} bad[] = {
    {"continuation without a first", "of no message", {BYTES(NEXT("\1", "\1") "x")}, CLU_EPROTO},
    {"first twice",
     "a second time",
     {BYTES(FIRST("\1", "\2") A_FOO), BYTES(FIRST("\1", "\2") A_FOO)},
     CLU_EPROTO},
    {"one left out",
     "out of order",
     {BYTES(FIRST("\1", "\3") A_FOO), BYTES(NEXT("\1", "\1"))},
     CLU_EPROTO},
    {"one said twice",
     "out of order",
     {BYTES(FIRST("\1", "\3") A_FOO), BYTES(NEXT("\1", "\2")), BYTES(NEXT("\1", "\2"))},
     CLU_EPROTO},
    {"one too many",
     "of no message",
     {BYTES(FIRST("\1", "\2") A_FOO), BYTES(NEXT("\1", "\1")), BYTES(NEXT("\1", "\1"))},
     CLU_EPROTO},
    {"number 0 first", "without a number", {BYTES(FIRST("\1", "\0") A_FOO)}, CLU_EPROTO},
    {"number 0 later",
     "without a number",
     {BYTES(FIRST("\1", "\2") A_FOO), BYTES(NEXT("\1", "\0"))},
     CLU_EPROTO},
    {"first cut short",
     "cut short",
     {BYTES("\x83"
            "E\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0")},
     CLU_EPROTO},
    {"next cut short",
     "cut short",
     {BYTES("\x83"
            "F\0")},
     CLU_EPROTO},
    {"header cut short", "before its last atom", {BYTES(FIRST("\1", "\2") "\1")}, CLU_EPROTO},
    {"control in two fragments",
     "malformed control",
     {BYTES(FIRST("\1", "\2") "\0h\1")},
     CLU_ETRUNC},
    {"payload cut short",
     "malformed message",
     {BYTES(FIRST("\1", "\2") A_FOO PAYLOAD_1), BYTES(NEXT("\1", "\1") PAYLOAD_2)},
     CLU_ETRUNC},
    {"bytes behind the payload",
     "behind a message",
     {BYTES(FIRST("\1", "\2") A_FOO), BYTES(NEXT("\1", "\1") "h\0z")},
     CLU_EPROTO},
    {"compressed",
     "compressed",
     {BYTES(FIRST("\1", "\2") A_FOO), BYTES(NEXT("\1", "\1") "P\0\0\0\0")},
     CLU_ECOMPRESSED},
};

static void bad_fragments_end_the_channel(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fixture f;

        setup(&f);
        for (size_t j = 0; j < COUNT(bad[i].frames) && bad[i].frames[j].data != NULL; j++) {
            struct buf stream = {0};

            if (f.c.err != CLU_OK)
                fail_msg("%s: too early: %s", bad[i].name, f.c.what);
            put_frame(&stream, bad[i].frames[j]);
            feed(&f, stream.data, stream.len);
            buf_free(&stream);
        }
        if (f.c.err != bad[i].err || strstr(f.c.what, bad[i].words) == NULL)
            fail_msg("%s: %d, '%s'", bad[i].name, f.c.err, f.c.err == CLU_OK ? "" : f.c.what);
        teardown(&f);
    }
}

/* ---- limits ---- */

static uint8_t fill(uint64_t sequence)
{
    return (uint8_t)('w' + sequence % 3);
}

static void put_first(struct buf *out, uint64_t sequence, uint64_t fragments, size_t payload)
{
    static const uint8_t begin[] = {0, 'h', 1, 'a', 6};
    uint8_t *p;

    buf_put_be32(out, (uint32_t)(18 + sizeof begin + payload));
    buf_put_byte(out, ETF_VERSION);
    buf_put_byte(out, 69);
    p = buf_space(out, 16);
    put_be64(p, sequence);
    put_be64(p + 8, fragments);
    buf_add(out, 16);
    buf_put(out, begin, sizeof begin);
    memset(buf_space(out, payload), fill(sequence), payload);
    buf_add(out, payload);
}

static void put_next(struct buf *out, uint64_t sequence, uint64_t fragment, size_t payload)
{
    uint8_t *p;

    buf_put_be32(out, (uint32_t)(18 + payload));
    buf_put_byte(out, ETF_VERSION);
    buf_put_byte(out, 70);
    p = buf_space(out, 16);
    put_be64(p, sequence);
    put_be64(p + 8, fragment);
    buf_add(out, 16);
    memset(buf_space(out, payload), fill(sequence), payload);
    buf_add(out, payload);
}

/* Over the limit: passed over without memory, then told; others go on. */
static void a_message_too_big_is_skipped(void **state)
{
    struct fixture f;
    struct buf out = {0};

    (void)state;
    setup(&f);
    f.c.message_max = 200 * KIB;
    put_first(&out, 1, 1000, 64 * KIB);
    feed(&f, out.data, out.len);
    for (uint64_t n = 999; n > 0; n--) {
        buf_reset(&out);
        put_next(&out, 1, n, 64 * KIB);
        feed(&f, out.data, out.len);
        assert_true(f.c.gather.bytes <= 257 * KIB);
        if (n == 500)
            assert_null(f.c.gather.open->payload);
    }
    FRAME(FIRST("\1", "\2") A_FOO);
    FRAME(NEXT("\1", "\1") PAYLOAD_1 PAYLOAD_2 PAYLOAD_3);
    assert_string_equal(seen(&f), "{6} too big\n{foo} foo 6 x\n");
    buf_free(&out);
    teardown(&f);
}

/* Of one frame, too, where the limit is below that of frames. */
static void a_frame_too_big_is_told(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    f.c.message_max = 14;
    FRAME("\x83"
          "D" A_FOO PAYLOAD_1 PAYLOAD_2 PAYLOAD_3);
    f.c.message_max = 15;
    FRAME("\x83"
          "D" A_FOO PAYLOAD_1 PAYLOAD_2 PAYLOAD_3);
    assert_string_equal(seen(&f), "{foo} too big\n{foo} foo 6 x\n");
    teardown(&f);
}

/* All open messages of a link together are bounded; what goes beyond is skipped, none is lost. */
static void the_memory_of_a_link_is_bounded(void **state)
{
    enum { MESSAGES = 6 };
    struct fixture f;
    struct buf out = {0};
    char want[128] = "";

    (void)state;
    setup(&f);
    for (uint64_t s = 1; s <= MESSAGES; s++) {
        buf_reset(&out);
        put_first(&out, s, 3, 50 * MIB);
        put_next(&out, s, 2, 0);
        feed(&f, out.data, out.len);
        assert_true(f.c.gather.bytes <= GATHER_BYTES_MAX);
    }
    assert_int_equal(f.c.gather.n_open, MESSAGES);
    for (uint64_t s = MESSAGES; s > 0; s--) {
        const char *what = s == MESSAGES ? " too big" : "";

        assert_int_equal(gather_find(&f.c.gather, s)->mode,
                         s == MESSAGES ? GATHER_SKIP : GATHER_KEEP);
        snprintf(want, sizeof want, "%s{6}%s\n", seen(&f), what);
        gather_find(&f.c.gather, s)->len = 0; /* else it would have to be a term */
        buf_reset(&out);
        put_next(&out, s, 1, 0);
        feed(&f, out.data, out.len);
        assert_string_equal(seen(&f), want);
    }
    buf_free(&out);
    teardown(&f);
}

static void so_many_may_be_open(void **state)
{
    struct fixture f;
    struct buf out = {0};

    (void)state;
    setup(&f);
    for (uint64_t s = 0; s <= GATHER_OPEN_MAX; s++) {
        assert_int_equal(f.c.err, CLU_OK);
        buf_reset(&out);
        put_first(&out, s, 2, 1);
        feed(&f, out.data, out.len);
    }
    assert_int_equal(f.c.err, CLU_ESIZE);
    assert_non_null(strstr(f.c.what, "too many unfinished"));
    buf_free(&out);
    teardown(&f);
}

/* The number of fragments that a first one announces costs nothing. */
static void memory_follows_the_bytes(void **state)
{
    struct fixture f;
    struct buf out = {0};

    (void)state;
    setup(&f);
    put_first(&out, 1, UINT64_MAX, 100);
    feed(&f, out.data, out.len);
    assert_true(f.c.gather.open->cap <= 200);
    for (uint64_t n = 1; n < 1000; n++) {
        buf_reset(&out);
        put_next(&out, 1, UINT64_MAX - n, 100);
        feed(&f, out.data, out.len);
        assert_true(f.c.gather.open->cap <= 2 * f.c.gather.open->len);
    }
    assert_int_equal(f.c.err, CLU_OK);
    buf_free(&out);
    teardown(&f);
}

/* ---- one frame over the limit ---- */

/* A frame that begins so and has len bytes; the others are x. */
static void feed_huge(struct fixture *f, clu_slice begin, size_t len)
{
    static uint8_t some[300 * KIB];
    struct buf head = {0};

    memset(some, 'x', sizeof some);
    buf_put_be32(&head, (uint32_t)len);
    buf_put_slice(&head, begin);
    feed(f, head.data, head.len);
    for (size_t left = len - begin.len; left > 0 && f->c.err == CLU_OK;) {
        size_t n = (size_t)min_u64(left, sizeof some);

        feed(f, some, n);
        left -= n;
        assert_true(f->c.partial.cap <= 2 * MIB);
        if (f->c.gather.open != NULL && f->c.gather.open->mode == GATHER_SKIP)
            assert_true(f->c.gather.bytes <= KIB);
    }
    buf_free(&head);
}

/* A BEAM's first message to a node has no fragments: it is skipped like one that has, without the
 * memory for it; its atoms count. */
static void a_huge_frame_is_skipped(void **state)
{
    static const clu_slice begin = BYTES("\x83"
                                         "D" A_FOO "m\x04\x10\0\0");
    static const clu_slice through = BYTES("p\x83h\x01w\3foo\x83m\x04\x10\0\0");
    struct fixture f;

    (void)state;
    setup(&f);
    feed_huge(&f, begin, 65 * MIB);
    FRAME("\x83"
          "D\x01\x00\x07" /* the atom of its header, by its number */
          "h\x01R\0");
    assert_string_equal(seen(&f), "{foo} too big\n{foo}\n");
    assert_int_equal(f.c.gather.n_open, 0);
    teardown(&f);
    f = (struct fixture){0}; /* the same where no header was agreed on */
    open_channel(&f.c, DFLAG_FRAGMENTS | DFLAG_DIST_HDR_ATOM_CACHE);
    feed_huge(&f, through, 65 * MIB);
    FRAME("p\x83h\x01w\3foo");
    assert_string_equal(seen(&f), "{foo} too big\n{foo}\n");
    teardown(&f);
}

/* The limit is the payload's: what is just below it arrives, though its frame is above. */
static void a_huge_frame_of_a_whole_message(void **state)
{
    static const uint8_t binary[] = {'h', 2, 'w', 0, 'm', 0x03, 0xff, 0xff, 0xf7};
    struct buf head = {0};
    struct fixture f;

    (void)state;
    setup(&f);
    buf_put_text(&head, "\x83"
                        "D");
    buf_put(&head,
            "\0h\x01"
            "a\6",
            5);
    size_t control = head.len;

    buf_put(&head, binary, sizeof binary);
    f.c.message_max = CHANNEL_MESSAGE_MAX;
    feed_huge(&f, buf_slice(&head), control + CHANNEL_MESSAGE_MAX);
    assert_string_equal(seen(&f), "{6}  67108855 x\n");
    buf_reset(&f.seen);
    head.data[control + sizeof binary - 1]++; /* one byte more */
    feed_huge(&f, buf_slice(&head), control + CHANNEL_MESSAGE_MAX + 1);
    assert_string_equal(seen(&f), "{6} too big\n");
    assert_int_equal(f.c.gather.bytes, 0);
    buf_free(&head);
    teardown(&f);
}

static uint64_t takes_all(void *arg, clu_slice control, const clu_refs *refs)
{
    (void)control, (void)refs;
    (*(int *)arg)++;
    return 7;
}

/* What channel_next gives now, of a stream that has `size` bytes in all. */
static void take_parts(struct channel *c, size_t *bytes, size_t size)
{
    for (struct frame f; channel_next(c, &f);) {
        enum frame_part part = *bytes == 0                      ? FRAME_FIRST
                               : *bytes + f.payload.len == size ? FRAME_LAST
                                                                : FRAME_PART;

        assert_int_equal(f.part, part);
        assert_int_equal(f.stream, 7);
        *bytes += f.payload.len;
    }
}

static void a_huge_frame_is_a_stream(void **state)
{
    static const clu_slice begin = BYTES("\x83"
                                         "D" A_FOO);
    static uint8_t some[MIB];
    const size_t size = 66 * MIB;
    struct buf head = {0};
    struct fixture f;
    size_t bytes = 0;
    int asked = 0;

    (void)state;
    setup(&f);
    f.c.wants_stream = takes_all;
    f.c.stream_arg = &asked;
    buf_put_be32(&head, (uint32_t)(begin.len + size));
    buf_put_slice(&head, begin);
    channel_feed(&f.c, head.data, head.len, 0);
    take_parts(&f.c, &bytes, size);
    for (size_t i = 0; i < size / MIB; i++) {
        const struct gathering *at = NULL;

        channel_feed(&f.c, some, sizeof some, 0);
        take_parts(&f.c, &bytes, size);
        assert_int_equal(channel_next_stream(&f.c, &at), i + 1 < size / MIB ? 7 : 0);
    }
    assert_int_equal(bytes, size);
    assert_int_equal(asked, 1);
    assert_int_equal(f.c.err, CLU_OK);
    buf_free(&head);
    teardown(&f);
}

/* What is no message ends the channel when its head has come; a lone fragment is none either. */
static void a_huge_frame_of_no_message(void **state)
{
    static const struct {
        clu_slice begin;
        clu_error err;
    } rows[] = {
        {BYTES("xyz"), CLU_ESIZE},
        {BYTES(FIRST("\1", "\2") A_FOO), CLU_ESIZE},
        {BYTES(NEXT("\1", "\1")), CLU_ESIZE},
        {BYTES("p\x83h\0"), CLU_ESIZE}, /* a header was agreed on */
        {BYTES("\x83"
               "D\0\xff"),
         CLU_ETAG},
        {BYTES("\x83"
               "D\0h\1m\x03\xff\xff\xff"), /* a control message that does not end in it */
         CLU_ETRUNC},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;

        setup(&f);
        feed_huge(&f, rows[i].begin, 4000 * (size_t)MIB);
        if (f.c.err != rows[i].err)
            fail_msg("row %zu: %d %s", i, (int)f.c.err, f.c.what);
        assert_string_equal(seen(&f), "");
        teardown(&f);
    }
}

/* ---- as a socket hands it over ---- */

#define A_FRAME 0

static size_t turn_at(const struct buf *in, size_t at, size_t turn)
{
    return turn == A_FRAME ? 4 + (size_t)get_be32(in->data + at) : turn;
}

/* At most so many bytes a turn, or a frame each, into the places that the channel names. Whether
 * one of them was a fragment's own. */
static bool read_turns(struct fixture *f, const struct buf *in, size_t each)
{
    static uint8_t scratch[67 * KIB];
    bool own = false;

    for (size_t at = 0; at < in->len;) {
        struct iovec iov[CHANNEL_PLACES];
        size_t places = channel_space(&f->c, scratch, sizeof scratch, iov), got = 0;
        size_t turn = turn_at(in, at, each);

        own = own || f->c.into != NULL || f->c.guess != NULL;
        for (size_t i = 0; i < places; i++) {
            size_t room = (size_t)min_u64(iov[i].iov_len, turn - got);
            size_t n = (size_t)min_u64(room, in->len - at);

            memcpy(iov[i].iov_base, in->data + at, n);
            at += n;
            got += n;
        }
        channel_got(&f->c, got, scratch, 0);
        drain(f);
    }
    return own;
}

static void put_binary_head(struct buf *out, size_t at, size_t len)
{
    static const uint8_t head[] = {'h', 2, 'w', 0, 'm'};

    memcpy(out->data + at, head, sizeof head);
    put_be32(out->data + at + sizeof head, (uint32_t)len);
}

/* Fragments go to their place in the message as they are read, wherever they are cut, with what
 * stands between them. */
static void fragments_are_read_into_their_message(void **state)
{
    enum { ONE = 10000 };
    static const size_t turns[] = {1, 7, 22, 23, 100, 4095, 4119, 10022, 70000};
    struct buf in = {0};
    const size_t begin = 4 + 18 + 5;

    (void)state;
    for (uint64_t s = 1; s <= 2; s++) {
        put_first(&in, s, 3, ONE);
        put_binary_head(&in, in.len - ONE, 3 * ONE - 9);
    }
    for (uint64_t n = 2; n > 0; n--)
        for (uint64_t s = 1; s <= 2; s++) {
            put_next(&in, s, n, ONE);
            buf_put(&in, "\0\0\0\0", 4); /* a tick */
        }
    assert_int_equal(in.data[begin], 'h');
    for (size_t i = 0; i < COUNT(turns); i++) {
        struct fixture f;

        setup(&f);
        assert_true(read_turns(&f, &in, turns[i]) == (turns[i] < 70000));
        assert_string_equal(seen(&f), "{6}  29991 x\n{6}  29991 y\n");
        assert_int_equal(f.c.gather.bytes, 0);
        assert_non_null(f.c.gather.spare); /* for the next */
        read_turns(&f, &in, turns[i]);
        assert_int_equal(f.c.err, CLU_OK);
        assert_int_equal(channel_tick(&f.c, f.c.last_out_ms + f.c.tick_ms), CLU_OK);
        assert_null(f.c.gather.spare); /* an idle link owns no memory */
        teardown(&f);
    }
    buf_free(&in);
}

/* Fragments of full size, of two messages by turns or one behind the other, with small frames
 * between them and a short one at the end: whatever the next one was taken for, it goes where it
 * belongs. */
static void a_guess_may_be_wrong(void **state)
{
    enum { ONE = OUTBOX_FRAGMENT, LAST = 5000, ALL = 4 * ONE + LAST };
    static const size_t turns[] = {A_FRAME, 1, 22, 23, 1000, ONE + 22, ONE + 27, 2 * ONE};
    (void)state;
    for (int o = 0; o < 2; o++) {
        struct buf in = {0};

        for (uint64_t s = 1; s <= 2; s++) {
            put_first(&in, s, 5, ONE);
            put_binary_head(&in, in.len - ONE, ALL - 9);
        }
        for (uint64_t k = 8; k > 0; k--) {
            uint64_t s = o == 0 ? (k > 4 ? 1 : 2) : 1 + k % 2;
            uint64_t number = o == 0 ? (k - 1) % 4 + 1 : (k + 1) / 2;

            put_next(&in, s, number, number == 1 ? LAST : ONE);
            if (k % 3 == 0)
                buf_put(&in, "\0\0\0\0", 4); /* a tick */
        }
        for (size_t i = 0; i < COUNT(turns); i++) {
            struct fixture f;

            setup(&f);
            assert_true(read_turns(&f, &in, turns[i]));
            assert_string_equal(seen(&f), "{6}  267135 x\n{6}  267135 y\n");
            assert_int_equal(f.c.err, CLU_OK);
            assert_int_equal(f.c.gather.bytes, 0);
            teardown(&f);
        }
        buf_free(&in);
    }
}

/* ---- streams ---- */

static uint64_t takes_foo(void *arg, clu_slice control, const clu_refs *refs)
{
    clu_reader r = {.pos = control.data, .end = control.data + control.len, .refs = refs};

    clu_get_tuple(&r);
    (*(int *)arg)++;
    return slice_is(clu_get_atom(&r), "foo") ? 42 : 0;
}

static void a_stream_is_handed_out_as_it_comes(void **state)
{
    const struct gathering *at = NULL;
    struct fixture f;
    int asked = 0;

    (void)state;
    setup(&f);
    f.c.wants_stream = takes_foo;
    f.c.stream_arg = &asked;
    f.c.message_max = 4;
    FRAME(FIRST("\1", "\4") A_FOO "ab");
    FRAME(FIRST("\2", "\2") A_BAR "h");
    FRAME(NEXT("\1", "\3") "cdefgh"); /* no limit, and nothing is kept */
    assert_int_equal(f.c.gather.open->len, 0);
    FRAME("\x83"
          "D" A_FOO); /* what comes whole is no stream */
    FRAME(NEXT("\1", "\2"));
    FRAME(NEXT("\2", "\1") "\2w\0m\0\0\0\0");
    assert_int_equal(channel_next_stream(&f.c, &at), 42);
    assert_int_equal(channel_next_stream(&f.c, &at), 0);
    FRAME(NEXT("\1", "\1") "i");
    assert_int_equal(channel_next_stream(&f.c, &at), 0);
    assert_string_equal(seen(&f), "first {foo} 42/1 ab\n"
                                  "part {foo} 42/1 cdefgh\n"
                                  "{foo}\n"
                                  "part {foo} 42/1 \n"
                                  "{bar} too big\n"
                                  "last {foo} 42/1 i\n");
    assert_int_equal(asked, 2);
    teardown(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_come_by_turns),
        cmocka_unit_test(empty_fragments_are_fragments),
        cmocka_unit_test(what_a_node_sent_is_read),
        cmocka_unit_test(bad_fragments_end_the_channel),
        cmocka_unit_test(a_message_too_big_is_skipped),
        cmocka_unit_test(a_frame_too_big_is_told),
        cmocka_unit_test(the_memory_of_a_link_is_bounded),
        cmocka_unit_test(so_many_may_be_open),
        cmocka_unit_test(memory_follows_the_bytes),
        cmocka_unit_test(fragments_are_read_into_their_message),
        cmocka_unit_test(a_huge_frame_is_skipped),
        cmocka_unit_test(a_huge_frame_is_a_stream),
        cmocka_unit_test(a_huge_frame_of_a_whole_message),
        cmocka_unit_test(a_huge_frame_of_no_message),
        cmocka_unit_test(a_guess_may_be_wrong),
        cmocka_unit_test(a_stream_is_handed_out_as_it_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
