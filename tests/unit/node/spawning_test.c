/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

/* Spawn requests, and signals of a peer that do not belong to what they name. */

static clu_ref watch(struct actor *a, const struct actor *b)
{
    clu_to to = clu_to_pid(b->self);
    clu_ref ref = clu_monitor(a->p, &to);

    assert_int_equal(ref.n, 3);
    return ref;
}

/* ---- spawn requests: the peer's side is played by hand ---- */

static void receive(struct story *s, clu_writer *w)
{
    struct control c;
    const char *what = "";

    ok(control_parse(&c, (clu_slice){w->data, w->len}, (clu_slice){NULL, 0}, NULL, &what));
    ok(node_receive(&s->w.nodes[0], &s->w.ends[0][1].link, &c, &what));
    clu_writer_reset(w);
    world_turn(&s->w, 0);
}

/* Asks, and forgets the request: nobody but the test answers. */
static clu_ref ask(struct story *s, struct actor *a, bool link, bool monitor)
{
    clu_ref ref = clu_spawn_remote(a->p, "b@h", "m", "f", slice_of("j"), link, monitor);

    assert_int_equal(ref.n, 3);
    world_turn(&s->w, 0);
    buf_reset(&s->w.ends[0][1].flight);
    return ref;
}

static void begin_spawning(struct story *s)
{
    begin(s);
    world_cut(&s->w, 0, 1);
    s->w.flags |= DFLAG_SPAWN;
    s->w.flags &= ~DFLAG_DIST_HDR_ATOM_CACHE; /* it would miss what is thrown away here */
    assert_true(world_join(&s->w, 0, 1));
}

static void end_spawning(struct story *s)
{
    s->w.flags = WORLD_FLAGS;
    end(s);
}

static void spawns_are_answered(void **state)
{
    static const struct {
        bool link, monitor;
        uint64_t flags;
        const char *end; /* what follows when the process ends */
        size_t bonds, ties;
    } rows[] = {
        {false, false, 0, "", 0, 0},
        {true, false, SPAWN_REPLY_LINK, "exit bob x\n", 1, 0},
        {false, true, SPAWN_REPLY_MONITOR, "down bob x\n", 0, 1},
        {true, true, SPAWN_REPLY_LINK | SPAWN_REPLY_MONITOR, "exit bob x\ndown bob x\n", 1, 1},
        {false, false, SPAWN_REPLY_LINK | SPAWN_REPLY_MONITOR, "", 0, 0}, /* not asked for */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct story s;
        struct atom_term x;
        clu_writer w;

        begin_spawning(&s);
        clu_writer_init(&w);
        clu_ref ref = ask(&s, &s.ann, rows[i].link, rows[i].monitor);

        control_put_spawn_reply(&w, &ref, &s.ann.self, rows[i].flags, &s.bob.self);
        receive(&s, &w);
        expect(&s, &s.ann, "spawned bob\n");
        control_put_spawn_reply(&w, &ref, &s.ann.self, rows[i].flags, &s.ben.self);
        receive(&s, &w); /* a second answer is none */
        expect(&s, &s.ann, "");
        assert_int_equal(s.w.nodes[0].bonds.n, rows[i].bonds);
        assert_int_equal(s.w.nodes[0].ties.n_used, rows[i].ties);
        control_put_exit_raw(&w, &s.bob.self, &s.ann.self, atom_term(&x, "x"));
        receive(&s, &w);
        control_put_monitor_exit(&w, &s.bob.self, NULL, &s.ann.self, &ref, "x");
        receive(&s, &w);
        expect(&s, &s.ann, rows[i].end);
        clu_writer_free(&w);
        end_spawning(&s);
    }
}

