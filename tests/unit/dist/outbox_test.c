/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "reader.h"

/* Large messages on their way out. */

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

/* Takes n bytes of what c has to send. */
static void carry_some(struct channel *c, struct fixture *f, size_t n)
{
    struct buf out = {0};

    assert_int_equal(take_pending(c, &out, n, 0), n);
    feed(f, out.data, out.len);
    buf_free(&out);
}

/* A small message of another sender goes before all but the fragment that is under way; those of
 * the same wait. */
static void small_messages_pass_large_ones(void **state)
{
    struct fixture f;
    struct channel c;

    (void)state;
    setup(&f);
    open_channel(&c, 0);
    assert_int_equal(put_atoms(&c, 1, 2, 600 * KIB, 'x'), CLU_OK);
    assert_int_equal(put_atoms(&c, 1, 3, 1, 'y'), CLU_OK); /* the same sender */
    assert_int_equal(put_atoms(&c, 2, 2, 1, 'z'), CLU_OK);
    carry_some(&c, &f, 2 * 66 * KIB);
    assert_string_equal(seen(&f), "{2,rex} features_request 1 z\n");
    for (int i = 0; i < 2; i++) { /* behind each fragment */
        assert_int_equal(put_atoms(&c, 0, 2, 0, 0), CLU_OK);
        carry_some(&c, &f, 66 * KIB);
    }
    assert_string_equal(seen(&f), "{2,rex} features_request 1 z\n{2,rex}\n{2,rex}\n");
    carry(&c, &f, SIZE_MAX);
    assert_string_equal(seen(&f), "{2,rex} features_request 1 z\n"
                                  "{2,rex}\n{2,rex}\n"
                                  "{2,rex} features_request 614400 x\n"
                                  "{3,features_request} erlclu@10.42.0.4 1 y\n");
    assert_null(c.out.first);
    channel_fini(&c);
    teardown(&f);
}

/* What goes when large ones are to wait: a fragment that was begun, and all that is small. */
static void large_messages_wait_when_told(void **state)
{
    struct fixture f;
    struct channel c;
    struct buf out = {0};
    struct iovec iov[4];

    (void)state;
    setup(&f);
    open_channel(&c, 0);
    assert_int_equal(put_atoms(&c, 1, 2, 600 * KIB, 'x'), CLU_OK);
    carry_some(&c, &f, 100 * KIB); /* the first one, and a part of the next */
    for (uint8_t small = 'a'; small <= 'c'; small++) {
        assert_int_equal(put_atoms(&c, 2, 2, 1, small), CLU_OK);
        for (size_t n; (n = channel_pending(&c, false, iov, COUNT(iov))) > 0;) {
            buf_reset(&out);
            for (size_t i = 0; i < n; i++)
                buf_put(&out, iov[i].iov_base, iov[i].iov_len);
            channel_sent(&c, out.len, 0);
            feed(&f, out.data, out.len);
        }
        assert_int_equal(c.out.part_sent, 0);
    }
    assert_string_equal(seen(&f), "{2,rex} features_request 1 a\n"
                                  "{2,rex} features_request 1 b\n"
                                  "{2,rex} features_request 1 c\n");
    assert_in_range(channel_queued(&c), 472 * KIB, 473 * KIB); /* two fragments of it went */
    carry(&c, &f, SIZE_MAX);
    assert_string_equal(seen(&f) + strlen("{2,rex} features_request 1 a\n") * 3,
                        "{2,rex} features_request 614400 x\n");
    buf_free(&out);
    channel_fini(&c);
    teardown(&f);
}

