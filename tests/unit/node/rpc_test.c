/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

/* Calls that our processes make, as they stand on the wire, and what comes of them. */

#define REQUEST                                                                                    \
    "{29,#Ref<us@h.0.%u.1>,<us@h.4.4>,<us@h.2.2>,{erpc,execute_call,4},[monitor]} "                \
    "[#Ref<us@h.0.%u.1>,lists,sum,[[1,2]]]\n"

/* The request is out, and its process is there: its pid is the caller's in these terms. */
static clu_ref asked(struct fixture *f, uint64_t timeout_ms)
{
    clu_ref ref = rpc(f, "p@h", timeout_ms);
    char text[256];

    snprintf(text, sizeof text, REQUEST, (unsigned)ref.words[1], (unsigned)ref.words[1]);
    assert_string_equal(sent(f), text);
    f->ref = ref;
    told(f, "{31,own,self,2,caller}", NULL, "");
    return ref;
}

static void answers_come_by_the_monitor(void **state)
{
    static const struct {
        const char *reason, *note;
    } rows[] = {
        {"{own,return,{a,3}}", "answered {a,3}\n"},
        {"{own,throw,it}", "raised throw it\n"},
        {"{own,exit,it}", "raised exit it\n"},
        {"{own,error,it,[{m,f,1,[]}]}", "raised error it at [{m,f,1,[]}]\n"},
        {"{own,error,{erpc,system_limit}}", "raised error {erpc,system_limit}\n"},
        {"killed", "no_process killed\n"},
        {"{request,return,3}", "no_process {#Ref<p@h.8.7.6>,return,3}\n"},
        {"{own,return}", NULL},
        {"{own,odd,3}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;

        open_link(&f, NODE_FLAGS);
        asked(&f, CLU_INFINITY);
        told(&f, "{28,caller,self,own}", rows[i].reason, "");
        if (rows[i].note != NULL)
            assert_string_equal(buf_text(&f.notes), rows[i].note);
        else
            assert_non_null(strstr(buf_text(&f.notes), "no_process {#Ref<us@h"));
        /* only the first one counts */
        told(&f, "{28,caller,self,own}", "{own,return,again}", "");
        assert_null(strstr(buf_text(&f.notes), "again"));
        end(&f);
    }
}

static void no_process_is_made(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    f.ref = rpc(&f, "p@h", 5000);
    sent(&f);
    told(&f, "{31,own,self,0,system_limit}", NULL, "");
    assert_string_equal(buf_text(&f.notes), "no_process system_limit\n");
    /* without the monitor nothing would ever come */
    buf_reset(&f.notes);
    f.ref = rpc(&f, "p@h", 5000);
    sent(&f);
    told(&f, "{31,own,self,0,caller}", NULL, "");
    assert_string_equal(buf_text(&f.notes), "no_process notsup\n");
    end(&f);
}

static void calls_time_out(void **state)
{
    struct fixture f;
    char text[128];

    (void)state;
    open_link(&f, NODE_FLAGS);
    asked(&f, 5000);
    node_tick(&f.node, 4999);
    node_turn(&f.node, 4999);
    assert_int_equal(f.notes.len, 0);
    node_tick(&f.node, 5000);
    node_turn(&f.node, 5000);
    assert_string_equal(buf_text(&f.notes), "timed_out\n");
    snprintf(text, sizeof text, "{20,<us@h.4.4>,<p@h.1.2>,#Ref<us@h.0.%u.1>}\n",
             (unsigned)f.ref.words[1]);
    assert_string_equal(sent(&f), text);
    told(&f, "{28,caller,self,own}", "{own,return,late}", "");
    assert_string_equal(buf_text(&f.notes), "timed_out\n");
    end(&f);
}

/* An error may be any atom: 255 characters of four bytes each are the longest. */
static void long_errors_are_whole(void **state)
{
    char error[255 * 4 + 1] = "", control[sizeof error + 64], note[sizeof error + 32];
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    for (size_t i = 0; i < 255; i++)
        memcpy(error + 4 * i, "\xf0\x9f\x90\xa2", 5);
    f.ref = rpc(&f, "p@h", 5000);
    sent(&f);
    snprintf(control, sizeof control, "{31,own,self,0,'%s'}", error);
    told(&f, control, NULL, "");
    snprintf(note, sizeof note, "no_process '%s'\n", error);
    assert_string_equal(buf_text(&f.notes), note);
    end(&f);
}

/* The reply comes when the time is over: the process that runs over there is not watched for ever,
 * whether the caller has been told by then or not. */
static void calls_time_out_before_their_reply(void **state)
{
    (void)state;
    for (int told_before = 0; told_before < 2; told_before++) {
        struct fixture f;
        char text[128];

        open_link(&f, NODE_FLAGS);
        f.ref = rpc(&f, "p@h", 5000);
        sent(&f);
        node_tick(&f.node, 5000);
        if (told_before)
            node_turn(&f.node, 5000);
        snprintf(text, sizeof text, "{20,<us@h.4.4>,<p@h.1.2>,#Ref<us@h.0.%u.1>}\n",
                 (unsigned)f.ref.words[1]);
        told(&f, "{31,own,self,2,caller}", NULL, text);
        assert_string_equal(buf_text(&f.notes), "timed_out\n");
        end(&f);
    }
}

/* Before the peer has said which process it is: the reply is what undoes the monitor. */
static void calls_are_forgotten(void **state)
{
    struct fixture f;
    char text[128];

    (void)state;
    clu_process *p = open_link(&f, NODE_FLAGS);

    f.ref = rpc(&f, "p@h", 5000);
    sent(&f);
    clu_call_forget(p, &f.ref);
    snprintf(text, sizeof text, "{20,<us@h.4.4>,<p@h.1.2>,#Ref<us@h.0.%u.1>}\n",
             (unsigned)f.ref.words[1]);
    told(&f, "{31,own,self,2,caller}", NULL, text);
    assert_int_equal(f.notes.len, 0);
    end(&f);
}

static void calls_end_with_the_link(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    asked(&f, CLU_INFINITY);
    rpc(&f, "p@h", 5000);
    node_link_down(&f.node, &f.link, "connection_closed");
    node_turn(&f.node, 0);
    assert_string_equal(buf_text(&f.notes), "no_process noconnection\nno_process noconnection\n");
    end(&f);
}

/* A node that is not linked is dialled; the request waits for the link. */
static void nodes_are_dialled(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS);
    rpc(&f, "q@h", 5000);
    assert_string_equal(node_next_wanted(&f.node), "q@h");
    node_unreachable(&f.node, "q@h");
    node_turn(&f.node, 0);
    assert_string_equal(buf_text(&f.notes), "no_process noconnection\n");
    end(&f);
}

