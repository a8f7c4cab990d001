/* SPDX-License-Identifier: Apache-2.0 */
#include <erlclu/talk.h>

#include "wire.h"

/* Calls of functions, by erpc, erlang:spawn and rex. */

/* ---- functions ---- */

static clu_error add(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    int64_t a = clu_get_int(args), b = clu_get_int(args);

    if (args->err != CLU_OK)
        return args->err;
    clu_put_int(clu_reply_begin(call), a + b);
    return clu_reply_end(call);
}

/* fail(Class): raises oops; anything else is its own business. */
static clu_error failing(clu_call *call, clu_reader *args, void *arg)
{
    char class[16];

    (void)arg;
    clu_get_list(args);
    text_set(class, sizeof class, clu_get_atom(args));
    clu_put_atom_text(clu_raise_begin(call, class), "oops");
    return clu_reply_end(call);
}

static clu_error full(clu_call *call, clu_reader *args, void *arg)
{
    (void)call;
    (void)args;
    (void)arg;
    return CLU_ENOMEM;
}

static clu_error silent(clu_call *call, clu_reader *args, void *arg)
{
    (void)call;
    (void)args;
    (void)arg;
    return CLU_OK;
}

static clu_error misspeak(clu_call *call, clu_reader *args, void *arg)
{
    (void)args;
    (void)arg;
    return clu_reply(call, "~q", 1);
}

static clu_error later(clu_call *call, clu_reader *args, void *arg)
{
    struct fixture *f = arg;

    (void)args;
    f->pending = call;
    return CLU_PENDING;
}

static clu_error leave(clu_call *call, clu_reader *args, void *arg)
{
    (void)args;
    (void)arg;
    clu_exit(clu_call_self(call), "left");
    return CLU_PENDING;
}

/* A process that was spawned here and lives on: it says its mailbox back. */
static void echo_receive(clu_process *self, const clu_signal *s, void *arg)
{
    clu_reader term = s->term;
    clu_to to = clu_to_pid(caller);

    (void)arg;
    if (s->kind != CLU_SIGNAL_MESSAGE)
        return;
    clu_put_term(clu_send_begin(self, &to), &term);
    assert_int_equal(clu_send_end(self), CLU_OK);
    clu_exit(self, "echoed");
}

static void echo_stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct fixture *f = arg;

    (void)self;
    (void)reason;
    f->n_stopped++;
}

static clu_error echo(clu_call *call, clu_reader *args, void *arg)
{
    struct fixture *f = arg;

    (void)args;
    f->self = clu_self(clu_call_self(call));
    clu_become(call, echo_receive, echo_stopped, arg);
    return CLU_OK;
}

static void open_link(struct fixture *f)
{
    open_link_with(f, NODE_FLAGS);
    clu_export(&f->node, "calc", "add", 2, add, NULL);
    clu_export(&f->node, "calc", "fail", 1, failing, NULL);
    clu_export(&f->node, "calc", "full", 0, full, NULL);
    clu_export(&f->node, "calc", "silent", 0, silent, NULL);
    clu_export(&f->node, "calc", "later", 0, later, f);
    clu_export(&f->node, "calc", "misspeak", 0, misspeak, NULL);
    clu_export(&f->node, "calc", "leave", 0, leave, NULL);
    clu_export(&f->node, "calc", "echo", 0, echo, f);
    assert_int_equal(f->node.err, CLU_OK);
}

/* ---- erpc ---- */

#define CALL  "{29,request,caller,caller,{erpc,execute_call,4},[monitor]}"
#define REPLY "{31,#Ref<p@h.8.7.6>,<p@h.1.2>,2,<us@h.4.4>}\n"
#define DOWN  "{28,<us@h.4.4>,<p@h.1.2>,#Ref<p@h.8.7.6>} "

/* What the caller's monitor of the process that answers brings. */
static void erpc(struct fixture *f, const char *payload, const char *reason)
{
    char text[512];

    snprintf(text, sizeof text, REPLY DOWN "%s\n", reason);
    told(f, CALL, payload, text);
}

