/* SPDX-License-Identifier: Apache-2.0
 *
 * We hold a reference of every bufferevent that evhttp works with, so that its descriptor stays the
 * visitor's until we have looked. evhttp takes its functions off a bufferevent when it is done with
 * it; that is how we see who has gone.
 */
#include "net/visitors.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "net/system.h"

/* Bytes that may wait unread: evhttp reads on, without a look, while it sends a reply. */
#define UNREAD_MAX (64u << 10)
/* How often we look who has gone and who takes too long. */
#define SWEEP_MS 250
/* The same while the house is full: who was sent away is gone within one turn of the loop. */
#define FULL_SWEEP_MS 10

struct visitor {
    struct list list; /* in the order of their coming */
    struct bufferevent *bev;
    uint64_t deadline_ms;
    size_t answer_len;
    bool has_asked;    /* a whole request */
    bool is_sent_away; /* evhttp has yet to see it */
};

static bool has_gone(const struct visitor *v)
{
    bufferevent_event_cb on_error = NULL;

    bufferevent_getcb(v->bev, NULL, NULL, &on_error, NULL);
    return on_error == NULL;
}

/* evhttp sees the end of the stream, and ends what it has of it. */
static void send_away(struct visitor *v)
{
    shutdown(bufferevent_getfd(v->bev), SHUT_RDWR);
    v->is_sent_away = true;
}

/* Bytes that stay in memory for it: a body stays whole until its last byte is sent. */
static size_t owed(const struct visitor *v)
{
    bool is_done = v->is_sent_away || evbuffer_get_length(bufferevent_get_output(v->bev)) == 0;

    return is_done ? 0 : v->answer_len;
}

static void release(struct visitors *all, struct visitor *v)
{
    list_remove(&v->list);
    all->n--;
    bufferevent_decref(v->bev);
    free(v);
}

static void tell_full(struct visitors *all, bool full)
{
    if (full == all->is_full)
        return;
    all->is_full = full;
    all->full(all->arg, full);
}

static size_t owed_to_all(const struct visitors *all)
{
    size_t sum = 0;

    for (struct list *at = all->list.next; at != &all->list; at = at->next)
        sum += owed(CONTAINER_OF(at, struct visitor, list));
    return sum;
}

/* Well below the limits: at them one visitor more or less would tell it over and over. */
static bool is_calm(const struct visitors *all)
{
    return all->n <= all->crowd / 2 && owed_to_all(all) <= all->owed_max / 2;
}

static void sweep(struct visitors *all)
{
    uint64_t now_ms = system_now_ms();
    struct list *next;

    for (struct list *at = all->list.next; at != &all->list; at = next) {
        struct visitor *v = CONTAINER_OF(at, struct visitor, list);

        next = at->next;
        if (has_gone(v))
            release(all, v);
        else if (now_ms >= v->deadline_ms)
            send_away(v);
    }
    if (is_calm(all))
        all->is_crowded = false;
}

static void tell_crowded(struct visitors *all, const char *reason)
{
    if (all->is_crowded)
        return;
    all->is_crowded = true;
    if (all->crowded != NULL)
        all->crowded(all->arg, reason);
}

/* Who is missed least: who never asked, then who has had his answer, then who still reads. */
static unsigned claim(const struct visitor *v)
{
    return !v->has_asked ? 0 : owed(v) == 0 ? 1 : 2;
}

/* Of those missed least the one who came first. */
static struct visitor *least_missed(const struct visitors *all)
{
    struct visitor *least = NULL;

    for (struct list *at = all->list.next; at != &all->list; at = at->next) {
        struct visitor *v = CONTAINER_OF(at, struct visitor, list);

        if (!v->is_sent_away && (least == NULL || claim(v) < claim(least)))
            least = v;
    }
    return least;
}

static size_t count_staying(const struct visitors *all)
{
    size_t n = 0;

    for (struct list *at = all->list.next; at != &all->list; at = at->next)
        n += !CONTAINER_OF(at, struct visitor, list)->is_sent_away;
    return n;
}

/* Without this, as many idle connections as we allow would keep the probes of a pod out. */
static void make_room(struct visitors *all)
{
    if (count_staying(all) < all->crowd)
        return;
    struct visitor *v = least_missed(all);

    if (v != NULL)
        send_away(v);
    tell_crowded(all, "too many connections; the oldest idle ones are closed");
}

static void on_timer(void *arg, bool timed_out)
{
    struct visitors *all = arg;

    (void)timed_out;
    sweep(all);
    tell_full(all, all->n >= all->max);
    if (all->n > 0)
        watch_start(all->timer, all->is_full ? FULL_SWEEP_MS : SWEEP_MS);
}

bool visitors_init(struct visitors *v, struct watch_base *base)
{
    list_init(&v->list);
    v->base = base;
    v->timer = watch_new(base, WATCH_TIMER, -1, on_timer, v);
    return v->timer != NULL;
}

void visitors_fini(struct visitors *v)
{
    if (v->list.next == NULL)
        return;
    while (!list_empty(&v->list))
        release(v, CONTAINER_OF(v->list.next, struct visitor, list));
    watch_free(v->timer);
    v->timer = NULL;
}

struct bufferevent *visitors_add(struct event_base *base, void *arg)
{
    struct visitors *all = arg;

    sweep(all);
    make_room(all);
    struct visitor *v = calloc(1, sizeof *v);
    struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

    if (v == NULL || bev == NULL) {
        free(v);
        /* Without one, evhttp makes its own, which only its own timeouts watch. */
        return bev;
    }
    bufferevent_setwatermark(bev, EV_READ, 0, UNREAD_MAX);
    bufferevent_incref(bev);
    v->bev = bev;
    v->deadline_ms = system_now_ms() + all->patience_ms;
    list_append(&all->list, &v->list);
    all->n++;
    tell_full(all, all->n >= all->max);
    if (all->is_full || !watch_is_on(all->timer))
        watch_start(all->timer, all->is_full ? FULL_SWEEP_MS : SWEEP_MS);
    return bev;
}

static struct visitor *find(const struct visitors *all, const struct bufferevent *bev)
{
    for (struct list *at = all->list.next; at != &all->list; at = at->next) {
        struct visitor *v = CONTAINER_OF(at, struct visitor, list);

        if (v->bev == bev)
            return v;
    }
    return NULL;
}

void visitors_renew(struct visitors *all, const struct bufferevent *bev)
{
    struct visitor *v = find(all, bev);

    if (v == NULL)
        return;
    v->deadline_ms = system_now_ms() + all->patience_ms;
    v->has_asked = true;
}

/* Whose answer has waited longest, this one aside. */
static struct visitor *slowest(const struct visitors *all, const struct bufferevent *but)
{
    struct visitor *slowest = NULL;

    for (struct list *at = all->list.next; at != &all->list; at = at->next) {
        struct visitor *v = CONTAINER_OF(at, struct visitor, list);

        if (v->bev != but && owed(v) > 0 &&
            (slowest == NULL || v->deadline_ms < slowest->deadline_ms))
            slowest = v;
    }
    return slowest;
}

void visitors_owe(struct visitors *all, const struct bufferevent *bev, size_t len)
{
    struct visitor *reader = find(all, bev);

    if (reader != NULL)
        reader->answer_len = len;
    while (owed_to_all(all) > all->owed_max) {
        struct visitor *v = slowest(all, bev);

        if (v == NULL)
            return;
        send_away(v);
        tell_crowded(all, "too much waits for slow readers; the slowest are closed");
    }
}
