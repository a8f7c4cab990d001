/* SPDX-License-Identifier: Apache-2.0 */
#include "plain.h"

/* Ticks: a channel as time passes. */

static void an_idle_writer_ticks(void **state)
{
    static const uint8_t tick[4];
    struct channel c = channel();

    (void)state;
    assert_int_equal(channel_deadline(&c), 15000);
    assert_int_equal(channel_tick(&c, 14999), CLU_OK);
    assert_int_equal(pending_len(&c), 0);
    assert_int_equal(channel_tick(&c, 15000), CLU_OK);
    assert_int_equal(pending_len(&c), 4);
    struct iovec iov;

    assert_int_equal(channel_pending(&c, true, &iov, 1), 1);
    assert_memory_equal(iov.iov_base, tick, 4);
    /* one is enough while it waits for the socket; then only silence counts */
    assert_int_equal(channel_tick(&c, 20000), CLU_OK);
    assert_int_equal(pending_len(&c), 4);
    assert_int_equal(channel_deadline(&c), TICKTIME);
    channel_sent(&c, 4, 21000);
    assert_int_equal(channel_deadline(&c), 36000);
    channel_fini(&c);
}

/* Ticks are owed to a peer that sends without end, too. */
static void a_mere_reader_ticks(void **state)
{
    static const clu_slice in = BYTES(PAID);
    struct channel c = channel();
    size_t ticks = 0;
    char trace[8192] = "";

    (void)state;
    for (uint64_t now = 0; now <= 120000; now += 1000) {
        channel_feed(&c, in.data, in.len, now);
        drain(&c, trace, sizeof trace);
        assert_int_equal(channel_tick(&c, now), CLU_OK);
        if (pending_len(&c) > 0) {
            ticks++;
            channel_sent(&c, pending_len(&c), now);
        }
    }
    assert_int_equal(ticks, 8);
    channel_fini(&c);
}

/* Bytes of a large message count as life on both sides. */
static void a_large_message_is_life_enough(void **state)
{
    struct channel c = channel(), peer = channel();
    char trace[32] = "";
    uint64_t now = 0;

    (void)state;
    assert_int_equal(put_message(&c, 500000), CLU_OK);
    while (pending_len(&c) > 0) {
        struct buf out = {0};

        now += 14000;
        take_pending(&c, &out, 40000, now);
        channel_feed(&peer, out.data, out.len, now);
        drain(&peer, trace, sizeof trace);
        buf_free(&out);
        assert_int_equal(channel_tick(&c, now), CLU_OK);
        assert_int_equal(channel_tick(&peer, now), CLU_OK);
        channel_sent(&peer, pending_len(&peer), now);
        channel_feed(&c, (const uint8_t *)TICK, 4, now);
        drain(&c, trace, sizeof trace);
    }
    assert_true(now > 2 * TICKTIME);
    assert_string_equal(trace, "4/500005 ");
    channel_fini(&c);
    channel_fini(&peer);
}

static void a_silent_peer_is_gone(void **state)
{
    struct channel c = channel();
    struct frame f;

    (void)state;
    channel_feed(&c, (const uint8_t *)"\0", 1, 5000); /* part of a tick is life */
    assert_false(channel_next(&c, &f));
    assert_int_equal(channel_tick(&c, 64999), CLU_OK);
    assert_int_equal(channel_deadline(&c), 65000);
    assert_int_equal(channel_tick(&c, 65000), CLU_ETIMEOUT);
    assert_int_equal(c.err, CLU_ETIMEOUT);
    assert_non_null(strstr(c.what, "net_ticktime"));
    channel_fini(&c);
}

static void intensity_has_a_default(void **state)
{
    struct channel c;

    (void)state;
    channel_init(&c, 0, TICKTIME, 0, 0);
    assert_int_equal(c.tick_ms, 15000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_writer_ticks),           cmocka_unit_test(a_mere_reader_ticks),
        cmocka_unit_test(a_large_message_is_life_enough), cmocka_unit_test(a_silent_peer_is_gone),
        cmocka_unit_test(intensity_has_a_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
