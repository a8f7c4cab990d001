/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

/* Links, and exit signals: the reference manual's table. */

static void exit_signal(struct actor *a, const struct actor *b, const char *reason)
{
    struct atom_term term;

    ok(clu_exit_signal(a->p, &b->self, atom_term(&term, reason)));
}

/* ---- who dies of what ---- */

static void an_exit_goes_both_ways(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->abe);
    link_to(&s->ann, &s->bob);
    link_to(&s->ben, &s->ann);
    world_run(&s->w);
    clu_exit(s->ann.p, "oops");
    world_run(&s->w);
    expect(s, &s->ann, "ended oops\n");
    expect(s, &s->abe, "exit ann oops\n");
    expect(s, &s->bob, "exit ann oops\n");
    expect(s, &s->ben, "exit ann oops\n");
}

static void who_does_not_trap_ends_with_it(void **state)
{
    struct story *s = *state;

    link_to(&s->amy, &s->bea);
    link_to(&s->amy, &s->ann);
    link_to(&s->bea, &s->ben);
    world_run(&s->w);
    clu_exit(s->bea.p, "oops");
    world_run(&s->w);
    expect(s, &s->bea, "ended oops\n");
    expect(s, &s->amy, "ended oops\n");
    expect(s, &s->ann, "exit amy oops\n");
    expect(s, &s->ben, "exit bea oops\n");
}

static void normal_ends_nobody_else(void **state)
{
    struct story *s = *state;

    link_to(&s->amy, &s->ann);
    link_to(&s->amy, &s->bob);
    link_to(&s->bea, &s->bob);
    world_run(&s->w);
    clu_exit(s->bob.p, "normal");
    clu_exit(s->ann.p, "normal");
    world_run(&s->w);
    assert_non_null(s->amy.p);
    assert_non_null(s->bea.p);
    /* and the link is gone: who ends now is nobody's matter */
    clu_exit(s->amy.p, "x");
    world_run(&s->w);
    expect(s, &s->bea, "");
}

/* One row a signal of exit/2: its reason, from whom, what becomes of who traps and who does not. */
static void exits_of_others(void **state)
{
    static const struct {
        const char *reason, *trapping, *weak;
    } rows[] = {
        {"normal", "exit ann normal\n", ""},
        {"oops", "exit ann oops\n", "ended oops\n"},
        {"kill", "ended killed\n", "ended killed\n"},
        {"killed", "exit ann killed\n", "ended killed\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct story s;

        begin(&s);
        exit_signal(&s.ann, &s.abe, rows[i].reason);
        exit_signal(&s.ann, &s.amy, rows[i].reason);
        exit_signal(&s.ann, &s.bob, rows[i].reason);
        exit_signal(&s.ann, &s.bea, rows[i].reason);
        world_run(&s.w);
        expect(&s, &s.abe, rows[i].trapping);
        expect(&s, &s.bob, rows[i].trapping);
        expect(&s, &s.amy, rows[i].weak);
        expect(&s, &s.bea, rows[i].weak);
        end(&s);
    }
}

/* OTP 28's exit/3 by alias, {37, Flags, From, Alias}: only an alias hits its process. */
static void exits_by_alias(void **state)
{
    struct story *s = *state;
    struct control c;
    struct atom_term reason;
    const char *what = "";
    clu_ref timer = clu_after(s->ann.p, 60000), alias = clu_alias(s->ann.p);
    const clu_ref *const refs[] = {&timer, &alias};

    for (size_t i = 0; i < COUNT(refs); i++) {
        clu_writer w;

        clu_writer_init(&w);
        clu_put_tuple(&w, 4);
        clu_put_int(&w, OP_ALTACT_SIG_SEND);
        clu_put_uint(&w, ALTACT_EXIT | ALTACT_ALIAS);
        clu_put_pid(&w, &s->bob.self);
        clu_put_ref(&w, refs[i]);
        ok(control_parse(&c, (clu_slice){w.data, w.len}, atom_term(&reason, "oops"), NULL, &what));
        ok(node_receive(&s->w.nodes[0], &s->w.ends[0][1].link, &c, &what));
        clu_writer_free(&w);
        world_run(&s->w);
        expect(s, &s->ann, i == 0 ? "" : "exit bob oops\n");
    }
}

/* process_flag(trap_exit, false), and any term for a reason. */
static void traps_are_set_and_taken_away(void **state)
{
    static const uint8_t term[] = {ETF_SMALL_TUPLE, 1, ETF_SMALL_INTEGER, 7};
    struct story *s = *state;

    assert_ptr_equal(clu_process_arg(s->ann.p), &s->ann);
    clu_trap_exit(s->ann.p, false);
    clu_trap_exit(s->amy.p, true);
    link_to(&s->ann, &s->bob);
    link_to(&s->amy, &s->bob);
    world_run(&s->w);
    clu_exit_term(s->bob.p, (clu_slice){term, sizeof term});
    world_run(&s->w);
    expect(s, &s->bob, "ended {7}\n");
    expect(s, &s->ann, "ended {7}\n");
    expect(s, &s->amy, "exit bob {7}\n");
}

static void exits_of_oneself(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->amy);
    link_to(&s->bea, &s->bob);
    world_run(&s->w);
    exit_signal(&s->amy, &s->amy, "normal"); /* the one normal that counts */
    exit_signal(&s->abe, &s->abe, "normal");
    exit_signal(&s->ben, &s->ben, "kill");
    exit_signal(&s->bea, &s->bea, "kill");
    world_run(&s->w);
    expect(s, &s->amy, "ended normal\n");
    expect(s, &s->ann, "exit amy normal\n");
    expect(s, &s->abe, "exit abe normal\n");
    expect(s, &s->ben, "ended killed\n");
    expect(s, &s->bea, "ended killed\n");
    expect(s, &s->bob, "exit bea killed\n");
}

