/* SPDX-License-Identifier: Apache-2.0 */
#include "../failing.h"
#include "wire.h"

/* Calls in and out while memory is short: each allocation of the node fails in turn. Who calls is
 * answered all the same, or its link ends; and nothing is left behind. */

/* ---- who answers ---- */

static clu_error same(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    clu_put_term(clu_reply_begin(call), args);
    return clu_reply_end(call);
}

static clu_error serve_call(clu_call *call, clu_reader *asked, void *arg)
{
    (void)arg;
    clu_put_term(clu_reply_begin(call), asked);
    return clu_reply_end(call);
}

static const clu_server served = {.call = serve_call};

/* ---- who asks ---- */

static void answered(clu_process *self, const clu_answer *a, void *arg)
{
    struct fixture *f = arg;

    (void)self;
    (void)a;
    f->n_stopped++;
}

static void gathered(clu_process *self, size_t index, const clu_answer *a, size_t left, void *arg)
{
    (void)index;
    (void)left;
    answered(self, a, arg);
}

/* How many answers are to come: what could be asked. */
static unsigned ask(struct fixture *f, clu_process *p)
{
    static const char *const nodes[] = {"us@h", "p@h"};
    clu_to to = clu_to_name("served", NULL), far = clu_to_name("served", "p@h");
    unsigned n = 0;

    clu_put_nil(clu_rpc_begin(p, "us@h", "erlang", "node", 5000));
    n += clu_call_end(p, answered, f, NULL) == CLU_OK;
    clu_put_nil(clu_rpc_begin(p, "p@h", "erlang", "node", 5000));
    n += clu_call_end(p, answered, f, NULL) == CLU_OK;
    clu_put_nil(clu_rex_begin(p, "p@h", "erlang", "node", 5000));
    n += clu_call_end(p, answered, f, NULL) == CLU_OK;
    clu_put_nil(clu_call_begin(p, &to, 5000));
    n += clu_call_end(p, answered, f, NULL) == CLU_OK;
    clu_put_nil(clu_call_begin(p, &far, 5000));
    n += clu_call_end(p, answered, f, NULL) == CLU_OK;
    clu_put_nil(clu_multicall_begin(p, nodes, 2, "erlang", "node", 5000));
    if (clu_multicall_end(p, gathered, f) == CLU_OK)
        n += 2;
    clu_spawn_remote(p, "us@h", "calc", "same", slice_of("j"), true, true);
    return n;
}

static void call_out(struct fixture *f)
{
    clu_process *p = clu_spawn(&f->node, &(clu_spawn_options){.receive = ignore});
    clu_pid self = p == NULL ? (clu_pid){0} : clu_self(p);
    unsigned n = p == NULL ? 0 : ask(f, p);

    node_turn(&f->node, 0);
    node_tick(&f->node, 5000);
    node_turn(&f->node, 5000);
    p = p == NULL ? NULL : clu_find(&f->node, &self);
    /* it is told of all, unless it was ended for want of memory */
    if (p != NULL)
        assert_int_equal(f->n_stopped, n);
    if (p != NULL)
        clu_exit(p, "normal");
    node_turn(&f->node, 5000);
}

/* ---- the story ---- */

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    while ((text = strstr(text, what)) != NULL) {
        text += strlen(what);
        n++;
    }
    return n;
}

/* One that ends with an error closes the link; else its caller hears of it. */
static bool asked(struct fixture *f, const char *control, const char *payload)
{
    if (receive(f, control, payload) != CLU_OK || f->channel.err != CLU_OK)
        return false;
    return f->link.remote == NULL || !f->link.remote->lost;
}

