/* SPDX-License-Identifier: Apache-2.0
 *
 * A program's node: what sticks to it, two of them in one process, and clu_main.
 */
#include "seen.h"

#include <signal.h>
#include <unistd.h>

#include "node/node.h"

/* ---- errors stick ---- */

static void nobody_is_a_node(void **state)
{
    clu_peer peer;

    (void)state;
    clu_node_free(NULL);
    clu_stop(NULL);
    clu_node_clear(NULL);
    assert_int_equal(clu_node_status(NULL), CLU_ENOMEM);
    assert_string_equal(clu_node_error(NULL), "out of memory");
    assert_string_equal(clu_node_name(NULL), "");
    assert_int_equal(clu_run(NULL), CLU_ENOMEM);
    assert_false(clu_step(NULL, 0));
    assert_int_equal(clu_fd(NULL), -1);
    assert_int_equal(clu_nodes(NULL, &peer, 1), 0);
    assert_int_equal(clu_post(NULL, NULL, NULL), CLU_ENOMEM);
    assert_int_equal(clu_connect(NULL, "a@b"), CLU_ENOMEM);
    assert_int_equal(clu_ping(NULL, "a@b", NULL, NULL), CLU_ENOMEM);
    clu_export(NULL, "m", "f", 0, NULL, NULL);
    assert_null(clu_spawn(NULL, &(clu_spawn_options){0}));
    assert_null(clu_serve(NULL, "name", &(clu_server){0}, NULL));
}

static void count_end(clu_node *node, void *arg)
{
    assert_null(node);
    ++*(int *)arg;
}

static void a_wrong_option_sticks(void **state)
{
    clu_node *node = clu_node_new(&(clu_options){.discover = "bogus:", .cookie = "x"});
    int ended = 0;

    (void)state;
    assert_non_null(node);
    assert_int_equal(clu_node_status(node), CLU_EBADARG);
    assert_non_null(strstr(clu_node_error(node), "bogus:"));
    assert_non_null(clu_spawn(node, &(clu_spawn_options){.name = "still_here"}));
    assert_int_equal(clu_connect(node, "a@b"), CLU_EBADARG);
    assert_int_equal(clu_post(node, count_end, &ended), CLU_OK);
    clu_node_clear(node); /* is of no use */
    assert_false(clu_step(node, 0));
    assert_int_equal(clu_run(node), CLU_EBADARG);
    assert_int_equal(ended, 0);
    clu_node_free(node);
    assert_int_equal(ended, 1);
}

static void an_error_of_the_program_sticks(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);

    (void)state;
    assert_non_null(clu_spawn(node, &(clu_spawn_options){.name = "one"}));
    assert_null(clu_spawn(node, &(clu_spawn_options){.name = "one"}));
    assert_int_equal(clu_node_status(node), CLU_EEXIST);
    assert_false(clu_step(node, 0));
    clu_node_clear(node);
    assert_string_equal(clu_node_error(node), "");
    assert_true(clu_step(node, 0));
    clu_node_free(node);
}

/* What its tables are seeded with is its own secret. */
static void each_node_has_a_secret(void **state)
{
    uint16_t port = free_port();
    clu_node *one = local_node(2, port, NULL), *two = local_node(3, port, NULL);

    (void)state;
    assert_true(one->seed != 0 && two->seed != 0 && one->seed != two->seed);
    clu_node_free(one);
    clu_node_free(two);
}

static void a_taken_address_sticks(void **state)
{
    uint16_t port = free_port();
    clu_node *one = local_node(2, port, NULL), *two = local_node(2, port, NULL);

    (void)state;
    assert_true(clu_step(one, 0));
    assert_int_equal(clu_run(two), CLU_ESTART);
    assert_non_null(strstr(clu_node_error(two), "address is in use"));
    assert_false(clu_step(two, 0));
    assert_int_equal(clu_connect(two, "a@127.0.0.1"), CLU_EBUSY);
    clu_node_free(two);
    assert_true(clu_step(one, 0));
    clu_node_free(one);
}

/* Its memory is the queue's of a link that may end in the step. */
static void what_is_begun_outside_is_dropped_by_a_step(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);
    clu_process *p = clu_spawn(node, &(clu_spawn_options){0});
    clu_pid self = clu_self(p);
    clu_to to = clu_to_pid(self);

    (void)state;
    assert_true(clu_step(node, 0));
    clu_put_nil(clu_send_begin(p, &to));
    assert_true(clu_step(node, 0));
    assert_int_equal(clu_send_end(p), CLU_EBADARG);
    clu_put_nil(clu_send_begin(p, &to));
    assert_int_equal(clu_send_end(p), CLU_OK);
    clu_node_free(node);
}

/* ---- options of other versions ---- */

