/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TTY_H
#define NET_TTY_H

#include "base/buf.h"
#include "net/watch.h"

/* Standard input and output of a program that converses. */
struct tty;

/* Bytes that came in; none: the end of the input. */
typedef void tty_read_fn(void *arg, clu_slice bytes);
typedef void tty_resized_fn(void *arg);

/* tty_is_terminal: both are a terminal that knows escape sequences (TERM is not dumb). */
bool tty_is_terminal(void);
/* tty_new: starts nothing yet. NULL, and errno, when out of memory or files. tty_free gives the
 * terminal back as it was, and may be called from on_read. */
struct tty *tty_new(struct watch_base *base, tty_read_fn *on_read, tty_resized_fn *on_resized,
                    void *arg);
void tty_free(struct tty *tty);
/* tty_raw: every key as it is pressed, without echo; its signals are keys as well. Output stays
 * cooked: a line feed goes to the start of the next line. */
bool tty_raw(struct tty *tty);
/* tty_listen: reads, or pauses. A file, which no system can wait for, is read at once. */
bool tty_listen(struct tty *tty, bool on);
/* tty_size: 0 and 0 when it is not known. */
void tty_size(unsigned *columns, unsigned *rows);
/* tty_write: to standard output, or standard error; resets the text. false: nobody reads it,
 * or a signal has come before all of it was read. */
bool tty_write(struct buf *text, bool to_error);

#endif
