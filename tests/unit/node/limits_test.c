/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

/* Limits of mailboxes and links, timers, and what goes wrong at this end. */

/* ---- limits ---- */

static void a_full_mailbox_ends_its_process(void **state)
{
    struct story *s = *state;
    static struct actor tim;
    size_t n = 0;
    clu_spawn_options small = {.mailbox_max = 4096};

    assert_true(actor_start(&tim, &s->w, 1, "tim", &small, true));
    ok(clu_link(s->bob.p, &tim.self));
    clu_to to = clu_to_pid(tim.self);

    assert_int_equal(clu_monitor(s->ann.p, &to).n, 3);
    while (tim.p != NULL && n++ < 1000) {
        ok(actor_tell(&s->ann, &tim, "x"));
        world_run(&s->w);
    }
    assert_in_range(n, 2, 100);
    expect(s, &tim, "ended message_queue_full\n");
    expect(s, &s->bob, "exit tim message_queue_full\n");
    expect(s, &s->ann, "down tim message_queue_full\n");
}

/* What the node itself is made of lives on: who watches it, and may wait for an answer, is told. */
static void a_service_outlives_a_full_mailbox(void **state)
{
    struct story *s = *state;
    clu_to near = clu_to_name("rex", "a@h");

    assert_int_equal(clu_monitor(s->bob.p, &near).n, 3);
    assert_int_equal(clu_monitor(s->abe.p, &near).n, 3);
    world_run(&s->w);
    clu_whereis(&s->w.nodes[0], "rex")->mailbox_max = 1;
    ok(actor_send(&s->ann, &near, "hello"));
    world_run(&s->w);
    expect(s, &s->bob, "down rex a@h message_queue_full\n");
    expect(s, &s->abe, "down rex a@h message_queue_full\n");
    clu_put_nil(clu_rpc_begin(s->bob.p, "a@h", "erlang", "node", 1000));
    ok(clu_call_end(s->bob.p, actor_answered, &s->bob, NULL));
    clu_put_nil(clu_call_begin(s->ben.p, &near, 1000));
    ok(clu_call_end(s->ben.p, actor_answered, &s->ben, NULL));
    world_run(&s->w);
    expect(s, &s->bob, "answered a@h\n");
    expect(s, &s->ben, "no process notsup\n");
}

/* So many processes and no more: that is a limit, and no shortage of memory. */
static void processes_are_bounded(void **state)
{
    struct story *s = *state;
    struct clu_node *n;

    n = &s->w.nodes[0];
    assert_int_equal(n->procs.max, CLU_PROCESSES_MAX);
    n->procs.max = n->procs.n_used + 1;
    clu_process *last = clu_spawn(n, &(clu_spawn_options){0});

    assert_non_null(last);
    assert_null(clu_spawn(n, &(clu_spawn_options){0}));
    assert_int_equal(n->err, CLU_ESIZE);
    assert_non_null(strstr(n->why, "already"));
    clu_exit(last, "normal");
    world_run(&s->w);
    assert_non_null(last = clu_spawn(n, &(clu_spawn_options){0}));
    clu_exit(last, "normal");
}

static clu_error send_big(struct actor *a, const clu_to *to)
{
    static uint8_t bytes[60000];

    clu_put_binary(clu_send_begin(a->p, to), bytes, sizeof bytes);
    return clu_send_end(a->p);
}

static void count_only(struct actor *a, const clu_signal *s)
{
    if (s->kind == CLU_SIGNAL_MESSAGE)
        buf_reset(&a->log);
}

