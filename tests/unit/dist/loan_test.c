/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../failing.h"
#include "reader.h"

/* Binaries that go out from where their owner has them. */

#define LENT_MAX (3 * MIB)
static uint8_t lent[LENT_MAX];

static void count_release(void *arg)
{
    (*(int *)arg)++;
}

/* A message of the sender: {6, Atom} and a binary of len bytes that are lent, between two atoms. */
static void write_lent(struct channel *c, clu_writer *w, uint64_t sender, size_t len, int *released)
{
    channel_begin(c, w, sender);
    clu_put_tuple(w, 2);
    clu_put_int(w, 6);
    clu_put_atom_text(w, "rex");
    channel_payload(c, w);
    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "before");
    clu_lend_binary(w, lent, len, count_release, released);
    clu_put_atom_text(w, "behind");
}

static clu_error put_lent(struct channel *c, uint64_t sender, size_t len, int *released)
{
    clu_writer w;

    write_lent(c, &w, sender, len, released);
    return channel_end(c, &w);
}

static void fill_lent(void)
{
    for (size_t i = 0; i < sizeof lent; i++)
        lent[i] = (uint8_t)(i * 7 + i / 251);
}

/* Takes what arrives; how many messages of write_lent it was, all of this length. */
static size_t take_lent(struct channel *peer, size_t len)
{
    size_t n = 0;

    for (struct frame f; channel_next(peer, &f); n++) {
        clu_reader r = {
            .pos = f.payload.data, .end = f.payload.data + f.payload.len, .refs = f.refs};

        assert_int_equal(clu_get_tuple(&r), 3);
        assert_true(slice_is(clu_get_atom(&r), "before"));
        clu_slice bytes = clu_get_binary(&r);

        assert_int_equal(bytes.len, len);
        assert_memory_equal(bytes.data, lent, len);
        assert_true(slice_is(clu_get_atom(&r), "behind"));
        assert_int_equal(r.err, CLU_OK);
    }
    return n;
}

/* At most `most` bytes a turn. */
static size_t carry(struct channel *c, struct channel *peer, size_t most, size_t len)
{
    struct buf out = {0};
    size_t n = 0;

    while (buf_reset(&out), take_pending(c, &out, most, 0) > 0) {
        channel_feed(peer, out.data, out.len, 0);
        n += take_lent(peer, len);
    }
    buf_free(&out);
    assert_int_equal(peer->err, CLU_OK);
    return n;
}

static void what_is_lent_arrives(void **state)
{
    static const size_t sizes[] = {CLU_LEND_MIN, CLU_LEND_MIN + 1, 3 * 64 * KIB - 40, MIB,
                                   LENT_MAX};
    static const size_t turns[] = {SIZE_MAX, 70000, 65558, 999};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t t = 0; t < COUNT(turns); t++) {
            struct channel c, peer;
            int released = 0;

            open_channel(&c, 0);
            open_channel(&peer, 0);
            for (uint64_t sender = 0; sender < 6; sender++) /* the last ones wait for the first */
                assert_int_equal(put_lent(&c, sender % 3, sizes[i], &released), CLU_OK);
            assert_int_equal(released, 0);
            assert_true(c.out.small.cap + c.out.aside.cap <
                        1 * MIB); /* no copy, but of the begin */
            assert_in_range(channel_queued(&c), 6 * sizes[i], 6 * sizes[i] + 1000);
            assert_int_equal(carry(&c, &peer, turns[t], sizes[i]), 6);
            assert_int_equal(released, 6);
            assert_int_equal(channel_queued(&c), 0);
            assert_int_equal(c.out.large + c.out.held, 0);
            channel_fini(&c);
            channel_fini(&peer);
        }
}

/* It is the owner's again when its last byte is with the kernel, not before. */
static void it_is_released_when_it_is_sent(void **state)
{
    struct channel c;
    struct buf out = {0};
    int released = 0;

    (void)state;
    open_channel(&c, 0);
    assert_int_equal(put_lent(&c, 1, MIB, &released), CLU_OK);
    while (channel_queued(&c) > 2) { /* the atom behind it, by its number */
        assert_int_equal(released, 0);
        take_pending(&c, &out, channel_queued(&c) > 50000 ? 10000 : 1, 0);
    }
    assert_int_equal(released, 1);
    take_all(&c, &out, 0);
    assert_int_equal(released, 1);
    buf_free(&out);
    channel_fini(&c);
}

