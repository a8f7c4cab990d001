/* SPDX-License-Identifier: Apache-2.0
 *
 * The listening sockets of a machine.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "net/loop_impl.h"
#include "net/socket.h"
#include "net/system.h"

/* Connections taken before others get their turn. */
#define ACCEPTS_A_TURN 64
/* Out of files: a connection that waits keeps the socket readable, so looking again at once would
 * spin. */
#define RESUME_MS 1000

static void on_resume(void *arg, bool timed_out)
{
    struct acceptor *a = arg;

    (void)timed_out;
    if (!watch_start(a->readable, NEVER))
        watch_start(a->resume, RESUME_MS);
}

static void pause_accepting(struct acceptor *a, int reason)
{
    struct loop *l = a->loop;
    struct event e = {.id = EVENT_SETTING, .what = "accepting connections"};

    watch_stop(a->readable);
    watch_start(a->resume, RESUME_MS);
    snprintf(e.reason, sizeof e.reason, "%s: paused for a second; raise the limit of open files",
             strerror(reason));
    if (socket_shortage_is_news(&a->short_ms, system_now_ms()))
        loop_tell(l, &e);
}

static void take(struct acceptor *a, int fd, const struct addr *peer)
{
    struct loop *l = a->loop;
    struct addr local = socket_local(fd);
    slot_id id = machine_accepted(l->machine, a->which, peer, &local, system_now_ms());

    if (id == 0)
        close(fd);
    else
        wire_adopt(l, id, fd);
}

/* What says that this one connection came to nothing, and nothing about the next one. */
static bool is_of_one_connection(int reason)
{
    return reason != EMFILE && reason != ENFILE && reason != ENOBUFS && reason != ENOMEM;
}

static void on_readable(void *arg, bool timed_out)
{
    struct acceptor *a = arg;
    struct loop *l = a->loop;

    (void)timed_out;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct addr peer;
        int fd = socket_accept(a->fd, &peer);

        if (fd >= 0) {
            take(a, fd, &peer);
        } else if (errno == EAGAIN) {
            break;
        } else if (!is_of_one_connection(errno)) {
            pause_accepting(a, errno);
            break;
        }
    }
    loop_turn(l);
}

/* The first port of the range that is free; -1 and errno of the last one tried. */
static int listen_in_range(const struct update *u, struct addr *at)
{
    uint16_t min = u->u.listen.port_min, max = u->u.listen.port_max;
    int fd = -1;

    *at = u->u.listen.addr;
    if (at->port != 0 && min == 0)
        min = at->port;
    for (uint32_t port = min; fd < 0 && port <= max_u64(min, max); port++) {
        at->port = (uint16_t)port;
        fd = socket_listen(at);
        if (fd < 0 && errno != EADDRINUSE)
            break;
    }
    return fd;
}

static bool watch_socket(struct acceptor *a, int fd)
{
    struct watch_base *base = a->loop->base;

    a->fd = fd;
    a->readable = watch_new(base, WATCH_READ, fd, on_readable, a);
    a->resume = watch_new(base, WATCH_TIMER, -1, on_resume, a);
    return a->readable != NULL && a->resume != NULL && watch_start(a->readable, NEVER);
}

void acceptor_open(struct loop *l, const struct update *u)
{
    enum listener which = u->u.listen.which;
    struct acceptor *a = &l->acceptors[which];
    struct addr at;
    int fd, reason;

    acceptor_close(l, which);
    fd = listen_in_range(u, &at);
    reason = errno;
    *a = (struct acceptor){.loop = l, .which = which, .fd = fd};
    if (fd < 0) {
        machine_listening(l->machine, which, &at, strerror(reason), reason == EADDRINUSE,
                          system_now_ms());
    } else if (!watch_socket(a, fd)) {
        acceptor_close(l, which);
        machine_listening(l->machine, which, &at, strerror(ENOMEM), false, system_now_ms());
    } else {
        at = socket_local(fd);
        machine_listening(l->machine, which, &at, NULL, false, system_now_ms());
    }
}

void acceptor_close(struct loop *l, enum listener which)
{
    struct acceptor *a = &l->acceptors[which];

    if (a->loop == NULL)
        return;
    watch_free(a->readable);
    watch_free(a->resume);
    if (a->fd >= 0)
        close(a->fd);
    *a = (struct acceptor){0};
}
