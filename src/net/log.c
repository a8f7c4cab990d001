/* SPDX-License-Identifier: Apache-2.0 */
#include "net/log.h"

#include <unistd.h>

#include "net/system.h"
#include "view/event_text.h"

void log_event(const struct log *log, const struct event *event)
{
    struct buf line = {0};

    if (event_level(event->id) < log->level)
        return;
    if (log->json)
        event_put_json(&line, event, system_wall_ms());
    else
        event_put_text(&line, event, system_wall_ms());
    /* Nobody is left to hear that standard error is closed; and the node does not wait for it. */
    (void)system_write_now(STDERR_FILENO, &line);
    buf_free(&line);
}
