/* SPDX-License-Identifier: Apache-2.0 */
#include "pg_lab.h"

/* ---- scopes find each other ---- */

static void open_scope(struct lab *lab)
{
    assert_int_equal(lab_init(lab), CLU_OK);
    assert_int_equal(clu_pg_start(&lab->node, "pubs"), CLU_OK);
    lab_call(lab, clu_whereis(&lab->node, "pubs"), "Scope");
}

/* A scope with two processes of ours that have joined nothing, and a link to p. */
struct pair {
    struct lab lab;
    clu_process *a, *b;
};

static void open_pair(struct pair *f)
{
    open_scope(&f->lab);
    f->a = clu_spawn(&f->lab.node, &(clu_spawn_options){0});
    f->b = clu_spawn(&f->lab.node, &(clu_spawn_options){0});
    lab_call(&f->lab, f->a, "A");
    lab_call(&f->lab, f->b, "B");
    assert_int_equal(lab_link_up(&f->lab, &f->lab.p, LAB_FLAGS), CLU_OK);
    assert_string_equal(lab_seen(&f->lab, &f->lab.p), "{discover,Scope}\n");
}

static clu_pg_info info_of(struct lab *lab)
{
    clu_pg_info info;

    assert_true(clu_pg_get_info(&lab->node, "pubs", &info));
    return info;
}

static void a_node_that_comes_up_is_asked(void **state)
{
    struct pair f;

    (void)state;
    open_pair(&f);
    assert_int_equal(lab_link_up(&f.lab, &f.lab.q, LAB_FLAGS & ~DFLAG_PUBLISHED), CLU_OK);
    assert_string_equal(lab_seen(&f.lab, &f.lab.q), ""); /* hidden */
    lab_fini(&f.lab);
}

static void a_scope_that_starts_asks_all(void **state)
{
    struct lab lab;

    (void)state;
    assert_int_equal(lab_init(&lab), CLU_OK);
    assert_int_equal(lab_link_up(&lab, &lab.p, LAB_FLAGS), CLU_OK);
    assert_int_equal(lab_link_up(&lab, &lab.q, LAB_FLAGS & ~DFLAG_PUBLISHED), CLU_OK);
    assert_string_equal(lab_seen(&lab, &lab.p), "");
    assert_int_equal(clu_pg_start(&lab.node, "pubs"), CLU_OK);
    lab_call(&lab, clu_whereis(&lab.node, "pubs"), "Scope");
    assert_string_equal(lab_seen(&lab, &lab.p), "{discover,Scope}\n");
    assert_string_equal(lab_seen(&lab, &lab.q), "");
    assert_int_equal(clu_pg_start(&lab.node, "pubs"), CLU_EEXIST);
    assert_int_equal(clu_pg_start(&lab.node, ""), CLU_EBADARG);
    lab_fini(&lab);
}

/* Who is new is told all, watched, and asked for its own. */
static void who_asks_is_told_all(void **state)
{
    struct pair f;

    (void)state;
    open_pair(&f);
    assert_int_equal(lab_join(f.a, "{room,1}"), CLU_OK);
    assert_int_equal(lab_join(f.b, "{room,1}"), CLU_OK);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "");
    lab_hear(&f.lab, &f.lab.p, "{discover,'<p@h.7.0>'}");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p),
                        "monitor <p@h.7.0>\n"
                        "{'$gen_cast',{sync,Scope,[{{room,1},[B,A]}]}}\n"
                        "{discover,Scope}\n");
    lab_hear(&f.lab, &f.lab.p, "{discover,'<p@h.7.0>'}");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p),
                        "{'$gen_cast',{sync,Scope,[{{room,1},[B,A]}]}}\n");
    assert_int_equal(info_of(&f.lab).peers, 1);
    lab_fini(&f.lab);
}

/* OTP 26 to 28 send the old message and take the new one; OTP 29 sends the new one. */
static void since_otp_29_there_is_a_version(void **state)
{
    struct pair f;

    (void)state;
    open_pair(&f);
    lab_join(f.a, "room");
    lab_hear(&f.lab, &f.lab.p, "{discover,'<p@h.7.0>',1}");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p),
                        "monitor <p@h.7.0>\n"
                        "{'$gen_cast',{local_data,Scope,1,#{room => [A]}}}\n"
                        "{discover,Scope,1}\n");
    lab_join(f.b, "hall");
    lab_leave(f.a, "room");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{update,Scope,[{hall,[B],[]}]}\n"
                                                    "{update,Scope,[{room,[],[A]}]}\n");
    lab_join(f.b, "hall");
    clu_exit(f.b, "normal");
    lab_turn(&f.lab);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p),
                        "{update,Scope,[{hall,[B],[]}]}\n"
                        "{update,Scope,[{hall,[],[B]},{hall,[],[B]}]}\n");
    lab_fini(&f.lab);
}

