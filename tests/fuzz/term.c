/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "term/term.h"

/* A terminal whose peer and user do what the bytes say. A step: what it is, its length, so many
 * bytes. All effects are carried out or dropped; every request that is refused is answered. */
enum { KEYS, MESSAGE, ANSWER, RAISE, SHELL_UP, SHELL_DOWN, RESIZE, END_OF_FILE, LEAVE, STEPS };

struct play {
    struct term *term;
    uint32_t calls[8]; /* the latest, to be answered in any order */
    size_t n_calls;
    uint32_t watch; /* the latest */
};

static void drain(struct play *p)
{
    struct term_effect e;

    while (term_next(p->term, &e)) {
        if (e.kind == TERM_SEND || e.kind == TERM_CALL)
            assert(clu_check(e.term.data, e.term.len, NULL, NULL) == CLU_OK);
        if (e.kind == TERM_CALL)
            p->calls[p->n_calls++ % 8] = e.call;
        if (e.kind == TERM_WATCH)
            p->watch = e.call;
        term_drop(p->term);
    }
    buf_reset(term_output(p->term));
    buf_reset(term_banner(p->term));
}

/* {io_request, Pid, 1, Term}, if it is a term. */
static void message(struct play *p, clu_slice term)
{
    clu_pid from = {.node = clu_slice_of("a@b"), .id = 1, .serial = 1, .creation = 1};
    clu_reader r;
    clu_writer w;

    if (clu_check(term.data, term.len, NULL, NULL) != CLU_OK)
        return;
    clu_writer_init(&w);
    clu_put_tuple(&w, 4);
    clu_put_atom_text(&w, "io_request");
    clu_put_pid(&w, &from);
    clu_put_int(&w, 1);
    clu_put_raw(&w, term);
    clu_reader_init(&r, w.data, w.len);
    term_message(p->term, r);
    clu_writer_free(&w);
}

static void answer(struct play *p, clu_slice term, uint8_t which)
{
    clu_reader r;

    if (clu_check(term.data, term.len, NULL, NULL) != CLU_OK)
        return;
    clu_reader_init(&r, term.data, term.len);
    term_answer(p->term, p->calls[which % 8], &r);
}

/* To no columns: the latest reader has died. */
static void resize(struct play *p, unsigned columns)
{
    if (columns == 0)
        term_gone(p->term, p->watch);
    else
        term_resize(p->term, columns, 10);
}

static void step(struct play *p, uint8_t what, clu_slice bytes)
{
    switch (what % STEPS) {
    case KEYS: term_keys(p->term, bytes); break;
    case MESSAGE: message(p, bytes); break;
    case ANSWER: answer(p, bytes, what / STEPS); break;
    case RAISE: term_answer(p->term, p->calls[what / STEPS % 8], NULL); break;
    case SHELL_UP: term_shell(p->term, true); break;
    case SHELL_DOWN: term_shell(p->term, false); break;
    case RESIZE: resize(p, what / STEPS); break;
    case END_OF_FILE: term_eof(p->term); break;
    case LEAVE: term_leave(p->term); break;
    }
    drain(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct term_options o = {size % 2 == 0, 20, 10};
    struct play p = {.term = term_new(&o)};

    if (p.term == NULL)
        return 0;
    for (size_t at = 0; at + 2 <= size;) {
        size_t len = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;

        step(&p, data[at], (clu_slice){data + at + 2, len});
        at += 2 + len;
    }
    assert(term_error(p.term) == CLU_OK);
    term_free(p.term);
    return 0;
}