/* Two in one message, and one in the same sender's next. */
static void several_in_one_message(void **state)
{
    struct channel c, peer;
    struct frame f = {0};
    struct buf out = {0};
    int released = 0;
    clu_writer w;

    (void)state;
    open_channel(&c, 0);
    open_channel(&peer, 0);
    channel_begin(&c, &w, 1);
    clu_put_tuple(&w, 0);
    channel_payload(&c, &w);
    clu_put_list(&w, 3);
    for (size_t i = 0; i < 3; i++)
        clu_lend_binary(&w, lent + i, CLU_LEND_MIN * (i + 1), count_release, &released);
    clu_put_nil(&w);
    assert_int_equal(channel_end(&c, &w), CLU_OK);
    take_all(&c, &out, 0);
    assert_int_equal(released, 3);
    channel_feed(&peer, out.data, out.len, 0);
    assert_true(channel_next(&peer, &f));
    clu_reader r = {.pos = f.payload.data, .end = f.payload.data + f.payload.len};

    assert_int_equal(clu_get_list(&r), 3);
    for (size_t i = 0; i < 3; i++) {
        clu_slice bytes = clu_get_binary(&r);

        assert_int_equal(bytes.len, CLU_LEND_MIN * (i + 1));
        assert_memory_equal(bytes.data, lent + i, bytes.len);
    }
    assert_false(channel_next(&peer, &f));
    buf_free(&out);
    channel_fini(&c);
    channel_fini(&peer);
}

/* Short ones, those in a control message, and all where fragments were not agreed on. */
static void what_cannot_be_lent_is_copied(void **state)
{
    static const uint64_t without[] = {0, DFLAG_FRAGMENTS};
    static const size_t sizes[] = {CLU_LEND_MIN - 1, MIB};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct channel c, peer;
        int released = 0;
        clu_writer w;

        open_channel(&c, without[i]);
        open_channel(&peer, without[i]);
        write_lent(&c, &w, 1, sizes[i], &released);
        assert_int_equal(released, 1); /* at once */
        assert_int_equal(channel_end(&c, &w), CLU_OK);
        assert_int_equal(carry(&c, &peer, SIZE_MAX, sizes[i]), 1);
        channel_begin(&c, &w, 1);
        clu_put_tuple(&w, 1);
        clu_lend_binary(&w, lent, MIB, count_release, &released);
        assert_int_equal(released, 2);
        assert_int_equal(channel_end(&c, &w), CLU_OK);
        channel_fini(&c);
        channel_fini(&peer);
    }
    int released = 0;
    clu_writer own, fixed;
    uint8_t few[8];

    clu_writer_init(&own); /* nor is there a message */
    clu_lend_binary(&own, lent, MIB, count_release, &released);
    assert_int_equal(own.len, MIB + 5);
    clu_writer_free(&own);
    clu_writer_fixed(&fixed, few, sizeof few);
    clu_lend_binary(&fixed, lent, MIB, count_release, &released);
    assert_int_equal(fixed.err, CLU_ESIZE);
    assert_int_equal(released, 2);
    clu_writer_init(&own);
    clu_lend_binary(&own, "abc", 3, NULL, NULL); /* nobody wants to know */
    assert_int_equal(own.len, 8);
    clu_writer_free(&own);
}

/* Whatever becomes of the message. */
static void it_is_released_once(void **state)
{
    struct channel c;
    int released = 0;
    clu_writer w;

    (void)state;
    open_channel(&c, 0);
    write_lent(&c, &w, 1, MIB, &released);
    channel_cancel(&c, &w);
    assert_int_equal(released, 1);
    write_lent(&c, &w, 1, MIB, &released);
    clu_put_atom(&w, (clu_slice){lent, 2000});
    assert_int_equal(channel_end(&c, &w), CLU_EATOM);
    assert_int_equal(released, 2);
    write_lent(&c, &w, 1, MIB, &released); /* is neither ended nor cancelled */
    write_lent(&c, &w, 1, MIB, &released);
    assert_int_equal(released, 3);
    assert_int_equal(channel_end(&c, &w), CLU_OK);
    assert_int_equal(put_lent(&c, 1, MIB, &released), CLU_OK); /* waits behind it */
    write_lent(&c, &w, 2, MIB, &released);
    assert_true(channel_must_wait(&c, &w));
    assert_int_equal(released, 3);
    channel_fini(&c);
    assert_int_equal(released, 6);
}

/* Without memory for it the message is not sent, or copied; each was released in the end. */
static void each_allocation_fails_once(void **state)
{
    bool failed;
    size_t n = 0;

    (void)state;
    do {
        struct channel c, peer;
        int released = 0;
        size_t put = 0;

        open_channel(&c, 0);
        open_channel(&peer, 0);
        n_allocations = 0;
        failing = ++n;
        for (uint64_t i = 0; i < 4; i++)
            put += put_lent(&c, i % 2, CLU_LEND_MIN, &released) == CLU_OK;
        failed = failing_happened();
        failing = 0;
        if (c.err == CLU_OK)
            assert_int_equal(carry(&c, &peer, 10000, CLU_LEND_MIN), put);
        channel_fini(&c);
        channel_fini(&peer);
        assert_int_equal(released, 4);
        assert_true(failed || put == 4);
    } while (failed);
    assert_true(n > 5); /* the linker did what this rests on */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_lent_arrives),   cmocka_unit_test(it_is_released_when_it_is_sent),
        cmocka_unit_test(several_in_one_message), cmocka_unit_test(what_cannot_be_lent_is_copied),
        cmocka_unit_test(it_is_released_once),    cmocka_unit_test(each_allocation_fails_once),
    };

    fill_lent();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
