/* SPDX-License-Identifier: Apache-2.0 */
#include "node/services.h"
#include "story.h"

/* Calls out, as gen_server:call makes them. */

static clu_ref call(struct actor *a, const clu_to *to, const char *request, uint64_t timeout_ms)
{
    clu_ref ref = {0};

    clu_put_atom_text(clu_call_begin(a->p, to, timeout_ms), request);
    ok(clu_call_end(a->p, actor_answered, a, &ref));
    assert_int_equal(ref.n, 3);
    return ref;
}

static clu_ref ask(struct actor *a, const struct actor *b, const char *request)
{
    clu_to to = clu_to_pid(b->self);

    return call(a, &to, request, 1000);
}

/* ---- who answers ---- */

static void reply(struct actor *a, const struct gen_call *gen, const clu_to *to, const char *text)
{
    clu_reader tag = gen->tag;
    clu_writer *w = clu_send_begin(a->p, to);

    clu_put_tuple(w, 2);
    clu_put_term(w, &tag);
    clu_put_atom_text(w, text);
    ok(clu_send_end(a->p));
}

/* Does what it is asked for: answers by the alias, by the pid as older releases do, by both; keeps
 * silent; or ends. */
static void serve(struct actor *a, const clu_signal *s)
{
    clu_reader msg = s->term;
    struct gen_call gen;

    if (s->kind != CLU_SIGNAL_MESSAGE || !get_gen_call(&msg, &gen))
        return;
    clu_slice word = clu_get_atom(&msg);
    clu_to by_pid = clu_to_pid(gen.from), by_alias = clu_to_alias(gen.alias);

    if (slice_is(word, "alias") || slice_is(word, "both"))
        reply(a, &gen, &by_alias, "one");
    if (slice_is(word, "pid") || slice_is(word, "both"))
        reply(a, &gen, &by_pid, "two");
    if (slice_is(word, "noise")) {
        ok(actor_send(a, &by_alias, "noise"));
        ok(actor_send(a, &by_pid, "noise"));
    }
    if (slice_is(word, "die"))
        clu_exit(a->p, "asked to");
}

static void begin_asking(struct story *s)
{
    begin(s);
    s->abe.does = s->bob.does = s->ben.does = serve;
}

static void forget_requests(struct story *s)
{
    buf_reset(&s->abe.log);
    buf_reset(&s->bob.log);
    buf_reset(&s->ben.log);
}

/* ---- answers ---- */

static void answers_come_once(void **state)
{
    static const struct {
        const char *request, *said;
    } rows[] = {
        {"alias", "answered one\n"},
        {"pid", "answered two\n"},
        {"both", "answered one\n"},
        {"die", "no process 'asked to'\n"},
        {"silence", ""},
        {"noise", "message bob noise\n"}, /* what is no answer is a message, by the pid */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct story s;

        begin_asking(&s);
        clu_ref ref = ask(&s.ann, &s.bob, rows[i].request);

        world_run(&s.w);
        if (strcmp(rows[i].request, "both") == 0) {
            /* The other one finds nobody, and is a message by now. */
            const char *said = actor_said(&s.ann, &s.said);

            assert_int_equal(strncmp(said, rows[i].said, strlen(rows[i].said)), 0);
        } else {
            expect(&s, &s.ann, rows[i].said);
        }
        clu_call_forget(s.bob.p == NULL ? s.ann.p : s.bob.p, &ref); /* gone, or another's */
        world_pass(&s.w, 1000);
        expect(&s, &s.ann,
               rows[i].said[0] == '\0' || strcmp(rows[i].request, "noise") == 0 ? "timed out\n"
                                                                                : "");
        world_pass(&s.w, 5000);
        assert_int_equal(s.w.nodes[0].ties.n_used, 0);
        assert_int_equal(s.w.nodes[1].watchers.n, 0);
        forget_requests(&s);
        end(&s);
    }
}

static void near_answers(void **state)
{
    static const char *const requests[] = {"alias", "pid", "die", "silence"};
    static const char *const said[] = {"answered one\n", "answered two\n",
                                       "no process 'asked to'\n", "timed out\n"};
    struct story s;

    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++) {
        begin_asking(&s);
        ask(&s.ann, &s.abe, requests[i]);
        world_run(&s.w);
        world_pass(&s.w, 1000);
        expect(&s, &s.ann, said[i]);
        end(&s);
    }
}

