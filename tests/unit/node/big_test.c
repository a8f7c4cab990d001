/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

/* Messages that are larger than a frame, larger than a node takes, and streams. */

#define KIB 1024u

/* {big, Binary of len bytes}, or, with an atom, {Atom, Binary}. */
static clu_error put_big(clu_writer *w, size_t len)
{
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "big");
    clu_put_head(w, ETF_BINARY, len);
    uint8_t *p = clu_writer_add(w, len);

    for (size_t i = 0; p != NULL && i < len; i++)
        p[i] = (uint8_t)(i * 7 + i / 256);
    return w->err;
}

static clu_error send_big(struct actor *a, const clu_to *to, size_t len)
{
    (void)put_big(clu_send_begin(a->p, to), len);
    return clu_send_end(a->p);
}

/* What a node takes from another one. */
static void take_at_most(struct story *s, size_t to, size_t from, size_t max)
{
    s->w.ends[to][from].channel.message_max = max;
}

/* A large term as the size of its binary. */
static void note_size(struct actor *a, const clu_signal *s)
{
    clu_reader r = s->term;

    if (s->kind != CLU_SIGNAL_MESSAGE || r.end - r.pos < 1000)
        return;
    clu_get_tuple(&r);
    assert_true(slice_is(clu_get_atom(&r), "big"));
    buf_reset(&a->log);
    buf_printf(&a->log, "%u bytes\n", (unsigned)clu_get_binary(&r).len);
}

static void too_big_a_message_ends_its_receiver(void **state)
{
    struct story *s = *state;
    clu_to bob = clu_to_pid(s->bob.self), by_name = clu_to_name("ben", "b@h");

    take_at_most(s, 1, 0, 200 * KIB);
    s->bob.does = note_size;
    ok(clu_register(s->ben.p, "ben"));
    ok(clu_link(s->ann.p, &s->bob.self));
    assert_true(clu_monitor(s->abe.p, &by_name).n > 0);
    ok(send_big(&s->ann, &bob, 150 * KIB));
    world_run(&s->w);
    expect(s, &s->bob, "153600 bytes\n");
    ok(send_big(&s->ann, &bob, 300 * KIB));
    ok(actor_tell(&s->ann, &s->bea, "others live on"));
    ok(send_big(&s->abe, &by_name, 300 * KIB));
    world_run(&s->w);
    expect(s, &s->bob, "ended message_too_big\n");
    expect(s, &s->ann, "exit bob message_too_big\n");
    expect(s, &s->ben, "ended message_too_big\n");
    expect(s, &s->abe, "down ben b@h message_too_big\n");
    expect(s, &s->bea, "message ann 'others live on'\n");
}

/* ... but a service of the node, of which only the sender believes so. */
static void services_live_on(void **state)
{
    struct story *s = *state;
    clu_to rex = clu_to_name("rex", "b@h");

    take_at_most(s, 1, 0, 200 * KIB);
    assert_true(clu_monitor(s->ann.p, &rex).n > 0);
    assert_true(clu_monitor(s->abe.p, &rex).n > 0);
    ok(send_big(&s->ann, &rex, 300 * KIB));
    world_run(&s->w);
    expect(s, &s->ann, "down rex b@h message_too_big\n");
    expect(s, &s->abe, "");
    assert_true(clu_monitor(s->ann.p, &rex).n > 0);
    world_run(&s->w);
    expect(s, &s->ann, "");
}

static void by_an_alias_too(void **state)
{
    struct story *s = *state;
    clu_to alias = clu_to_alias(clu_alias(s->bob.p));

    take_at_most(s, 1, 0, 200 * KIB);
    ok(send_big(&s->ann, &alias, 300 * KIB));
    world_run(&s->w);
    expect(s, &s->bob, "ended message_too_big\n");
    ok(send_big(&s->ann, &alias, 300 * KIB)); /* to nobody */
    world_run(&s->w);
}

