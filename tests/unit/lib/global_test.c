/* SPDX-License-Identifier: Apache-2.0
 *
 * clu_stop of a node that takes part in global: whatever it has asked for or holds, the others have
 * the use of global behind it and keep their links.
 */
#include "nodes.h"

#include <stdio.h>
#include <time.h>

#include "../failing.h"

#define NODES      3
#define PATIENCE_S 20

/* ---- a cluster ---- */

struct member {
    clu_node *node;
    clu_process *p;
    int answers;
    char word[16];
    int lost; /* links that it has lost */
};

static struct member members[NODES];
static uint16_t port;

static const uint8_t x_term[] = {119, 1, 'x'}, y_term[] = {119, 1, 'y'}, z_term[] = {119, 1, 'z'};
static const clu_slice x = {x_term, sizeof x_term}, y = {y_term, sizeof y_term},
                       z = {z_term, sizeof z_term};

static void hear(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    ((struct member *)arg)->lost += s->kind == CLU_SIGNAL_NODE_DOWN;
}

static void start(size_t i)
{
    char name[64];
    struct member *m = &members[i];

    snprintf(name, sizeof name, "test@127.0.0.%u", (unsigned)i + 2);
    *m = (struct member){0};
    m->node = clu_node_new(&(clu_options){
        .name = name,
        .discover = "static:test@127.0.0.2,test@127.0.0.3,test@127.0.0.4",
        .cookie = "of the tests",
        .epmd = "none",
        .listen_port = port,
        .global = true,
    });
    m->p = clu_spawn(m->node, &(clu_spawn_options){.receive = hear, .arg = m});
    assert_non_null(m->p);
    clu_monitor_nodes(m->p, true);
}

static void step_all(void)
{
    for (size_t i = 0; i < NODES; i++)
        if (members[i].node != NULL)
            assert_true(clu_step(members[i].node, 1));
}

static void run(bool (*done)(const struct member *m), const struct member *m)
{
    time_t end = time(NULL) + PATIENCE_S;

    while (!done(m)) {
        assert_true(time(NULL) < end);
        step_all();
    }
}

static void on_answer(clu_process *self, const clu_answer *answer, void *arg)
{
    struct member *m = arg;
    clu_reader r = answer->term;
    clu_slice word = clu_get_atom(&r);

    (void)self;
    m->answers++;
    snprintf(m->word, sizeof m->word, "%.*s", (int)word.len, (const char *)word.data);
}

static bool has_answer(const struct member *m)
{
    return m->answers > 0;
}

/* What global answers, in the end. */
static const char *ask(struct member *m, clu_ref ref)
{
    assert_int_not_equal(ref.n, 0);
    run(has_answer, m);
    m->answers = 0;
    return m->word;
}

static clu_ref give(struct member *m, clu_slice name)
{
    clu_pid self = clu_self(m->p);

    return clu_global_register(m->p, name, &self, CLU_RESOLVE_EXIT, on_answer, m);
}

static clu_ref take(struct member *m)
{
    return clu_global_set_lock(m->p, y, x, NULL, 0, 0, on_answer, m);
}

static bool has(const struct member *m, clu_slice name)
{
    clu_pid pid;

    return clu_global_whereis(m->node, name, &pid);
}

/* All have met: whose name x is they know all. */
static bool all_have_x(const struct member *m)
{
    bool all = true;

    (void)m;
    for (size_t i = 0; i < NODES; i++)
        all = all && (members[i].node == NULL || has(&members[i], x));
    return all;
}

static bool nobody_has_x(const struct member *m)
{
    bool any = false;

    (void)m;
    for (size_t i = 0; i < NODES; i++)
        any = any || (members[i].node != NULL && has(&members[i], x));
    return !any;
}

static bool is_linked(const struct member *m)
{
    clu_peer peer;

    return clu_nodes(m->node, &peer, 1) > 0;
}

/* The first one has a name, and all know it. */
static void meet(size_t n)
{
    for (size_t i = 0; i < n; i++)
        start(i);
    run(is_linked, &members[0]);
    assert_string_equal(ask(&members[0], give(&members[0], x)), "yes");
    run(all_have_x, NULL);
}

static void end(struct member *m)
{
    clu_node_free(m->node);
    m->node = NULL;
}

static void end_all(void)
{
    for (size_t i = 0; i < NODES; i++)
        if (members[i].node != NULL)
            end(&members[i]);
}

static bool ours; /* what is allocated is by the one that stops */

/* It leaves while the others read on. */
static void stop(struct member *m)
{
    bool goes_on;

    clu_stop(m->node);
    do {
        ours = true;
        goes_on = clu_step(m->node, 0);
        ours = false;
        for (size_t i = 0; i < NODES && goes_on; i++)
            if (members[i].node != NULL && &members[i] != m)
                assert_true(clu_step(members[i].node, 0));
    } while (goes_on);
    ours = true;
    end(m);
    ours = false;
}

/* ---- stories ---- */

enum asked { NOTHING, A_NAME, A_LOCK, TO_SYNC, STORIES };

/* It stops with a lock in its hands, in the midst of something. */
static void who_stops_leaves_nothing_behind(void **state)
{
    (void)state;
    for (enum asked what = NOTHING; what < STORIES; what++) {
        struct member *m = &members[0];
        clu_peer peers[NODES];

        port = free_port();
        meet(NODES);
        assert_string_equal(ask(m, take(m)), "true");
        if (what == A_NAME)
            assert_int_not_equal(clu_global_unregister(m->p, x, on_answer, m).n, 0);
        else if (what == A_LOCK)
            assert_int_not_equal(clu_global_del_lock(m->p, y, x, NULL, 0, on_answer, m).n, 0);
        else if (what == TO_SYNC)
            assert_int_not_equal(clu_global_sync(m->p, on_answer, m).n, 0);
        stop(m);
        run(nobody_has_x, NULL);
        assert_string_equal(ask(&members[1], give(&members[1], x)), "yes");
        assert_string_equal(ask(&members[2], take(&members[2])), "true");
        for (size_t i = 1; i < NODES; i++) {
            assert_int_equal(members[i].lost, 1);
            assert_int_equal(clu_nodes(members[i].node, peers, NODES), 1);
        }
        end_all();
    }
}

/* Each allocation from clu_stop on fails once. */
static void it_stops_without_memory(void **state)
{
    bool failed;
    size_t n = 0;

    (void)state;
    failing_while = &ours;
    port = free_port();
    start(1);
    do {
        struct member *m = &members[0];

        start(0);
        run(is_linked, m);
        assert_string_equal(ask(m, give(m, x)), "yes");
        run(all_have_x, NULL);
        assert_string_equal(ask(m, take(m)), "true");
        assert_int_not_equal(clu_global_unregister(m->p, z, on_answer, m).n, 0);
        n_allocations = 0;
        failing = ++n;
        stop(m);
        failed = failing_happened();
        failing = 0;
        run(nobody_has_x, NULL);
        assert_string_equal(ask(&members[1], take(&members[1])), "true");
        assert_string_equal(ask(&members[1], clu_global_del_lock(members[1].p, y, x, NULL, 0,
                                                                 on_answer, &members[1])),
                            "true");
    } while (failed);
    failing_while = NULL;
    print_message("%zu allocations failed\n", n - 1);
    assert_true(n > 1);
    end_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_stops_leaves_nothing_behind),
        cmocka_unit_test(it_stops_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
