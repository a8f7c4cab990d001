/* SPDX-License-Identifier: Apache-2.0 */
#include "net/log.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "net/system.h"
#include "view/event_text.h"

/* A reader that is slow gets so long; one that does not read at all must not stop the node, whose
 * peers would give it up. */
#define PATIENCE_MS 1000

/* A pipe has room for PIPE_BUF bytes then, which no line is longer than. */
static bool has_reader(const struct log *log)
{
    struct pollfd poll_fd = {.fd = STDERR_FILENO, .events = POLLOUT};
    int n = poll(&poll_fd, 1, log->n_lost == 0 ? PATIENCE_MS : 0);

    /* A signal of the program that we are part of ends the wait: that is no room yet. */
    return n > 0 || (n < 0 && poll(&poll_fd, 1, 0) > 0);
}

static void write_line(const struct log *log, const struct event *event)
{
    struct buf line = {0};

    if (log->json)
        event_put_json(&line, event, system_wall_ms());
    else
        event_put_text(&line, event, system_wall_ms());
    /* Nobody is left to hear that standard error is closed; and the node does not wait for it. */
    (void)system_write_now(STDERR_FILENO, &line);
    buf_free(&line);
}

static void tell_lost(struct log *log)
{
    struct event e = {.id = EVENT_LIMIT, .what = "log"};

    snprintf(e.reason, sizeof e.reason, "%u lines are lost, which nobody has read in time",
             log->n_lost);
    log->n_lost = 0;
    write_line(log, &e);
}

void log_event(struct log *log, const struct event *event)
{
    if (event_level(event->id) < log->level)
        return;
    if (log->n_lost > 0 && has_reader(log))
        tell_lost(log);
    if (has_reader(log))
        write_line(log, event);
    else
        log->n_lost++;
}