/* Of a version to come we know nothing but that it understands this one. */
static void versions_of_others(void **state)
{
    struct pair f;

    (void)state;
    open_pair(&f);
    lab_hear(&f.lab, &f.lab.p, "{discover,'<p@h.7.0>',2}");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "monitor <p@h.7.0>\n"
                                                    "{'$gen_cast',{local_data,Scope,1,#{}}}\n"
                                                    "{discover,Scope,1}\n");
    lab_hear(&f.lab, &f.lab.p, "{discover,'<p@h.8.0>',what}");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "monitor <p@h.8.0>\n"
                                                    "{'$gen_cast',{sync,Scope,[]}}\n"
                                                    "{discover,Scope}\n");
    /* the first message of OTP 29 may be its answer to our old question */
    lab_hear(&f.lab, &f.lab.p, "{'$gen_cast',{sync,'<p@h.9.0>',[]}}");
    lab_hear(&f.lab, &f.lab.p, "{discover,'<p@h.9.0>',1}");
    lab_seen(&f.lab, &f.lab.p);
    lab_scope_ends(&f.lab, &f.lab.p);
    lab_join(f.a, "room");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{update,Scope,[{room,[A],[]}]}\n"
                                                    "{join,Scope,room,A}\n");
    assert_int_equal(info_of(&f.lab).ignored, 0);
    lab_fini(&f.lab);
}

/* A leave of a group that pg before OTP 29 has not heard of kills it: who has not got all groups
 * yet gets nothing else. */
static void nobody_gets_changes_before_all_groups(void **state)
{
    struct pair f;

    (void)state;
    open_pair(&f);
    lab_join(f.a, "room");
    lab_hear(&f.lab, &f.lab.p, "{'$gen_cast',{sync,'<p@h.7.0>',[]}}");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "monitor <p@h.7.0>\n");
    lab_leave(f.a, "room");
    lab_join(f.b, "hall");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "");
    lab_pass(&f.lab, 1000); /* it has not asked */
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{'$gen_cast',{sync,Scope,[{hall,[B]}]}}\n");
    lab_leave(f.b, "hall");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{leave,Scope,B,[hall]}\n");
    lab_fini(&f.lab);
}

/* ---- joining and leaving ---- */

static void open_known(struct pair *f)
{
    open_pair(f);
    lab_hear(&f->lab, &f->lab.p, "{discover,'<p@h.7.0>'}");
    lab_seen(&f->lab, &f->lab.p);
}

static void joins_are_counted(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    assert_int_equal(lab_join(f.a, "room"), CLU_OK);
    assert_int_equal(lab_join(f.b, "room"), CLU_OK);
    assert_int_equal(lab_join(f.a, "room"), CLU_OK);
    assert_string_equal(lab_members(&f.lab, "room"), "A! B! A! ");
    assert_int_equal(lab_leave(f.a, "room"), CLU_OK);
    assert_string_equal(lab_members(&f.lab, "room"), "B! A! ");
    assert_int_equal(lab_leave(f.a, "room"), CLU_OK);
    assert_int_equal(lab_leave(f.a, "room"), CLU_ENOENT);
    assert_int_equal(lab_leave(f.b, "hall"), CLU_ENOENT);
    assert_string_equal(lab_members(&f.lab, "room"), "B! ");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{join,Scope,room,A}\n"
                                                    "{join,Scope,room,B}\n"
                                                    "{join,Scope,room,A}\n"
                                                    "{leave,Scope,A,[room]}\n"
                                                    "{leave,Scope,A,[room]}\n");
    assert_int_equal(lab_leave(f.b, "room"), CLU_OK);
    assert_int_equal(info_of(&f.lab).groups, 0);
    lab_fini(&f.lab);
}

/* Who ends leaves all at once, each group as often as it joined it. */
static void the_end_of_a_member_is_one_leave(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    lab_join(f.a, "room");
    lab_join(f.a, "hall");
    lab_join(f.b, "room");
    lab_join(f.a, "room");
    lab_seen(&f.lab, &f.lab.p);
    clu_exit(f.a, "shutdown");
    lab_turn(&f.lab);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{leave,Scope,A,[room,hall,room]}\n");
    assert_string_equal(lab_members(&f.lab, "room"), "B! ");
    assert_int_equal(info_of(&f.lab).groups, 1);
    assert_int_equal(info_of(&f.lab).local, 1);
    lab_leave(f.b, "room");
    lab_seen(&f.lab, &f.lab.p);
    clu_exit(f.b, "shutdown"); /* in nothing any more */
    lab_turn(&f.lab);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "");
    lab_fini(&f.lab);
}

static void what_cannot_be_joined(void **state)
{
    static const uint8_t half[] = {ETF_SMALL_TUPLE, 2, ETF_NIL};
    struct pair f;

    (void)state;
    open_known(&f);
    assert_int_equal(clu_pg_join(f.a, "pubs", (clu_slice){half, sizeof half}), CLU_ETRUNC);
    assert_int_equal(clu_pg_join(f.a, "elsewhere", (clu_slice){half + 2, 1}), CLU_ENOENT);
    assert_int_equal(clu_pg_join(f.a, "net_kernel", (clu_slice){half + 2, 1}), CLU_ENOENT);
    assert_int_equal(
        clu_pg_members(&f.lab.node, "pubs", (clu_slice){half, sizeof half}, NULL, NULL), 0);
    clu_exit(f.a, "normal");
    assert_int_equal(clu_pg_join(f.a, "pubs", (clu_slice){half + 2, 1}), CLU_ENOENT);
    assert_int_equal(info_of(&f.lab).memberships, 0);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "");
    lab_fini(&f.lab);
}

/* ---- what others tell ---- */

