/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERM_LINE_H
#define TERM_LINE_H

#include "base/buf.h"

/* Characters of a line that is being edited: a pasted function, not a file. */
#define LINE_MAX_CHARS 65536

/* A text with a cursor in it, and what was cut last. It may hold line breaks: a statement that was
 * recalled. A zeroed line is empty and valid. */
struct line {
    uint32_t *text;
    size_t len, cap;
    size_t at; /* the cursor stands before this character */
    uint32_t *cut;
    size_t n_cut;
};

void line_free(struct line *l);
/* line_clear: empties it; what was cut stays. */
void line_clear(struct line *l);
/* line_insert: at the cursor, which moves behind it; false when it is full, or memory is. */
CLU_MUST_USE bool line_insert(struct line *l, uint32_t c);
/* line_set: another text, the cursor behind it. */
CLU_MUST_USE bool line_set(struct line *l, clu_slice utf8);
/* line_erase: takes away [from, to); the cursor stands at from. cut: to be put elsewhere. */
void line_erase(struct line *l, size_t from, size_t to, bool cut);
/* line_yank: inserts what was cut. */
CLU_MUST_USE bool line_yank(struct line *l);
/* line_swap: the character before the cursor with the one at it (or the two before the end). */
bool line_swap(struct line *l);
/* line_word_left, line_word_right: where the word before or behind the cursor begins or ends. */
size_t line_word_left(const struct line *l);
size_t line_word_right(const struct line *l);
/* line_put: its characters [from, to) as UTF-8. */
void line_put(const struct line *l, size_t from, size_t to, struct buf *out);

#endif
