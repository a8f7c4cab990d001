/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

/* Messages: mailboxes of both styles, names, aliases, order, limits. */

/* ---- both styles ---- */

static void messages_arrive_in_order(void **state)
{
    struct story *s = *state;
    static struct actor tim;

    assert_true(actor_start(&tim, &s->w, 1, "tim", NULL, true));
    for (int i = 0; i < 3; i++) {
        static const char *const words[] = {"one", "two", "three"};

        ok(actor_tell(&s->ann, &s->abe, words[i]));
        ok(actor_tell(&s->ann, &s->bob, words[i]));
        ok(actor_tell(&s->bob, &tim, words[i]));
        ok(actor_tell(&s->ann, &tim, words[i]));
    }
    expect(s, &s->abe, ""); /* never from within another function */
    world_run(&s->w);
    expect(s, &s->abe, "message ann one\nmessage ann two\nmessage ann three\n");
    expect(s, &s->bob, "message ann one\nmessage ann two\nmessage ann three\n");
    actor_takes(&tim);
    expect(s, &tim,
           "message bob one\nmessage bob two\nmessage bob three\n"
           "message ann one\nmessage ann two\nmessage ann three\n");
    clu_signal none;

    assert_false(clu_take(tim.p, &none));
    assert_false(clu_take(s->bob.p, &none)); /* has a function */
}

/* What a frame brings is handed out at once: behind what waits already. */
static void what_waits_comes_first(void **state)
{
    struct story *s = *state;

    ok(actor_tell(&s->ann, &s->bob, "far"));
    world_turn(&s->w, 0);
    ok(actor_tell(&s->ben, &s->bob, "near"));
    assert_true(world_carry(&s->w, 0, 1));
    expect(s, &s->bob, "");
    world_run(&s->w);
    expect(s, &s->bob, "message ben near\nmessage ann far\n");
    ok(actor_tell(&s->ann, &s->bob, "at once"));
    world_turn(&s->w, 0);
    assert_true(world_carry(&s->w, 0, 1));
    expect(s, &s->bob, "message ann 'at once'\n");
}

/* A taken signal is good until the next is taken. */
static void taken_signals_last(void **state)
{
    struct story *s = *state;
    static struct actor tim;
    clu_signal first, second;

    assert_true(actor_start(&tim, &s->w, 1, "tim", NULL, true));
    ok(actor_tell(&s->ann, &tim, "one"));
    ok(actor_tell(&s->ann, &tim, "two"));
    world_run(&s->w);
    assert_true(clu_take(tim.p, &first));
    assert_true(slice_is(clu_get_atom(&first.term), "one"));
    assert_true(slice_is(first.from.node, "a@h"));
    assert_true(clu_take(tim.p, &second));
    assert_true(slice_is(clu_get_atom(&second.term), "two"));
    clu_exit(tim.p, "full hands"); /* with one of them in hand, and nothing leaks */
}

/* ---- the share of a turn ---- */

static void tell_self(struct actor *a, const clu_signal *s)
{
    if (s->kind == CLU_SIGNAL_MESSAGE && a->n < 10000)
        ok(actor_tell(a, a, "again"));
}

/* Who always has more for itself starves nobody, and goes on. */
static void who_talks_to_itself(void **state)
{
    struct story *s = *state;

    s->ann.does = tell_self;
    ok(actor_tell(&s->ann, &s->ann, "go"));
    ok(actor_tell(&s->ann, &s->abe, "you too"));
    world_turn(&s->w, 0);
    assert_int_equal(s->ann.n, NODE_TURN_MAX);
    assert_int_equal(node_deadline(&s->w.nodes[0]), 0);
    world_turn(&s->w, 0);
    assert_int_equal(s->abe.n, 1);
    world_run(&s->w);
    assert_int_equal(s->ann.n, 10000);
}

static void a_turn_is_shared(void **state)
{
    struct story *s = *state;

    for (int i = 0; i < NODE_TURN_MAX; i++)
        ok(actor_tell(&s->abe, &s->ann, "x"));
    ok(actor_tell(&s->abe, &s->amy, "x"));
    world_turn(&s->w, 0);
    assert_int_equal(s->ann.n + s->amy.n, NODE_TURN_MAX);
    world_run(&s->w);
    assert_int_equal(s->ann.n + s->amy.n, NODE_TURN_MAX + 1);
}

