/* SPDX-License-Identifier: Apache-2.0
 *
 * We hold a reference of every bufferevent that evhttp works with, so that its descriptor stays the
 * visitor's until we have looked. evhttp takes its functions off a bufferevent when it is done with
 * it; that is how we see who has gone.
 */
#include "net/visitors.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "net/system.h"

/* Bytes that may wait unread: evhttp reads on, without a look, while it sends a reply. */
#define UNREAD_MAX (64u << 10)
/* How often we look who has gone and who takes too long. */
#define SWEEP_MS 250

struct visitor {
    struct list list;
    struct bufferevent *bev;
    uint64_t deadline_ms;
};

static bool has_gone(const struct visitor *v)
{
    bufferevent_event_cb on_error = NULL;

    bufferevent_getcb(v->bev, NULL, NULL, &on_error, NULL);
    return on_error == NULL;
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
            /* evhttp sees the end of the stream, and ends what it has of it. */
            shutdown(bufferevent_getfd(v->bev), SHUT_RDWR);
    }
}

static void on_timer(void *arg, bool timed_out)
{
    struct visitors *all = arg;

    (void)timed_out;
    sweep(all);
    tell_full(all, all->n >= all->max);
    if (all->n > 0)
        watch_start(all->timer, SWEEP_MS);
}

bool visitors_init(struct visitors *v, struct event_base *base)
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
    if (!watch_is_on(all->timer))
        watch_start(all->timer, SWEEP_MS);
    return bev;
}

void visitors_renew(struct visitors *all, const struct bufferevent *bev)
{
    for (struct list *at = all->list.next; at != &all->list; at = at->next) {
        struct visitor *v = CONTAINER_OF(at, struct visitor, list);

        if (v->bev == bev) {
            v->deadline_ms = system_now_ms() + all->patience_ms;
            return;
        }
    }
}
