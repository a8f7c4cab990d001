/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/base.h"

/* A growing run of bytes. The error sticks (only CLU_ENOMEM): check it once, at the end. A zeroed
 * buf is empty and valid. */
struct buf {
    uint8_t *data;
    size_t len, cap;
    clu_error err;
};

void buf_free(struct buf *b);
/* buf_reset: empties it and forgets the error; keeps the memory. */
void buf_reset(struct buf *b);
/* buf_space: room for n more bytes behind the last one, not yet counted; NULL after a failure.
 * Write there, then buf_add(b, written). */
uint8_t *buf_space(struct buf *b, size_t n);
void buf_add(struct buf *b, size_t n);
void buf_put(struct buf *b, const void *data, size_t n);
void buf_put_text(struct buf *b, const char *text);
void buf_put_slice(struct buf *b, clu_slice s);
void buf_put_byte(struct buf *b, uint8_t byte);
void buf_put_be16(struct buf *b, uint16_t v);
void buf_put_be32(struct buf *b, uint32_t v);
/* buf_printf: integers and text only: the pure layers stay free of the locale. */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* buf_drop: takes n bytes off the front. */
void buf_drop(struct buf *b, size_t n);
/* buf_text: the content as a zero-terminated text (the zero is not counted); "" after a failure.
 * Valid until the next change. */
const char *buf_text(struct buf *b);

static inline clu_slice buf_slice(const struct buf *b)
{
    return (clu_slice){b->data, b->len};
}

/* buf_behind: the content behind the first n bytes: what is still to be sent. */
static inline clu_slice buf_behind(const struct buf *b, size_t n)
{
    return n < b->len ? (clu_slice){b->data + n, b->len - n} : (clu_slice){NULL, 0};
}

#endif