/* What is left when the share is used up has its turn next time. */
static void more_than_a_turn(void **state)
{
    struct story *s = *state;

    for (int i = 0; i < NODE_TURN_MAX + 5; i++)
        ok(actor_tell(&s->abe, &s->ann, "x"));
    world_turn(&s->w, 0);
    assert_int_equal(s->ann.n, NODE_TURN_MAX);
    world_turn(&s->w, 0);
    assert_int_equal(s->ann.n, NODE_TURN_MAX + 5);
    assert_int_equal(node_deadline(&s->w.nodes[0]), NEVER);
}

/* A frame's atoms go with a message that is kept: the cache that they came from may change. */
static void kept_messages_keep_their_atoms(void **state)
{
    static const uint8_t term[] = {ETF_SMALL_TUPLE,    2, ETF_ATOM_CACHE_REF, 1,
                                   ETF_ATOM_CACHE_REF, 0};
    char first[] = "first", second[] = "second";
    clu_slice atoms[] = {slice_of(first), slice_of(second)};
    const clu_refs refs = {.atoms = atoms, .n = COUNT(atoms)};
    struct story *s = *state;
    static struct actor tim;
    const char *what = "";

    assert_true(actor_start(&tim, &s->w, 0, "tim", NULL, true));
    struct control c = {.op = OP_SEND_SENDER,
                        .from = s->bob.self,
                        .to = tim.self,
                        .has_payload = true,
                        .payload = {term, sizeof term},
                        .refs = &refs};

    ok(node_receive(&s->w.nodes[0], &s->w.ends[0][1].link, &c, &what));
    memset(first, 'x', 5);
    memset(second, 'x', 6);
    memset(atoms, 0, sizeof atoms);
    actor_takes(&tim);
    expect(s, &tim, "message bob {second,first}\n");
}

/* ---- names ---- */

static void names(void **state)
{
    struct story *s = *state;
    clu_to shop = clu_to_name("shop", NULL), far = clu_to_name("shop", "b@h"),
           own = clu_to_name("shop", "a@h");

    ok(clu_register(s->ann.p, "shop"));
    ok(clu_register(s->bob.p, "shop"));
    assert_int_equal(clu_register(s->abe.p, "shop"), CLU_EEXIST);
    assert_int_equal(clu_register(s->ann.p, "other"), CLU_EEXIST);
    assert_int_equal(clu_register(s->abe.p, ""), CLU_EBADARG);
    assert_int_equal(clu_register(s->abe.p, "rex"), CLU_EEXIST);    /* the node's own */
    assert_null(clu_whereis(&s->w.nodes[0], "global_name_server")); /* which is not shown */
    assert_ptr_equal(clu_whereis(&s->w.nodes[0], "shop"), s->ann.p);
    assert_null(clu_spawn(&s->w.nodes[0], &(clu_spawn_options){.name = "shop"}));
    assert_int_equal(s->w.nodes[0].err, CLU_EEXIST);
    assert_non_null(strstr(s->w.nodes[0].why, "named shop"));
    ok(actor_send(&s->abe, &shop, "near"));
    ok(actor_send(&s->abe, &own, "by node"));
    ok(actor_send(&s->abe, &far, "far"));
    world_run(&s->w);
    expect(s, &s->ann, "message abe near\nmessage abe 'by node'\n");
    expect(s, &s->bob, "message abe far\n");
    ok(clu_unregister(&s->w.nodes[0], "shop"));
    assert_int_equal(clu_unregister(&s->w.nodes[0], "shop"), CLU_ENOENT);
    assert_int_equal(clu_unregister(&s->w.nodes[0], "rex"), CLU_ENOENT);
    assert_null(clu_whereis(&s->w.nodes[0], "shop"));
    ok(actor_send(&s->abe, &shop, "nobody"));
    ok(clu_register(s->abe.p, "shop"));
    clu_exit(s->bob.p, "x");
    ok(clu_register(s->ben.p, "shop")); /* free as soon as it has ended */
    ok(actor_send(&s->ann, &far, "to ben"));
    world_run(&s->w);
    expect(s, &s->ben, "message ann 'to ben'\n");
    assert_int_equal(clu_register(s->bea.p, "shop"), CLU_EEXIST);
}

/* ---- nobody ---- */

static void messages_to_nobody_are_dropped(void **state)
{
    struct story *s = *state;
    static struct actor gone;

    assert_true(actor_start(&gone, &s->w, 0, "gone", NULL, false));
    clu_exit(gone.p, "x");
    ok(actor_tell(&s->ann, &gone, "too late"));
    ok(actor_tell(&s->bob, &gone, "too late"));
    world_run(&s->w);
    expect(s, &gone, "ended x\n");
    ok(actor_send(&s->ann, &(clu_to){.name = slice_of("nobody")}, "x"));
    ok(actor_send(&s->ann, &(clu_to){0}, "x"));
    world_run(&s->w);
}

