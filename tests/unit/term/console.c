/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

static const char *const words[] = {
    [TERM_SEND] = "send", [TERM_CALL] = "call",   [TERM_INTERRUPT] = "interrupt",
    [TERM_KILL] = "kill", [TERM_START] = "start", [TERM_LEAVE] = "leave",
};

bool console_open(struct console *c, const struct term_options *o)
{
    *c = (struct console){.term = term_new(o)};
    return c->term != NULL;
}

void console_close(struct console *c)
{
    term_free(c->term);
    buf_free(&c->told);
}

static void put_parsed(clu_writer *w, const char *text)
{
    size_t at;
    clu_error err = clu_parse(text, strlen(text), w, &at, NULL);

    if (err != CLU_OK)
        clu_writer_fail(w, err);
}

void console_ask(struct console *c, const char *request)
{
    clu_pid from = {.node = clu_slice_of("peer@10.0.0.1"), .id = 7, .serial = 1, .creation = 5};
    clu_reader r;
    clu_writer w;

    clu_writer_init(&w);
    clu_put_tuple(&w, 4);
    clu_put_atom_text(&w, "io_request");
    clu_put_pid(&w, &from);
    clu_put_int(&w, 99);
    put_parsed(&w, request);
    clu_reader_init(&r, w.data, w.len);
    if (w.err == CLU_OK)
        term_message(c->term, r);
    clu_writer_free(&w);
    console_drain(c);
}

void console_type(struct console *c, const char *keys)
{
    term_keys(c->term, clu_slice_of(keys));
    console_drain(c);
}

void console_answer(struct console *c, const char *term)
{
    clu_reader r;
    clu_writer w;

    clu_writer_init(&w);
    if (term != NULL)
        put_parsed(&w, term);
    clu_reader_init(&r, w.data, w.len);
    if (w.err == CLU_OK)
        term_answer(c->term, c->last_call, term == NULL ? NULL : &r);
    clu_writer_free(&w);
    console_drain(c);
}

void console_drain(struct console *c)
{
    struct term_effect e;

    while (term_next(c->term, &e)) {
        clu_reader r = {.pos = e.term.data,
                        .end = e.term.data == NULL ? NULL : e.term.data + e.term.len};
        clu_writer text;

        if (e.kind == TERM_WATCH || e.kind == TERM_UNWATCH) {
            c->watch = e.kind == TERM_WATCH ? e.call : 0;
            term_drop(c->term);
            continue;
        }
        clu_writer_init(&text);
        buf_put_text(&c->told, words[e.kind]);
        if (e.term.len > 0 && clu_print(&r, &text) == CLU_OK) {
            buf_put_byte(&c->told, ' ');
            buf_put(&c->told, text.data, text.len);
        }
        buf_put_byte(&c->told, '\n');
        clu_writer_free(&text);
        if (e.kind == TERM_CALL)
            c->last_call = e.call;
        term_drop(c->term);
    }
}

const char *console_told(struct console *c)
{
    return buf_text(&c->told);
}

const char *console_shown(struct console *c)
{
    return buf_text(term_output(c->term));
}

void console_forget(struct console *c)
{
    buf_reset(&c->told);
    buf_reset(term_output(c->term));
}
