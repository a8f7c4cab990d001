/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETF_PATTERN_H
#define ETF_PATTERN_H

#include <erlclu/format.h>

#include "etf/lex.h"

/* What clu_match and clu_format share: the text and its arguments. */
struct pattern {
    struct lexer lex;
    const clu_arg *args;
    size_t n, used; /* arguments, and how many of them have had their directive */
    size_t depth;
};

/* A set of clu_arg_kind. */
#define KIND(kind)  (1u << (kind))
#define KIND_NUMBER (KIND(CLU_ARG_INT) | KIND(CLU_ARG_UINT))

/* pattern_init: false when it can make no sense, whatever the text says. */
bool pattern_init(struct pattern *p, const char *format, const clu_arg *args, size_t n);
/* pattern_accept: passes the token if it is this one. */
bool pattern_accept(struct pattern *p, uint32_t token);
/* pattern_directive: the letter behind a ~, which is the lexer's token; passes both. 0: none. */
char pattern_directive(struct pattern *p);
/* pattern_arg: the next argument, if it is of one of these kinds; else NULL. */
const clu_arg *pattern_arg(struct pattern *p, uint32_t kinds);
/* pattern_literal: appends the number, atom, string or binary that begins with the lexer's token.
 * CLU_EBADARG when there is none; the writer's error. */
CLU_MUST_USE clu_error pattern_literal(struct pattern *p, clu_writer *out);
/* pattern_enter: one level deeper; false where that is too deep. pattern_leave: back again. */
bool pattern_enter(struct pattern *p);
void pattern_leave(struct pattern *p);
/* pattern_is_done: nothing is left, neither text nor arguments. */
bool pattern_is_done(const struct pattern *p);

/* literal_is_term: whether this leaf (a number, atom, string or binary, encoded) stands at the
 * reader's place; if so, the reader is behind it. literal_is_atom: the same of an atom's text. */
bool literal_is_term(clu_reader *r, clu_slice term);
bool literal_is_atom(clu_reader *r, clu_slice text);
/* literal_is_rest: whether the numbers of this string are all that a list has left. */
bool literal_is_rest(clu_list *list, clu_reader *literal);

#endif