/* Pids and references that are nearly ours hit nothing. */
static void forged_addresses_hit_nothing(void **state)
{
    struct story *s = *state;
    clu_ref alias = clu_alias(s->bob.p), timer = clu_after(s->bob.p, 60000);
    const clu_pid bob = s->bob.self;

    for (int i = 0; i < 4; i++) {
        clu_pid pid = bob;
        clu_ref ref = alias;

        pid.id += i == 0 ? 1u << 20 : 0;
        pid.serial += i == 1;
        pid.creation += i == 2;
        pid.id += i == 3;
        ref.creation += i == 0;
        if (i > 0)
            ref.words[i - 1] += i == 2 ? 1u << 20 : 1;
        clu_to by_pid = clu_to_pid(pid), by_alias = clu_to_alias(ref);

        if (i == 3) /* that is ben */
            assert_int_equal(pid.id, s->ben.self.id);
        for (int k = 0; k < 2; k++) {
            struct actor *from = k == 0 ? &s->ann : &s->ben;

            ok(actor_send(from, &by_pid, "forged"));
            ok(actor_send(from, &by_alias, "forged"));
            ok(clu_link(from->p, &pid));
            struct atom_term term;

            ok(clu_exit_signal(from->p, &pid, atom_term(&term, "kill")));
        }
        world_run(&s->w);
        expect(s, &s->bob, "");
        expect(s, &s->ann, "exit ? noproc\n");
        expect(s, &s->ben, "exit ? noproc\n");
    }
    /* references that are no aliases take no messages */
    clu_to to = clu_to_alias(timer);

    ok(actor_send(&s->ann, &to, "no alias"));
    ok(actor_send(&s->ben, &to, "no alias"));
    world_run(&s->w);
    expect(s, &s->bob, "");
    clu_cancel(s->bob.p, &alias); /* not a timer */
    clu_unalias(s->bob.p, &timer);
    clu_unalias(s->ben.p, &alias); /* another's */
    assert_int_equal(s->w.nodes[1].ties.n_used, 2);
}

/* ---- aliases ---- */

static void aliases(void **state)
{
    struct story *s = *state;
    clu_ref ref = clu_alias(s->bob.p);
    clu_to to = clu_to_alias(ref);

    ok(actor_send(&s->ann, &to, "far"));
    ok(actor_send(&s->ben, &to, "near"));
    world_run(&s->w);
    expect(s, &s->bob, "message ben near\nmessage ann far\n");
    ok(actor_send(&s->ann, &to, "late"));
    world_turn(&s->w, 0);
    clu_unalias(s->bob.p, &ref);
    ok(actor_send(&s->ben, &to, "late"));
    world_run(&s->w);
    expect(s, &s->bob, "");
}

static void aliases_without_altact(void **state)
{
    struct story *s = *state;

    world_cut(&s->w, 0, 1);
    s->w.flags &= ~(DFLAG_ALTACT_SIG | DFLAG_SEND_SENDER | DFLAG_EXIT_PAYLOAD);
    assert_true(world_join(&s->w, 0, 1));
    clu_to to = clu_to_alias(clu_alias(s->bob.p));
    struct atom_term term;

    ok(actor_send(&s->ann, &to, "x"));
    ok(actor_tell(&s->ann, &s->bob, "y"));
    ok(clu_link(s->ann.p, &s->bob.self));
    ok(clu_exit_signal(s->bob.p, &s->ann.self, atom_term(&term, "two")));
    ok(clu_exit_signal(s->bob.p, &s->abe.self, atom_term(&term, "kill")));
    world_run(&s->w);
    expect(s, &s->bob, "message ann x\nmessage y\n");
    clu_exit(s->bob.p, "z");
    world_run(&s->w);
    expect(s, &s->ann, "exit bob two\nexit bob z\n");
    expect(s, &s->abe, "ended killed\n");
}

/* ---- writing ---- */