static bool call_in(struct fixture *f)
{
    if (!asked(f, "{29,request,caller,caller,{erpc,execute_call,4},[monitor]}",
               "[result,calc,same,[[1,2]]]"))
        return false;
    const char *said = sent(f);
    assert_int_equal(count(said, "{31,"), 1);
    assert_int_equal(count(said, "{28,") + count(said, ",0,system_limit}"), 1);
    if (!asked(f, "{29,request,caller,caller,{calc,same,1},[link,monitor]}", "[[1,2]]"))
        return false;
    said = sent(f);
    assert_int_equal(count(said, "{31,"), 1);
    assert_true(count(said, "{24,") == count(said, "{28,") || count(said, "system_limit") > 0);
    if (!asked(f, "{19,caller,rex,request}", NULL) ||
        !asked(f, "{6,caller,'',rex}",
               "{'$gen_call',{caller,[alias|request]},{call,calc,same,[[x]],user}}"))
        return false;
    said = sent(f);
    assert_true(count(said, "alias") + count(said, "{28,rex") >= 1);
    if (!asked(f, "{20,caller,rex,request}", NULL) ||
        !asked(f, "{19,caller,served,request}", NULL) ||
        !asked(f, "{6,caller,'',served}", "{'$gen_call',{caller,[alias|request]},hi}"))
        return false;
    said = sent(f);
    assert_true(count(said, "alias") + count(said, "{28,served") >= 1);
    return asked(f, "{6,caller,'',served}", "{system,{caller,[alias|request]},get_status}") &&
           asked(f, "{6,caller,'',served}", "{system,{caller,[alias|request]},get_state}") &&
           asked(f, "{6,caller,'',rex}", "{caller,{call,nosuch,f,[x],user}}");
}

/* An answer that waits for room, and the end of its server behind it. */
static bool late(struct fixture *f)
{
    (void)sent(f); /* a question of sys may have ended in its asker's DOWN */
    fill(f, CHANNEL_BUSY_BYTES);
    if (!asked(f, "{19,caller,served,request}", NULL) ||
        !asked(f, "{6,caller,'',served}", "{'$gen_call',{caller,[alias|request]},hi}"))
        return false;
    wire_running = true;
    clu_exit(clu_whereis(&f->node, "served"), "normal");
    node_turn(&f->node, 0);
    wire_running = false;
    size_t n_told = count(sent(f), "{28,served"); /* before it came to an answer */

    wire_running = true;
    node_writable(&f->link);
    wire_running = false;
    if (f->channel.err != CLU_OK)
        return false;
    const char *said = sent(f), *answer = strstr(said, "alias"), *down = strstr(said, "{28,served");

    assert_int_equal(n_told + count(said, "{28,served"), 1);
    assert_true(answer == NULL ? n_told == 1 || strstr(down, "normal") == NULL : answer < down);
    return true;
}

/* There is memory again. */
static void settle(struct fixture *f)
{
    wire_running = false;
    node_tick(&f->node, 7000);
    node_turn(&f->node, 7000);
    wire_running = true;
}

static bool story(void)
{
    struct fixture f = {.what = ""};
    bool linked = false;

    n_allocations = 0;
    wire_running = true;
    clu_error err = node_init(&f.node, "us@h", 5, false);

    channel_init(&f.channel, NODE_FLAGS, 60000, 4, 0);
    channel_init(&f.peer, NODE_FLAGS, 60000, 4, 0);
    if (err == CLU_OK)
        err = node_link_up(&f.node, &f.link, &f.channel, "p@h", 3,
                           NODE_FLAGS & ~DFLAG_ALTACT_SIG); /* its release is to be asked */
    if (err == CLU_OK) {
        clu_export(&f.node, "calc", "same", 1, same, NULL);
        clu_serve(&f.node, "served", &served, NULL);
        if (f.node.err == CLU_OK) {
            wire_running = false;
            linked = call_in(&f) && late(&f);
            wire_running = true;
            call_out(&f);
            settle(&f);
            if (linked)
                assert_true(list_empty(&f.node.calls));
        }
    }
    node_link_down(&f.node, &f.link, "connection_closed");
    node_turn(&f.node, 5000);
    channel_fini(&f.channel);
    wire_running = false;
    channel_fini(&f.peer);
    buf_free(&f.seen);
    node_fini(&f.node);
    return linked;
}

static void every_allocation_fails(void **state)
{
    (void)state;
    failing_tell_both(story);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_fails)};

    failing_while = &wire_running;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
