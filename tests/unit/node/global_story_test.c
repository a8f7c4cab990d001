/* SPDX-License-Identifier: Apache-2.0 */
#include "global_words.h"

/* Sessions with a peer, step by step, and what comes of names and locks by them. */

static void a_session(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    says(&f, 0,
         "{'$gen_cast',{init_connect,{8,1},us@h,{locker,no_longer_a_pid,#{erlclu => 8},<us@h.");
    step(&f, 0, 0, 1);
    assert_string_equal(said(&f, 0), "{init_connect_ack,us@h,500,1}\n");
    step(&f, 0, 1, 1);
    says_nothing(&f, 0);
    step(&f, 0, 2, 1);
    says(&f, 0, "{[alias|#Ref<p@h.3.2.1>],true}\n");
    step(&f, 0, 3, 1);
    const char *text = said(&f, 0);

    assert_non_null(strstr(text, "{'$gen_cast',{lock_set,<us@h."));
    assert_non_null(strstr(text, ",true,[],500}}\n{'$gen_cast',{exchange,us@h,[],[],500}}\n"));
    step(&f, 0, 4, 1);
    assert_string_equal(said(&f, 0), "{'$gen_cast',{resolved,us@h,[],[],unused,[],500}}\n");
    assert_false(knows(&f, "p@h"));
    step(&f, 0, 5, 1);
    assert_true(knows(&f, "p@h"));
    assert_non_null(global_lock(f.node.global)); /* his locker has it still */
    step(&f, 0, 6, 1);
    assert_null(global_lock(f.node.global));
    end(&f);
}

/* We have the lock first, and ask him. */
static void we_ask(void **state)
{
    struct fixture f;
    clu_writer id;

    (void)state;
    begin(&f);
    link_up(&f, 1);
    step(&f, 1, 0, 1);
    step(&f, 1, 1, 1);
    said(&f, 1);
    pass(&f, 300);
    says(&f, 1, "{set_lock,{global,[<z@h.20.1>,<us@h.");
    lockers(&f, 1, &id);
    assert_non_null(global_lock(f.node.global));
    clu_writer_free(&id);
    link_down(&f, 1, "connection_closed"); /* before he has answered */
    pass(&f, 100);
    assert_null(global_lock(f.node.global));
    end(&f);
}

/* The peer goes behind every step; a name can be registered at once, and it can come back. */
static void he_dies_in_every_step(void **state)
{
    (void)state;
    for (int last = 0; last <= STEPS; last++)
        for (uint64_t wait = 0; wait <= 400; wait += 400) {
            struct fixture f;

            begin(&f);
            link_up(&f, 0);
            for (int n = 0; n < last; n++)
                step(&f, 0, n, 1);
            pass(&f, wait);
            link_down(&f, 0, "connection_closed");
            register_x(&f);
            pass(&f, 20000);
            if (strcmp(word, "yes") != 0)
                fail_msg("behind %d steps and %u ms: %s", last, (unsigned)wait, word);
            assert_null(global_lock(f.node.global));
            meet(&f, 0, 2);
            assert_true(knows(&f, "p@h"));
            end(&f);
        }
}

/* Locks that he holds go with his process, or with his node. */
static void locks_of_the_dead(void **state)
{
    struct fixture f;
    clu_writer id;
    clu_pid other;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    other = pid_of(0, 40);
    clu_writer_init(&id);
    assert_int_equal(clu_format(&id, "{res,me}"), CLU_OK);
    said(&f, 0);
    he_locks(&f, 0, &f.peers[0].server, &id);
    says(&f, 0, ",true}");
    he_locks(&f, 0, &other, &id); /* the same requester: shared */
    says(&f, 0, ",true}");
    clu_writer_reset(&id);
    assert_int_equal(clu_format(&id, "{res,another}"), CLU_OK);
    he_locks(&f, 0, &other, &id);
    says(&f, 0, ",false}");
    link_down(&f, 0, "connection_closed");
    assert_int_equal(map_count(&f.node.global->locks), 0);
    clu_writer_free(&id);
    end(&f);
}

