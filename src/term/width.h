/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERM_WIDTH_H
#define TERM_WIDTH_H

#include "base/base.h"

/* width_of: the columns that a terminal gives a character: 0 for marks that join the one before
 * (and for control characters), 2 for those that East Asia writes wide, else 1. */
unsigned width_of(uint32_t c);
/* width_get: the width of what stands at *pos, which moves past it: one character, or a whole
 * escape sequence, which takes no room. pos must be before end. */
unsigned width_get(const uint8_t **pos, const uint8_t *end);
/* width_text: of a text without line breaks. */
size_t width_text(clu_slice utf8);

#endif
