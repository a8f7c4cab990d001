/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_LOG_H
#define NET_LOG_H

#include "model/event.h"

/* Where events become lines of standard error. */
struct log {
    enum event_level level; /* and above */
    bool json;
};

/* log_event: one line, in one write. */
void log_event(const struct log *log, const struct event *event);

#endif
