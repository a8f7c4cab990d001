/* SPDX-License-Identifier: Apache-2.0
 *
 * The one descriptor that is readable when any watch of a base would be called.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/watch.h"

/* What is not to pass while a test runs. */
#define LATER_MS 600000

struct scene {
    struct watch_base *base;
    int pair[2];
    struct watch *readable, *writable, *timer;
    int reads, writes, rings;
};

static void on_readable(void *arg, bool timed_out)
{
    struct scene *s = arg;
    char byte;

    (void)timed_out;
    s->reads += read(s->pair[0], &byte, 1) == 1;
}

static void on_writable(void *arg, bool timed_out)
{
    struct scene *s = arg;

    s->writes += timed_out ? 100 : 1;
}

static void on_timer(void *arg, bool timed_out)
{
    struct scene *s = arg;

    (void)timed_out;
    s->rings++;
}

static void open_scene(struct scene *s)
{
    *s = (struct scene){.base = watch_base_new()};
    assert_non_null(s->base);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s->pair), 0);
    s->readable = watch_new(s->base, WATCH_READ, s->pair[0], on_readable, s);
    s->writable = watch_new(s->base, WATCH_WRITE, s->pair[0], on_writable, s);
    s->timer = watch_new(s->base, WATCH_TIMER, -1, on_timer, s);
}

static void close_scene(struct scene *s)
{
    watch_free(s->readable);
    watch_free(s->writable);
    watch_free(s->timer);
    watch_base_free(s->base);
    close(s->pair[0]);
    close(s->pair[1]);
}

static bool tells(struct scene *s, int timeout_ms)
{
    struct pollfd fd = {.fd = watch_base_fd(s->base), .events = POLLIN};

    return poll(&fd, 1, timeout_ms) == 1;
}

static void step(struct scene *s)
{
    watch_base_step(s->base, false);
}

static void say(struct scene *s)
{
    assert_int_equal(write(s->pair[1], "x", 1), 1);
}

/* What waits already when it is asked for is in it. */
static void watches_from_before(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    watch_start(s.readable, NEVER);
    watch_start(s.timer, LATER_MS);
    assert_false(tells(&s, 0));
    say(&s);
    assert_true(tells(&s, 1000));
    step(&s);
    assert_int_equal(s.reads, 1);
    assert_false(tells(&s, 0));
    close_scene(&s);
    open_scene(&s);
    watch_start(s.timer, 30);
    while (s.rings == 0) {
        assert_true(tells(&s, 1000));
        step(&s);
    }
    assert_false(tells(&s, 50));
    close_scene(&s);
}

/* Two watches of one descriptor: each is waited for as long as it is on. */
static void reading_and_writing(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    assert_false(tells(&s, 0));
    watch_start(s.readable, NEVER);
    watch_start(s.writable, NEVER);
    assert_true(tells(&s, 0));
    step(&s);
    assert_int_equal(s.writes, 1); /* once: it is off now */
    assert_false(tells(&s, 0));
    say(&s);
    watch_start(s.writable, NEVER);
    watch_stop(s.readable);
    step(&s);
    assert_int_equal(s.writes, 2);
    assert_false(tells(&s, 0)); /* a byte is there, and nobody waits for it */
    watch_start(s.readable, NEVER);
    watch_start(s.readable, NEVER); /* starting twice counts once */
    assert_true(tells(&s, 0));
    watch_stop(s.readable);
    assert_false(tells(&s, 0));
    close_scene(&s);
}

/* A descriptor that is closed and given out again. */
static void a_number_used_again(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    assert_false(tells(&s, 0));
    for (int i = 0; i < 3; i++) {
        watch_start(s.readable, NEVER);
        watch_free(s.readable);
        watch_free(s.writable);
        close(s.pair[0]);
        close(s.pair[1]);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s.pair), 0);
        s.readable = watch_new(s.base, WATCH_READ, s.pair[0], on_readable, &s);
        s.writable = watch_new(s.base, WATCH_WRITE, s.pair[0], on_writable, &s);
        watch_start(s.readable, NEVER);
        assert_false(tells(&s, 0));
        say(&s);
        assert_true(tells(&s, 0));
        step(&s);
        assert_int_equal(s.reads, i + 1);
    }
    close_scene(&s);
}

/* A wait for room that comes to its end, and a timer that is put off. */
static void limits_of_time(void **state)
{
    struct scene s;
    char full[4096] = {0};

    (void)state;
    open_scene(&s);
    while (write(s.pair[0], full, sizeof full) > 0)
        continue;
    assert_false(tells(&s, 0));
    watch_start(s.writable, LATER_MS);
    step(&s);
    assert_false(tells(&s, 0));
    watch_start(s.writable, 30);
    step(&s);
    while (s.writes == 0) {
        assert_true(tells(&s, 1000));
        step(&s);
    }
    assert_int_equal(s.writes, 100);
    watch_start(s.timer, 20);
    watch_start(s.timer, LATER_MS);
    step(&s);
    assert_false(tells(&s, 60));
    watch_stop(s.timer);
    assert_false(tells(&s, 0));
    watch_start(s.timer, 0);
    step(&s);
    assert_int_equal(s.rings, 1);
    close_scene(&s);
}

/* An alarm rings once, is put off or given up, and others that wait see it coming. */
static void alarms(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    struct watch *alarm = watch_new(s.base, WATCH_ALARM, -1, on_timer, &s);

    assert_non_null(alarm);
    assert_false(tells(&s, 0));
    watch_start(alarm, LATER_MS);
    assert_true(watch_is_on(alarm));
    assert_false(tells(&s, 0));
    watch_start(alarm, 20);
    assert_true(tells(&s, 1000));
    step(&s);
    assert_int_equal(s.rings, 1);
    assert_false(tells(&s, 50));
    watch_start(alarm, 10);
    watch_start(alarm, LATER_MS);
    assert_false(tells(&s, 50));
    watch_start(alarm, 0);
    watch_base_step(s.base, true);
    assert_int_equal(s.rings, 2);
    watch_start(alarm, 10);
    watch_stop(alarm);
    assert_false(watch_is_on(alarm));
    assert_false(tells(&s, 50));
    watch_free(alarm);
    close_scene(&s);
}

/* What is built on libevent itself is looked at now and then. */
static void borrowed(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    assert_false(tells(&s, 0));
    watch_base_borrow(s.base);
    step(&s);
    int in_time = 0;

    for (int i = 0; i < 1000 && in_time < 3; i++) {
        assert_true(tells(&s, 1000));
        step(&s);
        in_time += !tells(&s, 0); /* unless the machine does other work until it is due again */
    }
    assert_int_equal(in_time, 3);
    watch_base_return(s.base);
    step(&s);
    assert_false(tells(&s, 50));
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watches_from_before),
        cmocka_unit_test(reading_and_writing),
        cmocka_unit_test(a_number_used_again),
        cmocka_unit_test(limits_of_time),
        cmocka_unit_test(alarms),
        cmocka_unit_test(borrowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