static void functions_answer_as_erpc_has_it(void **state)
{
    static const struct {
        const char *payload, *reason;
    } rows[] = {
        {"[result,calc,add,[1,2]]", "{#Ref<p@h.1.1.1>,return,3}"},
        {"[result,calc,add,[1000,2]]", "{#Ref<p@h.1.1.1>,return,1002}"},
        {"[result,calc,add,[a,2]]", "{#Ref<p@h.1.1.1>,error,badarg,[{calc,add,2,[]}]}"},
        {"[result,calc,add,[1]]", "{#Ref<p@h.1.1.1>,error,undef,[{calc,add,[1],[]}]}"},
        {"[result,no,such,[x,{y}]]", "{#Ref<p@h.1.1.1>,error,undef,[{no,such,[x,{y}],[]}]}"},
        {"[result,calc,fail,[throw]]", "{#Ref<p@h.1.1.1>,throw,oops}"},
        {"[result,calc,fail,[exit]]", "{#Ref<p@h.1.1.1>,exit,oops}"},
        {"[result,calc,fail,[error]]", "{#Ref<p@h.1.1.1>,error,oops,[{calc,fail,1,[]}]}"},
        {"[result,calc,fail,[other]]", "{#Ref<p@h.1.1.1>,error,badarg,[{calc,fail,1,[]}]}"},
        {"[result,calc,full,[]]", "{#Ref<p@h.1.1.1>,error,{erlclu,enomem},[{calc,full,0,[]}]}"},
        {"[result,calc,silent,[]]", "{#Ref<p@h.1.1.1>,error,no_answer,[{calc,silent,0,[]}]}"},
        {"[result,\"calc\",add,[1,2]]", "{#Ref<p@h.1.1.1>,error,badarg,[{erlang,apply,3,[]}]}"},
        {"[result,calc,add,[1|2]]", "{#Ref<p@h.1.1.1>,error,badarg,[{erlang,apply,3,[]}]}"},
        {"[result,erpc,execute_call,[a,b,c,d]]",
         "{#Ref<p@h.1.1.1>,error,undef,[{erpc,execute_call,[a,b,c,d],[]}]}"},
        {"[result,erlang,node,[]]", "{#Ref<p@h.1.1.1>,return,us@h}"},
    };
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        open_link(&f);
        erpc(&f, rows[i].payload, rows[i].reason);
        close_link(&f);
    }
}

/* The caller learns no more than badarg, and who wrote the function where it is: once. */
static void bad_replies_are_told_once(void **state)
{
    struct fixture f;
    char what[64];

    (void)state;
    open_link(&f);
    erpc(&f, "[result,calc,add,[a,2]]", "{#Ref<p@h.1.1.1>,error,badarg,[{calc,add,2,[]}]}");
    assert_false(node_misspoke(&f.node, what, sizeof what));
    close_link(&f);
    open_link(&f);
    erpc(&f, "[result,calc,misspeak,[]]", "{#Ref<p@h.1.1.1>,error,badarg,[{calc,misspeak,0,[]}]}");
    assert_true(node_misspoke(&f.node, what, sizeof what));
    assert_string_equal(what, "calc:misspeak/0");
    told(&f, CALL, "[result,calc,misspeak,[]]",
         "{31,#Ref<p@h.8.7.6>,<p@h.1.2>,2,<us@h.1048580.5>}\n"
         "{28,<us@h.1048580.5>,<p@h.1.2>,#Ref<p@h.8.7.6>} "
         "{#Ref<p@h.1.1.1>,error,badarg,[{calc,misspeak,0,[]}]}\n");
    assert_false(node_misspoke(&f.node, what, sizeof what));
    close_link(&f);
}

static void improper_requests_are_badarg(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    erpc(&f, "[result,calc|add]", "{badarg,[{erlang,apply,3,[]}]}");
    close_link(&f);
}

/* The caller has given up, or its node is gone: what is answered then goes nowhere. */
static void answers_may_come_later(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    told(&f, CALL, "[result,calc,later,[]]", "{31,#Ref<p@h.8.7.6>,<p@h.1.2>,2,<us@h.4.4>}\n");
    assert_true(clu_call_is_awaited(f.pending));
    assert_true(clu_call_from(f.pending).serial == caller.serial);
    clu_put_atom_text(clu_reply_begin(f.pending), "done");
    assert_int_equal(clu_reply_end(f.pending), CLU_OK);
    node_turn(&f.node, 0);
    assert_string_equal(sent(&f), "{28,<us@h.4.4>,<p@h.1.2>,#Ref<p@h.8.7.6>} "
                                  "{#Ref<p@h.1.1.1>,return,done}\n");
    close_link(&f);
}

static void reply_late(struct fixture *f)
{
    assert_false(clu_call_is_awaited(f->pending));
    clu_put_atom_text(clu_reply_begin(f->pending), "late");
    assert_int_equal(clu_reply_end(f->pending), CLU_OK);
    node_turn(&f->node, 0);
}

