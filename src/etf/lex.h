/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETF_LEX_H
#define ETF_LEX_H

#include "base/base.h"

/* Erlang's tokens, as far as terms, and the texts of clu_match, are made of them. A token of one
 * sign is that sign. */
enum {
    TOKEN_END = 256,
    TOKEN_BAD,
    TOKEN_INTEGER, /* 12, 16#ff */
    TOKEN_FLOAT,
    TOKEN_CHAR,   /* $a */
    TOKEN_STRING, /* with its quotes */
    TOKEN_ATOM,
    TOKEN_QUOTED_ATOM, /* with its quotes */
    TOKEN_WORD,        /* reserved */
    TOKEN_DOT,         /* a full stop: white space, a comment or the end follows */
    TOKEN_ARROW,       /* => */
    TOKEN_MATCH,       /* := */
    TOKEN_BITS,        /* << */
    TOKEN_BITS_END,    /* >> */
};

struct lexer {
    const uint8_t *pos, *end;
    /* The token that stands before pos. */
    uint32_t token;
    clu_slice text;
    const uint8_t *last_end; /* where the token before it ended */
};

/* lex_init: text is UTF-8; the first token is read. */
void lex_init(struct lexer *lex, clu_slice text);
void lex_next(struct lexer *lex);
/* lex_unquote: the characters of a TOKEN_CHAR, TOKEN_STRING or TOKEN_QUOTED_ATOM, one by one: set
 * *pos to lex->text.data first; LEX_CHARS_END after the last, LEX_CHARS_BAD for a bad escape. */
uint32_t lex_unquote(const struct lexer *lex, const uint8_t **pos);

#define LEX_CHARS_END UINT32_MAX
#define LEX_CHARS_BAD (UINT32_MAX - 1)

#endif