/* An exit or down signal arrives all the same, with another reason. */
static void too_big_a_reason_is_replaced(void **state)
{
    struct story *s = *state;
    clu_writer reason;
    clu_to bob = clu_to_pid(s->bob.self);

    clu_writer_init(&reason);
    ok(put_big(&reason, 300 * KIB));
    take_at_most(s, 0, 1, 200 * KIB);
    ok(clu_link(s->ann.p, &s->bob.self));
    assert_true(clu_monitor(s->abe.p, &bob).n > 0);
    world_run(&s->w);
    ok(clu_exit_signal(s->ben.p, &s->amy.self, (clu_slice){reason.data, reason.len}));
    s->bob.log.len = 0;
    clu_exit_term(s->bob.p, (clu_slice){reason.data, reason.len});
    world_run(&s->w);
    expect(s, &s->ann, "exit bob message_too_big\n");
    expect(s, &s->abe, "down bob message_too_big\n");
    expect(s, &s->amy, "ended message_too_big\n");
    clu_writer_free(&reason);
}

/* So many tuples within each other, as the name of an atom. */
static void note_depth(struct actor *a, const clu_signal *s)
{
    clu_reader r = s->term;
    size_t depth = 0;

    for (; clu_peek_type(&r) == CLU_TYPE_TUPLE; depth++)
        clu_get_tuple(&r);
    clu_slice atom = clu_get_atom(&r);

    buf_reset(&a->log);
    buf_printf(&a->log, "%s %.*s within %zu\n", s->kind == CLU_SIGNAL_MESSAGE ? "message" : "end",
               (int)atom.len, (const char *)atom.data, depth);
}

static void put_deep(clu_writer *w, size_t depth)
{
    while (depth-- > 0)
        clu_put_tuple(w, 1);
    clu_put_atom_text(w, "an_atom");
}

/* Whole and in fragments; the link stays. */
static void terms_may_be_deep(void **state)
{
    static const size_t depths[] = {CLU_DEPTH_MAX, CLU_DEPTH_MAX + 1, 100000};
    struct story *s = *state;
    clu_to bob = clu_to_pid(s->bob.self);
    char want[64];

    s->bob.does = note_depth;
    for (size_t i = 0; i < COUNT(depths); i++) {
        put_deep(clu_send_begin(s->ann.p, &bob), depths[i]);
        ok(clu_send_end(s->ann.p));
        world_run(&s->w);
        snprintf(want, sizeof want, "message an_atom within %zu\n", depths[i]);
        expect(s, &s->bob, want);
    }
}

static void reasons_may_be_deep(void **state)
{
    struct story *s = *state;
    clu_writer reason;
    clu_to bob = clu_to_pid(s->bob.self), amy = clu_to_pid(s->amy.self);

    s->ann.does = s->abe.does = s->ben.does = note_depth;
    clu_writer_init(&reason);
    put_deep(&reason, 100000);
    ok(clu_link(s->ann.p, &s->bob.self));
    assert_true(clu_monitor(s->abe.p, &bob).n > 0);
    assert_true(clu_monitor(s->ben.p, &amy).n > 0);
    world_run(&s->w);
    ok(clu_exit_signal(s->bea.p, &s->amy.self, (clu_slice){reason.data, reason.len}));
    s->bob.log.len = 0;
    clu_exit_term(s->bob.p, (clu_slice){reason.data, reason.len});
    world_run(&s->w);
    expect(s, &s->ann, "end an_atom within 100000\n");
    expect(s, &s->abe, "end an_atom within 100000\n");
    expect(s, &s->ben, "end an_atom within 100000\n");
    clu_writer_free(&reason);
}

/* The node's own services know no such message, and stay. */
static void services_stay(void **state)
{
    struct story *s = *state;
    clu_to kernel = clu_to_name("net_kernel", "b@h");

    take_at_most(s, 1, 0, 200 * KIB);
    ok(send_big(&s->ann, &kernel, 300 * KIB));
    world_run(&s->w);
    assert_non_null(clu_whereis(&s->w.nodes[1], "net_kernel"));
}

/* ---- streams ---- */

/* What a stream has brought: the parts as digits, and what they add up to. */
struct sink {
    char parts[64];
    size_t n_parts, bytes;
    clu_writer term; /* of one sequence */
    const char *node, *from;
};