static void others_join_and_leave(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',room,'<p@h.20.0>'}");
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',room,['<p@h.21.0>','<p@h.22.0>','<p@h.20.0>']}");
    lab_join(f.a, "room");
    assert_string_equal(lab_members(&f.lab, "room"),
                        "A! <p@h.21.0> <p@h.22.0> <p@h.20.0> <p@h.20.0> ");
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',hall,['<p@h.20.0>']}");
    lab_hear(&f.lab, &f.lab.p, "{leave,'<p@h.7.0>','<p@h.20.0>',[hall,room,nowhere]}");
    assert_string_equal(lab_members(&f.lab, "hall"), "");
    assert_string_equal(lab_members(&f.lab, "room"), "A! <p@h.21.0> <p@h.22.0> <p@h.20.0> ");
    lab_hear(&f.lab, &f.lab.p,
             "{leave,'<p@h.7.0>',['<p@h.22.0>','<p@h.20.0>','<p@h.20.0>'],[room]}");
    assert_string_equal(lab_members(&f.lab, "room"), "A! <p@h.21.0> ");
    lab_hear(
        &f.lab, &f.lab.p,
        "{update,'<p@h.7.0>',[{room,['<p@h.30.0>','<p@h.31.0>'],['<p@h.21.0>']},{hall,[],[]}]}");
    assert_string_equal(lab_members(&f.lab, "room"), "<p@h.30.0> <p@h.31.0> A! ");
    assert_int_equal(info_of(&f.lab).groups, 1);
    assert_int_equal(info_of(&f.lab).ignored, 0);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{join,Scope,room,A}\n");
    lab_fini(&f.lab);
}

static void a_sync_replaces_all(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    lab_hear(&f.lab, &f.lab.p,
             "{'$gen_cast',{sync,'<p@h.7.0>',[{room,['<p@h.20.0>','<p@h.21.0>']},"
             "{hall,['<p@h.20.0>']}]}}");
    assert_string_equal(lab_members(&f.lab, "room"), "<p@h.20.0> <p@h.21.0> ");
    lab_hear(&f.lab, &f.lab.p,
             "{'$gen_cast',{sync,'<p@h.7.0>',[{room,['<p@h.22.0>','<p@h.21.0>']}]}}");
    assert_string_equal(lab_members(&f.lab, "room"), "<p@h.22.0> <p@h.21.0> ");
    assert_string_equal(lab_members(&f.lab, "hall"), "");
    lab_hear(&f.lab, &f.lab.p,
             "{'$gen_cast',{local_data,'<p@h.7.0>',1,#{hall => ['<p@h.22.0>','<p@h.22.0>']}}}");
    assert_string_equal(lab_members(&f.lab, "room"), "");
    assert_string_equal(lab_members(&f.lab, "hall"), "<p@h.22.0> <p@h.22.0> ");
    assert_int_equal(info_of(&f.lab).memberships, 2);
    lab_hear(&f.lab, &f.lab.p, "{'$gen_cast',{sync,'<p@h.7.0>',[]}}");
    assert_int_equal(info_of(&f.lab).groups, 0);
    assert_int_equal(info_of(&f.lab).ignored, 0);
    lab_fini(&f.lab);
}

/* pg knows these races: changes of a scope that it does not know (any more) are passed over. */
static void changes_of_strangers_do_not_count(void **state)
{
    struct pair f;

    (void)state;
    open_pair(&f);
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',room,'<p@h.20.0>'}");
    lab_hear(&f.lab, &f.lab.p, "{leave,'<p@h.7.0>','<p@h.20.0>',[room]}");
    lab_hear(&f.lab, &f.lab.p, "{update,'<p@h.7.0>',[{room,['<p@h.20.0>'],[]}]}");
    assert_string_equal(lab_members(&f.lab, "room"), "");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "");
    assert_int_equal(info_of(&f.lab).ignored, 0);
    lab_fini(&f.lab);
}

static void what_pg_does_not_know_is_counted(void **state)
{
    static const char *const messages[] = {
        "hello",
        "{}",
        "{discover}",
        "{discover,p}",
        "{discover,'<us@h.1.1>'}",
        "{discover,'<q@h.7.0>'}",
        "{discover,'<p@h.7.0>',1,2}",
        "{join,'<p@h.7.0>',room}",
        "{join,'<p@h.7.0>',room,p}",
        "{join,'<p@h.7.0>',room,['<p@h.20.0>'|'<p@h.21.0>']}",
        "{join,'<p@h.7.0>',room,['<p@h.20.0>','<q@h.20.0>']}",
        "{join,'<q@h.7.0>',room,'<q@h.20.0>'}",
        "{leave,'<p@h.7.0>','<p@h.9.0>',room}",
        "{leave,'<p@h.7.0>',p,[room]}",
        "{leave,'<p@h.7.0>','<p@h.9.0>',[room|room]}",
        "{update,'<p@h.7.0>',room}",
        "{update,'<p@h.7.0>',[{room,['<p@h.20.0>'],[]},{room,p,[]}]}",
        "{update,'<p@h.7.0>',[{room,['<p@h.20.0>'],[]}|room]}",
        "{update,'<p@h.7.0>',[{room,['<p@h.20.0>']}]}",
        "{'$gen_cast',hello}",
        "{'$gen_cast',{sync,'<p@h.7.0>',room}}",
        "{'$gen_cast',{sync,'<p@h.7.0>',[{room,['<p@h.20.0>']},hall]}}",
        "{'$gen_cast',{sync,'<p@h.7.0>',[{room,['<p@h.20.0>']},{hall,p}]}}",
        "{'$gen_cast',{sync,'<p@h.7.0>',[{room,['<p@h.20.0>']}|room]}}",
        "{'$gen_cast',{local_data,'<p@h.7.0>',1,[]}}",
        "{'$gen_cast',{local_data,'<p@h.7.0>',1,#{room => p}}}",
        "{'$gen_call',{'<p@h.20.0>',tag},{join_local,room,'<p@h.20.0>'}}",
    };
    struct pair f;

    (void)state;
    open_known(&f);
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',room,'<p@h.9.0>'}");
    for (size_t i = 0; i < COUNT(messages); i++) {
        assert_int_equal(lab_hear(&f.lab, &f.lab.p, messages[i]), CLU_OK);
        assert_string_equal(lab_members(&f.lab, "room"), "<p@h.9.0> ");
        if (info_of(&f.lab).ignored != i + 1)
            fail_msg("%s: not ignored", messages[i]);
    }
    assert_int_equal(info_of(&f.lab).peers, 1);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "");
    lab_fini(&f.lab);
}