static void options_of_other_versions(void **state)
{
    struct {
        clu_options options;
        uint8_t later[24];
    } o = {.options = {.name = "sized@127.0.0.2", .cookie = "x", .args_file = "bogus"}};
    clu_node *node = clu_node_new_sized(&o.options, offsetof(clu_options, args_file));

    (void)state;
    assert_string_equal(clu_node_name(node), "sized@127.0.0.2");
    /* What the header of old did not have is as if not given. */
    assert_string_equal(clu_node_error(node), "");
    clu_node_free(node);

    o.options.args_file = NULL;
    node = clu_node_new_sized(&o.options, sizeof o);
    assert_int_equal(clu_node_status(node), CLU_OK);
    clu_node_free(node);

    o.later[23] = 1;
    node = clu_node_new_sized(&o.options, sizeof o);
    assert_int_equal(clu_node_status(node), CLU_EBADARG);
    assert_non_null(strstr(clu_node_error(node), "older"));
    clu_node_free(node);
}

/* ---- two nodes ---- */

static bool has_failure(void *arg)
{
    return ((const struct seen *)arg)->failures > 0;
}

static bool is_down(void *arg)
{
    return ((const struct seen *)arg)->down > 0;
}

static void two_nodes_in_one_process(void **state)
{
    uint16_t port = free_port();
    struct seen seen = {.one = local_node(2, port, NULL), .two = local_node(3, port, NULL)};
    clu_peer peers[2];

    (void)state;
    observe(&seen);
    assert_true(clu_step(seen.one, 0) && clu_step(seen.two, 0));
    assert_int_equal(clu_ping(seen.one, "no name", on_pong, &seen), CLU_EBADARG);
    assert_int_equal(clu_ping(seen.one, "test@127.0.0.3", on_pong, &seen), CLU_OK);
    run_until(seen.one, seen.two, has_pong, &seen);
    assert_int_equal(clu_nodes(seen.one, peers, 2), 1);
    assert_string_equal(peers[0].name, "test@127.0.0.3");
    assert_false(peers[0].hidden);
    assert_int_equal(clu_nodes(seen.one, NULL, 0), 1);

    assert_int_equal(clu_ping(seen.one, "test@127.0.0.4", on_pong, &seen), CLU_OK);
    run_until(seen.one, seen.two, has_failure, &seen);
    assert_non_null(strstr(seen.text, "127.0.0.4"));

    clu_node_free(seen.two);
    run_until(seen.one, NULL, is_down, &seen);
    assert_int_equal(clu_nodes(seen.one, peers, 2), 0);
    clu_node_free(seen.one);
}

/* A message to the other node whose writer has taken the memory of the link's queue over. */
static void begin_large(clu_process *p)
{
    static const uint8_t bytes[3 << 20];
    clu_to to = clu_to_name("nobody", "test@127.0.0.3");

    clu_put_nil(clu_send_begin(p, &to));
    assert_int_equal(clu_send_end(p), CLU_OK);
    clu_put_binary(clu_send_begin(p, &to), bytes, sizeof bytes);
}

static void leave_begun(clu_node *node, void *arg)
{
    if (node != NULL)
        begin_large(arg);
}

static void leave_begun_and_stop(clu_node *node, void *arg)
{
    leave_begun(node, arg);
    if (node != NULL)
        clu_stop(node);
}

/* Outside of a function, and in functions of other kinds than a process's; whoever writes to the
 * link next, or ends it, finds its memory whole. */
static void what_is_left_begun_harms_nobody(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        uint16_t port = free_port();
        struct seen seen = {.one = local_node(2, port, NULL), .two = local_node(3, port, NULL)};

        observe(&seen);
        assert_true(clu_step(seen.one, 0) && clu_step(seen.two, 0));
        assert_int_equal(clu_ping(seen.one, "test@127.0.0.3", on_pong, &seen), CLU_OK);
        run_until(seen.one, seen.two, has_pong, &seen);
        clu_process *p = clu_spawn(seen.one, &(clu_spawn_options){0});

        if (way == 0) {
            begin_large(p);
        } else if (way == 1) {
            assert_int_equal(clu_post(seen.one, leave_begun, p), CLU_OK);
            assert_int_equal(clu_post(seen.one, leave_begun, p), CLU_OK);
            assert_true(clu_step(seen.one, -1));
        } else {
            assert_int_equal(clu_post(seen.one, leave_begun_and_stop, p), CLU_OK);
            assert_int_equal(clu_run(seen.one), CLU_OK);
        }
        clu_node_free(seen.one);
        clu_node_free(seen.two);
    }
}

static void connecting_is_enough(void **state)
{
    uint16_t port = free_port();
    struct seen seen = {
        .one = local_node(2, port, NULL), .two = local_node(3, port, NULL), .pongs = 1};

    (void)state;
    observe(&seen);
    assert_true(clu_step(seen.one, 0) && clu_step(seen.two, 0));
    assert_int_equal(clu_connect(seen.one, "nobody"), CLU_EBADARG);
    assert_int_equal(clu_connect(seen.one, "test@127.0.0.3"), CLU_OK);
    run_until(seen.one, seen.two, has_pong, &seen);
    assert_int_equal(clu_connect(seen.one, "test@127.0.0.3"), CLU_OK);
    clu_node_free(seen.one);
    clu_node_free(seen.two);
}

