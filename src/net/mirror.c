/* SPDX-License-Identifier: Apache-2.0 */
#include "net/mirror.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "net/system.h"

/* How often to look where the system took no descriptor more. */
#define LOOK_MS 10

/* How many watches of one descriptor want what. */
struct wants {
    uint8_t in, out;
};

struct mirror {
    int epoll, timer;
    struct wants *wants; /* by descriptor */
    size_t n;
    struct heap due;
    uint64_t soonest_ms, armed_ms; /* of the heap; of the timer */
    bool short_of_room;            /* not all that is waited for is in the epoll, or in the heap */
};

struct mirror *mirror_new(void)
{
    struct mirror *m = calloc(1, sizeof *m);
    struct epoll_event readable = {.events = EPOLLIN};

    if (m == NULL)
        return NULL;
    m->soonest_ms = m->armed_ms = NEVER;
    m->epoll = epoll_create1(EPOLL_CLOEXEC);
    m->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (m->epoll < 0 || m->timer < 0 ||
        epoll_ctl(m->epoll, EPOLL_CTL_ADD, m->timer, &readable) != 0) {
        mirror_free(m);
        return NULL;
    }
    return m;
}

void mirror_free(struct mirror *m)
{
    if (m == NULL)
        return;
    if (m->epoll >= 0)
        close(m->epoll);
    if (m->timer >= 0)
        close(m->timer);
    heap_free(&m->due);
    free(m->wants);
    free(m);
}

int mirror_fd(const struct mirror *m)
{
    return m->epoll;
}

static struct wants *wants_of(struct mirror *m, int fd)
{
    size_t i = (size_t)fd, n = m->n == 0 ? 64 : m->n;

    if (i < m->n)
        return &m->wants[i];
    while (n <= i)
        n *= 2;
    struct wants *wants = reallocarray(m->wants, n, sizeof *wants);

    if (wants == NULL)
        return NULL;
    memset(wants + m->n, 0, (n - m->n) * sizeof *wants);
    m->wants = wants;
    m->n = n;
    return &m->wants[i];
}

static uint32_t events_of(const struct wants *w)
{
    return (w->in > 0 ? EPOLLIN : 0u) | (w->out > 0 ? EPOLLOUT : 0u);
}

static void tell_epoll(struct mirror *m, int fd, uint32_t before, uint32_t now)
{
    struct epoll_event event = {.events = now};
    int how = before == 0 ? EPOLL_CTL_ADD : now == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;

    if (before != now && epoll_ctl(m->epoll, how, fd, &event) != 0 && now != 0)
        m->short_of_room = true;
}

static void count(struct mirror *m, const struct mirrored *w, bool more)
{
    struct wants *wants = w->events == 0 ? NULL : wants_of(m, w->fd);

    if (wants == NULL) {
        m->short_of_room |= w->events != 0;
        return;
    }
    uint32_t before = events_of(wants);
    uint8_t *n = w->events == EPOLLIN ? &wants->in : &wants->out;

    *n = (uint8_t)(more ? *n + 1 : *n - 1);
    tell_epoll(m, w->fd, before, events_of(wants));
}

void mirror_put(struct mirror *m, struct mirrored *w, uint64_t at_ms)
{
    if (heap_set(&m->due, &w->due, at_ms) != CLU_OK)
        m->short_of_room = true;
    if (!w->on)
        count(m, w, true);
    w->on = true;
}

void mirror_take(struct mirror *m, struct mirrored *w)
{
    heap_remove(&m->due, &w->due);
    if (w->on)
        count(m, w, false);
    w->on = false;
}

/* libevent's clock is a coarse one, which lags by some milliseconds: what is due by ours may not be
 * by its own. It is looked at again then, and not at once. */
static uint64_t soonest(struct mirror *m, uint64_t now_ms)
{
    uint64_t at = heap_next(&m->due);
    bool again = at == m->soonest_ms && at <= now_ms;

    m->soonest_ms = at;
    return again ? now_ms + 1 : at;
}

void mirror_arm(struct mirror *m, bool look)
{
    uint64_t now = system_now_ms(), at = soonest(m, now);
    struct itimerspec when = {0};

    if (look || m->short_of_room)
        at = min_u64(at, now + LOOK_MS);
    if (at == m->armed_ms)
        return;
    m->armed_ms = at;
    if (at != NEVER) {
        /* Zero would stop it. */
        when.it_value.tv_sec = (time_t)(at / 1000);
        when.it_value.tv_nsec = (long)(at % 1000 * 1000000) + 1;
    }
    timerfd_settime(m->timer, TFD_TIMER_ABSTIME, &when, NULL);
}