/* ---- the ends of others ---- */

static void a_link_that_goes_takes_its_members(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    lab_link_up(&f.lab, &f.lab.q, LAB_FLAGS);
    lab_hear(&f.lab, &f.lab.q, "{'$gen_cast',{sync,'<q@h.7.0>',[{room,['<q@h.20.0>']}]}}");
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',room,['<p@h.20.0>','<p@h.21.0>']}");
    lab_join(f.a, "room");
    lab_link_down(&f.lab, &f.lab.p);
    assert_string_equal(lab_members(&f.lab, "room"), "A! <q@h.20.0> ");
    assert_int_equal(info_of(&f.lab).peers, 1);
    lab_join(f.b, "room"); /* nobody is dialled for it */
    assert_null(node_next_wanted(&f.lab.node));
    assert_int_equal(lab_link_up(&f.lab, &f.lab.p, LAB_FLAGS), CLU_OK);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{discover,Scope}\n");
    lab_hear(&f.lab, &f.lab.p, "{discover,'<p@h.7.0>'}");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "monitor <p@h.7.0>\n"
                                                    "{'$gen_cast',{sync,Scope,[{room,[B,A]}]}}\n"
                                                    "{discover,Scope}\n");
    lab_fini(&f.lab);
}

static void a_scope_that_ends_takes_its_members(void **state)
{
    struct pair f;

    (void)state;
    open_pair(&f);
    lab_hear(&f.lab, &f.lab.p, "{discover,'<p@h.7.0>'}");
    lab_seen(&f.lab, &f.lab.p);
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',room,'<p@h.20.0>'}");
    lab_scope_ends(&f.lab, &f.lab.p);
    assert_int_equal(info_of(&f.lab).groups, 0);
    assert_int_equal(info_of(&f.lab).peers, 0);
    lab_join(f.a, "room");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "");
    lab_hear(&f.lab, &f.lab.p, "{discover,'<p@h.8.0>'}"); /* started again */
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "monitor <p@h.8.0>\n"
                                                    "{'$gen_cast',{sync,Scope,[{room,[A]}]}}\n"
                                                    "{discover,Scope}\n");
    lab_fini(&f.lab);
}

/* Its peers' monitors fire: that is all that they need. */
static void our_scope_ends(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    lab_join(f.a, "room");
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',room,'<p@h.20.0>'}");
    lab_seen(&f.lab, &f.lab.p);
    assert_int_equal(clu_pg_stop(&f.lab.node, "pubs"), CLU_OK);
    assert_int_equal(clu_pg_stop(&f.lab.node, "pubs"), CLU_ENOENT);
    clu_exit(f.a, "normal"); /* in the same step */
    lab_turn(&f.lab);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "demonitor <p@h.7.0>\n");
    assert_int_equal(lab_join(f.b, "room"), CLU_ENOENT);
    assert_int_equal(clu_pg_start(&f.lab.node, "pubs"), CLU_OK);
    assert_int_equal(info_of(&f.lab).memberships, 0);
    lab_fini(&f.lab);
}

/* ---- slow readers ---- */

static void fill(struct wire *w, size_t len)
{
    uint8_t *bytes = test_calloc(1, len);
    clu_writer out;

    channel_begin(&w->channel, &out, 0);
    clu_put_binary(&out, bytes, len);
    assert_int_equal(channel_end(&w->channel, &out), CLU_OK);
    test_free(bytes);
}

static void drain(struct wire *w)
{
    struct buf out = {0};

    take_all(&w->channel, &out, 0);
    buf_free(&out);
}

/* However much has changed meanwhile, it costs no memory; and nobody else waits. */
static void a_slow_reader_hears_how_things_are(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    lab_link_up(&f.lab, &f.lab.q, LAB_FLAGS);
    lab_hear(&f.lab, &f.lab.q, "{discover,'<q@h.7.0>'}");
    lab_seen(&f.lab, &f.lab.q);
    lab_join(f.a, "hall");
    lab_seen(&f.lab, &f.lab.p);
    fill(&f.lab.p, CHANNEL_BUSY_BYTES + 1);
    size_t before = pending_len(&f.lab.p.channel);

    for (int i = 0; i < 100; i++) {
        assert_int_equal(lab_join(f.b, "room"), CLU_OK);
        assert_int_equal(lab_leave(f.b, "room"), CLU_OK);
    }
    lab_leave(f.a, "hall");
    lab_join(f.a, "room");
    assert_int_equal(pending_len(&f.lab.p.channel), before);
    assert_non_null(strstr(lab_seen(&f.lab, &f.lab.q), "{join,Scope,room,A}\n"));
    lab_pass(&f.lab, 1000); /* it reads no faster */
    assert_int_equal(pending_len(&f.lab.p.channel), before);
    drain(&f.lab.p);
    node_writable(&f.lab.p.link);
    lab_turn(&f.lab);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{'$gen_cast',{sync,Scope,[{room,[A]}]}}\n");
    lab_leave(f.a, "room");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{leave,Scope,A,[room]}\n");
    lab_fini(&f.lab);
}