/* A process without a function gets its answers all the same, and nothing in its mailbox. */
static void who_takes_is_answered(void **state)
{
    struct story s;
    struct actor tim;

    (void)state;
    begin_asking(&s);
    assert_true(actor_start(&tim, &s.w, 0, "tim", NULL, true));
    ok(actor_tell(&s.ann, &tim, "before"));
    ask(&tim, &s.bob, "alias");
    ask(&tim, &s.bob, "pid");
    ask(&tim, &s.abe, "alias");
    ask(&tim, &s.ben, "die");
    world_run(&s.w);
    const char *said = actor_said(&tim, &s.said);

    assert_int_equal(strlen(said),
                     strlen("answered one\n") * 3 + strlen("no process 'asked to'\n"));
    actor_takes(&tim);
    expect(&s, &tim, "message ann before\n");
    end(&s);
}

static void of_nobody(void **state)
{
    struct story s;
    clu_to near = clu_to_name("nobody", NULL), far = clu_to_name("nobody", "b@h"),
           nowhere = clu_to_name("nobody", "x@h");

    (void)state;
    begin_asking(&s);
    s.w.dial = WORLD_REFUSES;
    clu_exit(s.abe.p, "x");
    clu_exit(s.ben.p, "x");
    world_run(&s.w);
    call(&s.ann, &near, "x", CLU_INFINITY);
    call(&s.ann, &far, "x", CLU_INFINITY);
    call(&s.ann, &nowhere, "x", CLU_INFINITY);
    ask(&s.ann, &s.abe, "x");
    ask(&s.ann, &s.ben, "x");
    expect(&s, &s.ann, ""); /* never from within another function */
    world_run(&s.w);
    const char *said = actor_said(&s.ann, &s.said);

    assert_int_equal(strlen(said),
                     4 * strlen("no process noproc\n") + strlen("no process noconnection\n"));
    end(&s);
}

static void the_link_breaks(void **state)
{
    struct story s;

    (void)state;
    begin_asking(&s);
    ask(&s.ann, &s.bob, "silence");
    world_run(&s.w);
    ask(&s.ann, &s.bob, "alias");
    world_turn(&s.w, 0);
    world_cut(&s.w, 0, 1);
    world_run(&s.w);
    expect(&s, &s.ann, "no process noconnection\nno process noconnection\n");
    world_pass(&s.w, 5000);
    expect(&s, &s.ann, "");
    end(&s);
}

/* An answer that comes when the call is over is lost, in whatever way it was over. */
static void late_answers_are_lost(void **state)
{
    struct story s;
    static const char *const requests[] = {"alias", "pid"};

    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++) {
        begin_asking(&s);
        clu_ref ref = ask(&s.ann, &s.bob, requests[i]);

        world_turn(&s.w, 0);
        while (world_carry(&s.w, 0, 1))
            continue;
        world_turn(&s.w, 1);
        if (i == 0)
            world_pass(&s.w, 0); /* it is there in time */
        clu_call_forget(s.ann.p, &ref);
        s.w.now += 2000;
        node_tick(&s.w.nodes[0], s.w.now);
        world_run(&s.w);
        const char *said = actor_said(&s.ann, &s.said);

        assert_null(strstr(said, "timed out"));
        assert_true(i == 0 ? strcmp(said, "answered one\n") == 0
                           : strstr(said, "answered") == NULL);
        end(&s);
    }
}

/* Answered, and given up before it is handed on. */
static void forgotten_while_it_waits(void **state)
{
    struct story s;
    struct actor tim;

    (void)state;
    begin_asking(&s);
    assert_true(actor_start(&tim, &s.w, 1, "tim", NULL, true));
    clu_ref first = ask(&tim, &s.bob, "alias"), second = ask(&tim, &s.ben, "pid");
    uint32_t budget = 2; /* those who answer */

    for (uint32_t turns = 0; turns < 2; turns++) {
        struct clu_process *p = turns == 0 ? s.bob.p : s.ben.p;

        mailbox_run(p, &budget);
    }
    clu_call_forget(tim.p, &first);
    world_run(&s.w);
    expect(&s, &tim, "answered two\n");
    clu_call_forget(tim.p, &second);
    world_pass(&s.w, 5000);
    expect(&s, &tim, "");
    end(&s);
}

