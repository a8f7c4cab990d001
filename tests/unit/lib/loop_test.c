/* SPDX-License-Identifier: Apache-2.0
 *
 * A loop of one's own: the descriptor and the steps of a node that is driven by hand.
 */
#include "seen.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

struct alarm {
    int rung;
};

static void ring(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    ((struct alarm *)arg)->rung += s->kind == CLU_SIGNAL_TIMEOUT;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The descriptor says when to step, and nothing else does: links, timers, posts. */
static void one_descriptor_tells_all(void **state)
{
    uint16_t port = free_port();
    struct seen seen = {.one = local_node(2, port, NULL), .two = local_node(3, port, NULL)};
    struct pollfd fds[] = {{.fd = clu_fd(seen.one), .events = POLLIN},
                           {.fd = clu_fd(seen.two), .events = POLLIN}};
    struct alarm alarm = {0};
    clu_process *p = clu_spawn(seen.two, &(clu_spawn_options){.receive = ring, .arg = &alarm});
    int steps = 0;

    (void)state;
    observe(&seen);
    assert_true(clu_step(seen.one, 0) && clu_step(seen.two, 0));
    clu_after(p, 50);
    assert_int_equal(clu_ping(seen.one, "test@127.0.0.3", on_pong, &seen), CLU_OK);
    assert_true(clu_step(seen.one, 0) && clu_step(seen.two, 0));
    while ((!has_pong(&seen) || alarm.rung == 0) && ++steps < 200) {
        assert_true(poll(fds, 2, 10000) > 0);
        assert_true((fds[0].revents == 0 || clu_step(seen.one, 0)) &&
                    (fds[1].revents == 0 || clu_step(seen.two, 0)));
    }
    assert_true(has_pong(&seen) && alarm.rung == 1);
    assert_int_equal(clu_fd(seen.one), fds[0].fd);
    /* Nothing to do is silence, for as long as no timer is due. */
    for (int i = 0; i < 20 && poll(fds, 2, 20) > 0; i++)
        assert_true(clu_step(seen.one, 0) && clu_step(seen.two, 0));
    assert_int_equal(poll(fds, 2, 20), 0);
    clu_stop(seen.two);
    assert_int_equal(poll(&fds[1], 1, 1000), 1);
    double begin = seconds();

    while (clu_step(seen.two, 0)) {
        assert_true(poll(fds, 2, 1000) > 0);
        assert_true(clu_step(seen.one, 0));
    }
    assert_true(seconds() - begin < CLU_STOP_MS / 2000.0); /* the other one has read it */
    clu_node_free(seen.one);
    clu_node_free(seen.two);
}

static void set_alarm(clu_node *node, void *arg)
{
    if (node != NULL)
        clu_after(arg, 200);
}

static void expect_in_time(clu_node *node, struct alarm *alarm, double begin)
{
    alarm->rung = 0;
    while (alarm->rung == 0 && seconds() < begin + 10)
        assert_true(clu_step(node, 50));
    assert_int_equal(alarm->rung, 1);
    assert_true(seconds() - begin > 0.19);
}

/* However long nothing had happened before: else a call of a node that was idle would be too late
 * before it began. */
static void timers_count_from_when_they_are_set(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);
    struct alarm alarm = {0};
    clu_process *p = clu_spawn(node, &(clu_spawn_options){.receive = ring, .arg = &alarm});

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(clu_step(node, 20));
    usleep(400000);
    assert_int_equal(clu_post(node, set_alarm, p), CLU_OK);
    expect_in_time(node, &alarm, seconds());
    for (int i = 0; i < 8; i++) /* with nothing to do */
        assert_true(clu_step(node, 50));
    clu_after(p, 200);
    expect_in_time(node, &alarm, seconds());
    clu_node_free(node);
}

/* Who does nothing but wait for the descriptor makes the first step, too. */
static void the_first_step_is_there_to_be_made(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);
    struct pollfd fd = {.fd = clu_fd(node), .events = POLLIN};

    (void)state;
    assert_int_equal(poll(&fd, 1, 0), 1);
    assert_true(clu_step(node, 0));
    clu_node_free(node);
}

/* There is always something to do, and a step comes back all the same. */
static void ring_again(clu_process *self, const clu_signal *s, void *arg)
{
    ring(self, s, arg);
    if (((struct alarm *)arg)->rung < 1000)
        clu_after(self, 0);
}

static void a_step_comes_back(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);
    struct alarm alarm = {0};
    clu_process *p = clu_spawn(node, &(clu_spawn_options){.receive = ring_again, .arg = &alarm});

    (void)state;
    assert_true(clu_step(node, 0));
    clu_after(p, 0);
    for (int i = 0; i < 50 && alarm.rung == 0; i++)
        assert_true(clu_step(node, 0));
    assert_in_range(alarm.rung, 1, 10);
    clu_node_free(node);
}

static void a_step_waits_as_long_as_it_may(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);
    struct timespec begin, end;

    (void)state;
    while (clu_step(node, 0) && clu_fd(node) < 0)
        continue;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < 5; i++)
        assert_true(clu_step(node, 20));
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;

    assert_true(seconds > 0.03 && seconds < 5);
    clu_node_free(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_descriptor_tells_all),
        cmocka_unit_test(the_first_step_is_there_to_be_made),
        cmocka_unit_test(a_step_comes_back),
        cmocka_unit_test(timers_count_from_when_they_are_set),
        cmocka_unit_test(a_step_waits_as_long_as_it_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
