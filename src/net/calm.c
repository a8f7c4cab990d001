/* SPDX-License-Identifier: Apache-2.0
 *
 * Who sends much is read by and by.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/socket.h"
#include "net/system.h"
#include "net/wire.h"

/* Each read costs the peer a wake-up and both a turn; and a BEAM writes every message by itself as
 * long as the socket takes it, but many at once when it had to wait. So after CALM_READS reads in a
 * row, with nothing sent in between, it is looked at every CALM_PAUSE_MS, until little has come
 * meanwhile or something is sent to it.
 *
 * Small pieces: reads of less than CALM_SMALL bytes, all within CALM_WITHIN_US. It is not read
 * between two looks, with CALM_WINDOW bytes of room until then; until less than CALM_LEAST bytes
 * have come, or so many that the reads would be large anyway. */
#define CALM_READS     32
#define CALM_SMALL     4096
#define CALM_WITHIN_US 1000
#define CALM_PAUSE_MS  1
#define CALM_WINDOW    131072
#define CALM_LEAST     2048
#define CALM_MOST      (256u << 10)

/* Large ones: half of the reads or more, all within PILE_WITHIN_US; but not where more than
 * PILE_MESSAGES come with each, since so many are sent at once already. Between two looks it is
 * read when PILE_BYTES lie there, with room for PILE_ROOM; until less than PILE_LEAST have come.
 * From a BEAM that room is all there is, so that it must wait and writes many at once; unless it is
 * so far away that this would hold up what is on its way, PILE_ROOM in PILE_NEAR_US being 2 GB/s.
 * From our own kind there is as much as before at least: it needs no such help, and takes a window
 * that shrinks for bytes that are not read (unread.c). */
#define PILE_WITHIN_US 3000
#define PILE_MESSAGES  16
#define PILE_BYTES     131072
#define PILE_ROOM      (512 << 10)
#define PILE_NEAR_US   250
#define PILE_LEAST     65536

/* How much TCP lets the peer send ahead of us; what TCP finds right is never as much as the last.
 */
#define WINDOW_FREE (1 << 30)

static void clamp(struct wire *w, int bytes)
{
    (void)setsockopt(w->fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &bytes, sizeof bytes);
}

/* From how many bytes on it is readable. Linux makes room for them, and lets the peer send no more.
 */
static void low_water(struct wire *w, int bytes)
{
    (void)setsockopt(w->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

/* Once it has said what it is, which may stand behind much else. */
static void have_it_wait(struct wire *w)
{
    if (w->judged || !machine_is_beam(w->loop->machine, w->id))
        return;
    w->judged = true;
    if (socket_trip_us(w->fd) <= PILE_NEAR_US)
        clamp(w, PILE_ROOM);
}

static void pile_up(struct wire *w)
{
    low_water(w, PILE_ROOM);
    low_water(w, PILE_BYTES);
    clamp(w, WINDOW_FREE);
    have_it_wait(w);
}

bool calm_leave(struct wire *w)
{
    w->small.n = w->any.n = 0;
    if (list_empty(&w->calm))
        return false;
    list_remove(&w->calm);
    if (w->piled)
        low_water(w, 1);
    clamp(w, WINDOW_FREE);
    w->piled = w->judged = false;
    return true;
}

/* Where it cannot be watched it stays as it is. */
void calm_end(struct wire *w)
{
    if (list_empty(&w->calm))
        w->small.n = w->any.n = 0;
    else if (watch_start(w->readable, NEVER))
        calm_leave(w);
}

static void on_calm(void *arg, bool timed_out);

/* Without an alarm it is read as ever. */
static bool calm_begin(struct wire *w)
{
    struct loop *l = w->loop;

    if (l->calmer == NULL)
        l->calmer = watch_new(l->base, WATCH_ALARM, -1, on_calm, l);
    if (l->calmer == NULL || (list_empty(&l->calm) && !watch_start(l->calmer, CALM_PAUSE_MS)))
        return false;
    list_append(&l->calm, &w->calm);
    return true;
}

static void rest(struct wire *w)
{
    if (!calm_begin(w))
        return;
    watch_stop(w->readable);
    clamp(w, CALM_WINDOW);
}

static void gather(struct wire *w)
{
    if (!calm_begin(w))
        return;
    w->piled = true;
    w->n_piled = 0;
    pile_up(w);
}

/* One read more; after as many as it takes it begins anew. */
static void run_add(struct run *run, const struct wire *w, ssize_t n, uint64_t now_us)
{
    if (run->n == CALM_READS)
        run->n = 0;
    if (run->n == 0)
        *run = (struct run){.since_us = now_us, .handed = machine_handed(w->loop->machine)};
    run->n++;
    run->n_large += n >= CALM_SMALL;
}

static bool is_quick(const struct run *run, uint64_t now_us, uint64_t within_us)
{
    return run->n == CALM_READS && now_us - run->since_us <= within_us;
}

static bool is_large(const struct run *run, const struct wire *w)
{
    uint64_t handed = machine_handed(w->loop->machine) - run->handed;

    return run->n_large >= CALM_READS / 2 && handed <= (uint64_t)CALM_READS * PILE_MESSAGES;
}

static void read_on(struct wire *w, ssize_t n, uint64_t now_us)
{
    if (n < CALM_SMALL)
        run_add(&w->small, w, n, now_us);
    else
        w->small.n = 0;
    run_add(&w->any, w, n, now_us);
    if (is_quick(&w->small, now_us, CALM_WITHIN_US))
        rest(w);
    else if (is_quick(&w->any, now_us, PILE_WITHIN_US) && is_large(&w->any, w))
        gather(w);
}

void calm_note(struct wire *w, ssize_t n, uint64_t now_us)
{
    if (w->piled)
        w->n_piled += (size_t)n;
    else if (wire_is_paused(w))
        w->small.n = w->any.n = 0;
    else
        read_on(w, n, now_us);
}

/* How much has come since the last look. */
static bool is_over(struct wire *w, size_t n)
{
    if (!w->piled)
        return n < CALM_LEAST || n >= CALM_MOST;
    n += w->n_piled;
    w->n_piled = 0;
    return n < PILE_LEAST;
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
    if (n < 0)
        return;
    if (w->piled)
        have_it_wait(w);
    if (is_over(w, all))
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
