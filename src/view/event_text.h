/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_EVENT_TEXT_H
#define VIEW_EVENT_TEXT_H

#include "base/buf.h"
#include "model/event.h"

/* event_level: how much it matters. event_level_word: "debug", "info", "warning", "error". */
enum event_level event_level(enum event_id id);
const char *event_level_word(enum event_level level);

/* event_put_sentence: what people read of it, without time and newline. */
void event_put_sentence(struct buf *out, const struct event *e);
/* event_put_text: one line, with its newline:
 *   2026-11-22T16:57:16.123Z warning lost a@10.0.0.2 at 10.0.0.2:9100: closed by the peer
 * event_put_json: the same as one object a line: time, level, event, text, and each field that the
 * event has. Bytes from peers cannot break out of the line. */
void event_put_text(struct buf *out, const struct event *e, uint64_t wall_ms);
void event_put_json(struct buf *out, const struct event *e, uint64_t wall_ms);

#endif
