/* SPDX-License-Identifier: Apache-2.0 */
#include "served.h"

/* Answers that wait for room, and what their servers say behind them: it comes in its order, be it
 * a message, a signal or the end. */

#define LARGE        200000
#define ANSWER(word) "{37,4,<us@h.4.4>,#Ref<p@h.8.7.6>} {[alias|#Ref<p@h.8.7.6>]," word "}\n"
#define LARGE_ANSWER "{37,4,<us@h.4.4>,#Ref<p@h.8.7.6>} large\n"
#define DOWN(reason) "{28,served,<p@h.1.2>,#Ref<p@h.8.7.6>} " reason "\n"

/* ---- the peer ---- */

/* A line for each message, but for what has only filled the link. */
static void print_frame(struct buf *out, const struct frame *frame)
{
    clu_reader r = {.pos = frame->control.data, .end = frame->control.data + frame->control.len};

    if (clu_get_tuple(&r) == 1)
        return;
    print_term(out, frame->control, frame->refs);
    if (frame->payload.len > 0) {
        buf_put_byte(out, ' ');
        print_term(out, frame->payload, frame->refs);
    }
    buf_put_byte(out, '\n');
}

/* What it reads until there is no more, while the node hears that there is room. */
static const char *heard(struct fixture *f)
{
    struct frame frame;

    buf_reset(&f->seen);
    do {
        struct buf out = {0};

        take_all(&f->channel, &out, 0);
        channel_feed(&f->peer, out.data, out.len, 0);
        while (channel_next(&f->peer, &frame))
            print_frame(&f->seen, &frame);
        assert_int_equal(f->peer.err, CLU_OK);
        buf_free(&out);
        node_writable(&f->link);
        node_turn(&f->node, 0);
    } while (channel_queued(&f->channel) > 0);
    return buf_text(&f->seen);
}

/* A call that is answered when the test says so. */
static clu_call *call(struct fixture *f)
{
    assert_int_equal(
        receive(f, "{6,caller,'',served}", "{'$gen_call',{caller,[alias|request]},later}"), CLU_OK);
    return f->pending;
}

/* ---- what fills the link ---- */

static void fill_small(struct fixture *f)
{
    fill(f, CHANNEL_BUSY_BYTES);
}

/* So many large messages wait that another has to; small ones pass. */
static void fill_large(struct fixture *f)
{
    static const uint8_t bytes[CHANNEL_LARGE_BUSY + 2 * OUTBOX_WHOLE_MAX];
    clu_writer w;

    channel_begin(&f->channel, &w, UINT64_MAX);
    clu_put_tuple(&w, 1);
    clu_put_nil(&w);
    channel_payload(&f->channel, &w);
    clu_put_binary(&w, bytes, sizeof bytes);
    assert_int_equal(channel_end(&f->channel, &w), CLU_OK);
    assert_false(channel_takes_large(&f->channel));
}

/* ---- what is said ---- */

static void reply(clu_call *call, const char *word)
{
    clu_put_atom_text(clu_reply_begin(call), word);
    assert_int_equal(clu_reply_end(call), CLU_OK);
}

static void reply_now(clu_call *call)
{
    reply(call, "now");
}

static void reply_large(clu_call *call)
{
    static const uint8_t bytes[LARGE];

    clu_put_binary(clu_reply_begin(call), bytes, sizeof bytes);
    assert_int_equal(clu_reply_end(call), CLU_OK);
}

static void raise(clu_call *call)
{
    clu_put_atom_text(clu_raise_begin(call, "exit"), "oops");
    assert_int_equal(clu_reply_end(call), CLU_OK);
}

static clu_error tell(struct fixture *f, const char *name, const char *word)
{
    clu_process *p = clu_whereis(&f->node, name);
    clu_to to = clu_to_pid(caller);

    clu_put_atom_text(clu_send_begin(p, &to), word);
    return clu_send_end(p);
}

/* ---- the tests ---- */