/* Whether it spawns for others shows when the link is up: the request has waited for that. */
static void held_requests_are_refused(void **state)
{
    struct fixture f;

    (void)state;
    clu_process *p = open_link(&f, NODE_FLAGS);

    node_link_down(&f.node, &f.link, "connection_closed");
    rpc(&f, "p@h", 5000);
    assert_int_equal(clu_spawn_remote(p, "p@h", "m", "f", slice_of("j"), true, true).n, 3);
    put_text(&f, clu_rpc_cast_begin(p, "p@h", "m", "f"), "[x]");
    assert_int_equal(clu_call_end(p, NULL, NULL, NULL), CLU_OK);
    assert_int_equal(
        node_link_up(&f.node, &f.link, &f.channel, "p@h", 3, NODE_FLAGS & ~DFLAG_SPAWN), CLU_OK);
    node_turn(&f.node, 0);
    assert_string_equal(buf_text(&f.notes), "no_process notsup\n");
    assert_string_equal(sent(&f), "");
    end(&f);
}

/* What was held is written as the peer turns out to take it: here one of old, as C nodes are. */
static void held_signals_take_the_form_that_was_agreed(void **state)
{
    static const struct {
        uint64_t without;
        const char *sent;
    } rows[] = {
        {0, "{22,<us@h.4.4>,<p@h.1.2>} hello\n{6,<us@h.4.4>,'',name} hello\n"
            "{26,<us@h.4.4>,<p@h.1.2>} bye\n{1,<us@h.4.4>,<p@h.1.2>}\n"
            "{24,<us@h.4.4>,<p@h.1.2>} over\n"},
        {DFLAG_SEND_SENDER | DFLAG_EXIT_PAYLOAD,
         "{2,'',<p@h.1.2>} hello\n{6,<us@h.4.4>,'',name} hello\n"
         "{8,<us@h.4.4>,<p@h.1.2>,bye}\n{1,<us@h.4.4>,<p@h.1.2>}\n"
         "{3,<us@h.4.4>,<p@h.1.2>,over}\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        uint64_t flags = NODE_FLAGS & ~rows[i].without;
        clu_process *p = open_link(&f, NODE_FLAGS);
        clu_to pid = clu_to_pid(caller), name = clu_to_name("name", "p@h");

        node_link_down(&f.node, &f.link, "connection_closed");
        clu_put_atom_text(clu_send_begin(p, &pid), "hello");
        assert_int_equal(clu_send_end(p), CLU_OK);
        clu_put_atom_text(clu_send_begin(p, &name), "hello");
        assert_int_equal(clu_send_end(p), CLU_OK);
        assert_int_equal(clu_exit_signal(p, &caller,
                                         slice_of("w\x03"
                                                  "bye")),
                         CLU_OK);
        assert_int_equal(clu_link(p, &caller), CLU_OK);
        clu_exit(p, "over");
        node_turn(&f.node, 0);
        assert_int_equal(node_link_up(&f.node, &f.link, &f.channel, "p@h", 3, flags), CLU_OK);
        assert_string_equal(sent(&f), rows[i].sent);
        end(&f);
    }
}

static void casts_are_answered_by_nobody(void **state)
{
    struct fixture f;

    (void)state;
    clu_process *p = open_link(&f, NODE_FLAGS);

    put_text(&f, clu_rpc_cast_begin(p, "p@h", "lists", "sum"), "[[1,2]]");
    assert_int_equal(clu_call_end(p, NULL, NULL, NULL), CLU_OK);
    assert_string_equal(sent(&f), "{29,#Ref<us@h.0.0.1>,<us@h.4.4>,<us@h.2.2>,"
                                  "{erpc,execute_cast,3},[]} [lists,sum,[[1,2]]]\n");
    put_text(&f, clu_rpc_cast_begin(p, "us@h", "nosuch", "f"), "[]");
    assert_int_equal(clu_call_end(p, NULL, NULL, NULL), CLU_OK);
    node_turn(&f.node, 0);
    assert_string_equal(sent(&f), "");
    end(&f);
}

static void functions_of_our_own(void **state)
{
    struct fixture f;

    (void)state;
    clu_process *p = open_link(&f, NODE_FLAGS);

    rpc(&f, "us@h", 5000);
    assert_string_equal(buf_text(&f.notes), "raised error undef at [{lists,sum,[[1,2]],[]}]\n");
    buf_reset(&f.notes);
    clu_put_nil(clu_rpc_begin(p, "us@h", "erlang", "node", 5000));
    assert_int_equal(clu_call_end(p, answered, &f, NULL), CLU_OK);
    assert_int_equal(f.notes.len, 0); /* never before the function returns */
    node_turn(&f.node, 0);
    assert_string_equal(buf_text(&f.notes), "answered us@h\n");
    assert_string_equal(sent(&f), "");
    end(&f);
}

static void what_was_begun_may_be_cancelled(void **state)
{
    struct fixture f;
    const char *const nodes[] = {"p@h", "us@h"};

    (void)state;
    clu_process *p = open_link(&f, NODE_FLAGS);

    for (size_t i = 0; i < COUNT(nodes); i++) {
        put_text(&f, clu_rpc_begin(p, nodes[i], "m", "f", 5000), "[x]");
        clu_send_cancel(p);
        put_text(&f, clu_rex_begin(p, nodes[i], "m", "f", 5000), "[x]");
        clu_send_cancel(p);
    }
    put_text(&f, clu_multicall_begin(p, nodes, 2, "m", "f", 5000), "[x]");
    clu_send_cancel(p);
    assert_string_equal(sent(&f), "");
    assert_int_equal(f.node.ties.n_used, 0);
    /* what cannot be written is not sent */
    clu_put_float(clu_rpc_begin(p, "p@h", "m", "f", 5000), 1.0 / 0.0);
    assert_int_equal(clu_call_end(p, answered, &f, NULL), CLU_ERANGE);
    /* what has no name is no node */
    put_text(&f, clu_rpc_begin(p, "", "m", "f", 5000), "[x]");
    assert_int_equal(clu_call_end(p, answered, &f, NULL), CLU_EBADARG);
    put_text(&f, clu_rex_begin(p, "", "m", "f", 5000), "[x]");
    assert_int_equal(clu_call_end(p, answered, &f, NULL), CLU_EBADARG);
    assert_string_equal(sent(&f), "");
    end(&f);
}

/* ---- multicall ---- */

static void gathered(clu_process *self, size_t index, const clu_answer *a, size_t left, void *arg)
{
    struct fixture *f = arg;
    char text[32];

    snprintf(text, sizeof text, "%zu (%zu left) ", index, left);
    buf_put_text(&f->notes, text);
    answered(self, a, arg);
}

static void many_are_asked_at_once(void **state)
{
    const char *const nodes[] = {"us@h", "q@h", "p@h"};
    struct fixture f;

    (void)state;
    clu_process *p = open_link(&f, NODE_FLAGS);

    clu_put_nil(clu_multicall_begin(p, nodes, 3, "erlang", "node", 5000));
    assert_int_equal(clu_multicall_end(p, gathered, &f), CLU_OK);
    node_turn(&f.node, 0);
    assert_string_equal(buf_text(&f.notes), "0 (2 left) answered us@h\n");
    assert_string_equal(node_next_wanted(&f.node), "q@h");
    node_unreachable(&f.node, "q@h");
    node_turn(&f.node, 0);
    node_tick(&f.node, 5000);
    node_turn(&f.node, 5000);
    assert_string_equal(buf_text(&f.notes), "0 (2 left) answered us@h\n"
                                            "1 (1 left) no_process noconnection\n"
                                            "2 (0 left) timed_out\n");
    sent(&f);
    assert_int_equal(f.node.ties.n_used, 0);
    /* a busy link is an answer too */
    buf_reset(&f.notes);
    fill(&f, CHANNEL_BUSY_BYTES);
    clu_put_nil(clu_multicall_begin(p, nodes + 2, 1, "erlang", "node", 5000));
    assert_int_equal(clu_multicall_end(p, gathered, &f), CLU_OK);
    node_turn(&f.node, 5000);
    assert_string_equal(buf_text(&f.notes), "0 (0 left) no_process busy\n");
    clu_put_nil(clu_multicall_begin(p, nodes, 0, "erlang", "node", 5000));
    assert_int_equal(clu_multicall_end(p, gathered, &f), CLU_OK);
    end(&f);
}

/* Who asked ends: nobody is told, nothing stays. */
static void askers_end(void **state)
{
    const char *const nodes[] = {"us@h", "p@h"};
    struct fixture f;

    (void)state;
    clu_process *p = open_link(&f, NODE_FLAGS);

    clu_put_nil(clu_multicall_begin(p, nodes, 2, "erlang", "node", 5000));
    assert_int_equal(clu_multicall_end(p, gathered, &f), CLU_OK);
    clu_exit(p, "tired");
    node_turn(&f.node, 0);
    assert_int_equal(f.notes.len, 0);
    sent(&f);
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_by_the_monitor),
        cmocka_unit_test(no_process_is_made),
        cmocka_unit_test(calls_time_out),
        cmocka_unit_test(long_errors_are_whole),
        cmocka_unit_test(calls_time_out_before_their_reply),
        cmocka_unit_test(calls_are_forgotten),
        cmocka_unit_test(calls_end_with_the_link),
        cmocka_unit_test(nodes_are_dialled),
        cmocka_unit_test(held_requests_are_refused),
        cmocka_unit_test(held_signals_take_the_form_that_was_agreed),
        cmocka_unit_test(casts_are_answered_by_nobody),
        cmocka_unit_test(functions_of_our_own),
        cmocka_unit_test(what_was_begun_may_be_cancelled),
        cmocka_unit_test(many_are_asked_at_once),
        cmocka_unit_test(askers_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