/* A process waits for one node at a time (CLU_SIGNAL_WRITABLE); time helps the others. */
static void two_slow_readers(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    lab_link_up(&f.lab, &f.lab.q, LAB_FLAGS);
    lab_hear(&f.lab, &f.lab.q, "{discover,'<q@h.7.0>'}");
    lab_seen(&f.lab, &f.lab.q);
    fill(&f.lab.p, CHANNEL_BUSY_BYTES + 1);
    fill(&f.lab.q, CHANNEL_BUSY_BYTES + 1);
    lab_join(f.a, "room");
    drain(&f.lab.p);
    drain(&f.lab.q);
    lab_pass(&f.lab, 1000);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{'$gen_cast',{sync,Scope,[{room,[A]}]}}\n");
    assert_string_equal(lab_seen(&f.lab, &f.lab.q), "{'$gen_cast',{sync,Scope,[{room,[A]}]}}\n");
    lab_fini(&f.lab);
}

static void a_slow_reader_is_asked_later(void **state)
{
    struct lab lab;

    (void)state;
    assert_int_equal(lab_init(&lab), CLU_OK);
    assert_int_equal(lab_link_up(&lab, &lab.p, LAB_FLAGS), CLU_OK);
    fill(&lab.p, CHANNEL_BUSY_BYTES + 1);
    assert_int_equal(clu_pg_start(&lab.node, "pubs"), CLU_OK);
    lab_call(&lab, clu_whereis(&lab.node, "pubs"), "Scope");
    drain(&lab.p);
    lab_pass(&lab, 1000);
    assert_string_equal(lab_seen(&lab, &lab.p), "{discover,Scope}\n");
    lab_pass(&lab, 1000);
    assert_string_equal(lab_seen(&lab, &lab.p), "");
    lab_fini(&lab);
}

/* ---- more than one node may take ---- */

/* A name of 8 MiB, 40 times: over CLU_PG_PEER_MAX. */
static void hear_much(struct lab *lab, const char *word, uint32_t *number)
{
    size_t len = 8u << 20;
    uint8_t *bytes = test_calloc(1, len);
    clu_writer w;
    clu_pid scope = {.node = slice_of("p@h"), .id = 7, .creation = PEER_CREATION}, member = scope;

    memcpy(bytes, number, sizeof *number);
    member.id = 100 + *number;
    clu_writer_init(&w);
    clu_put_tuple(&w, 4);
    clu_put_atom_text(&w, word);
    clu_put_pid(&w, &scope);
    clu_put_binary(&w, bytes, len);
    clu_put_pid(&w, &member);
    lab_control(lab, &lab->p, "{6,'<p@h.7.0>','',pubs}", (clu_slice){w.data, w.len}, NULL);
    clu_writer_free(&w);
    test_free(bytes);
    ++*number;
}

static void who_tells_too_much_is_asked_again(void **state)
{
    struct pair f;
    uint32_t number = 0;

    (void)state;
    open_known(&f);
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',room,'<p@h.20.0>'}");
    while (number < 31)
        hear_much(&f.lab, "join", &number);
    assert_int_equal(info_of(&f.lab).memberships, 32);
    hear_much(&f.lab, "join", &number);
    assert_int_equal(info_of(&f.lab).memberships, 0);
    assert_int_equal(info_of(&f.lab).ignored, 1);
    assert_int_equal(info_of(&f.lab).peers, 1);
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',room,'<p@h.20.0>'}"); /* half is not all */
    assert_int_equal(info_of(&f.lab).memberships, 0);
    lab_join(f.a, "room"); /* it hears of us all the same */
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{join,Scope,room,A}\n");
    for (int i = 0; i < 30; i++)
        lab_pass(&f.lab, 1000);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{discover,Scope}\n");
    lab_hear(&f.lab, &f.lab.p, "{'$gen_cast',{sync,'<p@h.7.0>',[{room,['<p@h.20.0>']}]}}");
    assert_string_equal(lab_members(&f.lab, "room"), "<p@h.20.0> A! ");
    for (int i = 0; i < 60; i++)
        lab_pass(&f.lab, 1000);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "");
    lab_fini(&f.lab);
}

/* ---- names ---- */

static void put_text(clu_writer *w, const char *bytes, size_t len)
{
    clu_put_bytes(w, bytes, len);
}

