/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

#include "node/calls.h"

/* Odd but allowed uses of what the public headers promise. */

/* ---- processes that change while they are called ---- */

struct changing {
    clu_receive_fn *receive; /* that it has in the end */
    bool twice;              /* none in between */
    clu_error returns;
    clu_process *p;
    int answers, received, stopped;
};

static void on_answer(clu_process *self, const clu_answer *answer, void *arg)
{
    struct changing *c = arg;

    assert_ptr_equal(self, c->p);
    assert_int_equal(answer->outcome, CLU_NO_PROCESS);
    c->answers++;
}

static void on_signal(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    ((struct changing *)arg)->received += s->kind == CLU_SIGNAL_DOWN;
}

static void on_stopped(clu_process *self, clu_slice reason, void *arg)
{
    (void)self;
    (void)reason;
    ((struct changing *)arg)->stopped++;
}

/* A call that is answered, and a monitor that fires, while the function still runs. */
static clu_error change(clu_call *call, clu_reader *args, void *arg)
{
    struct changing *c = arg;
    clu_to nobody = clu_to_name("nobody", NULL);

    (void)args;
    c->p = clu_call_self(call);
    clu_put_nil(clu_call_begin(c->p, &nobody, CLU_INFINITY));
    ok(clu_call_end(c->p, on_answer, c, NULL));
    assert_int_equal(clu_monitor(c->p, &nobody).n, 3);
    if (c->twice)
        clu_become(call, NULL, on_stopped, c);
    clu_become(call, c->receive, on_stopped, c);
    return c->returns;
}

static void run_change(struct story *s, struct changing *c)
{
    clu_export(&s->w.nodes[0], "m", "change", 0, change, c);
    assert_int_equal(clu_spawn_remote(s->ann.p, "a@h", "m", "change", slice_of("j"), false, true).n,
                     3);
    world_run(&s->w);
}

static void who_becomes_one_that_takes_is_handed_nothing(void **state)
{
    static struct changing c;
    clu_signal signal;

    c = (struct changing){.returns = CLU_OK};
    run_change(*state, &c);
    assert_int_equal(c.answers, 1);
    assert_true(clu_take(c.p, &signal));
    assert_int_equal(signal.kind, CLU_SIGNAL_DOWN);
    assert_false(clu_take(c.p, &signal));
    clu_exit(c.p, "normal");
    world_run(&((struct story *)*state)->w);
    assert_int_equal(c.stopped, 1);
}

static void who_becomes_twice_is_handed_all(void **state)
{
    static struct changing c;

    c = (struct changing){.returns = CLU_PENDING, .receive = on_signal, .twice = true};
    run_change(*state, &c);
    assert_int_equal(c.answers, 1);
    assert_int_equal(c.received, 1);
    clu_exit(c.p, "normal");
    world_run(&((struct story *)*state)->w);
    assert_int_equal(c.stopped, 1);
}

/* An error of the function is one, whatever its process was to become. */
static void who_fails_became_nothing(void **state)
{
    static struct changing c;
    struct story *s = *state;

    c = (struct changing){.returns = CLU_ERANGE, .receive = on_signal};
    run_change(s, &c);
    assert_int_equal(c.stopped, 1);
    expect(s, &s->ann, "spawned ?\ndown ? {badarg,[{m,change,0,[]}]}\n");
}

/* ---- references ---- */

static void gives_up(struct actor *a, const clu_signal *s)
{
    if (s->kind == CLU_SIGNAL_DOWN) {
        clu_demonitor(a->p, &s->ref);
        assert_true(clu_slice_is(s->name, "taker")); /* borrowed until we return */
        assert_true(clu_slice_is(s->node, "b@h"));
        a->n += 100;
    }
}

static void what_fired_is_given_up_while_it_is_handled(void **state)
{
    static struct actor eve, taker;
    struct story *s = *state;
    clu_to to = clu_to_name("taker", "b@h");

    eve = taker = (struct actor){0};
    start(&eve, &s->w, 0, "eve", true);
    assert_true(
        actor_start(&taker, &s->w, 1, "taker", &(clu_spawn_options){.name = "taker"}, false));
    eve.does = gives_up;
    assert_int_equal(clu_monitor(eve.p, &to).n, 3);
    world_run(&s->w);
    clu_exit(taker.p, "oops");
    world_run(&s->w);
    assert_true(eve.n >= 100);
    assert_int_equal(s->w.nodes[0].ties.n_used, 0);
}