static void callers_give_up(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    assert_int_equal(receive(&f, CALL, "[result,calc,later,[]]"), CLU_OK);
    f.self = clu_self(clu_call_self(f.pending));
    told(&f, "{20,caller,self,request}", NULL, "{31,#Ref<p@h.8.7.6>,<p@h.1.2>,2,<us@h.4.4>}\n");
    reply_late(&f);
    assert_string_equal(sent(&f), "");
    /* killed: the pid is gone, the call is the function's still */
    assert_int_equal(receive(&f, CALL, "[result,calc,later,[]]"), CLU_OK);
    f.self = clu_self(clu_call_self(f.pending));
    told(&f, "{26,caller,self}", "kill",
         "{31,#Ref<p@h.8.7.6>,<p@h.1.2>,2,<us@h.1048580.5>}\n"
         "{28,<us@h.1048580.5>,<p@h.1.2>,#Ref<p@h.8.7.6>} killed\n");
    assert_null(clu_call_self(f.pending));
    reply_late(&f);
    assert_string_equal(sent(&f), "");
    close_link(&f);
}

static void links_go_before_the_answer(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    assert_int_equal(receive(&f, CALL, "[result,calc,later,[]]"), CLU_OK);
    node_link_down(&f.node, &f.link, "connection_closed");
    node_turn(&f.node, 0);
    reply_late(&f);
    close_link(&f);
}

/* Who is never done with a call of his has it taken away with the node. */
static void calls_end_with_the_node(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    assert_int_equal(receive(&f, CALL, "[result,calc,later,[]]"), CLU_OK);
    node_link_down(&f.node, &f.link, "connection_closed");
    channel_fini(&f.channel);
    channel_fini(&f.peer);
    node_fini(&f.node);
}

/* While the link is busy the answer waits; it goes out when the link has room. */
static void busy_links_hold_answers_up(void **state)
{
    struct fixture f;
    struct buf out = {0};

    (void)state;
    open_link(&f);
    assert_int_equal(receive(&f, CALL, "[result,calc,later,[]]"), CLU_OK);
    fill(&f, CHANNEL_BUSY_BYTES);
    clu_put_atom_text(clu_reply_begin(f.pending), "done");
    assert_int_equal(clu_reply_end(f.pending), CLU_OK);
    node_turn(&f.node, 0);
    assert_int_equal(f.node.procs.n_used, f.n_own); /* it has ended, and only that is to be told */
    take_all(&f.channel, &out, 0);
    channel_feed(&f.peer, out.data, out.len, 0);
    for (struct frame frame; channel_next(&f.peer, &frame);)
        assert_true(frame.payload.len == 0);
    buf_free(&out);
    node_writable(&f.link);
    node_turn(&f.node, 0);
    assert_string_equal(sent(&f), "{28,<us@h.4.4>,<p@h.1.2>,#Ref<p@h.8.7.6>} "
                                  "{#Ref<p@h.1.1.1>,return,done}\n");
    close_link(&f);
}

/* ---- erlang:spawn and its kin ---- */