static void on_part(clu_process *self, const clu_stream *part, void *arg)
{
    struct sink *k = arg;

    (void)self;
    if (k->n_parts < sizeof k->parts - 1)
        k->parts[k->n_parts++] = (char)('0' + part->part);
    k->bytes += part->bytes.len;
    if (part->part == CLU_STREAM_FIRST)
        clu_writer_reset(&k->term);
    clu_put_raw(&k->term, part->bytes);
    assert_true(slice_is(part->node, "a@h"));
    assert_true(slice_is(part->from.node, "a@h"));
    if (part->part == CLU_STREAM_FIRST) {
        clu_reader r = {
            .pos = part->bytes.data, .end = part->bytes.data + part->bytes.len, .refs = part->refs};

        assert_int_equal(clu_get_tuple(&r), 2);
        assert_true(slice_is(clu_get_atom(&r), "big"));
    }
}

static void a_stream_takes_any_size(void **state)
{
    struct story *s = *state;
    struct sink sink = {0};
    clu_to bob = clu_to_pid(s->bob.self);

    take_at_most(s, 1, 0, 100 * KIB);
    clu_on_stream(s->bob.p, on_part, &sink);
    ok(send_big(&s->ann, &bob, 1000 * KIB));
    ok(actor_tell(&s->ann, &s->bob, "behind"));
    world_run(&s->w);
    expect(s, &s->bob, "message ann behind\n"); /* whole ones are signals */
    assert_string_equal(sink.parts, "0111111111111112");
    assert_true(sink.bytes > 1000 * KIB);
    /* the bytes of all parts are the binary */
    size_t head = sink.bytes - 1000 * KIB;

    for (size_t i = 0; i < 1000 * KIB; i++)
        if (sink.term.data[head + i] != (uint8_t)(i * 7 + i / 256))
            fail_msg("byte %zu", i);
    clu_on_stream(s->bob.p, NULL, NULL);
    ok(send_big(&s->ann, &bob, 1000 * KIB));
    world_run(&s->w);
    expect(s, &s->bob, "ended message_too_big\n");
    clu_writer_free(&sink.term);
}

/* What waits in the mailbox came before. */
static void parts_come_behind_what_waits(void **state)
{
    struct story *s = *state;
    struct sink sink = {0};
    clu_to bob = clu_to_pid(s->bob.self);

    clu_on_stream(s->bob.p, on_part, &sink);
    ok(send_big(&s->ann, &bob, 100 * KIB));
    world_turn(&s->w, 0);
    ok(actor_tell(&s->ben, &s->bob, "near"));
    assert_true(world_carry(&s->w, 0, 1));
    assert_string_equal(sink.parts, "0");
    expect(s, &s->bob, "message ben near\n");
    ok(actor_tell(&s->ben, &s->bob, "kill"));
    s->bob.does = NULL;
    clu_exit(s->bob.p, "gone"); /* within a message: the rest finds nobody */
    world_run(&s->w);
    assert_string_equal(sink.parts, "0");
    clu_writer_free(&sink.term);
}

static void go_on(struct actor *a, const clu_signal *s)
{
    if (s->kind == CLU_SIGNAL_MESSAGE && a->n < 10000)
        ok(actor_tell(a, a, "again"));
}

/* ... and what it sends itself meanwhile does not, without end. */
static void who_talks_to_itself_takes_streams_too(void **state)
{
    struct story *s = *state;
    struct sink sink = {0};
    clu_to bob = clu_to_pid(s->bob.self);

    clu_on_stream(s->bob.p, on_part, &sink);
    s->bob.does = go_on;
    ok(send_big(&s->ann, &bob, 100 * KIB));
    world_turn(&s->w, 0);
    ok(actor_tell(&s->ben, &s->bob, "first"));
    assert_true(world_carry(&s->w, 0, 1));
    assert_int_equal(s->bob.n, 1);
    assert_string_equal(sink.parts, "0");
    world_run(&s->w);
    assert_string_equal(sink.parts, "02");
    clu_writer_free(&sink.term);
}