static void names_need_the_lock(void **state)
{
    struct fixture f;
    clu_pid pid;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    /* free, and given back in order: taken, as global.erl does for the sake of old versions */
    HEAR(&f, 0, "{'$gen_call',{~p,[alias|~r]},{register,x,~p,method}}", f.peers[0].registrar, f.ref,
         f.peers[0].server);
    says(&f, 0, ",yes}");
    assert_true(clu_global_whereis(&f.node, x, &pid));
    assert_true(pid_equal(&pid, &f.peers[0].server));
    /* another holds it: not taken */
    clu_writer id;

    clu_writer_init(&id);
    assert_int_equal(clu_format(&id, "{global,~p}", f.peers[0].locker), CLU_OK);
    he_locks(&f, 0, &f.peers[0].locker, &id);
    HEAR(&f, 0, "{'$gen_call',{~p,[alias|~r]},{register,x,~p,method}}", f.peers[0].registrar, f.ref,
         f.peers[0].server);
    assert_true(clu_global_whereis(&f.node, x, &pid)); /* it says nothing new */
    HEAR(&f, 0, "{'$gen_call',{~p,[alias|~r]},{register,x,~p,method}}", f.peers[0].registrar, f.ref,
         f.peers[0].locker);
    assert_false(clu_global_whereis(&f.node, x, &pid));
    clu_writer_free(&id);
    link_down(&f, 0, "connection_closed");
    end(&f);
}

static void words_of_other_sessions(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    said(&f, 0);
    step(&f, 0, 0, 1);
    said(&f, 0);
    ack(&f, 0, 77); /* he sees another pair of tags: all begins anew */
    const char *text = said(&f, 0);

    assert_non_null(strstr(text, "{cancel_connect,us@h,500}"));
    assert_non_null(strstr(text, "{init_connect,{8,2},us@h"));
    HEAR(&f, 0, "{cancel_connect,~a,1}", names[0]); /* of the session before */
    says_nothing(&f, 0);
    HEAR(&f, 0, "{cancel_connect,~a,2}", names[0]);
    says(&f, 0, "{init_connect,{8,3},us@h");
    step(&f, 0, 0, 3);
    says(&f, 0, "{init_connect_ack,us@h,500,3}");
    step(&f, 0, 0, 3); /* out of order: he has begun anew, and so do we */
    says(&f, 0, "{init_connect,{8,4},us@h");
    exchange(&f, 0, 3, NULL, NULL);
    resolved(&f, 0, 3);
    he_says_set(&f, 0, 3, true);
    assert_false(knows(&f, "p@h"));
    for (int n = 0; n < STEPS; n++)
        step(&f, 0, n, 4);
    assert_true(knows(&f, "p@h"));
    end(&f);
}

static void he_is_no_part_of_it(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    said(&f, 0);
    word[0] = '\0';
    assert_int_not_equal(clu_global_sync(spawn(&f), on_answer, NULL).n, 0);
    pass(&f, 1000);
    assert_string_equal(word, "");
    HEAR(&f, 0, "{'$gen_cast',{in_sync,~a,true}}", names[0]);
    pass(&f, 1);
    assert_string_equal(word, "ok");
    assert_false(knows(&f, "p@h"));
    register_x(&f);
    pass(&f, 1000);
    assert_string_equal(word, "yes");
    says_nothing(&f, 0);
    end(&f);
}

/* Names come with the exchange; the lesser node decides, so we say nothing against p@h. */
static void names_of_both_sides(void **state)
{
    struct fixture f;
    clu_pid pid, his;

    (void)state;
    begin(&f);
    register_x(&f);
    pass(&f, 10);
    assert_string_equal(word, "yes");
    his = pid_of(0, 50);
    link_up(&f, 0);
    for (int n = 0; n < 4; n++)
        step(&f, 0, n, 1);
    says(&f, 0, "{exchange,us@h,[{x,<us@h.");
    exchange(&f, 0, 1, "x", &his);
    says(&f, 0, "{resolved,us@h,[],[],unused,[],500}");
    HEAR(&f, 0, "{'$gen_cast',{resolved,~a,[{insert,{x,~p,method}}],[],unused,[],1}}", names[0],
         his);
    assert_true(clu_global_whereis(&f.node, x, &pid));
    assert_true(pid_equal(&pid, &his));
    end(&f);
}

/* Against z@h it is we who decide: with random_exit_name the lesser node's process stays. */
static void we_decide(void **state)
{
    struct fixture f;
    clu_pid his;

    (void)state;
    begin(&f);
    register_x(&f);
    pass(&f, 10);
    his = pid_of(1, 50);
    link_up(&f, 1);
    for (int n = 0; n < 4; n++)
        step(&f, 1, n, 1);
    said(&f, 1);
    exchange(&f, 1, 1, "x", &his);
    says(
        &f, 1,
        "{resolved,us@h,[{insert,{x,<us@h.6.6>,fun global:random_exit_name/3}}],[],unused,[],500}");
    end(&f);
}

/* ---- what makes no sense ---- */

