/* SPDX-License-Identifier: Apache-2.0 */
#include "plain.h"

/* Frames that arrive and messages that are sent. */

/* ---- what arrives ---- */

/* a control message without payload */
#define UNPAID                                                                                     \
    "\0\0\0\x06p\x83h\x01"                                                                         \
    "a\x05"
/* a payload of 20 bytes */
#define LARGE                                                                                      \
    "\0\0\0\x1fp\x83h\x01"                                                                         \
    "a\x02"                                                                                        \
    "\x83m\0\0\0\x13"                                                                              \
    "0123456789abcdefghi"
#define STREAM TICK UNPAID PAID TICK TICK LARGE PAID TICK

/* What a run of the stream gave: "control/payload" lengths a message. */
#define STREAM_TRACE "4/0 4/4 4/24 4/4 "

/* Hands the channel n bytes as a socket would: into the places that it asks for. At most
 * scratch_len go into the scratch buffer at a time. */
static void hand_over(struct channel *c, const uint8_t *data, size_t n, size_t scratch_len,
                      char *trace, size_t size)
{
    uint8_t *scratch = malloc(scratch_len);

    while (n > 0) {
        struct iovec iov[CHANNEL_PLACES];
        size_t places = channel_space(c, scratch, scratch_len, iov), got = 0;

        for (size_t i = 0; i < places; i++) {
            size_t part = (size_t)min_u64(iov[i].iov_len, n);

            memcpy(iov[i].iov_base, data, part);
            data += part;
            n -= part;
            got += part;
        }
        channel_got(c, got, scratch, 7);
        drain(c, trace, size);
    }
    free(scratch);
}

static void stream_split_at_every_byte(void **state)
{
    static const clu_slice stream = BYTES(STREAM);

    (void)state;
    for (size_t first = 0; first <= stream.len; first++)
        for (size_t scratch_len = 1; scratch_len <= stream.len; scratch_len += 3) {
            struct channel c = channel();
            char trace[128] = "";

            hand_over(&c, stream.data, first, scratch_len, trace, sizeof trace);
            hand_over(&c, stream.data + first, stream.len - first, scratch_len, trace,
                      sizeof trace);
            if (c.err != CLU_OK || strcmp(trace, STREAM_TRACE) != 0)
                fail_msg("split at %zu, scratch %zu: '%s', %s", first, scratch_len, trace,
                         c.err == CLU_OK ? "" : c.what);
            assert_int_equal(c.frames_in, 4);
            assert_int_equal(c.bytes_in, stream.len);
            assert_int_equal(c.last_in_ms, 7);
            channel_fini(&c);
        }
}

static void bytes_fed_from_elsewhere(void **state)
{
    static const clu_slice stream = BYTES(STREAM);
    struct channel c = channel();
    char trace[128] = "";

    (void)state;
    for (size_t i = 0; i < stream.len; i += 5) {
        channel_feed(&c, stream.data + i, (size_t)min_u64(5, stream.len - i), 1);
        drain(&c, trace, sizeof trace);
    }
    channel_feed(&c, NULL, 0, 2);
    drain(&c, trace, sizeof trace);
    assert_string_equal(trace, STREAM_TRACE);
    assert_int_equal(c.last_in_ms, 1);
    channel_fini(&c);
}

/* A frame that arrives whole is read where it lies; the memory of the channel is not touched. */
static void whole_frames_are_not_copied(void **state)
{
    static const clu_slice stream = BYTES(PAID PAID);
    struct channel c = channel();
    struct frame f;

    (void)state;
    channel_feed(&c, stream.data, stream.len, 0);
    assert_true(channel_next(&c, &f));
    assert_ptr_equal(f.control.data, stream.data + 6);
    assert_true(channel_next(&c, &f));
    assert_false(channel_next(&c, &f));
    assert_null(c.partial.data);
    channel_fini(&c);
}

/* The announced length of a frame costs nothing; its bytes do as they arrive. */
static void memory_follows_the_bytes(void **state)
{
    enum { SCRATCH = 64 << 10 };
    uint8_t *scratch = calloc(1, SCRATCH);
    struct channel c = channel();
    struct frame f;
    size_t arrived = SCRATCH;

    (void)state;
    put_be32(scratch, CHANNEL_FRAME_MAX);
    channel_got(&c, SCRATCH, scratch, 0);
    assert_false(channel_next(&c, &f));
    while (arrived < (8u << 20)) {
        struct iovec iov[CHANNEL_PLACES];

        assert_int_equal(channel_space(&c, scratch, SCRATCH, iov), 1);
        channel_got(&c, iov[0].iov_len, scratch, 0);
        arrived += iov[0].iov_len;
        assert_false(channel_next(&c, &f));
        assert_int_equal(c.partial.len, arrived);
        assert_true(c.partial.cap <= 4 * arrived);
    }
    assert_int_equal(c.err, CLU_OK);
    channel_fini(&c);
    free(scratch);
}

