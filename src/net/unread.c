/* SPDX-License-Identifier: Apache-2.0
 *
 * What a peer's system has received and the peer has not read yet stands before all that comes
 * later: Linux takes up to tcp_rmem (megabytes), and a BEAM that is given a large message needs as
 * long for that as for all else. So parts of large messages wait while much lies there. How much it
 * is, the peer's window shows: by so much it is narrower than it was when it was widest.
 */
#include "net/socket.h"
#include "net/system.h"
#include "net/wire.h"

/* How often it is looked: after so many bytes; and while they wait. */
#define LOOK_BYTES (256u << 10)
#define LOOK_MS    1
/* May lie there: half as much again as the peer has read between two looks, within these bounds. */
#define UNREAD_LEAST (128u << 10)
#define UNREAD_MOST  (1u << 20)
/* A window may not become so wide any more as it was once. When it does not widen at all, that much
 * of the difference is believed to be no bytes: with a peer that stands still, too, all goes to the
 * system in the end. */
#define DISBELIEF 16

static void look(struct wire *w)
{
    size_t window, before = w->unread;

    w->unlooked = 0;
    w->unread = 0;
    if (!socket_peer_window(w->fd, &window))
        return;
    if (window > w->widest)
        w->widest = window;
    w->unread = w->widest - window;
    if (!list_empty(&w->full) && w->unread >= before)
        w->widest -= w->unread / DISBELIEF;
}

static size_t half_as_much_again(size_t n)
{
    return (size_t)min_u64(n + n / 2, UNREAD_MOST);
}

static bool is_much(const struct wire *w)
{
    return w->unread > max_u64(w->limit, UNREAD_LEAST);
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
        size_t before = w->unread;

        look(w);
        w->limit = half_as_much_again(before - (size_t)min_u64(before, w->unread));
        list_remove(&w->full);
        if (is_much(w))
            list_append(&l->full, &w->full);
        else
            wire_flush(w);
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
    return true;
}

void unread_sent(struct wire *w, size_t n)
{
    w->unlooked += n;
}

bool unread_allows(struct wire *w)
{
    if (!list_empty(&w->full))
        return false;
    if (w->unlooked < LOOK_BYTES)
        return true;
    look(w);
    return !is_much(w) || !begin_to_wait(w);
}
