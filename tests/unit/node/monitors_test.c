/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

/* Monitors of processes and nodes. */

static clu_ref watch(struct actor *a, const struct actor *b)
{
    clu_to to = clu_to_pid(b->self);
    clu_ref ref = clu_monitor(a->p, &to);

    assert_int_equal(ref.n, 3);
    return ref;
}

static clu_ref watch_name(struct actor *a, const char *name, const char *node)
{
    clu_to to = clu_to_name(name, node);
    clu_ref ref = clu_monitor(a->p, &to);

    assert_int_equal(ref.n, 3);
    return ref;
}

/* ---- by pid ---- */

static void every_monitor_fires_once(void **state)
{
    struct story *s = *state;

    watch(&s->ann, &s->abe);
    watch(&s->ann, &s->abe);
    watch(&s->bob, &s->abe);
    watch(&s->bob, &s->abe);
    watch(&s->amy, &s->abe); /* monitors tell also who does not trap */
    watch(&s->abe, &s->bob); /* one of its own goes with it */
    watch(&s->abe, &s->ann);
    world_run(&s->w);
    clu_exit(s->abe.p, "oops");
    world_run(&s->w);
    expect(s, &s->ann, "down abe oops\ndown abe oops\n");
    expect(s, &s->bob, "down abe oops\ndown abe oops\n");
    expect(s, &s->amy, "down abe oops\n");
    assert_int_equal(s->w.nodes[1].watchers.n, 0);
}

static void of_nobody_it_fires_at_once(void **state)
{
    struct story *s = *state;

    clu_exit(s->abe.p, "x");
    watch(&s->ann, &s->abe); /* ended in the same turn */
    world_run(&s->w);
    watch(&s->ann, &s->abe);
    watch(&s->bob, &s->abe);
    watch_name(&s->ann, "nobody", NULL);
    watch_name(&s->ann, "nobody", "a@h");
    watch_name(&s->bob, "nobody", "a@h");
    assert_int_equal(clu_monitor(s->ben.p, &(clu_to){0}).n, 3);
    world_run(&s->w);
    expect(s, &s->ann,
           "down abe noproc\ndown abe noproc\ndown nobody a@h noproc\ndown nobody a@h noproc\n");
    expect(s, &s->bob, "down abe noproc\ndown nobody a@h noproc\n");
    expect(s, &s->ben, "down b@h noproc\n");
}

/* An alias takes messages, and stands for nobody whose end could be told. */
static void an_alias_is_not_watched(void **state)
{
    struct story *s = *state;

    clu_ref alias = clu_alias(s->bob.p), near = clu_alias(s->abe.p);
    const clu_to targets[] = {clu_to_alias(alias), clu_to_alias(near)};

    for (size_t i = 0; i < COUNT(targets); i++) {
        assert_int_equal(clu_monitor(s->ann.p, &targets[i]).n, 0);
        clu_put_nil(clu_call_begin(s->ann.p, &targets[i], 1000));
        assert_int_equal(clu_call_end(s->ann.p, actor_answered, &s->ann, NULL), CLU_EBADARG);
        ok(actor_send(&s->ann, &targets[i], "hello"));
    }
    world_run(&s->w);
    expect(s, &s->ann, "");
    expect(s, &s->bob, "message ann hello\n");
    expect(s, &s->abe, "message ann hello\n");
}

/* The monitor was there before the end: the reason is the true one. */
static void who_ends_in_the_same_turn(void **state)
{
    struct story *s = *state;

    watch(&s->ann, &s->abe);
    clu_exit(s->abe.p, "true");
    watch(&s->bob, &s->ben);
    world_run(&s->w);
    clu_exit(s->ben.p, "true");
    clu_exit(s->bob.p, "and its watcher");
    world_run(&s->w);
    expect(s, &s->ann, "down abe true\n");
    expect(s, &s->bob, "ended 'and its watcher'\n");
}