/* Only clu_call_forget takes the answer away. */
static void a_call_is_no_monitor_to_give_up(void **state)
{
    struct story *s = *state;
    clu_to to = clu_to_pid(s->bob.self);
    clu_ref ref;

    clu_put_nil(clu_call_begin(s->ann.p, &to, 50));
    ok(clu_call_end(s->ann.p, actor_answered, &s->ann, &ref));
    clu_demonitor(s->ann.p, &ref);
    clu_unalias(s->ann.p, &ref);
    clu_cancel(s->ann.p, &ref);
    world_run(&s->w);
    world_pass(&s->w, 50);
    assert_non_null(strstr(actor_said(&s->ann, &s->said), "timed"));
}

/* ---- what is no term, or no atom ---- */

static void reasons_that_are_none(void **state)
{
    struct story *s = *state;
    char many[CLU_ATOM_BYTES_MAX + 2] = {0}, wide[2 * CLU_ATOM_CHARS_MAX + 1] = {0};

    memset(many, 'x', sizeof many - 1);
    for (size_t i = 0; i + 1 < sizeof wide; i += 2)
        memcpy(wide + i, "\xc3\xbc", 2);
    link_to(&s->bob, &s->ann);
    link_to(&s->bob, &s->abe);
    link_to(&s->bob, &s->amy);
    link_to(&s->ann, &s->bea);
    world_run(&s->w);
    assert_int_equal(clu_exit_signal(s->ben.p, &s->ann.self, (clu_slice){NULL, 0}), CLU_EBADARG);
    assert_int_equal(clu_exit_signal(s->ben.p, &s->ben.self, slice_of("h")), CLU_EBADARG);
    clu_exit(s->ann.p, many);
    clu_exit_term(s->abe.p, slice_of("jj"));
    clu_exit(s->amy.p, wide);
    world_run(&s->w);
    const char *said = actor_said(&s->bob, &s->said);

    assert_true(strncmp(said, "exit ann badarg\nexit abe badarg\nexit amy ", 41) == 0);
    assert_non_null(strstr(said, "\xc3\xbc"));
    assert_null(s->bea.p);
}

static void what_is_spawned_nowhere_links_nobody(void **state)
{
    struct story *s = *state;
    char many[CLU_ATOM_CHARS_MAX + 2] = {0};

    memset(many, 'x', sizeof many - 1);
    for (int i = 0; i < 2; i++) {
        const char *node = i == 0 ? "a@h" : "b@h";

        assert_int_equal(clu_spawn_remote(s->amy.p, node, many, "f", slice_of("j"), true, true).n,
                         0);
        assert_int_equal(clu_spawn_remote(s->amy.p, node, "m", many, slice_of("j"), true, true).n,
                         0);
    }
    world_run(&s->w);
    assert_non_null(s->amy.p);
    expect(s, &s->amy, "");
}

/* ---- ended by the wrong function ---- */

static void calls_of_functions_are_no_messages(void **state)
{
    struct story *s = *state;
    const char *const nodes[] = {"b@h"};

    for (int i = 0; i < 2; i++) {
        const char *node = i == 0 ? "a@h" : "b@h";

        clu_put_nil(clu_rpc_begin(s->ann.p, node, "m", "f", 10));
        assert_int_equal(clu_send_end(s->ann.p), CLU_EBADARG);
        clu_put_nil(clu_rex_begin(s->ann.p, node, "m", "f", 10));
        assert_int_equal(clu_send_end(s->ann.p), CLU_EBADARG);
        clu_put_nil(clu_rpc_cast_begin(s->ann.p, node, "m", "f"));
        assert_int_equal(clu_send_end(s->ann.p), CLU_EBADARG);
        clu_put_nil(clu_multicall_begin(s->ann.p, nodes, 1, "m", "f", 10));
        assert_int_equal(clu_send_end(s->ann.p), CLU_EBADARG);
        clu_put_nil(clu_rex_begin(s->ann.p, node, "m", "f", 10));
        ok(clu_call_end(s->ann.p, actor_answered, &s->ann, NULL));
        world_run(&s->w);
        assert_non_null(strstr(actor_said(&s->ann, &s->said), "undef"));
    }
    world_pass(&s->w, 10);
    expect(s, &s->ann, "");
}

static clu_error reply_nothing(clu_call *call, clu_reader *args, void *arg)
{
    (void)args;
    (void)arg;
    (void)clu_reply_begin(call);
    return clu_reply_end(call);
}

