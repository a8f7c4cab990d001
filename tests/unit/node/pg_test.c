/* SPDX-License-Identifier: Apache-2.0 */
#include "pg_lab.h"

/* ---- scopes find each other ---- */

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
    lab_hear(&f.lab, &f.lab.p, "{'$gen_cast',{sync,'<p@h.7.0>',[]}}"); /* what it knows it knows */
    lab_leave(f.a, "room");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{update,Scope,[{room,[],[A]}]}\n"
                                                    "{leave,Scope,A,[room]}\n");
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
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',1,'<p@h.20.0>'}");
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',2,'<p@h.20.0>'}");
    lab_hear(&f.lab, &f.lab.p, "{leave,'<p@h.7.0>','<p@h.20.0>',[1,2]}"); /* a string */
    assert_int_equal(info_of(&f.lab).groups, 1);
    assert_int_equal(info_of(&f.lab).ignored, 0);
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{join,Scope,room,A}\n");
    lab_fini(&f.lab);
}

/* The one nearest to the front goes first, as lists:delete has it. */
static void who_joins_twice_is_in_twice(void **state)
{
    static const struct {
        const char *message, *members;
    } rows[] = {
        {"{join,'<p@h.7.0>',room,['<p@h.1.0>','<p@h.2.0>','<p@h.1.0>']}", "1 2 1 "},
        {"{join,'<p@h.7.0>',room,['<p@h.3.0>','<p@h.1.0>']}", "3 1 1 2 1 "},
        {"{leave,'<p@h.7.0>','<p@h.1.0>',[room]}", "3 1 2 1 "},
        {"{update,'<p@h.7.0>',[{room,['<p@h.2.0>'],['<p@h.1.0>']}]}", "2 3 2 1 "},
        {"{leave,'<p@h.7.0>',['<p@h.2.0>','<p@h.3.0>'],[room]}", "2 1 "},
        {"{join,'<p@h.7.0>',room,'<p@h.2.0>'}", "2 2 1 "},
        {"{'$gen_cast',{sync,'<p@h.7.0>',[{room,['<p@h.1.0>','<p@h.2.0>','<p@h.1.0>']}]}}",
         "1 2 1 "},
        {"{'$gen_cast',{sync,'<p@h.7.0>',[{room,['<p@h.2.0>','<p@h.2.0>','<p@h.2.0>']}]}}",
         "2 2 2 "},
        {"{leave,'<p@h.7.0>','<p@h.2.0>',[room,room]}", "2 "},
        {"{join,'<p@h.7.0>',room,['<p@h.1.0>','<p@h.3.0>','<p@h.1.0>','<p@h.2.0>']}", "1 3 1 2 2 "},
        {"{leave,'<p@h.7.0>',['<p@h.1.0>','<p@h.2.0>'],[room]}", "3 1 2 "},
        {"{leave,'<p@h.7.0>',['<p@h.1.0>','<p@h.3.0>'],[room]}", "2 "},
        {"{join,'<p@h.7.0>',room,'<p@h.1.0>'}", "1 2 "},
        {"{join,'<p@h.7.0>',room,['<p@h.1.0>','<p@h.3.0>','<p@h.1.0>','<p@h.2.0>']}",
         "1 3 1 2 1 2 "},
        {"{leave,'<p@h.7.0>','<p@h.1.0>',[room,room]}", "3 2 1 2 "},
        {"{leave,'<p@h.7.0>',['<p@h.1.0>','<p@h.3.0>'],[room]}", "2 2 "},
    };
    struct pair f;

    (void)state;
    open_known(&f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf ids = {0};

        lab_hear(&f.lab, &f.lab.p, rows[i].message);
        for (const char *at = lab_members(&f.lab, "room"); *at != '\0'; at += strcspn(at, " ") + 1)
            buf_put(&ids, at + strlen("<p@h."), 1), buf_put(&ids, " ", 1);
        assert_string_equal(buf_text(&ids), rows[i].members);
        buf_free(&ids);
    }
    lab_hear(&f.lab, &f.lab.p, "{leave,'<p@h.7.0>','<p@h.2.0>',[room,room]}");
    assert_int_equal(info_of(&f.lab).memberships, 0);
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
    lab_hear(&f.lab, &f.lab.p, "{join,'<q@h.7.0>',room,'<q@h.66.0>'}"); /* not p's to say */
    lab_hear(&f.lab, &f.lab.p, "{'$gen_cast',{sync,'<q@h.7.0>',[]}}");
    assert_int_equal(info_of(&f.lab).ignored, 2);
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
        cmocka_unit_test(who_joins_twice_is_in_twice),
        cmocka_unit_test(a_sync_replaces_all),
        cmocka_unit_test(changes_of_strangers_do_not_count),
        cmocka_unit_test(what_pg_does_not_know_is_counted),
        cmocka_unit_test(a_link_that_goes_takes_its_members),
        cmocka_unit_test(a_scope_that_ends_takes_its_members),
        cmocka_unit_test(our_scope_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
