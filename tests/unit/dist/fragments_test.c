/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "message.h"

/* Messages in fragments. */

#define KIB 1024u
#define MIB (1024u * KIB)

/* A channel and what came out of it, a line a frame: its part, its control, what of a payload. */
struct fixture {
    struct channel c;
    struct buf seen;
};

static void setup(struct fixture *f)
{
    *f = (struct fixture){0};
    open_channel(&f->c, 0);
}

static void teardown(struct fixture *f)
{
    channel_fini(&f->c);
    buf_free(&f->seen);
}

/* A payload {Atom, Binary}: the atom, the size of the binary and the byte it is full of. */
static void print_payload(struct buf *out, const struct frame *f)
{
    clu_reader r = {
        .pos = f->payload.data, .end = f->payload.data + f->payload.len, .refs = f->refs};

    clu_get_tuple(&r);
    clu_slice name = clu_get_atom(&r);
    clu_slice bytes = clu_get_binary(&r);

    if (r.err != CLU_OK || r.pos != r.end) {
        buf_put_text(out, " ?");
        return;
    }
    for (size_t i = 1; i < bytes.len; i++)
        if (bytes.data[i] != bytes.data[0])
            fail_msg("byte %zu is not as byte 0", i);
    buf_printf(out, " %.*s %zu", (int)name.len, (const char *)name.data, bytes.len);
    if (bytes.len > 0)
        buf_printf(out, " %c", bytes.data[0]);
}

static void drain(struct fixture *f)
{
    static const char *const parts[] = {"", "first ", "part ", "last "};
    struct frame frame;

    while (channel_next(&f->c, &frame)) {
        buf_put_text(&f->seen, parts[frame.part]);
        print_term(&f->seen, frame.control, frame.refs);
        if (frame.too_big)
            buf_put_text(&f->seen, " too big");
        else if (frame.part != FRAME_WHOLE)
            buf_printf(&f->seen, " %u/%u %.*s", (unsigned)frame.stream, (unsigned)frame.sequence,
                       (int)frame.payload.len, (const char *)frame.payload.data);
        else if (frame.payload.len > 0)
            print_payload(&f->seen, &frame);
        buf_put_byte(&f->seen, '\n');
    }
}

static void feed(struct fixture *f, const void *data, size_t len)
{
    channel_feed(&f->c, data, len, 0);
    drain(f);
}

static const char *seen(struct fixture *f)
{
    return buf_text(&f->seen);
}

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
    memset(buf_space(out, payload), 'x', payload);
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
    memset(buf_space(out, payload), 'x', payload);
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
        assert_true(f.c.gather.bytes <= 256 * KIB);
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

/* ---- writing ---- */

/* Moves what c has to send to the other channel, at most `most` bytes a turn. */
static void carry(struct channel *c, struct fixture *f, size_t most)
{
    struct buf out = {0};

    while (buf_reset(&out), take_pending(c, &out, most, 0) > 0)
        feed(f, out.data, out.len);
    buf_free(&out);
}

static void large_messages_arrive(void **state)
{
    static const size_t sizes[] = {0,      1,   65000,  65536, 65537, 100000, 131072, 64 * KIB * 3,
                                   200000, MIB, 5 * MIB};
    static const size_t turns[] = {SIZE_MAX, 70000, 65558, 1000, 7};

    (void)state;
    for (size_t t = 0; t < COUNT(turns); t++) {
        struct fixture f;
        struct channel c;
        struct buf want = {0};

        setup(&f);
        open_channel(&c, 0);
        for (size_t i = 0; i < COUNT(sizes) && (turns[t] > 1000 || sizes[i] < MIB); i++) {
            assert_int_equal(put_atoms(&c, i, 2, sizes[i], (uint8_t)('a' + i)), CLU_OK);
            buf_printf(&want, "{2,rex}");
            if (sizes[i] > 0)
                buf_printf(&want, " features_request %zu %c", sizes[i], (int)('a' + i));
            buf_put_byte(&want, '\n');
            carry(&c, &f, turns[t]);
            assert_int_equal(channel_queued(&c), 0);
        }
        assert_int_equal(f.c.err, CLU_OK);
        assert_string_equal(seen(&f), buf_text(&want));
        buf_free(&want);
        channel_fini(&c);
        teardown(&f);
    }
}

