/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETF_SYNTAX_H
#define ETF_SYNTAX_H

#include "base/base.h"

/* What printing and parsing must agree on: Erlang's characters, escapes, words, integers. */

/* Integers of more bytes are printed in base 16, and longer decimal ones are not read: between
 * decimal and binary the time grows with the square, and a peer's message may hold many. */
#define DECIMAL_BYTES_MAX  4096
#define DECIMAL_DIGITS_MAX 9865 /* of 2^(8 * DECIMAL_BYTES_MAX) - 1 */

/* syntax_is_lower: begins an atom without quotes. */
bool syntax_is_lower(uint32_t c);
/* syntax_is_name: goes on with an atom without quotes. */
bool syntax_is_name(uint32_t c);
/* syntax_is_reserved: a word of the language for every release, no atom without quotes. */
bool syntax_is_reserved(clu_slice word);
/* syntax_wants_quotes: the same for some releases: maybe and else, from OTP 27 on. */
bool syntax_wants_quotes(clu_slice word);
/* syntax_is_printable: what makes a list of integers a text, as io_lib:printable_latin1_list. */
bool syntax_is_printable(uint32_t c);
/* syntax_escape: the letter that stands for a control character behind a backslash; 0: none. */
char syntax_escape(uint32_t c);
/* syntax_unescape: the character that a letter behind a backslash stands for; the letter itself
 * when it stands for none. */
uint32_t syntax_unescape(uint32_t letter);

/* int_print: appends an integer of any size, its magnitude little endian. */
void int_print(clu_writer *out, clu_slice magnitude, bool negative);
/* int_read: appends the term of an integer to out, from digits of a base (2 to 36) with single
 * underscores between them. CLU_ESIZE beyond DECIMAL_DIGITS_MAX where the base is no power of two.
 */
CLU_MUST_USE clu_error int_read(clu_writer *out, clu_slice digits, uint32_t base, bool negative);
/* syntax_digit: the value of a digit in any base up to 36; 36 for what is none. */
uint32_t syntax_digit(uint8_t c);

/* text_atom: appends an atom, in quotes where it needs them. CLU_EATOM when it is no UTF-8. */
void text_atom(clu_writer *out, clu_slice name);
/* text_char: appends one character of a text within these quotes (0: within none), escaped where it
 * has to be. */
void text_char(clu_writer *out, uint32_t c, char quote);
/* text_bits: appends a binary or bit string. */
void text_bits(clu_writer *out, clu_slice bytes, uint8_t last_bits);
/* text_uint: appends a decimal number. */
void text_uint(clu_writer *out, uint64_t n);
/* text_put: appends a zero-terminated text as it is. */
void text_put(clu_writer *out, const char *text);

#endif
