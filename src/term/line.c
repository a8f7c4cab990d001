/* SPDX-License-Identifier: Apache-2.0 */
#include "term/line.h"

#include <stdlib.h>

#include "etf/utf8.h"

#define LINE_MIN 64

void line_free(struct line *l)
{
    free(l->text);
    free(l->cut);
    *l = (struct line){0};
}

void line_clear(struct line *l)
{
    l->len = l->at = 0;
}

static bool make_room(struct line *l, size_t n)
{
    if (l->len + n > LINE_MAX_CHARS)
        return false;
    if (l->len + n <= l->cap)
        return true;
    size_t cap = l->cap == 0 ? LINE_MIN : l->cap;

    while (cap < l->len + n)
        cap *= 2;
    uint32_t *text = realloc(l->text, cap * sizeof *text);

    if (text == NULL)
        return false;
    l->text = text;
    l->cap = cap;
    return true;
}

static void open_gap(struct line *l, size_t n)
{
    memmove(l->text + l->at + n, l->text + l->at, (l->len - l->at) * sizeof *l->text);
    l->len += n;
}

bool line_insert(struct line *l, uint32_t c)
{
    if (!make_room(l, 1))
        return false;
    open_gap(l, 1);
    l->text[l->at++] = c;
    return true;
}

bool line_set(struct line *l, clu_slice utf8)
{
    const uint8_t *pos = utf8.data, *end = slice_end(utf8);

    line_clear(l);
    while (pos < end) {
        uint32_t c = utf8_get(&pos, end);

        if (c != UTF8_BAD && !line_insert(l, c))
            return false;
    }
    return true;
}

void line_erase(struct line *l, size_t from, size_t to, bool cut)
{
    size_t n = to - from;
    uint32_t *kept = cut && n > 0 ? malloc(n * sizeof *kept) : NULL;

    if (kept != NULL) {
        memcpy(kept, l->text + from, n * sizeof *kept);
        free(l->cut);
        l->cut = kept;
        l->n_cut = n;
    }
    if (n > 0)
        memmove(l->text + from, l->text + to, (l->len - to) * sizeof *l->text);
    l->len -= n;
    l->at = from;
}

bool line_yank(struct line *l)
{
    if (l->n_cut == 0)
        return true;
    if (!make_room(l, l->n_cut))
        return false;
    open_gap(l, l->n_cut);
    memcpy(l->text + l->at, l->cut, l->n_cut * sizeof *l->cut);
    l->at += l->n_cut;
    return true;
}

bool line_swap(struct line *l)
{
    size_t at = l->at < l->len ? l->at : l->len - 1;

    if (l->len < 2 || l->at == 0)
        return false;
    uint32_t c = l->text[at];

    l->text[at] = l->text[at - 1];
    l->text[at - 1] = c;
    l->at = at + 1;
    return true;
}

/* Letters of any script belong to words; of ASCII's signs, those of names. */
static bool is_of_word(uint32_t c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '_' || c == '@';
}

size_t line_word_left(const struct line *l)
{
    size_t at = l->at;

    while (at > 0 && !is_of_word(l->text[at - 1]))
        at--;
    while (at > 0 && is_of_word(l->text[at - 1]))
        at--;
    return at;
}

size_t line_word_right(const struct line *l)
{
    size_t at = l->at;

    while (at < l->len && !is_of_word(l->text[at]))
        at++;
    while (at < l->len && is_of_word(l->text[at]))
        at++;
    return at;
}

void line_put(const struct line *l, size_t from, size_t to, struct buf *out)
{
    uint8_t bytes[UTF8_MAX];

    for (size_t i = from; i < to; i++)
        buf_put(out, bytes, utf8_put(bytes, l->text[i]));
}
