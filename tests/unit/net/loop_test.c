/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop with a machine of straw.
 */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "straw.h"

/* What is to be soon is sooner than that, on a machine that does other work. */
#define LATE_MS 10000

/* As on a system that watches as many sockets as it may (/proc/sys/fs/epoll/max_user_watches). */
static bool no_watch_left;

__attribute__((visibility("default"))) int epoll_ctl(int epfd, int op, int fd,
                                                     struct epoll_event *event)
{
    if (!no_watch_left || op != EPOLL_CTL_ADD)
        return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
    errno = ENOSPC;
    return -1;
}

/* Runs until the trace has so many words, and compares it. */
static void expect(struct world *w, size_t words, const char *trace)
{
    w->m.ends_after = words;
    loop_start(w->m.loop);
    assert_int_equal(loop_run(w->m.loop), 0);
    assert_string_equal(w->m.trace, trace);
    loop_free(w->m.loop);
}

static struct update *add_dial(struct machine *m, struct addr to)
{
    struct update *u = add(m, UPDATE_DIAL, DIALLED);

    u->u.dial.to = to;
    u->u.dial.timeout_ms = 200;
    return u;
}

/* Listens first, then dials itself there. */
static void listen_and_dial(struct world *w)
{
    int fd;
    struct addr at = take_port(&fd);

    close(fd);
    add_listen(&w->m, at);
    add_dial(&w->m, at);
}

static void test_bytes_arrive(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    w.m.to_send = sizeof zeroes; /* more than sockets hold: the writer must wait for the reader */
    listen_and_dial(&w);
    expect(&w, 4, "listening accepted got-all dialled-closed ");
    assert_true(w.m.opened);
    assert_int_equal(w.m.received, sizeof zeroes);
}

/* Reads, by and by, what comes there: a process by itself, for the loop is to wait meanwhile. */
static pid_t read_after_ms(int fd, unsigned ms)
{
    static uint8_t bytes[1 << 16];
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    usleep(ms * 1000);
    while (read(fd, bytes, sizeof bytes) > 0) {
    }
    _exit(0);
}

/* What goes when a full socket has room again goes now, not when something was heard last: timers
 * of who was waiting for that count from then. */
static void test_time_goes_on_at_a_full_socket(void **state)
{
    struct world w;
    int holder;
    struct addr at = take_port(&holder);
    size_t before;

    (void)state;
    set_up(&w);
    w.m.to_send = sizeof zeroes;
    add_dial(&w.m, at);
    loop_start(w.m.loop);
    do {
        before = sent;
        loop_step(w.m.loop, 100);
    } while (sent != before);
    assert_in_range(sent, 1, sizeof zeroes - 1);
    int fd = accept(holder, NULL, NULL);
    pid_t reader = read_after_ms(fd, 1500);

    assert_true(fd >= 0 && reader > 0);
    w.m.late_ms = 0;
    loop_step(w.m.loop, 30000);
    assert_int_not_equal(sent, before);
    assert_in_range(w.m.late_ms, 0, 1000);
    kill(reader, SIGKILL);
    assert_int_equal(waitpid(reader, NULL, 0), reader);
    close(fd);
    close(holder);
    loop_free(w.m.loop);
}

/* ... even if we have been stopped for longer than it may take. */
static void test_a_connect_counts_whenever_it_is_seen(void **state)
{
    struct world w;
    int holder;

    (void)state;
    set_up(&w);
    w.m.to_send = sizeof zeroes;
    add_dial(&w.m, take_port(&holder))->u.dial.timeout_ms = 100;
    loop_start(w.m.loop);
    usleep(200000);
    for (int i = 0; i < 100 && !w.m.opened; i++)
        loop_step(w.m.loop, 100);
    assert_string_equal(w.m.trace, "");
    assert_true(w.m.opened);
    close(holder);
    loop_free(w.m.loop);
}

static void test_unwelcome(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    w.m.refuses = true;
    listen_and_dial(&w);
    expect(&w, 3, "listening accepted dialled-closed ");
    assert_true(w.m.opened);
}

static void test_nobody_listens(void **state)
{
    struct world w;
    int fd;
    struct addr at = take_port(&fd);

    (void)state;
    close(fd);
    set_up(&w);
    add_dial(&w.m, at);
    expect(&w, 1, "refused ");
}

