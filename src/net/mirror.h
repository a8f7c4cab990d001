/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_MIRROR_H
#define NET_MIRROR_H

#include "base/heap.h"

/* One descriptor for all that a base waits for, so that a loop of somebody else's can wait for it:
 * libevent keeps its own epoll to itself. An epoll with the same descriptors in it, and a timer for
 * the soonest deadline; only bases that were asked for one pay for it. */
struct mirror;

/* What one watch waits for. A zeroed one waits for nothing. */
struct mirrored {
    int fd;
    uint32_t events; /* EPOLLIN or EPOLLOUT; 0 for a timer */
    bool on;
    struct heap_item due;
};

/* mirror_new: NULL, and errno, when the system has no descriptor or memory. */
struct mirror *mirror_new(void);
void mirror_free(struct mirror *m);
int mirror_fd(const struct mirror *m);
/* mirror_put: it waits from now on, until at_ms (NEVER: for ever). mirror_take: not any more. What
 * the system has no room for is looked at every few milliseconds instead. */
void mirror_put(struct mirror *m, struct mirrored *w, uint64_t at_ms);
void mirror_take(struct mirror *m, struct mirrored *w);
/* mirror_arm: sets the timer: to be called before others wait. look: something is to be looked at
 * that the mirror does not know of. */
void mirror_arm(struct mirror *m, bool look);

#endif