static void what_cannot_be_written_is_not_sent(void **state)
{
    static const char *const nodes[] = {NULL, "b@h", "c@h"};
    struct story *s = *state;
    char *huge = test_calloc(1, 2000);

    memset(huge, 'x', 1999);
    s->w.dial = WORLD_REFUSES;
    ok(clu_register(s->abe.p, "x"));
    ok(clu_register(s->bob.p, "x"));
    for (size_t i = 0; i < COUNT(nodes); i++) {
        clu_to to = clu_to_name("x", nodes[i]);

        clu_put_atom_text(clu_send_begin(s->ann.p, &to), huge);
        assert_int_equal(clu_send_end(s->ann.p), CLU_EATOM);
        assert_int_equal(clu_send_end(s->ann.p), CLU_EBADARG); /* nothing is under way */
        clu_put_atom_text(clu_send_begin(s->ann.p, &to), "x");
        assert_int_equal(clu_send_end(s->abe.p), CLU_EBADARG);
        clu_send_cancel(s->abe.p);
        clu_send_cancel(s->ann.p);
        clu_send_cancel(s->ann.p);
        assert_int_equal(clu_send_end(s->ann.p), CLU_EBADARG);
    }
    assert_int_equal(map_count(&s->w.nodes[0].remotes), 1); /* c@h is not wanted for that */
    world_run(&s->w);
    expect(s, &s->abe, "");
    expect(s, &s->bob, "");
    test_free(huge);
}

static void who_has_ended_sends_nothing(struct actor *a)
{
    clu_to to = clu_to_pid(a->other->self);

    assert_int_equal(actor_send(a, &to, "x"), CLU_ENOENT);
    assert_int_equal(clu_register(a->p, "late"), CLU_EBADARG);
    assert_int_equal(clu_alias(a->p).n, 0);
    assert_int_equal(clu_after(a->p, 1).n, 0);
    assert_int_equal(clu_monitor(a->p, &to).n, 0);
    assert_int_equal(clu_spawn_remote(a->p, "b@h", "m", "f", slice_of("j"), true, true).n, 0);
    assert_int_equal(clu_link(a->p, &a->other->self), CLU_ENOENT);
    assert_int_equal(clu_unlink(a->p, &a->other->self), CLU_OK);
    clu_monitor_nodes(a->p, true);
    clu_exit(a->p, "twice");
    clu_put_nil(clu_call_begin(a->p, &to, 100));
    assert_int_not_equal(clu_call_end(a->p, actor_answered, a, NULL), CLU_OK);
    clu_signal none;

    assert_false(clu_take(a->p, &none));
}

static void an_end_is_the_end(void **state)
{
    struct story *s = *state;

    s->ann.stopped = who_has_ended_sends_nothing;
    s->ann.other = &s->bob;
    clu_exit(s->ann.p, "once");
    world_run(&s->w);
    expect(s, &s->ann, "ended once\n");
    expect(s, &s->bob, "");
}

/* ---- from within ---- */

static void spawn_and_send(struct actor *a, const clu_signal *s)
{
    if (s->kind != CLU_SIGNAL_MESSAGE || a->n > 1)
        return;
    assert_true(actor_start(a->other, a->world, 0, "child", NULL, false));
    ok(actor_tell(a, a->other, "hello"));
    ok(clu_link(a->p, &a->other->self));
    ok(actor_tell(a, a->other, "bye"));
    clu_exit(a->other->p, "born to die");
    ok(actor_tell(a, a->other, "gone"));
}

static void who_spawns_while_it_runs(void **state)
{
    struct story *s = *state;
    static struct actor child;

    s->ann.does = spawn_and_send;
    s->ann.other = &child;
    ok(actor_tell(&s->bob, &s->ann, "go"));
    world_run(&s->w);
    expect(s, &s->ann, "message bob go\nexit child 'born to die'\n");
    expect(s, &child, "ended 'born to die'\n");
}

static void restart(struct actor *a)
{
    struct world *w = a->world;

    if (!actor_start(a->other, w, 0, "child", NULL, false))
        a->other->p = NULL;
}

/* A supervisor of sorts: what its function spawns at the node's own end is no leak. */
static void who_spawns_when_the_node_ends(void **state)
{
    struct world *w = test_calloc(1, sizeof *w);
    struct actor a, b = {0};

    (void)state;
    assert_true(world_init(w, 1));
    assert_true(actor_start(&a, w, 0, "a", NULL, false));
    a.stopped = restart;
    a.other = &b;
    world_fini(w);
    assert_null(b.p);
    actor_fini(&a);
    actor_fini(&b);
    test_free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY(messages_arrive_in_order),
        STORY(what_waits_comes_first),
        STORY(taken_signals_last),
        STORY(who_talks_to_itself),
        STORY(a_turn_is_shared),
        STORY(more_than_a_turn),
        STORY(kept_messages_keep_their_atoms),
        STORY(names),
        STORY(messages_to_nobody_are_dropped),
        STORY(forged_addresses_hit_nothing),
        STORY(aliases),
        STORY(aliases_without_altact),
        STORY(what_cannot_be_written_is_not_sent),
        STORY(an_end_is_the_end),
        STORY(who_spawns_while_it_runs),
        cmocka_unit_test(who_spawns_when_the_node_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
