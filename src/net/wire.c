/* SPDX-License-Identifier: Apache-2.0
 *
 * The sockets of a machine's connections. Whatever ends a socket here forgets it first and tells
 * the machine then: the machine may give the id to another connection at once.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/loop_impl.h"
#include "net/socket.h"
#include "net/system.h"

/* Pieces given to one sendmsg: the queue of a link rarely has more. */
#define SEND_PIECES 16
/* Bytes that one connection may send before others have their turn, and before what has come is
 * read: 4 MiB would hold up an answer by 4 ms. */
#define SEND_TURN (256u << 10)

/* Each small read costs the peer a wake-up and both a turn; and a BEAM writes every message by
 * itself as long as the socket takes it, but many at once when it had to wait. So who sends much in
 * small pieces is read by and by, with CALM_WINDOW bytes of room until then: after CALM_READS reads
 * in a row of less than CALM_SMALL bytes, within CALM_WITHIN_US and with nothing sent in between,
 * it is looked at every CALM_PAUSE_MS; until less than CALM_LEAST bytes have come meanwhile, or so
 * many that the reads would be large anyway, or something is sent to it. */
#define CALM_READS     32
#define CALM_SMALL     4096
#define CALM_WITHIN_US 1000
#define CALM_PAUSE_MS  1
#define CALM_WINDOW    131072
#define CALM_LEAST     2048
#define CALM_MOST      (256u << 10)

struct wire {
    slot_id id;
    int fd;
    struct loop *loop;
    struct addr to;
    struct watch *readable, *writable;
    struct watch *resume; /* while it is not read; NULL: it never was not */
    bool opened;          /* accepted, or the connect has ended well */
    struct list calm;     /* in loop.calm: it is read by and by */
    unsigned n_small;     /* small reads in a row */
    uint64_t since_us;    /* the first of them */
};

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

/* How much TCP lets the peer send ahead of us; what TCP finds right is never as much as the last.
 */
#define WINDOW_FREE (1 << 30)

static void clamp(struct wire *w, int bytes)
{
    (void)setsockopt(w->fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &bytes, sizeof bytes);
}

/* Whether it was read by and by. */
static bool leave_calm(struct wire *w)
{
    w->n_small = 0;
    if (list_empty(&w->calm))
        return false;
    list_remove(&w->calm);
    clamp(w, WINDOW_FREE);
    return true;
}

static void on_resume(void *arg, bool timed_out)
{
    struct wire *w = arg;

    (void)timed_out;
    watch_start(w->readable, NEVER);
}

/* Without memory for that it is read on. */
static void pause_reading(struct wire *w, uint64_t ms)
{
    if (w->resume == NULL)
        w->resume = watch_new(w->loop->base, WATCH_TIMER, -1, on_resume, w);
    if (w->resume == NULL || !watch_start(w->resume, ms))
        return;
    leave_calm(w);
    watch_stop(w->readable);
}

static bool is_paused(const struct wire *w)
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

/* Reads once: how many bytes have come; -1: the wire is gone. */
static ssize_t take(struct wire *w, uint64_t now_us)
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

/* ---- who sends much in small pieces ---- */

static void calm_end(struct wire *w)
{
    if (leave_calm(w))
        watch_start(w->readable, NEVER);
}

static void on_calm(void *arg, bool timed_out);

/* Without an alarm it is read as ever. */
static void calm_begin(struct wire *w)
{
    struct loop *l = w->loop;

    if (l->calmer == NULL)
        l->calmer = watch_new(l->base, WATCH_ALARM, -1, on_calm, l);
    if (l->calmer == NULL || (list_empty(&l->calm) && !watch_start(l->calmer, CALM_PAUSE_MS)))
        return;
    watch_stop(w->readable);
    clamp(w, CALM_WINDOW);
    list_append(&l->calm, &w->calm);
}

static void note_read(struct wire *w, ssize_t n, uint64_t now_us)
{
    if (n >= CALM_SMALL || is_paused(w)) {
        w->n_small = 0;
        return;
    }
    if (w->n_small++ == 0)
        w->since_us = now_us;
    if (w->n_small < CALM_READS)
        return;
    w->n_small = 0;
    if (now_us - w->since_us <= CALM_WITHIN_US)
        calm_begin(w);
}

/* All that lies there; the wire may be gone then. */
static void look(struct wire *w, uint64_t now_us)
{
    size_t all = 0;
    ssize_t n;

    do {
        n = take(w, now_us);
        all += n > 0 ? (size_t)n : 0;
    } while (n >= CALM_SMALL && all < CALM_MOST && !list_empty(&w->calm));
    if (n >= 0 && (all < CALM_LEAST || all >= CALM_MOST))
        calm_end(w);
}

static void on_calm(void *arg, bool timed_out)
{
    struct loop *l = arg;
    uint64_t now = system_now_us();
    struct list all;

    (void)timed_out;
    list_take(&all, &l->calm);
    while (!list_empty(&all)) {
        struct wire *w = CONTAINER_OF(all.next, struct wire, calm);

        list_remove(&w->calm);
        list_append(&l->calm, &w->calm);
        look(w, now);
    }
    if (!list_empty(&l->calm))
        watch_start(l->calmer, CALM_PAUSE_MS);
    loop_turn(l);
}

static void on_readable(void *arg, bool timed_out)
{
    struct wire *w = arg;
    struct loop *l = w->loop;
    uint64_t now = system_now_us();
    ssize_t n = take(w, now);

    (void)timed_out;
    if (n >= 0)
        note_read(w, n, now);
    loop_turn(l);
}

/* The whole of our writing: what the machine has pending goes to the socket. */
static void flush(struct wire *w)
{
    struct loop *l = w->loop;
    size_t sent = 0;

    for (;;) {
        struct iovec iov[SEND_PIECES];
        struct msghdr msg = {.msg_iov = iov};

        msg.msg_iovlen = machine_pending(l->machine, w->id, iov, SEND_PIECES);
        if (msg.msg_iovlen == 0)
            return;
        if (sent >= SEND_TURN) {
            watch_start(w->writable, NEVER);
            return;
        }
        ssize_t n = msg.msg_iovlen == 1 ? send(w->fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL)
                                        : sendmsg(w->fd, &msg, MSG_NOSIGNAL);
        if (n >= 0) {
            sent += (size_t)n;
            calm_end(w);
            machine_sent(l->machine, w->id, (size_t)n, machine_time(l->machine));
        } else if (errno == EAGAIN) {
            watch_start(w->writable, NEVER);
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

static void start(struct wire *w)
{
    w->opened = true;
    watch_start(w->readable, NEVER);
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
    start(w);
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
        flush(w);
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
        if (connecting)
            watch_start(w->writable, u->u.dial.timeout_ms);
        else
            connected(w);
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
    start(w);
}

void wire_send(struct loop *l, slot_id id)
{
    struct wire *w = find(l, id);

    /* While the socket is full, its writability will bring us back. */
    if (w != NULL && !watch_is_on(w->writable))
        flush(w);
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
