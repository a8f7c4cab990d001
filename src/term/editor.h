/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERM_EDITOR_H
#define TERM_EDITOR_H

#include "term/history.h"
#include "term/keys.h"
#include "term/line.h"

/* What became of a key. */
enum edited {
    EDITED_BELL,    /* nothing could be done */
    EDITED_LINE,    /* it looks different now */
    EDITED_TYPED,   /* one character more stands at its end */
    EDITED_ENTERED, /* it is complete */
    EDITED_EOF,
    EDITED_EXPAND, /* complete what stands before the cursor */
    EDITED_CLEAR,  /* clear the screen */
};

/* A line, and the way back through the history. A zeroed editor is empty and valid. */
struct editor {
    struct line line;
    struct history history;
    size_t back;      /* the entry that the line began as; 0: it was typed */
    struct buf draft; /* what was typed before */
    bool searching;   /* the line shows what was found */
    struct buf query;
};

void editor_free(struct editor *e);
/* editor_start: a new line that begins with this text. */
void editor_start(struct editor *e, clu_slice text);
enum edited editor_key(struct editor *e, struct key key);
/* editor_insert: a text at the cursor. */
CLU_MUST_USE bool editor_insert(struct editor *e, clu_slice utf8);

#endif