static void spawned_functions_end_as_processes_do(void **state)
{
    static const struct {
        const char *mfa, *args, *reason;
    } rows[] = {
        {"{calc,add,2}", "[1,2]", "normal"},
        {"{calc,add,2}", "[1,b]", "{badarg,[{calc,add,2,[]}]}"},
        {"{calc,silent,0}", "[]", "normal"},
        {"{calc,nosuch,1}", "[x]", "{undef,[{calc,nosuch,[x],[]}]}"},
        {"{calc,fail,1}", "[throw]", "{{nocatch,oops},[{calc,fail,1,[]}]}"},
        {"{calc,fail,1}", "[exit]", "oops"},
        {"{calc,fail,1}", "[error]", "{oops,[{calc,fail,1,[]}]}"},
        {"{calc,leave,0}", "[]", "left"},
        {"{erpc,execute_cast,3}", "[calc,add,[1,2]]", "normal"},
        {"{erpc,execute_cast,3}", "[calc,fail,[error]]",
         "{{exception,{oops,[{calc,fail,1,[]}]}},[{erpc,execute_cast,3,[]}]}"},
        {"{erpc,execute_call,3}", "[calc,add,[1,2]]", "normal"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char control[128], answer[512];
        struct fixture f;

        open_link(&f);
        snprintf(control, sizeof control, "{29,request,caller,caller,%s,[monitor]}", rows[i].mfa);
        snprintf(answer, sizeof answer, REPLY DOWN "%s\n", rows[i].reason);
        assert_int_equal(receive(&f, control, rows[i].args), CLU_OK);
        if (strcmp(rows[i].reason, "left") == 0) { /* its call is not done with */
            struct clu_call *call = CONTAINER_OF(f.node.calls.next, struct clu_call, all);

            clu_put_atom_text(clu_reply_begin(call), "late");
            assert_int_equal(clu_reply_end(call), CLU_OK);
        }
        assert_string_equal(sent(&f), answer);
        close_link(&f);
    }
}

static void options_are_obeyed(void **state)
{
    static const char *const bad[] = {"[nosuch]", "[{link,true}]", "[{priority}]", "[\"a\"]",
                                      "[1,2]",    "[{}]",          "[{1,2}]",      "[300]",
                                      "link",     "[link|link]",   "[nosuch|1]"};
    struct fixture f;
    char control[128];

    (void)state;
    open_link(&f);
    told(&f, "{29,request,caller,caller,{calc,silent,0},[]}", "[]",
         "{31,#Ref<p@h.8.7.6>,<p@h.1.2>,0,<us@h.4.4>}\n");
    told(&f, "{29,request,caller,caller,{calc,silent,0},[link,{priority,high}]}", "[]",
         "{31,#Ref<p@h.8.7.6>,<p@h.1.2>,1,<us@h.1048580.5>}\n"
         "{24,<us@h.1048580.5>,<p@h.1.2>} normal\n");
    told(&f, "{29,request,caller,caller,{calc,silent,0},[{monitor,[]},link]}", "[]",
         "{31,#Ref<p@h.8.7.6>,<p@h.1.2>,3,<us@h.2097156.6>}\n"
         "{24,<us@h.2097156.6>,<p@h.1.2>} normal\n"
         "{28,<us@h.2097156.6>,<p@h.1.2>,#Ref<p@h.8.7.6>} normal\n");
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(control, sizeof control, "{29,request,caller,caller,{calc,silent,0},%s}", bad[i]);
        told(&f, control, "[]", "{31,#Ref<p@h.8.7.6>,<p@h.1.2>,0,badopt}\n");
    }
    close_link(&f);
}

static void what_breaks_the_protocol_cuts_the_link(void **state)
{
    static const char *const bad[] = {
        "{29,request,caller,caller,{calc,silent},[]}",
        "{29,request,caller,caller,{\"calc\",silent,0},[]}",
        "{29,request,caller,caller,{calc,silent,a},[]}",
    };
    struct fixture f;

    (void)state;
    open_link(&f);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(receive(&f, bad[i], "[]"), CLU_EPROTO);
    assert_string_equal(sent(&f), "");
    close_link(&f);
}

static void spawned_processes_may_live_on(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    told(&f, "{29,request,caller,caller,{calc,echo,0},[monitor]}", "[]",
         "{31,#Ref<p@h.8.7.6>,<p@h.1.2>,2,<us@h.4.4>}\n");
    assert_int_equal(f.n_stopped, 0);
    told(&f, "{22,caller,self}", "{hello,[1]}",
         "{22,<us@h.4.4>,<p@h.1.2>} {hello,[1]}\n"
         "{28,<us@h.4.4>,<p@h.1.2>,#Ref<p@h.8.7.6>} echoed\n");
    assert_int_equal(f.n_stopped, 1);
    close_link(&f);
}

static void group_leaders_are_kept(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    assert_int_equal(receive(&f, CALL, "[result,calc,later,[]]"), CLU_OK);
    clu_process *p = clu_call_self(f.pending);
    clu_pid leader = clu_group_leader(p), self = clu_self(p);

    assert_true(leader.id == caller.id && slice_is(leader.node, "p@h"));
    sent(&f);
    assert_int_equal(clu_set_group_leader(p, &caller, &self), CLU_OK);
    assert_string_equal(sent(&f), "{7,<us@h.4.4>,<p@h.1.2>}\n");
    assert_int_equal(clu_set_group_leader(p, &self, &self), CLU_OK);
    assert_true(slice_is(clu_group_leader(p).node, "us@h"));
    clu_put_atom_text(clu_reply_begin(f.pending), "ok");
    assert_int_equal(clu_reply_end(f.pending), CLU_OK);
    node_turn(&f.node, 0);
    close_link(&f);
}

/* ---- rex ---- */

#define REX "{6,caller,'',rex}"

static void rex_calls(struct fixture *f, const char *call, const char *answer)
{
    char payload[256], text[256];

    snprintf(payload, sizeof payload, "{'$gen_call',{caller,[alias|request]},%s}", call);
    snprintf(text, sizeof text, "{37,4,<us@h.2.2>,#Ref<p@h.8.7.6>} {[alias|#Ref<p@h.8.7.6>],%s}\n",
             answer);
    told(f, REX, payload, text);
}