/* Who asks and then leaves is told; asking once more from there is refused. */
static void ask_again(clu_node *node, const char *name, const char *failure, void *arg)
{
    int *called = arg;

    assert_non_null(failure);
    assert_int_equal(clu_ping(node, name, ask_again, arg), CLU_EBUSY);
    ++*called;
}

static void an_open_question_ends_with_the_node(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);
    int called = 0;

    (void)state;
    assert_int_equal(clu_ping(node, "test@127.0.0.3", ask_again, &called), CLU_OK);
    clu_node_free(node);
    assert_int_equal(called, 1);
}

/* ---- a whole program ---- */

static void end_by_signal(clu_node *node, void *arg)
{
    assert_non_null(node);
    kill(getpid(), *(const int *)arg);
}

static bool is_blocked(int number)
{
    sigset_t now;

    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    return sigismember(&now, number) == 1;
}

/* Both ends are clean, and leave the signals of the thread as they were. */
static void main_ends_with_a_signal(void **state)
{
    static const int ends[] = {SIGTERM, SIGINT};
    sigset_t set;

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        clu_node *node = local_node(2, free_port(), NULL);

        assert_int_equal(clu_post(node, end_by_signal, (void *)(uintptr_t)&ends[i]), CLU_OK);
        assert_int_equal(clu_main(node), 0);
        assert_false(is_blocked(SIGTERM));
        assert_true(is_blocked(SIGINT));
    }
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void main_tells_what_failed(void **state)
{
    (void)state;
    assert_int_equal(clu_main(NULL), 12);
    assert_int_equal(clu_main(clu_node_new(&(clu_options){.cookie = "x", .epmd = "maybe"})), 2);
    clu_node *node = local_node(2, free_port(), NULL);

    clu_spawn(node, &(clu_spawn_options){.name = "one"});
    clu_spawn(node, &(clu_spawn_options){.name = "one"});
    assert_int_equal(clu_main(node), 12);
}

/* ---- events ---- */

static void keep_fatal(clu_node *node, clu_level level, const char *sentence, void *arg)
{
    if (level == CLU_LEVEL_ERROR) {
        assert_non_null(clu_node_name(node));
        snprintf(arg, 256, "%s", sentence);
    }
}

static void events_are_sentences(void **state)
{
    clu_node *node = clu_node_new(&(clu_options){.name = "a@nowhere.invalid",
                                                 .dns = "127.0.0.1:1",
                                                 .cookie = "x",
                                                 .on_event = keep_fatal,
                                                 .event_arg = (char[256]){0}});
    char text[256] = "";

    (void)state;
    clu_node_free(node);
    node = clu_node_new(&(clu_options){.name = "a@127.0.0.2",
                                       .listen_address = "192.0.2.1",
                                       .cookie = "x",
                                       .on_event = keep_fatal,
                                       .event_arg = text});
    assert_int_equal(clu_run(node), CLU_ESTART);
    assert_string_equal(text, clu_node_error(node));
    assert_non_null(strstr(text, "192.0.2.1"));
    assert_non_null(strstr(text, ": see .listen_address"));
    clu_node_free(node);
}

/* As net_adm:ping(node()). */
static void a_node_pings_itself(void **state)
{
    struct seen seen = {.one = local_node(2, free_port(), NULL)};

    (void)state;
    assert_int_equal(clu_ping(seen.one, "test@127.0.0.2", on_pong, &seen), CLU_OK);
    for (int i = 0; i < 50 && seen.pongs == 0; i++)
        assert_true(clu_step(seen.one, 10));
    assert_string_equal(seen.text, "test@127.0.0.2: pong");
    clu_stop(seen.one);
    while (clu_step(seen.one, 10))
        continue;
    clu_node_free(seen.one);
    assert_int_equal(seen.pongs + seen.failures, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_pings_itself),
        cmocka_unit_test(nobody_is_a_node),
        cmocka_unit_test(a_wrong_option_sticks),
        cmocka_unit_test(an_error_of_the_program_sticks),
        cmocka_unit_test(each_node_has_a_secret),
        cmocka_unit_test(a_taken_address_sticks),
        cmocka_unit_test(what_is_begun_outside_is_dropped_by_a_step),
        cmocka_unit_test(options_of_other_versions),
        cmocka_unit_test(two_nodes_in_one_process),
        cmocka_unit_test(what_is_left_begun_harms_nobody),
        cmocka_unit_test(connecting_is_enough),
        cmocka_unit_test(an_open_question_ends_with_the_node),
        cmocka_unit_test(main_ends_with_a_signal),
        cmocka_unit_test(main_tells_what_failed),
        cmocka_unit_test(events_are_sentences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
