/* SPDX-License-Identifier: Apache-2.0 */
#include "served.h"

/* Servers: calls, their answers, and who watches. */

static void servers_answer(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    assert_string_equal(ask(&f, "served", "'$gen_call'", "who"), "<p@h.1.2>}\n");
    /* tags are given back as they came */
    told(&f, "{6,caller,'',served}", "{'$gen_call',{caller,{odd,[tag]}},who}",
         "{22,<us@h.4.4>,<p@h.1.2>} {{odd,[tag]},<p@h.1.2>}\n");
    told(&f, "{6,caller,'',served}", "{'$gen_cast',{a,1}}", "");
    told(&f, "{6,caller,'',served}", "hello", "");
    told(&f, "{6,caller,'',served}", "{'$gen_call',odd}", "");
    assert_string_equal(buf_text(&f.notes), "cast {a,1}\ninfo hello\ninfo {'$gen_call',odd}\n");
    end(&f);
}

static void exceptions_end_the_callers(void **state)
{
    static const struct {
        const char *name, *request, *down;
    } rows[] = {
        {"served", "odd", "{28,served,<p@h.1.2>,#Ref<p@h.8.7.6>} {badarg,[]}\n"},
        {"served", "error", "{28,served,<p@h.1.2>,#Ref<p@h.8.7.6>} {oops,[]}\n"},
        {"served", "exit", "{28,served,<p@h.1.2>,#Ref<p@h.8.7.6>} oops\n"},
        {"served", "throw", "{28,served,<p@h.1.2>,#Ref<p@h.8.7.6>} {bad_return_value,oops}\n"},
        {"mute", "hello", "{28,mute,<p@h.1.2>,#Ref<p@h.8.7.6>} notsup\n"},
    };
    struct fixture f;

    (void)state;
    open_link(&f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        watch(&f, rows[i].name);
        assert_string_equal(ask(&f, rows[i].name, "'$gen_call'", rows[i].request), rows[i].down);
    }
    /* who does not watch hears nothing, and the server lives on */
    assert_string_equal(ask(&f, "served", "'$gen_call'", "error"), "");
    told(&f, "{6,caller,'',mute}", "{'$gen_cast',x}", "");
    told(&f, "{6,caller,'',mute}", "hello", "");
    assert_string_equal(ask(&f, "served", "'$gen_call'", "who"), "<p@h.1.2>}\n");
    end(&f);
}

static void servers_answer_later(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    watch(&f, "served");
    assert_string_equal(ask(&f, "served", "'$gen_call'", "later"), "");
    assert_true(clu_call_is_awaited(f.pending));
    clu_put_atom_text(clu_reply_begin(f.pending), "now");
    assert_int_equal(clu_reply_end(f.pending), CLU_OK);
    assert_string_equal(sent(&f),
                        "{37,4,<us@h.4.4>,#Ref<p@h.8.7.6>} {[alias|#Ref<p@h.8.7.6>],now}\n");
    assert_string_equal(ask(&f, "served", "'$gen_call'", "later"), "");
    told(&f, "{20,caller,served,request}", NULL, "");
    assert_false(clu_call_is_awaited(f.pending));
    clu_put_atom_text(clu_reply_begin(f.pending), "late");
    assert_int_equal(clu_reply_end(f.pending), CLU_OK);
    sent(&f);
    end(&f);
}

/* While the link is busy the answer waits; when it goes, so does the answer. */
static void answers_of_servers_wait(void **state)
{
    struct fixture f;
    struct buf out = {0};

    (void)state;
    open_link(&f);
    assert_string_equal(ask(&f, "served", "'$gen_call'", "later"), "");
    fill(&f, CHANNEL_BUSY_BYTES);
    clu_put_atom_text(clu_reply_begin(f.pending), "now");
    assert_int_equal(clu_reply_end(f.pending), CLU_OK);
    take_all(&f.channel, &out, 0);
    channel_feed(&f.peer, out.data, out.len, 0);
    for (struct frame frame; channel_next(&f.peer, &frame);)
        assert_true(frame.payload.len == 0);
    buf_free(&out);
    assert_true(list_empty(&f.node.calls)); /* it is only to be sent */
    node_writable(&f.link);
    assert_non_null(strstr(sent(&f), "now}\n"));
    assert_string_equal(ask(&f, "served", "'$gen_call'", "later"), "");
    fill(&f, CHANNEL_BUSY_BYTES);
    clu_put_atom_text(clu_reply_begin(f.pending), "lost");
    assert_int_equal(clu_reply_end(f.pending), CLU_OK);
    node_link_down(&f.node, &f.link, "connection_closed");
    end(&f);
}

/* A reference is one monitor, of whom it was set on last. */
static void a_reference_is_one_monitor(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    watch(&f, "mute");
    watch(&f, "served");
    watch(&f, "served");
    assert_int_equal(f.node.watchers.n, 1);
    clu_exit(clu_whereis(&f.node, "mute"), "x");
    node_turn(&f.node, 0);
    assert_string_equal(sent(&f), "");
    told(&f, "{26,caller,self}", "kill", "{28,served,<p@h.1.2>,#Ref<p@h.8.7.6>} killed\n");
    assert_int_equal(f.node.watchers.n, 0);
    end(&f);
}

