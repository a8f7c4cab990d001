/* SPDX-License-Identifier: Apache-2.0 */
#include "term/impl.h"

/* Options of the terminal (OTP: stdlib, io:setopts/2, io:getopts/1). */

static bool take_bool(clu_reader *value, bool *out)
{
    clu_slice text = clu_get_atom(value);

    if (value->err != CLU_OK || (!slice_is(text, "true") && !slice_is(text, "false")))
        return false;
    *out = slice_is(text, "true");
    return true;
}

static bool set_echo(struct term *t, clu_reader *value)
{
    return take_bool(value, &t->echo);
}

static bool set_binary(struct term *t, clu_reader *value)
{
    return take_bool(value, &t->binary);
}

static bool set_history(struct term *t, clu_reader *value)
{
    return take_bool(value, &t->line_history);
}

/* The terminal speaks UTF-8 whatever is asked for; so does every peer that asks. */
static bool set_encoding(struct term *t, clu_reader *value)
{
    clu_slice text = clu_get_atom(value);

    (void)t;
    return value->err == CLU_OK &&
           (slice_is(text, "unicode") || slice_is(text, "utf8") || slice_is(text, "latin1"));
}

static bool set_expand_fun(struct term *t, clu_reader *value)
{
    clu_type type = clu_peek_type(value);

    if (type != CLU_TYPE_FUN && type != CLU_TYPE_EXPORT)
        return type == CLU_TYPE_ATOM; /* false, as getopts shows what is not there */
    clu_writer_reset(&t->expand_fun);
    clu_put_term(&t->expand_fun, value);
    return t->expand_fun.err == CLU_OK;
}

/* What only says how the terminal is, or where its log goes. */
static bool pass_over(struct term *t, clu_reader *value)
{
    (void)t, (void)value;
    return true;
}

static const struct {
    const char *name;
    bool (*set)(struct term *, clu_reader *value);
} options[] = {
    {"echo", set_echo},
    {"binary", set_binary},
    {"encoding", set_encoding},
    {"line_history", set_history},
    {"expand_fun", set_expand_fun},
    {"log", pass_over},
    {"terminal", pass_over},
    {"stdin", pass_over},
    {"stdout", pass_over},
    {"stderr", pass_over},
};

static bool set_named(struct term *t, clu_slice name, clu_reader *value)
{
    for (size_t i = 0; i < COUNT(options); i++)
        if (slice_is(name, options[i].name))
            return options[i].set(t, value);
    return false;
}

/* An atom alone: binary and list, or an encoding. */
static bool set_alone(struct term *t, clu_slice name)
{
    if (slice_is(name, "binary") || slice_is(name, "list"))
        t->binary = slice_is(name, "binary");
    else if (slice_is(name, "echo"))
        t->echo = true;
    else
        return slice_is(name, "unicode") || slice_is(name, "latin1");
    return true;
}

static bool set_one(struct term *t, clu_reader *list)
{
    clu_reader item = *list;

    clu_skip_term(list);
    if (clu_peek_type(&item) == CLU_TYPE_ATOM) {
        clu_slice name = clu_get_atom(&item);

        return item.err == CLU_OK && set_alone(t, name);
    }
    if (clu_peek_type(&item) != CLU_TYPE_TUPLE || clu_get_tuple(&item) != 2)
        return false;
    clu_slice name = clu_get_atom(&item);

    return item.err == CLU_OK && set_named(t, name, &item);
}

void opts_set(struct term *t, struct request *r, clu_reader *list)
{
    bool ok = clu_peek_type(list) == CLU_TYPE_LIST && *list->pos != ETF_STRING;
    size_t n = ok ? clu_get_list(list) : 0;

    for (size_t i = 0; ok && i < n; i++)
        ok = set_one(t, list) && list->err == CLU_OK;
    if (ok)
        reply_atom(r, "ok");
    else
        reply_error(r, "enotsup");
}

static void put_pair(clu_writer *w, const char *name, const char *value)
{
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, name);
    clu_put_atom_text(w, value);
}

static void put_bool(clu_writer *w, const char *name, bool value)
{
    put_pair(w, name, value ? "true" : "false");
}

void opts_get(struct term *t, struct request *r)
{
    clu_writer *w = &r->reply;

    clu_writer_reset(w);
    clu_put_list(w, 8);
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "expand_fun");
    if (t->expand_fun.len > 0)
        clu_put_raw(w, written(&t->expand_fun));
    else
        clu_put_export(w, slice_of("edlin_expand"), slice_of("expand"), 1);
    put_bool(w, "echo", t->echo);
    put_bool(w, "line_history", t->line_history);
    put_bool(w, "binary", t->binary);
    put_pair(w, "encoding", "unicode");
    put_bool(w, "terminal", t->o.interactive);
    put_bool(w, "stdin", t->o.interactive);
    put_bool(w, "stdout", t->o.interactive);
    clu_put_nil(w);
}

void opts_geometry(struct term *t, struct request *r, clu_slice what)
{
    bool columns = slice_is(what, "columns");
    unsigned n = columns ? t->o.columns : t->o.rows;

    if (n == 0 || (!columns && !slice_is(what, "rows"))) {
        reply_error(r, "enotsup");
        return;
    }
    clu_writer_reset(&r->reply);
    clu_put_int(&r->reply, n);
}
