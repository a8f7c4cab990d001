/* SPDX-License-Identifier: Apache-2.0 */
#include "term/impl.h"

#define BELL '\a'

/* ---- the line that is edited ---- */

struct request *term_reader(const struct term *t)
{
    return list_empty(&t->reads) ? NULL : CONTAINER_OF(t->reads.next, struct request, list);
}

static bool shows_line(const struct term *t)
{
    const struct request *r = term_reader(t);

    return t->menu || (t->echo && (r == NULL || r->read.kind != READ_PASSWORD));
}

struct shown edit_shown(const struct term *t)
{
    return (struct shown){buf_slice(&t->prompt), shows_line(t) ? &t->editor.line : NULL};
}

static void make_prompt(struct term *t)
{
    const struct request *r = term_reader(t);

    buf_reset(&t->prompt);
    if (t->editor.searching)
        buf_printf(&t->prompt, "(search)`%s': ", buf_text(&t->editor.query));
    else if (t->menu)
        buf_put_text(&t->prompt, " --> ");
    else if (r != NULL)
        buf_put_slice(&t->prompt, buf_slice(&r->read.prompt));
}

void edit_draw(struct term *t)
{
    struct shown what;

    make_prompt(t);
    what = edit_shown(t);
    screen_draw(&t->screen, &t->out, &what);
}

void edit_start(struct term *t)
{
    struct request *r = term_reader(t);
    bool resumes = !t->menu && r != NULL;

    t->editing = true;
    t->expanded = false;
    editor_start(&t->editor, resumes ? buf_slice(&r->read.draft) : (clu_slice){NULL, 0});
    if (resumes)
        buf_reset(&r->read.draft);
    edit_draw(t);
}

void edit_cancel(struct term *t)
{
    if (t->editing)
        screen_erase(&t->screen, &t->out);
    t->editing = false;
    t->expanding = 0;
}

void edit_finish(struct term *t)
{
    struct shown what = edit_shown(t);

    if (t->editing)
        screen_finish(&t->screen, &t->out, &what);
    t->editing = false;
    t->expanding = 0;
}

void edit_suspend(struct term *t)
{
    struct request *r = term_reader(t);

    if (t->editing && !t->menu && r != NULL) {
        buf_reset(&r->read.draft);
        line_put(&t->editor.line, 0, t->editor.line.len, &r->read.draft);
    }
    edit_cancel(t);
}

void term_print(struct term *t, clu_slice text)
{
    struct shown what = edit_shown(t);

    if (!t->o.interactive) {
        buf_put_slice(t->asked ? &t->out : &t->banner, text);
        return;
    }
    if (!t->editing) {
        screen_print(&t->screen, &t->out, text);
        return;
    }
    screen_erase(&t->screen, &t->out);
    screen_print(&t->screen, &t->out, text);
    screen_draw(&t->screen, &t->out, &what);
}

void term_say(struct term *t, const char *text)
{
    term_print(t, slice_of(text));
}

/* ---- what becomes of a key ---- */

static void on_bell(struct term *t)
{
    buf_put_byte(&t->out, BELL);
}

static void on_typed(struct term *t)
{
    struct shown what = edit_shown(t);

    screen_typed(&t->screen, &t->out, &what);
}

static void on_entered(struct term *t)
{
    struct request *r = term_reader(t);
    struct buf line = {0};

    edit_finish(t);
    line_put(&t->editor.line, 0, t->editor.line.len, &line);
    buf_put_byte(&line, '\n');
    if (t->menu) {
        menu_entered(t, buf_slice(&line));
    } else if (r != NULL) {
        buf_put_slice(&r->read.entry, buf_slice(&line));
        buf_put_slice(&t->input, buf_slice(&line));
    }
    if (line.err != CLU_OK)
        term_fail(t, line.err);
    buf_free(&line);
}

static void on_eof(struct term *t)
{
    edit_finish(t);
    term_leave(t);
}

static void on_expand(struct term *t)
{
    if (!t->menu)
        expand_begin(t);
}

static void on_clear(struct term *t)
{
    screen_clear(&t->screen, &t->out);
    edit_draw(t);
}

static void (*const on_edited[])(struct term *) = {
    [EDITED_BELL] = on_bell,       [EDITED_LINE] = edit_draw, [EDITED_TYPED] = on_typed,
    [EDITED_ENTERED] = on_entered, [EDITED_EOF] = on_eof,     [EDITED_EXPAND] = on_expand,
    [EDITED_CLEAR] = on_clear,
};

bool edit_key(struct term *t)
{
    clu_slice typed = buf_slice(&t->typed);
    struct key key = keys_next(&typed);

    buf_drop(&t->typed, t->typed.len - typed.len);
    if (key.name == KEY_NONE)
        return false;
    if (key.name != KEY_TAB)
        t->expanded = false;
    on_edited[editor_key(&t->editor, key)](t);
    return true;
}