/* A small message of another sender goes between the fragments; those of the same wait. */
static void small_messages_pass_large_ones(void **state)
{
    struct fixture f;
    struct channel c;
    struct buf out = {0};

    (void)state;
    setup(&f);
    open_channel(&c, 0);
    assert_int_equal(put_atoms(&c, 1, 2, 300 * KIB, 'x'), CLU_OK);
    assert_int_equal(put_atoms(&c, 1, 3, 1, 'y'), CLU_OK); /* the same sender */
    assert_int_equal(put_atoms(&c, 2, 2, 1, 'z'), CLU_OK);
    take_pending(&c, &out, SIZE_MAX, 0);
    feed(&f, out.data, out.len);
    assert_string_equal(seen(&f), "{2,rex} features_request 1 z\n");
    for (int i = 0; i < 2; i++) { /* behind each fragment */
        buf_reset(&out);
        assert_int_equal(put_atoms(&c, 0, 2, 0, 0), CLU_OK);
        take_pending(&c, &out, SIZE_MAX, 0);
        assert_true(out.len < 70000);
        feed(&f, out.data, out.len);
    }
    carry(&c, &f, SIZE_MAX);
    assert_string_equal(seen(&f), "{2,rex} features_request 1 z\n"
                                  "{2,rex}\n{2,rex}\n"
                                  "{2,rex} features_request 307200 x\n"
                                  "{3,features_request} erlclu@10.42.0.4 1 y\n");
    assert_null(c.out.first);
    buf_free(&out);
    channel_fini(&c);
    teardown(&f);
}

/* Large ones go by turns, so that the smaller is through first; one sender's keep their order. */
static void large_messages_go_by_turns(void **state)
{
    struct fixture f;
    struct channel c;

    (void)state;
    setup(&f);
    open_channel(&c, 0);
    assert_int_equal(put_atoms(&c, 1, 2, 1000 * KIB, 'a'), CLU_OK);
    assert_int_equal(put_atoms(&c, 1, 2, 100 * KIB, 'b'), CLU_OK);
    assert_int_equal(put_atoms(&c, 1, 2, 1, 'c'), CLU_OK);
    assert_int_equal(put_atoms(&c, 1, 2, 2, 'd'), CLU_OK);
    assert_int_equal(put_atoms(&c, 1, 2, 90 * KIB, 'e'), CLU_OK);
    assert_int_equal(put_atoms(&c, 2, 2, 200 * KIB, 'f'), CLU_OK);
    assert_int_equal(put_atoms(&c, 3, 2, 500 * KIB, 'g'), CLU_OK);
    carry(&c, &f, 10000);
    assert_string_equal(seen(&f), "{2,rex} features_request 204800 f\n"
                                  "{2,rex} features_request 512000 g\n"
                                  "{2,rex} features_request 1024000 a\n"
                                  "{2,rex} features_request 102400 b\n"
                                  "{2,rex} features_request 1 c\n"
                                  "{2,rex} features_request 2 d\n"
                                  "{2,rex} features_request 92160 e\n");
    assert_int_equal(channel_queued(&c), 0);
    assert_int_equal(c.out.held + c.out.large, 0);
    channel_fini(&c);
    teardown(&f);
}

/* A control message is in the first fragment whole, whatever its size; without a payload it goes as
 * one frame. */
static void control_messages_stay_whole(void **state)
{
    static uint8_t bytes[200000];
    struct fixture f;
    struct channel c;
    clu_writer w;

    (void)state;
    setup(&f);
    open_channel(&c, 0);
    for (int payload = 0; payload < 2; payload++) {
        channel_begin(&c, &w, 0);
        clu_put_tuple(&w, 2);
        clu_put_int(&w, payload);
        clu_put_binary(&w, bytes, sizeof bytes);
        if (payload > 0) {
            channel_payload(&c, &w);
            clu_put_tuple(&w, 2);
            clu_put_atom_text(&w, "a");
            clu_put_binary(&w, "x", 1);
        }
        assert_int_equal(channel_end(&c, &w), CLU_OK);
        assert_true((c.out.first != NULL) == (payload > 0));
    }
    carry(&c, &f, SIZE_MAX);
    assert_int_equal(f.c.err, CLU_OK);
    assert_int_equal(f.c.frames_in, 2);
    channel_fini(&c);
    teardown(&f);
}

/* Without DFLAG_FRAGMENTS: one frame. */
static void without_fragments_a_message_is_a_frame(void **state)
{
    struct fixture f;
    struct channel c;

    (void)state;
    setup(&f);
    open_channel(&c, DFLAG_FRAGMENTS);
    assert_int_equal(put_atoms(&c, 1, 2, MIB, 'x'), CLU_OK);
    assert_null(c.out.first);
    carry(&c, &f, SIZE_MAX);
    assert_string_equal(seen(&f), "{2,rex} features_request 1048576 x\n");
    channel_fini(&c);
    teardown(&f);
}

