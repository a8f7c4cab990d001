/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "mesh/machine.h"
#include "net/log.h"

struct watch_base;
struct loop;

/* What the loop hands on. Each may be NULL; all are called between two events of the machine, so
 * they may call the machine's functions. */
struct loop_hooks {
    void (*event)(void *arg, const struct event *event);
    void (*answer)(void *arg, const struct answer *answer);
    /* A DNS reply arrived (msg: the message, empty without one), before the machine hears of it. */
    void (*reply)(void *arg, enum dns_status status, clu_slice msg);
    /* Everything that one thing from outside has caused was carried out. */
    void (*turned)(void *arg);
    /* loop_leave has come to its end: stop the machine. */
    void (*left)(void *arg);
    void *arg;
};

/* loop_new: a driver of this machine (borrowed; free it after the loop). resolv (borrowed) says
 * whom to ask about names. Every event is logged, then handed on. NULL, and errno, when out of
 * memory or files. */
struct loop *loop_new(struct machine *m, const struct resolv_conf *resolv, const struct log *log,
                      const struct loop_hooks *hooks);
/* loop_free: closes what is open, without telling the machine. */
void loop_free(struct loop *l);
/* loop_tell: an event of the driver's own. */
void loop_tell(struct loop *l, const struct event *event);
/* loop_base: where other parts of the program hang their events. */
struct watch_base *loop_base(struct loop *l);
/* loop_is_resolving: a question to DNS is under way. */
bool loop_is_resolving(const struct loop *l);
/* loop_start: starts the machine. loop_run: drives it until loop_exit or an UPDATE_EXIT. The
 * status.
 */
void loop_start(struct loop *l);
int loop_run(struct loop *l);
/* loop_step: the same for one event, waiting at most timeout_ms for it (NEVER: for ever; 0: not at
 * all). loop_is_over: loop_exit or an UPDATE_EXIT has come. */
void loop_step(struct loop *l, uint64_t timeout_ms);
bool loop_is_over(const struct loop *l);
/* loop_log: from now on it shows events of this level and above. */
void loop_log(struct loop *l, enum event_level level);
/* loop_leave: has the machine leave, and calls left when linked nodes have read all that waited for
 * them, or after CLU_STOP_MS; called once more, at once. */
void loop_leave(struct loop *l);
/* loop_exit: ends loop_run; the first status counts. */
void loop_exit(struct loop *l, int status);
/* loop_turn: carries out what the machine left; to be called behind every call of a machine_
 * function that was not made by the loop. */
void loop_turn(struct loop *l);

#endif
