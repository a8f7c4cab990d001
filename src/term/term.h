/* SPDX-License-Identifier: Apache-2.0
 *
 * term: a terminal for the shell of another node: what is typed, what is shown, who may read.
 *   knows: keys, lines and their history, where a cursor stands, Erlang's I/O protocol.
 *   must not know: nodes, links, descriptors, how a terminal is set; it is fed bytes and terms and
 * leaves bytes to be shown and effects to be carried out.
 */
#ifndef TERM_TERM_H
#define TERM_TERM_H

#include "base/buf.h"

struct term;

/* What a terminal wants done. Drain them with term_next behind every call of a term_ function. */
enum term_effect_kind {
    TERM_SEND,      /* term: a message to the process `to` */
    TERM_CALL,      /* term: [Module, Function, Arguments], to be run by the peer; answer with
                       term_answer and this number */
    TERM_WATCH,     /* monitor the process `to`, which reads: term_gone with this number, when it
                       has gone */
    TERM_UNWATCH,   /* not any more */
    TERM_INTERRUPT, /* exit(Shell, interrupt) */
    TERM_KILL,      /* the shell is to end, whatever it does */
    TERM_START,     /* a new shell, please */
    TERM_LEAVE,     /* nothing more is wanted: readers were told that the terminal is gone */
};

/* The slices hold until the next term_drop. */
struct term_effect {
    enum term_effect_kind kind;
    uint32_t call;
    clu_pid to;
    clu_slice term;
};

struct term_options {
    bool interactive; /* keys come from a person; else lines of a script: no prompts, no echo */
    unsigned columns, rows; /* 0: not known */
};

/* Completion: Module:Function(Before | More), where Before is the text left of the cursor,
 * backwards, and more the encoded elements of a list, and how matches become text. */
struct term_expander {
    const char *module, *function; /* static */
    clu_slice more;                /* copied */
    size_t n_more;
    bool format_takes_width; /* edlin_expand:format_matches/2 (OTP 26), not /1 */
    bool fixed;              /* setopts has no say in it */
};

/* term_new: NULL when out of memory. */
struct term *term_new(const struct term_options *o);
void term_free(struct term *t);
CLU_MUST_USE clu_error term_set_expander(struct term *t, const struct term_expander *e);

/* Events in. term_keys: bytes as they were typed, or read from a script; term_eof: there are no
 * more. term_resize: of the window. term_message: to the group leader: requests of the I/O
 * protocol are served, anything else is passed over. term_gone: who was watched has ended, so it
 * reads no more. term_answer: of a call; NULL: it ended with an exception, or in nothing.
 * term_shell: whether there is a shell now; TERM_LEAVE follows when it has gone, unless the menu is
 * open, which can start another. term_leave: no more reading: as if the end of file had come. */
void term_keys(struct term *t, clu_slice bytes);
void term_eof(struct term *t);
void term_resize(struct term *t, unsigned columns, unsigned rows);
void term_message(struct term *t, clu_reader message);
void term_gone(struct term *t, uint32_t watch);
void term_answer(struct term *t, uint32_t call, clu_reader *answer);
void term_shell(struct term *t, bool lives);
void term_leave(struct term *t);
/* term_say: a line of our own, between the peer's. */
void term_say(struct term *t, const char *text);

/* term_next: the next effect, until term_drop: it was carried out. */
bool term_next(struct term *t, struct term_effect *e);
void term_drop(struct term *t);
/* term_output: what is to be written to the terminal: take it with buf_reset. term_banner: of a
 * script: what came before the first question, which is no answer. */
struct buf *term_output(struct term *t);
struct buf *term_banner(struct term *t);
/* term_is_hungry: more input has a use now: a reader waits, or not much has been typed ahead. */
bool term_is_hungry(const struct term *t);
/* term_has_asked: somebody has read from it: the first prompt stands. */
bool term_has_asked(const struct term *t);
/* term_was_cut: a script has ended within an expression, which is lost. */
bool term_was_cut(const struct term *t);
/* term_error: CLU_ENOMEM sticks: the terminal is of no use any more. */
clu_error term_error(const struct term *t);

#endif
