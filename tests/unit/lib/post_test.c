/* SPDX-License-Identifier: Apache-2.0
 *
 * What other threads may do: post and stop. scripts/tsan runs this under ThreadSanitizer, which is
 * the point of it.
 */
#include "nodes.h"

#include <pthread.h>
#include <stdlib.h>

#define POSTERS 4
#define POSTS   20000

/* Only the node's thread writes here, without any lock. */
struct counts {
    uint32_t next[POSTERS]; /* the number that comes next of each poster */
    uint32_t wrong;         /* came out of order */
    uint32_t in_all;
};

struct posted {
    struct counts *counts;
    unsigned poster;
    uint32_t number;
};

struct poster {
    clu_node *node;
    struct counts *counts;
    unsigned number;
};

static void take(clu_node *node, void *arg)
{
    struct posted *p = arg;
    struct counts *c = p->counts;

    c->wrong += node == NULL || c->next[p->poster]++ != p->number;
    free(p);
    if (++c->in_all == POSTERS * POSTS)
        clu_stop(node);
}

static void *post_all(void *arg)
{
    const struct poster *me = arg;

    for (uint32_t i = 0; i < POSTS; i++) {
        struct posted *p = malloc(sizeof *p);

        *p = (struct posted){me->counts, me->number, i};
        if (clu_post(me->node, take, p) != CLU_OK)
            abort();
    }
    return NULL;
}

static void posts_of_all_threads_come_in_order(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);
    struct counts counts = {0};
    struct poster posters[POSTERS];
    pthread_t threads[POSTERS];

    (void)state;
    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){node, &counts, i};
        assert_int_equal(pthread_create(&threads[i], NULL, post_all, &posters[i]), 0);
    }
    assert_int_equal(clu_run(node), CLU_OK);
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counts.in_all, POSTERS * POSTS);
    assert_int_equal(counts.wrong, 0);
    clu_node_free(node);
}

static void *stop(void *arg)
{
    clu_stop(arg);
    return NULL;
}

static void any_thread_may_stop(void **state)
{
    pthread_t thread;

    (void)state;
    for (int i = 0; i < 50; i++) {
        clu_node *node = local_node(2, free_port(), NULL);

        assert_int_equal(pthread_create(&thread, NULL, stop, node), 0);
        assert_int_equal(clu_run(node), CLU_OK);
        pthread_join(thread, NULL);
        clu_node_free(node);
    }
}

static void count_ended(clu_node *node, void *arg)
{
    *(unsigned *)arg += node == NULL;
}

/* None is lost, none is called twice; what the last ones post is called too. */
static void post_more(clu_node *node, void *arg)
{
    unsigned *ended = arg;

    (void)node;
    count_ended(node, arg);
    if (*ended < 3) /* the node is NULL: nothing can be posted from here */
        assert_int_equal(clu_post(node, count_ended, arg), CLU_ENOMEM);
}

static void what_waits_ends_with_the_node(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);
    unsigned ended = 0;

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(clu_post(node, post_more, &ended), CLU_OK);
    clu_node_free(node);
    assert_int_equal(ended, 5);
}

static void nothing(clu_node *node, void *arg)
{
    (void)node;
    ++*(uint32_t *)arg;
}

static void too_many_are_refused(void **state)
{
    clu_node *node = local_node(2, free_port(), NULL);
    uint32_t called = 0;

    (void)state;
    for (uint32_t i = 0; i < CLU_POSTS_MAX; i++)
        if (clu_post(node, nothing, &called) != CLU_OK)
            fail();
    assert_int_equal(clu_post(node, nothing, &called), CLU_EBUSY);
    assert_true(clu_step(node, 0));
    assert_int_equal(called, CLU_POSTS_MAX);
    assert_int_equal(clu_post(node, nothing, &called), CLU_OK);
    clu_node_free(node);
}

/* ---- two nodes, a thread each: the library has no state that they could share ---- */

struct side {
    clu_node *node;
    struct side *other;
    const char *peer;
    int pongs; /* of this side's thread */
};

static void ping_again(clu_node *node, void *arg);

static void on_pong(clu_node *node, const char *name, const char *failure, void *arg)
{
    struct side *side = arg;

    (void)node;
    (void)name;
    side->pongs += failure == NULL;
    /* The turn goes to the other node's thread. */
    if (clu_post(side->other->node, ping_again, side->other) != CLU_OK)
        abort();
}

static void ping_again(clu_node *node, void *arg)
{
    struct side *side = arg;

    if (node == NULL)
        return;
    if (side->pongs == 20) {
        clu_stop(side->node);
        clu_stop(side->other->node);
    } else if (clu_ping(node, side->peer, on_pong, side) != CLU_OK) {
        abort();
    }
}

static void *run(void *arg)
{
    (void)clu_run(arg);
    return NULL;
}

static void nodes_of_two_threads(void **state)
{
    uint16_t port = free_port();
    struct side one = {.node = local_node(2, port, "static:test@127.0.0.3"),
                       .peer = "test@127.0.0.3"};
    struct side two = {.node = local_node(3, port, NULL), .peer = "test@127.0.0.2"};
    pthread_t threads[2];

    (void)state;
    one.other = &two;
    two.other = &one;
    assert_true(clu_step(two.node, 0)); /* it listens */
    assert_int_equal(clu_post(one.node, ping_again, &one), CLU_OK);
    assert_int_equal(pthread_create(&threads[0], NULL, run, one.node), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, run, two.node), 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_int_equal(one.pongs, 20);
    assert_true(two.pongs >= 19);
    clu_node_free(one.node);
    clu_node_free(two.node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_of_all_threads_come_in_order),
        cmocka_unit_test(any_thread_may_stop),
        cmocka_unit_test(what_waits_ends_with_the_node),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(nodes_of_two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
