/* SPDX-License-Identifier: Apache-2.0
 *
 * clu_stop: what was sent before arrives, a peer that does not read is not waited for, and nobody
 * is called meanwhile.
 */
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MIB (1u << 20)
/* More than two sockets hold between them. */
#define MUCH (64 * MIB - 1000)
/* A machine that does other work. */
#define SLACK_MS 5000
/* The same: a node's patience passes before the other one had its turn. Then a story tells nothing
 * and is told again, so often at most. */
#define TRIES 10

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* One that sends, its reader, and what that has seen: a line a signal. */
struct scene {
    clu_node *sender, *reader;
    clu_process *from, *to;
    clu_to reaches; /* the reader's process */
    char seen[256];
    size_t heard; /* signals of the sender's process */
    bool over;
};

static void see(struct scene *s, const char *what, size_t n)
{
    size_t at = strlen(s->seen);

    snprintf(s->seen + at, sizeof s->seen - at, "%s %zu\n", what, n);
}

static void on_read(clu_process *self, const clu_signal *signal, void *arg)
{
    struct scene *s = arg;
    clu_reader r = signal->term;
    char text[32];

    (void)self;
    if (clu_peek_type(&r) == CLU_TYPE_BINARY) {
        see(s, "bytes", clu_get_binary(&r).len);
        return;
    }
    clu_slice atom = clu_get_atom(&r);

    snprintf(text, sizeof text, "%.*s", (int)atom.len, (const char *)atom.data);
    see(s, text, (size_t)signal->kind);
    s->over = s->over || signal->kind == CLU_SIGNAL_DOWN;
}

static void on_heard(clu_process *self, const clu_signal *signal, void *arg)
{
    struct scene *s = arg;

    (void)self;
    (void)signal;
    s->heard++;
}

static bool is_linked(void *arg)
{
    const struct scene *s = arg;

    return clu_nodes(s->sender, NULL, 0) == 1 && clu_nodes(s->reader, NULL, 0) == 1;
}

/* Linked, and each has the other's process monitored. */
static void begin(struct scene *s)
{
    uint16_t port = free_port();
    char to[64];

    *s = (struct scene){.sender = local_node(2, port, NULL)};
    snprintf(to, sizeof to, "static:test@127.0.0.2");
    s->reader = local_node(3, port, to);
    s->from = clu_spawn(
        s->sender,
        &(clu_spawn_options){.receive = on_heard, .arg = s, .name = "from", .trap_exit = true});
    s->to = clu_spawn(s->reader, &(clu_spawn_options){.receive = on_read, .arg = s, .name = "to"});
    run_until(s->sender, s->reader, is_linked, s);
    s->reaches = clu_to_name("to", clu_node_name(s->reader));
    clu_to from = clu_to_name("from", clu_node_name(s->sender));

    assert_true(clu_monitor(s->to, &from).n > 0);
    for (int i = 0; i < 20; i++) {
        assert_true(clu_step(s->reader, 1));
        assert_true(clu_step(s->sender, 1));
    }
}

static void end(struct scene *s)
{
    clu_node_free(s->sender);
    clu_node_free(s->reader);
}

static void send_bytes(const struct scene *s, size_t n)
{
    uint8_t *data = calloc(1, n);

    assert_non_null(data);
    clu_put_binary(clu_send_begin(s->from, &s->reaches), data, n);
    assert_int_equal(clu_send_end(s->from), CLU_OK);
    free(data);
}

static void send_word(const struct scene *s, const char *word)
{
    clu_put_atom_text(clu_send_begin(s->from, &s->reaches), word);
    assert_int_equal(clu_send_end(s->from), CLU_OK);
}

static bool is_over(void *arg)
{
    return ((const struct scene *)arg)->over;
}

/* Until the sender has left, with the other one or without; milliseconds. */
static uint64_t leave(const struct scene *s, bool both)
{
    uint64_t start = now_ms();

    while (clu_step(s->sender, 1)) {
        if (both)
            assert_true(clu_step(s->reader, 1));
        assert_true(now_ms() < start + 30000);
    }
    return now_ms() - start;
}

/* Three messages, the second of so many bytes, and the sender stops. */
static void say_all_and_stop(const struct scene *s, size_t n)
{
    send_word(s, "first");
    send_bytes(s, n);
    send_word(s, "bye");
    clu_stop(s->sender);
}

static void all_has_arrived(struct scene *s, size_t n)
{
    char all[sizeof s->seen];

    snprintf(all, sizeof all, "first 0\nbytes %zu\nbye 0\nnoconnection 2\n", n);
    run_until(s->reader, NULL, is_over, s);
    assert_string_equal(s->seen, all);
}

/* A story is false where the sender was held up, so that it may have given up. */
static void tell(bool (*story)(struct scene *s))
{
    bool told = false;

    for (int i = 0; i < TRIES && !told; i++) {
        struct scene s;

        begin(&s);
        told = story(&s);
        end(&s);
    }
    assert_true(told);
}

static bool is_soon(uint64_t start)
{
    return now_ms() < start + CLU_STOP_MS * 9 / 10;
}

static bool say_all(struct scene *s)
{
    uint64_t start = now_ms();

    say_all_and_stop(s, 5 * MIB);
    leave(s, true);
    if (!is_soon(start))
        return false;
    all_has_arrived(s, 5 * MIB);
    return true;
}

static void what_was_sent_arrives(void **state)
{
    (void)state;
    tell(say_all);
}

