/* SPDX-License-Identifier: Apache-2.0 */
#include "net/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/list.h"
#include "net/mirror.h"
#include "net/system.h"

struct watch_base {
    struct event_base *events;
    struct list watches;
    struct mirror *mirror; /* NULL: nobody else waits for us */
    unsigned n_borrowed;   /* by what watches descriptors by itself */
};

struct watch {
    struct event event;
    enum watch_kind kind;
    watch_fn *fn;
    void *arg;
    struct watch_base *base;
    struct list of_base;
    uint64_t until_ms; /* NEVER: no limit */
    struct mirrored mirrored;
};

static const struct {
    short event;
    uint32_t epoll;
} flags[] = {
    [WATCH_TIMER] = {0, 0},
    [WATCH_ALARM] = {EV_READ | EV_PERSIST, EPOLLIN},
    [WATCH_READ] = {EV_READ | EV_PERSIST, EPOLLIN},
    [WATCH_WRITE] = {EV_WRITE, EPOLLOUT},
};

/* ---- the base ---- */

/* libevent ends the whole program, in its own words, where its epoll or its pair of descriptors for
 * signals cannot be had. So they are had here first. */
static bool has_files(void)
{
    int fds[3] = {epoll_create1(EPOLL_CLOEXEC), -1, -1};
    bool all = fds[0] >= 0 && pipe2(fds + 1, O_CLOEXEC) == 0;

    for (size_t i = 0; i < COUNT(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return all;
}

static struct event_base *events_new(void)
{
    struct event_config *config = has_files() ? event_config_new() : NULL;

    if (config == NULL)
        return NULL;
    /* One thread; and the environment has no say in which system call waits. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    struct event_base *events = event_base_new_with_config(config);

    event_config_free(config);
    return events;
}

struct watch_base *watch_base_new(void)
{
    struct watch_base *base = calloc(1, sizeof *base);

    if (base == NULL)
        return NULL;
    list_init(&base->watches);
    base->events = events_new();
    if (base->events == NULL) {
        free(base);
        return NULL;
    }
    return base;
}

void watch_base_free(struct watch_base *base)
{
    event_base_free(base->events);
    mirror_free(base->mirror);
    free(base);
}

struct event_base *watch_base_events(struct watch_base *base)
{
    return base->events;
}

void watch_base_borrow(struct watch_base *base)
{
    base->n_borrowed++;
}

void watch_base_return(struct watch_base *base)
{
    base->n_borrowed--;
}

void watch_base_run(struct watch_base *base)
{
    event_base_dispatch(base->events);
}

void watch_base_step(struct watch_base *base, bool wait)
{
    /* EVLOOP_NONBLOCK alone goes on for as long as there is something to do. */
    event_base_loop(base->events, wait ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK);
    if (base->mirror != NULL)
        mirror_arm(base->mirror, base->n_borrowed > 0);
}

void watch_base_break(struct watch_base *base)
{
    event_base_loopbreak(base->events);
}

/* ---- for loops of others ---- */

static void show(struct watch *w)
{
    if (w->base->mirror != NULL)
        mirror_put(w->base->mirror, &w->mirrored, w->until_ms);
}

static void hide(struct watch *w)
{
    if (w->base->mirror != NULL)
        mirror_take(w->base->mirror, &w->mirrored);
}

int watch_base_fd(struct watch_base *base)
{
    if (base->mirror != NULL)
        return mirror_fd(base->mirror);
    base->mirror = mirror_new();
    if (base->mirror == NULL)
        return -1;
    for (struct list *at = base->watches.next; at != &base->watches; at = at->next) {
        struct watch *w = CONTAINER_OF(at, struct watch, of_base);

        if (watch_is_on(w))
            show(w);
    }
    mirror_arm(base->mirror, base->n_borrowed > 0);
    return mirror_fd(base->mirror);
}

/* ---- alarms ---- */

/* A wait with a timeout makes the kernel set a timer and take it back each time: a tenth of a
 * microsecond, of the three that a wait, a read and a write take. One by descriptor stays set. */

static int alarm_open(void)
{
    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

static void alarm_set(int fd, uint64_t timeout_ms)
{
    struct itimerspec when = {
        .it_value = {(time_t)(timeout_ms / 1000), (long)(timeout_ms % 1000 * 1000000)}};

    if (timeout_ms == 0)
        when.it_value.tv_nsec = 1; /* zero would stop it */
    timerfd_settime(fd, 0, &when, NULL);
}

static void alarm_passed(int fd)
{
    uint64_t times;
    ssize_t n = read(fd, &times, sizeof times);

    (void)n;
}

/* ---- one watch ---- */

/* libevent forgets that a descriptor is ready where its time is over, too: we were stopped. */
static bool is_in_time(const struct watch *w, int fd, short what)
{
    struct pollfd poll_fd = {.fd = fd, .events = (short)flags[w->kind].epoll};

    return (what & EV_TIMEOUT) == 0 || (fd >= 0 && poll(&poll_fd, 1, 0) > 0);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    if (w->kind == WATCH_ALARM)
        alarm_passed(fd);
    if ((w->event.ev_events & EV_PERSIST) == 0)
        hide(w);
    w->fn(w->arg, w->kind == WATCH_ALARM || !is_in_time(w, fd, what));
}

struct watch *watch_new(struct watch_base *base, enum watch_kind kind, int fd, watch_fn *fn,
                        void *arg)
{
    struct watch *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    if (kind == WATCH_ALARM && (fd = alarm_open()) < 0) {
        free(w);
        return NULL;
    }
    w->kind = kind;
    w->fn = fn;
    w->arg = arg;
    w->base = base;
    w->until_ms = NEVER;
    w->mirrored = (struct mirrored){.fd = fd, .events = flags[kind].epoll};
    list_append(&base->watches, &w->of_base);
    event_assign(&w->event, base->events, fd, flags[kind].event, on_event, w);
    return w;
}

void watch_free(struct watch *w)
{
    if (w == NULL)
        return;
    watch_stop(w);
    list_remove(&w->of_base);
    if (w->kind == WATCH_ALARM)
        close(event_get_fd(&w->event));
    free(w);
}

static bool add(struct watch *w, uint64_t timeout_ms)
{
    struct timeval tv = {(time_t)(timeout_ms / 1000), (suseconds_t)(timeout_ms % 1000 * 1000)};

    return event_add(&w->event, timeout_ms == NEVER ? NULL : &tv) == 0;
}

bool watch_start(struct watch *w, uint64_t timeout_ms)
{
    if (w->kind == WATCH_ALARM) {
        alarm_set(event_get_fd(&w->event), timeout_ms);
        timeout_ms = NEVER;
    }
    if (!add(w, timeout_ms))
        return false;
    w->until_ms = timeout_ms == NEVER ? NEVER : system_now_ms() + timeout_ms;
    show(w);
    return true;
}

void watch_stop(struct watch *w)
{
    event_del(&w->event);
    hide(w);
}

bool watch_is_on(const struct watch *w)
{
    return event_pending(&w->event, EV_READ | EV_WRITE | EV_TIMEOUT, NULL) != 0;
}
