/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERM_CHARDATA_H
#define TERM_CHARDATA_H

#include "base/buf.h"

/* chardata_put: appends the term at the reader's place, which moves past it, as UTF-8: what
 * unicode:characters_to_binary/2 takes: binaries, characters, and lists of those. latin1: the bytes
 * of binaries are characters of Latin-1, else UTF-8. false when it is something else, or when
 * memory is out (out->err); out holds what it held before. */
CLU_MUST_USE bool chardata_put(struct buf *out, clu_reader *r, bool latin1);
/* chardata_list: a text as a list of its characters. */
void chardata_list(clu_writer *w, clu_slice utf8);
/* chardata_fits_latin1: no character of it is above 255. */
bool chardata_fits_latin1(clu_slice utf8);
/* chardata_binary: a text as a binary, in Latin-1 (which must fit) or UTF-8. */
void chardata_binary(clu_writer *w, clu_slice utf8, bool latin1);
/* chardata_skip: the bytes of the first n characters; of all when there are fewer; *left is how
 * many are lacking. */
size_t chardata_skip(clu_slice utf8, size_t n, size_t *left);

#endif
