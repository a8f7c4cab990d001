/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

/* Binaries that processes lend: each is given back once, whatever becomes of the message. */

#define KIB 1024u

static uint8_t bytes[20u * KIB * KIB];
static int released;

static void give_back(void *arg)
{
    (*(int *)arg)++;
}

static void lend(clu_writer *w, size_t len)
{
    clu_lend_binary(w, bytes, len, give_back, &released);
}

static clu_error send_lent(struct actor *a, const struct actor *to, size_t len)
{
    clu_to pid = clu_to_pid(to->self);

    lend(clu_send_begin(a->p, &pid), len);
    return clu_send_end(a->p);
}

static void begin_to_bob(struct actor *a)
{
    clu_to bob = clu_to_pid(CONTAINER_OF(a, struct story, ann)->bob.self);

    lend(clu_send_begin(a->p, &bob), 300 * KIB);
    assert_int_equal(released, 0);
}

static void leave_it_begun(struct actor *a, const clu_signal *s)
{
    (void)s;
    begin_to_bob(a);
}

static void end_within(struct actor *a, const clu_signal *s)
{
    (void)s;
    begin_to_bob(a);
    clu_exit(a->p, "gone");
}

static void note_size(struct actor *a, const clu_signal *s)
{
    clu_reader r = s->term;

    if (s->kind == CLU_SIGNAL_MESSAGE && clu_peek_type(&r) == CLU_TYPE_BINARY) {
        buf_reset(&a->log);
        buf_printf(&a->log, "%u bytes\n", (unsigned)clu_get_binary(&r).len);
    }
}

static void it_arrives(void **state)
{
    struct story *s = *state;

    released = 0;
    s->bob.does = note_size;
    ok(send_lent(&s->ann, &s->bob, 300 * KIB));
    assert_int_equal(released, 0);
    world_run(&s->w);
    assert_int_equal(released, 1);
    expect(s, &s->bob, "307200 bytes\n");
}

/* What a function leaves begun is dropped, also when its process ends within it. */
static void what_is_not_sent_comes_back(void **state)
{
    static void (*const ways[])(struct actor * a, const clu_signal *s) = {leave_it_begun,
                                                                          end_within};
    struct story *s = *state;

    for (size_t i = 0; i < COUNT(ways); i++) {
        released = 0;
        s->ann.does = ways[i];
        ok(actor_tell(&s->abe, &s->ann, "go"));
        world_run(&s->w);
        assert_int_equal(released, 1);
        ok(actor_tell(&s->abe, &s->bob, "linked"));
        world_run(&s->w);
    }
    expect(s, &s->bob, "message abe linked\nmessage abe linked\n");
}

static void cancelled(void **state)
{
    struct story *s = *state;
    clu_to bob = clu_to_pid(s->bob.self);

    released = 0;
    lend(clu_send_begin(s->ann.p, &bob), 300 * KIB);
    clu_send_cancel(s->ann.p);
    assert_int_equal(released, 1);
}

/* To a process of this node, and to a node that is not linked. */
static void copied(void **state)
{
    struct story *s = *state;

    released = 0;
    ok(send_lent(&s->ann, &s->abe, 300 * KIB));
    assert_int_equal(released, 1);
    world_cut(&s->w, 0, 1);
    ok(send_lent(&s->ann, &s->bob, 300 * KIB));
    assert_int_equal(released, 2);
    world_run(&s->w);
    assert_int_equal(released, 2);
}

static void the_link_ends(void **state)
{
    struct story *s = *state;

    released = 0;
    ok(send_lent(&s->ann, &s->bob, 300 * KIB));
    ok(send_lent(&s->ann, &s->bob, 300 * KIB)); /* waits for the first */
    assert_int_equal(released, 0);
    world_cut(&s->w, 0, 1);
    assert_int_equal(released, 2);
    world_run(&s->w);
    assert_int_equal(released, 2);
}

static void who_must_wait_has_it_back(void **state)
{
    struct story *s = *state;
    clu_error err;
    int n = 0;

    released = 0;
    do {
        err = send_lent(&s->ann, &s->bob, 300 * KIB);
        n++;
    } while (err == CLU_OK && n < 100);
    assert_int_equal(err, CLU_EBUSY);
    assert_int_equal(released, 1);
    world_run(&s->w);
    assert_int_equal(released, n);
}

/* Who asks first has nothing to take back. */
static void room_is_known_before(void **state)
{
    struct story *s = *state;
    clu_to bob = clu_to_pid(s->bob.self), abe = clu_to_pid(s->abe.self);

    ok(clu_send_room(s->ann.p, &bob, sizeof bytes));
    for (int i = 0; i < 4; i++)
        ok(send_lent(&s->ann, &s->bob, 300 * KIB));
    assert_int_equal(clu_send_room(s->ann.p, &bob, 300 * KIB), CLU_EBUSY);
    assert_int_equal(clu_send_room(s->ann.p, &bob, 300 * KIB),
                     CLU_EBUSY); /* told once all the same */
    ok(clu_send_room(s->ann.p, &bob, 100));
    ok(clu_send_room(s->ann.p, &abe, sizeof bytes));
    clu_put_nil(clu_send_begin(s->ann.p, &bob));
    assert_int_equal(clu_send_room(s->ann.p, &bob, 1), CLU_EBADARG); /* one is under way */
    clu_send_cancel(s->ann.p);
    world_run(&s->w);
    expect(s, &s->ann, "writable b@h\n");
    ok(clu_send_room(s->ann.p, &bob, 300 * KIB));
    clu_exit(s->ann.p, "gone");
    assert_int_equal(clu_send_room(s->ann.p, &bob, 1), CLU_ENOENT);
}

/* That it may try again is said behind that the node has gone, and once. */
static void who_waits_hears_of_the_end_first(void **state)
{
    struct story *s = *state;

    clu_monitor_nodes(s->ann.p, true);
    while (send_lent(&s->ann, &s->bob, 300 * KIB) == CLU_OK)
        continue;
    world_cut(&s->w, 0, 1);
    world_run(&s->w);
    expect(s, &s->ann, "gone b@h connection_closed\nwritable b@h\n");
}

static void count_answer(clu_process *self, const clu_answer *answer, void *arg)
{
    (void)self, (void)answer;
    (*(int *)arg)++;
}

/* A call and a cast with a large argument wait as a large message does: the link stays. */
static void so_must_calls(void **state)
{
    struct story *s = *state;
    int answers = 0;

    released = 0;
    for (int i = 0; i < 3; i++) {
        bool call = i < 2;
        clu_writer *w = call ? clu_rpc_begin(s->ann.p, "b@h", "m", "f", CLU_INFINITY)
                             : clu_rpc_cast_begin(s->ann.p, "b@h", "m", "f");

        clu_put_list(w, 1);
        lend(w, sizeof bytes);
        clu_put_nil(w);
        clu_error err =
            clu_call_end(s->ann.p, call ? count_answer : NULL, call ? &answers : NULL, NULL);

        assert_int_equal(err, i == 0 ? CLU_OK : CLU_EBUSY);
        assert_int_equal(released, i);
    }
    world_run(&s->w);
    assert_int_equal(released, 3);
    assert_int_equal(answers, 1);
    assert_int_equal(s->w.errors, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY(it_arrives),
        STORY(what_is_not_sent_comes_back),
        STORY(cancelled),
        STORY(copied),
        STORY(the_link_ends),
        STORY(who_must_wait_has_it_back),
        STORY(so_must_calls),
        STORY(room_is_known_before),
        STORY(who_waits_hears_of_the_end_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
