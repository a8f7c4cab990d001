/* SPDX-License-Identifier: Apache-2.0
 *
 * Making a term by its looks. The heads of containers are filled in when their elements are known.
 */
#include "etf/etf.h"
#include "etf/pattern.h"
#include "etf/utf8.h"

#define WIDE_HEAD  5 /* of lists and maps: a tag and four bytes */
#define TUPLE_HEAD 2

struct format {
    struct pattern p;
    clu_writer *w; /* has the error */
};

static void fail(struct format *f, clu_error err)
{
    clu_writer_fail(f->w, err);
}

static bool goes_on(const struct format *f)
{
    return f->w->err == CLU_OK;
}

/* ---- directives ---- */

static void put_int(clu_writer *w, const clu_arg *arg)
{
    if (arg->kind == CLU_ARG_INT)
        clu_put_int(w, arg->as.i);
    else
        clu_put_uint(w, arg->as.u);
}

static void put_uint(clu_writer *w, const clu_arg *arg)
{
    if (arg->kind == CLU_ARG_INT && arg->as.i < 0)
        clu_writer_fail(w, CLU_ERANGE);
    put_int(w, arg);
}

static void put_float(clu_writer *w, const clu_arg *arg)
{
    clu_put_float(w, arg->as.f);
}

/* What C compares is an int. */
static void put_bool(clu_writer *w, const clu_arg *arg)
{
    bool value = arg->kind == CLU_ARG_BOOL ? arg->as.b : arg->as.u != 0;

    clu_put_atom_text(w, value ? "true" : "false");
}

static void put_atom(clu_writer *w, const clu_arg *arg)
{
    if (arg->kind != CLU_ARG_ATOM)
        clu_put_atom(w, arg->as.slice);
    else if (arg->as.atom != NULL)
        clu_put_atom_of(w, arg->as.atom);
    else
        clu_writer_fail(w, CLU_EBADARG);
}

static void put_binary(clu_writer *w, const clu_arg *arg)
{
    clu_put_binary(w, arg->as.slice.data, arg->as.slice.len);
}

static void put_text(clu_writer *w, const clu_arg *arg)
{
    clu_slice text = arg->as.slice;
    const uint8_t *pos = text.data, *end = slice_end(text);
    size_t chars;

    if (utf8_ascii_len(text) == text.len) {
        clu_put_string(w, text);
    } else if (utf8_count(text, &chars)) {
        clu_put_list(w, chars);
        while (pos < end)
            clu_put_int(w, utf8_get(&pos, end));
        clu_put_nil(w);
    } else {
        clu_writer_fail(w, CLU_EBADARG);
    }
}

static void put_pid(clu_writer *w, const clu_arg *arg)
{
    clu_put_pid(w, &arg->as.pid);
}

static void put_ref(clu_writer *w, const clu_arg *arg)
{
    clu_put_ref(w, &arg->as.ref);
}

static void put_term(clu_writer *w, const clu_arg *arg)
{
    clu_reader term = arg->as.term;

    if (arg->kind == CLU_ARG_TERM) {
        clu_put_term(w, &term);
        if (term.err != CLU_OK)
            clu_writer_fail(w, term.err);
    } else if (arg->as.slice.len > 0) {
        clu_put_raw(w, arg->as.slice);
    } else {
        clu_writer_fail(w, CLU_EBADARG);
    }
}

#define KIND_TEXT (KIND(CLU_ARG_TEXT) | KIND(CLU_ARG_SLICE))

static const struct directive {
    char letter;
    uint32_t kinds;
    void (*put)(clu_writer *w, const clu_arg *arg);
} directives[] = {
    {'i', KIND_NUMBER, put_int},
    {'u', KIND_NUMBER, put_uint},
    {'f', KIND(CLU_ARG_FLOAT), put_float},
    {'o', KIND(CLU_ARG_BOOL) | KIND_NUMBER, put_bool},
    {'a', KIND_TEXT | KIND(CLU_ARG_ATOM), put_atom},
    {'b', KIND_TEXT, put_binary},
    {'s', KIND_TEXT, put_text},
    {'p', KIND(CLU_ARG_PID), put_pid},
    {'r', KIND(CLU_ARG_REF), put_ref},
    {'t', KIND(CLU_ARG_TERM) | KIND(CLU_ARG_SLICE), put_term},
};