static void a_message_over_the_frame_limit(void **state)
{
    struct channel c;

    (void)state;
    open_channel(&c, DFLAG_FRAGMENTS);
    assert_int_equal(put_atoms(&c, 1, 2, CHANNEL_FRAME_MAX, 'x'), CLU_ESIZE);
    assert_int_equal(c.err, CLU_OK);
    assert_int_equal(put_atoms(&c, 1, 2, 1, 'x'), CLU_OK);
    channel_fini(&c);
    open_channel(&c, 0);
    assert_int_equal(put_atoms(&c, 1, 2, CHANNEL_FRAME_MAX, 'x'), CLU_OK);
    channel_fini(&c);
}

/* ---- back-pressure ---- */

static bool must_wait(struct channel *c, size_t len)
{
    clu_writer w;

    channel_begin(c, &w, 9);
    clu_put_tuple(&w, 0);
    channel_payload(c, &w);
    clu_put_head(&w, ETF_BINARY, len);
    clu_writer_add(&w, len);
    bool wait = channel_must_wait(c, &w);

    channel_cancel(c, &w);
    return wait;
}

static void large_messages_wait_for_each_other(void **state)
{
    struct fixture f;
    struct channel c;

    (void)state;
    setup(&f);
    open_channel(&c, 0);
    assert_int_equal(put_atoms(&c, 1, 2, CHANNEL_LARGE_BUSY, 'x'), CLU_OK);
    assert_false(must_wait(&c, MIB)); /* the first fragment counts as a small frame */
    assert_int_equal(put_atoms(&c, 2, 2, MIB, 'x'), CLU_OK);
    assert_false(channel_takes_large(&c));
    assert_true(must_wait(&c, MIB));
    assert_false(must_wait(&c, 1000));
    assert_false(channel_is_busy(&c)); /* small ones pass */
    assert_false(channel_is_busy_for(&c, 1));
    while (!channel_is_busy_for(&c, 1))
        assert_int_equal(put_atoms(&c, 1, 2, 1000, 'y'), CLU_OK);
    assert_true(c.out.held >= CHANNEL_BUSY_BYTES);
    assert_false(channel_is_busy_for(&c, 2));
    assert_false(channel_is_busy(&c));
    carry(&c, &f, SIZE_MAX);
    assert_true(channel_takes_large(&c));
    assert_false(channel_is_busy_for(&c, 1));
    assert_int_equal(f.c.err, CLU_OK);
    channel_fini(&c);
    teardown(&f);
}

/* Signals that nobody can refuse go on above that, up to an end. */
static void a_peer_that_does_not_read_is_cut(void **state)
{
    struct channel c;
    clu_error err = CLU_OK;
    size_t n = 0;

    (void)state;
    open_channel(&c, 0);
    while (err == CLU_OK && n++ < 100)
        err = put_atoms(&c, n, 2, MIB, 'x');
    assert_int_equal(err, CLU_ESIZE);
    assert_in_range(n, 18, 20);
    assert_non_null(strstr(c.what, "too slowly"));
    channel_fini(&c);
    open_channel(&c, 0);
    assert_int_equal(put_atoms(&c, 1, 2, 100 * KIB, 'x'), CLU_OK);
    for (err = CLU_OK, n = 0; err == CLU_OK && n < 30000; n++)
        err = put_atoms(&c, 1, 2, 1000, 'x'); /* what waits behind a large one counts */
    assert_int_equal(err, CLU_ESIZE);
    channel_fini(&c);
}

/* An idle link owns nothing. */
static void memory_is_given_back(void **state)
{
    struct fixture f;
    struct channel c;

    (void)state;
    setup(&f);
    open_channel(&c, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put_atoms(&c, 1, 2, MIB, 'x'), CLU_OK);
        assert_int_equal(put_atoms(&c, 1, 2, 1, 'x'), CLU_OK);
        assert_int_equal(put_atoms(&c, 2, 2, 8 * MIB, 'x'), CLU_OK);
        carry(&c, &f, SIZE_MAX);
    }
    assert_true(c.out.small.cap + c.out.spare.cap + c.out.aside.cap <= 3 * OUTBOX_KEEP_MAX);
    assert_int_equal(channel_tick(&c, 15000), CLU_OK);
    assert_true(c.out.small.cap + c.out.spare.cap + c.out.aside.cap < 1000);
    channel_fini(&c);
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
        cmocka_unit_test(a_stream_is_handed_out_as_it_comes),
        cmocka_unit_test(large_messages_arrive),
        cmocka_unit_test(small_messages_pass_large_ones),
        cmocka_unit_test(large_messages_go_by_turns),
        cmocka_unit_test(control_messages_stay_whole),
        cmocka_unit_test(without_fragments_a_message_is_a_frame),
        cmocka_unit_test(a_message_over_the_frame_limit),
        cmocka_unit_test(large_messages_wait_for_each_other),
        cmocka_unit_test(a_peer_that_does_not_read_is_cut),
        cmocka_unit_test(memory_is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