/* gen_server's {stop, normal, Reply, State}. */
static void the_end_comes_behind_the_answer(void **state)
{
    static const struct {
        void (*fill)(struct fixture *f);
        void (*reply)(clu_call *call);
        bool watched;
        const char *heard;
    } rows[] = {
        {fill_small, reply_now, true, ANSWER("now") DOWN("normal")},
        {fill_small, reply_now, false, ANSWER("now")},
        {fill_large, reply_large, true, LARGE_ANSWER DOWN("normal")},
        {fill_large, reply_large, false, LARGE_ANSWER},
        {fill_small, raise, true, DOWN("oops")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;

        open_link(&f);
        if (rows[i].watched)
            watch(&f, "served");
        clu_call *asked = call(&f);

        rows[i].fill(&f);
        rows[i].reply(asked);
        clu_exit(clu_whereis(&f.node, "served"), "normal");
        node_turn(&f.node, 0);
        assert_null(clu_whereis(&f.node, "served"));
        assert_string_equal(heard(&f), rows[i].heard);
        end(&f);
    }
}

static void answers_keep_their_order(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    watch(&f, "served");
    clu_call *first = call(&f), *second = call(&f), *third = call(&f), *fourth = call(&f);

    fill_large(&f);
    reply_large(first);
    reply(second, "small");
    raise(third);
    reply_large(fourth);
    assert_string_equal(heard(&f), LARGE_ANSWER ANSWER("small") DOWN("oops") LARGE_ANSWER);
    end(&f);
}

/* A message of the server waits, too, and hears when it may come; those of others pass. */
static void messages_come_behind_the_answer(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    clu_call *asked = call(&f);

    fill_large(&f);
    reply_large(asked);
    assert_int_equal(tell(&f, "served", "behind"), CLU_EBUSY);
    assert_int_equal(tell(&f, "plain", "other"), CLU_OK);
    assert_string_equal(heard(&f), "{22,<us@h.6.6>,<p@h.1.2>} other\n" LARGE_ANSWER);
    assert_string_equal(buf_text(&f.notes), "writable p@h\n");
    assert_int_equal(tell(&f, "served", "behind"), CLU_OK);
    assert_string_equal(heard(&f), "{22,<us@h.4.4>,<p@h.1.2>} behind\n");
    end(&f);
}

/* What is never refused goes behind it. */
static void signals_come_behind_the_answer(void **state)
{
    struct atom_term why;
    struct fixture f;

    (void)state;
    open_link(&f);
    clu_call *asked = call(&f);
    clu_process *p = clu_whereis(&f.node, "served");
    clu_to to = clu_to_pid(caller);

    fill_small(&f);
    reply_now(asked);
    assert_int_equal(clu_exit_signal(p, &caller, atom_term(&why, "over")), CLU_OK);
    clu_ref ref = clu_monitor(p, &to);

    clu_demonitor(p, &ref);
    assert_int_equal(clu_link(p, &caller), CLU_OK);
    assert_int_equal(clu_set_group_leader(p, &caller, &f.self), CLU_OK);
    clu_spawn_remote(p, "p@h", "m", "f", slice_of("j"), false, false);
    clu_exit(p, "x");
    const char *text = heard(&f);

    static const char *const order[] = {"{37,", "{26,", "{19,", "{20,",
                                        "{1,",  "{7,",  "{29,", "{24,"};

    for (size_t i = 0; i < COUNT(order); i++) {
        const char *at = strstr(text, order[i]);

        if (at == NULL)
            fail_msg("%s is not in %s", order[i], text);
        text = at;
    }
    end(&f);
}

/* The link goes, or the node does, and all that waits with it. */
static void what_waits_goes_with_the_link(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;

        open_link(&f);
        clu_call *asked = call(&f), *later = call(&f);

        fill_small(&f);
        reply_now(asked);
        if (i == 0) {
            node_link_down(&f.node, &f.link, "connection_closed");
            assert_int_equal(map_count(&f.node.remotes), 0);
        }
        reply_now(later);
        end(&f);
    }
}

/* Of rex, too, whose answers are its own. */
static void answers_of_rex_wait(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    fill_small(&f);
    for (int i = 0; i < 2; i++)
        assert_int_equal(receive(&f, "{6,caller,'',rex}",
                                 i == 0 ? "{caller,{call,erlang,node,[],user}}"
                                        : "{caller,{call,erlang,is_alive,[],user}}"),
                         CLU_OK);
    assert_int_equal(f.node.procs.n_used, f.n_own + 4);
    const char *text = heard(&f), *first = strstr(text, "{rex,us@h}");

    assert_non_null(first);
    assert_non_null(strstr(first, "{rex,true}"));
    end(&f);
}

/* Functions whose end nobody is told of leave nothing that would wait, however many they are. */
static void casts_do_not_wait(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    fill_small(&f);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            receive(&f, "{29,request,caller,caller,{erpc,execute_cast,3},[]}", "[erlang,node,[]]"),
            CLU_OK);
    assert_int_equal(f.node.procs.n_used, f.n_own + 4);
    assert_true(list_empty(&f.node.calls));
    assert_int_equal(f.link.remote->unsent, 0);
    assert_int_equal(receive(&f, "{29,request,caller,caller,{erpc,execute_call,4},[monitor]}",
                             "[result,erlang,node,[]]"),
                     CLU_OK);
    assert_true(f.link.remote->unsent > 0);
    assert_non_null(strstr(heard(&f), "return,us@h"));
    assert_int_equal(f.link.remote->unsent, 0);
    end(&f);
}