static bool say_all_to_a_talker(struct scene *s)
{
    uint64_t start = now_ms();
    clu_to from = clu_to_name("from", "test@127.0.0.2");

    say_all_and_stop(s, 5 * MIB);
    while (clu_step(s->sender, 1)) {
        clu_put_int(clu_send_begin(s->to, &from), 1);
        assert_int_equal(clu_send_end(s->to), CLU_OK);
        assert_true(clu_step(s->reader, 1));
        assert_true(now_ms() < start + 30000);
    }
    if (!is_soon(start))
        return false;
    all_has_arrived(s, 5 * MIB);
    assert_int_equal(s->heard, 0);
    return true;
}

/* What it writes to a node that is gone would destroy what it has not read yet. */
static void also_to_one_who_talks_meanwhile(void **state)
{
    (void)state;
    tell(say_all_to_a_talker);
}

static void stop_and_exit(clu_node *node, void *arg)
{
    struct scene *s = arg;

    clu_exit(s->from, "stopping");
    clu_stop(node);
}

static bool end_with_a_reason(struct scene *s)
{
    uint64_t start = now_ms();

    assert_int_equal(clu_post(s->sender, stop_and_exit, s), CLU_OK);
    leave(s, true);
    if (!is_soon(start))
        return false;
    run_until(s->reader, NULL, is_over, s);
    assert_string_equal(s->seen, "stopping 2\n");
    return true;
}

/* A process that ends in the last step says of what. */
static void the_last_reason_arrives(void **state)
{
    (void)state;
    tell(end_with_a_reason);
}

static bool stop_soon(struct scene *s)
{
    uint64_t start = now_ms();

    clu_stop(s->sender);
    leave(s, true);
    return is_soon(start);
}

static void who_reads_is_not_waited_for_long(void **state)
{
    (void)state;
    tell(stop_soon);
}

static void who_does_not_read_is_not_waited_for(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    send_bytes(&s, MUCH);
    clu_stop(s.sender);
    uint64_t took = leave(&s, false);

    assert_in_range(took, CLU_STOP_MS - 10, CLU_STOP_MS + SLACK_MS);
    run_until(s.reader, NULL, is_over, &s);
    assert_string_equal(s.seen, "noconnection 2\n");
    end(&s);
}

static bool stop_twice(struct scene *s)
{
    bool is_there = true;

    send_bytes(s, MUCH);
    uint64_t start = now_ms();

    clu_stop(s->sender);
    clu_stop(s->sender); /* of the same step: one */
    for (int i = 0; i < 10 && is_there; i++)
        is_there = clu_step(s->sender, 10);
    assert_true(is_there || !is_soon(start));
    clu_stop(s->sender);
    leave(s, false);
    return is_soon(start);
}

static void a_second_stop_waits_for_nothing(void **state)
{
    (void)state;
    tell(stop_twice);
}

static void say_late(clu_node *node, void *arg)
{
    if (node != NULL)
        send_word(arg, "late");
}

static bool say_all_and_more(struct scene *s)
{
    uint64_t start = now_ms();

    say_all_and_stop(s, 64000);
    for (int i = 0; i < 20; i++) /* all is written then */
        (void)clu_step(s->sender, 1);
    (void)!clu_post(s->sender, say_late, s);
    for (int i = 0; i < 20; i++)
        (void)clu_step(s->sender, 1);
    bool soon = is_soon(start);

    leave(s, true);
    if (!soon || !is_soon(start))
        return false;
    all_has_arrived(s, 64000);
    return true;
}

/* It goes nowhere, and what was sent before is not lost with it. */
static void what_is_said_late_does_no_harm(void **state)
{
    (void)state;
    tell(say_all_and_more);
}

static void count(clu_node *node, void *arg)
{
    if (node != NULL)
        ++*(int *)arg;
}

static bool post_meanwhile(struct scene *s)
{
    int called = 0;

    send_bytes(s, MUCH);
    uint64_t start = now_ms();

    clu_stop(s->sender);
    (void)clu_step(s->sender, 10);
    assert_int_equal(clu_post(s->sender, count, &called), CLU_OK);
    (void)clu_step(s->sender, 10);
    bool soon = is_soon(start);

    leave(s, false);
    assert_true(now_ms() >= start + CLU_STOP_MS - 10);
    assert_true(!soon || called == 1);
    return soon;
}

/* What other threads post is called still, and does not count as a stop. */
static void posts_are_called_meanwhile(void **state)
{
    (void)state;
    tell(post_meanwhile);
}

static bool nobody_is_called(struct scene *s)
{
    clu_to self = clu_to_name("from", NULL);

    assert_true(clu_after(s->from, 50).n > 0);
    send_bytes(s, MUCH);
    uint64_t start = now_ms();

    clu_stop(s->sender);
    (void)clu_step(s->sender, 1);
    size_t before = s->heard;

    if (!is_soon(start))
        return false;
    clu_put_int(clu_send_begin(s->from, &self), 1);
    assert_int_equal(clu_send_end(s->from), CLU_OK);
    for (int i = 0; i < 20; i++)
        (void)clu_step(s->sender, 10);
    assert_int_equal(s->heard, before);
    return is_soon(start);
}

/* Timers, mailboxes and answers stand still. */
static void no_process_is_called_meanwhile(void **state)
{
    (void)state;
    tell(nobody_is_called);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_arrives),
        cmocka_unit_test(also_to_one_who_talks_meanwhile),
        cmocka_unit_test(the_last_reason_arrives),
        cmocka_unit_test(who_reads_is_not_waited_for_long),
        cmocka_unit_test(who_does_not_read_is_not_waited_for),
        cmocka_unit_test(a_second_stop_waits_for_nothing),
        cmocka_unit_test(what_is_said_late_does_no_harm),
        cmocka_unit_test(posts_are_called_meanwhile),
        cmocka_unit_test(no_process_is_called_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
