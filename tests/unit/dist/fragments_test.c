/* SPDX-License-Identifier: Apache-2.0 */
#include "fragments.h"

/* Messages that arrive in fragments. */

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
        cmocka_unit_test(fragments_are_read_into_their_message),
        cmocka_unit_test(a_guess_may_be_wrong),
        cmocka_unit_test(a_stream_is_handed_out_as_it_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
