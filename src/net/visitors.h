/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_VISITORS_H
#define NET_VISITORS_H

#include "base/list.h"
#include "net/watch.h"

/* The connections of an HTTP server: how many there are, and how long each may still take. evhttp
 * itself counts nothing, and its timeouts are of silence, which a byte now and then breaks. */
struct bufferevent;

struct visitors {
    struct event_base *base;
    struct watch *timer;
    struct list list;
    size_t n, max;
    uint64_t patience_ms; /* for a request and its answer */
    /* Told when the house is full, and when there is room again. */
    void (*full)(void *arg, bool full);
    void *arg;
    bool is_full;
};

/* visitors_init: false when out of memory; visitors_fini takes a half-made one. */
bool visitors_init(struct visitors *v, struct event_base *base);
void visitors_fini(struct visitors *v);
/* visitors_add: the bufferevent of a connection to come, in the shape that evhttp_set_bevcb wants.
 */
struct bufferevent *visitors_add(struct event_base *base, void *arg);
/* visitors_renew: its request has arrived whole; the time for its answer begins. */
void visitors_renew(struct visitors *all, const struct bufferevent *bev);

#endif