static void calls_end_with_who_made_them(void **state)
{
    struct story s;

    (void)state;
    begin_asking(&s);
    ask(&s.ann, &s.bob, "silence");
    ask(&s.ann, &s.abe, "silence");
    world_run(&s.w);
    assert_int_equal(s.w.nodes[1].watchers.n, 1);
    clu_exit(s.ann.p, "x");
    world_pass(&s.w, 5000);
    expect(&s, &s.ann, "ended x\n");
    assert_int_equal(s.w.nodes[1].watchers.n, 0);
    end(&s);
}

static void timeouts(void **state)
{
    struct story s;

    (void)state;
    begin_asking(&s);
    clu_to bob = clu_to_pid(s.bob.self);

    call(&s.ann, &bob, "silence", 10);
    call(&s.ann, &bob, "silence", CLU_INFINITY);
    call(&s.ann, &bob, "silence", CLU_INFINITY - 1);
    call(&s.ann, &bob, "alias", 0); /* the answer cannot be there in time */
    world_pass(&s.w, 0);
    const char *said = actor_said(&s.ann, &s.said);

    assert_string_equal(said, "timed out\n");
    world_pass(&s.w, 10);
    expect(&s, &s.ann, "timed out\n");
    assert_int_equal(node_deadline(&s.w.nodes[0]), NEVER);
    world_pass(&s.w, 1u << 30);
    expect(&s, &s.ann, "");
    end(&s);
}

static void a_call_is_taken_back(void **state)
{
    struct story s;
    char *huge = test_calloc(1, 2000);

    (void)state;
    begin_asking(&s);
    memset(huge, 'x', 1999);
    clu_to bob = clu_to_pid(s.bob.self), abe = clu_to_pid(s.abe.self);
    const clu_to *const to[] = {&bob, &abe};

    for (size_t i = 0; i < COUNT(to); i++) {
        clu_put_nil(clu_call_begin(s.ann.p, to[i], 10));
        clu_send_cancel(s.ann.p);
        clu_put_atom_text(clu_call_begin(s.ann.p, to[i], 10), huge);
        assert_int_equal(clu_call_end(s.ann.p, actor_answered, &s.ann, NULL), CLU_EATOM);
        assert_int_equal(clu_call_end(s.ann.p, actor_answered, &s.ann, NULL), CLU_EBADARG);
    }
    assert_int_equal(s.w.nodes[0].ties.n_used, 0);
    world_pass(&s.w, 5000);
    expect(&s, &s.ann, "");
    expect(&s, &s.bob, "");
    expect(&s, &s.abe, "");
    test_free(huge);
    end(&s);
}

static void casts_and_events(void **state)
{
    struct story *s = *state;
    clu_to bob, abe;

    bob = clu_to_pid(s->bob.self);
    abe = clu_to_pid(s->abe.self);
    clu_put_atom_text(clu_cast_begin(s->ann.p, &bob), "x");
    ok(clu_send_end(s->ann.p));
    clu_put_atom_text(clu_notify_begin(s->ann.p, &abe), "y");
    ok(clu_send_end(s->ann.p));
    world_run(&s->w);
    expect(s, &s->bob, "message ann {'$gen_cast',x}\n");
    expect(s, &s->abe, "message ann {notify,y}\n");
}

/* ---- from within ---- */

static void ask_again(clu_process *self, const clu_answer *answer, void *arg)
{
    struct actor *a = arg;

    actor_answered(self, answer, arg);
    clu_call_forget(self, &answer->ref); /* over already */
    if (answer->outcome == CLU_ANSWERED && ++a->n < 3) {
        clu_to to = clu_to_pid(a->other->self);

        clu_put_atom_text(clu_call_begin(self, &to, 1000), a->n == 2 ? "die" : "pid");
        ok(clu_call_end(self, ask_again, a, NULL));
    } else {
        clu_exit(self, "enough");
    }
}

static void who_asks_within_an_answer(void **state)
{
    struct story s;

    (void)state;
    begin_asking(&s);
    s.ann.other = &s.bob;
    clu_to to = clu_to_pid(s.bob.self);

    clu_put_atom_text(clu_call_begin(s.ann.p, &to, 1000), "alias");
    ok(clu_call_end(s.ann.p, ask_again, &s.ann, NULL));
    world_run(&s.w);
    expect(&s, &s.ann, "answered one\nanswered two\nno process 'asked to'\nended enough\n");
    end(&s);
}

