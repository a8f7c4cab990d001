/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop with a machine of straw: it hands out scripted updates and writes down what it hears.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/loop.h"
#include "net/socket.h"
#include "net/system.h"

#define UPDATES 32

/* Ids that the straw machine gives to what comes in, and to what goes out. */
#define ACCEPTED 100
#define DIALLED  5

struct machine {
    struct loop *loop;
    struct update updates[UPDATES];
    size_t first, n;
    char trace[2048];
    struct addr at;       /* where it listens */
    bool opened, refuses; /* refuses: accepted connections get no id */
    struct addr source;   /* where they must come from; family 0: anywhere */
    uint64_t deadline_ms;
    uint8_t scratch[4096];
    size_t to_send, received;
    size_t ends_after, n_words; /* of the trace */
    struct rlimit files;        /* before the test took them away */
};

/* ---- the machine of straw ---- */

static void say(struct machine *m, const char *word)
{
    size_t len = strlen(m->trace);

    assert_true(len + strlen(word) < sizeof m->trace);
    memcpy(m->trace + len, word, strlen(word) + 1);
    if (++m->n_words == m->ends_after)
        loop_exit(m->loop, 0);
}

static struct update *add(struct machine *m, enum update_kind kind, slot_id conn)
{
    struct update *u = &m->updates[m->n++];

    assert_true(m->n <= UPDATES);
    *u = (struct update){.kind = kind, .conn = conn};
    return u;
}

bool machine_next(struct machine *m, struct update *u)
{
    if (m->first == m->n)
        return false;
    *u = m->updates[m->first++];
    return true;
}

void machine_start(struct machine *m, uint64_t now_ms)
{
    (void)m;
    (void)now_ms;
}

uint64_t machine_deadline(const struct machine *m)
{
    return m->deadline_ms;
}

uint64_t machine_time(const struct machine *m)
{
    (void)m;
    return 0;
}

void machine_now(struct machine *m, uint64_t now_ms)
{
    (void)m;
    (void)now_ms;
}

uint64_t machine_handed(const struct machine *m)
{
    (void)m;
    return 0;
}

void machine_tick(struct machine *m, uint64_t now_ms)
{
    if (now_ms < m->deadline_ms)
        return;
    m->deadline_ms = NEVER;
    say(m, "tick ");
}

void machine_listening(struct machine *m, enum listener which, const struct addr *at,
                       const char *error, bool in_use, uint64_t now_ms)
{
    (void)now_ms;
    assert_int_equal(which, LISTEN_DIST);
    m->at = *at;
    say(m, error == NULL ? "listening " : in_use ? "in-use " : "cannot-listen ");
}

slot_id machine_accepted(struct machine *m, enum listener which, const struct addr *peer,
                         const struct addr *local, uint64_t now_ms)
{
    (void)which;
    (void)now_ms;
    assert_true(m->source.family == 0 || addr_same_ip(peer, &m->source));
    assert_true(addr_equal(local, &m->at));
    say(m, "accepted ");
    return m->refuses ? 0 : ACCEPTED;
}

void machine_opened(struct machine *m, slot_id conn, const struct addr *local, uint64_t now_ms)
{
    (void)now_ms;
    assert_int_not_equal(local->port, 0);
    add(m, UPDATE_SEND, conn);
    /* No word: the listener may see the connection before or after its dialler. */
    m->opened = true;
}

void machine_refused(struct machine *m, slot_id conn, enum dial_error error, const char *text,
                     uint64_t now_ms)
{
    static const char *const words[] = {"refused ", "timed-out ", "unreachable ", "impossible "};

    (void)now_ms;
    (void)conn;
    assert_true(strlen(text) > 0);
    say(m, words[error]);
}

size_t machine_space(struct machine *m, slot_id conn, struct iovec iov[2])
{
    (void)conn;
    iov[0] = (struct iovec){m->scratch, 3};
    iov[1] = (struct iovec){m->scratch + 3, sizeof m->scratch - 3};
    return 2;
}

