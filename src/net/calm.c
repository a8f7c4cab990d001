/* SPDX-License-Identifier: Apache-2.0
 *
 * Who sends much in small pieces is read by and by.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/system.h"
#include "net/wire.h"

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

/* How much TCP lets the peer send ahead of us; what TCP finds right is never as much as the last.
 */
#define WINDOW_FREE (1 << 30)

static void clamp(struct wire *w, int bytes)
{
    (void)setsockopt(w->fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &bytes, sizeof bytes);
}

bool calm_leave(struct wire *w)
{
    w->n_small = 0;
    if (list_empty(&w->calm))
        return false;
    list_remove(&w->calm);
    clamp(w, WINDOW_FREE);
    return true;
}

/* Where it cannot be watched it stays as it is. */
void calm_end(struct wire *w)
{
    if (list_empty(&w->calm))
        w->n_small = 0;
    else if (watch_start(w->readable, NEVER))
        calm_leave(w);
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

void calm_note(struct wire *w, ssize_t n, uint64_t now_us)
{
    if (n >= CALM_SMALL || wire_is_paused(w)) {
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
        n = wire_take(w, now_us);
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