static void nonsense_is_told_once(void **state)
{
    static const char *const rows[] = {
        "{'$gen_cast',{init_connect,8,'p@h',x}}",
        "{'$gen_cast',{init_connect,{8,1},'p@h',{locker,x,y,z}}}",
        "{'$gen_cast',{init_connect,{8,1},1,2}}",
        "{'$gen_cast',{exchange,'p@h',x,y,1}}",
        "{'$gen_cast',{exchange}}",
        "{'$gen_cast',{resolved,'p@h',1,2,3,4,1}}",
        "{'$gen_cast',{new_nodes,1,2,3,4,5}}",
        "{'$gen_cast',{new_nodes,'p@h',[{insert,x},{delete},17],[x],[{1,2},y|z],[lock]}}",
        "{'$gen_cast',{in_sync}}",
        "{'$gen_cast',{in_sync,1,2}}",
        "{'$gen_cast',{lock_set,1,2,3}}",
        "{'$gen_cast',{lock_set,x,true,[],1}}",
        "{'$gen_cast',hello}",
        "{'$gen_cast',{hello}}",
        "{init_connect_ack,1,2,3}",
        "{init_connect_ack,'p@h'}",
        "{cancel_connect,'p@h'}",
        "{lost_connection,1,2,3,4}",
        "{lost_connection,'p@h',[x],a,'p@h'}",
        "{remove_connection}",
        "{remove_connection,1}",
        "{'$gen_call',x,y}",
        "{'$gen_call',{x,y},{set_lock,1}}",
        "[]",
        "{}",
        "\"text\"",
        "#{a => b}",
    };
    struct global_news news;
    struct fixture f;
    unsigned n = 0;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_writer w;
        size_t at;

        clu_writer_init(&w);
        if (clu_parse(rows[i], strlen(rows[i]), &w, &at, NULL) != CLU_OK)
            fail_msg("row %s", rows[i]);
        hear(&f, 0, &w, &f.peers[0].server);
        clu_writer_free(&w);
    }
    while (global_next_news(&f.node, &news)) {
        assert_int_equal(news.kind, GLOBAL_ODD);
        n++;
    }
    assert_int_equal(n, 1);
    said(&f, 0);
    int tag = (int)peer_find(f.node.global, slice_of("p@h"))->my_tag;

    for (int i = 0; i < STEPS; i++)
        step(&f, 0, i, tag);
    assert_true(knows(&f, "p@h"));
    end(&f);
}

/* Whoever asks in the name of a node that is not linked: no answer dials it. */
static void answers_dial_nobody(void **state)
{
    const clu_pid stranger = {.node = slice_of("q@h"), .id = 1, .serial = 1, .creation = 7};
    struct fixture f;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    said(&f, 0);
    HEAR(&f, 0, "{'$gen_call',{~p,tag},get_known}", stranger);
    assert_null(node_next_wanted(&f.node));
    HEAR(&f, 0, "{'$gen_call',{~p,tag},{sync,[]}}", stranger);
    assert_null(node_next_wanted(&f.node));
    HEAR(&f, 0, "{'$gen_call',{~p,tag},{sync,['p@h']}}", f.peers[0].server);
    link_down(&f, 0, "connection_closed"); /* that is an answer, to who is gone */
    assert_null(node_next_wanted(&f.node));
    end(&f);
}

static void fill(struct fixture *f, size_t i)
{
    static const uint8_t bytes[2 * CHANNEL_BUSY_BYTES];
    struct channel *c = &f->peers[i].channel;
    clu_writer w;

    channel_begin(c, &w, f->now);
    clu_put_tuple(&w, 1);
    clu_put_binary(&w, bytes, sizeof bytes);
    assert_int_equal(channel_end(c, &w), CLU_OK);
}

/* Whoever does not read is asked for his lock all the same. */
static void he_who_does_not_read_is_asked(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    fill(&f, 0);
    register_x(&f);
    pass(&f, 10);
    says(&f, 0, "{set_lock,{global,");
    end(&f);
}

/* And whom he knows. No link ends for it, least of all those of the others. */
static void he_who_does_not_read_is_doubted(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    fill(&f, 0);
    pass(&f, 30000);
    assert_false(f.node.global->broken);
    assert_true(knows(&f, "p@h"));
    says(&f, 0, ",get_known}\n");
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session),
        cmocka_unit_test(we_ask),
        cmocka_unit_test(he_dies_in_every_step),
        cmocka_unit_test(locks_of_the_dead),
        cmocka_unit_test(names_need_the_lock),
        cmocka_unit_test(words_of_other_sessions),
        cmocka_unit_test(he_is_no_part_of_it),
        cmocka_unit_test(names_of_both_sides),
        cmocka_unit_test(we_decide),
        cmocka_unit_test(nonsense_is_told_once),
        cmocka_unit_test(answers_dial_nobody),
        cmocka_unit_test(he_who_does_not_read_is_asked),
        cmocka_unit_test(he_who_does_not_read_is_doubted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
