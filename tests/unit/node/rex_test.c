/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

/* Calls by way of rex: of peers that do not spawn, and in a hurry. */

static void peers_that_do_not_spawn_have_rex(void **state)
{
    struct fixture f;
    char text[256];

    (void)state;
    open_link(&f, NODE_FLAGS & ~DFLAG_SPAWN);
    f.ref = rpc(&f, "p@h", CLU_INFINITY);
    snprintf(text, sizeof text,
             "{19,<us@h.4.4>,rex,#Ref<us@h.0.%u.1>}\n"
             "{6,<us@h.4.4>,'',rex} {'$gen_call',{<us@h.4.4>,[alias|#Ref<us@h.0.%u.1>]},"
             "{call,lists,sum,[[1,2]],user}}\n",
             (unsigned)f.ref.words[1], (unsigned)f.ref.words[1]);
    assert_string_equal(sent(&f), text);
    assert_int_equal(receive(&f, "{33,caller,own}", "{[alias|own],3}"), CLU_OK);
    sent(&f);
    f.ref = rpc(&f, "p@h", CLU_INFINITY);
    sent(&f);
    assert_int_equal(receive(&f, "{33,caller,own}", "{[alias|own],{badrpc,{'EXIT',it}}}"), CLU_OK);
    assert_string_equal(buf_text(&f.notes), "answered 3\nraised error {badrpc,{'EXIT',it}}\n");
    end(&f);
}

static void ask_rex(struct fixture *f, const char *node, uint64_t timeout_ms)
{
    clu_process *p = clu_find(&f->node, &f->self);

    put_text(f, clu_rex_begin(p, node, "lists", "sum", timeout_ms), "[[1,2]]");
    assert_int_equal(clu_call_end(p, answered, f, &f->ref), CLU_OK);
    node_turn(&f->node, f->node.now_ms);
}

static void rex_answers_by_alias(void **state)
{
    static const struct {
        const char *message, *note;
    } rows[] = {
        {"{rex,3}", "answered 3\n"},
        {"{rex,{badrpc,{'EXIT',it}}}", "raised error {badrpc,{'EXIT',it}}\n"},
        {"{rex}", ""},
        {"{xer,3}", ""},
        {"{rex,3,4}", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        char text[256];

        open_link(&f, NODE_FLAGS);
        ask_rex(&f, "p@h", CLU_INFINITY);
        snprintf(text, sizeof text,
                 "{6,<us@h.4.4>,'',rex} {#Ref<us@h.0.%u.1>,{call,lists,sum,[[1,2]],user}}\n",
                 (unsigned)f.ref.words[1]);
        assert_string_equal(sent(&f), text);
        assert_int_equal(receive(&f, "{33,caller,own}", rows[i].message), CLU_OK);
        assert_string_equal(buf_text(&f.notes), rows[i].note);
        assert_int_equal(receive(&f, "{33,caller,own}", "{rex,again}"), CLU_OK);
        assert_string_equal(buf_text(&f.notes),
                            rows[i].note[0] == '\0' ? "answered again\n" : rows[i].note);
        assert_string_equal(sent(&f), "");
        end(&f);
    }
}

/* Nothing was monitored, so there is nothing to take back. */
static void rex_is_waited_for_no_longer(void **state)
{
    struct fixture f;

    (void)state;
    clu_process *p = open_link(&f, NODE_FLAGS);

    ask_rex(&f, "p@h", 5000);
    ask_rex(&f, "p@h", CLU_INFINITY);
    clu_call_forget(p, &f.ref);
    ask_rex(&f, "p@h", CLU_INFINITY);
    sent(&f);
    node_tick(&f.node, 5000);
    node_turn(&f.node, 5000);
    assert_string_equal(buf_text(&f.notes), "timed_out\n");
    assert_string_equal(sent(&f), "");
    node_link_down(&f.node, &f.link, "connection_closed");
    node_turn(&f.node, 5000);
    assert_string_equal(buf_text(&f.notes), "timed_out\nno_process noconnection\n");
    end(&f);
}

/* Who knows no aliases, or is not known yet, is asked by gen_server's call. */
static void rex_is_asked_as_of_old(void **state)
{
    struct fixture f;

    (void)state;
    open_link(&f, NODE_FLAGS & ~DFLAG_ALIAS);
    ask_rex(&f, "p@h", CLU_INFINITY);
    assert_non_null(strstr(sent(&f), "{'$gen_call',{<us@h.4.4>,[alias|"));
    ask_rex(&f, "q@h", CLU_INFINITY);
    assert_string_equal(node_next_wanted(&f.node), "q@h");
    node_unreachable(&f.node, "q@h");
    node_turn(&f.node, 0);
    assert_string_equal(buf_text(&f.notes), "no_process noconnection\n");
    /* our own */
    buf_reset(&f.notes);
    ask_rex(&f, "us@h", CLU_INFINITY);
    assert_string_equal(buf_text(&f.notes), "raised error {badrpc,{'EXIT',{undef,"
                                            "[{lists,sum,[[1,2]],[]}]}}}\n");
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_that_do_not_spawn_have_rex),
        cmocka_unit_test(rex_answers_by_alias),
        cmocka_unit_test(rex_is_waited_for_no_longer),
        cmocka_unit_test(rex_is_asked_as_of_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