/* A BEAM cuts the link for what is no term. */
static void what_is_empty_is_not_sent(void **state)
{
    struct story *s = *state;
    clu_process *p = s->ann.p;

    clu_export(&s->w.nodes[1], "m", "nothing", 0, reply_nothing, NULL);
    for (int i = 0; i < 2; i++) {
        clu_to to = clu_to_pid(i == 0 ? s->amy.self : s->bob.self);

        (void)clu_send_begin(p, &to);
        assert_int_equal(clu_send_end(p), CLU_EBADARG);
        assert_int_equal(clu_send_raw(p, &to, (clu_slice){NULL, 0}), CLU_EBADARG);
        (void)clu_cast_begin(p, &to);
        assert_int_equal(clu_send_end(p), CLU_EBADARG);
        (void)clu_call_begin(p, &to, CLU_INFINITY);
        assert_int_equal(clu_call_end(p, actor_answered, &s->ann, NULL), CLU_EBADARG);
        (void)clu_sync_notify_begin(p, &to, CLU_INFINITY);
        assert_int_equal(clu_call_end(p, actor_answered, &s->ann, NULL), CLU_EBADARG);
    }
    world_run(&s->w);
    expect(s, &s->ann, "");
    expect(s, &s->amy, "");
    expect(s, &s->bob, "");
    clu_put_nil(clu_rpc_begin(p, "b@h", "m", "nothing", 10));
    ok(clu_call_end(p, actor_answered, &s->ann, NULL));
    world_run(&s->w);
    assert_non_null(strstr(actor_said(&s->ann, &s->said), "badarg"));
}

static void on_part(clu_process *self, size_t index, const clu_answer *answer, size_t left,
                    void *arg)
{
    (void)self;
    (void)index;
    (void)answer;
    (void)left;
    (void)arg;
    fail();
}

/* The arguments of a function are such a term, too; of a peer that is not linked as well. */
static void calls_without_arguments_are_not_made(void **state)
{
    static const char *const nodes[] = {"a@h", "b@h", "c@h"};
    struct story *s = *state;
    clu_process *p = s->ann.p;

    for (size_t i = 0; i < COUNT(nodes); i++) {
        (void)clu_rpc_begin(p, nodes[i], "m", "f", 10);
        assert_int_equal(clu_call_end(p, actor_answered, &s->ann, NULL), CLU_EBADARG);
        (void)clu_rex_begin(p, nodes[i], "m", "f", 10);
        assert_int_equal(clu_call_end(p, actor_answered, &s->ann, NULL), CLU_EBADARG);
        (void)clu_rpc_cast_begin(p, nodes[i], "m", "f");
        assert_int_equal(clu_call_end(p, NULL, NULL, NULL), CLU_EBADARG);
    }
    (void)clu_multicall_begin(p, nodes, COUNT(nodes), "m", "f", 10);
    assert_int_equal(clu_multicall_end(p, on_part, NULL), CLU_EBADARG);
    world_run(&s->w);
    expect(s, &s->ann, "");
}

/* ---- a state that is shown ---- */

static void send_state(clu_process *self, clu_writer *w, void *arg)
{
    const struct actor *to = arg;
    clu_to there = clu_to_pid(to->self);

    clu_put_atom_text(w, "shown");
    ok(clu_send_raw(self, &there, slice_of("j")));
    clu_put_nil(clu_send_begin(self, &there)); /* and is not ended */
}

static void put_no_state(clu_process *self, clu_writer *w, void *arg)
{
    (void)self;
    (void)w;
    (void)arg;
}

static void ask_state(struct story *s, const char *name)
{
    clu_to to = clu_to_name(name, "a@h");
    clu_writer *w = clu_send_begin(s->bob.p, &to);

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "system");
    clu_put_tuple(w, 2);
    clu_put_pid(w, &s->bob.self);
    clu_put_atom_text(w, "tag");
    clu_put_atom_text(w, "get_state");
    ok(clu_send_end(s->bob.p));
    world_run(&s->w);
}

static void a_state_may_send(void **state)
{
    static const clu_server sends = {.state = send_state}, none = {.state = put_no_state};
    struct story *s = *state;
    clu_process *p = clu_serve(&s->w.nodes[0], "sends", &sends, &s->ben);
    clu_process *q = clu_serve(&s->w.nodes[0], "none", &none, NULL);

    assert_true(p != NULL && q != NULL);
    ask_state(s, "sends");
    expect(s, &s->bob, "message ? {tag,{ok,shown}}\n");
    expect(s, &s->ben, "message ? []\n");
    ask_state(s, "none");
    expect(s, &s->bob, "message ? {tag,{ok,undefined}}\n");
    clu_exit(p, "normal");
    clu_exit(q, "normal");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY(who_becomes_one_that_takes_is_handed_nothing),
        STORY(who_becomes_twice_is_handed_all),
        STORY(who_fails_became_nothing),
        STORY(what_fired_is_given_up_while_it_is_handled),
        STORY(a_call_is_no_monitor_to_give_up),
        STORY(reasons_that_are_none),
        STORY(what_is_spawned_nowhere_links_nobody),
        STORY(calls_of_functions_are_no_messages),
        STORY(what_is_empty_is_not_sent),
        STORY(calls_without_arguments_are_not_made),
        STORY(a_state_may_send),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