/* Of one message several fragments are shown at a time, of two only that whose turn it is. */
static void fragments_are_shown_ahead(void **state)
{
    const size_t one = OUTBOX_FRAGMENT_HEAD + OUTBOX_FRAGMENT;
    struct channel c;

    (void)state;
    open_channel(&c, 0);
    assert_int_equal(put_atoms(&c, 1, 2, 600 * KIB, 'x'), CLU_OK);
    assert_in_range(pending_len(&c), (1 + OUTBOX_AHEAD) * one, (1 + OUTBOX_AHEAD) * one + 200);
    assert_int_equal(put_atoms(&c, 2, 2, 600 * KIB, 'y'), CLU_OK);
    assert_in_range(pending_len(&c), 3 * one, 3 * one + 200); /* two first ones, one more */
    channel_fini(&c);
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
    assert_int_equal(put_atoms(&c, 1, 2, 150 * KIB, 'b'), CLU_OK);
    assert_int_equal(put_atoms(&c, 1, 2, 1, 'c'), CLU_OK);
    assert_int_equal(put_atoms(&c, 1, 2, 2, 'd'), CLU_OK);
    assert_int_equal(put_atoms(&c, 1, 2, 140 * KIB, 'e'), CLU_OK);
    assert_int_equal(put_atoms(&c, 2, 2, 200 * KIB, 'f'), CLU_OK);
    assert_int_equal(put_atoms(&c, 3, 2, 500 * KIB, 'g'), CLU_OK);
    carry(&c, &f, 10000);
    assert_string_equal(seen(&f), "{2,rex} features_request 204800 f\n"
                                  "{2,rex} features_request 512000 g\n"
                                  "{2,rex} features_request 1024000 a\n"
                                  "{2,rex} features_request 153600 b\n"
                                  "{2,rex} features_request 1 c\n"
                                  "{2,rex} features_request 2 d\n"
                                  "{2,rex} features_request 143360 e\n");
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
    assert_int_equal(put_atoms(&c, 1, 2, 200 * KIB, 'x'), CLU_OK);
    for (err = CLU_OK, n = 0; err == CLU_OK && n < 30000; n++)
        err = put_atoms(&c, 1, 2, 1000, 'x'); /* what waits behind a large one counts */
    assert_int_equal(err, CLU_ESIZE);
    channel_fini(&c);
}

/* Where the link must not end for that, it waits much longer, and listens less meanwhile. */
static void a_patient_link_waits(void **state)
{
    struct channel c;
    clu_error err = CLU_OK;
    size_t n = 0;

    (void)state;
    open_channel(&c, 0);
    c.patient = true;
    while (err == CLU_OK && !channel_pauses(&c) && n++ < 100000)
        err = put_atoms(&c, 1, 2, 1000, 'x');
    assert_int_equal(err, CLU_OK);
    assert_in_range(channel_queued(&c), CHANNEL_QUEUE_MAX / 2, CHANNEL_QUEUE_MAX / 2 + 2000);
    while (err == CLU_OK && n++ < 1000000)
        err = put_atoms(&c, 1, 2, 1000, 'x');
    assert_int_equal(err, CLU_ESIZE);
    assert_true(c.overfull);
    assert_in_range(channel_queued(&c), CHANNEL_PATIENT_MAX, CHANNEL_PATIENT_MAX + 3000);
    channel_fini(&c);
}

/* But not for ever: who reads nothing for a whole ticktime hears no tick of ours either. */
static void patience_ends_with_the_ticktime(void **state)
{
    static const uint8_t tick[4];
    struct channel c;

    (void)state;
    open_channel(&c, 0);
    c.patient = true;
    assert_int_equal(put_atoms(&c, 1, 2, 1000, 'x'), CLU_OK);
    for (uint64_t now = 15000; now < 75000; now += 15000) {
        channel_feed(&c, tick, sizeof tick, now); /* it lives */
        assert_int_equal(channel_tick(&c, now), CLU_OK);
    }
    channel_sent(&c, 1, 74000); /* and has read a byte */
    channel_feed(&c, tick, sizeof tick, 130000);
    assert_int_equal(channel_tick(&c, 133999), CLU_OK);
    assert_int_equal(channel_deadline(&c), 134000);
    assert_int_equal(channel_tick(&c, 134000), CLU_ETIMEOUT);
    assert_non_null(strstr(c.what, "has read nothing"));
    channel_fini(&c);
    open_channel(&c, 0); /* another waits as long as it hears something */
    assert_int_equal(put_atoms(&c, 1, 2, 1000, 'x'), CLU_OK);
    for (uint64_t now = 15000; now < 300000; now += 15000) {
        channel_feed(&c, tick, sizeof tick, now);
        assert_int_equal(channel_tick(&c, now), CLU_OK);
    }
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
        cmocka_unit_test(large_messages_arrive),
        cmocka_unit_test(small_messages_pass_large_ones),
        cmocka_unit_test(large_messages_wait_when_told),
        cmocka_unit_test(fragments_are_shown_ahead),
        cmocka_unit_test(large_messages_go_by_turns),
        cmocka_unit_test(control_messages_stay_whole),
        cmocka_unit_test(without_fragments_a_message_is_a_frame),
        cmocka_unit_test(a_message_over_the_frame_limit),
        cmocka_unit_test(large_messages_wait_for_each_other),
        cmocka_unit_test(a_peer_that_does_not_read_is_cut),
        cmocka_unit_test(a_patient_link_waits),
        cmocka_unit_test(patience_ends_with_the_ticktime),
        cmocka_unit_test(memory_is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
