/* SPDX-License-Identifier: Apache-2.0
 *
 * The sockets of a machine's connections. Whatever ends a socket here forgets it first and tells
 * the machine then: the machine may give the id to another connection at once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/socket.h"
#include "net/system.h"
#include "net/wire.h"

/* Pieces given to one sendmsg: the queue of a link rarely has more. */
#define SEND_PIECES 16
/* Bytes that one connection may send before others have their turn, and before what has come is
 * read: 4 MiB would hold up an answer by 4 ms. */
#define SEND_TURN (256u << 10)

static struct wire *find(const struct loop *l, slot_id id)
{
    size_t i = slot_index(id);
    struct wire *w = i < l->n_wires ? l->wires[i] : NULL;

    return w != NULL && w->id == id ? w : NULL;
}

static bool grow(struct loop *l, size_t needed)
{
    size_t n = l->n_wires == 0 ? 16 : l->n_wires;

    while (n < needed)
        n *= 2;
    struct wire **wires = realloc(l->wires, n * sizeof *wires);

    if (wires == NULL)
        return false;
    memset(wires + l->n_wires, 0, (n - l->n_wires) * sizeof *wires);
    l->wires = wires;
    l->n_wires = n;
    return true;
}

static void forget(struct wire *w)
{
    list_remove(&w->calm);
    list_remove(&w->full);
    watch_free(w->readable);
    watch_free(w->writable);
    watch_free(w->resume);
    close(w->fd);
    w->loop->wires[slot_index(w->id)] = NULL;
    free(w);
}

static void lose(struct wire *w, const char *text)
{
    struct loop *l = w->loop;
    slot_id id = w->id;

    forget(w);
    machine_closed(l->machine, id, text, system_now_ms());
}

/* Where the system cannot watch one more socket: nobody would look at it again. */
static const char unwatched[] = "the system has no memory to watch the socket";

static void on_resume(void *arg, bool timed_out)
{
    struct wire *w = arg;
    struct loop *l = w->loop;

    (void)timed_out;
    if (watch_start(w->readable, NEVER))
        return;
    lose(w, unwatched);
    loop_turn(l);
}

/* Without memory for that it is read on. */
static void pause_reading(struct wire *w, uint64_t ms)
{
    if (w->resume == NULL)
        w->resume = watch_new(w->loop->base, WATCH_TIMER, -1, on_resume, w);
    if (w->resume == NULL || !watch_start(w->resume, ms))
        return;
    calm_leave(w);
    watch_stop(w->readable);
}

bool wire_is_paused(const struct wire *w)
{
    return w->resume != NULL && watch_is_on(w->resume);
}

static void on_bytes(struct wire *w, size_t n, uint64_t now_ms)
{
    struct loop *l = w->loop;

    machine_got(l->machine, w->id, n, now_ms);
    uint64_t pause = machine_pause(l->machine, w->id);

    if (pause > 0)
        pause_reading(w, pause);
}

