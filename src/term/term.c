/* SPDX-License-Identifier: Apache-2.0 */
#include "term/term.h"

#include <stdlib.h>

#include "etf/utf8.h"
#include "term/impl.h"

/* ---- life ---- */

struct term *term_new(const struct term_options *o)
{
    struct term *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->o = *o;
    t->echo = t->line_history = true;
    t->screen.columns = o->columns == 0 ? SCREEN_COLUMNS : o->columns;
    list_init(&t->effects);
    list_init(&t->requests);
    list_init(&t->reads);
    list_init(&t->calls);
    return t;
}

static void free_requests(struct term *t, struct list *of)
{
    while (!list_empty(of))
        request_free(t, CONTAINER_OF(of->next, struct request, list));
}

void term_free(struct term *t)
{
    struct buf *const bufs[] = {&t->out,   &t->banner, &t->typed,
                                &t->input, &t->prompt, &t->expander_more};

    if (t == NULL)
        return;
    free_requests(t, &t->requests);
    free_requests(t, &t->reads);
    while (!list_empty(&t->calls)) {
        struct call *c = CONTAINER_OF(t->calls.next, struct call, list);

        list_remove(&c->list);
        free(c);
    }
    while (!list_empty(&t->effects))
        term_drop(t);
    for (size_t i = 0; i < COUNT(bufs); i++)
        buf_free(bufs[i]);
    screen_free(&t->screen);
    editor_free(&t->editor);
    clu_writer_free(&t->expand_fun);
    free(t);
}

void term_fail(struct term *t, clu_error err)
{
    if (t->err == CLU_OK)
        t->err = err;
}

clu_error term_error(const struct term *t)
{
    const struct buf *const bufs[] = {&t->out, &t->banner, &t->typed, &t->input};

    for (size_t i = 0; i < COUNT(bufs); i++)
        if (bufs[i]->err != CLU_OK)
            return bufs[i]->err;
    return t->err;
}

clu_error term_set_expander(struct term *t, const struct term_expander *e)
{
    t->expander = *e;
    buf_reset(&t->expander_more);
    buf_put_slice(&t->expander_more, e->more);
    t->expander.more = buf_slice(&t->expander_more);
    return t->expander_more.err;
}

/* ---- effects and calls ---- */

struct effect *term_effect(struct term *t, enum term_effect_kind kind)
{
    struct effect *e = calloc(1, sizeof *e);

    if (e == NULL) {
        term_fail(t, CLU_ENOMEM);
        return NULL;
    }
    e->kind = kind;
    list_append(&t->effects, &e->list);
    return e;
}

uint32_t term_number(struct term *t)
{
    if (++t->last_number == 0)
        t->last_number = 1;
    return t->last_number;
}

clu_writer *term_call(struct term *t, enum call_kind kind, struct request *r, uint32_t *id)
{
    struct call *c = calloc(1, sizeof *c);
    struct effect *e = c == NULL ? NULL : term_effect(t, TERM_CALL);

    if (e == NULL) {
        free(c);
        term_fail(t, CLU_ENOMEM);
        return NULL;
    }
    c->id = e->call = term_number(t);
    c->kind = kind;
    c->request = r;
    list_append(&t->calls, &c->list);
    if (id != NULL)
        *id = c->id;
    return &e->term;
}

bool term_next(struct term *t, struct term_effect *out)
{
    if (list_empty(&t->effects))
        return false;
    const struct effect *e = CONTAINER_OF(t->effects.next, struct effect, list);
    clu_reader to = e->to.len == 0 ? (clu_reader){0} : reader_over(&e->to);

    if (e->term.err != CLU_OK)
        term_fail(t, e->term.err);
    *out = (struct term_effect){.kind = e->kind, .call = e->call, .term = written(&e->term)};
    if (e->to.len > 0)
        out->to = clu_get_pid(&to);
    return true;
}

void term_drop(struct term *t)
{
    struct effect *e = CONTAINER_OF(t->effects.next, struct effect, list);

    list_remove(&e->list);
    clu_writer_free(&e->to);
    clu_writer_free(&e->term);
    free(e);
}

/* ---- who gets what ---- */

/* What is no UTF-8 in a script is Latin-1: readers get characters in any case. */
static void put_input(struct term *t, clu_slice bytes)
{
    const uint8_t *pos = bytes.data, *end = slice_end(bytes);
    uint8_t utf8[UTF8_MAX];

    while (pos < end) {
        uint8_t byte = *pos;
        uint32_t c = utf8_get(&pos, end);

        buf_put(&t->input, utf8, utf8_put(utf8, c == UTF8_BAD ? byte : c));
    }
}

/* The next line of a script, or what is left of it. */
static bool take_script(struct term *t)
{
    const uint8_t *end = t->typed.len == 0 ? NULL : memchr(t->typed.data, '\n', t->typed.len);
    size_t n = end != NULL ? (size_t)(end - t->typed.data) + 1 : t->ended ? t->typed.len : 0;

    put_input(t, (clu_slice){t->typed.data, n});
    buf_drop(&t->typed, n);
    if (end == NULL && n > 0 && read_is_shell(term_reader(t)))
        buf_put_byte(&t->input, '\n'); /* a full stop is one before white space only */
    return n > 0;
}

static bool at_end(const struct term *t)
{
    return term_is_over(t) && t->input.len == 0;
}

/* One step; false when nothing can be done before something else happens. */
static bool step(struct term *t)
{
    struct request *r = term_reader(t);

    if (t->editing)
        return t->expanding == 0 && edit_key(t);
    if (!t->menu && (r == NULL || r->read.calling))
        return false;
    if (!t->menu && at_end(t) && !t->o.interactive && read_is_cut(r))
        t->cut = true;
    if (!t->menu && at_end(t) && (t->o.interactive || read_is_shell(r))) {
        term_leave(t);
        return true;
    }
    if (!t->menu && read_feed(t, r))
        return true;
    if (!t->o.interactive)
        return take_script(t);
    edit_start(t);
    return true;
}