static void spawns_fail(void **state)
{
    struct story s;
    char word[CLU_ATOM_CHARS_MAX * 2 + 1] = "", line[COUNT(word) + 20];
    clu_writer w;

    (void)state;
    begin_spawning(&s);
    clu_writer_init(&w);
    for (size_t i = 0; i < CLU_ATOM_CHARS_MAX; i++) /* of two bytes each */
        memcpy(word + 2 * i, "\xc3\xa4", 3);
    clu_ref ref = ask(&s, &s.ann, true, true);

    control_put_spawn_error(&w, &ref, &s.ann.self, "badarg");
    receive(&s, &w);
    expect(&s, &s.ann, "spawned badarg\n");
    ref = ask(&s, &s.ann, true, true);
    control_put_spawn_error(&w, &ref, &s.ann.self, word);
    receive(&s, &w);
    snprintf(line, sizeof line, "spawned %s\n", word);
    expect(&s, &s.ann, line);
    ask(&s, &s.ann, true, true);
    ask(&s, &s.ann, false, false);
    world_cut(&s.w, 0, 1);
    world_turn(&s.w, 0);
    expect(&s, &s.ann, "spawned noconnection\nspawned noconnection\n");
    s.w.dial = WORLD_REFUSES;
    ask(&s, &s.ann, true, true);
    world_run(&s.w);
    expect(&s, &s.ann, "spawned noconnection\n");
    clu_writer_free(&w);
    end_spawning(&s);
}

/* Where nobody understands the request, it is not sent: it would cut the link. This node takes its
 * own in any case. */
static void spawns_where_there_is_no_such_thing(void **state)
{
    struct story *s = *state;

    world_cut(&s->w, 0, 1);
    s->w.flags &= ~DFLAG_SPAWN;
    assert_true(world_join(&s->w, 0, 1));
    assert_int_equal(clu_spawn_remote(s->ann.p, "b@h", "m", "f", slice_of("j"), true, true).n, 3);
    world_turn(&s->w, 0);
    assert_int_equal(s->w.ends[0][1].flight.len, 0);
    expect(s, &s->ann, "spawned notsup\n");
    /* here there is, but not of that name */
    assert_int_equal(clu_spawn_remote(s->ann.p, "a@h", "m", "f", slice_of("j"), true, true).n, 3);
    world_run(&s->w);
    expect(s, &s->ann, "spawned ?\nexit ? {undef,[{m,f,[],[]}]}\ndown ? {undef,[{m,f,[],[]}]}\n");
    assert_int_equal(map_count(&s->w.nodes[0].remotes), 1);
    s->w.flags = WORLD_FLAGS;
}

/* What the peer is told of a process that nobody waits for any more. */
static void expect_sent(struct story *s, const char *text)
{
    struct world_end *e = &s->w.ends[0][1];
    struct channel peer;
    struct frame f;
    struct buf out = {0};

    world_turn(&s->w, 0);
    channel_init(&peer, s->w.flags, 60000, 4, 0);
    channel_feed(&peer, e->flight.data, e->flight.len, 0);
    while (channel_next(&peer, &f)) {
        clu_reader r = {
            .pos = f.control.data, .end = f.control.data + f.control.len, .refs = f.refs};

        clu_get_tuple(&r);
        buf_printf(&out, "%d ", (int)clu_get_int(&r));
        if (f.payload.len == 0)
            continue;
        r = (clu_reader){.pos = f.payload.data, .end = f.payload.data + f.payload.len};
        clu_slice reason = clu_get_atom(&r);

        buf_printf(&out, "%.*s ", (int)reason.len, (const char *)reason.data);
    }
    assert_string_equal(buf_text(&out), text);
    buf_free(&out);
    channel_fini(&peer);
    buf_reset(&e->flight);
}

