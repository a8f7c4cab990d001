/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_TERM_JSON_H
#define VIEW_TERM_JSON_H

#include "base/buf.h"

/* term_json: appends the term at the reader's place, which moves past it, as JSON in one line.
 *
 * plain, for people and scripts, loses what JSON has no word for: atoms and binaries of UTF-8 are
 * texts (true and false are themselves; null, nil and undefined are null), so are printable lists
 * of characters; tuples and lists are arrays, maps are objects; other binaries are arrays of bytes,
 * and pids, references, ports, funs and bit strings are the texts that Erlang shows.
 *
 * tagged loses nothing: {"atom": "a"}, {"binary": "text"} or {"base64": "AP8="} with "bits", the
 * number of bits in use of the last byte, for a bit string; {"tuple": [...]}, {"map": [[key,
 * value], ...]}; a list is an array, an improper one {"list": [...], "tail": ...}; integers beyond
 * 2^53 {"integer": "..."}, floats {"float": "1.0"}; anything else {"term": "text", "etf": "..."},
 * with its bytes in the External Term Format in base 64. */
CLU_MUST_USE clu_error term_json(clu_reader *r, struct buf *out, bool tagged);
/* term_json_text: a text as a string of JSON; what is no UTF-8 becomes U+FFFD. */
void term_json_text(struct buf *out, clu_slice text);

#endif
