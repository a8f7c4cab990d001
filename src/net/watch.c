/* SPDX-License-Identifier: Apache-2.0 */
#include "net/watch.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

struct watch {
    struct event event;
    watch_fn *fn;
    void *arg;
};

static const short flags[] = {
    [WATCH_TIMER] = 0,
    [WATCH_READ] = EV_READ | EV_PERSIST,
    [WATCH_WRITE] = EV_WRITE,
};

/* libevent ends the whole program, in its own words, where its epoll or its pair of descriptors for
 * signals cannot be had. So they are had here first. */
static bool has_files(void)
{
    int fds[3] = {epoll_create1(EPOLL_CLOEXEC), -1, -1};
    bool all = fds[0] >= 0 && pipe(fds + 1) == 0;

    for (size_t i = 0; i < COUNT(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return all;
}

struct event_base *watch_base_new(void)
{
    struct event_config *config = has_files() ? event_config_new() : NULL;

    if (config == NULL)
        return NULL;
    /* One thread; and the environment has no say in which system call waits. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    struct event_base *base = event_base_new_with_config(config);

    event_config_free(config);
    return base;
}

void watch_base_free(struct event_base *base)
{
    event_base_free(base);
}

void watch_base_run(struct event_base *base)
{
    event_base_dispatch(base);
}

void watch_base_step(struct event_base *base, bool wait)
{
    event_base_loop(base, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
}

void watch_base_break(struct event_base *base)
{
    event_base_loopbreak(base);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    (void)fd;
    w->fn(w->arg, (what & EV_TIMEOUT) != 0);
}

struct watch *watch_new(struct event_base *base, enum watch_kind kind, int fd, watch_fn *fn,
                        void *arg)
{
    struct watch *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->fn = fn;
    w->arg = arg;
    event_assign(&w->event, base, fd, flags[kind], on_event, w);
    return w;
}

void watch_free(struct watch *w)
{
    if (w == NULL)
        return;
    event_del(&w->event);
    free(w);
}

bool watch_start(struct watch *w, uint64_t timeout_ms)
{
    struct timeval tv = {(time_t)(timeout_ms / 1000), (suseconds_t)(timeout_ms % 1000 * 1000)};

    return event_add(&w->event, timeout_ms == NEVER ? NULL : &tv) == 0;
}

void watch_stop(struct watch *w)
{
    event_del(&w->event);
}

bool watch_is_on(const struct watch *w)
{
    return event_pending(&w->event, EV_READ | EV_WRITE | EV_TIMEOUT, NULL) != 0;
}
