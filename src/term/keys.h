/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERM_KEYS_H
#define TERM_KEYS_H

#include "base/base.h"

/* What a person pressed. */
enum key_name {
    KEY_NONE,    /* the bytes end before the key does */
    KEY_UNKNOWN, /* a key without a meaning here */
    KEY_CHAR,
    KEY_ENTER,
    KEY_TAB,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_UP,
    KEY_DOWN,
    KEY_HOME,
    KEY_END,
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
    KEY_BACKSPACE,
    KEY_DELETE,
    KEY_EOF,        /* Ctrl-D: delete, or the end of file on an empty line */
    KEY_KILL_END,   /* Ctrl-K */
    KEY_KILL_START, /* Ctrl-U */
    KEY_KILL_WORD,  /* Ctrl-W, Alt-Backspace */
    KEY_KILL_NEXT,  /* Alt-D */
    KEY_YANK,       /* Ctrl-Y */
    KEY_SWAP,       /* Ctrl-T */
    KEY_CLEAR,      /* Ctrl-L */
    KEY_SEARCH,     /* Ctrl-R */
    KEY_INTERRUPT,  /* Ctrl-C */
    KEY_MENU,       /* Ctrl-G */
    KEYS
};

struct key {
    enum key_name name;
    uint32_t c; /* KEY_CHAR */
};

/* keys_next: takes the first key off the front of *typed. An escape alone waits for what follows:
 * so it is one with the letter that is typed next, as everywhere. */
struct key keys_next(clu_slice *typed);
/* keys_of_byte: of what a control character alone stands for: KEY_INTERRUPT, ... */
enum key_name keys_of_byte(uint8_t byte);

#endif
