/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_WATCH_H
#define NET_WATCH_H

#include "base/base.h"

/* Readiness of a descriptor, or a moment, over libevent's events. libevent calls its own struct
 * what model calls something else, so the two never meet in one file. */
struct event_base;
struct watch_base;
struct watch;

enum watch_kind {
    WATCH_TIMER, /* calls once, when the time is over */
    WATCH_ALARM, /* the same by a descriptor of its own, which is a system call each time it is
                    started: while it waits, waiting for others costs no more than without it */
    WATCH_READ,  /* calls whenever there is something to read, until stopped */
    WATCH_WRITE, /* calls once, when there is room, or when the time is over */
};

typedef void watch_fn(void *arg, bool timed_out);

/* watch_base_new: the loop that all hang on; NULL, and errno, when the system has no
 * files or no memory for it. */
struct watch_base *watch_base_new(void);
void watch_base_free(struct watch_base *base);
/* watch_base_events: libevent's, for what is built on that. watch_base_borrow, watch_base_return:
 * something with descriptors of its own is: watch_base_fd, which cannot know them, is then readable
 * every few milliseconds. */
struct event_base *watch_base_events(struct watch_base *base);
void watch_base_borrow(struct watch_base *base);
void watch_base_return(struct watch_base *base);
/* watch_base_run: until watch_base_break, or until nothing is watched any more. */
void watch_base_run(struct watch_base *base);
/* watch_base_step: the same for what is ready; with wait, it waits until something is. */
void watch_base_step(struct watch_base *base, bool wait);
void watch_base_break(struct watch_base *base);
/* watch_base_fd: readable whenever a step without waiting has something to do; the base's own. -1,
 * and errno, when the system has none. Watches of descriptors that are closed must be stopped
 * before. */
int watch_base_fd(struct watch_base *base);

/* watch_new: not started yet; fd -1 for timers. NULL, and errno, when out of memory, or an alarm
 * out of files. watch_free may be called from the watch's own function; it leaves the descriptor
 * that it was given alone. */
struct watch *watch_new(struct watch_base *base, enum watch_kind kind, int fd, watch_fn *fn,
                        void *arg);
void watch_free(struct watch *w);
/* watch_start: begins (anew); timeout_ms NEVER for none. false when out of memory. */
bool watch_start(struct watch *w, uint64_t timeout_ms);
void watch_stop(struct watch *w);
bool watch_is_on(const struct watch *w);

#endif