static void who_asked_has_ended(void **state)
{
    struct story s;
    clu_writer w;

    (void)state;
    begin_spawning(&s);
    clu_writer_init(&w);
    clu_ref ref = ask(&s, &s.ann, true, true);

    clu_exit(s.ann.p, "x");
    expect_sent(&s, ""); /* of a process that is not known there is nothing to say */
    control_put_spawn_reply(&w, &ref, &s.ann.self, SPAWN_REPLY_LINK | SPAWN_REPLY_MONITOR,
                            &s.bob.self);
    receive(&s, &w);
    expect_sent(&s, "20 24 x "); /* DEMONITOR_P, PAYLOAD_EXIT */
    control_put_spawn_reply(&w, &ref, &s.ann.self, SPAWN_REPLY_LINK, &s.bob.self);
    receive(&s, &w);
    expect_sent(&s, "24 noproc "); /* its reason was for one */
    clu_writer_free(&w);
    end_spawning(&s);
}

/* What it asked for last hears of it too; an error takes nothing along, nor does a lost link. */
static void who_asked_more_has_ended(void **state)
{
    struct story s;
    clu_writer w;

    (void)state;
    begin_spawning(&s);
    clu_writer_init(&w);
    clu_ref first = ask(&s, &s.ann, true, false), second = ask(&s, &s.ann, true, false);
    clu_ref third = ask(&s, &s.ann, true, false);

    clu_exit(s.ann.p, "normal");
    expect_sent(&s, "");
    control_put_spawn_error(&w, &first, &s.ann.self, "badopt");
    receive(&s, &w);
    expect_sent(&s, "");
    control_put_spawn_reply(&w, &second, &s.ann.self, SPAWN_REPLY_LINK, &s.bob.self);
    receive(&s, &w);
    expect_sent(&s, "24 normal ");
    world_cut(&s.w, 0, 1);
    assert_true(world_join(&s.w, 0, 1));
    control_put_spawn_reply(&w, &third, &s.ann.self, SPAWN_REPLY_LINK, &s.bob.self);
    receive(&s, &w);
    expect_sent(&s, "24 noproc ");
    assert_true(list_empty(&s.w.ends[0][1].link.remote->left));
    clu_writer_free(&w);
    end_spawning(&s);
}

/* Nor does a node keep what it is told of that knows no such requests. */
static void who_asked_one_of_old_has_ended(void **state)
{
    struct story s;

    (void)state;
    begin_spawning(&s);
    world_cut(&s.w, 0, 1);
    s.w.dial = WORLD_WAITS;
    assert_int_equal(clu_spawn_remote(s.ann.p, "b@h", "m", "f", slice_of("j"), true, false).n, 3);
    clu_exit(s.ann.p, "normal");
    world_run(&s.w);
    s.w.flags &= ~DFLAG_SPAWN;
    assert_true(world_join(&s.w, 0, 1));
    assert_true(list_empty(&s.w.ends[0][1].link.remote->left));
    end_spawning(&s);
}

/* The error and the end come in one step: there is no process whose monitor could be taken away,
 * and a DEMONITOR_P of nobody's pid would cut the link. */
static void who_asked_ends_with_the_error(void **state)
{
    struct story s;
    struct control c;
    const char *what = "";
    clu_writer w;

    (void)state;
    begin_spawning(&s);
    clu_writer_init(&w);
    clu_ref ref = ask(&s, &s.ann, true, true);

    clu_exit(s.ann.p, "x");
    control_put_spawn_error(&w, &ref, &s.ann.self, "badopt");
    ok(control_parse(&c, (clu_slice){w.data, w.len}, (clu_slice){NULL, 0}, NULL, &what));
    ok(node_receive(&s.w.nodes[0], &s.w.ends[0][1].link, &c, &what));
    expect_sent(&s, "");
    clu_writer_free(&w);
    end_spawning(&s);
}

static void who_asked_wants_no_monitor_any_more(void **state)
{
    struct story s;
    clu_writer w;

    (void)state;
    begin_spawning(&s);
    clu_writer_init(&w);
    clu_ref ref = ask(&s, &s.ann, false, true);

    clu_demonitor(s.ann.p, &ref);
    expect_sent(&s, "");
    control_put_spawn_reply(&w, &ref, &s.ann.self, SPAWN_REPLY_MONITOR, &s.bob.self);
    receive(&s, &w);
    expect_sent(&s, "20 ");
    expect(&s, &s.ann, "spawned bob\n");
    assert_int_equal(s.w.nodes[0].ties.n_used, 0);
    clu_writer_free(&w);
    end_spawning(&s);
}

