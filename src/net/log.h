/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_LOG_H
#define NET_LOG_H

#include "model/event.h"

/* Where events become lines of standard error. */
struct log {
    enum event_level level; /* and above */
    bool json;
    unsigned n_lost; /* lines that nobody has read in time; told with the next one that is */
};

/* log_event: one line, in one write. It waits a while for who reads, and then does without. */
void log_event(struct log *log, const struct event *event);

#endif