/* Two slow readers: whoever was told EBUSY of both hears of both. */
static void busy_peers_are_told_to_be_writable(void **state)
{
    struct story s;
    struct actor cat;
    size_t sent = 0;

    (void)state;
    s = (struct story){0};
    begin(&s);
    s.w.n = 3;
    assert_int_equal(node_init(&s.w.nodes[2], "c@h", 6, false), CLU_OK);
    assert_true(world_join(&s.w, 0, 2));
    start(&cat, &s.w, 2, "cat", true);
    cat.does = s.bob.does = count_only;
    clu_to bob = clu_to_pid(s.bob.self), far = clu_to_pid(cat.self);

    while (sent < 100 && send_big(&s.ann, &bob) == CLU_OK)
        sent++;
    assert_in_range(sent, 3, 20);
    while (send_big(&s.ann, &far) == CLU_OK && sent < 100)
        sent++;
    assert_int_equal(send_big(&s.ann, &bob), CLU_EBUSY);
    assert_int_equal(send_big(&s.ann, &far), CLU_EBUSY);
    assert_int_equal(send_big(&s.abe, &far), CLU_EBUSY);
    /* signals go on; a call is refused as a message is, and leaves nothing */
    ok(clu_link(s.ann.p, &s.bob.self));
    size_t queued = channel_queued(&s.w.ends[0][1].channel);

    clu_put_nil(clu_call_begin(s.ann.p, &bob, 100));
    assert_int_equal(clu_call_end(s.ann.p, actor_answered, &s.ann, NULL), CLU_EBUSY);
    assert_int_equal(channel_queued(&s.w.ends[0][1].channel), queued);
    world_run(&s.w);
    expect(&s, &s.ann, "writable b@h\nwritable c@h\n");
    expect(&s, &s.abe, "writable c@h\n");
    assert_int_equal(s.bob.n + cat.n, sent);
    ok(send_big(&s.ann, &bob));
    end(&s);
}

/* Who waits for room and ends, or whose node ends: nobody is told. */
static void who_waits_for_room_ends(void **state)
{
    struct story s;

    (void)state;
    begin(&s);
    world_cut(&s.w, 0, 1);
    s.w.dial = WORLD_WAITS;
    clu_to bob = clu_to_pid(s.bob.self);

    while (send_big(&s.ann, &bob) == CLU_OK)
        continue;
    assert_int_equal(send_big(&s.abe, &bob), CLU_EBUSY);
    assert_int_equal(send_big(&s.abe, &bob), CLU_EBUSY);
    clu_exit(s.ann.p, "impatient");
    world_run(&s.w);
    expect(&s, &s.ann, "ended impatient\n");
    world_fini(&s.w); /* with all that is held */
    for (size_t i = 0; i < s.w.n_actors; i++)
        actor_fini(s.w.actors[i]);
    buf_free(&s.said);
}

/* Who has ended waits for nothing, whatever it still tries before it is buried. */
static void who_has_ended_does_not_wait(void **state)
{
    struct story *s = *state;

    world_cut(&s->w, 0, 1);
    s->w.dial = WORLD_WAITS;
    clu_to bob = clu_to_pid(s->bob.self);

    while (send_big(&s->ann, &bob) == CLU_OK)
        continue;
    clu_exit(s->abe.p, "gone");
    clu_put_nil(clu_call_begin(s->abe.p, &bob, 100));
    assert_int_equal(clu_call_end(s->abe.p, actor_answered, &s->abe, NULL), CLU_ENOENT);
    clu_put_nil(clu_rpc_begin(s->abe.p, "b@h", "m", "f", 100));
    assert_int_equal(clu_call_end(s->abe.p, actor_answered, &s->abe, NULL), CLU_ENOENT);
    world_run(&s->w);
    expect(s, &s->abe, "ended gone\n");
    world_unreachable(&s->w, 0, 1);
    world_run(&s->w);
    expect(s, &s->ann, "writable b@h\n");
}