/* A link carries kill as any other reason: only exit/2 kills. */
static void kill_by_a_link_can_be_trapped(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->amy);
    link_to(&s->amy, &s->bob);
    link_to(&s->amy, &s->bea);
    world_run(&s->w);
    clu_exit(s->amy.p, "kill");
    world_run(&s->w);
    expect(s, &s->ann, "exit amy kill\n");
    expect(s, &s->bob, "exit amy kill\n");
    expect(s, &s->bea, "ended kill\n");
}

static void a_pid_that_is_gone_answers_noproc(void **state)
{
    struct story *s = *state;

    clu_exit(s->abe.p, "x");
    clu_exit(s->ben.p, "x");
    link_to(&s->ann, &s->abe); /* not buried yet, and yet gone */
    world_run(&s->w);
    link_to(&s->ann, &s->ben);
    link_to(&s->amy, &s->abe);
    link_to(&s->bea, &s->abe);
    world_run(&s->w);
    expect(s, &s->ann, "exit abe noproc\nexit ben noproc\n");
    expect(s, &s->amy, "ended noproc\n");
    expect(s, &s->bea, "ended noproc\n");
}

/* Who has ended is linked until that is told: no second signal. */
static void linked_with_who_has_just_ended(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->abe);
    clu_exit(s->abe.p, "x");
    link_to(&s->ann, &s->abe);
    world_run(&s->w);
    expect(s, &s->ann, "exit abe x\n");
}

static void no_link_with_oneself(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->ann);
    clu_exit(s->ann.p, "x");
    world_run(&s->w);
    expect(s, &s->ann, "ended x\n");
}

/* However often it was made. */
static void a_link_is_one(void **state)
{
    struct story *s = *state;

    for (int i = 0; i < 3; i++) {
        link_to(&s->ann, &s->bob);
        link_to(&s->bob, &s->ann);
        link_to(&s->ann, &s->abe);
        link_to(&s->abe, &s->ann);
    }
    world_run(&s->w);
    assert_int_equal(s->w.nodes[0].bonds.n, 3);
    assert_int_equal(s->w.nodes[1].bonds.n, 1);
    clu_exit(s->ann.p, "x");
    world_run(&s->w);
    expect(s, &s->abe, "exit ann x\n");
    expect(s, &s->bob, "exit ann x\n");
}

static void unlinked_is_unlinked(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->abe);
    link_to(&s->ann, &s->bob);
    link_to(&s->ben, &s->ann);
    world_run(&s->w);
    unlink_from(&s->abe, &s->ann);
    unlink_from(&s->ann, &s->bob);
    unlink_from(&s->ann, &s->ben);
    unlink_from(&s->ann, &s->ben);
    unlink_from(&s->ann, &s->bea); /* never was */
    world_run(&s->w);
    assert_int_equal(s->w.nodes[0].bonds.n, 0);
    assert_int_equal(s->w.nodes[1].bonds.n, 0);
    clu_exit(s->ann.p, "x");
    world_run(&s->w);
    expect(s, &s->abe, "");
    expect(s, &s->bob, "");
    expect(s, &s->ben, "");
}

/* ---- the end of a connection ---- */

static void a_cut_breaks_links(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->bob);
    link_to(&s->bea, &s->ann);
    link_to(&s->abe, &s->ben);
    world_run(&s->w);
    unlink_from(&s->abe, &s->ben); /* will not be acknowledged */
    world_cut(&s->w, 0, 1);
    world_run(&s->w);
    expect(s, &s->ann, "exit bob noconnection\nexit bea noconnection\n");
    expect(s, &s->bob, "exit ann noconnection\n");
    expect(s, &s->bea, "ended noconnection\n");
    expect(s, &s->abe, "");
    expect(s, &s->ben, "exit abe noconnection\n");
}

