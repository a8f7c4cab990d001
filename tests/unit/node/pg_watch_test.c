/* SPDX-License-Identifier: Apache-2.0 */
#include "pg_lab.h"

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
static void what_stays_is_no_news(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    assert_int_not_equal(clu_pg_monitor(f.a, "pubs", NULL).n, 0);
    lab_hear(&f.lab, &f.lab.p,
             "{join,'<p@h.7.0>',room,['<p@h.2.0>','<p@h.1.0>','<p@h.2.0>','<p@h.2.0>']}");
    events(&f.lab, f.a);
    lab_hear(&f.lab, &f.lab.p,
             "{'$gen_cast',{sync,'<p@h.7.0>',[{room,['<p@h.2.0>','<p@h.2.0>',"
             "'<p@h.2.0>','<p@h.1.0>']}]}}");
    assert_string_equal(events(&f.lab, f.a), "");
    lab_hear(&f.lab, &f.lab.p,
             "{'$gen_cast',{local_data,'<p@h.7.0>',1,#{room => ['<p@h.2.0>','<p@h.2.0>']}}}");
    assert_string_equal(events(&f.lab, f.a), "-room <p@h.1.0> <p@h.2.0>\n");
    lab_fini(&f.lab);
}

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

/* What an operator asks any process. Other calls of it are pg's own, and of its node only. */
static void a_scope_says_how_it_is(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    lab_join(f.a, "room");
    lab_seen(&f.lab, &f.lab.p);
    lab_hear(&f.lab, &f.lab.p, "{system,{'<p@h.20.0>',tag},get_state}");
    assert_string_equal(
        lab_seen(&f.lab, &f.lab.p),
        "{tag,{ok,#{groups => 1,memberships => 1,local => 1,peers => 1,ignored => 0}}}\n");
    lab_hear(&f.lab, &f.lab.p, "{'$gen_call',{'<p@h.20.0>',tag},which_children}");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{tag,[]}\n");
    assert_int_equal(info_of(&f.lab).ignored, 0);
    lab_hear(&f.lab, &f.lab.p, "{'$gen_call',{'<p@h.20.0>',tag},monitor}");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "");
    assert_int_equal(info_of(&f.lab).ignored, 1);
    lab_fini(&f.lab);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(comings_and_goings_are_told),
        cmocka_unit_test(what_stays_is_no_news),
        cmocka_unit_test(who_does_not_want_to_know_hears_nothing),
        cmocka_unit_test(who_is_told_may_act),
        cmocka_unit_test(what_is_no_event),
        cmocka_unit_test(messages_go_to_members),
        cmocka_unit_test(a_scope_says_how_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
