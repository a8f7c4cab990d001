/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "global_net.h"

/* Clusters of our own nodes: partitions come and go, names are registered all the while; when a
 * cluster is whole again, all its nodes agree whose each name is. */

#define NAMES 6

static clu_slice name_term(unsigned i)
{
    static uint8_t bytes[NAMES][2];

    bytes[i][0] = ETF_SMALL_INTEGER;
    bytes[i][1] = (uint8_t)i;
    return (clu_slice){bytes[i], 2};
}

static void nothing(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    (void)s;
    (void)arg;
}

static clu_process *a_process(struct clu_node *n)
{
    return clu_spawn(n, &(clu_spawn_options){.receive = nothing});
}

struct answer {
    unsigned n;
    char word[16];
};

static void on_answer(clu_process *self, const clu_answer *a, void *arg)
{
    struct answer *into = arg;
    clu_reader r = a->term;

    (void)self;
    assert_int_equal(a->outcome, CLU_ANSWERED);
    text_set(into->word, sizeof into->word, clu_get_atom(&r));
    into->n++;
}

static void ignore_answer(clu_process *self, const clu_answer *a, void *arg)
{
    (void)self;
    (void)a;
    (void)arg;
}

/* register: what came of it. */
static const char *name_it(struct net *net, clu_process *p, unsigned name, struct answer *a)
{
    clu_pid pid = clu_self(p);

    *a = (struct answer){0};
    assert_int_not_equal(
        clu_global_register(p, name_term(name), &pid, CLU_RESOLVE_EXIT, on_answer, a).n, 0);
    for (int i = 0; i < 100 && a->n == 0; i++)
        net_run(net, 1000);
    assert_int_equal(a->n, 1);
    return a->word;
}

static bool same_everywhere(struct net *net, unsigned name, clu_pid *out)
{
    bool is_there = clu_global_whereis(&net->nodes[0], name_term(name), out);

    for (size_t i = 1; i < net->n; i++) {
        clu_pid pid;

        if (clu_global_whereis(&net->nodes[i], name_term(name), &pid) != is_there ||
            (is_there && !pid_equal(&pid, out)))
            fail_msg("%s and %s do not agree on the name %u", net->names[0], net->names[i], name);
    }
    return is_there;
}

static void all_know_all(struct net *net)
{
    for (size_t i = 0; i < net->n; i++) {
        struct nodelist known = {0};

        peers_known(net->nodes[i].global, &known);
        if (known.n != net->n - 1)
            fail_msg("%s knows %u nodes", net->names[i], (unsigned)known.n);
        nodelist_free(&known);
        assert_null(global_lock(net->nodes[i].global));
    }
}

static void net_settle(struct net *net)
{
    net_heal(net);
    net_run(net, 60000);
    for (int i = 0; i < 20; i++) { /* who was told to cut is linked again, as discovery does */
        net_heal(net);
        net_run(net, 20000);
    }
}

/* ---- stories ---- */

static void two_nodes_meet(void **state)
{
    struct net net;
    struct answer a;
    clu_pid pid;

    (void)state;
    net_open(&net, 2, 1);
    clu_process *p = a_process(&net.nodes[0]), *q = a_process(&net.nodes[1]);

    assert_string_equal(name_it(&net, p, 0, &a), "yes");
    net_link(&net, 0, 1);
    net_run(&net, 5000);
    all_know_all(&net);
    assert_true(same_everywhere(&net, 0, &pid));
    assert_string_equal(name_it(&net, q, 0, &a), "no");
    assert_string_equal(name_it(&net, q, 1, &a), "yes");
    assert_string_equal(name_it(&net, q, 2, &a), "no"); /* one name a process */
    clu_exit(p, "normal");
    net_run(&net, 10);
    assert_false(same_everywhere(&net, 0, &pid));
    assert_true(same_everywhere(&net, 1, &pid));
    net_close(&net);
}

static void a_link_pulls_in_the_rest(void **state)
{
    struct net net;
    struct answer a;
    clu_pid pid;

    (void)state;
    net_open(&net, 6, 2);
    net_link(&net, 0, 1);
    net_link(&net, 0, 2);
    net_link(&net, 3, 4);
    net_link(&net, 3, 5);
    net_run(&net, 20000);
    assert_true(net.ends[1][2].up);
    assert_true(net.ends[4][5].up);
    assert_string_equal(name_it(&net, a_process(&net.nodes[2]), 0, &a), "yes");
    assert_string_equal(name_it(&net, a_process(&net.nodes[5]), 1, &a), "yes");
    net_link(&net, 1, 4);
    net_run(&net, 20000);
    for (size_t i = 0; i < net.n; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(net.ends[i][k].up);
    all_know_all(&net);
    assert_true(same_everywhere(&net, 0, &pid));
    assert_true(same_everywhere(&net, 1, &pid));
    net_close(&net);
}

static void everybody_at_once(void **state)
{
    struct net net;

    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        net_open(&net, 5, seed);
        net_heal(&net);
        net_run(&net, 60000);
        all_know_all(&net);
        net_close(&net);
    }
}

