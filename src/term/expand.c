/* SPDX-License-Identifier: Apache-2.0 */
#include "term/chardata.h"
#include "term/impl.h"

/* Completion: the peer knows what there is to be completed. */

/* Of a list of matches, so many rows less than the terminal has are shown at first; a second TAB
 * shows all. */
#define ROWS_KEPT 3
#define ROWS_MIN  7

/* The text before the cursor, in its row, backwards. */
static void put_before(const struct term *t, clu_writer *w)
{
    const struct line *l = &t->editor.line;
    size_t n = 0;

    while (n < l->at && l->text[l->at - n - 1] != '\n')
        n++;
    clu_put_list(w, n);
    for (size_t i = 0; i < n; i++)
        clu_put_int(w, l->text[l->at - i - 1]);
    clu_put_nil(w);
}

/* The arity of a fun: in its head (erl_ext_dist: NEW_FUN_EXT, EXPORT_EXT). */
static unsigned arity_of(const clu_writer *fun)
{
    clu_reader r = reader_over(fun);
    clu_slice m, f;
    uint8_t arity = 1;

    if (*r.pos == ETF_EXPORT)
        clu_get_export(&r, &m, &f, &arity);
    else if (*r.pos == ETF_NEW_FUN && fun->len > 5)
        arity = fun->data[5];
    return arity;
}

/* erlang:apply(Fun, [Before]), or [Before, []]: OTP 26 hands options on. */
static void put_fun_call(struct term *t, clu_writer *w)
{
    bool options = arity_of(&t->expand_fun) == 2;

    clu_put_list(w, 3);
    clu_put_atom_text(w, "erlang");
    clu_put_atom_text(w, "apply");
    clu_put_list(w, 2);
    clu_put_raw(w, written(&t->expand_fun));
    clu_put_list(w, options ? 2 : 1);
    put_before(t, w);
    if (options)
        clu_put_nil(w);
    clu_put_nil(w);
    clu_put_nil(w);
    clu_put_nil(w);
}

static void put_expander_call(struct term *t, clu_writer *w)
{
    clu_put_list(w, 3);
    clu_put_atom_text(w, t->expander.module);
    clu_put_atom_text(w, t->expander.function);
    clu_put_list(w, 1 + t->expander.n_more);
    put_before(t, w);
    clu_put_raw(w, buf_slice(&t->expander_more));
    clu_put_nil(w);
    clu_put_nil(w);
}

void expand_begin(struct term *t)
{
    bool by_fun = t->expand_fun.len > 0 && !t->expander.fixed;

    if (!by_fun && t->expander.module == NULL)
        return;
    clu_writer *w = term_call(t, CALL_EXPAND, NULL, &t->expanding);

    if (w == NULL)
        return;
    if (by_fun)
        put_fun_call(t, w);
    else
        put_expander_call(t, w);
}

/* edlin_expand:format_matches(Matches), since OTP 26 with the width of the terminal. */
static void ask_for_text(struct term *t, clu_reader *matches)
{
    bool width = t->expander.format_takes_width;
    clu_writer *w = term_call(t, CALL_FORMAT, NULL, &t->expanding);

    if (w == NULL)
        return;
    clu_put_list(w, 3);
    clu_put_atom_text(w, "edlin_expand");
    clu_put_atom_text(w, "format_matches");
    clu_put_list(w, width ? 2 : 1);
    clu_put_term(w, matches);
    if (width)
        clu_put_int(w, t->screen.columns);
    clu_put_nil(w);
    clu_put_nil(w);
}

static bool has_elements(clu_reader list)
{
    return clu_peek_type(&list) == CLU_TYPE_LIST && *list.pos != ETF_NIL;
}

/* {yes | no, Add, Matches}; whichever of the two it is, what there is to add is added, else what
 * there is to choose from is shown. */
void expand_answer(struct term *t, clu_reader *answer)
{
    struct buf add = {0};
    bool ok =
        answer != NULL && clu_peek_type(answer) == CLU_TYPE_TUPLE && clu_get_tuple(answer) == 3;

    t->expanding = 0;
    if (ok) {
        clu_skip_term(answer);
        ok = chardata_put(&add, answer, false);
    }
    if (ok && add.len == 0 && has_elements(*answer))
        ask_for_text(t, answer);
    else if (!ok || add.len == 0 || !editor_insert(&t->editor, buf_slice(&add)))
        buf_put_byte(&t->out, '\a');
    buf_free(&add);
}

/* The text cut behind so many rows; *more is how many there are besides. */
static clu_slice cut_rows(clu_slice text, size_t rows, size_t *more)
{
    size_t len = text.len;

    *more = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '\n')
            continue;
        if (rows > 1)
            rows--;
        else if (len == text.len)
            len = i + 1;
        else
            (*more)++;
    }
    return (clu_slice){text.data, len};
}

static clu_slice trim(clu_slice text)
{
    while (text.len > 0 && text.data[0] == '\n') {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == ' '))
        text.len--;
    return text;
}

void expand_format_answer(struct term *t, clu_reader *answer)
{
    size_t rows = t->o.rows > ROWS_MIN + ROWS_KEPT ? t->o.rows - ROWS_KEPT : ROWS_MIN, more;
    struct buf text = {0}, shown = {0};

    t->expanding = 0;
    if (answer == NULL || !chardata_put(&text, answer, false))
        return;
    buf_put_byte(&text, '\n');
    clu_slice part = trim(buf_slice(&text));

    buf_put_byte(&shown, '\n');
    part = cut_rows(part, t->expanded ? SIZE_MAX : rows, &more);
    buf_put_slice(&shown, trim(part));
    buf_put_byte(&shown, '\n');
    if (more > 0)
        buf_printf(&shown, "(%u rows more: TAB again)\n", (unsigned)more + 1);
    screen_erase(&t->screen, &t->out);
    t->expanded = more > 0;
    screen_print(&t->screen, &t->out, buf_slice(&shown));
    buf_free(&text);
    buf_free(&shown);
}