static void demonitored_is_silent(void **state)
{
    struct story *s = *state;
    static struct actor tim;

    assert_true(actor_start(&tim, &s->w, 0, "tim", NULL, true));
    clu_ref near = watch(&s->ann, &s->abe), far = watch(&s->ann, &s->bob),
            waiting = watch(&tim, &s->abe), crossing = watch(&s->ann, &s->ben);

    world_run(&s->w);
    clu_demonitor(s->amy.p, &near); /* another's */
    clu_demonitor(s->ann.p, &near);
    clu_demonitor(s->ann.p, &near);
    clu_demonitor(s->ann.p, &far);
    world_run(&s->w);
    assert_int_equal(s->w.nodes[1].watchers.n, 1);
    clu_exit(s->abe.p, "x");
    clu_exit(s->bob.p, "x");
    clu_exit(s->ben.p, "x");
    world_turn(&s->w, 1);
    clu_demonitor(s->ann.p, &crossing); /* its DOWN is on the way */
    world_run(&s->w);
    clu_demonitor(tim.p, &waiting); /* its DOWN waits to be taken: flush */
    actor_takes(&tim);
    expect(s, &s->ann, "");
    expect(s, &tim, "");
}

/* ---- by name ---- */

static void by_name(void **state)
{
    struct story *s = *state;

    ok(clu_register(s->abe.p, "shop"));
    ok(clu_register(s->bob.p, "shop"));
    watch_name(&s->ann, "shop", NULL);
    watch_name(&s->ann, "shop", "b@h");
    clu_ref given_up = watch_name(&s->ann, "shop", "b@h");

    watch_name(&s->ben, "shop", "b@h");
    world_run(&s->w);
    clu_demonitor(s->ann.p, &given_up);
    world_run(&s->w);
    /* it is the process that is watched, whoever bears the name later */
    ok(clu_unregister(&s->w.nodes[1], "shop"));
    ok(clu_register(s->bea.p, "shop"));
    clu_exit(s->bea.p, "another");
    clu_exit(s->abe.p, "x");
    world_run(&s->w);
    expect(s, &s->ann, "down shop a@h x\n");
    clu_exit(s->bob.p, "y");
    world_run(&s->w);
    expect(s, &s->ann, "down shop b@h y\n");
    expect(s, &s->ben, "down shop b@h y\n");
}

/* ---- the end of a connection ---- */

static void a_cut_fires_monitors(void **state)
{
    struct story *s = *state;

    ok(clu_register(s->bob.p, "shop"));
    watch(&s->ann, &s->bob);
    watch_name(&s->ann, "shop", "b@h");
    watch(&s->bob, &s->ann);
    clu_ref gone = watch(&s->ann, &s->ben);

    world_run(&s->w);
    world_cut(&s->w, 0, 1);
    clu_demonitor(s->ann.p, &gone); /* too late for the wire, in time for the mailbox */
    world_run(&s->w);
    expect(s, &s->ann, "down bob noconnection\ndown shop b@h noconnection\n");
    expect(s, &s->bob, "down ann noconnection\n");
    clu_exit(s->bob.p, "x"); /* nobody hears of that any more */
    assert_true(world_join(&s->w, 0, 1));
    world_run(&s->w);
    expect(s, &s->ann, "");
}

static void watch_again(struct actor *a, const clu_signal *s)
{
    if (s->kind == CLU_SIGNAL_DOWN && a->n < 3)
        watch(a, a->other);
}

/* Who watches anew at a DOWN is heard by the next connection, or by none. */
static void monitors_wait_for_their_connection(void **state)
{
    struct story *s = *state;

    s->ann.does = watch_again;
    s->ann.other = &s->bob;
    s->w.dial = WORLD_WAITS;
    watch(&s->ann, &s->bob);
    world_run(&s->w);
    world_cut(&s->w, 0, 1);
    world_run(&s->w);
    expect(s, &s->ann, "down bob noconnection\n");
    assert_true(world_join(&s->w, 0, 1));
    world_run(&s->w);
    clu_exit(s->bob.p, "x");
    world_run(&s->w);
    expect(s, &s->ann, "down bob x\ndown bob noproc\n");
    world_cut(&s->w, 0, 1);
    s->w.dial = WORLD_REFUSES;
    watch(&s->abe, &s->bob);
    watch_name(&s->abe, "x", "no@where");
    world_run(&s->w);
    expect(s, &s->abe, "down bob noconnection\ndown x no@where noconnection\n");
    assert_int_equal(map_count(&s->w.nodes[0].remotes), 0);
}

/* A monitor that was set and given up before the node was linked. */
static void given_up_before_it_was_linked(void **state)
{
    struct story *s = *state;

    world_cut(&s->w, 0, 1);
    s->w.dial = WORLD_WAITS;
    clu_ref ref = watch(&s->ann, &s->bob);

    watch(&s->abe, &s->bob);
    clu_demonitor(s->ann.p, &ref);
    clu_exit(s->abe.p, "x");
    world_run(&s->w);
    assert_true(world_join(&s->w, 0, 1));
    world_run(&s->w);
    assert_int_equal(s->w.nodes[1].watchers.n, 0);
}

