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
/* signals_ignore_full: so does a file that may not grow (ulimit -f), as the log of a node. */
void signals_ignore_full(void);
/* signals_heed_as_first: process 1 of a container never hears a signal that it has no function for:
 * a `wait` that its pod is done with would go on until it is killed. Each ends the program from now
 * on, as it does any other process; those of signals_new are heard there. */
void signals_heed_as_first(void);
/* signals_restore: what a child must call before it becomes another program. */
void signals_restore(void);

/* signals_wait: one but SIGCHLD has come and is not heard yet, since the loop does not run. */
bool signals_wait(void);
/* signals_bury: at SIGCHLD, of a program that waits for no child of its own: whoever was started by
 * what became this program, and the orphans that process 1 of a container inherits. */
void signals_bury(void);

/* signals_word: "SIGTERM", "SIGINT", ... */
const char *signals_word(int number);

#endif