static struct sink other; /* takes over, or does not */
static void take_otherwise(clu_process *self, const clu_stream *part, void *arg)
{
    on_part(self, part, arg);
    clu_on_stream(self, on_part, &other);
}

static void take_no_more(clu_process *self, const clu_stream *part, void *arg)
{
    on_part(self, part, arg);
    clu_on_stream(self, NULL, NULL);
}

/* A message of five parts, of which so many have arrived. */
static void stream_begins(struct story *s, clu_stream_fn *fn, struct sink *sink, int parts)
{
    clu_to bob = clu_to_pid(s->bob.self);

    clu_writer_free(&sink->term);
    clu_writer_free(&other.term);
    *sink = other = (struct sink){0};
    clu_on_stream(s->bob.p, fn, sink);
    ok(send_big(&s->ann, &bob, 300 * KIB));
    world_turn(&s->w, 0);
    for (int i = 0; i < parts; i++)
        assert_true(world_carry(&s->w, 0, 1));
}

static void end_streams(struct sink *sink)
{
    clu_writer_free(&sink->term);
    clu_writer_free(&other.term);
}

static void another_function_takes_the_rest(void **state)
{
    struct sink sink = {0};
    struct story *s = *state;

    stream_begins(s, take_otherwise, &sink, 1);
    world_run(&s->w);
    assert_string_equal(sink.parts, "0");
    assert_string_equal(other.parts, "1112");
    end_streams(&sink);
}

/* Who says NULL has done with what has begun, also when it takes later ones again. */
static void the_rest_of_what_was_given_up_is_dropped(void **state)
{
    struct story *s = *state;
    struct sink sink = {0};

    clu_to bob = clu_to_pid(s->bob.self);
    stream_begins(s, take_no_more, &sink, 2);
    clu_on_stream(s->bob.p, on_part, &other);
    world_run(&s->w);
    assert_string_equal(sink.parts, "0");
    assert_string_equal(other.parts, "");
    ok(send_big(&s->ann, &bob, 100 * KIB));
    world_run(&s->w);
    assert_string_equal(other.parts, "02");
    /* nor is its end told */
    stream_begins(s, take_no_more, &sink, 2);
    clu_on_stream(s->bob.p, on_part, &other);
    world_cut(&s->w, 0, 1);
    world_run(&s->w);
    expect(s, &s->bob, "");
    end_streams(&sink);
}

/* Who takes streams only since a message has begun gets it whole. */
static void what_began_before_comes_whole(void **state)
{
    struct story *s = *state;
    struct sink sink = {0};

    s->bob.does = note_size;
    stream_begins(s, NULL, &sink, 2);
    clu_on_stream(s->bob.p, on_part, &sink);
    world_run(&s->w);
    expect(s, &s->bob, "307200 bytes\n");
    assert_int_equal(sink.n_parts, 0);
}

/* A connection that ends within a message says so. */
static void the_end_of_a_stream_is_told(void **state)
{
    struct story *s = *state;
    struct sink sink = {0};
    clu_to bob = clu_to_pid(s->bob.self);

    clu_on_stream(s->bob.p, on_part, &sink);
    ok(send_big(&s->ann, &bob, 300 * KIB));
    world_turn(&s->w, 0);
    assert_true(world_carry(&s->w, 0, 1));
    assert_true(world_carry(&s->w, 0, 1));
    world_cut(&s->w, 0, 1);
    world_run(&s->w);
    assert_string_equal(sink.parts, "01");
    expect(s, &s->bob, "stream lost a@h\n");
    clu_writer_free(&sink.term);
}

/* The answer of a call is its own matter: it stays whole. */
static void give_big(struct actor *a, const clu_signal *s)
{
    clu_reader msg = s->term;

    if (s->kind != CLU_SIGNAL_MESSAGE || clu_get_tuple(&msg) != 3)
        return;
    clu_get_atom(&msg);
    clu_get_tuple(&msg);
    clu_get_pid(&msg);
    clu_reader tag = msg, look = msg;

    clu_get_list(&look);
    clu_get_atom(&look);
    clu_to to = clu_to_alias(clu_get_ref(&look));
    clu_writer *w = clu_send_begin(a->p, &to);

    clu_put_tuple(w, 2);
    clu_put_term(w, &tag);
    (void)put_big(w, 200 * KIB);
    ok(clu_send_end(a->p));
}