/* A peer that knows no monitors would close at the first one: it is sent none. */
static void who_knows_no_monitors_is_sent_none(void **state)
{
    static const uint64_t unknown[] = {DFLAG_DIST_MONITOR, DFLAG_DIST_MONITOR_NAME};

    (void)state;
    for (size_t i = 0; i < COUNT(unknown); i++) {
        struct story s;

        begin(&s);
        world_cut(&s.w, 0, 1);
        s.w.dial = WORLD_WAITS;
        s.w.flags = WORLD_FLAGS & ~unknown[i];
        clu_ref given_up = watch(&s.ann, &s.bob);

        watch(&s.ann, &s.bob); /* these are held */
        watch_name(&s.ann, "shop", "b@h");
        clu_demonitor(s.ann.p, &given_up);
        assert_true(world_join(&s.w, 0, 1));
        given_up = watch(&s.abe, &s.bob);
        watch(&s.abe, &s.bob);
        watch_name(&s.abe, "shop", "b@h");
        clu_demonitor(s.abe.p, &given_up);
        world_run(&s.w);
        assert_int_equal(s.w.nodes[1].watchers.n, 0);
        expect(&s, &s.ann, "");
        expect(&s, &s.abe, "");
        world_cut(&s.w, 0, 1);
        world_run(&s.w);
        expect(&s, &s.ann, "down bob noconnection\ndown shop b@h noconnection\n");
        expect(&s, &s.abe, "down bob noconnection\ndown shop b@h noconnection\n");
        end(&s);
    }
}

/* A newer connection of the same node takes over: all that hung on the older is over. */
static void a_connection_is_taken_over(void **state)
{
    struct story *s = *state;
    struct channel newer;
    struct node_link link;

    watch(&s->ann, &s->bob);
    ok(clu_link(s->ann.p, &s->bob.self));
    clu_monitor_nodes(s->ann.p, true);
    world_run(&s->w);
    channel_init(&newer, s->w.flags, 60000, 4, s->w.now);
    ok(node_link_up(&s->w.nodes[0], &link, &newer, "b@h", 5, s->w.flags));
    world_turn(&s->w, 0);
    expect(s, &s->ann,
           "exit bob noconnection\ndown bob noconnection\ngone b@h connection_closed\nup b@h\n");
    world_cut(&s->w, 0, 1); /* the older one */
    world_turn(&s->w, 0);
    expect(s, &s->ann, "");
    node_link_down(&s->w.nodes[0], &link, "net_tick_timeout");
    world_turn(&s->w, 0);
    expect(s, &s->ann, "gone b@h net_tick_timeout\n");
    channel_fini(&newer);
}

/* ---- nodes ---- */

static void nodes_come_and_go(void **state)
{
    struct story *s = *state;

    clu_monitor_nodes(s->ann.p, true);
    clu_monitor_nodes(s->ann.p, true);
    clu_monitor_nodes(s->abe.p, true);
    clu_monitor_nodes(s->abe.p, false);
    world_cut(&s->w, 0, 1);
    world_run(&s->w);
    expect(s, &s->ann, "gone b@h connection_closed\n");
    assert_true(world_join(&s->w, 0, 1));
    world_run(&s->w);
    expect(s, &s->ann, "up b@h\n");
    world_cut(&s->w, 0, 1);
    world_run(&s->w);
    s->w.flags &= ~DFLAG_PUBLISHED; /* hidden ones are not told of */
    assert_true(world_join(&s->w, 0, 1));
    world_cut(&s->w, 0, 1);
    world_run(&s->w);
    expect(s, &s->ann, "gone b@h connection_closed\n");
    expect(s, &s->abe, "");
    s->w.flags |= DFLAG_PUBLISHED;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY(every_monitor_fires_once),
        STORY(of_nobody_it_fires_at_once),
        STORY(who_ends_in_the_same_turn),
        STORY(demonitored_is_silent),
        STORY(by_name),
        STORY(a_cut_fires_monitors),
        STORY(monitors_wait_for_their_connection),
        STORY(given_up_before_it_was_linked),
        STORY(a_connection_is_taken_over),
        STORY(nodes_come_and_go),
        STORY(an_alias_is_not_watched),
        cmocka_unit_test(who_knows_no_monitors_is_sent_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