static void a_large_frame_is_read_in_place(void **state)
{
    enum { LEN = 1 << 20, SCRATCH = 1 << 10 };
    struct channel c = channel();
    uint8_t *frame = calloc(1, LEN + 4);
    char trace[64] = "";

    (void)state;
    put_be32(frame, LEN);
    memcpy(frame + 4,
           "p\x83h\x01"
           "a\x02"
           "\x83m",
           8);
    put_be32(frame + 12, LEN - 12);
    hand_over(&c, frame, LEN + 4, SCRATCH, trace, sizeof trace);
    assert_string_equal(trace, "4/1048569 ");
    assert_int_equal(c.partial.cap, 0); /* given back */
    channel_fini(&c);
    free(frame);
}

static const struct {
    const char *name;
    clu_slice in;
    clu_error err;
    const char *words;
} bad[] = {
    {"unknown kind", BYTES("\0\0\0\x01q"), CLU_EPROTO, "unknown kind"},
    {"distribution header",
     BYTES("\0\0\0\x07\x83"
           "D\0h\x01"
           "a\x05"),
     CLU_EPROTO, "not agreed on"},
    {"fragment",
     BYTES("\0\0\0\x02\x83"
           "E"),
     CLU_EPROTO, "not agreed on"},
    {"nothing behind the version byte", BYTES("\0\0\0\x01\x83"), CLU_EPROTO, "unknown kind"},
    {"nothing behind the p", BYTES("\0\0\0\x01p"), CLU_EPROTO, "malformed control"},
    {"no version byte",
     BYTES("\0\0\0\x05ph\x01"
           "a\x05"),
     CLU_EPROTO, "malformed control"},
    {"control cut short",
     BYTES("\0\0\0\x05p\x83h\x02"
           "a"),
     CLU_ETRUNC, "malformed control"},
    {"unknown tag", BYTES("\0\0\0\x03p\x83\0"), CLU_ETAG, "malformed control"},
    {"payload without version byte",
     BYTES("\0\0\0\x0ap\x83h\x01"
           "a\x06w\x02hi"),
     CLU_EPROTO, "malformed message"},
    {"payload without a term",
     BYTES("\0\0\0\x07p\x83h\x01"
           "a\x06\x83"),
     CLU_ETRUNC, "malformed message"},
    {"compressed payload",
     BYTES("\0\0\0\x0cp\x83h\x01"
           "a\x06\x83P\0\0\0\0"),
     CLU_ECOMPRESSED, "compressed"},
    {"compressed control", BYTES("\0\0\0\x07p\x83P\0\0\0\0"), CLU_ECOMPRESSED, "compressed"},
    {"cache reference without a header",
     BYTES("\0\0\0\x09p\x83h\x01"
           "a\x06\x83R\0"),
     CLU_EATOM, "malformed message"},
    {"bytes behind the payload",
     BYTES("\0\0\0\x0cp\x83h\x01"
           "a\x06"
           "\x83w\x02hi!"),
     CLU_EPROTO, "behind a message"},
};

static void bad_frames_end_the_channel(void **state)
{
    static const clu_slice good = BYTES(PAID);

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct channel c = channel();
        struct frame f;
        clu_writer w;

        channel_feed(&c, bad[i].in.data, bad[i].in.len, 0);
        if (channel_next(&c, &f) || c.err != bad[i].err || strstr(c.what, bad[i].words) == NULL)
            fail_msg("%s: %d, '%s'", bad[i].name, c.err, c.err == CLU_OK ? "" : c.what);
        channel_feed(&c, good.data, good.len, 0); /* for good */
        assert_false(channel_next(&c, &f));
        channel_begin(&c, &w, 0);
        clu_put_nil(&w);
        assert_int_equal(channel_end(&c, &w), bad[i].err);
        assert_int_equal(pending_len(&c), 0);
        assert_int_equal(channel_tick(&c, 1), bad[i].err);
        channel_fini(&c);
    }
}

/* ---- what is sent ---- */

