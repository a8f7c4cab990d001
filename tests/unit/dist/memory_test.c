/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "../failing.h"
#include "message.h"

/* What a channel asks of memory: nothing while the same goes on, and no harm when it gets none. */

/* What a turn sends, at most `most` bytes of it, over to the peer, through memory of its own. */
static size_t carry(struct channel *c, struct channel *peer, size_t most)
{
    static uint8_t scratch[128 << 10];
    struct iovec iov[8];
    size_t n = channel_pending(c, true, iov, COUNT(iov)), taken = 0, messages = 0;
    struct frame f;

    most = (size_t)min_u64(most, sizeof scratch);
    for (size_t i = 0; i < n && taken < most; i++) {
        size_t part = (size_t)min_u64(iov[i].iov_len, most - taken);

        memcpy(scratch + taken, iov[i].iov_base, part);
        taken += part;
    }
    channel_sent(c, taken, 0);
    channel_feed(peer, scratch, taken, 0);
    while (channel_next(peer, &f))
        messages++;
    return messages;
}

static size_t carry_all(struct channel *c, struct channel *peer, size_t most)
{
    size_t messages = 0;

    while (channel_queued(c) > 0 && c->err == CLU_OK && peer->err == CLU_OK)
        messages += carry(c, peer, most);
    return messages;
}

/* ---- the steady path ---- */

static void small_messages_allocate_nothing(void **state)
{
    struct channel c, peer;

    (void)state;
    open_channel(&c, 0);
    open_channel(&peer, 0);
    for (size_t round = 0; round < 1000; round++) {
        if (round == 10)
            n_allocations = 0;
        for (int i = 0; i < 20; i++)
            assert_int_equal(put_atoms(&c, (uint64_t)i, i, (size_t)i * 10, 'x'), CLU_OK);
        assert_int_equal(carry_all(&c, &peer, SIZE_MAX), 20);
    }
    assert_int_equal(n_allocations, 0);
    channel_fini(&c);
    channel_fini(&peer);
}

/* What the sender of a large message and of one behind it asks for: the frames that waited; and,
 * where the sanitizer has nothing kept, a sender, the rest of its message, and what waits. */
#define OF_THE_SENDER (SPARE_MAX == 0 ? 4 : 1)

/* The sender of large ones neither; its receiver needs a place to put them together. */
static void large_messages_need_one_place(void **state)
{
    struct channel c, peer;
    size_t before = 0;

    (void)state;
    open_channel(&c, 0);
    open_channel(&peer, 0);
    for (size_t round = 0; round < 100; round++) {
        n_allocations = 0;
        assert_int_equal(put_atoms(&c, 1, 2, 1 << 20, 'x'), CLU_OK);
        assert_int_equal(put_atoms(&c, 1, 2, 10, 'x'), CLU_OK); /* behind it */
        while (outbox_sender(&c.out, 1) != NULL) {
            static uint8_t scratch[1 << 20];
            struct iovec iov[8];
            size_t n = channel_pending(&c, true, iov, COUNT(iov)), taken = 0;

            for (size_t i = 0; i < n; i++) {
                memcpy(scratch + taken, iov[i].iov_base, iov[i].iov_len);
                taken += iov[i].iov_len;
            }
            before = n_allocations;
            channel_sent(&c, taken, 0);
            if (round > 2)
                assert_int_equal(n_allocations, before);
            channel_feed(&peer, scratch, taken, 0);
            for (struct frame f; channel_next(&peer, &f);) {
            }
            n_allocations = before; /* the receiver's are its own */
        }
        carry_all(&c, &peer, SIZE_MAX);
        if (round > 2)
            assert_true(n_allocations <= OF_THE_SENDER);
    }
    assert_int_equal(peer.frames_in, 200);
    channel_fini(&c);
    channel_fini(&peer);
}

/* ---- each allocation fails once ---- */

struct outcome {
    size_t put, refused, read;
    clu_error sender, receiver;
};

/* Atoms, large messages by turns, what waits behind them, a partial frame. */
static struct outcome run(size_t most)
{
    struct outcome o = {0};
    struct channel c, peer;

    open_channel(&c, 0);
    open_channel(&peer, 0);
    for (int i = 0; i < 6; i++)
        for (uint64_t sender = 0; sender < 3; sender++) {
            size_t len = (i + (int)sender) % 2 == 0 ? 20 : 150000;
            clu_error err = put_atoms(&c, sender, i, len, 'x');

            o.put += err == CLU_OK;
            o.refused += err != CLU_OK;
            assert_true(err == CLU_OK || err == CLU_ENOMEM);
            o.read += carry(&c, &peer, most);
        }
    o.read += carry_all(&c, &peer, most);
    o.sender = c.err;
    o.receiver = peer.err;
    channel_fini(&c);
    channel_fini(&peer);
    return o;
}

static void fail_each(bool all, size_t most)
{
    size_t n = 0;
    bool failed;

    do {
        failing_for_good = all;
        n_allocations = 0;
        failing = ++n;
        struct outcome o = run(most);

        failed = failing_happened();
        failing = 0;
        if (o.put + o.refused != 18)
            fail_msg("allocation %zu: %zu put, %zu refused", n, o.put, o.refused);
        /* What was taken arrives, or the link ends with words: nothing is lost in silence. */
        if (o.sender == CLU_OK && o.receiver == CLU_OK && o.read != o.put)
            fail_msg("allocation %zu: %zu of %zu arrived", n, o.read, o.put);
        if (!failed && o.put != 18)
            fail_msg("%zu refused for no reason", o.refused);
    } while (failed);
    assert_true(n > 20); /* the linker did what this rests on */
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    fail_each(false, SIZE_MAX);
    fail_each(false, 5000);
}

static void each_allocation_fails_for_good(void **state)
{
    (void)state;
    fail_each(true, SIZE_MAX);
    fail_each(true, 5000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_messages_allocate_nothing),
        cmocka_unit_test(large_messages_need_one_place),
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(each_allocation_fails_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
