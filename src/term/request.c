/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "term/chardata.h"
#include "term/impl.h"

/* ---- replies ---- */

void reply_atom(struct request *r, const char *text)
{
    clu_writer_reset(&r->reply);
    clu_put_atom_text(&r->reply, text);
}

void reply_error(struct request *r, const char *text)
{
    clu_writer_reset(&r->reply);
    clu_put_tuple(&r->reply, 2);
    clu_put_atom_text(&r->reply, "error");
    clu_put_atom_text(&r->reply, text);
}

/* {error, What}, and What is a term of the request. */
static void reply_error_term(struct request *r, clu_reader what)
{
    clu_writer_reset(&r->reply);
    clu_put_tuple(&r->reply, 2);
    clu_put_atom_text(&r->reply, "error");
    clu_put_term(&r->reply, &what);
}

static bool is_error(const clu_writer *reply)
{
    clu_reader r = reader_over(reply);

    return clu_get_tuple(&r) == 2 && slice_is(clu_get_atom(&r), "error") && r.err == CLU_OK;
}

static void send_reply(struct term *t, struct request *r)
{
    struct effect *e = term_effect(t, TERM_SEND);

    if (e == NULL)
        return;
    clu_put_raw(&e->to, written(&r->from));
    clu_put_tuple(&e->term, 3);
    clu_put_atom_text(&e->term, "io_reply");
    clu_put_raw(&e->term, written(&r->reply_as));
    clu_put_raw(&e->term, written(&r->reply));
    if (e->term.err != CLU_OK || e->to.err != CLU_OK || r->reply.err != CLU_OK)
        term_fail(t, CLU_ENOMEM);
}

/* ---- writing ---- */

static bool put_chars(struct term *t, struct request *r, bool latin1, clu_reader *args)
{
    clu_reader what = reader_over(&r->todo);
    struct buf text = {0};

    what.pos += r->at;
    if (chardata_put(&text, args, latin1)) {
        term_print(t, buf_slice(&text));
        reply_atom(r, "ok");
    } else {
        reply_error_term(r, what);
    }
    buf_free(&text);
    request_done(t, r);
    return true;
}

/* What a function makes: the peer runs it. */
static bool put_made_chars(struct term *t, struct request *r, bool latin1, clu_reader *args)
{
    clu_reader peek = *args;

    clu_skip_term(&peek);
    r->read.function = clu_get_raw(&peek); /* for the error */
    clu_writer *w = peek.err != CLU_OK ? NULL : term_call(t, CALL_PUT, r, NULL);

    if (w == NULL)
        return peek.err == CLU_OK;
    CONTAINER_OF(t->calls.prev, struct call, list)->latin1 = latin1;
    clu_put_list(w, 3);
    for (int i = 0; i < 3; i++)
        clu_put_term(w, args);
    clu_put_nil(w);
    return true;
}

void request_put_answer(struct term *t, struct request *r, bool latin1, clu_reader *answer)
{
    struct buf text = {0};

    if (answer != NULL && chardata_put(&text, answer, latin1)) {
        term_print(t, buf_slice(&text));
        reply_atom(r, "ok");
    } else {
        clu_slice f = r->read.function;

        reply_error_term(r, (clu_reader){.pos = f.data, .end = f.data + f.len});
    }
    buf_free(&text);
    request_done(t, r);
}

/* ---- the verbs ---- */

static bool set_options(struct term *t, struct request *r, bool latin1, clu_reader *args)
{
    (void)latin1;
    opts_set(t, r, args);
    request_done(t, r);
    return true;
}

static bool get_options(struct term *t, struct request *r, bool latin1, clu_reader *args)
{
    (void)latin1, (void)args;
    opts_get(t, r);
    request_done(t, r);
    return true;
}

static bool get_geometry(struct term *t, struct request *r, bool latin1, clu_reader *args)
{
    clu_slice what = clu_get_atom(args);

    (void)latin1;
    if (args->err != CLU_OK)
        return false;
    opts_geometry(t, r, what);
    request_done(t, r);
    return true;
}

static bool get_line(struct term *t, struct request *r, bool latin1, clu_reader *args)
{
    return read_begin(t, r, READ_LINE, latin1, args);
}

static bool get_password(struct term *t, struct request *r, bool latin1, clu_reader *args)
{
    return read_begin(t, r, READ_PASSWORD, latin1, args);
}

static bool get_chars(struct term *t, struct request *r, bool latin1, clu_reader *args)
{
    return read_begin(t, r, READ_CHARS, latin1, args);
}

static bool get_until(struct term *t, struct request *r, bool latin1, clu_reader *args)
{
    return read_begin(t, r, READ_UNTIL, latin1, args);
}

static bool collect(struct term *t, struct request *r, bool latin1, clu_reader *args)
{
    return read_begin(t, r, READ_COLLECT, latin1, args);
}

/* A row a request; arity 1 is the bare atom. The forms without an encoding are those of before R13:
 * Latin-1. */
