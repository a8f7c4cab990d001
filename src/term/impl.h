/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERM_IMPL_H
#define TERM_IMPL_H

#include "base/list.h"
#include "term/editor.h"
#include "term/screen.h"
#include "term/term.h"

/* What the files of this layer share: term.c joins keys, screen and readers; request.c serves the
 * I/O protocol (OTP: stdlib, "The Erlang I/O Protocol"), read.c its reading, opts.c its options. */

/* Requests that are being served at once, and calls of the peer's functions: a peer that does not
 * wait for answers has no use for more; those beyond are refused. */
#define TERM_REQUESTS_MAX 256
/* Bytes that are typed ahead. */
#define TERM_TYPED_MAX 65536

enum read_kind {
    READ_LINE,
    READ_PASSWORD, /* a line without echo and without its end */
    READ_CHARS,    /* so many */
    READ_UNTIL,    /* apply(M, F, [Continuation, Data | As]) says done, or more */
    READ_COLLECT,  /* M:F(State, Data, Encoding, Argument) says stop, or is the next state */
};

/* Slices borrow the request's term. */
struct read {
    enum read_kind kind;
    bool latin1;
    bool has_prompt; /* prompt is made */
    bool calling;    /* waits for an answer of the peer */
    bool fed;        /* it has taken something and wants more */
    bool ended;      /* it was told that there is no more */
    bool begun;      /* what it has taken is more than blanks and remarks */
    uint64_t n;      /* READ_CHARS */
    clu_slice module, function, more;
    clu_writer state;         /* READ_UNTIL, READ_COLLECT: opaque */
    struct buf prompt, entry; /* entry: what was typed for it, for the history */
    struct buf draft;         /* what was being typed when another came between */
};

/* One {io_request, From, ReplyAs, Request}. */
struct request {
    struct list list; /* of term.requests, or term.reads, the latest first */
    clu_writer from, reply_as, todo;
    size_t at, n_left;  /* the next of a list of requests within todo, and how many there are */
    clu_writer reply;   /* so far */
    uint32_t watch;     /* while it reads; 0 */
    bool running, done; /* is being served; the present one of the list has its reply */
    struct read read;
};

enum call_kind { CALL_PUT, CALL_PROMPT, CALL_READ, CALL_EXPAND, CALL_FORMAT };

struct call {
    struct list list;
    uint32_t id;
    enum call_kind kind;
    bool latin1;
    struct request *request; /* NULL: not any more, or none */
};

struct effect {
    struct list list;
    enum term_effect_kind kind;
    uint32_t call;
    clu_writer to, term;
};

struct term {
    struct term_options o;
    clu_error err;
    struct buf out, banner;
    struct screen screen;
    struct editor editor;

    struct buf typed; /* not looked at yet */
    bool ended;       /* nothing more will be typed */
    struct buf input; /* for readers: what one leaves, the next one gets */

    bool editing;       /* the editor's line is shown, for reader */
    struct buf prompt;  /* that stands before it */
    uint32_t expanding; /* the call that completes it; keys wait for it; 0 */
    bool expanded;      /* the key before was TAB, too */
    bool menu;          /* it is a command for us (Ctrl-G) */

    bool shell, asked, leaving, left;
    bool cut; /* the script ended within an expression */
    struct list effects, requests, reads, calls;
    size_t n_requests;
    uint32_t last_number;

    /* setopts */
    bool echo, binary, line_history;
    clu_writer expand_fun; /* a fun; empty: none was given */
    struct term_expander expander;
    struct buf expander_more;
};

/* term.c */
void term_fail(struct term *t, clu_error err);
/* term_effect: an effect to be filled; NULL after term_fail. */
struct effect *term_effect(struct term *t, enum term_effect_kind kind);
/* term_number: a new one, for a call or a watch; never 0. */
uint32_t term_number(struct term *t);
/* term_call: begins a call of the peer; put [Module, Function, Arguments] into the writer. NULL:
 * no memory. */
clu_writer *term_call(struct term *t, enum call_kind kind, struct request *r, uint32_t *id);
/* term_print: a text of the peer's, above what is typed. */
void term_print(struct term *t, clu_slice text);
/* term_pump: as far as it goes: input to readers, keys to the editor. */
void term_pump(struct term *t);
struct request *term_reader(const struct term *t);
/* stop_readers: all end with {error, Reason}. */
void stop_readers(struct term *t, const char *reason);

/* edit.c: the line that is typed. edit_start: for the first reader, or the menu. edit_key: takes a
 * key of what was typed; false when there is none. edit_suspend: takes the line off the screen, and
 * keeps it; edit_cancel: lets it go; edit_finish: it stays on the screen, and is done. */
void edit_start(struct term *t);
bool edit_key(struct term *t);
void edit_suspend(struct term *t);
void edit_cancel(struct term *t);
void edit_finish(struct term *t);
void edit_draw(struct term *t);
struct shown edit_shown(const struct term *t);

/* request.c */
void request_begin(struct term *t, clu_reader *from, clu_reader *reply_as, clu_reader *what);
/* request_done: the present one of its requests has its reply: the next one, or the end. */
void request_done(struct term *t, struct request *r);
void request_free(struct term *t, struct request *r);
/* reply_atom, reply_error: {error, Text}. */
void reply_atom(struct request *r, const char *text);
void reply_error(struct request *r, const char *text);
void request_put_answer(struct term *t, struct request *r, bool latin1, clu_reader *answer);

/* read.c: verbs of the protocol: they take their arguments off the reader; false: no such request.
 */
bool read_begin(struct term *t, struct request *r, enum read_kind kind, bool latin1,
                clu_reader *args);
/* read_feed: gives it what is there; false when it wants more than that. */
bool read_feed(struct term *t, struct request *r);
void read_answer(struct term *t, struct request *r, clu_reader *answer);
void read_prompt_answer(struct term *t, struct request *r, clu_reader *answer);
/* read_is_shell: it is an Erlang shell that waits for a command, which it tells by its options (of
 * erl_scan:tokens, behind the place). To it, an end of file may mean the end of its node. */
bool read_is_shell(const struct request *r);
/* read_is_cut: a reader that gets nothing any more is a shell that waits for the rest of an
 * expression. */
bool read_is_cut(const struct request *r);
/* read_stop: it ends with {error, Reason}. */
void read_stop(struct term *t, struct request *r, const char *reason);
void read_free(struct read *read);

/* opts.c */
void opts_set(struct term *t, struct request *r, clu_reader *list);
void opts_get(struct term *t, struct request *r);
void opts_geometry(struct term *t, struct request *r, clu_slice what);

/* expand.c */
void expand_begin(struct term *t);
void expand_answer(struct term *t, clu_reader *answer);
void expand_format_answer(struct term *t, clu_reader *answer);

/* menu.c */
void menu_open(struct term *t);
void menu_entered(struct term *t, clu_slice command);

/* term_is_over: nothing more can come than what term.input holds. */
static inline bool term_is_over(const struct term *t)
{
    return t->ended && t->typed.len == 0;
}

/* Readers over what is kept here, without cache references. */
static inline clu_reader reader_over(const clu_writer *w)
{
    return (clu_reader){.pos = w->data, .end = w->data == NULL ? NULL : w->data + w->len};
}

static inline clu_slice written(const clu_writer *w)
{
    return (clu_slice){w->data, w->len};
}

#endif
