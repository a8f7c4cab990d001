/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_VISITORS_H
#define NET_VISITORS_H

#include "base/list.h"
#include "net/watch.h"

/* The connections of an HTTP server: how many there are, and how long each may still take. evhttp
 * itself counts nothing, and its timeouts are of silence, which a byte now and then breaks. */
struct bufferevent;

struct visitors {
    struct watch_base *base;
    struct watch *timer;
    struct list list;
    /* From `crowd` on whoever comes costs another his place; at `max` nobody more may come. */
    size_t n, crowd, max;
    size_t owed_max;      /* bytes of answers that may wait for slow readers, all together */
    uint64_t patience_ms; /* for a request and its answer */
    /* Told when the house is full, and when there is room again. */
    void (*full)(void *arg, bool full);
    /* Told once when visitors are sent away for others, and again only after a calm. NULL: nobody.
     */
    void (*crowded)(void *arg, const char *reason);
    void *arg;
    bool is_full, is_crowded;
};

/* visitors_init: false when out of memory; visitors_fini takes a half-made one. */
bool visitors_init(struct visitors *v, struct watch_base *base);
void visitors_fini(struct visitors *v);
/* visitors_add: the bufferevent of a connection to come, in the shape that evhttp_set_bevcb wants.
 */
struct bufferevent *visitors_add(struct event_base *base, void *arg);
/* visitors_renew: its request has arrived whole; the time for its answer begins. */
void visitors_renew(struct visitors *all, const struct bufferevent *bev);
/* visitors_owe: its answer, of len bytes, waits to be sent. When that is too much for all together,
 * those who have read longest are sent away, never this one. */
void visitors_owe(struct visitors *all, const struct bufferevent *bev, size_t len);

#endif
