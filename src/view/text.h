/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_TEXT_H
#define VIEW_TEXT_H

#include "base/buf.h"

/* Texts of peers (names, reasons) hold any bytes. Before they reach people they pass one of these:
 * JSON, HTML and Prometheus want valid UTF-8, logs and terminals want no control characters. */

/* text_put_utf8: bytes that are not UTF-8 become U+FFFD. */
void text_put_utf8(struct buf *out, clu_slice text);
/* text_put_printable: those, and control characters, become \xNN; so a peer can neither forge a
 * line of the log nor drive a terminal. */
void text_put_printable(struct buf *out, clu_slice text);
/* text_columns: the columns that a text takes on a terminal, one a character. */
size_t text_columns(clu_slice utf8);

/* Bytes of "2026-11-22T16:57:16.123Z" and its zero. */
#define TEXT_TIME_SIZE 25

/* text_time: a wall time as RFC 3339 in UTC. Returns out. */
const char *text_time(uint64_t wall_ms, char out[TEXT_TIME_SIZE]);

#endif
