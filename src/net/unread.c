/* SPDX-License-Identifier: Apache-2.0
 *
 * What a peer's system has received and the peer has not read yet stands before all that comes
 * later: Linux takes up to tcp_rmem (megabytes), and a BEAM that is given a large message needs as
 * long for that as for all else. So parts of large messages wait while much lies there.
 *
 * How much it is, the peer's window shows: by so much it is narrower than when it was widest. But
 * Linux tells of a window that has become wider only with the acknowledgement of something, or when
 * it is twice as wide: once all is acknowledged, what we know of it is old. So one write goes out
 * then, small beside what has been read meanwhile or, where nothing has, is not acknowledged soon.
 */
#include "net/socket.h"
#include "net/system.h"
#include "net/wire.h"

/* How often it is looked: after so many bytes; and while they wait. */
#define LOOK_BYTES (256u << 10)
#define LOOK_MS    1
/* May lie there: half as much again as the peer reads from look to look, within these bounds, and
 * half of its window. */
#define UNREAD_LEAST (128u << 10)
#define UNREAD_MOST  (4u << 20)
#define RATE_MOST    (UNREAD_MOST / 3 * 2)
/* Before it is known. */
#define RATE_FIRST (256u << 10)
/* A probe goes out when the peer must have read enough by now, or after so many looks. */
#define PROBE_LOOKS 8
/* A window may not become so wide any more as it was once: of what is believed to lie there, that
 * much is believed to be no bytes, each time that more is learnt. */
#define DISBELIEF 32

static bool waits(const struct wire *w)
{
    return !list_empty(&w->full);
}

static size_t limit(const struct wire *w)
{
    return (size_t)max_u64(min_u64(w->rate + w->rate / 2, w->widest / 2), UNREAD_LEAST);
}

/* Not less than lies there: it may have read since. Where nothing is told, nothing lies there. */
static struct socket_window look(struct wire *w)
{
    struct socket_window window;

    w->unlooked = 0;
    if (!socket_window(w->fd, &window))
        window = (struct socket_window){w->widest, false};
    if (window.bytes > w->widest)
        w->widest = window.bytes;
    w->unread = w->widest - window.bytes;
    return window;
}

/* Who had read all but the probe may have had nothing to read for a part of the time. */
static void learn(struct wire *w, size_t probe)
{
    size_t read = w->to_read - (size_t)min_u64(w->to_read, w->unread);
    uint64_t rate = read / max_u64(w->n_looks, 1);

    if (w->unread <= probe)
        rate = max_u64(rate, 2 * w->rate);
    w->rate = (size_t)min_u64(rate, RATE_MOST);
    w->widest -= w->unread / DISBELIEF;
    w->unread -= w->unread / DISBELIEF;
    w->to_read = w->unread;
    w->n_looks = 0;
}

static bool is_due(const struct wire *w)
{
    uint64_t read = (uint64_t)w->rate * w->n_looks;

    return w->n_looks >= PROBE_LOOKS || w->to_read <= limit(w) + read;
}

static bool has_pending(struct wire *w)
{
    struct iovec piece;

    return machine_pending(w->loop->machine, w->id, true, &piece, 1) > 0;
}

/* The wire may be gone then. */
static void look_again(struct wire *w)
{
    struct socket_window window = look(w);

    w->n_looks++;
    if (!has_pending(w)) {
        list_remove(&w->full);
        return;
    }
    if (w->unread <= limit(w)) {
        learn(w, 0);
        list_remove(&w->full);
    } else if (window.is_settled && is_due(w)) {
        w->probe = PROBE_GOES;
    } else {
        return;
    }
    wire_flush(w);
}

static void on_look(void *arg, bool timed_out)
{
    struct loop *l = arg;
    struct list all;

    (void)timed_out;
    machine_now(l->machine, system_now_ms());
    list_take(&all, &l->full);
    while (!list_empty(&all)) {
        struct wire *w = CONTAINER_OF(all.next, struct wire, full);

        list_remove(&w->full);
        list_append(&l->full, &w->full);
        look_again(w);
    }
    if (!list_empty(&l->full))
        watch_start(l->looker, LOOK_MS);
    loop_turn(l);
}

/* Without an alarm nothing waits. */
static bool begin_to_wait(struct wire *w)
{
    struct loop *l = w->loop;

    if (l->looker == NULL)
        l->looker = watch_new(l->base, WATCH_ALARM, -1, on_look, l);
    if (l->looker == NULL || (list_empty(&l->full) && !watch_start(l->looker, LOOK_MS)))
        return false;
    list_append(&l->full, &w->full);
    w->to_read = w->unread;
    w->n_looks = 0;
    w->probe = NO_PROBE;
    return true;
}

void unread_begin(struct wire *w)
{
    list_init(&w->full);
    w->rate = RATE_FIRST;
}

void unread_sent(struct wire *w, size_t n)
{
    w->unlooked += n;
    w->to_read += n;
}

/* The answer to a probe is there as soon as it is sent, or what has no answer lies there. */
static bool probe_allows(struct wire *w)
{
    size_t sent = w->unlooked;

    if (w->probe == PROBE_GOES) {
        w->probe = PROBE_WENT;
        return true;
    }
    if (w->probe == NO_PROBE || sent == 0)
        return false;
    w->probe = NO_PROBE;
    look(w);
    learn(w, sent);
    if (w->unread > limit(w))
        return false;
    list_remove(&w->full);
    return true;
}

bool unread_allows(struct wire *w)
{
    if (waits(w))
        return probe_allows(w);
    if (w->unlooked < LOOK_BYTES)
        return true;
    look(w);
    return w->unread <= limit(w) || !begin_to_wait(w);
}
