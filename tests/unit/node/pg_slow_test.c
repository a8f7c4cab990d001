/* SPDX-License-Identifier: Apache-2.0 */
#include "pg_lab.h"

/* ---- slow readers ---- */

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

/* {Word, Scope, ...} with one pid or one group n times. */
static void hear_many(struct lab *lab, const char *word, size_t n)
{
    const clu_pid scope = {.node = slice_of("p@h"), .id = 7, .creation = PEER_CREATION};
    const clu_pid pid = {.node = slice_of("p@h"), .id = 20, .creation = PEER_CREATION};
    bool leaves = strcmp(word, "leave") == 0;
    clu_writer w;

    clu_writer_init(&w);
    clu_put_tuple(&w, 4);
    clu_put_atom_text(&w, word);
    clu_put_pid(&w, &scope);
    if (leaves)
        clu_put_pid(&w, &pid);
    else
        clu_put_atom_text(&w, "room");
    clu_put_list(&w, n);
    for (size_t i = 0; i < n; i++)
        if (leaves)
            clu_put_atom_text(&w, "room");
        else
            clu_put_pid(&w, &pid);
    clu_put_nil(&w);
    lab_control(lab, &lab->p, "{6,'<p@h.7.0>','',pubs}", (clu_slice){w.data, w.len}, NULL);
    clu_writer_free(&w);
}

/* As with any number that others choose, the time must not grow with its square. */
static void a_hundred_thousand_times(void **state)
{
    const size_t n = 100000;
    struct pair f;

    (void)state;
    open_known(&f);
    hear_many(&f.lab, "join", n);
    hear_many(&f.lab, "join", n);
    assert_int_equal(info_of(&f.lab).memberships, 2 * n);
    hear_many(&f.lab, "leave", n);
    assert_int_equal(info_of(&f.lab).memberships, n);
    lab_link_down(&f.lab, &f.lab.p);
    assert_int_equal(info_of(&f.lab).memberships, 0);
    lab_fini(&f.lab);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_hears_how_things_are),
        cmocka_unit_test(two_slow_readers),
        cmocka_unit_test(a_slow_reader_is_asked_later),
        cmocka_unit_test(who_tells_too_much_is_asked_again),
        cmocka_unit_test(a_hundred_thousand_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
