/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of large messages wait while the peer has much to read. How much it has is told here by the
 * test, instead of src/net/window.c.
 */
#include "straw.h"

#define KIB  (1u << 10)
#define MIB  (1u << 20)
#define WIDE (8u * MIB)

static size_t window; /* as it is */
static bool is_settled, is_told;
static unsigned n_looks;
/* While this is set, it is told as it was, but when what is to be sent has become less. */
static const size_t *waiting;
static size_t waited, told;

bool socket_window(int fd, struct socket_window *out)
{
    assert_true(fd >= 0);
    n_looks++;
    if (waiting == NULL || *waiting != waited)
        told = window;
    waited = waiting == NULL ? 0 : *waiting;
    *out = (struct socket_window){told, is_settled};
    return is_told;
}

uint32_t socket_trip_us(int fd)
{
    (void)fd;
    return UINT32_MAX;
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
    is_settled = is_told = true;
    waiting = NULL;
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
    turn(p, 0, MIB);
    window = WIDE - lies;
    turn(p, 0, large);
    assert_in_range(p->w.m.large, 1, large);
    return p->w.m.large;
}

static void step(struct peer *p, unsigned n)
{
    while (n-- > 0)
        loop_step(p->w.m.loop, 10);
    take_all(p);
}

/* Until it is looked again, which takes a millisecond and what the machine does beside. */
static void wait_for_look(struct peer *p)
{
    unsigned before = n_looks;

    for (int i = 0; i < 1000 && n_looks == before && p->w.m.large > 0; i++)
        loop_step(p->w.m.loop, 10);
    take_all(p);
}

static void all_goes_to_who_reads(void **state)
{
    struct peer p;

    (void)state;
    begin(&p);
    turn(&p, 0, 4 * MIB);
    assert_int_equal(p.w.m.large, 0);
    assert_int_equal(p.got, 4 * MIB);
    assert_in_range(n_looks, 1, 16); /* not after each write */
    end(&p);
}

static void small_ones_do_not_wait(void **state)
{
    struct peer p;

    (void)state;
    size_t waits = begin_waiting(&p, 5 * MIB, MIB);

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
    size_t waits = begin_waiting(&p, 5 * MIB, MIB);

    window = WIDE;
    assert_int_equal(rest(&p), waits);
    assert_int_equal(p.w.m.large, 0);
    end(&p);
}

/* The window is not told again by itself when the peer has read. */
static void who_has_read_is_asked(void **state)
{
    struct peer p;

    (void)state;
    size_t waits = begin_waiting(&p, 5 * MIB, MIB);

    waiting = &p.w.m.large;
    waited = waits;
    window = WIDE;
    n_looks = 0;
    assert_int_equal(rest(&p), waits);
    assert_in_range(n_looks, 1, 16);
    end(&p);
}

/* What is not acknowledged will tell. */
static void but_not_while_an_answer_is_due(void **state)
{
    struct peer p;

    (void)state;
    size_t waits = begin_waiting(&p, 5 * MIB, MIB);

    is_settled = false;
    step(&p, 20);
    assert_int_equal(p.w.m.large, waits);
    is_settled = true;
    step(&p, 20);
    assert_in_range(p.w.m.large, 0, waits - 1);
    end(&p);
}

/* It has read all at each look. */
static void reads_fast(struct peer *p)
{
    turn(p, 0, MIB);
    for (int i = 0; i < 4; i++) {
        window = WIDE - MIB;
        turn(p, 0, MIB);
        window = WIDE;
        rest(p);
    }
}

/* It has read 100 KiB from look to look, and what there was in the end. */
static void reads_slowly(struct peer *p)
{
    window = WIDE;
    turn(p, 0, MIB);
    window = WIDE - 5 * MIB;
    turn(p, 0, MIB);
    while (p->w.m.large > 0 && window < WIDE) {
        window += 100 * KIB;
        wait_for_look(p);
    }
    window = WIDE;
    turn(p, 0, MIB);
    assert_int_equal(p->w.m.large, 0);
}

