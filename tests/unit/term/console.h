/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONSOLE_H
#define TESTS_CONSOLE_H

#include "term/term.h"

/* A terminal under test, and a peer that is a table: what happens is told as text, one line an
 * effect: "send REPLY", "call [m,f,[...]]", "interrupt", ... */
struct console {
    struct term *term;
    struct buf told;
    uint32_t last_call;
    uint32_t watch; /* the latest; what is watched is not told */
};

bool console_open(struct console *c, const struct term_options *o);
void console_close(struct console *c);
/* console_ask: a request of the I/O protocol, in Erlang's syntax. */
void console_ask(struct console *c, const char *request);
void console_type(struct console *c, const char *keys);
/* console_answer: the last call's; NULL: an exception. */
void console_answer(struct console *c, const char *term);
/* console_drain: tells the effects that there are. */
void console_drain(struct console *c);
/* console_take: what was told and shown since the last time, as "told" then "shown: ..."; valid
 * until the next. */
const char *console_told(struct console *c);
const char *console_shown(struct console *c);
void console_forget(struct console *c);

#endif
