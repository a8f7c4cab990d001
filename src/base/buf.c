/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_MIN 64

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->err = CLU_OK;
}

uint8_t *buf_space(struct buf *b, size_t n)
{
    if (b->err != CLU_OK)
        return NULL;
    if (b->cap - b->len >= n && b->data != NULL)
        return b->data + b->len;

    size_t cap = b->cap < BUF_MIN ? BUF_MIN : b->cap;

    while (cap - b->len < n && cap <= SIZE_MAX / 2)
        cap *= 2;
    uint8_t *data = cap - b->len < n ? NULL : realloc(b->data, cap);

    if (data == NULL) {
        b->err = CLU_ENOMEM;
        return NULL;
    }
    b->data = data;
    b->cap = cap;
    return b->data + b->len;
}

void buf_add(struct buf *b, size_t n)
{
    b->len += n;
}

void buf_put(struct buf *b, const void *data, size_t n)
{
    uint8_t *p = buf_space(b, n);

    if (p == NULL || n == 0)
        return;
    memcpy(p, data, n);
    b->len += n;
}

void buf_put_text(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_put_slice(struct buf *b, clu_slice s)
{
    buf_put(b, s.data, s.len);
}

void buf_put_byte(struct buf *b, uint8_t byte)
{
    buf_put(b, &byte, 1);
}

void buf_put_be16(struct buf *b, uint16_t v)
{
    uint8_t bytes[2];

    put_be16(bytes, v);
    buf_put(b, bytes, sizeof bytes);
}

void buf_put_be32(struct buf *b, uint32_t v)
{
    uint8_t bytes[4];

    put_be32(bytes, v);
    buf_put(b, bytes, sizeof bytes);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (need < 0)
        return;
    size_t size = (size_t)need + 1;
    char *p = (char *)buf_space(b, size);

    if (p == NULL)
        return;
    va_start(args, format);
    vsnprintf(p, size, format, args);
    va_end(args);
    b->len += (size_t)need;
}

void buf_drop(struct buf *b, size_t n)
{
    if (n < b->len)
        memmove(b->data, b->data + n, b->len - n);
    b->len = n < b->len ? b->len - n : 0;
}

const char *buf_text(struct buf *b)
{
    uint8_t *p = buf_space(b, 1);

    if (p == NULL)
        return "";
    *p = '\0';
    return (const char *)b->data;
}
