/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a node: what becomes of calls that nobody has answered, and what clu_main says.
 */
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct open_calls {
    clu_call *pending, *function;
    char *memory; /* that the asker keeps for its answers */
    int asked, answers, stopped;
};

static clu_error answer_never(clu_call *call, clu_reader *request, void *arg)
{
    struct open_calls *o = arg;

    (void)request;
    o->pending = call;
    o->asked++;
    return CLU_PENDING;
}

static clu_error run_for_ever(clu_call *call, clu_reader *args, void *arg)
{
    struct open_calls *o = arg;

    (void)args;
    o->function = call;
    o->asked++;
    return CLU_PENDING;
}

static void on_answer(clu_process *self, const clu_answer *answer, void *arg)
{
    struct open_calls *o = arg;

    (void)self;
    (void)answer;
    o->answers++;
}

/* A call is good until here, and may be answered, though nobody hears it. */
static void server_stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct open_calls *o = arg;
    clu_reader r = {.pos = reason.data, .end = reason.data + reason.len};

    (void)self;
    assert_true(clu_slice_is(clu_get_atom(&r), "shutdown"));
    assert_false(clu_call_is_awaited(o->pending));
    clu_put_atom(clu_reply_begin(o->pending), (clu_slice){(const uint8_t *)"late", 4});
    assert_int_equal(clu_reply_end(o->pending), CLU_OK);
    o->stopped++;
}

/* What a process was given for its calls is freed when it stops: its answers never come. */
static void asker_stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct open_calls *o = arg;

    (void)self;
    (void)reason;
    free(o->memory);
    o->memory = NULL;
    o->stopped++;
}

static bool all_asked(void *arg)
{
    return ((const struct open_calls *)arg)->asked == 3;
}

static void calls_end_with_the_node(void **state)
{
    static const clu_server served = {.call = answer_never, .stopped = server_stopped};
    clu_node *node = local_node(2, free_port(), NULL);
    struct open_calls o = {.memory = malloc(1)};

    (void)state;
    assert_non_null(clu_serve(node, "server", &served, &o));
    clu_export(node, "m", "f", 0, run_for_ever, &o);
    clu_process *p = clu_spawn(node, &(clu_spawn_options){.stopped = asker_stopped, .arg = &o});
    clu_to to = clu_to_name("server", NULL);

    for (int i = 0; i < 2; i++) {
        clu_put_nil(clu_call_begin(p, &to, CLU_INFINITY));
        assert_int_equal(clu_call_end(p, on_answer, &o, NULL), CLU_OK);
    }
    clu_put_nil(clu_rpc_begin(p, clu_node_name(node), "m", "f", 60000));
    assert_int_equal(clu_call_end(p, on_answer, &o, NULL), CLU_OK);
    run_until(node, NULL, all_asked, &o);
    clu_node_free(node);
    assert_int_equal(o.answers, 0);
    assert_int_equal(o.stopped, 2);
    assert_null(o.memory);
}

/* ---- who asks for other nodes when this one is gone ---- */

static void never_pong(clu_node *node, const char *name, const char *failure, void *arg)
{
    (void)node;
    (void)name;
    (void)failure;
    (void)arg;
    fail();
}

static void asking_stopped(clu_process *self, clu_slice reason, void *arg)
{
    clu_node *node = clu_process_node(self);

    (void)reason;
    assert_int_equal(clu_connect(node, "test@127.0.0.9"), CLU_EBUSY);
    assert_int_equal(clu_ping(node, "test@127.0.0.9", never_pong, NULL), CLU_EBUSY);
    assert_int_equal(clu_nodes(node, NULL, 0), 0);
    assert_int_equal(clu_fd(node), -1);
    ++*(int *)arg;
}

static void nobody_is_reached_from_the_end(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);
    int stopped = 0;

    (void)state;
    assert_non_null(
        clu_spawn(node, &(clu_spawn_options){.stopped = asking_stopped, .arg = &stopped}));
    assert_true(clu_step(node, 0));
    clu_node_free(node);
    assert_int_equal(stopped, 1);
}

/* ---- a name that leads to the node itself ---- */

struct lost {
    bool down, failed;
};

static void on_down(clu_process *self, const clu_signal *s, void *arg)
{
    clu_reader r = s->term;

    (void)self;
    if (s->kind != CLU_SIGNAL_DOWN)
        return;
    assert_true(clu_slice_is(clu_get_atom(&r), "noconnection"));
    ((struct lost *)arg)->down = true;
}

static void on_pong(clu_node *node, const char *name, const char *failure, void *arg)
{
    (void)node;
    (void)name;
    assert_non_null(failure);
    ((struct lost *)arg)->failed = true;
}

static bool has_lost(void *arg)
{
    const struct lost *l = arg;

    return l->down && l->failed;
}

/* Without epmd all nodes have one port, so another name at our own address is nobody: who waits for
 * that node hears it. */
static void nobody_else_is_at_our_address(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);
    struct lost lost = {false, false};
    clu_process *p = clu_spawn(node, &(clu_spawn_options){.receive = on_down, .arg = &lost});
    clu_to to = clu_to_name("name", "other@127.0.0.2");

    (void)state;
    assert_true(clu_step(node, 0));
    assert_int_equal(clu_monitor(p, &to).n, 3);
    assert_int_equal(clu_ping(node, "other@127.0.0.2", on_pong, &lost), CLU_OK);
    run_until(node, NULL, has_lost, &lost);
    clu_node_free(node);
}

/* ---- what clu_main says ---- */

static const char taken[] = "address is in use";

/* How often it says that the address is taken, to standard error. */
static int times_said(const char *log)
{
    uint16_t port = free_port();
    clu_node *one = local_node(2, port, NULL),
             *two = clu_node_new(&(clu_options){.name = "test@127.0.0.2",
                                                .cookie = "of the tests",
                                                .epmd = "none",
                                                .listen_port = port,
                                                .log = log});
    char text[4096];
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO), n = 0;

    assert_true(clu_step(one, 0));
    dup2(fileno(file), STDERR_FILENO);
    int status = clu_main(two);

    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    size_t len = fread(text, 1, sizeof text - 1, file);

    text[len] = '\0';
    for (const char *at = text; (at = strstr(at, taken)) != NULL; at++)
        n++;
    fclose(file);
    clu_node_free(one);
    assert_int_equal(status, 12);
    return n;
}

static void what_failed_is_said_once(void **state)
{
    static const char *const logs[] = {NULL, "debug", "error", "none"};

    (void)state;
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
        assert_int_equal(times_said(logs[i]), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_end_with_the_node),
        cmocka_unit_test(nobody_is_reached_from_the_end),
        cmocka_unit_test(nobody_else_is_at_our_address),
        cmocka_unit_test(what_failed_is_said_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