static void one_of_many_gets_the_name(void **state)
{
    struct net net;
    struct answer a[NET_MAX] = {0};
    unsigned n = 0;
    clu_pid pid;

    (void)state;
    net_open(&net, 5, 3);
    net_heal(&net);
    net_run(&net, 60000);
    for (size_t i = 0; i < net.n; i++) {
        clu_process *p = a_process(&net.nodes[i]);

        pid = clu_self(p);
        clu_global_register(p, name_term(0), &pid, CLU_RESOLVE_EXIT, on_answer, &a[i]);
    }
    net_run(&net, 120000);
    for (size_t i = 0; i < net.n; i++) {
        assert_int_equal(a[i].n, 1);
        n += strcmp(a[i].word, "yes") == 0;
    }
    assert_int_equal(n, 1);
    assert_true(same_everywhere(&net, 0, &pid));
    net_close(&net);
}

/* ---- locks ---- */

static const char *lock_it(struct net *net, clu_process *p, uint64_t retries, bool set,
                           struct answer *a)
{
    clu_slice who = name_term((unsigned)(p->node - net->nodes));

    *a = (struct answer){0};
    if (set)
        clu_global_set_lock(p, name_term(0), who, NULL, 0, retries, on_answer, a);
    else
        clu_global_del_lock(p, name_term(0), who, NULL, 0, on_answer, a);
    for (int i = 0; i < 100 && a->n == 0; i++)
        net_run(net, 1000);
    assert_int_equal(a->n, 1);
    return a->word;
}

static void locks_exclude(void **state)
{
    struct net net;
    struct answer a, b = {0};

    (void)state;
    net_open(&net, 3, 4);
    net_heal(&net);
    net_run(&net, 30000);
    clu_process *p = a_process(&net.nodes[0]), *q = a_process(&net.nodes[1]);

    assert_string_equal(lock_it(&net, p, 0, true, &a), "true");
    assert_string_equal(lock_it(&net, q, 2, true, &a), "false");
    clu_global_set_lock(q, name_term(0), name_term(1), NULL, 0, CLU_INFINITY, on_answer, &b);
    net_run(&net, 20000);
    assert_int_equal(b.n, 0);
    assert_string_equal(lock_it(&net, p, 0, false, &a), "true");
    net_run(&net, 20000);
    assert_string_equal(b.word, "true");
    clu_exit(q, "normal"); /* its lock goes with it */
    net_run(&net, 10);
    assert_string_equal(lock_it(&net, p, 0, true, &a), "true");
    net_close(&net);
}

/* Whoever asks for a lock and dies leaves nothing behind. */
static void who_waits_may_die(void **state)
{
    struct net net;
    struct answer a;

    (void)state;
    net_open(&net, 3, 5);
    net_heal(&net);
    net_run(&net, 30000);
    clu_process *p = a_process(&net.nodes[0]);

    assert_string_equal(lock_it(&net, p, 0, true, &a), "true");
    for (int i = 0; i < 20; i++) {
        clu_process *q = a_process(&net.nodes[1]);

        clu_global_set_lock(q, name_term(0), name_term(1), NULL, 0, CLU_INFINITY, ignore_answer,
                            NULL);
        net_run(&net, (uint64_t)i * 100);
        clu_exit(q, "normal");
        net_run(&net, 1);
        assert_true(list_empty(&net.nodes[1].global->wishes));
        assert_true(list_empty(&net.nodes[1].global->many));
    }
    net_close(&net);
}

static void sync_answers(void **state)
{
    struct net net;
    struct answer a = {0};

    (void)state;
    net_open(&net, 4, 6);
    net_heal(&net);
    net_run(&net, 1);
    clu_global_sync(a_process(&net.nodes[0]), on_answer, &a);
    net_run(&net, 30000);
    assert_string_equal(a.word, "ok");
    a = (struct answer){0};
    clu_global_sync(a_process(&net.nodes[0]), on_answer, &a);
    net_run(&net, 1);
    assert_string_equal(a.word, "ok");
    net_close(&net);
}

/* ---- halves of an exchange ---- */

static bool one_knows(struct net *net, size_t a, size_t b)
{
    const struct gpeer *p = peer_find(net->nodes[a].global, slice_of(net->names[b]));

    return p != NULL && p->known;
}