void machine_got(struct machine *m, slot_id conn, size_t n, uint64_t now_ms)
{
    (void)now_ms;
    m->received += n;
    if (m->received < m->to_send)
        return;
    say(m, "got-all ");
    add(m, UPDATE_CLOSE, conn);
}

void machine_closed(struct machine *m, slot_id conn, const char *text, uint64_t now_ms)
{
    (void)now_ms;
    (void)text;
    say(m, conn == DIALLED ? "dialled-closed " : "accepted-closed ");
}

static const uint8_t zeroes[8u << 20];
static size_t sent;

/* In two pieces where it can be. */
size_t machine_pending(struct machine *m, slot_id conn, struct iovec *iov, size_t max)
{
    size_t left = conn == DIALLED ? m->to_send - sent : 0, first = left / 3;

    if (left == 0)
        return 0;
    assert_true(max >= 2);
    iov[0] = (struct iovec){(void *)(uintptr_t)zeroes, first};
    iov[1] = (struct iovec){(void *)(uintptr_t)(zeroes + first), left - first};
    return 2;
}

void machine_sent(struct machine *m, slot_id conn, size_t n, uint64_t now_ms)
{
    (void)m;
    (void)conn;
    (void)now_ms;
    sent += n;
}

void machine_given(struct machine *m, unsigned source, const struct given *given, uint64_t now_ms)
{
    (void)source;
    (void)given;
    (void)now_ms;
    say(m, "given ");
}

void machine_resolved(struct machine *m, slot_id query, enum dns_status status, clu_slice msg,
                      uint64_t now_ms)
{
    (void)now_ms;
    (void)msg;
    (void)query;
    say(m, status == DNS_NO_SERVER ? "no-server " : "resolved ");
}

/* ---- the tests ---- */

struct world {
    struct machine m;
    struct resolv_conf conf;
};

static void on_event(void *arg, const struct event *event)
{
    struct machine *m = arg;

    assert_int_equal(event->id, EVENT_SETTING);
    assert_non_null(strstr(event->reason, "paused"));
    say(m, "paused ");
    setrlimit(RLIMIT_NOFILE, &m->files);
}

static void set_up(struct world *w)
{
    const struct log quiet = {.level = LEVEL_ERROR + 1};
    const struct loop_hooks hooks = {.event = on_event, .arg = &w->m};

    *w = (struct world){.m = {.deadline_ms = NEVER}};
    sent = 0;
    w->m.loop = loop_new(&w->m, &w->conf, &quiet, &hooks);
    assert_non_null(w->m.loop);
}

/* Runs until the trace has so many words, and compares it. */
static void expect(struct world *w, size_t words, const char *trace)
{
    w->m.ends_after = words;
    loop_start(w->m.loop);
    assert_int_equal(loop_run(w->m.loop), 0);
    assert_string_equal(w->m.trace, trace);
    loop_free(w->m.loop);
}

static struct update *add_listen(struct machine *m, struct addr at)
{
    struct update *u = add(m, UPDATE_LISTEN, 0);

    u->u.listen.which = LISTEN_DIST;
    u->u.listen.addr = at;
    return u;
}

static struct update *add_dial(struct machine *m, struct addr to)
{
    struct update *u = add(m, UPDATE_DIAL, DIALLED);

    u->u.dial.to = to;
    u->u.dial.timeout_ms = 200;
    return u;
}

/* A free port, and the socket that holds it. */
static struct addr take_port(int *fd)
{
    struct addr at = addr_v4(0x7f000001, 0);

    *fd = socket_listen(&at);
    assert_true(*fd >= 0);
    return socket_local(*fd);
}

/* Listens first, then dials itself there. */
static void listen_and_dial(struct world *w)
{
    int fd;
    struct addr at = take_port(&fd);

    close(fd);
    add_listen(&w->m, at);
    add_dial(&w->m, at);
}

