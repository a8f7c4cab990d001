/* SPDX-License-Identifier: Apache-2.0 */
#include "term/editor.h"

#include "etf/utf8.h"

static enum edited line_or_bell(bool done)
{
    return done ? EDITED_LINE : EDITED_BELL;
}

static enum edited move_to(struct line *l, size_t at)
{
    bool moves = at != l->at;

    l->at = at;
    return line_or_bell(moves);
}

static enum edited erase(struct line *l, size_t from, size_t to, bool cut)
{
    bool any = from < to;

    if (any)
        line_erase(l, from, to, cut);
    return line_or_bell(any);
}

/* ---- one function a key ---- */

static enum edited on_char(struct editor *e, struct key key)
{
    bool at_end = e->line.at == e->line.len;

    if (!line_insert(&e->line, key.c))
        return EDITED_BELL;
    return at_end ? EDITED_TYPED : EDITED_LINE;
}

static enum edited on_left(struct editor *e, struct key key)
{
    (void)key;
    return move_to(&e->line, e->line.at > 0 ? e->line.at - 1 : 0);
}

static enum edited on_right(struct editor *e, struct key key)
{
    (void)key;
    return move_to(&e->line, e->line.at < e->line.len ? e->line.at + 1 : e->line.at);
}

static enum edited on_home(struct editor *e, struct key key)
{
    (void)key;
    e->line.at = 0;
    return EDITED_LINE;
}

static enum edited on_end(struct editor *e, struct key key)
{
    (void)key;
    e->line.at = e->line.len;
    return EDITED_LINE;
}

static enum edited on_word_left(struct editor *e, struct key key)
{
    (void)key;
    return move_to(&e->line, line_word_left(&e->line));
}

static enum edited on_word_right(struct editor *e, struct key key)
{
    (void)key;
    return move_to(&e->line, line_word_right(&e->line));
}

static enum edited on_backspace(struct editor *e, struct key key)
{
    size_t at = e->line.at;

    (void)key;
    return erase(&e->line, at > 0 ? at - 1 : 0, at, false);
}

static enum edited on_delete(struct editor *e, struct key key)
{
    size_t at = e->line.at;

    (void)key;
    return erase(&e->line, at, at < e->line.len ? at + 1 : at, false);
}

static enum edited on_eof(struct editor *e, struct key key)
{
    return e->line.len == 0 ? EDITED_EOF : on_delete(e, key);
}

static enum edited on_kill_end(struct editor *e, struct key key)
{
    (void)key;
    return erase(&e->line, e->line.at, e->line.len, true);
}

static enum edited on_kill_start(struct editor *e, struct key key)
{
    (void)key;
    return erase(&e->line, 0, e->line.at, true);
}

static enum edited on_kill_word(struct editor *e, struct key key)
{
    (void)key;
    return erase(&e->line, line_word_left(&e->line), e->line.at, true);
}

static enum edited on_kill_next(struct editor *e, struct key key)
{
    (void)key;
    return erase(&e->line, e->line.at, line_word_right(&e->line), true);
}

static enum edited on_yank(struct editor *e, struct key key)
{
    (void)key;
    return line_or_bell(e->line.n_cut > 0 && line_yank(&e->line));
}

static enum edited on_swap(struct editor *e, struct key key)
{
    (void)key;
    return line_or_bell(line_swap(&e->line));
}

static enum edited go_back_to(struct editor *e, size_t back)
{
    if (back > e->history.n)
        return EDITED_BELL;
    if (e->back == 0) {
        buf_reset(&e->draft);
        line_put(&e->line, 0, e->line.len, &e->draft);
    }
    e->back = back;
    return line_or_bell(
        line_set(&e->line, back == 0 ? buf_slice(&e->draft) : history_get(&e->history, back)));
}

static enum edited on_up(struct editor *e, struct key key)
{
    (void)key;
    return go_back_to(e, e->back + 1);
}