/* Where a reference stands in the index is nothing that a peer could know. */
static void references_are_indexed_by_a_secret(void **state)
{
    uint64_t hashes[2] = {0};

    (void)state;
    for (uint64_t i = 0; i < 2; i++) {
        struct fixture f;

        open_link(&f);
        node_seed(&f.node, i);
        watch(&f, "served");
        for (size_t at = 0; at < f.node.watchers.n_buckets; at++)
            if (f.node.watchers.buckets[at] != NULL)
                hashes[i] = f.node.watchers.buckets[at]->hash;
        told(&f, "{20,caller,served,request}", NULL, "");
        assert_int_equal(f.node.watchers.n, 0);
        end(&f);
    }
    assert_int_not_equal(hashes[0], hashes[1]);
}

/* Calls that wait for their answers are bounded: who comes then is told, and nobody else is. */
static void calls_that_wait_are_bounded(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    assert_int_equal(f.node.calls_max, CLU_CALLS_MAX);
    f.node.calls_max = 1;
    watch(&f, "served");
    assert_string_equal(ask(&f, "served", "'$gen_call'", "later"), "");
    told(&f, "{19,caller,served,result}", NULL, "");
    told(&f, "{6,caller,'',served}", "{'$gen_call',{caller,[alias|result]},who}",
         "{28,served,<p@h.1.2>,#Ref<p@h.1.1.1>} system_limit\n");
    told(&f, "{19,caller,rex,result}", NULL, "");
    told(&f, "{6,caller,'',rex}",
         "{'$gen_call',{caller,[alias|result]},{call,erlang,node,[],user}}",
         "{28,rex,<p@h.1.2>,#Ref<p@h.1.1.1>} system_limit\n");
    told(&f, "{6,caller,'',rex}", "{caller,{call,erlang,node,[],user}}",
         "{22,<us@h.2.2>,<p@h.1.2>} {rex,{badrpc,{'EXIT',system_limit}}}\n");
    told(&f, "{6,caller,'',rex}", "{request,{call,erlang,node,[],user}}",
         "{37,4,<us@h.2.2>,#Ref<p@h.8.7.6>} {rex,{badrpc,{'EXIT',system_limit}}}\n");
    told(&f, "{29,request,caller,caller,{erlang,node,0},[monitor]}", "[]",
         "{31,#Ref<p@h.8.7.6>,<p@h.1.2>,0,system_limit}\n");
    clu_put_atom_text(clu_reply_begin(f.pending), "now");
    assert_int_equal(clu_reply_end(f.pending), CLU_OK);
    assert_non_null(strstr(sent(&f), "now}\n"));
    assert_int_equal(f.node.n_calls, 0);
    assert_string_equal(ask(&f, "served", "'$gen_call'", "who"), "<p@h.1.2>}\n");
    end(&f);
}

static void dead_servers_owe_nothing(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f);
    watch(&f, "served");
    assert_string_equal(ask(&f, "served", "'$gen_call'", "later"), "");
    told(&f, "{26,caller,self}", "kill", "{28,served,<p@h.1.2>,#Ref<p@h.8.7.6>} killed\n");
    assert_string_equal(buf_text(&f.notes), "stopped killed\n");
    assert_null(clu_call_self(f.pending));
    assert_false(clu_call_is_awaited(f.pending));
    clu_put_atom_text(clu_reply_begin(f.pending), "late");
    assert_int_equal(clu_reply_end(f.pending), CLU_OK);
    assert_string_equal(sent(&f), "");
    end(&f);
}

/* Whatever a peer asks in the name of a node that is not linked: no answer dials it. */
static void answers_dial_nobody(void **state)
{
    static const struct {
        const char *name, *message;
    } rows[] = {
        {"served", "{'$gen_call',{stranger,tag},who}"},
        {"served", "{'$gen_call',{caller,[alias|alien]},who}"},
        {"net_kernel", "{'$gen_call',{stranger,tag},{is_auth,'q@h'}}"},
        {"net_kernel", "{'$gen_call',{caller,[alias|alien]},{is_auth,'q@h'}}"},
        {"plain", "{system,{stranger,tag},get_state}"},
        {"rex", "{'$gen_call',{stranger,tag},{call,erlang,node,[],user}}"},
        {"rex", "{stranger,{call,erlang,node,[],user}}"},
        {"rex", "{stranger,features_request}"},
        {"rex", "{stranger,{sbcast,plain,hello}}"},
        {"rex", "{io_request,stranger,request,{put_chars,unicode,<<\"x\">>}}"},
    };
    struct fixture f;

    (void)state;
    open_link(&f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char control[64];

        snprintf(control, sizeof control, "{6,caller,'',%s}", rows[i].name);
        told(&f, control, rows[i].message, "");
        assert_null(node_next_wanted(&f.node));
    }
    told(&f, "{6,stranger,'',global_name_server}", "{'$gen_cast',{init_connect,{8,1},'q@h',x}}",
         "");
    assert_null(node_next_wanted(&f.node));
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_answer),
        cmocka_unit_test(exceptions_end_the_callers),
        cmocka_unit_test(servers_answer_later),
        cmocka_unit_test(answers_of_servers_wait),
        cmocka_unit_test(a_reference_is_one_monitor),
        cmocka_unit_test(references_are_indexed_by_a_secret),
        cmocka_unit_test(calls_that_wait_are_bounded),
        cmocka_unit_test(dead_servers_owe_nothing),
        cmocka_unit_test(answers_dial_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