static void test_bytes_arrive(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    w.m.to_send = sizeof zeroes; /* more than sockets hold: the writer must wait for the reader */
    listen_and_dial(&w);
    expect(&w, 4, "listening accepted got-all dialled-closed ");
    assert_true(w.m.opened);
    assert_int_equal(w.m.received, sizeof zeroes);
}

static void test_unwelcome(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    w.m.refuses = true;
    listen_and_dial(&w);
    expect(&w, 3, "listening accepted dialled-closed ");
    assert_true(w.m.opened);
}

static void test_nobody_listens(void **state)
{
    struct world w;
    int fd;
    struct addr at = take_port(&fd);

    (void)state;
    close(fd);
    set_up(&w);
    add_dial(&w.m, at);
    expect(&w, 1, "refused ");
}

static void test_foreign_source(void **state)
{
    struct world w;
    int fd;
    struct addr at = take_port(&fd);

    (void)state;
    set_up(&w);
    add_dial(&w.m, at)->u.dial.from = addr_v4(0xc0000201, 0); /* TEST-NET-1 is nobody's */
    expect(&w, 1, "impossible ");
    close(fd);
}

static void test_source_is_used(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    w.m.refuses = true;
    listen_and_dial(&w);
    w.m.updates[1].u.dial.from = addr_v4(0x7f000009, 0);
    w.m.source = w.m.updates[1].u.dial.from;
    expect(&w, 2, "listening accepted ");
}

static void test_port_in_use(void **state)
{
    struct world w;
    int fd;
    struct addr at = take_port(&fd);

    (void)state;
    set_up(&w);
    add_listen(&w.m, at);
    expect(&w, 1, "in-use ");
    close(fd);
}

static void test_range_of_ports(void **state)
{
    struct world w;
    int fd;
    struct addr at = take_port(&fd);
    struct update *u;

    (void)state;
    set_up(&w);
    u = add_listen(&w.m, addr_v4(0x7f000001, 0));
    u->u.listen.port_min = at.port;
    u->u.listen.port_max = (uint16_t)(at.port + 20);
    expect(&w, 1, "listening ");
    assert_true(w.m.at.port > at.port && w.m.at.port <= at.port + 20);
    close(fd);
}

static void test_foreign_address(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    add_listen(&w.m, addr_v4(0xc0000201, 0));
    expect(&w, 1, "cannot-listen ");
}

static void test_timer(void **state)
{
    struct world w;
    uint64_t began_ms = system_now_ms();

    (void)state;
    set_up(&w);
    w.m.deadline_ms = began_ms + 30;
    expect(&w, 1, "tick ");
    assert_in_range(system_now_ms() - began_ms, 30, 500);
}

static void test_closing_strangers(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    add(&w.m, UPDATE_CLOSE, 77);
    add(&w.m, UPDATE_SEND, 78);
    add(&w.m, UPDATE_RESOLVE, 0);
    expect(&w, 1, "no-server ");
}

/* The listener waits a second and goes on; a connection made meanwhile is not lost. */
static void test_out_of_files(void **state)
{
    struct world w;
    int fd;
    struct addr at = take_port(&fd), from = {0};
    bool connecting, bind_failed;
    uint64_t began_ms = system_now_ms();

    (void)state;
    close(fd);
    set_up(&w);
    w.m.refuses = true;
    add_listen(&w.m, at);
    loop_start(w.m.loop);
    fd = socket_connect(&at, &from, &connecting, &bind_failed);
    assert_true(fd >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &w.m.files), 0);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, w.m.files.rlim_max});
    expect(&w, 3, "listening paused accepted ");
    assert_in_range(system_now_ms() - began_ms, 900, 3000);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_arrive),   cmocka_unit_test(test_unwelcome),
        cmocka_unit_test(test_nobody_listens), cmocka_unit_test(test_foreign_source),
        cmocka_unit_test(test_source_is_used), cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_range_of_ports), cmocka_unit_test(test_foreign_address),
        cmocka_unit_test(test_timer),          cmocka_unit_test(test_closing_strangers),
        cmocka_unit_test(test_out_of_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
