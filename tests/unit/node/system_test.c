/* SPDX-License-Identifier: Apache-2.0 */
#include "served.h"

/* System messages, and what an operator asks. */

static void system_messages_are_answered(void **state)
{
    static const char *const names[] = {"mute", "plain", "box", "rex", "net_kernel"};
    static const struct {
        const char *word, *question, *answer;
    } rows[] = {
        {"system", "get_state", "{ok,undefined}}\n"},
        {"system", "{debug,{trace,true}}", "unknown_debug}\n"},
        {"system", "suspend", "{error,{unknown_system_msg,suspend}}}\n"},
        {"system", "{change_code,a,b,c}", "{error,{unknown_system_msg,{change_code,a,b,c}}}}\n"},
        {"system", "[odd]", "{error,{unknown_system_msg,[odd]}}}\n"},
        {"system", "{replace_state,f}",
         "{error,{callback_failed,{erlclu,system_replace_state},{error,undef}}}}\n"},
        {"'$gen_call'", "which_children", "[]}\n"},
        {"'$gen_call'", "count_children", "[{specs,0},{active,0},{supervisors,0},{workers,0}]}\n"},
    };
    struct fixture f;

    (void)state;
    open_link(&f);
    assert_string_equal(ask(&f, "served", "system", "get_state"), "{ok,well}}\n");
    for (size_t n = 0; n < COUNT(names); n++)
        for (size_t i = 0; i < COUNT(rows); i++)
            assert_string_equal(ask(&f, names[n], rows[i].word, rows[i].question), rows[i].answer);
    assert_string_equal(ask(&f, "served", "system", "get_status"),
                        "{status,<us@h.4.4>,{module,erlclu},[[],running,<us@h.4.4>,[],"
                        "[{header,\"Status for process of erlclu\"},"
                        "{data,[{\"Status\",running},{\"Parent\",<us@h.4.4>},"
                        "{\"Logged events\",[]}]},{data,[{\"State\",well}]}]]}}\n");
    end(&f);
}

/* The peer is asked for its release, which its flags do not tell: whose answer comes is own. */
static void asks_release(struct fixture *f)
{
    unsigned words[3] = {0};
    const char *said = ask(f, "served", "system", "get_state"), *ref = strstr(said, "#Ref<us@h.");

    assert_non_null(strstr(said, ",{erpc,execute_call,4},[monitor]} ["));
    assert_non_null(strstr(said, ",erlang,system_info,[otp_release]]\n"));
    assert_int_equal(sscanf(ref, "#Ref<us@h.%u.%u.%u>", &words[2], &words[1], &words[0]), 3);
    f->ref = (clu_ref){.node = slice_of(f->node.name),
                       .creation = 5,
                       .n = 3,
                       .words = {words[0], words[1], words[2]}};
    told(f, "{31,own,caller,2,caller}", NULL, "");
}

/* sys of OTP 25 and 26 shows what comes; later ones want {ok, State}. */
static void states_are_told_as_the_asker_reads_them(void **state)
{
    static const struct {
        const char *down, *state;
    } rows[] = {
        {"{own,return,\"25\"}", "well}\n"},       {"{own,return,\"26\"}", "well}\n"},
        {"{own,return,\"27\"}", "{ok,well}}\n"},  {"{own,return,\"1000\"}", "{ok,well}}\n"},
        {"{own,return,[]}", "{ok,well}}\n"},      {"{own,return,odd}", "{ok,well}}\n"},
        {"{own,error,undef,[]}", "{ok,well}}\n"}, {"noproc", "{ok,well}}\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;

        open_link_flags(&f, NODE_FLAGS & ~DFLAG_ALTACT_SIG);
        asks_release(&f);
        assert_int_equal(receive(&f, "{28,caller,self,own}", rows[i].down), CLU_OK);
        const char *answer = strstr(sent(&f), "],");

        assert_non_null(answer);
        assert_string_equal(answer + 2, rows[i].state);
        /* it is known from now on */
        assert_string_equal(ask(&f, "served", "system", "get_state"), rows[i].state);
        end(&f);
    }
}

/* What is asked for is gone when the release is known; or the node that asked. */
static void states_of_the_gone_are_nobodys(void **state)
{
    struct fixture f;

    (void)state;
    open_link_flags(&f, NODE_FLAGS & ~DFLAG_ALTACT_SIG);
    asks_release(&f);
    clu_exit(clu_whereis(&f.node, "served"), "x");
    told(&f, "{28,caller,self,own}", "{own,return,\"25\"}", "");
    end(&f);
    open_link_flags(&f, NODE_FLAGS & ~DFLAG_ALTACT_SIG);
    asks_release(&f);
    node_link_down(&f.node, &f.link, "connection_closed");
    node_turn(&f.node, 0);
    assert_true(list_empty(&f.node.calls));
    end(&f);
    open_link_flags(&f, NODE_FLAGS & ~DFLAG_ALTACT_SIG);
    asks_release(&f);
    node_tick(&f.node, 2000);
    node_turn(&f.node, 2000);
    assert_non_null(strstr(sent(&f), "{ok,well}}\n"));
    end(&f);
}

static void processes_may_be_terminated(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    watch(&f, "served");
    assert_non_null(strstr(ask(&f, "served", "system", "{terminate,{over,1}}"),
                           "ok}\n{28,served,<p@h.1.2>,#Ref<p@h.8.7.6>} {over,1}\n"));
    assert_string_equal(buf_text(&f.notes), "stopped {over,1}\n");
    assert_string_equal(ask(&f, "rex", "system", "{terminate,over}"),
                        "{error,{unknown_system_msg,{terminate,over}}}}\n");
    end(&f);
}

/* Who sits in the same node asks as well, and is answered by message. */
static void asks(clu_process *self, const clu_signal *s, void *arg)
{
    struct fixture *f = arg;

    (void)self;
    if (s->kind == CLU_SIGNAL_MESSAGE)
        note(f, "got ", &s->term);
}

static void system_messages_from_here(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    clu_process *p = clu_spawn(&f.node, &(clu_spawn_options){.receive = asks, .arg = &f});
    clu_to to = clu_to_name("plain", NULL);
    clu_pid self = clu_self(p);
    clu_writer *w = clu_send_begin(p, &to);

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "system");
    clu_put_tuple(w, 2);
    clu_put_pid(w, &self);
    clu_put_atom_text(w, "tag");
    clu_put_atom_text(w, "get_state");
    assert_int_equal(clu_send_end(p), CLU_OK);
    node_turn(&f.node, 0);
    assert_string_equal(buf_text(&f.notes), "got {tag,{ok,undefined}}\n");
    clu_exit(p, "normal");
    end(&f);
}

static void group_leaders_are_answered(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    told(&f, "{6,caller,'',rex}", "{io_request,caller,request,{put_chars,unicode,<<\"x\">>}}",
         "{22,<us@h.2.2>,<p@h.1.2>} {io_reply,#Ref<p@h.8.7.6>,ok}\n");
    told(&f, "{6,caller,'',rex}", "{io_request,caller,request,{get_line,unicode,x}}",
         "{22,<us@h.2.2>,<p@h.1.2>} {io_reply,#Ref<p@h.8.7.6>,{error,enotsup}}\n");
    told(&f, "{6,caller,'',rex}", "{io_request,x,y,z}", "");
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(system_messages_are_answered),
        cmocka_unit_test(states_are_told_as_the_asker_reads_them),
        cmocka_unit_test(states_of_the_gone_are_nobodys),
        cmocka_unit_test(processes_may_be_terminated),
        cmocka_unit_test(system_messages_from_here),
        cmocka_unit_test(group_leaders_are_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