/* n1 goes when n0 has heard of its friend n2, and n2 not yet of n0: false: it went otherwise. */
static bool half_an_exchange(struct net *net)
{
    net_link(net, 1, 2);
    net_run(net, 5000);
    net_link(net, 0, 1);
    for (uint64_t end = net->now_ms + 20000; net->now_ms < end; net->now_ms++) {
        for (size_t i = 0; i < net->n; i++)
            node_tick(&net->nodes[i], net->now_ms);
        while (net_step(net))
            if (one_knows(net, 0, 2) && !one_knows(net, 2, 0))
                return true;
            else if (one_knows(net, 2, 0))
                return false;
    }
    return false;
}

/* n0 believes to know n2, which will never know it: its name would be n0's, and n0's not its. */
static void who_knows_is_known(void **state)
{
    unsigned halves = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct answer a;
        struct net net;
        clu_pid pid;

        net_open(&net, 3, seed);
        assert_string_equal(name_it(&net, a_process(&net.nodes[0]), 0, &a), "yes");
        if (half_an_exchange(&net)) {
            halves++;
            net_part(&net, 1u << 1);
            net_run(&net, 10000);
            assert_true(net.ends[0][2].up); /* n0 has dialled it */
            net_run(&net, 20000);
            net_link(&net, 0, 2);
            net_run(&net, 20000);
            assert_true(one_knows(&net, 0, 2));
            assert_true(one_knows(&net, 2, 0));
            assert_true(clu_global_whereis(&net.nodes[2], name_term(0), &pid));
        }
        net_close(&net);
    }
    assert_true(halves > 5);
}

/* Of those that see each other alike, and of one that has no global, no link is ever cut. */
static void nobody_is_cut_without_reason(void **state)
{
    struct net net;

    (void)state;
    net_open(&net, 4, 7);
    assert_int_equal(node_init(&net.nodes[net.n], "n4@h", 14, false), 0);
    memcpy(net.names[net.n++], "n4@h", 5); /* it answers in_sync, as all do that stay out of it */
    net_heal(&net);
    net_run(&net, 300000);
    for (size_t i = 0; i < net.n; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_equal(net.ends[i][k].link.remote != NULL && net.ends[i][k].up, true);
    for (size_t i = 0; i < 4; i++) {
        struct global_news news;

        while (global_next_news(&net.nodes[i], &news))
            assert_int_not_equal(news.kind, GLOBAL_ONE_SIDED);
    }
    net_close(&net);
}

/* ---- partitions ---- */

static void some_names(struct net *net)
{
    for (size_t i = 0; i < net->n; i++) {
        clu_process *p = a_process(&net->nodes[i]);
        clu_pid pid = clu_self(p);

        clu_global_register(p, name_term((unsigned)rng_range(&net->rng, 0, NAMES - 1)), &pid,
                            (clu_resolve)rng_range(&net->rng, 0, 2), ignore_answer, NULL);
    }
}

/* The trouble begins in the middle of whatever goes on. */
static void trouble(struct net *net)
{
    unsigned mask = (unsigned)rng_range(&net->rng, 0, (1u << net->n) - 1);

    switch (rng_range(&net->rng, 0, 3)) {
    case 0: net_part(net, mask); break;
    case 1: net_heal(net); break;
    case 2:
        net_cut(net, (size_t)rng_range(&net->rng, 0, net->n - 1),
                (size_t)rng_range(&net->rng, 0, net->n - 1), false);
        break;
    default: some_names(net); break;
    }
    for (uint64_t steps = rng_range(&net->rng, 0, 300); steps > 0 && net_step(net); steps--)
        continue;
    net_run(net, rng_range(&net->rng, 0, 3000));
}

static void partitions_heal(void **state)
{
    const char *seeds = getenv("SIM_SEEDS"), *one = getenv("SIM_SEED");
    uint64_t n_seeds = seeds == NULL ? 30 : strtoull(seeds, NULL, 10);
    uint64_t seed = one == NULL ? 0 : strtoull(one, NULL, 10);
    struct net net;
    clu_pid pid;

    (void)state;
    for (uint64_t last = one == NULL ? n_seeds : seed + 1; seed < last; seed++) {
        if (getenv("SIM_LOUD") != NULL)
            print_message("seed %u\n", (unsigned)seed);
        net_open(&net, 5, 1000 + seed);
        net_heal(&net);
        for (int i = 0; i < 25; i++)
            trouble(&net);
        net_settle(&net);
        all_know_all(&net);
        for (unsigned name = 0; name < NAMES; name++)
            (void)same_everywhere(&net, name, &pid);
        net_close(&net);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_meet),
        cmocka_unit_test(a_link_pulls_in_the_rest),
        cmocka_unit_test(everybody_at_once),
        cmocka_unit_test(one_of_many_gets_the_name),
        cmocka_unit_test(locks_exclude),
        cmocka_unit_test(who_waits_may_die),
        cmocka_unit_test(sync_answers),
        cmocka_unit_test(who_knows_is_known),
        cmocka_unit_test(nobody_is_cut_without_reason),
        cmocka_unit_test(partitions_heal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