/* Encodings of equal terms, and of terms that are not. */
static void equal_terms_name_one_group(void **state)
{
#define ROW(text, bytes)                                                                           \
    {                                                                                              \
        text, bytes, sizeof(bytes) - 1                                                             \
    }
    static const struct {
        const char *text, *bytes;
        size_t len;
    } rows[] = {
        ROW("room", "w\4room"),
        ROW("room", "v\0\4room"),
        ROW("room", "d\0\4room"),
        ROW("room", "s\4room"),
        ROW("'\\x{e9}'", "s\1\xe9"),
        ROW("'\\x{e9}'", "w\2\xc3\xa9"),
        ROW("7", "a\7"),
        ROW("7", "b\0\0\0\7"),
        ROW("7", "n\3\0\7\0\0"),
        ROW("7", "o\0\0\0\1\0\7"),
        ROW("-7", "n\1\1\7"),
        ROW("0", "n\0\0"),
        ROW("1.5", "F\x3f\xf8\0\0\0\0\0\0"),
        ROW("1.5", "c1.50000000000000000000e+00\0\0\0\0\0"),
        ROW("{a,b}", "h\2w\1aw\1b"),
        ROW("{a,b}", "i\0\0\0\2s\1aw\1b"),
        ROW("[]", "j"),
        ROW("[]", "k\0\0"),
        ROW("\"abc\"", "k\0\3abc"),
        ROW("\"abc\"", "l\0\0\0\3aaabacj"),
        ROW("\"abc\"", "l\0\0\0\1aak\0\2bc"),
        ROW("\"abc\"", "l\0\0\0\2aaabl\0\0\0\1acj"),
        ROW("\"abc\"", "l\0\0\0\3aaaback\0\0"),
        ROW("[$a,[$b]|c]", "l\0\0\0\1aal\0\0\0\1k\0\1bw\1c"),
        ROW("[$a,[$b]|c]", "l\0\0\0\2aal\0\0\0\1abjw\1c"),
        ROW("#{a => 1,b => 2,{c} => 3}", "t\0\0\0\3w\1ba\2h\1w\1ca\3w\1aa\1"),
        ROW("#{a => 1,b => 2,{c} => 3}", "t\0\0\0\3i\0\0\0\1d\0\1ca\3w\1ab\0\0\0\1w\1ba\2"),
        ROW("#{[1,2] => #{}}", "t\0\0\0\1k\0\2\1\2t\0\0\0\0"),
        ROW("<<\"ab\">>", "m\0\0\0\2ab"),
        ROW("<<\"ab\">>", "M\0\0\0\2\10ab"),
        ROW("<<5:3>>", "M\0\0\0\1\3\xa0"),
        ROW("<<5:3>>", "M\0\0\0\1\3\xbf"),
        ROW("'<p@h.7.0>'", "Xw\3p@h\0\0\0\7\0\0\0\0\0\0\0\3"),
        ROW("'<p@h.7.0>'", "gd\0\3p@h\0\0\0\7\0\0\0\0\3"),
        ROW("fun lists:map/2", "qw\5listsw\3mapa\2"),
        ROW("fun lists:map/2", "qd\0\5listsd\0\3mapa\2"),
    };
    struct pair f;

    (void)state;
    open_known(&f);
    lab_join(f.b, "nothing");
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_writer w;

        clu_writer_init(&w);
        put_text(&w, rows[i].bytes, rows[i].len);
        assert_int_equal(clu_pg_join(f.a, "pubs", (clu_slice){w.data, w.len}), CLU_OK);
        if (strcmp(lab_members(&f.lab, rows[i].text), "A! ") != 0)
            fail_msg("row %zu, %s: another group", i, rows[i].text);
        assert_int_equal(lab_leave(f.a, rows[i].text), CLU_OK);
        assert_int_equal(info_of(&f.lab).groups, 1);
        clu_writer_free(&w);
    }
    lab_fini(&f.lab);
#undef ROW
}

static void different_terms_name_different_groups(void **state)
{
    static const char *const names[] = {
        "1",     "1.0",     "-1",      "a",         "\"a\"",     "<<\"a\">>", "{a}", "[a]",
        "[[a]]", "[a|b]",   "[a,b]",   "#{a => b}", "#{b => a}", "#{}",       "{}",  "[]",
        "<<>>",  "<<1:1>>", "<<1:2>>", "\"\\0\"",   "[0|0]",     "256",       "''",  "'1'",
    };
    struct pair f;

    (void)state;
    open_known(&f);
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_string_equal(lab_members(&f.lab, names[i]), "");
        lab_join(f.a, names[i]);
    }
    assert_int_equal(info_of(&f.lab).groups, COUNT(names));
    lab_fini(&f.lab);
}

/* What comes through a link's cache of atoms has only their numbers. */
static void atoms_of_a_cache_are_names(void **state)
{
    const clu_slice atoms[] = {slice_of("join"), slice_of("p@h"), slice_of("room")};
    const clu_refs refs = {.atoms = atoms, .n = COUNT(atoms)};
    static const char message[] = "h\4R\0XR\1\0\0\0\7\0\0\0\0\0\0\0\3h\2R\2R\1"
                                  "XR\1\0\0\0\x14\0\0\0\0\0\0\0\3";
    struct pair f;

    (void)state;
    open_known(&f);
    lab_control(&f.lab, &f.lab.p, "{6,'<p@h.7.0>','',pubs}",
                (clu_slice){(const uint8_t *)message, sizeof message - 1}, &refs);
    assert_string_equal(lab_members(&f.lab, "{room,p@h}"), "<p@h.20.0> ");
    lab_join(f.a, "{room,p@h}");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{join,Scope,{room,p@h},A}\n");
    lab_fini(&f.lab);
}

static void nested_names_have_an_end(void **state)
{
    struct pair f;
    clu_writer w;

    (void)state;
    open_known(&f);
    clu_writer_init(&w);
    for (int i = 0; i < 100; i++)
        clu_put_tuple(&w, 1);
    clu_put_nil(&w);
    assert_int_equal(clu_pg_join(f.a, "pubs", (clu_slice){w.data, w.len}), CLU_OK);
    clu_writer_reset(&w);
    for (int i = 0; i < CLU_DEPTH_MAX + 10; i++)
        clu_put_tuple(&w, 1);
    clu_put_nil(&w);
    assert_int_equal(clu_pg_join(f.a, "pubs", (clu_slice){w.data, w.len}), CLU_EDEPTH);
    clu_writer_free(&w);
    lab_fini(&f.lab);
}

