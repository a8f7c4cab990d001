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

/* Two nodes, each with its descriptor. */
struct pair {
    struct seen seen;
    struct pollfd fds[2];
};

static void begin_pair(struct pair *p)
{
    uint16_t port = free_port();

    *p =
        (struct pair){.seen = {.one = local_node(2, port, NULL), .two = local_node(3, port, NULL)}};
    p->fds[0] = (struct pollfd){.fd = clu_fd(p->seen.one), .events = POLLIN};
    p->fds[1] = (struct pollfd){.fd = clu_fd(p->seen.two), .events = POLLIN};
    observe(&p->seen);
}

static void step_both(const struct pair *p)
{
    assert_true(clu_step(p->seen.one, 0) && clu_step(p->seen.two, 0));
}

/* The seconds that it takes until the second one has stopped. */
static double stop_pair(struct pair *p)
{
    double begin = seconds();

    clu_stop(p->seen.two);
    assert_int_equal(poll(&p->fds[1], 1, 10000), 1);
    while (clu_step(p->seen.two, 0)) {
        assert_true(poll(p->fds, 2, 10000) > 0);
        assert_true(clu_step(p->seen.one, 0));
    }
    begin = seconds() - begin;
    clu_node_free(p->seen.one);
    clu_node_free(p->seen.two);
    return begin;
}

/* Nothing to do is silence, for as long as no timer is due. */
static void becomes_silent(struct pair *p)
{
    int silences = 0;

    for (int i = 0; i < 200 && silences < 2; i++) {
        silences = poll(p->fds, 2, 20) == 0 ? silences + 1 : 0;
        if (silences == 0)
            step_both(p);
    }
    assert_int_equal(silences, 2);
}

static double tell_all(void)
{
    struct pair pair;
    struct alarm alarm = {0};
    int steps = 0;

    begin_pair(&pair);
    clu_process *p = clu_spawn(pair.seen.two, &(clu_spawn_options){.receive = ring, .arg = &alarm});

    step_both(&pair);
    clu_after(p, 50);
    assert_int_equal(clu_ping(pair.seen.one, "test@127.0.0.3", on_pong, &pair.seen), CLU_OK);
    step_both(&pair);
    while ((!has_pong(&pair.seen) || alarm.rung == 0) && ++steps < 200) {
        assert_true(poll(pair.fds, 2, 10000) > 0);
        assert_true((pair.fds[0].revents == 0 || clu_step(pair.seen.one, 0)) &&
                    (pair.fds[1].revents == 0 || clu_step(pair.seen.two, 0)));
    }
    assert_true(has_pong(&pair.seen) && alarm.rung == 1);
    assert_int_equal(clu_fd(pair.seen.one), pair.fds[0].fd);
    becomes_silent(&pair);
    return stop_pair(&pair);
}

/* The descriptor says when to step, and nothing else does: links, timers, posts; and that the other
 * one has read all when this one stops, unless the machine does other work meanwhile. */
static void one_descriptor_tells_all(void **state)
{
    double took = CLU_STOP_MS;

    (void)state;
    for (int i = 0; i < 10 && took > CLU_STOP_MS / 2000.0; i++)
        took = tell_all();
    assert_true(took < CLU_STOP_MS / 2000.0);
}

static void set_alarm(clu_node *node, void *arg)
{
    if (node != NULL)
        clu_after(arg, 200);
}

static void expect_in_time(clu_node *node, struct alarm *alarm, double begin)
{
    alarm->rung = 0;
    while (alarm->rung == 0 && seconds() < begin + 30)
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
    double begin = seconds();

    assert_int_equal(clu_post(node, set_alarm, p), CLU_OK);
    expect_in_time(node, &alarm, begin);
    for (int i = 0; i < 8; i++) { /* with nothing to do */
        begin = seconds();        /* of the last one, behind which the time counts */
        assert_true(clu_step(node, 50));
    }
    clu_after(p, 200);
    expect_in_time(node, &alarm, begin);
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