ssize_t wire_take(struct wire *w, uint64_t now_us)
{
    struct loop *l = w->loop;
    struct iovec iov[MACHINE_PLACES];
    size_t n_iov = machine_space(l->machine, w->id, iov);

    if (n_iov == 0) {
        lose(w, "out of memory");
        return -1;
    }
    /* One piece is the rule, and costs less this way. */
    ssize_t n =
        n_iov == 1 ? recv(w->fd, iov->iov_base, iov->iov_len, 0) : readv(w->fd, iov, (int)n_iov);

    if (n > 0) {
        on_bytes(w, (size_t)n, now_us / 1000);
        return n;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    lose(w, n == 0 ? NULL : strerror(errno));
    return -1;
}

static void on_readable(void *arg, bool timed_out)
{
    struct wire *w = arg;
    struct loop *l = w->loop;
    uint64_t now = system_now_us();
    ssize_t n = wire_take(w, now);

    (void)timed_out;
    if (n >= 0)
        calm_note(w, n, now);
    loop_turn(l);
}

/* The wire may be gone then. */
static void await_room(struct wire *w)
{
    if (!watch_start(w->writable, NEVER))
        lose(w, unwatched);
}

void wire_flush(struct wire *w)
{
    struct loop *l = w->loop;
    size_t sent = 0;

    if (l->silent && machine_is_link(l->machine, w->id))
        return; /* a write would fail, and close it before the peer has read */
    for (;;) {
        struct iovec iov[SEND_PIECES];
        struct msghdr msg = {.msg_iov = iov};

        msg.msg_iovlen = machine_pending(l->machine, w->id, unread_allows(w), iov, SEND_PIECES);
        if (msg.msg_iovlen == 0)
            return;
        if (sent >= SEND_TURN) {
            await_room(w);
            return;
        }
        ssize_t n = msg.msg_iovlen == 1 ? send(w->fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL)
                                        : sendmsg(w->fd, &msg, MSG_NOSIGNAL);
        if (n >= 0) {
            sent += (size_t)n;
            unread_sent(w, (size_t)n);
            calm_end(w);
            machine_sent(l->machine, w->id, (size_t)n, machine_time(l->machine));
        } else if (errno == EAGAIN) {
            await_room(w);
            return;
        } else if (errno != EINTR) {
            lose(w, errno == EFAULT ? "bytes lent to a message are not there any more"
                                    : strerror(errno));
            return;
        }
    }
}

static void on_writable(void *arg, bool timed_out);

/* On failure the descriptor is left to the caller. */
static struct wire *wire_new(struct loop *l, slot_id id, int fd)
{
    size_t i = slot_index(id);

    if (i >= l->n_wires && !grow(l, i + 1))
        return NULL;
    struct wire *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    *w = (struct wire){.id = id, .fd = fd, .loop = l};
    list_init(&w->calm);
    unread_begin(w);
    w->readable = watch_new(l->base, WATCH_READ, fd, on_readable, w);
    w->writable = watch_new(l->base, WATCH_WRITE, fd, on_writable, w);
    if (w->readable == NULL || w->writable == NULL) {
        watch_free(w->readable);
        watch_free(w->writable);
        free(w);
        return NULL;
    }
    l->wires[i] = w;
    return w;
}

static bool start(struct wire *w)
{
    w->opened = true;
    return watch_start(w->readable, NEVER);
}

static const struct {
    int reason;
    enum dial_error error;
} dial_errors[] = {
    {ECONNREFUSED, DIAL_REFUSED},     {ETIMEDOUT, DIAL_TIMED_OUT}, {EMFILE, DIAL_IMPOSSIBLE},
    {ENFILE, DIAL_IMPOSSIBLE},        {ENOBUFS, DIAL_IMPOSSIBLE},  {ENOMEM, DIAL_IMPOSSIBLE},
    {EADDRNOTAVAIL, DIAL_IMPOSSIBLE}, /* to dial from, or no port of it is free */
};

static void refuse(struct loop *l, slot_id id, int reason, const char *text)
{
    enum dial_error error = DIAL_UNREACHABLE;

    for (size_t i = 0; i < COUNT(dial_errors); i++)
        if (dial_errors[i].reason == reason)
            error = dial_errors[i].error;
    machine_refused(l->machine, id, error, text, system_now_ms());
}

static void refuse_wire(struct wire *w, int reason)
{
    struct loop *l = w->loop;
    slot_id id = w->id;

    forget(w);
    refuse(l, id, reason, strerror(reason));
}

static void connected(struct wire *w)
{
    struct addr local = socket_local(w->fd);

    /* A dial to a free port of our own host may meet itself: TCP's simultaneous open. */
    if (addr_equal(&local, &w->to)) {
        refuse_wire(w, ECONNREFUSED);
        return;
    }
    if (!start(w)) {
        refuse_wire(w, ENOMEM);
        return;
    }
    machine_opened(w->loop->machine, w->id, &local, system_now_ms());
}

/* Either the connect has come to its end, or a full socket has room again. */
static void on_writable(void *arg, bool timed_out)
{
    struct wire *w = arg;
    struct loop *l = w->loop;
    int reason = timed_out ? ETIMEDOUT : w->opened ? 0 : socket_error(w->fd);

    machine_now(l->machine, system_now_ms());
    if (reason != 0)
        refuse_wire(w, reason);
    else if (w->opened)
        wire_flush(w);
    else
        connected(w);
    loop_turn(l);
}

void wire_dial(struct loop *l, const struct update *u)
{
    bool connecting, bind_failed;
    int fd = socket_connect(&u->u.dial.to, &u->u.dial.from, &connecting, &bind_failed);
    int reason = errno;
    struct wire *w = fd < 0 ? NULL : wire_new(l, u->conn, fd);

    if (fd < 0) {
        char text[REASON_SIZE], from[ADDR_TEXT_MAX];

        snprintf(text, sizeof text, "cannot dial from %s: %s", addr_ip_text(&u->u.dial.from, from),
                 strerror(reason));
        refuse(l, u->conn, reason, bind_failed ? text : strerror(reason));
    } else if (w == NULL) {
        close(fd);
        refuse(l, u->conn, ENOMEM, strerror(ENOMEM));
    } else {
        w->to = u->u.dial.to;
        if (!connecting)
            connected(w);
        else if (!watch_start(w->writable, u->u.dial.timeout_ms))
            refuse_wire(w, ENOMEM);
    }
}

void wire_adopt(struct loop *l, slot_id id, int fd)
{
    struct wire *w = wire_new(l, id, fd);

    if (w == NULL) {
        close(fd);
        machine_closed(l->machine, id, "out of memory", system_now_ms());
        return;
    }
    socket_tune(fd);
    if (!start(w))
        lose(w, unwatched);
}

void wire_send(struct loop *l, slot_id id)
{
    struct wire *w = find(l, id);

    /* While the socket is full, its writability will bring us back. */
    if (w != NULL && !watch_is_on(w->writable))
        wire_flush(w);
}

void wire_close(struct loop *l, slot_id id)
{
    struct wire *w = find(l, id);

    if (w != NULL)
        forget(w);
}

void wire_free_all(struct loop *l)
{
    for (size_t i = 0; i < l->n_wires; i++)
        if (l->wires[i] != NULL)
            forget(l->wires[i]);
    free(l->wires);
}
