/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of large messages wait while the peer has much to read. How much it has is told here by the
 * test, instead of src/net/window.c.
 */
#include "straw.h"

#define WIDE (8u << 20)

static size_t window;
static bool is_told;
static unsigned n_looks;

bool socket_peer_window(int fd, size_t *bytes)
{
    assert_true(fd >= 0);
    n_looks++;
    *bytes = window;
    return is_told;
}

struct peer {
    struct world w;
    int fd;
    size_t got;
};

static void begin(struct peer *p)
{
    *p = (struct peer){0};
    set_up(&p->w);
    p->fd = come_in(&p->w);
    window = WIDE;
    is_told = true;
    n_looks = 0;
}

static void end(struct peer *p)
{
    close(p->fd);
    loop_free(p->w.m.loop);
}

static void take_all(struct peer *p)
{
    static uint8_t place[1u << 20];
    ssize_t n;

    while ((n = recv(p->fd, place, sizeof place, MSG_DONTWAIT)) > 0)
        p->got += (size_t)n;
}

/* Has the machine send this, and all that it may send at once arrive. */
static void turn(struct peer *p, size_t small, size_t large)
{
    size_t before;

    p->w.m.answer += small;
    p->w.m.large += large;
    add(&p->w.m, UPDATE_SEND, ACCEPTED);
    loop_turn(p->w.m.loop);
    do {
        before = p->got;
        loop_step(p->w.m.loop, 0);
        take_all(p);
    } while (p->got > before);
}

/* Bytes that come within 10 s at most, until all of the large messages is out. */
static size_t rest(struct peer *p)
{
    size_t before = p->got;

    for (uint64_t began = system_now_ms(); p->w.m.large > 0 && system_now_ms() - began < 10000;) {
        loop_step(p->w.m.loop, 10);
        take_all(p);
    }
    take_all(p);
    return p->got - before;
}

/* So much lies unread while large messages are sent; how much of them waits. */
static size_t begin_waiting(struct peer *p, size_t lies, size_t large)
{
    begin(p);
    turn(p, 0, 1u << 20);
    window = WIDE - lies;
    turn(p, 0, large);
    assert_in_range(p->w.m.large, 1, large);
    return p->w.m.large;
}

static void all_goes_to_who_reads(void **state)
{
    struct peer p;

    (void)state;
    begin(&p);
    turn(&p, 0, 4u << 20);
    assert_int_equal(p.w.m.large, 0);
    assert_int_equal(p.got, 4u << 20);
    assert_in_range(n_looks, 1, 16); /* not after each write */
    end(&p);
}

/* Half a megabyte lies there. */
static void large_ones_wait_for_who_does_not(void **state)
{
    struct peer p;

    (void)state;
    begin_waiting(&p, 512u << 10, 1u << 20);
    end(&p);
}

static void small_ones_do_not_wait(void **state)
{
    struct peer p;

    (void)state;
    size_t waits = begin_waiting(&p, 512u << 10, 1u << 20);

    p.got = 0;
    turn(&p, 100, 0);
    assert_int_equal(p.w.m.answer, 0);
    assert_int_equal(p.got, 100);
    assert_int_equal(p.w.m.large, waits);
    end(&p);
}

static void they_go_on_when_it_has_read(void **state)
{
    struct peer p;

    (void)state;
    size_t waits = begin_waiting(&p, 512u << 10, 1u << 20);

    window = WIDE;
    assert_int_equal(rest(&p), waits);
    assert_int_equal(p.w.m.large, 0);
    end(&p);
}

/* A window that has become narrower for good, or a peer that does not read at all: what is in the
 * way then is the socket. */
static void not_for_ever(void **state)
{
    struct peer p;

    (void)state;
    begin_waiting(&p, WIDE, 8u << 20);
    rest(&p);
    assert_int_equal(p.w.m.large, 0);
    end(&p);
}

static void nor_where_nothing_is_told(void **state)
{
    struct peer p;

    (void)state;
    begin(&p);
    is_told = false;
    window = 0;
    turn(&p, 0, 4u << 20);
    assert_int_equal(p.w.m.large, 0);
    assert_int_not_equal(n_looks, 0);
    end(&p);
}

static void it_may_be_closed_meanwhile(void **state)
{
    struct peer p;

    (void)state;
    begin_waiting(&p, WIDE, 1u << 20);
    add(&p.w.m, UPDATE_CLOSE, ACCEPTED);
    loop_turn(p.w.m.loop);
    unsigned before = n_looks;

    loop_step(p.w.m.loop, 20);
    assert_int_equal(n_looks, before);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_goes_to_who_reads),
        cmocka_unit_test(large_ones_wait_for_who_does_not),
        cmocka_unit_test(small_ones_do_not_wait),
        cmocka_unit_test(they_go_on_when_it_has_read),
        cmocka_unit_test(not_for_ever),
        cmocka_unit_test(nor_where_nothing_is_told),
        cmocka_unit_test(it_may_be_closed_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