void term_pump(struct term *t)
{
    while (t->err == CLU_OK && step(t))
        continue;
}

/* ---- events ---- */

static void interrupt(struct term *t)
{
    struct request *r = term_reader(t);

    edit_finish(t);
    if (t->menu)
        return;
    buf_reset(&t->input);
    if (r != NULL)
        read_stop(t, r, "interrupted");
    else if (t->shell)
        (void)term_effect(t, TERM_INTERRUPT);
}

static void on_menu_key(struct term *t)
{
    if (!t->menu)
        menu_open(t);
}

/* Ctrl-C and Ctrl-G count at once, whatever was typed before them. */
static size_t take_signals(struct term *t, clu_slice bytes)
{
    size_t behind = 0;

    for (size_t i = 0; t->o.interactive && i < bytes.len; i++) {
        enum key_name name = keys_of_byte(bytes.data[i]);

        if (name != KEY_INTERRUPT && name != KEY_MENU)
            continue;
        buf_reset(&t->typed);
        behind = i + 1;
        if (name == KEY_INTERRUPT)
            interrupt(t);
        else
            on_menu_key(t);
    }
    return behind;
}

void term_keys(struct term *t, clu_slice bytes)
{
    size_t behind = take_signals(t, bytes);

    if (t->typed.len + bytes.len - behind <= 2 * TERM_TYPED_MAX)
        buf_put(&t->typed, bytes.data + behind, bytes.len - behind);
    else
        buf_put_byte(&t->out, '\a');
    term_pump(t);
}

bool term_is_hungry(const struct term *t)
{
    return !t->ended && t->typed.len < TERM_TYPED_MAX;
}

void term_eof(struct term *t)
{
    t->ended = true;
    term_pump(t);
}

void term_resize(struct term *t, unsigned columns, unsigned rows)
{
    struct shown what = edit_shown(t);

    t->o.columns = columns;
    t->o.rows = rows;
    screen_resize(&t->screen, columns, t->editing ? &what : NULL);
    if (t->editing)
        edit_draw(t);
}

/* {io_request, From, ReplyAs, Request}. */
void term_message(struct term *t, clu_reader message)
{
    clu_reader from, reply_as;

    if (clu_peek_type(&message) != CLU_TYPE_TUPLE || clu_get_tuple(&message) != 4 ||
        !slice_is(clu_get_atom(&message), "io_request") || message.err != CLU_OK)
        return;
    from = message;
    clu_skip_term(&message);
    reply_as = message;
    clu_skip_term(&message);
    if (message.err != CLU_OK || clu_peek_type(&from) != CLU_TYPE_PID)
        return;
    request_begin(t, &from, &reply_as, &message);
    term_pump(t);
}

/* Nobody waits for what is typed for it: IEx ends its readers, other programs die. */
void term_gone(struct term *t, uint32_t watch)
{
    struct list *at = t->reads.next;

    while (at != &t->reads && CONTAINER_OF(at, struct request, list)->watch != watch)
        at = at->next;
    if (at == &t->reads)
        return;
    if (at == t->reads.next && !t->menu)
        edit_cancel(t);
    request_free(t, CONTAINER_OF(at, struct request, list));
    term_pump(t);
}

static void dispatch(struct term *t, const struct call *c, clu_reader *answer)
{
    bool still_wanted = c->request != NULL || t->expanding == c->id;

    if (!still_wanted)
        return;
    if (c->kind == CALL_PUT)
        request_put_answer(t, c->request, c->latin1, answer);
    else if (c->kind == CALL_PROMPT)
        read_prompt_answer(t, c->request, answer);
    else if (c->kind == CALL_READ)
        read_answer(t, c->request, answer);
    else if (c->kind == CALL_EXPAND)
        expand_answer(t, answer);
    else
        expand_format_answer(t, answer);
    if (t->editing && t->expanding == 0 && c->request == NULL)
        edit_draw(t);
}

void term_answer(struct term *t, uint32_t call, clu_reader *answer)
{
    for (struct list *at = t->calls.next; at != &t->calls; at = at->next) {
        struct call *c = CONTAINER_OF(at, struct call, list);

        if (c->id != call)
            continue;
        list_remove(&c->list);
        dispatch(t, c, answer);
        free(c);
        term_pump(t);
        return;
    }
}

void stop_readers(struct term *t, const char *reason)
{
    edit_cancel(t);
    while (!list_empty(&t->reads))
        read_stop(t, term_reader(t), reason);
}

void term_shell(struct term *t, bool lives)
{
    t->shell = lives;
    if (lives)
        return;
    stop_readers(t, "terminated");
    if (!t->menu)
        term_leave(t);
    term_pump(t);
}

void term_leave(struct term *t)
{
    bool waits = !list_empty(&t->reads);

    if (t->leaving)
        return;
    t->leaving = true;
    t->menu = false;
    stop_readers(t, "terminated");
    if (t->shell && !waits)
        (void)term_effect(t, TERM_INTERRUPT); /* it will read next, and hear it then */
    (void)term_effect(t, TERM_LEAVE);
}

struct buf *term_output(struct term *t)
{
    return &t->out;
}

struct buf *term_banner(struct term *t)
{
    return &t->banner;
}

bool term_was_cut(const struct term *t)
{
    return t->cut;
}

bool term_has_asked(const struct term *t)
{
    return t->asked;
}