static bool note_group(clu_slice group, size_t members, size_t local, void *arg)
{
    struct lab *lab = arg;
    char counts[64];

    lab_print(lab, &lab->told, (clu_reader){.pos = group.data, .end = group.data + group.len});
    int len = snprintf(counts, sizeof counts, " %zu %zu\n", members, local);

    buf_put(&lab->told, counts, (size_t)len);
    return true;
}

static void groups_are_listed(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    assert_int_equal(clu_pg_groups(&f.lab.node, "elsewhere", NULL, NULL), 0);
    lab_join(f.a, "[room,1]");
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',[room,1],['<p@h.20.0>']}");
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',hall,['<p@h.20.0>']}");
    assert_int_equal(clu_pg_groups(&f.lab.node, "pubs", NULL, NULL), 2);
    buf_reset(&f.lab.told);
    assert_int_equal(clu_pg_groups(&f.lab.node, "pubs", note_group, &f.lab), 2);
    assert_string_equal(buf_text(&f.lab.told), "[room,1] 2 1\nhall 1 0\n");
    lab_fini(&f.lab);
}

/* ---- who wants to know ---- */

static void note_event(struct lab *lab, const clu_signal *s)
{
    clu_pg_event e;

    assert_true(clu_pg_get_event(s, &e));
    buf_put(&lab->told, e.joined ? "+" : "-", 1);
    lab_print(lab, &lab->told,
              (clu_reader){.pos = e.group.data, .end = e.group.data + e.group.len});
    for (size_t i = 0; i < e.n; i++) {
        clu_reader before = e.pids;

        clu_skip_term(&e.pids);
        before.end = e.pids.pos;
        buf_put(&lab->told, " ", 1);
        lab_print(lab, &lab->told, before);
    }
    buf_put(&lab->told, "\n", 1);
}

/* Which events wait for a process. */
static const char *events(struct lab *lab, clu_process *p)
{
    clu_signal s;

    buf_reset(&lab->told);
    while (clu_take(p, &s))
        note_event(lab, &s);
    return buf_text(&lab->told);
}

static void comings_and_goings_are_told(void **state)
{
    struct pair f;
    clu_writer w;

    (void)state;
    open_known(&f);
    clu_slice room = lab_name(&w, "room");
    clu_ref all = clu_pg_monitor(f.a, "pubs", NULL), one = clu_pg_monitor(f.b, "pubs", &room);

    assert_int_not_equal(all.n, 0);
    assert_int_not_equal(one.n, 0);
    lab_join(f.a, "room");
    lab_join(f.a, "hall");
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',room,['<p@h.20.0>','<p@h.21.0>']}");
    lab_hear(&f.lab, &f.lab.p, "{leave,'<p@h.7.0>','<p@h.20.0>',[room,hall]}");
    lab_hear(&f.lab, &f.lab.p,
             "{'$gen_cast',{sync,'<p@h.7.0>',[{room,['<p@h.22.0>']},"
             "{hall,['<p@h.22.0>']}]}}");
    assert_string_equal(events(&f.lab, f.b), "+room A\n"
                                             "+room <p@h.20.0> <p@h.21.0>\n"
                                             "-room <p@h.20.0>\n"
                                             "+room <p@h.22.0>\n"
                                             "-room <p@h.21.0>\n");
    assert_string_equal(events(&f.lab, f.a), "+room A\n"
                                             "+hall A\n"
                                             "+room <p@h.20.0> <p@h.21.0>\n"
                                             "-room <p@h.20.0>\n"
                                             "+room <p@h.22.0>\n"
                                             "+hall <p@h.22.0>\n"
                                             "-room <p@h.21.0>\n");
    clu_exit(f.a, "normal");
    lab_link_down(&f.lab, &f.lab.p);
    assert_string_equal(events(&f.lab, f.b), "-room <p@h.22.0>\n"
                                             "-room A\n");
    clu_writer_free(&w);
    lab_fini(&f.lab);
}

/* What waits in the mailbox is gone too. */
static void who_does_not_want_to_know_hears_nothing(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    clu_ref all = clu_pg_monitor(f.a, "pubs", NULL);

    lab_join(f.b, "room");
    clu_pg_demonitor(f.b, &all); /* not its own */
    lab_join(f.b, "hall");
    clu_pg_demonitor(f.a, &all);
    clu_pg_demonitor(f.a, &all);
    lab_leave(f.b, "room");
    assert_string_equal(events(&f.lab, f.a), "");
    all = clu_pg_monitor(f.b, "pubs", NULL);
    clu_exit(f.b, "normal"); /* its own end is told to nobody */
    lab_turn(&f.lab);
    lab_join(f.a, "room");
    assert_int_equal(clu_pg_monitor(f.a, "elsewhere", NULL).n, 0);
    lab_fini(&f.lab);
}

/* A function that is told changes groups itself, while others are still to be told. */
static void leave_at_once(clu_process *p, const clu_signal *s, void *arg)
{
    struct lab *lab = arg;
    clu_pg_event e;

    if (!clu_pg_get_event(s, &e))
        return;
    clu_pg_demonitor(p, &e.ref);
    note_event(lab, s);
    assert_int_equal(lab_join(p, "late"), CLU_OK);
}

