/* SPDX-License-Identifier: Apache-2.0
 *
 * A machine of straw for the loop: it hands out scripted updates and writes down what it hears.
 */
#ifndef TESTS_STRAW_H
#define TESTS_STRAW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/loop.h"
#include "net/socket.h"
#include "net/system.h"

#define UPDATES 32
/* Bytes that are shown of large messages at once. */
#define LARGE_PART (64u << 10)

/* Where free ports are looked for. */
#define PORT_MIN 10000
#define N_PORTS  1000

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
    size_t answer;              /* bytes for who came in */
    size_t large;               /* the same, of large messages: behind those */
    size_t ends_after, n_words; /* of the trace */
    struct rlimit files;        /* before the test took them away */
    uint64_t pause_ms;          /* for who has said something */
    bool beam;                  /* all are */
    uint64_t now_ms;            /* as it was told last */
    uint64_t late_ms;           /* how old that was, at most, when something had been sent */
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
    return m->now_ms;
}

void machine_now(struct machine *m, uint64_t now_ms)
{
    m->now_ms = now_ms;
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
    m->now_ms = now_ms;
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

bool machine_is_beam(const struct machine *m, slot_id conn)
{
    (void)conn;
    return m->beam;
}

bool machine_is_link(const struct machine *m, slot_id conn)
{
    (void)m;
    (void)conn;
    return false;
}

uint64_t machine_pause(const struct machine *m, slot_id conn)
{
    (void)conn;
    return m->pause_ms;
}

size_t machine_space(struct machine *m, slot_id conn, struct iovec iov[MACHINE_PLACES])
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
size_t machine_pending(struct machine *m, slot_id conn, bool large, struct iovec *iov, size_t max)
{
    size_t left = conn == DIALLED ? m->to_send - sent : 0, first = left / 3;

    if (conn == ACCEPTED && m->answer > 0) {
        iov[0] = (struct iovec){(void *)(uintptr_t)zeroes, m->answer};
        return 1;
    }
    if (conn == ACCEPTED && m->large > 0 && large) {
        iov[0] = (struct iovec){(void *)(uintptr_t)zeroes, (size_t)min_u64(m->large, LARGE_PART)};
        return 1;
    }
    if (left == 0)
        return 0;
    iov[0] = (struct iovec){(void *)(uintptr_t)zeroes, first};
    if (max < 2)
        return 1;
    iov[1] = (struct iovec){(void *)(uintptr_t)(zeroes + first), left - first};
    return 2;
}

void machine_sent(struct machine *m, slot_id conn, size_t n, uint64_t now_ms)
{
    m->late_ms = max_u64(m->late_ms, system_now_ms() - now_ms);
    if (conn != ACCEPTED) {
        sent += n;
        return;
    }
    size_t small = (size_t)min_u64(n, m->answer);

    m->answer -= small;
    m->large -= n - small;
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

struct world {
    struct machine m;
    struct resolv_conf conf;
};

static inline void on_event(void *arg, const struct event *event)
{
    struct machine *m = arg;

    assert_int_equal(event->id, EVENT_SETTING);
    assert_non_null(strstr(event->reason, "paused"));
    say(m, "paused ");
    setrlimit(RLIMIT_NOFILE, &m->files);
}

static inline void set_up(struct world *w)
{
    const struct log quiet = {.level = LEVEL_ERROR + 1};
    const struct loop_hooks hooks = {.event = on_event, .arg = &w->m};

    *w = (struct world){.m = {.deadline_ms = NEVER}};
    sent = 0;
    w->m.loop = loop_new(&w->m, &w->conf, &quiet, &hooks);
    assert_non_null(w->m.loop);
}

static inline struct update *add_listen(struct machine *m, struct addr at)
{
    struct update *u = add(m, UPDATE_LISTEN, 0);

    u->u.listen.which = LISTEN_DIST;
    u->u.listen.addr = at;
    return u;
}

/* A free port, and the socket that holds it. It is none of those that the system gives away, so
 * that it stays free when the test has closed that; tests that run beside this one begin elsewhere.
 */
static inline struct addr take_port(int *fd)
{
    static unsigned n;
    struct addr at = {0};

    *fd = -1;
    for (unsigned i = 0; i < N_PORTS && *fd < 0; i++) {
        at = addr_v4(0x7f000001, (uint16_t)(PORT_MIN + ((unsigned)getpid() * 97 + n++) % N_PORTS));
        *fd = socket_listen(&at);
    }
    assert_true(*fd >= 0);
    return at;
}

/* A plain socket that the loop has accepted. */
static inline int come_in(struct world *w)
{
    int holder;
    struct addr at = take_port(&holder);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(at.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    close(holder);
    w->m.to_send = SIZE_MAX; /* never all */
    add_listen(&w->m, at);
    loop_start(w->m.loop);
    assert_int_equal(connect(fd, (void *)&to, sizeof to), 0);
    socket_tune(fd);
    for (int i = 0; i < 100 && strstr(w->m.trace, "accepted") == NULL; i++)
        loop_step(w->m.loop, 100);
    assert_string_equal(w->m.trace, "listening accepted ");
    return fd;
}

#endif
