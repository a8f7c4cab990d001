/* SPDX-License-Identifier: Apache-2.0 */
#include "term/screen.h"

#include "etf/utf8.h"
#include "term/width.h"

#define TAB_STOP 8
/* What stands before the further rows of a line with breaks in it; OTP 26 and later do the same. */
#define CONTINUED ".. "

/* A cursor that follows what is written. */
struct place {
    size_t row, column;
};

static void pass(struct place *p, unsigned columns, unsigned width)
{
    if (p->column + width > columns) {
        p->row++;
        p->column = 0;
    }
    p->column += width;
}

static void pass_text(struct place *p, unsigned columns, clu_slice text)
{
    const uint8_t *pos = text.data, *end = slice_end(text);

    while (pos < end) {
        if (*pos == '\t') {
            size_t next = (p->column / TAB_STOP + 1) * TAB_STOP;

            p->column = next < columns ? next : columns - 1;
            pos++;
        } else {
            pass(p, columns, width_get(&pos, end));
        }
    }
}

static void break_row(struct place *p, size_t indent)
{
    p->row++;
    p->column = indent + sizeof CONTINUED - 1;
}

/* How far the further rows of a line stand to the right, so that they end where the prompt does. */
static size_t indent_of(clu_slice prompt)
{
    size_t width = width_text(prompt);

    return width < sizeof CONTINUED - 1 ? 0 : width - (sizeof CONTINUED - 1);
}

/* Where the character `at` of the line stands, or would. */
static struct place place_of(const struct screen *s, const struct shown *what, size_t at)
{
    struct place p = {0, 0};
    const struct line *l = what->line;

    pass_text(&p, s->columns, buf_slice(&s->tail));
    pass_text(&p, s->columns, what->prompt);
    for (size_t i = 0; l != NULL && i < at; i++)
        if (l->text[i] == '\n')
            break_row(&p, indent_of(what->prompt));
        else
            pass(&p, s->columns, width_of(l->text[i]));
    /* Where a row is full, the next character begins another. */
    if (p.column >= s->columns) {
        p.row++;
        p.column = 0;
    }
    return p;
}

static void move_up(struct buf *out, size_t rows)
{
    if (rows > 0)
        buf_printf(out, "\x1b[%uA", (unsigned)rows);
}

static void go_to_start(struct screen *s, struct buf *out)
{
    move_up(out, s->row);
    buf_put_text(out, "\r\x1b[J");
    s->row = 0;
}

static void put_char(struct buf *out, uint32_t c)
{
    uint8_t bytes[UTF8_MAX];

    buf_put(out, bytes, utf8_put(bytes, c));
}

static void put_line(struct buf *out, const struct shown *what)
{
    const struct line *l = what->line;
    size_t indent = indent_of(what->prompt);

    for (size_t i = 0; l != NULL && i < l->len; i++) {
        if (l->text[i] != '\n') {
            put_char(out, l->text[i]);
            continue;
        }
        buf_put_text(out, "\r\n");
        for (size_t k = 0; k < indent; k++)
            buf_put_byte(out, ' ');
        buf_put_text(out, CONTINUED);
    }
}

void screen_free(struct screen *s)
{
    buf_free(&s->tail);
}

/* The tail begins behind the last line break; a return begins it anew as well. */
static void keep_tail(struct screen *s, clu_slice text)
{
    size_t at = text.len;

    while (at > 0 && text.data[at - 1] != '\n' && text.data[at - 1] != '\r')
        at--;
    if (at > 0)
        buf_reset(&s->tail);
    buf_put(&s->tail, text.data + at, text.len - at);
}

void screen_print(struct screen *s, struct buf *out, clu_slice text)
{
    struct place p = {0, 0};

    if (text.len == 0)
        return;
    buf_put_slice(out, text);
    keep_tail(s, text);
    pass_text(&p, s->columns, buf_slice(&s->tail));
    s->row = p.row;
}

static void go_to(struct screen *s, struct buf *out, struct place from, struct place to)
{
    move_up(out, from.row - to.row);
    buf_put_byte(out, '\r');
    if (to.column > 0)
        buf_printf(out, "\x1b[%uC", (unsigned)to.column);
    s->row = to.row;
}

static size_t length(const struct shown *what)
{
    return what->line == NULL ? 0 : what->line->len;
}

void screen_draw(struct screen *s, struct buf *out, const struct shown *what)
{
    if (s->tail.len > SCREEN_TAIL_MAX) {
        buf_put_text(out, "\r\n");
        buf_reset(&s->tail);
        s->row = 0;
    }
    go_to_start(s, out);
    buf_put_slice(out, buf_slice(&s->tail));
    buf_put_slice(out, what->prompt);
    put_line(out, what);
    struct place end = place_of(s, what, length(what));

    if (end.column == 0 && end.row > 0)
        buf_put_text(out, "\r\n"); /* the terminal has not gone to the next row by itself yet */
    s->row = end.row;
    if (what->line != NULL && what->line->at < what->line->len)
        go_to(s, out, end, place_of(s, what, what->line->at));
}

void screen_typed(struct screen *s, struct buf *out, const struct shown *what)
{
    struct place end = place_of(s, what, length(what));

    if (what->line == NULL || what->line->at < what->line->len || end.column == 0 ||
        end.row != s->row) {
        screen_draw(s, out, what);
        return;
    }
    put_char(out, what->line->text[what->line->len - 1]);
}

void screen_erase(struct screen *s, struct buf *out)
{
    struct place p = {0, 0};

    go_to_start(s, out);
    buf_put_slice(out, buf_slice(&s->tail));
    pass_text(&p, s->columns, buf_slice(&s->tail));
    s->row = p.row;
}

void screen_finish(struct screen *s, struct buf *out, const struct shown *what)
{
    struct place end = place_of(s, what, length(what));

    if (end.row > s->row)
        buf_printf(out, "\x1b[%uB", (unsigned)(end.row - s->row));
    buf_put_text(out, "\r\n");
    buf_reset(&s->tail);
    s->row = 0;
}

void screen_clear(struct screen *s, struct buf *out)
{
    buf_put_text(out, "\x1b[H\x1b[J");
    buf_reset(&s->tail);
    s->row = 0;
}

void screen_resize(struct screen *s, unsigned columns, const struct shown *what)
{
    size_t at = what == NULL || what->line == NULL ? 0 : what->line->at;
    const struct shown nothing = {0};

    s->columns = columns == 0 ? SCREEN_COLUMNS : columns;
    s->row = place_of(s, what == NULL ? &nothing : what, at).row;
}
