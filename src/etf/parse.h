/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETF_PARSE_H
#define ETF_PARSE_H

#include "etf/lex.h"

/* What <<Value:Size>> may add to a term, all in all: a text of twenty bytes could ask for any size.
 */
#define PARSE_BITS_MAX (UINT64_C(1) << 23)
/* Bytes in front of a container's terms that are kept free until their number is known. */
#define PARSE_HEAD 5

/* parse_atom: appends an atom, in quotes or without. */
CLU_MUST_USE clu_error parse_atom(struct lexer *lex, clu_writer *out);
/* parse_number: appends [sign] Number, where the number may stand in parentheses: an integer, a
 * float or a character. */
CLU_MUST_USE clu_error parse_number(struct lexer *lex, clu_writer *out);
/* parse_text: appends one or more strings, which make one list. */
CLU_MUST_USE clu_error parse_text(struct lexer *lex, clu_writer *out);
/* parse_bits: appends <<...>>, whose first token is the lexer's; takes what sizes ask for off
 * *budget. */
CLU_MUST_USE clu_error parse_bits(struct lexer *lex, clu_writer *out, uint64_t *budget);

/* Each makes a term of what stands in `out` from `at` on: PARSE_HEAD free bytes, then n terms. */
void close_tuple(clu_writer *out, size_t at, size_t n);
/* close_list: tail is where the tail stands behind the n elements, 0 for a proper list. The term is
 * the one that term_to_binary makes: STRING where it can be, one LIST whatever the tail is. */
void close_list(clu_writer *out, size_t at, size_t n, size_t tail);
/* close_map: n pairs; they are put into the order of their keys' bytes, so that equal maps have
 * equal bytes, and of equal keys the last one stays. */
void close_map(clu_writer *out, size_t at, size_t n);

#endif