static bool half_a_mib_is_much(struct peer *p)
{
    window = WIDE - 512 * KIB;
    turn(p, 0, MIB);
    return p->w.m.large > 0;
}

static void who_reads_slowly_may_have_less(void **state)
{
    struct peer p;

    (void)state;
    begin(&p);
    reads_fast(&p);
    assert_false(half_a_mib_is_much(&p));
    reads_slowly(&p);
    assert_true(half_a_mib_is_much(&p));
    end(&p);
}

/* Who has read all, however little it was and however late that is told, may have twice as much. */
static void reads_fast_again(struct peer *p)
{
    for (int i = 0; i < 3; i++) {
        waiting = NULL;
        window = WIDE - 512 * KIB;
        turn(p, 0, MIB);
        waiting = &p->w.m.large;
        waited = p->w.m.large;
        window = WIDE;
        rest(p);
    }
    waiting = NULL;
}

/* Where the machine does other work it may be looked, now and then, before the window is as the
 * test has it. */
static void who_reads_fast_again_may_have_more(void **state)
{
    bool is_much = true;

    (void)state;
    for (int i = 0; i < 20 && is_much; i++) {
        struct peer p;

        begin(&p);
        reads_slowly(&p);
        reads_fast_again(&p);
        is_much = half_a_mib_is_much(&p);
        end(&p);
    }
    assert_false(is_much);
}

/* A window that has become narrower for good: a probe a look would be 4096 of them. */
static void not_for_ever(void **state)
{
    struct peer p;

    (void)state;
    begin_waiting(&p, WIDE, 256 * MIB);
    rest(&p);
    assert_int_equal(p.w.m.large, 0);
    assert_in_range(n_looks, 1, 3000);
    end(&p);
}

static void nor_where_nothing_is_told(void **state)
{
    struct peer p;

    (void)state;
    begin(&p);
    is_told = false;
    window = 0;
    turn(&p, 0, 4 * MIB);
    assert_int_equal(p.w.m.large, 0);
    assert_int_not_equal(n_looks, 0);
    end(&p);
    size_t waits = begin_waiting(&p, 5 * MIB, MIB);

    is_told = false;
    assert_int_equal(rest(&p), waits);
    end(&p);
}

static void nobody_looks_when_nothing_waits(void **state)
{
    struct peer p;

    (void)state;
    begin_waiting(&p, WIDE, MIB);
    p.w.m.large = 0;
    n_looks = 0;
    step(&p, 20);
    assert_in_range(n_looks, 0, 1);
    end(&p);
}

static void it_may_be_closed_meanwhile(void **state)
{
    struct peer p;

    (void)state;
    begin_waiting(&p, WIDE, MIB);
    add(&p.w.m, UPDATE_CLOSE, ACCEPTED);
    loop_turn(p.w.m.loop);
    unsigned before = n_looks;

    loop_step(p.w.m.loop, 20);
    assert_int_equal(n_looks, before);
    end(&p);
}

static void it_may_break_meanwhile(void **state)
{
    struct peer p;

    (void)state;
    begin_waiting(&p, 5 * MIB, MIB);
    window = WIDE;
    close(p.fd);
    p.fd = -1;
    for (int i = 0; i < 100 && strstr(p.w.m.trace, "accepted-closed") == NULL; i++)
        loop_step(p.w.m.loop, 10);
    assert_non_null(strstr(p.w.m.trace, "accepted-closed"));
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_goes_to_who_reads),
        cmocka_unit_test(small_ones_do_not_wait),
        cmocka_unit_test(they_go_on_when_it_has_read),
        cmocka_unit_test(who_has_read_is_asked),
        cmocka_unit_test(but_not_while_an_answer_is_due),
        cmocka_unit_test(who_reads_slowly_may_have_less),
        cmocka_unit_test(who_reads_fast_again_may_have_more),
        cmocka_unit_test(not_for_ever),
        cmocka_unit_test(nor_where_nothing_is_told),
        cmocka_unit_test(nobody_looks_when_nothing_waits),
        cmocka_unit_test(it_may_be_closed_meanwhile),
        cmocka_unit_test(it_may_break_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
