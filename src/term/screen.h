/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERM_SCREEN_H
#define TERM_SCREEN_H

#include "base/buf.h"
#include "term/line.h"

/* Of output without a line break, so much is drawn again before a prompt; behind more, the prompt
 * gets a row of its own. */
#define SCREEN_TAIL_MAX 4096
/* Columns of a terminal that does not tell. */
#define SCREEN_COLUMNS 80

/* Where the cursor stands on a terminal that knows ECMA-48's sequences A, C, H and J. Output of the
 * peer goes above; below, after what it left on its last row, a prompt and a line. */
struct screen {
    unsigned columns;
    struct buf tail; /* what the peer wrote behind its last line break */
    size_t row;      /* of the cursor, below the row where tail begins */
};

/* A prompt and the line behind it. */
struct shown {
    clu_slice prompt;
    const struct line *line; /* NULL: nothing is shown of it */
};

void screen_free(struct screen *s);
/* screen_print: the peer's text, where no line is shown. */
void screen_print(struct screen *s, struct buf *out, clu_slice text);
/* screen_draw: the line anew, whether it was shown or not. */
void screen_draw(struct screen *s, struct buf *out, const struct shown *what);
/* screen_typed: as screen_draw, of a line that has got one character more at its end: only that is
 * written, if there is room for it in its row. */
void screen_typed(struct screen *s, struct buf *out, const struct shown *what);
/* screen_erase: takes the line away. */
void screen_erase(struct screen *s, struct buf *out);
/* screen_finish: the line stays, and the cursor goes to the row below it. */
void screen_finish(struct screen *s, struct buf *out, const struct shown *what);
/* screen_clear: an empty screen; draw again. */
void screen_clear(struct screen *s, struct buf *out);
/* screen_resize: the terminal has wrapped anew what is shown. */
void screen_resize(struct screen *s, unsigned columns, const struct shown *what);

#endif