static const struct verb {
    const char *name;
    size_t arity;
    bool encoding; /* it stands behind the name */
    bool (*serve)(struct term *, struct request *, bool latin1, clu_reader *args);
} verbs[] = {
    {"put_chars", 3, true, put_chars},        {"put_chars", 2, false, put_chars},
    {"put_chars", 5, true, put_made_chars},   {"put_chars", 4, false, put_made_chars},
    {"get_line", 3, true, get_line},          {"get_line", 2, false, get_line},
    {"get_chars", 4, true, get_chars},        {"get_chars", 3, false, get_chars},
    {"get_chars", 6, true, collect},          {"get_chars", 5, false, collect},
    {"get_until", 6, true, get_until},        {"get_until", 5, false, get_until},
    {"get_password", 2, true, get_password},  {"get_password", 1, false, get_password},
    {"setopts", 2, false, set_options},       {"getopts", 1, false, get_options},
    {"get_geometry", 2, false, get_geometry},
};

static const struct verb *verb_of(clu_slice name, size_t arity)
{
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (verbs[i].arity == arity && slice_is(name, verbs[i].name))
            return &verbs[i];
    return NULL;
}

/* Whether it is latin1; anything but an encoding is no request. */
static bool take_encoding(clu_reader *r, bool *latin1)
{
    clu_slice name = clu_get_atom(r);

    *latin1 = slice_is(name, "latin1");
    return r->err == CLU_OK && (*latin1 || slice_is(name, "unicode") || slice_is(name, "utf8"));
}

/* Serves one request; false when it is none of the protocol. */
static bool serve(struct term *t, struct request *r, clu_reader what)
{
    bool is_tuple = clu_peek_type(&what) == CLU_TYPE_TUPLE, latin1 = true;
    size_t arity = is_tuple ? clu_get_tuple(&what) : 1;
    clu_slice name = arity == 0 ? (clu_slice){0} : clu_get_atom(&what);
    const struct verb *verb = what.err != CLU_OK ? NULL : verb_of(name, arity);

    if (verb == NULL || (verb->encoding && !take_encoding(&what, &latin1)))
        return false;
    return verb->serve(t, r, latin1, &what);
}

/* ---- one request after the other ---- */

/* Moves to the next of a list; false behind the last one, and behind an error. */
static bool go_on(struct request *r)
{
    clu_reader next = reader_over(&r->todo);

    next.pos += r->at;
    clu_skip_term(&next);
    r->at = (size_t)(next.pos - r->todo.data);
    r->n_left--;
    return r->n_left > 0 && !is_error(&r->reply);
}

static void finish(struct term *t, struct request *r)
{
    send_reply(t, r);
    request_free(t, r);
}

/* Runs what can be run now; a list may be long, so this is no recursion. */
static void run(struct term *t, struct request *r)
{
    r->running = true;
    do {
        clu_reader what = reader_over(&r->todo);

        what.pos += r->at;
        r->done = false;
        if (!serve(t, r, what)) {
            reply_error(r, "request");
            r->done = true;
        }
    } while (r->done && go_on(r));
    r->running = false;
    if (r->done)
        finish(t, r);
}

void request_done(struct term *t, struct request *r)
{
    r->done = true;
    if (r->running)
        return;
    if (go_on(r))
        run(t, r);
    else
        finish(t, r);
}

void request_free(struct term *t, struct request *r)
{
    for (struct list *at = t->calls.next; at != &t->calls; at = at->next) {
        struct call *c = CONTAINER_OF(at, struct call, list);

        if (c->request == r)
            c->request = NULL;
    }
    list_remove(&r->list);
    t->n_requests--;
    clu_writer_free(&r->from);
    clu_writer_free(&r->reply_as);
    clu_writer_free(&r->todo);
    clu_writer_free(&r->reply);
    read_free(&r->read);
    free(r);
}

/* {requests, [Request]} is served one by one, and answered with the last reply, or the first error.
 */
static void enter_list(struct request *r)
{
    clu_reader what = reader_over(&r->todo);

    r->n_left = 1;
    if (clu_peek_type(&what) != CLU_TYPE_TUPLE || clu_get_tuple(&what) != 2 ||
        !slice_is(clu_get_atom(&what), "requests"))
        return;
    size_t n = clu_get_list(&what);

    if (what.err != CLU_OK)
        return;
    r->n_left = n;
    r->at = (size_t)(what.pos - r->todo.data);
}

void request_begin(struct term *t, clu_reader *from, clu_reader *reply_as, clu_reader *what)
{
    struct request *r = calloc(1, sizeof *r);

    if (r == NULL) {
        term_fail(t, CLU_ENOMEM);
        return;
    }
    list_append(&t->requests, &r->list);
    t->n_requests++;
    clu_put_term(&r->from, from);
    clu_put_term(&r->reply_as, reply_as);
    clu_put_term(&r->todo, what);
    reply_atom(r, "ok");
    if (r->from.err != CLU_OK || r->reply_as.err != CLU_OK || r->todo.err != CLU_OK) {
        request_free(t, r);
        return;
    }
    enter_list(r);
    if (t->n_requests > TERM_REQUESTS_MAX)
        reply_error(r, "enomem");
    if (r->n_left > 0 && t->n_requests <= TERM_REQUESTS_MAX)
        run(t, r);
    else
        finish(t, r);
}