static enum edited on_down(struct editor *e, struct key key)
{
    (void)key;
    return e->back == 0 ? EDITED_BELL : go_back_to(e, e->back - 1);
}

static enum edited on_enter(struct editor *e, struct key key)
{
    (void)e, (void)key;
    return EDITED_ENTERED;
}

static enum edited on_tab(struct editor *e, struct key key)
{
    (void)e, (void)key;
    return EDITED_EXPAND;
}

static enum edited on_clear(struct editor *e, struct key key)
{
    (void)e, (void)key;
    return EDITED_CLEAR;
}

static enum edited on_search(struct editor *e, struct key key)
{
    (void)key;
    e->searching = true;
    buf_reset(&e->query);
    return EDITED_LINE;
}

static enum edited (*const on_key[KEYS])(struct editor *, struct key) = {
    [KEY_CHAR] = on_char,
    [KEY_ENTER] = on_enter,
    [KEY_TAB] = on_tab,
    [KEY_LEFT] = on_left,
    [KEY_RIGHT] = on_right,
    [KEY_UP] = on_up,
    [KEY_DOWN] = on_down,
    [KEY_HOME] = on_home,
    [KEY_END] = on_end,
    [KEY_WORD_LEFT] = on_word_left,
    [KEY_WORD_RIGHT] = on_word_right,
    [KEY_BACKSPACE] = on_backspace,
    [KEY_DELETE] = on_delete,
    [KEY_EOF] = on_eof,
    [KEY_KILL_END] = on_kill_end,
    [KEY_KILL_START] = on_kill_start,
    [KEY_KILL_WORD] = on_kill_word,
    [KEY_KILL_NEXT] = on_kill_next,
    [KEY_YANK] = on_yank,
    [KEY_SWAP] = on_swap,
    [KEY_CLEAR] = on_clear,
    [KEY_SEARCH] = on_search,
};

/* ---- searching ---- */

static enum edited search_from(struct editor *e, size_t back)
{
    size_t found = history_find(&e->history, back, buf_slice(&e->query));

    return found == 0 ? EDITED_BELL : go_back_to(e, found);
}

static void shorten(struct buf *query)
{
    while (query->len > 0 && (query->data[query->len - 1] & 0xc0) == 0x80)
        query->len--;
    if (query->len > 0)
        query->len--;
}

static enum edited search_key(struct editor *e, struct key key)
{
    uint8_t bytes[UTF8_MAX];

    if (key.name == KEY_SEARCH)
        return search_from(e, e->back + 1);
    if (key.name == KEY_BACKSPACE) {
        shorten(&e->query);
        return EDITED_LINE;
    }
    if (key.name == KEY_CHAR) {
        buf_put(&e->query, bytes, utf8_put(bytes, key.c));
        return search_from(e, e->back == 0 ? 1 : e->back);
    }
    e->searching = false;
    return key.name == KEY_ENTER ? EDITED_ENTERED : EDITED_LINE;
}

/* ---- the editor ---- */

void editor_free(struct editor *e)
{
    line_free(&e->line);
    history_free(&e->history);
    buf_free(&e->draft);
    buf_free(&e->query);
}

void editor_start(struct editor *e, clu_slice text)
{
    e->back = 0;
    e->searching = false;
    if (!line_set(&e->line, text))
        line_clear(&e->line);
}

enum edited editor_key(struct editor *e, struct key key)
{
    if (e->searching)
        return search_key(e, key);
    return on_key[key.name] == NULL ? EDITED_BELL : on_key[key.name](e, key);
}

bool editor_insert(struct editor *e, clu_slice utf8)
{
    const uint8_t *pos = utf8.data, *end = slice_end(utf8);

    while (pos < end) {
        uint32_t c = utf8_get(&pos, end);

        if (c != UTF8_BAD && !line_insert(&e->line, c))
            return false;
    }
    return true;
}