/* Whoever names a call that is not its own, or none, answers nothing. */
static void forged_answers(void **state)
{
    struct story s;

    (void)state;
    begin_asking(&s);
    clu_ref ref = ask(&s.ann, &s.bob, "silence"), alias = clu_alias(s.ann.p);
    clu_to ann = clu_to_pid(s.ann.self), amy = clu_to_pid(s.amy.self);

    for (int i = 0; i < 4; i++) {
        clu_ref forged = i == 3 ? alias : ref;
        clu_to to = i == 2 ? amy : ann;

        forged.words[0] += i == 0;
        forged.words[2] += i == 1;
        clu_writer *w = clu_send_begin(s.bea.p, &to);

        clu_put_tuple(w, 2);
        clu_put_ref(w, &forged);
        clu_put_atom_text(w, "forged");
        ok(clu_send_end(s.bea.p));
    }
    world_run(&s.w);
    assert_null(strstr(actor_said(&s.ann, &s.said), "answered"));
    assert_null(strstr(actor_said(&s.amy, &s.said), "answered"));
    world_pass(&s.w, 1000);
    expect(&s, &s.ann, "timed out\n");
    end(&s);
}

static void one_of_many(clu_process *self, size_t index, const clu_answer *answer, size_t left,
                        void *arg)
{
    assert_int_equal(index + left, 0);
    actor_answered(self, answer, arg);
}

/* What cannot be a node's name is the caller's mistake, not a shortage, and nobody is dialled. */
static void is_no_node(struct story *s, const char *node)
{
    clu_to to = clu_to_name("name", node);
    clu_pid far = s->bob.self;

    far.node = slice_of(node);
    assert_int_equal(actor_send(&s->ann, &to, "x"), CLU_EBADARG);
    assert_int_equal(clu_monitor(s->ann.p, &to).n, 0);
    assert_int_equal(clu_link(s->ann.p, &far), CLU_EBADARG);
    assert_int_equal(clu_exit_signal(s->ann.p, &far, slice_of("j")), CLU_EBADARG);
    assert_int_equal(clu_set_group_leader(s->ann.p, &far, &s->ann.self), CLU_EBADARG);
    assert_int_equal(clu_spawn_remote(s->ann.p, node, "m", "f", slice_of("j"), false, true).n, 0);
    clu_put_nil(clu_call_begin(s->ann.p, &to, 1000));
    assert_int_equal(clu_call_end(s->ann.p, actor_answered, &s->ann, NULL), CLU_EBADARG);
    clu_put_nil(clu_rpc_begin(s->ann.p, node, "m", "f", 1000));
    assert_int_equal(clu_call_end(s->ann.p, actor_answered, &s->ann, NULL), CLU_EBADARG);
    clu_put_nil(clu_rpc_cast_begin(s->ann.p, node, "m", "f"));
    assert_int_equal(clu_call_end(s->ann.p, NULL, NULL, NULL), CLU_EBADARG);
    clu_put_nil(clu_multicall_begin(s->ann.p, &node, 1, "m", "f", 1000));
    ok(clu_multicall_end(s->ann.p, one_of_many, &s->ann));
    world_run(&s->w);
    expect(s, &s->ann, "no process badarg\n");
}

static void names_of_no_node(void **state)
{
    char long_name[301];

    memset(long_name, 'n', sizeof long_name - 1);
    long_name[100] = '@';
    long_name[sizeof long_name - 1] = '\0';
    is_no_node(*state, long_name);
    is_no_node(*state, "bob");
    is_no_node(*state, "bob@");
    is_no_node(*state, "@host");
    is_no_node(*state, "bob@two@three");
    is_no_node(*state, "bob@ho st");
    is_no_node(*state, "bob@h\xc3\xb6st");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_once),
        cmocka_unit_test(near_answers),
        cmocka_unit_test(who_takes_is_answered),
        cmocka_unit_test(of_nobody),
        cmocka_unit_test(the_link_breaks),
        cmocka_unit_test(late_answers_are_lost),
        cmocka_unit_test(forgotten_while_it_waits),
        cmocka_unit_test(calls_end_with_who_made_them),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(a_call_is_taken_back),
        STORY(casts_and_events),
        cmocka_unit_test(who_asks_within_an_answer),
        cmocka_unit_test(forged_answers),
        STORY(names_of_no_node),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