static void format_directive(struct format *f)
{
    char letter = pattern_directive(&f->p);

    for (size_t i = 0; i < COUNT(directives); i++)
        if (directives[i].letter == letter) {
            const clu_arg *arg = pattern_arg(&f->p, directives[i].kinds);

            if (arg == NULL || arg->size != 0)
                break;
            directives[i].put(f->w, arg);
            return;
        }
    fail(f, CLU_EBADARG);
}

/* ---- containers ---- */

static void format_term(struct format *f);

static void expect(struct format *f, uint32_t token)
{
    if (!pattern_accept(&f->p, token))
        fail(f, CLU_EBADARG);
}

/* Terms with commas between them, until something else follows; their number. */
static size_t format_terms(struct format *f)
{
    size_t n = 0;

    do {
        format_term(f);
        n++;
    } while (goes_on(f) && pattern_accept(&f->p, ','));
    return n;
}

static size_t format_pairs(struct format *f)
{
    size_t n = 0;

    do {
        format_term(f);
        expect(f, TOKEN_ARROW);
        format_term(f);
        n++;
    } while (goes_on(f) && pattern_accept(&f->p, ','));
    return n;
}

/* The head that was left free at this place. */
static void fill_head(struct format *f, size_t at, uint8_t tag, size_t n)
{
    if (!goes_on(f))
        return;
    f->w->data[at] = tag;
    put_be32(f->w->data + at + 1, (uint32_t)n);
}

static void format_tuple(struct format *f)
{
    size_t at = f->w->len, n = 0;

    lex_next(&f->p.lex);
    clu_writer_add(f->w, TUPLE_HEAD);
    if (f->p.lex.token != '}')
        n = format_terms(f);
    expect(f, '}');
    if (n > UINT8_MAX)
        fail(f, CLU_EBADARG);
    if (!goes_on(f))
        return;
    f->w->data[at] = ETF_SMALL_TUPLE;
    f->w->data[at + 1] = (uint8_t)n;
}

static void format_list(struct format *f)
{
    size_t at = f->w->len;

    lex_next(&f->p.lex);
    if (pattern_accept(&f->p, ']')) {
        clu_put_nil(f->w);
        return;
    }
    clu_writer_add(f->w, WIDE_HEAD);
    size_t n = format_terms(f);

    if (pattern_accept(&f->p, '|'))
        format_term(f);
    else
        clu_put_nil(f->w);
    expect(f, ']');
    fill_head(f, at, ETF_LIST, n);
}

static void format_map(struct format *f)
{
    size_t at = f->w->len, n = 0;

    lex_next(&f->p.lex);
    expect(f, '{');
    clu_writer_add(f->w, WIDE_HEAD);
    if (f->p.lex.token != '}')
        n = format_pairs(f);
    expect(f, '}');
    fill_head(f, at, ETF_MAP, n);
}

static void format_literal(struct format *f)
{
    clu_error err = pattern_literal(&f->p, f->w);

    if (err != CLU_OK)
        fail(f, err);
}

static void format_term(struct format *f)
{
    if (!pattern_enter(&f->p))
        fail(f, CLU_EBADARG);
    if (!goes_on(f))
        return;
    switch (f->p.lex.token) {
    case '~': format_directive(f); break;
    case '{': format_tuple(f); break;
    case '[': format_list(f); break;
    case '#': format_map(f); break;
    default: format_literal(f); break;
    }
    pattern_leave(&f->p);
}

clu_error clu_format_args(clu_writer *w, const char *format, const clu_arg *args, size_t n)
{
    struct format f = {.w = w};
    size_t before = w->len;

    if (!pattern_init(&f.p, format, args, n)) {
        clu_writer_fail(w, CLU_EBADARG);
        return w->err;
    }
    format_term(&f);
    if (!pattern_is_done(&f.p))
        fail(&f, CLU_EBADARG);
    if (w->err != CLU_OK)
        w->len = before;
    return w->err;
}