/* Nothing that waits can come to a peer that takes no fragments, if it is too long for one frame:
 * who asked is told at once, so far as it reads. */
static void what_is_too_long_does_not_wait(void **state)
{
    struct fixture f;
    uint8_t *bytes = test_calloc(1, CHANNEL_FRAME_MAX);

    (void)state;
    open_link_flags(&f, NODE_FLAGS & ~DFLAG_FRAGMENTS);
    watch(&f, "served");
    clu_call *asked = call(&f);

    fill_small(&f);
    clu_put_binary(clu_reply_begin(asked), bytes, CHANNEL_FRAME_MAX);
    assert_int_equal(clu_reply_end(asked), CLU_OK);
    assert_string_equal(heard(&f), DOWN("system_limit"));
    test_free(bytes);
    end(&f);
}

static clu_error take_later(clu_call *call, clu_reader *args, void *arg)
{
    struct fixture *f = arg;

    (void)args;
    f->pending = call;
    return CLU_PENDING;
}

/* What a function ends with counts for the link until it is known that nobody there waits for it:
 * a process of ours had it monitored, and who called did not. */
static void what_was_for_nobody_makes_room(void **state)
{
    struct fixture f;
    uint8_t *bytes = test_calloc(1, 2 * CHANNEL_BUSY_BYTES);

    (void)state;
    open_link(&f);
    clu_export(&f.node, "m", "later", 0, take_later, &f);
    assert_int_equal(
        receive(&f, "{29,request,caller,caller,{erpc,execute_call,4},[]}", "[result,m,later,[]]"),
        CLU_OK);
    clu_call *function = f.pending;
    clu_pid own = clu_self(clu_call_self(function));
    clu_to to = clu_to_pid(own);

    assert_true(clu_monitor(clu_whereis(&f.node, "box"), &to).n > 0);
    clu_call *asked = call(&f);

    (void)heard(&f);
    clu_put_binary(clu_reply_begin(function), bytes, 2 * CHANNEL_BUSY_BYTES);
    assert_int_equal(clu_reply_end(function), CLU_OK);
    reply_now(asked);
    node_turn(&f.node, 0);
    assert_int_equal(f.link.remote->unsent, 0);
    assert_string_equal(heard(&f), ANSWER("now"));
    test_free(bytes);
    end(&f);
}

/* net_adm:ping, and sys: their answers are not lost. */
static void the_node_itself_is_never_too_busy(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    fill_small(&f);
    assert_int_equal(receive(&f, "{6,caller,'',net_kernel}",
                             "{'$gen_call',{caller,[alias|request]},{is_auth,'p@h'}}"),
                     CLU_OK);
    assert_int_equal(
        receive(&f, "{6,caller,'',served}", "{system,{caller,[alias|request]},get_state}"), CLU_OK);
    const char *got = heard(&f);

    assert_non_null(strstr(got, ",yes}"));
    assert_non_null(strstr(got, "well"));
    end(&f);
}

static void put_large_state(clu_process *self, clu_writer *w, void *arg)
{
    static const uint8_t bytes[LARGE];

    (void)self;
    (void)arg;
    clu_put_binary(w, bytes, sizeof bytes);
}

/* What sys asks of a process may be large, and wait as any large answer. */
static void large_answers_of_the_node_wait(void **state)
{
    static const clu_server heavy = {.state = put_large_state};
    struct fixture f;

    (void)state;
    open_link(&f);
    clu_process *p = clu_serve(&f.node, "heavy", &heavy, NULL);

    fill_large(&f);
    assert_int_equal(
        receive(&f, "{6,caller,'',heavy}", "{system,{caller,[alias|request]},get_status}"), CLU_OK);
    assert_string_equal(strchr(heard(&f), '}'), "} large\n");
    clu_exit(p, "shutdown");
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_comes_behind_the_answer),
        cmocka_unit_test(answers_keep_their_order),
        cmocka_unit_test(messages_come_behind_the_answer),
        cmocka_unit_test(signals_come_behind_the_answer),
        cmocka_unit_test(what_waits_goes_with_the_link),
        cmocka_unit_test(answers_of_rex_wait),
        cmocka_unit_test(casts_do_not_wait),
        cmocka_unit_test(what_is_too_long_does_not_wait),
        cmocka_unit_test(what_was_for_nobody_makes_room),
        cmocka_unit_test(the_node_itself_is_never_too_busy),
        cmocka_unit_test(large_answers_of_the_node_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