static void a_link_waits_for_its_connection(void **state)
{
    struct story *s = *state;

    world_cut(&s->w, 0, 1);
    s->w.dial = WORLD_WAITS;
    link_to(&s->ann, &s->bob);
    link_to(&s->amy, &s->bob);
    link_to(&s->abe, &s->bea);
    unlink_from(&s->abe, &s->bea);
    clu_exit(s->amy.p, "early");
    world_run(&s->w);
    expect(s, &s->bob, "");
    assert_true(world_join(&s->w, 0, 1));
    world_run(&s->w);
    expect(s, &s->bob, "exit amy early\n");
    clu_exit(s->bob.p, "x");
    clu_exit(s->bea.p, "x");
    world_run(&s->w);
    expect(s, &s->ann, "exit bob x\n");
    expect(s, &s->abe, "");
}

static void who_cannot_be_reached_breaks_links(void **state)
{
    struct story *s = *state;

    world_cut(&s->w, 0, 1);
    s->w.dial = WORLD_REFUSES;
    link_to(&s->ann, &s->bob);
    link_to(&s->amy, &s->bob);
    world_run(&s->w);
    expect(s, &s->ann, "exit bob noconnection\n");
    expect(s, &s->amy, "ended noconnection\n");
}

/* ---- from within ---- */

static void link_and_exit(struct actor *a, const clu_signal *s)
{
    if (s->kind != CLU_SIGNAL_MESSAGE)
        return;
    link_to(a, a->other);
    clu_exit(a->p, "done");
    assert_int_equal(clu_link(a->p, &a->other->self), CLU_ENOENT);
    assert_null(clu_find(clu_process_node(a->p), &a->self));
}

static void who_ends_while_it_runs(void **state)
{
    struct story *s = *state;

    s->ann.does = s->bob.does = link_and_exit;
    s->ann.other = &s->ben;
    s->bob.other = &s->abe;
    ok(actor_tell(&s->abe, &s->ann, "go"));
    ok(actor_tell(&s->abe, &s->bob, "go"));
    ok(actor_tell(&s->abe, &s->bob, "late"));
    world_run(&s->w);
    expect(s, &s->ann, "message abe go\nended done\n");
    expect(s, &s->bob, "message abe go\nended done\n");
    expect(s, &s->ben, "exit ann done\n");
    expect(s, &s->abe, "exit bob done\n");
}

static void kill_other(struct actor *a, const clu_signal *s)
{
    if (s->kind == CLU_SIGNAL_MESSAGE && a->other->p != NULL)
        clu_exit(a->other->p, "by another");
}

static void who_ends_another(void **state)
{
    struct story *s = *state;

    s->ann.does = kill_other;
    s->ann.other = &s->abe;
    link_to(&s->abe, &s->ann);
    link_to(&s->abe, &s->bob);
    ok(actor_tell(&s->bob, &s->ann, "go"));
    ok(actor_tell(&s->amy, &s->abe, "unread"));
    ok(actor_tell(&s->bob, &s->ann, "again"));
    world_run(&s->w);
    expect(s, &s->abe, "message amy unread\nended 'by another'\n");
    expect(s, &s->bob, "exit abe 'by another'\n");
    expect(s, &s->ann, "message bob go\nmessage bob again\nexit abe 'by another'\n");
}

/* ---- services of the node are no targets ---- */

static void nobody_ends_a_service(void **state)
{
    struct story *s = *state;
    struct atom_term term;
    struct actor kernel = {.name = "net_kernel"};

    kernel.self = clu_self(clu_whereis(&s->w.nodes[1], "net_kernel"));
    s->w.actors[s->w.n_actors++] = &kernel;
    ok(clu_exit_signal(s->ann.p, &kernel.self, atom_term(&term, "kill")));
    link_to(&s->amy, &kernel);
    world_run(&s->w);
    clu_exit(s->amy.p, "x");
    world_run(&s->w);
    assert_non_null(clu_whereis(&s->w.nodes[1], "net_kernel"));
    link_to(&s->ann, &kernel);
    world_run(&s->w);
    expect(s, &s->ann, "");
    s->w.n_actors--;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY(an_exit_goes_both_ways),
        STORY(who_does_not_trap_ends_with_it),
        STORY(normal_ends_nobody_else),
        cmocka_unit_test(exits_of_others),
        STORY(exits_by_alias),
        STORY(traps_are_set_and_taken_away),
        STORY(exits_of_oneself),
        STORY(kill_by_a_link_can_be_trapped),
        STORY(a_pid_that_is_gone_answers_noproc),
        STORY(linked_with_who_has_just_ended),
        STORY(no_link_with_oneself),
        STORY(a_link_is_one),
        STORY(unlinked_is_unlinked),
        STORY(a_cut_breaks_links),
        STORY(a_link_waits_for_its_connection),
        STORY(who_cannot_be_reached_breaks_links),
        STORY(who_ends_while_it_runs),
        STORY(who_ends_another),
        STORY(nobody_ends_a_service),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
