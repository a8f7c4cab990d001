/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaving: what was queued before is written; then no link says anything any more, all in one step,
 * and each peer closes its end when it has read so far. If we closed them first, what a peer writes
 * meanwhile would reset its end, and a BEAM forgets then what it has not read yet.
 */
#include <sys/socket.h>

#include <erlclu/node.h>

#include "net/system.h"
#include "net/wire.h"

/* Nobody tells when the last of them has closed. */
#define LOOK_MS 1

/* The next link from *at on; NULL: there is none. */
static const struct wire *next_link(const struct loop *l, size_t *at)
{
    while (*at < l->n_wires) {
        const struct wire *w = l->wires[(*at)++];

        if (w != NULL && machine_is_link(l->machine, w->id))
            return w;
    }
    return NULL;
}

static bool has_links(const struct loop *l)
{
    size_t at = 0;

    return next_link(l, &at) != NULL;
}

static bool is_written(const struct loop *l)
{
    const struct wire *w;
    struct iovec iov;
    size_t at = 0;

    while ((w = next_link(l, &at)) != NULL)
        if (machine_pending(l->machine, w->id, true, &iov, 1) > 0)
            return false;
    return true;
}

static void end_writing(struct loop *l)
{
    const struct wire *w;
    size_t at = 0;

    while ((w = next_link(l, &at)) != NULL)
        (void)shutdown(w->fd, SHUT_WR);
    l->silent = true;
}

/* Without memory for the timer nothing is waited for. */
static void look(struct loop *l)
{
    if (!l->silent && is_written(l))
        end_writing(l);
    bool waits = l->leaver != NULL && system_now_ms() < l->leave_ms && has_links(l);

    if (!waits || !watch_start(l->leaver, LOOK_MS))
        l->hooks.left(l->hooks.arg);
}

static void on_look(void *arg, bool timed_out)
{
    (void)timed_out;
    look(arg);
}

void loop_leave(struct loop *l)
{
    if (l->over)
        return;
    if (l->leaver != NULL) {
        watch_stop(l->leaver);
        l->hooks.left(l->hooks.arg);
        return;
    }
    l->leave_ms = system_now_ms() + CLU_STOP_MS;
    l->leaver = watch_new(l->base, WATCH_TIMER, -1, on_look, l);
    machine_leave(l->machine, system_now_ms());
    loop_turn(l);
    if (!l->over)
        look(l);
}