/* What waits for a node to be linked is bounded, too. */
static void held_messages_are_bounded(void **state)
{
    struct story *s = *state;
    size_t sent = 0;

    world_cut(&s->w, 0, 1);
    s->w.dial = WORLD_WAITS;
    clu_to bob = clu_to_pid(s->bob.self);

    while (sent < 100 && send_big(&s->ann, &bob) == CLU_OK)
        sent++;
    assert_int_equal(sent, CLU_HELD_MAX / 60000 + 1);
    assert_int_equal(send_big(&s->abe, &bob), CLU_EBUSY);
    assert_true(world_join(&s->w, 0, 1));
    s->bob.does = count_only;
    world_run(&s->w);
    assert_int_equal(s->bob.n, sent);
    expect(s, &s->ann, "writable b@h\n");
    expect(s, &s->abe, "writable b@h\n");
    world_cut(&s->w, 0, 1);
    while (send_big(&s->ann, &bob) == CLU_OK)
        sent++;
    node_unreachable(&s->w.nodes[0], "b@h"); /* what was held is lost, and who waits is told */
    world_run(&s->w);
    expect(s, &s->ann, "writable b@h\n");
    expect(s, &s->bob, "");
}

/* Messages keep their order over the time in which their node was not linked. */
static void held_messages_keep_their_order(void **state)
{
    struct story *s = *state;

    world_cut(&s->w, 0, 1);
    s->w.dial = WORLD_WAITS;
    ok(actor_tell(&s->ann, &s->bob, "one"));
    world_run(&s->w);
    ok(actor_tell(&s->ann, &s->bob, "two"));
    assert_true(world_join(&s->w, 0, 1));
    ok(actor_tell(&s->ann, &s->bob, "three"));
    world_run(&s->w);
    expect(s, &s->bob, "message ann one\nmessage ann two\nmessage ann three\n");
}

/* ---- timers ---- */

static void timers(void **state)
{
    struct story *s = *state;
    clu_ref gone = clu_after(s->ann.p, 50);

    clu_after(s->ann.p, 100);
    clu_after(s->ann.p, 20);
    clu_after(s->ann.p, UINT64_MAX);
    clu_after(s->abe.p, 30);
    assert_int_equal(node_deadline(&s->w.nodes[0]), s->w.now + 20);
    world_pass(&s->w, 10);
    expect(s, &s->ann, "");
    world_pass(&s->w, 10);
    expect(s, &s->ann, "timeout\n");
    clu_exit(s->abe.p, "x");
    clu_cancel(s->abe.p, &gone); /* another's */
    clu_cancel(s->ann.p, &gone);
    clu_cancel(s->ann.p, &gone);
    world_pass(&s->w, 1000);
    expect(s, &s->ann, "timeout\n");
    expect(s, &s->abe, "ended x\n");
    /* cancelled when it is due and waits */
    gone = clu_after(s->ann.p, 0);
    node_tick(&s->w.nodes[0], s->w.now);
    clu_cancel(s->ann.p, &gone);
    world_run(&s->w);
    expect(s, &s->ann, "");
}

static void set_timer(struct actor *a, const clu_signal *s)
{
    if (s->kind == CLU_SIGNAL_MESSAGE)
        clu_after(a->p, 100);
}

/* However long nothing had happened before. */
static void timers_count_from_what_sets_them(void **state)
{
    struct story *s = *state;

    s->bob.does = set_timer;
    ok(actor_tell(&s->ann, &s->bob, "go"));
    world_turn(&s->w, 0);
    s->w.now += 5000;
    assert_true(world_carry(&s->w, 0, 1));
    assert_int_equal(node_deadline(&s->w.nodes[1]), s->w.now + 100);
    world_run(&s->w);
    expect(s, &s->bob, "message ann go\n");
    world_pass(&s->w, 100);
    expect(s, &s->bob, "timeout\n");
}

/* A signal that waits belongs to its reference alone, however many came after that. */
static void a_place_that_is_used_again(void **state)
{
    struct story *s = *state;
    static struct actor tim;

    assert_true(actor_start(&tim, &s->w, 0, "tim", NULL, true));
    clu_ref first = clu_after(tim.p, 0), other = {0};

    world_pass(&s->w, 1);
    clu_cancel(tim.p, &first);
    for (int i = 0; i < 5000; i++) {
        other = clu_alias(tim.p);
        if (other.words[1] == first.words[1])
            break;
        clu_unalias(tim.p, &other);
    }
    assert_int_equal(other.words[1], first.words[1]);
    actor_takes(&tim);
    expect(s, &tim, "");
    clu_to to = clu_to_alias(other);

    ok(actor_send(&s->ann, &to, "still there"));
    actor_takes(&tim);
    expect(s, &tim, "message ann 'still there'\n");
}

