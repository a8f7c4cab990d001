/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETF_UTF8_H
#define ETF_UTF8_H

#include "base/base.h"

/* Not a character: utf8_get's answer to bytes that are no UTF-8. */
#define UTF8_BAD UINT32_MAX
/* Bytes of the longest character. */
#define UTF8_MAX 4
/* The first and the last code point, and the gap of UTF-16's surrogates, which are no characters.
 */
#define UNICODE_LAST    0x10ffff
#define SURROGATE_FIRST 0xd800
#define SURROGATE_LAST  0xdfff

/* The bits that no byte of ASCII has. */
#define ASCII_HIGH_BITS UINT64_C(0x8080808080808080)

/* slice_end: where a slice ends, which may be NULL and empty (NULL + 0 is undefined in C). */
static inline const uint8_t *slice_end(clu_slice s)
{
    return s.len == 0 ? s.data : s.data + s.len;
}

/* utf8_get: the character at *pos, which moves behind it; UTF8_BAD when there is none (overlong,
 * surrogate, cut short), *pos then moves one byte. pos must be before end. */
uint32_t utf8_get(const uint8_t **pos, const uint8_t *end);
/* utf8_put: the bytes of a character; their number, 0 when it is none. */
size_t utf8_put(uint8_t out[UTF8_MAX], uint32_t c);
/* utf8_ascii_len: how many bytes from the start are below 128. */
size_t utf8_ascii_len(clu_slice text);
/* utf8_count: sets *chars to the number of characters; false when the text is no UTF-8. */
bool utf8_count(clu_slice text, size_t *chars);

#endif