/* Given up when the reply is there and waits, perhaps with the end behind it: the pid is told all
 * the same, since the process may be linked to it; only the end is not. */
static void who_demonitors_hears_of_its_process(void **state)
{
    (void)state;
    for (int ended = 0; ended < 2; ended++) {
        struct story s;
        struct actor tim;
        clu_writer w;

        begin_spawning(&s);
        clu_writer_init(&w);
        assert_true(actor_start(&tim, &s.w, 0, "tim", NULL, true));
        clu_ref ref = ask(&s, &tim, true, true);

        control_put_spawn_reply(&w, &ref, &tim.self, SPAWN_REPLY_LINK | SPAWN_REPLY_MONITOR,
                                &s.bob.self);
        receive(&s, &w);
        if (ended == 1) {
            control_put_monitor_exit(&w, &s.bob.self, NULL, &tim.self, &ref, "x");
            receive(&s, &w);
        }
        clu_demonitor(tim.p, &ref);
        expect_sent(&s, ended == 1 ? "" : "20 ");
        actor_takes(&tim);
        expect(&s, &tim, "spawned bob\n");
        assert_int_equal(s.w.nodes[0].ties.n_used, 0);
        assert_int_equal(s.w.nodes[0].bonds.n, 1);
        clu_writer_free(&w);
        end_spawning(&s);
    }
}

static void who_demonitors_hears_of_its_own(void **state)
{
    struct story *s = *state;
    static struct actor tim;

    assert_true(actor_start(&tim, &s->w, 0, "tim", NULL, true));
    clu_ref ref = clu_spawn_remote(tim.p, "a@h", "m", "f", slice_of("j"), false, true);

    clu_demonitor(tim.p, &ref);
    world_run(&s->w);
    actor_takes(&tim);
    expect(s, &tim, "spawned ?\n");
}

/* Whose monitor it is not cannot make it fire. */
static void forged_downs_fire_nothing(void **state)
{
    struct story s;
    clu_writer w;

    (void)state;
    begin_spawning(&s);
    clu_writer_init(&w);
    clu_ref near = watch(&s.ann, &s.abe), alias = clu_alias(s.ann.p),
            timer = clu_after(s.ann.p, 99), spawn = ask(&s, &s.ann, false, false),
            far = watch(&s.ann, &s.bob);
    clu_ref other_node = far, other_time = far;

    other_node.node = slice_of("c@h");
    other_time.creation++;
    const clu_ref *const refs[] = {&near, &alias, &timer, &spawn, &other_node, &other_time};

    for (size_t i = 0; i < COUNT(refs); i++) {
        control_put_monitor_exit(&w, &s.bob.self, NULL, &s.ann.self, refs[i], "forged");
        receive(&s, &w);
        if (refs[i] == &spawn)
            continue;
        control_put_spawn_error(&w, refs[i], &s.ann.self, "forged");
        receive(&s, &w);
    }
    expect(&s, &s.ann, "");
    world_run(&s.w);
    clu_writer_free(&w);
    s.w.dial = WORLD_REFUSES;
    end_spawning(&s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(spawns_are_answered),
        cmocka_unit_test(spawns_fail),
        STORY(spawns_where_there_is_no_such_thing),
        cmocka_unit_test(who_asked_has_ended),
        cmocka_unit_test(who_asked_more_has_ended),
        cmocka_unit_test(who_asked_one_of_old_has_ended),
        cmocka_unit_test(who_asked_ends_with_the_error),
        cmocka_unit_test(who_asked_wants_no_monitor_any_more),
        cmocka_unit_test(who_demonitors_hears_of_its_process),
        STORY(who_demonitors_hears_of_its_own),
        cmocka_unit_test(forged_downs_fire_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
