/* SPDX-License-Identifier: Apache-2.0
 *
 * A log that nobody reads: the node goes on, whatever signals its program gets meanwhile.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/log.h"

/* How often the program's own signal comes, and how many of them show that nobody goes on. */
#define SIGNAL_US 20000
#define TOO_MANY  400

static int reader, signals;

/* At last it reads, so that the test comes to its end. */
static void on_alarm(int number)
{
    char bytes[4096];

    (void)number;
    if (++signals >= TOO_MANY)
        while (read(reader, bytes, sizeof bytes) > 0)
            continue;
}

/* What standard error was before. */
static int fill_standard_error(void)
{
    static const char zeroes[4096];
    int fds[2], before = dup(STDERR_FILENO);

    assert_true(before >= 0);
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    while (write(fds[1], zeroes, sizeof zeroes) > 0)
        continue;
    assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
    assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    close(fds[1]);
    reader = fds[0];
    return before;
}

static void have_signals(long every_us)
{
    const struct itimerval often = {{0, every_us}, {0, every_us}};
    const struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

    assert_int_equal(sigaction(SIGALRM, &act, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void signals_are_no_readers(void **state)
{
    struct log log = {.level = LEVEL_INFO};
    const struct event event = {.id = EVENT_EPMD, .reason = "for the test"};
    char text[1 << 17];
    ssize_t n;

    (void)state;
    int before = fill_standard_error();

    have_signals(SIGNAL_US);
    log_event(&log, &event);
    log_event(&log, &event);
    have_signals(0);
    bool stood_still = signals >= TOO_MANY;
    unsigned n_lost = log.n_lost;

    while (read(reader, text, sizeof text) > 0)
        continue;
    log_event(&log, &event);
    n = read(reader, text, sizeof text - 1);
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    close(before);
    close(reader);
    assert_false(stood_still);
    assert_int_equal(n_lost, 2);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "log: 2 lines are lost"));
    assert_non_null(strstr(text, "for the test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signals_are_no_readers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
