/* SPDX-License-Identifier: Apache-2.0
 *
 * lib: the public face of a node: what a program makes, drives and stops (erlclu/node.h).
 *   knows: the machine and its loop, the options, what other threads have posted.
 *   must not know: what the parts do inside; pages, commands.
 * Every clu_node that a program holds has a host: the parts around it, kept together.
 */
#ifndef LIB_HOST_H
#define LIB_HOST_H

#include <erlclu/node.h>

#include "lib/inbox.h"
#include "net/drive.h"
#include "net/rotate.h"
#include "node/node.h"

struct host {
    struct clu_node *node;  /* the machine's, or failed */
    struct clu_node failed; /* what the program holds when no machine could be made */
    struct conf conf;
    struct drive drive; /* machine NULL: it failed */
    struct inbox inbox; /* what other threads have posted */
    struct watch *posted;
    struct rotate *cookie;
    struct list pings; /* of struct ping */
    clu_event_fn *on_event;
    void *event_arg;
    bool log_given;       /* what is shown is the program's choice */
    enum event_level log; /* what is shown, and above */
    bool said;            /* what failed stands in the log */
    bool started;
    const char *reason; /* why it leaves, once it does */
    bool stepping;      /* a function of the program's may be on the stack */
};

/* host_of: the host of a program's node. */
static inline struct host *host_of(const clu_node *node)
{
    return node->host;
}

/* host_start: before every step: starts the machine once. false: the node is over, or cannot run.
 * host_leave: has what was sent written, then stops; asked once more, it stops at once. reason is
 * told to people, and borrowed for good. host_stop: closes all. */
bool host_start(struct host *h);
void host_leave(struct host *h, const char *reason);
void host_stop(struct host *h, const char *reason);
/* host_status: the exit status that stands for what went wrong. */
int host_status(const struct host *h);

/* ping_answered: one of the machine's questions is. pings_fail: nothing more will come. */
void ping_answered(struct host *h, const struct answer *answer);
void pings_fail(struct host *h);

#endif
