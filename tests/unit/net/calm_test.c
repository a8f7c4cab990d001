/* SPDX-License-Identifier: Apache-2.0
 *
 * Who sends much in small pieces is read by and by.
 */
#include <netinet/tcp.h>

#include "straw.h"

/* As much as the machine of straw takes at once. */
#define PIECE 4096

/* Sends so many bytes at once; how many the loop takes in a step of so long. */
static size_t taken(struct world *w, int fd, size_t n, uint64_t wait_ms)
{
    size_t before = w->m.received;

    assert_int_equal(send(fd, zeroes, n, 0), n);
    loop_step(w->m.loop, wait_ms);
    return w->m.received - before;
}

/* Sends byte by byte until the loop lets one lie. What the machine is busy with otherwise can make
 * that slower than it need be for it. */
static void hasten(struct world *w, int fd)
{
    for (uint64_t began = system_now_ms(); system_now_ms() - began < 30000;)
        if (taken(w, fd, 1, 0) == 0)
            return;
    fail_msg("every byte of many is read at once");
}

static void it_goes_on_at_once(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    int fd = come_in(&w);

    for (int i = 0; i < 10; i++)
        assert_int_equal(taken(&w, fd, 1, 0), 1);
    hasten(&w, fd);
    assert_int_equal(taken(&w, fd, 1, 1000), 2); /* little has come */
    assert_int_equal(taken(&w, fd, 1, 0), 1);
    hasten(&w, fd);
    w.m.answer = 1;
    add(&w.m, UPDATE_SEND, ACCEPTED);
    loop_turn(w.m.loop); /* something is sent */
    assert_int_equal(w.m.answer, 0);
    assert_int_equal(taken(&w, fd, 1, 0), 2);
    close(fd);
    loop_free(w.m.loop);
}

/* As long as much comes. Where another program had its turn meanwhile it may have been time to look
 * anyway. */
static void it_is_read_by_and_by(void **state)
{
    struct world w;
    size_t at_once = 1;

    (void)state;
    set_up(&w);
    int fd = come_in(&w);

    for (int i = 0; i < 100 && at_once > 0; i++) {
        hasten(&w, fd);
        assert_int_equal(taken(&w, fd, 3000, 1000), 3001);
        at_once = taken(&w, fd, 1, 0);
    }
    assert_int_equal(at_once, 0);
    close(fd);
    loop_free(w.m.loop);
}

static void its_end_is_seen(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    int fd = come_in(&w);

    hasten(&w, fd);
    close(fd);
    for (int i = 0; i < 10 && strstr(w.m.trace, "closed") == NULL; i++)
        loop_step(w.m.loop, 100);
    assert_string_equal(w.m.trace, "listening accepted accepted-closed ");
    loop_free(w.m.loop);
}

/* The loop's end of it. */
static int other_end(int fd)
{
    struct addr own = socket_local(fd);

    for (int other = 0; other < 1024; other++) {
        struct sockaddr_in sa;
        socklen_t len = sizeof sa;

        if (other != fd && getpeername(other, (void *)&sa, &len) == 0 && sa.sin_family == AF_INET &&
            ntohs(sa.sin_port) == own.port)
            return other;
    }
    return -1;
}

static int window(int fd)
{
    int bytes = 0;
    socklen_t len = sizeof bytes;

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &bytes, &len), 0);
    return bytes;
}

/* Who is not read for a while has the room that it had, when it is read again. */
static void its_room_comes_back(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    int fd = come_in(&w), there = other_end(fd);

    assert_true(there >= 0);
    hasten(&w, fd);
    assert_in_range(window(there), 1, 1 << 17);
    w.m.pause_ms = 1;
    assert_int_equal(taken(&w, fd, 1, 1000), 2);
    w.m.pause_ms = 0;
    for (int i = 0; i < 100 && taken(&w, fd, 1, 10) == 0; i++) {
    }
    assert_in_range(window(there), 1 << 20, INT32_MAX);
    close(fd);
    loop_free(w.m.loop);
}

static void it_may_be_closed(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    int fd = come_in(&w);

    hasten(&w, fd);
    add(&w.m, UPDATE_CLOSE, ACCEPTED);
    assert_int_equal(taken(&w, fd, 1, 50), 0);
    close(fd);
    loop_free(w.m.loop);
}

/* From how many bytes on the loop is told of what lies there. */
static int low_water(int fd)
{
    int bytes = 0;
    socklen_t len = sizeof bytes;

    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, &len), 0);
    return bytes;
}

/* Sends large pieces until the loop waits for several at once; its end of it. */
static int pile(struct world *w, int fd)
{
    int there = other_end(fd);

    for (uint64_t began = system_now_ms(); system_now_ms() - began < 30000;) {
        taken(w, fd, PIECE, 0);
        if (low_water(there) > 1)
            return there;
    }
    fail_msg("each of many large pieces is read by itself");
    return there;
}

/* What does not come to as much is read all the same, at the next look, and then as it comes. */
static void large_pieces_are_piled(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    int fd = come_in(&w), there = pile(&w, fd);

    for (int i = 0; i < 1000 && low_water(there) > 1; i++)
        assert_in_range(taken(&w, fd, PIECE, 1000), PIECE, SIZE_MAX);
    assert_int_equal(low_water(there), 1);
    assert_int_equal(taken(&w, fd, 1, 0), 1);
    close(fd);
    loop_free(w.m.loop);
}

static void a_pile_ends_with_what_is_sent(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    int fd = come_in(&w), there = pile(&w, fd);

    w.m.answer = 1;
    add(&w.m, UPDATE_SEND, ACCEPTED);
    loop_turn(w.m.loop);
    assert_int_equal(w.m.answer, 0);
    assert_int_equal(low_water(there), 1);
    close(fd);
    loop_free(w.m.loop);
}

static void a_pile_ends_with_a_pause(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    int fd = come_in(&w), there = pile(&w, fd);

    w.m.pause_ms = 60000;
    assert_int_equal(taken(&w, fd, PIECE, 1000), PIECE);
    assert_int_equal(low_water(there), 1);
    close(fd);
    loop_free(w.m.loop);
}

/* It has no more room than what is waited for, if it is so near that this is enough, as soon as it
 * is known what it is; and all of it again afterwards. */
static void a_beam_must_wait(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    int fd = come_in(&w), there = pile(&w, fd);
    bool near = socket_trip_us(there) <= 250;

    assert_in_range(window(there), 1 << 20, INT32_MAX);
    w.m.beam = true;
    for (int i = 0; i < 1000 && near && window(there) > 1 << 19; i++) {
        taken(&w, fd, 1 << 16, 0);
        loop_step(w.m.loop, 1);
    }
    assert_in_range(window(there), 1 << 17, near ? 1 << 19 : INT32_MAX);
    w.m.answer = 1;
    add(&w.m, UPDATE_SEND, ACCEPTED);
    loop_turn(w.m.loop);
    assert_in_range(window(there), 1 << 20, INT32_MAX);
    close(fd);
    loop_free(w.m.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_at_once),
        cmocka_unit_test(it_is_read_by_and_by),
        cmocka_unit_test(its_end_is_seen),
        cmocka_unit_test(its_room_comes_back),
        cmocka_unit_test(it_may_be_closed),
        cmocka_unit_test(large_pieces_are_piled),
        cmocka_unit_test(a_pile_ends_with_what_is_sent),
        cmocka_unit_test(a_pile_ends_with_a_pause),
        cmocka_unit_test(a_beam_must_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