static void messages_are_framed(void **state)
{
    static const clu_slice want = BYTES("\0\0\0\x06p\x83h\x01"
                                        "a\x06"
                                        "\0\0\0\x0ep\x83h\x01"
                                        "a\x06"
                                        "\x83m\0\0\0\x02\0\0");
    struct channel c = channel();
    struct buf sent = {0};

    (void)state;
    assert_int_equal(put_message(&c, 0), CLU_OK);
    assert_int_equal(put_message(&c, 2), CLU_OK);
    while (take_pending(&c, &sent, 1, 5) > 0) { /* a byte at a time */
    }
    assert_int_equal(sent.len, want.len);
    assert_memory_equal(sent.data, want.data, want.len);
    buf_free(&sent);
    assert_int_equal(c.frames_out, 2);
    assert_int_equal(c.bytes_out, want.len);
    assert_int_equal(c.last_out_ms, 5);
    channel_fini(&c);
}

/* Messages put while others are half sent arrive as they were put, whatever the queue moves. */
static void the_queue_keeps_the_order(void **state)
{
    struct channel c = channel(), peer = channel();
    char trace[512] = "", want[512] = "";

    (void)state;
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(put_message(&c, 10 * i + 1), CLU_OK);
        snprintf(want + strlen(want), sizeof want - strlen(want), "4/%zu ", 10 * i + 6);
        struct buf out = {0};

        take_pending(&c, &out, i == 19 ? SIZE_MAX : pending_len(&c) / 3, 0);
        hand_over(&peer, out.data, out.len, 64, trace, sizeof trace);
        buf_free(&out);
    }
    assert_string_equal(trace, want);
    channel_fini(&c);
    channel_fini(&peer);
}

static void a_failed_message_leaves_no_trace(void **state)
{
    struct channel c = channel();
    clu_writer w;

    (void)state;
    assert_int_equal(put_message(&c, 2), CLU_OK);
    size_t before = pending_len(&c);

    channel_begin(&c, &w, 0);
    clu_put_tuple(&w, 1);
    clu_writer_fail(&w, CLU_ERANGE);
    assert_int_equal(channel_end(&c, &w), CLU_ERANGE);
    assert_int_equal(pending_len(&c), before);
    assert_int_equal(c.err, CLU_OK);
    assert_int_equal(put_message(&c, 0), CLU_OK);
    assert_int_equal(pending_len(&c), before + 10);
    channel_fini(&c);
}

static void a_slow_reader_makes_senders_wait(void **state)
{
    struct channel c = channel();

    (void)state;
    assert_false(channel_is_busy(&c));
    assert_int_equal(put_message(&c, CHANNEL_BUSY_BYTES), CLU_OK);
    assert_true(channel_is_busy(&c));
    assert_int_equal(put_message(&c, 1), CLU_OK); /* answers go on */
    channel_sent(&c, pending_len(&c) - 100, 0);
    assert_false(channel_is_busy(&c));
    channel_fini(&c);
}

static void a_reader_too_slow_is_cut(void **state)
{
    struct channel c = channel();
    clu_error err = CLU_OK;
    size_t n = 0;

    (void)state;
    while (err == CLU_OK && n++ < 100)
        err = put_message(&c, 1u << 20);
    assert_int_equal(err, CLU_ESIZE);
    assert_int_equal(c.err, CLU_ESIZE);
    assert_non_null(strstr(c.what, "too slowly"));
    assert_int_equal(n, 17); /* the last one was begun above the limit */
    channel_fini(&c);
}

static void memory_is_given_back(void **state)
{
    struct channel c = channel();

    (void)state;
    assert_int_equal(put_message(&c, OUTBOX_KEEP_MAX), CLU_OK);
    channel_sent(&c, pending_len(&c), 0);
    assert_int_equal(c.out.small.cap, 0); /* of one large message at once */
    assert_int_equal(put_message(&c, 1000), CLU_OK);
    channel_sent(&c, pending_len(&c), 0);
    assert_true(c.out.small.cap >= 1000); /* of small ones once idle */
    assert_int_equal(channel_tick(&c, TICKTIME / INTENSITY), CLU_OK);
    assert_true(c.out.small.cap < 1000);
    channel_fini(&c);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_split_at_every_byte),
        cmocka_unit_test(bytes_fed_from_elsewhere),
        cmocka_unit_test(whole_frames_are_not_copied),
        cmocka_unit_test(memory_follows_the_bytes),
        cmocka_unit_test(a_large_frame_is_read_in_place),
        cmocka_unit_test(bad_frames_end_the_channel),
        cmocka_unit_test(messages_are_framed),
        cmocka_unit_test(the_queue_keeps_the_order),
        cmocka_unit_test(a_failed_message_leaves_no_trace),
        cmocka_unit_test(a_slow_reader_makes_senders_wait),
        cmocka_unit_test(a_reader_too_slow_is_cut),
        cmocka_unit_test(memory_is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
