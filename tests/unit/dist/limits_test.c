/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "fragments.h"

/* Messages that are too large, or too many at once: what a link keeps of them. */

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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_too_big_is_skipped),
        cmocka_unit_test(a_frame_too_big_is_told),
        cmocka_unit_test(the_memory_of_a_link_is_bounded),
        cmocka_unit_test(so_many_may_be_open),
        cmocka_unit_test(memory_follows_the_bytes),
        cmocka_unit_test(a_huge_frame_is_skipped),
        cmocka_unit_test(a_huge_frame_is_a_stream),
        cmocka_unit_test(a_huge_frame_of_a_whole_message),
        cmocka_unit_test(a_huge_frame_of_no_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