static void who_is_told_may_act(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    clu_spawn_options o = {.receive = leave_at_once, .arg = &f.lab};
    clu_process *c = clu_spawn(&f.lab.node, &o), *d = clu_spawn(&f.lab.node, &o);

    lab_call(&f.lab, c, "C");
    lab_call(&f.lab, d, "D");
    clu_pg_monitor(c, "pubs", NULL);
    clu_pg_monitor(d, "pubs", NULL);
    lab_join(f.a, "room");
    buf_reset(&f.lab.told);
    lab_link_down(&f.lab, &f.lab.p);
    assert_string_equal(buf_text(&f.lab.told), "+room A\n+room A\n");
    assert_string_equal(lab_members(&f.lab, "late"), "D! C! ");
    buf_reset(&f.lab.told);
    clu_pg_monitor(c, "pubs", NULL);
    lab_link_up(&f.lab, &f.lab.p, LAB_FLAGS);
    lab_hear(&f.lab, &f.lab.p, "{'$gen_cast',{sync,'<p@h.7.0>',[{room,['<p@h.22.0>']}]}}");
    assert_string_equal(buf_text(&f.lab.told), "+room <p@h.22.0>\n");
    buf_reset(&f.lab.told);
    clu_pg_monitor(c, "pubs", NULL);
    lab_seen(&f.lab, &f.lab.p);
    lab_scope_ends(&f.lab, &f.lab.p); /* read from the link: functions run at once */
    assert_string_equal(buf_text(&f.lab.told), "-room <p@h.22.0>\n");
    assert_string_equal(lab_members(&f.lab, "late"), "C! C! D! C! ");
    lab_fini(&f.lab);
}

static void what_is_no_event(void **state)
{
    static const char *const messages[] = {"{join,a,b,c}", "{a,b}", "hello"};
    clu_pg_event e;
    clu_writer w;

    (void)state;
    for (size_t i = 0; i < COUNT(messages); i++) {
        clu_slice term = lab_name(&w, messages[i]);
        clu_signal s = {.kind = CLU_SIGNAL_MESSAGE,
                        .term = {.pos = term.data, .end = term.data + term.len}};

        assert_false(clu_pg_get_event(&s, &e));
        clu_writer_free(&w);
    }
    assert_false(clu_pg_get_event(&(clu_signal){.kind = CLU_SIGNAL_TIMEOUT}, &e));
}

/* ---- sending ---- */

static clu_error broadcast(clu_process *p, clu_pg_whom whom)
{
    clu_writer group, message;
    clu_error err;

    err = clu_pg_send(p, "pubs", lab_name(&group, "room"), whom,
                      lab_name(&message, "{hi,<<\"x\">>}"));
    clu_writer_free(&group);
    clu_writer_free(&message);
    return err;
}

static size_t count_messages(clu_process *p)
{
    clu_signal s;
    size_t n = 0;

    while (clu_take(p, &s))
        n++;
    return n;
}

static void messages_go_to_members(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    lab_join(f.a, "room");
    lab_join(f.b, "room");
    lab_join(f.b, "room");
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',room,['<p@h.20.0>','<p@h.21.0>']}");
    lab_seen(&f.lab, &f.lab.p);
    assert_int_equal(broadcast(f.a, CLU_PG_REMOTE), CLU_OK);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{hi,<<\"x\">>}\n{hi,<<\"x\">>}\n");
    assert_int_equal(broadcast(f.a, CLU_PG_LOCAL), CLU_OK);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "");
    assert_int_equal(count_messages(f.a), 1);
    assert_int_equal(count_messages(f.b), 2);
    fill(&f.lab.p, CHANNEL_BUSY_BYTES + 1);
    assert_int_equal(broadcast(f.a, CLU_PG_ALL), CLU_EBUSY);
    assert_int_equal(count_messages(f.b), 2);
    lab_fini(&f.lab);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_that_comes_up_is_asked),
        cmocka_unit_test(a_scope_that_starts_asks_all),
        cmocka_unit_test(who_asks_is_told_all),
        cmocka_unit_test(since_otp_29_there_is_a_version),
        cmocka_unit_test(versions_of_others),
        cmocka_unit_test(nobody_gets_changes_before_all_groups),
        cmocka_unit_test(joins_are_counted),
        cmocka_unit_test(the_end_of_a_member_is_one_leave),
        cmocka_unit_test(what_cannot_be_joined),
        cmocka_unit_test(others_join_and_leave),
        cmocka_unit_test(a_sync_replaces_all),
        cmocka_unit_test(changes_of_strangers_do_not_count),
        cmocka_unit_test(what_pg_does_not_know_is_counted),
        cmocka_unit_test(a_link_that_goes_takes_its_members),
        cmocka_unit_test(a_scope_that_ends_takes_its_members),
        cmocka_unit_test(our_scope_ends),
        cmocka_unit_test(a_slow_reader_hears_how_things_are),
        cmocka_unit_test(two_slow_readers),
        cmocka_unit_test(a_slow_reader_is_asked_later),
        cmocka_unit_test(who_tells_too_much_is_asked_again),
        cmocka_unit_test(equal_terms_name_one_group),
        cmocka_unit_test(different_terms_name_different_groups),
        cmocka_unit_test(atoms_of_a_cache_are_names),
        cmocka_unit_test(nested_names_have_an_end),
        cmocka_unit_test(groups_are_listed),
        cmocka_unit_test(comings_and_goings_are_told),
        cmocka_unit_test(who_does_not_want_to_know_hears_nothing),
        cmocka_unit_test(who_is_told_may_act),
        cmocka_unit_test(what_is_no_event),
        cmocka_unit_test(messages_go_to_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