static void answer_size(clu_process *self, const clu_answer *answer, void *arg)
{
    (void)self;
    assert_int_equal(answer->outcome, CLU_ANSWERED);
    *(size_t *)arg = (size_t)(answer->term.end - answer->term.pos);
}

static void answers_of_calls_stay_whole(void **state)
{
    struct story *s = *state;
    struct sink sink = {0};
    size_t size = 0;
    clu_to bob = clu_to_pid(s->bob.self);

    s->bob.does = give_big;
    clu_on_stream(s->ann.p, on_part, &sink);
    clu_put_nil(clu_call_begin(s->ann.p, &bob, 1000));
    ok(clu_call_end(s->ann.p, answer_size, &size, NULL));
    world_run(&s->w);
    assert_int_equal(sink.n_parts, 0);
    assert_true(size > 200 * KIB);
}

/* ---- back-pressure, order ---- */

/* A sender's next messages stay behind its large one, also where all of them had to wait for the
 * link. */
static void order_is_kept(void **state)
{
    struct story *s = *state;
    clu_to bob = clu_to_pid(s->bob.self);

    s->bob.does = note_size;
    for (int held = 0; held < 2; held++) {
        if (held) {
            world_cut(&s->w, 0, 1);
            s->w.dial = WORLD_WAITS;
        }
        ok(send_big(&s->ann, &bob, 300 * KIB));
        ok(actor_tell(&s->ann, &s->bob, "behind"));
        ok(actor_tell(&s->abe, &s->bob, "by the way"));
        if (held)
            assert_true(world_join(&s->w, 0, 1));
        s->bob.log.len = 0;
        for (int i = 0; i < 3; i++) {
            world_turn(&s->w, 0);
            world_carry(&s->w, 0, 1);
        }
        world_run(&s->w);
        const char *said = actor_said(&s->bob, &s->said);

        /* noting a size forgets what came before it */
        assert_string_equal(said, "307200 bytes\nmessage ann behind\n");
    }
}

static void large_messages_wait_and_small_ones_pass(void **state)
{
    struct story *s = *state;
    size_t sent = 0;
    clu_to bob = clu_to_pid(s->bob.self);

    s->bob.does = note_size;
    while (sent < 100 && send_big(&s->ann, &bob, 300 * KIB) == CLU_OK)
        sent++;
    assert_int_equal(sent, 4);
    assert_int_equal(send_big(&s->abe, &bob, 300 * KIB), CLU_EBUSY);
    ok(actor_tell(&s->abe, &s->ben, "small"));
    ok(actor_tell(&s->ann, &s->ben, "in order"));
    world_run(&s->w);
    expect(s, &s->ann, "writable b@h\n");
    expect(s, &s->abe, "writable b@h\n");
    expect(s, &s->ben, "message abe small\nmessage ann 'in order'\n");
    assert_int_equal(s->bob.n, sent);
    ok(send_big(&s->abe, &bob, 300 * KIB));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY(too_big_a_message_ends_its_receiver),
        STORY(services_live_on),
        STORY(by_an_alias_too),
        STORY(too_big_a_reason_is_replaced),
        STORY(terms_may_be_deep),
        STORY(reasons_may_be_deep),
        STORY(services_stay),
        STORY(a_stream_takes_any_size),
        STORY(parts_come_behind_what_waits),
        STORY(who_talks_to_itself_takes_streams_too),
        STORY(the_end_of_a_stream_is_told),
        STORY(answers_of_calls_stay_whole),
        STORY(order_is_kept),
        STORY(large_messages_wait_and_small_ones_pass),
        STORY(another_function_takes_the_rest),
        STORY(the_rest_of_what_was_given_up_is_dropped),
        STORY(what_began_before_comes_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