static void test_foreign_source(void **state)
{
    struct world w;
    int fd;
    struct addr at = take_port(&fd);

    (void)state;
    set_up(&w);
    add_dial(&w.m, at)->u.dial.from = addr_v4(0xc0000201, 0); /* TEST-NET-1 is nobody's */
    expect(&w, 1, "impossible ");
    close(fd);
}

static void test_source_is_used(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    w.m.refuses = true;
    listen_and_dial(&w);
    w.m.updates[1].u.dial.from = addr_v4(0x7f000009, 0);
    w.m.source = w.m.updates[1].u.dial.from;
    expect(&w, 2, "listening accepted ");
}

static void test_port_in_use(void **state)
{
    struct world w;
    int fd;
    struct addr at = take_port(&fd);

    (void)state;
    set_up(&w);
    add_listen(&w.m, at);
    expect(&w, 1, "in-use ");
    close(fd);
}

static void test_range_of_ports(void **state)
{
    struct world w;
    int fd;
    struct addr at = take_port(&fd);
    struct update *u;

    (void)state;
    set_up(&w);
    u = add_listen(&w.m, addr_v4(0x7f000001, 0));
    u->u.listen.port_min = at.port;
    u->u.listen.port_max = (uint16_t)(at.port + 20);
    expect(&w, 1, "listening ");
    assert_true(w.m.at.port > at.port && w.m.at.port <= at.port + 20);
    close(fd);
}

static void test_foreign_address(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    add_listen(&w.m, addr_v4(0xc0000201, 0));
    expect(&w, 1, "cannot-listen ");
}

static void test_timer(void **state)
{
    struct world w;
    uint64_t began_ms = system_now_ms();

    (void)state;
    set_up(&w);
    w.m.deadline_ms = began_ms + 30;
    expect(&w, 1, "tick ");
    assert_in_range(system_now_ms() - began_ms, 30, LATE_MS);
}

/* We were stopped, and its time was over meanwhile: but it has spoken. */
static void test_who_has_spoken_meanwhile_was_not_silent(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    int fd = come_in(&w);

    w.m.to_send = 1;
    w.m.deadline_ms = system_now_ms() + 20;
    loop_turn(w.m.loop);
    usleep(700000);
    assert_int_equal(send(fd, zeroes, 1, 0), 1);
    for (int i = 0; i < 100 && strstr(w.m.trace, "tick") == NULL; i++)
        loop_step(w.m.loop, 100);
    assert_string_equal(w.m.trace, "listening accepted got-all tick ");
    close(fd);
    loop_free(w.m.loop);
}

static uint64_t tick_us(void)
{
    struct world w;

    set_up(&w);
    w.m.deadline_ms = 0;
    w.m.ends_after = 1;
    uint64_t began_us = system_now_us();

    loop_start(w.m.loop);
    assert_int_equal(loop_run(w.m.loop), 0);
    uint64_t took_us = system_now_us() - began_us;

    loop_free(w.m.loop);
    return took_us;
}

/* What is due at once does not wait for that, which a busy machine shows now and then. */
static void test_what_is_due_comes_at_once(void **state)
{
    uint64_t least_us = tick_us();

    (void)state;
    for (int i = 0; i < 50 && least_us >= 8000; i++)
        least_us = tick_us();
    assert_in_range(least_us, 0, 7999);
}

static void test_closing_strangers(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    add(&w.m, UPDATE_CLOSE, 77);
    add(&w.m, UPDATE_SEND, 78);
    add(&w.m, UPDATE_RESOLVE, 0);
    expect(&w, 1, "no-server ");
}

/* The listener waits a second and goes on; a connection made meanwhile is not lost. */
static void test_out_of_files(void **state)
{
    struct world w;
    int fd;
    struct addr at = take_port(&fd), from = {0};
    bool connecting, bind_failed;
    uint64_t began_ms = system_now_ms();

    (void)state;
    close(fd);
    set_up(&w);
    w.m.refuses = true;
    add_listen(&w.m, at);
    loop_start(w.m.loop);
    fd = socket_connect(&at, &from, &connecting, &bind_failed);
    assert_true(fd >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &w.m.files), 0);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, w.m.files.rlim_max});
    expect(&w, 3, "listening paused accepted ");
    assert_in_range(system_now_ms() - began_ms, 900, LATE_MS);
    close(fd);
}