/* ---- answers that are not read ---- */

static clu_error give_much(clu_call *call, clu_reader *request, void *arg)
{
    (void)request;
    (void)arg;
    uint8_t *bytes = test_calloc(1, 60u << 20);

    clu_put_binary(clu_reply_begin(call), bytes, 60u << 20);
    test_free(bytes);
    return clu_reply_end(call);
}

/* A peer that asks and does not read has its link closed. */
static void answers_that_wait_are_bounded(void **state)
{
    static const clu_server server = {.call = give_much};
    struct story *s = *state;
    clu_to to = clu_to_name("much", "b@h");

    assert_non_null(clu_serve(&s->w.nodes[1], "much", &server, NULL));
    for (int i = 0; i < 6; i++) {
        clu_put_nil(clu_call_begin(s->ann.p, &to, CLU_INFINITY));
        ok(clu_call_end(s->ann.p, actor_answered, &s->ann, NULL));
    }
    world_turn(&s->w, 0);
    s->w.room = 1;
    while (world_carry(&s->w, 0, 1))
        continue;
    world_turn(&s->w, 1);
    assert_int_equal(s->w.errors, 1);
    assert_non_null(strstr(s->w.what, "answers"));
    s->w.errors = 0;
    s->w.room = 0;
    s->w.dial = WORLD_REFUSES;
    clu_exit(s->ann.p, "x");
    world_run(&s->w);
    clu_exit(clu_whereis(&s->w.nodes[1], "much"), "x");
}

/* ---- what is begun and not ended ---- */

static void leave_begun(struct actor *a, const clu_signal *s)
{
    static const uint8_t bytes[300000];
    clu_to to = clu_to_pid(a->other->self);

    (void)s;
    clu_put_binary(clu_send_begin(a->p, &to), bytes, sizeof bytes);
}

/* Others write where it stood. */
static void what_a_function_leaves_begun_is_dropped(void **state)
{
    struct story *s = *state;

    for (int i = 0; i < 2; i++) {
        s->bob.other = i == 0 ? &s->ann : &s->bea; /* far, near */
        s->bob.does = leave_begun;
        ok(actor_tell(&s->ann, &s->bob, "go"));
        world_run(&s->w);
        expect(s, &s->bob, "message ann go\n");
        s->bob.does = NULL;
        ok(actor_tell(&s->ben, s->bob.other, "whole"));
        world_run(&s->w);
        expect(s, s->bob.other, "message ben whole\n");
    }
}

/* A message is no call: it is told, and the message is gone. */
static void a_message_that_is_ended_as_a_call(void **state)
{
    static const uint8_t bytes[300000];
    struct story *s = *state;
    clu_to to;

    to = clu_to_pid(s->bob.self);
    clu_put_binary(clu_send_begin(s->ann.p, &to), bytes, sizeof bytes);
    assert_int_equal(clu_call_end(s->ann.p, actor_answered, &s->ann, NULL), CLU_EBADARG);
    ok(actor_tell(&s->abe, &s->bob, "whole"));
    world_run(&s->w);
    expect(s, &s->bob, "message abe whole\n");
    expect(s, &s->ann, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY(a_full_mailbox_ends_its_process),
        cmocka_unit_test(busy_peers_are_told_to_be_writable),
        cmocka_unit_test(who_waits_for_room_ends),
        STORY(who_has_ended_does_not_wait),
        STORY(held_messages_are_bounded),
        STORY(held_messages_keep_their_order),
        STORY(timers),
        STORY(timers_count_from_what_sets_them),
        STORY(a_place_that_is_used_again),
        STORY(answers_that_wait_are_bounded),
        STORY(what_a_function_leaves_begun_is_dropped),
        STORY(a_message_that_is_ended_as_a_call),
        STORY(a_service_outlives_a_full_mailbox),
        STORY(processes_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
