/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_SIGNALS_H
#define NET_SIGNALS_H

#include "net/watch.h"

struct signals;

/* Signals as readiness, for programs only: this is the one part that changes the state of the whole
 * process. fn hears of SIGTERM and SIGINT, and of SIGHUP, SIGQUIT and SIGCHLD where all are asked
 * for. */
typedef void signals_fn(void *arg, int number);

/* signals_new: all, or only those that end a program. NULL, and errno, when out of memory or files.
 * signals_free drops those that wait, which were meant for what is over now. It unblocks what was
 * not blocked before; but where all were asked for, they stay blocked: the program ends, and one
 * signal more must not make that the death of a signal. */
struct signals *signals_new(struct watch_base *base, bool all, signals_fn *fn, void *arg);
void signals_free(struct signals *s);
/* signals_ignore_pipe: a peer that has gone shows as an error of the write, wherever it is made. */
void signals_ignore_pipe(void);
/* signals_restore: what a child must call before it becomes another program. */
void signals_restore(void);

/* signals_word: "SIGTERM", "SIGINT", ... */
const char *signals_word(int number);

#endif