static size_t window_of(int fd)
{
    struct socket_window window;

    assert_true(socket_window(fd, &window));
    return window.bytes;
}

/* What a peer has not read is missing from its window, and what it has read is there again with the
 * answer to what comes next. */
static void test_window_of_a_peer(void **state)
{
    static uint8_t place[1u << 20];
    struct addr any = addr_v4(0x7f000001, 0), peer, none = {0};
    struct socket_window window;
    int listener = socket_listen(&any);
    struct addr at = socket_local(listener);
    bool connecting, bind_failed;
    int fd = socket_connect(&at, &none, &connecting, &bind_failed), other;

    (void)state;
    while ((other = socket_accept(listener, &peer)) < 0)
        assert_int_equal(errno, EAGAIN);
    while (send(fd, zeroes, sizeof zeroes, MSG_DONTWAIT) > 0) {
    }
    size_t narrow = window_of(fd);

    for (int i = 0; i < 500 && window_of(fd) < narrow + 32768; i++) {
        while (recv(other, place, sizeof place, MSG_DONTWAIT) > 0) {
        }
        send(fd, zeroes, 1, MSG_DONTWAIT);
        usleep(10000);
    }
    assert_in_range(window_of(fd), narrow + 32768, UINT32_MAX);
    assert_false(socket_window(-1, &window));
    close(fd);
    close(other);
    close(listener);
}

/* However old what the system tells of the peer's window is. */
static void test_who_has_read_all_is_sent_more(void **state)
{
    static uint8_t place[128u << 10];
    struct world w;
    ssize_t n;
    size_t got = 0, all = 256u << 20;

    (void)state;
    set_up(&w);
    int fd = come_in(&w);

    w.m.large = all;
    add(&w.m, UPDATE_SEND, ACCEPTED);
    loop_turn(w.m.loop);
    for (int idle = 0; got < all; idle++) {
        while ((n = recv(fd, place, sizeof place, MSG_DONTWAIT)) > 0) {
            got += (size_t)n;
            idle = 0;
            loop_step(w.m.loop, 0);
        }
        assert_in_range(idle, 0, 20);
        loop_step(w.m.loop, 100);
    }
    close(fd);
    loop_free(w.m.loop);
}

/* Who could not be listened to is told so, instead of hanging. */
static void test_no_watch_for_who_comes(void **state)
{
    struct world w;
    int holder, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct addr at = take_port(&holder);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(at.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    (void)state;
    close(holder);
    set_up(&w);
    add_listen(&w.m, at);
    loop_start(w.m.loop);
    no_watch_left = true;
    assert_int_equal(connect(fd, (void *)&to, sizeof to), 0);
    for (int i = 0; i < 100 && strstr(w.m.trace, "closed") == NULL; i++)
        loop_step(w.m.loop, 100);
    no_watch_left = false;
    assert_string_equal(w.m.trace, "listening accepted accepted-closed ");
    close(fd);
    loop_free(w.m.loop);
}

static void test_no_watch_for_a_dial(void **state)
{
    struct world w;
    int holder;

    (void)state;
    set_up(&w);
    add_dial(&w.m, take_port(&holder));
    no_watch_left = true;
    loop_start(w.m.loop);
    no_watch_left = false;
    assert_string_equal(w.m.trace, "impossible ");
    close(holder);
    loop_free(w.m.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_arrive),
        cmocka_unit_test(test_a_connect_counts_whenever_it_is_seen),
        cmocka_unit_test(test_unwelcome),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_no_watch_for_who_comes),
        cmocka_unit_test(test_no_watch_for_a_dial),
        cmocka_unit_test(test_foreign_source),
        cmocka_unit_test(test_source_is_used),
        cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_range_of_ports),
        cmocka_unit_test(test_foreign_address),
        cmocka_unit_test(test_timer),
        cmocka_unit_test(test_who_has_spoken_meanwhile_was_not_silent),
        cmocka_unit_test(test_what_is_due_comes_at_once),
        cmocka_unit_test(test_closing_strangers),
        cmocka_unit_test(test_out_of_files),
        cmocka_unit_test(test_time_goes_on_at_a_full_socket),
        cmocka_unit_test(test_window_of_a_peer),
        cmocka_unit_test(test_who_has_read_all_is_sent_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
