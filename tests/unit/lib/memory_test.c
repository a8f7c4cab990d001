/* SPDX-License-Identifier: Apache-2.0
 *
 * Every allocation of a node's life fails once: each time it says so, nothing crashes, and nothing
 * is left behind (the leak check of the build tells). What comes behind it meets a system that has
 * recovered.
 */
#include "../failing.h"
#include "nodes.h"

/* ---- a life ---- */

struct told {
    int posts, pings;
};

static void on_post(clu_node *node, void *arg)
{
    (void)node;
    ((struct told *)arg)->posts++;
}

static void on_pong(clu_node *node, const char *name, const char *failure, void *arg)
{
    (void)node;
    (void)name;
    (void)failure;
    ((struct told *)arg)->pings++;
}

static clu_error answer(clu_call *call, clu_reader *args, void *arg)
{
    (void)args;
    (void)arg;
    return clu_reply(call, "ok");
}

static void drive(clu_node *node)
{
    for (int i = 0; i < 3 && clu_step(node, 0); i++)
        continue;
    (void)clu_fd(node);
    (void)clu_step(node, 0);
}

/* What was taken is done, whatever fails behind it: posts and pings are told of exactly once. */
static void live(uint16_t port)
{
    static const clu_server server = {.call = answer};
    struct told told = {0};
    int posts = 0, pings = 0;
    clu_node *node = local_node(2, port, "static:test@127.0.0.3 hosts:/nonexistent");

    clu_export(node, "m", "f", 1, answer, NULL);
    clu_serve(node, "server", &server, NULL);
    posts += clu_post(node, on_post, &told) == CLU_OK;
    pings += clu_ping(node, "test@127.0.0.4", on_pong, &told) == CLU_OK;
    (void)!clu_connect(node, "test@127.0.0.5");
    drive(node);
    posts += clu_post(node, on_post, &told) == CLU_OK;
    if (clu_node_status(node) != CLU_OK)
        assert_true(strlen(clu_node_error(node)) > 0);
    clu_node_free(node);
    assert_int_equal(told.posts, posts);
    assert_int_equal(told.pings, pings);
}

static void every_allocation_fails_once(void **state)
{
    uint16_t port = free_port();
    size_t n = 0;

    (void)state;
    do {
        n_allocations = 0;
        failing = ++n;
        live(port);
    } while (failing_happened());
    failing = 0;
    assert_true(n > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_fails_once)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
