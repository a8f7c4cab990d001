/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "global_words.h"

/* Peers that are lost, whoever says so, and who is told. */

/* Both peers are known, and what the second was told of that is read. */
static void begin_met(struct fixture *f)
{
    begin(f);
    meet(f, 0, 1);
    meet(f, 1, 2);
    said(f, 1);
}

/* p@h is gone, says z@h: we ask it to cut, once, and do not tell when that is done. */
static void told_of_a_loss(void **state)
{
    struct fixture f;

    (void)state;
    begin_met(&f);
    said(&f, 0);
    HEAR(&f, 1, "{lost_connection,~a,17,-5,~a}", names[1], names[0]);
    says(&f, 0, "{remove_connection,us@h}");
    assert_false(knows(&f, "p@h"));
    HEAR(&f, 1, "{lost_connection,~a,17,-5,~a}", names[1], names[0]);
    HEAR(&f, 1, "{lost_connection,~a,17,-9,~a}", names[1], names[0]);
    says_nothing(&f, 0);
    said(&f, 1);
    link_down(&f, 0, "connection_closed");
    pass(&f, 5000);
    says_nothing(&f, 1);
    end(&f);
}

static void told_to_cut(void **state)
{
    struct fixture f;

    (void)state;
    begin_met(&f);
    assert_null(global_next_cut(&f.node));
    HEAR(&f, 0, "{remove_connection,~a}", names[0]);
    assert_string_equal(global_next_cut(&f.node), "p@h");
    assert_null(global_next_cut(&f.node));
    link_down(&f, 0, "disconnect");
    pass(&f, 5000);
    says_nothing(&f, 1);
    HEAR(&f, 1, "{remove_connection,~a}", names[0]); /* not known any more */
    assert_null(global_next_cut(&f.node));
    end(&f);
}

/* Whoever ended it; at once when it is there again, and not when the other end has told that it
 * lost us. */
static void losses_are_told_late(void **state)
{
    enum { NOTHING, COMES_BACK, TELLS } rows[] = {NOTHING, COMES_BACK, TELLS};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;

        begin_met(&f);
        link_down(&f, 0, i == 0 ? "net_tick_timeout" : "connection_closed");
        pass(&f, 1900);
        says_nothing(&f, 1);
        if (rows[i] == COMES_BACK) {
            link_up(&f, 0);
            says(&f, 1, "{lost_connection,us@h,");
        } else if (rows[i] == TELLS)
            HEAR(&f, 1, "{lost_connection,~a,17,1,us@h}", names[0]);
        pass(&f, 100);
        said(&f, 1);
        pass(&f, 2100);
        const char *text = said(&f, 1);

        if ((strstr(text, "{lost_connection,us@h,") != NULL) != (rows[i] == NOTHING))
            fail_msg("row %u: %s", (unsigned)i, text);
        end(&f);
    }
}

static void nothing_is_told_at_the_end(void **state)
{
    struct fixture f;

    (void)state;
    begin_met(&f);
    global_leave(&f.node);
    link_down(&f, 0, "connection_closed");
    pass(&f, 5000);
    says_nothing(&f, 1);
    end(&f);
}

/* A peer does not read, and must be cut: all are, and nobody is told to decide between us. */
static void one_that_does_not_read(void **state)
{
    struct global_news news = {0};
    struct fixture f;

    (void)state;
    begin_met(&f);
    global_overfull(&f.node, "p@h");
    while (global_next_news(&f.node, &news) && news.kind != GLOBAL_OVERFULL)
        continue;
    assert_string_equal(news.node, "p@h");
    assert_true(global_wants_out(&f.node));
    link_down(&f, 0, "disconnect");
    says_nothing(&f, 1);
    link_down(&f, 1, "disconnect");
    pass(&f, 5000);
    meet(&f, 1, 3);
    assert_true(knows(&f, "z@h"));
    pass(&f, 5000);
    assert_null(strstr(said(&f, 1), "lost_connection"));
    end(&f);
}

/* A node that he knows is to be linked, and cannot be: three attempts, then all are told. */
static void an_unreachable_node(void **state)
{
    struct global_news news;
    struct fixture f;
    int attempts = 0;
    const char *name;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    HEAR(&f, 0, "{'$gen_cast',{new_nodes,~a,[],[],[{'q@h',8}],[{vsn,8},{lock,undefined}]}}",
         names[0]);
    assert_true(knows(&f, "q@h"));
    for (int i = 0; i < 50; i++) {
        pass(&f, 100);
        while ((name = node_next_wanted(&f.node)) != NULL) {
            assert_string_equal(name, "q@h");
            attempts++;
            node_unreachable(&f.node, "q@h");
        }
    }
    assert_int_equal(attempts, 3);
    assert_false(knows(&f, "q@h"));
    assert_true(global_next_news(&f.node, &news));
    assert_int_equal(news.kind, GLOBAL_UNREACHABLE);
    pass(&f, 4000);
    says(&f, 0, "{lost_connection,us@h,");
    end(&f);
}

static void z_cannot_be_reached(struct fixture *f)
{
    assert_string_equal(node_next_wanted(&f->node), "z@h");
    node_unreachable(&f->node, "z@h");
    node_turn(&f->node, f->now);
}

/* An exchange ends while a node that is known, z@h, is dialled, which fails: it hears of it with
 * the next dial. */
static void a_farewell_waits_for_the_next_dial(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    HEAR(&f, 0, "{'$gen_cast',{new_nodes,~a,[],[],[{'z@h',8}],[{vsn,8},{lock,undefined}]}}",
         names[0]);
    link_down(&f, 0, "connection_closed");
    link_up(&f, 0);
    for (int n = 0; n < 4; n++)
        step(&f, 0, n, 2);
    z_cannot_be_reached(&f); /* its lock is not waited for any more */
    step(&f, 0, 4, 2);
    step(&f, 0, 5, 2);
    assert_true(knows(&f, "p@h"));
    z_cannot_be_reached(&f);
    assert_null(node_next_wanted(&f.node));
    pass(&f, 1000);
    assert_string_equal(node_next_wanted(&f.node), "z@h");
    link_up(&f, 1);
    says(&f, 1, "{'$gen_cast',{new_nodes,us@h,[],[],[{p@h,8}],[{vsn,8},{lock,");
    end(&f);
}

/* Pairs of names that nobody has heard of take a bounded place. */
static void losses_without_end(void **state)
{
    struct fixture f;
    char a[32];

    (void)state;
    begin(&f);
    link_up(&f, 0);
    for (int i = 0; i < 12000; i++) {
        snprintf(a, sizeof a, "n%d@h", i);
        HEAR(&f, 0, "{lost_connection,~a,1,1,x@h}", a);
    }
    assert_in_range(f.node.global->n_lost, 1, 10000);
    pass(&f, 3700000);
    HEAR(&f, 0, "{lost_connection,~a,1,1,x@h}", "n@h");
    assert_int_equal(f.node.global->n_lost, 1);
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_of_a_loss),
        cmocka_unit_test(told_to_cut),
        cmocka_unit_test(losses_are_told_late),
        cmocka_unit_test(nothing_is_told_at_the_end),
        cmocka_unit_test(one_that_does_not_read),
        cmocka_unit_test(an_unreachable_node),
        cmocka_unit_test(a_farewell_waits_for_the_next_dial),
        cmocka_unit_test(losses_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