static void rex_serves_those_of_old(void **state)
{
    static const char no_such[] = "{badrpc,{'EXIT',{undef,[{no,such,[a],[]}]}}}";
    struct fixture f;

    (void)state;
    open_link(&f);
    rex_calls(&f, "{call,calc,add,[1,2],caller}", "3");
    rex_calls(&f, "{block_call,calc,add,[1,2],user}", "3");
    rex_calls(&f, "{call,no,such,[a],user}", no_such);
    rex_calls(&f, "{call,calc,fail,[throw],user}", "oops");
    rex_calls(&f, "{call,calc,fail,[exit],user}", "{badrpc,{'EXIT',oops}}");
    rex_calls(&f, "{call,calc,fail,[error],user}", "{badrpc,{'EXIT',{oops,[{calc,fail,1,[]}]}}}");
    told(&f, REX, "{caller,{call,calc,add,[1,2],user}}", "{22,<us@h.2.2>,<p@h.1.2>} {rex,3}\n");
    told(&f, REX, "{caller,{call,no,such,[a],user}}",
         "{22,<us@h.2.2>,<p@h.1.2>} {rex,{badrpc,{'EXIT',{undef,[{no,such,[a],[]}]}}}}\n");
    told(&f, REX, "{request,{call,calc,add,[1,2],user}}",
         "{37,4,<us@h.2.2>,#Ref<p@h.8.7.6>} {rex,3}\n");
    told(&f, REX, "{request,features_request}", "");
    told(&f, REX, "{'$gen_cast',{cast,calc,add,[1,2],caller}}", "");
    told(&f, REX, "{'$gen_cast',{cast,no,such,[],caller}}", "");
    close_link(&f);
}

static void rex_refuses_what_it_does_not_know(void **state)
{
    static const char *const odd[] = {"{'$gen_cast',stop}", "{caller,hello}", "hello",
                                      "{caller,{call,calc,add}}", "{'$gen_call',x,y}"};
    struct fixture f;

    (void)state;
    open_link(&f);
    assert_int_equal(receive(&f, "{19,caller,rex,request}", NULL), CLU_OK);
    told(&f, REX, "{'$gen_call',{caller,[alias|request]},stop}",
         "{28,rex,<p@h.1.2>,#Ref<p@h.8.7.6>} notsup\n");
    for (size_t i = 0; i < COUNT(odd); i++)
        told(&f, REX, odd[i], "");
    close_link(&f);
}

/* The process that answers is killed: its caller, which watches rex, hears of that. */
static void rex_tells_of_deaths(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    assert_int_equal(receive(&f, "{19,caller,rex,request}", NULL), CLU_OK);
    told(&f, REX, "{'$gen_call',{caller,[alias|request]},{call,calc,later,[],user}}", "");
    assert_true(clu_call_is_awaited(f.pending));
    f.self = clu_self(clu_call_self(f.pending));
    told(&f, "{26,caller,self}", "kill",
         "{37,4,<us@h.2.2>,#Ref<p@h.8.7.6>} {[alias|#Ref<p@h.8.7.6>],{badrpc,{'EXIT',killed}}}\n");
    reply_late(&f);
    assert_string_equal(sent(&f), "");
    /* the caller gives up */
    told(&f, REX, "{'$gen_call',{caller,[alias|request]},{call,calc,later,[],user}}", "");
    told(&f, "{20,caller,rex,request}", NULL, "");
    assert_false(clu_call_is_awaited(f.pending));
    clu_put_atom_text(clu_reply_begin(f.pending), "late");
    assert_int_equal(clu_reply_end(f.pending), CLU_OK);
    node_turn(&f.node, 0);
    assert_non_null(strstr(sent(&f), "late")); /* to an alias that is gone: it takes nothing */
    close_link(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_answer_as_erpc_has_it),
        cmocka_unit_test(bad_replies_are_told_once),
        cmocka_unit_test(improper_requests_are_badarg),
        cmocka_unit_test(answers_may_come_later),
        cmocka_unit_test(callers_give_up),
        cmocka_unit_test(links_go_before_the_answer),
        cmocka_unit_test(calls_end_with_the_node),
        cmocka_unit_test(busy_links_hold_answers_up),
        cmocka_unit_test(spawned_functions_end_as_processes_do),
        cmocka_unit_test(options_are_obeyed),
        cmocka_unit_test(what_breaks_the_protocol_cuts_the_link),
        cmocka_unit_test(spawned_processes_may_live_on),
        cmocka_unit_test(group_leaders_are_kept),
        cmocka_unit_test(rex_serves_those_of_old),
        cmocka_unit_test(rex_refuses_what_it_does_not_know),
        cmocka_unit_test(rex_tells_of_deaths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
